//! Aggregating the rows of a few groups that are known before: late aggregates and early groups.
//!
//! `ORDER BY count(*) DESC LIMIT 10` over many groups needs one aggregate of all groups and the others
//! of ten: the first pass computes what the order needs, the second reads the winners' rows only, which
//! the scan finds by their keys. `LIMIT 10` without an order takes the first ten groups that come and
//! counts no other. Must not know how groups are found.

use std::ops::ControlFlow;

use super::aggregate::{ByteTable, KeyEncoder};
use super::source::{ColumnKind, MemorySource, Source};
use crate::context::Context;
use crate::plan::{Aggregate, Expr, PhysicalPlan, Rung, Scan, SortKey, Source as ScanSource};
use crate::types::{DataType, Result, Value};
use crate::vector::{Batch, Vector};

/// Groups up to which a second pass for their rows pays.
const WINNERS_MAX: usize = 256;

/// An aggregation of the rows of a stored table, taken apart.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Grouped<'a> {
    pub(crate) scan: &'a Scan,
    pub(crate) keys: &'a [Expr],
    pub(crate) aggregates: &'a [Aggregate],
    pub(crate) rungs: &'a [Rung],
}

impl<'a> Grouped<'a> {
    /// The aggregation that `plan` is; `None` when it is not one of a stored table by keys, or `count`
    /// groups are too many.
    pub(crate) fn of(plan: &'a PhysicalPlan, count: usize) -> Option<Grouped<'a>> {
        let PhysicalPlan::Aggregate { input, keys, aggregates, rungs, .. } = plan else {
            return None;
        };
        let PhysicalPlan::Scan(scan) = input.as_ref() else { return None };
        let of_table = matches!(scan.source, ScanSource::Table { .. });
        let fits = !keys.is_empty() && (1..=WINNERS_MAX).contains(&count);
        (of_table && fits).then_some(Grouped { scan, keys, aggregates, rungs })
    }

    /// What a sort by `sort_keys` needs; `None` when that is all of it.
    pub(crate) fn needed_for(&self, sort_keys: &[SortKey]) -> Option<Needed> {
        let key_count = self.keys.len();
        let mut needed: Vec<usize> = Vec::new();
        for key in sort_keys {
            key.expr.for_each_column(&mut |column| {
                if column >= key_count && !needed.contains(&column) {
                    needed.push(column);
                }
            });
        }
        if needed.len() == self.aggregates.len() {
            return None;
        }
        let mut sort_keys = sort_keys.to_vec();
        for key in &mut sort_keys {
            key.expr.map_columns(&|column| {
                needed.iter().position(|other| *other == column).map_or(column, |n| key_count + n)
            });
        }
        let mut aggregates: Vec<Aggregate> =
            needed.iter().map(|column| self.aggregates[column - key_count].clone()).collect();
        let mut keys = self.keys.to_vec();
        let arguments = aggregates.iter_mut().flat_map(|aggregate| {
            let second = aggregate.second.iter_mut();
            aggregate.argument.iter_mut().chain(second).chain(aggregate.filter.iter_mut())
        });
        let mut exprs: Vec<&mut Expr> = keys.iter_mut().chain(arguments).collect();
        let scan = only(self.scan, &mut exprs);
        Some(Needed { scan, keys, aggregates, sort_keys })
    }

    /// The scan of the rows that can be in a group of `winners`, whose first columns are the keys.
    ///
    /// # Errors
    /// When values cannot be read.
    pub(crate) fn scan_of(&self, winners: &[Vector]) -> Result<Scan> {
        let mut scan = self.scan.clone();
        for (key, vector) in self.keys.iter().zip(winners) {
            let data_type = key.data_type();
            // Equality in a list is SQL's, by which doubles have several zeros.
            if data_type.is_float() {
                continue;
            }
            let array = vector.decode()?;
            let mut list: Vec<Value> =
                (0..array.len()).map(|row| Value::from_array(&array, data_type, row)).collect();
            list.sort_by(Value::order);
            list.dedup();
            let with_null = list.iter().any(Value::is_null);
            list.retain(|value| !value.is_null());
            let in_list = Expr::InList { input: Box::new(key.clone()), list };
            scan.filter.push(if with_null {
                Expr::Or(vec![in_list, Expr::IsNull(Box::new(key.clone()))])
            } else {
                in_list
            });
        }
        Ok(scan)
    }
}

/// The first pass of late aggregates.
#[derive(Debug)]
pub(crate) struct Needed {
    /// The scan without the columns of the late aggregates.
    pub(crate) scan: Scan,
    /// The group keys over it.
    pub(crate) keys: Vec<Expr>,
    /// The aggregates that the order needs, over it.
    pub(crate) aggregates: Vec<Aggregate>,
    /// The sort keys over keys and those.
    pub(crate) sort_keys: Vec<SortKey>,
}

/// `scan` giving out only the columns that `exprs` name, which then count those.
fn only(scan: &Scan, exprs: &mut [&mut Expr]) -> Scan {
    let mut given = Vec::new();
    for expr in exprs.iter() {
        expr.for_each_column(&mut |column| {
            if !given.contains(&column) {
                given.push(column);
            }
        });
    }
    let mut columns = given.clone();
    for expr in &scan.filter {
        expr.for_each_column(&mut |column| {
            if !columns.contains(&column) {
                columns.push(column);
            }
        });
    }
    let place =
        |column: usize| columns.iter().position(|other| *other == column).expect("collected above");
    for expr in exprs {
        expr.map_columns(&place);
    }
    let mut filter = scan.filter.clone();
    for expr in &mut filter {
        expr.map_columns(&place);
    }
    Scan {
        source: scan.source.clone(),
        columns: columns.iter().map(|column| scan.columns[*column].clone()).collect(),
        filter,
        output_count: given.len(),
    }
}

/// Whether so many groups are likely that their aggregates are worth a second pass: `kinds` are those
/// of the keys.
pub(crate) fn has_many_groups(
    kinds: &[ColumnKind],
    aggregates: &[Aggregate],
    context: &Context,
) -> bool {
    // A set of values per group costs so much more than a number that fewer groups do.
    let distinct = aggregates.iter().any(|aggregate| aggregate.distinct);
    let in_table = context.table_groups_max as u128;
    let many = if distinct { in_table / 4 } else { in_table * 4 };
    let mut domain: u128 = 1;
    for kind in kinds {
        let values = match kind {
            ColumnKind::Dictionary { identity, .. } => u128::from(identity.code_count()),
            ColumnKind::Flat { data_type: DataType::Bool, .. } => 2,
            ColumnKind::Flat { bounds: Some((min, max)), .. } => {
                max.abs_diff(*min).saturating_add(1)
            }
            ColumnKind::Flat { .. } => many,
        };
        domain = domain.saturating_mul(values.max(1));
    }
    domain >= many
}

/// The first `count` groups of the first morsel of `source`, in order; `None` when it has fewer, since
/// one thread alone would look for them further on. `keys` are over its columns.
///
/// # Errors
/// Those of the source and the keys.
pub(crate) fn first_groups(
    source: &dyn Source,
    keys: &super::program::Program,
    count: usize,
    context: &Context,
) -> Result<Option<Vec<Vector>>> {
    let kinds: Vec<ColumnKind> =
        keys.kinds().iter().map(|kind| ColumnKind::flat(kind.data_type())).collect();
    let encoder = KeyEncoder::new(&kinds)?;
    let mut table = ByteTable::new();
    if source.morsel_count() > 0 {
        source.run(0, context, &mut |batch| {
            let vectors = keys.run(&batch, context)?;
            for row in &encoder.encode(&vectors)? {
                if table.len() < count {
                    table.insert(row.as_ref());
                }
            }
            let enough = table.len() >= count;
            Ok(if enough { ControlFlow::Break(()) } else { ControlFlow::Continue(()) })
        })?;
    }
    if table.len() < count {
        return Ok(None);
    }
    let numbers = 0..u32::try_from(count).expect("few groups");
    encoder.decode(numbers.map(|number| table.get(number))).map(Some)
}

/// The groups among `groups` whose keys are those of `winners`, in the order of `winners`. The first
/// columns of `groups` are the keys.
///
/// # Errors
/// When keys cannot be read; `Internal` when a winner is missing.
pub(crate) fn pick(
    groups: &dyn Source,
    winners: &[Vector],
    context: &Context,
) -> Result<MemorySource> {
    // By value: what is numbered in one pass may not be, or otherwise, in the other.
    let key_kinds: Vec<ColumnKind> = groups
        .kinds()
        .iter()
        .take(winners.len())
        .map(|k| ColumnKind::flat(k.data_type()))
        .collect();
    let encoder = KeyEncoder::new(&key_kinds)?;
    let mut table = ByteTable::new();
    for row in &encoder.encode(winners)? {
        table.insert(row.as_ref());
    }
    let count = table.len();
    let mut batches: Vec<Batch> = Vec::new();
    let mut picks = vec![None; count];
    for morsel in 0..groups.morsel_count() {
        groups.run(morsel, context, &mut |batch| {
            let keys = &batch.columns()[..key_kinds.len()];
            let mut found = false;
            for (row, key) in (0_u32..).zip(&encoder.encode(keys)?) {
                if let Some(winner) = table.find(key.as_ref()) {
                    let place = u32::try_from(batches.len()).expect("few groups");
                    picks[winner as usize] = Some((place, row));
                    found = true;
                }
            }
            if found {
                batches.push(super::source::batch_to_ids(batch, groups.kinds())?);
            }
            Ok(ControlFlow::Continue(()))
        })?;
    }
    let missing = || crate::types::Error::internal("a group was lost between two passes");
    let picks: Vec<(u32, u32)> = picks.into_iter().collect::<Option<_>>().ok_or_else(missing)?;
    let batch = super::gather::gather(&batches, &picks, groups.kinds())?;
    let mut memory = context.memory.reservation("grouping");
    memory.resize(batch.bytes())?;
    Ok(MemorySource::new(groups.kinds().to_vec(), vec![vec![batch]], vec![memory]))
}
