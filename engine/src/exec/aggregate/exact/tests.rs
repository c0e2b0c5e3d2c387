//! Exact sums against big integers that are as slow as they are obvious.
#![expect(
    clippy::result_large_err,
    clippy::float_cmp,
    clippy::cast_precision_loss,
    reason = "proptest's error type; exact results are what is tested; powers of two convert"
)]

use proptest::prelude::*;

use super::*;

/// A non-negative integer: bits, least significant first.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Big(Vec<bool>);

impl Big {
    fn from_u128(value: u128, shift: usize) -> Big {
        let mut bits = vec![false; shift];
        bits.extend((0..128).map(|bit| value >> bit & 1 == 1));
        Big(bits).trimmed()
    }

    fn trimmed(mut self) -> Big {
        while self.0.last() == Some(&false) {
            self.0.pop();
        }
        self
    }

    fn bit(&self, index: usize) -> bool {
        self.0.get(index).copied().unwrap_or(false)
    }

    fn add(&self, other: &Big) -> Big {
        let len = self.0.len().max(other.0.len()) + 1;
        let mut carry = false;
        let mut sum = Vec::new();
        for index in 0..len {
            let ones = [self.bit(index), other.bit(index), carry].iter().filter(|b| **b).count();
            sum.push(ones % 2 == 1);
            carry = ones > 1;
        }
        Big(sum).trimmed()
    }

    fn is_less(&self, other: &Big) -> bool {
        let len = self.0.len().max(other.0.len());
        (0..len).rev().map(|i| self.bit(i)).lt((0..len).rev().map(|i| other.bit(i)))
    }

    fn subtract(&self, other: &Big) -> Big {
        let mut borrow = false;
        let mut difference = Vec::new();
        for index in 0..self.0.len() {
            let value =
                i32::from(self.bit(index)) - i32::from(other.bit(index)) - i32::from(borrow);
            difference.push(value.rem_euclid(2) == 1);
            borrow = value < 0;
        }
        Big(difference).trimmed()
    }

    fn shifted(&self, by: usize) -> Big {
        let mut bits = vec![false; by];
        bits.extend(&self.0);
        Big(bits).trimmed()
    }
}

/// positives - negatives, in units of 2^-1074.
#[derive(Clone, Debug)]
struct Naive {
    positive: Big,
    negative: Big,
}

impl Naive {
    fn of(values: &[f64]) -> Naive {
        let mut naive = Naive { positive: Big(vec![]), negative: Big(vec![]) };
        for value in values {
            let (mantissa, exponent) = split(value.to_bits());
            let big = Big::from_u128(mantissa.into(), exponent as usize - 1);
            if *value < 0.0 {
                naive.negative = naive.negative.add(&big);
            } else {
                naive.positive = naive.positive.add(&big);
            }
        }
        naive
    }

    /// Whether `result` is the double nearest to sum / divisor: the sum lies between the midpoints
    /// to its neighbours. All in units of 2^-1075 × divisor, so that midpoints are integers.
    fn is_rounded(&self, divisor: u64, result: f64) -> bool {
        let flip = self.positive.is_less(&self.negative);
        let (larger, smaller) =
            if flip { (&self.negative, &self.positive) } else { (&self.positive, &self.negative) };
        let sum = larger.subtract(smaller).shifted(1);
        if sum.0.is_empty() {
            return result.to_bits() == 0;
        }
        if (result < 0.0) != flip && result != 0.0 {
            return false;
        }
        let bits = result.abs().to_bits();
        let multiple = |bits: u64| {
            let (mantissa, exponent) = split(bits);
            let product = u128::from(mantissa) * u128::from(divisor);
            Big::from_u128(product, exponent as usize - 1)
        };
        // A midpoint is the mean of two neighbours: their sum, as one unit is half of 2^-1074.
        let below = if bits == 0 { Big(vec![]) } else { multiple(bits).add(&multiple(bits - 1)) };
        let above = multiple(bits).add(&multiple(bits + 1));
        let even = bits.is_multiple_of(2);
        let low_enough = sum.is_less(&above) || (even && sum == above);
        let high_enough = below.is_less(&sum) || (even && sum == below);
        low_enough && high_enough
    }
}

fn sum_in_pieces(values: &[f64], pieces: usize, divisor: u64) -> Option<f64> {
    let mut total = FloatSums::default();
    total.resize(3);
    for piece in values.chunks(values.len().div_ceil(pieces).max(1)) {
        let mut sums = FloatSums::default();
        sums.resize(1);
        for batch in piece.chunks(3) {
            sums.add_to_first(batch);
        }
        total.merge(&sums, &[0], &[2]);
    }
    total.quotient(2, divisor)
}

fn bits(value: Option<f64>) -> Option<u64> {
    value.map(f64::to_bits)
}

fn doubles() -> impl Strategy<Value = f64> {
    prop_oneof![
        any::<f64>().prop_filter("finite", |value| value.is_finite()),
        (-1_000_000_i32..1_000_000).prop_map(|cents| f64::from(cents) / 100.0),
        (0_u64..1 << 53).prop_map(f64::from_bits),
        prop_oneof![Just(f64::MAX), Just(f64::MIN), Just(f64::MIN_POSITIVE), Just(-0.0)],
        Just(1e16),
        Just(-1e16),
        Just(1.0),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn any_doubles_sum_to_the_nearest_double(
        values in prop::collection::vec(doubles(), 0..24),
        divisor in prop_oneof![Just(1_u64), 1_u64..1_000, any::<u64>().prop_map(|d| (d >> 9).max(1))],
    ) {
        let result = sum_in_pieces(&values, 1, divisor);
        let naive = Naive::of(&values);
        if let Some(result) = result {
            prop_assert!(naive.is_rounded(divisor, result), "{values:?} / {divisor} gave {result:e}");
        }
        for pieces in 2..4 {
            prop_assert_eq!(bits(sum_in_pieces(&values, pieces, divisor)), bits(result));
        }
        let mut reversed = values.clone();
        reversed.reverse();
        prop_assert_eq!(bits(sum_in_pieces(&reversed, 2, divisor)), bits(result));
        let mut wide = WideSum::new();
        for value in &values {
            wide.add(*value);
        }
        prop_assert_eq!(bits(wide.quotient(divisor)), bits(result));
    }

    #[test]
    fn ratios_of_integers_are_the_nearest_double(
        parts in prop::collection::vec(any::<i64>(), 1..6),
        shift in 0_u32..60,
        count in 1_u64..u64::MAX,
    ) {
        // A power of two as scale keeps the naive check in its units.
        let mut sum = Sum192::default();
        for part in &parts {
            sum.add(i128::from(*part) << shift);
        }
        let count = count >> 11;
        prop_assume!(count > 0);
        let naive = parts.iter().fold(
            Naive { positive: Big(vec![]), negative: Big(vec![]) },
            |mut naive, part| {
                let big = Big::from_u128(part.unsigned_abs().into(), 1_074 + shift as usize);
                let side = if *part < 0 { &mut naive.negative } else { &mut naive.positive };
                *side = side.add(&big);
                naive
            },
        );
        prop_assert!(naive.is_rounded(count, ratio(sum, count, 1)));
    }
}

#[test]
fn nothing_is_lost_between_large_values() {
    let sum = |values: &[f64]| sum_in_pieces(values, 1, 1).unwrap();
    assert_eq!(sum(&[1e16, 1.0, -1e16]), 1.0);
    assert_eq!(sum(&[1e308, 1e308, -1e308, -1e308, 5e-324]), 5e-324);
    assert_eq!(sum(&[f64::MAX, f64::MAX, -f64::MAX]), f64::MAX);
    assert_eq!(sum_in_pieces(&[f64::MAX, f64::MAX], 1, 1), None);
    assert_eq!(sum_in_pieces(&[f64::MAX, f64::MAX], 1, 2), Some(f64::MAX));
    assert_eq!(sum(&[0.1; 10]), 1.0);
    assert_eq!(sum(&[-0.0, -0.0]).to_bits(), 0.0_f64.to_bits());
}

#[test]
fn nan_and_infinities_follow_ieee() {
    let sum = |values: &[f64]| sum_in_pieces(values, 1, 1).unwrap();
    assert_eq!(sum(&[1.0, f64::INFINITY]), f64::INFINITY);
    assert_eq!(sum(&[1.0, f64::NEG_INFINITY, f64::MAX]), f64::NEG_INFINITY);
    assert!(sum(&[f64::INFINITY, f64::NEG_INFINITY]).is_nan());
    assert!(sum(&[f64::NAN, 1.0]).is_nan());
}

#[test]
fn averages_of_decimals_round_once() {
    let mut sum = Sum192::default();
    for _ in 0..3 {
        sum.add(i128::MAX);
    }
    assert_eq!(sum.to_i128(), None);
    let expected = (1_u128 << 127) as f64 / 1e10;
    assert_eq!(ratio(sum, 3, 10_000_000_000).to_bits(), expected.to_bits());
    let mut negative = Sum192::default();
    negative.add(-7);
    assert_eq!(ratio(negative, 2, 10), -0.35);
}

#[test]
fn sums_in_different_units_merge_without_wide_ones() {
    let values = [[0.5, 3.25, 1e6], [2_f64.powi(-20), -7.0, 12.5], [1e-3, 1e9, -1e6]];
    let mut total = FloatSums::default();
    total.resize(1);
    for values in values {
        let mut part = FloatSums::default();
        part.resize(1);
        part.add(&[0, 0, 0], &values);
        total.merge(&part, &[0], &[0]);
        // What a bound of 94 bits a value allows is kept as one integer.
        assert_eq!(total.bytes(), size_of::<i128>());
    }
    let mut wide = WideSum::new();
    values.iter().flatten().for_each(|value| wide.add(*value));
    assert_eq!(total.quotient(0, 1), wide.quotient(1));

    // Too far apart for one integer: a wide sum takes over, with the same result.
    let mut far = FloatSums::default();
    far.resize(1);
    far.add(&[0], &[1e-200]);
    total.merge(&far, &[0], &[0]);
    wide.add(1e-200);
    assert_eq!(total.quotient(0, 1), wide.quotient(1));
}
