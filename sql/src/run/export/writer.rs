//! One file in any of the formats.

use std::path::Path;
use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch};
use arrow::datatypes::{DataType as ArrowType, FieldRef, Schema, SchemaRef, TimeUnit};
use martlet_engine::catalog::files::FileComments;
use martlet_engine::export::{ArrowExport, ParquetExport, ParquetStyle, Target};
use martlet_engine::ingest::parquet::SECONDS_KEY;
use martlet_engine::types::{Error, Result, cast};

use crate::bind::ExportFormat;
use crate::output::{CsvWriter, JsonWriter, WriteError};

/// A file in one of the formats.
pub(super) enum Writer {
    Csv(CsvWriter<Target>),
    Json(JsonWriter<Target>),
    /// With the schema that Parquet can write.
    Parquet(Box<ParquetExport>, SchemaRef),
    Arrow(Box<ArrowExport>),
}

impl Writer {
    pub(super) fn new(path: &Path, schema: &SchemaRef, format: &ExportFormat) -> Result<Writer> {
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

    pub(super) fn write(&mut self, batch: &RecordBatch) -> Result<()> {
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
                    columns.map(|(array, field)| cast(array, field.data_type())).collect();
                writer.write(&RecordBatch::try_new(Arc::clone(schema), columns?)?)
            }
            Writer::Arrow(writer) => writer.write(batch),
        }
    }

    pub(super) fn finish(self) -> Result<()> {
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
