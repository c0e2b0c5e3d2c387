//! Rows that arrive in batches, kept by column: in memory up to a bound, beyond it in a spool.
//!
//! When the rows in memory pass the bound, the oldest quarter of every column's arrays is written to
//! the spool as one piece (an Arrow IPC stream), so that a column is read back alone. With 4,000 columns
//! and the default bound a piece has some 24 KiB. Must not know tables.

use std::collections::VecDeque;
use std::io::Cursor;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, RecordBatch};
use arrow::ipc::reader::StreamReader;
use arrow::ipc::writer::StreamWriter;

use super::spool::{Place, Spool};
use super::{ColumnArrays, ColumnSource, conform};
use crate::catalog::NewField;
use crate::context::{MemoryBudget, Reservation};
use crate::types::{DataType, Error, Result};

/// Rows by column.
#[derive(Debug)]
pub(super) struct BufferedRows {
    fields: Vec<NewField>,
    columns: Vec<Column>,
    row_count: u64,
    /// Bytes of the batches in memory, the oldest first, and their sum.
    batch_bytes: VecDeque<usize>,
    waiting_bytes: usize,
    bytes_max: usize,
    spool: Spool,
    memory: Reservation,
}

#[derive(Debug, Default)]
struct Column {
    spooled: Vec<Place>,
    waiting: Vec<ArrayRef>,
}

impl BufferedRows {
    /// No rows yet, of `fields`; at most about `bytes_max` bytes stay in memory.
    pub(super) fn new(
        fields: Vec<NewField>,
        bytes_max: usize,
        spool: Spool,
        memory: &MemoryBudget,
    ) -> BufferedRows {
        BufferedRows {
            columns: fields.iter().map(|_| Column::default()).collect(),
            fields,
            row_count: 0,
            batch_bytes: VecDeque::new(),
            waiting_bytes: 0,
            bytes_max,
            spool,
            memory: memory.reservation("appending rows"),
        }
    }

    /// How many rows there are.
    pub(super) fn len(&self) -> u64 {
        self.row_count
    }

    /// Adds the rows of `batch`, columns by position; none when it fails.
    ///
    /// # Errors
    /// `Type`, `OutOfRange` or `Invalid` when a column does not fit, by its name; `Io`;
    /// `OutOfMemory`.
    pub(super) fn push(&mut self, batch: &RecordBatch) -> Result<()> {
        if batch.num_columns() != self.fields.len() {
            return Err(Error::invalid(format!(
                "a batch has {} columns, but the table has {}",
                batch.num_columns(),
                self.fields.len()
            )));
        }
        if batch.num_rows() == 0 {
            return Ok(());
        }
        let arrays: Result<Vec<ArrayRef>> = batch
            .columns()
            .iter()
            .zip(&self.fields)
            .map(|(array, field)| conform(&plain(array, field)?, field))
            .collect();
        let arrays = arrays?;
        let mut bytes = 0;
        for array in &arrays {
            bytes += array.to_data().get_slice_memory_size()?;
        }
        self.memory.resize(self.waiting_bytes + bytes)?;
        for (column, array) in self.columns.iter_mut().zip(arrays) {
            column.waiting.push(array);
        }
        self.waiting_bytes += bytes;
        self.batch_bytes.push_back(bytes);
        self.row_count += u64::try_from(batch.num_rows()).unwrap_or(u64::MAX);
        while self.waiting_bytes > self.bytes_max {
            self.spool_oldest()?;
        }
        Ok(())
    }

    fn spool_oldest(&mut self) -> Result<()> {
        let count = (self.batch_bytes.len() / 4).max(1);
        let mut piece = Vec::new();
        for (column, field) in self.columns.iter_mut().zip(&self.fields) {
            // Fewer where an error ended this for a later column.
            let count = count.min(column.waiting.len());
            to_ipc(&column.waiting[..count], field.data_type, &mut piece)?;
            column.spooled.push(self.spool.append(&piece)?);
            column.waiting.drain(..count);
        }
        self.waiting_bytes -= self.batch_bytes.drain(..count).sum::<usize>();
        self.memory.resize(self.waiting_bytes)
    }
}

impl ColumnSource for BufferedRows {
    fn fields(&self) -> &[NewField] {
        &self.fields
    }

    fn row_count(&self) -> Option<u64> {
        Some(self.row_count)
    }

    fn column_bytes(&self, index: usize) -> u64 {
        let spooled = self.columns[index].spooled.iter().map(|place| place.len);
        u64::try_from(spooled.sum::<usize>()).unwrap_or(u64::MAX)
    }

    fn column(&self, index: usize, _batch_len: usize) -> Result<ColumnArrays<'_>> {
        let column = &self.columns[index];
        let spooled = column.spooled.iter().flat_map(|place| {
            match self.spool.read(*place).and_then(from_ipc) {
                Ok(arrays) => arrays.into_iter().map(Ok).collect(),
                Err(error) => vec![Err(error)],
            }
        });
        let waiting = column.waiting.iter().map(|array| Ok(Arc::clone(array)));
        Ok(Box::new(spooled.chain(waiting)))
    }
}

/// Dictionaries are expanded: pieces of one column would each carry their own.
fn plain(array: &ArrayRef, field: &NewField) -> Result<ArrayRef> {
    let is_dictionary = matches!(array.data_type(), arrow::datatypes::DataType::Dictionary(_, values) if **values == field.data_type.to_arrow());
    if is_dictionary {
        return crate::types::cast(array, &field.data_type.to_arrow());
    }
    Ok(Arc::clone(array))
}

/// Writes arrays of one type as a stream, in place of what `piece` held.
fn to_ipc(arrays: &[ArrayRef], data_type: DataType, piece: &mut Vec<u8>) -> Result<()> {
    let field = arrow::datatypes::Field::new("", data_type.to_arrow(), true);
    let schema = Arc::new(arrow::datatypes::Schema::new(vec![field]));
    piece.clear();
    let mut writer = StreamWriter::try_new(piece, &schema)?;
    for array in arrays {
        writer.write(&RecordBatch::try_new(Arc::clone(&schema), vec![Arc::clone(array)])?)?;
    }
    Ok(writer.finish()?)
}

/// The arrays of a stream.
fn from_ipc(bytes: Vec<u8>) -> Result<Vec<ArrayRef>> {
    let batches = StreamReader::try_new(Cursor::new(bytes), None)?;
    let arrays = batches.map(|batch| Ok(Arc::clone(batch?.column(0))));
    arrays.collect()
}

#[cfg(test)]
mod tests {
    use arrow::array::{AsArray, Int64Array, StringArray};
    use arrow::datatypes::Int64Type;

    use super::*;
    use crate::context::MemoryBudget;

    fn fields() -> Vec<NewField> {
        [("number", DataType::Int64, false), ("text", DataType::Utf8, true)]
            .map(|(name, data_type, nullable)| NewField { name: name.into(), data_type, nullable })
            .to_vec()
    }

    fn batch(range: std::ops::Range<i64>) -> RecordBatch {
        let texts = range.clone().map(|n| (n % 3 != 0).then(|| format!("row {n}")));
        RecordBatch::try_from_iter_with_nullable([
            ("a", Arc::new(Int64Array::from_iter_values(range)) as ArrayRef, false),
            ("b", Arc::new(texts.collect::<StringArray>()) as ArrayRef, true),
        ])
        .unwrap()
    }

    fn rows_of(rows: &BufferedRows) -> Result<Vec<(i64, Option<String>)>> {
        let numbers: Result<Vec<ArrayRef>> = rows.column(0, 10)?.collect();
        let texts: Result<Vec<ArrayRef>> = rows.column(1, 10)?.collect();
        let concat = |arrays: Vec<ArrayRef>| -> Result<ArrayRef> {
            let arrays: Vec<&dyn Array> = arrays.iter().map(|array| &**array).collect();
            Ok(arrow::compute::concat(&arrays)?)
        };
        let (numbers, texts) = (concat(numbers?)?, concat(texts?)?);
        let texts = texts.as_string::<i32>().iter().map(|text| text.map(str::to_owned));
        Ok(numbers.as_primitive::<Int64Type>().values().iter().copied().zip(texts).collect())
    }

    #[test]
    fn rows_come_back_in_order_from_memory_and_from_the_spool() -> Result<()> {
        let memory = MemoryBudget::unlimited();
        for bytes_max in [0, 100, 1_000, usize::MAX] {
            let mut rows = BufferedRows::new(fields(), bytes_max, Spool::new(None), &memory);
            for start in (0..100).step_by(7) {
                rows.push(&batch(start..start + 7))?;
            }
            rows.push(&batch(0..0))?;
            assert_eq!(rows.len(), 105);
            for (n, row) in (0..105).zip(rows_of(&rows)?) {
                assert_eq!(row, (n, (n % 3 != 0).then(|| format!("row {n}"))));
            }
        }
        assert_eq!(memory.used_bytes(), 0);
        Ok(())
    }

    #[test]
    fn a_batch_that_does_not_fit_adds_nothing() -> Result<()> {
        let memory = MemoryBudget::unlimited();
        let mut rows = BufferedRows::new(fields(), 1_000, Spool::new(None), &memory);
        let wrong = RecordBatch::try_from_iter([
            ("a", Arc::new(Int64Array::from(vec![1])) as ArrayRef),
            ("b", Arc::new(Int64Array::from(vec![1])) as ArrayRef),
        ])?;
        assert!(rows.push(&wrong).unwrap_err().message().contains("\"text\""));
        assert!(rows.push(&wrong.project(&[0])?).is_err());
        assert_eq!(rows.len(), 0);
        assert!(rows_of(&rows).is_err() || rows_of(&rows)?.is_empty());
        Ok(())
    }
}
