//! Pairs of integers of at most 32 bits: their products fit 64, the sums of those 128. While the values
//! of a batch are small, it is summed in 64 bits, and where they are very small two sums share 64; these
//! are emptied before they could overflow.

use std::ops::{AddAssign, Mul};

use arrow::array::{ArrayRef, AsArray};
use arrow::datatypes::{DataType as ArrowType, Int64Type};

use super::super::grow;
use super::{Groups, Moments, Side};
use crate::exec::aggregate::exact::{Sum192, ratio};
use crate::kernel;
use crate::types::{Result, cast};

/// One element per group, so that a row touches one or two cache lines; not of every group yet.
#[derive(Debug, Default)]
pub(super) struct IntegerMoments {
    group_count: usize,
    /// Of the last batches of very small values.
    joined: Vec<Joined>,
    /// No sum in `joined` is beyond this.
    joined_bound: u128,
    /// Of the last batches of small values.
    recent: Vec<Sums<i64>>,
    /// No sum in `recent` is beyond this.
    bound: u128,
    /// Of all other rows.
    groups: Vec<Sums<i128>>,
}

/// Bits that a batch may at most add to sums of 64 bits: every batch would empty them otherwise.
const BATCH_BITS_MAX: u32 = 56;
/// Bits that a batch may at most add to sums of 32 bits.
const JOINED_BATCH_BITS_MAX: u32 = 26;
/// Of the second sum in a word.
const SECOND: i64 = 1 << 32;

/// Sums of the last batches, two of 32 bits in a word, added at once. A negative first sum takes one from
/// the second, which [`Joined::sums`] gives back.
#[derive(Clone, Copy, Debug, Default)]
#[repr(align(32))]
struct Joined {
    x_y: i64,
    x_squares_products: i64,
    y_squares_count: i64,
}

impl Joined {
    #[inline]
    fn add(&mut self, y: i64, x: i64) {
        let x_y = x + y * SECOND;
        self.x_y += x_y;
        self.x_squares_products += x_y * x;
        self.y_squares_count += y * y + SECOND;
    }

    fn sums(self) -> Sums<i64> {
        let (x, y) = parts(self.x_y);
        let (x_squares, products) = parts(self.x_squares_products);
        let (y_squares, count) = parts(self.y_squares_count);
        Sums { count: count.unsigned_abs(), x, y, x_squares, y_squares, products }
    }
}

/// The two sums in a word.
fn parts(word: i64) -> (i64, i64) {
    let first = (word << 32) >> 32;
    (first, (word - first) >> 32)
}

/// The sums of a group.
#[derive(Clone, Copy, Debug, Default)]
struct Sums<T> {
    count: u64,
    x: T,
    y: T,
    x_squares: T,
    y_squares: T,
    products: T,
}

impl<T: Copy + AddAssign + Mul<Output = T>> Sums<T> {
    #[inline]
    fn add(&mut self, y: T, x: T) {
        self.count += 1;
        self.x += x;
        self.y += y;
        self.x_squares += x * x;
        self.y_squares += y * y;
        self.products += x * y;
    }

    fn merge<U: Copy + Into<T>>(&mut self, other: &Sums<U>) {
        self.count += other.count;
        self.x += other.x.into();
        self.y += other.y.into();
        self.x_squares += other.x_squares.into();
        self.y_squares += other.y_squares.into();
        self.products += other.products.into();
    }

    fn sum(&self, side: Side) -> T {
        match side {
            Side::X => self.x,
            Side::Y => self.y,
        }
    }
}

impl IntegerMoments {
    fn of(&self, group: usize) -> Sums<i128> {
        let mut sums = self.groups.get(group).copied().unwrap_or_default();
        sums.merge(&self.recent.get(group).copied().unwrap_or_default());
        sums.merge(&self.joined.get(group).copied().unwrap_or_default().sums());
        sums
    }

    /// Makes room for a batch that adds `bound` to sums of 64 bits.
    fn reserve(&mut self, bound: u128) {
        if self.bound + bound > i64::MAX as u128 {
            self.empty_recent();
        }
        self.bound += bound;
    }

    /// Makes room for a batch that adds `bound` to sums of 32 bits.
    fn reserve_joined(&mut self, bound: u128) {
        if self.joined_bound + bound > i32::MAX as u128 {
            self.reserve(self.joined_bound);
            self.joined_bound = 0;
            grow(&mut self.recent, self.group_count);
            for (recent, joined) in self.recent.iter_mut().zip(&mut self.joined) {
                recent.merge(&std::mem::take(joined).sums());
            }
        }
        self.joined_bound += bound;
    }

    fn empty_recent(&mut self) {
        self.bound = 0;
        grow(&mut self.groups, self.group_count);
        for (sums, recent) in self.groups.iter_mut().zip(&mut self.recent) {
            sums.merge(&std::mem::take(recent));
        }
    }
}

/// The largest magnitude.
fn largest(values: &[i64]) -> u64 {
    let (min, max) = kernel::min_max(values);
    if values.is_empty() { 0 } else { min.unsigned_abs().max(max.unsigned_abs()) }
}

impl Moments for IntegerMoments {
    fn resize(&mut self, group_count: usize) {
        self.group_count = group_count;
    }

    fn add(&mut self, groups: Groups<'_>, y: &ArrayRef, x: &ArrayRef) -> Result<()> {
        let (y, x) = (cast(y, &ArrowType::Int64)?, cast(x, &ArrowType::Int64)?);
        let (y, x) =
            (y.as_primitive::<Int64Type>().values(), x.as_primitive::<Int64Type>().values());
        let largest = u128::from(largest(x).max(largest(y)).max(1));
        let bound = largest * largest * x.len() as u128;
        match groups {
            Groups::First(0) => {}
            Groups::First(_) if bound < 1 << BATCH_BITS_MAX => {
                self.reserve(bound);
                grow(&mut self.recent, self.group_count);
                let recent = &mut self.recent[0];
                y.iter().zip(x).for_each(|(y, x)| recent.add(*y, *x));
            }
            Groups::Each(groups) if bound < 1 << JOINED_BATCH_BITS_MAX => {
                self.reserve_joined(bound);
                grow(&mut self.joined, self.group_count);
                let joined = &mut self.joined[..];
                for ((group, y), x) in groups.iter().zip(y).zip(x) {
                    joined[*group as usize].add(*y, *x);
                }
            }
            Groups::Each(groups) if bound < 1 << BATCH_BITS_MAX => {
                self.reserve(bound);
                grow(&mut self.recent, self.group_count);
                let recent = &mut self.recent[..];
                for ((group, y), x) in groups.iter().zip(y).zip(x) {
                    recent[*group as usize].add(*y, *x);
                }
            }
            Groups::First(_) => {
                grow(&mut self.groups, self.group_count);
                let mut sums = Sums::<i128>::default();
                y.iter().zip(x).for_each(|(y, x)| sums.add((*y).into(), (*x).into()));
                self.groups[0].merge(&sums);
            }
            Groups::Each(groups) => {
                grow(&mut self.groups, self.group_count);
                for ((group, y), x) in groups.iter().zip(y).zip(x) {
                    self.groups[*group as usize].add((*y).into(), (*x).into());
                }
            }
        }
        Ok(())
    }

    fn merge(&mut self, other: &IntegerMoments, from: &[u32], to: &[u32]) {
        grow(&mut self.groups, self.group_count);
        for (from, to) in from.iter().zip(to) {
            self.groups[*to as usize].merge(&other.of(*from as usize));
        }
    }

    fn counts(&self) -> Vec<u64> {
        (0..self.group_count).map(|group| self.of(group).count).collect()
    }

    fn mean(&self, group: u32, side: Side) -> Option<f64> {
        let sums = self.of(group as usize);
        Some(ratio(wide(sums.sum(side)), sums.count, 1))
    }

    /// (n × sum of products - sum × sum) / n / divisor.
    fn about_means(&self, group: u32, (left, right): (Side, Side), divisor: u64) -> Option<f64> {
        let sums = self.of(group as usize);
        let products = match (left, right) {
            (Side::X, Side::X) => sums.x_squares,
            (Side::Y, Side::Y) => sums.y_squares,
            _ => sums.products,
        };
        let product_of_sums = sums.sum(left).checked_mul(sums.sum(right));
        // Only beyond 2^31 pairs of large integers do these not fit.
        let scaled = products.checked_mul(sums.count.into())?;
        let numerator = scaled.checked_sub(product_of_sums?)?;
        Some(ratio(wide(numerator), sums.count, divisor.into()))
    }

    fn bytes(&self) -> usize {
        self.groups.capacity() * size_of::<Sums<i128>>()
            + self.recent.capacity() * size_of::<Sums<i64>>()
            + self.joined.capacity() * size_of::<Joined>()
    }
}

fn wide(value: i128) -> Sum192 {
    let mut wide = Sum192::default();
    wide.add(value);
    wide
}

#[cfg(test)]
#[expect(clippy::result_large_err, reason = "proptest's error type")]
mod tests {
    use std::sync::Arc;

    use arrow::array::Int32Array;
    use proptest::prelude::*;

    use super::*;

    /// Batches of values below 2^0 to 2^31, of either sign, that take turns.
    fn batches() -> impl Strategy<Value = Vec<Vec<(u32, i32, i32)>>> {
        let batch = (0_u32..32).prop_flat_map(|bits| {
            let value = move || any::<i32>().prop_map(move |value| value >> bits);
            prop::collection::vec((0_u32..3, value(), value()), 1..40)
        });
        prop::collection::vec(batch, 1..30)
    }

    fn fed(batches: &[Vec<(u32, i32, i32)>]) -> IntegerMoments {
        let mut moments = IntegerMoments::default();
        moments.resize(3);
        for batch in batches {
            let groups: Vec<u32> = batch.iter().map(|row| row.0).collect();
            let array = |value: fn(&(u32, i32, i32)) -> i32| -> ArrayRef {
                Arc::new(batch.iter().map(|row| Some(value(row))).collect::<Int32Array>())
            };
            let (y, x) = (array(|row| row.1), array(|row| row.2));
            moments.add(Groups::Each(&groups), &y, &x).expect("they are integers");
        }
        moments
    }

    fn assert_sums_of(moments: &IntegerMoments, batches: &[Vec<(u32, i32, i32)>], times: i128) {
        for group in 0..3 {
            let (mut sums, found) = (Sums::<i128>::default(), moments.of(group as usize));
            for (_, y, x) in batches.iter().flatten().filter(|row| row.0 == group) {
                sums.add((*y).into(), (*x).into());
            }
            let all =
                |sums: &Sums<i128>| [sums.x, sums.y, sums.x_squares, sums.y_squares, sums.products];
            assert_eq!(all(&found), all(&sums).map(|sum| sum * times));
            assert_eq!(i128::from(found.count), i128::from(sums.count) * times);
        }
    }

    proptest! {
        #[test]
        fn sums_are_exact_wherever_they_are_kept(batches in batches()) {
            let moments = fed(&batches);
            assert_sums_of(&moments, &batches, 1);
            let mut twice = fed(&batches);
            twice.merge(&moments, &[0, 1, 2], &[0, 1, 2]);
            assert_sums_of(&twice, &batches, 2);
        }
    }

    #[test]
    fn sums_of_32_bits_are_emptied_before_they_overflow() {
        // Of such batches 32 fill them.
        let batch: Vec<(u32, i32, i32)> = (0..4_000).map(|row| (row % 3, -127, 127)).collect();
        let batches = vec![batch; 200];
        let moments = fed(&batches);
        assert!(!moments.joined.is_empty() && !moments.recent.is_empty());
        assert_sums_of(&moments, &batches, 1);
    }
}
