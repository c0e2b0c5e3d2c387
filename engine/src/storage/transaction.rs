//! One change of a database: everything in it becomes visible at once, or nothing does.
//!
//! Files are written under numbers that no manifest names, so nobody sees them. Committing makes them
//! durable, then the table manifests, then the database manifest under a temporary name, and gives
//! that its number: the one step that others see. Dropping a transaction removes its files.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use roaring::{RoaringBitmap, RoaringTreemap};

use super::backend::FileLock;
use super::comments::CommentTarget;
use super::files::NewFiles;
use super::format::{
    DatabaseManifest, FieldParts, FileKind, NamedTable, SectionKey, SectionKind, TableParts,
};
use super::snapshot::{Snapshot, find_name};
use super::store::{Store, now_us};
use super::table_writer::{TableWriter, WriterState};
use crate::catalog::{Field, FieldId, NewField, TableId};
use crate::types::{DataType, Error, Result, Value};

/// The one transaction that may write; dropping it gives everything up.
#[derive(Debug)]
pub struct Transaction {
    store: Arc<Store>,
    snapshot: Arc<Snapshot>,
    files: Arc<NewFiles>,
    state: Mutex<State>,
    _lock: FileLock,
}

#[derive(Debug)]
struct State {
    next_table_id: u32,
    tables: Vec<NamedTable>,
    /// Tables that this transaction changes.
    changed: BTreeMap<u32, Arc<WriterState>>,
    /// Rows to be deleted, by table and row group.
    deletions: BTreeMap<(u32, u32), RoaringBitmap>,
}

impl Transaction {
    pub(super) fn new(
        store: Arc<Store>,
        snapshot: Arc<Snapshot>,
        lock: FileLock,
    ) -> Result<Transaction> {
        let manifest = snapshot.manifest();
        let files = NewFiles::new(store.backend(), store.database(), manifest.next_file_id)?;
        let state = State {
            next_table_id: manifest.next_table_id,
            tables: manifest.tables.clone(),
            changed: BTreeMap::new(),
            deletions: BTreeMap::new(),
        };
        Ok(Transaction {
            files: Arc::new(files),
            state: Mutex::new(state),
            store,
            snapshot,
            _lock: lock,
        })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The commit that this one builds on.
    pub fn snapshot(&self) -> &Arc<Snapshot> {
        &self.snapshot
    }

    /// Creates an empty table.
    ///
    /// # Errors
    /// `AlreadyExists` when a table has that name, in whatever case; `Invalid` when two columns have
    /// one name or there is none; `Unsupported` for types that cannot be stored.
    pub fn create_table(
        &self,
        name: &str,
        fields: &[NewField],
        metadata: &[(String, String)],
    ) -> Result<TableId> {
        let mut state = self.state();
        let folded = name.to_lowercase();
        if let Some(table) = state.tables.iter().find(|t| t.name.to_lowercase() == folded) {
            return Err(Error::already_exists(format!("table {:?} exists already", table.name)));
        }
        if fields.is_empty() {
            return Err(Error::invalid(format!("table {name:?} has no columns")));
        }
        let fields = new_fields(fields, 0, 0)?;
        check_names(fields.iter().map(|parts| parts.field.name.as_str()))?;
        let id = state.next_table_id;
        state.next_table_id += 1;
        let parts = TableParts {
            table_id: id,
            next_field_id: count(fields.len())?,
            next_row_group_id: 0,
            page_len: self.store.options().page_len,
            fields,
            row_groups: Vec::new(),
            dictionaries: BTreeMap::new(),
            metadata: metadata.to_vec(),
        };
        // The manifest is filled in by the commit; until then the entry reserves the name.
        state.tables.push(NamedTable::unwritten(name, id));
        let writer = self.new_writer(parts);
        state.changed.insert(id, writer);
        Ok(TableId(id))
    }

    fn new_writer(&self, parts: TableParts) -> Arc<WriterState> {
        let options = self.store.options();
        Arc::new(WriterState::new(parts, options.row_group_len, Arc::clone(&self.files)))
    }

    /// Drops a table; the name matches as in [`Snapshot::table`].
    ///
    /// # Errors
    /// `UnknownName` when there is none, or several differ in case alone.
    pub fn drop_table(&self, name: &str) -> Result<()> {
        let mut state = self.state();
        let index = find_name(state.tables.iter().map(|table| table.name.as_str()), name)?
            .ok_or_else(|| Error::unknown_name(format!("there is no table {name:?}")))?;
        let id = state.tables.remove(index).id;
        state.changed.remove(&id);
        state.deletions.retain(|(table, _), _| *table != id);
        Ok(())
    }

    /// Adds a column, which the rows that are there already read as `default`.
    ///
    /// # Errors
    /// `AlreadyExists` when the table has a column of that name; `Invalid` when `default` is NULL and
    /// rows are there, but the column does not allow it; `Unsupported` for types that cannot be stored.
    pub fn add_column(&self, table: TableId, field: &NewField, default: Value) -> Result<FieldId> {
        if !is_storable(field.data_type) {
            return Err(not_storable(field));
        }
        default.to_array(field.data_type, 1)?;
        self.changed(table)?.change(|parts| {
            if parts.fields.iter().any(|known| known.field.name == field.name) {
                return Err(Error::already_exists(format!(
                    "there is a column {:?} already",
                    field.name
                )));
            }
            if default.is_null() && !field.nullable && !parts.row_groups.is_empty() {
                return Err(Error::invalid(format!(
                    "column {:?} needs a default, since it does not allow NULL",
                    field.name
                )));
            }
            let id = parts.next_field_id;
            let mut new = new_fields(std::slice::from_ref(field), id, parts.next_row_group_id)?;
            for new in &mut new {
                new.default_value = default.clone();
            }
            parts.next_field_id = id.checked_add(1).ok_or_else(too_many)?;
            parts.fields.append(&mut new);
            Ok(FieldId(id))
        })
    }

    /// Drops a column; its bytes go when their row groups do. Its id is never given again.
    ///
    /// # Errors
    /// `UnknownName` when there is no such table or column.
    pub fn drop_field(&self, table: TableId, field: FieldId) -> Result<()> {
        self.changed(table)?.change(|parts| {
            let position = parts.fields.iter().position(|parts| parts.field.id == field);
            let position = position
                .ok_or_else(|| Error::unknown_name(format!("there is no field {}", field.0)))?;
            parts.fields.remove(position);
            parts.dictionaries.remove(&field.0);
            let comment = CommentTarget::Field(field).key();
            parts.metadata.retain(|(key, _)| *key != comment);
            Ok(())
        })
    }

    /// Sets an entry of a table's key/value metadata; `None` removes it.
    ///
    /// # Errors
    /// `UnknownName` when there is no such table.
    pub fn set_metadata(&self, table: TableId, key: &str, value: Option<&str>) -> Result<()> {
        self.changed(table)?.change(|parts| {
            parts.metadata.retain(|(known, _)| known != key);
            parts.metadata.extend(value.map(|value| (key.to_owned(), value.to_owned())));
            Ok(())
        })
    }

    /// Marks rows of a row group deleted, by their positions in it; rows marked before stay so.
    /// `row_group_idx` counts the row groups of [`Transaction::snapshot`].
    ///
    /// # Errors
    /// `Invalid` when there is no such table, row group or row.
    pub fn delete_rows(
        &self,
        table: TableId,
        row_group_idx: usize,
        rows: &RoaringBitmap,
    ) -> Result<()> {
        let snapshot = self.snapshot.table_by_id(table)?;
        let snapshot = snapshot.filter(|snapshot| row_group_idx < snapshot.row_group_count());
        let snapshot = snapshot.ok_or_else(|| {
            Error::invalid(format!("there is no row group {row_group_idx} to delete rows of"))
        })?;
        let row_group = snapshot.row_group(row_group_idx);
        if rows.max().is_some_and(|last| last >= row_group.row_count) {
            return Err(Error::invalid(format!(
                "row group {row_group_idx} has {} rows, there is no row {:?} to delete",
                row_group.row_count,
                rows.max()
            )));
        }
        self.changed(table)?;
        let existing = snapshot.deletions(row_group_idx)?;
        let mut state = self.state();
        let deleted = state.deletions.entry((table.0, row_group.id.0)).or_default();
        *deleted |= rows;
        if let Some(existing) = existing {
            *deleted |= &*existing;
        }
        Ok(())
    }

    /// Marks rows of a table deleted, by their positions among the rows that a scan of
    /// [`Transaction::snapshot`] gives; returns how many that are.
    ///
    /// # Errors
    /// `Invalid` when there is no such table or the table has fewer rows: then nothing is marked.
    pub fn delete_visible_rows(&self, table: TableId, positions: &[u64]) -> Result<u64> {
        let snapshot = self.snapshot.table_by_id(table)?;
        let snapshot =
            snapshot.ok_or_else(|| Error::invalid(format!("there is no table {}", table.0)))?;
        let wanted: RoaringTreemap = positions.iter().copied().collect();
        let mut marks = Vec::new();
        let mut row_count = 0;
        for row_group_idx in 0..snapshot.row_group_count() {
            let mut visible = RoaringBitmap::new();
            visible.insert_range(0..snapshot.row_group(row_group_idx).row_count);
            if let Some(deleted) = snapshot.deletions(row_group_idx)? {
                visible -= &*deleted;
            }
            let end = row_count + visible.len();
            let mut inside = wanted.iter();
            inside.advance_to(row_count);
            let rows: RoaringBitmap = inside
                .take_while(|position| *position < end)
                .filter_map(|position| visible.select(u32::try_from(position - row_count).ok()?))
                .collect();
            marks.push(rows);
            row_count = end;
        }
        if let Some(last) = wanted.max().filter(|last| *last >= row_count) {
            return Err(Error::invalid(format!(
                "the table has {row_count} rows, there is no row {last} to delete"
            )));
        }
        for (row_group_idx, rows) in marks.iter().enumerate().filter(|(_, rows)| !rows.is_empty()) {
            self.delete_rows(table, row_group_idx, rows)?;
        }
        Ok(wanted.len())
    }

    /// Writes rows and dictionaries of a table. All writers of one table share their state.
    ///
    /// # Errors
    /// `UnknownName` when there is no such table, `Corrupt` and `Io` when it cannot be read.
    pub fn writer(&self, table: TableId) -> Result<TableWriter> {
        let snapshot = self.snapshot.table_by_id(table)?;
        Ok(TableWriter::new(self.changed(table)?, snapshot))
    }

    /// The table of that name as this transaction sees it, found as in [`Snapshot::table`].
    ///
    /// # Errors
    /// `UnknownName` when several differ in case alone.
    pub fn find(&self, name: &str) -> Result<Option<TableId>> {
        let state = self.state();
        let found = find_name(state.tables.iter().map(|table| table.name.as_str()), name)?;
        Ok(found.map(|index| TableId(state.tables[index].id)))
    }

    /// The state of a table that is about to change.
    fn changed(&self, table: TableId) -> Result<Arc<WriterState>> {
        let mut state = self.state();
        if let Some(writer) = state.changed.get(&table.0) {
            return Ok(Arc::clone(writer));
        }
        let is_there = state.tables.iter().any(|named| named.id == table.0);
        let snapshot = if is_there { self.snapshot.table_by_id(table)? } else { None };
        let snapshot = snapshot
            .ok_or_else(|| Error::unknown_name(format!("there is no table {}", table.0)))?;
        let writer = self.new_writer(snapshot.parts()?);
        state.changed.insert(table.0, Arc::clone(&writer));
        Ok(writer)
    }

    /// Makes everything durable, then visible.
    ///
    /// # Errors
    /// `Io` when the medium fails: an error before the last step leaves the database as it was; after
    /// an error in it, the commit may or may not be there when the database is opened again, whole
    /// either way, and this store writes no more. `Internal` when a chunk or code map is missing.
    pub fn commit(self) -> Result<Arc<Snapshot>> {
        let manifest = match self.write_files() {
            Ok(manifest) => manifest,
            Err(error) => {
                // A failed sync says nothing about later ones: see the ATC'20 study of fsync.
                if error.kind() == crate::types::ErrorKind::Io {
                    self.store.mark_broken();
                }
                return Err(error);
            }
        };
        // From here on a manifest may name the files.
        self.files.keep();
        self.store.publish(&manifest)?;
        self.store.snapshot()
    }

    fn write_files(&self) -> Result<DatabaseManifest> {
        let mut state = self.state();
        let State { tables, changed, deletions, .. } = &mut *state;
        for (table_id, writer) in &*changed {
            let snapshot = self.snapshot.table_by_id(TableId(*table_id))?;
            TableWriter::new(Arc::clone(writer), snapshot).leave_old_dictionary_files()?;
            let mut parts = writer.finish()?;
            self.write_deletions(*table_id, &mut parts, deletions)?;
            let file = self.files.create(FileKind::TableManifest)?;
            let key = SectionKey::new(0, SectionKind::Manifest, 0);
            file.write(key, 0, &parts.to_bytes()?)?;
            let reference = file.finish()?;
            let named = tables.iter_mut().find(|named| named.id == *table_id);
            named.expect("a dropped table is not among the changed ones").manifest = reference;
        }
        // The names of the new files must be there before a manifest that names them.
        self.store.backend().sync_directory()?;
        let base = self.snapshot.manifest();
        Ok(DatabaseManifest {
            number: base.number + 1,
            next_file_id: self.files.next_id(),
            next_table_id: state.next_table_id,
            row_group_len: base.row_group_len,
            page_len: base.page_len,
            committed_us: now_us(),
            tables: state.tables.clone(),
        })
    }

    fn write_deletions(
        &self,
        table: u32,
        parts: &mut TableParts,
        deletions: &BTreeMap<(u32, u32), RoaringBitmap>,
    ) -> Result<()> {
        let mut marked: Vec<(usize, &RoaringBitmap)> = Vec::new();
        for (index, group) in parts.row_groups.iter().enumerate() {
            if let Some(rows) = deletions.get(&(table, group.id))
                && !rows.is_empty()
            {
                marked.push((index, rows));
            }
        }
        let named =
            deletions.iter().filter(|((owner, _), rows)| *owner == table && !rows.is_empty());
        if named.count() > marked.len() {
            return Err(Error::invalid(
                "rows were deleted of a row group that a load of the same transaction wrote again",
            )
            .with_hint("commit the deletions before the load"));
        }
        if marked.is_empty() {
            return Ok(());
        }
        let file = self.files.create(FileKind::Deletions)?;
        for (index, rows) in &marked {
            let mut bytes = Vec::with_capacity(rows.serialized_size());
            rows.serialize_into(&mut bytes)
                .map_err(|error| Error::from_io("serialize", "a bitmap", &error))?;
            let row_group = parts.row_groups[*index].id;
            file.write(SectionKey::new(0, SectionKind::Deletions, row_group), rows.len(), &bytes)?;
        }
        let reference = file.finish()?;
        for (index, rows) in marked {
            let group = &mut parts.row_groups[index];
            group.deleted_count = count_rows(rows)?;
            group.deletions = Some(reference.clone());
        }
        Ok(())
    }
}

fn new_fields(
    fields: &[NewField],
    first_id: u32,
    first_row_group_id: u32,
) -> Result<Vec<FieldParts>> {
    let mut new = Vec::with_capacity(fields.len());
    for (position, field) in fields.iter().enumerate() {
        if !is_storable(field.data_type) {
            return Err(not_storable(field));
        }
        let id = first_id.checked_add(count(position)?).ok_or_else(too_many)?;
        new.push(FieldParts {
            field: Field {
                id: FieldId(id),
                name: field.name.clone(),
                data_type: field.data_type,
                nullable: field.nullable,
            },
            default_value: Value::Null,
            first_row_group_id,
        });
    }
    Ok(new)
}

/// Whether a column of this type can exist.
pub fn is_storable(data_type: DataType) -> bool {
    !matches!(data_type, DataType::Null | DataType::Interval)
}

fn not_storable(field: &NewField) -> Error {
    Error::unsupported(format!("column {:?} cannot have type {}", field.name, field.data_type))
        .with_hint("cast it to a type that can be stored")
}

fn check_names<'a>(names: impl Iterator<Item = &'a str>) -> Result<()> {
    let mut seen = hashbrown::HashSet::new();
    for name in names {
        if !seen.insert(name) {
            return Err(Error::invalid(format!("two columns are called {name:?}")));
        }
    }
    Ok(())
}

fn count(len: usize) -> Result<u32> {
    u32::try_from(len).map_err(|_| too_many())
}

fn count_rows(rows: &RoaringBitmap) -> Result<u32> {
    u32::try_from(rows.len()).map_err(|_| too_many())
}

fn too_many() -> Error {
    Error::unsupported("a table with more than 2^32 columns, row groups or rows of one")
}
