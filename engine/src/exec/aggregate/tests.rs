//! Aggregation against a naive twin that keeps every group's values in a list.
#![expect(
    clippy::result_large_err,
    clippy::from_iter_instead_of_collect,
    clippy::cast_precision_loss,
    reason = "proptest's error type; what is collected shows at the start; numbers are small"
)]

use std::sync::Arc;

use arrow::array::{
    ArrayRef, BooleanArray, Decimal128Array, Float64Array, Int16Array, Int64Array, StringArray,
};
use proptest::prelude::*;

use super::*;
use crate::exec::profile::OperatorStats;
use crate::exec::source::Sink;
use crate::plan::{AggregateFunction, PairFunction, Quantile};
use crate::types::{DataType, Error, Value};
use crate::vector::{CodeBook, DictionaryVector, DistinctValues, Texts, Vector};

/// One row: a small integer or NULL from which all columns are derived, and a code or NULL.
type Row = (Option<i64>, Option<u32>);

const DECIMAL: DataType = DataType::Decimal { precision: 10, scale: 2 };
const TYPES: [DataType; 6] =
    [DataType::Utf8, DataType::Int64, DataType::Float64, DataType::Int16, DECIMAL, DataType::Bool];

struct Input {
    kinds: Vec<ColumnKind>,
    identity: Arc<CodeBook>,
    books: [Arc<CodeBook>; 2],
}

impl Input {
    fn new(ranked: bool) -> Input {
        let texts = StringArray::from(vec!["d", "a", "c", "b", "e", "f"]);
        let (texts, ranks) = if ranked {
            (texts, Some(vec![3, 0, 2, 1, 4, 5]))
        } else {
            (StringArray::from(vec!["a", "b", "c", "d", "e", "f"]), None)
        };
        let values: Arc<dyn DistinctValues> = Arc::new(Texts(texts, ranks));
        let book = |ids: Vec<u32>| Arc::new(CodeBook::mapped(Arc::clone(&values), Arc::new(ids)));
        let identity = Arc::new(CodeBook::identity(Arc::clone(&values)));
        let mut kinds: Vec<ColumnKind> = TYPES.into_iter().map(ColumnKind::flat).collect();
        kinds[0] = ColumnKind::Dictionary { identity: Arc::clone(&identity), by_id: false };
        kinds[3] =
            ColumnKind::Flat { data_type: DataType::Int16, nullable: true, bounds: Some((-9, 9)) };
        Input { kinds, identity, books: [book(vec![0, 1, 3, 5]), book(vec![4, 2, 1, 0])] }
    }

    fn batch(&self, rows: &[Row], book: usize) -> Result<Batch> {
        let book = &self.books[book % 2];
        let codes: Vec<u32> = rows.iter().map(|row| row.1.map_or(4, |code| code % 4)).collect();
        let float = |value: i64| match value {
            0 => -0.0,
            1 => f64::NAN,
            2 => 1e16,
            3 => -1e16,
            other => other as f64 / 10.0,
        };
        let ints = || rows.iter().map(|row| row.0);
        let decimals = Decimal128Array::from_iter(ints().map(|value| value.map(i128::from)))
            .with_precision_and_scale(10, 2)?;
        let columns: Vec<ArrayRef> = vec![
            Arc::new(Int64Array::from_iter(ints())),
            Arc::new(Float64Array::from_iter(ints().map(|value| value.map(float)))),
            Arc::new(Int16Array::from_iter(ints().map(|v| v.and_then(|v| i16::try_from(v).ok())))),
            Arc::new(decimals),
            Arc::new(BooleanArray::from_iter(ints().map(|value| value.map(|v| v % 2 == 0)))),
        ];
        let texts = Vector::Dictionary(DictionaryVector::new(codes, Arc::clone(book)));
        let columns = std::iter::once(texts).chain(columns.into_iter().map(Vector::Flat));
        Ok(Batch::new(columns.collect(), rows.len()))
    }

    fn source(&self, morsels: &[Vec<Row>]) -> Result<MemorySource> {
        let morsels = morsels
            .iter()
            .enumerate()
            .map(|(index, rows)| Ok(vec![self.batch(rows, index)?]))
            .collect::<Result<Vec<_>>>()?;
        Ok(MemorySource::new(self.kinds.clone(), morsels, Vec::new()))
    }

    fn values(&self, morsels: &[Vec<Row>]) -> Result<Vec<Vec<Value>>> {
        let mut rows = Vec::new();
        for (index, morsel) in morsels.iter().enumerate() {
            rows.extend(batch_rows(&self.batch(morsel, index)?, &TYPES)?);
        }
        Ok(rows)
    }
}

fn batch_rows(batch: &Batch, types: &[DataType]) -> Result<Vec<Vec<Value>>> {
    let arrays = batch.columns().iter().map(Vector::decode).collect::<Result<Vec<_>>>()?;
    Ok((0..batch.len())
        .map(|row| {
            let columns = arrays.iter().zip(types);
            columns.map(|(array, data_type)| Value::from_array(array, *data_type, row)).collect()
        })
        .collect())
}

fn column(index: usize) -> Expr {
    Expr::column(index, TYPES[index])
}

fn call(function: AggregateFunction, argument: usize, distinct: bool, filter: bool) -> Aggregate {
    let argument = (function != AggregateFunction::CountRows).then(|| column(argument));
    Aggregate { function, argument, second: None, distinct, filter: filter.then(|| column(5)) }
}

fn of_pairs(function: PairFunction) -> Aggregate {
    let (function, second) = (AggregateFunction::OfPairs(function), Some(column(2)));
    Aggregate { function, argument: Some(column(2)), second, distinct: false, filter: None }
}

fn naive_one(aggregate: &Aggregate, rows: &[&Vec<Value>]) -> Value {
    use AggregateFunction::{Avg, Count, CountRows, Max, Min, Sum};
    let rows = rows.iter().filter(|row| aggregate.filter.is_none() || row[5] == Value::Bool(true));
    let Some(Expr::Column { index, data_type }) = &aggregate.argument else {
        return Value::Int(rows.count() as i128);
    };
    let mut values: Vec<Value> =
        rows.map(|row| row[*index].clone()).filter(|value| !value.is_null()).collect();
    values.sort_by(Value::order);
    if aggregate.distinct {
        values.dedup();
    }
    let count = values.len();
    match aggregate.function {
        CountRows | Count => Value::Int(count as i128),
        Min => values.first().cloned().unwrap_or(Value::Null),
        Max => values.last().cloned().unwrap_or(Value::Null),
        Sum | Avg | AggregateFunction::Quantile(_) if count == 0 => Value::Null,
        AggregateFunction::Quantile(quantile) if quantile.is_continuous() => {
            let at = |place: usize| match &values[place] {
                Value::Float(value) => *value,
                other => panic!("{other:?} is no double"),
            };
            let (from, to, share) = quantile.between(count);
            Value::Float(Quantile::interpolate(at(from), at(to), share))
        }
        AggregateFunction::Quantile(quantile) => values[quantile.index(count)].clone(),
        function => {
            let average = function == Avg;
            let divisor = if average { count as f64 } else { 1.0 };
            if let Value::Float(_) = &values[0] {
                return Value::Float(exact_doubles(&values) / divisor);
            }
            let sum: i128 = values
                .iter()
                .map(|value| match value {
                    Value::Int(value) => *value,
                    Value::Bool(value) => i128::from(*value),
                    other => panic!("{other:?} is no number"),
                })
                .sum();
            let scale = if *data_type == DECIMAL { 100.0 } else { 1.0 };
            if average { Value::Float(sum as f64 / (divisor * scale)) } else { Value::Int(sum) }
        }
    }
}

/// The wide sum has its own tests, against big integers.
fn exact_doubles(values: &[Value]) -> f64 {
    let doubles: Vec<f64> = values
        .iter()
        .map(|value| if let Value::Float(value) = value { *value } else { f64::NAN })
        .collect();
    let mut wide = exact::WideSum::new();
    for value in doubles {
        wide.add(value);
    }
    wide.quotient(1).expect("the values are small")
}

fn naive(rows: &[Vec<Value>], keys: &[usize], aggregates: &[Aggregate]) -> Vec<Vec<Value>> {
    let mut groups: Vec<(Vec<Value>, Vec<&Vec<Value>>)> = Vec::new();
    if keys.is_empty() {
        groups.push((Vec::new(), Vec::new()));
    }
    for row in rows {
        let key: Vec<Value> = keys.iter().map(|index| row[*index].clone()).collect();
        match groups.iter_mut().find(|(other, _)| *other == key) {
            Some((_, rows)) => rows.push(row),
            None => groups.push((key, vec![row])),
        }
    }
    groups
        .into_iter()
        .map(|(mut key, rows)| {
            key.extend(aggregates.iter().map(|aggregate| naive_one(aggregate, &rows)));
            key
        })
        .collect()
}

fn engine(
    source: &dyn Source,
    keys: &[usize],
    aggregates: &[Aggregate],
    context: &Context,
    pool: &WorkerPool,
) -> Result<Vec<Vec<Value>>> {
    let keys: Vec<Expr> = keys.iter().map(|index| column(*index)).collect();
    let stats = OperatorStats::new("test", 0);
    let rungs = [Rung::Dense, Rung::Hash];
    let what = Grouping { keys: &keys, aggregates, rungs: &rungs[context.batch_len % 2..] };
    let result = aggregate(source, what, pool, context, &stats)?;
    let mut types: Vec<DataType> = keys.iter().map(Expr::data_type).collect();
    for aggregate in aggregates {
        types.push(aggregate.data_type()?);
    }
    let mut rows = Vec::new();
    for morsel in 0..result.morsel_count() {
        result.run(morsel, context, &mut |batch| {
            for (vector, data_type) in batch.columns().iter().zip(&types) {
                assert_eq!(vector.decode()?.data_type(), &data_type.to_arrow());
            }
            rows.extend(batch_rows(&batch, &types)?);
            Ok(ControlFlow::Continue(()))
        })?;
    }
    Ok(rows)
}

fn sorted(mut rows: Vec<Vec<Value>>) -> Vec<Vec<Value>> {
    rows.sort_by(|a, b| {
        let columns = a.iter().zip(b).map(|(a, b)| a.order(b));
        columns.fold(std::cmp::Ordering::Equal, std::cmp::Ordering::then)
    });
    rows
}

fn same(expected: &[Vec<Value>], actual: &[Vec<Value>]) -> bool {
    let close = |a: &Value, b: &Value| match (a, b) {
        // The naive average rounds twice.
        (Value::Float(a), Value::Float(b)) => {
            Value::Float(*a) == Value::Float(*b) || (a - b).abs() <= a.abs() * 1e-15
        }
        _ => a == b,
    };
    expected.len() == actual.len()
        && expected.iter().zip(actual).all(|(expected, actual)| {
            expected.len() == actual.len()
                && expected.iter().zip(actual).all(|(expected, actual)| close(expected, actual))
        })
}

fn aggregates() -> impl Strategy<Value = Vec<Aggregate>> {
    use AggregateFunction::{Avg, Count, CountRows, Max, Min, Sum};
    let any_type = prop_oneof![Just(CountRows), Just(Count), Just(Min), Just(Max)];
    let numbers = prop_oneof![Just(Sum), Just(Avg)];
    let quantile = |continuous| {
        let fraction = prop_oneof![Just(0.0), Just(0.5), Just(1.0), 0.0..=1.0];
        (fraction, any::<bool>()).prop_map(move |(fraction, descending)| {
            let quantile = Quantile::new(fraction, continuous, descending);
            AggregateFunction::Quantile(quantile.expect("a fraction from 0 to 1"))
        })
    };
    let one = prop_oneof![
        (quantile(false), 0_usize..6, Just(false), any::<bool>()),
        (quantile(true), Just(2_usize), Just(false), any::<bool>()),
        (any_type, 0_usize..6, any::<bool>(), any::<bool>()),
        (numbers, 1_usize..5, any::<bool>(), any::<bool>()),
    ];
    prop::collection::vec(one.prop_map(|(f, a, d, w)| call(f, a, d && f != CountRows, w)), 0..4)
}

/// Rows of their own, and in runs that are long enough to be found.
fn rows() -> impl Strategy<Value = Vec<Vec<Row>>> {
    let row = (prop::option::weighted(0.9, -6_i64..7), prop::option::weighted(0.9, 0_u32..4));
    let runs = |len: std::ops::Range<usize>, count_max: usize| {
        let run = (row.clone(), len).prop_map(|(row, len)| vec![row; len]);
        prop::collection::vec(run, 0..count_max).prop_map(|runs| runs.concat())
    };
    prop::collection::vec(prop_oneof![runs(1..2, 40), runs(4..20, 5)], 0..6)
}

/// Batches in memory that tell how many rows they have gone through.
#[derive(Debug)]
struct Counted {
    source: MemorySource,
    rows_passed: Option<(u64, u64)>,
}

impl Source for Counted {
    fn kinds(&self) -> &[ColumnKind] {
        self.source.kinds()
    }

    fn morsel_count(&self) -> usize {
        self.source.morsel_count()
    }

    fn run(&self, morsel: usize, context: &Context, sink: &mut Sink<'_>) -> Result<()> {
        self.source.run(morsel, context, sink)
    }

    fn rows_passed(&self) -> Option<(u64, u64)> {
        self.rows_passed
    }
}

fn check(
    morsels: &[Vec<Row>],
    keys: &[usize],
    aggregates: &[Aggregate],
    (worker_count, batch_len, table_groups_max): (usize, usize, usize),
    (ranked, rows_passed): (bool, Option<(u64, u64)>),
) -> Result<()> {
    let input = Input::new(ranked);
    let source = Counted { source: input.source(morsels)?, rows_passed };
    let expected = sorted(naive(&input.values(morsels)?, keys, aggregates));
    let context = Context { worker_count, batch_len, table_groups_max, ..Context::new() };
    let pool = WorkerPool::new(worker_count)?;
    let actual = sorted(engine(&source, keys, aggregates, &context, &pool)?);
    assert_eq!(context.memory.used_bytes(), 0, "all memory is given back");
    if same(&expected, &actual) {
        return Ok(());
    }
    assert_eq!(input.identity.code_count(), 6);
    Err(Error::internal(format!("expected {expected:?}, got {actual:?}")))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn any_aggregation_answers_as_the_naive_one(
        morsels in rows(),
        keys in prop::sample::subsequence(vec![0_usize, 1, 2, 3, 4, 5], 0..3),
        aggregates in aggregates(),
        worker_count in 1_usize..5,
        batch_len in prop_oneof![Just(1_usize), Just(7), Just(2_048)],
        table_groups_max in prop_oneof![Just(0_usize), Just(3), Just(1_000)],
        ranked in any::<bool>(),
        rows_passed in prop::sample::select(vec![None, Some((9, 9)), Some((u64::MAX, 1))]),
    ) {
        let lengths = (worker_count, batch_len, table_groups_max);
        check(&morsels, &keys, &aggregates, lengths, (ranked, rows_passed))
            .map_err(|error| TestCaseError::fail(error.to_string()))?;
    }
}

#[test]
fn a_run_of_nulls_leaves_its_group_without_a_sum() -> Result<()> {
    let morsel = [vec![(Some(5), Some(1)); 10], vec![(None, Some(2)); 10]].concat();
    let sums = [AggregateFunction::Sum, AggregateFunction::Avg];
    let sums =
        sums.into_iter().flat_map(|sum| (1..5).map(move |column| call(sum, column, false, false)));
    check(&[morsel], &[1], &sums.collect::<Vec<Aggregate>>(), (1, 2_048, 1_000), (false, None))
}

#[test]
fn groups_come_in_the_order_of_their_first_row() -> Result<()> {
    let morsels: Vec<Vec<Row>> = (0..40)
        .map(|morsel| (0..50).map(|row| (Some((morsel * 17 + row * 5) % 400), None)).collect())
        .collect();
    let input = Input::new(false);
    let source = input.source(&morsels)?;
    let expected = naive(&input.values(&morsels)?, &[1], &[]);
    for worker_count in [1, 2, 8] {
        let context = Context { worker_count, batch_len: 9, ..Context::new() };
        let pool = WorkerPool::new(worker_count)?;
        assert_eq!(engine(&source, &[1], &[], &context, &pool)?, expected);
    }
    Ok(())
}

#[test]
fn many_groups_merge_by_partition() -> Result<()> {
    let morsels: Vec<Vec<Row>> = (0..8)
        .map(|morsel| (0..4_000).map(|row| (Some(morsel * 2_000 + row), Some(1))).collect())
        .collect();
    let input = Input::new(false);
    let source = input.source(&morsels)?;
    let aggregates = [
        call(AggregateFunction::CountRows, 0, false, false),
        call(AggregateFunction::Sum, 1, false, false),
        call(AggregateFunction::Count, 1, true, false),
        call(AggregateFunction::Max, 0, false, true),
        call(AggregateFunction::Quantile(Quantile::new(0.5, false, false)?), 0, false, false),
        call(AggregateFunction::Quantile(Quantile::new(0.5, true, false)?), 2, false, true),
        of_pairs(PairFunction::Products),
    ];
    let mut answers = Vec::new();
    for worker_count in [1, 2, 8] {
        let context = Context { worker_count, ..Context::new() };
        let pool = WorkerPool::new(worker_count)?;
        answers.push(sorted(engine(&source, &[1], &aggregates, &context, &pool)?));
    }
    assert_eq!(answers[0].len(), 18_000);
    assert_eq!(answers[0], answers[1]);
    assert_eq!(answers[0], answers[2]);
    let count: i128 =
        answers[0].iter().map(|row| if let Value::Int(n) = row[1] { n } else { 0 }).sum();
    assert_eq!(count, 32_000);
    Ok(())
}

#[test]
fn rows_of_a_frequent_key_stay_in_the_table() -> Result<()> {
    // Every second row has the key 7, the others one each.
    let key = |morsel: i64, row: i64| if row % 2 == 0 { 7 } else { morsel * 1_000 + row + 10 };
    let morsels: Vec<Vec<Row>> = (0..4)
        .map(|morsel| (0..1_000).map(|row| (Some(key(morsel, row)), Some(1))).collect())
        .collect();
    let source = Input::new(false).source(&morsels)?;
    let aggregates = [call(AggregateFunction::CountRows, 0, false, false)];
    let context = Context { worker_count: 1, table_groups_max: 16, ..Context::new() };
    let pool = WorkerPool::new(1)?;
    let rows = engine(&source, &[1], &aggregates, &context, &pool)?;
    assert!(rows.contains(&vec![Value::Int(7), Value::Int(2_000)]));
    let stats = OperatorStats::new("test", 0);
    let what = Grouping { keys: &[column(1)], aggregates: &aggregates, rungs: &[Rung::Hash] };
    aggregate(&source, what, &pool, &context, &stats)?;
    let notes = stats.profile().notes;
    let note = |name: &str| notes.iter().find(|(note, _)| note == name).map(|(_, count)| *count);
    // The first morsel fills the table; of the others only half the rows go to partitions.
    assert_eq!((note("rows by hash"), note("rows by partition")), (Some(2_500), Some(1_500)));
    Ok(())
}

#[test]
fn ids_of_a_long_dictionary_are_no_groups_of_few_rows() -> Result<()> {
    let morsel: Vec<Row> = (0..99).map(|row| (None, Some(row % 3))).collect();
    let aggregates = [call(AggregateFunction::CountRows, 0, false, false)];
    let rungs = [Rung::Dense, Rung::Hash];
    let what = Grouping { keys: &[column(0)], aggregates: &aggregates, rungs: &rungs };
    let (context, pool) =
        (Context { batch_len: 3, table_groups_max: 0, ..Context::new() }, WorkerPool::new(1)?);
    // There are three rows when the choice is made, as many as six ids need.
    for (rows_passed, note) in [
        (None, "rows by id"),
        (Some((1_000, 1_000)), "rows by id"),
        (Some((1_000, 999)), "rows by partition"),
    ] {
        let source = Counted {
            source: Input::new(false).source(std::slice::from_ref(&morsel))?,
            rows_passed,
        };
        let stats = OperatorStats::new("test", 0);
        aggregate(&source, what, &pool, &context, &stats)?;
        let notes = stats.profile().notes;
        assert!(notes.contains(&(note.to_owned(), 96)), "{rows_passed:?}: {notes:?}");
    }
    Ok(())
}

#[test]
fn too_many_groups_for_the_budget_are_refused() -> Result<()> {
    let morsels: Vec<Vec<Row>> = vec![(0..50_000).map(|row| (Some(row), None)).collect()];
    let input = Input::new(false);
    let source = input.source(&morsels)?;
    let memory = crate::context::MemoryBudget::new(200_000);
    let context = Context { memory, ..Context::new() };
    let error = engine(&source, &[1], &[], &context, &WorkerPool::new(1)?)
        .expect_err("the groups do not fit");
    assert_eq!(error.kind(), crate::types::ErrorKind::OutOfMemory);
    assert_eq!(context.memory.used_bytes(), 0);
    Ok(())
}
