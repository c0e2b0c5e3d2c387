//! Tests of all rules together.

use super::optimize;
use super::testing::*;

fn optimized(plan: LogicalPlan) -> LogicalPlan {
    let optimized = optimize(plan.clone(), &sample_fold);
    assert_eq!(optimized.output(), plan.output());
    assert_eq!(optimize(optimized.clone(), &sample_fold), optimized, "a fixed point");
    optimized
}

#[test]
fn a_grouped_query_reads_its_columns_and_sorts_its_groups() {
    // SELECT 1, b, b - 1, count(*) AS c FROM t WHERE a <> 0 AND b < 5 + 1
    // GROUP BY 1, b, b - 1 ORDER BY c, 1, 2 LIMIT 10
    let predicate = Expr::And(vec![
        compare_to(0, Comparison::NotEqual, 0),
        compare(Comparison::Less, column(1), call(Function::Add, vec![int(5), int(1)])).unwrap(),
    ]);
    let minus = call(Function::Subtract, vec![column(1), int(1)]);
    let grouped =
        aggregate(filter(scan(4), predicate), vec![int(1), column(1), minus], vec![count_rows()]);
    let big = Expr::column(3, DataType::Int64);
    let keys = [big, column(0), column(1)];
    let sorted = LogicalPlan::Sort {
        input: Box::new(grouped),
        keys: keys
            .into_iter()
            .map(|expr| SortKey { expr, descending: false, nulls_first: false })
            .collect(),
    };
    let plan = optimized(limit(sorted, 0, Some(10)));
    assert_eq!(
        plan.to_string(),
        "Project: 1, b, b - 1, count(*)\n  \
           Limit: 10 rows\n    \
             Sort: count(*), b\n      \
               Aggregate: key b; count(*)\n        \
                 Scan t: 1 column [b] and 1 to filter [a], filter a <> 0 AND b < 6\n"
    );
}

#[test]
fn a_wide_selection_stays_wide() {
    let wide = scan(20);
    let plan = project(wide.clone(), (0..20).map(column).collect());
    assert_eq!(optimized(filter(plan, boolean(true))), wide);
}

#[test]
fn shifted_sums_over_a_subquery_are_one_pass() {
    let narrow = |index| Expr::column(index, DataType::Int16);
    let inner = project(scan(2), vec![narrow(1), column(0)]);
    let sums = (0..3).map(|shift| sum(call(Function::Add, vec![narrow(0), int(shift)]))).collect();
    let plan = optimized(aggregate(inner, vec![], sums));
    assert_eq!(
        plan.to_string(),
        "Project: sum(b) + count(b) * 0, sum(b) + count(b) * 1, sum(b) + count(b) * 2\n  \
         Aggregate: sum(b), count(b)\n    Scan t: 1 column [b]\n"
    );
}
