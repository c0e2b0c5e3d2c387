//! Appends Arrow batches to a table.
//!
//! Rows are kept by column, in memory or in a temporary file, and loaded when they are committed:
//! until then nobody sees them, and dropping the appender forgets them. Must not know SQL.

use std::sync::Arc;

use arrow::array::RecordBatch;

use super::buffered::BufferedRows;
use super::spool::Spool;
use super::{LoadOptions, LoadReport, load};
use crate::catalog::{Field, NewField, Table, TableId};
use crate::context::Context;
use crate::storage::{Snapshot, Store, Transaction};
use crate::types::{Error, Result};

/// Bytes of rows in memory unless the options say otherwise: what does not fit is written to a
/// temporary file and read again, a quarter of the time of a load.
const BUFFER_BYTES_MAX: usize = 384 << 20;

/// Collects rows for one table.
#[derive(Debug)]
pub struct Appender {
    rows: BufferedRows,
    options: LoadOptions,
    context: Context,
}

impl Appender {
    /// An appender of rows with these columns. Where they go is said when they are loaded.
    pub fn new(fields: Vec<NewField>, options: LoadOptions, context: Context) -> Appender {
        let bytes_max = options
            .buffer_bytes_max
            .unwrap_or_else(|| BUFFER_BYTES_MAX.min(context.memory.limit_bytes() / 4));
        let spool = Spool::new(options.spool_folder.as_deref());
        context.progress.set_units_per_row(u64::try_from(fields.len()).unwrap_or(u64::MAX));
        Appender {
            rows: BufferedRows::new(fields, bytes_max, spool, &context.memory),
            options,
            context,
        }
    }

    /// An appender of rows with the columns of `table`.
    pub fn for_table(table: &dyn Table, options: LoadOptions, context: Context) -> Appender {
        let fields = (0..table.field_count()).map(|position| {
            let Field { name, data_type, nullable, .. } = table.field(position);
            NewField { name, data_type, nullable }
        });
        Appender::new(fields.collect(), options, context)
    }

    /// Adds the rows of `batch`: columns by position, of the table's types or numbers and times that
    /// fit them. A batch that fails adds nothing.
    ///
    /// # Errors
    /// `Type`, `OutOfRange` or `Invalid` when a column does not fit, by its name; `Cancelled`,
    /// `OutOfMemory`, `Io`.
    pub fn append(&mut self, batch: &RecordBatch) -> Result<()> {
        self.context.cancel.check()?;
        self.rows.push(batch)
    }

    /// How many rows were added.
    pub fn row_count(&self) -> u64 {
        self.rows.len()
    }

    /// Loads the rows into a table of `transaction`; its commit makes them visible.
    ///
    /// # Errors
    /// As [`load`](super::load()); `Invalid` when the table has columns of other names by now.
    pub fn load(self, transaction: &Transaction, table: TableId) -> Result<LoadReport> {
        let fields = transaction.writer(table)?.fields();
        let offered = super::ColumnSource::fields(&self.rows);
        let same = fields.iter().map(|field| &field.name).eq(offered.iter().map(|new| &new.name));
        if !same {
            return Err(Error::invalid("the table has other columns than when rows were appended")
                .with_hint("append the rows again"));
        }
        load(transaction, table, &self.rows, &self.options, &self.context)
    }

    /// Appends the rows to the table `name` and commits.
    ///
    /// # Errors
    /// `UnknownName` without such a table, `Locked` when another transaction is open, as
    /// [`load`](super::load()).
    pub fn commit(self, store: &Arc<Store>, name: &str) -> Result<(LoadReport, Arc<Snapshot>)> {
        let transaction = store.begin()?;
        let table = transaction
            .snapshot()
            .table(name)?
            .ok_or_else(|| Error::unknown_name(format!("there is no table {name:?}")))?;
        let report = self.load(&transaction, table.id())?;
        Ok((report, transaction.commit()?))
    }

    /// Creates the table `name` with the appender's columns and rows, and commits.
    ///
    /// # Errors
    /// `AlreadyExists`, `Locked` when another transaction is open, as [`load`](super::load()).
    pub fn create_table(
        self,
        store: &Arc<Store>,
        name: &str,
    ) -> Result<(LoadReport, Arc<Snapshot>)> {
        let transaction = store.begin()?;
        let table = transaction.create_table(name, super::ColumnSource::fields(&self.rows), &[])?;
        let report = self.load(&transaction, table)?;
        Ok((report, transaction.commit()?))
    }
}
