//! Columnar storage and execution for wide mart tables: everything of Martlet but its SQL.
//!
//! Bytes come in through [`ingest`] (Parquet files, Arrow batches), are laid out by [`encoding`] and
//! kept by [`storage`]; a query is a [`plan`], inert data that [`exec`] runs over a snapshot; [`vector`]
//! is what columns are in memory, [`context`] what every operation carries (cancel token, memory
//! budget, clock), [`types`] and [`catalog`] the words they share. The arrows between these modules
//! point one way, and `tests/tidy.rs` holds them.
//!
//! Programs want the crate `martlet`, which adds the SQL frontend and the connection; this crate is for
//! those who bring plans of their own. [`storage`] opens with the invariants that make a database
//! crash-safe, and [`storage::format`] is the specification of its bytes.

pub mod catalog;
pub mod context;
pub mod encoding;
pub mod exec;
pub mod export;
pub mod ingest;
mod kernel;
pub mod plan;
pub mod storage;
pub mod types;
pub mod vector;

pub use arrow;
