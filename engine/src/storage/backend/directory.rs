//! What the two backends over a directory share: names, creation, links, locks.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use super::{FileLock, LockMode, NewFile};
use crate::types::{Error, Result};

/// Open files kept by a backend; beyond this many they are closed and opened anew.
pub(super) const OPEN_FILES_MAX: usize = 256;

/// A directory of files.
#[derive(Debug)]
pub(super) struct Directory {
    path: PathBuf,
}

impl Directory {
    pub(super) fn create(path: &Path) -> Result<Directory> {
        fs::create_dir_all(path).map_err(|error| {
            Error::from_io("create the directory", &path.display().to_string(), &error)
        })?;
        Ok(Directory { path: path.to_owned() })
    }

    pub(super) fn open(path: &Path) -> Result<Directory> {
        if !path.is_dir() {
            return Err(Error::io(format!("there is no directory {}", path.display())));
        }
        Ok(Directory { path: path.to_owned() })
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

    pub(super) fn open_file(&self, file: &str) -> Result<Option<File>> {
        match File::open(self.path_of(file)) {
            Ok(opened) => Ok(Some(opened)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(Error::from_io("open", &self.name_of(file), &error)),
        }
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
        let opened = OpenOptions::new().read(true).write(true).create_new(true).open(&path);
        match opened {
            Ok(opened) => Ok(Box::new(DirectoryFile { file: opened, path })),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                Err(Error::already_exists(format!("{} exists already", path.display())))
            }
            Err(error) => Err(Error::from_io("create", &self.name_of(file), &error)),
        }
    }

    pub(super) fn list(&self) -> Result<Vec<String>> {
        let failed = |error| Error::from_io("list", &self.location(), &error);
        let mut names = Vec::new();
        for entry in fs::read_dir(&self.path).map_err(failed)? {
            // A name that is no UTF-8 is none of ours.
            if let Ok(name) = entry.map_err(failed)?.file_name().into_string() {
                names.push(name);
            }
        }
        Ok(names)
    }

    pub(super) fn remove(&self, file: &str) -> Result<()> {
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
        File::open(&self.path)
            .and_then(|directory| directory.sync_all())
            .map_err(|error| Error::from_io("sync the directory", &self.location(), &error))
    }

    pub(super) fn try_lock(&self, file: &str, mode: LockMode) -> Result<Option<FileLock>> {
        let Some(opened) = self.open_file(file)? else { return Ok(None) };
        let locked = match mode {
            LockMode::Shared => opened.try_lock_shared(),
            LockMode::Exclusive => opened.try_lock(),
        };
        match locked {
            Ok(()) => Ok(Some(FileLock::new(opened))),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => {
                Err(Error::from_io("lock", &self.name_of(file), &error))
            }
        }
    }
}

#[derive(Debug)]
struct DirectoryFile {
    file: File,
    path: PathBuf,
}

impl DirectoryFile {
    fn failed(&self, action: &str, error: &io::Error) -> Error {
        Error::from_io(action, &self.path.display().to_string(), error)
    }
}

impl NewFile for DirectoryFile {
    fn write_at(&self, offset: u64, bytes: &[u8]) -> Result<()> {
        write_all_at(&self.file, bytes, offset).map_err(|error| self.failed("write to", &error))
    }

    fn sync(&self) -> Result<()> {
        self.file.sync_all().map_err(|error| self.failed("sync", &error))
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
