//! Records and fields of delimited text.
//!
//! A quote opens a quoted field only as the first byte of a field (behind blanks, where the dialect
//! has them); elsewhere it is a byte like any other. Within quotes everything is literal but the
//! closing quote and what is escaped. So the state at any byte outside of quotes follows from the byte
//! before it alone, which [`skip_records`] uses to cut a file without looking at its fields.
//!
//! Eight bytes at a time are searched for what ends a field, with arithmetic on a word (Mycroft's
//! test): fields are short, and a call of a vector search for each costs more than it saves. The
//! `csv` crate was not used because it does not tell whether a field was quoted, which decides whether
//! an empty one is NULL. Must not know files, types or names.

use memchr::{memchr, memchr2};

use crate::catalog::files::{Dialect, Newline};
use crate::ingest::cell::{Cell, Escapes};

/// Why a record cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::ingest) enum Flaw {
    /// It has so many fields.
    FieldCount(usize),
    /// Something other than a delimiter stands behind a closing quote.
    BehindQuote,
    /// A quote is never closed.
    OpenQuote,
    /// A JSON value is malformed in this way.
    Json(&'static str),
    /// A key was not foreseen.
    Stray,
}

/// A record that cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::ingest) struct BadRecord {
    /// Where it begins.
    pub(in crate::ingest) start: usize,
    pub(in crate::ingest) end: usize,
    pub(in crate::ingest) flaw: Flaw,
    /// Where the flaw is.
    pub(in crate::ingest) at: usize,
}

/// What a scan of records gives.
pub(in crate::ingest) trait Taker {
    /// A record begins at this byte.
    fn begin(&mut self, start: usize);
    /// The next field of the record.
    fn field(&mut self, index: usize, cell: Cell);
    /// The record is over: whether another one is wanted. It ends before byte `end`.
    fn end(&mut self, field_count: usize, end: usize) -> bool;
    /// The record begun is bad: whether another one is wanted.
    fn bad(&mut self, record: BadRecord) -> bool;
}

/// Reads records by one dialect.
#[derive(Clone, Copy, Debug)]
pub(in crate::ingest) struct Scanner {
    dialect: Dialect,
    /// Whether an empty line is a record of one field.
    one_field: bool,
    /// The first byte of a delimiter, eight times.
    delimiters: u64,
    delimiter_len: usize,
    newlines: u64,
    /// The second byte that ends a record, or the first again.
    returns: u64,
}

const ONES: u64 = 0x0101_0101_0101_0101;
const HIGHS: u64 = 0x8080_8080_8080_8080;

impl Scanner {
    /// For records of `field_count` fields; with one, an empty line is a record.
    pub(in crate::ingest) fn new(dialect: Dialect, field_count: usize) -> Scanner {
        let repeated = |byte: u8| ONES * u64::from(byte);
        let (newline, second) = match dialect.newline {
            Newline::Lf => (b'\n', b'\n'),
            Newline::Cr => (b'\r', b'\r'),
            Newline::Any => (b'\n', b'\r'),
        };
        Scanner {
            dialect,
            one_field: field_count == 1,
            delimiters: repeated(dialect.delimiter.first()),
            delimiter_len: dialect.delimiter.as_bytes().len(),
            newlines: repeated(newline),
            returns: repeated(second),
        }
    }

    /// How quoted fields are unescaped.
    pub(in crate::ingest) fn escapes(&self) -> Escapes {
        Escapes::Byte(self.dialect.escape.or(self.dialect.quote).unwrap_or(b'"'))
    }

    fn is_newline(&self, byte: u8) -> bool {
        match self.dialect.newline {
            Newline::Lf => byte == b'\n',
            Newline::Cr => byte == b'\r',
            Newline::Any => byte == b'\n' || byte == b'\r',
        }
    }

    /// Reads records from `start` on, until the end or `taker` has enough; gives where it stopped: at
    /// the beginning of a record.
    pub(in crate::ingest) fn run(
        &self,
        bytes: &[u8],
        start: usize,
        taker: &mut impl Taker,
    ) -> usize {
        let mut at = start;
        while at < bytes.len() {
            if let Some(next) = self.skip_line(bytes, at) {
                at = next;
                continue;
            }
            taker.begin(at);
            let (next, goes_on) = self.record(bytes, at, taker);
            at = next;
            if !goes_on {
                break;
            }
        }
        at
    }

    /// The line behind one that is no record.
    #[inline]
    fn skip_line(&self, bytes: &[u8], at: usize) -> Option<usize> {
        let first = bytes[at];
        if Some(first) == self.dialect.comment {
            return Some(self.line_end(bytes, at).1);
        }
        if self.one_field {
            return None;
        }
        let is_return = first == b'\r' && bytes.get(at + 1) == Some(&b'\n');
        if is_return && self.dialect.newline != Newline::Cr {
            return Some(at + 2);
        }
        self.is_newline(first).then_some(at + 1)
    }

    /// Where the line ends without its newline, and where the next one begins.
    fn line_end(&self, bytes: &[u8], at: usize) -> (usize, usize) {
        let found = match self.dialect.newline {
            Newline::Lf => memchr(b'\n', &bytes[at..]),
            Newline::Cr => memchr(b'\r', &bytes[at..]),
            Newline::Any => memchr2(b'\n', b'\r', &bytes[at..]),
        };
        match found {
            None => (bytes.len(), bytes.len()),
            Some(len) => self.newline_at(bytes, at, at + len),
        }
    }

    /// A newline at `at`, in a line from `start` on: where the line ends and the next one begins.
    #[inline]
    fn newline_at(&self, bytes: &[u8], start: usize, at: usize) -> (usize, usize) {
        match self.dialect.newline {
            Newline::Lf if at > start && bytes[at - 1] == b'\r' => (at - 1, at + 1),
            Newline::Any if bytes[at] == b'\r' && bytes.get(at + 1) == Some(&b'\n') => (at, at + 2),
            _ => (at, at + 1),
        }
    }

    /// Reads one record; gives where the next one begins and whether it is wanted.
    fn record(&self, bytes: &[u8], start: usize, taker: &mut impl Taker) -> (usize, bool) {
        let mut at = start;
        let mut index = 0;
        loop {
            let open = self.opening_quote(bytes, at);
            let (cell, end) = match open {
                None => {
                    let end = self.field_end(bytes, at);
                    let text_end = self.without_return(bytes, at, end);
                    (Cell::plain(at, text_end), end)
                }
                Some(open) => match self.quoted(bytes, open) {
                    Ok(found) => found,
                    Err(fault) => {
                        let (flaw, flaw_at, end) = match fault {
                            QuoteFault::Open(at) => (Flaw::OpenQuote, at, bytes.len()),
                            QuoteFault::Behind(at) => {
                                (Flaw::BehindQuote, at, self.recover(bytes, start, at))
                            }
                        };
                        let bad = BadRecord { start, end, flaw, at: flaw_at };
                        return (end, taker.bad(bad));
                    }
                },
            };
            taker.field(index, cell);
            index += 1;
            if end >= bytes.len() {
                return (bytes.len(), taker.end(index, bytes.len()));
            }
            if bytes[end] != self.dialect.delimiter.first() {
                let (line_end, next) = self.newline_at(bytes, start, end);
                return (next, taker.end(index, line_end));
            }
            at = end + self.delimiter_len;
        }
    }

    #[inline]
    fn opening_quote(&self, bytes: &[u8], at: usize) -> Option<usize> {
        let quote = self.dialect.quote?;
        let first = *bytes.get(at)?;
        if first == quote {
            return Some(at);
        }
        if first != b' ' || !self.dialect.blanks_around_quotes {
            return None;
        }
        let blanks = bytes[at..].iter().take_while(|byte| **byte == b' ').count();
        (bytes.get(at + blanks) == Some(&quote)).then_some(at + blanks)
    }

    /// The first delimiter or newline from `at` on, or the end.
    #[inline]
    fn field_end(&self, bytes: &[u8], at: usize) -> usize {
        let mut end = self.first_byte_of_end(bytes, at);
        while self.delimiter_len > 1 && self.is_other(bytes, end) {
            end = self.first_byte_of_end(bytes, end + 1);
        }
        end
    }

    /// Whether a delimiter of several bytes only seems to begin here.
    fn is_other(&self, bytes: &[u8], at: usize) -> bool {
        bytes.get(at) == Some(&self.dialect.delimiter.first()) && !self.is_delimiter(bytes, at)
    }

    #[inline]
    fn is_delimiter(&self, bytes: &[u8], at: usize) -> bool {
        let delimiter = &self.dialect.delimiter;
        bytes.get(at) == Some(&delimiter.first())
            && (delimiter.is_byte() || bytes[at..].starts_with(delimiter.as_bytes()))
    }

    /// The first byte from `at` on that ends a record or begins a delimiter, or the end.
    #[inline]
    fn first_byte_of_end(&self, bytes: &[u8], mut at: usize) -> usize {
        while let Some(word) = bytes[at..].first_chunk::<8>() {
            let word = u64::from_le_bytes(*word);
            let found = zero_bytes(word ^ self.delimiters)
                | zero_bytes(word ^ self.newlines)
                | zero_bytes(word ^ self.returns);
            if found != 0 {
                return at + usize::try_from(found.trailing_zeros() / 8).unwrap_or(0);
            }
            at += 8;
        }
        let first = self.dialect.delimiter.first();
        let ends = |byte: &u8| *byte == first || self.is_newline(*byte);
        bytes[at..].iter().position(ends).map_or(bytes.len(), |len| at + len)
    }

    /// The end of a field without the carriage return of CR LF.
    #[inline]
    fn without_return(&self, bytes: &[u8], start: usize, end: usize) -> usize {
        let has_return = end > start
            && bytes[end - 1] == b'\r'
            && self.dialect.newline == Newline::Lf
            && bytes.get(end).is_none_or(|byte| *byte == b'\n');
        if has_return { end - 1 } else { end }
    }

    /// The field whose quote opens at `open`, and where its delimiter or newline is.
    fn quoted(&self, bytes: &[u8], open: usize) -> Result<(Cell, usize), QuoteFault> {
        let quote = self.dialect.quote.unwrap_or(b'"');
        let escape = self.dialect.escape;
        let start = open + 1;
        let mut at = start;
        let mut escaped = false;
        let close = loop {
            let found = match escape {
                Some(escape) if escape != quote => memchr2(quote, escape, &bytes[at..]),
                _ => memchr(quote, &bytes[at..]),
            };
            let Some(found) = found.map(|len| at + len) else {
                return Err(QuoteFault::Open(open));
            };
            let is_escape = Some(bytes[found]) == escape
                && (bytes[found] != quote || bytes.get(found + 1) == Some(&quote));
            if !is_escape {
                break found;
            }
            escaped = true;
            at = (found + 2).min(bytes.len());
        };
        let mut end = close + 1;
        if self.dialect.blanks_around_quotes {
            end += bytes[end..].iter().take_while(|byte| **byte == b' ').count();
        }
        let ends = match bytes.get(end) {
            None => true,
            Some(byte) if self.is_newline(*byte) || self.is_delimiter(bytes, end) => true,
            Some(b'\r') if self.dialect.newline == Newline::Lf => {
                end += 1;
                bytes.get(end).is_none_or(|byte| *byte == b'\n')
            }
            Some(_) => false,
        };
        if !ends {
            return Err(QuoteFault::Behind(close + 1));
        }
        Ok((Cell::quoted(start, close, escaped), end))
    }

    /// Where the first record begins that starts at or behind `target`, for a text that begins with a
    /// record at `start`; `None` when the text does not show it: too short, or a quote is open.
    pub(in crate::ingest) fn skip_records(
        &self,
        bytes: &[u8],
        start: usize,
        target: usize,
    ) -> Option<usize> {
        if target <= start {
            return Some(start);
        }
        let Some(quote) = self.dialect.quote.filter(|_| self.shows_quotes()) else {
            return self.skip_slowly(bytes, start, target);
        };
        self.cut(bytes, quote, (start, start), target)
    }

    /// Whether the byte before a quote tells what it is: comments may hold quotes, and of `|||"` with
    /// delimiters `||` the quote is in the middle of a field.
    fn shows_quotes(&self) -> bool {
        self.dialect.comment.is_none() && self.dialect.delimiter.is_byte()
    }

    /// Where the record behind the one with a flaw begins.
    #[cold]
    fn recover(&self, bytes: &[u8], start: usize, flaw_at: usize) -> usize {
        match self.dialect.quote.filter(|_| self.shows_quotes()) {
            None => self.line_end(bytes, flaw_at).1,
            Some(quote) => {
                self.cut(bytes, quote, (start, flaw_at), flaw_at + 1).unwrap_or(bytes.len())
            }
        }
    }

    /// The beginning of the first record at or behind `target`, for a text that begins with a record
    /// at `start` and is outside of quotes at `outside`.
    fn cut(
        &self,
        bytes: &[u8],
        quote: u8,
        (start, outside): (usize, usize),
        target: usize,
    ) -> Option<usize> {
        let mut at = outside;
        // The newline before the target may be the one that begins a record there.
        let mut outside_from = outside;
        while let Some(found) = memchr(quote, &bytes[at..]).map(|len| at + len) {
            if found >= target
                && let Some(next) = self.next_line(bytes, outside_from.max(target - 1), found)
            {
                return Some(next);
            }
            if !self.opens(bytes, start, found) {
                at = found + 1;
                continue;
            }
            let close = self.closing_quote(bytes, found + 1)?;
            at = close + 1;
            outside_from = at;
        }
        self.next_line(bytes, outside_from.max(target - 1), bytes.len())
    }

    /// Whether a quote outside of quotes opens a field.
    fn opens(&self, bytes: &[u8], start: usize, quote_at: usize) -> bool {
        let mut before = quote_at;
        if self.dialect.blanks_around_quotes {
            while before > start && bytes[before - 1] == b' ' {
                before -= 1;
            }
        }
        before == start || {
            let byte = bytes[before - 1];
            byte == self.dialect.delimiter.first() || self.is_newline(byte)
        }
    }

    fn closing_quote(&self, bytes: &[u8], start: usize) -> Option<usize> {
        let quote = self.dialect.quote?;
        let mut at = start;
        loop {
            let found = match self.dialect.escape {
                Some(escape) if escape != quote => memchr2(quote, escape, bytes.get(at..)?)?,
                _ => memchr(quote, bytes.get(at..)?)?,
            };
            let found = at + found;
            let is_escape = Some(bytes[found]) == self.dialect.escape
                && (bytes[found] != quote || bytes.get(found + 1) == Some(&quote));
            if !is_escape {
                return Some(found);
            }
            at = found + 2;
        }
    }

    /// The beginning of the line behind the first newline in `from..to`.
    fn next_line(&self, bytes: &[u8], from: usize, to: usize) -> Option<usize> {
        let newline = bytes.get(from..to)?.iter().position(|byte| self.is_newline(*byte))?;
        let (_, next) = self.newline_at(bytes, from, from + newline);
        // A carriage return in last place may have a line feed behind it.
        (next < bytes.len()).then_some(next)
    }

    /// As [`Scanner::skip_records`], record by record.
    fn skip_slowly(&self, bytes: &[u8], start: usize, target: usize) -> Option<usize> {
        let mut until = Until { target, last_end: start };
        let stopped = self.run(bytes, start, &mut until);
        (stopped >= target && stopped < bytes.len()).then_some(stopped)
    }
}

/// What is wrong with a quoted field, and where.
enum QuoteFault {
    Open(usize),
    Behind(usize),
}

/// Takes records until one ends behind the target.
struct Until {
    target: usize,
    last_end: usize,
}

impl Taker for Until {
    fn begin(&mut self, start: usize) {
        self.last_end = start;
    }

    fn field(&mut self, _index: usize, _cell: Cell) {}

    fn end(&mut self, _field_count: usize, end: usize) -> bool {
        end + 1 < self.target
    }

    fn bad(&mut self, record: BadRecord) -> bool {
        record.end < self.target
    }
}

/// A word whose lowest set bit is in the first byte that is zero; 0 when none is.
#[inline]
fn zero_bytes(word: u64) -> u64 {
    word.wrapping_sub(ONES) & !word & HIGHS
}

#[cfg(test)]
#[expect(clippy::result_large_err, reason = "proptest's error type")]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::catalog::files::Delimiter;

    /// All fields as text, quoted ones in quotes; bad records as their flaw.
    struct Collect<'a> {
        bytes: &'a [u8],
        escapes: Escapes,
        record: Vec<String>,
        records: Vec<Vec<String>>,
        starts: Vec<usize>,
    }

    impl Taker for Collect<'_> {
        fn begin(&mut self, start: usize) {
            self.record.clear();
            self.starts.push(start);
        }

        fn field(&mut self, index: usize, cell: Cell) {
            assert_eq!(index, self.record.len());
            let mut text = Vec::new();
            if cell.is_escaped() {
                self.escapes.undo(cell.bytes(self.bytes), &mut text);
            } else {
                text.extend_from_slice(cell.bytes(self.bytes));
            }
            let text = String::from_utf8_lossy(&text).into_owned();
            self.record.push(if cell.is_quoted() { format!("<{text}>") } else { text });
        }

        fn end(&mut self, field_count: usize, _end: usize) -> bool {
            assert_eq!(field_count, self.record.len());
            self.records.push(self.record.clone());
            true
        }

        fn bad(&mut self, record: BadRecord) -> bool {
            self.records.push(vec![format!("{:?}", record.flaw)]);
            true
        }
    }

    fn scan(dialect: Dialect, field_count: usize, text: &str) -> (Vec<String>, Vec<usize>) {
        let (records, starts) = scan_fields(dialect, field_count, text);
        (records.iter().map(|record| record.join("|")).collect(), starts)
    }

    fn scan_fields(
        dialect: Dialect,
        field_count: usize,
        text: &str,
    ) -> (Vec<Vec<String>>, Vec<usize>) {
        let scanner = Scanner::new(dialect, field_count);
        let mut collect = Collect {
            bytes: text.as_bytes(),
            escapes: scanner.escapes(),
            record: Vec::new(),
            records: Vec::new(),
            starts: Vec::new(),
        };
        scanner.run(text.as_bytes(), 0, &mut collect);
        (collect.records, collect.starts)
    }

    #[test]
    fn records_end_where_their_dialect_says() {
        let plain = Dialect::default();
        let cases: [(&str, &[&str]); 9] = [
            ("a,b\n1,2\n", &["a|b", "1|2"]),
            ("a,b\r\n1,\r\n", &["a|b", "1|"]),
            ("a,b\n\n\r\n1,2", &["a|b", "1|2"]),
            ("\"a,\nb\",\"say \"\"hi\"\"\"\r\n,\"\"", &["<a,\nb>|<say \"hi\">", "|<>"]),
            ("a\"b,c\"\n", &["a\"b|c\""]),
            ("\"a\"b,c\nd,e\n", &["BehindQuote", "d|e"]),
            ("a,\"b\nc,d\n", &["OpenQuote"]),
            ("longer than eight,x\n", &["longer than eight|x"]),
            ("", &[]),
        ];
        for (text, expected) in cases {
            assert_eq!(scan(plain, 2, text).0, expected, "{text:?}");
        }
        let cr = Dialect { newline: Newline::Cr, ..plain };
        assert_eq!(scan(cr, 2, "a,b\r1,2\r").0, ["a|b", "1|2"]);
        let any = Dialect { newline: Newline::Any, ..plain };
        assert_eq!(scan(any, 2, "a,b\r1,2\n3,4\r\n5,6").0, ["a|b", "1|2", "3|4", "5|6"]);
        assert_eq!(scan(plain, 1, "a\n\nb\n").0, ["a", "", "b"]);
        let odd = Dialect {
            escape: Some(b'\\'),
            comment: Some(b'#'),
            blanks_around_quotes: true,
            ..plain
        };
        let text = "# a \"comment\na, \"b\\\"c\" ,d\n";
        assert_eq!(scan(odd, 3, text).0, ["a|<b\"c>|d"]);
    }

    #[test]
    fn delimiters_have_several_bytes() {
        let bars = Dialect { delimiter: Delimiter::new("||").expect("two bytes"), ..plain() };
        let cases: [(&str, &[&str]); 7] = [
            ("a||b\n1||2\n", &["a,b", "1,2"]),
            ("a|b||c|\r\n||", &["a|b,c|", ","]),
            ("a|||b\n", &["a,|b"]),
            ("\"a||b\"||\"c\"\n\"d\"|\"e\"\nf||g", &["<a||b>,<c>", "BehindQuote", "f,g"]),
            ("a|||\"b\n", &["a,|\"b"]),
            ("many more than eight||bytes|\n", &["many more than eight,bytes|"]),
            ("|", &["|"]),
        ];
        for (text, expected) in cases {
            let records: Vec<String> =
                scan_fields(bars, 2, text).0.iter().map(|record| record.join(",")).collect();
            assert_eq!(records, expected, "{text:?}");
        }
        let section = Dialect { delimiter: Delimiter::new("§").expect("two bytes"), ..plain() };
        assert_eq!(scan(section, 2, "a§b\n").0, ["a|b"]);
        for other in ["", "12345", "|\n", "€€"] {
            assert_eq!(Delimiter::new(other), None, "{other:?}");
        }
    }

    fn plain() -> Dialect {
        Dialect::default()
    }

    proptest! {
        /// Wherever a file is cut, the pieces begin where records begin.
        #[test]
        fn cutting_finds_the_beginnings_of_records(
            text in "[a\",\n\r# \\\\]{0,60}",
            target in 0_usize..70,
            newline in 0_u8..3,
            comment: bool,
            blanks: bool,
            backslash: bool,
            wide in 0_u8..4,
        ) {
            let dialect = Dialect {
                delimiter: match wide {
                    0 => Delimiter::new("aa").expect("two bytes"),
                    1 => Delimiter::new(", ,").expect("three bytes"),
                    _ => Delimiter::COMMA,
                },
                newline: [Newline::Lf, Newline::Cr, Newline::Any][usize::from(newline)],
                comment: comment.then_some(b'#'),
                blanks_around_quotes: blanks,
                escape: Some(if backslash { b'\\' } else { b'"' }),
                ..Dialect::default()
            };
            let scanner = Scanner::new(dialect, 2);
            let (whole, starts) = scan(dialect, 2, &text);
            if let Some(cut) = scanner.skip_records(text.as_bytes(), 0, target) {
                prop_assert!(cut >= target);
                let before = scan(dialect, 2, &text[..cut]).0;
                let after = scan(dialect, 2, &text[cut..]).0;
                prop_assert_eq!([before, after].concat(), whole, "cut at {} {:?}", cut, starts);
            }
        }
    }
}
