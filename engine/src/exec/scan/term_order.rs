//! The order in which the terms of a filter are tried: what costs little for each row that it drops
//! comes first.
//!
//! Statistics give the first order. Where there are pages enough to learn from, every term then leads
//! on one page, and from there on the order is that of the measured time over the measured share of
//! rows dropped, which is the best one for independent terms (Hellerstein and Stonebraker, Predicate
//! Migration, 1993). Only the leading term is measured: it alone sees rows that no other has chosen.
//! Must not know how terms are tested.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use crate::types::Result;

/// Pages of a scan, for each of its terms, from which learning pays.
const PAGES_PER_TERM_MIN: usize = 16;

/// What is known of the terms of a scan, over all workers.
#[derive(Debug)]
pub(super) struct TermOrder {
    tallies: Vec<Tally>,
    learns: bool,
}

#[derive(Debug, Default)]
struct Tally {
    nanos: AtomicU64,
    asked: AtomicU64,
    kept: AtomicU64,
}

impl Tally {
    fn is_measured(&self) -> bool {
        self.asked.load(Ordering::Relaxed) > 0
    }

    /// Nanoseconds for each row dropped.
    #[expect(clippy::cast_precision_loss, reason = "an estimate")]
    fn price(&self) -> f64 {
        let [nanos, asked, kept] =
            [&self.nanos, &self.asked, &self.kept].map(|tally| tally.load(Ordering::Relaxed));
        // A term that drops nothing is not free of worth: another page may be otherwise.
        nanos as f64 / (asked.saturating_sub(kept) as f64 + 0.5)
    }
}

impl TermOrder {
    /// For `term_count` terms over `page_count` pages.
    pub(super) fn new(term_count: usize, page_count: usize) -> TermOrder {
        TermOrder {
            tallies: (0..term_count).map(|_| Tally::default()).collect(),
            learns: term_count > 1 && page_count >= term_count * PAGES_PER_TERM_MIN,
        }
    }

    /// Sorts what is to be tried on a page; `term` gives its term.
    pub(super) fn arrange<T>(&self, tests: &mut [T], term: impl Fn(&T) -> usize) {
        if !self.learns || tests.len() < 2 {
            return;
        }
        let tally = |test: &T| &self.tallies[term(test)];
        if let Some(unmeasured) = tests.iter().position(|test| !tally(test).is_measured()) {
            tests[..=unmeasured].rotate_right(1);
        } else {
            tests.sort_by(|left, right| tally(left).price().total_cmp(&tally(right).price()));
        }
    }

    /// Runs the leading term of a page, which is `term`, on `rows`; `count` counts those left.
    ///
    /// # Errors
    /// What `test` gives.
    pub(super) fn lead<R>(
        &self,
        term: usize,
        rows: &mut R,
        count: impl Fn(&R) -> u32,
        test: impl FnOnce(&mut R) -> Result<()>,
    ) -> Result<()> {
        if !self.learns {
            return test(rows);
        }
        let tally = &self.tallies[term];
        let asked = count(rows);
        let start = Instant::now();
        test(rows)?;
        let nanos = u64::try_from(start.elapsed().as_nanos()).unwrap_or(u64::MAX);
        tally.nanos.fetch_add(nanos, Ordering::Relaxed);
        tally.kept.fetch_add(count(rows).into(), Ordering::Relaxed);
        tally.asked.fetch_add(asked.into(), Ordering::Relaxed);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_term_leads_once_and_then_the_cheapest_for_what_it_drops() -> Result<()> {
        let order = TermOrder::new(3, 100);
        let mut leaders = Vec::new();
        for _ in 0..3 {
            let mut tests = [0, 1, 2];
            order.arrange(&mut tests, |term| *term);
            leaders.push(tests[0]);
            // Term 1 drops nearly all, term 0 a tenth, term 2 nothing.
            let kept = [900, 1, 1_000][tests[0]];
            order.lead(
                tests[0],
                &mut 1_000,
                |rows| *rows,
                |rows| {
                    std::thread::sleep(std::time::Duration::from_micros(50));
                    *rows = kept;
                    Ok(())
                },
            )?;
        }
        assert_eq!(leaders, [0, 1, 2]);
        let mut tests = [0, 1, 2];
        order.arrange(&mut tests, |term| *term);
        assert_eq!(tests, [1, 0, 2]);
        Ok(())
    }

    #[test]
    fn few_pages_keep_the_order_of_the_statistics() -> Result<()> {
        let order = TermOrder::new(2, 31);
        order.lead(
            1,
            &mut 10,
            |rows| *rows,
            |rows| {
                *rows = 0;
                Ok(())
            },
        )?;
        let mut tests = [0, 1];
        order.arrange(&mut tests, |term| *term);
        assert_eq!(tests, [0, 1]);
        Ok(())
    }
}
