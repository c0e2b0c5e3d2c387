//! Numbers of operators and functions. A number is never given to another meaning.

use crate::plan::{Comparison, DatePart, Function};
use crate::types::TimeUnit;

macro_rules! codes {
    ($(#[$doc:meta])* $encode:ident, $decode:ident, $type:ident,
     { $($code:literal => $variant:ident,)* } $(, others: $others:pat)?) => {
        $(#[$doc])*
        pub(super) fn $encode(value: $type) -> Option<u8> {
            // Without a wildcard, so that a new variant is given a number.
            match value {
                $($type::$variant => Some($code),)*
                $($others => None,)?
            }
        }

        /// The other way.
        pub(super) fn $decode(code: u8) -> Option<$type> {
            match code {
                $($code => Some($type::$variant),)*
                _ => None,
            }
        }
    };
}

codes!(
    /// The number of a comparison.
    comparison_code, comparison, Comparison, {
        1 => Equal,
        2 => NotEqual,
        3 => Less,
        4 => LessOrEqual,
        5 => Greater,
        6 => GreaterOrEqual,
        7 => Distinct,
        8 => NotDistinct,
    }
);

codes!(
    /// The number of a time unit.
    unit_code, unit, TimeUnit, {
        0 => Second,
        1 => Millisecond,
        2 => Microsecond,
        3 => Nanosecond,
    }
);

codes!(
    /// The number of a date part.
    part_code, part, DatePart, {
        1 => Microsecond,
        2 => Millisecond,
        3 => Second,
        4 => Minute,
        5 => Hour,
        6 => Day,
        7 => Week,
        8 => Month,
        9 => Quarter,
        10 => Year,
        11 => Decade,
        12 => Century,
        13 => Millennium,
        14 => DayOfWeek,
        15 => IsoDayOfWeek,
        16 => DayOfYear,
        17 => IsoYear,
        18 => Epoch,
    }
);

codes!(
    /// The number of a function without a date part.
    function_code, function, Function, {
        1 => Add,
        2 => Subtract,
        3 => Multiply,
        4 => Divide,
        5 => Modulo,
        6 => Negate,
        7 => Power,
        8 => Abs,
        9 => Sign,
        10 => Round,
        11 => Truncate,
        12 => Floor,
        13 => Ceil,
        14 => Sqrt,
        15 => Exp,
        16 => Ln,
        17 => Log10,
        18 => BitAnd,
        19 => BitOr,
        20 => BitXor,
        21 => ShiftLeft,
        22 => ShiftRight,
        23 => Coalesce,
        24 => NullIf,
        25 => Greatest,
        26 => Least,
        27 => Concat,
        28 => ConcatSkipNulls,
        29 => ConcatWithSeparator,
        30 => Length,
        31 => ByteLength,
        32 => Lower,
        33 => Upper,
        34 => Substring,
        35 => Left,
        36 => Right,
        37 => TrimStart,
        38 => TrimEnd,
        39 => Trim,
        40 => Replace,
        41 => Position,
        42 => StartsWith,
        43 => EndsWith,
        44 => Contains,
        45 => Reverse,
        46 => Repeat,
        47 => PadStart,
        48 => PadEnd,
        49 => SplitPart,
        50 => RegexpReplace,
        51 => RegexpMatches,
        52 => RegexpExtract,
        53 => Chr,
        54 => Ascii,
        55 => AddInterval,
        56 => SubtractInterval,
        57 => DateDifference,
        58 => AddDays,
        59 => MakeDate,
        60 => ToTimestamp,
        61 => FormatTime,
        62 => FromEpochMs,
        63 => Initcap,
        64 => BitLength,
        65 => Translate,
        66 => Levenshtein,
        67 => Md5,
        68 => LastDay,
        69 => AtTimeZone,
    },
    others: Function::Extract(_) | Function::DateTrunc(_) | Function::DateDiff(_)
);

/// Number of `Extract`; its part follows.
pub(super) const EXTRACT: u8 = 128;
/// Number of `DateTrunc`; its part follows.
pub(super) const DATE_TRUNC: u8 = 129;
/// Number of `DateDiff`; its part follows.
pub(super) const DATE_DIFF: u8 = 130;

/// Numbers of kinds of types, values and expressions.
pub(super) mod kind {
    pub(in super::super) const TYPE_DECIMAL: u8 = 32;
    pub(in super::super) const TYPE_TIME: u8 = 33;
    pub(in super::super) const TYPE_TIMESTAMP: u8 = 34;
    pub(in super::super) const TYPE_TIMESTAMP_ZONED: u8 = 35;

    pub(in super::super) const VALUE_NULL: u8 = 0;
    pub(in super::super) const VALUE_FALSE: u8 = 1;
    pub(in super::super) const VALUE_TRUE: u8 = 2;
    pub(in super::super) const VALUE_INT: u8 = 3;
    pub(in super::super) const VALUE_FLOAT: u8 = 4;
    pub(in super::super) const VALUE_TEXT: u8 = 5;
    pub(in super::super) const VALUE_BYTES: u8 = 6;
    pub(in super::super) const VALUE_UUID: u8 = 7;
    pub(in super::super) const VALUE_INTERVAL: u8 = 8;

    pub(in super::super) const EXPR_COLUMN: u8 = 1;
    pub(in super::super) const EXPR_LITERAL: u8 = 2;
    pub(in super::super) const EXPR_CAST: u8 = 3;
    pub(in super::super) const EXPR_TRY_CAST: u8 = 4;
    pub(in super::super) const EXPR_COMPARE: u8 = 5;
    pub(in super::super) const EXPR_AND: u8 = 6;
    pub(in super::super) const EXPR_OR: u8 = 7;
    pub(in super::super) const EXPR_NOT: u8 = 8;
    pub(in super::super) const EXPR_IS_NULL: u8 = 9;
    pub(in super::super) const EXPR_IN_LIST: u8 = 10;
    pub(in super::super) const EXPR_LIKE: u8 = 11;
    pub(in super::super) const EXPR_CASE: u8 = 12;
    pub(in super::super) const EXPR_CALL: u8 = 13;
}

/// Types without parameters.
pub(super) const PLAIN_TYPES: [(u8, crate::types::DataType); 17] = {
    use crate::types::DataType as T;
    [
        (0, T::Null),
        (1, T::Bool),
        (2, T::Int8),
        (3, T::Int16),
        (4, T::Int32),
        (5, T::Int64),
        (6, T::UInt8),
        (7, T::UInt16),
        (8, T::UInt32),
        (9, T::UInt64),
        (10, T::Float32),
        (11, T::Float64),
        (12, T::Date),
        (13, T::Utf8),
        (14, T::Binary),
        (15, T::Uuid),
        (16, T::Interval),
    ]
};
