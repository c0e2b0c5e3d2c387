//! Who visits which page when, for one row group of the hits mart: what the columns depend on
//! together.
//!
//! The mart is clustered by counter (a site's identifier): within a row group rows ascend by counter, day and
//! visitor. A counter owns a stretch of the page and visitor pools as long as its share of the rows, and most
//! of its rows come from there, so that neighbours share pages and visitors as they do in real logs.

use std::ops::Range;

use super::pools::{Pools, User};
use crate::random::{Quantiles, Random, floor, to_f64, to_usize};

/// 2013-07-01 00:00 UTC in seconds since 1970.
const FIRST_SECOND: i64 = 1_372_636_800;
const DAYS: u64 = 31;
const SECONDS_PER_DAY: i64 = 86_400;
const FAMILY_ROWS: u64 = 20;
const FAMILY_LAYOUT: u64 = 21;

/// How many rows each counter has, in ascending order of counters.
#[derive(Debug)]
pub(super) struct Layout {
    counters: Vec<i32>,
    /// The first row of each counter, and the row count at the end.
    first_rows: Vec<u64>,
    time_of_day: Quantiles,
}

impl Layout {
    /// Draws a counter for each of `row_count` rows and keeps only how often each came.
    pub(super) fn new(seed: u64, row_count: u64, pools: &Pools) -> Layout {
        let (counters, order) = pools.counters();
        let known = counters.binary_search(&super::KNOWN_COUNTER).expect("always among them");
        let mut counts = vec![0_u64; counters.len()];
        let mut random = Random::stream(seed, FAMILY_LAYOUT, 0);
        for _ in 0..row_count {
            let counter_idx = if random.chance(0.0074) {
                known
            } else {
                order[to_usize(random.zipf(order.len() as u64, 0.8))]
            };
            counts[counter_idx] += 1;
        }
        let mut first_rows = vec![0];
        let mut sum = 0;
        for count in counts {
            sum += count;
            first_rows.push(sum);
        }
        // Beta(4, 2.5): a day's visits peak in the afternoon.
        let time_of_day = Quantiles::of(|x| x.powi(3) * (1.0 - x).powf(1.5));
        Layout { counters, first_rows, time_of_day }
    }

    /// A visitor who comes a few times in any mart: the first of the counter that has the row a
    /// third into it.
    pub(super) fn frequent_user(&self, pools: &Pools) -> u64 {
        let counter_idx = self.counter_idx(self.row_count() / 3);
        floor(stretch(self, counter_idx).at * to_f64(pools.user_count - 1))
    }

    fn counter_idx(&self, row: u64) -> usize {
        self.first_rows.partition_point(|first| *first <= row).min(self.counters.len()) - 1
    }

    fn row_count(&self) -> u64 {
        *self.first_rows.last().expect("it starts with a 0")
    }
}

/// The rows of one row group.
#[derive(Debug)]
pub(super) struct Rows {
    pub(super) first_row: u64,
    pub(super) counter: Vec<i32>,
    /// Seconds since 1970.
    pub(super) time: Vec<i64>,
    pub(super) user_idx: Vec<u64>,
    pub(super) user: Vec<User>,
    /// The page seen.
    pub(super) page: Vec<u64>,
    /// The page that led there.
    pub(super) referer: Vec<Option<u64>>,
    /// Whether the visit came from a search.
    pub(super) searching: Vec<bool>,
}

/// A counter's place in the pools, both as shares of the whole.
#[derive(Clone, Copy)]
struct Stretch {
    at: f64,
    width: f64,
}

impl Rows {
    /// The rows `range` of the mart.
    pub(super) fn new(seed: u64, pools: &Pools, layout: &Layout, range: Range<u64>) -> Rows {
        let random = &mut Random::stream(seed, FAMILY_ROWS, range.start);
        let len = to_usize(range.end - range.start);
        let mut counter = Vec::with_capacity(len);
        let mut stretches = Vec::with_capacity(len);
        let mut visits = Vec::with_capacity(len);
        for row in range.clone() {
            let counter_idx = layout.counter_idx(row);
            let stretch = stretch(layout, counter_idx);
            let user_idx = near(random, pools.user_count, stretch, 0.75);
            let day = random.below(DAYS).cast_signed();
            let share_of_day = layout.time_of_day.sample(random);
            let second = floor(share_of_day * to_f64(86_399)).cast_signed();
            counter.push(layout.counters[counter_idx]);
            visits.push((layout.counters[counter_idx], day, user_idx, second));
            stretches.push(stretch);
        }
        // Seconds are in no order within a day, as in the reference.
        visits.sort_by_key(|(counter, day, user_idx, _)| (*counter, *day, *user_idx));
        let time = |&(_, day, _, second): &(i32, i64, u64, i64)| {
            FIRST_SECOND + day * SECONDS_PER_DAY + second
        };
        let user_idx = with_sessions(random, &visits);
        let mut rows = Rows {
            first_row: range.start,
            counter,
            time: visits.iter().map(time).collect(),
            user: users(pools, &user_idx),
            user_idx,
            page: Vec::with_capacity(len),
            referer: Vec::with_capacity(len),
            searching: Vec::with_capacity(len),
        };
        for stretch in stretches {
            rows.page.push(near(random, pools.page_count, stretch, 0.9));
            let referer = near(random, pools.page_count, stretch, 0.6);
            rows.referer.push((!random.chance(0.19)).then_some(referer));
            rows.searching.push(random.chance(0.132));
        }
        rows
    }

    /// How many rows there are.
    pub(super) fn len(&self) -> usize {
        self.counter.len()
    }
}

/// In half the rows the visitor of the row before, as if within a session.
fn with_sessions(random: &mut Random, visits: &[(i32, i64, u64, i64)]) -> Vec<u64> {
    let user = |row: usize| visits[row].2;
    let before = |row: usize| if row == 0 { visits.len() - 1 } else { row - 1 };
    (0..visits.len())
        .map(|row| if random.chance(0.5) { user(before(row)) } else { user(row) })
        .collect()
}

/// The visitors' properties; neighbours are often the same one.
fn users(pools: &Pools, user_idx: &[u64]) -> Vec<User> {
    let mut users: Vec<User> = Vec::with_capacity(user_idx.len());
    for (row, user) in user_idx.iter().enumerate() {
        let same = row > 0 && user_idx[row - 1] == *user;
        users.push(if same { users[row - 1] } else { pools.user(*user) });
    }
    users
}

fn stretch(layout: &Layout, counter_idx: usize) -> Stretch {
    let first = layout.first_rows[counter_idx];
    let row_count = to_f64(layout.row_count());
    Stretch {
        at: to_f64(first) / row_count,
        width: to_f64(layout.first_rows[counter_idx + 1] - first) / row_count,
    }
}

/// With probability `share` an item of the stretch's own, else any by Zipf's law.
fn near(random: &mut Random, pool_len: u64, stretch: Stretch, share: f64) -> u64 {
    if random.chance(share) {
        let into = random.exponential(0.25).min(0.999);
        let width = (stretch.width * to_f64(pool_len)).max(8.0);
        (floor(stretch.at * to_f64(pool_len - 1)) + floor(into * width)) % pool_len
    } else {
        random.zipf(pool_len, 0.85)
    }
}
