//! Time zones of the tz database, and fixed offsets.
//!
//! The database is that of `jiff`, which keeps the files that the tz project's own compiler writes, 0.2
//! MB. `chrono-tz`, which was used before, holds the same as tables of structures with pointers, 2 MB of
//! a binary with their relocations, and ends in the year 2099. Must not know whose zone it is.

mod clock;

use std::sync::LazyLock;

use jiff::Timestamp;
use jiff::tz::TimeZoneDatabase;

use super::calendar::SECONDS_PER_DAY;
use super::{Error, Result};

pub use self::clock::ZoneClock;

/// A time zone.
#[derive(Clone, Debug)]
pub enum TimeZone {
    /// Clocks stand so many seconds east of UTC.
    Fixed(i32),
    /// A zone of the tz database.
    Named(NamedZone),
}

/// A zone of the tz database.
#[derive(Clone, Debug)]
pub struct NamedZone(jiff::tz::TimeZone);

static DATABASE: LazyLock<TimeZoneDatabase> = LazyLock::new(TimeZoneDatabase::bundled);

/// A time in which clocks are not changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// Its first second since 1970.
    pub start: i64,
    /// The second at which another one begins; `i64::MAX` when none does.
    pub end: i64,
    /// Seconds east of UTC.
    pub offset: i32,
}

impl TimeZone {
    /// Universal time.
    pub const UTC: TimeZone = TimeZone::Fixed(0);

    /// The zone of an IANA name in any case, or of an offset such as `+05:30`.
    ///
    /// # Errors
    /// `InvalidText`.
    pub fn named(name: &str) -> Result<TimeZone> {
        if let Some(seconds) = fixed_offset(name) {
            return Ok(TimeZone::Fixed(seconds));
        }
        DATABASE.get(name).map(|zone| TimeZone::Named(NamedZone(zone))).map_err(|_| {
            Error::invalid_text(format!("time zone \"{name}\" is not known"))
                .with_hint("use a name of the tz database, such as Europe/Berlin")
        })
    }

    /// The names of the tz database.
    pub fn names() -> impl Iterator<Item = String> {
        DATABASE.available().map(|name| name.to_string())
    }

    /// The name of the tz database, `UTC`, or an offset such as `+05:30`: what Arrow has in its types.
    pub fn name(&self) -> String {
        match self {
            TimeZone::Named(zone) => zone.0.iana_name().unwrap_or("UTC").to_owned(),
            TimeZone::Fixed(0) => "UTC".to_owned(),
            TimeZone::Fixed(seconds) => {
                let (sign, minutes) =
                    (if *seconds < 0 { '-' } else { '+' }, seconds.unsigned_abs() / 60);
                format!("{sign}{:02}:{:02}", minutes / 60, minutes % 60)
            }
        }
    }

    /// The span that an instant is in, given in seconds since 1970.
    pub fn span_at(&self, seconds: i64) -> Span {
        match self {
            TimeZone::Fixed(offset) => Span { start: i64::MIN, end: i64::MAX, offset: *offset },
            TimeZone::Named(zone) => zone.span_at(seconds),
        }
    }

    /// Seconds east of UTC when the local clock shows `seconds`. A clock reading that the spring
    /// transition skips is taken with the offset before it, one that occurs twice as the second:
    /// PostgreSQL's choice.
    pub fn offset_of_local(&self, seconds: i64) -> i32 {
        let before = self.span_at(seconds.saturating_sub(SECONDS_PER_DAY));
        if before.end == i64::MAX {
            return before.offset;
        }
        let after = self.span_at(before.end);
        let is_before = |offset: i32| seconds.saturating_sub(offset.into()) < before.end;
        match (is_before(before.offset), is_before(after.offset)) {
            (true, true) => before.offset,
            (false, false) => after.offset,
            // Skipped clocks give the later instant, repeated ones too: the lesser offset.
            _ => before.offset.min(after.offset),
        }
    }
}

impl NamedZone {
    /// The offsets at the ends of the years that `jiff` has, -9999 to 9999, hold beyond them.
    fn span_at(&self, seconds: i64) -> Span {
        let (first, last) = (Timestamp::MIN.as_second(), Timestamp::MAX.as_second());
        let seconds = seconds.clamp(first, last - 1);
        let instant = |seconds| Timestamp::from_second(seconds).expect("it was clamped");
        let (at, after) = (instant(seconds), instant(seconds + 1));
        Span {
            start: self.0.preceding(after).next().map_or(i64::MIN, |at| at.timestamp().as_second()),
            end: self.0.following(at).next().map_or(i64::MAX, |at| at.timestamp().as_second()),
            offset: self.0.to_offset(at).seconds(),
        }
    }
}

/// `UTC`, `+05:30`, `-0800`, `+05`: seconds east of UTC.
fn fixed_offset(name: &str) -> Option<i32> {
    if ["utc", "gmt", "z"].iter().any(|utc| name.eq_ignore_ascii_case(utc)) {
        return Some(0);
    }
    let (sign, digits) = match name.split_at_checked(1)? {
        ("+", digits) => (1, digits),
        ("-", digits) => (-1, digits),
        _ => return None,
    };
    let (hours, minutes) = match digits.as_bytes() {
        [_, _] => (digits, "0"),
        [_, _, b':', _, _] => (&digits[..2], &digits[3..]),
        [_, _, _, _] => (digits.get(..2)?, &digits[2..]),
        _ => return None,
    };
    if !digits.bytes().all(|byte| byte.is_ascii_digit() || byte == b':') {
        return None;
    }
    let (hours, minutes): (i32, i32) = (hours.parse().ok()?, minutes.parse().ok()?);
    (hours < 24 && minutes < 60).then_some(sign * (hours * 3_600 + minutes * 60))
}

#[cfg(test)]
mod tests;
