//! Writes a generated mart as a Parquet file, several row groups at a time.
//!
//! Must not know what is generated: a mart hands over one column of one row group at a time, and
//! only its encoded form is kept until the row group is written.

use std::fs::File;
use std::ops::Range;
use std::path::PathBuf;
use std::sync::Arc;
use std::thread;

use arrow::array::ArrayRef;
use arrow::datatypes::{Field, Schema, SchemaRef};
use parquet::arrow::ArrowSchemaConverter;
use parquet::arrow::add_encoded_arrow_schema_to_metadata;
use parquet::arrow::arrow_writer::{
    ArrowColumnChunk, ArrowColumnWriter, ArrowRowGroupWriterFactory, compute_leaves,
};
use parquet::basic::Compression;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::SerializedFileWriter;

use crate::{Result, context};

/// Takes the columns of a row group in order.
pub(crate) type Sink<'a> = dyn FnMut(&str, ArrayRef) -> Result<()> + 'a;

/// A table that can be made again and again, any rows of it.
pub(crate) trait Mart: Sync {
    /// How many rows it has.
    fn row_count(&self) -> u64;

    /// Hands all columns of `rows` to `sink`; for no rows, their names and types.
    fn write_columns(&self, rows: Range<u64>, sink: &mut Sink) -> Result<()>;
}

/// How the file is written; its content depends on `row_group_len` and not on `thread_count`.
#[derive(Clone, Debug)]
pub(crate) struct FileOptions {
    /// Rows of a Parquet row group.
    pub(crate) row_group_len: u64,
    /// Row groups made at a time.
    pub(crate) thread_count: usize,
    /// The file.
    pub(crate) file: PathBuf,
}

/// Writes the mart; `progress` is told the rows done.
pub(crate) fn write_file(
    mart: &dyn Mart,
    options: &FileOptions,
    mut progress: impl FnMut(u64),
) -> Result<()> {
    let schema = schema(mart)?;
    let name = options.file.display().to_string();
    let file = File::create(&options.file).map_err(context(format!("cannot create {name}")))?;
    let mut properties = WriterProperties::builder().set_compression(Compression::SNAPPY).build();
    add_encoded_arrow_schema_to_metadata(&schema, &mut properties);
    let parquet_schema = ArrowSchemaConverter::new().convert(&schema)?;
    let mut writer =
        SerializedFileWriter::new(file, parquet_schema.root_schema_ptr(), Arc::new(properties))?;
    let factory = ArrowRowGroupWriterFactory::new(&writer, Arc::clone(&schema));

    let (row_count, row_group_len) = (mart.row_count(), options.row_group_len.max(1));
    let first_rows: Vec<u64> =
        (0..row_count.div_ceil(row_group_len)).map(|index| index * row_group_len).collect();
    let round_len = options.thread_count.max(1);
    for (round_idx, round) in first_rows.chunks(round_len).enumerate() {
        let encoded: Vec<Result<Vec<ArrowColumnChunk>>> = thread::scope(|scope| {
            let mut workers = Vec::new();
            for (offset, first_row) in round.iter().enumerate() {
                let rows = *first_row..row_count.min(first_row + row_group_len);
                let writers = factory.create_column_writers(round_idx * round_len + offset);
                let schema = &schema;
                workers.push(scope.spawn(move || encode(mart, schema, writers?, rows)));
            }
            let join = |worker: thread::ScopedJoinHandle<'_, _>| {
                worker.join().expect("a generator thread does not panic")
            };
            workers.into_iter().map(join).collect()
        });
        for chunks in encoded {
            let mut row_group = writer.next_row_group()?;
            for chunk in chunks? {
                chunk.append_to_row_group(&mut row_group)?;
            }
            row_group.close()?;
        }
        let done = round.last().map_or(0, |first_row| first_row + row_group_len);
        progress(done.min(row_count));
    }
    writer.close().map_err(context(format!("cannot finish {name}")))?;
    Ok(())
}

fn schema(mart: &dyn Mart) -> Result<SchemaRef> {
    let mut fields = Vec::new();
    mart.write_columns(0..0, &mut |name, array| {
        fields.push(Field::new(name, array.data_type().clone(), true));
        Ok(())
    })?;
    Ok(Arc::new(Schema::new(fields)))
}

fn encode(
    mart: &dyn Mart,
    schema: &Schema,
    writers: Vec<ArrowColumnWriter>,
    rows: Range<u64>,
) -> Result<Vec<ArrowColumnChunk>> {
    let mut chunks = Vec::with_capacity(writers.len());
    let mut targets = schema.fields().iter().zip(writers);
    mart.write_columns(rows, &mut |name, array| {
        let (field, mut writer) = targets.next().expect("a writer per column of the schema");
        debug_assert_eq!(field.name(), name);
        for leaf in compute_leaves(field, &array)? {
            writer.write(&leaf)?;
        }
        chunks.push(writer.close()?);
        Ok(())
    })?;
    Ok(chunks)
}
