//! How far a statement is, on standard error, while it takes long.
//!
//! Shown only on a terminal and only after a second; gone before anything else is printed.

use std::io::{self, IsTerminal};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};
use martlet::output::format_byte_size;
use martlet::{StatementHandle, Work};

use crate::footer::clock;

/// How long a statement may take before it gets a bar.
const PATIENCE: Duration = Duration::from_secs(1);
const INTERVAL: Duration = Duration::from_millis(100);
/// Steps of the bar.
const STEPS: u32 = 1_000;

/// Runs `work`, a statement that `handle` stands for, with a bar if it takes long.
pub(crate) fn with_bar<T>(handle: &StatementHandle, work: impl FnOnce() -> T) -> T {
    if !io::stderr().is_terminal() {
        return work();
    }
    let start = Instant::now();
    let (done, is_done) = mpsc::channel::<()>();
    thread::scope(|scope| {
        let bar = scope.spawn(move || {
            if is_done.recv_timeout(PATIENCE) == Err(RecvTimeoutError::Timeout) {
                draw(handle, start, &is_done);
            }
        });
        // Dropped also when `work` panics, or the bar would never end.
        let result = {
            let _done = done;
            work()
        };
        let _drawn = bar.join();
        result
    })
}

fn draw(handle: &StatementHandle, start: Instant, is_done: &mpsc::Receiver<()>) {
    let bar = ProgressBar::new(u64::from(STEPS));
    let style = ProgressStyle::with_template("{bar:24} {percent:>3} % {msg}");
    bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
    loop {
        let work = handle.work();
        bar.set_position(steps(work));
        bar.set_message(message(work, start.elapsed()));
        bar.tick();
        if is_done.recv_timeout(INTERVAL) != Err(RecvTimeoutError::Timeout) {
            break;
        }
    }
    bar.finish_and_clear();
}

fn steps(work: Work) -> u64 {
    let share = u128::from(work.done) * u128::from(STEPS) / u128::from(work.expected.max(1));
    u64::try_from(share).unwrap_or(u64::MAX).min(STEPS.into())
}

/// `12.5 M rows/s, 310 MB/s, 0:04 left; Ctrl-C stops it`.
fn message(work: Work, elapsed: Duration) -> String {
    let seconds = elapsed.as_secs_f64().max(1e-3);
    let mut parts = Vec::new();
    if work.done > 0 {
        // What loads count is values.
        let unit = if work.bytes > 0 { "rows" } else { "values" };
        #[expect(clippy::cast_precision_loss, reason = "a speed for people")]
        parts.push(format!("{} {unit}/s", thousands(work.done as f64 / seconds)));
    }
    if work.bytes > 0 {
        let milliseconds = u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX).max(1);
        let bytes = u128::from(work.bytes) * 1_000 / u128::from(milliseconds);
        let bytes = u64::try_from(bytes).unwrap_or(u64::MAX);
        parts.push(format!("{}/s", format_byte_size(bytes)));
    }
    if work.done > 0 && work.done < work.expected {
        #[expect(clippy::cast_precision_loss, reason = "a guess for people")]
        let left = seconds * (work.expected - work.done) as f64 / work.done as f64;
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
        (work.done, work.expected, work.bytes) = (done, expected, bytes);
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
    }

    #[test]
    fn speeds_are_short() {
        assert_eq!(thousands(12.4), "12");
        assert_eq!(thousands(12_400_000.0), "12.4 M");
    }
}
