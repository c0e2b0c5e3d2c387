//! File patterns: `*`, `?`, `[a-z]`, `[!a]` within a name, `**` over any number of folders.
//!
//! Must not know what the files hold.

use std::fs;
use std::path::{Path, PathBuf};

use crate::types::{Error, Result};

/// The files that `pattern` names, sorted by path; a file of exactly that name wins over a pattern.
///
/// # Errors
/// `Io` when there is no such file, nothing matches, or it is a folder.
pub(super) fn expand(pattern: &str) -> Result<Vec<String>> {
    let path = Path::new(pattern);
    if path.is_dir() {
        return Err(Error::io(format!("{pattern} is a directory"))
            .with_hint(format!("name its files: '{}/*.parquet'", pattern.trim_end_matches('/'))));
    }
    if path.exists() {
        return Ok(vec![pattern.to_owned()]);
    }
    if !has_wildcard(pattern) {
        return Err(Error::io(format!("there is no file {pattern}")));
    }
    let (start, rest) = match pattern.strip_prefix('/') {
        Some(rest) => (PathBuf::from("/"), rest),
        None => (PathBuf::new(), pattern),
    };
    let parts: Vec<&str> = rest.split('/').filter(|part| !part.is_empty()).collect();
    let mut found = Vec::new();
    walk(&start, &parts, &mut found);
    found.sort_unstable();
    found.dedup();
    if found.is_empty() {
        return Err(Error::io(format!("no file matches {pattern}")));
    }
    Ok(found)
}

fn has_wildcard(part: &str) -> bool {
    part.contains(['*', '?', '['])
}

/// Adds the files below `folder` that match `parts`. A folder that cannot be read has no files.
fn walk(folder: &Path, parts: &[&str], found: &mut Vec<String>) {
    let Some((part, rest)) = parts.split_first() else { return };
    if *part == "**" {
        walk(folder, rest, found);
        for (name, path) in entries(folder) {
            // Links to folders are not followed: they could lead in a circle.
            if !name.starts_with('.') && path.is_dir() && !path.is_symlink() {
                walk(&path, parts, found);
            }
        }
    } else if has_wildcard(part) {
        for (name, path) in entries(folder) {
            let hidden = name.starts_with('.') && !part.starts_with('.');
            if !hidden && matches_name(part.as_bytes(), name.as_bytes()) {
                descend(&path, rest, found);
            }
        }
    } else {
        descend(&folder.join(part), rest, found);
    }
}

fn descend(path: &Path, rest: &[&str], found: &mut Vec<String>) {
    if !rest.is_empty() {
        walk(path, rest, found);
    } else if path.is_file() {
        found.extend(path.to_str().map(str::to_owned));
    }
}

fn entries(folder: &Path) -> Vec<(String, PathBuf)> {
    let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let named = entries.flatten().filter_map(|entry| {
        let name = entry.file_name().into_string().ok()?;
        let path = if folder == Path::new(".") { PathBuf::from(&name) } else { entry.path() };
        Some((name, path))
    });
    named.collect()
}

/// Whether `name` matches `pattern`; linear in their product, whatever the pattern.
fn matches_name(pattern: &[u8], name: &[u8]) -> bool {
    let (mut pattern_idx, mut name_idx) = (0, 0);
    let mut retry: Option<(usize, usize)> = None;
    while name_idx < name.len() {
        if pattern.get(pattern_idx) == Some(&b'*') {
            retry = Some((pattern_idx + 1, name_idx));
            pattern_idx += 1;
        } else if let Some(next) = match_one(pattern, pattern_idx, name[name_idx]) {
            pattern_idx = next;
            name_idx += 1;
        } else if let Some((after_star, start)) = retry {
            retry = Some((after_star, start + 1));
            (pattern_idx, name_idx) = (after_star, start + 1);
        } else {
            return false;
        }
    }
    pattern[pattern_idx..].iter().all(|byte| *byte == b'*')
}

/// Matches one byte with the pattern's element at `start`; gives where the next element begins.
fn match_one(pattern: &[u8], start: usize, byte: u8) -> Option<usize> {
    match pattern.get(start)? {
        b'?' => Some(start + 1),
        b'[' => match_set(pattern, start, byte),
        literal => (*literal == byte).then_some(start + 1),
    }
}

fn match_set(pattern: &[u8], start: usize, byte: u8) -> Option<usize> {
    let negated = matches!(pattern.get(start + 1), Some(b'!' | b'^'));
    let first = start + 1 + usize::from(negated);
    // A `]` in first place is a member, and a `[` without end stands for itself.
    let Some(length) = pattern.get(first + 1..)?.iter().position(|member| *member == b']') else {
        return (byte == b'[').then_some(start + 1);
    };
    let end = first + 1 + length;
    let mut members = &pattern[first..end];
    let mut contained = false;
    while let Some((low, rest)) = members.split_first() {
        let (high, rest) = match rest {
            [b'-', high, rest @ ..] => (high, rest),
            _ => (low, rest),
        };
        contained |= (*low..=*high).contains(&byte);
        members = rest;
    }
    (contained != negated).then_some(end + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_match_like_in_a_shell() {
        let cases = [
            ("*.parquet", "a.parquet", true),
            ("*.parquet", "a.parquet.tmp", false),
            ("part-?.p*", "part-1.parquet", true),
            ("part-?.p*", "part-12.parquet", false),
            ("[a-c]x[!0-9]", "bxz", true),
            ("[a-c]x[!0-9]", "bx7", false),
            ("[]]a", "]a", true),
            ("[a", "[a", true),
            ("*a*a*a*a*b", "aaaaaaaaaaaaaaaaaaaaaaaaaaaa", false),
            ("**", "anything", true),
            ("", "", true),
        ];
        for (pattern, name, expected) in cases {
            assert_eq!(
                matches_name(pattern.as_bytes(), name.as_bytes()),
                expected,
                "{pattern} {name}"
            );
        }
    }

    #[test]
    fn patterns_find_files_in_folders_and_errors_say_what_is_missing() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().to_str().unwrap();
        for name in ["a/x.parquet", "a/b/y.parquet", "a/.hidden.parquet", "a/[1].parquet", "z.txt"]
        {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, b"").unwrap();
        }
        let names = |pattern: &str| -> Result<Vec<String>> {
            let found = expand(&format!("{root}/{pattern}"))?;
            Ok(found.iter().map(|path| path[root.len() + 1..].to_owned()).collect())
        };
        assert_eq!(names("a/*.parquet").unwrap(), ["a/[1].parquet", "a/x.parquet"]);
        assert_eq!(
            names("**/*.parquet").unwrap(),
            ["a/[1].parquet", "a/b/y.parquet", "a/x.parquet"]
        );
        assert_eq!(names("*/b/y.parquet").unwrap(), ["a/b/y.parquet"]);
        assert_eq!(names("a/[1].parquet").unwrap(), ["a/[1].parquet"]);
        for (pattern, complaint) in
            [("a", "is a directory"), ("no.parquet", "there is no file"), ("q*", "no file matches")]
        {
            let error = names(pattern).unwrap_err();
            assert!(error.message().contains(complaint), "{error}");
        }
    }
}
