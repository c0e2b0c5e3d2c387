//! A snapshot's tables as the binder sees them.

use std::cell::{Ref, RefCell};
use std::sync::Arc;

use martlet_engine::catalog::Table;
use martlet_engine::catalog::files::{FileSet, RejectsTo};
use martlet_engine::context::Context;
use martlet_engine::storage::Snapshot;
use martlet_engine::types::{Error, Result};

use crate::bind::{Catalog, FileNames, Files};
use crate::connection::NamedFiles;
use crate::files::{self, OpenFiles};
use crate::rejects::RejectsTable;

/// The tables of one snapshot, and the files of this machine.
///
/// Files that a statement has opened stay as they were found, so that binding it again gives the same
/// plan, until their types are settled.
#[derive(Debug)]
pub(crate) struct SnapshotCatalog {
    snapshot: Arc<Snapshot>,
    named_files: NamedFiles,
    opened: RefCell<Vec<(FileNames, OpenFiles)>>,
    /// The table that the statement loads, if it loads one.
    loaded: Option<String>,
    /// Where the rows go that it leaves out.
    rejects: RefCell<Option<RejectsTable>>,
}

impl SnapshotCatalog {
    /// The tables of `snapshot`, and the files that go by a name.
    pub(crate) fn new(snapshot: Arc<Snapshot>, named_files: NamedFiles) -> SnapshotCatalog {
        SnapshotCatalog {
            snapshot,
            named_files,
            opened: RefCell::default(),
            loaded: None,
            rejects: RefCell::default(),
        }
    }

    /// The same for a statement that loads `table`.
    pub(crate) fn for_load_of(mut self, table: &str) -> SnapshotCatalog {
        self.loaded = Some(table.to_owned());
        self
    }

    /// Opens files, or gives those that were opened by these names.
    pub(crate) fn open(&self, names: &FileNames) -> Result<OpenFiles> {
        if let Some((_, known)) = self.opened.borrow().iter().find(|(known, _)| known == names) {
            return Ok(known.clone());
        }
        let mut files = files::open(names)?;
        if let OpenFiles::Rows(set) = &mut files {
            self.lead_rejects(set)?;
        }
        self.opened.borrow_mut().push((names.clone(), files.clone()));
        Ok(files)
    }

    /// Tells the way of rejected rows that are to be in a table.
    fn lead_rejects(&self, set: &mut Arc<FileSet>) -> Result<()> {
        let Some(RejectsTo::Table { name, .. }) = &set.reading.rejects else { return Ok(()) };
        let Some(loaded) = &self.loaded else {
            return Err(Error::unsupported("rejects_table is for statements that load a table")
                .with_hint("rejects_file => 'bad.csv' keeps what a query leaves out"));
        };
        let table = RejectsTable::create(name, loaded, &self.snapshot)?;
        let rejects = RejectsTo::Table { name: name.clone(), way: Some(table.way().to_owned()) };
        Arc::make_mut(set).reading.rejects = Some(rejects);
        if self.rejects.borrow_mut().replace(table).is_some() {
            return Err(Error::unsupported("a statement has one rejects_table"));
        }
        Ok(())
    }

    /// The table that rejected rows are on their way to.
    pub(crate) fn rejects(&self) -> Ref<'_, Option<RejectsTable>> {
        self.rejects.borrow()
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
            let mut settled = files::settled(names, set, &read(set), context)?;
            settled.reading.rejects.clone_from(&set.reading.rejects);
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
