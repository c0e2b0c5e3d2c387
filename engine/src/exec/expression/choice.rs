//! CASE, COALESCE, NULLIF, GREATEST and LEAST.

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, Scalar};
use arrow::compute::kernels::{nullif::nullif, zip::zip};
use arrow::compute::{self, or_kleene};

use super::comparison::compare;
use super::logic::without_nulls;
use super::operand::{Operand, computed_len};
use super::rows::{Rows, Scatter};
use crate::plan::{Comparison, Expr, can_fail};
use crate::types::{DataType, Result, Value};

/// A branch is evaluated for the rows that reach it.
pub(super) fn case(
    rows: &Rows<'_>,
    branches: &[(Expr, Expr)],
    otherwise: Option<&Expr>,
    data_type: DataType,
) -> Result<Operand> {
    let null = Expr::literal(Value::Null, data_type);
    let otherwise = otherwise.unwrap_or(&null);
    if let [(predicate, result)] = branches
        && !can_fail(result)
        && !can_fail(otherwise)
    {
        return choose(rows, predicate, result, otherwise);
    }
    let mut scatter = Scatter::new(rows.row_count());
    let all = BooleanArray::from(vec![true; rows.row_count()]);
    let exprs = branches.iter().flat_map(|(predicate, result)| [predicate, result]);
    let mut open = rows.filter(&all, exprs.chain([otherwise]))?;
    for (index, (predicate, result)) in branches.iter().enumerate() {
        if open.row_count() == 0 {
            break;
        }
        let mask = open.evaluate(predicate)?.into_array(open.row_count())?;
        let taken = without_nulls(mask.as_boolean());
        if taken.true_count() > 0 {
            let value = open.filter(&taken, [result])?.evaluate(result)?;
            scatter.place(&taken, value);
            let later = branches[index + 1..].iter().flat_map(|(p, r)| [p, r]).chain([otherwise]);
            open = open.filter(&compute::not(&taken)?, later)?;
        }
    }
    if open.row_count() > 0 {
        let rest = BooleanArray::from(vec![true; open.row_count()]);
        scatter.place(&rest, open.evaluate(otherwise)?);
    }
    Ok(Operand::rows(scatter.finish()?))
}

/// One branch whose results cannot fail: both are computed for all rows.
fn choose(rows: &Rows<'_>, predicate: &Expr, yes: &Expr, no: &Expr) -> Result<Operand> {
    let mask = rows.evaluate(predicate)?;
    if mask.is_constant() {
        let taken = mask.as_boolean().is_valid(0) && mask.as_boolean().value(0);
        return rows.evaluate(if taken { yes } else { no });
    }
    let mask = without_nulls(mask.as_boolean());
    let (yes, no) = (rows.evaluate(yes)?, rows.evaluate(no)?);
    Ok(Operand::rows(zip_operands(&mask, &yes, &no)?))
}

fn zip_operands(mask: &BooleanArray, yes: &Operand, no: &Operand) -> Result<ArrayRef> {
    let scalar = |operand: &Operand| Scalar::new(ArrayRef::clone(operand.array()));
    Ok(match (yes.is_constant(), no.is_constant()) {
        (true, true) => zip(mask, &scalar(yes), &scalar(no))?,
        (true, false) => zip(mask, &scalar(yes), no.array())?,
        (false, true) => zip(mask, yes.array(), &scalar(no))?,
        (false, false) => zip(mask, yes.array(), no.array())?,
    })
}

/// Each argument is evaluated for the rows for which those before are NULL.
pub(super) fn coalesce(
    rows: &Rows<'_>,
    arguments: &[Expr],
    data_type: DataType,
) -> Result<Operand> {
    let first = rows.evaluate(&arguments[0])?;
    if first.is_constant() && !first.is_constant_null() {
        return Ok(first);
    }
    let first = first.into_array(rows.row_count())?;
    if first.logical_null_count() == 0 || arguments.len() == 1 {
        return Ok(Operand::rows(first));
    }
    let mut scatter = Scatter::new(rows.row_count());
    let taken = compute::is_not_null(&first)?;
    let mut open = rows.filter(&compute::not(&taken)?, &arguments[1..])?;
    scatter.place(&taken, Operand::rows(compute::filter(&first, &taken)?));
    for (index, argument) in arguments.iter().enumerate().skip(1) {
        if open.row_count() == 0 {
            break;
        }
        let values = open.evaluate(argument)?.into_array(open.row_count())?;
        let taken = compute::is_not_null(&values)?;
        scatter.place(&taken, Operand::rows(compute::filter(&values, &taken)?));
        open = open.filter(&compute::not(&taken)?, &arguments[index + 1..])?;
    }
    if open.row_count() > 0 {
        let rest = BooleanArray::from(vec![true; open.row_count()]);
        scatter.place(&rest, Operand::literal(&Value::Null, data_type)?);
    }
    Ok(Operand::rows(scatter.finish()?))
}

pub(super) fn null_if(inputs: &[Operand], data_type: DataType) -> Result<Operand> {
    let row_count = computed_len(inputs);
    let equal = compare(Comparison::Equal, &inputs[0], &inputs[1], data_type)?;
    let equal = equal.into_array(row_count)?;
    let first = inputs[0].clone().into_array(row_count)?;
    let array = nullif(&first, &without_nulls(equal.as_boolean()))?;
    Ok(Operand::computed(array, inputs))
}

/// The greatest or least of the non-null arguments.
pub(super) fn extreme(inputs: &[Operand], greatest: bool, data_type: DataType) -> Result<Operand> {
    let op = if greatest { Comparison::GreaterOrEqual } else { Comparison::LessOrEqual };
    let row_count = computed_len(inputs);
    let mut best = inputs[0].clone().into_array(row_count)?;
    for input in &inputs[1..] {
        let other = input.clone().into_array(row_count)?;
        let (left, right) = (Operand::rows(best), Operand::rows(other));
        let wins = compare(op, &left, &right, data_type)?;
        let keeps = or_kleene(wins.as_boolean(), &compute::is_null(right.array())?)?;
        best = zip_operands(&without_nulls(&keeps), &left, &right)?;
    }
    Ok(Operand::computed(best, inputs))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::Int32Array;

    use super::*;

    #[test]
    fn the_greatest_skips_nulls() -> Result<()> {
        let column = |values: Vec<Option<i32>>| Operand::rows(Arc::new(Int32Array::from(values)));
        let inputs = [
            column(vec![Some(1), None, None, Some(5)]),
            column(vec![Some(2), Some(3), None, None]),
        ];
        let greatest = extreme(&inputs, true, DataType::Int32)?;
        let expected = Int32Array::from(vec![Some(2), Some(3), None, Some(5)]);
        assert_eq!(greatest.array().as_ref(), &expected as &dyn Array);
        Ok(())
    }
}
