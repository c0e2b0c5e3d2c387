//! Expressions made ready for batches whose columns have known representations.
//!
//! A bare column is passed on as it is, a literal becomes a constant, an expression of one dictionary
//! column is evaluated per distinct value, and only the rest is evaluated row by row.

use super::by_integer::ByInteger;
use super::choice::Choice;
use super::expression::evaluate;
use super::per_value::{PerValue, true_rows};
use super::source::ColumnKind;
use crate::context::Context;
use crate::plan::{DatePart, Expr, Function};
use crate::types::{DataType, Error, Result, Value};
use crate::vector::{Batch, Vector};

/// A list of expressions over the columns of a source.
#[derive(Debug)]
pub(crate) struct Program {
    steps: Vec<Step>,
    kinds: Vec<ColumnKind>,
}

#[derive(Debug)]
enum Step {
    Column(usize),
    Constant(Value, DataType),
    PerValue {
        column: usize,
        per_value: PerValue,
    },
    Choice(Choice),
    ByInteger {
        column: usize,
        by_integer: ByInteger,
    },
    /// Over the listed columns, in their order.
    Rows {
        expr: Expr,
        columns: Vec<usize>,
    },
}

impl Program {
    /// Makes `exprs` ready for batches of `inputs`. With `intern`, computed texts are numbered where
    /// that costs once per distinct value: for group keys.
    pub(crate) fn new(exprs: &[Expr], inputs: &[ColumnKind], intern: bool) -> Program {
        let (steps, kinds) = exprs.iter().map(|expr| step(expr, inputs, intern)).unzip();
        Program { steps, kinds }
    }

    /// How each result is represented.
    pub(crate) fn kinds(&self) -> &[ColumnKind] {
        &self.kinds
    }

    /// How many expressions are evaluated per distinct value.
    pub(crate) fn per_value_count(&self) -> usize {
        self.steps.iter().filter(|step| matches!(step, Step::PerValue { .. })).count()
    }

    /// The input's column that the expression at `index` is.
    pub(crate) fn column(&self, index: usize) -> Option<usize> {
        match &self.steps[index] {
            Step::Column(column) => Some(*column),
            _ => None,
        }
    }

    /// The expression at `index`, if it is evaluated per distinct value.
    pub(crate) fn per_value(&self, index: usize) -> Option<&PerValue> {
        match &self.steps[index] {
            Step::PerValue { per_value, .. } => Some(per_value),
            _ => None,
        }
    }

    /// The result of the expression at `index` for one batch.
    ///
    /// # Errors
    /// Those of the expression.
    pub(crate) fn run_one(&self, index: usize, batch: &Batch, context: &Context) -> Result<Vector> {
        self.steps[index].run(batch, context)
    }

    /// The rows of a batch for which every predicate is true. A later predicate only sees the rows that
    /// the others left.
    ///
    /// # Errors
    /// Those of the predicates; `Internal` when an expression is none.
    pub(crate) fn filtered(&self, mut batch: Batch, context: &Context) -> Result<Batch> {
        for step in &self.steps {
            let rows = true_rows(&step.run(&batch, context)?)?;
            if rows.len() < batch.len() {
                batch = batch.take(&rows)?;
            }
        }
        Ok(batch)
    }

    /// The results for one batch.
    ///
    /// # Errors
    /// Those of the expressions.
    pub(crate) fn run(&self, batch: &Batch, context: &Context) -> Result<Vec<Vector>> {
        self.steps.iter().map(|step| step.run(batch, context)).collect()
    }
}

impl Step {
    fn run(&self, batch: &Batch, context: &Context) -> Result<Vector> {
        let columns = batch.columns();
        match self {
            Step::Column(index) => Ok(columns[*index].clone()),
            Step::Constant(value, data_type) => Ok(Vector::Constant {
                value: value.clone(),
                data_type: *data_type,
                len: batch.len(),
            }),
            Step::PerValue { column, per_value } => match &columns[*column] {
                Vector::Dictionary(vector) => per_value.evaluate(vector, context),
                _ => Err(Error::internal("a column lost its dictionary")),
            },
            Step::Choice(choice) => choice.run(batch, context),
            Step::ByInteger { column, by_integer } => {
                by_integer.evaluate(&columns[*column], context)
            }
            Step::Rows { expr, columns: needed } => {
                let arrays = needed
                    .iter()
                    .map(|index| columns[*index].decode())
                    .collect::<Result<Vec<_>>>()?;
                Ok(Vector::Flat(evaluate(expr, &arrays, batch.len(), context)?))
            }
        }
    }
}

fn step(expr: &Expr, inputs: &[ColumnKind], intern: bool) -> (Step, ColumnKind) {
    match expr {
        Expr::Column { index, .. } => return (Step::Column(*index), inputs[*index].clone()),
        Expr::Literal { value, data_type } => {
            return (Step::Constant(value.clone(), *data_type), constant_kind(value, *data_type));
        }
        _ => {}
    }
    if intern && let Some(choice) = Choice::of(expr, inputs) {
        let kind = choice.kind();
        return (Step::Choice(choice), kind);
    }
    let mut columns = Vec::new();
    expr.for_each_column(&mut |index| {
        if !columns.contains(&index) {
            columns.push(index);
        }
    });
    let mut expr = expr.clone();
    expr.map_columns(&|index| {
        columns.iter().position(|column| *column == index).expect("collected above")
    });
    if let [column] = columns[..]
        && let ColumnKind::Dictionary { by_id, .. } = &inputs[column]
    {
        let bounds = bounds(&expr);
        let per_value = PerValue::new(expr, *by_id, intern);
        let kind = with_bounds(per_value.kind(), bounds);
        return (Step::PerValue { column, per_value }, kind);
    }
    let input = columns.first().filter(|_| columns.len() == 1).map(|column| &inputs[*column]);
    let bounds = bounds(&expr).or_else(|| bounds_of_year(&expr, input?));
    let kind = with_bounds(ColumnKind::flat(expr.data_type()), bounds);
    if let (Some(input), true) = (input, is_dear(&expr))
        && let Some(by_integer) = ByInteger::new(&expr, input)
    {
        return (Step::ByInteger { column: columns[0], by_integer }, kind);
    }
    (Step::Rows { expr, columns }, kind)
}

/// Whether a look-up is cheaper than computing it: there is more to it than arithmetic.
fn is_dear(expr: &Expr) -> bool {
    use Function::{Add, Multiply, Negate, Subtract};
    match expr {
        Expr::Call { function: Add | Subtract | Multiply | Negate, arguments, .. } => {
            arguments.iter().any(is_dear)
        }
        Expr::Call { .. } | Expr::Case { .. } => true,
        Expr::Cast { input, data_type, .. } => {
            !data_type.is_integer() && !data_type.is_float() || is_dear(input)
        }
        other => other.children().into_iter().any(is_dear),
    }
}

/// The first and the last year of a column of dates or timestamps without a zone.
fn bounds_of_year(expr: &Expr, input: &ColumnKind) -> Option<(i128, i128)> {
    let Expr::Call { function: Function::Extract(DatePart::Year), arguments, .. } = expr else {
        return None;
    };
    let ColumnKind::Flat { data_type, bounds: Some((min, max)), .. } = input else { return None };
    let zoned = matches!(data_type, DataType::Timestamp { zoned: true, .. });
    if zoned || !matches!(arguments[..], [Expr::Column { .. }]) {
        return None;
    }
    let year = |ticks: &i128| {
        let array = Value::Int(*ticks).to_array(*data_type, 1).ok()?;
        let result = evaluate(expr, &[array], 1, &Context::new()).ok()?;
        match Value::from_array(&result, DataType::Int64, 0) {
            Value::Int(year) => Some(year),
            _ => None,
        }
    };
    Some((year(min)?, year(max)?))
}

fn constant_kind(value: &Value, data_type: DataType) -> ColumnKind {
    let bounds = match value {
        Value::Int(value) => Some((*value, *value)),
        _ => None,
    };
    ColumnKind::Flat { data_type, nullable: value.is_null(), bounds }
}

fn with_bounds(kind: ColumnKind, bounds: Option<(i128, i128)>) -> ColumnKind {
    match kind {
        ColumnKind::Flat { data_type, nullable, bounds: None } => {
            ColumnKind::Flat { data_type, nullable, bounds }
        }
        kind => kind,
    }
}

/// Bounds that an expression has whatever its arguments are.
fn bounds(expr: &Expr) -> Option<(i128, i128)> {
    if let Expr::Call { function: Function::Length | Function::ByteLength, .. } = expr {
        return Some((0, i32::MAX.into()));
    }
    let Expr::Call { function: Function::Extract(part), data_type: DataType::Int64, .. } = expr
    else {
        return None;
    };
    match part {
        DatePart::Minute => Some((0, 59)),
        DatePart::Hour => Some((0, 23)),
        DatePart::Day => Some((1, 31)),
        DatePart::Week => Some((1, 53)),
        DatePart::Month => Some((1, 12)),
        DatePart::Quarter => Some((1, 4)),
        DatePart::DayOfWeek | DatePart::IsoDayOfWeek => Some((0, 7)),
        DatePart::DayOfYear => Some((1, 366)),
        _ => None,
    }
}
