//! Predicates in one form: AND and OR flat, NOT pushed in, the constant on a comparison's right.

use super::{filtered, for_each_expr, nothing, rewrite_up, split_conjuncts};
use crate::plan::{Comparison, Expr, LogicalPlan, can_fail};
use crate::types::{DataType, Value};

/// Brings every predicate to its simple form; a filter that is never true leaves no rows, one that
/// is always true goes.
pub(super) fn simplify_predicates(plan: LogicalPlan) -> LogicalPlan {
    rewrite_up(plan, &mut |mut plan| {
        for_each_expr(&mut plan, &mut simplify);
        match plan {
            LogicalPlan::Filter { input, predicate } => simplify_filter(*input, predicate),
            LogicalPlan::Scan(mut scan) => {
                scan.filter = conjuncts_of(std::mem::take(&mut scan.filter));
                let never = scan.filter.iter().any(is_never_true);
                let scan = LogicalPlan::Scan(scan);
                if never { nothing(&scan) } else { scan }
            }
            other => other,
        }
    })
}

fn simplify_filter(input: LogicalPlan, predicate: Expr) -> LogicalPlan {
    let conjuncts = conjuncts_of(vec![predicate]);
    if conjuncts.iter().any(is_never_true) {
        return nothing(&input);
    }
    filtered(input, conjuncts)
}

/// The conjuncts without repetitions and without those that are always true.
fn conjuncts_of(predicates: Vec<Expr>) -> Vec<Expr> {
    let mut split = Vec::new();
    for predicate in predicates {
        split_conjuncts(predicate, &mut split);
    }
    let mut conjuncts: Vec<Expr> = Vec::with_capacity(split.len());
    for conjunct in split {
        if !is_literal(&conjunct, true) && !conjuncts.contains(&conjunct) {
            conjuncts.push(conjunct);
        }
    }
    conjuncts
}

/// In a filter, NULL keeps a row out as false does.
fn is_never_true(expr: &Expr) -> bool {
    is_literal(expr, false) || matches!(expr, Expr::Literal { value: Value::Null, .. })
}

fn is_literal(expr: &Expr, value: bool) -> bool {
    matches!(expr, Expr::Literal { value: Value::Bool(found), .. } if *found == value)
}

fn simplify(expr: &mut Expr) {
    for child in expr.children_mut() {
        simplify(child);
    }
    let taken = std::mem::replace(expr, Expr::Or(Vec::new()));
    *expr = match taken {
        Expr::And(terms) => junction(terms, false),
        Expr::Or(terms) => junction(terms, true),
        Expr::Not(input) => negated(*input),
        Expr::Compare { op, left, right } => comparison(op, *left, *right),
        Expr::InList { input, list } => in_list(*input, list),
        other => other,
    };
}

/// AND or OR (which `decided_by` decides): flat, without neutral terms and repetitions.
fn junction(terms: Vec<Expr>, decided_by: bool) -> Expr {
    let nested = terms.into_iter().flat_map(|term| match term {
        Expr::And(nested) if !decided_by => nested,
        Expr::Or(nested) if decided_by => nested,
        other => vec![other],
    });
    let mut terms: Vec<Expr> = nested.filter(|term| !is_literal(term, !decided_by)).collect();
    if decided_by {
        // First, so that ten thousand equalities are one term when terms are compared in pairs.
        terms = merge_equalities(terms);
    }
    let mut flat: Vec<Expr> = Vec::with_capacity(terms.len());
    for term in terms {
        if !flat.contains(&term) {
            flat.push(term);
        }
    }
    // What precedes the deciding term may fail; only without that may it be left out.
    let decider = flat.iter().position(|term| is_literal(term, decided_by));
    if decider.is_some_and(|at| !flat[..at].iter().any(can_fail)) {
        return Expr::literal(Value::Bool(decided_by), DataType::Bool);
    }
    match flat.len() {
        0 => Expr::literal(Value::Bool(!decided_by), DataType::Bool),
        1 => flat.remove(0),
        _ if decided_by => Expr::Or(flat),
        _ => Expr::And(flat),
    }
}

/// `a = 1 OR a = 2` as `a IN (1, 2)`.
fn merge_equalities(terms: Vec<Expr>) -> Vec<Expr> {
    let mut merged: Vec<Expr> = Vec::with_capacity(terms.len());
    for term in terms {
        let (input, values) = match term {
            Expr::Compare { op: Comparison::Equal, left, right } => match *right {
                Expr::Literal { value, .. } if !value.is_null() => (left, vec![value]),
                other => {
                    let right = Box::new(other);
                    merged.push(Expr::Compare { op: Comparison::Equal, left, right });
                    continue;
                }
            },
            Expr::InList { input, list } => (input, list),
            other => {
                merged.push(other);
                continue;
            }
        };
        let earlier = merged.iter_mut().find_map(|term| match term {
            Expr::InList { input: earlier, list } if *earlier == input => Some(list),
            _ => None,
        });
        match earlier {
            Some(list) => list.extend(values),
            None => merged.push(Expr::InList { input, list: values }),
        }
    }
    merged.into_iter().map(single_value_as_equality).collect()
}

fn single_value_as_equality(expr: Expr) -> Expr {
    match expr {
        Expr::InList { input, list } => in_list(*input, list),
        other => other,
    }
}

/// A list of one value is an equality; repetitions count once.
fn in_list(input: Expr, list: Vec<Value>) -> Expr {
    let mut seen = hashbrown::HashSet::with_capacity(list.len());
    let mut distinct: Vec<Value> =
        list.into_iter().filter(|value| seen.insert(value.clone())).collect();
    if distinct.len() == 1 && !distinct[0].is_null() {
        let data_type = input.data_type();
        let value = Expr::literal(distinct.remove(0), data_type);
        return comparison(Comparison::Equal, input, value);
    }
    Expr::InList { input: Box::new(input), list: distinct }
}

fn negated(input: Expr) -> Expr {
    match input {
        Expr::Not(input) => *input,
        Expr::Compare { op, left, right } => Expr::Compare { op: op.negated(), left, right },
        // De Morgan holds in three-valued logic too.
        Expr::And(terms) => junction(terms.into_iter().map(negated).collect(), true),
        Expr::Or(terms) => junction(terms.into_iter().map(negated).collect(), false),
        other => Expr::Not(Box::new(other)),
    }
}

fn comparison(op: Comparison, left: Expr, right: Expr) -> Expr {
    let is_constant = |expr: &Expr| matches!(expr, Expr::Literal { .. });
    let is_null = |expr: &Expr| matches!(expr, Expr::Literal { value: Value::Null, .. });
    let (op, left, right) = if is_constant(&left) && !is_constant(&right) {
        (op.swapped(), right, left)
    } else {
        (op, left, right)
    };
    if is_null(&right) {
        let is_null_test = || Expr::IsNull(Box::new(left.clone()));
        match op {
            Comparison::NotDistinct => return is_null_test(),
            Comparison::Distinct => return Expr::Not(Box::new(is_null_test())),
            _ if !can_fail(&left) => return Expr::literal(Value::Null, DataType::Bool),
            _ => {}
        }
    }
    Expr::Compare { op, left: Box::new(left), right: Box::new(right) }
}

#[cfg(test)]
mod tests {
    use super::super::testing::*;
    use super::*;

    fn simplified(expr: Expr) -> Expr {
        let mut expr = expr;
        simplify(&mut expr);
        expr
    }

    #[test]
    fn the_constant_goes_to_the_right() {
        let literal_first = Expr::Compare {
            op: Comparison::Less,
            left: Box::new(int(5)),
            right: Box::new(column(0)),
        };
        assert_eq!(simplified(literal_first), compare_to(0, Comparison::Greater, 5));
    }

    #[test]
    fn negation_moves_into_comparisons() {
        let not = |expr| Expr::Not(Box::new(expr));
        let (a, b) =
            (compare_to(0, Comparison::Equal, 1), compare_to(1, Comparison::GreaterOrEqual, 2));
        let expected = Expr::Or(vec![
            compare_to(0, Comparison::NotEqual, 1),
            compare_to(1, Comparison::Less, 2),
        ]);
        assert_eq!(simplified(not(Expr::And(vec![a.clone(), b]))), expected);
        assert_eq!(simplified(not(not(a.clone()))), a);
    }

    #[test]
    fn junctions_are_flat_and_lose_what_does_not_matter() {
        let (a, b) = (compare_to(0, Comparison::Less, 1), compare_to(1, Comparison::Less, 2));
        let nested =
            Expr::And(vec![a.clone(), Expr::And(vec![b.clone(), boolean(true)]), a.clone()]);
        assert_eq!(simplified(nested), Expr::And(vec![a.clone(), b]));
        assert_eq!(simplified(Expr::And(vec![a.clone(), boolean(false)])), boolean(false));
        assert_eq!(simplified(Expr::Or(vec![a, boolean(true)])), boolean(true));
        assert_eq!(simplified(Expr::And(vec![])), boolean(true));
    }

    #[test]
    fn equalities_of_one_column_become_a_list() {
        let equal = |value| compare_to(0, Comparison::Equal, value);
        let expected =
            Expr::InList { input: Box::new(column(0)), list: vec![Value::Int(1), Value::Int(2)] };
        assert_eq!(simplified(Expr::Or(vec![equal(1), equal(2), equal(1)])), expected);
        let single = Expr::InList { input: Box::new(column(0)), list: vec![Value::Int(7)] };
        assert_eq!(simplified(single), equal(7));
    }

    #[test]
    fn a_filter_that_is_never_true_leaves_no_rows() {
        let plan = simplify_predicates(filter(scan(2), boolean(false)));
        assert_eq!(plan, nothing(&scan(2)));
        assert_eq!(simplify_predicates(filter(scan(2), boolean(true))), scan(2));
    }
}
