//! Between dates, times, timestamps, durations and the whole numbers that they are.

use arrow::array::{Array, ArrayRef, AsArray, Int64Array};
use arrow::datatypes::{DataType as ArrowType, Int32Type, Int64Type, TimeUnit as ArrowUnit};

use super::{no_cast, number, renamed};
use crate::types::calendar::SECONDS_PER_DAY;
use crate::types::{Result, TimeUnit};

/// What a number of ticks means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ticks {
    /// Days since 1970.
    Days,
    /// So many a second, since 1970.
    Instants(i64),
    /// So many a second, since midnight.
    Clock(i64),
    /// Durations and whole numbers.
    Count,
}

pub(super) fn is_temporal(data_type: &ArrowType) -> bool {
    use ArrowType::{Date32, Date64, Duration, Time32, Time64, Timestamp};
    matches!(data_type, Date32 | Date64 | Duration(_) | Time32(_) | Time64(_) | Timestamp(..))
}

fn per_second(unit: ArrowUnit) -> i64 {
    TimeUnit::from_arrow(unit).per_second()
}

/// The meaning of the type's ticks, and whether they have 32 bits.
fn meaning(data_type: &ArrowType) -> Option<(Ticks, bool)> {
    Some(match data_type {
        ArrowType::Date32 => (Ticks::Days, true),
        ArrowType::Date64 => (Ticks::Instants(1_000), false),
        ArrowType::Timestamp(unit, _) => (Ticks::Instants(per_second(*unit)), false),
        ArrowType::Time32(unit) => (Ticks::Clock(per_second(*unit)), true),
        ArrowType::Time64(unit) => (Ticks::Clock(per_second(*unit)), false),
        ArrowType::Duration(_) => (Ticks::Count, false),
        other if other.is_integer() => (Ticks::Count, false),
        _ => return None,
    })
}

pub(super) fn cast(array: &dyn Array, to: &ArrowType) -> Result<ArrayRef> {
    let from = array.data_type();
    let (Some((source, is_short)), Some((target, short))) = (meaning(from), meaning(to)) else {
        return Err(no_cast(from, to));
    };
    // Whole numbers of the width are the ticks.
    if (*from == ArrowType::Int32 && short) || (*from == ArrowType::Int64 && !short) {
        return renamed(array, to);
    }
    let ticks: ArrayRef = match (is_temporal(from), is_short) {
        (false, _) => number::cast(array, &ArrowType::Int64)?,
        (true, true) => {
            let days = renamed(array, &ArrowType::Int32)?;
            if *to == ArrowType::Int32 {
                return Ok(days);
            }
            number::cast(&days, &ArrowType::Int64)?
        }
        (true, false) => renamed(array, &ArrowType::Int64)?,
    };
    let ticks = ticks.as_primitive::<Int64Type>();
    let Some(ticks) = converted(ticks, source, target) else { return Err(no_cast(from, to)) };
    if !is_temporal(to) {
        return number::from_signed(&ticks, to);
    }
    if short {
        return renamed(&number::narrowed::<Int64Type, Int32Type>(&ticks), to);
    }
    renamed(&ticks, to)
}

/// The ticks as other ticks; fractions are cut, and a timestamp's day is that of UTC.
fn converted(ticks: &Int64Array, from: Ticks, to: Ticks) -> Option<Int64Array> {
    let scaled = |from: i64, to: i64| {
        if to >= from {
            ticks.unary_opt(|value: i64| value.checked_mul(to / from))
        } else {
            ticks.unary(|value| value / (from / to))
        }
    };
    Some(match (from, to) {
        (from, to) if from == to => ticks.clone(),
        (Ticks::Instants(from), Ticks::Instants(to)) | (Ticks::Clock(from), Ticks::Clock(to)) => {
            scaled(from, to)
        }
        (Ticks::Days, Ticks::Instants(to)) => scaled(1, SECONDS_PER_DAY * to),
        (Ticks::Instants(from), Ticks::Days) => {
            ticks.unary(|value| value.div_euclid(SECONDS_PER_DAY * from))
        }
        (Ticks::Count, _) | (_, Ticks::Count) => ticks.clone(),
        _ => return None,
    })
}
