//! Columns in memory while a query runs: vectors, batches and selections.
//!
//! Where values travel, they travel as Arrow arrays; our own representations are for what Arrow has
//! no good word for: codes with a two-level dictionary behind them, and constants.
//! Must not know pages, files or plans.

mod by_code;
mod dictionary;
mod selection;

pub(crate) use self::by_code::ByCode;
#[cfg(test)]
pub(crate) use self::dictionary::tests::Texts;
pub use self::dictionary::{
    CodeBook, CodeIds, DictionaryVector, DistinctValues, IdOf, IdOrder, TextPiece,
};
pub use self::selection::Selection;

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, RecordBatch, UInt32Array};
use arrow::compute::take;
use arrow::datatypes::DataType as ArrowType;

use crate::types::{DataType, Result, Value};

/// Some rows of one column.
#[derive(Clone, Debug)]
pub enum Vector {
    /// One value a row.
    Flat(ArrayRef),
    /// One value for all rows.
    Constant {
        /// The value.
        value: Value,
        /// Its type.
        data_type: DataType,
        /// How many rows.
        len: usize,
    },
    /// One code a row.
    Dictionary(DictionaryVector),
}

impl Vector {
    /// How many rows.
    pub fn len(&self) -> usize {
        match self {
            Vector::Flat(array) => array.len(),
            Vector::Constant { len, .. } => *len,
            Vector::Dictionary(vector) => vector.codes().len(),
        }
    }

    /// Whether there is no row.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The values as an array.
    ///
    /// # Errors
    /// When a dictionary's values cannot be read.
    pub fn decode(&self) -> Result<ArrayRef> {
        match self {
            Vector::Flat(array) => Ok(Arc::clone(array)),
            Vector::Constant { value, data_type, len } => value.to_array(*data_type, *len),
            Vector::Dictionary(vector) => vector.decode(),
        }
    }

    /// The rows at `rows`.
    ///
    /// # Errors
    /// When Arrow cannot take them (text beyond 2 GiB).
    pub fn take(&self, rows: &[u32]) -> Result<Vector> {
        Ok(match self {
            Vector::Flat(array) => {
                Vector::Flat(take(array.as_ref(), &UInt32Array::from(rows.to_vec()), None)?)
            }
            Vector::Constant { value, data_type, .. } => {
                Vector::Constant { value: value.clone(), data_type: *data_type, len: rows.len() }
            }
            Vector::Dictionary(vector) => Vector::Dictionary(vector.take(rows)),
        })
    }

    /// `len` rows from `offset`, shared.
    #[must_use]
    pub fn slice(&self, offset: usize, len: usize) -> Vector {
        match self {
            Vector::Flat(array) => Vector::Flat(array.slice(offset, len)),
            Vector::Constant { value, data_type, .. } => {
                Vector::Constant { value: value.clone(), data_type: *data_type, len }
            }
            Vector::Dictionary(vector) => Vector::Dictionary(vector.slice(offset, len)),
        }
    }

    /// Bytes that its rows take, roughly. Slices share buffers, and each counts for its own part.
    pub fn bytes(&self) -> usize {
        match self {
            Vector::Flat(array) => array_bytes(array),
            Vector::Constant { .. } => size_of::<Vector>(),
            Vector::Dictionary(vector) => vector.bytes(),
        }
    }
}

/// Bytes that the rows of an array take, whatever the buffers are that it is a part of.
pub fn array_bytes(array: &ArrayRef) -> usize {
    // Of text in views it would count the views alone.
    let is_view = matches!(array.data_type(), ArrowType::Utf8View | ArrowType::BinaryView);
    match array.to_data().get_slice_memory_size() {
        Ok(bytes) if !is_view => bytes,
        _ => array.get_array_memory_size(),
    }
}

/// As [`array_bytes`], for all columns.
pub fn batch_bytes(batch: &RecordBatch) -> usize {
    batch.columns().iter().map(array_bytes).sum()
}

impl From<ArrayRef> for Vector {
    fn from(array: ArrayRef) -> Vector {
        Vector::Flat(array)
    }
}

/// Some rows: vectors of equal length. The length stands alone because there may be no column.
#[derive(Clone, Debug)]
pub struct Batch {
    columns: Vec<Vector>,
    len: usize,
}

impl Batch {
    /// A batch of `len` rows.
    ///
    /// # Panics
    /// When a column has another length.
    pub fn new(columns: Vec<Vector>, len: usize) -> Batch {
        for column in &columns {
            assert_eq!(column.len(), len, "the columns of a batch have equal length");
        }
        Batch { columns, len }
    }

    /// How many rows.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there is no row.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The columns.
    pub fn columns(&self) -> &[Vector] {
        &self.columns
    }

    /// The columns, taken out.
    pub fn into_columns(self) -> Vec<Vector> {
        self.columns
    }

    /// The rows at `rows`.
    ///
    /// # Errors
    /// As [`Vector::take`].
    pub fn take(&self, rows: &[u32]) -> Result<Batch> {
        let columns = self.columns.iter().map(|column| column.take(rows)).collect::<Result<_>>()?;
        Ok(Batch { columns, len: rows.len() })
    }

    /// `len` rows from `offset`, shared.
    #[must_use]
    pub fn slice(&self, offset: usize, len: usize) -> Batch {
        let columns = self.columns.iter().map(|column| column.slice(offset, len)).collect();
        Batch { columns, len }
    }

    /// Bytes that it holds, roughly.
    pub fn bytes(&self) -> usize {
        self.columns.iter().map(Vector::bytes).sum()
    }
}
