//! Results as text: CSV and JSON writers that stream, and the text of single cells.
//!
//! The shell and the bench runner share them, and so may any program. They take Arrow batches and
//! write bytes; nothing here knows SQL, databases or terminals.

mod cells;
mod csv;
mod json;
mod size;

pub use self::cells::{CellKind, Cells};
pub use self::csv::{CsvStyle, CsvWriter};
pub use self::json::{JsonStyle, JsonWriter, json_keys, push_json_value};
pub use self::size::{format_byte_size, format_count, parse_byte_size};

use std::io;

use martlet_engine::types::Error;

/// What can go wrong while a result is written.
#[derive(Debug)]
pub enum WriteError {
    /// The result itself failed: its query did, or a type has no text form.
    Result(Error),
    /// The target refused the bytes.
    Io(io::Error),
}

impl std::fmt::Display for WriteError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            WriteError::Result(error) => error.fmt(f),
            WriteError::Io(error) => write!(f, "cannot write the result: {error}"),
        }
    }
}

impl std::error::Error for WriteError {}

impl From<Error> for WriteError {
    fn from(error: Error) -> WriteError {
        WriteError::Result(error)
    }
}

impl From<io::Error> for WriteError {
    fn from(error: io::Error) -> WriteError {
        WriteError::Io(error)
    }
}
