//! Calls of scalar functions.

use martlet_engine::plan::{DatePart, Expr, Function, explicit_cast, resolve, unify};
use martlet_engine::types::{DataType, Error, Result, Value};
use sqlparser::ast::{self, DuplicateTreatment, FunctionArguments};

use super::expression::Environment;
use super::function_names::{self, Named};
use super::literal::text_literal;
use super::refuse::{name_position, plain_arguments, position_of, refuse_if, unsupported};
use super::{Binder, place};

impl<'a> Binder<'a> {
    /// Binds a call, scalar or aggregate.
    pub(super) fn bind_function(
        &mut self,
        function: &'a ast::Function,
        env: &mut Environment<'_>,
    ) -> Result<Expr> {
        let ast::Function {
            name,
            uses_odbc_syntax: _,
            parameters,
            args,
            within_group,
            filter,
            null_treatment,
            over,
        } = function;
        let position = name_position(name);
        let at = position.unwrap_or(0);
        refuse_if(null_treatment.is_some(), "NULLS in a function call", self.tokens, at)?;
        if !matches!(parameters, FunctionArguments::None) {
            return Err(unsupported("a function with parameters", position));
        }
        let [ast::ObjectNamePart::Identifier(ident)] = &name.0[..] else {
            return Err(unsupported("a qualified function name", position));
        };
        let text = &ident.value;
        let named = function_names::function(text).map_err(|error| place(error, position))?;
        if !matches!(named, Named::Window(_) | Named::Refused(_)) {
            refuse_if(over.is_some(), "OVER (a window function)", self.tokens, at).map_err(
                |error| error.with_hint("there are row_number, rank and dense_rank over windows"),
            )?;
        }
        let takes_order = matches!(named, Named::Percentile { .. });
        refuse_if(!within_group.is_empty() && !takes_order, "WITHIN GROUP", self.tokens, at)?;
        let clauses = match args {
            FunctionArguments::List(list) => {
                let ast::FunctionArgumentList { duplicate_treatment, args: _, clauses } = list;
                if let Some(clause) = clauses.first() {
                    return Err(unsupported(&format!("{clause} in a function call"), position));
                }
                *duplicate_treatment
            }
            FunctionArguments::None | FunctionArguments::Subquery(_) => None,
        };
        let bound = match named {
            Named::Aggregate(aggregate) => self.bind_aggregate(aggregate, function, env),
            Named::OfPredicate(aggregate) => {
                self.bind_aggregate_of_predicate(aggregate, function, env)
            }
            Named::CountIf => self.bind_count_if(function, env),
            Named::Window(window) => self.bind_window(window, function, env),
            Named::OfPairs(aggregate) => self.bind_aggregate_of_pairs(aggregate, function, env),
            Named::Median => self.bind_median(function, env),
            Named::Quantile { continuous } => self.bind_quantile(continuous, function, env),
            Named::Percentile { continuous } => self.bind_percentile(continuous, function, env),
            Named::Refused(hint) => {
                let error = unsupported(&format!("the function {text}"), None);
                Err(if hint.is_empty() { error } else { error.with_hint(hint) })
            }
            scalar => {
                refuse_if(
                    filter.is_some(),
                    "FILTER on a function that is no aggregate",
                    self.tokens,
                    at,
                )?;
                refuse_distinct(clauses, position)?;
                let arguments = plain_arguments(function, text)?;
                self.bind_scalar(scalar, text, &arguments, env)
            }
        };
        bound.map_err(|error| place(error, position))
    }

    fn bind_scalar(
        &mut self,
        named: Named,
        name: &str,
        arguments: &[&'a ast::Expr],
        env: &mut Environment<'_>,
    ) -> Result<Expr> {
        match (named, arguments) {
            (Named::Now, []) => Ok(self.now()),
            (Named::Today, []) => explicit_cast(self.now(), DataType::Date),
            (Named::LocalNow, []) => explicit_cast(self.now(), DataType::TIMESTAMP),
            (Named::Formatted(format), [input]) => {
                let format = text_literal(format);
                resolve(Function::FormatTime, vec![self.bind_expr(input, env)?, format])
            }
            (Named::TypeOf, [input]) => {
                Ok(text_literal(&self.bind_expr(input, env)?.data_type().to_string()))
            }
            (Named::DatePart, [part, input]) => {
                let part = self.bind_part(part, env)?;
                let input = self.bind_expr(input, env)?;
                resolve(Function::Extract(part), vec![input])
            }
            (Named::DateTrunc, [part, input]) => {
                let part = self.bind_part(part, env)?;
                let input = self.bind_expr(input, env)?;
                resolve(Function::DateTrunc(part), vec![input])
            }
            (Named::DateDiff, [part, from, to]) => {
                let part = self.bind_part(part, env)?;
                let arguments = vec![self.bind_expr(from, env)?, self.bind_expr(to, env)?];
                resolve(Function::DateDiff(part), arguments)
            }
            (Named::If, [predicate, then, otherwise]) => {
                let predicate = self.bind_predicate(predicate, env)?;
                let results = vec![self.bind_expr(then, env)?, self.bind_expr(otherwise, env)?];
                let mut results = unify(results, "IF")?;
                let otherwise = results.pop().map(Box::new);
                let then = results.pop().ok_or_else(|| Error::internal("IF lost a result"))?;
                let data_type = then.data_type();
                Ok(Expr::Case { branches: vec![(predicate, then)], otherwise, data_type })
            }
            (Named::Log, [base, input]) => {
                let numerator = resolve(Function::Ln, vec![self.bind_expr(input, env)?])?;
                let denominator = resolve(Function::Ln, vec![self.bind_expr(base, env)?])?;
                resolve(Function::Divide, vec![numerator, denominator])
            }
            (Named::Log, _) => {
                self.bind_scalar(Named::Scalar(Function::Log10), name, arguments, env)
            }
            (Named::Scalar(Function::AtTimeZone), [zone, moment]) => {
                self.bind_at_time_zone(moment, zone, env)
            }
            (Named::Scalar(Function::MakeDate), [days]) => {
                let epoch = Expr::literal(Value::Int(0), DataType::Date);
                resolve(Function::AddDays, vec![epoch, self.bind_expr(days, env)?])
            }
            (Named::Scalar(function), _) => {
                let bound: Result<Vec<Expr>> =
                    arguments.iter().map(|argument| self.bind_expr(argument, env)).collect();
                let bound = bound?;
                let blamed = arguments.first().and_then(|first| position_of(first));
                let text_only = bound.len() == 1;
                resolve(function, bound)
                    .map_err(|error| if text_only { place(error, blamed) } else { error })
            }
            _ => {
                let count = arguments.len();
                Err(Error::type_mismatch(format!("{name} does not take {count} arguments")))
            }
        }
    }

    fn now(&self) -> Expr {
        Expr::literal(Value::Int(i128::from(self.now_us)), DataType::TIMESTAMPTZ)
    }

    /// The part of a date, which has to be a constant text.
    fn bind_part(&mut self, part: &'a ast::Expr, env: &mut Environment<'_>) -> Result<DatePart> {
        let position = position_of(part);
        match self.bind_expr(part, env)? {
            Expr::Literal { value: Value::Text(name), .. } => {
                function_names::date_part(&name).map_err(|error| place(error, position))
            }
            _ => Err(unsupported("a date part that is not a constant text", position)),
        }
    }
}

fn refuse_distinct(treatment: Option<DuplicateTreatment>, position: Option<usize>) -> Result<()> {
    match treatment {
        None => Ok(()),
        Some(_) => Err(unsupported("DISTINCT in a function that is no aggregate", position)),
    }
}
