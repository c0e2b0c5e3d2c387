//! Zone maps: the closed list of statistics that every page and column chunk carries. Must not know
//! how values are encoded.
//!
//! Unknown never prunes: a bound that is `None` beside rows that are not NULL is not known.

mod bytes;
mod facts;
#[cfg(test)]
mod tests;

use arrow::array::Array;

use self::facts::facts;
use crate::types::{DataType, Value};

/// Bytes of text that a bound keeps.
pub const BOUND_BYTES_MAX: usize = 32;

/// What is known about the values of a page, chunk or table without reading them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ZoneMap {
    /// Rows.
    pub row_count: u64,
    /// NULL rows.
    pub null_count: u64,
    /// No value is less. `None`: unknown, or no value.
    pub min: Option<Value>,
    /// No value is greater. `None`: unknown, or no value.
    pub max: Option<Value>,
    /// Whether the bounds are values that occur; else they may be cut text.
    pub bounds_exact: bool,
    /// The sum of the values of integers and decimals (its digits); `None` for other types, and
    /// beyond 128 bits.
    pub sum: Option<i128>,
    /// All rows hold one value, or all are NULL.
    pub constant: bool,
    /// For floats: what an exact sum needs to know.
    pub floats: Option<FloatRange>,
}

/// Which bits the finite, non-zero floats of a zone use, and which special values occur.
///
/// All such values are multiples of 2 to the power of `lowest_bit` and below 2 to the power of
/// `exponent_max + 1`, so `n` of them can be summed exactly as integers of
/// `exponent_max - lowest_bit + 2 + log2(n)` bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FloatRange {
    /// Least binary exponent; `i16::MAX` when there is no such value.
    pub exponent_min: i16,
    /// Greatest binary exponent; `i16::MIN` when there is no such value.
    pub exponent_max: i16,
    /// Exponent of the lowest bit set in any value; `i16::MAX` when there is no such value.
    pub lowest_bit: i16,
    /// A NaN occurs.
    pub has_nan: bool,
    /// Positive infinity occurs.
    pub has_infinity: bool,
    /// Negative infinity occurs.
    pub has_negative_infinity: bool,
}

impl FloatRange {
    /// The range of no values.
    pub const EMPTY: FloatRange = FloatRange {
        exponent_min: i16::MAX,
        exponent_max: i16::MIN,
        lowest_bit: i16::MAX,
        has_nan: false,
        has_infinity: false,
        has_negative_infinity: false,
    };

    /// Whether no value is NaN or infinite.
    pub fn is_finite(&self) -> bool {
        !(self.has_nan || self.has_infinity || self.has_negative_infinity)
    }

    /// Widens the range to hold another.
    pub fn merge(&mut self, other: &FloatRange) {
        self.exponent_min = self.exponent_min.min(other.exponent_min);
        self.exponent_max = self.exponent_max.max(other.exponent_max);
        self.lowest_bit = self.lowest_bit.min(other.lowest_bit);
        self.has_nan |= other.has_nan;
        self.has_infinity |= other.has_infinity;
        self.has_negative_infinity |= other.has_negative_infinity;
    }
}

impl ZoneMap {
    /// The zone of no rows: what [`merge`](Self::merge) starts from.
    pub fn empty() -> ZoneMap {
        ZoneMap {
            row_count: 0,
            null_count: 0,
            min: None,
            max: None,
            bounds_exact: true,
            sum: None,
            constant: true,
            floats: None,
        }
    }

    /// The statistics of an array, whose type is `data_type.to_arrow()`.
    ///
    /// # Panics
    /// When it is of another type.
    pub fn of(array: &dyn Array, data_type: DataType) -> ZoneMap {
        let null_count = array.null_count();
        let mut zone = ZoneMap {
            row_count: to_u64(array.len()),
            null_count: to_u64(null_count),
            ..ZoneMap::empty()
        };
        let has_sum = data_type.is_integer() || matches!(data_type, DataType::Decimal { .. });
        if null_count == array.len() {
            zone.sum = has_sum.then_some(0);
            zone.floats = data_type.is_float().then_some(FloatRange::EMPTY);
            return zone;
        }
        let facts = facts(array, data_type);
        zone.min = facts.min;
        zone.max = facts.max;
        zone.bounds_exact = facts.bounds_exact;
        zone.sum = facts.sum.filter(|_| has_sum);
        zone.constant = facts.is_constant && null_count == 0;
        zone.floats = facts.floats;
        zone
    }

    /// Values that are not NULL.
    pub fn value_count(&self) -> u64 {
        self.row_count - self.null_count
    }

    /// Makes this the statistics of these rows and those of `other`, of the same type.
    pub fn merge(&mut self, other: &ZoneMap) {
        if other.row_count == 0 {
            return;
        }
        if self.row_count == 0 {
            *self = other.clone();
            return;
        }
        self.constant = self.constant && other.constant && self.is_same_constant(other);
        let (left, right) = (self.value_count() > 0, other.value_count() > 0);
        self.row_count += other.row_count;
        self.null_count += other.null_count;
        self.sum = self.sum.zip(other.sum).and_then(|(a, b)| a.checked_add(b));
        self.floats = self.floats.zip(other.floats).map(|(mut range, other)| {
            range.merge(&other);
            range
        });
        if left && right {
            self.bounds_exact &= other.bounds_exact;
            self.min = self.min.take().zip(other.min.clone()).map(|(a, b)| lesser(a, b));
            self.max = self.max.take().zip(other.max.clone()).map(|(a, b)| greater(a, b));
        } else if right {
            self.bounds_exact = other.bounds_exact;
            (self.min, self.max) = (other.min.clone(), other.max.clone());
        }
    }

    fn is_same_constant(&self, other: &ZoneMap) -> bool {
        match (self.value_count(), other.value_count()) {
            (0, 0) => true,
            (0, _) | (_, 0) => false,
            _ => self.bounds_exact && other.bounds_exact && self.min == other.min,
        }
    }
}

fn to_u64(len: usize) -> u64 {
    u64::try_from(len).expect("a usize has at most 64 bits")
}

fn lesser(a: Value, b: Value) -> Value {
    if b.order(&a).is_lt() { b } else { a }
}

fn greater(a: Value, b: Value) -> Value {
    if b.order(&a).is_gt() { b } else { a }
}
