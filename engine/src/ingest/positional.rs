//! Reading a file at a position, by several threads at once. Must not know what is read.

use std::fs::File;
use std::io;

/// Fills `target` from `offset` on; gives how many bytes there were, fewer only at the end.
pub(super) fn read_some_at(file: &File, target: &mut [u8], offset: u64) -> io::Result<usize> {
    let mut filled = 0;
    while filled < target.len() {
        let position = offset + u64::try_from(filled).unwrap_or(u64::MAX);
        match read_once(file, &mut target[filled..], position) {
            Ok(0) => break,
            Ok(count) => filled += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}

#[cfg(unix)]
fn read_once(file: &File, target: &mut [u8], offset: u64) -> io::Result<usize> {
    std::os::unix::fs::FileExt::read_at(file, target, offset)
}

#[cfg(windows)]
fn read_once(file: &File, target: &mut [u8], offset: u64) -> io::Result<usize> {
    std::os::windows::fs::FileExt::seek_read(file, target, offset)
}
