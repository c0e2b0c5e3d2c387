//! The session's time zone: where the tz database is asked.

use arrow::array::timezone::Tz;
use chrono::{DateTime, MappedLocalTime, NaiveDateTime, Offset, TimeZone};

use crate::context::Context;
use crate::types::calendar::SECONDS_PER_DAY;
use crate::types::{Error, Result};

/// A time zone of the tz database, or a fixed offset.
#[derive(Clone, Copy, Debug)]
pub(super) enum Zone {
    Utc,
    Other(Tz),
}

/// chrono's years; the offsets at its ends hold beyond them.
const SECONDS_MAX: i64 = 200_000 * 365 * SECONDS_PER_DAY;

impl Zone {
    /// The session's.
    pub(super) fn of(context: &Context) -> Result<Zone> {
        Zone::named(&context.time_zone)
    }

    /// The zone of that IANA name.
    pub(super) fn named(name: &str) -> Result<Zone> {
        if name.eq_ignore_ascii_case("utc") || name.eq_ignore_ascii_case("gmt") {
            return Ok(Zone::Utc);
        }
        name.parse().map(Zone::Other).map_err(|_| {
            Error::invalid_text(format!("time zone \"{name}\" is not known"))
                .with_hint("use a name of the tz database, such as Europe/Berlin")
        })
    }

    pub(super) fn is_utc(self) -> bool {
        matches!(self, Zone::Utc)
    }

    /// Seconds east of UTC at an instant, given in seconds since 1970.
    pub(super) fn offset_at(self, seconds: i64) -> i32 {
        match self {
            Zone::Utc => 0,
            Zone::Other(zone) => {
                zone.offset_from_utc_datetime(&naive(seconds)).fix().local_minus_utc()
            }
        }
    }

    /// Seconds east of UTC when the local clock shows `seconds`. A clock reading that the spring
    /// transition skips is taken with the offset before it, one that occurs twice as the second:
    /// PostgreSQL's choice.
    pub(super) fn offset_of_local(self, seconds: i64) -> i32 {
        match self {
            Zone::Utc => 0,
            Zone::Other(zone) => match zone.offset_from_local_datetime(&naive(seconds)) {
                MappedLocalTime::Single(offset) => offset.fix().local_minus_utc(),
                MappedLocalTime::Ambiguous(_, second) => second.fix().local_minus_utc(),
                MappedLocalTime::None => self.offset_at(seconds - SECONDS_PER_DAY),
            },
        }
    }
}

fn naive(seconds: i64) -> NaiveDateTime {
    let seconds = seconds.clamp(-SECONDS_MAX, SECONDS_MAX);
    DateTime::from_timestamp(seconds, 0).expect("clamped to chrono's years").naive_utc()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn transitions_are_resolved_as_postgres_does() -> Result<()> {
        let zone = Zone::named("America/New_York")?;
        let at = |text: &str| crate::types::text::parse_timestamp(text).unwrap().seconds;
        assert_eq!(zone.offset_at(at("2024-03-10 06:59:59")), -5 * 3600);
        assert_eq!(zone.offset_at(at("2024-03-10 07:00:00")), -4 * 3600);
        // 02:30 does not exist: 03:30-04. 01:30 occurs twice: 01:30-05.
        assert_eq!(zone.offset_of_local(at("2024-03-10 02:30:00")), -5 * 3600);
        assert_eq!(zone.offset_of_local(at("2024-11-03 01:30:00")), -5 * 3600);
        assert_eq!(zone.offset_at(i64::MAX), zone.offset_at(SECONDS_MAX));
        assert!(Zone::named("Mars/Olympus").is_err());
        assert_eq!(Zone::named("+05:30")?.offset_at(0), 19_800);
        Ok(())
    }
}
