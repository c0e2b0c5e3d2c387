//! Variances and standard deviations of doubles.
//!
//! The sums of the values and of their squares are exact (see [`products`](super::products)), and the
//! result is rounded once, while it is divided by n or n - 1. Must not know how groups are found.

use std::sync::Arc;

use arrow::array::{AsArray, Float64Array};
use arrow::datatypes::Float64Type;

use super::products::{self, Products};
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
    squares: Products,
}

impl Spread {
    pub(super) fn new(function: AggregateFunction) -> Spread {
        let (values, squares) = (FloatSums::default(), Products::default());
        Spread { function, counts: Vec::new(), values, squares }
    }

    fn add(&mut self, groups: Groups<'_>, values: &[f64]) {
        products::add(&mut self.values, groups, values);
        self.squares.add(groups, values, values);
        products::count(&mut self.counts, groups);
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
        let sums = (&self.values, &self.values);
        let variance = self.squares.about_means(group, count, sums, divisor);
        let variance = variance.ok_or_else(too_large)?.max(0.0);
        let is_root = matches!(self.function, DeviationSample | DeviationPopulation);
        Ok(Some(if is_root { variance.sqrt() } else { variance }))
    }
}

impl Accumulator for Spread {
    fn resize(&mut self, group_count: usize) {
        self.counts.resize(group_count, 0);
        self.values.resize(group_count);
        self.squares.resize(group_count);
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
        self.values.bytes() + self.squares.bytes() + self.counts.capacity() * size_of::<u64>()
    }
}
