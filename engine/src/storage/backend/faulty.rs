//! A medium that fails on demand and forgets what was not synced, for tests.
//!
//! It keeps, beside what a process sees, what would be left after a power cut: contents as of the
//! last sync of each file, names as of the last sync of the directory. [`FaultyBackend::after_crash`]
//! builds what a reopening process finds, where of everything unsynced some is kept and some is lost.

use std::collections::BTreeMap;
use std::fmt;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard};

use arrow::buffer::Buffer;
use bytes::Bytes;

use super::{Backend, FileLock, LockMode, NewFile, aligned, too_short, vanished};
use crate::types::{Error, Result};

/// Which calls fail, and how.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Fault {
    /// The first call that fails, counted from 1.
    pub(crate) call: u64,
    /// Whether all later calls fail as well.
    pub(crate) sticky: bool,
    /// Whether the call does what it should before it reports failure.
    pub(crate) after_effect: bool,
}

/// A disk in memory.
#[derive(Clone, Default)]
pub(crate) struct FaultyBackend {
    disk: Arc<Mutex<Disk>>,
}

#[derive(Default)]
struct Disk {
    names: BTreeMap<String, usize>,
    durable_names: BTreeMap<String, usize>,
    files: Vec<File>,
    call_count: u64,
    fault: Option<Fault>,
}

#[derive(Clone, Default)]
struct File {
    content: Vec<u8>,
    durable: Vec<u8>,
    shared_count: usize,
    exclusive: bool,
}

impl fmt::Debug for FaultyBackend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("FaultyBackend")
    }
}

impl FaultyBackend {
    /// An empty disk without faults.
    pub(crate) fn new() -> FaultyBackend {
        FaultyBackend::default()
    }

    fn disk(&self) -> MutexGuard<'_, Disk> {
        self.disk.lock().expect("no test panics while it holds the disk")
    }

    /// Lets calls fail from now on; they are counted anew.
    pub(crate) fn set_fault(&self, fault: Option<Fault>) {
        let mut disk = self.disk();
        disk.fault = fault;
        disk.call_count = 0;
    }

    /// How many calls there were since the fault was set.
    pub(crate) fn call_count(&self) -> u64 {
        self.disk().call_count
    }

    /// The disk of another process that opens it now, with all locks gone.
    pub(crate) fn reopened(&self) -> FaultyBackend {
        let disk = self.disk();
        FaultyBackend::holding(disk.names.clone(), disk.files.iter().map(|f| f.content.clone()))
    }

    /// The disk after a power cut: `seed` 0 loses everything that was not synced, `u64::MAX` nothing,
    /// others keep a part of the names and of the contents, and tear contents in the middle.
    pub(crate) fn after_crash(&self, seed: u64) -> FaultyBackend {
        let disk = self.disk();
        let mut names = disk.durable_names.clone();
        for name in disk.names.keys().chain(disk.durable_names.keys()) {
            if draw(seed, name) > 0 {
                match disk.names.get(name) {
                    Some(file) => names.insert(name.clone(), *file),
                    None => names.remove(name),
                };
            }
        }
        let contents =
            disk.files.iter().enumerate().map(|(index, file)| match draw(seed, &index) {
                0 => file.durable.clone(),
                1 if file.content != file.durable => {
                    file.content[..file.content.len() / 2].to_vec()
                }
                _ => file.content.clone(),
            });
        FaultyBackend::holding(names, contents)
    }

    fn holding(
        names: BTreeMap<String, usize>,
        contents: impl Iterator<Item = Vec<u8>>,
    ) -> FaultyBackend {
        let files =
            contents.map(|content| File { durable: content.clone(), content, ..File::default() });
        let disk =
            Disk { durable_names: names.clone(), names, files: files.collect(), ..Disk::default() };
        FaultyBackend { disk: Arc::new(Mutex::new(disk)) }
    }
}

/// 0 to lose, 1 to keep in part, more to keep.
fn draw(seed: u64, what: &impl Hash) -> u64 {
    if seed == 0 || seed == u64::MAX {
        return seed.min(2);
    }
    let mut hasher = DefaultHasher::new();
    (seed, what).hash(&mut hasher);
    hasher.finish() % 4
}

impl Disk {
    /// Counts a call and does `effect`, unless it is to fail.
    fn call<T>(&mut self, effect: impl FnOnce(&mut Disk) -> Result<T>) -> Result<T> {
        self.call_count += 1;
        let count = self.call_count;
        let fault =
            self.fault.filter(|fault| count == fault.call || (fault.sticky && count > fault.call));
        match fault {
            None => effect(self),
            Some(fault) => {
                if fault.after_effect {
                    effect(self)?;
                }
                Err(Error::io(format!("call {count} failed on demand")))
            }
        }
    }

    fn file(&self, name: &str) -> Result<&File> {
        let index = self.names.get(name).ok_or_else(|| vanished(name))?;
        Ok(&self.files[*index])
    }
}

impl Backend for FaultyBackend {
    fn location(&self) -> String {
        ":faulty:".to_owned()
    }

    fn read(&self, file: &str, range: Range<u64>) -> Result<Bytes> {
        self.disk().call(|disk| {
            let content = &disk.file(file)?.content;
            let wanted = usize::try_from(range.start).ok().zip(usize::try_from(range.end).ok());
            let bytes = wanted.and_then(|(start, end)| content.get(start..end));
            let bytes = bytes.ok_or_else(|| too_short(file, content.len() as u64, &range))?;
            Ok(aligned(Buffer::from_slice_ref(bytes)))
        })
    }

    fn len(&self, file: &str) -> Result<Option<u64>> {
        self.disk().call(|disk| Ok(disk.file(file).ok().map(|file| file.content.len() as u64)))
    }

    fn create(&self, file: &str) -> Result<Box<dyn NewFile>> {
        let index = self.disk().call(|disk| {
            if disk.names.contains_key(file) {
                return Err(Error::already_exists(format!("{file} exists already")));
            }
            let index = disk.files.len();
            disk.files.push(File::default());
            disk.names.insert(file.to_owned(), index);
            Ok(index)
        })?;
        Ok(Box::new(NewFaultyFile { backend: self.clone(), index }))
    }

    fn list(&self) -> Result<Vec<String>> {
        self.disk().call(|disk| Ok(disk.names.keys().cloned().collect()))
    }

    fn remove(&self, file: &str) -> Result<()> {
        self.disk().call(|disk| {
            disk.names.remove(file);
            Ok(())
        })
    }

    fn sync_directory(&self) -> Result<()> {
        self.disk().call(|disk| {
            disk.durable_names = disk.names.clone();
            Ok(())
        })
    }

    fn try_lock(&self, file: &str, mode: LockMode) -> Result<Option<FileLock>> {
        let mut disk = self.disk();
        let Some(index) = disk.names.get(file).copied() else { return Ok(None) };
        let state = &mut disk.files[index];
        if state.exclusive || (mode == LockMode::Exclusive && state.shared_count > 0) {
            return Ok(None);
        }
        match mode {
            LockMode::Shared => state.shared_count += 1,
            LockMode::Exclusive => state.exclusive = true,
        }
        Ok(Some(FileLock::new(HeldLock { backend: self.clone(), index, mode })))
    }

    fn is_zero_copy(&self) -> bool {
        false
    }
}

struct HeldLock {
    backend: FaultyBackend,
    index: usize,
    mode: LockMode,
}

impl Drop for HeldLock {
    fn drop(&mut self) {
        let state = &mut self.backend.disk().files[self.index];
        match self.mode {
            LockMode::Shared => state.shared_count -= 1,
            LockMode::Exclusive => state.exclusive = false,
        }
    }
}

#[derive(Debug)]
struct NewFaultyFile {
    backend: FaultyBackend,
    index: usize,
}

impl NewFile for NewFaultyFile {
    fn write_at(&self, offset: u64, bytes: &[u8]) -> Result<()> {
        self.backend.disk().call(|disk| {
            let content = &mut disk.files[self.index].content;
            let start = usize::try_from(offset).expect("tests write small files");
            let end = start + bytes.len();
            content.resize(content.len().max(end), 0);
            content[start..end].copy_from_slice(bytes);
            Ok(())
        })
    }

    fn sync(&self) -> Result<()> {
        self.backend.disk().call(|disk| {
            let file = &mut disk.files[self.index];
            file.durable = file.content.clone();
            Ok(())
        })
    }

    fn publish(&self, name: &str) -> Result<()> {
        self.backend.disk().call(|disk| {
            if disk.names.contains_key(name) {
                return Err(Error::already_exists(format!("{name} exists already")));
            }
            disk.names.insert(name.to_owned(), self.index);
            Ok(())
        })
    }
}
