//! Parquet files of any writer, as a source of columns to load and as something to scan directly.
//!
//! The way of a value: `file` opens a file and distrusts its footer (`thrift`); `table` makes
//! several files one table; `pages` gives the decompressed pages of a column chunk, each claim of
//! their headers checked; `keys` reads dictionary-encoded text as keys, `decode` everything else
//! through the Parquet crate; `convert` makes physical values ours; `column` strings together
//! row groups and files, and `batches` columns. Files that are not of one schema, or not only of what
//! they hold, are read row by row (`rows`).
//!
//! Invariants, for any bytes in a file:
//! 1. no panic leaves (`ingest::guard`; every call into the crate is under it);
//! 2. memory for a column is bounded by its `Budget` plus a page and a value, and
//!    no claim of a file is believed before memory is taken for it (`pages`, `values`,
//!    `compression`);
//! 3. a column gives exactly the rows that its row groups have, or an error;
//! 4. statistics that may be wrong are unknown (`statistics`).
//!
//! Must not know storage, SQL or plans.

mod batches;
mod column;
mod compression;
mod convert;
mod decode;
mod file;
mod hybrid;
mod int96;
mod keys;
mod pages;
mod rows;
mod schema;
mod statistics;
mod table;
mod thrift;
mod values;

use std::sync::Arc;

pub use self::batches::ParquetBatches;
use self::column::{ColumnReader, Settings};
pub use self::file::SECONDS_KEY;
pub(super) use self::rows::ParquetRows;
pub use self::rows::{ParquetDescription, describe_parquet};
pub use self::statistics::ColumnBounds;
use self::statistics::chunk_statistics;
use self::table::Table;
use super::{ColumnArrays, ColumnSource, glob};
use crate::catalog::files::{FileComments, way_out};
use crate::catalog::{ColumnStatistics, NewField};
use crate::types::{Error, Result};

/// How files are read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParquetOptions {
    /// Whether `BYTE_ARRAY` columns without annotation are text; else they are `blob`. Old writers
    /// (Impala, Hive, Spark before 2, ClickHouse) annotate no text.
    pub binary_as_string: bool,
    /// Whether an import leaves out columns that cannot be read, instead of refusing the file.
    pub skip_unsupported: bool,
    /// The longest page that is read, in decompressed bytes.
    pub page_bytes_max: usize,
}

impl Default for ParquetOptions {
    /// As DuckDB reads; pages to 256 MiB.
    fn default() -> ParquetOptions {
        ParquetOptions {
            binary_as_string: false,
            skip_unsupported: false,
            page_bytes_max: 256 << 20,
        }
    }
}

/// A row group of one of the files: the unit of pruning and of parallel work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RowGroup {
    /// The file's position.
    pub file: usize,
    /// The row group's position in its file.
    pub index: usize,
    /// Rows.
    pub row_count: u64,
}

/// A column that an import leaves out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SkippedColumn {
    /// Its name.
    pub name: String,
    /// What it is, as a phrase: `a nested column (list)`.
    pub reason: String,
}

/// Parquet files as one table. Cloning shares the open files.
#[derive(Clone, Debug)]
pub struct ParquetFiles(Arc<Table>);

impl ParquetFiles {
    /// Opens files, given by their paths or by patterns (`*`, `?`, `[a-z]`, `**`), as one table.
    ///
    /// The first file's columns are the table's. In later files they are found by name; a missing
    /// one reads as NULL, and numbers of another type are cast.
    ///
    /// Only footers are read, and INT96 columns, whose values decide about their type.
    ///
    /// # Errors
    /// `Io` when there is no such file, `Corrupt` when one is no Parquet file, `Unsupported` when it
    /// is encrypted, `Invalid` or `Type` when a file has a column that does not fit the first's.
    pub fn open(patterns: &[String], options: ParquetOptions) -> Result<ParquetFiles> {
        let mut paths = Vec::new();
        for pattern in patterns {
            paths.extend(glob::expand(pattern)?);
        }
        if paths.is_empty() {
            return Err(Error::invalid("no Parquet file is named"));
        }
        Ok(ParquetFiles(Arc::new(Table::open(&paths, options)?)))
    }

    /// The files, in order.
    pub fn paths(&self) -> impl Iterator<Item = &str> {
        self.0.files.iter().map(|file| file.path.as_str())
    }

    /// All columns. One that [cannot be read](ParquetFiles::unsupported) has the type `Null`.
    pub fn fields(&self) -> &[NewField] {
        &self.0.fields
    }

    /// What the first file says about its columns.
    pub fn comments(&self) -> FileComments {
        self.0.files.first().map_or_else(FileComments::default, |file| file.comments())
    }

    /// Why the column at `column` cannot be read, as a phrase; `None` when it can.
    pub fn unsupported(&self, column: usize) -> Option<&str> {
        self.0.unsupported[column].as_deref()
    }

    /// Checks that a column can be read.
    ///
    /// # Errors
    /// `Unsupported`, with the column's name and what it is.
    pub fn check_supported(&self, column: usize) -> Result<()> {
        match self.unsupported(column) {
            None => Ok(()),
            Some(reason) => Err(Error::unsupported(format!(
                "{}: column {:?} is {reason}",
                self.0.files[0].path,
                self.fields()[column].name
            ))
            .with_hint(self.way_out())),
        }
    }

    /// Rows in all files.
    pub fn row_count(&self) -> u64 {
        self.0.row_groups.iter().map(|row_group| row_group.row_count).sum()
    }

    /// The row groups of all files, in order.
    pub fn row_groups(&self) -> &[RowGroup] {
        &self.0.row_groups
    }

    /// What the footer proves about a column in a row group; unknown where it may be wrong.
    pub fn statistics(&self, row_group: usize, column: usize) -> ColumnStatistics {
        let place = &self.0.row_groups[row_group];
        let data_type = self.fields()[column].data_type;
        match self.0.leaf(place.file, column) {
            Ok(Some(leaf)) => {
                chunk_statistics(&self.0.files[place.file], place.index, leaf, data_type)
            }
            Ok(None) => ColumnStatistics {
                null_count: Some(place.row_count),
                ..ColumnStatistics::default()
            },
            Err(_) => ColumnStatistics::default(),
        }
    }

    /// The row groups, by position, in which a row may be within all `bounds`.
    pub fn prune(&self, bounds: &[ColumnBounds]) -> Vec<usize> {
        let may_match = |row_group: &usize| {
            let row_count = self.0.row_groups[*row_group].row_count;
            row_count > 0
                && !bounds.iter().any(|bounds| {
                    bounds.exclude(&self.statistics(*row_group, bounds.column), row_count)
                })
        };
        (0..self.0.row_groups.len()).filter(may_match).collect()
    }

    /// Reads columns of row groups, both by position, side by side: batches of at most `batch_len`
    /// rows, fewer where a row group ends or rows are wide.
    ///
    /// # Errors
    /// `Unsupported` when one of the columns cannot be read.
    pub fn read(
        &self,
        row_groups: &[usize],
        columns: &[usize],
        batch_len: usize,
    ) -> Result<ParquetBatches> {
        columns.iter().try_for_each(|column| self.check_supported(*column))?;
        Ok(ParquetBatches::new(&self.0, row_groups, columns, batch_len))
    }

    /// All columns, to be loaded.
    ///
    /// # Errors
    /// `Unsupported`, with the names, when some cannot be read and are not to be skipped.
    pub fn import(&self) -> Result<ParquetImport> {
        let (columns, skipped): (Vec<usize>, Vec<usize>) =
            (0..self.fields().len()).partition(|column| self.unsupported(*column).is_none());
        let skipped: Vec<SkippedColumn> = skipped
            .into_iter()
            .map(|column| SkippedColumn {
                name: self.fields()[column].name.clone(),
                reason: self.unsupported(column).unwrap_or_default().to_owned(),
            })
            .collect();
        if columns.is_empty() || (!skipped.is_empty() && !self.0.options.skip_unsupported) {
            return Err(self.refusal(&skipped));
        }
        Ok(self.import_of(columns, skipped))
    }

    /// Some columns, by position, to be loaded in that order.
    ///
    /// # Errors
    /// `Unsupported` when one of them cannot be read.
    pub fn import_columns(&self, columns: &[usize]) -> Result<ParquetImport> {
        columns.iter().try_for_each(|column| self.check_supported(*column))?;
        Ok(self.import_of(columns.to_vec(), Vec::new()))
    }

    fn import_of(&self, columns: Vec<usize>, skipped: Vec<SkippedColumn>) -> ParquetImport {
        let fields = columns.iter().map(|column| self.fields()[*column].clone()).collect();
        ParquetImport { files: self.clone(), columns, fields, skipped }
    }

    fn refusal(&self, skipped: &[SkippedColumn]) -> Error {
        let named: Vec<String> = skipped
            .iter()
            .take(3)
            .map(|column| format!("{:?} is {}", column.name, column.reason))
            .collect();
        let more = match skipped.len().saturating_sub(named.len()) {
            0 => String::new(),
            more => format!(", and {more} more"),
        };
        let path = &self.0.files[0].path;
        Error::unsupported(format!("{path}: column {}{more}", named.join(", column ")))
            .with_hint(self.way_out())
    }

    /// How the columns that can be read are had.
    fn way_out(&self) -> String {
        let is_unsupported = |column: &usize| self.unsupported(*column).is_some();
        let left_out: Vec<&str> = (0..self.fields().len())
            .filter(is_unsupported)
            .map(|column| self.fields()[column].name.as_str())
            .collect();
        way_out(&left_out, self.fields().len())
    }

    fn column_arrays(&self, column: usize, batch_len: usize) -> Result<ColumnArrays<'static>> {
        self.check_supported(column)?;
        let settings =
            Settings { batch_len: batch_len.max(1), dictionaries: true, budget: self.0.budget(1) };
        let row_groups = 0..self.0.row_groups.len();
        Ok(Box::new(ColumnReader::new(&self.0, column, row_groups, settings)))
    }
}

/// Columns of Parquet files, to be loaded.
#[derive(Clone, Debug)]
pub struct ParquetImport {
    files: ParquetFiles,
    columns: Vec<usize>,
    fields: Vec<NewField>,
    skipped: Vec<SkippedColumn>,
}

impl ParquetImport {
    /// The same columns under other names, of which there are as many.
    #[must_use]
    pub fn with_names(mut self, names: impl IntoIterator<Item = String>) -> ParquetImport {
        for (field, name) in self.fields.iter_mut().zip(names) {
            field.name = name;
        }
        self
    }

    /// The columns that are left out because they cannot be read.
    pub fn skipped(&self) -> &[SkippedColumn] {
        &self.skipped
    }
}

impl ColumnSource for ParquetImport {
    fn fields(&self) -> &[NewField] {
        &self.fields
    }

    fn row_count(&self) -> Option<u64> {
        Some(self.files.row_count())
    }

    fn column_bytes(&self, index: usize) -> u64 {
        self.files.0.column_bytes(self.columns[index])
    }

    fn column(&self, index: usize, batch_len: usize) -> Result<ColumnArrays<'_>> {
        self.files.column_arrays(self.columns[index], batch_len)
    }
}

impl ColumnSource for ParquetFiles {
    fn fields(&self) -> &[NewField] {
        ParquetFiles::fields(self)
    }

    fn row_count(&self) -> Option<u64> {
        Some(ParquetFiles::row_count(self))
    }

    fn column_bytes(&self, index: usize) -> u64 {
        self.0.column_bytes(index)
    }

    fn column(&self, index: usize, batch_len: usize) -> Result<ColumnArrays<'_>> {
        self.column_arrays(index, batch_len)
    }
}
