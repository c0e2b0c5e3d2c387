//! GROUP BY and the aggregate functions, one group at a time.

use std::collections::BTreeMap;

use martlet::plan::{Aggregate, AggregateFunction, Expr};
use martlet::{DataType, Error, Result, Value};
use num_bigint::BigInt;

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
        let cells: Vec<Result<Option<Value>>> =
            rows.iter().map(|row| self.input_of(aggregate, row)).collect();
        let values: Vec<Value> =
            cells.into_iter().filter_map(Result::transpose).collect::<Result<_>>()?;
        if aggregate.function.is_spread() && values.iter().any(|value| float(value).abs() > 1e150) {
            self.note(&Error::out_of_range(
                "squares overflow on the way to a variance that need not",
            ));
        }
        let argument_type = aggregate.argument.as_ref().map(Expr::data_type);
        let cell = result(aggregate, values, argument_type, aggregate.data_type()?);
        if let Err(error) = &cell {
            self.note(error);
        }
        cell
    }

    /// What a row gives the aggregate; nothing when the filter keeps it out, or NULL.
    fn input_of(&self, aggregate: &Aggregate, row: &LazyRow) -> Result<Option<Value>> {
        if let Some(error) = &row.doubt {
            return Err(error.clone());
        }
        if let Some(filter) = &aggregate.filter
            && !self.is(filter, true, &row.cells)?
        {
            return Ok(None);
        }
        match &aggregate.argument {
            Some(argument) if aggregate.function != AggregateFunction::CountRows => {
                let value = self.eval(argument, &row.cells)?;
                Ok(Some(value).filter(|value| !value.is_null()))
            }
            _ => Ok(Some(Value::Bool(true))),
        }
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
        spread if spread.is_spread() => spread_of(spread, &values),
        other => Err(Error::unsupported(format!("{other:?}"))),
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
