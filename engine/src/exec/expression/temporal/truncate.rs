//! `date_trunc` and `date_diff`.

use arrow::datatypes::Int64Type;

use super::{Clock, map_ticks, ticks_operand, unit_of};
use crate::context::Context;
use crate::exec::expression::operand::{Operand, zip_map};
use crate::plan::DatePart;
use crate::types::calendar::{SECONDS_PER_DAY, civil_from_days, days_from_civil, iso_day_of_week};
use crate::types::{DataType, Error, Result};

/// The start of the part that the timestamp is in; floors before 1970 too.
pub(in super::super) fn truncate(
    part: DatePart,
    input: &Operand,
    data_type: DataType,
    context: &Context,
) -> Result<Operand> {
    let clock = Clock::new(data_type, context)?;
    let per_second = unit_of(data_type).per_second();
    map_ticks(input, data_type, |value| {
        let (seconds, _) = clock.local(value);
        let truncated = if let Some(step) = clock_ticks(part, per_second) {
            // An offset may have minutes: what is cut is the clock that shows it.
            let offset = (seconds - value.div_euclid(per_second)) * per_second;
            // Beside the last instants the clock shows more than 64 bits hold.
            let local = i128::from(value) + i128::from(offset);
            i64::try_from(i128::from(value) - local.rem_euclid(i128::from(step))).ok()
        } else {
            let day = start_of(part, seconds.div_euclid(SECONDS_PER_DAY));
            day.checked_mul(SECONDS_PER_DAY).and_then(|seconds| clock.ticks(seconds, 0))
        };
        truncated.ok_or_else(|| {
            let shown = crate::types::Value::Int(value.into()).to_text(data_type);
            Error::out_of_range(format!("timestamp out of range: date_trunc of {shown}"))
        })
    })
}

/// Ticks of a part smaller than a day.
fn clock_ticks(part: DatePart, per_second: i64) -> Option<i64> {
    let ticks = match part {
        DatePart::Microsecond => per_second / 1_000_000,
        DatePart::Millisecond => per_second / 1_000,
        DatePart::Second => per_second,
        DatePart::Minute => 60 * per_second,
        DatePart::Hour => 3_600 * per_second,
        _ => return None,
    };
    Some(ticks.max(1))
}

/// The first day of the part that a day is in.
fn start_of(part: DatePart, days: i64) -> i64 {
    let date = civil_from_days(days);
    match part {
        DatePart::Week => days - iso_day_of_week(days) + 1,
        DatePart::Month => days - date.day + 1,
        DatePart::Quarter => days_from_civil(date.year, (date.month - 1) / 3 * 3 + 1, 1),
        DatePart::Year => days_from_civil(date.year, 1, 1),
        DatePart::Decade => days_from_civil(date.year.div_euclid(10) * 10, 1, 1),
        DatePart::Century => days_from_civil((date.year - 1).div_euclid(100) * 100 + 1, 1, 1),
        DatePart::Millennium => {
            days_from_civil((date.year - 1).div_euclid(1_000) * 1_000 + 1, 1, 1)
        }
        _ => days,
    }
}

/// `date_diff(part, from, to)`: how many starts of the part lie between.
///
/// Hours and what is smaller have passed or not, whatever a clock did that was put forward meanwhile:
/// they are read off the clock as it goes at `from`.
pub(in super::super) fn difference(
    part: DatePart,
    inputs: &[Operand],
    data_type: DataType,
    context: &Context,
) -> Result<Operand> {
    let clock = Clock::new(data_type, context)?;
    let per_second = unit_of(data_type).per_second();
    let (from, to) = (ticks_operand(&inputs[0])?, ticks_operand(&inputs[1])?);
    zip_map::<Int64Type, Int64Type, Int64Type>(&from, &to, DataType::Int64, |from, to| {
        let offset = |ticks: i64| clock.local(ticks).0 - ticks.div_euclid(per_second);
        let (mut seconds, fraction) = clock.local(to);
        if clock_ticks(part, per_second).is_some() {
            seconds += offset(from) - offset(to);
        }
        let to = ordinal(part, (seconds, fraction), per_second);
        let from = ordinal(part, clock.local(from), per_second);
        i64::try_from(to - from)
            .map_err(|_| Error::out_of_range(format!("bigint out of range: {to} - {from}")))
    })
}

/// The number of the part that a local moment is in, counted from 1970.
fn ordinal(part: DatePart, (seconds, fraction): (i64, i64), per_second: i64) -> i128 {
    let days = seconds.div_euclid(SECONDS_PER_DAY);
    let finer = |per_part: i128| {
        i128::from(seconds) * per_part + i128::from(fraction) * per_part / i128::from(per_second)
    };
    let date = civil_from_days(days);
    i128::from(match part {
        DatePart::Microsecond => return finer(1_000_000),
        DatePart::Millisecond => return finer(1_000),
        DatePart::Second | DatePart::Epoch => seconds,
        DatePart::Minute => seconds.div_euclid(60),
        DatePart::Hour => seconds.div_euclid(3_600),
        DatePart::Week => (days + 3).div_euclid(7),
        DatePart::Month => date.year * 12 + date.month - 1,
        DatePart::Quarter => date.year * 4 + (date.month - 1) / 3,
        DatePart::Year => date.year,
        DatePart::IsoYear => crate::types::calendar::iso_week(days).0,
        DatePart::Decade => date.year.div_euclid(10),
        DatePart::Century => (date.year - 1).div_euclid(100),
        DatePart::Millennium => (date.year - 1).div_euclid(1_000),
        DatePart::Day | DatePart::DayOfWeek | DatePart::IsoDayOfWeek | DatePart::DayOfYear => days,
    })
}
