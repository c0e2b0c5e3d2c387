//! Distinct values in ascending order, in memory, and how texts get there fast.
//!
//! Must not know where the values come from.

use std::ops::Range;
use std::sync::Arc;

use arrow::array::ArrayRef;

use super::{FixedKey, Key, bytes_array};
use crate::types::{DataType, Result};

/// Distinct values of one column, ascending.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SortedValues {
    /// Texts or blobs, one after the other.
    Bytes {
        /// All bytes.
        bytes: Vec<u8>,
        /// Where each value ends.
        ends: Vec<usize>,
    },
    /// Texts or blobs as they were first seen, and their order: sorting does not copy them.
    Seen {
        /// All bytes.
        bytes: Vec<u8>,
        /// Where each ends.
        ends: Vec<usize>,
        /// Which of them is the least, the next, and so on.
        order: Arc<[u32]>,
    },
    /// Keys of 64 bits.
    Narrow(Vec<u64>),
    /// Keys of 128 bits.
    Wide(Vec<u128>),
}

impl SortedValues {
    /// How many values there are.
    pub fn len(&self) -> usize {
        match self {
            SortedValues::Bytes { ends, .. } | SortedValues::Seen { ends, .. } => ends.len(),
            SortedValues::Narrow(keys) => keys.len(),
            SortedValues::Wide(keys) => keys.len(),
        }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Bytes held in memory.
    pub fn memory_bytes(&self) -> usize {
        match self {
            SortedValues::Bytes { bytes, ends } => bytes.len() + 8 * ends.len(),
            SortedValues::Seen { bytes, ends, .. } => bytes.len() + 12 * ends.len(),
            SortedValues::Narrow(keys) => 8 * keys.len(),
            SortedValues::Wide(keys) => 16 * keys.len(),
        }
    }

    /// The value at `index`.
    ///
    /// # Panics
    /// When there is none.
    pub fn key(&self, index: usize) -> Key<'_> {
        match self {
            SortedValues::Bytes { bytes, ends } => Key::Bytes(slice_of(bytes, ends, index)),
            SortedValues::Seen { bytes, ends, order } => {
                Key::Bytes(slice_of(bytes, ends, self::index(order[index])))
            }
            SortedValues::Narrow(keys) => Key::Int(keys[index].into()),
            SortedValues::Wide(keys) => Key::Int(keys[index]),
        }
    }

    /// The values in `range` as an array of `data_type`.
    ///
    /// # Errors
    /// `Unsupported` beyond 2 GiB of text.
    ///
    /// # Panics
    /// When the range is outside the values.
    pub fn to_array(&self, range: Range<usize>, data_type: DataType) -> Result<ArrayRef> {
        match self {
            SortedValues::Bytes { bytes, ends } => {
                let start = if range.start == 0 { 0 } else { ends[range.start - 1] };
                let ends: Vec<usize> = ends[range].iter().map(|end| end - start).collect();
                let end = start + ends.last().copied().unwrap_or(0);
                bytes_array(bytes[start..end].to_vec(), &ends, data_type)
            }
            SortedValues::Seen { bytes, ends, order } => {
                let (bytes, ends) = gathered(bytes, ends, order[range].iter().copied());
                bytes_array(bytes, &ends, data_type)
            }
            SortedValues::Narrow(keys) => u64::to_array(&keys[range], data_type),
            SortedValues::Wide(keys) => u128::to_array(&keys[range], data_type),
        }
    }

    /// The values at `positions`, which ascend.
    ///
    /// # Panics
    /// When a position is outside the values.
    #[must_use]
    pub fn select(&self, positions: &[u32]) -> SortedValues {
        let indices = positions.iter().map(|position| index(*position));
        match self {
            SortedValues::Bytes { bytes, ends } => {
                let (bytes, ends) = gathered(bytes, ends, positions.iter().copied());
                SortedValues::Bytes { bytes, ends }
            }
            SortedValues::Seen { bytes, ends, order } => {
                let (bytes, ends) = gathered(bytes, ends, indices.map(|i| order[i]));
                SortedValues::Bytes { bytes, ends }
            }
            SortedValues::Narrow(keys) => SortedValues::Narrow(indices.map(|i| keys[i]).collect()),
            SortedValues::Wide(keys) => SortedValues::Wide(indices.map(|i| keys[i]).collect()),
        }
    }
}

/// The values at `indices`, one after the other, and where each ends.
fn gathered(
    bytes: &[u8],
    ends: &[usize],
    indices: impl ExactSizeIterator<Item = u32>,
) -> (Vec<u8>, Vec<usize>) {
    let mut kept = Vec::new();
    let mut kept_ends = Vec::with_capacity(indices.len());
    for value_idx in indices {
        kept.extend_from_slice(slice_of(bytes, ends, index(value_idx)));
        kept_ends.push(kept.len());
    }
    (kept, kept_ends)
}

/// An index in memory from a code, id or position.
pub(super) fn index(code: u32) -> usize {
    usize::try_from(code).expect("a usize has at least 32 bits")
}

/// A code, id or position from an index in memory.
///
/// # Panics
/// From 2^32 on: row groups and dictionaries have fewer values.
pub(super) fn code(index: usize) -> u32 {
    u32::try_from(index).expect("row groups and dictionaries have fewer than 2^32 values")
}

/// Value `index` of values that end at `ends`.
pub(super) fn slice_of<'a>(bytes: &'a [u8], ends: &[usize], index: usize) -> &'a [u8] {
    let start = if index == 0 { 0 } else { ends[index - 1] };
    &bytes[start..ends[index]]
}

/// The order of the distinct texts that `text(i)` gives for `0..len`: indices, ascending by text.
///
/// Multikey sort with cached bytes (Ng and Kakehi 2007): a group of texts that share their first
/// `depth` bytes is sorted by the next eight as integers; what is still equal is a new group. No
/// text is touched again for bytes that its neighbours share, and few cache misses are left.
pub(super) fn sort_texts<'a>(len: u32, text: impl Fn(u32) -> &'a [u8]) -> Vec<u32> {
    /// Groups up to this length are sorted by plain comparison.
    const SMALL_LEN: usize = 6;
    let mut entries: Vec<(u64, u32)> = (0..len).map(|index| (0, index)).collect();
    let mut groups = vec![(0..entries.len(), 0_usize)];
    while let Some((group, depth)) = groups.pop() {
        let entries = &mut entries[group.clone()];
        if entries.len() <= SMALL_LEN {
            entries.sort_unstable_by(|a, b| text(a.1)[depth..].cmp(&text(b.1)[depth..]));
            continue;
        }
        let depth = depth + shared_prefix_len(entries, depth, &text);
        for entry in &mut *entries {
            entry.0 = eight_bytes(&text(entry.1)[depth..]);
        }
        entries.sort_unstable_by_key(|entry| entry.0);
        let mut start = 0;
        for equal in entries.chunk_by_mut(|a, b| a.0 == b.0) {
            let end = start + equal.len();
            if equal.iter().any(|entry| text(entry.1).len() < depth + 8) {
                // A text that ends here and one that goes on with zero bytes have equal integers.
                equal.sort_unstable_by(|a, b| text(a.1)[depth..].cmp(&text(b.1)[depth..]));
            } else if equal.len() > 1 {
                groups.push((group.start + start..group.start + end, depth + 8));
            }
            start = end;
        }
    }
    entries.into_iter().map(|entry| entry.1).collect()
}

fn shared_prefix_len<'a>(
    entries: &[(u64, u32)],
    depth: usize,
    text: &impl Fn(u32) -> &'a [u8],
) -> usize {
    let first = &text(entries[0].1)[depth..];
    let mut len = first.len();
    for entry in &entries[1..] {
        let other = &text(entry.1)[depth..];
        len = first[..len].iter().zip(other).take_while(|(a, b)| a == b).count();
        if len == 0 {
            break;
        }
    }
    len
}

fn eight_bytes(text: &[u8]) -> u64 {
    if let Some(bytes) = text.first_chunk::<8>() {
        return u64::from_le_bytes(*bytes).swap_bytes();
    }
    let mut bytes = [0; 8];
    bytes[..text.len()].copy_from_slice(text);
    u64::from_le_bytes(bytes).swap_bytes()
}

#[cfg(test)]
mod tests {
    use proptest::collection::{btree_set, vec};
    use proptest::prelude::*;

    use super::*;

    #[expect(clippy::result_large_err, reason = "proptest's own error type")]
    mod twin {
        use super::*;
        proptest! {
            #[test]
            fn texts_sort_as_slices_do(
                texts in btree_set(vec(prop_oneof![Just(0_u8), Just(1), Just(97), any::<u8>()], 0..24), 0..200)
            ) {
                let mut texts: Vec<Vec<u8>> = texts.into_iter().rev().collect();
                let len = u32::try_from(texts.len()).unwrap();
                let order = sort_texts(len, |i| &texts[index(i)]);
                let sorted: Vec<Vec<u8>> = order.iter().map(|i| texts[index(*i)].clone()).collect();
                texts.sort();
                prop_assert_eq!(sorted, texts);
            }
        }
    }

    #[test]
    fn long_shared_prefixes_do_not_recurse() {
        let texts: Vec<Vec<u8>> =
            (0..100_u8).rev().map(|last| [vec![7; 100_000], vec![last]].concat()).collect();
        let order = sort_texts(100, |i| &texts[index(i)]);
        assert!(order.iter().rev().copied().eq(0..100));
    }

    #[test]
    fn a_selection_keeps_keys_and_arrays_in_step() -> Result<()> {
        let values = SortedValues::Bytes { bytes: b"aabccc".to_vec(), ends: vec![0, 2, 3, 6] };
        let kept = values.select(&[0, 1, 3]);
        assert_eq!(kept, SortedValues::Bytes { bytes: b"aaccc".to_vec(), ends: vec![0, 2, 5] });
        assert_eq!(kept.key(2), Key::Bytes(b"ccc"));
        let array = values.to_array(2..4, DataType::Utf8)?;
        assert_eq!(arrow::array::AsArray::as_string::<i32>(&array).value(1), "ccc");

        let order = [2, 3, 0, 1].into();
        let seen = SortedValues::Seen { bytes: b"bcccaa".to_vec(), ends: vec![1, 4, 4, 6], order };
        assert!((0..4).all(|position| seen.key(position) == values.key(position)));
        assert_eq!(seen.select(&[0, 1, 3]), kept);
        let array = seen.to_array(2..4, DataType::Utf8)?;
        assert_eq!(arrow::array::AsArray::as_string::<i32>(&array).value(1), "ccc");
        Ok(())
    }
}
