//! Aggregation: every worker groups the rows it takes, then the workers' groups are merged.
//!
//! The partial phase is one loop: keys, group numbers, arguments, accumulators. The final phase merges
//! small results in one go and large ones by hash partition, in parallel. Group tables and accumulators
//! know nothing of each other; this module alone brings them together.

mod accumulators;
mod exact;
mod groups;
#[cfg(test)]
mod tests;

pub(crate) use self::accumulators::float_key;
pub(crate) use self::accumulators::{Accumulator, Groups, accumulator_of};
pub(crate) use self::exact::{Sum192, ratio};
pub(crate) use self::groups::ByteTable;
pub(crate) use self::groups::canonical_floats;
pub(crate) use self::groups::{GroupTable, all_groups};

use std::ops::ControlFlow;

use rayon::iter::{IntoParallelIterator, IntoParallelRefMutIterator, ParallelIterator};

use self::accumulators::OwnedGroups;
use super::per_value::true_rows;
use super::pool::{WorkerPool, drive};
use super::profile::OperatorStats;
use super::program::Program;
use super::source::{ColumnKind, MemorySource, Source};
use crate::context::{Context, Reservation};
use crate::plan::{Aggregate, Expr, Rung};
use crate::types::{DataType, Result, Value};
use crate::vector::{Batch, Vector};

/// Groups up to which merging in parallel does not pay. Results of so many come out in the order in
/// which groups first appear in the input, whatever the number of workers.
const SERIAL_MERGE_MAX: usize = if cfg!(test) { 1_000 } else { 32_768 };
/// Partitions of a parallel merge: enough for workers to share evenly.
const PARTITION_COUNT: usize = 32;
/// Rows of a morsel of the result.
const RESULT_MORSEL_LEN: usize = 65_536;

/// What is aggregated, made ready for the input's representation.
#[derive(Debug)]
struct Work {
    dense: bool,
    keys: Program,
    /// The arguments, then the filters.
    inputs: Program,
    aggregates: Vec<Planned>,
}

#[derive(Debug)]
struct Planned {
    aggregate: Aggregate,
    /// Position among the inputs.
    argument: Option<usize>,
    second: Option<usize>,
    filter: Option<usize>,
}

impl Work {
    fn new(what: &Grouping<'_>, input: &[ColumnKind]) -> Work {
        let mut exprs: Vec<Expr> = Vec::new();
        let mut position = |expr: &Expr| {
            exprs.iter().position(|other| other == expr).unwrap_or_else(|| {
                exprs.push(expr.clone());
                exprs.len() - 1
            })
        };
        let aggregates: Vec<Planned> = what
            .aggregates
            .iter()
            .map(|aggregate| Planned {
                aggregate: aggregate.clone(),
                argument: aggregate.argument.as_ref().map(&mut position),
                second: aggregate.second.as_ref().map(&mut position),
                filter: aggregate.filter.as_ref().map(&mut position),
            })
            .collect();
        Work {
            dense: what.rungs.contains(&Rung::Dense),
            keys: Program::new(what.keys, input, true),
            inputs: Program::new(&exprs, input, false),
            aggregates,
        }
    }

    fn accumulators(&self) -> Result<Vec<Box<dyn Accumulator>>> {
        self.aggregates
            .iter()
            .map(|planned| {
                let no_argument = ColumnKind::flat(DataType::Null);
                let kind = planned.argument.map_or(&no_argument, |i| &self.inputs.kinds()[i]);
                let filtered = planned.filter.is_some();
                let second = planned.second.map(|i| &self.inputs.kinds()[i]);
                let Aggregate { function, distinct, .. } = planned.aggregate;
                accumulator_of((function, distinct, filtered), kind, second)
            })
            .collect()
    }

    fn partial(&self, context: &Context) -> Result<Partial> {
        let table = GroupTable::new(self.keys.kinds(), self.dense)?;
        let mut accumulators = self.accumulators()?;
        for accumulator in &mut accumulators {
            accumulator.resize(table.len());
        }
        Ok(Partial {
            table,
            accumulators,
            groups: Vec::new(),
            places: Vec::new(),
            next_place: 0,
            memory: context.memory.reservation("grouping"),
        })
    }
}

/// One worker's groups.
#[derive(Debug)]
struct Partial {
    table: GroupTable,
    accumulators: Vec<Box<dyn Accumulator>>,
    groups: Vec<u32>,
    /// Where each group first appeared: morsel, then count of new groups in it.
    places: Vec<u64>,
    next_place: u64,
    memory: Reservation,
}

impl Partial {
    fn update(
        &mut self,
        work: &Work,
        (morsel, batch): (usize, &Batch),
        context: &Context,
    ) -> Result<()> {
        let groups = if self.table.is_single() {
            Groups::First(batch.len())
        } else {
            let keys = work.keys.run(batch, context)?;
            self.table.find(&keys, batch.len(), &mut self.groups)?;
            Groups::Each(&self.groups)
        };
        let inputs = work.inputs.run(batch, context)?;
        let group_count = self.table.len();
        self.next_place = self.next_place.max((morsel as u64) << 32);
        while self.places.len() < group_count {
            self.places.push(self.next_place);
            self.next_place += 1;
        }
        let no_argument =
            Vector::Constant { value: Value::Null, data_type: DataType::Null, len: batch.len() };
        for (planned, accumulator) in work.aggregates.iter().zip(&mut self.accumulators) {
            accumulator.resize(group_count);
            let argument = planned.argument.map_or(&no_argument, |index| &inputs[index]);
            let second = planned.second.map(|index| &inputs[index]);
            let mut update =
                |groups: Groups<'_>, argument: &Vector, second: Option<&Vector>| match second {
                    None => accumulator.update(groups, argument),
                    Some(second) => accumulator.update_pairs(groups, argument, second),
                };
            match planned.filter {
                None => update(groups, argument, second)?,
                Some(filter) => {
                    let rows = true_rows(&inputs[filter])?;
                    let groups: OwnedGroups = groups.take(&rows);
                    let second = second.map(|second| second.take(&rows)).transpose()?;
                    update(groups.borrow(), &argument.take(&rows)?, second.as_ref())?;
                }
            }
        }
        self.account()
    }

    fn account(&mut self) -> Result<()> {
        let accumulators: usize = self.accumulators.iter().map(|state| state.bytes()).sum();
        let rows = self.groups.capacity() * size_of::<u32>();
        let places = self.places.capacity() * size_of::<u64>();
        self.memory.resize(self.table.bytes() + accumulators + rows + places)
    }

    fn is_settled(&self) -> bool {
        self.accumulators.iter().all(|accumulator| accumulator.is_settled())
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

    /// Takes over groups of another worker.
    fn merge(&mut self, other: &Partial, from: &[u32]) -> Result<()> {
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

    fn finish(mut self) -> Result<(Batch, Reservation)> {
        self.settle()?;
        let group_count = self.table.len();
        let mut columns = self.table.keys()?;
        for accumulator in &self.accumulators {
            columns.push(accumulator.finish()?);
        }
        let mut batch = Batch::new(columns, group_count);
        if group_count <= SERIAL_MERGE_MAX && !self.places.is_sorted() {
            let mut order = all_groups(&self.table);
            order.sort_unstable_by_key(|group| self.places[*group as usize]);
            batch = batch.take(&order)?;
        }
        self.memory.resize(batch.bytes())?;
        Ok((batch, self.memory))
    }
}

/// What an aggregation is asked for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Grouping<'a> {
    /// The group keys.
    pub(crate) keys: &'a [Expr],
    /// The aggregates.
    pub(crate) aggregates: &'a [Aggregate],
    /// The ways to find groups that may be taken.
    pub(crate) rungs: &'a [Rung],
}

/// Groups the rows of `input` by the keys and gives keys, then aggregates, one row a group.
///
/// # Errors
/// Those of the input and the expressions; `OutOfRange` for sums; `OutOfMemory`.
pub(crate) fn aggregate(
    input: &dyn Source,
    what: Grouping<'_>,
    pool: &WorkerPool,
    context: &Context,
    stats: &OperatorStats,
) -> Result<MemorySource> {
    let work = Work::new(&what, input.kinds());
    let partials = drive(
        input,
        pool,
        context,
        || work.partial(context),
        |partial, morsel, batch| {
            stats.time(|| partial.update(&work, (morsel, &batch), context))?;
            Ok(ControlFlow::Continue(()))
        },
    )?;
    note_rungs(&work, &partials, stats);
    let bytes: usize = partials.iter().map(|partial| partial.memory.bytes()).sum();
    let results = stats.time(|| finish(&work, partials, pool, context))?;
    stats.bytes_at_least(bytes);
    let kinds = work
        .keys
        .kinds()
        .iter()
        .cloned()
        .chain(work.accumulators()?.iter().map(|accumulator| accumulator.kind()))
        .collect();
    let (batches, memory): (Vec<Batch>, Vec<Reservation>) = results.into_iter().unzip();
    let morsels: Vec<Vec<Batch>> = batches.iter().flat_map(cut).collect();
    Ok(MemorySource::new(kinds, morsels, memory))
}

fn note_rungs(work: &Work, partials: &[Partial], stats: &OperatorStats) {
    if work.keys.kinds().is_empty() {
        stats.note("single group", 1);
    }
    for partial in partials {
        let (dense, hashed) = partial.table.row_counts();
        stats.note("rows by code", dense);
        stats.note("rows by hash", hashed);
    }
    let per_value = work.keys.per_value_count() + work.inputs.per_value_count();
    stats.note("expressions per distinct value", per_value as u64);
}

fn cut(batch: &Batch) -> Vec<Vec<Batch>> {
    (0..batch.len())
        .step_by(RESULT_MORSEL_LEN)
        .map(|start| vec![batch.slice(start, RESULT_MORSEL_LEN.min(batch.len() - start))])
        .collect()
}

fn finish(
    work: &Work,
    partials: Vec<Partial>,
    pool: &WorkerPool,
    context: &Context,
) -> Result<Vec<(Batch, Reservation)>> {
    let group_count = |partials: &[Partial]| -> usize {
        partials.iter().map(|partial| partial.table.len()).sum()
    };
    let mut merged = partials;
    if merged.len() > 1 && !merged.iter().all(Partial::is_settled) {
        pool.install(|| merged.par_iter_mut().try_for_each(Partial::settle))?;
    }
    if merged.len() > 1 && group_count(&merged) > SERIAL_MERGE_MAX {
        merged = merge_by_partition(work, &merged, (pool, context))?;
    }
    if group_count(&merged) <= SERIAL_MERGE_MAX {
        for other in merged.split_off(1) {
            let from = all_groups(&other.table);
            pool.install(|| merged[0].merge(&other, &from))?;
        }
    }
    if merged.len() == 1 && merged[0].is_settled() {
        return merged.into_iter().map(Partial::finish).collect();
    }
    pool.install(|| merged.into_par_iter().map(Partial::finish).collect())
}

/// Tables of which each has all groups of one hash partition.
fn merge_by_partition(
    work: &Work,
    partials: &[Partial],
    (pool, context): (&WorkerPool, &Context),
) -> Result<Vec<Partial>> {
    let partitions =
        pool.run(partials.len(), |worker| Ok(partials[worker].table.partitions(PARTITION_COUNT)))?;
    pool.run(PARTITION_COUNT, |partition| {
        context.cancel.check()?;
        let mut merged = work.partial(context)?;
        for (partial, partitions) in partials.iter().zip(&partitions) {
            merged.merge(partial, &partitions[partition])?;
        }
        Ok(merged)
    })
}
