//! The database on disk: files, manifests, snapshots, commits, dictionaries.
//!
//! # Definitions
//!
//! - *File*: a container of checksummed sections with a directory ([`format`](mod@format)). Its *number*
//!   (file id) is unique in the database; its *seal* is a random number drawn when it was created.
//! - *Database manifest*: the numbered file that names the tables of one commit. *Table manifest*: the
//!   file that names schema, row groups, dictionaries and files of one table.
//! - *Newest commit*: the one whose database manifest has the greatest number among the visible ones.
//! - *Visible*: has a name of the form `manifest-…`. *Durable*: survives a power cut.
//! - *Pinned*: somebody holds the shared lock of the manifest, through a [`Snapshot`] or a table of it.
//! - *Leftover*: a file that no visible manifest names.
//!
//! # Invariants
//!
//! 1. A committed file never changes, and its number is never given again while it exists:
//!    `NewFiles::new` starts above all numbers on disk. Broken in
//!    `tests::faults::every_failing_call_leaves_the_old_state_or_the_new`.
//! 2. What a manifest names is durable, name included, before the manifest is visible:
//!    `ContainerWriter::finish`, `Transaction::commit` (syncs the directory first). Broken in
//!    `tests::faults::no_power_cut_tears_a_commit`.
//! 3. A manifest becomes visible whole or not at all, and never replaces another: `write_manifest`
//!    links a durable file to its number. Broken in `tests::faults::no_power_cut_tears_a_commit`.
//! 4. The newest visible manifest is the state of the database. If it is damaged that is an error,
//!    never a reason to take an older one: `lock_newest`, `read_manifest`. Broken in
//!    `tests::corruption::every_flipped_byte_is_found_or_does_not_matter`.
//! 5. Once a commit may have become visible its files stay, and after a failed sync nothing more is
//!    written: `NewFiles::keep`, `Store::mark_broken`. Broken in
//!    `tests::faults::every_failing_call_leaves_the_old_state_or_the_new`.
//! 6. There is one writer among all processes: `Store::lock_writer` takes the OS lock of the file
//!    `lock`, which ends with its process. Broken in
//!    `tests::processes::a_killed_writer_leaves_no_lock_and_no_trace`.
//! 7. No file that a pinned commit names is removed, and the manifest after a pinned one stays, so that
//!    its reader finds the news: `lock_manifest`, `vacuum::run`. Broken in
//!    `tests::processes::a_reader_elsewhere_keeps_its_snapshot`.
//! 8. No byte is used before it was held against a checksum over the bytes, their place, their file and
//!    their database: `Identity::checksum`, `ContainerFile::verify`. Broken in
//!    `tests::corruption::swapped_files_and_sections_are_found`.
//! 9. "Not there" is believed only of verified directory entries, and a column may be missing only
//!    from row groups older than it: `ContainerFile::find`, `TableSnapshot::chunk`.
//! 10. Reading a column costs that column: entries are found by binary search, and have a checksum each;
//!     look-ups in a manifest touch single records. Held by `bench/`'s width suite.
//! 11. A chunk of codes has a code map of the dictionary's generation: `State::check` (table writer).
//! 12. What stays in memory between queries is no view of a mapped file, which somebody could cut:
//!     `FileSections::read`, `read_table_manifest`. Broken in `sql/tests/damage.rs`.
//! 13. What one transaction writes of a table builds on its snapshot alone: `ingest::load` refuses a
//!     second load, `Transaction::commit` deletions of row groups that a load took in.
//! 14. Caches are counted, and yield: `cache::Meter`. Broken in
//!     `tests::commits::caches_are_counted_bounded_and_given_up`.
//!
//! # Statistics under deletes
//!
//! Zone maps and dictionaries describe rows as written. With a non-empty deletion bitmap minimum and
//! maximum still bound what is left, and COUNT(*) is `row_count - deleted_count`; every other count, sum,
//! distinct count, and the bounds as answers, are computed from rows.

pub mod backend;
mod cache;
mod chunk;
mod comments;
mod container;
pub mod dictionary;
mod files;
pub mod format;
mod snapshot;
mod store;
mod table;
mod table_writer;
#[cfg(test)]
mod tests;
mod transaction;
mod vacuum;

pub use self::backend::{Backend, MappedBackend, MemoryBackend, PositionalBackend};
pub use self::chunk::{Chunk, EncodedChunk};
pub use self::comments::{CommentTarget, Comments};
pub use self::snapshot::Snapshot;
pub use self::store::{StorageOptions, Store};
pub use self::table::{RowGroup, RowGroupId, TableSnapshot};
pub use self::table_writer::{NewRowGroup, TableWriter};
pub use self::transaction::{Transaction, is_storable};
pub use self::vacuum::Vacuumed;
