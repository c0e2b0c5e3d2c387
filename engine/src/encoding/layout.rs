//! Reading and writing the little-endian parts of a page. Must not know what they mean.

use std::ops::Range;

use bytemuck::Pod;

use crate::types::{Error, Result};

// Arrays of integers are read and written as they are in memory.
const _: () = assert!(cfg!(target_endian = "little"), "the format is little-endian");

/// Reads a page from front to back; every length is checked.
pub(super) struct Cursor<'a> {
    page: &'a [u8],
    position: usize,
}

impl<'a> Cursor<'a> {
    pub(super) fn new(page: &'a [u8]) -> Cursor<'a> {
        Cursor { page, position: 0 }
    }

    pub(super) fn page(&self) -> &'a [u8] {
        self.page
    }

    pub(super) fn position(&self) -> usize {
        self.position
    }

    /// Steps over `count` items of `item_bytes` and gives their place in the page.
    pub(super) fn array(&mut self, count: usize, item_bytes: usize) -> Result<Range<usize>> {
        let start = self.position;
        let end = count.checked_mul(item_bytes).and_then(|bytes| start.checked_add(bytes));
        match end {
            Some(end) if end <= self.page.len() => {
                self.position = end;
                Ok(start..end)
            }
            _ => Err(Error::corrupt(format!(
                "{count} items of {item_bytes} bytes at byte {start} of a page of {} bytes",
                self.page.len()
            ))),
        }
    }

    /// Reads one integer.
    pub(super) fn read<T: Pod>(&mut self) -> Result<T> {
        let place = self.array(1, size_of::<T>())?;
        Ok(bytemuck::pod_read_unaligned(&self.page[place]))
    }

    /// Steps to the next multiple of `alignment`, or to the end of the page where that is before it.
    pub(super) fn align(&mut self, alignment: usize) {
        self.position = self.position.next_multiple_of(alignment).min(self.page.len());
    }

    /// Refuses bytes that nothing has read.
    pub(super) fn finish(self) -> Result<()> {
        if self.position < self.page.len() {
            return Err(Error::corrupt(format!(
                "the page ends at byte {} but has {}",
                self.position,
                self.page.len()
            )));
        }
        Ok(())
    }
}

/// Item `index` of the array of `T` at byte `start`, which an [`array`](Cursor::array) was checked
/// to reach.
#[inline]
pub(super) fn item<T: Pod>(page: &[u8], start: usize, index: usize) -> T {
    let start = start + index * size_of::<T>();
    bytemuck::pod_read_unaligned(&page[start..start + size_of::<T>()])
}

/// Item `index` of an array of unsigned integers of 0 to 8 bytes at byte `start`.
#[inline]
pub(super) fn narrow_item(page: &[u8], start: usize, item_bytes: usize, index: usize) -> u64 {
    match item_bytes {
        0 => 0,
        1 => u64::from(item::<u8>(page, start, index)),
        2 => u64::from(item::<u16>(page, start, index)),
        4 => u64::from(item::<u32>(page, start, index)),
        _ => item::<u64>(page, start, index),
    }
}

/// Reads how many bytes an item of a narrow array has: 0, 1, 2, 4 or 8.
pub(super) fn item_bytes(value: u8, what: &str) -> Result<usize> {
    match value {
        0 | 1 | 2 | 4 | 8 => Ok(usize::from(value)),
        _ => Err(Error::corrupt(format!("{what} of {value} bytes"))),
    }
}

/// The fewest bytes (0, 1, 2, 4 or 8) that hold an unsigned integer of `width` bits.
pub(super) fn bytes_for_width(width: u32) -> u8 {
    match width {
        0 => 0,
        1..=8 => 1,
        9..=16 => 2,
        17..=32 => 4,
        _ => 8,
    }
}

/// Appends the low `item_bytes` bytes of `value`.
pub(super) fn push_narrow(out: &mut Vec<u8>, value: u64, item_bytes: u8) {
    out.extend_from_slice(&value.to_le_bytes()[..usize::from(item_bytes)]);
}

/// Appends zeros up to a multiple of `alignment`.
pub(super) fn pad(out: &mut Vec<u8>, alignment: usize) {
    out.resize(out.len().next_multiple_of(alignment), 0);
}

/// A length of a page's part as the format has it.
pub(super) fn to_u32(len: usize) -> u32 {
    u32::try_from(len).expect("an Arrow array of 32-bit offsets encodes to less than 4 GiB")
}

/// A length of a page's part, read from it.
pub(super) fn to_usize(len: u32) -> usize {
    usize::try_from(len).expect("a usize has at least 32 bits")
}

/// A row of a page as the format has it.
pub(super) fn to_u16(row: usize) -> u16 {
    u16::try_from(row).expect("a page has at most 65,536 rows")
}

/// Ascending rows of a page as an array of `u16`: where it is.
#[derive(Clone, Copy, Debug)]
pub(super) struct Positions {
    start: usize,
    pub(super) count: usize,
}

impl Positions {
    pub(super) fn open(cursor: &mut Cursor<'_>, count: usize) -> Result<Positions> {
        let place = cursor.array(count, 2)?;
        Ok(Positions { start: place.start, count })
    }

    #[inline]
    pub(super) fn get(self, page: &[u8], index: usize) -> usize {
        usize::from(item::<u16>(page, self.start, index))
    }

    /// How many positions are below `row`.
    pub(super) fn rank(self, page: &[u8], row: usize) -> usize {
        let (mut low, mut high) = (0, self.count);
        while low < high {
            let middle = low.midpoint(high);
            if self.get(page, middle) < row {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        low
    }

    /// Which positions are in `rows`.
    pub(super) fn within(self, page: &[u8], rows: &Range<usize>) -> Range<usize> {
        let start = self.rank(page, rows.start);
        start..self.rank(page, rows.end).max(start)
    }
}

/// Appends rows as an array of `u16`.
pub(super) fn push_positions(out: &mut Vec<u8>, rows: &[u16]) {
    out.extend_from_slice(bytemuck::cast_slice(rows));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_refuses_what_is_beyond_the_end() -> Result<()> {
        let mut cursor = Cursor::new(&[1, 0, 2]);
        assert_eq!(cursor.read::<u16>()?, 1);
        assert!(cursor.read::<u16>().is_err());
        assert!(cursor.array(usize::MAX, 8).is_err());
        assert!(Cursor::new(&[0]).finish().is_err());
        Ok(())
    }

    #[test]
    fn positions_are_found_by_row() -> Result<()> {
        let mut page = Vec::new();
        push_positions(&mut page, &[3, 5, 9]);
        let positions = Positions::open(&mut Cursor::new(&page), 3)?;
        assert_eq!(positions.within(&page, &(0..3)), 0..0);
        assert_eq!(positions.within(&page, &(3..6)), 0..2);
        assert_eq!(positions.within(&page, &(6..100)), 2..3);
        Ok(())
    }
}
