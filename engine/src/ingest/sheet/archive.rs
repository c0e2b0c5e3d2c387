//! The zip archive that a workbook is: of what kind, and that its parts can be read in bounded memory.
//!
//! The sizes in the directory of the archive are believed, since whoever decompresses a part stops at
//! its size. Must not know what sheets hold.

use std::io::{Read, Seek};

use zip::ZipArchive;
use zip::result::ZipError;

use super::workbook::{SHEET_BYTES_MAX, protected, too_long};
use crate::types::{Error, Result};

/// Bytes of a part that is neither a sheet nor the texts of one.
const PART_BYTES_MAX: u64 = 32 << 20;
/// Bytes in which the first element of a part of XML begins and ends.
const HEAD_BYTES: u64 = 1 << 12;

/// What kind of workbook an archive is.
pub(super) enum Archive {
    /// Of XML.
    Xlsx,
    /// Of binary parts.
    Xlsb,
    /// An `OpenDocument` spreadsheet, with its content.
    OpenDocument(Box<dyn Read>),
}

/// Looks at all parts.
///
/// # Errors
/// `Corrupt`; `Unsupported` for a part that is too long or encrypted.
pub(super) fn check<R: Read + Seek + 'static>(reader: R) -> Result<Archive> {
    let mut archive = ZipArchive::new(reader).map_err(damaged)?;
    let mut is_binary = false;
    let mut content = None;
    let mut texts = Vec::new();
    for index in 0..archive.len() {
        let part = archive.by_index_raw(index).map_err(damaged)?;
        let name = String::from_utf8_lossy(part.name_raw());
        let is_content = name == "content.xml";
        let name = name.to_ascii_lowercase();
        if part.encrypted() {
            return Err(protected());
        }
        if part.size() > part_bytes_max(&name) {
            return Err(too_long(&format!("its part {name}"), part.size()));
        }
        is_binary |= name.ends_with("workbook.bin");
        if is_content {
            content = Some(index);
        }
        if name.ends_with("sharedstrings.xml") {
            texts.push((index, part.size()));
        }
    }
    for (index, len) in texts {
        let part = archive.by_index(index).map_err(damaged)?;
        check_texts(part, len)?;
    }
    Ok(match content {
        Some(index) if !is_binary => {
            let mut text = Vec::new();
            let mut part = archive.by_index(index).map_err(damaged)?;
            part.read_to_end(&mut text).map_err(|error| damaged(ZipError::Io(error)))?;
            Archive::OpenDocument(Box::new(std::io::Cursor::new(text)))
        }
        _ if is_binary => Archive::Xlsb,
        _ => Archive::Xlsx,
    })
}

/// Pictures and the like are not read.
fn part_bytes_max(name: &str) -> u64 {
    let is_long = name == "content.xml"
        || name.ends_with("sharedstrings.xml")
        || name.ends_with("sharedstrings.bin")
        || name.contains("sheets/");
    let is_read = [".xml", ".bin", ".rels"].iter().any(|ending| name.ends_with(ending));
    match (is_read, is_long) {
        (true, true) => SHEET_BYTES_MAX,
        (true, false) if is_structure(name) => PART_BYTES_MAX,
        _ => u64::MAX,
    }
}

/// Whether a part tells where others are, or how they look.
fn is_structure(name: &str) -> bool {
    let file = name.rsplit('/').next().unwrap_or(name);
    let (stem, ending) = file.rsplit_once('.').unwrap_or((file, ""));
    ending == "rels" || matches!(stem, "workbook" | "styles" | "manifest" | "[content_types]")
}

/// That there are no more texts promised than there are bytes: memory is taken for the promise.
fn check_texts(part: impl Read, len: u64) -> Result<()> {
    let mut head = Vec::new();
    let read = part.take(HEAD_BYTES).read_to_end(&mut head);
    read.map_err(|error| damaged(ZipError::Io(error)))?;
    let head = String::from_utf8_lossy(&head);
    let odd = || Error::corrupt("the workbook's part of texts does not begin like one");
    let mut rest = head.trim_start_matches('\u{feff}').trim_start();
    if let Some(declaration) = rest.strip_prefix("<?") {
        rest = declaration.split_once("?>").ok_or_else(odd)?.1.trim_start();
    }
    let (tag, _) = rest.strip_prefix('<').and_then(|rest| rest.split_once('>')).ok_or_else(odd)?;
    let name = tag.split([' ', '\t', '\r', '\n', '/']).next().unwrap_or(tag);
    if name.rsplit(':').next() != Some("sst") {
        return Err(odd());
    }
    for (at, word) in tag.match_indices("uniqueCount") {
        let value = tag[at + word.len()..].trim_start();
        let Some(value) = value.strip_prefix('=') else { continue };
        let value = value.trim_start().trim_start_matches(['"', '\'']);
        let digits = value.find(|c: char| !c.is_ascii_digit()).unwrap_or(value.len());
        let count = value[..digits].parse::<u64>();
        if digits > 0 && count.ok().is_none_or(|count| count > len) {
            return Err(Error::corrupt("the workbook promises more texts than it has bytes"));
        }
    }
    Ok(())
}

fn damaged(error: ZipError) -> Error {
    match error {
        ZipError::Io(error) if error.kind() != std::io::ErrorKind::UnexpectedEof => {
            Error::corrupt(format!("the workbook is damaged: {error}"))
        }
        error => Error::corrupt(format!("the workbook is damaged or cut off: {error}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_no_more_than_promised() {
        let check = |text: &str| check_texts(text.as_bytes(), 100);
        for text in [
            "<sst uniqueCount=\"3\"><si/></sst>",
            "\u{feff}<?xml version=\"1.0\"?>\r\n<x:sst\n count=\"900\" uniqueCount='100'/>",
            "<sst>",
        ] {
            assert!(check(text).is_ok(), "{text}");
        }
        for text in [
            "<sst uniqueCount=\"101\">",
            "<sst uniqueCount = \"99999999999999999999999\">",
            "<!-- <sst> --><sst uniqueCount=\"101\">",
            "<si/>",
            "",
        ] {
            assert!(check(text).is_err(), "{text}");
        }
    }

    #[test]
    fn only_sheets_may_be_long() {
        assert_eq!(part_bytes_max("xl/worksheets/sheet1.xml"), SHEET_BYTES_MAX);
        assert_eq!(part_bytes_max("xl/styles.xml"), PART_BYTES_MAX);
        assert_eq!(part_bytes_max("xl/media/image1.png"), u64::MAX);
    }
}
