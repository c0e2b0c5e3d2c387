//! Record batches into files of other programs.
//!
//! A file appears under its name when it is whole and synced, or not at all (`target`). Parquet and
//! Arrow are written here; text formats write through the same targets. Must not know SQL or plans.

mod arrow_file;
mod parquet_file;
mod target;

pub use self::arrow_file::ArrowExport;
pub use self::parquet_file::{ParquetCompression, ParquetExport, ParquetStyle};
pub use self::target::{Target, TargetCompression};
