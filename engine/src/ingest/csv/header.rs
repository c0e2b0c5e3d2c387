//! Whether the first record names the columns, and what they are called.

use super::records::Records;
use super::{CsvOptions, infer_rows};
use crate::catalog::files::{Points, Reading};
use crate::ingest::cell::{Candidates, Cell};
use crate::ingest::column_names::column_names;

/// The columns' names, and where the data begins.
#[derive(Debug)]
pub(super) struct Head {
    pub(super) names: Vec<String>,
    /// The first record that is data.
    pub(super) first_data: usize,
    /// Whether the file names its columns.
    pub(super) has_names: bool,
    /// The record that does.
    pub(super) named_by: Option<usize>,
}

impl Head {
    /// Lines before the first record with `field_count` fields are neither names nor data.
    pub(super) fn of(
        records: &Records<'_>,
        field_count: usize,
        options: &CsvOptions,
        reading: &Reading,
    ) -> Head {
        let first = (0..records.len())
            .find(|row| records.field_count(*row) == field_count)
            .unwrap_or(records.len());
        if let Some(row) =
            uneven_header(records, first, field_count).filter(|_| options.header != Some(false))
        {
            return Head::named(records, row, field_count, options);
        }
        let has_header =
            options.header.unwrap_or_else(|| is_header(records, first, field_count, reading));
        if has_header && first < records.len() {
            return Head::named(records, first, field_count, options);
        }
        let first_data = if options.header == Some(false) { 0 } else { first };
        let names = column_names((0..field_count).map(|_| String::new()), &options.names);
        Head { names, first_data, has_names: !options.names.is_empty(), named_by: None }
    }

    fn named(records: &Records<'_>, row: usize, field_count: usize, options: &CsvOptions) -> Head {
        let cells = records.cells(row);
        let name = |index: usize| {
            let found = cells.get(index).map_or_else(String::new, |cell| records.text(*cell));
            found.trim().to_owned()
        };
        let names = column_names((0..field_count).map(name), &options.names);
        Head { names, first_data: row + 1, has_names: true, named_by: Some(row) }
    }
}

/// A record right before the data with a field fewer, because the data's last field has no name, or
/// with an empty field more.
fn uneven_header(records: &Records<'_>, first: usize, field_count: usize) -> Option<usize> {
    let row = first.checked_sub(1)?;
    let own_count = records.field_count(row);
    let is_short = field_count > 2 && own_count + 1 == field_count;
    let is_empty = |cell: &Cell| cell.bytes(records.bytes()).is_empty();
    let is_long = own_count == field_count + 1 && records.cells(row).last().is_some_and(is_empty);
    ((is_short || is_long) && !has_value(records, row)).then_some(row)
}

/// A header is a record that does not fit the types of the columns below it, or of nothing but names
/// above nothing but texts.
fn is_header(records: &Records<'_>, first: usize, field_count: usize, reading: &Reading) -> bool {
    if first >= records.len() {
        return false;
    }
    let below = infer_rows(records, first + 1, field_count, Points::Either, reading);
    let (mut has_types, mut is_named) = (false, false);
    for (column, (cell, candidates)) in records.cells(first).iter().zip(below).enumerate() {
        let text = cell.bytes(records.bytes()).trim_ascii();
        is_named |= !text.is_empty();
        if candidates.is_text() || !candidates.is_seen() {
            continue;
        }
        if text.is_empty() {
            has_types |= column > 0 || !is_row_number(records, first + 1);
        } else if candidates.allows_grouped(text, reading.patterns.thousands) {
            has_types = true;
        } else {
            return true;
        }
    }
    is_named && !has_types && !has_value(records, first)
}

/// Whether the record begins with the number of a first row. Pandas and R write a column of these
/// without a name.
fn is_row_number(records: &Records<'_>, row: usize) -> bool {
    let first = records.cells(row).first();
    first.is_some_and(|cell| matches!(cell.bytes(records.bytes()), b"0" | b"1"))
}

/// Whether a field of the record is a number, a date or the like, and could not be a name.
fn has_value(records: &Records<'_>, row: usize) -> bool {
    let any = Candidates::any(Points::Either);
    let is_value = |text: &[u8]| {
        // A name may be a letter, or a word for true or infinity.
        text.first().is_some_and(|first| !first.is_ascii_alphabetic()) && any.allows(text)
    };
    records.cells(row).iter().any(|cell| is_value(cell.bytes(records.bytes()).trim_ascii()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::files::Dialect;

    fn head(text: &str, field_count: usize) -> (Vec<String>, usize, bool) {
        let records = Records::read(text.as_bytes(), 0, Dialect::default(), 100, false);
        let Head { names, first_data, has_names, named_by: _ } =
            Head::of(&records, field_count, &CsvOptions::default(), &Reading::default());
        (names, first_data, has_names)
    }

    #[test]
    fn a_record_of_texts_is_a_header() {
        for (text, field_count, names, first_data) in [
            ("a,b\n1,2\n", 2, &["a", "b"][..], 1),
            ("1,2\n3,4\n", 2, &["column0", "column1"], 0),
            ("a,b\nc,d\n", 2, &["a", "b"], 1),
            ("x,2\nz,3\n", 2, &["column0", "column1"], 0),
            (" a ,,a,a_1\n1,2,3,4\n", 4, &["a", "column1", "a_2", "a_1"], 1),
            ("title\nmore\na,b,c\n1,2,3\n", 3, &["a", "b", "c"], 3),
            ("a,b\n1,2,3\n4,5,6\n", 3, &["a", "b", "column2"], 1),
            ("true,false\nfalse,true\n", 2, &["column0", "column1"], 0),
            ("t,f\n1,2\n", 2, &["t", "f"], 1),
            (",x\n0,a\n1,b\n", 2, &["column0", "x"], 1),
            (",x\n2,a\n3,b\n", 2, &["column0", "column1"], 0),
            ("a,b,\n1,2\n3,4\n", 2, &["a", "b"], 1),
            ("id,2019,2020\n1,2,3\n", 3, &["id", "2019", "2020"], 1),
        ] {
            let found = head(text, field_count);
            let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
            assert_eq!((found.0, found.1), (names, first_data), "{text:?}");
        }
    }
}
