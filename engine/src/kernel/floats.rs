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
    /// Least and greatest exponent field, at least 1, of the values that are not 0; (`u32::MAX`, 0)
    /// when there are none.
    fn exponent_fields(values: &[f64]) -> (u32, u32) = exponent_fields_body
}

#[inline(always)]
fn exponent_fields_body(values: &[f64]) -> (u32, u32) {
    // Without their sign, doubles order as their bits do; less one, zeros are the greatest.
    let (mut least, mut greatest) = (u64::MAX, 0);
    for value in values {
        let magnitude = value.to_bits() << 1;
        least = least.min(magnitude.wrapping_sub(1));
        greatest = greatest.max(magnitude);
    }
    if greatest == 0 {
        return (u32::MAX, 0);
    }
    let field = |magnitude: u64| (magnitude >> (MANTISSA_BITS + 1)).max(1) as u32;
    (field(least + 1), field(greatest))
}

/// The mantissa with its sign, and how far it is shifted in units of 2^(`unit` - 1075), at most 63 bits.
#[inline(always)]
fn mantissa_and_shift(value: f64, unit: u64) -> (i64, u64) {
    let bits = value.to_bits();
    let field = bits >> MANTISSA_BITS & EXPONENT_MASK;
    let leading = if field > 0 { 1 << MANTISSA_BITS } else { 0 };
    let mantissa = bits & ((1 << MANTISSA_BITS) - 1) | leading;
    let sign = bits.cast_signed() >> 63;
    ((mantissa.cast_signed() ^ sign) - sign, (field.max(unit) - unit) & 63)
}

vectorised! {
    /// Each value in units of 2^(`unit` - 1075), as the low and the high 64 bits of an integer of 128.
    /// Exponent fields are from `unit` to `unit` + 62, but for zeros.
    fn scale_floats(values: &[f64], unit: u32, lows: &mut [u64], highs: &mut [i64]) = scale_floats_body
}

#[inline(always)]
fn scale_floats_body(values: &[f64], unit: u32, lows: &mut [u64], highs: &mut [i64]) {
    let unit = u64::from(unit);
    for ((value, low), high) in values.iter().zip(lows).zip(highs) {
        let (signed, shift) = mantissa_and_shift(*value, unit);
        *low = signed.cast_unsigned() << shift;
        *high = signed >> 1 >> (63 - shift);
    }
}

vectorised! {
    /// Each value in units of 2^(`unit` - 1075), as its low `low_bits` bits and the rest. Exponent fields
    /// are from `unit` to `unit` + `low_bits`, but for zeros.
    fn split_floats(values: &[f64], unit: u32, low_bits: u32, halves: &mut [[i64; 2]]) = split_floats_body
}

#[inline(always)]
fn split_floats_body(values: &[f64], unit: u32, low_bits: u32, halves: &mut [[i64; 2]]) {
    let unit = u64::from(unit);
    let low_mask = (1_u64 << low_bits) - 1;
    for (value, half) in values.iter().zip(halves) {
        let (signed, shift) = mantissa_and_shift(*value, unit);
        let low = (signed.cast_unsigned() << shift) & low_mask;
        *half = [low.cast_signed(), signed >> (u64::from(low_bits).wrapping_sub(shift) & 63)];
    }
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
        let values = [0.0, 4.0, -0.0, -0.5, f64::from_bits(1)];
        assert_eq!(exponent_fields(&values[..4]), (1_022, 1_025));
        assert_eq!(exponent_fields(&values), (1, 1_025));
        assert_eq!(exponent_fields(&values[..1]), (u32::MAX, 0));
        assert_eq!(exponent_fields(&[f64::NAN]), (0x7FF, 0x7FF));
    }

    #[test]
    fn scaled_doubles_are_the_integers_that_they_are_in_their_unit() {
        for unit in [1, 1_000] {
            let mut values = doubles(unit, unit + 41);
            values.extend([0.0, -0.0]);
            let (mut lows, mut highs) = (vec![0; values.len()], vec![0; values.len()]);
            let scale = u32::try_from(unit).unwrap();
            scale_floats(&values, scale, &mut lows, &mut highs);
            let mut halves = vec![[7; 2]; values.len()];
            split_floats(&values, scale, 41, &mut halves);
            for (((value, low), high), halves) in values.iter().zip(lows).zip(highs).zip(halves) {
                let bits = value.to_bits();
                let field = bits >> MANTISSA_BITS & EXPONENT_MASK;
                let fraction = i128::from(bits & ((1 << MANTISSA_BITS) - 1));
                let leading = if field > 0 { 1 << MANTISSA_BITS } else { 0 };
                let mantissa = (fraction + leading) << field.saturating_sub(unit);
                let naive = if value.is_sign_negative() { -mantissa } else { mantissa };
                assert_eq!(i128::from(high) << 64 | i128::from(low), naive, "{value:e}");
                assert!((0..1 << 41).contains(&halves[0]), "{value:e}");
                assert_eq!(
                    (i128::from(halves[1]) << 41) + i128::from(halves[0]),
                    naive,
                    "{value:e}"
                );
            }
        }
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
