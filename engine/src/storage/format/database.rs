//! The database manifest: the tables of one commit.

use bytes::Bytes;

use super::cursor::record;
use super::{Cursor, FileKind, FileReference, Records, Wire};
use crate::types::{Error, Result};

record! {
    /// The start of a database manifest.
    pub struct DatabaseHead, "Database manifest", 64 {
        /// The commit's number.
        number: u64 = "commit number",
        /// The next file id to be given.
        next_file_id: u64 = "next file id",
        /// The next table id to be given.
        next_table_id: u32 = "next table id",
        /// Tables.
        table_count: u32 = "table count",
        /// Rows of a full row group.
        row_group_len: u32 = "row group length",
        /// Rows of a full page.
        page_len: u32 = "page length",
        /// Bytes of the names, which follow the table entries.
        names_len: u32 = "names length",
        /// Zero.
        reserved_int: u32 = "reserved",
        /// Microseconds since 1970 at the commit.
        committed_us: u64 = "commit time",
        /// Zero.
        reserved: u64 = "reserved",
        /// Zero.
        reserved_more: u64 = "reserved",
    }
}

record! {
    /// One table of a database manifest.
    pub struct TableEntry, "Table entry", 56 {
        /// The table's manifest.
        manifest: FileReference = "table manifest",
        /// Identity.
        table_id: u32 = "table id",
        /// First byte of the name.
        name_offset: u32 = "name offset",
        /// Bytes of the name.
        name_len: u32 = "name length",
        /// Zero.
        reserved: u32 = "reserved",
    }
}

/// A parsed database manifest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DatabaseManifest {
    /// The commit's number.
    pub number: u64,
    /// The next file id to be given.
    pub next_file_id: u64,
    /// The next table id to be given.
    pub next_table_id: u32,
    /// Rows of a full row group.
    pub row_group_len: u32,
    /// Rows of a full page.
    pub page_len: u32,
    /// Microseconds since 1970 at the commit.
    pub committed_us: u64,
    /// Name, id and manifest of each table.
    pub tables: Vec<NamedTable>,
}

/// A table as a database manifest names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamedTable {
    /// Name.
    pub name: String,
    /// Identity.
    pub id: u32,
    /// Its manifest.
    pub manifest: FileReference,
}

impl NamedTable {
    /// A table whose manifest has not been written yet.
    pub fn unwritten(name: &str, id: u32) -> NamedTable {
        let manifest = FileReference {
            id: 0,
            len: 0,
            seal: 0,
            kind: FileKind::TableManifest.number(),
            first_field: 0,
            last_field: 0,
            reserved: 0,
        };
        NamedTable { name: name.to_owned(), id, manifest }
    }
}

impl DatabaseManifest {
    /// Its bytes.
    pub fn to_bytes(&self) -> Result<Vec<u8>> {
        let too_long = |_| Error::unsupported("the tables' names are longer than 4 GiB");
        let mut entries = Vec::new();
        let mut names = Vec::new();
        for table in &self.tables {
            TableEntry {
                manifest: table.manifest.clone(),
                table_id: table.id,
                name_offset: u32::try_from(names.len()).map_err(too_long)?,
                name_len: u32::try_from(table.name.len()).map_err(too_long)?,
                reserved: 0,
            }
            .write(&mut entries);
            names.extend_from_slice(table.name.as_bytes());
        }
        let mut bytes = Vec::new();
        DatabaseHead {
            number: self.number,
            next_file_id: self.next_file_id,
            next_table_id: self.next_table_id,
            table_count: u32::try_from(self.tables.len()).map_err(too_long)?,
            row_group_len: self.row_group_len,
            page_len: self.page_len,
            names_len: u32::try_from(names.len()).map_err(too_long)?,
            reserved_int: 0,
            committed_us: self.committed_us,
            reserved: 0,
            reserved_more: 0,
        }
        .write(&mut bytes);
        bytes.extend_from_slice(&entries);
        bytes.extend_from_slice(&names);
        Ok(bytes)
    }

    /// Parses the bytes of a manifest.
    ///
    /// # Errors
    /// `Corrupt`.
    pub fn parse(bytes: &Bytes, what: &str) -> Result<DatabaseManifest> {
        let mut cursor = Cursor::new(bytes, what);
        let head = DatabaseHead::read(&mut cursor)?;
        let (entries, end) =
            Records::new(bytes, DatabaseHead::SIZE, TableEntry::SIZE, head.table_count, what)?;
        let names = bytes.get(end..).unwrap_or_default();
        let mut tables = Vec::with_capacity(entries.len());
        for index in 0..entries.len() {
            let entry: TableEntry = entries.get(index, what)?;
            tables.push(NamedTable {
                name: text(names, entry.name_offset, entry.name_len, what)?.to_owned(),
                id: entry.table_id,
                manifest: entry.manifest,
            });
        }
        if head.row_group_len == 0 || head.page_len == 0 {
            return Err(cursor.corrupt("row groups or pages have no rows"));
        }
        Ok(DatabaseManifest {
            number: head.number,
            next_file_id: head.next_file_id,
            next_table_id: head.next_table_id,
            row_group_len: head.row_group_len,
            page_len: head.page_len,
            committed_us: head.committed_us,
            tables,
        })
    }
}

/// The bytes at `offset` of a heap.
pub(super) fn slice<'a>(heap: &'a [u8], offset: u32, len: u32, what: &str) -> Result<&'a [u8]> {
    let start = usize::try_from(offset).unwrap_or(usize::MAX);
    let len = usize::try_from(len).unwrap_or(usize::MAX);
    start
        .checked_add(len)
        .and_then(|end| heap.get(start..end))
        .ok_or_else(|| Error::corrupt(format!("{what}: a name or value lies outside")))
}

/// The text at `offset` of a heap.
pub(super) fn text<'a>(heap: &'a [u8], offset: u32, len: u32, what: &str) -> Result<&'a str> {
    std::str::from_utf8(slice(heap, offset, len, what)?)
        .map_err(|_| Error::corrupt(format!("{what}: a name is not UTF-8")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_manifest_goes_there_and_back_and_no_cut_panics() -> Result<()> {
        let manifest = DatabaseManifest {
            number: 3,
            next_file_id: 9,
            next_table_id: 2,
            row_group_len: 10,
            page_len: 5,
            committed_us: 1,
            tables: vec![NamedTable {
                name: "zähler".into(),
                id: 1,
                manifest: FileReference {
                    id: 4,
                    len: 5,
                    seal: 6,
                    kind: 2,
                    first_field: 0,
                    last_field: 7,
                    reserved: 0,
                },
            }],
        };
        let bytes = Bytes::from(manifest.to_bytes()?);
        assert_eq!(DatabaseManifest::parse(&bytes, "m")?, manifest);
        for len in 0..bytes.len() {
            assert!(DatabaseManifest::parse(&bytes.slice(..len), "m").is_err(), "{len}");
        }
        Ok(())
    }
}
