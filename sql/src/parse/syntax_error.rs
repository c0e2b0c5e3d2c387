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
pub(super) const KEYWORDS: [&str; 42] = [
    "SELECT", "FROM", "WHERE", "GROUP", "ORDER", "HAVING", "LIMIT", "OFFSET", "DISTINCT", "AS",
    "BY", "AND", "OR", "NOT", "IN", "BETWEEN", "LIKE", "ILIKE", "IS", "NULL", "CASE", "WHEN",
    "THEN", "ELSE", "END", "DESC", "ASC", "NULLS", "FIRST", "LAST", "CAST", "WITH", "VALUES",
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
    let position = found_at(message, tokens, position);
    let error = Error::syntax(reword(message, sql, position)).at(position);
    if let Some((keywords, at)) = meant(tokens, position) {
        return error.at(at).with_suggestions(keywords);
    }
    if let Some(at) = open_case(tokens, position) {
        return Error::syntax("CASE has no END").with_hint("CASE WHEN … THEN … ELSE … END").at(at);
    }
    match word_at(tokens, position).as_deref() {
        Some(word @ ("GROUP" | "ORDER" | "PARTITION")) => {
            error.with_hint(format!("{word} is followed by BY"))
        }
        _ => match habit(tokens, position) {
            Some(hint) => error.with_hint(hint),
            None => error,
        },
    }
}

/// What people write who come from another dialect, or leave a comma out.
fn habit(tokens: &[TokenWithSpan], position: usize) -> Option<&'static str> {
    let place = tokens.iter().position(|token| start_of(token.span) == Some(position))?;
    let visible = |token: &&TokenWithSpan| !matches!(token.token, Token::Whitespace(_));
    let mut before = tokens[..place].iter().rev().filter(visible);
    let previous = before.next()?;
    let is_keyword = upper(&tokens[place]).is_some() && !is_operand(&tokens[place]);
    match &tokens[place].token {
        _ if is_keyword => None,
        Token::RParen => Some("there is no ( that it closes"),
        Token::Word(_)
            if previous.token == Token::Mul && !before.next().is_some_and(is_operand) =>
        {
            Some("is FROM missing before it?")
        }
        Token::Char('`') => Some("names are quoted with \"\""),
        Token::Comma if before.next().and_then(upper).as_deref() == Some("LIMIT") => {
            Some("LIMIT 10 OFFSET 20 leaves out the first 20 rows")
        }
        Token::LParen | Token::Word(_) | Token::Number(..) | Token::SingleQuotedString(_)
            if is_operand(previous) =>
        {
            Some("is a comma or an operator missing before it?")
        }
        _ => None,
    }
}

/// Whether an expression may end with the token.
pub(crate) fn is_operand(token: &TokenWithSpan) -> bool {
    match &token.token {
        Token::Number(..) | Token::SingleQuotedString(_) | Token::RParen => true,
        Token::Word(word) => {
            word.quote_style.is_some()
                || !KEYWORDS.iter().any(|keyword| keyword.eq_ignore_ascii_case(&word.value))
        }
        _ => false,
    }
}

/// Where what was found stands: sqlparser sometimes points at the token behind it.
fn found_at(message: &str, tokens: &[TokenWithSpan], position: usize) -> usize {
    let Some((_, found)) = message.split_once(", found: ") else { return position };
    let place = tokens.partition_point(|token| start_of(token.span).unwrap_or(0) < position);
    let is_found = |at: usize| tokens.get(at).is_some_and(|token| token.token.to_string() == found);
    match place.checked_sub(1).filter(|before| !is_found(place) && is_found(*before)) {
        Some(before) => start_of(tokens[before].span).unwrap_or(position),
        None => position,
    }
}

/// The last CASE of a statement that has fewer ENDs than CASEs, if the parser stopped behind one.
fn open_case(tokens: &[TokenWithSpan], position: usize) -> Option<usize> {
    let place = tokens.partition_point(|token| start_of(token.span).unwrap_or(0) < position);
    let begin = tokens[..place].iter().rposition(|token| token.token == Token::SemiColon);
    let statement = tokens[begin.map_or(0, |at| at + 1)..].iter();
    let statement = statement.take_while(|token| token.token != Token::SemiColon);
    let (mut cases, mut last) = (0_i64, None);
    for token in statement {
        match upper(token).as_deref() {
            Some("CASE") => {
                cases += 1;
                last = start_of(token.span);
            }
            Some("END") => cases -= 1,
            _ => (),
        }
    }
    last.filter(|at| cases > 0 && *at < position)
}

fn word_at(tokens: &[TokenWithSpan], position: usize) -> Option<String> {
    upper(tokens.iter().find(|token| start_of(token.span) == Some(position))?)
}

fn upper(token: &TokenWithSpan) -> Option<String> {
    match &token.token {
        Token::Word(word) if word.quote_style.is_none() => Some(word.value.to_uppercase()),
        _ => None,
    }
}

/// The tokenizer's refusal; its positions are lines and columns.
pub(super) fn from_tokenizer(error: &TokenizerError, sql: &str) -> Error {
    let line = usize::try_from(error.location.line).unwrap_or(1).saturating_sub(1);
    let column = usize::try_from(error.location.column).unwrap_or(1).saturating_sub(1);
    let line_start: usize = sql.split_inclusive('\n').take(line).map(str::len).sum();
    let in_line = sql[line_start..].chars().take(column).map(char::len_utf8).sum::<usize>();
    let message = match error.message.trim_end_matches('.') {
        "Expected close delimiter '\"' before EOF" => "unterminated quoted name",
        other => other,
    };
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
    let rest = message.strip_prefix("Expected: ").or_else(|| message.strip_prefix("Expected "));
    let Some((expected, found)) = rest.and_then(|rest| rest.split_once(", found: ")) else {
        return message.trim_end_matches('.').to_owned();
    };
    let expected = if expected == "identifier" { "a name" } else { expected };
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
    tokens[..upto].iter().enumerate().rev().take(3).find_map(|(place, token)| {
        let Token::Word(word) = &token.token else { return None };
        let is_exact = KEYWORDS.iter().any(|keyword| keyword.eq_ignore_ascii_case(&word.value));
        if word.quote_style.is_some() || is_exact || word.value.len() < 3 {
            return None;
        }
        let is_called = tokens.get(place + 1).is_some_and(|next| next.token == Token::LParen);
        let keywords = KEYWORDS.into_iter().filter(|keyword| *keyword != "CAST" || is_called);
        let mut near = suggest::nearest(&word.value, keywords);
        near.truncate(1);
        (!near.is_empty()).then_some((near, start_of(token.span)?))
    })
}
