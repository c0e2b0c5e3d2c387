//! The command line of the harness.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use martlet::Options;
use martlet::output::parse_byte_size;

/// Everything that can be said on the command line.
#[derive(Debug, Parser)]
#[command(name = "martlet-bench", version, about = "Generates marts, loads them, times queries")]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Generates a mart as a Parquet file
    #[command(subcommand)]
    Generate(Dataset),
    /// Loads Parquet files into a table and records what that cost
    Load(LoadArgs),
    /// Times the queries of a file, one a line, and writes the figures as JSON
    Run(RunArgs),
    /// Measures what width costs, as a Markdown table
    Width {
        /// The widths
        #[arg(long, value_delimiter = ',', default_values_t = [50, 1_000, 4_000, 16_000])]
        columns: Vec<u64>,
    },
    /// Measures one width, for `width`
    #[command(hide = true)]
    WidthOf {
        /// A Parquet file that `width` made
        file: PathBuf,
    },
}

/// Which mart.
#[derive(Debug, Subcommand)]
pub(crate) enum Dataset {
    /// Web analytics: 105 columns, the schema of ClickBench
    Hits(FileArgs),
    /// The star schema benchmark flattened: 38 columns, a row per line of an order
    SsbFlat(FileArgs),
    /// The h2o/db-benchmark group-by mart: six keys, three measures
    Groupby {
        /// Values of the narrow keys, and rows per value of the wide ones
        #[arg(long, default_value_t = 100)]
        k: u64,
        #[command(flatten)]
        file: FileArgs,
    },
    /// Any number of columns of eight kinds
    Wide {
        /// How many columns
        #[arg(long, default_value_t = 1_000)]
        columns: u64,
        #[command(flatten)]
        file: FileArgs,
    },
}

/// What file.
#[derive(Debug, Args)]
pub(crate) struct FileArgs {
    /// How many rows
    #[arg(long, default_value_t = 1_000_000)]
    pub(crate) rows: u64,
    /// The same seed and row count give the same file
    #[arg(long, default_value_t = 1)]
    pub(crate) seed: u64,
    /// The Parquet file to write
    #[arg(long)]
    pub(crate) out: PathBuf,
    /// Rows of a Parquet row group
    #[arg(long, default_value_t = 250_000)]
    pub(crate) row_group: u64,
    /// How many row groups to make at a time; all cores if not given
    #[arg(long)]
    pub(crate) threads: Option<usize>,
}

/// `load`.
#[derive(Debug, Args)]
pub(crate) struct LoadArgs {
    /// The database; created if there is none
    #[arg(long)]
    pub(crate) db: PathBuf,
    /// The table; created if there is none, else appended to
    #[arg(long)]
    pub(crate) table: String,
    /// The files, loaded together
    #[arg(long, required = true, num_args = 1..)]
    pub(crate) parquet: Vec<String>,
    #[command(flatten)]
    pub(crate) limits: Limits,
}

/// `run`.
#[derive(Debug, Args)]
pub(crate) struct RunArgs {
    /// The database
    #[arg(long)]
    pub(crate) db: PathBuf,
    /// The queries: one a line, blank lines and lines starting with -- skipped
    #[arg(long)]
    pub(crate) queries: PathBuf,
    /// How often each query runs
    #[arg(long, default_value_t = 3)]
    pub(crate) runs: usize,
    /// Where the figures go
    #[arg(long)]
    pub(crate) json: PathBuf,
    /// A directory for the answers, one CSV file a query
    #[arg(long)]
    pub(crate) results: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) limits: Limits,
}

/// What the engine may use.
#[derive(Debug, Args)]
pub(crate) struct Limits {
    /// How many threads work on a query; all cores if not given
    #[arg(long)]
    pub(crate) threads: Option<usize>,
    /// How much memory queries may use together, such as 4GB
    #[arg(long, value_name = "SIZE", value_parser = parse_byte_size)]
    pub(crate) memory_limit: Option<usize>,
}

impl Limits {
    /// The library's options within these limits.
    pub(crate) fn options(&self) -> Options {
        let mut options = Options::default();
        if let Some(threads) = self.threads {
            options.worker_count = threads;
        }
        if let Some(bytes) = self.memory_limit {
            options.memory_limit = bytes;
        }
        options
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_well_defined() {
        Cli::command().debug_assert();
    }

    #[test]
    fn several_files_follow_one_option() -> Result<(), clap::Error> {
        let line = "martlet-bench load --db d --table t --parquet a b --threads 2";
        match Cli::try_parse_from(line.split(' '))?.command {
            Command::Load(args) => assert_eq!(args.parquet, ["a", "b"]),
            other => panic!("{other:?}"),
        }
        Ok(())
    }
}
