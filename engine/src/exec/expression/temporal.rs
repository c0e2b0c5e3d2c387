//! Functions of dates, times and timestamps.
//!
//! All of them work on ticks (days, or units since midnight or 1970) in 64 bits; an instant is moved
//! to the session's clock first where the calendar matters.

mod interval;
mod part;
mod truncate;

pub(super) use self::interval::{add_days, add_interval};
pub(super) use self::part::extract;
pub(super) use self::truncate::{difference, truncate};

use std::fmt::Write;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Int64Array, PrimitiveArray};
use arrow::datatypes::{DataType as ArrowType, Date32Type, Float64Type, Int64Type};
use chrono::DateTime;
use chrono::format::{Item, StrftimeItems};

use super::operand::{Operand, all_constant, build_texts, computed_len, zip_map};
use crate::context::Context;
use crate::types::calendar::{SECONDS_PER_DAY, civil_from_days, days_from_civil, days_in_month};
use crate::types::{DataType, Error, Result, TimeUnit, ZoneClock, cast};

/// Days or units as 64-bit integers.
pub(super) fn ticks(array: &dyn Array) -> Result<Int64Array> {
    Ok(cast(array, &ArrowType::Int64)?.as_primitive::<Int64Type>().clone())
}

/// The array of `data_type` that ticks stand for.
pub(super) fn from_ticks(ticks: &Int64Array, data_type: DataType) -> Result<ArrayRef> {
    let values = cast(ticks, &data_type.to_arrow())?;
    if values.null_count() != ticks.null_count() {
        return Err(out_of_range(data_type));
    }
    Ok(values)
}

fn out_of_range(data_type: DataType) -> Error {
    Error::out_of_range(format!("{data_type} out of range"))
}

fn unit_of(data_type: DataType) -> TimeUnit {
    match data_type {
        DataType::Timestamp { unit, .. } | DataType::Time(unit) => unit,
        _ => TimeUnit::Second,
    }
}

fn is_zoned(data_type: DataType) -> bool {
    matches!(data_type, DataType::Timestamp { zoned: true, .. })
}

/// Seconds and the units on top of them, on the clock that the calendar is read from.
struct Clock {
    zone: ZoneClock,
    data_type: DataType,
    per_second: i64,
}

impl Clock {
    fn new(data_type: DataType, context: &Context) -> Result<Clock> {
        let zone = if is_zoned(data_type) {
            ZoneClock::named(&context.time_zone)?
        } else {
            ZoneClock::utc()
        };
        Ok(Clock { zone, data_type, per_second: unit_of(data_type).per_second() })
    }

    /// Local seconds since 1970 (a date's at midnight, a time's since midnight), and the fraction in
    /// units.
    fn local(&self, ticks: i64) -> (i64, i64) {
        let (seconds, offset, fraction) = self.parts(ticks);
        (seconds.saturating_add(offset), fraction)
    }

    /// The same where 64 bits do not hold what the clock shows.
    fn exact_local(&self, ticks: i64) -> (i128, i64) {
        let (seconds, offset, fraction) = self.parts(ticks);
        (i128::from(seconds) + i128::from(offset), fraction)
    }

    /// Seconds since 1970, those that the clock is before them, and the fraction in units.
    fn parts(&self, ticks: i64) -> (i64, i64, i64) {
        if self.data_type == DataType::Date {
            return (ticks * SECONDS_PER_DAY, 0, 0);
        }
        // Dividing by a constant costs a tenth.
        let (seconds, fraction) = match self.per_second {
            1 => (ticks, 0),
            1_000 => (ticks.div_euclid(1_000), ticks.rem_euclid(1_000)),
            1_000_000 => (ticks.div_euclid(1_000_000), ticks.rem_euclid(1_000_000)),
            other => (ticks.div_euclid(other), ticks.rem_euclid(other)),
        };
        let offset = if self.zone.is_utc() { 0 } else { self.zone.offset_at(seconds) };
        (seconds, i64::from(offset), fraction)
    }

    /// The ticks of a local clock reading; `None` when 64 bits do not hold them.
    fn ticks(&self, seconds: i64, fraction: i64) -> Option<i64> {
        let offset = if self.zone.is_utc() { 0 } else { self.zone.offset_of_local(seconds) };
        seconds.checked_sub(i64::from(offset))?.checked_mul(self.per_second)?.checked_add(fraction)
    }
}

/// Applies `op` to the ticks.
fn map_ticks(input: &Operand, to: DataType, op: impl Fn(i64) -> Result<i64>) -> Result<Operand> {
    let output = ticks(input.array())?.try_unary::<_, Int64Type, Error>(op)?;
    Ok(input.with_array(from_ticks(&output, to)?))
}

/// An operand's ticks, which can be zipped with other numbers.
fn ticks_operand(input: &Operand) -> Result<Operand> {
    Ok(input.with_array(Arc::new(ticks(input.array())?)))
}

/// `date - date` in days.
pub(super) fn date_difference(inputs: &[Operand]) -> Result<Operand> {
    zip_map::<Date32Type, Date32Type, Int64Type>(
        &inputs[0],
        &inputs[1],
        DataType::Int64,
        |left, right| Ok(i64::from(left) - i64::from(right)),
    )
}

/// `make_date(year, month, day)`
pub(super) fn make_date(inputs: &[Operand]) -> Result<Operand> {
    let parts: Vec<_> = inputs.iter().map(Operand::numbers::<Int64Type>).collect();
    let days: Result<PrimitiveArray<Date32Type>> = (0..computed_len(inputs))
        .map(|row| match (parts[0].get(row), parts[1].get(row), parts[2].get(row)) {
            (Some(year), Some(month), Some(day)) => date(year, month, day).map(Some),
            _ => Ok(None),
        })
        .collect();
    Ok(Operand::computed(Arc::new(days?), inputs))
}

fn date(year: i64, month: i64, day: i64) -> Result<i32> {
    let wrong = || {
        Error::out_of_range(format!("date field value out of range: {year}-{month:02}-{day:02}"))
    };
    // A negative year is BC: -44 is 44 BC, and there is no year 0.
    let astronomical = if year < 0 { year + 1 } else { year };
    let exists = year != 0
        && (-10_000_000..=10_000_000).contains(&year)
        && (1..=12).contains(&month)
        && (1..=days_in_month(astronomical, month)).contains(&day);
    if !exists {
        return Err(wrong());
    }
    i32::try_from(days_from_civil(astronomical, month, day)).map_err(|_| wrong())
}

/// `last_day(a)`
pub(super) fn last_day(input: &Operand, from: DataType, context: &Context) -> Result<Operand> {
    let clock = Clock::new(from, context)?;
    map_ticks(input, DataType::Date, |ticks| {
        let day = clock.local(ticks).0.div_euclid(SECONDS_PER_DAY);
        let date = civil_from_days(day);
        Ok(day - date.day + days_in_month(date.year, date.month))
    })
}

/// `to_timestamp(seconds)`
pub(super) fn from_seconds(input: &Operand, data_type: DataType) -> Result<Operand> {
    let array = input.as_primitive::<Float64Type>();
    let output = array.try_unary::<_, Int64Type, Error>(|seconds| {
        let microseconds = (seconds * 1e6).round_ties_even();
        if microseconds.is_nan() || microseconds.abs() >= 9.2e18 {
            return Err(Error::out_of_range(format!("timestamp out of range: {seconds} seconds")));
        }
        #[expect(clippy::cast_possible_truncation, reason = "whole, and checked against 64 bits")]
        let microseconds = microseconds as i64;
        Ok(microseconds)
    })?;
    Ok(input.with_array(from_ticks(&output, data_type)?))
}

/// `epoch_ms(milliseconds)`
pub(super) fn from_milliseconds(input: &Operand, data_type: DataType) -> Result<Operand> {
    map_ticks(input, data_type, |milliseconds| {
        milliseconds.checked_mul(1_000).ok_or_else(|| {
            Error::out_of_range(format!("timestamp out of range: {milliseconds} milliseconds"))
        })
    })
}

/// `strftime(a, format)`
pub(super) fn format(inputs: &[Operand], from: DataType, context: &Context) -> Result<Operand> {
    let clock = Clock::new(from, context)?;
    let ticks = ticks_operand(&inputs[0])?;
    let (ticks, formats) = (ticks.numbers::<Int64Type>(), inputs[1].texts());
    let constant = formats.constant().map(format_items).transpose()?;
    let per_unit = 1_000_000_000 / unit_of(from).per_second();
    assert!(all_constant(inputs) || computed_len(inputs) > 0, "some rows are computed");
    build_texts(inputs, context, |row, out| {
        let (Some(value), Some(format)) = (ticks.get(row), formats.get(row)) else {
            return Ok(false);
        };
        let (seconds, fraction) = clock.local(value);
        let nanoseconds = u32::try_from(fraction * per_unit).unwrap_or(0);
        let moment = DateTime::from_timestamp(seconds, nanoseconds)
            .ok_or_else(|| Error::out_of_range("strftime takes years -262143 to 262142"))?;
        let items = match &constant {
            Some(items) => items.clone(),
            None => format_items(format)?,
        };
        let written = write!(out, "{}", moment.naive_utc().format_with_items(items.iter()));
        written.map_err(|_| unknown_format(format))?;
        Ok(true)
    })
}

fn format_items(format: &str) -> Result<Vec<Item<'_>>> {
    let items: Vec<Item<'_>> = StrftimeItems::new(format).collect();
    if items.iter().any(|item| matches!(item, Item::Error)) {
        return Err(unknown_format(format));
    }
    Ok(items)
}

fn unknown_format(format: &str) -> Error {
    Error::invalid_text(format!("strftime does not know the format \"{format}\""))
}
