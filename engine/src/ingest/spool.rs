//! A temporary file for what waits longer than memory allows.
//!
//! Pieces are appended and read back by position, in any order and from several threads. The file
//! is gone when the spool is dropped; on Unix its name is gone at once, so that nothing is left
//! behind by a killed process. Must not know what the pieces are.

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::process;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;

use crate::storage::dictionary::{SectionSpool, SpooledSection};
use crate::types::{Error, Result};

/// Where a piece lies in its spool.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    offset: u64,
    pub(super) len: usize,
}

/// A temporary file. Cloning shares it.
#[derive(Clone, Debug)]
pub(super) struct Spool(Arc<State>);

#[derive(Debug)]
struct State {
    folder: PathBuf,
    file: Mutex<Option<OpenFile>>,
}

#[derive(Debug)]
struct OpenFile {
    file: File,
    path: PathBuf,
    len: u64,
}

impl Drop for OpenFile {
    fn drop(&mut self) {
        // Where the name is gone already, or the folder with it, there is nothing left to do.
        let _gone = fs::remove_file(&self.path);
    }
}

impl Spool {
    /// A spool in `folder` (the system's folder for temporary files when `None`), which makes its
    /// file when first used.
    pub(super) fn new(folder: Option<&Path>) -> Spool {
        let folder = folder.map_or_else(std::env::temp_dir, Path::to_owned);
        Spool(Arc::new(State { folder, file: Mutex::new(None) }))
    }

    /// Appends a piece.
    ///
    /// # Errors
    /// `Io`.
    pub(super) fn append(&self, bytes: &[u8]) -> Result<Place> {
        let mut guard = self.lock();
        if guard.is_none() {
            *guard = Some(create(&self.0.folder)?);
        }
        let Some(open) = guard.as_mut() else {
            return Err(Error::internal("a spool lost its file"));
        };
        let place = Place { offset: open.len, len: bytes.len() };
        open.file
            .seek(SeekFrom::Start(open.len))
            .and_then(|_| open.file.write_all(bytes))
            .map_err(|error| not_written(&self.0.folder, &open.path, &error))?;
        open.len += u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        Ok(place)
    }

    /// Reads a piece back.
    ///
    /// # Errors
    /// `Io`.
    pub(super) fn read(&self, place: Place) -> Result<Vec<u8>> {
        let mut guard = self.lock();
        let Some(open) = guard.as_mut() else {
            return Err(Error::internal("a piece is read from a spool that has none"));
        };
        let mut bytes = vec![0; place.len];
        open.file
            .seek(SeekFrom::Start(place.offset))
            .and_then(|_| open.file.read_exact(&mut bytes))
            .map_err(|error| Error::from_io("read", &open.path.display().to_string(), &error))?;
        Ok(bytes)
    }

    fn lock(&self) -> MutexGuard<'_, Option<OpenFile>> {
        // Another thread's panic leaves the length as of the last whole piece: still right.
        self.0.file.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn create(folder: &Path) -> Result<OpenFile> {
    /// Distinguishes the spools of one process.
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    let path = folder.join(format!("martlet-spool-{}-{number}", process::id()));
    let mut options = OpenOptions::new();
    options.read(true).write(true).create_new(true);
    let file = options
        .open(&path)
        .map_err(|error| Error::from_io("create", &path.display().to_string(), &error))?;
    if cfg!(unix) {
        fs::remove_file(&path)
            .map_err(|error| Error::from_io("unlink", &path.display().to_string(), &error))?;
    }
    Ok(OpenFile { file, path, len: 0 })
}

/// Why a piece is not in the file at `path`: with the folder, which may be full, and what to do then.
fn not_written(folder: &Path, path: &Path, error: &io::Error) -> Error {
    let told = Error::from_io("write", &path.display().to_string(), error);
    match error.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => {
            let folder = folder.display();
            let told = told.context(format!("the folder for temporary files, {folder}, is full"));
            told.with_hint(format!("free some space in {folder}, or name another folder: TMPDIR=…"))
        }
        _ => told,
    }
}

/// A section of a run in a spool.
#[derive(Debug)]
struct Spooled {
    spool: Spool,
    place: Place,
}

impl SpooledSection for Spooled {
    fn read(&self) -> Result<Bytes> {
        Ok(self.spool.read(self.place)?.into())
    }
}

impl SectionSpool for Spool {
    fn store(&self, section: &[u8]) -> Result<Arc<dyn SpooledSection>> {
        Ok(Arc::new(Spooled { spool: self.clone(), place: self.append(section)? }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_come_back_in_any_order() -> Result<()> {
        let spool = Spool::new(None);
        let pieces: Vec<Vec<u8>> = (0..20_u8).map(|len| vec![len; usize::from(len)]).collect();
        let places: Result<Vec<Place>> = pieces.iter().map(|piece| spool.append(piece)).collect();
        for (place, piece) in places?.into_iter().zip(&pieces).rev() {
            assert_eq!(&spool.read(place)?, piece);
        }
        Ok(())
    }

    #[test]
    fn a_full_folder_is_named() {
        let (folder, path) = (Path::new("/scratch"), Path::new("/scratch/spool"));
        let error = not_written(folder, path, &ErrorKind::StorageFull.into());
        assert!(error.message().contains("temporary files, /scratch, is full"), "{error}");
        assert!(error.hint().unwrap().contains("space in /scratch"), "{error}");
        let error = not_written(folder, path, &ErrorKind::PermissionDenied.into());
        assert!(error.message().starts_with("cannot write /scratch/spool: "), "{error}");
    }

    #[test]
    fn a_folder_that_is_not_there_is_named() {
        let spool = Spool::new(Some(Path::new("/nowhere/at/all")));
        let error = spool.append(b"x").unwrap_err();
        assert!(error.message().contains("/nowhere/at/all"), "{error}");
    }
}
