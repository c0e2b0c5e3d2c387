//! Sums without rounding: of doubles, of integers, and the one rounding at the end.
//!
//! Integers are summed in 64, 128 or 192 bits. For doubles, [`FloatSums`] keeps one 128-bit integer
//! per group in a common unit while the values' exponents allow it, and a [`WideSum`] per group for
//! what does not fit. As nothing is rounded before the end, the order of additions does not matter:
//! any number of threads gives the same bits.

mod floats;
mod ratio;
#[cfg(test)]
mod tests;
mod wide;

pub(crate) use self::floats::FloatSums;
pub(crate) use self::ratio::{Sum192, ratio};
pub(crate) use self::wide::WideSum;

/// Mantissa and exponent field (at least 1) of a finite double: its magnitude is
/// mantissa × 2^(exponent - 1075).
fn split(bits: u64) -> (u64, u32) {
    let field = exponent_field(bits);
    let fraction = bits & ((1 << 52) - 1);
    if field == 0 { (fraction, 1) } else { (fraction | (1 << 52), field) }
}

fn exponent_field(bits: u64) -> u32 {
    // The shift leaves twelve bits, of which the first is the sign.
    (bits >> 52) as u32 & 0x7ff
}
