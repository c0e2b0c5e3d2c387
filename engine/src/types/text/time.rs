//! Times of day read from text, and the cursor that dates and intervals are read with too.

use super::{invalid, out_of_range};
use crate::types::{DataType, Result, TimeUnit};

const NANOSECONDS_PER_SECOND: i64 = 1_000_000_000;

/// Reads `12:34`, `12:34:56` or `12:34:56.789`; `24:00` is the end of the day. Finer fractions than
/// the unit are rounded.
///
/// # Errors
/// `InvalidText` or `OutOfRange`.
pub fn parse_time(text: &str, unit: TimeUnit) -> Result<i64> {
    let data_type = DataType::Time(unit);
    let mut cursor = Cursor::new(text.trim_ascii());
    let clock = cursor.clock().ok_or_else(|| invalid(text, data_type))?;
    if !cursor.is_at_end() {
        return Err(invalid(text, data_type));
    }
    let nanoseconds = clock.nanoseconds().ok_or_else(|| out_of_range(text, data_type))?;
    let per_unit = NANOSECONDS_PER_SECOND / unit.per_second();
    Ok((nanoseconds + per_unit / 2) / per_unit)
}

/// A clock reading, not yet checked.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Clock {
    pub(super) hour: i64,
    pub(super) minute: i64,
    pub(super) second: i64,
    pub(super) nanosecond: i64,
}

impl Clock {
    /// Nanoseconds since midnight; `None` when a part is outside its range. There are no leap
    /// seconds.
    pub(super) fn nanoseconds(self) -> Option<i64> {
        let seconds = self.hour * 3_600 + self.minute * 60 + self.second;
        let in_range = self.hour <= 24 && self.minute < 60 && self.second < 60;
        let total = seconds * NANOSECONDS_PER_SECOND + self.nanosecond;
        (in_range && total <= 86_400 * NANOSECONDS_PER_SECOND).then_some(total)
    }
}

/// Reads a text from left to right.
pub(super) struct Cursor<'a> {
    rest: &'a str,
}

impl<'a> Cursor<'a> {
    pub(super) fn new(text: &'a str) -> Cursor<'a> {
        Cursor { rest: text }
    }

    pub(super) fn is_at_end(&self) -> bool {
        self.rest.is_empty()
    }

    pub(super) fn rest(&self) -> &'a str {
        self.rest
    }

    pub(super) fn peek(&self) -> Option<u8> {
        self.rest.bytes().next()
    }

    pub(super) fn eat(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        if found {
            self.rest = &self.rest[1..];
        }
        found
    }

    pub(super) fn skip_blanks(&mut self) {
        self.rest = self.rest.trim_ascii_start();
    }

    /// The digits that follow; may be empty.
    pub(super) fn digits(&mut self) -> &'a str {
        self.take_while(|byte| byte.is_ascii_digit())
    }

    /// The longest run of bytes that `accept` takes; only ASCII bytes may be accepted.
    pub(super) fn take_while(&mut self, accept: impl Fn(u8) -> bool) -> &'a str {
        let len = self.rest.bytes().position(|byte| !accept(byte)).unwrap_or(self.rest.len());
        let (taken, rest) = self.rest.split_at(len);
        self.rest = rest;
        taken
    }

    /// A number of `min..=max` digits.
    pub(super) fn number(&mut self, min: usize, max: usize) -> Option<i64> {
        let digits = self.digits();
        if digits.len() < min || digits.len() > max {
            return None;
        }
        digits.parse().ok()
    }

    /// `hh:mm[:ss[.fraction]]`
    pub(super) fn clock(&mut self) -> Option<Clock> {
        let mut clock = Clock { hour: self.number(1, 2)?, ..Clock::default() };
        if !self.eat(b':') {
            return None;
        }
        clock.minute = self.number(2, 2)?;
        if self.eat(b':') {
            clock.second = self.number(2, 2)?;
            if self.eat(b'.') {
                clock.nanosecond = fraction_nanoseconds(self.digits());
            }
        }
        Some(clock)
    }
}

/// The digits after a point, in nanoseconds, rounded.
pub(super) fn fraction_nanoseconds(digits: &str) -> i64 {
    let mut nanoseconds = 0;
    for place in 0..9 {
        let digit = digits.as_bytes().get(place).map_or(0, |byte| i64::from(byte - b'0'));
        nanoseconds = nanoseconds * 10 + digit;
    }
    let round_up = digits.as_bytes().get(9).is_some_and(|byte| *byte >= b'5');
    nanoseconds + i64::from(round_up)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_rounded_to_their_unit() -> Result<()> {
        use TimeUnit::{Microsecond, Millisecond, Nanosecond, Second};
        for (text, unit, expected) in [
            ("12:34", Second, 45_240),
            ("1:02:03", Second, 3_723),
            ("00:00:00.0005", Millisecond, 1),
            ("23:59:59.9999999", Microsecond, 86_400_000_000),
            ("00:00:00.123456789", Nanosecond, 123_456_789),
            (" 24:00:00 ", Second, 86_400),
        ] {
            assert_eq!(parse_time(text, unit)?, expected, "{text}");
        }
        for text in ["", "12", "12:3", "25:00", "24:00:01", "12:60", "23:59:60", "12:34:56x", "é"]
        {
            assert!(parse_time(text, Second).is_err(), "{text}");
        }
        Ok(())
    }
}
