//! Casts between numbers.
//!
//! Doubles round half to even, decimals half away from zero; what does not fit is an error that
//! names the value.

use arrow::array::{Array, ArrayRef, ArrowPrimitiveType};
use arrow::datatypes::{Decimal128Type, Float32Type, Float64Type};

use super::super::arithmetic::{match_whole_type, shown_decimal};
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
        (_, Decimal { precision, scale }) => {
            macro_rules! integers {
                ($arrow:ty) => {
                    integer_to_decimal::<$arrow>(array, target, (precision, scale))
                };
            }
            match_whole_type!(target.from, integers)
        }
        (_, Float32 | Float64) => Ok(arrow::compute::cast(array, &target.to.to_arrow())?),
        _ => integer_to_integer(array, target),
    }
}

fn integer_to_integer(array: &dyn Array, target: Target) -> Result<ArrayRef> {
    // Arrow casts vectorised; with `safe` a value that does not fit becomes NULL, and its loss shows
    // in the null count.
    let cast = arrow::compute::cast(array, &target.to.to_arrow())?;
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
    macro_rules! integers {
        ($arrow:ty) => {
            convert::<Decimal128Type, $arrow>(array, target, |value| {
                let whole = divide(value, unit, Direction::HalfAway);
                <$arrow as ArrowPrimitiveType>::Native::try_from(whole)
                    .map_err(|_| out_of_range(shown_decimal(value, scale), target.to))
            })
        };
    }
    match_whole_type!(target.to, integers)
}

fn float_to_integer(array: &dyn Array, target: Target) -> Result<ArrayRef> {
    macro_rules! integers {
        ($arrow:ty) => {
            match target.from {
                DataType::Float32 => convert::<Float32Type, $arrow>(array, target, |value| {
                    whole::<<$arrow as ArrowPrimitiveType>::Native>(f64::from(value), target.to)
                }),
                _ => convert::<Float64Type, $arrow>(array, target, |value| {
                    whole::<<$arrow as ArrowPrimitiveType>::Native>(value, target.to)
                }),
            }
        };
    }
    match_whole_type!(target.to, integers)
}

/// A double as an integer, half to even.
fn whole<N: TryFrom<i128>>(value: f64, to: DataType) -> Result<N> {
    // Far outside every integer type, and far inside i128.
    const LIMIT: f64 = 1e30;
    let rounded = value.round_ties_even();
    if rounded.is_nan() || rounded.abs() > LIMIT {
        return Err(out_of_range(value, to));
    }
    #[expect(clippy::cast_possible_truncation, reason = "whole, and bounded by LIMIT")]
    let whole = rounded as i128;
    N::try_from(whole).map_err(|_| out_of_range(value, to))
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
