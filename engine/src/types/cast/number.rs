//! Between whole numbers, fractions, decimals and truth values.
//!
//! A number is first widened: to 64 bits, to a double, or to the 128 bits of a decimal; then narrowed.

use arrow::array::{
    Array, ArrayRef, ArrowPrimitiveType, AsArray, BooleanArray, Decimal128Array, Float64Array,
    Int64Array, PrimitiveArray, UInt64Array,
};
use arrow::datatypes::{
    DataType as ArrowType, Decimal32Type, Decimal64Type, Decimal128Type, Decimal256Type,
    Float16Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type, UInt8Type,
    UInt16Type, UInt32Type, UInt64Type,
};

use super::{no_cast, shared};
use crate::types::Result;

pub(super) fn is_number(data_type: &ArrowType) -> bool {
    data_type.is_numeric() || *data_type == ArrowType::Boolean
}

/// A number of any type in one of few.
enum Wide {
    Signed(Int64Array),
    /// Of 64 bits.
    Unsigned(UInt64Array),
    Float(Float64Array),
    /// With its digits behind the point.
    Decimal(Decimal128Array, i8),
}

pub(super) fn cast(array: &dyn Array, to: &ArrowType) -> Result<ArrayRef> {
    if let Some(doubles) = as_doubles(array, to) {
        return Ok(doubles);
    }
    match widened(array)? {
        Wide::Signed(values) => from_signed(&values, to),
        Wide::Unsigned(values) => from_unsigned(&values, to),
        Wide::Float(values) => from_float(&values, to),
        Wide::Decimal(values, scale) => from_decimal(&values, scale, to),
    }
}

/// The usual widening of the arguments of averages and divisions, in one step.
fn as_doubles(array: &dyn Array, to: &ArrowType) -> Option<ArrayRef> {
    if *to != ArrowType::Float64 {
        return None;
    }
    Some(match array.data_type() {
        ArrowType::Int8 => lossless::<Int8Type, Float64Type>(array),
        ArrowType::Int16 => lossless::<Int16Type, Float64Type>(array),
        ArrowType::Int32 => lossless::<Int32Type, Float64Type>(array),
        ArrowType::UInt8 => lossless::<UInt8Type, Float64Type>(array),
        ArrowType::UInt16 => lossless::<UInt16Type, Float64Type>(array),
        ArrowType::UInt32 => lossless::<UInt32Type, Float64Type>(array),
        _ => return None,
    })
}

fn widened(array: &dyn Array) -> Result<Wide> {
    let signed = |array: ArrayRef| Wide::Signed(array.as_primitive().clone());
    Ok(match array.data_type() {
        ArrowType::Int8 => signed(lossless::<Int8Type, Int64Type>(array)),
        ArrowType::Int16 => signed(lossless::<Int16Type, Int64Type>(array)),
        ArrowType::Int32 => signed(lossless::<Int32Type, Int64Type>(array)),
        ArrowType::Int64 => Wide::Signed(array.as_primitive().clone()),
        ArrowType::UInt8 => signed(lossless::<UInt8Type, Int64Type>(array)),
        ArrowType::UInt16 => signed(lossless::<UInt16Type, Int64Type>(array)),
        ArrowType::UInt32 => signed(lossless::<UInt32Type, Int64Type>(array)),
        ArrowType::UInt64 => Wide::Unsigned(array.as_primitive().clone()),
        ArrowType::Boolean => {
            let truths = array.as_boolean();
            let values: Vec<i64> = truths.values().iter().map(i64::from).collect();
            Wide::Signed(Int64Array::new(values.into(), truths.nulls().cloned()))
        }
        ArrowType::Float16 => {
            let halves = array.as_primitive::<Float16Type>();
            Wide::Float(halves.unary(<Float16Type as ArrowPrimitiveType>::Native::to_f64))
        }
        ArrowType::Float32 => {
            Wide::Float(lossless::<Float32Type, Float64Type>(array).as_primitive().clone())
        }
        ArrowType::Float64 => Wide::Float(array.as_primitive().clone()),
        ArrowType::Decimal32(_, scale) => {
            Wide::Decimal(array.as_primitive::<Decimal32Type>().unary(i128::from), *scale)
        }
        ArrowType::Decimal64(_, scale) => {
            Wide::Decimal(array.as_primitive::<Decimal64Type>().unary(i128::from), *scale)
        }
        ArrowType::Decimal128(_, scale) => Wide::Decimal(array.as_primitive().clone(), *scale),
        ArrowType::Decimal256(_, scale) => {
            let values = array.as_primitive::<Decimal256Type>();
            Wide::Decimal(values.unary_opt(arrow::datatypes::i256::to_i128), *scale)
        }
        other => return Err(no_cast(other, &ArrowType::Int64)),
    })
}

/// Every value of the source is one of the target.
fn lossless<S, T>(array: &dyn Array) -> ArrayRef
where
    S: ArrowPrimitiveType,
    T: ArrowPrimitiveType,
    T::Native: From<S::Native>,
{
    shared(array.as_primitive::<S>().unary::<_, T>(T::Native::from))
}

pub(super) fn from_signed(values: &Int64Array, to: &ArrowType) -> Result<ArrayRef> {
    Ok(match to {
        ArrowType::Int8 => narrowed::<Int64Type, Int8Type>(values),
        ArrowType::Int16 => narrowed::<Int64Type, Int16Type>(values),
        ArrowType::Int32 => narrowed::<Int64Type, Int32Type>(values),
        ArrowType::Int64 => shared(values.clone()),
        ArrowType::UInt8 => narrowed::<Int64Type, UInt8Type>(values),
        ArrowType::UInt16 => narrowed::<Int64Type, UInt16Type>(values),
        ArrowType::UInt32 => narrowed::<Int64Type, UInt32Type>(values),
        ArrowType::UInt64 => narrowed::<Int64Type, UInt64Type>(values),
        #[expect(clippy::cast_precision_loss, reason = "rounds to the nearest, as SQL has it")]
        ArrowType::Float32 => shared(values.unary::<_, Float32Type>(|value| value as f32)),
        #[expect(clippy::cast_precision_loss, reason = "rounds to the nearest, as SQL has it")]
        ArrowType::Float64 => shared(values.unary::<_, Float64Type>(|value| value as f64)),
        ArrowType::Boolean => shared(truths(values, |value| value != 0)),
        ArrowType::Decimal128(precision, scale) => {
            decimals(values, *precision, 0, *scale, |value| Some(i128::from(value)))
        }
        other => return Err(no_cast(values.data_type(), other)),
    })
}

fn from_unsigned(values: &UInt64Array, to: &ArrowType) -> Result<ArrayRef> {
    Ok(match to {
        #[expect(clippy::cast_precision_loss, reason = "rounds to the nearest, as SQL has it")]
        ArrowType::Float32 => shared(values.unary::<_, Float32Type>(|value| value as f32)),
        #[expect(clippy::cast_precision_loss, reason = "rounds to the nearest, as SQL has it")]
        ArrowType::Float64 => shared(values.unary::<_, Float64Type>(|value| value as f64)),
        ArrowType::Boolean => shared(truths(values, |value| value != 0)),
        ArrowType::Decimal128(precision, scale) => {
            decimals(values, *precision, 0, *scale, |value| Some(i128::from(value)))
        }
        // What 63 bits do not hold, no narrower integer does.
        _ => {
            let signed = narrowed::<UInt64Type, Int64Type>(values);
            return from_signed(signed.as_primitive(), to);
        }
    })
}

/// Whole numbers are cut, not rounded, as Arrow does; SQL's casts round before.
fn from_float(values: &Float64Array, to: &ArrowType) -> Result<ArrayRef> {
    Ok(match to {
        #[expect(clippy::cast_possible_truncation, reason = "rounds to the nearest single")]
        ArrowType::Float32 => shared(values.unary::<_, Float32Type>(|value| value as f32)),
        ArrowType::Float64 => shared(values.clone()),
        ArrowType::Boolean => shared(truths(values, |value| value != 0.0)),
        ArrowType::UInt64 => {
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "checked")]
            let whole =
                |value: f64| (value > -1.0 && value < 2_f64.powi(64)).then_some(value as u64);
            shared(values.unary_opt::<_, UInt64Type>(whole))
        }
        ArrowType::Decimal128(precision, scale) => {
            let factor = 10_f64.powi((*scale).into());
            let scaled = |value: f64| {
                let value = (factor * value).round();
                #[expect(clippy::cast_possible_truncation, reason = "checked")]
                (value.abs() < 2_f64.powi(127)).then_some(value as i128)
            };
            decimals(values, *precision, *scale, *scale, scaled)
        }
        _ => {
            let limit = 2_f64.powi(63);
            #[expect(clippy::cast_possible_truncation, reason = "checked")]
            let whole = |value: f64| (value >= -limit && value < limit).then_some(value as i64);
            return from_signed(&values.unary_opt::<_, Int64Type>(whole), to);
        }
    })
}

fn from_decimal(values: &Decimal128Array, scale: i8, to: &ArrowType) -> Result<ArrayRef> {
    let divisor = 10_f64.powi(scale.into());
    #[expect(clippy::cast_precision_loss, reason = "a decimal as the nearest double")]
    let double = |value: i128| value as f64 / divisor;
    Ok(match to {
        #[expect(clippy::cast_possible_truncation, reason = "rounds to the nearest single")]
        ArrowType::Float32 => shared(values.unary::<_, Float32Type>(|value| double(value) as f32)),
        ArrowType::Float64 => shared(values.unary::<_, Float64Type>(double)),
        ArrowType::Decimal128(precision, wanted) => {
            decimals(values, *precision, scale, *wanted, Some)
        }
        ArrowType::Boolean => shared(truths(values, |value| value != 0)),
        ArrowType::UInt64 => shared(
            values.unary_opt::<_, UInt64Type>(|value| u64::try_from(whole(value, scale)?).ok()),
        ),
        _ => {
            let values =
                values.unary_opt::<_, Int64Type>(|value| i64::try_from(whole(value, scale)?).ok());
            return from_signed(&values, to);
        }
    })
}

/// A decimal without its fraction.
fn whole(value: i128, scale: i8) -> Option<i128> {
    let power = 10_i128.checked_pow(scale.unsigned_abs().into())?;
    if scale < 0 { value.checked_mul(power) } else { Some(value / power) }
}

/// Values with `from` digits behind the point as decimals with `to` of them, rounded half away from zero.
fn decimals<S: ArrowPrimitiveType>(
    values: &PrimitiveArray<S>,
    precision: u8,
    from: i8,
    to: i8,
    widen: impl Fn(S::Native) -> Option<i128>,
) -> ArrayRef {
    let power = 10_i128.checked_pow(i16::from(to).abs_diff(from.into()).into());
    let limit = 10_i128.pow(precision.min(38).into());
    let rescaled = |value: i128| match power {
        Some(power) if to >= from => value.checked_mul(power),
        Some(power) => {
            let (quotient, rest) = (value / power, value % power);
            Some(quotient + if rest.abs() >= power / 2 { rest.signum() } else { 0 })
        }
        None => (value == 0 || to < from).then_some(0),
    };
    let fitting = |value: S::Native| {
        rescaled(widen(value)?).filter(|value| -limit < *value && *value < limit)
    };
    let decimals = values.unary_opt::<_, Decimal128Type>(fitting);
    shared(decimals.with_data_type(ArrowType::Decimal128(precision, to)))
}

fn truths<S: ArrowPrimitiveType>(
    values: &PrimitiveArray<S>,
    is_true: impl Fn(S::Native) -> bool,
) -> BooleanArray {
    let truths = values.values().iter().map(|value| is_true(*value)).collect();
    BooleanArray::new(truths, values.nulls().cloned())
}

/// Integers of fewer bits; looked at twice, because values that do not fit are rare and two loops over
/// plain values are faster than one that asks for NULL every time.
pub(super) fn narrowed<S, T>(values: &PrimitiveArray<S>) -> ArrayRef
where
    S: ArrowPrimitiveType,
    T: ArrowPrimitiveType,
    T::Native: TryFrom<S::Native>,
{
    let fits = |value: S::Native| T::Native::try_from(value).ok();
    let all_fit = values.values().iter().fold(true, |all, value| all & fits(*value).is_some());
    shared(if all_fit {
        values.unary::<_, T>(|value| fits(value).unwrap_or_default())
    } else {
        values.unary_opt::<_, T>(fits)
    })
}
