//! Which readings every value of a column allows.
//!
//! A set of readings that only ever shrinks: each value takes away what it is not. The column is read
//! by the first that is left. A reading that is first for a sample and that all other values allow is
//! first for the whole file, so the outcome does not depend on the sample.

use super::moment::{Moment, date, moment, time};
use super::number::{Whole, boolean, float, ungrouped, whole};
use super::{Cell, CellColumn, pattern};
use crate::catalog::files::{DateOrder, Patterns, Points, ReadAs};
use crate::types::DataType;

/// A set of readings, and whether any value was seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::ingest) struct Candidates {
    bits: u32,
    seen: bool,
}

const BOOL: u32 = 1;
const INTEGER: u32 = 1 << 1;
const LARGE: u32 = 1 << 2;
const FLOAT: u32 = 1 << 3;
const COMMA: u32 = 1 << 4;
const TIME: u32 = 1 << 5;
const DATE: [u32; 3] = [1 << 6, 1 << 7, 1 << 8];
const TIMESTAMP: [u32; 3] = [1 << 9, 1 << 10, 1 << 11];
const NANOSECONDS: u32 = 1 << 12;
const ZONED: u32 = 1 << 13;
const DATE_PATTERN: u32 = 1 << 14;
const TIMESTAMP_PATTERN: u32 = 1 << 15;
const ALL: u32 = (1 << 16) - 1;
const OF_STRINGS: u32 = TIME | DATE[0] | TIMESTAMP[0] | NANOSECONDS | ZONED;
const OF_LITERALS: u32 = BOOL | INTEGER | LARGE | FLOAT;

const ORDERS: [DateOrder; 3] = [DateOrder::Ymd, DateOrder::Dmy, DateOrder::Mdy];

impl Candidates {
    /// Anything that `points` allows: no value was seen.
    pub(in crate::ingest) fn any(points: Points) -> Candidates {
        let bits = match points {
            Points::Point => ALL & !COMMA,
            Points::Comma => ALL & !FLOAT,
            Points::Either => ALL,
        };
        Candidates { bits, seen: false }
    }

    /// Only text.
    pub(in crate::ingest) const TEXT: Candidates = Candidates { bits: 0, seen: true };

    /// Whether nothing but text is left.
    pub(in crate::ingest) fn is_text(self) -> bool {
        self.bits == 0
    }

    /// Whether there was a value.
    pub(in crate::ingest) fn is_seen(self) -> bool {
        self.seen
    }

    /// What both allow.
    pub(in crate::ingest) fn and(self, other: Candidates) -> Candidates {
        Candidates { bits: self.bits & other.bits, seen: self.seen || other.seen }
    }

    /// The first reading.
    pub(in crate::ingest) fn read_as(self, patterns: &Patterns) -> ReadAs {
        let has = |bit: u32| self.bits & bit != 0;
        if !self.seen {
            return ReadAs::Nothing;
        }
        for (bit, pattern, data_type) in [
            (DATE_PATTERN, &patterns.date, DataType::Date),
            (TIMESTAMP_PATTERN, &patterns.timestamp, DataType::TIMESTAMP),
        ] {
            if let Some(pattern) = pattern.as_ref().filter(|_| has(bit)) {
                return ReadAs::PatternFound(data_type, pattern.clone());
            }
        }
        for (bit, reading) in [
            (BOOL, ReadAs::Bool),
            (INTEGER, ReadAs::Integer),
            (LARGE, ReadAs::Large),
            (FLOAT, ReadAs::Float),
            (COMMA, ReadAs::FloatComma),
            (TIME, ReadAs::Time),
        ] {
            if has(bit) {
                return reading;
            }
        }
        let ordered = |bits: [u32; 3], make: fn(DateOrder) -> ReadAs| {
            let mut orders = bits.into_iter().zip(ORDERS);
            orders.find(|(bit, _)| has(*bit)).map(|(_, order)| make(order))
        };
        ordered(DATE, ReadAs::Date)
            .or_else(|| ordered(TIMESTAMP, ReadAs::Timestamp))
            .or_else(|| has(NANOSECONDS).then_some(ReadAs::Nanoseconds))
            .or_else(|| has(ZONED).then_some(ReadAs::Zoned))
            .unwrap_or(ReadAs::Text)
    }

    /// Takes away what the values of a delimited file are not.
    pub(in crate::ingest) fn narrow_by_text(&mut self, column: &CellColumn<'_>) {
        for cell in column.cells {
            if self.bits == 0 && self.seen {
                return;
            }
            // An empty cell in quotes is NULL in all columns but those of text.
            if column.nulls.contains(*cell, column.piece) || cell.bytes(column.piece).is_empty() {
                continue;
            }
            self.seen = true;
            let text = cell.bytes(column.piece).trim_ascii();
            self.bits &= if cell.is_escaped() {
                0
            } else {
                let mut room = [0; 64];
                let plain = column.patterns.thousands.and_then(|m| ungrouped(text, m, &mut room));
                of_text(plain.unwrap_or(text), self.bits)
                    | of_patterns(text, self.bits, column.patterns)
            };
        }
    }

    /// Takes away what a word is not.
    pub(in crate::ingest) fn narrow_by_word(&mut self, word: &[u8]) {
        self.seen = true;
        self.bits &= of_text(word, self.bits);
    }

    /// Takes away what JSON values are not: a string is no number, a literal no date.
    pub(in crate::ingest) fn narrow_by_json(&mut self, piece: &[u8], cell: Cell) {
        if cell.is_missing() || (self.bits == 0 && self.seen) {
            return;
        }
        self.seen = true;
        if cell.is_quoted() && is_special(cell.bytes(piece)) {
            self.bits &= FLOAT;
            return;
        }
        let kinds = if cell.is_quoted() { OF_STRINGS } else { OF_LITERALS };
        self.bits &= if cell.is_escaped() {
            0
        } else {
            of_text(cell.bytes(piece), self.bits & kinds) & kinds
        };
    }

    /// Whether the trimmed text may be a value of what is left.
    pub(in crate::ingest) fn allows(self, text: &[u8]) -> bool {
        self.bits & of_text(text, self.bits) != 0
    }

    /// The same where `mark` may stand between groups of digits.
    pub(in crate::ingest) fn allows_grouped(self, text: &[u8], mark: Option<u8>) -> bool {
        let mut room = [0; 64];
        let plain = mark.and_then(|mark| ungrouped(text, mark, &mut room));
        self.allows(plain.unwrap_or(text))
    }
}

/// Which of the patterns in `asked` the text fits.
fn of_patterns(text: &[u8], asked: u32, patterns: &Patterns) -> u32 {
    let mut bits = 0;
    if let Some(pattern) = patterns.date.as_ref().filter(|_| asked & DATE_PATTERN != 0)
        && pattern::date(text, pattern).is_some()
    {
        bits |= DATE_PATTERN;
    }
    if let Some(pattern) = patterns.timestamp.as_ref().filter(|_| asked & TIMESTAMP_PATTERN != 0)
        && pattern::timestamp(text, pattern).is_some()
    {
        bits |= TIMESTAMP_PATTERN;
    }
    bits
}

/// How JSON, which has no such numbers, is given them as texts.
fn is_special(text: &[u8]) -> bool {
    matches!(text, b"NaN" | b"Infinity" | b"-Infinity")
}

/// What `text` may be, of the readings in `asked`.
fn of_text(text: &[u8], asked: u32) -> u32 {
    let Some(first) = text.first() else { return 0 };
    if first.is_ascii_alphabetic() {
        let boolean = if boolean(text).is_some() { BOOL } else { 0 };
        let special = if float(text, b'.').is_some() { FLOAT | COMMA } else { 0 };
        return boolean | special;
    }
    if !matches!(first, b'0'..=b'9' | b'-' | b'.' | b',') {
        return 0;
    }
    let numbers = asked & (INTEGER | LARGE | FLOAT | COMMA);
    let found = if numbers == 0 { 0 } else { of_number(text) };
    if found != 0 || asked & !(numbers | BOOL) == 0 {
        return found;
    }
    of_moment(text)
}

fn of_number(text: &[u8]) -> u32 {
    match whole(text) {
        Some(Whole::Small(_)) => INTEGER | LARGE | FLOAT | COMMA,
        Some(Whole::Large(_)) => LARGE | FLOAT | COMMA,
        None if float(text, b'.').is_some() => FLOAT,
        None if float(text, b',').is_some() => COMMA,
        None => 0,
    }
}

fn of_moment(text: &[u8]) -> u32 {
    if time(text).is_some_and(|nanoseconds| nanoseconds % 1_000 == 0) {
        return TIME;
    }
    let mut bits = 0;
    for (index, order) in ORDERS.into_iter().enumerate() {
        if date(text, order).is_some() {
            bits |= DATE[index];
        }
        let Some(moment) = moment(text, order) else { continue };
        let is_iso = order == DateOrder::Ymd;
        match (moment.offset, moment.microseconds()) {
            (Some(_), Some(_)) if is_iso => bits |= ZONED,
            (None, Some(_)) => bits |= TIMESTAMP[index] | nanoseconds_too(moment, is_iso),
            (None, None) => bits |= nanoseconds_too(moment, is_iso),
            (Some(_), _) => {}
        }
    }
    bits
}

fn nanoseconds_too(moment: Moment, is_iso: bool) -> u32 {
    if is_iso && moment.nanoseconds().is_some() { NANOSECONDS } else { 0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_as(values: &[&str]) -> ReadAs {
        let bits = values.iter().fold(ALL, |bits, text| bits & of_text(text.as_bytes(), bits));
        Candidates { bits, seen: !values.is_empty() }.read_as(&Patterns::default())
    }

    #[test]
    fn a_column_is_what_all_its_values_are() {
        use DateOrder::{Dmy, Mdy, Ymd};
        for (values, expected) in [
            (&["1", "-2"][..], ReadAs::Integer),
            (&["1", "99999999999999999999"], ReadAs::Large),
            (&["1", "2.5", "1e3"], ReadAs::Float),
            (&["1", "2,5"], ReadAs::FloatComma),
            (&["1.5", "2,5"], ReadAs::Text),
            (&["1", "x"], ReadAs::Text),
            (&["007", "1"], ReadAs::Text),
            (&["true", "F"], ReadAs::Bool),
            (&["true", "1"], ReadAs::Text),
            (&["nan", "1.5"], ReadAs::Float),
            (&["12:34", "1:02:03.5"], ReadAs::Time),
            (&["2024-01-02"], ReadAs::Date(Ymd)),
            (&["01/02/2024"], ReadAs::Date(Dmy)),
            (&["01/02/2024", "01/13/2024"], ReadAs::Date(Mdy)),
            (&["31/12/2024", "12/31/2024"], ReadAs::Text),
            (&["2024-01-02", "2024-01-02 03:04"], ReadAs::Timestamp(Ymd)),
            (&["2024-01-02 03:04", "2024-01-02 03:04:05.123456789"], ReadAs::Nanoseconds),
            (&["2024-01-02T03:04:05Z", "2024-01-02 03:04+02"], ReadAs::Zoned),
            (&["2024-01-02T03:04:05Z", "2024-01-02 03:04"], ReadAs::Text),
            (&[], ReadAs::Nothing),
            (&["-"], ReadAs::Text),
        ] {
            assert_eq!(read_as(values), expected, "{values:?}");
        }
    }

    #[test]
    fn the_order_of_the_values_does_not_matter() {
        let values = ["1", "2.5", "2024-01-02", "x", "t", "99999999999999999999", "1,5", "12:34"];
        for first in values {
            for second in values {
                assert_eq!(read_as(&[first, second]), read_as(&[second, first]));
            }
        }
    }
}
