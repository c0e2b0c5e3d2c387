//! Full sort: every row is kept, only row numbers are moved, values are put together on the way out.
//!
//! Stable: ties stay in the input's order, on any number of workers.

use std::ops::ControlFlow;

use arrow::row::Rows;
use rayon::prelude::*;

use super::gather::{Pick, gather};
use super::pool::{WorkerPool, drive};
use super::profile::OperatorStats;
use super::sort_key::KeyProgram;
use super::source::{ColumnKind, Sink, Source, batch_to_ids};
use crate::context::{Context, Reservation};
use crate::plan::SortKey;
use crate::types::{Error, Result};
use crate::vector::Batch;

/// Rows of a morsel of the result.
const RESULT_MORSEL_LEN: usize = 65_536;

/// Rows in order.
#[derive(Debug)]
pub(crate) struct SortedSource {
    kinds: Vec<ColumnKind>,
    batches: Vec<Batch>,
    order: Vec<Pick>,
    _memory: Vec<Reservation>,
}

#[derive(Debug)]
struct Run {
    morsel: usize,
    batch: Batch,
    keys: Rows,
}

/// Sorts the rows of `input`.
///
/// # Errors
/// Those of the input and the keys; `OutOfMemory`.
pub(crate) fn sort(
    input: &dyn Source,
    keys: &[SortKey],
    pool: &WorkerPool,
    context: &Context,
    stats: &OperatorStats,
) -> Result<SortedSource> {
    let program = KeyProgram::new(keys, input.kinds())?;
    let make = || Ok((Vec::<Run>::new(), context.memory.reservation("sorting")));
    let states = drive(input, pool, context, make, |(runs, memory), morsel, batch| {
        let run = stats.time(|| {
            let keys = program.encode(&program.columns(&batch, context)?)?;
            Ok::<Run, Error>(Run { morsel, batch: batch_to_ids(batch, input.kinds())?, keys })
        })?;
        memory.grow(run.batch.bytes() + run.keys.size() + run.batch.len() * size_of::<Pick>())?;
        runs.push(run);
        Ok(ControlFlow::Continue(()))
    })?;
    let (runs, memory): (Vec<Vec<Run>>, Vec<Reservation>) = states.into_iter().unzip();
    stats.bytes_at_least(memory.iter().map(Reservation::bytes).sum());
    let mut runs: Vec<Run> = runs.into_iter().flatten().collect();
    // A worker takes ascending morsels and keeps their batches in order: a stable sort restores it.
    runs.sort_by_key(|run| run.morsel);
    let order = stats.time(|| pool.install(|| sorted_picks(&runs)))?;
    let batches = runs.into_iter().map(|run| run.batch).collect();
    Ok(SortedSource { kinds: input.kinds().to_vec(), batches, order, _memory: memory })
}

fn sorted_picks(runs: &[Run]) -> Result<Vec<Pick>> {
    let too_many = || Error::unsupported("sorting more than 2^32 batches is not supported");
    let mut picks = Vec::with_capacity(runs.iter().map(|run| run.batch.len()).sum());
    for (index, run) in runs.iter().enumerate() {
        let index = u32::try_from(index).map_err(|_| too_many())?;
        let len = u32::try_from(run.batch.len()).map_err(|_| too_many())?;
        picks.extend((0..len).map(|row| (index, row)));
    }
    let key = |(batch, row): Pick| runs[batch as usize].keys.row(row as usize);
    picks.par_sort_unstable_by(|a, b| key(*a).cmp(&key(*b)).then(a.cmp(b)));
    Ok(picks)
}

impl Source for SortedSource {
    fn kinds(&self) -> &[ColumnKind] {
        &self.kinds
    }

    fn morsel_count(&self) -> usize {
        self.order.len().div_ceil(RESULT_MORSEL_LEN)
    }

    fn run(&self, morsel: usize, context: &Context, sink: &mut Sink<'_>) -> Result<()> {
        let start = morsel * RESULT_MORSEL_LEN;
        let end = self.order.len().min(start + RESULT_MORSEL_LEN);
        for picks in self.order[start..end].chunks(context.batch_len.max(1)) {
            if sink(gather(&self.batches, picks, &self.kinds)?)?.is_break() {
                break;
            }
        }
        Ok(())
    }
}
