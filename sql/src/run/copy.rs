//! `COPY`: rows of files into a table, and rows into files.

use martlet_engine::types::Result;

use super::Runner;
use super::insert::Matching;
use crate::bind::place;
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
        self.append(name, columns, |transaction, table, targets| {
            let matching = Matching::ByNameOrPosition;
            self.insert_files(transaction, table, targets, (files, matching))
                .map_err(|error| place(error, Some(files.position)))
        })
    }
}
