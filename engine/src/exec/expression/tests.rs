//! Golden values of whole expressions: PostgreSQL 15 gave every one that `same` and `fails` expect
//! (C.UTF-8, UTC); what `ours` expects differs from it, and says why.
//!
//! Each expression is evaluated over constants, over columns, and over each mix of one column with
//! constants, since these take different paths through the kernels.

mod casts;
mod choices;
mod numbers;
mod patterns;
mod texts;
mod times;

use std::sync::Arc;

use arrow::array::Array;
use arrow::compute::concat;

use super::*;
use crate::plan::{Comparison, Function, compare, explicit_cast, integer_literal, resolve};
use crate::types::{DataType, TimeUnit};

const ZONED: DataType = DataType::Timestamp { unit: TimeUnit::Microsecond, zoned: true };

fn int(value: i128) -> Expr {
    integer_literal(value).unwrap()
}

fn big(value: i128) -> Expr {
    Expr::literal(Value::Int(value), DataType::Int64)
}

fn double(value: f64) -> Expr {
    Expr::literal(Value::Float(value), DataType::Float64)
}

fn text(value: &str) -> Expr {
    Expr::literal(Value::Text(value.into()), DataType::Utf8)
}

fn boolean(value: bool) -> Expr {
    Expr::literal(Value::Bool(value), DataType::Bool)
}

fn null(data_type: DataType) -> Expr {
    Expr::literal(Value::Null, data_type)
}

/// A literal of a type, read from text.
fn value(value: &str, data_type: DataType) -> Expr {
    Expr::literal(Value::parse(value, data_type).unwrap(), data_type)
}

/// A decimal with the digits that are written.
fn decimal(digits: &str) -> Expr {
    let scale = digits.split_once('.').map_or(0, |(_, fraction)| fraction.len());
    let scale = u8::try_from(scale).unwrap();
    let count = digits.chars().filter(char::is_ascii_digit).count();
    let precision = u8::try_from(count).unwrap().max(scale).max(1);
    value(digits, DataType::Decimal { precision, scale })
}

fn date(text: &str) -> Expr {
    value(text, DataType::Date)
}

fn timestamp(text: &str) -> Expr {
    value(text, DataType::TIMESTAMP)
}

fn zoned(text: &str) -> Expr {
    value(text, ZONED)
}

fn interval(text: &str) -> Expr {
    value(text, DataType::Interval)
}

fn call<const N: usize>(function: Function, arguments: [Expr; N]) -> Expr {
    resolve(function, arguments.into()).unwrap_or_else(|error| panic!("{function}: {error}"))
}

fn cast(input: Expr, to: DataType) -> Expr {
    // A text literal would be read while binding; here the cast itself is tested.
    match &input {
        Expr::Literal { value: Value::Text(_), .. } => {
            Expr::Cast { input: Box::new(input), data_type: to, or_null: false }
        }
        _ => explicit_cast(input, to).unwrap().cast_to(to),
    }
}

fn compared(op: Comparison, left: Expr, right: Expr) -> Expr {
    compare(op, left, right).unwrap()
}

/// What PostgreSQL answers to `sql`.
fn same(sql: &str, expr: Expr, expected: &str) {
    check(sql, &expr, expected, &Context::new());
}

/// What PostgreSQL answers to `sql` with that session time zone.
fn same_in(zone: &str, sql: &str, expr: Expr, expected: &str) {
    check(sql, &expr, expected, &Context { time_zone: zone.into(), ..Context::new() });
}

/// What we answer, other than PostgreSQL.
fn ours(why: &str, expr: Expr, expected: &str) {
    check(why, &expr, expected, &Context::new());
}

/// PostgreSQL refuses `sql` too; our message has `fragment` in it.
fn fails(sql: &str, expr: Expr, fragment: &str) {
    let context = Context::new();
    for (variant, columns, row_count) in variants(&expr) {
        match evaluate(&variant, &columns, row_count, &context) {
            Ok(array) => panic!("{sql} gave {array:?}"),
            Err(error) => assert!(error.to_string().contains(fragment), "{sql}: {error}"),
        }
    }
}

fn check(sql: &str, expr: &Expr, expected: &str, context: &Context) {
    let data_type = expr.data_type();
    for (variant, columns, row_count) in variants(expr) {
        let array = evaluate(&variant, &columns, row_count, context)
            .unwrap_or_else(|error| panic!("{sql}: {error}"));
        assert_eq!(array.len(), row_count, "{sql}");
        assert_eq!(array.data_type(), &data_type.to_arrow(), "{sql}");
        for row in 0..row_count.min(2) {
            let shown = shown(&array, data_type, row, context);
            assert_eq!(shown, expected, "{sql} as {variant:?}");
        }
    }
}

/// The value as text; an instant on the session's clock.
fn shown(array: &ArrayRef, data_type: DataType, row: usize, context: &Context) -> String {
    let column = Expr::column(0, data_type);
    let as_text = cast(column, DataType::Utf8);
    let texts = evaluate(&as_text, &[ArrayRef::clone(array)], array.len(), context).unwrap();
    Value::from_array(&texts, DataType::Utf8, row).to_text(DataType::Utf8)
}

/// The expression as it is, with all its literals as columns, and with each alone as a column.
fn variants(expr: &Expr) -> Vec<(Expr, Vec<ArrayRef>, usize)> {
    let mut literals = Vec::new();
    collect_literals(expr, &mut literals);
    let mut variants = vec![(expr.clone(), vec![], 1), with_columns(expr, &literals, |_| true)];
    for only in 0..literals.len() {
        variants.push(with_columns(expr, &literals, |index| index == only));
    }
    variants
}

fn collect_literals(expr: &Expr, literals: &mut Vec<(Value, DataType)>) {
    if let Expr::Literal { value, data_type } = expr {
        literals.push((value.clone(), *data_type));
    }
    expr.children().into_iter().for_each(|child| collect_literals(child, literals));
}

/// The chosen literals become columns of three rows: the value twice, then NULL.
fn with_columns(
    expr: &Expr,
    literals: &[(Value, DataType)],
    chosen: impl Fn(usize) -> bool,
) -> (Expr, Vec<ArrayRef>, usize) {
    let columns = literals
        .iter()
        .map(|(value, data_type)| {
            let values = value.to_array(*data_type, 2).unwrap();
            let nulls = Value::Null.to_array(*data_type, 1).unwrap();
            concat(&[&values, &nulls]).unwrap()
        })
        .collect();
    let mut next = 0;
    let mut expr = expr.clone();
    replace_literals(&mut expr, &mut next, &chosen);
    (expr, columns, 3)
}

fn replace_literals(expr: &mut Expr, next: &mut usize, chosen: &impl Fn(usize) -> bool) {
    if let Expr::Literal { data_type, .. } = expr {
        if chosen(*next) {
            *expr = Expr::column(*next, *data_type);
        }
        *next += 1;
        return;
    }
    for child in expr.children_mut() {
        replace_literals(child, next, chosen);
    }
}

#[test]
fn nothing_is_evaluated_over_no_rows() -> Result<()> {
    let quotient = call(Function::Divide, [int(1), int(0)]);
    assert_eq!(evaluate(&quotient, &[], 0, &Context::new())?.len(), 0);
    assert!(evaluate(&quotient, &[], 1, &Context::new()).is_err());
    Ok(())
}

#[test]
fn a_column_is_given_as_it_is() -> Result<()> {
    let column: ArrayRef = Arc::new(arrow::array::Int32Array::from(vec![1, 2]));
    let expr = Expr::column(0, DataType::Int32);
    let found = evaluate(&expr, &[ArrayRef::clone(&column)], 2, &Context::new())?;
    assert!(Arc::ptr_eq(&found, &column));
    Ok(())
}
