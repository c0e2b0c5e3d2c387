//! Dates and times by patterns of `strftime`.

use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime, Timelike};

use super::moment::Moment;

/// Days since 1970; a time of day that the pattern has as well is left out.
pub(super) fn date(text: &[u8], pattern: &str) -> Option<i32> {
    let text = std::str::from_utf8(text).ok()?;
    let date = NaiveDate::parse_from_str(text, pattern)
        .or_else(|_| NaiveDateTime::parse_from_str(text, pattern).map(|moment| moment.date()));
    days(date.ok()?)
}

/// Microseconds since midnight.
pub(super) fn time(text: &[u8], pattern: &str) -> Option<i64> {
    let time = NaiveTime::parse_from_str(std::str::from_utf8(text).ok()?, pattern).ok()?;
    Some(nanoseconds(time) / 1_000)
}

/// Microseconds since 1970.
pub(super) fn timestamp(text: &[u8], pattern: &str) -> Option<i64> {
    let text = std::str::from_utf8(text).ok()?;
    let moment = NaiveDateTime::parse_from_str(text, pattern)
        .ok()
        .or_else(|| NaiveDate::parse_from_str(text, pattern).ok()?.and_hms_opt(0, 0, 0))?;
    let (days, nanoseconds) = (days(moment.date())?, nanoseconds(moment.time()));
    Moment { days, nanoseconds, offset: None }.microseconds()
}

/// Microseconds since 1970 in UTC.
pub(super) fn zoned(text: &[u8], pattern: &str) -> Option<i64> {
    let text = std::str::from_utf8(text).ok()?;
    Some(DateTime::parse_from_str(text, pattern).ok()?.timestamp_micros())
}

fn days(date: NaiveDate) -> Option<i32> {
    i32::try_from(date.signed_duration_since(NaiveDate::default()).num_days()).ok()
}

fn nanoseconds(time: NaiveTime) -> i64 {
    i64::from(time.num_seconds_from_midnight()) * 1_000_000_000 + i64::from(time.nanosecond())
}
