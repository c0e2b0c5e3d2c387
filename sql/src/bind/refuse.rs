//! Refusals: what is understood but not planned, by name, at its place in the text.

use martlet_engine::types::{Error, Result};
use sqlparser::ast::{Expr, FunctionArg, FunctionArgExpr, FunctionArguments, ObjectName, Spanned};
use sqlparser::tokenizer::{Token, TokenWithSpan};

use crate::parse::position::start_of;

/// Fails with "`what` is not supported" at the first token `word` at or behind `from`, if `present`.
pub(super) fn refuse_if(
    present: bool,
    what: &str,
    tokens: &[TokenWithSpan],
    from: usize,
) -> Result<()> {
    if !present {
        return Ok(());
    }
    let word = what.split(' ').next().unwrap_or(what);
    let error = Error::unsupported(format!("{what} is not supported"));
    Err(match find_word(tokens, word, from) {
        Some(position) => error.at(position),
        None => error.at(from),
    })
}

/// The position of the first unquoted `word` at or behind byte `from`.
pub(super) fn find_word(tokens: &[TokenWithSpan], word: &str, from: usize) -> Option<usize> {
    tokens
        .iter()
        .filter(|token| start_of(token.span).is_some_and(|start| start >= from))
        .find(|token| match &token.token {
            Token::Word(found) => {
                found.quote_style.is_none() && found.value.eq_ignore_ascii_case(word)
            }
            _ => false,
        })
        .and_then(|token| start_of(token.span))
}

/// The position of the first text literal `text`; sqlparser keeps none for a file in FROM.
pub(super) fn find_text(tokens: &[TokenWithSpan], text: &str) -> Option<usize> {
    let is_it = |token: &&TokenWithSpan| matches!(&token.token, Token::SingleQuotedString(found) if found == text);
    tokens.iter().find(is_it).and_then(|token| start_of(token.span))
}

/// "`what` is not supported" at `position`.
pub(super) fn unsupported(what: &str, position: Option<usize>) -> Error {
    super::place(Error::unsupported(format!("{what} is not supported")), position)
}

/// Where `expr` begins, as far as sqlparser kept it: the first span on its left edge.
///
/// Walks down the left edge only; `Expr::span` would visit the whole tree.
pub(crate) fn position_of(expr: &Expr) -> Option<usize> {
    let mut expr = expr;
    loop {
        expr = match expr {
            Expr::Identifier(ident) => return start_of(ident.span),
            Expr::CompoundIdentifier(parts) => return start_of(parts.first()?.span),
            Expr::Value(value) => return start_of(value.span),
            Expr::TypedString(typed) => return start_of(typed.value.span),
            Expr::Function(function) => return name_position(&function.name),
            Expr::Case { case_token, .. } => return start_of(case_token.0.span),
            Expr::Wildcard(token) | Expr::QualifiedWildcard(_, token) => {
                return start_of(token.0.span);
            }
            Expr::IsFalse(inner)
            | Expr::IsNotFalse(inner)
            | Expr::IsTrue(inner)
            | Expr::IsNotTrue(inner)
            | Expr::IsNull(inner)
            | Expr::IsNotNull(inner)
            | Expr::IsUnknown(inner)
            | Expr::IsNotUnknown(inner)
            | Expr::IsDistinctFrom(inner, _)
            | Expr::IsNotDistinctFrom(inner, _)
            | Expr::Nested(inner)
            | Expr::InList { expr: inner, .. }
            | Expr::InSubquery { expr: inner, .. }
            | Expr::InUnnest { expr: inner, .. }
            | Expr::Between { expr: inner, .. }
            | Expr::BinaryOp { left: inner, .. }
            | Expr::AnyOp { left: inner, .. }
            | Expr::AllOp { left: inner, .. }
            | Expr::Like { expr: inner, .. }
            | Expr::ILike { expr: inner, .. }
            | Expr::SimilarTo { expr: inner, .. }
            | Expr::RLike { expr: inner, .. }
            | Expr::UnaryOp { expr: inner, .. }
            | Expr::Cast { expr: inner, .. }
            | Expr::AtTimeZone { timestamp: inner, .. }
            | Expr::Extract { expr: inner, .. }
            | Expr::Ceil { expr: inner, .. }
            | Expr::Floor { expr: inner, .. }
            | Expr::Position { expr: inner, .. }
            | Expr::Substring { expr: inner, .. }
            | Expr::Trim { expr: inner, .. }
            | Expr::Collate { expr: inner, .. }
            | Expr::CompoundFieldAccess { root: inner, .. } => inner,
            Expr::Interval(interval) => &interval.value,
            Expr::Tuple(items) => items.first()?,
            Expr::Subquery(query) | Expr::Exists { subquery: query, .. } => {
                return start_of(query.body.span());
            }
            _ => return None,
        };
    }
}

/// Where a name begins.
pub(super) fn name_position(name: &ObjectName) -> Option<usize> {
    start_of(name.0.first()?.as_ident()?.span)
}

/// The plain arguments of a function call; anything else is refused.
pub(super) fn plain_arguments<'e>(
    function: &'e sqlparser::ast::Function,
    name: &str,
) -> Result<Vec<&'e Expr>> {
    let position = name_position(&function.name);
    let list = match &function.args {
        FunctionArguments::None => return Ok(Vec::new()),
        FunctionArguments::Subquery(_) => {
            return Err(unsupported("a subquery as argument", position));
        }
        FunctionArguments::List(list) => list,
    };
    list.args
        .iter()
        .map(|argument| match argument {
            FunctionArg::Unnamed(FunctionArgExpr::Expr(expr)) => Ok(expr),
            FunctionArg::Unnamed(_) => {
                Err(unsupported(&format!("* as an argument of {name}"), position))
            }
            FunctionArg::Named { name, .. } => {
                Err(unsupported("a named argument", start_of(name.span)))
            }
            FunctionArg::ExprNamed { name, .. } => {
                Err(unsupported("a named argument", position_of(name)))
            }
        })
        .collect()
}
