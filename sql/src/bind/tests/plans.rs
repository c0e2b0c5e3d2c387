//! What is planned.

use std::sync::atomic::Ordering;

use martlet_engine::plan::{Comparison, Expr, LogicalPlan, Source};
use martlet_engine::types::{DataType, Result, Value};

use super::tables::Tables;
use super::{bind, bind_over};

/// The scan at the bottom.
fn scan(plan: &LogicalPlan) -> &martlet_engine::plan::Scan {
    match plan {
        LogicalPlan::Scan(scan) => scan,
        LogicalPlan::Values { .. } => panic!("the plan reads no table"),
        LogicalPlan::Filter { input, .. }
        | LogicalPlan::Project { input, .. }
        | LogicalPlan::Aggregate { input, .. }
        | LogicalPlan::Window { input, .. }
        | LogicalPlan::Sort { input, .. }
        | LogicalPlan::Limit { input, .. } => scan(input),
    }
}

fn column_names(plan: &LogicalPlan) -> Vec<&str> {
    scan(plan).columns.iter().map(|column| column.name.as_str()).collect()
}

fn unnamed(mut plan: LogicalPlan) -> LogicalPlan {
    if let LogicalPlan::Project { names, .. } | LogicalPlan::Aggregate { names, .. } = &mut plan {
        names.clear();
    }
    plan
}

fn output_names(plan: &LogicalPlan) -> Vec<String> {
    plan.output().into_iter().map(|column| column.name).collect()
}

/// Both texts mean the same plan, but for the names of the output.
fn same(one: &str, other: &str) {
    match (bind(one), bind(other)) {
        (Ok(first), Ok(second)) => {
            assert_eq!(unnamed(first), unnamed(second), "{one}\n{other}");
        }
        (first, second) => panic!("{one}: {:?}\n{other}: {:?}", first.err(), second.err()),
    }
}

#[test]
fn all_clickbench_queries_are_planned() {
    let queries = include_str!("../../../tests/queries/clickbench.sql");
    let mut count = 0;
    for query in queries.lines().filter(|line| !line.is_empty()) {
        if let Err(error) = bind(query) {
            panic!("{}", crate::render_error(query, &error));
        }
        count += 1;
    }
    assert_eq!(count, 43);
}

#[test]
fn a_scan_has_the_columns_that_are_named() -> Result<()> {
    let plan = bind("SELECT URL, count(*) FROM hits WHERE counterid = 62 GROUP BY URL")?;
    assert_eq!(column_names(&plan), ["URL", "CounterID"]);
    assert_eq!(bind("SELECT count(*) FROM hits").map(|plan| column_names(&plan).len())?, 0);
    assert_eq!(bind("SELECT * FROM hits").map(|plan| column_names(&plan).len())?, 105);
    Ok(())
}

#[test]
fn planning_costs_the_columns_named_also_through_subqueries() -> Result<()> {
    let tables = Tables::default();
    bind_over(
        &tables,
        "WITH w AS (SELECT * FROM wide WHERE measure_0003 > 1)
         SELECT sum(measure_0001) FROM (SELECT * FROM w) v GROUP BY measure_0002",
    )?;
    assert_eq!(tables.get("wide").touched_count.load(Ordering::Relaxed), 3);
    Ok(())
}

#[test]
fn names_match_exactly_first_and_then_in_any_case() -> Result<()> {
    assert_eq!(column_names(&bind("SELECT CASE_ FROM t")?), ["case_"]);
    assert_eq!(column_names(&bind("SELECT \"Twin\" FROM t")?), ["Twin"]);
    assert_eq!(column_names(&bind("SELECT twin FROM t")?), ["twin"]);
    assert!(bind("SELECT TWIN FROM t").is_err());
    assert_eq!(output_names(&bind("SELECT URLHASH, url AS Url FROM hits")?), ["URLHash", "Url"]);
    Ok(())
}

#[test]
fn from_may_come_first_and_stand_alone() {
    same("FROM t", "SELECT * FROM t");
    same("FROM t WHERE a > 1 LIMIT 3", "SELECT * FROM t WHERE a > 1 LIMIT 3");
    same("FROM t SELECT a WHERE b = 1", "SELECT a FROM t WHERE b = 1");
    same("SELECT a FROM (FROM t WHERE a = 1)", "SELECT a FROM t WHERE a = 1");
    same("SELECT extract(year FROM d) FROM t", "SELECT year(d) FROM t");
}

#[test]
fn aliases_serve_later_items_and_clauses_but_a_column_wins() {
    same("SELECT a + 1 AS y, y * 2 AS z FROM t", "SELECT a + 1 AS y, (a + 1) * 2 AS z FROM t");
    same(
        "SELECT a + 1 AS y, count(*) AS c FROM t GROUP BY y HAVING c > 1 ORDER BY -c",
        "SELECT a + 1 AS y, count(*) AS c FROM t GROUP BY a + 1 HAVING count(*) > 1 ORDER BY -count(*)",
    );
    same("SELECT a % 2 AS a FROM t ORDER BY b, 1", "SELECT a % 2 AS a FROM t ORDER BY b, a % 2");
    same(
        "SELECT a % 2 AS a, count(*) FROM t GROUP BY t.a, 1",
        "SELECT a % 2 AS a, count(*) FROM t GROUP BY a, a % 2",
    );
    // A bare name in ORDER BY is the output's, as in PostgreSQL; inside an expression the column's.
    same("SELECT -b AS a FROM t ORDER BY a", "SELECT -b AS a FROM t ORDER BY -b");
    same("SELECT -b AS a FROM t ORDER BY a + 1", "SELECT -b AS a FROM t ORDER BY t.a + 1");
}

#[test]
fn group_by_all_takes_the_items_without_aggregates() {
    same(
        "SELECT a, count(*), b + 1 FROM t GROUP BY ALL ORDER BY ALL",
        "SELECT a, count(*), b + 1 FROM t GROUP BY a, b + 1 ORDER BY 1, 2, 3",
    );
    same(
        "SELECT a, b, count(*) FROM t GROUP BY (a, b)",
        "SELECT a, b, count(*) FROM t GROUP BY 1, 2",
    );
    same("SELECT count(*) FROM t GROUP BY ()", "SELECT count(*) FROM t");
}

fn aggregates(plan: &LogicalPlan) -> usize {
    match plan {
        LogicalPlan::Aggregate { aggregates, .. } => aggregates.len(),
        LogicalPlan::Filter { input, .. }
        | LogicalPlan::Project { input, .. }
        | LogicalPlan::Window { input, .. }
        | LogicalPlan::Sort { input, .. }
        | LogicalPlan::Limit { input, .. } => aggregates(input),
        LogicalPlan::Scan(_) | LogicalPlan::Values { .. } => 0,
    }
}

#[test]
fn an_aggregate_is_computed_once() -> Result<()> {
    let plan = bind("SELECT sum(a), sum(a) / count(*) FROM t HAVING count(*) > 1 ORDER BY sum(a)")?;
    assert_eq!(aggregates(&plan), 2);
    Ok(())
}

#[test]
fn windows_of_one_partition_and_order_are_one_operator() -> Result<()> {
    let plan = bind(
        "SELECT a, row_number() OVER (PARTITION BY a ORDER BY b) AS n, rank() OVER (ORDER BY b) AS r,
             dense_rank() OVER (PARTITION BY a ORDER BY b) AS d, n + 1 FROM t
         QUALIFY n < 3 AND row_number() OVER (PARTITION BY a ORDER BY b) < r",
    )?;
    let LogicalPlan::Project { input, exprs, .. } = &plan else { panic!("{plan}") };
    assert_eq!(exprs[1], Expr::column(2, DataType::Int64), "behind a and b\n{plan}");
    let LogicalPlan::Filter { input, .. } = &**input else { panic!("{plan}") };
    let LogicalPlan::Window { input, window } = &**input else { panic!("{plan}") };
    assert_eq!(window.names, ["r"]);
    let LogicalPlan::Window { window, .. } = &**input else { panic!("{plan}") };
    assert_eq!(window.names, ["n", "d"]);
    Ok(())
}

#[test]
fn the_sort_stands_below_the_projection_and_above_distinct() -> Result<()> {
    let plan = bind("SELECT a + 1 FROM t ORDER BY b DESC LIMIT 5 OFFSET 2")?;
    let LogicalPlan::Project { input, .. } = &plan else { panic!("{plan:?}") };
    let LogicalPlan::Limit { input, offset: 2, limit: Some(5) } = &**input else { panic!() };
    let LogicalPlan::Sort { keys, .. } = &**input else { panic!() };
    assert!(keys[0].descending && keys[0].nulls_first);

    let plan = bind("SELECT DISTINCT a, b FROM t ORDER BY b")?;
    let LogicalPlan::Sort { input, keys } = &plan else { panic!("{plan:?}") };
    assert_eq!(keys[0].expr, Expr::column(1, DataType::Int64));
    assert!(!keys[0].nulls_first);
    assert!(matches!(&**input, LogicalPlan::Aggregate { aggregates, .. } if aggregates.is_empty()));
    Ok(())
}

#[test]
fn a_chain_of_ten_thousand_terms_is_one_flat_list() -> Result<()> {
    let terms: Vec<String> = (0..10_000).map(|i| format!("a = {i}")).collect();
    let sql = format!("SELECT count(*) FROM t WHERE {} AND b = 1", terms.join(" OR "));
    let plan = crate::stack::with_room_for(sql.len(), || bind(&sql))?;
    let LogicalPlan::Aggregate { input, .. } = &plan else { panic!() };
    let LogicalPlan::Filter { predicate: Expr::Or(terms), .. } = &**input else { panic!() };
    assert_eq!(terms.len(), 10_000);
    Ok(())
}

#[test]
fn texts_take_the_type_of_what_they_meet() -> Result<()> {
    let plan = bind("SELECT 1 FROM t WHERE d >= '2013-07-01'")?;
    let LogicalPlan::Project { input, .. } = &plan else { panic!() };
    let LogicalPlan::Filter { predicate, .. } = &**input else { panic!() };
    let day = Expr::literal(Value::Int(15_887), DataType::Date);
    let column = Expr::column(0, DataType::Date);
    let op = Comparison::GreaterOrEqual;
    assert_eq!(*predicate, Expr::Compare { op, left: Box::new(column), right: Box::new(day) });
    Ok(())
}

#[test]
fn stars_take_exclude_and_replace() -> Result<()> {
    let plan = bind("SELECT * EXCLUDE (a, B, s, d, ts) REPLACE (x * 2 AS x) FROM t")?;
    assert_eq!(output_names(&plan), ["x", "p", "ok", "Case", "case_", "Twin", "twin"]);
    assert_eq!(output_names(&bind("SELECT t.* EXCLUDE a FROM t")?).len(), 11);
    assert_eq!(output_names(&bind("SELECT COLUMNS('^[ab]$') FROM t")?), ["a", "b"]);
    assert!(bind("SELECT * EXCLUDE nope FROM t").is_err());
    Ok(())
}

#[test]
fn trailing_commas_are_forgiven() {
    same("SELECT a, b, FROM t", "SELECT a, b FROM t");
    same("SELECT a, count(*), FROM t GROUP BY a,", "SELECT a, count(*) FROM t GROUP BY a");
}

#[test]
fn names_of_functions_are_those_of_postgres_and_duckdb() {
    same("SELECT char_length(s), strlen(s) FROM t", "SELECT length(s), octet_length(s) FROM t");
    same("SELECT substr(s, 2, 3) FROM t", "SELECT substring(s FROM 2 FOR 3) FROM t");
    same("SELECT position('x' IN s) FROM t", "SELECT strpos(s, 'x') FROM t");
    same(
        "SELECT date_part('year', d), month(d) FROM t",
        "SELECT year(d), extract(month FROM d) FROM t",
    );
    same(
        "SELECT s ~ '^a', s !~~ 'b%' FROM t",
        "SELECT regexp_matches(s, '^a'), s NOT LIKE 'b%' FROM t",
    );
    same("SELECT a::text, CAST(a AS bigint) FROM t", "SELECT CAST(a AS text), a::bigint FROM t");
    same("SELECT -2 ^ 2", "SELECT (-2) ^ 2");
    same(
        "SELECT bool_and(ok), count_if(a > 1) FROM t",
        "SELECT min(ok), count(*) FILTER (WHERE a > 1) FROM t",
    );
    same(
        "SELECT interval 3 day, interval '1' month",
        "SELECT interval '3 days', interval '1 month'",
    );
}

#[test]
fn output_names_are_columns_aliases_or_the_text() -> Result<()> {
    let plan = bind("SELECT A, sum( a )+1, count(*) AS n, (b), 'x' || s FROM t GROUP BY ALL")?;
    assert_eq!(output_names(&plan), ["a", "sum(a) + 1", "n", "b", "'x' || s"]);
    Ok(())
}

#[test]
fn files_are_read_like_tables() -> Result<()> {
    let plan = bind("SELECT v FROM 'data/some.parquet' WHERE some.k > 3")?;
    assert_eq!(
        scan(&plan).source,
        Source::Parquet { paths: vec!["data/some.parquet".into()], binary_as_string: false }
    );
    assert_eq!(column_names(&plan), ["v", "k"]);
    same("SELECT k FROM read_parquet('x.parquet')", "SELECT k FROM 'x.parquet'");
    Ok(())
}

#[test]
fn values_and_subqueries_have_columns() -> Result<()> {
    let plan = bind("SELECT y, x + 1 FROM (VALUES (1, 'a'), (2, NULL)) v(x, y) WHERE x > 1")?;
    let types: Vec<DataType> = plan.output().iter().map(|column| column.data_type).collect();
    assert_eq!(types, [DataType::Utf8, DataType::Int32]);
    assert_eq!(output_names(&bind("VALUES (1, 2) ORDER BY 2 LIMIT 1")?), ["column1", "column2"]);
    same(
        "WITH q AS (SELECT a AS k FROM t) SELECT k FROM q",
        "SELECT k FROM (SELECT a AS k FROM t) AS q",
    );
    same("SELECT z FROM t AS u(z, y)", "SELECT z FROM (SELECT * FROM t) AS u(z, y)");
    Ok(())
}
