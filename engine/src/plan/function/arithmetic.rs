//! Types of the arithmetic operators and numeric functions.

use super::{Function, call, integer_argument, temporal};
use crate::plan::Expr;
use crate::plan::coercion::{
    decimal_parts, exact_literal, explicit_cast, implicit_cast, text_of, to_signed, wider_integer,
};
use crate::types::{DataType, Error, Result, Value};

const PRECISION_MAX: u8 = 38;

/// `+ - * / %`
pub(super) fn binary(function: Function, arguments: Vec<Expr>) -> Result<Expr> {
    let (left, right) = pair(arguments);
    if let Some(call) = temporal::operator(function, &left, &right)? {
        return Ok(call);
    }
    let (left, right) = settle(left, right)?;
    let (a, b) = (left.data_type(), right.data_type());
    if !a.is_numeric() || !b.is_numeric() {
        return Err(no_operator(function, a, b));
    }
    if a.is_float() || b.is_float() {
        let single = a == DataType::Float32 && b == DataType::Float32;
        let data_type = if single { DataType::Float32 } else { DataType::Float64 };
        return both(function, left, right, data_type);
    }
    if a.is_integer() && b.is_integer() {
        if let Some(data_type) = integer_result(function, &left, &right) {
            return both(function, left, right, data_type);
        }
        if function == Function::Divide {
            return Err(Error::unsupported(format!("{a} / {b} is not supported"))
                .with_hint("cast the ubigint to bigint or to decimal(20,0)"));
        }
    }
    decimal(function, left, right)
}

fn pair(arguments: Vec<Expr>) -> (Expr, Expr) {
    let [left, right] = <[Expr; 2]>::try_from(arguments).expect("two arguments were counted");
    (left, right)
}

/// Gives a NULL or a text literal the type of the other side.
fn settle(left: Expr, right: Expr) -> Result<(Expr, Expr)> {
    let is_open = |expr: &Expr| text_of(expr).is_some() || expr.data_type() == DataType::Null;
    match (is_open(&left), is_open(&right)) {
        (true, false) => Ok((open_as(left, right.data_type())?, right)),
        (false, true) => {
            let right = open_as(right, left.data_type())?;
            Ok((left, right))
        }
        (true, true) if text_of(&left).is_none() && text_of(&right).is_none() => {
            Ok((open_as(left, DataType::Int32)?, open_as(right, DataType::Int32)?))
        }
        _ => Ok((left, right)),
    }
}

fn open_as(expr: Expr, other: DataType) -> Result<Expr> {
    let to = match other {
        // A number in text may have more digits than the column beside it.
        DataType::Decimal { scale, .. } => DataType::Decimal { precision: PRECISION_MAX, scale },
        other if other.is_numeric() => other,
        _ => return Ok(expr),
    };
    implicit_cast(expr, to)
}

fn both(function: Function, left: Expr, right: Expr, data_type: DataType) -> Result<Expr> {
    let arguments = vec![explicit_cast(left, data_type)?, explicit_cast(right, data_type)?];
    Ok(call(function, arguments, data_type))
}

/// The type of integer arithmetic; `None` when it has to be decimal.
///
/// Unsigned operands widen to the next signed type; `UInt64` stays itself beside its own kind and
/// beside constants that are not negative, except under `-`.
fn integer_result(function: Function, left: &Expr, right: &Expr) -> Option<DataType> {
    let (a, b) = (left.data_type(), right.data_type());
    if a != DataType::UInt64 && b != DataType::UInt64 {
        let (a, b) = (to_signed(a), to_signed(b));
        return Some(wider_integer(a, b));
    }
    let fits = |expr: &Expr| {
        expr.data_type().is_unsigned_integer() || exact_literal(expr, DataType::UInt64).is_some()
    };
    let stays = fits(left) && fits(right) && function != Function::Subtract;
    stays.then_some(DataType::UInt64)
}

fn decimal(function: Function, left: Expr, right: Expr) -> Result<Expr> {
    let ((precision, scale), (other_precision, other_scale)) =
        (operand_parts(&left), operand_parts(&right));
    let whole = (precision - scale).max(other_precision - other_scale);
    match function {
        Function::Divide => both(function, left, right, DataType::Float64),
        Function::Multiply => {
            let product_scale = scale + other_scale;
            if product_scale > PRECISION_MAX {
                return Err(Error::type_mismatch(format!(
                    "the product of {} and {} has {product_scale} digits after the point, more than 38",
                    left.data_type(),
                    right.data_type()
                ))
                .with_hint("cast one factor to a decimal with fewer digits, or to double"));
            }
            let arguments = vec![
                explicit_cast(left, DataType::Decimal { precision, scale })?,
                explicit_cast(
                    right,
                    DataType::Decimal { precision: other_precision, scale: other_scale },
                )?,
            ];
            let precision = (precision + other_precision).min(PRECISION_MAX);
            Ok(call(function, arguments, DataType::Decimal { precision, scale: product_scale }))
        }
        _ => {
            let carry = u8::from(function != Function::Modulo);
            let scale = scale.max(other_scale);
            let precision = (whole + carry + scale).min(PRECISION_MAX);
            both(function, left, right, DataType::Decimal { precision, scale })
        }
    }
}

/// Precision and scale of an operand; those of its digits for an integer literal.
fn operand_parts(expr: &Expr) -> (u8, u8) {
    match expr {
        Expr::Literal { value: Value::Int(value), data_type } if data_type.is_integer() => {
            let digits = value.unsigned_abs().checked_ilog10().map_or(1, |log| log + 1);
            (u8::try_from(digits).unwrap_or(PRECISION_MAX), 0)
        }
        other => decimal_parts(other.data_type()),
    }
}

/// `-a` and the functions that round or measure one number.
pub(super) fn unary(function: Function, mut arguments: Vec<Expr>) -> Result<Expr> {
    let digits = if arguments.len() == 2 { arguments.pop() } else { None };
    let input = arguments.pop().expect("one argument was counted");
    let found = input.data_type();
    let input = match found {
        DataType::Null => input.cast_to(DataType::Float64),
        DataType::Utf8 => {
            implicit_cast(input, DataType::Float64).map_err(|_| no_function(function, found))?
        }
        _ => input,
    };
    let data_type = input.data_type();
    if data_type == DataType::Interval && function == Function::Negate {
        return Ok(call(function, vec![input], data_type));
    }
    if !data_type.is_numeric() {
        return Err(no_function(function, found));
    }
    match function {
        Function::Negate => negate(input),
        Function::Sign if matches!(data_type, DataType::Decimal { .. }) => {
            Ok(call(function, vec![input], DataType::Float64))
        }
        Function::Abs | Function::Sign => Ok(call(function, vec![input], data_type)),
        _ => rounding(function, input, digits),
    }
}

fn negate(input: Expr) -> Result<Expr> {
    let data_type = to_signed(input.data_type());
    if let Expr::Literal { value, data_type: own } = &input {
        let negated = match value {
            Value::Int(value) if *own == data_type => value.checked_neg().map(Value::Int),
            Value::Float(value) => Some(Value::Float(-value)),
            _ => None,
        };
        // The one value without a negative twin in its type is left to fail where a row reaches it.
        let lowest = Value::Int(i128::from(i64::MIN));
        if let Some(negated) = negated.filter(|_| !value.is_null() && *value != lowest) {
            let literal = Expr::literal(negated, data_type);
            return Ok(literal);
        }
    }
    Ok(call(Function::Negate, vec![explicit_cast(input, data_type)?], data_type))
}

/// `round`, `trunc`, `floor`, `ceil`: whole numbers of the argument's kind, or `digits` after the
/// point.
fn rounding(function: Function, input: Expr, digits: Option<Expr>) -> Result<Expr> {
    let digits = digits.map(|digits| integer_argument(function, digits)).transpose()?;
    let (input, data_type) = match input.data_type() {
        DataType::Decimal { precision, scale } => {
            let kept = match &digits {
                None => 0,
                Some(Expr::Literal { value: Value::Int(value), .. }) => {
                    u8::try_from((*value).clamp(0, i128::from(scale))).unwrap_or(scale)
                }
                Some(_) => scale,
            };
            // One more digit in front: 9.5 rounds to 10.
            let precision = (precision - scale + kept + 1).min(PRECISION_MAX);
            (input, DataType::Decimal { precision, scale: kept })
        }
        DataType::Float32 => (input.cast_to(DataType::Float64), DataType::Float64),
        other => (input, other),
    };
    Ok(call(function, std::iter::once(input).chain(digits).collect(), data_type))
}

/// Functions of doubles.
pub(super) fn doubles(function: Function, arguments: Vec<Expr>) -> Result<Expr> {
    let arguments: Result<_> = arguments
        .into_iter()
        .map(|argument| {
            let found = argument.data_type();
            implicit_cast(argument, DataType::Float64).map_err(|_| no_function(function, found))
        })
        .collect();
    Ok(call(function, arguments?, DataType::Float64))
}

/// `& | xor << >>` of integers; a shift keeps the type of its left side.
pub(super) fn bits(function: Function, arguments: Vec<Expr>) -> Result<Expr> {
    let (left, right) = pair(arguments);
    let (left, right) = settle(left, right)?;
    let (a, b) = (left.data_type(), right.data_type());
    if !a.is_integer() || !b.is_integer() {
        return Err(no_operator(function, a, b));
    }
    if matches!(function, Function::ShiftLeft | Function::ShiftRight) {
        let right = integer_argument(function, right)?;
        return Ok(call(function, vec![left, right], a));
    }
    let common =
        integer_result(function, &left, &right).ok_or_else(|| no_operator(function, a, b))?;
    both(function, left, right, common)
}

fn no_operator(function: Function, a: DataType, b: DataType) -> Error {
    let hint = if a == DataType::Utf8 || b == DataType::Utf8 {
        "cast the text to a number"
    } else {
        "cast one side"
    };
    Error::type_mismatch(format!("cannot {function} {a} and {b}")).with_hint(hint)
}

fn no_function(function: Function, found: DataType) -> Error {
    Error::type_mismatch(format!("{function} takes a number, not {found}"))
        .with_hint("cast the argument to a number")
}
