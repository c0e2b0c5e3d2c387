//! Commits, snapshots, deletions, schema changes and vacuums on every backend.

use std::sync::Arc;

use roaring::RoaringBitmap;

use super::*;
use crate::catalog::NameMatch;
use crate::context::Yielding;
use crate::storage::format::{FileKind, FileReference};
use crate::types::ErrorKind;

#[test]
fn what_was_committed_is_read_by_others_and_after_reopening() -> Result<()> {
    on_each_backend(|backend| {
        let store = Store::create(Arc::clone(&backend), OPTIONS)?;
        let transaction = store.begin()?;
        let id = create(&transaction, "t")?;
        append(&transaction, id, 0..23, 8)?;
        assert_eq!(store.snapshot()?.table_names(), Vec::<String>::new());
        let snapshot = transaction.commit()?;
        assert_eq!(snapshot.number(), 2);
        let reopened = Store::open(backend)?;
        assert_eq!(reopened.options(), OPTIONS);
        for snapshot in [snapshot, reopened.snapshot()?] {
            let t = table(&snapshot, "T")?;
            assert_eq!((t.row_count(), t.field_count(), t.row_group_count()), (23, 3, 3));
            assert_eq!(t.find("nAmE"), NameMatch::Found(1));
            let names: Vec<Value> = (0..23).map(|id| Value::Text(name_of(id))).collect();
            assert_eq!(column(&t, NAME)?, names);
            let scores: Vec<Value> =
                (0..23).map(|id| score_of(id).map_or(Value::Null, Value::Float)).collect();
            assert_eq!(column(&t, SCORE)?, scores);
            let statistics = t.statistics(ID)?;
            assert_eq!(
                (statistics.min, statistics.max),
                (Some(Value::Int(0)), Some(Value::Int(22)))
            );
            let distinct: std::collections::BTreeSet<String> = (0..23).map(name_of).collect();
            assert_eq!(t.statistics(NAME)?.distinct_count, Some(distinct.len() as u64));
            assert_eq!(t.statistics(SCORE)?.null_count, Some(8));
        }
        Ok(())
    })
}

#[test]
fn a_dropped_transaction_leaves_nothing() -> Result<()> {
    on_each_backend(|backend| {
        let store = small_mart(Arc::clone(&backend))?;
        let before = (sorted(&*backend)?, digest(&*store.snapshot()?)?);
        let transaction = store.begin()?;
        let id = transaction.find("T")?.expect("it is there");
        append(&transaction, id, 17..40, 1)?;
        create(&transaction, "another")?;
        transaction.delete_rows(id, 1, &RoaringBitmap::from([0]))?;
        drop(transaction);
        assert_eq!((sorted(&*backend)?, digest(&*store.snapshot()?)?), before);
        Ok(())
    })
}

fn sorted(backend: &dyn Backend) -> Result<Vec<String>> {
    let mut names = backend.list()?;
    names.sort();
    Ok(names)
}

#[test]
fn there_is_one_writer_and_any_number_of_readers() -> Result<()> {
    on_each_backend(|backend| {
        let store = Store::create(Arc::clone(&backend), OPTIONS)?;
        assert_eq!(
            Store::create(Arc::clone(&backend), OPTIONS).unwrap_err().kind(),
            ErrorKind::AlreadyExists
        );
        let other = Store::open(backend)?;
        let transaction = store.begin()?;
        assert_eq!(store.begin().unwrap_err().kind(), ErrorKind::Locked);
        assert_eq!(other.begin().unwrap_err().kind(), ErrorKind::Locked);
        assert_eq!(other.vacuum().unwrap_err().kind(), ErrorKind::Locked);
        assert_eq!(other.snapshot()?.number(), 1);
        create(&transaction, "t")?;
        transaction.commit()?;
        assert_eq!(other.snapshot()?.number(), 2);
        let transaction = other.begin()?;
        let error = create(&transaction, "T").unwrap_err();
        assert_eq!(error.kind(), ErrorKind::AlreadyExists);
        Ok(())
    })
}

#[test]
fn a_store_that_nobody_uses_pins_nothing() -> Result<()> {
    on_each_backend(|backend| {
        let store = small_mart(Arc::clone(&backend))?;
        let idle = Store::open(Arc::clone(&backend))?;
        drop(idle.snapshot()?);
        let transaction = store.begin()?;
        transaction.drop_table("t")?;
        transaction.commit()?;
        assert_eq!(store.vacuum()?.pinned_count, 0);
        assert_eq!(backend.list()?.len(), 2, "the lock and one manifest");
        assert_eq!(idle.snapshot()?.table_names(), Vec::<String>::new());
        Ok(())
    })
}

#[test]
fn a_pinned_snapshot_survives_appends_deletes_drops_and_vacuums() -> Result<()> {
    on_each_backend(|backend| {
        let store = small_mart(Arc::clone(&backend))?;
        let reader = Store::open(Arc::clone(&backend))?;
        let pinned = reader.snapshot()?;
        let before = digest(&pinned)?;
        let only_the_table = table(&*reader.snapshot()?, "t")?;
        for round in 0..3 {
            let transaction = store.begin()?;
            let id = transaction.find("t")?.expect("it is there");
            append(&transaction, id, 17 + round..18 + round, 1)?;
            transaction.delete_rows(id, 0, &RoaringBitmap::from([1]))?;
            transaction.commit()?;
        }
        assert_eq!(table(&*store.snapshot()?, "t")?.row_count(), 17 - 3 + 3);
        let transaction = store.begin()?;
        transaction.drop_table("T")?;
        transaction.commit()?;
        let vacuumed = store.vacuum()?;
        assert_eq!(vacuumed.pinned_count, 1);
        assert!(vacuumed.file_count > 0 && vacuumed.bytes > 0, "{vacuumed:?}");
        assert_eq!(digest(&pinned)?, before);
        // The next commit's manifest is gone, or is it? The reader must not miss the news.
        assert_eq!(reader.snapshot()?.table_names(), Vec::<String>::new());
        assert_eq!(digest(&reader.pin(3)?.expect("pinned above"))?, before);
        drop(pinned);
        assert_eq!(store.vacuum()?.pinned_count, 1, "a table pins its snapshot");
        assert_eq!(ids(&only_the_table)?.len(), 17);
        drop(only_the_table);
        store.vacuum()?;
        assert_eq!(backend.list()?.len(), 2, "the lock and one manifest");
        assert!(reader.pin(3)?.is_none());
        Ok(())
    })
}

#[test]
fn deletions_add_up_and_are_checked() -> Result<()> {
    on_each_backend(|backend| {
        let store = small_mart(backend)?;
        for rows in [[0, 2], [2, 9]] {
            let transaction = store.begin()?;
            let id = transaction.find("t")?.expect("it is there");
            transaction.delete_rows(id, 0, &RoaringBitmap::from(rows))?;
            transaction.delete_rows(id, 1, &RoaringBitmap::from([1]))?;
            transaction.commit()?;
        }
        let t = table(&*store.snapshot()?, "t")?;
        assert_eq!(t.deletions(0)?.as_deref(), Some(&RoaringBitmap::from([0, 2, 5, 9])));
        assert_eq!(t.row_group(0).deleted_count, 4);
        assert_eq!(t.row_count(), 17 - 5);
        assert_eq!(t.deletions(2)?, None);
        let transaction = store.begin()?;
        for (row_group, row) in [(0, 10), (1, 3), (3, 0)] {
            let refused = transaction.delete_rows(t.id(), row_group, &RoaringBitmap::from([row]));
            assert_eq!(refused.unwrap_err().kind(), ErrorKind::Invalid);
        }
        Ok(())
    })
}

#[test]
fn an_added_column_reads_as_its_default_in_older_row_groups() -> Result<()> {
    on_each_backend(|backend| {
        let store = small_mart(Arc::clone(&backend))?;
        let transaction = store.begin()?;
        let id = transaction.find("t")?.expect("it is there");
        let new = field("Grade", DataType::Utf8, false);
        let added = transaction.add_column(id, &new, Value::Text("b".into()))?;
        let bare = transaction.add_column(id, &field("x", DataType::Date, true), Value::Null)?;
        assert_eq!(added, FieldId(3));
        let again = transaction.add_column(id, &new, Value::Null).unwrap_err();
        assert_eq!(again.kind(), ErrorKind::AlreadyExists);
        let strict = field("y", DataType::Int8, false);
        assert!(transaction.add_column(id, &strict, Value::Null).is_err());
        assert!(transaction.add_column(id, &strict, Value::Int(300)).is_err());
        transaction.commit()?;
        let t = table(&*Store::open(backend)?.snapshot()?, "t")?;
        assert_eq!(column(&t, added)?, vec![Value::Text("b".into()); 17]);
        assert_eq!(column(&t, bare)?, vec![Value::Null; 17]);
        assert_eq!(t.chunk(0, added)?.zone_map().min, Some(Value::Text("b".into())));
        let transaction = store.begin()?;
        transaction.drop_field(id, SCORE)?;
        let third =
            transaction.add_column(id, &field("score", DataType::Bool, true), Value::Null)?;
        assert_eq!(third, FieldId(5), "an id is never given again");
        let snapshot = transaction.commit()?;
        let t = table(&snapshot, "t")?;
        assert_eq!(t.find("score"), NameMatch::Found(4));
        assert_eq!(column(&t, third)?, vec![Value::Null; 17]);
        Ok(())
    })
}

#[test]
fn a_commit_without_all_chunks_or_maps_is_refused() -> Result<()> {
    let store = small_mart(Arc::new(MemoryBackend::new()))?;
    let before = digest(&*store.snapshot()?)?;
    let transaction = store.begin()?;
    let id = transaction.find("t")?.expect("it is there");
    transaction.writer(id)?.add_row_group(3)?;
    let error = transaction.commit().unwrap_err();
    assert!(error.message().contains("no chunk"), "{error}");
    let transaction = store.begin()?;
    let writer = transaction.writer(id)?;
    let row_group = writer.add_row_group(1)?;
    let texts: ArrayRef = Arc::new(StringArray::from(vec!["name 0"]));
    for (field, array, data_type) in [
        (ID, Arc::new(Int64Array::from(vec![99])) as ArrayRef, DataType::Int64),
        (SCORE, Arc::new(Float64Array::from(vec![1.5])), DataType::Float64),
    ] {
        writer.write_chunk(&row_group, field, &values_chunk(&array, data_type, 4)?)?;
    }
    writer.write_chunk(&row_group, NAME, &codes_chunk(&[0], 1, &texts))?;
    let twice = writer.write_chunk(&row_group, NAME, &codes_chunk(&[0], 1, &texts));
    assert!(twice.unwrap_err().message().contains("twice"));
    let error = transaction.commit().unwrap_err();
    assert!(error.message().contains("no code map"), "{error}");
    assert_eq!(digest(&*store.snapshot()?)?, before);
    Ok(())
}

#[test]
fn a_null_in_a_column_without_null_is_refused_by_name() -> Result<()> {
    let store = small_mart(Arc::new(MemoryBackend::new()))?;
    let transaction = store.begin()?;
    let id = transaction.find("t")?.expect("it is there");
    let writer = transaction.writer(id)?;
    let row_group = writer.add_row_group(2)?;
    let array: ArrayRef = Arc::new(Int64Array::from(vec![Some(1), None]));
    let chunk = values_chunk(&array, DataType::Int64, 4)?;
    let error = writer.write_chunk(&row_group, ID, &chunk).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid);
    assert!(error.message().contains("\"id\""), "{error}");
    Ok(())
}

#[test]
fn impossible_tables_are_refused() -> Result<()> {
    let store = Store::create(Arc::new(MemoryBackend::new()), OPTIONS)?;
    let transaction = store.begin()?;
    let refused =
        |fields: &[NewField]| transaction.create_table("t", fields, &[]).unwrap_err().kind();
    let twice = field("a", DataType::Bool, true);
    assert_eq!(refused(&[]), ErrorKind::Invalid);
    assert_eq!(refused(&[twice.clone(), twice]), ErrorKind::Invalid);
    assert_eq!(refused(&[field("a", DataType::Interval, true)]), ErrorKind::Unsupported);
    assert_eq!(transaction.drop_table("t").unwrap_err().kind(), ErrorKind::UnknownName);
    transaction.create_table("Ab", &[field("a", DataType::Bool, true)], &[])?;
    assert_eq!(transaction.find("aB")?, Some(TableId(1)));
    transaction.drop_table("ab")?;
    transaction.create_table("ab", &[field("a", DataType::Bool, true)], &[])?;
    let snapshot = transaction.commit()?;
    assert_eq!(table(&snapshot, "ab")?.id(), TableId(2), "an id is never given again");
    Ok(())
}

#[test]
fn a_row_group_that_is_written_again_takes_its_place_at_the_end() -> Result<()> {
    on_each_backend(|backend| {
        let store = small_mart(backend)?;
        let transaction = store.begin()?;
        let id = transaction.find("t")?.expect("it is there");
        let writer = transaction.writer(id)?;
        let last = table(transaction.snapshot(), "t")?.row_group(2).id;
        writer.drop_row_group(last)?;
        assert!(writer.drop_row_group(last).is_err());
        append(&transaction, id, 13..20, 8)?;
        let t = table(&*transaction.commit()?, "t")?;
        assert_eq!(ids(&t)?, (0..20).collect::<Vec<_>>());
        assert_eq!(t.row_group(2).id.0, 3);
        let names: Vec<Value> = (0..20).map(|id| Value::Text(name_of(id))).collect();
        assert_eq!(column(&t, NAME)?, names);
        Ok(())
    })
}

#[test]
fn bytes_on_disk_are_those_of_the_files_that_the_table_names() -> Result<()> {
    let backend = MemoryBackend::new();
    let store = small_mart(Arc::new(backend.clone()))?;
    store.vacuum()?;
    let files: Vec<String> = backend.list()?;
    let mut sum = 0;
    for name in files {
        if FileKind::parse_name(&name).is_some_and(|(kind, _)| kind != FileKind::DatabaseManifest) {
            sum += backend.len(&name)?.expect("it was listed");
        }
    }
    assert_eq!(table(&*store.snapshot()?, "t")?.bytes_on_disk()?, sum);
    assert_eq!(FileReference::LAYOUT.len, 40);
    Ok(())
}

#[test]
fn caches_are_counted_bounded_and_given_up() -> Result<()> {
    on_each_backend(|backend| {
        let store = Store::create(backend, OPTIONS)?;
        let transaction = store.begin()?;
        let id = create(&transaction, "t")?;
        append(&transaction, id, 0..3_000, 8)?;
        transaction.commit()?;
        let expected = digest(&*store.snapshot()?)?;
        let whole = store.cached_bytes();
        assert!(whole > 100_000, "{whole}");
        // What somebody uses stays.
        let t = table(&*store.snapshot()?, "t")?;
        let (chunk, dictionary) = (t.chunk(0, ID)?, t.dictionary(NAME)?);
        store.yield_memory();
        let used = store.cached_bytes();
        assert!(used > 0 && used * 10 < whole, "{used} of {whole}");
        drop((chunk, dictionary, t));
        store.limit_cache(whole / 4);
        for _ in 0..3 {
            assert_eq!(digest(&*store.snapshot()?)?, expected);
            assert!(store.cached_bytes() < whole / 2, "{}", store.cached_bytes());
        }
        let transaction = store.begin()?;
        transaction.drop_table("t")?;
        transaction.commit()?;
        assert_eq!(store.cached_bytes(), 0);
        Ok(())
    })
}
