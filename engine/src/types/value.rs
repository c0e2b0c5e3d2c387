//! One scalar of any type, and the order that SQL gives it.

use std::cmp::Ordering;
use std::hash::{Hash, Hasher};

/// One value. Its [`DataType`](super::DataType) stands beside it wherever it matters.
///
/// Equality and order are SQL's for values of one type: `-0.0` equals `0.0`, every NaN equals every
/// NaN and is above all other floats, text compares by bytes. `Null` equals `Null` and sorts last.
#[derive(Clone, Debug)]
pub enum Value {
    /// NULL.
    Null,
    /// A `Bool`.
    Bool(bool),
    /// Any integer, date, time or timestamp, or a decimal's digits without the point.
    Int(i128),
    /// A `Float32` or `Float64`.
    Float(f64),
    /// A `Utf8`.
    Text(String),
    /// A `Binary`.
    Bytes(Vec<u8>),
    /// A `Uuid`.
    Uuid([u8; 16]),
    /// An `Interval`.
    Interval(Interval),
}

/// A span of calendar time; the three parts are independent, as in PostgreSQL.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Interval {
    /// Months.
    pub months: i32,
    /// Days.
    pub days: i32,
    /// Nanoseconds.
    pub nanoseconds: i64,
}

impl Value {
    /// Whether this is `Null`.
    pub fn is_null(&self) -> bool {
        matches!(self, Value::Null)
    }

    /// SQL's order of two values of the same type; `Null` last.
    ///
    /// Values of different variants order by variant, so that the order is total.
    pub fn order(&self, other: &Value) -> Ordering {
        match (self, other) {
            (Value::Bool(a), Value::Bool(b)) => a.cmp(b),
            (Value::Int(a), Value::Int(b)) => a.cmp(b),
            (Value::Float(a), Value::Float(b)) => float_order(*a, *b),
            (Value::Text(a), Value::Text(b)) => a.as_bytes().cmp(b.as_bytes()),
            (Value::Bytes(a), Value::Bytes(b)) => a.cmp(b),
            (Value::Uuid(a), Value::Uuid(b)) => a.cmp(b),
            (Value::Interval(a), Value::Interval(b)) => a.cmp(b),
            _ => self.variant().cmp(&other.variant()),
        }
    }

    fn variant(&self) -> u8 {
        match self {
            Value::Bool(_) => 0,
            Value::Int(_) => 1,
            Value::Float(_) => 2,
            Value::Text(_) => 3,
            Value::Bytes(_) => 4,
            Value::Uuid(_) => 5,
            Value::Interval(_) => 6,
            Value::Null => 7,
        }
    }
}

/// SQL's order of floats: `-0.0` equals `0.0`, NaN equals NaN and is greatest.
pub fn float_order(a: f64, b: f64) -> Ordering {
    a.partial_cmp(&b).unwrap_or_else(|| a.is_nan().cmp(&b.is_nan()))
}

/// The one bit pattern that stands for all floats which SQL calls equal to `value`: `0.0` for both
/// zeros, one NaN for all.
pub fn canonical_float(value: f64) -> f64 {
    if value.is_nan() { f64::NAN } else { value + 0.0 }
}

impl PartialEq for Value {
    fn eq(&self, other: &Value) -> bool {
        self.order(other) == Ordering::Equal
    }
}

impl Eq for Value {}

impl Hash for Value {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.variant().hash(state);
        match self {
            Value::Null => {}
            Value::Bool(value) => value.hash(state),
            Value::Int(value) => value.hash(state),
            Value::Float(value) => canonical_float(*value).to_bits().hash(state),
            Value::Text(value) => value.hash(state),
            Value::Bytes(value) => value.hash(state),
            Value::Uuid(value) => value.hash(state),
            Value::Interval(value) => value.hash(state),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zeros_are_one_value_and_so_are_nans() {
        assert_eq!(Value::Float(0.0), Value::Float(-0.0));
        assert_eq!(Value::Float(f64::NAN), Value::Float(-f64::NAN));
        assert_eq!(canonical_float(-0.0).to_bits(), 0.0_f64.to_bits());
        assert_eq!(Value::Float(f64::NAN).order(&Value::Float(f64::INFINITY)), Ordering::Greater);
    }
}
