//! Files read by position: every read copies into memory of its own.

use std::fs::File;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use arrow::buffer::{Buffer, MutableBuffer};
use bytes::Bytes;

use super::directory::{DESCRIPTORS_MAX, Directory, read_exact_at};
use super::{Backend, FileLock, LockMode, NewFile, aligned, too_short, vanished};
use crate::types::{Error, Result};

/// A directory whose files are read by position.
#[derive(Debug)]
pub struct PositionalBackend {
    directory: Directory<File>,
}

impl PositionalBackend {
    /// Uses the directory at `path`, made if it is not there.
    ///
    /// # Errors
    /// `Io`.
    pub fn create(path: &Path) -> Result<PositionalBackend> {
        Ok(PositionalBackend { directory: Directory::create(path, DESCRIPTORS_MAX)? })
    }

    /// Uses the existing directory at `path`.
    ///
    /// # Errors
    /// `Io` when there is none.
    pub fn open(path: &Path) -> Result<PositionalBackend> {
        Ok(PositionalBackend { directory: Directory::open(path, DESCRIPTORS_MAX)? })
    }

    fn file(&self, name: &str) -> Result<Arc<File>> {
        let file = self.directory.keep(name, |file, _| Ok(file))?;
        file.ok_or_else(|| vanished(&self.directory.name_of(name)))
    }
}

impl Backend for PositionalBackend {
    fn location(&self) -> String {
        self.directory.location()
    }

    fn read(&self, file: &str, range: Range<u64>) -> Result<Bytes> {
        let opened = self.file(file)?;
        let failed = |error| Error::from_io("read", &self.directory.name_of(file), &error);
        let len = opened.metadata().map_err(failed)?.len();
        let (true, Ok(wanted)) =
            (range.end <= len, usize::try_from(range.end.saturating_sub(range.start)))
        else {
            return Err(too_short(&self.directory.name_of(file), len, &range));
        };
        let mut target = MutableBuffer::from_len_zeroed(wanted);
        read_exact_at(&opened, target.as_slice_mut(), range.start).map_err(failed)?;
        Ok(aligned(Buffer::from(target)))
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
        false
    }
}
