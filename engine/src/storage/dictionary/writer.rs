//! Writes a run: ascending values in, sections out.
//!
//! The directory (section 0) says where each chunk starts and holds the first bytes of its first
//! value, so that a search opens one chunk, rarely more. All numbers are little-endian.
//!
//! ```text
//! u32 layout (1) · u32 key kind (0 bytes, 1 narrow, 2 wide) · u32 value count · u32 chunk count
//! per chunk: u32 position of its first value · u16 encoding (0 for pieces) · u16 flags (1: the
//!            prefix is cut) · u32 where its prefix ends
//! prefixes:  the first value's bytes, at most 32; fixed width: its key, 8 or 16 bytes, big-endian
//! ```
//!
//! Must not know where the values come from.

use super::ids;
use super::sorted::{code, index, slice_of};
use super::{EncodedRun, Key, KeyKind, Section, SortedValues, SpoolBeyond, bytes_array};
use crate::encoding::{self, pieces};
use crate::types::{DataType, Error, Result};

/// The version of the directory.
pub(super) const LAYOUT: u32 = 1;
/// Bytes of a text's prefix in the directory.
pub(super) const PREFIX_BYTES_MAX: usize = 32;
/// The flag of a prefix that is shorter than its value.
pub(super) const PREFIX_CUT: u16 = 1;
/// Sections before the first chunk.
pub(super) const SECTIONS_BEFORE_CHUNKS: usize = 2;
/// Values of fixed width in a chunk.
pub(super) const CHUNK_LEN: usize = 16_384;
/// Bytes of text gathered before they are cut into pieces.
const PENDING_BYTES: usize = 512 << 10;

/// Collects the values of one run.
#[derive(Debug)]
pub struct RunWriter<'a> {
    data_type: DataType,
    spool: Option<SpoolBeyond<'a>>,
    pending: SortedValues,
    pieces: pieces::Encoder,
    directory: Vec<DirectoryEntry>,
    chunks: Vec<Section>,
    /// Bytes of those sections that are in memory.
    section_bytes: usize,
    value_count: usize,
}

#[derive(Debug)]
struct DirectoryEntry {
    first: u32,
    encoding: u16,
    flags: u16,
    prefix: Vec<u8>,
}

impl<'a> RunWriter<'a> {
    /// A writer of values of `data_type`, whose sections go to `spool`; they all stay in memory without.
    ///
    /// # Panics
    /// When the type never has a dictionary.
    pub fn new(data_type: DataType, spool: Option<SpoolBeyond<'a>>) -> RunWriter<'a> {
        RunWriter {
            data_type,
            spool,
            pending: no_values(data_type),
            pieces: pieces::Encoder::default(),
            directory: Vec::new(),
            chunks: Vec::new(),
            section_bytes: 0,
            value_count: 0,
        }
    }

    /// Appends a value and returns its position in the run.
    ///
    /// # Errors
    /// `Unsupported` beyond 2^32 - 2 values.
    ///
    /// # Panics
    /// In debug builds, when it is not greater than the last one.
    pub fn push(&mut self, key: Key<'_>) -> Result<u32> {
        debug_assert!(self.last().is_none_or(|last| last < key), "a run ascends");
        let position = u32::try_from(self.value_count).ok().filter(|at| *at < u32::MAX - 1);
        let Some(position) = position else {
            return Err(Error::unsupported("a dictionary of more than 2^32 values"));
        };
        let full = match (&mut self.pending, key) {
            (SortedValues::Bytes { bytes, ends }, Key::Bytes(value)) => {
                bytes.extend_from_slice(value);
                ends.push(bytes.len());
                bytes.len() >= PENDING_BYTES || ends.len() >= PENDING_BYTES / 4
            }
            (SortedValues::Narrow(keys), Key::Int(key)) => {
                keys.push(u64::try_from(key).map_err(|_| wrong_kind())?);
                keys.len() == CHUNK_LEN
            }
            (SortedValues::Wide(keys), Key::Int(key)) => {
                keys.push(key);
                keys.len() == CHUNK_LEN
            }
            _ => return Err(wrong_kind()),
        };
        self.value_count += 1;
        if full {
            self.flush(true)?;
        }
        Ok(position)
    }

    /// The greatest value so far, unless it was just written out.
    fn last(&self) -> Option<Key<'_>> {
        self.pending.len().checked_sub(1).map(|last| self.pending.key(last))
    }

    /// How many values were pushed.
    pub fn len(&self) -> usize {
        self.value_count
    }

    /// Whether none was.
    pub fn is_empty(&self) -> bool {
        self.value_count == 0
    }

    /// Bytes held in memory.
    pub fn memory_bytes(&self) -> usize {
        self.pending.memory_bytes() + self.section_bytes
    }

    /// Ends the run. `insertion_ranks[i]` is how many values of the earlier runs are less than value
    /// `i`; empty for a first run.
    ///
    /// # Errors
    /// As encoding a page.
    ///
    /// # Panics
    /// When there are insertion ranks, but not one per value.
    pub fn finish(mut self, insertion_ranks: &[u32]) -> Result<EncodedRun> {
        assert!(insertion_ranks.is_empty() || insertion_ranks.len() == self.value_count);
        self.flush(false)?;
        let value_count = code(self.value_count);
        let directory = self.directory_bytes(value_count)?;
        let mut ranks = Vec::new();
        if !insertion_ranks.is_empty() {
            ids::encode(insertion_ranks, &mut ranks)?;
        }
        let mut sections = vec![self.section(directory)?, self.section(ranks)?];
        sections.append(&mut self.chunks);
        Ok(EncodedRun { value_count, sections })
    }

    /// `bytes` where they wait for a file.
    fn section(&mut self, mut bytes: Vec<u8>) -> Result<Section> {
        match self.spool {
            Some(SpoolBeyond { spool, memory_bytes_max })
                if self.section_bytes + bytes.len() > memory_bytes_max =>
            {
                Ok(Section::Spooled(spool.store(&bytes)?))
            }
            _ => {
                self.section_bytes += bytes.len();
                bytes.shrink_to_fit();
                Ok(Section::Memory(bytes.into()))
            }
        }
    }

    fn directory_bytes(&self, value_count: u32) -> Result<Vec<u8>> {
        let chunk_count = code(self.directory.len());
        let kind = kind_of(self.data_type);
        let mut bytes = Vec::new();
        for number in [LAYOUT, kind_number(kind), value_count, chunk_count] {
            bytes.extend_from_slice(&number.to_le_bytes());
        }
        let mut prefix_end = 0;
        for entry in &self.directory {
            prefix_end += entry.prefix.len();
            let end = u32::try_from(prefix_end)
                .map_err(|_| Error::unsupported("a dictionary of more than 2^27 pieces"))?;
            bytes.extend_from_slice(&entry.first.to_le_bytes());
            bytes.extend_from_slice(&entry.encoding.to_le_bytes());
            bytes.extend_from_slice(&entry.flags.to_le_bytes());
            bytes.extend_from_slice(&end.to_le_bytes());
        }
        for entry in &self.directory {
            bytes.extend_from_slice(&entry.prefix);
        }
        Ok(bytes)
    }

    fn flush(&mut self, more_follow: bool) -> Result<()> {
        let pending = std::mem::replace(&mut self.pending, no_values(self.data_type));
        if pending.is_empty() {
            return Ok(());
        }
        let first = self.value_count - pending.len();
        let narrow = matches!(pending, SortedValues::Narrow(_));
        match pending {
            SortedValues::Bytes { bytes, ends } => {
                self.write_pieces(bytes, &ends, first, more_follow)
            }
            pending => {
                let array = pending.to_array(0..pending.len(), self.data_type)?;
                let page = encoding::encode(&array, self.data_type)?;
                let Key::Int(key) = pending.key(0) else { return Err(wrong_kind()) };
                let key = key.swap_bytes().to_le_bytes();
                self.directory.push(DirectoryEntry {
                    first: code(first),
                    encoding: page.encoding.id().into(),
                    flags: 0,
                    prefix: if narrow { key[8..].to_vec() } else { key.to_vec() },
                });
                let section = self.section(page.bytes)?;
                self.chunks.push(section);
                Ok(())
            }
        }
    }

    /// Writes the pieces of texts; those of a piece that is not full wait for the next ones.
    fn write_pieces(
        &mut self,
        bytes: Vec<u8>,
        ends: &[usize],
        first: usize,
        more_follow: bool,
    ) -> Result<()> {
        let array = bytes_array(bytes, ends, self.data_type)?;
        let data = array.to_data();
        let bytes = data.buffers()[1].as_slice();
        let mut start = 0;
        for piece in self.pieces.encode(&array, more_follow) {
            let value = slice_of(bytes, ends, start);
            self.directory.push(DirectoryEntry {
                first: code(first + start),
                encoding: 0,
                flags: if value.len() > PREFIX_BYTES_MAX { PREFIX_CUT } else { 0 },
                prefix: value[..value.len().min(PREFIX_BYTES_MAX)].to_vec(),
            });
            start += index(piece.value_count);
            let section = self.section(piece.bytes)?;
            self.chunks.push(section);
        }
        if start < ends.len() {
            let written = if start == 0 { 0 } else { ends[start - 1] };
            self.pending = SortedValues::Bytes {
                bytes: bytes[written..].to_vec(),
                ends: ends[start..].iter().map(|end| end - written).collect(),
            };
        }
        Ok(())
    }
}

fn wrong_kind() -> Error {
    Error::internal("a key of another kind was pushed into a run")
}

fn no_values(data_type: DataType) -> SortedValues {
    match kind_of(data_type) {
        KeyKind::Bytes => SortedValues::Bytes { bytes: Vec::new(), ends: Vec::new() },
        KeyKind::Narrow => SortedValues::Narrow(Vec::new()),
        KeyKind::Wide => SortedValues::Wide(Vec::new()),
    }
}

pub(super) fn kind_of(data_type: DataType) -> KeyKind {
    KeyKind::of(data_type).expect("dictionaries are of types with keys only")
}

pub(super) fn kind_number(kind: KeyKind) -> u32 {
    match kind {
        KeyKind::Bytes => 0,
        KeyKind::Narrow => 1,
        KeyKind::Wide => 2,
    }
}
