//! The key at a place in the order of a group's keys, and the one behind it.
//!
//! Few keys are copied and partitioned around pivots. Many are counted in 4,096 ranges between the
//! least and the greatest, then those of the range that has the place in it again, until few are
//! left: the keys stay where they are, and every worker counts some. Must not know what keys mean.

use rayon::prelude::*;

use super::pairs::is_worker;

/// Keys that are copied.
const COPIED_MAX: usize = if cfg!(test) { 40 } else { 1 << 15 };
/// Keys that one worker counts at once.
const SHARED_MIN: usize = 1 << 18;
const RANGE_BITS: u32 = if cfg!(test) { 3 } else { 12 };

/// The keys at `place` and `place + 1` in the order of `keys`; the last one again when there is none
/// behind it.
///
/// # Panics
/// When there is no such place.
pub(super) fn select(keys: &[&[u64]], place: usize, scratch: &mut Vec<u64>) -> (u64, u64) {
    let len: usize = keys.iter().map(|piece| piece.len()).sum();
    assert!(place < len, "the place is among the keys");
    let all = || keys.iter().flat_map(|piece| piece.iter().copied());
    if len <= COPIED_MAX {
        scratch.clear();
        for piece in keys {
            scratch.extend_from_slice(piece);
        }
        return select_in(scratch, place);
    }
    let (least, greatest) = bounds(keys, 0, u64::MAX);
    let mut range = (least, greatest);
    // Keys below the range.
    let mut below = 0;
    let first = loop {
        let (low, high) = range;
        if low == high {
            break low;
        }
        let shift = (u64::BITS - (high - low).leading_zeros()).saturating_sub(RANGE_BITS);
        let (index, count) = {
            let counts = counts(keys, range, shift);
            let holds = |count: &usize| {
                let is_here = below + count > place;
                below += if is_here { 0 } else { *count };
                is_here
            };
            let index =
                counts.iter().position(holds).expect("a place among the keys is in a range");
            (index as u64, counts[index])
        };
        let start = low + (index << shift);
        range = (start, high.min(start.saturating_add((1 << shift) - 1)));
        if count <= COPIED_MAX && range.0 != range.1 {
            scratch.clear();
            scratch.extend(all().filter(|key| (range.0..=range.1).contains(key)));
            break select_in(scratch, place - below).0;
        }
    };
    let up_to = count(keys, |key| key <= first);
    let second =
        if up_to > place + 1 || up_to == len { first } else { bounds(keys, first + 1, u64::MAX).0 };
    (first, second)
}

fn select_in(keys: &mut [u64], place: usize) -> (u64, u64) {
    let (_, first, behind) = keys.select_nth_unstable(place);
    (*first, behind.iter().copied().min().unwrap_or(*first))
}

/// How many keys are in each part of the range, 2^`shift` long.
fn counts(keys: &[&[u64]], (low, high): (u64, u64), shift: u32) -> Vec<usize> {
    shared(
        keys,
        |keys| {
            let mut counts = vec![0; 1 << RANGE_BITS];
            for key in keys {
                if (low..=high).contains(key) {
                    counts[part(key - low, shift)] += 1;
                }
            }
            counts
        },
        |left, right| left.iter().zip(&right).map(|(left, right)| left + right).collect(),
    )
}

#[expect(clippy::cast_possible_truncation, reason = "the shift leaves as many bits as parts have")]
fn part(distance: u64, shift: u32) -> usize {
    (distance >> shift) as usize
}

fn count(keys: &[&[u64]], is_counted: impl Fn(u64) -> bool + Sync) -> usize {
    let some = |keys: &[u64]| keys.iter().filter(|key| is_counted(**key)).count();
    shared(keys, some, |left, right| left + right)
}

/// The least and the greatest key from `low` to `high`; the bounds swapped when there is none.
fn bounds(keys: &[&[u64]], low: u64, high: u64) -> (u64, u64) {
    let some = |keys: &[u64]| {
        let inside = keys.iter().filter(|key| (low..=high).contains(*key));
        inside.fold((high, low), |(least, greatest), key| (least.min(*key), greatest.max(*key)))
    };
    shared(keys, some, |left, right| (left.0.min(right.0), left.1.max(right.1)))
}

/// What `part` gives for parts of the keys, put together by `join`.
fn shared<T: Send>(
    keys: &[&[u64]],
    part: impl Fn(&[u64]) -> T + Sync + Send,
    join: impl Fn(T, T) -> T + Sync + Send,
) -> T {
    let joined = if is_worker() {
        keys.par_iter().flat_map(|piece| piece.par_chunks(SHARED_MIN)).map(part).reduce_with(join)
    } else {
        keys.iter().map(|piece| part(piece)).reduce(join)
    };
    joined.expect("there are keys")
}

#[cfg(test)]
#[expect(clippy::result_large_err, reason = "proptest's error type")]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Keys close together, far apart, and many times the same.
    fn keys() -> impl Strategy<Value = Vec<u64>> {
        let key = prop_oneof![
            any::<u64>(),
            0_u64..20,
            Just(7_u64),
            (u64::MAX - 9)..=u64::MAX,
            (0_u32..64).prop_map(|bit| 1 << bit),
        ];
        proptest::collection::vec(key, 1..300)
    }

    proptest! {
        #[test]
        fn a_place_has_the_key_that_sorting_puts_there(keys in keys(), place: prop::sample::Index) {
            let place = place.index(keys.len());
            let mut sorted = keys.clone();
            sorted.sort_unstable();
            let expected = (sorted[place], sorted[(place + 1).min(keys.len() - 1)]);
            let (some, others) = keys.split_at(keys.len() / 3);
            prop_assert_eq!(select(&[some, others], place, &mut Vec::new()), expected);
        }
    }
}
