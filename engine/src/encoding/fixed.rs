//! The body of a page whose values have 1, 2, 4 or 8 bytes, by encoding.
//!
//! ```text
//! constant  value pad8          the value's bytes, for all rows
//! raw       pad64 values pad8   the values' bytes, row after row
//! others    see their files
//! ```

use std::ops::Range;

use bytes::Bytes;

use super::alp::Alp;
use super::delta::Delta;
use super::filter::{LaneTest, block_words};
use super::frame::Frame;
use super::layout::{Cursor, item, to_usize};
use super::run_length::Runs;
use super::sparse::Sparse;
use super::validity::Validity;
use super::{BLOCK_LEN, Encoding, layout::pad};
use crate::kernel::Lane;
use crate::types::{Error, Result};

/// Calls `$body` with `$lane` standing for the lane type of `$bytes` bytes.
macro_rules! match_lane {
    ($bytes:expr, $lane:ident => $body:expr) => {
        match $bytes {
            1 => {
                type $lane = u8;
                $body
            }
            2 => {
                type $lane = u16;
                $body
            }
            4 => {
                type $lane = u32;
                $body
            }
            _ => {
                type $lane = u64;
                $body
            }
        }
    };
}
pub(super) use match_lane;

/// Appends the body of a constant page.
pub(super) fn write_constant(value: &[u8], out: &mut Vec<u8>) {
    out.extend_from_slice(value);
    pad(out, 8);
}

/// Appends the body of a raw page.
pub(super) fn write_raw(values: &[u8], out: &mut Vec<u8>) {
    pad(out, 64);
    out.extend_from_slice(values);
    pad(out, 8);
}

/// A body that was opened.
#[derive(Clone, Debug)]
pub(super) enum Fixed {
    Constant(u64),
    Runs(Runs),
    Frame(Frame),
    Delta(Delta),
    Sparse(Sparse),
    Alp(Alp),
    /// Where the values are.
    Raw(Range<usize>),
}

impl Fixed {
    /// Reads the directory of a body of `row_count >= 1` rows.
    pub(super) fn open<L: Lane>(
        cursor: &mut Cursor<'_>,
        page: &Bytes,
        encoding: Encoding,
        validity: &Validity,
        row_count: usize,
    ) -> Result<Fixed> {
        let body = match encoding {
            Encoding::Constant => Fixed::Constant(cursor.read::<L>()?.to_u64()),
            Encoding::RunLength => Fixed::Runs(Runs::open::<L>(cursor, row_count)?),
            Encoding::FrameOfReference => Fixed::Frame(Frame::open::<L>(cursor, row_count)?),
            Encoding::Delta => Fixed::Delta(Delta::open::<L>(cursor, row_count)?),
            Encoding::Sparse => {
                Fixed::Sparse(Sparse::open::<L>(cursor, page, validity, row_count)?)
            }
            Encoding::Alp => Fixed::Alp(Alp::open::<L>(cursor, row_count)?),
            Encoding::Raw => {
                cursor.align(64);
                Fixed::Raw(cursor.array(row_count, L::BYTES)?)
            }
            Encoding::Bitmap | Encoding::Text => {
                return Err(Error::corrupt(format!("{encoding:?} holds no integers")));
            }
        };
        cursor.align(8);
        Ok(body)
    }

    /// Appends the values of a range of rows, which is not empty.
    pub(super) fn decode<L: Lane>(
        &self,
        page: &[u8],
        rows: Range<usize>,
        target: &mut Vec<L>,
    ) -> Result<()> {
        match self {
            Fixed::Constant(value) => {
                target.resize(target.len() + rows.len(), L::from_u64(*value));
                Ok(())
            }
            Fixed::Runs(runs) => runs.decode(page, rows, target),
            Fixed::Frame(frame) => frame.decode(page, rows, target),
            Fixed::Delta(delta) => delta.decode(page, rows, target),
            Fixed::Sparse(sparse) => sparse.decode(page, rows, target),
            Fixed::Alp(alp) => alp.decode(page, rows, target),
            Fixed::Raw(place) => {
                let start = target.len();
                target.resize(start + rows.len(), L::default());
                let bytes = &page[place.start + rows.start * L::BYTES..][..rows.len() * L::BYTES];
                bytemuck::cast_slice_mut(&mut target[start..]).copy_from_slice(bytes);
                Ok(())
            }
        }
    }

    /// Clears the bits of `rows`, those of the whole page of `row_count` rows, whose value does not
    /// pass.
    pub(super) fn filter<L: Lane>(
        &self,
        page: &[u8],
        row_count: usize,
        test: &LaneTest<'_, L>,
        rows: &mut [u64],
    ) -> Result<()> {
        match self {
            Fixed::Constant(value) => {
                if !test.passes(L::from_u64(*value))? {
                    rows.fill(0);
                }
                Ok(())
            }
            Fixed::Runs(runs) => runs.filter(page, test, rows),
            Fixed::Frame(frame) => frame.filter(page, test, rows),
            Fixed::Delta(delta) => delta.filter(page, test, rows),
            Fixed::Sparse(sparse) => sparse.filter(page, test, rows),
            Fixed::Alp(_) => Err(Error::internal("floats are not compared as integers")),
            Fixed::Raw(place) => {
                let mut scratch = [L::default(); BLOCK_LEN];
                for (block_idx, start) in (0..row_count).step_by(BLOCK_LEN).enumerate() {
                    let len = BLOCK_LEN.min(row_count - start);
                    let bytes = &page[place.start + start * L::BYTES..][..len * L::BYTES];
                    bytemuck::cast_slice_mut(&mut scratch[..len]).copy_from_slice(bytes);
                    test.filter_block(&scratch, len, block_words(rows, block_idx))?;
                }
                Ok(())
            }
        }
    }

    /// Appends the values of some ascending rows.
    pub(super) fn take<L: Lane>(
        &self,
        page: &[u8],
        rows: &[u32],
        target: &mut Vec<L>,
    ) -> Result<()> {
        match self {
            Fixed::Constant(value) => {
                target.resize(target.len() + rows.len(), L::from_u64(*value));
                Ok(())
            }
            Fixed::Runs(runs) => runs.take(page, rows, target),
            Fixed::Frame(frame) => frame.take(page, rows, target),
            Fixed::Delta(delta) => delta.take(page, rows, target),
            Fixed::Sparse(sparse) => sparse.take(page, rows, target),
            Fixed::Alp(alp) => alp.take(page, rows, target),
            Fixed::Raw(place) => {
                let value = |row: &u32| item::<L>(page, place.start, to_usize(*row));
                target.extend(rows.iter().map(value));
                Ok(())
            }
        }
    }
}
