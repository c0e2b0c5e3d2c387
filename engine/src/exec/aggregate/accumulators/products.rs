//! Exact sums of products of doubles, and of the products of their distances from the means.
//!
//! A product is the two doubles that a fused multiply-add gives, so that nothing is lost where large
//! products cancel, and the result has the same bits in whatever order the rows come. With the means
//! mx and my, rounded, and dx = sum of x - n mx, dy alike, n times the sum of (x - X)(y - Y), where X
//! and Y are the true means, is
//!
//! ```text
//! n (sum of products - n mx my - mx dy - my dx) - dx dy
//! ```
//!
//! where every factor is one double or some whose sum it is: sides that do not vary together give 0, and
//! not what the digits of a double, or of two, leave of it. The result is rounded once, while it is
//! divided by the counts. Must not know how groups are found.

use super::Groups;
use crate::exec::aggregate::exact::{FloatSums, WideSum};
use crate::kernel;

/// Products that are made at once.
const PIECE_LEN: usize = 1_024;

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
        let (mut products, mut rests) = ([0.0; PIECE_LEN], [0.0; PIECE_LEN]);
        for (index, (x, y)) in x.chunks(PIECE_LEN).zip(y.chunks(PIECE_LEN)).enumerate() {
            let (products, rests) = (&mut products[..x.len()], &mut rests[..x.len()]);
            kernel::two_products(x, y, products, rests);
            let groups = match groups {
                Groups::First(_) => Groups::First(x.len()),
                Groups::Each(groups) => Groups::Each(&groups[index * PIECE_LEN..][..x.len()]),
            };
            add(&mut self.products, groups, products);
            add(&mut self.rests, groups, rests);
        }
    }

    /// Takes over the groups `from` of `other`, as the groups `to`.
    pub(super) fn merge(&mut self, other: &Products, from: &[u32], to: &[u32]) {
        self.products.merge(&other.products, from, to);
        self.rests.merge(&other.rests, from, to);
    }

    /// The sum of the products of the distances from the means of `count` pairs, divided; `None` beyond
    /// the largest double. `x` and `y` are the sums.
    #[expect(clippy::cast_precision_loss, reason = "counts stay below 2^53")]
    pub(super) fn about_means(
        &self,
        group: u32,
        count: u64,
        (x, y): (&FloatSums, &FloatSums),
        divisor: u64,
    ) -> Option<f64> {
        if let Some(divisor_by_count) = divisor.checked_mul(count)
            && let Some(total) = self.integer_about_means(group, count, (x, y))
        {
            return total.quotient(divisor_by_count);
        }
        let n = count as f64;
        let (mean_x, mean_y) = (nearest(x, group, count), nearest(y, group, count));
        let distance = |sums, mean| {
            let mut distance = only(sums, group);
            subtract(&mut distance, &[(n, mean)]);
            pieces(distance)
        };
        let (distance_x, distance_y) = (distance(x, mean_x), distance(y, mean_y));
        let mut total = only(&self.products, group);
        total.merge(&self.rests, &[group], &[0]);
        let (product, rest) = two_product(mean_x, mean_y);
        let mut terms = vec![(n, product), (n, rest)];
        terms.extend(distance_y.iter().map(|piece| (mean_x, *piece)));
        terms.extend(distance_x.iter().map(|piece| (mean_y, *piece)));
        subtract(&mut total, &terms);
        // Exact means need no more; nor do numbers so large that n times them are none.
        let is_exact = distance_x.is_empty() || distance_y.is_empty();
        let divisor_by_count = divisor.checked_mul(count);
        let has_room = (n * nearest(&total, 0, 1)).is_finite();
        let Some(divisor_by_count) = divisor_by_count.filter(|_| !is_exact && has_room) else {
            return total.quotient(0, divisor).filter(|value| value.is_finite());
        };
        let mut terms: Vec<(f64, f64)> = pieces(total).iter().map(|piece| (-n, *piece)).collect();
        for x in &distance_x {
            terms.extend(distance_y.iter().map(|y| (*x, *y)));
        }
        let mut scaled = FloatSums::default();
        scaled.resize(1);
        subtract(&mut scaled, &terms);
        scaled.quotient(0, divisor_by_count).filter(|value| value.is_finite())
    }

    /// n times the sum of the products of the distances from the means, where all sums are integers whose
    /// products a [`WideSum`] has room for: n × sum of products - sum of x × sum of y.
    fn integer_about_means(
        &self,
        group: u32,
        count: u64,
        (x, y): (&FloatSums, &FloatSums),
    ) -> Option<WideSum> {
        let ((x, x_unit), (y, y_unit)) = (x.integer(group)?, y.integer(group)?);
        // In units of 2^-1074, in which products of halves below 2^256 are added.
        let shift = (x_unit + y_unit).checked_sub(1_076)?;
        let parts = [self.products.integer(group)?, self.rests.integer(group)?];
        if shift.max(parts[0].1).max(parts[1].1) > WideSum::BITS - 320 {
            return None;
        }
        let mut total = WideSum::new();
        for (sum, unit) in parts {
            total.add_product(sum, count.into(), unit - 1);
        }
        total.add_product(-x, y, shift);
        Some(total)
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
            kernel::scatter(groups, groups, |group, _| counts[group] += 1);
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

/// Subtracts the products.
fn subtract(sums: &mut FloatSums, factors: &[(f64, f64)]) {
    let halves = factors.iter().flat_map(|(a, b)| {
        let (product, rest) = two_product(*a, *b);
        [-product, -rest]
    });
    sums.add_to_first(&halves.collect::<Vec<f64>>());
}

/// The doubles, ever smaller, whose sum is that of the only group; none of 0. What is not finite is one.
fn pieces(mut sums: FloatSums) -> Vec<f64> {
    let mut pieces = Vec::new();
    loop {
        let piece = nearest(&sums, 0, 1);
        if piece != 0.0 {
            pieces.push(piece);
        }
        if piece == 0.0 || !piece.is_finite() {
            return pieces;
        }
        sums.add_to_first(&[-piece]);
    }
}

#[cfg(test)]
#[expect(clippy::result_large_err, reason = "proptest's error type")]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn covariance(x: &[f64], y: &[f64]) -> Option<f64> {
        let (mut sum_x, mut sum_y) = (FloatSums::default(), FloatSums::default());
        let mut products = Products::default();
        sum_x.resize(1);
        sum_y.resize(1);
        products.resize(1);
        let groups = Groups::First(x.len());
        add(&mut sum_x, groups, x);
        add(&mut sum_y, groups, y);
        products.add(groups, x, y);
        let count = x.len() as u64;
        products.about_means(0, count, (&sum_x, &sum_y), count)
    }

    proptest! {
        /// Every x with every y: sides that do not vary together, whatever their means are.
        #[test]
        fn sides_that_do_not_vary_together_leave_nothing(
            x in prop::collection::vec(-1e9..1e9, 2..6),
            y in prop::collection::vec(-1e-3..1e3, 2..6),
        ) {
            let pairs = x.iter().flat_map(|x| y.iter().map(|y| (*x, *y)));
            let (x, y): (Vec<f64>, Vec<f64>) = pairs.unzip();
            prop_assert_eq!(covariance(&x, &y), Some(0.0));
        }
    }

    #[test]
    fn what_is_left_of_large_products_is_exact() {
        // Python's fractions say so, rounded once.
        let x = [0.1, 0.2, 0.7, 1.3, -5.25];
        assert_eq!(covariance(&x, &[1.1, 2.5, 0.3, -7.7, 1e3]), Some(-934.2864));
        let x = [1_000_000_000.1, 1_000_000_000.2, 1_000_000_000.4];
        let y = [1_000_000_000.3, 999_999_999.3, 1_000_000_000.0];
        assert_eq!(covariance(&x, &y), Some(-0.005555559529199172));
        let x = [1e30, -1e30, 1e30, -1e30, 1e-30, 3e-30];
        let y = [0.1, 0.1, 0.7, 0.7, 0.3, 0.5];
        assert_eq!(covariance(&x, &y), Some(3.333333333333334e-32));
        let x = [1e20, 1e20, 0.3, 0.3, 1e-25];
        let y = [0.1, 0.7, 0.1, 0.7, 0.4];
        assert_eq!(covariance(&x, &y), Some(-333.06690738754696));
    }
}
