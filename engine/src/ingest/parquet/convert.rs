//! Arrays of physical Parquet values to arrays of our types, checked.
//!
//! The Parquet crate is asked for unannotated values only, so that every value passes here: its own
//! conversions wrap, truncate or trust text to be UTF-8.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, ArrowPrimitiveType, AsArray, BinaryArray, Decimal128Array,
    FixedSizeBinaryArray, Float32Array, PrimitiveArray, StringArray,
};
use arrow::buffer::{Buffer, NullBuffer, OffsetBuffer, ScalarBuffer};
use arrow::datatypes::{
    ArrowTimestampType, Date32Type, Float16Type, Int8Type, Int16Type, Int32Type, Int64Type,
    Time32MillisecondType, Time64MicrosecondType, Time64NanosecondType, TimestampMicrosecondType,
    TimestampMillisecondType, TimestampNanosecondType, UInt8Type, UInt16Type, UInt32Type,
    UInt64Type,
};
use parquet::basic::Type;

use crate::types::{DataType, TimeUnit, cast_all};

/// A value that is none of its type.
#[derive(Debug)]
pub(super) struct BadValue {
    /// Its row in the array.
    pub(super) row: usize,
    /// What is wrong with it.
    pub(super) what: Box<str>,
}

type Converted = Result<ArrayRef, BadValue>;

/// Converts an array of `physical` values as the Parquet crate gives them without annotation.
pub(super) fn convert(array: ArrayRef, physical: Type, data_type: DataType) -> Converted {
    match (physical, data_type) {
        (Type::INT32, DataType::Int8) => narrow::<Int8Type>(&array),
        (Type::INT32, DataType::Int16) => narrow::<Int16Type>(&array),
        (Type::INT32, DataType::UInt8) => narrow::<UInt8Type>(&array),
        (Type::INT32, DataType::UInt16) => narrow::<UInt16Type>(&array),
        (Type::INT32, DataType::UInt32) => Ok(same_bits::<Int32Type, UInt32Type>(&array)),
        (Type::INT32, DataType::Date) => Ok(same_bits::<Int32Type, Date32Type>(&array)),
        (Type::INT32, DataType::Time(TimeUnit::Millisecond)) => {
            in_a_day(&array, 86_400_000, same_bits::<Int32Type, Time32MillisecondType>)
        }
        (Type::INT64, DataType::UInt64) => Ok(same_bits::<Int64Type, UInt64Type>(&array)),
        (Type::INT64, narrower) if narrower.is_integer() => cast(&array, narrower),
        (Type::INT64, DataType::Time(unit)) => time(&array, unit),
        (Type::INT64, DataType::Timestamp { unit, zoned }) => Ok(timestamp(&array, unit, zoned)),
        (Type::INT32, DataType::Decimal { precision, scale }) => {
            let values = array.as_primitive::<Int32Type>();
            decimal(
                values.unary::<_, arrow::datatypes::Decimal128Type>(i128::from),
                precision,
                scale,
            )
        }
        (Type::INT64, DataType::Decimal { precision, scale }) => {
            let values = array.as_primitive::<Int64Type>();
            decimal(
                values.unary::<_, arrow::datatypes::Decimal128Type>(i128::from),
                precision,
                scale,
            )
        }
        (Type::FIXED_LEN_BYTE_ARRAY, DataType::Decimal { precision, scale }) => {
            let fixed = array.as_fixed_size_binary();
            decimal(big_endian(fixed.iter(), fixed.nulls())?, precision, scale)
        }
        (Type::BYTE_ARRAY, DataType::Decimal { precision, scale }) => {
            let binary = array.as_binary::<i32>();
            decimal(big_endian(binary.iter(), binary.nulls())?, precision, scale)
        }
        (Type::FIXED_LEN_BYTE_ARRAY, DataType::Float32) => Ok(half_floats(&array)),
        (Type::FIXED_LEN_BYTE_ARRAY, DataType::Binary) => {
            Ok(Arc::new(variable(array.as_fixed_size_binary())?))
        }
        (Type::FIXED_LEN_BYTE_ARRAY, DataType::Utf8) => {
            text(&variable(array.as_fixed_size_binary())?)
        }
        (Type::BYTE_ARRAY, DataType::Utf8) => text(array.as_binary::<i32>()),
        _ => Ok(array),
    }
}

/// Casts an array of one of our types to another; a value that does not fit is an error.
pub(super) fn cast(array: &ArrayRef, to: DataType) -> Converted {
    let target = to.to_arrow();
    if array.data_type() == &target {
        return Ok(Arc::clone(array));
    }
    let bad = |what: String| BadValue { row: 0, what: what.into() };
    let cast = |array: &ArrayRef, target| {
        cast_all(array, target).map_err(|error| bad(format!("cannot become {to}: {error}")))
    };
    let values = cast(array, &target)?;
    let is_coarser = matches!(
        to,
        DataType::Time(TimeUnit::Second) | DataType::Timestamp { unit: TimeUnit::Second, .. }
    );
    if is_coarser && *cast(&values, array.data_type())? != **array {
        return Err(bad(format!("cannot become {to}: it has fractions of a second")));
    }
    Ok(values)
}

/// Text of which every value is UTF-8.
pub(super) fn text(binary: &BinaryArray) -> Converted {
    let (offsets, values, nulls) = binary.clone().into_parts();
    StringArray::try_new(offsets, values, nulls)
        .map(|array| -> ArrayRef { Arc::new(array) })
        .map_err(|_| {
            let invalid = |row: &usize| {
                binary.is_valid(*row) && std::str::from_utf8(binary.value(*row)).is_err()
            };
            let row = (0..binary.len()).find(invalid).unwrap_or(0);
            BadValue { row, what: "is no valid UTF-8".into() }
        })
}

/// The same bits as another type of the same width.
fn same_bits<S, T>(array: &ArrayRef) -> ArrayRef
where
    S: ArrowPrimitiveType,
    T: ArrowPrimitiveType,
{
    const { assert!(size_of::<S::Native>() == size_of::<T::Native>()) };
    let values = array.as_primitive::<S>();
    let bits = ScalarBuffer::from(values.values().inner().clone());
    Arc::new(PrimitiveArray::<T>::new(bits, values.nulls().cloned()))
}

fn narrow<T: ArrowPrimitiveType>(array: &ArrayRef) -> Converted
where
    T::Native: TryFrom<i32>,
{
    let values = array.as_primitive::<Int32Type>();
    match values.try_unary::<_, T, i32>(|value| T::Native::try_from(value).map_err(|_| value)) {
        Ok(narrowed) => Ok(Arc::new(narrowed)),
        Err(value) => Err(BadValue {
            row: first(values, |other| other == value),
            what: format!("is {value}, which is no {:?}", T::DATA_TYPE).into(),
        }),
    }
}

/// The first valid row whose value is so.
fn first<T: ArrowPrimitiveType>(
    values: &PrimitiveArray<T>,
    so: impl Fn(T::Native) -> bool,
) -> usize {
    (0..values.len()).find(|row| values.is_valid(*row) && so(values.value(*row))).unwrap_or(0)
}

fn in_a_day(array: &ArrayRef, day: i64, then: impl Fn(&ArrayRef) -> ArrayRef) -> Converted {
    let outside = |value: i64| !(0..=day).contains(&value);
    let row = match array.as_primitive_opt::<Int32Type>() {
        Some(values) => {
            values.iter().position(|value| value.is_some_and(|value| outside(i64::from(value))))
        }
        None => {
            array.as_primitive::<Int64Type>().iter().position(|value| value.is_some_and(outside))
        }
    };
    match row {
        None => Ok(then(array)),
        Some(row) => Err(BadValue { row, what: "is no time of day".into() }),
    }
}

fn time(array: &ArrayRef, unit: TimeUnit) -> Converted {
    let day = 86_400 * unit.per_second();
    match unit {
        TimeUnit::Nanosecond => in_a_day(array, day, same_bits::<Int64Type, Time64NanosecondType>),
        TimeUnit::Microsecond => {
            in_a_day(array, day, same_bits::<Int64Type, Time64MicrosecondType>)
        }
        // A time of coarser unit is stored in 32 bits; a writer that took 64 means the same.
        TimeUnit::Second | TimeUnit::Millisecond => in_a_day(array, day, |array| {
            let narrowed = array
                .as_primitive::<Int64Type>()
                .unary::<_, Time32MillisecondType>(|value| i32::try_from(value).unwrap_or(0));
            Arc::new(narrowed)
        }),
    }
}

fn timestamp(array: &ArrayRef, unit: TimeUnit, zoned: bool) -> ArrayRef {
    match unit {
        TimeUnit::Second | TimeUnit::Millisecond => {
            timestamp_of::<TimestampMillisecondType>(array, zoned)
        }
        TimeUnit::Microsecond => timestamp_of::<TimestampMicrosecondType>(array, zoned),
        TimeUnit::Nanosecond => timestamp_of::<TimestampNanosecondType>(array, zoned),
    }
}

fn timestamp_of<T: ArrowTimestampType>(array: &ArrayRef, zoned: bool) -> ArrayRef {
    let array = array.as_primitive::<Int64Type>().reinterpret_cast::<T>();
    Arc::new(if zoned { array.with_timezone("UTC") } else { array })
}

fn decimal(values: Decimal128Array, precision: u8, scale: u8) -> Converted {
    let limit = 10_i128.pow(u32::from(precision));
    let outside = |value: i128| value <= -limit || value >= limit;
    // Values under NULL are zeros.
    if values.values().iter().any(|value| outside(*value)) {
        let row = first(&values, outside);
        return Err(BadValue { row, what: format!("has more than {precision} digits").into() });
    }
    values
        .with_precision_and_scale(precision, scale.cast_signed())
        .map(|array| -> ArrayRef { Arc::new(array) })
        .map_err(|error| BadValue { row: 0, what: error.to_string().into() })
}

/// Two's complement of any length, the highest byte first.
fn big_endian<'a>(
    values: impl Iterator<Item = Option<&'a [u8]>>,
    nulls: Option<&NullBuffer>,
) -> Result<Decimal128Array, BadValue> {
    let digits = values
        .enumerate()
        .map(|(row, value)| {
            let bytes = value.unwrap_or_default();
            signed(bytes).ok_or_else(|| BadValue { row, what: "has more than 38 digits".into() })
        })
        .collect::<Result<Vec<i128>, BadValue>>()?;
    Ok(Decimal128Array::new(digits.into(), nulls.cloned()))
}

/// `None` when the value does not fit 128 bits.
pub(super) fn signed(bytes: &[u8]) -> Option<i128> {
    let negative = bytes.first().is_some_and(|byte| *byte >= 0x80);
    let sign = if negative { 0xff } else { 0 };
    let (head, tail) = bytes.split_at(bytes.len().saturating_sub(16));
    let start = if negative { -1 } else { 0 };
    let value = tail.iter().fold(start, |value: i128, byte| value << 8 | i128::from(*byte));
    let fits =
        head.iter().all(|byte| *byte == sign) && (head.is_empty() || (value < 0) == negative);
    fits.then_some(value)
}

fn half_floats(array: &ArrayRef) -> ArrayRef {
    let fixed = array.as_fixed_size_binary();
    let values: Vec<f32> =
        fixed.value_data().as_chunks::<2>().0.iter().copied().map(half).collect();
    Arc::new(Float32Array::new(values.into(), fixed.nulls().cloned()))
}

/// A little-endian half-precision float.
pub(super) fn half(bytes: [u8; 2]) -> f32 {
    <Float16Type as ArrowPrimitiveType>::Native::from_le_bytes(bytes).to_f32()
}

fn variable(fixed: &FixedSizeBinaryArray) -> Result<BinaryArray, BadValue> {
    let width = usize::try_from(fixed.value_length()).unwrap_or(0);
    let offsets = OffsetBuffer::<i32>::from_lengths(std::iter::repeat_n(width, fixed.len()));
    let values = Buffer::from(&fixed.value_data()[..width * fixed.len()]);
    BinaryArray::try_new(offsets, values, fixed.nulls().cloned())
        .map_err(|error| BadValue { row: 0, what: error.to_string().into() })
}

#[cfg(test)]
mod tests {
    use arrow::array::{Int32Array, Int64Array};

    use super::*;

    #[test]
    fn two_s_complement_of_any_length_is_read() {
        assert_eq!(signed(&[]), Some(0));
        assert_eq!(signed(&[0xff]), Some(-1));
        assert_eq!(signed(&[0x01, 0x00]), Some(256));
        assert_eq!(signed(&[0x80, 0x00]), Some(-32_768));
        let mut long = vec![0xff; 20];
        long[19] = 0xfe;
        assert_eq!(signed(&long), Some(-2));
        assert_eq!(signed(&[&[0, 0, 0, 0, 0x80][..], &[0; 15]].concat()), None);
        assert_eq!(signed(&[1; 17]), None);
    }

    #[test]
    fn values_that_are_none_of_their_type_are_named_by_row() {
        let ints: ArrayRef = Arc::new(Int32Array::from(vec![Some(1), None, Some(300), Some(-1)]));
        let bad = convert(Arc::clone(&ints), Type::INT32, DataType::UInt8).unwrap_err();
        assert_eq!((bad.row, &*bad.what), (2, "is 300, which is no UInt8"));
        let decimals = DataType::Decimal { precision: 2, scale: 1 };
        assert_eq!(convert(Arc::clone(&ints), Type::INT32, decimals).unwrap_err().row, 2);
        let time = DataType::Time(TimeUnit::Millisecond);
        assert_eq!(convert(ints, Type::INT32, time).unwrap_err().row, 3);
        let bytes: ArrayRef = Arc::new(BinaryArray::from(vec![&b"ok"[..], b"\xffno"]));
        assert_eq!(convert(bytes, Type::BYTE_ARRAY, DataType::Utf8).unwrap_err().row, 1);
    }

    #[test]
    fn unsigned_values_and_instants_keep_their_bits() {
        let ints: ArrayRef = Arc::new(Int64Array::from(vec![-1]));
        let unsigned = convert(Arc::clone(&ints), Type::INT64, DataType::UInt64).expect("converts");
        assert_eq!(unsigned.as_primitive::<UInt64Type>().value(0), u64::MAX);
        let zoned = DataType::Timestamp { unit: TimeUnit::Millisecond, zoned: true };
        let instants = convert(ints, Type::INT64, zoned).expect("converts");
        assert_eq!(instants.data_type(), &zoned.to_arrow());
    }
}
