//! Casts between numbers.
//!
//! Doubles round half to even, decimals half away from zero; what does not fit is an error that
//! names the value.

use arrow::array::{Array, ArrayRef, ArrowPrimitiveType};
use arrow::datatypes::{Decimal128Type, Float32Type, Float64Type, Int64Type, UInt64Type};

use super::super::arithmetic::shown_decimal;
use super::super::number::{Direction, divide};
use super::{Target, convert, out_of_range};
use crate::types::text::parse_decimal;
use crate::types::{DataType, Error, Result};

pub(super) fn cast(array: &dyn Array, target: Target) -> Result<ArrayRef> {
    use DataType::{Decimal, Float32, Float64};
    match (target.from, target.to) {
        (Float32, Float64) => convert::<Float32Type, Float64Type>(array, target, |v| Ok(v.into())),
        (Float64, Float32) => convert::<Float64Type, Float32Type>(array, target, to_single),
        (Float32 | Float64, to) if to.is_integer() => float_to_integer(array, target),
        (Float32, Decimal { precision, scale }) => {
            convert::<Float32Type, Decimal128Type>(array, target, |value| {
                float_to_decimal(value.into(), &format!("{value:.5e}"), precision, scale)
            })
        }
        (Float64, Decimal { precision, scale }) => {
            convert::<Float64Type, Decimal128Type>(array, target, |value| {
                float_to_decimal(value, &format!("{value:.14e}"), precision, scale)
            })
        }
        (Decimal { scale, .. }, Decimal { precision, scale: to_scale }) => {
            convert::<Decimal128Type, Decimal128Type>(array, target, |value| {
                rescale(value, (scale, to_scale), precision)
                    .ok_or_else(|| out_of_range(shown_decimal(value, scale), target.to))
            })
        }
        (Decimal { scale, .. }, Float64) => {
            convert::<Decimal128Type, Float64Type>(array, target, |v| Ok(to_double(v, scale)))
        }
        (Decimal { scale, .. }, Float32) => {
            convert::<Decimal128Type, Float32Type>(array, target, |v| {
                to_single(to_double(v, scale))
            })
        }
        (Decimal { .. }, _) => decimal_to_integer(array, target),
        (DataType::UInt64, Decimal { precision, scale }) => {
            integer_to_decimal::<UInt64Type>(array, target, (precision, scale))
        }
        (_, Decimal { precision, scale }) => {
            let integers = crate::types::cast(array, &DataType::Int64.to_arrow())?;
            integer_to_decimal::<Int64Type>(&integers, target, (precision, scale))
        }
        (_, Float32 | Float64) => crate::types::cast(array, &target.to.to_arrow()),
        _ => integer_to_integer(array, target),
    }
}

fn integer_to_integer(array: &dyn Array, target: Target) -> Result<ArrayRef> {
    // Arrow casts vectorised; with `safe` a value that does not fit becomes NULL, and its loss shows
    // in the null count.
    let cast = crate::types::cast(array, &target.to.to_arrow())?;
    if target.or_null || cast.null_count() == array.null_count() {
        return Ok(cast);
    }
    let lost = (0..array.len()).find(|row| array.is_valid(*row) && cast.is_null(*row)).unwrap_or(0);
    let value = crate::types::Value::from_array(array, target.from, lost);
    Err(out_of_range(value.to_text(target.from), target.to))
}

fn integer_to_decimal<T>(
    array: &dyn Array,
    target: Target,
    (precision, scale): (u8, u8),
) -> Result<ArrayRef>
where
    T: ArrowPrimitiveType,
    T::Native: Into<i128>,
{
    convert::<T, Decimal128Type>(array, target, |value| {
        let value: i128 = value.into();
        rescale(value, (0, scale), precision).ok_or_else(|| out_of_range(value, target.to))
    })
}

/// A decimal's digits at another scale; `None` when they are more than `precision`.
fn rescale(value: i128, (from, to): (u8, u8), precision: u8) -> Option<i128> {
    let rescaled = if to >= from {
        value.checked_mul(10_i128.checked_pow(u32::from(to - from))?)?
    } else {
        divide(value, 10_i128.checked_pow(u32::from(from - to))?, Direction::HalfAway)
    };
    (rescaled.unsigned_abs() < 10_u128.pow(u32::from(precision))).then_some(rescaled)
}

fn decimal_to_integer(array: &dyn Array, target: Target) -> Result<ArrayRef> {
    let DataType::Decimal { scale, .. } = target.from else {
        return Err(Error::internal(format!("{} is no decimal type", target.from)));
    };
    let unit = 10_i128.pow(u32::from(scale));
    let whole = |value: i128| divide(value, unit, Direction::HalfAway);
    let refused = |value| out_of_range(shown_decimal(value, scale), target.to);
    through_64_bits::<Decimal128Type>(array, target, whole, refused)
}

/// A double as an integer, half to even.
fn float_to_integer(array: &dyn Array, target: Target) -> Result<ArrayRef> {
    // What is no integer is far outside every integer type, and far inside i128.
    const LIMIT: f64 = 1e30;
    #[expect(clippy::cast_possible_truncation, reason = "whole, and bounded by LIMIT")]
    let whole = |value: f64| match value.round_ties_even() {
        rounded if rounded.abs() <= LIMIT => rounded as i128,
        _ => i128::MAX,
    };
    let doubles = crate::types::cast(array, &DataType::Float64.to_arrow())?;
    through_64_bits::<Float64Type>(&doubles, target, whole, |value| out_of_range(value, target.to))
}

/// Casts to the widest integers, whose values are checked to be of the narrower type, and to that: one
/// loop instead of one for each type.
fn through_64_bits<T: ArrowPrimitiveType>(
    array: &dyn Array,
    target: Target,
    whole: impl Fn(T::Native) -> i128,
    refused: impl Fn(T::Native) -> Error,
) -> Result<ArrayRef> {
    let bits: u32 = match target.to {
        DataType::Int8 | DataType::UInt8 => 8,
        DataType::Int16 | DataType::UInt16 => 16,
        DataType::Int32 | DataType::UInt32 => 32,
        _ => 64,
    };
    let (least, greatest) = if target.to.is_unsigned_integer() {
        (0, (1_i128 << bits) - 1)
    } else {
        (-(1_i128 << (bits - 1)), (1_i128 << (bits - 1)) - 1)
    };
    let checked = |value: T::Native| {
        let integer = whole(value);
        let fits = (least..=greatest).contains(&integer);
        if fits { Ok(integer) } else { Err(refused(value)) }
    };
    let wide = |data_type| Target { to: data_type, ..target };
    let widest = if target.to == DataType::UInt64 {
        convert::<T, UInt64Type>(array, wide(DataType::UInt64), |value| {
            checked(value).map(|integer| u64::try_from(integer).unwrap_or(u64::MAX))
        })
    } else {
        convert::<T, Int64Type>(array, wide(DataType::Int64), |value| {
            checked(value).map(|integer| i64::try_from(integer).unwrap_or(i64::MAX))
        })
    };
    crate::types::cast(&widest?, &target.to.to_arrow())
}

/// A double keeps its 15 sure digits, a single its 6, as PostgreSQL's numeric does.
fn float_to_decimal(value: f64, digits: &str, precision: u8, scale: u8) -> Result<i128> {
    let to = DataType::Decimal { precision, scale };
    if !value.is_finite() {
        return Err(out_of_range(value, to));
    }
    parse_decimal(digits, precision, scale).map_err(|_| out_of_range(value, to))
}

#[expect(clippy::cast_possible_truncation, reason = "rounding to a single is what is asked for")]
fn to_single(value: f64) -> Result<f32> {
    let single = value as f32;
    let overflows = single.is_infinite() && value.is_finite();
    let underflows = single == 0.0 && value != 0.0;
    if overflows || underflows {
        return Err(out_of_range(value, DataType::Float32));
    }
    Ok(single)
}

/// A decimal as the nearest double.
#[expect(clippy::cast_precision_loss, reason = "exact below 2^53, which is checked")]
fn to_double(value: i128, scale: u8) -> f64 {
    const EXACT_MAX: u128 = 1 << 53;
    // Both exact: the quotient is rounded once. Powers of ten are exact up to 10^22.
    if value.unsigned_abs() <= EXACT_MAX && scale <= 22 {
        return value as f64 / 10_f64.powi(i32::from(scale));
    }
    shown_decimal(value, scale).parse().expect("a decimal reads as a double")
}
