//! A snapshot's tables as the binder sees them.

use std::sync::Arc;

use martlet_engine::catalog::Table;
use martlet_engine::storage::Snapshot;
use martlet_engine::types::Result;

use crate::bind::{Catalog, FileNames, Files};
use crate::files;

/// The tables of one snapshot, and the files of this machine.
#[derive(Debug)]
pub(crate) struct SnapshotCatalog(pub(crate) Arc<Snapshot>);

impl Catalog for SnapshotCatalog {
    fn table(&self, name: &str) -> Result<Option<Arc<dyn Table>>> {
        Ok(self.0.table(name)?.map(|table| table as Arc<dyn Table>))
    }

    fn table_names(&self) -> Vec<String> {
        self.0.table_names()
    }

    fn files(&self, names: &FileNames) -> Result<Files> {
        files::open(names)
    }
}
