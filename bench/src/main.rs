//! `martlet-bench`: generates marts, loads them, and times queries over them.
//!
//! A harness beside the library: it uses what any user of the crate `martlet` can use.
#![expect(clippy::print_stdout, reason = "a command-line tool answers on standard output")]
#![expect(clippy::print_stderr, reason = "a command-line tool reports on standard error")]

mod cli;
mod compare;
mod groupby;
mod hits;
mod host;
mod instructions;
mod load;
mod mart_file;
mod random;
mod run;
mod ssb_flat;
mod suite;
mod wide;
mod width;

use std::error::Error;
use std::fmt;
use std::path::Path;
use std::process::ExitCode;
use std::time::Instant;

use clap::Parser;
use martlet::Options;
use serde::Serialize;

use crate::cli::{
    Cli, Command, CommonArgs, CompareArgs, Dataset, FileArgs, InstructionArgs, LoadArgs, RunArgs,
    SuiteArgs, SuiteCommand,
};
use crate::compare::CompareOptions;
use crate::instructions::InstructionOptions;
use crate::mart_file::{FileOptions, Mart};
use crate::suite::Suite;
use crate::suite::run::SuiteOptions;

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
        Command::Suite(command) => suite(&command),
        Command::Compare(args) => compare(&args),
        Command::Answers(args) => answers(&args),
        Command::Instructions(args) => count_instructions(&args),
        Command::AskOften { database, sql, times } => {
            instructions::ask_often(&database, &sql, times)
        }
        Command::WidthOf { file } => width_of(&file),
        Command::ColdQuery { database, sql, threads } => {
            suite::ask_cold(&database, &sql, threads).and_then(|cold| print_json(&cold))
        }
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

fn suite(command: &SuiteCommand) -> Result<()> {
    match command {
        SuiteCommand::Hits(args) => run_suite(Suite::Hits, args),
        SuiteCommand::SsbFlat(args) => run_suite(Suite::SsbFlat, args),
        SuiteCommand::Groupby(args) => run_suite(Suite::Groupby, args),
        SuiteCommand::Wide(args) => run_suite(Suite::Wide, args),
        SuiteCommand::Width { columns } => {
            print!("{}", width::side_by_side(columns, |width| eprintln!("{width} columns"))?);
            Ok(())
        }
        SuiteCommand::Scale { sizes, threads, common } => run_scale(sizes, threads, common),
    }
}

fn suite_options(suite: Suite, rows: u64, args: &CommonArgs, engine: Options) -> SuiteOptions {
    SuiteOptions {
        suite,
        rows,
        seed: args.seed,
        run_count: args.runs.max(1),
        with_cold: false,
        queries: args.queries.clone(),
        folder: args.data.clone(),
        engine,
    }
}

fn run_suite(suite: Suite, args: &SuiteArgs) -> Result<()> {
    let rows = args.rows.unwrap_or_else(|| suite.default_rows());
    let options = SuiteOptions {
        with_cold: args.cold,
        ..suite_options(suite, rows, &args.common, args.limits.options())
    };
    let report = suite::run::run(&options, |query| eprintln!("{query}"))?;
    print!("{}", report.to_markdown());
    write_json(args.common.json.as_deref(), &report)?;
    check_faults(report.fault_count())
}

fn run_scale(sizes: &[u64], threads: &[usize], args: &CommonArgs) -> Result<()> {
    let options = suite_options(Suite::Hits, 0, args, Options::default());
    let report = suite::scale::run(&options, sizes, threads, |rows, threads, query| {
        eprintln!("{rows:>9} rows, {threads} threads: {query}");
    })?;
    print!("{}", report.to_markdown());
    write_json(args.json.as_deref(), &report)?;
    check_faults(report.fault_count())
}

fn compare_options(args: &CompareArgs) -> CompareOptions {
    CompareOptions {
        suite: args.suite,
        rows: args.rows.unwrap_or_else(|| args.suite.default_rows()),
        seed: args.common.seed,
        run_count: args.common.runs.max(1),
        queries: args.common.queries.clone(),
        peers: args.with.clone(),
        folder: args.common.data.clone(),
        peers_folder: args.peers.clone(),
        python: args.python.clone(),
        engine: args.limits.options(),
    }
}

fn compare(args: &CompareArgs) -> Result<()> {
    let options = compare_options(args);
    let report = compare::run(&options, &mut |line| eprintln!("{line}"))?;
    let out = args.out.clone().unwrap_or_else(|| {
        let name = format!("compare-{}-{}-{}", report.suite, report.rows, report.seed);
        options.folder.join(name)
    });
    let markdown = compare::markdown::render(&report);
    for (extension, text) in [("md", &markdown), ("svg", &compare::chart::render(&report))] {
        let file = out.with_added_extension(extension);
        std::fs::write(&file, text).map_err(context(format!("cannot write {}", file.display())))?;
    }
    write_json(Some(&out.with_added_extension("json")), &report)?;
    write_json(args.common.json.as_deref(), &report)?;
    print!("{markdown}");
    Ok(())
}

fn answers(args: &CompareArgs) -> Result<()> {
    let lines = compare::ask_oracle(&compare_options(args), &mut |line| eprintln!("{line}"))?;
    print!("{}", suite::expected::to_text(&lines));
    Ok(())
}

fn count_instructions(args: &InstructionArgs) -> Result<()> {
    let options = InstructionOptions {
        suite: args.suite,
        rows: args.rows,
        seed: args.seed,
        queries: args.queries.clone(),
        folder: args.data.clone(),
        kernels: args.kernels.clone(),
    };
    print!("{}", instructions::count(&options, |line| eprintln!("{line}"))?);
    Ok(())
}

fn check_faults(count: usize) -> Result<()> {
    if count == 0 {
        Ok(())
    } else {
        Err(format!("{count} queries failed or answered wrong").into())
    }
}

fn write_json(file: Option<&Path>, report: &impl Serialize) -> Result<()> {
    let Some(file) = file else { return Ok(()) };
    let text = serde_json::to_string_pretty(report)? + "\n";
    std::fs::write(file, text).map_err(context(format!("cannot write {}", file.display())))
}

fn print_json(value: &impl Serialize) -> Result<()> {
    println!("{}", serde_json::to_string(value)?);
    Ok(())
}

fn width_of(file: &Path) -> Result<()> {
    print_json(&width::measure(file)?)
}

/// The start of a query, on a line of its figures.
fn cut(sql: &str) -> String {
    sql.chars().take(90).collect()
}
