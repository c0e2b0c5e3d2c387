//! Record batches into files of other programs.
//!
//! A file appears under its name when it is whole and synced, or not at all (`target`), and so does a
//! folder of them (`folder`). Parquet and Arrow are written here; text formats write through the same
//! targets. Must not know SQL or plans.

mod arrow_file;
mod folder;
mod parquet_file;
mod target;

pub use self::arrow_file::ArrowExport;
pub use self::folder::{Existing, TargetFolder};
pub use self::parquet_file::{ParquetCompression, ParquetExport, ParquetStyle};
pub use self::target::{Target, TargetCompression};
