//! Cuts a column's arrays, of whatever lengths, into the lengths that loading needs.
//!
//! Must not know encodings.

use arrow::array::{Array, ArrayRef};
use arrow::datatypes::DataType as ArrowType;

use super::{ColumnArrays, conform};
use crate::catalog::NewField;
use crate::types::{Error, Result};

/// The arrays of one column, conforming to its field.
pub(super) struct ArrayQueue<'a> {
    arrays: ColumnArrays<'a>,
    field: &'a NewField,
    rest: Option<ArrayRef>,
}

impl<'a> ArrayQueue<'a> {
    /// The arrays that `arrays` gives for `field`.
    pub(super) fn new(arrays: ColumnArrays<'a>, field: &'a NewField) -> ArrayQueue<'a> {
        ArrayQueue { arrays, field, rest: None }
    }

    /// The next rows, at least one and at most `len_max`, without copying.
    ///
    /// # Errors
    /// As the source; `Invalid` when it has no more rows.
    pub(super) fn some(&mut self, len_max: usize) -> Result<ArrayRef> {
        let array = match self.rest.take() {
            Some(array) => array,
            None => self.pull()?.ok_or_else(|| self.too_short())?,
        };
        if array.len() > len_max {
            self.rest = Some(array.slice(len_max, array.len() - len_max));
            return Ok(array.slice(0, len_max));
        }
        Ok(array)
    }

    /// The next `len` rows as one plain array.
    ///
    /// # Errors
    /// As [`ArrayQueue::some`]; `Unsupported` when they hold more than 2 GiB of text.
    pub(super) fn exactly(&mut self, len: usize) -> Result<ArrayRef> {
        let mut parts = Vec::new();
        let mut found = 0;
        while found < len {
            let part = self.plain_some(len - found)?;
            found += part.len();
            parts.push(part);
        }
        if parts.len() == 1 {
            return Ok(parts.swap_remove(0));
        }
        let parts: Vec<&dyn Array> = parts.iter().map(|part| &**part).collect();
        arrow::compute::concat(&parts).map_err(|error| {
            Error::unsupported(format!(
                "column \"{}\": a page cannot hold it: {error}",
                self.field.name
            ))
        })
    }

    fn plain_some(&mut self, len_max: usize) -> Result<ArrayRef> {
        let part = self.some(len_max)?;
        match part.data_type() {
            ArrowType::Dictionary(..) => {
                crate::types::cast(&part, &self.field.data_type.to_arrow())
            }
            _ => Ok(part),
        }
    }

    /// Checks that all rows were taken.
    ///
    /// # Errors
    /// `Invalid` when they were not; as the source.
    pub(super) fn finish(mut self) -> Result<()> {
        if self.rest.is_some() || self.pull()?.is_some() {
            return Err(Error::invalid(format!(
                "column \"{}\" has more rows than the others",
                self.field.name
            )));
        }
        Ok(())
    }

    /// The next array that has rows.
    fn pull(&mut self) -> Result<Option<ArrayRef>> {
        for array in self.arrays.by_ref() {
            let array = array?;
            if !array.is_empty() {
                return Ok(Some(conform(&array, self.field)?));
            }
        }
        Ok(None)
    }

    fn too_short(&self) -> Error {
        Error::invalid(format!("column \"{}\" has fewer rows than the others", self.field.name))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{AsArray, DictionaryArray, Int32Array, Int64Array};
    use arrow::datatypes::{Int32Type, Int64Type};

    use super::*;
    use crate::types::DataType;

    #[test]
    fn rows_come_out_in_order_whatever_the_cuts() -> Result<()> {
        let field = NewField { name: "a".into(), data_type: DataType::Int64, nullable: true };
        let arrays = [3, 0, 1, 7, 2].into_iter().scan(0_i64, |next, len| {
            let array = Int64Array::from_iter_values(*next..*next + len);
            *next += len;
            Some(Ok(Arc::new(array) as ArrayRef))
        });
        let mut queue = ArrayQueue::new(Box::new(arrays), &field);
        let mut rows = Vec::new();
        for len in [2, 5, 1] {
            rows.extend_from_slice(queue.exactly(len)?.as_primitive::<Int64Type>().values());
        }
        while rows.len() < 13 {
            let some = queue.some(4.min(13 - rows.len()))?;
            rows.extend_from_slice(some.as_primitive::<Int64Type>().values());
        }
        assert_eq!(rows, (0..13).collect::<Vec<_>>());
        assert!(queue.some(1).is_err());
        queue.finish()
    }

    #[test]
    fn surplus_rows_are_refused() {
        let field = NewField { name: "a".into(), data_type: DataType::Int64, nullable: true };
        let array: ArrayRef = Arc::new(Int64Array::from(vec![1, 2]));
        let mut queue = ArrayQueue::new(Box::new(std::iter::once(Ok(array))), &field);
        assert!(queue.exactly(1).is_ok());
        assert!(queue.finish().is_err());
    }

    #[test]
    fn exact_pages_of_dictionaries_are_plain() -> Result<()> {
        let field = NewField { name: "a".into(), data_type: DataType::Utf8, nullable: true };
        let values: ArrayRef = Arc::new(arrow::array::StringArray::from(vec!["x", "y"]));
        let keys = Int32Array::from(vec![Some(1), None, Some(0)]);
        let array: ArrayRef = Arc::new(DictionaryArray::<Int32Type>::try_new(keys, values)?);
        let mut queue = ArrayQueue::new(Box::new(std::iter::once(Ok(array))), &field);
        assert_eq!(
            queue.exactly(2)?.as_string::<i32>().iter().collect::<Vec<_>>(),
            [Some("y"), None]
        );
        Ok(())
    }
}
