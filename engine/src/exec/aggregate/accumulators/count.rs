//! `COUNT(*)` and `COUNT(x)`.

use std::sync::Arc;

use arrow::array::Int64Array;

use super::{Accumulator, Groups, same_kind, without_nulls};
use crate::exec::aggregate::pages::Pages;
use crate::exec::source::ColumnKind;
use crate::kernel;
use crate::types::{DataType, Result};
use crate::vector::Vector;

/// Counts rows.
#[derive(Debug, Default)]
pub(super) struct CountRows {
    counts: Pages<i64>,
}

impl CountRows {
    fn add_run(&mut self, group: u32, len: usize) {
        self.counts[group as usize] += i64::try_from(len).expect("batches are short");
    }

    fn add(&mut self, groups: Groups<'_>) {
        match groups {
            Groups::First(0) => {}
            Groups::First(len) => self.counts[0] += i64::try_from(len).expect("batches are short"),
            Groups::Each(groups) if self.counts.len() <= kernel::FEW_GROUPS => {
                kernel::count_few(&mut self.counts, groups);
            }
            Groups::Each(groups) => {
                let counts = &mut self.counts[..];
                for group in groups {
                    counts[*group as usize] += 1;
                }
            }
        }
    }
}

impl Accumulator for CountRows {
    fn resize(&mut self, group_count: usize) {
        self.counts.grow(group_count);
    }

    fn update(&mut self, groups: Groups<'_>, _argument: &Vector) -> Result<()> {
        self.add(groups);
        Ok(())
    }

    fn takes_runs(&self) -> bool {
        true
    }

    fn update_run(&mut self, group: u32, argument: &Vector) -> Result<()> {
        self.add_run(group, argument.len());
        Ok(())
    }

    fn clear(&mut self) -> bool {
        self.counts.fill(0);
        true
    }

    fn add_sums(&mut self, sums: &[i64], _value_count: u64) -> Result<()> {
        self.counts.iter_mut().zip(sums).for_each(|(count, sum)| *count += sum);
        Ok(())
    }

    fn merge(&mut self, other: &dyn Accumulator, from: &[u32], to: &[u32]) -> Result<()> {
        let other: &CountRows = same_kind(other)?;
        let (counts, added) = (&mut self.counts[..], &other.counts[..]);
        for (from, to) in from.iter().zip(to) {
            counts[*to as usize] += added[*from as usize];
        }
        Ok(())
    }

    fn finish(&self) -> Result<Vector> {
        Ok(Vector::Flat(Arc::new(Int64Array::from(self.counts.to_vec()))))
    }

    fn row_counts(&self) -> Option<&[i64]> {
        Some(&self.counts)
    }

    fn kind(&self) -> ColumnKind {
        ColumnKind::Flat { data_type: DataType::Int64, nullable: false, bounds: None }
    }

    fn bytes(&self) -> usize {
        self.counts.bytes()
    }
}

/// Counts values that are not NULL.
#[derive(Debug, Default)]
pub(super) struct Count(CountRows);

impl Accumulator for Count {
    fn resize(&mut self, group_count: usize) {
        self.0.resize(group_count);
    }

    fn update(&mut self, groups: Groups<'_>, argument: &Vector) -> Result<()> {
        match without_nulls(groups, argument)? {
            None => self.0.add(groups),
            Some((groups, _)) => self.0.add(groups.borrow()),
        }
        Ok(())
    }

    fn takes_runs(&self) -> bool {
        true
    }

    fn update_run(&mut self, group: u32, argument: &Vector) -> Result<()> {
        let all = Groups::First(argument.len());
        let len =
            without_nulls(all, argument)?.map_or(all.len(), |(groups, _)| groups.borrow().len());
        self.0.add_run(group, len);
        Ok(())
    }

    fn clear(&mut self) -> bool {
        self.0.clear()
    }

    fn merge(&mut self, other: &dyn Accumulator, from: &[u32], to: &[u32]) -> Result<()> {
        let other: &Count = same_kind(other)?;
        self.0.merge(&other.0, from, to)
    }

    fn finish(&self) -> Result<Vector> {
        self.0.finish()
    }

    fn kind(&self) -> ColumnKind {
        self.0.kind()
    }

    fn bytes(&self) -> usize {
        self.0.bytes()
    }
}
