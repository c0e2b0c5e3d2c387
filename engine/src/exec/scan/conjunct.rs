//! One term of a scan's filter, made ready for one row group.
//!
//! Tried in this order: proven true or false by statistics; a comparison of codes; a comparison of
//! integers; evaluation, once per distinct value where the column has codes. Within a row group the
//! cheap and the selective terms come first.

use std::ops::{Bound, Range};
use std::sync::Arc;

use super::value_set::{ValueRange, ValueSet, Verdict};
use super::view::{ChunkView, CodesView, Column, DictionaryView};
use crate::encoding::CodeFilter;
use crate::types::{DataType, Result};

/// Ranges up to which testing each beats a table of all codes.
const RANGES_MAX: usize = 4;

/// What a term asks in one row group.
#[derive(Clone, Debug)]
pub(crate) enum Test {
    /// Nothing: every row passes.
    All,
    /// No row passes.
    None,
    /// Whether a row's code is in the set.
    Codes(CodeTest),
    /// Whether a row's integer is in one of the closed ranges; NULL passes as told.
    Integers { ranges: Vec<(i128, i128)>, null: bool },
    /// The predicate has to be evaluated.
    Evaluate,
}

impl Test {
    /// How dear the test is, and the share of rows that it is expected to keep.
    pub(crate) fn cost(&self) -> (u8, f64) {
        match self {
            Test::All | Test::None => (0, 0.0),
            Test::Codes(test) => (1, test.share),
            Test::Integers { ranges, .. } => {
                let point = ranges.iter().all(|(low, high)| low == high);
                (2, if point { 0.1 } else { 0.5 })
            }
            Test::Evaluate => (3, 0.5),
        }
    }

    /// Its name in a profile.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Test::All => "filter proven true",
            Test::None => "filter proven false",
            Test::Codes(_) => "filter on codes",
            Test::Integers { .. } => "filter on integers",
            Test::Evaluate => "filter evaluated",
        }
    }
}

/// A set of codes of one row group.
#[derive(Clone, Debug)]
pub(crate) struct CodeTest {
    /// Ascending and disjoint; NULL's code included where NULL passes.
    ranges: Vec<Range<u32>>,
    /// A bit per code, when there are many ranges.
    table: Option<Arc<Vec<u64>>>,
    share: f64,
}

impl CodeTest {
    /// `code_count` includes NULL's code if it occurs.
    fn new(mut ranges: Vec<Range<u32>>, code_count: u32) -> CodeTest {
        let kept: u32 = ranges.iter().map(|range| range.end - range.start).sum();
        let share = f64::from(kept) / f64::from(code_count.max(1));
        let table = (ranges.len() > RANGES_MAX).then(|| {
            let mut table = vec![0_u64; (code_count as usize).div_ceil(64)];
            for code in ranges.iter().cloned().flatten() {
                table[(code / 64) as usize] |= 1 << (code % 64);
            }
            Arc::new(table)
        });
        // No code is beyond the last, so that the width of a block proves more.
        if let Some(last) = ranges.last_mut().filter(|last| last.end >= code_count) {
            last.end = u32::MAX;
        }
        CodeTest { ranges, table, share }
    }

    /// Whether a page with codes from `min` to `max` may hold one of the set, or holds nothing else.
    pub(crate) fn verdict(&self, (min, max): (u32, u32)) -> Verdict {
        if self.ranges.iter().any(|range| range.start <= min && max < range.end) {
            return Verdict::All;
        }
        let may_match = self.ranges.iter().any(|range| range.start <= max && min < range.end);
        if may_match { Verdict::Some } else { Verdict::None }
    }

    /// The test for a page.
    pub(crate) fn filter(&self) -> CodeFilter<'_> {
        match &self.table {
            Some(table) => CodeFilter::Table(table),
            None => CodeFilter::Ranges(&self.ranges),
        }
    }
}

/// The ids of a set's values in a table's dictionary, found once per query.
#[derive(Clone, Debug)]
pub(crate) struct IdSet {
    ranges: Vec<Range<u32>>,
    null: bool,
}

impl IdSet {
    /// Looks up the values of `set`.
    ///
    /// # Errors
    /// When the dictionary cannot be read.
    pub(crate) fn new(set: &ValueSet, dictionary: &dyn DictionaryView) -> Result<IdSet> {
        let mut ranges = Vec::new();
        for range in &set.ranges {
            match point(range) {
                Some(value) => ranges.extend(dictionary.find(value)?.map(|id| id..id + 1)),
                None => {
                    ranges.extend(dictionary.id_ranges(range.0.as_ref(), range.1.as_ref())?);
                }
            }
        }
        ranges.retain(|range| !range.is_empty());
        Ok(IdSet { ranges, null: set.null })
    }

    /// The ids of a range.
    pub(crate) fn of_ids(ids: Range<u32>, null: bool) -> IdSet {
        IdSet { ranges: vec![ids], null }
    }

    /// The test on the codes of one row group.
    pub(crate) fn test(&self, codes: &dyn CodesView, null_count: u64) -> Test {
        let null_code = u32::try_from(codes.ids().len()).expect("codes are counted in u32");
        let mut ranges: Vec<Range<u32>> = Vec::new();
        for range in &self.ranges {
            if range.len() == 1 {
                ranges.extend(codes.code_of(range.start).map(|code| code..code + 1));
            } else {
                ranges.extend(codes.code_ranges(std::slice::from_ref(range)));
            }
        }
        if self.null && null_count > 0 {
            ranges.push(null_code..null_code + 1);
        }
        ranges.sort_unstable_by_key(|range| range.start);
        let ranges = join(ranges);
        let code_count = if null_count > 0 { null_code + 1 } else { null_code };
        match &ranges[..] {
            [] => Test::None,
            [range] if range.start == 0 && range.end >= code_count => Test::All,
            _ => Test::Codes(CodeTest::new(ranges, code_count)),
        }
    }
}

fn join(ranges: Vec<Range<u32>>) -> Vec<Range<u32>> {
    let mut joined: Vec<Range<u32>> = Vec::with_capacity(ranges.len());
    for range in ranges {
        match joined.last_mut() {
            Some(last) if last.end >= range.start => last.end = last.end.max(range.end),
            _ => joined.push(range),
        }
    }
    joined
}

fn point((lower, upper): &ValueRange) -> Option<&crate::types::Value> {
    match (lower, upper) {
        (Bound::Included(lower), Bound::Included(upper)) if lower == upper => Some(lower),
        _ => None,
    }
}

/// The test that a term with this set of values needs in a row group.
///
/// # Errors
/// When a code map cannot be read.
pub(crate) fn test_for(
    set: &ValueSet,
    ids: Option<&IdSet>,
    data_type: DataType,
    column: &Column,
) -> Result<Test> {
    let chunk = match column {
        Column::Constant(value) => {
            return Ok(if set.contains(value) { Test::All } else { Test::None });
        }
        Column::Stored(chunk) => chunk,
    };
    let zone = chunk.zone();
    match set.verdict(&zone) {
        Verdict::None => return Ok(Test::None),
        Verdict::All => return Ok(Test::All),
        Verdict::Some => {}
    }
    if let (Some(codes), Some(ids)) = (chunk.codes()?, ids) {
        return Ok(ids.test(codes.as_ref(), zone.null_count));
    }
    let integer = data_type.is_integer() || data_type.is_temporal();
    Ok(match set.integer_ranges() {
        Some(ranges) if integer => Test::Integers { ranges, null: set.null },
        _ => Test::Evaluate,
    })
}

/// What the statistics of a page prove.
pub(crate) fn page_verdict(
    set: &ValueSet,
    test: &Test,
    chunk: &dyn ChunkView,
    page: usize,
) -> Verdict {
    match test {
        Test::All => Verdict::All,
        Test::None => Verdict::None,
        Test::Codes(codes) => {
            chunk.page_codes(page).map_or(Verdict::Some, |range| codes.verdict(range))
        }
        _ => set.verdict(&chunk.page_zone(page)),
    }
}
