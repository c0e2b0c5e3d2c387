//! Runs the files of `tests/slt`: SQL with its answers.
//!
//! A block is `ok`, `query` or `error SQLSTATE`, then one statement, then for a query `----` and its
//! rows: values separated by tabs, NULL as `NULL`, the empty text as `(empty)`. Every file runs over
//! several sizes of pages, batches and pools: the answers are the same.
#![expect(clippy::tests_outside_test_module, reason = "an integration test is one")]

use std::error::Error;
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

use martlet::arrow::array::ArrayRef;
use martlet::{Connection, DataType, Database, Options, StorageOptions, Value};

type TestResult = Result<(), Box<dyn Error>>;

/// One block of a file.
struct Block {
    line: usize,
    kind: String,
    sql: String,
    expected: Vec<String>,
}

fn blocks(text: &str) -> Vec<Block> {
    let lines: Vec<&str> = text.lines().collect();
    let mut blocks = Vec::new();
    let mut at = 0;
    while at < lines.len() {
        if lines[at].is_empty() || lines[at].starts_with('#') {
            at += 1;
            continue;
        }
        let end = (at..lines.len()).find(|i| lines[*i].is_empty()).unwrap_or(lines.len());
        let body = &lines[at + 1..end];
        let rule = body.iter().position(|line| *line == "----");
        let sql = body[..rule.unwrap_or(body.len())].join("\n");
        let expected = rule.map_or(Vec::new(), |rule| {
            body[rule + 1..].iter().map(|line| (*line).to_owned()).collect()
        });
        blocks.push(Block { line: at + 1, kind: lines[at].to_owned(), sql, expected });
        at = end;
    }
    blocks
}

fn rows(connection: &Connection, sql: &str) -> martlet::Result<Vec<String>> {
    let result = connection.query(sql)?;
    let schema = result.schema();
    let types: Vec<DataType> = schema
        .fields()
        .iter()
        .map(|field| DataType::from_arrow(field.data_type()))
        .collect::<martlet::Result<_>>()?;
    let mut rows = Vec::new();
    for batch in result {
        let batch = batch?;
        for row in 0..batch.num_rows() {
            let cells: Vec<String> = types
                .iter()
                .enumerate()
                .map(|(column, data_type)| cell(batch.column(column), *data_type, row))
                .collect();
            rows.push(cells.join("\t"));
        }
    }
    Ok(rows)
}

fn cell(array: &ArrayRef, data_type: DataType, row: usize) -> String {
    match Value::from_array(array, data_type, row) {
        Value::Null => "NULL".to_owned(),
        value => match value.to_text(data_type) {
            text if text.is_empty() => "(empty)".to_owned(),
            text => text,
        },
    }
}

/// What is wrong with a block, if anything.
fn check(connection: &Connection, block: &Block) -> Option<String> {
    match block.kind.split_once(' ') {
        None if block.kind == "ok" => match connection.execute(&block.sql) {
            Ok(_) => None,
            Err(error) => Some(martlet::render_error(&block.sql, &error)),
        },
        None if block.kind == "query" => match rows(connection, &block.sql) {
            Ok(found) if found == block.expected => None,
            Ok(found) => Some(format!(
                "found:\n{}\nexpected:\n{}\n",
                found.join("\n"),
                block.expected.join("\n")
            )),
            Err(error) => Some(martlet::render_error(&block.sql, &error)),
        },
        Some(("error", code)) => match connection.execute(&block.sql) {
            Ok(_) => Some(format!("no error, but {code} was expected\n")),
            Err(error) if error.kind().sqlstate() == code => None,
            Err(error) => Some(martlet::render_error(&block.sql, &error)),
        },
        _ => Some(format!("unknown kind of block: {}\n", block.kind)),
    }
}

fn run(path: &Path, options: &Options) -> Result<String, Box<dyn Error>> {
    let connection = Database::open_in_memory_with(options.clone())?.connect();
    let mut failures = String::new();
    for block in blocks(&fs::read_to_string(path)?) {
        if let Some(failure) = check(&connection, &block) {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            writeln!(failures, "{name}:{}: {}\n{failure}", block.line, block.sql)?;
        }
    }
    Ok(failures)
}

fn run_all(options: &Options) -> TestResult {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/slt");
    let mut files: Vec<PathBuf> =
        fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect::<std::io::Result<_>>()?;
    files.sort();
    let mut failures = String::new();
    for file in files {
        failures += &run(&file, options)?;
    }
    assert!(failures.is_empty(), "{failures}");
    Ok(())
}

#[test]
fn answers_are_right_with_the_default_options() -> TestResult {
    run_all(&Options::default())
}

#[test]
fn answers_are_right_with_one_worker_and_batches_of_one_row() -> TestResult {
    let mut options = Options::default().with_worker_count(1);
    options.batch_len = 1;
    run_all(&options)
}

#[test]
fn answers_are_right_over_tiny_row_groups_and_eight_workers() -> TestResult {
    let mut options = Options::default().with_worker_count(8);
    options.batch_len = 3;
    options.storage = StorageOptions { row_group_len: 4, page_len: 2 };
    run_all(&options)
}
