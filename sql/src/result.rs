//! What a statement gives.

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use martlet_engine::context::CancelToken;
use martlet_engine::exec::{BatchStream, Profile};
use martlet_engine::types::Result;

/// The rows of a query, as a stream of Arrow record batches.
///
/// Iterating runs the query, batch by batch; a result that is not read to its end costs no more than
/// what was read, and dropping it cancels the rest. It may be sent to another thread.
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
    cancel: CancelToken,
}

impl QueryResult {
    pub(crate) fn new(stream: BatchStream, cancel: CancelToken) -> QueryResult {
        QueryResult { stream: Box::new(stream), cancel }
    }

    /// Names and types of the columns.
    pub fn schema(&self) -> SchemaRef {
        self.stream.schema()
    }

    /// What was done so far: rows, time and memory of each operator, columns and pages read.
    pub fn profile(&self) -> Profile {
        self.stream.profile()
    }

    /// Something that stops this query from another thread.
    pub fn cancel_handle(&self) -> CancelHandle {
        CancelHandle::of(self.cancel.clone())
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
        self.stream.next()
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

/// Stops statements from another thread.
///
/// ```
/// let connection = martlet::Database::open_in_memory()?.connect();
/// let handle = connection.cancel_handle();
/// std::thread::spawn(move || handle.cancel()).join().expect("cancelling does not panic");
/// // Only a statement that was running is stopped.
/// assert!(connection.execute("SELECT 1").is_ok());
/// # Ok::<(), martlet::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct CancelHandle(Target);

#[derive(Clone, Debug)]
enum Target {
    Statement(CancelToken),
    Connection(std::sync::Arc<std::sync::Mutex<CancelToken>>),
}

impl CancelHandle {
    pub(crate) fn of(token: CancelToken) -> CancelHandle {
        CancelHandle(Target::Statement(token))
    }

    pub(crate) fn of_connection(
        current: std::sync::Arc<std::sync::Mutex<CancelToken>>,
    ) -> CancelHandle {
        CancelHandle(Target::Connection(current))
    }

    /// Asks the statement to stop: it fails with `Cancelled` soon. For a connection's handle that is
    /// the statement it started last.
    pub fn cancel(&self) {
        match &self.0 {
            Target::Statement(token) => token.cancel(),
            Target::Connection(current) => {
                current.lock().unwrap_or_else(std::sync::PoisonError::into_inner).cancel();
            }
        }
    }
}
