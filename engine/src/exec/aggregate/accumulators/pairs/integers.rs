//! Pairs of integers of at most 32 bits: their products fit 64, the sums of those 128.

use arrow::array::{ArrayRef, AsArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType as ArrowType, Int64Type};

use super::{Groups, Moments, Side};
use crate::exec::aggregate::exact::{Sum192, ratio};
use crate::types::Result;

/// One element per group, so that a row touches one or two cache lines.
#[derive(Debug, Default)]
pub(super) struct IntegerMoments {
    groups: Vec<Sums>,
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

    fn sum(&self, side: Side) -> i128 {
        match side {
            Side::X => self.x,
            Side::Y => self.y,
        }
    }
}

impl Moments for IntegerMoments {
    fn resize(&mut self, group_count: usize) {
        self.groups.resize(group_count, Sums::default());
    }

    fn add(&mut self, groups: Groups<'_>, y: &ArrayRef, x: &ArrayRef) -> Result<()> {
        let (y, x) = (cast(y, &ArrowType::Int64)?, cast(x, &ArrowType::Int64)?);
        let (y, x) =
            (y.as_primitive::<Int64Type>().values(), x.as_primitive::<Int64Type>().values());
        match groups {
            Groups::First(0) => {}
            Groups::First(_) => {
                let mut sums = Sums::default();
                y.iter().zip(x).for_each(|(y, x)| sums.add(*y, *x));
                self.groups[0].merge(&sums);
            }
            Groups::Each(groups) => {
                for ((group, y), x) in groups.iter().zip(y).zip(x) {
                    self.groups[*group as usize].add(*y, *x);
                }
            }
        }
        Ok(())
    }

    fn merge(&mut self, other: &IntegerMoments, from: &[u32], to: &[u32]) {
        for (from, to) in from.iter().zip(to) {
            self.groups[*to as usize].merge(&other.groups[*from as usize]);
        }
    }

    fn counts(&self) -> Vec<u64> {
        self.groups.iter().map(|sums| sums.count).collect()
    }

    fn mean(&self, group: u32, side: Side) -> Option<f64> {
        let sums = &self.groups[group as usize];
        Some(ratio(wide(sums.sum(side)), sums.count, 1))
    }

    /// (n × sum of products - sum × sum) / n / divisor.
    fn about_means(&self, group: u32, (left, right): (Side, Side), divisor: u64) -> Option<f64> {
        let sums = &self.groups[group as usize];
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
        self.groups.capacity() * size_of::<Sums>()
    }
}

fn wide(value: i128) -> Sum192 {
    let mut wide = Sum192::default();
    wide.add(value);
    wide
}
