//! Exact sums of integers, of all values or by group.
//!
//! Where there are few groups, each is a pass over the batch that selects its rows, side by side in
//! registers. Adding row by row to places in memory waits for the last addition to the same place.

use super::dispatch::vectorised;
use super::lane::Integer;

vectorised! {
    /// The sum of at most 2³¹ integers.
    fn sum<N: Integer>(values: &[N]) -> i128 = sum_body
}

#[inline(always)]
fn sum_body<N: Integer>(values: &[N]) -> i128 {
    // Two sums of halves cannot overflow, and 64 bits each are what vector registers add.
    let (mut high, mut low) = (0_i64, 0_u64);
    for value in values {
        let (value_high, value_low) = value.halves();
        high = high.wrapping_add(value_high);
        low = low.wrapping_add(value_low);
    }
    (i128::from(high) << 32) + i128::from(low)
}

/// Groups up to which a pass for each beats adding row by row (benches/kernels.rs).
pub(crate) const FEW_GROUPS: usize = 8;

vectorised! {
    /// The sum of integers of at most 32 bits, which fits 64.
    fn sum_narrow<N: Integer>(values: &[N]) -> i64 = sum_narrow_body
}

#[inline(always)]
fn sum_narrow_body<N: Integer>(values: &[N]) -> i64 {
    values.iter().map(|value| value.to_i64()).sum()
}

vectorised! {
    /// Adds to each sum the values of its group; integers of at most 32 bits.
    fn add_to_few<N: Integer>(sums: &mut [i64], groups: &[u32], values: &[N]) = add_to_few_body
}

#[inline(always)]
fn add_to_few_body<N: Integer>(sums: &mut [i64], groups: &[u32], values: &[N]) {
    for (group, sum) in (0_u32..).zip(sums) {
        let own = groups.iter().zip(values);
        *sum += own.map(|(of, value)| if *of == group { value.to_i64() } else { 0 }).sum::<i64>();
    }
}

vectorised! {
    /// Adds to each word its value's distance from `base`, shifted left; integers of at most 32 bits.
    fn add_shifted<N: Integer>(values: &[N], base: i64, shift: u32, words: &mut [i64]) = add_shifted_body
}

#[inline(always)]
fn add_shifted_body<N: Integer>(values: &[N], base: i64, shift: u32, words: &mut [i64]) {
    for (word, value) in words.iter_mut().zip(values) {
        *word += (value.to_i64() - base) << shift;
    }
}

vectorised! {
    /// Writes `begin` plus each value's distance from `base`, shifted left; integers of at most 32 bits.
    fn put_shifted<N: Integer>(values: &[N], base: i64, shift: u32, begin: i64, words: &mut [i64]) = put_shifted_body
}

#[inline(always)]
fn put_shifted_body<N: Integer>(
    values: &[N],
    base: i64,
    shift: u32,
    begin: i64,
    words: &mut [i64],
) {
    for (word, value) in words.iter_mut().zip(values) {
        *word = begin + ((value.to_i64() - base) << shift);
    }
}

vectorised! {
    /// Adds to each count the rows of its group.
    fn count_few(counts: &mut [i64], groups: &[u32]) = count_few_body
}

#[inline(always)]
fn count_few_body(counts: &mut [i64], groups: &[u32]) {
    for (group, count) in (0_u32..).zip(counts) {
        let rows: u32 = groups.iter().map(|of| u32::from(*of == group)).sum();
        *count += i64::from(rows);
    }
}

#[cfg(test)]
#[expect(clippy::result_large_err, reason = "proptest's error type")]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn sums_are_exact(values in prop::collection::vec(any::<i64>(), 0..100)) {
            let unsigned: Vec<u64> = values.iter().map(|value| value.cast_unsigned()).collect();
            prop_assert_eq!(sum(&values), values.iter().copied().map(i128::from).sum::<i128>());
            prop_assert_eq!(sum(&unsigned), unsigned.iter().copied().map(i128::from).sum::<i128>());
            let small: Vec<i8> = values.iter().map(|value| value.to_le_bytes()[0].cast_signed()).collect();
            prop_assert_eq!(sum(&small), small.iter().copied().map(i128::from).sum::<i128>());
        }
    }

    proptest! {
        #[test]
        fn distances_are_put_into_words_one_by_one(
            values in prop::collection::vec(-100..100_i16, 0..300),
            shift in 0..40_u32,
        ) {
            let mut words: Vec<i64> = (0..).take(values.len()).collect();
            add_shifted(&values, -100, shift, &mut words);
            let mut put = vec![7; values.len()];
            put_shifted(&values, -100, shift, 5, &mut put);
            for (((row, word), put), value) in (0..).zip(words).zip(put).zip(values) {
                let shifted = (i64::from(value) + 100) << shift;
                prop_assert_eq!((word, put), (row + shifted, 5 + shifted));
            }
        }
    }

    proptest! {
        #[test]
        fn few_groups_are_summed_and_counted_as_one_by_one(
            rows in prop::collection::vec((0_u32..5, any::<i32>()), 0..3_000),
        ) {
            let (groups, values): (Vec<u32>, Vec<i32>) = rows.into_iter().unzip();
            let (mut sums, mut counts) = ([7_i64; 6], [7_i64; 6]);
            let (mut expected_sums, mut expected_counts) = (sums, counts);
            for (group, value) in groups.iter().zip(&values) {
                expected_sums[*group as usize] += i64::from(*value);
                expected_counts[*group as usize] += 1;
            }
            add_to_few(&mut sums, &groups, &values);
            count_few(&mut counts, &groups);
            prop_assert_eq!((sums, counts), (expected_sums, expected_counts));
            prop_assert_eq!(sum_narrow(&values), values.iter().map(|value| i64::from(*value)).sum::<i64>());
        }
    }

    #[test]
    fn extremes_do_not_overflow() {
        assert_eq!(sum(&[u64::MAX; 3]), 3 * i128::from(u64::MAX));
        assert_eq!(sum(&[i64::MIN; 3]), 3 * i128::from(i64::MIN));
        assert_eq!(sum::<i32>(&[]), 0);
    }
}
