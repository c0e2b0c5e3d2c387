//! A table manifest as plain data: what a transaction changes, and how it becomes bytes.

use std::collections::BTreeMap;

use bytes::Bytes;
use hashbrown::HashMap;

use super::table::{
    DictionaryRecord, FieldRecord, MetadataRecord, NONE, RowGroupRecord, RunRecord, TableHead,
    TableManifest,
};
use super::value::{write_type, write_value};
use super::{FileReference, Wire};
use crate::catalog::Field;
use crate::types::{Error, Result, Value};

/// Everything that a table manifest says.
#[derive(Clone, Debug, PartialEq)]
pub struct TableParts {
    /// Identity.
    pub table_id: u32,
    /// The next field id to be given.
    pub next_field_id: u32,
    /// The next row group id to be given.
    pub next_row_group_id: u32,
    /// Rows of a full page.
    pub page_len: u32,
    /// Columns, ascending by id.
    pub fields: Vec<FieldParts>,
    /// Row groups in row order.
    pub row_groups: Vec<RowGroupParts>,
    /// Dictionaries by field id.
    pub dictionaries: BTreeMap<u32, DictionaryParts>,
    /// Key/value metadata.
    pub metadata: Vec<(String, String)>,
}

/// A column.
#[derive(Clone, Debug, PartialEq)]
pub struct FieldParts {
    /// Identity, name, type.
    pub field: Field,
    /// What older row groups read.
    pub default_value: Value,
    /// Row groups with smaller ids are older.
    pub first_row_group_id: u32,
}

/// A row group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RowGroupParts {
    /// Identity.
    pub id: u32,
    /// Rows as written.
    pub row_count: u32,
    /// Rows marked deleted.
    pub deleted_count: u32,
    /// The file of the deletion bitmap.
    pub deletions: Option<FileReference>,
    /// The column files, oldest first.
    pub files: Vec<FileReference>,
}

/// A dictionary.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DictionaryParts {
    /// The generation of its ids.
    pub generation: u32,
    /// Its runs in id order.
    pub runs: Vec<RunParts>,
    /// The file with the maps of older row groups.
    pub maps: Option<FileReference>,
    /// Row groups with smaller ids are older than the generation.
    pub first_row_group_id: u32,
    /// Whether each value occurs in some row, deleted or not.
    pub all_used: bool,
}

/// A run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunParts {
    /// Where it is.
    pub file: FileReference,
    /// The ordinal of its sections.
    pub ordinal: u32,
    /// Values.
    pub value_count: u32,
}

impl TableParts {
    /// What `manifest` says.
    ///
    /// # Errors
    /// `Corrupt`.
    pub fn of(manifest: &TableManifest) -> Result<TableParts> {
        let fields = (0..manifest.field_count()).map(|position| {
            let record = manifest.field_record(position)?;
            Ok(FieldParts {
                field: manifest.field(position)?,
                default_value: manifest.default_value(&record)?,
                first_row_group_id: record.first_row_group_id,
            })
        });
        let row_groups = (0..manifest.row_group_count()).map(|index| {
            let record = manifest.row_group(index)?;
            Ok(RowGroupParts {
                id: record.id,
                row_count: record.row_count,
                deleted_count: record.deleted_count,
                deletions: optional_file(manifest, record.deletions_file)?,
                files: manifest.row_group_files(&record)?,
            })
        });
        let dictionaries = (0..manifest.dictionary_count()).map(|place| {
            let (record, runs) = manifest.dictionary_at(place)?;
            let runs = runs.iter().map(|run| {
                let file = manifest.file(run.file)?;
                Ok(RunParts { file, ordinal: run.ordinal, value_count: run.value_count })
            });
            let dictionary = DictionaryParts {
                generation: record.generation,
                runs: runs.collect::<Result<_>>()?,
                maps: optional_file(manifest, record.maps_file)?,
                first_row_group_id: record.first_row_group_id,
                all_used: record.all_used == 1,
            };
            Ok((record.field_id, dictionary))
        });
        Ok(TableParts {
            table_id: manifest.head.table_id,
            next_field_id: manifest.head.next_field_id,
            next_row_group_id: manifest.head.next_row_group_id,
            page_len: manifest.head.page_len,
            fields: fields.collect::<Result<_>>()?,
            row_groups: row_groups.collect::<Result<_>>()?,
            dictionaries: dictionaries.collect::<Result<_>>()?,
            metadata: manifest.metadata()?,
        })
    }

    /// Rows that are not deleted.
    pub fn row_count(&self) -> u64 {
        let live = |group: &RowGroupParts| group.row_count.saturating_sub(group.deleted_count);
        self.row_groups.iter().map(|group| u64::from(live(group))).sum()
    }

    /// The bytes of the manifest.
    ///
    /// # Errors
    /// `Unsupported` when there are more than 2^32 of anything.
    pub fn to_bytes(&self) -> Result<Vec<u8>> {
        let mut writer = Writer::default();
        let fields = self.field_records(&mut writer)?;
        let row_groups = self.row_group_records(&mut writer)?;
        let (dictionaries, runs) = self.dictionary_records(&mut writer)?;
        let mut metadata = Vec::new();
        for (key, value) in &self.metadata {
            let (key_offset, key_len) = writer.put(key.as_bytes())?;
            let (value_offset, value_len) = writer.put(value.as_bytes())?;
            metadata.push(MetadataRecord { key_offset, key_len, value_offset, value_len });
        }
        let mut bytes = Vec::new();
        TableHead {
            table_id: self.table_id,
            next_field_id: self.next_field_id,
            next_row_group_id: self.next_row_group_id,
            page_len: self.page_len,
            row_count: self.row_count(),
            field_count: count(fields.len())?,
            row_group_count: count(row_groups.len())?,
            file_count: count(writer.files.len())?,
            dictionary_count: count(dictionaries.len())?,
            run_count: count(runs.len())?,
            metadata_count: count(metadata.len())?,
            heap_len: count(writer.heap.len())?,
            reserved_int: 0,
            reserved: 0,
        }
        .write(&mut bytes);
        write_all(&fields, &mut bytes);
        write_all(&self.positions_by_name()?, &mut bytes);
        write_all(&row_groups, &mut bytes);
        write_all(&writer.files, &mut bytes);
        write_all(&dictionaries, &mut bytes);
        write_all(&runs, &mut bytes);
        write_all(&metadata, &mut bytes);
        bytes.extend_from_slice(&writer.heap);
        // What cannot be read back must not be committed.
        let bytes = Bytes::from(bytes);
        TableManifest::parse(&bytes, "the new table manifest")?;
        Ok(bytes.into())
    }

    fn field_records(&self, writer: &mut Writer) -> Result<Vec<FieldRecord>> {
        let record = |parts: &FieldParts| {
            let field = &parts.field;
            let (name_offset, name_len) = writer.put(field.name.as_bytes())?;
            let folded = field.name.to_lowercase();
            let (folded_offset, folded_len) = if folded == field.name {
                (name_offset, name_len)
            } else {
                writer.put(folded.as_bytes())?
            };
            let mut default = Vec::new();
            if !parts.default_value.is_null() {
                write_value(&parts.default_value, &mut default);
            }
            let (default_offset, default_len) = writer.put(&default)?;
            Ok(FieldRecord {
                field_id: field.id.0,
                parent_id: NONE,
                data_type: write_type(field.data_type),
                nullable: u8::from(field.nullable),
                reserved_byte: 0,
                collation_id: 0,
                name_offset,
                name_len,
                folded_offset,
                folded_len,
                default_offset,
                default_len,
                first_row_group_id: parts.first_row_group_id,
                reserved: 0,
            })
        };
        self.fields.iter().map(record).collect()
    }

    fn positions_by_name(&self) -> Result<Vec<u32>> {
        let mut names: Vec<(String, u32)> = Vec::with_capacity(self.fields.len());
        for (position, parts) in self.fields.iter().enumerate() {
            names.push((parts.field.name.to_lowercase(), count(position)?));
        }
        names.sort_unstable();
        Ok(names.into_iter().map(|(_, position)| position).collect())
    }

    fn row_group_records(&self, writer: &mut Writer) -> Result<Vec<RowGroupRecord>> {
        // First the column files, a run of references for each row group.
        let mut records = Vec::with_capacity(self.row_groups.len());
        for group in &self.row_groups {
            records.push(RowGroupRecord {
                id: group.id,
                row_count: group.row_count,
                deleted_count: group.deleted_count,
                deletions_file: NONE,
                first_file: count(writer.files.len())?,
                file_count: count(group.files.len())?,
                reserved: 0,
            });
            writer.files.extend_from_slice(&group.files);
        }
        for (record, group) in records.iter_mut().zip(&self.row_groups) {
            record.deletions_file = writer.optional_file(group.deletions.as_ref())?;
        }
        Ok(records)
    }

    fn dictionary_records(
        &self,
        writer: &mut Writer,
    ) -> Result<(Vec<DictionaryRecord>, Vec<RunRecord>)> {
        let mut records = Vec::with_capacity(self.dictionaries.len());
        let mut runs = Vec::new();
        for (field_id, parts) in &self.dictionaries {
            records.push(DictionaryRecord {
                field_id: *field_id,
                generation: parts.generation,
                first_run: count(runs.len())?,
                run_count: count(parts.runs.len())?,
                maps_file: writer.optional_file(parts.maps.as_ref())?,
                first_row_group_id: parts.first_row_group_id,
                all_used: u8::from(parts.all_used),
                reserved_bytes: [0; 7],
            });
            let mut first_id: u32 = 0;
            for run in &parts.runs {
                runs.push(RunRecord {
                    file: writer.file(&run.file)?,
                    ordinal: run.ordinal,
                    value_count: run.value_count,
                    first_id,
                });
                first_id = first_id.checked_add(run.value_count).ok_or_else(too_many)?;
            }
        }
        Ok((records, runs))
    }
}

fn optional_file(manifest: &TableManifest, file: u32) -> Result<Option<FileReference>> {
    if file == NONE { Ok(None) } else { manifest.file(file).map(Some) }
}

/// The parts of a manifest that records point into.
#[derive(Default)]
struct Writer {
    heap: Vec<u8>,
    files: Vec<FileReference>,
    shared: HashMap<u64, u32>,
}

impl Writer {
    fn put(&mut self, bytes: &[u8]) -> Result<(u32, u32)> {
        let offset = count(self.heap.len())?;
        self.heap.extend_from_slice(bytes);
        Ok((offset, count(bytes.len())?))
    }

    /// The index of a file that several records may name.
    fn file(&mut self, file: &FileReference) -> Result<u32> {
        if let Some(index) = self.shared.get(&file.id) {
            return Ok(*index);
        }
        let index = count(self.files.len())?;
        self.files.push(file.clone());
        self.shared.insert(file.id, index);
        Ok(index)
    }

    fn optional_file(&mut self, file: Option<&FileReference>) -> Result<u32> {
        file.map_or(Ok(NONE), |file| self.file(file))
    }
}

fn write_all<T: Wire>(records: &[T], target: &mut Vec<u8>) {
    for record in records {
        record.write(target);
    }
}

fn count(len: usize) -> Result<u32> {
    u32::try_from(len).ok().filter(|len| *len != NONE).ok_or_else(too_many)
}

fn too_many() -> Error {
    Error::unsupported("a table with more than 2^32 names, files, values or bytes of names")
}

#[cfg(test)]
#[expect(clippy::indexing_slicing, clippy::arithmetic_side_effects, reason = "bytes of the tests")]
mod tests {
    use super::*;
    use crate::catalog::{FieldId, NameMatch};
    use crate::storage::format::FileKind;
    use crate::types::DataType;

    fn file(id: u64, kind: FileKind) -> FileReference {
        FileReference {
            id,
            len: 10,
            seal: 7,
            kind: kind.number(),
            first_field: 0,
            last_field: 9,
            reserved: 0,
        }
    }

    fn parts(names: &[&str]) -> TableParts {
        let field = |(id, name): (u32, &&str)| FieldParts {
            field: Field {
                id: FieldId(id * 3),
                name: (*name).to_owned(),
                data_type: DataType::Int64,
                nullable: true,
            },
            default_value: if id == 1 { Value::Int(-5) } else { Value::Null },
            first_row_group_id: id,
        };
        let run = RunParts { file: file(5, FileKind::Dictionary), ordinal: 1, value_count: 4 };
        let dictionary = DictionaryParts {
            generation: 2,
            runs: vec![run.clone(), run],
            maps: Some(file(6, FileKind::Dictionary)),
            first_row_group_id: 1,
            all_used: true,
        };
        let row_group = |id| RowGroupParts {
            id,
            row_count: 8,
            deleted_count: id,
            deletions: (id > 0).then(|| file(9, FileKind::Deletions)),
            files: vec![file(20 + u64::from(id), FileKind::Columns)],
        };
        TableParts {
            table_id: 1,
            next_field_id: 100,
            next_row_group_id: 3,
            page_len: 4,
            fields: (0..).zip(names).map(field).collect(),
            row_groups: (0..3).map(row_group).collect(),
            dictionaries: BTreeMap::from([(0, dictionary.clone()), (3, dictionary)]),
            metadata: vec![("key".into(), "välue".into())],
        }
    }

    #[test]
    fn a_manifest_goes_there_and_back_and_no_cut_panics() -> Result<()> {
        let parts = parts(&["a", "B", "c"]);
        let bytes = Bytes::from(parts.to_bytes()?);
        let manifest = TableManifest::parse(&bytes, "t")?;
        assert_eq!(TableParts::of(&manifest)?, parts);
        assert_eq!(manifest.head.row_count, 24 - 3);
        let (_, runs) = manifest.dictionary(FieldId(3))?.unwrap();
        assert_eq!(runs.iter().map(|run| run.first_id).collect::<Vec<_>>(), [0, 4]);
        assert!(manifest.dictionary(FieldId(6))?.is_none());
        for len in 0..bytes.len() {
            assert!(TableManifest::parse(&bytes.slice(..len), "t").is_err(), "{len}");
        }
        Ok(())
    }

    #[test]
    fn names_are_found_exactly_first_then_whatever_their_case() -> Result<()> {
        let parts = parts(&["Ärger", "id", "ID", "Name", "z"]);
        let manifest = TableManifest::parse(&Bytes::from(parts.to_bytes()?), "t")?;
        assert_eq!(manifest.find("id")?, NameMatch::Found(1));
        assert_eq!(manifest.find("ID")?, NameMatch::Found(2));
        assert_eq!(manifest.find("Id")?, NameMatch::Ambiguous(vec!["id".into(), "ID".into()]));
        assert_eq!(manifest.find("nAME")?, NameMatch::Found(3));
        assert_eq!(manifest.find("äRGER")?, NameMatch::Found(0));
        assert_eq!(manifest.find("Z")?, NameMatch::Found(4));
        assert_eq!(manifest.find("nam")?, NameMatch::Missing);
        assert_eq!(manifest.position(FieldId(9))?, Some(3));
        assert_eq!(manifest.position(FieldId(8))?, None);
        Ok(())
    }

    #[test]
    fn damaged_records_are_refused_or_read_but_never_panic() -> Result<()> {
        let bytes = parts(&["a", "B", "c"]).to_bytes()?;
        for position in 0..bytes.len() {
            for value in [0, 1, 0x7f, 0xff] {
                let mut damaged = bytes.clone();
                damaged[position] = value;
                if let Ok(manifest) = TableManifest::parse(&Bytes::from(damaged), "t") {
                    // Checksums catch this in a file; here it only has to end in some answer.
                    drop((TableParts::of(&manifest), manifest.find("b")));
                }
            }
        }
        Ok(())
    }
}
