//! Which rows of a page are NULL.
//!
//! ```text
//! validity = kind:u8 0:u8 0:u16 count:u32 [ bits | positions ] pad8
//!
//! offset  size  name
//! 0       1     kind       0 no row is NULL, 1 every row is, 2 bits, 3 NULL rows, 4 valid rows
//! 1       3     zero
//! 4       4     count      kind 2: NULL rows; kinds 3 and 4: positions; else 0
//! 8       …     bits       kind 2: one bit a row, set where valid, low bit first, ⌈rows / 64⌉ × 8 bytes
//! 8       …     positions  kinds 3 and 4: ascending u16
//! ```
//!
//! Positions are used where they take less than the bits do.

use std::ops::Range;

use arrow::buffer::{BooleanBuffer, Buffer, NullBuffer};
use bytes::Bytes;

use super::layout::{Cursor, Positions, pad, push_positions, to_u16, to_u32, to_usize};
use crate::types::{Error, Result};

const NONE_NULL: u8 = 0;
const ALL_NULL: u8 = 1;
const BITS: u8 = 2;
const NULL_ROWS: u8 = 3;
const VALID_ROWS: u8 = 4;

/// The validity of a page that was opened.
#[derive(Clone, Debug)]
pub(super) enum Validity {
    NoneNull,
    AllNull,
    Bits(BooleanBuffer),
    NullRows(Positions),
    ValidRows(Positions),
}

/// Appends the validity of `row_count` rows.
pub(super) fn write(nulls: Option<&NullBuffer>, row_count: usize, out: &mut Vec<u8>) {
    let Some(nulls) = nulls.filter(|nulls| nulls.null_count() > 0) else {
        return write_header(NONE_NULL, 0, out);
    };
    let null_count = nulls.null_count();
    let valid_count = row_count - null_count;
    // Below one row in sixteen a position of two bytes takes less than the bits do.
    if valid_count == 0 {
        write_header(ALL_NULL, 0, out);
    } else if null_count < row_count.div_ceil(16) {
        write_header(NULL_ROWS, null_count, out);
        let is_null = !nulls.inner();
        push_positions(out, &is_null.set_indices().map(to_u16).collect::<Vec<_>>());
    } else if valid_count < row_count.div_ceil(16) {
        write_header(VALID_ROWS, valid_count, out);
        push_positions(out, &nulls.valid_indices().map(to_u16).collect::<Vec<_>>());
    } else {
        write_header(BITS, null_count, out);
        out.extend_from_slice(bytemuck::cast_slice(&words(nulls.inner())));
    }
    pad(out, 8);
}

fn write_header(kind: u8, count: usize, out: &mut Vec<u8>) {
    out.extend_from_slice(&[kind, 0, 0, 0]);
    out.extend_from_slice(&to_u32(count).to_le_bytes());
}

/// The bits in whole words; those beyond the last row are not set.
pub(super) fn words(bits: &BooleanBuffer) -> Vec<u64> {
    let chunks = bits.bit_chunks();
    let mut words: Vec<u64> = chunks.iter().collect();
    if chunks.remainder_len() > 0 {
        words.push(chunks.remainder_bits());
    }
    words
}

impl Validity {
    pub(super) fn open(
        cursor: &mut Cursor<'_>,
        page: &Bytes,
        row_count: usize,
    ) -> Result<Validity> {
        let kind: u8 = cursor.read()?;
        let _zero = cursor.array(3, 1)?;
        let count = to_usize(cursor.read::<u32>()?);
        if count > row_count {
            return Err(Error::corrupt(format!("{count} positions in a page of {row_count} rows")));
        }
        let validity = match kind {
            NONE_NULL => Validity::NoneNull,
            ALL_NULL => Validity::AllNull,
            BITS => {
                let place = cursor.array(row_count.div_ceil(64), 8)?;
                let bits = Buffer::from(page.slice(place));
                Validity::Bits(BooleanBuffer::new(bits, 0, row_count))
            }
            NULL_ROWS => Validity::NullRows(Positions::open(cursor, count)?),
            VALID_ROWS => Validity::ValidRows(Positions::open(cursor, count)?),
            _ => return Err(Error::corrupt(format!("no validity has the kind {kind}"))),
        };
        cursor.align(8);
        Ok(validity)
    }

    /// Whether no row is NULL.
    pub(super) fn is_none_null(&self) -> bool {
        matches!(self, Validity::NoneNull)
    }

    pub(super) fn is_all_null(&self) -> bool {
        matches!(self, Validity::AllNull)
    }

    /// The validity of a range of rows; `None` when no row is NULL.
    pub(super) fn slice(&self, page: &[u8], rows: &Range<usize>) -> Option<NullBuffer> {
        let nulls = match self {
            Validity::NoneNull => return None,
            Validity::AllNull => NullBuffer::new_null(rows.len()),
            Validity::Bits(bits) => NullBuffer::new(bits.slice(rows.start, rows.len())),
            Validity::NullRows(positions) => {
                NullBuffer::new(scatter(page, *positions, rows, false))
            }
            Validity::ValidRows(positions) => {
                NullBuffer::new(scatter(page, *positions, rows, true))
            }
        };
        Some(nulls).filter(|nulls| nulls.null_count() > 0)
    }

    /// Sets the bits of the valid rows in `words`, those of the whole page, which are zero.
    pub(super) fn set_valid(&self, page: &[u8], words: &mut [u64]) {
        match self {
            Validity::NoneNull => words.fill(u64::MAX),
            Validity::AllNull => {}
            Validity::Bits(bits) => words.copy_from_slice(&self::words(bits)),
            Validity::NullRows(positions) => {
                words.fill(u64::MAX);
                for index in 0..positions.count {
                    let row = positions.get(page, index);
                    if let Some(word) = words.get_mut(row / 64) {
                        *word &= !(1 << (row % 64));
                    }
                }
            }
            Validity::ValidRows(positions) => {
                for index in 0..positions.count {
                    let row = positions.get(page, index);
                    if let Some(word) = words.get_mut(row / 64) {
                        *word |= 1 << (row % 64);
                    }
                }
            }
        }
    }

    /// The validity of some ascending rows of a page of `row_count` rows.
    pub(super) fn take(&self, page: &[u8], rows: &[u32]) -> Option<NullBuffer> {
        let (Some(first), Some(last)) = (rows.first(), rows.last()) else { return None };
        let (first, last) = (to_usize(*first), to_usize(*last));
        let nulls = self.slice(page, &(first..last + 1))?;
        let taken = rows.iter().map(|row| nulls.is_valid(to_usize(*row) - first)).collect();
        Some(NullBuffer::new(taken)).filter(|nulls| nulls.null_count() > 0)
    }

    /// How many valid rows are below `row`.
    pub(super) fn valid_rank(&self, page: &[u8], row: usize) -> usize {
        match self {
            Validity::NoneNull => row,
            Validity::AllNull => 0,
            Validity::Bits(bits) => bits.slice(0, row).count_set_bits(),
            Validity::NullRows(positions) => row.saturating_sub(positions.rank(page, row)),
            Validity::ValidRows(positions) => positions.rank(page, row),
        }
    }
}

/// Bits that are `value` at the positions within `rows` and the opposite elsewhere.
fn scatter(page: &[u8], positions: Positions, rows: &Range<usize>, value: bool) -> BooleanBuffer {
    let fill = if value { 0 } else { u64::MAX };
    let mut words = vec![fill; rows.len().div_ceil(64)];
    for index in positions.within(page, rows) {
        // A damaged page may hold positions that do not ascend.
        let row = positions.get(page, index).wrapping_sub(rows.start);
        if let Some(word) = words.get_mut(row / 64) {
            let bit = 1 << (row % 64);
            *word = if value { *word | bit } else { *word & !bit };
        }
    }
    BooleanBuffer::new(Buffer::from_vec(words), 0, rows.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn round_trip(valid: &[bool]) -> Result<()> {
        let nulls = NullBuffer::from(valid.to_vec());
        let mut page = Vec::new();
        write(Some(&nulls), valid.len(), &mut page);
        let page = Bytes::from(page);
        let mut cursor = Cursor::new(&page);
        let validity = Validity::open(&mut cursor, &page, valid.len())?;
        cursor.finish()?;
        for rows in [0..valid.len(), 1..valid.len(), valid.len() / 2..valid.len() / 2 + 1] {
            let found = validity.slice(&page, &rows);
            for (index, row) in rows.clone().enumerate() {
                let is_valid = found.as_ref().is_none_or(|found| found.is_valid(index));
                assert_eq!(is_valid, valid[row], "row {row} of {rows:?}");
            }
            let rank = valid[..rows.start].iter().filter(|valid| **valid).count();
            assert_eq!(validity.valid_rank(&page, rows.start), rank);
        }
        let odd: Vec<u32> = (0..to_u32(valid.len())).filter(|row| row % 2 == 1).collect();
        let found = validity.take(&page, &odd);
        for (index, row) in odd.iter().enumerate() {
            let is_valid = found.as_ref().is_none_or(|found| found.is_valid(index));
            assert_eq!(is_valid, valid[to_usize(*row)]);
        }
        Ok(())
    }

    #[test]
    fn every_kind_round_trips() -> Result<()> {
        for step in [1, 2, 3, 50, 1_000] {
            for len in [3, 64, 1_000, 65_536] {
                round_trip(&(0..len).map(|row| row % step == 0).collect::<Vec<_>>())?;
                round_trip(&(0..len).map(|row| row % step != 0).collect::<Vec<_>>())?;
            }
        }
        Ok(())
    }
}
