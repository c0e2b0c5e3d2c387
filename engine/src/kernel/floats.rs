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

#[cfg(test)]
mod tests {
    use super::*;

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
