//! All rows, numbered: they are brought together by partition with a counting sort, then each
//! partition is sorted on its own.

use std::ops::{ControlFlow, Range};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use arrow::array::Int64Array;
use arrow::row::Rows;
use rayon::prelude::*;

use super::super::aggregate::{GroupTable, all_groups};
use super::super::gather::Pick;
use super::super::pool::{WorkerPool, drive};
use super::super::profile::OperatorStats;
use super::super::source::{MemorySource, Source, batch_to_ids};
use super::{Numbers, Plan, too_many};
use crate::context::{Context, Reservation};
use crate::types::{Error, Result};
use crate::vector::{Batch, Vector};

/// Rows that are worth a worker's while.
const TASK_ROWS_MIN: usize = if cfg!(test) { 4 } else { 16_384 };
/// Rows of a partition from which workers share its sort.
const SHARED_SORT_MIN: usize = if cfg!(test) { 16 } else { 1 << 18 };

/// What a worker brings.
#[derive(Debug)]
struct Part {
    table: GroupTable,
    runs: Vec<Run>,
    memory: Reservation,
}

/// A batch, and what is known of its rows.
#[derive(Debug)]
struct Run {
    morsel: usize,
    batch: Batch,
    partitions: Vec<u32>,
    prefixes: Vec<u64>,
    keys: Rows,
}

/// A row on its way into order.
#[derive(Clone, Copy, Debug, Default)]
struct Entry {
    prefix: u64,
    pick: Pick,
}

/// The rows of `input` with their numbers.
pub(super) fn number(
    input: &dyn Source,
    plan: &Plan<'_>,
    (pool, context): (&WorkerPool, &Context),
    stats: &OperatorStats,
) -> Result<MemorySource> {
    let make = || {
        let memory = context.memory.reservation("a window");
        Ok(Part { table: plan.table()?, runs: Vec::new(), memory })
    };
    let parts = drive(input, pool, context, make, |part, morsel, batch| {
        stats.time(|| part.add(plan, morsel, batch, context))?;
        Ok(ControlFlow::Continue(()))
    })?;
    stats.time(|| {
        let (partition_count, mut runs, mut memory) = merge(parts);
        // A worker takes ascending morsels and keeps their batches in order: a stable sort restores it.
        runs.sort_by_key(|run| run.morsel);
        let row_count: usize = runs.iter().map(|run| run.batch.len()).sum();
        let function_count = plan.window.functions.len();
        let mut own = context.memory.reservation("a window");
        own.resize(row_count * (size_of::<Entry>() + function_count * size_of::<i64>()))?;
        context.cancel.check()?;
        let (mut entries, starts) = by_partition(&runs, partition_count)?;
        let numbers = pool.install(|| numbered((plan, context), &runs, &mut entries, &starts))?;
        drop(entries);
        memory.push(own);
        stats.bytes_at_least(memory.iter().map(Reservation::bytes).sum());
        stats.note("partitions", partition_count as u64);
        let morsels = with_numbers(runs, &numbers);
        Ok(MemorySource::new(plan.kinds(), morsels, memory))
    })
}

impl Part {
    fn add(
        &mut self,
        plan: &Plan<'_>,
        morsel: usize,
        batch: Batch,
        context: &Context,
    ) -> Result<()> {
        let mut partitions = Vec::with_capacity(batch.len());
        let keys = plan.partition.run(&batch, context)?;
        self.table.find(&keys, batch.len(), &mut partitions)?;
        let columns = plan.order.columns(&batch, context)?;
        let (prefixes, keys) = (plan.order.prefixes(&columns)?, plan.order.encode(&columns)?);
        let batch = batch_to_ids(batch, plan.input)?;
        let row_bytes = size_of::<u32>() + size_of::<u64>();
        self.memory.grow(batch.bytes() + keys.size() + batch.len() * row_bytes)?;
        self.runs.push(Run { morsel, batch, partitions, prefixes, keys });
        Ok(())
    }
}

/// All runs with the partitions of one table, of which there are so many.
fn merge(parts: Vec<Part>) -> (usize, Vec<Run>, Vec<Reservation>) {
    let mut parts = parts.into_iter();
    let Some(Part { mut table, mut runs, memory }) = parts.next() else {
        return (0, Vec::new(), Vec::new());
    };
    let mut reservations = vec![memory];
    for part in parts {
        let to = table.absorb(&part.table, &all_groups(&part.table));
        for mut run in part.runs {
            run.partitions.iter_mut().for_each(|partition| *partition = to[*partition as usize]);
            runs.push(run);
        }
        reservations.push(part.memory);
    }
    (table.len(), runs, reservations)
}

/// The rows by partition, and where each partition starts; inside one in the order of the input.
fn by_partition(runs: &[Run], partition_count: usize) -> Result<(Vec<Entry>, Vec<usize>)> {
    let mut starts = vec![0_usize; partition_count + 1];
    for partition in runs.iter().flat_map(|run| &run.partitions) {
        starts[*partition as usize + 1] += 1;
    }
    let mut sum = 0;
    for start in &mut starts {
        sum += *start;
        *start = sum;
    }
    let mut next = starts.clone();
    let mut entries = vec![Entry::default(); sum];
    for (index, run) in runs.iter().enumerate() {
        let index = u32::try_from(index).map_err(|_| too_many())?;
        for (row, (partition, prefix)) in run.partitions.iter().zip(&run.prefixes).enumerate() {
            let row = u32::try_from(row).map_err(|_| too_many())?;
            let place = &mut next[*partition as usize];
            entries[*place] = Entry { prefix: *prefix, pick: (index, row) };
            *place += 1;
        }
    }
    Ok((entries, starts))
}

/// Numbers by function, of each row in the order of the runs.
type ByFunction = Vec<Vec<AtomicI64>>;

/// Orders each partition and numbers its rows, on all workers.
fn numbered(
    (plan, context): (&Plan<'_>, &Context),
    runs: &[Run],
    entries: &mut [Entry],
    starts: &[usize],
) -> Result<ByFunction> {
    let zeros = |_| (0..entries.len()).map(|_| AtomicI64::new(0)).collect();
    let numbers: ByFunction = plan.window.functions.iter().map(zeros).collect();
    let mut bases = Vec::with_capacity(runs.len());
    let mut base = 0;
    for run in runs {
        bases.push(base);
        base += run.batch.len();
    }
    tasks(entries, starts).into_par_iter().try_for_each(|(partitions, mut entries)| {
        context.cancel.check()?;
        for partition in partitions {
            let len = starts[partition + 1] - starts[partition];
            let (of_partition, rest) = std::mem::take(&mut entries).split_at_mut(len);
            entries = rest;
            if !plan.window.order.is_empty() {
                sort(runs, of_partition);
            }
            number_partition(plan, runs, of_partition, |place, (run, row), number| {
                // Each row is in one partition, so that each number is written once.
                let row = bases[run as usize] + row as usize;
                numbers[place][row].store(number, Ordering::Relaxed);
            });
        }
        Ok::<(), Error>(())
    })?;
    Ok(numbers)
}

/// Partitions with their entries, enough for a worker each time.
fn tasks<'e>(
    mut entries: &'e mut [Entry],
    starts: &[usize],
) -> Vec<(Range<usize>, &'e mut [Entry])> {
    let mut tasks = Vec::new();
    let mut first = 0;
    for last in 1..starts.len() {
        let len = starts[last] - starts[first];
        if len >= TASK_ROWS_MIN || last + 1 == starts.len() {
            let (task, rest) = entries.split_at_mut(len);
            entries = rest;
            tasks.push((first..last, task));
            first = last;
        }
    }
    tasks
}

fn sort(runs: &[Run], entries: &mut [Entry]) {
    let order = |a: &Entry, b: &Entry| {
        let by_prefix = a.prefix.cmp(&b.prefix);
        by_prefix.then_with(|| key(runs, a).cmp(&key(runs, b))).then(a.pick.cmp(&b.pick))
    };
    if entries.len() >= SHARED_SORT_MIN {
        entries.par_sort_unstable_by(order);
    } else {
        entries.sort_unstable_by(order);
    }
}

fn key<'r>(runs: &'r [Run], entry: &Entry) -> arrow::row::Row<'r> {
    let (run, row) = entry.pick;
    runs[run as usize].keys.row(row as usize)
}

fn number_partition(
    plan: &Plan<'_>,
    runs: &[Run],
    entries: &[Entry],
    mut put: impl FnMut(usize, Pick, i64),
) {
    let mut numbers = Numbers::default();
    let mut last: Option<&Entry> = None;
    for entry in entries {
        let ties = last
            .is_some_and(|last| last.prefix == entry.prefix && key(runs, last) == key(runs, entry));
        numbers.advance(ties);
        last = Some(entry);
        for (place, function) in plan.window.functions.iter().enumerate() {
            put(place, entry.pick, numbers.of(*function));
        }
    }
}

/// The batches with their numbers, by morsel.
fn with_numbers(runs: Vec<Run>, numbers: &ByFunction) -> Vec<Vec<Batch>> {
    let mut morsels: Vec<Vec<Batch>> = Vec::new();
    let (mut base, mut morsel) = (0, None);
    for run in runs {
        let rows = base..base + run.batch.len();
        base = rows.end;
        let of_function = |numbers: &Vec<AtomicI64>| {
            let values: Int64Array =
                numbers[rows.clone()].iter().map(|number| number.load(Ordering::Relaxed)).collect();
            Vector::Flat(Arc::new(values))
        };
        let len = run.batch.len();
        let mut columns = run.batch.into_columns();
        columns.extend(numbers.iter().map(of_function));
        if morsel != Some(run.morsel) {
            morsel = Some(run.morsel);
            morsels.push(Vec::new());
        }
        if let Some(batches) = morsels.last_mut() {
            batches.push(Batch::new(columns, len));
        }
    }
    morsels
}
