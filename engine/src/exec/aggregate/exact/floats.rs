//! Exact sums of doubles, one per group.
//!
//! Each group has a 128-bit integer in a unit common to all, 2^(unit - 1075). A double whose exponent
//! field is e adds mantissa × 2^(e - unit); with e at most unit + 41 an addend has 94 bits, so that
//! 2^32 of them fit. The unit is chosen from the first values seen; what is no multiple of it or lies
//! above the window (and NaN and the infinities) goes to a [`WideSum`] of its group. Business data,
//! within twelve decimal orders of magnitude of each other, hardly leaves the window.
//!
//! Recent addends are in two halves of 64 bits a group, the low 41 bits and the rest, that are added
//! side by side, without a carry, and are moved into the 128 bits before either could overflow.

use hashbrown::HashMap;

use super::ratio::power_of_two;
use super::{Sum192, WideSum, ratio, split};
use crate::exec::aggregate::pages::Pages;
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

/// Bits of the low half: the widest shift, so that the other half is a shift to the right.
const LOW_BITS: u32 = WINDOW;
/// Bits of an addend's high half, but for its distance from the unit.
const HIGH_BITS: u32 = 53 - LOW_BITS;
/// Bits of a half.
const HALF_BITS: u32 = 63;
/// Rows that halves must have room for: they are moved too often otherwise.
const ROW_BITS_MIN: u32 = 16;

/// Exact sums of doubles by group.
#[derive(Debug, Default)]
pub(crate) struct FloatSums {
    group_count: usize,
    /// 0 until the first non-zero value.
    unit: u32,
    /// Halves of recent addends; not of every group yet.
    recent: Pages<[i64; 2]>,
    /// What the low halves, and the magnitudes of the high ones, are at most.
    recent_max: u64,
    /// Of all other addends; not of every group yet.
    sums: Pages<i128>,
    wide: HashMap<u32, Box<WideSum>>,
    value_count: u64,
}

impl FloatSums {
    /// Makes room for groups up to `group_count`.
    pub(crate) fn resize(&mut self, group_count: usize) {
        self.group_count = group_count;
    }

    /// Sets all sums to 0, and keeps the memory.
    pub(crate) fn clear(&mut self) {
        self.recent.fill([0; 2]);
        self.sums.fill(0);
        self.wide.clear();
        (self.unit, self.recent_max, self.value_count) = (0, 0, 0);
    }

    /// Bytes held.
    pub(crate) fn bytes(&self) -> usize {
        self.recent.bytes() + self.sums.bytes() + self.wide.len() * (size_of::<WideSum>() + 24)
    }

    /// Adds each value to its group.
    pub(crate) fn add(&mut self, groups: &[u32], values: &[f64]) {
        match self.prepare(values) {
            Span::Halves(row_max) => self.add_halves(groups, values, row_max),
            Span::Window => {
                let (mut lows, mut highs) = ([0; PIECE_LEN], [0; PIECE_LEN]);
                for (groups, values) in groups.chunks(PIECE_LEN).zip(values.chunks(PIECE_LEN)) {
                    if kernel::scale_floats(values, self.unit, &mut lows, &mut highs) != 0 {
                        self.add_each(groups, values);
                        continue;
                    }
                    let sums = self.sums();
                    for ((group, low), high) in groups.iter().zip(&lows).zip(&highs) {
                        sums[*group as usize] += i128::from(*high) << 64 | i128::from(*low);
                    }
                }
            }
            Span::Wide => self.add_each(groups, values),
        }
    }

    /// Adds values whose halves are at most `row_max`.
    fn add_halves(&mut self, groups: &[u32], values: &[f64], row_max: u64) {
        let mut halves = [[0; 2]; PIECE_LEN];
        for (groups, values) in groups.chunks(PIECE_LEN).zip(values.chunks(PIECE_LEN)) {
            let added_max = row_max * values.len() as u64;
            if self.recent_max + added_max > i64::MAX.cast_unsigned() {
                self.move_recent();
            }
            if kernel::split_floats(values, self.unit, LOW_BITS, &mut halves) != 0 {
                self.add_each(groups, values);
                continue;
            }
            self.recent_max += added_max;
            self.recent.grow(self.group_count);
            let recent = &mut self.recent[..];
            kernel::scatter(groups, &halves, |group, [low, high]| {
                let sum = &mut recent[group];
                *sum = [sum[0] + low, sum[1] + high];
            });
        }
    }

    /// Moves the halves into the sums.
    fn move_recent(&mut self) {
        self.recent_max = 0;
        self.sums.grow(self.group_count);
        for (sum, halves) in self.sums.iter_mut().zip(&mut self.recent[..]) {
            *sum += joined(std::mem::take(halves));
        }
    }

    /// The sums of all groups, without what is in the halves.
    fn sums(&mut self) -> &mut [i128] {
        self.sums.grow(self.group_count);
        &mut self.sums
    }

    fn sum(&self, group: usize) -> i128 {
        let recent = self.recent.get(group).copied().map_or(0, joined);
        recent + self.sums.get(group).copied().unwrap_or(0)
    }

    /// Adds all values to group 0.
    pub(crate) fn add_to_first(&mut self, values: &[f64]) {
        let is_wide = matches!(self.prepare(values), Span::Wide);
        let (mut lows, mut highs) = ([0; PIECE_LEN], [0; PIECE_LEN]);
        for values in values.chunks(PIECE_LEN) {
            if is_wide || kernel::scale_floats(values, self.unit, &mut lows, &mut highs) != 0 {
                for value in values {
                    self.add_one(0, *value);
                }
                continue;
            }
            let sums = self.sums();
            // Halves of a few hundred addends do not overflow 64 bits.
            let lows = &lows[..values.len()];
            let low_halves: u64 = lows.iter().map(|low| low & 0xffff_ffff).sum();
            let high_halves: u64 = lows.iter().map(|low| low >> 32).sum();
            let highs: i64 = highs[..values.len()].iter().sum();
            sums[0] += (i128::from(highs) << 64)
                + (i128::from(high_halves) << 32)
                + i128::from(low_halves);
        }
    }

    /// Exchanges two groups.
    pub(crate) fn swap(&mut self, left: usize, right: usize) {
        if !self.recent.is_empty() {
            self.recent.grow(self.group_count);
            self.recent.swap(left, right);
        }
        self.sums().swap(left, right);
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
            let taken = from.iter().map(|group| other.sum(*group as usize));
            addends_of(taken, shift, other.value_count)
        });
        self.value_count = self.value_count.saturating_add(addends.unwrap_or(other.value_count));
        let shift = shift.filter(|_| addends.is_some() && self.value_count < VALUES_MAX);
        if let Some(shift) = shift {
            let sums = self.sums();
            for (from, to) in from.iter().zip(to) {
                let sum = other.sum(*from as usize);
                sums[*to as usize] += sum.checked_shl(shift).unwrap_or(0);
            }
        } else {
            for (from, to) in from.iter().zip(to) {
                let sum = other.sum(*from as usize);
                if sum != 0 {
                    self.wide(*to).add_scaled(sum, other.unit - 1);
                }
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

    /// The sum of `group` as an integer in units of 2^(unit - 1075), and the unit; `None` when that is not
    /// all of it.
    pub(crate) fn integer(&self, group: u32) -> Option<(i128, u32)> {
        let is_all = self.wide.is_empty() || !self.wide.contains_key(&group);
        is_all.then(|| (self.sum(group as usize), self.unit.max(1)))
    }

    /// The sum of `group` divided by `divisor`, rounded once; `None` beyond the largest double.
    pub(crate) fn quotient(&self, group: u32, divisor: u64) -> Option<f64> {
        let sum = self.sum(group as usize);
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

    /// Where the values can be added; chooses the unit at the first non-zero values.
    fn prepare(&mut self, values: &[f64]) -> Span {
        self.value_count += values.len() as u64;
        if self.value_count >= VALUES_MAX {
            self.empty_into_wide();
        }
        let highest = kernel::greatest_exponent(values);
        if highest == 0 {
            return Span::Halves(0);
        }
        if highest == NOT_FINITE {
            return Span::Wide;
        }
        if self.unit == 0 {
            self.unit = unit_for(highest, kernel::float_facts(values).lowest_bit);
        }
        if highest > self.unit + WINDOW {
            return Span::Wide;
        }
        let half_bits = LOW_BITS.max(HIGH_BITS + highest.saturating_sub(self.unit));
        if half_bits + ROW_BITS_MIN > HALF_BITS {
            return Span::Window;
        }
        Span::Halves(1 << half_bits)
    }

    /// Adds values one by one, wherever they are.
    fn add_each(&mut self, groups: &[u32], values: &[f64]) {
        for (group, value) in groups.iter().zip(values) {
            self.add_one(*group, *value);
        }
    }

    fn add_one(&mut self, group: u32, value: f64) {
        if value == 0.0 {
            return;
        }
        match scaled(value, self.unit).filter(|_| self.unit > 0) {
            Some(addend) => self.sums()[group as usize] += addend,
            None => self.wide(group).add(value),
        }
    }

    fn wide(&mut self, group: u32) -> &mut WideSum {
        self.wide.entry(group).or_insert_with(|| Box::new(WideSum::new()))
    }

    /// Goes over to a smaller unit, if all sums fit that.
    fn lower_unit(&mut self, unit: u32) {
        let shift = self.unit.saturating_sub(unit);
        let value_count = self.value_count;
        self.move_recent();
        let addends = addends_of(self.sums.iter().copied(), shift, value_count);
        if let Some(addends) = addends.filter(|addends| *addends < VALUES_MAX) {
            self.unit = unit;
            self.value_count = addends;
            // A shift out of 128 bits is of zeros only.
            self.sums.iter_mut().for_each(|sum| *sum = sum.checked_shl(shift).unwrap_or(0));
        }
    }

    fn empty_into_wide(&mut self) {
        self.value_count = 0;
        self.move_recent();
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

/// Where values can be added.
#[derive(Clone, Copy, Debug)]
enum Span {
    /// In two halves, which are at most this.
    Halves(u64),
    /// In 128 bits.
    Window,
    /// One by one, some of them in a wide sum.
    Wide,
}

fn joined([low, high]: [i64; 2]) -> i128 {
    (i128::from(high) << LOW_BITS) + i128::from(low)
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

/// The unit for values up to the exponent field `highest` that are multiples of 2^`lowest_bit`. Of the
/// room that they leave two thirds are below them: what was scaled or averaged has more small values
/// than large ones.
fn unit_for(highest: u32, lowest_bit: i16) -> u32 {
    let largest = u32::try_from(i32::from(lowest_bit) + 1_075).unwrap_or(1).min(NOT_FINITE - 1);
    let room = HALF_BITS - ROW_BITS_MIN - HIGH_BITS;
    let smallest = highest.saturating_sub(room);
    if largest < smallest {
        return largest.max(highest.saturating_sub(WINDOW)).max(1);
    }
    (largest - (largest - smallest) / 3 * 2).max(1)
}

/// The double as an integer in units of 2^(unit - 1075), if it is one inside the window.
#[inline]
fn scaled(value: f64, unit: u32) -> Option<i128> {
    let (mantissa, field) = split(value.to_bits());
    if field == NOT_FINITE || field > unit + WINDOW {
        return None;
    }
    let magnitude = match field.checked_sub(unit) {
        Some(above) => i128::from(mantissa) << above,
        None if mantissa.trailing_zeros() >= unit - field => i128::from(mantissa >> (unit - field)),
        None => return None,
    };
    Some(if value.is_sign_negative() { -magnitude } else { magnitude })
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
