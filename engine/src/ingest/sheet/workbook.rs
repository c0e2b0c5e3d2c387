//! A workbook's sheets and their cells, in whatever of the formats it is.
//!
//! The format is what the first bytes say, whatever the file is called. The reader (`calamine`) trusts
//! sizes that a file claims, so each format is looked at first: what passes takes memory in proportion to
//! the limits here, and what the reader makes of a damaged file, panics included, is an error. Must not
//! know tables.

use std::fs::File;
use std::io::{BufReader, Read};
use std::ops::ControlFlow;

use calamine::{
    CellErrorType, Data, DataRef, ExcelDateTime, ExcelDateTimeType, Ods, Reader, SheetType, Xls,
    Xlsb, Xlsx,
};

use super::archive::{self, Archive};
use super::cell::{CellError, SheetCell};
use super::range::{COLUMNS_MAX, ROWS_MAX};
use super::{compound, open_document};
use crate::ingest::guard::guarded;
use crate::types::{Error, Result};

/// Bytes of a sheet or of the texts of a workbook, decompressed.
pub(super) const SHEET_BYTES_MAX: u64 = 512 << 20;
/// Cells that the reader may keep for the formats that it reads as a whole: 32 bytes each.
pub(super) const CELLS_MAX: u64 = 1 << 25;
/// Bytes of a cell's text; Excel allows 32,767 characters.
const TEXT_BYTES_MAX: usize = 1 << 20;
/// How a compound file begins: an old workbook, or an encrypted one.
const COMPOUND_MAGIC: &[u8] = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1";

/// An open workbook.
pub(super) struct Workbook {
    path: String,
    book: Book,
    /// Its worksheets, in order.
    names: Vec<String>,
}

enum Book {
    Xlsx(Box<Xlsx<BufReader<File>>>),
    Xlsb(Box<Xlsb<BufReader<File>>>),
    Xls(Box<Xls<BufReader<File>>>),
    OpenDocument(Box<Ods<BufReader<File>>>),
}

/// What takes a cell that is not empty, at its row and column counted from 0; breaking ends the sheet.
pub(super) type CellSink<'a> =
    dyn FnMut(u32, u32, &SheetCell<&str>) -> Result<ControlFlow<()>> + 'a;

impl Workbook {
    /// Opens a workbook.
    ///
    /// # Errors
    /// `Io`, `Corrupt`; `Unsupported` when it is too long or protected by a password.
    pub(super) fn open(path: &str) -> Result<Workbook> {
        let book = guarded(|| open(path)).map_err(|error| in_file(error, path))?;
        let sheets = match &book {
            Book::Xlsx(book) => book.sheets_metadata(),
            Book::Xlsb(book) => book.sheets_metadata(),
            Book::Xls(book) => book.sheets_metadata(),
            Book::OpenDocument(book) => book.sheets_metadata(),
        };
        let worksheets = sheets.iter().filter(|sheet| sheet.typ == SheetType::WorkSheet);
        let names = worksheets.map(|sheet| sheet.name.clone()).collect();
        Ok(Workbook { path: path.to_owned(), book, names })
    }

    /// The names of its worksheets, in order.
    pub(super) fn names(&self) -> &[String] {
        &self.names
    }

    /// The name of the sheet that goes by `name`, in capitals or not, or of the first one.
    ///
    /// # Errors
    /// `UnknownName`; `Corrupt` when there is none at all.
    pub(super) fn sheet(&self, name: Option<&str>) -> Result<String> {
        let path = &self.path;
        let Some(name) = name else {
            let first = self.names.first().cloned();
            return first.ok_or_else(|| Error::corrupt(format!("{path} has no worksheet")));
        };
        let same = |other: &&String| other.to_lowercase() == name.to_lowercase();
        let found = self.names.iter().find(|other| *other == name);
        found.or_else(|| self.names.iter().find(same)).cloned().ok_or_else(|| {
            let names: Vec<String> = self.names.iter().map(|name| format!("\"{name}\"")).collect();
            Error::unknown_name(format!("{path} has no sheet \"{name}\""))
                .with_hint(format!("there are {}", names.join(", ")))
        })
    }

    /// Gives the cells of a sheet to `sink`, mostly in the order of rows.
    ///
    /// # Errors
    /// `Io`, `Corrupt`; `Unsupported` for texts that are too long; as `sink`.
    pub(super) fn cells(&mut self, sheet: &str, sink: &mut CellSink<'_>) -> Result<()> {
        let book = &mut self.book;
        let mut sink = Checked { sink };
        let mut outcome = Ok(());
        // What `sink` says goes out as it is, and not as an error of the file.
        let read = guarded(|| {
            outcome = match book {
                Book::Xlsx(book) => {
                    let mut reader = book.worksheet_cells_reader(sheet).map_err(of_xlsx)?;
                    sink.take_all(|| reader.next_cell().map_err(of_xlsx))
                }
                Book::Xlsb(book) => {
                    let mut reader = book.worksheet_cells_reader(sheet).map_err(of_xlsb)?;
                    sink.take_all(|| reader.next_cell().map_err(of_xlsb))
                }
                Book::Xls(book) => {
                    let range = book.worksheet_range(sheet).map_err(of_xls)?;
                    sink.take_range(&range, Data::cell)
                }
                Book::OpenDocument(book) => {
                    let range = book.worksheet_range(sheet).map_err(of_ods)?;
                    sink.take_range(&range, open_document_cell)
                }
            };
            Ok(())
        });
        read.map_err(|error| in_file(error, &self.path))?;
        outcome.map_err(|stop| match stop {
            Stop::Reader(error) => in_file(error, &self.path),
            Stop::Sink(error) => error,
        })
    }
}

fn in_file(error: Error, path: &str) -> Error {
    error.context(path)
}

fn open(path: &str) -> Result<Book> {
    let io =
        |action: &'static str| move |error: std::io::Error| Error::from_io(action, path, &error);
    let mut file = File::open(path).map_err(io("open"))?;
    let mut head = Vec::new();
    file.by_ref().take(8).read_to_end(&mut head).map_err(io("read"))?;
    let reader = || File::open(path).map(BufReader::new).map_err(io("open"));
    if head.starts_with(b"PK\x03\x04") {
        return match archive::check(reader()?)? {
            Archive::Xlsx => Ok(Book::Xlsx(Box::new(Xlsx::new(reader()?).map_err(of_xlsx)?))),
            Archive::Xlsb => Ok(Book::Xlsb(Box::new(Xlsb::new(reader()?).map_err(of_xlsb)?))),
            Archive::OpenDocument(content) => {
                open_document::check(content)?;
                Ok(Book::OpenDocument(Box::new(Ods::new(reader()?).map_err(of_ods)?)))
            }
        };
    }
    if head != COMPOUND_MAGIC {
        let error = Error::corrupt("it is no workbook");
        let is_text = head.iter().all(|byte| *byte >= b' ' || byte.is_ascii_whitespace());
        let hint = "it may be text: read_csv('…') reads it";
        return Err(if is_text { error.with_hint(hint) } else { error });
    }
    let len = file.metadata().map_err(io("read"))?.len();
    if len > SHEET_BYTES_MAX {
        return Err(too_long("the workbook", len));
    }
    let mut bytes = head;
    file.read_to_end(&mut bytes).map_err(io("read"))?;
    compound::check(&bytes)?;
    drop(bytes);
    Ok(Book::Xls(Box::new(Xls::new(reader()?).map_err(of_xls)?)))
}

/// What is `len` bytes long.
pub(super) fn too_long(what: &str, len: u64) -> Error {
    Error::unsupported(format!(
        "{what} has {} MiB, and no more than {} are read",
        len.div_ceil(1 << 20),
        SHEET_BYTES_MAX >> 20
    ))
    .with_hint("save the sheet as CSV")
}

/// What would take this many cells in memory.
pub(super) fn too_many_cells() -> Error {
    Error::unsupported(format!(
        "its sheets span more than {} million cells, most of them empty or the same",
        CELLS_MAX >> 20
    ))
    .with_hint("save the sheet as .xlsx or CSV")
}

/// What needs a password.
pub(super) fn protected() -> Error {
    Error::unsupported("it is protected by a password")
        .with_hint("save it without a password, or the sheet as CSV")
}

fn damaged(error: &dyn std::fmt::Display) -> Error {
    Error::corrupt(format!("the workbook is damaged: {error}"))
}

fn of_xlsx(error: calamine::XlsxError) -> Error {
    match error {
        calamine::XlsxError::Password => protected(),
        error => damaged(&error),
    }
}

fn of_xlsb(error: calamine::XlsbError) -> Error {
    match error {
        calamine::XlsbError::Password => protected(),
        error => damaged(&error),
    }
}

fn of_xls(error: calamine::XlsError) -> Error {
    match error {
        calamine::XlsError::Password => protected(),
        error => damaged(&error),
    }
}

fn of_ods(error: calamine::OdsError) -> Error {
    match error {
        calamine::OdsError::Password => protected(),
        error => damaged(&error),
    }
}

/// Who ended the reading of a sheet.
enum Stop {
    Reader(Error),
    Sink(Error),
}

/// A sink of cells that are where cells can be, and no longer than cells are.
struct Checked<'a, 'b> {
    sink: &'a mut CellSink<'b>,
}

impl Checked<'_, '_> {
    fn take_all<V: AsCell + calamine::CellType>(
        &mut self,
        mut next: impl FnMut() -> Result<Option<calamine::Cell<V>>>,
    ) -> Result<(), Stop> {
        while let Some(found) = next().map_err(Stop::Reader)? {
            if let Some(cell) = found.get_value().cell()
                && self.take(found.get_position(), &cell)?.is_break()
            {
                break;
            }
        }
        Ok(())
    }

    fn take_range(
        &mut self,
        range: &calamine::Range<Data>,
        cell: fn(&Data) -> Option<SheetCell<&str>>,
    ) -> Result<(), Stop> {
        let start = range.start().unwrap_or((0, 0));
        for (row, column, value) in range.used_cells() {
            let Some(cell) = cell(value) else { continue };
            let position = |first: u32, offset: usize| {
                u32::try_from(offset).ok().and_then(|offset| first.checked_add(offset))
            };
            let place = position(start.0, row).zip(position(start.1, column));
            if self.take(place.unwrap_or((u32::MAX, 0)), &cell)?.is_break() {
                break;
            }
        }
        Ok(())
    }

    fn take(
        &mut self,
        (row, column): (u32, u32),
        cell: &SheetCell<&str>,
    ) -> Result<ControlFlow<()>, Stop> {
        if row >= ROWS_MAX || column >= COLUMNS_MAX {
            let message = format!("a cell in row {row} and column {column}, counted from 0");
            return Err(Stop::Reader(damaged(&message)));
        }
        if let SheetCell::Text(text) = cell
            && text.len() > TEXT_BYTES_MAX
        {
            let message = format!("a cell has a text of {} bytes", text.len());
            return Err(Stop::Reader(Error::unsupported(message)));
        }
        (self.sink)(row, column, cell).map_err(Stop::Sink)
    }
}

/// A value of the reader.
trait AsCell {
    /// The cell; none where it is empty, as is one that shows nothing.
    fn cell(&self) -> Option<SheetCell<&str>>;
}

impl AsCell for Data {
    fn cell(&self) -> Option<SheetCell<&str>> {
        match self {
            Data::Empty => None,
            Data::Int(number) => Some(integer(*number)),
            Data::Float(number) => Some(SheetCell::Number(*number)),
            Data::Bool(flag) => Some(SheetCell::Bool(*flag)),
            Data::String(text) => shown(text),
            Data::DateTime(moment) => Some(date(moment)),
            Data::DateTimeIso(text) => Some(SheetCell::of_iso_date(text)),
            Data::DurationIso(text) => Some(SheetCell::of_iso_duration(text)),
            Data::Error(error) => Some(SheetCell::Error(of_error(error))),
        }
    }
}

impl AsCell for DataRef<'_> {
    fn cell(&self) -> Option<SheetCell<&str>> {
        match self {
            DataRef::Empty => None,
            DataRef::Int(number) => Some(integer(*number)),
            DataRef::Float(number) => Some(SheetCell::Number(*number)),
            DataRef::Bool(flag) => Some(SheetCell::Bool(*flag)),
            DataRef::String(text) => shown(text),
            DataRef::SharedString(text) => shown(text),
            DataRef::DateTime(moment) => Some(date(moment)),
            DataRef::DateTimeIso(text) => Some(SheetCell::of_iso_date(text)),
            DataRef::DurationIso(text) => Some(SheetCell::of_iso_duration(text)),
            DataRef::Error(error) => Some(SheetCell::Error(of_error(error))),
        }
    }
}

/// The reader takes errors in `OpenDocument` for the texts that they show.
fn open_document_cell(data: &Data) -> Option<SheetCell<&str>> {
    let cell = data.cell()?;
    let SheetCell::Text(text) = cell else { return Some(cell) };
    let error = match text.strip_prefix("Err:") {
        Some(code) if code.len() == 3 && code.bytes().all(|byte| byte.is_ascii_digit()) => {
            Some(CellError::OTHER)
        }
        _ => CellError::written(text),
    };
    Some(error.map_or(cell, SheetCell::Error))
}

fn shown(text: &str) -> Option<SheetCell<&str>> {
    (!text.is_empty()).then_some(SheetCell::Text(text))
}

/// Integers of the reader have 30 bits.
#[expect(clippy::cast_precision_loss, reason = "30 bits are exact")]
fn integer<'a>(number: i64) -> SheetCell<&'a str> {
    SheetCell::Number(number as f64)
}

fn date<'a>(moment: &ExcelDateTime) -> SheetCell<&'a str> {
    if moment.is_duration() {
        return SheetCell::of_days(moment.as_f64());
    }
    // The reader tells the calendar in this way only.
    let of_1904 = ExcelDateTime::new(moment.as_f64(), ExcelDateTimeType::DateTime, true);
    SheetCell::of_serial(moment.as_f64(), *moment == of_1904)
}

fn of_error(error: &CellErrorType) -> CellError {
    CellError::written(&error.to_string()).unwrap_or(CellError::OTHER)
}
