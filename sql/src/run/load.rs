//! Columns of Parquet files as the columns of a table: by name for one that exists, as a query names
//! them for a new one.

use std::sync::Arc;

use arrow::array::{ArrayRef, NullArray};
use martlet_engine::catalog::{FieldId, NewField};
use martlet_engine::ingest::parquet::{ParquetFiles, ParquetImport};
use martlet_engine::ingest::{ColumnArrays, ColumnSource};
use martlet_engine::plan::{Expr, LogicalPlan, Scan, ScanColumn, Source};
use martlet_engine::types::{Error, Result};

use crate::files::{self, OpenFiles};

/// What a query does that gives columns of Parquet files, renamed or left out, and all their rows: it
/// is loaded column by column, and no row is made.
#[derive(Debug)]
pub(super) struct FileColumns<'p> {
    paths: &'p [String],
    binary_as_string: bool,
    /// Positions in the files' schema and the new names.
    columns: Vec<(usize, String)>,
}

impl<'p> FileColumns<'p> {
    /// The columns that `plan` gives, if it does no more.
    pub(super) fn of(plan: &'p LogicalPlan) -> Option<FileColumns<'p>> {
        let (scan, columns) = scanned(plan)?;
        let Source::Parquet { paths, binary_as_string } = &scan.source else { return None };
        let columns: Option<Vec<_>> = columns
            .into_iter()
            .map(|(index, name)| Some((usize::try_from(scan.columns[index].field.0).ok()?, name)))
            .collect();
        Some(FileColumns { paths, binary_as_string: *binary_as_string, columns: columns? })
    }

    /// The columns, to be loaded.
    pub(super) fn import(self) -> Result<ParquetImport> {
        let (positions, names): (Vec<usize>, Vec<String>) = self.columns.into_iter().unzip();
        let files = files::open_parquet(self.paths, self.binary_as_string)?;
        Ok(files.import_columns(&positions)?.with_names(names))
    }
}

/// The scan below projections of bare columns, and for each output its column and name.
fn scanned(plan: &LogicalPlan) -> Option<(&Scan, Vec<(usize, String)>)> {
    match plan {
        LogicalPlan::Scan(scan) if scan.filter.is_empty() => {
            let names = scan.output().into_iter().map(|column| column.name);
            Some((scan, names.enumerate().collect()))
        }
        LogicalPlan::Project { input, exprs, names } => {
            let (scan, columns) = scanned(input)?;
            let outputs = exprs.iter().zip(names).map(|(expr, name)| match expr {
                Expr::Column { index, .. } => Some((columns[*index].0, name.clone())),
                _ => None,
            });
            Some((scan, outputs.collect::<Option<_>>()?))
        }
        _ => None,
    }
}

/// A scan of all columns of files.
///
/// # Errors
/// `Unsupported` when one of them cannot be read.
pub(super) fn whole_scan(files: &OpenFiles) -> Result<LogicalPlan> {
    let column = |(position, column): (usize, NewField)| {
        files.check_supported(position)?;
        let field = FieldId(u32::try_from(position).expect("a file has fewer than 2^32 columns"));
        Ok(ScanColumn { field, name: column.name, data_type: column.data_type })
    };
    let columns: Vec<ScanColumn> =
        files.fields().into_iter().enumerate().map(column).collect::<Result<_>>()?;
    Ok(LogicalPlan::Scan(Scan {
        source: files.source(),
        output_count: columns.len(),
        columns,
        filter: Vec::new(),
    }))
}

/// The columns of a plan, as those of a table.
pub(super) fn fields_of(plan: &LogicalPlan) -> Vec<NewField> {
    plan.output()
        .into_iter()
        .map(|column| NewField { name: column.name, data_type: column.data_type, nullable: true })
        .collect()
}

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

    /// For each column of the files, the field that it goes to; `None` when all values are of their
    /// fields' types as they are.
    pub(super) fn cast_targets(&self) -> Option<Vec<usize>> {
        let columns = self.files.fields();
        let mut targets = vec![0; columns.len()];
        let mut any_cast = false;
        for (target, column) in self.columns.iter().enumerate() {
            let Some(column) = *column else { continue };
            targets[column] = target;
            any_cast |= columns[column].data_type != self.fields[target].data_type;
        }
        any_cast.then_some(targets)
    }
}

pub(super) fn find(fields: &[NewField], targets: &[usize], name: &str) -> Option<usize> {
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

    fn column_bytes(&self, index: usize) -> u64 {
        self.columns[index].map_or(0, |column| self.files.column_bytes(column))
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
