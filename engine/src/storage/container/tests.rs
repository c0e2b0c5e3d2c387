//! Containers: what is written is found, wherever it lies, and nothing else.
#![expect(clippy::unwrap_in_result, reason = "a test stops at the first surprise")]

use std::sync::Arc;

use super::*;
use crate::storage::backend::{Backend, MemoryBackend};
use crate::storage::format::{FileKind, Identity, SectionKey, SectionKind};
use crate::types::Result;

const IDENTITY: Identity = Identity { database: [1; 16], file: 5, seal: 77 };

fn key(field: u32) -> SectionKey {
    SectionKey::new(field, SectionKind::Run, 3)
}

#[test]
fn every_section_is_found_and_no_other() -> Result<()> {
    for count in [0_u32, 1, 2, 63, 64, 65, 500] {
        let backend: Arc<dyn Backend> = Arc::new(MemoryBackend::new());
        let name = FileKind::Dictionary.file_name(5);
        let writer = ContainerWriter::create(&backend, &name, FileKind::Dictionary, IDENTITY)?;
        for field in (0..count).rev() {
            writer.write(key(field * 2), field.into(), &vec![7; field as usize])?;
        }
        let reference = writer.finish()?;
        let file = ContainerFile::open_referenced(&backend, &reference, [1; 16])?;
        assert_eq!(file.entry_count(), count);
        for field in 0..count {
            let (_, entry) = file.find(key(field * 2))?.expect("it was written");
            assert_eq!(entry.extra, u64::from(field));
            assert_eq!(entry.offset % 64, 0);
            assert_eq!(file.read_section(&entry)?.len(), field as usize);
            assert!(file.find(key(field * 2 + 1))?.is_none());
        }
    }
    Ok(())
}

#[test]
fn large_sections_start_on_pages_and_small_ones_between_them_survive() -> Result<()> {
    let backend: Arc<dyn Backend> = Arc::new(MemoryBackend::new());
    let name = FileKind::Dictionary.file_name(5);
    let writer = ContainerWriter::create(&backend, &name, FileKind::Dictionary, IDENTITY)?;
    let lens = [3, (1 << 20) + 1, 70, 300 << 10, 5, 1 << 20, 200 << 10, 2 << 20, 1];
    let content = |index: usize| vec![u8::try_from(index).expect("few sections") + 1; lens[index]];
    for index in 0..lens.len() {
        writer.write(key(u32::try_from(index).expect("few")), 0, &content(index))?;
    }
    let reference = writer.finish()?;
    let file = ContainerFile::open_referenced(&backend, &reference, [1; 16])?;
    for (index, len) in lens.iter().enumerate() {
        let (_, entry) = file.find(key(u32::try_from(index).expect("few")))?.expect("written");
        assert_eq!(file.read_section(&entry)?, content(index));
        assert_eq!(entry.offset % if *len > 1 << 20 { 4096 } else { 64 }, 0);
    }
    Ok(())
}

#[test]
fn a_file_of_another_name_seal_or_database_is_refused() -> Result<()> {
    let backend: Arc<dyn Backend> = Arc::new(MemoryBackend::new());
    let name = FileKind::Dictionary.file_name(5);
    let writer = ContainerWriter::create(&backend, &name, FileKind::Dictionary, IDENTITY)?;
    writer.write(key(1), 0, b"x")?;
    let reference = writer.finish()?;
    assert!(ContainerFile::open_referenced(&backend, &reference, [2; 16]).is_err());
    let mut other = reference.clone();
    other.seal += 1;
    assert!(ContainerFile::open_referenced(&backend, &other, [1; 16]).is_err());
    writer.publish(&FileKind::Dictionary.file_name(6))?;
    other = reference;
    other.id = 6;
    let error = ContainerFile::open_referenced(&backend, &other, [1; 16]).unwrap_err();
    assert!(error.message().contains("dictionary-0000000000000006"), "{error}");
    Ok(())
}
