//! The rules between what a query asks for and how it is answered. Each keeps the answer.
//!
//! A rule is a function from plan to plan, named after what it does, in a file with its tests. They
//! run in one order, again until nothing changes. An expression that fails stays where a row that
//! does not reach it cannot make it fail: folding leaves it, and conjuncts that can fail are tried
//! after those that cannot.

mod fold;
mod groups;
mod limits;
mod projects;
mod prune;
mod pushdown;
mod simplify;
mod sorts;
mod sums;
mod windows;

use super::expression::Expr;
use super::fallible::can_fail;
use super::logical::LogicalPlan;
use crate::types::{Result, Value};

/// Rounds after which rewriting stops whatever changes; two or three are usual.
const ROUNDS_MAX: usize = 10;

/// Rewrites the plan by every rule; `fold` gives the value of an expression without columns.
///
/// The result has the same output columns, and is a fixed point: optimising it again changes nothing.
pub fn optimize(plan: LogicalPlan, fold: &dyn Fn(&Expr) -> Result<Value>) -> LogicalPlan {
    let mut plan = plan;
    for _ in 0..ROUNDS_MAX {
        let before = plan.clone();
        plan = fold::fold_constants(plan, fold);
        plan = simplify::simplify_predicates(plan);
        plan = pushdown::push_filters(plan);
        plan = windows::limit_windows(plan);
        plan = projects::merge_projects(plan);
        plan = groups::reduce_groups(plan);
        plan = sums::split_sums(plan);
        plan = limits::push_limits(plan);
        plan = sorts::reduce_sorts(plan);
        plan = prune::prune_columns(plan);
        if plan == before {
            break;
        }
    }
    plan
}

/// Rewrites every operator, inputs first.
fn rewrite_up(
    plan: LogicalPlan,
    rewrite: &mut impl FnMut(LogicalPlan) -> LogicalPlan,
) -> LogicalPlan {
    let mut plan = plan;
    if let Some(input) = plan.input_mut() {
        let inner = std::mem::replace(input, LogicalPlan::Values { columns: vec![], rows: vec![] });
        *input = rewrite_up(inner, rewrite);
    }
    rewrite(plan)
}

/// Calls `change` on every expression of the operator itself.
fn for_each_expr(plan: &mut LogicalPlan, change: &mut impl FnMut(&mut Expr)) {
    match plan {
        LogicalPlan::Scan(scan) => scan.filter.iter_mut().for_each(change),
        LogicalPlan::Values { rows, .. } => rows.iter_mut().flatten().for_each(change),
        LogicalPlan::Filter { predicate, .. } => change(predicate),
        LogicalPlan::Project { exprs, .. } => exprs.iter_mut().for_each(change),
        LogicalPlan::Aggregate { keys, aggregates, .. } => {
            keys.iter_mut().for_each(&mut *change);
            for aggregate in aggregates {
                aggregate.exprs_mut().for_each(&mut *change);
            }
        }
        LogicalPlan::Window { window, .. } => window.exprs_mut().for_each(change),
        LogicalPlan::Sort { keys, .. } => keys.iter_mut().for_each(|key| change(&mut key.expr)),
        LogicalPlan::Limit { .. } => {}
    }
}

/// The expression with every column replaced by the expression of that index.
fn substitute(expr: &Expr, exprs: &[Expr]) -> Expr {
    if let Expr::Column { index, .. } = expr {
        return exprs[*index].clone();
    }
    let mut result = expr.clone();
    for (child, original) in result.children_mut().into_iter().zip(expr.children()) {
        *child = substitute(original, exprs);
    }
    result
}

/// The terms of the top-level AND.
fn split_conjuncts(predicate: Expr, conjuncts: &mut Vec<Expr>) {
    match predicate {
        Expr::And(terms) => terms.into_iter().for_each(|term| split_conjuncts(term, conjuncts)),
        other => conjuncts.push(other),
    }
}

/// The conjuncts as one predicate; `None` when there are none.
fn join_conjuncts(mut conjuncts: Vec<Expr>) -> Option<Expr> {
    match conjuncts.len() {
        0 => None,
        1 => conjuncts.pop(),
        _ => Some(Expr::And(conjuncts)),
    }
}

/// The plan with its filters above it, unless there is nothing to filter by. A conjunct that can fail
/// has a filter of its own above the others: an AND would try it where another is NULL.
fn filtered(input: LogicalPlan, conjuncts: Vec<Expr>) -> LogicalPlan {
    let (risky, safe): (Vec<Expr>, Vec<Expr>) = conjuncts.into_iter().partition(can_fail);
    join_conjuncts(safe)
        .into_iter()
        .chain(risky)
        .fold(input, |input, predicate| LogicalPlan::Filter { input: Box::new(input), predicate })
}

/// No rows, with the columns of `plan`.
fn nothing(plan: &LogicalPlan) -> LogicalPlan {
    LogicalPlan::Values { columns: plan.output(), rows: Vec::new() }
}

/// Whether two columns' values that SQL calls equal are the same value: not so for floats, whose
/// zeros differ in sign.
fn equal_is_same(expr: &Expr) -> bool {
    !expr.data_type().is_float()
}

#[cfg(test)]
pub(super) mod testing;
#[cfg(test)]
mod tests;
