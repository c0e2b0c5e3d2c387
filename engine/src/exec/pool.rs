//! The worker pool: threads made once per database, and the loop in which they take morsels.
//!
//! No panic of a worker leaves this module: it becomes an error of kind `Internal`. Must not know
//! what the work is.

use std::any::Any;
use std::fmt;
use std::hint::black_box;
use std::ops::ControlFlow;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Once;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use parking::Slots;

use super::source::Source;
use crate::context::Context;
use crate::types::{Error, Result};
use crate::vector::Batch;

/// Makes glibc keep up to 64 MiB of freed memory a thread, so that the next query does not fault every
/// page in again, while other threads wait for the address space. What it keeps is twice the largest
/// block of at most 32 MiB that was mapped and freed: `M_MMAP_THRESHOLD` in mallopt(3). Other allocators
/// just map and unmap a block.
fn keep_freed_memory() {
    /// With malloc's header and rounded to pages it must not be longer than 32 MiB.
    const BLOCK_BYTES: usize = (32 << 20) - (8 << 10);
    drop(black_box(Vec::<u8>::with_capacity(BLOCK_BYTES)));
}

/// Whether freed memory is kept: not before the first query, since a load in a new process needs less.
static FREED_MEMORY: Once = Once::new();

/// The threads on which queries run. One per database; many queries may share it.
pub struct WorkerPool {
    threads: rayon::ThreadPool,
}

impl fmt::Debug for WorkerPool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "WorkerPool({})", self.worker_count())
    }
}

impl WorkerPool {
    /// Starts `worker_count` threads, at least one.
    ///
    /// # Errors
    /// `Io` when the operating system gives no thread.
    pub fn new(worker_count: usize) -> Result<WorkerPool> {
        let threads = rayon::ThreadPoolBuilder::new()
            .num_threads(worker_count.max(1))
            .thread_name(|index| format!("martlet-{index}"))
            .build()
            .map_err(|error| Error::io(format!("cannot start the worker threads: {error}")))?;
        Ok(WorkerPool { threads })
    }

    /// How many threads there are.
    pub fn worker_count(&self) -> usize {
        self.threads.current_num_threads()
    }

    /// Runs `work(0..count)`, at once where threads are free; the results in order. A single piece of
    /// work runs on the calling thread, which spares a small query the hand-over.
    ///
    /// # Errors
    /// The first error by position; `Internal` for a panic.
    pub fn run<T: Send>(
        &self,
        count: usize,
        work: impl Fn(usize) -> Result<T> + Sync,
    ) -> Result<Vec<T>> {
        if count == 1 {
            return Ok(vec![guarded(|| work(0))?]);
        }
        FREED_MEMORY.call_once(keep_freed_memory);
        let slots = Slots::new(count);
        self.threads.scope(|scope| {
            for index in 0..count {
                let (slots, work) = (&slots, &work);
                scope.spawn(move |_| slots.set(index, guarded(|| work(index))));
            }
        });
        slots.into_results()
    }

    /// Runs `work` on a thread of the pool, so that parallel iterators inside it use the pool.
    ///
    /// # Errors
    /// What `work` gives; `Internal` for a panic.
    pub fn install<T: Send>(&self, work: impl FnOnce() -> Result<T> + Send) -> Result<T> {
        self.threads.install(|| guarded(work))
    }
}

/// Runs `work`; a panic becomes an error.
pub(crate) fn guarded<T>(work: impl FnOnce() -> Result<T>) -> Result<T> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|panic| Err(from_panic(panic.as_ref())))
}

fn from_panic(panic: &(dyn Any + Send)) -> Error {
    let message = panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("no message");
    Error::internal(format!("a worker panicked: {message}"))
}

/// Lets workers take every morsel of `source` and hands each batch, with its morsel, to the worker's
/// state. Each worker begins at its own stretch of the morsels, so that it meets few row groups, and
/// helps with the others' when it is done. Breaking ends the morsel, not the others. Gives the states
/// of the workers that ran.
///
/// # Errors
/// The first error; the other workers then stop at their next batch.
pub(crate) fn drive<S: Send>(
    source: &dyn Source,
    pool: &WorkerPool,
    context: &Context,
    make_state: impl Fn() -> Result<S> + Sync,
    each: impl Fn(&mut S, usize, Batch) -> Result<ControlFlow<()>> + Sync,
) -> Result<Vec<S>> {
    let morsel_count = source.morsel_count();
    let order = source.morsel_order();
    let worker_count = context.worker_count.min(pool.worker_count()).min(morsel_count).max(1);
    let stretches = Stretches::new(morsel_count, worker_count);
    let failed = AtomicBool::new(false);
    let work = |worker| {
        let mut state = make_state()?;
        while let Some(morsel) = stretches.take(worker) {
            if failed.load(Ordering::Relaxed) {
                break;
            }
            let morsel = order.as_ref().map_or(morsel, |order| order[morsel]);
            let result = guarded(|| {
                context.cancel.check()?;
                source.run(morsel, context, &mut |batch| {
                    if failed.load(Ordering::Relaxed) {
                        return Ok(ControlFlow::Break(()));
                    }
                    context.cancel.check()?;
                    each(&mut state, morsel, batch)
                })
            });
            if let Err(error) = result {
                failed.store(true, Ordering::Relaxed);
                return Err(error);
            }
        }
        Ok(state)
    };
    pool.run(worker_count, work)
}

/// Numbers from 0, cut into one stretch a worker.
struct Stretches {
    ends: Vec<usize>,
    next: Vec<AtomicUsize>,
}

impl Stretches {
    fn new(count: usize, worker_count: usize) -> Stretches {
        let end = |worker: usize| count * worker / worker_count;
        Stretches {
            ends: (1..=worker_count).map(end).collect(),
            next: (0..worker_count).map(|worker| AtomicUsize::new(end(worker))).collect(),
        }
    }

    /// The next number of the worker's own stretch, or of the first after it that has one left.
    fn take(&self, worker: usize) -> Option<usize> {
        let stretches = (worker..self.ends.len()).chain(0..worker);
        stretches.into_iter().find_map(|stretch| {
            let number = self.next[stretch].fetch_add(1, Ordering::Relaxed);
            (number < self.ends[stretch]).then_some(number)
        })
    }
}

mod parking {
    use std::sync::Mutex;
    use std::sync::PoisonError;

    use crate::types::{Error, Result};

    /// One place per piece of work for its result.
    pub(super) struct Slots<T>(Mutex<Vec<Option<Result<T>>>>);

    impl<T> Slots<T> {
        pub(super) fn new(count: usize) -> Slots<T> {
            Slots(Mutex::new((0..count).map(|_| None).collect()))
        }

        pub(super) fn set(&self, index: usize, result: Result<T>) {
            self.0.lock().unwrap_or_else(PoisonError::into_inner)[index] = Some(result);
        }

        pub(super) fn into_results(self) -> Result<Vec<T>> {
            let slots = self.0.into_inner().unwrap_or_else(PoisonError::into_inner);
            let missing = || Err(Error::internal("a worker gave no result"));
            slots.into_iter().map(|slot| slot.unwrap_or_else(missing)).collect()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::ErrorKind;

    #[test]
    fn every_morsel_is_taken_once_whoever_takes_it() {
        for (count, worker_count) in [(0, 1), (1, 1), (7, 2), (7, 3), (64, 5)] {
            let stretches = Stretches::new(count, worker_count);
            // Only the last worker works.
            let mut taken: Vec<usize> =
                std::iter::from_fn(|| stretches.take(worker_count - 1)).collect();
            taken.sort_unstable();
            assert_eq!(taken, (0..count).collect::<Vec<_>>());
        }
        assert_eq!(Stretches::new(8, 2).take(1), Some(4), "a worker begins at its own");
    }

    #[test]
    fn results_keep_their_order_and_panics_become_errors() -> Result<()> {
        let pool = WorkerPool::new(3)?;
        assert_eq!(
            pool.run(20, |index| Ok(index * 2))?,
            (0..20).map(|i| i * 2).collect::<Vec<_>>()
        );
        for count in [1, 4] {
            let error = pool
                .run(count, |index| if index == 0 { panic!("boom") } else { Ok(index) })
                .expect_err("a panic is an error");
            assert_eq!(error.kind(), ErrorKind::Internal);
            assert!(error.message().contains("boom"));
        }
        Ok(())
    }
}
