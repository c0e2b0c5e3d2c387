//! `martlet-bench suite scale`: the hits suite at several sizes and thread counts.
//!
//! What is asked: whether a row costs more in a larger mart, and what a second thread brings.

use std::fmt::Write;

use martlet::output::format_count;
use serde::Serialize;

use super::expected;
use super::figures::{Check, QueryFigures, geometric_mean};
use super::mart::SuiteMart;
use super::martlet::Martlet;
use super::run::{SuiteOptions, warm};
use super::{Suite, choose};
use crate::host::Machine;
use crate::random::to_f64;
use crate::{Result, load};

/// The figures at all sizes and thread counts.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct ScaleReport {
    machine: Machine,
    seed: u64,
    points: Vec<Point>,
}

/// The figures at one size and thread count.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Point {
    rows: u64,
    threads: usize,
    load: load::LoadRecord,
    queries: Vec<QueryFigures>,
}

/// Runs the suite at `sizes`, each with `threads`; the other options are those of a suite.
pub(crate) fn run(
    options: &SuiteOptions,
    sizes: &[u64],
    threads: &[usize],
    mut progress: impl FnMut(u64, usize, &QueryFigures),
) -> Result<ScaleReport> {
    let queries = choose(Suite::Hits.queries()?, &options.queries)?;
    let mut points = Vec::new();
    for rows in sizes.iter().copied() {
        let mart = SuiteMart::generate(Suite::Hits, rows, options.seed, &options.folder)?;
        let load = mart.load(threads.iter().copied().max().unwrap_or(1))?;
        let expected = expected::of(Suite::Hits, rows, options.seed)?;
        for threads in threads.iter().copied() {
            let engine = options.engine.clone().with_worker_count(threads);
            let martlet = Martlet::open(&mart.database, engine)?;
            let mut point = Point { rows, threads, load, queries: Vec::new() };
            for query in &queries {
                let mut figures = warm(&martlet, query, options.run_count);
                figures.check = Check::of(&figures, expected::to(&expected, &query.name));
                progress(rows, threads, &figures);
                point.queries.push(figures);
            }
            points.push(point);
        }
    }
    Ok(ScaleReport { machine: Machine::of_this(), seed: options.seed, points })
}

impl ScaleReport {
    /// How many queries failed or were answered wrong.
    pub(crate) fn fault_count(&self) -> usize {
        let queries = self.points.iter().flat_map(|point| &point.queries);
        queries.filter(|query| query.error.is_some() || query.check == Check::Wrong).count()
    }

    /// Nanoseconds per row at each size with the most threads, how they grew over the last tenfold, and
    /// the speed-up of the most threads over the fewest at the largest size.
    pub(crate) fn to_markdown(&self) -> String {
        let most = self.points.iter().map(|point| point.threads).max().unwrap_or(1);
        let fewest = self.points.iter().map(|point| point.threads).min().unwrap_or(1);
        let sizes: Vec<&Point> = self.points.iter().filter(|point| point.threads == most).collect();
        let Some(largest) = sizes.iter().copied().max_by_key(|point| point.rows) else {
            return String::new();
        };
        let tenth =
            sizes.iter().copied().min_by_key(|point| point.rows.abs_diff(largest.rows / 10));
        let alone = |point: &&Point| (point.rows, point.threads) == (largest.rows, fewest);
        let alone = self.points.iter().find(alone);
        let mut text = format!(
            "# scale: hits, seed {}\n\n{}\n\nNanoseconds per row, {most} threads\n\n| query |",
            self.seed, self.machine
        );
        for point in &sizes {
            let _infallible = write!(text, " {} rows |", format_count(point.rows));
        }
        let from = tenth.map_or(0, |point| point.rows);
        let _infallible = write!(
            text,
            " growth from {} rows | speed-up over {fewest} at {} rows |\n|---|{}\n",
            format_count(from),
            format_count(largest.rows),
            "--:|".repeat(sizes.len() + 2)
        );
        let mut ratios = [Vec::new(), Vec::new()];
        for (query_idx, query) in largest.queries.iter().enumerate() {
            let _infallible =
                write!(text, "| {}{} |", query.query, if query.statistics { " *" } else { "" });
            for point in &sizes {
                let per_row = per_row(point, query_idx);
                let _infallible = write!(
                    text,
                    " {} |",
                    per_row.map_or_else(|| "failed".into(), |x| format!("{x:.3}"))
                );
            }
            let growth = tenth
                .and_then(|point| ratio(per_row(largest, query_idx), per_row(point, query_idx)));
            let speed_up = alone
                .and_then(|point| ratio(per_row(point, query_idx), per_row(largest, query_idx)));
            for (ratio, ratios) in [growth, speed_up].into_iter().zip(&mut ratios) {
                let shown = ratio.map_or_else(|| "–".into(), |ratio| format!("{ratio:.2}"));
                let _infallible = write!(text, " {shown} |");
                ratios.extend(ratio.filter(|_| !query.statistics));
            }
            text.push('\n');
        }
        let means = ratios.map(|ratios| geometric_mean(ratios.into_iter()).unwrap_or(f64::NAN));
        let _infallible = write!(
            text,
            "\nGeometric means without those that statistics answer (*): growth {:.2}, speed-up {:.2}.\n",
            means[0], means[1]
        );
        text
    }
}

fn per_row(point: &Point, query_idx: usize) -> Option<f64> {
    let seconds = point.queries.get(query_idx)?.median()?;
    Some(seconds * 1e9 / to_f64(point.rows.max(1)))
}

fn ratio(numerator: Option<f64>, denominator: Option<f64>) -> Option<f64> {
    Some(numerator? / denominator?).filter(|ratio| ratio.is_finite())
}

#[cfg(test)]
mod tests {
    use super::super::query::parse;
    use super::*;

    #[test]
    fn growth_and_speed_up_are_ratios_of_times_per_row() -> Result<()> {
        let query = &parse("-- a\nSELECT 1")?[0];
        let point = |rows, threads, seconds| {
            let mut figures = QueryFigures::new(query);
            figures.seconds = vec![seconds];
            Point { rows, threads, load: load::LoadRecord::default(), queries: vec![figures] }
        };
        let points = vec![
            point(1_000_000, 1, 0.004),
            point(1_000_000, 2, 0.002),
            point(10_000_000, 1, 0.045),
            point(10_000_000, 2, 0.03),
        ];
        let report = ScaleReport { machine: Machine::default(), seed: 1, points };
        let text = report.to_markdown();
        assert!(text.contains("| 1,000,000 rows | 10,000,000 rows | growth from 1,000,000 rows |"));
        assert!(text.contains("| a | 2.000 | 3.000 | 1.50 | 1.50 |\n"), "{text}");
        assert!(text.ends_with("growth 1.50, speed-up 1.50.\n"), "{text}");
        Ok(())
    }
}
