//! Projections that need not stand alone: joined with one above, taken into an aggregate, or left
//! out when they change nothing.

use super::{rewrite_up, substitute};
use crate::plan::{Aggregate, Expr, LogicalPlan};

/// Merges projections with what is above them.
pub(super) fn merge_projects(plan: LogicalPlan) -> LogicalPlan {
    rewrite_up(plan, &mut |plan| match plan {
        LogicalPlan::Project { input, exprs, names } => merged(*input, exprs, names),
        LogicalPlan::Aggregate { .. } => absorbed(plan),
        other => other,
    })
}

fn merged(input: LogicalPlan, exprs: Vec<Expr>, names: Vec<String>) -> LogicalPlan {
    match input {
        LogicalPlan::Project { input: inner, exprs: inner_exprs, .. }
            if computes_once(exprs.iter(), &inner_exprs) =>
        {
            let exprs = exprs.iter().map(|expr| substitute(expr, &inner_exprs)).collect();
            merged(*inner, exprs, names)
        }
        input if changes_nothing(&input, &exprs, &names) => input,
        input => LogicalPlan::Project { input: Box::new(input), exprs, names },
    }
}

/// Whether each inner expression that costs something would still be computed at most once.
fn computes_once<'a>(outer: impl Iterator<Item = &'a Expr>, inner: &[Expr]) -> bool {
    let mut use_counts = vec![0_u32; inner.len()];
    for expr in outer {
        expr.for_each_column(&mut |index| use_counts[index] += 1);
    }
    let is_free = |expr: &Expr| matches!(expr, Expr::Column { .. } | Expr::Literal { .. });
    inner.iter().zip(use_counts).all(|(expr, count)| count <= 1 || is_free(expr))
}

/// Whether the projection gives its input's columns, all of them, in order, under their names.
fn changes_nothing(input: &LogicalPlan, exprs: &[Expr], names: &[String]) -> bool {
    let in_order = exprs
        .iter()
        .enumerate()
        .all(|(position, expr)| matches!(expr, Expr::Column { index, .. } if *index == position));
    if !in_order {
        return false;
    }
    let output = input.output();
    output.len() == exprs.len()
        && output.iter().zip(names).all(|(column, name)| column.name == *name)
}

/// An aggregate computes what it needs from its input's input.
fn absorbed(plan: LogicalPlan) -> LogicalPlan {
    let LogicalPlan::Aggregate { input, keys, mut aggregates, names } = plan else {
        return plan;
    };
    let (inner, exprs) = match *input {
        LogicalPlan::Project { input, exprs, names: inner_names } => {
            let outer = keys.iter().chain(aggregates.iter().flat_map(Aggregate::exprs));
            if !computes_once(outer, &exprs) {
                let input = Box::new(LogicalPlan::Project { input, exprs, names: inner_names });
                return LogicalPlan::Aggregate { input, keys, aggregates, names };
            }
            (input, exprs)
        }
        other => {
            return LogicalPlan::Aggregate { input: Box::new(other), keys, aggregates, names };
        }
    };
    for aggregate in &mut aggregates {
        for expr in aggregate.exprs_mut() {
            *expr = substitute(expr, &exprs);
        }
    }
    let keys = keys.iter().map(|key| substitute(key, &exprs)).collect();
    LogicalPlan::Aggregate { input: inner, keys, aggregates, names }
}

#[cfg(test)]
mod tests {
    use super::super::testing::*;
    use super::*;

    #[test]
    fn two_projections_become_one() {
        let inner = project(scan(2), vec![plus(column(1), 1), column(0)]);
        let plan = merge_projects(project(inner, vec![column(1), plus(column(0), 2)]));
        assert_eq!(plan.to_string(), "Project: a, b + 1 + 2\n  Scan t: 2 columns [a, b]\n");
    }

    #[test]
    fn what_is_used_twice_is_computed_once() {
        let inner = project(scan(1), vec![plus(column(0), 1)]);
        let plan = project(inner, vec![column(0), plus(column(0), 2)]);
        assert_eq!(merge_projects(plan.clone()), plan);
    }

    #[test]
    fn a_projection_that_changes_nothing_goes() {
        assert_eq!(merge_projects(project(scan(2), vec![column(0), column(1)])), scan(2));
        let narrower = project(scan(2), vec![column(0)]);
        assert_eq!(merge_projects(narrower.clone()), narrower);
    }

    #[test]
    fn an_aggregate_takes_the_projection_in() {
        let inner = project(scan(2), vec![plus(column(1), 1)]);
        let plan = merge_projects(aggregate(inner, vec![column(0)], vec![count_rows()]));
        assert_eq!(
            plan.to_string(),
            "Aggregate: key b + 1; count(*)\n  Scan t: 2 columns [a, b]\n"
        );
    }

    fn plus(expr: Expr, value: i128) -> Expr {
        call(Function::Add, vec![expr, int(value)])
    }
}
