//! Files in memory, for databases that live as long as their process, and for tests.
//!
//! Locks are emulated: they exclude each other between all handles of one `MemoryBackend`.

use std::fmt;
use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use arrow::buffer::Buffer;
use bytes::Bytes;
use hashbrown::HashMap;

use super::{Backend, FileLock, LockMode, NewFile, aligned, too_short, vanished};
use crate::types::{Error, Result};

/// A set of files in memory. Clones share their files.
#[derive(Clone, Default)]
pub struct MemoryBackend {
    files: Arc<Mutex<HashMap<String, Arc<MemoryFile>>>>,
}

#[derive(Default)]
struct MemoryFile {
    content: Mutex<Content>,
    lock: Mutex<LockState>,
}

enum Content {
    Growing(Vec<u8>),
    /// Once read, the content is kept where views of it can be handed out.
    Frozen(Bytes),
}

impl Default for Content {
    fn default() -> Content {
        Content::Growing(Vec::new())
    }
}

#[derive(Default)]
struct LockState {
    shared: usize,
    exclusive: bool,
}

impl fmt::Debug for MemoryBackend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MemoryBackend({} files)", self.files().len())
    }
}

impl MemoryBackend {
    /// An empty set of files.
    pub fn new() -> MemoryBackend {
        MemoryBackend::default()
    }

    fn files(&self) -> MutexGuard<'_, HashMap<String, Arc<MemoryFile>>> {
        self.files.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn file(&self, name: &str) -> Option<Arc<MemoryFile>> {
        self.files().get(name).map(Arc::clone)
    }

    /// Puts `bytes` in place of `file`, as a damaged medium would.
    #[cfg(test)]
    pub(crate) fn overwrite(&self, name: &str, bytes: &[u8]) {
        let file = MemoryFile::default();
        *file.content() = Content::Growing(bytes.to_vec());
        self.files().insert(name.to_owned(), Arc::new(file));
    }
}

impl MemoryFile {
    fn content(&self) -> MutexGuard<'_, Content> {
        self.content.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn bytes(&self) -> Bytes {
        let mut content = self.content();
        let bytes = match &mut *content {
            Content::Frozen(bytes) => return bytes.clone(),
            Content::Growing(bytes) => aligned(Buffer::from_slice_ref(&*bytes)),
        };
        *content = Content::Frozen(bytes.clone());
        bytes
    }

    fn len(&self) -> u64 {
        let len = match &*self.content() {
            Content::Growing(bytes) => bytes.len(),
            Content::Frozen(bytes) => bytes.len(),
        };
        len as u64
    }
}

impl Backend for MemoryBackend {
    fn location(&self) -> String {
        ":memory:".to_owned()
    }

    fn read(&self, file: &str, range: Range<u64>) -> Result<Bytes> {
        let bytes = self.file(file).ok_or_else(|| vanished(file))?.bytes();
        match (usize::try_from(range.start), usize::try_from(range.end)) {
            (Ok(start), Ok(end)) if start <= end && end <= bytes.len() => {
                Ok(bytes.slice(start..end))
            }
            _ => Err(too_short(file, bytes.len() as u64, &range)),
        }
    }

    fn len(&self, file: &str) -> Result<Option<u64>> {
        Ok(self.file(file).map(|file| file.len()))
    }

    fn create(&self, file: &str) -> Result<Box<dyn NewFile>> {
        let new = Arc::new(MemoryFile::default());
        match self.files().try_insert(file.to_owned(), Arc::clone(&new)) {
            Ok(_) => Ok(Box::new(NewMemoryFile { backend: self.clone(), file: new })),
            Err(_) => Err(Error::already_exists(format!("{file} exists already"))),
        }
    }

    fn list(&self) -> Result<Vec<String>> {
        Ok(self.files().keys().cloned().collect())
    }

    fn remove(&self, file: &str) -> Result<()> {
        self.files().remove(file);
        Ok(())
    }

    fn sync_directory(&self) -> Result<()> {
        Ok(())
    }

    fn try_lock(&self, file: &str, mode: LockMode) -> Result<Option<FileLock>> {
        let Some(file) = self.file(file) else { return Ok(None) };
        let mut state = file.lock.lock().unwrap_or_else(PoisonError::into_inner);
        if state.exclusive || (mode == LockMode::Exclusive && state.shared > 0) {
            return Ok(None);
        }
        match mode {
            LockMode::Shared => state.shared += 1,
            LockMode::Exclusive => state.exclusive = true,
        }
        drop(state);
        Ok(Some(FileLock::new(MemoryLock { file, mode })))
    }

    fn is_zero_copy(&self) -> bool {
        true
    }
}

struct MemoryLock {
    file: Arc<MemoryFile>,
    mode: LockMode,
}

impl Drop for MemoryLock {
    fn drop(&mut self) {
        let mut state = self.file.lock.lock().unwrap_or_else(PoisonError::into_inner);
        match self.mode {
            LockMode::Shared => state.shared -= 1,
            LockMode::Exclusive => state.exclusive = false,
        }
    }
}

struct NewMemoryFile {
    backend: MemoryBackend,
    file: Arc<MemoryFile>,
}

impl fmt::Debug for NewMemoryFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("NewMemoryFile")
    }
}

impl NewFile for NewMemoryFile {
    fn write_at(&self, offset: u64, bytes: &[u8]) -> Result<()> {
        let too_long = || Error::io("a file in memory outgrew the address space");
        let start = usize::try_from(offset).map_err(|_| too_long())?;
        let end = start.checked_add(bytes.len()).ok_or_else(too_long)?;
        let mut content = self.file.content();
        if let Content::Frozen(frozen) = &*content {
            *content = Content::Growing(frozen.to_vec());
        }
        if let Content::Growing(target) = &mut *content {
            if target.len() < end {
                target.resize(end, 0);
            }
            target[start..end].copy_from_slice(bytes);
        }
        Ok(())
    }

    fn sync(&self) -> Result<()> {
        // The writer is done: keep the content once, not as growing vector and as views.
        self.file.bytes();
        Ok(())
    }

    fn publish(&self, name: &str) -> Result<()> {
        match self.backend.files().try_insert(name.to_owned(), Arc::clone(&self.file)) {
            Ok(_) => Ok(()),
            Err(_) => Err(Error::already_exists(format!("{name} exists already"))),
        }
    }
}
