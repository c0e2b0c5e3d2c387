//! A column chunk: one column of one row group, its statistics and its pages.
//!
//! Must not know dictionaries: a chunk of codes says how many there are, not what they mean.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use arrow::buffer::Buffer;
use bytes::Bytes;

use super::backend::aligned;
use super::container::{ContainerFile, ContainerWriter, Section};
use super::format::{
    ChunkHead, DirectoryEntry, PageHead, SECTION_ALIGNMENT, SectionKey, SectionKind,
};
use crate::encoding::{self, EncodedPage, Page, PageKind, ZoneMap};
use crate::types::{DataType, Error, Result, Value};

/// A chunk ready to be written.
#[derive(Debug)]
pub struct EncodedChunk {
    /// The pages in row order with their statistics; of pages of codes, in terms of codes.
    pub pages: Vec<(EncodedPage, ZoneMap)>,
    /// For pages of codes, how many distinct values the row group has; NULL is the next code.
    pub codes: Option<u32>,
    /// Statistics of the whole chunk, in terms of values.
    pub zone_map: ZoneMap,
}

/// One column of one row group.
#[derive(Debug)]
pub struct Chunk {
    head: ChunkHead,
    kind: PageKind,
    source: Source,
}

#[derive(Debug)]
enum Source {
    File {
        file: Arc<ContainerFile>,
        offset: u64,
        /// Table and column, for messages.
        owner: String,
        /// Which pages matched their checksums; only kept where reads are views of one memory.
        verified: Vec<AtomicBool>,
    },
    /// The row group is older than the column: every row has the column's default.
    Default { pages: Vec<Bytes> },
}

impl Chunk {
    /// Opens the chunk at `entry`, of `rows`: how many, and how many a page has. `owner` says in
    /// messages whose chunk it is.
    pub(crate) fn open(
        file: Arc<ContainerFile>,
        entry: &DirectoryEntry,
        data_type: DataType,
        rows: (u32, u32),
        owner: String,
    ) -> Result<Chunk> {
        let (row_count, page_len) = rows;
        let bytes = file.read_section(entry)?;
        let path = file.path();
        let head = ChunkHead::parse(&bytes, entry.extra, &path)?;
        let lens_fit = head.row_count == row_count
            && head.pages.split_last().is_none_or(|(last, full)| {
                full.iter().all(|page| page.row_count == page_len)
                    && (1..=page_len).contains(&last.row_count)
            });
        if !lens_fit {
            return Err(Error::corrupt(format!(
                "{path}: a chunk has {} rows instead of {row_count}, or other pages",
                head.row_count
            )));
        }
        let verified = head.pages.iter().map(|_| AtomicBool::new(false)).collect();
        Ok(Chunk {
            kind: match head.code_count {
                Some(_) => PageKind::Codes,
                None => PageKind::Values(data_type),
            },
            head,
            source: Source::File { file, offset: entry.offset, owner, verified },
        })
    }

    /// A chunk of `row_count` rows that all have the value `default`.
    pub(crate) fn of_default(
        default: &Value,
        data_type: DataType,
        rows: (u32, u32),
    ) -> Result<Chunk> {
        let (row_count, page_len) = rows;
        let mut pages: Vec<Bytes> = Vec::new();
        let mut heads: Vec<PageHead> = Vec::new();
        let mut zone_map: Option<ZoneMap> = None;
        let mut left = row_count;
        while left > 0 {
            let len = left.min(page_len);
            left -= len;
            let (bytes, head) = match (pages.last(), heads.last()) {
                (Some(bytes), Some(head)) if head.row_count == len => (bytes.clone(), head.clone()),
                _ => default_page(default, data_type, len)?,
            };
            match &mut zone_map {
                Some(zone_map) => zone_map.merge(&head.zone_map),
                None => zone_map = Some(head.zone_map.clone()),
            }
            pages.push(bytes);
            heads.push(head);
        }
        let zone_map = zone_map.ok_or_else(|| Error::corrupt("a row group has no rows"))?;
        let head = ChunkHead { row_count, code_count: None, zone_map, pages: heads };
        Ok(Chunk { head, kind: PageKind::Values(data_type), source: Source::Default { pages } })
    }

    /// Rows.
    pub fn row_count(&self) -> u32 {
        self.head.row_count
    }

    /// Statistics of the chunk as written, in terms of values.
    pub fn zone_map(&self) -> &ZoneMap {
        &self.head.zone_map
    }

    /// Whether the pages hold local codes.
    pub fn is_codes(&self) -> bool {
        self.head.code_count.is_some()
    }

    /// How many distinct non-null local codes there are; NULL is the code after the last. 0 when the
    /// pages hold values.
    pub fn code_count(&self) -> u32 {
        self.head.code_count.unwrap_or(0)
    }

    /// Pages.
    pub fn page_count(&self) -> usize {
        self.head.pages.len()
    }

    /// Statistics of a page as written; of a page of codes, in terms of codes.
    ///
    /// # Panics
    /// When there is no such page.
    pub fn page_zone_map(&self, page_idx: usize) -> &ZoneMap {
        &self.head.pages[page_idx].zone_map
    }

    /// Rows of a page.
    ///
    /// # Panics
    /// When there is no such page.
    pub fn page_row_count(&self, page_idx: usize) -> usize {
        self.head.pages[page_idx].row_count as usize
    }

    /// Encoded bytes of a page.
    ///
    /// # Panics
    /// When there is no such page.
    pub fn page_bytes_len(&self, page_idx: usize) -> u64 {
        u64::from(self.head.pages[page_idx].len)
    }

    /// Bytes that its head takes in memory.
    pub(super) fn memory_bytes(&self) -> usize {
        let owner = match &self.source {
            Source::File { owner, .. } => owner.len(),
            Source::Default { pages } => pages.first().map_or(0, Bytes::len),
        };
        size_of::<Chunk>() + owner + self.head.pages.len() * (size_of::<PageHead>() + 1)
    }

    /// All bytes of the chunk where reads are views, so that one look at the file serves all pages;
    /// `None` where they are copies or the file is too short.
    pub(crate) fn section(&self) -> Option<Bytes> {
        match (&self.source, self.head.pages.last()) {
            (Source::File { file, offset, .. }, Some(last)) if file.is_zero_copy() => {
                let len = last.offset.saturating_add(last.len.into());
                file.read(*offset..offset.saturating_add(len)).ok()
            }
            _ => None,
        }
    }

    /// Opens a page. Its checksum is verified the first time (each time, where reads are copies).
    ///
    /// # Errors
    /// `Corrupt`, `Io`.
    ///
    /// # Panics
    /// When there is no such page.
    pub fn page(&self, page_idx: usize) -> Result<Page> {
        self.page_in(None, page_idx)
    }

    /// As [`page`](Self::page), from the chunk's [`section`](Self::section).
    pub(crate) fn page_in(&self, section: Option<&Bytes>, page_idx: usize) -> Result<Page> {
        self.open_page(section, page_idx).map_err(|error| match &self.source {
            Source::File { owner, .. } => error.context(format!("{owner}, page {page_idx}")),
            Source::Default { .. } => error,
        })
    }

    fn open_page(&self, section: Option<&Bytes>, page_idx: usize) -> Result<Page> {
        let head = &self.head.pages[page_idx];
        let bytes = match &self.source {
            Source::Default { pages } => pages[page_idx].clone(),
            Source::File { file, offset, verified, .. } => {
                let start = offset.saturating_add(head.offset);
                let bytes = match section.and_then(|section| part(section, head)) {
                    Some(bytes) => bytes,
                    None => file.read(start..start.saturating_add(head.len.into()))?,
                };
                let verified = &verified[page_idx];
                if !verified.load(Ordering::Acquire) {
                    file.verify(start, &bytes, head.checksum)?;
                    verified.store(file.is_zero_copy(), Ordering::Release);
                }
                bytes
            }
        };
        Page::open(bytes, head.encoding, self.kind, head.row_count as usize)
    }
}

/// The page's part of its chunk's bytes, if it is within them.
fn part(section: &Bytes, head: &PageHead) -> Option<Bytes> {
    let start = usize::try_from(head.offset).ok()?;
    let end = start.checked_add(usize::try_from(head.len).ok()?)?;
    (end <= section.len()).then(|| section.slice(start..end))
}

fn default_page(default: &Value, data_type: DataType, len: u32) -> Result<(Bytes, PageHead)> {
    let array = default.to_array(data_type, len as usize)?;
    let page = encoding::encode(&array, data_type)?;
    let head = PageHead {
        offset: 0,
        len: u32::try_from(page.bytes.len()).unwrap_or(u32::MAX),
        checksum: 0,
        row_count: len,
        encoding: page.encoding,
        zone_map: ZoneMap::of(&array, data_type),
    };
    // Where pages are expected to be aligned, they are.
    Ok((aligned(Buffer::from_slice_ref(&page.bytes)), head))
}

/// Writes `chunk` as the section of `field` in the row group `row_group`.
pub(crate) fn write_chunk(
    writer: &ContainerWriter,
    row_group: u32,
    field: u32,
    row_counts: &[u32],
    chunk: &EncodedChunk,
) -> Result<()> {
    let align = |len: usize| (len as u64).next_multiple_of(SECTION_ALIGNMENT);
    let head_len = ChunkHead::head_len(&chunk.zone_map, &chunk.pages);
    let mut offsets = Vec::with_capacity(chunk.pages.len());
    let mut len = align(head_len);
    let mut end = head_len as u64;
    for (page, _) in &chunk.pages {
        offsets.push(len);
        end = len + page.bytes.len() as u64;
        len = end.next_multiple_of(SECTION_ALIGNMENT);
    }
    let key = SectionKey::new(field, SectionKind::Chunk, row_group);
    writer.write_built(key, end, end, |offset| {
        let mut pages = Vec::with_capacity(chunk.pages.len());
        let rows = offsets.iter().zip(row_counts);
        for ((page, zone_map), (page_offset, row_count)) in chunk.pages.iter().zip(rows) {
            pages.push(PageHead {
                offset: *page_offset,
                len: u32::try_from(page.bytes.len())
                    .map_err(|_| Error::unsupported("a page of more than 4 GiB"))?,
                checksum: writer.identity().checksum(offset + page_offset, &page.bytes),
                row_count: *row_count,
                encoding: page.encoding,
                zone_map: zone_map.clone(),
            });
        }
        let head = ChunkHead {
            row_count: row_counts.iter().sum(),
            code_count: chunk.codes,
            zone_map: chunk.zone_map.clone(),
            pages,
        };
        let mut bytes = head.to_bytes()?;
        assert_eq!(bytes.len(), head_len, "the head's length does not depend on offsets");
        let in_memory = |len: u64| {
            usize::try_from(len)
                .map_err(|_| Error::unsupported("a chunk larger than the address space"))
        };
        bytes.reserve_exact(in_memory(end)? - head_len);
        for ((page, _), page_offset) in chunk.pages.iter().zip(&offsets) {
            bytes.resize(in_memory(*page_offset)?, 0);
            bytes.extend_from_slice(&page.bytes);
        }
        Ok(Section { bytes, checksummed_len: head_len })
    })
}
