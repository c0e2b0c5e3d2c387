//! Foreign files that are read row by row, of whatever format. Must not know plans or SQL.

use std::sync::Arc;

use super::arrow_file::ArrowFiles;
use super::parquet::ParquetRows;
use super::rows::{RowFiles, RowSink};
#[cfg(feature = "excel")]
use super::sheet::SheetFiles;
use crate::catalog::files::{FileSet, Layout};
use crate::context::Context;
use crate::types::Result;

/// Open files.
#[derive(Debug)]
pub struct ForeignFiles(Format);

#[derive(Debug)]
enum Format {
    /// Text.
    Rows(RowFiles),
    /// Arrow IPC.
    Arrow(ArrowFiles),
    /// Parquet.
    Parquet(ParquetRows),
    /// Worksheets.
    #[cfg(feature = "excel")]
    Sheets(SheetFiles),
}

impl ForeignFiles {
    /// Opens the files of `set`, all of one format.
    ///
    /// # Errors
    /// `Io`, `Corrupt`.
    pub fn open(set: &Arc<FileSet>) -> Result<ForeignFiles> {
        match set.files.first().map(|file| &file.layout) {
            Some(Layout::Arrow) => Ok(ForeignFiles(Format::Arrow(ArrowFiles::open(set)?))),
            Some(Layout::Parquet { .. }) => {
                Ok(ForeignFiles(Format::Parquet(ParquetRows::open(set)?)))
            }
            #[cfg(feature = "excel")]
            Some(Layout::Sheet(_)) => Ok(ForeignFiles(Format::Sheets(SheetFiles::open(set)?))),
            _ => Ok(ForeignFiles(Format::Rows(RowFiles::open(set)?))),
        }
    }

    /// Pieces that can be read one by one, in the order of rows.
    pub fn piece_count(&self) -> usize {
        match &self.0 {
            Format::Rows(files) => files.piece_count(),
            Format::Arrow(files) => files.piece_count(),
            Format::Parquet(files) => files.piece_count(),
            #[cfg(feature = "excel")]
            Format::Sheets(files) => files.piece_count(),
        }
    }

    /// Gives the columns at `columns` of a piece to `sink`, at most `context.batch_len` rows at a time.
    ///
    /// # Errors
    /// `InvalidText` for text that cannot be read, with its place; `Io`, `Corrupt`, `Cancelled`; as
    /// `sink`.
    pub fn read(
        &self,
        piece: usize,
        columns: &[usize],
        context: &Context,
        sink: &mut RowSink<'_>,
    ) -> Result<()> {
        match &self.0 {
            Format::Rows(files) => files.read(piece, columns, context, sink),
            Format::Arrow(files) => files.read(piece, columns, context, sink),
            Format::Parquet(files) => files.read(piece, columns, context, sink),
            #[cfg(feature = "excel")]
            Format::Sheets(files) => files.read(piece, columns, context, sink),
        }
    }
}
