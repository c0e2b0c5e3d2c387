//! `martlet`: the shell.
//!
//! Parses the command line, opens the database and runs SQL from arguments, files or standard
//! input. Uses nothing that a program with the library could not use.
#![expect(clippy::print_stderr, reason = "a command-line tool reports on standard error")]

mod bar;
mod cli;
mod command;
mod demo;
mod footer;
mod format;
mod interrupt;
mod last;
mod prompt;
mod script;
mod session;
mod sql_text;
mod target;
mod view;

use std::fs;
use std::io::{self, BufWriter, IsTerminal, Read, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{CommandFactory, Parser};
use martlet::{Database, Options};

use crate::cli::{Cli, Command, Limits, ShellArgs};
use crate::session::{Failure, Next, Session};
use crate::target::Target;
use crate::view::{Style, View};

fn main() -> ExitCode {
    let cli = Cli::parse();
    let outcome = match &cli.command {
        Some(Command::Demo(args)) => demo::run(args),
        Some(Command::Completions { shell }) => completions(*shell),
        Some(Command::Man) => man_page(),
        None => shell(&cli.shell),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        // Whoever reads our output has seen enough.
        Err(Failure::Io(error)) if error.kind() == io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(failure) => {
            let style = Style::of(io::stderr().is_terminal());
            eprint!("{}", style.error(&failure.to_string()));
            ExitCode::FAILURE
        }
    }
}

fn shell(args: &ShellArgs) -> Result<(), Failure> {
    let is_new = args.database.as_deref().is_some_and(command::is_new);
    let database = open(args)?;
    let output = BufWriter::new(io::stdout().lock());
    let view = View::new(args.format, args.limits.max_rows);
    let is_prompt = args.commands.is_empty() && args.files.is_empty() && io::stdin().is_terminal();
    let target = Target::new(output, is_prompt && io::stdout().is_terminal());
    let mut session = Session::new(database.connect(), view, target);
    if is_prompt {
        return prompt_after_init(&mut session, args, is_new);
    }
    for sql in &args.commands {
        if session.run(sql)? == Next::Quit {
            return Ok(());
        }
    }
    for file in &args.files {
        if session.run(&read_file(file)?)? == Next::Quit {
            return Ok(());
        }
    }
    if args.commands.is_empty() && args.files.is_empty() {
        session.run(&read_stdin()?)?;
    }
    Ok(())
}

/// Runs the file of settings, greets, and prompts.
fn prompt_after_init(
    session: &mut Session<'_>,
    args: &ShellArgs,
    is_new: bool,
) -> Result<(), Failure> {
    if let Some(file) = init_file(args) {
        let style = Style::of(io::stderr().is_terminal());
        let outcome = read_file(&file).and_then(|text| session.run(&text));
        match outcome {
            Ok(Next::Go) => (),
            Ok(Next::Quit) => return Ok(()),
            Err(failure) => {
                eprint!("in {}: {}", file.display(), style.error(&failure.to_string()));
            }
        }
    }
    let version = env!("CARGO_PKG_VERSION");
    let place = command::place_of(session.database(), is_new);
    eprintln!("Martlet {version}: {place}. End SQL with ; and see .help for more.");
    prompt::run(session)
}

/// `--init FILE`, or else `~/.martletrc` if it is there.
fn init_file(args: &ShellArgs) -> Option<PathBuf> {
    if args.no_init {
        return None;
    }
    args.init.clone().or_else(|| {
        let file = std::env::home_dir()?.join(".martletrc");
        file.is_file().then_some(file)
    })
}

/// What a shell needs to complete our options.
fn completions(shell: clap_complete::Shell) -> Result<(), Failure> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "martlet", &mut script);
    Ok(io::stdout().lock().write_all(&script)?)
}

fn man_page() -> Result<(), Failure> {
    let mut page = Vec::new();
    let man = clap_mangen::Man::new(Cli::command());
    man.render_title(&mut page)?;
    man.render_name_section(&mut page)?;
    man.render_synopsis_section(&mut page)?;
    man.render_description_section(&mut page)?;
    man.render_options_section(&mut page)?;
    // One page for all: subcommands have none of their own.
    writeln!(page, ".SH SUBCOMMANDS")?;
    for subcommand in Cli::command().get_subcommands() {
        let about = subcommand.get_about().map_or_else(String::new, ToString::to_string);
        writeln!(page, ".TP\n\\fBmartlet {}\\fR\n{about}", subcommand.get_name())?;
    }
    page.extend(command::man_sections().into_bytes());
    Ok(io::stdout().lock().write_all(&page)?)
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
