//! One commit, pinned: its tables stay readable for as long as somebody holds it.

use std::sync::{Arc, OnceLock};

use super::backend::FileLock;
use super::format::DatabaseManifest;
use super::store::Store;
use super::table::TableSnapshot;
use crate::catalog::TableId;
use crate::types::{Error, Result};

/// The shared lock that keeps a vacuum from the files of a commit.
#[derive(Debug)]
pub(super) struct Pin {
    _lock: FileLock,
}

impl Pin {
    pub(super) fn new(lock: FileLock) -> Pin {
        Pin { _lock: lock }
    }
}

/// The tables of one commit.
#[derive(Debug)]
pub struct Snapshot {
    manifest: Arc<DatabaseManifest>,
    store: Arc<Store>,
    pin: Arc<Pin>,
    /// Opened tables, as the manifest orders them.
    tables: Vec<OnceLock<Arc<TableSnapshot>>>,
}

impl Snapshot {
    pub(super) fn new(
        manifest: Arc<DatabaseManifest>,
        store: Arc<Store>,
        pin: Arc<Pin>,
    ) -> Snapshot {
        let tables = manifest.tables.iter().map(|_| OnceLock::new()).collect();
        Snapshot { manifest, store, pin, tables }
    }

    /// The commit's number: greater is newer.
    pub fn number(&self) -> u64 {
        self.manifest.number
    }

    /// The database.
    pub fn store(&self) -> &Arc<Store> {
        &self.store
    }

    /// The number that the database got when it was created.
    pub fn database_identity(&self) -> [u8; 16] {
        self.store.database()
    }

    /// When it was committed, in microseconds since 1970.
    pub fn committed_us(&self) -> u64 {
        self.manifest.committed_us
    }

    /// The names of the tables, in the order they were created.
    pub fn table_names(&self) -> Vec<String> {
        self.manifest.tables.iter().map(|table| table.name.clone()).collect()
    }

    /// The table called `name`: exactly, or else the only one that differs in case alone.
    ///
    /// # Errors
    /// `UnknownName` when several do; `Corrupt`, `Io` when its manifest cannot be read.
    pub fn table(&self, name: &str) -> Result<Option<Arc<TableSnapshot>>> {
        find_name(self.manifest.tables.iter().map(|table| table.name.as_str()), name)?
            .map(|index| self.open(index))
            .transpose()
    }

    /// The table with that identity.
    ///
    /// # Errors
    /// `Corrupt`, `Io` when its manifest cannot be read.
    pub fn table_by_id(&self, id: TableId) -> Result<Option<Arc<TableSnapshot>>> {
        let index = self.manifest.tables.iter().position(|table| table.id == id.0);
        index.map(|index| self.open(index)).transpose()
    }

    fn open(&self, index: usize) -> Result<Arc<TableSnapshot>> {
        if let Some(table) = self.tables[index].get() {
            return Ok(Arc::clone(table));
        }
        let named = &self.manifest.tables[index];
        let caches = self.store.caches();
        let loaded = caches.table(named)?;
        let opened = TableSnapshot::new(
            named.clone(),
            self.manifest.number,
            loaded,
            Arc::clone(caches),
            Arc::clone(&self.pin),
        );
        Ok(Arc::clone(self.tables[index].get_or_init(|| Arc::new(opened))))
    }

    pub(super) fn manifest(&self) -> &DatabaseManifest {
        &self.manifest
    }
}

/// The position of `name` among `names`: exactly, or else the only one that differs in case alone.
pub(super) fn find_name<'a>(
    names: impl Iterator<Item = &'a str> + Clone,
    name: &str,
) -> Result<Option<usize>> {
    if let Some(index) = names.clone().position(|other| other == name) {
        return Ok(Some(index));
    }
    let folded = name.to_lowercase();
    let alike: Vec<(usize, &str)> =
        names.enumerate().filter(|(_, other)| other.to_lowercase() == folded).collect();
    match alike.as_slice() {
        [] => Ok(None),
        [(index, _)] => Ok(Some(*index)),
        several => Err(Error::unknown_name(format!("table {name:?} is ambiguous"))
            .with_suggestions(several.iter().map(|(_, name)| (*name).to_owned()).collect())),
    }
}
