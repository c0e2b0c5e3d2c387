//! How a database is opened.

use std::thread;

use martlet_engine::context::{BATCH_LEN, TABLE_GROUPS_MAX};
use martlet_engine::storage::StorageOptions;

/// How files are read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum FileAccess {
    /// Mapped into memory: the operating system's cache is the only copy.
    #[default]
    Mapped,
    /// Read at positions into buffers: for file systems on which mapping is slow or unsafe.
    Positional,
}

/// How a database is opened. The default suits a local disk and the whole machine.
///
/// ```
/// let options = martlet::Options::default().with_worker_count(2);
/// let database = martlet::Database::open_in_memory_with(options)?;
/// assert_eq!(database.options().worker_count, 2);
/// # Ok::<(), martlet::Error>(())
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Options {
    /// Threads that queries and loads share; by default one per core.
    pub worker_count: usize,
    /// Bytes that all statements together may hold, results in flight included; by default four
    /// fifths of the machine's memory.
    pub memory_limit: usize,
    /// Rows in a batch of a result, at most.
    pub batch_len: usize,
    /// Groups that a worker keeps in one table; an aggregation with more keeps them by id or by
    /// partition. Tests shrink it; there is no other reason to.
    pub table_groups_max: usize,
    /// Lengths of row groups and pages; they count when a database is created and are kept in it.
    pub storage: StorageOptions,
    /// How files are read.
    pub file_access: FileAccess,
}

impl Options {
    /// The default with `worker_count` threads.
    #[must_use]
    pub fn with_worker_count(mut self, worker_count: usize) -> Options {
        self.worker_count = worker_count;
        self
    }

    /// The default with a limit of `bytes`.
    #[must_use]
    pub fn with_memory_limit(mut self, bytes: usize) -> Options {
        self.memory_limit = bytes;
        self
    }
}

impl Default for Options {
    fn default() -> Options {
        Options {
            worker_count: core_count(),
            memory_limit: machine_memory() / 5 * 4,
            batch_len: BATCH_LEN,
            table_groups_max: TABLE_GROUPS_MAX,
            storage: StorageOptions::default(),
            file_access: FileAccess::default(),
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "this is the one place that thread counts come from")]
fn core_count() -> usize {
    thread::available_parallelism().map_or(1, usize::from)
}

/// Bytes of memory, a container's limit included; 8 GiB where the system does not say.
fn machine_memory() -> usize {
    const UNKNOWN: usize = 8 << 30;
    let read = |path: &str| std::fs::read_to_string(path).ok();
    let total = read("/proc/meminfo").and_then(|text| meminfo_total(&text)).unwrap_or(UNKNOWN);
    let limit = read("/sys/fs/cgroup/memory.max").and_then(|text| text.trim().parse().ok());
    limit.map_or(total, |limit: usize| limit.min(total))
}

fn meminfo_total(text: &str) -> Option<usize> {
    let line = text.lines().find(|line| line.starts_with("MemTotal:"))?;
    let kibibytes: usize = line.split_whitespace().nth(1)?.parse().ok()?;
    kibibytes.checked_mul(1_024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_memory_of_the_machine_is_read() {
        assert_eq!(meminfo_total("MemTotal:       16384 kB\nMemFree: 1 kB\n"), Some(16 << 20));
        assert_eq!(meminfo_total("nothing"), None);
        assert!(machine_memory() > 1 << 20);
    }
}
