//! The library as a program uses it: databases, connections, parameters, snapshots, cancelling.
#![expect(clippy::tests_outside_test_module, reason = "an integration test is one")]

use std::error::Error;
use std::sync::Arc;
use std::thread;

use martlet::arrow::array::{ArrayRef, Int32Array, Int64Array, RecordBatch, StringArray};
use martlet::{
    Connection, DataType, Database, ErrorKind, Options, Outcome, QueryResult, ScanRequest,
    StorageOptions, Value,
};

type TestResult = Result<(), Box<dyn Error>>;
type TestBatch = martlet::Result<RecordBatch>;

fn memory() -> martlet::Result<Connection> {
    Ok(Database::open_in_memory_with(Options::default().with_worker_count(2))?.connect())
}

fn int(connection: &Connection, sql: &str) -> martlet::Result<i128> {
    match connection.query_value(sql)? {
        Value::Int(value) => Ok(value),
        other => panic!("{sql} gave {other:?}"),
    }
}

/// A table of one bigint column `n` with the numbers below `row_count`.
fn numbers(connection: &Connection, table: &str, row_count: i64) -> martlet::Result<()> {
    connection.execute(&format!("CREATE TABLE {table} (n bigint)"))?;
    append_numbers(connection, table, 0..row_count)
}

fn append_numbers(
    connection: &Connection,
    table: &str,
    values: std::ops::Range<i64>,
) -> martlet::Result<()> {
    let values: ArrayRef = Arc::new(Int64Array::from_iter_values(values));
    let mut appender = connection.appender(table)?;
    appender.append(&RecordBatch::try_from_iter([("n", values)])?)?;
    appender.commit()?;
    Ok(())
}

#[test]
fn handles_cross_threads() {
    fn send_and_sync<T: Send + Sync>() {}
    fn send<T: Send>() {}
    send_and_sync::<Database>();
    send_and_sync::<Connection>();
    send_and_sync::<martlet::StatementHandle>();
    send::<QueryResult>();
    send::<martlet::Appender>();
}

#[test]
fn a_connection_is_usable_after_an_error() -> TestResult {
    let connection = memory()?;
    for sql in ["SELECT", "SELECT nope", "SELECT 1/0", "SELECT 'x'::int", "DROP TABLE nope"] {
        assert!(connection.execute(sql).is_err(), "{sql}");
        assert_eq!(int(&connection, "SELECT 41 + 1")?, 42);
    }
    Ok(())
}

#[test]
fn several_statements_run_in_order_up_to_the_first_that_fails() -> TestResult {
    let connection = memory()?;
    let error = connection.execute("CREATE TABLE a (x int); SELECT 1/0; CREATE TABLE b (x int)");
    assert_eq!(error.expect_err("a division by zero").kind(), ErrorKind::DivisionByZero);
    assert_eq!(int(&connection, "SELECT count(*) FROM a")?, 0);
    assert!(connection.execute("SELECT * FROM b").is_err());
    // Nothing runs when any statement does not parse.
    assert!(connection.execute("CREATE TABLE c (x int); SELEC 1").is_err());
    assert!(connection.execute("SELECT * FROM c").is_err());
    assert!(connection.query("SELECT 1; SELECT 2").is_err());
    assert!(connection.query("").is_err());
    Ok(())
}

#[test]
fn every_kind_of_statement_has_an_outcome() -> TestResult {
    let connection = memory()?;
    let sql =
        "CREATE TABLE t AS SELECT 7 AS x; INSERT INTO t VALUES (8), (9); FROM t; DROP TABLE t";
    let outcomes: Vec<Outcome> = connection.run_all(sql)?.collect::<Result<_, _>>()?;
    assert!(matches!(outcomes[0], Outcome::Done { row_count: Some(1) }));
    assert!(matches!(outcomes[1], Outcome::Done { row_count: Some(2) }));
    assert!(matches!(outcomes[2], Outcome::Rows(_)));
    assert!(matches!(outcomes[3], Outcome::Done { row_count: None }));
    Ok(())
}

#[test]
fn parameters_take_their_types_from_their_places() -> TestResult {
    let connection = memory()?;
    connection.execute(
        "CREATE TABLE t (n int, s text, d date, p decimal(8,2));
         INSERT INTO t VALUES (1, 'one', '2026-01-01', 1.5), (2, 'two', '2026-02-02', 2.5)",
    )?;
    let statement = connection.prepare(
        "SELECT s FROM t WHERE n >= $1 AND d < $2 AND p IN ($3, 2.5) AND s LIKE $4 LIMIT $5",
    )?;
    let types: Vec<Option<DataType>> = statement.parameter_types().to_vec();
    assert_eq!(types[0], Some(DataType::Int32));
    assert_eq!(types[1], Some(DataType::Date));
    assert_eq!(types[3], Some(DataType::Utf8));
    assert_eq!(statement.schema().field(0).name(), "s");
    for _ in 0..2 {
        let rows = statement.query(&[
            1.into(),
            "2026-02-01".into(),
            "1.50".into(),
            "o%".into(),
            Value::Int(10).into(),
        ])?;
        let batches = rows.collect_batches()?;
        assert_eq!(batches.iter().map(RecordBatch::num_rows).sum::<usize>(), 1);
    }
    assert!(statement.query(&[1.into()]).is_err());
    let insert = connection.prepare("INSERT INTO t (n, s, d) VALUES (?, ?, ?)")?;
    insert.run(&[3.into(), "three".into(), "2026-03-03".into()])?;
    insert.run(&[4_i64.into(), Option::<&str>::None.into(), Value::Null.into()])?;
    assert_eq!(int(&connection, "SELECT sum(n) FROM t")?, 10);
    let sum = connection.query_with("SELECT ? + ?", &[1.into(), 2.into()])?.collect_batches()?;
    assert_eq!(Value::from_array(sum[0].column(0), DataType::Int32, 0), Value::Int(3));
    Ok(())
}

#[test]
fn a_statement_sees_the_tables_as_they_are_when_it_runs() -> TestResult {
    let connection = memory()?;
    numbers(&connection, "t", 3)?;
    let count = connection.prepare("SELECT count(*) FROM t")?;
    let counted = |count: &martlet::Statement<'_>| -> martlet::Result<Value> {
        let batches = count.query(&[])?.collect_batches()?;
        Ok(Value::from_array(batches[0].column(0), DataType::Int64, 0))
    };
    assert_eq!(counted(&count)?, Value::Int(3));
    append_numbers(&connection, "t", 0..4)?;
    assert_eq!(counted(&count)?, Value::Int(7));
    connection.execute("DROP TABLE t")?;
    assert!(count.query(&[]).is_err());
    Ok(())
}

#[test]
fn an_open_result_keeps_its_snapshot() -> TestResult {
    let mut options = Options::default().with_worker_count(1);
    options.batch_len = 10;
    let connection = Database::open_in_memory_with(options)?.connect();
    numbers(&connection, "t", 1_000)?;
    let mut rows = connection.query("SELECT n FROM t")?;
    let first = rows.next().expect("there are rows")?;
    connection.execute("DROP TABLE t; CREATE TABLE t (n bigint); VACUUM")?;
    let rest: usize =
        rows.map(|batch| batch.map(|batch| batch.num_rows())).sum::<Result<_, _>>()?;
    assert_eq!(first.num_rows() + rest, 1_000);
    assert_eq!(int(&connection, "SELECT count(*) FROM t")?, 0);
    Ok(())
}

#[test]
fn a_read_only_handle_stays_on_its_snapshot_until_it_is_refreshed() -> TestResult {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("sales.mart");
    assert_eq!(Database::open_read_only(&path).expect_err("nothing there").kind(), ErrorKind::Io);
    let writer = Database::create(&path)?.connect();
    numbers(&writer, "t", 5)?;
    let reader = Database::open_read_only(&path)?;
    assert_eq!(int(&reader.connect(), "SELECT count(*) FROM t")?, 5);
    append_numbers(&writer, "t", 5..8)?;
    assert_eq!(int(&reader.connect(), "SELECT count(*) FROM t")?, 5);
    assert_eq!(int(&writer, "SELECT count(*) FROM t")?, 8);
    reader.refresh()?;
    assert_eq!(int(&reader.connect(), "SELECT sum(n) FROM t")?, 28);
    let error = reader.connect().execute("DROP TABLE t").expect_err("it is read-only");
    assert_eq!(error.kind(), ErrorKind::Invalid);
    assert!(reader.connect().appender("t").is_err());
    Ok(())
}

#[test]
fn a_database_is_opened_again_and_not_created_twice() -> TestResult {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("sales.mart");
    {
        let connection = Database::open(&path)?.connect();
        connection.execute("CREATE TABLE t AS SELECT 'kept' AS s")?;
    }
    assert_eq!(Database::create(&path).expect_err("it is there").kind(), ErrorKind::AlreadyExists);
    let again = Database::open(&path)?.connect();
    assert_eq!(again.query_value("SELECT s FROM t")?, Value::Text("kept".into()));
    // A second handle that may write sees what the first commits.
    let second = Database::open(&path)?.connect();
    again.execute("INSERT INTO t VALUES ('more')")?;
    assert_eq!(int(&second, "SELECT count(*) FROM t")?, 2);
    Ok(())
}

#[test]
fn a_database_is_made_where_another_process_was_killed_making_it() -> TestResult {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("sales.mart");
    std::fs::create_dir(&path)?;
    std::fs::write(path.join("lock"), "")?;
    std::fs::write(path.join("pending-0000000000000001"), "half a manifest")?;
    Database::open(&path)?.connect().execute("CREATE TABLE t AS SELECT 1 AS x; VACUUM")?;
    assert_eq!(int(&Database::open(&path)?.connect(), "SELECT x FROM t")?, 1);
    assert!(!path.join("pending-0000000000000001").exists());
    // What is no database is left alone.
    let other = folder.path().join("letters");
    std::fs::create_dir(&other)?;
    std::fs::write(other.join("letter"), "dear")?;
    assert_eq!(Database::open(&other).expect_err("no database").kind(), ErrorKind::Io);
    let error = Database::open(other.join("letter")).expect_err("a file");
    assert!(error.message().contains("is a file"), "{error}");
    Ok(())
}

#[test]
fn many_threads_ask_one_database() -> TestResult {
    let connection = memory()?;
    numbers(&connection, "t", 10_000)?;
    let database = connection.database().clone();
    let threads: Vec<_> = (0..8)
        .map(|k| {
            let database = database.clone();
            thread::spawn(move || {
                let connection = database.connect();
                let sql = format!("SELECT count(*) FROM t WHERE n % 8 = {k}");
                (0..5).map(|_| int(&connection, &sql)).collect::<martlet::Result<Vec<i128>>>()
            })
        })
        .collect();
    for thread in threads {
        assert_eq!(thread.join().expect("no thread panics")?, [1_250; 5]);
    }
    Ok(())
}

#[test]
fn explain_analyze_tells_what_was_read() -> TestResult {
    let connection = memory()?;
    numbers(&connection, "t", 1_000)?;
    let mut text = String::new();
    for batch in connection.query("EXPLAIN ANALYZE SELECT n % 3, count(*) FROM t GROUP BY 1")? {
        let batch = batch?;
        for row in 0..batch.num_rows() {
            text +=
                &Value::from_array(batch.column(0), DataType::Utf8, row).to_text(DataType::Utf8);
            text.push('\n');
        }
    }
    assert!(text.contains("read 1 of 1 columns, 1 of 1 pages"), "{text}");
    assert!(text.contains("1000 rows in, 3 out"), "{text}");
    Ok(())
}

#[test]
fn a_query_is_cancelled_from_another_thread() -> TestResult {
    let mut options = Options::default().with_worker_count(1);
    options.batch_len = 16;
    let connection = Database::open_in_memory_with(options)?.connect();
    numbers(&connection, "t", 100_000)?;
    let mut rows = connection.query("SELECT n FROM t")?;
    rows.next().expect("there are rows")?;
    let handle = connection.statement_handle();
    thread::spawn(move || handle.cancel()).join().expect("cancelling does not panic");
    let error = rows.find_map(Result::err).expect("it was cancelled");
    assert_eq!(error.kind(), ErrorKind::Cancelled);
    assert_eq!(int(&connection, "SELECT count(*) FROM t")?, 100_000);
    Ok(())
}

#[test]
fn a_commit_removes_what_no_reader_needs() -> TestResult {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("t.mart");
    let writer = Database::create(&path)?.connect();
    let commit_count = || -> std::io::Result<usize> {
        let names = std::fs::read_dir(&path)?.map(|entry| Ok(entry?.file_name()));
        let names = names.collect::<std::io::Result<Vec<_>>>()?;
        Ok(names.iter().filter(|name| name.to_string_lossy().starts_with("manifest-")).count())
    };
    numbers(&writer, "t", 10)?;
    writer.execute("INSERT INTO t VALUES (10)")?;
    assert_eq!(commit_count()?, 1);
    let reader = Database::open_read_only(&path)?.connect();
    for _ in 0..3 {
        writer.execute("INSERT INTO t VALUES (10)")?;
    }
    assert!(commit_count()? > 1);
    assert_eq!(int(&reader, "SELECT count(*) FROM t")?, 11);
    drop(reader);
    append_numbers(&writer, "t", 0..5)?;
    assert_eq!(commit_count()?, 1);
    assert_eq!(int(&writer, "SELECT count(*) FROM t")?, 19);
    Ok(())
}

#[test]
fn a_statement_tells_how_far_it_is() -> TestResult {
    let connection = memory()?;
    let handle = connection.statement_handle();
    assert_eq!(handle.progress(), None);
    numbers(&connection, "t", 100_000)?;
    connection.execute("CREATE TABLE u AS SELECT n FROM t WHERE n % 2 = 0")?;
    assert_eq!(handle.progress(), Some(1.0));
    let mut rows = connection.query("SELECT n FROM t")?;
    assert_eq!(handle.progress(), None);
    rows.next().expect("there are rows")?;
    let share = rows.statement_handle().progress().expect("a scan knows its rows");
    assert!(0.0 < share && share <= 1.0, "{share}");
    Ok(())
}

#[test]
fn memory_is_limited_and_given_back() -> TestResult {
    let connection = memory()?;
    numbers(&connection, "t", 200_000)?;
    connection.execute("SET memory_limit = '200KB'")?;
    let error = connection.execute("SELECT n, count(*) FROM t GROUP BY n").expect_err("too little");
    assert_eq!(error.kind(), ErrorKind::OutOfMemory);
    connection.execute("SET memory_limit = '1GB'")?;
    assert_eq!(connection.execute("SELECT n, count(*) FROM t GROUP BY n")?, 200_000);
    Ok(())
}

#[test]
fn an_appender_casts_numbers_and_names_what_does_not_fit() -> TestResult {
    let connection = memory()?;
    connection.execute("CREATE TABLE t (n bigint, s text NOT NULL)")?;
    let batch = |s: Vec<Option<&str>>| -> TestBatch {
        let numbers: ArrayRef =
            Arc::new(Int32Array::from_iter_values(0..s.len().try_into().unwrap_or(0)));
        let texts: ArrayRef = Arc::new(StringArray::from(s));
        let columns = [("n", numbers, true), ("s", texts, true)];
        Ok(RecordBatch::try_from_iter_with_nullable(columns)?)
    };
    let mut appender = connection.appender("T")?;
    appender.append(&batch(vec![Some("a"), Some("b")])?)?;
    let error = appender.append(&batch(vec![None])?).expect_err("s is NOT NULL");
    assert!(error.message().contains("\"s\""), "{error}");
    assert_eq!(appender.commit()?, 2);
    let forgotten = connection.appender("t")?;
    drop(forgotten);
    // Another table of that name is not what the rows were meant for.
    connection.execute("CREATE TABLE v (a bigint, b text)")?;
    let mut late = connection.appender("v")?;
    late.append(&batch(vec![Some("a")])?)?;
    connection.execute("DROP TABLE v; CREATE TABLE v (b bigint, a text)")?;
    assert_eq!(late.commit().expect_err("its columns are others").kind(), ErrorKind::Invalid);
    assert_eq!(int(&connection, "SELECT count(*) FROM v")?, 0);
    assert_eq!(int(&connection, "SELECT count(*) FROM t")?, 2);
    assert_eq!(connection.appender("u").expect_err("no table").kind(), ErrorKind::UnknownName);
    Ok(())
}

#[test]
fn a_scan_runs_in_another_handle_from_its_bytes() -> TestResult {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("sales.mart");
    let writer = Database::create(&path)?.connect();
    numbers(&writer, "t", 100)?;
    let request = writer.scan_request("SELECT n FROM t WHERE n >= 90")?;
    let bytes = request.to_bytes()?;
    let request = ScanRequest::from_bytes(&bytes)?;
    let reader = Database::open_read_only(&request.database)?;
    let batches = reader.scan(&request)?.collect_batches()?;
    assert_eq!(batches.iter().map(RecordBatch::num_rows).sum::<usize>(), 10);
    append_numbers(&writer, "t", 0..1)?;
    // The reader still holds the snapshot; a handle opened now does not.
    assert!(reader.scan(&request).is_ok());
    assert!(Database::open_read_only(&request.database)?.scan(&request).is_err());
    Ok(())
}

#[test]
fn long_and_deep_statements_do_not_overflow_a_small_stack() -> TestResult {
    let work = || -> martlet::Result<()> {
        let connection = memory()?;
        numbers(&connection, "t", 10)?;
        let terms: Vec<String> = (0..10_000).map(|i| format!("n = {i}")).collect();
        let sql = format!("SELECT count(*) FROM t WHERE {}", terms.join(" OR "));
        assert_eq!(int(&connection, &sql)?, 10);
        let sums = vec!["n"; 400].join(" + ");
        assert_eq!(int(&connection, &format!("SELECT max({sums}) FROM t"))?, 3_600);
        for open in ["(", "- ", "NOT ", "CASE WHEN ", "abs(", "SELECT (", "FROM (", "/*"] {
            assert!(connection.execute(&format!("SELECT {}", open.repeat(20_000))).is_err());
            assert!(connection.execute(&format!("SELECT {}", open.repeat(300))).is_err());
        }
        for chain in
            ["::int", " IS NULL", " AND 1", " + 1", " || 'x'", " UNION SELECT 1", "[1]", ".x"]
        {
            for count in [200, 20_000] {
                let _whatever = connection.execute(&format!("SELECT 1{}", chain.repeat(count)));
            }
        }
        Ok(())
    };
    let small = thread::Builder::new().stack_size(2 << 20);
    small.spawn(work)?.join().expect("the stack holds")?;
    Ok(())
}

#[test]
fn a_value_of_every_type_is_asked_for() -> TestResult {
    let connection = memory()?;
    for (sql, shown) in [
        ("true", "true"),
        ("CAST('2026-01-31' AS date)", "2026-01-31"),
        ("CAST('\\x00ff' AS blob)", "\\x00ff"),
        ("CAST(1.25 AS decimal(38,2))", "1.25"),
        ("INTERVAL '1 month 2 days'", "1 mon 2 days"),
        (
            "CAST('a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11' AS uuid)",
            "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11",
        ),
    ] {
        let data_type = connection.logical_plan(&format!("SELECT {sql}"))?.output()[0].data_type;
        let value = connection.query_value(&format!("SELECT {sql}"))?;
        assert_eq!(value.to_text(data_type), shown);
    }
    Ok(())
}

#[test]
fn rows_are_deleted_by_their_position_among_those_that_are_left() -> TestResult {
    let mut options = Options::default().with_worker_count(2);
    options.storage = StorageOptions { row_group_len: 4, page_len: 2 };
    let connection = Database::open_in_memory_with(options)?.connect();
    numbers(&connection, "t", 10)?;
    assert_eq!(connection.delete_rows("t", &[9, 0, 5, 5])?, 3);
    assert_eq!(connection.delete_rows("T", &[0, 4])?, 2);
    let left = connection.query("FROM t")?.collect_batches()?;
    let left: Vec<i128> = left
        .iter()
        .flat_map(|batch| (0..batch.num_rows()).map(|row| (batch.column(0), row)))
        .filter_map(|(column, row)| match Value::from_array(column, DataType::Int64, row) {
            Value::Int(value) => Some(value),
            _ => None,
        })
        .collect();
    assert_eq!(left, [2, 3, 4, 7, 8]);
    let refused = connection.delete_rows("t", &[1, 5]).unwrap_err();
    assert_eq!(refused.message(), "the table has 5 rows, there is no row 5 to delete");
    assert_eq!(int(&connection, "SELECT count(*) FROM t")?, 5);
    let unknown = connection.delete_rows("u", &[]).unwrap_err();
    assert_eq!(unknown.kind(), ErrorKind::UnknownName);
    Ok(())
}

#[test]
fn merging_dictionaries_changes_no_answer() -> TestResult {
    let connection = memory()?;
    connection.execute("CREATE TABLE t (word text)")?;
    for words in ["('b'), ('d'), ('b')", "('c'), ('a'), ('c')", "('b'), ('e'), ('e')"] {
        connection.execute(&format!("INSERT INTO t VALUES {words}"))?;
    }
    let words = "SELECT count(DISTINCT word) FROM t";
    assert_eq!(int(&connection, words)?, 5);
    connection.merge_dictionaries("t")?;
    assert_eq!(int(&connection, words)?, 5);
    assert_eq!(int(&connection, "SELECT count(*) FROM t WHERE word >= 'c'")?, 5);
    assert_eq!(connection.merge_dictionaries("t")?, 0);
    Ok(())
}
