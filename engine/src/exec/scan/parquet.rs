//! The scan of Parquet files, in place.
//!
//! Row groups are pruned by the footers' statistics; of the others the named columns are read side by
//! side, and the filter is evaluated row by row.

use std::ops::{Bound, ControlFlow};
use std::sync::Arc;

use super::value_set::ValueSet;
use crate::context::Context;
use crate::exec::profile::OperatorStats;
use crate::exec::program::Program;
use crate::exec::source::{ColumnKind, Sink, Source};
use crate::ingest::parquet::{ColumnBounds, ParquetFiles};
use crate::plan::{Expr, Scan};
use crate::types::{Error, Result};
use crate::vector::{Batch, Vector};

/// The scan of Parquet files.
#[derive(Debug)]
pub(crate) struct ParquetScan {
    files: ParquetFiles,
    /// Positions in the files' schema.
    columns: Vec<usize>,
    row_groups: Vec<usize>,
    filter: Program,
    kinds: Vec<ColumnKind>,
    output_count: usize,
}

impl ParquetScan {
    /// A scan of these files.
    ///
    /// # Errors
    /// When they do not have the columns that the plan was made for.
    pub(crate) fn new(
        scan: &Scan,
        files: ParquetFiles,
        stats: &Arc<OperatorStats>,
    ) -> Result<ParquetScan> {
        let mut columns = Vec::with_capacity(scan.columns.len());
        for column in &scan.columns {
            let position = column.field.0 as usize;
            match files.fields().get(position) {
                Some(field) if field.data_type == column.data_type => columns.push(position),
                _ => {
                    return Err(Error::invalid(format!(
                        "the files changed: column {:?} is no longer of type {}",
                        column.name, column.data_type
                    )));
                }
            }
        }
        let bounds: Vec<ColumnBounds> =
            scan.filter.iter().filter_map(|predicate| bounds(predicate, &columns)).collect();
        let row_groups = files.prune(&bounds);
        let kinds: Vec<ColumnKind> =
            scan.columns.iter().map(|column| ColumnKind::flat(column.data_type)).collect();
        let total = files.row_groups().len() as u64;
        stats.scan(|profile| {
            profile.columns_read = scan.columns.iter().map(|column| column.field).collect();
            profile.columns_total = files.fields().len() as u64;
            profile.row_groups_total = total;
            profile.row_groups_pruned = total - row_groups.len() as u64;
        });
        stats.expect_rows(row_groups.iter().map(|at| files.row_groups()[*at].row_count).sum());
        stats.note("filter evaluated", scan.filter.len() as u64);
        Ok(ParquetScan {
            filter: Program::new(&scan.filter, &kinds, false),
            output_count: scan.output_count,
            files,
            columns,
            row_groups,
            kinds,
        })
    }
}

impl Source for ParquetScan {
    fn kinds(&self) -> &[ColumnKind] {
        &self.kinds[..self.output_count]
    }

    fn morsel_count(&self) -> usize {
        self.row_groups.len()
    }

    fn run(&self, morsel: usize, context: &Context, sink: &mut Sink<'_>) -> Result<()> {
        let row_group = self.row_groups[morsel];
        for batch in self.files.read(&[row_group], &self.columns, context.batch_len)? {
            context.cancel.check()?;
            let batch = batch?;
            let len = batch.num_rows();
            context.progress.advance(len as u64);
            let columns = batch.columns().iter().map(|array| Vector::Flat(Arc::clone(array)));
            let batch = self.filter.filtered(Batch::new(columns.collect(), len), context)?;
            if batch.is_empty() {
                continue;
            }
            let len = batch.len();
            let mut columns = batch.into_columns();
            columns.truncate(self.output_count);
            if sink(Batch::new(columns, len))? == ControlFlow::Break(()) {
                break;
            }
        }
        Ok(())
    }
}

/// The bounds that a predicate puts on a column, for pruning.
fn bounds(predicate: &Expr, columns: &[usize]) -> Option<ColumnBounds> {
    let (column, set) = ValueSet::of(predicate)?;
    if set.null {
        return None;
    }
    let column = columns[column];
    let lower = set.ranges.first().map_or(Bound::Unbounded, |range| range.0.clone());
    let upper = set.ranges.last().map_or(Bound::Unbounded, |range| range.1.clone());
    Some(ColumnBounds { column, lower, upper })
}
