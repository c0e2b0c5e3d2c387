//! Parquet files as the binder sees a table.

use std::sync::Arc;

use hashbrown::HashMap;
use martlet_engine::catalog::{ColumnStatistics, Field, FieldId, NameMatch, Table, TableId};
use martlet_engine::ingest::parquet::{ParquetFiles, ParquetOptions};
use martlet_engine::types::Result;

use crate::bind::{FileNames, Files};

/// Opens the files that a query names and wraps them.
pub(crate) fn open(names: &FileNames) -> Result<Files> {
    let files = open_all(&names.patterns, names.binary_as_string)?;
    let paths = files.paths().map(str::to_owned).collect();
    let name = names.patterns.first().map_or("", String::as_str);
    Ok(Files { paths, table: Arc::new(FileTable::new(name, files)) })
}

/// Opens the files that the patterns name.
pub(crate) fn open_all(patterns: &[String], binary_as_string: bool) -> Result<ParquetFiles> {
    ParquetFiles::open(patterns, ParquetOptions { binary_as_string, ..ParquetOptions::default() })
}

/// Open Parquet files; a field's id is its position.
#[derive(Debug)]
struct FileTable {
    name: String,
    files: ParquetFiles,
    exact: HashMap<String, usize>,
    /// By lower-cased name.
    folded: HashMap<String, Vec<usize>>,
}

impl FileTable {
    fn new(name: &str, files: ParquetFiles) -> FileTable {
        let mut exact = HashMap::new();
        let mut folded: HashMap<String, Vec<usize>> = HashMap::new();
        for (position, field) in files.fields().iter().enumerate() {
            exact.entry(field.name.clone()).or_insert(position);
            folded.entry(field.name.to_lowercase()).or_default().push(position);
        }
        FileTable { name: name.to_owned(), files, exact, folded }
    }
}

impl Table for FileTable {
    fn id(&self) -> TableId {
        TableId(u32::MAX)
    }

    fn name(&self) -> &str {
        &self.name
    }

    fn row_count(&self) -> u64 {
        self.files.row_count()
    }

    fn field_count(&self) -> usize {
        self.files.fields().len()
    }

    fn field(&self, position: usize) -> Field {
        let field = &self.files.fields()[position];
        Field {
            id: FieldId(u32::try_from(position).expect("a file has fewer than 2^32 columns")),
            name: field.name.clone(),
            data_type: field.data_type,
            nullable: field.nullable,
        }
    }

    fn find(&self, name: &str) -> NameMatch {
        if let Some(position) = self.exact.get(name) {
            return NameMatch::Found(*position);
        }
        match self.folded.get(&name.to_lowercase()).map(Vec::as_slice) {
            None | Some([]) => NameMatch::Missing,
            Some([position]) => NameMatch::Found(*position),
            Some(several) => NameMatch::Ambiguous(
                several.iter().map(|position| self.field(*position).name).collect(),
            ),
        }
    }

    /// Nothing is known over all row groups; for a column that cannot be read, an error says why.
    fn statistics(&self, field: FieldId) -> Result<ColumnStatistics> {
        if let Ok(position) = usize::try_from(field.0) {
            self.files.check_supported(position)?;
        }
        Ok(ColumnStatistics::default())
    }
}
