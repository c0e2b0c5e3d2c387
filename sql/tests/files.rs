//! Files of other programs, read and written: random tables in random dialects come back as they were,
//! and so does every type through every format.
#![expect(
    clippy::tests_outside_test_module,
    clippy::unwrap_used,
    clippy::result_large_err,
    reason = "an integration test is one; proptest's error type"
)]

mod csv_rows;

use std::fmt::Write;
use std::fs;
use std::path::Path;

use martlet::arrow::array::ArrayRef;
use martlet::{Connection, DataType, Value};
use proptest::prelude::*;

use self::csv_rows::{TestResult, connection, rows};

fn shown(path: &Path) -> String {
    path.to_str().unwrap().replace('\'', "''")
}

/// A way of writing delimited text.
#[derive(Clone, Debug)]
struct Style {
    delimiter: char,
    quote: char,
    backslash: bool,
    newline: &'static str,
    header: bool,
    quote_all: bool,
}

fn style() -> impl Strategy<Value = Style> {
    let delimiters = prop::sample::select(vec![',', ';', '\t', '|', '~']);
    let quotes = prop::sample::select(vec!['"', '\'']);
    let newlines = prop::sample::select(vec!["\n", "\r\n", "\r"]);
    let flags = (any::<bool>(), any::<bool>(), any::<bool>());
    (delimiters, quotes, newlines, flags).prop_map(
        |(delimiter, quote, newline, (backslash, header, quote_all))| Style {
            delimiter,
            quote,
            backslash,
            newline,
            header,
            quote_all,
        },
    )
}

impl Style {
    fn cell(&self, text: Option<&str>) -> String {
        let Some(text) = text else { return String::new() };
        let special = [self.delimiter, self.quote, '\n', '\r', ' ', '#'];
        if !self.quote_all && !text.is_empty() && !text.contains(special) {
            return text.to_owned();
        }
        let escape = if self.backslash { '\\' } else { self.quote };
        let mut out = String::from(self.quote);
        for c in text.chars() {
            if c == self.quote || c == escape {
                out.push(escape);
            }
            out.push(c);
        }
        out.push(self.quote);
        out
    }

    fn write(&self, table: &[Vec<Option<String>>]) -> String {
        let mut out = String::new();
        let width = table[0].len();
        if self.header {
            let names: Vec<String> = (0..width).map(|index| format!("name{index}")).collect();
            write!(out, "{}{}", names.join(&self.delimiter.to_string()), self.newline).unwrap();
        }
        for row in table {
            let cells: Vec<String> = row.iter().map(|cell| self.cell(cell.as_deref())).collect();
            write!(out, "{}{}", cells.join(&self.delimiter.to_string()), self.newline).unwrap();
        }
        out
    }

    fn options(&self) -> String {
        let text = |c: char| if c == '\'' { "''".to_owned() } else { c.to_string() };
        let escape = if self.backslash { '\\' } else { self.quote };
        let newline = self.newline.replace('\n', "\\n").replace('\r', "\\r");
        format!(
            "delim => '{}', quote => '{}', escape => '{}', header => {}, comment => '', \
             new_line => '{newline}'",
            text(self.delimiter),
            text(self.quote),
            text(escape),
            self.header
        )
    }
}

/// Tables of two to four columns.
fn table(
    cell: impl Strategy<Value = Option<String>> + Clone,
) -> impl Strategy<Value = Vec<Vec<Option<String>>>> {
    (2_usize..5).prop_flat_map(move |width| {
        let row = prop::collection::vec(cell.clone(), width);
        prop::collection::vec(row, 1..20)
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn random_texts_in_random_dialects_come_back(
        style in style(),
        table in table(prop::option::weighted(0.8, "[a-z0-9,;\t|~\"'\\\\\n\r #é😀]{0,8}")),
    ) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.csv");
        fs::write(&path, style.write(&table)).unwrap();
        let connection = connection();
        let sql = format!(
            "SELECT * FROM read_csv('{}', all_varchar => true, {})",
            shown(&path),
            style.options()
        );
        let result = connection.query(&sql).unwrap();
        let mut found: Vec<Vec<Option<String>>> = Vec::new();
        for batch in result {
            let batch = batch.unwrap();
            for row in 0..batch.num_rows() {
                let cell = |column: &ArrayRef| {
                    let value = Value::from_array(column, DataType::Utf8, row);
                    match value {
                        Value::Text(text) => Some(text),
                        _ => None,
                    }
                };
                found.push(batch.columns().iter().map(cell).collect());
            }
        }
        prop_assert_eq!(found, table, "{}\n{}", sql, style.write(&[vec![None]]));
    }

    #[test]
    fn random_numbers_are_sniffed_in_any_dialect(
        style in style(),
        numbers in prop::collection::vec((any::<i64>(), any::<i32>(), 0_u32..20_000), 3..20),
    ) {
        let date = |days: u32| {
            let day = Value::Int(days.into());
            day.to_text(DataType::Date)
        };
        let table: Vec<Vec<Option<String>>> = numbers
            .iter()
            .map(|(whole, part, days)| {
                let float = f64::from(*part) / 8.0;
                vec![Some(whole.to_string()), Some(format!("{float:.3}")), Some(date(*days))]
            })
            .collect();
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.csv");
        fs::write(&path, style.write(&table)).unwrap();
        let connection = connection();
        let found = rows(&connection, &format!("SELECT * FROM '{}'", shown(&path))).unwrap();
        let mut expected = found.lines().next().unwrap_or_default().to_owned() + "\n";
        for (whole, part, days) in &numbers {
            let float = f64::from(*part) / 8.0;
            let float = Value::Float(float).to_text(DataType::Float64);
            writeln!(expected, "{whole},{float},{}", date(*days)).unwrap();
        }
        prop_assert_eq!(found, expected);
    }
}

const TYPES: &str = "b boolean, i1 tinyint, i2 smallint, i4 integer, i8 bigint, u1 utinyint, \
     u2 usmallint, u4 uinteger, u8 ubigint, f4 real, f8 double, d decimal(38,5), s decimal(4,2), \
     day date, t time, ts timestamp, tn timestamp(9), t0 timestamp(0), tz timestamptz, x text, \
     bl blob, u uuid";

fn fill(connection: &Connection) -> martlet::Result<()> {
    connection.execute(&format!("CREATE TABLE source ({TYPES})"))?;
    connection.execute(
        "INSERT INTO source VALUES
         (true, -128, -32768, -2147483648, -9223372036854775808, 255, 65535, 4294967295,
          18446744073709551615, 1.5e-30, 1.7976931348623157e308,
          123456789012345678901234567890123.45678, -99.99, '0044-03-15 BC', '23:59:59.999999',
          '2026-01-02 03:04:05.678901', '2026-01-02 03:04:05.123456789', '2026-01-02 03:04:05',
          '2026-01-02 03:04:05.5+02', 'a, \"b\"; c''s\td\r\ne#\\f', '\\x00ff0a'::blob,
          'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'),
         (false, 127, 32767, 2147483647, 9223372036854775807, 0, 0, 0, 0, -0.1, 5e-324, -0.00001,
          0.00, '9999-12-31', '00:00:00', '1969-12-31 23:59:59.999999',
          '1677-09-22 00:00:00.000000001', '0001-01-01 00:00:00', '1969-12-31 00:00:00+00', '',
          ''::blob, '00000000-0000-0000-0000-000000000000'),
         (NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL,
          NULL, NULL, NULL, NULL, NULL, NULL, NULL),
         (true, 0, 0, 0, 0, 1, 1, 1, 1, 'NaN', 'NaN', 0, 1, '1970-01-01', '12:00',
          '1970-01-01 00:00:00', '1970-01-01 00:00:00', '1970-01-01 00:00:00',
          '1970-01-01 00:00:00+00', ' NULL ', 'x'::blob, 'ffffffff-ffff-ffff-ffff-ffffffffffff'),
         (true, 1, 1, 1, 1, 1, 1, 1, 1, '-Infinity', 'Infinity', 1, 1, '2026-01-01', '01:02:03',
          '2026-01-01 00:00:00', '2026-01-01 00:00:00', '2026-01-01 00:00:00',
          '2026-01-01 00:00:00+00', '😀 \u{feff}', 'y'::blob, NULL)",
    )?;
    Ok(())
}

#[test]
fn every_type_survives_every_format() -> TestResult {
    let folder = tempfile::tempdir()?;
    let connection = connection();
    fill(&connection)?;
    let expected = rows(&connection, "SELECT * FROM source")?;
    for (name, options) in [
        ("a.csv", ""),
        ("b.csv.gz", "(HEADER false)"),
        ("c.tsv", "(NULLSTR 'NULL')"),
        ("d.csv", "(DELIM ';', QUOTE '''', COMPRESSION zstd)"),
        ("e.json", ""),
        ("f.jsonl.zst", ""),
        ("g.parquet", ""),
        ("h.parquet", "(COMPRESSION snappy, ROW_GROUP_SIZE 2)"),
        ("i.arrow", ""),
        ("j.arrows", ""),
    ] {
        let path = shown(&folder.path().join(name));
        connection.execute(&format!("COPY source TO '{path}' {options}"))?;
        connection.execute(&format!("CREATE OR REPLACE TABLE target ({TYPES})"))?;
        let reading = match name {
            "b.csv.gz" => "(HEADER false)",
            "c.tsv" => "(NULLSTR 'NULL')",
            "d.csv" => "(DELIM ';', QUOTE '''')",
            _ => "",
        };
        connection.execute(&format!("COPY target FROM '{path}' {reading}"))?;
        assert_eq!(rows(&connection, "SELECT * FROM target")?, expected, "{name}");
        let described = rows(&connection, &format!("DESCRIBE '{path}'"))?;
        if name.ends_with("parquet") || name.contains("arrow") {
            assert_eq!(described, rows(&connection, "DESCRIBE source")?, "{name}");
        }
    }
    Ok(())
}

#[test]
fn a_value_beyond_the_sample_widens_its_column() -> TestResult {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("x.csv");
    let mut text = String::from("a,b,c\n");
    for row in 0..200_000 {
        writeln!(text, "{row},{row}.5,")?;
    }
    text += "x,1,2026-01-02\n";
    fs::write(&path, &text)?;
    let (connection, path) = (connection(), shown(&path));
    connection.execute(&format!("CREATE TABLE t FROM '{path}'"))?;
    assert_eq!(
        rows(&connection, "DESCRIBE t")?,
        "column_name,column_type,null,comment\na,text,YES,\nb,double,YES,\nc,date,YES,\n"
    );
    assert_eq!(
        rows(&connection, "SELECT count(*) AS n, max(a) AS a, max(c) AS c FROM t")?,
        "n,a,c\n200001,x,2026-01-02\n"
    );
    // In a query, too: one that ends, one whose result is long, and one that the new type refuses.
    assert_eq!(rows(&connection, &format!("SELECT max(a) AS a FROM '{path}'"))?, "a\nx\n");
    let all = rows(&connection, &format!("SELECT * FROM '{path}'"))?;
    assert_eq!(all.lines().count(), 200_002);
    assert!(connection.query(&format!("SELECT sum(a) FROM '{path}'")).is_err());
    let first = rows(&connection, &format!("SELECT a + 1 AS a FROM '{path}' LIMIT 1"))?;
    assert_eq!(first, "a\n1\n");
    // Not when the type was given: then the error says where.
    let sql = format!("CREATE TABLE u AS FROM read_csv('{path}', types => {{'a': 'bigint'}})");
    let error = connection.execute(&sql).unwrap_err();
    assert!(error.message().ends_with("line 200002, column \"a\": \"x\" is no bigint"), "{error}");
    Ok(())
}

#[test]
fn keys_beyond_the_sample_become_columns() -> TestResult {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("x.jsonl");
    let mut text = String::new();
    for row in 0..100_000 {
        writeln!(text, "{{\"a\":{row}}}")?;
    }
    text += "{\"a\":1.5,\"late\":true}\n";
    fs::write(&path, &text)?;
    let (connection, path) = (connection(), shown(&path));
    connection.execute(&format!("CREATE TABLE t FROM '{path}'"))?;
    let sql = "SELECT count(late) AS n, max(a) AS a FROM";
    assert_eq!(rows(&connection, &format!("{sql} t"))?, "n,a\n1,99999\n");
    assert_eq!(rows(&connection, &format!("{sql} '{path}'"))?, "n,a\n1,99999\n");
    Ok(())
}

#[test]
fn rejected_rows_are_written_down() -> TestResult {
    let folder = tempfile::tempdir()?;
    let path = shown(&folder.path().join("x.csv"));
    let rejects = shown(&folder.path().join("bad.csv"));
    fs::write(&path, "a,b\n1,2\nx,3\n4,5,6\n7,8\n9\n10,11\n12,13\n")?;
    let connection = connection();
    let read = |limit: &str| {
        format!("read_csv('{path}', types => ['bigint'], {limit} rejects_file => '{rejects}')")
    };
    connection.execute(&format!("CREATE TABLE t AS FROM {}", read("")))?;
    assert_eq!(rows(&connection, "SELECT sum(a) AS a, count(*) AS n FROM t")?, "a,n\n30,4\n");
    let sql = format!("SELECT * EXCLUDE (file) FROM '{rejects}' ORDER BY line");
    assert_eq!(
        rows(&connection, &sql)?,
        "line,byte_offset,column,value,message,record\n\
         3,8,a,x,\"\"\"x\"\" is no bigint\",\"x,3\"\n\
         4,12,,,3 fields where the file has 2 columns,\"4,5,6\"\n\
         6,22,,,1 field where the file has 2 columns,9\n"
    );
    let sql = format!("SELECT * FROM {}", read("reject_limit => 2,"));
    let error = rows(&connection, &sql).unwrap_err();
    assert!(error.message().starts_with("more than 2 rows are bad"), "{error}");
    Ok(())
}

/// A file of 3,000 rows, of which every hundredth is bad, and one that ends with a bad one.
fn files_with_bad_rows(folder: &Path) -> std::io::Result<String> {
    let mut text = String::from("\u{feff}n,s\n");
    for row in 0..3_000 {
        let n = if row % 100 == 7 { format!("\"x\"\"{row}\n\"") } else { row.to_string() };
        writeln!(text, "{n},{}", "y".repeat(1_000)).unwrap();
    }
    fs::write(folder.join("a.csv"), text)?;
    fs::write(folder.join("b.csv"), "n,s\n1,a\n2\n")?;
    Ok(format!("['{}', '{}']", shown(&folder.join("a.csv")), shown(&folder.join("b.csv"))))
}

#[test]
fn rejected_rows_are_in_a_table_with_the_commit_of_the_others() -> TestResult {
    let folder = tempfile::tempdir()?;
    let files = files_with_bad_rows(folder.path())?;
    let connection = connection();
    let read = format!("read_csv({files}, types => {{'n': 'bigint'}}, rejects_table => 'bad')");
    let before = connection.database().snapshot_number()?;
    connection.execute(&format!("CREATE TABLE t AS SELECT n FROM {read}"))?;
    assert_eq!(connection.database().snapshot_number()?, before + 1);
    assert_eq!(rows(&connection, "SELECT count(*) AS n FROM t")?, "n\n2971\n");
    assert_eq!(
        rows(&connection, "DESCRIBE bad")?,
        "column_name,column_type,null,comment\nfile,text,YES,\nline,bigint,YES,\n\
         byte_offset,bigint,YES,\ncolumn,text,YES,\nvalue,text,YES,\nmessage,text,YES,\n\
         record,text,YES,\n"
    );
    let select = "SELECT line, byte_offset, column, value, message, length(record) AS l FROM bad";
    let found = rows(&connection, &format!("{select} WHERE line < 100 OR length(record) < 9"))?;
    assert_eq!(
        found,
        "line,byte_offset,column,value,message,l\n\
         9,7028,n,\"x\"\"7\n\",\"\"\"x\"\"7\\n\"\" is no bigint\",1008\n\
         3,8,,,1 field where the file has 2 columns,1\n"
    );
    // As they are in the files, in order, whoever read them first.
    let text = fs::read(folder.path().join("a.csv"))?;
    let places = rows(&connection, "SELECT byte_offset, length(record) AS l FROM bad LIMIT 30")?;
    let places: Vec<Vec<usize>> = places
        .lines()
        .skip(1)
        .map(|line| line.split(',').map(|number| number.parse().unwrap()).collect())
        .collect();
    assert!(places[..30].is_sorted());
    assert!(places[..30].iter().all(|place| text[place[0]..].starts_with(b"\"x\"\"")));
    // Later loads append to it, whatever they load, and say how they got there.
    connection.execute(&format!("INSERT INTO t SELECT n FROM {read}"))?;
    let b = shown(&folder.path().join("b.csv"));
    connection.execute("CREATE TABLE u (n bigint, s text)")?;
    connection.execute(&format!("COPY u FROM '{b}' (FORMAT csv, REJECTS_TABLE bad)"))?;
    connection.execute(&format!(
        "COPY u FROM '{b}' (FORMAT csv, REJECTS_TABLE none, NULL_PADDING true)"
    ))?;
    let counts = "SELECT count(*) AS n, count(value) AS v FROM bad";
    assert_eq!(rows(&connection, counts)?, "n,v\n63,60\n");
    assert_eq!(rows(&connection, "SELECT count(*) AS n FROM none")?, "n\n0\n");
    assert_eq!(rows(&connection, "SELECT count(*) AS n FROM u")?, "n\n3\n");
    Ok(())
}

#[test]
fn rejected_json_is_in_a_table_also_when_the_types_of_a_sample_were_wrong() -> TestResult {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("x.jsonl");
    let mut text = String::new();
    for row in 0..30_000 {
        writeln!(text, "{{\"n\": {row}, \"m\": 1}}")?;
    }
    text.push_str("{\"n\": 1.5, \"m\": 1}\n{\"n\" 2}\n{\"n\": 3, \"m\": \"x\"}\n");
    fs::write(&path, &text)?;
    let connection = connection();
    connection.execute(&format!(
        "CREATE TABLE t AS FROM read_json('{}', types => {{'m': 'int'}}, rejects_table => 'bad')",
        shown(&path)
    ))?;
    assert_eq!(
        rows(&connection, "SELECT count(*) AS n, max(n) AS m FROM t")?,
        "n,m\n30001,29999\n"
    );
    assert_eq!(
        rows(&connection, "SELECT line, value, record FROM bad")?,
        "line,value,record\n30002,,\"{\"\"n\"\" 2}\"\n30003,x,\"{\"\"n\"\": 3, \"\"m\"\": \"\"x\"\"}\"\n"
    );
    Ok(())
}

#[test]
fn a_table_for_rejected_rows_is_checked_before_anything_is_loaded() -> TestResult {
    let folder = tempfile::tempdir()?;
    let files = files_with_bad_rows(folder.path())?;
    let connection = connection();
    connection.execute("CREATE TABLE other (file text, line bigint)")?;
    let read = |options: &str| format!("FROM read_csv({files}, {options})");
    let cases = [
        ("CREATE TABLE t AS SELECT *", "rejects_table => 'other'", "has other columns"),
        ("CREATE TABLE t AS SELECT *", "rejects_table => 'T'", "is the table that is loaded"),
        (
            "INSERT INTO other SELECT s, n",
            "rejects_table => 'Other'",
            "is the table that is loaded",
        ),
        ("CREATE TABLE t AS SELECT *", "rejects_table => ''", "the name of a table"),
        ("SELECT *", "rejects_table => 'bad'", "statements that load"),
        ("EXPLAIN SELECT *", "rejects_table => 'bad'", "statements that load"),
        (
            "CREATE TABLE t AS SELECT *",
            "rejects_table => 'bad', rejects_file => '/tmp/x'",
            "not to both",
        ),
        ("CREATE TABLE t AS SELECT *", "ignore_errors => true", "kept somewhere"),
        (
            "CREATE TABLE t AS SELECT *",
            "types => {'n': 'int'}, rejects_table => 'bad', reject_limit => 30",
            "more than 30 rows are bad; the next: ",
        ),
    ];
    for (statement, options, expected) in cases {
        let error = connection.execute(&format!("{statement} {}", read(options))).unwrap_err();
        assert!(error.message().contains(expected), "{statement} {options}: {error}");
    }
    let tables = connection.database().tables()?;
    assert_eq!(tables.iter().map(|table| &table.name).collect::<Vec<_>>(), ["other"]);
    // A statement is prepared without the database being touched.
    let sql = format!("CREATE TABLE t AS SELECT s {}", read("rejects_table => 'bad'"));
    let statement = connection.prepare(&sql)?;
    assert_eq!(connection.database().tables()?.len(), 1);
    statement.run(&[])?;
    assert_eq!(rows(&connection, "SELECT line FROM bad")?, "line\n3\n");
    Ok(())
}

#[test]
fn partitions_are_folders_and_come_back_as_columns() -> TestResult {
    let folder = tempfile::tempdir()?;
    let root = shown(&folder.path().join("out"));
    let connection = connection();
    connection.execute(
        "CREATE TABLE t AS SELECT * FROM (VALUES (1, 'a/b'), (2, NULL), (3, 'a/b'), (4, 'c d')) v(n, k)",
    )?;
    for format in ["csv", "json", "parquet", "arrow"] {
        let sql = format!("COPY t TO '{root}_{format}' (FORMAT {format}, PARTITION_BY (k))");
        connection.execute(&sql)?;
        assert!(connection.execute(&sql).is_err(), "files are there already");
        let file = format!("{root}_{format}/k=a%2Fb/data_0.{format}");
        assert_eq!(rows(&connection, &format!("SELECT n FROM '{file}'"))?, "n\n1\n3\n");
    }
    let sql = format!("SELECT n, k FROM '{root}_csv/*/*.csv' ORDER BY n");
    assert_eq!(rows(&connection, &sql)?, "n,k\n1,a/b\n2,\n3,a/b\n4,c d\n");
    let error = connection.execute(&format!("COPY t TO '{root}' (FORMAT csv, PARTITION_BY z)"));
    assert!(error.unwrap_err().message().contains("\"z\""));
    Ok(())
}

/// The files in a folder and its folders.
fn files_in(folder: &Path) -> std::io::Result<Vec<String>> {
    let (mut found, mut folders) = (Vec::new(), vec![folder.to_owned()]);
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(&next)? {
            let path = entry?.path();
            if path.is_dir() {
                folders.push(path);
            } else {
                found.push(path.strip_prefix(folder).unwrap().display().to_string());
            }
        }
    }
    found.sort();
    Ok(found)
}

#[test]
fn partitions_appear_together_or_not_at_all() -> TestResult {
    let folder = tempfile::tempdir()?;
    let (out, source) = (folder.path().join("out"), folder.path().join("x.csv"));
    let mut text = String::from("k,n\n");
    for row in 0..300_000 {
        writeln!(text, "{},{row}", row % 50)?;
    }
    fs::write(&source, &text)?;
    let connection = connection();
    connection.execute(&format!("CREATE TABLE t FROM '{}'", shown(&source)))?;
    let copy = |n: &str, options: &str| {
        let out = shown(&out);
        format!(
            "COPY (SELECT k, {n} AS n FROM t) TO '{out}' (FORMAT csv, PARTITION_BY k {options})"
        )
    };
    // What goes wrong in the middle leaves nothing,
    assert!(connection.execute(&copy("1 / (n - 200000)", "")).is_err());
    assert_eq!(files_in(folder.path())?, ["x.csv"]);
    // and so does who stops it.
    let handle = connection.statement_handle();
    let around = folder.path().to_owned();
    let canceller = std::thread::spawn(move || {
        while fs::read_dir(&around).unwrap().count() < 2 {
            std::thread::yield_now();
        }
        handle.cancel();
    });
    let stopped = connection.execute(&copy("n", ""));
    canceller.join().unwrap();
    assert_eq!(stopped.is_ok(), out.exists(), "{stopped:?}");
    assert!(files_in(folder.path())?.iter().all(|file| !file.contains("martlet")));
    if stopped.is_ok() {
        fs::remove_dir_all(&out)?;
    }
    connection.execute(&copy("n", ""))?;
    assert_eq!(files_in(&out)?.len(), 50);
    // Neither does it change what is there.
    for options in [", OVERWRITE", ", OVERWRITE_OR_IGNORE"] {
        assert!(connection.execute(&copy("1 / (n - 200000)", options)).is_err());
        assert_eq!(files_in(&out)?.len(), 50);
    }
    let sum = format!("SELECT sum(n) AS n FROM '{}/*/*.csv'", shown(&out));
    assert_eq!(rows(&connection, &sum)?, rows(&connection, "SELECT sum(n) AS n FROM t")?);
    Ok(())
}

#[test]
fn a_folder_with_files_is_replaced_or_extended_when_that_is_said() -> TestResult {
    let folder = tempfile::tempdir()?;
    let out = folder.path().join("out");
    let connection = connection();
    let copy = |values: &str, options: &str| {
        let (rows, out) = (format!("SELECT * FROM (VALUES {values}) v(k, n)"), shown(&out));
        connection
            .execute(&format!("COPY ({rows}) TO '{out}' (FORMAT csv, PARTITION_BY k {options})"))
    };
    let all = || {
        let sql = format!("SELECT * FROM '{}/*/*.csv' ORDER BY k", shown(&out));
        rows(&connection, &sql).map(|csv| csv.replace('\n', " "))
    };
    copy("(1, 1), (2, 2)", "")?;
    let error = copy("(3, 3)", ", OVERWRITE false").unwrap_err();
    assert!(error.message().contains("has files already"), "{error}");
    copy("(2, 20), (3, 3)", ", OVERWRITE_OR_IGNORE")?;
    assert_eq!(all()?, "n,k 1,1 20,2 3,3 ");
    // It is read before it is replaced.
    let source = format!("SELECT k + 1 AS k, n FROM '{}/*/*.csv'", shown(&out));
    connection.execute(&format!(
        "COPY ({source}) TO '{}' (FORMAT csv, PARTITION_BY k, OVERWRITE)",
        shown(&out)
    ))?;
    assert_eq!(all()?, "n,k 1,2 20,3 3,4 ");
    fs::write(out.join("notes.txt"), "mine")?;
    let error = copy("(1, 1)", ", OVERWRITE").unwrap_err();
    assert!(error.message().contains("notes.txt would be lost"), "{error}");
    copy("(4, 40)", ", OVERWRITE_OR_IGNORE")?;
    assert_eq!(all()?, "n,k 1,2 20,3 40,4 ");
    assert_eq!(fs::read_dir(folder.path())?.count(), 1);
    Ok(())
}

#[test]
fn comments_go_with_the_columns_into_files_and_back() -> TestResult {
    let folder = tempfile::tempdir()?;
    let connection = connection();
    connection.execute("CREATE TABLE source (a bigint, b text, c timestamp(0), d uuid)")?;
    connection.execute("COMMENT ON TABLE source IS 'all of them'")?;
    connection.execute("COMMENT ON COLUMN source.b IS 'what it is, in \"words\"'")?;
    connection.execute("COMMENT ON COLUMN source.c IS 'when'")?;
    connection.execute("COMMENT ON COLUMN source.d IS 'which'")?;
    connection.execute(
        "INSERT INTO source VALUES (1, 'x', '2026-01-02 03:04:05', 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11')",
    )?;
    for name in ["x.parquet", "x.arrow", "x.arrows"] {
        let path = shown(&folder.path().join(name));
        connection.execute(&format!("COPY source TO '{path}'"))?;
        connection.execute(&format!("CREATE OR REPLACE TABLE target FROM '{path}'"))?;
        let expected = rows(&connection, "DESCRIBE source")?;
        assert_eq!(rows(&connection, "DESCRIBE target")?, expected, "{name}");
        // Through a query, a column keeps what is said of it unless it becomes another.
        let sql =
            format!("COPY (SELECT c, b AS e, a + 1 AS f FROM source WHERE a > 0) TO '{path}'");
        connection.execute(&sql)?;
        let sql = format!("CREATE OR REPLACE TABLE target AS SELECT e, f, c FROM '{path}'");
        connection.execute(&sql)?;
        assert_eq!(
            rows(&connection, "DESCRIBE target")?,
            "column_name,column_type,null,comment\ne,text,YES,\"what it is, in \"\"words\"\"\"\n\
             f,bigint,YES,\nc,timestamp(0),YES,when\n",
            "{name}"
        );
    }
    Ok(())
}

#[test]
fn a_table_casts_the_values_of_files_as_a_query_does() -> TestResult {
    let folder = tempfile::tempdir()?;
    let connection = connection();
    connection.execute(
        "CREATE TABLE source AS SELECT * FROM (VALUES
            (CAST(2.5 AS double), CAST(1.9 AS decimal(9, 1)), CAST('1969-12-31 23:59:59.9999995' AS timestamp(9))),
            (-3.5, -0.5, '2026-01-02 03:04:05.000000501'), (0.9, 1000000.0, NULL)) t(f, d, t)",
    )?;
    for name in ["x.parquet", "x.arrow"] {
        let path = shown(&folder.path().join(name));
        connection.execute(&format!("COPY source TO '{path}'"))?;
        let define = "CREATE OR REPLACE TABLE target (t timestamp, d integer, f integer)";
        for load in [
            format!("INSERT INTO target SELECT t, d, f FROM '{path}'"),
            format!("INSERT INTO target FROM '{path}'"),
            format!("COPY target FROM '{path}'"),
        ] {
            connection.execute(&format!("{define}; {load}"))?;
            assert_eq!(
                rows(&connection, "FROM target")?,
                "t,d,f\n1969-12-31 23:59:59.999999,2,2\n2026-01-02 03:04:05.000001,-1,-4\n,1000000,1\n",
                "{load}"
            );
        }
        connection.execute("CREATE OR REPLACE TABLE narrow (d decimal(3, 2))")?;
        let error = connection.execute(&format!("INSERT INTO narrow SELECT d FROM '{path}'"));
        let message = error.unwrap_err().message().to_owned();
        connection.execute(&format!("COPY (SELECT d FROM source) TO '{path}'"))?;
        let error = connection.execute(&format!("INSERT INTO narrow FROM '{path}'")).unwrap_err();
        assert_eq!(error.message(), message, "{name}");
    }
    Ok(())
}

#[test]
fn folders_may_be_many() -> TestResult {
    let folder = tempfile::tempdir()?;
    let mut text = String::from("k,i\n");
    for row in 0..5_000 {
        writeln!(text, "{},{row}", row % 1_300)?;
    }
    fs::write(folder.path().join("x.csv"), &text)?;
    let source = shown(&folder.path().join("x.csv"));
    let (connection, path) = (connection(), shown(&folder.path().join("many")));
    connection.execute(&format!(
        "COPY (SELECT * FROM '{source}') TO '{path}' (FORMAT csv, PARTITION_BY (k))"
    ))?;
    assert_eq!(fs::read_dir(folder.path().join("many"))?.count(), 1_300);
    let sums =
        |files: &str| format!("SELECT count(*) AS n, sum(i) AS s, sum(k) AS k FROM '{files}'");
    let (read, direct) = (sums(&format!("{path}/*/*.csv")), sums(&source));
    assert_eq!(rows(&connection, &read)?, rows(&connection, &direct)?);
    Ok(())
}

#[test]
fn dates_are_found_by_a_pattern() -> TestResult {
    let folder = tempfile::tempdir()?;
    let (connection, path) = (connection(), folder.path().join("x.csv"));
    fs::write(&path, "n,d\n1,20260102\n2,20251231\n3,\n")?;
    let path = shown(&path);
    let read = format!("FROM read_csv('{path}', dateformat => '%Y%m%d')");
    assert_eq!(
        rows(&connection, &format!("SELECT * {read}"))?,
        "n,d\n1,2026-01-02\n2,2025-12-31\n3,\n"
    );
    let types = rows(&connection, &format!("SELECT sum(n) AS n, max(d) AS d {read}"))?;
    assert_eq!(types, "n,d\n6,2026-01-02\n");
    Ok(())
}

#[test]
fn an_array_without_its_end_is_no_table() -> TestResult {
    let folder = tempfile::tempdir()?;
    let (connection, path) = (connection(), folder.path().join("x.json"));
    let mut text = String::from("[");
    for row in 0..200_000 {
        writeln!(text, "{{\"a\":{row},\"b\":\"of row {row}\"}},")?;
    }
    fs::write(&path, &text)?;
    let file = shown(&path);
    for sql in [
        format!("CREATE TABLE t FROM '{file}'"),
        format!("SELECT sum(a) FROM '{file}'"),
        format!("SELECT count(*) FROM '{file}'"),
    ] {
        let error = rows(&connection, &sql).unwrap_err();
        let expected = "line 200001: the file ends inside the array: the closing ']' is missing";
        assert!(error.to_string().contains(expected), "{sql}: {error}");
    }
    // Who reads the beginning alone does not see the end.
    assert_eq!(rows(&connection, &format!("SELECT a FROM '{file}' LIMIT 2"))?, "a\n0\n1\n");
    for text in ["[", "[{\"a\":1},", "[{\"a\":1}", "[[1],[2]"] {
        fs::write(&path, text)?;
        let sql = format!("FROM '{}'", shown(&path));
        let error = rows(&connection, &sql).unwrap_err();
        assert!(error.to_string().contains("line 1: the file ends inside the array"), "{error}");
    }
    Ok(())
}

#[test]
fn a_function_behind_from_fills_a_new_table() -> TestResult {
    let folder = tempfile::tempdir()?;
    let (connection, path) = (connection(), folder.path().join("x.csv"));
    fs::write(&path, "a;b\n1;2\n# c;d\n3;4\n")?;
    let path = shown(&path);
    connection.execute(&format!("CREATE TABLE t FROM read_csv('{path}')"))?;
    connection.execute(&format!("CREATE TABLE u AS FROM read_csv('{path}')"))?;
    assert_eq!(rows(&connection, "FROM t")?, "a,b\n1,2\n3,4\n");
    assert_eq!(rows(&connection, "FROM u")?, "a,b\n1,2\n3,4\n");
    Ok(())
}
