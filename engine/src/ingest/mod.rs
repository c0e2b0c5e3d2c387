//! Rows from elsewhere: Parquet files, text files, worksheets and Arrow batches, into tables or to be scanned.
//!
//! Must not know SQL, plans or how pages lie in files.

mod appender;
mod arrow_file;
mod buffered;
mod cell;
mod chunk;
mod column;
mod column_names;
mod conform;
mod content;
pub mod csv;
mod foreign;
mod generation;
mod glob;
mod guard;
pub mod json;
mod load;
mod order;
mod parallel;
pub mod parquet;
mod positional;
mod queue;
pub mod rows;
mod sheet;
mod source;
mod spool;
mod stored;
mod table_of_files;
mod tail;

pub use self::appender::Appender;
pub use self::arrow_file::describe_arrow;
pub use self::foreign::ForeignFiles;
pub use self::generation::merge_dictionaries;
pub use self::load::{LoadReport, load};
pub use self::order::OrderKey;
pub use self::sheet::{CellRange, SheetOptions, sheet_names};
pub use self::source::{ColumnArrays, ColumnSource};
pub use self::table_of_files::{
    GivenTypes, TableOptions, describe_csv, describe_json, describe_sheets,
};

use self::conform::conform;

use std::path::PathBuf;

use crate::storage::dictionary::MergePolicy;

/// How rows are loaded.
#[derive(Clone, Debug, Default)]
pub struct LoadOptions {
    /// The order of the rows; as they come when empty.
    pub order_by: Vec<OrderKey>,
    /// When dictionaries are merged into a new generation.
    pub merge_policy: MergePolicy,
    /// Where temporary files go; the system's folder for them when `None`.
    pub spool_folder: Option<PathBuf>,
    /// Bytes of rows that an [`Appender`] keeps in memory; 384 MiB or a quarter of the memory limit
    /// when `None`.
    pub buffer_bytes_max: Option<usize>,
    /// Bytes of new dictionary values of a column that wait in memory; 96 MiB when `None`.
    pub pending_bytes_max: Option<usize>,
}
