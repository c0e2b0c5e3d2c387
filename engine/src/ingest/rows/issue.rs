//! What is wrong with a record, and how that is told.

use super::pieces::{OpenFile, RowFormat};
use crate::catalog::files::ReadAs;
use crate::ingest::csv::NOT_UTF8;
use crate::ingest::csv::scanner::{BadRecord, Flaw};
use crate::ingest::json::rows::UNCLOSED;
use crate::types::Error;

/// Characters of a value that a message shows.
const VALUE_CHARS_MAX: usize = 60;

/// What is wrong with a record.
#[derive(Debug)]
pub(super) struct Issue {
    record: (usize, usize),
    what: What,
}

#[derive(Debug)]
enum What {
    Fields { found: usize, wanted: usize },
    BehindQuote { at: usize },
    OpenQuote { at: usize },
    Json { at: usize, what: &'static str },
    Stray { at: usize },
    Value { column: String, reading: ReadAs, value: String },
}

impl Issue {
    /// A record that cannot be taken apart.
    pub(super) fn of_record(bad: BadRecord, format: &RowFormat) -> Issue {
        let what = match bad.flaw {
            Flaw::FieldCount(found) => What::Fields { found, wanted: format.field_count() },
            Flaw::BehindQuote => What::BehindQuote { at: bad.at },
            Flaw::OpenQuote => What::OpenQuote { at: bad.at },
            Flaw::Json(what) => What::Json { at: bad.at, what },
            Flaw::Stray => What::Stray { at: bad.at },
        };
        Issue { record: (bad.start, bad.end), what }
    }

    /// A value that cannot be read as its column is.
    pub(super) fn of_value(
        record: (usize, usize),
        column: &str,
        reading: &ReadAs,
        value: String,
    ) -> Issue {
        let what = What::Value { column: column.to_owned(), reading: reading.clone(), value };
        Issue { record, what }
    }

    pub(super) fn record_start(&self) -> usize {
        self.record.0
    }

    /// The record, in the piece that it is in.
    pub(super) fn record<'a>(&self, bytes: &'a [u8]) -> &'a [u8] {
        let end = self.record.1.min(bytes.len());
        &bytes[self.record.0.min(end)..end]
    }

    /// Whether it is only the inferred type that is wrong.
    pub(super) fn is_unforeseen(&self) -> bool {
        match &self.what {
            What::Value { reading, .. } => !reading.is_given() && *reading != ReadAs::Text,
            What::Stray { .. } => true,
            _ => false,
        }
    }

    /// The column that is wrong, if it is one.
    pub(super) fn column(&self) -> Option<&str> {
        match &self.what {
            What::Value { column, .. } => Some(column),
            _ => None,
        }
    }

    /// The value that is wrong, if it is one.
    pub(super) fn value(&self) -> Option<&str> {
        match &self.what {
            What::Value { value, .. } => Some(value),
            _ => None,
        }
    }

    /// What is wrong, in a few words.
    pub(super) fn message(&self) -> String {
        match &self.what {
            What::Fields { found, wanted } => {
                let fields = if *found == 1 { "field" } else { "fields" };
                format!("{found} {fields} where the file has {wanted} columns")
            }
            What::BehindQuote { .. } => "text behind a closing quote".to_owned(),
            What::OpenQuote { .. } => "a quote is opened and never closed".to_owned(),
            What::Json { what, .. } => (*what).to_owned(),
            What::Stray { .. } => "a key that no column is for".to_owned(),
            What::Value { reading: ReadAs::Text, value, .. } => {
                format!("{} is not UTF-8", shown(value))
            }
            What::Value { reading, value, .. } => {
                format!("{} is no {}", shown(value), reading.data_type())
            }
        }
    }

    fn hint(&self) -> String {
        match &self.what {
            What::Fields { found, wanted } if found < wanted => {
                "null_padding => true fills short rows with NULL; reject_limit => 10, rejects_file => \
                 'bad.csv' leaves bad rows out"
            }
            What::Fields { .. } => {
                "is the delimiter right (delim => ';')? reject_limit => 10, rejects_file => 'bad.csv' \
                 leaves bad rows out"
            }
            What::BehindQuote { .. } | What::OpenQuote { .. } => {
                "quote => '' reads quotes as text; escape => '\\' if a backslash escapes them"
            }
            What::Json { what: UNCLOSED, .. } => {
                "was the file cut off? write it, or fetch it, again"
            }
            What::Json { .. } => {
                "format => 'lines', 'array' or 'values' says how values follow each other"
            }
            What::Stray { .. } => "name the columns to be read: SELECT a, b FROM the file",
            What::Value { reading: ReadAs::Text, .. } => NOT_UTF8,
            What::Value { column, .. } => {
                return format!(
                    "types => {{'{column}': 'text'}} reads it as text; nullstr => '…' names what is NULL"
                );
            }
        }
        .to_owned()
    }

    /// Where in the piece it is.
    pub(super) fn at(&self) -> usize {
        match &self.what {
            What::BehindQuote { at }
            | What::OpenQuote { at }
            | What::Json { at, .. }
            | What::Stray { at } => *at,
            _ => self.record.0,
        }
    }

    /// The error, for a piece at `offset` of `file`.
    pub(super) fn to_error(
        &self,
        file: &OpenFile,
        offset: u64,
        bytes: &[u8],
        is_sampled: bool,
    ) -> Error {
        let line = match file.line(offset + wide(self.at())) {
            Ok(line) => line,
            Err(error) => return error,
        };
        let path = file.path();
        let column =
            self.column().map_or_else(String::new, |column| format!(", column \"{column}\""));
        let message = format!("{path}, line {line}{column}: {}", self.message());
        if self.is_unforeseen() && is_sampled {
            return Error::invalid_text(message).with_hint("a sample of the rows suggested it");
        }
        if let What::Value { .. } = &self.what {
            return Error::invalid_text(message).with_hint(self.hint());
        }
        let end = self.record.1.min(bytes.len());
        // Of JSON, which may be long, what stands at the fault.
        let start = match &self.what {
            What::Json { at, .. } | What::Stray { at } => at.saturating_sub(20),
            _ => 0,
        };
        let start = start.max(self.record.0).min(end);
        let record = String::from_utf8_lossy(&bytes[start..end]);
        Error::invalid_text(format!("{message}: {}", shown(&record))).with_hint(self.hint())
    }
}

/// A text in quotes on one line, cut when it is long.
fn shown(text: &str) -> String {
    let line: String = text.chars().take(VALUE_CHARS_MAX + 1).collect();
    let line = line.replace('\r', "\\r").replace('\n', "\\n").replace('\t', "\\t");
    match line.char_indices().nth(VALUE_CHARS_MAX) {
        Some((end, _)) => format!("\"{}…\"", &line[..end]),
        None => format!("\"{line}\""),
    }
}

/// A length or position as the offsets of files are.
pub(super) fn wide(len: usize) -> u64 {
    u64::try_from(len).unwrap_or(u64::MAX)
}
