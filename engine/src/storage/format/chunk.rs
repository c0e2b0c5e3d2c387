//! The head of a column chunk: its zone map, and where its pages are.

use super::cursor::record;
use super::{Cursor, Wire};
use crate::encoding::{EncodedPage, Encoding, ZoneMap};
use crate::types::{Error, Result};

record! {
    /// The start of a column chunk.
    pub struct ChunkHeadRecord, "Chunk head", 32 {
        /// Rows.
        row_count: u32 = "row count",
        /// Values; differs from the rows only in nested columns, which do not exist yet.
        value_count: u32 = "value count",
        /// Pages.
        page_count: u32 = "page count",
        /// Distinct local codes, 0xFFFFFFFF when the pages hold values.
        code_count: u32 = "code count",
        /// Bytes of the chunk's zone map, which follows.
        zone_len: u32 = "zone map length",
        /// Bytes of the pages' zone maps, which follow the page records.
        page_zones_len: u32 = "page zone maps length",
        /// Zero.
        reserved: u64 = "reserved",
    }
}

/// The code count of a chunk whose pages hold values.
const NO_CODES: u32 = u32::MAX;

record! {
    /// One page of a chunk.
    pub struct PageRecord, "Page", 40 {
        /// First byte, counted from the start of the chunk.
        offset: u64 = "offset",
        /// Of the page, at its place in the file.
        checksum: u64 = "checksum",
        /// Bytes.
        len: u32 = "length",
        /// Rows.
        row_count: u32 = "row count",
        /// End of its zone map among the pages' zone maps.
        zone_end: u32 = "zone map end",
        /// How it is encoded.
        encoding: u8 = "encoding",
        /// Zero.
        reserved_byte: u8 = "reserved",
        /// Zero.
        reserved_short: u16 = "reserved",
        /// Zero.
        reserved: u64 = "reserved",
    }
}

/// A parsed chunk head.
#[derive(Clone, Debug)]
pub struct ChunkHead {
    /// Rows.
    pub row_count: u32,
    /// Distinct local codes; `None` when the pages hold values.
    pub code_count: Option<u32>,
    /// Statistics of the chunk.
    pub zone_map: ZoneMap,
    /// The pages.
    pub pages: Vec<PageHead>,
}

/// Where a page is, and what it is about.
#[derive(Clone, Debug)]
pub struct PageHead {
    /// First byte, counted from the start of the chunk.
    pub offset: u64,
    /// Bytes.
    pub len: u32,
    /// Checksum at its place in the file.
    pub checksum: u64,
    /// Rows.
    pub row_count: u32,
    /// Layout.
    pub encoding: Encoding,
    /// Statistics; of a page of codes, in terms of codes.
    pub zone_map: ZoneMap,
}

impl ChunkHead {
    /// The length of the head that [`ChunkHead::to_bytes`] will give.
    pub fn head_len(zone_map: &ZoneMap, pages: &[(EncodedPage, ZoneMap)]) -> usize {
        let mut zones = Vec::new();
        zone_map.to_bytes(&mut zones);
        for (_, zone) in pages {
            zone.to_bytes(&mut zones);
        }
        ChunkHeadRecord::SIZE
            .saturating_add(zones.len())
            .saturating_add(PageRecord::SIZE.saturating_mul(pages.len()))
    }

    /// The bytes of the head.
    pub fn to_bytes(&self) -> Result<Vec<u8>> {
        let too_long = |_| Error::internal("a chunk head is longer than 4 GiB");
        let mut zone = Vec::new();
        self.zone_map.to_bytes(&mut zone);
        let mut page_zones = Vec::new();
        let mut records = Vec::new();
        for page in &self.pages {
            page.zone_map.to_bytes(&mut page_zones);
            let record = PageRecord {
                offset: page.offset,
                checksum: page.checksum,
                len: page.len,
                row_count: page.row_count,
                zone_end: u32::try_from(page_zones.len()).map_err(too_long)?,
                encoding: page.encoding.id(),
                reserved_byte: 0,
                reserved_short: 0,
                reserved: 0,
            };
            record.write(&mut records);
        }
        let mut bytes = Vec::new();
        ChunkHeadRecord {
            row_count: self.row_count,
            value_count: self.row_count,
            page_count: u32::try_from(self.pages.len()).map_err(too_long)?,
            code_count: self.code_count.unwrap_or(NO_CODES),
            zone_len: u32::try_from(zone.len()).map_err(too_long)?,
            page_zones_len: u32::try_from(page_zones.len()).map_err(too_long)?,
            reserved: 0,
        }
        .write(&mut bytes);
        bytes.extend_from_slice(&zone);
        bytes.extend_from_slice(&records);
        bytes.extend_from_slice(&page_zones);
        Ok(bytes)
    }

    /// Parses a head; `chunk_len` is the length of head and pages together.
    ///
    /// # Errors
    /// `Corrupt`.
    pub fn parse(bytes: &[u8], chunk_len: u64, what: &str) -> Result<ChunkHead> {
        let mut cursor = Cursor::new(bytes, what);
        let head = ChunkHeadRecord::read(&mut cursor)?;
        let zone_len = usize::try_from(head.zone_len).unwrap_or(usize::MAX);
        let zone_map = read_zone_map(cursor.take(zone_len)?, &cursor)?;
        let page_count = usize::try_from(head.page_count).unwrap_or(usize::MAX);
        let records_len = page_count.saturating_mul(PageRecord::SIZE);
        let mut records = Cursor::new(cursor.take(records_len)?, what);
        let zones_len = usize::try_from(head.page_zones_len).unwrap_or(usize::MAX);
        let zones = cursor.take(zones_len)?;
        cursor.finish()?;
        let mut pages = Vec::with_capacity(page_count);
        let mut zone_start = 0;
        let mut row_count = 0_u32;
        for _ in 0..page_count {
            let record = PageRecord::read(&mut records)?;
            let zone_end = usize::try_from(record.zone_end).unwrap_or(usize::MAX);
            let zone = zones
                .get(zone_start..zone_end)
                .ok_or_else(|| records.corrupt("a page's zone map lies outside"))?;
            zone_start = zone_end;
            let page = page_head(&record, zone, chunk_len, &records)?;
            row_count = row_count
                .checked_add(page.row_count)
                .ok_or_else(|| records.corrupt("more than 2^32 rows"))?;
            pages.push(page);
        }
        if row_count != head.row_count {
            return Err(cursor.corrupt("the pages do not add up to the chunk's rows"));
        }
        let code_count = (head.code_count != NO_CODES).then_some(head.code_count);
        Ok(ChunkHead { row_count, code_count, zone_map, pages })
    }
}

fn page_head(
    record: &PageRecord,
    zone: &[u8],
    chunk_len: u64,
    cursor: &Cursor<'_>,
) -> Result<PageHead> {
    let end = record.offset.checked_add(u64::from(record.len));
    if end.is_none_or(|end| end > chunk_len) {
        return Err(cursor.corrupt("a page lies outside of its chunk"));
    }
    Ok(PageHead {
        offset: record.offset,
        len: record.len,
        checksum: record.checksum,
        row_count: record.row_count,
        encoding: Encoding::from_id(record.encoding)
            .map_err(|_| cursor.corrupt("a page's encoding is unknown"))?,
        zone_map: read_zone_map(zone, cursor)?,
    })
}

/// A zone map that fills `bytes`.
fn read_zone_map(bytes: &[u8], cursor: &Cursor<'_>) -> Result<ZoneMap> {
    match ZoneMap::from_bytes(bytes)? {
        (zone_map, len) if len == bytes.len() => Ok(zone_map),
        _ => Err(cursor.corrupt("a zone map has another length")),
    }
}
