//! The order in which the terms of a filter are tried: what costs little for each row that it drops
//! comes first.
//!
//! Statistics give the first order. Where there are pages enough to learn from, every term then leads
//! on one page, and from there on the order is that of the measured time over the measured share of
//! rows dropped, which is the best one for independent terms (Hellerstein and Stonebraker, Predicate
//! Migration, 1993). Only the leading term is measured: it alone sees rows that no other has chosen.
//! Must not know how terms are tested.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

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
        let asked = count(rows);
        let start = Instant::now();
        test(rows)?;
        self.note(term, start.elapsed(), (asked, count(rows)));
        Ok(())
    }

    /// Notes what a leading term took, the rows it was asked about, and those it kept.
    fn note(&self, term: usize, time: Duration, (asked, kept): (u32, u32)) {
        let tally = &self.tallies[term];
        let nanos = u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
        tally.nanos.fetch_add(nanos, Ordering::Relaxed);
        tally.kept.fetch_add(kept.into(), Ordering::Relaxed);
        tally.asked.fetch_add(asked.into(), Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arranged(order: &TermOrder) -> [usize; 3] {
        let mut tests = [0, 1, 2];
        order.arrange(&mut tests, |term| *term);
        tests
    }

    #[test]
    fn every_term_leads_once_and_then_the_cheapest_for_what_it_drops() -> Result<()> {
        let order = TermOrder::new(3, 100);
        // Term 1 drops nearly all, term 0 a tenth in the same time, term 2 nothing.
        for (leader, kept) in [(0, 900), (1, 1), (2, 1_000)] {
            assert_eq!(arranged(&order)[0], leader);
            order.note(leader, Duration::from_micros(50), (1_000, kept));
        }
        assert_eq!(arranged(&order), [1, 0, 2]);
        // Dearer than what it drops is worth.
        order.note(1, Duration::from_millis(2), (1_000, 1));
        assert_eq!(arranged(&order), [0, 1, 2]);
        let mut rows = 7;
        let halve = |rows: &mut u32| {
            *rows = 3;
            Ok(())
        };
        order.lead(0, &mut rows, |rows| *rows, halve)?;
        let tallied = [&order.tallies[0].asked, &order.tallies[0].kept];
        assert_eq!(tallied.map(|tally| tally.load(Ordering::Relaxed)), [1_007, 903]);
        Ok(())
    }

    #[test]
    fn few_pages_keep_the_order_of_the_statistics() {
        let order = TermOrder::new(3, 47);
        order.note(2, Duration::ZERO, (10, 0));
        assert_eq!(arranged(&order), [0, 1, 2]);
    }
}
