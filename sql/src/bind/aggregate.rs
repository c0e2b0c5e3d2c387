//! Aggregate calls. Each is collected once; the expression gets a column that stands for its result.

use martlet_engine::plan::{Aggregate, AggregateFunction, Expr, PairFunction};
use martlet_engine::types::{DataType, Error, Result};
use sqlparser::ast::{self, DuplicateTreatment, FunctionArg, FunctionArgExpr, FunctionArguments};

use super::Binder;
use super::expression::{AGGREGATE_BASE, Clause, Environment, contains_aggregate};
use super::refuse::{name_position, plain_arguments, unsupported};
use super::row_value::row_key;

impl<'a> Binder<'a> {
    /// Binds an aggregate call.
    pub(super) fn bind_aggregate(
        &mut self,
        function: AggregateFunction,
        call: &'a ast::Function,
        env: &mut Environment<'_>,
    ) -> Result<Expr> {
        let distinct = is_distinct(call);
        let filter = self.bind_filter(call, env)?;
        let aggregate = if counts_rows(function, call) {
            if distinct {
                return Err(unsupported("COUNT(DISTINCT *)", name_position(&call.name))
                    .with_hint("name the column whose values are counted"));
            }
            let function = AggregateFunction::CountRows;
            Aggregate { function, argument: None, second: None, distinct, filter }
        } else {
            let argument = match (function, row_value(call)) {
                (AggregateFunction::Count, Some(items)) if distinct => {
                    let bind = |binder: &mut Self, inner: &mut Environment<'_>| {
                        let items = items.iter().map(|item| binder.bind_expr(item, inner));
                        row_key(items.collect::<Result<_>>()?)
                    };
                    self.in_argument(env, bind)?
                }
                _ => self.bind_argument(call, env)?,
            };
            function.result_type(Some(argument.data_type()))?;
            if distinct && function.is_spread() {
                return Err(unsupported("DISTINCT in a variance", name_position(&call.name)));
            }
            let argument = typed(function, argument);
            Aggregate { function, argument: Some(argument), second: None, distinct, filter }
        };
        collect(aggregate, env)
    }

    /// `bool_and(predicate)`, `bool_or(predicate)`: the least or greatest truth.
    pub(super) fn bind_aggregate_of_predicate(
        &mut self,
        function: AggregateFunction,
        call: &'a ast::Function,
        env: &mut Environment<'_>,
    ) -> Result<Expr> {
        let distinct = is_distinct(call);
        let filter = self.bind_filter(call, env)?;
        let name = call.name.to_string();
        let [predicate] = plain_arguments(call, &name)?[..] else {
            return Err(Error::type_mismatch(format!("{name} takes one argument")));
        };
        let predicate =
            self.in_argument(env, |binder, inner| binder.bind_predicate(predicate, inner))?;
        let argument = Some(predicate);
        collect(Aggregate { function, argument, second: None, distinct, filter }, env)
    }

    /// `count_if(predicate)`: rows for which it is true.
    pub(super) fn bind_count_if(
        &mut self,
        call: &'a ast::Function,
        env: &mut Environment<'_>,
    ) -> Result<Expr> {
        let filter = self.bind_filter(call, env)?;
        let [predicate] = plain_arguments(call, "count_if")?[..] else {
            return Err(Error::type_mismatch("count_if takes one argument"));
        };
        let predicate =
            self.in_argument(env, |binder, inner| binder.bind_predicate(predicate, inner))?;
        let filter = match filter {
            None => predicate,
            Some(filter) => Expr::And(vec![filter, predicate]),
        };
        let (function, filter) = (AggregateFunction::CountRows, Some(filter));
        let (argument, second) = (None, None);
        collect(Aggregate { function, argument, second, distinct: false, filter }, env)
    }

    /// `corr(y, x)` and the others of two arguments.
    pub(super) fn bind_aggregate_of_pairs(
        &mut self,
        function: PairFunction,
        call: &'a ast::Function,
        env: &mut Environment<'_>,
    ) -> Result<Expr> {
        if is_distinct(call) {
            return Err(unsupported("DISTINCT of pairs", name_position(&call.name)));
        }
        let filter = self.bind_filter(call, env)?;
        let name = function.name();
        let [first, second] = plain_arguments(call, name)?[..] else {
            return Err(Error::type_mismatch(format!("{name} takes two arguments")));
        };
        let mut bind =
            |argument| self.in_argument(env, |binder, inner| binder.bind_expr(argument, inner));
        let (first, second) = (bind(first)?, bind(second)?);
        let types = [first.data_type(), second.data_type()];
        let function = AggregateFunction::OfPairs(function);
        for data_type in types {
            function.result_type(Some(data_type))?;
        }
        let stays = types.iter().all(|data_type| PairFunction::is_small_integer(*data_type));
        let typed = |argument: Expr| match argument.data_type() {
            DataType::Float64 => argument,
            _ if stays => argument,
            _ => argument.cast_to(DataType::Float64),
        };
        let (argument, second) = (Some(typed(first)), Some(typed(second)));
        collect(Aggregate { function, argument, second, distinct: false, filter }, env)
    }

    fn bind_argument(
        &mut self,
        call: &'a ast::Function,
        env: &mut Environment<'_>,
    ) -> Result<Expr> {
        let name = call.name.to_string();
        let arguments = plain_arguments(call, &name)?;
        let [argument] = arguments[..] else {
            let error = Error::type_mismatch(format!("{name} takes one argument"));
            return Err(match name.to_lowercase().as_str() {
                "max" if arguments.len() > 1 => error.with_hint(of_a_row("greatest")),
                "min" if arguments.len() > 1 => error.with_hint(of_a_row("least")),
                _ => error,
            });
        };
        self.in_argument(env, |binder, inner| binder.bind_expr(argument, inner))
    }

    pub(super) fn bind_filter(
        &mut self,
        call: &'a ast::Function,
        env: &mut Environment<'_>,
    ) -> Result<Option<Expr>> {
        let Some(filter) = call.filter.as_deref() else { return Ok(None) };
        self.in_argument(env, |binder, inner| binder.bind_predicate(filter, inner)).map(Some)
    }

    /// Runs `bind` in the environment of an aggregate's argument: no aggregates inside.
    pub(super) fn in_argument(
        &mut self,
        env: &mut Environment<'_>,
        bind: impl FnOnce(&mut Self, &mut Environment<'_>) -> Result<Expr>,
    ) -> Result<Expr> {
        let mut inner = Environment {
            scope: &mut *env.scope,
            clause: Clause::AggregateArgument,
            aliases: env.aliases,
            aggregates: None,
            windows: None,
        };
        let bound = bind(self, &mut inner)?;
        if contains_aggregate(&bound) {
            return Err(Error::invalid("aggregates cannot be nested"));
        }
        Ok(bound)
    }
}

pub(super) fn collect(aggregate: Aggregate, env: &mut Environment<'_>) -> Result<Expr> {
    let data_type = aggregate.data_type()?;
    let Some(aggregates) = env.aggregates.as_deref_mut() else {
        let error = Error::invalid(format!("aggregates are not allowed in {}", env.clause.name()));
        return Err(match env.clause {
            Clause::Where => error.with_hint("put the condition into HAVING"),
            _ => error,
        });
    };
    let place = aggregates.iter().position(|known| *known == aggregate).unwrap_or_else(|| {
        aggregates.push(aggregate);
        aggregates.len() - 1
    });
    Ok(Expr::column(AGGREGATE_BASE + place, data_type))
}

pub(super) fn is_distinct(call: &ast::Function) -> bool {
    match &call.args {
        FunctionArguments::List(list) => {
            list.duplicate_treatment == Some(DuplicateTreatment::Distinct)
        }
        FunctionArguments::None | FunctionArguments::Subquery(_) => false,
    }
}

/// The parts of the only argument, `(a, b)`.
fn row_value(call: &ast::Function) -> Option<&[ast::Expr]> {
    match &call.args {
        FunctionArguments::List(list) => match &list.args[..] {
            [FunctionArg::Unnamed(FunctionArgExpr::Expr(ast::Expr::Tuple(items)))] => Some(items),
            _ => None,
        },
        FunctionArguments::None | FunctionArguments::Subquery(_) => None,
    }
}

/// `COUNT(*)` and `count_star()`.
fn counts_rows(function: AggregateFunction, call: &ast::Function) -> bool {
    let FunctionArguments::List(list) = &call.args else { return false };
    match function {
        AggregateFunction::CountRows => list.args.is_empty(),
        AggregateFunction::Count => {
            matches!(list.args[..], [FunctionArg::Unnamed(FunctionArgExpr::Wildcard)])
        }
        _ => false,
    }
}

/// A bare NULL gets a type, so that no accumulator has to know an untyped one; variances and what may
/// be between two values are of doubles.
pub(super) fn typed(function: AggregateFunction, argument: Expr) -> Expr {
    let takes_doubles = function.is_spread() || function.is_continuous_quantile();
    match (function, argument.data_type()) {
        (_, data_type) if takes_doubles && data_type != DataType::Float64 => {
            argument.cast_to(DataType::Float64)
        }
        (AggregateFunction::Avg, DataType::Null) => argument.cast_to(DataType::Float64),
        (_, DataType::Null) => argument.cast_to(DataType::Int32),
        _ => argument,
    }
}
fn of_a_row(function: &str) -> String {
    format!("{function}(a, b, …) compares the values of a row")
}
