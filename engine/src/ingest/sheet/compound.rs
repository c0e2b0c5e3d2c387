//! That an old workbook (`.xls`) can be read in bounded memory.
//!
//! It is a compound file: sectors chained by a table, with streams in them ([MS-CFB]), and one of these
//! is the workbook, records one after the other ([MS-XLS]). The reader follows chains without end,
//! reserves what a record claims, and lays cells out in the rectangle around them. So chains are followed
//! and records looked at first, in the way the reader does. Must not know what cells hold.

use super::workbook::{CELLS_MAX, protected, too_many_cells};
use crate::types::{Error, Result};

const CHAIN_END: u32 = 0xffff_fffe;
/// Ids from here on are no sectors.
const RESERVED: u32 = 0xffff_fffa;
/// Ids from here on are not in the list of the table's sectors.
const UNUSED: u32 = 0xffff_fffc;
const MINI_SECTOR_BYTES: usize = 64;
/// Streams that are shorter lie in mini sectors.
const MINI_STREAM_BYTES: usize = 4_096;
const SHEETS_MAX: usize = 4_096;
/// Cells of a whole sheet.
const SHEET_CELLS: u64 = 1 << 24;

/// Looks at the chains and at the cells of all sheets.
///
/// # Errors
/// `Corrupt`; `Unsupported` for an encrypted workbook, or more cells than there is memory for.
pub(super) fn check(bytes: &[u8]) -> Result<()> {
    let file = Compound::open(bytes)?;
    if file.entry("EncryptedPackage").is_some() {
        return Err(protected());
    }
    let entry = file.entry("Workbook").or_else(|| file.entry("Book"));
    let entry = entry.ok_or_else(|| Error::corrupt("it is no workbook"))?;
    check_workbook(&file.stream(entry)?)
}

fn damaged(what: &str) -> Error {
    Error::corrupt(format!("the workbook is damaged: {what}"))
}

/// Sectors, their table and the folder of streams.
struct Compound<'a> {
    bytes: &'a [u8],
    sector_bytes: usize,
    table: Vec<u32>,
    mini_stream: Vec<u8>,
    mini_table: Vec<u32>,
    entries: Vec<Entry>,
}

/// A stream.
struct Entry {
    name: String,
    start: u32,
    len: usize,
}

impl<'a> Compound<'a> {
    fn open(bytes: &'a [u8]) -> Result<Compound<'a>> {
        let sector_bytes = match u16_at(bytes, 30)? {
            9 => 512,
            12 => 4_096,
            _ => return Err(damaged("its sectors are of no known length")),
        };
        let mut file = Compound {
            bytes,
            sector_bytes,
            table: Vec::new(),
            mini_stream: Vec::new(),
            mini_table: Vec::new(),
            entries: Vec::new(),
        };
        for id in file.table_sectors()? {
            file.table.extend(u32s(file.sector(id)?));
        }
        let folder = file.chain(u32_at(bytes, 48)?, usize::MAX)?;
        file.entries =
            folder.chunks_exact(128).map(|entry| file.parse(entry)).collect::<Result<_>>()?;
        if u32_at(bytes, 64)? > 0 {
            let root = file.entries.first().ok_or_else(|| damaged("it has no streams"))?;
            let (start, len) = (root.start, root.len);
            file.mini_stream = file.chain(start, len)?;
            let table = file.chain(u32_at(bytes, 60)?, usize::MAX)?;
            file.mini_table = u32s(&table).collect();
        }
        Ok(file)
    }

    /// The sectors of the table: 109 in the header, the others in a chain of their own.
    fn table_sectors(&self) -> Result<Vec<u32>> {
        let header = self.bytes.get(76..512).ok_or_else(|| damaged("it is cut off"))?;
        let mut ids: Vec<u32> = u32s(header).collect();
        let mut next = u32_at(self.bytes, 68)?;
        for _ in 0..=self.bytes.len() / self.sector_bytes {
            if next >= RESERVED {
                ids.retain(|id| *id < UNUSED);
                return Ok(ids);
            }
            ids.extend(u32s(self.sector(next)?));
            next = ids.pop().unwrap_or(CHAIN_END);
        }
        Err(damaged("its sectors go round in a circle"))
    }

    fn parse(&self, entry: &[u8]) -> Result<Entry> {
        let name = entry[..64].chunks_exact(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]]));
        let name = char::decode_utf16(name.take_while(|unit| *unit != 0));
        let name = name.map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER)).collect();
        let low = u64::from(u32_at(entry, 120)?);
        let high = if self.sector_bytes == 512 { 0 } else { u64::from(u32_at(entry, 124)?) };
        let len = usize::try_from(low | high << 32).unwrap_or(usize::MAX);
        Ok(Entry { name, start: u32_at(entry, 116)?, len })
    }

    fn entry(&self, name: &str) -> Option<&Entry> {
        self.entries.iter().find(|entry| entry.name.eq_ignore_ascii_case(name))
    }

    fn stream(&self, entry: &Entry) -> Result<Vec<u8>> {
        if entry.len >= MINI_STREAM_BYTES {
            return self.chain(entry.start, entry.len);
        }
        let sector = |id: u32| {
            let start = index(id) * MINI_SECTOR_BYTES;
            let bytes = self.mini_stream.get(start..(start + MINI_SECTOR_BYTES));
            bytes.ok_or_else(|| damaged("a sector lies beyond its end"))
        };
        follow(entry.start, entry.len, &self.mini_table, sector)
    }

    /// The bytes of the sectors from `start` on, at most `len`.
    fn chain(&self, start: u32, len: usize) -> Result<Vec<u8>> {
        follow(start, len, &self.table, |id| self.sector(id))
    }

    /// A sector; the last one may be cut off.
    fn sector(&self, id: u32) -> Result<&'a [u8]> {
        let start = (index(id) + 1).saturating_mul(self.sector_bytes);
        let end = start.saturating_add(self.sector_bytes).min(self.bytes.len());
        self.bytes.get(start..end).ok_or_else(|| damaged("a sector lies beyond its end"))
    }
}

fn follow<'b>(
    start: u32,
    len: usize,
    table: &[u32],
    sector: impl Fn(u32) -> Result<&'b [u8]>,
) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let mut id = start;
    for _ in 0..=table.len() {
        if id == CHAIN_END {
            return Ok(bytes);
        }
        let sector = sector(id)?;
        bytes.extend_from_slice(&sector[..sector.len().min(len - bytes.len())]);
        if bytes.len() >= len {
            return Ok(bytes);
        }
        let next = table.get(index(id));
        id = *next.ok_or_else(|| damaged("a sector lies beyond its end"))?;
    }
    Err(damaged("its sectors go round in a circle"))
}

/// Looks at the records of the workbook and of each sheet.
fn check_workbook(stream: &[u8]) -> Result<()> {
    let mut starts = Vec::new();
    let mut records = Records { rest: stream };
    while let Some((kind, data)) = records.next()? {
        match kind {
            0x0085 => starts.push(index(u32_at(data, 0)?)),
            0x000a => break,
            _ => {}
        }
    }
    if starts.len() > SHEETS_MAX {
        return Err(damaged("it has too many sheets"));
    }
    let (mut cells, mut record_bytes) = (0_u64, 0_usize);
    for start in starts {
        let sheet = stream.get(start..).ok_or_else(|| damaged("a sheet lies beyond its end"))?;
        let (span, len) = sheet_span(sheet)?;
        cells = cells.saturating_add(span);
        // Sheets that share their records would be read as often as they are named.
        record_bytes = record_bytes.saturating_add(len);
        if cells > CELLS_MAX || record_bytes / 4 > stream.len() {
            return Err(too_many_cells());
        }
    }
    Ok(())
}

/// The cells in the rectangles around a sheet's values and formulas, and the length of its records.
fn sheet_span(sheet: &[u8]) -> Result<(u64, usize)> {
    let mut records = Records { rest: sheet };
    let (mut values, mut formulas) = (Span::default(), Span::default());
    let (mut has_begun, mut depth) = (false, 0_u32);
    while let Some((kind, data)) = records.next()? {
        match (kind, depth) {
            (0x0809, 0) if !has_begun => has_begun = true,
            (0x0809, _) => depth += 1,
            (0x000a, 0) => break,
            (0x000a, _) => depth -= 1,
            (_, 1..) => {}
            (0x0200, _) => check_dimensions(data)?,
            (0x0203 | 0x0204 | 0x00d6 | 0x0205 | 0x027e | 0x00fd, _) => values.add(data, 2)?,
            (0x00bd, _) => {
                values.add(data, 2)?;
                values.add(data, data.len().saturating_sub(2))?;
            }
            (0x0006, _) => {
                values.add(data, 2)?;
                formulas.add(data, 2)?;
            }
            // The text of the formula before it, or of the first cell where there is none.
            (0x0207, _) if formulas.rows.is_none() => values.add(&[0; 4], 2)?,
            _ => {}
        }
    }
    Ok((values.cells() + formulas.cells(), sheet.len() - records.rest.len()))
}

/// Memory is reserved for what they say.
fn check_dimensions(data: &[u8]) -> Result<()> {
    let (first_row, end_row, columns) = if data.len() >= 14 {
        (u32_at(data, 0)?, u32_at(data, 4)?, (u16_at(data, 8)?, u16_at(data, 10)?))
    } else {
        (u16_at(data, 0)?.into(), u16_at(data, 2)?.into(), (u16_at(data, 4)?, u16_at(data, 6)?))
    };
    let rows = u64::from(end_row).checked_sub(u64::from(first_row)).unwrap_or(u64::MAX);
    // The reader takes columns that are in no order for all up to the last.
    let width = u64::from(columns.1.saturating_sub(if columns.0 > 255 { 0 } else { columns.0 }));
    let width = width.max(u64::from(columns.1) * u64::from(columns.1 < columns.0)).max(1);
    if end_row > 0 && rows.saturating_mul(width) > SHEET_CELLS {
        return Err(damaged("a sheet is larger than sheets can be"));
    }
    Ok(())
}

/// The rectangle around some cells.
#[derive(Debug, Default)]
struct Span {
    rows: Option<(u64, u64)>,
    columns: Option<(u64, u64)>,
}

impl Span {
    /// Adds the cell in the row at the beginning of `data` and the column at `column_at`.
    fn add(&mut self, data: &[u8], column_at: usize) -> Result<()> {
        let around = |range: Option<(u64, u64)>, value: u16| {
            let value = u64::from(value);
            let (first, last) = range.unwrap_or((value, value));
            Some((first.min(value), last.max(value)))
        };
        self.rows = around(self.rows, u16_at(data, 0)?);
        self.columns = around(self.columns, u16_at(data, column_at)?);
        Ok(())
    }

    fn cells(&self) -> u64 {
        let len = |range: Option<(u64, u64)>| range.map_or(0, |(first, last)| last - first + 1);
        len(self.rows) * len(self.columns)
    }
}

/// Records, each of a kind.
struct Records<'a> {
    rest: &'a [u8],
}

impl<'a> Records<'a> {
    fn next(&mut self) -> Result<Option<(u16, &'a [u8])>> {
        if self.rest.is_empty() {
            return Ok(None);
        }
        let (kind, len) = (u16_at(self.rest, 0)?, usize::from(u16_at(self.rest, 2)?));
        let data = self.rest.get(4..4 + len).ok_or_else(|| damaged("a record is cut off"))?;
        self.rest = &self.rest[4 + len..];
        Ok(Some((kind, data)))
    }
}

fn u16_at(bytes: &[u8], at: usize) -> Result<u16> {
    let found = bytes.get(at..).and_then(|rest| rest.first_chunk());
    found.map(|pair| u16::from_le_bytes(*pair)).ok_or_else(|| damaged("it is cut off"))
}

fn u32_at(bytes: &[u8], at: usize) -> Result<u32> {
    let found = bytes.get(at..).and_then(|rest| rest.first_chunk());
    found.map(|four| u32::from_le_bytes(*four)).ok_or_else(|| damaged("it is cut off"))
}

fn u32s(bytes: &[u8]) -> impl Iterator<Item = u32> {
    bytes.as_chunks::<4>().0.iter().map(|four| u32::from_le_bytes(*four))
}

fn index(id: u32) -> usize {
    usize::try_from(id).expect("a usize has at least 32 bits")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(kind: u16, data: &[u8]) -> Vec<u8> {
        let len = u16::try_from(data.len()).unwrap();
        [&kind.to_le_bytes(), &len.to_le_bytes(), data].concat()
    }

    /// A number, of which the place matters.
    fn cell(row: u16, column: u16) -> Vec<u8> {
        record(0x0203, &[&row.to_le_bytes()[..], &column.to_le_bytes(), &[0; 10]].concat())
    }

    /// A workbook of `count` sheets that are all the same one.
    fn workbook(sheet: &[Vec<u8>], count: usize) -> Vec<u8> {
        let globals_len = u32::try_from(count * 12 + 4).unwrap();
        let named = record(0x0085, &[&globals_len.to_le_bytes()[..], &[0; 4]].concat());
        let end = record(0x000a, &[]);
        [named.repeat(count), end.clone(), record(0x0809, &[]), sheet.concat(), end].concat()
    }

    #[test]
    fn cells_far_from_each_other_are_refused() {
        let small = [cell(0, 0), cell(9, 9)];
        assert_eq!(sheet_span(&workbook(&small, 0)[4..]).unwrap().0, 100);
        assert!(check_workbook(&workbook(&small, 1)).is_ok());
        assert!(check_workbook(&workbook(&[cell(0, 0), cell(65_535, 255)], 1)).is_ok());
        assert!(check_workbook(&workbook(&[cell(0, 0), cell(65_535, 65_535)], 1)).is_err());
        assert!(check_workbook(&workbook(&[cell(0, 0), cell(65_535, 255)], 3)).is_err());
        let many: Vec<Vec<u8>> = (0..1_000).map(|row| cell(row, 0)).collect();
        assert!(check_workbook(&workbook(&many, 50)).is_err());
    }

    #[test]
    fn what_a_sheet_claims_to_be_is_bounded() {
        let dimensions = |rows: (u32, u32), columns: (u16, u16)| {
            let rows = [rows.0.to_le_bytes(), rows.1.to_le_bytes()].concat();
            let columns = [columns.0.to_le_bytes(), columns.1.to_le_bytes(), [0; 2]].concat();
            check_dimensions(&[rows, columns].concat()).is_ok()
        };
        assert!(dimensions((0, 65_536), (0, 256)));
        assert!(dimensions((0, 0), (0, 0)));
        assert!(!dimensions((5, 4), (0, 1)));
        assert!(!dimensions((0, 1 << 30), (0, 256)));
        assert!(!dimensions((0, 65_536), (300, 600)));
    }

    #[test]
    fn chains_end() {
        let sector = |_| Ok(&[0_u8; 4][..]);
        assert_eq!(follow(0, 6, &[1, CHAIN_END], sector).unwrap().len(), 6);
        assert!(follow(0, usize::MAX, &[1, 0], sector).is_err());
        assert!(follow(0, usize::MAX, &[7], sector).is_err());
        assert!(check(&[0; 600]).is_err());
    }
}
