//! Arrow IPC files and streams as one table.
//!
//! A piece is a record batch. Columns that are of no type of ours are refused by name when they are
//! asked for; the others are cast to what carries their type here. Must not know plans or SQL.

mod messages;

use std::sync::Arc;

use arrow::datatypes::{DataType as ArrowType, Field};

use self::messages::Messages;
use super::glob;
use super::rows::RowSink;
use super::stored::{StoredColumn, StoredFile, StoredRead, StoredValues, combine};
use super::table_of_files::TableOptions;
use crate::catalog::files::{FileComments, FileSet, Layout};
use crate::context::Context;
use crate::types::{DataType, Result};

/// Open Arrow files.
#[derive(Debug)]
pub(super) struct ArrowFiles {
    set: Arc<FileSet>,
    files: Vec<Messages>,
    first_pieces: Vec<usize>,
}

/// Arrow files as one table.
///
/// # Errors
/// `Io`, `Corrupt`; `Invalid` or `Type` when the files do not fit together.
pub fn describe_arrow(patterns: &[String], table: &TableOptions) -> Result<FileSet> {
    let mut paths = Vec::new();
    for pattern in patterns {
        paths.extend(glob::expand(pattern)?);
    }
    let mut files = Vec::with_capacity(paths.len());
    let mut comments = None;
    for path in paths {
        let messages = Messages::open(&path)?;
        comments.get_or_insert_with(|| FileComments::of_schema(&messages.schema));
        let columns = messages.schema.fields().iter().map(|field| column(field)).collect();
        files.push(StoredFile { path, layout: Layout::Arrow, columns });
    }
    combine(files, table, comments.unwrap_or_default())
}

fn column(field: &Field) -> StoredColumn {
    let is_uuid = field.extension_type_name() == Some("arrow.uuid")
        && *field.data_type() == ArrowType::FixedSizeBinary(16);
    let values = match DataType::from_arrow(field.data_type()) {
        Ok(_) if is_uuid => StoredValues::Typed(DataType::Uuid),
        Ok(DataType::Null) => StoredValues::Untyped(DataType::Utf8),
        Ok(data_type) => StoredValues::Typed(data_type),
        Err(_) => StoredValues::Unreadable(format!("of the Arrow type {}", field.data_type())),
    };
    StoredColumn { name: field.name().clone(), values }
}

impl ArrowFiles {
    /// Opens the files of `set`.
    pub(super) fn open(set: &Arc<FileSet>) -> Result<ArrowFiles> {
        let files: Vec<Messages> =
            set.files.iter().map(|file| Messages::open(&file.path)).collect::<Result<_>>()?;
        let mut first_pieces = vec![0];
        for file in &files {
            first_pieces.push(first_pieces[first_pieces.len() - 1] + file.batch_count());
        }
        Ok(ArrowFiles { set: Arc::clone(set), files, first_pieces })
    }

    /// The batches of all files.
    pub(super) fn piece_count(&self) -> usize {
        self.first_pieces[self.files.len()]
    }

    /// Gives the columns at `columns` of a batch to `sink`.
    pub(super) fn read(
        &self,
        piece: usize,
        columns: &[usize],
        context: &Context,
        sink: &mut RowSink<'_>,
    ) -> Result<()> {
        let file_idx = self.first_pieces.partition_point(|first| *first <= piece) - 1;
        let index = piece - self.first_pieces[file_idx];
        let read = StoredRead::new(&self.set, file_idx, columns)?;
        let Some(batch) = self.files[file_idx].batch(index, read.projection())? else {
            return Ok(());
        };
        let row_count = batch.num_rows();
        let mut memory = context.memory.reservation("reading a file");
        memory.resize(batch.get_array_memory_size())?;
        let bytes = u64::try_from(batch.get_array_memory_size()).unwrap_or(u64::MAX);
        context.progress.read(bytes);
        let arrays = read.arrays(batch.columns(), row_count)?;
        let mut offset = 0;
        while offset < row_count {
            context.cancel.check()?;
            let len = context.batch_len.max(1).min(row_count - offset);
            let part = arrays.iter().map(|array| array.slice(offset, len)).collect();
            if sink(part, len)?.is_break() {
                break;
            }
            offset += len;
        }
        Ok(())
    }
}
