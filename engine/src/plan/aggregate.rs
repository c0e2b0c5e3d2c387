//! The aggregate functions and their result types.

use super::expression::Expr;
use super::pair_function::PairFunction;
use super::quantile::Quantile;
use crate::types::{DataType, Error, Result};

/// An aggregate function.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum AggregateFunction {
    /// `COUNT(*)`: rows.
    CountRows,
    /// `COUNT(x)`: non-null values.
    Count,
    /// `SUM(x)`: exact; NULL over no value.
    Sum,
    /// `AVG(x)`: a double from the exact sum, rounded once; NULL over no value.
    Avg,
    /// `MIN(x)`.
    Min,
    /// `MAX(x)`.
    Max,
    /// `VAR_SAMP(x)`: of doubles, rounded once; NULL over fewer than two values.
    VarianceSample,
    /// `VAR_POP(x)`: of doubles, rounded once; NULL over no value.
    VariancePopulation,
    /// `STDDEV_SAMP(x)`: the root of `VAR_SAMP`.
    DeviationSample,
    /// `STDDEV_POP(x)`: the root of `VAR_POP`.
    DeviationPopulation,
    /// `PERCENTILE_DISC`, one of the values, or `PERCENTILE_CONT`, of doubles; NULL over no value.
    Quantile(Quantile),
    /// `CORR(y, x)` and others of two arguments.
    OfPairs(PairFunction),
}

impl AggregateFunction {
    /// Whether it is a variance or a standard deviation, which take doubles.
    pub fn is_spread(self) -> bool {
        use AggregateFunction::{
            DeviationPopulation, DeviationSample, VariancePopulation, VarianceSample,
        };
        matches!(self, VarianceSample | VariancePopulation | DeviationSample | DeviationPopulation)
    }

    /// Whether it is a quantile that may be between two values, which takes doubles.
    pub fn is_continuous_quantile(self) -> bool {
        matches!(self, AggregateFunction::Quantile(quantile) if quantile.is_continuous())
    }

    /// The result type for an argument type (`None` for `COUNT(*)`).
    ///
    /// # Errors
    /// `Type` when the function does not take that type.
    pub fn result_type(self, argument: Option<DataType>) -> Result<DataType> {
        use AggregateFunction::{Count, CountRows, Max, Min, Sum};
        let argument = match (self, argument) {
            (CountRows | Count, _) => return Ok(DataType::Int64),
            (_, Some(argument)) => argument,
            (_, None) => return Err(Error::type_mismatch("the aggregate takes one argument")),
        };
        match (self, argument) {
            (Min | Max, DataType::Interval) => {
                Err(Error::unsupported("MIN and MAX of an interval are not supported"))
            }
            (Min | Max, _) => Ok(argument),
            (AggregateFunction::Quantile(quantile), _) => quantile_type(quantile, argument),
            (Sum, DataType::Bool | DataType::Null) => Ok(DataType::Int64),
            (Sum, DataType::Int64 | DataType::UInt64) => {
                Ok(DataType::Decimal { precision: 38, scale: 0 })
            }
            (Sum, _) if argument.is_integer() => Ok(DataType::Int64),
            (Sum, DataType::Decimal { scale, .. }) => {
                Ok(DataType::Decimal { precision: 38, scale })
            }
            (AggregateFunction::OfPairs(PairFunction::Count), _)
                if argument.is_numeric() || argument == DataType::Null =>
            {
                Ok(DataType::Int64)
            }
            (_, _) if argument.is_numeric() || argument == DataType::Null => Ok(DataType::Float64),
            _ => Err(Error::type_mismatch(format!(
                "cannot sum, average or spread values of type {argument}"
            ))
            .with_hint("cast the argument to a number")),
        }
    }
}

fn quantile_type(quantile: Quantile, argument: DataType) -> Result<DataType> {
    let takes_doubles = argument.is_numeric() || argument == DataType::Null;
    match (quantile.is_continuous(), argument) {
        (true, _) if takes_doubles => Ok(DataType::Float64),
        (false, DataType::Interval) => {
            Err(Error::unsupported("a quantile of an interval is not supported"))
        }
        (false, _) => Ok(argument),
        (true, DataType::Date | DataType::Time(_) | DataType::Timestamp { .. }) => Err(
            Error::unsupported(format!("a value between two of type {argument} is not supported"))
                .with_hint("quantile_disc and percentile_disc give one of the values"),
        ),
        (true, _) => {
            Err(Error::type_mismatch(format!("there is no value between two of type {argument}"))
                .with_hint("quantile_disc and percentile_disc give one of the values"))
        }
    }
}

/// One aggregate of a plan.
#[derive(Clone, Debug, PartialEq)]
pub struct Aggregate {
    /// Which function.
    pub function: AggregateFunction,
    /// Its argument; `None` for `COUNT(*)`.
    pub argument: Option<Expr>,
    /// The second argument of an aggregate of pairs, and of no other.
    pub second: Option<Expr>,
    /// `DISTINCT`: each value counts once.
    pub distinct: bool,
    /// `FILTER (WHERE …)`: only rows for which it is true count.
    pub filter: Option<Expr>,
}

impl Aggregate {
    /// The result type.
    ///
    /// # Errors
    /// As [`AggregateFunction::result_type`].
    pub fn data_type(&self) -> Result<DataType> {
        if let Some(second) = &self.second {
            self.function.result_type(Some(second.data_type()))?;
        }
        self.function.result_type(self.argument.as_ref().map(Expr::data_type))
    }

    /// Its arguments and its filter.
    pub fn exprs(&self) -> impl Iterator<Item = &Expr> {
        self.argument.iter().chain(&self.second).chain(&self.filter)
    }

    /// Its arguments and its filter, to be changed.
    pub fn exprs_mut(&mut self) -> impl Iterator<Item = &mut Expr> {
        self.argument.iter_mut().chain(&mut self.second).chain(&mut self.filter)
    }
}
