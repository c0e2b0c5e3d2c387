//! The command line of the harness.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use martlet::Options;
use martlet::output::parse_byte_size;

use crate::compare::PEERS;
use crate::suite::Suite;

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
    /// Makes a mart, loads it and times a suite of queries over it, answers checked
    #[command(subcommand)]
    Suite(SuiteCommand),
    /// Sets Martlet beside its peers on a suite, alternating query by query
    Compare(CompareArgs),
    /// Prints what DuckDB, the oracle, answers to a suite: lines of its answers.tsv
    Answers(CompareArgs),
    /// Counts instructions per row with valgrind: of a suite's queries, of the engine's kernels
    Instructions(InstructionArgs),
    /// Measures one width, for `width`
    #[command(hide = true)]
    WidthOf {
        /// A Parquet file that `width` made
        file: PathBuf,
    },
    /// Asks one query of a database that was just opened, for `suite --cold`
    #[command(hide = true)]
    ColdQuery {
        /// The database
        database: PathBuf,
        /// The query
        sql: String,
        /// How many threads work on it
        threads: usize,
    },
    /// Asks a query so often on one thread, for `instructions`
    #[command(hide = true)]
    AskOften {
        /// The database
        database: PathBuf,
        /// The query
        sql: String,
        /// How often
        times: u64,
    },
}

/// Which suite.
#[derive(Debug, Subcommand)]
pub(crate) enum SuiteCommand {
    /// Web analytics, 105 columns: the 43 queries of ClickBench
    Hits(SuiteArgs),
    /// The star schema benchmark flattened, 38 columns: its 13 queries
    SsbFlat(SuiteArgs),
    /// Six keys and three measures: the ten questions of h2o/db-benchmark
    Groupby(SuiteArgs),
    /// 1,000 columns: twelve queries over a few of them
    Wide(SuiteArgs),
    /// What it costs that a table has many columns
    Width {
        /// The widths
        #[arg(long, value_delimiter = ',', default_values_t = [50, 1_000, 4_000, 16_000])]
        columns: Vec<u64>,
    },
    /// The hits suite at several sizes and thread counts: time per row, speed-up
    Scale {
        /// The sizes, in rows, between commas
        #[arg(long, value_delimiter = ',',
              default_values_t = [100_000, 1_000_000, 3_000_000, 10_000_000, 30_000_000])]
        sizes: Vec<u64>,
        /// The thread counts, between commas
        #[arg(long, value_delimiter = ',', default_values_t = [1, 2])]
        threads: Vec<usize>,
        #[command(flatten)]
        common: CommonArgs,
    },
}

/// What all suites take.
#[derive(Debug, Args)]
pub(crate) struct CommonArgs {
    /// The seed of the mart
    #[arg(long, default_value_t = 1)]
    pub(crate) seed: u64,
    /// Timed runs of each query, after one for the caches
    #[arg(long, default_value_t = 5)]
    pub(crate) runs: usize,
    /// Only the queries of these names
    #[arg(long, value_delimiter = ',')]
    pub(crate) queries: Vec<String>,
    /// Where marts are made; a Parquet file that is there is not made again
    #[arg(long, default_value = "bench-data")]
    pub(crate) data: PathBuf,
    /// Where the figures go as JSON
    #[arg(long)]
    pub(crate) json: Option<PathBuf>,
}

/// `compare`.
#[derive(Debug, Args)]
pub(crate) struct CompareArgs {
    /// The suite
    #[arg(long)]
    pub(crate) suite: Suite,
    /// Rows of the mart; the suite's own number if not given
    #[arg(long)]
    pub(crate) rows: Option<u64>,
    /// The peers
    #[arg(long, value_delimiter = ',', default_values_t = PEERS.map(String::from))]
    pub(crate) with: Vec<String>,
    /// The folder of runner.py and requirements.txt, where the Python environment is made
    #[arg(long, default_value = "bench/peers")]
    pub(crate) peers: PathBuf,
    /// A Python that has the peers already
    #[arg(long)]
    pub(crate) python: Option<PathBuf>,
    /// Where the report goes: this with .md, .json and .svg; compare-SUITE-ROWS-SEED among the data if
    /// not given
    #[arg(long)]
    pub(crate) out: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) common: CommonArgs,
    #[command(flatten)]
    pub(crate) limits: Limits,
}

/// `instructions`.
#[derive(Debug, Args)]
pub(crate) struct InstructionArgs {
    /// The suite whose queries are counted
    #[arg(long, required_unless_present = "kernels")]
    pub(crate) suite: Option<Suite>,
    /// The engine's example `kernel`, built for release, whose kernels are counted
    #[arg(long)]
    pub(crate) kernels: Option<PathBuf>,
    /// Rows of the mart
    #[arg(long, default_value_t = 100_000)]
    pub(crate) rows: u64,
    /// The seed of the mart
    #[arg(long, default_value_t = 1)]
    pub(crate) seed: u64,
    /// Only the queries of these names
    #[arg(long, value_delimiter = ',')]
    pub(crate) queries: Vec<String>,
    /// Where marts are made
    #[arg(long, default_value = "bench-data")]
    pub(crate) data: PathBuf,
}

/// `suite hits` and the like.
#[derive(Debug, Args)]
pub(crate) struct SuiteArgs {
    /// Rows of the mart; the suite's own number if not given
    #[arg(long)]
    pub(crate) rows: Option<u64>,
    /// Also asks each query in a new process whose files are not in the page cache
    #[arg(long)]
    pub(crate) cold: bool,
    #[command(flatten)]
    pub(crate) common: CommonArgs,
    #[command(flatten)]
    pub(crate) limits: Limits,
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
            options = options.with_worker_count(threads);
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
