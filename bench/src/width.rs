//! `martlet-bench suite width`: what it costs that a table has many columns.
//!
//! Each width is measured in a process of its own, so that its memory is its own.

use std::fmt::Write;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use martlet::{Connection, Database, Options};
use serde::{Deserialize, Serialize};

use crate::mart_file::{FileOptions, write_file};
use crate::wide::{Wide, column_name};
use crate::{Result, context, load};

const ROW_COUNT: u64 = 2_000;
const ROW_GROUP_COUNT: u32 = 20;
const WARM_RUNS: usize = 50;
const TIMED_RUNS: usize = 201;
const OPEN_RUNS: usize = 21;
const TABLE: &str = "wide";

/// The figures of one width.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct WidthReport {
    columns: u64,
    load_s: f64,
    load_peak_kb: u64,
    bytes: u64,
    /// Median of a three-column aggregate over 2,000 rows, warm.
    aggregate_ms: f64,
    /// Median of opening the same rows in 20 row groups.
    open_ms: f64,
    /// Median of that and the first answer.
    open_and_ask_ms: f64,
}

/// Measures every width of `widths` in a child process; gives a Markdown table.
pub(crate) fn side_by_side(widths: &[u64], mut progress: impl FnMut(u64)) -> Result<String> {
    let program = std::env::current_exe().map_err(context("cannot find this program".into()))?;
    let mut reports = Vec::new();
    for width in widths {
        progress(*width);
        let folder = TemporaryFolder::new(*width)?;
        let file = folder.0.join("wide.parquet");
        let mart = Wide { seed: 1, row_count: ROW_COUNT, column_count: *width };
        let options = FileOptions { row_group_len: ROW_COUNT, thread_count: 1, file: file.clone() };
        write_file(&mart, &options, |_| ())?;
        let output = Command::new(&program)
            .arg("width-of")
            .arg(&file)
            .output()
            .map_err(context(format!("cannot start {}", program.display())))?;
        if !output.status.success() {
            let message = String::from_utf8_lossy(&output.stderr);
            return Err(format!("at {width} columns: {}", message.trim()).into());
        }
        reports.push(serde_json::from_slice(&output.stdout)?);
    }
    Ok(markdown(&reports))
}

/// Measures the width of one Parquet file of 2,000 rows, beside which the databases are made.
pub(crate) fn measure(file: &Path) -> Result<WidthReport> {
    let source = [file.display().to_string()];
    let (one, many) = (file.with_extension("1.mart"), file.with_extension("20.mart"));
    let record = load::load(&one, TABLE, &source, Options::default())?;
    let mut options = Options::default();
    options.storage.row_group_len = u32::try_from(ROW_COUNT)?.div_ceil(ROW_GROUP_COUNT);
    load::load(&many, TABLE, &source, options)?;

    let database = Database::open_read_only(&one)?;
    let connection = database.connect();
    let columns = connection.query(&format!("SELECT * FROM {TABLE}"))?.schema().fields().len();
    let sql = query(columns as u64);
    for _ in 0..WARM_RUNS {
        ask(&connection, &sql)?;
    }
    let aggregate = median(TIMED_RUNS, || ask(&connection, &sql))?;
    let open = median(OPEN_RUNS, || {
        std::hint::black_box(Database::open_read_only(&many)?);
        Ok(())
    })?;
    let open_and_ask =
        median(OPEN_RUNS, || ask(&Database::open_read_only(&many)?.connect(), &sql))?;
    Ok(WidthReport {
        columns: columns as u64,
        load_s: record.load_s,
        load_peak_kb: record.peak_kb,
        bytes: record.bytes,
        aggregate_ms: aggregate.as_secs_f64() * 1e3,
        open_ms: open.as_secs_f64() * 1e3,
        open_and_ask_ms: open_and_ask.as_secs_f64() * 1e3,
    })
}

fn ask(connection: &Connection, sql: &str) -> Result<()> {
    for batch in connection.query(sql)? {
        std::hint::black_box(batch?);
    }
    Ok(())
}

/// Three columns from the middle of the table: a key, an integer and a double.
fn query(column_count: u64) -> String {
    let first = column_count / 2 / 8 * 8;
    let (amount, measure, category) =
        (column_name(first), column_name(first + 1), column_name(first + 2));
    format!(
        "SELECT {category}, count(*), sum({amount}), avg({measure}) FROM {TABLE} GROUP BY {category}"
    )
}

fn median(runs: usize, mut run: impl FnMut() -> Result<()>) -> Result<Duration> {
    let mut times = Vec::with_capacity(runs);
    for _ in 0..runs {
        let start = Instant::now();
        run()?;
        times.push(start.elapsed());
    }
    times.sort_unstable();
    Ok(times[runs / 2])
}

fn markdown(reports: &[WidthReport]) -> String {
    let mut text = format!(
        "| columns | load of {ROW_COUNT} rows, s | its peak, MiB | size, MB | \
         3-column aggregate, warm, ms | open with {ROW_GROUP_COUNT} row groups, ms | open and first answer, ms |\n\
         |--:|--:|--:|--:|--:|--:|--:|\n"
    );
    for report in reports {
        let (peak_mib, tenth_mb) = (report.load_peak_kb / 1_024, report.bytes / 100_000);
        let _infallible = writeln!(
            text,
            "| {} | {:.2} | {peak_mib} | {}.{} | {:.3} | {:.3} | {:.3} |",
            report.columns,
            report.load_s,
            tenth_mb / 10,
            tenth_mb % 10,
            report.aggregate_ms,
            report.open_ms,
            report.open_and_ask_ms
        );
    }
    text
}

/// A folder of the system's temporary one, removed at the end.
struct TemporaryFolder(std::path::PathBuf);

impl TemporaryFolder {
    fn new(width: u64) -> Result<TemporaryFolder> {
        let name = format!("martlet-width-{}-{width}", std::process::id());
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&path)
            .map_err(context(format!("cannot create {}", path.display())))?;
        Ok(TemporaryFolder(path))
    }
}

impl Drop for TemporaryFolder {
    fn drop(&mut self) {
        // What cannot be removed is the system's to clean up.
        let _ignored = std::fs::remove_dir_all(&self.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_query_names_columns_that_every_width_has() {
        for width in [8, 50, 1_000, 16_000] {
            let sql = query(width);
            let category = column_name(width / 2 / 8 * 8 + 2);
            assert!(category.starts_with("category_") && sql.ends_with(&category), "{sql}");
        }
    }

    #[test]
    fn the_table_is_markdown() {
        let report = WidthReport {
            columns: 50,
            load_s: 0.051,
            load_peak_kb: 20_480,
            bytes: 1_250_000,
            aggregate_ms: 0.1234,
            open_ms: 1.0,
            open_and_ask_ms: 2.0,
        };
        let text = markdown(&[report]);
        assert_eq!(text.lines().count(), 3);
        assert!(text.ends_with("| 50 | 0.05 | 20 | 1.2 | 0.123 | 1.000 | 2.000 |\n"), "{text}");
    }
}
