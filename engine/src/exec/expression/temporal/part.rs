//! `extract(part from …)`.

use std::sync::Arc;

use arrow::datatypes::{Float64Type, Int64Type};

use super::{Clock, ticks, unit_of};
use crate::context::Context;
use crate::exec::expression::operand::Operand;
use crate::plan::DatePart;
use crate::types::calendar::{
    SECONDS_PER_DAY, civil_from_days, day_of_week, day_of_year, iso_day_of_week, iso_week,
};
use crate::types::{DataType, Result};

/// The part as `Int64`, or as a double where the type has a fraction of it.
pub(in super::super) fn extract(
    part: DatePart,
    input: &Operand,
    (from, to): (DataType, DataType),
    context: &Context,
) -> Result<Operand> {
    let clock = Clock::new(from, context)?;
    let values = ticks(input.array())?;
    if to == DataType::Float64 {
        let per_second = unit_of(from).per_second();
        let array = values.unary::<_, Float64Type>(|value| match part {
            DatePart::Epoch if from == DataType::Date => quotient(value * SECONDS_PER_DAY, 1),
            DatePart::Epoch => quotient(value, per_second),
            _ => {
                let (seconds, fraction) = clock.local(value);
                let in_minute = seconds.rem_euclid(60) * per_second + fraction;
                quotient(in_minute, per_second / per_second_of(part))
            }
        });
        return Ok(input.with_array(Arc::new(array)));
    }
    let unit_scale = per_second_of(part).max(1);
    let array = values.unary::<_, Int64Type>(|value| {
        let (seconds, fraction) = clock.local(value);
        match part {
            DatePart::Second | DatePart::Millisecond | DatePart::Microsecond => {
                seconds.rem_euclid(60) * unit_scale
                    + fraction * unit_scale / unit_of(from).per_second()
            }
            DatePart::Minute => seconds.div_euclid(60).rem_euclid(60),
            // 24:00 is hour 24 of a time, and nothing else has one.
            DatePart::Hour if matches!(from, DataType::Time(_)) => seconds / 3_600,
            DatePart::Hour => seconds.div_euclid(3_600).rem_euclid(24),
            _ => of_date(part, seconds.div_euclid(SECONDS_PER_DAY)),
        }
    });
    Ok(input.with_array(Arc::new(array)))
}

/// How many of the part make a second; 1 for larger ones.
fn per_second_of(part: DatePart) -> i64 {
    match part {
        DatePart::Millisecond => 1_000,
        DatePart::Microsecond => 1_000_000,
        _ => 1,
    }
}

#[expect(clippy::cast_precision_loss, reason = "the nearest double is what a double part is")]
fn quotient(value: i64, unit: i64) -> f64 {
    value as f64 / unit as f64
}

/// A part of a day number.
fn of_date(part: DatePart, days: i64) -> i64 {
    // There is no year 0: the year before 1 is 1 BC, which is -1.
    let shown = |year: i64| if year > 0 { year } else { year - 1 };
    let date = civil_from_days(days);
    match part {
        DatePart::Day => date.day,
        DatePart::Month => date.month,
        DatePart::Quarter => (date.month - 1) / 3 + 1,
        DatePart::Week => iso_week(days).1,
        DatePart::IsoYear => shown(iso_week(days).0),
        DatePart::DayOfWeek => day_of_week(days),
        DatePart::IsoDayOfWeek => iso_day_of_week(days),
        DatePart::DayOfYear => day_of_year(days),
        DatePart::Decade => date.year.div_euclid(10),
        DatePart::Century => shown((date.year - 1).div_euclid(100) + 1),
        DatePart::Millennium => shown((date.year - 1).div_euclid(1_000) + 1),
        _ => shown(date.year),
    }
}
