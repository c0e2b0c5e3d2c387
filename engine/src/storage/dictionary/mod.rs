//! Two-level dictionaries: a column's distinct values, each stored once.
//!
//! A row holds a *local code*; its row group maps local codes to *ids* ([`CodeMap`]); the table's
//! [`Dictionary`] has one value per id. Rows of a load are gathered by a [`LocalBuilder`] per row
//! group; what the dictionary does not know yet ([`Dictionary::locate`]) is merged ([`merge()`]) into
//! a new [`Run`]. When runs have become many or long, all are merged into one, the next
//! *generation*: maps are rewritten, codes in pages are not.
//!
//! 1. The values of a run ascend strictly, and no value is in two runs: `locate`, `merge`.
//! 2. Local codes ascend by (run at write time, value): [`CodeMap`] checks it by ids.
//! 3. Values that SQL calls equal are one value: floats have canonical keys ([`Key`]).
//!
//! Must not know files: a run reads its sections through [`RunSections`].

mod growth;
mod ids;
mod key;
mod local;
mod map;
mod merge;
mod run;
mod sections;
mod sorted;
mod values;
mod writer;

#[cfg(test)]
mod tests;

pub use self::growth::{Change, Grown, Growth, MergePolicy};
pub use self::key::{FixedKey, Key, KeyKind, Probe, bytes_array};
pub use self::local::{Local, LocalBuilder, TextRoom};
pub use self::map::CodeMap;
pub use self::merge::{RunCursor, SortedCursor, ValuesCursor, merge};
pub use self::run::{Chunk, Run, RunSearch};
pub use self::sections::{
    EncodedRun, RunSections, Section, SectionSpool, SpoolBeyond, SpooledSection,
};
pub use self::sorted::SortedValues;
pub use self::values::{Dictionary, DictionaryChunk, Located};
pub use self::writer::RunWriter;

use self::writer::kind_of;

/// The most runs of a dictionary.
pub const RUNS_MAX: usize = 8;
