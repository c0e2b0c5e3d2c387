//! `martlet-bench`: generates marts, loads them, and times queries over them.
//!
//! A harness beside the library: it uses what any user of the crate `martlet` can use.
#![expect(clippy::print_stdout, reason = "a command-line tool answers on standard output")]
#![expect(clippy::print_stderr, reason = "a command-line tool reports on standard error")]

mod cli;
mod groupby;
mod hits;
mod host;
mod load;
mod mart_file;
mod random;
mod run;
mod ssb_flat;
mod wide;
mod width;

use std::error::Error;
use std::fmt;
use std::path::Path;
use std::process::ExitCode;
use std::time::Instant;

use clap::Parser;

use crate::cli::{Cli, Command, Dataset, FileArgs, LoadArgs, RunArgs};
use crate::mart_file::{FileOptions, Mart};

/// A result of the harness: its errors are only ever shown.
type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

/// Puts what was being done before an error.
fn context<E: fmt::Display>(what: String) -> impl FnOnce(E) -> Box<dyn Error + Send + Sync> {
    move |error| format!("{what}: {error}").into()
}

fn main() -> ExitCode {
    let outcome = match Cli::parse().command {
        Command::Generate(Dataset::Hits(args)) => {
            generate(&hits::Hits::new(args.seed, args.rows), &args)
        }
        Command::Generate(Dataset::SsbFlat(args)) => {
            generate(&ssb_flat::SsbFlat::new(args.seed, args.rows), &args)
        }
        Command::Generate(Dataset::Groupby { k, file }) => {
            let mart = groupby::Groupby { seed: file.seed, row_count: file.rows, k };
            generate(&mart, &file)
        }
        Command::Generate(Dataset::Wide { columns, file }) => {
            let mart = wide::Wide { seed: file.seed, row_count: file.rows, column_count: columns };
            generate(&mart, &file)
        }
        Command::Load(args) => load(&args),
        Command::Run(args) => run(&args),
        Command::Width { columns } => width::side_by_side(&columns, |width| {
            eprintln!("{width} columns");
        })
        .map(|table| print!("{table}")),
        Command::WidthOf { file } => width_of(&file),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn generate(mart: &dyn Mart, args: &FileArgs) -> Result<()> {
    let start = Instant::now();
    let options = FileOptions {
        row_group_len: args.row_group,
        thread_count: args.threads.unwrap_or_else(host::thread_count),
        file: args.out.clone(),
    };
    mart_file::write_file(mart, &options, |done| eprint!("\r{done} of {} rows", args.rows))?;
    eprintln!("\r{} rows -> {} in {:.1?}", args.rows, args.out.display(), start.elapsed());
    Ok(())
}

fn load(args: &LoadArgs) -> Result<()> {
    let record = load::load(&args.db, &args.table, &args.parquet, args.limits.options())?;
    println!("{}", serde_json::to_string(&record)?);
    Ok(())
}

fn run(args: &RunArgs) -> Result<()> {
    let options = run::RunOptions {
        database: args.db.clone(),
        queries: args.queries.clone(),
        run_count: args.runs,
        results: args.results.clone(),
        engine: args.limits.options(),
    };
    let report = run::run(&options, |sql, query| eprintln!("{query}  {}", cut(sql)))?;
    run::write(&report, &args.json)
}

fn width_of(file: &Path) -> Result<()> {
    println!("{}", serde_json::to_string(&width::measure(file)?)?);
    Ok(())
}

/// The start of a query, on a line of its figures.
fn cut(sql: &str) -> String {
    sql.chars().take(90).collect()
}
