//! The best candidates of each partition.
//!
//! Where few are kept, those of a partition lie side by side in order; else they are a heap. Must not
//! know what rows hold.

use std::cmp::Ordering;
use std::collections::BinaryHeap;

use rayon::prelude::*;

use super::super::gather::Pick;
use crate::types::Result;

/// Partitions that are worth a worker's while.
const TASK_PARTITIONS: usize = 4_096;
/// Candidates of a partition that are kept side by side.
const SIDE_BY_SIDE_MAX: usize = 4;

/// A row that may be among the first of its partition.
#[derive(Clone, Debug, Default)]
pub(super) struct Candidate {
    /// Empty where the prefix says as much.
    pub(super) key: Box<[u8]>,
    /// Where the row comes in the input: morsel, then row.
    pub(super) place: u64,
    pub(super) prefix: u64,
    pub(super) pick: Pick,
}

impl Ord for Candidate {
    fn cmp(&self, other: &Candidate) -> Ordering {
        self.order_of_keys((other.prefix, &other.key)).then(self.place.cmp(&other.place))
    }
}

impl Candidate {
    pub(super) fn order_of_keys(&self, (prefix, key): (u64, &[u8])) -> Ordering {
        // Most differ in the prefix, which spares a look at the key; a look at no bytes is slow too.
        let by_key = || if key.is_empty() { Ordering::Equal } else { self.key.as_ref().cmp(key) };
        self.prefix.cmp(&prefix).then_with(by_key)
    }
}

impl PartialOrd for Candidate {
    fn partial_cmp(&self, other: &Candidate) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Candidate {
    fn eq(&self, other: &Candidate) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Candidate {}

/// The least candidates of each partition, at most `limit`.
#[derive(Debug)]
pub(super) struct Kept {
    limit: usize,
    partitions: Partitions,
}

#[derive(Debug)]
enum Partitions {
    /// `limit` places for each, of which so many are taken, in order.
    SideBySide { places: Vec<Candidate>, counts: Vec<u8> },
    /// The greatest on top.
    Heaps(Vec<BinaryHeap<Candidate>>),
}

impl Kept {
    /// Without partitions.
    pub(super) fn new(limit: usize) -> Kept {
        let partitions = if limit <= SIDE_BY_SIDE_MAX {
            Partitions::SideBySide { places: Vec::new(), counts: Vec::new() }
        } else {
            Partitions::Heaps(Vec::new())
        };
        Kept { limit, partitions }
    }

    /// How many partitions there are.
    pub(super) fn len(&self) -> usize {
        match &self.partitions {
            Partitions::SideBySide { counts, .. } => counts.len(),
            Partitions::Heaps(heaps) => heaps.len(),
        }
    }

    /// Makes room for `count` partitions.
    pub(super) fn resize(&mut self, count: usize) {
        match &mut self.partitions {
            Partitions::SideBySide { places, counts } => {
                places.resize_with(count * self.limit, Candidate::default);
                counts.resize(count, 0);
            }
            Partitions::Heaps(heaps) => heaps.resize_with(count, BinaryHeap::new),
        }
    }

    /// The greatest candidate of a partition that has as many as are kept.
    pub(super) fn worst(&self, partition: usize) -> Option<&Candidate> {
        match &self.partitions {
            Partitions::SideBySide { places, counts } => {
                let is_full = usize::from(counts[partition]) == self.limit;
                (is_full && self.limit > 0).then(|| &places[(partition + 1) * self.limit - 1])
            }
            Partitions::Heaps(heaps) => {
                heaps[partition].peek().filter(|_| heaps[partition].len() >= self.limit)
            }
        }
    }

    /// Puts a candidate into a partition; gives the one that is too many then.
    pub(super) fn put(&mut self, partition: usize, candidate: Candidate) -> Option<Candidate> {
        match &mut self.partitions {
            Partitions::SideBySide { places, counts } => {
                let places = &mut places[partition * self.limit..][..self.limit];
                let count = &mut counts[partition];
                let mut rest = candidate;
                for place in &mut places[..usize::from(*count)] {
                    if rest < *place {
                        std::mem::swap(&mut rest, place);
                    }
                }
                match places.get_mut(usize::from(*count)) {
                    Some(place) => {
                        *place = rest;
                        *count += 1;
                        None
                    }
                    None => Some(rest),
                }
            }
            Partitions::Heaps(heaps) => {
                let heap = &mut heaps[partition];
                heap.push(candidate);
                if heap.len() > self.limit { heap.pop() } else { None }
            }
        }
    }

    /// Calls `visit` with each candidate's pick.
    ///
    /// # Errors
    /// Those of `visit`.
    pub(super) fn for_each_pick(
        &mut self,
        mut visit: impl FnMut(&mut Pick) -> Result<()>,
    ) -> Result<()> {
        match &mut self.partitions {
            Partitions::SideBySide { places, counts } => {
                for (places, count) in places.chunks_mut(self.limit.max(1)).zip(counts) {
                    for candidate in &mut places[..usize::from(*count)] {
                        visit(&mut candidate.pick)?;
                    }
                }
            }
            Partitions::Heaps(heaps) => {
                for heap in heaps {
                    let mut candidates = std::mem::take(heap).into_vec();
                    for candidate in &mut candidates {
                        visit(&mut candidate.pick)?;
                    }
                    *heap = candidates.into();
                }
            }
        }
        Ok(())
    }

    /// Gives every candidate out, with its partition.
    pub(super) fn drain(self, mut give: impl FnMut(usize, Candidate)) {
        match self.partitions {
            Partitions::SideBySide { mut places, counts } => {
                let partitions = places.chunks_mut(self.limit.max(1)).zip(counts).enumerate();
                for (partition, (places, count)) in partitions {
                    let taken = places[..usize::from(count)].iter_mut().map(std::mem::take);
                    taken.for_each(|candidate| give(partition, candidate));
                }
            }
            Partitions::Heaps(heaps) => {
                for (partition, heap) in heaps.into_iter().enumerate() {
                    for candidate in heap {
                        give(partition, candidate);
                    }
                }
            }
        }
    }

    /// What `make` appends for the candidates of each partition, which it is given in order; on all
    /// workers of the pool that this is called in.
    pub(super) fn map<T: Send>(self, make: impl Fn(&[Candidate], &mut Vec<T>) + Sync) -> Vec<T> {
        let limit = self.limit.max(1);
        match self.partitions {
            Partitions::SideBySide { places, counts } => places
                .par_chunks(limit * TASK_PARTITIONS)
                .zip(counts.par_chunks(TASK_PARTITIONS))
                .flat_map_iter(|(places, counts)| {
                    let mut made = Vec::with_capacity(places.len());
                    for (places, count) in places.chunks(limit).zip(counts) {
                        make(&places[..usize::from(*count)], &mut made);
                    }
                    made
                })
                .collect(),
            Partitions::Heaps(heaps) => heaps
                .into_par_iter()
                .flat_map_iter(|heap| {
                    let mut made = Vec::with_capacity(heap.len());
                    make(&heap.into_sorted_vec(), &mut made);
                    made
                })
                .collect(),
        }
    }

    /// Bytes held by `candidate_count` candidates, without those of their keys.
    pub(super) fn bytes(&self, candidate_count: usize) -> usize {
        match &self.partitions {
            Partitions::SideBySide { places, counts } => {
                places.capacity() * size_of::<Candidate>() + counts.capacity()
            }
            Partitions::Heaps(heaps) => {
                heaps.capacity() * size_of::<BinaryHeap<Candidate>>()
                    + candidate_count * size_of::<Candidate>()
            }
        }
    }
}
