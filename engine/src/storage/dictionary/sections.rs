//! The byte sections of a run, as they go into a file and come out of it.
//!
//! Must not know what file that is.

use std::fmt;

use bytes::Bytes;

use crate::types::Result;

/// A run as it is stored: section 0 is its directory, section 1 its insertion ranks (may be empty),
/// the rest are the chunks of values.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EncodedRun {
    /// How many values it has.
    pub value_count: u32,
    /// The sections in order; each is read, and has its checksum, on its own.
    pub sections: Vec<Vec<u8>>,
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

impl RunSections for Vec<Bytes> {
    fn section(&self, index: u32) -> Result<Bytes> {
        usize::try_from(index)
            .ok()
            .and_then(|index| self.get(index))
            .cloned()
            .ok_or_else(|| crate::types::Error::corrupt(format!("a run has no section {index}")))
    }
}
