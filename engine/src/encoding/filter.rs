//! Tests of a page's integers or codes without decoding them for anyone: the rows that pass stay set
//! in a list of bits.
//!
//! A block's base and width prove most blocks true or false; blocks without a row left are skipped;
//! others are unpacked to a buffer on the stack and compared there. Runs are tested once each, the
//! dominant value of a sparse page once.

use std::ops::Range;

use super::BLOCK_LEN;
use super::layout::to_usize;
use super::listed::Listed;
use crate::kernel::{self, BLOCK_WORDS, Lane};
use crate::types::{Error, Result};

/// Ranges of integers that are compared one after the other.
const RANGES_MAX: usize = 8;

/// Which codes pass.
#[derive(Clone, Copy, Debug)]
pub enum CodeFilter<'a> {
    /// Those in one of these ranges.
    Ranges(&'a [Range<u32>]),
    /// Those whose bit is set; a code beyond is damage.
    Table(&'a [u64]),
}

/// What statistics of a block prove.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    All,
    None,
    Some,
}

/// A test of lanes.
#[derive(Clone, Debug)]
pub(super) enum LaneTest<'a, L: Lane> {
    /// In one of the circular ranges: where it starts, and how far it reaches.
    Ranges(Vec<(L, L)>),
    /// The same for many.
    Listed(Listed<L>),
    /// Whose bit is set.
    Table(&'a [u64]),
}

impl<'a, L: Lane> LaneTest<'a, L> {
    /// The test for closed ranges of integers of a type with these limits.
    pub(super) fn integers(ranges: &[(i128, i128)], (min, max): (i128, i128)) -> LaneTest<'a, L> {
        // The low bits are the lane's.
        let lane = |value: i128| L::from_u64(low_bits(value));
        let ranges: Vec<(L, L)> = ranges
            .iter()
            .map(|(low, high)| ((*low).max(min), (*high).min(max)))
            .filter(|(low, high)| low <= high)
            .map(|(low, high)| (lane(low), lane(high - low)))
            .collect();
        if ranges.len() > RANGES_MAX {
            return LaneTest::Listed(Listed::new(ranges));
        }
        LaneTest::Ranges(ranges)
    }

    /// The test of codes.
    pub(super) fn codes(filter: CodeFilter<'a>) -> LaneTest<'a, L> {
        match filter {
            CodeFilter::Table(bits) => LaneTest::Table(bits),
            CodeFilter::Ranges(ranges) => LaneTest::Ranges(
                ranges
                    .iter()
                    .filter(|range| range.start < range.end)
                    .map(|range| {
                        let (start, last) = (u64::from(range.start), u64::from(range.end - 1));
                        (L::from_u64(start), L::from_u64(last - start))
                    })
                    .collect(),
            ),
        }
    }

    /// Whether one value passes.
    pub(super) fn passes(&self, value: L) -> Result<bool> {
        match self {
            LaneTest::Ranges(ranges) => {
                Ok(ranges.iter().any(|(low, span)| value.wrapping_sub(*low) <= *span))
            }
            LaneTest::Listed(listed) => Ok(listed.holds(value)),
            LaneTest::Table(bits) => {
                let code = usize::try_from(value.to_u64()).map_err(|_| beyond(value))?;
                let word = bits.get(code / 64).ok_or_else(|| beyond(value))?;
                Ok(word >> (code % 64) & 1 == 1)
            }
        }
    }

    /// What is known of values that are at most `reach` after `base`.
    pub(super) fn verdict(&self, base: L, reach: L) -> Verdict {
        let ranges = match self {
            LaneTest::Ranges(ranges) => ranges,
            LaneTest::Listed(listed) if !listed.may_hold(base, reach) => return Verdict::None,
            LaneTest::Listed(_) | LaneTest::Table(_) => return Verdict::Some,
        };
        let mut verdict = Verdict::None;
        for (low, span) in ranges {
            let offset = base.wrapping_sub(*low);
            if offset <= *span {
                if reach <= span.wrapping_sub(offset) {
                    return Verdict::All;
                }
                verdict = Verdict::Some;
            } else if low.wrapping_sub(base) <= reach {
                verdict = Verdict::Some;
            }
        }
        verdict
    }

    /// Clears the bits of a block's values that do not pass; `len` values count, others are arbitrary.
    pub(super) fn filter_block(
        &self,
        values: &[L; BLOCK_LEN],
        len: usize,
        rows: &mut [u64],
    ) -> Result<()> {
        match self {
            LaneTest::Ranges(ranges) => {
                let mut passing = [0_u64; BLOCK_WORDS];
                for (low, span) in ranges {
                    let mut bits = [0_u64; BLOCK_WORDS];
                    kernel::within(values, *low, *span, &mut bits);
                    passing.iter_mut().zip(bits).for_each(|(passing, bits)| *passing |= bits);
                }
                rows.iter_mut().zip(passing).for_each(|(row, passing)| *row &= passing);
            }
            LaneTest::Listed(listed) => listed.filter_block(values, rows),
            LaneTest::Table(bits) => {
                let max = kernel::max(&values[..len]);
                if usize::try_from(max.to_u64()).is_ok_and(|max| max / 64 < bits.len()) {
                    kernel::keep_listed(&values[..len], bits, rows);
                } else {
                    return Err(beyond(max));
                }
            }
        }
        Ok(())
    }
}

fn beyond<L: Lane>(code: L) -> Error {
    Error::corrupt(format!("a page has code {} beyond the last", code.to_u64()))
}

fn low_bits(value: i128) -> u64 {
    let bytes = value.to_le_bytes();
    u64::from_le_bytes(std::array::from_fn(|index| bytes[index]))
}

/// The words of block `block_idx` in the bits of a page.
pub(super) fn block_words(rows: &mut [u64], block_idx: usize) -> &mut [u64] {
    let start = block_idx * BLOCK_WORDS;
    let end = rows.len().min(start + BLOCK_WORDS);
    &mut rows[start..end]
}

/// Whether no bit is set.
pub(super) fn is_empty(rows: &[u64]) -> bool {
    rows.iter().all(|word| *word == 0)
}

/// Clears a range of bits.
pub(super) fn clear_range(words: &mut [u64], range: Range<usize>) {
    if range.is_empty() {
        return;
    }
    let (first, last) = (range.start / 64, (range.end - 1) / 64);
    let from_first = u64::MAX << (range.start % 64);
    let to_last = u64::MAX >> (63 - (range.end - 1) % 64);
    if first == last {
        words[first] &= !(from_first & to_last);
        return;
    }
    words[first] &= !from_first;
    words[first + 1..last].fill(0);
    words[last] &= !to_last;
}

/// `len` bits that are set.
pub(super) fn all_rows(len: usize) -> Vec<u64> {
    let mut words = vec![u64::MAX; len.div_ceil(64)];
    if let (Some(last), true) = (words.last_mut(), !len.is_multiple_of(64)) {
        *last = u64::MAX >> (64 - len % 64);
    }
    words
}

/// Calls `visit` with the position of each bit that is not set, of the first `len`.
pub(super) fn for_each_clear(
    words: &[u64],
    len: usize,
    mut visit: impl FnMut(usize) -> Result<()>,
) -> Result<()> {
    for (index, word) in words.iter().enumerate() {
        let mut left = !word;
        while left != 0 {
            let position = index * 64 + to_usize(left.trailing_zeros());
            if position >= len {
                return Ok(());
            }
            visit(position)?;
            left &= left - 1;
        }
    }
    Ok(())
}

/// Calls `visit` with each stretch of bits that are not set, of the first `len`.
pub(super) fn for_each_clear_stretch(
    words: &[u64],
    len: usize,
    mut visit: impl FnMut(Range<usize>) -> Result<()>,
) -> Result<()> {
    let mut start = next_bit(words, 0, false).filter(|start| *start < len);
    while let Some(first) = start {
        let end = next_bit(words, first, true).unwrap_or(len).min(len);
        visit(first..end)?;
        start = next_bit(words, end, false).filter(|start| *start < len);
    }
    Ok(())
}

/// The first bit from `start` on that is set, or that is not.
fn next_bit(words: &[u64], start: usize, set: bool) -> Option<usize> {
    let flip = if set { 0 } else { u64::MAX };
    let mut mask = u64::MAX << (start % 64);
    for (index, word) in words.iter().enumerate().skip(start / 64) {
        let found = (word ^ flip) & mask;
        if found != 0 {
            return Some(index * 64 + to_usize(found.trailing_zeros()));
        }
        mask = u64::MAX;
    }
    None
}

#[cfg(test)]
#[expect(clippy::result_large_err, reason = "proptest's error type")]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_verdict_is_what_testing_every_value_gives(
            ranges in prop::collection::vec((any::<u8>(), any::<u8>()), 0..4),
            base: u8,
            reach: u8,
        ) {
            let test = LaneTest::<u8>::Ranges(ranges);
            let passing = (0..=reach)
                .filter(|offset| test.passes(base.wrapping_add(*offset)).unwrap())
                .count();
            match test.verdict(base, reach) {
                Verdict::All => prop_assert_eq!(passing, usize::from(reach) + 1),
                Verdict::None => prop_assert_eq!(passing, 0),
                // Two ranges may cover together what neither covers alone.
                Verdict::Some => prop_assert!(passing > 0),
            }
        }

        #[test]
        fn a_range_of_bits_is_cleared(start in 0..300_usize, len in 0..300_usize) {
            let mut words = all_rows(600);
            clear_range(&mut words, start..start + len);
            let mut cleared = Vec::new();
            for_each_clear(&words, 600, |row| {
                cleared.push(row);
                Ok(())
            }).unwrap();
            prop_assert_eq!(cleared, (start..start + len).collect::<Vec<_>>());
        }

        #[test]
        fn stretches_are_the_bits_one_by_one(
            words in prop::collection::vec(prop_oneof![Just(0), Just(u64::MAX), any::<u64>()], 1..6),
            short in 0..64_usize,
        ) {
            let len = words.len() * 64 - short;
            let (mut one_by_one, mut stretches) = (Vec::new(), Vec::new());
            for_each_clear(&words, len, |row| {
                one_by_one.push(row);
                Ok(())
            }).unwrap();
            for_each_clear_stretch(&words, len, |rows| {
                stretches.extend(rows);
                Ok(())
            }).unwrap();
            prop_assert_eq!(stretches, one_by_one);
        }
    }

    #[test]
    fn integers_are_clamped_to_their_type() {
        let test = LaneTest::<u8>::integers(&[(-1_000, -128), (5, 7), (200, 300)], (-128, 127));
        let passing = (i8::MIN..=i8::MAX)
            .filter(|value| test.passes(value.cast_unsigned()).unwrap())
            .collect::<Vec<_>>();
        assert_eq!(passing, [-128, 5, 6, 7]);
    }
}
