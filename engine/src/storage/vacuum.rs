//! Removes files that no commit in use names.
//!
//! In use are the newest commit and those whose manifest somebody has locked. The manifest after one
//! in use stays as well, as a mark: its reader looks there for news, and must not take the gap for
//! the end. Runs under the writer's lock, so that nothing is being written meanwhile.

use std::collections::BTreeSet;
use std::sync::Arc;

use hashbrown::HashSet;

use super::backend::{Backend, FileLock, LockMode};
use super::format::FileKind;
use super::store::{files_of, newest_number, read_manifest, temporary_name};
use crate::types::{Error, Result};

/// What a vacuum did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Vacuumed {
    /// Files removed.
    pub file_count: usize,
    /// Their bytes.
    pub bytes: u64,
    /// Older commits that somebody still reads.
    pub pinned_count: usize,
}

pub(super) fn run(backend: &Arc<dyn Backend>, database: [u8; 16]) -> Result<Vacuumed> {
    let newest = newest_number(&**backend)?
        .ok_or_else(|| Error::io(format!("{} holds no database", backend.location())))?;
    let names = backend.list()?;
    let (in_use, unused) = sort_commits(&**backend, &names, newest)?;
    let mut named: HashSet<String> = HashSet::new();
    for number in &in_use {
        let (manifest, found) = read_manifest(backend, *number)?;
        if found != database {
            return Err(Error::corrupt(format!("{} holds two databases", backend.location())));
        }
        for file in files_of(backend, &manifest, database)? {
            named.insert(file.file_name()?);
        }
    }
    let mut vacuumed = Vacuumed { pinned_count: in_use.len() - 1, ..Vacuumed::default() };
    let mut remove = |name: &str| -> Result<()> {
        vacuumed.bytes += backend.len(name)?.unwrap_or(0);
        vacuumed.file_count += 1;
        backend.remove(name)
    };
    // Manifests first: what is killed halfway leaves files without a manifest, never the reverse.
    let unmarked = unused.iter().filter(|(number, _)| !in_use.contains(&(number - 1)));
    for (number, _lock) in unmarked {
        remove(&FileKind::DatabaseManifest.file_name(*number))?;
    }
    backend.sync_directory()?;
    for name in names {
        let is_ours =
            FileKind::parse_name(&name).is_some_and(|(kind, _)| kind != FileKind::DatabaseManifest);
        let is_leftover = is_temporary(&name);
        if is_leftover || (is_ours && !named.contains(&name)) {
            remove(&name)?;
        }
    }
    backend.sync_directory()?;
    Ok(vacuumed)
}

type Unused = Vec<(u64, FileLock)>;

/// The commits in use, and the others, locked so that nobody begins to use them.
fn sort_commits(
    backend: &dyn Backend,
    names: &[String],
    newest: u64,
) -> Result<(BTreeSet<u64>, Unused)> {
    let mut in_use = BTreeSet::from([newest]);
    let mut unused = Vec::new();
    for name in names {
        let Some((FileKind::DatabaseManifest, number)) = FileKind::parse_name(name) else {
            continue;
        };
        if number >= newest {
            continue;
        }
        match backend.try_lock(name, LockMode::Exclusive)? {
            Some(lock) => unused.push((number, lock)),
            None => {
                in_use.insert(number);
            }
        }
    }
    Ok((in_use, unused))
}

fn is_temporary(name: &str) -> bool {
    let digits = name.strip_prefix("pending-");
    digits
        .and_then(|digits| u64::from_str_radix(digits, 16).ok())
        .is_some_and(|number| temporary_name(number) == name)
}
