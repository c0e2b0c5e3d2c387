//! Files whose columns have types of their own (Arrow, Parquet) as one table, and their arrays as
//! those of that table.
//!
//! The first file's columns are the table's; in later files they are found by name, also in another
//! case, and their types meet as those of a CASE do. A column that has no value in a file has no say
//! there where its type does not fit; text takes all others where `union_by_name` says that files may
//! differ. Must not know formats.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, StringArray, new_null_array};
use arrow::datatypes::{DataType as ArrowType, Decimal128Type};
use hashbrown::HashMap;

use super::column_names::check_column_count;
use super::conform::conform;
use super::rows::{constant, folder_value};
use super::table_of_files::{TableOptions, add_file_name, add_folders};
use crate::catalog::NewField;
use crate::catalog::files::{
    FileColumn, FileComments, FileSet, ForeignFile, Layout, Origin, Reading,
};
use crate::types::{DataType, Error, Result, Value, cast};

/// A file and its columns.
#[derive(Debug)]
pub(super) struct StoredFile {
    pub(super) path: String,
    pub(super) layout: Layout,
    pub(super) columns: Vec<StoredColumn>,
}

/// A column of a file.
#[derive(Debug)]
pub(super) struct StoredColumn {
    pub(super) name: String,
    pub(super) values: StoredValues,
}

/// What a file holds of a column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum StoredValues {
    /// Values of a type.
    Typed(DataType),
    /// Nothing but NULL, of a type that gives way where it does not fit.
    Nulls(DataType),
    /// Nothing but NULL, of no type: this one if no file has another.
    Untyped(DataType),
    /// It cannot be read, for this reason.
    Unreadable(String),
}

/// A column of the table as it takes shape.
#[derive(Debug)]
struct Meeting {
    name: String,
    /// The common type of all values.
    data_type: Option<DataType>,
    /// The types of files without a value.
    nulls: Vec<DataType>,
    untyped: Option<DataType>,
    unreadable: Option<String>,
}

/// Files as one table.
///
/// # Errors
/// `Invalid` or `Type` when they do not fit together.
pub(super) fn combine(
    files: Vec<StoredFile>,
    table: &TableOptions,
    comments: FileComments,
) -> Result<FileSet> {
    let first_path = files.first().map_or_else(String::new, |file| file.path.clone());
    let mut columns: Vec<Meeting> = Vec::new();
    let mut set = FileSet {
        files: Vec::with_capacity(files.len()),
        columns: Vec::new(),
        reading: Reading::default(),
        is_sampled: false,
        comments,
    };
    for (file_idx, StoredFile { path, layout, columns: own }) in files.into_iter().enumerate() {
        let mut places = vec![None; columns.len()];
        let known = if file_idx == 0 { vec![None; own.len()] } else { find(&own, &columns) };
        for (place, (StoredColumn { name, values }, known)) in
            own.into_iter().zip(known).enumerate()
        {
            let index = match known {
                Some(index) => index,
                None if file_idx > 0 && !table.union_by_name => {
                    return Err(Error::invalid(format!(
                        "{path} has a column \"{name}\" that {first_path} does not have"
                    ))
                    .with_hint("union_by_name => true takes the columns of all files"));
                }
                None => {
                    columns.push(Meeting::new(name));
                    places.push(None);
                    columns.len() - 1
                }
            };
            columns[index].meet(values, (&path, &first_path), table.union_by_name)?;
            places[index] = Some(place);
        }
        set.files.push(ForeignFile { path, layout, places });
    }
    check_column_count(&first_path, columns.len())?;
    set.columns = columns.into_iter().map(Meeting::column).collect();
    for file in &mut set.files {
        file.places.resize(set.columns.len(), None);
    }
    add_folders(&mut set, table);
    add_file_name(&mut set, table)?;
    Ok(set)
}

/// For each column of a file, the table's: by its name, otherwise by its name in another case. No two
/// are the same.
fn find(own: &[StoredColumn], columns: &[Meeting]) -> Vec<Option<usize>> {
    let mut exact: HashMap<&str, usize> = HashMap::new();
    let mut folded: HashMap<String, Vec<usize>> = HashMap::new();
    for (index, column) in columns.iter().enumerate() {
        exact.entry(&column.name).or_insert(index);
        folded.entry(column.name.to_lowercase()).or_default().push(index);
    }
    let mut is_taken = vec![false; columns.len()];
    let mut found: Vec<Option<usize>> = Vec::with_capacity(own.len());
    for column in own {
        let index = exact.get(column.name.as_str()).copied().filter(|index| !is_taken[*index]);
        if let Some(index) = index {
            is_taken[index] = true;
        }
        found.push(index);
    }
    for (column, found) in own.iter().zip(&mut found).filter(|(_, found)| found.is_none()) {
        let alike = folded.get(&column.name.to_lowercase()).into_iter().flatten();
        *found = alike.copied().find(|index| !is_taken[*index]);
        if let Some(index) = *found {
            is_taken[index] = true;
        }
    }
    found
}

impl Meeting {
    fn new(name: String) -> Meeting {
        Meeting { name, data_type: None, nulls: Vec::new(), untyped: None, unreadable: None }
    }

    /// Takes what the file at `path` has of the column.
    fn meet(
        &mut self,
        values: StoredValues,
        (path, first_path): (&str, &str),
        becomes_text: bool,
    ) -> Result<()> {
        match values {
            StoredValues::Typed(own) => {
                let known = *self.data_type.get_or_insert(own);
                let common = wider(known, own)
                    .or_else(|| text_of(known, own).filter(|_| becomes_text))
                    .ok_or_else(|| misfit(&self.name, own, known, path))?;
                self.data_type = Some(common);
            }
            StoredValues::Nulls(own) => self.nulls.push(own),
            StoredValues::Untyped(own) => self.untyped = Some(own),
            StoredValues::Unreadable(reason) if path == first_path => {
                self.unreadable = Some(reason);
            }
            StoredValues::Unreadable(reason) => {
                self.unreadable.get_or_insert_with(|| format!("{reason} (in {path})"));
            }
        }
        Ok(())
    }

    fn column(self) -> FileColumn {
        let Meeting { name, data_type, nulls, untyped, unreadable } = self;
        if let Some(reason) = unreadable {
            return FileColumn {
                name,
                data_type: DataType::Null,
                origin: Origin::Unreadable(reason),
            };
        }
        let data_type = nulls.into_iter().fold(data_type, |found, own| {
            Some(found.map_or(own, |found| wider(found, own).unwrap_or(found)))
        });
        let data_type = data_type.or(untyped).unwrap_or(DataType::Utf8);
        FileColumn { name, data_type, origin: Origin::Stored }
    }
}

/// Text where one of the types is that and the values of the other are written as text.
fn text_of(one: DataType, other: DataType) -> Option<DataType> {
    let is_written = |data_type: DataType| {
        use DataType::{Bool, Date, Time, Timestamp};
        data_type.is_numeric() || matches!(data_type, Bool | Date | Time(_) | Timestamp { .. })
    };
    match (one, other) {
        (DataType::Utf8, other) | (other, DataType::Utf8) if is_written(other) => {
            Some(DataType::Utf8)
        }
        _ => None,
    }
}

fn misfit(name: &str, own: DataType, known: DataType, path: &str) -> Error {
    let hint = match text_of(own, known) {
        Some(_) => "union_by_name => true makes text of both",
        None => "load the files one by one, with a cast",
    };
    Error::type_mismatch(format!(
        "{path}: column \"{name}\" is of type {own}, but of type {known} in the files before"
    ))
    .with_hint(hint)
}

/// The type that takes the values of both, as in a CASE.
fn wider(one: DataType, other: DataType) -> Option<DataType> {
    use DataType::{Date, Decimal, Float32, Float64, Int16, Int32, Int64, Time, Timestamp, UInt64};
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
            if one == UInt64 || other == UInt64 {
                Decimal { precision: 20, scale: 0 }
            } else if bytes(one) < bytes(other) {
                other
            } else {
                one
            }
        }
        (Float32 | Float64, other) | (other, Float32 | Float64) if other.is_numeric() => Float64,
        (one, other) if one.is_numeric() && other.is_numeric() => wider_decimal(one, other),
        (Date, stamp @ Timestamp { zoned: false, .. })
        | (stamp @ Timestamp { zoned: false, .. }, Date) => stamp,
        (Time(one), Time(other)) => Time(one.max(other)),
        (Timestamp { unit, zoned }, Timestamp { unit: other, zoned: also }) if zoned == also => {
            Timestamp { unit: unit.max(other), zoned }
        }
        _ => return None,
    })
}

/// Digits enough for both, as far as there are: a value that needs more is an error when it is read.
fn wider_decimal(one: DataType, other: DataType) -> DataType {
    let parts = |data_type| match data_type {
        DataType::Decimal { precision, scale } => (precision - scale, scale),
        DataType::Int8 | DataType::UInt8 => (3, 0),
        DataType::Int16 | DataType::UInt16 => (5, 0),
        DataType::Int32 | DataType::UInt32 => (10, 0),
        DataType::UInt64 => (20, 0),
        _ => (19, 0),
    };
    let ((whole, scale), (other_whole, other_scale)) = (parts(one), parts(other));
    let scale = scale.max(other_scale);
    DataType::Decimal { precision: (whole.max(other_whole) + scale).min(38), scale }
}

/// What is to be read of a file.
#[derive(Debug)]
pub(super) struct StoredRead<'a> {
    set: &'a FileSet,
    file: &'a ForeignFile,
    columns: &'a [usize],
    projection: Vec<usize>,
}

impl<'a> StoredRead<'a> {
    /// The columns at `columns` of the file at `file_idx`.
    ///
    /// # Errors
    /// `Unsupported` when one of them cannot be read.
    pub(super) fn new(
        set: &'a FileSet,
        file_idx: usize,
        columns: &'a [usize],
    ) -> Result<StoredRead<'a>> {
        let file = &set.files[file_idx];
        for FileColumn { name, origin, .. } in columns.iter().map(|column| &set.columns[*column]) {
            if let Origin::Unreadable(reason) = origin {
                let path = &file.path;
                return Err(Error::unsupported(format!("{path}: column {name:?} is {reason}")));
            }
        }
        let mut projection: Vec<usize> =
            columns.iter().filter_map(|column| file.places[*column]).collect();
        projection.sort_unstable();
        projection.dedup();
        Ok(StoredRead { set, file, columns, projection })
    }

    /// The file's columns that are needed, ascending.
    pub(super) fn projection(&self) -> &[usize] {
        &self.projection
    }

    /// The table's columns, from `row_count` rows of those of the [projection](Self::projection).
    ///
    /// # Errors
    /// `OutOfRange` for a value that is none of the common type, `Type` for one of another type.
    pub(super) fn arrays(&self, stored: &[ArrayRef], row_count: usize) -> Result<Vec<ArrayRef>> {
        let path = &self.file.path;
        let array = |column_idx: &usize| {
            let column = &self.set.columns[*column_idx];
            match (&column.origin, self.file.places[*column_idx]) {
                (Origin::FileName, _) => constant(path, column.data_type, row_count),
                (Origin::Folder, _) => {
                    folder_value(path, &column.name, column.data_type, row_count)
                }
                (_, Some(place)) => {
                    let at = self.projection.binary_search(&place).unwrap_or(0);
                    ours(&stored[at], column).map_err(|error| error.context(path))
                }
                (_, None) => Ok(new_null_array(&column.data_type.to_arrow(), row_count)),
            }
        };
        self.columns.iter().map(array).collect()
    }
}

/// An array as it is carried here.
fn ours(array: &ArrayRef, column: &FileColumn) -> Result<ArrayRef> {
    let plain = match array.data_type() {
        ArrowType::Dictionary(_, values) => cast(array, values)?,
        ArrowType::RunEndEncoded(_, values) => cast(array, values.data_type())?,
        _ => Arc::clone(array),
    };
    let plain = match plain.data_type() {
        ArrowType::Duration(_) => cast(&plain, &ArrowType::Int64)?,
        _ => plain,
    };
    let wanted = column.data_type.to_arrow();
    if *plain.data_type() == wanted {
        return match column.data_type {
            DataType::Float32 | DataType::Float64 => conform(&plain, &field(column)),
            DataType::Decimal { precision, .. } => within(precision, plain, &column.name),
            _ => Ok(plain),
        };
    }
    if plain.logical_null_count() == plain.len() {
        return Ok(new_null_array(&wanted, plain.len()));
    }
    match DataType::from_arrow(plain.data_type())? {
        found if column.data_type == DataType::Utf8 && found != DataType::Utf8 => {
            texts(&plain, found)
        }
        _ => conform(&plain, &field(column)),
    }
}

/// The decimals, if none has more digits than its type. A file may claim what it likes.
fn within(precision: u8, decimals: ArrayRef, name: &str) -> Result<ArrayRef> {
    let valid = decimals.as_primitive::<Decimal128Type>().validate_decimal_precision(precision);
    match valid {
        Ok(()) => Ok(decimals),
        Err(_) => Err(Error::corrupt(format!(
            "column \"{name}\": a decimal has more than {precision} digits"
        ))),
    }
}

/// Values of type `found` as a cast to text writes them.
fn texts(values: &ArrayRef, found: DataType) -> Result<ArrayRef> {
    let values = cast(values, &found.to_arrow())?;
    let text = |row| match Value::from_array(&values, found, row) {
        Value::Null => None,
        value => Some(value.to_text(found)),
    };
    Ok(Arc::new((0..values.len()).map(text).collect::<StringArray>()))
}

fn field(column: &FileColumn) -> NewField {
    NewField { name: column.name.clone(), data_type: column.data_type, nullable: true }
}

#[cfg(test)]
mod tests {
    use super::StoredValues::{Nulls, Typed, Unreadable, Untyped};
    use super::*;
    use crate::types::TimeUnit;

    /// A table of files, each written as names and what they hold.
    fn table(files: &[&[(&str, StoredValues)]], union_by_name: bool) -> Result<FileSet> {
        let file = |(index, columns): (usize, &&[(&str, StoredValues)])| StoredFile {
            path: format!("f{index}"),
            layout: Layout::Arrow,
            columns: columns
                .iter()
                .map(|(name, values)| StoredColumn {
                    name: (*name).to_owned(),
                    values: values.clone(),
                })
                .collect(),
        };
        let files = files.iter().enumerate().map(file).collect();
        let options = TableOptions { union_by_name, ..TableOptions::default() };
        combine(files, &options, FileComments::default())
    }

    fn described(set: &FileSet) -> Vec<String> {
        set.columns.iter().map(|column| format!("{} {}", column.name, column.data_type)).collect()
    }

    #[test]
    fn numbers_and_times_meet_as_in_a_case() {
        use DataType::{Date, Decimal, Float32, Float64, Int8, Int16, Int64, UInt8, UInt64, Utf8};
        let decimal = |precision, scale| Decimal { precision, scale };
        let stamp = |unit| DataType::Timestamp { unit, zoned: false };
        let cases = [
            (UInt8, Int8, Some(Int16)),
            (UInt64, Int64, Some(decimal(20, 0))),
            (Float32, Float64, Some(Float64)),
            (Int64, Float32, Some(Float64)),
            (decimal(10, 4), Float64, Some(Float64)),
            (decimal(10, 2), decimal(8, 4), Some(decimal(12, 4))),
            (decimal(38, 2), decimal(38, 8), Some(decimal(38, 8))),
            (decimal(9, 2), Int64, Some(decimal(21, 2))),
            (
                stamp(TimeUnit::Second),
                stamp(TimeUnit::Nanosecond),
                Some(stamp(TimeUnit::Nanosecond)),
            ),
            (Date, DataType::TIMESTAMP, Some(DataType::TIMESTAMP)),
            (Utf8, Int64, None),
            (
                stamp(TimeUnit::Second),
                DataType::Timestamp { unit: TimeUnit::Second, zoned: true },
                None,
            ),
        ];
        for (one, other, expected) in cases {
            assert_eq!(wider(one, other), expected, "{one} and {other}");
            assert_eq!(wider(other, one), expected, "{other} and {one}");
        }
    }

    #[test]
    fn columns_without_a_value_give_way() -> Result<()> {
        let (text, number) = (DataType::Utf8, DataType::Int32);
        let set = table(
            &[
                &[("a", Nulls(number)), ("b", Untyped(number)), ("c", Nulls(DataType::Int64))],
                &[("a", Typed(text)), ("b", Typed(text)), ("c", Typed(number))],
            ],
            false,
        )?;
        assert_eq!(described(&set), ["a text", "b text", "c bigint"]);
        let set = table(&[&[("a", Nulls(number)), ("b", Untyped(text))]], false)?;
        assert_eq!(described(&set), ["a integer", "b text"]);
        Ok(())
    }

    #[test]
    fn columns_are_found_by_name_in_any_order_and_case() -> Result<()> {
        let number = || Typed(DataType::Int64);
        let set = table(
            &[
                &[("a", number()), ("B", number()), ("A", number())],
                &[("A", number()), ("b", number())],
            ],
            false,
        )?;
        assert_eq!(set.files[1].places, [None, Some(1), Some(0)]);
        let surplus: [&[_]; 2] = [&[("a", number())], &[("z", number()), ("a", number())]];
        let error = table(&surplus, false).unwrap_err();
        assert!(error.message().contains("f1 has a column \"z\""), "{error}");
        let set = table(&surplus, true)?;
        assert_eq!(described(&set), ["a bigint", "z bigint"]);
        assert_eq!(set.files[0].places, [Some(0), None]);
        assert_eq!(set.files[1].places, [Some(1), Some(0)]);
        Ok(())
    }

    #[test]
    fn what_cannot_be_read_or_does_not_fit_is_named_with_its_file() -> Result<()> {
        let set = table(
            &[&[("a", Typed(DataType::Int64))], &[("a", Unreadable("a list".into()))]],
            false,
        )?;
        assert_eq!(set.columns[0].origin, Origin::Unreadable("a list (in f1)".into()));
        let error = StoredRead::new(&set, 0, &[0]).unwrap_err();
        assert!(error.message().contains("column \"a\" is a list (in f1)"), "{error}");
        let error =
            table(&[&[("a", Typed(DataType::Int64))], &[("a", Typed(DataType::Utf8))]], false);
        let error = error.unwrap_err();
        assert!(error.message().starts_with("f1: column \"a\" is of type text"), "{error}");
        Ok(())
    }

    #[test]
    fn text_takes_what_is_written_as_text_where_files_may_differ() -> Result<()> {
        use DataType::{Binary, Date, Int64, Utf8};
        for (first, second) in [(Int64, Utf8), (Utf8, Date), (DataType::Bool, Utf8)] {
            let files: [&[_]; 2] = [&[("a", Typed(first))], &[("a", Typed(second))]];
            assert!(table(&files, false).is_err());
            assert_eq!(described(&table(&files, true)?), ["a text"]);
        }
        assert!(table(&[&[("a", Typed(Binary))], &[("a", Typed(Utf8))]], true).is_err());
        let dates: ArrayRef = Arc::new(arrow::array::Date32Array::from(vec![Some(1), None]));
        let written = texts(&dates, Date)?;
        assert_eq!(written.as_string::<i32>().value(0), "1970-01-02");
        assert!(written.is_null(1));
        Ok(())
    }

    #[test]
    fn a_decimal_with_more_digits_than_its_type_is_refused() -> Result<()> {
        let decimals = |value| -> Result<ArrayRef> {
            let array = arrow::array::Decimal128Array::from(vec![Some(value), None]);
            Ok(Arc::new(array.with_precision_and_scale(4, 2)?))
        };
        assert!(within(4, decimals(9_999)?, "a").is_ok());
        let error = within(4, decimals(10_000)?, "a").unwrap_err();
        assert!(error.message().contains("column \"a\""), "{error}");
        Ok(())
    }
}
