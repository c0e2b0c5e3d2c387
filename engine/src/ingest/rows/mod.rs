//! Text files read as rows: cut into pieces, found in pieces, converted to arrays.
//!
//! A file is cut where records begin, so that pieces can be read by any worker in any order
//! (`pieces`); the records of a piece become cells by column (`taken`), and cells become arrays. What
//! is wrong with a record is told with file, line, column and value (`issue`), or goes to the file of
//! rejected rows (`rejects`). Only the columns asked for are converted.
//!
//! Invariants, for any bytes in a file:
//! 1. memory is bounded by a piece, the longest record allowed, and the arrays of a batch;
//! 2. every record is given, rejected in writing, or an error;
//! 3. the types given are those of the [`FileSet`], or it is an error; a value that was not foreseen
//!    from a sample makes `settle` look at all of them.
//!
//! Must not know plans or SQL.

mod issue;
pub(super) mod pieces;
mod rejects;
mod settle;
mod taken;

pub use self::rejects::{REJECT_COLUMNS, rejected_rows};
pub use self::settle::settle;

use std::ops::ControlFlow;
use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray, StringArray, new_null_array};

use self::issue::Issue;
use self::pieces::{OpenFile, RowFormat};
use self::rejects::Rejects;
use self::taken::Taken;
use super::cell::{CellColumn, Nulls, convert};
use super::csv::scanner::Scanner;
use super::json::rows::JsonRows;
use crate::catalog::files::{FileSet, Layout, Origin, ReadAs};
use crate::context::{Context, Progress};
use crate::types::{DataType, Error, Result, Value};

/// What takes the arrays of a batch and its rows; breaking ends the piece.
pub type RowSink<'a> = dyn FnMut(Vec<ArrayRef>, usize) -> Result<ControlFlow<()>> + 'a;

/// Open text files as one table.
#[derive(Debug)]
pub struct RowFiles {
    set: Arc<FileSet>,
    files: Vec<OpenFile>,
    /// The first piece of each file, and their number.
    first_pieces: Vec<usize>,
    nulls: Nulls,
    rejects: Option<Rejects>,
}

impl RowFiles {
    /// Opens the files of `set`. What is compressed is decompressed.
    ///
    /// # Errors
    /// `Io`; `Corrupt`; `Unsupported` for a layout that is not text.
    pub fn open(set: &Arc<FileSet>) -> Result<RowFiles> {
        let mut files = Vec::with_capacity(set.files.len());
        let mut first_pieces = vec![0];
        for file in &set.files {
            let (format, start) = match &file.layout {
                Layout::Csv(layout) => {
                    let scanner = Scanner::new(layout.dialect, layout.field_count);
                    (RowFormat::Csv { scanner, layout: layout.clone() }, layout.data_offset)
                }
                Layout::Json(layout) => {
                    let rows = JsonRows::new(layout);
                    (RowFormat::Json { rows, width: layout.paths.len() }, layout.offset)
                }
                Layout::Arrow | Layout::Parquet { .. } | Layout::Sheet(_) => {
                    return Err(Error::internal(format!("{} is no text of rows", file.path)));
                }
            };
            let file = OpenFile::open(&file.path, format, start, &set.reading)?;
            first_pieces.push(first_pieces[files.len()] + file.piece_count());
            files.push(file);
        }
        let rejects = match set.reading.reject_limit {
            None => None,
            Some(limit) => Some(Rejects::create(limit, set.reading.rejects.as_ref())?),
        };
        let is_json = set.files.iter().any(|file| matches!(file.layout, Layout::Json(_)));
        Ok(RowFiles {
            set: Arc::clone(set),
            files,
            first_pieces,
            nulls: if is_json { Nulls::none() } else { Nulls::new(&set.reading) },
            rejects,
        })
    }

    /// The pieces of all files, in order.
    pub fn piece_count(&self) -> usize {
        self.first_pieces[self.files.len()]
    }

    /// Gives the columns at `columns` of a piece to `sink`, at most `context.batch_len` rows at a time.
    ///
    /// # Errors
    /// `InvalidText`, with file, line, column and value, for a record or value that cannot be read;
    /// `Io`, `Corrupt`, `Cancelled`, as `sink`.
    pub fn read(
        &self,
        piece: usize,
        columns: &[usize],
        context: &Context,
        sink: &mut RowSink<'_>,
    ) -> Result<()> {
        let file_idx = self.first_pieces.partition_point(|first| *first <= piece) - 1;
        let file = &self.files[file_idx];
        let index = piece - self.first_pieces[file_idx];
        let Some(piece) = file.piece(index, &context.cancel)? else { return Ok(()) };
        let bytes = &piece.bytes[..];
        let mut memory = context.memory.reservation("reading a file");
        memory.resize(bytes.len())?;
        context.progress.read(u64::try_from(bytes.len()).unwrap_or(u64::MAX));
        let mut taken =
            Taken::new(&file.format, &self.wanted(file_idx, columns), &self.set.reading);
        if self.wants_all_keys(file_idx, columns) {
            taken.refuse_strays();
        }
        let mut at = 0;
        while at < bytes.len() {
            context.cancel.check()?;
            at = taken.fill(&file.format, &piece, at, context.batch_len.max(1));
            let place = Place { file, offset: piece.offset };
            let (arrays, row_count) =
                self.arrays(&place, bytes, columns, (&taken, &context.progress))?;
            if row_count > 0 && sink(arrays, row_count)?.is_break() {
                break;
            }
        }
        Ok(())
    }

    /// Whether all there is to read of the file is read: then no key may be passed over.
    fn wants_all_keys(&self, file_idx: usize, columns: &[usize]) -> bool {
        let file = &self.set.files[file_idx];
        let Layout::Json(layout) = &file.layout else { return false };
        let has = |place: &usize| columns.iter().any(|column| file.places[*column] == Some(*place));
        layout.is_complete
            && !columns.is_empty()
            && (0..layout.paths.len()).all(|place| has(&place))
    }

    /// For each column, where the file has it.
    fn wanted(&self, file_idx: usize, columns: &[usize]) -> Vec<Option<usize>> {
        columns.iter().map(|column| self.set.files[file_idx].places[*column]).collect()
    }

    fn arrays(
        &self,
        place: &Place<'_>,
        bytes: &[u8],
        columns: &[usize],
        (taken, progress): (&Taken, &Progress),
    ) -> Result<(Vec<ArrayRef>, usize)> {
        let row_count = taken.row_count();
        let mut issues: Vec<(Option<usize>, Issue)> = taken
            .bad()
            .iter()
            .map(|bad| (None, Issue::of_record(*bad, &place.file.format)))
            .collect();
        let mut arrays = Vec::with_capacity(columns.len());
        for (slot, column) in columns.iter().enumerate() {
            let column = &self.set.columns[*column];
            let path = place.file.path();
            arrays.push(match &column.origin {
                Origin::Cells(_) if taken.cells(slot).is_none() => {
                    new_null_array(&column.data_type.to_arrow(), row_count)
                }
                Origin::Cells(reading) => {
                    let cells = CellColumn {
                        piece: bytes,
                        cells: taken.cells(slot).unwrap_or_default(),
                        escapes: place.file.format.escapes(),
                        nulls: &self.nulls,
                        patterns: &self.set.reading.patterns,
                    };
                    let converted = convert(&cells, reading)?;
                    for row in converted.misfits {
                        let value = cells.text(row);
                        let issue =
                            Issue::of_value(taken.record(row), &column.name, reading, value);
                        issues.push((Some(row), issue));
                    }
                    converted.array
                }
                Origin::FileName => constant(path, column.data_type, row_count)?,
                Origin::Folder => folder_value(path, &column.name, column.data_type, row_count)?,
                Origin::Stored => return Err(Error::internal("text has no stored values")),
                Origin::Unreadable(reason) => {
                    return Err(Error::unsupported(format!(
                        "column {:?} is {reason}",
                        column.name
                    )));
                }
            });
        }
        if issues.is_empty() {
            return Ok((arrays, row_count));
        }
        self.without(place, bytes, issues, (arrays, row_count), progress)
    }

    /// The rows that have no issue; the others are rejected, or the first of them is the error.
    #[cold]
    fn without(
        &self,
        place: &Place<'_>,
        bytes: &[u8],
        mut issues: Vec<(Option<usize>, Issue)>,
        (arrays, row_count): (Vec<ArrayRef>, usize),
        progress: &Progress,
    ) -> Result<(Vec<ArrayRef>, usize)> {
        issues.sort_by_key(|(_, issue)| issue.record_start());
        let mut keep = vec![true; row_count];
        let mut last_record = None;
        for (row, issue) in &issues {
            let can_go_on =
                !issue.is_unforeseen() && (row.is_some() || place.file.format.can_recover());
            let rejects = self.rejects.as_ref().filter(|_| can_go_on);
            let Some(rejects) = rejects else {
                return Err(issue.to_error(place.file, place.offset, bytes, self.set.is_sampled));
            };
            if last_record != Some(issue.record_start()) {
                rejects.take(issue, place.file, place.offset, bytes)?;
                progress.reject();
            }
            last_record = Some(issue.record_start());
            if let Some(row) = row {
                keep[*row] = false;
            }
        }
        let kept = keep.iter().filter(|keep| **keep).count();
        let keep = BooleanArray::from(keep);
        let arrays = arrays.iter().map(|array| Ok(arrow::compute::filter(array, &keep)?));
        Ok((arrays.collect::<Result<_>>()?, kept))
    }

    /// The options of reading, for errors.
    pub(super) fn set(&self) -> &FileSet {
        &self.set
    }
}

/// Where the bytes of a piece are.
struct Place<'a> {
    file: &'a OpenFile,
    offset: u64,
}

/// A text as `row_count` values.
pub(super) fn constant(text: &str, data_type: DataType, row_count: usize) -> Result<ArrayRef> {
    match data_type {
        DataType::Utf8 => Ok(Arc::new(StringArray::from_iter_values((0..row_count).map(|_| text)))),
        other => Value::parse(text, other)?.to_array(other, row_count),
    }
}

/// The value of `name=…` in the path.
pub(super) fn folder_value(
    path: &str,
    name: &str,
    data_type: DataType,
    len: usize,
) -> Result<ArrayRef> {
    match folder_values(path).into_iter().find(|(found, _)| found == name) {
        Some((_, Some(value))) => constant(&value, data_type, len),
        _ => Ok(new_null_array(&data_type.to_arrow(), len)),
    }
}

/// The values that `name=value` folders of a path give, as Hive writes them; NULL as
/// `__HIVE_DEFAULT_PARTITION__`.
pub fn folder_values(path: &str) -> Vec<(String, Option<String>)> {
    let folders = path.rsplit_once('/').map_or("", |(folders, _)| folders);
    let named = folders.split('/').filter_map(|folder| folder.split_once('='));
    named
        .map(|(name, value)| {
            let value = (value != "__HIVE_DEFAULT_PARTITION__").then(|| unquote(value));
            (unquote(name), value)
        })
        .collect()
}

/// `%20` becomes a blank, and so on.
fn unquote(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, behind)) = rest.split_first() {
        let code = behind.get(..2).and_then(|code| std::str::from_utf8(code).ok());
        let code = code.and_then(|code| u8::from_str_radix(code, 16).ok());
        if let Some(byte) = code.filter(|_| *first == b'%') {
            bytes.push(byte);
            rest = &behind[2..];
        } else {
            bytes.push(*first);
            rest = behind;
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Whether a column takes whatever text there is.
fn is_text(reading: &ReadAs) -> bool {
    matches!(reading, ReadAs::Text | ReadAs::Cast(DataType::Utf8))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::catalog::files::Reading;
    use crate::ingest::json::JsonOptions;
    use crate::ingest::{TableOptions, describe_json};

    /// The rows of all pieces, of all columns or none.
    fn row_count(path: &str, whole: bool, reading: &Reading) -> Result<usize> {
        let (paths, context) = ([path.to_owned()], Context::new());
        let (json, table) = (JsonOptions::default(), TableOptions::default());
        let set = Arc::new(describe_json(&paths, &json, &table, reading, None)?);
        let columns: Vec<usize> = (0..if whole { set.columns.len() } else { 0 }).collect();
        let files = RowFiles::open(&set)?;
        let mut count = 0;
        for piece in 0..files.piece_count() {
            files.read(piece, &columns, &context, &mut |_, len| {
                count += len;
                Ok(ControlFlow::Continue(()))
            })?;
        }
        Ok(count)
    }

    #[test]
    fn an_array_that_was_cut_off_is_an_error_wherever_it_was_cut() -> Result<()> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.json");
        let rows: Vec<String> = (0..20).map(|n| format!("{{\"a\":{n},\"b\":[\"{n}\"]}}")).collect();
        for between in [",", ",\n", "\n , "] {
            let text = format!("[{} ]", rows.join(between));
            for len in 1..text.len() {
                fs::write(&path, &text[..len]).unwrap();
                for whole in [true, false] {
                    let error =
                        row_count(path.to_str().unwrap(), whole, &Reading::default()).unwrap_err();
                    assert!(error.message().contains("x.json, line "), "{len}: {error}");
                }
            }
            for blanks in [0, 1, 200] {
                fs::write(&path, format!("{text}{}", "\n".repeat(blanks))).unwrap();
                let count = row_count(path.to_str().unwrap(), blanks > 0, &Reading::default())?;
                assert_eq!(count, 20, "{between:?}");
            }
        }
        fs::write(&path, format!("[{},\n", rows.join(","))).unwrap();
        let error = row_count(path.to_str().unwrap(), false, &Reading::default()).unwrap_err();
        assert!(error.message().contains("line 2: the file ends inside the array"), "{error}");
        let zipped = folder.path().join("x.json.gz");
        let file = fs::File::create(&zipped).unwrap();
        let mut encoder = flate2::write::GzEncoder::new(file, flate2::Compression::fast());
        std::io::Write::write_all(&mut encoder, format!("[{},", rows.join(",")).as_bytes())
            .unwrap();
        encoder.finish().unwrap();
        let error = row_count(zipped.to_str().unwrap(), true, &Reading::default()).unwrap_err();
        assert!(error.message().contains("line 1: the file ends inside the array"), "{error}");
        // Lines need nothing behind the last of them.
        fs::write(&path, rows.join("\n")).unwrap();
        assert_eq!(row_count(path.to_str().unwrap(), true, &Reading::default())?, 20);
        Ok(())
    }

    #[test]
    fn a_record_beyond_the_longest_allowed_is_told_from_one_that_is_wrong() -> Result<()> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.json");
        let long = "x".repeat(3 << 20);
        let reading = Reading { record_bytes_max: 2 << 20, ..Reading::default() };
        let read = |text: String, reading: &Reading| {
            fs::write(&path, text).unwrap();
            row_count(path.to_str().unwrap(), true, reading)
        };
        for text in
            [format!("{{\"a\":\"{long}\"}}"), format!("[{{\"a\":\"\"}},\n{{\"a\":\"{long}\"}}]")]
        {
            let error = read(text.clone(), &reading).unwrap_err();
            assert!(error.message().contains("does not end within 2097152 bytes"), "{error}");
            assert!(error.hint().unwrap_or_default().contains("max_line_size"), "{error}");
            assert!(read(text, &Reading::default())? > 0);
        }
        let text = format!("[{{\"a\":1}},\n{{\"a\" 1}},{{\"a\":\"{long}\"}}]");
        let error = read(text, &reading).unwrap_err();
        assert!(error.message().contains("line 2: no ':' behind a key"), "{error}");
        Ok(())
    }
}
