//! Which types meet, and which casts join them: PostgreSQL's rules.
//!
//! A text literal has no type of its own: it takes the type of what it meets, and is read at once, so
//! that `day >= '2013-13-01'` is refused while binding. A number literal takes the type of the column
//! that it is compared with where it is exact there, so that the column is read as it is stored.
//! Must not know functions or names.

mod literal;

pub(crate) use self::literal::{exact_literal, scaled_interval, text_literal_as};

use super::expression::{Comparison, Expr};
use crate::types::{DataType, Error, Result, TimeUnit, Value};

/// How willingly a cast is made; each includes the ones before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Willingness {
    /// Made in any expression.
    Implicit,
    /// Made when a value is stored in a column.
    Assignment,
    /// Only when the query says CAST.
    Explicit,
}

/// The type that values of all these types can take without being asked; `None` when there is none.
pub fn common_type(types: &[DataType]) -> Option<DataType> {
    types.iter().try_fold(DataType::Null, |common, data_type| common_pair(common, *data_type))
}

fn common_pair(a: DataType, b: DataType) -> Option<DataType> {
    use DataType::{Date, Float32, Float64, Null, Time, Timestamp};
    match (a, b) {
        _ if a == b => Some(a),
        (Null, other) | (other, Null) => Some(other),
        _ if a.is_numeric() && b.is_numeric() => Some(match (a, b) {
            (Float32 | Float64, _) | (_, Float32 | Float64) => Float64,
            _ if a.is_integer() && b.is_integer() => common_integer(a, b),
            _ => common_decimal(a, b),
        }),
        (Date, Timestamp { .. }) => Some(b),
        (Timestamp { .. }, Date) => Some(a),
        (Timestamp { unit, zoned }, Timestamp { unit: other_unit, zoned: other_zoned }) => {
            Some(Timestamp { unit: unit.max(other_unit), zoned: zoned || other_zoned })
        }
        (Time(unit), Time(other_unit)) => Some(Time(unit.max(other_unit))),
        _ => None,
    }
}

/// The narrowest integer type that holds both; decimal for `UInt64` beside a signed type.
fn common_integer(a: DataType, b: DataType) -> DataType {
    if a.is_unsigned_integer() && b.is_unsigned_integer() {
        return wider_integer(a, b);
    }
    if a == DataType::UInt64 || b == DataType::UInt64 {
        return DataType::Decimal { precision: 20, scale: 0 };
    }
    wider_integer(to_signed(a), to_signed(b))
}

/// The wider of two signed integer types.
pub(crate) fn wider_integer(a: DataType, b: DataType) -> DataType {
    if integer_digits(a) >= integer_digits(b) { a } else { b }
}

/// The signed type that holds every value of an integer type; decimal for `UInt64`.
pub(crate) fn to_signed(data_type: DataType) -> DataType {
    match data_type {
        DataType::UInt8 => DataType::Int16,
        DataType::UInt16 => DataType::Int32,
        DataType::UInt32 => DataType::Int64,
        DataType::UInt64 => DataType::Decimal { precision: 20, scale: 0 },
        other => other,
    }
}

/// Decimal digits that hold every value of an integer type.
pub(crate) fn integer_digits(data_type: DataType) -> u8 {
    match data_type {
        DataType::Int8 | DataType::UInt8 => 3,
        DataType::Int16 | DataType::UInt16 => 5,
        DataType::Int32 | DataType::UInt32 => 10,
        DataType::UInt64 => 20,
        _ => 19,
    }
}

/// Precision and scale that an integer or decimal type needs.
pub(crate) fn decimal_parts(data_type: DataType) -> (u8, u8) {
    match data_type {
        DataType::Decimal { precision, scale } => (precision, scale),
        integer => (integer_digits(integer), 0),
    }
}

fn common_decimal(a: DataType, b: DataType) -> DataType {
    let ((precision, scale), (other_precision, other_scale)) = (decimal_parts(a), decimal_parts(b));
    let whole = (precision - scale).max(other_precision - other_scale);
    let scale = scale.max(other_scale);
    DataType::Decimal { precision: (whole + scale).min(38), scale }
}

/// Casts `expr` to `to` as any expression does without being asked.
///
/// # Errors
/// `Type` when that takes an explicit cast; `InvalidText` or `OutOfRange` for a text literal that is
/// no value of that type.
pub fn implicit_cast(expr: Expr, to: DataType) -> Result<Expr> {
    cast(expr, to, Willingness::Implicit)
}

/// Casts `expr` to `to` as storing it in a column does: numbers may be narrowed (checked when they
/// are stored), anything becomes text.
///
/// # Errors
/// As [`implicit_cast`].
pub fn assignment_cast(expr: Expr, to: DataType) -> Result<Expr> {
    cast(expr, to, Willingness::Assignment)
}

/// `CAST(expr AS to)`.
///
/// # Errors
/// `Type` when there is no such cast; `InvalidText` or `OutOfRange` for a text literal that is no
/// value of that type.
pub fn explicit_cast(expr: Expr, to: DataType) -> Result<Expr> {
    cast(expr, to, Willingness::Explicit)
}

/// `TRY_CAST(expr AS to)`: NULL where the cast fails.
///
/// # Errors
/// `Type` when there is no such cast.
pub fn try_cast(expr: Expr, to: DataType) -> Result<Expr> {
    check_cast(expr.data_type(), to, Willingness::Explicit)?;
    Ok(match expr.cast_to(to) {
        Expr::Cast { input, data_type, .. } => Expr::Cast { input, data_type, or_null: true },
        other => other,
    })
}

fn cast(expr: Expr, to: DataType, willingness: Willingness) -> Result<Expr> {
    let from = expr.data_type();
    if from == to {
        return Ok(expr);
    }
    if let Some(text) = text_of(&expr) {
        return text_literal_as(text, to);
    }
    check_cast(from, to, willingness)?;
    Ok(exact_literal(&expr, to).unwrap_or_else(|| expr.cast_to(to)))
}

/// The text of a text literal, which takes the type of what it meets.
pub(crate) fn text_of(expr: &Expr) -> Option<&str> {
    match expr {
        Expr::Literal { value: Value::Text(text), data_type: DataType::Utf8 } => Some(text),
        _ => None,
    }
}

fn check_cast(from: DataType, to: DataType, willingness: Willingness) -> Result<()> {
    match required_willingness(from, to) {
        Some(required) if required <= willingness => Ok(()),
        Some(_) => Err(Error::type_mismatch(format!("{from} does not become {to} by itself"))
            .with_hint(format!("write CAST(… AS {to})"))),
        None => Err(Error::type_mismatch(format!("cannot cast {from} to {to}"))),
    }
}

/// What it takes to cast one type to another; `None` when there is no such cast.
fn required_willingness(from: DataType, to: DataType) -> Option<Willingness> {
    use DataType::{Binary, Bool, Date, Interval, Null, Time, Timestamp, Utf8, Uuid};
    use Willingness::{Assignment, Explicit, Implicit};
    match (from, to) {
        _ if from == to => Some(Implicit),
        (Null, _) => Some(Implicit),
        (_, Null) => None,
        (_, Utf8) => Some(Assignment),
        (Utf8, _) => Some(Explicit),
        _ if from.is_numeric() && to.is_numeric() => {
            let widens = common_pair(from, to) == Some(to)
                || to == DataType::Float64
                || (from.is_integer() && matches!(to, DataType::Decimal { .. }));
            Some(if widens { Implicit } else { Assignment })
        }
        (Bool, _) if to.is_integer() => Some(Explicit),
        (_, Bool) if from.is_integer() => Some(Explicit),
        (Timestamp { zoned, .. }, Timestamp { zoned: to_zoned, .. }) => {
            Some(if to_zoned || !zoned { Implicit } else { Assignment })
        }
        (Date, Timestamp { .. }) | (Time(_), Time(_) | Interval) => Some(Implicit),
        (Timestamp { .. }, Date | Time(_)) | (Interval, Time(_)) => Some(Assignment),
        (Binary, Uuid) | (Uuid, Binary) => Some(Explicit),
        _ => None,
    }
}

/// Gives all expressions one type: that of the others for NULLs and text literals.
///
/// `what` names the construct in the error: `CASE`, `COALESCE`, `IN`, a column of VALUES.
///
/// # Errors
/// `Type` when there is no common type; `InvalidText` for a text literal that is no value of it.
pub fn unify(exprs: Vec<Expr>, what: &str) -> Result<Vec<Expr>> {
    let types: Vec<DataType> = exprs
        .iter()
        .filter(|expr| text_of(expr).is_none())
        .map(Expr::data_type)
        .filter(|data_type| *data_type != DataType::Null)
        .collect();
    let has_text_literal = exprs.iter().any(|expr| text_of(expr).is_some());
    let common = if types.is_empty() && has_text_literal {
        DataType::Utf8
    } else {
        common_type(&types).ok_or_else(|| no_common_type(&types, what))?
    };
    exprs.into_iter().map(|expr| implicit_cast(expr, common)).collect()
}

fn no_common_type(types: &[DataType], what: &str) -> Error {
    let first = types[0];
    let other = types.iter().find(|other| common_pair(first, **other).is_none());
    let other = other.or_else(|| types.last()).copied().unwrap_or(first);
    Error::type_mismatch(format!("{what} mixes {first} and {other}"))
        .with_hint(format!("write CAST(… AS {first}) or CAST(… AS {other})"))
}

/// `left op right`, with the casts that make both sides one type.
///
/// # Errors
/// `Type` when they cannot be compared; `InvalidText` or `OutOfRange` for a text literal that is no
/// value of the other side's type.
pub fn compare(op: Comparison, left: Expr, right: Expr) -> Result<Expr> {
    let (left, right) = comparable(left, right)?;
    Ok(Expr::Compare { op, left: Box::new(left), right: Box::new(right) })
}

fn comparable(left: Expr, right: Expr) -> Result<(Expr, Expr)> {
    let left = literal_beside(left, right.data_type())?;
    let right = literal_beside(right, left.data_type())?;
    let (from, to) = (left.data_type(), right.data_type());
    if from == DataType::Interval || to == DataType::Interval {
        return Err(Error::unsupported("comparing intervals is not supported"));
    }
    if from == to {
        return Ok((left, right));
    }
    if let Some(right) = narrowed(&right, &left) {
        return Ok((left, right));
    }
    if let Some(left) = narrowed(&left, &right) {
        return Ok((left, right));
    }
    let common = common_pair(from, to).ok_or_else(|| {
        Error::type_mismatch(format!("cannot compare {from} with {to}"))
            .with_hint(format!("write CAST(… AS {to}) or CAST(… AS {from}) on one side"))
    })?;
    Ok((cast_side(left, common), cast_side(right, common)))
}

fn cast_side(expr: Expr, to: DataType) -> Expr {
    exact_literal(&expr, to).unwrap_or_else(|| expr.cast_to(to))
}

/// A text literal, read as a value that can meet `other`; anything else as it is.
fn literal_beside(expr: Expr, other: DataType) -> Result<Expr> {
    match text_of(&expr) {
        Some(_) if matches!(other, DataType::Utf8 | DataType::Null) => Ok(expr),
        Some(text) => literal::text_literal_beside(text, other),
        None => Ok(expr),
    }
}

/// The literal in the type of the column side, where that loses nothing.
fn narrowed(literal: &Expr, other: &Expr) -> Option<Expr> {
    let is_literal = |expr: &Expr| matches!(expr, Expr::Literal { .. });
    if !is_literal(literal) || is_literal(other) {
        return None;
    }
    // A date column meets a timestamp as a timestamp: dates before it would compare differently
    // with a literal cut to its day only if the cut lost something, which `exact_literal` refuses.
    exact_literal(literal, other.data_type())
}

/// `input IN (items)`: constants of one type become a list, anything else comparisons joined by OR.
///
/// # Errors
/// As [`compare`].
pub fn in_list(input: Expr, items: Vec<Expr>) -> Result<Expr> {
    if let Some(list) = constant_list(&input, &items)? {
        return Ok(Expr::InList { input: Box::new(input), list });
    }
    let all_constant = items.iter().all(|item| matches!(item, Expr::Literal { .. }));
    if all_constant && text_of(&input).is_none() {
        let all = std::iter::once(input.clone()).chain(items.iter().cloned()).collect();
        let mut all = unify(all, "IN")?.into_iter();
        let input = all.next().expect("the input was put first");
        let data_type = input.data_type();
        let list: Option<Vec<Value>> = all.map(|item| literal_value(&item, data_type)).collect();
        if let Some(list) = list {
            return Ok(Expr::InList { input: Box::new(input), list });
        }
    }
    let terms: Result<_> =
        items.into_iter().map(|item| compare(Comparison::Equal, input.clone(), item)).collect();
    Ok(Expr::Or(terms?))
}

/// The items as values of the input's type; `None` when one is no constant of it.
fn constant_list(input: &Expr, items: &[Expr]) -> Result<Option<Vec<Value>>> {
    let data_type = input.data_type();
    if data_type == DataType::Interval {
        return Err(Error::unsupported("comparing intervals is not supported"));
    }
    let mut list = Vec::with_capacity(items.len());
    for item in items {
        let item = literal_beside(item.clone(), data_type)?;
        match literal_value(&item, data_type) {
            Some(value) => list.push(value),
            None => return Ok(None),
        }
    }
    Ok(Some(list))
}

fn literal_value(expr: &Expr, data_type: DataType) -> Option<Value> {
    match exact_literal(expr, data_type)? {
        Expr::Literal { value, .. } => Some(value),
        _ => None,
    }
}

/// A literal integer in the type that PostgreSQL gives it: `Int32`, else `Int64`, else a decimal.
///
/// # Errors
/// `OutOfRange` beyond 38 digits.
pub fn integer_literal(value: i128) -> Result<Expr> {
    let data_type = if i32::try_from(value).is_ok() {
        DataType::Int32
    } else if i64::try_from(value).is_ok() {
        DataType::Int64
    } else {
        let digits = literal::digit_count(value);
        if digits > 38 {
            return Err(Error::out_of_range(format!("{value} has more than 38 digits")));
        }
        DataType::Decimal { precision: digits, scale: 0 }
    };
    Ok(Expr::literal(Value::Int(value), data_type))
}

/// The finer of a type's unit and `unit`, for a type with a unit.
pub(crate) fn with_unit_of_at_least(data_type: DataType, unit: TimeUnit) -> DataType {
    match data_type {
        DataType::Timestamp { unit: own, zoned } => {
            DataType::Timestamp { unit: own.max(unit), zoned }
        }
        DataType::Time(own) => DataType::Time(own.max(unit)),
        other => other,
    }
}

#[cfg(test)]
mod tests;
