//! Late materialisation under a top-n: sort the keys with the rows' addresses, then read the other
//! columns of the winners only. `SELECT * … ORDER BY … LIMIT 10` decodes 105 columns for ten rows.

use std::ops::ControlFlow;

use arrow::array::AsArray;
use arrow::datatypes::UInt64Type;

use super::scan::TableScan;
use super::source::{MemorySource, Source as _};
use crate::context::Context;
use crate::plan::{Expr, PhysicalPlan, Scan, SortKey, Source};
use crate::types::Result;
use crate::vector::Batch;

/// Rows up to which reading them one by one pays.
const ROWS_MAX: usize = 65_536;

/// A top-n over a scan, taken apart.
#[derive(Debug)]
pub(crate) struct LateTopN<'a> {
    pub(crate) scan: &'a Scan,
    /// The columns of the scan that the keys name.
    pub(crate) key_columns: Vec<usize>,
    /// The keys over those.
    pub(crate) keys: Vec<SortKey>,
    /// What is computed of the winners.
    pub(crate) exprs: Option<&'a [Expr]>,
}

/// Takes a top-n over `input` apart, where that is a scan of a table that gives more than the keys.
pub(crate) fn split<'a>(
    input: &'a PhysicalPlan,
    keys: &[SortKey],
    (offset, limit): (usize, usize),
) -> Option<LateTopN<'a>> {
    if offset.saturating_add(limit) > ROWS_MAX {
        return None;
    }
    let (scan, exprs) = match input {
        PhysicalPlan::Scan(scan) => (scan, None),
        PhysicalPlan::Project { input, exprs, .. } => match input.as_ref() {
            PhysicalPlan::Scan(scan) => (scan, Some(&exprs[..])),
            _ => return None,
        },
        _ => return None,
    };
    if !matches!(scan.source, Source::Table { .. }) {
        return None;
    }
    let mut keys = keys.to_vec();
    let mut key_columns = Vec::new();
    for key in &mut keys {
        if let Some(exprs) = exprs {
            substitute(&mut key.expr, exprs);
        }
        key.expr.for_each_column(&mut |column| {
            if !key_columns.contains(&column) {
                key_columns.push(column);
            }
        });
    }
    if key_columns.len() >= scan.output_count {
        return None;
    }
    for key in &mut keys {
        key.expr.map_columns(&|column| {
            key_columns.iter().position(|other| *other == column).expect("collected above")
        });
    }
    Some(LateTopN { scan, key_columns, keys, exprs })
}

/// Replaces each column by the expression that computes it.
fn substitute(expr: &mut Expr, exprs: &[Expr]) {
    if let Expr::Column { index, .. } = expr {
        *expr = exprs[*index].clone();
        return;
    }
    for child in expr.children_mut() {
        substitute(child, exprs);
    }
}

impl LateTopN<'_> {
    /// All columns of the winners, which are keys and addresses.
    ///
    /// # Errors
    /// When they cannot be read.
    pub(crate) fn fetch(
        &self,
        scan: &TableScan,
        winners: &MemorySource,
        context: &Context,
    ) -> Result<MemorySource> {
        let mut addresses: Vec<u64> = Vec::new();
        for morsel in 0..winners.morsel_count() {
            winners.run(morsel, context, &mut |batch| {
                let last = batch.columns().last().expect("the address is the last column");
                let array = last.decode()?;
                addresses.extend_from_slice(array.as_primitive::<UInt64Type>().values());
                Ok(ControlFlow::Continue(()))
            })?;
        }
        let columns: Vec<usize> = (0..self.scan.output_count).collect();
        let kinds = columns.iter().map(|column| scan.kind(*column).clone()).collect();
        let batch = Batch::new(scan.fetch(&columns, &addresses)?, addresses.len());
        let mut memory = context.memory.reservation("sorting");
        memory.resize(batch.bytes())?;
        Ok(MemorySource::new(kinds, vec![vec![batch]], vec![memory]))
    }
}
