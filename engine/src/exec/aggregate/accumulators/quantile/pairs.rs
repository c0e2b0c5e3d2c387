//! Pairs of a group and a key, in lists chosen by the low bits of the group.
//!
//! A list is short enough to be put in order inside a cache, and lists need nothing of each other, so
//! that workers share them. While there is only one group in a list, keys stand alone. Must not know
//! what the keys mean.

use rayon::prelude::*;

use super::Groups;

/// How many lists there are: one page of memory each is written at a time.
const LIST_COUNT: usize = 64;

/// Keys by group.
#[derive(Debug)]
pub(super) struct Pairs {
    lists: Vec<List>,
    is_settled: bool,
}

/// The keys of the groups `LIST_COUNT` × local + the list's number.
#[derive(Debug, Default)]
struct List {
    keys: Vec<u64>,
    /// The local number of each key's group; empty while all are 0, and once settled.
    locals: Vec<u32>,
    /// Once settled: where the keys of each local group start, and where the last ones end.
    starts: Vec<usize>,
}

impl Pairs {
    pub(super) fn new() -> Pairs {
        Pairs { lists: (0..LIST_COUNT).map(|_| List::default()).collect(), is_settled: false }
    }

    /// Adds each key to its group.
    pub(super) fn add(&mut self, groups: Groups<'_>, keys: &[u64]) {
        match groups {
            Groups::First(_) => self.extend(0, keys.iter().copied()),
            Groups::Each(groups) => {
                self.unsettle();
                for (group, key) in groups.iter().zip(keys) {
                    let (list, local) = place_of(*group);
                    self.lists[list].push(local, *key);
                }
            }
        }
    }

    /// Adds keys to one group.
    pub(super) fn extend(&mut self, group: u32, keys: impl ExactSizeIterator<Item = u64>) {
        self.unsettle();
        let (list, local) = place_of(group);
        self.lists[list].extend(local, keys);
    }

    /// Whether [`Pairs::of`] may be asked.
    pub(super) fn is_settled(&self) -> bool {
        self.is_settled
    }

    /// Puts the keys in the order of their groups, of which there are `group_count`; on the pool's
    /// workers when called on one of them.
    pub(super) fn settle(&mut self, group_count: usize) {
        if self.is_settled {
            return;
        }
        let settle =
            |(number, list): (usize, &mut List)| list.settle(local_count(group_count, number));
        if is_worker() {
            self.lists.par_iter_mut().enumerate().for_each(settle);
        } else {
            self.lists.iter_mut().enumerate().for_each(settle);
        }
        self.is_settled = true;
    }

    fn unsettle(&mut self) {
        if self.is_settled {
            self.lists.iter_mut().for_each(List::unsettle);
            self.is_settled = false;
        }
    }

    /// The keys of a group.
    ///
    /// # Panics
    /// Unless the pairs are settled.
    pub(super) fn of(&self, group: u32) -> &[u64] {
        assert!(self.is_settled, "keys are in the order of groups once they are settled");
        let (list, local) = place_of(group);
        self.lists[list].of(local as usize)
    }

    /// What `result` gives for the keys of each group; it may use the scratch space as it likes.
    ///
    /// # Panics
    /// Unless the pairs are settled.
    pub(super) fn map(
        &self,
        group_count: usize,
        result: impl Fn(&[u64], &mut Vec<u64>) -> Option<u64> + Sync,
    ) -> Vec<Option<u64>> {
        assert!(self.is_settled, "keys are in the order of groups once they are settled");
        let of_list = |(number, list): (usize, &List)| {
            let mut scratch = Vec::new();
            let locals = 0..local_count(group_count, number);
            locals.map(|local| result(list.of(local), &mut scratch)).collect()
        };
        let by_list: Vec<Vec<Option<u64>>> = if is_worker() {
            self.lists.par_iter().enumerate().map(of_list).collect()
        } else {
            self.lists.iter().enumerate().map(of_list).collect()
        };
        let place = |group: usize| by_list[group % LIST_COUNT][group / LIST_COUNT];
        (0..group_count).map(place).collect()
    }

    /// Bytes held.
    pub(super) fn bytes(&self) -> usize {
        self.lists.iter().map(List::bytes).sum()
    }
}

/// List and local number.
fn place_of(group: u32) -> (usize, u32) {
    (group as usize % LIST_COUNT, group / LIST_COUNT_U32)
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

impl List {
    fn push(&mut self, local: u32, key: u64) {
        if local != 0 || !self.locals.is_empty() {
            self.locals.resize(self.keys.len(), 0);
            self.locals.push(local);
        }
        self.keys.push(key);
    }

    fn extend(&mut self, local: u32, keys: impl ExactSizeIterator<Item = u64>) {
        if local != 0 || !self.locals.is_empty() {
            self.locals.resize(self.keys.len(), 0);
            self.locals.resize(self.keys.len() + keys.len(), local);
        }
        self.keys.extend(keys);
    }

    /// A counting sort.
    fn settle(&mut self, local_count: usize) {
        let mut starts = vec![0_usize; local_count + 1];
        if self.locals.is_empty() {
            starts.iter_mut().skip(1).for_each(|start| *start = self.keys.len());
            self.starts = starts;
            return;
        }
        for local in &self.locals {
            starts[*local as usize + 1] += 1;
        }
        let mut sum = 0;
        for start in &mut starts {
            sum += *start;
            *start = sum;
        }
        let mut next = starts.clone();
        let mut ordered = vec![0; self.keys.len()];
        for (local, key) in self.locals.iter().zip(&self.keys) {
            let place = &mut next[*local as usize];
            ordered[*place] = *key;
            *place += 1;
        }
        (self.keys, self.locals, self.starts) = (ordered, Vec::new(), starts);
    }

    fn unsettle(&mut self) {
        let starts = std::mem::take(&mut self.starts);
        for (local, ends) in (0_u32..).zip(starts.windows(2)) {
            if local == 0 && ends[1] == self.keys.len() {
                return;
            }
            self.locals.resize(ends[1], local);
        }
    }

    fn of(&self, local: usize) -> &[u64] {
        match self.starts.get(local..local + 2) {
            Some(ends) => &self.keys[ends[0]..ends[1]],
            // A group that came after.
            None => &[],
        }
    }

    fn bytes(&self) -> usize {
        self.keys.capacity() * size_of::<u64>()
            + self.locals.capacity() * size_of::<u32>()
            + self.starts.capacity() * size_of::<usize>()
    }
}
