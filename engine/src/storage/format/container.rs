//! The container that every file is: header, sections, and a directory sorted by key.

use super::checksum::plain_checksum;
use super::cursor::record;
use super::{Cursor, Identity, KNOWN_FEATURES, MAGIC, VERSION, WRITER_VERSION, Wire};
use crate::types::{Error, Result};

/// What a file is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum FileKind {
    /// Names the tables of one commit.
    DatabaseManifest = 1,
    /// Names the schema and the files of one table.
    TableManifest = 2,
    /// Column chunks and code maps of one row group.
    Columns = 3,
    /// Dictionary runs, and code maps of earlier row groups.
    Dictionary = 4,
    /// Deletion bitmaps.
    Deletions = 5,
}

impl FileKind {
    /// The kind with this number.
    pub fn from_number(number: u32) -> Option<FileKind> {
        use FileKind::{Columns, DatabaseManifest, Deletions, Dictionary, TableManifest};
        [DatabaseManifest, TableManifest, Columns, Dictionary, Deletions]
            .into_iter()
            .find(|kind| kind.number() == number)
    }

    /// The number in the header.
    pub const fn number(self) -> u32 {
        self as u32
    }

    /// How file names of this kind begin.
    pub const fn prefix(self) -> &'static str {
        match self {
            FileKind::DatabaseManifest => "manifest",
            FileKind::TableManifest => "table",
            FileKind::Columns => "columns",
            FileKind::Dictionary => "dictionary",
            FileKind::Deletions => "deletions",
        }
    }

    /// The name of the file of this kind with the number `id`.
    pub fn file_name(self, id: u64) -> String {
        format!("{}-{id:016x}", self.prefix())
    }

    /// The kind and number of a file name; `None` when it is none of ours.
    pub fn parse_name(name: &str) -> Option<(FileKind, u64)> {
        let (prefix, digits) = name.rsplit_once('-')?;
        let canonical =
            digits.len() == 16 && digits.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        let id = u64::from_str_radix(digits, 16).ok().filter(|_| canonical)?;
        let kind = (1..=5).filter_map(FileKind::from_number).find(|kind| kind.prefix() == prefix);
        Some((kind?, id))
    }
}

/// What a section holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u16)]
pub enum SectionKind {
    /// A manifest.
    Manifest = 1,
    /// A column chunk; the ordinal is the row group's id.
    Chunk = 2,
    /// A code map; the ordinal is the row group's id, `extra` the generation.
    CodeMap = 3,
    /// A piece of a dictionary run; the ordinal numbers the run, the part the piece.
    Run = 4,
    /// A deletion bitmap; the ordinal is the row group's id, `extra` the rows deleted.
    Deletions = 5,
}

impl SectionKind {
    /// The number in directory entries.
    pub const fn number(self) -> u16 {
        self as u16
    }
}

record! {
    /// The first bytes of a file.
    pub struct Header, "Header", 128 {
        /// [`MAGIC`].
        magic: [u8; 8] = "magic",
        /// Major version of the format.
        major: u16 = "version major",
        /// Minor version of the format.
        minor: u16 = "version minor",
        /// [`FileKind`].
        kind: u32 = "file kind",
        /// Features that a reader must know to read the file.
        must_understand: u64 = "must-understand features",
        /// Features that a reader may ignore.
        may_ignore: u64 = "may-ignore features",
        /// The build that wrote the file.
        writer_version: u32 = "writer version",
        /// Entries of the directory.
        entry_count: u32 = "entry count",
        /// The database.
        database: [u8; 16] = "database",
        /// The file's number.
        file_id: u64 = "file id",
        /// A random number drawn for the file.
        seal: u64 = "seal",
        /// Length of the whole file in bytes.
        file_len: u64 = "file length",
        /// Where the directory starts.
        directory_offset: u64 = "directory offset",
        /// Zero.
        reserved: [u8; 32] = "reserved",
        /// Of the bytes before it.
        checksum: u64 = "checksum",
    }
}

impl Header {
    /// The header of a file that this build writes.
    pub fn new(kind: FileKind, identity: Identity, entry_count: u32, ends: (u64, u64)) -> Header {
        let (directory_offset, file_len) = ends;
        Header {
            magic: MAGIC,
            major: VERSION.0,
            minor: VERSION.1,
            kind: kind.number(),
            must_understand: 0,
            may_ignore: 0,
            writer_version: WRITER_VERSION,
            entry_count,
            database: identity.database,
            file_id: identity.file,
            seal: identity.seal,
            file_len,
            directory_offset,
            reserved: [0; 32],
            checksum: 0,
        }
    }

    /// Its bytes, checksum included.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(Header::SIZE);
        self.write(&mut bytes);
        bytes.truncate(CHECKSUMMED);
        plain_checksum(&bytes).write(&mut bytes);
        bytes
    }

    /// Reads and checks the header of `file`, which is `file_len` bytes long.
    ///
    /// # Errors
    /// `Corrupt` for damage, `Unsupported` for another version or unknown features.
    pub fn parse(bytes: &[u8], file: &str, file_len: u64) -> Result<Header> {
        let header = Header::read(&mut Cursor::new(bytes, file))?;
        if header.magic != MAGIC {
            return Err(Error::corrupt(format!("{file} is no file of Martlet")));
        }
        if (header.major, header.minor) != VERSION {
            return Err(Error::unsupported(format!(
                "{file} has format version {}.{}, this build reads {}.{}",
                header.major, header.minor, VERSION.0, VERSION.1
            ))
            .with_hint("load the data again with this build"));
        }
        if bytes.get(..CHECKSUMMED).map(plain_checksum) != Some(header.checksum) {
            return Err(Error::corrupt(format!("{file}: the header is damaged")));
        }
        if header.must_understand & !KNOWN_FEATURES != 0 {
            return Err(Error::unsupported(format!(
                "{file} uses features {:#x}, which this build does not know",
                header.must_understand & !KNOWN_FEATURES
            )));
        }
        let directory_len = u64::from(header.entry_count).checked_mul(DirectoryEntry::SIZE as u64);
        let directory_end = directory_len.and_then(|len| len.checked_add(header.directory_offset));
        if header.file_len != file_len || directory_end != Some(file_len) {
            return Err(Error::corrupt(format!(
                "{file} is {file_len} bytes long instead of {}",
                header.file_len
            )));
        }
        Ok(header)
    }

    /// Which file it heads.
    pub fn identity(&self) -> Identity {
        Identity { database: self.database, file: self.file_id, seal: self.seal }
    }
}

/// How many bytes of a header its checksum covers.
const CHECKSUMMED: usize = 120;

/// What a section is found by; the order of the fields is the order of the directory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct SectionKey {
    /// The column, 0 where there is none.
    pub field: u32,
    /// What it is: [`SectionKind`].
    pub kind: u16,
    /// Row group or run.
    pub ordinal: u32,
    /// Piece of a run.
    pub part: u32,
}

impl SectionKey {
    /// A key with part 0.
    pub fn new(field: u32, kind: SectionKind, ordinal: u32) -> SectionKey {
        SectionKey { field, kind: kind.number(), ordinal, part: 0 }
    }
}

record! {
    /// Where a section is.
    pub struct DirectoryEntry, "Directory entry", 64 {
        /// The column's field id.
        field: u32 = "field id",
        /// [`SectionKind`].
        kind: u16 = "section kind",
        /// Zero.
        reserved_kind: u16 = "reserved",
        /// Row group or run.
        ordinal: u32 = "ordinal",
        /// Piece of a run.
        part: u32 = "part",
        /// First byte of the section in the file.
        offset: u64 = "offset",
        /// Bytes that `checksum` covers.
        len: u64 = "length",
        /// Of the section; of a chunk, of its head.
        checksum: u64 = "checksum",
        /// Depends on the kind.
        extra: u64 = "extra",
        /// Zero.
        reserved: u64 = "reserved",
        /// Of the bytes before it, at the entry's own offset.
        entry_checksum: u64 = "entry checksum",
    }
}

impl DirectoryEntry {
    /// The key.
    pub fn key(&self) -> SectionKey {
        SectionKey { field: self.field, kind: self.kind, ordinal: self.ordinal, part: self.part }
    }

    /// Its bytes at `offset` of the file, checksum included.
    pub fn to_bytes(&self, identity: Identity, offset: u64) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(DirectoryEntry::SIZE);
        self.write(&mut bytes);
        bytes.truncate(ENTRY_CHECKSUMMED);
        identity.checksum(offset, &bytes).write(&mut bytes);
        bytes
    }

    /// Reads and checks the entry at `offset` of `file`.
    ///
    /// # Errors
    /// `Corrupt`.
    pub fn parse(bytes: &[u8], identity: Identity, offset: u64, file: &str) -> Result<Self> {
        let entry = DirectoryEntry::read(&mut Cursor::new(bytes, file))?;
        let sum = bytes.get(..ENTRY_CHECKSUMMED).map(|bytes| identity.checksum(offset, bytes));
        if sum != Some(entry.entry_checksum) {
            return Err(Error::corrupt(format!(
                "{file}: the directory entry at byte {offset} is damaged"
            )));
        }
        Ok(entry)
    }
}

/// How many bytes of a directory entry its checksum covers.
const ENTRY_CHECKSUMMED: usize = 56;

record! {
    /// How a manifest names a file.
    pub struct FileReference, "File reference", 40 {
        /// The file's number.
        id: u64 = "file id",
        /// Its length in bytes.
        len: u64 = "file length",
        /// Its seal.
        seal: u64 = "seal",
        /// [`FileKind`].
        kind: u32 = "file kind",
        /// The smallest field id in its directory.
        first_field: u32 = "first field",
        /// The largest field id in its directory.
        last_field: u32 = "last field",
        /// Zero.
        reserved: u32 = "reserved",
    }
}

impl FileReference {
    /// The file's name.
    ///
    /// # Errors
    /// `Corrupt` when the kind is unknown.
    pub fn file_name(&self) -> Result<String> {
        FileKind::from_number(self.kind)
            .map(|kind| kind.file_name(self.id))
            .ok_or_else(|| Error::corrupt(format!("a file of kind {} is named", self.kind)))
    }

    /// Whether the file may hold sections of `field`.
    pub fn may_hold(&self, field: u32) -> bool {
        (self.first_field..=self.last_field).contains(&field)
    }
}

#[cfg(test)]
#[expect(clippy::indexing_slicing, reason = "bytes of the tests")]
mod tests {
    use super::*;

    #[test]
    fn names_go_there_and_back_and_others_are_not_ours() {
        for number in 1..=5 {
            let kind = FileKind::from_number(number).unwrap();
            assert_eq!(FileKind::parse_name(&kind.file_name(255)), Some((kind, 255)));
        }
        for name in ["columns-ff", "lock", "columns-00000000000000FF", "x-00000000000000ff"] {
            assert_eq!(FileKind::parse_name(name), None, "{name}");
        }
    }

    #[test]
    fn every_flipped_bit_of_a_header_is_found() {
        let identity = Identity { database: [1; 16], file: 2, seal: 3 };
        let bytes = Header::new(FileKind::Columns, identity, 0, (128, 128)).to_bytes();
        assert_eq!(bytes.len(), Header::SIZE);
        assert!(Header::parse(&bytes, "f", 128).is_ok());
        assert!(Header::parse(&bytes, "f", 129).is_err());
        for bit in 0..bytes.len() * 8 {
            let mut damaged = bytes.clone();
            damaged[bit / 8] ^= 1 << (bit % 8);
            assert!(Header::parse(&damaged, "f", 128).is_err(), "bit {bit}");
        }
    }

    #[test]
    fn an_entry_is_valid_at_its_own_place_only() {
        let identity = Identity { database: [1; 16], file: 2, seal: 3 };
        let entry = DirectoryEntry {
            field: 1,
            kind: SectionKind::Chunk.number(),
            reserved_kind: 0,
            ordinal: 0,
            part: 0,
            offset: 128,
            len: 64,
            checksum: 5,
            extra: 0,
            reserved: 0,
            entry_checksum: 0,
        };
        let bytes = entry.to_bytes(identity, 256);
        assert_eq!(DirectoryEntry::parse(&bytes, identity, 256, "f").unwrap().key(), entry.key());
        assert!(DirectoryEntry::parse(&bytes, identity, 320, "f").is_err());
    }
}
