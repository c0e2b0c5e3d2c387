//! A suite's mart on disk: the Parquet file that all engines load, and the database made of it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::Suite;
use crate::load::LoadRecord;
use crate::mart_file::{FileOptions, write_file};
use crate::{Result, context, host};

/// Where a suite's files are.
#[derive(Clone, Debug)]
pub(crate) struct SuiteMart {
    pub(crate) suite: Suite,
    pub(crate) parquet: PathBuf,
    pub(crate) database: PathBuf,
}

impl SuiteMart {
    /// Generates the Parquet file in `folder` unless it is there.
    pub(crate) fn generate(suite: Suite, rows: u64, seed: u64, folder: &Path) -> Result<SuiteMart> {
        fs::create_dir_all(folder)
            .map_err(context(format!("cannot create {}", folder.display())))?;
        let stem = format!("{}-{rows}-{seed}", suite.name());
        let parquet = folder.join(format!("{stem}.parquet"));
        if !parquet.exists() {
            let partial = folder.join(format!("{stem}.partial"));
            let thread_count = host::thread_count();
            let options =
                FileOptions { row_group_len: 250_000, thread_count, file: partial.clone() };
            write_file(suite.mart(seed, rows).as_ref(), &options, |_| ())?;
            fs::rename(&partial, &parquet)
                .map_err(context(format!("cannot rename {}", partial.display())))?;
        }
        Ok(SuiteMart { suite, parquet, database: folder.join(format!("{stem}.mart")) })
    }

    /// Loads the database afresh, in a process of its own so that its memory is its own.
    pub(crate) fn load(&self, thread_count: usize) -> Result<LoadRecord> {
        if self.database.exists() {
            fs::remove_dir_all(&self.database)
                .map_err(context(format!("cannot remove {}", self.database.display())))?;
        }
        // What earlier loads of the same database cost does not count.
        let _absent = fs::remove_file(crate::load::record_file(&self.database));
        let program =
            std::env::current_exe().map_err(context("cannot find this program".into()))?;
        let output = Command::new(program)
            .args(["load", "--table", self.suite.table(), "--threads", &thread_count.to_string()])
            .arg("--db")
            .arg(&self.database)
            .arg("--parquet")
            .arg(&self.parquet)
            .output()
            .map_err(context("cannot start a load".into()))?;
        if !output.status.success() {
            return Err(String::from_utf8_lossy(&output.stderr).trim().into());
        }
        Ok(serde_json::from_slice(&output.stdout)?)
    }

    /// Bytes of the Parquet file.
    pub(crate) fn parquet_bytes(&self) -> Result<u64> {
        let metadata = fs::metadata(&self.parquet);
        Ok(metadata.map_err(context(format!("cannot read {}", self.parquet.display())))?.len())
    }
}
