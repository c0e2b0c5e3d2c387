//! The last result, kept for `FROM _`, `.last` and `.chart`.

use std::fs::{self, File};
use std::io::{self, BufWriter};
use std::path::PathBuf;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, StringArray};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use arrow::error::ArrowError;
use arrow::ipc::writer::FileWriter;
use arrow::record_batch::RecordBatch;
use martlet::output::{Cells, format_count};
use martlet::{Connection, Error, ErrorKind, Result};

use crate::sql_text::{Token, tokens};

/// A result with more bytes is not kept.
const BYTES_MAX: usize = 64 << 20;

/// The name that a query gives it.
pub(crate) const NAME: &str = "_";

/// The last result, or why there is none.
#[derive(Debug, Default)]
pub(crate) struct LastResult {
    kept: Option<Kept>,
    /// Why it was not kept.
    is_too_large: bool,
    /// It as a file, written when it is first asked for.
    file: Option<LastFile>,
}

/// A result.
#[derive(Clone, Debug)]
pub(crate) struct Kept {
    pub(crate) schema: SchemaRef,
    pub(crate) batches: Vec<RecordBatch>,
}

/// Takes the batches of a result as they pass.
#[derive(Debug)]
pub(crate) struct Keeper {
    kept: Option<Kept>,
    bytes: usize,
}

impl Keeper {
    pub(crate) fn new(schema: SchemaRef) -> Keeper {
        Keeper { kept: Some(Kept { schema, batches: Vec::new() }), bytes: 0 }
    }

    pub(crate) fn take(&mut self, batch: &RecordBatch) {
        // Batches may share buffers: each counts for its own rows.
        let columns = batch.columns().iter();
        let bytes = columns.map(|array| array.to_data().get_slice_memory_size().unwrap_or(0));
        self.bytes += bytes.sum::<usize>();
        if self.bytes > BYTES_MAX {
            self.kept = None;
        }
        if let Some(kept) = &mut self.kept {
            kept.batches.push(batch.clone());
        }
    }
}

impl Keeper {
    /// What was kept; nothing when it is too large.
    pub(crate) fn kept(&self) -> Option<&Kept> {
        self.kept.as_ref()
    }
}

impl LastResult {
    /// Replaces it.
    pub(crate) fn set(&mut self, keeper: Keeper) {
        let is_too_large = keeper.kept.is_none();
        *self = LastResult { kept: keeper.kept, is_too_large, file: None };
    }

    /// It, to be shown again.
    pub(crate) fn kept(&self) -> Result<&Kept> {
        self.kept.as_ref().ok_or_else(|| {
            if self.is_too_large {
                let size = format_count(BYTES_MAX as u64 >> 20);
                Error::unknown_name(format!("the last result had more than {size} MiB: not kept"))
                    .with_hint("CREATE TABLE name AS SELECT … keeps any result")
            } else {
                Error::unknown_name("there is no last result: no query gave rows yet")
            }
        })
    }

    /// Lets `_` stand for it in the statements of `connection`.
    pub(crate) fn name_in(&mut self, connection: &Connection) -> Result<()> {
        let file = match self.file.take() {
            Some(file) => file,
            None => LastFile::write(self.kept()?)?,
        };
        connection.name_file(NAME, file.path.to_str());
        self.file = Some(file);
        Ok(())
    }
}

/// The last result as an Arrow file among the system's temporary ones; dropping it removes the file.
#[derive(Debug)]
struct LastFile {
    path: PathBuf,
}

impl Drop for LastFile {
    fn drop(&mut self) {
        // Somebody else may have cleared the folder.
        let _removed = fs::remove_file(&self.path);
    }
}

impl LastFile {
    fn write(kept: &Kept) -> Result<LastFile> {
        let (path, file) = new_file()?;
        let file_of = LastFile { path };
        let schema = storable(&kept.schema);
        let failed = |error: ArrowError| {
            Error::new(ErrorKind::Io, format!("cannot keep the last result: {error}"))
        };
        let mut writer = FileWriter::try_new(BufWriter::new(file), &schema).map_err(failed)?;
        for batch in &kept.batches {
            let stored = batch.columns().iter().zip(schema.fields());
            let arrays: Vec<ArrayRef> = stored
                .map(|(array, field)| stored_array(array, field.data_type()))
                .collect::<Result<_>>()?;
            let batch = RecordBatch::try_new(Arc::clone(&schema), arrays).map_err(failed)?;
            writer.write(&batch).map_err(failed)?;
        }
        writer.finish().map_err(failed)?;
        Ok(file_of)
    }
}

/// A file that was not there, for nobody else to read.
fn new_file() -> Result<(PathBuf, File)> {
    let mut options = File::options();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let folder = std::env::temp_dir();
    let mut number = 0_u32;
    loop {
        let path = folder.join(format!("martlet-{}-{number}.arrow", std::process::id()));
        match options.open(&path) {
            Ok(file) => return Ok((path, file)),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => number += 1,
            Err(error) => return Err(Error::from_io("write", &path.display().to_string(), &error)),
        }
    }
}

/// Whether `sql` reads the last result: `FROM _` stands in it.
pub(crate) fn is_read_by(sql: &str) -> bool {
    let tokens = tokens(sql);
    let names_it = |token: &Token| matches!(token.of(sql), "_" | "\"_\"");
    let reads = |word: &str| {
        ["FROM", "DESCRIBE", "DESC", "SUMMARIZE", "COPY"]
            .iter()
            .any(|w| w.eq_ignore_ascii_case(word))
    };
    tokens.windows(2).any(|pair| names_it(&pair[1]) && reads(pair[0].of(sql)))
}

/// The array as a table stores it: intervals as texts.
fn stored_array(array: &ArrayRef, data_type: &DataType) -> Result<ArrayRef> {
    if array.data_type() == data_type {
        return Ok(Arc::clone(array));
    }
    let cells = Cells::new(array)?;
    let text = |row| {
        let mut text = String::new();
        (!cells.is_null(row)).then(|| {
            cells.write(row, &mut text);
            text
        })
    };
    Ok(Arc::new((0..array.len()).map(text).collect::<StringArray>()))
}

/// The schema with each name once and types that tables have.
fn storable(schema: &Schema) -> SchemaRef {
    let mut names: Vec<String> = Vec::with_capacity(schema.fields().len());
    let mut seen = std::collections::BTreeSet::new();
    for field in schema.fields() {
        let base = if field.name().is_empty() { "column" } else { field.name() };
        let mut name = base.to_owned();
        let mut count = 1;
        while !seen.insert(name.to_lowercase()) {
            count += 1;
            name = format!("{base}_{count}");
        }
        names.push(name);
    }
    let fields: Vec<Field> = schema
        .fields()
        .iter()
        .zip(names)
        .map(|(field, name)| {
            let data_type = match field.data_type() {
                DataType::Null | DataType::Interval(_) => DataType::Utf8,
                other => other.clone(),
            };
            Field::new(name, data_type, true)
        })
        .collect();
    Arc::new(Schema::new(fields))
}

#[cfg(test)]
mod tests {
    use martlet::Database;

    use super::*;

    fn last(sql: &str) -> Result<LastResult> {
        let connection = Database::open_in_memory()?.connect();
        let rows = connection.query(sql)?;
        let mut keeper = Keeper::new(rows.schema());
        for batch in rows {
            keeper.take(&batch?);
        }
        let mut last = LastResult::default();
        last.set(keeper);
        Ok(last)
    }

    #[test]
    fn a_result_of_any_types_is_a_table() -> Result<()> {
        let sql = "SELECT 1 AS a, 2 AS a, NULL AS n, interval '1 day' AS i, now() AS t,
                   1.5::decimal(4,1) AS d, current_date AS day, 'x' AS \"a \"\"b\"\"\"";
        let mut last = last(sql)?;
        let connection = Database::open_in_memory()?.connect();
        last.name_in(&connection)?;
        let value = connection.query_value("SELECT a_2 FROM _ WHERE n IS NULL")?;
        assert_eq!(value, martlet::Value::Int(2));
        let value = connection.query_value("SELECT i || \"a \"\"b\"\"\" FROM _")?;
        assert_eq!(value, martlet::Value::Text("1 dayx".into()));
        connection.execute("CREATE TABLE kept AS SELECT d, day FROM _")?;
        let kept = connection.query_value("SELECT d::text FROM kept")?;
        assert_eq!(kept, martlet::Value::Text("1.5".into()));
        let path = last.file.as_ref().expect("a file").path.clone();
        drop(last);
        assert!(!path.exists());
        Ok(())
    }

    #[test]
    fn the_last_result_is_read_by_name() {
        for sql in ["SELECT * FROM _", "FROM _ WHERE a", "describe _", "SELECT 1 from\n\"_\""] {
            assert!(is_read_by(sql), "{sql}");
        }
        for sql in ["SELECT _ FROM t", "SELECT '_'", "SELECT 'FROM _'", "FROM _t", "-- FROM _"] {
            assert!(!is_read_by(sql), "{sql}");
        }
    }

    #[test]
    fn without_a_result_it_says_so() {
        let error = LastResult::default().kept().expect_err("nothing");
        assert!(error.message().contains("no last result"));
    }
}
