//! `+ - * / %`, negation and bits, checked.

use arrow::array::{ArrayRef, ArrowNativeTypeOp, ArrowPrimitiveType};
use arrow::compute::kernels::numeric;
use arrow::datatypes::{Decimal128Type, Float32Type, Float64Type, Int64Type};
use arrow::error::ArrowError;

use super::operand::{Operand, map, zip_map};
use crate::plan::Function;
use crate::types::text::write_decimal;
use crate::types::{DataType, Error, Result};

/// Applies `$then!(ArrowType)` for the eight integer types.
macro_rules! match_whole_type {
    ($data_type:expr, $then:ident) => {
        match $data_type {
            $crate::types::DataType::Int8 => $then!(arrow::datatypes::Int8Type),
            $crate::types::DataType::Int16 => $then!(arrow::datatypes::Int16Type),
            $crate::types::DataType::Int32 => $then!(arrow::datatypes::Int32Type),
            $crate::types::DataType::Int64 => $then!(arrow::datatypes::Int64Type),
            $crate::types::DataType::UInt8 => $then!(arrow::datatypes::UInt8Type),
            $crate::types::DataType::UInt16 => $then!(arrow::datatypes::UInt16Type),
            $crate::types::DataType::UInt32 => $then!(arrow::datatypes::UInt32Type),
            $crate::types::DataType::UInt64 => $then!(arrow::datatypes::UInt64Type),
            other => Err($crate::types::Error::internal(format!("{other} is no integer type"))),
        }
    };
}
pub(super) use match_whole_type;

/// `left op right`; both sides have `data_type`, except that factors of a decimal product have their
/// own scale.
pub(super) fn binary(
    function: Function,
    inputs: &[Operand],
    data_type: DataType,
) -> Result<Operand> {
    let (left, right) = (&inputs[0], &inputs[1]);
    match data_type {
        DataType::Float64 => zip_map::<Float64Type, Float64Type, Float64Type>(
            left,
            right,
            data_type,
            |left, right| float(function, left, right),
        ),
        DataType::Float32 => zip_map::<Float32Type, Float32Type, Float32Type>(
            left,
            right,
            data_type,
            |left, right| single(function, left, right),
        ),
        DataType::Decimal { .. } => decimal(function, left, right, data_type),
        _ => integer(function, left, right, data_type),
    }
}

fn integer(
    function: Function,
    left: &Operand,
    right: &Operand,
    data_type: DataType,
) -> Result<Operand> {
    let kernel = match function {
        Function::Add => numeric::add,
        Function::Subtract => numeric::sub,
        Function::Multiply => numeric::mul,
        Function::Divide => numeric::div,
        _ => {
            macro_rules! modulo {
                ($arrow:ty) => {
                    zip_map::<$arrow, $arrow, $arrow>(left, right, data_type, remainder)
                };
            }
            return match_whole_type!(data_type, modulo);
        }
    };
    let array: ArrayRef = kernel(left, right).map_err(|error| overflow(error, data_type))?;
    Ok(Operand::computed(array, &[left.clone(), right.clone()]))
}

/// The smallest integer modulo -1 is 0, not an overflow.
fn remainder<N: ArrowNativeTypeOp>(left: N, right: N) -> Result<N> {
    if right.is_zero() {
        return Err(Error::division_by_zero());
    }
    Ok(left.mod_wrapping(right))
}

/// Arrow's overflow, which names the operation and its values, with the type that was too narrow.
fn overflow(error: ArrowError, data_type: DataType) -> Error {
    match error {
        ArrowError::ArithmeticOverflow(message) => {
            let operation = message.rsplit(": ").next().unwrap_or_default();
            Error::out_of_range(format!("{data_type} out of range: {operation}"))
        }
        other => Error::from(other),
    }
}

fn decimal(
    function: Function,
    left: &Operand,
    right: &Operand,
    data_type: DataType,
) -> Result<Operand> {
    let DataType::Decimal { precision, .. } = data_type else {
        return Err(Error::internal(format!("{data_type} is no decimal type")));
    };
    let limit = 10_i128.pow(u32::from(precision));
    let checked = |result: Option<i128>| {
        result.filter(|result| result.unsigned_abs() < limit.unsigned_abs()).ok_or_else(|| {
            Error::out_of_range(format!("the result of {function} is out of range for {data_type}"))
        })
    };
    zip_map::<Decimal128Type, Decimal128Type, Decimal128Type>(
        left,
        right,
        data_type,
        |left, right| match function {
            Function::Add => checked(left.checked_add(right)),
            Function::Subtract => checked(left.checked_sub(right)),
            Function::Multiply => checked(left.checked_mul(right)),
            _ => remainder(left, right),
        },
    )
}

/// A double's operation: like PostgreSQL's, an overflow, an underflow and a division by zero are
/// errors.
fn float(function: Function, left: f64, right: f64) -> Result<f64> {
    let result = match function {
        Function::Add => left + right,
        Function::Subtract => left - right,
        Function::Multiply => left * right,
        _ if right == 0.0 && !left.is_nan() => return Err(Error::division_by_zero()),
        Function::Divide => left / right,
        _ => return Ok(left % right),
    };
    if result.is_infinite() && left.is_finite() && right.is_finite() {
        return Err(float_out_of_range(function, left, right, "overflow"));
    }
    let multiplies = matches!(function, Function::Multiply | Function::Divide);
    let is_exact_zero = left == 0.0 || (right == 0.0 || right.is_infinite());
    if multiplies && result == 0.0 && !is_exact_zero {
        return Err(float_out_of_range(function, left, right, "underflow"));
    }
    Ok(result)
}

fn float_out_of_range(function: Function, left: f64, right: f64, what: &str) -> Error {
    Error::out_of_range(format!("value out of range: {what} in {function} of {left} and {right}"))
}

/// A single's operation: the double's, rounded once more, which is the same for these operations.
#[expect(clippy::cast_possible_truncation, reason = "the result of two singles is rounded to one")]
fn single(function: Function, left: f32, right: f32) -> Result<f32> {
    let exact = float(function, f64::from(left), f64::from(right))?;
    let result = exact as f32;
    let overflows = result.is_infinite() && exact.is_finite();
    let underflows = result == 0.0 && exact != 0.0;
    if overflows || underflows {
        let what = if overflows { "overflow" } else { "underflow" };
        return Err(float_out_of_range(function, f64::from(left), f64::from(right), what));
    }
    Ok(result)
}

/// `-a`
pub(super) fn negate(input: &Operand, data_type: DataType) -> Result<Operand> {
    let array = numeric::neg(input.array()).map_err(|error| overflow(error, data_type))?;
    let array = match data_type {
        DataType::Decimal { .. } => arrow::compute::cast(&array, &data_type.to_arrow())?,
        _ => array,
    };
    Ok(input.with_array(array))
}

/// `abs(a)`
pub(super) fn absolute(input: &Operand, data_type: DataType) -> Result<Operand> {
    match data_type {
        DataType::Float64 => {
            map::<Float64Type, Float64Type>(input, data_type, |value| Ok(value.abs()))
        }
        DataType::Float32 => {
            map::<Float32Type, Float32Type>(input, data_type, |value| Ok(value.abs()))
        }
        DataType::Decimal { .. } => map::<Decimal128Type, Decimal128Type>(
            input,
            data_type,
            |value| Ok(value.wrapping_abs()),
        ),
        _ if data_type.is_unsigned_integer() => Ok(input.clone()),
        _ => {
            macro_rules! integers {
                ($arrow:ty) => {
                    absolute_integer::<$arrow>(input, data_type)
                };
            }
            match_whole_type!(data_type, integers)
        }
    }
}

fn absolute_integer<T>(input: &Operand, data_type: DataType) -> Result<Operand>
where
    T: ArrowPrimitiveType,
    T::Native: std::fmt::Display,
{
    map::<T, T>(input, data_type, |value| {
        if value.is_ge(T::Native::ZERO) {
            return Ok(value);
        }
        value
            .neg_checked()
            .map_err(|_| Error::out_of_range(format!("{data_type} out of range: abs({value})")))
    })
}

/// `sign(a)` as the argument's type; a double for decimals.
pub(super) fn sign(input: &Operand, from: DataType) -> Result<Operand> {
    let of_float = |value: f64| {
        if value.is_nan() || value == 0.0 { value + 0.0 } else { value.signum() }
    };
    match from {
        DataType::Float64 => {
            map::<Float64Type, Float64Type>(input, from, |value| Ok(of_float(value)))
        }
        #[expect(clippy::cast_possible_truncation, reason = "-1, 0, 1 and NaN are singles")]
        DataType::Float32 => map::<Float32Type, Float32Type>(input, from, |value| {
            Ok(of_float(f64::from(value)) as f32)
        }),
        DataType::Decimal { .. } => {
            map::<Decimal128Type, Float64Type>(input, DataType::Float64, |value| {
                Ok(f64::from(i8::try_from(value.signum()).unwrap_or(0)))
            })
        }
        _ => {
            macro_rules! integers {
                ($arrow:ty) => {
                    sign_integer::<$arrow>(input, from)
                };
            }
            match_whole_type!(from, integers)
        }
    }
}

fn sign_integer<T: ArrowPrimitiveType>(input: &Operand, data_type: DataType) -> Result<Operand> {
    map::<T, T>(input, data_type, |value| {
        Ok(match value.compare(T::Native::ZERO) {
            std::cmp::Ordering::Less => T::Native::ZERO.sub_wrapping(T::Native::ONE),
            std::cmp::Ordering::Equal => T::Native::ZERO,
            std::cmp::Ordering::Greater => T::Native::ONE,
        })
    })
}

/// `& | xor`, whose operands have one type.
pub(super) fn bits(function: Function, inputs: &[Operand], data_type: DataType) -> Result<Operand> {
    macro_rules! integers {
        ($arrow:ty) => {
            zip_map::<$arrow, $arrow, $arrow>(&inputs[0], &inputs[1], data_type, |left, right| {
                Ok(match function {
                    Function::BitAnd => left & right,
                    Function::BitOr => left | right,
                    _ => left ^ right,
                })
            })
        };
    }
    match_whole_type!(data_type, integers)
}

/// `<< >>`; bits shifted out are lost, and the count is taken modulo the width, as PostgreSQL does.
pub(super) fn shift(
    function: Function,
    inputs: &[Operand],
    data_type: DataType,
) -> Result<Operand> {
    macro_rules! integers {
        ($arrow:ty) => {
            zip_map::<$arrow, Int64Type, $arrow>(
                &inputs[0],
                &inputs[1],
                data_type,
                |value, count| {
                    let count = u32::try_from(count.rem_euclid(64)).unwrap_or(0);
                    Ok(match function {
                        Function::ShiftLeft => value.wrapping_shl(count),
                        _ => value.wrapping_shr(count),
                    })
                },
            )
        };
    }
    match_whole_type!(data_type, integers)
}

/// A decimal as error messages show it.
pub(super) fn shown_decimal(value: i128, scale: u8) -> String {
    let mut out = String::new();
    write_decimal(value, scale, &mut out);
    out
}
