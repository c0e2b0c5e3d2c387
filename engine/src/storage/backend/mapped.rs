//! Files mapped into memory: a read is a view, paid for when it is touched.
//!
//! Committed files never change, so a mapping stays valid for as long as somebody holds bytes of it,
//! even after the file was removed. Only a file cut short by somebody else while a view of it is in
//! use would end in a signal: so every read looks up the length first, and what was cut before a
//! read is an error.
#![expect(unsafe_code, reason = "mapping a file is unsafe: others could change it")]

use std::fs::File;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use memmap2::Mmap;

use super::directory::{DESCRIPTORS_MAX, Directory};
use super::{Backend, FileLock, LockMode, NewFile, too_short, vanished};
use crate::types::{Error, Result};

/// Mappings that are kept; systems allow some 65,000 in a process.
const MAPPINGS_MAX: usize = 4_096;

/// A directory whose files are mapped into memory.
#[derive(Debug)]
pub struct MappedBackend {
    directory: Directory<Mapping>,
}

#[derive(Debug)]
struct Mapping {
    /// For the length; beyond some files it is looked up by name, without a descriptor.
    file: Option<File>,
    bytes: Bytes,
}

impl MappedBackend {
    /// Uses the directory at `path`, made if it is not there.
    ///
    /// # Errors
    /// `Io`.
    pub fn create(path: &Path) -> Result<MappedBackend> {
        Ok(MappedBackend { directory: Directory::create(path, MAPPINGS_MAX)? })
    }

    /// Uses the existing directory at `path`.
    ///
    /// # Errors
    /// `Io` when there is none.
    pub fn open(path: &Path) -> Result<MappedBackend> {
        Ok(MappedBackend { directory: Directory::open(path, MAPPINGS_MAX)? })
    }

    fn mapping(&self, name: &str) -> Result<Arc<Mapping>> {
        let mapping = self.directory.keep(name, |file, kept_count| {
            let bytes = map(&file)?;
            Ok(Mapping { bytes, file: (kept_count < DESCRIPTORS_MAX).then_some(file) })
        })?;
        mapping.ok_or_else(|| vanished(&self.directory.name_of(name)))
    }

    fn current_len(&self, name: &str, mapping: &Mapping) -> Result<u64> {
        let Some(file) = &mapping.file else {
            let len = self.directory.len(name)?;
            return len.ok_or_else(|| vanished(&self.directory.name_of(name)));
        };
        let metadata = file.metadata();
        let failed = |error| Error::from_io("look at", &self.directory.name_of(name), &error);
        Ok(metadata.map_err(failed)?.len())
    }
}

fn map(file: &File) -> std::io::Result<Bytes> {
    if file.metadata()?.len() == 0 {
        return Ok(Bytes::new());
    }
    // SAFETY: only files of a database are mapped, and only for reading. Martlet never changes one
    // after it was published, and the length is looked up before each view of it is handed out.
    let mapping = unsafe { Mmap::map(file) }?;
    Ok(Bytes::from_owner(mapping))
}

impl Backend for MappedBackend {
    fn location(&self) -> String {
        self.directory.location()
    }

    fn read(&self, file: &str, range: Range<u64>) -> Result<Bytes> {
        let mapping = self.mapping(file)?;
        let path = || self.directory.name_of(file);
        let len = self.current_len(file, &mapping)?;
        let (Ok(start), Ok(end)) = (usize::try_from(range.start), usize::try_from(range.end))
        else {
            return Err(too_short(&path(), len, &range));
        };
        if range.end > len || end > mapping.bytes.len() || start > end {
            // Not to be remembered: whoever repairs the file should be able to read it.
            self.directory.forget(file);
            return Err(too_short(&path(), len, &range));
        }
        Ok(mapping.bytes.slice(start..end))
    }

    fn len(&self, file: &str) -> Result<Option<u64>> {
        self.directory.len(file)
    }

    fn create(&self, file: &str) -> Result<Box<dyn NewFile>> {
        self.directory.create_file(file)
    }

    fn list(&self) -> Result<Vec<String>> {
        self.directory.list()
    }

    fn remove(&self, file: &str) -> Result<()> {
        self.directory.remove(file)
    }

    fn sync_directory(&self) -> Result<()> {
        self.directory.sync()
    }

    fn try_lock(&self, file: &str, mode: LockMode) -> Result<Option<FileLock>> {
        self.directory.try_lock(file, mode)
    }

    fn is_zero_copy(&self) -> bool {
        true
    }
}
