//! The select list: names, aliases, `*` and what may follow it, `COLUMNS('regex')`.

use std::fmt::Write;

use martlet_engine::plan::{Aggregate, Expr};
use martlet_engine::types::{Error, Result};
use regex::Regex;
use sqlparser::ast::{
    self, ExcludeSelectItem, FunctionArg, FunctionArgExpr, FunctionArguments, Ident, ObjectName,
    ReplaceSelectElement, ReplaceSelectItem, SelectItem, SelectItemQualifiedWildcardKind,
    WildcardAdditionalOptions,
};

use super::expression::{Alias, Clause, Environment};
use super::refuse::{name_position, position_of, unsupported};
use super::scope::Scope;
use super::window::WindowCall;
use super::{Binder, place};
use crate::parse::position::start_of;

/// One column of the result.
#[derive(Clone, Debug)]
pub(super) struct Item {
    pub(super) name: String,
    pub(super) expr: Expr,
}

/// A bound select list.
#[derive(Debug, Default)]
pub(super) struct SelectList {
    pub(super) items: Vec<Item>,
    /// The aliases that were written.
    pub(super) aliases: Vec<Alias>,
    pub(super) aggregates: Vec<Aggregate>,
    pub(super) windows: Vec<WindowCall>,
}

/// Longer names of unnamed expressions are cut.
const NAME_CHARS_MAX: usize = 60;
/// Deeper expressions are not written out for a name.
const NAME_DEPTH_MAX: usize = 40;

impl<'a> Binder<'a> {
    /// Binds the select list in order; each item may name the aliases before it.
    pub(super) fn bind_select_list(
        &mut self,
        projection: &'a [SelectItem],
        scope: &mut Scope,
    ) -> Result<SelectList> {
        let mut list = SelectList::default();
        for item in projection {
            match item {
                SelectItem::UnnamedExpr(expr) => self.bind_unnamed(expr, scope, &mut list)?,
                SelectItem::ExprWithAlias { expr, alias } => {
                    refuse_second_text(expr, alias)?;
                    let bound = self.bind_item(expr, scope, &mut list)?;
                    let name = alias.value.clone();
                    list.aliases.push(Alias { name: name.clone(), expr: bound.clone() });
                    list.items.push(Item { name, expr: bound });
                }
                SelectItem::ExprWithAliases { expr, aliases: _ } => {
                    return Err(unsupported(
                        "several aliases of one expression",
                        position_of(expr),
                    ));
                }
                SelectItem::Wildcard(options) => self.bind_wildcard(options, scope, &mut list)?,
                SelectItem::QualifiedWildcard(kind, options) => {
                    check_qualifier(kind, scope)?;
                    self.bind_wildcard(options, scope, &mut list)?;
                }
            }
        }
        Ok(list)
    }

    fn bind_unnamed(
        &mut self,
        expr: &'a ast::Expr,
        scope: &mut Scope,
        list: &mut SelectList,
    ) -> Result<()> {
        if let Some(pattern) = columns_pattern(expr)? {
            return add_matching(&pattern, position_of(expr), scope, list);
        }
        let bound = self.bind_item(expr, scope, list)?;
        list.items.push(Item { name: name_of(expr, &bound, scope), expr: bound });
        Ok(())
    }

    fn bind_item(
        &mut self,
        expr: &'a ast::Expr,
        scope: &mut Scope,
        list: &mut SelectList,
    ) -> Result<Expr> {
        let mut env = Environment {
            scope,
            clause: Clause::Select,
            aliases: &list.aliases,
            aggregates: Some(&mut list.aggregates),
            windows: Some(&mut list.windows),
        };
        self.bind_expr(expr, &mut env)
    }

    fn bind_wildcard(
        &mut self,
        options: &'a WildcardAdditionalOptions,
        scope: &mut Scope,
        list: &mut SelectList,
    ) -> Result<()> {
        let WildcardAdditionalOptions {
            wildcard_token,
            opt_ilike,
            opt_exclude,
            opt_except,
            opt_replace,
            opt_rename,
            opt_alias,
        } = options;
        let position = start_of(wildcard_token.0.span);
        if scope.is_empty() {
            return Err(place(Error::invalid("* needs a FROM"), position));
        }
        let refused = [
            (opt_ilike.is_some(), "* ILIKE"),
            (opt_except.is_some(), "* EXCEPT"),
            (opt_rename.is_some(), "* RENAME"),
            (opt_alias.is_some(), "an alias of *"),
        ];
        if let Some((_, what)) = refused.into_iter().find(|(present, _)| *present) {
            return Err(unsupported(what, position).with_hint("there are * EXCLUDE and * REPLACE"));
        }
        let names = scope.names();
        let excluded = match opt_exclude {
            None => Vec::new(),
            Some(ExcludeSelectItem::Single(name)) => vec![find_excluded(name, &names, scope)?],
            Some(ExcludeSelectItem::Multiple(all)) => all
                .iter()
                .map(|name| find_excluded(name, &names, scope))
                .collect::<Result<Vec<usize>>>()?,
        };
        let replaced = match opt_replace {
            None => Vec::new(),
            Some(ReplaceSelectItem { items }) => items
                .iter()
                .map(|item| self.bind_replacement(item, &names, scope, list))
                .collect::<Result<Vec<(usize, Expr)>>>()?,
        };
        for (place_in_table, name) in names.into_iter().enumerate() {
            if excluded.contains(&place_in_table) {
                continue;
            }
            let replacement = replaced.iter().find(|(replaced, _)| *replaced == place_in_table);
            let expr = match replacement {
                Some((_, expr)) => expr.clone(),
                None => scope.column_at(place_in_table).map_err(|error| place(error, position))?,
            };
            list.items.push(Item { name, expr });
        }
        Ok(())
    }

    fn bind_replacement(
        &mut self,
        item: &'a ReplaceSelectElement,
        names: &[String],
        scope: &mut Scope,
        list: &mut SelectList,
    ) -> Result<(usize, Expr)> {
        let ReplaceSelectElement { expr, column_name, as_keyword: _ } = item;
        let place = find_position(column_name, names, scope)?;
        Ok((place, self.bind_item(expr, scope, list)?))
    }
}

/// `'a' 'b'` is no text with an alias, but two texts or a forgotten comma.
fn refuse_second_text(expr: &ast::Expr, alias: &Ident) -> Result<()> {
    let is_text = matches!(expr, ast::Expr::Value(value)
        if matches!(value.value, ast::Value::SingleQuotedString(_)));
    if is_text && alias.quote_style == Some('\'') {
        return Err(unsupported("a text behind a text", start_of(alias.span))
            .with_hint("names are quoted with \"\"; texts are put together with ||"));
    }
    Ok(())
}

fn check_qualifier(kind: &SelectItemQualifiedWildcardKind, scope: &Scope) -> Result<()> {
    let SelectItemQualifiedWildcardKind::ObjectName(name) = kind else {
        return Err(unsupported("* of an expression", None));
    };
    let position = name_position(name);
    match &name.0[..] {
        [part] if part.as_ident().is_some_and(|ident| scope.answers_to(&ident.value)) => Ok(()),
        [_] => {
            let error = Error::unknown_name(format!("there is no table {name} in FROM"));
            Err(place(error, position))
        }
        _ => Err(unsupported("a name of three or more parts", position)),
    }
}

fn find_excluded(name: &ObjectName, names: &[String], scope: &Scope) -> Result<usize> {
    match &name.0[..] {
        [part] => match part.as_ident() {
            Some(ident) => find_position(ident, names, scope),
            None => Err(unsupported("this name in EXCLUDE", name_position(name))),
        },
        _ => Err(unsupported("a qualified name in EXCLUDE", name_position(name))),
    }
}

fn find_position(ident: &Ident, names: &[String], scope: &Scope) -> Result<usize> {
    let name = &ident.value;
    let exact = names.iter().position(|other| other == name);
    exact
        .or_else(|| names.iter().position(|other| other.eq_ignore_ascii_case(name)))
        .ok_or_else(|| scope.unknown_column(name, start_of(ident.span)))
}

/// The pattern of `COLUMNS('pattern')` or `COLUMNS(*)`.
fn columns_pattern(expr: &ast::Expr) -> Result<Option<String>> {
    let ast::Expr::Function(function) = expr else { return Ok(None) };
    if !function.name.to_string().eq_ignore_ascii_case("columns") {
        return Ok(None);
    }
    let FunctionArguments::List(list) = &function.args else { return Ok(None) };
    match &list.args[..] {
        [FunctionArg::Unnamed(FunctionArgExpr::Wildcard)] => Ok(Some(String::new())),
        [FunctionArg::Unnamed(FunctionArgExpr::Expr(ast::Expr::Value(value)))] => {
            match &value.value {
                ast::Value::SingleQuotedString(pattern) => Ok(Some(pattern.clone())),
                _ => Err(unsupported("this argument of COLUMNS", start_of(value.span))),
            }
        }
        _ => Err(unsupported("this argument of COLUMNS", name_position(&function.name))
            .with_hint("write COLUMNS('regular expression')")),
    }
}

fn add_matching(
    pattern: &str,
    position: Option<usize>,
    scope: &mut Scope,
    list: &mut SelectList,
) -> Result<()> {
    let regex = Regex::new(pattern).map_err(|error| {
        let reason = error.to_string().lines().last().unwrap_or_default().to_owned();
        place(Error::invalid(format!("the regular expression is not valid: {reason}")), position)
    })?;
    let before = list.items.len();
    for (place, name) in scope.names().into_iter().enumerate() {
        if regex.is_match(&name) {
            let expr = scope.column_at(place)?;
            list.items.push(Item { name, expr });
        }
    }
    if list.items.len() == before {
        let error = Error::unknown_name(format!("no column matches '{pattern}'"));
        return Err(place(error, position));
    }
    Ok(())
}

/// The name of an item without alias: the column's, else the expression as written.
fn name_of(ast: &ast::Expr, bound: &Expr, scope: &Scope) -> String {
    let mut inner = ast;
    while let ast::Expr::Nested(nested) = inner {
        inner = nested;
    }
    if let (ast::Expr::Identifier(_) | ast::Expr::CompoundIdentifier(_), Expr::Column { index, .. }) =
        (inner, bound)
        && *index < super::expression::AGGREGATE_BASE
    {
        return scope.column_name(*index).to_owned();
    }
    if left_depth(inner) > NAME_DEPTH_MAX {
        return "expression".to_owned();
    }
    let mut name = Bounded { text: String::new(), left: NAME_CHARS_MAX };
    match write!(name, "{inner}") {
        Ok(()) => name.text,
        Err(_) => name.text + "…",
    }
}

fn left_depth(expr: &ast::Expr) -> usize {
    let mut depth = 0;
    let mut expr = expr;
    loop {
        expr = match expr {
            ast::Expr::BinaryOp { left: inner, .. }
            | ast::Expr::Cast { expr: inner, .. }
            | ast::Expr::IsNull(inner)
            | ast::Expr::IsNotNull(inner)
            | ast::Expr::InList { expr: inner, .. }
            | ast::Expr::Between { expr: inner, .. }
            | ast::Expr::Like { expr: inner, .. } => inner,
            _ => return depth,
        };
        depth += 1;
        if depth > NAME_DEPTH_MAX {
            return depth;
        }
    }
}

/// A text that stops taking characters.
struct Bounded {
    text: String,
    left: usize,
}

impl Write for Bounded {
    fn write_str(&mut self, text: &str) -> std::fmt::Result {
        for c in text.chars() {
            self.left = self.left.checked_sub(1).ok_or(std::fmt::Error)?;
            self.text.push(if c.is_control() { ' ' } else { c });
        }
        Ok(())
    }
}
