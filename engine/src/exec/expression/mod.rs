//! Evaluates scalar expressions over Arrow arrays, with PostgreSQL's semantics.
//!
//! One file per family of operators. A constant travels as an array of one row until something needs
//! its rows (`Operand`); Arrow's kernels take it as a scalar. Whatever a query
//! keeps from an expression (another CASE branch, a false term of an AND) is never computed by it if
//! it could fail. No input makes this code panic. Must not know plans beyond [`Expr`], nor storage.

mod anchored;
mod arithmetic;
mod call;
mod cast;
mod choice;
mod comparison;
mod like;
mod logic;
mod number;
mod operand;
mod regex;
mod rows;
mod temporal;
mod text;

pub use self::like::LikeMatcher;

use arrow::array::{ArrayRef, new_empty_array};

use self::rows::Rows;
use crate::context::Context;
use crate::plan::Expr;
use crate::types::{Result, Value};

/// The values of `expr` for `row_count` rows of `columns`, as `expr.data_type().to_arrow()`.
///
/// `columns[i]` is what `Expr::Column { index: i }` means; columns that the expression does not name
/// may be of any length.
///
/// # Errors
/// Whatever a row's values raise (`OutOfRange`, `DivisionByZero`, `InvalidText`), `Unsupported` and
/// `OutOfMemory`.
pub fn evaluate(
    expr: &Expr,
    columns: &[ArrayRef],
    row_count: usize,
    context: &Context,
) -> Result<ArrayRef> {
    if row_count == 0 {
        return Ok(new_empty_array(&expr.data_type().to_arrow()));
    }
    Rows::new(columns, row_count, context).evaluate(expr)?.into_array(row_count)
}

/// The value of an expression without columns.
///
/// # Errors
/// As [`evaluate`].
pub fn evaluate_constant(expr: &Expr, context: &Context) -> Result<Value> {
    let array = evaluate(expr, &[], 1, context)?;
    Ok(Value::from_array(&array, expr.data_type(), 0))
}

#[cfg(test)]
mod tests;
