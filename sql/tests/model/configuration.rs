//! The same tables, stored and read in different ways: sizes of pages and row groups, threads,
//! batch lengths, backends, appends, deletions and dictionaries.

use martlet::arrow::array::{RecordBatch, UInt64Array};
use martlet::arrow::compute::{concat_batches, take_record_batch};
use martlet::{Connection, Database, FileAccess, Options, Result, StorageOptions, Value};
use tempfile::TempDir;

use crate::answer::{self, Answer};
use crate::plan::quoted;

/// Where a database is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    Memory,
    Disk(FileAccess),
}

/// How a database is stored and read.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Configuration {
    /// Rows in a row group and in a page; the default sizes when `None`.
    pub(crate) storage: Option<StorageOptions>,
    pub(crate) worker_count: usize,
    /// Rows in a batch; the default when `None`.
    pub(crate) batch_len: Option<usize>,
    pub(crate) place: Place,
    /// Rows per append: before it is read, every table is written anew with this many commits.
    pub(crate) append_len: Option<usize>,
    /// Every other append also brings rows that are deleted afterwards.
    pub(crate) with_deleted: bool,
    /// The dictionaries that the appends left are merged.
    pub(crate) merged: bool,
    /// Queries run on a second, read-only handle of the directory.
    pub(crate) reopened: bool,
}

/// The defaults, in memory.
pub(crate) const PLAIN: Configuration = Configuration {
    storage: None,
    worker_count: 2,
    batch_len: None,
    place: Place::Memory,
    append_len: None,
    with_deleted: false,
    merged: false,
    reopened: false,
};

const MAPPED: Place = Place::Disk(FileAccess::Mapped);
const POSITIONAL: Place = Place::Disk(FileAccess::Positional);

const fn sizes(row_group_len: u32, page_len: u32) -> StorageOptions {
    StorageOptions { row_group_len, page_len }
}

/// Every way that the tests store and read tables.
pub(crate) const ALL: [Configuration; 9] = [
    PLAIN,
    Configuration { worker_count: 1, batch_len: Some(1), ..PLAIN },
    Configuration { storage: Some(sizes(4, 2)), worker_count: 8, batch_len: Some(3), ..PLAIN },
    Configuration { storage: Some(sizes(256, 64)), worker_count: 8, place: MAPPED, ..PLAIN },
    Configuration { storage: Some(sizes(64, 16)), append_len: Some(7), place: POSITIONAL, ..PLAIN },
    Configuration { storage: Some(sizes(6, 3)), with_deleted: true, append_len: Some(5), ..PLAIN },
    Configuration { storage: Some(sizes(16, 8)), append_len: Some(3), merged: true, ..PLAIN },
    Configuration {
        storage: Some(sizes(8, 4)),
        worker_count: 8,
        batch_len: Some(1),
        place: POSITIONAL,
        append_len: Some(11),
        with_deleted: true,
        merged: true,
        reopened: true,
    },
    Configuration {
        worker_count: 1,
        batch_len: Some(5),
        place: MAPPED,
        append_len: Some(4),
        with_deleted: true,
        reopened: true,
        ..PLAIN
    },
];

/// A database in one configuration.
pub(crate) struct Instance {
    configuration: Configuration,
    writer: Connection,
    /// The second handle, where there is one.
    reader: Option<Connection>,
    /// The snapshot whose tables are laid out as the configuration says.
    laid_out: Option<u64>,
    /// The directory, gone with the instance.
    _folder: Option<TempDir>,
}

impl Instance {
    /// An empty database.
    pub(crate) fn open(configuration: &Configuration) -> Result<Instance> {
        let mut options = Options::default().with_worker_count(configuration.worker_count);
        options.batch_len = configuration.batch_len.unwrap_or(options.batch_len);
        options.storage = configuration.storage.unwrap_or(options.storage);
        let Place::Disk(file_access) = configuration.place else {
            let writer = Database::open_in_memory_with(options)?.connect();
            return Ok(Instance::new(configuration, writer, None, None));
        };
        options.file_access = file_access;
        let folder = TempDir::new().map_err(|error| martlet::Error::io(error.to_string()))?;
        let path = folder.path().join("test.mart");
        let writer = Database::create_with(&path, options.clone())?.connect();
        let reader = configuration.reopened.then(|| Database::open_read_only_with(&path, options));
        let reader = reader.transpose()?.map(|database| database.connect());
        Ok(Instance::new(configuration, writer, reader, Some(folder)))
    }

    fn new(
        configuration: &Configuration,
        writer: Connection,
        reader: Option<Connection>,
        folder: Option<TempDir>,
    ) -> Instance {
        let configuration = *configuration;
        Instance { configuration, writer, reader, laid_out: None, _folder: folder }
    }

    /// Runs a statement; settings are set, and queries run, on the handle that reads.
    pub(crate) fn execute(&mut self, sql: &str) -> Result<()> {
        let starts_with =
            |word: &str| sql.get(..word.len()).is_some_and(|s| s.eq_ignore_ascii_case(word));
        if ["select", "from", "with", "values"].into_iter().any(starts_with) {
            return self.answer(sql).map(|_| ());
        }
        if let Some(reader) = self.reader.as_ref().filter(|_| starts_with("set")) {
            reader.execute(sql)?;
        }
        self.writer.execute(sql).map(|_| ())
    }

    /// Runs a query.
    pub(crate) fn answer(&mut self, sql: &str) -> Result<Answer> {
        self.lay_out()?;
        answer::ask(self.reader.as_ref().unwrap_or(&self.writer), sql)
    }

    /// Stores the tables as the configuration says, unless they are already.
    fn lay_out(&mut self) -> Result<()> {
        if self.laid_out == Some(self.writer.database().snapshot_number()?) {
            return Ok(());
        }
        if let Some(append_len) = self.configuration.append_len {
            for row in answer::ask(&self.writer, "SHOW TABLES")?.rows {
                if let Some(Value::Text(name)) = row.first() {
                    self.rewrite(name, append_len)?;
                }
            }
        }
        if let Some(reader) = &self.reader {
            reader.database().refresh()?;
        }
        self.laid_out = Some(self.writer.database().snapshot_number()?);
        Ok(())
    }

    /// Deletes the table's rows and appends them again in parts.
    fn rewrite(&self, name: &str, append_len: usize) -> Result<()> {
        let rows = self.writer.query(&format!("FROM {}", quoted(name, '"')))?;
        let schema = rows.schema();
        let rows = concat_batches(&schema, &rows.collect_batches()?)?;
        self.writer.delete_rows(name, &positions(rows.num_rows()))?;
        let mut deleted = Vec::new();
        let mut stored_count = 0;
        for start in (0..rows.num_rows()).step_by(append_len) {
            let part = rows.slice(start, append_len.min(rows.num_rows() - start));
            let stored =
                if self.configuration.with_deleted && (start / append_len).is_multiple_of(2) {
                    with_copies(&part, &rows, stored_count, &mut deleted)?
                } else {
                    part
                };
            stored_count += stored.num_rows() as u64;
            let mut appender = self.writer.appender(name)?;
            appender.append(&stored)?;
            appender.commit()?;
        }
        self.writer.delete_rows(name, &deleted)?;
        if self.configuration.merged {
            self.writer.merge_dictionaries(name)?;
            self.writer.execute("VACUUM")?;
        }
        Ok(())
    }
}

/// `part` with a row from anywhere in the table behind each of its rows; notes where those will be.
fn with_copies(
    part: &RecordBatch,
    table: &RecordBatch,
    stored_count: u64,
    deleted: &mut Vec<u64>,
) -> Result<RecordBatch> {
    let both = concat_batches(&part.schema(), [part, table])?;
    let mut picked: Vec<u64> = Vec::new();
    for row in positions(part.num_rows()) {
        let copied = (stored_count * 7 + row * 13) % table.num_rows() as u64;
        picked.push(row);
        deleted.push(stored_count + picked.len() as u64);
        picked.push(part.num_rows() as u64 + copied);
    }
    Ok(take_record_batch(&both, &UInt64Array::from(picked))?)
}

fn positions(len: usize) -> Vec<u64> {
    (0..len as u64).collect()
}
