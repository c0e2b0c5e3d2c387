//! Frame of reference: integers as offsets from a base per block, bit-packed, with exceptions.
//!
//! A frame holds `n` integers in lanes of T = 8, 16, 32 or 64 bits, in B = ⌈n / 1024⌉ blocks. A block's
//! base is (nearly always) its least value; `width` bits of each offset are packed, and the offsets
//! that need more are exceptions, stored whole. Arithmetic wraps at T bits, so the same bytes serve
//! signed and unsigned integers. Offsets are packed in the narrowest lanes that hold `width` bits,
//! P = 8, 16, 32 or 64, whatever T is: they are unpacked and compared many at a time.
//!
//! ```text
//! frame = header widths [ exception counts ] bases pad64 packed positions offsets pad8
//!
//! offset  size    name
//! 0       1       base_bytes       bytes of a block's base: 0, 1, 2, 4 or 8, at most T / 8
//! 1       1       exception_bytes  bytes of an exception's offset: 0 (there are none), 1, 2, 4 or 8, at most T / 8
//! 2       2       zero
//! 4       4       exception_count  of all blocks
//! 8       8       base             the frame's base, T bits zero-extended
//! 16      B       widths           u8, at most T
//! …       2 B     counts           u16, exceptions of each block; only if exception_bytes > 0
//! …               bases            base_bytes each: the block's base − the frame's base
//! …               packed           from a multiple of 64: the blocks' word rows (`kernel::bitpack`), 128 bytes each;
//!                                  a block of m values has ⌈⌈m × P / 1024⌉ × width / P⌉ of them
//! …               positions        u16 for each exception: its place in its block
//! …               offsets          exception_bytes each: value − the block's base
//! ```

use std::borrow::Cow;
use std::ops::Range;

use super::BLOCK_LEN;
use super::filter::{LaneTest, Verdict, block_words, is_empty};
use super::fixed::match_lane;
use super::layout::{
    Cursor, bytes_for_width, item, item_bytes, narrow_item, pad, push_narrow, to_u16, to_u32,
    to_usize,
};
use crate::kernel::{self, BLOCK_WORDS, Integer, Lane};
use crate::types::{Error, Result};

/// How many values of a block of that width are at most taken one by one.
///
/// Each may wait for a line of memory of its own, where a whole block comes in one stream, of
/// 128 bytes a bit. Five times as many: ssb-flat 1.1, 2.1 and 3.2 take 1.2 times as long.
fn single_values_max(width: u32) -> usize {
    to_usize(2 + width / 4)
}

/// How a frame would be laid out.
#[derive(Debug)]
pub(super) struct Plan<N: Integer> {
    pub(super) min: N,
    pub(super) max: N,
    blocks: Vec<BlockPlan<N>>,
    exception_width: u32,
    packed_bytes: usize,
    exception_count: usize,
}

#[derive(Clone, Copy, Debug)]
struct BlockPlan<N: Integer> {
    base: N,
    width: u32,
    /// Bits of the widest offset that an exception may have.
    exception_width: u32,
    exception_count: usize,
}

impl<N: Integer> BlockPlan<N> {
    /// What an exception takes.
    fn exception_bytes(&self) -> usize {
        2 + usize::from(bytes_for_width(self.exception_width))
    }
}

impl<N: Integer> Plan<N> {
    /// The layout of `values`, which are not empty.
    pub(super) fn of(values: &[N]) -> Plan<N> {
        let mut plan = Plan {
            min: N::MAX,
            max: N::MIN,
            blocks: Vec::with_capacity(values.len().div_ceil(BLOCK_LEN)),
            exception_width: 0,
            packed_bytes: 0,
            exception_count: 0,
        };
        for block in values.chunks(BLOCK_LEN) {
            let (min, max) = kernel::min_max(block);
            (plan.min, plan.max) = (plan.min.min(min), plan.max.max(max));
            let block_plan = plan_block(block, min, max);
            plan.packed_bytes += packed_bytes(block_plan.width, block.len());
            if block_plan.exception_count > 0 {
                plan.exception_width = plan.exception_width.max(block_plan.exception_width);
                plan.exception_count += block_plan.exception_count;
            }
            plan.blocks.push(block_plan);
        }
        plan
    }

    /// Bits of the offset of the greatest value from the least.
    pub(super) fn range_width(&self) -> u32 {
        self.max.to_lane().wrapping_sub(self.min.to_lane()).width()
    }

    /// How many bytes the frame takes, up to its paddings.
    pub(super) fn encoded_bytes(&self) -> usize {
        let exception_bytes = usize::from(bytes_for_width(self.exception_width));
        let base_bytes = usize::from(bytes_for_width(self.range_width()));
        let count_bytes = if exception_bytes > 0 { 2 } else { 0 };
        16 + self.blocks.len() * (1 + count_bytes + base_bytes)
            + self.packed_bytes
            + self.exception_count * (2 + exception_bytes)
    }
}

/// Values of a block that are looked at, and how many of them at each end may be exceptions.
const SAMPLE_LEN: usize = 32;
const SAMPLE_CUT: usize = 8;

/// The base and width of a block, by some of its values and a count of what would not fit.
fn plan_block<N: Integer>(block: &[N], min: N, max: N) -> BlockPlan<N> {
    let full_width = max.to_lane().wrapping_sub(min.to_lane()).width();
    let full =
        BlockPlan { base: min, width: full_width, exception_width: full_width, exception_count: 0 };
    if full_width < 3 {
        return full;
    }
    let packed = |width| packed_bytes(width, block.len());
    let Some(narrow) = narrow_plan(block, full, packed) else { return full };
    let lanes: &[N::Lane] = bytemuck::cast_slice(block);
    let exception_count = kernel::count_wider(lanes, narrow.base.to_lane(), narrow.width);
    let bytes = packed(narrow.width) + exception_count * narrow.exception_bytes();
    // A twentieth, and what an entry in the directory costs: exceptions decode one by one.
    if bytes + bytes / 20 + 16 >= packed(full_width) {
        return full;
    }
    BlockPlan { exception_count, ..narrow }
}

/// The base and width that a sample of the block would take the least bytes with, if that is not
/// the full width.
fn narrow_plan<N: Integer>(
    block: &[N],
    full: BlockPlan<N>,
    packed: impl Fn(u32) -> usize,
) -> Option<BlockPlan<N>> {
    let step = block.len().div_ceil(SAMPLE_LEN);
    let mut buffer = [N::default(); SAMPLE_LEN];
    let sample_len = block.len().div_ceil(step);
    let sample = &mut buffer[..sample_len];
    for (place, value) in sample.iter_mut().zip(block.iter().step_by(step)) {
        *place = *value;
    }
    sample.sort_unstable();

    let base = full.base.to_lane();
    let offset = |index: usize| sample[index].to_lane().wrapping_sub(base);
    let mut best = None;
    let mut best_bytes = packed(full.width);
    for high in 0..SAMPLE_CUT.min(sample_len) {
        let top = offset(sample_len - 1 - high);
        let plan = BlockPlan { width: top.width(), ..full };
        let bytes = packed(plan.width) + high * step * plan.exception_bytes();
        if bytes < best_bytes {
            (best, best_bytes) = (Some(plan), bytes);
        }
        // The least values may be exceptions too: their offsets wrap and take a whole lane.
        let low_count = SAMPLE_CUT.min(sample_len - 1 - high);
        for (low, value) in sample.iter().enumerate().take(low_count) {
            let distance = value.to_lane().wrapping_sub(base);
            let range = top.wrapping_sub(distance);
            let width = (range.width() + 1).min(full.width);
            // The window reaches as far below the sample as above it.
            let margin = N::Lane::mask(width).wrapping_sub(range).shr(1);
            if width == full.width || margin > distance {
                continue;
            }
            let plan = BlockPlan {
                base: value.wrapping_sub_lane(margin),
                width,
                exception_width: N::Lane::BITS,
                exception_count: 0,
            };
            let bytes = packed(width) + (low + high) * step * plan.exception_bytes();
            if bytes < best_bytes {
                (best, best_bytes) = (Some(plan), bytes);
            }
        }
    }
    best
}

/// Appends the frame of `values` as planned.
pub(super) fn write<N: Integer>(values: &[N], plan: &Plan<N>, out: &mut Vec<u8>) {
    let base = plan.min.to_lane();
    let base_bytes = bytes_for_width(plan.range_width());
    let exception_bytes = bytes_for_width(plan.exception_width);
    out.extend_from_slice(&[base_bytes, exception_bytes, 0, 0]);
    out.extend_from_slice(&to_u32(plan.exception_count).to_le_bytes());
    out.extend_from_slice(&base.to_u64().to_le_bytes());
    for block in &plan.blocks {
        push_narrow(out, u64::from(block.width), 1);
    }
    if exception_bytes > 0 {
        for block in &plan.blocks {
            out.extend_from_slice(&to_u16(block.exception_count).to_le_bytes());
        }
    }
    for block in &plan.blocks {
        push_narrow(out, block.base.to_lane().wrapping_sub(base).to_u64(), base_bytes);
    }
    pad(out, 64);

    let mut positions: Vec<u16> = Vec::with_capacity(plan.exception_count);
    let mut offsets = Vec::with_capacity(plan.exception_count * usize::from(exception_bytes));
    out.reserve(plan.packed_bytes);
    for (values, block) in values.chunks(BLOCK_LEN).zip(&plan.blocks) {
        let lanes: &[N::Lane] = bytemuck::cast_slice(values);
        match_lane!(lane_bytes(block.width), P => {
            pack_block::<P, N::Lane>(lanes, block.base.to_lane(), block.width, out);
        });
        if block.exception_count > 0 {
            let limit = N::Lane::mask(block.width);
            for (position, lane) in lanes.iter().enumerate() {
                let offset = lane.wrapping_sub(block.base.to_lane());
                if offset > limit {
                    positions.push(to_u16(position));
                    push_narrow(&mut offsets, offset.to_u64(), exception_bytes);
                }
            }
        }
    }
    out.extend_from_slice(bytemuck::cast_slice(&positions));
    out.extend_from_slice(&offsets);
    pad(out, 8);
}

/// Bytes of the lanes that offsets of `width` bits are packed in.
fn lane_bytes(width: u32) -> usize {
    to_usize(width.max(8).next_power_of_two() / 8)
}

/// Bytes of a word row.
const WORD_ROW_BYTES: usize = BLOCK_LEN / 8;

/// Bytes of a block's word rows.
fn packed_bytes(width: u32, len: usize) -> usize {
    match_lane!(lane_bytes(width), P => kernel::packed_words::<P>(width, len) * P::BYTES)
}

/// Appends the word rows of one block.
fn pack_block<P: Lane, L: Lane>(lanes: &[L], base: L, width: u32, out: &mut Vec<u8>) {
    let mut offsets = [P::default(); BLOCK_LEN];
    for (offset, lane) in offsets.iter_mut().zip(lanes) {
        *offset = P::from_u64(lane.wrapping_sub(base).to_u64());
    }
    let mut packed = [P::default(); BLOCK_LEN];
    kernel::pack(width, &offsets, &mut packed);
    let words = kernel::packed_words::<P>(width, lanes.len());
    out.extend_from_slice(bytemuck::cast_slice(&packed[..words]));
}

/// Plans and appends the frame of `values`.
pub(super) fn encode<N: Integer>(values: &[N], out: &mut Vec<u8>) {
    write(values, &Plan::of(values), out);
}

/// A frame in a page: where its parts are.
#[derive(Clone, Debug)]
pub(super) struct Frame {
    len: usize,
    base: u64,
    base_bytes: usize,
    bases: usize,
    blocks: Vec<Block>,
    exception_bytes: usize,
    exception_count: usize,
    positions: usize,
    offsets: usize,
}

#[derive(Clone, Copy, Debug)]
struct Block {
    width: u32,
    /// Where its word rows are in the page.
    packed: usize,
    packed_end: usize,
    first_exception: usize,
}

impl Frame {
    /// Reads the directory of a frame of `len >= 1` values.
    pub(super) fn open<L: Lane>(cursor: &mut Cursor<'_>, len: usize) -> Result<Frame> {
        let base_bytes = item_bytes(cursor.read()?, "a block base")?;
        let exception_bytes = item_bytes(cursor.read()?, "an exception")?;
        if base_bytes > L::BYTES || exception_bytes > L::BYTES {
            return Err(Error::corrupt(format!("a frame too wide for lanes of {}", L::BITS)));
        }
        let _zero = cursor.array(2, 1)?;
        let exception_count = to_usize(cursor.read::<u32>()?);
        let base = cursor.read()?;
        let block_count = len.div_ceil(BLOCK_LEN);
        let page = cursor.page();
        let widths = cursor.array(block_count, 1)?;
        let has_exceptions = exception_bytes > 0;
        let counts = cursor.array(if has_exceptions { block_count } else { 0 }, 2)?;
        let bases = cursor.array(block_count, base_bytes)?.start;
        cursor.align(64);

        let mut blocks = Vec::with_capacity(block_count);
        let mut first_exception = 0;
        let mut packed = cursor.position();
        for (block_idx, width) in page[widths].iter().enumerate() {
            let width = u32::from(*width);
            if width > L::BITS {
                return Err(Error::corrupt(format!("block {block_idx}: width {width}")));
            }
            let packed_end = packed
                + match len - block_idx * BLOCK_LEN {
                    // A word row for every bit; what is true of short blocks too takes longer.
                    BLOCK_LEN.. => to_usize(width) * WORD_ROW_BYTES,
                    short => packed_bytes(width, short),
                };
            blocks.push(Block { width, packed, packed_end, first_exception });
            packed = packed_end;
            if has_exceptions {
                first_exception += usize::from(item::<u16>(page, counts.start, block_idx));
            }
        }
        let _packed = cursor.array(packed - cursor.position(), 1)?;
        if first_exception != exception_count {
            return Err(Error::corrupt(format!(
                "blocks have {first_exception} exceptions of {exception_count}"
            )));
        }
        let positions = cursor.array(exception_count, 2)?.start;
        let offsets = cursor.array(exception_count, exception_bytes)?.start;
        cursor.align(8);
        Ok(Frame {
            len,
            base,
            base_bytes,
            bases,
            blocks,
            exception_bytes,
            exception_count,
            positions,
            offsets,
        })
    }

    fn block_base<L: Lane>(&self, page: &[u8], block_idx: usize) -> L {
        let offset = narrow_item(page, self.bases, self.base_bytes, block_idx);
        L::from_u64(self.base.wrapping_add(offset))
    }

    fn exceptions(&self, block_idx: usize) -> Range<usize> {
        let end =
            self.blocks.get(block_idx + 1).map_or(self.exception_count, |b| b.first_exception);
        self.blocks[block_idx].first_exception..end
    }

    /// How many values there are.
    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// How many values block `block_idx` has.
    pub(super) fn block_len(&self, block_idx: usize) -> usize {
        BLOCK_LEN.min(self.len - block_idx * BLOCK_LEN)
    }

    /// Unpacks a whole block. What is beyond the values of a short block is arbitrary.
    pub(super) fn unpack<L: Lane>(
        &self,
        page: &[u8],
        block_idx: usize,
        values: &mut [L; BLOCK_LEN],
    ) -> Result<()> {
        let base: L = self.block_base(page, block_idx);
        let width = self.blocks[block_idx].width;
        match_lane!(lane_bytes(width), P => {
            kernel::unpack::<P, L>(width, &self.words(page, block_idx), base, values);
        });
        self.for_each_exception(page, block_idx, |place, value| values[place] = value)
    }

    /// The word rows of a block: in the page, unless it is short.
    fn words<'a, P: Lane>(&self, page: &'a [u8], block_idx: usize) -> Cow<'a, [P]> {
        let block = self.blocks[block_idx];
        let bytes = &page[block.packed..block.packed_end];
        let word_count = to_usize(block.width) * P::LANES;
        match bytemuck::try_cast_slice(bytes) {
            Ok(words) if words.len() == word_count => Cow::Borrowed(words),
            _ => {
                let mut words: Vec<P> = bytemuck::pod_collect_to_vec(bytes);
                words.resize(word_count, P::default());
                Cow::Owned(words)
            }
        }
    }

    /// Calls `visit` with the place and the value of each exception of a block.
    fn for_each_exception<L: Lane>(
        &self,
        page: &[u8],
        block_idx: usize,
        mut visit: impl FnMut(usize, L),
    ) -> Result<()> {
        let base: L = self.block_base(page, block_idx);
        for exception in self.exceptions(block_idx) {
            let place = usize::from(item::<u16>(page, self.positions, exception));
            let offset = narrow_item(page, self.offsets, self.exception_bytes, exception);
            if place >= BLOCK_LEN {
                return Err(Error::corrupt(format!(
                    "block {block_idx}: an exception at place {place}"
                )));
            }
            visit(place, base.wrapping_add(L::from_u64(offset)));
        }
        Ok(())
    }

    /// Appends the values in `rows`, which are within the frame.
    pub(super) fn decode<L: Lane>(
        &self,
        page: &[u8],
        rows: Range<usize>,
        target: &mut Vec<L>,
    ) -> Result<()> {
        target.reserve(rows.len());
        let mut scratch = [0; BLOCK_LEN];
        for_each_block(rows, |block_idx, places| {
            let width = self.blocks[block_idx].width;
            if self.exceptions(block_idx).is_empty() && lane_bytes(width) < L::BYTES {
                let base: L = self.block_base(page, block_idx);
                match_lane!(lane_bytes(width), P => {
                    let offsets: &mut [P; BLOCK_LEN] = lanes(&mut scratch);
                    let words = self.words::<P>(page, block_idx);
                    kernel::unpack::<P, P>(width, &words, P::default(), offsets);
                    kernel::append_widened(&offsets[places], base, target);
                });
                return Ok(());
            }
            let values: &mut [L; BLOCK_LEN] = lanes(&mut scratch);
            self.unpack(page, block_idx, values)?;
            target.extend_from_slice(&values[places]);
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
        let mut scratch = [0; BLOCK_LEN];
        for block_idx in 0..self.blocks.len() {
            let words = block_words(rows, block_idx);
            if is_empty(words) {
                continue;
            }
            let has_exceptions = !self.exceptions(block_idx).is_empty();
            if !has_exceptions {
                let base = self.block_base(page, block_idx);
                match test.verdict(base, L::mask(self.blocks[block_idx].width)) {
                    Verdict::All => continue,
                    Verdict::None => {
                        words.fill(0);
                        continue;
                    }
                    Verdict::Some => {}
                }
            }
            if !has_exceptions
                && !kernel::has_more_than(words, single_values_max(self.blocks[block_idx].width))
            {
                self.filter_singly(page, block_idx, test, words)?;
            } else if let LaneTest::Ranges(ranges) = test {
                self.filter_offsets((page, block_idx), ranges, words)?;
            } else {
                let values: &mut [L; BLOCK_LEN] = lanes(&mut scratch);
                self.unpack(page, block_idx, values)?;
                test.filter_block(values, self.block_len(block_idx), words)?;
            }
        }
        Ok(())
    }

    /// Clears the bits of a block's values that are in none of the circular ranges, comparing offsets
    /// in the lanes that they are packed in.
    fn filter_offsets<L: Lane>(
        &self,
        (page, block_idx): (&[u8], usize),
        ranges: &[(L, L)],
        words: &mut [u64],
    ) -> Result<()> {
        let width = self.blocks[block_idx].width;
        let base: L = self.block_base(page, block_idx);
        match_lane!(lane_bytes(width), P => {
            let packed = self.words::<P>(page, block_idx);
            let keep = |(low, high): (L, L), bits: &mut [u64; BLOCK_WORDS]| {
                let span = P::from_u64(high.to_u64() - low.to_u64());
                kernel::keep_within(width, &packed, (P::from_u64(low.to_u64()), span), bits);
            };
            let mut offsets = ranges.iter().flat_map(|range| offsets_within(*range, base, width));
            let is_exact = self.exceptions(block_idx).is_empty();
            match (offsets.next(), offsets.next(), words.as_mut_array()) {
                (Some(range), None, Some(words)) if is_exact => keep(range, words),
                (first, second, _) => {
                    let mut passing = [0; BLOCK_WORDS];
                    for range in first.into_iter().chain(second).chain(offsets) {
                        let mut bits = [u64::MAX; BLOCK_WORDS];
                        keep(range, &mut bits);
                        passing.iter_mut().zip(bits).for_each(|(passing, bits)| *passing |= bits);
                    }
                    self.test_exceptions((page, block_idx), ranges, &mut passing)?;
                    words.iter_mut().zip(passing).for_each(|(word, passing)| *word &= passing);
                }
            }
        });
        Ok(())
    }

    /// Sets the bits of a block's exceptions as they are in one of the circular ranges or not.
    fn test_exceptions<L: Lane>(
        &self,
        (page, block_idx): (&[u8], usize),
        ranges: &[(L, L)],
        passing: &mut [u64; BLOCK_WORDS],
    ) -> Result<()> {
        self.for_each_exception(page, block_idx, |place, value: L| {
            let passes = ranges.iter().any(|(low, span)| value.wrapping_sub(*low) <= *span);
            let bit = 1 << (place % 64);
            passing[place / 64] = passing[place / 64] & !bit | if passes { bit } else { 0 };
        })
    }

    fn filter_singly<L: Lane>(
        &self,
        page: &[u8],
        block_idx: usize,
        test: &LaneTest<'_, L>,
        words: &mut [u64],
    ) -> Result<()> {
        let mut rows = Vec::with_capacity(kernel::count_bits(words) + 8);
        kernel::push_positions(words, 0, &mut rows);
        let mut values = Vec::with_capacity(rows.len());
        self.take_singly::<L>(page, block_idx, &rows, &mut values);
        for (row, value) in rows.into_iter().zip(values) {
            if !test.passes(value)? {
                words[to_usize(row) / 64] &= !(1 << (row % 64));
            }
        }
        Ok(())
    }

    /// Appends the values in the ascending `rows`.
    ///
    /// # Errors
    /// `Corrupt` for a row beyond the frame, where a damaged page says which.
    pub(super) fn take<L: Lane>(
        &self,
        page: &[u8],
        rows: &[u32],
        target: &mut Vec<L>,
    ) -> Result<()> {
        if let Some(last) = rows.last().filter(|last| to_usize(**last) >= self.len) {
            return Err(Error::corrupt(format!("value {last} of a frame of {}", self.len)));
        }
        if self.take_far(page, rows, target) {
            return Ok(());
        }
        let mut scratch = [0; BLOCK_LEN];
        let mut left = rows;
        while let Some(first) = left.first() {
            let block_idx = block_of(*first);
            let (rows, behind) = left.split_at(count_in_block(left, block_idx));
            left = behind;
            let is_exact = self.exceptions(block_idx).is_empty();
            if is_exact && rows.len() <= single_values_max(self.blocks[block_idx].width) {
                self.take_singly(page, block_idx, rows, target);
            } else if is_exact {
                self.take_offsets(page, block_idx, rows, &mut scratch, target);
            } else {
                let values: &mut [L; BLOCK_LEN] = lanes(&mut scratch);
                self.unpack(page, block_idx, values)?;
                target.extend(rows.iter().map(|row| values[place_of(*row)]));
            }
        }
        Ok(())
    }

    /// Appends the values in `rows` if all blocks are packed alike and few of their values are asked: in
    /// one loop, so that lines of memory are waited for together. Gives false if it did nothing.
    fn take_far<L: Lane>(&self, page: &[u8], rows: &[u32], target: &mut Vec<L>) -> bool {
        let (Some(first), Some(last)) = (rows.first(), rows.last()) else { return true };
        let width = self.blocks[0].width;
        let block_count = block_of(*last) - block_of(*first) + 1;
        let is_alike = self.exception_count == 0
            && self.blocks.iter().all(|block| block.width == width)
            && rows.len() <= block_count * single_values_max(width);
        if !is_alike {
            return false;
        }
        let first_block = block_of(*first);
        let blocks = first_block..first_block + block_count;
        let packed = self.blocks[first_block].packed..self.blocks[blocks.end - 1].packed_end;
        let bases: Vec<L> = blocks.map(|block_idx| self.block_base(page, block_idx)).collect();
        match_lane!(lane_bytes(width), P => {
            let Ok(words) = bytemuck::try_cast_slice::<u8, P>(&page[packed]) else { return false };
            let block_words = to_usize(width) * P::LANES;
            let value = |row: &u32| {
                let block_idx = block_of(*row) - first_block;
                let block = &words[block_idx * block_words..];
                let offset = kernel::get(width, block, place_of(*row));
                bases[block_idx].wrapping_add(L::from_u64(offset.to_u64()))
            };
            target.extend(rows.iter().map(value));
        });
        true
    }

    /// Takes values of a block without exceptions, which is unpacked in the lanes that it is packed in.
    fn take_offsets<L: Lane>(
        &self,
        page: &[u8],
        block_idx: usize,
        rows: &[u32],
        scratch: &mut [u64; BLOCK_LEN],
        target: &mut Vec<L>,
    ) {
        let base: L = self.block_base(page, block_idx);
        let width = self.blocks[block_idx].width;
        match_lane!(lane_bytes(width), P => {
            let offsets: &mut [P; BLOCK_LEN] = lanes(scratch);
            let words = self.words::<P>(page, block_idx);
            kernel::unpack::<P, P>(width, &words, P::default(), offsets);
            let value = |row: &u32| {
                base.wrapping_add(L::from_u64(offsets[place_of(*row)].to_u64()))
            };
            target.extend(rows.iter().map(value));
        });
    }

    fn take_singly<L: Lane>(
        &self,
        page: &[u8],
        block_idx: usize,
        rows: &[u32],
        target: &mut Vec<L>,
    ) {
        let base: L = self.block_base(page, block_idx);
        let width = self.blocks[block_idx].width;
        match_lane!(lane_bytes(width), P => {
            let words = self.words::<P>(page, block_idx);
            let value = |row: &u32| {
                let offset = kernel::get(width, &words, place_of(*row));
                base.wrapping_add(L::from_u64(offset.to_u64()))
            };
            target.extend(rows.iter().map(value));
        });
    }
}

/// The offsets from `base`, of at most `width` bits, whose values are in a circular range: of their one
/// or two ranges the first and last.
fn offsets_within<L: Lane>(
    (low, span): (L, L),
    base: L,
    width: u32,
) -> impl Iterator<Item = (L, L)> {
    let last = L::mask(width);
    let start = low.wrapping_sub(base);
    // What begins after the base, and what the range still holds when it begins before it.
    let room = L::MAX.wrapping_sub(start);
    let end = if span > room { L::MAX } else { start.wrapping_add(span) };
    let ahead = (start <= last).then(|| (start, end.min(last)));
    let before = base.wrapping_sub(low);
    let wraps = start > L::default() && before <= span;
    let behind = wraps.then(|| (L::default(), span.wrapping_sub(before).min(last)));
    ahead.into_iter().chain(behind)
}

/// The lanes of a block in room for the widest.
fn lanes<L: Lane>(room: &mut [u64; BLOCK_LEN]) -> &mut [L; BLOCK_LEN] {
    let lanes: &mut [L] = bytemuck::cast_slice_mut(room);
    lanes.first_chunk_mut().expect("no lane is wider than 64 bits")
}

/// How many of the ascending rows, the first of which is in block `block_idx`, are in it.
fn count_in_block(rows: &[u32], block_idx: usize) -> usize {
    let rows = &rows[..rows.len().min(BLOCK_LEN)];
    rows.partition_point(|row| block_of(*row) <= block_idx)
}

/// The block of a row.
pub(super) fn block_of(row: u32) -> usize {
    to_usize(row) / BLOCK_LEN
}

/// The place of a row in its block.
pub(super) fn place_of(row: u32) -> usize {
    to_usize(row) % BLOCK_LEN
}

/// Calls `visit` with each block that `rows` touch and which of its places they are.
pub(super) fn for_each_block(
    rows: Range<usize>,
    mut visit: impl FnMut(usize, Range<usize>) -> Result<()>,
) -> Result<()> {
    let mut start = rows.start;
    while start < rows.end {
        let block_idx = start / BLOCK_LEN;
        let first = block_idx * BLOCK_LEN;
        let end = rows.end.min(first + BLOCK_LEN);
        visit(block_idx, start - first..end - first)?;
        start = end;
    }
    Ok(())
}

#[cfg(test)]
#[expect(clippy::result_large_err, reason = "proptest's error type")]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_value_beyond_the_frame_is_an_error() -> Result<()> {
        let mut page = Vec::new();
        encode::<u32>(&[7, 9, 8], &mut page);
        let frame = Frame::open::<u32>(&mut Cursor::new(&page), 3)?;
        let mut values: Vec<u32> = Vec::new();
        frame.take(&page, &[0, 2], &mut values)?;
        assert_eq!(values, [7, 8]);
        for rows in [&[3][..], &[0, 1_023], &[0, 1, 2, 5_000]] {
            assert!(frame.take(&page, rows, &mut values).is_err());
        }
        Ok(())
    }

    proptest! {
        #[test]
        fn offsets_in_a_range_are_those_of_its_values(
            low: u8,
            span: u8,
            base: u8,
            width in 0..=8_u32,
        ) {
            let ranges: Vec<(u8, u8)> = offsets_within((low, span), base, width).collect();
            for offset in 0..=u8::mask(width) {
                let passes = base.wrapping_add(offset).wrapping_sub(low) <= span;
                let found = ranges.iter().filter(|(first, last)| (*first..=*last).contains(&offset));
                prop_assert_eq!(found.count(), usize::from(passes), "offset {}", offset);
            }
        }
    }
}
