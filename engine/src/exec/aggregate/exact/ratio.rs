//! Fractions of large integers as doubles, rounded once.

/// A sum of 128-bit integers: 192 bits in two's complement, so that 2^64 of them fit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Sum192 {
    low: u128,
    high: i64,
}

impl Sum192 {
    /// Adds one integer.
    pub(crate) fn add(&mut self, value: i128) {
        let (low, carry) = self.low.overflowing_add(value.cast_unsigned());
        self.low = low;
        self.high += i64::from(carry) - i64::from(value < 0);
    }

    /// Adds another sum.
    pub(crate) fn merge(&mut self, other: Sum192) {
        let (low, carry) = self.low.overflowing_add(other.low);
        self.low = low;
        self.high += other.high + i64::from(carry);
    }

    /// The sum where 128 bits hold it.
    pub(crate) fn to_i128(self) -> Option<i128> {
        let low = self.low.cast_signed();
        (self.high == if low < 0 { -1 } else { 0 }).then_some(low)
    }

    /// Sign and magnitude as limbs, least significant first.
    fn magnitude(self) -> (bool, [u64; LIMBS]) {
        let negative = self.high < 0;
        let (mut low, mut high) = (self.low, self.high.cast_unsigned());
        if negative {
            let (negated, carry) = (!low).overflowing_add(1);
            low = negated;
            high = (!high).wrapping_add(u64::from(carry));
        }
        let mut limbs = [0; LIMBS];
        limbs[0] = low_half(low);
        limbs[1] = low_half(low >> 64);
        limbs[2] = high;
        (negative, limbs)
    }
}

/// 192 bits of either side, and 67 for the quotient's precision.
const LIMBS: usize = 7;
/// A quotient of at least this many bits rounds right with one sticky bit.
const QUOTIENT_BITS: u32 = 66;

/// `sum` ÷ (`count` × `scale`) rounded once, ties to even. `count` and `scale` are not 0.
pub(crate) fn ratio(sum: Sum192, count: u64, scale: u128) -> f64 {
    if let (Some(sum), Ok(divisor)) =
        (sum.to_i128(), u64::try_from(scale.saturating_mul(count.into())))
    {
        if sum.unsigned_abs() <= 1 << 53 && divisor <= 1 << 53 {
            return quick(sum, divisor);
        }
        let value = divide_narrow(sum.unsigned_abs(), divisor);
        return if sum < 0 { -value } else { value };
    }
    let (negative, numerator) = sum.magnitude();
    let value = divide(numerator, product(count, scale));
    if negative { -value } else { value }
}

#[expect(clippy::cast_precision_loss, reason = "both are at most 2^53: the conversions are exact")]
fn quick(sum: i128, divisor: u64) -> f64 {
    sum as f64 / divisor as f64
}

#[expect(clippy::cast_possible_truncation, reason = "the low half is what is asked for")]
fn low_half(value: u128) -> u64 {
    value as u64
}

fn product(count: u64, scale: u128) -> [u64; LIMBS] {
    let low = u128::from(low_half(scale)) * u128::from(count);
    let high = (scale >> 64) * u128::from(count) + (low >> 64);
    let mut limbs = [0; LIMBS];
    limbs[0] = low_half(low);
    limbs[1] = low_half(high);
    limbs[2] = low_half(high >> 64);
    limbs
}

fn bit_len(limbs: &[u64; LIMBS]) -> u32 {
    let mut len = 0;
    let mut base = 0;
    for limb in limbs {
        if *limb != 0 {
            len = base + 64 - limb.leading_zeros();
        }
        base += 64;
    }
    len
}

fn shift_left(limbs: &[u64; LIMBS], bits: u32) -> [u64; LIMBS] {
    let (whole, part) = ((bits / 64) as usize, bits % 64);
    let mut shifted = [0; LIMBS];
    for index in whole..LIMBS {
        shifted[index] = limbs[index - whole] << part;
        if part > 0 && index > whole {
            shifted[index] |= limbs[index - whole - 1] >> (64 - part);
        }
    }
    shifted
}

fn less(left: &[u64; LIMBS], right: &[u64; LIMBS]) -> bool {
    left.iter().rev().lt(right.iter().rev())
}

fn subtract(left: &mut [u64; LIMBS], right: &[u64; LIMBS]) {
    let mut borrow = false;
    for (limb, other) in left.iter_mut().zip(right) {
        let (difference, one) = limb.overflowing_sub(*other);
        let (difference, two) = difference.overflowing_sub(u64::from(borrow));
        *limb = difference;
        borrow = one | two;
    }
}

/// The quotient of a numerator with its first bit set by a divisor below 2^64 has at least 64 bits.
fn divide_narrow(numerator: u128, divisor: u64) -> f64 {
    if numerator == 0 {
        return 0.0;
    }
    let scale = numerator.leading_zeros();
    let (numerator, divisor) = (numerator << scale, u128::from(divisor));
    let quotient = numerator / divisor;
    let inexact = quotient * divisor != numerator;
    scaled(quotient | u128::from(inexact), scale)
}

/// Binary long division to 66 or 67 bits, then one rounding.
fn divide(numerator: [u64; LIMBS], denominator: [u64; LIMBS]) -> f64 {
    let numerator_bits = bit_len(&numerator);
    if numerator_bits == 0 {
        return 0.0;
    }
    let scale = (QUOTIENT_BITS + bit_len(&denominator)).saturating_sub(numerator_bits);
    let mut rest = shift_left(&numerator, scale);
    let steps = bit_len(&rest) - bit_len(&denominator);
    let mut quotient = 0_u128;
    // A quotient beyond 128 bits would need a numerator of 192 bits over a denominator below 64.
    let mut sticky = false;
    for step in (0..=steps).rev() {
        let shifted = shift_left(&denominator, step);
        let bit = !less(&rest, &shifted);
        if bit {
            subtract(&mut rest, &shifted);
        }
        sticky |= quotient >> 127 == 1;
        quotient = (quotient << 1) | u128::from(bit);
    }
    debug_assert!(!sticky, "the quotient fits 128 bits");
    let inexact = bit_len(&rest) != 0;
    scaled(quotient | u128::from(inexact), scale)
}

/// `quotient` × 2^-`scale`; the last bit of the quotient is sticky.
#[expect(clippy::cast_precision_loss, reason = "this conversion is the one rounding, ties to even")]
fn scaled(quotient: u128, scale: u32) -> f64 {
    // At most a few hundred: far from the least exponent of a double.
    quotient as f64 * power_of_two(-scale.cast_signed())
}

/// 2^`exponent`, which is that of a normal double.
pub(super) fn power_of_two(exponent: i32) -> f64 {
    f64::from_bits(u64::from((exponent + 1_023).cast_unsigned()) << 52)
}
