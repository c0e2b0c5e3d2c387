//! Several files as one table: which column of which file is which of the table's.
//!
//! The first file's schema rules; columns are matched by name.

use std::sync::Arc;

use hashbrown::{HashMap, HashSet};
use parquet::file::metadata::ColumnChunkMetaData;

use super::file::SourceFile;
use super::int96::{Extent, extent, is_int96, timestamp};
use super::pages::Budget;
use super::schema::{FileColumn, Leaf};
use super::{ParquetOptions, RowGroup};
use crate::catalog::NewField;
use crate::types::{DataType, Error, Result};

/// Memory for all columns that are read side by side, per purpose; a single one takes less.
const WINDOWS_BYTES: usize = 128 << 20;
const RUNS_BYTES: usize = 256 << 20;
const BATCHES_BYTES: usize = 512 << 20;
/// What the values of one record batch should come to.
const RECORD_BATCH_BYTES: usize = 64 << 20;

/// Open files and their common schema.
#[derive(Debug)]
pub(super) struct Table {
    /// The files, in order.
    pub(super) files: Vec<Arc<SourceFile>>,
    /// The first file's columns. One that cannot be read has the type `Null`.
    pub(super) fields: Vec<NewField>,
    /// Per column, why it cannot be read.
    pub(super) unsupported: Vec<Option<String>>,
    /// Per column and file, its position among the file's columns.
    places: Vec<Vec<Option<usize>>>,
    /// All files' row groups.
    pub(super) row_groups: Vec<RowGroup>,
    /// As given.
    pub(super) options: ParquetOptions,
}

impl Table {
    /// Opens `paths`, of which there is at least one.
    pub(super) fn open(paths: &[String], options: ParquetOptions) -> Result<Table> {
        Table::of(Table::open_files(paths, &options)?, options)
    }

    /// Opens `paths`, not yet as one table.
    pub(super) fn open_files(
        paths: &[String],
        options: &ParquetOptions,
    ) -> Result<Vec<SourceFile>> {
        paths.iter().map(|path| SourceFile::open(path, options.binary_as_string)).collect()
    }

    /// The table of `files`, of which there is at least one.
    pub(super) fn of(files: Vec<SourceFile>, options: ParquetOptions) -> Result<Table> {
        let names = names(&files[0]);
        let places = match_columns(&files, &names)?;
        let mut table = Table {
            row_groups: row_groups(&files),
            files: files.into_iter().map(Arc::new).collect(),
            fields: Vec::new(),
            unsupported: Vec::new(),
            places,
            options,
        };
        table.settle_int96();
        for (column, name) in names.into_iter().enumerate() {
            let field = table.field(column, name)?;
            table.unsupported.push(field.as_ref().err().map(|(_, reason)| reason.clone()));
            table.fields.push(field.unwrap_or_else(|(name, _)| NewField {
                name,
                data_type: DataType::Null,
                nullable: true,
            }));
        }
        Ok(table)
    }

    /// How a file stores a column of the table; `None` when it has none of that name.
    ///
    /// # Errors
    /// `Unsupported` when it cannot be read.
    pub(super) fn leaf(&self, file: usize, column: usize) -> Result<Option<&Leaf>> {
        let Some(source) = self.file_column(file, column) else { return Ok(None) };
        match &source.leaf {
            Ok(leaf) => Ok(Some(leaf)),
            Err(reason) => Err(Error::unsupported(format!("it is {reason}"))),
        }
    }

    /// Memory per column where `column_count` are read side by side.
    pub(super) fn budget(&self, column_count: usize) -> Budget {
        let column_count = column_count.max(1);
        Budget {
            window_bytes: (WINDOWS_BYTES / column_count).clamp(32 << 10, 4 << 20),
            run_bytes: (RUNS_BYTES / column_count).clamp(64 << 10, 16 << 20),
            batch_bytes: (BATCHES_BYTES / column_count).clamp(1 << 20, 64 << 20),
            page_bytes_max: self.options.page_bytes_max,
        }
    }

    /// How many rows of `columns` make a record batch of reasonable size, by what the footers say
    /// about the row groups.
    pub(super) fn rows_within_budget(&self, row_groups: &[usize], columns: &[usize]) -> usize {
        let row_bytes = |row_group: &usize| -> u64 {
            let widths = columns.iter().map(|column| self.value_bytes(*row_group, *column));
            widths.fold(0, u64::saturating_add)
        };
        let widest = row_groups.iter().map(row_bytes).max().unwrap_or(0).max(1);
        let widest = usize::try_from(widest).unwrap_or(usize::MAX);
        (RECORD_BATCH_BYTES / widest).max(1)
    }

    fn value_bytes(&self, row_group: usize, column: usize) -> u64 {
        let row_count = self.row_groups[row_group].row_count.max(1);
        self.chunk_bytes(row_group, column) / row_count + 16
    }

    /// Bytes of a column, encoded and not compressed, by what the footers say.
    pub(super) fn column_bytes(&self, column: usize) -> u64 {
        let chunks = (0..self.row_groups.len()).map(|group| self.chunk_bytes(group, column));
        chunks.fold(0, u64::saturating_add)
    }

    fn chunk_bytes(&self, row_group: usize, column: usize) -> u64 {
        let place = &self.row_groups[row_group];
        let Ok(Some(leaf)) = self.leaf(place.file, column) else { return 0 };
        let group = self.files[place.file].metadata.row_group(place.index);
        let bytes =
            group.columns().get(leaf.index).map_or(0, ColumnChunkMetaData::uncompressed_size);
        u64::try_from(bytes).unwrap_or(0)
    }

    fn file_column(&self, file: usize, column: usize) -> Option<&FileColumn> {
        let position = self.places[column][file]?;
        Some(&self.files[file].columns[position])
    }

    /// A column of the table, or its name and why it cannot be read.
    fn field(&self, column: usize, name: String) -> Result<Result<NewField, (String, String)>> {
        let mut found: Option<DataType> = None;
        let mut nullable = false;
        for (file_idx, file) in self.files.iter().enumerate() {
            let Some(source) = self.file_column(file_idx, column) else {
                nullable = true;
                continue;
            };
            let leaf = match &source.leaf {
                Ok(leaf) => leaf,
                Err(reason) if file_idx == 0 => return Ok(Err((name, reason.clone()))),
                Err(reason) => {
                    return Ok(Err((name, format!("{reason} (in {})", file.path))));
                }
            };
            nullable |= leaf.nullable;
            let own = self.places[column][file_idx]
                .map_or(leaf.data_type, |position| file.written_type(position, leaf));
            let first = *found.get_or_insert(own);
            if !becomes(own, first) {
                return Err(Error::type_mismatch(format!(
                    "{}: column {name:?} is {}, but in {} it is {first}",
                    file.path, leaf.data_type, self.files[0].path
                ))
                .with_hint("load the files one by one, with a cast"));
            }
        }
        let data_type = found.expect("the first file has every column");
        Ok(Ok(NewField { name, data_type, nullable }))
    }

    /// Finds the unit of INT96 columns, the same in all files. A column whose values are damaged
    /// becomes one that cannot be read.
    fn settle_int96(&mut self) {
        for column in 0..self.places.len() {
            let leaves: Vec<(usize, Leaf)> = (0..self.files.len())
                .filter_map(|file| Some((file, *self.leaf(file, column).ok()??)))
                .filter(|(_, leaf)| is_int96(leaf))
                .collect();
            if leaves.is_empty() {
                continue;
            }
            let budget = self.budget(1);
            let unit = leaves
                .iter()
                .try_fold(Extent::default(), |all, (file, leaf)| {
                    extent(&self.files[*file], leaf, budget).map(|extent| all.merge(extent))
                })
                .and_then(Extent::unit);
            for (file, leaf) in leaves {
                let settled = match &unit {
                    Ok(unit) => Ok(Leaf { data_type: timestamp(*unit), ..leaf }),
                    Err(error) => Err(format!("unreadable: {error}")),
                };
                let position = self.places[column][file].expect("it has the leaf");
                let file =
                    Arc::get_mut(&mut self.files[file]).expect("not shared until it is open");
                file.columns[position].leaf = settled;
            }
        }
    }
}

/// The first file's column names; a name's second column gets a number, as in DuckDB.
pub(super) fn names(file: &SourceFile) -> Vec<String> {
    let mut taken: HashSet<String> = HashSet::new();
    let mut names = Vec::with_capacity(file.columns.len());
    for column in &file.columns {
        let mut name = column.name.clone();
        let mut number = 0_u32;
        while taken.contains(&name) {
            number += 1;
            name = format!("{}_{number}", column.name);
        }
        taken.insert(name.clone());
        names.push(name);
    }
    names
}

/// Per column of the first file, its position in each file.
fn match_columns(files: &[SourceFile], names: &[String]) -> Result<Vec<Vec<Option<usize>>>> {
    if names.is_empty() {
        return Err(Error::invalid(format!("{} has no columns", files[0].path)));
    }
    let mut places: Vec<Vec<Option<usize>>> =
        (0..names.len()).map(|position| vec![Some(position)]).collect();
    let columns: HashMap<&str, usize> =
        names.iter().enumerate().map(|(column, name)| (name.as_str(), column)).collect();
    for file in &files[1..] {
        for place in &mut places {
            place.push(None);
        }
        for (position, name) in self::names(file).iter().enumerate() {
            let column = columns.get(name.as_str()).ok_or_else(|| {
                Error::invalid(format!(
                    "{} has a column {name:?} which {} does not have",
                    file.path, files[0].path
                ))
                .with_hint("put first the file with all columns")
            })?;
            places[*column].pop();
            places[*column].push(Some(position));
        }
    }
    Ok(places)
}

fn row_groups(files: &[SourceFile]) -> Vec<RowGroup> {
    let mut row_groups = Vec::new();
    for (file_idx, file) in files.iter().enumerate() {
        for index in 0..file.metadata.num_row_groups() {
            let row_count = file.row_group_row_count(index);
            row_groups.push(RowGroup { file: file_idx, index, row_count });
        }
    }
    row_groups
}

/// Whether values of type `from` can be read as `to` without loss, or with an error for the value
/// that does not fit.
fn becomes(from: DataType, to: DataType) -> bool {
    use DataType::{Date, Decimal, Float32, Float64, Time, Timestamp};
    match (from, to) {
        _ if from == to => true,
        (from, to) if from.is_integer() => to.is_numeric(),
        (Float32 | Decimal { .. }, Float64) | (Date, Timestamp { zoned: false, .. }) => true,
        (Decimal { scale: from, .. }, Decimal { scale: to, .. }) => from <= to,
        (Time(from), Time(to)) => from <= to,
        (Timestamp { unit: from, zoned: from_zoned }, Timestamp { unit: to, zoned: to_zoned }) => {
            from <= to && from_zoned == to_zoned
        }
        _ => false,
    }
}
