//! Byte positions in place of lines and columns.
//!
//! sqlparser gives tokens a line and a column in characters, and copies them into its tree. We put
//! byte offsets there before it parses, so that every span of the tree *is* a byte range.

use sqlparser::tokenizer::{Location, Span, TokenWithSpan};

/// Replaces each token's span by its byte range: on line 1, column = offset + 1.
pub(crate) fn use_byte_offsets(sql: &str, tokens: &mut [TokenWithSpan]) {
    let mut cursor = Cursor { rest: sql.char_indices(), line: 1, column: 1, offset: 0, sql };
    for token in tokens {
        let start = cursor.advance_to(token.span.start);
        let end = cursor.advance_to(token.span.end);
        token.span = Span::new(location(start), location(end));
    }
}

/// The byte offset at which `span` starts; `None` for a span that sqlparser left empty.
pub(crate) fn start_of(span: Span) -> Option<usize> {
    if span.start.line == 0 {
        return None;
    }
    usize::try_from(span.start.column).ok()?.checked_sub(1)
}

fn location(offset: usize) -> Location {
    Location::new(1, u64::try_from(offset).unwrap_or(u64::MAX).saturating_add(1))
}

struct Cursor<'a> {
    rest: std::str::CharIndices<'a>,
    line: u64,
    column: u64,
    offset: usize,
    sql: &'a str,
}

impl Cursor<'_> {
    /// Walks forward to `target`; tokens come in order, so that the whole text is walked once.
    fn advance_to(&mut self, target: Location) -> usize {
        while (self.line, self.column) < (target.line, target.column) {
            let Some((_, c)) = self.rest.next() else { return self.sql.len() };
            self.offset += c.len_utf8();
            if c == '\n' {
                self.line += 1;
                self.column = 1;
            } else {
                self.column += 1;
            }
        }
        self.offset
    }
}
