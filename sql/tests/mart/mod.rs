//! A small database on disk that has a bit of everything: each type, several row groups, dictionaries
//! of several runs, deleted rows, a column that was added later, a second table.

use std::fmt::Write;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use martlet::arrow::array::RecordBatch;
use martlet::arrow::util::display::{ArrayFormatter, FormatOptions};
use martlet::{Connection, DataType, Database, NewField, Options, StorageOptions, Value};
use martlet_engine::context::Context;
use martlet_engine::ingest::merge_dictionaries;
use martlet_engine::storage::{MappedBackend, Store};

/// Small row groups and pages, so that a few hundred rows fill several.
pub(crate) fn options() -> Options {
    let mut options = Options::default().with_worker_count(1);
    options.storage = StorageOptions { row_group_len: 256, page_len: 64 };
    options
}

/// Questions that read every column, dictionary, statistic and deletion of the mart.
pub(crate) const QUERIES: [&str; 9] = [
    "SELECT * FROM t ORDER BY id",
    "SELECT * FROM u ORDER BY id",
    "SELECT name, count(*), sum(price), avg(root), min(day), max(at), sum(amount), min(note) \
     FROM t GROUP BY name ORDER BY name",
    "SELECT count(*), count(sparse), sum(n), min(big), max(name), min(price), max(root), \
     count(DISTINCT name), count(DISTINCT small), sum(price), min(note), max(key) FROM t",
    "SELECT id, note FROM t WHERE name LIKE '%7%' AND price > 1 ORDER BY id DESC LIMIT 20",
    "SELECT count(*), sum(root) FROM t WHERE name = 'name 7' OR small BETWEEN 3 AND 5",
    "SELECT flag, late, count(*), sum(sparse) FROM t GROUP BY ALL ORDER BY ALL",
    "SELECT name, day, count(*) FROM t WHERE clock < TIME '00:05:00' GROUP BY ALL ORDER BY ALL",
    "SELECT upper(name), length(note) FROM t WHERE key IS NOT NULL ORDER BY ALL LIMIT 50",
];

/// Creates the mart: three appends, a merge, deletions.
pub(crate) fn create(path: &Path) -> martlet::Result<()> {
    let connection = Database::create_with(path, options())?.connect();
    connection.execute(
        "CREATE TABLE t (id bigint NOT NULL, flag boolean, small smallint, n int, big bigint,
             price double, root double, real_ real, amount decimal(12, 2), day date, clock time,
             at timestamp, instant timestamptz, name text, note text, data bytea, key uuid,
             constant int, sparse int);
         CREATE TABLE u (id int, name text)",
    )?;
    append(&connection, 0..300)?;
    connection.execute("INSERT INTO u SELECT id, name FROM t WHERE id < 100")?;
    append(&connection, 300..520)?;
    append(&connection, 520..560)?;
    delete(path, 7)?;
    merge(path)?;
    let store = Store::open(Arc::new(MappedBackend::open(path)?))?;
    let transaction = store.begin()?;
    let table = transaction.find("t")?.expect("it was created");
    let late = NewField { name: "late".into(), data_type: DataType::Int32, nullable: true };
    transaction.add_column(table, &late, Value::Int(42))?;
    transaction.commit()?;
    connection.execute("VACUUM")?;
    Ok(())
}

/// Appends the rows with these ids.
pub(crate) fn append(connection: &Connection, ids: Range<i64>) -> martlet::Result<()> {
    let columns = "id, flag, small, n, big, price, root, real_, amount, day, clock, at, instant, \
                   name, note, data, key, constant, sparse";
    let rows: Vec<String> = ids.map(row).collect();
    connection.execute(&format!("INSERT INTO t ({columns}) VALUES {}", rows.join(", ")))?;
    Ok(())
}

fn row(id: i64) -> String {
    let null_or = |is_null: bool, text: String| if is_null { "NULL".to_owned() } else { text };
    let float = f64::from(u16::try_from(id).expect("tests use small ids"));
    let cells = [
        id.to_string(),
        null_or(id % 11 == 0, (id % 3 == 0).to_string()),
        (id % 9).to_string(),
        null_or(id % 5 == 0, (id * 37 % 1_000).to_string()),
        (id * 1_000_003 * 1_000_003).to_string(),
        null_or(id % 13 == 0, format!("{}", float * 7.0 / 100.0)),
        format!("{:e}", float.sqrt()),
        format!("{}", float / 8.0),
        format!("{}.{:02}", id * 3, id % 100),
        format!("'2026-{:02}-{:02}'", 1 + id % 12, 1 + id % 28),
        format!("'00:{:02}:{:02}'", id % 60, id * 7 % 60),
        format!("'2026-01-01 {:02}:00:00'", id % 24),
        format!("'2026-01-{:02} 12:00:00+00'", 1 + id % 28),
        null_or(id % 17 == 0, format!("'name {}'", id * id % (23 + id / 20))),
        format!("'note {id} {}'", "ab".repeat(usize::try_from(id % 40).expect("small"))),
        format!("'\\x{:04x}'", id * 31 % 65_536),
        null_or(id % 4 == 0, format!("'00000000-0000-4000-8000-{:012x}'", id * 77)),
        "5".to_owned(),
        null_or(id % 50 != 0, id.to_string()),
    ];
    format!("({})", cells.join(", "))
}

/// Deletes every `step`-th row of each row group of `t`.
pub(crate) fn delete(path: &Path, step: usize) -> martlet::Result<()> {
    let store = Store::open(Arc::new(MappedBackend::open(path)?))?;
    let transaction = store.begin()?;
    let table = transaction.find("t")?.expect("it was created");
    let snapshot = transaction.snapshot().table_by_id(table)?.expect("it is there");
    for row_group_idx in 0..snapshot.row_group_count() {
        let row_count = snapshot.row_group(row_group_idx).row_count;
        let rows = (3..row_count).step_by(step).collect();
        transaction.delete_rows(table, row_group_idx, &rows)?;
    }
    transaction.commit()?;
    Ok(())
}

/// Merges the runs of all dictionaries of `t`.
pub(crate) fn merge(path: &Path) -> martlet::Result<usize> {
    let store = Store::open(Arc::new(MappedBackend::open(path)?))?;
    let transaction = store.begin()?;
    let table = transaction.find("t")?.expect("it was created");
    let merged = merge_dictionaries(&transaction, table, None, &Context::new())?;
    transaction.commit()?;
    Ok(merged)
}

/// All answers as text.
pub(crate) fn answers(database: &Database) -> martlet::Result<String> {
    let connection = database.connect();
    let mut text = String::new();
    for sql in QUERIES {
        text.push_str(&answer(&connection, sql)?);
    }
    Ok(text)
}

/// One answer as text.
pub(crate) fn answer(connection: &Connection, sql: &str) -> martlet::Result<String> {
    let mut text = format!("{sql}\n");
    for batch in connection.query(sql)? {
        text.push_str(&rows_as_text(&batch?)?);
    }
    Ok(text)
}

/// A line for each row.
pub(crate) fn rows_as_text(batch: &RecordBatch) -> martlet::Result<String> {
    let options = FormatOptions::new().with_null("NULL");
    let mut cells = Vec::new();
    for column in batch.columns() {
        cells.push(ArrayFormatter::try_new(column, &options)?);
    }
    let mut text = String::new();
    for row in 0..batch.num_rows() {
        for cell in &cells {
            write!(text, "{}\t", cell.value(row)).expect("writing to a string works");
        }
        text.push('\n');
    }
    Ok(text)
}
