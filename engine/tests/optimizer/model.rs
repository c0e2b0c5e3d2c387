//! A naive executor of logical plans: row by row, everything in memory, nothing clever.

#![expect(clippy::unwrap_used, clippy::unwrap_in_result, reason = "test code fails by panicking")]

use std::cmp::Ordering;

use martlet_engine::arrow::array::ArrayRef;
use martlet_engine::context::Context;
use martlet_engine::exec::expression::evaluate;
use martlet_engine::plan::{
    Aggregate, AggregateFunction, Expr, LogicalPlan, OutputColumn, Scan, SortKey, Window,
    WindowFunction,
};
use martlet_engine::types::{DataType, Error, Result, Value};

/// The values of one row.
pub(crate) type Row = Vec<Value>;

/// Columns of the one table; a scan names them by field.
pub(crate) const TABLE: [(&str, DataType); 6] = [
    ("small", DataType::Int16),
    ("number", DataType::Int32),
    ("big", DataType::Int64),
    ("word", DataType::Utf8),
    ("day", DataType::Date),
    ("flag", DataType::Bool),
];

/// The table's rows: small values, so that groups and predicates meet, and NULLs.
pub(crate) fn table() -> Vec<Row> {
    let words = ["", "a", "ab", "ba", "é"];
    (0_i128..24)
        .map(|row| {
            let or_null = |value: Value, every: i128| {
                if row % every == every - 1 { Value::Null } else { value }
            };
            let word = words[usize::try_from(row % 5).unwrap()].to_owned();
            vec![
                or_null(Value::Int(row % 4 - 1), 7),
                or_null(Value::Int(row * row % 6), 9),
                Value::Int(row % 3 * 1_000_000_000_000),
                or_null(Value::Text(word), 8),
                or_null(Value::Int(15_887 + row % 5), 11),
                or_null(Value::Bool(row % 2 == 0), 6),
            ]
        })
        .collect()
}

/// The plan's rows.
pub(crate) fn run(plan: &LogicalPlan) -> Result<Vec<Row>> {
    match plan {
        LogicalPlan::Scan(scan) => run_scan(scan),
        LogicalPlan::Values { rows, .. } => rows
            .iter()
            .map(|row| row.iter().map(|expr| value_of(expr, &[], &[])).collect())
            .collect(),
        LogicalPlan::Filter { input, predicate } => {
            let types = types(&input.output());
            keep(run(input)?, predicate, &types)
        }
        LogicalPlan::Project { input, exprs, .. } => {
            let types = types(&input.output());
            let project = |row: Row| {
                exprs.iter().map(|expr| value_of(expr, &row, &types)).collect::<Result<Row>>()
            };
            run(input)?.into_iter().map(project).collect()
        }
        LogicalPlan::Aggregate { input, keys, aggregates, .. } => {
            let types = types(&input.output());
            group(&run(input)?, keys, aggregates, &types)
        }
        LogicalPlan::Window { input, window } => {
            let types = types(&input.output());
            numbered(run(input)?, window, &types)
        }
        LogicalPlan::Sort { input, keys } => {
            let types = types(&input.output());
            sort(run(input)?, keys, &types)
        }
        LogicalPlan::Limit { input, offset, limit } => {
            let offset = usize::try_from(*offset).unwrap();
            let limit = limit.map_or(usize::MAX, |limit| usize::try_from(limit).unwrap());
            Ok(run(input)?.into_iter().skip(offset).take(limit).collect())
        }
    }
}

fn types(columns: &[OutputColumn]) -> Vec<DataType> {
    columns.iter().map(|column| column.data_type).collect()
}

fn value_of(expr: &Expr, row: &[Value], types: &[DataType]) -> Result<Value> {
    let columns: Result<Vec<ArrayRef>> =
        row.iter().zip(types).map(|(value, data_type)| value.to_array(*data_type, 1)).collect();
    let array = evaluate(expr, &columns?, 1, &Context::new())?;
    Ok(Value::from_array(&array, expr.data_type(), 0))
}

fn run_scan(scan: &Scan) -> Result<Vec<Row>> {
    let types: Vec<DataType> = scan.columns.iter().map(|column| column.data_type).collect();
    let mut rows: Vec<Row> = table()
        .into_iter()
        .map(|row| {
            let position = |index: u32| usize::try_from(index).unwrap();
            scan.columns.iter().map(|column| row[position(column.field.0)].clone()).collect()
        })
        .collect();
    for conjunct in &scan.filter {
        rows = keep(rows, conjunct, &types)?;
    }
    for row in &mut rows {
        row.truncate(scan.output_count);
    }
    Ok(rows)
}

fn keep(rows: Vec<Row>, predicate: &Expr, types: &[DataType]) -> Result<Vec<Row>> {
    let mut kept = Vec::new();
    for row in rows {
        if value_of(predicate, &row, types)? == Value::Bool(true) {
            kept.push(row);
        }
    }
    Ok(kept)
}

fn group(
    rows: &[Row],
    keys: &[Expr],
    aggregates: &[Aggregate],
    types: &[DataType],
) -> Result<Vec<Row>> {
    let mut groups: Vec<(Row, Vec<&Row>)> = Vec::new();
    for row in rows {
        let key: Row = keys.iter().map(|key| value_of(key, row, types)).collect::<Result<_>>()?;
        match groups.iter_mut().find(|(found, _)| *found == key) {
            Some((_, members)) => members.push(row),
            None => groups.push((key, vec![row])),
        }
    }
    if keys.is_empty() && groups.is_empty() {
        groups.push((vec![], vec![]));
    }
    groups
        .into_iter()
        .map(|(mut row, members)| {
            for aggregate in aggregates {
                row.push(aggregated(aggregate, &members, types)?);
            }
            Ok(row)
        })
        .collect()
}

fn aggregated(aggregate: &Aggregate, rows: &[&Row], types: &[DataType]) -> Result<Value> {
    let mut values: Vec<Value> = Vec::new();
    for row in rows {
        let counts = match &aggregate.filter {
            Some(filter) => value_of(filter, row, types)? == Value::Bool(true),
            None => true,
        };
        if counts {
            values.push(match &aggregate.argument {
                Some(argument) => value_of(argument, row, types)?,
                None => Value::Bool(true),
            });
        }
    }
    values.retain(|value| !value.is_null());
    if aggregate.distinct {
        let mut distinct = Vec::new();
        for value in values {
            if !distinct.contains(&value) {
                distinct.push(value);
            }
        }
        values = distinct;
    }
    finish(aggregate.function, values)
}

fn finish(function: AggregateFunction, values: Vec<Value>) -> Result<Value> {
    let count = i128::try_from(values.len()).unwrap();
    if matches!(function, AggregateFunction::CountRows | AggregateFunction::Count) {
        return Ok(Value::Int(count));
    }
    if values.is_empty() {
        return Ok(Value::Null);
    }
    let best = |wanted: Ordering| {
        values.iter().cloned().reduce(|a, b| if b.order(&a) == wanted { b } else { a })
    };
    Ok(match function {
        AggregateFunction::Min => best(Ordering::Less).unwrap(),
        AggregateFunction::Max => best(Ordering::Greater).unwrap(),
        AggregateFunction::Sum => Value::Int(values.iter().map(whole).sum::<Result<i128>>()?),
        #[expect(clippy::cast_precision_loss, reason = "sums in these tests are small")]
        AggregateFunction::Avg => {
            Value::Float(values.iter().map(whole).sum::<Result<i128>>()? as f64 / count as f64)
        }
        other => return Err(Error::unsupported(format!("{other:?} in the model"))),
    })
}

fn whole(value: &Value) -> Result<i128> {
    match value {
        Value::Int(value) => Ok(*value),
        Value::Bool(value) => Ok(i128::from(*value)),
        other => Err(Error::unsupported(format!("the sum of {other:?} in the model"))),
    }
}

/// Each row with its numbers, in the order of the input.
fn numbered(rows: Vec<Row>, window: &Window, types: &[DataType]) -> Result<Vec<Row>> {
    let values = |exprs: Vec<&Expr>, row: &Row| {
        exprs.into_iter().map(|expr| value_of(expr, row, types)).collect::<Result<Row>>()
    };
    let keys_of = |row: &Row| -> Result<(Row, Row)> {
        let keys = window.order.iter().map(|key| &key.expr).collect();
        Ok((values(window.partition.iter().collect(), row)?, values(keys, row)?))
    };
    let keys: Vec<(Row, Row)> = rows.iter().map(keys_of).collect::<Result<_>>()?;
    let order_of = |left: &Row, right: &Row| {
        let pairs = window.order.iter().zip(left.iter().zip(right));
        let by_key = pairs.map(|(key, (left, right))| order(key, left, right));
        by_key.fold(Ordering::Equal, Ordering::then)
    };
    let mut given = Vec::new();
    for (position, mut row) in rows.into_iter().enumerate() {
        let (partition, key) = &keys[position];
        let (mut row_number, mut rank, mut smaller) = (1, 1, Vec::<&Row>::new());
        for (other_position, (_, other)) in
            keys.iter().enumerate().filter(|(_, (other, _))| other == partition)
        {
            let before = order_of(other, key);
            row_number += u64::from(before.is_lt() || before.is_eq() && other_position < position);
            rank += u64::from(before.is_lt());
            if before.is_lt() && smaller.iter().all(|known| order_of(known, other).is_ne()) {
                smaller.push(other);
            }
        }
        if window.limit.is_some_and(|limit| row_number > limit) {
            continue;
        }
        row.extend(window.functions.iter().map(|function| {
            Value::Int(match function {
                WindowFunction::RowNumber => row_number.into(),
                WindowFunction::Rank => rank.into(),
                WindowFunction::DenseRank => i128::try_from(smaller.len() + 1).unwrap(),
            })
        }));
        given.push(row);
    }
    Ok(given)
}

fn sort(rows: Vec<Row>, keys: &[SortKey], types: &[DataType]) -> Result<Vec<Row>> {
    let mut keyed: Vec<(Row, Row)> = rows
        .into_iter()
        .map(|row| {
            let key = keys.iter().map(|key| value_of(&key.expr, &row, types));
            Ok((key.collect::<Result<Row>>()?, row))
        })
        .collect::<Result<_>>()?;
    keyed.sort_by(|(a, _), (b, _)| {
        let by_key = keys.iter().zip(a.iter().zip(b)).map(|(key, (a, b))| order(key, a, b));
        by_key.fold(Ordering::Equal, Ordering::then)
    });
    Ok(keyed.into_iter().map(|(_, row)| row).collect())
}

fn order(key: &SortKey, a: &Value, b: &Value) -> Ordering {
    match (a.is_null(), b.is_null()) {
        (true, true) => Ordering::Equal,
        (true, false) if key.nulls_first => Ordering::Less,
        (false, true) if key.nulls_first => Ordering::Greater,
        (true, false) => Ordering::Greater,
        (false, true) => Ordering::Less,
        _ if key.descending => b.order(a),
        _ => a.order(b),
    }
}
