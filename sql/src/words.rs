//! The words of the dialect, for editors: completion, colours, quoting.

use crate::bind;
use crate::settings::Settings;

/// Names of functions, in lower case and alphabetical order; those that are refused are left out.
///
/// ```
/// assert!(martlet::words::functions().contains(&"date_trunc"));
/// ```
pub fn functions() -> Vec<&'static str> {
    let mut names = bind::function_names();
    names.sort_unstable();
    names.dedup();
    names
}

/// Names of what `SET` changes, each with what it is.
pub fn settings() -> &'static [(&'static str, &'static str)] {
    Settings::DESCRIPTIONS
}

/// Words that begin a statement.
pub const STATEMENTS: &[&str] = &[
    "SELECT",
    "FROM",
    "WITH",
    "CREATE TABLE",
    "CREATE OR REPLACE TABLE",
    "INSERT INTO",
    "DROP TABLE",
    "DESCRIBE",
    "SUMMARIZE",
    "SHOW TABLES",
    "EXPLAIN",
    "EXPLAIN ANALYZE",
    "SET",
    "COMMENT ON TABLE",
    "COMMENT ON COLUMN",
    "VALUES",
    "VACUUM",
];

/// Keywords inside statements, those that belong together in one piece.
pub const KEYWORDS: &[&str] = &[
    "SELECT",
    "FROM",
    "WHERE",
    "GROUP BY",
    "ORDER BY",
    "HAVING",
    "LIMIT",
    "OFFSET",
    "QUALIFY",
    "DISTINCT",
    "AS",
    "AND",
    "OR",
    "NOT",
    "IN",
    "BETWEEN",
    "LIKE",
    "ILIKE",
    "IS NULL",
    "IS NOT NULL",
    "CASE",
    "WHEN",
    "THEN",
    "ELSE",
    "END",
    "ASC",
    "DESC",
    "NULLS FIRST",
    "NULLS LAST",
    "CAST",
    "FILTER",
    "OVER",
    "PARTITION BY",
    "WITHIN GROUP",
    "EXCLUDE",
    "REPLACE",
    "COLUMNS",
    "INTERVAL",
    "DATE",
    "TIMESTAMP",
    "TRUE",
    "FALSE",
    "NULL",
    "ALL",
    "EXISTS",
    "VALUES",
    "IF EXISTS",
    "IF NOT EXISTS",
];

/// `name` as SQL has to have it: in double quotes unless it is a plain word that is no keyword.
///
/// ```
/// assert_eq!(martlet::words::quoted("region"), "region");
/// assert_eq!(martlet::words::quoted("order"), "\"order\"");
/// assert_eq!(martlet::words::quoted("net amount"), "\"net amount\"");
/// ```
pub fn quoted(name: &str) -> String {
    let mut characters = name.chars();
    let is_plain = characters.next().is_some_and(|c| c.is_ascii_alphabetic() || c == '_')
        && characters.all(|c| c.is_ascii_alphanumeric() || c == '_');
    if is_plain && !is_reserved(name) {
        return name.to_owned();
    }
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// Words that cannot be names as they are.
const RESERVED: &[&str] = &[
    "all",
    "and",
    "any",
    "as",
    "asc",
    "between",
    "by",
    "case",
    "cast",
    "collate",
    "create",
    "cross",
    "default",
    "desc",
    "distinct",
    "else",
    "end",
    "except",
    "exists",
    "false",
    "fetch",
    "filter",
    "for",
    "from",
    "full",
    "group",
    "having",
    "ilike",
    "in",
    "inner",
    "insert",
    "intersect",
    "interval",
    "into",
    "is",
    "join",
    "lateral",
    "left",
    "like",
    "limit",
    "natural",
    "not",
    "null",
    "offset",
    "on",
    "or",
    "order",
    "outer",
    "over",
    "partition",
    "qualify",
    "right",
    "select",
    "similar",
    "some",
    "table",
    "then",
    "to",
    "true",
    "union",
    "unique",
    "using",
    "values",
    "when",
    "where",
    "window",
    "with",
];

fn is_reserved(name: &str) -> bool {
    RESERVED.iter().any(|word| word.eq_ignore_ascii_case(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quoted_names_are_read_back_as_they_were() -> crate::Result<()> {
        let connection = crate::Database::open_in_memory()?.connect();
        for name in RESERVED.iter().chain(&["a", "a b", "é", "a\"b", "1st", "_x", "Camel"]) {
            let rows = connection.query(&format!("SELECT 1 AS {0}", quoted(name)))?;
            assert_eq!(rows.schema().field(0).name(), name);
            let sql = format!("SELECT {0} FROM (SELECT 1 AS {0}) t", quoted(name));
            assert_eq!(connection.query(&sql)?.schema().field(0).name(), name);
        }
        Ok(())
    }

    #[test]
    fn functions_are_those_that_can_be_called() {
        let names = functions();
        assert!(names.is_sorted() && names.contains(&"sum") && !names.contains(&"string_agg"));
    }
}
