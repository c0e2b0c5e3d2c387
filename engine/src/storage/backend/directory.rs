//! What the two backends over a directory share: names, creation, links, locks.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use hashbrown::HashMap;

use super::{FileLock, LockMode, NewFile};
use crate::types::{Error, Result};

/// Descriptors that a backend keeps for reading, and as many again for writing. A process may often
/// have no more than 256 or 1,024 in all.
pub(super) const DESCRIPTORS_MAX: usize = 64;

/// A directory of files, some of which are kept open as `T` to be read.
#[derive(Debug)]
pub(super) struct Directory<T> {
    path: PathBuf,
    kept: RwLock<HashMap<String, Arc<T>>>,
    kept_max: usize,
    /// Files being written that have a descriptor.
    written: Arc<AtomicUsize>,
}

impl<T> Directory<T> {
    pub(super) fn create(path: &Path, kept_max: usize) -> Result<Directory<T>> {
        fs::create_dir_all(path).map_err(|error| {
            Error::from_io("create the directory", &path.display().to_string(), &error)
        })?;
        Ok(Directory::over(path, kept_max))
    }

    pub(super) fn open(path: &Path, kept_max: usize) -> Result<Directory<T>> {
        if path.is_file() {
            return Err(Error::io(format!(
                "{} is a file, but a database is a directory",
                path.display()
            ))
            .with_hint("to ask a Parquet file: SELECT … FROM 'file.parquet'"));
        }
        if !path.is_dir() {
            return Err(Error::io(format!("there is no directory {}", path.display())));
        }
        Ok(Directory::over(path, kept_max))
    }

    fn over(path: &Path, kept_max: usize) -> Directory<T> {
        let (kept, written) = (RwLock::default(), Arc::default());
        Directory { path: path.to_owned(), kept, kept_max, written }
    }

    /// What is kept of `file`, opened by `open` if need be; that is told how many others are kept.
    /// `None` when there is no such file.
    pub(super) fn keep(
        &self,
        file: &str,
        open: impl Fn(File, usize) -> io::Result<T>,
    ) -> Result<Option<Arc<T>>> {
        let kept = self.kept.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(opened) = kept.get(file) {
            return Ok(Some(Arc::clone(opened)));
        }
        let count = kept.len();
        drop(kept);
        let opened = self.with_descriptor(|| {
            // With all descriptors closed there is room for this one's.
            let count = if count >= self.kept_max { 0 } else { count };
            open(File::open(self.path_of(file))?, count)
        });
        let opened = match opened {
            Ok(opened) => Arc::new(opened),
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(Error::from_io("open", &self.name_of(file), &error)),
        };
        let mut kept = self.kept.write().unwrap_or_else(PoisonError::into_inner);
        if kept.len() >= self.kept_max {
            kept.clear();
        }
        kept.insert(file.to_owned(), Arc::clone(&opened));
        Ok(Some(opened))
    }

    /// Keeps nothing of `file` any more.
    pub(super) fn forget(&self, file: &str) {
        self.kept.write().unwrap_or_else(PoisonError::into_inner).remove(file);
    }

    /// Does something that needs a descriptor; when there is none, lets go of what is kept and does
    /// it again.
    fn with_descriptor<R>(&self, run: impl Fn() -> io::Result<R>) -> io::Result<R> {
        match run() {
            Err(error) if has_no_descriptor(&error) => {
                self.kept.write().unwrap_or_else(PoisonError::into_inner).clear();
                run()
            }
            done => done,
        }
    }

    pub(super) fn location(&self) -> String {
        self.path.display().to_string()
    }

    pub(super) fn path_of(&self, file: &str) -> PathBuf {
        self.path.join(file)
    }

    /// The path of `file` for messages.
    pub(super) fn name_of(&self, file: &str) -> String {
        self.path_of(file).display().to_string()
    }

    pub(super) fn len(&self, file: &str) -> Result<Option<u64>> {
        match fs::metadata(self.path_of(file)) {
            Ok(metadata) => Ok(Some(metadata.len())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(Error::from_io("look at", &self.name_of(file), &error)),
        }
    }

    pub(super) fn create_file(&self, file: &str) -> Result<Box<dyn NewFile>> {
        let path = self.path_of(file);
        let opened = self.with_descriptor(|| {
            OpenOptions::new().read(true).write(true).create_new(true).open(&path)
        });
        match opened {
            Ok(opened) => Ok(Box::new(DirectoryFile::new(opened, path, &self.written))),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                Err(Error::already_exists(format!("{} exists already", path.display())))
            }
            Err(error) => Err(Error::from_io("create", &self.name_of(file), &error)),
        }
    }

    pub(super) fn list(&self) -> Result<Vec<String>> {
        let failed = |error| Error::from_io("list", &self.location(), &error);
        let mut names = Vec::new();
        for entry in self.with_descriptor(|| fs::read_dir(&self.path)).map_err(failed)? {
            // A name that is no UTF-8 is none of ours.
            if let Ok(name) = entry.map_err(failed)?.file_name().into_string() {
                names.push(name);
            }
        }
        Ok(names)
    }

    pub(super) fn remove(&self, file: &str) -> Result<()> {
        self.forget(file);
        match fs::remove_file(self.path_of(file)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(Error::from_io("remove", &self.name_of(file), &error))
            }
            _ => Ok(()),
        }
    }

    pub(super) fn sync(&self) -> Result<()> {
        // Windows has no fsync of directories; NTFS journals its names.
        if cfg!(windows) {
            return Ok(());
        }
        self.with_descriptor(|| File::open(&self.path)?.sync_all())
            .map_err(|error| Error::from_io("sync the directory", &self.location(), &error))
    }

    pub(super) fn try_lock(&self, file: &str, mode: LockMode) -> Result<Option<FileLock>> {
        let opened = match self.with_descriptor(|| File::open(self.path_of(file))) {
            Ok(opened) => opened,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(Error::from_io("open", &self.name_of(file), &error)),
        };
        let locked = match mode {
            LockMode::Shared => opened.try_lock_shared(),
            LockMode::Exclusive => opened.try_lock(),
        };
        match locked {
            Ok(()) => Ok(Some(FileLock::new(LockedFile(opened)))),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => {
                Err(Error::from_io("lock", &self.name_of(file), &error))
            }
        }
    }
}

/// Unlocked by name when it is dropped: closing would leave the lock to a process that is being
/// started by another thread, until that has closed its copy of the descriptor.
struct LockedFile(File);

impl Drop for LockedFile {
    fn drop(&mut self) {
        // If that fails, closing has to do.
        drop(self.0.unlock());
    }
}

/// Whether the process, or the machine, has as many descriptors as it may.
fn has_no_descriptor(error: &io::Error) -> bool {
    /// `ENFILE` and `EMFILE`, the same numbers on all Unix systems.
    const NONE_LEFT: [i32; 2] = [23, 24];
    cfg!(unix) && error.raw_os_error().is_some_and(|code| NONE_LEFT.contains(&code))
}

/// A file being written. A load writes one file per row group, all at once: beyond some they are
/// opened for each call, and the system syncs a file's bytes whichever descriptor wrote them.
#[derive(Debug)]
struct DirectoryFile {
    /// `None` beyond [`DESCRIPTORS_MAX`].
    file: Option<File>,
    path: PathBuf,
    written: Arc<AtomicUsize>,
}

impl DirectoryFile {
    fn new(file: File, path: PathBuf, written: &Arc<AtomicUsize>) -> DirectoryFile {
        let written = Arc::clone(written);
        let has_room = written.fetch_add(1, Ordering::Relaxed) < DESCRIPTORS_MAX;
        if !has_room {
            written.fetch_sub(1, Ordering::Relaxed);
        }
        DirectoryFile { file: has_room.then_some(file), path, written }
    }

    fn with_file(&self, run: impl FnOnce(&File) -> io::Result<()>) -> io::Result<()> {
        match &self.file {
            Some(file) => run(file),
            None => run(&OpenOptions::new().read(true).write(true).open(&self.path)?),
        }
    }

    fn failed(&self, action: &str, error: &io::Error) -> Error {
        Error::from_io(action, &self.path.display().to_string(), error)
    }
}

impl NewFile for DirectoryFile {
    fn write_at(&self, offset: u64, bytes: &[u8]) -> Result<()> {
        self.with_file(|file| write_all_at(file, bytes, offset))
            .map_err(|error| self.failed("write to", &error))
    }

    fn sync(&self) -> Result<()> {
        self.with_file(File::sync_all).map_err(|error| self.failed("sync", &error))
    }

    fn publish(&self, name: &str) -> Result<()> {
        let target = self.path.with_file_name(name);
        fs::hard_link(&self.path, &target).map_err(|error| match error.kind() {
            io::ErrorKind::AlreadyExists => {
                Error::already_exists(format!("{} exists already", target.display()))
            }
            _ => Error::from_io("publish", &target.display().to_string(), &error),
        })
    }
}

impl Drop for DirectoryFile {
    fn drop(&mut self) {
        if self.file.is_some() {
            self.written.fetch_sub(1, Ordering::Relaxed);
        }
    }
}

#[cfg(unix)]
fn write_all_at(file: &File, bytes: &[u8], offset: u64) -> io::Result<()> {
    std::os::unix::fs::FileExt::write_all_at(file, bytes, offset)
}

#[cfg(unix)]
pub(super) fn read_exact_at(file: &File, target: &mut [u8], offset: u64) -> io::Result<()> {
    std::os::unix::fs::FileExt::read_exact_at(file, target, offset)
}

#[cfg(windows)]
fn write_all_at(file: &File, mut bytes: &[u8], mut offset: u64) -> io::Result<()> {
    use std::os::windows::fs::FileExt;
    while !bytes.is_empty() {
        let written = file.seek_write(bytes, offset)?;
        if written == 0 {
            return Err(io::ErrorKind::WriteZero.into());
        }
        bytes = &bytes[written..];
        offset += written as u64;
    }
    Ok(())
}

#[cfg(windows)]
pub(super) fn read_exact_at(file: &File, mut target: &mut [u8], mut offset: u64) -> io::Result<()> {
    use std::os::windows::fs::FileExt;
    while !target.is_empty() {
        let read = file.seek_read(target, offset)?;
        if read == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        target = &mut target[read..];
        offset += read as u64;
    }
    Ok(())
}
