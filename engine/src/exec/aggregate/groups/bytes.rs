//! Group keys of any type as bytes, and the table that numbers them.
//!
//! Keys are encoded by Arrow's row format, dictionary columns as their ids. The slow rung: it hashes
//! and compares bytes. Must not know accumulators.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, UInt32Array};
use arrow::datatypes::{DataType as ArrowType, Float32Type, Float64Type};
use arrow::row::{RowConverter, SortField};
use foldhash::fast::FixedState;
use hashbrown::HashTable;
use std::hash::BuildHasher;

use crate::exec::source::ColumnKind;
use crate::types::{Result, canonical_float};
use crate::vector::{DictionaryVector, Vector};

/// Numbers distinct byte strings from 0 in the order of their first appearance.
#[derive(Debug)]
pub(crate) struct ByteTable {
    table: HashTable<(u64, u32)>,
    bytes: Vec<u8>,
    /// Where each string ends; the first starts at 0.
    ends: Vec<usize>,
    hasher: FixedState,
}

impl ByteTable {
    /// An empty table.
    pub(crate) fn new() -> ByteTable {
        ByteTable {
            table: HashTable::new(),
            bytes: Vec::new(),
            ends: Vec::new(),
            hasher: FixedState::default(),
        }
    }

    /// How many strings there are.
    pub(crate) fn len(&self) -> usize {
        self.ends.len()
    }

    /// String number `index`.
    pub(crate) fn get(&self, index: u32) -> &[u8] {
        value(&self.bytes, &self.ends, index)
    }

    /// The number of `string`, if it has one.
    pub(crate) fn find(&self, string: &[u8]) -> Option<u32> {
        self.find_hashed(string, self.hash(string))
    }

    fn find_hashed(&self, string: &[u8], hash: u64) -> Option<u32> {
        let (bytes, ends) = (&self.bytes, &self.ends);
        let same =
            |(other, index): &(u64, u32)| *other == hash && value(bytes, ends, *index) == string;
        self.table.find(hash, same).map(|(_, index)| *index)
    }

    /// The number of `string`, a new one if it has none.
    pub(crate) fn insert(&mut self, string: &[u8]) -> u32 {
        let hash = self.hash(string);
        if let Some(index) = self.find_hashed(string, hash) {
            return index;
        }
        let index = u32::try_from(self.ends.len()).expect("fewer than 2^32 groups");
        self.bytes.extend_from_slice(string);
        self.ends.push(self.bytes.len());
        self.table.insert_unique(hash, (hash, index), |(hash, _)| *hash);
        index
    }

    /// The hash of a string, the same for every table.
    pub(crate) fn hash(&self, string: &[u8]) -> u64 {
        self.hasher.hash_one(string)
    }

    /// Bytes held.
    pub(crate) fn memory_bytes(&self) -> usize {
        self.bytes.capacity() + self.ends.capacity() * 8 + self.table.capacity() * 17
    }
}

fn value<'a>(bytes: &'a [u8], ends: &[usize], index: u32) -> &'a [u8] {
    let index = index as usize;
    let start = if index == 0 { 0 } else { ends[index - 1] };
    &bytes[start..ends[index]]
}

/// Turns key columns into rows of bytes and back.
#[derive(Debug)]
pub(crate) struct KeyEncoder {
    kinds: Vec<ColumnKind>,
    converter: RowConverter,
}

impl KeyEncoder {
    /// An encoder for key columns of these kinds.
    pub(crate) fn new(kinds: &[ColumnKind]) -> Result<KeyEncoder> {
        let fields = kinds
            .iter()
            .map(|kind| match kind {
                ColumnKind::Dictionary { .. } => SortField::new(ArrowType::UInt32),
                ColumnKind::Flat { data_type, .. } => SortField::new(data_type.to_arrow()),
            })
            .collect();
        Ok(KeyEncoder { kinds: kinds.to_vec(), converter: RowConverter::new(fields)? })
    }

    /// The rows of a batch.
    pub(crate) fn encode(&self, keys: &[Vector]) -> Result<arrow::row::Rows> {
        let columns = keys
            .iter()
            .zip(&self.kinds)
            .map(|(vector, kind)| key_array(vector, kind))
            .collect::<Result<Vec<_>>>()?;
        Ok(self.converter.convert_columns(&columns)?)
    }

    /// The key columns of encoded rows.
    pub(crate) fn decode<'a>(&self, rows: impl Iterator<Item = &'a [u8]>) -> Result<Vec<Vector>> {
        let parser = self.converter.parser();
        let columns = self.converter.convert_rows(rows.map(|row| parser.parse(row)))?;
        Ok(columns
            .into_iter()
            .zip(&self.kinds)
            .map(|(column, kind)| match kind {
                ColumnKind::Flat { .. } => Vector::Flat(column),
                ColumnKind::Dictionary { identity, .. } => {
                    let ids = column.as_primitive::<arrow::datatypes::UInt32Type>();
                    let null = identity.null_code();
                    let codes: Vec<u32> = ids.iter().map(|id| id.unwrap_or(null)).collect();
                    Vector::Dictionary(DictionaryVector::new(codes, Arc::clone(identity)))
                }
            })
            .collect())
    }
}

fn key_array(vector: &Vector, kind: &ColumnKind) -> Result<ArrayRef> {
    match (vector, kind) {
        (Vector::Dictionary(vector), ColumnKind::Dictionary { identity, .. }) => {
            let null = identity.null_code();
            let mut ids = Vec::with_capacity(vector.codes().len());
            vector.append_ids(null, &mut ids);
            let array: UInt32Array = ids.into_iter().map(|id| (id != null).then_some(id)).collect();
            Ok(Arc::new(array))
        }
        (vector, _) => Ok(canonical_floats(vector.decode()?)),
    }
}

/// The array with one bit pattern for values that SQL calls equal.
pub(crate) fn canonical_floats(array: ArrayRef) -> ArrayRef {
    match array.data_type() {
        ArrowType::Float64 => {
            Arc::new(array.as_primitive::<Float64Type>().unary::<_, Float64Type>(canonical_float))
        }
        ArrowType::Float32 => {
            let canonical = |value: f32| if value.is_nan() { f32::NAN } else { value + 0.0 };
            Arc::new(array.as_primitive::<Float32Type>().unary::<_, Float32Type>(canonical))
        }
        _ => array,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_strings_have_one_number() {
        let mut table = ByteTable::new();
        let numbers: Vec<u32> =
            ["a", "", "bc", "a", "", "b"].iter().map(|s| table.insert(s.as_bytes())).collect();
        assert_eq!(numbers, [0, 1, 2, 0, 1, 3]);
        assert_eq!(table.get(2), b"bc");
        assert_eq!(table.len(), 4);
    }
}
