//! Scalar expressions over one row.

use std::cmp::Ordering;

use martlet::plan::{Comparison, Expr, Function};
use martlet::{DataType, Error, Result, Value};

use crate::plan::{Cell, Model};
use crate::{cast, number, text, time};

impl Model {
    /// The expression's value. Every operand is computed and its error noted, also where another one
    /// settles the value; the branches that a CASE does not take are not.
    pub(crate) fn eval(&self, expr: &Expr, row: &[Cell]) -> Cell {
        let cell = self.eval_node(expr, row);
        if let Err(error) = &cell {
            self.note(error);
        }
        cell
    }

    fn eval_node(&self, expr: &Expr, row: &[Cell]) -> Cell {
        match expr {
            Expr::Column { index, .. } => row[*index].clone(),
            Expr::Literal { value, .. } => Ok(value.clone()),
            Expr::Parameter { .. } => Err(Error::internal("a parameter without a value")),
            Expr::Cast { input, data_type, or_null } => {
                let value = self.eval(input, row)?;
                match cast::cast(&value, input.data_type(), *data_type, self.zone) {
                    Err(_) if *or_null => Ok(Value::Null),
                    cast => cast,
                }
            }
            Expr::Compare { op, left, right } => {
                compare(*op, self.eval(left, row), self.eval(right, row))
            }
            Expr::And(terms) => self.connective(terms, row, false),
            Expr::Or(terms) => self.connective(terms, row, true),
            Expr::Not(input) => Ok(match self.eval(input, row)? {
                Value::Bool(value) => Value::Bool(!value),
                other => other,
            }),
            Expr::IsNull(input) => Ok(Value::Bool(self.eval(input, row)?.is_null())),
            Expr::InList { input, list } => Ok(in_list(&self.eval(input, row)?, list)),
            Expr::Like { input, pattern } => Ok(match self.eval(input, row)? {
                Value::Text(input) => Value::Bool(text::is_like(&input, pattern)),
                other => other,
            }),
            Expr::Case { branches, otherwise, .. } => {
                for (predicate, result) in branches {
                    if self.is(predicate, true, row)? {
                        return self.eval(result, row);
                    }
                }
                otherwise.as_ref().map_or(Ok(Value::Null), |otherwise| self.eval(otherwise, row))
            }
            Expr::Call { function, arguments, data_type } => {
                self.call(*function, arguments, *data_type, row)
            }
        }
    }

    /// Whether the predicate has that value. Less than the value itself may settle that: a conjunct
    /// that is NULL keeps a row out, whatever the others are or fail with.
    pub(crate) fn is(&self, predicate: &Expr, wanted: bool, row: &[Cell]) -> Result<bool> {
        let (terms, decisive) = match predicate {
            Expr::And(terms) => (terms, !wanted),
            Expr::Or(terms) => (terms, wanted),
            Expr::Not(input) => return self.is(input, !wanted, row),
            other => return Ok(self.eval(other, row)? == Value::Bool(wanted)),
        };
        let found: Vec<Result<bool>> =
            terms.iter().map(|term| self.is(term, wanted, row)).collect();
        if found.iter().any(|found| found.as_ref().is_ok_and(|found| *found == decisive)) {
            return Ok(decisive);
        }
        found.into_iter().collect::<Result<Vec<bool>>>().map(|_| !decisive)
    }

    /// AND when `decisive` is false, OR when it is true: a decisive term settles the value, else an
    /// error does, else NULL does.
    fn connective(&self, terms: &[Expr], row: &[Cell], decisive: bool) -> Cell {
        let cells: Vec<Cell> = terms.iter().map(|term| self.eval(term, row)).collect();
        let is = |wanted: &Value| cells.iter().any(|cell| cell.as_ref().is_ok_and(|v| v == wanted));
        if is(&Value::Bool(decisive)) {
            return Ok(Value::Bool(decisive));
        }
        let has_null = is(&Value::Null);
        cells.into_iter().collect::<Result<Vec<Value>>>()?;
        Ok(if has_null { Value::Null } else { Value::Bool(!decisive) })
    }

    fn call(
        &self,
        function: Function,
        arguments: &[Expr],
        data_type: DataType,
        row: &[Cell],
    ) -> Cell {
        if function == Function::Coalesce {
            return self.coalesce(arguments, row);
        }
        let types: Vec<DataType> = arguments.iter().map(Expr::data_type).collect();
        let cells: Vec<Cell> = arguments.iter().map(|argument| self.eval(argument, row)).collect();
        match function {
            Function::NullIf => {
                let [first, second] = <[Cell; 2]>::try_from(cells).expect("two arguments");
                let first = first?;
                let is_equal = compare(Comparison::Equal, Ok(first.clone()), second)?;
                return Ok(if is_equal == Value::Bool(true) { Value::Null } else { first });
            }
            Function::Greatest | Function::Least => {
                let values = cells.into_iter().collect::<Result<Vec<Value>>>()?;
                return Ok(extreme(values, function == Function::Greatest));
            }
            Function::ConcatSkipNulls | Function::ConcatWithSeparator => {
                let values = cells.into_iter().collect::<Result<Vec<Value>>>()?;
                return Ok(text::concat_skip_nulls(function, values));
            }
            _ => {}
        }
        // A NULL settles the value of any other function.
        if cells.iter().any(|cell| cell.as_ref().is_ok_and(Value::is_null)) {
            return Ok(Value::Null);
        }
        let values = cells.into_iter().collect::<Result<Vec<Value>>>()?;
        if let Some(value) = number::call(function, &values, &types, data_type) {
            return value;
        }
        if let Some(value) = time::call(function, &values, &types, data_type, self.zone) {
            return value;
        }
        text::call(function, &values)
    }

    /// The first value that is not NULL; those behind it are not computed.
    fn coalesce(&self, arguments: &[Expr], row: &[Cell]) -> Cell {
        for argument in arguments {
            let value = self.eval(argument, row)?;
            if !value.is_null() {
                return Ok(value);
            }
        }
        Ok(Value::Null)
    }
}

fn compare(op: Comparison, left: Cell, right: Cell) -> Cell {
    let is_null = |cell: &Cell| cell.as_ref().is_ok_and(Value::is_null);
    let holds = match op {
        Comparison::Distinct => left? != right?,
        Comparison::NotDistinct => left? == right?,
        _ if is_null(&left) || is_null(&right) => return Ok(Value::Null),
        _ => {
            let order = left?.order(&right?);
            match op {
                Comparison::Equal => order == Ordering::Equal,
                Comparison::NotEqual => order != Ordering::Equal,
                Comparison::Less => order == Ordering::Less,
                Comparison::LessOrEqual => order != Ordering::Greater,
                Comparison::Greater => order == Ordering::Greater,
                _ => order != Ordering::Less,
            }
        }
    };
    Ok(Value::Bool(holds))
}

fn in_list(input: &Value, list: &[Value]) -> Value {
    if list.is_empty() {
        return Value::Bool(false);
    }
    if input.is_null() {
        return Value::Null;
    }
    if list.iter().any(|value| !value.is_null() && value == input) {
        return Value::Bool(true);
    }
    if list.iter().any(Value::is_null) { Value::Null } else { Value::Bool(false) }
}

/// The greatest or least value that is not NULL; the first of equal ones.
fn extreme(values: Vec<Value>, greatest: bool) -> Value {
    let wins = if greatest { Ordering::Greater } else { Ordering::Less };
    let known = values.into_iter().filter(|value| !value.is_null());
    let better = |best: Value, value: Value| if value.order(&best) == wins { value } else { best };
    known.reduce(better).unwrap_or(Value::Null)
}
