//! Rows from elsewhere into tables: Parquet files and Arrow batches.
//!
//! Must not know SQL, plans or how pages lie in files.

mod appender;
mod buffered;
mod chunk;
mod column;
mod conform;
mod generation;
mod load;
mod order;
pub mod parquet;
mod queue;
mod source;
mod spool;
mod tail;

pub use self::appender::Appender;
pub use self::generation::merge_dictionaries;
pub use self::load::{LoadReport, load};
pub use self::order::OrderKey;
pub use self::source::{ColumnArrays, ColumnSource};

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
    /// Bytes of rows that an [`Appender`] keeps in memory; 128 MiB or an eighth of the memory limit
    /// when `None`.
    pub buffer_bytes_max: Option<usize>,
    /// Bytes of new dictionary values of a column that wait in memory; 96 MiB when `None`.
    pub pending_bytes_max: Option<usize>,
}
