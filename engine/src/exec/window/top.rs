//! The first rows of each partition: every worker keeps a heap of the best for each partition it has
//! met, and nothing else.
//!
//! A row is looked at closely only if a 64-bit prefix of its first key is not behind the worst that
//! its partition keeps; after the first rows of a partition nearly all others fail that. Rows that
//! were pushed out stay in memory until they are as many as those kept.

use std::cmp::Ordering;
use std::collections::BinaryHeap;
use std::ops::ControlFlow;
use std::sync::Arc;

use arrow::array::Int64Array;
use rayon::prelude::*;

use super::super::aggregate::{GroupTable, all_groups};
use super::super::gather::{Pick, gather};
use super::super::pool::{WorkerPool, drive};
use super::super::profile::OperatorStats;
use super::super::source::{MemorySource, Source, batch_to_ids};
use super::{Numbers, Plan, too_many};
use crate::context::{Context, Reservation};
use crate::types::Result;
use crate::vector::{Batch, Vector};

/// Rows that are kept for nothing before it is looked whether they are too many.
const SLACK: usize = if cfg!(test) { 8 } else { 16_384 };
/// Rows of a morsel of the result.
const RESULT_MORSEL_LEN: usize = 65_536;

/// A row that may be among the first of its partition.
#[derive(Debug)]
struct Candidate {
    /// Empty where the prefix says as much.
    key: Box<[u8]>,
    /// Where the row comes in the input: morsel, then row.
    place: u64,
    prefix: u64,
    pick: Pick,
}

impl Ord for Candidate {
    fn cmp(&self, other: &Candidate) -> Ordering {
        self.order_of_keys((other.prefix, &other.key)).then(self.place.cmp(&other.place))
    }
}

impl Candidate {
    fn order_of_keys(&self, (prefix, key): (u64, &[u8])) -> Ordering {
        // Most differ in the prefix, which spares a look at the key.
        self.prefix.cmp(&prefix).then_with(|| self.key.as_ref().cmp(key))
    }
}

impl PartialOrd for Candidate {
    fn partial_cmp(&self, other: &Candidate) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Candidate {
    fn eq(&self, other: &Candidate) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Candidate {}

/// The best rows of one worker.
#[derive(Debug)]
struct Best {
    table: GroupTable,
    /// No row with a larger prefix is among the first of the partition.
    thresholds: Vec<u64>,
    /// The worst on top.
    heaps: Vec<BinaryHeap<Candidate>>,
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
    let make = || {
        Ok(Best {
            table: plan.table()?,
            thresholds: Vec::new(),
            heaps: Vec::new(),
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
        stats.time(|| best.add((plan, limit), morsel, &batch, context))?;
        Ok(ControlFlow::Continue(()))
    })?;
    stats.bytes_at_least(bests.iter().map(|best| best.memory.bytes()).sum());
    context.cancel.check()?;
    stats.time(|| {
        let Some(best) = bests.into_iter().reduce(|left, right| left.merged(right, limit)) else {
            return Ok(MemorySource::new(plan.kinds(), Vec::new(), Vec::new()));
        };
        stats.note("partitions", best.heaps.len() as u64);
        let (morsels, memory) = pool.install(|| best.finish(plan, context))?;
        Ok(MemorySource::new(plan.kinds(), morsels, vec![memory]))
    })
}

impl Best {
    fn add(
        &mut self,
        (plan, limit): (&Plan<'_>, usize),
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
        self.heaps.resize_with(known, BinaryHeap::new);
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
            let heap = &mut self.heaps[partition];
            if heap.len() >= limit {
                // Of those that tie, the one that comes first in the input is the better.
                let place = first_place + u64::from(*row);
                let is_worse = |worst: &Candidate| {
                    worst.order_of_keys((prefix, key)).then(worst.place.cmp(&place)).is_le()
                };
                if heap.peek().is_none_or(is_worse) {
                    continue;
                }
                if let Some(worst) = heap.pop() {
                    self.key_bytes -= worst.key.len();
                    self.live_count -= 1;
                }
            }
            if heap.is_empty() {
                heap.reserve_exact(limit.min(4));
            }
            let pick = (batch_index, u32::try_from(kept.len()).map_err(|_| too_many())?);
            let place = first_place + u64::from(*row);
            heap.push(Candidate { key: key.into(), place, prefix, pick });
            self.key_bytes += key.len();
            self.live_count += 1;
            kept.push(*row);
            if let Some(worst) = heap.peek().filter(|_| heap.len() >= limit) {
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
        (0_u32..)
            .zip(self.partitions.iter().zip(prefixes))
            .filter(|(_, (partition, prefix))| **prefix <= self.thresholds[**partition as usize])
            .map(|(row, _)| row)
            .collect()
    }

    /// Keeps the candidates' rows only.
    fn drop_others(&mut self, plan: &Plan<'_>) -> Result<()> {
        let mut picks: Vec<Pick> = Vec::with_capacity(self.live_count);
        for heap in &mut self.heaps {
            let mut candidates = std::mem::take(heap).into_vec();
            for candidate in &mut candidates {
                let row = u32::try_from(picks.len()).map_err(|_| too_many())?;
                picks.push(std::mem::replace(&mut candidate.pick, (0, row)));
            }
            *heap = candidates.into();
        }
        let kept = gather(&self.batches, &picks, plan.input)?;
        self.row_count = kept.len();
        self.batch_bytes = kept.bytes();
        self.batches = vec![kept];
        Ok(())
    }

    fn account(&mut self) -> Result<()> {
        let per_partition = size_of::<u64>() + size_of::<BinaryHeap<Candidate>>();
        self.memory.resize(
            self.table.bytes()
                + self.heaps.capacity() * per_partition
                + self.live_count * size_of::<Candidate>()
                + self.key_bytes
                + self.batch_bytes,
        )
    }

    /// The best rows of both.
    fn merged(mut self, other: Best, limit: usize) -> Best {
        let to = self.table.absorb(&other.table, &all_groups(&other.table));
        self.heaps.resize_with(self.table.len(), BinaryHeap::new);
        let base = u32::try_from(self.batches.len()).expect("each worker has fewer batches");
        for (heap, to) in other.heaps.into_iter().zip(to) {
            let here = &mut self.heaps[to as usize];
            for mut candidate in heap.into_vec() {
                candidate.pick.0 += base;
                here.push(candidate);
                if here.len() > limit {
                    here.pop();
                }
            }
        }
        self.batches.extend(other.batches);
        self.batch_bytes += other.batch_bytes;
        self.memory.absorb(other.memory);
        self
    }

    /// The rows in the order of the input, with their numbers.
    fn finish(self, plan: &Plan<'_>, context: &Context) -> Result<(Vec<Vec<Batch>>, Reservation)> {
        let functions = &plan.window.functions;
        let mut winners: Vec<Winner> = self
            .heaps
            .into_par_iter()
            .flat_map_iter(|heap| {
                numbered(heap, functions.len(), |numbers, place| numbers.of(functions[place]))
            })
            .collect();
        winners.par_sort_unstable_by_key(|winner| winner.place);
        let batches = &self.batches;
        let morsels = winners
            .par_chunks(RESULT_MORSEL_LEN)
            .map(|winners| {
                context.cancel.check()?;
                let picks: Vec<Pick> = winners.iter().map(|winner| winner.pick).collect();
                let rows = gather(batches, &picks, plan.input)?;
                let of_function = |place: usize| {
                    let numbers: Int64Array =
                        winners.iter().map(|winner| winner.numbers[place]).collect();
                    Vector::Flat(Arc::new(numbers))
                };
                let mut columns = rows.into_columns();
                columns.extend((0..functions.len()).map(of_function));
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
    numbers: Box<[i64]>,
}

/// The rows of one partition in its order, with `count` numbers each.
fn numbered(
    heap: BinaryHeap<Candidate>,
    count: usize,
    number: impl Fn(&Numbers, usize) -> i64,
) -> Vec<Winner> {
    let mut numbers = Numbers::default();
    let mut last: Option<(u64, Box<[u8]>)> = None;
    let winner = |Candidate { key, place, prefix, pick }: Candidate| {
        let key = Some((prefix, key));
        numbers.advance(last == key);
        last = key;
        let numbers = (0..count).map(|place| number(&numbers, place)).collect();
        Winner { place, pick, numbers }
    };
    heap.into_sorted_vec().into_iter().map(winner).collect()
}
