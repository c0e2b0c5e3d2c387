//! Which groups have seen a value: an aggregate over none is NULL.
//!
//! As long as every row of every group brings a value, that is the groups themselves, and nothing is
//! stored; where no argument can be NULL, that is for ever. Where there is room for groups that have
//! no row yet, each group has a flag. Must not know what the values are.

use arrow::buffer::NullBuffer;

use super::Groups;
use crate::exec::source::ColumnKind;

/// Which groups have seen a value.
#[derive(Debug)]
pub(super) struct Seen {
    group_count: usize,
    /// Groups below have seen one, as long as there are no flags.
    all_below: usize,
    flags: Option<Vec<bool>>,
    /// Every row brings a value: a group that has rows has seen one, and no other is asked about.
    by_every_row: bool,
}

impl Seen {
    /// No group yet. The argument is of `kind`; `filtered`: rows are left out before the accumulator
    /// sees them.
    pub(super) fn new(kind: &ColumnKind, filtered: bool) -> Seen {
        let by_every_row = !filtered && matches!(kind, ColumnKind::Flat { nullable: false, .. });
        Seen { group_count: 0, all_below: 0, flags: filtered.then(Vec::new), by_every_row }
    }

    /// Makes room for groups up to `group_count`.
    pub(super) fn resize(&mut self, group_count: usize) {
        self.group_count = group_count;
        if let Some(flags) = &mut self.flags {
            flags.resize(group_count, false);
        }
    }

    /// Makes room for groups up to `group_count` that may have no row yet.
    pub(super) fn resize_ahead(&mut self, group_count: usize) {
        if !self.by_every_row {
            self.flags();
        }
        self.resize(group_count);
    }

    /// Forgets all rows.
    pub(super) fn clear(&mut self) {
        self.all_below = 0;
        self.flags.iter_mut().for_each(|flags| flags.fill(false));
    }

    /// A batch in which every row of the table's batch has a value.
    pub(super) fn all(&mut self, groups: Groups<'_>) {
        match &mut self.flags {
            None => self.all_below = self.group_count,
            Some(flags) => mark(flags, groups),
        }
    }

    /// A batch from which rows were taken out.
    pub(super) fn some(&mut self, groups: Groups<'_>) {
        mark(self.flags(), groups);
    }

    /// A run of a batch: rows of one group, which see a value, or of none that does. Other runs of the
    /// batch, for whose groups there is room already, may bring nothing but NULLs.
    pub(super) fn run(&mut self, group: Option<u32>) {
        match group {
            Some(_) if self.by_every_row => self.all_below = self.group_count,
            Some(group) => self.some(Groups::Each(&[group])),
            None => self.some(Groups::Each(&[])),
        }
    }

    /// Takes over `other`'s groups.
    pub(super) fn merge(&mut self, other: &Seen, from: &[u32], to: &[u32]) {
        if self.by_every_row && self.flags.is_none() && other.flags.is_none() {
            if other.all_below > 0 && !from.is_empty() {
                self.all_below = self.group_count;
            }
            return;
        }
        let flags = self.flags();
        for (from, to) in from.iter().zip(to) {
            flags[*to as usize] |= other.contains(*from as usize);
        }
    }

    /// Whether `group` has seen a value.
    pub(super) fn contains(&self, group: usize) -> bool {
        self.flags.as_ref().map_or(group < self.all_below, |flags| flags[group])
    }

    /// How many groups there are.
    pub(super) fn group_count(&self) -> usize {
        self.group_count
    }

    /// The validity of the results.
    pub(super) fn nulls(&self) -> Option<NullBuffer> {
        if self.flags.is_none() && self.all_below == self.group_count {
            return None;
        }
        Some((0..self.group_count).map(|group| self.contains(group)).collect())
    }

    /// Bytes held.
    pub(super) fn bytes(&self) -> usize {
        self.flags.as_ref().map_or(0, Vec::capacity)
    }

    fn flags(&mut self) -> &mut Vec<bool> {
        let (all_below, group_count) = (self.all_below, self.group_count);
        self.flags.get_or_insert_with(|| (0..group_count).map(|group| group < all_below).collect())
    }
}

fn mark(flags: &mut [bool], groups: Groups<'_>) {
    match groups {
        Groups::First(0) => {}
        Groups::First(_) => flags[0] = true,
        Groups::Each(groups) => {
            for group in groups {
                flags[*group as usize] = true;
            }
        }
    }
}
