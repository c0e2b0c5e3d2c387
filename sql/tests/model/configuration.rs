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
    /// Groups in a worker's table; the default when `None`.
    pub(crate) table_groups_max: Option<usize>,
    pub(crate) place: Place,
    /// Before it is read, every table is written anew with this many appends, the first of which
    /// brings half of the rows.
    pub(crate) append_count: Option<usize>,
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
    table_groups_max: None,
    place: Place::Memory,
    append_count: None,
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
    Configuration {
        storage: Some(sizes(4, 2)),
        worker_count: 8,
        batch_len: Some(3),
        table_groups_max: Some(0),
        ..PLAIN
    },
    Configuration { storage: Some(sizes(256, 64)), worker_count: 8, place: MAPPED, ..PLAIN },
    Configuration {
        storage: Some(sizes(64, 16)),
        table_groups_max: Some(2),
        append_count: Some(7),
        place: POSITIONAL,
        ..PLAIN
    },
    Configuration {
        storage: Some(sizes(6, 3)),
        with_deleted: true,
        append_count: Some(5),
        ..PLAIN
    },
    Configuration { storage: Some(sizes(128, 32)), append_count: Some(6), merged: true, ..PLAIN },
    Configuration {
        storage: Some(sizes(8, 4)),
        worker_count: 8,
        batch_len: Some(1),
        table_groups_max: Some(1),
        place: POSITIONAL,
        append_count: Some(9),
        with_deleted: true,
        merged: true,
        reopened: true,
    },
    Configuration {
        worker_count: 1,
        batch_len: Some(5),
        place: MAPPED,
        append_count: Some(4),
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
    merged_count: usize,
    /// The directory, gone with the instance.
    _folder: Option<TempDir>,
}

impl Instance {
    /// An empty database.
    pub(crate) fn open(configuration: &Configuration) -> Result<Instance> {
        let mut options = Options::default().with_worker_count(configuration.worker_count);
        options.batch_len = configuration.batch_len.unwrap_or(options.batch_len);
        options.table_groups_max =
            configuration.table_groups_max.unwrap_or(options.table_groups_max);
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
        Instance { configuration, writer, reader, laid_out: None, merged_count: 0, _folder: folder }
    }

    /// The handle that writes.
    pub(crate) fn writer(&self) -> &Connection {
        &self.writer
    }

    pub(crate) fn configuration(&self) -> &Configuration {
        &self.configuration
    }

    /// How many dictionaries were merged.
    pub(crate) fn merged_count(&self) -> usize {
        self.merged_count
    }

    /// Makes a table with these rows.
    pub(crate) fn load(&mut self, create: &str, name: &str, rows: &RecordBatch) -> Result<()> {
        self.writer.execute(create)?;
        self.store(name, rows)?;
        self.is_laid_out()
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
        if self.configuration.append_count.is_some() {
            for row in answer::ask(&self.writer, "SHOW TABLES")?.rows {
                if let Some(Value::Text(name)) = row.first() {
                    self.rewrite(name)?;
                }
            }
        }
        self.is_laid_out()
    }

    /// Makes what was written visible to the handle that reads.
    fn is_laid_out(&mut self) -> Result<()> {
        if let Some(reader) = &self.reader {
            reader.database().refresh()?;
        }
        self.laid_out = Some(self.writer.database().snapshot_number()?);
        Ok(())
    }

    /// Deletes the table's rows and appends them again.
    fn rewrite(&mut self, name: &str) -> Result<()> {
        let rows = self.writer.query(&format!("FROM {}", quoted(name, '"')))?;
        let schema = rows.schema();
        let rows = concat_batches(&schema, &rows.collect_batches()?)?;
        self.writer.delete_rows(name, &positions(rows.num_rows()))?;
        self.store(name, &rows)
    }

    /// Appends rows to a table as the configuration says.
    fn store(&mut self, name: &str, rows: &RecordBatch) -> Result<()> {
        let mut deleted = Vec::new();
        let mut stored_count = 0;
        let append_count = self.configuration.append_count.unwrap_or(1);
        for (index, part) in parts(rows, append_count).into_iter().enumerate() {
            let stored = if self.configuration.with_deleted && index.is_multiple_of(2) {
                with_copies(&part, rows, stored_count, &mut deleted)?
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
            self.merged_count += self.writer.merge_dictionaries(name)?;
            self.writer.execute("VACUUM")?;
        }
        Ok(())
    }
}

/// The first half of the rows, and the second in `count` - 1 parts or fewer.
fn parts(rows: &RecordBatch, count: usize) -> Vec<RecordBatch> {
    if count == 1 {
        return vec![rows.clone()];
    }
    let half = rows.num_rows().div_ceil(2);
    let len = (rows.num_rows() - half).div_ceil(count - 1).max(1);
    let later = (half..rows.num_rows()).step_by(len);
    let later = later.map(|start| rows.slice(start, len.min(rows.num_rows() - start)));
    [rows.slice(0, half)].into_iter().chain(later).filter(|part| part.num_rows() > 0).collect()
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
