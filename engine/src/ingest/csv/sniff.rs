//! The dialect of a delimited file, from a sample.
//!
//! Every delimiter is tried with the quotes that the sample has. A dialect is better the more records
//! have the same number of fields, and among equals the more of its fields are numbers, dates and the
//! like (as in van den Burg, Nazábal and Sutton, "Wrangling messy CSV files by detecting row and type
//! patterns", 2019). Lines before the first record of that width are not data. Must not know files.

use memchr::memchr;

use super::CsvOptions;
use super::records::Records;
use crate::catalog::files::{Delimiter, Dialect, Newline, Points};
use crate::ingest::cell::Candidates;

/// What separates fields, the most usual first.
const DELIMITERS: [u8; 8] = [b',', b';', b'\t', b'|', 0x1f, 0x01, b'~', b'^'];
/// Records on which dialects are tried.
const TRIAL_ROWS: usize = 500;
/// The share of records that must have the width of the file, in thousandths.
const CONSISTENT_MIN: usize = 600;

/// The dialect, and the width of its records.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Sniffed {
    pub(super) dialect: Dialect,
    pub(super) field_count: usize,
}

/// The dialect of the text from byte `start` of `sample` on; what `options` say is taken as said.
pub(super) fn sniff(sample: &[u8], start: usize, is_cut: bool, options: &CsvOptions) -> Sniffed {
    let told = options.comment.unwrap_or(None);
    let mut best = best(sample, (start, is_cut), options, told);
    // Lines of all kinds may fit nothing that the records among them do.
    if best.is_none() && options.comment.is_none() && has_comments(&sample[start..]) {
        best = self::best(sample, (start, is_cut), options, Some(b'#'));
    }
    let mut sniffed = best.unwrap_or_else(|| single(sample, start, is_cut, options));
    if options.comment.is_none() && sniffed.dialect.comment.is_none() {
        sniffed.dialect.comment = comment_of(sample, start, is_cut, &sniffed);
    }
    sniffed
}

/// The dialect in which records of several fields fit together best, if there is one.
fn best(
    sample: &[u8],
    (start, is_cut): (usize, bool),
    options: &CsvOptions,
    comment: Option<u8>,
) -> Option<Sniffed> {
    let text = &sample[start..];
    let usual = || DELIMITERS.map(Delimiter::byte).to_vec();
    let delimiters = options.delimiter.map_or_else(usual, |one| vec![one]);
    let mut best: Option<(usize, Sniffed)> = None;
    for (quote, escape) in quotings(text, options) {
        let newline = options.newline.unwrap_or_else(|| newline(text, quote, escape));
        for delimiter in &delimiters {
            let delimiter = *delimiter;
            let blanks_around_quotes =
                quote.is_some_and(|quote| has_blank_before_quote(text, delimiter, quote));
            let dialect =
                Dialect { delimiter, quote, escape, comment, newline, blanks_around_quotes };
            let records = Records::read(sample, start, dialect, TRIAL_ROWS, is_cut);
            if quote.is_none() && options.quote.is_none() && cuts_quoted(&records) {
                continue;
            }
            let Some((score, field_count)) = score(&records, options.delimiter.is_some()) else {
                continue;
            };
            if best.is_none_or(|(other, _)| score > other) {
                best = Some((score, Sniffed { dialect, field_count }));
            }
        }
    }
    best.map(|(_, sniffed)| sniffed)
}

fn has_comments(text: &[u8]) -> bool {
    text.first() == Some(&b'#') || text.windows(2).any(|pair| is_end(pair[0]) && pair[1] == b'#')
}

fn is_end(byte: u8) -> bool {
    matches!(byte, b'\n' | b'\r')
}

/// Quotes and escapes that are worth trying, the most usual first.
fn quotings(sample: &[u8], options: &CsvOptions) -> Vec<(Option<u8>, Option<u8>)> {
    let mut quotes = vec![options.quote.unwrap_or(Some(b'"'))];
    if options.quote.is_none() {
        let around = |pair: &[u8]| {
            pair[0] == b'\'' && matches!(pair[1], b',' | b';' | b'\t' | b'|' | b'\n' | b'\r')
        };
        if sample.windows(2).any(around) || sample.last() == Some(&b'\'') {
            quotes.push(Some(b'\''));
        }
        if memchr(b'"', sample).is_some() {
            quotes.push(None);
        }
    }
    let mut quotings = Vec::new();
    for quote in quotes {
        match (quote, options.escape) {
            (None, _) => quotings.push((None, None)),
            (Some(quote), Some(escape)) => quotings.push((Some(quote), escape.or(Some(quote)))),
            (Some(quote), None) => {
                quotings.push((Some(quote), Some(quote)));
                // DuckDB escapes whatever quote with double quotes.
                for escape in [b'\\', b'"'] {
                    let escaped = |pair: &[u8]| pair[0] == escape && pair[1] == quote;
                    if escape != quote && sample.windows(2).any(escaped) {
                        quotings.push((Some(quote), Some(escape)));
                    }
                }
            }
        }
    }
    quotings
}

/// Whether most records with quotes have fields that a quote opens and others that one closes: without
/// quotes, the delimiter cuts what stands between them.
fn cuts_quoted(records: &Records<'_>) -> bool {
    let (mut quoted, mut cut) = (0_usize, 0_usize);
    for row in 0..records.len() {
        let (mut opened, mut closed) = (0_usize, 0_usize);
        for cell in records.cells(row) {
            let text = cell.bytes(records.bytes());
            let is_opened = text.first() == Some(&b'"');
            let is_closed = text.len() > 1 && text.last() == Some(&b'"');
            opened += usize::from(is_opened && !is_closed);
            closed += usize::from(is_closed && !is_opened);
            quoted += usize::from(is_opened);
        }
        cut += if opened == closed { opened } else { 0 };
    }
    cut * 2 > quoted
}

/// How well records fit together, and their width; `None` when they do not.
fn score(records: &Records<'_>, is_told: bool) -> Option<(usize, usize)> {
    let width = width(records)?;
    let row_count = records.len();
    let of_width = (0..row_count).filter(|row| records.field_count(*row) == width).count();
    let consistent = of_width * 1_000 / row_count;
    if !is_told && (width < 2 || consistent < CONSISTENT_MIN) {
        return None;
    }
    let any = Candidates::any(Points::Either);
    let (mut typed, mut quoted, mut filled) = (0_usize, 0_usize, 0_usize);
    for row in 0..row_count {
        for cell in records.cells(row) {
            let text = cell.bytes(records.bytes()).trim_ascii();
            if !text.is_empty() {
                filled += 1;
                typed += usize::from(!cell.is_escaped() && any.allows(text));
                quoted += usize::from(cell.is_quoted());
            }
        }
    }
    // Quotes that are there to be taken off are a sign as well.
    let share = |count: usize| (count * 100).checked_div(filled).unwrap_or(0);
    Some((consistent * 1_000 + share(typed) * 2 + share(quoted), width))
}

/// The number of fields that most records have, the larger one among equals.
fn width(records: &Records<'_>) -> Option<usize> {
    let mut counts: Vec<usize> =
        (0..records.len()).map(|row| records.field_count(row)).filter(|count| *count > 0).collect();
    counts.sort_unstable();
    counts.chunk_by(|a, b| a == b).max_by_key(|same| same.len()).map(|same| same[0])
}

/// One column: no delimiter fits.
fn single(sample: &[u8], start: usize, is_cut: bool, options: &CsvOptions) -> Sniffed {
    let text = &sample[start..];
    let delimiter = options.delimiter.unwrap_or_else(|| {
        // One that does not occur, so that every line is a field.
        let unused = DELIMITERS.into_iter().find(|byte| memchr(*byte, sample).is_none());
        unused.map_or(Delimiter::COMMA, Delimiter::byte)
    });
    let quote = options
        .quote
        .unwrap_or_else(|| Some(if is_around_most_lines(text, b'\'') { b'\'' } else { b'"' }));
    let escape = quote.and_then(|quote| options.escape.unwrap_or(Some(quote)));
    let dialect = |quote: Option<u8>, escape| Dialect {
        delimiter,
        quote,
        escape,
        comment: options.comment.unwrap_or(None),
        newline: options.newline.unwrap_or_else(|| newline(text, quote, escape)),
        blanks_around_quotes: false,
    };
    let quoted = dialect(quote, escape);
    let records = Records::read(sample, start, quoted, TRIAL_ROWS, is_cut);
    let fits = (0..records.len()).all(|row| records.field_count(row) > 0);
    let dialect = if fits || options.quote.is_some() { quoted } else { dialect(None, None) };
    let field_count = width(&records).unwrap_or(1);
    Sniffed { dialect, field_count: if options.delimiter.is_some() { field_count } else { 1 } }
}

/// Whether most lines that are not empty begin and end with `quote`.
fn is_around_most_lines(text: &[u8], quote: u8) -> bool {
    let lines = text.split(|byte| is_end(*byte)).filter(|line| !line.is_empty());
    let (mut count, mut within) = (0_usize, 0_usize);
    for line in lines.take(TRIAL_ROWS) {
        count += 1;
        let has_both = line.len() > 1 && line[0] == quote && line[line.len() - 1] == quote;
        within += usize::from(has_both);
    }
    within * 2 > count
}

/// `#` where most lines that begin with it are no records: of another width, or unlike the others.
fn comment_of(sample: &[u8], start: usize, is_cut: bool, sniffed: &Sniffed) -> Option<u8> {
    let width = sniffed.field_count;
    let records = Records::read(sample, start, sniffed.dialect, TRIAL_ROWS, is_cut);
    let rows = (0..records.len()).partition(|row| sample[records.start(*row)] == b'#');
    let (marked, others): (Vec<usize>, Vec<usize>) = rows;
    let typed = typed_columns(&records, &marked, &others, width);
    let is_odd =
        |row: &&usize| records.field_count(**row) != width || is_remark(&records, **row, &typed);
    let odd = marked.iter().filter(is_odd).count();
    (odd * 2 > marked.len()).then_some(b'#')
}

/// The columns of nothing but numbers, dates and the like in the records that are not marked; none when
/// that says nothing of those that are.
fn typed_columns(
    records: &Records<'_>,
    marked: &[usize],
    others: &[usize],
    width: usize,
) -> Vec<usize> {
    // A marked line above all others may name the columns, and so may the first of the others.
    let rows = match (marked.first(), others.split_first()) {
        (Some(1..), Some((_, rows))) if rows.len() >= 2 && rows.len() >= marked.len() => rows,
        _ => return Vec::new(),
    };
    let is_typed = |column: &usize| {
        let mut cells = rows.iter().filter_map(|row| records.cells(*row).get(*column));
        cells.all(|cell| is_value(cell.bytes(records.bytes())))
    };
    (0..width).filter(is_typed).collect()
}

/// Whether a marked line of the width of records has no value where they have one. The first column
/// must have values, or `#ff0000` and `#1` are some of it; a second one that the line does not fit is
/// asked for because of errors like `#N/A`, of which there may also be several in a line.
fn is_remark(records: &Records<'_>, row: usize, typed: &[usize]) -> bool {
    let cells = records.cells(row);
    let text = |column: usize| cells[column].bytes(records.bytes()).trim_ascii();
    typed.len() >= 2
        && typed[0] == 0
        && typed.iter().all(|column| !text(*column).is_empty() && !is_value(text(*column)))
        && (1..cells.len()).all(|column| !text(column).starts_with(b"#"))
}

fn is_value(text: &[u8]) -> bool {
    Candidates::any(Points::Either).allows(text.trim_ascii())
}

fn has_blank_before_quote(sample: &[u8], delimiter: Delimiter, quote: u8) -> bool {
    let delimiter = delimiter.as_bytes();
    sample.windows(delimiter.len() + 2).any(|bytes| {
        bytes.strip_prefix(delimiter).is_some_and(|rest| rest[0] == b' ' && rest[1] == quote)
    })
}

/// What ends lines outside of quotes, which are those at the beginning of a field.
fn newline(sample: &[u8], quote: Option<u8>, escape: Option<u8>) -> Newline {
    let (mut feeds, mut returns) = (0_usize, 0_usize);
    let mut within = false;
    let mut last = b'\n';
    for (at, byte) in sample.iter().enumerate() {
        if within {
            // What stands between two quotes in a row is text as well.
            within = Some(*byte) != quote || (last == b'\\' && escape == Some(b'\\'));
        } else if Some(*byte) == quote {
            within = Some(last) == quote || is_end(last) || is_delimiter(last);
        } else if *byte == b'\n' {
            feeds += 1;
        } else if *byte == b'\r' && sample.get(at + 1).is_some_and(|next| *next != b'\n') {
            returns += 1;
        }
        // Blanks may stand before a quote.
        if within || *byte != b' ' {
            last = *byte;
        }
    }
    let ends_in_return = sample.last() == Some(&b'\r');
    match (feeds, returns) {
        (0, 0) if ends_in_return => Newline::Cr,
        (0, 1..) => Newline::Cr,
        (_, 0) => Newline::Lf,
        // A few may be in the middle of texts that are not quoted.
        (feeds, returns) if returns * 10 < feeds => Newline::Lf,
        _ => Newline::Any,
    }
}

fn is_delimiter(byte: u8) -> bool {
    DELIMITERS.contains(&byte)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sniffed(text: &str) -> (char, usize, Dialect) {
        let found = sniff(text.as_bytes(), 0, false, &CsvOptions::default());
        (char::from(found.dialect.delimiter.first()), found.field_count, found.dialect)
    }

    #[test]
    fn delimiters_are_found_among_the_bytes_of_texts_and_numbers() {
        for (text, delimiter, field_count) in [
            ("a,b\n1,2\n", ',', 2),
            ("name;v\nx;1,5\ny;2,5\n", ';', 2),
            ("1,5;2,5\n3,5;4,5\n", ';', 2),
            ("a\tb\nx, y\tz\n", '\t', 2),
            ("a|b|c\n1|2|3\n", '|', 3),
            ("a\u{1f}b\n1\u{1f}2\n", '\u{1f}', 2),
            ("when;what\n2024-01-02 03:04:05;\"a;b\"\n", ';', 2),
            ("title\nof the file\n\na,b,c\n1,2,3\n4,5,6\n7,8,9\n10,11,12\n", ',', 3),
        ] {
            let (found, count, _) = sniffed(text);
            assert_eq!((found, count), (delimiter, field_count), "{text:?}");
        }
        assert_eq!(sniffed("one\ntwo\n").1, 1);
        assert_eq!(sniffed("name\n\"Doe, Jo\"\n\"Roe, Al\"\n").1, 1);
        assert_eq!(sniffed("a,b\n1,5\" x\n2,\"y\n").1, 2);
        assert_eq!(sniffed("Hello\nworld, it is\nfine, is it, not\n").1, 1);
    }

    #[test]
    fn quotes_escapes_comments_and_newlines_are_found() {
        assert_eq!(sniffed("a,b\n'x,y',2\n").2.quote, Some(b'\''));
        assert_eq!(sniffed("a,b\n\"x\\\"y\",2\n").2.escape, Some(b'\\'));
        assert_eq!(sniffed("a,b\n\"x\"\"y\",2\n").2.escape, Some(b'"'));
        assert_eq!(sniffed("# c\na,b\n1,2\n").2.comment, Some(b'#'));
        assert_eq!(sniffed("# c\n# d\na,b\n1,2\n# e\n3,4\n").2.comment, Some(b'#'));
        assert_eq!(sniffed("#a,b\n1,2\n").2.comment, None);
        assert_eq!(sniffed("a,b\n1,2\n# n, m\n3,4\n").2.comment, Some(b'#'));
        assert_eq!(sniffed("a,b\n1,2\n3,4\n# the end, at last\n").2.comment, Some(b'#'));
        assert_eq!(sniffed("a,b\r1,2\r").2.newline, Newline::Cr);
        assert_eq!(sniffed("a,b\r\n1,2\r\n").2.newline, Newline::Lf);
        assert_eq!(sniffed("a,b\r1,2\n3,4\r").2.newline, Newline::Any);
        assert_eq!(sniffed("a,b\r1,'x\ny'\r2,it's\r").2.newline, Newline::Cr);
        assert_eq!(sniffed("a,b\n1,it's\r\n2,don't\r\n").2.newline, Newline::Lf);
        assert_eq!(sniffed("a,b\n1,'it\"'s'\n2,'x'\n").2.escape, Some(b'"'));
        assert_eq!(sniffed("'a'\n'it''s'\n").2.quote, Some(b'\''));
        assert_eq!(sniffed("'a'\nit\n'twas\n").2.quote, Some(b'"'));
        assert!(sniffed("a,b\n1, \"x\"\n").2.blanks_around_quotes);
    }

    #[test]
    fn values_that_begin_like_comments_are_data() {
        for text in [
            "colour,n\n#ff0000,1\n#00ff00,2\n#0000ff,3\n",
            "colour,n\nred,1\nblue,2\n#0000ff,3\n",
            "rank,n\n1,1\n2,2\n#3,3\n",
            "a,b\n1,2\n3,4\n#N/A,5\n6,7\n",
            "a,b\n1,2\n3,4\n#N/A,#N/A\n6,7\n",
            "a,b\n1,x\n3,y\n#4,z\n6,w\n",
            "#a,b\n1,2\n3,4\n#c,d\n#e,f\n",
            "n,tag\n1,x\n2,#y\n3,#z\n",
        ] {
            assert_eq!(sniffed(text).2.comment, None, "{text:?}");
        }
    }
}
