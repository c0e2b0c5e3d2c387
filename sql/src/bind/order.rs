//! ORDER BY: names of the output, positions, expressions, ALL.

use martlet_engine::plan::{Expr, SortKey};
use martlet_engine::types::{Error, Result};
use sqlparser::ast::{self, OrderBy, OrderByExpr, OrderByKind, OrderByOptions, OrderBySort};

use super::expression::{Clause, Environment};
use super::group::{item_at, ordinal};
use super::refuse::{position_of, refuse_if, unsupported};
use super::scope::Scope;
use super::select_list::{Item, SelectList};
use super::{Binder, place};

/// What a term orders by.
#[derive(Clone, Debug)]
pub(super) enum Target {
    /// A select item.
    Output(usize),
    /// An expression over the same input as the select list.
    Expr(Expr),
}

/// One term.
#[derive(Clone, Debug)]
pub(super) struct Term {
    pub(super) target: Target,
    pub(super) descending: bool,
    pub(super) nulls_first: bool,
    position: Option<usize>,
}

/// A bound ORDER BY.
#[derive(Clone, Debug, Default)]
pub(super) struct Order {
    pub(super) terms: Vec<Term>,
}

impl Order {
    /// Changes the expressions.
    pub(super) fn map(self, mut change: impl FnMut(Expr) -> Result<Expr>) -> Result<Order> {
        let terms = self.terms.into_iter().map(|term| {
            let target = match term.target {
                Target::Expr(expr) => Target::Expr(change(expr)?),
                output @ Target::Output(_) => output,
            };
            Ok(Term { target, ..term })
        });
        Ok(Order { terms: terms.collect::<Result<Vec<Term>>>()? })
    }

    /// The terms as keys over the output columns, as DISTINCT needs them.
    pub(super) fn over_output(self, items: &[Item]) -> Result<Vec<SortKey>> {
        let mut keys = Vec::with_capacity(self.terms.len());
        for term in self.terms {
            let index = match term.target {
                Target::Output(index) => Some(index),
                Target::Expr(expr) => items.iter().position(|item| item.expr == expr),
            };
            let index = index.ok_or_else(|| {
                let error = Error::invalid(
                    "with SELECT DISTINCT, what ORDER BY names has to be in the select list",
                );
                place(error, term.position)
            })?;
            keys.push(SortKey {
                expr: Expr::column(index, items[index].expr.data_type()),
                descending: term.descending,
                nulls_first: term.nulls_first,
            });
        }
        Ok(keys)
    }
}

impl<'a> Binder<'a> {
    /// Binds ORDER BY beside the select list.
    pub(super) fn bind_order_by(
        &mut self,
        order_by: &'a OrderBy,
        list: &mut SelectList,
        scope: &mut Scope,
    ) -> Result<Order> {
        let OrderBy { kind, interpolate } = order_by;
        refuse_if(interpolate.is_some(), "INTERPOLATE", self.tokens, 0)?;
        let terms = match kind {
            OrderByKind::All(options) => {
                let (descending, nulls_first) = direction(options)?;
                let outputs = 0..list.items.len();
                outputs
                    .map(|index| Term {
                        target: Target::Output(index),
                        descending,
                        nulls_first,
                        position: None,
                    })
                    .collect()
            }
            OrderByKind::Expressions(exprs) => exprs
                .iter()
                .map(|term| self.bind_term(term, list, scope))
                .collect::<Result<Vec<Term>>>()?,
        };
        Ok(Order { terms })
    }

    fn bind_term(
        &mut self,
        term: &'a OrderByExpr,
        list: &mut SelectList,
        scope: &mut Scope,
    ) -> Result<Term> {
        let OrderByExpr { expr, options, with_fill } = term;
        refuse_if(with_fill.is_some(), "FILL", self.tokens, 0)?;
        let position = position_of(expr);
        let (descending, nulls_first) =
            direction(options).map_err(|error| place(error, position))?;
        let target = match output_name(expr, &list.items) {
            Some(index) => Target::Output(index),
            None => self.bind_target(expr, list, scope)?,
        };
        Ok(Term { target, descending, nulls_first, position })
    }

    /// A position or an expression.
    fn bind_target(
        &mut self,
        expr: &'a ast::Expr,
        list: &mut SelectList,
        scope: &mut Scope,
    ) -> Result<Target> {
        let mut env = Environment {
            scope,
            clause: Clause::OrderBy,
            aliases: &list.aliases,
            aggregates: Some(&mut list.aggregates),
            windows: Some(&mut list.windows),
        };
        let bound = self.bind_expr(expr, &mut env)?;
        let Some(number) = ordinal(expr, &bound) else { return Ok(Target::Expr(bound)) };
        item_at(number, &list.items, "ORDER BY")
            .map_err(|error| place(error, position_of(expr)))?;
        Ok(Target::Output(usize::try_from(number).unwrap_or(1) - 1))
    }
}

/// The select item that a bare name names: as in PostgreSQL, output names come first here. Several
/// items of that name are one if they are the same expression.
fn output_name(expr: &ast::Expr, items: &[Item]) -> Option<usize> {
    let ast::Expr::Identifier(ident) = expr else { return None };
    let name = &ident.value;
    let exact = items.iter().position(|item| item.name == *name);
    exact.or_else(|| items.iter().position(|item| item.name.eq_ignore_ascii_case(name)))
}

/// (descending, NULLs first): NULLs are greatest unless the query says otherwise.
pub(super) fn direction(options: &OrderByOptions) -> Result<(bool, bool)> {
    let OrderByOptions { sort, nulls_first } = options;
    let descending = match sort {
        None | Some(OrderBySort::Asc) => false,
        Some(OrderBySort::Desc) => true,
        Some(OrderBySort::Using(_)) => return Err(unsupported("USING in ORDER BY", None)),
    };
    Ok((descending, nulls_first.unwrap_or(descending)))
}
