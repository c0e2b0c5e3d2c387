//! Dates and times in text, in the forms that a sniffer looks for.
//!
//! Years have four digits: a date of two-digit years is only read by a pattern that says so.

use super::number::digit;
use crate::catalog::files::DateOrder;
use crate::types::calendar::{days_from_civil, days_in_month};

/// A date with what stands behind it.
#[derive(Clone, Copy, Debug)]
struct Date<'a> {
    days: i32,
    rest: &'a [u8],
}

/// A time of day, in nanoseconds.
#[derive(Clone, Copy, Debug)]
struct Clock<'a> {
    nanoseconds: i64,
    rest: &'a [u8],
}

const NANOS: i64 = 1_000_000_000;
const DAY_NANOS: i64 = 86_400 * NANOS;

/// A date and time, perhaps with a zone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Moment {
    pub(super) days: i32,
    pub(super) nanoseconds: i64,
    /// Seconds east of UTC.
    pub(super) offset: Option<i32>,
}

impl Moment {
    /// Microseconds since 1970, in UTC if there is a zone; `None` when there are nanoseconds.
    pub(super) fn microseconds(self) -> Option<i64> {
        (self.nanoseconds % 1_000 == 0).then(|| {
            i64::from(self.days) * (DAY_NANOS / 1_000) + self.nanoseconds / 1_000
                - i64::from(self.offset.unwrap_or(0)) * 1_000_000
        })
    }

    /// Nanoseconds since 1970, while 64 bits hold them.
    pub(super) fn nanoseconds(self) -> Option<i64> {
        i64::from(self.days).checked_mul(DAY_NANOS)?.checked_add(self.nanoseconds)
    }
}

/// Reads a date: days since 1970.
#[inline]
pub(super) fn date(text: &[u8], order: DateOrder) -> Option<i32> {
    let date = leading_date(text, order)?;
    date.rest.is_empty().then_some(date.days)
}

/// Reads `12:34`, `12:34:56` or `12:34:56.789`: nanoseconds since midnight.
#[inline]
pub(super) fn time(text: &[u8]) -> Option<i64> {
    let clock = leading_clock(text)?;
    clock.rest.is_empty().then_some(clock.nanoseconds)
}

/// Reads a date that may have a time behind it, and this a zone.
#[inline]
pub(super) fn moment(text: &[u8], order: DateOrder) -> Option<Moment> {
    let date = leading_date(text, order)?;
    if date.rest.is_empty() {
        return Some(Moment { days: date.days, nanoseconds: 0, offset: None });
    }
    let (b' ' | b'T', rest) = date.rest.split_first()? else { return None };
    let Clock { nanoseconds, rest } = leading_clock(rest)?;
    let (nanoseconds, rest) = half_day(nanoseconds, rest)?;
    let offset = if rest.is_empty() { None } else { Some(zone(rest)?) };
    Some(Moment { days: date.days, nanoseconds, offset })
}

fn leading_date(text: &[u8], order: DateOrder) -> Option<Date<'_>> {
    let (first, first_len, rest) = number(text, 4)?;
    let (separator, rest) = rest.split_first()?;
    if !matches!(separator, b'-' | b'/' | b'.') {
        return None;
    }
    let (second, second_len, rest) = number(rest, 2)?;
    let (again, rest) = rest.split_first()?;
    let (third, third_len, rest) = number(rest, 4)?;
    if again != separator || second_len > 2 {
        return None;
    }
    // `2024.1.2` is a version as often as a date.
    let is_full = second_len == 2 && third_len == 2;
    if order == DateOrder::Ymd && *separator == b'.' && !is_full {
        return None;
    }
    let (year, month, day) = match order {
        DateOrder::Ymd if first_len == 4 && third_len <= 2 => (first, second, third),
        DateOrder::Dmy if first_len <= 2 && third_len == 4 => (third, second, first),
        DateOrder::Mdy if first_len <= 2 && third_len == 4 => (third, first, second),
        _ => return None,
    };
    let exists = year > 0
        && (1..=12).contains(&month)
        && day >= 1
        && (day <= 28 || day <= days_in_month(year, month));
    let days = i32::try_from(days_from_civil(year, month, day)).ok()?;
    exists.then_some(Date { days, rest })
}

fn leading_clock(text: &[u8]) -> Option<Clock<'_>> {
    let (hour, _, rest) = number(text, 2)?;
    let (b':', rest) = rest.split_first()? else { return None };
    let (minute, minute_len, mut rest) = number(rest, 2)?;
    let mut second = 0;
    let mut fraction = 0;
    if let Some((b':', behind)) = rest.split_first() {
        let (found, len, behind) = number(behind, 2)?;
        if len != 2 {
            return None;
        }
        (second, rest) = (found, behind);
        if let Some((b'.', behind)) = rest.split_first() {
            let (found, len, behind) = number(behind, 9)?;
            fraction = (len..9).fold(found, |value, _| value * 10);
            rest = behind;
        }
    }
    if hour > 23 || minute > 59 || second > 59 || minute_len != 2 {
        return None;
    }
    let seconds = hour * 3_600 + minute * 60 + second;
    Some(Clock { nanoseconds: seconds * NANOS + fraction, rest })
}

/// Takes ` AM` or ` PM` into account.
fn half_day(nanoseconds: i64, text: &[u8]) -> Option<(i64, &[u8])> {
    let [b' ', half @ (b'A' | b'P' | b'a' | b'p'), b'M' | b'm', rest @ ..] = text else {
        return Some((nanoseconds, text));
    };
    let hour = nanoseconds / (3_600 * NANOS);
    if !(1..=12).contains(&hour) {
        return None;
    }
    let after_noon = matches!(half, b'P' | b'p');
    let shift = match (hour, after_noon) {
        (12, false) => -12,
        (12, true) | (_, false) => 0,
        (_, true) => 12,
    };
    Some((nanoseconds + shift * 3_600 * NANOS, rest))
}

/// `Z`, `UTC`, `+02`, `+0200`, `-05:30`, with or without a blank before it: seconds east.
fn zone(text: &[u8]) -> Option<i32> {
    let text = text.strip_prefix(b" ").unwrap_or(text);
    let (sign, digits) = match text.split_first()? {
        (b'Z' | b'z', []) | (b'U', b"TC") => return Some(0),
        (b'+', digits) => (1, digits),
        (b'-', digits) => (-1, digits),
        _ => return None,
    };
    let two = |digits: &[u8]| match digits {
        [tens, ones] => Some(i32::from(digit(*tens)?) * 10 + i32::from(digit(*ones)?)),
        _ => None,
    };
    let (hours, minutes) = match digits {
        [_, _] => (two(digits)?, 0),
        [_, _, b':', _, _] => (two(&digits[..2])?, two(&digits[3..])?),
        [_, _, _, _] => (two(&digits[..2])?, two(&digits[2..])?),
        _ => return None,
    };
    (hours < 16 && minutes < 60).then_some(sign * (hours * 3_600 + minutes * 60))
}

/// The digits that `text` begins with, 1 to `len_max` of them: value, count, what follows.
#[inline]
fn number(text: &[u8], len_max: usize) -> Option<(i64, usize, &[u8])> {
    let mut value = 0_i64;
    let mut len = 0;
    while let Some(found) = text.get(len).copied().and_then(digit) {
        if len == len_max {
            return None;
        }
        value = value * 10 + i64::from(found);
        len += 1;
    }
    (len > 0).then(|| (value, len, &text[len..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_read_in_each_order() {
        for (text, order, expected) in [
            ("2013-07-01", DateOrder::Ymd, Some(15_887)),
            ("2013/7/1", DateOrder::Ymd, Some(15_887)),
            ("2013.07.01", DateOrder::Ymd, Some(15_887)),
            ("2013.7.1", DateOrder::Ymd, None),
            ("01.07.2013", DateOrder::Dmy, Some(15_887)),
            ("07/01/2013", DateOrder::Mdy, Some(15_887)),
            ("2013-07/01", DateOrder::Ymd, None),
            ("13-07-01", DateOrder::Ymd, None),
            ("2013-02-29", DateOrder::Ymd, None),
            ("2024-02-29", DateOrder::Ymd, Some(19_782)),
            ("31/04/2013", DateOrder::Dmy, None),
            ("0000-01-01", DateOrder::Ymd, None),
            ("2013-07-01 00:00", DateOrder::Ymd, None),
            ("20130701", DateOrder::Ymd, None),
            ("", DateOrder::Ymd, None),
        ] {
            assert_eq!(date(text.as_bytes(), order), expected, "{text}");
        }
    }

    #[test]
    fn moments_have_times_halves_and_zones() {
        let found = |text: &str| moment(text.as_bytes(), DateOrder::Ymd);
        let us = |text: &str| found(text).and_then(Moment::microseconds);
        assert_eq!(us("2013-07-01 12:34:56.5"), Some(1_372_682_096_500_000));
        assert_eq!(us("2013-07-01T12:34:56+02:00"), Some(1_372_674_896_000_000));
        assert_eq!(us("2013-07-01 12:34:56 PM"), Some(1_372_682_096_000_000));
        assert_eq!(us("2013-07-01 12:34:56 AM"), Some(1_372_638_896_000_000));
        assert_eq!(us("1969-12-31 23:59:59.999999"), Some(-1));
        assert_eq!(us("2013-07-01 12:34:56.1234567"), None);
        assert_eq!(found("2013-07-01 12:34 UTC").and_then(|moment| moment.offset), Some(0));
        assert_eq!(found("2013-07-01 12:34Z").and_then(|moment| moment.offset), Some(0));
        for text in ["2013-07-01 24:00", "2013-07-01 1:2", "2013-07-01T", "2013-07-01 12:00 +9"] {
            assert_eq!(found(text), None, "{text}");
        }
        assert_eq!(time(b"1:02:03"), Some(3_723 * NANOS));
        assert_eq!(time(b"12:60"), None);
    }
}
