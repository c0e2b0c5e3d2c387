//! Parquet files that are no table by columns alone, read row by row: their schemas differ, or folders
//! and paths are columns too.
//!
//! A piece is a row group of a file. Each file is read as a table of its own, in batches; what these
//! become is the business of `stored`.

use std::sync::Arc;

use hashbrown::HashMap;
use parquet::basic::Type;

use super::file::SourceFile;
use super::schema::Leaf;
use super::table::{Table, names};
use super::{ParquetFiles, ParquetOptions};
use crate::catalog::files::{FileSet, Layout};
use crate::context::Context;
use crate::ingest::glob;
use crate::ingest::rows::RowSink;
use crate::ingest::stored::{StoredColumn, StoredFile, StoredRead, StoredValues, combine};
use crate::ingest::table_of_files::{TableOptions, folders};
use crate::types::{Error, Result};

/// What Parquet files are as one table.
#[derive(Debug)]
pub enum ParquetDescription {
    /// Files of one schema: a source of columns.
    Columns(ParquetFiles),
    /// Files that are read row by row.
    Rows(Arc<FileSet>),
}

/// Parquet files as one table: a source of columns if they are of one schema and nothing but their
/// columns is asked for.
///
/// # Errors
/// As [`ParquetFiles::open`].
pub fn describe_parquet(
    patterns: &[String],
    binary_as_string: bool,
    table: &TableOptions,
) -> Result<ParquetDescription> {
    let options = ParquetOptions { binary_as_string, ..ParquetOptions::default() };
    let mut paths = Vec::new();
    for pattern in patterns {
        paths.extend(glob::expand(pattern)?);
    }
    if paths.is_empty() {
        return Err(Error::invalid("no Parquet file is named"));
    }
    let files = Table::open_files(&paths, &options)?;
    if table.filename.is_none() && folders_of(&files, table).is_empty() && are_alike(&files) {
        let files = ParquetFiles(Arc::new(Table::of(files, options)?));
        return Ok(ParquetDescription::Columns(files));
    }
    let comments = files[0].comments();
    let layout = Layout::Parquet { binary_as_string };
    let described = files.into_iter().map(|file| {
        let path = file.path.clone();
        let files = ParquetFiles(Arc::new(Table::of(vec![file], options.clone())?));
        Ok(StoredFile { path, layout: layout.clone(), columns: columns(&files) })
    });
    let described = described.collect::<Result<Vec<StoredFile>>>()?;
    Ok(ParquetDescription::Rows(Arc::new(combine(described, table, comments)?)))
}

/// The names of folders that are columns.
fn folders_of(files: &[SourceFile], table: &TableOptions) -> Vec<String> {
    let paths: Vec<&str> = files.iter().map(|file| file.path.as_str()).collect();
    let columns = files.iter().flat_map(|file| &file.columns);
    let columns: Vec<&str> = columns.map(|column| column.name.as_str()).collect();
    folders(&paths, &columns, table).into_iter().map(|(name, _)| name).collect()
}

/// Whether all files have columns of the first, of its types.
fn are_alike(files: &[SourceFile]) -> bool {
    let Some((first, others)) = files.split_first() else { return true };
    let known: HashMap<String, usize> =
        names(first).into_iter().enumerate().map(|(position, name)| (name, position)).collect();
    others.iter().all(|file| {
        names(file).iter().enumerate().all(|(position, name)| {
            known.get(name).is_some_and(|known| is_alike((first, *known), (file, position)))
        })
    })
}

fn is_alike(one: (&SourceFile, usize), other: (&SourceFile, usize)) -> bool {
    let leaf = |(file, position): (&SourceFile, usize)| file.columns[position].leaf.clone();
    match (leaf(one), leaf(other)) {
        (Ok(first), Ok(second)) => {
            // The type of INT96 is that of the values.
            let is_int96 = |leaf: &Leaf| leaf.physical == Type::INT96;
            let data_type = |(file, position): (&SourceFile, usize), leaf| {
                SourceFile::written_type(file, position, leaf)
            };
            data_type(one, &first) == data_type(other, &second)
                && is_int96(&first) == is_int96(&second)
        }
        // It is refused when it is asked for.
        _ => true,
    }
}

/// The columns of a file, as what they meet those of others.
fn columns(file: &ParquetFiles) -> Vec<StoredColumn> {
    let column = |(position, field): (usize, &crate::catalog::NewField)| {
        let values = match (file.unsupported(position), file.0.leaf(0, position)) {
            (Some(reason), _) => StoredValues::Unreadable(reason.to_owned()),
            (None, Ok(Some(leaf))) if leaf.untyped => StoredValues::Untyped(field.data_type),
            _ if is_null(file, position) => StoredValues::Nulls(field.data_type),
            _ => StoredValues::Typed(field.data_type),
        };
        StoredColumn { name: field.name.clone(), values }
    };
    file.fields().iter().enumerate().map(column).collect()
}

/// Whether the footer says that a column has no value.
fn is_null(file: &ParquetFiles, column: usize) -> bool {
    file.row_groups().iter().enumerate().all(|(index, row_group)| {
        row_group.row_count == 0
            || file.statistics(index, column).null_count == Some(row_group.row_count)
    })
}

/// Open files.
#[derive(Debug)]
pub(in crate::ingest) struct ParquetRows {
    set: Arc<FileSet>,
    files: Vec<ParquetFiles>,
    /// File and row group.
    pieces: Vec<(usize, usize)>,
}

impl ParquetRows {
    /// Opens the files of `set`.
    ///
    /// # Errors
    /// As [`ParquetFiles::open`].
    pub(in crate::ingest) fn open(set: &Arc<FileSet>) -> Result<ParquetRows> {
        let mut files = Vec::with_capacity(set.files.len());
        let mut pieces = Vec::new();
        for (file_idx, described) in set.files.iter().enumerate() {
            let binary_as_string = described.layout == Layout::Parquet { binary_as_string: true };
            let options = ParquetOptions { binary_as_string, ..ParquetOptions::default() };
            let path = described.path.clone();
            let file = ParquetFiles(Arc::new(Table::open(&[path], options)?));
            let width = file.fields().len();
            if described.places.iter().flatten().any(|place| *place >= width) {
                let path = &described.path;
                return Err(Error::corrupt(format!("{path} has changed since it was looked at")));
            }
            pieces.extend((0..file.row_groups().len()).map(|row_group| (file_idx, row_group)));
            files.push(file);
        }
        Ok(ParquetRows { set: Arc::clone(set), files, pieces })
    }

    /// The row groups of all files.
    pub(in crate::ingest) fn piece_count(&self) -> usize {
        self.pieces.len()
    }

    /// Gives the columns at `columns` of a row group to `sink`.
    ///
    /// # Errors
    /// `Unsupported` for a column that cannot be read, `Io`, `Corrupt`; `OutOfRange` for a value that
    /// does not fit the common type; as `sink`.
    pub(in crate::ingest) fn read(
        &self,
        piece: usize,
        columns: &[usize],
        context: &Context,
        sink: &mut RowSink<'_>,
    ) -> Result<()> {
        let (file_idx, row_group) = self.pieces[piece];
        let read = StoredRead::new(&self.set, file_idx, columns)?;
        let batches =
            self.files[file_idx].read(&[row_group], read.projection(), context.batch_len)?;
        for batch in batches {
            context.cancel.check()?;
            let batch = batch?;
            let row_count = batch.num_rows();
            let arrays = read.arrays(batch.columns(), row_count)?;
            if sink(arrays, row_count)?.is_break() {
                break;
            }
        }
        Ok(())
    }
}
