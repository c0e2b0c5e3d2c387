//! Parquet files as the rows of an existing table: columns by name.

use std::sync::Arc;

use arrow::array::{ArrayRef, NullArray};
use martlet_engine::catalog::NewField;
use martlet_engine::ingest::parquet::ParquetFiles;
use martlet_engine::ingest::{ColumnArrays, ColumnSource};
use martlet_engine::types::{Error, Result};

/// Files whose columns are found by the names of a table's fields.
#[derive(Debug)]
pub(super) struct ByName {
    files: ParquetFiles,
    fields: Vec<NewField>,
    /// The file's column for each field; NULL when `None`.
    columns: Vec<Option<usize>>,
}

impl ByName {
    /// Matches the files' columns with the fields at `targets`; the other fields stay NULL.
    pub(super) fn new(
        files: ParquetFiles,
        fields: Vec<NewField>,
        targets: &[usize],
    ) -> Result<ByName> {
        let mut columns = vec![None; fields.len()];
        for (index, column) in files.fields().iter().enumerate() {
            let target = find(&fields, targets, &column.name).ok_or_else(|| {
                Error::invalid(format!("the file's column \"{}\" is not in the table", column.name))
                    .with_hint("name the columns: INSERT INTO t SELECT a, b FROM 'file'")
            })?;
            files.check_supported(index)?;
            if columns[target].replace(index).is_some() {
                return Err(Error::invalid(format!(
                    "two columns of the file are called \"{}\" but for their case",
                    fields[target].name
                )));
            }
        }
        Ok(ByName { files, fields, columns })
    }
}

fn find(fields: &[NewField], targets: &[usize], name: &str) -> Option<usize> {
    let exact = targets.iter().copied().find(|target| fields[*target].name == name);
    let folded = name.to_lowercase();
    exact.or_else(|| {
        targets.iter().copied().find(|target| fields[*target].name.to_lowercase() == folded)
    })
}

impl ColumnSource for ByName {
    fn fields(&self) -> &[NewField] {
        &self.fields
    }

    fn row_count(&self) -> Option<u64> {
        Some(self.files.row_count())
    }

    fn column(&self, index: usize, batch_len: usize) -> Result<ColumnArrays<'_>> {
        match self.columns[index] {
            Some(column) => ColumnSource::column(&self.files, column, batch_len),
            None => Ok(Box::new(nulls(self.files.row_count(), batch_len.max(1)))),
        }
    }
}

fn nulls(row_count: u64, batch_len: usize) -> impl Iterator<Item = Result<ArrayRef>> {
    let mut left = row_count;
    std::iter::from_fn(move || {
        let len = usize::try_from(left).map_or(batch_len, |left| left.min(batch_len));
        left -= u64::try_from(len).unwrap_or(left);
        (len > 0).then(|| Ok(Arc::new(NullArray::new(len)) as ArrayRef))
    })
}
