//! Damaged databases: an error that names the file, or the same answer; never anything else.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;

use super::*;
use crate::storage::MemoryBackend;
use crate::types::{Error, ErrorKind};

/// All files of a database.
type Image = BTreeMap<String, Bytes>;

fn image(backend: &MemoryBackend) -> Result<Image> {
    let read = |name: String| {
        let len = backend.len(&name)?.expect("it was listed");
        let bytes = backend.read(&name, 0..len)?;
        Ok((name, bytes))
    };
    backend.list()?.into_iter().map(read).collect()
}

fn small_image() -> Result<(Image, String)> {
    let backend = MemoryBackend::new();
    let store = small_mart(Arc::new(backend.clone()))?;
    store.vacuum()?;
    Ok((image(&backend)?, digest(&*store.snapshot()?)?))
}

fn open(image: &Image) -> Result<String> {
    let backend = MemoryBackend::new();
    for (name, bytes) in image {
        backend.overwrite(name, bytes);
    }
    digest_of(Arc::new(backend))
}

/// Opens `image` with other `bytes` in place of the file `name`.
fn open_with(image: &Image, name: &str, bytes: Vec<u8>) -> Result<String> {
    let mut image = image.clone();
    image.insert(name.to_owned(), Bytes::from(bytes));
    open(&image)
}

/// Whether the damage was found; everything else than "found" and "no matter" fails the test.
fn is_found(outcome: Result<String>, expected: &str, name: &str, what: &str) -> bool {
    match outcome {
        Ok(answer) => {
            assert_eq!(answer, expected, "{what} of {name} changed the answer");
            false
        }
        Err(error) => {
            check_error(&error, name, what);
            true
        }
    }
}

fn check_error(error: &Error, name: &str, what: &str) {
    let kinds = [ErrorKind::Corrupt, ErrorKind::Unsupported];
    assert!(kinds.contains(&error.kind()), "{what} of {name}: {error:?}");
    assert!(error.message().contains(name), "{what} of {name} is blamed on: {error}");
}

#[test]
fn every_flipped_byte_is_found_or_does_not_matter() -> Result<()> {
    let (image, expected) = small_image()?;
    let found = AtomicUsize::new(0);
    let sizes: usize = image.values().map(Bytes::len).sum();
    std::thread::scope(|scope| {
        for (name, bytes) in &image {
            let (image, expected, found) = (&image, &expected, &found);
            scope.spawn(move || {
                for place in 0..bytes.len() {
                    let mut damaged = bytes.to_vec();
                    damaged[place] ^= 1 << (place % 8);
                    let outcome = open_with(image, name, damaged);
                    if is_found(outcome, expected, name, &format!("byte {place}")) {
                        found.fetch_add(1, Ordering::Relaxed);
                    }
                }
            });
        }
    });
    // What is not found lies between the sections.
    let found = found.into_inner();
    assert!(found * 2 > sizes, "{found} of {sizes} flipped bytes were found");
    Ok(())
}

#[test]
fn every_file_that_was_cut_or_grew_is_found() -> Result<()> {
    let (image, expected) = small_image()?;
    for (name, bytes) in image.iter().filter(|(_, bytes)| !bytes.is_empty()) {
        for len in (0..bytes.len()).step_by(5) {
            let outcome = open_with(&image, name, bytes[..len].to_vec());
            assert!(is_found(outcome, &expected, name, &format!("a cut at {len}")));
        }
        for more in [1, 64, 4096] {
            let mut grown = bytes.to_vec();
            grown.resize(bytes.len() + more, 0);
            assert!(is_found(open_with(&image, name, grown), &expected, name, "growth"));
        }
        let mut without = image.clone();
        without.remove(name);
        if name.starts_with("manifest") {
            assert!(open(&without).is_err(), "nothing is there to fall back to");
        } else {
            assert!(is_found(open(&without), &expected, name, "the loss"));
        }
    }
    Ok(())
}

#[test]
fn swapped_files_and_sections_are_found() -> Result<()> {
    let (image, expected) = small_image()?;
    let files: Vec<(&String, &Bytes)> =
        image.iter().filter(|(_, bytes)| !bytes.is_empty()).collect();
    for (name, bytes) in &files {
        for (other, other_bytes) in &files {
            if name != other {
                let outcome = open_with(&image, name, other_bytes.to_vec());
                assert!(is_found(outcome, &expected, name, &format!("{other} in place")));
            }
        }
        let blocks: Vec<&[u8]> = bytes.chunks(64).collect();
        for first in 0..blocks.len() {
            for second in (first + 1..blocks.len()).step_by(3) {
                let mut swapped = blocks.clone();
                swapped.swap(first, second);
                let outcome = open_with(&image, name, swapped.concat());
                is_found(outcome, &expected, name, &format!("blocks {first} and {second}"));
            }
        }
    }
    Ok(())
}

#[test]
fn blocks_of_zeros_and_of_other_files_are_found() -> Result<()> {
    let (image, expected) = small_image()?;
    let files: Vec<(&String, &Bytes)> =
        image.iter().filter(|(_, bytes)| !bytes.is_empty()).collect();
    for (name, bytes) in &files {
        for start in (0..bytes.len()).step_by(64) {
            let end = bytes.len().min(start + 64);
            let mut damaged = bytes.to_vec();
            damaged[start..end].fill(0);
            let outcome = open_with(&image, name, damaged);
            is_found(outcome, &expected, name, &format!("zeros at {start}"));
            for (_, other) in files.iter().filter(|(_, other)| other.len() >= end) {
                let mut damaged = bytes.to_vec();
                damaged[start..end].copy_from_slice(&other[start..end]);
                let outcome = open_with(&image, name, damaged);
                is_found(outcome, &expected, name, &format!("another file's bytes at {start}"));
            }
        }
    }
    Ok(())
}

#[test]
fn files_of_a_copy_that_went_its_own_way_are_found() -> Result<()> {
    let (base, _) = small_image()?;
    let grow = |ids: std::ops::Range<i64>| -> Result<Image> {
        let backend = MemoryBackend::new();
        for (name, bytes) in &base {
            backend.overwrite(name, bytes);
        }
        let store = Store::open(Arc::new(backend.clone()))?;
        let transaction = store.begin()?;
        let id = transaction.find("t")?.expect("it is there");
        append(&transaction, id, ids, 1)?;
        transaction.delete_rows(id, 1, &[0].into_iter().collect())?;
        transaction.commit()?;
        image(&backend)
    };
    let (ours, theirs) = (grow(17..20)?, grow(21..24)?);
    let expected = open(&ours)?;
    let mut found_count = 0;
    for (name, bytes) in &theirs {
        if ours.get(name).is_some_and(|ours| ours != bytes) && !name.starts_with("manifest") {
            let outcome = open_with(&ours, name, bytes.to_vec());
            assert!(is_found(outcome, &expected, name, "the copy's file"));
            found_count += 1;
        }
    }
    assert!(found_count >= 4, "table manifest, columns, dictionary, deletions");
    Ok(())
}

#[test]
fn a_damaged_newest_manifest_is_an_error_and_no_way_back() -> Result<()> {
    let backend = MemoryBackend::new();
    drop(small_mart(Arc::new(backend.clone()))?);
    let image = image(&backend)?;
    let name = "manifest-0000000000000003";
    let mut bytes = image[name].to_vec();
    bytes[20] ^= 1;
    let error = open_with(&image, name, bytes).unwrap_err();
    check_error(&error, name, "a flipped byte");
    // An older commit under the newest number is no way back either.
    let older = image["manifest-0000000000000002"].to_vec();
    check_error(&open_with(&image, name, older).unwrap_err(), name, "an older manifest");
    Ok(())
}

#[test]
fn a_cut_file_is_an_error_for_readers_that_have_it_open() -> Result<()> {
    let folder = tempfile::tempdir().unwrap();
    let backend = Arc::new(MappedBackend::create(folder.path())?);
    let store = small_mart(backend)?;
    let snapshot = store.snapshot()?;
    digest(&snapshot)?;
    for entry in std::fs::read_dir(folder.path()).unwrap() {
        let path = entry.unwrap().path();
        let file = std::fs::OpenOptions::new().write(true).open(path).unwrap();
        file.set_len(file.metadata().unwrap().len().min(130)).unwrap();
    }
    let t = table(&snapshot, "t")?;
    assert_eq!(t.field(1).name, "Name", "manifests are kept in memory");
    let error = column(&t, ID).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Corrupt);
    assert!(error.message().contains("table \"t\", column \"id\""), "{error}");
    Ok(())
}
