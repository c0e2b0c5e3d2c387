//! Variances and standard deviations of doubles.
//!
//! The sums of the values and of their squares are exact: a square is the two doubles that a fused
//! multiply-add gives. So nothing is lost where large squares cancel, and the result has the same
//! bits in whatever order the rows come. With the mean m, rounded, and d = sum - n m, the sum of the
//! squared distances from the true mean is
//!
//! ```text
//! sum of squares - n m m - 2 m d - d d / n
//! ```
//!
//! whose terms are added to the sum of squares as pairs of doubles before it is rounded once, while
//! it is divided by n or n - 1. Must not know how groups are found.

use std::sync::Arc;

use arrow::array::{AsArray, Float64Array};
use arrow::datatypes::Float64Type;

use super::{Accumulator, Groups, same_kind, without_nulls};
use crate::exec::aggregate::exact::FloatSums;
use crate::exec::source::ColumnKind;
use crate::plan::AggregateFunction;
use crate::types::{DataType, Error, Result};
use crate::vector::Vector;

/// A variance or standard deviation.
#[derive(Debug)]
pub(super) struct Spread {
    function: AggregateFunction,
    counts: Vec<u64>,
    values: FloatSums,
    squares: FloatSums,
    /// What the squares lost when they were rounded.
    rests: FloatSums,
}

impl Spread {
    pub(super) fn new(function: AggregateFunction) -> Spread {
        let sums = FloatSums::default;
        Spread { function, counts: Vec::new(), values: sums(), squares: sums(), rests: sums() }
    }

    fn add(&mut self, groups: Groups<'_>, values: &[f64]) {
        let (squares, rests): (Vec<f64>, Vec<f64>) =
            values.iter().map(|value| two_product(*value, *value)).unzip();
        let parts = [(&mut self.values, values), (&mut self.squares, &squares)];
        for (sums, addends) in parts.into_iter().chain([(&mut self.rests, rests.as_slice())]) {
            match groups {
                Groups::First(0) => {}
                Groups::First(_) => sums.add_to_first(addends),
                Groups::Each(groups) => sums.add(groups, addends),
            }
        }
        match groups {
            Groups::First(0) => {}
            Groups::First(len) => self.counts[0] += len as u64,
            Groups::Each(groups) => {
                for group in groups {
                    self.counts[*group as usize] += 1;
                }
            }
        }
    }

    /// The result of a group; `None` over too few values.
    fn result(&self, group: u32) -> Result<Option<f64>> {
        use AggregateFunction::{DeviationPopulation, DeviationSample, VarianceSample};
        let count = self.counts[group as usize];
        let is_sample = matches!(self.function, VarianceSample | DeviationSample);
        let divisor = if is_sample { count.saturating_sub(1) } else { count };
        if divisor == 0 {
            return Ok(None);
        }
        let too_large = || Error::out_of_range("a variance is beyond the largest double");
        if !self.values.quotient(group, 1).ok_or_else(too_large)?.is_finite() {
            return Ok(Some(f64::NAN));
        }
        let variance = self.squared_distances(group, count).quotient(0, divisor);
        let variance = variance.filter(|variance| variance.is_finite()).ok_or_else(too_large)?;
        let variance = variance.max(0.0);
        let is_root = matches!(self.function, DeviationSample | DeviationPopulation);
        Ok(Some(if is_root { variance.sqrt() } else { variance }))
    }

    /// The sum of the squared distances from the mean, as the only group.
    #[expect(clippy::cast_precision_loss, reason = "counts stay below 2^53")]
    fn squared_distances(&self, group: u32, count: u64) -> FloatSums {
        let n = count as f64;
        let mean = nearest(&self.values, group, count);
        let mut distance = only(&self.values, group);
        subtract(&mut distance, two_product(n, mean));
        let mut total = only(&self.squares, group);
        total.merge(&self.rests, &[group], &[0]);
        let (square, rest) = two_product(mean, mean);
        subtract(&mut total, two_product(n, square));
        subtract(&mut total, two_product(n, rest));
        // The distance of the sum from n times the mean, to more than the digits of a double.
        for part in 0..2 {
            let piece = nearest(&distance, 0, 1);
            subtract(&mut distance, (piece, 0.0));
            subtract(&mut total, two_product(2.0 * mean, piece));
            if part == 0 {
                subtract(&mut total, (piece * piece / n, 0.0));
            }
        }
        total
    }
}

/// The product, rounded, and what rounding took from it.
fn two_product(a: f64, b: f64) -> (f64, f64) {
    let product = a * b;
    (product, a.mul_add(b, -product))
}

/// The quotient, infinite beyond the largest double: so is what is computed from it, then.
fn nearest(sums: &FloatSums, group: u32, divisor: u64) -> f64 {
    sums.quotient(group, divisor).unwrap_or(f64::INFINITY)
}

/// A copy of one group.
fn only(sums: &FloatSums, group: u32) -> FloatSums {
    let mut copy = FloatSums::default();
    copy.resize(1);
    copy.merge(sums, &[group], &[0]);
    copy
}

fn subtract(sums: &mut FloatSums, (product, rest): (f64, f64)) {
    sums.add_to_first(&[-product, -rest]);
}

impl Accumulator for Spread {
    fn resize(&mut self, group_count: usize) {
        self.counts.resize(group_count, 0);
        for sums in [&mut self.values, &mut self.squares, &mut self.rests] {
            sums.resize(group_count);
        }
    }

    fn update(&mut self, groups: Groups<'_>, argument: &Vector) -> Result<()> {
        match without_nulls(groups, argument)? {
            None => self.add(groups, argument.decode()?.as_primitive::<Float64Type>().values()),
            Some((groups, argument)) => {
                let values = argument.decode()?;
                self.add(groups.borrow(), values.as_primitive::<Float64Type>().values());
            }
        }
        Ok(())
    }

    fn merge(&mut self, other: &dyn Accumulator, from: &[u32], to: &[u32]) -> Result<()> {
        let other: &Spread = same_kind(other)?;
        self.values.merge(&other.values, from, to);
        self.squares.merge(&other.squares, from, to);
        self.rests.merge(&other.rests, from, to);
        for (from, to) in from.iter().zip(to) {
            self.counts[*to as usize] += other.counts[*from as usize];
        }
        Ok(())
    }

    fn finish(&self) -> Result<Vector> {
        let groups = 0..u32::try_from(self.counts.len()).expect("group numbers are u32");
        let results: Float64Array =
            groups.map(|group| self.result(group)).collect::<Result<Vec<Option<f64>>>>()?.into();
        Ok(Vector::Flat(Arc::new(results)))
    }

    fn kind(&self) -> ColumnKind {
        ColumnKind::flat(DataType::Float64)
    }

    fn bytes(&self) -> usize {
        let sums = self.values.bytes() + self.squares.bytes() + self.rests.bytes();
        sums + self.counts.capacity() * size_of::<u64>()
    }
}
