//! Casts between dates, times and timestamps.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Int64Array, IntervalMonthDayNanoArray};
use arrow::datatypes::{Int64Type, IntervalMonthDayNano, IntervalMonthDayNanoType};

use super::super::operand::{Operand, computed_len};
use super::super::temporal::{from_ticks, ticks};
use super::{Target, out_of_range};
use crate::context::Context;
use crate::types::calendar::SECONDS_PER_DAY;
use crate::types::{DataType, Error, Result, TimeUnit, Value, ZoneClock};

/// 2000-01-01 in seconds: PostgreSQL counts from there, and rounds towards or away from it.
const POSTGRES_EPOCH_SECONDS: i64 = 946_684_800;
const NANOSECONDS_PER_DAY: i64 = SECONDS_PER_DAY * 1_000_000_000;

pub(super) fn cast(array: &dyn Array, target: Target, context: &Context) -> Result<ArrayRef> {
    match (target.from, target.to) {
        (DataType::Interval, DataType::Time(unit)) => return interval_to_time(array, unit),
        (DataType::Time(unit), DataType::Interval) => return time_to_interval(array, unit),
        _ => {}
    }
    let zone = ZoneClock::named(&context.time_zone)?;
    let input = ticks(array)?;
    let convert = |value: i64| {
        converted(value, target.from, target.to, &zone)
            .ok_or_else(|| out_of_range(Value::Int(value.into()).to_text(target.from), target.to))
    };
    let output: Int64Array = if target.or_null {
        input.unary_opt::<_, Int64Type>(|value| convert(value).ok())
    } else {
        input.try_unary::<_, Int64Type, _>(convert)?
    };
    from_ticks(&output, target.to)
}

/// `timezone(zone, a)`: an instant as the clocks of that zone show it, or the instant at which they
/// show a timestamp. `to` tells which.
pub(in super::super) fn at_time_zone(inputs: &[Operand], to: DataType) -> Result<Operand> {
    let DataType::Timestamp { unit, zoned } = to else {
        return Err(Error::internal(format!("a time zone does not give {to}")));
    };
    let from = DataType::Timestamp { unit, zoned: !zoned };
    let ticks = inputs[1].with_array(Arc::new(ticks(inputs[1].array())?));
    let (zones, ticks) = (inputs[0].texts(), ticks.numbers::<Int64Type>());
    let mut last: Option<(&str, ZoneClock)> = None;
    let mut convert = |row| -> Result<Option<i64>> {
        let (Some(name), Some(value)) = (zones.get(row), ticks.get(row)) else {
            return Ok(None);
        };
        if last.as_ref().is_none_or(|(known, _)| *known != name) {
            last = Some((name, ZoneClock::named(name)?));
        }
        let zone = &last.as_ref().expect("it was just found").1;
        let converted = converted(value, from, to, zone)
            .ok_or_else(|| out_of_range(Value::Int(value.into()).to_text(from), to))?;
        Ok(Some(converted))
    };
    let output: Int64Array = (0..computed_len(inputs)).map(&mut convert).collect::<Result<_>>()?;
    Ok(Operand::computed(from_ticks(&output, to)?, inputs))
}

fn converted(value: i64, from: DataType, to: DataType, zone: &ZoneClock) -> Option<i64> {
    use DataType::{Date, Time, Timestamp};
    match (from, to) {
        (Date, Timestamp { unit, zoned }) => {
            let seconds = value.checked_mul(SECONDS_PER_DAY)?;
            let offset = if zoned { zone.offset_of_local(seconds) } else { 0 };
            seconds.checked_sub(i64::from(offset))?.checked_mul(unit.per_second())
        }
        (Timestamp { unit, zoned }, Date) => {
            let day = local(value, unit, zoned, zone).div_euclid(ticks_per_day(unit).into());
            i32::try_from(day).ok().map(i64::from)
        }
        (Timestamp { unit, zoned }, Time(to_unit)) => {
            let clock = local(value, unit, zoned, zone).rem_euclid(ticks_per_day(unit).into());
            rescale(i64::try_from(clock).ok()?, unit, to_unit)
        }
        (Time(unit), Time(to_unit)) => rescale(value, unit, to_unit),
        (Timestamp { unit, zoned }, Timestamp { unit: to_unit, zoned: to_zoned }) => {
            let value = match (zoned, to_zoned) {
                (true, false) => local(value, unit, true, zone),
                (false, true) => {
                    let offset = zone.offset_of_local(value.div_euclid(unit.per_second()));
                    i128::from(value) - i128::from(offset) * i128::from(unit.per_second())
                }
                _ => value.into(),
            };
            rescale_instant(value, unit, to_unit)
        }
        _ => None,
    }
}

fn ticks_per_day(unit: TimeUnit) -> i64 {
    SECONDS_PER_DAY * unit.per_second()
}

/// The session's clock at an instant, which may show more than 64 bits hold; a local timestamp as it
/// is.
fn local(value: i64, unit: TimeUnit, zoned: bool, zone: &ZoneClock) -> i128 {
    let offset = if zoned { zone.offset_at(value.div_euclid(unit.per_second())) } else { 0 };
    i128::from(value) + i128::from(offset) * i128::from(unit.per_second())
}

/// A time of day in another unit, rounded half up.
fn rescale(value: i64, from: TimeUnit, to: TimeUnit) -> Option<i64> {
    if to >= from {
        return value.checked_mul(to.per_second() / from.per_second());
    }
    let per_unit = from.per_second() / to.per_second();
    Some(value.checked_add(per_unit / 2)?.div_euclid(per_unit))
}

/// A timestamp in another unit, rounded half away from 2000-01-01.
fn rescale_instant(value: i128, from: TimeUnit, to: TimeUnit) -> Option<i64> {
    if to >= from {
        return i64::try_from(value * i128::from(to.per_second() / from.per_second())).ok();
    }
    let per_unit = from.per_second() / to.per_second();
    let epoch = POSTGRES_EPOCH_SECONDS * from.per_second();
    let since = value - i128::from(epoch);
    let half = i128::from(per_unit / 2) * since.signum();
    let rounded = (since + half) / i128::from(per_unit);
    i64::try_from(rounded + i128::from(epoch / per_unit)).ok()
}

fn interval_to_time(array: &dyn Array, unit: TimeUnit) -> Result<ArrayRef> {
    let array = array.as_primitive::<IntervalMonthDayNanoType>();
    let per_unit = 1_000_000_000 / unit.per_second();
    let output: Int64Array = array.unary::<_, Int64Type>(|interval| {
        interval.nanoseconds.rem_euclid(NANOSECONDS_PER_DAY) / per_unit
    });
    from_ticks(&output, DataType::Time(unit))
}

fn time_to_interval(array: &dyn Array, unit: TimeUnit) -> Result<ArrayRef> {
    let input = ticks(array)?;
    let per_unit = 1_000_000_000 / unit.per_second();
    let output: IntervalMonthDayNanoArray = input.try_unary(|value| {
        let nanoseconds = value.checked_mul(per_unit);
        nanoseconds
            .map(|nanoseconds| IntervalMonthDayNano::new(0, 0, nanoseconds))
            .ok_or_else(|| Error::out_of_range(format!("{value} is no time of day")))
    })?;
    Ok(Arc::new(output))
}
