//! That the content of an `OpenDocument` spreadsheet can be read in bounded memory, and to its end.
//!
//! Cells and rows say how often they are repeated, and the reader writes them out; where a table is not
//! closed, it waits for the end of it for ever. So the tags are gone through first, in a stricter XML:
//! UTF-8, no comments, nothing but tags and text. Must not know what cells hold.

use std::io::{BufRead, BufReader, Read};

use memchr::{memchr, memmem};

use super::workbook::{CELLS_MAX, too_many_cells};
use crate::types::{Error, Result};

/// Blanks that a text may write as a number.
const BLANKS_MAX: u64 = 1 << 24;
/// Rows and columns that are written out.
const ROWS_MAX: u64 = 1 << 20;
const COLUMNS_MAX: u64 = 1 << 14;

/// Looks at all tags.
///
/// # Errors
/// `Corrupt`; `Unsupported` for more cells than there is memory for.
pub(super) fn check(reader: impl Read) -> Result<()> {
    let mut reader = BufReader::with_capacity(1 << 16, reader);
    let mut content = Content::default();
    let mut bytes = Vec::new();
    while read_tag(&mut reader, &mut bytes)? {
        if let Some(at) = memchr(b'<', &bytes) {
            content.see(&bytes[at..])?;
        }
    }
    if content.open_tables + content.open_notes > 0 { Err(cut_off()) } else { Ok(()) }
}

/// Reads text and the tag behind it.
fn read_tag(reader: &mut impl BufRead, bytes: &mut Vec<u8>) -> Result<bool> {
    bytes.clear();
    loop {
        let read = reader.read_until(b'>', bytes);
        let read = read.map_err(|error| Error::corrupt(format!("it is damaged: {error}")))?;
        let Some(start) = memchr(b'<', bytes) else { return Ok(read > 0) };
        if read == 0 {
            return Err(cut_off());
        }
        // A `>` between quotes is part of the tag.
        let mut quote = None;
        for byte in &bytes[start..] {
            match (quote, byte) {
                (None, b'"' | b'\'') => quote = Some(*byte),
                (Some(open), byte) if open == *byte => quote = None,
                _ => {}
            }
        }
        if quote.is_none() && bytes.ends_with(b">") {
            return Ok(true);
        }
    }
}

fn cut_off() -> Error {
    Error::corrupt("the workbook's content is cut off")
}

fn odd(what: &str) -> Error {
    Error::corrupt(format!("the workbook's content has {what}"))
}

/// What was seen so far.
#[derive(Debug, Default)]
struct Content {
    open_tables: u64,
    open_notes: u64,
    /// Cells that the reader writes out.
    cells: u64,
    blanks: u64,
    table: Table,
}

/// The present table.
#[derive(Debug, Default)]
struct Table {
    rows: u64,
    /// Rows that are written out if another with values follows.
    empty_rows: u64,
    width: u64,
    row: Row,
}

/// The present row.
#[derive(Debug, Default)]
struct Row {
    repeated: u64,
    /// Cells written out.
    cells: u64,
    /// Those that are written out if another follows.
    empty_cells: u64,
    /// The end of the last cell with a value.
    width: u64,
}

impl Content {
    fn see(&mut self, tag: &[u8]) -> Result<()> {
        if memchr(b'<', &tag[1..]).is_some() {
            return Err(odd("a tag in a tag"));
        }
        if tag.starts_with(b"<!") {
            return Err(odd("comments"));
        }
        if tag.starts_with(b"<?") {
            return check_declaration(tag);
        }
        let name_len = tag.iter().position(|byte| b" \t\r\n/>".contains(byte) && *byte != tag[0]);
        let is_closed = tag.ends_with(b"/>");
        if let Some(name) = tag.strip_prefix(b"</") {
            if name.iter().any(|byte| matches!(byte, b'"' | b'\'')) {
                return Err(odd("quotes in a closing tag"));
            }
            return self.close(name.strip_suffix(b">").unwrap_or(name).trim_ascii_end());
        }
        match &tag[1..name_len.unwrap_or(tag.len())] {
            b"table:table" if !is_closed => {
                self.open_tables += 1;
                self.table = Table::default();
            }
            b"office:annotation" if !is_closed => self.open_notes += 1,
            b"table:table-row" => {
                let repeated = attribute(tag, b"table:number-rows-repeated")?.min(ROWS_MAX);
                self.table.row = Row { repeated, ..Row::default() };
                if is_closed {
                    self.end_row();
                }
            }
            b"table:table-cell" | b"table:covered-table-cell" => self.see_cell(tag, is_closed)?,
            b"text:s" => {
                self.blanks = self.blanks.saturating_add(attribute(tag, b"text:c")?);
                if self.blanks > BLANKS_MAX {
                    return Err(odd("too many blanks"));
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn close(&mut self, name: &[u8]) -> Result<()> {
        match name {
            b"table:table" => {
                self.open_tables = self.open_tables.checked_sub(1).ok_or_else(cut_off)?;
                let table = std::mem::take(&mut self.table);
                self.add(table.rows.saturating_mul(table.width))?;
            }
            b"office:annotation" => {
                self.open_notes = self.open_notes.checked_sub(1).ok_or_else(cut_off)?;
            }
            b"table:table-row" => self.end_row(),
            _ => {}
        }
        Ok(())
    }

    fn see_cell(&mut self, tag: &[u8], is_closed: bool) -> Result<()> {
        let repeated = attribute(tag, b"table:number-columns-repeated")?.min(COLUMNS_MAX);
        let has_value = !is_closed
            || memmem::find(tag, b"office:").is_some()
            || memmem::find(tag, b"table:formula").is_some();
        let row = &mut self.table.row;
        let before = row.cells;
        row.cells = (row.cells + row.empty_cells).min(COLUMNS_MAX);
        row.empty_cells = 0;
        if has_value {
            row.cells = (row.cells + repeated).min(COLUMNS_MAX);
            row.width = row.cells;
        } else {
            row.empty_cells = repeated;
        }
        let written = row.cells - before;
        self.add(written)
    }

    fn end_row(&mut self) {
        let table = &mut self.table;
        let row = std::mem::take(&mut table.row);
        if row.width == 0 {
            table.empty_rows = table.empty_rows.saturating_add(row.repeated);
        } else {
            let empty_rows = std::mem::take(&mut table.empty_rows);
            // Rows before the first with a value are not written out.
            let empty_rows = if table.rows > 0 { empty_rows } else { 0 };
            table.rows = table.rows.saturating_add(empty_rows).saturating_add(row.repeated);
            table.width = table.width.max(row.width);
        }
    }

    fn add(&mut self, cells: u64) -> Result<()> {
        self.cells = self.cells.saturating_add(cells);
        if self.cells > CELLS_MAX { Err(too_many_cells()) } else { Ok(()) }
    }
}

/// `<?xml version="1.0" encoding="UTF-8"?>`
fn check_declaration(tag: &[u8]) -> Result<()> {
    let text = String::from_utf8_lossy(tag).to_ascii_lowercase();
    let is_utf8 = !text.contains("encoding") || text.contains("utf-8");
    if !text.ends_with("?>") || !is_utf8 {
        return Err(odd("another encoding than UTF-8"));
    }
    Ok(())
}

/// The number that an attribute says; 1 where it is not there.
fn attribute(tag: &[u8], name: &[u8]) -> Result<u64> {
    let mut largest = None;
    for at in memmem::find_iter(tag, name) {
        let rest = tag[at + name.len()..].trim_ascii_start();
        let Some(rest) = rest.strip_prefix(b"=") else { continue };
        let rest = rest.trim_ascii_start();
        let value = match rest.split_first() {
            Some((quote @ (b'"' | b'\''), rest)) => {
                memchr(*quote, rest).and_then(|end| std::str::from_utf8(&rest[..end]).ok())
            }
            _ => None,
        };
        let number = value.and_then(|value| value.parse::<u64>().ok());
        let number = number.ok_or_else(|| odd("a count that is no number"))?;
        largest = largest.max(Some(number));
    }
    Ok(largest.unwrap_or(1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::ErrorKind;

    fn sheet(rows: &str) -> String {
        format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?><office:body><table:table table:name='a>b'>\
             {rows}</table:table></office:body>"
        )
    }

    #[test]
    fn sheets_of_bounded_size_pass() {
        let empty = "<table:table-row table:number-rows-repeated=\"1048576\">\
                     <table:table-cell table:number-columns-repeated=\"16384\"/></table:table-row>";
        let filled = "<table:table-row><table:table-cell office:value=\"1\"/>\
                      <table:table-cell table:number-columns-repeated=\"16383\"/></table:table-row>";
        for rows in
            [String::new(), empty.to_owned(), format!("{empty}{filled}{empty}"), filled.repeat(3)]
        {
            assert!(check(sheet(&rows).as_bytes()).is_ok(), "{rows}");
        }
    }

    #[test]
    fn sheets_that_grow_or_do_not_end_are_refused() {
        let repeated = |rows: u32, columns: u32| {
            format!(
                "<table:table-row table:number-rows-repeated=\"{rows}\"><table:table-cell \
                 table:number-columns-repeated='{columns}' office:value='1'/></table:table-row>"
            )
        };
        let kind = |text: &str| check(text.as_bytes()).unwrap_err().kind();
        assert_eq!(kind(&sheet(&repeated(1_000_000, 100))), ErrorKind::Unsupported);
        assert_eq!(kind(&sheet(&repeated(1, 16_384).repeat(3_000))), ErrorKind::Unsupported);
        let gap = format!(
            "{0}{1}{0}",
            repeated(1, 100),
            "<table:table-row \
            table:number-rows-repeated=\"1000000\"/>"
        );
        assert_eq!(kind(&sheet(&gap)), ErrorKind::Unsupported);
        let pushed = "<table:table-row><table:table-cell table:number-columns-repeated=\"16383\"/>\
                      <table:table-cell office:value='1'/></table:table-row>";
        assert_eq!(kind(&sheet(&pushed.repeat(3_000))), ErrorKind::Unsupported);
        for text in [
            "<table:table>",
            "<table:table><table:x a='</table:table>'/>",
            "<!-- <table:table> -->",
            "<table:table></table:table",
            "<office:annotation>",
            "<table:table-cell table:number-columns-repeated='&#49;'/>",
            "<text:s text:c='99999999999'/>",
            "<?xml encoding='utf-16'?>",
        ] {
            assert_eq!(kind(text), ErrorKind::Corrupt, "{text}");
        }
    }
}
