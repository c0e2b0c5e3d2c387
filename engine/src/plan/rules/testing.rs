//! Small plans for the tests of the rules: a table `t` of integer columns `a`, `b`, `c`, ….

pub(in crate::plan) use crate::plan::aggregate::{Aggregate, AggregateFunction};
pub(in crate::plan) use crate::plan::logical::{LogicalPlan, Scan, ScanColumn, SortKey, Source};
pub(in crate::plan) use crate::plan::{Comparison, Expr, Function, compare, integer_literal};
pub(in crate::plan) use crate::types::{DataType, Error, Result, Value};

use crate::catalog::{FieldId, TableId};

pub(in crate::plan) fn int(value: i128) -> Expr {
    integer_literal(value).unwrap()
}

pub(in crate::plan) fn boolean(value: bool) -> Expr {
    Expr::literal(Value::Bool(value), DataType::Bool)
}

pub(in crate::plan) fn column(index: usize) -> Expr {
    Expr::column(index, DataType::Int32)
}

pub(in crate::plan) fn call(function: Function, arguments: Vec<Expr>) -> Expr {
    crate::plan::resolve(function, arguments).unwrap()
}

pub(in crate::plan) fn compare_to(index: usize, op: Comparison, value: i128) -> Expr {
    compare(op, column(index), int(value)).unwrap()
}

/// A comparison of a count.
pub(in crate::plan) fn compare_big(index: usize, op: Comparison, value: i128) -> Expr {
    compare(op, Expr::column(index, DataType::Int64), int(value)).unwrap()
}

fn letter(index: usize) -> String {
    char::from(b'a' + u8::try_from(index).unwrap()).to_string()
}

pub(in crate::plan) fn scan(column_count: usize) -> LogicalPlan {
    LogicalPlan::Scan(Scan {
        source: Source::Table { id: TableId(1), name: "t".into() },
        columns: (0..column_count)
            .map(|index| ScanColumn {
                field: FieldId(u32::try_from(index).unwrap()),
                name: letter(index),
                data_type: DataType::Int32,
            })
            .collect(),
        filter: vec![],
        output_count: column_count,
    })
}

pub(in crate::plan) fn filter(input: LogicalPlan, predicate: Expr) -> LogicalPlan {
    LogicalPlan::Filter { input: Box::new(input), predicate }
}

/// A projection whose columns are named as they print.
pub(in crate::plan) fn project(input: LogicalPlan, exprs: Vec<Expr>) -> LogicalPlan {
    let names = input.output().into_iter().map(|column| column.name).collect::<Vec<_>>();
    let names = exprs.iter().map(|expr| expr.display(&names).to_string()).collect();
    LogicalPlan::Project { input: Box::new(input), exprs, names }
}

pub(in crate::plan) fn aggregate(
    input: LogicalPlan,
    keys: Vec<Expr>,
    aggregates: Vec<Aggregate>,
) -> LogicalPlan {
    let names = input.output().into_iter().map(|column| column.name).collect::<Vec<_>>();
    let names = keys
        .iter()
        .map(|key| key.display(&names).to_string())
        .chain(aggregates.iter().map(|aggregate| aggregate.display(&names).to_string()))
        .collect();
    LogicalPlan::Aggregate { input: Box::new(input), keys, aggregates, names }
}

pub(in crate::plan) fn sort(input: LogicalPlan, keys: Vec<usize>) -> LogicalPlan {
    let keys = keys
        .into_iter()
        .map(|index| SortKey { expr: column(index), descending: false, nulls_first: false })
        .collect();
    LogicalPlan::Sort { input: Box::new(input), keys }
}

pub(in crate::plan) fn limit(input: LogicalPlan, offset: u64, limit: Option<u64>) -> LogicalPlan {
    LogicalPlan::Limit { input: Box::new(input), offset, limit }
}

fn aggregate_of(function: AggregateFunction, argument: Option<Expr>) -> Aggregate {
    Aggregate { function, argument, second: None, distinct: false, filter: None }
}

pub(in crate::plan) fn count_rows() -> Aggregate {
    aggregate_of(AggregateFunction::CountRows, None)
}

pub(in crate::plan) fn count(argument: Expr) -> Aggregate {
    aggregate_of(AggregateFunction::Count, Some(argument))
}

pub(in crate::plan) fn sum(argument: Expr) -> Aggregate {
    aggregate_of(AggregateFunction::Sum, Some(argument))
}

/// Folds sums of literals and casts of integers; fails on everything else.
pub(in crate::plan) fn sample_fold(expr: &Expr) -> Result<Value> {
    let int_of = |expr: &Expr| match expr {
        Expr::Literal { value: Value::Int(value), .. } => Ok(*value),
        _ => Err(Error::unsupported("folding this")),
    };
    match expr {
        Expr::Call { function: Function::Add, arguments, .. } => {
            Ok(Value::Int(int_of(&arguments[0])? + int_of(&arguments[1])?))
        }
        Expr::Cast { input, .. } => Ok(Value::Int(int_of(input)?)),
        _ => Err(Error::unsupported("folding this")),
    }
}
