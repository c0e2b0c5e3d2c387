//! Options of files: types that are given, marks between digits, and what is left out or refused.
#![expect(
    clippy::tests_outside_test_module,
    clippy::unwrap_used,
    reason = "an integration test is one"
)]

mod csv_rows;

use std::error::Error;
use std::fs;
use std::path::Path;

use martlet::Connection;
use tempfile::TempDir;

use self::csv_rows::{TestResult, connection};

/// The rows of a query as CSV without its header.
fn rows(connection: &Connection, sql: &str) -> martlet::Result<String> {
    let text = csv_rows::rows(connection, sql)?;
    Ok(text.split_once('\n').map_or(String::new(), |(_, rows)| rows.to_owned()))
}

fn shown(path: &Path) -> String {
    path.to_str().unwrap().replace('\'', "''")
}

/// A file with `text`, and the folder that it is in.
fn file(text: impl AsRef<[u8]>) -> Result<(TempDir, String), std::io::Error> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("a.csv");
    fs::write(&path, text)?;
    let path = shown(&path);
    Ok((folder, path))
}

/// The rows of `read_csv` with these options over a file with `text`.
fn read(text: &str, options: &str) -> Result<String, Box<dyn Error>> {
    let (_folder, path) = file(text)?;
    Ok(rows(&connection(), &format!("FROM read_csv('{path}', {options})"))?)
}

/// Its message.
fn refused(text: &str, options: &str) -> Result<String, Box<dyn Error>> {
    let (_folder, path) = file(text)?;
    let sql = format!("FROM read_csv('{path}', {options})");
    let error = rows(&connection(), &sql).err().ok_or_else(|| format!("{sql} is read"))?;
    Ok(format!("{} {}", error.message(), error.hint().unwrap_or_default()))
}

#[test]
fn marks_between_thousands_are_left_out_of_numbers() -> TestResult {
    let text = "v,w\n\"1,234\",x\n\"12,345,678.5\",y\n5,\"1,2\"\n";
    let expected = "1234,x\n12345678.5,y\n5,\"1,2\"\n";
    assert_eq!(read(text, "thousands => ','")?, expected);
    let told = read(text, "thousands => ',', types => {'v': 'decimal(10,1)'}")?;
    assert_eq!(told, "1234.0,x\n12345678.5,y\n5.0,\"1,2\"\n");
    let comma = "v;d\n1.234,5;31.01.2024\n7;01.02.2024\n";
    assert_eq!(read(comma, "thousands => '.'")?, "1234.5,2024-01-31\n7,2024-02-01\n");
    assert_eq!(read("v\n\"1,234\"\n\"5,678\"\n", "thousands => ','")?, "1234\n5678\n");
    assert_eq!(read("\"1,234\";2\n\"5,678\";3\n", "thousands => ','")?, "1234,2\n5678,3\n");
    let both = refused(text, "thousands => ',', decimal_separator => ','")?;
    assert!(both.contains("the same"), "{both}");
    assert!(refused(text, "thousands => '1'")?.contains("no part"), "a digit is no mark");
    Ok(())
}

#[test]
fn values_of_a_type_that_is_given_are_read_as_they_would_be_without() -> TestResult {
    for (text, data_type, expected) in [
        ("v\n31/01/2024\n01/02/2024\n", "date", "2024-01-31\n2024-02-01\n"),
        ("v\n01/31/2024\n02/01/2024\n", "date", "2024-01-31\n2024-02-01\n"),
        ("v\n31.01.2024\n", "timestamp", "2024-01-31 00:00:00\n"),
        ("v\n31.01.2024 12:30\n", "timestamp", "2024-01-31 12:30:00\n"),
        ("v;w\n1,25;\n2,5;\n", "decimal(5,2)", "1.25,\n2.50,\n"),
        ("v;w\n1,25;\n2;\n", "real", "1.25,\n2,\n"),
        ("v\n1.0\n1e5\n0xff\n-3\n", "integer", "1\n100000\n255\n-3\n"),
    ] {
        let found = read(text, &format!("types => {{'v': '{data_type}'}}"))?;
        assert_eq!(found, expected, "{text} as {data_type}");
    }
    let wrong = refused("v\n1.5\n", "types => {'v': 'integer'}")?;
    assert!(wrong.contains("\"1.5\" is no integer"), "{wrong}");
    let wrong = refused("v\n31/01/2024\n01/31/2024\n", "types => {'v': 'date'}")?;
    assert!(wrong.contains("is no date"), "{wrong}");
    Ok(())
}

#[test]
fn columns_of_parquet_and_arrow_files_are_cast() -> TestResult {
    let folder = tempfile::tempdir()?;
    let connection = connection();
    for (format, function) in [("parquet", "read_parquet"), ("arrow", "read_arrow")] {
        let path = shown(&folder.path().join(format!("a.{format}")));
        let query = "SELECT 7 AS n, '2024-01-31' AS d, 1.5 AS f";
        connection.execute(&format!("COPY ({query}) TO '{path}'"))?;
        let read = |options: &str, rest: &str| {
            rows(&connection, &format!("{rest} {function}('{path}', {options})"))
        };
        let types = "types => {'d': 'date', 'N': 'text'}";
        assert_eq!(read(types, "SELECT n || '!', d + 1 FROM")?, "7!,2024-02-01\n");
        assert_eq!(read("types => ['double', 'date']", "DESCRIBE FROM")?.lines().count(), 3);
        assert!(read(types, "DESCRIBE FROM")?.starts_with("n,text,"), "{format}");
        let count = format!("SELECT count(*) FROM {function}('{path}', {types}) WHERE n = '7'");
        assert_eq!(rows(&connection, &count)?, "1\n");
        let error = read("types => {'x': 'text'}", "FROM").unwrap_err();
        assert!(error.message().contains("no column \"x\""), "{error}");
        assert!(read("types => {'d': 'integer'}", "FROM").is_err());
        connection.execute(&format!("CREATE TABLE {format}_t (n text, d date, f real)"))?;
        let insert = format!("INSERT INTO {format}_t FROM {function}('{path}', {types})");
        connection.execute(&insert)?;
        assert_eq!(rows(&connection, &format!("FROM {format}_t"))?, "7,2024-01-31,1.5\n");
        let copy =
            format!("COPY {format}_t FROM '{path}' (FORMAT {format}, TYPES {{'n': 'text'}})");
        let error = connection.execute(&copy).unwrap_err();
        assert!(error.message().contains("types"), "{error}");
    }
    Ok(())
}

#[test]
fn text_and_numbers_of_parquet_files_are_one_column_where_files_may_differ() -> TestResult {
    let folder = tempfile::tempdir()?;
    let connection = connection();
    let path = |name: &str| shown(&folder.path().join(name));
    for (name, value) in [("a", "1.5"), ("b", "'x'"), ("c", "DATE '2024-01-31'")] {
        let path = path(&format!("{name}.parquet"));
        connection.execute(&format!("COPY (SELECT {value} AS v) TO '{path}'"))?;
    }
    let all = path("*.parquet");
    let sql = format!("FROM read_parquet('{all}', union_by_name => true)");
    assert_eq!(rows(&connection, &sql)?, "1.5\nx\n2024-01-31\n");
    let error = rows(&connection, &format!("FROM '{all}'")).unwrap_err();
    assert!(error.hint().is_some_and(|hint| hint.contains("union_by_name")), "{error}");
    Ok(())
}

#[test]
fn rows_left_out_are_counted() -> TestResult {
    let mut text = "a,b\n".to_owned();
    text.push_str(&"1,2\n".repeat(30_000));
    text.push_str("x,2\n3\n1,y\n");
    let (folder, path) = file(text)?;
    let connection = connection();
    let handle = connection.statement_handle();
    let rejects = shown(&folder.path().join("bad.csv"));
    let options = format!("types => {{'a': 'int'}}, rejects_file => '{rejects}'");
    // A value beyond the sample makes the statement start over.
    let sql = format!("CREATE TABLE t AS FROM read_csv('{path}', {options})");
    assert_eq!(connection.execute(&sql)?, 30_001);
    assert_eq!(handle.work().rejected, 2);
    connection.execute("SELECT 1")?;
    assert_eq!(handle.work().rejected, 0);
    Ok(())
}

#[test]
fn more_columns_than_a_table_may_have_are_refused() -> TestResult {
    let connection = connection();
    let names: Vec<String> = (0..100_001).map(|index| format!("c{index}")).collect();
    let keys: Vec<String> = names.iter().map(|name| format!("\"{name}\":1")).collect();
    let texts = [(names.join(","), "read_csv"), (format!("{{{}}}", keys.join(",")), "read_json")];
    for (text, function) in texts {
        let (_folder, path) = file(text)?;
        let error = rows(&connection, &format!("FROM {function}('{path}')")).unwrap_err();
        assert!(error.message().contains("more than 100,000"), "{error}");
    }
    Ok(())
}

#[test]
fn names_that_are_not_utf_8_are_refused() -> TestResult {
    let (_folder, path) = file(b"Geb\xfchr,b\n1,2\n")?;
    let connection = connection();
    let error = rows(&connection, &format!("FROM '{path}'")).unwrap_err();
    assert!(error.message().contains("names of its columns"), "{error}");
    let sql = format!("SELECT \"Gebühr\" FROM read_csv('{path}', encoding => 'latin-1')");
    assert_eq!(rows(&connection, &sql)?, "1\n");
    Ok(())
}

#[test]
fn zeros_that_fill_up_values_are_text_and_other_zeros_are_not() -> TestResult {
    let connection = connection();
    let count = |bytes: &[u8]| -> Result<_, Box<dyn Error>> {
        let (_folder, path) = file(bytes)?;
        Ok(rows(&connection, &format!("SELECT count(*), max(length(b)) FROM '{path}'")))
    };
    assert_eq!(count(b"a,b\n1,xy\0\0\n22222,z\0\0\0\n33333,zzzz\n")??, "3,4\n");
    for binary in [&b"a\0,\0b\0\n\0"[..], b"a,b\n1,xxxxxxxxxxxxxxxxxxx\0\xff\n", b"\0\0\0"] {
        let error = count(binary)?.unwrap_err();
        assert!(error.message().contains("no text"), "{error}");
    }
    Ok(())
}

#[test]
fn delimiters_of_several_bytes_are_told() -> TestResult {
    let read_bars = |text| read(text, "delim => '||'");
    assert_eq!(
        read_bars("a||b||c\n1||x|y||2.5\n2||\"q||\nr\"||3\n")?,
        "1,x|y,2.5\n2,\"q||\nr\",3\n"
    );
    assert_eq!(read("a<=>|b\n1<=>|x\n", "sep => '<=>|'")?, "1,x\n");
    assert_eq!(read("a§b\n1§x\n", "delim => '§'")?, "1,x\n");
    assert_eq!(
        read("1||2\n|||\n", "delim => '||', header => false, all_varchar => true")?,
        "1,2\n,|\n"
    );
    for wrong in ["'12345'", "''", "'€€'"] {
        assert!(read("a||b\n1||2\n", &format!("delim => {wrong}")).is_err(), "{wrong}");
    }
    assert!(read("a||b\n1||2\n", "delim => '||', quote => '|'").is_err());
    Ok(())
}

#[test]
fn json_lines_end_in_any_way() -> TestResult {
    let folder = tempfile::tempdir()?;
    for (name, text) in [
        ("cr.ndjson", "{\"a\":1}\r{\"a\":2}\r"),
        ("crlf.jsonl", "{\"a\":1}\r\n{\"a\":2}\r\n"),
        ("mixed.ndjson", "{\"a\":1}\r{\"a\":2}\n"),
    ] {
        let path = folder.path().join(name);
        fs::write(&path, text)?;
        let sql = format!("FROM '{}'", shown(&path));
        assert_eq!(rows(&connection(), &sql)?, "1\n2\n", "{name}");
    }
    Ok(())
}

#[test]
fn a_first_line_for_excel_names_the_delimiter() -> TestResult {
    for (text, expected) in [
        ("sep=;\r\na;b\r\n1;2\r\n", "1,2\n"),
        ("sep=\t\na\tb\n1\t2\n", "1,2\n"),
        ("sep=|\nx|1\ny|2\n", "x,1\ny,2\n"),
    ] {
        assert_eq!(read(text, "filename => false")?, expected, "{text:?}");
    }
    assert_eq!(read("sep=;\na;b\n1;2\n", "delim => ';'")?, "1,2\n");
    assert_eq!(read("sep=;\n5;6\n", "header => false, skip => 0")?, "sep=,\n5,6\n");
    Ok(())
}
