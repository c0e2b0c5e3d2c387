//! Many groups: the order they come in, LIMIT that fixes them early, aggregates that come late. Against
//! a naive grouping, with tables of few groups and of many, on one worker and several.
#![expect(clippy::tests_outside_test_module, reason = "an integration test is one")]

use std::collections::BTreeMap;
use std::error::Error;
use std::sync::Arc;

use martlet::arrow::array::{Array, ArrayRef, AsArray, Int64Array, RecordBatch, StringArray};
use martlet::arrow::compute::cast;
use martlet::arrow::datatypes::{DataType, Int64Type};
use martlet::{Connection, Database, Options, StorageOptions};

type TestResult = Result<(), Box<dyn Error>>;
/// A key and its aggregates.
type Row = Vec<Option<i64>>;

const ROW_COUNT: i64 = 60_000;

/// Key and value of a row: 7,200 keys and NULL, all over the table, some often.
fn row(index: i64) -> (Option<i64>, i64) {
    let key = if index % 5 == 0 { index % 7 } else { index * 7_919 % 9_000 };
    ((index % 97 != 0).then_some(key), index % 13)
}

fn database(worker_count: usize, table_groups_max: Option<usize>) -> martlet::Result<Connection> {
    let mut options = Options::default().with_worker_count(worker_count);
    options.table_groups_max = table_groups_max.unwrap_or(options.table_groups_max);
    options.storage = StorageOptions { row_group_len: 4_096, page_len: 1_024 };
    let connection = Database::open_in_memory_with(options)?.connect();
    connection.execute("CREATE TABLE t (k bigint, s text, v bigint)")?;
    let rows = || (0..ROW_COUNT).map(row);
    let keys: ArrayRef = Arc::new(rows().map(|(key, _)| key).collect::<Int64Array>());
    let texts = rows().map(|(key, _)| key.map(|key| key.to_string())).collect::<StringArray>();
    let values: ArrayRef = Arc::new(Int64Array::from_iter_values(rows().map(|(_, value)| value)));
    let columns = [("k", keys), ("s", Arc::new(texts) as ArrayRef), ("v", values)];
    let mut appender = connection.appender("t")?;
    appender.append(&RecordBatch::try_from_iter_with_nullable(
        columns.into_iter().map(|(name, array)| (name, array, true)),
    )?)?;
    appender.commit()?;
    Ok(connection)
}

/// Key, count, sum and distinct count of the values above `above`, groups in the order of their first
/// rows.
fn naive(above: i64) -> Vec<Row> {
    let mut numbers = BTreeMap::new();
    let mut groups: Vec<(Option<i64>, Vec<i64>)> = Vec::new();
    for (key, value) in (0..ROW_COUNT).map(row).filter(|(_, value)| *value > above) {
        let number = *numbers.entry(key).or_insert(groups.len());
        if number == groups.len() {
            groups.push((key, Vec::new()));
        }
        groups[number].1.push(value);
    }
    let finish = |(key, mut values): (Option<i64>, Vec<i64>)| {
        let count = i64::try_from(values.len()).expect("few rows");
        let sum = values.iter().sum::<i64>();
        values.sort_unstable();
        values.dedup();
        vec![key, Some(count), Some(sum), Some(i64::try_from(values.len()).expect("few rows"))]
    };
    groups.into_iter().map(finish).collect()
}

fn answer(connection: &Connection, sql: &str) -> martlet::Result<Vec<Row>> {
    let mut rows = Vec::new();
    for batch in connection.query(sql)? {
        let batch = batch?;
        let columns: Vec<ArrayRef> = batch
            .columns()
            .iter()
            .map(|column| cast(column, &DataType::Int64).expect("all are integers"))
            .collect();
        for row in 0..batch.num_rows() {
            let cell = |column: &ArrayRef| {
                column.is_valid(row).then(|| column.as_primitive::<Int64Type>().value(row))
            };
            rows.push(columns.iter().map(cell).collect());
        }
    }
    Ok(rows)
}

fn plan(connection: &Connection, sql: &str) -> martlet::Result<String> {
    let mut text = String::new();
    for batch in connection.query(&format!("EXPLAIN ANALYZE {sql}"))? {
        for line in batch?.column(0).as_string::<i32>().iter().flatten() {
            text.push_str(line);
            text.push('\n');
        }
    }
    Ok(text)
}

const AGGREGATES: &str = "count(*) AS c, sum(v), count(DISTINCT v)";

#[test]
fn groups_come_in_the_order_of_their_first_rows_on_any_number_of_workers() -> TestResult {
    let expected = naive(-1);
    assert!(expected.len() > 7_000, "each of eight workers meets thousands");
    for worker_count in [1, 2, 8] {
        let connection = database(worker_count, None)?;
        for key in ["k", "s"] {
            let sql = format!("SELECT {key}, {AGGREGATES} FROM t GROUP BY {key}");
            assert_eq!(answer(&connection, &sql)?, expected, "{key} on {worker_count}");
        }
    }
    Ok(())
}

#[test]
fn a_limit_without_an_order_gives_the_first_groups_with_all_their_rows() -> TestResult {
    for (worker_count, table_groups_max) in [(1, None), (2, Some(3)), (8, None), (8, Some(3))] {
        let connection = database(worker_count, table_groups_max)?;
        for (key, above) in [("k", -1), ("s", -1), ("k", 8), ("s", 11)] {
            let sql = format!(
                "SELECT {key}, {AGGREGATES} FROM t WHERE v > {above} GROUP BY {key} LIMIT 5 OFFSET 2"
            );
            assert_eq!(answer(&connection, &sql)?, naive(above)[2..7], "{sql}");
            assert!(plan(&connection, &sql)?.contains("groups fixed early: 7"), "{sql}");
        }
        // More groups than the first rows have.
        let sql = format!("SELECT k, {AGGREGATES} FROM t WHERE k < 20 GROUP BY k LIMIT 100");
        let few: Vec<Row> =
            naive(-1).into_iter().filter(|row| row[0].is_some_and(|key| key < 20)).collect();
        let mut actual = answer(&connection, &sql)?;
        actual.sort();
        let mut expected = few;
        expected.sort();
        assert_eq!(actual, expected);
        assert!(!plan(&connection, &sql)?.contains("groups fixed early"));
        assert_eq!(
            answer(&connection, "SELECT k FROM t WHERE v > 99 GROUP BY k LIMIT 3")?.len(),
            0
        );
    }
    Ok(())
}

#[test]
fn late_aggregates_are_those_of_the_first_groups_in_order() -> TestResult {
    for (worker_count, table_groups_max) in [(1, Some(3)), (2, Some(3)), (8, Some(0)), (2, None)] {
        let connection = database(worker_count, table_groups_max)?;
        for (key, above) in [("k", -1), ("k", 6), ("s", -1), ("k", 99)] {
            let order = if key == "k" { "k NULLS FIRST" } else { "s::bigint NULLS FIRST" };
            let sql = format!(
                "SELECT {key}, {AGGREGATES} FROM t WHERE v > {above} GROUP BY {key} \
                 ORDER BY c DESC, {order} LIMIT 9 OFFSET 1"
            );
            let mut expected = naive(above);
            expected.sort_by_key(|row| (std::cmp::Reverse(row[1]), row[0]));
            let expected: Vec<Row> = expected.into_iter().skip(1).take(9).collect();
            assert_eq!(answer(&connection, &sql)?, expected, "{sql}");
            assert!(plan(&connection, &sql)?.contains("for the order"), "{sql}");
        }
    }
    // What a table of groups holds is not read twice.
    let few = "SELECT k, count(*) AS c, sum(v) FROM t GROUP BY k ORDER BY c DESC LIMIT 9";
    assert!(!plan(&database(2, None)?, few)?.contains("for the order"));
    Ok(())
}
