//! `martlet-bench run`: a file of queries over a database, timed, with their answers.

use std::fs::{self, File};
use std::io::BufWriter;
use std::path::{Path, PathBuf};
use std::time::Instant;

use martlet::arrow::datatypes::SchemaRef;
use martlet::arrow::record_batch::RecordBatch;
use martlet::output::CsvWriter;
use martlet::{Connection, Database, Options};
use serde::Serialize;

use crate::{Result, context, host, load};

/// What to run.
#[derive(Clone, Debug)]
pub(crate) struct RunOptions {
    pub(crate) database: PathBuf,
    /// One query a line.
    pub(crate) queries: PathBuf,
    pub(crate) run_count: usize,
    /// Where each query's answer goes.
    pub(crate) results: Option<PathBuf>,
    pub(crate) engine: Options,
}

/// The figures of one database and one file of queries, as the peers' runners write them.
#[derive(Debug, Serialize)]
pub(crate) struct Report {
    engine: &'static str,
    load_s: f64,
    bytes: u64,
    peak_kb: u64,
    queries: Vec<QueryReport>,
}

/// The figures of one query.
#[derive(Debug, Serialize)]
pub(crate) struct QueryReport {
    /// Its number, from 0.
    q: usize,
    /// Seconds of each run, the result fully consumed; none if it failed.
    s: Vec<f64>,
    rows: u64,
    error: Option<String>,
}

impl std::fmt::Display for QueryReport {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "q{:<3}", self.q)?;
        if let Some(error) = &self.error {
            return write!(f, " failed: {error}");
        }
        for seconds in &self.s {
            write!(f, " {:8.1} ms", seconds * 1e3)?;
        }
        write!(f, " {:8} rows", self.rows)
    }
}

/// Runs all queries; `report_query` sees each as it is done.
pub(crate) fn run(
    options: &RunOptions,
    mut report_query: impl FnMut(&str, &QueryReport),
) -> Result<Report> {
    let name = options.queries.display();
    let text =
        fs::read_to_string(&options.queries).map_err(context(format!("cannot read {name}")))?;
    if let Some(folder) = &options.results {
        let what = format!("cannot create {}", folder.display());
        fs::create_dir_all(folder).map_err(context(what))?;
    }
    let database = Database::open_read_only_with(&options.database, options.engine.clone())
        .map_err(context(format!("cannot open {}", options.database.display())))?;
    let connection = database.connect();
    let mut queries = Vec::new();
    for (query_idx, sql) in lines(&text).enumerate() {
        let report = query(&connection, query_idx, sql, options)?;
        report_query(sql, &report);
        queries.push(report);
    }
    let record = load::read_record(&options.database);
    Ok(Report {
        engine: "martlet",
        load_s: record.load_s,
        bytes: record.bytes,
        peak_kb: host::peak_kb(),
        queries,
    })
}

/// One query a line, blank lines and comments skipped.
fn lines(text: &str) -> impl Iterator<Item = &str> {
    text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with("--"))
}

fn query(
    connection: &Connection,
    query_idx: usize,
    sql: &str,
    options: &RunOptions,
) -> Result<QueryReport> {
    let mut report = QueryReport { q: query_idx, s: Vec::new(), rows: 0, error: None };
    let mut answer = None;
    for _ in 0..options.run_count.max(1) {
        // Only one answer is held at a time.
        drop(answer.take());
        let start = Instant::now();
        match consume(connection, sql) {
            Ok(consumed) => answer = Some(consumed),
            Err(error) => {
                report.s.clear();
                report.error = Some(error.to_string());
                return Ok(report);
            }
        }
        report.s.push(start.elapsed().as_secs_f64());
    }
    let (schema, batches) = answer.expect("there is at least one run, and it succeeded");
    report.rows = batches.iter().map(|batch| batch.num_rows() as u64).sum();
    if let Some(folder) = &options.results {
        let file = folder.join(format!("{query_idx}.csv"));
        let what = || format!("cannot write {}", file.display());
        let target = BufWriter::new(File::create(&file).map_err(context(what()))?);
        let mut writer = CsvWriter::new(target, &schema).map_err(context(what()))?;
        for batch in &batches {
            writer.write(batch).map_err(context(what()))?;
        }
        writer.into_inner().into_inner().map_err(context(what()))?;
    }
    Ok(report)
}

fn consume(connection: &Connection, sql: &str) -> martlet::Result<(SchemaRef, Vec<RecordBatch>)> {
    let result = connection.query(sql)?;
    let schema = result.schema();
    Ok((schema, result.collect::<martlet::Result<_>>()?))
}

/// Writes `report` as JSON.
pub(crate) fn write(report: &Report, file: &Path) -> Result<()> {
    let text = serde_json::to_string(report)? + "\n";
    fs::write(file, text).map_err(context(format!("cannot write {}", file.display())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blank_lines_and_comments_are_no_queries() {
        let text = "-- all\nSELECT 1;\n\n  \n  SELECT 2; \n--SELECT 3;\n";
        assert_eq!(lines(text).collect::<Vec<_>>(), ["SELECT 1;", "SELECT 2;"]);
    }

    #[test]
    fn the_report_has_the_shape_of_the_peers() -> Result<()> {
        let failed = QueryReport { q: 1, s: vec![], rows: 0, error: Some("no".into()) };
        let queries = vec![QueryReport { q: 0, s: vec![0.5], rows: 3, error: None }, failed];
        let report = Report { engine: "martlet", load_s: 1.5, bytes: 7, peak_kb: 9, queries };
        assert_eq!(
            serde_json::to_string(&report)?,
            "{\"engine\":\"martlet\",\"load_s\":1.5,\"bytes\":7,\"peak_kb\":9,\"queries\":[\
             {\"q\":0,\"s\":[0.5],\"rows\":3,\"error\":null},\
             {\"q\":1,\"s\":[],\"rows\":0,\"error\":\"no\"}]}"
        );
        Ok(())
    }
}
