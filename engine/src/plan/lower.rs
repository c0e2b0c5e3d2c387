//! From the optimised logical plan to the physical one: operator by operator, with the alternatives
//! that the executor may choose from.

use super::aggregate::{Aggregate, AggregateFunction};
use super::expression::Expr;
use super::fallible::can_fail;
use super::logical::{LogicalPlan, Scan, Source};
use super::physical::{PhysicalPlan, Rung};
use crate::types::DataType;

/// How the plan is answered: a sort that is cut is a top-n, an aggregate names the rungs that it may
/// take.
pub fn physical(plan: LogicalPlan) -> PhysicalPlan {
    match plan {
        LogicalPlan::Scan(scan) => PhysicalPlan::Scan(scan),
        LogicalPlan::Values { columns, rows } => PhysicalPlan::Values { columns, rows },
        LogicalPlan::Filter { input, predicate } => {
            PhysicalPlan::Filter { input: Box::new(physical(*input)), predicate }
        }
        LogicalPlan::Project { input, exprs, names } => {
            PhysicalPlan::Project { input: Box::new(physical(*input)), exprs, names }
        }
        LogicalPlan::Aggregate { input, keys, aggregates, names } => {
            let rungs = rungs(&input, &keys, &aggregates);
            let aggregates = aggregates.into_iter().map(guarded).collect();
            let input = Box::new(physical(*input));
            PhysicalPlan::Aggregate { input, keys, aggregates, names, rungs }
        }
        LogicalPlan::Window { input, window } => {
            PhysicalPlan::Window { input: Box::new(physical(*input)), window }
        }
        LogicalPlan::Sort { input, keys } => {
            PhysicalPlan::Sort { input: Box::new(physical(*input)), keys }
        }
        LogicalPlan::Limit { input, offset, limit } => match (*input, limit) {
            (LogicalPlan::Sort { input, keys }, Some(limit)) => {
                PhysicalPlan::TopN { input: Box::new(physical(*input)), keys, offset, limit }
            }
            (input, limit) => {
                PhysicalPlan::Limit { input: Box::new(physical(input)), offset, limit }
            }
        },
    }
}

/// The aggregate with arguments that fail for no row that the filter leaves out.
fn guarded(mut aggregate: Aggregate) -> Aggregate {
    let Some(filter) = aggregate.filter.clone() else { return aggregate };
    for argument in aggregate.argument.iter_mut().chain(&mut aggregate.second) {
        if can_fail(argument) {
            let data_type = argument.data_type();
            let branches = vec![(filter.clone(), argument.clone())];
            *argument = Expr::Case { branches, otherwise: None, data_type };
        }
    }
    aggregate
}

/// The ways to find the groups, cheapest first.
fn rungs(input: &LogicalPlan, keys: &[Expr], aggregates: &[Aggregate]) -> Vec<Rung> {
    let table = match input {
        LogicalPlan::Scan(scan) if matches!(scan.source, Source::Table { .. }) => Some(scan),
        _ => None,
    };
    if keys.is_empty() {
        let from_statistics = |scan: &Scan| {
            scan.filter.is_empty() && aggregates.iter().all(is_answered_by_statistics)
        };
        return match table {
            Some(scan) if from_statistics(scan) => vec![Rung::Metadata, Rung::Single],
            _ => vec![Rung::Single],
        };
    }
    if table.is_some() && keys.iter().all(is_over_one_column) {
        return vec![Rung::Dense, Rung::Hash];
    }
    vec![Rung::Hash]
}

/// Whether the statistics of a column can hold the answer: counts, bounds, sums of integers and
/// decimals.
fn is_answered_by_statistics(aggregate: &Aggregate) -> bool {
    let Aggregate { function, argument, second: _, distinct, filter } = aggregate;
    if filter.is_some() {
        return false;
    }
    match (function, argument) {
        (AggregateFunction::CountRows, _) => true,
        (_, Some(Expr::Column { data_type, .. })) => match function {
            AggregateFunction::Sum | AggregateFunction::Avg => {
                let is_exact =
                    data_type.is_integer() || matches!(data_type, DataType::Decimal { .. });
                is_exact && !distinct
            }
            AggregateFunction::Count | AggregateFunction::Min | AggregateFunction::Max => true,
            _ => false,
        },
        _ => false,
    }
}

/// Whether a key's value follows from one column, so that it can be computed once per code of it.
fn is_over_one_column(key: &Expr) -> bool {
    let mut first = None;
    let mut is_one = true;
    key.for_each_column(&mut |index| is_one &= *first.get_or_insert(index) == index);
    first.is_some() && is_one
}

#[cfg(test)]
mod tests {
    use super::super::rules_testing::*;
    use super::*;

    fn rungs_of(plan: LogicalPlan) -> Vec<Rung> {
        match physical(plan) {
            PhysicalPlan::Aggregate { rungs, .. } => rungs,
            other => panic!("{other}"),
        }
    }

    #[test]
    fn only_an_unfiltered_table_is_answered_from_statistics() {
        let total = |input| aggregate(input, vec![], vec![count_rows(), sum(column(0))]);
        assert_eq!(rungs_of(total(scan(1))), [Rung::Metadata, Rung::Single]);
        let filtered = filter(scan(1), compare_to(0, Comparison::Less, 3));
        assert_eq!(rungs_of(total(filtered)), [Rung::Single]);
        let shifted = call(Function::Add, vec![column(0), int(1)]);
        assert_eq!(rungs_of(aggregate(scan(1), vec![], vec![sum(shifted)])), [Rung::Single]);
    }

    #[test]
    fn keys_over_one_column_each_may_be_dense() {
        let minus = call(Function::Subtract, vec![column(1), int(1)]);
        let both = call(Function::Subtract, vec![column(1), column(0)]);
        let grouped = |keys| aggregate(scan(2), keys, vec![]);
        assert_eq!(rungs_of(grouped(vec![column(0), minus])), [Rung::Dense, Rung::Hash]);
        assert_eq!(rungs_of(grouped(vec![both])), [Rung::Hash]);
    }

    #[test]
    fn a_sort_that_is_cut_is_a_top_n() {
        let plan = physical(limit(sort(scan(1), vec![0]), 5, Some(10)));
        assert!(matches!(plan, PhysicalPlan::TopN { offset: 5, limit: 10, .. }));
        let plan = physical(limit(sort(scan(1), vec![0]), 5, None));
        assert!(matches!(plan, PhysicalPlan::Limit { .. }));
    }
}
