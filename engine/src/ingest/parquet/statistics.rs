//! What a footer's statistics prove about a column in a row group.
//!
//! Unknown proves nothing, and what a writer may have got wrong counts as unknown: bounds of the
//! deprecated kind for anything but signed numbers, bounds in an unknown order, upper bounds of
//! floats (a NaN is above all numbers and in no statistics), INT96.

use std::cmp::Ordering;
use std::ops::Bound;

use parquet::basic::{ColumnOrder, Type};
use parquet::file::statistics::Statistics;

use super::convert::{half, signed};
use super::file::SourceFile;
use super::schema::Leaf;
use crate::catalog::ColumnStatistics;
use crate::types::{DataType, Value};

/// A range that a column's value must be in for a row to matter; NULL never is.
#[derive(Clone, Debug)]
pub struct ColumnBounds {
    /// The column's position.
    pub column: usize,
    /// From where.
    pub lower: Bound<Value>,
    /// To where.
    pub upper: Bound<Value>,
}

impl ColumnBounds {
    /// Whether statistics over `row_count` rows prove that no row is within the bounds.
    pub(super) fn exclude(&self, statistics: &ColumnStatistics, row_count: u64) -> bool {
        if statistics.null_count == Some(row_count) {
            return true;
        }
        let below = |max: &Value| match &self.lower {
            Bound::Included(lower) => order(max, lower) == Some(Ordering::Less),
            Bound::Excluded(lower) => {
                matches!(order(max, lower), Some(Ordering::Less | Ordering::Equal))
            }
            Bound::Unbounded => false,
        };
        let above = |min: &Value| match &self.upper {
            Bound::Included(upper) => order(min, upper) == Some(Ordering::Greater),
            Bound::Excluded(upper) => {
                matches!(order(min, upper), Some(Ordering::Greater | Ordering::Equal))
            }
            Bound::Unbounded => false,
        };
        statistics.max.as_ref().is_some_and(below) || statistics.min.as_ref().is_some_and(above)
    }
}

/// The order of two values of one type; `None` where there is none.
fn order(a: &Value, b: &Value) -> Option<Ordering> {
    let same = std::mem::discriminant(a) == std::mem::discriminant(b);
    (same && !a.is_null()).then(|| a.order(b))
}

/// The statistics of `leaf` in a row group, for a table column of `data_type`.
pub(super) fn chunk_statistics(
    file: &SourceFile,
    row_group: usize,
    leaf: &Leaf,
    data_type: DataType,
) -> ColumnStatistics {
    let group = file.metadata.row_group(row_group);
    let Some(statistics) = group.columns().get(leaf.index).and_then(|chunk| chunk.statistics())
    else {
        return ColumnStatistics::default();
    };
    let row_count = file.row_group_row_count(row_group);
    let null_count = match statistics.null_count_opt() {
        _ if !leaf.nullable => Some(0),
        Some(count) if count <= row_count => Some(count),
        _ => None,
    };
    let trusted = statistics.physical_type() == leaf.physical
        && is_ordered(file, leaf, statistics)
        && is_same_scale(leaf.data_type, data_type);
    let bound = |bytes: Option<&[u8]>, upper| {
        bytes.filter(|_| trusted).and_then(|bytes| value(leaf, bytes, upper))
    };
    let min = bound(statistics.min_bytes_opt(), false);
    let max = bound(statistics.max_bytes_opt(), true);
    let crossed = min
        .as_ref()
        .zip(max.as_ref())
        .is_some_and(|(min, max)| order(min, max) != Some(Ordering::Less) && min != max);
    if crossed {
        return ColumnStatistics { null_count, ..ColumnStatistics::default() };
    }
    ColumnStatistics { min, max, null_count, distinct_count: None }
}

/// Whether the writer ordered values as we do.
fn is_ordered(file: &SourceFile, leaf: &Leaf, statistics: &Statistics) -> bool {
    let signed = match leaf.data_type {
        DataType::UInt8 | DataType::UInt16 | DataType::UInt32 | DataType::UInt64 => false,
        _ => matches!(
            leaf.physical,
            Type::BOOLEAN | Type::INT32 | Type::INT64 | Type::FLOAT | Type::DOUBLE
        ),
    };
    if statistics.is_min_max_deprecated() {
        return signed;
    }
    let orders = file.metadata.file_metadata().column_orders();
    match orders.and_then(|orders| orders.get(leaf.index)) {
        Some(ColumnOrder::TYPE_DEFINED_ORDER(_)) => true,
        Some(ColumnOrder::UNDEFINED) | None => signed,
        Some(ColumnOrder::UNKNOWN) => false,
    }
}

/// Whether a file's values are the table's values without conversion.
fn is_same_scale(file: DataType, table: DataType) -> bool {
    file == table
        || (file.is_integer() && table.is_integer())
        || matches!(
            (file, table),
            (DataType::Decimal { scale: a, .. }, DataType::Decimal { scale: b, .. }) if a == b
        )
}

/// A bound's value, or `None` when it is no safe bound.
fn value(leaf: &Leaf, bytes: &[u8], upper: bool) -> Option<Value> {
    let float = |value: f64| {
        // Statistics leave NaNs out, and a NaN is above all.
        (!upper && !value.is_nan()).then_some(Value::Float(value))
    };
    match (leaf.physical, leaf.data_type) {
        (Type::BOOLEAN, _) => Some(Value::Bool(*bytes.first()? != 0)),
        (Type::INT32, DataType::UInt8 | DataType::UInt16 | DataType::UInt32) => {
            Some(Value::Int(i128::from(u32::from_le_bytes(bytes.try_into().ok()?))))
        }
        (Type::INT32, _) => {
            Some(Value::Int(i128::from(i32::from_le_bytes(bytes.try_into().ok()?))))
        }
        (Type::INT64, DataType::UInt64) => {
            Some(Value::Int(i128::from(u64::from_le_bytes(bytes.try_into().ok()?))))
        }
        (Type::INT64, _) => {
            Some(Value::Int(i128::from(i64::from_le_bytes(bytes.try_into().ok()?))))
        }
        (Type::FLOAT, _) => float(f64::from(f32::from_le_bytes(bytes.try_into().ok()?))),
        (Type::DOUBLE, _) => float(f64::from_le_bytes(bytes.try_into().ok()?)),
        (Type::FIXED_LEN_BYTE_ARRAY, DataType::Float32) => {
            float(f64::from(half(bytes.try_into().ok()?)))
        }
        (_, DataType::Decimal { .. }) if !bytes.is_empty() => Some(Value::Int(signed(bytes)?)),
        (_, DataType::Utf8) => text(bytes, upper),
        (_, DataType::Binary) => Some(Value::Bytes(bytes.to_vec())),
        (_, DataType::Uuid) => Some(Value::Uuid(bytes.try_into().ok()?)),
        _ => None,
    }
}

/// A bound may be cut within a character: what remains of a lower one is still a lower one.
fn text(bytes: &[u8], upper: bool) -> Option<Value> {
    match std::str::from_utf8(bytes) {
        Ok(text) => Some(Value::Text(text.to_owned())),
        Err(_) if upper => None,
        Err(error) => {
            let valid = &bytes[..error.valid_up_to()];
            std::str::from_utf8(valid).ok().map(|text| Value::Text(text.to_owned()))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn statistics(min: i128, max: i128) -> ColumnStatistics {
        ColumnStatistics {
            min: Some(Value::Int(min)),
            max: Some(Value::Int(max)),
            null_count: Some(1),
            distinct_count: None,
        }
    }

    #[test]
    fn bounds_exclude_only_what_lies_wholly_outside() {
        let int = |value| Value::Int(value);
        let cases = [
            (Bound::Included(int(10)), Bound::Unbounded, false),
            (Bound::Excluded(int(10)), Bound::Unbounded, true),
            (Bound::Included(int(11)), Bound::Unbounded, true),
            (Bound::Unbounded, Bound::Included(int(5)), false),
            (Bound::Unbounded, Bound::Excluded(int(5)), true),
            (Bound::Included(int(6)), Bound::Included(int(6)), false),
            (Bound::Unbounded, Bound::Unbounded, false),
            (Bound::Included(Value::Text("z".into())), Bound::Unbounded, false),
        ];
        for (lower, upper, expected) in cases {
            let bounds = ColumnBounds { column: 0, lower, upper };
            assert_eq!(bounds.exclude(&statistics(5, 10), 3), expected, "{bounds:?}");
            assert!(bounds.exclude(&statistics(5, 10), 1), "all rows are NULL");
            assert!(!bounds.exclude(&ColumnStatistics::default(), 3));
        }
    }

    #[test]
    fn text_cut_within_a_character_is_a_lower_bound_only() {
        let cut = &"naïve".as_bytes()[..3];
        assert_eq!(text(cut, false), Some(Value::Text("na".into())));
        assert_eq!(text(cut, true), None);
    }
}
