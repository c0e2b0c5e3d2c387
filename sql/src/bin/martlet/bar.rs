//! A bar on standard error while a statement takes long: loads, above all.
//!
//! Shown only on a terminal and only after a second; gone before anything else is printed.

use std::io::{self, IsTerminal};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use martlet::StatementHandle;

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
    let (done, is_done) = mpsc::channel::<()>();
    thread::scope(|scope| {
        let bar = scope.spawn(move || {
            if is_done.recv_timeout(PATIENCE) == Err(RecvTimeoutError::Timeout) {
                draw(handle, &is_done);
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

fn draw(handle: &StatementHandle, is_done: &mpsc::Receiver<()>) {
    let bar = ProgressBar::new(u64::from(STEPS));
    let style = ProgressStyle::with_template("{bar:40} {percent:>3} %, {elapsed} of {duration}");
    bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
    while is_done.recv_timeout(INTERVAL) == Err(RecvTimeoutError::Timeout) {
        if let Some(share) = handle.progress() {
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "between 0 and the number of steps"
            )]
            bar.set_position((share * f64::from(STEPS)) as u64);
        }
    }
    bar.finish_and_clear();
}
