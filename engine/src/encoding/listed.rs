//! Tests of integers against many ranges, as `IN` with a long list has them.
//!
//! Where the ranges are close together, a bit for each integer between the first and the last. Else a
//! binary search, behind a table of hashes that most values outside fail when the ranges are points.

use super::BLOCK_LEN;
use super::layout::to_usize;
use crate::kernel::{self, BLOCK_WORDS, Lane};

/// Integers for which there is a bit each.
const WINDOW_LEN_MAX: u64 = 1 << 16;
/// Bits of the table of hashes for each point.
const BITS_PER_POINT: usize = 32;

/// Ranges of lanes.
#[derive(Clone, Debug)]
pub(super) struct Listed<L: Lane> {
    /// The first of each and how far it reaches: ascending, disjoint, none beyond the largest lane.
    ranges: Vec<(L, L)>,
    table: Table<L>,
}

#[derive(Clone, Debug)]
enum Table<L: Lane> {
    /// A bit for each integer from this on.
    Window(L, Vec<u32>),
    /// A bit for each hash, shifted right by so much.
    Hashes(u32, Vec<u32>),
    Nothing,
}

impl<L: Lane> Listed<L> {
    /// The ranges given by their first lane and how far they reach, circularly.
    pub(super) fn new(circular: Vec<(L, L)>) -> Listed<L> {
        let mut ranges = Vec::with_capacity(circular.len() + 1);
        for (low, span) in circular {
            let to_last = L::MAX.wrapping_sub(low);
            if span <= to_last {
                ranges.push((low, span));
            } else {
                ranges.push((low, to_last));
                let over = span.wrapping_sub(to_last).wrapping_sub(L::from_u64(1));
                ranges.push((L::default(), over));
            }
        }
        ranges.sort_unstable();
        ranges.dedup_by(|next, before| {
            let distance = next.0.wrapping_sub(before.0);
            let overlaps = distance <= before.1;
            if overlaps {
                before.1 = before.1.max(distance.wrapping_add(next.1));
            }
            overlaps
        });
        let table = Table::of(&ranges);
        Listed { ranges, table }
    }

    /// Whether one of the ranges holds `value`.
    pub(super) fn holds(&self, value: L) -> bool {
        match &self.table {
            Table::Window(low, bits) => {
                kernel::bit_of(bits, value.wrapping_sub(*low).to_u64()) == 1
            }
            Table::Hashes(shift, bits) => {
                kernel::bit_of(bits, kernel::hash_of(value.to_u64(), *shift)) == 1
                    && self.finds(value)
            }
            Table::Nothing => self.finds(value),
        }
    }

    fn finds(&self, value: L) -> bool {
        let next = self.ranges.partition_point(|(low, _)| *low <= value);
        let range = next.checked_sub(1).map(|index| self.ranges[index]);
        range.is_some_and(|(low, span)| value.wrapping_sub(low) <= span)
    }

    /// Whether some value from `base` to `reach` after it may be in a range.
    pub(super) fn may_hold(&self, base: L, reach: L) -> bool {
        if reach > L::MAX.wrapping_sub(base) {
            return true;
        }
        let last = base.wrapping_add(reach);
        let first = self.ranges.partition_point(|(low, span)| low.wrapping_add(*span) < base);
        self.ranges.get(first).is_some_and(|(low, _)| *low <= last)
    }

    /// Clears the bits of a block's values that no range holds.
    pub(super) fn filter_block(&self, values: &[L; BLOCK_LEN], rows: &mut [u64]) {
        let mut passing = [u64::MAX; BLOCK_WORDS];
        match &self.table {
            Table::Window(low, bits) => kernel::in_window(values, *low, bits, &mut passing),
            Table::Hashes(shift, bits) => kernel::in_hashes(values, *shift, bits, &mut passing),
            Table::Nothing => {}
        }
        let is_exact = matches!(self.table, Table::Window(..));
        for ((values, word), passing) in values.chunks_exact(64).zip(rows).zip(passing) {
            *word &= passing;
            if !is_exact {
                *word = self.search(values, *word);
            }
        }
    }

    /// Which of the values with a bit in `word` are in a range.
    fn search(&self, values: &[L], word: u64) -> u64 {
        let (mut left, mut passing) = (word, 0);
        while left != 0 {
            let bit = left.trailing_zeros();
            passing |= u64::from(self.finds(values[to_usize(bit)])) << bit;
            left &= left - 1;
        }
        passing
    }
}

impl<L: Lane> Table<L> {
    fn of(ranges: &[(L, L)]) -> Table<L> {
        let (Some((low, _)), Some((last, span))) = (ranges.first(), ranges.last()) else {
            return Table::Nothing;
        };
        let len = last.wrapping_add(*span).wrapping_sub(*low).to_u64();
        if len < WINDOW_LEN_MAX {
            let mut bits = vec![0; to_usize64(len) / 32 + 1];
            for (first, span) in ranges {
                let first = first.wrapping_sub(*low).to_u64();
                (first..=first + span.to_u64()).for_each(|index| set(&mut bits, index));
            }
            return Table::Window(*low, bits);
        }
        if ranges.iter().any(|(_, span)| *span != L::default()) {
            return Table::Nothing;
        }
        let bit_count = (ranges.len() * BITS_PER_POINT).next_power_of_two();
        let shift = 64 - bit_count.trailing_zeros();
        let mut bits = vec![0; bit_count / 32];
        for (value, _) in ranges {
            set(&mut bits, kernel::hash_of(value.to_u64(), shift));
        }
        Table::Hashes(shift, bits)
    }
}

fn set(bits: &mut [u32], index: u64) {
    bits[to_usize64(index / 32)] |= 1 << (index % 32);
}

fn to_usize64(value: u64) -> usize {
    usize::try_from(value).expect("below the length of a table")
}

#[cfg(test)]
#[expect(clippy::result_large_err, reason = "proptest's error type")]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check<L: Lane>(ranges: &[(L, L)], values: &[L]) {
        let listed = Listed::new(ranges.to_vec());
        let naive = |value: L| ranges.iter().any(|(low, span)| value.wrapping_sub(*low) <= *span);
        let block: [L; BLOCK_LEN] = std::array::from_fn(|index| values[index % values.len()]);
        let mut rows = [u64::MAX; BLOCK_LEN / 64];
        rows[1] = 0x5555;
        let before = rows;
        listed.filter_block(&block, &mut rows);
        for (index, value) in block.iter().enumerate() {
            let was_set = before[index / 64] >> (index % 64) & 1 == 1;
            let is_set = rows[index / 64] >> (index % 64) & 1 == 1;
            assert_eq!(is_set, was_set && naive(*value), "{value:?}");
            assert_eq!(listed.holds(*value), naive(*value), "{value:?}");
            for reach in [0, 3, 100] {
                let reach = L::from_u64(reach);
                let holds = naive(*value) || naive(value.wrapping_add(reach));
                assert!(!holds || listed.may_hold(*value, reach), "{value:?} and {reach:?}");
            }
        }
        assert!(!listed.may_hold(L::default(), L::default()) || naive(L::default()));
    }

    proptest! {
        #[test]
        fn bytes_are_found_as_one_by_one(
            ranges in prop::collection::vec((any::<u8>(), 0..9_u8), 0..40),
            values in prop::collection::vec(any::<u8>(), 1..50),
        ) {
            check(&ranges, &values);
        }

        #[test]
        fn scattered_points_and_ranges_are_found_as_one_by_one(
            points in prop::collection::vec(any::<u64>(), 0..40),
            ranges in prop::collection::vec((any::<u64>(), 0..9_u64), 0..4),
            others in prop::collection::vec(any::<u64>(), 1..20),
        ) {
            let ranges: Vec<_> = points.iter().map(|point| (*point, 0)).chain(ranges).collect();
            let mut values = others;
            values.extend(ranges.iter().flat_map(|(low, span)| {
                [*low, low.wrapping_add(*span), low.wrapping_sub(1), low.wrapping_add(*span + 1)]
            }));
            check(&ranges, &values);
        }
    }
}
