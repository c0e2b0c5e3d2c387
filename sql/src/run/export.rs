//! `COPY … TO`: a result into one file, or into a folder per value of some columns.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, UInt32Array};
use arrow::compute::cast;
use arrow::datatypes::{DataType as ArrowType, FieldRef, Schema, SchemaRef, TimeUnit};
use hashbrown::HashMap;
use martlet_engine::export::{ArrowExport, ParquetExport, Target};
use martlet_engine::types::{Error, Result};

use super::Runner;
use crate::bind::{ExportFormat, ExportOptions, export_options, place, unknown_table};
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
        let result = self.copied_rows(rows)?;
        let written = if options.partition_by.is_empty() {
            one_file(result, Path::new(path), &options.format)
        } else {
            folders(result, Path::new(path), &options)
        };
        let row_count = written.map_err(|error| place(error, Some(files.position)))?;
        Ok(Outcome::Done { row_count: Some(row_count) })
    }

    fn copied_rows(&self, rows: &CopiedRows) -> Result<QueryResult> {
        let snapshot = self.database().snapshot()?;
        let (name, columns) = match rows {
            CopiedRows::Query(query) => return self.query(query, &snapshot),
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
        runner.run_over_files(&catalog, &snapshot, plan)
    }
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
fn one_file(result: QueryResult, path: &Path, format: &ExportFormat) -> Result<u64> {
    let schema = result.schema();
    let mut writer = Writer::new(path, &schema, format)?;
    let mut row_count = 0;
    for batch in result {
        let batch = batch?;
        row_count += u64::try_from(batch.num_rows()).unwrap_or(u64::MAX);
        writer.write(&batch)?;
    }
    writer.finish()?;
    Ok(row_count)
}

/// Writes the rows to `root/name=value/…/data_0.…`. A file appears when all of them are whole.
fn folders(result: QueryResult, root: &Path, options: &ExportOptions) -> Result<u64> {
    let schema = result.schema();
    let keys = key_columns(&schema, &options.partition_by)?;
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
    let inner: SchemaRef = Arc::new(schema.project(&others)?);
    let mut writers: HashMap<PathBuf, Writer> = HashMap::new();
    let mut row_count = 0;
    for batch in result {
        let batch = batch?;
        row_count += u64::try_from(batch.num_rows()).unwrap_or(u64::MAX);
        for (folder, rows) in rows_by_folder(&batch, &schema, &keys)? {
            let part = arrow::compute::take_record_batch(&batch.project(&others)?, &rows)?;
            if !writers.contains_key(&folder) {
                if writers.len() >= FOLDERS_MAX {
                    return Err(Error::unsupported(format!(
                        "more than {FOLDERS_MAX} folders at once"
                    ))
                    .with_hint("partition by fewer columns, or by date_trunc('month', …)"));
                }
                let path = root.join(&folder);
                fs::create_dir_all(&path).map_err(|error| {
                    Error::from_io("create", &path.display().to_string(), &error)
                })?;
                let file = path.join(options.format.file_name());
                writers.insert(folder.clone(), Writer::new(&file, &inner, &options.format)?);
            }
            if let Some(writer) = writers.get_mut(&folder) {
                writer.write(&part)?;
            }
        }
    }
    for (_, writer) in writers {
        writer.finish()?;
    }
    Ok(row_count)
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
                let schema = in_milliseconds(schema);
                let export = ParquetExport::new(target(plain)?, Arc::clone(&schema), style)?;
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
    Arc::new(Schema::new(schema.fields().iter().map(field).collect::<Vec<FieldRef>>()))
}

fn failed(error: WriteError, path: &Path) -> Error {
    match error {
        WriteError::Result(error) => error,
        WriteError::Io(error) => Error::from_io("write", &path.display().to_string(), &error),
    }
}
