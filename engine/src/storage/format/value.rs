//! Types and values in records: how a data type is numbered and a value is written.

use super::{Cursor, Wire};
use crate::types::{DataType, Result, TimeUnit, Value};

/// A data type as four bytes: its number, then two parameters and a zero.
pub(super) fn write_type(data_type: DataType) -> [u8; 4] {
    let (number, first, second) = match data_type {
        DataType::Bool => (1, 0, 0),
        DataType::Int8 => (2, 0, 0),
        DataType::Int16 => (3, 0, 0),
        DataType::Int32 => (4, 0, 0),
        DataType::Int64 => (5, 0, 0),
        DataType::UInt8 => (6, 0, 0),
        DataType::UInt16 => (7, 0, 0),
        DataType::UInt32 => (8, 0, 0),
        DataType::UInt64 => (9, 0, 0),
        DataType::Float32 => (10, 0, 0),
        DataType::Float64 => (11, 0, 0),
        DataType::Decimal { precision, scale } => (12, precision, scale),
        DataType::Date => (13, 0, 0),
        DataType::Time(unit) => (14, unit_number(unit), 0),
        DataType::Timestamp { unit, zoned } => (15, unit_number(unit), u8::from(zoned)),
        DataType::Utf8 => (16, 0, 0),
        DataType::Binary => (17, 0, 0),
        DataType::Uuid => (18, 0, 0),
        DataType::Null | DataType::Interval => (0, 0, 0),
    };
    [number, first, second, 0]
}

/// Reads what [`write_type`] wrote.
///
/// # Errors
/// `Corrupt` for a type that does not exist.
pub(super) fn read_type(bytes: [u8; 4], cursor: &Cursor<'_>) -> Result<DataType> {
    let [number, first, second, _] = bytes;
    let unit = || match first {
        0 => Ok(TimeUnit::Second),
        1 => Ok(TimeUnit::Millisecond),
        2 => Ok(TimeUnit::Microsecond),
        3 => Ok(TimeUnit::Nanosecond),
        _ => Err(cursor.corrupt("a time unit is unknown")),
    };
    Ok(match number {
        1 => DataType::Bool,
        2 => DataType::Int8,
        3 => DataType::Int16,
        4 => DataType::Int32,
        5 => DataType::Int64,
        6 => DataType::UInt8,
        7 => DataType::UInt16,
        8 => DataType::UInt32,
        9 => DataType::UInt64,
        10 => DataType::Float32,
        11 => DataType::Float64,
        12 if (1..=38).contains(&first) && second <= first => {
            DataType::Decimal { precision: first, scale: second }
        }
        13 => DataType::Date,
        14 => DataType::Time(unit()?),
        15 => DataType::Timestamp { unit: unit()?, zoned: second == 1 },
        16 => DataType::Utf8,
        17 => DataType::Binary,
        18 => DataType::Uuid,
        _ => return Err(cursor.corrupt("a data type is unknown")),
    })
}

fn unit_number(unit: TimeUnit) -> u8 {
    match unit {
        TimeUnit::Second => 0,
        TimeUnit::Millisecond => 1,
        TimeUnit::Microsecond => 2,
        TimeUnit::Nanosecond => 3,
    }
}

/// A value: one byte for its variant, then its bytes; text and bytes run to the end.
pub(super) fn write_value(value: &Value, target: &mut Vec<u8>) {
    match value {
        Value::Null | Value::Interval(_) => target.push(0),
        Value::Bool(value) => target.extend_from_slice(&[1, u8::from(*value)]),
        Value::Int(value) => {
            target.push(2);
            value.to_le_bytes().write(target);
        }
        Value::Float(value) => {
            target.push(3);
            value.to_bits().write(target);
        }
        Value::Text(value) => {
            target.push(4);
            target.extend_from_slice(value.as_bytes());
        }
        Value::Bytes(value) => {
            target.push(5);
            target.extend_from_slice(value);
        }
        Value::Uuid(value) => {
            target.push(6);
            value.write(target);
        }
    }
}

/// Reads what [`write_value`] wrote: all that is left of `cursor`.
///
/// # Errors
/// `Corrupt`.
pub(super) fn read_value(cursor: &mut Cursor<'_>) -> Result<Value> {
    let value = match u8::read(cursor)? {
        0 => Value::Null,
        1 => Value::Bool(u8::read(cursor)? == 1),
        2 => Value::Int(i128::from_le_bytes(cursor.array()?)),
        3 => Value::Float(f64::from_bits(u64::read(cursor)?)),
        4 => Value::Text(cursor.text(cursor.remaining())?.to_owned()),
        5 => Value::Bytes(cursor.take(cursor.remaining())?.to_vec()),
        6 => Value::Uuid(cursor.array()?),
        _ => return Err(cursor.corrupt("a value is of an unknown kind")),
    };
    cursor.finish()?;
    Ok(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_and_values_go_there_and_back() -> Result<()> {
        let types = [
            DataType::Bool,
            DataType::UInt64,
            DataType::Decimal { precision: 38, scale: 38 },
            DataType::Time(TimeUnit::Nanosecond),
            DataType::Timestamp { unit: TimeUnit::Second, zoned: true },
            DataType::Uuid,
        ];
        for data_type in types {
            let bytes = write_type(data_type);
            let mut cursor = Cursor::new(&bytes, "type");
            assert_eq!(read_type(cursor.array()?, &cursor)?, data_type);
        }
        let values = [
            Value::Null,
            Value::Bool(true),
            Value::Int(i128::MIN),
            Value::Float(-0.5),
            Value::Text("ä".into()),
            Value::Bytes(vec![]),
            Value::Uuid([9; 16]),
        ];
        for value in values {
            let mut bytes = Vec::new();
            write_value(&value, &mut bytes);
            assert_eq!(read_value(&mut Cursor::new(&bytes, "value"))?, value);
        }
        assert!(read_value(&mut Cursor::new(&[1, 1, 1], "value")).is_err());
        Ok(())
    }
}
