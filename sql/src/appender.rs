//! Appending Arrow batches.

use arrow::array::RecordBatch;
use martlet_engine::catalog::Table;
use martlet_engine::context::Context;
use martlet_engine::ingest::{self, LoadOptions};
use martlet_engine::types::{Error, Result};

use crate::bind::unknown_table;
use crate::database::Database;

/// Collects Arrow batches for one table and writes them all at once.
///
/// Columns go by position; integers, decimals and floats are cast to the table's types where every
/// value fits. Rows wait in memory, and beyond a bound in a temporary file. Nobody sees them before
/// [`Appender::commit`]; dropping an appender forgets them.
///
/// ```
/// use std::sync::Arc;
/// use martlet::arrow::array::{ArrayRef, Int64Array, RecordBatch, StringArray};
///
/// let connection = martlet::Database::open_in_memory()?.connect();
/// connection.execute("CREATE TABLE events (name text, clicks bigint)")?;
/// let names: ArrayRef = Arc::new(StringArray::from(vec!["open", "close"]));
/// let clicks: ArrayRef = Arc::new(Int64Array::from(vec![3, 1]));
/// let batch = RecordBatch::try_from_iter([("name", names), ("clicks", clicks)])?;
///
/// let mut appender = connection.appender("events")?;
/// appender.append(&batch)?;
/// assert_eq!(appender.commit()?, 2);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Appender {
    rows: ingest::Appender,
    database: Database,
    table: String,
}

impl Appender {
    pub(crate) fn new(database: &Database, name: &str, context: Context) -> Result<Appender> {
        if database.is_read_only() {
            return Err(Error::invalid("the database was opened read-only"));
        }
        let snapshot = database.snapshot()?;
        let table =
            snapshot.table(name)?.ok_or_else(|| unknown_table(name, &snapshot.table_names(), 0))?;
        let rows = ingest::Appender::for_table(&*table, LoadOptions::default(), context);
        Ok(Appender { rows, database: database.clone(), table: table.name().to_owned() })
    }

    /// Adds the rows of `batch`; a batch that fails adds nothing.
    ///
    /// # Errors
    /// `Type`, `OutOfRange` or `Invalid` when a column does not fit, by its name; `Cancelled`,
    /// `OutOfMemory`, `Io`.
    pub fn append(&mut self, batch: &RecordBatch) -> Result<()> {
        self.rows.append(batch)
    }

    /// Rows added so far.
    pub fn row_count(&self) -> u64 {
        self.rows.row_count()
    }

    /// Writes the rows and makes them visible, all or none; gives their number.
    ///
    /// # Errors
    /// `Locked` while somebody else writes, `UnknownName` when the table was dropped meanwhile, `Io`.
    pub fn commit(self) -> Result<u64> {
        let store = self.database.store_to_write()?;
        let (report, _snapshot) = self.rows.commit(store, &self.table)?;
        self.database.remove_unused();
        Ok(report.row_count)
    }
}
