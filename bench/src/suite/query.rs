//! The queries of a suite: files of one query a line, each after a comment that names it and says what
//! of its answer is determined.
//!
//! ```sql
//! -- 12: order 2; cut after
//! SELECT SearchPhrase, COUNT(*) AS c FROM hits … ORDER BY c DESC LIMIT 10;
//! ```
//!
//! `order 2 3`: rows come in the order of these output columns. `cut after`, `cut both`: a LIMIT, an
//! OFFSET too, may fall among rows that the order does not tell apart. `any`: only the number of rows is
//! determined. `about 4`: these columns are averages and the like, which engines round differently.
//! `statistics`: statistics alone answer. An engine whose dialect differs has a file of the queries that
//! it needs otherwise, under the same names.

use crate::Result;

/// A query and what is known about its answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Query {
    /// Its name in the suite, such as `2.1`.
    pub(crate) name: String,
    pub(crate) text: String,
    pub(crate) facts: Facts,
}

/// What of an answer is determined.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Facts {
    /// The columns that rows are ordered by, from 0.
    pub(crate) order: Vec<usize>,
    /// Which ends of the answer may be cut among ties.
    pub(crate) cut: Cut,
    /// Only the number of rows is determined.
    pub(crate) any: bool,
    /// The columns that engines round differently, from 0.
    pub(crate) about: Vec<usize>,
    /// Statistics alone answer.
    pub(crate) statistics: bool,
}

/// Which ends of an answer may be cut among rows that its order does not tell apart.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Cut {
    #[default]
    None,
    After,
    Both,
}

/// All queries of a file; comments start with `--`, or with `#` where the file is Python.
pub(crate) fn parse(text: &str) -> Result<Vec<Query>> {
    let mut queries = Vec::new();
    let mut heading = None;
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
        if let Some(comment) = line.strip_prefix("--").or_else(|| line.strip_prefix('#')) {
            heading = Some(comment.trim());
            continue;
        }
        let heading = heading.take().ok_or_else(|| format!("no name before the query: {line}"))?;
        let (name, facts) = heading.split_once(':').unwrap_or((heading, ""));
        let facts = parse_facts(facts).map_err(|word| format!("query {name}: no fact: {word}"))?;
        let text = line.trim_end_matches(';').to_owned();
        queries.push(Query { name: name.to_owned(), text, facts });
    }
    Ok(queries)
}

/// `queries` with the texts of those that the dialect file `overrides` has too.
pub(crate) fn in_dialect(queries: &[Query], overrides: &str) -> Result<Vec<Query>> {
    let mut queries = queries.to_vec();
    for other in parse(overrides)? {
        let query = queries.iter_mut().find(|query| query.name == other.name);
        query.ok_or_else(|| format!("no query {} in the suite", other.name))?.text = other.text;
    }
    Ok(queries)
}

fn parse_facts(text: &str) -> std::result::Result<Facts, String> {
    let mut facts = Facts::default();
    for fact in text.split(';').map(str::trim).filter(|fact| !fact.is_empty()) {
        let (word, rest) = fact.split_once(' ').unwrap_or((fact, ""));
        match (word, rest) {
            ("order", columns) => facts.order = parse_columns(columns)?,
            ("about", columns) => facts.about = parse_columns(columns)?,
            ("cut", "after") => facts.cut = Cut::After,
            ("cut", "both") => facts.cut = Cut::Both,
            ("any", "") => facts.any = true,
            ("statistics", "") => facts.statistics = true,
            _ => return Err(fact.to_owned()),
        }
    }
    Ok(facts)
}

/// Column numbers from 1 as indices from 0.
fn parse_columns(text: &str) -> std::result::Result<Vec<usize>, String> {
    let column = |word: &str| {
        word.parse::<usize>().ok().and_then(|n| n.checked_sub(1)).ok_or_else(|| word.to_owned())
    };
    text.split_whitespace().map(column).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_follows_its_name_and_facts() -> Result<()> {
        let text =
            "-- about the file\n\n-- 1.2: order 2 1; cut both; about 3\nSELECT 1;\n# b\nx.y()\n";
        let queries = parse(text)?;
        assert_eq!(queries.len(), 2);
        let facts = Facts { order: vec![1, 0], cut: Cut::Both, about: vec![2], ..Facts::default() };
        assert_eq!((queries[0].name.as_str(), queries[0].text.as_str()), ("1.2", "SELECT 1"));
        assert_eq!(queries[0].facts, facts);
        assert_eq!((queries[1].name.as_str(), queries[1].text.as_str()), ("b", "x.y()"));
        assert_eq!(queries[1].facts, Facts::default());
        Ok(())
    }

    #[test]
    fn what_is_not_understood_is_named() {
        for (text, word) in [
            ("SELECT 1", "SELECT 1"),
            ("-- 1\nSELECT 1\nSELECT 2", "SELECT 2"),
            ("-- 1: sorted\nSELECT 1", "sorted"),
            ("-- 1: order 0\nSELECT 1", "0"),
        ] {
            let error = parse(text).expect_err(text).to_string();
            assert!(error.ends_with(word), "{error}");
        }
    }

    #[test]
    fn a_dialect_replaces_texts_and_keeps_facts() -> Result<()> {
        let queries = parse("-- 1: any\nSELECT 1\n-- 2\nSELECT 2\n")?;
        let other = in_dialect(&queries, "-- 1\nSELECT one\n")?;
        assert_eq!((other[0].text.as_str(), other[0].facts.any), ("SELECT one", true));
        assert_eq!(other[1], queries[1]);
        assert!(in_dialect(&queries, "-- 3\nSELECT 3\n").is_err());
        Ok(())
    }
}
