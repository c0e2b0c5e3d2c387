//! How far an operation is.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Work done and work expected, in units of the operation's own: rows of a scan, values of a load.
/// Beside them the bytes that are read for it.
#[derive(Debug, Default)]
pub struct Progress {
    done: AtomicU64,
    total: AtomicU64,
    /// Units that make a row, when they are not rows.
    units_per_row: AtomicU64,
    input: Arc<Input>,
}

/// What is told of what is read.
#[derive(Debug, Default)]
struct Input {
    read: AtomicU64,
    expected: AtomicU64,
    /// Rows left out.
    rejected: AtomicU64,
}

impl Progress {
    /// A progress of its own whose bytes and rejected rows count here: for a query that feeds a load.
    #[must_use]
    pub fn of_input(&self) -> Progress {
        Progress { input: Arc::clone(&self.input), ..Progress::default() }
    }

    /// Adds to the work expected.
    pub fn expect(&self, units: u64) {
        self.total.fetch_add(units, Ordering::Relaxed);
    }

    /// Adds to the work done.
    pub fn advance(&self, units: u64) {
        self.done.fetch_add(units, Ordering::Relaxed);
    }

    /// Says how many units make a row: one if nobody says, `u64::MAX` where units are no rows.
    pub fn set_units_per_row(&self, units: u64) {
        self.units_per_row.store(units, Ordering::Relaxed);
    }

    /// Adds to the bytes read.
    pub fn read(&self, bytes: u64) {
        self.input.read.fetch_add(bytes, Ordering::Relaxed);
    }

    /// Adds to the bytes that will be read, where that is known.
    pub fn expect_bytes(&self, bytes: u64) {
        self.input.expected.fetch_add(bytes, Ordering::Relaxed);
    }

    /// Counts a row of a file that is left out.
    pub fn reject(&self) {
        self.input.rejected.fetch_add(1, Ordering::Relaxed);
    }

    /// Forgets the rows left out: they are read once more.
    pub fn forget_rejected(&self) {
        self.input.rejected.store(0, Ordering::Relaxed);
    }

    /// Rows of files that were left out.
    pub fn rejected(&self) -> u64 {
        self.input.rejected.load(Ordering::Relaxed)
    }

    /// Bytes read and expected; expected is 0 while unknown.
    pub fn bytes(&self) -> (u64, u64) {
        (self.input.read.load(Ordering::Relaxed), self.input.expected.load(Ordering::Relaxed))
    }

    /// (done, expected); expected is 0 while unknown.
    pub fn get(&self) -> (u64, u64) {
        (self.done.load(Ordering::Relaxed), self.total.load(Ordering::Relaxed))
    }

    /// Rows of which the work is done.
    pub fn rows(&self) -> u64 {
        self.get().0 / self.units_per_row.load(Ordering::Relaxed).max(1)
    }

    /// The share of the expected work that is done, of the bytes if only they are known, 0 to 1; `None`
    /// while that is unknown.
    pub fn share(&self) -> Option<f64> {
        let (done, total) = match self.get() {
            (_, 0) => self.bytes(),
            known => known,
        };
        #[expect(clippy::cast_precision_loss, reason = "a share for people")]
        (total > 0).then(|| (done as f64 / total as f64).min(1.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_tell_the_share_where_no_work_is_expected() {
        let load = Progress::default();
        assert_eq!(load.share(), None);
        load.set_units_per_row(10);
        load.advance(30);
        let input = load.of_input();
        input.expect_bytes(100);
        input.read(25);
        input.advance(1_000);
        assert_eq!((load.rows(), load.bytes(), load.share()), (3, (25, 100), Some(0.25)));
        load.expect(60);
        assert_eq!(load.share(), Some(0.5));
    }
}
