//! Arrays as a table wants them: of its types, without forbidden NULLs, floats canonical.
//!
//! Must not know where arrays come from or where they go.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::datatypes::{DataType as ArrowType, Float32Type, Float64Type};

use crate::catalog::NewField;
use crate::types::{DataType, Error, Result, Value, canonical_float, cast, cast_all};

/// `array` as a column of `field`: of its Arrow type, or (text and blobs only) a dictionary of such
/// values with `Int32` keys.
///
/// Numbers become other numbers and times other times if every value fits: only floats may be the
/// nearest ones. Nothing else is cast.
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
    let fitting = cast_all(array, &wanted).and_then(|cast| {
        if logical != DataType::Null && logical != field.data_type {
            check_kept(array, &cast, logical)?;
        }
        Ok(cast)
    });
    fitting.map_err(|error| {
        error.context(format!("column \"{}\" of type {}", field.name, field.data_type))
    })
}

/// That `kept`, cast from values of the type `from`, lost nothing but digits that floats do not have:
/// going back gives the same.
fn check_kept(array: &ArrayRef, kept: &ArrayRef, from: DataType) -> Result<()> {
    let values = cast(array, &from.to_arrow())?;
    let to_float = matches!(kept.data_type(), ArrowType::Float32 | ArrowType::Float64);
    let lost = if to_float {
        let doubles = |array: &ArrayRef| cast(array, &ArrowType::Float64);
        let (before, after) = (doubles(&values)?, doubles(kept)?);
        let pairs =
            before.as_primitive::<Float64Type>().iter().zip(after.as_primitive::<Float64Type>());
        let is_finite = |value: Option<f64>| value.is_none_or(f64::is_finite);
        pairs.into_iter().position(|(before, after)| is_finite(before) && !is_finite(after))
    } else {
        let back = cast(kept, &from.to_arrow())?;
        let differs = |row: &usize| {
            let value = |array: &ArrayRef| Value::from_array(array, from, *row);
            value(&values) != value(&back)
        };
        if *values == *back { None } else { (0..values.len()).find(differs) }
    };
    lost.map_or(Ok(()), |row| {
        let shown = Value::from_array(&values, from, row).to_text(from);
        Err(Error::out_of_range(format!("{shown} does not fit")))
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
        Decimal128Array, Float64Array, Int64Array, LargeStringArray, NullArray, StringArray,
        TimestampNanosecondArray, UInt8Array,
    };
    use arrow::datatypes::Int32Type;

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
    fn only_floats_may_be_the_nearest() -> Result<()> {
        let doubles = |values: Vec<f64>| Arc::new(Float64Array::from(values)) as ArrayRef;
        let refused = |array: ArrayRef, data_type| {
            let error = conform(&array, &field(data_type, true)).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::OutOfRange, "{error}");
            error.message().to_owned()
        };
        assert!(refused(doubles(vec![1.0, 2.5]), DataType::Int32).contains("2.5 does not fit"));
        assert!(refused(doubles(vec![1e300]), DataType::Float32).contains("does not fit"));
        let precise = TimestampNanosecondArray::from(vec![1_500]);
        refused(Arc::new(precise), DataType::TIMESTAMP);
        let cents = Decimal128Array::from(vec![190]).with_precision_and_scale(9, 2)?;
        refused(Arc::new(cents), DataType::Int64);
        let kept = conform(&doubles(vec![2.0, -0.0]), &field(DataType::Int32, true))?;
        assert_eq!(kept.as_primitive::<Int32Type>().values(), &[2, 0]);
        let nearest = conform(&doubles(vec![0.1]), &field(DataType::Float32, true))?;
        assert_eq!(nearest.as_primitive::<Float32Type>().values(), &[0.1]);
        let whole: ArrayRef = Arc::new(Int64Array::from(vec![9_007_199_254_740_993]));
        let nearest = conform(&whole, &field(DataType::Float64, true))?;
        assert_eq!(nearest.as_primitive::<Float64Type>().values(), &[9_007_199_254_740_992.0]);
        Ok(())
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
