//! Logical types.

use std::fmt;

use arrow::datatypes::{DataType as ArrowType, IntervalUnit, TimeUnit as ArrowUnit};

use super::{Error, Result};

/// The resolution of a time or timestamp.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TimeUnit {
    /// Seconds.
    Second,
    /// Milliseconds.
    Millisecond,
    /// Microseconds.
    Microsecond,
    /// Nanoseconds.
    Nanosecond,
}

impl TimeUnit {
    /// How many of this unit make a second.
    pub fn per_second(self) -> i64 {
        match self {
            TimeUnit::Second => 1,
            TimeUnit::Millisecond => 1_000,
            TimeUnit::Microsecond => 1_000_000,
            TimeUnit::Nanosecond => 1_000_000_000,
        }
    }

    pub(crate) fn to_arrow(self) -> ArrowUnit {
        match self {
            TimeUnit::Second => ArrowUnit::Second,
            TimeUnit::Millisecond => ArrowUnit::Millisecond,
            TimeUnit::Microsecond => ArrowUnit::Microsecond,
            TimeUnit::Nanosecond => ArrowUnit::Nanosecond,
        }
    }

    pub(crate) fn from_arrow(unit: ArrowUnit) -> TimeUnit {
        match unit {
            ArrowUnit::Second => TimeUnit::Second,
            ArrowUnit::Millisecond => TimeUnit::Millisecond,
            ArrowUnit::Microsecond => TimeUnit::Microsecond,
            ArrowUnit::Nanosecond => TimeUnit::Nanosecond,
        }
    }
}

/// The logical type of a column or expression.
///
/// Values are held as integers (everything up to `Timestamp` and `Decimal`), doubles or bytes; see
/// [`Value`](super::Value). The Arrow type that carries each is [`DataType::to_arrow`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum DataType {
    /// The type of a bare `NULL`; no column has it.
    Null,
    /// True or false.
    Bool,
    /// 8-bit signed integer.
    Int8,
    /// 16-bit signed integer.
    Int16,
    /// 32-bit signed integer.
    Int32,
    /// 64-bit signed integer.
    Int64,
    /// 8-bit unsigned integer.
    UInt8,
    /// 16-bit unsigned integer.
    UInt16,
    /// 32-bit unsigned integer.
    UInt32,
    /// 64-bit unsigned integer.
    UInt64,
    /// Single-precision float.
    Float32,
    /// Double-precision float.
    Float64,
    /// Fixed point: `precision` digits (1…38), `scale` of them after the point (0…precision).
    Decimal {
        /// All digits.
        precision: u8,
        /// Digits after the point.
        scale: u8,
    },
    /// Days since 1970-01-01.
    Date,
    /// Time of day since midnight, in `TimeUnit`s.
    Time(TimeUnit),
    /// Units since 1970-01-01 00:00; with `zoned`, an instant in UTC, else a local date and time.
    Timestamp {
        /// Resolution.
        unit: TimeUnit,
        /// Whether it is an instant (`timestamptz`).
        zoned: bool,
    },
    /// Text in UTF-8.
    Utf8,
    /// Bytes.
    Binary,
    /// 16 bytes.
    Uuid,
    /// Months, days and nanoseconds; literals and intermediate results only.
    Interval,
}

impl DataType {
    /// `timestamp`: local, microseconds.
    pub const TIMESTAMP: DataType =
        DataType::Timestamp { unit: TimeUnit::Microsecond, zoned: false };
    /// `timestamptz`: an instant, microseconds.
    pub const TIMESTAMPTZ: DataType =
        DataType::Timestamp { unit: TimeUnit::Microsecond, zoned: true };

    /// Whether this is one of the eight integer types.
    pub fn is_integer(self) -> bool {
        self.is_signed_integer() || self.is_unsigned_integer()
    }

    /// Whether this is a signed integer type.
    pub fn is_signed_integer(self) -> bool {
        use DataType::{Int8, Int16, Int32, Int64};
        matches!(self, Int8 | Int16 | Int32 | Int64)
    }

    /// Whether this is an unsigned integer type.
    pub fn is_unsigned_integer(self) -> bool {
        use DataType::{UInt8, UInt16, UInt32, UInt64};
        matches!(self, UInt8 | UInt16 | UInt32 | UInt64)
    }

    /// Whether this is `Float32` or `Float64`.
    pub fn is_float(self) -> bool {
        matches!(self, DataType::Float32 | DataType::Float64)
    }

    /// Whether this is an integer, decimal or float.
    pub fn is_numeric(self) -> bool {
        self.is_integer() || self.is_float() || matches!(self, DataType::Decimal { .. })
    }

    /// Whether this is a date, time or timestamp.
    pub fn is_temporal(self) -> bool {
        matches!(self, DataType::Date | DataType::Time(_) | DataType::Timestamp { .. })
    }

    /// The Arrow type that carries values of this type.
    pub fn to_arrow(self) -> ArrowType {
        match self {
            DataType::Null => ArrowType::Null,
            DataType::Bool => ArrowType::Boolean,
            DataType::Int8 => ArrowType::Int8,
            DataType::Int16 => ArrowType::Int16,
            DataType::Int32 => ArrowType::Int32,
            DataType::Int64 => ArrowType::Int64,
            DataType::UInt8 => ArrowType::UInt8,
            DataType::UInt16 => ArrowType::UInt16,
            DataType::UInt32 => ArrowType::UInt32,
            DataType::UInt64 => ArrowType::UInt64,
            DataType::Float32 => ArrowType::Float32,
            DataType::Float64 => ArrowType::Float64,
            DataType::Decimal { precision, scale } => {
                ArrowType::Decimal128(precision, scale.cast_signed())
            }
            DataType::Date => ArrowType::Date32,
            DataType::Time(unit @ (TimeUnit::Second | TimeUnit::Millisecond)) => {
                ArrowType::Time32(unit.to_arrow())
            }
            DataType::Time(unit) => ArrowType::Time64(unit.to_arrow()),
            DataType::Timestamp { unit, zoned } => {
                ArrowType::Timestamp(unit.to_arrow(), zoned.then(|| "UTC".into()))
            }
            DataType::Utf8 => ArrowType::Utf8,
            DataType::Binary => ArrowType::Binary,
            DataType::Uuid => ArrowType::FixedSizeBinary(16),
            DataType::Interval => ArrowType::Interval(IntervalUnit::MonthDayNano),
        }
    }

    /// The logical type of a result's column, which an Arrow type carries: the inverse of
    /// [`DataType::to_arrow`].
    ///
    /// # Errors
    /// `Unsupported` for a type that no result has.
    pub fn of_result(data_type: &ArrowType) -> Result<DataType> {
        match data_type {
            ArrowType::FixedSizeBinary(16) => Ok(DataType::Uuid),
            ArrowType::Interval(IntervalUnit::MonthDayNano) => Ok(DataType::Interval),
            other => DataType::from_arrow(other),
        }
    }

    /// The logical type that an Arrow type maps to.
    ///
    /// Several Arrow types map to one logical type (`LargeUtf8`, `Utf8View` and dictionaries of text
    /// are `Utf8`, `Date64` is a timestamp, half floats are `Float32`); a reader casts to
    /// [`DataType::to_arrow`].
    ///
    /// # Errors
    /// `Unsupported` for nested types, intervals, durations and decimals beyond 38 digits.
    pub fn from_arrow(data_type: &ArrowType) -> Result<DataType> {
        Ok(match data_type {
            ArrowType::Null => DataType::Null,
            ArrowType::Boolean => DataType::Bool,
            ArrowType::Int8 => DataType::Int8,
            ArrowType::Int16 => DataType::Int16,
            ArrowType::Int32 => DataType::Int32,
            ArrowType::Int64 => DataType::Int64,
            ArrowType::UInt8 => DataType::UInt8,
            ArrowType::UInt16 => DataType::UInt16,
            ArrowType::UInt32 => DataType::UInt32,
            ArrowType::UInt64 => DataType::UInt64,
            ArrowType::Float16 | ArrowType::Float32 => DataType::Float32,
            ArrowType::Float64 => DataType::Float64,
            ArrowType::Decimal32(precision, scale)
            | ArrowType::Decimal64(precision, scale)
            | ArrowType::Decimal128(precision, scale)
            | ArrowType::Decimal256(precision, scale) => return decimal(*precision, *scale),
            ArrowType::Date32 => DataType::Date,
            ArrowType::Date64 => DataType::Timestamp { unit: TimeUnit::Millisecond, zoned: false },
            ArrowType::Time32(unit) | ArrowType::Time64(unit) => {
                DataType::Time(TimeUnit::from_arrow(*unit))
            }
            ArrowType::Timestamp(unit, zone) => {
                DataType::Timestamp { unit: TimeUnit::from_arrow(*unit), zoned: zone.is_some() }
            }
            ArrowType::Utf8 | ArrowType::LargeUtf8 | ArrowType::Utf8View => DataType::Utf8,
            ArrowType::FixedSizeBinary(_)
            | ArrowType::Binary
            | ArrowType::LargeBinary
            | ArrowType::BinaryView => DataType::Binary,
            ArrowType::Dictionary(_, values) => return DataType::from_arrow(values),
            ArrowType::RunEndEncoded(_, values) => {
                return DataType::from_arrow(values.data_type());
            }
            other => {
                return Err(Error::unsupported(format!(
                    "columns of type {other} are not supported"
                ))
                .with_hint("leave the column out, or flatten it before loading"));
            }
        })
    }
}

fn decimal(precision: u8, scale: i8) -> Result<DataType> {
    match u8::try_from(scale) {
        Ok(scale) if precision <= 38 && scale <= precision => {
            Ok(DataType::Decimal { precision, scale })
        }
        _ => Err(Error::unsupported(format!(
            "decimal({precision},{scale}) is not supported: at most 38 digits, scale 0 to precision"
        ))
        .with_hint("cast the column to a narrower decimal or to double before loading")),
    }
}

impl fmt::Display for DataType {
    /// The SQL name.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let unit_suffix = |unit: TimeUnit| match unit {
            TimeUnit::Second => "(0)",
            TimeUnit::Millisecond => "(3)",
            TimeUnit::Microsecond => "",
            TimeUnit::Nanosecond => "(9)",
        };
        match self {
            DataType::Null => f.write_str("null"),
            DataType::Bool => f.write_str("boolean"),
            DataType::Int8 => f.write_str("tinyint"),
            DataType::Int16 => f.write_str("smallint"),
            DataType::Int32 => f.write_str("integer"),
            DataType::Int64 => f.write_str("bigint"),
            DataType::UInt8 => f.write_str("utinyint"),
            DataType::UInt16 => f.write_str("usmallint"),
            DataType::UInt32 => f.write_str("uinteger"),
            DataType::UInt64 => f.write_str("ubigint"),
            DataType::Float32 => f.write_str("real"),
            DataType::Float64 => f.write_str("double"),
            DataType::Decimal { precision, scale } => write!(f, "decimal({precision},{scale})"),
            DataType::Date => f.write_str("date"),
            DataType::Time(unit) => write!(f, "time{}", unit_suffix(*unit)),
            DataType::Timestamp { unit, zoned } => {
                write!(f, "timestamp{}{}", if *zoned { "tz" } else { "" }, unit_suffix(*unit))
            }
            DataType::Utf8 => f.write_str("text"),
            DataType::Binary => f.write_str("blob"),
            DataType::Uuid => f.write_str("uuid"),
            DataType::Interval => f.write_str("interval"),
        }
    }
}
