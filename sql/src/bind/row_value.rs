//! Row values, which only `COUNT(DISTINCT (a, b))` takes.

use martlet_engine::plan::{Expr, Function, explicit_cast, resolve};
use martlet_engine::types::{DataType, Result, Value};

use super::literal::text_literal;

/// A text for each row value: two are the same exactly when the rows are not distinct.
///
/// A value is written as its length, a colon and its text, NULL as the colon alone, so that a reader
/// could tell them apart again. The text is never NULL: a row of NULLs counts as a row.
pub(super) fn row_key(values: Vec<Expr>) -> Result<Expr> {
    let mut parts = Vec::with_capacity(values.len() * 3);
    for value in values {
        let text = explicit_cast(one_zero(value)?, DataType::Utf8)?;
        let length = resolve(Function::Length, vec![text.clone()])?;
        parts.push(explicit_cast(length, DataType::Utf8)?);
        parts.push(text_literal(":"));
        parts.push(text);
    }
    resolve(Function::ConcatSkipNulls, parts)
}

/// -0 is the same as 0, but not as a text: the sum with 0 is 0.
fn one_zero(value: Expr) -> Result<Expr> {
    match value.data_type() {
        data_type @ (DataType::Float32 | DataType::Float64) => {
            let zero = Expr::literal(Value::Float(0.0), data_type);
            resolve(Function::Add, vec![value, zero])
        }
        _ => Ok(value),
    }
}
