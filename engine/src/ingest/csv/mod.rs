//! Delimited text: what a file is, told or sniffed, before its rows are read.
//!
//! The way of a file: `sniff` finds its dialect in a sample; `header` decides whether the first record
//! names the columns, and `infer` what their values allow; `rows` reads the rest. `scanner` is what
//! finds fields, for all of them. Must not know SQL, plans or storage.

mod header;
mod records;
pub(super) mod scanner;
mod sniff;

use self::header::Head;
use self::records::Records;
use self::sniff::{Sniffed, sniff};
use super::cell::{Candidates, CellColumn, Nulls};
use super::column_names::check_column_count;
use super::content::Content;
use super::table_of_files::{FileSchema, Named};
use crate::catalog::files::{CsvLayout, Delimiter, Encoding, Layout, Newline, Points, Reading};
use crate::types::{Error, Result};

/// What is said of delimited files; the rest is sniffed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CsvOptions {
    /// Between fields.
    pub delimiter: Option<Delimiter>,
    /// Around fields; `Some(None)` for no quotes.
    pub quote: Option<Option<u8>>,
    /// Before a quote that is meant literally; `Some(None)` for the quote itself.
    pub escape: Option<Option<u8>>,
    /// Before a line that is no record; `Some(None)` for nothing.
    pub comment: Option<Option<u8>>,
    /// What ends a record.
    pub newline: Option<Newline>,
    /// Whether the first record names the columns.
    pub header: Option<bool>,
    /// Lines to leave out at the beginning.
    pub skip: Option<u64>,
    /// What may stand before a fraction.
    pub points: Option<Points>,
    /// Names of the first columns.
    pub names: Vec<String>,
    /// Records that types are inferred from; all when `None`.
    pub sample_rows: Option<usize>,
}

/// Records that types are inferred from unless the options say otherwise: DuckDB's number.
pub const SAMPLE_ROWS: usize = 20_480;
/// How text of other encodings is read.
pub(super) const NOT_UTF8: &str =
    "encoding => 'windows-1252' reads what Excel writes, 'latin-1' ISO 8859-1, 'utf-16' UTF-16";
/// Bytes of a sample, at first.
const SAMPLE_BYTES: usize = 1 << 20;
/// Records that a sample should have.
const ROWS_MIN: usize = 4;

/// What the file at `path` holds.
///
/// # Errors
/// `Io`, `Corrupt`; `Invalid` for a delimiter that is a quote.
pub(super) fn examine(path: &str, options: &CsvOptions, reading: &Reading) -> Result<FileSchema> {
    if let (Some(b'.'), Some(Points::Point)) | (Some(b','), Some(Points::Comma)) =
        (reading.patterns.thousands, options.points)
    {
        return Err(Error::invalid("thousands and decimal_separator are the same"));
    }
    if let (Some(delimiter), Some(Some(quote))) = (options.delimiter, options.quote)
        && delimiter.as_bytes().contains(&quote)
    {
        return Err(Error::invalid("the quote is a character of the delimiter"));
    }
    let content = Content::open(path, reading.compression, reading.encoding)?;
    let mut sample = Vec::new();
    let mut sample_bytes = SAMPLE_BYTES;
    let rows_max = options.sample_rows.unwrap_or(SAMPLE_ROWS).clamp(1, 1 << 20);
    loop {
        sample.clear();
        content.read(0, sample_bytes + 1, &mut sample)?;
        let is_cut = sample.len() > sample_bytes;
        sample.truncate(sample_bytes);
        refuse_binary(path, &sample, reading)?;
        let named = named_delimiter(&sample).filter(|named| {
            options.skip.is_none() && options.delimiter.is_none_or(|told| told == *named)
        });
        let start = skip_lines(&sample, named.map_or_else(|| options.skip.unwrap_or(0), |_| 1));
        let delimiter = options.delimiter.or(named);
        let sniffed = sniff(&sample, start, is_cut, &CsvOptions { delimiter, ..options.clone() });
        check_column_count(path, sniffed.field_count)?;
        let records = Records::read(&sample, start, sniffed.dialect, rows_max, is_cut);
        // A header and a row or two are no sample: the file is very wide.
        if is_cut && records.len() < ROWS_MIN && sample_bytes < reading.record_bytes_max {
            sample_bytes = (sample_bytes * 4).min(reading.record_bytes_max);
            continue;
        }
        let is_sampled = is_cut || records.len() >= rows_max;
        return schema(path, &records, sniffed, options, (reading, is_sampled));
    }
}

/// What the records of a sample say.
fn schema(
    path: &str,
    records: &Records<'_>,
    sniffed: Sniffed,
    options: &CsvOptions,
    (reading, is_sampled): (&Reading, bool),
) -> Result<FileSchema> {
    let dialect = sniffed.dialect;
    let points = options.points.unwrap_or_else(|| match reading.patterns.thousands {
        Some(b'.') => Points::Comma,
        None if !dialect.delimiter.as_bytes().contains(&b',') => Points::Either,
        _ => Points::Point,
    });
    let head = Head::of(records, sniffed.field_count, options, reading);
    let candidates = infer_rows(records, head.first_data, head.names.len(), points, reading);
    check_names(path, records, head.named_by)?;
    let data_offset = if head.first_data < records.len() {
        records.start(head.first_data)
    } else {
        let sample = records.bytes();
        records.len().checked_sub(1).map_or(sample.len(), |last| behind(sample, records.end(last)))
    };
    let layout = CsvLayout {
        dialect,
        data_offset: u64::try_from(data_offset).unwrap_or(u64::MAX),
        field_count: head.names.len(),
    };
    let columns = head
        .names
        .into_iter()
        .zip(candidates)
        .map(|(name, candidates)| Named { name, found: candidates })
        .collect();
    Ok(FileSchema {
        path: path.to_owned(),
        layout: Layout::Csv(layout),
        columns,
        has_names: head.has_names,
        points,
        is_sampled,
    })
}

/// That the names of columns are text, as their values must be.
fn check_names(path: &str, records: &Records<'_>, row: Option<usize>) -> Result<()> {
    let Some(row) = row else { return Ok(()) };
    let record = &records.bytes()[records.start(row)..records.end(row).min(records.bytes().len())];
    match std::str::from_utf8(record) {
        Ok(_) => Ok(()),
        Err(_) => {
            Err(Error::invalid_text(format!("{path}: the names of its columns are not UTF-8"))
                .with_hint(NOT_UTF8))
        }
    }
}

/// Where the line behind `end` begins, for a file without data.
fn behind(sample: &[u8], end: usize) -> usize {
    let rest = &sample[end.min(sample.len())..];
    let newline = rest.iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
    end + newline
}

/// Zeros are in no text, but for a few that fill up values of a fixed length.
fn refuse_binary(path: &str, sample: &[u8], reading: &Reading) -> Result<()> {
    let head = &sample[..sample.len().min(8_192)];
    let zero_count = memchr::memchr_iter(0, head).count();
    // The last character may be cut.
    let is_utf8 = || std::str::from_utf8(head).map_or_else(|e| e.error_len().is_none(), |_| true);
    if zero_count == 0 || (zero_count * 4 <= head.len() && is_utf8()) {
        return Ok(());
    }
    let error = Error::corrupt(format!("{path} is no text: it has bytes of zero"));
    Err(match reading.encoding {
        Encoding::Utf8 => error.with_hint("is it UTF-16? encoding => 'utf-16'"),
        _ => error,
    })
}

/// The delimiter that a first line `sep=;` names, which is for Excel.
fn named_delimiter(sample: &[u8]) -> Option<Delimiter> {
    let [delimiter, end, ..] = sample.strip_prefix(b"sep=")? else { return None };
    let is_one = matches!(end, b'\n' | b'\r') && delimiter.is_ascii();
    (is_one && !matches!(delimiter, b'\n' | b'\r')).then_some(Delimiter::byte(*delimiter))
}

fn skip_lines(sample: &[u8], count: u64) -> usize {
    let mut start = 0;
    for _ in 0..count {
        match memchr::memchr2(b'\n', b'\r', &sample[start..]) {
            None => return sample.len(),
            Some(len) => {
                start += len + 1;
                if sample[start - 1] == b'\r' && sample.get(start) == Some(&b'\n') {
                    start += 1;
                }
            }
        }
    }
    start
}

/// What the values of each column allow, from the record at `first` on.
fn infer_rows(
    records: &Records<'_>,
    first: usize,
    field_count: usize,
    points: Points,
    reading: &Reading,
) -> Vec<Candidates> {
    let nulls = Nulls::new(reading);
    let mut found = vec![Candidates::any(points); field_count];
    for row in first..records.len() {
        for (candidates, cell) in found.iter_mut().zip(records.cells(row)) {
            candidates.narrow_by_text(&CellColumn {
                piece: records.bytes(),
                cells: std::slice::from_ref(cell),
                escapes: records.escapes(),
                nulls: &nulls,
                patterns: &reading.patterns,
            });
        }
    }
    found
}
