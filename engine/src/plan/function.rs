//! The scalar functions: what each means, and which argument types it takes.
//!
//! The SQL name of a function is the binder's affair; this module decides types once the function is
//! known. A function gives NULL when an argument is NULL unless its line says otherwise.

mod arithmetic;
mod temporal;
mod text;

use std::fmt;

use super::coercion::{explicit_cast, implicit_cast, text_of, unify};
use super::expression::Expr;
use crate::types::{DataType, Error, Result};

/// A part of a date, time or timestamp.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the names say it; PostgreSQL's definitions")]
pub enum DatePart {
    Microsecond,
    Millisecond,
    Second,
    Minute,
    Hour,
    Day,
    /// ISO week.
    Week,
    Month,
    Quarter,
    Year,
    Decade,
    Century,
    Millennium,
    /// 0 is Sunday.
    DayOfWeek,
    /// 1 is Monday, 7 Sunday.
    IsoDayOfWeek,
    DayOfYear,
    IsoYear,
    /// Seconds since 1970, with a fraction.
    Epoch,
}

/// A scalar function or arithmetic operator.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Function {
    // Arithmetic. Both operands have the result's type; overflow and division by zero are errors.
    /// `a + b`
    Add,
    /// `a - b`
    Subtract,
    /// `a * b`; decimals: operands keep their own precision and scale, the result has the sum of both.
    Multiply,
    /// `a / b`; integers truncate towards zero, decimals divide as doubles.
    Divide,
    /// `a % b`; takes the sign of `a`.
    Modulo,
    /// `-a`
    Negate,
    /// `a ^ b`, doubles.
    Power,
    /// `abs(a)`
    Abs,
    /// `sign(a)`: -1, 0 or 1 as the argument's type (double for decimals).
    Sign,
    /// `round(a)` or `round(a, digits)`; doubles half to even, decimals half away from zero.
    Round,
    /// `trunc(a)`
    Truncate,
    /// `floor(a)`
    Floor,
    /// `ceil(a)`
    Ceil,
    /// `sqrt(a)`, error below zero.
    Sqrt,
    /// `exp(a)`
    Exp,
    /// `ln(a)`, error at or below zero.
    Ln,
    /// `log10(a)`, error at or below zero.
    Log10,
    /// `a & b`, integers.
    BitAnd,
    /// `a | b`, integers.
    BitOr,
    /// `xor(a, b)`, integers.
    BitXor,
    /// `a << b`, integers.
    ShiftLeft,
    /// `a >> b`, integers, arithmetic.
    ShiftRight,

    // NULL handling and choice; all arguments have the result's type.
    /// First non-null argument.
    Coalesce,
    /// NULL when both are equal, else the first.
    NullIf,
    /// Greatest non-null argument.
    Greatest,
    /// Least non-null argument.
    Least,

    // Text. Positions and lengths count characters from 1, unless said otherwise.
    /// `a || b`
    Concat,
    /// `concat(a, …)`: NULL arguments are left out; never NULL.
    ConcatSkipNulls,
    /// `concat_ws(separator, a, …)`: NULL arguments are left out; NULL only when the separator is.
    ConcatWithSeparator,
    /// Characters, as `Int64`.
    Length,
    /// Bytes, as `Int64`; also over `Binary`.
    ByteLength,
    /// `bit_length(a)`: eight times the bytes, as `Int64`; also over `Binary`.
    BitLength,
    /// `lower(a)`, simple case folding.
    Lower,
    /// `upper(a)`
    Upper,
    /// `initcap(a)`: the first letter of each word upper, the others lower; words are letters and digits.
    Initcap,
    /// `substring(a, from)` or `(a, from, count)`; positions below 1 count but give nothing.
    Substring,
    /// `left(a, n)`; a negative n leaves out the last |n|.
    Left,
    /// `right(a, n)`; a negative n leaves out the first |n|.
    Right,
    /// `ltrim(a, characters)`
    TrimStart,
    /// `rtrim(a, characters)`
    TrimEnd,
    /// `trim(a, characters)`
    Trim,
    /// `replace(a, from, to)`
    Replace,
    /// `translate(a, from, to)`: each character of `from` becomes the one in its place of `to`, or
    /// nothing.
    Translate,
    /// `levenshtein(a, b)`: the fewest characters inserted, deleted and replaced, as `Int64`.
    Levenshtein,
    /// `md5(a)` of text or `Binary`: 32 hexadecimal digits.
    Md5,
    /// `strpos(a, needle)`: 0 when absent, as `Int64`.
    Position,
    /// `starts_with(a, prefix)`
    StartsWith,
    /// `ends_with(a, suffix)`
    EndsWith,
    /// `contains(a, needle)`
    Contains,
    /// `reverse(a)`
    Reverse,
    /// `repeat(a, n)`
    Repeat,
    /// `lpad(a, length, fill)`
    PadStart,
    /// `rpad(a, length, fill)`
    PadEnd,
    /// `split_part(a, separator, n)`; a negative n counts from the end.
    SplitPart,
    /// `regexp_replace(a, pattern, replacement, flags)`: first match, all with flag `g`; `\1` and
    /// `\&` in the replacement.
    RegexpReplace,
    /// `regexp_matches(a, pattern, flags)`: whether it matches anywhere.
    RegexpMatches,
    /// `regexp_extract(a, pattern, group)`: that group of the first match, else ''.
    RegexpExtract,
    /// `chr(n)`
    Chr,
    /// `ascii(a)`: code point of the first character, 0 for ''.
    Ascii,

    // Dates and times.
    /// `extract(part from a)`: `Int64`, double for `Epoch`; `Second` and smaller as PostgreSQL
    /// except that they are whole numbers where the type has no fraction.
    Extract(DatePart),
    /// `date_trunc(part, a)`: a timestamp of the argument's type (timestamp for a date).
    DateTrunc(DatePart),
    /// `a + interval` of a timestamp (a date is cast before); a day past the month's end clamps.
    AddInterval,
    /// `a - interval`.
    SubtractInterval,
    /// `date - date`: days, as `Int64`.
    DateDifference,
    /// `date + integer` days, a date.
    AddDays,
    /// `date_diff(part, from, to)`: boundaries crossed, as `Int64`.
    DateDiff(DatePart),
    /// `make_date(year, month, day)`.
    MakeDate,
    /// `last_day(a)`: the last day of the month of a date or timestamp.
    LastDay,
    /// `timezone(zone, a)`, which is `a AT TIME ZONE zone`: what the clocks of that zone show at an
    /// instant, or the instant at which they show a timestamp.
    AtTimeZone,
    /// `to_timestamp(double seconds)`: an instant.
    ToTimestamp,
    /// `strftime(a, format)`.
    FormatTime,
    /// `epoch_ms(bigint)`: a local timestamp.
    FromEpochMs,
}

impl fmt::Display for Function {
    /// Snake case, as `EXPLAIN` prints it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let debug = format!("{self:?}");
        for (index, c) in debug.char_indices() {
            match c {
                'A'..='Z' if index > 0 && !debug[..index].ends_with('(') => {
                    write!(f, "_{}", c.to_ascii_lowercase())?;
                }
                _ => write!(f, "{}", c.to_ascii_lowercase())?,
            }
        }
        Ok(())
    }
}

/// The call of `function`, with the casts that its arguments need and its result type.
///
/// An operator over dates and intervals becomes the function that means it: `date + 1` is
/// [`Function::AddDays`].
///
/// # Errors
/// `Type` when the function does not take these types or this many arguments; `InvalidText` or
/// `OutOfRange` for a text literal that is no value of the type it has to have; `Unsupported`.
pub fn resolve(function: Function, arguments: Vec<Expr>) -> Result<Expr> {
    check_count(function, arguments.len())?;
    match function {
        Function::Add
        | Function::Subtract
        | Function::Multiply
        | Function::Divide
        | Function::Modulo => arithmetic::binary(function, arguments),
        Function::Negate
        | Function::Abs
        | Function::Sign
        | Function::Round
        | Function::Truncate
        | Function::Floor
        | Function::Ceil => arithmetic::unary(function, arguments),
        Function::Power | Function::Sqrt | Function::Exp | Function::Ln | Function::Log10 => {
            arithmetic::doubles(function, arguments)
        }
        Function::BitAnd
        | Function::BitOr
        | Function::BitXor
        | Function::ShiftLeft
        | Function::ShiftRight => arithmetic::bits(function, arguments),
        Function::Coalesce | Function::NullIf | Function::Greatest | Function::Least => {
            choice(function, arguments)
        }
        Function::Extract(_)
        | Function::DateTrunc(_)
        | Function::AddInterval
        | Function::SubtractInterval
        | Function::DateDifference
        | Function::AddDays
        | Function::DateDiff(_)
        | Function::MakeDate
        | Function::LastDay
        | Function::AtTimeZone
        | Function::ToTimestamp
        | Function::FormatTime
        | Function::FromEpochMs => temporal::resolve(function, arguments),
        _ => text::resolve(function, arguments),
    }
}

fn call(function: Function, arguments: Vec<Expr>, data_type: DataType) -> Expr {
    Expr::Call { function, arguments, data_type }
}

fn check_count(function: Function, count: usize) -> Result<()> {
    let (min, max) = argument_counts(function);
    if (min..=max).contains(&count) {
        return Ok(());
    }
    let expected = if min == max {
        format!("{min}")
    } else if max == usize::MAX {
        format!("at least {min}")
    } else {
        format!("{min} to {max}")
    };
    let plural = if expected == "1" || expected == "at least 1" { "" } else { "s" };
    Err(Error::type_mismatch(format!("{function} takes {expected} argument{plural}, not {count}")))
}

/// The fewest and the most arguments.
fn argument_counts(function: Function) -> (usize, usize) {
    use Function as F;
    match function {
        F::Coalesce | F::Greatest | F::Least | F::ConcatSkipNulls => (1, usize::MAX),
        F::ConcatWithSeparator => (2, usize::MAX),
        F::Round | F::Truncate | F::TrimStart | F::TrimEnd | F::Trim => (1, 2),
        F::Substring | F::PadStart | F::PadEnd | F::RegexpMatches | F::RegexpExtract => (2, 3),
        F::RegexpReplace => (3, 4),
        F::Replace | F::Translate | F::SplitPart | F::MakeDate => (3, 3),
        F::Negate
        | F::Abs
        | F::Sign
        | F::Floor
        | F::Ceil
        | F::Sqrt
        | F::Exp
        | F::Ln
        | F::Log10
        | F::Length
        | F::ByteLength
        | F::BitLength
        | F::Md5
        | F::LastDay
        | F::Lower
        | F::Upper
        | F::Initcap
        | F::Reverse
        | F::Chr
        | F::Ascii
        | F::Extract(_)
        | F::DateTrunc(_)
        | F::ToTimestamp
        | F::FromEpochMs => (1, 1),
        _ => (2, 2),
    }
}

fn choice(function: Function, arguments: Vec<Expr>) -> Result<Expr> {
    let arguments = unify(arguments, &function.to_string().to_uppercase())?;
    let data_type = arguments[0].data_type();
    if data_type == DataType::Interval && function != Function::Coalesce {
        return Err(Error::unsupported("comparing intervals is not supported"));
    }
    Ok(call(function, arguments, data_type))
}

/// The argument as text.
fn text_argument(function: Function, argument: Expr) -> Result<Expr> {
    typed_argument(function, argument, DataType::Utf8, "text")
}

/// The argument as `Int64`.
fn integer_argument(function: Function, argument: Expr) -> Result<Expr> {
    if argument.data_type() == DataType::UInt64 {
        return explicit_cast(argument, DataType::Int64);
    }
    typed_argument(function, argument, DataType::Int64, "an integer")
}

fn typed_argument(
    function: Function,
    argument: Expr,
    data_type: DataType,
    described: &str,
) -> Result<Expr> {
    let found = argument.data_type();
    if text_of(&argument).is_some() {
        return explicit_cast(argument, data_type);
    }
    implicit_cast(argument, data_type).map_err(|_| {
        Error::type_mismatch(format!("{function} takes {described}, not {found}"))
            .with_hint(format!("write CAST(… AS {data_type})"))
    })
}

#[cfg(test)]
mod tests;
