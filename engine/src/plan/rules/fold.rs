//! Constant folding: an expression without columns becomes its value.

use super::{for_each_expr, rewrite_up};
use crate::plan::{Expr, LogicalPlan};
use crate::types::{Result, Value};

/// Folds every constant part of every expression. A part whose value is an error stays, so that the
/// error comes when the query runs, if a row reaches it.
pub(super) fn fold_constants(
    plan: LogicalPlan,
    fold: &dyn Fn(&Expr) -> Result<Value>,
) -> LogicalPlan {
    rewrite_up(plan, &mut |mut plan| {
        for_each_expr(&mut plan, &mut |expr| fold_expr(expr, fold));
        plan
    })
}

fn fold_expr(expr: &mut Expr, fold: &dyn Fn(&Expr) -> Result<Value>) {
    for child in expr.children_mut() {
        fold_expr(child, fold);
    }
    prune_case(expr);
    let is_constant = |expr: &Expr| matches!(expr, Expr::Literal { .. });
    let is_foldable = match &*expr {
        Expr::Literal { .. } | Expr::Column { .. } | Expr::Parameter { .. } => false,
        other => other.children().into_iter().all(is_constant),
    };
    if is_foldable && let Ok(value) = fold(expr) {
        *expr = Expr::literal(value, expr.data_type());
    }
}

/// Drops the branches of a CASE that no row takes, and what is behind one that every row takes.
fn prune_case(expr: &mut Expr) {
    let Expr::Case { branches, otherwise, .. } = expr else {
        return;
    };
    branches.retain(|(predicate, _)| {
        !matches!(predicate, Expr::Literal { value: Value::Null | Value::Bool(false), .. })
    });
    let is_true =
        |predicate: &Expr| matches!(predicate, Expr::Literal { value: Value::Bool(true), .. });
    if let Some(at) = branches.iter().position(|(predicate, _)| is_true(predicate)) {
        let (_, result) = branches.swap_remove(at);
        branches.truncate(at);
        *otherwise = Some(Box::new(result));
    }
    if branches.is_empty() {
        let data_type = expr.data_type();
        *expr = match expr {
            Expr::Case { otherwise: Some(otherwise), .. } => (**otherwise).clone(),
            _ => Expr::literal(Value::Null, data_type),
        };
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::*;
    use super::*;

    #[test]
    fn constants_become_their_values() {
        let folded = folded(call(Function::Add, vec![int(1), int(2)]));
        assert_eq!(folded, int(3));
    }

    #[test]
    fn an_error_stays_where_it_is() {
        let quotient = call(Function::Divide, vec![int(1), int(0)]);
        assert_eq!(folded(quotient.clone()), quotient);
    }

    #[test]
    fn a_case_loses_the_branches_that_no_row_takes() {
        let case = |branches| Expr::Case {
            branches,
            otherwise: Some(Box::new(int(9))),
            data_type: DataType::Int32,
        };
        assert_eq!(folded(case(vec![(boolean(false), int(1))])), int(9));
        assert_eq!(folded(case(vec![(boolean(true), int(1))])), int(1));
        let open = compare_to(0, Comparison::Less, 5);
        let pruned = case(vec![(open.clone(), int(1))]);
        assert_eq!(folded(case(vec![(boolean(false), int(2)), (open, int(1))])), pruned);
    }

    fn folded(expr: Expr) -> Expr {
        let mut expr = expr;
        fold_expr(&mut expr, &sample_fold);
        expr
    }
}
