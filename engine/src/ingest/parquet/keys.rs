//! Dictionary-encoded text, kept so: the keys of rows, and the chunk's distinct values once.
//!
//! Whoever loads or groups such a column then works per distinct value. Also bounds memory: a page
//! of a few bytes can say a long value a million times.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, BinaryArray, BooleanBufferBuilder, DictionaryArray, Int32Array,
};
use arrow::buffer::{BooleanBuffer, NullBuffer, OffsetBuffer, ScalarBuffer};
use arrow::compute::take;
use arrow::datatypes::Int32Type;

use super::convert::text;
use super::hybrid::HybridDecoder;
use super::pages::{DataPage, DictionaryPage};
use super::schema::Leaf;
use super::values::PlainValues;
use crate::types::{DataType, Error, Result};

/// A page of keys, being read.
#[derive(Debug)]
pub(super) struct KeyPage {
    levels: Levels,
    keys: HybridDecoder,
    rows_left: usize,
}

#[derive(Debug)]
enum Levels {
    Required,
    Hybrid(HybridDecoder),
    /// The old bit-packed levels: all of them, from the highest bit on, and how many are read.
    Packed(BooleanBuffer, usize),
}

impl KeyPage {
    /// Begins to read `page`, which is dictionary-encoded.
    pub(super) fn open(page: &DataPage, leaf: &Leaf) -> Result<KeyPage> {
        let values = page.values();
        // A page of nothing but NULLs may have no keys at all, not even their width.
        let width_bits = values.first().copied().unwrap_or(0);
        let keys = HybridDecoder::new(values.slice(values.len().min(1)..), usize::from(width_bits))
            .map_err(Error::corrupt)?;
        let levels = match (leaf.nullable, page.levels()) {
            (false, _) => Levels::Required,
            (true, (bytes, true)) => {
                Levels::Hybrid(HybridDecoder::new(bytes, 1).map_err(Error::corrupt)?)
            }
            (true, (bytes, false)) => {
                let bits = (0..page.row_count).map(|row| bytes[row / 8] >> (7 - row % 8) & 1 == 1);
                Levels::Packed(bits.collect(), 0)
            }
        };
        Ok(KeyPage { levels, keys, rows_left: page.row_count })
    }

    /// Rows not yet read.
    pub(super) fn rows_left(&self) -> usize {
        self.rows_left
    }

    /// Appends at most `count` rows to `batch`.
    pub(super) fn read(&mut self, count: usize, batch: &mut KeyBatch) -> Result<()> {
        let count = count.min(self.rows_left);
        let validity = match &mut self.levels {
            Levels::Required => None,
            Levels::Hybrid(decoder) => Some(decoder.read_bits(count).map_err(Error::corrupt)?),
            Levels::Packed(bits, position) => {
                *position += count;
                Some(bits.slice(*position - count, count))
            }
        };
        let value_count = validity.as_ref().map_or(count, BooleanBuffer::count_set_bits);
        batch.append(count, value_count, validity.as_ref(), &mut self.keys)?;
        self.rows_left -= count;
        Ok(())
    }
}

/// Keys of rows that are to become one array.
#[derive(Debug)]
pub(super) struct KeyBatch {
    /// One per row; 0 under NULL.
    keys: Vec<u32>,
    validity: BooleanBufferBuilder,
    key_max: u32,
    valid_count: usize,
}

impl KeyBatch {
    /// An empty batch.
    pub(super) fn new(capacity: usize) -> KeyBatch {
        KeyBatch {
            keys: Vec::with_capacity(capacity),
            validity: BooleanBufferBuilder::new(0),
            key_max: 0,
            valid_count: 0,
        }
    }

    /// Rows so far.
    pub(super) fn len(&self) -> usize {
        self.keys.len()
    }

    fn append(
        &mut self,
        row_count: usize,
        value_count: usize,
        validity: Option<&BooleanBuffer>,
        keys: &mut HybridDecoder,
    ) -> Result<()> {
        let start = self.keys.len();
        match validity {
            Some(validity) if value_count < row_count => {
                let mut values = Vec::with_capacity(value_count);
                keys.read(value_count, &mut values).map_err(Error::corrupt)?;
                self.keys.resize(start + row_count, 0);
                let mut source = 0;
                for (from, to) in validity.set_slices() {
                    self.keys[start + from..start + to]
                        .copy_from_slice(&values[source..source + to - from]);
                    source += to - from;
                }
                self.validity.append_buffer(validity);
            }
            _ => {
                keys.read(row_count, &mut self.keys).map_err(Error::corrupt)?;
                self.validity.append_n(row_count, true);
            }
        }
        self.valid_count += value_count;
        let largest = self.keys[start..].iter().copied().max().unwrap_or(0);
        self.key_max = self.key_max.max(largest);
        Ok(())
    }

    /// The rows as an array of `values`: a dictionary array, or the values themselves.
    pub(super) fn finish(mut self, values: &ArrayRef, as_dictionary: bool) -> Result<ArrayRef> {
        let outside = usize::try_from(self.key_max).is_ok_and(|key| key >= values.len());
        if self.valid_count > 0 && outside {
            return Err(Error::corrupt(format!(
                "a page refers to dictionary value {}, but there are only {}",
                self.key_max,
                values.len()
            )));
        }
        let nulls =
            (self.valid_count < self.keys.len()).then(|| NullBuffer::new(self.validity.finish()));
        let keys: Vec<i32> = self.keys.into_iter().map(u32::cast_signed).collect();
        let keys = Int32Array::new(ScalarBuffer::from(keys), nulls);
        if as_dictionary {
            let array = DictionaryArray::<Int32Type>::try_new(keys, Arc::clone(values))?;
            return Ok(Arc::new(array));
        }
        Ok(take(values, &keys, None)?)
    }
}

/// The values of a dictionary page as text or bytes.
pub(super) fn dictionary_values(page: &DictionaryPage, data_type: DataType) -> Result<ArrayRef> {
    let values = PlainValues::new(&page.bytes)
        .take(page.value_count)
        .collect::<Result<Vec<&[u8]>, String>>()
        .map_err(Error::corrupt)?;
    if page.sizes.total > usize::try_from(i32::MAX).unwrap_or(usize::MAX) {
        return Err(Error::unsupported("a dictionary of more than 2 GiB"));
    }
    let lengths = values.iter().map(|value| value.len());
    let offsets = OffsetBuffer::<i32>::from_lengths(lengths);
    let binary = BinaryArray::try_new(offsets, values.concat().into(), None)?;
    if data_type != DataType::Utf8 {
        return Ok(Arc::new(binary));
    }
    text(&binary)
        .map_err(|bad| Error::invalid_text(format!("dictionary value {} {}", bad.row, bad.what)))
}
