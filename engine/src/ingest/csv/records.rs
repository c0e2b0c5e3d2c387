//! All records of a sample, field by field: what the sniffer looks at.

use super::scanner::{BadRecord, Scanner, Taker};
use crate::catalog::files::Dialect;
use crate::ingest::cell::{Cell, Escapes};

/// Records of a sample.
#[derive(Debug)]
pub(super) struct Records<'a> {
    bytes: &'a [u8],
    rows: Vec<Row>,
    cells: Vec<Cell>,
    rows_max: usize,
    escapes: Escapes,
}

#[derive(Clone, Copy, Debug)]
struct Row {
    start: usize,
    end: usize,
    first_cell: usize,
    field_count: usize,
    is_bad: bool,
}

impl<'a> Records<'a> {
    /// Up to `rows_max` records from byte `start` on. With `is_cut` the sample ends somewhere in a
    /// record, which is left out.
    pub(super) fn read(
        bytes: &'a [u8],
        start: usize,
        dialect: Dialect,
        rows_max: usize,
        is_cut: bool,
    ) -> Records<'a> {
        let scanner = Scanner::new(dialect, 2);
        let mut records = Records {
            bytes,
            rows: Vec::new(),
            cells: Vec::new(),
            rows_max,
            escapes: scanner.escapes(),
        };
        let stopped = scanner.run(bytes, start, &mut records);
        if is_cut && stopped >= bytes.len() && records.rows.len() > 1 {
            records.rows.pop();
        }
        records
    }

    pub(super) fn len(&self) -> usize {
        self.rows.len()
    }

    /// Fields of a record; 0 for a bad one.
    pub(super) fn field_count(&self, row: usize) -> usize {
        if self.rows[row].is_bad { 0 } else { self.rows[row].field_count }
    }

    pub(super) fn start(&self, row: usize) -> usize {
        self.rows[row].start
    }

    pub(super) fn end(&self, row: usize) -> usize {
        self.rows[row].end
    }

    pub(super) fn cells(&self, row: usize) -> &[Cell] {
        let Row { first_cell, field_count, .. } = self.rows[row];
        &self.cells[first_cell..first_cell + field_count]
    }

    /// The text of a cell, unescaped.
    pub(super) fn text(&self, cell: Cell) -> String {
        let mut text = Vec::new();
        if cell.is_escaped() {
            self.escapes.undo(cell.bytes(self.bytes), &mut text);
        } else {
            text.extend_from_slice(cell.bytes(self.bytes));
        }
        String::from_utf8_lossy(&text).into_owned()
    }

    pub(super) fn escapes(&self) -> Escapes {
        self.escapes
    }

    pub(super) fn bytes(&self) -> &'a [u8] {
        self.bytes
    }
}

impl Taker for Records<'_> {
    fn begin(&mut self, start: usize) {
        let first_cell = self.cells.len();
        self.rows.push(Row { start, end: start, first_cell, field_count: 0, is_bad: false });
    }

    fn field(&mut self, _index: usize, cell: Cell) {
        self.cells.push(cell);
    }

    fn end(&mut self, field_count: usize, end: usize) -> bool {
        if let Some(row) = self.rows.last_mut() {
            row.field_count = field_count;
            row.end = end;
        }
        self.rows.len() < self.rows_max
    }

    fn bad(&mut self, record: BadRecord) -> bool {
        if let Some(row) = self.rows.last_mut() {
            row.is_bad = true;
            row.end = record.end;
            self.cells.truncate(row.first_cell);
        }
        self.rows.len() < self.rows_max
    }
}
