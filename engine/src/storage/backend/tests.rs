//! One suite that every backend passes.
#![expect(clippy::unwrap_in_result, reason = "a test stops at the first surprise")]

use std::sync::Arc;

use super::faulty::FaultyBackend;
use super::*;
use crate::types::ErrorKind;

/// Runs `check` on an empty backend of each kind; the second argument cuts a file to a length.
fn on_each(check: impl Fn(&dyn Backend, &dyn Fn(&str, usize)) -> Result<()>) -> Result<()> {
    let memory = MemoryBackend::new();
    check(&memory, &|name, len| {
        let bytes = memory.read(name, 0..len as u64).expect("the file is longer");
        memory.overwrite(name, &bytes);
    })?;
    let folder = tempfile::tempdir().unwrap();
    let mapped = folder.path().join("mapped");
    let positional = folder.path().join("positional");
    let backends: [(Arc<dyn Backend>, _); 2] = [
        (Arc::new(MappedBackend::create(&mapped)?), mapped),
        (Arc::new(PositionalBackend::create(&positional)?), positional),
    ];
    for (backend, path) in backends {
        check(&*backend, &|name, len| {
            let file = std::fs::OpenOptions::new().write(true).open(path.join(name)).unwrap();
            file.set_len(len as u64).unwrap();
        })?;
    }
    Ok(())
}

fn write(backend: &dyn Backend, name: &str, bytes: &[u8]) -> Result<Box<dyn NewFile>> {
    let file = backend.create(name)?;
    file.write_at(0, bytes)?;
    file.sync()?;
    Ok(file)
}

#[test]
fn what_is_written_is_read_in_any_range_and_aligned() -> Result<()> {
    on_each(|backend, _| {
        let content: Vec<u8> = (0..=255).cycle().take(10_000).collect();
        let file = backend.create("f")?;
        // Out of order, and with a gap that reads as zeros.
        file.write_at(5_000, &content[5_000..])?;
        file.write_at(0, &content[..4_000])?;
        file.sync()?;
        assert_eq!(backend.len("f")?, Some(10_000));
        let all = backend.read("f", 0..10_000)?;
        assert_eq!(all[..4_000], content[..4_000]);
        assert_eq!(all[4_000..5_000], [0; 1_000]);
        assert_eq!(all[5_000..], content[5_000..]);
        for start in [0, 64, 128, 4_096, 9_984] {
            let bytes = backend.read("f", start..start + 16)?;
            assert_eq!(bytes.as_ptr().addr() % 64, 0, "{backend:?} at {start}");
        }
        assert!(backend.read("f", 10_000..10_000)?.is_empty());
        Ok(())
    })
}

#[test]
fn reading_what_is_not_there_is_an_error() -> Result<()> {
    on_each(|backend, cut| {
        assert_eq!(backend.read("f", 0..1).unwrap_err().kind(), ErrorKind::Corrupt);
        assert_eq!(backend.len("f")?, None);
        drop(write(backend, "f", &[7; 9_000])?);
        drop(write(backend, "empty", &[])?);
        assert!(backend.read("empty", 0..0)?.is_empty());
        assert_eq!(backend.read("empty", 0..1).unwrap_err().kind(), ErrorKind::Corrupt);
        for range in [0..9_001, 9_001..9_002, 0..u64::MAX, u64::MAX - 1..u64::MAX] {
            let error = backend.read("f", range).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Corrupt);
            assert!(error.message().contains('f'), "{error}");
        }
        // A file cut short after it was read, and mapped, is an error and no signal.
        assert_eq!(backend.read("f", 8_999..9_000)?[..], [7]);
        cut("f", 100);
        assert_eq!(backend.read("f", 8_999..9_000).unwrap_err().kind(), ErrorKind::Corrupt);
        assert_eq!(backend.read("f", 99..100)?[..], [7]);
        Ok(())
    })
}

#[test]
fn names_are_given_once() -> Result<()> {
    on_each(|backend, _| {
        let file = write(backend, "a", b"x")?;
        assert_eq!(backend.create("a").unwrap_err().kind(), ErrorKind::AlreadyExists);
        file.publish("b")?;
        assert_eq!(file.publish("b").unwrap_err().kind(), ErrorKind::AlreadyExists);
        backend.remove("a")?;
        backend.remove("a")?;
        backend.sync_directory()?;
        assert_eq!(backend.list()?, ["b"]);
        assert_eq!(backend.read("b", 0..1)?[..], *b"x");
        Ok(())
    })
}

#[test]
fn bytes_outlive_the_name_of_their_file() -> Result<()> {
    on_each(|backend, _| {
        drop(write(backend, "a", b"x")?);
        let bytes = backend.read("a", 0..1)?;
        backend.remove("a")?;
        assert_eq!(bytes[..], *b"x");
        assert_eq!(backend.read("a", 0..1).unwrap_err().kind(), ErrorKind::Corrupt);
        drop(write(backend, "a", b"y")?);
        assert_eq!(backend.read("a", 0..1)?[..], *b"y");
        Ok(())
    })
}

#[test]
fn locks_share_or_exclude_and_end_with_their_holder() -> Result<()> {
    on_each(locks)?;
    locks(&FaultyBackend::new(), &|_, _| {})
}

fn locks(backend: &dyn Backend, _: &dyn Fn(&str, usize)) -> Result<()> {
    use LockMode::{Exclusive, Shared};
    assert!(backend.try_lock("a", Shared)?.is_none(), "there is no such file");
    drop(write(backend, "a", b"x")?);
    let first = backend.try_lock("a", Shared)?.expect("nobody excludes it");
    let second = backend.try_lock("a", Shared)?.expect("shared locks share");
    assert!(backend.try_lock("a", Exclusive)?.is_none());
    drop(first);
    assert!(backend.try_lock("a", Exclusive)?.is_none());
    drop(second);
    let held = backend.try_lock("a", Exclusive)?.expect("all locks were dropped");
    assert!(backend.try_lock("a", Shared)?.is_none());
    assert!(backend.try_lock("a", Exclusive)?.is_none());
    drop(held);
    assert!(backend.try_lock("a", Shared)?.is_some());
    Ok(())
}

#[test]
fn many_files_may_be_open() -> Result<()> {
    on_each(|backend, _| {
        let count = directory::DESCRIPTORS_MAX + 10;
        for index in 0..count {
            drop(write(backend, &format!("f{index}"), index.to_string().as_bytes())?);
        }
        for index in (0..count).chain(0..3) {
            let expected = index.to_string();
            let bytes = backend.read(&format!("f{index}"), 0..expected.len() as u64)?;
            assert_eq!(bytes, expected.as_bytes());
        }
        Ok(())
    })
}

#[test]
fn many_files_may_be_written_at_once() -> Result<()> {
    on_each(|backend, _| {
        let count = directory::DESCRIPTORS_MAX + 10;
        let create = |index: usize| backend.create(&format!("f{index}"));
        let files: Vec<_> = (0..count).map(create).collect::<Result<_>>()?;
        for (index, file) in files.iter().enumerate() {
            file.write_at(2, index.to_string().as_bytes())?;
            file.write_at(0, b"f ")?;
            file.sync()?;
            file.publish(&format!("g{index}"))?;
        }
        for index in 0..count {
            let expected = format!("f {index}");
            let bytes = backend.read(&format!("g{index}"), 0..expected.len() as u64)?;
            assert_eq!(bytes, expected.as_bytes());
        }
        Ok(())
    })
}

#[test]
fn a_faulty_medium_loses_what_was_not_synced() -> Result<()> {
    let backend = FaultyBackend::new();
    let file = write(&backend, "a", b"old")?;
    backend.sync_directory()?;
    file.write_at(0, b"new")?;
    drop(write(&backend, "b", b"x")?);
    let lost = backend.after_crash(0);
    assert_eq!(lost.list()?, ["a"]);
    assert_eq!(lost.read("a", 0..3)?[..], *b"old");
    let kept = backend.after_crash(u64::MAX);
    assert_eq!(kept.list()?, ["a", "b"]);
    assert_eq!(kept.read("a", 0..3)?[..], *b"new");
    Ok(())
}
