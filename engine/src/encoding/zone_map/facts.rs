//! Computing the statistics of an array.

use arrow::array::{Array, AsArray, PrimitiveArray};
use arrow::datatypes::{
    ArrowPrimitiveType, DataType as ArrowType, Date32Type, Decimal128Type, Float64Type, Int8Type,
    Int16Type, Int32Type, Int64Type, Time32MillisecondType, Time32SecondType,
    Time64MicrosecondType, Time64NanosecondType, TimestampMicrosecondType,
    TimestampMillisecondType, TimestampNanosecondType, TimestampSecondType, UInt8Type, UInt16Type,
    UInt32Type, UInt64Type,
};

use super::{BOUND_BYTES_MAX, FloatRange};
use crate::kernel::{self, Integer};
use crate::types::{DataType, TimeUnit, Value, canonical_float, cast, match_integer_type};

/// Bounds and sums of the values that are not NULL, of which there is at least one.
pub(super) struct Facts {
    pub(super) min: Option<Value>,
    pub(super) max: Option<Value>,
    pub(super) bounds_exact: bool,
    pub(super) sum: Option<i128>,
    pub(super) is_constant: bool,
    pub(super) floats: Option<FloatRange>,
}

impl Facts {
    fn of_bounds(min: Value, max: Value) -> Facts {
        let is_constant = min == max;
        Facts {
            min: Some(min),
            max: Some(max),
            bounds_exact: true,
            sum: None,
            is_constant,
            floats: None,
        }
    }
}

/// The facts of an array that is not all NULL.
pub(super) fn facts(array: &dyn Array, data_type: DataType) -> Facts {
    macro_rules! integers {
        ($arrow:ty) => {
            integer_facts(array.as_primitive::<$arrow>())
        };
    }
    match data_type {
        DataType::Bool => {
            let array = array.as_boolean();
            let (has_true, has_false) = (array.has_true(), array.has_false());
            Facts::of_bounds(Value::Bool(!has_false), Value::Bool(has_true))
        }
        DataType::Float32 => match cast(array, &ArrowType::Float64) {
            Ok(array) => float_facts(array.as_primitive()),
            Err(_) => unknown(),
        },
        DataType::Float64 => float_facts(array.as_primitive()),
        DataType::Decimal { .. } => decimal_facts(array.as_primitive()),
        DataType::Uuid => {
            let array = array.as_fixed_size_binary();
            let uuid = |bytes: &[u8]| <[u8; 16]>::try_from(bytes).map(Value::Uuid);
            let (min, max) = bounds(array.iter().flatten());
            match (uuid(min), uuid(max)) {
                (Ok(min), Ok(max)) => Facts::of_bounds(min, max),
                _ => unknown(),
            }
        }
        DataType::Utf8 => text_facts(array.as_string::<i32>().iter().flatten(), cut_text),
        DataType::Binary => text_facts(array.as_binary::<i32>().iter().flatten(), cut_bytes),
        _ => match_integer_type!(data_type, integers, unknown()),
    }
}

fn unknown() -> Facts {
    Facts { min: None, max: None, bounds_exact: false, sum: None, is_constant: false, floats: None }
}

/// The values that are not NULL.
fn valid_values<T: ArrowPrimitiveType>(array: &PrimitiveArray<T>) -> Vec<T::Native> {
    match array.nulls() {
        Some(nulls) => nulls.valid_indices().map(|row| array.values()[row]).collect(),
        None => array.values().to_vec(),
    }
}

fn integer_facts<T>(array: &PrimitiveArray<T>) -> Facts
where
    T: ArrowPrimitiveType<Native: Integer>,
{
    let valid: Vec<T::Native>;
    let values: &[T::Native] = if array.null_count() > 0 {
        valid = valid_values(array);
        &valid
    } else {
        array.values()
    };
    let (min, max) = kernel::min_max(values);
    let bounds = Facts::of_bounds(Value::Int(min.to_i128()), Value::Int(max.to_i128()));
    Facts { sum: Some(kernel::sum(values)), ..bounds }
}

fn decimal_facts(array: &PrimitiveArray<Decimal128Type>) -> Facts {
    let values = array.iter().flatten();
    let (mut min, mut max, mut sum) = (i128::MAX, i128::MIN, Some(0_i128));
    for value in values {
        (min, max) = (min.min(value), max.max(value));
        sum = sum.and_then(|sum| sum.checked_add(value));
    }
    Facts { sum, ..Facts::of_bounds(Value::Int(min), Value::Int(max)) }
}

fn float_facts(array: &PrimitiveArray<Float64Type>) -> Facts {
    let valid: Vec<f64>;
    let values: &[f64] = if array.null_count() > 0 {
        valid = valid_values(array);
        &valid
    } else {
        array.values()
    };
    let facts = kernel::float_facts(values);
    let has_nan = facts.nan_count > 0;
    // NaN is above all other floats.
    let min = if facts.nan_count == values.len() { f64::NAN } else { facts.min };
    let max = if has_nan { f64::NAN } else { facts.max };
    let range = FloatRange {
        exponent_min: facts.exponent_min,
        exponent_max: facts.exponent_max,
        lowest_bit: facts.lowest_bit,
        has_nan,
        has_infinity: facts.max == f64::INFINITY,
        has_negative_infinity: facts.min == f64::NEG_INFINITY,
    };
    let bounds =
        Facts::of_bounds(Value::Float(canonical_float(min)), Value::Float(canonical_float(max)));
    Facts { floats: Some(range), ..bounds }
}

/// The least and the greatest of values of which there is at least one.
fn bounds<T: Ord + Copy>(mut values: impl Iterator<Item = T>) -> (T, T) {
    let first = values.next().expect("there is a value that is not NULL");
    values.fold((first, first), |(min, max), value| (min.min(value), max.max(value)))
}

fn text_facts<T>(values: impl Iterator<Item = T>, cut: fn(T) -> (Value, Option<Value>)) -> Facts
where
    T: Ord + Copy + AsRef<[u8]>,
{
    let (min, max) = bounds(values);
    let is_short = |value: T| value.as_ref().len() <= BOUND_BYTES_MAX;
    Facts {
        is_constant: min == max,
        bounds_exact: is_short(min) && is_short(max),
        // A prefix of the least value is below it; above the greatest is a greater prefix.
        min: Some(cut(min).0),
        max: if is_short(max) { Some(cut(max).0) } else { cut(max).1 },
        ..unknown()
    }
}

/// The first 32 bytes of a text, whole characters only; and the least text with as many characters
/// that is above all texts that begin so, if there is one.
fn cut_text(value: &str) -> (Value, Option<Value>) {
    let prefix = &value[..value.floor_char_boundary(BOUND_BYTES_MAX)];
    let mut above = prefix.to_owned();
    while let Some(last) = above.pop() {
        let next = (last..=char::MAX).nth(1);
        let Some(next) = next.filter(|next| above.len() + next.len_utf8() <= BOUND_BYTES_MAX)
        else {
            continue;
        };
        above.push(next);
        return (Value::Text(prefix.to_owned()), Some(Value::Text(above)));
    }
    (Value::Text(prefix.to_owned()), None)
}

/// As [`cut_text`], of bytes.
fn cut_bytes(value: &[u8]) -> (Value, Option<Value>) {
    let prefix = &value[..value.len().min(BOUND_BYTES_MAX)];
    let above = prefix.iter().rposition(|byte| *byte < u8::MAX).map(|last| {
        let mut above = prefix[..=last].to_vec();
        above[last] += 1;
        Value::Bytes(above)
    });
    (Value::Bytes(prefix.to_vec()), above)
}
