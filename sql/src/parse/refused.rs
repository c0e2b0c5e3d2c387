//! Statements that are refused, by their first word, with what to do instead.

use martlet_engine::types::Error;
use sqlparser::tokenizer::{Token, TokenWithSpan};

use super::position::start_of;
use super::syntax_error::KEYWORDS;
use crate::suggest;

/// "`message`" at `token`.
pub(super) fn refused(message: &str, token: &TokenWithSpan) -> Error {
    let error = Error::unsupported(message);
    match start_of(token.span) {
        Some(position) => error.at(position),
        None => error,
    }
}

/// A token in capitals.
pub(super) fn upper(token: &Token) -> String {
    token.to_string().to_uppercase()
}

/// Statements of other engines, with what to do instead.
const ELSEWHERE: [(&str, &str); 24] = [
    ("UPDATE", "write the rows anew: CREATE OR REPLACE TABLE t AS SELECT … FROM t"),
    ("DELETE", "write the rows anew: CREATE OR REPLACE TABLE t AS SELECT … FROM t WHERE …"),
    ("ALTER", "create the table anew: CREATE OR REPLACE TABLE t AS SELECT … FROM t"),
    ("TRUNCATE", "drop the table and create it anew"),
    ("MERGE", "tables are appended to with INSERT INTO"),
    ("BEGIN", "each statement is a transaction of its own"),
    ("START", "each statement is a transaction of its own"),
    ("COMMIT", "each statement is a transaction of its own"),
    ("ROLLBACK", "each statement is a transaction of its own"),
    ("ATTACH", "open the other database in a connection of its own"),
    ("DETACH", "open the other database in a connection of its own"),
    ("USE", "a connection has one database"),
    ("PRAGMA", "settings are changed with SET name = value"),
    ("RESET", "settings are changed with SET name = value"),
    ("ANALYZE", "statistics are kept up to date by themselves"),
    ("PREPARE", "use Connection::prepare"),
    ("EXECUTE", "use Connection::prepare"),
    ("CALL", "there are no procedures"),
    ("GRANT", "there are no users: the file system decides"),
    ("REVOKE", "there are no users: the file system decides"),
    ("LOAD", "there are no extensions"),
    ("INSTALL", "there are no extensions"),
    ("EXPORT", "a database is a directory: copy it"),
    ("IMPORT", "load with CREATE TABLE t FROM 'file'"),
];

const STATEMENTS: [&str; 15] = [
    "SELECT",
    "FROM",
    "WITH",
    "VALUES",
    "CREATE",
    "INSERT",
    "COPY",
    "DROP",
    "DESCRIBE",
    "SUMMARIZE",
    "SHOW",
    "EXPLAIN",
    "SET",
    "COMMENT",
    "VACUUM",
];

/// No statement of ours begins with `token`.
pub(super) fn unknown_statement(token: &TokenWithSpan) -> Error {
    let word = upper(&token.token);
    if let Some((_, hint)) = ELSEWHERE.iter().find(|(name, _)| *name == word) {
        return refused(&format!("{word} is not supported"), token).with_hint(*hint);
    }
    let mut near = suggest::nearest(&word, STATEMENTS.into_iter());
    if near.is_empty() {
        near = suggest::nearest(&word, KEYWORDS.into_iter());
    }
    let error = Error::syntax(format!("expected a statement, found {}", token.token));
    let error = if near.is_empty() {
        error.with_hint(
            "statements begin with SELECT, FROM, DESCRIBE, SUMMARIZE, CREATE, INSERT, COPY, …",
        )
    } else {
        error.with_suggestions(near)
    };
    match start_of(token.span) {
        Some(position) => error.at(position),
        None => error,
    }
}
