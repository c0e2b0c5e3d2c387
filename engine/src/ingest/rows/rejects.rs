//! Rows that are left out: written down as CSV, and read again as a table of their own.
//!
//! Workers write them as they meet them, so they are in no order. Must not know what is wrong with a
//! row, which `issue` tells.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::sync::{Mutex, PoisonError};

use super::issue::{Issue, wide};
use super::pieces::{OpenFile, RowFormat};
use crate::catalog::files::{
    Compression, CsvLayout, Dialect, FileColumn, FileComments, FileSet, ForeignFile, Layout,
    Origin, ReadAs, Reading, RejectsTo,
};
use crate::ingest::cell::PIECE_BYTES_MAX;
use crate::types::{DataType, Error, Result};

/// What is told of a rejected row. Column and value are NULL where all of the row is wrong.
pub const REJECT_COLUMNS: [(&str, DataType); 7] = [
    ("file", DataType::Utf8),
    // Where in the file it is wrong, as a line counted from 1 and as a position counted from 0.
    ("line", DataType::Int64),
    ("byte_offset", DataType::Int64),
    ("column", DataType::Utf8),
    ("value", DataType::Utf8),
    ("message", DataType::Utf8),
    // As it is in the file.
    ("record", DataType::Utf8),
];

/// The longest row of a file of rejects that is read again: all that fits in a piece.
const RECORD_BYTES_MAX: usize = PIECE_BYTES_MAX - (8 << 20);

/// Rows that were left out, as they are written down.
#[derive(Debug)]
pub(super) struct Rejects {
    limit: u64,
    path: String,
    /// Whether the file is there when the statement has failed.
    stays: bool,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    count: u64,
    target: BufWriter<File>,
}

impl Rejects {
    /// Creates the file.
    ///
    /// # Errors
    /// `Invalid` when nobody said where they go; `Unsupported` for a table that nobody loads; `Io`.
    pub(super) fn create(limit: u64, to: Option<&RejectsTo>) -> Result<Rejects> {
        let (path, stays) = match to {
            Some(RejectsTo::File(path)) => (path, true),
            Some(RejectsTo::Table { way: Some(path), .. }) => (path, false),
            Some(RejectsTo::Table { way: None, .. }) => {
                return Err(Error::unsupported("rejects go to a table only while one is loaded")
                    .with_hint("name a file: rejects_file => 'rejects.csv'"));
            }
            None => {
                return Err(Error::invalid("rows can only be left out if they are kept somewhere")
                    .with_hint(
                        "name a file: rejects_file => 'rejects.csv', or a table: rejects_table => \
                         'rejects'",
                    ));
            }
        };
        let file = File::create(path).map_err(|error| Error::from_io("create", path, &error))?;
        let mut target = BufWriter::new(file);
        target
            .write_all(head().as_bytes())
            .and_then(|()| target.flush())
            .map_err(|error| Error::from_io("write", path, &error))?;
        let state = Mutex::new(State { count: 0, target });
        Ok(Rejects { limit, path: path.clone(), stays, state })
    }

    /// Writes a rejected record down.
    ///
    /// # Errors
    /// That of the record when there are too many; `Io`.
    pub(super) fn take(
        &self,
        issue: &Issue,
        file: &OpenFile,
        offset: u64,
        bytes: &[u8],
    ) -> Result<()> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if state.count >= self.limit {
            let error = issue.to_error(file, offset, bytes, false);
            let message =
                format!("more than {} rows are bad; the next: {}", self.limit, error.message());
            let before = if self.stays {
                format!("{} has those before; ", self.path)
            } else {
                String::new()
            };
            let hint = format!("{before}reject_limit => … allows more");
            return Err(Error::invalid_text(message).with_hint(hint));
        }
        state.count += 1;
        let record = match &file.format {
            RowFormat::Csv { .. } => issue.record(bytes),
            // Its line may end behind it.
            RowFormat::Json { .. } => issue.record(bytes).trim_ascii(),
        };
        let at = offset + wide(issue.at());
        let quoted = |text: &str| format!("\"{}\"", text.replace('"', "\"\""));
        let row = format!(
            "{},{},{},{},{},{},{}\n",
            quoted(file.path()),
            file.line(at)?,
            file.byte_offset(at),
            issue.column().map(quoted).unwrap_or_default(),
            issue.value().map(quoted).unwrap_or_default(),
            quoted(&issue.message()),
            quoted(&String::from_utf8_lossy(record))
        );
        state
            .target
            .write_all(row.as_bytes())
            .and_then(|()| state.target.flush())
            .map_err(|error| Error::from_io("write", &self.path, &error))
    }
}

/// The first line of a file of rejects.
fn head() -> String {
    let names = REJECT_COLUMNS.map(|(name, _)| name);
    names.join(",") + "\n"
}

/// The file of rejects at `path`, as a table with [`REJECT_COLUMNS`].
pub fn rejected_rows(path: &str) -> FileSet {
    let layout = CsvLayout {
        dialect: Dialect::default(),
        data_offset: wide(head().len()),
        field_count: REJECT_COLUMNS.len(),
    };
    let column = |(name, data_type): (&str, DataType)| FileColumn {
        name: name.to_owned(),
        data_type,
        origin: Origin::Cells(match data_type {
            DataType::Utf8 => ReadAs::Text,
            other => ReadAs::Cast(other),
        }),
    };
    FileSet {
        files: vec![ForeignFile {
            path: path.to_owned(),
            layout: Layout::Csv(layout),
            places: (0..REJECT_COLUMNS.len()).map(Some).collect(),
        }],
        columns: REJECT_COLUMNS.into_iter().map(column).collect(),
        reading: Reading {
            compression: Compression::None,
            record_bytes_max: RECORD_BYTES_MAX,
            ..Reading::default()
        },
        is_sampled: false,
        comments: FileComments::default(),
    }
}
