//! What a worksheet holds: where its table is, whether the first row names the columns, and of what
//! kinds their cells are.
//!
//! Cells are looked at one by one and forgotten, but for those of the first row. Must not know how
//! workbooks are laid out.

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use super::SheetOptions;
use super::cell::{Kinds, SheetCell};
use super::range::CellRange;
use crate::catalog::files::SheetLayout;
use crate::ingest::column_names::column_names;
use crate::ingest::table_of_files::{Found, Named};

/// What was seen so far.
#[derive(Debug)]
pub(super) struct Survey<'a> {
    options: &'a SheetOptions,
    range: CellRange,
    rows: Option<(u32, u32)>,
    columns: Option<(u32, u32)>,
    /// The cells of the first row.
    top: BTreeMap<u32, TopCell>,
    /// The kinds of the others, by column.
    below: Vec<Kinds>,
}

/// A cell of the first row.
#[derive(Debug)]
struct TopCell {
    kinds: Kinds,
    text: String,
}

/// A sheet's table.
#[derive(Debug)]
pub(super) struct Surveyed {
    pub(super) layout: SheetLayout,
    pub(super) columns: Vec<Named<Kinds>>,
    /// Whether the sheet names its columns.
    pub(super) has_names: bool,
}

impl<'a> Survey<'a> {
    pub(super) fn new(options: &'a SheetOptions) -> Survey<'a> {
        Survey {
            options,
            range: options.range.unwrap_or(CellRange::ALL),
            rows: None,
            columns: None,
            top: BTreeMap::new(),
            below: Vec::new(),
        }
    }

    /// Looks at a cell that is not empty. Rows may come in any order, unless an empty one ends the table.
    pub(super) fn see(&mut self, row: u32, column: u32, cell: &SheetCell<&str>) -> ControlFlow<()> {
        if !self.range.contains(row, column) {
            return ControlFlow::Continue(());
        }
        let (first_row, last_row) = self.rows.unwrap_or((row, row));
        if self.options.stop_at_empty && row > last_row + 1 {
            return ControlFlow::Break(());
        }
        if row < first_row {
            for (column, cell) in std::mem::take(&mut self.top) {
                self.add_below(column, cell.kinds);
            }
        }
        self.rows = Some((first_row.min(row), last_row.max(row)));
        let (first_column, last_column) = self.columns.unwrap_or((column, column));
        self.columns = Some((first_column.min(column), last_column.max(column)));
        if row <= first_row {
            let mut text = String::new();
            cell.write(&mut text);
            self.top.insert(column, TopCell { kinds: cell.kinds(), text });
        } else {
            self.add_below(column, cell.kinds());
        }
        ControlFlow::Continue(())
    }

    fn add_below(&mut self, column: u32, kinds: Kinds) {
        let column = index(column);
        if column >= self.below.len() {
            self.below.resize(column + 1, Kinds::default());
        }
        self.below[column] = self.below[column].and(kinds);
    }

    fn below(&self, column: u32) -> Kinds {
        self.below.get(index(column)).copied().unwrap_or_default()
    }

    /// The table of the sheet called `sheet`; without columns where there is no cell.
    pub(super) fn finish(self, sheet: &str) -> Surveyed {
        let (first_row, last_row) = self.rows.unwrap_or((0, 0));
        let (first_column, last_column) = match self.columns {
            None => (1, 0),
            Some(_) if self.range.names_columns => {
                (self.range.first_column, self.range.last_column)
            }
            Some(columns) => columns,
        };
        let has_header = self.columns.is_some()
            && self.options.header.unwrap_or_else(|| self.is_header(first_column..=last_column));
        let found = |column: u32| match self.top.get(&column).filter(|_| has_header) {
            Some(cell) => cell.text.trim().to_owned(),
            None => String::new(),
        };
        let names = column_names((first_column..=last_column).map(found), &self.options.names);
        let kinds = |column: u32| match self.top.get(&column).filter(|_| !has_header) {
            Some(cell) => cell.kinds.and(self.below(column)),
            None => self.below(column),
        };
        let columns: Vec<Named<Kinds>> = names
            .into_iter()
            .zip(first_column..=last_column)
            .map(|(name, column)| Named { name, found: kinds(column) })
            .collect();
        let first_data = first_row + u32::from(has_header);
        let row_count = if columns.is_empty() { 0 } else { last_row + 1 - first_data };
        Surveyed {
            layout: SheetLayout {
                sheet: sheet.to_owned(),
                first_row: index(first_data),
                row_count: index(row_count),
                first_column: index(first_column),
                column_count: columns.len(),
                errors_are_null: self.options.errors_are_null,
            },
            columns,
            has_names: has_header || !self.options.names.is_empty(),
        }
    }

    /// As of delimited text: a text above values is a name, and so is each of nothing but texts.
    fn is_header(&self, mut columns: impl Iterator<Item = u32> + Clone) -> bool {
        let is_name = |cell: &TopCell| cell.kinds.is_text() && !cell.text.trim().is_empty();
        let mut named = self.top.iter().filter(|(_, cell)| is_name(cell));
        named.any(|(column, _)| self.below(*column).is_typed())
            || columns.all(|column| self.top.get(&column).is_some_and(is_name))
    }
}

fn index(position: u32) -> usize {
    usize::try_from(position).expect("a usize has at least 32 bits")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Names, first row of data, rows and columns of a sheet whose rows are written with blanks between
    /// cells and `-` for none.
    fn surveyed(text: &str, options: &SheetOptions) -> (Vec<String>, usize, usize, usize) {
        let mut survey = Survey::new(options);
        'rows: for (row, line) in (0..).zip(text.lines()) {
            for (column, word) in
                (0..).zip(line.split_whitespace()).filter(|(_, word)| *word != "-")
            {
                let cell = match word.parse() {
                    Ok(number) => SheetCell::Number(number),
                    Err(_) => SheetCell::Text(word),
                };
                if survey.see(row, column, &cell).is_break() {
                    break 'rows;
                }
            }
        }
        let Surveyed { layout, columns, .. } = survey.finish("Sheet");
        let names = columns.into_iter().map(|column| column.name).collect();
        (names, layout.first_row, layout.row_count, layout.first_column)
    }

    #[test]
    fn a_row_of_texts_is_a_header() {
        for (text, names, first_row, row_count, first_column) in [
            ("a b\n1 2\n", &["a", "b"][..], 1, 1, 0),
            ("1 2\n3 4\n", &["column0", "column1"], 0, 2, 0),
            ("a b\nc d\n", &["a", "b"], 1, 1, 0),
            ("x 2\nz 3\n", &["column0", "column1"], 0, 2, 0),
            ("id 2019 -\n1 2 3\n", &["id", "2019", "column2"], 1, 1, 0),
            ("a - a\nb c d\n", &["column0", "column1", "column2"], 0, 2, 0),
            ("- -\n\n- a a\n- 1 2\n\n- 3 4\n\n", &["a", "a_1"], 3, 3, 1),
            ("a b\n", &["a", "b"], 1, 0, 0),
            ("- -\n", &[], 0, 0, 1),
        ] {
            let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
            let found = surveyed(text, &SheetOptions::default());
            assert_eq!(found, (names, first_row, row_count, first_column), "{text:?}");
        }
    }

    #[test]
    fn options_say_where_the_table_is() {
        let text = "title\n\nn - x\n1 - 2\n\nsum 3\n";
        let header = |header| SheetOptions { header: Some(header), ..SheetOptions::default() };
        let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        let range = |range: &str| SheetOptions { range: range.parse().ok(), ..header(true) };
        assert_eq!(surveyed(text, &range("A3:C4")), (names(&["n", "column1", "x"]), 3, 1, 0));
        assert_eq!(surveyed(text, &range("B3:D9")), (names(&["column0", "x", "column2"]), 3, 3, 1));
        let stop = SheetOptions { stop_at_empty: true, ..range("A3:") };
        assert_eq!(surveyed(text, &stop), (names(&["n", "column1", "x"]), 3, 1, 0));
        let told = SheetOptions { names: vec!["t".into()], ..header(false) };
        assert_eq!(surveyed(text, &told).0, ["t", "column1", "column2"]);
        assert_eq!(surveyed("a\nb\n", &header(false)).2, 2);
    }

    #[test]
    fn rows_may_come_in_any_order() {
        let options = SheetOptions::default();
        let mut survey = Survey::new(&options);
        for (row, cell) in [(4, SheetCell::Number(1.5)), (2, SheetCell::Text("n"))] {
            assert!(survey.see(row, 3, &cell).is_continue());
        }
        let surveyed = survey.finish("Sheet");
        assert_eq!(surveyed.columns[0].name, "n");
        assert!(surveyed.columns[0].found.is_typed());
        assert_eq!((surveyed.layout.first_row, surveyed.layout.row_count), (3, 2));
    }
}
