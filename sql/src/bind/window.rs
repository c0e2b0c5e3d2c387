//! Window functions. Each call is collected once; the expression gets a column that stands for its
//! number, and the operators that number the rows come above the groups.

use martlet_engine::plan::{Expr, LogicalPlan, SortKey, Window, WindowFunction};
use martlet_engine::types::{DataType, Error, Result, Value};
use sqlparser::ast::{self, OrderByExpr, WindowSpec, WindowType};

use super::aggregate::is_distinct;
use super::expression::{Clause, Environment, WINDOW_BASE, contains_window};
use super::order::{Order, direction};
use super::refuse::{name_position, plain_arguments, position_of, refuse_if, unsupported};
use super::select_list::Item;
use super::{Binder, place};
use crate::parse::position::start_of;

/// A window function with what is behind OVER.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct WindowCall {
    function: WindowFunction,
    partition: Vec<Expr>,
    order: Vec<SortKey>,
}

impl WindowCall {
    /// Changes the expressions.
    pub(super) fn map(self, mut change: impl FnMut(Expr) -> Result<Expr>) -> Result<WindowCall> {
        let WindowCall { function, partition, order } = self;
        let partition = partition.into_iter().map(&mut change).collect::<Result<Vec<Expr>>>()?;
        let key = |key: SortKey| Ok(SortKey { expr: change(key.expr)?, ..key });
        let order = order.into_iter().map(key).collect::<Result<Vec<SortKey>>>()?;
        Ok(WindowCall { function, partition, order })
    }
}

impl<'a> Binder<'a> {
    /// Binds `row_number() OVER (PARTITION BY … ORDER BY …)` and its like.
    pub(super) fn bind_window(
        &mut self,
        function: WindowFunction,
        call: &'a ast::Function,
        env: &mut Environment<'_>,
    ) -> Result<Expr> {
        let (name, position) = (function.name(), name_position(&call.name));
        if !plain_arguments(call, name)?.is_empty() {
            return Err(Error::type_mismatch(format!("{name} takes no argument")));
        }
        if is_distinct(call) {
            return Err(unsupported("DISTINCT in a window function", position));
        }
        let at = position.unwrap_or(0);
        refuse_if(call.filter.is_some(), "FILTER of a window function", self.tokens, at)?;
        let spec = match &call.over {
            Some(WindowType::WindowSpec(spec)) => spec,
            Some(WindowType::NamedWindow(ident)) => {
                return Err(unsupported("a named window", start_of(ident.span)));
            }
            None => {
                return Err(Error::invalid(format!("{name} needs OVER"))
                    .with_hint(format!("write {name}() OVER (PARTITION BY a ORDER BY b)")));
            }
        };
        let WindowSpec { window_name, partition_by, order_by, window_frame } = spec;
        if let Some(ident) = window_name {
            return Err(unsupported("a named window", start_of(ident.span)));
        }
        if let Some(frame) = window_frame {
            let units = frame.units.to_string();
            let what = format!("{units} (a window frame)");
            refuse_if(true, &what, self.tokens, at)?;
        }
        if env.windows.is_none() {
            let clause = env.clause.name();
            let message = format!("window functions are not allowed in {clause}");
            let error = Error::invalid(message);
            return Err(match env.clause {
                Clause::Where | Clause::Having => error.with_hint("put the condition into QUALIFY"),
                _ => error.with_hint("compute it in a subquery in FROM"),
            });
        }
        let partition = partition_by
            .iter()
            .map(|expr| self.bind_in_window(expr, env))
            .collect::<Result<Vec<Expr>>>()?;
        let mut order: Vec<SortKey> = Vec::with_capacity(order_by.len());
        for term in order_by {
            order.push(self.bind_window_key(term, env)?);
        }
        let call = WindowCall { function, partition, order };
        let windows = env.windows.as_deref_mut().ok_or_else(|| Error::internal("no windows"))?;
        let place = windows.iter().position(|known| *known == call).unwrap_or_else(|| {
            windows.push(call);
            windows.len() - 1
        });
        Ok(Expr::column(WINDOW_BASE + place, DataType::Int64))
    }

    fn bind_window_key(
        &mut self,
        term: &'a OrderByExpr,
        env: &mut Environment<'_>,
    ) -> Result<SortKey> {
        let OrderByExpr { expr, options, with_fill } = term;
        refuse_if(with_fill.is_some(), "FILL", self.tokens, 0)?;
        let (descending, nulls_first) =
            direction(options).map_err(|error| place(error, position_of(expr)))?;
        Ok(SortKey { expr: self.bind_in_window(expr, env)?, descending, nulls_first })
    }

    /// An expression inside OVER: aggregates may be named, other windows not.
    fn bind_in_window(&mut self, expr: &'a ast::Expr, env: &mut Environment<'_>) -> Result<Expr> {
        let mut inner = Environment {
            scope: &mut *env.scope,
            clause: Clause::Window,
            aliases: env.aliases,
            aggregates: env.aggregates.as_deref_mut(),
            windows: None,
        };
        let bound = self.bind_expr(expr, &mut inner)?;
        if contains_window(&bound) {
            let error = Error::invalid("window functions cannot be nested");
            return Err(place(error, position_of(expr)));
        }
        if bound.data_type() == DataType::Null {
            return Ok(bound.cast_to(DataType::Utf8));
        }
        Ok(bound)
    }

    /// Binds QUALIFY.
    pub(super) fn bind_qualify(
        &mut self,
        qualify: &'a ast::Expr,
        env: &mut Environment<'_>,
        position: Option<usize>,
    ) -> Result<Expr> {
        let predicate = self.bind_predicate(qualify, env)?;
        if env.windows.as_ref().is_none_or(|windows| windows.is_empty()) {
            let error = Error::invalid("QUALIFY needs a window function in it or in SELECT");
            return Err(place(error.with_hint("filter rows in WHERE, groups in HAVING"), position));
        }
        Ok(predicate)
    }
}

/// What stands above the windows: all of it may name their numbers.
pub(super) struct Above {
    pub(super) items: Vec<Item>,
    pub(super) order: Order,
    pub(super) qualify: Option<Expr>,
}

/// The operators that number the rows of `plan`, with QUALIFY, and what is above over their output.
pub(super) fn windowed(
    plan: LogicalPlan,
    calls: Vec<WindowCall>,
    above: Above,
) -> Result<(LogicalPlan, Vec<Item>, Order)> {
    let Above { items, order, qualify } = above;
    if calls.is_empty() {
        return Ok((plan, items, order));
    }
    let mut width = plan.output().len();
    let mut windows: Vec<Window> = Vec::new();
    for WindowCall { partition, order, .. } in &calls {
        if !windows.iter().any(|window| window.partition == *partition && window.order == *order) {
            let (partition, order) = (partition.clone(), order.clone());
            let (functions, names) = (Vec::new(), Vec::new());
            windows.push(Window { partition, order, functions, names, limit: None });
        }
    }
    // The column of each call.
    let mut columns = vec![0; calls.len()];
    for window in &mut windows {
        for (index, call) in calls.iter().enumerate() {
            if window.partition == call.partition && window.order == call.order {
                columns[index] = width;
                width += 1;
                window.functions.push(call.function);
                window.names.push(name_of(index, call.function, &items));
            }
        }
    }
    let mut plan = windows
        .into_iter()
        .fold(plan, |input, window| LogicalPlan::Window { input: Box::new(input), window });
    let over = |expr: Expr| over_windows(expr, &columns);
    if let Some(qualify) = qualify {
        plan = LogicalPlan::Filter { input: Box::new(plan), predicate: over(qualify) };
    }
    let items = items.into_iter().map(|Item { name, expr }| Item { name, expr: over(expr) });
    Ok((plan, items.collect(), order.map(|expr| Ok(over(expr)))?))
}

/// The name of the item that is just this call, else the function's.
fn name_of(index: usize, function: WindowFunction, items: &[Item]) -> String {
    let is_it = |item: &&Item| matches!(item.expr, Expr::Column { index: column, .. } if column == WINDOW_BASE + index);
    items
        .iter()
        .find(is_it)
        .map_or_else(|| format!("{}()", function.name()), |item| item.name.clone())
}

/// `expr` with the columns of the window functions in place of the calls.
fn over_windows(expr: Expr, columns: &[usize]) -> Expr {
    if let Expr::Column { index, data_type } = expr {
        let index = index.checked_sub(WINDOW_BASE).map_or(index, |call| columns[call]);
        return Expr::column(index, data_type);
    }
    let mut expr = expr;
    for child in expr.children_mut() {
        let taken = std::mem::replace(child, Expr::literal(Value::Null, DataType::Null));
        *child = over_windows(taken, columns);
    }
    expr
}
