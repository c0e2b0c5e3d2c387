//! Makes the demo mart: its columns as the source of a load.

use std::io::{self, IsTerminal};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

use martlet::{Database, Options};
use martlet_engine::catalog::NewField;
use martlet_engine::ingest::{ColumnArrays, ColumnSource};
use martlet_engine::types::{DataType, Result};

use super::column::Column;
use super::order::{ORDER_COUNT, Order};
use crate::session::Failure;

pub(super) const TABLE: &str = "orders";
/// Small enough that the mart has several row groups.
const ROW_GROUP_LEN: u32 = 131_072;
/// Columns between two lines of progress where the line cannot be overwritten.
const PROGRESS_STEP: usize = 100;

/// Builds the mart beside `directory` and moves it there when it is complete.
pub(super) fn build(
    directory: &Path,
    columns: Vec<Column>,
    mut options: Options,
) -> Result<(), Failure> {
    let unfinished = with_suffix(directory, ".unfinished");
    if unfinished.exists() {
        std::fs::remove_dir_all(&unfinished)?;
    }
    options.storage.row_group_len = ROW_GROUP_LEN;
    let source = Source::new(columns, ORDER_COUNT)?;
    let database = Database::create_with(&unfinished, options)?;
    database.connect().create_table_from(TABLE, &source)?;
    drop(database);
    if io::stderr().is_terminal() {
        eprintln!();
    }
    std::fs::rename(&unfinished, directory)?;
    Ok(())
}

/// Rows and columns of the table in `database`.
pub(super) fn measure(database: &Database) -> Result<(u64, usize)> {
    let connection = database.connect();
    let all = connection.query(&format!("SELECT * FROM {TABLE}"))?;
    let column_count = all.schema().fields().len();
    let mut row_count = 0;
    for batch in connection.query(&format!("SELECT order_id FROM {TABLE}"))? {
        row_count += batch?.num_rows() as u64;
    }
    Ok((row_count, column_count))
}

fn with_suffix(directory: &Path, suffix: &str) -> PathBuf {
    let mut name = directory.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

/// The mart's rows, column by column.
struct Source {
    orders: Vec<Order>,
    columns: Vec<Column>,
    fields: Vec<NewField>,
    started_count: AtomicUsize,
}

impl Source {
    fn new(columns: Vec<Column>, order_count: u64) -> Result<Source> {
        let field = |column: &Column| {
            let data_type = DataType::from_arrow(&column.data_type())?;
            Ok(NewField { name: column.name.clone(), data_type, nullable: true })
        };
        Ok(Source {
            orders: (0..order_count).map(|row| Order::at(row, order_count)).collect(),
            fields: columns.iter().map(field).collect::<Result<_>>()?,
            columns,
            started_count: AtomicUsize::new(0),
        })
    }

    fn report(&self) {
        let count = 1 + self.started_count.fetch_add(1, Ordering::Relaxed);
        if io::stderr().is_terminal() {
            eprint!("\rColumn {count} of {}.", self.columns.len());
        } else if count.is_multiple_of(PROGRESS_STEP) {
            eprintln!("Column {count} of {}.", self.columns.len());
        }
    }
}

impl ColumnSource for Source {
    fn fields(&self) -> &[NewField] {
        &self.fields
    }

    fn row_count(&self) -> Option<u64> {
        Some(self.orders.len() as u64)
    }

    fn column(&self, index: usize, batch_len: usize) -> Result<ColumnArrays<'_>> {
        self.report();
        let column = &self.columns[index];
        let starts = (0..self.orders.len()).step_by(batch_len);
        let array = move |start: usize| {
            let end = self.orders.len().min(start + batch_len);
            Ok(column.array(&self.orders, start..end))
        };
        Ok(Box::new(starts.map(array)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_source_gives_every_row_once_at_any_batch_length() -> Result<()> {
        let columns = super::super::schema::columns();
        let source = Source::new(columns, 1_000)?;
        assert_eq!(source.row_count(), Some(1_000));
        for batch_len in [1, 300, 1_000, 5_000] {
            let arrays = source.column(0, batch_len)?.collect::<Result<Vec<_>>>()?;
            assert!(arrays.iter().all(|array| (1..=batch_len).contains(&array.len())));
            assert_eq!(arrays.iter().map(|array| array.len()).sum::<usize>(), 1_000);
        }
        Ok(())
    }
}
