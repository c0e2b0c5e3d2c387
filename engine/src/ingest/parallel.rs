//! Work on the pieces of a file, by as many workers as there are.
//!
//! Every worker has a state of its own, which is merged when it has no more pieces. Must not know what
//! the pieces are.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;

use super::guard::guarded;
use crate::context::Context;
use crate::types::{Error, Result};

/// Does `work` with the pieces `0..piece_count` and a state that `begin` makes for each worker; gives
/// the states merged. A worker stops early when `is_settled` says that more pieces would change nothing.
///
/// # Errors
/// The first that a piece gives.
pub(super) fn fold_pieces<S: Send>(
    piece_count: usize,
    context: &Context,
    begin: impl Fn() -> S + Sync,
    work: impl Fn(usize, &mut S) -> Result<()> + Sync,
    is_settled: impl Fn(&S) -> bool + Sync,
    merge: impl Fn(&mut S, S) + Sync,
) -> Result<S> {
    let merged: Mutex<Option<S>> = Mutex::new(None);
    let failure: Mutex<Option<Error>> = Mutex::default();
    let next = AtomicUsize::new(0);
    let worker = || {
        let mut own = begin();
        loop {
            let piece = next.fetch_add(1, Ordering::Relaxed);
            let failed = failure.lock().unwrap_or_else(PoisonError::into_inner).is_some();
            if failed || piece >= piece_count || is_settled(&own) {
                break;
            }
            if let Err(error) = guarded(|| work(piece, &mut own)) {
                failure.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(error);
            }
        }
        let mut merged = merged.lock().unwrap_or_else(PoisonError::into_inner);
        match &mut *merged {
            Some(all) => merge(all, own),
            none => *none = Some(own),
        }
    };
    thread::scope(|scope| {
        for _ in 1..context.worker_count.max(1) {
            scope.spawn(worker);
        }
        worker();
    });
    if let Some(error) = failure.into_inner().unwrap_or_else(PoisonError::into_inner) {
        return Err(error);
    }
    let merged = merged.into_inner().unwrap_or_else(PoisonError::into_inner);
    merged.ok_or_else(|| Error::internal("no worker has a state"))
}
