//! `+ - * / %`, negation and bits, checked.

use std::fmt::Display;
use std::sync::Arc;

use arrow::array::{Array, ArrowNativeTypeOp, ArrowPrimitiveType, PrimitiveArray};
use arrow::buffer::NullBuffer;
use arrow::datatypes::{Decimal128Type, Float32Type, Float64Type, Int64Type};

use super::operand::{Operand, map, zip_map};
use crate::plan::Function;
use crate::types::text::write_decimal;
use crate::types::{DataType, Error, Result, Value};

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
    macro_rules! integers {
        ($arrow:ty) => {
            integer_of::<$arrow>(function, left, right, data_type)
        };
    }
    match_whole_type!(data_type, integers)
}

fn integer_of<T>(
    function: Function,
    left: &Operand,
    right: &Operand,
    data_type: DataType,
) -> Result<Operand>
where
    T: ArrowPrimitiveType,
    T::Native: Whole,
{
    let fault = |left: T::Native, right: T::Native| {
        if right.is_zero() && matches!(function, Function::Divide | Function::Modulo) {
            return Error::division_by_zero();
        }
        overflow(data_type, &left, function, &right)
    };
    let inputs = (left, right);
    match function {
        Function::Add => zip_whole::<T>(inputs, data_type, Whole::plus, fault),
        Function::Subtract => zip_whole::<T>(inputs, data_type, Whole::minus, fault),
        Function::Multiply => zip_whole::<T>(inputs, data_type, Whole::times, fault),
        Function::Divide => zip_whole::<T>(inputs, data_type, Whole::over, fault),
        _ => zip_whole::<T>(inputs, data_type, Whole::modulo, fault),
    }
}

/// Whole numbers of one width; `None` for a result that they do not hold.
trait Whole: ArrowNativeTypeOp + Display {
    fn plus(self, other: Self) -> Option<Self>;
    fn minus(self, other: Self) -> Option<Self>;
    fn times(self, other: Self) -> Option<Self>;
    fn over(self, other: Self) -> Option<Self>;
    /// The smallest integer modulo -1 is 0, not an overflow.
    fn modulo(self, other: Self) -> Option<Self>;
}

macro_rules! whole {
    ($($native:ty),*) => {$(
        impl Whole for $native {
            fn plus(self, other: Self) -> Option<Self> {
                self.checked_add(other)
            }

            fn minus(self, other: Self) -> Option<Self> {
                self.checked_sub(other)
            }

            fn times(self, other: Self) -> Option<Self> {
                self.checked_mul(other)
            }

            fn over(self, other: Self) -> Option<Self> {
                self.checked_div(other)
            }

            fn modulo(self, other: Self) -> Option<Self> {
                (other != 0).then(|| self.wrapping_rem(other))
            }
        }
    )*};
}
whole!(i8, i16, i32, i64, u8, u16, u32, u64);

/// Applies `op` to all rows, also to what lies under NULLs, and looks at faults only if there are any:
/// loops without a way out are compiled to few, wide instructions.
fn zip_whole<T>(
    (left, right): (&Operand, &Operand),
    data_type: DataType,
    op: impl Fn(T::Native, T::Native) -> Option<T::Native> + Copy,
    fault: impl Fn(T::Native, T::Native) -> Error,
) -> Result<Operand>
where
    T: ArrowPrimitiveType,
{
    if left.is_constant_null() || right.is_constant_null() {
        return Operand::literal(&Value::Null, data_type);
    }
    let inputs = [left.clone(), right.clone()];
    let (left, right) = (left.as_primitive::<T>(), right.as_primitive::<T>());
    let mut is_whole = true;
    let mut apply = |left, right| {
        let value = op(left, right);
        is_whole &= value.is_some();
        value.unwrap_or_default()
    };
    let (a, b) = (left.values(), right.values());
    let (nulls, values): (_, Vec<T::Native>) = match inputs.each_ref().map(Operand::is_constant) {
        [_, true] => (left.nulls().cloned(), a.iter().map(|a| apply(*a, b[0])).collect()),
        [true, _] => (right.nulls().cloned(), b.iter().map(|b| apply(a[0], *b)).collect()),
        _ => (
            NullBuffer::union(left.nulls(), right.nulls()),
            a.iter().zip(b.iter()).map(|(a, b)| apply(*a, *b)).collect(),
        ),
    };
    if !is_whole {
        for row in 0..values.len() {
            let (a, b) = (a[row.min(a.len() - 1)], b[row.min(b.len() - 1)]);
            if op(a, b).is_none() && nulls.as_ref().is_none_or(|nulls| nulls.is_valid(row)) {
                return Err(fault(a, b));
            }
        }
    }
    let array = PrimitiveArray::<T>::new(values.into(), nulls);
    Ok(Operand::computed(Arc::new(array.with_data_type(data_type.to_arrow())), &inputs))
}

/// The smallest integer modulo -1 is 0, not an overflow.
fn remainder<N: ArrowNativeTypeOp>(left: N, right: N) -> Result<N> {
    if right.is_zero() {
        return Err(Error::division_by_zero());
    }
    Ok(left.mod_wrapping(right))
}

/// The operation and its values, with the type that was too narrow.
#[cold]
fn overflow(
    data_type: DataType,
    left: &dyn Display,
    function: Function,
    right: &dyn Display,
) -> Error {
    let sign = match function {
        Function::Add => '+',
        Function::Subtract => '-',
        Function::Multiply => '*',
        _ => '/',
    };
    Error::out_of_range(format!("{data_type} out of range: {left} {sign} {right}"))
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
    match data_type {
        DataType::Float64 => map::<Float64Type, Float64Type>(input, data_type, |value| Ok(-value)),
        DataType::Float32 => map::<Float32Type, Float32Type>(input, data_type, |value| Ok(-value)),
        DataType::Decimal { .. } => map::<Decimal128Type, Decimal128Type>(
            input,
            data_type,
            |value| Ok(value.wrapping_neg()),
        ),
        _ => {
            macro_rules! integers {
                ($arrow:ty) => {
                    negate_integer::<$arrow>(input, data_type)
                };
            }
            match_whole_type!(data_type, integers)
        }
    }
}

fn negate_integer<T>(input: &Operand, data_type: DataType) -> Result<Operand>
where
    T: ArrowPrimitiveType,
    T::Native: Whole,
{
    map::<T, T>(input, data_type, |value| {
        T::Native::default()
            .minus(value)
            .ok_or_else(|| Error::out_of_range(format!("{data_type} out of range: - {value}")))
    })
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
    T::Native: Display,
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
