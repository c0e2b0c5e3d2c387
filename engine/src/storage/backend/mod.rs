//! Where the bytes of a database live: files in a directory, mapped or read by position, or memory.
//!
//! A [`Backend`] hands out owned bytes of named files, creates files that nobody sees until they are
//! named by a manifest, and locks files. It must not know what is inside a file: checksums are the
//! business of `container`, names that of `format`.

mod directory;
#[cfg(test)]
pub(crate) mod faulty;
mod mapped;
mod memory;
mod positional;
#[cfg(test)]
mod tests;

use std::any::Any;
use std::fmt;
use std::fmt::Debug;
use std::ops::Range;

use arrow::buffer::Buffer;
use bytes::Bytes;

pub use self::mapped::MappedBackend;
pub use self::memory::MemoryBackend;
pub use self::positional::PositionalBackend;
use crate::types::{Error, Result};

/// The files of one database.
///
/// All implementations behave alike, which `backend/tests.rs` checks: the names are flat, a file
/// never changes once it was written, and locks exclude each other between all handles, be they of
/// one process or of several, and end with their holder.
pub trait Backend: Debug + Send + Sync {
    /// Where the database is, for messages.
    fn location(&self) -> String;

    /// The bytes `range` of `file`, whose first byte is aligned as `range.start` is, up to 64.
    ///
    /// # Errors
    /// `Corrupt` when the file is shorter than `range.end` (its length is looked up on every call) or
    /// gone, `Io` when the operating system refuses.
    fn read(&self, file: &str, range: Range<u64>) -> Result<Bytes>;

    /// The length of `file` in bytes, `None` when there is no such file.
    ///
    /// # Errors
    /// `Io`.
    fn len(&self, file: &str) -> Result<Option<u64>>;

    /// Creates `file`, empty and writable.
    ///
    /// # Errors
    /// `AlreadyExists`, `Io`.
    fn create(&self, file: &str) -> Result<Box<dyn NewFile>>;

    /// The names of all files, in no order.
    ///
    /// # Errors
    /// `Io`.
    fn list(&self) -> Result<Vec<String>>;

    /// Removes `file`; it is no error when it is not there. Bytes handed out before stay readable.
    ///
    /// # Errors
    /// `Io`.
    fn remove(&self, file: &str) -> Result<()>;

    /// Makes the creation, publication and removal of files durable.
    ///
    /// # Errors
    /// `Io`; the state of the medium is then unknown and the caller must stop writing.
    fn sync_directory(&self) -> Result<()>;

    /// Locks `file` without waiting; `None` when a holder excludes it or there is no such file.
    ///
    /// # Errors
    /// `Io` when the operating system cannot lock at all.
    fn try_lock(&self, file: &str, mode: LockMode) -> Result<Option<FileLock>>;

    /// Whether the bytes of [`read`](Backend::read) are views that cost no memory of their own.
    fn is_zero_copy(&self) -> bool;
}

/// A file being written. Dropping it closes the file and leaves it where it is.
pub trait NewFile: Debug + Send + Sync {
    /// Writes `bytes` at `offset`; what lies between the end and a later offset is zero.
    ///
    /// # Errors
    /// `Io`.
    fn write_at(&self, offset: u64, bytes: &[u8]) -> Result<()>;

    /// Makes everything written durable.
    ///
    /// # Errors
    /// `Io`; what is on the medium is then unknown and the file must not be used.
    fn sync(&self) -> Result<()>;

    /// Gives the file the name `name` as well, atomically and only if nothing has that name.
    ///
    /// # Errors
    /// `AlreadyExists`, `Io`.
    fn publish(&self, name: &str) -> Result<()>;
}

/// How a lock shares.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LockMode {
    /// With other shared locks.
    Shared,
    /// With nobody.
    Exclusive,
}

/// A held lock; it ends when this is dropped or the process dies.
pub struct FileLock {
    _held: Box<dyn Any + Send + Sync>,
}

impl FileLock {
    /// Wraps whatever releases the lock when it is dropped.
    pub fn new(held: impl Any + Send + Sync) -> FileLock {
        FileLock { _held: Box::new(held) }
    }
}

impl Debug for FileLock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("FileLock")
    }
}

/// The error of a file that is shorter than what was asked for.
fn too_short(path: &str, len: u64, range: &Range<u64>) -> Error {
    Error::corrupt(format!(
        "{path} is {len} bytes long, too short for its bytes {} to {}",
        range.start, range.end
    ))
}

/// The error of a file that is named by a manifest but not there.
fn vanished(path: &str) -> Error {
    Error::corrupt(format!("{path} is missing"))
}

/// Bytes that keep the alignment of an Arrow buffer.
pub(super) fn aligned(buffer: Buffer) -> Bytes {
    struct Owner(Buffer);

    impl AsRef<[u8]> for Owner {
        fn as_ref(&self) -> &[u8] {
            self.0.as_slice()
        }
    }

    Bytes::from_owner(Owner(buffer))
}
