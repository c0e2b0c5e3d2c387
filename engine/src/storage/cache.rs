//! What was opened stays open: files, chunks, dictionaries, code maps, deletion bitmaps.
//!
//! Everything is keyed by the file it came from, and files never change, so snapshots share it. What
//! belongs to files that the newest manifest of a table does not name is dropped when that manifest
//! is loaded; snapshots that still use it hold it themselves or open it again. A [`Meter`] counts the
//! bytes; when they pass the limit, what no query uses is dropped.

use std::hash::Hash;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
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

/// Bytes that the caches of a store hold, and how many they should.
#[derive(Debug)]
pub(super) struct Meter {
    held: AtomicUsize,
    max: AtomicUsize,
    /// Something had no room.
    wanted: AtomicBool,
    /// What was in use when room was made last: to look again before more came is no use.
    in_use: AtomicUsize,
}

/// So much more has to be held than was in use before room is made again.
const GROWTH_MIN: usize = 1 << 16;

impl Meter {
    fn new() -> Meter {
        Meter {
            held: AtomicUsize::new(0),
            max: AtomicUsize::new(usize::MAX),
            wanted: AtomicBool::new(false),
            in_use: AtomicUsize::new(0),
        }
    }

    /// Takes room for `bytes`, if there is any.
    pub(super) fn reserve(&self, bytes: usize) -> bool {
        let fits = self.held.load(Ordering::Relaxed).saturating_add(bytes)
            <= self.max.load(Ordering::Relaxed);
        if fits {
            self.held.fetch_add(bytes, Ordering::Relaxed);
        } else {
            self.wanted.store(true, Ordering::Relaxed);
        }
        fits
    }

    pub(super) fn release(&self, bytes: usize) {
        self.held.fetch_sub(bytes, Ordering::Relaxed);
    }

    fn add(&self, bytes: usize) {
        self.held.fetch_add(bytes, Ordering::Relaxed);
    }

    fn held(&self) -> usize {
        self.held.load(Ordering::Relaxed)
    }

    fn is_over(&self) -> bool {
        self.wanted.load(Ordering::Relaxed) || self.held() > self.max.load(Ordering::Relaxed)
    }

    fn has_grown(&self) -> bool {
        let in_use = self.in_use.load(Ordering::Relaxed);
        self.held() > in_use.saturating_add(in_use / 4).saturating_add(GROWTH_MIN)
    }
}

/// What a cache has to know of its values.
pub(super) trait Weigh {
    /// Bytes of memory that keeping it costs, without what it counts itself.
    fn weight(&self) -> usize;
}

impl Weigh for ContainerFile {
    fn weight(&self) -> usize {
        size_of::<ContainerFile>() + 64
    }
}

impl Weigh for Chunk {
    fn weight(&self) -> usize {
        self.memory_bytes()
    }
}

impl Weigh for CodeMap {
    fn weight(&self) -> usize {
        self.memory_bytes()
    }
}

impl Weigh for RoaringBitmap {
    fn weight(&self) -> usize {
        self.serialized_size()
    }
}

impl Weigh for Dictionary {
    fn weight(&self) -> usize {
        // Its runs reserve what they keep of their values.
        size_of::<Dictionary>()
    }
}

/// A map that is read far more often than written.
#[derive(Debug)]
pub(super) struct Cache<K, V> {
    values: RwLock<HashMap<K, Arc<V>>>,
    meter: Arc<Meter>,
}

impl<K: Eq + Hash, V: Weigh> Cache<K, V> {
    fn new(meter: &Arc<Meter>) -> Cache<K, V> {
        Cache { values: RwLock::default(), meter: Arc::clone(meter) }
    }

    /// The value of `key`, made by `open` if it is not there. Two threads may open it at once; one
    /// result stays.
    pub(super) fn get(&self, key: K, open: impl FnOnce() -> Result<V>) -> Result<Arc<V>> {
        if let Some(value) = self.values.read().unwrap_or_else(PoisonError::into_inner).get(&key) {
            return Ok(Arc::clone(value));
        }
        let opened = Arc::new(open()?);
        let mut values = self.values.write().unwrap_or_else(PoisonError::into_inner);
        Ok(Arc::clone(values.entry(key).or_insert_with(|| {
            self.meter.add(opened.weight());
            opened
        })))
    }

    /// As [`get`](Cache::get), but what is not there is not remembered either.
    pub(super) fn get_if_some(
        &self,
        key: K,
        open: impl FnOnce() -> Result<Option<V>>,
    ) -> Result<Option<Arc<V>>> {
        if let Some(value) = self.values.read().unwrap_or_else(PoisonError::into_inner).get(&key) {
            return Ok(Some(Arc::clone(value)));
        }
        let Some(opened) = open()? else { return Ok(None) };
        self.get(key, || Ok(opened)).map(Some)
    }

    fn retain(&self, keep: impl Fn(&K) -> bool) {
        self.retain_values(|key, _| keep(key));
    }

    fn clear(&self) {
        self.retain_values(|_, _| false);
    }

    fn retain_used(&self) {
        self.retain_values(|_, value| Arc::strong_count(value) > 1);
    }

    fn retain_values(&self, keep: impl Fn(&K, &Arc<V>) -> bool) {
        let mut values = self.values.write().unwrap_or_else(PoisonError::into_inner);
        values.retain(|key, value| {
            let kept = keep(key, value);
            if !kept {
                self.meter.release(value.weight());
            }
            kept
        });
    }
}

/// The caches of one database.
#[derive(Debug)]
pub(super) struct Caches {
    backend: Arc<dyn Backend>,
    database: [u8; 16],
    tables: Mutex<HashMap<u32, (FileReference, Arc<LoadedTable>)>>,
    meter: Arc<Meter>,
}

/// A parsed table manifest, and what was opened of the table's files.
#[derive(Debug)]
pub(super) struct LoadedTable {
    pub(super) manifest: TableManifest,
    pub(super) pieces: Arc<Pieces>,
}

/// Opened pieces of one table.
#[derive(Debug)]
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
    fn new(meter: &Arc<Meter>) -> Pieces {
        Pieces {
            files: Cache::new(meter),
            chunks: Cache::new(meter),
            default_chunks: Cache::new(meter),
            dictionaries: Cache::new(meter),
            maps: Cache::new(meter),
            deletions: Cache::new(meter),
        }
    }

    /// Lets go of what no query uses right now.
    fn retain_used(&self) {
        self.chunks.retain_used();
        self.default_chunks.retain_used();
        self.dictionaries.retain_used();
        self.maps.retain_used();
        self.deletions.retain_used();
        self.files.retain_used();
    }

    fn retain(&self, files: &HashSet<u64>) {
        self.files.retain(|file| files.contains(file));
        self.chunks.retain(|(file, ..)| files.contains(file));
        self.dictionaries.retain(|(_, runs)| runs.iter().all(|(file, _)| files.contains(file)));
        self.maps.retain(|(file, ..)| files.contains(file));
        self.deletions.retain(|(file, _)| files.contains(file));
    }
}

impl Drop for Pieces {
    fn drop(&mut self) {
        self.chunks.clear();
        self.default_chunks.clear();
        self.dictionaries.clear();
        self.maps.clear();
        self.deletions.clear();
        self.files.clear();
    }
}

impl Caches {
    pub(super) fn new(backend: Arc<dyn Backend>, database: [u8; 16]) -> Caches {
        Caches { backend, database, tables: Mutex::default(), meter: Arc::new(Meter::new()) }
    }

    /// Counts what is kept.
    pub(super) fn meter(&self) -> &Arc<Meter> {
        &self.meter
    }

    /// How many bytes should be kept at most.
    pub(super) fn set_limit(&self, bytes: usize) {
        self.meter.max.store(bytes, Ordering::Relaxed);
    }

    /// When more is kept than should be, lets go of what no query uses right now: the next ones open
    /// what they need again.
    pub(super) fn make_room(&self) {
        if self.meter.is_over() {
            self.retain_used();
        }
    }

    /// Lets go of what no query uses right now, if much has come since that was done last.
    pub(super) fn retain_used(&self) {
        if !self.meter.has_grown() {
            return;
        }
        let tables = self.tables.lock().unwrap_or_else(PoisonError::into_inner);
        for (_, table) in tables.values() {
            table.pieces.retain_used();
        }
        self.meter.wanted.store(false, Ordering::Relaxed);
        self.meter.in_use.store(self.meter.held(), Ordering::Relaxed);
    }

    /// Forgets the tables that `is_there` does not know.
    pub(super) fn retain_tables(&self, is_there: impl Fn(u32) -> bool) {
        let mut tables = self.tables.lock().unwrap_or_else(PoisonError::into_inner);
        tables.retain(|id, _| is_there(*id));
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
        let pieces = known.map(|(_, table)| Arc::clone(&table.pieces));
        let pieces = pieces.unwrap_or_else(|| Arc::new(Pieces::new(&self.meter)));
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
        self.meter.held()
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
