//! Fewer keys and aggregates: constant keys, keys that follow from others, and aggregates that occur
//! twice are taken out and put back by a projection above.

use super::{equal_is_same, rewrite_up};
use crate::plan::aggregate::{Aggregate, AggregateFunction};
use crate::plan::{Expr, Function, LogicalPlan};
use crate::types::{Value, canonical_float};

/// Reduces the keys and aggregates of every grouping.
pub(super) fn reduce_groups(plan: LogicalPlan) -> LogicalPlan {
    rewrite_up(plan, &mut |plan| match plan {
        LogicalPlan::Aggregate { input, keys, aggregates, names } => {
            let groups = Groups { keys, aggregates, names };
            reduce(*input, groups)
        }
        other => other,
    })
}

struct Groups {
    keys: Vec<Expr>,
    aggregates: Vec<Aggregate>,
    names: Vec<String>,
}

fn reduce(input: LogicalPlan, groups: Groups) -> LogicalPlan {
    let kept = kept_keys(&groups.keys);
    let kept_keys: Vec<Expr> = kept.iter().map(|index| groups.keys[*index].clone()).collect();
    let mut aggregates: Vec<Aggregate> = Vec::with_capacity(groups.aggregates.len());
    let mut names: Vec<String> = kept.iter().map(|index| groups.names[*index].clone()).collect();
    let mut outputs: Vec<Expr> = groups
        .keys
        .iter()
        .map(|key| {
            let key = from_keys(key, &kept_keys);
            with_one_zero(key.expect("a key that was left out follows from the kept ones"))
        })
        .collect();
    let original: Vec<Aggregate> = groups.aggregates.iter().cloned().map(plainer).collect();
    for (index, aggregate) in original.iter().enumerate() {
        let position = aggregates.iter().position(|earlier| earlier == aggregate);
        let position = position.unwrap_or_else(|| {
            aggregates.push(aggregate.clone());
            names.push(groups.names[groups.keys.len() + index].clone());
            aggregates.len() - 1
        });
        let data_type = aggregate.data_type().expect("the binder checked the aggregate's type");
        outputs.push(Expr::column(kept_keys.len() + position, data_type));
    }
    let is_same = kept_keys.len() == groups.keys.len()
        && kept.iter().enumerate().all(|(position, index)| position == *index)
        && aggregates.len() == groups.aggregates.len();
    let input = Box::new(input);
    let plan = LogicalPlan::Aggregate { input, keys: kept_keys, aggregates, names };
    if is_same {
        return plan;
    }
    LogicalPlan::Project { input: Box::new(plan), exprs: outputs, names: groups.names }
}

/// The positions of the keys that make the groups; at least one, since a grouping without keys gives
/// a row even over nothing.
fn kept_keys(keys: &[Expr]) -> Vec<usize> {
    let is_column = |key: &Expr| matches!(key, Expr::Column { .. });
    let columns = (0..keys.len()).filter(|index| is_column(&keys[*index]));
    let others = (0..keys.len()).filter(|index| !is_column(&keys[*index]));
    let mut kept: Vec<usize> = Vec::with_capacity(keys.len());
    for index in columns.chain(others) {
        let exprs: Vec<Expr> = kept.iter().map(|index| keys[*index].clone()).collect();
        if from_keys(&keys[index], &exprs).is_none() {
            kept.push(index);
        }
    }
    if kept.is_empty() && !keys.is_empty() {
        kept.push(0);
    }
    kept.sort_unstable();
    kept
}

/// The key computed from the kept ones: over the aggregate's output. `None` when it does not follow.
fn from_keys(key: &Expr, kept: &[Expr]) -> Option<Expr> {
    if let Some(position) = kept.iter().position(|kept| kept == key) {
        return Some(Expr::column(position, key.data_type()));
    }
    derived(key, kept)
}

/// A key computed above its grouping, which would have made one of both zeros: adding 0 does too.
fn with_one_zero(key: Expr) -> Expr {
    let data_type = key.data_type();
    match key {
        Expr::Literal { value: Value::Float(value), data_type } => {
            Expr::literal(Value::Float(canonical_float(value)), data_type)
        }
        Expr::Column { .. } | Expr::Literal { .. } => key,
        _ if data_type.is_float() => {
            let arguments = vec![key, Expr::literal(Value::Float(0.0), data_type)];
            Expr::Call { function: Function::Add, arguments, data_type }
        }
        _ => key,
    }
}

fn derived(expr: &Expr, kept: &[Expr]) -> Option<Expr> {
    // Equal floats may still differ in the sign of zero, which a function can see.
    if let Some(position) = kept.iter().position(|kept| kept == expr && equal_is_same(kept)) {
        return Some(Expr::column(position, expr.data_type()));
    }
    if matches!(expr, Expr::Column { .. } | Expr::Parameter { .. }) {
        return None;
    }
    let mut result = expr.clone();
    for (child, original) in result.children_mut().into_iter().zip(expr.children()) {
        *child = derived(original, kept)?;
    }
    Some(result)
}

/// The aggregate without what does not change its result: `count(1)` counts rows, and the smallest
/// of the distinct values is the smallest value.
fn plainer(mut aggregate: Aggregate) -> Aggregate {
    use AggregateFunction::{Count, CountRows, Max, Min};
    match (&aggregate.function, &aggregate.argument) {
        (Count, Some(Expr::Literal { value, .. })) if !value.is_null() && !aggregate.distinct => {
            aggregate.function = CountRows;
            aggregate.argument = None;
        }
        (Min | Max, _) => aggregate.distinct = false,
        _ => {}
    }
    aggregate
}

#[cfg(test)]
mod tests {
    use super::super::testing::*;
    use super::*;

    fn minus(expr: Expr, value: i128) -> Expr {
        call(Function::Subtract, vec![expr, int(value)])
    }

    #[test]
    fn keys_that_follow_from_others_are_computed_above() {
        let keys = vec![column(0), minus(column(0), 1), column(1), minus(column(0), 2), column(0)];
        let plan = reduce_groups(aggregate(scan(2), keys, vec![count_rows()]));
        assert_eq!(
            plan.to_string(),
            "Project: a, a - 1, b, a - 2, a, count(*)\n  \
             Aggregate: keys a, b; count(*)\n    Scan t: 2 columns [a, b]\n"
        );
        assert_eq!(reduce_groups(plan.clone()), plan);
    }

    #[test]
    fn an_expression_follows_from_an_expression() {
        let keys = vec![minus(minus(column(0), 1), 2), minus(column(0), 1)];
        let plan = reduce_groups(aggregate(scan(1), keys.clone(), vec![]));
        // The first key is kept as it comes first; the second does not follow from it.
        assert_eq!(plan, aggregate(scan(1), keys.clone(), vec![]));
        let plan = reduce_groups(aggregate(scan(1), keys.into_iter().rev().collect(), vec![]));
        assert_eq!(
            plan.to_string(),
            "Project: a - 1, a - 1 - 2\n  Aggregate: key a - 1\n    Scan t: 1 column [a]\n"
        );
    }

    #[test]
    fn a_constant_key_goes_unless_it_is_the_only_one() {
        let plan = reduce_groups(aggregate(scan(1), vec![int(1), column(0)], vec![count_rows()]));
        assert_eq!(
            plan.to_string(),
            "Project: 1, a, count(*)\n  Aggregate: key a; count(*)\n    Scan t: 1 column [a]\n"
        );
        let only = aggregate(scan(1), vec![int(1)], vec![count_rows()]);
        assert_eq!(reduce_groups(only.clone()), only);
    }

    #[test]
    fn nothing_but_itself_follows_from_a_float() {
        let float = Expr::column(0, DataType::Float64);
        let negated = call(Function::Negate, vec![float.clone()]);
        let plan = aggregate(scan(1), vec![float, negated], vec![]);
        assert_eq!(reduce_groups(plan.clone()), plan);
    }

    #[test]
    fn an_aggregate_is_computed_once() {
        let aggregates = vec![sum(column(0)), count_rows(), sum(column(0)), count(int(1))];
        let plan = reduce_groups(aggregate(scan(1), vec![], aggregates));
        assert_eq!(
            plan.to_string(),
            "Project: sum(a), count(*), sum(a), count(*)\n  \
             Aggregate: sum(a), count(*)\n    Scan t: 1 column [a]\n"
        );
    }
}
