//! One term of a scan's filter, made ready for one row group.
//!
//! Tried in this order: proven true or false by statistics; a comparison of codes; a comparison of
//! integers; evaluation, once per distinct value where the column has codes. Within a row group the
//! cheap and the selective terms come first.

use std::ops::{Bound, Range};
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, ArrowNativeTypeOp, AsArray, PrimitiveArray};
use arrow::datatypes::{
    ArrowPrimitiveType, Date32Type, Int8Type, Int16Type, Int32Type, Int64Type,
    Time32MillisecondType, Time32SecondType, Time64MicrosecondType, Time64NanosecondType,
    TimestampMicrosecondType, TimestampMillisecondType, TimestampNanosecondType,
    TimestampSecondType, UInt8Type, UInt16Type, UInt32Type, UInt64Type,
};

use super::value_set::{ValueRange, ValueSet, Verdict};
use super::view::{ChunkView, CodesView, Column, DictionaryView};
use crate::types::{DataType, Result, TimeUnit, match_integer_type};
use crate::vector::Selection;

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
    /// By code, when there are many ranges.
    table: Option<Arc<Vec<bool>>>,
    share: f64,
}

impl CodeTest {
    fn new(ranges: Vec<Range<u32>>, null_code: u32) -> CodeTest {
        let table = (ranges.len() > RANGES_MAX).then(|| {
            let mut table = vec![false; null_code as usize + 1];
            for range in &ranges {
                table[range.start as usize..range.end as usize].fill(true);
            }
            Arc::new(table)
        });
        let kept: u32 = ranges.iter().map(|range| range.end - range.start).sum();
        let share = f64::from(kept) / (f64::from(null_code) + 1.0);
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

    /// Keeps the selected rows whose code is in the set; `codes` are theirs.
    pub(crate) fn retain(&self, codes: &[u32], selection: &mut Selection) {
        if let Some(table) = &self.table {
            selection.retain(|index| table[codes[index] as usize]);
            return;
        }
        let bounds: Vec<(u32, u32)> =
            self.ranges.iter().map(|range| (range.start, range.end - range.start)).collect();
        match bounds[..] {
            [] => selection.retain(|_| false),
            [(start, len)] => selection.retain(|index| codes[index].wrapping_sub(start) < len),
            [(first, first_len), (second, second_len)] => selection.retain(|index| {
                let code = codes[index];
                (code.wrapping_sub(first) < first_len) | (code.wrapping_sub(second) < second_len)
            }),
            _ => selection.retain(|index| {
                let code = codes[index];
                let inside = |(start, len): &(u32, u32)| code.wrapping_sub(*start) < *len;
                bounds.iter().fold(false, |any, range| any | inside(range))
            }),
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

    /// The test on the codes of one row group.
    fn test(&self, codes: &dyn CodesView, null_count: u64) -> Test {
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
            _ => Test::Codes(CodeTest::new(ranges, null_code)),
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

/// Keeps the selected rows whose integer is in one of `ranges`; `array` holds theirs.
pub(crate) fn retain_integers(
    array: &ArrayRef,
    data_type: DataType,
    (ranges, null): (&[(i128, i128)], bool),
    selection: &mut Selection,
) {
    macro_rules! integers {
        ($arrow:ty) => {
            retain_natives::<$arrow>(array.as_primitive(), ranges, null, selection)
        };
    }
    match_integer_type!(data_type, integers, ());
}

#[expect(clippy::needless_bitwise_bool, reason = "no branch in the loop: it vectorises")]
fn retain_natives<T: ArrowPrimitiveType>(
    array: &PrimitiveArray<T>,
    ranges: &[(i128, i128)],
    null: bool,
    selection: &mut Selection,
) where
    T::Native: Ord + TryFrom<i128>,
{
    let lowest = |value: i128| native::<T>(value, T::Native::MIN_TOTAL_ORDER);
    let highest = |value: i128| native::<T>(value, T::Native::MAX_TOTAL_ORDER);
    let outside = |value: i128| T::Native::try_from(value).is_err();
    // A bound outside the type on the wrong side leaves nothing of the range.
    let ranges: Vec<(T::Native, T::Native)> = ranges
        .iter()
        .filter(|(low, high)| (*low <= 0 || !outside(*low)) && (*high >= 0 || !outside(*high)))
        .map(|(low, high)| (lowest(*low), highest(*high)))
        .collect();
    let values = array.values();
    let nulls = array.nulls().filter(|nulls| nulls.null_count() > 0);
    match (&ranges[..], nulls) {
        ([(low, high)], None) => {
            let (low, high) = (*low, *high);
            selection.retain(|index| (low <= values[index]) & (values[index] <= high));
        }
        ([(low, high), (second_low, second_high)], None) => {
            let (low, high, low2, high2) = (*low, *high, *second_low, *second_high);
            selection.retain(|index| {
                let value = values[index];
                ((low <= value) & (value <= high)) | ((low2 <= value) & (value <= high2))
            });
        }
        (ranges, nulls) => selection.retain(|index| {
            if nulls.is_some_and(|nulls| nulls.is_null(index)) {
                return null;
            }
            let value = values[index];
            // Ranges ascend: the last that starts at or below the value is the one.
            let after = ranges.partition_point(|(low, _)| *low <= value);
            after > 0 && value <= ranges[after - 1].1
        }),
    }
}

fn native<T: ArrowPrimitiveType>(value: i128, limit: T::Native) -> T::Native
where
    T::Native: TryFrom<i128>,
{
    T::Native::try_from(value).unwrap_or(limit)
}
