//! Window functions: the number of a row in the order of its partition.

use super::expression::Expr;
use super::logical::{OutputColumn, SortKey};
use crate::types::DataType;

/// A window function; each gives 64-bit integers, from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum WindowFunction {
    /// `ROW_NUMBER()`: ties are numbered in the order of the input.
    RowNumber,
    /// `RANK()`: rows before, and one; ties have the same.
    Rank,
    /// `DENSE_RANK()`: different sort keys up to this one.
    DenseRank,
}

impl WindowFunction {
    /// Its name in SQL.
    pub fn name(self) -> &'static str {
        match self {
            WindowFunction::RowNumber => "row_number",
            WindowFunction::Rank => "rank",
            WindowFunction::DenseRank => "dense_rank",
        }
    }
}

/// Numbers the rows of each partition. The rows stay in the order of the input.
#[derive(Clone, Debug, PartialEq)]
pub struct Window {
    /// Rows for which these are equal are a partition, as in GROUP BY; all rows without any.
    pub partition: Vec<Expr>,
    /// The order inside a partition; all its rows tie without any.
    pub order: Vec<SortKey>,
    /// The functions, whose columns come after those of the input.
    pub functions: Vec<WindowFunction>,
    /// Names of the functions' columns.
    pub names: Vec<String>,
    /// Only the first so many rows of each partition are given, by `ROW_NUMBER()`.
    pub limit: Option<u64>,
}

impl Window {
    /// The expressions over the input.
    pub fn exprs(&self) -> impl Iterator<Item = &Expr> {
        self.partition.iter().chain(self.order.iter().map(|key| &key.expr))
    }

    /// The expressions over the input, to be changed.
    pub fn exprs_mut(&mut self) -> impl Iterator<Item = &mut Expr> {
        self.partition.iter_mut().chain(self.order.iter_mut().map(|key| &mut key.expr))
    }

    /// The columns of the functions.
    pub(super) fn columns(&self) -> impl Iterator<Item = OutputColumn> {
        let column =
            |name: &String| OutputColumn { name: name.clone(), data_type: DataType::Int64 };
        self.names.iter().map(column)
    }
}
