//! The parameters of a prepared statement: numbered, typed by their context, replaced by values.

use martlet_engine::plan::{Aggregate, Expr, LogicalPlan, SortKey};
use martlet_engine::types::{DataType, Error, Result, Value};

/// Parameters while a statement is bound.
#[derive(Debug, Default)]
pub(crate) struct Parameters {
    /// Values with their types, when the statement is run.
    values: Option<Vec<(Value, DataType)>>,
    /// The type that the context asked for, by parameter.
    types: Vec<Option<DataType>>,
    /// How many `?` were met.
    question_marks: usize,
    numbered: bool,
}

impl Parameters {
    /// For preparing: values are unknown, types are found.
    pub(crate) fn unknown() -> Parameters {
        Parameters::default()
    }

    /// For running.
    pub(crate) fn given(values: Vec<(Value, DataType)>) -> Parameters {
        Parameters { values: Some(values), ..Parameters::default() }
    }

    /// The types found, in order; `None` where the context leaves it open.
    pub(crate) fn types(&self) -> &[Option<DataType>] {
        &self.types
    }

    /// The expression for the parameter `text` (`?` or `$n`).
    pub(super) fn bind(&mut self, text: &str, position: Option<usize>) -> Result<Expr> {
        let index = self.index(text).map_err(|error| super::place(error, position))?;
        if self.types.len() <= index {
            self.types.resize(index + 1, None);
        }
        match &self.values {
            None => Ok(Expr::Parameter { index, data_type: DataType::Null }),
            Some(values) => match values.get(index) {
                Some((value, data_type)) => Ok(Expr::literal(value.clone(), *data_type)),
                None => Err(super::place(
                    Error::invalid(format!("parameter {} has no value", index + 1)),
                    position,
                )),
            },
        }
    }

    /// The context asks for this type.
    pub(super) fn set_type(&mut self, index: usize, data_type: DataType) {
        self.types[index] = Some(data_type);
    }

    fn index(&mut self, text: &str) -> Result<usize> {
        let mixed = || Error::syntax("? and $1 cannot be mixed in one statement");
        if text == "?" {
            if self.numbered {
                return Err(mixed());
            }
            self.question_marks += 1;
            return Ok(self.question_marks - 1);
        }
        if self.question_marks > 0 {
            return Err(mixed());
        }
        self.numbered = true;
        let number = text.strip_prefix('$').and_then(|digits| digits.parse::<usize>().ok());
        match number {
            Some(number @ 1..=65_535) => Ok(number - 1),
            _ => Err(Error::unsupported(format!("the parameter {text} is not supported"))
                .with_hint("parameters are written ? or $1, $2, …")),
        }
    }

    /// Gives every parameter of `plan` the type of the cast around it.
    pub(super) fn settle(&mut self, plan: &mut LogicalPlan) {
        if self.values.is_some() || self.types.is_empty() {
            return;
        }
        for_each_expr(plan, &mut |expr| self.settle_expr(expr));
    }

    fn settle_expr(&mut self, expr: &mut Expr) {
        if let Expr::Cast { input, data_type, .. } = expr
            && let Expr::Parameter { index, data_type: DataType::Null } = **input
        {
            self.types[index] = Some(*data_type);
            *expr = Expr::Parameter { index, data_type: *data_type };
            return;
        }
        for child in expr.children_mut() {
            self.settle_expr(child);
        }
    }
}

/// Calls `visit` on every expression of `plan`.
fn for_each_expr(plan: &mut LogicalPlan, visit: &mut impl FnMut(&mut Expr)) {
    let of_aggregate = |aggregate: &mut Aggregate, visit: &mut dyn FnMut(&mut Expr)| {
        aggregate.exprs_mut().for_each(visit);
    };
    match plan {
        LogicalPlan::Scan(scan) => scan.filter.iter_mut().for_each(visit),
        LogicalPlan::Values { rows, .. } => rows.iter_mut().flatten().for_each(visit),
        LogicalPlan::Filter { input, predicate } => {
            visit(predicate);
            for_each_expr(input, visit);
        }
        LogicalPlan::Project { input, exprs, .. } => {
            exprs.iter_mut().for_each(&mut *visit);
            for_each_expr(input, visit);
        }
        LogicalPlan::Aggregate { input, keys, aggregates, .. } => {
            keys.iter_mut().for_each(&mut *visit);
            for aggregate in aggregates {
                of_aggregate(aggregate, &mut *visit);
            }
            for_each_expr(input, visit);
        }
        LogicalPlan::Window { input, window } => {
            window.exprs_mut().for_each(&mut *visit);
            for_each_expr(input, visit);
        }
        LogicalPlan::Sort { input, keys } => {
            for SortKey { expr, .. } in keys {
                visit(expr);
            }
            for_each_expr(input, visit);
        }
        LogicalPlan::Limit { input, .. } => for_each_expr(input, visit),
    }
}
