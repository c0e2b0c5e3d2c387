//! Bounded sort: every worker keeps its best rows, and tells the others what cannot be among them.
//!
//! A row is looked at closely only if a 64-bit prefix of its first key is not behind the worst kept
//! so far by any worker; after the first batches nearly all rows fail that, and the input is told, so
//! that a scan does not even read them. Stable: ties stay in the input's order, on any number of
//! workers.

use std::cmp;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::gather::{Pick, gather};
use super::pool::{WorkerPool, drive};
use super::profile::OperatorStats;
use super::sort_key::KeyProgram;
use super::source::{ColumnKind, MemorySource, Source, TopBound, batch_to_ids};
use crate::context::{Context, Reservation};
use crate::plan::{Expr, SortKey};
use crate::types::{Error, Result};
use crate::vector::Batch;

/// Candidates beyond those wanted after which the worst are dropped.
const SLACK: usize = 256;

/// A row that may be among the first: its key, its place in the input, where it is kept.
#[derive(Debug)]
struct Candidate {
    prefix: u64,
    /// Empty where the prefix says all, as it then does of every row that has it.
    key: Box<[u8]>,
    place: (usize, u64),
    pick: Pick,
}

impl Candidate {
    fn order(&self, other: &Candidate) -> cmp::Ordering {
        let by_key = || {
            // Comparing no bytes is slow: a masked load at no address.
            if self.key.is_empty() { cmp::Ordering::Equal } else { self.key.cmp(&other.key) }
        };
        self.prefix.cmp(&other.prefix).then_with(by_key).then(self.place.cmp(&other.place))
    }
}

#[derive(Debug)]
struct Best {
    candidates: Vec<Candidate>,
    batches: Vec<Batch>,
    morsel: usize,
    morsel_row: u64,
    /// The prefix and the place of the worst row kept, once there are enough.
    worst: Option<(u64, (usize, u64))>,
    memory: Reservation,
}

#[derive(Debug)]
struct Plan<'a> {
    program: KeyProgram,
    kinds: &'a [ColumnKind],
    count: usize,
    /// No row with a larger prefix is among the first `count`.
    threshold: Arc<AtomicU64>,
}

/// The rows `offset..offset + limit` of the input in the order of `keys`.
///
/// # Errors
/// Those of the input and the keys; `OutOfMemory`.
pub(crate) fn top_n(
    input: &dyn Source,
    keys: &[SortKey],
    (offset, limit): (usize, usize),
    (pool, context): (&WorkerPool, &Context),
    stats: &OperatorStats,
) -> Result<MemorySource> {
    let plan = Plan {
        program: KeyProgram::new(keys, input.kinds())?,
        kinds: input.kinds(),
        count: offset.saturating_add(limit),
        threshold: Arc::new(AtomicU64::new(u64::MAX)),
    };
    if let Some(SortKey { expr: Expr::Column { index, .. }, descending, nulls_first }) =
        keys.first()
    {
        input.follow(TopBound {
            column: *index,
            descending: *descending,
            nulls_first: *nulls_first,
            threshold: Arc::clone(&plan.threshold),
        });
    }
    let make = || {
        Ok(Best {
            candidates: Vec::new(),
            batches: Vec::new(),
            morsel: 0,
            morsel_row: 0,
            worst: None,
            memory: context.memory.reservation("sorting"),
        })
    };
    let states = drive(input, pool, context, make, |best, morsel, batch| {
        stats.time(|| best.add(&plan, morsel, &batch, context))?;
        Ok(ControlFlow::Continue(()))
    })?;
    stats.bytes_at_least(states.iter().map(|best| best.memory.bytes()).sum());
    let (batch, memory) = stats.time(|| merge(&plan, states, offset))?;
    Ok(MemorySource::new(input.kinds().to_vec(), vec![vec![batch]], memory))
}

fn merge(plan: &Plan<'_>, states: Vec<Best>, offset: usize) -> Result<(Batch, Vec<Reservation>)> {
    let mut batches = Vec::new();
    let mut candidates = Vec::new();
    let mut memory = Vec::new();
    for best in states {
        let base = u32::try_from(batches.len()).map_err(|_| too_many())?;
        batches.extend(best.batches);
        candidates.extend(best.candidates.into_iter().map(|mut candidate| {
            candidate.pick.0 += base;
            candidate
        }));
        memory.push(best.memory);
    }
    if candidates.len() > plan.count {
        candidates.select_nth_unstable_by(plan.count, Candidate::order);
        candidates.truncate(plan.count);
    }
    let offset = offset.min(candidates.len());
    if offset > 0 {
        // What is left out needs no order.
        candidates.select_nth_unstable_by(offset - 1, Candidate::order);
    }
    let wanted = &mut candidates[offset..];
    wanted.sort_unstable_by(Candidate::order);
    let picks: Vec<Pick> = wanted.iter().map(|candidate| candidate.pick).collect();
    Ok((gather(&batches, &picks, plan.kinds)?, memory))
}

fn too_many() -> Error {
    Error::unsupported("a batch of more than 2^32 rows is not supported")
}

impl Best {
    fn add(
        &mut self,
        plan: &Plan<'_>,
        morsel: usize,
        batch: &Batch,
        context: &Context,
    ) -> Result<()> {
        if self.morsel != morsel {
            self.morsel = morsel;
            self.morsel_row = 0;
        }
        let first_row = self.morsel_row;
        self.morsel_row += batch.len() as u64;
        if plan.count == 0 {
            return Ok(());
        }
        let columns = plan.program.columns(batch, context)?;
        let prefixes = plan.program.prefixes(&columns)?;
        let mut threshold = plan.threshold.load(Ordering::Relaxed);
        if let Some((prefix, place)) = self.worst
            && prefix <= threshold
            && place < (morsel, first_row)
        {
            // A tie with the worst comes after it, whatever the row.
            threshold = plan.program.last_prefix_before(prefix);
        }
        let rows: Vec<u32> = if prefixes.is_empty() {
            (0..u32::try_from(batch.len()).map_err(|_| too_many())?).collect()
        } else {
            (0_u32..)
                .zip(&prefixes)
                .filter_map(|(row, prefix)| (*prefix <= threshold).then_some(row))
                .collect()
        };
        if rows.is_empty() {
            return Ok(());
        }
        let keys = plan.program.rest(&columns, &prefixes, &rows)?;
        let kept = batch_to_ids(batch.take(&rows)?, plan.kinds)?;
        let batch_index = u32::try_from(self.batches.len()).map_err(|_| too_many())?;
        for (index, row) in (0_u32..).zip(&rows) {
            let prefix = prefixes.get(*row as usize).copied().unwrap_or(0);
            let rest = keys.as_ref().filter(|_| !plan.program.is_whole(prefix));
            self.candidates.push(Candidate {
                prefix,
                key: rest
                    .map_or_else(Box::default, |keys| keys.row(index as usize).as_ref().into()),
                place: (morsel, first_row + u64::from(*row)),
                pick: (batch_index, index),
            });
        }
        self.batches.push(kept);
        if self.candidates.len()
            >= plan.count.saturating_mul(2).max(plan.count.saturating_add(SLACK))
        {
            self.drop_worst(plan)?;
        }
        self.account()
    }

    fn drop_worst(&mut self, plan: &Plan<'_>) -> Result<()> {
        self.candidates.select_nth_unstable_by(plan.count - 1, Candidate::order);
        self.candidates.truncate(plan.count);
        self.worst = self.candidates.last().map(|candidate| (candidate.prefix, candidate.place));
        let worst = self.worst.map_or(u64::MAX, |(prefix, _)| prefix);
        plan.threshold.fetch_min(worst, Ordering::Relaxed);
        let picks: Vec<Pick> = self.candidates.iter().map(|candidate| candidate.pick).collect();
        let kept = gather(&self.batches, &picks, plan.kinds)?;
        for (row, candidate) in (0_u32..).zip(&mut self.candidates) {
            candidate.pick = (0, row);
        }
        self.batches = vec![kept];
        Ok(())
    }

    fn account(&mut self) -> Result<()> {
        let batches: usize = self.batches.iter().map(Batch::bytes).sum();
        let keys: usize = self.candidates.iter().map(|candidate| candidate.key.len()).sum();
        self.memory.resize(batches + keys + self.candidates.capacity() * size_of::<Candidate>())
    }
}
