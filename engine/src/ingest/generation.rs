//! New generations of dictionaries: one run in place of several, and every map rewritten.
//!
//! Must not know where rows come from.

use super::load::check_unwritten;
use super::spool::Spool;
use crate::catalog::{FieldId, Table, TableId};
use crate::context::Context;
use crate::storage::dictionary::{CodeMap, EncodedRun, SpoolBeyond};
use crate::storage::{RowGroupId, TableWriter, Transaction};
use crate::types::Result;

/// Bytes of a merged run that may wait in memory until it is written.
const RUN_BYTES_MAX: usize = 3 << 20;

/// Merges the runs of the table's dictionaries, those of `fields` or all, each into one; returns how
/// many were merged. Pages are not touched.
///
/// # Errors
/// `UnknownName` without such a table, `Invalid` when the transaction has loaded it, `Cancelled`,
/// `Corrupt`, `Io`.
pub fn merge_dictionaries(
    transaction: &Transaction,
    table: TableId,
    fields: Option<&[FieldId]>,
    context: &Context,
) -> Result<usize> {
    let writer = transaction.writer(table)?;
    check_unwritten(&writer)?;
    let Some(snapshot) = writer.snapshot() else { return Ok(0) };
    let all: Vec<FieldId>;
    let fields = if let Some(fields) = fields {
        fields
    } else {
        all = (0..snapshot.field_count()).map(|position| snapshot.field(position).id).collect();
        &all
    };
    let kept: Vec<usize> = (0..snapshot.row_group_count()).collect();
    let spool = Spool::new(None);
    let spool = SpoolBeyond { spool: &spool, memory_bytes_max: RUN_BYTES_MAX };
    let mut merged = 0;
    for field in fields {
        let Some(dictionary) = snapshot.dictionary(*field)? else { continue };
        if dictionary.run_count() == 1 {
            continue;
        }
        let mut memory = context.memory.reservation("merging a dictionary");
        memory.resize(usize::try_from(dictionary.len()).unwrap_or(usize::MAX).saturating_mul(4))?;
        let (run, new_ids) = dictionary.merged(None, Some(spool), &context.cancel)?;
        replace(&writer, *field, (&run, &new_ids), (&kept, &[]))?;
        merged += 1;
    }
    Ok(merged)
}

/// The row groups of the table as it was that stay.
pub(super) fn kept_row_groups(writer: &TableWriter, dropped: Option<&[usize]>) -> Vec<usize> {
    let count = writer.snapshot().map_or(0, |table| table.row_group_count());
    let dropped = dropped.unwrap_or(&[]);
    (0..count).filter(|row_group_idx| !dropped.contains(row_group_idx)).collect()
}

/// Replaces a dictionary by `run`, whose ids follow from the old ones by `new_ids`, and writes the
/// maps of the `kept` row groups anew. `new_maps` are those of new row groups, which the caller
/// writes.
///
/// # Errors
/// `Corrupt`, `Io`.
pub(super) fn replace(
    writer: &TableWriter,
    field: FieldId,
    (run, new_ids): (&EncodedRun, &[u32]),
    (kept, new_maps): (&[usize], &[CodeMap]),
) -> Result<()> {
    let mut used = Used::new(run.value_count);
    for map in new_maps {
        used.mark(map);
    }
    let mut maps: Vec<(RowGroupId, CodeMap)> = Vec::new();
    if let Some(table) = writer.snapshot() {
        for row_group_idx in kept {
            if table.chunk(*row_group_idx, field)?.is_codes() {
                let map = table.code_map(*row_group_idx, field)?.translate(new_ids)?;
                used.mark(&map);
                maps.push((table.row_group(*row_group_idx).id, map));
            }
        }
    }
    writer.replace_runs(field, run, used.all())?;
    maps.iter().try_for_each(|(row_group, map)| writer.write_code_map(*row_group, field, map))
}

/// Which values of a dictionary occur in a row group.
struct Used {
    flags: Vec<bool>,
    count: usize,
}

impl Used {
    fn new(value_count: u32) -> Used {
        let len = usize::try_from(value_count).expect("a usize has at least 32 bits");
        Used { flags: vec![false; len], count: 0 }
    }

    fn mark(&mut self, map: &CodeMap) {
        for id in map.ids() {
            let id = usize::try_from(*id).expect("a usize has at least 32 bits");
            if let Some(flag) = self.flags.get_mut(id) {
                self.count += usize::from(!*flag);
                *flag = true;
            }
        }
    }

    fn all(&self) -> bool {
        self.count == self.flags.len()
    }
}
