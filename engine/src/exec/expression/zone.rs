//! The session's time zone, asked for one value after the other.

use std::cell::Cell;

use crate::context::Context;
use crate::types::calendar::SECONDS_PER_DAY;
use crate::types::{Result, Span, TimeZone};

/// A time zone that remembers where the value before was: those of a column are near each other.
#[derive(Clone, Debug)]
pub(super) struct Zone {
    zone: TimeZone,
    last: Cell<Span>,
}

impl Zone {
    /// The session's.
    pub(super) fn of(context: &Context) -> Result<Zone> {
        Zone::named(&context.time_zone)
    }

    /// The zone of that IANA name.
    pub(super) fn named(name: &str) -> Result<Zone> {
        Ok(Zone::new(TimeZone::named(name)?))
    }

    pub(super) fn utc() -> Zone {
        Zone::new(TimeZone::UTC)
    }

    fn new(zone: TimeZone) -> Zone {
        let last = Cell::new(zone.span_at(0));
        Zone { zone, last }
    }

    pub(super) fn is_utc(&self) -> bool {
        matches!(self.zone, TimeZone::Fixed(0))
    }

    /// Seconds east of UTC at an instant, given in seconds since 1970.
    pub(super) fn offset_at(&self, seconds: i64) -> i32 {
        let mut span = self.last.get();
        if !(span.start <= seconds && seconds < span.end) {
            span = self.zone.span_at(seconds);
            self.last.set(span);
        }
        span.offset
    }

    /// Seconds east of UTC when the local clock shows `seconds`; see [`TimeZone::offset_of_local`].
    pub(super) fn offset_of_local(&self, seconds: i64) -> i32 {
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
