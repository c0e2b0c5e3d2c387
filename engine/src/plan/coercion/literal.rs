//! Literals brought to another type while planning.

use crate::plan::Expr;
use crate::types::calendar::SECONDS_PER_DAY;
use crate::types::text::{parse_decimal, parse_time, parse_timestamp};
use crate::types::{DataType, Error, Result, TimeUnit, Value};

/// Doubles hold every integer up to here.
const EXACT_DOUBLE_MAX: i128 = 1 << 53;

/// The text read as a value of `to`, as `CAST('…' AS to)`.
pub(crate) fn text_literal_as(text: &str, to: DataType) -> Result<Expr> {
    match to {
        DataType::Utf8 | DataType::Null => {
            Ok(Expr::literal(Value::Text(text.to_owned()), DataType::Utf8))
        }
        // Reading it takes the session's time zone: a constant only when the query runs.
        DataType::Timestamp { zoned: true, .. } => {
            parse_timestamp(text)?;
            let literal = Expr::literal(Value::Text(text.to_owned()), DataType::Utf8);
            Ok(Expr::Cast { input: Box::new(literal), data_type: to, or_null: false })
        }
        _ => Ok(Expr::literal(Value::parse(text, to)?, to)),
    }
}

/// The text read as a value that can be compared with one of type `other`: its digits are kept where
/// the other side has fewer.
pub(super) fn text_literal_beside(text: &str, other: DataType) -> Result<Expr> {
    match other {
        DataType::Decimal { .. } => decimal_literal(text),
        DataType::Timestamp { unit, zoned: false } => {
            let parsed = parse_timestamp(text)?;
            let unit = finest_needed(unit, |unit| parsed.is_exact(unit));
            text_literal_as(text, DataType::Timestamp { unit, zoned: false })
        }
        DataType::Time(unit) => {
            let nanoseconds = parse_time(text, TimeUnit::Nanosecond)?;
            let exact = |unit: TimeUnit| nanoseconds % (1_000_000_000 / unit.per_second()) == 0;
            text_literal_as(text, DataType::Time(finest_needed(unit, exact)))
        }
        other => text_literal_as(text, other),
    }
}

/// `unit`, or the coarsest finer one that is exact.
fn finest_needed(unit: TimeUnit, exact: impl Fn(TimeUnit) -> bool) -> TimeUnit {
    use TimeUnit::{Microsecond, Millisecond, Nanosecond, Second};
    [Second, Millisecond, Microsecond]
        .into_iter()
        .find(|candidate| *candidate >= unit && exact(*candidate))
        .unwrap_or(Nanosecond)
}

/// A decimal with as many digits as are written.
fn decimal_literal(text: &str) -> Result<Expr> {
    let mantissa = text.trim_ascii();
    let scientific = mantissa.contains(['e', 'E']);
    let fraction_len = mantissa.split_once('.').map_or(0, |(_, fraction)| fraction.len());
    let scale = if scientific { 18 } else { u8::try_from(fraction_len.min(38)).unwrap_or(38) };
    let value = parse_decimal(text, 38, scale)?;
    Ok(Expr::literal(Value::Int(value), decimal_type(value, scale)))
}

/// The narrowest decimal type of these digits.
fn decimal_type(value: i128, scale: u8) -> DataType {
    DataType::Decimal { precision: digit_count(value).max(scale).max(1), scale }
}

/// Decimal digits of the magnitude; 0 for 0.
pub(super) fn digit_count(value: i128) -> u8 {
    value.unsigned_abs().checked_ilog10().map_or(0, |log| u8::try_from(log + 1).unwrap_or(39))
}

/// The literal as a literal of `to`, where that is the same value; `None` for anything else.
pub(crate) fn exact_literal(expr: &Expr, to: DataType) -> Option<Expr> {
    let Expr::Literal { value, data_type } = expr else {
        return None;
    };
    exact_value(value, *data_type, to).map(|value| Expr::literal(value, to))
}

fn exact_value(value: &Value, from: DataType, to: DataType) -> Option<Value> {
    if from == to || value.is_null() {
        return Some(value.clone());
    }
    match value {
        Value::Int(value) if is_exact_number(from) && is_exact_number(to) => {
            exact_number(*value, from, to).map(Value::Int)
        }
        Value::Int(value) if is_exact_number(from) && to.is_float() => {
            exact_float(*value, from, to)
        }
        Value::Int(value) if from.is_temporal() && to.is_temporal() => {
            exact_time(*value, from, to).map(Value::Int)
        }
        // A single is a double; the other way only where nothing is lost.
        Value::Float(value) if to == DataType::Float64 => Some(Value::Float(*value)),
        Value::Float(value) if to == DataType::Float32 => fits_single(*value),
        _ => None,
    }
}

fn is_exact_number(data_type: DataType) -> bool {
    data_type.is_integer() || matches!(data_type, DataType::Decimal { .. })
}

fn scale_of(data_type: DataType) -> u32 {
    match data_type {
        DataType::Decimal { scale, .. } => u32::from(scale),
        _ => 0,
    }
}

fn exact_number(value: i128, from: DataType, to: DataType) -> Option<i128> {
    let (from_scale, to_scale) = (scale_of(from), scale_of(to));
    let scaled = if to_scale >= from_scale {
        value.checked_mul(10_i128.checked_pow(to_scale - from_scale)?)?
    } else {
        let unit = 10_i128.checked_pow(from_scale - to_scale)?;
        (value % unit == 0).then_some(value / unit)?
    };
    fits(scaled, to).then_some(scaled)
}

/// Whether an integer or decimal type holds these digits.
fn fits(value: i128, data_type: DataType) -> bool {
    match data_type {
        DataType::Int8 => i8::try_from(value).is_ok(),
        DataType::Int16 => i16::try_from(value).is_ok(),
        DataType::Int32 | DataType::Date => i32::try_from(value).is_ok(),
        DataType::UInt8 => u8::try_from(value).is_ok(),
        DataType::UInt16 => u16::try_from(value).is_ok(),
        DataType::UInt32 => u32::try_from(value).is_ok(),
        DataType::UInt64 => u64::try_from(value).is_ok(),
        DataType::Decimal { precision, .. } => digit_count(value) <= precision,
        _ => i64::try_from(value).is_ok(),
    }
}

/// A number rounded once to a double; to a single only where it is exact, since PostgreSQL compares
/// singles with other numbers as doubles.
#[expect(clippy::cast_precision_loss, reason = "exact below 2^53, which is checked")]
fn exact_float(value: i128, from: DataType, to: DataType) -> Option<Value> {
    let unit = 10_i128.checked_pow(scale_of(from))?;
    if value.abs() > EXACT_DOUBLE_MAX || unit > 10_i128.pow(22) {
        return None;
    }
    // Both operands are exact, so that the quotient is rounded once. Powers of ten are exact up to
    // 10^22.
    let double = value as f64 / unit as f64;
    if to == DataType::Float64 {
        return Some(Value::Float(double));
    }
    // 0.1 is a double but no decimal fraction: a single holds it only if the digits say so.
    (value % unit == 0).then(|| fits_single(double)).flatten()
}

#[expect(clippy::cast_possible_truncation, reason = "the cast back tells whether it was exact")]
fn fits_single(value: f64) -> Option<Value> {
    (f64::from(value as f32).to_bits() == value.to_bits()).then_some(Value::Float(value))
}

fn exact_time(value: i128, from: DataType, to: DataType) -> Option<i128> {
    use DataType::{Date, Time, Timestamp};
    let (from_unit, to_unit) = match (from, to) {
        (Date, Timestamp { unit, zoned: false }) => {
            let seconds = value.checked_mul(i128::from(SECONDS_PER_DAY))?;
            return exact_unit(seconds, TimeUnit::Second, unit);
        }
        (Timestamp { unit, zoned: false }, Date) => {
            let seconds = exact_unit(value, unit, TimeUnit::Second)?;
            let day = i128::from(SECONDS_PER_DAY);
            let days = seconds / day;
            return (seconds % day == 0 && fits(days, Date)).then_some(days);
        }
        (Timestamp { unit, zoned }, Timestamp { unit: to_unit, zoned: to_zoned })
            if zoned == to_zoned =>
        {
            (unit, to_unit)
        }
        (Time(unit), Time(to_unit)) => (unit, to_unit),
        _ => return None,
    };
    exact_unit(value, from_unit, to_unit)
}

fn exact_unit(value: i128, from: TimeUnit, to: TimeUnit) -> Option<i128> {
    let (from, to) = (i128::from(from.per_second()), i128::from(to.per_second()));
    let scaled = value.checked_mul(to)?;
    let converted = scaled / from;
    (scaled % from == 0 && i64::try_from(converted).is_ok()).then_some(converted)
}

/// An interval literal times a whole number.
pub(crate) fn scaled_interval(interval: crate::types::Interval, factor: i128) -> Result<Value> {
    let out_of_range = || Error::out_of_range(format!("interval out of range: times {factor}"));
    let scaled = |part: i64| i128::from(part).checked_mul(factor).ok_or_else(out_of_range);
    let narrow = |part: i32| i32::try_from(scaled(i64::from(part))?).map_err(|_| out_of_range());
    Ok(Value::Interval(crate::types::Interval {
        months: narrow(interval.months)?,
        days: narrow(interval.days)?,
        nanoseconds: i64::try_from(scaled(interval.nanoseconds)?).map_err(|_| out_of_range())?,
    }))
}
