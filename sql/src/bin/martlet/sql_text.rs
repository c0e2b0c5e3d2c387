//! SQL as it is being typed, cut into words, texts, numbers and comments.
//!
//! Never fails: half a statement is what a prompt has most of the time. Knows no grammar; colours and
//! completion are made from it.

use std::ops::Range;

use crate::script::{is_comment, token_end};

/// What a piece of SQL is, as far as its first characters tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A keyword or a name without quotes.
    Word,
    /// A name in double quotes.
    QuotedName,
    /// A text in single quotes or between dollars.
    Text,
    /// A number.
    Number,
    /// A comment.
    Comment,
    /// An operator or a bracket, one character of it.
    Symbol,
}

/// A piece of SQL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Token {
    /// What it is.
    pub(crate) kind: Kind,
    /// Where it stands, in bytes.
    pub(crate) range: Range<usize>,
}

impl Token {
    /// Its text.
    pub(crate) fn of<'a>(&self, sql: &'a str) -> &'a str {
        &sql[self.range.clone()]
    }

    /// Whether it is this word, in any case.
    pub(crate) fn is_word(&self, sql: &str, word: &str) -> bool {
        self.kind == Kind::Word && self.of(sql).eq_ignore_ascii_case(word)
    }
}

/// The pieces of `sql` in order, blanks left out.
pub(crate) fn tokens(sql: &str) -> Vec<Token> {
    let mut tokens = Vec::new();
    let mut at = 0;
    while let Some(first) = sql[at..].chars().next() {
        if first.is_whitespace() {
            at += first.len_utf8();
            continue;
        }
        let (kind, end) = token(sql, at, first);
        tokens.push(Token { kind, range: at..end });
        at = end;
    }
    tokens
}

fn token(sql: &str, at: usize, first: char) -> (Kind, usize) {
    let run = |is_part: fn(char) -> bool| {
        at + sql[at..].find(|c: char| !is_part(c)).unwrap_or(sql.len() - at)
    };
    let bytes = sql.as_bytes();
    let mut quoted_end = token_end(bytes, at);
    // A quote inside is written twice.
    while matches!(first, '\'' | '"') && bytes.get(quoted_end) == bytes.get(at) {
        quoted_end = token_end(bytes, quoted_end);
    }
    match first {
        '\'' => (Kind::Text, quoted_end),
        '"' => (Kind::QuotedName, quoted_end),
        '$' if quoted_end > at + 1 => (Kind::Text, quoted_end),
        _ if is_comment(bytes, at) => (Kind::Comment, quoted_end),
        _ if first.is_ascii_digit() => {
            (Kind::Number, run(|c| c.is_ascii_alphanumeric() || c == '.' || c == '_'))
        }
        _ if is_word_part(first) => (Kind::Word, run(is_word_part)),
        _ => (Kind::Symbol, at + first.len_utf8()),
    }
}

/// Whether a name without quotes may have this character.
pub(crate) fn is_word_part(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut(sql: &str) -> Vec<(Kind, &str)> {
        tokens(sql).iter().map(|token| (token.kind, token.of(sql))).collect()
    }

    #[test]
    fn words_texts_and_comments_are_told_apart() {
        assert_eq!(
            cut("SELECT \"a b\", 'it''s' -- end\n+1.5e3"),
            [
                (Kind::Word, "SELECT"),
                (Kind::QuotedName, "\"a b\""),
                (Kind::Symbol, ","),
                (Kind::Text, "'it''s'"),
                (Kind::Comment, "-- end\n"),
                (Kind::Symbol, "+"),
                (Kind::Number, "1.5e3"),
            ]
        );
    }

    #[test]
    fn what_is_open_ends_with_the_text() {
        assert_eq!(cut("FROM 'da"), [(Kind::Word, "FROM"), (Kind::Text, "'da")]);
        assert_eq!(cut("\"ö"), [(Kind::QuotedName, "\"ö")]);
        assert_eq!(cut("größe→"), [(Kind::Word, "größe"), (Kind::Symbol, "→")]);
    }
}
