//! Pairs of integers of at most 32 bits: their products fit 64, the sums of those 128. While the values
//! of a batch are small, it is summed in 64 bits, which are emptied into 128 before they could overflow.

use arrow::array::{ArrayRef, AsArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType as ArrowType, Int64Type};

use super::{Groups, Moments, Side};
use crate::exec::aggregate::exact::{Sum192, ratio};
use crate::kernel;
use crate::types::Result;

/// One element per group, so that a row touches one or two cache lines.
#[derive(Debug, Default)]
pub(super) struct IntegerMoments {
    /// Of the last batches, for every group.
    recent: Vec<Recent>,
    /// No sum in `recent` is beyond this.
    bound: u128,
    /// Of all other rows; not of every group yet.
    groups: Vec<Sums>,
}

/// Bits that a batch may at most add to sums of 64 bits: every batch would empty them otherwise.
const BATCH_BITS_MAX: u32 = 56;

/// Sums of the last batches.
#[derive(Clone, Copy, Debug, Default)]
struct Recent {
    count: u64,
    x: i64,
    y: i64,
    x_squares: i64,
    y_squares: i64,
    products: i64,
}

impl Recent {
    #[inline]
    fn add(&mut self, y: i64, x: i64) {
        self.count += 1;
        self.x += x;
        self.y += y;
        self.x_squares += x * x;
        self.y_squares += y * y;
        self.products += x * y;
    }
}

#[derive(Clone, Copy, Debug, Default)]
struct Sums {
    count: u64,
    x: i128,
    y: i128,
    x_squares: i128,
    y_squares: i128,
    products: i128,
}

impl Sums {
    #[inline]
    fn add(&mut self, y: i64, x: i64) {
        self.count += 1;
        self.x += i128::from(x);
        self.y += i128::from(y);
        self.x_squares += i128::from(x) * i128::from(x);
        self.y_squares += i128::from(y) * i128::from(y);
        self.products += i128::from(x) * i128::from(y);
    }

    fn merge(&mut self, other: &Sums) {
        self.count += other.count;
        self.x += other.x;
        self.y += other.y;
        self.x_squares += other.x_squares;
        self.y_squares += other.y_squares;
        self.products += other.products;
    }

    fn with(mut self, recent: &Recent) -> Sums {
        self.merge(&Sums {
            count: recent.count,
            x: recent.x.into(),
            y: recent.y.into(),
            x_squares: recent.x_squares.into(),
            y_squares: recent.y_squares.into(),
            products: recent.products.into(),
        });
        self
    }

    fn sum(&self, side: Side) -> i128 {
        match side {
            Side::X => self.x,
            Side::Y => self.y,
        }
    }
}

impl IntegerMoments {
    fn of(&self, group: usize) -> Sums {
        let sums = self.groups.get(group).copied().unwrap_or_default();
        sums.with(&self.recent[group])
    }

    /// Empties the sums of 64 bits.
    fn move_out(&mut self) {
        self.bound = 0;
        self.groups.resize(self.recent.len(), Sums::default());
        for (sums, recent) in self.groups.iter_mut().zip(&mut self.recent) {
            *sums = sums.with(&std::mem::take(recent));
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
        self.recent.resize(group_count, Recent::default());
    }

    fn add(&mut self, groups: Groups<'_>, y: &ArrayRef, x: &ArrayRef) -> Result<()> {
        let (y, x) = (cast(y, &ArrowType::Int64)?, cast(x, &ArrowType::Int64)?);
        let (y, x) =
            (y.as_primitive::<Int64Type>().values(), x.as_primitive::<Int64Type>().values());
        let largest = u128::from(largest(x).max(largest(y)).max(1));
        let bound = largest * largest * x.len() as u128;
        let is_narrow = bound < 1 << BATCH_BITS_MAX;
        if is_narrow && self.bound + bound > i64::MAX as u128 {
            self.move_out();
        }
        match groups {
            Groups::First(0) => {}
            Groups::First(_) if is_narrow => {
                let recent = &mut self.recent[0];
                y.iter().zip(x).for_each(|(y, x)| recent.add(*y, *x));
                self.bound += bound;
            }
            Groups::Each(groups) if is_narrow => {
                for ((group, y), x) in groups.iter().zip(y).zip(x) {
                    self.recent[*group as usize].add(*y, *x);
                }
                self.bound += bound;
            }
            Groups::First(_) => {
                self.groups.resize(self.recent.len(), Sums::default());
                let mut sums = Sums::default();
                y.iter().zip(x).for_each(|(y, x)| sums.add(*y, *x));
                self.groups[0].merge(&sums);
            }
            Groups::Each(groups) => {
                self.groups.resize(self.recent.len(), Sums::default());
                for ((group, y), x) in groups.iter().zip(y).zip(x) {
                    self.groups[*group as usize].add(*y, *x);
                }
            }
        }
        Ok(())
    }

    fn merge(&mut self, other: &IntegerMoments, from: &[u32], to: &[u32]) {
        self.groups.resize(self.recent.len(), Sums::default());
        for (from, to) in from.iter().zip(to) {
            self.groups[*to as usize].merge(&other.of(*from as usize));
        }
    }

    fn counts(&self) -> Vec<u64> {
        (0..self.recent.len()).map(|group| self.of(group).count).collect()
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
        self.groups.capacity() * size_of::<Sums>() + self.recent.capacity() * size_of::<Recent>()
    }
}

fn wide(value: i128) -> Sum192 {
    let mut wide = Sum192::default();
    wide.add(value);
    wide
}
