//! What was opened stays open: files, chunks, dictionaries, code maps, deletion bitmaps.
//!
//! Everything is keyed by the file it came from, and files never change, so snapshots share it. What
//! belongs to files that the newest manifest of a table does not name is dropped when that manifest
//! is loaded; snapshots that still use it hold it themselves or open it again.

use std::hash::Hash;
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use bytes::Bytes;
use hashbrown::{HashMap, HashSet};
use roaring::RoaringBitmap;

use super::backend::Backend;
use super::chunk::Chunk;
use super::container::ContainerFile;
use super::dictionary::{CodeMap, Dictionary};
use super::format::{FileReference, NamedTable, SectionKey, SectionKind, TableManifest};
use crate::types::{Error, Result};

/// A map that is read far more often than written.
#[derive(Debug)]
pub(super) struct Cache<K, V>(RwLock<HashMap<K, Arc<V>>>);

impl<K, V> Default for Cache<K, V> {
    fn default() -> Cache<K, V> {
        Cache(RwLock::default())
    }
}

impl<K: Eq + Hash, V> Cache<K, V> {
    /// The value of `key`, made by `open` if it is not there. Two threads may open it at once; one
    /// result stays.
    pub(super) fn get(&self, key: K, open: impl FnOnce() -> Result<V>) -> Result<Arc<V>> {
        if let Some(value) = self.0.read().unwrap_or_else(PoisonError::into_inner).get(&key) {
            return Ok(Arc::clone(value));
        }
        let opened = Arc::new(open()?);
        let mut values = self.0.write().unwrap_or_else(PoisonError::into_inner);
        Ok(Arc::clone(values.entry(key).or_insert(opened)))
    }

    /// As [`get`](Cache::get), but what is not there is not remembered either.
    pub(super) fn get_if_some(
        &self,
        key: K,
        open: impl FnOnce() -> Result<Option<V>>,
    ) -> Result<Option<Arc<V>>> {
        if let Some(value) = self.0.read().unwrap_or_else(PoisonError::into_inner).get(&key) {
            return Ok(Some(Arc::clone(value)));
        }
        let Some(opened) = open()? else { return Ok(None) };
        self.get(key, || Ok(opened)).map(Some)
    }

    fn retain(&self, keep: impl Fn(&K) -> bool) {
        self.0.write().unwrap_or_else(PoisonError::into_inner).retain(|key, _| keep(key));
    }

    fn sum(&self, bytes: impl Fn(&V) -> usize) -> usize {
        let values = self.0.read().unwrap_or_else(PoisonError::into_inner);
        values.values().map(|value| bytes(value)).sum()
    }
}

/// The caches of one database.
#[derive(Debug)]
pub(super) struct Caches {
    backend: Arc<dyn Backend>,
    database: [u8; 16],
    tables: Mutex<HashMap<u32, (FileReference, Arc<LoadedTable>)>>,
}

/// A parsed table manifest, and what was opened of the table's files.
#[derive(Debug)]
pub(super) struct LoadedTable {
    pub(super) manifest: TableManifest,
    pub(super) pieces: Arc<Pieces>,
}

/// Opened pieces of one table.
#[derive(Debug, Default)]
pub(super) struct Pieces {
    pub(super) files: Cache<u64, ContainerFile>,
    /// By file, row group and field.
    pub(super) chunks: Cache<(u64, u32, u32), Chunk>,
    /// By row group and field: what older row groups read for a column.
    pub(super) default_chunks: Cache<(u32, u32), Chunk>,
    /// By field, and file and ordinal of each run.
    pub(super) dictionaries: Cache<(u32, Vec<(u64, u32)>), Dictionary>,
    /// By file, row group and field.
    pub(super) maps: Cache<(u64, u32, u32), CodeMap>,
    /// By file and row group.
    pub(super) deletions: Cache<(u64, u32), RoaringBitmap>,
}

impl Pieces {
    fn retain(&self, files: &HashSet<u64>) {
        self.files.retain(|file| files.contains(file));
        self.chunks.retain(|(file, ..)| files.contains(file));
        self.dictionaries.retain(|(_, runs)| runs.iter().all(|(file, _)| files.contains(file)));
        self.maps.retain(|(file, ..)| files.contains(file));
        self.deletions.retain(|(file, _)| files.contains(file));
    }
}

impl Caches {
    pub(super) fn new(backend: Arc<dyn Backend>, database: [u8; 16]) -> Caches {
        Caches { backend, database, tables: Mutex::default() }
    }

    /// The table that a database manifest names.
    pub(super) fn table(&self, named: &NamedTable) -> Result<Arc<LoadedTable>> {
        let mut tables = self.tables.lock().unwrap_or_else(PoisonError::into_inner);
        let known = tables.get(&named.id);
        if let Some((reference, table)) = known
            && *reference == named.manifest
        {
            return Ok(Arc::clone(table));
        }
        let manifest = read_table_manifest(&self.backend, named, self.database)?;
        // An older snapshot that asks must not throw out what the newest one uses.
        let is_newest = known.is_none_or(|(reference, _)| reference.id < named.manifest.id);
        let pieces = known.map(|(_, table)| Arc::clone(&table.pieces)).unwrap_or_default();
        let table = Arc::new(LoadedTable { manifest, pieces });
        if is_newest {
            let files = table.manifest.files()?.iter().map(|file| file.id).collect();
            table.pieces.retain(&files);
            tables.insert(named.id, (named.manifest.clone(), Arc::clone(&table)));
        }
        Ok(table)
    }

    /// Opens a file that a table manifest names.
    pub(super) fn file(
        &self,
        pieces: &Pieces,
        reference: &FileReference,
    ) -> Result<Arc<ContainerFile>> {
        let file = pieces.files.get(reference.id, || {
            ContainerFile::open_referenced(&self.backend, reference, self.database)
        })?;
        if file.identity().seal != reference.seal {
            return Err(Error::corrupt(format!("{} is named with two seals", file.path())));
        }
        Ok(file)
    }

    /// Bytes that the opened pieces hold.
    pub(super) fn cached_bytes(&self) -> usize {
        let tables = self.tables.lock().unwrap_or_else(PoisonError::into_inner);
        let bytes_of = |pieces: &Pieces| {
            pieces.dictionaries.sum(Dictionary::memory_bytes)
                + pieces.maps.sum(CodeMap::memory_bytes)
                + pieces.deletions.sum(RoaringBitmap::serialized_size)
        };
        tables.values().map(|(_, table)| bytes_of(&table.pieces)).sum()
    }
}

/// Reads and checks a table manifest.
pub(super) fn read_table_manifest(
    backend: &Arc<dyn Backend>,
    named: &NamedTable,
    database: [u8; 16],
) -> Result<TableManifest> {
    let context = |error: Error| error.context(format!("table {:?}", named.name));
    let file = ContainerFile::open_referenced(backend, &named.manifest, database);
    let file = file.map_err(context)?;
    let key = SectionKey::new(0, SectionKind::Manifest, 0);
    let bytes = file.section(key).map_err(context)?;
    // A copy: names and records are read at any time, also after somebody cut the file short.
    let bytes = Bytes::copy_from_slice(&bytes);
    let manifest = TableManifest::parse(&bytes, &file.path()).map_err(context)?;
    if manifest.head.table_id != named.id {
        return Err(context(Error::corrupt(format!(
            "{} is the manifest of another table",
            file.path()
        ))));
    }
    Ok(manifest)
}
