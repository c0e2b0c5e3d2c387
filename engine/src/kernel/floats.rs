//! Facts about doubles that exact sums and bounds need.
#![expect(clippy::cast_possible_truncation, reason = "exponents have 11 bits")]

use super::dispatch::vectorised;

/// What [`float_facts`] finds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct FloatFacts {
    /// Least value that is no NaN; infinity when there is none.
    pub(crate) min: f64,
    /// Greatest value that is no NaN; minus infinity when there is none.
    pub(crate) max: f64,
    pub(crate) nan_count: usize,
    /// Least binary exponent of a finite value other than 0; `i16::MAX` when there is none.
    pub(crate) exponent_min: i16,
    /// Greatest such exponent; `i16::MIN` when there is none.
    pub(crate) exponent_max: i16,
    /// Exponent of the lowest bit set in any such value; `i16::MAX` when there is none.
    pub(crate) lowest_bit: i16,
}

const MANTISSA_BITS: u32 = 52;
const EXPONENT_MASK: u64 = 0x7FF;
/// What the biased exponent of a normal double is above the exponent of its lowest mantissa bit.
const BIAS: i64 = 1_075;

vectorised! {
    /// Bounds and bits of `values`.
    fn float_facts(values: &[f64]) -> FloatFacts = float_facts_body
}

#[inline(always)]
fn float_facts_body(values: &[f64]) -> FloatFacts {
    let (mut min, mut max) = (f64::INFINITY, f64::NEG_INFINITY);
    let mut nan_count = 0_u64;
    let (mut exponent_min, mut exponent_max, mut lowest_bit) = (i64::MAX, i64::MIN, i64::MAX);
    for &value in values {
        min = if value < min { value } else { min };
        max = if value > max { value } else { max };
        nan_count += u64::from(value.is_nan());

        let bits = value.to_bits();
        let exponent = bits >> MANTISSA_BITS & EXPONENT_MASK;
        let mantissa = bits & ((1 << MANTISSA_BITS) - 1);
        let is_normal = exponent > 0;
        let mantissa = mantissa | u64::from(is_normal) << MANTISSA_BITS;
        let lowest = exponent.max(1).cast_signed() - BIAS;
        let counts = exponent < EXPONENT_MASK && mantissa > 0;
        let top = lowest + 63 - i64::from(mantissa.leading_zeros());
        let bottom = lowest + i64::from(mantissa.trailing_zeros());
        exponent_min = exponent_min.min(if counts { top } else { i64::MAX });
        exponent_max = exponent_max.max(if counts { top } else { i64::MIN });
        lowest_bit = lowest_bit.min(if counts { bottom } else { i64::MAX });
    }
    FloatFacts {
        min,
        max,
        nan_count: nan_count as usize,
        exponent_min: exponent_min.min(i16::MAX.into()) as i16,
        exponent_max: exponent_max.max(i16::MIN.into()) as i16,
        lowest_bit: lowest_bit.min(i16::MAX.into()) as i16,
    }
}

vectorised! {
    /// Greatest exponent field, at least 1, of the values that are not 0; 0 when there are none.
    fn greatest_exponent(values: &[f64]) -> u32 = greatest_exponent_body
}

#[inline(always)]
fn greatest_exponent_body(values: &[f64]) -> u32 {
    // Without their sign, doubles order as their bits do.
    let greatest = values.iter().fold(0, |greatest, value| greatest.max(value.to_bits() << 1));
    if greatest == 0 { 0 } else { (greatest >> (MANTISSA_BITS + 1)).max(1) as u32 }
}

/// The mantissa with its sign, how far it is shifted in units of 2^(`unit` - 1075), at most 63 bits, and
/// the bits below the unit, which it has no longer.
#[inline(always)]
fn mantissa_and_shift(value: f64, unit: u64) -> (i64, u64, i64) {
    let bits = value.to_bits();
    let field = bits >> MANTISSA_BITS & EXPONENT_MASK;
    let leading = if field > 0 { 1 << MANTISSA_BITS } else { 0 };
    let mantissa = bits & ((1 << MANTISSA_BITS) - 1) | leading;
    let sign = bits.cast_signed() >> 63;
    let signed = (mantissa.cast_signed() ^ sign) - sign;
    let below = (unit - field.max(1).min(unit)).min(63);
    let kept = signed >> below;
    (kept, (field.max(unit) - unit) & 63, (kept << below) ^ signed)
}

vectorised! {
    /// Each value in units of 2^(`unit` - 1075), as the low and the high 64 bits of an integer of 128.
    /// Exponent fields are at most `unit` + 62. The result is 0 if all values are multiples of the unit.
    fn scale_floats(values: &[f64], unit: u32, lows: &mut [u64], highs: &mut [i64]) -> i64 = scale_floats_body
}

#[inline(always)]
fn scale_floats_body(values: &[f64], unit: u32, lows: &mut [u64], highs: &mut [i64]) -> i64 {
    let unit = u64::from(unit);
    let mut lost = 0;
    for ((value, low), high) in values.iter().zip(lows).zip(highs) {
        let (signed, shift, below) = mantissa_and_shift(*value, unit);
        *low = signed.cast_unsigned() << shift;
        *high = signed >> 1 >> (63 - shift);
        lost |= below;
    }
    lost
}

vectorised! {
    /// Each value in units of 2^(`unit` - 1075), as its low `low_bits` bits and the rest. Exponent fields
    /// are at most `unit` + `low_bits`. The result is 0 if all values are multiples of the unit.
    fn split_floats(values: &[f64], unit: u32, low_bits: u32, halves: &mut [[i64; 2]]) -> i64 = split_floats_body
}

#[inline(always)]
fn split_floats_body(values: &[f64], unit: u32, low_bits: u32, halves: &mut [[i64; 2]]) -> i64 {
    let unit = u64::from(unit);
    let low_mask = (1_u64 << low_bits) - 1;
    let mut lost = 0;
    for (value, half) in values.iter().zip(halves) {
        let (signed, shift, below) = mantissa_and_shift(*value, unit);
        let low = (signed.cast_unsigned() << shift) & low_mask;
        *half = [low.cast_signed(), signed >> (u64::from(low_bits).wrapping_sub(shift) & 63)];
        lost |= below;
    }
    lost
}

vectorised! {
    /// Each value as an integer that orders as SQL orders doubles: NaNs are equal and the greatest, both
    /// zeros equal.
    fn float_orders(values: &[f64], orders: &mut [u64]) = float_orders_body
}

#[inline(always)]
fn float_orders_body(values: &[f64], orders: &mut [u64]) {
    for (value, order) in values.iter().zip(orders) {
        // A positive zero takes the sign from a negative one.
        let bits = (value + 0.0).to_bits();
        let bits = if value.is_nan() { f64::NAN.to_bits() } else { bits };
        let sign = (bits.cast_signed() >> 63).cast_unsigned();
        *order = bits ^ (sign | 1 << 63);
    }
}

vectorised! {
    /// Exclusive or with `flip`, then not below the first of `limits` nor above the second.
    fn flip_and_clamp(values: &mut [u64], flip: u64, limits: (u64, u64)) = flip_and_clamp_body
}

#[inline(always)]
fn flip_and_clamp_body(values: &mut [u64], flip: u64, limits: (u64, u64)) {
    for value in values {
        *value = (*value ^ flip).clamp(limits.0, limits.1);
    }
}

vectorised! {
    /// Each product, rounded, and what rounding took from it: by fused multiplication.
    fn two_products(x: &[f64], y: &[f64], products: &mut [f64], rests: &mut [f64]) = two_products_body
}

#[inline(always)]
fn two_products_body(x: &[f64], y: &[f64], products: &mut [f64], rests: &mut [f64]) {
    for (((x, y), product), rest) in x.iter().zip(y).zip(products).zip(rests) {
        *product = x * y;
        *rest = x.mul_add(*y, -*product);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Doubles of all exponents from `from` to `to`, both signs.
    fn doubles(from: u64, to: u64) -> Vec<f64> {
        let mut state = 1_u64;
        let mut next = || {
            state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            state
        };
        (0..1_000)
            .map(|_| {
                let field = from + (next() >> 33) % (to - from + 1);
                f64::from_bits(next() & 0x800F_FFFF_FFFF_FFFF | field << MANTISSA_BITS)
            })
            .collect()
    }

    #[test]
    fn exponents_are_those_of_the_values_that_are_not_zero() {
        assert_eq!(greatest_exponent(&[0.0, 4.0, -0.0, -0.5, f64::from_bits(1)]), 1_025);
        assert_eq!(greatest_exponent(&[f64::from_bits(1), -0.0]), 1);
        assert_eq!(greatest_exponent(&[-0.0]), 0);
        assert_eq!(greatest_exponent(&[f64::NAN]), 0x7FF);
    }

    /// The double in units of 2^(`unit` - 1075), if it is a multiple of that.
    fn naive(value: f64, unit: u64) -> Option<i128> {
        let bits = value.to_bits();
        let field = bits >> MANTISSA_BITS & EXPONENT_MASK;
        let fraction = i128::from(bits & ((1 << MANTISSA_BITS) - 1));
        let mantissa = fraction + if field > 0 { 1 << MANTISSA_BITS } else { 0 };
        let field = field.max(1);
        let magnitude = if field >= unit {
            mantissa << (field - unit)
        } else {
            let below = (unit - field).min(100);
            (mantissa >> below << below == mantissa).then_some(mantissa >> below)?
        };
        Some(if value.is_sign_negative() { -magnitude } else { magnitude })
    }

    #[test]
    fn scaled_doubles_are_the_integers_that_they_are_in_their_unit() {
        for unit in [1_u64, 60, 1_000] {
            let mut values = doubles(unit.saturating_sub(54), unit + 41);
            values.extend(doubles(unit, unit + 41));
            let short = doubles(unit.saturating_sub(40), unit + 2);
            values.extend(short.iter().map(|value| f64::from_bits(value.to_bits() >> 45 << 45)));
            values.extend([0.0, -0.0, f64::from_bits(1)]);
            let scale = u32::try_from(unit).unwrap();
            let (mut multiples, mut others) = (0, 0);
            for value in values {
                let (mut low, mut high, mut halves) = ([7], [7], [[7; 2]]);
                let lost = scale_floats(&[value], scale, &mut low, &mut high);
                let lost_by_halves = split_floats(&[value], scale, 41, &mut halves);
                let Some(naive) = naive(value, unit) else {
                    assert!(lost != 0 && lost_by_halves != 0, "{value:e}");
                    others += 1;
                    continue;
                };
                multiples += 1;
                assert!(lost == 0 && lost_by_halves == 0, "{value:e}");
                assert_eq!(i128::from(high[0]) << 64 | i128::from(low[0]), naive, "{value:e}");
                let [low, high] = halves[0];
                assert!((0..1 << 41).contains(&low), "{value:e}");
                assert_eq!((i128::from(high) << 41) + i128::from(low), naive, "{value:e}");
            }
            assert!(multiples > 1_000 && (others > 100 || unit == 1), "{multiples}, {others}");
        }
    }

    #[test]
    fn one_value_among_many_that_is_no_multiple_is_seen() {
        let mut values = doubles(1_000, 1_041);
        let len = values.len();
        let (mut lows, mut highs) = (vec![0; len], vec![0; len]);
        let mut halves = vec![[0; 2]; len];
        assert_eq!(scale_floats(&values, 1_000, &mut lows, &mut highs), 0);
        assert_eq!(split_floats(&values, 1_000, 41, &mut halves), 0);
        values[len - 2] = f64::from_bits(999 << MANTISSA_BITS | 1);
        assert_ne!(scale_floats(&values, 1_000, &mut lows, &mut highs), 0);
        assert_ne!(split_floats(&values, 1_000, 41, &mut halves), 0);
    }

    #[test]
    fn doubles_order_as_their_integers() {
        let mut values = doubles(0, 0x7FF);
        values.extend([0.0, -0.0, f64::INFINITY, f64::NEG_INFINITY, f64::NAN, -f64::NAN]);
        let mut orders = vec![7; values.len()];
        float_orders(&values, &mut orders);
        for (left, left_order) in values.iter().zip(&orders) {
            for (right, right_order) in values.iter().zip(&orders) {
                let nan_last = left.is_nan().cmp(&right.is_nan());
                let naive = left.partial_cmp(right).unwrap_or(nan_last);
                assert_eq!(left_order.cmp(right_order), naive, "{left:e} and {right:e}");
            }
        }
        flip_and_clamp(&mut orders, u64::MAX, (5, u64::MAX - 5));
        assert!(orders.iter().all(|order| (5..=u64::MAX - 5).contains(order)));
        let mut few = [0, 1, u64::MAX];
        flip_and_clamp(&mut few, 1, (1, u64::MAX - 1));
        assert_eq!(few, [1, 1, u64::MAX - 1]);
    }

    #[test]
    fn a_product_and_its_rest_are_the_exact_product() {
        let (x, y) = (doubles(1_000, 1_040), doubles(900, 1_100));
        let (mut products, mut rests) = (vec![0.0; x.len()], vec![0.0; x.len()]);
        two_products(&x, &y, &mut products, &mut rests);
        for (index, (product, rest)) in products.iter().zip(rests).enumerate() {
            let rounded = x[index] * y[index];
            assert_eq!(product.to_bits(), rounded.to_bits());
            assert_eq!(rest.to_bits(), x[index].mul_add(y[index], -rounded).to_bits());
        }
    }

    #[test]
    fn bits_are_those_of_finite_values() {
        let facts = float_facts(&[6.0, -0.25, 0.0, f64::NAN, f64::INFINITY]);
        assert_eq!((facts.exponent_min, facts.exponent_max, facts.lowest_bit), (-2, 2, -2));
        assert_eq!((facts.min, facts.max, facts.nan_count), (-0.25, f64::INFINITY, 1));
    }

    #[test]
    fn the_least_double_has_the_lowest_bit() {
        let facts = float_facts(&[f64::from_bits(1), f64::MAX]);
        assert_eq!((facts.exponent_min, facts.exponent_max), (-1_074, 1_023));
        assert_eq!(facts.lowest_bit, -1_074);
    }

    #[test]
    fn no_values_have_no_bits() {
        let facts = float_facts(&[-0.0]);
        assert_eq!((facts.exponent_min, facts.exponent_max), (i16::MAX, i16::MIN));
        assert_eq!(facts.lowest_bit, i16::MAX);
    }
}
