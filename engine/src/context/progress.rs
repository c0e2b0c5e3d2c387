//! How far an operation is.

use std::sync::atomic::{AtomicU64, Ordering};

/// Work done and work expected, in units of the operation's own (rows, columns × rows, bytes).
#[derive(Debug, Default)]
pub struct Progress {
    done: AtomicU64,
    total: AtomicU64,
    bytes: AtomicU64,
}

impl Progress {
    /// Adds to the work expected.
    pub fn expect(&self, units: u64) {
        self.total.fetch_add(units, Ordering::Relaxed);
    }

    /// Adds to the work done.
    pub fn advance(&self, units: u64) {
        self.done.fetch_add(units, Ordering::Relaxed);
    }

    /// Adds to the bytes read.
    pub fn read(&self, bytes: u64) {
        self.bytes.fetch_add(bytes, Ordering::Relaxed);
    }

    /// Bytes read.
    pub fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }

    /// (done, expected); expected is 0 while unknown.
    pub fn get(&self) -> (u64, u64) {
        (self.done.load(Ordering::Relaxed), self.total.load(Ordering::Relaxed))
    }

    /// The share of the expected work that is done, 0 to 1; `None` while that is unknown.
    pub fn share(&self) -> Option<f64> {
        let (done, total) = self.get();
        #[expect(clippy::cast_precision_loss, reason = "a share for people")]
        (total > 0).then(|| (done as f64 / total as f64).min(1.0))
    }
}
