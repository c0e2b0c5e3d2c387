//! Arrow IPC files and streams as one table.
//!
//! A piece is a record batch. Columns that are of no type of ours are refused by name when they are
//! asked for; the others are cast to what carries their type here. Must not know plans or SQL.

mod messages;

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, StringArray, new_null_array};
use arrow::compute::cast;
use arrow::datatypes::{DataType as ArrowType, Field};

use hashbrown::HashMap;

use self::messages::Messages;
use super::conform::conform;
use super::glob;
use super::rows::RowSink;
use super::table_of_files::TableOptions;
use crate::catalog::NewField;
use crate::catalog::files::{
    FileColumn, FileComments, FileSet, ForeignFile, Layout, Origin, Reading,
};
use crate::context::Context;
use crate::types::{DataType, Error, Result};

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
    let mut columns: Vec<FileColumn> = Vec::new();
    let mut by_name: HashMap<String, usize> = HashMap::new();
    let mut files = Vec::with_capacity(paths.len());
    let mut comments = FileComments::default();
    for (file_idx, path) in paths.iter().enumerate() {
        let messages = Messages::open(path)?;
        if file_idx == 0 {
            comments = FileComments::of_schema(&messages.schema);
        }
        let mut places = vec![None; columns.len()];
        for (place, field) in messages.schema.fields().iter().enumerate() {
            let column = column(field);
            let known = by_name.get(&column.name).copied();
            let index = match known.filter(|index| places[*index].is_none()) {
                Some(index) => {
                    let (known, own) = (columns[index].data_type, column.data_type);
                    columns[index].data_type = wider(known, own).ok_or_else(|| {
                        Error::type_mismatch(format!(
                            "{path}: column \"{}\" is of type {own}, but of type {known} in {}",
                            column.name, paths[0]
                        ))
                    })?;
                    index
                }
                None if file_idx > 0 && !table.union_by_name => {
                    return Err(Error::invalid(format!(
                        "{path} has a column \"{}\" that {} does not have",
                        column.name, paths[0]
                    ))
                    .with_hint("union_by_name => true takes the columns of all files"));
                }
                None => {
                    by_name.entry(column.name.clone()).or_insert(columns.len());
                    columns.push(column);
                    places.push(None);
                    columns.len() - 1
                }
            };
            places[index] = Some(place);
        }
        files.push(ForeignFile { path: path.clone(), layout: Layout::Arrow, places });
    }
    if let Some(name) = &table.filename {
        let (name, data_type) = (name.clone(), DataType::Utf8);
        columns.push(FileColumn { name, data_type, origin: Origin::FileName });
    }
    for file in &mut files {
        file.places.resize(columns.len(), None);
    }
    Ok(FileSet { files, columns, reading: Reading::default(), is_sampled: false, comments })
}

/// The type that takes the values of both without loss.
fn wider(one: DataType, other: DataType) -> Option<DataType> {
    use DataType::{Date, Float32, Float64, Int16, Int32, Int64, Time, Timestamp};
    let signed = |data_type: DataType| match data_type {
        DataType::UInt8 => Int16,
        DataType::UInt16 => Int32,
        DataType::UInt32 => Int64,
        signed => signed,
    };
    let bytes = |data_type: DataType| data_type.to_arrow().primitive_width();
    Some(match (one, other) {
        (one, other) if one == other => one,
        (one, other) if one.is_unsigned_integer() && other.is_unsigned_integer() => {
            if bytes(one) < bytes(other) { other } else { one }
        }
        (one, other) if one.is_integer() && other.is_integer() => {
            let (one, other) = (signed(one), signed(other));
            if one == DataType::UInt64 || other == DataType::UInt64 {
                DataType::Decimal { precision: 20, scale: 0 }
            } else if bytes(one) < bytes(other) {
                other
            } else {
                one
            }
        }
        (Float32, Float64) | (Float64, Float32) => Float64,
        (Float32 | Float64, other) | (other, Float32 | Float64)
            if bytes(other) <= Some(4) && other.is_integer() =>
        {
            Float64
        }
        (Date, stamp @ Timestamp { zoned: false, .. })
        | (stamp @ Timestamp { zoned: false, .. }, Date) => stamp,
        (Time(one), Time(other)) => Time(one.max(other)),
        (Timestamp { unit, zoned }, Timestamp { unit: other, zoned: also }) if zoned == also => {
            Timestamp { unit: unit.max(other), zoned }
        }
        _ => return None,
    })
}

fn column(field: &Field) -> FileColumn {
    let name = field.name().clone();
    let is_uuid = field.extension_type_name() == Some("arrow.uuid")
        && *field.data_type() == ArrowType::FixedSizeBinary(16);
    match DataType::from_arrow(field.data_type()) {
        Ok(_) if is_uuid => FileColumn { name, data_type: DataType::Uuid, origin: Origin::Stored },
        // A column of nothing but NULL has no type.
        Ok(DataType::Null) => {
            FileColumn { name, data_type: DataType::Utf8, origin: Origin::Stored }
        }
        Ok(data_type) => FileColumn { name, data_type, origin: Origin::Stored },
        Err(_) => FileColumn {
            name,
            data_type: DataType::Null,
            origin: Origin::Unreadable(format!("of the Arrow type {}", field.data_type())),
        },
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
        let (file, described) = (&self.files[file_idx], &self.set.files[file_idx]);
        let places: Vec<Option<usize>> =
            columns.iter().map(|column| described.places[*column]).collect();
        let mut projection: Vec<usize> = places.iter().flatten().copied().collect();
        projection.sort_unstable();
        projection.dedup();
        let index = piece - self.first_pieces[file_idx];
        let Some(batch) = file.batch(index, &projection)? else { return Ok(()) };
        let row_count = batch.num_rows();
        let mut memory = context.memory.reservation("reading a file");
        memory.resize(batch.get_array_memory_size())?;
        let bytes = u64::try_from(batch.get_array_memory_size()).unwrap_or(u64::MAX);
        context.progress.read(bytes);
        let mut arrays = Vec::with_capacity(columns.len());
        for (column, place) in columns.iter().zip(&places) {
            let column = &self.set.columns[*column];
            arrays.push(match (&column.origin, place) {
                (Origin::Unreadable(reason), _) => {
                    return Err(Error::unsupported(format!(
                        "column {:?} is {reason}",
                        column.name
                    )));
                }
                (Origin::FileName, _) => {
                    let path = (0..row_count).map(|_| described.path.as_str());
                    Arc::new(StringArray::from_iter_values(path)) as ArrayRef
                }
                (_, Some(place)) => {
                    let at = projection.binary_search(place).unwrap_or(0);
                    ours(batch.column(at), column)
                        .map_err(|error| error.context(&described.path))?
                }
                (_, None) => new_null_array(&column.data_type.to_arrow(), row_count),
            });
        }
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

/// An array as it is carried here.
fn ours(array: &ArrayRef, column: &FileColumn) -> Result<ArrayRef> {
    let plain = match array.data_type() {
        ArrowType::Dictionary(_, values) => cast(array, values)?,
        ArrowType::RunEndEncoded(_, values) => cast(array, values.data_type())?,
        _ => Arc::clone(array),
    };
    if *plain.data_type() == column.data_type.to_arrow() {
        let is_float = column.data_type.is_float();
        return if is_float { conform(&plain, &field(column)) } else { Ok(plain) };
    }
    if *plain.data_type() == ArrowType::Null {
        return Ok(new_null_array(&column.data_type.to_arrow(), plain.len()));
    }
    conform(&plain, &field(column))
}

fn field(column: &FileColumn) -> NewField {
    NewField { name: column.name.clone(), data_type: column.data_type, nullable: true }
}
