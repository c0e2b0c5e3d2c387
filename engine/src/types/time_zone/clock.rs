//! A time zone asked for one value after the other.

use std::cell::Cell;

use super::{Span, TimeZone};
use crate::types::Result;
use crate::types::calendar::SECONDS_PER_DAY;

/// A time zone that remembers where the value before was: those of a column are near each other.
#[derive(Clone, Debug)]
pub struct ZoneClock {
    zone: TimeZone,
    last: Cell<Span>,
}

impl ZoneClock {
    /// The clock of the zone that [`TimeZone::named`] finds.
    ///
    /// # Errors
    /// `InvalidText`.
    pub fn named(name: &str) -> Result<ZoneClock> {
        Ok(ZoneClock::new(TimeZone::named(name)?))
    }

    pub(crate) fn utc() -> ZoneClock {
        ZoneClock::new(TimeZone::UTC)
    }

    fn new(zone: TimeZone) -> ZoneClock {
        let last = Cell::new(zone.span_at(0));
        ZoneClock { zone, last }
    }

    pub(crate) fn is_utc(&self) -> bool {
        matches!(self.zone, TimeZone::Fixed(0))
    }

    /// Seconds east of UTC at an instant, given in seconds since 1970.
    pub fn offset_at(&self, seconds: i64) -> i32 {
        let mut span = self.last.get();
        if !(span.start <= seconds && seconds < span.end) {
            span = self.zone.span_at(seconds);
            self.last.set(span);
        }
        span.offset
    }

    /// Seconds east of UTC when the local clock shows `seconds`; see [`TimeZone::offset_of_local`].
    pub(crate) fn offset_of_local(&self, seconds: i64) -> i32 {
        let span = self.last.get();
        let is_inside = seconds.saturating_sub(SECONDS_PER_DAY) >= span.start
            && seconds.saturating_add(SECONDS_PER_DAY) < span.end;
        if is_inside {
            return span.offset;
        }
        self.last.set(self.zone.span_at(seconds));
        self.zone.offset_of_local(seconds)
    }
}
