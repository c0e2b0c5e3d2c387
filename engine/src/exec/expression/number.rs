//! Rounding and the functions of doubles.

use arrow::array::{Array, ArrowPrimitiveType};
use arrow::datatypes::{Decimal128Type, Float64Type, Int64Type, UInt64Type};

use super::arithmetic::shown_decimal;
use super::operand::{Operand, map, zip_map};
use crate::plan::Function;
use crate::types::{DataType, Error, Result, cast};

/// Which way a number between two is taken.
#[derive(Clone, Copy)]
pub(super) enum Direction {
    HalfAway,
    TowardsZero,
    Down,
    Up,
}

/// `round`, `trunc`, `floor`, `ceil` of an argument of type `from`, to `digits` after the point.
pub(super) fn round(
    function: Function,
    inputs: &[Operand],
    from: DataType,
    data_type: DataType,
) -> Result<Operand> {
    let direction = match function {
        Function::Round => Direction::HalfAway,
        Function::Truncate => Direction::TowardsZero,
        Function::Floor => Direction::Down,
        _ => Direction::Up,
    };
    let zero = Operand::literal(&crate::types::Value::Int(0), DataType::Int64)?;
    let digits = inputs.get(1).unwrap_or(&zero);
    let (input, has_digits) = (&inputs[0], inputs.len() > 1);
    match from {
        DataType::Float64 if has_digits => zip_map::<Float64Type, Int64Type, Float64Type>(
            input,
            digits,
            data_type,
            |value, digits| Ok(round_to_digits(value, digits, direction)),
        ),
        DataType::Float64 => map::<Float64Type, Float64Type>(input, data_type, |value| {
            Ok(round_double(value, direction))
        }),
        DataType::Decimal { scale, .. } => {
            let (result_precision, result_scale) = match data_type {
                DataType::Decimal { precision, scale } => (precision, scale),
                _ => (38, 0),
            };
            zip_map::<Decimal128Type, Int64Type, Decimal128Type>(
                input,
                digits,
                data_type,
                |value, digits| {
                    rescale(
                        round_decimal(value, scale, digits, direction),
                        result_scale,
                        result_precision,
                    )
                    .ok_or_else(|| {
                        let value = shown_decimal(value, scale);
                        Error::out_of_range(format!(
                            "{data_type} out of range: {function}({value})"
                        ))
                    })
                },
            )
        }
        _ if !has_digits => Ok(input.clone()),
        _ => round_integer(input, digits, data_type, direction),
    }
}

fn round_double(value: f64, direction: Direction) -> f64 {
    match direction {
        Direction::HalfAway => value.round_ties_even(),
        Direction::TowardsZero => value.trunc(),
        Direction::Down => value.floor(),
        Direction::Up => value.ceil(),
    }
}

/// Rounds at a power of ten; a double that has no digit there, or too many, stays.
fn round_to_digits(value: f64, digits: i64, direction: Direction) -> f64 {
    let digits = i32::try_from(digits.clamp(-400, 400)).unwrap_or(0);
    let factor = 10_f64.powi(digits.abs());
    let scaled = if digits >= 0 { value * factor } else { value / factor };
    if !scaled.is_finite() || !factor.is_finite() {
        return if digits < 0 { 0.0 } else { value };
    }
    let rounded = round_double(scaled, direction);
    if digits >= 0 { rounded / factor } else { rounded * factor }
}

/// Digits and scale of a decimal with at most `digits` after the point.
fn round_decimal(value: i128, scale: u8, digits: i64, direction: Direction) -> (i128, i64) {
    let dropped = i64::from(scale).saturating_sub(digits);
    if dropped <= 0 {
        return (value, i64::from(scale));
    }
    let rounded = match u32::try_from(dropped).ok().and_then(|dropped| 10_i128.checked_pow(dropped))
    {
        Some(unit) => divide(value, unit, direction),
        // The unit is beyond 38 digits: everything is less than half of it.
        None => match direction {
            Direction::Down if value < 0 => -1,
            Direction::Up if value > 0 => 1,
            _ => 0,
        },
    };
    (rounded, digits)
}

/// A rounded decimal at its result's scale; `None` when it does not fit.
fn rescale((value, digits): (i128, i64), scale: u8, precision: u8) -> Option<i128> {
    if value == 0 {
        return Some(0);
    }
    let added = u32::try_from(i64::from(scale).checked_sub(digits)?).ok()?;
    let rescaled = value.checked_mul(10_i128.checked_pow(added)?)?;
    (rescaled.unsigned_abs() < 10_u128.pow(u32::from(precision))).then_some(rescaled)
}

/// `value / unit`, rounded.
pub(super) fn divide(value: i128, unit: i128, direction: Direction) -> i128 {
    let (quotient, remainder) = (value / unit, value % unit);
    let up = match direction {
        Direction::HalfAway => remainder.unsigned_abs() >= unit.unsigned_abs().div_ceil(2),
        Direction::TowardsZero => false,
        Direction::Down => remainder < 0,
        Direction::Up => remainder > 0,
    };
    if up { quotient + if value < 0 { -1 } else { 1 } } else { quotient }
}

fn round_integer(
    input: &Operand,
    digits: &Operand,
    data_type: DataType,
    direction: Direction,
) -> Result<Operand> {
    if data_type == DataType::UInt64 {
        return round_64_bits::<UInt64Type>(input, digits, data_type, direction);
    }
    let wide = input.with_array(cast(input.array(), &DataType::Int64.to_arrow())?);
    let rounded = round_64_bits::<Int64Type>(&wide, digits, DataType::Int64, direction)?;
    let narrow = cast(rounded.array(), &data_type.to_arrow())?;
    let is_lost = |row: &usize| narrow.is_null(*row) && rounded.array().is_valid(*row);
    if narrow.null_count() > rounded.array().null_count()
        && let Some(row) = (0..narrow.len()).find(is_lost)
    {
        let values = wide.as_primitive::<Int64Type>();
        let value = values.value(row.min(values.len() - 1));
        return Err(Error::out_of_range(format!("{data_type} out of range: round({value})")));
    }
    Ok(rounded.with_array(narrow))
}

fn round_64_bits<T>(
    input: &Operand,
    digits: &Operand,
    data_type: DataType,
    direction: Direction,
) -> Result<Operand>
where
    T: ArrowPrimitiveType,
    T::Native: Into<i128> + TryFrom<i128>,
{
    zip_map::<T, Int64Type, T>(input, digits, data_type, |value, digits| {
        let value: i128 = value.into();
        rescale(round_decimal(value, 0, digits, direction), 0, 38)
            .and_then(|rounded| T::Native::try_from(rounded).ok())
            .ok_or_else(|| Error::out_of_range(format!("{data_type} out of range: round({value})")))
    })
}

/// `sqrt`, `exp`, `ln`, `log10`.
pub(super) fn double_function(function: Function, input: &Operand) -> Result<Operand> {
    map::<Float64Type, Float64Type>(input, DataType::Float64, |value| match function {
        Function::Sqrt if value < 0.0 => {
            Err(Error::out_of_range(format!("cannot take the square root of {value}")))
        }
        Function::Sqrt => Ok(value.sqrt()),
        Function::Exp => {
            let result = value.exp();
            let lost = result.is_infinite() || result == 0.0;
            if lost && value.is_finite() {
                return Err(Error::out_of_range(format!("value out of range: exp({value})")));
            }
            Ok(result)
        }
        _ if value <= 0.0 => {
            Err(Error::out_of_range(format!("cannot take the logarithm of {value}")))
        }
        Function::Ln => Ok(value.ln()),
        _ => Ok(value.log10()),
    })
}

/// `a ^ b`
pub(super) fn power(inputs: &[Operand]) -> Result<Operand> {
    zip_map::<Float64Type, Float64Type, Float64Type>(
        &inputs[0],
        &inputs[1],
        DataType::Float64,
        |base, exponent| {
            if base == 0.0 && exponent < 0.0 {
                return Err(Error::out_of_range("zero raised to a negative power is undefined"));
            }
            if base < 0.0 && base.is_finite() && exponent.is_finite() && exponent.fract() != 0.0 {
                return Err(Error::out_of_range(
                    "a negative number raised to a non-integer power yields a complex result",
                ));
            }
            let result = base.powf(exponent);
            let lost = result.is_infinite() || (result == 0.0 && base != 0.0);
            if lost && base.is_finite() && exponent.is_finite() {
                return Err(Error::out_of_range(format!(
                    "value out of range: {base} raised to {exponent}"
                )));
            }
            Ok(result)
        },
    )
}
