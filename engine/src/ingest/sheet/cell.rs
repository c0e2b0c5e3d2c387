//! A cell of a worksheet: what it holds, what that is as a column's value, and its text.
//!
//! Must not know columns, files or how workbooks are laid out.

use crate::catalog::files::{DateOrder, Patterns, ReadAs};
use crate::ingest::table_of_files::Found;
use crate::types::{DataType, TimeUnit, Value};

/// What a cell holds; text as `T`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum SheetCell<T> {
    Number(f64),
    Bool(bool),
    Text(T),
    /// Days since 1970-01-01.
    Date(i32),
    /// Microseconds since 1970-01-01 00:00.
    Timestamp(i64),
    /// Microseconds since midnight.
    Time(i64),
    /// Microseconds.
    Duration(i64),
    Error(CellError),
}

/// What a formula came to instead of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct CellError(u8);

const ERRORS: [&str; 9] =
    ["#NULL!", "#DIV/0!", "#VALUE!", "#REF!", "#NAME?", "#NUM!", "#N/A", "#DATA!", "#ERROR!"];

impl CellError {
    /// The error that is written like this.
    pub(super) fn written(text: &str) -> Option<CellError> {
        let index = ERRORS.iter().position(|error| *error == text)?;
        u8::try_from(index).ok().map(CellError)
    }

    /// One that has no name here.
    pub(super) const OTHER: CellError = CellError(8);

    /// How it is written.
    pub(super) fn text(self) -> &'static str {
        ERRORS[usize::from(self.0)]
    }
}

const MILLISECONDS_PER_DAY: i64 = 86_400_000;
const MICROSECONDS_PER_DAY: i64 = MILLISECONDS_PER_DAY * 1_000;
/// Day number 0 of Excel's calendar, days before 1970-01-01, from 1900-03-01 on; a day less before, for
/// it has a 1900-02-29.
const EPOCH_1900: i64 = 25_569;
/// The same of the calendar that begins in 1904.
const EPOCH_1904: i64 = 24_107;
/// The first day number that Excel has no date for: 10000-01-01.
const DAYS_END: f64 = 2_958_466.0;

impl<'a> SheetCell<&'a str> {
    /// A day number with a fraction for the time of day, in a cell that is shown as a date or time. No
    /// days at all are a time; a number that is no date stays a number. Excel counts milliseconds.
    pub(super) fn of_serial(serial: f64, is_1904: bool) -> SheetCell<&'a str> {
        if !(-DAYS_END..DAYS_END).contains(&serial) {
            return SheetCell::Number(serial);
        }
        let milliseconds = milliseconds(serial);
        if (0..MILLISECONDS_PER_DAY).contains(&milliseconds) && serial < 1.0 {
            return SheetCell::Time(milliseconds * 1_000);
        }
        let days = milliseconds.div_euclid(MILLISECONDS_PER_DAY);
        let epoch = match days {
            _ if is_1904 => EPOCH_1904,
            1..60 => EPOCH_1900 - 1,
            _ => EPOCH_1900,
        };
        let time = milliseconds.rem_euclid(MILLISECONDS_PER_DAY) * 1_000;
        SheetCell::of_microseconds((days - epoch) * MICROSECONDS_PER_DAY + time)
    }

    /// Days in a cell that is shown as hours and more than 24 of them.
    pub(super) fn of_days(days: f64) -> SheetCell<&'a str> {
        if !(-DAYS_END..DAYS_END).contains(&days) {
            return SheetCell::Number(days);
        }
        SheetCell::Duration(milliseconds(days) * 1_000)
    }

    /// A date and time, or a date at midnight.
    fn of_microseconds(microseconds: i64) -> SheetCell<&'a str> {
        let days = i32::try_from(microseconds / MICROSECONDS_PER_DAY);
        match days {
            Ok(days) if microseconds % MICROSECONDS_PER_DAY == 0 => SheetCell::Date(days),
            _ => SheetCell::Timestamp(microseconds),
        }
    }

    /// A date, a time or both in ISO 8601; what is not stays text.
    pub(super) fn of_iso_date(text: &'a str) -> SheetCell<&'a str> {
        let parsed = |data_type| match Value::parse(text, data_type) {
            Ok(Value::Int(value)) => i64::try_from(value).ok(),
            _ => None,
        };
        if text.contains('-')
            && let Some(microseconds) = parsed(DataType::TIMESTAMP)
        {
            return SheetCell::of_microseconds(microseconds);
        }
        match parsed(DataType::Time(TimeUnit::Microsecond)) {
            Some(time) => SheetCell::Time(time),
            None => SheetCell::Text(text),
        }
    }

    /// `PT12H30M00S`, which stands for a time of day too; what is not stays text.
    pub(super) fn of_iso_duration(text: &'a str) -> SheetCell<&'a str> {
        match iso_duration(text) {
            Some(time) if (0..MICROSECONDS_PER_DAY).contains(&time) => SheetCell::Time(time),
            Some(duration) => SheetCell::Duration(duration),
            None => SheetCell::Text(text),
        }
    }
}

#[expect(clippy::cast_possible_truncation, reason = "days of Excel's calendar, bounded by callers")]
fn milliseconds(days: f64) -> i64 {
    #[expect(clippy::cast_precision_loss, reason = "it is exact")]
    let per_day = MILLISECONDS_PER_DAY as f64;
    (days * per_day).round() as i64
}

/// Microseconds of `PT12H30M00.5S`.
fn iso_duration(text: &str) -> Option<i64> {
    let (sign, text) = match text.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, text),
    };
    let mut rest = text.strip_prefix("PT")?;
    let mut total = 0_i64;
    for (unit, seconds) in [('H', 3_600), ('M', 60)] {
        if let Some((count, behind)) = rest.split_once(unit) {
            let count: i64 = count.parse().ok().filter(|count| (0..1 << 32).contains(count))?;
            total += count * seconds * 1_000_000;
            rest = behind;
        }
    }
    if let Some(seconds) = rest.strip_suffix('S') {
        let (whole, fraction) = seconds.split_once('.').unwrap_or((seconds, ""));
        let whole: i64 = whole.parse().ok().filter(|whole| (0..1 << 32).contains(whole))?;
        let digits: String = fraction.chars().chain("000000".chars()).take(6).collect();
        total += whole * 1_000_000 + digits.parse::<i64>().ok()?;
        rest = "";
    }
    rest.is_empty().then_some(sign * total)
}

impl<T> SheetCell<T> {
    /// The kind of value that it is; none for an error.
    pub(super) fn kinds(&self) -> Kinds {
        Kinds(match self {
            SheetCell::Number(number) if whole(*number).is_some() => WHOLE,
            SheetCell::Number(_) => FRACTION,
            SheetCell::Bool(_) => BOOL,
            SheetCell::Date(_) => DATE,
            SheetCell::Timestamp(_) => TIMESTAMP,
            SheetCell::Time(_) => TIME,
            SheetCell::Text(_) | SheetCell::Duration(_) => TEXT,
            SheetCell::Error(_) => 0,
        })
    }

    /// The same cell with another text.
    pub(super) fn with_text<U>(self, text: impl FnOnce(T) -> U) -> SheetCell<U> {
        match self {
            SheetCell::Number(number) => SheetCell::Number(number),
            SheetCell::Bool(flag) => SheetCell::Bool(flag),
            SheetCell::Text(found) => SheetCell::Text(text(found)),
            SheetCell::Date(days) => SheetCell::Date(days),
            SheetCell::Timestamp(value) => SheetCell::Timestamp(value),
            SheetCell::Time(value) => SheetCell::Time(value),
            SheetCell::Duration(value) => SheetCell::Duration(value),
            SheetCell::Error(error) => SheetCell::Error(error),
        }
    }
}

impl SheetCell<&str> {
    /// Appends the cell as it is plainly shown: numbers with 15 digits at most and without zeros at the
    /// end, dates in ISO 8601.
    pub(super) fn write(&self, out: &mut String) {
        let value = |value: i64, data_type| Value::Int(value.into()).to_text(data_type);
        match self {
            SheetCell::Number(number) => write_number(*number, out),
            SheetCell::Bool(flag) => out.push_str(if *flag { "TRUE" } else { "FALSE" }),
            SheetCell::Text(text) => out.push_str(text),
            SheetCell::Date(days) => out.push_str(&value((*days).into(), DataType::Date)),
            SheetCell::Timestamp(microseconds) => {
                out.push_str(&value(*microseconds, DataType::TIMESTAMP));
            }
            SheetCell::Time(microseconds) => {
                out.push_str(&value(*microseconds, DataType::Time(TimeUnit::Microsecond)));
            }
            SheetCell::Duration(microseconds) => write_duration(*microseconds, out),
            SheetCell::Error(error) => out.push_str(error.text()),
        }
    }
}

/// Integers with all of their digits; Excel shows 0.3 where 0.1 + 0.2 were added.
fn write_number(number: f64, out: &mut String) {
    if let Some(whole) = whole(number) {
        out.push_str(&whole.to_string());
        return;
    }
    let shown: f64 = format!("{number:.14e}").parse().unwrap_or(number);
    out.push_str(&Value::Float(shown).to_text(DataType::Float64));
}

/// `27:30:00`
fn write_duration(microseconds: i64, out: &mut String) {
    let (seconds, fraction) = (microseconds.abs() / 1_000_000, microseconds.abs() % 1_000_000);
    if microseconds < 0 {
        out.push('-');
    }
    let (hours, minutes) = (seconds / 3_600, seconds / 60 % 60);
    let time = format!("{hours:02}:{minutes:02}:{:02}.{fraction:06}", seconds % 60);
    out.push_str(time.trim_end_matches('0').trim_end_matches('.'));
}

/// The number as an integer of 64 bits, where it is one.
pub(super) fn whole(number: f64) -> Option<i64> {
    #[expect(clippy::cast_precision_loss, reason = "a power of two")]
    const START: f64 = i64::MIN as f64;
    if number.fract() != 0.0 || !(START..-START).contains(&number) {
        return None;
    }
    #[expect(clippy::cast_possible_truncation, reason = "a whole number in the range of the type")]
    Some(number as i64)
}

/// The kinds of a column's cells: a set that only grows, so that their order does not matter.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::ingest) struct Kinds(u8);

const WHOLE: u8 = 1;
const FRACTION: u8 = 1 << 1;
const BOOL: u8 = 1 << 2;
const DATE: u8 = 1 << 3;
const TIMESTAMP: u8 = 1 << 4;
const TIME: u8 = 1 << 5;
const TEXT: u8 = 1 << 6;

impl Kinds {
    /// Nothing but text.
    pub(super) fn is_text(self) -> bool {
        self.0 == TEXT
    }

    /// Values, and no text among them.
    pub(super) fn is_typed(self) -> bool {
        self.0 != 0 && self.0 & TEXT == 0
    }
}

impl Found for Kinds {
    fn and(self, other: Kinds) -> Kinds {
        Kinds(self.0 | other.0)
    }

    /// As one type where the cells are of one, and as text otherwise.
    fn read_as(self, _: &Patterns) -> ReadAs {
        const ANY_NUMBER: u8 = WHOLE | FRACTION;
        const ANY_DATE: u8 = DATE | TIMESTAMP;
        match self.0 {
            0 => ReadAs::Nothing,
            WHOLE => ReadAs::Integer,
            FRACTION | ANY_NUMBER => ReadAs::Float,
            BOOL => ReadAs::Bool,
            DATE => ReadAs::Date(DateOrder::Ymd),
            TIMESTAMP | ANY_DATE => ReadAs::Timestamp(DateOrder::Ymd),
            TIME => ReadAs::Time,
            _ => ReadAs::Text,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(cell: SheetCell<&str>) -> String {
        let mut out = String::new();
        cell.write(&mut out);
        out
    }

    #[test]
    fn day_numbers_are_dates_times_or_both() {
        for (serial, is_1904, expected) in [
            (1.0, false, "1900-01-01"),
            (59.0, false, "1900-02-28"),
            (61.0, false, "1900-03-01"),
            (25_569.0, false, "1970-01-01"),
            (45_943.541, false, "2025-10-13 12:59:02.4"),
            (45_000.999_999_999, false, "2023-03-16"),
            (0.0, false, "00:00:00"),
            (0.75, false, "18:00:00"),
            (2_958_465.5, false, "9999-12-31 12:00:00"),
            (2_958_466.0, false, "2958466"),
            (-1.0, false, "1899-12-29"),
            (0.5, true, "12:00:00"),
            (1.0, true, "1904-01-02"),
            (43_831.0, true, "2024-01-02"),
            (f64::NAN, false, "NaN"),
        ] {
            assert_eq!(shown(SheetCell::of_serial(serial, is_1904)), expected, "{serial}");
        }
    }

    #[test]
    fn iso_texts_are_dates_times_or_durations() {
        for (text, expected) in [
            ("2024-01-02", SheetCell::Date(19_724)),
            ("2024-01-02T00:00:00", SheetCell::Date(19_724)),
            ("2024-01-02T00:00:01.5", SheetCell::Timestamp(1_704_153_601_500_000)),
            ("03:04:05", SheetCell::Time(11_045_000_000)),
            ("soon", SheetCell::Text("soon")),
        ] {
            assert_eq!(SheetCell::of_iso_date(text), expected, "{text}");
        }
        for (text, expected) in [
            ("PT12H30M00S", "12:30:00"),
            ("PT12H30M00.25S", "12:30:00.25"),
            ("PT27H00M01S", "27:00:01"),
            ("-PT1M", "-00:01:00"),
            ("PT99999999999999999999H", "PT99999999999999999999H"),
            ("P1D", "P1D"),
        ] {
            assert_eq!(shown(SheetCell::of_iso_duration(text)), expected, "{text}");
        }
    }

    #[test]
    fn cells_are_shown_plainly() {
        for (cell, expected) in [
            (SheetCell::Number(3.0), "3"),
            (SheetCell::Number(-0.0), "0"),
            (SheetCell::Number(0.1 + 0.2), "0.3"),
            (SheetCell::Number(1_234_567_890_123_456.0), "1234567890123456"),
            (SheetCell::Number(1e300), "1e+300"),
            (SheetCell::Bool(true), "TRUE"),
            (SheetCell::Text("00123"), "00123"),
            (SheetCell::of_days(1.5), "36:00:00"),
            (SheetCell::of_days(-0.25), "-06:00:00"),
            (SheetCell::Error(CellError::written("#N/A").unwrap()), "#N/A"),
        ] {
            assert_eq!(shown(cell), expected);
        }
    }

    #[test]
    fn a_column_is_of_one_type_or_text() {
        let number = SheetCell::Number;
        let (date, stamp) = (SheetCell::Date(1), SheetCell::Timestamp(1));
        for (cells, expected) in [
            (&[][..], ReadAs::Nothing),
            (&[number(1.0), number(-2.0)], ReadAs::Integer),
            (&[number(1.0), number(2.5)], ReadAs::Float),
            (&[number(1e19)], ReadAs::Float),
            (&[number(f64::INFINITY)], ReadAs::Float),
            (&[SheetCell::Bool(true)], ReadAs::Bool),
            (&[SheetCell::Bool(true), number(1.0)], ReadAs::Text),
            (&[date], ReadAs::Date(DateOrder::Ymd)),
            (&[date, stamp], ReadAs::Timestamp(DateOrder::Ymd)),
            (&[SheetCell::Time(1)], ReadAs::Time),
            (&[SheetCell::Time(1), date], ReadAs::Text),
            (&[SheetCell::Duration(1)], ReadAs::Text),
            (&[SheetCell::Text("1")], ReadAs::Text),
            (&[number(1.0), SheetCell::Error(CellError::OTHER)], ReadAs::Integer),
        ] {
            let kinds = cells.iter().fold(Kinds::default(), |kinds, cell| kinds.and(cell.kinds()));
            assert_eq!(kinds.read_as(&Patterns::default()), expected, "{cells:?}");
        }
    }
}
