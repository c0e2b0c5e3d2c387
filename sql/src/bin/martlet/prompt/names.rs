//! What there is to complete: tables and columns of the open database, kept until a commit changes
//! them; columns of files; entries of folders.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use martlet::Database;

/// A name with what the menu tells about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Name {
    pub(super) text: String,
    pub(super) lowered: String,
    pub(super) detail: String,
}

impl Name {
    pub(super) fn new(text: impl Into<String>, detail: impl Into<String>) -> Name {
        let text = text.into();
        Name { lowered: text.to_lowercase(), text, detail: detail.into() }
    }
}

/// Where completion looks names up.
pub(super) trait Lookup {
    /// All tables.
    fn tables(&mut self) -> Arc<Vec<Name>>;

    /// The columns of a table; none when there is no such table.
    fn columns(&mut self, table: &str) -> Arc<Vec<Name>>;

    /// The columns of a file.
    fn file_columns(&mut self, path: &str) -> Arc<Vec<Name>>;

    /// The files and folders in a folder; folders end in a slash.
    fn files(&mut self, folder: &str) -> Vec<Name>;
}

/// The names of a database.
#[derive(Debug)]
pub(super) struct Names {
    database: Database,
    snapshot: Option<u64>,
    tables: Option<Arc<Vec<Name>>>,
    columns: BTreeMap<String, Arc<Vec<Name>>>,
    file_columns: BTreeMap<String, Arc<Vec<Name>>>,
}

/// Entries of a folder that are looked at.
const ENTRIES_MAX: usize = 10_000;

impl Names {
    pub(super) fn new(database: Database) -> Names {
        Names {
            database,
            snapshot: None,
            tables: None,
            columns: BTreeMap::new(),
            file_columns: BTreeMap::new(),
        }
    }

    /// Looks names up in `database` from here on.
    pub(super) fn use_database(&mut self, database: &Database) {
        if !self.database.is_same(database) {
            *self = Names::new(database.clone());
        }
    }

    /// Forgets what a commit may have changed.
    fn refresh(&mut self) {
        let newest = self.database.snapshot_number().ok();
        if newest != self.snapshot {
            self.snapshot = newest;
            self.tables = None;
            self.columns.clear();
        }
    }
}

impl Lookup for Names {
    fn tables(&mut self) -> Arc<Vec<Name>> {
        self.refresh();
        if let Some(tables) = &self.tables {
            return Arc::clone(tables);
        }
        let tables = self.database.tables().unwrap_or_default();
        let count = martlet::output::format_count;
        let names = tables.into_iter().map(|table| {
            let (rows, columns) = (count(table.row_count), count(table.column_count as u64));
            Name::new(table.name, format!("{rows} rows, {columns} columns"))
        });
        let names: Arc<Vec<Name>> = Arc::new(names.collect());
        self.tables = Some(Arc::clone(&names));
        names
    }

    fn columns(&mut self, table: &str) -> Arc<Vec<Name>> {
        self.refresh();
        if let Some(columns) = self.columns.get(table) {
            return Arc::clone(columns);
        }
        let columns = self.database.columns(table).unwrap_or_default().into_iter();
        let names = columns.map(|column| {
            let data_type = column.data_type.to_string();
            let detail = match column.comment {
                Some(comment) => format!("{data_type}: {comment}"),
                None => data_type,
            };
            Name::new(column.name, detail)
        });
        let names: Arc<Vec<Name>> = Arc::new(names.collect());
        self.columns.insert(table.to_owned(), Arc::clone(&names));
        names
    }

    fn file_columns(&mut self, path: &str) -> Arc<Vec<Name>> {
        if let Some(columns) = self.file_columns.get(path) {
            return Arc::clone(columns);
        }
        let sql = format!("SELECT * FROM '{}' LIMIT 0", path.replace('\'', "''"));
        let schema = self.database.connect().query(&sql).map(|rows| rows.schema());
        let names = schema.map_or_else(
            |_| Vec::new(),
            |schema| {
                let fields = schema.fields().iter();
                fields.map(|field| Name::new(field.name(), path)).collect()
            },
        );
        let names = Arc::new(names);
        self.file_columns.insert(path.to_owned(), Arc::clone(&names));
        names
    }

    fn files(&mut self, folder: &str) -> Vec<Name> {
        let path = match folder.strip_prefix("~/") {
            Some(rest) => std::env::home_dir().unwrap_or_default().join(rest),
            None if folder.is_empty() => Path::new(".").to_owned(),
            None => Path::new(folder).to_owned(),
        };
        let Ok(entries) = path.read_dir() else { return Vec::new() };
        let mut names: Vec<Name> = entries
            .take(ENTRIES_MAX)
            .filter_map(|entry| {
                let entry = entry.ok()?;
                let name = entry.file_name().into_string().ok()?;
                let metadata = std::fs::metadata(entry.path()).ok()?;
                Some(if metadata.is_dir() {
                    Name::new(format!("{name}/"), "")
                } else {
                    Name::new(name, martlet::output::format_byte_size(metadata.len()))
                })
            })
            .collect();
        names.sort_by(|a, b| a.text.cmp(&b.text));
        names
    }
}
