//! The terms of a filter before any row group is opened: all that are about the values of one column
//! become one term with one set of values, so that statistics and rows are asked once.
//!
//! `extract(month from day) = 1` is about the values of one column too, where statistics say that these
//! are few: it is asked of every value that there can be. Must not know row groups.

use std::ops::Bound;

use arrow::array::Array;

use super::value_set::{ValueRange, ValueSet};
use crate::context::Context;
use crate::exec::by_integer::ByInteger;
use crate::exec::source::ColumnKind;
use crate::plan::Expr;
use crate::types::{DataType, Value};

/// Pairs of ranges of two sets up to which they are put together.
const RANGE_PAIRS_MAX: usize = 4_096;

/// A predicate, with its column and the values for which it is true where it is about those.
pub(crate) type TermSet = (Expr, Option<(usize, ValueSet)>);

/// The terms of `filter`; `kind` tells what is known of a column before it is read, which has
/// `row_count` rows.
pub(crate) fn term_sets(
    filter: &[Expr],
    kind: &mut dyn FnMut(usize) -> Option<ColumnKind>,
    row_count: u64,
    context: &Context,
) -> Vec<TermSet> {
    let mut terms: Vec<TermSet> = Vec::with_capacity(filter.len());
    for expr in filter {
        let set = ValueSet::of(expr).or_else(|| by_integer(expr, kind, row_count, context));
        let same = set.as_ref().and_then(|(column, set)| {
            terms.iter_mut().find(|(_, other)| {
                other.as_ref().is_some_and(|(other_column, other)| {
                    other_column == column
                        && other.ranges.len().saturating_mul(set.ranges.len()) <= RANGE_PAIRS_MAX
                })
            })
        });
        match (same, set) {
            (Some((other_expr, Some((_, other_set)))), Some((_, set))) => {
                *other_set = other_set.intersect(&set);
                let first = std::mem::replace(other_expr, Expr::And(Vec::new()));
                *other_expr = Expr::And(vec![first, expr.clone()]);
            }
            (_, set) => terms.push((expr.clone(), set)),
        }
    }
    terms
}

/// The integers of a column for which a predicate is true, if there are few and none raises an error.
fn by_integer(
    predicate: &Expr,
    kind: &mut dyn FnMut(usize) -> Option<ColumnKind>,
    row_count: u64,
    context: &Context,
) -> Option<(usize, ValueSet)> {
    let mut columns = Vec::new();
    predicate.for_each_column(&mut |column| {
        if !columns.contains(&column) {
            columns.push(column);
        }
    });
    let [column] = columns[..] else { return None };
    if predicate.data_type() != DataType::Bool {
        return None;
    }
    let kind = kind(column)?;
    let mut predicate = predicate.clone();
    predicate.map_columns(&|_| 0);
    let by_integer = ByInteger::new(&predicate, &kind)?;
    // A small table is tested row by row in less time.
    if by_integer.count() / 8 > row_count {
        return None;
    }
    let results = by_integer.all(context)?;
    let results = results.booleans()?;
    let is_true = |index: usize| results.is_valid(index) && results.value(index);
    let count = results.len() - 1;
    let mut ranges: Vec<ValueRange> = Vec::new();
    let mut index = 0;
    while index < count {
        let len = (index..count).take_while(|index| is_true(*index)).count();
        if len > 0 {
            let bound = |index: usize| Bound::Included(Value::Int(by_integer.value(index)));
            ranges.push((bound(index), bound(index + len - 1)));
        }
        index += len + 1;
    }
    Some((column, ValueSet { ranges, null: is_true(count) }))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{ArrayRef, AsArray, Date32Array};

    use super::*;
    use crate::exec::expression::evaluate;
    use crate::plan::{Comparison, DatePart, Function};
    use crate::types::Result;

    const DAYS: (i128, i128) = (8_000, 9_999);

    const DAYS_KIND: ColumnKind =
        ColumnKind::Flat { data_type: DataType::Date, nullable: true, bounds: Some(DAYS) };

    fn part_is(part: DatePart, value: i128) -> Expr {
        let call = Expr::Call {
            function: Function::Extract(part),
            arguments: vec![Expr::column(3, DataType::Date)],
            data_type: DataType::Int64,
        };
        let value = Expr::literal(Value::Int(value), DataType::Int64);
        Expr::Compare { op: Comparison::Equal, left: Box::new(call), right: Box::new(value) }
    }

    #[test]
    fn predicates_of_one_column_are_one_set_of_its_values() -> Result<()> {
        let context = Context::new();
        let filter = [part_is(DatePart::Year, 1994), part_is(DatePart::Month, 2)];
        let terms = term_sets(&filter, &mut |_| Some(DAYS_KIND), 10_000, &context);
        let [(expr, Some((3, set)))] = &terms[..] else { panic!("one term: {terms:?}") };
        assert_eq!(set.ranges.len(), 1, "the days of a month are one range");
        let mut expr = expr.clone();
        expr.map_columns(&|_| 0);
        let all = (DAYS.0..=DAYS.1).map(|day| i32::try_from(day).ok());
        let array: ArrayRef = Arc::new(all.chain([None]).collect::<Date32Array>());
        let naive = evaluate(&expr, &[Arc::clone(&array)], array.len(), &context)?;
        for row in 0..array.len() {
            let value = Value::from_array(&array, DataType::Date, row);
            let passes = naive.is_valid(row) && naive.as_boolean().value(row);
            assert_eq!(set.contains(&value), passes, "{value:?}");
        }
        Ok(())
    }

    #[test]
    fn what_is_not_about_few_integers_stays_as_it_is() {
        let context = Context::new();
        let filter = [part_is(DatePart::Month, 2), part_is(DatePart::Day, 3)];
        for (kind, row_count) in [(None, 10_000), (Some(DAYS_KIND), 100)] {
            let terms = term_sets(&filter, &mut |_| kind.clone(), row_count, &context);
            assert_eq!(terms, filter.clone().map(|expr| (expr, None)));
        }
        // 9,999 is no INT8, and only a row that has it may say so.
        let cast = Expr::Cast {
            input: Box::new(Expr::column(0, DataType::Int32)),
            data_type: DataType::Int8,
            or_null: false,
        };
        let narrow = Expr::IsNull(Box::new(cast));
        let kind = ColumnKind::Flat {
            data_type: DataType::Int32,
            nullable: true,
            bounds: Some((0, 9_999)),
        };
        let terms = term_sets(&[narrow], &mut |_| Some(kind.clone()), 10_000, &context);
        assert!(matches!(terms[..], [(_, None)]));
    }
}
