//! How files are to be read: a format, and the options that a function or a COPY gives it.
//!
//! Names of options are DuckDB's. An option that a format does not have is refused by name.

use std::mem::discriminant;

use martlet_engine::catalog::files::{
    Compression, Delimiter, Encoding, JsonFraming, Newline, Points, Reading, RejectsTo,
};
use martlet_engine::ingest::csv::{CsvOptions, SAMPLE_ROWS};
use martlet_engine::ingest::json::JsonOptions;
use martlet_engine::ingest::{GivenTypes, SheetOptions, TableOptions};
use martlet_engine::types::{DataType, Error, Result};
use sqlparser::ast::{Expr, Ident};

use super::option_value::OptionValue;
use super::refuse::{position_of, unsupported};
use super::{FileNames, place};
use crate::files;
use crate::parse::position::start_of;
use crate::parse::{FileOption, NamedFiles};
use crate::suggest;

/// How files are read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum FileFormat {
    /// As their names or their first bytes say.
    Detect,
    /// Parquet.
    Parquet {
        /// Whether byte columns that nobody annotated are text.
        binary_as_string: bool,
        /// How files become a table.
        table: TableOptions,
    },
    /// Delimited text.
    Csv(Box<TextFormat>),
    /// JSON.
    Json(Box<TextFormat>),
    /// Arrow IPC.
    Arrow(TableOptions),
    /// Worksheets.
    Sheet(Box<SheetFormat>),
}

/// How worksheets are read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct SheetFormat {
    pub(crate) sheet: SheetOptions,
    pub(crate) table: TableOptions,
}

/// How text files are read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct TextFormat {
    pub(crate) csv: CsvOptions,
    pub(crate) json: JsonOptions,
    pub(crate) table: TableOptions,
    pub(crate) reading: Reading,
}

/// The options of all formats: how files become a table.
const TABLE_OPTIONS: [&str; 3] = ["union_by_name", "filename", "hive_partitioning"];
/// The other options of all text formats.
const TEXT_OPTIONS: [&str; 14] = [
    "columns",
    "types",
    "dateformat",
    "timestampformat",
    "compression",
    "encoding",
    "ignore_errors",
    "reject_limit",
    "rejects_file",
    "rejects_table",
    "max_line_size",
    "sample_size",
    "names",
    "all_varchar",
];
const CSV_OPTIONS: [&str; 14] = [
    "delim",
    "quote",
    "escape",
    "comment",
    "new_line",
    "header",
    "skip",
    "nullstr",
    "null_padding",
    "allow_quoted_nulls",
    "decimal_separator",
    "thousands",
    "auto_detect",
    "strict_mode",
];

const JSON_OPTIONS: [&str; 2] = ["format", "flatten"];

const SHEET_OPTIONS: [&str; 8] =
    ["sheet", "range", "header", "names", "types", "all_varchar", "ignore_errors", "stop_at_empty"];

/// Other names of options.
const ALIASES: [(&str, &str); 15] = [
    ("sep", "delim"),
    ("separator", "delim"),
    ("delimiter", "delim"),
    ("null", "nullstr"),
    ("date_format", "dateformat"),
    ("timestamp_format", "timestampformat"),
    ("dtypes", "types"),
    ("column_types", "types"),
    ("column_names", "names"),
    ("rejects_limit", "reject_limit"),
    ("maximum_line_size", "max_line_size"),
    ("maximum_object_size", "max_line_size"),
    ("newline", "new_line"),
    ("all_text", "all_varchar"),
    ("hive", "hive_partitioning"),
];

/// Files as the binder names them: FORMAT first, then the other options.
pub(crate) fn file_names(named: &NamedFiles) -> Result<FileNames> {
    let is_format = |option: &&FileOption| option.name.value.eq_ignore_ascii_case("format");
    let mut format = match named.options.iter().find(is_format) {
        None if named.options.is_empty() => FileFormat::Detect,
        None => files::detect(named.paths.first().map_or("", String::as_str))?,
        Some(option) => told_format(option)?,
    };
    for FileOption { name, value } in named.options.iter().filter(|option| !is_format(option)) {
        format.set(name, value.as_ref(), "of COPY")?;
    }
    if format.cast_types().is_some_and(|types| *types != GivenTypes::default()) {
        return Err(Error::unsupported("the option types of COPY is for text and worksheets")
            .with_hint("INSERT INTO t SELECT * FROM read_parquet('…', types => {'a': 'text'})"));
    }
    Ok(FileNames { patterns: named.paths.clone(), format })
}

/// `FORMAT csv`
pub(super) fn format_name(option: &FileOption) -> Result<String> {
    match &option.value {
        None => Ok(String::new()),
        Some(value) => OptionValue::of(value)?.text("format"),
    }
}

/// The format that FORMAT says.
fn told_format(option: &FileOption) -> Result<FileFormat> {
    let position = start_of(option.name.span);
    let name = format_name(option)?;
    FileFormat::named(&name).ok_or_else(|| {
        unsupported(&format!("the format \"{name}\""), position)
            .with_suggestions(suggest::nearest(&name, FORMATS.into_iter()))
            .with_hint(format!("there are {}", FORMATS.join(", ")))
    })
}

/// The names of formats.
const FORMATS: [&str; 6] = ["csv", "json", "jsonl", "parquet", "arrow", "excel"];

impl FileFormat {
    /// Parquet, with nothing said about it.
    pub(crate) fn parquet() -> FileFormat {
        FileFormat::Parquet { binary_as_string: false, table: TableOptions::default() }
    }

    /// The format called `name`.
    pub(crate) fn named(name: &str) -> Option<FileFormat> {
        Some(match name.to_ascii_lowercase().as_str() {
            "parquet" => FileFormat::parquet(),
            "csv" => FileFormat::Csv(Box::default()),
            "arrow" => FileFormat::Arrow(TableOptions::default()),
            "excel" | "xlsx" | "xlsm" | "xlsb" | "xls" | "ods" => FileFormat::Sheet(Box::default()),
            // How values are strung together is found out, also when the ending says lines.
            "json" | "jsonl" | "ndjson" => FileFormat::Json(Box::default()),
            _ => return None,
        })
    }

    /// Takes the option `name`; `of` ends the sentence that refuses another one.
    pub(crate) fn set(&mut self, name: &Ident, value: Option<&Expr>, of: &str) -> Result<()> {
        let position = start_of(name.span);
        let value_at = value.and_then(position_of).or(position);
        let lower = name.value.to_ascii_lowercase();
        let alias = ALIASES.iter().find(|(alias, _)| *alias == lower);
        let option = alias.map_or(lower.as_str(), |(_, option)| option);
        let value = match value {
            None => OptionValue::Bool(true),
            Some(value) => OptionValue::of(value)?,
        };
        let known = match self {
            FileFormat::Detect => Ok(false),
            FileFormat::Parquet { binary_as_string, .. } if option == "binary_as_string" => {
                value.boolean(option).map(|flag| {
                    *binary_as_string = flag;
                    true
                })
            }
            FileFormat::Parquet { table, .. } | FileFormat::Arrow(table) if option == "types" => {
                table.types.set(&value).map(|()| true)
            }
            FileFormat::Parquet { table, .. } | FileFormat::Arrow(table) => {
                set_table(table, option, &value)
            }
            FileFormat::Sheet(format) => format.set(option, &value),
            FileFormat::Csv(format) => format
                .set_common(option, &value)
                .and_then(|known| if known { Ok(true) } else { format.set_csv(option, &value) }),
            FileFormat::Json(format) => format
                .set_common(option, &value)
                .and_then(|known| if known { Ok(true) } else { format.set_json(option, &value) }),
        };
        if known.map_err(|error| place(error, value_at))? {
            return Ok(());
        }
        let names = self.options();
        let aliases = ALIASES.iter().filter(|(_, option)| names.contains(option));
        let near = names.iter().copied().chain(aliases.map(|(alias, _)| *alias));
        Err(unsupported(&format!("the option {} {of}", name.value), position)
            .with_suggestions(suggest::nearest(&name.value, near)))
    }

    /// The types that values of files with types of their own are cast to.
    pub(crate) fn cast_types(&self) -> Option<&GivenTypes> {
        match self {
            FileFormat::Parquet { table, .. } | FileFormat::Arrow(table) => Some(&table.types),
            _ => None,
        }
    }

    fn options(&self) -> Vec<&'static str> {
        match self {
            FileFormat::Detect => Vec::new(),
            FileFormat::Parquet { .. } => {
                [&["binary_as_string", "types"], &TABLE_OPTIONS[..]].concat()
            }
            FileFormat::Arrow(_) => [&["types"], &TABLE_OPTIONS[..]].concat(),
            FileFormat::Csv(_) => [&TEXT_OPTIONS[..], &TABLE_OPTIONS, &CSV_OPTIONS].concat(),
            FileFormat::Json(_) => [&TEXT_OPTIONS[..], &TABLE_OPTIONS, &JSON_OPTIONS].concat(),
            FileFormat::Sheet(_) => [&TABLE_OPTIONS[..], &SHEET_OPTIONS].concat(),
        }
    }
}

impl TextFormat {
    /// Takes an option that all text formats have; whether it is one.
    fn set_common(&mut self, option: &str, value: &OptionValue) -> Result<bool> {
        let TextFormat { table, reading, .. } = self;
        match option {
            "columns" => {
                let fields = value.types_by_name(option)?;
                self.csv.names = fields.iter().map(|(name, _)| name.clone()).collect();
                self.json.columns = Some(self.csv.names.clone());
                table.types.by_position = fields.iter().map(|(_, data_type)| *data_type).collect();
            }
            "names" => self.csv.names = value.texts(option)?,
            "dateformat" => reading.patterns.date = Some(pattern(value, option)?),
            "timestampformat" => reading.patterns.timestamp = Some(pattern(value, option)?),
            "compression" => {
                reading.compression = value.choice(
                    option,
                    &[
                        ("auto", Compression::Detect),
                        ("none", Compression::None),
                        ("gzip", Compression::Gzip),
                        ("zstd", Compression::Zstd),
                    ],
                )?;
            }
            "encoding" => {
                reading.encoding = value.choice(
                    option,
                    &[
                        ("utf-8", Encoding::Utf8),
                        ("utf8", Encoding::Utf8),
                        ("utf-16", Encoding::Utf16),
                        ("utf16", Encoding::Utf16),
                        ("latin-1", Encoding::Latin1),
                        ("latin1", Encoding::Latin1),
                        ("iso-8859-1", Encoding::Latin1),
                        ("windows-1252", Encoding::Windows1252),
                        ("cp1252", Encoding::Windows1252),
                    ],
                )?;
            }
            "ignore_errors" => {
                let ignores = value.boolean(option)?;
                reading.reject_limit = ignores.then_some(reading.reject_limit.unwrap_or(u64::MAX));
            }
            "reject_limit" => reading.reject_limit = Some(value.count(option)?),
            "rejects_file" => keep_rejects(reading, RejectsTo::File(value.text(option)?))?,
            "rejects_table" => {
                let name = value.text(option)?;
                keep_rejects(reading, RejectsTo::Table { name, way: None })?;
            }
            "max_line_size" => {
                let bytes = usize::try_from(value.count(option)?).unwrap_or(usize::MAX);
                // Cells count their bytes in 29 bits.
                reading.record_bytes_max = bytes.clamp(1, 256 << 20);
            }
            "sample_size" => {
                self.csv.sample_rows = match value {
                    OptionValue::Number(number) if number == "-1" => Some(usize::MAX),
                    other => Some(usize::try_from(other.count(option)?).unwrap_or(usize::MAX)),
                };
                self.json.sample_rows = self.csv.sample_rows;
            }
            _ => return set_typed_table(table, option, value),
        }
        Ok(true)
    }

    /// Takes an option of JSON; whether it is one.
    fn set_json(&mut self, option: &str, value: &OptionValue) -> Result<bool> {
        match option {
            "format" => {
                self.json.framing = value.choice(
                    option,
                    &[
                        ("auto", None),
                        ("lines", Some(JsonFraming::Lines)),
                        ("newline_delimited", Some(JsonFraming::Lines)),
                        ("array", Some(JsonFraming::Array)),
                        ("values", Some(JsonFraming::Values)),
                        ("unstructured", Some(JsonFraming::Values)),
                    ],
                )?;
            }
            "flatten" => self.json.flatten = value.boolean(option)?,
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// Takes an option of delimited text; whether it is one.
    fn set_csv(&mut self, option: &str, value: &OptionValue) -> Result<bool> {
        let TextFormat { csv, reading, table, json: _ } = self;
        match option {
            "delim" => {
                csv.delimiter = Some(value.delimiter(option)?);
            }
            "quote" => csv.quote = Some(value.byte(option)?),
            "escape" => csv.escape = Some(value.byte(option)?),
            "comment" => csv.comment = Some(value.byte(option)?),
            "new_line" => {
                csv.newline = Some(value.choice(
                    option,
                    &[
                        ("\\n", Newline::Lf),
                        ("\\r\\n", Newline::Lf),
                        ("\\r", Newline::Cr),
                        ("lf", Newline::Lf),
                        ("crlf", Newline::Lf),
                        ("cr", Newline::Cr),
                    ],
                )?);
            }
            "header" => csv.header = Some(value.boolean(option)?),
            "skip" => csv.skip = Some(value.count(option)?),
            "nullstr" => {
                reading.nulls = value.texts(option)?;
                // What stands for NULL is told: PostgreSQL then takes an empty cell for a text.
                reading.empty_is_null = reading.nulls.iter().any(String::is_empty)
                    || !matches!(value, OptionValue::Text(_));
            }
            "null_padding" => reading.null_padding = value.boolean(option)?,
            "allow_quoted_nulls" => reading.quoted_nulls = value.boolean(option)?,
            "decimal_separator" => {
                csv.points =
                    Some(value.choice(option, &[(".", Points::Point), (",", Points::Comma)])?);
            }
            "thousands" => {
                let mark = value.byte(option)?;
                if mark.is_some_and(|mark| mark.is_ascii_alphanumeric() || b"+-".contains(&mark)) {
                    return Err(Error::invalid("what stands between thousands is no part of them")
                        .with_hint("thousands => ','"));
                }
                reading.patterns.thousands = mark;
            }
            "auto_detect" => {
                if !value.boolean(option)? {
                    csv.delimiter.get_or_insert(Delimiter::COMMA);
                    csv.quote.get_or_insert(Some(b'"'));
                    csv.escape.get_or_insert(None);
                    csv.comment.get_or_insert(None);
                    csv.header.get_or_insert(false);
                    csv.sample_rows.get_or_insert(SAMPLE_ROWS);
                    table.types.all_text = true;
                }
            }
            "strict_mode" => {
                if !value.boolean(option)? {
                    return Err(Error::unsupported("strict_mode => false is not supported")
                        .with_hint(
                            "null_padding => true, quote => '' and reject_limit do its parts",
                        ));
                }
            }
            _ => return Ok(false),
        }
        Ok(true)
    }
}

/// Rows that are left out are kept there.
fn keep_rejects(reading: &mut Reading, to: RejectsTo) -> Result<()> {
    let is_other = |known: &RejectsTo| discriminant(known) != discriminant(&to);
    if reading.rejects.as_ref().is_some_and(is_other) {
        return Err(Error::invalid("rejected rows go to a file or to a table, not to both")
            .with_hint("name the table; COPY … TO 'bad.csv' makes a file of it"));
    }
    reading.rejects = Some(to);
    reading.reject_limit.get_or_insert(u64::MAX);
    Ok(())
}

impl SheetFormat {
    /// Takes an option of worksheets; whether it is one.
    fn set(&mut self, option: &str, value: &OptionValue) -> Result<bool> {
        let SheetFormat { sheet, table } = self;
        match option {
            "sheet" => sheet.sheet = Some(value.text(option)?),
            "range" => sheet.range = Some(value.text(option)?.parse()?),
            "header" => sheet.header = Some(value.boolean(option)?),
            "names" => sheet.names = value.texts(option)?,
            "ignore_errors" => sheet.errors_are_null = value.boolean(option)?,
            "stop_at_empty" => sheet.stop_at_empty = value.boolean(option)?,
            _ => return set_typed_table(table, option, value),
        }
        Ok(true)
    }
}

/// Takes an option of how files without types of their own become a table; whether it is one.
fn set_typed_table(table: &mut TableOptions, option: &str, value: &OptionValue) -> Result<bool> {
    match option {
        "types" => table.types.set(value)?,
        "all_varchar" => table.types.all_text = value.boolean(option)?,
        _ => return set_table(table, option, value),
    }
    Ok(true)
}

/// Takes an option that all formats have; whether it is one.
fn set_table(table: &mut TableOptions, option: &str, value: &OptionValue) -> Result<bool> {
    match option {
        "union_by_name" => table.union_by_name = value.boolean(option)?,
        "filename" => table.filename = file_name(value, option)?,
        "hive_partitioning" => table.hive_partitioning = Some(value.boolean(option)?),
        _ => return Ok(false),
    }
    Ok(true)
}

/// The name of the column of paths: told, or the usual one.
fn file_name(value: &OptionValue, option: &str) -> Result<Option<String>> {
    Ok(match value {
        OptionValue::Text(name) if !matches!(name.as_str(), "true" | "false") => Some(name.clone()),
        other => other.boolean(option)?.then(|| "filename".to_owned()),
    })
}

/// What a `types` option gives.
trait SetTypes {
    fn set(&mut self, value: &OptionValue) -> Result<()>;
}

impl SetTypes for GivenTypes {
    fn set(&mut self, value: &OptionValue) -> Result<()> {
        match value {
            OptionValue::List(_) => self.by_position = value.types("types")?,
            _ => self.by_name = value.types_by_name("types")?,
        }
        Ok(())
    }
}

/// A pattern that `strftime` knows.
fn pattern(value: &OptionValue, option: &str) -> Result<String> {
    let pattern = value.text(option)?;
    let items = chrono::format::StrftimeItems::new(&pattern);
    let has_error = items.into_iter().any(|item| matches!(item, chrono::format::Item::Error));
    if has_error || !pattern.contains('%') {
        return Err(Error::invalid(format!("\"{pattern}\" is no pattern of dates"))
            .with_hint(format!("write {option} => '%d.%m.%Y'")));
    }
    Ok(pattern)
}

/// A type by its name in SQL.
pub(super) fn type_named(name: &str) -> Result<DataType> {
    use sqlparser::parser::Parser;
    let unknown = || Error::unknown_name(format!("there is no type \"{name}\""));
    let mut parser =
        Parser::new(&crate::parse::MartletDialect).try_with_sql(name).map_err(|_| unknown())?;
    let data_type = parser.parse_data_type().map_err(|_| unknown())?;
    if parser.peek_token_ref().token != sqlparser::tokenizer::Token::EOF {
        return Err(unknown());
    }
    let bound = super::bind_data_type(&data_type, None)?;
    if bound == DataType::Interval {
        return Err(Error::unsupported("a column of type interval is not supported"));
    }
    Ok(bound)
}
