//! Leaves dictionary files of which little is still named.
//!
//! A load writes the runs of all columns into one file; later merges replace them one by one, and the
//! last that is left would hold the whole file. So a load that writes a dictionary file anyway takes
//! with it what is left in files of which less than half is: each byte is then moved for another one
//! that a vacuum frees. Must not know what is in a section.

use std::collections::BTreeMap;

use hashbrown::{HashMap, HashSet};

use super::{State, TableWriter};
use crate::storage::format::{DirectoryEntry, FileReference, SectionKey, SectionKind};
use crate::types::Result;

/// A file is left when what is named of it is less than its length divided by this.
const LEFT_BELOW: u64 = 2;

/// What was moved into the new dictionary file, to be named once that is finished.
#[derive(Debug, Default)]
pub(super) struct Moved {
    /// Runs, by field and position, and their ordinals in the new file.
    runs: Vec<(u32, usize, u32)>,
    /// Fields whose code maps were moved.
    maps: Vec<u32>,
}

/// What the table names of a file: positions of runs by field and ordinal, and fields with code maps.
#[derive(Debug)]
struct Named {
    file: FileReference,
    runs: HashMap<(u32, u32), usize>,
    maps: HashSet<u32>,
}

impl TableWriter {
    /// Moves what is left of older dictionary files, where it is little, into the one being written,
    /// if there is one.
    ///
    /// # Errors
    /// `Corrupt`, `Io`.
    pub(in crate::storage) fn leave_old_dictionary_files(&self) -> Result<()> {
        let Some(table) = self.snapshot() else { return Ok(()) };
        let (files, row_groups) = {
            let state = self.state.lock();
            if state.dictionary_file.is_none() {
                return Ok(());
            }
            let row_groups = state.parts.row_groups.iter().map(|group| group.id);
            (named_files(&state), row_groups.collect::<HashSet<u32>>())
        };
        for named in files {
            let file = table.open_file(&named.file)?;
            let is_named = |entry: &DirectoryEntry| match entry.kind {
                kind if kind == SectionKind::Run.number() => {
                    named.runs.contains_key(&(entry.field, entry.ordinal))
                }
                kind if kind == SectionKind::CodeMap.number() => {
                    named.maps.contains(&entry.field) && row_groups.contains(&entry.ordinal)
                }
                _ => false,
            };
            let mut entries = file.entries()?;
            entries.retain(is_named);
            let bytes: u64 = entries.iter().map(|entry| entry.len).sum();
            if bytes < named.file.len / LEFT_BELOW {
                self.take(&named, &entries, |entry| file.read_section(entry))?;
            }
        }
        Ok(())
    }

    /// Writes the sections of `entries` into the new file.
    fn take(
        &self,
        named: &Named,
        entries: &[DirectoryEntry],
        read: impl Fn(&DirectoryEntry) -> Result<bytes::Bytes>,
    ) -> Result<()> {
        let target = self.dictionary_file()?;
        let ordinals = {
            let mut state = self.state.lock();
            let mut ordinals = HashMap::new();
            for ((field, ordinal), position) in &named.runs {
                let new = state.next_run_ordinal(*field);
                ordinals.insert((*field, *ordinal), new);
                state.moved.runs.push((*field, *position, new));
            }
            state.moved.maps.extend(&named.maps);
            ordinals
        };
        for entry in entries {
            let key = entry.key();
            let moved = ordinals.get(&(key.field, key.ordinal));
            let ordinal = match moved {
                Some(ordinal) if key.kind == SectionKind::Run.number() => *ordinal,
                _ => key.ordinal,
            };
            target.write(SectionKey { ordinal, ..key }, entry.extra, &read(entry)?)?;
        }
        Ok(())
    }
}

/// The older dictionary files, and what the table as it will be names of each.
fn named_files(state: &State) -> Vec<Named> {
    let mut files: BTreeMap<u64, Named> = BTreeMap::new();
    for (field, dictionary) in &state.parts.dictionaries {
        for (position, run) in dictionary.runs.iter().enumerate() {
            let named = files.entry(run.file.id).or_insert_with(|| Named::of(&run.file));
            named.runs.insert((*field, run.ordinal), position);
        }
        if let Some(maps) = &dictionary.maps {
            files.entry(maps.id).or_insert_with(|| Named::of(maps)).maps.insert(*field);
        }
    }
    files.into_values().collect()
}

impl Named {
    fn of(file: &FileReference) -> Named {
        Named { file: file.clone(), runs: HashMap::new(), maps: HashSet::new() }
    }
}

impl State {
    /// Names the new file where sections were moved into it.
    pub(super) fn name_moved(&mut self, reference: &FileReference) {
        let dictionaries = &mut self.parts.dictionaries;
        for (field, position, ordinal) in &self.moved.runs {
            let dictionary = dictionaries.get_mut(field);
            if let Some(run) = dictionary.and_then(|found| found.runs.get_mut(*position)) {
                run.file = reference.clone();
                run.ordinal = *ordinal;
            }
        }
        for field in &self.moved.maps {
            if let Some(dictionary) = dictionaries.get_mut(field) {
                dictionary.maps = Some(reference.clone());
            }
        }
    }

    /// The ordinal of the next run of `field` in the new file.
    pub(super) fn next_run_ordinal(&mut self, field: u32) -> u32 {
        let next = self.run_counts.entry(field).or_default();
        *next += 1;
        *next - 1
    }
}
