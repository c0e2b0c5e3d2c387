//! Cooperative cancellation.

use std::sync::Arc;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use crate::types::{Error, ErrorKind, Result};

/// Tells the threads of one statement to stop. Cloning shares the token.
#[derive(Clone, Debug, Default)]
pub struct CancelToken(Arc<State>);

#[derive(Debug, Default)]
struct State {
    cancelled: AtomicBool,
    deadline: OnceLock<Instant>,
}

impl CancelToken {
    /// Asks to stop; returns at once. The statement fails with `Cancelled` at its next check.
    pub fn cancel(&self) {
        self.0.cancelled.store(true, Ordering::Relaxed);
    }

    /// Sets when the statement has to be over; the first deadline set counts.
    pub fn set_deadline(&self, deadline: Instant) {
        let _already_set = self.0.deadline.set(deadline);
    }

    /// Whether it was asked to stop or its deadline passed.
    pub fn is_cancelled(&self) -> bool {
        self.check().is_err()
    }

    /// Called once per batch or page.
    ///
    /// # Errors
    /// `Cancelled`.
    pub fn check(&self) -> Result<()> {
        if self.0.cancelled.load(Ordering::Relaxed) {
            return Err(Error::cancelled());
        }
        match self.0.deadline.get() {
            Some(deadline) if Instant::now() >= *deadline => {
                Err(Error::new(ErrorKind::Cancelled, "the query's deadline has passed"))
            }
            _ => Ok(()),
        }
    }
}
