//! The cells of a worksheet by column, and the arrays they become.
//!
//! A cell takes 24 bytes however far it is from others, and a text that comes again is kept once, so
//! that memory is bounded by what the file says and not by the rectangle around it. Must not know how
//! workbooks are laid out.

use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray, PrimitiveArray, StringBuilder, new_null_array};
use arrow::datatypes::{
    ArrowPrimitiveType, Date32Type, Float64Type, Int64Type, Time64MicrosecondType,
    TimestampMicrosecondType,
};
use hashbrown::HashMap;

use super::cell::{CellError, SheetCell, whole};
use crate::catalog::files::{DateOrder, FileColumn, Patterns, ReadAs};
use crate::context::{Context, Reservation};
use crate::ingest::cell::{Cell, CellColumn, Escapes, Nulls, convert};
use crate::types::{Result, canonical_float};

/// Cells that come before memory is reserved for them.
const CELLS_PER_RESERVATION: usize = 1 << 14;

/// A sheet's cells, of some columns.
#[derive(Debug)]
pub(super) struct Columns {
    /// Positions in the table of the sheet, ascending.
    places: Vec<usize>,
    cells: Vec<Vec<(u32, SheetCell<u32>)>>,
    texts: Vec<Arc<str>>,
    ids: HashMap<Arc<str>, u32>,
    cell_count: usize,
    text_bytes: usize,
    memory: Reservation,
}

/// What keeps a column from being read.
#[derive(Debug)]
pub(super) struct Misfit {
    /// The row, counted from that of the array's first value.
    pub(super) row: usize,
    pub(super) what: Flaw,
}

/// What is wrong with a cell.
#[derive(Debug)]
pub(super) enum Flaw {
    Error(CellError),
    /// Its text is no value of the column's type.
    Value(String),
}

impl Columns {
    /// Those at `places`, ascending, without cells yet.
    pub(super) fn new(places: &[usize], context: &Context) -> Columns {
        Columns {
            places: places.to_vec(),
            cells: vec![Vec::new(); places.len()],
            texts: Vec::new(),
            ids: HashMap::new(),
            cell_count: 0,
            text_bytes: 0,
            memory: context.memory.reservation("reading a worksheet"),
        }
    }

    /// Whether the cells of the columns at `places` are kept.
    pub(super) fn has_all(&self, places: &[usize]) -> bool {
        places.iter().all(|place| self.places.binary_search(place).is_ok())
    }

    /// Keeps a cell, if its column is one of those kept. A later one at the same place wins.
    pub(super) fn push(&mut self, row: usize, place: usize, cell: &SheetCell<&str>) -> Result<()> {
        let Ok(slot) = self.places.binary_search(&place) else { return Ok(()) };
        let row = u32::try_from(row).expect("a sheet has fewer than 2^32 rows");
        let cell = (*cell).with_text(|text| self.id(text));
        self.cells[slot].push((row, cell));
        self.cell_count += 1;
        if self.cell_count.is_multiple_of(CELLS_PER_RESERVATION) {
            self.reserve()?;
        }
        Ok(())
    }

    fn id(&mut self, text: &str) -> u32 {
        if let Some(id) = self.ids.get(text) {
            return *id;
        }
        let id = u32::try_from(self.texts.len()).expect("a file of bounded length has fewer texts");
        let text: Arc<str> = text.into();
        self.text_bytes += text.len() + 64;
        self.texts.push(Arc::clone(&text));
        self.ids.insert(text, id);
        id
    }

    fn reserve(&mut self) -> Result<()> {
        // Vectors double as they grow.
        let cell_bytes = size_of::<(u32, SheetCell<u32>)>() * self.cell_count * 3 / 2;
        self.memory.resize(cell_bytes + self.text_bytes)
    }

    /// All cells are there.
    pub(super) fn finish(&mut self) -> Result<()> {
        self.ids = HashMap::new();
        for column in &mut self.cells {
            if !column.is_sorted_by_key(|(row, _)| *row) {
                column.sort_by_key(|(row, _)| *row);
            }
            column.dedup_by(|later, earlier| {
                let is_again = later.0 == earlier.0;
                if is_again {
                    *earlier = *later;
                }
                is_again
            });
            column.shrink_to_fit();
        }
        self.reserve()
    }

    /// The cells of a column in `len` rows from row `start` on.
    fn cells(&self, place: usize, start: usize, len: usize) -> &[(u32, SheetCell<u32>)] {
        let Ok(slot) = self.places.binary_search(&place) else { return &[] };
        let column = &self.cells[slot];
        let position = |row: usize| {
            let row = u32::try_from(row).unwrap_or(u32::MAX);
            column.partition_point(|(other, _)| *other < row)
        };
        &column[position(start)..position(start + len)]
    }

    fn text(&self, id: u32) -> &str {
        &self.texts[usize::try_from(id).expect("a usize has at least 32 bits")]
    }

    /// Bytes of the texts of a column in some rows.
    pub(super) fn text_bytes(&self, place: usize, start: usize, len: usize) -> usize {
        let bytes = |cell: &SheetCell<u32>| match cell {
            SheetCell::Text(id) => self.text(*id).len(),
            _ => 32,
        };
        self.cells(place, start, len).iter().map(|(_, cell)| bytes(cell)).sum()
    }

    /// The values of a column in `len` rows from row `start` on, and the cells that are none.
    pub(super) fn array(
        &self,
        place: usize,
        column: &FileColumn,
        reading: &ReadAs,
        (start, len): (usize, usize),
    ) -> Result<(ArrayRef, Vec<Misfit>)> {
        let mut rows =
            Rows { sheet: self, cells: self.cells(place, start, len), start, len, misfits: vec![] };
        let array: ArrayRef = match reading {
            ReadAs::Bool => {
                let values = rows.values(|cell| match cell {
                    SheetCell::Bool(flag) => Some(flag),
                    _ => None,
                });
                Arc::new(BooleanArray::from(values))
            }
            ReadAs::Integer => rows.primitives::<Int64Type>(|cell| match cell {
                SheetCell::Number(number) => whole(number),
                _ => None,
            }),
            ReadAs::Float => rows.primitives::<Float64Type>(|cell| match cell {
                SheetCell::Number(number) => Some(canonical_float(number)),
                _ => None,
            }),
            ReadAs::Date(DateOrder::Ymd) => rows.primitives::<Date32Type>(|cell| match cell {
                SheetCell::Date(days) => Some(days),
                _ => None,
            }),
            ReadAs::Timestamp(DateOrder::Ymd) => {
                rows.primitives::<TimestampMicrosecondType>(|cell| match cell {
                    SheetCell::Date(days) => Some(i64::from(days) * 86_400_000_000),
                    SheetCell::Timestamp(microseconds) => Some(microseconds),
                    _ => None,
                })
            }
            ReadAs::Time => rows.primitives::<Time64MicrosecondType>(|cell| match cell {
                SheetCell::Time(microseconds) => Some(microseconds),
                _ => None,
            }),
            ReadAs::Text => rows.texts(),
            ReadAs::Nothing if rows.cells.is_empty() => {
                new_null_array(&column.data_type.to_arrow(), len)
            }
            other => rows.cast(other)?,
        };
        Ok((array, rows.misfits))
    }
}

/// Some rows of a column.
struct Rows<'a> {
    sheet: &'a Columns,
    cells: &'a [(u32, SheetCell<u32>)],
    start: usize,
    len: usize,
    misfits: Vec<Misfit>,
}

impl<'a> Rows<'a> {
    /// Each cell's row, counted from the first.
    fn each(&self) -> impl Iterator<Item = (usize, SheetCell<u32>)> + use<'a> {
        let row = |row: u32| usize::try_from(row).expect("a usize has at least 32 bits");
        let (cells, start) = (self.cells, self.start);
        cells.iter().map(move |(at, cell)| (row(*at) - start, *cell))
    }

    fn shown(&self, cell: SheetCell<u32>) -> String {
        let mut text = String::new();
        cell.with_text(|id| self.sheet.text(id)).write(&mut text);
        text
    }

    fn flaw(&self, cell: SheetCell<u32>) -> Flaw {
        match cell {
            SheetCell::Error(error) => Flaw::Error(error),
            other => Flaw::Value(self.shown(other)),
        }
    }

    fn values<V: Copy>(&mut self, value: impl Fn(SheetCell<u32>) -> Option<V>) -> Vec<Option<V>> {
        let mut values = vec![None; self.len];
        let mut misfits = Vec::new();
        for (row, cell) in self.each() {
            values[row] = value(cell);
            if values[row].is_none() {
                misfits.push(Misfit { row, what: self.flaw(cell) });
            }
        }
        self.misfits.append(&mut misfits);
        values
    }

    fn primitives<T: ArrowPrimitiveType>(
        &mut self,
        value: impl Fn(SheetCell<u32>) -> Option<T::Native>,
    ) -> ArrayRef {
        Arc::new(PrimitiveArray::<T>::from_iter(self.values(value)))
    }

    fn texts(&mut self) -> ArrayRef {
        let mut builder = StringBuilder::with_capacity(self.len, self.len * 8);
        let mut misfits = Vec::new();
        let mut next = 0;
        let mut text = String::new();
        for (row, cell) in self.each() {
            builder.append_nulls(row - next);
            next = row + 1;
            if let SheetCell::Error(error) = cell {
                builder.append_null();
                misfits.push(Misfit { row, what: Flaw::Error(error) });
                continue;
            }
            text.clear();
            cell.with_text(|id| self.sheet.text(id)).write(&mut text);
            builder.append_value(&text);
        }
        builder.append_nulls(self.len - next);
        self.misfits.append(&mut misfits);
        Arc::new(builder.finish())
    }

    /// As text is cast to a type that was given.
    fn cast(&mut self, reading: &ReadAs) -> Result<ArrayRef> {
        let mut piece = String::new();
        let mut cells = vec![Cell::NULL; self.len];
        for (row, cell) in self.each() {
            if let SheetCell::Error(error) = cell {
                self.misfits.push(Misfit { row, what: Flaw::Error(error) });
                continue;
            }
            let start = piece.len();
            cell.with_text(|id| self.sheet.text(id)).write(&mut piece);
            cells[row] = Cell::plain(start, piece.len());
        }
        let column = CellColumn {
            piece: piece.as_bytes(),
            cells: &cells,
            escapes: Escapes::Byte(b'"'),
            nulls: &Nulls::none(),
            patterns: &Patterns::default(),
        };
        let converted = convert(&column, reading)?;
        for row in converted.misfits {
            self.misfits.push(Misfit { row, what: Flaw::Value(column.text(row)) });
        }
        Ok(converted.array)
    }
}
