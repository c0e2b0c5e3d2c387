//! A sum of any doubles without any rounding: one fixed-point number from 2^-1074 to 2^1088.
//!
//! Kulisch's long accumulator: every finite double is an integer multiple of 2^-1074 below 2^1024, so
//! 2 098 bits hold it, and 64 more hold 2^64 of them. It is the slow, always right path; see
//! [`FloatSums`](super::FloatSums) for the quick one. Must not know groups.

/// Bits per limb.
const LIMB_BITS: u32 = 64;
/// 34 × 64 = 2 176 ≥ 2 098 + 64 + sign.
const LIMBS: usize = LIMBS_U32 as usize;
const LIMBS_U32: u32 = 34;
/// Limbs that a double's digits are in, wherever its first one is: the quotient may lack the first limb.
const DOUBLE_LIMBS: usize = 3;

/// The exact sum of the doubles added so far.
#[derive(Clone, Debug)]
pub(crate) struct WideSum {
    /// Two's complement, least significant limb first, in units of 2^-1074.
    limbs: [u64; LIMBS],
    nan: bool,
    positive_infinity: bool,
    negative_infinity: bool,
}

impl WideSum {
    /// Bits of the number, its sign among them.
    pub(crate) const BITS: u32 = LIMBS_U32 * LIMB_BITS;

    /// Nothing added yet.
    pub(crate) fn new() -> WideSum {
        WideSum {
            limbs: [0; LIMBS],
            nan: false,
            positive_infinity: false,
            negative_infinity: false,
        }
    }

    /// Adds one double.
    pub(crate) fn add(&mut self, value: f64) {
        if value.is_nan() {
            self.nan = true;
        } else if value == f64::INFINITY {
            self.positive_infinity = true;
        } else if value == f64::NEG_INFINITY {
            self.negative_infinity = true;
        } else {
            let (mantissa, exponent) = super::split(value.to_bits());
            self.add_shifted(mantissa.into(), value.is_sign_negative(), exponent - 1);
        }
    }

    /// Adds `sum` × 2^(`shift` - 1074).
    pub(crate) fn add_scaled(&mut self, sum: i128, shift: u32) {
        self.add_shifted(sum.unsigned_abs(), sum < 0, shift);
    }

    /// Adds `left` × `right` × 2^(`shift` - 1074).
    pub(crate) fn add_product(&mut self, left: i128, right: i128, shift: u32) {
        let negative = (left < 0) != (right < 0);
        let halves = |factor: i128| {
            let magnitude = factor.unsigned_abs();
            [u128::from(low_half(magnitude)), magnitude >> LIMB_BITS]
        };
        for (left, left_shift) in halves(left).into_iter().zip([0, LIMB_BITS]) {
            for (right, right_shift) in halves(right).into_iter().zip([0, LIMB_BITS]) {
                if left != 0 && right != 0 {
                    self.add_shifted(left * right, negative, shift + left_shift + right_shift);
                }
            }
        }
    }

    /// Adds what another accumulator holds.
    pub(crate) fn merge(&mut self, other: &WideSum) {
        let mut carry = false;
        for (limb, addend) in self.limbs.iter_mut().zip(other.limbs) {
            let (sum, first) = limb.overflowing_add(addend);
            let (sum, second) = sum.overflowing_add(u64::from(carry));
            *limb = sum;
            carry = first | second;
        }
        self.nan |= other.nan;
        self.positive_infinity |= other.positive_infinity;
        self.negative_infinity |= other.negative_infinity;
    }

    /// The sum divided by `divisor`, rounded once, ties to even; `None` when all values are finite
    /// and the quotient is beyond the largest double.
    pub(crate) fn quotient(&self, divisor: u64) -> Option<f64> {
        if self.nan || (self.positive_infinity && self.negative_infinity) {
            return Some(f64::NAN);
        }
        if self.positive_infinity {
            return Some(f64::INFINITY);
        }
        if self.negative_infinity {
            return Some(f64::NEG_INFINITY);
        }
        let negative = self.limbs[LIMBS - 1] >> 63 == 1;
        let mut magnitude = self.limbs;
        if negative {
            negate(&mut magnitude);
        }
        let remainder = divide(&mut magnitude, divisor);
        let value = round(&magnitude, remainder, divisor);
        value.is_finite().then_some(if negative { -value } else { value })
    }

    fn add_shifted(&mut self, magnitude: u128, negative: bool, shift: u32) {
        let (first, offset) = ((shift / LIMB_BITS) as usize, shift % LIMB_BITS);
        let low = magnitude << offset;
        let high = if offset == 0 { 0 } else { magnitude >> (128 - offset) };
        let pieces = [low_half(low), high_half(low), low_half(high)];
        if negative {
            self.subtract_at(first, pieces);
        } else {
            self.add_at(first, pieces);
        }
    }

    fn add_at(&mut self, first: usize, pieces: [u64; 3]) {
        let mut carry = false;
        for (index, limb) in self.limbs[first..].iter_mut().enumerate() {
            let piece = pieces.get(index).copied().unwrap_or(0);
            if index >= pieces.len() && !carry {
                return;
            }
            let (sum, one) = limb.overflowing_add(piece);
            let (sum, two) = sum.overflowing_add(u64::from(carry));
            *limb = sum;
            carry = one | two;
        }
    }

    fn subtract_at(&mut self, first: usize, pieces: [u64; 3]) {
        let mut borrow = false;
        for (index, limb) in self.limbs[first..].iter_mut().enumerate() {
            let piece = pieces.get(index).copied().unwrap_or(0);
            if index >= pieces.len() && !borrow {
                return;
            }
            let (difference, one) = limb.overflowing_sub(piece);
            let (difference, two) = difference.overflowing_sub(u64::from(borrow));
            *limb = difference;
            borrow = one | two;
        }
    }
}

#[expect(clippy::cast_possible_truncation, reason = "the low half is what is asked for")]
fn low_half(value: u128) -> u64 {
    value as u64
}

fn high_half(value: u128) -> u64 {
    low_half(value >> LIMB_BITS)
}

fn negate(limbs: &mut [u64; LIMBS]) {
    let mut carry = true;
    for limb in limbs {
        let (value, overflow) = (!*limb).overflowing_add(u64::from(carry));
        *limb = value;
        carry = overflow;
    }
}

/// Divides in place; gives the remainder. Limbs that a double does not reach become 0, and the remainder
/// says no more than whether there was anything in them.
fn divide(limbs: &mut [u64; LIMBS], divisor: u64) -> u64 {
    let top = limbs.iter().rposition(|limb| *limb != 0);
    let Some(top) = top.filter(|_| divisor != 1) else { return 0 };
    let (below, reached) = limbs[..=top].split_at_mut(top.saturating_sub(DOUBLE_LIMBS));
    let mut remainder = 0_u64;
    for limb in reached.iter_mut().rev() {
        let dividend = (u128::from(remainder) << LIMB_BITS) | u128::from(*limb);
        *limb = low_half(dividend / u128::from(divisor));
        remainder = low_half(dividend % u128::from(divisor));
    }
    if below.is_empty() {
        return remainder;
    }
    let is_exact = remainder == 0 && below.iter().all(|limb| *limb == 0);
    below.fill(0);
    u64::from(!is_exact)
}

/// The double nearest to (`limbs` + `remainder` / `divisor`) × 2^-1074.
fn round(limbs: &[u64; LIMBS], remainder: u64, divisor: u64) -> f64 {
    let Some(top) = limbs.iter().rposition(|limb| *limb != 0) else {
        let above_half = remainder > divisor - remainder;
        return if above_half { f64::from_bits(1) } else { 0.0 };
    };
    let top_u32 = u32::try_from(top).expect("fewer than 2^32 limbs");
    let bits = top_u32 * LIMB_BITS + LIMB_BITS - limbs[top].leading_zeros();
    if bits <= 53 {
        // Every such integer is a double; only the remainder rounds.
        let half_down = divisor - remainder;
        let up = remainder > half_down || (remainder == half_down && limbs[0] & 1 == 1);
        return from_units(limbs[0] + u64::from(up), 0);
    }
    let cut = bits - 53;
    let mantissa = extract(limbs, cut, 53);
    let half = extract(limbs, cut - 1, 1) == 1;
    let sticky = remainder != 0 || any_below(limbs, cut - 1);
    let up = half && (sticky || mantissa & 1 == 1);
    from_units(mantissa + u64::from(up), cut)
}

/// `mantissa` × 2^(`shift` - 1074) for a mantissa of at most 2^53; infinite when too large.
fn from_units(mantissa: u64, shift: u32) -> f64 {
    let (mantissa, shift) =
        if mantissa == 1 << 53 { (1 << 52, shift + 1) } else { (mantissa, shift) };
    if mantissa >> 52 == 0 {
        return f64::from_bits(mantissa);
    }
    // Exponent field 1 stands for units of 2^-1074 with the leading bit set.
    let exponent = u64::from(shift) + 1;
    if exponent > 2_046 {
        return f64::INFINITY;
    }
    f64::from_bits((exponent << 52) | (mantissa & ((1 << 52) - 1)))
}

/// `count` ≤ 53 bits from bit `from`.
fn extract(limbs: &[u64; LIMBS], from: u32, count: u32) -> u64 {
    let (index, offset) = ((from / LIMB_BITS) as usize, from % LIMB_BITS);
    let next = limbs.get(index + 1).copied().unwrap_or(0);
    let pair = u128::from(limbs[index]) | (u128::from(next) << LIMB_BITS);
    low_half(pair >> offset) & ((1 << count) - 1)
}

fn any_below(limbs: &[u64; LIMBS], end: u32) -> bool {
    let (index, offset) = ((end / LIMB_BITS) as usize, end % LIMB_BITS);
    limbs[..index].iter().any(|limb| *limb != 0) || limbs[index] & ((1 << offset) - 1) != 0
}
