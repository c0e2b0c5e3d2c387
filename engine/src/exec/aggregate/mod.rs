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
mod states;
#[cfg(test)]
mod tests;
mod words;
mod work;
mod worker;

pub(crate) use self::exact::{Sum192, ratio};
pub(crate) use self::groups::{ByteTable, GroupTable, KeyEncoder, all_groups, canonical_floats};

use std::ops::ControlFlow;
use std::sync::Arc;

use rayon::iter::{IntoParallelRefMutIterator, ParallelIterator};

use self::merged::Merged;
use self::work::Work;
use self::worker::{Many, Worker};
use super::pool::{WorkerPool, drive};
use super::profile::OperatorStats;
use super::source::{ColumnKind, MemorySource, Source};
use crate::context::{Context, Reservation};
use crate::plan::{Aggregate, Expr, Rung};
use crate::types::Result;
use crate::vector::Batch;

/// Hash partitions: ten million rows with a key each then make tables of the size of the cache.
const PARTITION_COUNT: usize = 256;
/// Bytes of state below which merging is quicker than the hand-over to the pool.
const INSTALL_BYTES_MIN: usize = 64 << 10;
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
            stats.time(|| worker.update((&work, input), (morsel, &batch), context))?;
            Ok(ControlFlow::Continue(()))
        },
    )?;
    stats.time(|| end(&mut workers, pool))?;
    note_rungs(&work, &workers, stats);
    stats.bytes_at_least(workers.iter().map(Worker::bytes).sum());
    let kinds: Vec<ColumnKind> =
        work.keys.kinds().iter().cloned().chain(work.result_kinds()?).collect();
    // Each worker's own count decides: the sum of them grows with the workers, the groups do not.
    let few = workers.len() == 1 && matches!(workers[0].many, Many::No)
        || workers.iter().all(|worker| worker.has_few_groups(context));
    if !few {
        return Ok(Arc::new(Merged::new(work, kinds, workers, (pool, context))?));
    }
    let (batch, memory) = stats.time(|| merge_few(&work, workers, pool))?;
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
fn merge_few(work: &Work, workers: Vec<Worker>, pool: &WorkerPool) -> Result<(Batch, Reservation)> {
    let is_small = workers.iter().map(Worker::bytes).sum::<usize>() < INSTALL_BYTES_MIN;
    let mut tables = workers.into_iter().map(|worker| worker.table);
    let mut merged = tables.next().expect("at least one worker runs");
    // On the pool: accumulators may share their work out.
    let merge = || {
        for other in tables {
            merged.merge(&other, &all_groups(&other.table))?;
        }
        let (batch, memory, _) = merged.finish(work, true)?;
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
