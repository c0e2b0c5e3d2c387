//! Interval literals: `interval '1 month'`, `interval 3 day`, `interval '90' minute`.

use martlet_engine::plan::Expr;
use martlet_engine::types::{DataType, Error, Result, Value};
use sqlparser::ast;

use super::place;
use super::refuse::{position_of, unsupported};

/// Binds an interval literal.
pub(super) fn bind_interval(interval: &ast::Interval) -> Result<Expr> {
    let ast::Interval {
        value,
        leading_field,
        leading_precision,
        last_field,
        fractional_seconds_precision,
    } = interval;
    let position = position_of(value);
    if last_field.is_some() {
        return Err(unsupported("TO in an interval", position).with_hint("write '1 year 2 months'"));
    }
    if leading_precision.is_some() || fractional_seconds_precision.is_some() {
        return Err(unsupported("a precision in an interval", position));
    }
    let mut text = literal_text(value).ok_or_else(|| {
        let error = Error::unsupported("an interval has to be a literal");
        place(error.with_hint("write interval '1 day' or interval 3 hour"), position)
    })?;
    if let Some(field) = leading_field {
        text = format!("{text} {}", field.to_string().to_lowercase());
    }
    let value = Value::parse(&text, DataType::Interval).map_err(|error| place(error, position))?;
    Ok(Expr::literal(value, DataType::Interval))
}

fn literal_text(expr: &ast::Expr) -> Option<String> {
    match expr {
        ast::Expr::Value(ast::ValueWithSpan {
            value: ast::Value::SingleQuotedString(text) | ast::Value::Number(text, _),
            span: _,
        }) => Some(text.clone()),
        ast::Expr::UnaryOp { op: ast::UnaryOperator::Minus, expr } => {
            literal_text(expr).map(|text| format!("-{text}"))
        }
        ast::Expr::Nested(inner) => literal_text(inner),
        _ => None,
    }
}
