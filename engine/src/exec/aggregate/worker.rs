//! One worker's part of an aggregation: a table of groups while there are few, then arrays by id or
//! rows by partition.
//!
//! Where there are many groups a table of all of them is neither in the cache nor cheap to merge. A
//! single dictionary key then needs no table at all ([`ById`]); packed keys are kept with their rows,
//! by partition, and grouped partition by partition ([`Scatter`]). Keys of any other kind stay in the
//! table. Must not know how the workers' parts are merged.

use std::cmp;

use super::accumulators::{Accumulator, Groups, OwnedGroups};
use super::by_id::ById;
use super::groups::{DirectKey, GroupTable, KeySlice};
use super::scatter::Scatter;
use super::{PARTITION_COUNT, Work};
use crate::context::{Context, Reservation};
use crate::exec::per_value::true_rows;
use crate::kernel;
use crate::types::{DataType, Result, Value};
use crate::vector::{Batch, Vector};

/// One in so many rows makes a key frequent.
const FREQUENT_SHARE: usize = 16;
/// Frequent keys that are looked for, each in every row.
const FREQUENT_MAX: usize = 4;

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
    ById(ById),
    /// To partitions; the table's groups stay in it, and rows of frequent keys go there.
    Rows(Scatter),
}

impl Worker {
    pub(super) fn new(work: &Work, context: &Context) -> Result<Worker> {
        Ok(Worker { table: work.partial(context)?, many: Many::No })
    }

    /// Takes a batch of morsel `morsel`.
    ///
    /// # Errors
    /// Those of the expressions; `OutOfMemory`.
    pub(super) fn update(
        &mut self,
        work: &Work,
        (morsel, batch): (usize, &Batch),
        context: &Context,
    ) -> Result<()> {
        match &mut self.many {
            Many::No => {
                self.table.update(work, (morsel, batch), context)?;
                if !self.has_few_groups(context) {
                    self.many = self.grow(work, context)?;
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

    fn grow(&mut self, work: &Work, context: &Context) -> Result<Many> {
        if let Some(key) = work.direct_key() {
            let by_id = self.take_by_id(work, key, context)?;
            return Ok(Many::ById(by_id));
        }
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
            && self.table.accumulators.iter().all(|state| state.is_settled())
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
    pub(super) accumulators: Vec<Box<dyn Accumulator>>,
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
        mut accumulators: Vec<Box<dyn Accumulator>>,
        memory: Reservation,
    ) -> Partial {
        for accumulator in &mut accumulators {
            accumulator.resize(table.len());
        }
        Partial {
            table,
            accumulators,
            groups: Vec::new(),
            places: Vec::new(),
            next_place: 0,
            last_morsel: 0,
            memory,
        }
    }

    fn update(
        &mut self,
        work: &Work,
        (morsel, batch): (usize, &Batch),
        context: &Context,
    ) -> Result<()> {
        if !self.table.is_single() {
            let keys = work.keys.run(batch, context)?;
            self.table.find(&keys, batch.len(), &mut self.groups)?;
        }
        let inputs = work.inputs.run(batch, context)?;
        self.note_places(morsel, batch.len());
        let groups = if self.table.is_single() {
            Groups::First(batch.len())
        } else {
            Groups::Each(&self.groups)
        };
        let group_count = self.table.len();
        let runs = runs_of(groups);
        for (index, accumulator) in self.accumulators.iter_mut().enumerate() {
            accumulator.resize(group_count);
            let takes_runs = accumulator.takes_runs() && work.states[index].takes_runs();
            match runs.as_ref().filter(|_| takes_runs) {
                None => feed(work, index, accumulator.as_mut(), groups, &inputs)?,
                Some(runs) => {
                    let argument = work.states[index].argument.map(|input| &inputs[input]);
                    feed_runs(accumulator.as_mut(), runs, argument)?;
                }
            }
        }
        self.account()
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
        if self.table.is_single() || (known == self.table.len() && !goes_back) {
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
        let group_count = self.table.len();
        for (index, accumulator) in self.accumulators.iter_mut().enumerate() {
            accumulator.resize(group_count);
            feed(work, index, accumulator.as_mut(), Groups::Each(&self.groups), inputs)?;
        }
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
        let group_count = self.table.len();
        for accumulator in &mut self.accumulators {
            accumulator.resize(group_count);
            accumulator.settle();
        }
        self.account()
    }

    fn account(&mut self) -> Result<()> {
        let accumulators: usize = self.accumulators.iter().map(|state| state.bytes()).sum();
        let rows = self.groups.capacity() * size_of::<u32>();
        let places = self.places.capacity() * size_of::<u64>();
        self.memory.resize(self.table.bytes() + accumulators + rows + places)
    }

    /// Takes over groups of another worker.
    pub(super) fn merge(&mut self, other: &Partial, from: &[u32]) -> Result<()> {
        let to = self.table.absorb(&other.table, from);
        self.places.resize(self.table.len(), u64::MAX);
        for (from, to) in from.iter().zip(&to) {
            let place = &mut self.places[*to as usize];
            *place = (*place).min(other.places.get(*from as usize).copied().unwrap_or(u64::MAX));
        }
        for (here, there) in self.accumulators.iter_mut().zip(&other.accumulators) {
            here.resize(self.table.len());
            here.merge(there.as_ref(), from, &to)?;
        }
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
        let group_count = self.table.len();
        let mut columns = self.table.keys()?;
        columns.extend(work.results(&self.accumulators)?);
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

/// Rows of a run below which it does not pay to know of it.
const RUN_LEN_MIN: usize = 64;
/// Rows after which unclustered keys are found out.
const RUN_LOOK_LEN: usize = 512;

/// The runs of equal groups: group and length; `None` unless keys are clustered.
fn runs_of(groups: Groups<'_>) -> Option<Vec<(u32, usize)>> {
    let Groups::Each(groups) = groups else { return None };
    let mut last = *groups.first()?;
    let mut changes_left = groups.len() / RUN_LEN_MIN;
    let mut runs: Vec<(u32, usize)> = Vec::new();
    let mut len = 0;
    for part in groups.chunks(RUN_LOOK_LEN) {
        let changes = usize::from(part[0] != last) + kernel::count_changes(part);
        if changes == 0 {
            len += part.len();
            continue;
        }
        changes_left = changes_left.checked_sub(changes)?;
        for run in part.chunk_by(|left, right| left == right) {
            if run[0] != last {
                runs.push((last, len));
                (last, len) = (run[0], 0);
            }
            len += run.len();
        }
    }
    runs.push((last, len));
    Some(runs)
}

fn feed_runs(
    accumulator: &mut dyn Accumulator,
    runs: &[(u32, usize)],
    argument: Option<&Vector>,
) -> Result<()> {
    let mut start = 0;
    for (group, len) in runs {
        match argument {
            None => accumulator.update_run(*group, &no_argument(*len))?,
            Some(argument) => accumulator.update_run(*group, &argument.slice(start, *len))?,
        }
        start += len;
    }
    Ok(())
}

/// What an aggregate without an argument is given.
fn no_argument(len: usize) -> Vector {
    Vector::Constant { value: Value::Null, data_type: DataType::Null, len }
}

/// Hands aggregate `index` its argument for the rows of `groups`, without those its filter leaves out.
pub(super) fn feed(
    work: &Work,
    index: usize,
    accumulator: &mut dyn Accumulator,
    groups: Groups<'_>,
    inputs: &[Vector],
) -> Result<()> {
    let planned = &work.states[index];
    let no_argument = no_argument(groups.len());
    let argument = planned.argument.map_or(&no_argument, |index| &inputs[index]);
    let second = planned.second.map(|index| &inputs[index]);
    let mut update = |groups: Groups<'_>, argument: &Vector, second: Option<&Vector>| match second {
        None => accumulator.update(groups, argument),
        Some(second) => accumulator.update_pairs(groups, argument, second),
    };
    let Some(filter) = planned.filter else { return update(groups, argument, second) };
    let rows = true_rows(&inputs[filter])?;
    let groups: OwnedGroups = groups.take(&rows);
    let second = second.map(|second| second.take(&rows)).transpose()?;
    update(groups.borrow(), &argument.take(&rows)?, second.as_ref())
}

/// The groups of each partition of a worker's table.
pub(super) fn partitions(worker: &Worker) -> Vec<Vec<u32>> {
    worker.table.table.partitions(PARTITION_COUNT)
}
