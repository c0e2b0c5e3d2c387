//! Distinct values that come up while a query runs.
//!
//! The results of `regexp_replace(url, …)` repeat; once numbered, they group like any dictionary
//! column. Shared by the workers of one query, which meet here once per distinct input, not per row.

use std::sync::{Arc, Mutex, PoisonError};

use arrow::array::{Array, ArrayRef, AsArray, BinaryArray, StringArray};

use super::aggregate::ByteTable;
use crate::types::{DataType, Error, Result};
use crate::vector::{DistinctValues, IdOrder};

/// Numbers texts or byte strings in the order of their first appearance.
#[derive(Debug)]
pub(crate) struct Interner {
    data_type: DataType,
    table: Mutex<ByteTable>,
}

impl Interner {
    /// No value yet.
    pub(crate) fn new(data_type: DataType) -> Interner {
        Interner { data_type, table: Mutex::new(ByteTable::new()) }
    }

    /// The ids of the values of `array`; NULL is `null_id`.
    ///
    /// # Errors
    /// `Internal` for an array of another type.
    pub(crate) fn intern(&self, array: &ArrayRef, null_id: u32) -> Result<Vec<u32>> {
        let mut table = self.table.lock().unwrap_or_else(PoisonError::into_inner);
        // Results of sorted values repeat: the one before is looked at before the table is.
        let mut last: Option<u32> = None;
        let mut number = |value: Option<&[u8]>| {
            let Some(bytes) = value else { return null_id };
            if let Some(last) = last.filter(|last| table.get(*last) == bytes) {
                return last;
            }
            let id = table.insert(bytes);
            last = Some(id);
            id
        };
        if let Some(texts) = array.as_string_opt::<i32>() {
            return Ok(texts.iter().map(|text| number(text.map(str::as_bytes))).collect());
        }
        if let Some(values) = array.as_binary_opt::<i32>() {
            return Ok(values.iter().map(number).collect());
        }
        Err(Error::internal(format!("cannot number values of {}", array.data_type())))
    }
}

impl DistinctValues for Interner {
    fn data_type(&self) -> DataType {
        self.data_type
    }

    fn id_count(&self) -> u32 {
        let table = self.table.lock().unwrap_or_else(PoisonError::into_inner);
        u32::try_from(table.len()).expect("ids are u32")
    }

    fn is_growing(&self) -> bool {
        true
    }

    fn values(&self, ids: &[u32]) -> Result<ArrayRef> {
        let table = self.table.lock().unwrap_or_else(PoisonError::into_inner);
        let values = ids.iter().map(|id| table.get(*id));
        if self.data_type == DataType::Binary {
            return Ok(Arc::new(BinaryArray::from_iter_values(values)));
        }
        let texts = values.map(|value| {
            std::str::from_utf8(value).map_err(|_| Error::internal("an interned text is not UTF-8"))
        });
        Ok(Arc::new(StringArray::from_iter_values(texts.collect::<Result<Vec<_>>>()?)))
    }

    fn order(&self) -> Result<IdOrder<'_>> {
        Ok(IdOrder::Unknown)
    }
}
