//! The table that rows go to which a load leaves out.
//!
//! The reader of the files writes them into a temporary file, the way; when the others are loaded, `run`
//! puts them into the table, in the same commit. Must not know how rows are read or loaded.

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::process;
use std::sync::atomic::{AtomicU64, Ordering};

use martlet_engine::catalog::{NewField, Table};
use martlet_engine::ingest::rows::REJECT_COLUMNS;
use martlet_engine::storage::Snapshot;
use martlet_engine::types::{Error, Result};

/// A table of rejected rows, there already or not. Dropping it removes the temporary file.
#[derive(Debug)]
pub(crate) struct RejectsTable {
    name: String,
    way: String,
}

impl RejectsTable {
    /// The table called `name`, for a load of the table called `loaded`.
    ///
    /// # Errors
    /// `Invalid` when it is `loaded` or has other columns than [`reject_fields`]; `Io`.
    pub(crate) fn create(name: &str, loaded: &str, snapshot: &Snapshot) -> Result<RejectsTable> {
        if name.is_empty() {
            return Err(Error::invalid("rejects_table is the name of a table"));
        }
        if name.to_lowercase() == loaded.to_lowercase() {
            return Err(Error::invalid(format!("\"{name}\" is the table that is loaded"))
                .with_hint("rejected rows need a table of their own"));
        }
        let existing = snapshot.table(name)?;
        if existing.is_some_and(|table| !takes_rejects(&*table)) {
            let columns = REJECT_COLUMNS.map(|(name, data_type)| format!("{name} {data_type}"));
            let message = format!("\"{name}\" has other columns than a table of rejected rows");
            return Err(Error::invalid(message)
                .with_hint(format!("name another table; they are {}", columns.join(", "))));
        }
        let way = create_file(&std::env::temp_dir())?;
        let way = way.into_os_string().into_string().map_err(|path| {
            Error::unsupported(format!("a temporary file at {}, not UTF-8", path.display()))
        })?;
        Ok(RejectsTable { name: name.to_owned(), way })
    }

    /// Its name.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// The path of the file that rejected rows are written to.
    pub(crate) fn way(&self) -> &str {
        &self.way
    }
}

impl Drop for RejectsTable {
    fn drop(&mut self) {
        // A temporary file that stays does no harm.
        let _gone = fs::remove_file(&self.way);
    }
}

/// The columns of a table of rejected rows.
pub(crate) fn reject_fields() -> Vec<NewField> {
    let field = |(name, data_type): (&str, _)| NewField {
        name: name.to_owned(),
        data_type,
        nullable: true,
    };
    REJECT_COLUMNS.into_iter().map(field).collect()
}

/// Whether the table has the columns of rejected rows and no others.
fn takes_rejects(table: &dyn Table) -> bool {
    let wanted = reject_fields();
    table.field_count() == wanted.len()
        && wanted.into_iter().enumerate().all(|(position, wanted)| {
            let field = table.field(position);
            field.name == wanted.name && field.data_type == wanted.data_type && field.nullable
        })
}

/// A new file in `folder` that only its owner reads.
fn create_file(folder: &Path) -> Result<PathBuf> {
    /// Distinguishes the files of one process.
    static NEXT: AtomicU64 = AtomicU64::new(0);
    loop {
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let path = folder.join(format!("martlet-rejects-{}-{number}", process::id()));
        match create_new(&path) {
            Ok(_file) => return Ok(path),
            // Somebody else's, who was killed.
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
            Err(error) => {
                return Err(Error::from_io("create", &path.display().to_string(), &error));
            }
        }
    }
}

fn create_new(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}
