//! Expressions of one column of few integers or dates, evaluated once per integer.
//!
//! A column whose statistics say that its values are from 2,000 to 4,500 has a dictionary without being
//! told: the value is the code. `extract(year from day)` then costs a look-up a row. It is worth it once
//! an eighth as many rows have come as there are integers. Where some integer raises an error, only rows
//! that have it may raise it: then rows are evaluated one by one, for good. Must not know scans.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use arrow::array::{Array, ArrayRef, AsArray, PrimitiveArray};
use arrow::datatypes::{
    ArrowPrimitiveType, Date32Type, Int8Type, Int16Type, Int32Type, Int64Type,
    Time32MillisecondType, Time32SecondType, Time64MicrosecondType, Time64NanosecondType,
    TimestampMicrosecondType, TimestampMillisecondType, TimestampNanosecondType,
    TimestampSecondType, UInt8Type, UInt16Type, UInt32Type, UInt64Type,
};

use super::expression::evaluate;
use super::source::ColumnKind;
use crate::context::Context;
use crate::kernel::{self, Integer};
use crate::plan::Expr;
use crate::types::{DataType, Error, Result, TimeUnit, match_integer_type};
use crate::vector::{ByCode, Vector};

/// Integers for which a table is made.
const INTEGERS_MAX: i128 = 1 << 14;

/// An expression of one column of few integers.
#[derive(Debug)]
pub(crate) struct ByInteger {
    /// Over column 0.
    expr: Expr,
    data_type: DataType,
    min: i128,
    /// How many integers there are from `min` on.
    count: u32,
    row_count: AtomicU64,
    /// By integer; the last is NULL's. `None` inside where some integer raises an error.
    results: OnceLock<Option<ByCode>>,
}

impl ByInteger {
    /// `expr`, whose only column is 0, over a column of `kind`; `None` when that has too many values,
    /// or nobody knows how many.
    pub(crate) fn new(expr: &Expr, kind: &ColumnKind) -> Option<ByInteger> {
        let ColumnKind::Flat { data_type, bounds: Some((min, max)), .. } = kind else {
            return None;
        };
        let fits = data_type.is_integer() || data_type.is_temporal();
        let count = max.checked_sub(*min)?.checked_add(1)?;
        if !fits || !(1..=INTEGERS_MAX).contains(&count) {
            return None;
        }
        Some(ByInteger {
            expr: expr.clone(),
            data_type: *data_type,
            min: *min,
            count: u32::try_from(count).ok()?,
            row_count: AtomicU64::new(0),
            results: OnceLock::new(),
        })
    }

    /// The results for the rows of `vector`.
    ///
    /// # Errors
    /// Those of the expression, for values that occur in `vector`.
    pub(crate) fn evaluate(&self, vector: &Vector, context: &Context) -> Result<Vector> {
        let array = vector.decode()?;
        let len = array.len() as u64;
        let seen = self.row_count.fetch_add(len, Ordering::Relaxed) + len;
        if seen >= u64::from(self.count) / 8
            && let Some(results) = self.all(context)
        {
            return Ok(Vector::Flat(results.read(&self.positions(&array)?)?));
        }
        let len = array.len();
        Ok(Vector::Flat(evaluate(&self.expr, &[array], len, context)?))
    }

    /// How many integers there are.
    pub(crate) fn count(&self) -> u64 {
        self.count.into()
    }

    /// The integer in place `index`.
    pub(crate) fn value(&self, index: usize) -> i128 {
        self.min + index as i128
    }

    /// The results by integer, then that of NULL; `None` where some integer raises an error.
    pub(crate) fn all(&self, context: &Context) -> Option<&ByCode> {
        let compute = || self.compute(context).and_then(ByCode::new).ok();
        self.results.get_or_init(compute).as_ref()
    }

    fn compute(&self, context: &Context) -> Result<ArrayRef> {
        let len = self.count as usize + 1;
        macro_rules! integers {
            ($arrow:ty) => {
                all::<$arrow>(self.min, self.count, self.data_type)
            };
        }
        let values: Option<ArrayRef> = match_integer_type!(self.data_type, integers, None);
        let values = values.ok_or_else(|| Error::internal("integers of no integer type"))?;
        evaluate(&self.expr, &[values], len, context)
    }

    fn positions(&self, array: &ArrayRef) -> Result<Vec<u32>> {
        macro_rules! integers {
            ($arrow:ty) => {
                positions::<$arrow>(array, self.min, self.count)
            };
        }
        let positions: Option<Vec<u32>> = match_integer_type!(self.data_type, integers, None);
        positions.ok_or_else(|| Error::corrupt("a column has values outside of its statistics"))
    }
}

/// The integers from `min`, then NULL.
fn all<T: ArrowPrimitiveType>(min: i128, count: u32, data_type: DataType) -> Option<ArrayRef>
where
    T::Native: TryFrom<i128>,
{
    let mut values = Vec::with_capacity(count as usize + 1);
    for offset in 0..i128::from(count) {
        values.push(Some(T::Native::try_from(min + offset).ok()?));
    }
    values.push(None);
    let array: PrimitiveArray<T> = values.into_iter().collect();
    Some(Arc::new(array.with_data_type(data_type.to_arrow())))
}

/// The distance of each value from `min`, `count` for NULL; `None` when one is as far as that.
fn positions<T: ArrowPrimitiveType<Native: Integer>>(
    array: &ArrayRef,
    min: i128,
    count: u32,
) -> Option<Vec<u32>> {
    let array = array.as_primitive::<T>();
    let mut positions = vec![0; array.len()];
    kernel::distances(array.values(), min, &mut positions);
    if let Some(nulls) = array.nulls() {
        for (row, position) in positions.iter_mut().enumerate() {
            *position = if nulls.is_null(row) { count } else { *position };
        }
    }
    let last = if array.null_count() > 0 { count } else { count - 1 };
    (kernel::max(&positions) <= last).then_some(positions)
}

#[cfg(test)]
mod tests {
    use arrow::array::{Date32Array, Int16Array};

    use super::*;
    use crate::plan::{DatePart, Function};

    fn kind(data_type: DataType, min: i128, max: i128) -> ColumnKind {
        ColumnKind::Flat { data_type, nullable: true, bounds: Some((min, max)) }
    }

    fn year() -> Expr {
        Expr::Call {
            function: Function::Extract(DatePart::Year),
            arguments: vec![Expr::column(0, DataType::Date)],
            data_type: DataType::Int64,
        }
    }

    #[test]
    fn a_table_gives_what_the_rows_give() -> Result<()> {
        let by_integer =
            ByInteger::new(&year(), &kind(DataType::Date, -400, 9_000)).expect("few days");
        let days: Vec<Option<i32>> =
            (-400..=9_000).map(|day| (day % 7 != 0).then_some(day)).collect();
        let array: ArrayRef = Arc::new(Date32Array::from(days));
        let context = Context::new();
        let expected = evaluate(&year(), &[Arc::clone(&array)], array.len(), &context)?;
        for start in (0..array.len()).step_by(1_000) {
            let piece = array.slice(start, 1_000.min(array.len() - start));
            let actual =
                by_integer.evaluate(&Vector::Flat(Arc::clone(&piece)), &context)?.decode()?;
            assert_eq!(&actual, &expected.slice(start, piece.len()));
        }
        assert!(by_integer.results.get().is_some(), "the table was made");
        Ok(())
    }

    #[test]
    fn only_a_row_that_is_there_raises_its_error() -> Result<()> {
        let column = || Box::new(Expr::column(0, DataType::Int16));
        let narrow = Expr::Cast { input: column(), data_type: DataType::Int8, or_null: false };
        let by_integer =
            ByInteger::new(&narrow, &kind(DataType::Int16, 0, 1_000)).expect("few integers");
        let context = Context::new();
        let fine: ArrayRef = Arc::new(Int16Array::from_iter_values((0..500).map(|n| n % 100)));
        let results = by_integer.evaluate(&Vector::Flat(fine), &context)?.decode()?;
        assert_eq!(results.len(), 500);
        let wrong: ArrayRef = Arc::new(Int16Array::from(vec![1, 300]));
        assert!(by_integer.evaluate(&Vector::Flat(wrong), &context).is_err());
        assert!(ByInteger::new(&narrow, &kind(DataType::Int16, 0, i128::MAX)).is_none());
        Ok(())
    }
}
