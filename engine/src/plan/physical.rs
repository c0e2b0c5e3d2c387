//! How a query is answered, as inert data: what `EXPLAIN` prints, tests compare and `exec` runs.

use super::aggregate::Aggregate;
use super::expression::Expr;
use super::logical::{OutputColumn, Scan, SortKey, grouped_output, named_output, numbered_output};
use super::window::Window;

/// A way to find a row's group, cheapest first; the executor takes, per row group, the first of the
/// listed ones that applies there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Rung {
    /// Answered from statistics, without reading rows.
    Metadata,
    /// No keys: one group.
    Single,
    /// Dense arrays indexed by local dictionary codes, merged through the maps into table ids.
    Dense,
    /// Keys packed or encoded to bytes, hashed.
    Hash,
}

/// A physical operator.
#[derive(Clone, Debug, PartialEq)]
pub enum PhysicalPlan {
    /// Morsel-parallel scan; conjuncts are in the order in which they are tried.
    Scan(Scan),
    /// Constant rows.
    Values {
        /// Name and type of each column.
        columns: Vec<OutputColumn>,
        /// The rows.
        rows: Vec<Vec<Expr>>,
    },
    /// Keeps rows for which `predicate` is true.
    Filter {
        /// Input.
        input: Box<PhysicalPlan>,
        /// Predicate.
        predicate: Expr,
    },
    /// Computes expressions.
    Project {
        /// Input.
        input: Box<PhysicalPlan>,
        /// One per output column.
        exprs: Vec<Expr>,
        /// Names.
        names: Vec<String>,
    },
    /// Partial aggregates per worker, then the final merge.
    Aggregate {
        /// Input.
        input: Box<PhysicalPlan>,
        /// Group keys.
        keys: Vec<Expr>,
        /// Aggregates.
        aggregates: Vec<Aggregate>,
        /// Names of keys, then aggregates.
        names: Vec<String>,
        /// The rungs that may be taken, cheapest first.
        rungs: Vec<Rung>,
    },
    /// Numbers the rows of each partition; with a limit, keeps the first of each only.
    Window {
        /// Input.
        input: Box<PhysicalPlan>,
        /// What is numbered, and how.
        window: Window,
    },
    /// Full sort.
    Sort {
        /// Input.
        input: Box<PhysicalPlan>,
        /// Keys.
        keys: Vec<SortKey>,
    },
    /// Bounded sort: the first `offset + limit` rows in order, of which the last `limit` are given.
    TopN {
        /// Input.
        input: Box<PhysicalPlan>,
        /// Keys.
        keys: Vec<SortKey>,
        /// Rows skipped.
        offset: u64,
        /// Rows given.
        limit: u64,
    },
    /// Skips and cuts.
    Limit {
        /// Input.
        input: Box<PhysicalPlan>,
        /// Rows skipped.
        offset: u64,
        /// Rows given; all when `None`.
        limit: Option<u64>,
    },
}

impl PhysicalPlan {
    /// The operator's input; `None` for a scan or values.
    pub fn input(&self) -> Option<&PhysicalPlan> {
        match self {
            PhysicalPlan::Scan(_) | PhysicalPlan::Values { .. } => None,
            PhysicalPlan::Filter { input, .. }
            | PhysicalPlan::Project { input, .. }
            | PhysicalPlan::Aggregate { input, .. }
            | PhysicalPlan::Window { input, .. }
            | PhysicalPlan::Sort { input, .. }
            | PhysicalPlan::TopN { input, .. }
            | PhysicalPlan::Limit { input, .. } => Some(input),
        }
    }

    /// Name and type of each output column.
    pub fn output(&self) -> Vec<OutputColumn> {
        match self {
            PhysicalPlan::Scan(scan) => scan.output(),
            PhysicalPlan::Values { columns, .. } => columns.clone(),
            PhysicalPlan::Filter { input, .. }
            | PhysicalPlan::Sort { input, .. }
            | PhysicalPlan::TopN { input, .. }
            | PhysicalPlan::Limit { input, .. } => input.output(),
            PhysicalPlan::Project { exprs, names, .. } => named_output(exprs, names),
            PhysicalPlan::Aggregate { keys, aggregates, names, .. } => {
                grouped_output(keys, aggregates, names)
            }
            PhysicalPlan::Window { input, window } => numbered_output(input.output(), window),
        }
    }
}
