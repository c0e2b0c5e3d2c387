//! The border that no panic of a foreign reader crosses.
//!
//! The Parquet reader was seen to panic on hostile files (slices out of bounds, arithmetic, assertions).
//! [`guarded`] turns a panic into an error, and keeps its message off standard error. Must not know
//! what it guards. It needs unwinding: under `panic = "abort"` it contains nothing.

use std::any::Any;
use std::cell::Cell;
use std::panic::{self, AssertUnwindSafe};
use std::sync::Once;

use crate::types::{Error, Result};

thread_local! {
    static GUARDED: Cell<bool> = const { Cell::new(false) };
}

/// Runs `call`; a panic inside becomes `Corrupt`. What `call` was changing must not be used after an
/// error.
pub(super) fn guarded<T>(call: impl FnOnce() -> Result<T>) -> Result<T> {
    quieten_guarded_panics();
    let outer = GUARDED.replace(true);
    let outcome = panic::catch_unwind(AssertUnwindSafe(call));
    GUARDED.set(outer);
    outcome.unwrap_or_else(|payload| {
        Err(Error::corrupt(format!("the reader gave up: {}", panic_message(&*payload))))
    })
}

/// Puts, once per process, a hook before the present one, which stays silent for guarded calls of
/// the panicking thread; other threads' panics pass to the present hook.
fn quieten_guarded_panics() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let previous = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            if !GUARDED.try_with(Cell::get).unwrap_or(false) {
                previous(info);
            }
        }));
    });
}

fn panic_message(payload: &(dyn Any + Send)) -> &str {
    payload
        .downcast_ref::<String>()
        .map(String::as_str)
        .or_else(|| payload.downcast_ref::<&str>().copied())
        .unwrap_or("a panic without a message")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::ErrorKind;

    #[test]
    fn a_panic_becomes_an_error_with_its_message() {
        let error = guarded::<()>(|| panic!("index {} is wild", 7)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Corrupt);
        assert!(error.message().ends_with("index 7 is wild"), "{error}");
        assert_eq!(guarded(|| Ok(3)).unwrap(), 3);
        assert!(!GUARDED.get());
    }
}
