//! A text file cut into pieces that begin where records begin.
//!
//! Pieces are about [`PIECE_BYTES`] long. Where one begins follows from where the one before it did:
//! the beginnings are found in order, by whoever needs one first, and looking for them is a small part
//! of the work of reading.

use std::sync::{Mutex, PoisonError};

use crate::catalog::files::{CsvLayout, Newline, Reading};
use crate::context::CancelToken;
use crate::ingest::cell::{Candidates, CellColumn, Escapes};
use crate::ingest::content::Content;
use crate::ingest::csv::scanner::Scanner;
use crate::ingest::json::{self, rows::JsonRows};
use crate::types::{Error, Result};

/// How records are found.
#[derive(Clone, Debug)]
pub(in crate::ingest) enum RowFormat {
    /// Delimited text.
    Csv { scanner: Scanner, layout: CsvLayout },
    /// JSON with so many columns.
    Json { rows: JsonRows, width: usize },
}

impl RowFormat {
    pub(in crate::ingest) fn field_count(&self) -> usize {
        match self {
            RowFormat::Csv { layout, .. } => layout.field_count,
            RowFormat::Json { width, .. } => *width,
        }
    }

    pub(in crate::ingest) fn escapes(&self) -> Escapes {
        match self {
            RowFormat::Csv { scanner, .. } => scanner.escapes(),
            RowFormat::Json { .. } => Escapes::Json,
        }
    }

    /// The byte that is counted for line numbers.
    pub(in crate::ingest) fn line_byte(&self) -> u8 {
        match self {
            RowFormat::Csv { layout, .. } if layout.dialect.newline == Newline::Cr => b'\r',
            RowFormat::Csv { .. } | RowFormat::Json { .. } => b'\n',
        }
    }

    /// Whether a bad record can be left out, and the one behind it be found.
    pub(in crate::ingest) fn can_recover(&self) -> bool {
        match self {
            RowFormat::Csv { .. } => true,
            RowFormat::Json { rows, .. } => rows.can_recover(),
        }
    }

    /// Takes away what the cells are not.
    pub(in crate::ingest) fn narrow(&self, found: &mut Candidates, cells: &CellColumn<'_>) {
        match self {
            RowFormat::Csv { .. } => found.narrow_by_text(cells),
            RowFormat::Json { .. } => {
                cells.cells.iter().for_each(|cell| found.narrow_by_json(cells.piece, *cell));
            }
        }
    }

    /// The first record that begins at or behind `target`, for bytes that begin with a record.
    fn cut(&self, bytes: &[u8], target: usize) -> Option<usize> {
        match self {
            RowFormat::Csv { scanner, .. } => scanner.skip_records(bytes, 0, target),
            RowFormat::Json { rows, .. } => rows.cut(bytes, target),
        }
    }
}

/// What a piece should come to. Tests make it small.
const PIECE_BYTES: u64 = if cfg!(test) { 64 } else { 1 << 20 };
/// What is read beyond a piece at first, to find the end of its last record.
const BEYOND_BYTES: usize = 1 << 16;

/// An open file.
#[derive(Debug)]
pub(in crate::ingest) struct OpenFile {
    content: Content,
    pub(in crate::ingest) format: RowFormat,
    start: u64,
    len: u64,
    record_bytes_max: usize,
    /// Where the first pieces begin, as far as that is known.
    beginnings: Mutex<Vec<u64>>,
    /// Lines before some offsets.
    lines: Mutex<Vec<(u64, u64)>>,
}

/// A part of a file that begins where a record does and ends where one ends.
#[derive(Debug)]
pub(in crate::ingest) struct Piece {
    /// Where it begins in the file.
    pub(in crate::ingest) offset: u64,
    pub(in crate::ingest) bytes: Vec<u8>,
    /// Whether the file ends with it.
    pub(in crate::ingest) is_last: bool,
}

impl OpenFile {
    /// Opens the file at `path`, whose first record begins at `start`.
    pub(in crate::ingest) fn open(
        path: &str,
        format: RowFormat,
        start: u64,
        reading: &Reading,
    ) -> Result<OpenFile> {
        let content = Content::open(path, reading.compression, reading.encoding)?;
        let len = content.len()?;
        Ok(OpenFile {
            content,
            format,
            start: start.min(len),
            len,
            record_bytes_max: reading.record_bytes_max,
            beginnings: Mutex::new(vec![start.min(len)]),
            lines: Mutex::new(vec![(0, 0)]),
        })
    }

    pub(in crate::ingest) fn path(&self) -> &str {
        self.content.path()
    }

    pub(in crate::ingest) fn piece_count(&self) -> usize {
        usize::try_from((self.len - self.start).div_ceil(PIECE_BYTES)).unwrap_or(usize::MAX)
    }

    /// A piece; `None` when a record of another piece takes all of it.
    pub(in crate::ingest) fn piece(
        &self,
        index: usize,
        cancel: &CancelToken,
    ) -> Result<Option<Piece>> {
        let begin = self.beginning(index, cancel)?;
        let end = self.beginning(index + 1, cancel)?;
        if begin >= end {
            return Ok(None);
        }
        let mut bytes = Vec::new();
        self.content.read(begin, length(end - begin), &mut bytes)?;
        if bytes.len() < length(end - begin) {
            return Err(Error::corrupt(format!(
                "{} became shorter while it was read",
                self.path()
            )));
        }
        Ok(Some(Piece { offset: begin, bytes, is_last: end == self.len }))
    }

    /// The position of byte `offset` in the file as it lies, counted from 0; in the text that it gives
    /// where it is decompressed or in another encoding.
    pub(in crate::ingest) fn byte_offset(&self, offset: u64) -> u64 {
        self.content.byte_offset(offset)
    }

    /// The number of the line in which byte `offset` is, counted from 1.
    pub(in crate::ingest) fn line(&self, offset: u64) -> Result<u64> {
        let mut lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        let known = lines.partition_point(|(known, _)| *known <= offset) - 1;
        let (mut at, mut count) = lines[known];
        let mut bytes = Vec::new();
        while at < offset {
            bytes.clear();
            self.content.read(
                at,
                length((offset - at).min(PIECE_BYTES.max(1 << 16))),
                &mut bytes,
            )?;
            if bytes.is_empty() {
                break;
            }
            let newlines = memchr::memchr_iter(self.format.line_byte(), &bytes).count();
            count += u64::try_from(newlines).unwrap_or(u64::MAX);
            at += u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        }
        lines.insert(known + 1, (offset, count));
        Ok(count + 1)
    }

    fn beginning(&self, index: usize, cancel: &CancelToken) -> Result<u64> {
        loop {
            let mut beginnings = self.beginnings.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(beginning) = beginnings.get(index) {
                return Ok(*beginning);
            }
            cancel.check()?;
            let known = beginnings.len();
            let last = beginnings[known - 1];
            let count = u64::try_from(known).unwrap_or(u64::MAX);
            let target = self.start.saturating_add(count.saturating_mul(PIECE_BYTES));
            beginnings.push(self.next_beginning(last, target)?);
        }
    }

    /// The first record at or behind `target`, given that one begins at `last`.
    fn next_beginning(&self, last: u64, target: u64) -> Result<u64> {
        if last >= target {
            return Ok(last);
        }
        if target >= self.len {
            return Ok(self.len);
        }
        let to_target = length(target - last);
        let mut bytes = Vec::with_capacity(to_target + BEYOND_BYTES);
        let mut beyond = BEYOND_BYTES;
        loop {
            let wanted = to_target + beyond;
            let have = bytes.len();
            let at = last + u64::try_from(have).unwrap_or(u64::MAX);
            self.content.read(at, wanted - have, &mut bytes)?;
            if let Some(cut) = self.format.cut(&bytes, to_target) {
                return Ok(last + u64::try_from(cut).unwrap_or(u64::MAX));
            }
            if bytes.len() < wanted {
                return Ok(self.len);
            }
            if beyond >= self.record_bytes_max {
                return Err(self.endless(last, &bytes, to_target));
            }
            beyond = (beyond * 4).min(self.record_bytes_max);
        }
    }

    /// Why no record begins at or behind `target` in `bytes`, which are those at `offset`.
    #[cold]
    fn endless(&self, offset: u64, bytes: &[u8], target: usize) -> Error {
        let path = self.path();
        let json = match &self.format {
            RowFormat::Json { rows, .. } => Some(rows),
            RowFormat::Csv { .. } => None,
        };
        let fault = json.and_then(|rows| rows.fault(bytes, target));
        let at = fault.map_or(0, |fault| u64::try_from(fault.at).unwrap_or(0));
        let line = match self.line(offset + at) {
            Ok(line) => line,
            Err(error) => return error,
        };
        if let Some(fault) = fault {
            return Error::invalid_text(format!("{path}, line {line}: {}", fault.what));
        }
        let max = self.record_bytes_max;
        if json.is_some() {
            return json::too_long(path, line, max);
        }
        Error::invalid_text(format!("{path}: a record behind line {line} is longer than {max} bytes"))
            .with_hint("is a quote never closed? quote => '' reads quotes as text, max_line_size => 100000000 allows longer records")
    }
}

fn length(len: u64) -> usize {
    usize::try_from(len).unwrap_or(usize::MAX)
}
