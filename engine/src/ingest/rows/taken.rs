//! The records of a batch as cells by column.

use super::pieces::{Piece, RowFormat};
use crate::catalog::files::Reading;
use crate::ingest::cell::Cell;
use crate::ingest::csv::scanner::{BadRecord, Flaw, Taker};
use crate::ingest::json::rows::{Ending, JsonRows, TakeCells, is_stray};

/// Records found, and those that are bad.
#[derive(Debug)]
pub(super) struct Taken {
    /// For each field of a record, the slot whose column it is.
    slots: Vec<Option<usize>>,
    /// Cells by slot; `None` when the file does not have the column.
    cells: Vec<Option<Vec<Cell>>>,
    /// Where each record begins and ends.
    records: Vec<(usize, usize)>,
    bad: Vec<BadRecord>,
    begun: usize,
    field_count: usize,
    null_padding: bool,
    refuses_strays: bool,
    rows_max: usize,
}

impl Taken {
    /// Takes the fields at `wanted`, one per slot.
    pub(super) fn new(format: &RowFormat, wanted: &[Option<usize>], reading: &Reading) -> Taken {
        let field_count = format.field_count();
        let mut slots = vec![None; field_count];
        for (slot, field) in wanted.iter().enumerate() {
            if let Some(place) = field.and_then(|field| slots.get_mut(field)) {
                *place = Some(slot);
            }
        }
        Taken {
            slots,
            cells: wanted.iter().map(|field| field.map(|_| Vec::new())).collect(),
            records: Vec::new(),
            bad: Vec::new(),
            begun: 0,
            field_count,
            null_padding: reading.null_padding,
            refuses_strays: false,
            rows_max: 0,
        }
    }

    /// Forgets what was taken and takes up to `rows_max` records from byte `at` of the piece on; gives
    /// where the next one begins.
    pub(super) fn fill(
        &mut self,
        format: &RowFormat,
        piece: &Piece,
        at: usize,
        rows_max: usize,
    ) -> usize {
        self.cells.iter_mut().flatten().for_each(Vec::clear);
        self.records.clear();
        self.bad.clear();
        self.rows_max = rows_max;
        match format {
            RowFormat::Csv { scanner, .. } => scanner.run(&piece.bytes, at, self),
            RowFormat::Json { rows, .. } => self.fill_json(rows, piece, at),
        }
    }

    /// From now on a key that no column is for makes a record bad.
    pub(super) fn refuse_strays(&mut self) {
        self.refuses_strays = true;
    }

    fn fill_json(&mut self, rows: &JsonRows, piece: &Piece, start: usize) -> usize {
        let (bytes, ending) = (&piece.bytes[..], Ending::of(!piece.is_last));
        let mut at = start;
        while at < bytes.len() && self.wants_more() {
            let (begin, outcome) = match rows.next_row(bytes, at, ending) {
                Ok(None) => return bytes.len(),
                Ok(Some(begin)) => (begin, rows.row(bytes, begin, ending, self)),
                Err(fault) => (at, Err(fault)),
            };
            at = match outcome {
                Ok(end) => {
                    self.records.push((begin, end));
                    let row_count = self.records.len();
                    let cells = self.cells.iter_mut().flatten();
                    cells.for_each(|cells| cells.resize(row_count, Cell::NULL));
                    end
                }
                Err(fault) => {
                    self.roll_back();
                    let end = rows.recover(bytes, fault.at.max(begin).min(bytes.len()));
                    let flaw = if is_stray(fault) { Flaw::Stray } else { Flaw::Json(fault.what) };
                    self.bad.push(BadRecord { start: begin, end, flaw, at: fault.at });
                    end
                }
            };
        }
        at
    }

    pub(super) fn row_count(&self) -> usize {
        self.records.len()
    }

    /// The cells of a slot.
    pub(super) fn cells(&self, slot: usize) -> Option<&[Cell]> {
        self.cells[slot].as_deref()
    }

    /// Where a row's record begins and ends.
    pub(super) fn record(&self, row: usize) -> (usize, usize) {
        self.records[row]
    }

    pub(super) fn bad(&self) -> &[BadRecord] {
        &self.bad
    }

    fn roll_back(&mut self) {
        let row_count = self.records.len();
        self.cells.iter_mut().flatten().for_each(|cells| cells.truncate(row_count));
    }

    /// Bad records take room as well.
    fn wants_more(&self) -> bool {
        self.records.len() + self.bad.len() < self.rows_max
    }
}

impl Taker for Taken {
    #[inline]
    fn begin(&mut self, start: usize) {
        self.begun = start;
    }

    #[inline]
    fn field(&mut self, index: usize, cell: Cell) {
        if let Some(Some(slot)) = self.slots.get(index)
            && let Some(cells) = &mut self.cells[*slot]
        {
            cells.push(cell);
        }
    }

    #[inline]
    fn end(&mut self, field_count: usize, end: usize) -> bool {
        if field_count == self.field_count || (field_count < self.field_count && self.null_padding)
        {
            self.records.push((self.begun, end));
            if field_count < self.field_count {
                let row_count = self.records.len();
                let cells = self.cells.iter_mut().flatten();
                cells.for_each(|cells| cells.resize(row_count, Cell::NULL));
            }
        } else {
            self.roll_back();
            let (start, flaw) = (self.begun, Flaw::FieldCount(field_count));
            self.bad.push(BadRecord { start, end, flaw, at: start });
        }
        self.wants_more()
    }

    fn bad(&mut self, record: BadRecord) -> bool {
        self.roll_back();
        self.bad.push(record);
        self.wants_more()
    }
}

impl TakeCells for Taken {
    #[inline]
    fn cell(&mut self, column: usize, cell: Cell) {
        let row_count = self.records.len();
        if let Some(Some(slot)) = self.slots.get(column)
            && let Some(cells) = &mut self.cells[*slot]
        {
            cells.truncate(row_count);
            cells.push(cell);
        }
    }

    fn stray(&mut self, _at: usize) -> bool {
        !self.refuses_strays
    }
}
