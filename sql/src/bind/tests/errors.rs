//! What is refused: by name, at its place, with a way out.

use super::bind;

/// The text from the error's position on, and the message.
fn refusal(sql: &str) -> (&str, String) {
    let error = bind(sql).expect_err(sql);
    let at = error.position().unwrap_or_else(|| panic!("no position: {sql}: {error}"));
    (&sql[at..], error.message().to_owned())
}

#[test]
fn clauses_that_are_not_planned_are_refused_where_they_stand() {
    let cases = [
        ("SELECT a FROM t JOIN hits ON a = RegionID", "JOIN", "JOIN"),
        ("SELECT a FROM t, hits", "hits", "second table"),
        ("SELECT a FROM t UNION ALL SELECT b FROM t", "UNION", "UNION"),
        ("SELECT a FROM t EXCEPT SELECT b FROM t", "EXCEPT", "EXCEPT"),
        ("SELECT sum(a) OVER () FROM t", "OVER", "OVER"),
        ("SELECT lag(a) OVER () FROM t", "lag", "lag"),
        ("SELECT rank() OVER w FROM t", "w", "named window"),
        ("SELECT rank() OVER (ORDER BY a RANGE CURRENT ROW) FROM t", "RANGE", "frame"),
        ("SELECT rank() FILTER (WHERE a = 1) OVER () FROM t", "FILTER", "FILTER"),
        ("SELECT a FROM t WINDOW w AS ()", "WINDOW", "WINDOW"),
        ("SELECT DISTINCT ON (a) a FROM t", "DISTINCT", "DISTINCT ON"),
        ("SELECT a FROM t WHERE a IN (SELECT b FROM t)", "a", "IN with a subquery"),
        ("SELECT (SELECT 1)", "SELECT", "subquery"),
        ("SELECT a FROM t FOR UPDATE", "FOR", "FOR UPDATE"),
        ("SELECT a FROM t TABLESAMPLE BERNOULLI (1)", "TABLESAMPLE", "TABLESAMPLE"),
        ("SELECT a FROM t GROUP BY ROLLUP (a)", "ROLLUP", "ROLLUP"),
        ("WITH RECURSIVE w AS (SELECT 1) SELECT * FROM w", "RECURSIVE", "RECURSIVE"),
        ("SELECT s SIMILAR TO 'x' FROM t", "s", "SIMILAR TO"),
        ("SELECT mode(a) FROM t", "mode", "mode"),
        ("SELECT median(DISTINCT a) FROM t", "median", "DISTINCT in a quantile"),
        ("SELECT lower(s) FILTER (WHERE a = 1) FROM t", "FILTER", "FILTER"),
        ("SELECT a FROM t ORDER BY a USING <", "USING", "USING"),
        ("SELECT a INTO u FROM t", "INTO", "INTO"),
        ("SELECT s COLLATE \"C\" FROM t", "s", "COLLATE"),
        ("SELECT a FROM t FETCH FIRST 3 ROWS WITH TIES", "TIES", "TIES"),
        ("SELECT s LIKE b::text FROM t", "b", "not constant"),
        ("SELECT count((a, b)) FROM t", "a", "row value"),
        ("SELECT max(a) WITHIN GROUP (ORDER BY a) FROM t", "WITHIN", "WITHIN GROUP"),
    ];
    for (sql, place, what) in cases {
        let (found, message) = refusal(sql);
        assert!(message.contains(what), "{sql}: {message}");
        assert!(found.starts_with(place), "{sql}: {message} at {found}");
    }
}

#[test]
fn senseless_queries_are_refused_where_they_go_wrong() {
    let cases = [
        ("SELECT a, count(*) FROM t GROUP BY b", "a", "neither in GROUP BY"),
        ("SELECT count(*) FROM t WHERE count(*) > 1", "count", "not allowed in WHERE"),
        ("SELECT sum(sum(a)) FROM t", "sum", "not allowed in the argument"),
        ("SELECT a AS y FROM t WHERE y > 1", "y", "cannot be used in WHERE"),
        ("SELECT a FROM t ORDER BY 2", "2", "position 2"),
        ("SELECT a FROM t GROUP BY 0", "0", "position 0"),
        ("SELECT count(*) FROM t GROUP BY 1", "1", "is an aggregate"),
        ("SELECT a FROM t LIMIT -1", "1", "negative"),
        ("SELECT a FROM t LIMIT 1.5", "1.5", "whole number"),
        ("SELECT DISTINCT a FROM t ORDER BY b", "b", "select list"),
        ("SELECT a FROM t QUALIFY 1 = 1", "QUALIFY", "needs a window function"),
        ("SELECT row_number() FROM t", "row_number", "needs OVER"),
        ("SELECT a FROM t WHERE rank() OVER () = 1", "rank", "not allowed in WHERE"),
        ("SELECT a FROM t WHERE s", "s", "expected a boolean"),
        ("SELECT a FROM t WHERE d > '2013-13-01'", "'2013-13-01'", "2013-13-01"),
        ("SELECT 1 + s FROM t", "1", "integer"),
        ("SELECT nope(a) FROM t", "nope", "no function"),
        ("SELECT a::nope FROM t", "a::", "no type"),
        ("SELECT u.a FROM t", "u", "no table \"u\""),
        ("SELECT t.nope FROM t", "nope", "no column"),
        ("SELECT x.y.z FROM t", "x", "three"),
        ("SELECT date_trunc('yaer', d) FROM t", "'yaer'", "no date part"),
        ("SELECT *", "*", "needs a FROM"),
        ("SELECT a FROM x.parquet", "x.parquet", "several parts"),
        ("SELECT a FROM 'x.csv'", "'x.csv'", "not Parquet"),
        ("SELECT 1e400", "1e400", "out of range"),
        ("VALUES (1, 2), (3)", "3", "2 columns"),
        ("SELECT CASE WHEN ok THEN 1 ELSE d END FROM t", "CASE", "mixes"),
        ("SELECT $1, ?", "?", "mixed"),
    ];
    for (sql, place, what) in cases {
        let (found, message) = refusal(sql);
        assert!(message.contains(what), "{sql}: {message}");
        assert!(found.starts_with(place), "{sql}: {message} at {found}");
    }
}

#[test]
fn slips_are_met_with_what_was_meant() {
    let cases = [
        ("SELECT URLL FROM hits", "URL"),
        ("SELECT region_id FROM hits", "RegionID"),
        ("SELECT a FROM hit", "hits"),
        ("SELECT lenght(s) FROM t", "length"),
        ("SELECT a FROM t WHER a = 1", "WHERE"),
        ("SELECT a FORM t", "FROM"),
        ("SELEC a FROM t", "SELECT"),
        ("SELECT a FROM t GRUOP BY a", "GROUP"),
        ("SELECT a FROM t ODER BY a", "ORDER"),
    ];
    for (sql, meant) in cases {
        let error = bind(sql).expect_err(sql);
        let suggestions = error.suggestions();
        assert!(suggestions.first().is_some_and(|first| first == meant), "{sql}: {suggestions:?}");
    }
}

#[test]
fn an_error_stays_short_on_a_wide_table() {
    let sql = "SELECT measure_9999, sum(measure_0001) FROM wide GROUP BY 1";
    let text = crate::render_error(sql, &bind(sql).expect_err("no such column"));
    assert!(text.lines().count() <= 8, "{text}");
    assert!(text.len() < 500, "{text}");
}

#[test]
fn nonsense_is_an_error_and_never_a_panic() {
    let cases = [
        "",
        "(",
        ")",
        ";;(",
        "SELECT",
        "SELECT FROM",
        "SELECT (",
        "SELECT 'a",
        "SELECT \"a",
        "\u{0}",
        "SELECT /* a",
        "SELECT $",
        "SELECT 1 1",
        "FROM",
        "FROM (",
        "WITH",
        "WITH a AS",
        "VALUES",
        "SELECT CASE",
        "SELECT CASE WHEN",
        "SELECT a.",
        "SELECT .",
        "SELECT count(",
        "SELECT [",
        "{",
        "SELECT x'",
        "SELECT U&'\\",
        "SELECT E'\\",
        "SELECT ::",
        "SELECT 1::",
        "SELECT interval",
        "SELECT date",
        "SELECT * EXCLUDE FROM t",
        "\u{feff}SELECT 1",
        "SELECT 1 LIMIT",
        "é",
        "SELECT é é é",
    ];
    for sql in cases {
        if let Err(error) = bind(sql) {
            let text = crate::render_error(sql, &error);
            assert!(text.lines().count() <= 8, "{text}");
        }
    }
}
