//! What planning may know of tables: names, types and immutable statistics.
//!
//! `plan` and the SQL binder reach storage only through these types. Must not know files, encodings
//! or threads. Nothing here costs more than what it is asked about: looking up one of 16,000 columns
//! touches no other.

pub mod files;

use std::fmt;

use crate::types::{DataType, Result, Value};

/// A column's identity for ever: never reused, unknown to SQL.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FieldId(pub u32);

/// A table's identity for ever: never reused, unknown to SQL.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TableId(pub u32);

/// A named, typed column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field {
    /// Identity.
    pub id: FieldId,
    /// Name, in the case it was created with.
    pub name: String,
    /// Type.
    pub data_type: DataType,
    /// Whether NULL is allowed.
    pub nullable: bool,
}

/// A column of a table yet to be made: a [`Field`] without identity.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewField {
    /// Name.
    pub name: String,
    /// Type.
    pub data_type: DataType,
    /// Whether NULL is allowed.
    pub nullable: bool,
}

/// What looking up a name found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NameMatch {
    /// Exactly this column, by its position in the schema.
    Found(usize),
    /// No exact match, and several that differ only in case: their names.
    Ambiguous(Vec<String>),
    /// Nothing.
    Missing,
}

/// Statistics of a column over a whole table, as written; unknown is `None`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ColumnStatistics {
    /// A lower bound of the non-null values.
    pub min: Option<Value>,
    /// An upper bound of the non-null values.
    pub max: Option<Value>,
    /// How many rows are NULL.
    pub null_count: Option<u64>,
    /// Distinct non-null values; exact for dictionary columns, else unknown.
    pub distinct_count: Option<u64>,
}

/// One table of one snapshot, as planning sees it.
pub trait Table: fmt::Debug + Send + Sync {
    /// Identity.
    fn id(&self) -> TableId;

    /// Name.
    fn name(&self) -> &str;

    /// Rows that are not deleted.
    fn row_count(&self) -> u64;

    /// How many columns it has.
    fn field_count(&self) -> usize;

    /// The column at `position` in schema order.
    ///
    /// # Panics
    /// When `position >= field_count()`.
    fn field(&self, position: usize) -> Field;

    /// Finds a column: an exact match first, else one that differs only in case if that is unique.
    fn find(&self, name: &str) -> NameMatch;

    /// Statistics of a column.
    ///
    /// # Errors
    /// When they cannot be read.
    fn statistics(&self, field: FieldId) -> Result<ColumnStatistics>;
}
