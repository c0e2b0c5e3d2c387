//! Casts.

use super::*;
use DataType::{Bool, Float32, Float64, Int16, Int32, Int64, Utf8};

const CENTS: DataType = DataType::Decimal { precision: 10, scale: 2 };
const SECONDS: DataType = DataType::Timestamp { unit: TimeUnit::Second, zoned: false };

#[test]
fn numbers_round_when_they_become_integers() {
    same("2.5::int", cast(decimal("2.5"), Int32), "3");
    same("3.5::int", cast(decimal("3.5"), Int32), "4");
    same("(-2.5)::int", cast(decimal("-2.5"), Int32), "-3");
    same("2.5::float8::int", cast(double(2.5), Int32), "2");
    same("3.5::float8::int", cast(double(3.5), Int32), "4");
    same("(-0.4)::float8::int", cast(double(-0.4), Int32), "0");
    same(
        "9223372036854774784::float8::bigint",
        cast(double(9.223372036854775e18), Int64),
        "9223372036854774784",
    );
    fails(
        "9223372036854775808::float8::bigint",
        cast(double(9.223372036854776e18), Int64),
        "out of range for bigint",
    );
    fails("'nan'::float8::int", cast(double(f64::NAN), Int32), "NaN is out of range for integer");
    fails("'inf'::float8::int", cast(double(f64::INFINITY), Int32), "out of range for integer");
    fails("1e300::float8::int", cast(double(1e300), Int32), "out of range");
    fails("40000::smallint", cast(int(40000), Int16), "40000 is out of range for smallint");
    fails(
        "99999999999.0::int",
        cast(decimal("99999999999.0"), Int32),
        "99999999999.0 is out of range",
    );
    same("true::int", cast(boolean(true), Int32), "1");
    same("0::bool", cast(int(0), Bool), "false");
    same("(-7)::bool", cast(int(-7), Bool), "true");
    ours("unsigned types are ours", cast(int(200), DataType::UInt8), "200");
    let negative = cast(int(-1), DataType::UInt64);
    assert!(evaluate_constant(&negative, &Context::new()).is_err());
}

#[test]
fn decimals_take_their_scale_half_away_from_zero() {
    same("1.005::decimal(10,2)", cast(decimal("1.005"), CENTS), "1.01");
    same("(-1.005)::decimal(10,2)", cast(decimal("-1.005"), CENTS), "-1.01");
    same("7::decimal(10,2)", cast(int(7), CENTS), "7.00");
    same("0.1::float8::decimal(10,2)", cast(double(0.1), CENTS), "0.10");
    same(
        "(0.1::float8 + 0.2::float8)::decimal(38,17)",
        cast(double(0.30000000000000004), DataType::Decimal { precision: 38, scale: 17 }),
        "0.30000000000000000",
    );
    same("2.675::float8::decimal(10,2)", cast(double(2.675), CENTS), "2.68");
    fails(
        "123456789::decimal(10,2)",
        cast(int(123456789), CENTS),
        "out of range for decimal(10,2)",
    );
    fails(
        "1e20::float8::decimal(10,2)",
        cast(double(1e20), CENTS),
        "out of range for decimal(10,2)",
    );
    fails(
        "99999999.999::decimal(10,2)",
        cast(decimal("99999999.999"), CENTS),
        "out of range for decimal(10,2)",
    );
    let nan = cast(double(f64::NAN), CENTS);
    assert!(evaluate_constant(&nan, &Context::new()).is_err());
    same("0.1::float8", cast(decimal("0.1"), Float64), "0.1");
    same(
        "123456789012345678.9::float8",
        cast(decimal("123456789012345678.9"), Float64),
        "1.2345678901234568e+17",
    );
    same("0.1::real", cast(decimal("0.1"), Float32), "0.1");
}

#[test]
fn a_double_too_large_for_a_single_is_refused() {
    fails("1e40::float8::real", cast(double(1e40), Float32), "out of range for real");
    fails("1e-50::float8::real", cast(double(1e-50), Float32), "out of range for real");
    same("'inf'::float8::real", cast(double(f64::INFINITY), Float32), "Infinity");
    same("0.1::real::float8", cast(cast(double(0.1), Float32), Float64), "0.10000000149011612");
}

#[test]
fn texts_are_read_with_blanks_around() {
    same("' 42 '::text::int", cast(text(" 42 "), Int32), "42");
    same("'-7'::text::smallint", cast(text("-7"), Int16), "-7");
    same("' 1.5e3 '::text::float8", cast(text(" 1.5e3 "), Float64), "1500");
    same("'1.005'::text::decimal(10,2)", cast(text("1.005"), CENTS), "1.01");
    same("'yes'::text::bool", cast(text("yes"), Bool), "true");
    fails("''::text::int", cast(text(""), Int32), "invalid input syntax for type integer: \"\"");
    fails("'1e3'::text::int", cast(text("1e3"), Int32), "integer: \"1e3\"");
    fails(
        "'99999999999'::text::int",
        cast(text("99999999999"), Int32),
        "\"99999999999\" is out of range for type integer",
    );
    fails("'x'::text::float8", cast(text("x"), Float64), "type double: \"x\"");
    fails("'1e400'::text::float8", cast(text("1e400"), Float64), "out of range");
    fails("'maybe'::text::bool", cast(text("maybe"), Bool), "type boolean: \"maybe\"");
    fails(
        "'2023-02-29'::text::date",
        cast(text("2023-02-29"), DataType::Date),
        "date/time field value out of range: \"2023-02-29\"",
    );
    fails(
        "'noon'::text::timestamp",
        cast(text("noon"), DataType::TIMESTAMP),
        "timestamp: \"noon\"",
    );
    same(
        "'2013-07-01 12:34:56.5'::text::timestamp",
        cast(text("2013-07-01 12:34:56.5"), DataType::TIMESTAMP),
        "2013-07-01 12:34:56.5",
    );
    same(
        "'12:34:56.7'::text::time",
        cast(text("12:34:56.7"), DataType::Time(TimeUnit::Microsecond)),
        "12:34:56.7",
    );
    same(
        "'1 year 2 days'::text::interval",
        cast(text("1 year 2 days"), DataType::Interval),
        "1 year 2 days",
    );
    same(
        "'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11'::text::uuid",
        cast(text("A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11"), DataType::Uuid),
        "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11",
    );
    same("'\\x00ff'::text::bytea", cast(text("\\x00ff"), DataType::Binary), "\\x00ff");
}

#[test]
fn try_cast_gives_null_instead() {
    let tried =
        |input: Expr, to| Expr::Cast { input: Box::new(input), data_type: to, or_null: true };
    ours("TRY_CAST is DuckDB's", tried(text("x"), Int32), "NULL");
    ours("TRY_CAST is DuckDB's", tried(text("7"), Int32), "7");
    ours("TRY_CAST is DuckDB's", tried(int(40000), Int16), "NULL");
    ours("TRY_CAST is DuckDB's", tried(double(f64::NAN), Int32), "NULL");
    ours("TRY_CAST is DuckDB's", tried(text("2023-02-29"), DataType::Date), "NULL");
    ours("TRY_CAST is DuckDB's", tried(text("zz"), DataType::Uuid), "NULL");
    ours(
        "TRY_CAST is DuckDB's",
        tried(decimal("123456789.5"), DataType::Decimal { precision: 4, scale: 1 }),
        "NULL",
    );
}

#[test]
fn values_become_text_as_postgres_prints_them() {
    same("1::float8::text", cast(double(1.0), Utf8), "1");
    same("1e20::float8::text", cast(double(1e20), Utf8), "1e+20");
    same("0.1::float8::text", cast(double(0.1), Utf8), "0.1");
    same("true::text", cast(boolean(true), Utf8), "true");
    same("(-1.50)::text", cast(decimal("-1.50"), Utf8), "-1.50");
    same(
        "(-9223372036854775808)::bigint::text",
        cast(big(i64::MIN.into()), Utf8),
        "-9223372036854775808",
    );
    same(
        "timestamp '2013-07-01 12:34:56.5'::text",
        cast(timestamp("2013-07-01 12:34:56.5"), Utf8),
        "2013-07-01 12:34:56.5",
    );
    same("date '0044-03-15 BC'::text", cast(date("0044-03-15 BC"), Utf8), "0044-03-15 BC");
    same("date '12345-01-01'::text", cast(date("12345-01-01"), Utf8), "12345-01-01");
    same(
        "interval '1 year 2 mons -3 days 04:05:06.5'::text",
        cast(interval("1 year 2 mons -3 days 04:05:06.5"), Utf8),
        "1 year 2 mons -3 days +04:05:06.5",
    );
    same("null::int::text", cast(null(Int32), Utf8), "NULL");
}

#[test]
fn dates_and_timestamps_change_into_each_other() {
    same(
        "date '2013-07-01'::timestamp",
        cast(date("2013-07-01"), DataType::TIMESTAMP),
        "2013-07-01 00:00:00",
    );
    same(
        "timestamp '1969-12-31 23:59:59'::date",
        cast(timestamp("1969-12-31 23:59:59"), DataType::Date),
        "1969-12-31",
    );
    same(
        "timestamp '1969-12-31 23:59:59.5'::time",
        cast(timestamp("1969-12-31 23:59:59.5"), DataType::Time(TimeUnit::Microsecond)),
        "23:59:59.5",
    );
    same(
        "timestamp '2013-07-01 12:34:56.5'::timestamp(0)",
        cast(timestamp("2013-07-01 12:34:56.5"), SECONDS),
        "2013-07-01 12:34:57",
    );
    same(
        "timestamp '1999-12-31 12:34:56.5'::timestamp(0)",
        cast(timestamp("1999-12-31 12:34:56.5"), SECONDS),
        "1999-12-31 12:34:56",
    );
    same(
        "timestamp '2013-07-01 12:34:56.4'::timestamp(0)",
        cast(timestamp("2013-07-01 12:34:56.4"), SECONDS),
        "2013-07-01 12:34:56",
    );
    let nanos = DataType::Timestamp { unit: TimeUnit::Nanosecond, zoned: false };
    ours(
        "nanoseconds are ours",
        cast(timestamp("2013-07-01 12:34:56.5"), nanos),
        "2013-07-01 12:34:56.5",
    );
    let outside = cast(timestamp("9999-01-01"), nanos);
    let error = evaluate_constant(&outside, &Context::new()).unwrap_err();
    assert_eq!(error.message(), "9999-01-01 00:00:00 is out of range for timestamp(9)");
}

#[test]
fn an_instant_is_shown_and_read_on_the_sessions_clock() {
    let york = "America/New_York";
    same_in(
        york,
        "timestamp '2024-03-10 02:30:00'::timestamptz",
        cast(timestamp("2024-03-10 02:30:00"), ZONED),
        "2024-03-10 03:30:00-04",
    );
    same_in(
        york,
        "timestamp '2024-11-03 01:30:00'::timestamptz",
        cast(timestamp("2024-11-03 01:30:00"), ZONED),
        "2024-11-03 01:30:00-05",
    );
    same_in(
        york,
        "'2024-07-01 12:00'::text::timestamptz",
        cast(text("2024-07-01 12:00"), ZONED),
        "2024-07-01 12:00:00-04",
    );
    same_in(
        york,
        "'2024-07-01 12:00+02'::text::timestamptz",
        cast(text("2024-07-01 12:00+02"), ZONED),
        "2024-07-01 06:00:00-04",
    );
    same_in(
        york,
        "'2024-07-01 12:00 Europe/Berlin'::text::timestamptz",
        cast(text("2024-07-01 12:00 Europe/Berlin"), ZONED),
        "2024-07-01 06:00:00-04",
    );
    same_in(
        york,
        "timestamptz '2024-07-01 02:00:00Z'::date",
        cast(zoned("2024-07-01 02:00:00Z"), DataType::Date),
        "2024-06-30",
    );
    same_in(
        york,
        "timestamptz '2024-07-01 02:00:00Z'::timestamp",
        cast(zoned("2024-07-01 02:00:00Z"), DataType::TIMESTAMP),
        "2024-06-30 22:00:00",
    );
    same_in(
        york,
        "date '2024-07-01'::timestamptz",
        cast(date("2024-07-01"), ZONED),
        "2024-07-01 00:00:00-04",
    );
    same_in(
        "Asia/Kolkata",
        "timestamptz '2024-07-01 02:00:00Z'::text",
        cast(zoned("2024-07-01 02:00:00Z"), Utf8),
        "2024-07-01 07:30:00+05:30",
    );
    fails(
        "'2024-07-01 12:00 Mars/Olympus'::text::timestamptz",
        cast(text("2024-07-01 12:00 Mars/Olympus"), ZONED),
        "Mars/Olympus",
    );
}

#[test]
fn no_pair_of_types_panics_at_its_extremes() {
    use TimeUnit::{Microsecond, Millisecond, Nanosecond, Second};
    let mut types = vec![
        Bool,
        DataType::Int8,
        Int16,
        Int32,
        Int64,
        DataType::UInt8,
        DataType::UInt64,
        Float32,
        Float64,
        CENTS,
        DataType::Decimal { precision: 38, scale: 38 },
        DataType::Decimal { precision: 38, scale: 0 },
        DataType::Date,
        Utf8,
        DataType::Binary,
        DataType::Uuid,
        DataType::Interval,
    ];
    for unit in [Second, Millisecond, Microsecond, Nanosecond] {
        types.push(DataType::Time(unit));
        types.push(DataType::Timestamp { unit, zoned: false });
        types.push(DataType::Timestamp { unit, zoned: true });
    }
    let context = Context { time_zone: "America/New_York".into(), ..Context::new() };
    for from in &types {
        for extreme in extremes(*from) {
            let column = extreme.to_array(*from, 2).unwrap();
            for to in &types {
                let column_expr = Expr::column(0, *from);
                let Ok(expr) = explicit_cast(column_expr, *to) else { continue };
                let _either = evaluate(&expr, &[ArrayRef::clone(&column)], 2, &context);
            }
        }
    }
}

/// The smallest and largest values of a type, and some that no other type has.
pub(super) fn extremes(data_type: DataType) -> Vec<Value> {
    let candidates = [
        i128::from(i64::MIN),
        i128::from(i64::MAX),
        i128::from(i32::MIN),
        i128::from(i32::MAX),
        i128::from(u64::MAX),
        -128,
        127,
        0,
        1,
        -1,
        10_i128.pow(38) - 1,
        1 - 10_i128.pow(38),
        99_999_999,
    ];
    let whole = candidates.map(Value::Int);
    let floats =
        [f64::MAX, f64::MIN, f64::MIN_POSITIVE, f64::NAN, f64::INFINITY, -0.0].map(Value::Float);
    let texts = ["", "é", "9999-12-31", "-1", "1e308", "5874897-12-31 23:59:59", "infinity"]
        .map(|text| Value::Text(text.into()));
    let mut all: Vec<Value> = whole.into_iter().chain(floats).chain(texts).collect();
    all.push(Value::Bool(true));
    all.push(Value::Bytes(vec![0, 255]));
    all.push(Value::Uuid([255; 16]));
    for sign in [i32::MIN, i32::MAX] {
        let nanoseconds = if sign < 0 { i64::MIN } else { i64::MAX };
        all.push(Value::Interval(crate::types::Interval { months: sign, days: sign, nanoseconds }));
    }
    all.retain(|value| {
        value.to_array(data_type, 1).is_ok()
            && Value::from_array(&value.to_array(data_type, 1).unwrap(), data_type, 0) == *value
    });
    all
}
