//! Opens a container and reads single sections of it.

use std::cmp::Ordering;
use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;

use crate::storage::backend::Backend;
use crate::storage::format::{
    DirectoryEntry, FileKind, FileReference, Header, Identity, SectionKey, Wire,
};
use crate::types::{Error, Result};

/// Entries that are read at once: 4 KiB of them.
const WINDOW: u32 = 64;

/// A committed file.
#[derive(Debug)]
pub(crate) struct ContainerFile {
    backend: Arc<dyn Backend>,
    name: String,
    header: Header,
}

impl ContainerFile {
    /// Opens the file called `name`, which must be of `kind` and say itself that it is number `id`.
    pub(crate) fn open(
        backend: &Arc<dyn Backend>,
        name: &str,
        kind: FileKind,
        id: u64,
    ) -> Result<ContainerFile> {
        let file_len = backend
            .len(name)?
            .ok_or_else(|| Error::corrupt(format!("{} is missing", path(&**backend, name))))?;
        let path = path(&**backend, name);
        let bytes = backend.read(name, 0..Header::SIZE as u64)?;
        let header = Header::parse(&bytes, &path, file_len)?;
        if header.kind != kind.number() || header.file_id != id {
            return Err(Error::corrupt(format!("{path} is another file of a database")));
        }
        Ok(ContainerFile { backend: Arc::clone(backend), name: name.to_owned(), header })
    }

    /// Opens the file that a manifest of `database` names.
    pub(crate) fn open_referenced(
        backend: &Arc<dyn Backend>,
        reference: &FileReference,
        database: [u8; 16],
    ) -> Result<ContainerFile> {
        let name = reference.file_name()?;
        let kind = FileKind::from_number(reference.kind).expect("file_name checked the kind");
        let file = ContainerFile::open(backend, &name, kind, reference.id)?;
        let header = &file.header;
        let expected = (database, reference.seal, reference.len);
        if (header.database, header.seal, header.file_len) != expected {
            return Err(Error::corrupt(format!(
                "{} is not the file that the manifest names, but another of its name",
                file.path()
            )));
        }
        Ok(file)
    }

    /// Where the file is, for messages.
    pub(crate) fn path(&self) -> String {
        path(&*self.backend, &self.name)
    }

    /// Which file it is.
    pub(crate) fn identity(&self) -> Identity {
        self.header.identity()
    }

    /// Whether reads cost no memory of their own, so that what was verified stays verified.
    pub(crate) fn is_zero_copy(&self) -> bool {
        self.backend.is_zero_copy()
    }

    /// How many sections the file has.
    #[cfg(test)]
    pub(crate) fn entry_count(&self) -> u32 {
        self.header.entry_count
    }

    /// Bytes that no checksum of their own covers; the caller verifies them.
    pub(crate) fn read(&self, range: Range<u64>) -> Result<Bytes> {
        self.backend.read(&self.name, range)
    }

    /// The section with `key` and its place in the directory.
    ///
    /// Every entry that the search looks at is verified, so "not there" can be believed.
    pub(crate) fn find(&self, key: SectionKey) -> Result<Option<(u32, DirectoryEntry)>> {
        let mut places = 0..self.header.entry_count;
        while places.end - places.start > WINDOW {
            let middle = places.start.midpoint(places.end);
            match self.entry(middle)?.key().cmp(&key) {
                Ordering::Less => places.start = middle + 1,
                Ordering::Equal => places = middle..middle + 1,
                Ordering::Greater => places.end = middle,
            }
        }
        let start = self.entry_offset(places.start);
        let bytes = self.read(start..self.entry_offset(places.end))?;
        let path = self.path();
        for (place, bytes) in places.zip(bytes.chunks_exact(DirectoryEntry::SIZE)) {
            let offset = self.entry_offset(place);
            let entry = DirectoryEntry::parse(bytes, self.identity(), offset, &path)?;
            match entry.key().cmp(&key) {
                Ordering::Less => {}
                Ordering::Equal => return Ok(Some((place, entry))),
                Ordering::Greater => break,
            }
        }
        Ok(None)
    }

    /// All entries of the directory.
    pub(crate) fn entries(&self) -> Result<Vec<DirectoryEntry>> {
        let count = self.header.entry_count;
        let bytes = self.read(self.header.directory_offset..self.entry_offset(count))?;
        let path = self.path();
        let entries = (0..count).zip(bytes.chunks_exact(DirectoryEntry::SIZE));
        entries
            .map(|(place, bytes)| {
                DirectoryEntry::parse(bytes, self.identity(), self.entry_offset(place), &path)
            })
            .collect()
    }

    /// The entry at `place` of the directory.
    pub(crate) fn entry(&self, place: u32) -> Result<DirectoryEntry> {
        if place >= self.header.entry_count {
            return Err(Error::corrupt(format!("{} has no section {place}", self.path())));
        }
        let offset = self.entry_offset(place);
        let bytes = self.read(offset..self.entry_offset(place + 1))?;
        DirectoryEntry::parse(&bytes, self.identity(), offset, &self.path())
    }

    fn entry_offset(&self, place: u32) -> u64 {
        self.header.directory_offset + u64::from(place) * DirectoryEntry::SIZE as u64
    }

    /// The bytes of a section that has to be there.
    pub(crate) fn section(&self, key: SectionKey) -> Result<Bytes> {
        let (_, entry) = self.find(key)?.ok_or_else(|| self.missing(key))?;
        self.read_section(&entry)
    }

    /// The error of a section that should be there.
    pub(crate) fn missing(&self, key: SectionKey) -> Error {
        Error::corrupt(format!(
            "{} has no section of kind {} with ordinal {} for field {}",
            self.path(),
            key.kind,
            key.ordinal,
            key.field
        ))
    }

    /// The bytes of the section at `entry`, verified.
    pub(crate) fn read_section(&self, entry: &DirectoryEntry) -> Result<Bytes> {
        let end = entry.offset.checked_add(entry.len);
        let end = end.filter(|end| *end <= self.header.directory_offset).ok_or_else(|| {
            Error::corrupt(format!("{}: a section lies outside of the file", self.path()))
        })?;
        let bytes = self.read(entry.offset..end)?;
        self.verify(entry.offset, &bytes, entry.checksum)?;
        Ok(bytes)
    }

    /// Checks bytes that were read at `offset`.
    pub(crate) fn verify(&self, offset: u64, bytes: &[u8], checksum: u64) -> Result<()> {
        if self.identity().checksum(offset, bytes) != checksum {
            return Err(Error::corrupt(format!(
                "{}: the {} bytes at byte {offset} do not match their checksum",
                self.path(),
                bytes.len()
            )));
        }
        Ok(())
    }
}

fn path(backend: &dyn Backend, name: &str) -> String {
    format!("{}/{name}", backend.location())
}
