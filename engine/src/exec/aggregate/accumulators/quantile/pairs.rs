//! Pairs of a group and a key, put in the order of groups at the end.
//!
//! Rows are collected into chunks; a full chunk is sorted into lists, chosen by the low bits of the group
//! (a counting sort). A list is short enough to be put in the order of its groups inside a cache, and
//! lists need nothing of each other, so that workers share them. What another worker has put in order
//! is taken over as it is. Must not know what the keys mean.

use std::sync::Arc;

use rayon::prelude::*;

use super::Groups;

/// How many lists there are.
const LIST_COUNT: usize = 64;
/// Rows of a chunk: they are sorted inside a cache.
const CHUNK_LEN: usize = if cfg!(test) { 50 } else { 1 << 16 };
/// Stands for no group.
const NO_GROUP: u32 = u32::MAX;

/// Keys by group.
#[derive(Debug, Default)]
pub(super) struct Pairs {
    /// Of the rows that are in no chunk yet.
    groups: Vec<u32>,
    keys: Vec<u64>,
    chunks: Vec<Chunk>,
    /// More keys of group 0: all, where nothing is grouped.
    of_first: Vec<u64>,
    parts: Vec<Part>,
}

/// Rows in the order of their lists.
#[derive(Debug)]
struct Chunk {
    keys: Vec<u64>,
    /// The number of each key's group in its list.
    locals: Vec<u32>,
    /// Where each list starts; then the end.
    starts: Vec<u32>,
}

/// Keys in the order of their groups.
#[derive(Debug)]
struct Part {
    lists: Arc<Vec<List>>,
    /// By group, its number in the lists; `None` where that is the group itself.
    numbers: Option<Vec<u32>>,
}

/// The keys of the groups `LIST_COUNT` × local + the list's number.
#[derive(Debug)]
struct List {
    keys: Vec<u64>,
    /// Where the keys of each local group start, and where the last ones end.
    starts: Vec<usize>,
}

impl Pairs {
    /// Adds each key to its group.
    pub(super) fn add(&mut self, groups: Groups<'_>, keys: &[u64]) {
        match groups {
            Groups::First(_) => self.of_first.extend_from_slice(keys),
            Groups::Each(groups) => {
                self.groups.extend_from_slice(groups);
                self.keys.extend_from_slice(keys);
                self.close_full_chunk();
            }
        }
    }

    /// Adds keys to one group.
    pub(super) fn extend(&mut self, group: u32, keys: impl Iterator<Item = u64>) {
        self.keys.extend(keys);
        self.groups.resize(self.keys.len(), group);
        self.close_full_chunk();
    }

    fn close_full_chunk(&mut self) {
        if self.keys.len() >= CHUNK_LEN {
            self.close_chunk();
        }
    }

    fn close_chunk(&mut self) {
        if self.keys.is_empty() {
            return;
        }
        let mut starts = vec![0_u32; LIST_COUNT + 1];
        for group in &self.groups {
            starts[list_of(*group) + 1] += 1;
        }
        for list in 0..LIST_COUNT {
            starts[list + 1] += starts[list];
        }
        let mut next = starts.clone();
        let (mut keys, mut locals) = (vec![0; self.keys.len()], vec![0; self.keys.len()]);
        for (group, key) in self.groups.iter().zip(&self.keys) {
            let place = &mut next[list_of(*group)];
            keys[*place as usize] = *key;
            locals[*place as usize] = group / LIST_COUNT_U32;
            *place += 1;
        }
        self.chunks.push(Chunk { keys, locals, starts });
        self.groups.clear();
        self.keys.clear();
    }

    /// Whether [`Pairs::of`] may be asked.
    pub(super) fn is_settled(&self) -> bool {
        self.keys.is_empty() && self.chunks.is_empty() && self.of_first.is_empty()
    }

    /// Puts the keys in the order of their groups, of which there are `group_count`; on the pool's
    /// workers when called on one of them.
    pub(super) fn settle(&mut self, group_count: usize) {
        if self.is_settled() {
            return;
        }
        self.close_chunk();
        let chunks = std::mem::take(&mut self.chunks);
        let mut of_first = vec![std::mem::take(&mut self.of_first)];
        of_first.resize_with(LIST_COUNT, Vec::new);
        let settle = |(number, first): (usize, Vec<u64>)| {
            List::new(first, number, &chunks, local_count(group_count, number))
        };
        let lists = if is_worker() {
            of_first.into_par_iter().enumerate().map(settle).collect()
        } else {
            of_first.into_iter().enumerate().map(settle).collect()
        };
        self.parts.push(Part { lists: Arc::new(lists), numbers: None });
        (self.groups, self.keys) = (Vec::new(), Vec::new());
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
            self.parts.push(Part { lists: Arc::clone(&part.lists), numbers: Some(numbers) });
        }
    }

    /// The keys of a group, in pieces.
    ///
    /// # Panics
    /// Unless the pairs are settled.
    pub(super) fn of(&self, group: u32) -> impl Iterator<Item = &[u64]> {
        assert!(self.is_settled(), "keys are in the order of groups once they are settled");
        self.parts.iter().map(move |part| part.of(group)).filter(|keys| !keys.is_empty())
    }

    /// What `result` gives for the keys of each group; it may use the scratch space as it likes.
    ///
    /// # Panics
    /// Unless the pairs are settled.
    pub(super) fn map(
        &self,
        group_count: usize,
        result: impl Fn(&[&[u64]], &mut Vec<u64>) -> Option<u64> + Sync,
    ) -> Vec<Option<u64>> {
        let groups: Vec<u32> = (0..group_count)
            .map(|group| u32::try_from(group).expect("group numbers are u32"))
            .collect();
        let of_some = |groups: &[u32]| -> Vec<Option<u64>> {
            let mut scratch = Vec::new();
            let one = |group: &u32| {
                let pieces: Vec<&[u64]> = self.of(*group).collect();
                result(&pieces, &mut scratch)
            };
            groups.iter().map(one).collect()
        };
        if is_worker() {
            groups.par_chunks(LIST_COUNT).flat_map_iter(of_some).collect()
        } else {
            of_some(&groups)
        }
    }

    /// Bytes held.
    pub(super) fn bytes(&self) -> usize {
        let of_chunk = |chunk: &Chunk| chunk.keys.len() * (size_of::<u64>() + size_of::<u32>());
        let lists = self.parts.iter().flat_map(|part| part.lists.iter());
        self.groups.capacity() * size_of::<u32>()
            + (self.keys.capacity() + self.of_first.capacity()) * size_of::<u64>()
            + self.chunks.iter().map(of_chunk).sum::<usize>()
            + lists.map(List::bytes).sum::<usize>()
    }
}

fn list_of(group: u32) -> usize {
    group as usize % LIST_COUNT
}

#[expect(clippy::cast_possible_truncation, reason = "64")]
const LIST_COUNT_U32: u32 = LIST_COUNT as u32;

/// How many of the groups are in the list of this number.
fn local_count(group_count: usize, number: usize) -> usize {
    (group_count + LIST_COUNT - 1 - number) / LIST_COUNT
}

/// Whether parallel iterators would run on the query's pool.
pub(super) fn is_worker() -> bool {
    rayon::current_thread_index().is_some()
}

impl Part {
    fn number(&self, group: u32) -> u32 {
        match &self.numbers {
            None => group,
            Some(numbers) => numbers.get(group as usize).copied().unwrap_or(NO_GROUP),
        }
    }

    fn of(&self, group: u32) -> &[u64] {
        match self.number(group) {
            NO_GROUP => &[],
            number => self.lists[list_of(number)].of((number / LIST_COUNT_U32) as usize),
        }
    }
}

impl Chunk {
    /// The rows of a list: keys, and the local numbers of their groups.
    fn list(&self, number: usize) -> (&[u64], &[u32]) {
        let rows = self.starts[number] as usize..self.starts[number + 1] as usize;
        (&self.keys[rows.clone()], &self.locals[rows])
    }
}

impl List {
    /// List `number` of the chunks, and the keys `first` of its first group: a counting sort.
    fn new(first: Vec<u64>, number: usize, chunks: &[Chunk], local_count: usize) -> List {
        let mut starts = vec![0_usize; local_count + 1];
        if let Some(end) = starts.get_mut(1) {
            *end = first.len();
        }
        for local in chunks.iter().flat_map(|chunk| chunk.list(number).1) {
            starts[*local as usize + 1] += 1;
        }
        let mut sum = 0;
        for start in &mut starts {
            sum += *start;
            *start = sum;
        }
        if sum == first.len() {
            return List { keys: first, starts };
        }
        let mut next = starts.clone();
        let mut keys = vec![0; sum];
        keys[..first.len()].copy_from_slice(&first);
        next[0] = first.len();
        for (keys_of_chunk, locals) in chunks.iter().map(|chunk| chunk.list(number)) {
            for (local, key) in locals.iter().zip(keys_of_chunk) {
                let place = &mut next[*local as usize];
                keys[*place] = *key;
                *place += 1;
            }
        }
        List { keys, starts }
    }

    fn of(&self, local: usize) -> &[u64] {
        match self.starts.get(local..local + 2) {
            Some(ends) => &self.keys[ends[0]..ends[1]],
            // A group that came after.
            None => &[],
        }
    }

    fn bytes(&self) -> usize {
        self.keys.capacity() * size_of::<u64>() + self.starts.capacity() * size_of::<usize>()
    }
}
