//! The figures of one suite over one engine, and their table.

use std::fmt::{self, Write};

use martlet::output::format_count;
use serde::{Deserialize, Serialize};

use super::answer::{Answer, TOLERANCE};
use super::cold::Cold;
use super::martlet::Run;
use super::query::Query;
use super::run::cold_text;
use crate::Result;
use crate::host::{self, Machine};
use crate::load::LoadRecord;

/// Everything that one run of a suite found out.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct SuiteReport {
    pub(crate) suite: String,
    pub(crate) rows: u64,
    pub(crate) seed: u64,
    pub(crate) threads: usize,
    pub(crate) machine: Machine,
    pub(crate) load: LoadRecord,
    pub(crate) parquet_bytes: u64,
    pub(crate) queries: Vec<QueryFigures>,
}

/// The figures of one query.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct QueryFigures {
    pub(crate) query: String,
    /// Statistics alone answer it.
    pub(crate) statistics: bool,
    /// Of each timed run, answer fully consumed; none if it failed.
    pub(crate) seconds: Vec<f64>,
    pub(crate) cold: Option<Cold>,
    /// What every run answered.
    pub(crate) answer: Option<Answer>,
    pub(crate) check: Check,
    pub(crate) bytes_read: Option<u64>,
    /// The most anonymous memory that the process had, in units of 1,024 bytes.
    pub(crate) anonymous_peak_kb: u64,
    /// Why there are no figures.
    pub(crate) error: Option<String>,
}

/// Whether an answer is that of the oracle.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Check {
    Right,
    Wrong,
    /// The oracle was not asked.
    Unchecked,
}

impl Check {
    /// Holds the answer against the oracle's.
    pub(crate) fn of(figures: &QueryFigures, expected: Option<&Answer>) -> Check {
        Check::within(figures, expected, TOLERANCE)
    }

    /// The same with a tolerance for rounded columns.
    pub(crate) fn within(
        figures: &QueryFigures,
        expected: Option<&Answer>,
        tolerance: f64,
    ) -> Check {
        match (&figures.answer, expected) {
            (Some(answer), Some(expected)) if answer.agrees_with(expected, tolerance) => {
                Check::Right
            }
            (Some(_), Some(_)) => Check::Wrong,
            _ => Check::Unchecked,
        }
    }
}

impl QueryFigures {
    pub(crate) fn new(query: &Query) -> QueryFigures {
        QueryFigures {
            query: query.name.clone(),
            statistics: query.facts.statistics,
            seconds: Vec::new(),
            cold: None,
            answer: None,
            check: Check::Unchecked,
            bytes_read: None,
            anonymous_peak_kb: 0,
            error: None,
        }
    }

    /// Adds a timed run. One that fails or answers otherwise than those before ends the query.
    pub(crate) fn add(&mut self, run: Result<Run>, tolerance: f64) {
        if let Some(run) = self.note(run, tolerance) {
            self.seconds.push(run.seconds);
        }
    }

    /// The same, its time not counted.
    pub(crate) fn add_untimed(&mut self, run: Result<Run>, tolerance: f64) {
        let _untimed = self.note(run, tolerance);
    }

    fn note(&mut self, run: Result<Run>, tolerance: f64) -> Option<Run> {
        let run = match run {
            Ok(run) => run,
            Err(error) => {
                self.fail(&error.to_string());
                return None;
            }
        };
        if self.answer.as_ref().is_some_and(|answer| !answer.agrees_with(&run.answer, tolerance)) {
            self.fail("two runs gave two answers");
            return None;
        }
        self.bytes_read = run.bytes_read;
        self.answer.get_or_insert_with(|| run.answer.clone());
        Some(run)
    }

    fn fail(&mut self, error: &str) {
        self.seconds.clear();
        self.answer = None;
        // One line of a table.
        self.error = Some(error.split_whitespace().collect::<Vec<_>>().join(" "));
    }

    /// The median of the timed runs, if it did not fail.
    pub(crate) fn median(&self) -> Option<f64> {
        median(&self.seconds)
    }
}

/// The middle of `values`, of an even number the mean of the two in the middle.
pub(crate) fn median(values: &[f64]) -> Option<f64> {
    let mut values = values.to_vec();
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    let upper = *values.get(middle)?;
    Some(if values.len() % 2 == 1 { upper } else { f64::midpoint(values[middle - 1], upper) })
}

/// The geometric mean of seconds, each with 0.1 ms added, so that what takes no time does not decide.
pub(crate) fn geometric_mean(seconds: impl Iterator<Item = f64>) -> Option<f64> {
    let (mut sum, mut count) = (0.0, 0_u32);
    for value in seconds {
        sum += (value + 1e-4).ln();
        count += 1;
    }
    (count > 0).then(|| (sum / f64::from(count)).exp() - 1e-4)
}

impl fmt::Display for QueryFigures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:<4}", self.query)?;
        let (Some(median), Some(answer)) = (self.median(), &self.answer) else {
            return write!(f, " failed: {}", self.error.as_deref().unwrap_or("no runs"));
        };
        write!(f, " {:>10} ms {:>9} rows  {}", host::milliseconds(median), answer.rows, self.check)
    }
}

impl fmt::Display for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Check::Right => "right",
            Check::Wrong => "WRONG",
            Check::Unchecked => "not checked",
        })
    }
}

impl SuiteReport {
    /// How many queries failed or were answered wrong.
    pub(crate) fn fault_count(&self) -> usize {
        let is_fault = |query: &&QueryFigures| query.error.is_some() || query.check == Check::Wrong;
        self.queries.iter().filter(is_fault).count()
    }

    /// The report as Markdown.
    pub(crate) fn to_markdown(&self) -> String {
        let mut text = format!(
            "# {}: {} rows, seed {}\n\n{}, {} threads\n\nload {:.2} s, {} (Parquet {}), anonymous peak {} MiB\n\n\
             | query | warm, ms | cold, ms | rows | answer | read | anonymous peak, MiB |\n\
             |---|--:|--:|--:|---|--:|--:|\n",
            self.suite,
            format_count(self.rows),
            self.seed,
            self.machine,
            self.threads,
            self.load.load_s,
            host::megabytes(self.load.bytes),
            host::megabytes(self.parquet_bytes),
            self.load.anonymous_peak_kb / 1_024,
        );
        for query in &self.queries {
            let _infallible = match (query.median(), &query.answer) {
                (Some(median), Some(answer)) => writeln!(
                    text,
                    "| {}{} | {} | {} | {} | {} | {} | {} |",
                    query.query,
                    if query.statistics { " *" } else { "" },
                    host::milliseconds(median),
                    cold_text(query.cold),
                    format_count(answer.rows),
                    query.check,
                    query.bytes_read.map_or_else(|| "–".into(), host::megabytes),
                    query.anonymous_peak_kb / 1_024
                ),
                _ => writeln!(
                    text,
                    "| {} | failed | – | – | {} | – | – |",
                    query.query,
                    query.error.as_deref().unwrap_or("no runs").replace('|', "\\|")
                ),
            };
        }
        let mean = |queries: &mut dyn Iterator<Item = &QueryFigures>| {
            let mean = geometric_mean(queries.filter_map(QueryFigures::median));
            mean.map_or_else(|| "–".into(), host::milliseconds)
        };
        let _infallible = write!(
            text,
            "\nGeometric means of milliseconds plus 0.1: all {}, without those that statistics answer (*) {}.\n",
            mean(&mut self.queries.iter()),
            mean(&mut self.queries.iter().filter(|query| !query.statistics))
        );
        text
    }
}

#[cfg(test)]
mod tests {
    use super::super::query::parse;
    use super::*;

    fn answer(rows: u64) -> Answer {
        Answer { rows, hash: "0".into(), about: vec![] }
    }

    fn run(seconds: f64, rows: u64) -> Run {
        Run { seconds, answer: answer(rows), bytes_read: Some(2_500_000) }
    }

    fn figures() -> Result<QueryFigures> {
        Ok(QueryFigures::new(&parse("-- 7: statistics\nSELECT 1")?[0]))
    }

    #[test]
    fn the_median_is_in_the_middle() {
        assert_eq!(median(&[]), None);
        assert_eq!(median(&[3.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(median(&[4.0, 1.0, 2.0, 3.0]), Some(2.5));
    }

    #[test]
    fn the_geometric_mean_is_of_equal_values_that_value() {
        let mean = geometric_mean([0.5, 0.5].into_iter()).unwrap_or(0.0);
        assert!((mean - 0.5).abs() < 1e-12, "{mean}");
        let mean = geometric_mean([0.0099, 0.9999].into_iter()).unwrap_or(0.0);
        assert!((mean - 0.0999).abs() < 1e-9, "{mean}");
        assert_eq!(geometric_mean(std::iter::empty()), None);
    }

    #[test]
    fn an_answer_that_changes_is_a_failure() -> Result<()> {
        let mut figures = figures()?;
        figures.add(Ok(run(0.25, 3)), TOLERANCE);
        assert_eq!(Check::of(&figures, Some(&answer(3))), Check::Right);
        assert_eq!(Check::of(&figures, Some(&answer(4))), Check::Wrong);
        assert_eq!(Check::of(&figures, None), Check::Unchecked);
        figures.add(Ok(run(0.25, 4)), TOLERANCE);
        assert_eq!((figures.median(), figures.answer.is_some()), (None, false));
        assert_eq!(figures.to_string(), "7    failed: two runs gave two answers");
        Ok(())
    }

    #[test]
    fn the_report_is_markdown() -> Result<()> {
        let mut right = figures()?;
        right.add(Ok(run(0.25, 1_234)), TOLERANCE);
        right.check = Check::Right;
        right.cold = Some(Cold { open_s: 0.001, answer_s: 0.5 });
        let mut failed = figures()?;
        failed.add(Err("no |\nway".into()), TOLERANCE);
        let report = SuiteReport {
            suite: "hits".into(),
            rows: 1_000_000,
            seed: 5,
            threads: 2,
            machine: Machine::default(),
            load: LoadRecord {
                load_s: 1.5,
                bytes: 3_000_000,
                peak_kb: 0,
                anonymous_peak_kb: 2_048,
            },
            parquet_bytes: 4_000_000,
            queries: vec![right, failed],
        };
        assert_eq!(report.fault_count(), 1);
        let text = report.to_markdown();
        assert!(text.starts_with("# hits: 1,000,000 rows, seed 5\n"), "{text}");
        assert!(text.contains("load 1.50 s, 3.0 MB (Parquet 4.0 MB), anonymous peak 2 MiB\n"));
        assert!(
            text.contains("| 7 * | 250.00 | 500.00 | 1,234 | right | 2.5 MB | 0 |\n"),
            "{text}"
        );
        assert!(text.contains("| 7 | failed | – | – | no \\| way | – | – |\n"), "{text}");
        assert!(text.contains("all 250.00, without those that statistics answer (*) –."), "{text}");
        Ok(())
    }
}
