//! Tests of the coercion rules; PostgreSQL 15 gave the expected types.

use super::*;

const DECIMAL: DataType = DataType::Decimal { precision: 10, scale: 2 };
const MILLIS: DataType = DataType::Timestamp { unit: TimeUnit::Millisecond, zoned: false };
const ZONED: DataType = DataType::Timestamp { unit: TimeUnit::Microsecond, zoned: true };

fn text(value: &str) -> Expr {
    Expr::literal(Value::Text(value.into()), DataType::Utf8)
}

fn int(value: i128) -> Expr {
    integer_literal(value).unwrap()
}

fn column(data_type: DataType) -> Expr {
    Expr::column(0, data_type)
}

fn sides(left: Expr, right: Expr) -> Result<(Expr, Expr)> {
    match compare(Comparison::Equal, left, right)? {
        Expr::Compare { left, right, .. } => Ok((*left, *right)),
        other => panic!("{other:?}"),
    }
}

#[test]
fn numbers_widen_to_the_narrowest_common_type() {
    use DataType::{Float32, Float64, Int8, Int16, Int32, Int64, UInt8, UInt16, UInt32, UInt64};
    let decimal = |precision, scale| DataType::Decimal { precision, scale };
    for (a, b, expected) in [
        (Int8, Int16, Int16),
        (Int32, Int64, Int64),
        (UInt8, Int8, Int16),
        (UInt32, Int32, Int64),
        (UInt16, UInt32, UInt32),
        (UInt64, Int8, decimal(20, 0)),
        (UInt64, UInt8, UInt64),
        (Int32, decimal(10, 2), decimal(12, 2)),
        (Int64, decimal(38, 10), decimal(38, 10)),
        (decimal(4, 4), decimal(10, 0), decimal(14, 4)),
        (Float32, Float32, Float32),
        (Float32, Int16, Float64),
        (decimal(38, 2), Float32, Float64),
    ] {
        assert_eq!(common_type(&[a, b]), Some(expected), "{a} {b}");
        assert_eq!(common_type(&[b, a, DataType::Null]), Some(expected), "{b} {a}");
    }
    assert_eq!(common_type(&[]), Some(DataType::Null));
}

#[test]
fn times_meet_at_the_finer_unit_and_zoned() {
    assert_eq!(common_type(&[DataType::Date, MILLIS]), Some(MILLIS));
    assert_eq!(common_type(&[DataType::TIMESTAMP, MILLIS]), Some(DataType::TIMESTAMP));
    assert_eq!(common_type(&[MILLIS, ZONED]), Some(ZONED));
    for pair in [
        [DataType::Utf8, DataType::Int32],
        [DataType::Bool, DataType::Int32],
        [DataType::Date, DataType::Int32],
        [DataType::Uuid, DataType::Utf8],
        [DataType::Time(TimeUnit::Second), DataType::Date],
    ] {
        assert_eq!(common_type(&pair), None);
    }
}

#[test]
fn a_text_literal_takes_the_type_of_the_other_side() -> Result<()> {
    for (data_type, literal, value) in [
        (DataType::Date, "2013-07-01", Value::Int(15_887)),
        (DataType::Int16, " 7 ", Value::Int(7)),
        (DataType::Bool, "yes", Value::Bool(true)),
        (MILLIS, "1970-01-01 00:00:01", Value::Int(1_000)),
        (DataType::Float64, "1.5", Value::Float(1.5)),
        (DataType::Utf8, "x", Value::Text("x".into())),
    ] {
        let expected = Expr::literal(value, data_type);
        assert_eq!(sides(column(data_type), text(literal))?, (column(data_type), expected.clone()));
        assert_eq!(sides(text(literal), column(data_type))?, (expected, column(data_type)));
    }
    let error = sides(column(DataType::Date), text("2013-02-30")).unwrap_err();
    assert_eq!(error.message(), "date/time field value out of range: \"2013-02-30\"");
    assert!(sides(column(DataType::Int32), text("1.5")).is_err());
    Ok(())
}

#[test]
fn a_text_literal_keeps_the_digits_that_the_column_lacks() -> Result<()> {
    let (left, right) = sides(column(DECIMAL), text("1.005"))?;
    assert_eq!(left.data_type(), DataType::Decimal { precision: 11, scale: 3 });
    assert_eq!(right, Expr::literal(Value::Int(1005), left.data_type()));
    let (left, right) = sides(column(MILLIS), text("1970-01-01 00:00:00.0005"))?;
    assert_eq!(left.data_type(), DataType::TIMESTAMP);
    assert_eq!(right, Expr::literal(Value::Int(500), DataType::TIMESTAMP));
    Ok(())
}

#[test]
fn a_number_literal_takes_the_columns_type_where_it_is_exact() -> Result<()> {
    let decimal = Expr::literal(Value::Int(150), DataType::Decimal { precision: 3, scale: 2 });
    for (data_type, literal, value) in [
        (DataType::Int8, int(5), Value::Int(5)),
        (DataType::UInt64, int(5), Value::Int(5)),
        (DataType::Int64, int(-9_223_372_036_854_775_808), Value::Int(i64::MIN.into())),
        (DECIMAL, int(5), Value::Int(500)),
        (DataType::Float64, decimal.clone(), Value::Float(1.5)),
        (DataType::Float32, int(3), Value::Float(3.0)),
    ] {
        let expected = (column(data_type), Expr::literal(value, data_type));
        assert_eq!(sides(column(data_type), literal)?, expected);
    }
    for (data_type, literal, common) in [
        (DataType::Int8, int(300), DataType::Int32),
        (DataType::UInt8, int(-1), DataType::Int32),
        (DataType::Float32, decimal, DataType::Float64),
    ] {
        let (left, right) = sides(column(data_type), literal)?;
        assert_eq!((left.data_type(), right.data_type()), (common, common), "{data_type}");
    }
    Ok(())
}

#[test]
fn a_date_column_meets_a_midnight_as_a_date() -> Result<()> {
    let midnight = Expr::literal(Value::Int(86_400_000_000), DataType::TIMESTAMP);
    let expected = (column(DataType::Date), Expr::literal(Value::Int(1), DataType::Date));
    assert_eq!(sides(column(DataType::Date), midnight)?, expected);
    let noon = Expr::literal(Value::Int(43_200_000_000), DataType::TIMESTAMP);
    assert_eq!(sides(column(DataType::Date), noon)?.0.data_type(), DataType::TIMESTAMP);
    Ok(())
}

#[test]
fn types_that_do_not_meet_are_refused_with_a_way_out() {
    let error = sides(column(DataType::Utf8), column(DataType::Int32)).unwrap_err();
    assert_eq!(error.message(), "cannot compare text with integer");
    assert_eq!(error.hint(), Some("write CAST(… AS integer) or CAST(… AS text) on one side"));
    assert!(sides(column(DataType::Bool), int(1)).is_err());
    assert!(implicit_cast(column(DataType::Int32), DataType::Utf8).is_err());
    assert!(explicit_cast(column(DataType::Date), DataType::Int32).is_err());
    assert!(explicit_cast(column(DataType::Float64), DataType::Bool).is_err());
    assert!(implicit_cast(column(DataType::Int64), DataType::Int32).is_err());
    assert!(assignment_cast(column(DataType::Int64), DataType::Int32).is_ok());
    assert!(assignment_cast(column(DataType::Bool), DataType::Int32).is_err());
    assert!(explicit_cast(column(DataType::Bool), DataType::Int32).is_ok());
}

#[test]
fn branches_take_one_type() -> Result<()> {
    let unified = unify(vec![text("1"), column(DataType::Int16), int(7)], "CASE")?;
    assert!(unified.iter().all(|expr| expr.data_type() == DataType::Int32));
    let unified = unify(vec![text("1"), Expr::literal(Value::Null, DataType::Null)], "CASE")?;
    assert!(unified.iter().all(|expr| expr.data_type() == DataType::Utf8));
    let error = unify(vec![column(DataType::Utf8), int(1)], "COALESCE").unwrap_err();
    assert_eq!(error.message(), "COALESCE mixes text and integer");
    assert!(unify(vec![text("x"), int(1)], "CASE").is_err());
    Ok(())
}

#[test]
fn a_list_of_constants_takes_the_inputs_type() -> Result<()> {
    let list = |expr: Expr| match expr {
        Expr::InList { input, list } => (input.data_type(), list),
        other => panic!("{other:?}"),
    };
    let null = Expr::literal(Value::Null, DataType::Null);
    assert_eq!(
        list(in_list(column(DataType::Int16), vec![int(1), text("2"), null])?),
        (DataType::Int16, vec![Value::Int(1), Value::Int(2), Value::Null])
    );
    assert_eq!(
        list(in_list(column(DataType::Int16), vec![int(1), int(70_000)])?),
        (DataType::Int32, vec![Value::Int(1), Value::Int(70_000)])
    );
    let mixed = in_list(column(DataType::Int16), vec![int(1), Expr::column(1, DataType::Int16)])?;
    assert!(matches!(mixed, Expr::Or(terms) if terms.len() == 2));
    Ok(())
}

#[test]
fn a_zoned_literal_waits_for_the_session() -> Result<()> {
    let cast = explicit_cast(text("2024-03-10 12:00"), ZONED)?;
    assert!(matches!(cast, Expr::Cast { .. }));
    assert!(explicit_cast(text("noon"), ZONED).is_err());
    Ok(())
}
