//! A database: one store, one pool of threads, one memory budget, shared by all connections.

use std::ffi::OsStr;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};

use martlet_engine::context::{Context, MemoryBudget};
use martlet_engine::exec::{WorkerPool, execute_scan};
use martlet_engine::plan::wire::ScanRequest;
use martlet_engine::storage::{
    Backend, MappedBackend, MemoryBackend, PositionalBackend, Snapshot, Store, Transaction,
};
use martlet_engine::types::{Error, Result};

use crate::connection::Connection;
use crate::options::{FileAccess, Options};
use crate::result::QueryResult;

/// An open database. Cloning it shares it; it may be used from any number of threads.
///
/// A handle that may write runs each statement on the newest committed snapshot, also of other
/// processes. A read-only handle stays on the snapshot it was opened on until [`Database::refresh`]:
/// its answers do not change under a report.
///
/// ```
/// let database = martlet::Database::open_in_memory()?;
/// let connection = database.connect();
/// connection.execute("CREATE TABLE sales (region text, amount int)")?;
/// connection.execute("INSERT INTO sales VALUES ('north', 10), ('south', 32)")?;
/// let total = connection.query_value("SELECT sum(amount) FROM sales")?;
/// assert_eq!(total, martlet::Value::Int(42));
/// # Ok::<(), martlet::Error>(())
/// ```
#[derive(Clone)]
pub struct Database(Arc<Inner>);

struct Inner {
    store: Arc<Store>,
    pool: Arc<WorkerPool>,
    memory: MemoryBudget,
    options: Options,
    path: Option<PathBuf>,
    /// The snapshot that a read-only handle stays on; `None` when the handle may write.
    pinned: Option<RwLock<Arc<Snapshot>>>,
}

/// Opened pieces of files may take the memory limit divided by this, as long as statements leave it.
const CACHE_SHARE: usize = 2;

/// Whether the database may be changed, and whether it has to exist.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mode {
    Open,
    Create,
    ReadOnly,
}

impl Database {
    /// Opens the database in the directory `path`, and creates it if there is none.
    ///
    /// # Errors
    /// `Io`, `Corrupt`, or `Unsupported` for another format version.
    pub fn open(path: impl AsRef<Path>) -> Result<Database> {
        Database::open_with(path, Options::default())
    }

    /// As [`Database::open`], with options.
    ///
    /// # Errors
    /// As [`Database::open`].
    pub fn open_with(path: impl AsRef<Path>, options: Options) -> Result<Database> {
        let path = path.as_ref();
        let mode = if holds_something(path) { Mode::Open } else { Mode::Create };
        Database::on_disk(path, options, mode)
    }

    /// Creates a database in the directory `path`.
    ///
    /// # Errors
    /// `AlreadyExists` when there is one, `Io`.
    pub fn create(path: impl AsRef<Path>) -> Result<Database> {
        Database::create_with(path, Options::default())
    }

    /// As [`Database::create`], with options.
    ///
    /// # Errors
    /// As [`Database::create`].
    pub fn create_with(path: impl AsRef<Path>, options: Options) -> Result<Database> {
        Database::on_disk(path.as_ref(), options, Mode::Create)
    }

    /// Opens an existing database to be read, on its newest snapshot.
    ///
    /// # Errors
    /// `Io` when there is none; `Corrupt`.
    pub fn open_read_only(path: impl AsRef<Path>) -> Result<Database> {
        Database::open_read_only_with(path, Options::default())
    }

    /// As [`Database::open_read_only`], with options.
    ///
    /// # Errors
    /// As [`Database::open_read_only`].
    pub fn open_read_only_with(path: impl AsRef<Path>, options: Options) -> Result<Database> {
        Database::on_disk(path.as_ref(), options, Mode::ReadOnly)
    }

    /// A database in memory, gone when its last handle is dropped.
    ///
    /// # Errors
    /// `Io` when the operating system gives no threads.
    pub fn open_in_memory() -> Result<Database> {
        Database::open_in_memory_with(Options::default())
    }

    /// As [`Database::open_in_memory`], with options.
    ///
    /// # Errors
    /// As [`Database::open_in_memory`].
    pub fn open_in_memory_with(options: Options) -> Result<Database> {
        let backend = Arc::new(MemoryBackend::new());
        let store = Store::create(backend, options.storage)?;
        Database::over(store, options, None, Mode::Create)
    }

    fn on_disk(path: &Path, options: Options, mode: Mode) -> Result<Database> {
        let store = match mode {
            Mode::Create => Store::create(backend(path, &options, mode)?, options.storage)?,
            Mode::Open | Mode::ReadOnly => Store::open(backend(path, &options, mode)?)?,
        };
        Database::over(store, options, Some(path.to_owned()), mode)
    }

    fn over(
        store: Arc<Store>,
        mut options: Options,
        path: Option<PathBuf>,
        mode: Mode,
    ) -> Result<Database> {
        options.worker_count = options.worker_count.max(1);
        options.batch_len = options.batch_len.max(1);
        let pinned = match mode {
            Mode::ReadOnly => Some(RwLock::new(store.snapshot()?)),
            Mode::Open | Mode::Create => None,
        };
        store.limit_cache(options.memory_limit / CACHE_SHARE);
        let memory = MemoryBudget::with_yielding(options.memory_limit, Arc::clone(&store) as _);
        Ok(Database(Arc::new(Inner {
            store,
            pool: Arc::new(WorkerPool::new(options.worker_count)?),
            memory,
            options,
            path,
            pinned,
        })))
    }

    /// A connection: settings and prepared statements. It costs nothing to make.
    pub fn connect(&self) -> Connection {
        Connection::new(self.clone())
    }

    /// The options it was opened with.
    pub fn options(&self) -> &Options {
        &self.0.options
    }

    /// Whether `other` is a handle of the same open database.
    pub fn is_same(&self, other: &Database) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    /// Its directory; `None` for a database in memory.
    pub fn path(&self) -> Option<&Path> {
        self.0.path.as_deref()
    }

    /// Whether it was opened to be read only.
    pub fn is_read_only(&self) -> bool {
        self.0.pinned.is_some()
    }

    /// The number of the snapshot that the next statement runs on.
    ///
    /// # Errors
    /// `Io`, `Corrupt`.
    pub fn snapshot_number(&self) -> Result<u64> {
        Ok(self.snapshot()?.number())
    }

    /// Moves a read-only handle to the newest snapshot and gives its number; a handle that may write
    /// is always there.
    ///
    /// # Errors
    /// `Io`, `Corrupt`.
    pub fn refresh(&self) -> Result<u64> {
        let newest = self.0.store.snapshot()?;
        let number = newest.number();
        if let Some(pinned) = &self.0.pinned {
            *pinned.write().unwrap_or_else(PoisonError::into_inner) = newest;
        }
        Ok(number)
    }

    /// Runs a scan that was planned elsewhere, on this database.
    ///
    /// The path in the request is for whoever opens the database; it is not looked at here.
    ///
    /// # Errors
    /// `Invalid` when this is not the database, or not the snapshot, that the scan was planned on.
    /// Reading the result fails when a row group of the request does not exist or is named twice.
    pub fn scan(&self, request: &ScanRequest) -> Result<QueryResult> {
        let snapshot = self.snapshot()?;
        let context = self.context();
        let stream = execute_scan(request, snapshot, Arc::clone(&self.0.pool), context.clone())?;
        Ok(QueryResult::new(stream, &context))
    }

    /// A context for one statement with the database's limits.
    pub(crate) fn context(&self) -> Context {
        Context {
            memory: self.0.memory.clone(),
            worker_count: self.0.options.worker_count,
            batch_len: self.0.options.batch_len,
            table_groups_max: self.0.options.table_groups_max,
            ..Context::new()
        }
    }

    /// The snapshot that a statement starting now runs on.
    pub(crate) fn snapshot(&self) -> Result<Arc<Snapshot>> {
        match &self.0.pinned {
            None => self.0.store.snapshot(),
            Some(pinned) => Ok(Arc::clone(&pinned.read().unwrap_or_else(PoisonError::into_inner))),
        }
    }

    /// The threads.
    pub(crate) fn pool(&self) -> &Arc<WorkerPool> {
        &self.0.pool
    }

    /// Starts to write.
    pub(crate) fn begin(&self) -> Result<Transaction> {
        self.check_writable()?;
        self.0.store.begin()
    }

    /// Commits, and removes the files that no reader and no commit needs any more.
    pub(crate) fn commit(&self, transaction: Transaction) -> Result<()> {
        let _new = transaction.commit()?;
        self.remove_unused();
        Ok(())
    }

    /// Removes what a commit has made superfluous. The commit stands whether that works or not: what
    /// stays because somebody else writes already, or the disk fails, is left to the next one.
    pub(crate) fn remove_unused(&self) {
        let _vacuumed = self.0.store.vacuum();
    }

    /// The store, to be vacuumed.
    pub(crate) fn store_to_write(&self) -> Result<&Arc<Store>> {
        self.check_writable()?;
        Ok(&self.0.store)
    }

    fn check_writable(&self) -> Result<()> {
        if self.is_read_only() {
            return Err(Error::invalid("the database was opened read-only")
                .with_hint("open it with Database::open, or without --readonly"));
        }
        Ok(())
    }
}

impl fmt::Debug for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Database")
            .field("path", &self.0.path)
            .field("read_only", &self.is_read_only())
            .finish_non_exhaustive()
    }
}

/// Whether a database may be there: an empty directory is as good as none, and so is one in which
/// somebody was killed before the first commit.
fn holds_something(path: &Path) -> bool {
    let is_of_a_beginning = |name: &OsStr| {
        name == "lock" || name.to_str().is_some_and(|name| name.starts_with("pending-"))
    };
    match path.read_dir() {
        Ok(entries) => entries
            .into_iter()
            .any(|entry| entry.map_or(true, |entry| !is_of_a_beginning(&entry.file_name()))),
        Err(_) => path.exists(),
    }
}

fn backend(path: &Path, options: &Options, mode: Mode) -> Result<Arc<dyn Backend>> {
    if mode != Mode::Create && !path.exists() {
        return Err(Error::io(format!("there is no database at {}", path.display())));
    }
    Ok(match (options.file_access, mode) {
        (FileAccess::Mapped, Mode::Create) => Arc::new(MappedBackend::create(path)?),
        (FileAccess::Mapped, _) => Arc::new(MappedBackend::open(path)?),
        (FileAccess::Positional, Mode::Create) => Arc::new(PositionalBackend::create(path)?),
        (FileAccess::Positional, _) => Arc::new(PositionalBackend::open(path)?),
    })
}
