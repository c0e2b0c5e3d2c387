//! What the first rows of each partition are at most, found before any row is kept.
//!
//! Keeping a row costs far more than looking at its key, and of a partition of n rows about
//! k ln(n / k) are among the first k when they come. So the smallest prefixes of each partition are
//! found first, in a pass that keeps nothing else; in the second pass hardly a row is kept that is not
//! in the result. The first pass ends as soon as a partition has many rows on the average: what is
//! known then lets few rows through. Must not know what rows hold.

use std::ops::ControlFlow;
use std::sync::Arc;

use super::super::aggregate::{GroupTable, all_groups};
use super::super::pool::{WorkerPool, drive};
use super::super::source::Source;
use super::Plan;
use crate::context::{Context, Reservation};
use crate::types::Result;
use crate::vector::Batch;

/// Rows of a partition, on the average, after which bounds let few others through.
const PARTITION_LEN_MAX: usize = if cfg!(test) { 2 } else { 256 };

/// The smallest prefixes of each partition.
#[derive(Debug)]
pub(super) struct Bounds {
    table: GroupTable,
    /// So many for each partition, ascending; `u64::MAX` where there are fewer.
    smallest: Vec<u64>,
    limit: usize,
    row_count: usize,
    partitions: Vec<u32>,
    memory: Reservation,
}

/// The bounds of the first `limit` rows of each partition; `None` where finding them does not pay.
///
/// # Errors
/// Those of the input and the keys; `OutOfMemory`.
pub(super) fn bounds(
    input: &dyn Source,
    (plan, limit): (&Plan<'_>, usize),
    (pool, context): (&WorkerPool, &Context),
) -> Result<Option<Bounds>> {
    if !(1..=4).contains(&limit) || !input.is_repeatable() {
        return Ok(None);
    }
    // The second pass tells how far it is.
    let progress = Arc::new(context.progress.of_input());
    let quiet = Context { progress, ..context.clone() };
    let make = || {
        Ok(Bounds {
            table: plan.table()?,
            smallest: Vec::new(),
            limit,
            row_count: 0,
            partitions: Vec::new(),
            memory: context.memory.reservation("a window"),
        })
    };
    let found = drive(input, pool, &quiet, make, |bounds, _, batch| {
        if bounds.row_count > PARTITION_LEN_MAX * bounds.table.len() {
            return Ok(ControlFlow::Break(()));
        }
        bounds.add(plan, &batch, &quiet)?;
        Ok(ControlFlow::Continue(()))
    })?;
    Ok(found.into_iter().reduce(Bounds::merged))
}

impl Bounds {
    /// A table of the partitions that were met, for one worker.
    ///
    /// # Errors
    /// Those of the keys.
    pub(super) fn table(&self, plan: &Plan<'_>) -> Result<GroupTable> {
        let mut table = plan.table()?;
        // Taken over in order, they keep their numbers.
        table.absorb(&self.table, &all_groups(&self.table));
        Ok(table)
    }

    /// The largest prefix that the first rows of each partition may have.
    pub(super) fn largest(&self) -> Vec<u64> {
        self.smallest.chunks(self.limit).map(|smallest| smallest[self.limit - 1]).collect()
    }

    /// Rows that were looked at.
    pub(super) fn row_count(&self) -> usize {
        self.row_count
    }

    fn add(&mut self, plan: &Plan<'_>, batch: &Batch, context: &Context) -> Result<()> {
        self.row_count += batch.len();
        let keys = plan.partition.run(batch, context)?;
        self.table.find(&keys, batch.len(), &mut self.partitions)?;
        self.smallest.resize(self.table.len() * self.limit, u64::MAX);
        let columns = plan.order.columns(batch, context)?;
        let prefixes = plan.order.prefixes(&columns)?;
        self.lower(&prefixes);
        self.memory.resize(self.table.bytes() + self.smallest.capacity() * size_of::<u64>())
    }

    fn lower(&mut self, prefixes: &[u64]) {
        let (smallest, partitions) = (&mut self.smallest[..], &self.partitions[..]);
        match self.limit {
            1 => lower(smallest.as_chunks_mut::<1>().0, partitions, prefixes),
            2 => lower(smallest.as_chunks_mut::<2>().0, partitions, prefixes),
            3 => lower(smallest.as_chunks_mut::<3>().0, partitions, prefixes),
            _ => lower(smallest.as_chunks_mut::<4>().0, partitions, prefixes),
        }
    }

    fn merged(mut self, other: Bounds) -> Bounds {
        self.row_count += other.row_count;
        self.partitions = self.table.absorb(&other.table, &all_groups(&other.table));
        self.smallest.resize(self.table.len() * self.limit, u64::MAX);
        for place in 0..self.limit {
            let prefixes: Vec<u64> =
                other.smallest.chunks(self.limit).map(|smallest| smallest[place]).collect();
            self.lower(&prefixes);
        }
        self
    }
}

/// Puts each prefix among the smallest of its partition.
fn lower<const N: usize>(smallest: &mut [[u64; N]], partitions: &[u32], prefixes: &[u64]) {
    for (partition, prefix) in partitions.iter().zip(prefixes) {
        let mut rest = *prefix;
        // Without a branch: nobody guesses where it goes.
        for place in &mut smallest[*partition as usize] {
            (*place, rest) = ((*place).min(rest), (*place).max(rest));
        }
    }
}
