//! Some row groups of a table, as if there were no others: one of several processes' share of a scan.

use std::sync::Arc;

use roaring::RoaringBitmap;

use super::view::{Column, DictionaryView, TableView};
use crate::catalog::FieldId;
use crate::types::{Error, Result};

/// A table of which only some row groups are seen.
#[derive(Debug)]
pub(crate) struct ChosenRowGroups {
    table: Box<dyn TableView>,
    /// Positions in `table`.
    row_groups: Vec<usize>,
}

impl ChosenRowGroups {
    /// The row groups of `table` at the positions `row_groups`.
    ///
    /// # Errors
    /// `Invalid` when there is no such row group, or one is chosen twice.
    pub(crate) fn new(table: Box<dyn TableView>, row_groups: &[u32]) -> Result<ChosenRowGroups> {
        let count = table.row_group_count();
        let mut chosen = Vec::with_capacity(row_groups.len());
        for position in row_groups {
            let position = usize::try_from(*position).unwrap_or(usize::MAX);
            if position >= count {
                return Err(Error::invalid(format!(
                    "row group {position} is to be scanned, but the table has {count}"
                )));
            }
            chosen.push(position);
        }
        chosen.sort_unstable();
        if let Some([twice, _]) = chosen.array_windows().find(|[a, b]| a == b) {
            return Err(Error::invalid(format!("row group {twice} is to be scanned twice")));
        }
        Ok(ChosenRowGroups { table, row_groups: chosen })
    }
}

impl TableView for ChosenRowGroups {
    fn field_count(&self) -> usize {
        self.table.field_count()
    }

    fn page_len(&self) -> u32 {
        self.table.page_len()
    }

    fn row_group_count(&self) -> usize {
        self.row_groups.len()
    }

    fn row_count(&self, row_group: usize) -> u32 {
        self.table.row_count(self.row_groups[row_group])
    }

    fn deletions(&self, row_group: usize) -> Result<Option<Arc<RoaringBitmap>>> {
        self.table.deletions(self.row_groups[row_group])
    }

    fn dictionary(&self, field: FieldId) -> Result<Option<Arc<dyn DictionaryView>>> {
        self.table.dictionary(field)
    }

    fn chunk(&self, row_group: usize, field: FieldId) -> Result<Column> {
        self.table.chunk(self.row_groups[row_group], field)
    }
}
