//! One table of one snapshot: schema, row groups, chunks, dictionaries.
//!
//! Every look-up costs what it asks for: a column is found by binary search in the manifest, a chunk
//! by binary search in its file. Opened pieces are shared by all snapshots of the store.
//!
//! Statistics describe rows as written: with deleted rows, bounds still bound, but counts, sums and
//! the bounds themselves must not be given as answers ([`RowGroup::deleted_count`]).

use std::sync::Arc;

use arrow::buffer::Buffer;
use bytes::Bytes;
use hashbrown::HashSet;
use roaring::RoaringBitmap;

use super::backend::aligned;
use super::cache::{Caches, LoadedTable, Meter};
use super::chunk::Chunk;
use super::container::ContainerFile;
use super::dictionary::{CodeMap, Dictionary, Run, RunSections};
use super::format::{
    FieldRecord, FileReference, NONE, NamedTable, RowGroupRecord, RunRecord, SectionKey,
    SectionKind, TableParts,
};
use super::snapshot::Pin;
use crate::catalog::{ColumnStatistics, Field, FieldId, NameMatch, Table, TableId};
use crate::types::{DataType, Error, Result, Value};

/// The identity of a row group in its table, never reused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RowGroupId(pub u32);

/// A row group of a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RowGroup {
    /// Identity.
    pub id: RowGroupId,
    /// Rows as written; deleted ones keep their positions.
    pub row_count: u32,
    /// Rows marked deleted. When there are any, statistics bound but do not answer.
    pub deleted_count: u32,
}

/// One table of one snapshot; keeps the snapshot pinned.
#[derive(Debug)]
pub struct TableSnapshot {
    named: NamedTable,
    commit: u64,
    loaded: Arc<LoadedTable>,
    caches: Arc<Caches>,
    _pin: Arc<Pin>,
}

impl TableSnapshot {
    pub(super) fn new(
        named: NamedTable,
        commit: u64,
        loaded: Arc<LoadedTable>,
        caches: Arc<Caches>,
        pin: Arc<Pin>,
    ) -> TableSnapshot {
        TableSnapshot { named, commit, loaded, caches, _pin: pin }
    }

    /// The number of the commit that this is a table of.
    pub fn snapshot_number(&self) -> u64 {
        self.commit
    }

    /// How many row groups there are.
    pub fn row_group_count(&self) -> usize {
        self.loaded.manifest.row_group_count()
    }

    /// The row group at `row_group_idx`, in row order.
    ///
    /// # Panics
    /// When there is no such row group.
    pub fn row_group(&self, row_group_idx: usize) -> RowGroup {
        let record = self.row_group_record(row_group_idx);
        RowGroup {
            id: RowGroupId(record.id),
            row_count: record.row_count,
            deleted_count: record.deleted_count,
        }
    }

    fn row_group_record(&self, row_group_idx: usize) -> RowGroupRecord {
        let record = self.loaded.manifest.row_group(row_group_idx);
        record.expect("callers stay below row_group_count, and the manifest was checked")
    }

    /// Rows of a full page.
    pub fn page_len(&self) -> u32 {
        self.loaded.manifest.head.page_len
    }

    /// The column with that identity.
    ///
    /// # Errors
    /// `Internal` when the table has none.
    pub fn field_by_id(&self, field: FieldId) -> Result<Field> {
        let position = self.position(field)?;
        self.loaded.manifest.field(position)
    }

    /// The type of the column with that identity.
    ///
    /// # Errors
    /// `Internal` when the table has none.
    pub fn data_type(&self, field: FieldId) -> Result<DataType> {
        Ok(self.field_by_id(field)?.data_type)
    }

    /// What row groups older than the column read in its place.
    ///
    /// # Errors
    /// `Internal` when the table has no such field; `Corrupt`.
    pub fn default_value(&self, field: FieldId) -> Result<Value> {
        let record = self.loaded.manifest.field_record(self.position(field)?)?;
        self.loaded.manifest.default_value(&record)
    }

    /// The columns that have a dictionary, ascending by id.
    ///
    /// # Errors
    /// `Corrupt`.
    pub fn dictionary_fields(&self) -> Result<Vec<FieldId>> {
        let manifest = &self.loaded.manifest;
        let places = 0..manifest.dictionary_count();
        places.map(|place| Ok(FieldId(manifest.dictionary_at(place)?.0.field_id))).collect()
    }

    fn position(&self, field: FieldId) -> Result<usize> {
        self.loaded.manifest.position(field)?.ok_or_else(|| {
            Error::internal(format!("table {:?} has no field {}", self.named.name, field.0))
        })
    }

    fn field_record(&self, field: FieldId) -> Result<(Field, FieldRecord)> {
        let position = self.position(field)?;
        let manifest = &self.loaded.manifest;
        Ok((manifest.field(position)?, manifest.field_record(position)?))
    }

    /// The chunk of a column in a row group. A row group older than the column has a chunk of the
    /// column's default.
    ///
    /// # Errors
    /// `Corrupt`, `Io`; `Internal` when the table has no such field.
    ///
    /// # Panics
    /// When there is no such row group.
    pub fn chunk(&self, row_group_idx: usize, field: FieldId) -> Result<Arc<Chunk>> {
        self.caches.make_room();
        let record = self.row_group_record(row_group_idx);
        self.open_chunk(&record, field).map_err(|error| self.context(error, field))
    }

    fn open_chunk(&self, record: &RowGroupRecord, field: FieldId) -> Result<Arc<Chunk>> {
        let pieces = &self.loaded.pieces;
        let rows = (record.row_count, self.page_len());
        for reference in self.loaded.manifest.row_group_files(record)?.iter().rev() {
            if !reference.may_hold(field.0) {
                continue;
            }
            let key = (reference.id, record.id, field.0);
            let chunk = pieces.chunks.get_if_some(key, || {
                let file = self.caches.file(pieces, reference)?;
                let key = SectionKey::new(field.0, SectionKind::Chunk, record.id);
                let Some((_, entry)) = file.find(key)? else { return Ok(None) };
                let data_type = self.field_by_id(field)?.data_type;
                Chunk::open(file, &entry, data_type, rows, self.owner(field)).map(Some)
            })?;
            if let Some(chunk) = chunk {
                return Ok(chunk);
            }
        }
        let (found, field_record) = self.field_record(field)?;
        if record.id >= field_record.first_row_group_id {
            return Err(Error::corrupt(format!("row group {} has no chunk", record.id)));
        }
        pieces.default_chunks.get((record.id, field.0), || {
            let default = self.loaded.manifest.default_value(&field_record)?;
            Chunk::of_default(&default, found.data_type, rows)
        })
    }

    /// Names table and column in an error.
    fn context(&self, error: Error, field: FieldId) -> Error {
        error.context(self.owner(field))
    }

    /// Table and column, for messages.
    fn owner(&self, field: FieldId) -> String {
        match self.field_by_id(field) {
            Ok(field) => format!("table {:?}, column {:?}", self.named.name, field.name),
            Err(_) => format!("table {:?}", self.named.name),
        }
    }

    /// The deleted rows of a row group; `None` when there are none.
    ///
    /// # Errors
    /// `Corrupt`, `Io`.
    ///
    /// # Panics
    /// When there is no such row group.
    pub fn deletions(&self, row_group_idx: usize) -> Result<Option<Arc<RoaringBitmap>>> {
        let record = self.row_group_record(row_group_idx);
        if record.deletions_file == NONE {
            return Ok(None);
        }
        let pieces = &self.loaded.pieces;
        let opened = self.loaded.manifest.file(record.deletions_file).and_then(|reference| {
            pieces.deletions.get((reference.id, record.id), || {
                let file = self.caches.file(pieces, &reference)?;
                read_deletions(&file, &record)
            })
        });
        opened.map(Some).map_err(|error| error.context(format!("table {:?}", self.named.name)))
    }

    /// The dictionary of a column; `None` when no row group has codes for it.
    ///
    /// # Errors
    /// `Corrupt`, `Io`.
    pub fn dictionary(&self, field: FieldId) -> Result<Option<Arc<Dictionary>>> {
        self.caches.make_room();
        self.open_dictionary(field).map_err(|error| self.context(error, field))
    }

    fn open_dictionary(&self, field: FieldId) -> Result<Option<Arc<Dictionary>>> {
        let manifest = &self.loaded.manifest;
        let Some((_, runs)) = manifest.dictionary(field)? else { return Ok(None) };
        if runs.is_empty() {
            return Ok(None);
        }
        let places = runs.iter().map(|run| Ok((manifest.file(run.file)?.id, run.ordinal)));
        let key = (field.0, places.collect::<Result<Vec<_>>>()?);
        let dictionary = self.loaded.pieces.dictionaries.get(key, || {
            let data_type = self.field_by_id(field)?.data_type;
            let runs = runs.iter().map(|run| self.open_run(field, data_type, run));
            Dictionary::new(data_type, runs.collect::<Result<_>>()?)
        })?;
        Ok(Some(dictionary))
    }

    fn open_run(&self, field: FieldId, data_type: DataType, record: &RunRecord) -> Result<Run> {
        let reference = self.loaded.manifest.file(record.file)?;
        let file = self.caches.file(&self.loaded.pieces, &reference)?;
        let key = SectionKey::new(field.0, SectionKind::Run, record.ordinal);
        let (first, _) = file.find(key)?.ok_or_else(|| file.missing(key))?;
        let path = file.path();
        let run = Run::open(
            data_type,
            Arc::new(FileSections {
                file,
                key,
                first,
                owner: self.owner(field),
                meter: Arc::clone(self.caches.meter()),
            }),
        )?;
        if run.len() != record.value_count {
            return Err(Error::corrupt(format!(
                "{path}: a run has {} values instead of {}",
                run.len(),
                record.value_count
            )));
        }
        Ok(run)
    }

    /// The map from the local codes of a row group to the ids of this snapshot's dictionary.
    ///
    /// # Errors
    /// `Corrupt`, also when the chunk does not hold codes; `Io`.
    ///
    /// # Panics
    /// When there is no such row group.
    pub fn code_map(&self, row_group_idx: usize, field: FieldId) -> Result<Arc<CodeMap>> {
        let record = self.row_group_record(row_group_idx);
        self.open_code_map(&record, field).map_err(|error| self.context(error, field))
    }

    fn open_code_map(&self, record: &RowGroupRecord, field: FieldId) -> Result<Arc<CodeMap>> {
        let manifest = &self.loaded.manifest;
        let missing = || Error::corrupt(format!("row group {} has no code map", record.id));
        let (dictionary, _) = manifest.dictionary(field)?.ok_or_else(missing)?;
        let is_older = record.id < dictionary.first_row_group_id;
        let references = match is_older {
            true if dictionary.maps_file == NONE => return Err(missing()),
            true => vec![manifest.file(dictionary.maps_file)?],
            false => manifest.row_group_files(record)?,
        };
        for reference in references.iter().rev().filter(|file| file.may_hold(field.0)) {
            let pieces = &self.loaded.pieces;
            let map = pieces.maps.get_if_some((reference.id, record.id, field.0), || {
                let file = self.caches.file(pieces, reference)?;
                read_code_map(&file, record.id, field, dictionary.generation)
            })?;
            if let Some(map) = map {
                return Ok(map);
            }
        }
        Err(missing())
    }

    /// The key/value metadata of the table.
    ///
    /// # Errors
    /// `Corrupt`.
    pub fn metadata(&self) -> Result<Vec<(String, String)>> {
        self.loaded.manifest.metadata()
    }

    /// Bytes of all files of the table, its manifest included.
    ///
    /// # Errors
    /// `Corrupt`.
    pub fn bytes_on_disk(&self) -> Result<u64> {
        let mut seen = HashSet::new();
        let files = self.loaded.manifest.files()?.into_iter();
        let files = files.filter(|file| seen.insert(file.id));
        Ok(files.map(|file| file.len).sum::<u64>() + self.named.manifest.len)
    }

    /// A file that the table names.
    pub(super) fn open_file(&self, reference: &FileReference) -> Result<Arc<ContainerFile>> {
        self.caches.file(&self.loaded.pieces, reference)
    }

    pub(super) fn parts(&self) -> Result<TableParts> {
        TableParts::of(&self.loaded.manifest)
    }
}

impl Table for TableSnapshot {
    fn id(&self) -> TableId {
        TableId(self.named.id)
    }

    fn name(&self) -> &str {
        &self.named.name
    }

    fn row_count(&self) -> u64 {
        self.loaded.manifest.head.row_count
    }

    fn field_count(&self) -> usize {
        self.loaded.manifest.field_count()
    }

    fn field(&self, position: usize) -> Field {
        let field = self.loaded.manifest.field(position);
        field.expect("callers stay below field_count, and the manifest was checked")
    }

    fn find(&self, name: &str) -> NameMatch {
        self.loaded.manifest.find(name).expect("the manifest's names were checked")
    }

    /// Costs the chunk heads of that one column.
    fn statistics(&self, field: FieldId) -> Result<ColumnStatistics> {
        let mut bounds: Option<(Option<Value>, Option<Value>)> = None;
        let mut null_count = 0;
        let mut all_codes = true;
        for row_group_idx in 0..self.row_group_count() {
            let chunk = self.chunk(row_group_idx, field)?;
            all_codes &= chunk.is_codes();
            let zone_map = chunk.zone_map();
            null_count += zone_map.null_count;
            if zone_map.null_count == zone_map.row_count {
                continue;
            }
            let (min, max) = (zone_map.min.clone(), zone_map.max.clone());
            bounds = Some(match bounds {
                None => (min, max),
                Some((low, high)) => (
                    low.zip(min).map(|(a, b)| if b.order(&a).is_lt() { b } else { a }),
                    high.zip(max).map(|(a, b)| if b.order(&a).is_gt() { b } else { a }),
                ),
            });
        }
        let (min, max) = bounds.unwrap_or_default();
        let distinct_count = if all_codes { self.distinct_count(field)? } else { None };
        Ok(ColumnStatistics { min, max, null_count: Some(null_count), distinct_count })
    }
}

impl TableSnapshot {
    /// Distinct values as written, where the dictionary is known to hold no others.
    fn distinct_count(&self, field: FieldId) -> Result<Option<u64>> {
        let dictionary = self.loaded.manifest.dictionary(field)?;
        Ok(dictionary
            .filter(|(record, _)| record.all_used == 1)
            .map(|(_, runs)| runs.iter().map(|run| u64::from(run.value_count)).sum()))
    }
}

fn read_deletions(file: &ContainerFile, record: &RowGroupRecord) -> Result<RoaringBitmap> {
    let bytes = file.section(SectionKey::new(0, SectionKind::Deletions, record.id))?;
    let bitmap = RoaringBitmap::deserialize_from(&bytes[..])
        .map_err(|error| Error::corrupt(format!("{}: a bitmap: {error}", file.path())))?;
    let fits = bitmap.len() == u64::from(record.deleted_count)
        && bitmap.max().is_none_or(|last| last < record.row_count);
    if !fits {
        return Err(Error::corrupt(format!(
            "{}: the deletions of row group {} are not those of the manifest",
            file.path(),
            record.id
        )));
    }
    Ok(bitmap)
}

fn read_code_map(
    file: &ContainerFile,
    row_group: u32,
    field: FieldId,
    generation: u32,
) -> Result<Option<CodeMap>> {
    let key = SectionKey::new(field.0, SectionKind::CodeMap, row_group);
    let Some((_, entry)) = file.find(key)? else { return Ok(None) };
    if entry.extra != u64::from(generation) {
        return Err(Error::corrupt(format!(
            "{}: the code map of row group {row_group} has generation {} instead of {generation}",
            file.path(),
            entry.extra
        )));
    }
    CodeMap::from_bytes(file.read_section(&entry)?).map(Some)
}

/// The sections of one run in a file.
#[derive(Debug)]
struct FileSections {
    file: Arc<ContainerFile>,
    key: SectionKey,
    /// The place of part 0 in the directory; the others follow.
    first: u32,
    /// Table and column, for messages.
    owner: String,
    meter: Arc<Meter>,
}

impl FileSections {
    fn read(&self, index: u32) -> Result<Bytes> {
        let key = SectionKey { part: index, ..self.key };
        let place = self.first.checked_add(index).ok_or_else(|| self.file.missing(key))?;
        let entry = self.file.entry(place)?;
        if entry.key() != key {
            return Err(self.file.missing(key));
        }
        let bytes = self.file.read_section(&entry)?;
        // Values stay in memory between queries, when nobody looks whether a mapped file was cut.
        Ok(if self.file.is_zero_copy() { aligned(Buffer::from_slice_ref(&bytes)) } else { bytes })
    }
}

impl RunSections for FileSections {
    fn section(&self, index: u32) -> Result<Bytes> {
        self.read(index).map_err(|error| error.context(&self.owner))
    }

    fn reserve(&self, bytes: usize) -> bool {
        self.meter.reserve(bytes)
    }

    fn release(&self, bytes: usize) {
        self.meter.release(bytes);
    }
}
