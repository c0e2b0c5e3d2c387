//! The aggregates of pairs, and what they are once the sums are known.
//!
//! SQL names the dependent variable first: `f(y, x)`. Must not know how sums are made.

use crate::types::DataType;

/// An aggregate of pairs (y, x) of which neither is NULL; NULL where the pairs do not say.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PairFunction {
    /// `CORR`: Pearson's coefficient; NULL when a side does not vary.
    Correlation,
    /// `COVAR_POP`.
    CovariancePopulation,
    /// `COVAR_SAMP`; NULL over fewer than two pairs.
    CovarianceSample,
    /// `REGR_R2`: the square of the correlation; 1 when y does not vary, NULL when x does not.
    Determination,
    /// `REGR_SLOPE` of the line of least squares; NULL when x does not vary.
    Slope,
    /// `REGR_INTERCEPT`: where that line meets x = 0.
    Intercept,
    /// `REGR_COUNT`: pairs.
    Count,
    /// `REGR_AVGX`.
    MeanX,
    /// `REGR_AVGY`.
    MeanY,
    /// `REGR_SXX`: the sum of the squared distances from the mean.
    SquaresX,
    /// `REGR_SYY`.
    SquaresY,
    /// `REGR_SXY`: the sum of the products of the distances from the means.
    Products,
}

impl PairFunction {
    /// Its name in SQL.
    pub fn name(self) -> &'static str {
        match self {
            PairFunction::Correlation => "corr",
            PairFunction::CovariancePopulation => "covar_pop",
            PairFunction::CovarianceSample => "covar_samp",
            PairFunction::Determination => "regr_r2",
            PairFunction::Slope => "regr_slope",
            PairFunction::Intercept => "regr_intercept",
            PairFunction::Count => "regr_count",
            PairFunction::MeanX => "regr_avgx",
            PairFunction::MeanY => "regr_avgy",
            PairFunction::SquaresX => "regr_sxx",
            PairFunction::SquaresY => "regr_syy",
            PairFunction::Products => "regr_sxy",
        }
    }

    /// Whether values of this type are integers of at most 32 bits. Two arguments of such types stay
    /// what they are; all others are doubles.
    pub fn is_small_integer(data_type: DataType) -> bool {
        use DataType::{Int8, Int16, Int32, UInt8, UInt16, UInt32};
        matches!(data_type, Int8 | Int16 | Int32 | UInt8 | UInt16 | UInt32)
    }

    /// The correlation from the sums of squares and products.
    pub fn correlation(xx: f64, yy: f64, xy: f64) -> Option<f64> {
        if xx == 0.0 || yy == 0.0 {
            return None;
        }
        let product = xx * yy;
        let scale = if is_regular(product) { product.sqrt() } else { xx.sqrt() * yy.sqrt() };
        Some((xy / scale).clamp(-1.0, 1.0))
    }

    /// The coefficient of determination from the sums of squares and products.
    pub fn determination(xx: f64, yy: f64, xy: f64) -> Option<f64> {
        if xx == 0.0 {
            return None;
        }
        if yy == 0.0 {
            return Some(1.0);
        }
        let (square, product) = (xy * xy, xx * yy);
        let regular = is_regular(product) && square.is_finite();
        let share = if regular { square / product } else { (xy / xx) * (xy / yy) };
        Some(share.clamp(0.0, 1.0))
    }

    /// The slope from the sums of squares and products.
    pub fn slope(xx: f64, xy: f64) -> Option<f64> {
        (xx != 0.0).then(|| xy / xx)
    }
}

/// Whether a product lost neither digits nor all of itself. What is not a number stays so anyway.
fn is_regular(product: f64) -> bool {
    product.is_normal() || product.is_nan()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn coefficients_need_variation_and_stay_in_their_bounds() {
        assert_eq!(PairFunction::correlation(2.0, 8.0, -4.0), Some(-1.0));
        assert_eq!(PairFunction::correlation(0.0, 8.0, 0.0), None);
        assert_eq!(PairFunction::correlation(1e200, 1e200, 1e200), Some(1.0));
        assert_eq!(PairFunction::correlation(1e-200, 1e-200, 1e-200), Some(1.0));
        assert_eq!(PairFunction::determination(2.0, 0.0, 0.0), Some(1.0));
        assert_eq!(PairFunction::determination(0.0, 1.0, 0.0), None);
        assert_eq!(PairFunction::determination(1e200, 1e200, 1e200), Some(1.0));
        assert_eq!(PairFunction::slope(2.0, 5.0), Some(2.5));
        assert!(PairFunction::correlation(f64::NAN, 1.0, 1.0).is_some_and(f64::is_nan));
    }
}
