//! Expressions: every node of sqlparser's tree is bound here or refused by name.

use martlet_engine::plan::{Aggregate, Expr};
use martlet_engine::types::{Error, Result};
use sqlparser::ast::{self, Ident};
use sqlparser::tokenizer::{Token, TokenWithSpan};

use super::refuse::{find_word, position_of, unsupported};
use super::scope::Scope;
use super::window::WindowCall;
use super::{Binder, place};
use crate::parse::position::start_of;

/// How deep calls may nest while binding, and how long a chain of operators may be in a plan.
const DEPTH_MAX: usize = 200;
/// How many operators may stand in one chain other than AND and OR.
pub(super) const CHAIN_MAX: usize = 500;

/// Aggregates are columns from here on until the select list is taken apart.
pub(super) const AGGREGATE_BASE: usize = usize::MAX / 2;

/// Window functions are columns from here on until the operators that number rows are made.
pub(super) const WINDOW_BASE: usize = usize::MAX / 4 * 3;

/// The clause that an expression stands in; decides what it may name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Clause {
    Select,
    Where,
    GroupBy,
    Having,
    OrderBy,
    AggregateArgument,
    Window,
    Qualify,
    Values,
}

impl Clause {
    pub(super) fn name(self) -> &'static str {
        match self {
            Clause::Select => "SELECT",
            Clause::Where => "WHERE",
            Clause::GroupBy => "GROUP BY",
            Clause::Having => "HAVING",
            Clause::OrderBy => "ORDER BY",
            Clause::AggregateArgument => "the argument of an aggregate",
            Clause::Window => "OVER",
            Clause::Qualify => "QUALIFY",
            Clause::Values => "VALUES",
        }
    }
}

/// A select item that others may name.
#[derive(Clone, Debug)]
pub(super) struct Alias {
    pub(super) name: String,
    pub(super) expr: Expr,
}

/// What an expression may name.
pub(super) struct Environment<'e> {
    pub(super) scope: &'e mut Scope,
    pub(super) clause: Clause,
    pub(super) aliases: &'e [Alias],
    /// Where aggregates are collected; `None` where they are not allowed.
    pub(super) aggregates: Option<&'e mut Vec<Aggregate>>,
    /// Where window functions are collected; `None` where they are not allowed.
    pub(super) windows: Option<&'e mut Vec<WindowCall>>,
}

impl<'a> Binder<'a> {
    /// Binds one expression.
    pub(super) fn bind_expr(
        &mut self,
        expr: &'a ast::Expr,
        env: &mut Environment<'_>,
    ) -> Result<Expr> {
        if self.depth >= DEPTH_MAX {
            let error = Error::unsupported("the expression is nested too deeply");
            return Err(place(error, position_of(expr)));
        }
        self.depth += 1;
        let bound = self.bind_node(expr, env);
        self.depth -= 1;
        bound.map_err(|error| place(error, position_of(expr)))
    }

    pub(super) fn bind_all(
        &mut self,
        exprs: &'a [ast::Expr],
        env: &mut Environment<'_>,
    ) -> Result<Vec<Expr>> {
        exprs.iter().map(|expr| self.bind_expr(expr, env)).collect()
    }

    fn bind_node(&mut self, expr: &'a ast::Expr, env: &mut Environment<'_>) -> Result<Expr> {
        use ast::Expr as Ast;
        match expr {
            Ast::Identifier(ident) => bind_name(ident, env),
            Ast::CompoundIdentifier(parts) => bind_qualified(parts, env),
            Ast::Value(value) => self.bind_value(value),
            Ast::TypedString(typed) => self.bind_typed_string(typed),
            Ast::Interval(interval) => super::interval::bind_interval(interval),
            Ast::Nested(inner) => self.bind_expr(inner, env),
            Ast::BinaryOp { .. } => self.bind_chain(expr, env),
            Ast::UnaryOp { op, expr } => self.bind_unary(*op, expr, env),
            Ast::Function(function) => self.bind_function(function, env),
            other => match self.bind_test(other, env)? {
                Some(test) => Ok(test),
                None => self.bind_special(other, env),
            },
        }
    }
}

/// A bare name: a column, else an alias of the select list.
fn bind_name(ident: &Ident, env: &mut Environment<'_>) -> Result<Expr> {
    let position = start_of(ident.span);
    let found = env.scope.find(&ident.value, position).map_err(|error| place(error, position))?;
    if let Some(found) = found {
        return Ok(Expr::column(found.index, found.data_type));
    }
    if let Some(alias) = find_alias(env.aliases, &ident.value) {
        return use_alias(alias, env.clause).map_err(|error| place(error, position));
    }
    let error = env.scope.unknown_column(&ident.value, position);
    if !error.suggestions().is_empty() || env.scope.is_empty() {
        return Err(error);
    }
    if ident.quote_style.is_some() {
        return Err(error.with_hint("texts are quoted with '', names with \"\""));
    }
    if env.clause == Clause::Select || error.hint().is_some() {
        return Err(error);
    }
    let name = &ident.value;
    Err(error.with_hint(format!("a text stands in single quotes: '{name}'")))
}

pub(super) fn find_alias<'e>(aliases: &'e [Alias], name: &str) -> Option<&'e Alias> {
    let exact = aliases.iter().find(|alias| alias.name == name);
    exact.or_else(|| aliases.iter().find(|alias| alias.name.eq_ignore_ascii_case(name)))
}

fn use_alias(alias: &Alias, clause: Clause) -> Result<Expr> {
    let name = &alias.name;
    if clause == Clause::Where {
        return Err(Error::unknown_name(format!("the alias \"{name}\" cannot be used in WHERE"))
            .with_hint("repeat its expression, or filter in an outer query or in HAVING"));
    }
    let takes_windows = matches!(clause, Clause::Select | Clause::OrderBy | Clause::Qualify);
    if contains_window(&alias.expr) && !takes_windows {
        let clause = clause.name();
        let message = format!("the alias \"{name}\" is a window function, not allowed in {clause}");
        return Err(Error::invalid(message));
    }
    let has_aggregate = contains_aggregate(&alias.expr);
    if has_aggregate && matches!(clause, Clause::GroupBy | Clause::AggregateArgument) {
        let message =
            format!("the alias \"{name}\" is an aggregate, not allowed in {}", clause.name());
        return Err(Error::invalid(message));
    }
    Ok(alias.expr.clone())
}

/// Whether `expr` reads the result of an aggregate, or of a window function, which comes later still.
pub(super) fn contains_aggregate(expr: &Expr) -> bool {
    names_column_from(expr, AGGREGATE_BASE)
}

/// Whether `expr` reads the number that a window function gives.
pub(super) fn contains_window(expr: &Expr) -> bool {
    names_column_from(expr, WINDOW_BASE)
}

fn names_column_from(expr: &Expr, first: usize) -> bool {
    let mut found = false;
    expr.for_each_column(&mut |index| found |= index >= first);
    found
}

fn bind_qualified(parts: &[Ident], env: &mut Environment<'_>) -> Result<Expr> {
    let [qualifier, name] = parts else {
        let position = parts.first().and_then(|part| start_of(part.span));
        return Err(unsupported("a name of three or more parts", position));
    };
    let position = start_of(qualifier.span);
    if !env.scope.answers_to(&qualifier.value) {
        let error =
            Error::unknown_name(format!("there is no table \"{}\" in FROM", qualifier.value));
        let error = match env.scope.name() {
            Some(name) => error.with_suggestions(vec![name.to_owned()]),
            None => error,
        };
        return Err(place(error, position));
    }
    let position = start_of(name.span);
    match env.scope.find(&name.value, position).map_err(|error| place(error, position))? {
        Some(found) => Ok(Expr::column(found.index, found.data_type)),
        None => Err(env.scope.unknown_column(&name.value, position)),
    }
}

/// Names what is not supported.
pub(super) fn refuse(expr: &ast::Expr, tokens: &[TokenWithSpan]) -> Error {
    use ast::Expr as Ast;
    let what = match expr {
        Ast::Subquery(_) => "a subquery in an expression",
        Ast::Exists { .. } => "EXISTS",
        Ast::InSubquery { .. } => "IN with a subquery",
        Ast::InUnnest { .. } => "IN UNNEST",
        Ast::Like { .. } | Ast::ILike { .. } => "LIKE ANY",
        Ast::SimilarTo { .. } => "SIMILAR TO",
        Ast::RLike { .. } => "RLIKE",
        Ast::AnyOp { .. } => "ANY",
        Ast::AllOp { .. } => "ALL in an expression",
        Ast::Collate { .. } => "COLLATE",
        Ast::Overlay { .. } => "OVERLAY",
        Ast::Tuple(_) => "a row value",
        Ast::Array(_) => "an array",
        Ast::Struct { .. } | Ast::Dictionary(_) | Ast::Map(_) => "a struct or map",
        Ast::CompoundFieldAccess { .. } => "access to a field or element",
        Ast::JsonAccess { .. } | Ast::IsJson { .. } => "JSON",
        Ast::GroupingSets(_) => "GROUPING SETS",
        Ast::Cube(_) => "CUBE",
        Ast::Rollup(_) => "ROLLUP",
        Ast::Lambda(_) => "a lambda",
        Ast::Convert { .. } => "CONVERT",
        Ast::IsNormalized { .. } => "IS NORMALIZED",
        Ast::Prefixed { .. } => "a prefixed literal",
        Ast::MatchAgainst { .. } => "MATCH AGAINST",
        Ast::OuterJoin(_) | Ast::Prior(_) => "an Oracle operator",
        Ast::MemberOf(_) => "MEMBER OF",
        Ast::Named { .. } => "a named expression",
        Ast::Wildcard(_) | Ast::QualifiedWildcard(..) => "* in an expression",
        _ => "this expression",
    };
    let first_word = what.split(' ').next().unwrap_or(what);
    let bracket = || match expr {
        Ast::Array(_) => tokens.iter().find(|token| token.token == Token::LBracket),
        _ => None,
    };
    let position = position_of(expr)
        .or_else(|| start_of(bracket()?.span))
        .or_else(|| find_word(tokens, first_word, 0));
    let error = unsupported(what, position);
    match expr {
        Ast::Subquery(_) | Ast::Exists { .. } | Ast::InSubquery { .. } => {
            error.with_hint("a subquery may stand in FROM; ask for the inner result first")
        }
        Ast::Array(_) => error.with_hint("names are quoted with \"\""),
        Ast::SimilarTo { .. } | Ast::RLike { .. } => {
            error.with_hint("write regexp_matches(text, pattern) or text ~ pattern")
        }
        _ => error,
    }
}
