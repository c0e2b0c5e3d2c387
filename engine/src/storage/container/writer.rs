//! Writes a container: sections from several threads, then the directory, then the header.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::storage::backend::{Backend, NewFile};
use crate::storage::format::{
    DirectoryEntry, FileKind, FileReference, Header, Identity, LARGE_SECTION_ALIGNMENT,
    LARGE_SECTION_LEN, SECTION_ALIGNMENT, SectionKey, Wire,
};
use crate::types::{Error, Result};

/// Sections shorter than this are gathered and written together.
const GATHERED_LEN_MAX: u64 = 32 << 10;
/// How many gathered bytes make a write. A load writes the files of all its row groups at a time, and
/// each has such a buffer.
const BUFFER_LEN: usize = 64 << 10;

/// A file being written; the header comes last, so that an unfinished file is no container.
#[derive(Debug)]
pub(crate) struct ContainerWriter {
    file: Box<dyn NewFile>,
    path: String,
    kind: FileKind,
    identity: Identity,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    /// The end of all sections so far.
    end: u64,
    /// The last bytes before `end`, not written yet.
    buffer: Vec<u8>,
    entries: Vec<DirectoryEntry>,
}

/// A section to be written: its bytes, and how many of them the directory's checksum covers.
pub(crate) struct Section {
    pub(crate) bytes: Vec<u8>,
    pub(crate) checksummed_len: usize,
}

impl ContainerWriter {
    /// Creates the file called `name`.
    pub(crate) fn create(
        backend: &Arc<dyn Backend>,
        name: &str,
        kind: FileKind,
        identity: Identity,
    ) -> Result<ContainerWriter> {
        let state = State { end: Header::SIZE as u64, buffer: Vec::new(), entries: Vec::new() };
        Ok(ContainerWriter {
            file: backend.create(name)?,
            path: format!("{}/{name}", backend.location()),
            kind,
            identity,
            state: Mutex::new(state),
        })
    }

    /// Which file it will be.
    pub(crate) fn identity(&self) -> Identity {
        self.identity
    }

    /// Writes a section of plain bytes.
    pub(crate) fn write(&self, key: SectionKey, extra: u64, bytes: &[u8]) -> Result<()> {
        self.write_built(key, extra, bytes.len() as u64, |_| {
            Ok(Section { bytes: bytes.to_vec(), checksummed_len: bytes.len() })
        })
    }

    /// Writes a section of `len` bytes that `build` makes once it is told at which offset.
    pub(crate) fn write_built(
        &self,
        key: SectionKey,
        extra: u64,
        len: u64,
        build: impl FnOnce(u64) -> Result<Section>,
    ) -> Result<()> {
        let mut state = self.state();
        if len <= GATHERED_LEN_MAX {
            let offset = self.reserve(&mut state, len)?;
            let section = build(offset)?;
            state.buffer.extend_from_slice(&section.bytes);
            state.entries.push(self.entry(key, extra, offset, &section));
            if state.buffer.len() >= BUFFER_LEN {
                self.flush(&mut state)?;
            }
            return Ok(());
        }
        self.flush(&mut state)?;
        let offset = self.reserve(&mut state, len)?;
        state.buffer.clear();
        drop(state);
        let section = build(offset)?;
        self.file.write_at(offset, &section.bytes)?;
        let entry = self.entry(key, extra, offset, &section);
        self.state().entries.push(entry);
        Ok(())
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes `len` aligned bytes at the end; the padding before them goes into the buffer.
    fn reserve(&self, state: &mut State, len: u64) -> Result<u64> {
        let alignment =
            if len > LARGE_SECTION_LEN { LARGE_SECTION_ALIGNMENT } else { SECTION_ALIGNMENT };
        let too_long = || Error::unsupported(format!("{} would be too long", self.path));
        let offset = state.end.checked_next_multiple_of(alignment).ok_or_else(too_long)?;
        let padding = usize::try_from(offset - state.end).map_err(|_| too_long())?;
        state.buffer.resize(state.buffer.len() + padding, 0);
        state.end = offset.checked_add(len).ok_or_else(too_long)?;
        Ok(offset)
    }

    /// Writes the buffer, which ends at `state.end`.
    fn flush(&self, state: &mut State) -> Result<()> {
        if !state.buffer.is_empty() {
            self.file.write_at(state.end - state.buffer.len() as u64, &state.buffer)?;
            state.buffer.clear();
        }
        Ok(())
    }

    fn entry(&self, key: SectionKey, extra: u64, offset: u64, section: &Section) -> DirectoryEntry {
        let checksummed = &section.bytes[..section.checksummed_len];
        DirectoryEntry {
            field: key.field,
            kind: key.kind,
            reserved_kind: 0,
            ordinal: key.ordinal,
            part: key.part,
            offset,
            len: checksummed.len() as u64,
            checksum: self.identity.checksum(offset, checksummed),
            extra,
            reserved: 0,
            entry_checksum: 0,
        }
    }

    /// Writes directory and header and makes the file durable.
    pub(crate) fn finish(&self) -> Result<FileReference> {
        let mut state = self.state();
        let directory_offset = self.reserve(&mut state, 0)?;
        self.flush(&mut state)?;
        state.entries.sort_unstable_by_key(DirectoryEntry::key);
        if state.entries.windows(2).any(|pair| pair[0].key() == pair[1].key()) {
            return Err(Error::internal(format!("{} has one section twice", self.path)));
        }
        let mut end = directory_offset;
        let mut directory = Vec::with_capacity(state.entries.len() * DirectoryEntry::SIZE);
        for entry in &state.entries {
            directory.extend_from_slice(&entry.to_bytes(self.identity, end));
            end += DirectoryEntry::SIZE as u64;
        }
        let entry_count = u32::try_from(state.entries.len())
            .map_err(|_| Error::unsupported(format!("{} has too many sections", self.path)))?;
        let header = Header::new(self.kind, self.identity, entry_count, (directory_offset, end));
        self.file.write_at(directory_offset, &directory)?;
        self.file.write_at(0, &header.to_bytes())?;
        self.file.sync()?;
        let fields = || state.entries.iter().map(|entry| entry.field);
        Ok(FileReference {
            id: self.identity.file,
            len: end,
            seal: self.identity.seal,
            kind: self.kind.number(),
            first_field: fields().min().unwrap_or(0),
            last_field: fields().max().unwrap_or(0),
            reserved: 0,
        })
    }

    /// Gives the finished file another name, if nothing has it.
    pub(crate) fn publish(&self, name: &str) -> Result<()> {
        self.file.publish(name)
    }
}
