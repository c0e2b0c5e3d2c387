//! What a query asks for, as a tree of relational operators.

use std::sync::Arc;

use super::aggregate::Aggregate;
use super::expression::Expr;
use super::window::Window;
use crate::catalog::files::FileSet;
use crate::catalog::{FieldId, TableId};
use crate::types::DataType;

/// Name and type of an output column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutputColumn {
    /// Name, as the result shows it; need not be unique.
    pub name: String,
    /// Type.
    pub data_type: DataType,
}

/// Where the rows of a scan are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// A table of the snapshot that the query runs on.
    Table {
        /// Identity.
        id: TableId,
        /// Name, for `EXPLAIN`.
        name: String,
    },
    /// Parquet files, read as one table with the columns of the first, by name.
    Parquet {
        /// Their paths, in order.
        paths: Vec<String>,
        /// Whether byte columns that nobody annotated are text.
        binary_as_string: bool,
    },
    /// Files that are read row by row.
    Files(Arc<FileSet>),
}

/// One column that a scan gives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScanColumn {
    /// The table's field; for files, the column's position in their schema.
    pub field: FieldId,
    /// Name.
    pub name: String,
    /// Type.
    pub data_type: DataType,
}

/// Reads the named columns of the rows for which every filter conjunct is true.
#[derive(Clone, Debug, PartialEq)]
pub struct Scan {
    /// From where.
    pub source: Source,
    /// Which columns, in the order in which the scan gives them; may be empty (only rows counted).
    pub columns: Vec<ScanColumn>,
    /// Predicates over `columns`; a row passes when each is true (not NULL).
    pub filter: Vec<Expr>,
    /// The first `output_count` of `columns` are given out; those behind are for the filter only.
    pub output_count: usize,
}

/// One key of an ORDER BY.
#[derive(Clone, Debug, PartialEq)]
pub struct SortKey {
    /// What is ordered by.
    pub expr: Expr,
    /// `DESC`.
    pub descending: bool,
    /// Whether NULLs come first; by default last when ascending, first when descending.
    pub nulls_first: bool,
}

/// A relational operator over its inputs. Column indices in expressions count the input's columns.
#[derive(Clone, Debug, PartialEq)]
pub enum LogicalPlan {
    /// Rows of a table or file.
    Scan(Scan),
    /// Rows written out; every row has as many expressions as there are columns, without column
    /// references. `SELECT 1` is over one row of no columns.
    Values {
        /// Name and type of each column.
        columns: Vec<OutputColumn>,
        /// The rows.
        rows: Vec<Vec<Expr>>,
    },
    /// Rows for which `predicate` is true.
    Filter {
        /// Input.
        input: Box<LogicalPlan>,
        /// A boolean expression.
        predicate: Expr,
    },
    /// Computes each expression per row.
    Project {
        /// Input.
        input: Box<LogicalPlan>,
        /// One per output column.
        exprs: Vec<Expr>,
        /// Their names.
        names: Vec<String>,
    },
    /// Groups by the keys (one group over everything, even nothing, when there are none) and gives
    /// the keys, then the aggregates. DISTINCT is an aggregate without aggregates.
    Aggregate {
        /// Input.
        input: Box<LogicalPlan>,
        /// Group keys.
        keys: Vec<Expr>,
        /// Aggregates.
        aggregates: Vec<Aggregate>,
        /// Names of keys, then aggregates.
        names: Vec<String>,
    },
    /// Numbers the rows of each partition: gives the input's columns, then the numbers.
    Window {
        /// Input.
        input: Box<LogicalPlan>,
        /// What is numbered, and how.
        window: Window,
    },
    /// Orders rows; ties stay in input order.
    Sort {
        /// Input.
        input: Box<LogicalPlan>,
        /// Keys, first first.
        keys: Vec<SortKey>,
    },
    /// Skips `offset` rows, then gives at most `limit`.
    Limit {
        /// Input.
        input: Box<LogicalPlan>,
        /// Rows skipped.
        offset: u64,
        /// Rows given; all when `None`.
        limit: Option<u64>,
    },
}

impl LogicalPlan {
    /// Name and type of each output column.
    pub fn output(&self) -> Vec<OutputColumn> {
        match self {
            LogicalPlan::Scan(scan) => scan.output(),
            LogicalPlan::Values { columns, .. } => columns.clone(),
            LogicalPlan::Filter { input, .. }
            | LogicalPlan::Sort { input, .. }
            | LogicalPlan::Limit { input, .. } => input.output(),
            LogicalPlan::Project { exprs, names, .. } => named_output(exprs, names),
            LogicalPlan::Aggregate { keys, aggregates, names, .. } => {
                grouped_output(keys, aggregates, names)
            }
            LogicalPlan::Window { input, window } => numbered_output(input.output(), window),
        }
    }
}

/// The columns of a window: those of its input, then the numbers.
pub(super) fn numbered_output(input: Vec<OutputColumn>, window: &Window) -> Vec<OutputColumn> {
    input.into_iter().chain(window.columns()).collect()
}

/// The columns of a projection.
pub(super) fn named_output(exprs: &[Expr], names: &[String]) -> Vec<OutputColumn> {
    names
        .iter()
        .zip(exprs)
        .map(|(name, expr)| OutputColumn { name: name.clone(), data_type: expr.data_type() })
        .collect()
}

/// The columns of an aggregate: its keys, then its results.
pub(super) fn grouped_output(
    keys: &[Expr],
    aggregates: &[Aggregate],
    names: &[String],
) -> Vec<OutputColumn> {
    let results = aggregates
        .iter()
        .map(|aggregate| aggregate.data_type().expect("the binder checked the aggregate's type"));
    names
        .iter()
        .zip(keys.iter().map(Expr::data_type).chain(results))
        .map(|(name, data_type)| OutputColumn { name: name.clone(), data_type })
        .collect()
}

impl LogicalPlan {
    /// The operator's input; `None` for a scan or values.
    pub fn input(&self) -> Option<&LogicalPlan> {
        match self {
            LogicalPlan::Scan(_) | LogicalPlan::Values { .. } => None,
            LogicalPlan::Filter { input, .. }
            | LogicalPlan::Project { input, .. }
            | LogicalPlan::Aggregate { input, .. }
            | LogicalPlan::Window { input, .. }
            | LogicalPlan::Sort { input, .. }
            | LogicalPlan::Limit { input, .. } => Some(input),
        }
    }

    /// The operator's input, to be changed.
    pub fn input_mut(&mut self) -> Option<&mut LogicalPlan> {
        match self {
            LogicalPlan::Scan(_) | LogicalPlan::Values { .. } => None,
            LogicalPlan::Filter { input, .. }
            | LogicalPlan::Project { input, .. }
            | LogicalPlan::Aggregate { input, .. }
            | LogicalPlan::Window { input, .. }
            | LogicalPlan::Sort { input, .. }
            | LogicalPlan::Limit { input, .. } => Some(input),
        }
    }
}

impl Scan {
    /// Name and type of each output column.
    pub fn output(&self) -> Vec<OutputColumn> {
        self.columns[..self.output_count]
            .iter()
            .map(|column| OutputColumn { name: column.name.clone(), data_type: column.data_type })
            .collect()
    }
}
