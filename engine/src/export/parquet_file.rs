//! Record batches as a Parquet file.

use std::fmt;
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::{DataType, FieldRef, SchemaRef};
use parquet::arrow::arrow_writer::ArrowWriterOptions;
use parquet::arrow::{ArrowSchemaConverter, ArrowWriter};
use parquet::basic::{
    BrotliLevel, Compression, GzipLevel, LogicalType, Type as PhysicalType, ZstdLevel,
};
use parquet::errors::ParquetError;
use parquet::file::metadata::KeyValue;
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::schema::types::{SchemaDescriptor, Type, TypePtr};

use super::target::Target;
use crate::types::{Error, Result};

/// How pages are compressed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ParquetCompression {
    /// Zstandard where the build has it, else Snappy.
    #[default]
    Default,
    /// Not at all.
    None,
    /// Snappy.
    Snappy,
    /// gzip.
    Gzip,
    /// LZ4.
    Lz4,
    /// Brotli.
    Brotli,
    /// Zstandard.
    Zstd,
}

/// How a file is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParquetStyle {
    /// How pages are compressed.
    pub compression: ParquetCompression,
    /// Rows of a row group, at most.
    pub row_group_len: usize,
    /// Words for the footer.
    pub metadata: Vec<(String, String)>,
}

impl Default for ParquetStyle {
    fn default() -> ParquetStyle {
        ParquetStyle {
            compression: ParquetCompression::Default,
            row_group_len: 1 << 20,
            metadata: Vec::new(),
        }
    }
}

/// A Parquet file being written, with dictionaries where they are worth it, statistics and the Arrow
/// schema.
pub struct ParquetExport {
    writer: ArrowWriter<Target>,
}

/// Bytes of a row group that wait in memory.
const ROW_GROUP_BYTES_MAX: usize = 128 << 20;

impl fmt::Debug for ParquetExport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ParquetExport")
    }
}

impl ParquetExport {
    /// Begins a file.
    ///
    /// # Errors
    /// `Unsupported` for zstd in a build without it; `Io`.
    pub fn new(target: Target, schema: SchemaRef, style: &ParquetStyle) -> Result<ParquetExport> {
        let words = style.metadata.iter();
        let words = words.map(|(key, value)| KeyValue::new(key.clone(), value.clone())).collect();
        let properties = WriterProperties::builder()
            .set_compression(compression(style.compression)?)
            .set_max_row_group_row_count(Some(style.row_group_len.max(1)))
            .set_dictionary_enabled(true)
            .set_statistics_enabled(EnabledStatistics::Page)
            .set_created_by(format!("martlet {}", env!("CARGO_PKG_VERSION")))
            .set_key_value_metadata(Some(words))
            .build();
        let options = ArrowWriterOptions::new()
            .with_properties(properties)
            .with_parquet_schema(described(&schema)?);
        let writer = ArrowWriter::try_new_with_options(target, schema, options).map_err(failed)?;
        Ok(ParquetExport { writer })
    }

    /// Writes the rows of `batch`.
    ///
    /// # Errors
    /// `Io`.
    pub fn write(&mut self, batch: &RecordBatch) -> Result<()> {
        self.writer.write(batch).map_err(failed)?;
        if self.writer.in_progress_size() > ROW_GROUP_BYTES_MAX {
            self.writer.flush().map_err(failed)?;
        }
        Ok(())
    }

    /// Writes the footer and gives the file its name.
    ///
    /// # Errors
    /// `Io`.
    pub fn finish(self) -> Result<()> {
        self.writer.into_inner().map_err(failed)?.finish()
    }
}

/// The schema in Parquet's words, uuids by their own.
fn described(schema: &SchemaRef) -> Result<SchemaDescriptor> {
    let plain = ArrowSchemaConverter::new().convert(schema).map_err(failed)?;
    let root = plain.root_schema();
    let field = |(parquet, arrow): (&TypePtr, &FieldRef)| {
        if *arrow.data_type() != DataType::FixedSizeBinary(16) {
            return Ok(TypePtr::clone(parquet));
        }
        Type::primitive_type_builder(arrow.name(), PhysicalType::FIXED_LEN_BYTE_ARRAY)
            .with_repetition(parquet.get_basic_info().repetition())
            .with_length(16)
            .with_logical_type(Some(LogicalType::Uuid))
            .build()
            .map(Arc::new)
            .map_err(failed)
    };
    let fields = root.get_fields().iter().zip(schema.fields()).map(field);
    let fields = fields.collect::<Result<Vec<TypePtr>>>()?;
    let group = Type::group_type_builder(root.name()).with_fields(fields).build();
    let group = group.map_err(failed)?;
    Ok(SchemaDescriptor::new(Arc::new(group)))
}

fn compression(wanted: ParquetCompression) -> Result<Compression> {
    let has_zstd = cfg!(feature = "zstd");
    Ok(match wanted {
        ParquetCompression::None => Compression::UNCOMPRESSED,
        ParquetCompression::Default if !has_zstd => Compression::SNAPPY,
        ParquetCompression::Snappy => Compression::SNAPPY,
        ParquetCompression::Gzip => Compression::GZIP(GzipLevel::default()),
        ParquetCompression::Lz4 => Compression::LZ4_RAW,
        ParquetCompression::Brotli => Compression::BROTLI(BrotliLevel::default()),
        ParquetCompression::Default | ParquetCompression::Zstd if has_zstd => {
            Compression::ZSTD(ZstdLevel::try_new(3).map_err(failed)?)
        }
        ParquetCompression::Default | ParquetCompression::Zstd => {
            return Err(Error::unsupported("compression with zstd is not in this build")
                .with_hint("build with the feature `zstd`, or write COMPRESSION snappy"));
        }
    })
}

fn failed(error: ParquetError) -> Error {
    match error {
        ParquetError::NYI(message) => Error::unsupported(message),
        other => Error::io(format!("cannot write the Parquet file: {other}")),
    }
}
