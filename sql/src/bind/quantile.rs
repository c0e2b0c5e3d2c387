//! Quantiles in PostgreSQL's spelling and in `DuckDB`'s.

use martlet_engine::context::Context;
use martlet_engine::exec::expression::evaluate_constant;
use martlet_engine::plan::{Aggregate, AggregateFunction, Expr, Quantile, explicit_cast};
use martlet_engine::types::{DataType, Error, Result, Value};
use sqlparser::ast::{self, OrderByExpr};

use super::aggregate::{collect, is_distinct, typed};
use super::expression::{Clause, Environment};
use super::order::direction;
use super::refuse::{name_position, plain_arguments, position_of, refuse_if, unsupported};
use super::scope::{Relation, Scope};
use super::{Binder, place};

impl<'a> Binder<'a> {
    /// `median(x)`.
    pub(super) fn bind_median(
        &mut self,
        call: &'a ast::Function,
        env: &mut Environment<'_>,
    ) -> Result<Expr> {
        let [argument] = plain_arguments(call, "median")?[..] else {
            return Err(Error::type_mismatch("median takes one argument"));
        };
        self.bind_quantile_of(Quantile::new(0.5, true, false)?, argument, call, env)
    }

    /// `quantile_cont(x, fraction)`, `quantile_disc(x, fraction)`.
    pub(super) fn bind_quantile(
        &mut self,
        continuous: bool,
        call: &'a ast::Function,
        env: &mut Environment<'_>,
    ) -> Result<Expr> {
        let name = call.name.to_string();
        let [argument, fraction] = plain_arguments(call, &name)?[..] else {
            return Err(Error::type_mismatch(format!("{name} takes a value and a fraction")));
        };
        let quantile = self.bind_place(fraction, continuous, false)?;
        self.bind_quantile_of(quantile, argument, call, env)
    }

    /// `percentile_cont(fraction) WITHIN GROUP (ORDER BY x)`, `percentile_disc` alike.
    pub(super) fn bind_percentile(
        &mut self,
        continuous: bool,
        call: &'a ast::Function,
        env: &mut Environment<'_>,
    ) -> Result<Expr> {
        let name = call.name.to_string();
        let [fraction] = plain_arguments(call, &name)?[..] else {
            return Err(Error::type_mismatch(format!("{name} takes a fraction"))
                .with_hint(format!("write {name}(0.5) WITHIN GROUP (ORDER BY x)")));
        };
        let [OrderByExpr { expr: argument, options, with_fill }] = &call.within_group[..] else {
            let error = if call.within_group.is_empty() {
                Error::invalid(format!("{name} needs WITHIN GROUP"))
            } else {
                Error::unsupported(format!("{name} within several orders is not supported"))
            };
            return Err(error.with_hint(format!("write {name}(0.5) WITHIN GROUP (ORDER BY x)")));
        };
        refuse_if(with_fill.is_some(), "FILL", self.tokens, 0)?;
        // NULLs do not count, wherever they would come.
        let (descending, _) = direction(options)?;
        let quantile = self.bind_place(fraction, continuous, descending)?;
        self.bind_quantile_of(quantile, argument, call, env)
    }

    fn bind_quantile_of(
        &mut self,
        quantile: Quantile,
        argument: &'a ast::Expr,
        call: &'a ast::Function,
        env: &mut Environment<'_>,
    ) -> Result<Expr> {
        if is_distinct(call) {
            return Err(unsupported("DISTINCT in a quantile", name_position(&call.name)));
        }
        let function = AggregateFunction::Quantile(quantile);
        let filter = self.bind_filter(call, env)?;
        let argument = self.in_argument(env, |binder, inner| binder.bind_expr(argument, inner))?;
        function.result_type(Some(argument.data_type()))?;
        let argument = Some(typed(function, argument));
        collect(Aggregate { function, argument, second: None, distinct: false, filter }, env)
    }

    /// The place of a quantile, whose fraction has to be a constant.
    fn bind_place(
        &mut self,
        fraction: &'a ast::Expr,
        continuous: bool,
        descending: bool,
    ) -> Result<Quantile> {
        let mut scope = Scope::new(Relation::Nothing, None);
        let mut env = Environment {
            scope: &mut scope,
            clause: Clause::Values,
            aliases: &[],
            aggregates: None,
            windows: None,
        };
        let position = position_of(fraction);
        let bound = self.bind_expr(fraction, &mut env)?;
        let fraction = if let Expr::Parameter { index, .. } = bound {
            self.parameters.set_type(index, DataType::Float64);
            0.5
        } else {
            let double = explicit_cast(bound, DataType::Float64);
            let value = double.and_then(|double| evaluate_constant(&double, &Context::new()));
            match value.map_err(|error| place(error, position))? {
                Value::Float(fraction) => fraction,
                _ => return Err(unsupported("NULL as the fraction of a quantile", position)),
            }
        };
        Quantile::new(fraction, continuous, descending).map_err(|error| place(error, position))
    }
}
