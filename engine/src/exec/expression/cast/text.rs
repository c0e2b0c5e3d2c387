//! Casts to and from text, and between bytes and UUIDs.

use std::fmt::Write as _;
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, BinaryBuilder, BooleanBuilder, FixedSizeBinaryBuilder,
    IntervalMonthDayNanoBuilder, PrimitiveBuilder, StringArray,
};
use arrow::datatypes::{
    ArrowPrimitiveType, Date32Type, Decimal128Type, Float32Type, Float64Type, Int8Type, Int16Type,
    Int32Type, Int64Type, IntervalMonthDayNano, IntervalMonthDayNanoType, Time32MillisecondType,
    Time32SecondType, Time64MicrosecondType, Time64NanosecondType, TimestampMicrosecondType,
    TimestampMillisecondType, TimestampNanosecondType, TimestampSecondType, UInt8Type, UInt16Type,
    UInt32Type, UInt64Type,
};

use super::super::operand::TextBuilder;
use super::super::temporal::ticks;
use super::Target;
use crate::context::Context;
use crate::types::text::{
    ZoneName, parse_bool, parse_bytes, parse_date, parse_decimal, parse_float32, parse_float64,
    parse_integer, parse_interval, parse_time, parse_timestamp, parse_uuid, write_bytes,
    write_date, write_decimal, write_float32, write_float64, write_interval, write_time,
    write_timestamp, write_uuid, write_zoned_timestamp,
};
use crate::types::{DataType, Error, Interval, Result, TimeUnit, ZoneClock, match_integer_type};

/// Writes one row's value.
type Writer<'a> = Box<dyn Fn(usize, &mut String) + 'a>;

/// The values written as text.
pub(super) fn to_text(array: &dyn Array, from: DataType, context: &Context) -> Result<ArrayRef> {
    let write: Writer<'_> = match from {
        DataType::Bool => {
            let array = array.as_boolean();
            Box::new(|row, out| out.push_str(if array.value(row) { "true" } else { "false" }))
        }
        DataType::Float32 => {
            let array = array.as_primitive::<Float32Type>();
            Box::new(|row, out| write_float32(array.value(row), out))
        }
        DataType::Float64 => {
            let array = array.as_primitive::<Float64Type>();
            Box::new(|row, out| write_float64(array.value(row), out))
        }
        DataType::Decimal { scale, .. } => {
            let array = array.as_primitive::<Decimal128Type>();
            Box::new(move |row, out| write_decimal(array.value(row), scale, out))
        }
        DataType::Binary => {
            let array = array.as_binary::<i32>();
            Box::new(|row, out| write_bytes(array.value(row), out))
        }
        DataType::Uuid => {
            let array = array.as_fixed_size_binary();
            Box::new(|row, out| {
                let bytes = array.value(row).try_into().expect("a uuid has 16 bytes");
                write_uuid(bytes, out);
            })
        }
        DataType::Interval => {
            let array = array.as_primitive::<IntervalMonthDayNanoType>();
            Box::new(|row, out| write_interval(interval(array.value(row)), out))
        }
        _ if from.is_temporal() => time_writer(array, from, context)?,
        DataType::UInt64 => {
            let array = array.as_primitive::<UInt64Type>();
            Box::new(|row, out| push_number(array.value(row), out))
        }
        _ => {
            let array = crate::types::cast(array, &DataType::Int64.to_arrow())?;
            Box::new(move |row, out| push_number(array.as_primitive::<Int64Type>().value(row), out))
        }
    };
    let mut builder = TextBuilder::new(array.len(), context);
    let mut buffer = String::new();
    for row in 0..array.len() {
        buffer.clear();
        let is_valid = array.is_valid(row);
        if is_valid {
            write(row, &mut buffer);
        }
        builder.push(is_valid.then_some(buffer.as_str()))?;
    }
    Ok(Arc::new(builder.finish()))
}

fn push_number(value: impl std::fmt::Display, out: &mut String) {
    write!(out, "{value}").expect("a string takes any text");
}

fn time_writer(array: &dyn Array, from: DataType, context: &Context) -> Result<Writer<'static>> {
    let ticks = ticks(array)?;
    Ok(match from {
        DataType::Time(unit) => Box::new(move |row, out| write_time(ticks.value(row), unit, out)),
        DataType::Timestamp { unit, zoned: false } => {
            Box::new(move |row, out| write_timestamp(ticks.value(row), unit, out))
        }
        DataType::Timestamp { unit, zoned: true } => {
            let zone = ZoneClock::named(&context.time_zone)?;
            Box::new(move |row, out| {
                let value = ticks.value(row);
                let offset = zone.offset_at(value.div_euclid(unit.per_second()));
                write_zoned_timestamp(value, unit, offset, out);
            })
        }
        _ => Box::new(move |row, out| write_date(ticks.value(row), out)),
    })
}

/// Arrow's interval as ours.
pub(super) fn interval(value: IntervalMonthDayNano) -> Interval {
    Interval { months: value.months, days: value.days, nanoseconds: value.nanoseconds }
}

/// The texts read as `target.to`.
pub(super) fn from_text(
    texts: &StringArray,
    target: Target,
    context: &Context,
) -> Result<ArrayRef> {
    match target.to {
        DataType::Bool => {
            let mut builder = BooleanBuilder::with_capacity(texts.len());
            read_each(texts, target, parse_bool, |value| builder.append_option(value))?;
            Ok(Arc::new(builder.finish()))
        }
        DataType::Binary => {
            let mut builder = BinaryBuilder::with_capacity(texts.len(), texts.values().len());
            read_each(texts, target, parse_bytes, |value| builder.append_option(value))?;
            Ok(Arc::new(builder.finish()))
        }
        DataType::Uuid => uuids(texts, target),
        DataType::Interval => {
            let mut builder = IntervalMonthDayNanoBuilder::with_capacity(texts.len());
            read_each(texts, target, parse_interval, |value| {
                builder.append_option(value.map(|interval| {
                    IntervalMonthDayNano::new(interval.months, interval.days, interval.nanoseconds)
                }));
            })?;
            Ok(Arc::new(builder.finish()))
        }
        DataType::Float32 => read::<Float32Type>(texts, target, parse_float32),
        DataType::Float64 => read::<Float64Type>(texts, target, parse_float64),
        DataType::Decimal { precision, scale } => {
            read::<Decimal128Type>(texts, target, |text| parse_decimal(text, precision, scale))
        }
        to => {
            let zone = ZoneClock::named(&context.time_zone)?;
            macro_rules! integers {
                ($arrow:ty) => {
                    read::<$arrow>(texts, target, |text| {
                        let value = parse_whole(text, to, &zone)?;
                        value.try_into().map_err(|_| crate::types::text::out_of_range(text, to))
                    })
                };
            }
            let unsupported = Err(Error::unsupported(format!("casting text to {to}")));
            match_integer_type!(to, integers, unsupported)
        }
    }
}

/// The number that stands for an integer, date, time or timestamp.
fn parse_whole(text: &str, to: DataType, zone: &ZoneClock) -> Result<i128> {
    Ok(match to {
        DataType::Date => i128::from(parse_date(text)?),
        DataType::Time(unit) => i128::from(parse_time(text, unit)?),
        DataType::Timestamp { unit, zoned } => i128::from(instant(text, unit, zoned, zone)?),
        _ => parse_integer(text, to)?,
    })
}

/// A text without a zone is on the session's clock; a zone in a text that becomes a local timestamp
/// is ignored, as PostgreSQL does.
fn instant(text: &str, unit: TimeUnit, zoned: bool, session: &ZoneClock) -> Result<i64> {
    let parsed = parse_timestamp(text)?;
    let offset = match (zoned, parsed.zone) {
        (false, _) => 0,
        (true, Some(ZoneName::Offset(seconds))) => seconds,
        (true, Some(ZoneName::Named(name))) => {
            ZoneClock::named(name)?.offset_of_local(parsed.seconds)
        }
        (true, None) => session.offset_of_local(parsed.seconds),
    };
    parsed
        .units(unit, offset)
        .ok_or_else(|| crate::types::text::out_of_range(text, DataType::Timestamp { unit, zoned }))
}

fn uuids(texts: &StringArray, target: Target) -> Result<ArrayRef> {
    let mut builder = FixedSizeBinaryBuilder::with_capacity(texts.len(), 16);
    let mut failed = Ok(());
    read_each(texts, target, parse_uuid, |value| match value {
        Some(value) if failed.is_ok() => failed = builder.append_value(value),
        _ => builder.append_null(),
    })?;
    failed?;
    Ok(Arc::new(builder.finish()))
}

fn read<T: ArrowPrimitiveType>(
    texts: &StringArray,
    target: Target,
    parse: impl Fn(&str) -> Result<T::Native>,
) -> Result<ArrayRef> {
    let mut builder = PrimitiveBuilder::<T>::with_capacity(texts.len());
    read_each(texts, target, parse, |value| builder.append_option(value))?;
    Ok(Arc::new(builder.finish().with_data_type(target.to.to_arrow())))
}

fn read_each<V>(
    texts: &StringArray,
    target: Target,
    parse: impl Fn(&str) -> Result<V>,
    mut append: impl FnMut(Option<V>),
) -> Result<()> {
    for text in texts {
        match text.map(&parse).transpose() {
            Ok(value) => append(value),
            Err(_) if target.or_null => append(None),
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Between bytes and UUIDs.
pub(super) fn bytes(array: &dyn Array, target: Target) -> Result<ArrayRef> {
    if target.to == DataType::Binary {
        return crate::types::cast(array, &target.to.to_arrow());
    }
    let mut builder = FixedSizeBinaryBuilder::with_capacity(array.len(), 16);
    for value in array.as_binary::<i32>() {
        match value {
            Some(value) if value.len() == 16 => builder.append_value(value)?,
            Some(value) if !target.or_null => {
                return Err(Error::out_of_range(format!("{} bytes are no uuid", value.len())));
            }
            _ => builder.append_null(),
        }
    }
    Ok(Arc::new(builder.finish()))
}
