//! Accumulators: the state of one aggregate function, one column per piece of state, indexed by group.
//!
//! An accumulator is chosen once from the function and the representation of its argument; a batch
//! costs one dynamic call, and the loop inside is over plain slices. NULL arguments are taken out
//! before. Must not know how groups are found.

mod count;
mod distinct;
mod extreme;
mod pairs;
mod products;
mod quantile;
mod seen;
mod spread;
mod sum;
mod text;

use std::any::Any;
use std::fmt::Debug;

use arrow::array::Array;

use self::pairs::of_pairs;
use self::seen::Seen;
use super::super::source::ColumnKind;
use crate::plan::AggregateFunction;
use crate::types::{DataType, Error, Result, Value};
use crate::vector::Vector;

/// The groups of the rows of one batch.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Groups<'a> {
    /// All of so many rows are in group 0.
    First(usize),
    /// The group of each row.
    Each(&'a [u32]),
}

impl Groups<'_> {
    /// How many rows.
    pub(crate) fn len(&self) -> usize {
        match self {
            Groups::First(len) => *len,
            Groups::Each(groups) => groups.len(),
        }
    }

    /// Keeps the rows at `rows`.
    pub(crate) fn take(&self, rows: &[u32]) -> OwnedGroups {
        match self {
            Groups::First(_) => OwnedGroups::First(rows.len()),
            Groups::Each(groups) => {
                OwnedGroups::Each(rows.iter().map(|row| groups[*row as usize]).collect())
            }
        }
    }
}

/// [`Groups`] that own their list.
#[derive(Debug)]
pub(crate) enum OwnedGroups {
    First(usize),
    Each(Vec<u32>),
}

impl OwnedGroups {
    /// Borrows the list.
    pub(crate) fn borrow(&self) -> Groups<'_> {
        match self {
            OwnedGroups::First(len) => Groups::First(*len),
            OwnedGroups::Each(groups) => Groups::Each(groups),
        }
    }
}

/// State of one aggregate function for every group.
pub(crate) trait Accumulator: Any + Debug + Send + Sync {
    /// Makes room for groups up to `group_count`, which never shrinks.
    fn resize(&mut self, group_count: usize);

    /// Makes room for groups up to `group_count` that may have no row yet.
    fn resize_ahead(&mut self, group_count: usize) {
        self.resize(group_count);
    }

    /// Takes one batch: the groups of its rows and the argument's values.
    ///
    /// # Errors
    /// When values cannot be read.
    fn update(&mut self, groups: Groups<'_>, argument: &Vector) -> Result<()>;

    /// Takes one batch for an aggregate of two arguments.
    ///
    /// # Errors
    /// `Internal` for any other; when values cannot be read.
    fn update_pairs(
        &mut self,
        _groups: Groups<'_>,
        _first: &Vector,
        _second: &Vector,
    ) -> Result<()> {
        Err(Error::internal("an aggregate of one argument was given two"))
    }

    /// Whether rows of one group cost less when they are handed over together.
    fn takes_runs(&self) -> bool {
        false
    }

    /// Takes rows that are all of one group, where [`takes_runs`](Self::takes_runs).
    ///
    /// # Errors
    /// As [`update`](Self::update).
    fn update_run(&mut self, _group: u32, _argument: &Vector) -> Result<()> {
        Err(Error::internal("an aggregate that takes no runs was given one"))
    }

    /// Adds to each group a sum of some rows, of `value_count` rows of all groups together, each with a
    /// value within 32 bits.
    ///
    /// # Errors
    /// `Internal` for what sums no such integers.
    fn add_sums(&mut self, _sums: &[i64], _value_count: u64) -> Result<()> {
        Err(Error::internal("sums for an aggregate that is none"))
    }

    /// Forgets all rows, and keeps the memory and the room for groups; `false` for what has to be made
    /// anew instead.
    fn clear(&mut self) -> bool {
        false
    }

    /// Whether [`Accumulator::settle`] has nothing left to do.
    fn is_settled(&self) -> bool {
        true
    }

    /// Makes ready for being merged into another; more may come after.
    fn settle(&mut self) {}

    /// Makes ready for being merged some groups at a time, once it is settled; no rows come after.
    fn sort_by_group(&mut self) {}

    /// Makes ready for the results, once it is settled.
    fn complete(&mut self) {}

    /// Takes over the groups `from` of `other`, as the groups `to`; there is room for those.
    /// `other` is settled.
    ///
    /// # Errors
    /// `Internal` when `other` is of another kind.
    fn merge(&mut self, other: &dyn Accumulator, from: &[u32], to: &[u32]) -> Result<()>;

    /// The results of all groups, once it is complete.
    ///
    /// # Errors
    /// `OutOfRange` when a sum does not fit its type.
    fn finish(&self) -> Result<Vector>;

    /// The averages of a sum's groups, which have so many values.
    ///
    /// # Errors
    /// `Internal` for what is no sum; `OutOfRange` beyond the largest double.
    fn finish_average(&self, _counts: &[i64]) -> Result<Vector> {
        Err(Error::internal("an average of what is no sum"))
    }

    /// How many rows the groups have, where that is the result.
    fn row_counts(&self) -> Option<&[i64]> {
        None
    }

    /// How results are represented.
    fn kind(&self) -> ColumnKind;

    /// Bytes held.
    fn bytes(&self) -> usize;

    /// Whether a state is a few numbers a group, so that states of the same group may be made apart
    /// and merged for less than the rows cost.
    fn merges_cheaply(&self) -> bool {
        true
    }
}

/// Makes room for `group_count` states that start as zero; the first time with memory that comes
/// zeroed, of which only what is used costs anything.
fn grow<T: Clone + Default>(states: &mut Vec<T>, group_count: usize) {
    if states.capacity() == 0 {
        *states = vec![T::default(); group_count];
    } else if states.len() < group_count {
        states.resize(group_count, T::default());
    }
}

/// `other` as the kind of accumulator that the caller is.
fn same_kind<A: Accumulator>(other: &dyn Accumulator) -> Result<&A> {
    let other: &dyn Any = other;
    other
        .downcast_ref()
        .ok_or_else(|| Error::internal("accumulators of one aggregate differ between workers"))
}

/// An accumulator for `function` over arguments of `kind` (any for `COUNT(*)`) and `second`, if it
/// takes two. `filtered` says that rows are left out before it sees them.
///
/// # Errors
/// `Unsupported` for types without a rule.
pub(crate) fn accumulator_of(
    (function, distinct, filtered): (AggregateFunction, bool, bool),
    kind: &ColumnKind,
    second: Option<&ColumnKind>,
) -> Result<Box<dyn Accumulator>> {
    match (function, second) {
        (AggregateFunction::OfPairs(_), _) if distinct => {
            Err(Error::unsupported("an aggregate of distinct pairs"))
        }
        (AggregateFunction::OfPairs(function), Some(second)) => {
            Ok(of_pairs(function, kind.data_type(), second.data_type()))
        }
        _ => accumulator(function, distinct, filtered, kind),
    }
}

/// An accumulator for `function` over one argument of `kind`, or none.
///
/// # Errors
/// `Unsupported` for types without a rule.
pub(crate) fn accumulator(
    function: AggregateFunction,
    distinct: bool,
    filtered: bool,
    kind: &ColumnKind,
) -> Result<Box<dyn Accumulator>> {
    use AggregateFunction::{Avg, Count, CountRows, Max, Min, Sum};
    let data_type = kind.data_type();
    if distinct && function.is_spread() {
        return Err(Error::unsupported("a variance of distinct values"));
    }
    if let AggregateFunction::Quantile(place) = function {
        if distinct {
            return Err(Error::unsupported("a quantile of distinct values"));
        }
        return Ok(Box::new(quantile::Quantile::new(place, kind)?));
    }
    if distinct && matches!(function, Count | Sum | Avg) {
        return distinct::distinct(function, kind);
    }
    match function {
        CountRows => Ok(Box::new(count::CountRows::default())),
        Count => Ok(Box::new(count::Count::default())),
        _ if data_type == DataType::Null => {
            Ok(Box::new(AlwaysNull { data_type: function.result_type(Some(data_type))?, len: 0 }))
        }
        Sum | Avg => sum::sum(function, kind, filtered),
        Min | Max => extreme::extreme(function == Max, kind, filtered),
        _ => Ok(Box::new(spread::Spread::new(function))),
    }
}

/// Groups and values without the rows whose value is NULL; `None` when there is no such row.
fn without_nulls(groups: Groups<'_>, argument: &Vector) -> Result<Option<(OwnedGroups, Vector)>> {
    let rows: Vec<u32> = match argument {
        Vector::Flat(array) => match array.logical_nulls() {
            Some(nulls) if nulls.null_count() > 0 => nulls
                .valid_indices()
                .map(|row| u32::try_from(row).expect("batches are short"))
                .collect(),
            _ => return Ok(None),
        },
        Vector::Constant { value: Value::Null, .. } => Vec::new(),
        Vector::Constant { .. } => return Ok(None),
        Vector::Dictionary(vector) => {
            let null = vector.book().null_code();
            if !vector.codes().contains(&null) {
                return Ok(None);
            }
            (0_u32..)
                .zip(vector.codes())
                .filter_map(|(row, code)| (*code != null).then_some(row))
                .collect()
        }
    };
    Ok(Some((groups.take(&rows), argument.take(&rows)?)))
}

/// The aggregate of a bare NULL.
#[derive(Debug)]
struct AlwaysNull {
    data_type: DataType,
    len: usize,
}

impl Accumulator for AlwaysNull {
    fn resize(&mut self, group_count: usize) {
        self.len = group_count;
    }

    fn update(&mut self, _groups: Groups<'_>, _argument: &Vector) -> Result<()> {
        Ok(())
    }

    fn merge(&mut self, _other: &dyn Accumulator, _from: &[u32], _to: &[u32]) -> Result<()> {
        Ok(())
    }

    fn finish(&self) -> Result<Vector> {
        Ok(Vector::Flat(Value::Null.to_array(self.data_type, self.len)?))
    }

    fn kind(&self) -> ColumnKind {
        ColumnKind::flat(self.data_type)
    }

    fn bytes(&self) -> usize {
        0
    }
}

#[cfg(test)]
mod tests {
    use arrow::array::Int64Array;

    use super::*;
    use crate::types::cast;

    /// Arguments of a batch around `center`; every `step`th is NULL, if there is a step.
    fn argument(data_type: DataType, center: i64, step: Option<i64>) -> Result<Vector> {
        let is_null = |row: i64| step.is_some_and(|step| row % step == 0);
        let value = |row: i64| (!is_null(row)).then_some(center + row * row % 37);
        let integers: Int64Array = (0..300).map(value).collect();
        Ok(Vector::Flat(cast(&integers, &data_type.to_arrow())?))
    }

    #[test]
    fn cleared_states_are_as_new_ones() -> Result<()> {
        use AggregateFunction::{Avg, Count, CountRows, Max, Min, Sum};
        let groups: Vec<u32> = (0..300).map(|row| row * 7 % 11).collect();
        // Later rows are of fewer groups, so that what is left of earlier ones shows.
        let fewer: Vec<u32> = groups.iter().map(|group| group % 5).collect();
        let types = [
            DataType::Int64,
            DataType::Int16,
            DataType::Float64,
            DataType::Decimal { precision: 20, scale: 2 },
        ];
        for (data_type, function) in types.into_iter().flat_map(|data_type| {
            [Sum, Avg, Min, Max, Count, CountRows].map(|function| (data_type, function))
        }) {
            for step in [None, Some(3)] {
                let first = argument(data_type, 900, step)?;
                let second = argument(data_type, -40, step)?;
                let column_kind = ColumnKind::flat(data_type);
                let new = || -> Result<Box<dyn Accumulator>> {
                    let mut state = accumulator(function, false, false, &column_kind)?;
                    state.resize_ahead(11);
                    Ok(state)
                };
                let (mut cleared, mut fresh) = (new()?, new()?);
                cleared.update(Groups::Each(&groups), &first)?;
                assert!(cleared.clear(), "{function:?} keeps its memory");
                cleared.update(Groups::Each(&fewer), &second)?;
                fresh.update(Groups::Each(&fewer), &second)?;
                let (cleared, fresh) = (cleared.finish()?.decode()?, fresh.finish()?.decode()?);
                assert_eq!(&cleared, &fresh, "{function:?} of {data_type}");
            }
        }
        Ok(())
    }
}
