//! Large arrays that start as zeros.
//!
//! From a megabyte on, an array has memory of its own, and the system is asked for huge pages: a page
//! fault then brings two megabytes and not four kilobytes. Must not know what is in them.

use std::ops::{Deref, DerefMut};

use bytemuck::Pod;
use memmap2::MmapMut;

/// Bytes from which an array has its own pages.
const MAPPED_BYTES_MIN: usize = 1 << 20;

/// A fixed number of items, all zero at first.
#[derive(Debug)]
pub(crate) struct Pages<T> {
    memory: Memory<T>,
    len: usize,
}

#[derive(Debug)]
enum Memory<T> {
    Owned(Vec<T>),
    Mapped(MmapMut),
}

impl<T: Pod> Pages<T> {
    /// `len` zeros.
    pub(crate) fn zeroed(len: usize) -> Pages<T> {
        let bytes = len * size_of::<T>();
        let mapped = if bytes >= MAPPED_BYTES_MIN { MmapMut::map_anon(bytes).ok() } else { None };
        let memory = match mapped {
            Some(map) => {
                // Advice that is not taken costs nothing but time.
                #[cfg(target_os = "linux")]
                drop(map.advise(memmap2::Advice::HugePage));
                Memory::Mapped(map)
            }
            None => Memory::Owned(vec![T::zeroed(); len]),
        };
        Pages { memory, len }
    }

    /// Bytes held.
    pub(crate) fn bytes(&self) -> usize {
        self.len * size_of::<T>()
    }
}

impl<T: Pod> Deref for Pages<T> {
    type Target = [T];

    #[inline]
    fn deref(&self) -> &[T] {
        match &self.memory {
            Memory::Owned(items) => items,
            Memory::Mapped(map) => &bytemuck::cast_slice(map)[..self.len],
        }
    }
}

impl<T: Pod> DerefMut for Pages<T> {
    #[inline]
    fn deref_mut(&mut self) -> &mut [T] {
        match &mut self.memory {
            Memory::Owned(items) => items,
            Memory::Mapped(map) => &mut bytemuck::cast_slice_mut(map)[..self.len],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arrays_of_any_length_start_as_zeros_and_keep_what_is_written() {
        for len in [0, 1, 1_000, MAPPED_BYTES_MIN / 8, MAPPED_BYTES_MIN / 8 + 3] {
            let mut pages = Pages::<u64>::zeroed(len);
            assert_eq!(pages.len(), len);
            assert!(pages.iter().all(|item| *item == 0));
            if let Some(last) = pages.last_mut() {
                *last = 7;
            }
            assert_eq!(pages.last().copied().unwrap_or(7), 7);
            assert_eq!(pages.bytes(), len * 8);
        }
    }
}
