//! VALUES: rows written out.

use martlet_engine::plan::{Expr, LogicalPlan, OutputColumn, unify};
use martlet_engine::types::{DataType, Error, Result};
use sqlparser::ast::{self, Parens, Values};

use super::expression::{Clause, Environment};
use super::refuse::position_of;
use super::scope::{Relation, Scope};
use super::{Binder, place};

impl<'a> Binder<'a> {
    /// Binds VALUES; columns are called `column1`, `column2`, ….
    pub(super) fn bind_values(&mut self, values: &'a Values) -> Result<LogicalPlan> {
        let Values { explicit_row: _, value_keyword: _, rows } = values;
        let width = rows.first().map_or(0, |row| row.content.len());
        let mut columns: Vec<Vec<Expr>> = vec![Vec::with_capacity(rows.len()); width];
        let mut scope = Scope::new(Relation::Nothing, None);
        for row in rows {
            let exprs = &row.content;
            if exprs.len() != width {
                let error = Error::syntax(format!(
                    "the first row of VALUES has {width} columns, this one {}",
                    exprs.len()
                ));
                return Err(place(error, exprs.first().and_then(position_of)));
            }
            for (column, expr) in columns.iter_mut().zip(exprs) {
                column.push(self.bind_cell(expr, &mut scope)?);
            }
        }
        let mut unified = Vec::with_capacity(width);
        for (index, column) in columns.into_iter().enumerate() {
            let column = unify_column(index, column).map_err(|error| {
                let position = self.misfit_position(rows, index, &mut scope);
                place(error, position)
            });
            unified.push(column?);
        }
        Ok(transposed(unified, rows.len()))
    }

    fn bind_cell(&mut self, expr: &'a ast::Expr, scope: &mut Scope) -> Result<Expr> {
        let clause = Clause::Values;
        let mut env = Environment { scope, clause, aliases: &[], aggregates: None, windows: None };
        self.bind_expr(expr, &mut env)
    }

    /// Where the first value stands that does not fit those of its column above it.
    fn misfit_position(
        &mut self,
        rows: &'a [Parens<Vec<ast::Expr>>],
        index: usize,
        scope: &mut Scope,
    ) -> Option<usize> {
        let values = rows.iter().map(|row| self.bind_cell(row.content.get(index)?, scope).ok());
        let column: Vec<Expr> = values.collect::<Option<_>>()?;
        position_of(rows.get(first_misfit(index, &column))?.content.get(index)?)
    }
}

/// The first row with which the rows up to it do not unify.
fn first_misfit(index: usize, column: &[Expr]) -> usize {
    let (mut fits, mut fails) = (0, column.len());
    while fits + 1 < fails {
        let middle = usize::midpoint(fits, fails);
        match unify_column(index, column[..middle].to_vec()) {
            Ok(_) => fits = middle,
            Err(_) => fails = middle,
        }
    }
    fails.saturating_sub(1)
}

fn unify_column(place: usize, column: Vec<Expr>) -> Result<Vec<Expr>> {
    let column = unify(column, &format!("column {} of VALUES", place + 1))?;
    let is_untyped = column.iter().all(|expr| expr.data_type() == DataType::Null);
    let is_parameter = column.iter().any(|expr| matches!(expr, Expr::Parameter { .. }));
    if is_untyped && !is_parameter {
        return Ok(column.into_iter().map(|expr| expr.cast_to(DataType::Utf8)).collect());
    }
    Ok(column)
}

fn transposed(columns: Vec<Vec<Expr>>, row_count: usize) -> LogicalPlan {
    let outputs = columns
        .iter()
        .enumerate()
        .map(|(place, column)| OutputColumn {
            name: format!("column{}", place + 1),
            data_type: column.first().map_or(DataType::Null, Expr::data_type),
        })
        .collect();
    let mut rows: Vec<Vec<Expr>> =
        (0..row_count).map(|_| Vec::with_capacity(columns.len())).collect();
    for column in columns {
        for (row, expr) in rows.iter_mut().zip(column) {
            row.push(expr);
        }
    }
    LogicalPlan::Values { columns: outputs, rows }
}
