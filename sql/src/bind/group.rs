//! GROUP BY: what the keys are, and expressions over the groups instead of over the rows.

use martlet_engine::plan::Expr;
use martlet_engine::types::{DataType, Error, Result, Value};
use sqlparser::ast::{self, GroupByExpr};

use super::expression::{
    AGGREGATE_BASE, Alias, Clause, Environment, WINDOW_BASE, contains_aggregate, contains_window,
};
use super::refuse::{position_of, refuse_if};
use super::scope::Scope;
use super::select_list::Item;
use super::{Binder, place};

impl<'a> Binder<'a> {
    /// The keys of GROUP BY; `None` without that clause.
    pub(super) fn bind_group_by(
        &mut self,
        group_by: &'a GroupByExpr,
        items: &[Item],
        aliases: &[Alias],
        scope: &mut Scope,
        at: usize,
    ) -> Result<Option<Vec<Expr>>> {
        let (exprs, modifiers) = match group_by {
            GroupByExpr::All(modifiers) => (None, modifiers),
            GroupByExpr::Expressions(exprs, modifiers) => (Some(exprs), modifiers),
        };
        refuse_if(!modifiers.is_empty(), "WITH in GROUP BY", self.tokens, at)?;
        let mut keys = Vec::new();
        match exprs {
            None => {
                let free = items.iter().filter(|item| !contains_aggregate(&item.expr));
                free.for_each(|item| add_key(&mut keys, item.expr.clone()));
            }
            Some(exprs) if exprs.is_empty() => return Ok(None),
            Some(exprs) => {
                let mut env = Environment {
                    scope,
                    clause: Clause::GroupBy,
                    aliases,
                    aggregates: None,
                    windows: None,
                };
                for expr in exprs.iter().flat_map(flatten) {
                    add_key(&mut keys, self.bind_key(expr, items, &mut env)?);
                }
            }
        }
        Ok(Some(keys))
    }

    fn bind_key(
        &mut self,
        expr: &'a ast::Expr,
        items: &[Item],
        env: &mut Environment<'_>,
    ) -> Result<Expr> {
        let bound = self.bind_expr(expr, env)?;
        let key = match ordinal(expr, &bound) {
            None => bound,
            Some(number) => {
                let item = item_at(number, items, "GROUP BY")
                    .map_err(|error| place(error, position_of(expr)))?;
                if contains_aggregate(&item.expr) {
                    let is_window = contains_window(&item.expr);
                    let what = if is_window { "a window function" } else { "an aggregate" };
                    let message = format!("column {number} of the select list is {what}");
                    let error =
                        Error::invalid(message).with_hint("GROUP BY takes the other columns");
                    return Err(place(error, position_of(expr)));
                }
                item.expr.clone()
            }
        };
        if key.data_type() == DataType::Null {
            return Ok(key.cast_to(DataType::Utf8));
        }
        Ok(key)
    }
}

fn add_key(keys: &mut Vec<Expr>, key: Expr) {
    if !keys.contains(&key) {
        keys.push(key);
    }
}

/// `(a, b)` groups by both, `()` by nothing.
fn flatten(expr: &ast::Expr) -> Vec<&ast::Expr> {
    match expr {
        ast::Expr::Tuple(parts) => parts.iter().flat_map(flatten).collect(),
        other => vec![other],
    }
}

/// The number of a bare integer literal.
pub(super) fn ordinal(expr: &ast::Expr, bound: &Expr) -> Option<i128> {
    let is_bare = match expr {
        ast::Expr::Value(value) => matches!(value.value, ast::Value::Number(..)),
        ast::Expr::UnaryOp { op: ast::UnaryOperator::Minus, expr } => {
            matches!(&**expr, ast::Expr::Value(_))
        }
        _ => false,
    };
    match bound {
        Expr::Literal { value: Value::Int(number), data_type }
            if is_bare && data_type.is_integer() =>
        {
            Some(*number)
        }
        _ => None,
    }
}

/// The select item with this number, counted from 1.
pub(super) fn item_at<'i>(number: i128, items: &'i [Item], clause: &str) -> Result<&'i Item> {
    let index = usize::try_from(number).ok().and_then(|number| number.checked_sub(1));
    index.and_then(|index| items.get(index)).ok_or_else(|| {
        let count = items.len();
        Error::invalid(format!("{clause} position {number} is not in the select list"))
            .with_hint(format!("positions go from 1 to {count}"))
    })
}

/// `expr` over the output of an aggregate operator: keys first, then aggregates.
pub(super) fn over_groups(expr: Expr, keys: &[Expr], scope: &Scope) -> Result<Expr> {
    if matches!(expr, Expr::Literal { .. }) {
        return Ok(expr);
    }
    if let Some(place) = keys.iter().position(|key| *key == expr) {
        return Ok(Expr::column(place, expr.data_type()));
    }
    if let Expr::Column { index, data_type } = expr {
        if index >= WINDOW_BASE {
            return Ok(Expr::column(index, data_type));
        }
        if index >= AGGREGATE_BASE {
            return Ok(Expr::column(keys.len() + index - AGGREGATE_BASE, data_type));
        }
        let name = scope.column_name(index);
        let error = Error::invalid(format!(
            "the column \"{name}\" is neither in GROUP BY nor inside an aggregate"
        ))
        .with_hint(format!("add it to GROUP BY, or write min({name}) or GROUP BY ALL"));
        return Err(place(error, scope.last_reference(index)));
    }
    let mut expr = expr;
    for child in expr.children_mut() {
        let taken = std::mem::replace(child, Expr::literal(Value::Null, DataType::Null));
        *child = over_groups(taken, keys, scope)?;
    }
    Ok(expr)
}
