//! Writes row groups, dictionary runs and code maps of one table, from several threads.
//!
//! Must not know how rows become pages or values become codes; it checks that what it is given fits
//! together: every column of every new row group once, pages of the right lengths, and for every
//! chunk of codes a map of the dictionary's generation.

mod moving;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use hashbrown::{HashMap, HashSet};

use self::moving::Moved;
use super::chunk::{EncodedChunk, write_chunk};
use super::container::ContainerWriter;
use super::dictionary::{CodeMap, EncodedRun};
use super::files::NewFiles;
use super::format::{
    DictionaryParts, FileKind, RowGroupParts, RunParts, SectionKey, SectionKind, TableParts,
};
use super::table::{RowGroupId, TableSnapshot};
use crate::catalog::{Field, FieldId, TableId};
use crate::types::{Error, Result};

/// Writes one table. Share it between threads by reference; each column of each row group is written
/// once, in any order.
#[derive(Debug)]
pub struct TableWriter {
    state: Arc<WriterState>,
    snapshot: Option<Arc<TableSnapshot>>,
}

/// A row group being written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NewRowGroup {
    id: RowGroupId,
    row_count: u32,
}

impl NewRowGroup {
    /// Its identity, for the code maps.
    pub fn id(&self) -> RowGroupId {
        self.id
    }

    /// Its rows.
    pub fn row_count(&self) -> u32 {
        self.row_count
    }
}

/// What the writers of one table share.
#[derive(Debug)]
pub(super) struct WriterState {
    row_group_len: u32,
    files: Arc<NewFiles>,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    parts: TableParts,
    /// Types and nullability by field id, made when first asked for.
    fields: Option<Arc<HashMap<u32, Field>>>,
    new_row_groups: HashMap<u32, WrittenRowGroup>,
    dictionary_file: Option<Arc<ContainerWriter>>,
    /// Runs by field that are in the dictionary file already, to be named once it is finished.
    new_runs: HashMap<u32, Vec<NewRun>>,
    run_counts: HashMap<u32, u32>,
    /// Fields with a generation that this transaction began.
    new_generations: HashSet<u32>,
    /// What was moved into the dictionary file from older ones.
    moved: Moved,
    /// Maps written, with their generations: by row group and field.
    maps: HashMap<(u32, u32), u32>,
    /// The first row group that this transaction adds.
    first_new_row_group: u32,
}

#[derive(Debug)]
struct WrittenRowGroup {
    file: Arc<ContainerWriter>,
    row_count: u32,
    /// Fields written, and whether as codes.
    chunks: HashMap<u32, bool>,
}

#[derive(Clone, Copy, Debug)]
struct NewRun {
    ordinal: u32,
    value_count: u32,
}

impl TableWriter {
    pub(super) fn new(
        state: Arc<WriterState>,
        snapshot: Option<Arc<TableSnapshot>>,
    ) -> TableWriter {
        TableWriter { state, snapshot }
    }

    /// The table.
    pub fn table_id(&self) -> TableId {
        TableId(self.state.lock().parts.table_id)
    }

    /// The columns, in schema order.
    pub fn fields(&self) -> Vec<Field> {
        self.state.lock().parts.fields.iter().map(|parts| parts.field.clone()).collect()
    }

    /// The table as it was before this transaction; `None` when the transaction created it.
    pub fn snapshot(&self) -> Option<&Arc<TableSnapshot>> {
        self.snapshot.as_ref()
    }

    /// Whether this transaction has written rows or dictionaries of the table, which
    /// [`snapshot`](TableWriter::snapshot) does not show.
    pub fn is_written(&self) -> bool {
        let state = self.state.lock();
        !state.new_row_groups.is_empty() || !state.run_counts.is_empty()
    }

    /// The most rows of a row group.
    pub fn row_group_len(&self) -> u32 {
        self.state.row_group_len
    }

    /// Rows of a full page.
    pub fn page_len(&self) -> u32 {
        self.state.lock().parts.page_len
    }

    /// Adds a row group at the end of the table; its chunks have to follow before the commit.
    ///
    /// # Errors
    /// `Invalid` when it has no rows or too many, `Io`.
    pub fn add_row_group(&self, row_count: u32) -> Result<NewRowGroup> {
        if row_count == 0 || row_count > self.state.row_group_len {
            return Err(Error::invalid(format!(
                "a row group has 1 to {} rows, not {row_count}",
                self.state.row_group_len
            )));
        }
        let file = Arc::new(self.state.files.create(FileKind::Columns)?);
        let mut state = self.state.lock();
        let id = state.parts.next_row_group_id;
        state.parts.next_row_group_id = id
            .checked_add(1)
            .ok_or_else(|| Error::unsupported("a table with more than 2^32 row groups"))?;
        state.parts.row_groups.push(RowGroupParts {
            id,
            row_count,
            deleted_count: 0,
            deletions: None,
            files: Vec::new(),
        });
        let written = WrittenRowGroup { file, row_count, chunks: HashMap::new() };
        state.new_row_groups.insert(id, written);
        Ok(NewRowGroup { id: RowGroupId(id), row_count })
    }

    /// Takes a row group out of the table: its rows are being written again, in a new one.
    ///
    /// # Errors
    /// `Invalid` when there is no such row group, or this transaction added it.
    pub fn drop_row_group(&self, row_group: RowGroupId) -> Result<()> {
        let mut state = self.state.lock();
        let groups = &mut state.parts.row_groups;
        let index = groups.iter().position(|group| group.id == row_group.0);
        let index = index.filter(|_| row_group.0 < state.first_new_row_group).ok_or_else(|| {
            Error::invalid(format!("there is no row group {} to drop", row_group.0))
        })?;
        let dropped = state.parts.row_groups.remove(index);
        if dropped.deleted_count > 0 {
            // The values of deleted rows may occur nowhere else.
            for dictionary in state.parts.dictionaries.values_mut() {
                dictionary.all_used = false;
            }
        }
        Ok(())
    }

    /// Writes the chunk of a column in a new row group.
    ///
    /// # Errors
    /// `Invalid` when a column that does not allow NULL has one; `Internal` when the chunk's pages do
    /// not fit the row group or it was written already; `Io`.
    pub fn write_chunk(
        &self,
        row_group: &NewRowGroup,
        field: FieldId,
        chunk: &EncodedChunk,
    ) -> Result<()> {
        let found = self.field(field)?;
        if !found.nullable && chunk.zone_map.null_count > 0 {
            return Err(Error::invalid(format!("column {:?} does not allow NULL", found.name)));
        }
        let row_counts = page_row_counts(row_group.row_count, self.page_len());
        let page_count = row_counts.len();
        if chunk.pages.len() != page_count {
            return Err(Error::internal(format!(
                "column {:?}: {} pages instead of {page_count}",
                found.name,
                chunk.pages.len(),
            )));
        }
        let file = self.claim(*row_group, field, chunk.codes.is_some())?;
        write_chunk(&file, row_group.id.0, field.0, &row_counts, chunk)
            .map_err(|error| error.context(format!("column {:?}", found.name)))
    }

    fn field(&self, field: FieldId) -> Result<Field> {
        let fields = self.state.lock().fields();
        fields
            .get(&field.0)
            .cloned()
            .ok_or_else(|| Error::internal(format!("there is no field {} to write", field.0)))
    }

    /// The file for a chunk; notes that the chunk was written.
    fn claim(
        &self,
        row_group: NewRowGroup,
        field: FieldId,
        codes: bool,
    ) -> Result<Arc<ContainerWriter>> {
        let mut state = self.state.lock();
        let group = state.new_row_groups.get_mut(&row_group.id.0);
        let group = group.filter(|group| group.row_count == row_group.row_count);
        let group = group.ok_or_else(|| {
            Error::internal(format!("row group {} is not being written", row_group.id.0))
        })?;
        if group.chunks.insert(field.0, codes).is_some() {
            return Err(Error::internal(format!("field {} is written twice", field.0)));
        }
        Ok(Arc::clone(&group.file))
    }

    /// Adds a run to the dictionary of a column; ids that exist stay what they are, the new values'
    /// follow. The first run of a column begins generation 1.
    ///
    /// # Errors
    /// `Internal` when there is no such field, `Io`.
    pub fn append_run(&self, field: FieldId, run: &EncodedRun) -> Result<()> {
        self.write_run(field, run)?;
        let mut state = self.state.lock();
        state.parts.dictionaries.entry(field.0).or_insert_with(|| first_generation(1));
        Ok(())
    }

    /// Replaces the dictionary of a column by one run, the next generation. A code map has to follow
    /// for every row group of the table whose chunk has codes, old or new.
    ///
    /// # Errors
    /// `Internal` when there is no such field, `Io`.
    pub fn replace_runs(&self, field: FieldId, run: &EncodedRun, all_used: bool) -> Result<()> {
        let mut state = self.state.lock();
        state.new_runs.remove(&field.0);
        drop(state);
        self.write_run(field, run)?;
        let mut state = self.state.lock();
        let first_row_group_id = state.first_new_row_group;
        let is_first_change = state.new_generations.insert(field.0);
        let dictionary =
            state.parts.dictionaries.entry(field.0).or_insert_with(|| first_generation(0));
        if is_first_change {
            dictionary.generation = dictionary
                .generation
                .checked_add(1)
                .ok_or_else(|| Error::unsupported("2^32 generations of a dictionary"))?;
        }
        dictionary.runs.clear();
        dictionary.maps = None;
        dictionary.first_row_group_id = first_row_group_id;
        dictionary.all_used = all_used;
        Ok(())
    }

    fn write_run(&self, field: FieldId, run: &EncodedRun) -> Result<()> {
        self.field(field)?;
        let file = self.dictionary_file()?;
        let ordinal = self.state.lock().next_run_ordinal(field.0);
        for (part, section) in (0..).zip(&run.sections) {
            let key = SectionKey { part, ..SectionKey::new(field.0, SectionKind::Run, ordinal) };
            file.write(key, run.value_count.into(), &section.bytes()?)?;
        }
        let new = NewRun { ordinal, value_count: run.value_count };
        self.state.lock().new_runs.entry(field.0).or_default().push(new);
        Ok(())
    }

    fn dictionary_file(&self) -> Result<Arc<ContainerWriter>> {
        let mut state = self.state.lock();
        if let Some(file) = &state.dictionary_file {
            return Ok(Arc::clone(file));
        }
        let file = Arc::new(self.state.files.create(FileKind::Dictionary)?);
        state.dictionary_file = Some(Arc::clone(&file));
        Ok(file)
    }

    /// Writes the map of a row group's codes to the ids of the column's dictionary as it is now: after
    /// [`append_run`](TableWriter::append_run) or [`replace_runs`](TableWriter::replace_runs). A row
    /// group that was there before may be given one only together with a new generation.
    ///
    /// # Errors
    /// `Internal` when the column has no dictionary or the map was written already; `Io`.
    pub fn write_code_map(
        &self,
        row_group: RowGroupId,
        field: FieldId,
        map: &CodeMap,
    ) -> Result<()> {
        let internal = |message: &str| {
            Error::internal(format!("field {}, row group {}: {message}", field.0, row_group.0))
        };
        let mut state = self.state.lock();
        let dictionary = state.parts.dictionaries.get(&field.0);
        let generation =
            dictionary.ok_or_else(|| internal("a code map without dictionary"))?.generation;
        let file = state.new_row_groups.get(&row_group.0).map(|group| Arc::clone(&group.file));
        if file.is_none() && !state.new_generations.contains(&field.0) {
            return Err(internal("a code map of an old row group in an old generation"));
        }
        if state.maps.insert((row_group.0, field.0), generation).is_some() {
            return Err(internal("a second code map"));
        }
        drop(state);
        let file = file.map_or_else(|| self.dictionary_file(), Ok)?;
        let key = SectionKey::new(field.0, SectionKind::CodeMap, row_group.0);
        file.write(key, generation.into(), &map.to_bytes()?)
    }
}

impl WriterState {
    pub(super) fn new(parts: TableParts, row_group_len: u32, files: Arc<NewFiles>) -> WriterState {
        let state = State {
            first_new_row_group: parts.next_row_group_id,
            parts,
            fields: None,
            new_row_groups: HashMap::new(),
            dictionary_file: None,
            new_runs: HashMap::new(),
            run_counts: HashMap::new(),
            new_generations: HashSet::new(),
            moved: Moved::default(),
            maps: HashMap::new(),
        };
        WriterState { row_group_len, files, state: Mutex::new(state) }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes the schema.
    pub(super) fn change<T>(&self, change: impl FnOnce(&mut TableParts) -> Result<T>) -> Result<T> {
        let mut state = self.lock();
        // On an error nothing of the change may stay.
        let mut parts = state.parts.clone();
        let result = change(&mut parts)?;
        state.parts = parts;
        state.fields = None;
        Ok(result)
    }

    /// Makes the table's files durable and says what its manifest shall say.
    pub(super) fn finish(&self) -> Result<TableParts> {
        let mut state = self.lock();
        state.check()?;
        let State { parts, new_row_groups, dictionary_file, .. } = &mut *state;
        for group in &mut parts.row_groups {
            if let Some(written) = new_row_groups.get(&group.id) {
                group.files = vec![written.file.finish()?];
            }
        }
        let Some(file) = dictionary_file else { return Ok(parts.clone()) };
        let reference = file.finish()?;
        state.name_moved(&reference);
        let State { parts, new_runs, new_generations, .. } = &mut *state;
        for (field, runs) in &*new_runs {
            let Some(dictionary) = parts.dictionaries.get_mut(field) else { continue };
            dictionary.runs.extend(runs.iter().map(|run| RunParts {
                file: reference.clone(),
                ordinal: run.ordinal,
                value_count: run.value_count,
            }));
        }
        for field in &*new_generations {
            if let Some(dictionary) = parts.dictionaries.get_mut(field) {
                dictionary.maps = Some(reference.clone());
            }
        }
        Ok(parts.clone())
    }
}

impl State {
    fn fields(&mut self) -> Arc<HashMap<u32, Field>> {
        let parts = &self.parts;
        let fields = self.fields.get_or_insert_with(|| {
            let fields = parts.fields.iter().map(|parts| &parts.field);
            Arc::new(fields.map(|field| (field.id.0, field.clone())).collect())
        });
        Arc::clone(fields)
    }

    /// That nothing is missing which a reader would look for.
    fn check(&self) -> Result<()> {
        for (id, group) in &self.new_row_groups {
            for parts in &self.parts.fields {
                let field = &parts.field;
                let missing = |what: &str| {
                    Error::internal(format!("column {:?}, row group {id}: no {what}", field.name))
                };
                let codes = group.chunks.get(&field.id.0).ok_or_else(|| missing("chunk"))?;
                let generation = self.parts.dictionaries.get(&field.id.0).map(|d| d.generation);
                let map = self.maps.get(&(*id, field.id.0));
                if *codes && (map.is_none() || map.copied() != generation) {
                    return Err(missing("code map of the newest generation"));
                }
            }
        }
        Ok(())
    }
}

/// The rows of each page of a row group.
fn page_row_counts(row_count: u32, page_len: u32) -> Vec<u32> {
    let starts = (0..row_count).step_by(page_len as usize);
    starts.map(|start| page_len.min(row_count - start)).collect()
}

fn first_generation(generation: u32) -> DictionaryParts {
    DictionaryParts {
        generation,
        runs: Vec::new(),
        maps: None,
        first_row_group_id: 0,
        all_used: true,
    }
}
