//! How far a statement is, on standard error, while it takes long.
//!
//! Shown only on a terminal and only after a second; gone before anything else is printed.

use std::io::{self, IsTerminal, Write};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use martlet::output::format_byte_size;
use martlet::{StatementHandle, Work};

use crate::footer::clock;
use crate::format::fitted;
use crate::view::terminal_width;

/// How long a statement may take before it gets a bar.
const PATIENCE: Duration = Duration::from_secs(1);
const INTERVAL: Duration = Duration::from_millis(100);
/// Steps of the work.
const STEPS: u64 = 1_000;
/// Columns of the bar.
const BAR_WIDTH: u64 = 24;
/// To the beginning of the line, which is cleared.
const CLEAR: &str = "\r\x1b[2K";

/// How far a command is that runs many statements: so many of its steps.
#[derive(Debug, Default)]
pub(crate) struct Steps {
    done: AtomicU64,
    expected: AtomicU64,
}

impl Steps {
    /// Begins a number of steps.
    pub(crate) fn begin(&self, expected: usize) {
        self.done.store(0, Ordering::Relaxed);
        self.expected.store(expected as u64, Ordering::Relaxed);
    }

    /// One step is done.
    pub(crate) fn advance(&self) {
        self.done.fetch_add(1, Ordering::Relaxed);
    }

    fn work(&self) -> Work {
        let load = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let mut work = Work::default();
        (work.done, work.expected) = (load(&self.done), load(&self.expected));
        work
    }
}

/// Runs `work`, a statement that `handle` stands for, with a bar if it takes long.
pub(crate) fn with_bar<T>(handle: &StatementHandle, work: impl FnOnce() -> T) -> T {
    drawn(&|| handle.work(), work)
}

/// Runs `work`, many statements, with a bar of their `steps`.
pub(crate) fn with_steps<T>(steps: &Steps, work: impl FnOnce() -> T) -> T {
    drawn(&|| steps.work(), work)
}

fn drawn<T>(done: &(impl Fn() -> Work + Sync), work: impl FnOnce() -> T) -> T {
    if !io::stderr().is_terminal() {
        return work();
    }
    let start = Instant::now();
    let (end, is_done) = mpsc::channel::<()>();
    thread::scope(|scope| {
        let bar = scope.spawn(move || {
            if is_done.recv_timeout(PATIENCE) == Err(RecvTimeoutError::Timeout) {
                draw(done, start, &is_done);
            }
        });
        // Dropped also when `work` panics, or the bar would never end.
        let result = {
            let _end = end;
            work()
        };
        let _drawn = bar.join();
        result
    })
}

fn draw(done: &impl Fn() -> Work, start: Instant, is_done: &mpsc::Receiver<()>) {
    let mut screen = io::stderr();
    loop {
        // Room for the ^C that the terminal may put behind it: it must stay on this line.
        let width = terminal_width().unwrap_or(80).saturating_sub(3);
        let text = fitted(&line(done(), start.elapsed()), width);
        // A terminal that is gone shows nothing.
        let _drawn = write!(screen, "{CLEAR}{text}").and_then(|()| screen.flush());
        if is_done.recv_timeout(INTERVAL) != Err(RecvTimeoutError::Timeout) {
            break;
        }
    }
    let _cleared = write!(screen, "{CLEAR}").and_then(|()| screen.flush());
}

/// `████████░░░░░░░░░░░░░░░░  33 % 12.5 M rows/s, …`; no bar where nobody knows how much there is to do.
fn line(work: Work, elapsed: Duration) -> String {
    let message = message(work, elapsed);
    if done_of(work).1 == 0 {
        return message;
    }
    let steps = steps(work);
    let full = usize::try_from(steps * BAR_WIDTH / STEPS).unwrap_or(0);
    let empty = usize::try_from(BAR_WIDTH).unwrap_or(0).saturating_sub(full);
    format!("{}{} {:>3} % {message}", "█".repeat(full), "░".repeat(empty), steps * 100 / STEPS)
}

/// What is done, of what: work, or bytes where nobody knows how much work they are.
fn done_of(work: Work) -> (u64, u64) {
    if work.expected > 0 { (work.done, work.expected) } else { (work.bytes, work.bytes_expected) }
}

fn steps(work: Work) -> u64 {
    let (done, expected) = done_of(work);
    let share = u128::from(done) * u128::from(STEPS) / u128::from(expected.max(1));
    u64::try_from(share).unwrap_or(u64::MAX).min(STEPS)
}

/// `12.5 M rows/s, 310 MB/s, 0:04 left; Ctrl-C stops it`.
fn message(work: Work, elapsed: Duration) -> String {
    let seconds = elapsed.as_secs_f64().max(1e-3);
    let mut parts = Vec::new();
    if work.rows > 0 {
        #[expect(clippy::cast_precision_loss, reason = "a speed for people")]
        parts.push(format!("{} rows/s", thousands(work.rows as f64 / seconds)));
    }
    if work.bytes > 0 {
        let milliseconds = u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX).max(1);
        let bytes = u128::from(work.bytes) * 1_000 / u128::from(milliseconds);
        let bytes = u64::try_from(bytes).unwrap_or(u64::MAX);
        parts.push(format!("{}/s", format_byte_size(bytes)));
    }
    let (done, expected) = done_of(work);
    if done > 0 && done < expected {
        #[expect(clippy::cast_precision_loss, reason = "a guess for people")]
        let left = seconds * (expected - done) as f64 / done as f64;
        parts.push(format!("{} left", clock(Duration::from_secs_f64(left.min(1e6)))));
    } else {
        parts.push(clock(elapsed));
    }
    parts.join(", ") + "; Ctrl-C stops it"
}

fn thousands(number: f64) -> String {
    match number {
        ..1e3 => format!("{number:.0}"),
        ..1e6 => format!("{:.0} k", number / 1e3),
        ..1e9 => format!("{:.1} M", number / 1e6),
        _ => format!("{:.1} G", number / 1e9),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn work(done: u64, expected: u64, bytes: u64) -> Work {
        let mut work = Work::default();
        (work.done, work.expected, work.rows, work.bytes) = (done, expected, done, bytes);
        work
    }

    #[test]
    fn the_message_tells_speeds_and_the_time_left() {
        let of =
            |(done, expected, bytes)| message(work(done, expected, bytes), Duration::from_secs(3));
        assert_eq!(of((0, 0, 0)), "0:03; Ctrl-C stops it");
        assert_eq!(
            of((3_000_000, 9_000_000, 30_000_000)),
            "1.0 M rows/s, 10.0 MB/s, 0:06 left; Ctrl-C stops it"
        );
        assert_eq!(steps(work(1, 4, 0)), 250);
        // A text file: how many rows it has is not known.
        let mut load = work(0, 0, 3_000_000);
        (load.rows, load.bytes_expected) = (600, 12_000_000);
        assert_eq!(
            message(load, Duration::from_secs(3)),
            "200 rows/s, 1.00 MB/s, 0:09 left; Ctrl-C stops it"
        );
        assert_eq!(steps(load), 250);
        let bar = line(load, Duration::from_secs(3));
        assert!(bar.starts_with("██████░░░░░░░░░░░░░░░░░░  25 % 200 rows/s"), "{bar}");
        assert!(line(work(0, 0, 0), Duration::from_secs(3)).starts_with("0:03;"));
    }

    #[test]
    fn speeds_are_short() {
        assert_eq!(thousands(12.4), "12");
        assert_eq!(thousands(12_400_000.0), "12.4 M");
    }
}
