//! The files of `tests/slt`: SQL with its answers.
//!
//! A block is `ok`, `query` or `error SQLSTATE`, then one statement, then for a query `----` and its
//! rows: values separated by tabs, NULL as `NULL`, the empty text as `(empty)`.

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};

use martlet::Connection;
use martlet::plan::{LogicalPlan, Source};

use crate::answer::{self, Answer};
use crate::compare::verdict;
use crate::configuration::{Configuration, Instance};
use crate::plan::Model;

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

/// What is wrong with a block, if anything.
fn check(instance: &mut Instance, block: &Block) -> Option<String> {
    let found = match block.kind.as_str() {
        "query" => instance.answer(&block.sql).map(|answer| Some(answer.shown())),
        _ => instance.execute(&block.sql).map(|()| None),
    };
    match (block.kind.split_once(' '), found) {
        (None, Ok(None)) => None,
        (None, Ok(Some(rows))) if rows == block.expected => None,
        (None, Ok(Some(rows))) => {
            let (found, expected) = (rows.join("\n"), block.expected.join("\n"));
            Some(format!("found:\n{found}\nexpected:\n{expected}\n"))
        }
        (Some(("error", code)), Err(error)) if error.kind().sqlstate() == code => None,
        (Some(("error", code)), Ok(_)) => Some(format!("no error, but {code} was expected\n")),
        (_, Err(error)) => Some(martlet::render_error(&block.sql, &error)),
        (Some(_), Ok(_)) => Some(format!("unknown kind of block: {}\n", block.kind)),
    }
}

/// What the model says of a query that the engine was asked; nothing of a statement.
fn check_model(connection: &Connection, zone: &str, sql: &str) -> Option<String> {
    let plan = connection.logical_plan(sql).ok()?;
    // How text is read is no affair of the plan, and what options said of it is not in SQL any more.
    if reads_text(&plan) {
        return None;
    }
    let mut model = Model::new(zone);
    let answer: martlet::Result<Answer> = answer::ask(connection, sql);
    let expected = model.read_tables(connection, &plan).and_then(|()| model.run(&plan));
    verdict(&expected, &model.raised(), &answer).map(|wrong| format!("{wrong}\n{plan}\n"))
}

fn reads_text(plan: &LogicalPlan) -> bool {
    match plan {
        LogicalPlan::Scan(scan) => matches!(scan.source, Source::Files(_)),
        other => other.input().is_some_and(reads_text),
    }
}

/// The zone that a statement sets.
fn zone_set_by(sql: &str) -> Option<String> {
    let lower = sql.to_ascii_lowercase();
    let at = lower.rfind("zone").filter(|_| lower.starts_with("set"))?;
    sql[at..].split('\'').nth(1).map(str::to_owned)
}

fn files() -> Result<Vec<PathBuf>, Box<dyn Error>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/slt");
    let mut files: Vec<PathBuf> =
        fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect::<std::io::Result<_>>()?;
    files.sort();
    Ok(files)
}

fn place(path: &Path, block: &Block) -> String {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    format!("{name}:{}: {}\n", block.line, block.sql)
}

/// Runs every file in one configuration; gives what went wrong.
pub(crate) fn failures(configuration: &Configuration) -> Result<String, Box<dyn Error>> {
    let mut failures = String::new();
    for path in files()? {
        let mut instance = Instance::open(configuration)?;
        for block in blocks(&fs::read_to_string(&path)?) {
            if let Some(failure) = check(&mut instance, &block) {
                failures += &place(&path, &block);
                failures += &failure;
            }
        }
    }
    Ok(failures)
}

/// Runs every query of every file through the model; gives what went wrong, and how many were run.
pub(crate) fn model_failures() -> Result<(String, usize), Box<dyn Error>> {
    let mut failures = String::new();
    let mut query_count = 0;
    for path in files()? {
        let connection = martlet::Database::open_in_memory()?.connect();
        let mut zone = "UTC".to_owned();
        for block in blocks(&fs::read_to_string(&path)?) {
            if connection.logical_plan(&block.sql).is_ok() {
                query_count += 1;
                if let Some(failure) = check_model(&connection, &zone, &block.sql) {
                    failures += &place(&path, &block);
                    failures += &failure;
                }
            } else if connection.execute(&block.sql).is_ok()
                && let Some(set) = zone_set_by(&block.sql)
            {
                zone = set;
            }
        }
    }
    Ok((failures, query_count))
}
