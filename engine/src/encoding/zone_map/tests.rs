//! What zone maps promise.
#![expect(clippy::result_large_err, reason = "proptest's error type")]

use arrow::array::{Array, BinaryArray, Float64Array, Int64Array, StringArray};
use proptest::prelude::*;

use super::*;
use crate::types::Result;

const DECIMAL: DataType = DataType::Decimal { precision: 20, scale: 3 };

fn of_text(values: &[&str]) -> ZoneMap {
    ZoneMap::of(&StringArray::from(values.to_vec()), DataType::Utf8)
}

fn check_bytes(zone: &ZoneMap) -> Result<()> {
    let mut bytes = vec![];
    zone.to_bytes(&mut bytes);
    let len = bytes.len();
    bytes.push(7);
    assert_eq!(&ZoneMap::from_bytes(&bytes)?, &(zone.clone(), len));
    for cut in 0..len {
        assert!(ZoneMap::from_bytes(&bytes[..cut]).is_err(), "cut at {cut}");
    }
    Ok(())
}

#[test]
fn values_of_every_type_have_bounds() -> Result<()> {
    let cases = [
        (Value::Bool(true), DataType::Bool),
        (Value::Int(-7), DataType::Int8),
        (Value::Int(u64::MAX.into()), DataType::UInt64),
        (Value::Int(i128::MAX / 2), DataType::Decimal { precision: 38, scale: 2 }),
        (Value::Int(19_000), DataType::Date),
        (Value::Float(-0.5), DataType::Float32),
        (Value::Float(1e300), DataType::Float64),
        (Value::Text("ä".into()), DataType::Utf8),
        (Value::Bytes(vec![0, 255]), DataType::Binary),
        (Value::Uuid([7; 16]), DataType::Uuid),
    ];
    for (value, data_type) in cases {
        let zone = ZoneMap::of(&value.to_array(data_type, 3)?, data_type);
        assert_eq!((zone.min.as_ref(), zone.max.as_ref()), (Some(&value), Some(&value)));
        assert!(zone.constant && zone.bounds_exact, "{data_type}");
        check_bytes(&zone)?;
        let nulls = ZoneMap::of(&Value::Null.to_array(data_type, 3)?, data_type);
        assert_eq!((nulls.null_count, &nulls.min, nulls.constant), (3, &None, true));
        check_bytes(&nulls)?;
    }
    Ok(())
}

#[test]
fn long_text_has_inexact_bounds_that_hold() -> Result<()> {
    let long = format!("{}ü and more", "x".repeat(31));
    let zone = of_text(&[&long, "y"]);
    assert_eq!(zone.min, Some(Value::Text("x".repeat(31))));
    assert_eq!((zone.max.clone(), zone.bounds_exact), (Some(Value::Text("y".into())), false));
    check_bytes(&zone)?;

    let zone = of_text(&["a", &long]);
    assert_eq!(zone.max, Some(Value::Text(format!("{}y", "x".repeat(30)))));

    let highest = char::MAX.to_string().repeat(9);
    let zone = of_text(&["a", &highest]);
    assert_eq!((zone.max, zone.min), (None, Some(Value::Text("a".into()))));

    let bytes = BinaryArray::from_vec(vec![&[255; 40], &[1; 40]]);
    let zone = ZoneMap::of(&bytes, DataType::Binary);
    assert_eq!((zone.min, zone.max), (Some(Value::Bytes(vec![1; 32])), None));
    Ok(())
}

#[test]
fn an_unknown_bound_stays_unknown() {
    let mut zone = of_text(&["a", &char::MAX.to_string().repeat(9)]);
    zone.merge(&of_text(&["zz"]));
    assert_eq!((zone.max, zone.bounds_exact), (None, false));
    let mut zone = of_text(&["a"]);
    zone.merge(&ZoneMap::of(&StringArray::new_null(2), DataType::Utf8));
    assert_eq!((zone.max, zone.bounds_exact), (Some(Value::Text("a".into())), true));
    assert!(!zone.constant, "a value and NULL are two");
}

#[test]
fn nans_are_the_greatest_floats() {
    let floats = Float64Array::from(vec![1.0, f64::NAN, f64::NEG_INFINITY]);
    let zone = ZoneMap::of(&floats, DataType::Float64);
    assert_eq!(zone.max, Some(Value::Float(f64::NAN)));
    assert_eq!(zone.min, Some(Value::Float(f64::NEG_INFINITY)));
    let range = zone.floats.expect("floats have a range");
    assert!(range.has_nan && range.has_negative_infinity && !range.has_infinity);
    assert_eq!((range.exponent_min, range.exponent_max, range.lowest_bit), (0, 0, 0));
}

#[test]
fn sums_are_of_what_is_not_null() {
    let values = Int64Array::from(vec![Some(i64::MAX), None, Some(i64::MAX)]);
    let zone = ZoneMap::of(&values, DataType::Int64);
    assert_eq!(zone.sum, Some(2 * i128::from(i64::MAX)));
    assert!(!zone.constant);
    let days = arrow::array::Date32Array::from(vec![1, 2]);
    assert_eq!(ZoneMap::of(&days, DataType::Date).sum, None);
}

proptest! {
    #[test]
    fn merged_zones_are_the_zone_of_all(
        values in prop::collection::vec(prop::option::of(any::<i64>()), 0..40),
        cut in 0..40_usize,
    ) {
        let cut = cut.min(values.len());
        let decimals: arrow::array::Decimal128Array =
            values.iter().map(|value| value.map(i128::from)).collect();
        let decimals = decimals.with_precision_and_scale(20, 3).unwrap();
        let texts: StringArray =
            values.iter().map(|value| value.map(|value| value.to_string().repeat(3))).collect();
        let floats: Float64Array = values
            .iter()
            .map(|value| value.map(|value| f64::from_bits(value.cast_unsigned())))
            .collect();
        let ints = Int64Array::from(values);
        let columns: [(&dyn Array, DataType); 4] = [
            (&ints, DataType::Int64),
            (&decimals, DECIMAL),
            (&texts, DataType::Utf8),
            (&floats, DataType::Float64),
        ];
        for (array, data_type) in columns {
            let whole = ZoneMap::of(array, data_type);
            check_bytes(&whole).unwrap();
            let mut merged = ZoneMap::of(&array.slice(0, cut), data_type);
            merged.merge(&ZoneMap::of(&array.slice(cut, array.len() - cut), data_type));
            if data_type == DataType::Utf8 {
                merged.constant = whole.constant;
                merged.bounds_exact = whole.bounds_exact;
            }
            prop_assert_eq!(&merged, &whole);
            for row in (0..array.len()).filter(|row| array.is_valid(*row)) {
                let value = Value::from_array(array, data_type, row);
                prop_assert!(whole.min.as_ref().is_none_or(|min| min.order(&value).is_le()));
                prop_assert!(whole.max.as_ref().is_none_or(|max| max.order(&value).is_ge()));
            }
        }
    }
}
