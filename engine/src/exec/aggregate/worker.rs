//! One worker's part of an aggregation: a table of groups while there are few, then arrays by id or
//! rows by partition.
//!
//! Where there are many groups a table of all of them is neither in the cache nor cheap to merge. A
//! single dictionary key then needs no table at all ([`ById`]); packed keys are kept with their rows,
//! by partition, and grouped partition by partition ([`Scatter`]). Keys of any other kind stay in the
//! table. Must not know how the workers' parts are merged.

use std::cmp;

use super::accumulators::Groups;
use super::by_id::ById;
use super::groups::{DirectKey, GroupTable, KeySlice};
use super::scatter::Scatter;
use super::states::{States, Which};
use super::{PARTITION_COUNT, Work};
use crate::context::{Context, Reservation};
use crate::exec::source::Source;
use crate::types::Result;
use crate::vector::{Batch, Vector};

/// One in so many rows makes a key frequent.
const FREQUENT_SHARE: usize = 16;
/// Frequent keys that are looked for, each in every row.
const FREQUENT_MAX: usize = 4;
/// Rows of a row group for each of its codes, after which arrays by code pay, which are merged.
const ROWS_PER_CODE: usize = 2;

/// What one worker has.
#[derive(Debug)]
pub(super) struct Worker {
    pub(super) table: Partial,
    pub(super) many: Many,
}

/// Where rows go once the table has many groups.
#[derive(Debug)]
pub(super) enum Many {
    /// There are few, or their keys cannot be packed.
    No,
    /// The key's id is the group. The table's groups were taken over.
    ById(Box<ById>),
    /// To partitions; the table's groups stay in it, and rows of frequent keys go there.
    Rows(Scatter),
}

impl Worker {
    pub(super) fn new(work: &Work, context: &Context) -> Result<Worker> {
        Ok(Worker { table: work.partial(context)?, many: Many::No })
    }

    /// Takes a batch of morsel `morsel` of `input`.
    ///
    /// # Errors
    /// Those of the expressions; `OutOfMemory`.
    pub(super) fn update(
        &mut self,
        (work, input): (&Work, &dyn Source),
        (morsel, batch): (usize, &Batch),
        context: &Context,
    ) -> Result<()> {
        match &mut self.many {
            Many::No => {
                self.table.update(work, (morsel, batch), context)?;
                if !self.has_few_groups(context) {
                    self.many = self.grow(work, input, context)?;
                }
                Ok(())
            }
            Many::ById(by_id) => by_id.update(work, batch, context),
            Many::Rows(rows) => {
                let table = &mut self.table;
                rows.update(work, batch, context, |keys, inputs| {
                    table.update_packed(work, keys, inputs)
                })
            }
        }
    }

    /// Whether its groups are in the table, and not too many for one.
    pub(super) fn has_few_groups(&self, context: &Context) -> bool {
        let table = &self.table.table;
        matches!(self.many, Many::No)
            && (table.is_single() || table.len() <= context.table_groups_max)
    }

    /// How many groups of the table and rows by partition it has.
    pub(super) fn kept_count(&self) -> usize {
        let rows = if let Many::Rows(rows) = &self.many { rows.row_count() } else { 0 };
        self.table.table.len() + rows
    }

    fn grow(&mut self, work: &Work, input: &dyn Source, context: &Context) -> Result<Many> {
        let (by_code, by_hash) = self.table.table.row_counts();
        let worker_count = context.worker_count.min(input.morsel_count());
        if let Some(key) = work.paying_key(input, (by_code + by_hash, worker_count)) {
            let by_id = self.take_by_id(work, key, context)?;
            return Ok(Many::ById(Box::new(by_id)));
        }
        self.table.flush()?;
        Ok(match Scatter::new(work, &self.table.frequent_keys(), context) {
            Some(rows) => Many::Rows(rows),
            None => Many::No,
        })
    }

    /// The groups as arrays by id; the table is left empty.
    pub(super) fn take_by_id(
        &mut self,
        work: &Work,
        key: DirectKey,
        context: &Context,
    ) -> Result<ById> {
        let mut table = std::mem::replace(&mut self.table, work.partial(context)?);
        table.settle()?;
        let mut by_id = ById::new(work, key, context)?;
        by_id.absorb(&table)?;
        Ok(by_id)
    }

    /// Whether [`end`](Self::end) has nothing to do.
    pub(super) fn is_settled(&self) -> bool {
        matches!(self.many, Many::No)
            && self.table.local.is_none()
            && self.table.states.is_settled()
    }

    /// Ends the partial phase.
    ///
    /// # Errors
    /// Those of merging; `OutOfMemory`.
    pub(super) fn end(&mut self) -> Result<()> {
        self.table.settle()?;
        match &mut self.many {
            Many::No => Ok(()),
            Many::ById(by_id) => by_id.end(),
            Many::Rows(rows) => rows.close_chunk(),
        }
    }

    /// Bytes reserved.
    pub(super) fn bytes(&self) -> usize {
        self.table.memory.bytes()
            + match &self.many {
                Many::No => 0,
                Many::ById(by_id) => by_id.memory_bytes(),
                Many::Rows(rows) => rows.memory_bytes(),
            }
    }
}

/// Groups in a table, numbered in the order in which they came.
#[derive(Debug)]
pub(super) struct Partial {
    pub(super) table: GroupTable,
    pub(super) states: States,
    /// Of the row group's later rows, by local code; only of those that merge cheaply.
    local: Option<States>,
    groups: Vec<u32>,
    /// Where each group first appeared: morsel, then row of it.
    places: Vec<u64>,
    /// Place of the next row.
    next_place: u64,
    /// The furthest morsel that was taken.
    last_morsel: usize,
    pub(super) memory: Reservation,
}

impl Partial {
    pub(super) fn new(
        table: GroupTable,
        mut states: States,
        memory: Reservation,
    ) -> Result<Partial> {
        states.resize(table.len())?;
        Ok(Partial {
            table,
            states,
            local: None,
            groups: Vec::new(),
            places: Vec::new(),
            next_place: 0,
            last_morsel: 0,
            memory,
        })
    }

    fn update(
        &mut self,
        work: &Work,
        (morsel, batch): (usize, &Batch),
        context: &Context,
    ) -> Result<()> {
        if self.table.is_single() {
            let inputs = work.inputs.run(batch, context)?;
            self.states.feed(work, Which::All, Groups::First(batch.len()), &inputs)?;
            return self.account();
        }
        let keys = work.keys.run(batch, context)?;
        if !self.table.dense().is_some_and(|dense| dense.is_for(&keys)) {
            self.flush()?;
        }
        if self.table.find_by_code(&keys, batch.len())?.is_some() {
            self.update_by_code(work, (morsel, batch), &keys, context)?;
        } else {
            self.table.find_by_hash(&keys, batch.len(), &mut self.groups)?;
            let inputs = work.inputs.run(batch, context)?;
            self.note_places(morsel, batch.len());
            self.states.resize(self.table.len())?;
            self.states.feed(work, Which::All, Groups::Each(&self.groups), &inputs)?;
        }
        self.account()
    }

    /// Takes a batch whose rows are numbered by local codes.
    fn update_by_code(
        &mut self,
        work: &Work,
        (morsel, batch): (usize, &Batch),
        keys: &[Vector],
        context: &Context,
    ) -> Result<()> {
        let inputs = work.inputs.run(batch, context)?;
        let dense = self.table.dense().expect("it found the codes");
        let (code_count, row_count) = dense.code_and_row_counts();
        if self.local.is_none() && row_count / ROWS_PER_CODE >= code_count {
            let mut local = work.states()?;
            local.resize_ahead(code_count, Which::Cheap)?;
            self.local = Some(local);
        }
        let has_new = self.places.len() < self.table.len() || morsel < self.last_morsel;
        if has_new || !self.local.as_ref().is_some_and(States::are_cheap) {
            dense.translate(dense.codes(keys), &mut self.groups);
        }
        self.note_places(morsel, batch.len());
        self.states.resize(self.table.len())?;
        let groups = Groups::Each(&self.groups);
        let Some(local) = &mut self.local else {
            return self.states.feed(work, Which::All, groups, &inputs);
        };
        let codes = self.table.dense().expect("it found the codes").codes(keys);
        local.feed(work, Which::Cheap, Groups::Each(codes), &inputs)?;
        if local.are_cheap() {
            return Ok(());
        }
        self.states.feed(work, Which::Costly, groups, &inputs)
    }

    /// Adds what was collected by local code to the groups.
    fn flush(&mut self) -> Result<()> {
        let Some(mut local) = self.local.take() else { return Ok(()) };
        let dense = self.table.dense().expect("it found the codes");
        let (codes, groups) = dense.known();
        local.settle()?;
        self.states.merge(&local, Which::Cheap, &codes, &groups)
    }

    /// Notes the first rows of groups in a batch. A worker that helps another with earlier morsels may
    /// meet groups that it knows from later ones.
    fn note_places(&mut self, morsel: usize, len: usize) {
        if self.next_place >> 32 != morsel as u64 {
            self.next_place = (morsel as u64) << 32;
        }
        let first_place = self.next_place;
        self.next_place += len as u64;
        let known = self.places.len();
        let goes_back = morsel < self.last_morsel;
        self.last_morsel = self.last_morsel.max(morsel);
        if known == self.table.len() && !goes_back {
            return;
        }
        self.places.resize(self.table.len(), u64::MAX);
        if goes_back {
            for (place, group) in (first_place..).zip(&self.groups) {
                let first = &mut self.places[*group as usize];
                *first = (*first).min(place);
            }
            return;
        }
        // New groups are numbered in the order of their first rows.
        let mut rows = (first_place..).zip(&self.groups);
        for new in known..self.table.len() {
            if let Some((place, _)) = rows.find(|(_, group)| **group as usize == new) {
                self.places[new] = place;
            }
        }
    }

    /// Takes rows whose keys are packed.
    pub(super) fn update_packed(
        &mut self,
        work: &Work,
        keys: KeySlice<'_>,
        inputs: &[Vector],
    ) -> Result<()> {
        self.table.find_packed(keys, &mut self.groups)?;
        self.states.resize(self.table.len())?;
        self.states.feed(work, Which::All, Groups::Each(&self.groups), inputs)?;
        self.account()
    }

    /// The packed keys of which the last batch has the most rows, where it has many.
    fn frequent_keys(&self) -> Vec<u128> {
        let mut groups = self.groups.clone();
        groups.sort_unstable();
        let mut runs: Vec<&[u32]> = groups.chunk_by(|left, right| left == right).collect();
        runs.retain(|run| run.len() >= groups.len().div_ceil(FREQUENT_SHARE).max(2));
        runs.sort_by_key(|run| cmp::Reverse(run.len()));
        runs.truncate(FREQUENT_MAX);
        runs.iter().filter_map(|run| self.table.packed_key(run[0])).collect()
    }

    /// Makes ready for being merged into another.
    fn settle(&mut self) -> Result<()> {
        self.flush()?;
        self.states.resize(self.table.len())?;
        self.states.settle()?;
        self.account()
    }

    fn account(&mut self) -> Result<()> {
        let states = self.states.bytes() + self.local.as_ref().map_or(0, States::bytes);
        let rows = self.groups.capacity() * size_of::<u32>();
        let places = self.places.capacity() * size_of::<u64>();
        self.memory.resize(self.table.bytes() + states + rows + places)
    }

    /// Takes over groups of another worker.
    pub(super) fn merge(&mut self, other: &Partial, from: &[u32]) -> Result<()> {
        let to = self.table.absorb(&other.table, from);
        self.places.resize(self.table.len(), u64::MAX);
        for (from, to) in from.iter().zip(&to) {
            let place = &mut self.places[*to as usize];
            *place = (*place).min(other.places.get(*from as usize).copied().unwrap_or(u64::MAX));
        }
        self.states.resize(self.table.len())?;
        self.states.merge(&other.states, Which::All, from, &to)?;
        self.account()
    }

    /// Keys, then aggregates, a row a group, and the table, for its memory; with `in_order`, in the
    /// order of the groups' first rows.
    pub(super) fn finish(
        mut self,
        work: &Work,
        in_order: bool,
    ) -> Result<(Batch, Reservation, GroupTable)> {
        self.settle()?;
        self.states.complete()?;
        let group_count = self.table.len();
        let mut columns = self.table.keys()?;
        columns.extend(work.results(self.states.each())?);
        let mut batch = Batch::new(columns, group_count);
        if in_order && !self.places.is_sorted() {
            let mut order = super::groups::all_groups(&self.table);
            order.sort_unstable_by_key(|group| self.places[*group as usize]);
            batch = batch.take(&order)?;
        }
        self.memory.resize(batch.bytes())?;
        Ok((batch, self.memory, self.table))
    }
}

/// The groups of each partition of a worker's table.
pub(super) fn partitions(worker: &Worker) -> Vec<Vec<u32>> {
    worker.table.table.partitions(PARTITION_COUNT)
}
