//! Foreign files read row by row as one table: what there is to know of them before they are read.
//!
//! A [`FileSet`] is inert data. Whoever opens the files makes it (dialects sniffed, types inferred),
//! plans carry it, and whoever reads the rows follows it to the letter, so that both ends agree. Must
//! not know how files are read.

use std::fmt;

use crate::types::{DataType, TimeUnit};

/// Files as one table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileSet {
    /// The files, in order.
    pub files: Vec<ForeignFile>,
    /// The table's columns.
    pub columns: Vec<FileColumn>,
    /// How text is read.
    pub reading: Reading,
    /// Whether the types were inferred from a sample, so that a value beyond it may not fit.
    pub is_sampled: bool,
    /// What the first file says about its columns.
    pub comments: FileComments,
}

/// What a file says about itself, under the key [`FileComments::KEY`] of its Arrow schema and of the
/// fields of that.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FileComments {
    /// About all of it.
    pub table: Option<String>,
    /// About columns, by their names.
    pub columns: Vec<(String, String)>,
}

impl FileComments {
    /// The key of a comment.
    pub const KEY: &str = "comment";

    /// Those in a schema.
    pub fn of_schema(schema: &arrow::datatypes::Schema) -> FileComments {
        let of_field = |field: &arrow::datatypes::FieldRef| {
            Some((field.name().clone(), field.metadata().get(FileComments::KEY)?.clone()))
        };
        FileComments {
            table: schema.metadata().get(FileComments::KEY).cloned(),
            columns: schema.fields().iter().filter_map(of_field).collect(),
        }
    }

    /// About the column called `name`.
    pub fn column(&self, name: &str) -> Option<&str> {
        let found = self.columns.iter().find(|(column, _)| column == name);
        found.map(|(_, comment)| comment.as_str())
    }
}

/// One of the files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ForeignFile {
    /// Its path.
    pub path: String,
    /// What it holds.
    pub layout: Layout,
    /// For each column of the table, where it is in this file; NULL where it is not.
    pub places: Vec<Option<usize>>,
}

/// How a file is laid out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Layout {
    /// Delimited text.
    Csv(CsvLayout),
    /// JSON; the places are those of `paths`.
    Json(JsonLayout),
    /// An Arrow IPC file or stream.
    Arrow,
    /// A Parquet file.
    Parquet {
        /// Whether byte columns that nobody annotated are text.
        binary_as_string: bool,
    },
    /// A worksheet.
    Sheet(SheetLayout),
}

/// Delimited text from the first row of data on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CsvLayout {
    /// What separates what.
    pub dialect: Dialect,
    /// Where the first row of data begins, in bytes of UTF-8 text.
    pub data_offset: u64,
    /// Fields that a row has.
    pub field_count: usize,
}

/// What separates records and fields.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Dialect {
    /// Between fields.
    pub delimiter: Delimiter,
    /// Around fields that contain what separates.
    pub quote: Option<u8>,
    /// Before a quote within quotes; the quote itself when it is doubled.
    pub escape: Option<u8>,
    /// What a line begins with that is no record.
    pub comment: Option<u8>,
    /// What ends a record.
    pub newline: Newline,
    /// Whether blanks may stand between a delimiter and a quote.
    pub blanks_around_quotes: bool,
}

impl Default for Dialect {
    /// RFC 4180.
    fn default() -> Dialect {
        Dialect {
            delimiter: Delimiter::COMMA,
            quote: Some(b'"'),
            escape: Some(b'"'),
            comment: None,
            newline: Newline::Lf,
            blanks_around_quotes: false,
        }
    }
}

/// One to four bytes between fields.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Delimiter {
    /// Zeros behind the last.
    bytes: [u8; 4],
    len: u8,
}

impl Delimiter {
    /// `,`
    pub const COMMA: Delimiter = Delimiter::byte(b',');

    /// One byte, which is ASCII.
    pub const fn byte(byte: u8) -> Delimiter {
        assert!(byte.is_ascii());
        Delimiter { bytes: [byte, 0, 0, 0], len: 1 }
    }

    /// `None` unless the text has one to four bytes, none of which ends a line.
    pub fn new(text: &str) -> Option<Delimiter> {
        let ends_lines = text.contains(['\n', '\r']);
        let mut bytes = [0; 4];
        bytes.get_mut(..text.len())?.copy_from_slice(text.as_bytes());
        let len = u8::try_from(text.len()).ok().filter(|len| *len > 0 && !ends_lines)?;
        Some(Delimiter { bytes, len })
    }

    /// Its bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes[..usize::from(self.len)]
    }

    /// As text.
    ///
    /// # Panics
    /// Never: it was made of text.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(self.as_bytes()).expect("delimiters are made of text")
    }

    /// The first byte.
    pub fn first(self) -> u8 {
        self.bytes[0]
    }

    /// Whether there is no other byte than the first.
    pub fn is_byte(self) -> bool {
        self.len == 1
    }
}

impl fmt::Debug for Delimiter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_str().fmt(f)
    }
}

/// What ends a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Newline {
    /// A line feed, with or without a carriage return before it.
    Lf,
    /// A carriage return.
    Cr,
    /// Either, or both in this order.
    Any,
}

/// JSON values that are rows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JsonLayout {
    /// How the values are strung together.
    pub framing: JsonFraming,
    /// Where the first value begins.
    pub offset: u64,
    /// Each column's keys, outermost first; none for a row that is the value itself.
    pub paths: Vec<Vec<String>>,
    /// Whether these are meant to be all keys that there are.
    pub is_complete: bool,
}

/// How JSON values are strung together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JsonFraming {
    /// A value per line.
    Lines,
    /// Values with blanks between them, over any number of lines.
    Values,
    /// One array of values.
    Array,
}

/// Cells of a worksheet. Rows and columns are counted from 0.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SheetLayout {
    /// Its name.
    pub sheet: String,
    /// The first row of data.
    pub first_row: usize,
    /// Rows of data.
    pub row_count: usize,
    /// The first column.
    pub first_column: usize,
    /// Columns from there on.
    pub column_count: usize,
    /// Whether a cell that holds an error, or no value of the type asked for, is NULL.
    pub errors_are_null: bool,
}

/// A column of the table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileColumn {
    /// Name.
    pub name: String,
    /// Type.
    pub data_type: DataType,
    /// Where its values come from.
    pub origin: Origin,
}

/// Where a column's values come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// Cells of the files.
    Cells(ReadAs),
    /// Values that the files have a type for.
    Stored,
    /// The path of the file.
    FileName,
    /// The value of `name=value` in the path.
    Folder,
    /// It cannot be read, for this reason.
    Unreadable(String),
}

/// How the text of a cell becomes a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ReadAs {
    /// There was none to see; the first one decides.
    Nothing,
    /// `true`, `f`, `yes`, ….
    Bool,
    /// An integer of 64 bits.
    Integer,
    /// An integer of up to 38 digits.
    Large,
    /// A number with a point.
    Float,
    /// A number with a comma for a point.
    FloatComma,
    /// A time of day.
    Time,
    /// A date.
    Date(DateOrder),
    /// A date and perhaps a time of day.
    Timestamp(DateOrder),
    /// The same with more than six digits behind the second.
    Nanoseconds,
    /// A date and time with a zone.
    Zoned,
    /// Any text.
    Text,
    /// As a cast from text to the type does.
    Cast(DataType),
    /// The same, of values written in a way that a cast does not read.
    Written(DataType, Writing),
    /// By a pattern of `strftime`.
    Pattern(DataType, String),
    /// The same where the values fit the pattern and nobody gave the type.
    PatternFound(DataType, String),
}

impl ReadAs {
    /// The type of the values.
    pub fn data_type(&self) -> DataType {
        match self {
            ReadAs::Bool => DataType::Bool,
            ReadAs::Integer => DataType::Int64,
            ReadAs::Large => DataType::Decimal { precision: 38, scale: 0 },
            ReadAs::Float | ReadAs::FloatComma => DataType::Float64,
            ReadAs::Time => DataType::Time(TimeUnit::Microsecond),
            ReadAs::Date(_) => DataType::Date,
            ReadAs::Timestamp(_) => DataType::TIMESTAMP,
            ReadAs::Nanoseconds => DataType::Timestamp { unit: TimeUnit::Nanosecond, zoned: false },
            ReadAs::Zoned => DataType::Timestamp { unit: TimeUnit::Microsecond, zoned: true },
            ReadAs::Nothing | ReadAs::Text => DataType::Utf8,
            ReadAs::Cast(data_type)
            | ReadAs::Written(data_type, _)
            | ReadAs::Pattern(data_type, _)
            | ReadAs::PatternFound(data_type, _) => *data_type,
        }
    }

    /// Whether the type was asked for, so that a value which does not fit is wrong.
    pub fn is_given(&self) -> bool {
        matches!(self, ReadAs::Cast(_) | ReadAs::Written(..) | ReadAs::Pattern(..))
    }
}

/// How values are written that a cast from text does not read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Writing {
    /// Numbers with a comma for a point.
    Comma,
    /// Dates, perhaps with a time, whose parts are in this order.
    Dates(DateOrder),
}

/// The order of a date's parts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DateOrder {
    /// Year, month, day.
    Ymd,
    /// Day, month, year.
    Dmy,
    /// Month, day, year.
    Mdy,
}

/// How text is read, the same for all files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reading {
    /// How characters are bytes.
    pub encoding: Encoding,
    /// How bytes were compressed.
    pub compression: Compression,
    /// What may stand before the fraction of a number.
    pub points: Points,
    /// How values are written, if not in one of the usual ways.
    pub patterns: Patterns,
    /// What stands for NULL besides a cell that is empty and not quoted.
    pub nulls: Vec<String>,
    /// Whether an empty cell that is not quoted is NULL.
    pub empty_is_null: bool,
    /// Whether a quoted cell may stand for NULL.
    pub quoted_nulls: bool,
    /// Whether a row with too few fields is filled up with NULL.
    pub null_padding: bool,
    /// The longest record, in bytes.
    pub record_bytes_max: usize,
    /// Rows that may be left out for what is wrong with them; none when `None`.
    pub reject_limit: Option<u64>,
    /// Where rows that are left out are kept.
    pub rejects: Option<RejectsTo>,
}

/// Where rows that are left out are kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RejectsTo {
    /// A file of delimited text, by its path.
    File(String),
    /// A table of the database.
    Table {
        /// Its name.
        name: String,
        /// The path of the file by way of which the rows get there. Whoever loads the others tells it.
        way: Option<String>,
    },
}

impl Default for Reading {
    /// As PostgreSQL reads CSV.
    fn default() -> Reading {
        Reading {
            encoding: Encoding::Utf8,
            compression: Compression::Detect,
            points: Points::Point,
            patterns: Patterns::default(),
            nulls: Vec::new(),
            empty_is_null: true,
            quoted_nulls: false,
            null_padding: false,
            record_bytes_max: 16 << 20,
            reject_limit: None,
            rejects: None,
        }
    }
}

/// How values are written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Patterns {
    /// The pattern of `strftime` of dates.
    pub date: Option<String>,
    /// That of timestamps.
    pub timestamp: Option<String>,
    /// What may stand between groups of digits.
    pub thousands: Option<u8>,
}

/// How characters are bytes. A byte order mark of UTF-16 is believed in any case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    /// UTF-8.
    Utf8,
    /// UTF-16, little-endian unless a mark says otherwise.
    Utf16,
    /// ISO 8859-1.
    Latin1,
    /// Windows-1252, as Excel writes CSV in much of the world.
    Windows1252,
}

/// How a file is compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compression {
    /// As its first bytes say.
    Detect,
    /// Not at all.
    None,
    /// gzip.
    Gzip,
    /// Zstandard.
    Zstd,
}

/// What stands before the fraction of a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Points {
    /// A point.
    Point,
    /// A comma.
    Comma,
    /// The same of both in all of a column.
    Either,
}

/// More columns than these are not listed in a hint.
const LEFT_OUT_MAX: usize = 10;

/// How the columns of a file are had when those in `left_out` cannot be read, as a hint.
pub fn way_out(left_out: &[&str], column_count: usize) -> String {
    if left_out.len() > LEFT_OUT_MAX || left_out.len() == column_count {
        return "name the columns that can be read: SELECT a, b FROM the file".to_owned();
    }
    let quoted: Vec<String> =
        left_out.iter().map(|name| format!("\"{}\"", name.replace('"', "\"\""))).collect();
    let list = quoted.join(", ");
    format!("leave out what cannot be read: SELECT * EXCLUDE ({list}) FROM the file")
}
