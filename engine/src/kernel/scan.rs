//! One-pass facts about a slice of integers, and the small rewrites that encodings need.

use super::dispatch::vectorised;
use super::lane::{Integer, Lane};

vectorised! {
    /// The least and the greatest value; `(MAX, MIN)` for an empty slice.
    fn min_max<N: Integer>(values: &[N]) -> (N, N) = min_max_body
}

#[inline(always)]
fn min_max_body<N: Integer>(values: &[N]) -> (N, N) {
    values.iter().fold((N::MAX, N::MIN), |(min, max), &value| (min.min(value), max.max(value)))
}

vectorised! {
    /// How many values differ from the one before them.
    fn count_changes<L: Lane>(values: &[L]) -> usize = count_changes_body
}

#[inline(always)]
fn count_changes_body<L: Lane>(values: &[L]) -> usize {
    let Some(after) = values.get(1..) else { return 0 };
    let mut count = 0;
    // Pieces of at most 128 values, so that a lane of 8 bits can count them.
    for (left, right) in values[..after.len()].chunks(128).zip(after.chunks(128)) {
        let changed: u8 = left.iter().zip(right).map(|(a, b)| u8::from(a != b)).sum();
        count += usize::from(changed);
    }
    count
}

vectorised! {
    /// How many values equal `wanted`.
    fn count_equal<L: Lane>(values: &[L], wanted: L) -> usize = count_equal_body
}

#[inline(always)]
fn count_equal_body<L: Lane>(values: &[L], wanted: L) -> usize {
    let piece = |values: &[L]| values.iter().map(|value| u8::from(*value == wanted)).sum::<u8>();
    values.chunks(128).map(|values| usize::from(piece(values))).sum()
}

vectorised! {
    /// How many values have an offset from `base` of more than `width < T` bits.
    fn count_wider<L: Lane>(values: &[L], base: L, width: u32) -> usize = count_wider_body
}

#[inline(always)]
fn count_wider_body<L: Lane>(values: &[L], base: L, width: u32) -> usize {
    let limit = L::mask(width);
    let is_wider = |value: &L| u8::from(value.wrapping_sub(base) > limit);
    let piece = |values: &[L]| values.iter().map(is_wider).sum::<u8>();
    values.chunks(128).map(|values| usize::from(piece(values))).sum()
}

vectorised! {
    /// Writes each value's difference from the one before it; the first gets 0.
    ///
    /// # Panics
    /// When the slices differ in length.
    fn differences<L: Lane>(values: &[L], target: &mut [L]) = differences_body
}

#[inline(always)]
fn differences_body<L: Lane>(values: &[L], target: &mut [L]) {
    assert_eq!(values.len(), target.len());
    let Some(first) = target.first_mut() else { return };
    *first = L::default();
    for (target, pair) in target[1..].iter_mut().zip(values.windows(2)) {
        *target = pair[1].wrapping_sub(pair[0]);
    }
}

/// Replaces each value by the sum of `first`, it and all before it, wrapping.
pub(crate) fn prefix_sums<L: Lane>(first: L, values: &mut [L]) {
    let mut sum = first;
    for value in values {
        sum = sum.wrapping_add(*value);
        *value = sum;
    }
}

vectorised! {
    /// Replaces the values whose bit in `valid` is not set by `fill`; bit `i % 64` of word `i / 64`.
    ///
    /// # Panics
    /// When `valid` has fewer bits than there are values.
    fn select_valid<L: Lane>(values: &mut [L], valid: &[u64], fill: L) = select_valid_body
}

#[inline(always)]
fn select_valid_body<L: Lane>(values: &mut [L], valid: &[u64], fill: L) {
    assert!(values.len() <= valid.len() * 64);
    for (values, word) in values.chunks_mut(64).zip(valid) {
        for (bit, value) in values.iter_mut().enumerate() {
            *value = if word >> bit & 1 == 1 { *value } else { fill };
        }
    }
}

vectorised! {
    /// Writes `base` and the entry of `table` at each index together, wrapping; an index beyond gives the
    /// last entry.
    ///
    /// # Panics
    /// When the table is empty.
    fn gather<S: Lane, L: Lane>(table: &[S], base: L, indices: &[u32], target: &mut [L]) = gather_body
}

#[inline(always)]
fn gather_body<S: Lane, L: Lane>(table: &[S], base: L, indices: &[u32], target: &mut [L]) {
    // Without a branch in the loop, look-ups go side by side.
    assert!(!table.is_empty(), "there is a last entry");
    let last = table.len() - 1;
    for (target, index) in target.iter_mut().zip(indices) {
        let entry = table[(*index as usize).min(last)];
        *target = L::from_u64(entry.to_u64()).wrapping_add(base);
    }
}

/// Writes how far each value is from `base`, which the type holds; `u32::MAX` for more than that, or for
/// a value below.
pub(crate) fn distances<N: Integer>(values: &[N], base: i128, target: &mut [u32]) {
    let bytes = base.to_le_bytes();
    let low = u64::from_le_bytes(std::array::from_fn(|index| bytes[index]));
    distances_from(values, N::Lane::from_u64(low), target);
}

vectorised! {
    fn distances_from<N: Integer>(values: &[N], base: N::Lane, target: &mut [u32]) = distances_body
}

#[inline(always)]
#[expect(clippy::cast_possible_truncation, reason = "larger distances are cut off")]
fn distances_body<N: Integer>(values: &[N], base: N::Lane, target: &mut [u32]) {
    for (target, value) in target.iter_mut().zip(values) {
        *target = value.to_lane().wrapping_sub(base).to_u64().min(u32::MAX.into()) as u32;
    }
}

vectorised! {
    /// Adds `factor` times each value's distance from `base` to its place in `target`, wrapping.
    fn add_multiples<N: Integer>(values: &[N], base: N::Lane, factor: u32, target: &mut [u32]) = add_multiples_body
}

#[inline(always)]
#[expect(clippy::cast_possible_truncation, reason = "32 bits are asked for")]
fn add_multiples_body<N: Integer>(values: &[N], base: N::Lane, factor: u32, target: &mut [u32]) {
    for (target, value) in target.iter_mut().zip(values) {
        let distance = value.to_lane().wrapping_sub(base).to_u64() as u32;
        *target = target.wrapping_add(distance.wrapping_mul(factor));
    }
}

#[cfg(test)]
#[expect(clippy::result_large_err, reason = "proptest's error type")]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn facts_match_their_naive_twins(values in prop::collection::vec(-3_i16..3, 0..400)) {
            let naive_min = values.iter().copied().min().unwrap_or(i16::MAX);
            let naive_max = values.iter().copied().max().unwrap_or(i16::MIN);
            prop_assert_eq!(min_max(&values), (naive_min, naive_max));

            let lanes: Vec<u16> = values.iter().map(|value| value.to_lane()).collect();
            let changes = values.windows(2).filter(|pair| pair[0] != pair[1]).count();
            prop_assert_eq!(count_changes(&lanes), changes);
            let ones = values.iter().filter(|value| **value == 1).count();
            prop_assert_eq!(count_equal(&lanes, 1), ones);
            let base = (-3_i16).to_lane();
            for width in 0..4 {
                let wider = values.iter().filter(|value| **value + 3 >= 1 << width).count();
                prop_assert_eq!(count_wider(&lanes, base, width), wider);
            }
        }

        #[test]
        fn sums_of_differences_are_the_values(values in prop::collection::vec(any::<u64>(), 1..300)) {
            let mut found = vec![7; values.len()];
            differences(&values, &mut found);
            prefix_sums(values[0], &mut found);
            prop_assert_eq!(found, values);
        }

        #[test]
        fn null_slots_are_filled(values in prop::collection::vec(any::<u8>(), 0..200), seed: u64) {
            let valid = [seed, !seed, seed.rotate_left(7), 0];
            let mut found = values.clone();
            select_valid(&mut found, &valid, 42);
            for (row, value) in values.iter().enumerate() {
                let is_valid = valid[row / 64] >> (row % 64) & 1 == 1;
                prop_assert_eq!(found[row], if is_valid { *value } else { 42 });
            }
        }

        #[test]
        fn entries_are_gathered_one_by_one(
            table in prop::collection::vec(any::<u32>(), 1..50),
            base: u64,
            indices in prop::collection::vec(0..60_u32, 0..100),
        ) {
            let (mut same, mut wider) = (vec![0_u32; indices.len()], vec![0; indices.len()]);
            gather(&table, 0, &indices, &mut same);
            gather(&table, base, &indices, &mut wider);
            for ((same, wider), index) in same.iter().zip(&wider).zip(&indices) {
                let entry = table[(*index as usize).min(table.len() - 1)];
                prop_assert_eq!(*same, entry);
                prop_assert_eq!(*wider, base.wrapping_add(entry.into()));
            }
        }

        #[test]
        fn distances_are_those_of_wide_integers(values: Vec<i64>, base in -3_i64..3, near in 0..9_i64) {
            let values: Vec<i64> = values.into_iter().chain([base, base + near]).collect();
            let mut found = vec![7; values.len()];
            distances(&values, base.into(), &mut found);
            for (found, value) in found.iter().zip(&values) {
                let distance = i128::from(*value) - i128::from(base);
                prop_assert_eq!(*found, u32::try_from(distance).unwrap_or(u32::MAX));
            }
        }

        #[test]
        fn multiples_are_added_one_by_one(
            values in prop::collection::vec(-100_i16..100, 0..100),
            factor: u32,
        ) {
            let mut found = vec![7_u32; values.len()];
            add_multiples(&values, (-100_i16).to_lane(), factor, &mut found);
            for (found, value) in found.iter().zip(&values) {
                let distance = u32::try_from(value + 100).unwrap();
                prop_assert_eq!(*found, 7_u32.wrapping_add(distance.wrapping_mul(factor)));
            }
        }
    }
}
