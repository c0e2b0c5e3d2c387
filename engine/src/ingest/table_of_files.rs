//! Several text files or worksheets as one table: which column of which file is which, and of what type.
//!
//! The first file's columns are the table's; in later files they are found by name, or by position
//! where a file does not name them. Must not know how files are read.

use hashbrown::HashMap;

use super::cell::Candidates;
use super::column_names::check_column_count;
use super::csv::{self, CsvOptions};
use super::glob;
use super::json::{self, JsonOptions};
use super::rows::folder_values;
use super::sheet::{self, SheetOptions};
use crate::catalog::files::{
    DateOrder, FileColumn, FileComments, FileSet, ForeignFile, Layout, Origin, Patterns, Points,
    ReadAs, Reading, Writing,
};
use crate::context::Context;
use crate::types::{DataType, Error, Result};

/// How files become a table.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TableOptions {
    /// Whether a later file may bring columns that the first does not have.
    pub union_by_name: bool,
    /// The name of a column with the path of each row's file.
    pub filename: Option<String>,
    /// Whether `name=value` folders are columns; where there are any, when `None`.
    pub hive_partitioning: Option<bool>,
    /// Types that are given to text and worksheets. Parquet and Arrow files have their own: whoever
    /// wants others casts the values.
    pub types: GivenTypes,
}

/// Types that are given.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GivenTypes {
    /// Of columns by name.
    pub by_name: Vec<(String, DataType)>,
    /// Of the first columns.
    pub by_position: Vec<DataType>,
    /// Whether all others are text.
    pub all_text: bool,
}

/// What the values of a column were found to be.
pub(super) trait Found: Copy {
    /// What the values of both are.
    fn and(self, other: Self) -> Self;

    /// How they are read.
    fn read_as(self, patterns: &Patterns) -> ReadAs;
}

impl Found for Candidates {
    fn and(self, other: Candidates) -> Candidates {
        Candidates::and(self, other)
    }

    fn read_as(self, patterns: &Patterns) -> ReadAs {
        Candidates::read_as(self, patterns)
    }
}

/// What a file holds.
#[derive(Clone, Debug)]
pub(super) struct FileSchema<F = Candidates> {
    pub(super) path: String,
    pub(super) layout: Layout,
    pub(super) columns: Vec<Named<F>>,
    /// Whether its columns are named by itself.
    pub(super) has_names: bool,
    pub(super) points: Points,
    pub(super) is_sampled: bool,
}

/// A column of a file.
#[derive(Clone, Debug)]
pub(super) struct Named<F = Candidates> {
    pub(super) name: String,
    pub(super) found: F,
}

/// Delimited files as one table.
///
/// # Errors
/// `Io`, `Corrupt`; `Invalid` when the files do not fit together; `UnknownName` for a type of a column
/// that there is not.
pub fn describe_csv(
    patterns: &[String],
    csv: &CsvOptions,
    table: &TableOptions,
    reading: &Reading,
) -> Result<FileSet> {
    describe(patterns, table, reading, |path| csv::examine(path, csv, reading))
}

/// JSON files as one table; with `whole`, all rows are looked at and not a sample.
///
/// # Errors
/// As [`describe_csv`]; `InvalidText` for what is not JSON.
pub fn describe_json(
    patterns: &[String],
    json: &JsonOptions,
    table: &TableOptions,
    reading: &Reading,
    whole: Option<&Context>,
) -> Result<FileSet> {
    describe(patterns, table, reading, |path| json::examine(path, json, reading, whole))
}

/// Worksheets as one table.
///
/// # Errors
/// As [`describe_csv`]; `UnknownName` for a sheet that there is not; `Unsupported` for what is too long
/// or protected, and in a build without the feature `excel`.
pub fn describe_sheets(
    patterns: &[String],
    options: &SheetOptions,
    table: &TableOptions,
) -> Result<FileSet> {
    let set = describe(patterns, table, &Reading::default(), |path| sheet::examine(path, options))?;
    if let [ForeignFile { path, layout: Layout::Sheet(layout), .. }] = &set.files[..]
        && layout.column_count == 0
    {
        let sheet = &layout.sheet;
        return Err(Error::invalid(format!("{path}: the sheet \"{sheet}\" has no cells to read")));
    }
    Ok(set)
}

fn describe<F: Found>(
    patterns: &[String],
    table: &TableOptions,
    reading: &Reading,
    examine: impl Fn(&str) -> Result<FileSchema<F>>,
) -> Result<FileSet> {
    let mut paths = Vec::new();
    for pattern in patterns {
        paths.extend(glob::expand(pattern)?);
    }
    let mut schemas = Vec::with_capacity(paths.len());
    for path in &paths {
        let schema = examine(path)?;
        // A file without anything in it has no say in what the others are.
        if schema.columns.is_empty() && paths.len() > 1 {
            continue;
        }
        schemas.push(schema);
    }
    combine(schemas, table, reading, &paths)
}

fn combine<F: Found>(
    schemas: Vec<FileSchema<F>>,
    table: &TableOptions,
    reading: &Reading,
    paths: &[String],
) -> Result<FileSet> {
    let Some(first) = schemas.first() else {
        return Err(Error::invalid(match paths.first() {
            Some(path) => format!("{path} and the files beside it are empty"),
            None => "no file is named".to_owned(),
        }));
    };
    let mut columns: Vec<Named<F>> = first.columns.clone();
    let mut by_name: HashMap<String, usize> = HashMap::new();
    for (index, column) in columns.iter().enumerate() {
        by_name.entry(column.name.clone()).or_insert(index);
    }
    let mut places = Vec::with_capacity(schemas.len());
    places.push((0..columns.len()).map(Some).collect::<Vec<_>>());
    for schema in &schemas[1..] {
        let by_position = !schema.has_names || !first.has_names;
        let mut own: Vec<Option<usize>> = vec![None; columns.len()];
        for (field, column) in schema.columns.iter().enumerate() {
            let known = if by_position {
                (field < columns.len()).then_some(field)
            } else {
                by_name.get(&column.name).copied()
            };
            let index = match known {
                Some(index) => {
                    columns[index].found = columns[index].found.and(column.found);
                    index
                }
                None if table.union_by_name => {
                    columns.push(column.clone());
                    by_name.insert(column.name.clone(), columns.len() - 1);
                    own.push(None);
                    columns.len() - 1
                }
                None => return Err(surplus(schema, &column.name, &first.path, by_position)),
            };
            own[index] = Some(field);
        }
        places.push(own);
    }
    let points = if schemas.iter().all(|schema| schema.points == first.points) {
        first.points
    } else {
        Points::Either
    };
    let mut set = FileSet {
        columns: read_as(columns, &table.types, &reading.patterns, points)?,
        is_sampled: schemas.iter().any(|schema| schema.is_sampled),
        comments: FileComments::default(),
        reading: Reading { points, ..reading.clone() },
        files: schemas
            .into_iter()
            .zip(places)
            .map(|(schema, places)| ForeignFile {
                path: schema.path,
                layout: schema.layout,
                places,
            })
            .collect(),
    };
    let width = set.columns.len();
    check_column_count(&set.files[0].path, width)?;
    for file in &mut set.files {
        file.places.resize(width, None);
    }
    add_folders(&mut set, table);
    add_file_name(&mut set, table)?;
    Ok(set)
}

fn surplus<F>(schema: &FileSchema<F>, column: &str, first: &str, by_position: bool) -> Error {
    let path = &schema.path;
    if by_position {
        return Error::invalid(format!(
            "{path} has {} columns, more than {first}",
            schema.columns.len()
        ))
        .with_hint("all files need as many columns as the first, or names to find them by");
    }
    Error::invalid(format!("{path} has a column \"{column}\" that {first} does not have"))
        .with_hint("union_by_name => true takes the columns of all files")
}

/// Columns with what is given of them, and what their values allow otherwise.
fn read_as<F: Found>(
    columns: Vec<Named<F>>,
    types: &GivenTypes,
    patterns: &Patterns,
    points: Points,
) -> Result<Vec<FileColumn>> {
    for (name, _) in &types.by_name {
        if !columns.iter().any(|column| same_name(&column.name, name)) {
            return Err(Error::unknown_name(format!(
                "there is no column \"{name}\" to give a type"
            )));
        }
    }
    if types.by_position.len() > columns.len() {
        return Err(Error::invalid(format!(
            "{} types for {} columns",
            types.by_position.len(),
            columns.len()
        )));
    }
    let column = |(index, Named { name, found }): (usize, Named<F>)| {
        let named = types.by_name.iter().find(|(given, _)| same_name(&name, given));
        let given = named
            .map(|(_, data_type)| *data_type)
            .or_else(|| types.by_position.get(index).copied());
        let inferred = found.read_as(patterns);
        let reading = match given {
            Some(DataType::Utf8) => ReadAs::Text,
            Some(data_type) => by_pattern(data_type, patterns)
                .unwrap_or_else(|| as_written(data_type, &inferred, points)),
            None if types.all_text => ReadAs::Text,
            None => inferred,
        };
        FileColumn { name, data_type: reading.data_type(), origin: Origin::Cells(reading) }
    };
    Ok(columns.into_iter().enumerate().map(column).collect())
}

/// Values of a type that was given, where they are written as `inferred`.
fn as_written(data_type: DataType, inferred: &ReadAs, points: Points) -> ReadAs {
    let is_day = matches!(data_type, DataType::Date | DataType::TIMESTAMP);
    match inferred {
        ReadAs::Date(order) | ReadAs::Timestamp(order) if is_day && *order != DateOrder::Ymd => {
            ReadAs::Written(data_type, Writing::Dates(*order))
        }
        ReadAs::FloatComma if data_type.is_numeric() => ReadAs::Written(data_type, Writing::Comma),
        _ if data_type.is_numeric() && points == Points::Comma => {
            ReadAs::Written(data_type, Writing::Comma)
        }
        _ => ReadAs::Cast(data_type),
    }
}

fn by_pattern(data_type: DataType, patterns: &Patterns) -> Option<ReadAs> {
    let pattern = match data_type {
        DataType::Date => patterns.date.as_ref(),
        DataType::Timestamp { .. } => patterns.timestamp.as_ref(),
        _ => None,
    }?;
    Some(ReadAs::Pattern(data_type, pattern.clone()))
}

fn same_name(column: &str, given: &str) -> bool {
    column == given || column.to_lowercase() == given.to_lowercase()
}

/// A column for each name of a `name=value` folder.
pub(super) fn add_folders(set: &mut FileSet, table: &TableOptions) {
    let paths: Vec<&str> = set.files.iter().map(|file| file.path.as_str()).collect();
    let names: Vec<&str> = set.columns.iter().map(|column| column.name.as_str()).collect();
    for (name, data_type) in folders(&paths, &names, table) {
        set.columns.push(FileColumn { name, data_type, origin: Origin::Folder });
        set.files.iter_mut().for_each(|file| file.places.push(None));
    }
}

/// The names of `name=value` folders that no column has, and their types: an integer where all values
/// are.
pub(super) fn folders(
    paths: &[&str],
    columns: &[&str],
    table: &TableOptions,
) -> Vec<(String, DataType)> {
    let mut found: Vec<(String, DataType)> = Vec::new();
    if table.hive_partitioning == Some(false) {
        return found;
    }
    let all: Vec<Vec<(String, Option<String>)>> =
        paths.iter().map(|path| folder_values(path)).collect();
    let Some(names) = all.first() else { return found };
    for (name, _) in names {
        let taken = columns.iter().any(|column| same_name(column, name))
            || found.iter().any(|(known, _)| same_name(known, name));
        let everywhere = all.iter().all(|values| values.iter().any(|(found, _)| found == name));
        if taken || !everywhere {
            continue;
        }
        let mut candidates = Candidates::any(Points::Point);
        let values = all.iter().flatten().filter(|(found, _)| found == name);
        for value in values.filter_map(|(_, value)| value.as_ref()) {
            candidates.narrow_by_word(value.as_bytes());
        }
        let data_type = match candidates.read_as(&Patterns::default()) {
            ReadAs::Integer => DataType::Int64,
            ReadAs::Date(DateOrder::Ymd) => DataType::Date,
            _ => DataType::Utf8,
        };
        found.push((name.clone(), data_type));
    }
    found
}

pub(super) fn add_file_name(set: &mut FileSet, table: &TableOptions) -> Result<()> {
    let Some(name) = &table.filename else { return Ok(()) };
    if set.columns.iter().any(|column| same_name(&column.name, name)) {
        return Err(Error::invalid(format!("the files have a column \"{name}\" already"))
            .with_hint("give the column of paths another name: filename => 'path'"));
    }
    let (name, data_type) = (name.clone(), DataType::Utf8);
    set.columns.push(FileColumn { name, data_type, origin: Origin::FileName });
    set.files.iter_mut().for_each(|file| file.places.push(None));
    Ok(())
}
