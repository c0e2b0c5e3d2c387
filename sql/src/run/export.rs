//! `COPY … TO`: a result into one file, or into a folder per value of some columns.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, UInt32Array};
use arrow::compute::cast;
use arrow::datatypes::{DataType as ArrowType, FieldRef, Schema, SchemaRef, TimeUnit};
use hashbrown::HashMap;
use martlet_engine::catalog::files::FileComments;
use martlet_engine::export::{ArrowExport, ParquetExport, ParquetStyle, Target};
use martlet_engine::ingest::parquet::SECONDS_KEY;
use martlet_engine::storage::Snapshot;
use martlet_engine::types::{Error, Result};
use sqlparser::ast::Query;

use super::Runner;
use super::descriptions::Descriptions;
use crate::bind::{ExportFormat, ExportOptions, export_options, place, unknown_table};
use crate::catalog::SnapshotCatalog;
use crate::output::{Cells, CsvWriter, JsonWriter, WriteError};
use crate::parse::{CopiedRows, NamedFiles};
use crate::result::{Outcome, QueryResult};
use crate::suggest;

/// Folders that are written at once: each has a file open.
const FOLDERS_MAX: usize = 512;

impl Runner<'_> {
    /// Writes a table or a query's rows.
    pub(super) fn copy_to(&self, rows: &CopiedRows, files: &NamedFiles) -> Result<Outcome> {
        let options = export_options(files)?;
        let path = files.paths.first().map_or("", String::as_str);
        let (result, descriptions) = self.copied_rows(rows)?;
        let schema = described(&result.schema(), descriptions);
        let written = if options.partition_by.is_empty() {
            one_file(result, &schema, Path::new(path), &options.format)
        } else {
            self.folders(result, &schema, Path::new(path), &options)
        };
        let row_count = written.map_err(|error| place(error, Some(files.position)))?;
        Ok(Outcome::Done { row_count: Some(row_count) })
    }

    fn copied_rows(&self, rows: &CopiedRows) -> Result<(QueryResult, Descriptions)> {
        let snapshot = self.database().snapshot()?;
        let (name, columns) = match rows {
            CopiedRows::Query(query) => {
                let catalog = self.catalog(&snapshot);
                let descriptions = self.descriptions(&catalog, query, &snapshot)?;
                let plan = || Ok(self.optimized(self.bind_with(&catalog, query)?));
                let result = self.run_over_files(&catalog, &snapshot, plan)?;
                return Ok((result, descriptions));
            }
            CopiedRows::Table { name, columns } => (name, columns),
        };
        let is_file = self.connection.named_files().contains_key(&name.text);
        if !is_file && snapshot.table(&name.text)?.is_none() {
            return Err(unknown_table(&name.text, &snapshot.table_names(), name.position));
        }
        let quoted = |name: &str| format!("\"{}\"", name.replace('"', "\"\""));
        let list: Vec<String> = columns.iter().map(|column| quoted(&column.text)).collect();
        let list = if list.is_empty() { "*".to_owned() } else { list.join(", ") };
        let sql = format!("SELECT {list} FROM {}", quoted(&name.text));
        let script = crate::parse::parse(&sql)?;
        let Some(crate::parse::Statement::Query(query)) = script.statements.first() else {
            return Err(Error::internal("a table is no query"));
        };
        let runner = Runner::new(self.connection, &script.tokens, Vec::new(), self.context.clone());
        let catalog = self.catalog(&snapshot);
        let plan = || {
            let bound = runner.bind_with(&catalog, query);
            Ok(runner.optimized(bound.map_err(|error| at_column(error, columns))?))
        };
        let result = runner.run_over_files(&catalog, &snapshot, plan)?;
        Ok((result, runner.descriptions(&catalog, query, &snapshot)?))
    }

    /// Writes the rows to `root/name=value/…/data_0.…`. A file appears when it and those beside it are
    /// whole. Rows of folders beyond [`FOLDERS_MAX`] wait in memory until the others are written.
    fn folders(
        &self,
        result: QueryResult,
        schema: &SchemaRef,
        root: &Path,
        options: &ExportOptions,
    ) -> Result<u64> {
        let mut folders = Folders::new(schema, root, options)?;
        let mut memory = self.context.memory.reservation("folders beyond those written at once");
        let mut waiting = Vec::new();
        let mut waiting_bytes = 0;
        let mut row_count = 0;
        for batch in result {
            let batch = batch?;
            row_count += u64::try_from(batch.num_rows()).unwrap_or(u64::MAX);
            if let Some(rest) = folders.write(&batch)? {
                waiting_bytes += rest.get_array_memory_size();
                memory.resize(waiting_bytes)?;
                waiting.push(rest);
            }
        }
        folders.finish()?;
        while !waiting.is_empty() {
            let mut rest = Vec::new();
            for batch in waiting {
                self.context.cancel.check()?;
                rest.extend(folders.write(&batch)?);
            }
            folders.finish()?;
            waiting = rest;
        }
        Ok(row_count)
    }

    /// What is said of the columns of a query.
    fn descriptions(
        &self,
        catalog: &SnapshotCatalog,
        query: &Query,
        snapshot: &Arc<Snapshot>,
    ) -> Result<Descriptions> {
        match self.bind_with(catalog, query) {
            Ok(plan) => Descriptions::of(&plan, Some(snapshot)),
            // Whoever runs it tells what is wrong.
            Err(_) => Ok(Descriptions::default()),
        }
    }
}

/// The schema with what is said of its columns.
fn described(schema: &SchemaRef, descriptions: Descriptions) -> SchemaRef {
    let Descriptions { table, columns } = descriptions;
    if table.is_none() && columns.iter().all(Option::is_none) {
        return Arc::clone(schema);
    }
    let mut comments = columns.into_iter();
    let fields = schema.fields().iter().map(|field| {
        let mut metadata = field.metadata().clone();
        metadata.extend(comments.next().flatten().map(|text| (FileComments::KEY.to_owned(), text)));
        Arc::new(field.as_ref().clone().with_metadata(metadata))
    });
    let fields: Vec<FieldRef> = fields.collect();
    let mut metadata = schema.metadata().clone();
    metadata.extend(table.map(|text| (FileComments::KEY.to_owned(), text)));
    Arc::new(Schema::new_with_metadata(fields, metadata))
}

/// An error of the query that we wrote, at the column that the user wrote.
fn at_column(error: Error, columns: &[crate::parse::Name]) -> Error {
    let named = columns.iter().find(|column| error.message().contains(&column.text));
    match named {
        Some(column) => error.at(column.position),
        None => error,
    }
}

/// Writes all rows to the file at `path`; gives how many.
fn one_file(
    result: QueryResult,
    schema: &SchemaRef,
    path: &Path,
    format: &ExportFormat,
) -> Result<u64> {
    let mut writer = Writer::new(path, schema, format)?;
    let mut row_count = 0;
    for batch in result {
        let batch = batch?;
        row_count += u64::try_from(batch.num_rows()).unwrap_or(u64::MAX);
        writer.write(&batch)?;
    }
    writer.finish()?;
    Ok(row_count)
}

/// Folders that are being written.
struct Folders<'a> {
    root: &'a Path,
    options: &'a ExportOptions,
    schema: SchemaRef,
    /// Positions of the columns that folders are named by, and of the others.
    keys: Vec<usize>,
    others: Vec<usize>,
    inner: SchemaRef,
    writers: HashMap<PathBuf, Writer>,
}

impl<'a> Folders<'a> {
    fn new(schema: &SchemaRef, root: &'a Path, options: &'a ExportOptions) -> Result<Folders<'a>> {
        let keys = key_columns(schema, &options.partition_by)?;
        let others: Vec<usize> =
            (0..schema.fields().len()).filter(|column| !keys.contains(column)).collect();
        if others.is_empty() {
            return Err(Error::invalid("PARTITION_BY leaves no column to write"));
        }
        let has_files = fs::read_dir(root).is_ok_and(|mut entries| entries.next().is_some());
        if has_files && !options.overwrite {
            return Err(Error::already_exists(format!("{} has files already", root.display()))
                .with_hint("name another folder, or write (OVERWRITE)"));
        }
        let inner = Arc::new(schema.project(&others)?);
        let (schema, writers) = (Arc::clone(schema), HashMap::new());
        Ok(Folders { root, options, schema, keys, others, inner, writers })
    }

    /// Writes what belongs in the folders that are open or can be; gives the other rows.
    fn write(&mut self, batch: &RecordBatch) -> Result<Option<RecordBatch>> {
        let mut rest: Vec<u32> = Vec::new();
        for (folder, rows) in rows_by_folder(batch, &self.schema, &self.keys)? {
            if !self.writers.contains_key(&folder) {
                if self.writers.len() >= FOLDERS_MAX {
                    rest.extend(rows.values());
                    continue;
                }
                let path = self.root.join(&folder);
                fs::create_dir_all(&path).map_err(|error| {
                    Error::from_io("create", &path.display().to_string(), &error)
                })?;
                let file = path.join(self.options.format.file_name());
                let writer = Writer::new(&file, &self.inner, &self.options.format)?;
                self.writers.insert(folder.clone(), writer);
            }
            let part = arrow::compute::take_record_batch(&batch.project(&self.others)?, &rows)?;
            if let Some(writer) = self.writers.get_mut(&folder) {
                writer.write(&part)?;
            }
        }
        if rest.is_empty() {
            return Ok(None);
        }
        rest.sort_unstable();
        Ok(Some(arrow::compute::take_record_batch(batch, &UInt32Array::from(rest))?))
    }

    fn finish(&mut self) -> Result<()> {
        self.writers.drain().try_for_each(|(_, writer)| writer.finish())
    }
}

fn key_columns(schema: &Schema, names: &[String]) -> Result<Vec<usize>> {
    let find = |name: &String| {
        let fields = schema.fields();
        let exact = fields.iter().position(|field| field.name() == name);
        let folded =
            || fields.iter().position(|field| field.name().to_lowercase() == name.to_lowercase());
        exact.or_else(folded).ok_or_else(|| {
            let known = fields.iter().map(|field| field.name().as_str());
            Error::unknown_name(format!("there is no column \"{name}\" to partition by"))
                .with_suggestions(suggest::nearest(name, known))
        })
    };
    names.iter().map(find).collect()
}

/// The rows of a batch by the folder that they belong in, folders in the order of their first rows.
fn rows_by_folder(
    batch: &RecordBatch,
    schema: &Schema,
    keys: &[usize],
) -> Result<Vec<(PathBuf, UInt32Array)>> {
    let cells: Vec<(&str, Cells<'_>)> = keys
        .iter()
        .map(|key| Ok((schema.field(*key).name().as_str(), Cells::new(batch.column(*key))?)))
        .collect::<Result<_>>()?;
    let mut order: Vec<(PathBuf, Vec<u32>)> = Vec::new();
    let mut known: HashMap<PathBuf, usize> = HashMap::new();
    for row in 0..batch.num_rows() {
        let mut folder = PathBuf::new();
        for (name, cells) in &cells {
            let value = if cells.is_null(row) {
                "__HIVE_DEFAULT_PARTITION__".to_owned()
            } else {
                let mut text = String::new();
                cells.write(row, &mut text);
                quoted(&text)
            };
            folder.push(format!("{}={value}", quoted(name)));
        }
        let next = order.len();
        let index = *known.entry(folder.clone()).or_insert(next);
        if index == next {
            order.push((folder, Vec::new()));
        }
        order[index].1.push(u32::try_from(row).expect("batches have fewer than 2^32 rows"));
    }
    Ok(order.into_iter().map(|(folder, rows)| (folder, UInt32Array::from(rows))).collect())
}

/// A text as part of a path, as Hive writes it: what is not plain is `%` and two digits.
fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'0'..=b'9' | b'a'..=b'z' | b'A'..=b'Z' | b'-' | b'_' | b' ' => {
                out.push(char::from(byte));
            }
            b'.' if text.len() > 2 => out.push('.'),
            other => {
                let hex = |digit: u8| char::from(b"0123456789ABCDEF"[usize::from(digit)]);
                out.extend(['%', hex(other >> 4), hex(other & 15)]);
            }
        }
    }
    out
}

/// A file in one of the formats.
enum Writer {
    Csv(CsvWriter<Target>),
    Json(JsonWriter<Target>),
    /// With the schema that Parquet can write.
    Parquet(Box<ParquetExport>, SchemaRef),
    Arrow(Box<ArrowExport>),
}

impl Writer {
    fn new(path: &Path, schema: &SchemaRef, format: &ExportFormat) -> Result<Writer> {
        let target = |compression| Target::create(path, compression);
        let plain = martlet_engine::export::TargetCompression::None;
        Ok(match format {
            ExportFormat::Csv(style, compression) => {
                let writer = CsvWriter::with_style(target(*compression)?, schema, style.clone());
                Writer::Csv(writer.map_err(|error| failed(error, path))?)
            }
            ExportFormat::Json(style, compression) => {
                let writer = JsonWriter::with_style(target(*compression)?, schema, *style);
                Writer::Json(writer.map_err(|error| failed(error, path))?)
            }
            ExportFormat::Parquet(style) => {
                let (schema, style) = parquet_words(schema, style);
                let export = ParquetExport::new(target(plain)?, Arc::clone(&schema), &style)?;
                Writer::Parquet(Box::new(export), schema)
            }
            ExportFormat::Arrow { is_stream } => {
                Writer::Arrow(Box::new(ArrowExport::new(target(plain)?, schema, *is_stream)?))
            }
        })
    }

    fn write(&mut self, batch: &RecordBatch) -> Result<()> {
        match self {
            Writer::Csv(writer) => {
                writer.write(batch).map_err(|error| failed(error, Path::new("the file")))
            }
            Writer::Json(writer) => {
                writer.write(batch).map_err(|error| failed(error, Path::new("the file")))
            }
            Writer::Parquet(writer, schema) => {
                let columns = batch.columns().iter().zip(schema.fields());
                let columns: Result<Vec<ArrayRef>> =
                    columns.map(|(array, field)| Ok(cast(array, field.data_type())?)).collect();
                writer.write(&RecordBatch::try_new(Arc::clone(schema), columns?)?)
            }
            Writer::Arrow(writer) => writer.write(batch),
        }
    }

    fn finish(self) -> Result<()> {
        match self {
            Writer::Csv(writer) => writer.into_inner().finish(),
            Writer::Json(writer) => {
                writer.finish().map_err(|error| failed(error, Path::new("the file")))?.finish()
            }
            Writer::Parquet(writer, _) => writer.finish(),
            Writer::Arrow(writer) => writer.finish(),
        }
    }
}

/// The schema that Parquet can write, and the footer's words about what it cannot.
fn parquet_words(schema: &SchemaRef, style: &ParquetStyle) -> (SchemaRef, ParquetStyle) {
    let written = in_milliseconds(schema);
    let mut style = style.clone();
    let mut add = |key: &str, value: String| {
        if !style.metadata.iter().any(|(known, _)| known == key) {
            style.metadata.push((key.to_owned(), value));
        }
    };
    let pairs = schema.fields().iter().zip(written.fields()).enumerate();
    let seconds: Vec<String> = pairs
        .filter(|(_, (wanted, written))| wanted.data_type() != written.data_type())
        .map(|(position, _)| position.to_string())
        .collect();
    if !seconds.is_empty() {
        add(SECONDS_KEY, seconds.join(","));
    }
    if let Some(comment) = schema.metadata().get(FileComments::KEY) {
        add(FileComments::KEY, comment.clone());
    }
    (written, style)
}

/// Parquet knows no seconds: they are written as milliseconds.
fn in_milliseconds(schema: &SchemaRef) -> SchemaRef {
    let field = |field: &FieldRef| {
        let data_type = match field.data_type() {
            ArrowType::Timestamp(TimeUnit::Second, zone) => {
                ArrowType::Timestamp(TimeUnit::Millisecond, zone.clone())
            }
            ArrowType::Time32(TimeUnit::Second) => ArrowType::Time32(TimeUnit::Millisecond),
            other => other.clone(),
        };
        Arc::new(field.as_ref().clone().with_data_type(data_type))
    };
    let fields: Vec<FieldRef> = schema.fields().iter().map(field).collect();
    Arc::new(Schema::new_with_metadata(fields, schema.metadata().clone()))
}

fn failed(error: WriteError, path: &Path) -> Error {
    match error {
        WriteError::Result(error) => error,
        WriteError::Io(error) => Error::from_io("write", &path.display().to_string(), &error),
    }
}
