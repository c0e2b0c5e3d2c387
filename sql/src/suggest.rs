//! Which known name was meant by an unknown one.

use martlet_engine::types::{Result, TimeZone};

/// The up to three of `candidates` nearest to `name`, best first; those too far away are left out.
///
/// Case is ignored. Distance counts insertions, deletions, substitutions and swaps of neighbours; a
/// third of the name's length may differ, at least one character. A name that contains the other is
/// near, too.
///
/// ```
/// let names = ["WHERE", "GROUP", "HAVING"];
/// assert_eq!(martlet::nearest("WHER", names.into_iter()), ["WHERE"]);
/// ```
pub fn nearest<'a>(name: &str, candidates: impl Iterator<Item = &'a str>) -> Vec<String> {
    let wanted: Vec<char> = name.chars().flat_map(char::to_lowercase).collect();
    let allowed = (wanted.len() / 3).max(1);
    let mut best: Vec<(usize, &str)> = Vec::new();
    for candidate in candidates {
        let Some(distance) = distance_within(&wanted, candidate, allowed) else { continue };
        let place = best.partition_point(|(other, _)| *other <= distance);
        if place < 3 {
            best.insert(place, (distance, candidate));
            best.truncate(3);
        }
    }
    best.into_iter().map(|(_, candidate)| candidate.to_owned()).collect()
}

/// The time zone of that name, or an error with those that may be meant.
pub(crate) fn time_zone(name: &str) -> Result<TimeZone> {
    TimeZone::named(name).map_err(|error| error.with_suggestions(time_zones(name)))
}

/// The time zones whose names are near, or end so: `Berlin`.
fn time_zones(name: &str) -> Vec<String> {
    let names: Vec<String> = TimeZone::names().collect();
    let near = nearest(name, names.iter().map(String::as_str));
    if !near.is_empty() {
        return near;
    }
    let place = |full: &str| full.rsplit('/').next().unwrap_or(full).to_owned();
    let places: Vec<String> = names.iter().map(|full| place(full)).collect();
    let near = nearest(name, places.iter().map(String::as_str));
    let is_near = |full: &&String| near.contains(&place(full));
    names.iter().filter(is_near).take(3).cloned().collect()
}

/// As [`nearest`], for names of tables and columns: when none is near, the shortest that `name`
/// abbreviates, such as `Usr` for `UserID`.
pub(crate) fn nearest_names<'a>(
    name: &str,
    candidates: impl Iterator<Item = &'a str> + Clone,
) -> Vec<String> {
    let near = nearest(name, candidates.clone());
    if !near.is_empty() {
        return near;
    }
    let wanted: Vec<char> = name.chars().flat_map(char::to_lowercase).collect();
    let mut meant: Vec<&str> = candidates.filter(|found| abbreviates(&wanted, found)).collect();
    meant.sort_by_key(|found| found.chars().count());
    meant.into_iter().take(3).map(str::to_owned).collect()
}

/// Whether the characters of `wanted`, three or more, are in `candidate` in this order, from its first
/// one on and no fewer than one of three.
fn abbreviates(wanted: &[char], candidate: &str) -> bool {
    let found: Vec<char> = candidate.chars().flat_map(char::to_lowercase).collect();
    let mut rest = found.iter();
    wanted.len() >= 3
        && wanted.len() * 3 >= found.len()
        && wanted.first() == found.first()
        && wanted.iter().all(|c| rest.any(|other| other == c))
}

/// The distance if it is at most `allowed`, or `allowed` for a candidate that contains the name.
fn distance_within(wanted: &[char], candidate: &str, allowed: usize) -> Option<usize> {
    let found: Vec<char> = candidate.chars().flat_map(char::to_lowercase).collect();
    if wanted.len().abs_diff(found.len()) <= allowed {
        let distance = edit_distance(wanted, &found);
        if distance <= allowed {
            return Some(distance);
        }
    }
    let contains = wanted.len() >= 4 && found.windows(wanted.len()).any(|part| part == wanted);
    contains.then_some(allowed + 1)
}

/// Optimal string alignment distance, three rows of the table at a time.
fn edit_distance(a: &[char], b: &[char]) -> usize {
    let mut before: Vec<usize> = vec![0; b.len() + 1];
    let mut previous: Vec<usize> = (0..=b.len()).collect();
    for i in 1..=a.len() {
        let mut current = vec![i; b.len() + 1];
        for j in 1..=b.len() {
            let substituted = previous[j - 1] + usize::from(a[i - 1] != b[j - 1]);
            let mut best = substituted.min(previous[j] + 1).min(current[j - 1] + 1);
            let swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
            if swapped {
                best = best.min(before[j - 2] + 1);
            }
            current[j] = best;
        }
        before = std::mem::replace(&mut previous, current);
    }
    previous[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn swaps_and_slips_are_near_and_the_rest_is_not() {
        let names = ["WHERE", "GROUP", "ORDER", "revenue_total", "RegionID"];
        let of = |name| nearest(name, names.into_iter());
        assert_eq!(of("WHER"), ["WHERE"]);
        assert_eq!(of("gruop"), ["GROUP"]);
        assert_eq!(of("region_id"), ["RegionID"]);
        assert_eq!(of("revenue"), ["revenue_total"]);
        assert!(of("xyz").is_empty());
    }

    #[test]
    fn abbreviations_are_understood_when_nothing_is_near() {
        let names = ["user_identifier", "UserID", "UserAgent", "quantity"];
        let of = |name| nearest_names(name, names.into_iter());
        assert_eq!(of("Usr"), ["UserID", "UserAgent"]);
        assert_eq!(of("qty"), ["quantity"]);
        assert_eq!(of("usrid"), ["UserID"]);
        assert!(of("us").is_empty() && of("xty").is_empty());
    }

    #[test]
    fn at_most_three_are_named() {
        let names: Vec<String> = (0..4000).map(|i| format!("column_{i:04}")).collect();
        let near = nearest("column_0001x", names.iter().map(String::as_str));
        assert_eq!(near.len(), 3);
        assert_eq!(near[0], "column_0001");
    }
}
