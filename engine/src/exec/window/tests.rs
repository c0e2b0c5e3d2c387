//! Windows against a naive twin that sorts each partition.
#![expect(
    clippy::result_large_err,
    clippy::from_iter_instead_of_collect,
    reason = "proptest's error type; what is collected shows at the start"
)]

use std::ops::ControlFlow;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Int64Array, StringArray};
use arrow::datatypes::Int64Type;
use proptest::prelude::*;

use super::*;
use crate::plan::{Expr, SortKey};
use crate::types::ErrorKind;
use crate::vector::{Batch, Vector};

/// Partition, number to order by, and number as text to order by.
type Row = (Option<i64>, Option<i64>);

const FUNCTIONS: [WindowFunction; 3] =
    [WindowFunction::RowNumber, WindowFunction::Rank, WindowFunction::DenseRank];

/// The same order with the ends of what 64 bits hold in it.
fn spread_out(number: i64) -> i64 {
    match number {
        -6..-4 => i64::MIN + (number + 6),
        5..7 => i64::MAX - (6 - number),
        near => near,
    }
}

/// The rows as columns: partition, number, its text, position in the input.
fn source(morsels: &[Vec<Row>]) -> MemorySource {
    let mut position = 0_i64;
    let batches = morsels.iter().map(|rows| {
        let positions: Int64Array = rows
            .iter()
            .map(|_| {
                position += 1;
                Some(position - 1)
            })
            .collect();
        let text = |row: &Row| row.1.map(|number| "x".repeat(usize::try_from(number + 9).unwrap()));
        let columns: Vec<ArrayRef> = vec![
            Arc::new(Int64Array::from_iter(rows.iter().map(|row| row.0))),
            Arc::new(Int64Array::from_iter(rows.iter().map(|row| row.1.map(spread_out)))),
            Arc::new(StringArray::from_iter(rows.iter().map(text))),
            Arc::new(positions),
        ];
        vec![Batch::new(columns.into_iter().map(Vector::Flat).collect(), rows.len())]
    });
    let types = [DataType::Int64, DataType::Int64, DataType::Utf8, DataType::Int64];
    MemorySource::new(types.map(ColumnKind::flat).into(), batches.collect(), Vec::new())
}

/// Position in the input, then the numbers, of each row of the result.
fn engine(
    source: &MemorySource,
    what: &Window,
    (pool, context): (&WorkerPool, &Context),
) -> Result<Vec<Vec<i64>>> {
    let stats = OperatorStats::new("test", 0);
    let result = window(source, what, (pool, context), &stats)?;
    let mut rows = Vec::new();
    for morsel in 0..result.morsel_count() {
        result.run(morsel, context, &mut |batch| {
            let arrays = batch.columns()[3..]
                .iter()
                .map(Vector::decode)
                .collect::<Result<Vec<ArrayRef>>>()?;
            rows.extend((0..batch.len()).map(|row| {
                let value = |array: &ArrayRef| {
                    assert!(array.is_valid(row), "numbers are never NULL");
                    array.as_primitive::<Int64Type>().value(row)
                };
                arrays.iter().map(value).collect::<Vec<i64>>()
            }));
            Ok(ControlFlow::Continue(()))
        })?;
    }
    Ok(rows)
}

/// Counts, for each row, those of its partition that come before it.
fn naive(
    rows: &[Row],
    is_partitioned: bool,
    order: Option<&SortKey>,
    limit: Option<u64>,
) -> Vec<Vec<i64>> {
    let key = |row: &Row| {
        let Some(order) = order else { return (false, 0) };
        // NULLs apart, then the number; upside down where it descends.
        let is_last = row.1.is_none() != order.nulls_first;
        let number = row.1.unwrap_or(0);
        (is_last, if order.descending { -number } else { number })
    };
    let mut numbered: Vec<Vec<i64>> = Vec::new();
    for (position, row) in rows.iter().enumerate() {
        let peers =
            rows.iter().enumerate().filter(|(_, other)| !is_partitioned || other.0 == row.0);
        let (mut row_number, mut rank, mut smaller) = (1, 1, Vec::new());
        for (other_position, other) in peers {
            let order = key(other).cmp(&key(row));
            row_number += i64::from(order.is_lt() || (order.is_eq() && other_position < position));
            rank += i64::from(order.is_lt());
            if order.is_lt() && !smaller.contains(&key(other)) {
                smaller.push(key(other));
            }
        }
        let dense_rank = i64::try_from(smaller.len()).unwrap() + 1;
        if limit.is_none_or(|limit| row_number.unsigned_abs() <= limit) {
            let position = i64::try_from(position).unwrap();
            numbered.push(vec![position, row_number, rank, dense_rank]);
        }
    }
    numbered
}

fn rows() -> impl Strategy<Value = Vec<Vec<Row>>> {
    let row = (prop::option::weighted(0.9, 0_i64..5), prop::option::weighted(0.9, -6_i64..7));
    prop::collection::vec(prop::collection::vec(row, 0..40), 0..6)
}

fn what(partition: bool, order: Option<&SortKey>, limit: Option<u64>) -> Window {
    let partition = if partition { vec![Expr::column(0, DataType::Int64)] } else { Vec::new() };
    let names = FUNCTIONS.map(|function| function.name().to_owned()).into();
    let order = order.cloned().into_iter().collect();
    Window { partition, order, functions: FUNCTIONS.into(), names, limit }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(120))]

    #[test]
    fn rows_have_the_numbers_of_the_naive_twin_in_the_order_of_the_input(
        morsels in rows(),
        partition in any::<bool>(),
        key in prop::option::weighted(0.9, (1_usize..3, any::<bool>(), any::<bool>())),
        limit in prop::option::of(1_u64..6),
        worker_count in 1_usize..5,
        batch_len in prop_oneof![Just(1_usize), Just(7), Just(2_048)],
    ) {
        let order = key.map(|(column, descending, nulls_first)| {
            let data_type = if column == 1 { DataType::Int64 } else { DataType::Utf8 };
            SortKey { expr: Expr::column(column, data_type), descending, nulls_first }
        });
        let flat: Vec<Row> = morsels.iter().flatten().copied().collect();
        let expected = naive(&flat, partition, order.as_ref(), limit);
        let context = Context { worker_count, batch_len, ..Context::new() };
        let pool = WorkerPool::new(worker_count).expect("threads");
        let what = what(partition, order.as_ref(), limit);
        let found = engine(&source(&morsels), &what, (&pool, &context));
        prop_assert_eq!(found.expect("an answer"), expected);
        prop_assert_eq!(context.memory.used_bytes(), 0, "all memory is given back");
    }
}

/// 200 morsels whose rows are ever better, so that each pushes out one before.
fn ever_better() -> Vec<Vec<Row>> {
    (0..200)
        .map(|morsel| (0..100).map(|row| (Some(row % 4), Some(morsel * 25 + row / 4))).collect())
        .collect()
}

#[test]
fn a_limit_holds_the_first_rows_only() -> Result<()> {
    let order =
        SortKey { expr: Expr::column(1, DataType::Int64), descending: true, nulls_first: false };
    let (morsels, pool) = (ever_better(), WorkerPool::new(1)?);
    let source = source(&morsels);
    let memory = |limit| -> Result<usize> {
        let context = Context::new();
        engine(&source, &what(true, Some(&order), limit), (&pool, &context))?;
        Ok(context.memory.peak_bytes())
    };
    let (all, first) = (memory(None)?, memory(Some(2))?);
    assert!(first * 20 < all, "{first} bytes of {all}");
    Ok(())
}

#[test]
fn rows_beyond_the_budget_are_refused() -> Result<()> {
    let memory = crate::context::MemoryBudget::new(20_000);
    let context = Context { memory, ..Context::new() };
    let error =
        engine(&source(&ever_better()), &what(true, None, None), (&WorkerPool::new(1)?, &context))
            .expect_err("the rows do not fit");
    assert_eq!(error.kind(), ErrorKind::OutOfMemory);
    assert_eq!(context.memory.used_bytes(), 0);
    Ok(())
}
