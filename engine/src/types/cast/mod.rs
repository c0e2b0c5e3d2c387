//! Arrays as arrays of another Arrow type: what the engine carries and what files bring.
//!
//! Arrow's own `cast` is one function over all pairs of its types, dictionaries and views and lists
//! included: whoever calls it with any type has all of them in the binary, 1.6 MB of code. The pairs
//! that occur here go by few steps: whole numbers by way of 64 bits, fractions by way of doubles,
//! times by way of their ticks. Answers are Arrow's, which the tests compare. Text is not parsed
//! here, nor written: `types::text` does that.

mod bytes;
mod number;
mod time;

use std::sync::Arc;

use arrow::array::types::{Int16Type as Ends16, Int32Type as Ends32, Int64Type as Ends64};
use arrow::array::{Array, ArrayRef, AsArray, Int64Array, RunArray, make_array, new_null_array};
use arrow::compute::take;
use arrow::datatypes::{ArrowNativeType, DataType as ArrowType, RunEndIndexType};

use super::{DataType, Error, Result, Value};

/// The values as `to`; one that does not fit becomes NULL.
///
/// # Errors
/// `Type` for a pair of types without cast, `Unsupported` for text beyond 2 GiB.
pub fn cast(array: &dyn Array, to: &ArrowType) -> Result<ArrayRef> {
    let from = array.data_type();
    if from == to {
        return Ok(array.slice(0, array.len()));
    }
    match from {
        ArrowType::Null => Ok(new_null_array(to, array.len())),
        ArrowType::Dictionary(..) => {
            let dictionary = array.as_any_dictionary();
            cast(&take(dictionary.values(), dictionary.keys(), None)?, to)
        }
        ArrowType::RunEndEncoded(ends, _) => cast(&expanded(array, ends.data_type())?, to),
        _ if bytes::is_bytes(from) && bytes::is_bytes(to) => bytes::cast(array, to),
        _ if time::is_temporal(from) || time::is_temporal(to) => time::cast(array, to),
        _ if number::is_number(from) && number::is_number(to) => number::cast(array, to),
        _ => Err(no_cast(from, to)),
    }
}

/// The values as `to`; one that does not fit is an error that tells it.
///
/// # Errors
/// `OutOfRange`, and as [`cast`].
pub fn cast_all(array: &dyn Array, to: &ArrowType) -> Result<ArrayRef> {
    let cast = cast(array, to)?;
    let (before, after) = (array.logical_nulls(), cast.logical_nulls());
    if cast.logical_null_count() == array.logical_null_count() {
        return Ok(cast);
    }
    let is_lost = |row: &usize| {
        after.as_ref().is_some_and(|nulls| nulls.is_null(*row))
            && before.as_ref().is_none_or(|nulls| nulls.is_valid(*row))
    };
    let row = (0..array.len()).find(is_lost).unwrap_or(0);
    Err(Error::out_of_range(format!("{} does not fit", shown(array, row)?)))
}

/// A value as text, for a message.
fn shown(array: &dyn Array, row: usize) -> Result<String> {
    let found = DataType::from_arrow(array.data_type())?;
    let value = Value::from_array(&cast(&array.slice(row, 1), &found.to_arrow())?, found, 0);
    Ok(match value {
        Value::Null => "a value".to_owned(),
        value => value.to_text(found),
    })
}

fn no_cast(from: &ArrowType, to: &ArrowType) -> Error {
    Error::type_mismatch(format!("values of type {from} cannot be read as {to}"))
}

/// The same bits under the name of another type of the same layout.
fn renamed(array: &dyn Array, to: &ArrowType) -> Result<ArrayRef> {
    Ok(make_array(array.to_data().into_builder().data_type(to.clone()).build()?))
}

/// One value a row instead of one a run.
fn expanded(array: &dyn Array, ends: &ArrowType) -> Result<ArrayRef> {
    fn of_ends<E: RunEndIndexType>(array: &dyn Array) -> Option<Result<ArrayRef>> {
        let runs = array.as_any().downcast_ref::<RunArray<E>>()?;
        let (first, last) = (runs.offset(), runs.offset() + runs.len());
        let mut places = Vec::with_capacity(runs.len());
        let mut start = 0;
        for (place, end) in runs.run_ends().values().iter().enumerate() {
            let end = end.as_usize();
            let len = end.min(last).saturating_sub(start.max(first));
            places.extend(std::iter::repeat_n(i64::try_from(place).unwrap_or(i64::MAX), len));
            start = end;
        }
        Some(take(runs.values(), &Int64Array::from(places), None).map_err(Error::from))
    }
    let expanded = match ends {
        ArrowType::Int16 => of_ends::<Ends16>(array),
        ArrowType::Int32 => of_ends::<Ends32>(array),
        _ => of_ends::<Ends64>(array),
    };
    expanded.unwrap_or_else(|| Err(Error::internal("runs end in another type than theirs")))
}

fn shared(array: impl Array + 'static) -> ArrayRef {
    Arc::new(array)
}

#[cfg(test)]
mod tests;
