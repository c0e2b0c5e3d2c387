//! The short row groups at the end of a table, read back to be written again with new rows behind.
//!
//! Deleted rows stay behind. Must not know what comes after them.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, BooleanArray, DictionaryArray, Int32Array};
use arrow::buffer::{BooleanBuffer, NullBuffer, ScalarBuffer};
use arrow::datatypes::Int32Type;
use roaring::RoaringBitmap;

use super::{ColumnArrays, ColumnSource};
use crate::catalog::{Field, NewField};
use crate::storage::{Chunk, TableSnapshot};
use crate::types::{Error, Result};

/// Row groups at the end of a table.
#[derive(Debug)]
pub(super) struct Tail {
    table: Arc<TableSnapshot>,
    /// Their positions, ascending.
    pub(super) row_groups: Vec<usize>,
    /// Their rows that are not deleted.
    pub(super) row_count: usize,
}

impl Tail {
    /// The row groups that a load of `new_row_count` rows folds: while the last one is short of
    /// `row_group_len` and has at most a page of rows, or at most twice what is to come, it is taken
    /// in. A row is so rewritten some log times, however small the loads are.
    pub(super) fn choose(
        table: &Arc<TableSnapshot>,
        new_row_count: usize,
        row_group_len: usize,
        page_len: usize,
    ) -> Tail {
        let mut row_groups = Vec::new();
        let mut row_count = 0;
        for row_group_idx in (0..table.row_group_count()).rev() {
            let row_group = table.row_group(row_group_idx);
            let written = index(row_group.row_count);
            let live = written - index(row_group.deleted_count);
            let short =
                written < row_group_len && live <= (2 * (row_count + new_row_count)).max(page_len);
            if !short || new_row_count == 0 {
                break;
            }
            row_groups.push(row_group_idx);
            row_count += live;
        }
        row_groups.reverse();
        Tail { table: Arc::clone(table), row_groups, row_count }
    }

    /// The live rows of `field`, a page at a time.
    fn arrays<'a>(&'a self, field: &'a Field) -> ColumnArrays<'a> {
        let pages =
            self.row_groups.iter().flat_map(move |row_group_idx| {
                match RowGroupReader::new(&self.table, *row_group_idx, field) {
                    Ok(reader) => reader.pages(),
                    Err(error) => Box::new(std::iter::once(Err(error))),
                }
            });
        Box::new(pages)
    }
}

fn index(number: u32) -> usize {
    usize::try_from(number).expect("a usize has at least 32 bits")
}

/// One column of one row group.
struct RowGroupReader {
    chunk: Arc<Chunk>,
    deletions: Option<Arc<RoaringBitmap>>,
    /// The values by local code.
    values: Option<ArrayRef>,
}

impl RowGroupReader {
    fn new(table: &TableSnapshot, row_group_idx: usize, field: &Field) -> Result<RowGroupReader> {
        let chunk = table.chunk(row_group_idx, field.id)?;
        let mut values = None;
        if chunk.is_codes() {
            let dictionary = table.dictionary(field.id)?.ok_or_else(|| {
                Error::corrupt(format!("column \"{}\" has codes, but no dictionary", field.name))
            })?;
            let map = table.code_map(row_group_idx, field.id)?;
            values = Some(dictionary.values(map.ids())?);
        }
        Ok(RowGroupReader { chunk, deletions: table.deletions(row_group_idx)?, values })
    }

    fn pages<'a>(self) -> ColumnArrays<'a> {
        let mut first_row = 0_u32;
        let pages = (0..self.chunk.page_count()).map(move |page_idx| {
            let array = self.page(page_idx)?;
            let start = first_row;
            first_row += u32::try_from(array.len()).expect("a page has at most 65,536 rows");
            self.live(array, start)
        });
        Box::new(pages)
    }

    fn page(&self, page_idx: usize) -> Result<ArrayRef> {
        let page = self.chunk.page(page_idx)?;
        let Some(values) = &self.values else {
            return page.decode(0..page.row_count());
        };
        let mut codes = Vec::with_capacity(page.row_count());
        page.decode_codes(0..page.row_count(), &mut codes)?;
        let null = self.chunk.code_count();
        let validity = codes.iter().map(|code| *code < null).collect::<BooleanBuffer>();
        let keys: Result<Vec<i32>, _> = codes
            .into_iter()
            .map(|code| i32::try_from(if code < null { code } else { 0 }))
            .collect();
        let keys = keys.map_err(|_| Error::corrupt("a row group has 2^31 codes"))?;
        let keys = Int32Array::new(ScalarBuffer::from(keys), Some(NullBuffer::new(validity)));
        Ok(Arc::new(DictionaryArray::<Int32Type>::try_new(keys, Arc::clone(values))?))
    }

    fn live(&self, array: ArrayRef, first_row: u32) -> Result<ArrayRef> {
        let Some(deletions) = &self.deletions else { return Ok(array) };
        let rows = (first_row..).take(array.len());
        let live: BooleanArray = rows.map(|row| Some(!deletions.contains(row))).collect();
        Ok(arrow::compute::filter(&array, &live)?)
    }
}

/// A tail, then new rows.
pub(super) struct Extended<'a> {
    pub(super) tail: &'a Tail,
    /// The table's fields, in the order of the source's.
    pub(super) fields: &'a [Field],
    pub(super) source: &'a dyn ColumnSource,
}

impl ColumnSource for Extended<'_> {
    fn fields(&self) -> &[NewField] {
        self.source.fields()
    }

    fn row_count(&self) -> Option<u64> {
        let tail = u64::try_from(self.tail.row_count).ok()?;
        self.source.row_count()?.checked_add(tail)
    }

    fn column_bytes(&self, index: usize) -> u64 {
        self.source.column_bytes(index)
    }

    fn column(&self, index: usize, batch_len: usize) -> Result<ColumnArrays<'_>> {
        let new = self.source.column(index, batch_len)?;
        Ok(Box::new(self.tail.arrays(&self.fields[index]).chain(new)))
    }
}
