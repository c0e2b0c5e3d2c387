//! The scan of files that are read row by row.
//!
//! A morsel is a piece of a file. Only the columns that the plan names are converted; the filter is
//! evaluated on each batch before it goes on. Must not know formats.

use std::ops::ControlFlow;
use std::sync::Arc;

use super::profile::OperatorStats;
use super::program::Program;
use super::source::{ColumnKind, Sink, Source};
use crate::catalog::files::FileSet;
use crate::context::Context;
use crate::ingest::ForeignFiles;
use crate::plan::Scan;
use crate::types::{Error, Result};
use crate::vector::{Batch, Vector};

/// A scan of files.
#[derive(Debug)]
pub(crate) struct FileScan {
    files: ForeignFiles,
    /// Positions in the files' schema.
    columns: Vec<usize>,
    filter: Program,
    kinds: Vec<ColumnKind>,
    output_count: usize,
}

impl FileScan {
    /// A scan of the files of `set`.
    ///
    /// # Errors
    /// When they cannot be opened.
    pub(crate) fn new(
        scan: &Scan,
        set: &Arc<FileSet>,
        stats: &Arc<OperatorStats>,
    ) -> Result<FileScan> {
        let mut columns = Vec::with_capacity(scan.columns.len());
        for column in &scan.columns {
            let position = column.field.0 as usize;
            match set.columns.get(position) {
                Some(known) if known.data_type == column.data_type => columns.push(position),
                _ => return Err(Error::internal("a scan of files has columns of other files")),
            }
        }
        let kinds: Vec<ColumnKind> =
            scan.columns.iter().map(|column| ColumnKind::flat(column.data_type)).collect();
        stats.scan(|profile| {
            profile.columns_read = scan.columns.iter().map(|column| column.field).collect();
            profile.columns_total = set.columns.len() as u64;
        });
        stats.note("filter evaluated", scan.filter.len() as u64);
        Ok(FileScan {
            filter: Program::new(&scan.filter, &kinds, false),
            output_count: scan.output_count,
            files: ForeignFiles::open(set)?,
            columns,
            kinds,
        })
    }
}

impl Source for FileScan {
    fn kinds(&self) -> &[ColumnKind] {
        &self.kinds[..self.output_count]
    }

    fn morsel_count(&self) -> usize {
        self.files.piece_count()
    }

    fn run(&self, morsel: usize, context: &Context, sink: &mut Sink<'_>) -> Result<()> {
        self.files.read(morsel, &self.columns, context, &mut |arrays, row_count| {
            context.progress.advance(row_count as u64);
            let columns = arrays.into_iter().map(Vector::Flat).collect();
            let batch = self.filter.filtered(Batch::new(columns, row_count), context)?;
            if batch.is_empty() {
                return Ok(ControlFlow::Continue(()));
            }
            let len = batch.len();
            let mut columns = batch.into_columns();
            columns.truncate(self.output_count);
            sink(Batch::new(columns, len))
        })
    }
}
