//! The result of a query as a stream of Arrow batches.
//!
//! Pull-driven: `next` runs the next wave of morsels on the pool and hands out their batches in row
//! order, so that a stream which nobody reads holds up nobody. Nothing runs outside `next`, so a dropped
//! stream has nothing left to cancel.

use std::collections::VecDeque;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::{Duration, Instant};

use arrow::array::{RecordBatch, RecordBatchOptions};
use arrow::datatypes::{Field, Schema, SchemaRef};

use super::build::{Builder, Built};
use super::pool::{WorkerPool, guarded};
use super::profile::Profile;
use super::source::Source;
use crate::context::{Context, Reservation};
use crate::plan::{OutputColumn, PhysicalPlan};
use crate::types::{Error, Result};
use crate::vector::{Batch, Vector};

/// Limits up to which the first wave is a single morsel.
const SMALL_LIMIT: u64 = 10_000;

/// Bytes of a morsel's rows from which codes are left as they are until their batch is asked for.
const DECODED_BYTES_MAX: usize = 32 << 20;

/// The batches of a result. Iterating runs the query; after an error the stream is over.
#[derive(Debug)]
pub struct BatchStream {
    schema: SchemaRef,
    state: State,
    builder: Builder,
    started: Option<Instant>,
    elapsed: Duration,
}

#[derive(Debug)]
enum State {
    Planned(Box<PhysicalPlan>),
    Running(Running),
    Done,
}

#[derive(Debug)]
struct Running {
    source: Arc<dyn Source>,
    next_morsel: usize,
    wave_len: usize,
    /// Every row is asked for: workers read the values behind codes too.
    is_whole: bool,
    skip: u64,
    remaining: u64,
    ready: VecDeque<Batch>,
    memory: Reservation,
}

impl BatchStream {
    pub(super) fn new(
        plan: &PhysicalPlan,
        output: &[OutputColumn],
        builder: Builder,
    ) -> BatchStream {
        let fields: Vec<Field> = output
            .iter()
            .map(|column| Field::new(&column.name, column.data_type.to_arrow(), true))
            .collect();
        BatchStream {
            schema: Arc::new(Schema::new(fields)),
            state: State::Planned(Box::new(plan.clone())),
            builder,
            started: None,
            elapsed: Duration::ZERO,
        }
    }

    /// Names and types of the columns.
    pub fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    /// What was done so far.
    pub fn profile(&self) -> Profile {
        self.builder.profile(self.elapsed)
    }

    fn advance(&mut self) -> Result<Option<RecordBatch>> {
        if let State::Planned(plan) = &self.state {
            let built = guarded(|| self.builder.build_root(plan))?;
            self.state = State::Running(Running::new(built, self.builder.context()));
        }
        let State::Running(running) = &mut self.state else { return Ok(None) };
        let context = self.builder.context().clone();
        let pool = Arc::clone(self.builder.pool());
        let Some(batch) = guarded(|| running.next(&pool, &context))? else { return Ok(None) };
        let schema = Arc::clone(&self.schema);
        guarded(|| to_record_batch(&batch, schema)).map(Some)
    }
}

impl Iterator for BatchStream {
    type Item = Result<RecordBatch>;

    fn next(&mut self) -> Option<Result<RecordBatch>> {
        let begin = Instant::now();
        self.started.get_or_insert(begin);
        let result = self.advance();
        self.elapsed += begin.elapsed();
        let result = result.transpose();
        if !matches!(result, Some(Ok(_))) {
            self.state = State::Done;
        }
        result
    }
}

impl Running {
    fn new(built: Built, context: &Context) -> Running {
        let wanted = built.limit.map_or(u64::MAX, |limit| limit.saturating_add(built.offset));
        let wave_len = if wanted <= SMALL_LIMIT { 1 } else { context.worker_count.max(1) };
        Running {
            source: built.source,
            next_morsel: 0,
            wave_len,
            is_whole: built.limit.is_none() && built.offset == 0,
            skip: built.offset,
            remaining: built.limit.unwrap_or(u64::MAX),
            ready: VecDeque::new(),
            memory: context.memory.reservation("results in flight"),
        }
    }

    fn next(&mut self, pool: &WorkerPool, context: &Context) -> Result<Option<Batch>> {
        loop {
            context.cancel.check()?;
            if self.remaining == 0 {
                return Ok(None);
            }
            if let Some(batch) = self.ready.pop_front() {
                if self.ready.is_empty() {
                    self.memory.resize(0)?;
                }
                if let Some(batch) = self.cut(batch) {
                    return Ok(Some(batch));
                }
                continue;
            }
            if self.next_morsel >= self.source.morsel_count() {
                return Ok(None);
            }
            self.run_wave(pool, context)?;
        }
    }

    fn run_wave(&mut self, pool: &WorkerPool, context: &Context) -> Result<()> {
        let first = self.next_morsel;
        let count = self.wave_len.min(self.source.morsel_count() - first);
        let wanted = self.skip.saturating_add(self.remaining);
        let (source, is_whole) = (&self.source, self.is_whole);
        let results = pool.run(count, |index| {
            let mut batches = Vec::new();
            let mut memory = context.memory.reservation("results in flight");
            let mut row_count = 0_u64;
            source.run(first + index, context, &mut |batch| {
                context.cancel.check()?;
                let is_small = memory.bytes() < DECODED_BYTES_MAX;
                let batch = if is_whole && is_small { decoded(batch)? } else { batch };
                memory.grow(batch.bytes())?;
                row_count += batch.len() as u64;
                batches.push(batch);
                // No later row of this morsel can be asked for.
                let enough = row_count >= wanted;
                Ok(if enough { ControlFlow::Break(()) } else { ControlFlow::Continue(()) })
            })?;
            Ok((batches, memory))
        })?;
        self.next_morsel += count;
        self.wave_len = (self.wave_len * 2).min(context.worker_count.max(1) * 2);
        let bytes: usize = results.iter().map(|(_, memory)| memory.bytes()).sum();
        let batches: Vec<Vec<Batch>> = results.into_iter().map(|(batches, _)| batches).collect();
        self.memory.resize(bytes)?;
        self.ready.extend(batches.into_iter().flatten());
        Ok(())
    }

    /// The part of a batch that offset and limit leave.
    fn cut(&mut self, batch: Batch) -> Option<Batch> {
        let len = batch.len() as u64;
        let skipped = self.skip.min(len);
        self.skip -= skipped;
        let given = (len - skipped).min(self.remaining);
        self.remaining -= given;
        if given == 0 {
            return None;
        }
        if given == len {
            return Some(batch);
        }
        let offset = usize::try_from(skipped).expect("inside a batch");
        let given = usize::try_from(given).expect("inside a batch");
        Some(batch.slice(offset, given))
    }
}

/// The batch with the values of its columns spelt out.
fn decoded(batch: Batch) -> Result<Batch> {
    let len = batch.len();
    let columns = batch.into_columns().into_iter();
    let columns = columns.map(|column| Ok(Vector::Flat(column.decode()?)));
    Ok(Batch::new(columns.collect::<Result<_>>()?, len))
}

fn to_record_batch(batch: &Batch, schema: SchemaRef) -> Result<RecordBatch> {
    let columns = batch.columns().iter().map(Vector::decode).collect::<Result<Vec<_>>>()?;
    let options = RecordBatchOptions::new().with_row_count(Some(batch.len()));
    RecordBatch::try_new_with_options(schema, columns, &options)
        .map_err(|error| Error::internal(format!("a result does not have its schema: {error}")))
}
