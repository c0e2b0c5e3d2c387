//! Failing calls and power cuts: afterwards there is the old state or the new, and work goes on.

use std::sync::Arc;

use super::*;
use crate::storage::backend::faulty::{Fault, FaultyBackend};
use crate::types::ErrorKind;

/// What crash images keep of the unsynced: nothing, everything, and mixtures.
const SEEDS: [u64; 6] = [0, u64::MAX, 1, 2, 3, 4];

/// A commit that touches everything: rows, a new generation, deletions, a new table.
fn change(store: &Arc<Store>) -> Result<()> {
    let transaction = store.begin()?;
    let id = transaction.find("t")?.expect("it is there");
    append(&transaction, id, 17..24, 1)?;
    transaction.delete_rows(id, 1, &[1].into_iter().collect())?;
    let other = create(&transaction, "other")?;
    append(&transaction, other, 0..2, 8)?;
    transaction.commit()?;
    Ok(())
}

/// A disk with the small mart, all of it durable; its digest before and after [`change`].
fn start() -> Result<(FaultyBackend, String, String)> {
    let backend = FaultyBackend::new();
    small_mart(Arc::new(backend.clone()))?;
    let changed = backend.reopened();
    let old = digest_of(Arc::new(changed.clone()))?;
    change(&Store::open(Arc::new(changed.clone()))?)?;
    let new = digest_of(Arc::new(changed))?;
    assert_ne!(old, new);
    Ok((backend, old, new))
}

/// Checks that the disk holds one of the states, and that a writer can go on.
fn check_image(image: &FaultyBackend, states: &[&String], what: &str) -> Result<()> {
    let found = digest_of(Arc::new(image.clone()))
        .map_err(|error| error.context(format!("{what}: the database does not open")))?;
    assert!(states.contains(&&found), "{what}: neither the old state nor the new:\n{found}");
    let store = Store::open(Arc::new(image.clone()))?;
    store.vacuum()?;
    assert_eq!(digest(&*store.snapshot()?)?, found, "{what}: after a vacuum");
    let transaction = store.begin()?;
    create(&transaction, "later")?;
    transaction.commit()?;
    let later = Store::open(Arc::new(image.reopened()))?.snapshot()?;
    assert!(later.table("later")?.is_some(), "{what}: nothing can be written any more");
    Ok(())
}

/// Runs `change` with the `call`-th call failing, and checks what is left. Returns whether a call
/// failed at all.
fn run_with_fault(fault: Fault) -> Result<bool> {
    let (backend, old, new) = start()?;
    let store = Store::open(Arc::new(backend.clone()))?;
    backend.set_fault(Some(fault));
    let outcome = change(&store);
    let reached = backend.call_count() >= fault.call;
    backend.set_fault(None);
    let what = format!("{fault:?}, {:?}", outcome.as_ref().err());
    let states: Vec<&String> = if outcome.is_ok() { vec![&new] } else { vec![&old, &new] };
    // The process that saw the failure reads on.
    let seen = digest(&*store.snapshot()?)?;
    assert!(states.contains(&&seen), "{what}: seen by the same process");
    check_image(&backend.reopened(), &[&seen], &format!("{what}, another process"))?;
    for seed in SEEDS {
        check_image(&backend.after_crash(seed), &states, &format!("{what}, crash {seed}"))?;
    }
    Ok(reached)
}

#[test]
fn every_failing_call_leaves_the_old_state_or_the_new() -> Result<()> {
    for (sticky, after_effect) in [(false, false), (true, false), (false, true)] {
        let mut call = 1;
        while run_with_fault(Fault { call, sticky, after_effect })? {
            call += 1;
        }
        assert!(call > 20, "{call} calls are too few for a commit");
    }
    Ok(())
}

#[test]
fn no_power_cut_tears_a_commit() -> Result<()> {
    // A cut is a call that fails with all that follow, and then nothing cleans up.
    let mut call = 1;
    loop {
        let (backend, old, new) = start()?;
        let store = Store::open(Arc::new(backend.clone()))?;
        backend.set_fault(Some(Fault { call, sticky: true, after_effect: false }));
        let committed = change(&store).is_ok();
        let states: Vec<&String> = if committed { vec![&new] } else { vec![&old, &new] };
        for seed in 0..12 {
            let what = format!("a cut at call {call}, image {seed}");
            check_image(&backend.after_crash(seed), &states, &what)?;
        }
        if committed && backend.call_count() < call {
            return Ok(());
        }
        call += 1;
    }
}

#[test]
fn a_vacuum_that_fails_anywhere_loses_nothing() -> Result<()> {
    for call in 1.. {
        let (backend, ..) = start()?;
        let store = Store::open(Arc::new(backend.clone()))?;
        change(&store)?;
        let pinned = Store::open(Arc::new(backend.clone()))?.snapshot()?;
        let before = digest(&pinned)?;
        backend.set_fault(Some(Fault { call, sticky: true, after_effect: false }));
        let outcome = store.vacuum();
        let reached = backend.call_count() >= call;
        backend.set_fault(None);
        assert_eq!(digest(&pinned)?, before);
        for seed in SEEDS {
            check_image(&backend.after_crash(seed), &[&before], &format!("vacuum {call}"))?;
        }
        if !reached {
            outcome?;
            break;
        }
    }
    Ok(())
}

#[test]
fn creating_a_database_fails_whole() -> Result<()> {
    for call in 1.. {
        let backend = FaultyBackend::new();
        backend.set_fault(Some(Fault { call, sticky: true, after_effect: false }));
        let created = Store::create(Arc::new(backend.clone()), OPTIONS).is_ok();
        let reached = backend.call_count() >= call;
        for seed in SEEDS {
            let image: Arc<dyn Backend> = Arc::new(backend.after_crash(seed));
            match Store::open(Arc::clone(&image)) {
                Ok(store) => assert!(store.snapshot()?.table_names().is_empty()),
                Err(error) => {
                    assert!(!created, "call {call}: {error}");
                    assert_eq!(error.kind(), ErrorKind::Io);
                    small_mart(image)?;
                }
            }
        }
        if !reached {
            break;
        }
    }
    Ok(())
}

#[test]
fn after_a_failed_sync_a_store_writes_no_more() -> Result<()> {
    let (backend, ..) = start()?;
    let store = Store::open(Arc::new(backend.clone()))?;
    let transaction = store.begin()?;
    let id = transaction.find("t")?.expect("it is there");
    append(&transaction, id, 17..18, 8)?;
    backend.set_fault(Some(Fault { call: 3, sticky: true, after_effect: false }));
    assert!(transaction.commit().is_err());
    backend.set_fault(None);
    let error = store.begin().unwrap_err();
    assert!(error.message().contains("sync failed"), "{error}");
    change(&Store::open(Arc::new(backend))?)
}
