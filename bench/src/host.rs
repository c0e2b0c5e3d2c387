//! What the harness asks of the machine: its threads, the process's memory, a directory's size.

use std::fs;
use std::path::Path;

use crate::{Result, context};

/// All threads of the machine.
#[expect(clippy::disallowed_methods, reason = "the harness's own default, not the engine's")]
pub(crate) fn thread_count() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// The most memory that this process ever had resident, in units of 1,024 bytes; 0 where the system
/// does not say.
pub(crate) fn peak_kb() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.trim().strip_suffix("kB")?.trim().parse().ok()).unwrap_or(0)
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
