//! What `COPY … TO` writes: a format by the file's name or by FORMAT, and options.

use martlet_engine::catalog::files::Delimiter;
use martlet_engine::export::{Existing, ParquetCompression, ParquetStyle, TargetCompression};
use martlet_engine::types::{Error, Result};
use sqlparser::ast::Ident;

use super::file_format::format_name;
use super::option_value::OptionValue;
use super::place;
use super::refuse::{position_of, unsupported};
use crate::output::{CsvStyle, JsonStyle};
use crate::parse::position::start_of;
use crate::parse::{FileOption, NamedFiles};
use crate::suggest;

/// What is written, and where.
#[derive(Clone, Debug)]
pub(crate) struct ExportOptions {
    pub(crate) format: ExportFormat,
    /// Columns whose values are folders.
    pub(crate) partition_by: Vec<String>,
    /// What becomes of a folder that they go into and that is there already.
    pub(crate) existing: Existing,
}

/// A format and its options.
#[derive(Clone, Debug)]
pub(crate) enum ExportFormat {
    Csv(CsvStyle, TargetCompression),
    Json(JsonStyle, TargetCompression),
    Parquet(ParquetStyle),
    Arrow { is_stream: bool },
}

const FORMATS: [&str; 5] = ["csv", "json", "jsonl", "parquet", "arrow"];
const COMMON_OPTIONS: [&str; 4] = ["format", "partition_by", "overwrite", "overwrite_or_ignore"];

/// The options of a COPY to a file.
pub(crate) fn export_options(files: &NamedFiles) -> Result<ExportOptions> {
    let path = files.paths.first().map_or("", String::as_str);
    let is_format = |option: &&FileOption| option.name.value.eq_ignore_ascii_case("format");
    let told = files.options.iter().find(is_format);
    let (name, position) = match told {
        Some(option) => (format_name(option)?, start_of(option.name.span)),
        None => (ending(path).0.to_owned(), Some(files.position)),
    };
    let format = named(&name, path).ok_or_else(|| {
        unsupported(&format!("writing the format \"{name}\""), position)
            .with_suggestions(suggest::nearest(&name, FORMATS.into_iter()))
            .with_hint(format!("name it: (FORMAT csv); there are {}", FORMATS.join(", ")))
    })?;
    let mut options =
        ExportOptions { format, partition_by: Vec::new(), existing: Existing::Refused };
    for FileOption { name, value } in files.options.iter().filter(|option| !is_format(option)) {
        let position = value.as_ref().and_then(position_of).or_else(|| start_of(name.span));
        let value = match value {
            None => OptionValue::Bool(true),
            Some(value) => OptionValue::of(value)?,
        };
        options.set(name, &value).map_err(|error| place(error, position))?;
    }
    Ok(options)
}

/// The ending of a path without that of a compression, and whether it says one.
fn ending(path: &str) -> (&str, TargetCompression) {
    let (plain, compression) = match path.rsplit_once('.') {
        Some((plain, "gz")) => (plain, TargetCompression::Gzip),
        Some((plain, "zst")) => (plain, TargetCompression::Zstd),
        _ => (path, TargetCompression::None),
    };
    let name = plain.rsplit('/').next().unwrap_or(plain);
    (name.rsplit_once('.').map_or("", |(_, ending)| ending), compression)
}

fn named(name: &str, path: &str) -> Option<ExportFormat> {
    let compression = ending(path).1;
    let csv = |delimiter| {
        Some(ExportFormat::Csv(
            CsvStyle { delimiter, careful: true, ..CsvStyle::default() },
            compression,
        ))
    };
    let json =
        |lines| Some(ExportFormat::Json(JsonStyle { lines, special_as_text: true }, compression));
    match name.to_ascii_lowercase().as_str() {
        "csv" => csv(Delimiter::COMMA),
        "tsv" | "tab" => csv(Delimiter::byte(b'\t')),
        "psv" => csv(Delimiter::byte(b'|')),
        "json" => json(false),
        "jsonl" | "ndjson" => json(true),
        "parquet" | "parq" | "pq" => Some(ExportFormat::Parquet(ParquetStyle::default())),
        "arrow" | "feather" | "ipc" => Some(ExportFormat::Arrow { is_stream: false }),
        "arrows" => Some(ExportFormat::Arrow { is_stream: true }),
        _ => None,
    }
}

impl ExportOptions {
    fn set(&mut self, name: &Ident, value: &OptionValue) -> Result<()> {
        let option = match name.value.to_ascii_lowercase().as_str() {
            "delimiter" | "sep" | "separator" => "delim".to_owned(),
            "null" => "nullstr".to_owned(),
            other => other.to_owned(),
        };
        let known = match option.as_str() {
            "partition_by" => {
                self.partition_by = value.texts(&option)?;
                true
            }
            "overwrite" | "overwrite_or_ignore" => {
                let meant = match option.as_str() {
                    "overwrite" => Existing::Replaced,
                    _ => Existing::Extended,
                };
                if value.boolean(&option)? {
                    self.existing = meant;
                } else if self.existing == meant {
                    self.existing = Existing::Refused;
                }
                true
            }
            option => self.format.set(option, value)?,
        };
        if known {
            return Ok(());
        }
        let names = COMMON_OPTIONS.iter().chain(self.format.options()).copied();
        Err(unsupported(&format!("the option {} of COPY TO", name.value), start_of(name.span))
            .with_suggestions(suggest::nearest(&option, names)))
    }
}

impl ExportFormat {
    /// What the file number `part` of a folder is called.
    pub(crate) fn file_name(&self, part: u32) -> String {
        let ending = match self {
            ExportFormat::Csv(_, compression) => format!("csv{}", compressed(*compression)),
            ExportFormat::Json(_, compression) => format!("json{}", compressed(*compression)),
            ExportFormat::Parquet(_) => "parquet".to_owned(),
            ExportFormat::Arrow { is_stream: true } => "arrows".to_owned(),
            ExportFormat::Arrow { is_stream: false } => "arrow".to_owned(),
        };
        format!("data_{part}.{ending}")
    }

    fn options(&self) -> &'static [&'static str] {
        match self {
            ExportFormat::Csv(..) => &["delim", "quote", "header", "nullstr", "compression"],
            ExportFormat::Json(..) => &["array", "compression"],
            ExportFormat::Parquet(_) => &["compression", "row_group_size"],
            ExportFormat::Arrow { .. } => &["stream"],
        }
    }

    fn set(&mut self, option: &str, value: &OptionValue) -> Result<bool> {
        match (self, option) {
            (
                ExportFormat::Csv(_, compression) | ExportFormat::Json(_, compression),
                "compression",
            ) => {
                *compression = value.choice(
                    option,
                    &[
                        ("none", TargetCompression::None),
                        ("gzip", TargetCompression::Gzip),
                        ("zstd", TargetCompression::Zstd),
                    ],
                )?;
            }
            (ExportFormat::Csv(style, _), option) => return set_csv(style, option, value),
            (ExportFormat::Json(style, _), "array") => style.lines = !value.boolean(option)?,
            (ExportFormat::Parquet(style), "compression") => {
                style.compression = value.choice(
                    option,
                    &[
                        ("none", ParquetCompression::None),
                        ("uncompressed", ParquetCompression::None),
                        ("snappy", ParquetCompression::Snappy),
                        ("gzip", ParquetCompression::Gzip),
                        ("lz4", ParquetCompression::Lz4),
                        ("brotli", ParquetCompression::Brotli),
                        ("zstd", ParquetCompression::Zstd),
                    ],
                )?;
            }
            (ExportFormat::Parquet(style), "row_group_size") => {
                let rows = usize::try_from(value.count(option)?).unwrap_or(usize::MAX);
                style.row_group_len = rows.clamp(1, 1 << 24);
            }
            (ExportFormat::Arrow { is_stream }, "stream") => *is_stream = value.boolean(option)?,
            _ => return Ok(false),
        }
        Ok(true)
    }
}

/// What the name of a compressed file ends with.
fn compressed(compression: TargetCompression) -> &'static str {
    match compression {
        TargetCompression::Gzip => ".gz",
        TargetCompression::Zstd => ".zst",
        TargetCompression::None => "",
    }
}

fn set_csv(style: &mut CsvStyle, option: &str, value: &OptionValue) -> Result<bool> {
    let byte =
        || value.byte(option)?.ok_or_else(|| Error::invalid(format!("{option} is one character")));
    match option {
        "delim" => style.delimiter = value.delimiter(option)?,
        "quote" => style.quote = byte()?,
        "header" => style.header = value.boolean(option)?,
        "nullstr" => {
            style.null = value.text(option)?;
            let breaks = |byte: u8| {
                style.delimiter.as_bytes().contains(&byte)
                    || byte == style.quote
                    || matches!(byte, b'\n' | b'\r')
            };
            if style.null.bytes().any(breaks) {
                return Err(Error::invalid(format!(
                    "'{}' cannot stand for NULL: it would have to be quoted",
                    style.null
                )));
            }
        }
        _ => return Ok(false),
    }
    if style.delimiter.as_bytes().contains(&style.quote) {
        return Err(Error::invalid("the quote is a character of the delimiter"));
    }
    Ok(true)
}
