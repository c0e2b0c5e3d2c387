//! Dates and timestamps read from text: ISO 8601 as PostgreSQL reads it.

use super::time::{Clock, Cursor};
use super::{invalid, quoted};
use crate::types::calendar::{SECONDS_PER_DAY, days_from_civil, days_in_month};
use crate::types::{DataType, Error, Result, TimeUnit};

/// A date and time read from text, with the zone that the text names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ParsedTimestamp<'a> {
    /// Seconds since 1970-01-01 00:00 on the clock that was written.
    pub seconds: i64,
    /// Nanoseconds on top, 0…999,999,999.
    pub nanoseconds: i64,
    /// The zone, where one is written.
    pub zone: Option<ZoneName<'a>>,
}

/// A time zone as written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ZoneName<'a> {
    /// Seconds east of UTC.
    Offset(i32),
    /// A name of the tz database.
    Named(&'a str),
}

impl ParsedTimestamp<'_> {
    /// The instant in `unit`s, rounded, when the clock stood `offset_seconds` east of UTC; `None`
    /// when 64 bits do not hold it.
    pub fn units(&self, unit: TimeUnit, offset_seconds: i32) -> Option<i64> {
        let per_unit = 1_000_000_000 / unit.per_second();
        let fraction = (self.nanoseconds + per_unit / 2) / per_unit;
        self.seconds
            .checked_sub(i64::from(offset_seconds))?
            .checked_mul(unit.per_second())?
            .checked_add(fraction)
    }

    /// Whether `unit` holds it without rounding.
    pub fn is_exact(&self, unit: TimeUnit) -> bool {
        self.nanoseconds % (1_000_000_000 / unit.per_second()) == 0
    }
}

/// Reads a date: `2013-07-01`, `2013/7/1`, `20130701`; a time behind it is checked and dropped.
///
/// # Errors
/// `InvalidText` or `OutOfRange`.
pub fn parse_date(text: &str) -> Result<i32> {
    let parsed = parse_as(text, DataType::Date)?;
    i32::try_from(parsed.seconds.div_euclid(SECONDS_PER_DAY)).map_err(|_| field_out_of_range(text))
}

/// Reads a date, optionally with a time after a blank or `T`, a zone, and `BC`.
///
/// # Errors
/// `InvalidText` or `OutOfRange`.
pub fn parse_timestamp(text: &str) -> Result<ParsedTimestamp<'_>> {
    parse_as(text, DataType::TIMESTAMP)
}

fn parse_as(text: &str, data_type: DataType) -> Result<ParsedTimestamp<'_>> {
    let trimmed = text.trim_ascii();
    let (trimmed, before_christ) = match trimmed.strip_suffix("BC") {
        Some(rest) => (rest.trim_ascii_end(), true),
        None => (trimmed, false),
    };
    let mut cursor = Cursor::new(trimmed);
    let parts = parts(&mut cursor).ok_or_else(|| invalid(text, data_type))?;
    let (mut year, month, day) = parts.date;
    if before_christ {
        year = 1 - year;
    }
    let date_exists = (1..=12).contains(&month)
        && (1..=days_in_month(year, month)).contains(&day)
        && (parts.date.0 > 0);
    let clock = parts.clock.nanoseconds().filter(|_| date_exists);
    let clock = clock.ok_or_else(|| field_out_of_range(text))?;
    let seconds = days_from_civil(year, month, day) * SECONDS_PER_DAY + clock / 1_000_000_000;
    Ok(ParsedTimestamp { seconds, nanoseconds: clock % 1_000_000_000, zone: parts.zone })
}

struct Parts<'a> {
    date: (i64, i64, i64),
    clock: Clock,
    zone: Option<ZoneName<'a>>,
}

fn parts<'a>(cursor: &mut Cursor<'a>) -> Option<Parts<'a>> {
    let date = date(cursor)?;
    let mut parts = Parts { date, clock: Clock::default(), zone: None };
    if cursor.is_at_end() {
        return Some(parts);
    }
    if !cursor.eat(b'T') && !cursor.eat(b't') {
        if cursor.peek() != Some(b' ') {
            return None;
        }
        cursor.skip_blanks();
    }
    parts.clock = cursor.clock()?;
    cursor.skip_blanks();
    if !cursor.is_at_end() {
        parts.zone = Some(zone(cursor)?);
    }
    cursor.is_at_end().then_some(parts)
}

fn date(cursor: &mut Cursor<'_>) -> Option<(i64, i64, i64)> {
    let digits = cursor.digits();
    let separator = cursor.peek().filter(|byte| matches!(byte, b'-' | b'/' | b'.'));
    let Some(separator) = separator else {
        let number: i64 = digits.parse().ok().filter(|_| digits.len() == 8)?;
        return Some((number / 10_000, number / 100 % 100, number % 100));
    };
    let year = digits.parse().ok().filter(|_| (3..=7).contains(&digits.len()))?;
    cursor.eat(separator);
    let month = cursor.number(1, 2)?;
    if !cursor.eat(separator) {
        return None;
    }
    Some((year, month, cursor.number(1, 2)?))
}

fn zone<'a>(cursor: &mut Cursor<'a>) -> Option<ZoneName<'a>> {
    let sign = match cursor.peek()? {
        b'+' => 1,
        b'-' => -1,
        _ => {
            let name = cursor.take_while(|byte| {
                byte.is_ascii_alphanumeric() || matches!(byte, b'/' | b'_' | b'-' | b'+')
            });
            return match name {
                "" => None,
                "Z" | "z" => Some(ZoneName::Offset(0)),
                name => Some(ZoneName::Named(name)),
            };
        }
    };
    cursor.eat(b'+');
    cursor.eat(b'-');
    let digits = cursor.digits();
    let (hours, mut minutes): (i32, i32) = match digits.len() {
        1 | 2 => (digits.parse().ok()?, 0),
        4 => (digits[..2].parse().ok()?, digits[2..].parse().ok()?),
        _ => return None,
    };
    let mut seconds = 0;
    if digits.len() <= 2 && cursor.eat(b':') {
        minutes = i32::try_from(cursor.number(2, 2)?).ok()?;
        if cursor.eat(b':') {
            seconds = i32::try_from(cursor.number(2, 2)?).ok()?;
        }
    }
    let in_range = hours < 16 && minutes < 60 && seconds < 60;
    in_range.then_some(ZoneName::Offset(sign * (hours * 3_600 + minutes * 60 + seconds)))
}

fn field_out_of_range(text: &str) -> Error {
    Error::out_of_range(format!("date/time field value out of range: {}", quoted(text)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn microseconds(text: &str) -> Result<i64> {
        Ok(parse_timestamp(text)?.units(TimeUnit::Microsecond, 0).unwrap())
    }

    #[test]
    fn dates_are_read_in_their_usual_forms() -> Result<()> {
        for text in ["2013-07-01", " 2013/7/1 ", "20130701", "2013-07-01 23:59:59", "2013.07.01"] {
            assert_eq!(parse_date(text)?, 15_887, "{text}");
        }
        assert_eq!(parse_date("0001-01-01")?, -719_162);
        assert_eq!(parse_date("0001-12-31 BC")?, -719_163);
        assert_eq!(parse_date("5874897-12-31")?, 2_145_042_905);
        Ok(())
    }

    #[test]
    fn dates_that_do_not_exist_are_out_of_range() {
        for text in
            ["2023-02-29", "2013-13-01", "2013-00-10", "2013-04-31", "0000-01-01", "9999999-01-01"]
        {
            let error = parse_date(text).unwrap_err();
            assert_eq!(error.message(), format!("date/time field value out of range: \"{text}\""));
        }
        for text in ["", "abc", "2013-07", "13-07-01", "2013-07-01x", "2013-07/01", "2013-07-01 x"]
        {
            let error = parse_date(text).unwrap_err();
            assert_eq!(error.message(), format!("invalid input syntax for type date: \"{text}\""));
        }
    }

    #[test]
    fn timestamps_have_fractions_and_zones() -> Result<()> {
        assert_eq!(microseconds("2013-07-01 12:34:56.5")?, 1_372_682_096_500_000);
        assert_eq!(microseconds("2013-07-01T12:34:56.1234567")?, 1_372_682_096_123_457);
        assert_eq!(microseconds("1969-12-31 23:59:59.999999")?, -1);
        assert_eq!(microseconds("2016-12-31 24:00:00")?, 1_483_228_800_000_000);
        for (text, zone) in [
            ("2013-07-01 12:34Z", ZoneName::Offset(0)),
            ("2013-07-01 12:34:56+02", ZoneName::Offset(7_200)),
            ("2013-07-01 12:34:56 -05:30", ZoneName::Offset(-19_800)),
            ("2013-07-01 12:34:56+0530", ZoneName::Offset(19_800)),
            ("2013-07-01 12:34:56 Europe/Berlin", ZoneName::Named("Europe/Berlin")),
        ] {
            assert_eq!(parse_timestamp(text)?.zone, Some(zone), "{text}");
        }
        for text in [
            "2016-12-31 23:59:60",
            "2016-12-31 25:00",
            "2016-12-31 12:00 +99",
            "2016-12-31 12:00 é",
        ] {
            assert!(parse_timestamp(text).is_err(), "{text}");
        }
        Ok(())
    }
}
