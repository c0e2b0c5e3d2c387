//! Several columns side by side, as record batches: the direct scan of a file.

use std::collections::VecDeque;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, RecordBatch, RecordBatchOptions};
use arrow::datatypes::{Field, Schema, SchemaRef};

use super::column::{ColumnReader, Settings};
use super::table::Table;
use crate::types::{Error, Result};

/// Record batches of the columns asked for, in the order of rows. Owns what it reads from.
pub struct ParquetBatches {
    schema: SchemaRef,
    columns: Vec<Side>,
    batch_len: usize,
    /// Rows of the row groups that are still to come, when no column is asked for.
    bare_rows: VecDeque<u64>,
    failed: bool,
}

/// A column and its present array.
struct Side {
    reader: ColumnReader,
    rest: Option<ArrayRef>,
}

impl ParquetBatches {
    /// Reads `columns`, all supported, of `row_groups`.
    pub(super) fn new(
        table: &Arc<Table>,
        row_groups: &[usize],
        columns: &[usize],
        batch_len: usize,
    ) -> ParquetBatches {
        let fields: Vec<Field> = columns
            .iter()
            .map(|column| {
                let field = &table.fields[*column];
                Field::new(&field.name, field.data_type.to_arrow(), field.nullable)
            })
            .collect();
        let batch_len = batch_len.clamp(1, table.rows_within_budget(row_groups, columns));
        let settings =
            Settings { batch_len, dictionaries: false, budget: table.budget(columns.len()) };
        let sides = columns.iter().map(|column| Side {
            reader: ColumnReader::new(table, *column, row_groups.iter().copied(), settings),
            rest: None,
        });
        let bare = row_groups.iter().filter(|_| columns.is_empty());
        ParquetBatches {
            schema: Arc::new(Schema::new(fields)),
            columns: sides.collect(),
            batch_len,
            bare_rows: bare.map(|row_group| table.row_groups[*row_group].row_count).collect(),
            failed: false,
        }
    }

    /// Names and types of the columns.
    pub fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    fn step(&mut self) -> Result<Option<RecordBatch>> {
        if self.columns.is_empty() {
            return self.bare_batch();
        }
        let mut row_count = self.batch_len;
        let mut ended = 0;
        for side in &mut self.columns {
            match side.fill()? {
                0 => ended += 1,
                available => row_count = row_count.min(available),
            }
        }
        if ended == self.columns.len() {
            return Ok(None);
        }
        if ended > 0 {
            return Err(Error::internal("columns of one row group have different lengths"));
        }
        let arrays = self.columns.iter_mut().map(|side| side.take(row_count)).collect();
        self.batch(arrays, row_count).map(Some)
    }

    fn bare_batch(&mut self) -> Result<Option<RecordBatch>> {
        while let Some(rows_left) = self.bare_rows.front_mut() {
            let row_count = usize::try_from(*rows_left).unwrap_or(usize::MAX).min(self.batch_len);
            *rows_left -= u64::try_from(row_count).unwrap_or(*rows_left);
            if row_count > 0 {
                return self.batch(Vec::new(), row_count).map(Some);
            }
            self.bare_rows.pop_front();
        }
        Ok(None)
    }

    fn batch(&self, arrays: Vec<ArrayRef>, row_count: usize) -> Result<RecordBatch> {
        let options = RecordBatchOptions::new().with_row_count(Some(row_count));
        Ok(RecordBatch::try_new_with_options(Arc::clone(&self.schema), arrays, &options)?)
    }
}

impl Iterator for ParquetBatches {
    type Item = Result<RecordBatch>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.failed {
            return None;
        }
        let outcome = self.step().transpose();
        self.failed = matches!(outcome, Some(Err(_)));
        outcome
    }
}

impl Side {
    /// Makes sure that rows are at hand unless there are none left; gives how many.
    fn fill(&mut self) -> Result<usize> {
        if self.rest.is_none() {
            self.rest = self.reader.next().transpose()?;
        }
        Ok(self.rest.as_ref().map_or(0, Array::len))
    }

    fn take(&mut self, row_count: usize) -> ArrayRef {
        let rest = self.rest.take().expect("fill found rows");
        if rest.len() == row_count {
            return rest;
        }
        self.rest = Some(rest.slice(row_count, rest.len() - row_count));
        rest.slice(0, row_count)
    }
}
