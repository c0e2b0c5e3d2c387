//! What a comparison found out, and what follows from it: the envelope, who won, by how much.

use serde::Serialize;

use super::bandwidth::Bandwidth;
use crate::host::Machine;
use crate::load::LoadRecord;
use crate::random::to_f64;
use crate::suite::figures::{Check, QueryFigures, geometric_mean};

/// A query is won at this many times the envelope …
const WON_FACTOR: f64 = 1.05;
/// … and this many seconds.
const WON_SECONDS: f64 = 1e-4;

/// All figures of a comparison.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct CompareReport {
    pub(crate) suite: String,
    pub(crate) rows: u64,
    pub(crate) seed: u64,
    pub(crate) threads: usize,
    pub(crate) run_count: usize,
    pub(crate) machine: Machine,
    pub(crate) parquet_bytes: u64,
    pub(crate) bandwidth: Bandwidth,
    pub(crate) martlet: EngineFigures,
    pub(crate) peers: Vec<EngineFigures>,
    /// Peers that did not run, and why.
    pub(crate) absent: Vec<(String, String)>,
}

/// The figures of one engine.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct EngineFigures {
    pub(crate) name: String,
    pub(crate) version: String,
    pub(crate) load_s: f64,
    pub(crate) bytes: u64,
    /// Anonymous memory while loading, in units of 1,024 bytes.
    pub(crate) load_peak_kb: u64,
    pub(crate) queries: Vec<QueryFigures>,
}

impl EngineFigures {
    pub(crate) fn new(name: &str, version: &str) -> EngineFigures {
        EngineFigures {
            name: name.to_owned(),
            version: version.to_owned(),
            load_s: 0.0,
            bytes: 0,
            load_peak_kb: 0,
            queries: Vec::new(),
        }
    }

    pub(crate) fn set_load(&mut self, record: LoadRecord) {
        self.load_s = record.load_s;
        self.bytes = record.bytes;
        self.load_peak_kb = record.anonymous_peak_kb;
    }

    /// The most anonymous memory of any query, in units of 1,024 bytes.
    pub(crate) fn query_peak_kb(&self) -> u64 {
        self.queries.iter().map(|query| query.anonymous_peak_kb).max().unwrap_or(0)
    }

    /// The geometric mean of its medians, of the queries that statistics answer only `with_statistics`.
    pub(crate) fn mean(&self, with_statistics: bool) -> Option<f64> {
        let counted = self.queries.iter().filter(|query| with_statistics || !query.statistics);
        geometric_mean(counted.filter_map(QueryFigures::median))
    }

    /// How many queries failed, and how many were answered otherwise than the oracle did.
    pub(crate) fn faults(&self) -> (usize, usize) {
        let failed = self.queries.iter().filter(|query| query.error.is_some()).count();
        (failed, self.queries.iter().filter(|query| query.check == Check::Wrong).count())
    }
}

/// The fastest peer on one query.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Best<'a> {
    pub(crate) name: &'a str,
    pub(crate) seconds: f64,
}

impl CompareReport {
    /// The fastest right answer of a peer to the query at `query_idx`.
    pub(crate) fn envelope(&self, query_idx: usize) -> Option<Best<'_>> {
        let right = self.peers.iter().filter_map(|peer| {
            let query = peer.queries.get(query_idx).filter(|query| query.check != Check::Wrong)?;
            Some(Best { name: &peer.name, seconds: query.median()? })
        });
        right.min_by(|a, b| a.seconds.total_cmp(&b.seconds))
    }

    /// Whether Martlet won the query; `None` without a peer to win against.
    pub(crate) fn is_won(&self, query_idx: usize) -> Option<bool> {
        let best = self.envelope(query_idx)?;
        let ours = &self.martlet.queries[query_idx];
        let in_time =
            ours.median().is_some_and(|seconds| seconds <= best.seconds * WON_FACTOR + WON_SECONDS);
        Some(in_time && ours.check != Check::Wrong)
    }

    /// How many times faster than the envelope Martlet is on the query.
    pub(crate) fn ahead(&self, query_idx: usize) -> Option<f64> {
        Some(self.envelope(query_idx)?.seconds / self.martlet.queries[query_idx].median()?)
    }

    /// The geometric mean of the envelope over Martlet's times, 0.1 ms added to both.
    pub(crate) fn mean_ahead(&self, with_statistics: bool) -> Option<f64> {
        let (mut sum, mut count) = (0.0, 0_u32);
        for (query_idx, query) in self.martlet.queries.iter().enumerate() {
            let (Some(best), Some(ours)) = (self.envelope(query_idx), query.median()) else {
                continue;
            };
            if with_statistics || !query.statistics {
                sum += ((best.seconds + WON_SECONDS) / (ours + WON_SECONDS)).ln();
                count += 1;
            }
        }
        (count > 0).then(|| (sum / f64::from(count)).exp())
    }

    /// The queries lost, the worst first.
    pub(crate) fn lost(&self) -> Vec<usize> {
        let mut lost: Vec<usize> = (0..self.martlet.queries.len())
            .filter(|query_idx| self.is_won(*query_idx) == Some(false))
            .collect();
        let ahead = |query_idx: &usize| self.ahead(*query_idx).unwrap_or(0.0);
        lost.sort_by(|a, b| ahead(a).total_cmp(&ahead(b)));
        lost
    }

    /// Seconds that reading the query's pages takes at the least, by one thread and by all.
    pub(crate) fn limits(&self, query_idx: usize) -> Option<(f64, f64)> {
        let bytes = to_f64(self.martlet.queries[query_idx].bytes_read?);
        Some((bytes / self.bandwidth.one_thread, bytes / self.bandwidth.all_threads))
    }

    /// Martlet and the peers.
    pub(crate) fn engines(&self) -> impl Iterator<Item = &EngineFigures> {
        std::iter::once(&self.martlet).chain(&self.peers)
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::suite::answer::Answer;
    use crate::suite::query::parse;

    /// Three queries: the second lost, the third answered by statistics and wrong by the faster peer.
    pub(in crate::compare) fn sample() -> CompareReport {
        let queries = parse("-- 1\na\n-- 2\nb\n-- 3: statistics\nc").expect("three queries");
        let engine = |name: &str, seconds: [f64; 3]| {
            let mut engine = EngineFigures::new(name, "1.0");
            engine.bytes = 5_000_000;
            engine.load_s = 1.25;
            for (query, seconds) in queries.iter().zip(seconds) {
                let mut figures = QueryFigures::new(query);
                figures.seconds = vec![seconds];
                let answer = Answer { rows: 10, hash: "0".into(), about: vec![] };
                figures.answer = Some(answer);
                figures.check = Check::Right;
                figures.bytes_read = Some(2_000_000);
                engine.queries.push(figures);
            }
            engine
        };
        let mut fast = engine("fast", [0.02, 0.01, 0.001]);
        fast.queries[2].check = Check::Wrong;
        let mut failing = engine("failing", [0.04, 0.04, 0.002]);
        failing.queries[1].seconds.clear();
        failing.queries[1].error = Some("no <such> function".into());
        CompareReport {
            suite: "hits".into(),
            rows: 1_000,
            seed: 1,
            threads: 2,
            run_count: 5,
            machine: Machine::default(),
            parquet_bytes: 1_000_000,
            bandwidth: Bandwidth { one_thread: 1e10, all_threads: 2e10 },
            martlet: engine("martlet", [0.005, 0.02, 0.0021]),
            peers: vec![fast, failing],
            absent: vec![("gone".into(), "no module".into())],
        }
    }

    #[test]
    fn the_envelope_is_the_fastest_right_answer() {
        let report = sample();
        let best = |query_idx| report.envelope(query_idx);
        assert_eq!(best(0), Some(Best { name: "fast", seconds: 0.02 }));
        assert_eq!(best(1), Some(Best { name: "fast", seconds: 0.01 }));
        assert_eq!(best(2), Some(Best { name: "failing", seconds: 0.002 }));
    }

    #[test]
    fn a_query_is_won_within_a_margin_and_with_a_right_answer() {
        let mut report = sample();
        let won = |report: &CompareReport| [0, 1, 2].map(|query_idx| report.is_won(query_idx));
        // The third: 2.1 ms against 2.0 x 1.05 + 0.1.
        assert_eq!(won(&report), [Some(true), Some(false), Some(true)]);
        assert_eq!(report.lost(), [1]);
        report.martlet.queries[0].check = Check::Wrong;
        assert_eq!(report.is_won(0), Some(false));
        report.peers.clear();
        assert_eq!(won(&report), [None, None, None]);
        assert!(report.lost().is_empty());
    }

    #[test]
    fn limits_are_bytes_over_bandwidth() {
        assert_eq!(sample().limits(0), Some((0.0002, 0.0001)));
    }

    #[test]
    fn means_ahead_leave_out_what_statistics_answer() {
        let report = sample();
        let expected = ((0.0201_f64 / 0.0051) * (0.0101 / 0.0201)).sqrt();
        let mean = report.mean_ahead(false).unwrap_or(0.0);
        assert!((mean - expected).abs() < 1e-9, "{mean}");
        assert_ne!(report.mean_ahead(true), report.mean_ahead(false));
    }
}
