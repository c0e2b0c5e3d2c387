//! The byte sections of a run, as they go into a file and come out of it.
//!
//! Must not know what file that is.

use std::fmt;
use std::sync::Arc;

use bytes::Bytes;

use crate::types::{Error, Result};

/// A run as it is stored: section 0 is its directory, section 1 its insertion ranks (may be empty),
/// the rest are the chunks of values.
#[derive(Clone, Debug, Default)]
pub struct EncodedRun {
    /// How many values it has.
    pub value_count: u32,
    /// The sections in order; each is read, and has its checksum, on its own.
    pub sections: Vec<Section>,
}

/// A section on its way into a file.
#[derive(Clone, Debug)]
pub enum Section {
    /// It waits in memory.
    Memory(Bytes),
    /// It waits in a spool.
    Spooled(Arc<dyn SpooledSection>),
}

impl Section {
    /// Its bytes.
    ///
    /// # Errors
    /// As reading the spool.
    pub fn bytes(&self) -> Result<Bytes> {
        match self {
            Section::Memory(bytes) => Ok(bytes.clone()),
            Section::Spooled(section) => section.read(),
        }
    }
}

/// Keeps sections out of memory until a file takes them, or a merge the values in them.
pub trait SectionSpool: fmt::Debug + Send + Sync {
    /// Takes a section.
    ///
    /// # Errors
    /// `Io`.
    fn store(&self, section: &[u8]) -> Result<Arc<dyn SpooledSection>>;
}

/// A spool, and from how many bytes on it is used.
#[derive(Clone, Copy, Debug)]
pub struct SpoolBeyond<'a> {
    /// Where sections go.
    pub spool: &'a dyn SectionSpool,
    /// Bytes of sections that stay in memory.
    pub memory_bytes_max: usize,
}

/// A section in a spool.
pub trait SpooledSection: fmt::Debug + Send + Sync {
    /// Its bytes, as they were stored.
    ///
    /// # Errors
    /// `Io`.
    fn read(&self) -> Result<Bytes>;
}

/// Reads the sections of one run, whose checksums the implementation verifies.
pub trait RunSections: fmt::Debug + Send + Sync {
    /// The bytes of section `index`, as [`EncodedRun::sections`] had them.
    ///
    /// # Errors
    /// `Corrupt` or `Io`; also when there is no such section.
    fn section(&self, index: u32) -> Result<Bytes>;

    /// Takes room to keep `bytes` of opened values in memory; `false` when there is none.
    fn reserve(&self, _bytes: usize) -> bool {
        true
    }

    /// Gives back what [`reserve`](RunSections::reserve) took.
    fn release(&self, _bytes: usize) {}
}

impl RunSections for Vec<Section> {
    fn section(&self, index: u32) -> Result<Bytes> {
        usize::try_from(index)
            .ok()
            .and_then(|index| self.get(index))
            .ok_or_else(|| Error::corrupt(format!("a run has no section {index}")))?
            .bytes()
    }
}
