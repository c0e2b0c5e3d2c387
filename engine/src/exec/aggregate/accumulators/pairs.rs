//! Statistics of pairs: covariances, the correlation, the line of least squares.
//!
//! The sums are exact, of small integers as integers, of doubles as in
//! [`products`](super::products); what is computed from them is rounded where its definition says
//! so, and nowhere before. Must not know how groups are found.

mod doubles;
mod integers;

use std::fmt::Debug;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, Float64Array, Int64Array, UInt32Array};
use arrow::buffer::NullBuffer;
use arrow::compute::take;

use self::doubles::DoubleMoments;
use self::integers::IntegerMoments;
use super::{Accumulator, Groups, same_kind};
use crate::exec::source::ColumnKind;
use crate::plan::PairFunction;
use crate::types::{DataType, Error, Result};
use crate::vector::Vector;

/// The accumulator of `function` over pairs of arguments of these types.
pub(super) fn of_pairs(function: PairFunction, y: DataType, x: DataType) -> Box<dyn Accumulator> {
    if PairFunction::is_small_integer(y) && PairFunction::is_small_integer(x) {
        Box::new(OfPairs { function, moments: IntegerMoments::default() })
    } else {
        Box::new(OfPairs { function, moments: DoubleMoments::new(function) })
    }
}

/// Sums from which everything about pairs follows.
trait Moments: Debug + Send + Sync + 'static {
    fn resize(&mut self, group_count: usize);

    /// Takes pairs without NULLs.
    fn add(&mut self, groups: Groups<'_>, y: &ArrayRef, x: &ArrayRef) -> Result<()>;

    fn merge(&mut self, other: &Self, from: &[u32], to: &[u32]);

    /// Pairs by group.
    fn counts(&self) -> Vec<u64>;

    /// The mean; `None` beyond the largest double.
    fn mean(&self, group: u32, side: Side) -> Option<f64>;

    /// The sum of the products of the distances from the means, divided, rounded once; NaN when a
    /// value is not finite, `None` beyond the largest double.
    fn about_means(&self, group: u32, sides: (Side, Side), divisor: u64) -> Option<f64>;

    fn bytes(&self) -> usize;
}

/// One of a pair.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Side {
    X,
    Y,
}

#[derive(Debug)]
struct OfPairs<M> {
    function: PairFunction,
    moments: M,
}

impl<M: Moments> OfPairs<M> {
    /// The result of a group; `None` when the pairs do not say.
    fn result(&self, group: u32, count: u64) -> Result<Option<f64>> {
        use Side::{X, Y};
        if count == 0 {
            return Ok(None);
        }
        let too_large = || Error::out_of_range("a statistic of pairs is beyond the largest double");
        let mean = |side| self.moments.mean(group, side).ok_or_else(too_large);
        let divided =
            |sides, divisor| self.moments.about_means(group, sides, divisor).ok_or_else(too_large);
        let sum = |left, right| divided((left, right), 1);
        Ok(match self.function {
            PairFunction::Count => None,
            PairFunction::MeanX => Some(mean(X)?),
            PairFunction::MeanY => Some(mean(Y)?),
            PairFunction::SquaresX => Some(sum(X, X)?),
            PairFunction::SquaresY => Some(sum(Y, Y)?),
            PairFunction::Products => Some(sum(X, Y)?),
            PairFunction::CovariancePopulation => Some(divided((X, Y), count)?),
            PairFunction::CovarianceSample if count == 1 => None,
            PairFunction::CovarianceSample => Some(divided((X, Y), count - 1)?),
            PairFunction::Correlation => {
                PairFunction::correlation(sum(X, X)?, sum(Y, Y)?, sum(X, Y)?)
            }
            PairFunction::Determination => {
                PairFunction::determination(sum(X, X)?, sum(Y, Y)?, sum(X, Y)?)
            }
            PairFunction::Slope => PairFunction::slope(sum(X, X)?, sum(X, Y)?),
            PairFunction::Intercept => match PairFunction::slope(sum(X, X)?, sum(X, Y)?) {
                None => None,
                Some(slope) => Some(mean(Y)? - slope * mean(X)?),
            },
        })
    }
}

impl<M: Moments> Accumulator for OfPairs<M> {
    fn resize(&mut self, group_count: usize) {
        self.moments.resize(group_count);
    }

    fn update(&mut self, _groups: Groups<'_>, _argument: &Vector) -> Result<()> {
        Err(Error::internal("an aggregate of pairs takes two arguments"))
    }

    fn update_pairs(&mut self, groups: Groups<'_>, first: &Vector, second: &Vector) -> Result<()> {
        let (y, x) = (first.decode()?, second.decode()?);
        let valid = NullBuffer::union(y.logical_nulls().as_ref(), x.logical_nulls().as_ref());
        match valid.filter(|valid| valid.null_count() > 0) {
            None => self.moments.add(groups, &y, &x),
            Some(valid) => {
                let row = |row| u32::try_from(row).expect("batches are short");
                let rows: Vec<u32> = valid.valid_indices().map(row).collect();
                let groups = groups.take(&rows);
                let rows = UInt32Array::from(rows);
                let (y, x) = (take(y.as_ref(), &rows, None)?, take(x.as_ref(), &rows, None)?);
                self.moments.add(groups.borrow(), &y, &x)
            }
        }
    }

    fn merge(&mut self, other: &dyn Accumulator, from: &[u32], to: &[u32]) -> Result<()> {
        let other: &OfPairs<M> = same_kind(other)?;
        self.moments.merge(&other.moments, from, to);
        Ok(())
    }

    fn finish(&self) -> Result<Vector> {
        let counts = self.moments.counts();
        if self.function == PairFunction::Count {
            let count = |count: u64| i64::try_from(count).expect("rows are counted in 63 bits");
            let counts: Int64Array = counts.into_iter().map(count).collect::<Vec<i64>>().into();
            return Ok(Vector::Flat(Arc::new(counts)));
        }
        let results: Float64Array = (0_u32..)
            .zip(counts)
            .map(|(group, count)| self.result(group, count))
            .collect::<Result<Vec<Option<f64>>>>()?
            .into();
        Ok(Vector::Flat(Arc::new(results)))
    }

    fn kind(&self) -> ColumnKind {
        ColumnKind::flat(match self.function {
            PairFunction::Count => DataType::Int64,
            _ => DataType::Float64,
        })
    }

    fn bytes(&self) -> usize {
        self.moments.bytes()
    }
}
