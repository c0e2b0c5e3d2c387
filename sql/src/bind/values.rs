//! VALUES: rows written out.

use martlet_engine::plan::{Expr, LogicalPlan, OutputColumn, unify};
use martlet_engine::types::{DataType, Error, Result};
use sqlparser::ast::Values;

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
                let mut env = Environment {
                    scope: &mut scope,
                    clause: Clause::Values,
                    aliases: &[],
                    aggregates: None,
                    windows: None,
                };
                column.push(self.bind_expr(expr, &mut env)?);
            }
        }
        let columns: Vec<Vec<Expr>> = columns
            .into_iter()
            .enumerate()
            .map(|(place, column)| unify_column(place, column))
            .collect::<Result<_>>()?;
        Ok(transposed(columns, rows.len()))
    }
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
