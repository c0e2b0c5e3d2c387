//! `martlet-bench compare`: Martlet and its peers on the same file, alternating query by query.
//!
//! Every engine is warm, in a process that lives as long as the comparison, with the same number of
//! threads. One untimed run of each engine goes before the timed ones. Answers of all runs are compared
//! with the oracle's: a peer that answers otherwise is not in the envelope.

mod bandwidth;
pub(crate) mod chart;
mod environment;
pub(crate) mod markdown;
mod peer;
mod report;
#[cfg(test)]
mod tests;

use std::path::PathBuf;

use self::peer::{Peer, Python};
use self::report::{CompareReport, EngineFigures};
use crate::Result;
use crate::host::{AnonymousPeak, Machine, write_back};
use crate::suite::answer::{Answer, PEER_TOLERANCE, TOLERANCE};
use crate::suite::expected::{self, Expected};
use crate::suite::figures::{Check, QueryFigures};
use crate::suite::mart::SuiteMart;
use crate::suite::martlet::Martlet;
use crate::suite::query::Query;
use crate::suite::{Suite, choose};

/// The peers, the oracle first.
pub(crate) const PEERS: [&str; 5] = [ORACLE, "chdb", "hyper", "polars", "datafusion"];
const ORACLE: &str = "duckdb";

/// What to compare.
#[derive(Clone, Debug)]
pub(crate) struct CompareOptions {
    pub(crate) suite: Suite,
    pub(crate) rows: u64,
    pub(crate) seed: u64,
    /// Timed runs of a query by each engine.
    pub(crate) run_count: usize,
    /// Names of the queries to run; all if empty.
    pub(crate) queries: Vec<String>,
    /// Names of the peers.
    pub(crate) peers: Vec<String>,
    /// Where the mart and the peers' own files are made.
    pub(crate) folder: PathBuf,
    /// Where `runner.py` and `requirements.txt` are.
    pub(crate) peers_folder: PathBuf,
    /// An interpreter that has the peers already.
    pub(crate) python: Option<PathBuf>,
    pub(crate) engine: martlet::Options,
}

/// Runs the comparison; `progress` is told what is being done.
pub(crate) fn run(
    options: &CompareOptions,
    progress: &mut dyn FnMut(&str),
) -> Result<CompareReport> {
    let CompareOptions { suite, rows, seed, .. } = *options;
    let threads = options.engine.worker_count;
    let queries = choose(suite.queries()?, &options.queries)?;
    progress("generating and loading");
    let mart = SuiteMart::generate(suite, rows, seed, &options.folder)?;
    let mut ours = EngineFigures::new("martlet", env!("CARGO_PKG_VERSION"));
    ours.set_load(mart.load(threads)?);
    let bandwidth = bandwidth::measure(threads);
    let (mut running, absent) = start_peers(options, &mart, progress);
    let martlet = Martlet::open(&mart.database, options.engine.clone())?;
    let expected = expected::of(suite, rows, seed)?;
    // Or the first queries would run beside the writing back of what was loaded.
    write_back();
    for query in &queries {
        let mut round = Round::new(query, running.len());
        round.run(&martlet, &mut running, options.run_count);
        let (our_figures, peer_figures) = round.checked(&running, &expected);
        progress(&our_figures.to_string());
        ours.queries.push(our_figures);
        for (peer, figures) in running.iter_mut().zip(peer_figures) {
            peer.figures.queries.push(figures);
        }
    }
    Ok(CompareReport {
        suite: suite.name().to_owned(),
        rows,
        seed,
        threads,
        run_count: options.run_count,
        machine: Machine::of_this(),
        parquet_bytes: mart.parquet_bytes()?,
        bandwidth,
        martlet: ours,
        peers: running.into_iter().map(|peer| peer.figures).collect(),
        absent,
    })
}

/// What the oracle answers to all queries of the suite.
pub(crate) fn ask_oracle(
    options: &CompareOptions,
    progress: &mut dyn FnMut(&str),
) -> Result<Vec<Expected>> {
    let CompareOptions { suite, rows, seed, .. } = *options;
    let queries = choose(suite.queries_for(ORACLE)?, &options.queries)?;
    let mart = SuiteMart::generate(suite, rows, seed, &options.folder)?;
    let options = CompareOptions { peers: vec![ORACLE.to_owned()], ..options.clone() };
    let (mut running, absent) = start_peers(&options, &mart, progress);
    let Some(oracle) = running.first_mut() else {
        let reason = absent.into_iter().next().map(|(_, reason)| reason);
        return Err(reason.unwrap_or_else(|| "no oracle".into()).into());
    };
    let mut lines = Vec::new();
    for query in queries {
        let answer = oracle.peer.run(&query)?.answer;
        lines.push(Expected { rows, seed, query: query.name, answer });
    }
    Ok(lines)
}

/// A peer that runs, its queries and what it did so far.
struct Running {
    peer: Peer,
    queries: Vec<Query>,
    figures: EngineFigures,
    /// Its own files, removed when it has ended.
    _folder: PeerFolder,
}

/// A folder that goes when it is dropped.
struct PeerFolder(PathBuf);

impl Drop for PeerFolder {
    fn drop(&mut self) {
        // What cannot be removed is left in the data folder, which is the user's.
        let _ignored = std::fs::remove_dir_all(&self.0);
    }
}

type Absent = (String, String);

/// Starts the peers and loads the mart into each; those that cannot be are told with the reason.
fn start_peers(
    options: &CompareOptions,
    mart: &SuiteMart,
    progress: &mut dyn FnMut(&str),
) -> (Vec<Running>, Vec<Absent>) {
    let (mut running, mut absent) = (Vec::new(), Vec::new());
    let python =
        environment::prepare(&options.peers_folder, options.python.as_deref(), |complaint| {
            progress(&format!("cannot install {complaint}"));
        });
    for name in &options.peers {
        let python = python.as_ref().map_err(ToString::to_string);
        match python.and_then(|python| {
            start(python, name, options, mart).map_err(|error| error.to_string())
        }) {
            Ok(peer) => {
                progress(&format!("{name} {} is loaded", peer.peer.version));
                running.push(peer);
            }
            Err(reason) => {
                progress(&format!("{name} is absent: {reason}"));
                absent.push((name.clone(), reason));
            }
        }
    }
    (running, absent)
}

fn start(
    python: &Python,
    name: &str,
    options: &CompareOptions,
    mart: &SuiteMart,
) -> Result<Running> {
    let queries = choose(mart.suite.queries_for(name)?, &options.queries)?;
    let folder = std::path::absolute(&options.folder)?.join(format!("peer-{name}"));
    // Left by a run that was ended.
    let _absent = std::fs::remove_dir_all(&folder);
    let guard = PeerFolder(folder.clone());
    let mut peer = Peer::start(python, name, options.engine.worker_count, &folder)?;
    let mut figures = EngineFigures::new(name, &peer.version);
    let load = peer.load(mart.suite.table(), &mart.parquet)?;
    figures.load_s = load.seconds;
    figures.bytes = load.bytes;
    figures.load_peak_kb = load.anonymous_peak_kb;
    Ok(Running { peer, queries, figures, _folder: guard })
}

/// One query, asked of all engines in turn.
struct Round<'a> {
    query: &'a Query,
    ours: QueryFigures,
    theirs: Vec<QueryFigures>,
}

impl Round<'_> {
    fn new(query: &Query, peer_count: usize) -> Round<'_> {
        let figures = QueryFigures::new(query);
        Round { query, theirs: vec![figures.clone(); peer_count], ours: figures }
    }

    fn run(&mut self, martlet: &Martlet, running: &mut [Running], run_count: usize) {
        let peak = AnonymousPeak::start();
        let first = martlet.run(self.query);
        self.ours.anonymous_peak_kb = peak.stop();
        self.ours.add_untimed(first, TOLERANCE);
        for (figures, peer) in self.theirs.iter_mut().zip(running.iter_mut()) {
            let query = own_query(&peer.queries, self.query);
            let peak = AnonymousPeak::start_of(peer.peer.process());
            let first = peer.peer.run(query);
            figures.anonymous_peak_kb = peak.stop();
            figures.add_untimed(first, PEER_TOLERANCE);
        }
        for run in 0..run_count {
            for engine in order_of(running.len() + 1, run) {
                let Some(peer_idx) = engine.checked_sub(1) else {
                    if self.ours.error.is_none() {
                        self.ours.add(martlet.run(self.query), TOLERANCE);
                    }
                    continue;
                };
                let (figures, peer) = (&mut self.theirs[peer_idx], &mut running[peer_idx]);
                if figures.error.is_none() {
                    let query = own_query(&peer.queries, self.query);
                    figures.add(peer.peer.run(query), PEER_TOLERANCE);
                }
            }
        }
    }

    /// The figures, answers held against what was recorded of the oracle or what it answered now.
    fn checked(
        mut self,
        running: &[Running],
        expected: &[Expected],
    ) -> (QueryFigures, Vec<QueryFigures>) {
        let oracle = running.iter().position(|peer| peer.peer.name == ORACLE);
        let now = oracle.and_then(|oracle| self.theirs[oracle].answer.clone());
        let expected: Option<Answer> = expected::to(expected, &self.query.name).cloned().or(now);
        self.ours.check = Check::of(&self.ours, expected.as_ref());
        for figures in &mut self.theirs {
            figures.check = Check::within(figures, expected.as_ref(), PEER_TOLERANCE);
        }
        (self.ours, self.theirs)
    }
}

/// The order in which `count` engines run the `run`-th time. What ran before leaves caches and threads
/// behind, so that over as many runs as engines (twice as many if their number is odd) each comes
/// directly after each other one equally often: Williams' square (1949).
fn order_of(count: usize, run: usize) -> Vec<usize> {
    let row = run % count;
    let place =
        |step: usize| if step.is_multiple_of(2) { count - step / 2 } else { step.div_ceil(2) };
    let mut order: Vec<usize> = (0..count).map(|step| (place(step) + row) % count).collect();
    if count % 2 == 1 && run / count % 2 == 1 {
        order.reverse();
    }
    order
}

fn own_query<'a>(queries: &'a [Query], query: &Query) -> &'a Query {
    let own = queries.iter().find(|own| own.name == query.name);
    own.expect("a dialect has all queries: query::in_dialect")
}
