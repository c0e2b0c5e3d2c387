//! Large arrays that start as zeros.
//!
//! From 24 MiB on, an array has memory of its own, and the system is asked for huge pages: a page fault then
//! brings two megabytes and not four kilobytes. Shorter ones are malloc's, which has memory left from the
//! last query ([`WorkerPool::new`](crate::exec::WorkerPool::new)). Must not know what is in them.

use std::ops::{Deref, DerefMut};

use bytemuck::Pod;
use memmap2::MmapMut;

/// Bytes from which an array has its own pages: what malloc maps and unmaps itself is hardly longer.
const MAPPED_BYTES_MIN: usize = 24 << 20;

/// Items that are all zero at first.
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

impl<T> Default for Pages<T> {
    fn default() -> Pages<T> {
        Pages { memory: Memory::Owned(Vec::new()), len: 0 }
    }
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

    /// Makes room for `len` items; new ones are zero. The first time memory comes zeroed, of which only
    /// what is used costs anything.
    pub(crate) fn grow(&mut self, len: usize) {
        if len <= self.len {
            return;
        }
        let is_long = len * size_of::<T>() >= MAPPED_BYTES_MIN;
        match &mut self.memory {
            Memory::Owned(items) if items.capacity() == 0 && is_long => *self = Pages::zeroed(len),
            Memory::Owned(items) if items.capacity() == 0 => *items = vec![T::zeroed(); len],
            Memory::Owned(items) => items.resize(len, T::zeroed()),
            // Behind the items the pages are still zero.
            Memory::Mapped(map) if len * size_of::<T>() <= map.len() => {}
            Memory::Mapped(_) => {
                let mut longer = Pages::zeroed(len.max(self.len * 2));
                longer[..self.len].copy_from_slice(self);
                *self = longer;
            }
        }
        self.len = len;
    }

    /// Bytes held.
    pub(crate) fn bytes(&self) -> usize {
        match &self.memory {
            Memory::Owned(items) => items.capacity() * size_of::<T>(),
            Memory::Mapped(map) => map.len(),
        }
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

    #[test]
    fn a_growing_array_keeps_its_items() {
        let long = MAPPED_BYTES_MIN / 8;
        for lens in [vec![1, 10, 3, long + 1], vec![long, 7, long + 1, 3 * long, 5 * long]] {
            let (mut pages, mut twin) = (Pages::<u64>::default(), Vec::<u64>::new());
            for len in lens {
                pages.grow(len);
                twin.resize(twin.len().max(len), 0);
                assert_eq!(pages[..], twin[..]);
                assert!(pages.bytes() >= twin.len() * 8);
                let last = twin.len() - 1;
                (pages[last], twin[last]) = (len as u64, len as u64);
            }
        }
    }
}
