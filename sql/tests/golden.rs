//! Golden texts: plans as `EXPLAIN` prints them with what they give, errors as a person reads them.
//!
//! A file is a list of statements, each line behind `> `, each followed by what it gives. To accept
//! new texts, run with `MARTLET_ACCEPT=1` and read the difference.
#![expect(clippy::tests_outside_test_module, reason = "an integration test is one")]

use std::error::Error;
use std::fs;
use std::path::Path;

use martlet::output::CsvWriter;
use martlet::{Connection, Database, Options, Value};

/// Of wider results the columns are counted.
const COLUMNS_SHOWN_MAX: usize = 12;

type TestResult = Result<(), Box<dyn Error>>;

fn connection() -> martlet::Result<Connection> {
    let options = Options::default().with_worker_count(2);
    let connection = Database::open_in_memory_with(options)?.connect();
    connection.execute(
        "CREATE TABLE orders (id bigint, day date, placed timestamp, region text, product text,
             quantity smallint, price decimal(10,2), weight double, express boolean)",
    )?;
    connection.execute(
        "INSERT INTO orders VALUES
         (1, '2025-12-30', '2025-12-30 09:15:00', 'north', 'green tea', 3, 4.50, 0.25, true),
         (2, '2025-12-31', '2025-12-31 23:59:59.5', 'south', 'coffee', 1, 12.00, 1.0, false),
         (3, '2026-01-01', '2026-01-01 00:00:00', 'north', 'teapot', 1, 39.90, 1.35, true),
         (4, '2026-01-01', '2026-01-01 10:30:00', 'öst', 'green tea', 12, 4.25, 1.0, true),
         (5, '2026-01-02', '2026-01-02 08:00:00', NULL, 'cup', 6, 7.00, NULL, false),
         (6, '2026-01-02', '2026-01-02 18:45:10', 'south', 'white tea', 2, 9.99, 0.1, NULL),
         (7, '2026-01-05', NULL, 'south', NULL, NULL, 0.00, 0.0, false),
         (8, '2026-02-01', '2026-02-01 12:00:00', 'north', 'coffee', 4, 11.50, 4.0, true),
         (9, '2026-02-03', '2026-02-03 07:20:00', 'west', '', -1, 12.00, 'NaN', true),
         (10, NULL, '2026-02-03 07:20:00', 'west', 'teapot', 1, 39.90, 1e16, false)",
    )?;
    let measures: Vec<String> = (0..4_001).map(|i| format!("measure_{i:04} double")).collect();
    connection.execute(&format!("CREATE TABLE wide ({})", measures.join(", ")))?;
    Ok(connection)
}

/// (statement, answer) by file order.
fn entries(text: &str) -> Vec<(String, String)> {
    let mut entries: Vec<(String, String)> = Vec::new();
    let mut in_statement = false;
    for line in text.lines() {
        match line.strip_prefix("> ") {
            Some(sql) if in_statement => {
                let last = entries.last_mut().expect("a statement was begun");
                last.0 = format!("{}\n{sql}", last.0);
            }
            Some(sql) => {
                entries.push((sql.to_owned(), String::new()));
                in_statement = true;
            }
            None => {
                in_statement = false;
                if let Some(last) = entries.last_mut() {
                    last.1 += line;
                    last.1.push('\n');
                }
            }
        }
    }
    entries
}

fn check(name: &str, answer: impl Fn(&str) -> String) -> TestResult {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name);
    let text = fs::read_to_string(&path)?;
    let mut fresh = String::new();
    for (sql, _) in entries(&text) {
        for line in sql.lines() {
            fresh += "> ";
            fresh += line;
            fresh.push('\n');
        }
        fresh += answer(&sql).trim_end();
        fresh += "\n\n";
    }
    let fresh = format!("{}\n", fresh.trim_end());
    if std::env::var_os("MARTLET_ACCEPT").is_some() {
        fs::write(&path, &fresh)?;
    }
    for (expected, found) in entries(&text).iter().zip(entries(&fresh)) {
        assert_eq!(expected.1.trim_end(), found.1.trim_end(), "\n{}", found.0);
    }
    Ok(())
}

fn lines(connection: &Connection, sql: &str) -> martlet::Result<String> {
    let mut text = String::new();
    for batch in connection.query(sql)? {
        let batch = batch?;
        for row in 0..batch.num_rows() {
            if let Value::Text(line) =
                Value::from_array(batch.column(0), martlet::DataType::Utf8, row)
            {
                text += &line;
                text.push('\n');
            }
        }
    }
    Ok(text)
}

/// The plan, a line of dashes, and the rows as CSV.
fn plan_and_rows(connection: &Connection, sql: &str) -> Result<String, Box<dyn Error>> {
    let plan = lines(connection, &format!("EXPLAIN {sql}"))?;
    let rows = connection.query(sql)?;
    let schema = rows.schema();
    if schema.fields().len() > COLUMNS_SHOWN_MAX {
        return Ok(format!("{plan}---\n{} columns\n", schema.fields().len()));
    }
    let mut csv = CsvWriter::new(Vec::new(), &schema)?;
    for batch in rows {
        csv.write(&batch?)?;
    }
    Ok(format!("{plan}---\n{}", String::from_utf8(csv.into_inner())?))
}

#[test]
fn plans_and_answers_are_as_they_were_read_and_accepted() -> TestResult {
    let connection = connection()?;
    check("select.plan", |sql| match plan_and_rows(&connection, sql) {
        Ok(text) => text,
        Err(error) => format!("{error}\n"),
    })
}

#[test]
fn errors_are_as_they_were_read_and_accepted() -> TestResult {
    let connection = connection()?;
    check("errors.txt", |sql| match connection.execute(sql) {
        Ok(_) => "no error\n".to_owned(),
        Err(error) => martlet::render_error(sql, &error),
    })
}

/// A table of four columns, or of so many more.
fn sales(more: usize) -> martlet::Result<Connection> {
    let connection =
        Database::open_in_memory_with(Options::default().with_worker_count(2))?.connect();
    let columns = ["id bigint", "region text", "price decimal(10,2)", "day date"];
    let columns = columns.into_iter().map(str::to_owned);
    let columns: Vec<String> =
        columns.chain((0..more).map(|i| format!("measure_{i:04} double"))).collect();
    connection.execute(&format!("CREATE TABLE sales ({})", columns.join(", ")))?;
    connection
        .execute("INSERT INTO sales (id, region, price, day) VALUES (1, 'north', 2, NULL)")?;
    Ok(connection)
}

fn mistake(connection: &Connection, sql: &str) -> String {
    match connection.execute(sql) {
        Ok(_) => "no error\n".to_owned(),
        Err(error) => martlet::render_error(sql, &error),
    }
}

#[test]
fn typical_mistakes_are_explained_at_4_and_at_4_001_columns() -> TestResult {
    let (narrow, wide) = (sales(0)?, sales(3_997)?);
    check("mistakes.txt", |sql| {
        let (narrow, wide) = (mistake(&narrow, sql), mistake(&wide, sql));
        if narrow == wide { narrow } else { format!("{narrow}--- of 4,001 columns:\n{wide}") }
    })
}

#[test]
fn no_error_takes_more_than_eight_lines_and_almost_all_have_a_caret() -> TestResult {
    for name in ["errors.txt", "mistakes.txt"] {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name);
        let entries = entries(&fs::read_to_string(path)?);
        let errors: Vec<&str> = entries
            .iter()
            .flat_map(|(_, answer)| answer.split("--- of 4,001 columns:\n"))
            .collect();
        for error in &errors {
            assert!(error.trim_end().lines().count() <= 8, "{error}");
            assert!(error.starts_with("error["), "{error}");
            let suggestions = error.lines().find_map(|line| line.strip_prefix("did you mean: "));
            assert!(suggestions.is_none_or(|names| names.split(", ").count() <= 3), "{error}");
            assert!(error.lines().all(|line| line.chars().count() <= 160), "{error}");
        }
        let with_caret = errors.iter().filter(|error| error.contains("  |")).count();
        assert!(with_caret * 20 >= errors.len() * 19, "{with_caret} of {}", errors.len());
    }
    Ok(())
}
