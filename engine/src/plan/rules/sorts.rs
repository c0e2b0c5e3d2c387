//! Fewer sort keys: a key after which all rows tie orders nothing.

use super::{equal_is_same, rewrite_up};
use crate::plan::logical::SortKey;
use crate::plan::{Expr, LogicalPlan};

/// Drops constant and repeated sort keys, and keys computed from earlier ones.
pub(super) fn reduce_sorts(plan: LogicalPlan) -> LogicalPlan {
    rewrite_up(plan, &mut |plan| match plan {
        LogicalPlan::Sort { input, keys } => {
            let mut kept: Vec<SortKey> = Vec::with_capacity(keys.len());
            for key in keys {
                if !follows(&key.expr, &kept) {
                    kept.push(key);
                }
            }
            if kept.is_empty() { *input } else { LogicalPlan::Sort { input, keys: kept } }
        }
        other => other,
    })
}

/// Whether rows with equal `kept` keys have equal values of `expr`.
fn follows(expr: &Expr, kept: &[SortKey]) -> bool {
    kept.iter().any(|key| key.expr == *expr) || is_computed_from(expr, kept)
}

fn is_computed_from(expr: &Expr, kept: &[SortKey]) -> bool {
    if kept.iter().any(|key| key.expr == *expr && equal_is_same(expr)) {
        return true;
    }
    match expr {
        Expr::Column { .. } | Expr::Parameter { .. } => false,
        other => other.children().into_iter().all(|child| is_computed_from(child, kept)),
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::*;
    use super::*;

    #[test]
    fn a_key_after_which_all_rows_tie_goes() {
        let by = |exprs: Vec<Expr>| LogicalPlan::Sort {
            input: Box::new(scan(2)),
            keys: exprs
                .into_iter()
                .map(|expr| SortKey { expr, descending: false, nulls_first: false })
                .collect(),
        };
        let minus = call(Function::Subtract, vec![column(0), int(1)]);
        let plan = reduce_sorts(by(vec![int(1), column(0), minus.clone(), column(1), column(0)]));
        assert_eq!(plan, by(vec![column(0), column(1)]));
        assert_eq!(reduce_sorts(by(vec![int(1)])), scan(2));
        let not_computed = by(vec![minus, column(0)]);
        assert_eq!(reduce_sorts(not_computed.clone()), not_computed);
    }
}
