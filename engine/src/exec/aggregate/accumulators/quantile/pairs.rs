//! Pairs of a group and a key, put in the order of groups.
//!
//! Rows are collected until a chunk is full, which is then sorted by group: by counting, where the groups
//! are few enough for their places to stay in a cache, else by ranges of groups first. A chunk
//! has several rows for each group, so that where its groups start takes less memory than their keys.
//! Chunks stay as they are: the keys of a group are a piece of each, and what another worker has sorted
//! is taken over. Must not know what the keys mean.

use std::sync::Arc;

use rayon::prelude::*;

use super::Groups;

/// Rows of a chunk, at least: they are sorted inside a cache.
const CHUNK_LEN_MIN: usize = if cfg!(test) { 50 } else { 1 << 16 };
/// Rows of a chunk for each group.
const ROWS_PER_GROUP: usize = 8;
/// Groups that are sorted by counting alone.
const COUNTED_GROUPS_MAX: usize = if cfg!(test) { 8 } else { 1 << 15 };
/// Ranges of groups by which rows are sorted first, where there are more groups.
const RANGE_COUNT: usize = 256;
/// Groups whose results one worker makes at once.
const SHARED_GROUPS: usize = 64;
/// Stands for no group.
const NO_GROUP: u32 = u32::MAX;

/// Keys by group.
#[derive(Debug, Default)]
pub(super) struct Pairs {
    /// Of the rows that are in no chunk yet.
    groups: Vec<u32>,
    keys: Vec<u64>,
    /// Room for as many rows by range of groups.
    ranged: (Vec<u32>, Vec<u64>),
    /// More keys of group 0: all, where nothing is grouped.
    of_first: Vec<u64>,
    chunks: Vec<Chunk>,
    parts: Vec<Part>,
}

/// Keys in the order of their groups.
#[derive(Debug)]
struct Chunk {
    keys: Vec<u64>,
    /// Where the keys of each group start, and where the last ones end.
    starts: Vec<u32>,
}

/// What was settled together.
#[derive(Debug)]
struct Part {
    chunks: Arc<Vec<Chunk>>,
    /// By group, its number in the chunks; `None` where that is the group itself.
    numbers: Option<Vec<u32>>,
}

impl Pairs {
    /// Adds each key to its group, of which there are `group_count`.
    pub(super) fn add(&mut self, groups: Groups<'_>, keys: &[u64], group_count: usize) {
        match groups {
            Groups::First(_) => self.of_first.extend_from_slice(keys),
            Groups::Each(groups) => {
                self.groups.extend_from_slice(groups);
                self.keys.extend_from_slice(keys);
                self.close_full_chunk(group_count);
            }
        }
    }

    /// Adds keys to one group, of `group_count`.
    pub(super) fn extend(
        &mut self,
        group: u32,
        keys: impl Iterator<Item = u64>,
        group_count: usize,
    ) {
        self.keys.extend(keys);
        self.groups.resize(self.keys.len(), group);
        self.close_full_chunk(group_count);
    }

    fn close_full_chunk(&mut self, group_count: usize) {
        if self.keys.len() >= CHUNK_LEN_MIN.max(group_count * ROWS_PER_GROUP) {
            self.close_chunk(group_count);
        }
    }

    fn close_chunk(&mut self, group_count: usize) {
        if self.keys.is_empty() {
            return;
        }
        self.chunks.push(if group_count <= COUNTED_GROUPS_MAX {
            Chunk::new(&self.groups, &self.keys, group_count)
        } else {
            let (groups, keys) = &mut self.ranged;
            groups.resize(self.groups.len(), 0);
            keys.resize(self.keys.len(), 0);
            sort_by_range((&self.groups, &self.keys), (groups, keys), group_count);
            Chunk::new(groups, keys, group_count)
        });
        self.groups.clear();
        self.keys.clear();
    }

    /// Whether [`Pairs::of`] may be asked.
    pub(super) fn is_settled(&self) -> bool {
        self.keys.is_empty() && self.chunks.is_empty() && self.of_first.is_empty()
    }

    /// Puts all keys in the order of their groups, of which there are `group_count`.
    pub(super) fn settle(&mut self, group_count: usize) {
        if self.is_settled() {
            return;
        }
        self.close_chunk(group_count);
        let mut chunks = std::mem::take(&mut self.chunks);
        let mut first = std::mem::take(&mut self.of_first);
        while !first.is_empty() {
            let rest = first.split_off(first.len().min(u32::MAX as usize));
            chunks.push(Chunk { starts: vec![0, narrow(first.len())], keys: first });
            first = rest;
        }
        self.parts.push(Part { chunks: Arc::new(chunks), numbers: None });
        (self.groups, self.keys) = (Vec::new(), Vec::new());
        self.ranged = (Vec::new(), Vec::new());
    }

    /// Takes over the groups `from` of `other` as the groups `to`, of `group_count`.
    ///
    /// # Panics
    /// Unless `other` is settled.
    pub(super) fn absorb(
        &mut self,
        other: &Pairs,
        (from, to): (&[u32], &[u32]),
        group_count: usize,
    ) {
        assert!(other.is_settled(), "keys are in the order of groups once they are settled");
        for part in &other.parts {
            let mut numbers = vec![NO_GROUP; group_count];
            for (from, to) in from.iter().zip(to) {
                numbers[*to as usize] = part.number(*from);
            }
            self.parts.push(Part { chunks: Arc::clone(&part.chunks), numbers: Some(numbers) });
        }
    }

    /// The keys of a group, in pieces.
    ///
    /// # Panics
    /// Unless the pairs are settled.
    pub(super) fn of(&self, group: u32) -> impl Iterator<Item = &[u64]> {
        assert!(self.is_settled(), "keys are in the order of groups once they are settled");
        self.parts.iter().flat_map(move |part| part.of(group)).filter(|keys| !keys.is_empty())
    }

    /// What `result` gives for the keys of each group; it may use the scratch space as it likes. On the
    /// pool's workers when called on one of them.
    ///
    /// # Panics
    /// Unless the pairs are settled.
    pub(super) fn map(
        &self,
        group_count: usize,
        result: impl Fn(&[&[u64]], &mut Vec<u64>) -> Option<u64> + Sync,
    ) -> Vec<Option<u64>> {
        let groups: Vec<u32> = (0..narrow(group_count)).collect();
        let of_some = |groups: &[u32]| -> Vec<Option<u64>> {
            let (mut pieces, mut scratch) = (Vec::new(), Vec::new());
            let one = |group: &u32| {
                pieces.clear();
                pieces.extend(self.of(*group));
                result(&pieces, &mut scratch)
            };
            groups.iter().map(one).collect()
        };
        if is_worker() {
            groups.par_chunks(SHARED_GROUPS).flat_map_iter(of_some).collect()
        } else {
            of_some(&groups)
        }
    }

    /// Bytes held.
    pub(super) fn bytes(&self) -> usize {
        let settled = self.parts.iter().flat_map(|part| part.chunks.iter());
        let numbers = self.parts.iter().flat_map(|part| &part.numbers).map(Vec::capacity);
        let groups = self.groups.capacity() + self.ranged.0.capacity() + numbers.sum::<usize>();
        let keys = self.keys.capacity() + self.ranged.1.capacity() + self.of_first.capacity();
        groups * size_of::<u32>()
            + keys * size_of::<u64>()
            + self.chunks.iter().chain(settled).map(Chunk::bytes).sum::<usize>()
    }
}

/// Whether parallel iterators would run on the query's pool.
pub(super) fn is_worker() -> bool {
    rayon::current_thread_index().is_some()
}

fn narrow(count: usize) -> u32 {
    u32::try_from(count).expect("group numbers and chunks' lengths are u32")
}

/// Writes rows in the order of ranges of their groups, of which there are `group_count`, otherwise as
/// they are: a counting sort. Groups of a range are neighbours also where they are sorted to at last.
fn sort_by_range(
    (groups, keys): (&[u32], &[u64]),
    (ranged_groups, ranged_keys): (&mut [u32], &mut [u64]),
    group_count: usize,
) {
    let shift = group_count.div_ceil(RANGE_COUNT).next_power_of_two().trailing_zeros();
    let range_of = |group: u32| (group >> shift) as usize;
    let mut next = [0_usize; RANGE_COUNT + 1];
    for group in groups {
        next[range_of(*group) + 1] += 1;
    }
    add_up(&mut next);
    for (group, key) in groups.iter().zip(keys) {
        let place = &mut next[range_of(*group)];
        ranged_groups[*place] = *group;
        ranged_keys[*place] = *key;
        *place += 1;
    }
}

/// Counts, each behind its place, become sums of all before.
fn add_up<T: Copy + Default + std::ops::AddAssign>(counts: &mut [T]) {
    let mut sum = T::default();
    for count in counts {
        sum += *count;
        *count = sum;
    }
}

impl Part {
    fn number(&self, group: u32) -> u32 {
        match &self.numbers {
            None => group,
            Some(numbers) => numbers.get(group as usize).copied().unwrap_or(NO_GROUP),
        }
    }

    fn of(&self, group: u32) -> impl Iterator<Item = &[u64]> {
        let number = self.number(group) as usize;
        self.chunks.iter().map(move |chunk| chunk.of(number))
    }
}

impl Chunk {
    /// The rows in the order of their groups, of which there are `group_count`: a counting sort.
    fn new(groups: &[u32], keys: &[u64], group_count: usize) -> Chunk {
        let mut starts = vec![0_u32; group_count + 1];
        for group in groups {
            starts[*group as usize + 1] += 1;
        }
        add_up(&mut starts);
        let mut next = starts.clone();
        let mut sorted = vec![0; keys.len()];
        for (group, key) in groups.iter().zip(keys) {
            let place = &mut next[*group as usize];
            sorted[*place as usize] = *key;
            *place += 1;
        }
        Chunk { keys: sorted, starts }
    }

    /// The keys of a group; none of one that came after.
    fn of(&self, group: usize) -> &[u64] {
        match self.starts.get(group..).and_then(|starts| starts.first_chunk()) {
            Some([start, end]) => &self.keys[*start as usize..*end as usize],
            None => &[],
        }
    }

    fn bytes(&self) -> usize {
        self.keys.capacity() * size_of::<u64>() + self.starts.capacity() * size_of::<u32>()
    }
}

#[cfg(test)]
#[expect(clippy::result_large_err, reason = "proptest's error type")]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The keys of a group, ascending.
    fn keys_of(pairs: &Pairs, group: u32) -> Vec<u64> {
        let mut keys: Vec<u64> = pairs.of(group).flatten().copied().collect();
        keys.sort_unstable();
        keys
    }

    fn fed(batches: &[Vec<(u32, u64)>], group_count: usize) -> Pairs {
        let mut pairs = Pairs::default();
        for batch in batches {
            let (groups, keys): (Vec<u32>, Vec<u64>) = batch.iter().copied().unzip();
            pairs.add(Groups::Each(&groups), &keys, group_count);
        }
        pairs.settle(group_count);
        pairs
    }

    proptest! {
        #[test]
        fn a_group_has_its_keys_whatever_chunks_they_came_to(
            group_count in prop_oneof![1_u32..12, 300_u32..1_000],
            batches in prop::collection::vec(
                prop::collection::vec((any::<u32>(), 0_u64..1_000), 0..90), 0..20,
            ),
        ) {
            let in_groups = |row: &(u32, u64)| (row.0 % group_count, row.1);
            let batches: Vec<Vec<(u32, u64)>> =
                batches.iter().map(|batch| batch.iter().map(in_groups).collect()).collect();
            let pairs = fed(&batches, group_count as usize);
            // Another worker's groups are the same ones, backwards.
            let mut both = fed(&batches, group_count as usize);
            let from: Vec<u32> = (0..group_count).collect();
            let to: Vec<u32> = from.iter().rev().copied().collect();
            both.absorb(&pairs, (&from, &to), group_count as usize);
            for group in 0..group_count {
                let of = |group: u32| batches.iter().flatten().filter(move |row| row.0 == group);
                let mut expected: Vec<u64> = of(group).map(|row| row.1).collect();
                expected.sort_unstable();
                prop_assert_eq!(keys_of(&pairs, group), expected.clone());
                expected.extend(of(group_count - 1 - group).map(|row| row.1));
                expected.sort_unstable();
                prop_assert_eq!(keys_of(&both, group), expected);
            }
            prop_assert_eq!(keys_of(&both, group_count), Vec::<u64>::new());
        }
    }
}
