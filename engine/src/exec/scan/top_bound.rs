//! What a bounded sort behind a scan lets it leave out: rows whose first key is behind the worst row
//! that the sort keeps. The scan tests that as one more term of its filter, on statistics first.
//! Must not know how rows are sorted.

use std::sync::atomic::Ordering;

use super::conjunct::{IdSet, Test};
use super::reader::OpenColumn;
use super::value_set::Verdict;
use super::view::{ChunkView, Column};
use crate::exec::source::{ColumnKind, TopBound};
use crate::types::{DataType, Result, TimeUnit, Value};
use crate::vector::IdOrder;

/// Whether a bound on such a column can be told by its codes or integers.
pub(super) fn is_supported(kind: &ColumnKind) -> bool {
    match kind {
        ColumnKind::Dictionary { identity, .. } => {
            matches!(identity.values().order(), Ok(IdOrder::ById))
        }
        ColumnKind::Flat { data_type, .. } => matches!(
            data_type,
            DataType::Int8
                | DataType::Int16
                | DataType::Int32
                | DataType::Int64
                | DataType::Date
                | DataType::Timestamp {
                    unit: TimeUnit::Second
                        | TimeUnit::Millisecond
                        | TimeUnit::Microsecond
                        | TimeUnit::Nanosecond,
                    ..
                }
        ),
    }
}

/// The test of the rows of a row group that are still wanted.
///
/// # Errors
/// When a code map cannot be read.
pub(super) fn test(bound: &TopBound, open: &OpenColumn) -> Result<Test> {
    let threshold = bound.threshold.load(Ordering::Relaxed);
    // The numbers at both ends stand for several values.
    if threshold >= u64::MAX - 1 {
        return Ok(Test::All);
    }
    let Column::Stored(chunk) = &open.column else { return Ok(Test::All) };
    let key = if bound.descending { u64::MAX ^ threshold } else { threshold };
    if !open.give_codes {
        let value = i128::from((key ^ (1 << 63)).cast_signed());
        let range =
            if bound.descending { (value, i64::MAX.into()) } else { (i64::MIN.into(), value) };
        return Ok(Test::Integers { ranges: vec![range], null: bound.nulls_first });
    }
    let Some(codes) = chunk.codes()? else { return Ok(Test::All) };
    let id = u32::try_from(key).unwrap_or(u32::MAX);
    let ids = if bound.descending { id..u32::MAX } else { 0..id.saturating_add(1) };
    let set = IdSet::of_ids(ids, bound.nulls_first);
    Ok(set.test(codes.as_ref(), chunk.zone().null_count))
}

/// What the statistics of a page prove of a bound's test.
pub(super) fn page_verdict(test: &Test, chunk: &dyn ChunkView, page: usize) -> Verdict {
    match test {
        Test::All => Verdict::All,
        Test::None => Verdict::None,
        Test::Codes(codes) => {
            chunk.page_codes(page).map_or(Verdict::Some, |range| codes.verdict(range))
        }
        Test::Integers { ranges, null } => {
            let zone = chunk.page_zone(page);
            let (Some(Value::Int(min)), Some(Value::Int(max)), [(low, high)]) =
                (&zone.min, &zone.max, &ranges[..])
            else {
                return Verdict::Some;
            };
            let has_nulls = zone.null_count > 0;
            if (max < low || high < min) && !(has_nulls && *null) {
                Verdict::None
            } else if low <= min && max <= high && (!has_nulls || *null) {
                Verdict::All
            } else {
                Verdict::Some
            }
        }
        Test::Evaluate => Verdict::Some,
    }
}

/// Where the best row of some pages may be: less is better.
pub(super) fn rank(bound: &TopBound, chunk: &dyn ChunkView, pages: &[usize]) -> i128 {
    let best = |page: usize| {
        let zone = chunk.page_zone(page);
        if bound.nulls_first && zone.null_count > 0 {
            return i128::MIN;
        }
        match (if bound.descending { &zone.max } else { &zone.min }, bound.descending) {
            (Some(Value::Int(max)), true) => -max,
            (Some(Value::Int(min)), false) => *min,
            _ => i128::MIN,
        }
    };
    pages.iter().copied().map(best).min().unwrap_or(i128::MAX)
}
