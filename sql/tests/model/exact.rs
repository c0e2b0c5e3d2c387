//! Exact numbers: doubles as fractions of big integers, and back with one rounding.

use num_bigint::{BigInt, Sign};

/// The place of a double's last possible bit: every finite double is a multiple of 2^-1074.
const LOWEST_EXPONENT: i64 = -1_074;
/// Bits of a double's mantissa.
const MANTISSA_BITS: i64 = 53;

/// A finite double in units of 2^-1074.
pub(crate) fn in_smallest_units(value: f64) -> BigInt {
    let bits = value.to_bits();
    let (field, fraction) = (bits >> 52 & 0x7ff, bits & ((1 << 52) - 1));
    let magnitude = match field {
        0 => BigInt::from(fraction),
        _ => BigInt::from(fraction | 1 << 52) << (field - 1),
    };
    if value.is_sign_negative() { -magnitude } else { magnitude }
}

/// 2^1074.
pub(crate) fn smallest_units_per_one() -> BigInt {
    BigInt::from(1) << LOWEST_EXPONENT.unsigned_abs()
}

/// 10^digits.
pub(crate) fn power_of_ten(digits: u32) -> BigInt {
    BigInt::from(10).pow(digits)
}

/// The double nearest to `numerator / denominator`, ties to even; infinite beyond the largest.
pub(crate) fn nearest_double(numerator: &BigInt, denominator: &BigInt) -> f64 {
    let (n, d) = (BigInt::from(numerator.magnitude().clone()), denominator);
    if n == BigInt::ZERO {
        return 0.0;
    }
    // The quotient has `length` or `length + 1` bits before the point.
    let length = bit_count(&n) - bit_count(d);
    let mut exponent = (length - MANTISSA_BITS).max(LOWEST_EXPONENT);
    if bit_count(&scaled(&n, d, exponent).0) > MANTISSA_BITS {
        exponent += 1;
    }
    let (quotient, remainder, unit) = scaled(&n, d, exponent);
    let is_odd = quotient.bit(0);
    let twice = remainder * 2_u32;
    let mantissa =
        if twice > unit || (twice == unit && is_odd) { quotient + 1_u32 } else { quotient };
    let mantissa = u64::try_from(mantissa).expect("at most 2^53");
    #[expect(clippy::cast_precision_loss, reason = "at most 2^53: exact")]
    let value = mantissa as f64 * power_of_two(exponent);
    if numerator.sign() == Sign::Minus { -value } else { value }
}

/// Quotient and remainder of `n / (d × 2^exponent)`, and what the remainder is a part of.
fn scaled(n: &BigInt, d: &BigInt, exponent: i64) -> (BigInt, BigInt, BigInt) {
    let shift = exponent.unsigned_abs();
    let (n, d) = if exponent < 0 { (n << shift, d.clone()) } else { (n.clone(), d << shift) };
    (&n / &d, &n % &d, d)
}

fn bit_count(value: &BigInt) -> i64 {
    i64::try_from(value.bits()).expect("a few thousand bits")
}

/// Exact: the result is normal, subnormal or infinite.
fn power_of_two(exponent: i64) -> f64 {
    let bits = match exponent {
        1_024.. => 0x7ff << 52,
        -1_022..=1_023 => (exponent + 1_023) << 52,
        _ => 1 << (exponent - LOWEST_EXPONENT),
    };
    f64::from_bits(bits.cast_unsigned())
}

/// `numerator / denominator` to the nearest integer, halves away from zero.
pub(crate) fn half_away(numerator: &BigInt, denominator: &BigInt) -> BigInt {
    let (quotient, remainder) = (numerator / denominator, numerator % denominator);
    let away = if numerator.sign() == Sign::Minus { -1 } else { 1 };
    if remainder.magnitude() * 2_u32 >= *denominator.magnitude() {
        quotient + away
    } else {
        quotient
    }
}
