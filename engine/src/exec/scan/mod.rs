//! Scans: what gives the rows of stored tables and of files.
//!
//! The order of work is that of cost: statistics and dictionaries prove row groups and pages away,
//! codes and integers are compared, expressions are evaluated once per distinct value or per surviving
//! row, and the other columns are decoded only for what is left.

mod chosen;
mod conjunct;
mod page_rows;
mod parquet;
mod reader;
mod stored;
mod table;
mod term_order;
mod terms;
#[cfg(test)]
mod tests;
mod top_bound;
mod value_set;
mod view;

pub(crate) use self::table::TableScan;
pub(crate) use self::view::{Column, DictionaryView, TableView, Zone, unread};

use std::sync::Arc;

use self::chosen::ChosenRowGroups;
use self::parquet::ParquetScan;
use self::stored::StoredTable;
use self::value_set::ValueSet;
use super::file_scan::FileScan;
use super::profile::OperatorStats;
use super::source::Source;
use crate::catalog::TableId;
use crate::context::Context;
use crate::ingest::parquet::{ParquetFiles, ParquetOptions};
use crate::plan;
use crate::plan::{Expr, Scan};
use crate::storage::Snapshot;
use crate::types::{Error, Result};

/// Whether rows are tested for `predicate` without evaluating it: it is about the values of one column.
pub(crate) fn is_tested_by_value(predicate: &Expr) -> bool {
    ValueSet::of(predicate).is_some()
}

/// Opens a scan, of the table's row groups at the positions `row_groups` if it is given.
///
/// # Errors
/// When the table or file is gone, or cannot be read; `Unsupported` for row groups of files.
pub(crate) fn open(
    scan: &Scan,
    row_groups: Option<&[u32]>,
    snapshot: &Snapshot,
    context: &Context,
    stats: &Arc<OperatorStats>,
) -> Result<Arc<dyn Source>> {
    match &scan.source {
        plan::Source::Table { .. } => {
            Ok(Arc::new(open_table(scan, row_groups, snapshot, context, stats)?))
        }
        plan::Source::Parquet { .. } | plan::Source::Files(_) if row_groups.is_some() => {
            Err(Error::unsupported("a scan of some row groups of files"))
        }
        plan::Source::Files(set) => Ok(Arc::new(FileScan::new(scan, set, stats)?)),
        plan::Source::Parquet { paths, binary_as_string } => {
            let options =
                ParquetOptions { binary_as_string: *binary_as_string, ..ParquetOptions::default() };
            let files = ParquetFiles::open(paths, options)?;
            Ok(Arc::new(ParquetScan::new(scan, files, stats)?))
        }
    }
}

/// Opens the scan of a stored table.
///
/// # Errors
/// As [`open`]; `Internal` when the scan is not of a table.
pub(crate) fn open_table(
    scan: &Scan,
    row_groups: Option<&[u32]>,
    snapshot: &Snapshot,
    context: &Context,
    stats: &Arc<OperatorStats>,
) -> Result<TableScan> {
    let plan::Source::Table { id, name } = &scan.source else {
        return Err(Error::internal("a file was to be scanned as a table"));
    };
    let mut view = table_view(snapshot, *id, name)?;
    if let Some(row_groups) = row_groups {
        view = Box::new(ChosenRowGroups::new(view, row_groups)?);
    }
    let columns = (&scan.columns[..], scan.output_count);
    TableScan::open(view.as_ref(), columns, &scan.filter, context, stats)
}

/// A table of the snapshot.
///
/// # Errors
/// `UnknownName` when the snapshot does not have it.
pub(crate) fn table_view(
    snapshot: &Snapshot,
    id: TableId,
    name: &str,
) -> Result<Box<dyn TableView>> {
    let table = snapshot
        .table_by_id(id)?
        .ok_or_else(|| Error::unknown_name(format!("table {name:?} does not exist any more")))?;
    Ok(Box::new(StoredTable(table)))
}
