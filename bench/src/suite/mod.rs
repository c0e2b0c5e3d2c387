//! The query suites: a mart, its queries and the answers that the oracle gave.
//!
//! Must not know how queries are run. The files are in `bench/queries/<suite>`: `martlet.sql` has all
//! queries, a file per peer those that its dialect needs otherwise, `answers.tsv` what `DuckDB` answered
//! for some sizes and seeds.

pub(crate) mod answer;
mod cold;
pub(crate) mod expected;
pub(crate) mod figures;
pub(crate) mod mart;
pub(crate) mod martlet;
pub(crate) mod query;
pub(crate) mod run;
pub(crate) mod scale;
#[cfg(test)]
mod tests;

use clap::ValueEnum;

use self::query::Query;
use crate::Result;
use crate::groupby::Groupby;
use crate::hits::Hits;
use crate::mart_file::Mart;
use crate::ssb_flat::SsbFlat;
use crate::wide::Wide;

pub(crate) use self::cold::ask_cold;

/// Values of the narrow keys of `groupby`.
const GROUPBY_K: u64 = 100;
/// Columns of `wide`.
const WIDE_COLUMNS: u64 = 1_000;

/// A suite of queries over one mart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Suite {
    /// Web analytics, 105 columns: the 43 queries of `ClickBench`
    Hits,
    /// The star schema benchmark flattened, 38 columns: its 13 queries
    SsbFlat,
    /// Six keys and three measures: the ten questions of h2o/db-benchmark
    Groupby,
    /// 1,000 columns: twelve queries over a few of them
    Wide,
}

/// The files of a suite.
struct Files {
    queries: &'static str,
    duckdb: &'static str,
    chdb: &'static str,
    hyper: &'static str,
    datafusion: &'static str,
    polars: &'static str,
    answers: &'static str,
}

impl Suite {
    /// As on the command line.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Suite::Hits => "hits",
            Suite::SsbFlat => "ssb-flat",
            Suite::Groupby => "groupby",
            Suite::Wide => "wide",
        }
    }

    /// The table that its queries name.
    pub(crate) fn table(self) -> &'static str {
        match self {
            Suite::Hits => "hits",
            Suite::SsbFlat => "lineorder_flat",
            Suite::Groupby => "g1",
            Suite::Wide => "wide",
        }
    }

    /// Rows unless told otherwise.
    pub(crate) fn default_rows(self) -> u64 {
        match self {
            Suite::Hits | Suite::Groupby => 10_000_000,
            Suite::SsbFlat => 6_000_000,
            Suite::Wide => 300_000,
        }
    }

    /// Its mart.
    pub(crate) fn mart(self, seed: u64, row_count: u64) -> Box<dyn Mart> {
        match self {
            Suite::Hits => Box::new(Hits::new(seed, row_count)),
            Suite::SsbFlat => Box::new(SsbFlat::new(seed, row_count)),
            Suite::Groupby => Box::new(Groupby { seed, row_count, k: GROUPBY_K }),
            Suite::Wide => Box::new(Wide { seed, row_count, column_count: WIDE_COLUMNS }),
        }
    }

    /// Its queries, in Martlet's dialect.
    pub(crate) fn queries(self) -> Result<Vec<Query>> {
        query::parse(self.files().queries)
    }

    /// Its queries in the dialect of the engine of that name, in the same order.
    pub(crate) fn queries_for(self, engine: &str) -> Result<Vec<Query>> {
        let files = self.files();
        let dialect = match engine {
            "duckdb" => files.duckdb,
            "chdb" => files.chdb,
            "hyper" => files.hyper,
            "datafusion" => files.datafusion,
            "polars" => files.polars,
            _ => "",
        };
        query::in_dialect(&self.queries()?, dialect)
    }

    /// What the oracle answered, of all sizes and seeds.
    fn answers(self) -> &'static str {
        self.files().answers
    }

    fn files(self) -> Files {
        match self {
            Suite::Hits => Files {
                queries: include_str!("../../queries/hits/martlet.sql"),
                duckdb: "",
                chdb: include_str!("../../queries/hits/chdb.sql"),
                hyper: include_str!("../../queries/hits/hyper.sql"),
                datafusion: include_str!("../../queries/hits/datafusion.sql"),
                polars: include_str!("../../queries/hits/polars.py"),
                answers: include_str!("../../queries/hits/answers.tsv"),
            },
            Suite::SsbFlat => Files {
                queries: include_str!("../../queries/ssb-flat/martlet.sql"),
                duckdb: "",
                chdb: include_str!("../../queries/ssb-flat/chdb.sql"),
                hyper: "",
                datafusion: "",
                polars: include_str!("../../queries/ssb-flat/polars.py"),
                answers: include_str!("../../queries/ssb-flat/answers.tsv"),
            },
            Suite::Groupby => Files {
                queries: include_str!("../../queries/groupby/martlet.sql"),
                duckdb: "",
                chdb: include_str!("../../queries/groupby/chdb.sql"),
                hyper: include_str!("../../queries/groupby/hyper.sql"),
                datafusion: "",
                polars: include_str!("../../queries/groupby/polars.py"),
                answers: include_str!("../../queries/groupby/answers.tsv"),
            },
            Suite::Wide => Files {
                queries: include_str!("../../queries/wide/martlet.sql"),
                duckdb: "",
                chdb: "",
                hyper: "",
                datafusion: "",
                polars: include_str!("../../queries/wide/polars.py"),
                answers: include_str!("../../queries/wide/answers.tsv"),
            },
        }
    }
}

/// `queries` without those whose names are not in `names`; all of them if that is empty.
pub(crate) fn choose(queries: Vec<Query>, names: &[String]) -> Result<Vec<Query>> {
    if let Some(name) = names.iter().find(|name| queries.iter().all(|query| query.name != **name)) {
        return Err(format!("no query {name} in the suite").into());
    }
    let chosen = |query: &Query| names.is_empty() || names.contains(&query.name);
    Ok(queries.into_iter().filter(chosen).collect())
}
