//! Dictionaries through appends, merges and reopening: runs, generations, code maps.

use std::sync::Arc;

use super::*;
use crate::storage::MemoryBackend;

/// Appends in many loads, merging when there are more than `runs_max` runs; each load is read back.
fn grow(backend: Arc<dyn Backend>, runs_max: usize) -> Result<()> {
    let store = Store::create(Arc::clone(&backend), OPTIONS)?;
    let transaction = store.begin()?;
    let id = create(&transaction, "t")?;
    transaction.commit()?;
    let mut next = 0;
    let mut snapshots = Vec::new();
    for len in [1, 2, 1, 9, 3, 25, 1] {
        let transaction = store.begin()?;
        append(&transaction, id, next..next + len, runs_max)?;
        snapshots.push((transaction.commit()?, next + len));
        next += len;
    }
    let reopened = Store::open(backend)?;
    snapshots.push((reopened.snapshot()?, next));
    for (snapshot, row_count) in snapshots {
        let t = table(&snapshot, "t")?;
        let names: Vec<Value> = (0..row_count).map(|id| Value::Text(name_of(id))).collect();
        assert_eq!(column(&t, NAME)?, names, "commit {}", snapshot.number());
        let dictionary = t.dictionary(NAME)?.expect("it has rows");
        assert!(dictionary.run_count() <= runs_max);
        assert_eq!(t.dictionary_fields()?, [NAME]);
        assert!(t.dictionary(ID)?.is_none());
        assert!(t.code_map(0, ID).is_err());
    }
    Ok(())
}

#[test]
fn names_survive_appends_with_many_runs_and_with_merges_at_every_load() -> Result<()> {
    for runs_max in [8, 2, 1] {
        on_each_backend(|backend| grow(backend, runs_max))?;
    }
    Ok(())
}

#[test]
fn a_new_generation_without_all_maps_is_an_error_when_it_is_read() -> Result<()> {
    let store = small_mart(Arc::new(MemoryBackend::new()))?;
    let transaction = store.begin()?;
    let id = transaction.find("t")?.expect("it is there");
    let writer = transaction.writer(id)?;
    let t = table(transaction.snapshot(), "t")?;
    let dictionary = t.dictionary(NAME)?.expect("it has one");
    assert!(writer.write_code_map(t.row_group(0).id, NAME, &*t.code_map(0, NAME)?).is_err());
    let (run, _) = dictionary.merged(None, None, &CancelToken::default())?;
    writer.replace_runs(NAME, &run, true)?;
    let snapshot = transaction.commit()?;
    let error = column(&*table(&snapshot, "t")?, NAME).unwrap_err();
    assert!(error.message().contains("table \"t\", column \"Name\""), "{error}");
    Ok(())
}
