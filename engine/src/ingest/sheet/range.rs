//! `A3:F100`: where cells are, as workbooks write it.
//!
//! Must not know what is in cells.

use std::str::FromStr;

use crate::types::{Error, Result};

/// Rows that a sheet may have.
pub(super) const ROWS_MAX: u32 = 1 << 20;
/// Columns that a sheet may have.
pub(super) const COLUMNS_MAX: u32 = 1 << 14;

/// Rows and columns of a sheet, counted from 0; the ends belong to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CellRange {
    pub(super) first_row: u32,
    pub(super) last_row: u32,
    pub(super) first_column: u32,
    pub(super) last_column: u32,
    /// Whether it names its columns, so that there are these even where they are empty.
    pub(super) names_columns: bool,
}

impl CellRange {
    /// All of a sheet.
    pub(super) const ALL: CellRange = CellRange {
        first_row: 0,
        last_row: ROWS_MAX - 1,
        first_column: 0,
        last_column: COLUMNS_MAX - 1,
        names_columns: false,
    };

    #[cfg(feature = "excel")]
    pub(super) fn contains(&self, row: u32, column: u32) -> bool {
        (self.first_row..=self.last_row).contains(&row)
            && (self.first_column..=self.last_column).contains(&column)
    }
}

impl FromStr for CellRange {
    type Err = Error;

    /// Reads `A3:F100`, `A:F` (whole columns), `3:100` (whole rows), `A3:F` and `A3:` (to the end).
    fn from_str(text: &str) -> Result<CellRange> {
        let wrong = || {
            Error::invalid(format!("\"{text}\" is no range of cells"))
                .with_hint("write range => 'A3:F100', 'A:F' or 'A3:'")
        };
        let (first, last) = text.split_once(':').ok_or_else(wrong)?;
        let (first, last) = (corner(first), corner(last));
        let ((first_column, first_row), (last_column, last_row)) =
            first.zip(last).ok_or_else(wrong)?;
        let range = CellRange {
            first_row: first_row.unwrap_or(0),
            last_row: last_row.unwrap_or(CellRange::ALL.last_row),
            first_column: first_column.unwrap_or(0),
            last_column: last_column.unwrap_or(CellRange::ALL.last_column),
            names_columns: first_column.is_some() && last_column.is_some(),
        };
        let is_empty = (first_column, first_row) == (None, None)
            || range.first_row > range.last_row
            || range.first_column > range.last_column;
        if is_empty { Err(wrong()) } else { Ok(range) }
    }
}

/// The column and row of `$C$7`, `C` or `7`.
fn corner(text: &str) -> Option<(Option<u32>, Option<u32>)> {
    let text = text.trim();
    let plain = text.strip_prefix('$').unwrap_or(text);
    let letters = plain.bytes().take_while(u8::is_ascii_alphabetic).count();
    let (letters, digits) = plain.split_at(letters);
    let digits = digits.strip_prefix('$').unwrap_or(digits);
    let mut column = None;
    for letter in letters.bytes() {
        let digit = u32::from(letter.to_ascii_uppercase() - b'A') + 1;
        column = Some(column.unwrap_or(0) * 26 + digit).filter(|column| *column <= COLUMNS_MAX);
        column?;
    }
    let row = match digits {
        "" => None,
        digits if digits.bytes().all(|byte| byte.is_ascii_digit()) => {
            Some(digits.parse::<u32>().ok().filter(|row| (1..=ROWS_MAX).contains(row))?)
        }
        _ => return None,
    };
    Some((column.map(|column| column - 1), row.map(|row| row - 1)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_read_as_they_are_written() -> Result<()> {
        let all = CellRange::ALL;
        for (text, rows, columns, names_columns) in [
            ("A3:F100", (2, 99), (0, 5), true),
            ("$b$2:aa$3", (1, 2), (1, 26), true),
            ("C:D", (0, all.last_row), (2, 3), true),
            ("3:100", (2, 99), (0, all.last_column), false),
            ("A3:", (2, all.last_row), (0, all.last_column), false),
            ("A3:F", (2, all.last_row), (0, 5), true),
            ("B2:XFD1048576", (1, all.last_row), (1, all.last_column), true),
        ] {
            let (first_row, last_row) = rows;
            let (first_column, last_column) = columns;
            let expected =
                CellRange { first_row, last_row, first_column, last_column, names_columns };
            assert_eq!(text.parse::<CellRange>()?, expected, "{text}");
        }
        for text in ["", "A1", ":", "A0:B2", "B2:A3", "A3:B2", "XFE1:XFE2", "A1:B1048577", "1A:2B"]
        {
            let error = text.parse::<CellRange>().unwrap_err();
            assert!(error.message().ends_with("is no range of cells"), "{text}: {error}");
        }
        Ok(())
    }
}
