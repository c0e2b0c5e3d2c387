//! What the harness asks of the machine: its name, its threads, the process's memory, a directory's
//! size; and how figures are written.

use std::fmt;
use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::random::to_f64;
use crate::{Result, context};

/// How often memory is looked at.
const SAMPLE_EVERY: Duration = Duration::from_millis(1);

/// What figures were measured on.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Machine {
    processor: String,
    threads: usize,
    memory_kb: u64,
    system: String,
    martlet: String,
}

impl Machine {
    /// This machine; what it does not tell stays empty.
    pub(crate) fn of_this() -> Machine {
        let read = |path: &str| fs::read_to_string(path).unwrap_or_default();
        let (cpu, memory) = (read("/proc/cpuinfo"), read("/proc/meminfo"));
        let processor = cpu.lines().find_map(|line| line.strip_prefix("model name"));
        Machine {
            processor: processor
                .unwrap_or_default()
                .trim_start_matches([' ', '\t', ':'])
                .to_owned(),
            threads: thread_count(),
            memory_kb: kb_of(&memory, "MemTotal:"),
            system: format!(
                "{} {}",
                std::env::consts::OS,
                read("/proc/sys/kernel/osrelease").trim()
            ),
            martlet: env!("CARGO_PKG_VERSION").to_owned(),
        }
    }
}

/// Waits until what was written is on disk. Elsewhere than on Linux the system writes when it likes.
pub(crate) fn write_back() {
    #[cfg(target_os = "linux")]
    rustix::fs::sync();
}

impl fmt::Display for Machine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}, {} threads, {} MiB, {}; Martlet {}",
            self.processor,
            self.threads,
            self.memory_kb / 1_024,
            self.system,
            self.martlet
        )
    }
}

/// Samples the anonymous memory of a process until it is stopped.
#[derive(Debug)]
pub(crate) struct AnonymousPeak {
    is_done: Arc<AtomicBool>,
    peak_kb: Arc<AtomicU64>,
    sampler: JoinHandle<()>,
}

impl AnonymousPeak {
    /// Of this process.
    pub(crate) fn start() -> AnonymousPeak {
        AnonymousPeak::sample(|| anonymous_kb(std::process::id()))
    }

    /// Of the process with that number and those that it started.
    pub(crate) fn start_of(process: u32) -> AnonymousPeak {
        AnonymousPeak::sample(move || family_kb(process))
    }

    fn sample(now: impl Fn() -> u64 + Send + 'static) -> AnonymousPeak {
        let is_done = Arc::new(AtomicBool::new(false));
        let peak_kb = Arc::new(AtomicU64::new(now()));
        let (done, peak) = (Arc::clone(&is_done), Arc::clone(&peak_kb));
        let sampler = thread::spawn(move || {
            while !done.load(Ordering::Relaxed) {
                peak.fetch_max(now(), Ordering::Relaxed);
                thread::sleep(SAMPLE_EVERY);
            }
        });
        AnonymousPeak { is_done, peak_kb, sampler }
    }

    /// The most that was seen, in units of 1,024 bytes; 0 where the system does not say.
    pub(crate) fn stop(self) -> u64 {
        self.is_done.store(true, Ordering::Relaxed);
        self.sampler.join().expect("the sampler only reads");
        self.peak_kb.load(Ordering::Relaxed)
    }
}

/// Anonymous memory of a process now, in units of 1,024 bytes.
fn anonymous_kb(process: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{process}/status"));
    kb_of(&status.unwrap_or_default(), "RssAnon:")
}

/// The same with the processes that it started.
fn family_kb(process: u32) -> u64 {
    let children = fs::read_to_string(format!("/proc/{process}/task/{process}/children"));
    let children = children.unwrap_or_default();
    let children = children.split_whitespace().filter_map(|child| child.parse().ok());
    anonymous_kb(process) + children.map(family_kb).sum::<u64>()
}

/// All threads of the machine.
#[expect(clippy::disallowed_methods, reason = "the harness's own default, not the engine's")]
pub(crate) fn thread_count() -> usize {
    thread::available_parallelism().map_or(1, usize::from)
}

/// The most memory that this process ever had resident, in units of 1,024 bytes; 0 where the system
/// does not say.
pub(crate) fn peak_kb() -> u64 {
    kb_of(&fs::read_to_string("/proc/self/status").unwrap_or_default(), "VmHWM:")
}

/// The figure after `name` in a file such as `/proc/self/status`; 0 if there is none.
fn kb_of(text: &str, name: &str) -> u64 {
    let line = text.lines().find_map(|line| line.strip_prefix(name));
    line.and_then(|line| line.trim().strip_suffix("kB")?.trim().parse().ok()).unwrap_or(0)
}

/// Seconds as milliseconds.
pub(crate) fn milliseconds(seconds: f64) -> String {
    let digits = if seconds < 0.01 { 3 } else { 2 };
    format!("{:.digits$}", seconds * 1e3)
}

/// Bytes as megabytes (of a million bytes).
pub(crate) fn megabytes(bytes: u64) -> String {
    format!("{:.1} MB", to_f64(bytes) / 1e6)
}

/// Bytes of all files under `path`.
pub(crate) fn directory_bytes(path: &Path) -> Result<u64> {
    let what = || format!("cannot measure {}", path.display());
    let mut bytes = 0;
    for entry in fs::read_dir(path).map_err(context(what()))? {
        let entry = entry.map_err(context(what()))?;
        let metadata = entry.metadata().map_err(context(what()))?;
        bytes += if metadata.is_dir() { directory_bytes(&entry.path())? } else { metadata.len() };
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_found_by_name() {
        let text = "VmHWM:\t  12 kB\nRssAnon:\t 7 kB\nThreads: 2\n";
        assert_eq!((kb_of(text, "RssAnon:"), kb_of(text, "VmHWM:")), (7, 12));
        assert_eq!((kb_of(text, "Rss:"), kb_of(text, "Threads:")), (0, 0));
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn memory_that_is_freed_again_shows_in_the_peak() {
        let before = anonymous_kb(std::process::id());
        let peak = AnonymousPeak::start();
        let memory = vec![1_u8; 64 << 20];
        thread::sleep(SAMPLE_EVERY * 50);
        drop(std::hint::black_box(memory));
        assert!(peak.stop() >= before + (32 << 10));
    }

    #[test]
    fn a_directory_counts_its_subdirectories() -> Result<()> {
        let folder = tempfile::tempdir()?;
        fs::create_dir(folder.path().join("a"))?;
        fs::write(folder.path().join("x"), [0; 10])?;
        fs::write(folder.path().join("a/y"), [0; 5])?;
        assert_eq!(directory_bytes(folder.path())?, 15);
        assert!(directory_bytes(&folder.path().join("none")).is_err());
        Ok(())
    }
}
