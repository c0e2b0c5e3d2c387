//! The bytes of every file: records, checksums, and how they are read without trust.
//!
//! Nothing here knows files, backends or locks: it turns bytes into records and back. All parsing
//! goes through [`Cursor`] and [`Records`]; whatever the bytes are, the answer is a record or
//! `Corrupt`, and nothing is allocated that the bytes themselves do not pay for.
//!
#![doc = include_str!("../../../FORMAT.md")]
#![deny(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

mod checksum;
mod chunk;
mod container;
mod cursor;
mod database;
mod table;
mod table_builder;
mod value;

pub use self::checksum::Identity;
pub use self::chunk::{ChunkHead, ChunkHeadRecord, PageHead, PageRecord};
pub use self::container::{
    DirectoryEntry, FileKind, FileReference, Header, SectionKey, SectionKind,
};
pub use self::cursor::{Cursor, Records, Wire};
pub use self::database::{DatabaseHead, DatabaseManifest, NamedTable, TableEntry};
pub use self::table::{
    DictionaryRecord, FieldRecord, MetadataRecord, NONE, RowGroupRecord, RunRecord, TableHead,
    TableManifest,
};
pub use self::table_builder::{DictionaryParts, FieldParts, RowGroupParts, RunParts, TableParts};

/// The first bytes of every file.
pub const MAGIC: [u8; 8] = *b"MARTLET\0";
/// The format's version, major and minor. While the major is 0, only exactly this one is read.
pub const VERSION: (u16, u16) = (0, 2);
/// Sections start at multiples of this many bytes.
pub const SECTION_ALIGNMENT: u64 = 64;
/// Sections longer than [`LARGE_SECTION_LEN`] start at multiples of this many bytes.
pub const LARGE_SECTION_ALIGNMENT: u64 = 4_096;
/// Beyond this many bytes a section is large.
pub const LARGE_SECTION_LEN: u64 = 1 << 20;
/// Feature bits that a reader must know, as far as this build knows them: none yet.
pub const KNOWN_FEATURES: u64 = 0;
/// This build, as files record their writer: major, minor and patch in one byte each.
pub const WRITER_VERSION: u32 = 0x00_01_00;

/// The fields of a record, in order.
#[derive(Clone, Copy, Debug)]
pub struct Layout {
    /// The heading of its table in FORMAT.md.
    pub title: &'static str,
    /// Its width in bytes.
    pub len: usize,
    /// Width and name of each field.
    pub fields: &'static [(usize, &'static str)],
}

/// Every record, in the order of FORMAT.md.
pub const LAYOUTS: &[Layout] = &[
    Header::LAYOUT,
    DirectoryEntry::LAYOUT,
    FileReference::LAYOUT,
    ChunkHeadRecord::LAYOUT,
    PageRecord::LAYOUT,
    DatabaseHead::LAYOUT,
    TableEntry::LAYOUT,
    TableHead::LAYOUT,
    FieldRecord::LAYOUT,
    RowGroupRecord::LAYOUT,
    DictionaryRecord::LAYOUT,
    RunRecord::LAYOUT,
    MetadataRecord::LAYOUT,
];

/// The sum of `sizes`, for assertions while compiling.
#[expect(
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "runs in the compiler, which reports both"
)]
const fn widths(sizes: &[usize]) -> usize {
    let mut sum = 0;
    let mut index = 0;
    while index < sizes.len() {
        sum += sizes[index];
        index += 1;
    }
    sum
}
