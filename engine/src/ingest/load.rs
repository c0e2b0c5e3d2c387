//! Loads a source into a table: column by column, several columns at a time.
//!
//! Only the columns in work are in memory, and of each one row group at a time, so that memory does
//! not grow with the columns, and with the rows by the dictionaries alone. Must not know how
//! transactions become durable.

use std::cmp::Reverse;
use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use super::column::ColumnLoad;
use super::order::Ordered;
use super::spool::Spool;
use super::tail::{Extended, Tail};
use super::{ColumnSource, LoadOptions, generation};
use crate::catalog::{Field, NewField, TableId};
use crate::context::Context;
use crate::storage::dictionary::{Change, Dictionary};
use crate::storage::{NewRowGroup, TableWriter, Transaction};
use crate::types::{DataType, Error, Result};

/// Rows of text that a source gives at once: gathered row by row, they need not be a page.
const TEXT_BATCH_LEN: usize = 4_096;

/// What a load did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LoadReport {
    /// Rows of the source.
    pub row_count: u64,
    /// Rows of short row groups that were written again with them.
    pub folded_row_count: u64,
    /// Row groups written.
    pub row_group_count: usize,
}

/// Appends the rows of `source` to a table, whose columns it has in the same order.
///
/// The rows become visible when the transaction is committed. A table is loaded once in a
/// transaction: a second load would not see the dictionaries of the first.
///
/// # Errors
/// `Type` when the columns do not fit the table's, `Invalid` for a NULL in a NOT NULL column,
/// columns of different lengths or a second load; `Cancelled`, `OutOfMemory`, `Io`; as the source.
pub fn load(
    transaction: &Transaction,
    table: TableId,
    source: &dyn ColumnSource,
    options: &LoadOptions,
    context: &Context,
) -> Result<LoadReport> {
    let writer = transaction.writer(table)?;
    check_unwritten(&writer)?;
    let fields = writer.fields();
    check_fields(&fields, source.fields())?;
    let new_row_count = count_rows(source, context)?;
    if new_row_count == 0 {
        return Ok(LoadReport::default());
    }
    if options.order_by.is_empty() {
        return load_rows(&writer, &fields, source, new_row_count, (options, context));
    }
    let ordered = Ordered::new(source, &options.order_by, new_row_count, context)?;
    load_rows(&writer, &fields, &ordered, new_row_count, (options, context))
}

fn load_rows(
    writer: &TableWriter,
    fields: &[Field],
    source: &dyn ColumnSource,
    new_row_count: usize,
    (options, context): (&LoadOptions, &Context),
) -> Result<LoadReport> {
    let row_group_len = index(writer.row_group_len());
    let page_len = index(writer.page_len());
    // Rows in an order of their own are not mixed with others.
    let tail = writer
        .snapshot()
        .filter(|_| options.order_by.is_empty())
        .map(|table| Tail::choose(table, new_row_count, row_group_len, page_len));
    let folded = tail.as_ref().map_or(0, |tail| tail.row_count);
    if let (Some(tail), Some(table)) = (&tail, writer.snapshot()) {
        for row_group_idx in &tail.row_groups {
            writer.drop_row_group(table.row_group(*row_group_idx).id)?;
        }
    }
    let lens = row_group_lens(folded + new_row_count, row_group_len);
    let row_groups: Result<Vec<NewRowGroup>> =
        lens.iter().map(|len| writer.add_row_group(small(*len))).collect();
    let row_groups = row_groups?;
    let report = LoadReport {
        row_count: wide(new_row_count),
        folded_row_count: wide(folded),
        row_group_count: row_groups.len(),
    };
    let extended = tail.as_ref().map(|tail| Extended { tail, fields, source });
    let load = Load {
        writer,
        fields,
        source: extended.as_ref().map_or(source, |extended| extended),
        row_groups: &row_groups,
        lens: &lens,
        page_len,
        kept: generation::kept_row_groups(writer, tail.as_ref().map(|tail| &*tail.row_groups)),
        spool: Spool::new(options.spool_folder.as_deref()),
        options,
        context,
    };
    load.run()?;
    Ok(report)
}

/// That what is to be written can build on the snapshot alone.
pub(super) fn check_unwritten(writer: &TableWriter) -> Result<()> {
    if writer.is_written() {
        return Err(Error::invalid("a transaction loads a table or merges its dictionaries once")
            .with_hint("commit, then load in another transaction"));
    }
    Ok(())
}

/// Row groups as equal as they can be would all be short; all are full but the last.
fn row_group_lens(row_count: usize, row_group_len: usize) -> Vec<usize> {
    (0..row_count)
        .step_by(row_group_len)
        .map(|start| row_group_len.min(row_count - start))
        .collect()
}

fn check_fields(fields: &[Field], offered: &[NewField]) -> Result<()> {
    if fields.len() != offered.len() {
        return Err(Error::type_mismatch(format!(
            "the table has {} columns, but the rows to be loaded have {}",
            fields.len(),
            offered.len()
        )));
    }
    let wrong = fields.iter().zip(offered).find(|(field, new)| field.data_type != new.data_type);
    match wrong {
        None => Ok(()),
        Some((field, new)) => Err(Error::type_mismatch(format!(
            "column \"{}\" is of type {}, but the rows to be loaded have {} there",
            field.name, field.data_type, new.data_type
        ))),
    }
}

/// The rows of a source; reads its first column if it does not know.
fn count_rows(source: &dyn ColumnSource, context: &Context) -> Result<usize> {
    let too_many = || Error::unsupported("loading more rows than a word can count");
    if let Some(row_count) = source.row_count() {
        return usize::try_from(row_count).map_err(|_| too_many());
    }
    let mut row_count = 0_usize;
    for array in source.column(0, 65_536)? {
        context.cancel.check()?;
        row_count = row_count.checked_add(array?.len()).ok_or_else(too_many)?;
    }
    Ok(row_count)
}

struct Load<'a> {
    writer: &'a TableWriter,
    fields: &'a [Field],
    source: &'a dyn ColumnSource,
    row_groups: &'a [NewRowGroup],
    lens: &'a [usize],
    page_len: usize,
    /// Row groups that stay, by their positions in the table as it was.
    kept: Vec<usize>,
    spool: Spool,
    options: &'a LoadOptions,
    context: &'a Context,
}

impl Load<'_> {
    /// Loads all columns. Half of the workers begin with what is large, texts before all, and the
    /// others with what is small: so not all of them hold much at a time, and where they meet the
    /// columns are of neither kind, and the workers end together.
    fn run(&self) -> Result<()> {
        let mut order: Vec<usize> = (0..self.fields.len()).collect();
        order.sort_by_cached_key(|column| {
            let is_text = is_text(self.fields[*column].data_type);
            Reverse((is_text, self.source.column_bytes(*column)))
        });
        let rows: usize = self.lens.iter().sum();
        self.context.progress.expect(wide(rows).saturating_mul(wide(order.len())));
        self.context.progress.set_units_per_row(wide(order.len()));
        let worker_count = self.context.worker_count.clamp(1, order.len());
        let queue = WorkQueue { waiting: Mutex::new(order.into()), failure: Failure::default() };
        thread::scope(|scope| {
            for worker in 1..worker_count {
                let end = if worker % 2 == 0 { End::Large } else { End::Small };
                let queue = &queue;
                scope.spawn(move || self.work(queue, end));
            }
            self.work(&queue, End::Large);
        });
        queue.failure.into_result()
    }

    fn work(&self, queue: &WorkQueue, end: End) {
        while let Some(column) = queue.next(end) {
            // A panic of one column ends the load, not the process.
            let loaded = catch_unwind(AssertUnwindSafe(|| self.load_column(column, queue)));
            match loaded {
                Ok(Ok(())) => {}
                Ok(Err(error)) => queue.failure.set(error),
                Err(_) => queue.failure.set(Error::internal(format!(
                    "loading column \"{}\" panicked",
                    self.fields[column].name
                ))),
            }
        }
    }

    fn load_column(&self, column: usize, queue: &WorkQueue) -> Result<()> {
        let field = &self.fields[column];
        let wanted = NewField {
            name: field.name.clone(),
            data_type: field.data_type,
            nullable: field.nullable,
        };
        let load = ColumnLoad {
            row_group_lens: self.lens,
            page_len: self.page_len,
            spool: &self.spool,
            options: self.options,
            context: self.context,
            check: &|| queue.failure.check(),
        };
        let batch_len = if is_text(field.data_type) { TEXT_BATCH_LEN } else { self.page_len };
        let arrays = self.source.column(column, batch_len.min(self.page_len))?;
        let loaded = load.run(&wanted, arrays, self.dictionary(field)?, &|row_group, chunk| {
            self.writer.write_chunk(&self.row_groups[row_group], field.id, &chunk)
        })?;
        match &loaded.grown.change {
            Change::None => {}
            Change::Run(run) => self.writer.append_run(field.id, run)?,
            Change::Generation { run, new_ids } => {
                let maps = &loaded.grown.maps;
                generation::replace(self.writer, field.id, (run, new_ids), (&self.kept, maps))?;
            }
        }
        for (row_group_idx, map) in loaded.coded_row_groups.iter().zip(&loaded.grown.maps) {
            let row_group = self.row_groups[*row_group_idx].id();
            self.writer.write_code_map(row_group, field.id, map)?;
        }
        Ok(())
    }

    fn dictionary(&self, field: &Field) -> Result<Option<Arc<Dictionary>>> {
        self.writer.snapshot().map_or(Ok(None), |table| table.dictionary(field.id))
    }
}

fn is_text(data_type: DataType) -> bool {
    matches!(data_type, DataType::Utf8 | DataType::Binary)
}

/// Columns to be loaded, the largest first, and the first error.
struct WorkQueue {
    waiting: Mutex<VecDeque<usize>>,
    failure: Failure,
}

/// Which of the waiting columns a worker takes.
#[derive(Clone, Copy)]
enum End {
    Large,
    Small,
}

impl WorkQueue {
    fn next(&self, end: End) -> Option<usize> {
        self.failure.check().ok()?;
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        match end {
            End::Large => waiting.pop_front(),
            End::Small => waiting.pop_back(),
        }
    }
}

#[derive(Default)]
struct Failure {
    failed: AtomicBool,
    error: Mutex<Option<Error>>,
}

impl Failure {
    fn set(&self, error: Error) {
        let mut first = self.error.lock().unwrap_or_else(PoisonError::into_inner);
        // Later errors are mostly those of workers that were told to stop.
        first.get_or_insert(error);
        self.failed.store(true, Ordering::Relaxed);
    }

    fn check(&self) -> Result<()> {
        if self.failed.load(Ordering::Relaxed) { Err(Error::cancelled()) } else { Ok(()) }
    }

    fn into_result(self) -> Result<()> {
        let error = self.error.into_inner().unwrap_or_else(PoisonError::into_inner);
        error.map_or(Ok(()), Err)
    }
}

fn index(number: u32) -> usize {
    usize::try_from(number).expect("a usize has at least 32 bits")
}

fn small(len: usize) -> u32 {
    u32::try_from(len).expect("row groups have at most 2^20 rows")
}

fn wide(len: usize) -> u64 {
    u64::try_from(len).unwrap_or(u64::MAX)
}
