//! Aggregation: every worker groups the rows it takes, then the workers' groups are merged.
//!
//! The partial phase is one loop: keys, group numbers, arguments, accumulators. What a worker has is
//! a table while there are few groups, then arrays by id or rows by partition ([`worker`]). Few groups
//! are merged in one go; many are merged part by part when the result is read ([`merged`]). Group
//! tables and accumulators know nothing of each other; these modules alone bring them together.

mod accumulators;
mod by_id;
mod exact;
mod groups;
mod merged;
mod pages;
mod scatter;
#[cfg(test)]
mod tests;
mod worker;

pub(crate) use self::accumulators::float_key;
pub(crate) use self::accumulators::{Accumulator, accumulator_of};
pub(crate) use self::exact::{Sum192, ratio};
pub(crate) use self::groups::{ByteTable, GroupTable, KeyEncoder, all_groups, canonical_floats};

use std::ops::ControlFlow;
use std::sync::Arc;

use rayon::iter::{IntoParallelRefMutIterator, ParallelIterator};

use self::groups::{DirectKey, Layout, Slots};
use self::merged::Merged;
use self::worker::{Many, Partial, Worker};
use super::pool::{WorkerPool, drive};
use super::profile::OperatorStats;
use super::program::Program;
use super::source::{ColumnKind, MemorySource, Source};
use crate::context::{Context, Reservation};
use crate::plan::{Aggregate, Expr, Rung};
use crate::types::{DataType, Result};
use crate::vector::{Batch, Vector};

/// Hash partitions: ten million rows with a key each then make tables of the size of the cache.
const PARTITION_COUNT: usize = 256;
/// Bytes of state below which merging is quicker than the hand-over to the pool.
const INSTALL_BYTES_MIN: usize = 64 << 10;
/// Bytes that the arrays by id of one worker may take, at 16 a group and aggregate.
const BY_ID_BYTES_MAX: usize = 256 << 20;

/// What is aggregated, made ready for the input's representation.
#[derive(Debug)]
struct Work {
    dense: bool,
    keys: Program,
    /// How keys are packed, if they can be.
    layout: Option<Layout>,
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

impl Planned {
    /// Whether rows of one group can be handed over without a list of groups.
    fn takes_runs(&self) -> bool {
        self.filter.is_none() && self.second.is_none()
    }
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
        let keys = Program::new(what.keys, input, true);
        Work {
            dense: what.rungs.contains(&Rung::Dense),
            layout: Layout::new(keys.kinds()),
            keys,
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
        Ok(Partial::new(table, self.accumulators()?, context.memory.reservation("grouping")))
    }

    /// A table for the keys of one partition, of which there are about so many, in spare slots.
    fn partition(&self, capacity: (usize, Option<Slots>), context: &Context) -> Result<Partial> {
        let table = GroupTable::with_capacity(self.keys.kinds(), false, capacity)?;
        Ok(Partial::new(table, self.accumulators()?, context.memory.reservation("grouping")))
    }

    /// How packed keys can be the groups, if they can.
    fn direct_key(&self) -> Option<DirectKey> {
        let key = self.layout.as_ref().filter(|_| self.dense)?.direct_key()?;
        let group_bytes = 16 * self.aggregates.len().max(1);
        ((key.last_id() as usize).saturating_mul(group_bytes) <= BY_ID_BYTES_MAX).then_some(key)
    }

    /// The groups of rows whose packed keys are ids.
    fn ids_of_keys(&self, keys: &[Vector], len: usize) -> Result<Vec<u32>> {
        let mut packed: Vec<u64> = Vec::with_capacity(len);
        let layout = self.layout.as_ref().expect("a key that is an id has a layout");
        layout.pack(keys, len, &mut packed)?;
        Ok(packed.into_iter().map(|key| u32::try_from(key).expect("few bits")).collect())
    }

    /// The key columns of groups that are ids.
    fn keys_of_ids(&self, ids: &[u32]) -> Result<Vec<Vector>> {
        let keys: Vec<u64> = ids.iter().map(|id| u64::from(*id)).collect();
        let layout = self.layout.as_ref().expect("a key that is an id has a layout");
        layout.unpack(&keys)
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
) -> Result<Arc<dyn Source>> {
    let work = Work::new(&what, input.kinds());
    let mut workers = drive(
        input,
        pool,
        context,
        || Worker::new(&work, context),
        |worker, morsel, batch| {
            stats.time(|| worker.update(&work, (morsel, &batch), context))?;
            Ok(ControlFlow::Continue(()))
        },
    )?;
    stats.time(|| end(&mut workers, pool))?;
    note_rungs(&work, &workers, stats);
    stats.bytes_at_least(workers.iter().map(Worker::bytes).sum());
    let kinds: Vec<ColumnKind> = work
        .keys
        .kinds()
        .iter()
        .cloned()
        .chain(work.accumulators()?.iter().map(|accumulator| accumulator.kind()))
        .collect();
    // Each worker's own count decides: the sum of them grows with the workers, the groups do not.
    let few = workers.len() == 1 && matches!(workers[0].many, Many::No)
        || workers.iter().all(|worker| worker.has_few_groups(context));
    if !few {
        return Ok(Arc::new(Merged::new(work, kinds, workers, (pool, context))?));
    }
    let (batch, memory) = stats.time(|| merge_few(workers, pool))?;
    Ok(Arc::new(MemorySource::new(kinds, vec![vec![batch]], vec![memory])))
}

/// Ends the partial phase.
fn end(workers: &mut [Worker], pool: &WorkerPool) -> Result<()> {
    if workers.iter().all(Worker::is_settled) {
        return Ok(());
    }
    pool.install(|| workers.par_iter_mut().try_for_each(Worker::end))
}

/// Merges tables of few groups on one thread, which hardly pays to share out. The result is in the
/// order in which groups first appear in the input, whatever the number of workers.
fn merge_few(workers: Vec<Worker>, pool: &WorkerPool) -> Result<(Batch, Reservation)> {
    let is_small = workers.iter().map(Worker::bytes).sum::<usize>() < INSTALL_BYTES_MIN;
    let mut tables = workers.into_iter().map(|worker| worker.table);
    let mut merged = tables.next().expect("at least one worker runs");
    // On the pool: accumulators may share their work out.
    let merge = || {
        for other in tables {
            merged.merge(&other, &all_groups(&other.table))?;
        }
        let (batch, memory, _) = merged.finish(true)?;
        Ok((batch, memory))
    };
    if is_small { merge() } else { pool.install(merge) }
}

fn note_rungs(work: &Work, workers: &[Worker], stats: &OperatorStats) {
    if work.keys.kinds().is_empty() {
        stats.note("single group", 1);
    }
    for worker in workers {
        let (dense, hashed) = worker.table.table.row_counts();
        stats.note("rows by code", dense);
        stats.note("rows by hash", hashed);
        match &worker.many {
            Many::No => {}
            Many::ById(by_id) => stats.note("rows by id", by_id.row_count()),
            Many::Rows(rows) => stats.note("rows by partition", rows.row_count() as u64),
        }
    }
    let per_value = work.keys.per_value_count() + work.inputs.per_value_count();
    stats.note("expressions per distinct value", per_value as u64);
}
