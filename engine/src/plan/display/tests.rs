//! Tests of the printed forms.

use super::*;
use crate::plan::rules_testing as testing;
use testing::*;

fn printed(expr: &Expr) -> String {
    let names: Vec<String> = ["a", "b", "c"].map(String::from).into();
    expr.display(&names).to_string()
}

#[test]
fn parentheses_stand_where_they_are_needed() {
    let binary =
        |function, left: &Expr, right: &Expr| call(function, vec![left.clone(), right.clone()]);
    let (a, b) = (column(0), column(1));
    let sum = binary(Function::Add, &a, &b);
    assert_eq!(printed(&binary(Function::Multiply, &sum, &a)), "(a + b) * a");
    assert_eq!(printed(&binary(Function::Add, &sum, &a)), "a + b + a");
    assert_eq!(printed(&binary(Function::Subtract, &a, &sum)), "a - (a + b)");
    assert_eq!(printed(&call(Function::Negate, vec![sum])), "-(a + b)");
    let (less, equal) = (compare_to(0, Comparison::Less, 1), compare_to(1, Comparison::Equal, -2));
    let or = Expr::Or(vec![less.clone(), equal.clone()]);
    assert_eq!(printed(&or), "a < 1 OR b = -2");
    assert_eq!(printed(&Expr::And(vec![or.clone(), less])), "(a < 1 OR b = -2) AND a < 1");
    assert_eq!(printed(&Expr::Not(Box::new(or))), "NOT (a < 1 OR b = -2)");
    assert_eq!(printed(&Expr::Not(Box::new(equal))), "NOT b = -2");
}

#[test]
fn every_kind_of_expression_prints_as_sql() {
    let text = |index| Expr::column(index, DataType::Utf8);
    let literal = |value: &str| Expr::literal(Value::Text(value.into()), DataType::Utf8);
    let time = Expr::column(0, DataType::TIMESTAMP);
    let like = Expr::Like {
        input: Box::new(text(0)),
        pattern: crate::plan::LikePattern {
            pattern: "%it's%".into(),
            escape: Some('\\'),
            case_insensitive: false,
        },
    };
    let case = Expr::Case {
        branches: vec![(compare_to(0, Comparison::Equal, 0), text(1))],
        otherwise: Some(Box::new(literal(""))),
        data_type: DataType::Utf8,
    };
    let list = Expr::InList { input: Box::new(column(0)), list: vec![Value::Int(1), Value::Null] };
    for (expr, expected) in [
        (like.clone(), "a LIKE '%it''s%'"),
        (Expr::Not(Box::new(like)), "a NOT LIKE '%it''s%'"),
        (case, "CASE WHEN a = 0 THEN b ELSE '' END"),
        (list, "a IN (1, NULL)"),
        (Expr::IsNull(Box::new(text(0))), "a IS NULL"),
        (
            call(Function::Extract(crate::plan::DatePart::Minute), vec![time.clone()]),
            "extract(minute FROM a)",
        ),
        (
            call(Function::DateTrunc(crate::plan::DatePart::Minute), vec![time]),
            "date_trunc('minute', a)",
        ),
        (
            compare(
                Comparison::GreaterOrEqual,
                Expr::column(1, DataType::Date),
                literal("2013-07-01"),
            )
            .unwrap(),
            "b >= DATE '2013-07-01'",
        ),
        (call(Function::Trim, vec![text(0)]), "trim(a, ' ')"),
        (call(Function::Concat, vec![text(0), literal("x")]), "a || 'x'"),
        (column(0).cast_to(DataType::Int64), "CAST(a AS bigint)"),
        (Expr::column(7, DataType::Int8), "#7"),
    ] {
        assert_eq!(printed(&expr), expected);
    }
}

#[test]
fn a_long_list_of_columns_is_cut() {
    let plan = scan(20);
    assert_eq!(
        plan.to_string(),
        "Scan t: 20 columns [a, b, c, d, e, f, g, h, i, j, k, l, … 8 more]\n"
    );
}

#[test]
fn a_physical_plan_names_its_rungs() {
    let grouped = aggregate(scan(2), vec![column(1)], vec![count_rows()]);
    let plan = crate::plan::physical(limit(sort(grouped, vec![0]), 5, Some(10)));
    assert_eq!(
        plan.to_string(),
        "Top-n: 10 rows after 5 by b\n  Aggregate by dense or hash: key b; count(*)\n    \
         Scan t: 2 columns [a, b]\n"
    );
    assert_eq!(plan.summary(), "Top-n: 10 rows after 5 by b");
}
