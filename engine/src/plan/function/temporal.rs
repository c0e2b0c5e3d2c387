//! Types of the functions of dates and times, and of the operators over them.

use super::{
    DatePart, Function, call, integer_argument, resolve as resolve_function, text_argument,
};
use crate::plan::Expr;
use crate::plan::coercion::{
    common_type, explicit_cast, implicit_cast, scaled_interval, text_of, with_unit_of_at_least,
};
use crate::types::{DataType, Error, Result, TimeUnit, Value};

/// The call that an operator means when one side is a date, time, timestamp or interval; `None`
/// when neither is.
pub(super) fn operator(function: Function, left: &Expr, right: &Expr) -> Result<Option<Expr>> {
    use DataType::{Date, Interval};
    let (left, right) = (settled(left, right)?, settled(right, left)?);
    let (a, b) = (left.data_type(), right.data_type());
    let is_time = |data_type: DataType| data_type.is_temporal() || data_type == Interval;
    if !is_time(a) && !is_time(b) {
        return Ok(None);
    }
    let call = |function, arguments| resolve_function(function, arguments).map(Some);
    match (function, a, b) {
        (Function::Add, Interval, _) if b.is_temporal() => {
            call(Function::AddInterval, vec![right, left])
        }
        (Function::Add, _, Interval) if a.is_temporal() => {
            call(Function::AddInterval, vec![left, right])
        }
        (Function::Subtract, _, Interval) if a.is_temporal() => {
            call(Function::SubtractInterval, vec![left, right])
        }
        (Function::Add, Date, _) if b.is_integer() => call(Function::AddDays, vec![left, right]),
        (Function::Add, _, Date) if a.is_integer() => call(Function::AddDays, vec![right, left]),
        (Function::Subtract, Date, _) if b.is_integer() => {
            let days =
                resolve_function(Function::Negate, vec![explicit_cast(right, DataType::Int64)?])?;
            call(Function::AddDays, vec![left, days])
        }
        (Function::Subtract, Date, Date) => call(Function::DateDifference, vec![left, right]),
        (Function::Subtract, _, _) if common_type(&[a, b]).is_some_and(DataType::is_temporal) => {
            Err(Error::unsupported(format!("{a} - {b} is not supported"))
                .with_hint("use date_diff('second', from, to)"))
        }
        (Function::Multiply, ..) => scaled(&left, &right)
            .transpose()
            .map_or_else(|| Err(no_operator(function, a, b)), |literal| literal.map(Some)),
        _ => Err(no_operator(function, a, b)),
    }
}

/// A text literal beside a date is a date under `-`, beside a timestamp an interval.
fn settled(expr: &Expr, other: &Expr) -> Result<Expr> {
    let to = match other.data_type() {
        DataType::Date | DataType::Timestamp { .. } | DataType::Time(_)
            if is_interval_text(expr) =>
        {
            DataType::Interval
        }
        other @ (DataType::Date | DataType::Timestamp { .. }) => other,
        _ => return Ok(expr.clone()),
    };
    if text_of(expr).is_some() { explicit_cast(expr.clone(), to) } else { Ok(expr.clone()) }
}

fn is_interval_text(expr: &Expr) -> bool {
    text_of(expr).is_some_and(|text| crate::types::text::parse_interval(text).is_ok())
}

fn no_operator(function: Function, a: DataType, b: DataType) -> Error {
    Error::type_mismatch(format!("cannot {function} {a} and {b}"))
}

/// An interval literal times an integer literal; `None` for anything else.
fn scaled(left: &Expr, right: &Expr) -> Result<Option<Expr>> {
    let literal = |expr: &Expr| match expr {
        Expr::Literal { value, .. } => Some(value.clone()),
        _ => None,
    };
    let product = match (literal(left), literal(right)) {
        (Some(Value::Interval(interval)), Some(Value::Int(factor)))
        | (Some(Value::Int(factor)), Some(Value::Interval(interval))) => {
            let whole = left.data_type().is_integer() || right.data_type().is_integer();
            whole.then(|| scaled_interval(interval, factor))
        }
        _ => None,
    };
    Ok(product.transpose()?.map(|value| Expr::literal(value, DataType::Interval)))
}

pub(super) fn resolve(function: Function, mut arguments: Vec<Expr>) -> Result<Expr> {
    match function {
        Function::Extract(part) => extract(part, arguments.remove(0)),
        Function::DateTrunc(part) => truncate(part, arguments.remove(0)),
        Function::AddInterval | Function::SubtractInterval => {
            let interval = arguments.pop().expect("two arguments were counted");
            add_interval(function, arguments.remove(0), interval)
        }
        Function::DateDifference => {
            let arguments: Result<_> = arguments
                .into_iter()
                .map(|argument| explicit_cast(argument, DataType::Date))
                .collect();
            Ok(call(function, arguments?, DataType::Int64))
        }
        Function::AddDays => {
            let days = integer_argument(function, arguments.remove(1))?;
            let date = temporal_argument(function, arguments.remove(0), DataType::Date)?;
            Ok(call(function, vec![date, days], DataType::Date))
        }
        Function::DateDiff(_) => difference(function, arguments),
        Function::MakeDate => {
            let arguments: Result<_> =
                arguments.into_iter().map(|part| integer_argument(function, part)).collect();
            Ok(call(function, arguments?, DataType::Date))
        }
        Function::LastDay => {
            let input = temporal_argument(function, arguments.remove(0), DataType::TIMESTAMP)?;
            Ok(call(function, vec![input], DataType::Date))
        }
        Function::AtTimeZone => {
            let input = temporal_argument(function, arguments.remove(1), DataType::TIMESTAMPTZ)?;
            // As in PostgreSQL, a date is midnight of the session's zone.
            let input = match input.data_type() {
                DataType::Date => explicit_cast(input, DataType::TIMESTAMPTZ)?,
                _ => input,
            };
            let data_type = match input.data_type() {
                DataType::Timestamp { unit, zoned } => DataType::Timestamp { unit, zoned: !zoned },
                other => other,
            };
            let zone = text_argument(function, arguments.remove(0))?;
            Ok(call(function, vec![zone, input], data_type))
        }
        Function::ToTimestamp => {
            let seconds = implicit_cast(arguments.remove(0), DataType::Float64)?;
            Ok(call(function, vec![seconds], DataType::TIMESTAMPTZ))
        }
        Function::FromEpochMs => {
            let milliseconds = integer_argument(function, arguments.remove(0))?;
            Ok(call(function, vec![milliseconds], DataType::TIMESTAMP))
        }
        Function::FormatTime => {
            let format = text_argument(function, arguments.remove(1))?;
            let input = temporal_argument(function, arguments.remove(0), DataType::TIMESTAMP)?;
            Ok(call(function, vec![input, format], DataType::Utf8))
        }
        other => Err(Error::internal(format!("{other} is no function of time"))),
    }
}

/// A date or timestamp; `fallback` for NULL and text literals.
fn temporal_argument(function: Function, argument: Expr, fallback: DataType) -> Result<Expr> {
    let found = argument.data_type();
    if found == DataType::Null || text_of(&argument).is_some() {
        return explicit_cast(argument, fallback);
    }
    match found {
        DataType::Date | DataType::Timestamp { .. } => Ok(argument),
        _ => {
            Err(Error::type_mismatch(format!("{function} takes a date or timestamp, not {found}"))
                .with_hint("write CAST(… AS timestamp)"))
        }
    }
}

fn extract(part: DatePart, input: Expr) -> Result<Expr> {
    let function = Function::Extract(part);
    let input = match input.data_type() {
        DataType::Time(_) => input,
        _ => temporal_argument(function, input, DataType::TIMESTAMP)?,
    };
    let data_type = input.data_type();
    let known = match data_type {
        DataType::Date => !is_clock_part(part),
        DataType::Time(_) => is_clock_part(part) || part == DatePart::Epoch,
        _ => true,
    };
    if !known {
        return Err(Error::type_mismatch(format!("{data_type} has no {part:?}").to_lowercase())
            .with_hint("cast it to timestamp"));
    }
    let result = if has_fraction(part, data_type) { DataType::Float64 } else { DataType::Int64 };
    Ok(call(function, vec![input], result))
}

fn is_clock_part(part: DatePart) -> bool {
    use DatePart::{Hour, Microsecond, Millisecond, Minute, Second};
    matches!(part, Microsecond | Millisecond | Second | Minute | Hour)
}

/// Whether the part of such a value can have digits after the point.
fn has_fraction(part: DatePart, data_type: DataType) -> bool {
    let unit = match data_type {
        DataType::Timestamp { unit, .. } | DataType::Time(unit) => unit,
        _ => TimeUnit::Second,
    };
    match part {
        DatePart::Epoch => true,
        DatePart::Second => unit > TimeUnit::Second,
        DatePart::Millisecond => unit > TimeUnit::Millisecond,
        DatePart::Microsecond => unit > TimeUnit::Microsecond,
        _ => false,
    }
}

fn truncate(part: DatePart, input: Expr) -> Result<Expr> {
    use DatePart::{DayOfWeek, DayOfYear, Epoch, IsoDayOfWeek, IsoYear};
    let function = Function::DateTrunc(part);
    if matches!(part, DayOfWeek | IsoDayOfWeek | DayOfYear | Epoch | IsoYear) {
        let name = format!("{part:?}").to_lowercase();
        return Err(Error::type_mismatch(format!("date_trunc does not cut to {name}"))
            .with_hint("use one of year, quarter, month, week, day, hour, minute, second"));
    }
    let input = temporal_argument(function, input, DataType::TIMESTAMP)?;
    let input = match input.data_type() {
        DataType::Date => explicit_cast(input, DataType::TIMESTAMP)?,
        _ => input,
    };
    let data_type = input.data_type();
    Ok(call(function, vec![input], data_type))
}

fn add_interval(function: Function, input: Expr, interval: Expr) -> Result<Expr> {
    let interval = explicit_cast(interval, DataType::Interval)?;
    let input = match input.data_type() {
        DataType::Time(_) => input,
        _ => temporal_argument(function, input, DataType::TIMESTAMP)?,
    };
    let input = match input.data_type() {
        DataType::Date => explicit_cast(input, DataType::TIMESTAMP)?,
        _ => input,
    };
    let data_type = with_unit_of_at_least(input.data_type(), unit_of(&interval));
    let input = explicit_cast(input, data_type)?;
    Ok(call(function, vec![input, interval], data_type))
}

/// The coarsest unit in which adding the interval is exact; microseconds, PostgreSQL's own, when it
/// is not known.
fn unit_of(interval: &Expr) -> TimeUnit {
    let Expr::Literal { value: Value::Interval(interval), .. } = interval else {
        return TimeUnit::Microsecond;
    };
    match interval.nanoseconds {
        whole if whole % 1_000_000_000 == 0 => TimeUnit::Second,
        whole if whole % 1_000_000 == 0 => TimeUnit::Millisecond,
        whole if whole % 1_000 == 0 => TimeUnit::Microsecond,
        _ => TimeUnit::Nanosecond,
    }
}

fn difference(function: Function, arguments: Vec<Expr>) -> Result<Expr> {
    let arguments: Vec<Expr> = arguments
        .into_iter()
        .map(|argument| temporal_argument(function, argument, DataType::TIMESTAMP))
        .collect::<Result<_>>()?;
    let types: Vec<DataType> = arguments.iter().map(Expr::data_type).collect();
    let common = match common_type(&types).expect("dates and timestamps have a common type") {
        DataType::Date => DataType::Timestamp { unit: TimeUnit::Second, zoned: false },
        other => other,
    };
    let arguments: Result<_> =
        arguments.into_iter().map(|argument| explicit_cast(argument, common)).collect();
    Ok(call(function, arguments?, DataType::Int64))
}
