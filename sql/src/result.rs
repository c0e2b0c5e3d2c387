//! What a statement gives.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use martlet_engine::context::{CancelToken, Context, Progress};
use martlet_engine::exec::{BatchStream, Profile};
use martlet_engine::types::Result;

use crate::suspect::Suspects;
use crate::zoned::{zoned_batch, zoned_schema};

/// The rows of a query, as a stream of Arrow record batches.
///
/// Iterating runs the query, batch by batch; a result that is not read to its end costs no more than
/// what was read; nothing runs after it is dropped. It may be sent to another thread.
///
/// ```
/// let connection = martlet::Database::open_in_memory()?.connect();
/// let mut row_count = 0;
/// for batch in connection.query("SELECT * FROM (VALUES (1), (2), (3)) t(x)")? {
///     row_count += batch?.num_rows();
/// }
/// assert_eq!(row_count, 3);
/// # Ok::<(), martlet::Error>(())
/// ```
#[derive(Debug)]
pub struct QueryResult {
    stream: Box<BatchStream>,
    schema: SchemaRef,
    /// Batches that were read already.
    ahead: VecDeque<RecordBatch>,
    running: Running,
    suspects: Suspects,
}

impl QueryResult {
    pub(crate) fn new(stream: BatchStream, context: &Context) -> QueryResult {
        QueryResult {
            schema: zoned_schema(stream.schema(), &context.time_zone),
            stream: Box::new(stream),
            ahead: VecDeque::new(),
            suspects: Suspects::default(),
            running: Running::of(context),
        }
    }

    /// The same, whose first batches are those of `ahead`.
    pub(crate) fn with_ahead(mut self, ahead: VecDeque<RecordBatch>) -> QueryResult {
        self.ahead = ahead;
        self
    }

    /// The same, whose errors are placed in a text with these suspects.
    pub(crate) fn with_suspects(mut self, suspects: Suspects) -> QueryResult {
        self.suspects = suspects;
        self
    }

    /// Names and types of the columns; instants are in the session's time zone.
    pub fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    /// What was done so far: rows, time and memory of each operator, columns and pages read.
    pub fn profile(&self) -> Profile {
        self.stream.profile()
    }

    /// Stops this query from another thread, or asks how far it is.
    pub fn statement_handle(&self) -> StatementHandle {
        StatementHandle(Target::Statement(self.running.clone()))
    }

    /// All batches.
    ///
    /// # Errors
    /// The first that a batch gives.
    pub fn collect_batches(self) -> Result<Vec<RecordBatch>> {
        self.collect()
    }
}

impl Iterator for QueryResult {
    type Item = Result<RecordBatch>;

    fn next(&mut self) -> Option<Result<RecordBatch>> {
        if let Some(batch) = self.ahead.pop_front() {
            return Some(Ok(batch));
        }
        let batch = self.stream.next()?.and_then(|batch| zoned_batch(batch, &self.schema));
        Some(batch.map_err(|error| self.suspects.place(error)))
    }
}

/// What one statement of any kind gives.
#[derive(Debug)]
#[non_exhaustive]
pub enum Outcome {
    /// Rows to be read.
    Rows(QueryResult),
    /// It is done.
    Done {
        /// Rows written, for statements that write rows.
        row_count: Option<u64>,
    },
}

/// A statement that runs, seen from another thread: it can be stopped, and tells how far it is.
///
/// A connection's handle stands for the statement that it started last, a result's for its own.
///
/// ```
/// let connection = martlet::Database::open_in_memory()?.connect();
/// let handle = connection.statement_handle();
/// std::thread::spawn(move || handle.cancel()).join().expect("cancelling does not panic");
/// // Only a statement that was running is stopped.
/// assert!(connection.execute("SELECT 1").is_ok());
/// # Ok::<(), martlet::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct StatementHandle(Target);

#[derive(Clone, Debug)]
enum Target {
    Statement(Running),
    Connection(Arc<Mutex<Running>>),
}

/// How far a statement is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Work {
    /// Units done: rows of a scan, values of a load.
    pub done: u64,
    /// Units expected; 0 while unknown.
    pub expected: u64,
    /// Rows of which the work is done; of a load that goes by columns, so many rows' values.
    pub rows: u64,
    /// Bytes read, encoded as they are.
    pub bytes: u64,
    /// Bytes that will be read; 0 where that is unknown.
    pub bytes_expected: u64,
    /// Rows of files that were left out for what is wrong with them.
    pub rejected: u64,
}

/// What of a statement's context reaches other threads.
#[derive(Clone, Debug, Default)]
pub(crate) struct Running {
    cancel: CancelToken,
    progress: Arc<Progress>,
}

impl Running {
    pub(crate) fn of(context: &Context) -> Running {
        Running { cancel: context.cancel.clone(), progress: Arc::clone(&context.progress) }
    }
}

impl StatementHandle {
    pub(crate) fn of_connection(current: Arc<Mutex<Running>>) -> StatementHandle {
        StatementHandle(Target::Connection(current))
    }

    /// Asks the statement to stop: it fails with `Cancelled` soon.
    pub fn cancel(&self) {
        self.running().cancel.cancel();
    }

    /// The share of its work that is done, from 0 to 1; `None` while that is not known.
    pub fn progress(&self) -> Option<f64> {
        self.running().progress.share()
    }

    /// Units of work done and expected, rows of a scan or values of a load, and the bytes read so far;
    /// what is expected is 0 while that is not known.
    pub fn work(&self) -> Work {
        let progress = self.running().progress;
        let (done, expected) = progress.get();
        let (bytes, bytes_expected) = progress.bytes();
        let (rows, rejected) = (progress.rows(), progress.rejected());
        Work { done, expected, rows, bytes, bytes_expected, rejected }
    }

    fn running(&self) -> Running {
        match &self.0 {
            Target::Statement(running) => running.clone(),
            Target::Connection(current) => {
                current.lock().unwrap_or_else(PoisonError::into_inner).clone()
            }
        }
    }
}
