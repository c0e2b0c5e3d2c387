//! Exact sums of integers.

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

    #[test]
    fn extremes_do_not_overflow() {
        assert_eq!(sum(&[u64::MAX; 3]), 3 * i128::from(u64::MAX));
        assert_eq!(sum(&[i64::MIN; 3]), 3 * i128::from(i64::MIN));
        assert_eq!(sum::<i32>(&[]), 0);
    }
}
