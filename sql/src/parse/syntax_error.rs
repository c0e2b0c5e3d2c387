//! sqlparser's refusals in our words, with the keyword that was probably meant.

use martlet_engine::types::Error;
use sqlparser::parser::ParserError;
use sqlparser::tokenizer::{Token, TokenWithSpan, TokenizerError};

use super::position::start_of;
use crate::suggest;

/// What stopped the parser: its own error, or one of ours.
#[derive(Debug)]
pub(super) enum Failure {
    Parser(Box<ParserError>),
    Ours(Error),
}

impl From<ParserError> for Failure {
    fn from(error: ParserError) -> Failure {
        Failure::Parser(Box::new(error))
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Failure {
        Failure::Ours(error)
    }
}

/// The keywords that a slip of the pen is compared with.
const KEYWORDS: [&str; 42] = [
    "SELECT", "FROM", "WHERE", "GROUP", "ORDER", "HAVING", "LIMIT", "OFFSET", "DISTINCT", "AS",
    "BY", "AND", "OR", "NOT", "IN", "BETWEEN", "LIKE", "ILIKE", "IS", "NULL", "CASE", "WHEN",
    "THEN", "ELSE", "END", "ASC", "DESC", "NULLS", "FIRST", "LAST", "CAST", "WITH", "VALUES",
    "FILTER", "ESCAPE", "CREATE", "TABLE", "INSERT", "INTO", "DROP", "EXPLAIN", "EXISTS",
];

/// Turns `failure` into an error with a position.
pub(super) fn explain(failure: Failure, sql: &str, tokens: &[TokenWithSpan]) -> Error {
    let error = match failure {
        Failure::Ours(error) => return error,
        Failure::Parser(error) => *error,
    };
    let message = match error {
        ParserError::RecursionLimitExceeded => {
            return Error::unsupported("the statement is nested too deeply").with_hint(
                "at most 60 levels of parentheses, functions and subqueries are allowed",
            );
        }
        ParserError::TokenizerError(text) | ParserError::ParserError(text) => text,
    };
    let (message, position) = split_position(&message, sql);
    let error = Error::syntax(reword(message, sql, position)).at(position);
    match meant(tokens, position) {
        Some((keywords, at)) => error.at(at).with_suggestions(keywords),
        None => error,
    }
}

/// The tokenizer's refusal; its positions are lines and columns.
pub(super) fn from_tokenizer(error: &TokenizerError, sql: &str) -> Error {
    let line = usize::try_from(error.location.line).unwrap_or(1).saturating_sub(1);
    let column = usize::try_from(error.location.column).unwrap_or(1).saturating_sub(1);
    let line_start: usize = sql.split_inclusive('\n').take(line).map(str::len).sum();
    let in_line = sql[line_start..].chars().take(column).map(char::len_utf8).sum::<usize>();
    let message = error.message.trim_end_matches('.');
    let lowered: String =
        message.chars().enumerate().map(|(i, c)| if i == 0 { lower(c) } else { c }).collect();
    Error::syntax(lowered).at(line_start + in_line)
}

fn lower(c: char) -> char {
    c.to_lowercase().next().unwrap_or(c)
}

/// sqlparser ends its messages in ` at Line: 1, Column: 8`; the column is our byte offset + 1.
fn split_position<'m>(message: &'m str, sql: &str) -> (&'m str, usize) {
    let Some((text, place)) = message.rsplit_once(" at Line: ") else {
        return (message, sql.trim_end().len());
    };
    let column: Option<usize> =
        place.rsplit_once("Column: ").and_then(|(_, column)| column.parse().ok());
    match column {
        Some(column) if column > 0 => (text, (column - 1).min(sql.len())),
        _ => (text, sql.trim_end().len()),
    }
}

/// `Expected: an expression, found: FROM` becomes `expected an expression, found FROM`.
fn reword(message: &str, sql: &str, position: usize) -> String {
    let message = message.strip_prefix("sql parser error: ").unwrap_or(message);
    let Some((expected, found)) =
        message.strip_prefix("Expected: ").and_then(|rest| rest.split_once(", found: "))
    else {
        return message.trim_end_matches('.').to_owned();
    };
    if found == "EOF" || position >= sql.trim_end().len() {
        return format!("expected {expected}, found the end of the text");
    }
    if expected == "end of statement" {
        return format!("unexpected {found}");
    }
    format!("expected {expected}, found {found}")
}

/// A word at or just before `position` that is nearly a keyword: the keywords, and where it stands.
fn meant(tokens: &[TokenWithSpan], position: usize) -> Option<(Vec<String>, usize)> {
    let upto = tokens.partition_point(|token| start_of(token.span).unwrap_or(0) <= position);
    tokens[..upto].iter().rev().take(3).find_map(|token| {
        let Token::Word(word) = &token.token else { return None };
        let is_exact = KEYWORDS.iter().any(|keyword| keyword.eq_ignore_ascii_case(&word.value));
        if word.quote_style.is_some() || is_exact || word.value.len() < 3 {
            return None;
        }
        let mut near = suggest::nearest(&word.value, KEYWORDS.into_iter());
        near.truncate(1);
        (!near.is_empty()).then_some((near, start_of(token.span)?))
    })
}
