//! Martlet: aggregate queries over wide mart tables, embedded.
//!
//! A mart is the one wide table per business entity that is appended to daily and asked the same kind
//! of question all day: filter, group, aggregate, order, limit. Martlet stores it in files of its own
//! and answers from them, in the process that asks.
//!
//! ```no_run
//! fn main() -> martlet::Result<()> {
//!     let connection = martlet::Database::open("sales.mart")?.connect();
//!     connection.execute("CREATE TABLE IF NOT EXISTS orders FROM 'orders/*.parquet'")?;
//!     let query = "SELECT region, sum(amount) AS total FROM orders GROUP BY ALL ORDER BY total DESC";
//!     for batch in connection.query(query)? {
//!         println!("{:?}", batch?);
//!     }
//!     Ok(())
//! }
//! ```
//!
//! [`Database`] is the store, shared by threads; [`Connection`] runs SQL; [`QueryResult`] streams Arrow
//! record batches; [`Appender`] takes them. The dialect is PostgreSQL's answers with `DuckDB`'s
//! conveniences. Errors carry a position: [`render_error`] draws them.

mod appender;
mod bind;
mod catalog;
mod column_load;
mod connection;
mod database;
mod error_text;
mod files;
mod options;
pub mod output;
mod parse;
mod prepared;
mod rejects;
mod result;
mod run;
mod settings;
mod stack;
mod suggest;
mod suspect;
mod tables;
pub mod words;
mod zoned;

pub use self::appender::Appender;
pub use self::connection::{Connection, Outcomes};
pub use self::database::Database;
pub use self::error_text::render_error;
pub use self::options::{FileAccess, Options};
pub use self::prepared::{Parameter, Statement};
pub use self::result::{Outcome, QueryResult, StatementHandle, Work};
pub use self::suggest::nearest;
pub use self::tables::{ColumnInfo, TableInfo};

pub use martlet_engine::arrow;
pub use martlet_engine::catalog::NewField;
pub use martlet_engine::exec::{OperatorProfile, Profile, ScanProfile};
pub use martlet_engine::ingest::{ColumnArrays, ColumnSource};
pub use martlet_engine::plan::{self, wire::ScanRequest};
pub use martlet_engine::storage::StorageOptions;
pub use martlet_engine::types::{DataType, Error, ErrorKind, Interval, Result, TimeUnit, Value};
