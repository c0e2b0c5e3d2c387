//! Tables from rows that a program makes column by column.

use martlet_engine::ingest::{ColumnSource, LoadOptions, load};
use martlet_engine::types::Result;

use crate::connection::Connection;

impl Connection {
    /// Creates the table `name` with the columns and rows of `source`, all or nothing; gives the
    /// number of rows.
    ///
    /// Columns are read one by one, several at a time, each for as long as it is written: the way to
    /// make a wide table without ever holding a row of it. For rows as they come, see
    /// [`Connection::appender`].
    ///
    /// ```
    /// use std::sync::Arc;
    /// use martlet::arrow::array::{ArrayRef, Int64Array};
    /// use martlet::{ColumnArrays, ColumnSource, DataType, NewField, Result};
    ///
    /// /// Column n holds the multiples of n.
    /// struct Multiples(Vec<NewField>);
    ///
    /// impl ColumnSource for Multiples {
    ///     fn fields(&self) -> &[NewField] {
    ///         &self.0
    ///     }
    ///     fn row_count(&self) -> Option<u64> {
    ///         Some(1_000)
    ///     }
    ///     fn column(&self, index: usize, batch_len: usize) -> Result<ColumnArrays<'_>> {
    ///         let numbers: Vec<i64> = (0..1_000).map(|row| row * (index as i64 + 1)).collect();
    ///         let array: ArrayRef = Arc::new(Int64Array::from(numbers));
    ///         let starts = (0..1_000).step_by(batch_len);
    ///         Ok(Box::new(starts.map(move |at| Ok(array.slice(at, batch_len.min(1_000 - at))))))
    ///     }
    /// }
    ///
    /// let field = |n| NewField { name: format!("n{n}"), data_type: DataType::Int64, nullable: false };
    /// let connection = martlet::Database::open_in_memory()?.connect();
    /// connection.create_table_from("multiples", &Multiples((1..=50).map(field).collect()))?;
    /// let largest = connection.query_value("SELECT max(n50) FROM multiples")?;
    /// assert_eq!(largest, martlet::Value::Int(49_950));
    /// # Ok::<(), martlet::Error>(())
    /// ```
    ///
    /// # Errors
    /// `AlreadyExists`, `Locked` while somebody else writes, as the source, `Io`.
    pub fn create_table_from(&self, name: &str, source: &dyn ColumnSource) -> Result<u64> {
        let context = self.start();
        let transaction = self.database().begin()?;
        let table = transaction.create_table(name, source.fields(), &[])?;
        let report = load(&transaction, table, source, &LoadOptions::default(), &context)?;
        self.database().commit(transaction)?;
        Ok(report.row_count)
    }
}
