//! Exact sums of products of doubles, and of the products of their distances from the means.
//!
//! A product is the two doubles that a fused multiply-add gives, so that nothing is lost where large
//! products cancel, and the result has the same bits in whatever order the rows come. With the means
//! mx and my, rounded, and dx = sum of x - n mx, dy alike, the sum of (x - X)(y - Y), where X and Y are
//! the true means, is
//!
//! ```text
//! sum of products - n mx my - mx dy - my dx - dx dy / n
//! ```
//!
//! whose terms are added to the sum of products as pairs of doubles before it is rounded once, while
//! it is divided by a count. Must not know how groups are found.

use super::Groups;
use crate::exec::aggregate::exact::FloatSums;
use crate::kernel;

/// Sums of products by group.
#[derive(Debug, Default)]
pub(super) struct Products {
    products: FloatSums,
    /// What the products lost when they were rounded.
    rests: FloatSums,
}

impl Products {
    pub(super) fn resize(&mut self, group_count: usize) {
        self.products.resize(group_count);
        self.rests.resize(group_count);
    }

    /// Adds the product of each pair to its group.
    pub(super) fn add(&mut self, groups: Groups<'_>, x: &[f64], y: &[f64]) {
        let (mut products, mut rests) = (vec![0.0; x.len()], vec![0.0; x.len()]);
        kernel::two_products(x, y, &mut products, &mut rests);
        add(&mut self.products, groups, &products);
        add(&mut self.rests, groups, &rests);
    }

    /// Takes over the groups `from` of `other`, as the groups `to`.
    pub(super) fn merge(&mut self, other: &Products, from: &[u32], to: &[u32]) {
        self.products.merge(&other.products, from, to);
        self.rests.merge(&other.rests, from, to);
    }

    /// The sum of the products of the distances from the means of `count` pairs, as the only group;
    /// `x` and `y` are the sums.
    #[expect(clippy::cast_precision_loss, reason = "counts stay below 2^53")]
    pub(super) fn about_means(
        &self,
        group: u32,
        count: u64,
        (x, y): (&FloatSums, &FloatSums),
    ) -> FloatSums {
        let n = count as f64;
        let (mean_x, mean_y) = (nearest(x, group, count), nearest(y, group, count));
        let (mut distance_x, mut distance_y) = (only(x, group), only(y, group));
        subtract(&mut distance_x, two_product(n, mean_x));
        subtract(&mut distance_y, two_product(n, mean_y));
        let mut total = only(&self.products, group);
        total.merge(&self.rests, &[group], &[0]);
        let (product, rest) = two_product(mean_x, mean_y);
        subtract(&mut total, two_product(n, product));
        subtract(&mut total, two_product(n, rest));
        // The distances of the sums from n times the means, to more than the digits of a double.
        for part in 0..2 {
            let (piece_x, piece_y) = (nearest(&distance_x, 0, 1), nearest(&distance_y, 0, 1));
            subtract(&mut distance_x, (piece_x, 0.0));
            subtract(&mut distance_y, (piece_y, 0.0));
            subtract(&mut total, two_product(mean_x, piece_y));
            subtract(&mut total, two_product(mean_y, piece_x));
            if part == 0 {
                subtract(&mut total, (piece_x * piece_y / n, 0.0));
            }
        }
        total
    }

    pub(super) fn bytes(&self) -> usize {
        self.products.bytes() + self.rests.bytes()
    }
}

/// Adds each value to its group.
pub(super) fn add(sums: &mut FloatSums, groups: Groups<'_>, values: &[f64]) {
    match groups {
        Groups::First(0) => {}
        Groups::First(_) => sums.add_to_first(values),
        Groups::Each(groups) => sums.add(groups, values),
    }
}

/// Counts the rows of each group.
pub(super) fn count(counts: &mut [u64], groups: Groups<'_>) {
    match groups {
        Groups::First(0) => {}
        Groups::First(len) => counts[0] += len as u64,
        Groups::Each(groups) => {
            for group in groups {
                counts[*group as usize] += 1;
            }
        }
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
