//! Splits SQL text into statements at its semicolons, and commands to the shell at line ends, so that
//! each runs and shows as it comes.
//!
//! Knows quotes, comments and dollar quotes, and nothing else of SQL: what is no SQL at all is left
//! to the library to refuse.

use std::ops::Range;

/// A statement of SQL, or a command to the shell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Piece {
    /// Without its semicolon.
    Statement(Range<usize>),
    /// A line that begins with a dot or a backslash where a statement could begin.
    Command(Range<usize>),
}

/// The pieces of a text and what follows the last of them.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Script {
    /// In order; empty statements are left out.
    pub(crate) pieces: Vec<Piece>,
    /// An unfinished last statement, if there is more than blanks and comments.
    pub(crate) rest: Option<Range<usize>>,
}

/// Splits `sql`.
pub(crate) fn split(sql: &str) -> Script {
    let bytes = sql.as_bytes();
    let mut pieces = Vec::new();
    // Where the statement's first word stands.
    let mut start: Option<usize> = None;
    let mut at = 0;
    while at < bytes.len() {
        let mut end = token_end(bytes, at);
        match bytes[at] {
            b';' => pieces.extend(start.take().map(|start| Piece::Statement(start..at))),
            b'.' | b'\\' if start.is_none() => {
                let len = sql[at..].find('\n').unwrap_or(sql.len() - at);
                end = at + len;
                pieces.push(Piece::Command(at..at + sql[at..end].trim_end().len()));
            }
            _ if is_comment(bytes, at) || bytes[at].is_ascii_whitespace() => (),
            _ => start = start.or(Some(at)),
        }
        at = end;
    }
    Script { pieces, rest: start.map(|start| start..sql.len()) }
}

pub(crate) fn is_comment(bytes: &[u8], at: usize) -> bool {
    bytes[at..].starts_with(b"--") || bytes[at..].starts_with(b"/*")
}

/// Where the quote, comment or single byte that starts at `at` ends; the text's end when it is open.
pub(crate) fn token_end(bytes: &[u8], at: usize) -> usize {
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

    fn range_of(piece: Piece) -> Range<usize> {
        match piece {
            Piece::Statement(range) | Piece::Command(range) => range,
        }
    }

    fn parts(sql: &str) -> (Vec<&str>, Option<&str>) {
        let script = split(sql);
        (
            script.pieces.into_iter().map(|piece| &sql[range_of(piece)]).collect(),
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
    fn a_line_that_begins_with_a_dot_is_a_command_but_not_inside_a_statement() {
        let sql = " .tables x;  \nSELECT\n.5; \\d t\n.help";
        let script = split(sql);
        let is_command: Vec<bool> =
            script.pieces.iter().map(|piece| matches!(piece, Piece::Command(_))).collect();
        assert_eq!(is_command, [true, false, true, true]);
        assert_eq!(parts(sql), (vec![".tables x;", "SELECT\n.5", "\\d t", ".help"], None));
    }

    #[test]
    fn any_text_is_split_without_harm() {
        for sql in ["é;ü", "$", "$é$;", "'", "/*/", "*/;", "$1$;$1$"] {
            let script = split(sql);
            assert!(script.pieces.into_iter().all(|piece| sql.get(range_of(piece)).is_some()));
        }
    }
}
