//! `COPY`: rows of files into a table, and rows into files.

use martlet_engine::types::Result;

use super::Runner;
use super::insert::{Matching, target_positions};
use crate::bind::{place, unknown_table};
use crate::parse::{Name, NamedFiles};
use crate::result::Outcome;

impl Runner<'_> {
    /// Appends the rows of files to a table.
    pub(super) fn copy_from(
        &self,
        name: &Name,
        columns: &[Name],
        files: &NamedFiles,
    ) -> Result<Outcome> {
        let transaction = self.database().begin()?;
        let snapshot = transaction.snapshot();
        let table = snapshot
            .table(&name.text)
            .map_err(|error| place(error, Some(name.position)))?
            .ok_or_else(|| unknown_table(&name.text, &snapshot.table_names(), name.position))?;
        let targets = target_positions(&table, columns)?;
        let matching = Matching::ByNameOrPosition;
        let row_count = self
            .insert_files(&transaction, &table, &targets, (files, matching))
            .map_err(|error| place(error, Some(files.position)))?;
        drop(table);
        self.database().commit(transaction)?;
        Ok(Outcome::Done { row_count: Some(row_count) })
    }
}
