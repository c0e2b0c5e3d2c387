//! The rule by which clocks are changed every year, as POSIX writes it: `CET-1CEST,M3.5.0,M10.5.0/3`.
//!
//! Names, the offset of the winter with its sign turned, that of the summer where it is not an hour
//! more, and when summer begins and ends: the fifth Sunday of March, the last one, at two o'clock.

use super::Span;
use crate::types::calendar::{
    SECONDS_PER_DAY, civil_from_days, day_of_week, days_from_civil, days_in_month, is_leap_year,
};

/// What holds behind a zone's last transition.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rule {
    standard: i32,
    summer: Option<Summer>,
}

#[derive(Clone, Copy, Debug)]
struct Summer {
    offset: i32,
    start: Change,
    end: Change,
}

/// When clocks are changed: a day, and seconds behind its beginning by the clock before the change.
#[derive(Clone, Copy, Debug)]
struct Change {
    day: Day,
    seconds: i64,
}

#[derive(Clone, Copy, Debug)]
enum Day {
    /// Counted from 1, without 29 February.
    Julian(i64),
    /// Counted from 0.
    OfYear(i64),
    /// The so-manieth weekday of a month, 5 for the last.
    Weekday { month: i64, week: i64, weekday: i64 },
}

impl Rule {
    pub(super) fn parse(text: &str) -> Option<Rule> {
        let mut cursor = Cursor { rest: text };
        cursor.name()?;
        let standard = i32::try_from(-cursor.clock()?).ok()?;
        if cursor.rest.is_empty() {
            return Some(Rule { standard, summer: None });
        }
        cursor.name()?;
        let offset = if cursor.rest.starts_with(',') {
            standard + 3_600
        } else {
            i32::try_from(-cursor.clock()?).ok()?
        };
        let (start, end) = (cursor.change()?, cursor.change()?);
        let summer = Some(Summer { offset, start, end });
        cursor.rest.is_empty().then_some(Rule { standard, summer })
    }

    /// The span that an instant is in, by the rule alone.
    pub(super) fn span_at(self, seconds: i64) -> Span {
        let standard = Span { start: i64::MIN, end: i64::MAX, offset: self.standard };
        let Some(summer) = self.summer else { return standard };
        let year =
            civil_from_days((seconds + i64::from(self.standard)).div_euclid(SECONDS_PER_DAY)).year;
        let mut changes = [(0, 0); 6];
        for (pair, year) in changes.as_chunks_mut::<2>().0.iter_mut().zip(year - 1..) {
            let start = summer.start.instant(year, self.standard);
            let end = summer.end.instant(year, summer.offset);
            *pair = [(start, summer.offset), (end, self.standard)];
        }
        changes.sort_unstable();
        let next = changes.partition_point(|(at, _)| *at <= seconds);
        let (start, offset) = changes[next.saturating_sub(1)];
        Span { start, end: changes.get(next).map_or(i64::MAX, |(at, _)| *at), offset }
    }
}

impl Change {
    /// The instant of a year's change when clocks stand `offset` east of UTC.
    fn instant(self, year: i64, offset: i32) -> i64 {
        let first = days_from_civil(year, 1, 1);
        let day = match self.day {
            Day::Julian(day) => first + day - i64::from(day < 60 || !is_leap_year(year)),
            Day::OfYear(day) => first + day,
            Day::Weekday { month, week, weekday } => {
                let first = days_from_civil(year, month, 1);
                let days = (weekday - day_of_week(first)).rem_euclid(7) + (week - 1) * 7;
                first + if days < days_in_month(year, month) { days } else { days - 7 }
            }
        };
        day * SECONDS_PER_DAY + self.seconds - i64::from(offset)
    }
}

struct Cursor<'a> {
    rest: &'a str,
}

impl Cursor<'_> {
    /// A name of a kind of time: letters, or anything in angle brackets.
    fn name(&mut self) -> Option<()> {
        let len = match self.rest.strip_prefix('<') {
            Some(rest) => rest.find('>')? + 2,
            None => self.rest.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(self.rest.len()),
        };
        self.rest = self.rest.get(len..)?;
        (len > 0).then_some(())
    }

    fn take(&mut self, byte: char) -> bool {
        let rest = self.rest.strip_prefix(byte);
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }

    fn number(&mut self) -> Option<i64> {
        let len = self.rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(self.rest.len());
        let (digits, rest) = self.rest.split_at(len);
        self.rest = rest;
        digits.parse().ok()
    }

    /// `-1`, `5:30`, `26:00:00` in seconds.
    fn clock(&mut self) -> Option<i64> {
        let sign = if self.take('-') { -1 } else { 1 };
        self.take('+');
        let mut seconds = self.number()? * 3_600;
        for unit in [60, 1] {
            if !self.take(':') {
                break;
            }
            seconds += self.number()? * unit;
        }
        Some(sign * seconds)
    }

    /// `,M3.5.0/3`, `,J60`, `,59/1`.
    fn change(&mut self) -> Option<Change> {
        if !self.take(',') {
            return None;
        }
        let day = if self.take('M') {
            let month = self.number().filter(|month| (1..=12).contains(month))?;
            let week =
                self.take('.').then(|| self.number())?.filter(|week| (1..=5).contains(week))?;
            let weekday = self.take('.').then(|| self.number())?.filter(|day| *day < 7)?;
            Day::Weekday { month, week, weekday }
        } else if self.take('J') {
            Day::Julian(self.number()?)
        } else {
            Day::OfYear(self.number()?)
        };
        let seconds = if self.take('/') { self.clock()? } else { 2 * 3_600 };
        Some(Change { day, seconds })
    }
}
