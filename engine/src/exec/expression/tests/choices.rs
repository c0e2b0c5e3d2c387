//! Three-valued logic, CASE, COALESCE, NULLIF, GREATEST, LEAST and IN.

use super::*;
use Function::{Coalesce, Divide, Greatest, Least, NullIf};

fn unknown() -> Expr {
    null(DataType::Bool)
}

fn not(expr: Expr) -> Expr {
    Expr::Not(Box::new(expr))
}

fn case(branches: Vec<(Expr, Expr)>, otherwise: Option<Expr>) -> Expr {
    let data_type = branches[0].1.data_type();
    Expr::Case { branches, otherwise: otherwise.map(Box::new), data_type }
}

#[test]
fn logic_has_three_values() {
    let and = |a, b| Expr::And(vec![a, b]);
    let or = |a, b| Expr::Or(vec![a, b]);
    same("true and null", and(boolean(true), unknown()), "NULL");
    same("false and null", and(boolean(false), unknown()), "false");
    same("null and false", and(unknown(), boolean(false)), "false");
    same("null or true", or(unknown(), boolean(true)), "true");
    same("false or null", or(boolean(false), unknown()), "NULL");
    same("true and true", and(boolean(true), boolean(true)), "true");
    same("not null::bool", not(unknown()), "NULL");
    same("null is null", Expr::IsNull(Box::new(unknown())), "true");
    same("1 is null", Expr::IsNull(Box::new(int(1))), "false");
    ours("an empty AND is true", Expr::And(vec![]), "true");
    ours("an empty OR is false", Expr::Or(vec![]), "false");
}

/// Rows 0, 2 and NULL of an integer column.
fn numbers() -> ArrayRef {
    Arc::new(arrow::array::Int32Array::from(vec![Some(0), Some(2), None]))
}

fn over_numbers(expr: &Expr) -> Result<Vec<Value>> {
    let array = evaluate(expr, &[numbers()], 3, &Context::new())?;
    Ok((0..3).map(|row| Value::from_array(&array, expr.data_type(), row)).collect())
}

#[test]
fn a_branch_is_only_evaluated_for_rows_that_reach_it() -> Result<()> {
    let column = || Expr::column(0, DataType::Int32);
    let quotient = || call(Divide, [int(10), column()]);
    let is_zero = || compared(Comparison::Equal, column(), int(0));
    let guarded = case(vec![(not(is_zero()), quotient())], None);
    assert_eq!(over_numbers(&guarded)?, [Value::Null, Value::Int(5), Value::Null]);
    let reversed = case(vec![(is_zero(), int(-1))], Some(quotient()));
    assert_eq!(over_numbers(&reversed)?, [Value::Int(-1), Value::Int(5), Value::Null]);
    // The second predicate fails for zero, which the first branch takes.
    let chained = case(
        vec![(is_zero(), int(0)), (compared(Comparison::Greater, quotient(), int(4)), int(1))],
        Some(int(2)),
    );
    assert_eq!(over_numbers(&chained)?, [Value::Int(0), Value::Int(1), Value::Int(2)]);
    let unguarded = case(vec![(is_zero(), quotient())], None);
    assert!(over_numbers(&unguarded).is_err());
    Ok(())
}

#[test]
fn a_term_that_can_fail_is_only_tried_where_the_others_left_it_open() -> Result<()> {
    let column = || Expr::column(0, DataType::Int32);
    let risky = || compared(Comparison::Greater, call(Divide, [int(10), column()]), int(1));
    let is_zero = || compared(Comparison::Equal, column(), int(0));
    let both = Expr::And(vec![not(is_zero()), risky()]);
    assert_eq!(over_numbers(&both)?, [Value::Bool(false), Value::Bool(true), Value::Null]);
    let either = Expr::Or(vec![is_zero(), risky()]);
    assert_eq!(over_numbers(&either)?, [Value::Bool(true), Value::Bool(true), Value::Null]);
    let coalesced = call(Coalesce, [column(), call(Divide, [int(1), int(0)])]);
    assert!(over_numbers(&coalesced).is_err());
    let safe = call(Coalesce, [column(), int(7), call(Divide, [int(1), int(0)])]);
    assert_eq!(over_numbers(&safe)?, [Value::Int(0), Value::Int(2), Value::Int(7)]);
    Ok(())
}

#[test]
fn the_first_true_branch_counts() {
    let is = |a, b| compared(Comparison::Equal, int(a), int(b));
    same(
        "case when 1=2 then 'a' when 1=1 then 'b' else 'c' end",
        case(vec![(is(1, 2), text("a")), (is(1, 1), text("b"))], Some(text("c"))),
        "b",
    );
    same("case when null then 'a' end", case(vec![(unknown(), text("a"))], None), "NULL");
    same("case when 1=1 then 'a' end", case(vec![(is(1, 1), text("a"))], Some(text("b"))), "a");
    same("coalesce(null, 2, 3)", call(Coalesce, [null(DataType::Int32), int(2), int(3)]), "2");
    same("coalesce(null::text, 'x')", call(Coalesce, [null(DataType::Utf8), text("x")]), "x");
    same("nullif(1, 1)", call(NullIf, [int(1), int(1)]), "NULL");
    same("nullif(1, 2)", call(NullIf, [int(1), int(2)]), "1");
    same("nullif('a', null)", call(NullIf, [text("a"), null(DataType::Utf8)]), "a");
    same(
        "greatest(1, null, 3, 2)",
        call(Greatest, [int(1), null(DataType::Int32), int(3), int(2)]),
        "3",
    );
    same("least('b', 'a')", call(Least, [text("b"), text("a")]), "a");
    same(
        "greatest(1::float8, 'nan'::float8)",
        call(Greatest, [double(1.0), double(f64::NAN)]),
        "NaN",
    );
    same(
        "greatest(null::int, null::int)",
        call(Greatest, [null(DataType::Int32), null(DataType::Int32)]),
        "NULL",
    );
}

#[test]
fn a_list_with_null_never_says_no() {
    let within = |input: Expr, list: &[Option<i128>]| {
        let value = |value: &Option<i128>| value.map_or(Value::Null, Value::Int);
        Expr::InList { input: Box::new(input), list: list.iter().map(value).collect() }
    };
    same("2 in (1, 2)", within(int(2), &[Some(1), Some(2)]), "true");
    same("3 in (1, 2)", within(int(3), &[Some(1), Some(2)]), "false");
    same("3 in (1, null)", within(int(3), &[Some(1), None]), "NULL");
    same("1 in (1, null)", within(int(1), &[Some(1), None]), "true");
    same("not (3 in (1, null))", not(within(int(3), &[Some(1), None])), "NULL");
    same("null::int in (1, 2)", within(null(DataType::Int32), &[Some(1), Some(2)]), "NULL");
    same(
        "9 in (1,2,3,4,5,6,7,8,9)",
        within(
            int(9),
            &[Some(1), Some(2), Some(3), Some(4), Some(5), Some(6), Some(7), Some(8), Some(9)],
        ),
        "true",
    );
    same(
        "10 in (1,2,3,4,5,null)",
        within(int(10), &[Some(1), Some(2), Some(3), Some(4), Some(5), None]),
        "NULL",
    );
    ours("an empty list has nothing", within(null(DataType::Int32), &[]), "false");
    let floats = [0.0, 1.0, 2.0, 3.0, f64::NAN].map(Value::Float).to_vec();
    ours(
        "zeros and NaNs are found",
        Expr::InList { input: Box::new(double(-0.0)), list: floats.clone() },
        "true",
    );
    ours(
        "zeros and NaNs are found",
        Expr::InList { input: Box::new(double(-f64::NAN)), list: floats },
        "true",
    );
    let words = ["a", "b", "c", "d", "é"].map(|word| Value::Text(word.into())).to_vec();
    same(
        "'é' in ('a','b','c','d','é')",
        Expr::InList { input: Box::new(text("é")), list: words },
        "true",
    );
}
