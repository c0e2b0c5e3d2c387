//! Exact sums of doubles, one per group.
//!
//! Each group has a 128-bit integer in a unit common to all, 2^(unit - 1075). A double whose exponent
//! field is e adds mantissa << (e - unit); with e at most unit + 41 an addend has 94 bits, so that
//! 2^32 of them fit. The unit is chosen from the first values seen; what lies outside the window (and
//! NaN and the infinities) goes to a [`WideSum`] of its group. Business data, within twelve decimal
//! orders of magnitude of each other, never leaves the window.

use hashbrown::HashMap;

use super::ratio::power_of_two;
use super::{Sum192, WideSum, exponent_field, ratio, split};
use crate::kernel;

/// Largest distance of an exponent from the unit: 53 + 41 + 32 bits and a sign are 127.
const WINDOW: u32 = 41;
/// Bits of the largest addend.
const ADDEND_BITS: u32 = 53 + WINDOW;
/// Values after which the integers are emptied into wide sums.
const VALUES_MAX: u64 = 1 << 32;
/// Values that are scaled at once.
const PIECE_LEN: usize = 256;
/// The exponent field of NaN and the infinities.
const NOT_FINITE: u32 = 0x7ff;

/// Exact sums of doubles by group.
#[derive(Debug, Default)]
pub(crate) struct FloatSums {
    /// 0 until the first non-zero value.
    unit: u32,
    sums: Vec<i128>,
    wide: HashMap<u32, Box<WideSum>>,
    value_count: u64,
}

impl FloatSums {
    /// Makes room for groups up to `group_count`.
    pub(crate) fn resize(&mut self, group_count: usize) {
        if self.sums.capacity() == 0 {
            self.sums = vec![0; group_count];
        } else {
            self.sums.resize(group_count, 0);
        }
    }

    /// Bytes held.
    pub(crate) fn bytes(&self) -> usize {
        self.sums.capacity() * size_of::<i128>() + self.wide.len() * (size_of::<WideSum>() + 24)
    }

    /// Adds each value to its group.
    pub(crate) fn add(&mut self, groups: &[u32], values: &[f64]) {
        if self.prepare(values) {
            let (mut lows, mut highs) = ([0; PIECE_LEN], [0; PIECE_LEN]);
            for (groups, values) in groups.chunks(PIECE_LEN).zip(values.chunks(PIECE_LEN)) {
                kernel::scale_floats(values, self.unit, &mut lows, &mut highs);
                for ((group, low), high) in groups.iter().zip(&lows).zip(&highs) {
                    self.sums[*group as usize] += i128::from(*high) << 64 | i128::from(*low);
                }
            }
        } else {
            for (group, value) in groups.iter().zip(values) {
                self.add_one(*group, *value);
            }
        }
    }

    /// Adds all values to group 0.
    pub(crate) fn add_to_first(&mut self, values: &[f64]) {
        if self.prepare(values) {
            let (mut lows, mut highs) = ([0; PIECE_LEN], [0; PIECE_LEN]);
            for values in values.chunks(PIECE_LEN) {
                kernel::scale_floats(values, self.unit, &mut lows, &mut highs);
                // Halves of a few hundred addends do not overflow 64 bits.
                let lows = &lows[..values.len()];
                let low_halves: u64 = lows.iter().map(|low| low & 0xffff_ffff).sum();
                let high_halves: u64 = lows.iter().map(|low| low >> 32).sum();
                let highs: i64 = highs[..values.len()].iter().sum();
                self.sums[0] += (i128::from(highs) << 64)
                    + (i128::from(high_halves) << 32)
                    + i128::from(low_halves);
            }
        } else {
            for value in values {
                self.add_one(0, *value);
            }
        }
    }

    /// Exchanges two groups.
    pub(crate) fn swap(&mut self, left: usize, right: usize) {
        self.sums.swap(left, right);
        if self.wide.is_empty() || left == right {
            return;
        }
        let number = |group: usize| u32::try_from(group).expect("group numbers are u32");
        let (left, right) = (number(left), number(right));
        let (of_left, of_right) = (self.wide.remove(&left), self.wide.remove(&right));
        self.wide.extend(of_left.map(|wide| (right, wide)));
        self.wide.extend(of_right.map(|wide| (left, wide)));
    }

    /// Adds the groups `from` of `other` to the groups `to`.
    pub(crate) fn merge(&mut self, other: &FloatSums, from: &[u32], to: &[u32]) {
        if self.unit == 0 || (0 < other.unit && other.unit < self.unit) {
            self.lower_unit(other.unit);
        }
        let shift = other.unit.checked_sub(self.unit);
        let addends = shift.and_then(|shift| {
            let taken = from.iter().map(|group| other.sums[*group as usize]);
            addends_of(taken, shift, other.value_count)
        });
        self.value_count = self.value_count.saturating_add(addends.unwrap_or(other.value_count));
        let shift = shift.filter(|_| addends.is_some() && self.value_count < VALUES_MAX);
        for (from, to) in from.iter().zip(to) {
            let sum = other.sums[*from as usize];
            match shift {
                Some(shift) => self.sums[*to as usize] += sum.checked_shl(shift).unwrap_or(0),
                None if sum == 0 => {}
                None => self.wide(*to).add_scaled(sum, other.unit - 1),
            }
        }
        if !other.wide.is_empty() {
            for (from, to) in from.iter().zip(to) {
                if let Some(wide) = other.wide.get(from) {
                    self.wide(*to).merge(wide);
                }
            }
        }
        if self.value_count >= VALUES_MAX {
            self.empty_into_wide();
        }
    }

    /// The sum of `group` divided by `divisor`, rounded once; `None` beyond the largest double.
    pub(crate) fn quotient(&self, group: u32, divisor: u64) -> Option<f64> {
        let sum = self.sums[group as usize];
        if let Some(wide) = self.wide.get(&group) {
            let mut wide = wide.as_ref().clone();
            wide.add_scaled(sum, self.unit.max(1) - 1);
            return wide.quotient(divisor);
        }
        if sum == 0 {
            return Some(0.0);
        }
        // Far from the ends of the exponent range, scaling by a power of two is exact.
        if (200..=1_700).contains(&self.unit) {
            let power = i32::try_from(self.unit).expect("11 bits") - 1_075;
            return Some(rounded_quotient(sum, divisor) * power_of_two(power));
        }
        let mut wide = WideSum::new();
        wide.add_scaled(sum, self.unit - 1);
        wide.quotient(divisor)
    }

    /// Whether every value can take the quick path; chooses the unit at the first non-zero values.
    fn prepare(&mut self, values: &[f64]) -> bool {
        self.value_count += values.len() as u64;
        if self.value_count >= VALUES_MAX {
            self.empty_into_wide();
        }
        let (lowest, highest) = kernel::exponent_fields(values);
        if lowest > highest {
            return true;
        }
        if highest == NOT_FINITE {
            return false;
        }
        if self.unit == 0 {
            let spare = WINDOW.saturating_sub(highest - lowest);
            self.unit = lowest.saturating_sub(spare / 2).max(1);
        }
        self.unit <= lowest && highest <= self.unit + WINDOW
    }

    fn add_one(&mut self, group: u32, value: f64) {
        let bits = value.to_bits();
        let (mantissa, exponent) = split(bits);
        if mantissa == 0 {
            return;
        }
        let in_window = (self.unit..=self.unit + WINDOW).contains(&exponent);
        if self.unit > 0 && in_window && exponent != NOT_FINITE {
            self.sums[group as usize] += scaled(bits, self.unit);
        } else {
            self.wide(group).add(value);
        }
    }

    fn wide(&mut self, group: u32) -> &mut WideSum {
        self.wide.entry(group).or_insert_with(|| Box::new(WideSum::new()))
    }

    /// Goes over to a smaller unit, if all sums fit that.
    fn lower_unit(&mut self, unit: u32) {
        let shift = self.unit.saturating_sub(unit);
        let addends = addends_of(self.sums.iter().copied(), shift, self.value_count);
        if let Some(addends) = addends.filter(|addends| *addends < VALUES_MAX) {
            self.unit = unit;
            self.value_count = addends;
            // A shift out of 128 bits is of zeros only.
            self.sums.iter_mut().for_each(|sum| *sum = sum.checked_shl(shift).unwrap_or(0));
        }
    }

    fn empty_into_wide(&mut self) {
        self.value_count = 0;
        for group in 0..self.sums.len() {
            let sum = std::mem::take(&mut self.sums[group]);
            if sum != 0 {
                let shift = self.unit - 1;
                let group = u32::try_from(group).expect("group ids are u32");
                self.wide(group).add_scaled(sum, shift);
            }
        }
    }
}

/// To how many addends of 94 bits sums of `value_count` values come at most, when they are shifted left
/// by `shift` bits; `None` when they do not fit then.
fn addends_of(sums: impl Iterator<Item = i128>, shift: u32, value_count: u64) -> Option<u64> {
    if shift == 0 {
        return Some(value_count);
    }
    let largest = sums.map(i128::unsigned_abs).max().unwrap_or(0);
    if largest != 0 && shift >= largest.leading_zeros() {
        return None;
    }
    let addends = if largest == 0 { 0 } else { (largest << shift >> ADDEND_BITS) + 1 };
    Some(value_count.max(u64::try_from(addends).ok()?))
}

/// The double as an integer in units of 2^(unit - 1075); its exponent is inside the window, or it is
/// zero.
#[inline]
fn scaled(bits: u64, unit: u32) -> i128 {
    let field = exponent_field(bits);
    let mantissa = (bits & ((1 << 52) - 1)) | (u64::from(field != 0) << 52);
    let sign = bits.cast_signed() >> 63;
    let signed = (mantissa.cast_signed() ^ sign) - sign;
    i128::from(signed) << (field.max(unit) - unit)
}

#[expect(clippy::cast_precision_loss, reason = "the conversion is the one rounding")]
fn rounded_quotient(sum: i128, divisor: u64) -> f64 {
    if divisor == 1 {
        return sum as f64;
    }
    let mut wide = Sum192::default();
    wide.add(sum);
    ratio(wide, divisor, 1)
}
