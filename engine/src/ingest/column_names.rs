//! Names of the columns of a file that names them itself, or does not.
//!
//! Must not know formats.

use hashbrown::{HashMap, HashSet};

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
