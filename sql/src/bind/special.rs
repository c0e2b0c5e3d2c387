//! Functions with a syntax of their own: CAST, CASE, EXTRACT, SUBSTRING, TRIM, ….

use martlet_engine::plan::Comparison;
use martlet_engine::plan::{
    DatePart, Expr, Function, compare, explicit_cast, resolve, try_cast, unify,
};
use martlet_engine::types::{DataType, Error, Result, Value};
use sqlparser::ast::{self, CastKind, DateTimeField};

use crate::suggest;

use super::expression::{Environment, refuse};
use super::refuse::{position_of, unsupported};
use super::{Binder, bind_data_type, function_names, place, text_length};

impl<'a> Binder<'a> {
    /// `moment AT TIME ZONE zone`; a zone that is written there has to be known.
    pub(super) fn bind_at_time_zone(
        &mut self,
        moment: &'a ast::Expr,
        zone: &'a ast::Expr,
        env: &mut Environment<'_>,
    ) -> Result<Expr> {
        let bound = self.bind_expr(zone, env)?;
        if let Expr::Literal { value: Value::Text(name), .. } = &bound {
            suggest::time_zone(name).map_err(|error| place(error, position_of(zone)))?;
        }
        resolve(Function::AtTimeZone, vec![bound, self.bind_expr(moment, env)?])
    }

    /// Binds a call with a syntax of its own; refuses what is left.
    pub(super) fn bind_special(
        &mut self,
        expr: &'a ast::Expr,
        env: &mut Environment<'_>,
    ) -> Result<Expr> {
        use ast::Expr as Ast;
        match expr {
            Ast::Cast { kind, expr, data_type, format } => {
                let input = self.bind_expr(expr, env)?;
                if format.is_some() {
                    return Err(unsupported("FORMAT in CAST", None));
                }
                let to = bind_data_type(data_type, position_of(expr))?;
                let cast = match kind {
                    CastKind::Cast | CastKind::DoubleColon => explicit_cast(input, to)?,
                    CastKind::TryCast => try_cast(input, to)?,
                    CastKind::SafeCast => {
                        return Err(
                            unsupported("SAFE_CAST", None).with_hint("write TRY_CAST(… AS type)")
                        );
                    }
                };
                match text_length(data_type) {
                    None => Ok(cast),
                    Some(length) => {
                        let length = Expr::literal(Value::Int(length.into()), DataType::Int64);
                        resolve(Function::Left, vec![cast, length])
                    }
                }
            }
            Ast::Case { case_token: _, end_token: _, operand, conditions, else_result } => {
                self.bind_case(operand.as_deref(), conditions, else_result.as_deref(), env)
            }
            Ast::Extract { field, syntax: _, expr } => {
                let part = extract_part(field)?;
                let input = self.bind_expr(expr, env)?;
                resolve(Function::Extract(part), vec![input])
            }
            Ast::AtTimeZone { timestamp, time_zone } => {
                self.bind_at_time_zone(timestamp, time_zone, env)
            }
            Ast::Ceil { expr, field } => self.bind_rounding(Function::Ceil, expr, field, env),
            Ast::Floor { expr, field } => self.bind_rounding(Function::Floor, expr, field, env),
            Ast::Position { expr, r#in } => {
                let needle = self.bind_expr(expr, env)?;
                let text = self.bind_expr(r#in, env)?;
                resolve(Function::Position, vec![text, needle])
            }
            Ast::Substring { expr, substring_from, substring_for, special: _, shorthand: _ } => {
                let (from, count) = (substring_from.as_deref(), substring_for.as_deref());
                self.bind_substring(expr, from, count, env)
            }
            Ast::Trim { trim_where, trim_what, expr, trim_characters } => {
                let characters = match trim_characters.as_deref() {
                    None => trim_what.as_deref(),
                    Some([one]) => Some(one),
                    Some(_) => {
                        return Err(unsupported("trim with several sets of characters", None));
                    }
                };
                self.bind_trim(*trim_where, expr, characters, env)
            }
            other => Err(refuse(other, self.tokens)),
        }
    }

    fn bind_case(
        &mut self,
        operand: Option<&'a ast::Expr>,
        conditions: &'a [ast::CaseWhen],
        otherwise: Option<&'a ast::Expr>,
        env: &mut Environment<'_>,
    ) -> Result<Expr> {
        let operand = operand.map(|operand| self.bind_expr(operand, env)).transpose()?;
        let mut predicates = Vec::with_capacity(conditions.len());
        let mut results = Vec::with_capacity(conditions.len() + 1);
        for ast::CaseWhen { condition, result } in conditions {
            predicates.push(match &operand {
                None => self.bind_predicate(condition, env)?,
                Some(operand) => {
                    let value = self.bind_expr(condition, env)?;
                    compare(Comparison::Equal, operand.clone(), value)
                        .map_err(|error| place(error, position_of(condition)))?
                }
            });
            results.push(self.bind_expr(result, env)?);
        }
        let has_otherwise = otherwise.is_some();
        if let Some(otherwise) = otherwise {
            results.push(self.bind_expr(otherwise, env)?);
        }
        let mut results = unify(results, "CASE")?;
        let data_type = results.first().map_or(DataType::Null, Expr::data_type);
        let otherwise = if has_otherwise { results.pop().map(Box::new) } else { None };
        let branches = predicates.into_iter().zip(results).collect();
        Ok(Expr::Case { branches, otherwise, data_type })
    }

    fn bind_rounding(
        &mut self,
        function: Function,
        expr: &'a ast::Expr,
        field: &ast::CeilFloorKind,
        env: &mut Environment<'_>,
    ) -> Result<Expr> {
        match field {
            ast::CeilFloorKind::DateTimeField(DateTimeField::NoDateTime) => {}
            ast::CeilFloorKind::DateTimeField(_) | ast::CeilFloorKind::Scale(_) => {
                return Err(unsupported("the second argument of ceil and floor", None)
                    .with_hint("write date_trunc or round"));
            }
        }
        let input = self.bind_expr(expr, env)?;
        resolve(function, vec![input])
    }

    fn bind_substring(
        &mut self,
        expr: &'a ast::Expr,
        from: Option<&'a ast::Expr>,
        count: Option<&'a ast::Expr>,
        env: &mut Environment<'_>,
    ) -> Result<Expr> {
        if from.is_none() && count.is_none() {
            let message = "substring takes 2 to 3 arguments, not 1";
            return Err(place(Error::type_mismatch(message), position_of(expr)));
        }
        let text = self.bind_expr(expr, env)?;
        let one = || Expr::literal(Value::Int(1), DataType::Int64);
        let from = from.map(|from| self.bind_expr(from, env)).transpose()?.unwrap_or_else(one);
        let mut arguments = vec![text, from];
        if let Some(count) = count {
            arguments.push(self.bind_expr(count, env)?);
        }
        resolve(Function::Substring, arguments)
    }

    fn bind_trim(
        &mut self,
        side: Option<ast::TrimWhereField>,
        expr: &'a ast::Expr,
        characters: Option<&'a ast::Expr>,
        env: &mut Environment<'_>,
    ) -> Result<Expr> {
        let function = match side {
            None | Some(ast::TrimWhereField::Both) => Function::Trim,
            Some(ast::TrimWhereField::Leading) => Function::TrimStart,
            Some(ast::TrimWhereField::Trailing) => Function::TrimEnd,
        };
        let mut arguments = vec![self.bind_expr(expr, env)?];
        if let Some(characters) = characters {
            arguments.push(self.bind_expr(characters, env)?);
        }
        resolve(function, arguments)
    }
}

fn extract_part(field: &DateTimeField) -> Result<DatePart> {
    let name = match field {
        DateTimeField::Custom(ident) => ident.value.clone(),
        other => other.to_string(),
    };
    function_names::date_part(&name)
}
