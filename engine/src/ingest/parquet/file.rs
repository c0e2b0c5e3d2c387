//! One Parquet file: opened once, its footer checked and parsed once.
//!
//! Everything that a footer says about places in the file is checked against the file's length
//! before it is used. Must not know tables of several files.

use std::fs::{self, File};

use bytes::Bytes;
use parquet::errors::ParquetError;
use parquet::file::metadata::{
    ColumnChunkMetaData, ParquetMetaData, ParquetMetaDataOptions, ParquetMetaDataReader,
    ParquetStatisticsPolicy,
};

use super::schema::{FileColumn, Leaf, file_columns};
use super::thrift::{ThriftError, check_footer};
use crate::catalog::files::FileComments;
use crate::ingest::column_names::check_column_count;
use crate::ingest::guard::guarded;
use crate::types::{DataType, Error, Result, TimeUnit};

/// The footer's length and the magic bytes at the end.
const TAIL_BYTES: u64 = 8;
/// A page has at most 2³¹ rows and, with its header, at least 16 bytes.
const ROWS_PER_BYTE_MAX: u64 = 1 << 27;
/// How far a chunk's last page may reach beyond the chunk: Impala and old parquet-mr left the
/// dictionary page's header out of the chunk's length.
const CHUNK_SLACK_BYTES: u64 = 100;
/// The magic bytes at the start.
const HEAD_BYTES: u64 = 4;
/// What helps where a writer put into the footer what the format does not have.
const REWRITE: &str =
    "if another program reads it, let that write it again, as with pyarrow's write_table";
/// How much is read at first to get at the footer.
const FOOTER_GUESS_BYTES: u64 = 64 << 10;

/// An open file with its footer.
#[derive(Debug)]
pub(super) struct SourceFile {
    /// Path, as it was given.
    pub(super) path: String,
    file: File,
    /// Where the footer starts: pages end before.
    data_end: u64,
    /// The footer.
    pub(super) metadata: ParquetMetaData,
    /// Top-level columns.
    pub(super) columns: Vec<FileColumn>,
    /// Positions of columns whose times were seconds, which Parquet stores as milliseconds.
    seconds: Vec<usize>,
}

impl SourceFile {
    /// Opens the file and parses its footer.
    pub(super) fn open(path: &str, binary_as_string: bool) -> Result<SourceFile> {
        let io = |error| Error::from_io("open", path, &error);
        // A pipe would block and a device has no length.
        let about = fs::metadata(path).map_err(io)?;
        if !about.is_file() {
            return Err(Error::io(format!("{path} is not a regular file")));
        }
        let file = File::open(path).map_err(io)?;
        let file_bytes = file.metadata().map_err(io)?.len();
        let (footer, data_end) = read_footer(&file, path, file_bytes)?;
        check(&footer).map_err(|error| error.context(path))?;
        let metadata = guarded(|| {
            ParquetMetaDataReader::decode_metadata_with_options(&footer, Some(&footer_options()))
                .map_err(|error| reader_error(&error))
        })
        .map_err(|error| {
            error.context(format_args!("{path}: the footer cannot be read")).with_hint(REWRITE)
        })?;
        let columns =
            guarded(|| Ok(file_columns(metadata.file_metadata().schema_descr(), binary_as_string)))
                .map_err(|error| error.context(path))?;
        check_column_count(path, columns.len())?;
        let seconds = seconds(&metadata);
        let source =
            SourceFile { path: path.to_owned(), file, data_end, metadata, columns, seconds };
        source.check_row_counts()?;
        Ok(source)
    }

    /// The type of a leaf at a position as it was before it was written.
    pub(super) fn written_type(&self, position: usize, leaf: &Leaf) -> DataType {
        if self.seconds.binary_search(&position).is_err() {
            return leaf.data_type;
        }
        match leaf.data_type {
            DataType::Timestamp { unit: TimeUnit::Millisecond, zoned } => {
                DataType::Timestamp { unit: TimeUnit::Second, zoned }
            }
            DataType::Time(TimeUnit::Millisecond) => DataType::Time(TimeUnit::Second),
            other => other,
        }
    }

    /// What the Arrow schema in the footer says about the columns; nothing if there is none.
    pub(super) fn comments(&self) -> FileComments {
        let words = self.metadata.file_metadata().key_value_metadata();
        let has_schema = words.is_some_and(|words| {
            words.iter().any(|word| word.key == parquet::arrow::ARROW_SCHEMA_META_KEY)
        });
        if !has_schema {
            return FileComments::default();
        }
        let schema = guarded(|| {
            let described = self.metadata.file_metadata().schema_descr();
            parquet::arrow::parquet_to_arrow_schema(described, words)
                .map_err(|error| reader_error(&error))
        });
        // A schema that cannot be read has nothing to say.
        schema.map_or_else(|_| FileComments::default(), |schema| FileComments::of_schema(&schema))
    }

    /// Rows of a row group.
    pub(super) fn row_group_row_count(&self, row_group: usize) -> u64 {
        u64::try_from(self.metadata.row_group(row_group).num_rows())
            .expect("check_row_counts refused negative counts when the file was opened")
    }

    /// Where a chunk's pages are: their start and end.
    ///
    /// # Errors
    /// `Corrupt` when that is outside the file; `Unsupported` when it is in another file.
    pub(super) fn chunk_range(&self, chunk: &ColumnChunkMetaData) -> Result<(u64, u64)> {
        if let Some(other) = chunk.file_path() {
            return Err(Error::unsupported(format!(
                "its values are in another file, {other:?}: open that one"
            )));
        }
        let data_page = chunk.data_page_offset();
        // Some writers put 0, or a place behind the data, where there is no dictionary.
        let start = chunk
            .dictionary_page_offset()
            .filter(|offset| *offset >= 4 && *offset < data_page)
            .unwrap_or(data_page);
        let end = start.checked_add(chunk.compressed_size());
        match (u64::try_from(start), end.and_then(|end| u64::try_from(end).ok())) {
            (Ok(start), Some(end))
                if start >= HEAD_BYTES && start <= end && end <= self.data_end =>
            {
                Ok((start, end))
            }
            _ => Err(Error::corrupt(format!(
                "its values are said to be {} bytes from {start}, but the file has {} before its \
                 footer",
                chunk.compressed_size(),
                self.data_end
            ))),
        }
    }

    /// Reads `length` bytes from `position`; the caller has checked them against the file.
    pub(super) fn read(&self, position: u64, length: usize) -> Result<Bytes> {
        let mut bytes = vec![0; length];
        read_exact_at(&self.file, &mut bytes, position)
            .map_err(|error| Error::from_io("read", &self.path, &error))?;
        Ok(Bytes::from(bytes))
    }

    /// The end of the bytes that a chunk's last page may use.
    pub(super) fn last_page_end(&self, chunk_end: u64) -> u64 {
        chunk_end.saturating_add(CHUNK_SLACK_BYTES).min(self.data_end)
    }

    /// The row groups' counts rule; some writers leave the file's at 0. A count that no file of
    /// this length can hold is refused here, because rows are also counted without reading them.
    fn check_row_counts(&self) -> Result<()> {
        for (index, group) in self.metadata.row_groups().iter().enumerate() {
            let stored = group.columns().first().map_or(0, ColumnChunkMetaData::compressed_size);
            let stored_bytes = u64::try_from(stored).unwrap_or(0).min(self.data_end);
            let row_count_max = stored_bytes.saturating_mul(ROWS_PER_BYTE_MAX);
            let row_count = u64::try_from(group.num_rows());
            if !row_count.is_ok_and(|row_count| row_count <= row_count_max) {
                return Err(Error::corrupt(format!(
                    "{}: row group {index} is said to have {} rows in {stored} bytes",
                    self.path,
                    group.num_rows()
                )));
            }
        }
        Ok(())
    }
}

/// The key in the footer of the positions of columns whose times were seconds.
pub const SECONDS_KEY: &str = "martlet.seconds";

fn seconds(metadata: &ParquetMetaData) -> Vec<usize> {
    let words = metadata.file_metadata().key_value_metadata();
    let word = words.and_then(|words| words.iter().find(|word| word.key == SECONDS_KEY));
    let listed = word.and_then(|word| word.value.as_ref());
    let mut positions: Vec<usize> = listed
        .map(|listed| listed.split(',').filter_map(|position| position.parse().ok()).collect())
        .unwrap_or_default();
    positions.sort_unstable();
    positions
}

/// What of the footer is parsed: all that is used, which also spares wide files memory.
fn footer_options() -> ParquetMetaDataOptions {
    ParquetMetaDataOptions::new()
        .with_encoding_stats_policy(ParquetStatisticsPolicy::SkipAll)
        .with_size_stats_policy(ParquetStatisticsPolicy::SkipAll)
}

/// An error of the Parquet crate as ours, without its prefixes.
pub(super) fn reader_error(error: &ParquetError) -> Error {
    match error {
        ParquetError::NYI(message) => Error::unsupported(message.clone()),
        ParquetError::General(message)
        | ParquetError::EOF(message)
        | ParquetError::ArrowError(message) => Error::corrupt(message.clone()),
        other => Error::corrupt(other.to_string()),
    }
}

fn read_footer(file: &File, path: &str, file_bytes: u64) -> Result<(Bytes, u64)> {
    let not_parquet = |why: &str| Error::corrupt(format!("{path} is not a Parquet file: {why}"));
    if file_bytes < HEAD_BYTES + TAIL_BYTES {
        return Err(not_parquet(&format!("it has only {file_bytes} bytes")));
    }
    let read = |position: u64, length: u64| -> Result<Bytes> {
        let length = usize::try_from(length).map_err(|_| not_parquet("its footer is too long"))?;
        let mut bytes = vec![0; length];
        read_exact_at(file, &mut bytes, position)
            .map_err(|error| Error::from_io("read", path, &error))?;
        Ok(Bytes::from(bytes))
    };
    let guess = file_bytes.min(FOOTER_GUESS_BYTES);
    let end = read(file_bytes - guess, guess)?;
    let tail: [u8; 8] = *end.last_chunk().expect("the file has at least 12 bytes");
    let [length @ .., _, _, _, _] = tail;
    match &tail[4..] {
        b"PAR1" => {}
        b"PARE" => return Err(Error::unsupported(format!("{path}: its footer is encrypted"))),
        _ if &*read(0, HEAD_BYTES)? == b"PAR1" => {
            return Err(not_parquet("it does not end with PAR1 (cut off while written?)"));
        }
        _ => {
            let error = not_parquet("it neither begins nor ends with PAR1");
            return Err(error.with_hint("only Parquet files can be read"));
        }
    }
    let length = u64::from(u32::from_le_bytes(length));
    let data_end = file_bytes
        .checked_sub(TAIL_BYTES + length)
        .filter(|start| *start >= HEAD_BYTES)
        .ok_or_else(|| {
            not_parquet(&format!("its footer of {length} bytes is longer than the file"))
        })?;
    let footer = if length + TAIL_BYTES <= guess {
        // The bytes at hand are the file's last ones.
        let end = end.slice(..end.len() - tail.len());
        end.slice(end.len() - usize::try_from(length).unwrap_or(end.len())..)
    } else {
        read(data_end, length)?
    };
    Ok((footer, data_end))
}

fn check(footer: &[u8]) -> Result<()> {
    let found = check_footer(footer).map_err(|error| {
        Error::corrupt(match error {
            ThriftError::Truncated => "the footer is cut off".to_owned(),
            ThriftError::Malformed(what) => format!("the footer has {what}"),
        })
    })?;
    if found.encrypted {
        return Err(Error::unsupported("the file is encrypted"));
    }
    Ok(())
}

#[cfg(unix)]
fn read_exact_at(file: &File, bytes: &mut [u8], position: u64) -> std::io::Result<()> {
    use std::os::unix::fs::FileExt;
    file.read_exact_at(bytes, position)
}

#[cfg(windows)]
fn read_exact_at(file: &File, mut bytes: &mut [u8], mut position: u64) -> std::io::Result<()> {
    use std::os::windows::fs::FileExt;
    while !bytes.is_empty() {
        let count = file.seek_read(bytes, position)?;
        if count == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
        bytes = &mut bytes[count..];
        position += u64::try_from(count).unwrap_or(u64::MAX);
    }
    Ok(())
}
