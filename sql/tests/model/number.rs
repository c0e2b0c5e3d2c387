//! Arithmetic, rounding, bits and the functions of doubles.

use martlet::plan::Function;
use martlet::{DataType, Error, Value};
use num_bigint::BigInt;

use crate::exact::{half_away, power_of_ten};
use crate::plan::Cell;

/// The function's value; `None` when it is not one of numbers.
pub(crate) fn call(
    function: Function,
    values: &[Value],
    types: &[DataType],
    data_type: DataType,
) -> Option<Cell> {
    use Function as F;
    Some(match function {
        F::Add | F::Subtract | F::Multiply | F::Divide | F::Modulo => {
            binary(function, &values[0], &values[1], data_type)
        }
        F::Negate => match &values[0] {
            Value::Float(value) => Ok(Value::Float(-value)),
            value => fit(-integer(value), data_type),
        },
        F::Abs => match &values[0] {
            Value::Float(value) => Ok(Value::Float(value.abs())),
            value => fit(integer(value).magnitude().clone().into(), data_type),
        },
        F::Sign => Ok(sign(&values[0], data_type)),
        F::Round | F::Truncate | F::Floor | F::Ceil => round(function, values, types[0], data_type),
        F::Power => power(float(&values[0]), float(&values[1])),
        F::Sqrt | F::Exp | F::Ln | F::Log10 => of_double(function, float(&values[0])),
        F::BitAnd | F::BitOr | F::BitXor | F::ShiftLeft | F::ShiftRight => {
            Ok(bits(function, whole(&values[0]), whole(&values[1]), data_type))
        }
        _ => return None,
    })
}

/// An integer, date, time, or a decimal's digits.
pub(crate) fn whole(value: &Value) -> i128 {
    match value {
        Value::Int(value) => *value,
        Value::Bool(value) => i128::from(*value),
        other => panic!("{other:?} is no whole number"),
    }
}

pub(crate) fn integer(value: &Value) -> BigInt {
    BigInt::from(whole(value))
}

pub(crate) fn float(value: &Value) -> f64 {
    match value {
        Value::Float(value) => *value,
        other => panic!("{other:?} is no float"),
    }
}

#[expect(clippy::cast_possible_truncation, reason = "a value of a single column is one")]
fn single(value: f64) -> f32 {
    value as f32
}

/// The number as a value of an integer or decimal type, in that type's digits.
pub(crate) fn fit(value: BigInt, data_type: DataType) -> Cell {
    let out_of_range = || Error::out_of_range(format!("{value} does not fit {data_type}"));
    let (min, max) = range(data_type);
    if value < min || value > max {
        return Err(out_of_range());
    }
    i128::try_from(&value).map(Value::Int).map_err(|_| out_of_range())
}

/// The smallest and the largest number of a type's digits.
fn range(data_type: DataType) -> (BigInt, BigInt) {
    let signed =
        |bits: u32| (-(BigInt::from(1) << (bits - 1)), (BigInt::from(1) << (bits - 1)) - 1);
    let unsigned = |bits: u32| (BigInt::ZERO, (BigInt::from(1) << bits) - 1);
    match data_type {
        DataType::Int8 => signed(8),
        DataType::Int16 => signed(16),
        DataType::Int32 | DataType::Date => signed(32),
        DataType::UInt8 => unsigned(8),
        DataType::UInt16 => unsigned(16),
        DataType::UInt32 => unsigned(32),
        DataType::UInt64 => unsigned(64),
        DataType::Decimal { precision, .. } => {
            let limit = power_of_ten(u32::from(precision)) - 1;
            (-&limit, limit)
        }
        _ => signed(64),
    }
}

fn binary(function: Function, left: &Value, right: &Value, data_type: DataType) -> Cell {
    match data_type {
        DataType::Float32 => {
            let (left, right) = (single(float(left)), single(float(right)));
            let value = match function {
                Function::Add => left + right,
                Function::Subtract => left - right,
                Function::Multiply => left * right,
                Function::Divide => left / right,
                _ => left % right,
            };
            checked(function, (left.into(), right.into()), value.into())
        }
        DataType::Float64 => {
            let (left, right) = (float(left), float(right));
            let value = match function {
                Function::Add => left + right,
                Function::Subtract => left - right,
                Function::Multiply => left * right,
                Function::Divide => left / right,
                _ => left % right,
            };
            checked(function, (left, right), value)
        }
        _ => {
            let (left, right) = (integer(left), integer(right));
            let divides = matches!(function, Function::Divide | Function::Modulo);
            if divides && right == BigInt::ZERO {
                return Err(Error::division_by_zero());
            }
            let value = match function {
                Function::Add => left + right,
                Function::Subtract => left - right,
                Function::Multiply => left * right,
                Function::Divide => left / right,
                _ => left % right,
            };
            fit(value, data_type)
        }
    }
}

/// PostgreSQL's floats: division by zero, and a result that is infinite or zero where the exact one
/// is not, are errors.
fn checked(function: Function, (left, right): (f64, f64), value: f64) -> Cell {
    let divides = matches!(function, Function::Divide | Function::Modulo);
    if divides && right == 0.0 && !left.is_nan() {
        return Err(Error::division_by_zero());
    }
    let overflows = value.is_infinite() && left.is_finite() && right.is_finite();
    let underflows = match function {
        Function::Multiply => value == 0.0 && left != 0.0 && right != 0.0,
        Function::Divide => value == 0.0 && left != 0.0 && right.is_finite(),
        _ => false,
    };
    if overflows || underflows {
        return Err(Error::out_of_range(format!("{function} of {left} and {right}")));
    }
    Ok(Value::Float(value))
}

fn sign(value: &Value, data_type: DataType) -> Value {
    match value {
        Value::Float(value) if value.is_nan() => Value::Float(*value),
        Value::Float(value) if *value > 0.0 => Value::Float(1.0),
        Value::Float(value) if *value < 0.0 => Value::Float(-1.0),
        Value::Float(_) => Value::Float(0.0),
        value => match (whole(value).signum(), data_type) {
            (0, DataType::Float64) => Value::Float(0.0),
            (1, DataType::Float64) => Value::Float(1.0),
            (_, DataType::Float64) => Value::Float(-1.0),
            (sign, _) => Value::Int(sign),
        },
    }
}

fn round(function: Function, values: &[Value], from: DataType, data_type: DataType) -> Cell {
    let digits = values.get(1).map(whole);
    if from.is_float() {
        let value = float(&values[0]);
        return Ok(Value::Float(match digits {
            None => round_float(function, value),
            Some(digits) => round_float_to(function, value, digits),
        }));
    }
    let scale_of = |data_type| match data_type {
        DataType::Decimal { scale, .. } => i128::from(scale),
        _ => 0,
    };
    let (scale, target) = (scale_of(from), scale_of(data_type));
    // More than 80 digits either way round nothing, or everything, as 80 do.
    let dropped = (scale - digits.unwrap_or(0)).clamp(0, 80);
    let unit = power_of_ten(u32::try_from(dropped).expect("at most 80"));
    let value = integer(&values[0]);
    let down = || {
        let quotient = &value / &unit;
        if &quotient * &unit > value { quotient - 1 } else { quotient }
    };
    let rounded = match function {
        Function::Round => half_away(&value, &unit),
        Function::Truncate => &value / &unit,
        Function::Floor => down(),
        _ if &value % &unit == BigInt::ZERO => down(),
        _ => down() + 1,
    };
    let at_scale = rounded * unit;
    let lowered = u32::try_from(scale - target).expect("rounding adds no digits");
    fit(at_scale / power_of_ten(lowered), data_type)
}

fn round_float(function: Function, value: f64) -> f64 {
    match function {
        Function::Round => value.round_ties_even(),
        Function::Truncate => value.trunc(),
        Function::Floor => value.floor(),
        _ => value.ceil(),
    }
}

/// Scaled by a power of ten as a double, rounded, and scaled back; a value with no digit there stays,
/// one with too few before the point is zero.
fn round_float_to(function: Function, value: f64, digits: i128) -> f64 {
    let power = i32::try_from(digits.abs().min(400)).expect("at most 400");
    let factor = 10_f64.powi(power);
    let scaled = if digits >= 0 { value * factor } else { value / factor };
    if !factor.is_finite() || !scaled.is_finite() {
        return if digits < 0 { 0.0 } else { value };
    }
    let rounded = round_float(function, scaled);
    if digits >= 0 { rounded / factor } else { rounded * factor }
}

fn power(base: f64, exponent: f64) -> Cell {
    let wrong = || Err(Error::out_of_range(format!("{base} ^ {exponent}")));
    if base == 0.0 && exponent < 0.0 {
        return wrong();
    }
    let is_whole = exponent.is_infinite() || exponent.is_nan() || exponent.fract() == 0.0;
    if base < 0.0 && base.is_finite() && !is_whole {
        return wrong();
    }
    let value = base.powf(exponent);
    let are_finite = base.is_finite() && exponent.is_finite();
    if are_finite && (value.is_infinite() || (value == 0.0 && base != 0.0)) {
        return wrong();
    }
    Ok(Value::Float(value))
}

fn of_double(function: Function, value: f64) -> Cell {
    let result = match function {
        Function::Sqrt if value < 0.0 => None,
        Function::Sqrt => Some(value.sqrt()),
        Function::Exp => {
            let result = value.exp();
            let is_lost = result.is_infinite() || result == 0.0;
            Some(result).filter(|_| !is_lost || !value.is_finite())
        }
        _ if value <= 0.0 => None,
        Function::Ln => Some(value.ln()),
        _ => Some(value.log10()),
    };
    let result = result.ok_or_else(|| Error::out_of_range(format!("{function}({value})")))?;
    Ok(Value::Float(result))
}

/// Two's complement in the type's width; shifts by the count modulo that width.
fn bits(function: Function, left: i128, right: i128, data_type: DataType) -> Value {
    let width: u32 = match data_type {
        DataType::Int8 | DataType::UInt8 => 8,
        DataType::Int16 | DataType::UInt16 => 16,
        DataType::Int32 | DataType::UInt32 => 32,
        _ => 64,
    };
    let count = right.rem_euclid(i128::from(width));
    let value = match function {
        Function::BitAnd => left & right,
        Function::BitOr => left | right,
        Function::BitXor => left ^ right,
        Function::ShiftLeft => left << count,
        _ => left >> count,
    };
    let wrapped = value.rem_euclid(1 << width);
    let is_negative = data_type.is_signed_integer() && wrapped >= 1 << (width - 1);
    Value::Int(if is_negative { wrapped - (1 << width) } else { wrapped })
}
