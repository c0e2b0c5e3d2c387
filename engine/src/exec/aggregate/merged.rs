//! The groups of all workers put together, a part at a time, when the part is asked for.
//!
//! Parts are ranges of ids or hash partitions; no group is in two. The reader's workers take parts as
//! they take the morsels of a scan, so that this phase is as parallel as the first, and a reader that
//! keeps few groups never holds them all. Must not know who reads.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use super::by_id::{self, ById};
use super::groups::{DirectKey, Slots};
use super::worker::{Many, Worker, partitions};
use super::{PARTITION_COUNT, Work};
use crate::context::{Context, Reservation};
use crate::exec::pool::WorkerPool;
use crate::exec::source::{ColumnKind, Sink, Source};
use crate::types::Result;
use crate::vector::Batch;

/// Keys, then aggregates, a row a group.
#[derive(Debug)]
pub(super) struct Merged {
    work: Work,
    kinds: Vec<ColumnKind>,
    parts: Parts,
    /// How many groups the last part had: parts are much alike.
    group_count: AtomicUsize,
    /// Of tables that are done: mapping and unmapping memory for each interrupts the other workers.
    spare: Mutex<Vec<Slots>>,
}

#[derive(Debug)]
enum Parts {
    Ids {
        key: DirectKey,
        workers: Vec<ById>,
    },
    Hashed {
        workers: Vec<Worker>,
        /// Of each worker's table: its groups by partition.
        partitions: Vec<Vec<Vec<u32>>>,
        /// Neighbouring partitions that are one part: short ones would each cost more than their rows.
        partitions_per_part: usize,
    },
}

/// Rows of a part, at least, while there are parts enough for every worker.
const PART_ROWS_MIN: usize = if cfg!(test) { 100 } else { 1 << 13 };
/// Parts for each worker, at least.
const PARTS_PER_WORKER: usize = 8;

/// How many neighbouring partitions of `row_count` rows are a part; divides the number of partitions.
fn partitions_per_part(row_count: usize, worker_count: usize) -> usize {
    let parts = (row_count / PART_ROWS_MIN).max(PARTS_PER_WORKER * worker_count);
    PARTITION_COUNT / parts.next_power_of_two().min(PARTITION_COUNT)
}

impl Merged {
    /// Takes what the workers have.
    ///
    /// # Errors
    /// `OutOfMemory`.
    pub(super) fn new(
        work: Work,
        kinds: Vec<ColumnKind>,
        workers: Vec<Worker>,
        (pool, context): (&WorkerPool, &Context),
    ) -> Result<Merged> {
        let by_id = workers.iter().any(|worker| matches!(worker.many, Many::ById(_)));
        let parts = if let Some(key) = work.direct_key().filter(|_| by_id) {
            let take = |mut worker: Worker| {
                if let Many::ById(by_id) = worker.many {
                    return Ok(*by_id);
                }
                let mut by_id = worker.take_by_id(&work, key, context)?;
                by_id.end()?;
                Ok(by_id)
            };
            Parts::Ids { key, workers: workers.into_iter().map(take).collect::<Result<_>>()? }
        } else {
            let partitions = pool.run(workers.len(), |index| Ok(partitions(&workers[index])))?;
            let row_count = workers.iter().map(Worker::kept_count).sum();
            let partitions_per_part = partitions_per_part(row_count, workers.len());
            Parts::Hashed { workers, partitions, partitions_per_part }
        };
        Ok(Merged { work, kinds, parts, group_count: AtomicUsize::new(0), spare: Mutex::default() })
    }

    fn part(&self, part: usize, context: &Context) -> Result<(Batch, Reservation)> {
        let (workers, partitions, len) = match &self.parts {
            Parts::Ids { workers, .. } => {
                let mut memory = context.memory.reservation("grouping");
                let batch = by_id::finish_range(&self.work, workers, part)?;
                memory.resize(batch.bytes())?;
                return Ok((batch, memory));
            }
            Parts::Hashed { workers, partitions, partitions_per_part } => {
                (workers, partitions, *partitions_per_part)
            }
        };
        let range = part * len..(part + 1) * len;
        let expected = self.group_count.load(Ordering::Relaxed);
        let spare = self.spare.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let mut merged = self.work.partition((expected + expected / 16, spare), context)?;
        for (worker, partitions) in workers.iter().zip(partitions) {
            for groups in &partitions[range.clone()] {
                merged.merge(&worker.table, groups)?;
            }
        }
        for worker in workers {
            if let Many::Rows(rows) = &worker.many {
                rows.for_each_run(range.clone(), |keys, inputs| {
                    context.cancel.check()?;
                    merged.update_packed(&self.work, keys, inputs)
                })?;
            }
        }
        self.group_count.store(merged.table.len(), Ordering::Relaxed);
        let (batch, memory, table) = merged.finish(&self.work, false)?;
        let slots = table.into_slots();
        self.spare.lock().unwrap_or_else(PoisonError::into_inner).extend(slots);
        Ok((batch, memory))
    }
}

impl Source for Merged {
    fn kinds(&self) -> &[ColumnKind] {
        &self.kinds
    }

    fn morsel_count(&self) -> usize {
        match &self.parts {
            Parts::Ids { key, .. } => by_id::range_count(key),
            Parts::Hashed { partitions_per_part, .. } => PARTITION_COUNT / partitions_per_part,
        }
    }

    fn run(&self, morsel: usize, context: &Context, sink: &mut Sink<'_>) -> Result<()> {
        context.cancel.check()?;
        let (batch, _memory) = self.part(morsel, context)?;
        let batch_len = context.batch_len.max(1);
        for start in (0..batch.len()).step_by(batch_len) {
            if sink(batch.slice(start, batch_len.min(batch.len() - start)))?.is_break() {
                break;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_neither_short_nor_few() {
        let parts = |rows, workers| PARTITION_COUNT / partitions_per_part(rows, workers);
        assert_eq!(parts(0, 2), 16);
        assert_eq!(parts(20 * PART_ROWS_MIN, 2), 32);
        assert_eq!(parts(PARTITION_COUNT * PART_ROWS_MIN, 2), PARTITION_COUNT);
        assert_eq!(parts(usize::MAX, 1_000), PARTITION_COUNT);
        assert_eq!(parts(0, 1_000), PARTITION_COUNT);
    }
}
