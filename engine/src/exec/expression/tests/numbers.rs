//! Arithmetic, rounding, functions of doubles, bits and comparisons.

use super::*;
use Function::{
    Abs, Add, BitAnd, BitOr, BitXor, Ceil, Divide, Exp, Floor, Ln, Log10, Modulo, Multiply, Negate,
    Power, Round, ShiftLeft, ShiftRight, Sign, Sqrt, Subtract, Truncate,
};

#[test]
fn integers_are_checked_at_their_width() {
    same("5/2", call(Divide, [int(5), int(2)]), "2");
    same("-5/2", call(Divide, [int(-5), int(2)]), "-2");
    same("-5 % 3", call(Modulo, [int(-5), int(3)]), "-2");
    same("5 % -3", call(Modulo, [int(5), int(-3)]), "2");
    same("2147483647::bigint + 1", call(Add, [big(2147483647), int(1)]), "2147483648");
    same("(-9223372036854775808)::bigint % -1", call(Modulo, [big(i64::MIN.into()), big(-1)]), "0");
    same("1 + null::int", call(Add, [int(1), null(DataType::Int32)]), "NULL");
    same("null::int / 0", call(Divide, [null(DataType::Int32), int(0)]), "NULL");
    let out = "integer out of range";
    fails("2147483647 + 1", call(Add, [int(2147483647), int(1)]), out);
    fails("2147483647 * 2", call(Multiply, [int(2147483647), int(2)]), out);
    fails("-2147483647 - 2", call(Subtract, [int(-2147483647), int(2)]), "2");
    fails(
        "9223372036854775807::bigint + 1",
        call(Add, [big(i64::MAX.into()), int(1)]),
        "bigint out",
    );
    fails(
        "(-9223372036854775808)::bigint / -1",
        call(Divide, [big(i64::MIN.into()), big(-1)]),
        "bigint",
    );
    fails("-((-9223372036854775808)::bigint)", call(Negate, [big(i64::MIN.into())]), "bigint out");
    fails("abs((-9223372036854775808)::bigint)", call(Abs, [big(i64::MIN.into())]), "bigint out");
    fails("1/0", call(Divide, [int(1), int(0)]), "division by zero");
    fails("1 % 0", call(Modulo, [int(1), int(0)]), "division by zero");
    let small = |value: i128| Expr::literal(Value::Int(value), DataType::Int16);
    fails(
        "32767::smallint + 1::smallint",
        call(Add, [small(32767), small(1)]),
        "smallint out of range",
    );
    same("32767::smallint + 1", call(Add, [small(32767), int(1)]), "32768");
}

#[test]
fn decimals_keep_their_digits() {
    same("1.25 + 1.5", call(Add, [decimal("1.25"), decimal("1.5")]), "2.75");
    same("1 - 0.75", call(Subtract, [int(1), decimal("0.75")]), "0.25");
    same(
        "1.25::decimal(10,2) * 1.25::decimal(10,2)",
        call(Multiply, [decimal("1.25"), decimal("1.25")]),
        "1.5625",
    );
    same("5.75 % 0.5", call(Modulo, [decimal("5.75"), decimal("0.5")]), "0.25");
    same("-5.75 % 0.5", call(Modulo, [decimal("-5.75"), decimal("0.5")]), "-0.25");
    same("-(1.50)", call(Negate, [decimal("1.50")]), "-1.50");
    same("abs(-1.50)", call(Abs, [decimal("-1.50")]), "1.50");
    same("sign(-1.50)", call(Sign, [decimal("-1.50")]), "-1");
    ours(
        "decimals divide as doubles",
        call(Divide, [decimal("1.00"), decimal("3.00")]),
        "0.3333333333333333",
    );
    fails("1.0 / 0", call(Divide, [decimal("1.0"), int(0)]), "division by zero");
    fails("1.0 % 0", call(Modulo, [decimal("1.0"), int(0)]), "division by zero");
    let wide = || decimal("99999999999999999999999999999999999999");
    ours(
        "38 digits are all: 1e38 - 1 + 0",
        call(Add, [wide(), int(0)]),
        "99999999999999999999999999999999999999",
    );
    let sum = call(Add, [wide(), int(1)]);
    assert!(evaluate_constant(&sum, &Context::new()).is_err());
    let product = call(Multiply, [wide(), wide()]);
    assert!(evaluate_constant(&product, &Context::new()).is_err());
}

#[test]
fn doubles_neither_overflow_nor_divide_by_zero() {
    same("0.1::float8 + 0.2::float8", call(Add, [double(0.1), double(0.2)]), "0.30000000000000004");
    same("1::float8 / 3", call(Divide, [double(1.0), int(3)]), "0.3333333333333333");
    same("'inf'::float8 + 1", call(Add, [double(f64::INFINITY), int(1)]), "Infinity");
    same(
        "'inf'::float8 - 'inf'::float8",
        call(Subtract, [double(f64::INFINITY), double(f64::INFINITY)]),
        "NaN",
    );
    same("'nan'::float8 / 0", call(Divide, [double(f64::NAN), int(0)]), "NaN");
    same("1 / 'inf'::float8", call(Divide, [int(1), double(f64::INFINITY)]), "0");
    same("-(0::float8)", call(Negate, [cast(int(0), DataType::Float64)]), "-0");
    fails("1::float8 / 0", call(Divide, [double(1.0), int(0)]), "division by zero");
    fails("0::float8 / 0", call(Divide, [double(0.0), int(0)]), "division by zero");
    fails("1e308::float8 * 10", call(Multiply, [double(1e308), int(10)]), "out of range: overflow");
    fails("1e308::float8 + 1e308::float8", call(Add, [double(1e308), double(1e308)]), "overflow");
    fails(
        "1e-308::float8 * 1e-308::float8",
        call(Multiply, [double(1e-308), double(1e-308)]),
        "underflow",
    );
    let single = |value: f64| Expr::literal(Value::Float(value), DataType::Float32);
    same("1.5::real + 2.25::real", call(Add, [single(1.5), single(2.25)]), "3.75");
    same("1.5::real + 2.25::float8", call(Add, [single(1.5), double(2.25)]), "3.75");
    same("16777216::real + 1::real", call(Add, [single(16777216.0), single(1.0)]), "1.6777216e+07");
    fails(
        "3e38::real * 10::real",
        call(Multiply, [single(f64::from(3e38_f32)), single(10.0)]),
        "overflow",
    );
}

#[test]
fn rounding_is_half_even_for_doubles_and_half_away_for_decimals() {
    same("round(2.5::float8)", call(Round, [double(2.5)]), "2");
    same("round(0.5::float8)", call(Round, [double(0.5)]), "0");
    same("round(-1.5::float8)", call(Round, [double(-1.5)]), "-2");
    same("round(2.5)", call(Round, [decimal("2.5")]), "3");
    same("round(-2.5)", call(Round, [decimal("-2.5")]), "-3");
    same("round(9.99, 1)", call(Round, [decimal("9.99"), int(1)]), "10.0");
    same("round(1234.56, -2)", call(Round, [decimal("1234.56"), int(-2)]), "1200");
    same("round(1250, -2)", call(Round, [int(1250), int(-2)]), "1300");
    same("round(-1250, -2)", call(Round, [int(-1250), int(-2)]), "-1300");
    same("round(1250, -10)", call(Round, [int(1250), int(-10)]), "0");
    same("trunc(-2.57, 1)", call(Truncate, [decimal("-2.57"), int(1)]), "-2.5");
    same("trunc(-2.5::float8)", call(Truncate, [double(-2.5)]), "-2");
    same("floor(-2.5)", call(Floor, [decimal("-2.5")]), "-3");
    same("ceil(-2.5)", call(Ceil, [decimal("-2.5")]), "-2");
    same("ceil(2.1)", call(Ceil, [decimal("2.1")]), "3");
    same("floor(-2.5::float8)", call(Floor, [double(-2.5)]), "-3");
    same("floor(7)", call(Floor, [int(7)]), "7");
    ours("PostgreSQL has no round(double, int)", call(Round, [double(2.345), int(2)]), "2.35");
    ours("a huge count of digits changes nothing", call(Round, [double(2.345), int(999)]), "2.345");
    same("sign(-5::float8)", call(Sign, [double(-5.0)]), "-1");
    same("sign(7)", call(Sign, [int(7)]), "1");
    same("abs(-7)", call(Abs, [int(-7)]), "7");
    same("abs(-7.5::float8)", call(Abs, [double(-7.5)]), "7.5");
}

#[test]
fn functions_of_doubles_refuse_what_has_no_value() {
    same("sqrt(2::float8)", call(Sqrt, [int(2)]), "1.4142135623730951");
    same("exp(1::float8)", call(Exp, [int(1)]), "2.718281828459045");
    same("ln(10::float8)", call(Ln, [int(10)]), "2.302585092994046");
    same("log10(1000::float8)", call(Log10, [int(1000)]), "3");
    same("2::float8 ^ 3", call(Power, [int(2), int(3)]), "8");
    same("2::float8 ^ -1", call(Power, [int(2), int(-1)]), "0.5");
    same("(-2)::float8 ^ 3", call(Power, [int(-2), int(3)]), "-8");
    same("'nan'::float8 ^ 0", call(Power, [double(f64::NAN), int(0)]), "1");
    same("sqrt('nan'::float8)", call(Sqrt, [double(f64::NAN)]), "NaN");
    same("exp('-inf'::float8)", call(Exp, [double(f64::NEG_INFINITY)]), "0");
    fails("sqrt(-1::float8)", call(Sqrt, [int(-1)]), "square root");
    fails("ln(0::float8)", call(Ln, [int(0)]), "logarithm");
    fails("log10(-1::float8)", call(Log10, [int(-1)]), "logarithm");
    fails("exp(1000::float8)", call(Exp, [int(1000)]), "out of range");
    fails("exp(-1000::float8)", call(Exp, [int(-1000)]), "out of range");
    fails("0::float8 ^ -1", call(Power, [int(0), int(-1)]), "zero raised");
    fails("(-8)::float8 ^ 0.5", call(Power, [int(-8), double(0.5)]), "complex");
    fails("10::float8 ^ 400", call(Power, [int(10), int(400)]), "out of range");
}

#[test]
fn bits_shift_out() {
    same("6 & 3", call(BitAnd, [int(6), int(3)]), "2");
    same("6 | 3", call(BitOr, [int(6), int(3)]), "7");
    same("6 # 3", call(BitXor, [int(6), int(3)]), "5");
    same("1 << 4", call(ShiftLeft, [int(1), int(4)]), "16");
    same("-16 >> 2", call(ShiftRight, [int(-16), int(2)]), "-4");
    same("1 << 31", call(ShiftLeft, [int(1), int(31)]), "-2147483648");
    same("1 << 33", call(ShiftLeft, [int(1), int(33)]), "2");
    same("1::bigint << 62", call(ShiftLeft, [big(1), int(62)]), "4611686018427387904");
}

#[test]
fn comparisons_put_nan_last_and_zeros_together() {
    use Comparison::{
        Distinct, Equal, Greater, GreaterOrEqual, Less, LessOrEqual, NotDistinct, NotEqual,
    };
    let nan = || double(f64::NAN);
    same("'nan'::float8 = 'nan'::float8", compared(Equal, nan(), double(-f64::NAN)), "true");
    same("'nan'::float8 > 1e308::float8", compared(Greater, nan(), double(1e308)), "true");
    same("'nan'::float8 > 'inf'::float8", compared(Greater, nan(), double(f64::INFINITY)), "true");
    same("0::float8 = '-0'::float8", compared(Equal, double(0.0), double(-0.0)), "true");
    same("0::float8 > '-0'::float8", compared(Greater, double(0.0), double(-0.0)), "false");
    same("1 < 2", compared(Less, int(1), int(2)), "true");
    same("1 >= 1.0", compared(GreaterOrEqual, int(1), decimal("1.0")), "true");
    same("1 <> 1.5", compared(NotEqual, int(1), decimal("1.5")), "true");
    same("true > false", compared(Greater, boolean(true), boolean(false)), "true");
    same("null::int = 1", compared(Equal, null(DataType::Int32), int(1)), "NULL");
    same("null::int is distinct from 1", compared(Distinct, null(DataType::Int32), int(1)), "true");
    same(
        "null::int is not distinct from null::int",
        compared(NotDistinct, null(DataType::Int32), null(DataType::Int32)),
        "true",
    );
    same("'a' < 'B'", compared(Less, text("a"), text("B")), "false");
    same("'a' = 'a '", compared(Equal, text("a"), text("a ")), "false");
    same("'ä' > 'z'", compared(Greater, text("ä"), text("z")), "true");
    same(
        "date '2013-07-01' <= timestamp '2013-07-01 00:00:00.000001'",
        compared(LessOrEqual, date("2013-07-01"), timestamp("2013-07-01 00:00:00.000001")),
        "true",
    );
    let uuid = || value("a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11", DataType::Uuid);
    same(
        "uuid 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11' = uuid 'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11'",
        compared(Equal, uuid(), uuid()),
        "true",
    );
    let bytes = |hex: &str| value(hex, DataType::Binary);
    same(
        "'\\x00ff'::bytea < '\\x01'::bytea",
        compared(Less, bytes("\\x00ff"), bytes("\\x01")),
        "true",
    );
}
