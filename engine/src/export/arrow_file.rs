//! Record batches as an Arrow IPC file or stream.

use std::fmt;

use arrow::array::RecordBatch;
use arrow::datatypes::{DataType, FieldRef, Schema, SchemaRef};
use arrow::error::ArrowError;
use arrow_ipc::writer::{FileWriter, StreamWriter};

use super::target::Target;
use crate::types::{Error, Result};

/// An Arrow file or stream being written.
pub struct ArrowExport(Writer);

enum Writer {
    File(FileWriter<Target>),
    Stream(StreamWriter<Target>),
}

impl fmt::Debug for ArrowExport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ArrowExport")
    }
}

impl ArrowExport {
    /// Begins a file, or a stream, which has no footer.
    ///
    /// # Errors
    /// `Io`.
    pub fn new(target: Target, schema: &SchemaRef, is_stream: bool) -> Result<ArrowExport> {
        let fields: Vec<FieldRef> = schema.fields().iter().map(named_uuid).collect();
        let schema = Schema::new_with_metadata(fields, schema.metadata().clone());
        let writer = if is_stream {
            Writer::Stream(StreamWriter::try_new(target, &schema).map_err(failed)?)
        } else {
            Writer::File(FileWriter::try_new(target, &schema).map_err(failed)?)
        };
        Ok(ArrowExport(writer))
    }

    /// Writes the rows of `batch`.
    ///
    /// # Errors
    /// `Io`.
    pub fn write(&mut self, batch: &RecordBatch) -> Result<()> {
        match &mut self.0 {
            Writer::File(writer) => writer.write(batch),
            Writer::Stream(writer) => writer.write(batch),
        }
        .map_err(failed)
    }

    /// Writes the end and gives the file its name.
    ///
    /// # Errors
    /// `Io`.
    pub fn finish(self) -> Result<()> {
        match self.0 {
            Writer::File(writer) => writer.into_inner().map_err(failed)?.finish(),
            Writer::Stream(writer) => writer.into_inner().map_err(failed)?.finish(),
        }
    }
}

/// Sixteen bytes are a uuid, which Arrow tells from other bytes by an extension type.
fn named_uuid(field: &FieldRef) -> FieldRef {
    if *field.data_type() != DataType::FixedSizeBinary(16) {
        return FieldRef::clone(field);
    }
    let mut metadata = field.metadata().clone();
    metadata.insert("ARROW:extension:name".to_owned(), "arrow.uuid".to_owned());
    FieldRef::new(field.as_ref().clone().with_metadata(metadata))
}

fn failed(error: ArrowError) -> Error {
    match error {
        ArrowError::NotYetImplemented(message) => Error::unsupported(message),
        other => Error::io(format!("cannot write the Arrow file: {other}")),
    }
}
