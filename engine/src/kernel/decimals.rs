//! Floats from and to decimal integers: the arithmetic of ALP.
#![expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    reason = "whether a float survived is decided by comparing its bits afterwards"
)]

use super::dispatch::vectorised;

/// The exponents e and f of ALP: value = digits × 10ᶠ × 10⁻ᵉ.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Decimals {
    exponent: u8,
    factor: u8,
}

const POWERS: [f64; 19] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16,
    1e17, 1e18,
];
const INVERSES: [f64; 19] = [
    1e0, 1e-1, 1e-2, 1e-3, 1e-4, 1e-5, 1e-6, 1e-7, 1e-8, 1e-9, 1e-10, 1e-11, 1e-12, 1e-13, 1e-14,
    1e-15, 1e-16, 1e-17, 1e-18,
];

/// 1.5 × 2⁵²: a double of at most 2⁵¹ added to it is rounded to an integer, in its low bits.
const ROUNDER: f64 = 6_755_399_441_055_744.0;

impl Decimals {
    /// The greatest exponent.
    pub(crate) const MAX: u8 = 18;

    /// The pair, if `factor <= exponent <= MAX`.
    pub(crate) fn new(exponent: u8, factor: u8) -> Option<Decimals> {
        (factor <= exponent && exponent <= Decimals::MAX).then_some(Decimals { exponent, factor })
    }

    pub(crate) fn exponent(self) -> u8 {
        self.exponent
    }

    pub(crate) fn factor(self) -> u8 {
        self.factor
    }

    #[inline(always)]
    fn multipliers(self) -> (f64, f64) {
        (POWERS[usize::from(self.exponent)], INVERSES[usize::from(self.factor)])
    }

    #[inline(always)]
    fn divisors(self) -> (f64, f64) {
        (POWERS[usize::from(self.factor)], INVERSES[usize::from(self.exponent)])
    }
}

/// The integer nearest to `value`; anything when that is beyond 2⁵¹.
#[inline(always)]
fn round(value: f64) -> i64 {
    (value + ROUNDER).to_bits().wrapping_sub(ROUNDER.to_bits()).cast_signed()
}

vectorised! {
    /// round(v × 10ᵉ × 10⁻ᶠ) of each value; anything where that is beyond 2⁵¹.
    fn digits_of_f64(values: &[f64], decimals: Decimals, digits: &mut [i64]) = digits_of_f64_body
}

#[inline(always)]
fn digits_of_f64_body(values: &[f64], decimals: Decimals, digits: &mut [i64]) {
    let (power, inverse) = decimals.multipliers();
    for (value, digits) in values.iter().zip(digits) {
        *digits = round(value * power * inverse);
    }
}

vectorised! {
    /// i × 10ᶠ × 10⁻ᵉ of each integer.
    fn f64_of_digits(digits: &[i64], decimals: Decimals, values: &mut [f64]) = f64_of_digits_body
}

#[inline(always)]
fn f64_of_digits_body(digits: &[i64], decimals: Decimals, values: &mut [f64]) {
    let (power, inverse) = decimals.divisors();
    for (digits, value) in digits.iter().zip(values) {
        *value = *digits as f64 * power * inverse;
    }
}

vectorised! {
    /// Replaces each integer i by the bits of i × 10ᶠ × 10⁻ᵉ.
    fn f64_in_place(lanes: &mut [u64], decimals: Decimals) = f64_in_place_body
}

#[inline(always)]
fn f64_in_place_body(lanes: &mut [u64], decimals: Decimals) {
    let (power, inverse) = decimals.divisors();
    for lane in lanes {
        *lane = (lane.cast_signed() as f64 * power * inverse).to_bits();
    }
}

vectorised! {
    /// round(v × 10ᵉ × 10⁻ᶠ) of each value, its low 32 bits.
    fn digits_of_f32(values: &[f32], decimals: Decimals, digits: &mut [i32]) = digits_of_f32_body
}

#[inline(always)]
fn digits_of_f32_body(values: &[f32], decimals: Decimals, digits: &mut [i32]) {
    let (power, inverse) = decimals.multipliers();
    for (value, digits) in values.iter().zip(digits) {
        *digits = round(f64::from(*value) * power * inverse) as i32;
    }
}

vectorised! {
    /// The float nearest to i × 10ᶠ × 10⁻ᵉ of each integer.
    fn f32_of_digits(digits: &[i32], decimals: Decimals, values: &mut [f32]) = f32_of_digits_body
}

#[inline(always)]
fn f32_of_digits_body(digits: &[i32], decimals: Decimals, values: &mut [f32]) {
    let (power, inverse) = decimals.divisors();
    for (digits, value) in digits.iter().zip(values) {
        *value = (f64::from(*digits) * power * inverse) as f32;
    }
}

vectorised! {
    /// Replaces each integer i by the bits of the float nearest to i × 10ᶠ × 10⁻ᵉ.
    fn f32_in_place(lanes: &mut [u32], decimals: Decimals) = f32_in_place_body
}

#[inline(always)]
fn f32_in_place_body(lanes: &mut [u32], decimals: Decimals) {
    let (power, inverse) = decimals.divisors();
    for lane in lanes {
        *lane = ((f64::from(lane.cast_signed()) * power * inverse) as f32).to_bits();
    }
}
