//! `MIN` and `MAX` of text, binary, booleans and uuids that have no dictionary: the best value's bytes
//! per group. Bytes order as SQL does for all of them.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, AsArray, BinaryArray, BooleanArray, FixedSizeBinaryArray, StringArray,
};

use super::{Accumulator, Groups, same_kind, without_nulls};
use crate::exec::source::ColumnKind;
use crate::types::{DataType, Error, Result};
use crate::vector::Vector;

/// Extremes of values that are bytes.
#[derive(Debug)]
pub(super) struct TextExtreme<const MAX: bool> {
    data_type: DataType,
    best: Vec<Option<Box<[u8]>>>,
    value_bytes: usize,
}

impl<const MAX: bool> TextExtreme<MAX> {
    pub(super) fn new(data_type: DataType) -> TextExtreme<MAX> {
        TextExtreme { data_type, best: Vec::new(), value_bytes: 0 }
    }

    fn add(&mut self, group: usize, value: &[u8]) {
        let best = &mut self.best[group];
        let improves =
            best.as_deref().is_none_or(|best| if MAX { value > best } else { value < best });
        if improves {
            self.value_bytes += value.len();
            self.value_bytes -= best.as_deref().map_or(0, <[u8]>::len);
            *best = Some(value.into());
        }
    }

    fn add_all<'a>(&mut self, groups: Groups<'_>, value: impl Fn(usize) -> &'a [u8]) {
        match groups {
            Groups::First(len) => (0..len).for_each(|row| self.add(0, value(row))),
            Groups::Each(groups) => {
                for (row, group) in groups.iter().enumerate() {
                    self.add(*group as usize, value(row));
                }
            }
        }
    }

    fn add_array(&mut self, groups: Groups<'_>, array: &ArrayRef) -> Result<()> {
        match self.data_type {
            DataType::Bool => {
                let values = array.as_boolean();
                self.add_all(groups, |row| if values.value(row) { &[1] } else { &[0] });
            }
            DataType::Utf8 => {
                let values = array.as_string::<i32>();
                self.add_all(groups, |row| values.value(row).as_bytes());
            }
            DataType::Binary => {
                let values = array.as_binary::<i32>();
                self.add_all(groups, |row| values.value(row));
            }
            DataType::Uuid => {
                let values = array.as_fixed_size_binary();
                self.add_all(groups, |row| values.value(row));
            }
            other => {
                return Err(Error::unsupported(format!(
                    "MIN and MAX of {other} are not supported"
                )));
            }
        }
        Ok(())
    }
}

impl<const MAX: bool> Accumulator for TextExtreme<MAX> {
    fn resize(&mut self, group_count: usize) {
        self.best.resize(group_count, None);
    }

    fn update(&mut self, groups: Groups<'_>, argument: &Vector) -> Result<()> {
        match without_nulls(groups, argument)? {
            None => self.add_array(groups, &argument.decode()?),
            Some((groups, argument)) => self.add_array(groups.borrow(), &argument.decode()?),
        }
    }

    fn merge(&mut self, other: &dyn Accumulator, from: &[u32], to: &[u32]) -> Result<()> {
        let other: &TextExtreme<MAX> = same_kind(other)?;
        for (from, to) in from.iter().zip(to) {
            if let Some(value) = &other.best[*from as usize] {
                self.add(*to as usize, value);
            }
        }
        Ok(())
    }

    fn finish(&self) -> Result<Vector> {
        let values = self.best.iter().map(Option::as_deref);
        let array: ArrayRef = match self.data_type {
            DataType::Bool => {
                Arc::new(values.map(|value| value.map(|v| v[0] == 1)).collect::<BooleanArray>())
            }
            DataType::Utf8 => {
                let texts = values.map(|value| {
                    value.map(|v| std::str::from_utf8(v).expect("the bytes came from text"))
                });
                Arc::new(texts.collect::<StringArray>())
            }
            DataType::Uuid => {
                Arc::new(FixedSizeBinaryArray::try_from_sparse_iter_with_size(values, 16)?)
            }
            _ => Arc::new(values.collect::<BinaryArray>()),
        };
        Ok(Vector::Flat(array))
    }

    fn kind(&self) -> ColumnKind {
        ColumnKind::flat(self.data_type)
    }

    fn bytes(&self) -> usize {
        self.best.capacity() * size_of::<Option<Box<[u8]>>>() + self.value_bytes
    }
}
