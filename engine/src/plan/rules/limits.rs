//! Limits go below projections, so that only the rows that are given are computed, and meet the sort
//! that they cut.

use super::{nothing, rewrite_up, substitute};
use crate::plan::LogicalPlan;
use crate::plan::logical::SortKey;

/// Moves every limit down.
pub(super) fn push_limits(plan: LogicalPlan) -> LogicalPlan {
    rewrite_up(plan, &mut |plan| match plan {
        LogicalPlan::Limit { input, offset, limit } => push(*input, offset, limit),
        other => other,
    })
}

fn push(input: LogicalPlan, offset: u64, limit: Option<u64>) -> LogicalPlan {
    if limit == Some(0) {
        return nothing(&input);
    }
    if offset == 0 && limit.is_none() {
        return input;
    }
    match input {
        LogicalPlan::Project { input, exprs, names } => {
            let input = Box::new(push(*input, offset, limit));
            LogicalPlan::Project { input, exprs, names }
        }
        LogicalPlan::Limit { input, offset: inner_offset, limit: inner_limit } => {
            let left = inner_limit.map(|inner_limit| inner_limit.saturating_sub(offset));
            let limit = match (limit, left) {
                (Some(limit), Some(left)) => Some(limit.min(left)),
                (limit, left) => limit.or(left),
            };
            push(*input, inner_offset.saturating_add(offset), limit)
        }
        LogicalPlan::Sort { input, keys } if limit.is_some() => sorted(*input, keys, offset, limit),
        other => LogicalPlan::Limit { input: Box::new(other), offset, limit },
    }
}

/// A limit over a sort over a projection: the rows are sorted by what the keys are computed from,
/// and only those that are given are projected.
fn sorted(input: LogicalPlan, keys: Vec<SortKey>, offset: u64, limit: Option<u64>) -> LogicalPlan {
    match input {
        LogicalPlan::Project { input, exprs, names } => {
            let keys = keys
                .into_iter()
                .map(|key| SortKey { expr: substitute(&key.expr, &exprs), ..key })
                .collect();
            let input = Box::new(sorted(*input, keys, offset, limit));
            LogicalPlan::Project { input, exprs, names }
        }
        other => {
            let sort = LogicalPlan::Sort { input: Box::new(other), keys };
            LogicalPlan::Limit { input: Box::new(sort), offset, limit }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::*;
    use super::*;

    #[test]
    fn only_the_given_rows_are_projected() {
        let projected =
            project(scan(2), vec![column(1), call(Function::Add, vec![column(0), int(1)])]);
        let plan = push_limits(limit(sort(projected, vec![1]), 2, Some(10)));
        assert_eq!(
            plan.to_string(),
            "Project: b, a + 1\n  Limit: 10 rows after 2\n    Sort: a + 1\n      \
             Scan t: 2 columns [a, b]\n"
        );
        assert_eq!(push_limits(plan.clone()), plan);
    }

    #[test]
    fn limits_of_limits_are_one() {
        let plan = push_limits(limit(limit(scan(1), 5, Some(10)), 3, Some(20)));
        assert_eq!(plan, limit(scan(1), 8, Some(7)));
        let plan = push_limits(limit(limit(scan(1), 5, Some(2)), 3, Some(20)));
        assert_eq!(plan, nothing(&scan(1)));
        assert_eq!(push_limits(limit(scan(1), 0, None)), scan(1));
    }
}
