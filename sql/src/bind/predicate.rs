//! Predicates: IS, IN, BETWEEN, LIKE, and what makes an expression boolean.

use martlet_engine::plan::{Comparison, Expr, LikePattern, compare, implicit_cast, in_list};
use martlet_engine::types::{DataType, Error, Result, Value};
use sqlparser::ast;

use super::expression::Environment;
use super::refuse::{position_of, unsupported};
use super::{Binder, place};

impl<'a> Binder<'a> {
    /// Binds a test that is written with keywords; `None` for anything else.
    pub(super) fn bind_test(
        &mut self,
        expr: &'a ast::Expr,
        env: &mut Environment<'_>,
    ) -> Result<Option<Expr>> {
        use ast::Expr as Ast;
        let bound = match expr {
            Ast::IsNull(inner) | Ast::IsUnknown(inner) => {
                Ok(Expr::IsNull(Box::new(self.bind_expr(inner, env)?)))
            }
            Ast::IsNotNull(inner) | Ast::IsNotUnknown(inner) => {
                Ok(negated(Expr::IsNull(Box::new(self.bind_expr(inner, env)?))))
            }
            Ast::IsTrue(inner) => self.bind_is(inner, true, Comparison::NotDistinct, env),
            Ast::IsNotTrue(inner) => self.bind_is(inner, true, Comparison::Distinct, env),
            Ast::IsFalse(inner) => self.bind_is(inner, false, Comparison::NotDistinct, env),
            Ast::IsNotFalse(inner) => self.bind_is(inner, false, Comparison::Distinct, env),
            Ast::IsDistinctFrom(left, right) => {
                self.bind_compare(Comparison::Distinct, left, right, env)
            }
            Ast::IsNotDistinctFrom(left, right) => {
                self.bind_compare(Comparison::NotDistinct, left, right, env)
            }
            Ast::InList { expr, list, negated } => self.bind_in(expr, list, *negated, env),
            Ast::Between { expr, negated, low, high } => {
                self.bind_between(expr, *negated, low, high, env)
            }
            Ast::Like { negated, any: false, expr, pattern, escape_char } => {
                let like = self.bind_like(expr, pattern, escape_char.as_deref(), false, env)?;
                Ok(negate_if(like, *negated))
            }
            Ast::ILike { negated, any: false, expr, pattern, escape_char } => {
                let like = self.bind_like(expr, pattern, escape_char.as_deref(), true, env)?;
                Ok(negate_if(like, *negated))
            }
            _ => return Ok(None),
        };
        bound.map(Some)
    }

    fn bind_is(
        &mut self,
        expr: &'a ast::Expr,
        value: bool,
        op: Comparison,
        env: &mut Environment<'_>,
    ) -> Result<Expr> {
        let input = self.bind_predicate(expr, env)?;
        compare(op, input, Expr::literal(Value::Bool(value), DataType::Bool))
    }

    /// Binds an expression that has to be boolean.
    pub(super) fn bind_predicate(
        &mut self,
        expr: &'a ast::Expr,
        env: &mut Environment<'_>,
    ) -> Result<Expr> {
        let bound = self.bind_expr(expr, env)?;
        let found = bound.data_type();
        implicit_cast(bound, DataType::Bool).map_err(|_| {
            let error = Error::type_mismatch(format!("expected a boolean, found {found}"));
            place(error.with_hint("compare it: x <> 0, x <> ''"), position_of(expr))
        })
    }

    /// Binds `left op right`; an error about a literal points at the literal.
    pub(super) fn bind_compare(
        &mut self,
        op: Comparison,
        left: &'a ast::Expr,
        right: &'a ast::Expr,
        env: &mut Environment<'_>,
    ) -> Result<Expr> {
        let bound_left = self.bind_expr(left, env)?;
        let bound_right = self.bind_expr(right, env)?;
        let position = position_of(blamed(left, right));
        compare(op, bound_left, bound_right).map_err(|error| place(error, position))
    }

    fn bind_in(
        &mut self,
        expr: &'a ast::Expr,
        list: &'a [ast::Expr],
        is_negated: bool,
        env: &mut Environment<'_>,
    ) -> Result<Expr> {
        let input = self.bind_expr(expr, env)?;
        let items = self.bind_all(list, env)?;
        let blamed = list.first().unwrap_or(expr);
        let bound = in_list(input, items).map_err(|error| place(error, position_of(blamed)))?;
        Ok(negate_if(bound, is_negated))
    }

    fn bind_between(
        &mut self,
        expr: &'a ast::Expr,
        is_negated: bool,
        low: &'a ast::Expr,
        high: &'a ast::Expr,
        env: &mut Environment<'_>,
    ) -> Result<Expr> {
        let input = self.bind_expr(expr, env)?;
        let mut side = |op, bound: &'a ast::Expr, input: Expr| -> Result<Expr> {
            let limit = self.bind_expr(bound, env)?;
            compare(op, input, limit).map_err(|error| place(error, position_of(bound)))
        };
        let from = side(Comparison::GreaterOrEqual, low, input.clone())?;
        let to = side(Comparison::LessOrEqual, high, input)?;
        Ok(negate_if(Expr::And(vec![from, to]), is_negated))
    }

    pub(super) fn bind_like(
        &mut self,
        expr: &'a ast::Expr,
        pattern: &'a ast::Expr,
        escape: Option<&'a ast::Expr>,
        case_insensitive: bool,
        env: &mut Environment<'_>,
    ) -> Result<Expr> {
        let input = self.bind_expr(expr, env)?;
        let bound = self.bind_expr(pattern, env)?;
        let input = self.text(input, position_of(expr))?;
        let escape = match escape {
            None => Some('\\'),
            Some(escape) => self.bind_escape(escape, env)?,
        };
        let pattern = match self.text(bound, position_of(pattern))? {
            Expr::Literal { value: Value::Text(pattern), .. } => pattern,
            Expr::Literal { value: Value::Null, .. } => {
                return Ok(Expr::literal(Value::Null, DataType::Bool));
            }
            // While preparing; the pattern is known when the statement runs.
            Expr::Parameter { .. } => String::new(),
            _ => {
                return Err(unsupported(
                    "LIKE with a pattern that is not constant",
                    position_of(pattern),
                ));
            }
        };
        let pattern = LikePattern { pattern, escape, case_insensitive };
        Ok(Expr::Like { input: Box::new(input), pattern })
    }

    fn bind_escape(
        &mut self,
        escape: &'a ast::Expr,
        env: &mut Environment<'_>,
    ) -> Result<Option<char>> {
        let wrong = || {
            let error = Error::invalid("ESCAPE takes one character, or '' for none");
            place(error, position_of(escape))
        };
        let Expr::Literal { value: Value::Text(text), .. } = self.bind_expr(escape, env)? else {
            return Err(wrong());
        };
        let mut characters = text.chars();
        match (characters.next(), characters.next()) {
            (first, None) => Ok(first),
            _ => Err(wrong()),
        }
    }

    /// `expr` as text; a parameter of unknown type becomes one.
    pub(super) fn text(&mut self, expr: Expr, position: Option<usize>) -> Result<Expr> {
        if let Expr::Parameter { index, data_type: DataType::Null } = expr {
            self.parameters.set_type(index, DataType::Utf8);
            return Ok(Expr::Parameter { index, data_type: DataType::Utf8 });
        }
        implicit_cast(expr, DataType::Utf8).map_err(|error| place(error, position))
    }
}

/// The side at which an error about both is shown: a text that cannot be read, else the left one.
pub(super) fn blamed<'e>(left: &'e ast::Expr, right: &'e ast::Expr) -> &'e ast::Expr {
    match right {
        ast::Expr::Value(ast::ValueWithSpan {
            value: ast::Value::SingleQuotedString(_),
            span: _,
        }) => right,
        _ => left,
    }
}

/// NOT, without doubling it.
pub(super) fn negated(expr: Expr) -> Expr {
    match expr {
        Expr::Not(inner) => *inner,
        other => Expr::Not(Box::new(other)),
    }
}

pub(super) fn negate_if(expr: Expr, is_negated: bool) -> Expr {
    if is_negated { negated(expr) } else { expr }
}
