//! Places in the order of a group's values: what `percentile_cont` and `percentile_disc` ask for.
//!
//! PostgreSQL's definitions, so that an aggregate and its naive twin mean the same place. Must not know
//! how values are ordered.

use crate::types::{Error, Result};

/// A quantile: a fraction of the values, in their order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Quantile {
    /// The bits of the fraction, from 0 to 1.
    fraction: u64,
    continuous: bool,
    descending: bool,
}

impl Quantile {
    /// The quantile at `fraction` of the values, or with `continuous` between two of them; counted
    /// from the least, or with `descending` from the greatest.
    ///
    /// # Errors
    /// `OutOfRange` for a fraction beyond 0 and 1.
    pub fn new(fraction: f64, continuous: bool, descending: bool) -> Result<Quantile> {
        if !(0.0..=1.0).contains(&fraction) {
            return Err(Error::out_of_range(format!("the fraction {fraction} is not from 0 to 1")));
        }
        // One zero, so that equal quantiles are equal.
        Ok(Quantile { fraction: (fraction + 0.0).to_bits(), continuous, descending })
    }

    /// The fraction.
    pub fn fraction(self) -> f64 {
        f64::from_bits(self.fraction)
    }

    /// Whether it may be between two values.
    pub fn is_continuous(self) -> bool {
        self.continuous
    }

    /// Whether it is counted from the greatest value.
    pub fn is_descending(self) -> bool {
        self.descending
    }

    /// Where the value is among `count` values in ascending order: the first that has at least the
    /// fraction of all values up to it.
    ///
    /// # Panics
    /// Over no value.
    pub fn index(self, count: usize) -> usize {
        assert!(count > 0, "a quantile is over values");
        let rank = whole((self.fraction() * double(count)).ceil()).clamp(1, count);
        self.ascending(rank - 1, count)
    }

    /// Between which of `count` values in ascending order it is, in the order in which they are
    /// counted, and what share of the way it is from the first to the second.
    ///
    /// # Panics
    /// Over no value.
    pub fn between(self, count: usize) -> (usize, usize, f64) {
        assert!(count > 0, "a quantile is over values");
        let place = self.fraction() * double(count - 1);
        let first = whole(place.floor()).min(count - 1);
        let second = whole(place.ceil()).min(count - 1);
        let share = place - place.floor();
        (self.ascending(first, count), self.ascending(second, count), share)
    }

    /// The value at `share` of the way between two.
    pub fn interpolate(from: f64, to: f64, share: f64) -> f64 {
        #[expect(clippy::float_cmp, reason = "between equal values there is only that one")]
        if from == to {
            return from;
        }
        let distance = to - from;
        if distance.is_finite() {
            from + share * distance
        } else {
            from * (1.0 - share) + to * share
        }
    }

    fn ascending(self, index: usize, count: usize) -> usize {
        if self.descending { count - 1 - index } else { index }
    }
}

#[expect(clippy::cast_precision_loss, reason = "counts stay below 2^53")]
fn double(count: usize) -> f64 {
    count as f64
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a whole number from 0 to a count"
)]
fn whole(value: f64) -> usize {
    value as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_where_postgresql_has_them() -> Result<()> {
        let discrete = |fraction| Quantile::new(fraction, false, false);
        let indices = [0.0, 0.1, 0.25, 0.26, 0.5, 0.75, 1.0]
            .map(|fraction| discrete(fraction).map(|quantile| quantile.index(4)).unwrap());
        assert_eq!(indices, [0, 0, 0, 1, 1, 2, 3]);
        assert_eq!(Quantile::new(0.25, false, true)?.index(4), 3);
        let median = Quantile::new(0.5, true, false)?;
        assert_eq!(median.between(4), (1, 2, 0.5));
        assert_eq!(median.between(5), (2, 2, 0.0));
        assert_eq!(median.between(1), (0, 0, 0.0));
        assert_eq!(Quantile::new(0.25, true, true)?.between(5), (3, 3, 0.0));
        assert_eq!(Quantile::new(0.25, true, true)?.between(4), (3, 2, 0.75));
        for wrong in [-0.1, 1.1, f64::NAN] {
            assert!(discrete(wrong).is_err(), "{wrong}");
        }
        Ok(())
    }

    #[test]
    fn what_is_between_values_stays_between_them() {
        for (from, to, expected) in [
            (1.0, 2.0, 1.5),
            (-1e308, 1e308, 0.0),
            (f64::NEG_INFINITY, 5.0, f64::NEG_INFINITY),
            (5.0, f64::INFINITY, f64::INFINITY),
            (f64::INFINITY, f64::INFINITY, f64::INFINITY),
        ] {
            let found = Quantile::interpolate(from, to, 0.5);
            assert_eq!(found.to_bits(), f64::to_bits(expected), "{from} {to}: {found}");
        }
        assert!(Quantile::interpolate(1.0, f64::NAN, 0.5).is_nan());
    }
}
