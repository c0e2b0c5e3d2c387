//! Merges sorted sources of values into one run.
//!
//! Sources may share values; the run holds each once, and every source learns where its own went.
//! Must not know what the sources are: local dictionaries in memory, spilled ones, or runs.

use std::cmp::Ordering;
use std::sync::Arc;

use super::run::Chunk;
use super::sorted::index;
use super::{Key, Run, RunWriter, SortedValues};
use crate::context::CancelToken;
use crate::types::{Error, Result};

/// Ascending distinct values, one at a time.
pub trait SortedCursor {
    /// The current value; `None` after the last.
    fn peek(&self) -> Option<Key<'_>>;

    /// Goes to the next value.
    ///
    /// # Errors
    /// When it cannot be read.
    fn advance(&mut self) -> Result<()>;
}

/// Values in memory.
#[derive(Debug)]
pub struct ValuesCursor<'a> {
    values: &'a SortedValues,
    position: usize,
}

impl<'a> ValuesCursor<'a> {
    /// Starts at the first of `values`.
    pub fn new(values: &'a SortedValues) -> ValuesCursor<'a> {
        ValuesCursor { values, position: 0 }
    }
}

impl SortedCursor for ValuesCursor<'_> {
    fn peek(&self) -> Option<Key<'_>> {
        (self.position < self.values.len()).then(|| self.values.key(self.position))
    }

    fn advance(&mut self) -> Result<()> {
        self.position += 1;
        Ok(())
    }
}

/// The values of a run, one chunk in memory.
#[derive(Debug)]
pub struct RunCursor<'a> {
    run: &'a Run,
    chunk_idx: usize,
    chunk: Option<Arc<Chunk>>,
    position: usize,
}

impl<'a> RunCursor<'a> {
    /// Starts at the first value of `run`.
    ///
    /// # Errors
    /// When the first chunk cannot be read.
    pub fn new(run: &'a Run) -> Result<RunCursor<'a>> {
        let mut cursor = RunCursor { run, chunk_idx: 0, chunk: None, position: 0 };
        cursor.open()?;
        Ok(cursor)
    }

    fn open(&mut self) -> Result<()> {
        self.position = 0;
        self.chunk = None;
        if self.chunk_idx < self.run.chunk_count() {
            self.chunk = Some(Arc::new(self.run.read_chunk(self.chunk_idx)?));
        }
        Ok(())
    }
}

impl SortedCursor for RunCursor<'_> {
    fn peek(&self) -> Option<Key<'_>> {
        Some(self.chunk.as_ref()?.key(self.position))
    }

    fn advance(&mut self) -> Result<()> {
        self.position += 1;
        if self.chunk.as_ref().is_some_and(|chunk| self.position == chunk.len()) {
            self.chunk_idx += 1;
            self.open()?;
        }
        Ok(())
    }
}

/// Merges `sources` into `writer`; `placed(source, position)` is called for every value of every
/// source, in the source's order, with its position in the run.
///
/// # Errors
/// `Cancelled`; as reading a source or writing the run.
pub fn merge(
    sources: &mut [Box<dyn SortedCursor + '_>],
    writer: &mut RunWriter<'_>,
    cancel: &CancelToken,
    mut placed: impl FnMut(usize, u32),
) -> Result<()> {
    /// Values between two looks at the cancel token.
    const CHECK_LEN: usize = 16_384;
    let mut heap: Vec<usize> =
        (0..sources.len()).filter(|source| sources[*source].peek().is_some()).collect();
    for root in (0..heap.len() / 2).rev() {
        sift_down(&mut heap, root, sources);
    }
    let mut equal = Vec::new();
    while let Some(least) = heap.first().copied() {
        if writer.len().is_multiple_of(CHECK_LEN) {
            cancel.check()?;
        }
        equal.clear();
        let Some(key) = sources[least].peek() else {
            return Err(Error::internal("a merge kept a source that had ended"));
        };
        let position = writer.push(key)?;
        collect_equal(&heap, 0, key, sources, &mut equal);
        // Deeper entries first, so that a sift never moves one that is still to come.
        equal.sort_unstable_by(|a, b| b.cmp(a));
        for slot in &equal {
            placed(heap[*slot], position);
            sources[heap[*slot]].advance()?;
        }
        for slot in &equal {
            settle(&mut heap, *slot, sources);
        }
    }
    Ok(())
}

/// The slots of the heap whose source stands at `key`, the least value: a subtree around the root.
fn collect_equal(
    heap: &[usize],
    slot: usize,
    key: Key<'_>,
    sources: &[Box<dyn SortedCursor + '_>],
    equal: &mut Vec<usize>,
) {
    if slot < heap.len() && sources[heap[slot]].peek() == Some(key) {
        equal.push(slot);
        collect_equal(heap, 2 * slot + 1, key, sources, equal);
        collect_equal(heap, 2 * slot + 2, key, sources, equal);
    }
}

/// Puts the source in `slot`, which has moved on, in its place; drops it when it is at its end.
fn settle(heap: &mut Vec<usize>, slot: usize, sources: &[Box<dyn SortedCursor + '_>]) {
    if sources[heap[slot]].peek().is_none() {
        heap.swap_remove(slot);
        if slot == heap.len() {
            return;
        }
    }
    sift_down(heap, slot, sources);
}

fn sift_down(heap: &mut [usize], mut slot: usize, sources: &[Box<dyn SortedCursor + '_>]) {
    let less = |a: usize, b: usize| sources[a].peek().cmp(&sources[b].peek()) == Ordering::Less;
    loop {
        let mut child = 2 * slot + 1;
        if child >= heap.len() {
            return;
        }
        if child + 1 < heap.len() && less(heap[child + 1], heap[child]) {
            child += 1;
        }
        if !less(heap[child], heap[slot]) {
            return;
        }
        heap.swap(slot, child);
        slot = child;
    }
}

/// Where the values of a dictionary went: new ids by old id.
pub(super) struct Translation {
    bases: Vec<u32>,
    next: Vec<u32>,
    new_ids: Vec<u32>,
}

impl Translation {
    /// For runs of these lengths.
    pub(super) fn new(lens: &[u32]) -> Translation {
        let mut bases = Vec::with_capacity(lens.len());
        let mut total = 0;
        for len in lens {
            bases.push(total);
            total += len;
        }
        Translation { next: vec![0; bases.len()], bases, new_ids: vec![0; index(total)] }
    }

    /// The next value of `run` has the new id `id`.
    pub(super) fn place(&mut self, run: usize, id: u32) {
        self.new_ids[index(self.bases[run] + self.next[run])] = id;
        self.next[run] += 1;
    }

    /// All new ids.
    pub(super) fn into_ids(self) -> Vec<u32> {
        self.new_ids
    }
}
