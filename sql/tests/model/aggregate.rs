//! GROUP BY and the aggregate functions, one group at a time.

use std::collections::BTreeMap;

use martlet::plan::AggregateFunction::OfPairs;
use martlet::plan::{Aggregate, AggregateFunction, Expr, PairFunction, Quantile};
use martlet::{DataType, Error, Result, Value};
use num_bigint::BigInt;

use crate::answer::Row;
use crate::exact::{in_smallest_units, nearest_double, power_of_ten, smallest_units_per_one};
use crate::number::{fit, float, integer};
use crate::plan::{Cell, LazyRow, Model};

impl Model {
    /// One row per group: its keys, then its aggregates. Without keys there is one group, always.
    pub(crate) fn aggregate(
        &self,
        rows: &[LazyRow],
        keys: &[Expr],
        aggregates: &[Aggregate],
    ) -> Vec<LazyRow> {
        let mut groups: BTreeMap<String, (Vec<Cell>, Vec<&LazyRow>)> = BTreeMap::new();
        if keys.is_empty() {
            groups.insert("[]".to_owned(), (Vec::new(), Vec::new()));
        }
        for row in rows {
            let key = keys.iter().map(|key| self.eval(key, &row.cells).map(canonical));
            let key: Vec<Cell> = key.collect();
            // Keys that fail make a group of their own: it matters only to who needs that key.
            groups.entry(format!("{key:?}")).or_insert_with(|| (key, Vec::new())).1.push(row);
        }
        let finish = |(key, rows): (Vec<Cell>, Vec<&LazyRow>)| {
            let results = aggregates.iter().map(|aggregate| self.one_aggregate(aggregate, &rows));
            // A group is there when one of its rows is.
            let certain = keys.is_empty() || rows.iter().any(|row| row.doubt.is_none());
            let doubt = if certain { None } else { rows.iter().find_map(|row| row.doubt.clone()) };
            LazyRow { cells: key.into_iter().chain(results).collect(), doubt }
        };
        groups.into_values().map(finish).collect()
    }

    fn one_aggregate(&self, aggregate: &Aggregate, rows: &[&LazyRow]) -> Cell {
        // Every row is computed, so that every error is noted; the first one is the result.
        let cells: Vec<Result<Option<Row>>> =
            rows.iter().map(|row| self.inputs_of(aggregate, row)).collect();
        let inputs: Vec<Row> =
            cells.into_iter().filter_map(Result::transpose).collect::<Result<_>>()?;
        let has_squares =
            aggregate.function.is_spread() || matches!(aggregate.function, OfPairs(_));
        if has_squares {
            let doubles = || inputs.iter().flatten().map(|value| float(&as_double(value)));
            if doubles().any(|value| value.abs() > 1e150) {
                self.note(&Error::out_of_range(
                    "squares overflow on the way to a result that need not",
                ));
            }
            // Products of what is larger have their last of 106 bits above 2^-1074.
            if doubles().any(|value| value != 0.0 && value.abs() < 1e-120) {
                self.note_lost_digits();
            }
        }
        let argument_type = aggregate.argument.as_ref().map(Expr::data_type);
        let cell = if let OfPairs(function) = aggregate.function {
            result_of_pairs(function, &inputs)
        } else {
            let values = inputs.into_iter().flatten().collect();
            result(aggregate, values, argument_type, aggregate.data_type()?)
        };
        if let Err(error) = &cell {
            self.note(error);
        }
        cell
    }

    /// What a row gives the aggregate; nothing when the filter keeps it out, or an argument is NULL.
    fn inputs_of(&self, aggregate: &Aggregate, row: &LazyRow) -> Result<Option<Row>> {
        if let Some(error) = &row.doubt {
            return Err(error.clone());
        }
        if let Some(filter) = &aggregate.filter
            && !self.is(filter, true, &row.cells)?
        {
            return Ok(None);
        }
        if aggregate.function == AggregateFunction::CountRows {
            return Ok(Some(vec![Value::Bool(true)]));
        }
        let arguments = aggregate.argument.iter().chain(&aggregate.second);
        let values = arguments.map(|argument| self.eval(argument, &row.cells));
        let values: Row = values.collect::<Result<_>>()?;
        Ok(Some(values).filter(|values| !values.iter().any(Value::is_null)))
    }
}

/// The one value that stands for all equal ones: 0.0 for both zeros.
pub(crate) fn canonical(value: Value) -> Value {
    match value {
        Value::Float(value) => Value::Float(if value == 0.0 { 0.0 } else { value }),
        other => other,
    }
}

fn result(
    aggregate: &Aggregate,
    mut values: Vec<Value>,
    argument_type: Option<DataType>,
    data_type: DataType,
) -> Cell {
    use AggregateFunction::{Avg, Count, CountRows, Max, Min, Sum};
    if aggregate.distinct {
        values.sort_by(Value::order);
        values.dedup();
    }
    let greatest = |left: &Value, right: &Value| left.order(right);
    match aggregate.function {
        CountRows | Count => Ok(Value::Int(i128::try_from(values.len()).expect("128 bits"))),
        _ if values.is_empty() => Ok(Value::Null),
        Min => Ok(values.into_iter().min_by(greatest).map_or(Value::Null, canonical)),
        Max => Ok(values.into_iter().max_by(greatest).map_or(Value::Null, canonical)),
        Sum if data_type == DataType::Float64 => sum_of_doubles(&values, 1),
        Sum => fit(values.iter().map(integer).sum(), data_type),
        Avg if argument_type.is_some_and(DataType::is_float) => {
            sum_of_doubles(&values, values.len())
        }
        Avg => {
            let scale = match argument_type {
                Some(DataType::Decimal { scale, .. }) => scale.into(),
                _ => 0,
            };
            let divisor = BigInt::from(values.len()) * power_of_ten(scale);
            let sum: BigInt = values.iter().map(integer).sum();
            Ok(Value::Float(nearest_double(&sum, &divisor)))
        }
        AggregateFunction::Quantile(quantile) => {
            values.sort_by(greatest);
            if quantile.is_descending() {
                values.reverse();
            }
            Ok(canonical(quantile_of(quantile, &values)))
        }
        spread if spread.is_spread() => spread_of(spread, &values),
        other => Err(Error::unsupported(format!("{other:?}"))),
    }
}

/// The value at a fraction of values in order; of doubles, when it may be between two of them.
#[expect(clippy::cast_precision_loss, clippy::float_cmp, reason = "few values; equal ones")]
fn quantile_of(quantile: Quantile, values: &[Value]) -> Value {
    let (fraction, count) = (quantile.fraction(), values.len() as f64);
    if !quantile.is_continuous() {
        let reached = |up_to: usize| up_to as f64 >= fraction * count;
        let place = (1..=values.len()).find(|up_to| reached(*up_to)).unwrap_or(values.len());
        return values[place - 1].clone();
    }
    let place = fraction * (count - 1.0);
    let at = |wanted: f64| {
        let found = values.iter().zip(0_u32..).find(|(_, index)| f64::from(*index) == wanted);
        float(found.expect("a place among the values").0)
    };
    let (from, to, share) = (at(place.floor()), at(place.ceil()), place.fract());
    Value::Float(if from == to {
        from
    } else if (to - from).is_finite() {
        from + share * (to - from)
    } else {
        from * (1.0 - share) + to * share
    })
}

/// An aggregate of pairs (y, x): every sum is exact, and rounded once.
fn result_of_pairs(function: PairFunction, pairs: &[Row]) -> Cell {
    use PairFunction::{
        Correlation, Count, CovariancePopulation, CovarianceSample, Determination, Intercept,
        MeanX, MeanY, Products, Slope, SquaresX, SquaresY,
    };
    let side = |index: usize| -> Vec<f64> {
        pairs.iter().map(|pair| float(&as_double(&pair[index]))).collect()
    };
    let (y, x, count) = (side(0), side(1), pairs.len());
    let values = |side: &[f64]| -> Vec<Value> { side.iter().copied().map(Value::Float).collect() };
    if count == 0 && function != Count || function == CovarianceSample && count == 1 {
        return Ok(Value::Null);
    }
    let sum = |left: &[f64], right: &[f64]| about_means(left, right, 1);
    let coefficient = |value: Option<f64>| value.map_or(Value::Null, Value::Float);
    let value = match function {
        Count => return Ok(Value::Int(i128::try_from(count).expect("128 bits"))),
        MeanX => return sum_of_doubles(&values(&x), count),
        MeanY => return sum_of_doubles(&values(&y), count),
        SquaresX => sum(&x, &x)?,
        SquaresY => sum(&y, &y)?,
        Products => sum(&x, &y)?,
        CovariancePopulation => about_means(&x, &y, count)?,
        CovarianceSample => about_means(&x, &y, count - 1)?,
        Correlation => {
            let (xx, yy, xy) = (sum(&x, &x)?, sum(&y, &y)?, sum(&x, &y)?);
            return Ok(coefficient(PairFunction::correlation(xx, yy, xy)));
        }
        Determination => {
            let (xx, yy, xy) = (sum(&x, &x)?, sum(&y, &y)?, sum(&x, &y)?);
            return Ok(coefficient(PairFunction::determination(xx, yy, xy)));
        }
        Slope | Intercept => {
            let (xx, xy) = (sum(&x, &x)?, sum(&x, &y)?);
            if xx == 0.0 {
                return Ok(Value::Null);
            }
            if function == Slope {
                xy / xx
            } else {
                let mean = |side: &[f64]| sum_of_doubles(&values(side), count);
                float(&mean(&y)?) - xy / xx * float(&mean(&x)?)
            }
        }
    };
    Ok(Value::Float(value))
}

/// The sum of the products of the distances from the means, divided.
fn about_means(left: &[f64], right: &[f64], divisor: usize) -> Result<f64> {
    if left.iter().chain(right).any(|value| !value.is_finite()) {
        return Ok(f64::NAN);
    }
    let units =
        |side: &[f64]| -> Vec<BigInt> { side.iter().copied().map(in_smallest_units).collect() };
    let (left, right) = (units(left), units(right));
    let (left_sum, right_sum): (BigInt, BigInt) = (left.iter().sum(), right.iter().sum());
    let products: BigInt = left.iter().zip(&right).map(|(left, right)| left * right).sum();
    let count = BigInt::from(left.len());
    let one = smallest_units_per_one();
    let numerator = &count * products - left_sum * right_sum;
    let value = nearest_double(&numerator, &(count * BigInt::from(divisor) * &one * &one));
    if value.is_infinite() {
        return Err(Error::out_of_range("a statistic of pairs is beyond the largest double"));
    }
    Ok(value)
}

#[expect(clippy::cast_precision_loss, reason = "integers of pairs have 32 bits")]
fn as_double(value: &Value) -> Value {
    match value {
        Value::Int(value) => Value::Float(*value as f64),
        other => other.clone(),
    }
}

/// The exact variance, rounded once, or its root.
fn spread_of(function: AggregateFunction, values: &[Value]) -> Cell {
    use AggregateFunction::{DeviationPopulation, DeviationSample, VarianceSample};
    let count = BigInt::from(values.len());
    let is_sample = matches!(function, VarianceSample | DeviationSample);
    let divisor = if is_sample { &count - 1 } else { count.clone() };
    if divisor == BigInt::ZERO {
        return Ok(Value::Null);
    }
    if values.iter().any(|value| !float(value).is_finite()) {
        return Ok(Value::Float(f64::NAN));
    }
    let units = || values.iter().map(|value| in_smallest_units(float(value)));
    let (sum, squares): (BigInt, BigInt) = (units().sum(), units().map(|unit| &unit * &unit).sum());
    let one = smallest_units_per_one();
    let numerator = &count * squares - &sum * &sum;
    let variance = nearest_double(&numerator, &(count * divisor * &one * &one));
    if variance.is_infinite() {
        return Err(Error::out_of_range("a variance is beyond the largest double"));
    }
    let is_root = matches!(function, DeviationSample | DeviationPopulation);
    Ok(Value::Float(if is_root { variance.sqrt() } else { variance }))
}

/// The exact sum, divided, rounded once.
fn sum_of_doubles(values: &[Value], divisor: usize) -> Cell {
    let has = |wanted: fn(f64) -> bool| values.iter().any(|value| wanted(float(value)));
    let positive = has(|value| value == f64::INFINITY);
    let negative = has(|value| value == f64::NEG_INFINITY);
    if has(f64::is_nan) || (positive && negative) {
        return Ok(Value::Float(f64::NAN));
    }
    if positive || negative {
        return Ok(Value::Float(if positive { f64::INFINITY } else { f64::NEG_INFINITY }));
    }
    let sum: BigInt = values.iter().map(|value| in_smallest_units(float(value))).sum();
    let rounded = nearest_double(&sum, &(smallest_units_per_one() * BigInt::from(divisor)));
    if rounded.is_infinite() {
        return Err(Error::out_of_range("the sum is beyond the largest double"));
    }
    Ok(Value::Float(rounded))
}
