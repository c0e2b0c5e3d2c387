//! `martlet`: the shell.
//!
//! Parses the command line, opens the database and runs SQL from arguments, files or standard
//! input. Uses nothing that a program with the library could not use.
#![expect(clippy::print_stderr, reason = "a command-line tool reports on standard error")]

mod bar;
mod cli;
mod demo;
mod footer;
mod printer;
mod prompt;
mod script;
mod session;
mod table;

use std::fs;
use std::io::{self, BufWriter, IsTerminal, Read};
use std::path::Path;
use std::process::ExitCode;

use clap::Parser;
use martlet::{Database, Options};

use crate::cli::{Cli, Command, Limits, ShellArgs};
use crate::printer::Printer;
use crate::session::{Failure, Session};
use crate::table::TableOptions;

/// How wide a table is where no terminal says.
const WIDTH: usize = 120;

fn main() -> ExitCode {
    let cli = Cli::parse();
    let outcome = match &cli.command {
        Some(Command::Demo(args)) => demo::run(args),
        None => shell(&cli.shell),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        // Whoever reads our output has seen enough.
        Err(Failure::Io(error)) if error.kind() == io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(failure) => {
            eprint!("{failure}");
            ExitCode::FAILURE
        }
    }
}

fn shell(args: &ShellArgs) -> Result<(), Failure> {
    let database = open(args)?;
    let output = BufWriter::new(io::stdout().lock());
    let printer = Printer::new(output, args.format, table_options(&args.limits));
    let mut session = Session::new(database.connect(), printer);
    for sql in &args.commands {
        session.run(sql)?;
    }
    for file in &args.files {
        session.run(&read_file(file)?)?;
    }
    if !args.commands.is_empty() || !args.files.is_empty() {
        return Ok(());
    }
    if io::stdin().is_terminal() {
        eprintln!("Martlet {}. Type help for help.", env!("CARGO_PKG_VERSION"));
        return prompt::run(&mut session, io::stdin().lock(), io::stderr());
    }
    session.run(&read_stdin()?)
}

fn open(args: &ShellArgs) -> Result<Database, Failure> {
    let options = options(&args.limits);
    Ok(match &args.database {
        None => Database::open_in_memory_with(options)?,
        Some(path) if args.readonly => Database::open_read_only_with(path, options)?,
        Some(path) => Database::open_with(path, options)?,
    })
}

fn options(limits: &Limits) -> Options {
    let mut options = Options::default();
    if let Some(threads) = limits.threads {
        options.worker_count = threads.into();
    }
    if let Some(bytes) = limits.memory_limit {
        options.memory_limit = bytes;
    }
    options
}

fn table_options(limits: &Limits) -> TableOptions {
    let width = match terminal_size::terminal_size_of(io::stdout()) {
        Some((terminal_size::Width(width), _)) => usize::from(width).max(1),
        None => WIDTH,
    };
    TableOptions { width, rows_max: limits.max_rows }
}

fn read_file(file: &Path) -> Result<String, Failure> {
    if file == Path::new("-") {
        return read_stdin();
    }
    fs::read_to_string(file)
        .map_err(|error| Failure::Other(format!("cannot read {}: {error}", file.display())))
}

fn read_stdin() -> Result<String, Failure> {
    let mut sql = String::new();
    io::stdin()
        .lock()
        .read_to_string(&mut sql)
        .map_err(|error| Failure::Other(format!("cannot read standard input: {error}")))?;
    Ok(sql)
}
