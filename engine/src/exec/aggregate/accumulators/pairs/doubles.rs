//! Pairs of doubles: exact sums of each side, of the squares and of the products that are asked for.

use arrow::array::{ArrayRef, AsArray};
use arrow::datatypes::Float64Type;

use super::super::products::{self, Products};
use super::{Groups, Moments, Side};
use crate::exec::aggregate::exact::FloatSums;
use crate::plan::PairFunction;
use crate::types::Result;

/// The sums; products that the function has no use for stay away.
#[derive(Debug)]
pub(super) struct DoubleMoments {
    counts: Vec<u64>,
    x: FloatSums,
    y: FloatSums,
    x_squares: Option<Products>,
    y_squares: Option<Products>,
    products: Option<Products>,
}

impl DoubleMoments {
    /// Without anything yet, for what `function` needs.
    pub(super) fn new(function: PairFunction) -> DoubleMoments {
        use PairFunction::{
            Correlation, CovariancePopulation, CovarianceSample, Determination, Intercept, Slope,
        };
        let is_line = matches!(function, Correlation | Determination | Slope | Intercept);
        let has_both_squares = matches!(function, Correlation | Determination);
        let needs_products = match function {
            PairFunction::Products | CovariancePopulation | CovarianceSample => true,
            _ => is_line,
        };
        DoubleMoments {
            counts: Vec::new(),
            x: FloatSums::default(),
            y: FloatSums::default(),
            x_squares: (is_line || function == PairFunction::SquaresX).then(Products::default),
            y_squares: (has_both_squares || function == PairFunction::SquaresY)
                .then(Products::default),
            products: needs_products.then(Products::default),
        }
    }

    fn sums(&self, side: Side) -> &FloatSums {
        match side {
            Side::X => &self.x,
            Side::Y => &self.y,
        }
    }

    fn all_products(&self) -> impl Iterator<Item = &Products> {
        self.x_squares.iter().chain(&self.y_squares).chain(&self.products)
    }

    fn all_products_mut(&mut self) -> impl Iterator<Item = &mut Products> {
        self.x_squares.iter_mut().chain(&mut self.y_squares).chain(&mut self.products)
    }
}

impl Moments for DoubleMoments {
    fn resize(&mut self, group_count: usize) {
        self.counts.resize(group_count, 0);
        self.x.resize(group_count);
        self.y.resize(group_count);
        self.all_products_mut().for_each(|products| products.resize(group_count));
    }

    fn add(&mut self, groups: Groups<'_>, y: &ArrayRef, x: &ArrayRef) -> Result<()> {
        let y = y.as_primitive::<Float64Type>().values();
        let x = x.as_primitive::<Float64Type>().values();
        products::count(&mut self.counts, groups);
        products::add(&mut self.x, groups, x);
        products::add(&mut self.y, groups, y);
        let factors = [(&mut self.x_squares, x, x), (&mut self.y_squares, y, y)];
        for (products, left, right) in factors.into_iter().chain([(&mut self.products, x, y)]) {
            if let Some(products) = products {
                products.add(groups, left, right);
            }
        }
        Ok(())
    }

    fn merge(&mut self, other: &DoubleMoments, from: &[u32], to: &[u32]) {
        self.x.merge(&other.x, from, to);
        self.y.merge(&other.y, from, to);
        for (here, there) in self.all_products_mut().zip(other.all_products()) {
            here.merge(there, from, to);
        }
        for (from, to) in from.iter().zip(to) {
            self.counts[*to as usize] += other.counts[*from as usize];
        }
    }

    fn counts(&self) -> Vec<u64> {
        self.counts.clone()
    }

    fn mean(&self, group: u32, side: Side) -> Option<f64> {
        self.sums(side).quotient(group, self.counts[group as usize])
    }

    fn about_means(&self, group: u32, (left, right): (Side, Side), divisor: u64) -> Option<f64> {
        let (left_sums, right_sums) = (self.sums(left), self.sums(right));
        for sums in [left_sums, right_sums] {
            if !sums.quotient(group, 1)?.is_finite() {
                return Some(f64::NAN);
            }
        }
        let products = match (left, right) {
            (Side::X, Side::X) => &self.x_squares,
            (Side::Y, Side::Y) => &self.y_squares,
            _ => &self.products,
        };
        let products = products.as_ref().expect("the function said what it needs");
        let (count, sums) = (self.counts[group as usize], (left_sums, right_sums));
        let value = products.about_means(group, count, sums, divisor)?;
        Some(if left == right { value.max(0.0) } else { value })
    }

    fn bytes(&self) -> usize {
        let sums = self.x.bytes() + self.y.bytes();
        sums + self.all_products().map(Products::bytes).sum::<usize>()
            + self.counts.capacity() * size_of::<u64>()
    }
}
