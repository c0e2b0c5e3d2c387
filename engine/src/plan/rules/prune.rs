//! Columns that nothing needs are not read, and expressions that nothing needs not computed.

use crate::plan::aggregate::Aggregate;
use crate::plan::logical::{Scan, ScanColumn};
use crate::plan::{Expr, LogicalPlan, Window};

/// Which columns of an input are needed.
type Needed = Vec<bool>;
/// Where each old column is now; `None` when it is gone.
type Moves = Vec<Option<usize>>;

/// Drops what is not needed for the plan's own output, which stays as it is.
pub(super) fn prune_columns(plan: LogicalPlan) -> LogicalPlan {
    let needed = vec![true; width(&plan)];
    let (plan, _) = prune(plan, &needed);
    plan
}

/// How many columns the plan gives.
fn width(plan: &LogicalPlan) -> usize {
    match plan {
        LogicalPlan::Scan(scan) => scan.output_count,
        LogicalPlan::Values { columns, .. } => columns.len(),
        LogicalPlan::Filter { input, .. }
        | LogicalPlan::Sort { input, .. }
        | LogicalPlan::Limit { input, .. } => width(input),
        LogicalPlan::Project { exprs, .. } => exprs.len(),
        LogicalPlan::Aggregate { keys, aggregates, .. } => keys.len() + aggregates.len(),
        LogicalPlan::Window { input, window } => width(input) + window.functions.len(),
    }
}

/// The plan with the needed columns in their order, and perhaps others.
fn prune(plan: LogicalPlan, needed: &Needed) -> (LogicalPlan, Moves) {
    match plan {
        LogicalPlan::Scan(scan) => prune_scan(scan, needed),
        LogicalPlan::Values { columns, rows } => {
            let moves = moves_of(needed);
            let columns = kept(columns, needed);
            let rows = rows.into_iter().map(|row| kept(row, needed)).collect();
            (LogicalPlan::Values { columns, rows }, moves)
        }
        LogicalPlan::Filter { input, mut predicate } => {
            let mut needed = needed.clone();
            need(&predicate, &mut needed);
            let (input, moves) = prune(*input, &needed);
            follow(&mut predicate, &moves);
            (LogicalPlan::Filter { input: Box::new(input), predicate }, moves)
        }
        LogicalPlan::Sort { input, mut keys } => {
            let mut needed = needed.clone();
            for key in &keys {
                need(&key.expr, &mut needed);
            }
            let (input, moves) = prune(*input, &needed);
            for key in &mut keys {
                follow(&mut key.expr, &moves);
            }
            (LogicalPlan::Sort { input: Box::new(input), keys }, moves)
        }
        LogicalPlan::Limit { input, offset, limit } => {
            let (input, moves) = prune(*input, needed);
            (LogicalPlan::Limit { input: Box::new(input), offset, limit }, moves)
        }
        LogicalPlan::Project { input, exprs, names } => {
            prune_project(*input, (exprs, names), needed)
        }
        LogicalPlan::Aggregate { input, keys, aggregates, names } => {
            prune_aggregate(*input, Groups { keys, aggregates, names }, needed)
        }
        LogicalPlan::Window { input, window } => prune_window(*input, window, needed),
    }
}

fn prune_project(
    input: LogicalPlan,
    (exprs, names): (Vec<Expr>, Vec<String>),
    needed: &Needed,
) -> (LogicalPlan, Moves) {
    let mut exprs = kept(exprs, needed);
    let names = kept(names, needed);
    let mut inner = vec![false; width(&input)];
    need_all(&exprs, &mut inner);
    let (input, moves) = prune(input, &inner);
    follow_all(&mut exprs, &moves);
    let outer_moves = moves_of(needed);
    if exprs.is_empty() {
        // Only the rows are counted.
        return (input, outer_moves);
    }
    (LogicalPlan::Project { input: Box::new(input), exprs, names }, outer_moves)
}

struct Groups {
    keys: Vec<Expr>,
    aggregates: Vec<Aggregate>,
    names: Vec<String>,
}

fn prune_aggregate(input: LogicalPlan, groups: Groups, needed: &Needed) -> (LogicalPlan, Moves) {
    let Groups { mut keys, aggregates, names } = groups;
    // The keys make the rows; without keys, one aggregate stays to make its one row.
    let mut needed = needed.clone();
    needed[..keys.len()].fill(true);
    if keys.is_empty() && !needed.contains(&true) && !needed.is_empty() {
        needed[0] = true;
    }
    let mut aggregates = kept(aggregates, &needed[keys.len()..]);
    let names = kept(names, &needed);
    let mut inner = vec![false; width(&input)];
    need_all(&keys, &mut inner);
    for aggregate in &aggregates {
        need_all(aggregate.exprs(), &mut inner);
    }
    let (input, moves) = prune(input, &inner);
    follow_all(&mut keys, &moves);
    for aggregate in &mut aggregates {
        follow_all(aggregate.exprs_mut(), &moves);
    }
    let plan = LogicalPlan::Aggregate { input: Box::new(input), keys, aggregates, names };
    (plan, moves_of(&needed))
}

/// A window stays for the numbers that are needed, and for its limit.
fn prune_window(input: LogicalPlan, mut window: Window, needed: &Needed) -> (LogicalPlan, Moves) {
    let input_width = width(&input);
    let (of_input, of_functions) = needed.split_at(input_width);
    window.functions = kept(window.functions, of_functions);
    window.names = kept(window.names, of_functions);
    let is_gone = window.functions.is_empty() && window.limit.is_none();
    let mut inner = of_input.to_vec();
    if !is_gone {
        need_all(window.exprs(), &mut inner);
    }
    let (input, mut moves) = prune(input, &inner);
    let first = width(&input);
    let numbers = moves_of(of_functions).into_iter();
    moves.extend(numbers.map(|place| place.map(|place| first + place)));
    if is_gone {
        return (input, moves);
    }
    follow_all(window.exprs_mut(), &moves);
    (LogicalPlan::Window { input: Box::new(input), window }, moves)
}

/// Output columns first, in their order, then those that only the filter reads.
fn prune_scan(scan: Scan, needed: &Needed) -> (LogicalPlan, Moves) {
    let column_count = scan.columns.len();
    let mut is_output = needed.clone();
    is_output.resize(column_count, false);
    let mut is_filtered = vec![false; column_count];
    need_all(&scan.filter, &mut is_filtered);
    let mut moves: Moves = vec![None; column_count];
    let mut order: Vec<usize> = (0..column_count).filter(|index| is_output[*index]).collect();
    let output_count = order.len();
    order.extend((0..column_count).filter(|index| is_filtered[*index] && !is_output[*index]));
    for (position, index) in order.iter().enumerate() {
        moves[*index] = Some(position);
    }
    let mut columns: Vec<Option<ScanColumn>> = scan.columns.into_iter().map(Some).collect();
    let columns = order
        .iter()
        .map(|index| columns[*index].take().expect("an order names each column once"))
        .collect();
    let mut filter = scan.filter;
    follow_all(&mut filter, &moves);
    let plan = LogicalPlan::Scan(Scan { source: scan.source, columns, filter, output_count });
    moves.truncate(needed.len());
    for (moved, needed) in moves.iter_mut().zip(needed) {
        if !needed {
            *moved = None;
        }
    }
    (plan, moves)
}

fn need(expr: &Expr, needed: &mut [bool]) {
    expr.for_each_column(&mut |index| needed[index] = true);
}

fn need_all<'a>(exprs: impl IntoIterator<Item = &'a Expr>, needed: &mut [bool]) {
    for expr in exprs {
        need(expr, needed);
    }
}

fn follow_all<'a>(exprs: impl IntoIterator<Item = &'a mut Expr>, moves: &Moves) {
    for expr in exprs {
        follow(expr, moves);
    }
}

fn follow(expr: &mut Expr, moves: &Moves) {
    expr.map_columns(&|index| moves[index].expect("a column that an expression names is needed"));
}

fn kept<T>(items: Vec<T>, needed: &[bool]) -> Vec<T> {
    items.into_iter().zip(needed).filter(|(_, needed)| **needed).map(|(item, _)| item).collect()
}

fn moves_of(needed: &[bool]) -> Moves {
    let mut position = 0;
    needed
        .iter()
        .map(|needed| {
            needed.then(|| {
                position += 1;
                position - 1
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::super::testing::*;
    use super::*;
    use crate::plan::WindowFunction;

    fn with_filter(plan: LogicalPlan, conjunct: Expr) -> LogicalPlan {
        match plan {
            LogicalPlan::Scan(mut scan) => {
                scan.filter.push(conjunct);
                LogicalPlan::Scan(scan)
            }
            other => other,
        }
    }

    #[test]
    fn a_scan_reads_what_is_named_and_filter_columns_come_last() {
        let scan = with_filter(scan(4), compare_to(0, Comparison::Equal, 7));
        let plan = prune_columns(project(scan, vec![column(3), column(1)]));
        assert_eq!(
            plan.to_string(),
            "Project: d, b\n  Scan t: 2 columns [b, d] and 1 to filter [a], filter a = 7\n"
        );
        assert_eq!(prune_columns(plan.clone()), plan);
    }

    #[test]
    fn counting_rows_reads_nothing() {
        let plan =
            prune_columns(aggregate(project(scan(3), vec![column(0)]), vec![], vec![count_rows()]));
        assert_eq!(plan.to_string(), "Aggregate: count(*)\n  Scan t: no columns\n");
    }

    #[test]
    fn unneeded_aggregates_go_but_the_groups_stay() {
        let grouped = aggregate(scan(3), vec![column(1)], vec![sum(column(0)), sum(column(2))]);
        let big = DataType::Decimal { precision: 38, scale: 0 };
        let plan = prune_columns(project(grouped, vec![Expr::column(2, big)]));
        assert_eq!(
            plan.to_string(),
            "Project: sum(c)\n  Aggregate: key b; sum(c)\n    Scan t: 2 columns [b, c]\n"
        );
        let total = aggregate(scan(1), vec![], vec![sum(column(0)), count_rows()]);
        let counted = prune_columns(aggregate(total, vec![], vec![count_rows()]));
        assert_eq!(
            counted.to_string(),
            "Aggregate: count(*)\n  Aggregate: sum(a)\n    Scan t: 1 column [a]\n"
        );
    }

    #[test]
    fn a_window_goes_with_its_last_number_unless_it_limits() {
        let window = |limit| {
            let order = vec![SortKey { expr: column(2), descending: false, nulls_first: false }];
            let functions = vec![WindowFunction::RowNumber, WindowFunction::Rank];
            let names = vec!["n".to_owned(), "r".to_owned()];
            let window = Window { partition: vec![column(1)], order, functions, names, limit };
            LogicalPlan::Window { input: Box::new(scan(4)), window }
        };
        let number = |index| Expr::column(index, DataType::Int64);
        let plan = prune_columns(project(window(None), vec![column(0), number(5)]));
        assert_eq!(
            plan.to_string(),
            "Project: a, r\n  Window: by c, partition by b; rank() AS r\n    \
             Scan t: 3 columns [a, b, c]\n"
        );
        let plan = prune_columns(project(window(None), vec![column(3)]));
        assert_eq!(plan.to_string(), "Project: d\n  Scan t: 1 column [d]\n");
        let plan = prune_columns(project(window(Some(3)), vec![column(3)]));
        assert_eq!(
            plan.to_string(),
            "Project: d\n  Top-n per partition: 3 rows by c, partition by b\n    \
             Scan t: 3 columns [b, c, d]\n"
        );
    }

    #[test]
    fn sort_keys_are_needed_below_the_sort() {
        let plan = prune_columns(project(sort(scan(3), vec![2]), vec![column(0)]));
        assert_eq!(plan.to_string(), "Project: a\n  Sort: c\n    Scan t: 2 columns [a, c]\n");
    }
}
