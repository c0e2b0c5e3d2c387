//! The rows that an expression is evaluated for, and the subsets of them that its parts see.

use std::borrow::Cow;

use arrow::array::{Array, ArrayRef, BooleanArray};
use arrow::compute::{self, interleave};

use super::operand::Operand;
use super::{call, cast, choice, comparison, like, logic};
use crate::context::Context;
use crate::plan::Expr;
use crate::types::{Error, Result};

/// Columns of equal length; those that no evaluated expression names may be anything.
pub(super) struct Rows<'a> {
    columns: Cow<'a, [ArrayRef]>,
    row_count: usize,
    context: &'a Context,
}

impl<'a> Rows<'a> {
    pub(super) fn new(columns: &'a [ArrayRef], row_count: usize, context: &'a Context) -> Rows<'a> {
        Rows { columns: Cow::Borrowed(columns), row_count, context }
    }

    pub(super) fn row_count(&self) -> usize {
        self.row_count
    }

    pub(super) fn context(&self) -> &'a Context {
        self.context
    }

    /// The values of one expression.
    pub(super) fn evaluate(&self, expr: &Expr) -> Result<Operand> {
        match expr {
            Expr::Column { index, .. } => {
                let column = self.columns.get(*index).ok_or_else(|| {
                    Error::internal(format!(
                        "the expression names column {index}, which is missing"
                    ))
                })?;
                Ok(Operand::rows(ArrayRef::clone(column)))
            }
            Expr::Literal { value, data_type } => Operand::literal(value, *data_type),
            Expr::Parameter { index, .. } => {
                Err(Error::invalid(format!("parameter {} has no value", index + 1)))
            }
            Expr::Cast { input, data_type, or_null } => {
                let from = input.data_type();
                let input = self.evaluate(input)?;
                cast::cast(
                    &input,
                    cast::Target { from, to: *data_type, or_null: *or_null },
                    self.context,
                )
            }
            Expr::Compare { op, left, right } => {
                let data_type = left.data_type();
                let (left, right) = (self.evaluate(left)?, self.evaluate(right)?);
                comparison::compare(*op, &left, &right, data_type)
            }
            Expr::And(terms) => logic::conjunction(self, terms),
            Expr::Or(terms) => logic::disjunction(self, terms),
            Expr::Not(input) => logic::negation(&self.evaluate(input)?),
            Expr::IsNull(input) => logic::is_null(&self.evaluate(input)?),
            Expr::InList { input, list } => {
                let data_type = input.data_type();
                comparison::in_list(&self.evaluate(input)?, list, data_type)
            }
            Expr::Like { input, pattern } => Ok(like::like(&self.evaluate(input)?, pattern)),
            Expr::Case { branches, otherwise, data_type } => {
                choice::case(self, branches, otherwise.as_deref(), *data_type)
            }
            Expr::Call { function, arguments, data_type } => {
                call::call(self, *function, arguments, *data_type)
            }
        }
    }

    /// The rows that `keep` has true, for evaluating `exprs`.
    pub(super) fn filter<'e>(
        &self,
        keep: &BooleanArray,
        exprs: impl IntoIterator<Item = &'e Expr>,
    ) -> Result<Rows<'a>> {
        let mut needed = vec![false; self.columns.len()];
        for expr in exprs {
            expr.for_each_column(&mut |index| {
                if let Some(needed) = needed.get_mut(index) {
                    *needed = true;
                }
            });
        }
        let columns: Result<Vec<ArrayRef>> = self
            .columns
            .iter()
            .zip(needed)
            .map(|(column, needed)| {
                Ok(if needed { compute::filter(column, keep)? } else { ArrayRef::clone(column) })
            })
            .collect();
        Ok(Rows {
            columns: Cow::Owned(columns?),
            row_count: keep.true_count(),
            context: self.context,
        })
    }
}

/// Puts results of subsets of the rows back in their places.
pub(super) struct Scatter {
    pieces: Vec<ArrayRef>,
    /// By row: which piece, and where in it.
    places: Vec<(usize, usize)>,
    /// Rows not placed yet, ascending.
    open: Vec<usize>,
}

impl Scatter {
    pub(super) fn new(row_count: usize) -> Scatter {
        Scatter {
            pieces: Vec::new(),
            places: vec![(0, 0); row_count],
            open: (0..row_count).collect(),
        }
    }

    /// Places the values of the open rows that `taken` has true, in order.
    pub(super) fn place(&mut self, taken: &BooleanArray, values: Operand) {
        assert_eq!(taken.len(), self.open.len(), "a mask covers the open rows");
        let piece = self.pieces.len();
        let is_constant = values.is_constant();
        self.pieces.push(ArrayRef::clone(values.array()));
        let mut place = 0;
        let mut open = Vec::with_capacity(self.open.len() - taken.true_count());
        for (row, is_taken) in self.open.drain(..).zip(taken.values()) {
            if is_taken {
                self.places[row] = (piece, if is_constant { 0 } else { place });
                place += 1;
            } else {
                open.push(row);
            }
        }
        self.open = open;
    }

    /// The rows in their order.
    pub(super) fn finish(self) -> Result<ArrayRef> {
        assert!(self.open.is_empty(), "every row was placed");
        let pieces: Vec<&dyn Array> = self.pieces.iter().map(AsRef::as_ref).collect();
        Ok(interleave(&pieces, &self.places)?)
    }
}
