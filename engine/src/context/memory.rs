//! One memory budget for everything that grows with the data.

use std::fmt::Debug;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::types::{Error, Result};

/// A budget that many operators draw on. Cloning shares it.
#[derive(Clone, Debug)]
pub struct MemoryBudget(Arc<State>);

/// Something that keeps memory only as long as nobody else needs it.
pub trait Yielding: Debug + Send + Sync {
    /// Bytes that it keeps.
    fn kept_bytes(&self) -> usize;

    /// Lets go of what is not in use.
    fn yield_memory(&self);
}

/// In bytes.
#[derive(Debug)]
struct State {
    limit: usize,
    used: AtomicUsize,
    peak: AtomicUsize,
    yielding: Option<Arc<dyn Yielding>>,
}

impl MemoryBudget {
    /// A budget of `limit_bytes`.
    pub fn new(limit_bytes: usize) -> MemoryBudget {
        MemoryBudget::shared(limit_bytes, None)
    }

    /// A budget of `limit_bytes` that `yielding` shares: when reservations and what it keeps pass the
    /// limit together, it is told to let go.
    pub fn with_yielding(limit_bytes: usize, yielding: Arc<dyn Yielding>) -> MemoryBudget {
        MemoryBudget::shared(limit_bytes, Some(yielding))
    }

    fn shared(limit_bytes: usize, yielding: Option<Arc<dyn Yielding>>) -> MemoryBudget {
        MemoryBudget(Arc::new(State {
            limit: limit_bytes,
            used: AtomicUsize::new(0),
            peak: AtomicUsize::new(0),
            yielding,
        }))
    }

    /// A budget without limit, which still counts.
    pub fn unlimited() -> MemoryBudget {
        MemoryBudget::new(usize::MAX)
    }

    /// An empty reservation on this budget; `owner` names it in the error.
    pub fn reservation(&self, owner: &'static str) -> Reservation {
        Reservation { budget: self.clone(), owner, bytes: 0 }
    }

    /// Bytes reserved now.
    pub fn used_bytes(&self) -> usize {
        self.0.used.load(Ordering::Relaxed)
    }

    /// The most bytes that were ever reserved at once.
    pub fn peak_bytes(&self) -> usize {
        self.0.peak.load(Ordering::Relaxed)
    }

    /// The limit.
    pub fn limit_bytes(&self) -> usize {
        self.0.limit
    }

    fn add(&self, bytes: usize, owner: &str) -> Result<()> {
        let used = self.0.used.fetch_add(bytes, Ordering::Relaxed).saturating_add(bytes);
        if used > self.0.limit {
            self.0.used.fetch_sub(bytes, Ordering::Relaxed);
            return Err(Error::out_of_memory(format!(
                "{owner} needs {bytes} more bytes, and {} of {} are in use",
                used - bytes,
                self.0.limit
            ))
            .with_hint("raise the memory limit, or ask for fewer groups or rows"));
        }
        self.0.peak.fetch_max(used, Ordering::Relaxed);
        if let Some(yielding) = &self.0.yielding
            && used.saturating_add(yielding.kept_bytes()) > self.0.limit
        {
            yielding.yield_memory();
        }
        Ok(())
    }
}

/// Bytes taken from a budget, given back on drop.
#[derive(Debug)]
pub struct Reservation {
    budget: MemoryBudget,
    owner: &'static str,
    bytes: usize,
}

impl Reservation {
    /// Grows or shrinks the reservation to `bytes`.
    ///
    /// # Errors
    /// `OutOfMemory`; the reservation is then unchanged.
    pub fn resize(&mut self, bytes: usize) -> Result<()> {
        if bytes > self.bytes {
            self.budget.add(bytes - self.bytes, self.owner)?;
        } else {
            self.budget.0.used.fetch_sub(self.bytes - bytes, Ordering::Relaxed);
        }
        self.bytes = bytes;
        Ok(())
    }

    /// Grows the reservation by `bytes`.
    ///
    /// # Errors
    /// As [`Reservation::resize`].
    pub fn grow(&mut self, bytes: usize) -> Result<()> {
        self.resize(self.bytes.saturating_add(bytes))
    }

    /// Takes over what `other`, of the same budget, has reserved.
    pub fn absorb(&mut self, mut other: Reservation) {
        self.bytes += std::mem::take(&mut other.bytes);
    }

    /// Bytes reserved.
    pub fn bytes(&self) -> usize {
        self.bytes
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        self.budget.0.used.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reservation_never_passes_the_limit_and_is_given_back() -> Result<()> {
        let budget = MemoryBudget::new(100);
        let mut first = budget.reservation("first");
        first.resize(60)?;
        let mut second = budget.reservation("second");
        assert!(second.resize(41).is_err());
        second.resize(40)?;
        drop(first);
        assert_eq!((budget.used_bytes(), budget.peak_bytes()), (40, 100));
        Ok(())
    }
}
