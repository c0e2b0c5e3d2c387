//! CAST and `TRY_CAST`, by pairs of types.

mod number;
mod text;
mod time;

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, ArrowPrimitiveType, AsArray, PrimitiveArray, new_null_array};

use super::operand::Operand;

pub(super) use self::time::at_time_zone;
use crate::context::Context;
use crate::types::{DataType, Error, Result};

/// From what to what, and what a failing value does.
#[derive(Clone, Copy, Debug)]
pub(super) struct Target {
    pub(super) from: DataType,
    pub(super) to: DataType,
    /// `TRY_CAST`: NULL instead of an error.
    pub(super) or_null: bool,
}

/// The operand's values as `target.to`.
pub(super) fn cast(input: &Operand, target: Target, context: &Context) -> Result<Operand> {
    use DataType::{Binary, Bool, Date, Interval, Null, Time, Timestamp, Utf8, Uuid};
    let array = input.array();
    let (from, to) = (target.from, target.to);
    let cast: ArrayRef = match (from, to) {
        _ if from == to => return Ok(input.clone()),
        (Null, _) => new_null_array(&to.to_arrow(), array.len()),
        (_, Utf8) => text::to_text(array, from, context)?,
        (Utf8, _) => text::from_text(array.as_string::<i32>(), target, context)?,
        (Bool, _) if to.is_integer() => crate::types::cast(array, &to.to_arrow())?,
        (_, Bool) if from.is_integer() => crate::types::cast(array, &to.to_arrow())?,
        _ if from.is_numeric() && to.is_numeric() => number::cast(array, target)?,
        (
            Date | Timestamp { .. } | Time(_) | Interval,
            Date | Timestamp { .. } | Time(_) | Interval,
        ) => time::cast(array, target, context)?,
        (Uuid, Binary) | (Binary, Uuid) => text::bytes(array, target)?,
        _ => return Err(Error::unsupported(format!("casting {from} to {to} is not supported"))),
    };
    Ok(input.with_array(cast))
}

/// Converts every non-null value; a failing one is an error, or NULL under `TRY_CAST`.
fn convert<I, O>(
    array: &dyn Array,
    target: Target,
    convert: impl Fn(I::Native) -> Result<O::Native>,
) -> Result<ArrayRef>
where
    I: ArrowPrimitiveType,
    O: ArrowPrimitiveType,
{
    let array = array.as_primitive::<I>();
    let converted: PrimitiveArray<O> = if target.or_null {
        array.unary_opt(|value| convert(value).ok())
    } else {
        array.try_unary(convert)?
    };
    Ok(Arc::new(converted.with_data_type(target.to.to_arrow())))
}

/// The error of a value that the target type does not hold.
fn out_of_range(value: impl std::fmt::Display, to: DataType) -> Error {
    Error::out_of_range(format!("{value} is out of range for {to}"))
}
