//! Worksheets that are read as the [`FileSet`] says: its pieces, cells and arrays.
//!
//! A sheet is read once, by whoever comes first, with the columns that are asked for. Must not know plans
//! or SQL.

use std::fmt;
use std::fmt::Display;
use std::ops::ControlFlow;
use std::sync::{Arc, Mutex, PoisonError};

use arrow::array::ArrayRef;

use super::columns::{Columns, Flaw, Misfit};
use super::workbook::Workbook;
use crate::catalog::files::{FileColumn, FileSet, ForeignFile, Layout, Origin, SheetLayout};
use crate::context::Context;
use crate::ingest::rows::{RowSink, constant, folder_value};
use crate::types::{Error, Result};

/// Rows of a piece.
const PIECE_ROWS: usize = 1 << 16;
/// Bytes of text that a batch should have at most: a text that comes again is as long every time.
const BATCH_TEXT_BYTES: usize = 64 << 20;
/// Characters of a value that a message shows.
const VALUE_CHARS_MAX: usize = 60;

/// Open worksheets.
#[derive(Debug)]
pub(in crate::ingest) struct SheetFiles {
    set: Arc<FileSet>,
    files: Vec<SheetFile>,
    /// The first piece of each file, and their number.
    first_pieces: Vec<usize>,
}

#[derive(Debug)]
struct SheetFile {
    layout: SheetLayout,
    columns: Mutex<Option<Arc<Columns>>>,
}

impl SheetFiles {
    /// The sheets of `set`.
    pub(in crate::ingest) fn open(set: &Arc<FileSet>) -> Result<SheetFiles> {
        let mut files = Vec::with_capacity(set.files.len());
        let mut first_pieces = vec![0];
        for file in &set.files {
            let Layout::Sheet(layout) = &file.layout else {
                return Err(Error::internal(format!("{} is no worksheet", file.path)));
            };
            first_pieces.push(first_pieces[files.len()] + layout.row_count.div_ceil(PIECE_ROWS));
            files.push(SheetFile { layout: layout.clone(), columns: Mutex::new(None) });
        }
        Ok(SheetFiles { set: Arc::clone(set), files, first_pieces })
    }

    /// The pieces of all files, in order.
    pub(in crate::ingest) fn piece_count(&self) -> usize {
        self.first_pieces[self.files.len()]
    }

    /// Gives the columns at `columns` of a piece to `sink`.
    pub(in crate::ingest) fn read(
        &self,
        piece: usize,
        columns: &[usize],
        context: &Context,
        sink: &mut RowSink<'_>,
    ) -> Result<()> {
        let file_idx = self.first_pieces.partition_point(|first| *first <= piece) - 1;
        let (file, described) = (&self.files[file_idx], &self.set.files[file_idx]);
        let mut places: Vec<usize> =
            columns.iter().filter_map(|column| described.places[*column]).collect();
        places.sort_unstable();
        places.dedup();
        let cells = file.cells(&described.path, &places, context)?;
        let mut memory = context.memory.reservation("reading a worksheet");
        let mut start = (piece - self.first_pieces[file_idx]) * PIECE_ROWS;
        let end = file.layout.row_count.min(start + PIECE_ROWS);
        while start < end {
            context.cancel.check()?;
            let text_bytes = |len| {
                places.iter().map(|place| cells.text_bytes(*place, start, len)).sum::<usize>()
            };
            let mut len = context.batch_len.max(1).min(end - start);
            while len > 1 && text_bytes(len) > BATCH_TEXT_BYTES {
                len /= 2;
            }
            memory.resize(text_bytes(len) + len * columns.len() * 8)?;
            let mut arrays = Vec::with_capacity(columns.len());
            for column in columns {
                let place = described.places[*column];
                let column = &self.set.columns[*column];
                arrays.push(file.array(&cells, described, (column, place), (start, len))?);
            }
            if sink(arrays, len)?.is_break() {
                break;
            }
            start += len;
        }
        Ok(())
    }
}

impl SheetFile {
    /// The cells of the columns at `places`, which are read if they have not been.
    fn cells(&self, path: &str, places: &[usize], context: &Context) -> Result<Arc<Columns>> {
        let mut known = self.columns.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(columns) = known.as_ref().filter(|columns| columns.has_all(places)) {
            return Ok(Arc::clone(columns));
        }
        let SheetLayout { sheet, first_row, row_count, first_column, column_count, .. } =
            &self.layout;
        let mut columns = Columns::new(places, context);
        let mut seen_count = 0_usize;
        Workbook::open(path)?.cells(sheet, &mut |row, column, cell| {
            seen_count += 1;
            if seen_count.is_multiple_of(1 << 12) {
                context.cancel.check()?;
            }
            let row = position(row).checked_sub(*first_row).filter(|row| row < row_count);
            let place = position(column).checked_sub(*first_column);
            if let (Some(row), Some(place)) = (row, place.filter(|place| place < column_count)) {
                columns.push(row, place, cell)?;
            }
            Ok(ControlFlow::Continue(()))
        })?;
        columns.finish()?;
        if let Ok(metadata) = std::fs::metadata(path) {
            context.progress.read(metadata.len());
        }
        let columns = Arc::new(columns);
        *known = Some(Arc::clone(&columns));
        Ok(columns)
    }

    /// The values of a column, which has its place in the sheet.
    fn array(
        &self,
        cells: &Columns,
        file: &ForeignFile,
        (column, place): (&FileColumn, Option<usize>),
        (start, len): (usize, usize),
    ) -> Result<ArrayRef> {
        let reading = match (&column.origin, place) {
            (Origin::Cells(reading), Some(_)) => reading,
            (Origin::Cells(_), None) => {
                return Ok(arrow::array::new_null_array(&column.data_type.to_arrow(), len));
            }
            (Origin::FileName, _) => return constant(&file.path, column.data_type, len),
            (Origin::Folder, _) => {
                return folder_value(&file.path, &column.name, column.data_type, len);
            }
            (Origin::Stored | Origin::Unreadable(_), _) => {
                return Err(Error::internal("a worksheet has nothing but cells"));
            }
        };
        let place = place.unwrap_or(0);
        let (array, misfits) = cells.array(place, column, reading, (start, len))?;
        let Some(misfit) = misfits.first().filter(|_| !self.layout.errors_are_null) else {
            return Ok(array);
        };
        let address = Address {
            row: self.layout.first_row + start + misfit.row,
            column: self.layout.first_column + place,
        };
        Err(self.error(file, column, address, misfit))
    }

    fn error(
        &self,
        file: &ForeignFile,
        column: &FileColumn,
        address: Address,
        misfit: &Misfit,
    ) -> Error {
        let place = format!("{}, sheet \"{}\", cell {address}", file.path, self.layout.sheet);
        let name = &column.name;
        match &misfit.what {
            Flaw::Error(error) => Error::invalid_text(format!(
                "{place}, column \"{name}\": the error {}",
                error.text()
            ))
            .with_hint("ignore_errors => true reads errors as NULL"),
            Flaw::Value(value) => {
                let mut shown: String = value.chars().take(VALUE_CHARS_MAX).collect();
                if shown.len() < value.len() {
                    shown.push('…');
                }
                let data_type = column.data_type;
                Error::invalid_text(format!(
                    "{place}, column \"{name}\": \"{shown}\" is no {data_type}"
                ))
                .with_hint(format!(
                    "types => {{'{name}': 'text'}} reads it as text; ignore_errors => true as NULL"
                ))
            }
        }
    }
}

fn position(position: u32) -> usize {
    usize::try_from(position).expect("a usize has at least 32 bits")
}

/// Where a cell is, written as `C7`.
#[derive(Clone, Copy, Debug)]
struct Address {
    row: usize,
    column: usize,
}

impl Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut letters = Vec::new();
        let mut left = self.column + 1;
        while left > 0 {
            let digit = u8::try_from((left - 1) % 26).unwrap_or(0);
            letters.push(char::from(b'A' + digit));
            left = (left - 1) / 26;
        }
        let letters: String = letters.into_iter().rev().collect();
        write!(f, "{letters}{}", self.row + 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_letters_and_a_number() {
        for (column, letters) in [(0, "A"), (25, "Z"), (26, "AA"), (701, "ZZ"), (16_383, "XFD")] {
            assert_eq!(Address { row: 6, column }.to_string(), format!("{letters}7"));
        }
    }
}
