//! Aggregates over a whole table, answered from its statistics without reading a row.
//!
//! Only what statistics say exactly: row counts always; NULL counts, sums, extremes and distinct
//! counts where nothing is deleted, since statistics describe chunks as they were written.

use std::sync::Arc;

use super::aggregate::{Sum192, ratio};
use super::profile::OperatorStats;
use super::scan::{Column, DictionaryView, TableView, Zone};
use super::source::{ColumnKind, MemorySource};
use crate::plan::{Aggregate, AggregateFunction, Expr, ScanColumn};
use crate::types::{DataType, Error, Result, Value};
use crate::vector::{Batch, IdOrder, Vector};

/// The one row of `aggregates` over all rows of a table; `None` when rows have to be read.
///
/// # Errors
/// When statistics cannot be read; `OutOfRange` for sums.
pub(crate) fn answer(
    view: &dyn TableView,
    columns: &[ScanColumn],
    aggregates: &[Aggregate],
    stats: &OperatorStats,
) -> Result<Option<MemorySource>> {
    let table = Statistics::new(view)?;
    let mut vectors = Vec::with_capacity(aggregates.len());
    let mut kinds = Vec::with_capacity(aggregates.len());
    for aggregate in aggregates {
        let Some(value) = table.value(aggregate, columns)? else { return Ok(None) };
        let data_type = aggregate.data_type()?;
        vectors.push(Vector::Flat(value.to_array(data_type, 1)?));
        kinds.push(ColumnKind::flat(data_type));
    }
    stats.note("aggregates from statistics", aggregates.len() as u64);
    let batch = Batch::new(vectors, 1);
    Ok(Some(MemorySource::new(kinds, vec![vec![batch]], Vec::new())))
}

struct Statistics<'a> {
    view: &'a dyn TableView,
    row_count: u64,
    deleted: bool,
}

impl Statistics<'_> {
    fn new(view: &dyn TableView) -> Result<Statistics<'_>> {
        let mut row_count = 0;
        let mut deleted_count = 0;
        for row_group in 0..view.row_group_count() {
            row_count += u64::from(view.row_count(row_group));
            deleted_count += view.deletions(row_group)?.map_or(0, |deletions| deletions.len());
        }
        let deleted = deleted_count > 0;
        Ok(Statistics { view, row_count: row_count - deleted_count, deleted })
    }

    fn value(&self, aggregate: &Aggregate, columns: &[ScanColumn]) -> Result<Option<Value>> {
        use AggregateFunction::{Avg, Count, CountRows, Max, Min, Sum};
        if aggregate.filter.is_some() {
            return Ok(None);
        }
        if aggregate.function == CountRows {
            return Ok(Some(Value::Int(self.row_count.into())));
        }
        let Some(Expr::Column { index, .. }) = &aggregate.argument else { return Ok(None) };
        if self.deleted {
            return Ok(None);
        }
        let column = &columns[*index];
        match aggregate.function {
            Count if aggregate.distinct => self.distinct_count(column),
            Count => Ok(Some(Value::Int(self.zones(column)?.valid_count.into()))),
            Sum | Avg if !aggregate.distinct => self.sum(aggregate, column),
            Min | Max => self.extreme(aggregate.function == Max, column),
            _ => Ok(None),
        }
    }

    fn chunks(&self, column: &ScanColumn) -> impl Iterator<Item = Result<(u64, Column)>> {
        let field = column.field;
        (0..self.view.row_group_count()).map(move |row_group| {
            let row_count = u64::from(self.view.row_count(row_group));
            Ok((row_count, self.view.chunk(row_group, field)?))
        })
    }

    fn zones(&self, column: &ScanColumn) -> Result<Zones> {
        let mut zones = Zones::default();
        for chunk in self.chunks(column) {
            let (row_count, chunk) = chunk?;
            let zone = match chunk {
                Column::Stored(chunk) => chunk.zone(),
                Column::Constant(value) => constant_zone(&value, row_count),
            };
            zones.valid_count += zone.row_count - zone.null_count;
            if zone.row_count > zone.null_count {
                zones.valid.push(zone);
            }
        }
        Ok(zones)
    }

    fn sum(&self, aggregate: &Aggregate, column: &ScanColumn) -> Result<Option<Value>> {
        let scale = match column.data_type {
            DataType::Decimal { scale, .. } => scale,
            data_type if data_type.is_integer() => 0,
            _ => return Ok(None),
        };
        let zones = self.zones(column)?;
        let mut sum = Sum192::default();
        for zone in &zones.valid {
            let Some(part) = zone.sum else { return Ok(None) };
            sum.add(part);
        }
        if zones.valid_count == 0 {
            return Ok(Some(Value::Null));
        }
        if aggregate.function == AggregateFunction::Avg {
            let average = ratio(sum, zones.valid_count, 10_u128.pow(scale.into()));
            return Ok(Some(Value::Float(average)));
        }
        let limit = match aggregate.data_type()? {
            DataType::Decimal { precision, .. } => 10_u128.pow(precision.into()) - 1,
            _ => i64::MAX.cast_unsigned().into(),
        };
        match sum.to_i128() {
            Some(sum) if sum.unsigned_abs() <= limit => Ok(Some(Value::Int(sum))),
            _ => Err(Error::out_of_range("the sum is out of range for its type")
                .with_hint("cast the argument to double")),
        }
    }

    fn extreme(&self, max: bool, column: &ScanColumn) -> Result<Option<Value>> {
        if column.data_type.is_float() {
            // The bounds of floats leave out what a sum of them would have to know of NaN.
            return Ok(None);
        }
        let zones = self.zones(column)?;
        let mut best: Option<Value> = None;
        for zone in &zones.valid {
            let bound = if max { &zone.max } else { &zone.min };
            let Some(bound) = bound.as_ref().filter(|_| zone.bounds_exact) else {
                return self.extreme_of_ids(max, column);
            };
            let improves = best.as_ref().is_none_or(|best| {
                if max { bound.order(best).is_gt() } else { bound.order(best).is_lt() }
            });
            if improves {
                best = Some(bound.clone());
            }
        }
        Ok(Some(best.unwrap_or(Value::Null)))
    }

    /// The extreme of a dictionary column: the id of extreme rank in the row groups' maps.
    fn extreme_of_ids(&self, max: bool, column: &ScanColumn) -> Result<Option<Value>> {
        let Some(dictionary) = self.view.dictionary(column.field)? else { return Ok(None) };
        let mut best: Option<(u32, u32)> = None;
        for chunk in self.chunks(column) {
            let Column::Stored(chunk) = chunk?.1 else { return Ok(None) };
            let Some(codes) = chunk.codes()? else { return Ok(None) };
            let rank = |id: u32| match dictionary.order() {
                Ok(IdOrder::ById) => Some(id),
                Ok(IdOrder::ByRank(ranks)) => ranks.get(id as usize).copied(),
                _ => None,
            };
            for id in codes.ids() {
                let Some(rank) = rank(*id) else { return Ok(None) };
                let better = |best: u32| if max { rank > best } else { rank < best };
                if best.is_none_or(|(best, _)| better(best)) {
                    best = Some((rank, *id));
                }
            }
        }
        let Some((_, id)) = best else { return Ok(Some(Value::Null)) };
        let array = dictionary.values(&[id])?;
        Ok(Some(Value::from_array(&array, column.data_type, 0)))
    }

    /// Distinct values of a dictionary column: the ids that occur in some row group's map.
    fn distinct_count(&self, column: &ScanColumn) -> Result<Option<Value>> {
        let Some(dictionary) = self.view.dictionary(column.field)? else { return Ok(None) };
        let dictionary: Arc<dyn DictionaryView> = dictionary;
        let mut present = vec![false; dictionary.id_count() as usize];
        for chunk in self.chunks(column) {
            let Column::Stored(chunk) = chunk?.1 else { return Ok(None) };
            let Some(codes) = chunk.codes()? else { return Ok(None) };
            for id in codes.ids() {
                match present.get_mut(*id as usize) {
                    Some(present) => *present = true,
                    None => {
                        return Err(Error::corrupt("a code map has an id beyond its dictionary"));
                    }
                }
            }
        }
        let count = present.iter().filter(|present| **present).count() as u64;
        Ok(Some(Value::Int(count.into())))
    }
}

#[derive(Default)]
struct Zones {
    valid_count: u64,
    /// Zones with a value.
    valid: Vec<Zone>,
}

fn constant_zone(value: &Value, row_count: u64) -> Zone {
    let null = value.is_null();
    let sum = match value {
        Value::Int(value) => value.checked_mul(row_count.into()),
        _ => None,
    };
    Zone {
        row_count,
        null_count: if null { row_count } else { 0 },
        min: (!null).then(|| value.clone()),
        max: (!null).then(|| value.clone()),
        bounds_exact: true,
        sum,
    }
}
