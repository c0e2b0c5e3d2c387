//! Cells of text files: where they are in a piece of the file, what types they could be, and the
//! arrays they become.
//!
//! CSV and JSON differ in how cells are found; from there on they share this. `number`, `moment` and
//! `pattern` read single values, `candidates` keeps which readings every value seen allows, `convert` makes
//! arrays. Must not know files or rows.

mod candidates;
mod convert;
mod moment;
mod number;
mod pattern;

pub(super) use self::candidates::Candidates;
pub(super) use self::convert::convert;

use crate::catalog::files::{Patterns, Reading};

/// A piece of a file with its cells is shorter than this.
pub(super) const PIECE_BYTES_MAX: usize = 1 << 29;

const LEN_BITS: u32 = PIECE_BYTES_MAX.trailing_zeros();
const LEN_MASK: u32 = (1 << LEN_BITS) - 1;
const QUOTED: u32 = 1 << LEN_BITS;
const ESCAPED: u32 = 2 << LEN_BITS;
const MISSING: u32 = 4 << LEN_BITS;

/// Where a cell is in its piece, without quotes; 8 bytes, since there is one per value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Cell {
    start: u32,
    len_and_flags: u32,
}

impl Cell {
    /// A cell that the row does not have, or that is NULL by the format's own word for it.
    pub(super) const NULL: Cell = Cell { start: 0, len_and_flags: MISSING };

    /// The cell at `start..end`.
    #[inline]
    pub(super) fn plain(start: usize, end: usize) -> Cell {
        Cell { start: narrow(start), len_and_flags: narrow(end - start) }
    }

    /// The cell between quotes at `start..end`; `escaped` when it is not what it stands for.
    #[inline]
    pub(super) fn quoted(start: usize, end: usize, escaped: bool) -> Cell {
        let flags = QUOTED | if escaped { ESCAPED } else { 0 };
        Cell { start: narrow(start), len_and_flags: narrow(end - start) | flags }
    }

    #[inline]
    pub(super) fn is_quoted(self) -> bool {
        self.len_and_flags & QUOTED != 0
    }

    #[inline]
    pub(super) fn is_escaped(self) -> bool {
        self.len_and_flags & ESCAPED != 0
    }

    #[inline]
    pub(super) fn is_missing(self) -> bool {
        self.len_and_flags & MISSING != 0
    }

    #[inline]
    fn is_empty(self) -> bool {
        self.len_and_flags & LEN_MASK == 0
    }

    /// Its bytes in the piece.
    #[inline]
    pub(super) fn bytes(self, piece: &[u8]) -> &[u8] {
        let start = wide(self.start);
        &piece[start..start + wide(self.len_and_flags & LEN_MASK)]
    }
}

#[inline]
fn narrow(offset: usize) -> u32 {
    u32::try_from(offset).expect("pieces are shorter than PIECE_BYTES_MAX")
}

#[inline]
fn wide(offset: u32) -> usize {
    usize::try_from(offset).expect("a usize has at least 32 bits")
}

/// How escapes in a cell are undone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Escapes {
    /// This byte stands before a byte that is meant literally.
    Byte(u8),
    /// Those of JSON.
    Json,
}

impl Escapes {
    /// Appends what `escaped` stands for. JSON escapes have been checked.
    pub(super) fn undo(self, escaped: &[u8], target: &mut Vec<u8>) {
        let mark = match self {
            Escapes::Byte(byte) => byte,
            Escapes::Json => b'\\',
        };
        let mut rest = escaped;
        while let Some(at) = memchr::memchr(mark, rest) {
            target.extend_from_slice(&rest[..at]);
            let after = &rest[at + 1..];
            let used = match (self, after.split_first()) {
                (_, None) => {
                    target.push(mark);
                    0
                }
                (Escapes::Byte(_), Some((literal, _))) => {
                    target.push(*literal);
                    1
                }
                (Escapes::Json, Some((letter, digits))) => undo_json(*letter, digits, target),
            };
            rest = &after[used..];
        }
        target.extend_from_slice(rest);
    }
}

/// Appends what `\` and `letter` stand for; gives the bytes used from `letter` on.
fn undo_json(letter: u8, digits: &[u8], target: &mut Vec<u8>) -> usize {
    let literal = match letter {
        b'b' => 8,
        b'f' => 12,
        b'n' => b'\n',
        b'r' => b'\r',
        b't' => b'\t',
        b'u' => {
            let first = hex(digits);
            let (code, used) = match first {
                0xd800..=0xdbff => {
                    let second = digits.get(6..).map_or(0, hex);
                    (0x10000 + ((first - 0xd800) << 10) + (second.saturating_sub(0xdc00)), 11)
                }
                code => (code, 5),
            };
            let found = char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER);
            target.extend_from_slice(found.encode_utf8(&mut [0; 4]).as_bytes());
            return used.min(digits.len() + 1);
        }
        other => other,
    };
    target.push(literal);
    1
}

/// The first four hexadecimal digits.
pub(super) fn hex(digits: &[u8]) -> u32 {
    let text = digits.get(..4).and_then(|digits| std::str::from_utf8(digits).ok());
    text.and_then(|text| u32::from_str_radix(text, 16).ok()).unwrap_or(0)
}

/// Which cells are NULL.
#[derive(Clone, Debug)]
pub(super) struct Nulls {
    words: Vec<Vec<u8>>,
    empty: bool,
    quoted: bool,
}

impl Nulls {
    /// Those of `reading`.
    pub(super) fn new(reading: &Reading) -> Nulls {
        let words = reading.nulls.iter().map(|word| word.clone().into_bytes());
        Nulls { words: words.collect(), empty: reading.empty_is_null, quoted: reading.quoted_nulls }
    }

    /// JSON says itself what is NULL.
    pub(super) fn none() -> Nulls {
        Nulls { words: Vec::new(), empty: false, quoted: false }
    }

    #[inline]
    pub(super) fn contains(&self, cell: Cell, piece: &[u8]) -> bool {
        if cell.is_missing() {
            return true;
        }
        if cell.is_quoted() && !self.quoted {
            return false;
        }
        if cell.is_empty() && self.empty {
            return true;
        }
        !self.words.is_empty() && self.words.iter().any(|word| word == cell.bytes(piece))
    }
}

/// The cells of one column in a piece.
#[derive(Clone, Copy, Debug)]
pub(super) struct CellColumn<'a> {
    /// The piece.
    pub(super) piece: &'a [u8],
    /// One per row.
    pub(super) cells: &'a [Cell],
    /// How escapes are undone.
    pub(super) escapes: Escapes,
    /// Which are NULL.
    pub(super) nulls: &'a Nulls,
    /// How dates and times may be written besides the usual ways.
    pub(super) patterns: &'a Patterns,
}

impl CellColumn<'_> {
    /// The text of a cell for a message, at most so many characters.
    pub(super) fn text(&self, row: usize) -> String {
        let cell = self.cells[row];
        let mut bytes = Vec::new();
        if cell.is_escaped() {
            self.escapes.undo(cell.bytes(self.piece), &mut bytes);
        } else {
            bytes.extend_from_slice(cell.bytes(self.piece));
        }
        String::from_utf8_lossy(&bytes).into_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_are_undone() {
        let undone = |escapes: Escapes, text: &str| {
            let mut target = Vec::new();
            escapes.undo(text.as_bytes(), &mut target);
            String::from_utf8(target).unwrap()
        };
        assert_eq!(undone(Escapes::Byte(b'"'), "say \"\"hi\"\""), "say \"hi\"");
        assert_eq!(undone(Escapes::Byte(b'\\'), r#"a\"b\\c"#), r#"a"b\c"#);
        assert_eq!(undone(Escapes::Json, r#"a\n\"\\\/\u00e9\ud83d\ude00z"#), "a\n\"\\/é😀z");
        assert_eq!(undone(Escapes::Byte(b'\\'), "end\\"), "end\\");
    }

    #[test]
    fn only_cells_without_quotes_are_null_unless_asked_for() {
        let reading = Reading { nulls: vec!["NA".into()], ..Reading::default() };
        let nulls = Nulls::new(&reading);
        let piece = b"NA,";
        assert!(nulls.contains(Cell::plain(0, 2), piece));
        assert!(!nulls.contains(Cell::quoted(0, 2, false), piece));
        assert!(nulls.contains(Cell::plain(2, 2), piece));
        assert!(!nulls.contains(Cell::quoted(2, 2, false), piece));
        assert!(nulls.contains(Cell::NULL, piece));
        let nulls = Nulls::new(&Reading { quoted_nulls: true, ..reading });
        assert!(nulls.contains(Cell::quoted(0, 2, false), piece));
    }
}
