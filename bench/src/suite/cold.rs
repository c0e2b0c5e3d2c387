//! Cold runs: a new process, the database opened afresh, its files dropped from the page cache.
//!
//! Without root that is as cold as it gets: the system is advised to drop the pages of these files
//! (`posix_fadvise`, Linux only), which it does for pages that are clean and not mapped. What the disk or
//! the host of a virtual machine caches stays warm.

use std::fs::{self, File};
use std::path::Path;
use std::process::Command;
use std::time::Instant;

use martlet::{Database, Options};
use serde::{Deserialize, Serialize};

use super::query::Query;
use crate::{Result, context};

/// The figures of one cold run.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Cold {
    /// Opening the database.
    pub(crate) open_s: f64,
    /// Opening it and the whole answer.
    pub(crate) answer_s: f64,
}

/// Asks one query of `database` in a new process.
pub(super) fn run(database: &Path, query: &Query, thread_count: usize) -> Result<Cold> {
    drop_from_page_cache(database)?;
    let program = std::env::current_exe().map_err(context("cannot find this program".into()))?;
    let output = Command::new(program)
        .arg("cold-query")
        .arg(database)
        .arg(&query.text)
        .arg(thread_count.to_string())
        .output()
        .map_err(context("cannot start a cold run".into()))?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).trim().into());
    }
    Ok(serde_json::from_slice(&output.stdout)?)
}

/// What the new process does.
pub(crate) fn ask_cold(database: &Path, sql: &str, thread_count: usize) -> Result<Cold> {
    let start = Instant::now();
    let options = Options::default().with_worker_count(thread_count);
    let database = Database::open_read_only_with(database, options)?;
    let open_s = start.elapsed().as_secs_f64();
    for batch in database.connect().query(sql)? {
        std::hint::black_box(batch?);
    }
    Ok(Cold { open_s, answer_s: start.elapsed().as_secs_f64() })
}

fn drop_from_page_cache(path: &Path) -> Result<()> {
    let what = || format!("cannot read {}", path.display());
    for entry in fs::read_dir(path).map_err(context(what()))? {
        let path = entry.map_err(context(what()))?.path();
        if path.is_dir() {
            drop_from_page_cache(&path)?;
        } else if let Ok(file) = File::open(&path) {
            advise_to_drop(&file);
        }
    }
    Ok(())
}

#[cfg(target_os = "linux")]
fn advise_to_drop(file: &File) {
    // Advice; where it is refused the run is as warm as the cache is.
    let _ignored = rustix::fs::fadvise(file, 0, None, rustix::fs::Advice::DontNeed);
}

#[cfg(not(target_os = "linux"))]
fn advise_to_drop(_file: &File) {}
