//! Sort, top-n, limit and the stream against lists in memory.
#![expect(
    clippy::result_large_err,
    clippy::from_iter_instead_of_collect,
    clippy::cast_precision_loss,
    reason = "proptest's error type; what is collected shows at the start; numbers are small"
)]

use std::ops::ControlFlow;
use std::sync::Arc;

use arrow::array::{ArrayRef, Float64Array, Int64Array, StringArray};
use proptest::prelude::*;

use super::gather::gather;
use super::profile::OperatorStats;
use super::sort::sort;
use super::source::{ColumnKind, MemorySource, Source};
use super::top_n::top_n;
use super::*;
use crate::plan::{Expr, SortKey};
use crate::types::{DataType, Value};
use crate::vector::{Batch, CodeBook, DictionaryVector, DistinctValues, Texts, Vector};

const TYPES: [DataType; 4] = [DataType::Int64, DataType::Utf8, DataType::Float64, DataType::Utf8];
const WORDS: [&str; 4] = ["pear", "apple", "quince", "fig"];

type Row = (Option<i64>, Option<usize>);

fn batch(rows: &[Row], book: &Arc<CodeBook>) -> Batch {
    let ints: ArrayRef = Arc::new(Int64Array::from_iter(rows.iter().map(|row| row.0)));
    let float = |value: i64| match value {
        0 => -0.0,
        1 => f64::NAN,
        2 => 0.0,
        other => other as f64,
    };
    let floats: ArrayRef =
        Arc::new(Float64Array::from_iter(rows.iter().map(|row| row.0.map(float))));
    let words: ArrayRef =
        Arc::new(StringArray::from_iter(rows.iter().map(|row| row.1.map(|word| WORDS[word]))));
    // The book's codes run backwards through the ids.
    let codes = rows.iter().map(|row| row.1.map_or(4, |word| 3 - u32::try_from(word).unwrap()));
    let codes = DictionaryVector::new(codes.collect::<Vec<u32>>(), Arc::clone(book));
    Batch::new(
        vec![
            Vector::Flat(ints),
            Vector::Dictionary(codes),
            Vector::Flat(floats),
            Vector::Flat(words),
        ],
        rows.len(),
    )
}

fn source(morsels: &[Vec<Row>]) -> MemorySource {
    let texts = Texts(StringArray::from(WORDS.to_vec()), Some(vec![2, 0, 3, 1]));
    let values: Arc<dyn DistinctValues> = Arc::new(texts);
    let identity = Arc::new(CodeBook::identity(Arc::clone(&values)));
    let mut kinds: Vec<ColumnKind> = TYPES.into_iter().map(ColumnKind::flat).collect();
    kinds[1] = ColumnKind::Dictionary { identity, by_id: false };
    let morsels = morsels
        .iter()
        .map(|rows| {
            let ids = Arc::new(vec![3_u32, 2, 1, 0]);
            let book = Arc::new(CodeBook::mapped(Arc::clone(&values), ids));
            vec![batch(rows, &book)]
        })
        .collect();
    MemorySource::new(kinds, morsels, Vec::new())
}

fn rows_of(source: &dyn Source, context: &Context) -> Result<Vec<Vec<Value>>> {
    let mut rows = Vec::new();
    for morsel in 0..source.morsel_count() {
        source.run(morsel, context, &mut |batch| {
            let arrays = batch.columns().iter().map(Vector::decode).collect::<Result<Vec<_>>>()?;
            rows.extend((0..batch.len()).map(|row| {
                let columns = arrays.iter().zip(TYPES);
                columns.map(|(array, t)| Value::from_array(array, t, row)).collect::<Vec<_>>()
            }));
            Ok(ControlFlow::Continue(()))
        })?;
    }
    Ok(rows)
}

fn naive(mut rows: Vec<Vec<Value>>, keys: &[SortKey]) -> Vec<Vec<Value>> {
    rows.sort_by(|a, b| {
        let mut order = std::cmp::Ordering::Equal;
        for key in keys {
            let Expr::Column { index, .. } = key.expr else { panic!("keys are columns") };
            let (a, b) = (&a[index], &b[index]);
            let one = match (a.is_null(), b.is_null()) {
                (false, false) if key.descending => b.order(a),
                (false, false) => a.order(b),
                (a_null, b_null) if key.nulls_first => b_null.cmp(&a_null),
                (a_null, b_null) => a_null.cmp(&b_null),
            };
            order = order.then(one);
        }
        order
    });
    rows
}

fn check(morsels: &[Vec<Row>], keys: &[SortKey], offset: usize, limit: usize) -> Result<()> {
    let source = source(morsels);
    let unordered = rows_of(&source, &Context::new())?;
    let expected = naive(unordered, keys);
    for (worker_count, batch_len) in [(1, 2_048), (3, 1), (2, 5)] {
        let context = Context { worker_count, batch_len, ..Context::new() };
        let pool = WorkerPool::new(worker_count)?;
        let stats = OperatorStats::new("test", 0);
        let sorted = sort(&source, keys, &pool, &context, &stats)?;
        assert_eq!(rows_of(&sorted, &context)?, expected);
        let top = top_n(&source, keys, (offset, limit), (&pool, &context), &stats)?;
        let wanted: Vec<_> = expected.iter().skip(offset).take(limit).cloned().collect();
        assert_eq!(rows_of(&top, &context)?, wanted);
        drop((sorted, top));
        assert_eq!(context.memory.used_bytes(), 0);
    }
    Ok(())
}

fn sort_keys() -> impl Strategy<Value = Vec<SortKey>> {
    let key =
        (0_usize..4, any::<bool>(), any::<bool>()).prop_map(|(index, descending, nulls_first)| {
            SortKey { expr: Expr::column(index, TYPES[index]), descending, nulls_first }
        });
    prop::collection::vec(key, 0..3)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn any_rows_are_sorted_stably_on_any_number_of_workers(
        morsels in prop::collection::vec(prop::collection::vec(
            (prop::option::weighted(0.9, -4_i64..5), prop::option::weighted(0.9, 0_usize..4)),
            0..30,
        ), 0..5),
        keys in sort_keys(),
        offset in 0_usize..6,
        limit in 0_usize..20,
    ) {
        check(&morsels, &keys, offset, limit)
            .map_err(|error| TestCaseError::fail(error.to_string()))?;
    }
}

#[test]
fn a_long_input_keeps_only_the_best() -> Result<()> {
    let morsels: Vec<Vec<Row>> = (0..6)
        .map(|morsel| (0..1_000).map(|row| (Some((row * 7_919 + morsel) % 5_003), None)).collect())
        .collect();
    let key =
        SortKey { expr: Expr::column(0, DataType::Int64), descending: true, nulls_first: false };
    check(&morsels, &[key], 3, 10)
}

#[test]
fn gathering_from_no_batch_gives_no_row() -> Result<()> {
    let kinds = source(&[]).kinds().to_vec();
    assert_eq!(gather(&[], &[], &kinds)?.len(), 0);
    Ok(())
}
