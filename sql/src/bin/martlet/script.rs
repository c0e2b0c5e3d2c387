//! Splits SQL text into statements at its semicolons, so that each runs and shows as it comes.
//!
//! Knows quotes, comments and dollar quotes, and nothing else of SQL: what is no SQL at all is left
//! to the library to refuse.

use std::ops::Range;

/// The statements of a text and what follows the last semicolon.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Script {
    /// Where each statement stands, without its semicolon; empty ones are left out.
    pub(crate) statements: Vec<Range<usize>>,
    /// An unfinished last statement, if there is more than blanks and comments.
    pub(crate) rest: Option<Range<usize>>,
}

/// Splits `sql`.
pub(crate) fn split(sql: &str) -> Script {
    let bytes = sql.as_bytes();
    let mut statements = Vec::new();
    // Where the statement's first word stands.
    let mut start = None;
    let mut at = 0;
    while at < bytes.len() {
        let end = token_end(bytes, at);
        match bytes[at] {
            b';' => statements.extend(start.take().map(|start: usize| start..at)),
            _ if is_comment(bytes, at) || bytes[at].is_ascii_whitespace() => (),
            _ => start = start.or(Some(at)),
        }
        at = end;
    }
    Script { statements, rest: start.map(|start| start..sql.len()) }
}

fn is_comment(bytes: &[u8], at: usize) -> bool {
    bytes[at..].starts_with(b"--") || bytes[at..].starts_with(b"/*")
}

/// Where the quote, comment or single byte that starts at `at` ends; the text's end when it is open.
fn token_end(bytes: &[u8], at: usize) -> usize {
    let rest = &bytes[at..];
    match rest[0] {
        b'\'' => quoted_end(bytes, at, at > 0 && matches!(bytes[at - 1], b'e' | b'E')),
        b'"' => quoted_end(bytes, at, false),
        b'-' if rest.starts_with(b"--") => {
            rest.iter().position(|byte| *byte == b'\n').map_or(bytes.len(), |len| at + len + 1)
        }
        b'/' if rest.starts_with(b"/*") => comment_end(bytes, at),
        b'$' => dollar_end(bytes, at),
        _ => at + 1,
    }
}

fn quoted_end(bytes: &[u8], start: usize, has_escapes: bool) -> usize {
    let mut at = start + 1;
    while at < bytes.len() {
        match bytes[at] {
            b'\\' if has_escapes => at += 1,
            byte if byte == bytes[start] => return at + 1,
            _ => (),
        }
        at += 1;
    }
    bytes.len()
}

/// Comments of this kind nest.
fn comment_end(bytes: &[u8], start: usize) -> usize {
    let mut depth = 0_usize;
    let mut at = start;
    while at < bytes.len() {
        let step = if bytes[at..].starts_with(b"/*") {
            depth += 1;
            2
        } else if bytes[at..].starts_with(b"*/") {
            depth -= 1;
            2
        } else {
            1
        };
        at += step;
        if depth == 0 {
            return at;
        }
    }
    bytes.len()
}

/// `$tag$ … $tag$`; a parameter such as `$1` is no quote.
fn dollar_end(bytes: &[u8], start: usize) -> usize {
    let tag_len = bytes[start + 1..]
        .iter()
        .position(|byte| !(byte.is_ascii_alphanumeric() || *byte == b'_'))
        .unwrap_or(bytes.len() - start - 1);
    let tag_end = start + 1 + tag_len;
    let starts_with_digit = bytes.get(start + 1).is_some_and(u8::is_ascii_digit);
    if starts_with_digit || bytes.get(tag_end) != Some(&b'$') {
        return start + 1;
    }
    let tag = &bytes[start..=tag_end];
    bytes[tag_end + 1..]
        .windows(tag.len())
        .position(|window| window == tag)
        .map_or(bytes.len(), |len| tag_end + 1 + len + tag.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(sql: &str) -> (Vec<&str>, Option<&str>) {
        let script = split(sql);
        (
            script.statements.into_iter().map(|range| &sql[range]).collect(),
            script.rest.map(|range| &sql[range]),
        )
    }

    #[test]
    fn statements_end_at_semicolons_outside_quotes_and_comments() {
        let sql =
            "SELECT 1; -- no; end\n/* nor; /* here; */ ; */ SELECT ';', 'it''s;', \";\";;\n ;x";
        assert_eq!(parts(sql), (vec!["SELECT 1", "SELECT ';', 'it''s;', \";\""], Some("x")));
        assert_eq!(
            parts("SELECT $$a;b$$, $t$;$$;$t$; SELECT $1;"),
            (vec!["SELECT $$a;b$$, $t$;$$;$t$", "SELECT $1"], None)
        );
        assert_eq!(parts(r"SELECT E'\';'; y"), (vec![r"SELECT E'\';'"], Some("y")));
    }

    #[test]
    fn blanks_and_comments_are_no_statement() {
        for sql in ["", " \n", "-- only this", "/* open", ";;", "--\n;"] {
            assert_eq!(parts(sql), (vec![], None), "{sql}");
        }
    }

    #[test]
    fn an_open_quote_keeps_the_statement_open() {
        for sql in ["SELECT ';", "SELECT \";", "SELECT $$;", "SELECT $a$;$$", "SELECT 1 -- ;"] {
            assert_eq!(parts(sql), (vec![], Some(sql)), "{sql}");
        }
    }

    #[test]
    fn any_text_is_split_without_harm() {
        for sql in ["é;ü", "$", "$é$;", "'", "/*/", "*/;", "$1$;$1$"] {
            let script = split(sql);
            assert!(script.statements.iter().all(|range| sql.get(range.clone()).is_some()));
        }
    }
}
