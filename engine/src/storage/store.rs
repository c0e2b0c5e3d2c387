//! One database: finds its newest commit, hands out snapshots, starts transactions, vacuums.
//!
//! A commit is a numbered manifest. Readers pin the one they use by a shared lock on its file, which
//! also tells them of a vacuum that was quicker: the file is looked up again once it is locked.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::thread;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::backend::{Backend, FileLock, LockMode};
use super::cache::Caches;
use super::container::{ContainerFile, ContainerWriter};
use super::files::random;
use super::format::{DatabaseManifest, FileKind, FileReference, Identity, SectionKey, SectionKind};
use super::snapshot::{Pin, Snapshot};
use super::transaction::Transaction;
use super::vacuum::{self, Vacuumed};
use crate::context::Yielding;
use crate::types::{Error, Result};

/// The file that a writer locks.
const WRITER_LOCK: &str = "lock";
/// How often a reader tries to lock the newest manifest while a vacuum has it, and how long it waits.
const LOCK_ATTEMPTS: usize = 200;
const LOCK_PAUSE: Duration = Duration::from_millis(5);
/// The number of the first commit.
const FIRST_COMMIT: u64 = 1;

/// Sizes that are fixed when a database is created.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StorageOptions {
    /// The most rows of a row group.
    pub row_group_len: u32,
    /// Rows of a page; at most 65,536.
    pub page_len: u32,
}

impl Default for StorageOptions {
    fn default() -> StorageOptions {
        StorageOptions { row_group_len: 1 << 20, page_len: 1 << 16 }
    }
}

impl StorageOptions {
    fn check(self) -> Result<()> {
        if self.page_len == 0 || self.page_len > 1 << 16 {
            return Err(Error::invalid("a page has 1 to 65536 rows"));
        }
        if self.row_group_len == 0 || self.row_group_len > 1 << 20 {
            return Err(Error::invalid("a row group has 1 to 1048576 rows"));
        }
        Ok(())
    }
}

/// One open database. Shared by all threads of the process.
#[derive(Debug)]
pub struct Store {
    backend: Arc<dyn Backend>,
    database: [u8; 16],
    options: StorageOptions,
    caches: Arc<Caches>,
    newest: Mutex<Newest>,
    /// Set when a sync failed: what is on the medium is unknown, so nothing more is written.
    broken: AtomicBool,
}

/// The newest commit that was seen.
#[derive(Debug)]
struct Newest {
    manifest: Arc<DatabaseManifest>,
    snapshot: Weak<Snapshot>,
}

impl Store {
    /// Creates a database in an empty place.
    ///
    /// # Errors
    /// `AlreadyExists` when there is one, `Invalid` for impossible options, `Io`.
    pub fn create(backend: Arc<dyn Backend>, options: StorageOptions) -> Result<Arc<Store>> {
        options.check()?;
        let exists = || Error::already_exists(format!("{} holds a database", backend.location()));
        match backend.create(WRITER_LOCK) {
            Ok(_) => backend.sync_directory()?,
            Err(error) if error.kind() == crate::types::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
        let lock = backend.try_lock(WRITER_LOCK, LockMode::Exclusive)?.ok_or_else(exists)?;
        if newest_number(&*backend)?.is_some() {
            return Err(exists());
        }
        let mut database = [0; 16];
        database[..8].copy_from_slice(&random().to_le_bytes());
        database[8..].copy_from_slice(&random().to_le_bytes());
        let manifest = DatabaseManifest {
            number: FIRST_COMMIT,
            next_file_id: 1,
            next_table_id: 1,
            row_group_len: options.row_group_len,
            page_len: options.page_len,
            committed_us: now_us(),
            tables: Vec::new(),
        };
        write_manifest(&backend, &manifest, database)?;
        drop(lock);
        Store::open(backend)
    }

    /// Opens an existing database.
    ///
    /// # Errors
    /// `Io` when there is none, `Corrupt` when its newest manifest is damaged, `Unsupported` when it
    /// was written in another version of the format.
    pub fn open(backend: Arc<dyn Backend>) -> Result<Arc<Store>> {
        let (manifest, database, pin) = read_newest(&backend)?;
        drop(pin);
        let options =
            StorageOptions { row_group_len: manifest.row_group_len, page_len: manifest.page_len };
        options.check().map_err(|error| Error::corrupt(error.message()))?;
        Ok(Arc::new(Store {
            caches: Arc::new(Caches::new(Arc::clone(&backend), database)),
            backend,
            database,
            options,
            newest: Mutex::new(Newest { manifest: Arc::new(manifest), snapshot: Weak::new() }),
            broken: AtomicBool::new(false),
        }))
    }

    /// Where the database is, for messages.
    pub fn location(&self) -> String {
        self.backend.location()
    }

    /// The sizes it was created with.
    pub fn options(&self) -> StorageOptions {
        self.options
    }

    /// The newest commit, pinned for as long as the snapshot or a table of it lives.
    ///
    /// # Errors
    /// `Corrupt` when the newest manifest is damaged, `Locked` when a vacuum does not let go of it.
    pub fn snapshot(self: &Arc<Store>) -> Result<Arc<Snapshot>> {
        let mut newest = self.newest();
        // A pinned manifest's successor is never removed before it: see `vacuum`.
        if let Some(snapshot) = newest.snapshot.upgrade() {
            let next = FileKind::DatabaseManifest.file_name(snapshot.number() + 1);
            if self.backend.len(&next)?.is_none() {
                return Ok(snapshot);
            }
        }
        let (lock, number) = lock_newest(&self.backend)?;
        if number != newest.manifest.number {
            newest.manifest = self.read_commit(number)?;
            let tables = &newest.manifest.tables;
            self.caches.retain_tables(|id| tables.iter().any(|table| table.id == id));
        }
        let snapshot = self.pinned(Arc::clone(&newest.manifest), lock);
        newest.snapshot = Arc::downgrade(&snapshot);
        Ok(snapshot)
    }

    /// The commit with this number, pinned; `None` when it is gone.
    ///
    /// # Errors
    /// `Corrupt`, `Io`.
    pub fn pin(self: &Arc<Store>, number: u64) -> Result<Option<Arc<Snapshot>>> {
        let Some(lock) = lock_manifest(&self.backend, number)? else { return Ok(None) };
        Ok(Some(self.pinned(self.read_commit(number)?, lock)))
    }

    fn pinned(self: &Arc<Store>, manifest: Arc<DatabaseManifest>, lock: FileLock) -> Arc<Snapshot> {
        Arc::new(Snapshot::new(manifest, Arc::clone(self), Arc::new(Pin::new(lock))))
    }

    fn read_commit(&self, number: u64) -> Result<Arc<DatabaseManifest>> {
        let (manifest, database) = read_manifest(&self.backend, number)?;
        let same = database == self.database
            && manifest.page_len == self.options.page_len
            && manifest.row_group_len == self.options.row_group_len;
        if !same {
            return Err(Error::corrupt(format!(
                "{} holds another database than before",
                self.location()
            )));
        }
        Ok(Arc::new(manifest))
    }

    fn newest(&self) -> MutexGuard<'_, Newest> {
        self.newest.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Starts the one transaction that may write.
    ///
    /// # Errors
    /// `Locked` when another process or thread is writing; `Io` after a failed sync.
    pub fn begin(self: &Arc<Store>) -> Result<Transaction> {
        let lock = self.lock_writer()?;
        let snapshot = self.snapshot()?;
        Transaction::new(Arc::clone(self), snapshot, lock)
    }

    fn lock_writer(&self) -> Result<FileLock> {
        if self.broken.load(Ordering::Acquire) {
            return Err(Error::io(format!(
                "{}: a sync failed earlier, nothing more is written",
                self.location()
            ))
            .with_hint("check the medium, then open the database again"));
        }
        if self.backend.len(WRITER_LOCK)?.is_none() {
            // Lost, in a copy say; whoever wins the race to make it anew, all lock the same file.
            drop(self.backend.create(WRITER_LOCK));
        }
        self.backend.try_lock(WRITER_LOCK, LockMode::Exclusive)?.ok_or_else(|| {
            Error::locked(format!(
                "{} is locked by another process or connection that writes to it",
                self.location()
            ))
            .with_hint("try again when that is done; reading goes on meanwhile")
        })
    }

    /// Removes the files that no commit in use names.
    ///
    /// # Errors
    /// `Locked` while somebody writes; `Corrupt` when a manifest in use is damaged, and then nothing
    /// was removed; `Io`.
    pub fn vacuum(&self) -> Result<Vacuumed> {
        let _lock = self.lock_writer()?;
        vacuum::run(&self.backend, self.database)
    }

    /// Bytes that the caches of decoded pieces hold.
    pub fn cached_bytes(&self) -> usize {
        self.caches.cached_bytes()
    }

    /// How many bytes the caches should hold at most; without limit at first.
    pub fn limit_cache(&self, bytes: usize) {
        self.caches.set_limit(bytes);
    }

    pub(super) fn caches(&self) -> &Arc<Caches> {
        &self.caches
    }

    pub(super) fn backend(&self) -> &Arc<dyn Backend> {
        &self.backend
    }

    pub(super) fn database(&self) -> [u8; 16] {
        self.database
    }

    /// Publishes `manifest`, whose files are all durable.
    ///
    /// On an error the commit may or may not have happened, so its files must stay.
    pub(super) fn publish(&self, manifest: &DatabaseManifest) -> Result<()> {
        let published = write_manifest(&self.backend, manifest, self.database);
        if published.is_err() {
            self.broken.store(true, Ordering::Release);
        }
        published
    }

    /// After a failed sync of a file.
    pub(super) fn mark_broken(&self) {
        self.broken.store(true, Ordering::Release);
    }
}

impl Yielding for Store {
    fn kept_bytes(&self) -> usize {
        self.cached_bytes()
    }

    fn yield_memory(&self) {
        self.caches.retain_used();
    }
}

/// Writes a manifest under a temporary name, makes it durable, then gives it its number.
fn write_manifest(
    backend: &Arc<dyn Backend>,
    manifest: &DatabaseManifest,
    database: [u8; 16],
) -> Result<()> {
    let name = FileKind::DatabaseManifest.file_name(manifest.number);
    let temporary = temporary_name(manifest.number);
    // Left by a writer that was killed; nobody else can be at it, since we hold the writer's lock.
    backend.remove(&temporary)?;
    let identity = Identity { database, file: manifest.number, seal: random() };
    let writer =
        ContainerWriter::create(backend, &temporary, FileKind::DatabaseManifest, identity)?;
    let written = writer
        .write(SectionKey::new(0, SectionKind::Manifest, 0), 0, &manifest.to_bytes()?)
        .and_then(|()| writer.finish())
        .and_then(|_| writer.publish(&name));
    // The commit stands or falls with its number, not with the temporary name.
    drop(backend.remove(&temporary));
    written?;
    backend.sync_directory()
}

/// How the manifest of a commit is called before it is published.
pub(super) fn temporary_name(number: u64) -> String {
    format!("pending-{number:016x}")
}

/// The number of the newest commit.
pub(super) fn newest_number(backend: &dyn Backend) -> Result<Option<u64>> {
    let numbers = backend.list()?.into_iter().filter_map(|name| {
        let (kind, number) = FileKind::parse_name(&name)?;
        (kind == FileKind::DatabaseManifest).then_some(number)
    });
    Ok(numbers.max())
}

/// Locks the newest manifest, so that no vacuum removes it or its files.
fn lock_newest(backend: &Arc<dyn Backend>) -> Result<(FileLock, u64)> {
    for _ in 0..LOCK_ATTEMPTS {
        let number = newest_number(&**backend)?
            .ok_or_else(|| Error::io(format!("{} holds no database", backend.location())))?;
        if let Some(lock) = lock_manifest(backend, number)? {
            return Ok((lock, number));
        }
        thread::sleep(LOCK_PAUSE);
    }
    Err(Error::locked(format!("the newest manifest of {} stays locked", backend.location())))
}

/// Locks the manifest with that number; `None` when it is gone or a vacuum is about to remove it.
fn lock_manifest(backend: &Arc<dyn Backend>, number: u64) -> Result<Option<FileLock>> {
    let name = FileKind::DatabaseManifest.file_name(number);
    let Some(lock) = backend.try_lock(&name, LockMode::Shared)? else { return Ok(None) };
    // A vacuum may have been quicker: then what was locked has no name any more.
    Ok(backend.len(&name)?.is_some().then_some(lock))
}

fn read_newest(backend: &Arc<dyn Backend>) -> Result<(DatabaseManifest, [u8; 16], FileLock)> {
    let (lock, number) = lock_newest(backend)?;
    let (manifest, database) = read_manifest(backend, number)?;
    Ok((manifest, database, lock))
}

/// Reads the manifest with that number.
pub(super) fn read_manifest(
    backend: &Arc<dyn Backend>,
    number: u64,
) -> Result<(DatabaseManifest, [u8; 16])> {
    let name = FileKind::DatabaseManifest.file_name(number);
    let file = ContainerFile::open(backend, &name, FileKind::DatabaseManifest, number)?;
    let bytes = file.section(SectionKey::new(0, SectionKind::Manifest, 0))?;
    let manifest = DatabaseManifest::parse(&bytes, &file.path())?;
    if manifest.number != number {
        return Err(Error::corrupt(format!("{} is the manifest of another commit", file.path())));
    }
    Ok((manifest, file.identity().database))
}

/// All files that a commit names.
pub(super) fn files_of(
    backend: &Arc<dyn Backend>,
    manifest: &DatabaseManifest,
    database: [u8; 16],
) -> Result<Vec<FileReference>> {
    let mut files = Vec::new();
    for table in &manifest.tables {
        files.push(table.manifest.clone());
        let parsed = super::cache::read_table_manifest(backend, table, database)?;
        files.extend(parsed.files()?);
    }
    Ok(files)
}

/// Microseconds since 1970.
pub(super) fn now_us() -> u64 {
    let elapsed = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(elapsed.as_micros()).unwrap_or(u64::MAX)
}
