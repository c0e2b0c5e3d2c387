//! The command line.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

use crate::view::Format;

/// Everything that can be said on the command line.
#[derive(Debug, Parser)]
#[command(
    name = "martlet",
    version,
    about = "Asks SQL of wide mart tables",
    args_conflicts_with_subcommands = true,
    after_help = "Without -c and -f there is a prompt, or SQL is read from a pipe. \
                  At the prompt, .help lists the commands.\n\
                  Start with: martlet demo"
)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
    #[command(flatten)]
    pub(crate) shell: ShellArgs,
}

/// What is not SQL.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Builds a wide orders mart and walks through queries on it
    Demo(DemoArgs),
    /// Writes what a shell needs to complete martlet's options
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
    /// Writes the man page
    Man,
}

/// `martlet demo`.
#[derive(Debug, Args)]
pub(crate) struct DemoArgs {
    /// Where the mart is built; one that is there already is used again
    #[arg(default_value = "demo.mart")]
    pub(crate) directory: PathBuf,
    #[command(flatten)]
    pub(crate) limits: Limits,
}

/// `martlet`.
#[derive(Debug, Args)]
pub(crate) struct ShellArgs {
    /// The database, a directory; created if there is none. In memory if not given
    pub(crate) database: Option<PathBuf>,
    /// Runs this SQL; may be given several times
    #[arg(short = 'c', long = "command", value_name = "SQL")]
    pub(crate) commands: Vec<String>,
    /// Runs the SQL and the commands in this file, after -c; - is standard input
    #[arg(short = 'f', long = "file", value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,
    /// How results are written
    #[arg(short = 'm', long, alias = "mode", value_enum, default_value_t)]
    pub(crate) format: Format,
    /// Runs this file before the prompt, in place of ~/.martletrc
    #[arg(long, value_name = "FILE")]
    pub(crate) init: Option<PathBuf>,
    /// Runs no file before the prompt
    #[arg(long, conflicts_with = "init")]
    pub(crate) no_init: bool,
    /// Opens the database for reading only
    #[arg(long, requires = "database")]
    pub(crate) readonly: bool,
    #[command(flatten)]
    pub(crate) limits: Limits,
}

/// What a session may use and show.
#[derive(Clone, Debug, Args)]
pub(crate) struct Limits {
    /// How many threads work on a query; all cores if not given
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1_024))]
    pub(crate) threads: Option<u16>,
    /// How much memory queries may use together, such as 4GB
    #[arg(long, value_name = "SIZE", value_parser = martlet::output::parse_byte_size)]
    pub(crate) memory_limit: Option<usize>,
    /// Rows of a table that are shown
    #[arg(long, value_name = "N", default_value_t = 100)]
    pub(crate) max_rows: usize,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    fn parse(line: &str) -> Result<Cli, clap::Error> {
        Cli::try_parse_from(line.split(' '))
    }

    #[test]
    fn the_command_line_is_well_defined() {
        Cli::command().debug_assert();
    }

    #[test]
    fn a_database_and_options_come_in_any_order() -> Result<(), clap::Error> {
        let cli = parse("martlet --format csv x.mart -c A --threads 2 -c B --memory-limit 1.5GiB")?;
        assert_eq!(cli.shell.database, Some(PathBuf::from("x.mart")));
        assert_eq!(cli.shell.commands, ["A", "B"]);
        assert_eq!(cli.shell.format, Format::Csv);
        assert_eq!(cli.shell.limits.memory_limit, Some(1_610_612_736));
        assert!(cli.command.is_none());
        Ok(())
    }

    #[test]
    fn demo_is_a_command_and_a_database_called_demo_needs_its_path() -> Result<(), clap::Error> {
        assert!(matches!(parse("martlet demo")?.command, Some(Command::Demo(_))));
        assert_eq!(parse("martlet ./demo")?.shell.database, Some(PathBuf::from("./demo")));
        Ok(())
    }

    #[test]
    fn nonsense_is_refused() {
        for line in [
            "martlet --format xml",
            "martlet --threads 0",
            "martlet --memory-limit lots",
            "martlet --readonly",
            "martlet a.mart b.mart",
            "martlet --init x --no-init",
            "martlet completions cobol",
        ] {
            assert!(parse(line).is_err(), "{line}");
        }
    }
}
