//! Values to and from text, as PostgreSQL writes and reads them.
//!
//! Casts, literals and result printers share these functions. Must not know arrays, expressions or
//! time zones: a zoned timestamp is written with an offset that the caller knows, and read together
//! with whatever zone its text names.

mod format;
mod interval;
mod number;
mod time;
mod timestamp;

pub use self::format::{
    write_bytes, write_date, write_decimal, write_float32, write_float64, write_interval,
    write_time, write_timestamp, write_uuid, write_zoned_timestamp,
};
pub use self::interval::parse_interval;
pub use self::number::{
    parse_bool, parse_bytes, parse_decimal, parse_float32, parse_float64, parse_integer, parse_uuid,
};
pub use self::time::parse_time;
pub use self::timestamp::{ParsedTimestamp, ZoneName, parse_date, parse_timestamp};

use super::{DataType, Error, Result, TimeUnit, Value};

/// The text is no value of that type.
pub(crate) fn invalid(text: &str, type_name: impl std::fmt::Display) -> Error {
    Error::invalid_text(format!("invalid input syntax for type {type_name}: {}", quoted(text)))
}

/// The text is a value, but one that the type does not hold.
pub(crate) fn out_of_range(text: &str, type_name: impl std::fmt::Display) -> Error {
    Error::out_of_range(format!("value {} is out of range for type {type_name}", quoted(text)))
}

/// The text in double quotes, cut after 60 characters.
pub(crate) fn quoted(text: &str) -> String {
    match text.char_indices().nth(60) {
        Some((end, _)) => format!("\"{}…\"", &text[..end]),
        None => format!("\"{text}\""),
    }
}

impl Value {
    /// Reads a value of `data_type`, as `CAST(text AS data_type)` does; a zoned timestamp whose text
    /// names no offset is taken as UTC.
    ///
    /// # Errors
    /// `InvalidText` or `OutOfRange`, naming the text; `Unsupported` for a zone given by name.
    pub fn parse(text: &str, data_type: DataType) -> Result<Value> {
        Ok(match data_type {
            DataType::Null => return Err(invalid(text, data_type)),
            DataType::Bool => Value::Bool(parse_bool(text)?),
            DataType::Float32 => Value::Float(f64::from(parse_float32(text)?)),
            DataType::Float64 => Value::Float(parse_float64(text)?),
            DataType::Decimal { precision, scale } => {
                Value::Int(parse_decimal(text, precision, scale)?)
            }
            DataType::Date => Value::Int(i128::from(parse_date(text)?)),
            DataType::Time(unit) => Value::Int(i128::from(parse_time(text, unit)?)),
            DataType::Timestamp { unit, zoned } => parse_timestamp_value(text, unit, zoned)?,
            DataType::Utf8 => Value::Text(text.to_owned()),
            DataType::Binary => Value::Bytes(parse_bytes(text)?),
            DataType::Uuid => Value::Uuid(parse_uuid(text)?),
            DataType::Interval => Value::Interval(parse_interval(text)?),
            _ => Value::Int(parse_integer(text, data_type)?),
        })
    }

    /// Writes the value as `CAST(… AS text)` does; zoned timestamps in UTC; NULL as `NULL`.
    pub fn to_text(&self, data_type: DataType) -> String {
        let mut out = String::new();
        match (self, data_type) {
            (Value::Null, _) => out.push_str("NULL"),
            (Value::Bool(value), _) => out.push_str(if *value { "true" } else { "false" }),
            (Value::Int(value), _) => write_int(*value, data_type, &mut out),
            #[expect(clippy::cast_possible_truncation, reason = "a Float32 value was one before")]
            (Value::Float(value), DataType::Float32) => write_float32(*value as f32, &mut out),
            (Value::Float(value), _) => write_float64(*value, &mut out),
            (Value::Text(value), _) => out.push_str(value),
            (Value::Bytes(value), _) => write_bytes(value, &mut out),
            (Value::Uuid(value), _) => write_uuid(value, &mut out),
            (Value::Interval(value), _) => write_interval(*value, &mut out),
        }
        out
    }
}

fn write_int(value: i128, data_type: DataType, out: &mut String) {
    let narrow = i64::try_from(value).unwrap_or(i64::MAX);
    match data_type {
        DataType::Decimal { scale, .. } => write_decimal(value, scale, out),
        DataType::Date => write_date(narrow, out),
        DataType::Time(unit) => write_time(narrow, unit, out),
        DataType::Timestamp { unit, zoned: false } => write_timestamp(narrow, unit, out),
        DataType::Timestamp { unit, zoned: true } => write_zoned_timestamp(narrow, unit, 0, out),
        _ => out.push_str(&value.to_string()),
    }
}

fn parse_timestamp_value(text: &str, unit: TimeUnit, zoned: bool) -> Result<Value> {
    let parsed = parse_timestamp(text)?;
    let offset = match (zoned, parsed.zone) {
        (false, _) | (true, None) => 0,
        (true, Some(ZoneName::Offset(seconds))) => seconds,
        (true, Some(ZoneName::Named(name))) => {
            return Err(Error::unsupported(format!("the time zone {name} cannot be used here")));
        }
    };
    Ok(Value::Int(i128::from(
        parsed
            .units(unit, offset)
            .ok_or_else(|| out_of_range(text, DataType::Timestamp { unit, zoned }))?,
    )))
}
