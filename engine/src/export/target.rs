//! A file that appears under its name when it is whole.
//!
//! It is written under another name in the same folder, synced, and renamed; then the folder is synced.
//! Whoever is killed in between leaves the old file, and one that begins with a dot and `.martlet-`.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::types::{Error, Result};

/// How a text file is compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TargetCompression {
    /// Not at all.
    None,
    /// gzip.
    Gzip,
    /// Zstandard.
    Zstd,
}

/// A file being written.
#[derive(Debug)]
pub struct Target {
    stream: Option<Stream>,
    temporary: PathBuf,
    path: PathBuf,
}

enum Stream {
    Plain(BufWriter<File>),
    Gzip(flate2::write::GzEncoder<BufWriter<File>>),
    #[cfg(feature = "zstd")]
    Zstd(zstd::stream::write::Encoder<'static, BufWriter<File>>),
}

impl std::fmt::Debug for Stream {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Stream")
    }
}

impl Target {
    /// Begins to write the file at `path`; what is there stays until [`Target::finish`].
    ///
    /// # Errors
    /// `Io`; `Unsupported` for zstd in a build without it.
    pub fn create(path: &Path, compression: TargetCompression) -> Result<Target> {
        /// Tells the files of one process apart.
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = path
            .file_name()
            .ok_or_else(|| Error::io(format!("{} is no name of a file", path.display())))?;
        if path.is_dir() {
            return Err(Error::io(format!("{} is a directory", path.display())));
        }
        let id = process::id();
        let temporary =
            path.with_file_name(format!(".{}.martlet-{id}-{number}", name.to_string_lossy()));
        let file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .open(&temporary)
            .map_err(|error| Error::from_io("create", &path.display().to_string(), &error))?;
        let mut target = Target { stream: None, temporary, path: path.to_owned() };
        let file = BufWriter::with_capacity(1 << 18, file);
        target.stream = Some(match compression {
            TargetCompression::None => Stream::Plain(file),
            TargetCompression::Gzip => {
                Stream::Gzip(flate2::write::GzEncoder::new(file, flate2::Compression::default()))
            }
            TargetCompression::Zstd => zstd_stream(file, path)?,
        });
        Ok(target)
    }

    /// Gives the file its name.
    ///
    /// # Errors
    /// `Io`; then there is no new file.
    pub fn finish(mut self) -> Result<()> {
        let Some(stream) = self.stream.take() else {
            return Err(Error::internal("a file is finished twice"));
        };
        let shown = self.path.display().to_string();
        let failed = |error: io::Error| Error::from_io("write", &shown, &error);
        let buffer = match stream {
            Stream::Plain(buffer) => buffer,
            Stream::Gzip(encoder) => encoder.finish().map_err(failed)?,
            #[cfg(feature = "zstd")]
            Stream::Zstd(encoder) => encoder.finish().map_err(failed)?,
        };
        let file = buffer.into_inner().map_err(|error| failed(error.into_error()))?;
        file.sync_all().map_err(failed)?;
        drop(file);
        fs::rename(&self.temporary, &self.path).map_err(failed)?;
        let folder = match self.path.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder,
            _ => Path::new("."),
        };
        sync_folder(folder).map_err(failed)
    }
}

#[cfg(feature = "zstd")]
fn zstd_stream(file: BufWriter<File>, path: &Path) -> Result<Stream> {
    let encoder = zstd::stream::write::Encoder::new(file, 3)
        .map_err(|error| Error::from_io("write", &path.display().to_string(), &error))?;
    Ok(Stream::Zstd(encoder))
}

#[cfg(not(feature = "zstd"))]
fn zstd_stream(_file: BufWriter<File>, path: &Path) -> Result<Stream> {
    Err(Error::unsupported(format!("{} cannot be compressed with zstd", path.display()))
        .with_hint("this build has no zstd: build with the feature `zstd`"))
}

/// A rename is durable when the folder is.
pub(super) fn sync_folder(folder: &Path) -> io::Result<()> {
    if cfg!(unix) { File::open(folder)?.sync_all() } else { Ok(()) }
}

impl Write for Target {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match &mut self.stream {
            Some(Stream::Plain(stream)) => stream.write(bytes),
            Some(Stream::Gzip(stream)) => stream.write(bytes),
            #[cfg(feature = "zstd")]
            Some(Stream::Zstd(stream)) => stream.write(bytes),
            None => Err(io::Error::other("the file is finished")),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        // Bytes reach the disk when the file is finished.
        Ok(())
    }
}

impl Drop for Target {
    fn drop(&mut self) {
        // Gone already when the file was finished.
        let _gone = fs::remove_file(&self.temporary);
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(folder).unwrap().flatten();
        entries.map(|entry| entry.file_name().into_string().unwrap()).collect()
    }

    #[test]
    fn a_file_appears_whole_or_not_at_all() -> Result<()> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.csv");
        fs::write(&path, "old").unwrap();
        let mut target = Target::create(&path, TargetCompression::None)?;
        target.write_all(b"new").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"old");
        drop(target);
        assert_eq!(names(folder.path()), ["x.csv"]);
        let mut target = Target::create(&path, TargetCompression::None)?;
        target.write_all(b"new").unwrap();
        target.finish()?;
        assert_eq!(fs::read(&path).unwrap(), b"new");
        assert_eq!(names(folder.path()), ["x.csv"]);
        Ok(())
    }

    #[test]
    fn compressed_files_are_whole_streams() -> Result<()> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.csv.gz");
        let mut target = Target::create(&path, TargetCompression::Gzip)?;
        target.write_all(b"a,b\n").unwrap();
        target.finish()?;
        let mut text = String::new();
        let file = File::open(&path).unwrap();
        flate2::read::MultiGzDecoder::new(file).read_to_string(&mut text).unwrap();
        assert_eq!(text, "a,b\n");
        Ok(())
    }

    #[test]
    fn what_cannot_be_created_is_named() {
        let error = Target::create(Path::new("/nowhere/x.csv"), TargetCompression::None);
        assert!(error.unwrap_err().message().contains("/nowhere/x.csv"));
    }
}
