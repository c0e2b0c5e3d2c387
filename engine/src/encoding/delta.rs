//! Delta encoding: differences between neighbours, for values that nearly ascend or descend.
//!
//! ```text
//! body = first_bytes:u8 0:u8×7 base:u64 firsts pad8 frame
//!
//! base    T bits zero-extended
//! firsts  first_bytes (0, 1, 2, 4 or 8) each: the first value of each block − base
//! frame   the differences (`frame`): of each value from the one before it; the first of a block
//!         holds the block's second (or 0) and is not used
//! ```

use std::ops::Range;

use super::BLOCK_LEN;
use super::filter::{LaneTest, block_words, is_empty};
use super::frame::{self, Frame, Plan, block_of, for_each_block, place_of};
use super::layout::{Cursor, bytes_for_width, item_bytes, narrow_item, pad, push_narrow};
use crate::kernel::{self, Integer, Lane};
use crate::types::{Error, Result};

/// Blocks that are looked at to guess what all would take.
const SAMPLE_BLOCKS: usize = 3;

/// About how many bytes `values` take, from a few of their blocks.
pub(super) fn estimated_bytes<N: Integer>(values: &[N], range_width: u32) -> usize {
    let block_count = values.len().div_ceil(BLOCK_LEN);
    let step = block_count.div_ceil(SAMPLE_BLOCKS);
    let sample: Vec<&[N]> = values.chunks(BLOCK_LEN).step_by(step).collect();
    let bytes: usize = sample
        .iter()
        .map(|block| {
            let differences: Vec<N::Lane> = differences(bytemuck::cast_slice(block));
            Plan::<<N::Lane as Lane>::Signed>::of(bytemuck::cast_slice(&differences))
                .encoded_bytes()
        })
        .sum();
    let firsts = usize::from(bytes_for_width(range_width)) * block_count;
    16 + firsts + bytes * block_count / sample.len()
}

fn differences<L: Lane>(values: &[L]) -> Vec<L> {
    let mut differences = vec![L::default(); values.len()];
    for (values, target) in values.chunks(BLOCK_LEN).zip(differences.chunks_mut(BLOCK_LEN)) {
        kernel::differences(values, target);
        if let [first, second, ..] = target {
            *first = *second;
        }
    }
    differences
}

/// Appends the differences of `values`.
pub(super) fn encode<N: Integer>(values: &[N], out: &mut Vec<u8>) {
    let firsts: Vec<N> = values.iter().step_by(BLOCK_LEN).copied().collect();
    let (min, max) = kernel::min_max(&firsts);
    let base = min.to_lane();
    let first_bytes = bytes_for_width(max.to_lane().wrapping_sub(base).width());
    out.extend_from_slice(&[first_bytes, 0, 0, 0, 0, 0, 0, 0]);
    out.extend_from_slice(&base.to_u64().to_le_bytes());
    for first in firsts {
        push_narrow(out, first.to_lane().wrapping_sub(base).to_u64(), first_bytes);
    }
    pad(out, 8);
    let differences: Vec<N::Lane> = differences(bytemuck::cast_slice(values));
    frame::encode::<<N::Lane as Lane>::Signed>(bytemuck::cast_slice(&differences), out);
}

/// The differences of a page.
#[derive(Clone, Debug)]
pub(super) struct Delta {
    base: u64,
    first_bytes: usize,
    firsts: usize,
    differences: Frame,
}

impl Delta {
    pub(super) fn open<L: Lane>(cursor: &mut Cursor<'_>, row_count: usize) -> Result<Delta> {
        let first_bytes = item_bytes(cursor.read()?, "the first of a block")?;
        if first_bytes > L::BYTES {
            return Err(Error::corrupt(format!("differences too wide for lanes of {}", L::BITS)));
        }
        let _zero = cursor.array(7, 1)?;
        let base = cursor.read()?;
        let firsts = cursor.array(row_count.div_ceil(BLOCK_LEN), first_bytes)?.start;
        cursor.align(8);
        let differences = Frame::open::<L>(cursor, row_count)?;
        Ok(Delta { base, first_bytes, firsts, differences })
    }

    fn block<L: Lane>(
        &self,
        page: &[u8],
        block_idx: usize,
        values: &mut [L; BLOCK_LEN],
    ) -> Result<()> {
        self.differences.unpack(page, block_idx, values)?;
        let first = narrow_item(page, self.firsts, self.first_bytes, block_idx);
        let first = L::from_u64(self.base.wrapping_add(first));
        let len = self.differences.block_len(block_idx);
        values[0] = L::default();
        kernel::prefix_sums(first, &mut values[..len]);
        Ok(())
    }

    pub(super) fn decode<L: Lane>(
        &self,
        page: &[u8],
        rows: Range<usize>,
        target: &mut Vec<L>,
    ) -> Result<()> {
        target.reserve(rows.len());
        let mut scratch = [L::default(); BLOCK_LEN];
        for_each_block(rows, |block_idx, places| {
            self.block(page, block_idx, &mut scratch)?;
            target.extend_from_slice(&scratch[places]);
            Ok(())
        })
    }

    /// Clears the bits of `rows` whose value does not pass.
    pub(super) fn filter<L: Lane>(
        &self,
        page: &[u8],
        test: &LaneTest<'_, L>,
        rows: &mut [u64],
    ) -> Result<()> {
        let mut scratch = [L::default(); BLOCK_LEN];
        for block_idx in 0..rows.len().div_ceil(kernel::BLOCK_WORDS) {
            let words = block_words(rows, block_idx);
            if !is_empty(words) {
                self.block(page, block_idx, &mut scratch)?;
                test.filter_block(&scratch, self.differences.block_len(block_idx), words)?;
            }
        }
        Ok(())
    }

    pub(super) fn take<L: Lane>(
        &self,
        page: &[u8],
        rows: &[u32],
        target: &mut Vec<L>,
    ) -> Result<()> {
        let mut scratch = [L::default(); BLOCK_LEN];
        for rows in rows.chunk_by(|a, b| block_of(*a) == block_of(*b)) {
            self.block(page, block_of(rows[0]), &mut scratch)?;
            target.extend(rows.iter().map(|row| scratch[place_of(*row)]));
        }
        Ok(())
    }
}
