//! Operators. Chains of them are bound in a loop: a disjunction of ten thousand terms is one flat
//! list, and the stack does not grow with its length.

use martlet_engine::plan::{Comparison, Expr, Function, compare, resolve};
use martlet_engine::types::{Error, Result, Value};
use sqlparser::ast::{self, BinaryOperator, UnaryOperator};

use super::expression::{CHAIN_MAX, Environment};
use super::predicate::{blamed, negate_if, negated};
use super::refuse::{position_of, unsupported};
use super::{Binder, place};

impl<'a> Binder<'a> {
    /// Binds a left-deep chain of binary operators.
    pub(super) fn bind_chain(
        &mut self,
        expr: &'a ast::Expr,
        env: &mut Environment<'_>,
    ) -> Result<Expr> {
        let mut links = Vec::new();
        let mut first = expr;
        while let ast::Expr::BinaryOp { left, op, right } = first {
            links.push((op, &**right));
            first = left;
        }
        let mut operators = 0;
        let mut bound: Option<Expr> = None;
        while let Some((op, right)) = links.pop() {
            let left = bound.take();
            bound = Some(match op {
                BinaryOperator::And | BinaryOperator::Or => {
                    let mut terms = vec![match left {
                        Some(left) => boolean(left, first)?,
                        None => self.bind_predicate(first, env)?,
                    }];
                    terms.push(self.bind_predicate(right, env)?);
                    while links.last().is_some_and(|(next, _)| *next == op) {
                        let (_, right) = links.pop().expect("the loop condition saw one");
                        terms.push(self.bind_predicate(right, env)?);
                    }
                    flat(op, terms)
                }
                _ => {
                    operators += 1;
                    if operators > CHAIN_MAX {
                        let message = format!("a chain of more than {CHAIN_MAX} operators");
                        return Err(unsupported(&message, position_of(right)));
                    }
                    self.bind_binary(op, left, first, right, env)?
                }
            });
        }
        bound.ok_or_else(|| Error::internal("a chain of operators without one"))
    }

    /// One operator; `left` is bound already unless it is the chain's `first`.
    fn bind_binary(
        &mut self,
        op: &BinaryOperator,
        left: Option<Expr>,
        first: &'a ast::Expr,
        right: &'a ast::Expr,
        env: &mut Environment<'_>,
    ) -> Result<Expr> {
        if let Some((case_insensitive, is_negated)) = like_operator(op) {
            if left.is_some() {
                return Err(unsupported("a chain of ~~", position_of(right)));
            }
            let like = self.bind_like(first, right, None, case_insensitive, env)?;
            return Ok(negate_if(like, is_negated));
        }
        let left = match left {
            Some(left) => left,
            None => self.bind_expr(first, env)?,
        };
        let bound_right = self.bind_expr(right, env)?;
        let blamed = blamed(first, right);
        apply(op, left, bound_right).map_err(|error| place(error, position_of(blamed)))
    }

    /// Binds a unary operator. A minus before a number belongs to the number.
    pub(super) fn bind_unary(
        &mut self,
        op: UnaryOperator,
        expr: &'a ast::Expr,
        env: &mut Environment<'_>,
    ) -> Result<Expr> {
        match op {
            UnaryOperator::Not => Ok(negated(self.bind_predicate(expr, env)?)),
            UnaryOperator::Plus => {
                let input = self.bind_expr(expr, env)?;
                if input.data_type().is_numeric() {
                    return Ok(input);
                }
                let found = input.data_type();
                Err(Error::type_mismatch(format!("cannot apply + to {found}")))
            }
            UnaryOperator::Minus => self.bind_minus(expr, env),
            UnaryOperator::BitwiseNot => {
                let input = self.bind_expr(expr, env)?;
                let ones = martlet_engine::plan::integer_literal(-1)?;
                resolve(Function::BitXor, vec![input, ones])
            }
            UnaryOperator::PGAbs => {
                let input = self.bind_expr(expr, env)?;
                resolve(Function::Abs, vec![input])
            }
            UnaryOperator::PGSquareRoot => {
                let input = self.bind_expr(expr, env)?;
                resolve(Function::Sqrt, vec![input])
            }
            UnaryOperator::AtDashAt
            | UnaryOperator::BangNot
            | UnaryOperator::DoubleAt
            | UnaryOperator::Hash
            | UnaryOperator::PGCubeRoot
            | UnaryOperator::PGPostfixFactorial
            | UnaryOperator::PGPrefixFactorial
            | UnaryOperator::QuestionDash
            | UnaryOperator::QuestionPipe => {
                Err(unsupported(&format!("the operator {op}"), position_of(expr)))
            }
        }
    }

    fn bind_minus(&mut self, expr: &'a ast::Expr, env: &mut Environment<'_>) -> Result<Expr> {
        if let ast::Expr::Value(ast::ValueWithSpan { value: ast::Value::Number(text, _), .. }) =
            expr
        {
            return super::literal::number(&format!("-{text}"));
        }
        // PostgreSQL: a minus binds more tightly than ^, which sqlparser does not know.
        if let ast::Expr::BinaryOp { left, op: BinaryOperator::PGExp, right } = expr {
            let base = self.bind_minus(left, env)?;
            let exponent = self.bind_expr(right, env)?;
            return resolve(Function::Power, vec![base, exponent]);
        }
        let input = self.bind_expr(expr, env)?;
        resolve(Function::Negate, vec![input])
    }
}

fn boolean(expr: Expr, at: &ast::Expr) -> Result<Expr> {
    let found = expr.data_type();
    martlet_engine::plan::implicit_cast(expr, martlet_engine::types::DataType::Bool).map_err(|_| {
        place(Error::type_mismatch(format!("expected a boolean, found {found}")), position_of(at))
    })
}

/// One AND or OR of all terms, those of nested ones of the same kind included.
fn flat(op: &BinaryOperator, terms: Vec<Expr>) -> Expr {
    let is_and = *op == BinaryOperator::And;
    let mut all = Vec::with_capacity(terms.len());
    for term in terms {
        match term {
            Expr::And(inner) if is_and && !inner.is_empty() => all.extend(inner),
            Expr::Or(inner) if !is_and && !inner.is_empty() => all.extend(inner),
            other => all.push(other),
        }
    }
    if is_and { Expr::And(all) } else { Expr::Or(all) }
}

/// (case-insensitive, negated) for the operators that stand for LIKE.
fn like_operator(op: &BinaryOperator) -> Option<(bool, bool)> {
    match op {
        BinaryOperator::PGLikeMatch => Some((false, false)),
        BinaryOperator::PGNotLikeMatch => Some((false, true)),
        BinaryOperator::PGILikeMatch => Some((true, false)),
        BinaryOperator::PGNotILikeMatch => Some((true, true)),
        _ => None,
    }
}

fn apply(op: &BinaryOperator, left: Expr, right: Expr) -> Result<Expr> {
    use BinaryOperator as Op;
    let comparison = match op {
        Op::Eq => Some(Comparison::Equal),
        Op::NotEq => Some(Comparison::NotEqual),
        Op::Lt => Some(Comparison::Less),
        Op::LtEq => Some(Comparison::LessOrEqual),
        Op::Gt => Some(Comparison::Greater),
        Op::GtEq => Some(Comparison::GreaterOrEqual),
        _ => None,
    };
    if let Some(comparison) = comparison {
        return compare(comparison, left, right);
    }
    let function = match op {
        Op::Plus => Function::Add,
        Op::Minus => Function::Subtract,
        Op::Multiply => Function::Multiply,
        Op::Divide => Function::Divide,
        Op::Modulo => Function::Modulo,
        Op::StringConcat => Function::Concat,
        Op::PGExp => Function::Power,
        Op::BitwiseAnd => Function::BitAnd,
        Op::BitwiseOr => Function::BitOr,
        Op::PGBitwiseXor => Function::BitXor,
        Op::PGBitwiseShiftLeft => Function::ShiftLeft,
        Op::PGBitwiseShiftRight => Function::ShiftRight,
        Op::PGStartsWith => Function::StartsWith,
        Op::PGRegexMatch | Op::PGRegexIMatch | Op::PGRegexNotMatch | Op::PGRegexNotIMatch => {
            let ignores_case = matches!(op, Op::PGRegexIMatch | Op::PGRegexNotIMatch);
            let is_negated = matches!(op, Op::PGRegexNotMatch | Op::PGRegexNotIMatch);
            return regexp(left, right, ignores_case).map(|found| negate_if(found, is_negated));
        }
        _ => return Err(unsupported(&format!("the operator {op}"), None)),
    };
    resolve(function, vec![left, right])
}

fn regexp(text: Expr, pattern: Expr, ignores_case: bool) -> Result<Expr> {
    let mut arguments = vec![text, pattern];
    if ignores_case {
        let flag = Value::Text("i".to_owned());
        arguments.push(Expr::literal(flag, martlet_engine::types::DataType::Utf8));
    }
    resolve(Function::RegexpMatches, arguments)
}
