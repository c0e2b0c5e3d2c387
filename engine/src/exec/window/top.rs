//! The first rows of each partition: every worker keeps the best of each partition that it has met, and
//! nothing else.
//!
//! A row is looked at closely only if a 64-bit prefix of its first key is not behind the worst that
//! its partition keeps; with [`bounds`], or after the first rows of a partition, nearly all others fail
//! that. Rows that were pushed out stay in memory until they are as many as those kept.

use std::ops::ControlFlow;
use std::sync::Arc;

use arrow::array::Int64Array;
use rayon::prelude::*;

use super::super::aggregate::{GroupTable, all_groups};
use super::super::gather::{Pick, gather};
use super::super::pool::{WorkerPool, drive};
use super::super::profile::OperatorStats;
use super::super::source::{MemorySource, Source, batch_to_ids};
use super::bounds::bounds;
use super::kept::{Candidate, Kept};
use super::{Numbers, Plan, too_many};
use crate::context::{Context, Reservation};
use crate::plan::WindowFunction;
use crate::types::Result;
use crate::vector::{Batch, Vector};

/// Rows that are kept for nothing before it is looked whether they are too many.
const SLACK: usize = if cfg!(test) { 8 } else { 16_384 };
/// Rows of a morsel of the result.
const RESULT_MORSEL_LEN: usize = 65_536;

/// The best rows of one worker.
#[derive(Debug)]
struct Best {
    table: GroupTable,
    /// Partitions that all workers knew from the start, under the same numbers.
    common_count: usize,
    /// No row with a larger prefix is among the first of the partition.
    thresholds: Vec<u64>,
    kept: Kept,
    batches: Vec<Batch>,
    /// Rows in the batches, and those that are candidates.
    row_count: usize,
    live_count: usize,
    batch_bytes: usize,
    key_bytes: usize,
    partitions: Vec<u32>,
    next_place: u64,
    memory: Reservation,
}

/// The first `limit` rows of each partition of `input`, with their numbers.
pub(super) fn top(
    input: &dyn Source,
    (plan, limit): (&Plan<'_>, usize),
    (pool, context): (&WorkerPool, &Context),
    stats: &OperatorStats,
) -> Result<MemorySource> {
    let bounds = stats.time(|| bounds(input, (plan, limit), (pool, context)))?;
    stats.note(
        "rows read for bounds",
        bounds.as_ref().map_or(0, |bounds| bounds.row_count() as u64),
    );
    let make = || {
        let (table, thresholds) = match &bounds {
            None => (plan.table()?, Vec::new()),
            Some(bounds) => (bounds.table(plan)?, bounds.largest()),
        };
        Ok(Best {
            common_count: table.len(),
            table,
            thresholds,
            kept: Kept::new(limit),
            batches: Vec::new(),
            row_count: 0,
            live_count: 0,
            batch_bytes: 0,
            key_bytes: 0,
            partitions: Vec::new(),
            next_place: 0,
            memory: context.memory.reservation("a window"),
        })
    };
    let bests = drive(input, pool, context, make, |best, morsel, batch| {
        stats.time(|| best.add(plan, morsel, &batch, context))?;
        Ok(ControlFlow::Continue(()))
    })?;
    stats.bytes_at_least(bests.iter().map(|best| best.memory.bytes()).sum());
    context.cancel.check()?;
    stats.time(|| {
        let Some(best) = bests.into_iter().reduce(Best::merged) else {
            return Ok(MemorySource::new(plan.kinds(), Vec::new(), Vec::new()));
        };
        stats.note("partitions", best.kept.len() as u64);
        let (morsels, memory) = pool.install(|| best.finish(plan, context))?;
        Ok(MemorySource::new(plan.kinds(), morsels, vec![memory]))
    })
}

impl Best {
    fn add(
        &mut self,
        plan: &Plan<'_>,
        morsel: usize,
        batch: &Batch,
        context: &Context,
    ) -> Result<()> {
        // Morsels come in any order, the batches of one in theirs.
        if self.next_place >> 32 != morsel as u64 {
            self.next_place = (morsel as u64) << 32;
        }
        let first_place = self.next_place;
        self.next_place += batch.len() as u64;
        let keys = plan.partition.run(batch, context)?;
        self.table.find(&keys, batch.len(), &mut self.partitions)?;
        let known = self.table.len();
        self.thresholds.resize(known, u64::MAX);
        self.kept.resize(known);
        let columns = plan.order.columns(batch, context)?;
        let prefixes = plan.order.prefixes(&columns)?;
        let rows = self.rows_not_behind(&prefixes);
        if rows.is_empty() {
            return self.account();
        }
        let is_whole = |row: u32| plan.order.is_whole(prefixes[row as usize]);
        let keys = if rows.iter().all(|row| is_whole(*row)) {
            None
        } else {
            let taken = columns.iter().map(|column| column.take(&rows)).collect::<Result<Vec<_>>>();
            Some(plan.order.encode(&taken?)?)
        };
        let batch_index = u32::try_from(self.batches.len()).map_err(|_| too_many())?;
        let mut kept: Vec<u32> = Vec::new();
        for (index, row) in rows.iter().enumerate() {
            let (partition, prefix) =
                (self.partitions[*row as usize] as usize, prefixes[*row as usize]);
            let encoded = keys.as_ref().filter(|_| !is_whole(*row)).map(|keys| keys.row(index));
            let key: &[u8] = encoded.as_ref().map_or(&[], |key| key.as_ref());
            let place = first_place + u64::from(*row);
            // Of those that tie, the one that comes first in the input is the better.
            let is_behind = |worst: &Candidate| {
                worst.order_of_keys((prefix, key)).then(worst.place.cmp(&place)).is_le()
            };
            if self.kept.worst(partition).is_some_and(is_behind) {
                continue;
            }
            let pick = (batch_index, u32::try_from(kept.len()).map_err(|_| too_many())?);
            let candidate = Candidate { key: key.into(), place, prefix, pick };
            self.key_bytes += key.len();
            match self.kept.put(partition, candidate) {
                None => self.live_count += 1,
                Some(worst) => self.key_bytes -= worst.key.len(),
            }
            kept.push(*row);
            if let Some(worst) = self.kept.worst(partition) {
                self.thresholds[partition] = worst.prefix;
            }
        }
        if !kept.is_empty() {
            let kept = batch_to_ids(batch.take(&kept)?, plan.input)?;
            self.row_count += kept.len();
            self.batch_bytes += kept.bytes();
            self.batches.push(kept);
        }
        if self.row_count > self.live_count * 2 + SLACK {
            self.drop_others(plan)?;
        }
        self.account()
    }

    /// The rows that the thresholds of their partitions let through.
    fn rows_not_behind(&self, prefixes: &[u64]) -> Vec<u32> {
        let mut rows = vec![0; prefixes.len()];
        let mut count = 0;
        // Without a branch on what is let through.
        for (row, (partition, prefix)) in (0_u32..).zip(self.partitions.iter().zip(prefixes)) {
            rows[count] = row;
            count += usize::from(*prefix <= self.thresholds[*partition as usize]);
        }
        rows.truncate(count);
        rows
    }

    /// Keeps the candidates' rows only.
    fn drop_others(&mut self, plan: &Plan<'_>) -> Result<()> {
        let mut picks: Vec<Pick> = Vec::with_capacity(self.live_count);
        self.kept.for_each_pick(|pick| {
            let row = u32::try_from(picks.len()).map_err(|_| too_many())?;
            picks.push(std::mem::replace(pick, (0, row)));
            Ok(())
        })?;
        let kept = gather(&self.batches, &picks, plan.input)?;
        self.row_count = kept.len();
        self.batch_bytes = kept.bytes();
        self.batches = vec![kept];
        Ok(())
    }

    fn account(&mut self) -> Result<()> {
        self.memory.resize(
            self.table.bytes()
                + self.thresholds.capacity() * size_of::<u64>()
                + self.kept.bytes(self.live_count)
                + self.key_bytes
                + self.batch_bytes,
        )
    }

    /// The best rows of both.
    fn merged(mut self, other: Best) -> Best {
        let to = all_groups(&other.table);
        let is_common = |best: &Best| best.table.len() == best.common_count;
        let to = if is_common(&self) && is_common(&other) {
            to
        } else {
            self.table.absorb(&other.table, &to)
        };
        self.kept.resize(self.table.len());
        let base = u32::try_from(self.batches.len()).expect("each worker has fewer batches");
        other.kept.drain(|partition, mut candidate| {
            candidate.pick.0 += base;
            let _worst = self.kept.put(to[partition] as usize, candidate);
        });
        self.batches.extend(other.batches);
        self.batch_bytes += other.batch_bytes;
        self.memory.absorb(other.memory);
        self
    }

    /// The rows in the order of the input, with their numbers.
    fn finish(self, plan: &Plan<'_>, context: &Context) -> Result<(Vec<Vec<Batch>>, Reservation)> {
        let functions = &plan.window.functions;
        let mut winners: Vec<Winner> = self.kept.map(numbered);
        winners.par_sort_unstable_by_key(|winner| winner.place);
        let batches = &self.batches;
        let morsels = winners
            .par_chunks(RESULT_MORSEL_LEN)
            .map(|winners| {
                context.cancel.check()?;
                let picks: Vec<Pick> = winners.iter().map(|winner| winner.pick).collect();
                let rows = gather(batches, &picks, plan.input)?;
                let of_function = |function: &WindowFunction| {
                    let numbers = winners.iter().map(|winner| winner.numbers.of(*function));
                    Vector::Flat(Arc::new(Int64Array::from_iter_values(numbers)))
                };
                let mut columns = rows.into_columns();
                columns.extend(functions.iter().map(of_function));
                Ok(vec![Batch::new(columns, picks.len())])
            })
            .collect::<Result<Vec<Vec<Batch>>>>()?;
        let mut memory = self.memory;
        memory.resize(morsels.iter().flatten().map(Batch::bytes).sum())?;
        Ok((morsels, memory))
    }
}

/// A row of the result.
#[derive(Debug)]
struct Winner {
    place: u64,
    pick: Pick,
    numbers: Numbers,
}

/// Appends the rows of one partition, which come in its order, with their numbers.
fn numbered(candidates: &[Candidate], winners: &mut Vec<Winner>) {
    let mut numbers = Numbers::default();
    let mut last: Option<&Candidate> = None;
    for candidate in candidates {
        let key = (candidate.prefix, &*candidate.key);
        numbers.advance(last.is_some_and(|last| last.order_of_keys(key).is_eq()));
        last = Some(candidate);
        winners.push(Winner { place: candidate.place, pick: candidate.pick, numbers });
    }
}
