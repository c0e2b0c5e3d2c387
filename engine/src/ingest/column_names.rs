//! Names of the columns of a file that names them itself, or does not.
//!
//! Must not know formats.

use hashbrown::{HashMap, HashSet};

use crate::types::{Error, Result};

/// Columns that files may have. A table of that many is planned in a blink; millions of names come of
/// files that are no tables.
pub(super) const COLUMNS_MAX: usize = 100_000;

/// That the file at `path` has no more columns than are read.
///
/// # Errors
/// `Unsupported` otherwise.
pub(super) fn check_column_count(path: &str, count: usize) -> Result<()> {
    if count <= COLUMNS_MAX {
        return Ok(());
    }
    Err(Error::unsupported(format!("{path} has more than 100,000 columns"))
        .with_hint("is it a table? names that are data belong into rows, beside their values"))
}

/// The columns' names, each once: those in `told` for the first columns, then those found; `column3`
/// where there is none.
pub(super) fn column_names(found: impl Iterator<Item = String>, told: &[String]) -> Vec<String> {
    let name = |(index, found): (usize, String)| match told.get(index) {
        Some(name) => name.clone(),
        None if found.is_empty() => format!("column{index}"),
        None => found,
    };
    unique(found.enumerate().map(name))
}

/// The names, each once: a second `a` becomes `a_1`.
fn unique(names: impl Iterator<Item = String>) -> Vec<String> {
    let names: Vec<String> = names.collect();
    let all: HashSet<&str> = names.iter().map(String::as_str).collect();
    let mut taken: HashSet<String> = HashSet::with_capacity(names.len());
    // Where counting goes on for a name that comes again.
    let mut counts: HashMap<&str, usize> = HashMap::new();
    let mut result = Vec::with_capacity(names.len());
    for name in &names {
        let mut unique = name.clone();
        if taken.contains(name) {
            let count = counts.entry(name).or_insert(0);
            while taken.contains(&unique) || all.contains(unique.as_str()) {
                *count += 1;
                unique = format!("{name}_{count}");
            }
        }
        taken.insert(unique.clone());
        result.push(unique);
    }
    result
}
