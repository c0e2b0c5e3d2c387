//! Columnar storage and execution for wide mart tables.

pub mod catalog;
pub mod context;
pub mod encoding;
pub mod exec;
pub mod ingest;
mod kernel;
pub mod plan;
pub mod storage;
pub mod types;
pub mod vector;

pub use arrow;
