//! Arrow IPC files and streams as one table.
//!
//! A piece is a record batch. Columns that are of no type of ours are refused by name when they are
//! asked for; the others are cast to what carries their type here. Must not know plans or SQL.

mod messages;

use std::sync::Arc;

use arrow::datatypes::{DataType as ArrowType, Field};
use hashbrown::HashMap;

use self::messages::Messages;
use super::glob;
use super::rows::RowSink;
use super::stored::{StoredColumn, StoredFile, StoredRead, StoredValues, combine};
use super::table_of_files::TableOptions;
use crate::catalog::files::{FileComments, FileSet, Layout};
use crate::context::Context;
use crate::types::{DataType, Error, Result};
use crate::vector::batch_bytes;

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
    let mut units = HashMap::new();
    for path in paths {
        let messages = Messages::open(&path)?;
        for field in messages.schema.fields() {
            check_unit(&mut units, field).map_err(|error| error.context(&path))?;
        }
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
        // As Parquet gives them: a number of their unit.
        Err(_) if is_duration(field.data_type()) => StoredValues::Typed(DataType::Int64),
        Err(_) => StoredValues::Unreadable(format!("of the Arrow type {}", field.data_type())),
    };
    StoredColumn { name: field.name().clone(), values }
}

/// That durations of one name have one unit in all files: as numbers they would not tell.
fn check_unit(units: &mut HashMap<String, ArrowType>, field: &Field) -> Result<()> {
    if !is_duration(field.data_type()) {
        return Ok(());
    }
    let own = field.data_type().clone();
    let known = units.entry(field.name().clone()).or_insert_with(|| own.clone());
    if *known == own {
        return Ok(());
    }
    let name = field.name();
    Err(Error::type_mismatch(format!(
        "column \"{name}\" is of the Arrow type {own}, but of {known} in another file"
    )))
}

fn is_duration(data_type: &ArrowType) -> bool {
    match data_type {
        ArrowType::Duration(_) => true,
        ArrowType::Dictionary(_, values) => is_duration(values),
        ArrowType::RunEndEncoded(_, values) => is_duration(values.data_type()),
        _ => false,
    }
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
        // Columns that are not compressed are parts of the message.
        let bytes = batch_bytes(&batch).max(self.files[file_idx].batch_bytes(index));
        memory.resize(bytes)?;
        context.progress.read(u64::try_from(bytes).unwrap_or(u64::MAX));
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

#[cfg(test)]
mod tests {
    use std::fs;
    use std::ops::ControlFlow;
    use std::path::Path;

    use arrow::array::{
        ArrayRef, AsArray, DurationMicrosecondArray, DurationNanosecondArray, Int64Array,
        RecordBatch,
    };
    use arrow::datatypes::Int64Type;
    use arrow_ipc::MetadataVersion;
    use arrow_ipc::writer::{FileWriter, IpcWriteOptions};

    use super::*;
    use crate::types::ErrorKind;
    use crate::vector::Vector;

    fn write(path: &Path, array: ArrayRef, version: MetadataVersion) {
        let batch = RecordBatch::try_from_iter([("a", array)]).unwrap();
        let options = IpcWriteOptions::try_new(64, false, version).unwrap();
        let file = fs::File::create(path).unwrap();
        let mut writer = FileWriter::try_new_with_options(file, &batch.schema(), options).unwrap();
        writer.write(&batch).unwrap();
        writer.finish().unwrap();
    }

    fn describe(path: &Path) -> Result<Arc<FileSet>> {
        let pattern = path.to_str().unwrap().to_owned();
        describe_arrow(&[pattern], &TableOptions::default()).map(Arc::new)
    }

    /// The batches of the first column.
    fn vectors(path: &Path) -> Result<Vec<ArrayRef>> {
        let files = ArrowFiles::open(&describe(path)?)?;
        let mut found = Vec::new();
        for piece in 0..files.piece_count() {
            files.read(piece, &[0], &Context::new(), &mut |arrays, _| {
                found.extend(arrays);
                Ok(ControlFlow::Continue(()))
            })?;
        }
        Ok(found)
    }

    #[test]
    fn the_parts_of_a_large_batch_are_counted_once() -> Result<()> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.arrow");
        let numbers: ArrayRef = Arc::new(Int64Array::from_iter_values(0..100_000));
        write(&path, numbers, MetadataVersion::V5);
        let parts = vectors(&path)?;
        assert!(parts.len() > 10, "a batch is given in parts");
        let bytes: usize = parts.into_iter().map(|part| Vector::from(part).bytes()).sum();
        assert!((800_000..900_000).contains(&bytes), "{bytes}");
        Ok(())
    }

    #[test]
    fn old_metadata_is_read_and_older_formats_are_named() -> Result<()> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.arrow");
        write(&path, Arc::new(Int64Array::from(vec![5, 6])), MetadataVersion::V4);
        assert_eq!(vectors(&path)?[0].as_primitive::<Int64Type>().values(), &[5, 6]);
        for (head, kind, expected) in [
            ("FEA1", ErrorKind::Unsupported, "Feather V1"),
            ("PAR1", ErrorKind::Corrupt, "it is a Parquet file"),
        ] {
            fs::write(&path, format!("{head}, and what is behind it")).unwrap();
            let error = describe(&path).unwrap_err();
            assert_eq!(error.kind(), kind);
            assert!(error.message().contains(expected), "{error}");
        }
        Ok(())
    }

    #[test]
    fn durations_are_numbers_of_one_unit() -> Result<()> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("1.arrow");
        let micros = DurationMicrosecondArray::from(vec![Some(7), None, Some(-1)]);
        write(&path, Arc::new(micros), MetadataVersion::V5);
        assert_eq!(describe(&path)?.columns[0].data_type, DataType::Int64);
        let expected: ArrayRef = Arc::new(Int64Array::from(vec![Some(7), None, Some(-1)]));
        assert_eq!(&vectors(&path)?[0], &expected);
        let nanos = DurationNanosecondArray::from(vec![7]);
        write(&folder.path().join("2.arrow"), Arc::new(nanos), MetadataVersion::V5);
        let error = describe(&folder.path().join("*.arrow")).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Type);
        Ok(())
    }
}
