//! A comparison as Markdown.

use std::fmt::Write;

use martlet::output::format_count;

use super::report::{CompareReport, EngineFigures};
use crate::host::{megabytes, milliseconds};
use crate::suite::figures::{Check, QueryFigures};

/// The report.
pub(crate) fn render(report: &CompareReport) -> String {
    let mut text = String::new();
    head(&mut text, report);
    engines(&mut text, report);
    losses(&mut text, report);
    queries(&mut text, report);
    text
}

fn head(text: &mut String, report: &CompareReport) {
    let bandwidth = report.bandwidth;
    let _infallible = write!(
        text,
        "# Martlet beside its peers: {}, {} rows, seed {}\n\n\
         {}\n\n\
         {} threads each; medians of {} alternated warm runs, one untimed run before them. \
         Memory is read at {:.1} GB/s by one thread, {:.1} GB/s by {}. The Parquet file has {}.\n\n",
        report.suite,
        format_count(report.rows),
        report.seed,
        report.machine,
        report.threads,
        report.run_count,
        bandwidth.one_thread / 1e9,
        bandwidth.all_threads / 1e9,
        report.threads,
        megabytes(report.parquet_bytes)
    );
    for (name, reason) in &report.absent {
        let _infallible = write!(text, "**{name} is absent**: {}\n\n", one_line(reason));
    }
    let query_count = report.martlet.queries.len();
    let compared = (0..query_count).filter_map(|query_idx| report.is_won(query_idx));
    let won = compared.filter(|is_won| *is_won).count();
    let times = |mean: Option<f64>| mean.map_or_else(|| "–".into(), |mean| format!("{mean:.2} x"));
    let _infallible = write!(
        text,
        "Won {won} of {query_count} queries (at most envelope x 1.05 + 0.1 ms). Ahead of the envelope by {} in the \
         geometric mean, {} without the queries that statistics alone answer (*).\n\n",
        times(report.mean_ahead(true)),
        times(report.mean_ahead(false))
    );
}

fn engines(text: &mut String, report: &CompareReport) {
    text.push_str(
        "| engine | version | load, s | size | load peak, MiB | query peak, MiB | mean, ms | mean without *, ms | failed | other answer |\n\
         |---|---|--:|--:|--:|--:|--:|--:|--:|--:|\n",
    );
    for engine in report.engines() {
        let mean = |with| engine.mean(with).map_or_else(|| "–".into(), milliseconds);
        let (failed, other) = engine.faults();
        let _infallible = writeln!(
            text,
            "| {} | {} | {:.2} | {} | {} | {} | {} | {} | {failed} | {other} |",
            engine.name,
            engine.version,
            engine.load_s,
            megabytes(engine.bytes),
            engine.load_peak_kb / 1_024,
            engine.query_peak_kb() / 1_024,
            mean(true),
            mean(false)
        );
    }
    text.push('\n');
}

fn losses(text: &mut String, report: &CompareReport) {
    text.push_str("## Where Martlet loses\n\n");
    let lost = report.lost();
    if report.peers.is_empty() {
        text.push_str("No peer ran: nothing was compared.\n\n");
        return;
    }
    if lost.is_empty() {
        text.push_str("Nowhere.\n\n");
        return;
    }
    for query_idx in lost {
        let query = &report.martlet.queries[query_idx];
        let Some(best) = report.envelope(query_idx) else { continue };
        let _infallible = match query.median() {
            Some(_) if query.check == Check::Wrong => {
                writeln!(text, "- {}: the answer is wrong", query.query)
            }
            Some(ours) => writeln!(
                text,
                "- {}: {} ms, {} {} ms ({:.2} x)",
                query.query,
                milliseconds(ours),
                best.name,
                milliseconds(best.seconds),
                ours / best.seconds
            ),
            None => writeln!(text, "- {}: {}", query.query, failure(query)),
        };
    }
    text.push('\n');
}

fn queries(text: &mut String, report: &CompareReport) {
    text.push_str("## Queries\n\nMilliseconds.\n\n| query | rows |");
    for engine in report.engines() {
        let _infallible = write!(text, " {} |", engine.name);
    }
    let _infallible = write!(
        text,
        " envelope | ahead | won | read | limit, 1 thread | limit, {} threads |\n|---|--:|{}---|--:|---|--:|--:|--:|\n",
        report.threads,
        "--:|".repeat(report.peers.len() + 1)
    );
    for (query_idx, query) in report.martlet.queries.iter().enumerate() {
        let rows =
            query.answer.as_ref().map_or_else(|| "–".into(), |answer| format_count(answer.rows));
        let mark = if query.statistics { " *" } else { "" };
        let _infallible = write!(text, "| {}{mark} | {rows} |", query.query);
        for engine in report.engines() {
            let _infallible = write!(text, " {} |", cell(engine, query_idx));
        }
        let best = report.envelope(query_idx).map_or("–", |best| best.name);
        let ahead = report.ahead(query_idx);
        let ahead = ahead.map_or_else(|| "–".into(), |ahead| format!("{ahead:.2} x"));
        let won = match report.is_won(query_idx) {
            Some(true) => "won",
            Some(false) => "**lost**",
            None => "–",
        };
        let read = query.bytes_read.map_or_else(|| "–".into(), megabytes);
        let limits = report.limits(query_idx);
        let limit = |part: fn((f64, f64)) -> f64| {
            limits.map_or_else(|| "–".into(), |limits| milliseconds(part(limits)))
        };
        let (one, all) = (limit(|limits| limits.0), limit(|limits| limits.1));
        let _infallible = writeln!(text, " {best} | {ahead} | {won} | {read} | {one} | {all} |");
    }
    text.push_str(
        "\n*: statistics alone answer. ≠: another answer than the oracle's, not in the envelope. The limit is what reading \
         the query's pages from memory takes; texts of dictionaries are not in it.\n",
    );
    failures(text, report);
}

fn failures(text: &mut String, report: &CompareReport) {
    for engine in report.engines() {
        for query in engine.queries.iter().filter(|query| query.error.is_some()) {
            let _infallible =
                write!(text, "\n{} failed at {}: {}\n", engine.name, query.query, failure(query));
        }
    }
}

fn cell(engine: &EngineFigures, query_idx: usize) -> String {
    let query = &engine.queries[query_idx];
    let mark = if query.check == Check::Wrong { " ≠" } else { "" };
    query.median().map_or_else(|| "failed".into(), |median| milliseconds(median) + mark)
}

fn failure(query: &QueryFigures) -> String {
    one_line(query.error.as_deref().unwrap_or("no runs"))
}

/// At most 200 characters on one line.
fn one_line(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    line.chars().take(200).collect()
}

#[cfg(test)]
mod tests {
    use super::super::report::tests::sample;
    use super::*;

    #[test]
    fn the_report_says_who_is_ahead_and_where_we_lose() {
        let text = render(&sample());
        for line in [
            "# Martlet beside its peers: hits, 1,000 rows, seed 1\n",
            "Memory is read at 10.0 GB/s by one thread, 20.0 GB/s by 2.",
            "**gone is absent**: no module\n",
            "Won 2 of 3 queries",
            "| fast | 1.0 | 1.25 | 5.0 MB | 0 | 0 |",
            "## Where Martlet loses\n\n- 2: 20.00 ms, fast 10.00 ms (2.00 x)\n\n",
            "| query | rows | martlet | fast | failing | envelope |",
            "| 1 | 10 | 5.000 | 20.00 | 40.00 | fast | 4.00 x | won | 2.0 MB | 0.200 | 0.100 |\n",
            "| 2 | 10 | 20.00 | 10.00 | failed | fast | 0.50 x | **lost** |",
            "| 3 * | 10 | 2.100 | 1.000 ≠ | 2.000 | failing | 0.95 x | won |",
            "failing failed at 2: no <such> function\n",
        ] {
            assert!(text.contains(line), "{line} is not in:\n{text}");
        }
    }

    #[test]
    fn tables_have_as_many_cells_in_every_row() {
        let text = render(&sample());
        let tables = text.split("\n\n").filter(|block| block.starts_with("| "));
        let mut count = 0;
        for table in tables {
            let mut counts: Vec<usize> =
                table.lines().map(|line| line.matches('|').count()).collect();
            counts.dedup();
            assert_eq!(counts.len(), 1, "{table}");
            count += 1;
        }
        assert_eq!(count, 2);
    }

    #[test]
    fn without_peers_nothing_is_claimed() {
        let mut report = sample();
        report.peers.clear();
        let text = render(&report);
        assert!(text.contains("No peer ran: nothing was compared."), "{text}");
        assert!(text.contains("| 1 | 10 | 5.000 | – | – | – | 2.0 MB |"), "{text}");
    }
}
