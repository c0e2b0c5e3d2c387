//! Values to and from Arrow arrays.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, BinaryArray, BooleanArray, Decimal128Array, FixedSizeBinaryArray,
    Float32Array, Float64Array, IntervalMonthDayNanoArray, NullArray, PrimitiveArray, StringArray,
    new_null_array,
};
use arrow::datatypes::{
    ArrowPrimitiveType, DataType as ArrowType, Date32Type, Decimal128Type, Float32Type,
    Float64Type, Int8Type, Int16Type, Int32Type, Int64Type, IntervalMonthDayNano,
    IntervalMonthDayNanoType, Time32MillisecondType, Time32SecondType, Time64MicrosecondType,
    Time64NanosecondType, TimestampMicrosecondType, TimestampMillisecondType,
    TimestampNanosecondType, TimestampSecondType, UInt8Type, UInt16Type, UInt32Type, UInt64Type,
};

use super::{DataType, Error, Interval, Result, TimeUnit, Value};

/// Calls `$then!(ArrowPrimitiveType)` for every type whose [`Value`] is `Int` and whose Arrow
/// native type is an integer of at most 64 bits; `$otherwise` for the rest.
macro_rules! match_integer_type {
    ($data_type:expr, $then:ident, $otherwise:expr) => {
        match $data_type {
            DataType::Int8 => $then!(Int8Type),
            DataType::Int16 => $then!(Int16Type),
            DataType::Int32 => $then!(Int32Type),
            DataType::Int64 => $then!(Int64Type),
            DataType::UInt8 => $then!(UInt8Type),
            DataType::UInt16 => $then!(UInt16Type),
            DataType::UInt32 => $then!(UInt32Type),
            DataType::UInt64 => $then!(UInt64Type),
            DataType::Date => $then!(Date32Type),
            DataType::Time(TimeUnit::Second) => $then!(Time32SecondType),
            DataType::Time(TimeUnit::Millisecond) => $then!(Time32MillisecondType),
            DataType::Time(TimeUnit::Microsecond) => $then!(Time64MicrosecondType),
            DataType::Time(TimeUnit::Nanosecond) => $then!(Time64NanosecondType),
            DataType::Timestamp { unit: TimeUnit::Second, .. } => $then!(TimestampSecondType),
            DataType::Timestamp { unit: TimeUnit::Millisecond, .. } => {
                $then!(TimestampMillisecondType)
            }
            DataType::Timestamp { unit: TimeUnit::Microsecond, .. } => {
                $then!(TimestampMicrosecondType)
            }
            DataType::Timestamp { unit: TimeUnit::Nanosecond, .. } => {
                $then!(TimestampNanosecondType)
            }
            _ => $otherwise,
        }
    };
}
pub(crate) use match_integer_type;

impl Value {
    /// An array of `len` copies of this value as `data_type`.
    ///
    /// # Errors
    /// `Internal` when the value is not of that type, `OutOfRange` when it does not fit it.
    pub fn to_array(&self, data_type: DataType, len: usize) -> Result<ArrayRef> {
        let wrong = || Error::internal(format!("{self:?} is not a value of type {data_type}"));
        let array: ArrayRef = match (self, data_type) {
            (_, DataType::Null) => Arc::new(NullArray::new(len)),
            (Value::Null, _) => new_null_array(&data_type.to_arrow(), len),
            (Value::Bool(value), DataType::Bool) => Arc::new(BooleanArray::from(vec![*value; len])),
            (Value::Int(value), DataType::Decimal { precision, scale }) => Arc::new(
                Decimal128Array::from_value(*value, len)
                    .with_precision_and_scale(precision, scale.cast_signed())?,
            ),
            (Value::Int(value), _) => {
                macro_rules! integers {
                    ($arrow:ty) => {
                        integer_array::<$arrow>(*value, data_type, len)?
                    };
                }
                match_integer_type!(data_type, integers, return Err(wrong()))
            }
            #[expect(clippy::cast_possible_truncation, reason = "a Float32 literal was one before")]
            (Value::Float(value), DataType::Float32) => {
                Arc::new(Float32Array::from_value(*value as f32, len))
            }
            (Value::Float(value), DataType::Float64) => {
                Arc::new(Float64Array::from_value(*value, len))
            }
            (Value::Text(value), DataType::Utf8) => {
                Arc::new(StringArray::from_iter_values(std::iter::repeat_n(value, len)))
            }
            (Value::Bytes(value), DataType::Binary) => {
                Arc::new(BinaryArray::from_iter_values(std::iter::repeat_n(value, len)))
            }
            (Value::Uuid(value), DataType::Uuid) => Arc::new(
                FixedSizeBinaryArray::try_from_iter(std::iter::repeat_n(value, len.max(1)))?
                    .slice(0, len),
            ),
            (Value::Interval(value), DataType::Interval) => {
                Arc::new(IntervalMonthDayNanoArray::from_value(
                    IntervalMonthDayNano::new(value.months, value.days, value.nanoseconds),
                    len,
                ))
            }
            _ => return Err(wrong()),
        };
        Ok(array)
    }

    /// The value in row `row` of `array`, whose Arrow type is `data_type.to_arrow()`.
    ///
    /// # Panics
    /// When `row` is outside the array or the array is of another type.
    pub fn from_array(array: &dyn Array, data_type: DataType, row: usize) -> Value {
        if array.is_null(row) {
            return Value::Null;
        }
        match data_type {
            DataType::Null => Value::Null,
            DataType::Bool => Value::Bool(array.as_boolean().value(row)),
            DataType::Decimal { .. } => {
                Value::Int(array.as_primitive::<Decimal128Type>().value(row))
            }
            DataType::Float32 => {
                Value::Float(f64::from(array.as_primitive::<Float32Type>().value(row)))
            }
            DataType::Float64 => Value::Float(array.as_primitive::<Float64Type>().value(row)),
            DataType::Utf8 => Value::Text(array.as_string::<i32>().value(row).to_owned()),
            DataType::Binary => Value::Bytes(array.as_binary::<i32>().value(row).to_vec()),
            DataType::Uuid => {
                let bytes = array.as_fixed_size_binary().value(row);
                Value::Uuid(bytes.try_into().expect("a uuid array holds 16 bytes a row"))
            }
            DataType::Interval => {
                let value = array.as_primitive::<IntervalMonthDayNanoType>().value(row);
                Value::Interval(Interval {
                    months: value.months,
                    days: value.days,
                    nanoseconds: value.nanoseconds,
                })
            }
            _ => {
                macro_rules! integers {
                    ($arrow:ty) => {
                        Value::Int(i128::from(array.as_primitive::<$arrow>().value(row)))
                    };
                }
                match_integer_type!(data_type, integers, Value::Null)
            }
        }
    }
}

fn integer_array<T>(value: i128, data_type: DataType, len: usize) -> Result<ArrayRef>
where
    T: ArrowPrimitiveType,
    T::Native: TryFrom<i128>,
{
    let native = T::Native::try_from(value)
        .map_err(|_| Error::out_of_range(format!("{value} is out of range for {data_type}")))?;
    let array = PrimitiveArray::<T>::from_value(native, len);
    Ok(match data_type.to_arrow() {
        ArrowType::Timestamp(_, Some(zone)) => {
            Arc::new(array.with_data_type(ArrowType::Timestamp(arrow_unit(data_type), Some(zone))))
        }
        _ => Arc::new(array),
    })
}

fn arrow_unit(data_type: DataType) -> arrow::datatypes::TimeUnit {
    match data_type {
        DataType::Timestamp { unit, .. } | DataType::Time(unit) => unit.to_arrow(),
        _ => arrow::datatypes::TimeUnit::Second,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_type_survives_an_array() -> Result<()> {
        let cases = [
            (Value::Bool(true), DataType::Bool),
            (Value::Int(-7), DataType::Int8),
            (Value::Int(u64::MAX.into()), DataType::UInt64),
            (Value::Int(i128::from(i64::MIN)), DataType::Int64),
            (Value::Int(12345), DataType::Decimal { precision: 38, scale: 2 }),
            (Value::Int(19000), DataType::Date),
            (Value::Int(1), DataType::Time(TimeUnit::Second)),
            (Value::Int(1), DataType::Time(TimeUnit::Nanosecond)),
            (Value::Int(-1), DataType::Timestamp { unit: TimeUnit::Nanosecond, zoned: true }),
            (Value::Float(1.5), DataType::Float32),
            (Value::Float(-0.1), DataType::Float64),
            (Value::Text("ä".into()), DataType::Utf8),
            (Value::Bytes(vec![0, 255]), DataType::Binary),
            (Value::Uuid([7; 16]), DataType::Uuid),
            (Value::Interval(Interval { months: 1, days: -2, nanoseconds: 3 }), DataType::Interval),
            (Value::Null, DataType::Utf8),
        ];
        for (value, data_type) in cases {
            let array = value.to_array(data_type, 3)?;
            assert_eq!(array.len(), 3);
            assert_eq!(array.data_type(), &data_type.to_arrow());
            assert_eq!(Value::from_array(&array, data_type, 2), value, "{data_type}");
        }
        Ok(())
    }

    #[test]
    fn a_value_that_does_not_fit_is_refused() {
        assert!(Value::Int(300).to_array(DataType::UInt8, 1).is_err());
        assert!(Value::Text("x".into()).to_array(DataType::Int8, 1).is_err());
    }
}
