//! Loads one column: all its row groups, then its dictionary.
//!
//! Must not know transactions: chunks leave through a closure, maps and runs as a result.

use std::sync::Arc;

use super::chunk::ChunkEncoder;
use super::queue::ArrayQueue;
use super::spool::Spool;
use super::{ColumnArrays, LoadOptions};
use crate::catalog::NewField;
use crate::context::Context;
use crate::storage::EncodedChunk;
use crate::storage::dictionary::{Dictionary, Grown, Growth, TextRoom};
use crate::types::Result;

/// What the columns of one load have in common.
pub(super) struct ColumnLoad<'a> {
    /// Rows of each row group.
    pub(super) row_group_lens: &'a [usize],
    pub(super) page_len: usize,
    pub(super) spool: &'a Spool,
    pub(super) options: &'a LoadOptions,
    pub(super) context: &'a Context,
    /// Asks whether another worker has failed.
    pub(super) check: &'a (dyn Fn() -> Result<()> + Sync),
}

/// What a column becomes beside its chunks.
#[derive(Debug)]
pub(super) struct LoadedColumn {
    /// The row groups that have codes, and what their dictionary becomes: maps in this order.
    pub(super) coded_row_groups: Vec<usize>,
    pub(super) grown: Grown,
}

/// Bytes of the distinct texts of a row group for which it may still have codes.
const LOCAL_BYTES_MAX: usize = 192 << 20;
/// New values of a dictionary that may wait in memory before they are spooled.
const PENDING_BYTES_MAX: usize = 4 << 20;

impl ColumnLoad<'_> {
    /// Encodes `arrays`, the rows of `field`; `write(row group index, chunk)` takes the chunks.
    ///
    /// # Errors
    /// `Invalid` when there are more or fewer rows than the row groups have, or a forbidden NULL;
    /// as the source, the dictionary and `write`.
    pub(super) fn run(
        &self,
        field: &NewField,
        arrays: ColumnArrays<'_>,
        existing: Option<Arc<Dictionary>>,
        write: &dyn Fn(usize, EncodedChunk) -> Result<()>,
    ) -> Result<LoadedColumn> {
        let mut encoder = ChunkEncoder {
            data_type: field.data_type,
            page_len: self.page_len,
            context: self.context,
            check: self.check,
            local_bytes_max: LOCAL_BYTES_MAX,
            room: TextRoom::default(),
            memory: self.context.memory.reservation("loading a column"),
        };
        let mut queue = ArrayQueue::new(arrays, field);
        let mut growth = Growth::new(field.data_type, existing)
            .with_spool(self.spool, self.options.pending_bytes_max.unwrap_or(PENDING_BYTES_MAX));
        let mut coded_row_groups = Vec::new();
        for (row_group_idx, row_count) in self.row_group_lens.iter().enumerate() {
            let chunk = encoder.encode(&mut queue, &mut growth, *row_count)?;
            if chunk.codes.is_some() {
                coded_row_groups.push(row_group_idx);
            }
            write(row_group_idx, chunk)?;
            encoder.memory.resize(growth.memory_bytes())?;
        }
        queue.finish()?;
        let grown = growth.finish(&self.options.merge_policy, &self.context.cancel)?;
        Ok(LoadedColumn { coded_row_groups, grown })
    }
}
