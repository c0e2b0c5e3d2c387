//! Tests of the functions' types; PostgreSQL 15 gave those that it shares.

use super::*;
use crate::plan::integer_literal;
use crate::types::{TimeUnit, Value};

fn column(data_type: DataType) -> Expr {
    Expr::column(0, data_type)
}

fn int(value: i128) -> Expr {
    integer_literal(value).unwrap()
}

fn text(value: &str) -> Expr {
    Expr::literal(Value::Text(value.into()), DataType::Utf8)
}

fn decimal(precision: u8, scale: u8) -> DataType {
    DataType::Decimal { precision, scale }
}

fn type_of(function: Function, arguments: Vec<Expr>) -> Result<DataType> {
    Ok(resolve(function, arguments)?.data_type())
}

#[test]
fn integer_arithmetic_keeps_the_wider_width() -> Result<()> {
    use DataType::{Int8, Int16, Int32, Int64, UInt8, UInt32, UInt64};
    for (a, b, expected) in [
        (Int32, Int32, Int32),
        (Int16, Int64, Int64),
        (Int8, Int8, Int8),
        (UInt8, UInt8, Int16),
        (UInt32, Int8, Int64),
        (UInt64, UInt64, UInt64),
        (UInt64, Int8, decimal(21, 0)),
    ] {
        assert_eq!(type_of(Function::Add, vec![column(a), column(b)])?, expected, "{a} {b}");
    }
    assert_eq!(type_of(Function::Add, vec![column(Int16), int(1)])?, Int32);
    assert_eq!(type_of(Function::Modulo, vec![column(UInt64), int(10)])?, UInt64);
    assert_eq!(type_of(Function::Subtract, vec![column(UInt64), int(10)])?, decimal(21, 0));
    assert!(resolve(Function::Divide, vec![column(UInt64), column(Int32)]).is_err());
    assert_eq!(type_of(Function::Add, vec![text("1"), column(Int16)])?, Int16);
    Ok(())
}

#[test]
fn decimal_arithmetic_grows_by_its_digits() -> Result<()> {
    for (function, other, expected) in [
        (Function::Add, decimal(10, 2), decimal(11, 2)),
        (Function::Add, decimal(5, 4), decimal(13, 4)),
        (Function::Multiply, decimal(5, 4), decimal(15, 6)),
        (Function::Multiply, decimal(38, 4), decimal(38, 6)),
        (Function::Modulo, decimal(5, 4), decimal(12, 4)),
        (Function::Divide, decimal(5, 4), DataType::Float64),
        (Function::Add, DataType::Int64, decimal(22, 2)),
        (Function::Add, DataType::Float32, DataType::Float64),
    ] {
        let found = type_of(function, vec![column(decimal(10, 2)), column(other)])?;
        assert_eq!(found, expected, "{function} {other}");
    }
    assert_eq!(type_of(Function::Add, vec![column(decimal(10, 2)), int(1)])?, decimal(11, 2));
    let wide = vec![column(decimal(38, 20)), column(decimal(38, 20))];
    assert!(resolve(Function::Multiply, wide).is_err());
    Ok(())
}

#[test]
fn rounding_gives_whole_numbers_of_the_same_kind() -> Result<()> {
    assert_eq!(type_of(Function::Round, vec![column(decimal(10, 2))])?, decimal(9, 0));
    assert_eq!(type_of(Function::Round, vec![column(decimal(10, 2)), int(1)])?, decimal(10, 1));
    assert_eq!(type_of(Function::Round, vec![column(decimal(10, 2)), int(-3)])?, decimal(9, 0));
    assert_eq!(type_of(Function::Floor, vec![column(DataType::Int16)])?, DataType::Int16);
    assert_eq!(type_of(Function::Ceil, vec![column(DataType::Float32)])?, DataType::Float64);
    assert_eq!(type_of(Function::Sign, vec![column(decimal(10, 2))])?, DataType::Float64);
    assert_eq!(type_of(Function::Sqrt, vec![int(2)])?, DataType::Float64);
    assert!(resolve(Function::Abs, vec![column(DataType::Utf8)]).is_err());
    Ok(())
}

#[test]
fn operators_over_dates_become_their_functions() -> Result<()> {
    let interval =
        || Expr::literal(Value::parse("1 month", DataType::Interval).unwrap(), DataType::Interval);
    let date = || column(DataType::Date);
    let function = |expr: Expr| match expr {
        Expr::Call { function, data_type, .. } => (function, data_type),
        other => panic!("{other:?}"),
    };
    let resolved = |f, arguments| resolve(f, arguments).map(function);
    let add_interval = (Function::AddInterval, DataType::TIMESTAMP);
    assert_eq!(resolved(Function::Add, vec![date(), interval()])?, add_interval);
    assert_eq!(resolved(Function::Add, vec![interval(), date()])?, add_interval);
    assert_eq!(
        resolved(Function::Subtract, vec![date(), interval()])?,
        (Function::SubtractInterval, DataType::TIMESTAMP)
    );
    let add_days = (Function::AddDays, DataType::Date);
    assert_eq!(resolved(Function::Add, vec![date(), int(1)])?, add_days);
    assert_eq!(resolved(Function::Subtract, vec![date(), int(1)])?, add_days);
    let difference = (Function::DateDifference, DataType::Int64);
    assert_eq!(resolved(Function::Subtract, vec![date(), date()])?, difference);
    assert_eq!(resolved(Function::Subtract, vec![date(), text("2013-07-01")])?, difference);
    assert!(resolve(Function::Multiply, vec![date(), int(1)]).is_err());
    assert!(resolve(Function::Subtract, vec![column(DataType::TIMESTAMP), date()]).is_err());
    let product = resolve(Function::Multiply, vec![interval(), int(3)])?;
    let expected = Value::parse("3 months", DataType::Interval)?;
    assert_eq!(product, Expr::literal(expected, DataType::Interval));
    Ok(())
}

#[test]
fn a_coarse_timestamp_takes_the_unit_that_the_interval_needs() -> Result<()> {
    let seconds = DataType::Timestamp { unit: TimeUnit::Second, zoned: false };
    let added = |text: &str| {
        let interval = Expr::literal(Value::parse(text, DataType::Interval)?, DataType::Interval);
        type_of(Function::Add, vec![column(seconds), interval])
    };
    assert_eq!(added("1 month")?, seconds);
    assert_eq!(
        added("1.5 seconds")?,
        DataType::Timestamp { unit: TimeUnit::Millisecond, zoned: false }
    );
    Ok(())
}

#[test]
fn parts_of_a_date_are_whole_numbers_where_it_has_no_fraction() -> Result<()> {
    use DatePart::{Epoch, Hour, Microsecond, Second, Year};
    let seconds = DataType::Timestamp { unit: TimeUnit::Second, zoned: false };
    for (part, data_type, expected) in [
        (Year, DataType::Date, DataType::Int64),
        (Epoch, DataType::Date, DataType::Float64),
        (Second, seconds, DataType::Int64),
        (Second, DataType::TIMESTAMP, DataType::Float64),
        (Microsecond, DataType::TIMESTAMP, DataType::Int64),
    ] {
        assert_eq!(type_of(Function::Extract(part), vec![column(data_type)])?, expected);
    }
    let error = resolve(Function::Extract(Hour), vec![column(DataType::Date)]).unwrap_err();
    assert_eq!(error.message(), "date has no hour");
    assert!(resolve(Function::DateTrunc(Epoch), vec![column(DataType::Date)]).is_err());
    Ok(())
}

#[test]
fn text_functions_do_not_cast_by_themselves() -> Result<()> {
    let error = resolve(Function::Lower, vec![column(DataType::Int32)]).unwrap_err();
    assert_eq!(error.message(), "lower takes text, not integer");
    assert_eq!(error.hint(), Some("write CAST(… AS text)"));
    let error = resolve(Function::Lower, vec![]).unwrap_err();
    assert_eq!(error.message(), "lower takes 1 argument, not 0");
    let error = resolve(Function::Substring, vec![text("a")]).unwrap_err();
    assert_eq!(error.message(), "substring takes 2 to 3 arguments, not 1");
    assert_eq!(type_of(Function::Concat, vec![text("a"), column(DataType::Date)])?, DataType::Utf8);
    assert!(resolve(Function::Concat, vec![int(1), int(2)]).is_err());
    assert_eq!(type_of(Function::Length, vec![column(DataType::Binary)])?, DataType::Int64);
    Ok(())
}
