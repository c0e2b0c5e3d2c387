//! Rows kept by the partition of their key, so that each partition is grouped on its own, by one
//! worker, in a table that fits the cache, and nothing is merged.
//!
//! Rows are collected into chunks; a full chunk is sorted by partition (a counting sort), column by
//! column. So a partition's rows are one run in every chunk. Rows of a few keys that are known to be
//! frequent are given back instead: one of them alone would make its partition as long as all others.
//! Must not know accumulators.

use std::ops::Range;
use std::sync::Arc;

use arrow::array::{ArrayRef, UInt32Array};
use arrow::compute::{concat, take};

use super::groups::{KeySlice, Layout, PackedKey, partition_of};
use super::pages::Pages;
use super::{PARTITION_COUNT, Work};
use crate::context::{Context, Reservation};
use crate::exec::source::{ColumnKind, to_ids};
use crate::types::{Error, Result};
use crate::vector::{Batch, CodeBook, DictionaryVector, Vector};

/// Rows of a chunk: a run then has about 512.
const CHUNK_LEN: usize = PARTITION_COUNT * 512;

/// One worker's rows.
#[derive(Debug)]
pub(super) struct Scatter {
    rows: Rows,
    memory: Reservation,
}

#[derive(Debug)]
enum Rows {
    Narrow(RowsOf<u64>),
    Wide(RowsOf<u128>),
}

impl Scatter {
    /// No row yet; rows of the packed keys `frequent` are not wanted. `None` when the keys cannot be
    /// packed.
    pub(super) fn new(work: &Work, frequent: &[u128], context: &Context) -> Option<Scatter> {
        let layout = work.layout.as_ref()?;
        let rows = if layout.bits() <= u64::BITS {
            Rows::Narrow(RowsOf::new(layout.clone(), frequent, work))
        } else {
            Rows::Wide(RowsOf::new(layout.clone(), frequent, work))
        };
        Some(Scatter { rows, memory: context.memory.reservation("grouping") })
    }

    /// Takes a batch, and gives its rows of frequent keys, if it has any, to `give`: packed keys and
    /// inputs.
    ///
    /// # Errors
    /// Those of the expressions and of `give`; `OutOfMemory`.
    pub(super) fn update(
        &mut self,
        work: &Work,
        batch: &Batch,
        context: &Context,
        give: impl FnOnce(KeySlice<'_>, &[Vector]) -> Result<()>,
    ) -> Result<()> {
        let keys = work.keys.run(batch, context)?;
        let inputs = work.inputs.run(batch, context)?;
        let kinds = work.inputs.kinds();
        let bytes = match &mut self.rows {
            Rows::Narrow(rows) => {
                rows.update((&keys, inputs), kinds, batch.len(), |keys, inputs| {
                    give(KeySlice::Narrow(keys), inputs)
                })?
            }
            Rows::Wide(rows) => {
                rows.update((&keys, inputs), kinds, batch.len(), |keys, inputs| {
                    give(KeySlice::Wide(keys), inputs)
                })?
            }
        };
        self.memory.resize(bytes)
    }

    /// Sorts the rows of the last, short chunk.
    ///
    /// # Errors
    /// `OutOfMemory`.
    pub(super) fn close_chunk(&mut self) -> Result<()> {
        let bytes = match &mut self.rows {
            Rows::Narrow(rows) => rows.close_chunk()?,
            Rows::Wide(rows) => rows.close_chunk()?,
        };
        self.memory.resize(bytes)
    }

    /// Calls `visit` with each run of some neighbouring partitions: packed keys and inputs.
    ///
    /// # Errors
    /// Those of `visit`.
    pub(super) fn for_each_run(
        &self,
        partitions: Range<usize>,
        mut visit: impl FnMut(KeySlice<'_>, &[Vector]) -> Result<()>,
    ) -> Result<()> {
        match &self.rows {
            Rows::Narrow(rows) => {
                rows.runs(partitions, |keys, inputs| visit(KeySlice::Narrow(keys), inputs))
            }
            Rows::Wide(rows) => {
                rows.runs(partitions, |keys, inputs| visit(KeySlice::Wide(keys), inputs))
            }
        }
    }

    /// How many rows it has.
    pub(super) fn row_count(&self) -> usize {
        match &self.rows {
            Rows::Narrow(rows) => rows.row_count(),
            Rows::Wide(rows) => rows.row_count(),
        }
    }

    /// Bytes reserved.
    pub(super) fn memory_bytes(&self) -> usize {
        self.memory.bytes()
    }
}

#[derive(Debug)]
struct RowsOf<K> {
    layout: Layout,
    frequent: Vec<K>,
    /// Of the chunk that is being filled.
    keys: Vec<K>,
    inputs: Vec<Input>,
    chunks: Vec<Chunk<K>>,
    bytes: usize,
}

#[derive(Debug)]
struct Chunk<K> {
    keys: Pages<K>,
    inputs: Vec<Vector>,
    /// Where the run of each partition starts; then the end.
    starts: Vec<u32>,
}

/// An input of the rows of the chunk that is being filled.
#[derive(Debug)]
enum Input {
    Arrays(Vec<ArrayRef>),
    Ids(Vec<u32>, Arc<CodeBook>),
}

impl Input {
    fn new(kind: &ColumnKind) -> Input {
        match kind {
            ColumnKind::Flat { .. } => Input::Arrays(Vec::new()),
            ColumnKind::Dictionary { identity, .. } => Input::Ids(Vec::new(), Arc::clone(identity)),
        }
    }

    fn push(&mut self, vector: Vector, kind: &ColumnKind) -> Result<()> {
        match (self, to_ids(vector, kind)?) {
            (Input::Arrays(arrays), Vector::Flat(array)) => arrays.push(array),
            (Input::Ids(ids, _), Vector::Dictionary(vector)) => {
                ids.extend_from_slice(vector.codes());
            }
            _ => return Err(Error::internal("an input lost its dictionary")),
        }
        Ok(())
    }

    /// Empties it into a vector of the rows at `order`.
    fn sorted(&mut self, order: &UInt32Array) -> Result<Vector> {
        Ok(match self {
            Input::Arrays(arrays) => {
                let arrays = std::mem::take(arrays);
                let arrays: Vec<_> = arrays.iter().map(AsRef::as_ref).collect();
                Vector::Flat(take(concat(&arrays)?.as_ref(), order, None)?)
            }
            Input::Ids(ids, book) => {
                let sorted: Vec<u32> =
                    order.values().iter().map(|row| ids[*row as usize]).collect();
                ids.clear();
                Vector::Dictionary(DictionaryVector::new(sorted, Arc::clone(book)))
            }
        })
    }
}

impl<K: PackedKey> RowsOf<K> {
    fn new(layout: Layout, frequent: &[u128], work: &Work) -> RowsOf<K> {
        let frequent = frequent.iter().map(|key| K::default().with(*key, 0)).collect();
        let inputs = work.inputs.kinds().iter().map(Input::new).collect();
        RowsOf { layout, frequent, keys: Vec::new(), inputs, chunks: Vec::new(), bytes: 0 }
    }

    fn update(
        &mut self,
        (keys, mut inputs): (&[Vector], Vec<Vector>),
        kinds: &[ColumnKind],
        len: usize,
        give: impl FnOnce(&[K], &[Vector]) -> Result<()>,
    ) -> Result<usize> {
        if self.keys.len() + len > CHUNK_LEN {
            self.close_chunk()?;
        }
        if self.keys.capacity() == 0 {
            self.keys.reserve(CHUNK_LEN);
        }
        let start = self.keys.len();
        self.layout.pack(keys, len, &mut self.keys)?;
        if let Some((keys, rows, others)) = self.take_frequent(start) {
            give(&keys, &taken(&inputs, &rows)?)?;
            inputs = taken(&inputs, &others)?;
        }
        for ((input, vector), kind) in self.inputs.iter_mut().zip(inputs).zip(kinds) {
            input.push(vector, kind)?;
        }
        let open = self.keys.capacity() * size_of::<K>() + self.keys.len() * 8 * self.inputs.len();
        Ok(self.bytes + open)
    }

    /// Removes the frequent keys from `start` on: those keys, their rows from there, and the others.
    fn take_frequent(&mut self, start: usize) -> Option<(Vec<K>, Vec<u32>, Vec<u32>)> {
        let added = &mut self.keys[start..];
        let is_frequent = |key: &K| self.frequent.contains(key);
        if self.frequent.is_empty() || !added.iter().any(is_frequent) {
            return None;
        }
        let (rows, others): (Vec<u32>, Vec<u32>) =
            (0_u32..).take(added.len()).partition(|row| is_frequent(&added[*row as usize]));
        let keys = rows.iter().map(|row| added[*row as usize]).collect();
        for (place, row) in others.iter().enumerate() {
            added[place] = added[*row as usize];
        }
        self.keys.truncate(start + others.len());
        Some((keys, rows, others))
    }

    fn close_chunk(&mut self) -> Result<usize> {
        if self.keys.is_empty() {
            return Ok(self.bytes);
        }
        let partitions: Vec<u8> = self.keys.iter().map(|key| partition(*key)).collect();
        let mut starts = vec![0_u32; PARTITION_COUNT + 1];
        for partition in &partitions {
            starts[usize::from(*partition) + 1] += 1;
        }
        for partition in 0..PARTITION_COUNT {
            starts[partition + 1] += starts[partition];
        }
        let mut keys = Pages::zeroed(self.keys.len());
        let inputs = if self.inputs.is_empty() {
            sort_keys(&self.keys, &partitions, &starts, &mut keys, |_, _| {});
            Vec::new()
        } else {
            let mut order = vec![0_u32; self.keys.len()];
            sort_keys(&self.keys, &partitions, &starts, &mut keys, |place, row| {
                order[place as usize] = row;
            });
            let order = UInt32Array::from(order);
            self.inputs.iter_mut().map(|input| input.sorted(&order)).collect::<Result<_>>()?
        };
        self.keys.clear();
        let input_bytes: usize = inputs.iter().map(Vector::bytes).sum();
        self.bytes += keys.bytes() + input_bytes + starts.len() * size_of::<u32>();
        self.chunks.push(Chunk { keys, inputs, starts });
        Ok(self.bytes)
    }

    fn runs(
        &self,
        partitions: Range<usize>,
        mut visit: impl FnMut(&[K], &[Vector]) -> Result<()>,
    ) -> Result<()> {
        for chunk in &self.chunks {
            let start = chunk.starts[partitions.start] as usize;
            let end = chunk.starts[partitions.end] as usize;
            if start < end {
                let inputs: Vec<Vector> =
                    chunk.inputs.iter().map(|input| input.slice(start, end - start)).collect();
                visit(&chunk.keys[start..end], &inputs)?;
            }
        }
        Ok(())
    }

    fn row_count(&self) -> usize {
        self.keys.len() + self.chunks.iter().map(|chunk| chunk.keys.len()).sum::<usize>()
    }
}

/// Puts each key at the next place of its partition; tells `moved` the place and the row.
#[inline]
fn sort_keys<K: PackedKey>(
    keys: &[K],
    partitions: &[u8],
    starts: &[u32],
    sorted: &mut [K],
    mut moved: impl FnMut(u32, u32),
) {
    let mut next = starts.to_vec();
    for ((row, key), partition) in (0_u32..).zip(keys).zip(partitions) {
        let place = &mut next[usize::from(*partition)];
        sorted[*place as usize] = *key;
        moved(*place, row);
        *place += 1;
    }
}

fn taken(inputs: &[Vector], rows: &[u32]) -> Result<Vec<Vector>> {
    inputs.iter().map(|input| input.take(rows)).collect()
}

fn partition<K: PackedKey>(key: K) -> u8 {
    u8::try_from(partition_of(key.hash(), PARTITION_COUNT)).expect("at most 256 partitions")
}
