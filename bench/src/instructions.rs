//! `martlet-bench instructions`: instructions per row, counted by valgrind's callgrind.
//!
//! Times are noisy, on a shared machine most of all; the number of instructions is the same every time.
//! A program is run that does its work a few times and one that does it more often: the difference is
//! the work alone, warm, without starting, loading or opening. Valgrind knows AVX2 and not AVX-512, so
//! it is the AVX2 kernels that are counted; queries run on one thread.

use std::ffi::{OsStr, OsString};
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use martlet::{Database, Options};

use crate::random::to_f64;
use crate::suite::mart::SuiteMart;
use crate::suite::{Suite, choose};
use crate::{Result, context};

/// Rows of the page that `engine/examples/kernel.rs` works on.
const KERNEL_ROWS: u64 = 65_536;
/// Runs of the shorter and the longer program.
const KERNEL_RUNS: (u64, u64) = (1, 5);
const QUERY_RUNS: (u64, u64) = (1, 3);

/// What to count.
#[derive(Clone, Debug)]
pub(crate) struct InstructionOptions {
    /// The suite, if its queries are to be counted.
    pub(crate) suite: Option<Suite>,
    pub(crate) rows: u64,
    pub(crate) seed: u64,
    /// Names of the queries; all if empty.
    pub(crate) queries: Vec<String>,
    /// Where the mart is made.
    pub(crate) folder: PathBuf,
    /// The built example `kernel` of the engine, if kernels are to be counted.
    pub(crate) kernels: Option<PathBuf>,
}

/// Counts; `progress` sees each line of the tables as it is made. Gives the tables as Markdown.
pub(crate) fn count(
    options: &InstructionOptions,
    mut progress: impl FnMut(&str),
) -> Result<String> {
    check_valgrind()?;
    let mut text = String::new();
    let mut line = |text: &mut String, name: &str, per_row: Result<f64>| {
        let line = match per_row {
            Ok(per_row) => format!("| {name} | {per_row:.3} |"),
            Err(error) => format!("| {name} | failed: {} |", error.to_string().replace('|', "\\|")),
        };
        progress(&line);
        let _infallible = writeln!(text, "{line}");
    };
    if let Some(program) = &options.kernels {
        text.push_str("| kernel | instructions per row |\n|---|--:|\n");
        for name in kernel_names(program)? {
            let arguments = |runs: u64| vec![OsString::from(&name), runs.to_string().into()];
            let per_run = difference(program, KERNEL_RUNS, arguments);
            line(&mut text, &name, per_run.map(|count| count / to_f64(KERNEL_ROWS)));
        }
        text.push('\n');
    }
    if let Some(suite) = options.suite {
        let queries = choose(suite.queries()?, &options.queries)?;
        let mart = SuiteMart::generate(suite, options.rows, options.seed, &options.folder)?;
        mart.load(crate::host::thread_count())?;
        let program =
            std::env::current_exe().map_err(context("cannot find this program".into()))?;
        let _infallible = write!(
            text,
            "| {} query, {} rows | instructions per row |\n|---|--:|\n",
            suite.name(),
            options.rows
        );
        for query in queries {
            let arguments = |runs: u64| {
                let database = mart.database.clone().into_os_string();
                vec!["ask-often".into(), database, (&query.text).into(), runs.to_string().into()]
            };
            let per_run = difference(&program, QUERY_RUNS, arguments);
            let per_row = per_run.map(|count| count / to_f64(options.rows.max(1)));
            line(&mut text, &query.name, per_row);
        }
    }
    Ok(text)
}

/// Asks a query so often on one thread; what is counted.
pub(crate) fn ask_often(database: &Path, sql: &str, times: u64) -> Result<()> {
    let options = Options::default().with_worker_count(1);
    let connection = Database::open_read_only_with(database, options)?.connect();
    for _ in 0..times {
        for batch in connection.query(sql)? {
            std::hint::black_box(batch?);
        }
    }
    Ok(())
}

fn check_valgrind() -> Result<()> {
    let found = Command::new("valgrind").arg("--version").stdout(Stdio::null()).status();
    match found {
        Ok(status) if status.success() => Ok(()),
        _ => Err("valgrind is not there: instructions cannot be counted without it".into()),
    }
}

fn kernel_names(program: &Path) -> Result<Vec<String>> {
    let what = || {
        format!(
            "cannot run {} (cargo build --release -p martlet-engine --example kernel)",
            program.display()
        )
    };
    let output = Command::new(program).output().map_err(context(what()))?;
    if !output.status.success() {
        return Err(what().into());
    }
    Ok(String::from_utf8(output.stdout)?.lines().map(str::to_owned).collect())
}

/// Instructions of one run: of so many runs without those of so few, divided.
fn difference(
    program: &Path,
    (few, many): (u64, u64),
    arguments: impl Fn(u64) -> Vec<OsString>,
) -> Result<f64> {
    let less = instructions(program, &arguments(few))?;
    let more = instructions(program, &arguments(many))?;
    Ok(to_f64(more.saturating_sub(less)) / to_f64(many - few))
}

fn instructions(program: &Path, arguments: &[impl AsRef<OsStr>]) -> Result<u64> {
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .arg(program)
        .args(arguments)
        .stdin(Stdio::null())
        .output()
        .map_err(context("cannot start valgrind".into()))?;
    let report = String::from_utf8_lossy(&output.stderr);
    if output.status.success()
        && let Some(count) = collected(&report)
    {
        return Ok(count);
    }
    // The program's own words are the lines that are not valgrind's.
    let own = report.lines().rfind(|line| !line.starts_with("==") && !line.is_empty());
    Err(own.unwrap_or("valgrind reported no count").into())
}

/// The figure of the line `==1234== Collected : 5678`.
fn collected(report: &str) -> Option<u64> {
    let line = report.lines().find_map(|line| line.split_once("Collected :"))?;
    line.1.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_count_is_on_a_line_of_its_own() {
        let report =
            "==7== Events    : Ir\n==7== Collected : 12345\n==7== \n==7== I   refs: 12,345\n";
        assert_eq!(collected(report), Some(12_345));
        assert_eq!(collected("==7== Events : Ir\n"), None);
    }

    #[test]
    fn a_kernel_program_that_is_not_there_is_named_with_how_to_build_it() {
        let error = kernel_names(Path::new("/no/kernel")).expect_err("none").to_string();
        assert!(error.contains("/no/kernel") && error.contains("--example kernel"), "{error}");
    }
}
