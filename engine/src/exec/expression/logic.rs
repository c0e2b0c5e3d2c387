//! AND, OR, NOT and IS NULL in three-valued logic.

use std::sync::Arc;

use arrow::array::{Array, AsArray, BooleanArray};
use arrow::buffer::BooleanBuffer;
use arrow::compute::{self, prep_null_mask_filter};

use super::operand::Operand;
use super::rows::{Rows, Scatter};
use crate::plan::{Expr, can_fail};
use crate::types::Result;

pub(super) fn negation(input: &Operand) -> Result<Operand> {
    Ok(input.with_array(Arc::new(compute::not(input.as_boolean())?)))
}

pub(super) fn is_null(input: &Operand) -> Result<Operand> {
    Ok(input.with_array(Arc::new(compute::is_null(input.array())?)))
}

pub(super) fn conjunction(rows: &Rows<'_>, terms: &[Expr]) -> Result<Operand> {
    junction(rows, terms, Junction { decided_by: false })
}

pub(super) fn disjunction(rows: &Rows<'_>, terms: &[Expr]) -> Result<Operand> {
    junction(rows, terms, Junction { decided_by: true })
}

/// AND, which one false decides, or OR, which one true decides.
#[derive(Clone, Copy)]
struct Junction {
    decided_by: bool,
}

/// Evaluates the terms in order; one that can fail only for the rows that are still open.
fn junction(rows: &Rows<'_>, terms: &[Expr], junction: Junction) -> Result<Operand> {
    let neutral = BooleanArray::from(vec![!junction.decided_by]);
    let mut result = Operand::constant(Arc::new(neutral));
    for term in terms {
        let decided = decided(result.as_boolean(), junction);
        let decided_count = decided.count_set_bits();
        if decided_count == decided.len() {
            return Ok(result);
        }
        let value = if decided_count > 0 && can_fail(term) {
            let open = BooleanArray::new(!&decided, None);
            evaluate_open(rows, term, &open, junction)?
        } else {
            rows.evaluate(term)?
        };
        result = combine(rows, result, value, junction)?;
    }
    Ok(result)
}

/// The rows for which nothing can change the result any more.
fn decided(result: &BooleanArray, junction: Junction) -> BooleanBuffer {
    let values = if junction.decided_by { result.values().clone() } else { !result.values() };
    match result.nulls() {
        Some(nulls) => &values & nulls.inner(),
        None => values,
    }
}

/// The term's value for the open rows, and the deciding one for the others.
fn evaluate_open(
    rows: &Rows<'_>,
    term: &Expr,
    open: &BooleanArray,
    junction: Junction,
) -> Result<Operand> {
    let mut scatter = Scatter::new(rows.row_count());
    let value = rows.filter(open, [term])?.evaluate(term)?;
    scatter.place(open, value);
    let rest = BooleanArray::from(vec![true; rows.row_count() - open.true_count()]);
    let decided = BooleanArray::from(vec![junction.decided_by]);
    scatter.place(&rest, Operand::constant(Arc::new(decided)));
    Ok(Operand::rows(scatter.finish()?))
}

fn combine(rows: &Rows<'_>, left: Operand, right: Operand, junction: Junction) -> Result<Operand> {
    // The neutral constant that every junction starts with.
    if left.is_constant() && !left.is_constant_null() {
        let decides = left.as_boolean().value(0) == junction.decided_by;
        return Ok(if decides { left } else { right });
    }
    let is_constant = left.is_constant() && right.is_constant();
    let row_count = if is_constant { 1 } else { rows.row_count() };
    let (left, right) = (left.into_array(row_count)?, right.into_array(row_count)?);
    let kernel = if junction.decided_by { compute::or_kleene } else { compute::and_kleene };
    let array = Arc::new(kernel(left.as_boolean(), right.as_boolean())?);
    Ok(if is_constant { Operand::constant(array) } else { Operand::rows(array) })
}

/// NULL counted as false.
pub(super) fn without_nulls(mask: &BooleanArray) -> BooleanArray {
    if mask.null_count() > 0 { prep_null_mask_filter(mask) } else { mask.clone() }
}
