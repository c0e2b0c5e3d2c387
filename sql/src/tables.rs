//! What tables and columns there are, as plain data: for tools that list, complete and describe.

use martlet_engine::catalog::{Field, Table};
use martlet_engine::types::{DataType, Error, Result};

use crate::database::Database;
use crate::suggest;

/// A table of a database.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct TableInfo {
    /// Its name, in the case it was created with.
    pub name: String,
    /// Rows that are not deleted.
    pub row_count: u64,
    /// Columns.
    pub column_count: usize,
    /// Bytes of its files.
    pub bytes: u64,
    /// What `COMMENT ON TABLE` said about it.
    pub comment: Option<String>,
}

/// A column of a table.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ColumnInfo {
    /// Its name, in the case it was created with.
    pub name: String,
    /// Its type.
    pub data_type: DataType,
    /// Whether it may be NULL.
    pub nullable: bool,
    /// What `COMMENT ON COLUMN` said about it.
    pub comment: Option<String>,
}

impl Database {
    /// The tables of the snapshot that the next statement runs on, by name.
    ///
    /// ```
    /// let database = martlet::Database::open_in_memory()?;
    /// database.connect().execute("CREATE TABLE t (a int, b text)")?;
    /// assert_eq!(database.tables()?[0].column_count, 2);
    /// # Ok::<(), martlet::Error>(())
    /// ```
    ///
    /// # Errors
    /// `Io`, `Corrupt`.
    pub fn tables(&self) -> Result<Vec<TableInfo>> {
        let snapshot = self.snapshot()?;
        let mut names = snapshot.table_names();
        names.sort();
        let mut tables = Vec::with_capacity(names.len());
        for name in names {
            let Some(table) = snapshot.table(&name)? else { continue };
            tables.push(TableInfo {
                name,
                row_count: table.row_count(),
                column_count: table.field_count(),
                bytes: table.bytes_on_disk()?,
                comment: table.comments()?.table,
            });
        }
        Ok(tables)
    }

    /// How many distinct values each column of a table has, in order, as far as statistics tell: those
    /// of columns with a dictionary do.
    ///
    /// # Errors
    /// As [`Database::columns`].
    pub fn distinct_counts(&self, table: &str) -> Result<Vec<Option<u64>>> {
        let snapshot = self.snapshot()?;
        let found =
            snapshot.table(table)?.ok_or_else(|| no_table(table, &snapshot.table_names()))?;
        let count = |position| Ok(found.statistics(found.field(position).id)?.distinct_count);
        (0..found.field_count()).map(count).collect()
    }

    /// The columns of a table, in order.
    ///
    /// # Errors
    /// `UnknownName` when there is no such table; `Io`, `Corrupt`.
    pub fn columns(&self, table: &str) -> Result<Vec<ColumnInfo>> {
        let snapshot = self.snapshot()?;
        let found =
            snapshot.table(table)?.ok_or_else(|| no_table(table, &snapshot.table_names()))?;
        let mut comments = found.comments()?;
        let columns = (0..found.field_count()).map(|position| {
            let Field { id, name, data_type, nullable } = found.field(position);
            ColumnInfo { name, data_type, nullable, comment: comments.fields.remove(&id) }
        });
        Ok(columns.collect())
    }
}

fn no_table(name: &str, names: &[String]) -> Error {
    let near = suggest::nearest(name, names.iter().map(String::as_str));
    Error::unknown_name(format!("there is no table \"{name}\"")).with_suggestions(near)
}
