//! A snapshot's tables as the binder sees them.

use std::cell::RefCell;
use std::sync::Arc;

use martlet_engine::catalog::Table;
use martlet_engine::catalog::files::FileSet;
use martlet_engine::context::Context;
use martlet_engine::storage::Snapshot;
use martlet_engine::types::Result;

use crate::bind::{Catalog, FileNames, Files};
use crate::connection::NamedFiles;
use crate::files::{self, OpenFiles};

/// The tables of one snapshot, and the files of this machine.
///
/// Files that a statement has opened stay as they were found, so that binding it again gives the same
/// plan, until their types are settled.
#[derive(Debug)]
pub(crate) struct SnapshotCatalog {
    snapshot: Arc<Snapshot>,
    named_files: NamedFiles,
    opened: RefCell<Vec<(FileNames, OpenFiles)>>,
}

impl SnapshotCatalog {
    /// The tables of `snapshot`, and the files that go by a name.
    pub(crate) fn new(snapshot: Arc<Snapshot>, named_files: NamedFiles) -> SnapshotCatalog {
        SnapshotCatalog { snapshot, named_files, opened: RefCell::default() }
    }

    /// Opens files, or gives those that were opened by these names.
    pub(crate) fn open(&self, names: &FileNames) -> Result<OpenFiles> {
        if let Some((_, known)) = self.opened.borrow().iter().find(|(known, _)| known == names) {
            return Ok(known.clone());
        }
        let files = files::open(names)?;
        self.opened.borrow_mut().push((names.clone(), files.clone()));
        Ok(files)
    }

    /// Whether the types of a column were inferred from a sample.
    pub(crate) fn is_sampled(&self) -> bool {
        self.opened
            .borrow()
            .iter()
            .any(|(_, files)| matches!(files, OpenFiles::Rows(set) if set.is_sampled))
    }

    /// Looks at all values of the columns that `read` names of sampled files. Whether a type changed.
    pub(crate) fn settle(
        &self,
        read: impl Fn(&Arc<FileSet>) -> Vec<usize>,
        context: &Context,
    ) -> Result<bool> {
        let mut changed = false;
        for (names, files) in self.opened.borrow_mut().iter_mut() {
            let OpenFiles::Rows(set) = files else { continue };
            if !set.is_sampled {
                continue;
            }
            let settled = files::settled(names, set, &read(set), context)?;
            changed |= settled.columns != set.columns;
            *set = Arc::new(settled);
        }
        Ok(changed)
    }
}

impl Catalog for SnapshotCatalog {
    fn table(&self, name: &str) -> Result<Option<Arc<dyn Table>>> {
        Ok(self.snapshot.table(name)?.map(|table| table as Arc<dyn Table>))
    }

    fn table_names(&self) -> Vec<String> {
        self.snapshot.table_names()
    }

    fn named_file(&self, name: &str) -> Option<FileNames> {
        self.named_files.get(name).map(|path| FileNames::of(path))
    }

    fn files(&self, names: &FileNames) -> Result<Files> {
        Ok(self.open(names)?.described(names))
    }
}
