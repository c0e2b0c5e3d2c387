//! The table manifest: schema, row groups, dictionaries, read record by record.
//!
//! The records have fixed widths, so that a look-up touches the records it needs: opening a table of
//! 16,000 columns costs one checksum and one pass over its records, finding a column a binary search.

use std::cmp::Ordering;
use std::ops::Range;

use bytes::Bytes;

use super::cursor::record;
use super::database::{slice, text};
use super::value::{read_type, read_value};
use super::{Cursor, FileReference, Records, Wire};
use crate::catalog::{Field, FieldId, NameMatch};
use crate::types::{Error, Result, Value};

/// "There is none", where a record counts.
pub const NONE: u32 = u32::MAX;

record! {
    /// The start of a table manifest; the records follow in the order of their counts (behind the
    /// fields, as many u32: their positions sorted by folded name), then the heap.
    pub struct TableHead, "Table manifest", 64 {
        /// Identity.
        table_id: u32 = "table id",
        /// The next field id to be given.
        next_field_id: u32 = "next field id",
        /// The next row group id to be given.
        next_row_group_id: u32 = "next row group id",
        /// Rows of a full page.
        page_len: u32 = "page length",
        /// Rows that are not deleted.
        row_count: u64 = "row count",
        /// Field records, ascending by id, which is schema order.
        field_count: u32 = "field count",
        /// Row group records.
        row_group_count: u32 = "row group count",
        /// File references.
        file_count: u32 = "file count",
        /// Dictionary records, ascending by field id.
        dictionary_count: u32 = "dictionary count",
        /// Run records.
        run_count: u32 = "run count",
        /// Metadata records.
        metadata_count: u32 = "metadata count",
        /// Bytes of the heap of names and values.
        heap_len: u32 = "heap length",
        /// Zero.
        reserved_int: u32 = "reserved",
        /// Zero.
        reserved: u64 = "reserved",
    }
}

record! {
    /// One column.
    pub struct FieldRecord, "Field", 48 {
        /// Identity.
        field_id: u32 = "field id",
        /// The field that this one is part of, 0xFFFFFFFF for none.
        parent_id: u32 = "parent id",
        /// Data type: number, two parameters, zero.
        data_type: [u8; 4] = "data type",
        /// 1 when NULL is allowed.
        nullable: u8 = "nullable",
        /// Zero.
        reserved_byte: u8 = "reserved",
        /// 0: values order by bytes.
        collation_id: u16 = "collation id",
        /// First byte of the name in the heap.
        name_offset: u32 = "name offset",
        /// Bytes of the name.
        name_len: u32 = "name length",
        /// First byte of the folded name, its lower-case form, in the heap.
        folded_offset: u32 = "folded name offset",
        /// Bytes of the folded name.
        folded_len: u32 = "folded name length",
        /// First byte of the default in the heap.
        default_offset: u32 = "default offset",
        /// Bytes of the default; none for NULL.
        default_len: u32 = "default length",
        /// Row groups with smaller ids are older than the field and read as its default.
        first_row_group_id: u32 = "first row group id",
        /// Zero.
        reserved: u32 = "reserved",
    }
}

record! {
    /// One row group.
    pub struct RowGroupRecord, "Row group", 32 {
        /// Identity in the table.
        id: u32 = "row group id",
        /// Rows as written.
        row_count: u32 = "row count",
        /// Rows marked deleted.
        deleted_count: u32 = "deleted count",
        /// The index of the file that has its deletion bitmap, 0xFFFFFFFF for none.
        deletions_file: u32 = "deletions file",
        /// The index of its first column file.
        first_file: u32 = "first file",
        /// How many column files it has, oldest first.
        file_count: u32 = "file count",
        /// Zero.
        reserved: u64 = "reserved",
    }
}

record! {
    /// The dictionary of one column.
    pub struct DictionaryRecord, "Dictionary", 32 {
        /// The column.
        field_id: u32 = "field id",
        /// The generation that code maps must have.
        generation: u32 = "generation",
        /// The index of its first run.
        first_run: u32 = "first run",
        /// Runs.
        run_count: u32 = "run count",
        /// The index of the file with the maps of the row groups that are older than the generation,
        /// 0xFFFFFFFF for none.
        maps_file: u32 = "maps file",
        /// Row groups with smaller ids are older than the generation.
        first_row_group_id: u32 = "first row group id",
        /// 1 when each value occurs in some row, deleted or not, of the row groups named here.
        all_used: u8 = "all used",
        /// Zero.
        reserved_bytes: [u8; 7] = "reserved",
    }
}

record! {
    /// One sorted run of a dictionary.
    pub struct RunRecord, "Run", 16 {
        /// The index of the file that it is in.
        file: u32 = "file",
        /// The ordinal of its sections.
        ordinal: u32 = "ordinal",
        /// Values.
        value_count: u32 = "value count",
        /// The id of its first value.
        first_id: u32 = "first id",
    }
}

record! {
    /// One entry of key/value metadata.
    pub struct MetadataRecord, "Metadata", 16 {
        /// First byte of the key in the heap.
        key_offset: u32 = "key offset",
        /// Bytes of the key.
        key_len: u32 = "key length",
        /// First byte of the value in the heap.
        value_offset: u32 = "value offset",
        /// Bytes of the value.
        value_len: u32 = "value length",
    }
}

/// A table manifest whose records are read when they are asked for.
#[derive(Clone, Debug)]
pub struct TableManifest {
    what: String,
    /// The head.
    pub head: TableHead,
    fields: Records,
    by_name: Records,
    row_groups: Records,
    files: Records,
    dictionaries: Records,
    runs: Records,
    metadata: Records,
    heap: Bytes,
}

impl TableManifest {
    /// Checks all records of `bytes`; `what` names the file.
    ///
    /// # Errors
    /// `Corrupt`.
    pub fn parse(bytes: &Bytes, what: &str) -> Result<TableManifest> {
        let head = TableHead::read(&mut Cursor::new(bytes, what))?;
        let mut end = TableHead::SIZE;
        let mut next = |width: usize, count: u32| -> Result<Records> {
            let (records, after) = Records::new(bytes, end, width, count, what)?;
            end = after;
            Ok(records)
        };
        let fields = next(FieldRecord::SIZE, head.field_count)?;
        let by_name = next(u32::SIZE, head.field_count)?;
        let row_groups = next(RowGroupRecord::SIZE, head.row_group_count)?;
        let files = next(FileReference::SIZE, head.file_count)?;
        let dictionaries = next(DictionaryRecord::SIZE, head.dictionary_count)?;
        let runs = next(RunRecord::SIZE, head.run_count)?;
        let metadata = next(MetadataRecord::SIZE, head.metadata_count)?;
        let heap_len = usize::try_from(head.heap_len).unwrap_or(usize::MAX);
        let heap = bytes.get(end..).filter(|heap| heap.len() == heap_len);
        let heap = heap
            .map(|heap| bytes.slice_ref(heap))
            .ok_or_else(|| Error::corrupt(format!("{what}: the heap has another length")))?;
        let what = what.to_owned();
        let manifest = TableManifest {
            what,
            head,
            fields,
            by_name,
            row_groups,
            files,
            dictionaries,
            runs,
            metadata,
            heap,
        };
        manifest.check()?;
        Ok(manifest)
    }

    /// Reads every record once, so that later look-ups meet no surprise.
    fn check(&self) -> Result<()> {
        if self.head.page_len == 0 {
            return Err(self.corrupt("pages have no rows"));
        }
        let mut last_id = None;
        for position in 0..self.fields.len() {
            let record = self.field_record(position)?;
            if last_id.is_some_and(|last| last >= record.field_id) {
                return Err(self.corrupt("the field ids do not ascend"));
            }
            last_id = Some(record.field_id);
            read_type(record.data_type, &Cursor::new(&[], &self.what))?;
            self.text(record.name_offset, record.name_len)?;
            self.folded_at(position)?;
        }
        for index in 0..self.row_groups.len() {
            self.row_group_files(&self.row_group(index)?)?;
        }
        for index in 0..self.files.len() {
            self.files.get::<FileReference>(index, &self.what)?.file_name()?;
        }
        self.metadata()?;
        Ok(())
    }

    fn corrupt(&self, message: &str) -> Error {
        Error::corrupt(format!("{}: {message}", self.what))
    }

    /// How many columns there are.
    pub fn field_count(&self) -> usize {
        self.fields.len()
    }

    /// The record of the column at `position`.
    ///
    /// # Errors
    /// `Corrupt`.
    pub fn field_record(&self, position: usize) -> Result<FieldRecord> {
        self.fields.get(position, &self.what)
    }

    /// The column at `position`.
    ///
    /// # Errors
    /// `Corrupt`.
    pub fn field(&self, position: usize) -> Result<Field> {
        let record = self.field_record(position)?;
        Ok(Field {
            id: FieldId(record.field_id),
            name: self.text(record.name_offset, record.name_len)?.to_owned(),
            data_type: read_type(record.data_type, &Cursor::new(&[], &self.what))?,
            nullable: record.nullable == 1,
        })
    }

    /// The position of a column by its identity.
    ///
    /// # Errors
    /// `Corrupt`.
    pub fn position(&self, field: FieldId) -> Result<Option<usize>> {
        let at = search(self.fields.len(), |position| {
            Ok(self.field_record(position)?.field_id.cmp(&field.0))
        })?;
        Ok(at.ok())
    }

    /// Finds a column by name.
    ///
    /// # Errors
    /// `Corrupt`.
    pub fn find(&self, name: &str) -> Result<NameMatch> {
        let folded = name.to_lowercase();
        let first = search(self.by_name.len(), |place| {
            // Never equal, so that the search ends before the first of several.
            let found = self.folded_at(self.position_at(place)?)?;
            Ok(found.cmp(&folded).then(Ordering::Greater))
        })?;
        let mut alike = Vec::new();
        for place in first.unwrap_or_else(|place| place)..self.by_name.len() {
            let position = self.position_at(place)?;
            if self.folded_at(position)? != folded {
                break;
            }
            let record = self.field_record(position)?;
            let found = self.text(record.name_offset, record.name_len)?;
            if found == name {
                return Ok(NameMatch::Found(position));
            }
            alike.push((position, found));
        }
        Ok(match alike.as_slice() {
            [] => NameMatch::Missing,
            [(position, _)] => NameMatch::Found(*position),
            _ => NameMatch::Ambiguous(alike.iter().map(|(_, name)| (*name).to_owned()).collect()),
        })
    }

    fn position_at(&self, place: usize) -> Result<usize> {
        Ok(index(self.by_name.get(place, &self.what)?))
    }

    fn folded_at(&self, position: usize) -> Result<&str> {
        let record = self.field_record(position)?;
        self.text(record.folded_offset, record.folded_len)
    }

    /// What row groups older than the column read in its place.
    ///
    /// # Errors
    /// `Corrupt`.
    pub fn default_value(&self, record: &FieldRecord) -> Result<Value> {
        match slice(&self.heap, record.default_offset, record.default_len, &self.what)? {
            [] => Ok(Value::Null),
            bytes => read_value(&mut Cursor::new(bytes, &self.what)),
        }
    }

    /// How many row groups there are.
    pub fn row_group_count(&self) -> usize {
        self.row_groups.len()
    }

    /// The row group at `index`.
    ///
    /// # Errors
    /// `Corrupt`.
    pub fn row_group(&self, index: usize) -> Result<RowGroupRecord> {
        self.row_groups.get(index, &self.what)
    }

    /// The column files of a row group, oldest first.
    ///
    /// # Errors
    /// `Corrupt`.
    pub fn row_group_files(&self, row_group: &RowGroupRecord) -> Result<Vec<FileReference>> {
        let end = row_group.first_file.checked_add(row_group.file_count);
        let end = end.ok_or_else(|| self.corrupt("a row group has too many files"))?;
        (row_group.first_file..end).map(|file| self.file(file)).collect()
    }

    /// A file reference by its index.
    ///
    /// # Errors
    /// `Corrupt`.
    pub fn file(&self, file: u32) -> Result<FileReference> {
        self.files.get(index(file), &self.what)
    }

    /// All files that the manifest names.
    ///
    /// # Errors
    /// `Corrupt`.
    pub fn files(&self) -> Result<Vec<FileReference>> {
        (0..self.files.len()).map(|file| self.files.get(file, &self.what)).collect()
    }

    /// The dictionary of a column and its runs.
    ///
    /// # Errors
    /// `Corrupt`.
    pub fn dictionary(&self, field: FieldId) -> Result<Option<(DictionaryRecord, Vec<RunRecord>)>> {
        let place = search(self.dictionaries.len(), |place| {
            let record: DictionaryRecord = self.dictionaries.get(place, &self.what)?;
            Ok(record.field_id.cmp(&field.0))
        })?;
        place.ok().map(|place| self.dictionary_at(place)).transpose()
    }

    /// The dictionary at `place`, ascending by field id, and its runs.
    ///
    /// # Errors
    /// `Corrupt`.
    pub fn dictionary_at(&self, place: usize) -> Result<(DictionaryRecord, Vec<RunRecord>)> {
        let record: DictionaryRecord = self.dictionaries.get(place, &self.what)?;
        let end = record.first_run.checked_add(record.run_count);
        let end = end.ok_or_else(|| self.corrupt("a dictionary has too many runs"))?;
        let runs = (record.first_run..end).map(|run| self.runs.get(index(run), &self.what));
        let runs = runs.collect::<Result<Vec<RunRecord>>>()?;
        Ok((record, runs))
    }

    /// How many columns have a dictionary.
    pub fn dictionary_count(&self) -> usize {
        self.dictionaries.len()
    }

    /// The key/value metadata.
    ///
    /// # Errors
    /// `Corrupt`.
    pub fn metadata(&self) -> Result<Vec<(String, String)>> {
        let entry = |place| {
            let record: MetadataRecord = self.metadata.get(place, &self.what)?;
            Ok((
                self.text(record.key_offset, record.key_len)?.to_owned(),
                self.text(record.value_offset, record.value_len)?.to_owned(),
            ))
        };
        (0..self.metadata.len()).map(entry).collect()
    }

    fn text(&self, offset: u32, len: u32) -> Result<&str> {
        text(&self.heap, offset, len, &self.what)
    }
}

/// A binary search over `len` records that may fail to be read: `Ok` with the place of a match, or
/// `Err` with the place where it would be.
fn search(
    len: usize,
    mut order: impl FnMut(usize) -> Result<Ordering>,
) -> Result<Result<usize, usize>> {
    let mut places: Range<usize> = 0..len;
    while !places.is_empty() {
        let middle = places.start.midpoint(places.end);
        match order(middle)? {
            Ordering::Equal => return Ok(Ok(middle)),
            Ordering::Less => places.start = middle.saturating_add(1),
            Ordering::Greater => places.end = middle,
        }
    }
    Ok(Err(places.start))
}

fn index(number: u32) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}
