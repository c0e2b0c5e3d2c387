//! Filters go towards the data: through projections and sorts, below groups when they are about keys
//! only, into scans.

use super::{filtered, rewrite_up, split_conjuncts, substitute};
use crate::plan::{Expr, LogicalPlan, can_fail};

/// Moves every conjunct of every filter as far down as it can go.
pub(super) fn push_filters(plan: LogicalPlan) -> LogicalPlan {
    rewrite_up(plan, &mut |plan| match plan {
        LogicalPlan::Filter { input, predicate } => {
            let mut conjuncts = Vec::new();
            split_conjuncts(predicate, &mut conjuncts);
            push(*input, conjuncts)
        }
        other => other,
    })
}

fn push(input: LogicalPlan, conjuncts: Vec<Expr>) -> LogicalPlan {
    if conjuncts.is_empty() {
        return input;
    }
    match input {
        LogicalPlan::Scan(mut scan) => {
            scan.filter.extend(conjuncts);
            // Stable: what can fail is only tried on rows that everything else let through.
            scan.filter.sort_by_key(can_fail);
            LogicalPlan::Scan(scan)
        }
        LogicalPlan::Filter { input, predicate } => {
            let mut all = Vec::new();
            split_conjuncts(predicate, &mut all);
            all.extend(conjuncts);
            push(*input, all)
        }
        LogicalPlan::Project { input, exprs, names } => {
            let pushed = conjuncts.iter().map(|conjunct| substitute(conjunct, &exprs)).collect();
            LogicalPlan::Project { input: Box::new(push(*input, pushed)), exprs, names }
        }
        LogicalPlan::Sort { input, keys } => {
            LogicalPlan::Sort { input: Box::new(push(*input, conjuncts)), keys }
        }
        LogicalPlan::Aggregate { input, keys, aggregates, names } => {
            let (mut below, mut above) = (Vec::new(), Vec::new());
            for conjunct in conjuncts {
                // What can fail stays behind the conjuncts before it, which may guard it.
                let is_guarded = !above.is_empty() && can_fail(&conjunct);
                if is_about_keys(&conjunct, &keys) && !is_guarded {
                    below.push(substitute(&conjunct, &keys));
                } else {
                    above.push(conjunct);
                }
            }
            let input = Box::new(push(*input, below));
            filtered(LogicalPlan::Aggregate { input, keys, aggregates, names }, above)
        }
        LogicalPlan::Window { input, window } => {
            let (mut below, mut above) = (Vec::new(), Vec::new());
            for conjunct in conjuncts {
                let is_guarded = !above.is_empty() && can_fail(&conjunct);
                if is_about_partitions(&conjunct, &window.partition) && !is_guarded {
                    below.push(conjunct);
                } else {
                    above.push(conjunct);
                }
            }
            let input = Box::new(push(*input, below));
            filtered(LogicalPlan::Window { input, window }, above)
        }
        other => filtered(other, conjuncts),
    }
}

/// Whether a whole partition passes or none of it: the conjunct names columns that are partitioned
/// by, and only those. As with groups, floats are not the same where they are equal.
fn is_about_partitions(conjunct: &Expr, partition: &[Expr]) -> bool {
    let is_partitioned_by = |column: usize| {
        let is_it = |expr: &&Expr| matches!(expr, Expr::Column { index, .. } if *index == column);
        partition.iter().find(is_it).is_some_and(super::equal_is_same)
    };
    let mut names_a_column = false;
    let mut only_those = true;
    conjunct.for_each_column(&mut |index| {
        names_a_column = true;
        only_those &= is_partitioned_by(index);
    });
    names_a_column && only_those
}

/// Whether a group passes exactly if each of its rows would: the conjunct names keys, and only keys.
/// A float key stands for values that SQL calls equal and functions can tell apart; only a bare
/// comparison treats them alike.
fn is_about_keys(conjunct: &Expr, keys: &[Expr]) -> bool {
    let mut names_a_key = false;
    let mut only_keys = true;
    conjunct.for_each_column(&mut |index| {
        names_a_key = true;
        only_keys &= keys.get(index).is_some_and(super::equal_is_same);
    });
    names_a_key && only_keys
}

#[cfg(test)]
mod tests {
    use super::super::testing::*;
    use super::*;
    use crate::plan::{Window, WindowFunction};

    #[test]
    fn filters_end_in_the_scan() {
        let predicate = Expr::And(vec![
            compare_to(0, Comparison::Less, 5),
            compare_to(1, Comparison::Equal, 3),
        ]);
        let projected = project(scan(3), vec![column(2), column(1)]);
        let plan = push_filters(filter(projected, predicate));
        assert_eq!(
            plan.to_string(),
            "Project: c, b\n  Scan t: 3 columns [a, b, c], filter c < 5 AND b = 3\n"
        );
    }

    #[test]
    fn having_about_keys_goes_below_the_groups() {
        let grouped = aggregate(scan(2), vec![column(1)], vec![count_rows()]);
        let predicate = Expr::And(vec![
            compare_to(0, Comparison::Less, 5),
            compare_big(1, Comparison::Greater, 10),
        ]);
        assert_eq!(
            push_filters(filter(grouped, predicate)).to_string(),
            "Filter: count(*) > 10\n  Aggregate: key b; count(*)\n    \
             Scan t: 2 columns [a, b], filter b < 5\n"
        );
    }

    #[test]
    fn what_is_about_partitions_goes_below_the_window() {
        let order = vec![SortKey { expr: column(1), descending: false, nulls_first: false }];
        let names = vec!["n".to_owned()];
        let functions = vec![WindowFunction::Rank];
        let window = Window { partition: vec![column(0)], order, functions, names, limit: None };
        let plan = LogicalPlan::Window { input: Box::new(scan(2)), window };
        let predicate = Expr::And(vec![
            compare_to(0, Comparison::Less, 5),
            compare_to(1, Comparison::Less, 6),
            compare_big(2, Comparison::Less, 7),
        ]);
        assert_eq!(
            push_filters(filter(plan, predicate)).to_string(),
            "Filter: b < 6 AND n < 7\n  Window: by b, partition by a; rank() AS n\n    \
             Scan t: 2 columns [a, b], filter a < 5\n"
        );
    }

    #[test]
    fn nothing_passes_a_limit_or_a_group_without_keys() {
        let limited = filter(limit(scan(1), 0, Some(3)), compare_to(0, Comparison::Less, 5));
        assert_eq!(push_filters(limited.clone()), limited);
        let total = aggregate(scan(1), vec![], vec![count_rows()]);
        let filtered = filter(total, compare_big(0, Comparison::Less, 5));
        assert_eq!(push_filters(filtered.clone()), filtered);
    }

    #[test]
    fn what_can_fail_is_tried_last() {
        let quotient = call(Function::Divide, vec![int(1), column(0)]);
        let risky = compare(Comparison::Greater, quotient, int(0)).unwrap();
        let safe = compare_to(0, Comparison::NotEqual, 0);
        let plan = push_filters(filter(scan(1), Expr::And(vec![risky, safe])));
        assert_eq!(plan.to_string(), "Scan t: 1 column [a], filter a <> 0 AND 1 / a > 0\n");
    }
}
