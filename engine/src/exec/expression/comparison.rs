//! Comparisons and IN.
//!
//! Arrow compares floats in IEEE total order; SQL wants both zeros equal and NaN the greatest, so
//! floats are brought to one bit pattern per SQL value first.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, ArrowPrimitiveType, AsArray, BooleanArray, PrimitiveArray, new_null_array,
};
use arrow::buffer::{BooleanBuffer, NullBuffer};
use arrow::compute::kernels::cmp;
use arrow::compute::or_kleene;
use arrow::datatypes::{
    Date32Type, Decimal128Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type,
    Int64Type, Time32MillisecondType, Time32SecondType, Time64MicrosecondType,
    Time64NanosecondType, TimestampMicrosecondType, TimestampMillisecondType,
    TimestampNanosecondType, TimestampSecondType, UInt8Type, UInt16Type, UInt32Type, UInt64Type,
};
use hashbrown::HashSet;

use super::operand::Operand;
use crate::plan::Comparison;
use crate::types::{DataType, Result, TimeUnit, Value, canonical_float, match_integer_type};

/// Up to this many constants are compared one by one.
const SHORT_LIST_LEN: usize = 4;

/// `left op right`; both of `data_type`.
pub(super) fn compare(
    op: Comparison,
    left: &Operand,
    right: &Operand,
    data_type: DataType,
) -> Result<Operand> {
    if data_type == DataType::Null {
        let value = match op {
            Comparison::Distinct => Value::Bool(false),
            Comparison::NotDistinct => Value::Bool(true),
            _ => Value::Null,
        };
        return Operand::literal(&value, DataType::Bool);
    }
    let (left, right) = (canonical(left, data_type), canonical(right, data_type));
    let kernel = match op {
        Comparison::Equal => cmp::eq,
        Comparison::NotEqual => cmp::neq,
        Comparison::Less => cmp::lt,
        Comparison::LessOrEqual => cmp::lt_eq,
        Comparison::Greater => cmp::gt,
        Comparison::GreaterOrEqual => cmp::gt_eq,
        Comparison::Distinct => cmp::distinct,
        Comparison::NotDistinct => cmp::not_distinct,
    };
    let array: ArrayRef = Arc::new(kernel(&left, &right)?);
    Ok(Operand::computed(array, &[left, right]))
}

/// Floats with one bit pattern per SQL value; anything else as it is.
fn canonical(input: &Operand, data_type: DataType) -> Operand {
    let array: ArrayRef = match data_type {
        DataType::Float32 => {
            let one = |value: f32| if value.is_nan() { f32::NAN } else { value + 0.0 };
            Arc::new(input.as_primitive::<Float32Type>().unary::<_, Float32Type>(one))
        }
        DataType::Float64 => {
            let array = input.as_primitive::<Float64Type>();
            Arc::new(array.unary::<_, Float64Type>(canonical_float))
        }
        _ => return input.clone(),
    };
    input.with_array(array)
}

/// `input IN (list)`: NULL if nothing is equal and something is NULL; false for an empty list.
pub(super) fn in_list(input: &Operand, list: &[Value], data_type: DataType) -> Result<Operand> {
    if list.is_empty() {
        return Operand::literal(&Value::Bool(false), DataType::Bool);
    }
    let values: Vec<&Value> = list.iter().filter(|value| !value.is_null()).collect();
    let has_null = values.len() < list.len();
    let found = if values.is_empty() {
        let len = input.array().len();
        input.with_array(new_null_array(&DataType::Bool.to_arrow(), len))
    } else if values.len() <= SHORT_LIST_LEN {
        one_by_one(input, &values, data_type)?
    } else {
        let canonical = canonical(input, data_type);
        let found = contained(&canonical, &values, data_type)?;
        let nulls = input.array().logical_nulls();
        input.with_array(Arc::new(BooleanArray::new(found, nulls)))
    };
    if !has_null {
        return Ok(found);
    }
    // Not found becomes NULL: one of the NULLs may be it.
    let found = found.as_boolean();
    let known = NullBuffer::new(found.values().clone());
    let nulls = NullBuffer::union(found.nulls(), Some(&known));
    Ok(input.with_array(Arc::new(BooleanArray::new(found.values().clone(), nulls))))
}

fn one_by_one(input: &Operand, values: &[&Value], data_type: DataType) -> Result<Operand> {
    let mut found: Option<Operand> = None;
    for value in values {
        let value = Operand::literal(value, data_type)?;
        let equal = compare(Comparison::Equal, input, &value, data_type)?;
        found = Some(match found {
            None => equal,
            Some(found) => {
                let either = or_kleene(found.as_boolean(), equal.as_boolean())?;
                input.with_array(Arc::new(either))
            }
        });
    }
    Ok(found.expect("the list is not empty"))
}

/// Which rows are one of `values`; what NULL rows give does not matter.
fn contained(input: &Operand, values: &[&Value], data_type: DataType) -> Result<BooleanBuffer> {
    let array = input.array();
    Ok(match data_type {
        DataType::Utf8 => {
            let set: HashSet<&str> = values
                .iter()
                .filter_map(|value| match value {
                    Value::Text(text) => Some(text.as_str()),
                    _ => None,
                })
                .collect();
            let array = array.as_string::<i32>();
            BooleanBuffer::collect_bool(array.len(), |row| set.contains(array.value(row)))
        }
        DataType::Decimal { .. } => contained_native::<Decimal128Type>(input, values),
        _ => {
            macro_rules! integers {
                ($arrow:ty) => {
                    return Ok(contained_native::<$arrow>(input, values))
                };
            }
            match_integer_type!(data_type, integers, {
                let set: HashSet<&Value> = values.iter().copied().collect();
                BooleanBuffer::collect_bool(array.len(), |row| {
                    set.contains(&Value::from_array(array, data_type, row))
                })
            })
        }
    })
}

fn contained_native<T>(input: &Operand, values: &[&Value]) -> BooleanBuffer
where
    T: ArrowPrimitiveType,
    T::Native: TryFrom<i128> + Eq + std::hash::Hash,
{
    let set: HashSet<T::Native> = values
        .iter()
        .filter_map(|value| match value {
            Value::Int(value) => T::Native::try_from(*value).ok(),
            _ => None,
        })
        .collect();
    let array: &PrimitiveArray<T> = input.as_primitive::<T>();
    let values = array.values();
    BooleanBuffer::collect_bool(values.len(), |row| set.contains(&values[row]))
}
