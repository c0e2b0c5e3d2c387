//! Reads a run: sorted distinct values in chunks, one section each.
//!
//! Nothing but the directory is read before it is asked for, and a search opens the one chunk that
//! can hold the value. Opened chunks stay in memory up to a limit. Must not know other runs.

use std::cmp::Ordering;
use std::ops::Range;
use std::sync::atomic::{AtomicUsize, Ordering as Memory};
use std::sync::{Arc, OnceLock};

use arrow::array::ArrayRef;
use bytes::Bytes;

use super::ids::{self, slice, u32_at};
use super::sorted::{code, index};
use super::writer::{
    LAYOUT, PREFIX_BYTES_MAX, PREFIX_CUT, SECTIONS_BEFORE_CHUNKS, kind_number, kind_of,
};
use super::{FixedKey, Key, KeyKind, RunSections};
use crate::encoding::pieces::Piece;
use crate::encoding::{Encoding, Page, PageKind};
use crate::types::{DataType, Error, Result};

/// Bytes of opened chunks that one run keeps.
const CACHED_BYTES_MAX: usize = 512 << 20;

/// One sorted run of a dictionary.
#[derive(Debug)]
pub struct Run {
    data_type: DataType,
    value_count: u32,
    entries: Vec<Entry>,
    prefixes: Bytes,
    sections: Arc<dyn RunSections>,
    chunks: Box<[OnceLock<Arc<Chunk>>]>,
    cached_bytes: AtomicUsize,
}

#[derive(Debug)]
struct Entry {
    first: u32,
    encoding: Option<Encoding>,
    prefix_cut: bool,
    prefix: Range<usize>,
}

/// Some neighbouring values of a run.
#[derive(Debug)]
pub enum Chunk {
    /// Texts or blobs.
    Bytes(Piece),
    /// Values of fixed width with keys of 64 bits.
    Narrow(Vec<u64>),
    /// Values of fixed width with keys of 128 bits.
    Wide(Vec<u128>),
}

impl Chunk {
    /// How many values it has.
    pub fn len(&self) -> usize {
        match self {
            Chunk::Bytes(piece) => piece.len(),
            Chunk::Narrow(keys) => keys.len(),
            Chunk::Wide(keys) => keys.len(),
        }
    }

    /// Whether it has none; never so in a run.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The value at `index`.
    ///
    /// # Panics
    /// When there is none.
    pub fn key(&self, index: usize) -> Key<'_> {
        match self {
            Chunk::Bytes(piece) => Key::Bytes(piece.value(index)),
            Chunk::Narrow(keys) => Key::Int(keys[index].into()),
            Chunk::Wide(keys) => Key::Int(keys[index]),
        }
    }

    /// The texts' piece, for a search in all its bytes at once.
    pub fn piece(&self) -> Option<&Piece> {
        match self {
            Chunk::Bytes(piece) => Some(piece),
            _ => None,
        }
    }

    /// All values as an array of `data_type`, the type of the run.
    ///
    /// # Errors
    /// `Corrupt`.
    pub fn values(&self, data_type: DataType) -> Result<ArrayRef> {
        match self {
            Chunk::Bytes(piece) => {
                let array = piece.values()?;
                if array.data_type() != &data_type.to_arrow() {
                    return Err(Error::corrupt("a piece of text is one of blobs, or the reverse"));
                }
                Ok(array)
            }
            Chunk::Narrow(keys) => u64::to_array(keys, data_type),
            Chunk::Wide(keys) => u128::to_array(keys, data_type),
        }
    }

    /// The position of the first value that is not less than `key`, from `from` on, and whether it
    /// equals `key`.
    fn search(&self, key: Key<'_>, from: usize) -> (usize, bool) {
        let (mut start, mut end) = (from, self.len());
        while start < end {
            let middle = usize::midpoint(start, end);
            match self.key(middle).cmp(&key) {
                Ordering::Less => start = middle + 1,
                Ordering::Equal => return (middle, true),
                Ordering::Greater => end = middle,
            }
        }
        (start, false)
    }

    fn memory_bytes(&self) -> usize {
        match self {
            Chunk::Bytes(piece) => 64 + piece.bytes().len() + 4 * piece.len(),
            Chunk::Narrow(keys) => 64 + 8 * keys.len(),
            Chunk::Wide(keys) => 64 + 16 * keys.len(),
        }
    }
}

impl Run {
    /// Opens a run of values of `data_type`, reading its directory.
    ///
    /// # Errors
    /// `Corrupt` when the directory makes no sense; as reading a section.
    pub fn open(data_type: DataType, sections: Arc<dyn RunSections>) -> Result<Run> {
        let Some(kind) = KeyKind::of(data_type) else {
            return Err(Error::corrupt(format!("a column of type {data_type} has a dictionary")));
        };
        let directory = sections.section(0)?;
        if u32_at(&directory, 0)? != LAYOUT || u32_at(&directory, 4)? != kind_number(kind) {
            return Err(Error::corrupt(format!(
                "the directory of a dictionary run of type {data_type} is of another kind"
            )));
        }
        let value_count = u32_at(&directory, 8)?;
        let chunk_count = index(u32_at(&directory, 12)?);
        let entries_len = chunk_count.saturating_mul(12);
        slice(&directory, 16, entries_len)?;
        let prefixes = directory.slice(16 + entries_len..);
        let entries = read_entries(&directory, chunk_count, kind, prefixes.len())?;
        check_firsts(&entries, value_count)?;
        Ok(Run {
            data_type,
            value_count,
            chunks: entries.iter().map(|_| OnceLock::new()).collect(),
            entries,
            prefixes,
            sections,
            cached_bytes: AtomicUsize::new(0),
        })
    }

    /// How many values it has.
    pub fn len(&self) -> u32 {
        self.value_count
    }

    /// Whether it has none.
    pub fn is_empty(&self) -> bool {
        self.value_count == 0
    }

    /// How many chunks it has.
    pub fn chunk_count(&self) -> usize {
        self.entries.len()
    }

    /// The position of the first value of chunk `chunk_idx`.
    ///
    /// # Panics
    /// When there is no such chunk.
    pub fn chunk_start(&self, chunk_idx: usize) -> u32 {
        self.entries[chunk_idx].first
    }

    /// Chunk `chunk_idx`, kept in memory if there is room.
    ///
    /// # Errors
    /// `Corrupt` or as reading a section.
    ///
    /// # Panics
    /// When there is no such chunk.
    pub fn chunk(&self, chunk_idx: usize) -> Result<Arc<Chunk>> {
        if let Some(chunk) = self.chunks[chunk_idx].get() {
            return Ok(Arc::clone(chunk));
        }
        let chunk = Arc::new(self.read_chunk(chunk_idx)?);
        let bytes = chunk.memory_bytes();
        let has_room = self.cached_bytes.load(Memory::Relaxed) + bytes <= CACHED_BYTES_MAX;
        if has_room && self.sections.reserve(bytes) {
            match self.chunks[chunk_idx].set(Arc::clone(&chunk)) {
                Ok(()) => drop(self.cached_bytes.fetch_add(bytes, Memory::Relaxed)),
                Err(_) => self.sections.release(bytes),
            }
        }
        Ok(chunk)
    }

    /// Chunk `chunk_idx`, not kept.
    ///
    /// # Errors
    /// As [`Run::chunk`].
    ///
    /// # Panics
    /// When there is no such chunk.
    pub fn read_chunk(&self, chunk_idx: usize) -> Result<Chunk> {
        let entry = &self.entries[chunk_idx];
        let end = self.entries.get(chunk_idx + 1).map_or(self.value_count, |next| next.first);
        let len = index(end - entry.first);
        let section = u32::try_from(chunk_idx + SECTIONS_BEFORE_CHUNKS)
            .map_err(|_| Error::corrupt("a run has more than 2^32 chunks"))?;
        let bytes = self.sections.section(section)?;
        let chunk = match entry.encoding {
            None => Chunk::Bytes(Piece::open(bytes)?),
            Some(encoding) => self.open_page(bytes, encoding, len)?,
        };
        if chunk.len() != len {
            return Err(Error::corrupt(format!(
                "chunk {chunk_idx} of a dictionary run has {} values instead of {len}",
                chunk.len()
            )));
        }
        Ok(chunk)
    }

    fn open_page(&self, bytes: Bytes, encoding: Encoding, len: usize) -> Result<Chunk> {
        let page = Page::open(bytes, encoding, PageKind::Values(self.data_type), len)?;
        let array = page.decode(0..len)?;
        if kind_of(self.data_type) == KeyKind::Wide {
            let mut keys = Vec::with_capacity(len);
            u128::extend_from(&mut keys, &array, self.data_type);
            return Ok(Chunk::Wide(keys));
        }
        let mut keys = Vec::with_capacity(len);
        u64::extend_from(&mut keys, &array, self.data_type);
        Ok(Chunk::Narrow(keys))
    }

    /// The position of the first value that is not less than `key`, and whether it equals `key`.
    ///
    /// # Errors
    /// As [`Run::chunk`].
    pub fn search(&self, key: Key<'_>) -> Result<(u32, bool)> {
        if self.is_empty() {
            return Ok((0, false));
        }
        let chunk_idx = self.chunk_for(key, 0)?;
        let (position, found) = self.chunk(chunk_idx)?.search(key, 0);
        Ok((self.position(chunk_idx, position), found))
    }

    fn position(&self, chunk_idx: usize, position: usize) -> u32 {
        self.entries[chunk_idx].first + code(position)
    }

    /// The last chunk from `from` on whose first value is at most `key`, else `from`.
    fn chunk_for(&self, key: Key<'_>, from: usize) -> Result<usize> {
        let (mut start, mut end) = (from + 1, self.entries.len());
        // The next chunk first: a search for ascending keys mostly stays where it is.
        if start < end && !self.starts_at_most(start, key)? {
            return Ok(from);
        }
        while start < end {
            let middle = usize::midpoint(start, end);
            if self.starts_at_most(middle, key)? {
                start = middle + 1;
            } else {
                end = middle;
            }
        }
        Ok(start - 1)
    }

    /// Whether the first value of a chunk is at most `key`: told by its prefix, unless that is cut
    /// and `key` begins with it.
    fn starts_at_most(&self, chunk_idx: usize, key: Key<'_>) -> Result<bool> {
        let entry = &self.entries[chunk_idx];
        let prefix = &self.prefixes[entry.prefix.clone()];
        match key {
            Key::Int(key) => {
                let first = prefix.iter().fold(0, |key, byte| key << 8 | u128::from(*byte));
                Ok(first <= key)
            }
            Key::Bytes(text) if entry.prefix_cut && text.starts_with(prefix) => {
                Ok(self.chunk(chunk_idx)?.key(0) <= key)
            }
            Key::Bytes(text) => Ok(prefix <= text),
        }
    }

    /// How many values of the earlier runs are less than each value; empty for a first run.
    ///
    /// # Errors
    /// `Corrupt` or as reading a section.
    pub fn insertion_ranks(&self) -> Result<Vec<u32>> {
        let bytes = self.sections.section(1)?;
        if bytes.is_empty() {
            return Ok(Vec::new());
        }
        let ranks = ids::decode(&bytes)?;
        if ranks.len() != index(self.value_count) || !ranks.is_sorted() {
            return Err(Error::corrupt("the insertion ranks of a dictionary run do not fit it"));
        }
        Ok(ranks)
    }

    /// Bytes of opened chunks held in memory.
    pub fn cached_bytes(&self) -> usize {
        self.cached_bytes.load(Memory::Relaxed)
    }
}

impl Drop for Run {
    fn drop(&mut self) {
        self.sections.release(*self.cached_bytes.get_mut());
    }
}

fn read_entries(
    directory: &Bytes,
    chunk_count: usize,
    kind: KeyKind,
    prefixes_len: usize,
) -> Result<Vec<Entry>> {
    let mut entries = Vec::with_capacity(chunk_count);
    let mut prefix_start = 0;
    for chunk_idx in 0..chunk_count {
        let at = 16 + 12 * chunk_idx;
        let both = u32_at(directory, at + 4)?;
        let (encoding, flags) = (both & 0xffff, both >> 16);
        let prefix_end = index(u32_at(directory, at + 8)?);
        let prefix_len = prefix_end.checked_sub(prefix_start);
        let fits = prefix_end <= prefixes_len
            && prefix_len.is_some_and(|len| match kind {
                KeyKind::Bytes => len <= PREFIX_BYTES_MAX,
                KeyKind::Narrow => len == 8,
                KeyKind::Wide => len == 16,
            });
        if !fits {
            return Err(Error::corrupt(format!(
                "the prefix of chunk {chunk_idx} of a dictionary run lies outside its directory"
            )));
        }
        entries.push(Entry {
            first: u32_at(directory, at)?,
            encoding: match kind {
                KeyKind::Bytes => None,
                _ => Some(ids::encoding_of(encoding)?),
            },
            prefix_cut: flags & u32::from(PREFIX_CUT) != 0,
            prefix: prefix_start..prefix_end,
        });
        prefix_start = prefix_end;
    }
    Ok(entries)
}

fn check_firsts(entries: &[Entry], value_count: u32) -> Result<()> {
    let firsts_fit = entries.first().is_none_or(|entry| entry.first == 0)
        && entries.is_sorted_by(|a, b| a.first < b.first)
        && entries.last().is_none_or(|entry| entry.first < value_count)
        && entries.is_empty() == (value_count == 0);
    if firsts_fit {
        return Ok(());
    }
    Err(Error::corrupt("the chunks of a dictionary run do not fit its values"))
}

/// Finds ascending keys in a run: each search goes on where the last one ended.
#[derive(Debug)]
pub struct RunSearch<'a> {
    run: &'a Run,
    chunk_idx: usize,
    chunk: Option<Arc<Chunk>>,
    position: usize,
}

impl<'a> RunSearch<'a> {
    /// Starts before the first value of `run`.
    pub fn new(run: &'a Run) -> RunSearch<'a> {
        RunSearch { run, chunk_idx: 0, chunk: None, position: 0 }
    }

    /// As [`Run::search`], for a `key` that is not less than the one before.
    ///
    /// # Errors
    /// As [`Run::chunk`].
    pub fn next(&mut self, key: Key<'_>) -> Result<(u32, bool)> {
        if self.run.is_empty() {
            return Ok((0, false));
        }
        let chunk_idx = self.run.chunk_for(key, self.chunk_idx)?;
        let chunk = match self.chunk.take() {
            Some(chunk) if chunk_idx == self.chunk_idx => chunk,
            _ => {
                self.position = 0;
                Arc::new(self.run.read_chunk(chunk_idx)?)
            }
        };
        let (position, found) = chunk.search(key, self.position);
        (self.chunk_idx, self.position) = (chunk_idx, position);
        self.chunk = Some(chunk);
        Ok((self.run.position(chunk_idx, position), found))
    }
}
