//! A filter that keeps the first rows of each partition becomes a limit of the window: nothing else
//! is kept while rows come in, and nothing is sorted.

use super::{filtered, nothing, rewrite_up, split_conjuncts};
use crate::plan::window::{Window, WindowFunction};
use crate::plan::{Comparison, Expr, LogicalPlan};
use crate::types::Value;

/// The largest limit; more rows of a partition are numbered and filtered.
const LIMIT_MAX: u64 = 65_536;

/// Takes the bounds of row numbers into their windows.
pub(super) fn limit_windows(plan: LogicalPlan) -> LogicalPlan {
    rewrite_up(plan, &mut |plan| match plan {
        LogicalPlan::Filter { input, predicate } => match *input {
            LogicalPlan::Window { input, window } => limited(*input, window, predicate),
            other => LogicalPlan::Filter { input: Box::new(other), predicate },
        },
        other => other,
    })
}

fn limited(input: LogicalPlan, mut window: Window, predicate: Expr) -> LogicalPlan {
    let width = input.output().len();
    let mut conjuncts = Vec::new();
    split_conjuncts(predicate, &mut conjuncts);
    let mut limit = window.limit.map_or(i128::MAX, i128::from);
    let is_row_number = |index: usize| {
        let function = index.checked_sub(width).and_then(|place| window.functions.get(place));
        function == Some(&WindowFunction::RowNumber)
    };
    let bounds: Vec<Option<Bound>> =
        conjuncts.iter().map(|conjunct| bound(conjunct, &is_row_number)).collect();
    for Bound { greatest, .. } in bounds.iter().flatten() {
        limit = limit.min(*greatest);
    }
    let window_plan = |window| LogicalPlan::Window { input: Box::new(input), window };
    if limit < 1 {
        return nothing(&window_plan(window));
    }
    let taken = u64::try_from(limit).ok().filter(|limit| *limit <= LIMIT_MAX);
    window.limit = taken.or(window.limit);
    // What the limit says need not be said again.
    let is_said = |bound: &Option<Bound>| match bound {
        Some(Bound { greatest, is_all }) => {
            *is_all && window.limit.is_some_and(|limit| i128::from(limit) <= *greatest)
        }
        None => false,
    };
    let said: Vec<bool> = bounds.iter().map(is_said).collect();
    let rest = conjuncts.into_iter().zip(said).filter(|(_, said)| !said);
    let rest: Vec<Expr> = rest.map(|(conjunct, _)| conjunct).collect();
    filtered(window_plan(window), rest)
}

/// What a conjunct says of a row number.
struct Bound {
    greatest: i128,
    /// Whether it says nothing else.
    is_all: bool,
}

fn bound(conjunct: &Expr, is_row_number: &impl Fn(usize) -> bool) -> Option<Bound> {
    let is_number =
        |expr: &Expr| matches!(expr, Expr::Column { index, .. } if is_row_number(*index));
    match conjunct {
        Expr::Compare { op, left, right } => {
            let (op, constant) = match (left.as_ref(), right.as_ref()) {
                (column, Expr::Literal { value, .. }) if is_number(column) => (*op, value),
                (Expr::Literal { value, .. }, column) if is_number(column) => (op.swapped(), value),
                _ => return None,
            };
            let Value::Int(constant) = constant else { return None };
            match op {
                Comparison::LessOrEqual => Some(Bound { greatest: *constant, is_all: true }),
                Comparison::Less => Some(Bound { greatest: *constant - 1, is_all: true }),
                Comparison::Equal | Comparison::NotDistinct => {
                    Some(Bound { greatest: *constant, is_all: *constant == 1 })
                }
                _ => None,
            }
        }
        Expr::InList { input, list } if is_number(input) => {
            let integer = |value: &Value| match value {
                Value::Int(value) => *value,
                _ => 0,
            };
            let greatest = list.iter().map(integer).max()?;
            Some(Bound { greatest, is_all: false })
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::*;
    use super::*;

    fn number() -> Expr {
        Expr::column(2, DataType::Int64)
    }

    fn numbered(functions: &[WindowFunction]) -> LogicalPlan {
        let order = vec![SortKey { expr: column(1), descending: true, nulls_first: true }];
        let names = functions.iter().map(|function| format!("{}()", function.name())).collect();
        let functions = functions.to_vec();
        let window = Window { partition: vec![column(0)], order, functions, names, limit: None };
        LogicalPlan::Window { input: Box::new(scan(2)), window }
    }

    fn below(op: Comparison, value: i128) -> Expr {
        compare(op, number(), Expr::literal(Value::Int(value), DataType::Int64)).unwrap()
    }

    fn rewritten(conjuncts: Vec<Expr>) -> String {
        let plan = numbered(&[WindowFunction::RowNumber]);
        let plan = limit_windows(filter(plan, Expr::And(conjuncts)));
        assert_eq!(limit_windows(plan.clone()), plan, "a fixed point");
        plan.to_string()
    }

    #[test]
    fn the_first_rows_of_each_partition_are_a_limit() {
        let top = |count: &str| {
            format!(
                "Top-n per partition: {count} by b DESC, partition by a; row_number()\n  \
                 Scan t: 2 columns [a, b]\n"
            )
        };
        assert_eq!(rewritten(vec![below(Comparison::LessOrEqual, 2)]), top("2 rows"));
        assert_eq!(rewritten(vec![below(Comparison::Less, 2)]), top("1 row"));
        assert_eq!(rewritten(vec![below(Comparison::Equal, 1)]), top("1 row"));
        let bounds = vec![below(Comparison::LessOrEqual, 7), below(Comparison::Less, 4)];
        assert_eq!(rewritten(bounds), top("3 rows"));
        let swapped = Expr::Compare {
            op: Comparison::Greater,
            left: Box::new(Expr::literal(Value::Int(3), DataType::Int64)),
            right: Box::new(number()),
        };
        assert_eq!(rewritten(vec![swapped]), top("2 rows"));
    }

    #[test]
    fn what_a_limit_does_not_say_stays() {
        let plan = rewritten(vec![below(Comparison::Equal, 2), compare_to(1, Comparison::Less, 9)]);
        assert_eq!(
            plan,
            "Filter: row_number() = 2 AND b < 9\n  Top-n per partition: 2 rows by b DESC, \
             partition by a; row_number()\n    Scan t: 2 columns [a, b]\n"
        );
        assert_eq!(rewritten(vec![below(Comparison::Less, 1)]), nothing_of("row_number()"));
    }

    fn nothing_of(name: &str) -> String {
        format!("Values: 0 rows of [a, b, {name}]\n")
    }

    #[test]
    fn only_an_upper_bound_of_a_row_number_is_a_limit() {
        let row_number = numbered(&[WindowFunction::RowNumber]);
        let rank = numbered(&[WindowFunction::Rank]);
        let either = Expr::Or(vec![below(Comparison::Less, 3), compare_to(1, Comparison::Less, 9)]);
        for (plan, predicate) in [
            (rank, below(Comparison::LessOrEqual, 2)),
            (row_number.clone(), below(Comparison::Greater, 2)),
            (row_number.clone(), below(Comparison::LessOrEqual, 1 << 40)),
            (row_number.clone(), either),
            (row_number, compare_to(0, Comparison::Less, 2)),
        ] {
            let plan = filter(plan, predicate);
            assert_eq!(limit_windows(plan.clone()), plan);
        }
    }
}
