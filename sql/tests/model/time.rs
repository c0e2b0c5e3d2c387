//! Dates and times: chrono's calendar, moved by whole cycles of 400 years to any year.

use martlet::plan::{DatePart, Function};
use martlet::{DataType, Error, Interval, Result, TimeUnit, Value};
use num_bigint::BigInt;

use chrono::{
    DateTime, Datelike, MappedLocalTime, Months, NaiveDate, NaiveDateTime, Offset, TimeZone,
};
use chrono_tz::Tz;

use crate::number::{fit, float, whole};
use crate::plan::Cell;

pub(crate) const SECONDS_PER_DAY: i128 = 86_400;
const DAYS_PER_CYCLE: i128 = 146_097;
const NANOSECONDS: i128 = 1_000_000_000;

/// A time zone of the tz database.
#[derive(Clone, Copy)]
pub(crate) struct Zone(Option<Tz>);

impl Zone {
    pub(crate) fn named(name: &str) -> Zone {
        Zone::parse(name).expect("the engine accepted the zone")
    }

    pub(crate) fn parse(name: &str) -> Result<Zone> {
        if name.eq_ignore_ascii_case("utc") {
            return Ok(Zone(None));
        }
        let zone = name.parse().map_err(|_| Error::invalid_text(format!("the zone {name}")))?;
        Ok(Zone(Some(zone)))
    }

    /// Seconds east of UTC at an instant.
    pub(crate) fn offset_at(self, seconds: i64) -> i32 {
        self.0.map_or(0, |zone| {
            zone.offset_from_utc_datetime(&moment(seconds)).fix().local_minus_utc()
        })
    }

    /// Seconds east of UTC when the local clock shows `seconds`: a reading that spring skips is taken
    /// with the offset before it, one that autumn repeats as the second.
    pub(crate) fn offset_of_local(self, seconds: i64) -> i32 {
        let Some(zone) = self.0 else {
            return 0;
        };
        match zone.offset_from_local_datetime(&moment(seconds)) {
            MappedLocalTime::Single(offset) => offset.fix().local_minus_utc(),
            MappedLocalTime::Ambiguous(_, second) => second.fix().local_minus_utc(),
            MappedLocalTime::None => self.offset_at(seconds - 86_400),
        }
    }
}

/// The clock's reading within chrono's years; zones do not change beyond them.
fn moment(seconds: i64) -> NaiveDateTime {
    let limit = 6_000_000_000_000;
    DateTime::from_timestamp(seconds.clamp(-limit, limit), 0).expect("chrono's years").naive_utc()
}

/// A day number as a date of the years 1970 to 2369, and the years that are missing.
fn date_of(day: i128) -> (NaiveDate, i128) {
    let (cycle, rest) = (day.div_euclid(DAYS_PER_CYCLE), day.rem_euclid(DAYS_PER_CYCLE));
    let epoch = NaiveDate::from_ymd_opt(1970, 1, 1).expect("a date");
    (epoch + chrono::Days::new(u64::try_from(rest).expect("positive")), cycle * 400)
}

/// The day number of a date with the years that are missing.
fn day_of(date: NaiveDate, years: i128) -> i128 {
    let epoch = NaiveDate::from_ymd_opt(1970, 1, 1).expect("a date");
    i128::from((date - epoch).num_days()) + years / 400 * DAYS_PER_CYCLE
}

/// The day number of a year's month's first day.
fn first_of(year: i128, month: u32) -> i128 {
    let (cycle, rest) = ((year - 2000).div_euclid(400), (year - 2000).rem_euclid(400));
    let near = i32::try_from(rest).expect("below 400") + 2000;
    day_of(NaiveDate::from_ymd_opt(near, month, 1).expect("a date"), cycle * 400)
}

/// The function's value; `None` when it is not one of dates and times.
pub(crate) fn call(
    function: Function,
    values: &[Value],
    types: &[DataType],
    data_type: DataType,
    zone: Zone,
) -> Option<Cell> {
    use Function as F;
    let clock = Clock { data_type: types.first().copied().unwrap_or(data_type), zone };
    Some(match function {
        F::Extract(part) => Ok(extract(part, whole(&values[0]), clock, data_type)),
        F::DateTrunc(part) => truncate(part, whole(&values[0]), Clock { data_type, zone }),
        F::AddInterval => moved(whole(&values[0]), &values[1], 1, Clock { data_type, zone }),
        F::SubtractInterval => moved(whole(&values[0]), &values[1], -1, Clock { data_type, zone }),
        F::DateDifference => Ok(Value::Int(whole(&values[0]) - whole(&values[1]))),
        F::AddDays => fit(BigInt::from(whole(&values[0]) + whole(&values[1])), data_type),
        F::DateDiff(part) => {
            let (from, to) = (clock.local(whole(&values[0])), clock.local(whole(&values[1])));
            let nanoseconds = |ticks| whole(ticks) * (NANOSECONDS / clock.per_second());
            let to = match nanoseconds_of(part) {
                // The clock as it goes at the beginning.
                Some(_) if part != DatePart::Epoch && clock.unit().is_some() => {
                    nanoseconds(&values[1]) + from - nanoseconds(&values[0])
                }
                _ => to,
            };
            fit(BigInt::from(ordinal(part, to) - ordinal(part, from)), data_type)
        }
        F::MakeDate => make_date(whole(&values[0]), whole(&values[1]), whole(&values[2])),
        F::LastDay => {
            let day = clock.local(whole(&values[0])).div_euclid(SECONDS_PER_DAY * NANOSECONDS);
            let (date, years) = date_of(day);
            let (year, month) = (i128::from(date.year()) + years, date.month());
            let next = if month == 12 { first_of(year + 1, 1) } else { first_of(year, month + 1) };
            Ok(Value::Int(next - 1))
        }
        F::AtTimeZone => {
            let named = match &values[0] {
                Value::Text(name) => Zone::parse(name),
                _ => return None,
            };
            let zone = match named {
                Ok(zone) => zone,
                Err(error) => return Some(Err(error)),
            };
            let (from, to) = (Clock { data_type: types[1], zone }, Clock { data_type, zone });
            to.ticks(from.local(whole(&values[1])))
        }
        F::ToTimestamp => {
            let microseconds = (float(&values[0]) * 1e6).round_ties_even();
            if !microseconds.is_finite() || microseconds.abs() >= 9.2e18 {
                return Some(Err(Error::out_of_range("to_timestamp")));
            }
            let exact: BigInt = format!("{microseconds:.0}").parse().expect("a whole number");
            fit(exact, data_type)
        }
        F::FromEpochMs => fit(BigInt::from(whole(&values[0]) * 1_000), data_type),
        F::FormatTime => formatted(whole(&values[0]), &values[1], clock),
        _ => return None,
    })
}

/// Ticks of a type, and the zone in which they are read.
#[derive(Clone, Copy)]
struct Clock {
    data_type: DataType,
    zone: Zone,
}

impl Clock {
    fn per_second(self) -> i128 {
        match self.data_type {
            DataType::Time(unit) | DataType::Timestamp { unit, .. } => unit.per_second().into(),
            _ => 1,
        }
    }

    fn unit(self) -> Option<TimeUnit> {
        match self.data_type {
            DataType::Time(unit) | DataType::Timestamp { unit, .. } => Some(unit),
            _ => None,
        }
    }

    /// Nanoseconds on the local clock since 1970, or since midnight for a time.
    fn local(self, ticks: i128) -> i128 {
        match self.data_type {
            DataType::Date => ticks * SECONDS_PER_DAY * NANOSECONDS,
            DataType::Timestamp { zoned: true, .. } => {
                let seconds = i64::try_from(ticks.div_euclid(self.per_second())).expect("64 bits");
                let offset = i128::from(self.zone.offset_at(seconds));
                ticks * (NANOSECONDS / self.per_second()) + offset * NANOSECONDS
            }
            _ => ticks * (NANOSECONDS / self.per_second()),
        }
    }

    /// The ticks at which the local clock shows so many nanoseconds.
    fn ticks(self, local: i128) -> Cell {
        let offset = match self.data_type {
            DataType::Timestamp { zoned: true, .. } => {
                let seconds = i64::try_from(local.div_euclid(NANOSECONDS));
                let seconds = seconds.map_err(|_| Error::out_of_range("timestamp"))?;
                i128::from(self.zone.offset_of_local(seconds))
            }
            _ => 0,
        };
        let since_1970 = local - offset * NANOSECONDS;
        fit(BigInt::from(since_1970.div_euclid(NANOSECONDS / self.per_second())), self.data_type)
    }
}

/// Years count from 1, and before it from -1.
fn without_zero(year: i128) -> i128 {
    if year > 0 { year } else { year - 1 }
}

/// The part that a local day is in, counted so that the next part is one more.
fn part_of_day(part: DatePart, day: i128) -> i128 {
    let (date, years) = date_of(day);
    let year = i128::from(date.year()) + years;
    match part {
        DatePart::Week => (day + 3).div_euclid(7),
        DatePart::Month => year * 12 + i128::from(date.month0()),
        DatePart::Quarter => year * 4 + i128::from(date.month0() / 3),
        DatePart::Year => year,
        DatePart::IsoYear => i128::from(date.iso_week().year()) + years,
        DatePart::Decade => year.div_euclid(10),
        DatePart::Century => (year - 1).div_euclid(100),
        DatePart::Millennium => (year - 1).div_euclid(1_000),
        _ => day,
    }
}

/// How many nanoseconds a part of the clock has; `None` for a part of the calendar.
fn nanoseconds_of(part: DatePart) -> Option<i128> {
    match part {
        DatePart::Microsecond => Some(1_000),
        DatePart::Millisecond => Some(1_000_000),
        DatePart::Second | DatePart::Epoch => Some(NANOSECONDS),
        DatePart::Minute => Some(60 * NANOSECONDS),
        DatePart::Hour => Some(3_600 * NANOSECONDS),
        _ => None,
    }
}

/// The number of the part that a local moment is in.
fn ordinal(part: DatePart, local: i128) -> i128 {
    match nanoseconds_of(part) {
        Some(nanoseconds) => local.div_euclid(nanoseconds),
        None => part_of_day(part, local.div_euclid(SECONDS_PER_DAY * NANOSECONDS)),
    }
}

#[expect(clippy::cast_precision_loss, reason = "the nearest double is what a double part is")]
fn extract(part: DatePart, ticks: i128, clock: Clock, data_type: DataType) -> Value {
    let local = clock.local(ticks);
    let in_minute = local.rem_euclid(60 * NANOSECONDS);
    let day = local.div_euclid(SECONDS_PER_DAY * NANOSECONDS);
    let (date, years) = date_of(day);
    let year = i128::from(date.year()) + years;
    let per_part = nanoseconds_of(part).unwrap_or(1);
    if data_type == DataType::Float64 {
        let (ticks, unit) = match part {
            // Seconds since 1970 of an instant are not a matter of the zone.
            DatePart::Epoch => (
                ticks * if clock.unit().is_none() { SECONDS_PER_DAY } else { 1 },
                clock.per_second(),
            ),
            _ => (
                in_minute / (NANOSECONDS / clock.per_second()),
                per_part * clock.per_second() / NANOSECONDS,
            ),
        };
        return Value::Float(ticks as f64 / unit as f64);
    }
    Value::Int(match part {
        DatePart::Second | DatePart::Millisecond | DatePart::Microsecond => in_minute / per_part,
        DatePart::Minute => local.div_euclid(per_part).rem_euclid(60),
        DatePart::Hour if matches!(clock.data_type, DataType::Time(_)) => local / per_part,
        DatePart::Hour => local.div_euclid(per_part).rem_euclid(24),
        DatePart::Day => date.day().into(),
        DatePart::Month => date.month().into(),
        DatePart::Quarter => i128::from(date.month0() / 3) + 1,
        DatePart::Week => date.iso_week().week().into(),
        DatePart::DayOfWeek => date.weekday().num_days_from_sunday().into(),
        DatePart::IsoDayOfWeek => date.weekday().number_from_monday().into(),
        DatePart::DayOfYear => date.ordinal().into(),
        DatePart::IsoYear => without_zero(part_of_day(part, day)),
        DatePart::Century | DatePart::Millennium => without_zero(part_of_day(part, day) + 1),
        DatePart::Decade => part_of_day(part, day),
        _ => without_zero(year),
    })
}

/// The start of the part: the first day that is in the same one.
fn truncate(part: DatePart, ticks: i128, clock: Clock) -> Cell {
    let local = clock.local(ticks);
    if let Some(nanoseconds) = nanoseconds_of(part) {
        // What is cut is the clock; the offset stays.
        let cut = local.rem_euclid(nanoseconds.max(NANOSECONDS / clock.per_second()));
        let ticks = ticks - cut / (NANOSECONDS / clock.per_second());
        return fit(BigInt::from(ticks), clock.data_type);
    }
    let day = local.div_euclid(SECONDS_PER_DAY * NANOSECONDS);
    let (date, years) = date_of(day);
    let year = i128::from(date.year()) + years;
    let start = match part {
        DatePart::Week => day - i128::from(date.weekday().num_days_from_monday()),
        DatePart::Month => first_of(year, date.month()),
        DatePart::Quarter => first_of(year, date.month0() / 3 * 3 + 1),
        DatePart::Year => first_of(year, 1),
        DatePart::Decade => first_of(year.div_euclid(10) * 10, 1),
        DatePart::Century => first_of((year - 1).div_euclid(100) * 100 + 1, 1),
        DatePart::Millennium => first_of((year - 1).div_euclid(1_000) * 1_000 + 1, 1),
        _ => day,
    };
    clock.ticks(start * SECONDS_PER_DAY * NANOSECONDS)
}

/// Months on the calendar, then days, then time; a time of day goes round.
fn moved(ticks: i128, interval: &Value, sign: i128, clock: Clock) -> Cell {
    let Value::Interval(Interval { months, days, nanoseconds }) = interval else {
        return Err(Error::internal("no interval"));
    };
    let per_unit = NANOSECONDS / clock.per_second();
    let step = sign * (i128::from(*nanoseconds) / per_unit);
    if matches!(clock.data_type, DataType::Time(_)) {
        let per_day = SECONDS_PER_DAY * clock.per_second();
        return Ok(Value::Int((ticks + step).rem_euclid(per_day)));
    }
    let mut ticks = ticks;
    if (*months, *days) != (0, 0) {
        let local = clock.local(ticks);
        let per_day = SECONDS_PER_DAY * NANOSECONDS;
        let day = plus_months(local.div_euclid(per_day), sign * i128::from(*months));
        let day = day + sign * i128::from(*days);
        ticks = whole(&clock.ticks(day * per_day + local.rem_euclid(per_day))?);
    }
    fit(BigInt::from(ticks + step), clock.data_type)
}

/// A day moved by months; past the month's end it is its last day.
fn plus_months(day: i128, months: i128) -> i128 {
    let (date, years) = date_of(day);
    // 4,800 months are a cycle.
    let (cycles, rest) = (months.div_euclid(4_800), months.rem_euclid(4_800));
    let moved = date + Months::new(u32::try_from(rest).expect("below 4,800"));
    day_of(moved, years + cycles * 400)
}

fn make_date(year: i128, month: i128, day: i128) -> Cell {
    let refused = || Error::out_of_range(format!("there is no date {year}-{month}-{day}"));
    let astronomical = if year < 0 { year + 1 } else { year };
    let month = u32::try_from(month).ok().filter(|month| (1..=12).contains(month));
    let month = month.filter(|_| year != 0).ok_or_else(refused)?;
    let next = match month {
        12 => first_of(astronomical + 1, 1),
        _ => first_of(astronomical, month + 1),
    };
    let found = first_of(astronomical, month) + day - 1;
    if day < 1 || found >= next {
        return Err(refused());
    }
    fit(BigInt::from(found), DataType::Date)
}

fn formatted(ticks: i128, format: &Value, clock: Clock) -> Cell {
    let Value::Text(format) = format else {
        return Err(Error::internal("no format"));
    };
    let local = clock.local(ticks);
    let nanoseconds = u32::try_from(local.rem_euclid(NANOSECONDS)).expect("below a second");
    let moment = i64::try_from(local.div_euclid(NANOSECONDS))
        .ok()
        .and_then(|seconds| DateTime::from_timestamp(seconds, nanoseconds))
        .ok_or_else(|| Error::out_of_range("strftime"))?;
    let mut text = String::new();
    let written = std::fmt::write(&mut text, format_args!("{}", moment.naive_utc().format(format)));
    written.map_err(|_| Error::invalid_text("strftime"))?;
    Ok(Value::Text(text))
}
