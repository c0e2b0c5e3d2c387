//! Arrays as a table wants them: of its types, without forbidden NULLs, floats canonical.
//!
//! Must not know where arrays come from or where they go.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::datatypes::{DataType as ArrowType, Float32Type, Float64Type};

use crate::catalog::NewField;
use crate::types::{DataType, Error, Result, canonical_float, cast, cast_all};

/// `array` as a column of `field`: of its Arrow type, or (text and blobs only) a dictionary of such
/// values with `Int32` keys.
///
/// Numbers become other numbers and times other times if every value fits; nothing else is cast.
///
/// # Errors
/// `Type` when the types do not fit, `OutOfRange` when a value does not, `Invalid` for a NULL in a
/// NOT NULL column; each names the column.
pub(super) fn conform(array: &ArrayRef, field: &NewField) -> Result<ArrayRef> {
    let array = of_type(array, field)?;
    if !field.nullable && array.logical_null_count() > 0 {
        return Err(Error::invalid(format!(
            "column \"{}\" is NOT NULL, but a row to be loaded has no value for it",
            field.name
        )));
    }
    Ok(match field.data_type {
        DataType::Float32 => canonical_floats_32(array),
        DataType::Float64 => canonical_floats_64(array),
        _ => array,
    })
}

fn of_type(array: &ArrayRef, field: &NewField) -> Result<ArrayRef> {
    let wanted = field.data_type.to_arrow();
    let found = array.data_type();
    if *found == wanted {
        return Ok(Arc::clone(array));
    }
    if let ArrowType::Dictionary(keys, values) = found
        && **values == wanted
    {
        let is_text = matches!(field.data_type, DataType::Utf8 | DataType::Binary);
        if is_text && **keys == ArrowType::Int32 {
            return Ok(Arc::clone(array));
        }
        return cast(array, &wanted);
    }
    let logical = match found {
        ArrowType::Null => DataType::Null,
        found => DataType::from_arrow(found)
            .map_err(|error| error.context(format!("column \"{}\"", field.name)))?,
    };
    if !may_cast(logical, field.data_type) {
        return Err(Error::type_mismatch(format!(
            "column \"{}\" is of type {}, but its values are of type {logical}",
            field.name, field.data_type
        ))
        .with_hint("cast the values first"));
    }
    cast_all(array, &wanted).map_err(|error| {
        error.context(format!("column \"{}\" of type {}", field.name, field.data_type))
    })
}

fn may_cast(from: DataType, to: DataType) -> bool {
    let date = |data_type| matches!(data_type, DataType::Date | DataType::Timestamp { .. });
    from == DataType::Null
        || from == to
        || (from.is_numeric() && to.is_numeric())
        || (date(from) && date(to))
        || (matches!(from, DataType::Time(_)) && matches!(to, DataType::Time(_)))
}

fn canonical_floats_64(array: ArrayRef) -> ArrayRef {
    let floats = array.as_primitive::<Float64Type>();
    let odd = |value: &f64| value.to_bits() != canonical_float(*value).to_bits();
    if !floats.values().iter().any(odd) {
        return array;
    }
    Arc::new(floats.unary::<_, Float64Type>(canonical_float))
}

fn canonical_floats_32(array: ArrayRef) -> ArrayRef {
    let canonical = |value: f32| if value.is_nan() { f32::NAN } else { value + 0.0 };
    let floats = array.as_primitive::<Float32Type>();
    let odd = |value: &f32| value.to_bits() != canonical(*value).to_bits();
    if !floats.values().iter().any(odd) {
        return array;
    }
    Arc::new(floats.unary::<_, Float32Type>(canonical))
}

#[cfg(test)]
mod tests {
    use arrow::array::{
        Float64Array, Int64Array, LargeStringArray, NullArray, StringArray, UInt8Array,
    };

    use super::*;
    use crate::types::ErrorKind;

    fn field(data_type: DataType, nullable: bool) -> NewField {
        NewField { name: "amount".into(), data_type, nullable }
    }

    #[test]
    fn other_forms_of_the_same_type_are_cast() -> Result<()> {
        let texts: ArrayRef = Arc::new(LargeStringArray::from(vec!["a", "b"]));
        let texts = conform(&texts, &field(DataType::Utf8, false))?;
        assert_eq!(texts.as_string::<i32>().value(1), "b");
        let numbers: ArrayRef = Arc::new(Int64Array::from(vec![Some(255), None]));
        let numbers = conform(&numbers, &field(DataType::UInt8, true))?;
        assert_eq!(&numbers, &(Arc::new(UInt8Array::from(vec![Some(255), None])) as ArrayRef));
        let nulls: ArrayRef = Arc::new(NullArray::new(2));
        assert_eq!(conform(&nulls, &field(DataType::Date, true))?.null_count(), 2);
        Ok(())
    }

    #[test]
    fn what_does_not_fit_is_refused_by_the_columns_name() {
        let kind_of = |array: ArrayRef, data_type, nullable| {
            let error = conform(&array, &field(data_type, nullable)).unwrap_err();
            assert!(error.message().contains("\"amount\""), "{error}");
            error.kind()
        };
        let text: ArrayRef = Arc::new(StringArray::from(vec!["1"]));
        assert_eq!(kind_of(text, DataType::Int64, true), ErrorKind::Type);
        let number: ArrayRef = Arc::new(Int64Array::from(vec![256]));
        assert_eq!(kind_of(number, DataType::UInt8, true), ErrorKind::OutOfRange);
        let null: ArrayRef = Arc::new(Int64Array::from(vec![None]));
        assert_eq!(kind_of(null, DataType::Int64, false), ErrorKind::Invalid);
    }

    #[test]
    fn floats_become_canonical() -> Result<()> {
        let floats: ArrayRef = Arc::new(Float64Array::from(vec![-0.0, -f64::NAN, 1.5]));
        let floats = conform(&floats, &field(DataType::Float64, false))?;
        let bits: Vec<u64> =
            floats.as_primitive::<Float64Type>().values().iter().map(|v| v.to_bits()).collect();
        assert_eq!(bits, [0, f64::NAN.to_bits(), 1.5_f64.to_bits()]);
        Ok(())
    }
}
