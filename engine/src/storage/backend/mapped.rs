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
use std::sync::{Arc, PoisonError, RwLock};

use bytes::Bytes;
use hashbrown::HashMap;
use memmap2::Mmap;

use super::directory::{Directory, OPEN_FILES_MAX};
use super::{Backend, FileLock, LockMode, NewFile, too_short, vanished};
use crate::types::{Error, Result};

/// A directory whose files are mapped into memory.
#[derive(Debug)]
pub struct MappedBackend {
    directory: Directory,
    mappings: RwLock<HashMap<String, Arc<Mapping>>>,
}

#[derive(Debug)]
struct Mapping {
    file: File,
    bytes: Bytes,
}

impl MappedBackend {
    /// Uses the directory at `path`, made if it is not there.
    ///
    /// # Errors
    /// `Io`.
    pub fn create(path: &Path) -> Result<MappedBackend> {
        Ok(MappedBackend::over(Directory::create(path)?))
    }

    /// Uses the existing directory at `path`.
    ///
    /// # Errors
    /// `Io` when there is none.
    pub fn open(path: &Path) -> Result<MappedBackend> {
        Ok(MappedBackend::over(Directory::open(path)?))
    }

    fn over(directory: Directory) -> MappedBackend {
        MappedBackend { directory, mappings: RwLock::default() }
    }

    fn mapping(&self, name: &str) -> Result<Arc<Mapping>> {
        let mappings = self.mappings.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(mapping) = mappings.get(name) {
            return Ok(Arc::clone(mapping));
        }
        drop(mappings);
        let opened = self.directory.open_file(name)?;
        let file = opened.ok_or_else(|| vanished(&self.directory.name_of(name)))?;
        let mapping = Arc::new(Mapping {
            bytes: map(&file)
                .map_err(|error| Error::from_io("map", &self.directory.name_of(name), &error))?,
            file,
        });
        let mut mappings = self.mappings.write().unwrap_or_else(PoisonError::into_inner);
        if mappings.len() >= OPEN_FILES_MAX {
            mappings.clear();
        }
        mappings.insert(name.to_owned(), Arc::clone(&mapping));
        Ok(mapping)
    }

    fn forget(&self, name: &str) {
        self.mappings.write().unwrap_or_else(PoisonError::into_inner).remove(name);
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
        let len = mapping.file.metadata();
        let len = len.map_err(|error| Error::from_io("look at", &path(), &error))?.len();
        let (Ok(start), Ok(end)) = (usize::try_from(range.start), usize::try_from(range.end))
        else {
            return Err(too_short(&path(), len, &range));
        };
        if range.end > len || end > mapping.bytes.len() || start > end {
            // Not to be remembered: whoever repairs the file should be able to read it.
            self.forget(file);
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
        self.forget(file);
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
