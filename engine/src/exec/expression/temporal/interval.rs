//! Moving dates and timestamps.

use arrow::datatypes::{Date32Type, Int64Type, IntervalMonthDayNano, IntervalMonthDayNanoType};

use super::{Clock, from_ticks, ticks_operand, unit_of};
use crate::context::Context;
use crate::exec::expression::operand::{Operand, zip_map};
use crate::types::calendar::{SECONDS_PER_DAY, add_months};
use crate::types::{DataType, Error, Result, Value};

/// `a + interval`, or `a - interval` with `sign` -1: months first, a day past the month's end
/// becomes its last, then days on the local clock, then time.
pub(in super::super) fn add_interval(
    inputs: &[Operand],
    sign: i64,
    data_type: DataType,
    context: &Context,
) -> Result<Operand> {
    let clock = Clock::new(data_type, context)?;
    let from = ticks_operand(&inputs[0])?;
    let moved = zip_map::<Int64Type, IntervalMonthDayNanoType, Int64Type>(
        &from,
        &inputs[1],
        DataType::Int64,
        |value, interval| {
            let moved = match data_type {
                DataType::Time(_) => Some(moved_time(value, interval, sign, data_type)),
                _ => moved(value, interval, sign, &clock),
            };
            moved.ok_or_else(|| {
                let shown = Value::Int(value.into()).to_text(data_type);
                Error::out_of_range(format!("{data_type} out of range: {shown} and an interval"))
            })
        },
    )?;
    let array = from_ticks(moved.as_primitive::<Int64Type>(), data_type)?;
    Ok(moved.with_array(array))
}

fn moved(value: i64, interval: IntervalMonthDayNano, sign: i64, clock: &Clock) -> Option<i64> {
    let mut value = value;
    if interval.months != 0 || interval.days != 0 {
        // Beside the first instants the clock shows more than 64 bits hold.
        let (seconds, fraction) = clock.exact_local(value);
        let per_day = i128::from(SECONDS_PER_DAY);
        let day = i64::try_from(seconds.div_euclid(per_day)).ok()?;
        let second_of_day = i64::try_from(seconds.rem_euclid(per_day)).ok()?;
        let day = add_months(day, sign * i64::from(interval.months));
        let day = day.checked_add(sign * i64::from(interval.days))?;
        let seconds = day.checked_mul(SECONDS_PER_DAY)?.checked_add(second_of_day)?;
        value = clock.ticks(seconds, fraction)?;
    }
    let per_unit = 1_000_000_000 / clock.per_second;
    value.checked_add(sign.checked_mul(interval.nanoseconds / per_unit)?)
}

/// A time of day goes round the clock.
fn moved_time(value: i64, interval: IntervalMonthDayNano, sign: i64, data_type: DataType) -> i64 {
    let per_second = unit_of(data_type).per_second();
    let per_day = SECONDS_PER_DAY * per_second;
    let step = (interval.nanoseconds / (1_000_000_000 / per_second)) % per_day;
    (value.rem_euclid(per_day) + sign * step).rem_euclid(per_day)
}

/// `date + days`
pub(in super::super) fn add_days(inputs: &[Operand]) -> Result<Operand> {
    zip_map::<Date32Type, Int64Type, Date32Type>(
        &inputs[0],
        &inputs[1],
        DataType::Date,
        |date, days| {
            let moved = i64::from(date).checked_add(days);
            moved.and_then(|moved| i32::try_from(moved).ok()).ok_or_else(|| {
                let shown = Value::Int(date.into()).to_text(DataType::Date);
                Error::out_of_range(format!("date out of range: {shown} + {days} days"))
            })
        },
    )
}
