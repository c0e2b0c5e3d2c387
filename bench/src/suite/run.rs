//! `martlet-bench suite`: one suite over Martlet alone, answers checked, warm and cold.

use std::path::PathBuf;

use super::answer::TOLERANCE;
use super::cold::{self, Cold};
use super::expected;
use super::figures::{Check, QueryFigures, SuiteReport};
use super::mart::SuiteMart;
use super::martlet::Martlet;
use super::query::Query;
use super::{Suite, choose};
use crate::host::{AnonymousPeak, Machine};
use crate::{Result, host};

/// What to run.
#[derive(Clone, Debug)]
pub(crate) struct SuiteOptions {
    pub(crate) suite: Suite,
    pub(crate) rows: u64,
    pub(crate) seed: u64,
    /// Timed warm runs of a query; one more goes before them.
    pub(crate) run_count: usize,
    pub(crate) with_cold: bool,
    /// Names of the queries to run; all if empty.
    pub(crate) queries: Vec<String>,
    /// Where the mart is made.
    pub(crate) folder: PathBuf,
    pub(crate) engine: martlet::Options,
}

/// Makes the mart, loads it, runs the queries; `report_query` sees each as it is done.
pub(crate) fn run(
    options: &SuiteOptions,
    mut report_query: impl FnMut(&QueryFigures),
) -> Result<SuiteReport> {
    let SuiteOptions { suite, rows, seed, .. } = *options;
    let queries = choose(suite.queries()?, &options.queries)?;
    let mart = SuiteMart::generate(suite, rows, seed, &options.folder)?;
    let threads = options.engine.worker_count;
    let load = mart.load(threads)?;
    let expected = expected::of(suite, rows, seed)?;
    let martlet = Martlet::open(&mart.database, options.engine.clone())?;
    let mut figures = Vec::new();
    for query in &queries {
        let mut query_figures = warm(&martlet, query, options.run_count);
        query_figures.check = Check::of(&query_figures, expected::to(&expected, &query.name));
        if options.with_cold && query_figures.error.is_none() {
            query_figures.cold = Some(cold::run(&mart.database, query, threads)?);
        }
        report_query(&query_figures);
        figures.push(query_figures);
    }
    Ok(SuiteReport {
        suite: suite.name().to_owned(),
        rows,
        seed,
        threads,
        machine: Machine::of_this(),
        load,
        parquet_bytes: mart.parquet_bytes()?,
        queries: figures,
    })
}

/// One run for the caches, in which memory is sampled, then the timed ones.
pub(super) fn warm(martlet: &Martlet, query: &Query, run_count: usize) -> QueryFigures {
    let mut figures = QueryFigures::new(query);
    let peak = AnonymousPeak::start();
    let first = martlet.run(query);
    figures.anonymous_peak_kb = peak.stop();
    figures.add_untimed(first, TOLERANCE);
    for _ in 0..run_count {
        if figures.error.is_some() {
            break;
        }
        figures.add(martlet.run(query), TOLERANCE);
    }
    figures
}

/// The figures of cold runs, for a table.
pub(super) fn cold_text(cold: Option<Cold>) -> String {
    cold.map_or_else(|| "–".into(), |cold| host::milliseconds(cold.answer_s))
}
