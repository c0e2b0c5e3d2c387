//! Intervals read from text: `1 year 2 mons -3 days 04:05:06.5`, `90 minutes`, `1.5 hours ago`.

use super::time::{Cursor, fraction_nanoseconds};
use super::{invalid, out_of_range};
use crate::types::{DataType, Interval, Result};

const NANOSECONDS_PER_SECOND: i128 = 1_000_000_000;
const NANOSECONDS_PER_DAY: i128 = 86_400 * NANOSECONDS_PER_SECOND;
const DAYS_PER_MONTH: i128 = 30;
const BILLION: i128 = 1_000_000_000;

/// Reads an interval: numbers with units, then an optional clock and `ago`.
///
/// A fraction of a year counts in months, one of a month in days of which 30 make a month, one of a
/// week or day in time.
///
/// # Errors
/// `InvalidText` or `OutOfRange`.
pub fn parse_interval(text: &str) -> Result<Interval> {
    let mut cursor = Cursor::new(text.trim_ascii());
    let mut sum = Sum::default();
    if cursor.is_at_end() || read(&mut cursor, &mut sum).is_none() {
        return Err(invalid(text, DataType::Interval));
    }
    sum.interval().ok_or_else(|| out_of_range(text, DataType::Interval))
}

/// The parts, wide enough that adding never overflows before the end.
#[derive(Default)]
struct Sum {
    months: i128,
    days: i128,
    nanoseconds: i128,
}

impl Sum {
    fn interval(&self) -> Option<Interval> {
        Some(Interval {
            months: i32::try_from(self.months).ok()?,
            days: i32::try_from(self.days).ok()?,
            nanoseconds: i64::try_from(self.nanoseconds).ok()?,
        })
    }

    /// Adds `billionths / 1e9` of the unit.
    fn add(&mut self, billionths: i128, unit: Unit) {
        match unit {
            // Half away from zero: PostgreSQL rounds a year's fraction to whole months.
            Unit::WholeMonths(months) => {
                let exact = billionths * months;
                self.months += (exact + exact.signum() * BILLION / 2) / BILLION;
            }
            Unit::Months(months) => self.add_months(billionths * months),
            Unit::Days(days) => self.add_days(billionths * days),
            Unit::Nanoseconds(nanoseconds) => {
                self.nanoseconds += billionths * nanoseconds / BILLION;
            }
        }
    }

    fn add_months(&mut self, billionths: i128) {
        self.months += billionths / BILLION;
        self.add_days(billionths % BILLION * DAYS_PER_MONTH);
    }

    fn add_days(&mut self, billionths: i128) {
        self.days += billionths / BILLION;
        self.nanoseconds += billionths % BILLION * NANOSECONDS_PER_DAY / BILLION;
    }
}

/// What a unit's name stands for.
enum Unit {
    /// Months, a fraction of the unit rounded to them.
    WholeMonths(i128),
    Months(i128),
    Days(i128),
    Nanoseconds(i128),
}

fn unit_of(name: &str) -> Option<Unit> {
    Some(match name {
        "millennium" | "millennia" | "millenniums" => Unit::WholeMonths(12_000),
        "century" | "centuries" => Unit::WholeMonths(1_200),
        "decade" | "decades" => Unit::WholeMonths(120),
        "year" | "years" | "yr" | "yrs" | "y" => Unit::WholeMonths(12),
        "quarter" | "quarters" => Unit::Months(3),
        "month" | "months" | "mon" | "mons" => Unit::Months(1),
        "week" | "weeks" | "w" => Unit::Days(7),
        "day" | "days" | "d" => Unit::Days(1),
        "hour" | "hours" | "hr" | "hrs" | "h" => Unit::Nanoseconds(3_600 * NANOSECONDS_PER_SECOND),
        "minute" | "minutes" | "min" | "mins" | "m" => {
            Unit::Nanoseconds(60 * NANOSECONDS_PER_SECOND)
        }
        "second" | "seconds" | "sec" | "secs" | "s" => Unit::Nanoseconds(NANOSECONDS_PER_SECOND),
        "millisecond" | "milliseconds" | "ms" => Unit::Nanoseconds(1_000_000),
        "microsecond" | "microseconds" | "us" => Unit::Nanoseconds(1_000),
        "nanosecond" | "nanoseconds" | "ns" => Unit::Nanoseconds(1),
        _ => return None,
    })
}

fn read(cursor: &mut Cursor<'_>, sum: &mut Sum) -> Option<()> {
    while !cursor.is_at_end() {
        if cursor.rest().eq_ignore_ascii_case("ago") {
            *sum = Sum { months: -sum.months, days: -sum.days, nanoseconds: -sum.nanoseconds };
            return Some(());
        }
        let negative = cursor.eat(b'-');
        if !negative {
            cursor.eat(b'+');
        }
        let sign = if negative { -1 } else { 1 };
        let whole = cursor.digits();
        if cursor.peek() == Some(b':') {
            sum.nanoseconds += sign * clock(whole, cursor)?;
        } else {
            let fraction = if cursor.eat(b'.') { cursor.digits() } else { "" };
            if (whole.is_empty() && fraction.is_empty()) || whole.len() > 18 {
                return None;
            }
            let whole: i128 = if whole.is_empty() { 0 } else { whole.parse().ok()? };
            let amount = sign * (whole * BILLION + i128::from(fraction_nanoseconds(fraction)));
            cursor.skip_blanks();
            let unit = cursor.take_while(|byte| byte.is_ascii_alphabetic()).to_ascii_lowercase();
            // A bare number at the end counts seconds.
            let unit = if unit.is_empty() && cursor.is_at_end() { "second" } else { &unit };
            sum.add(amount, unit_of(unit)?);
        }
        cursor.skip_blanks();
    }
    Some(())
}

/// `:mm[:ss[.fraction]]` after the hours, in nanoseconds.
fn clock(hours: &str, cursor: &mut Cursor<'_>) -> Option<i128> {
    let hours: i128 = hours.parse().ok().filter(|_| hours.len() <= 9)?;
    cursor.eat(b':');
    let minutes = cursor.number(1, 2).filter(|minutes| *minutes < 60)?;
    let mut nanoseconds = 0;
    if cursor.eat(b':') {
        let seconds = cursor.number(1, 2).filter(|seconds| *seconds < 60)?;
        nanoseconds = i128::from(seconds) * NANOSECONDS_PER_SECOND;
        if cursor.eat(b'.') {
            nanoseconds += i128::from(fraction_nanoseconds(cursor.digits()));
        }
    }
    Some((hours * 3_600 + i128::from(minutes) * 60) * NANOSECONDS_PER_SECOND + nanoseconds)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn intervals_are_read_as_postgres_does() -> Result<()> {
        const HOUR: i64 = 3_600_000_000_000;
        for (text, months, days, nanoseconds) in [
            ("1 year 2 mons -3 days 04:05:06.5", 14, -3, 14_706_500_000_000),
            ("90 minutes", 0, 0, HOUR * 3 / 2),
            ("1.5 hours ago", 0, 0, -HOUR * 3 / 2),
            ("1 MONTH", 1, 0, 0),
            ("1.5 years", 18, 0, 0),
            ("1.5 months", 1, 15, 0),
            ("1.5 days", 0, 1, 12 * HOUR),
            ("-1 week", 0, -7, 0),
            ("-00:30", 0, 0, -HOUR / 2),
            ("2 quarters", 6, 0, 0),
            ("1day", 0, 1, 0),
            ("30", 0, 0, 30_000_000_000),
        ] {
            assert_eq!(parse_interval(text)?, Interval { months, days, nanoseconds }, "{text}");
        }
        for text in ["", "1 fortnight", "day", "1 2 days", "1..5 days", "é"] {
            assert!(parse_interval(text).is_err(), "{text}");
        }
        assert!(parse_interval("999999999999 years").is_err());
        Ok(())
    }
}
