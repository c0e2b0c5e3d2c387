//! Pages in memory through the Parquet crate's decoders into Arrow arrays of physical values.
//!
//! The crate sees a file of one unannotated column whose pages are all there, checked; it opens
//! nothing and decompresses nothing.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::iter;
use std::sync::Arc;

use arrow::array::ArrayRef;
use arrow::datatypes::{DataType as ArrowType, Field, Fields, TimeUnit as ArrowUnit};
use parquet::arrow::arrow_reader::{ParquetRecordBatchReader, RowGroups};
use parquet::arrow::{ProjectionMask, parquet_to_arrow_field_levels};
use parquet::basic::{Repetition, Type};
use parquet::column::page::{Page, PageIterator, PageMetadata, PageReader};
use parquet::errors::Result as ParquetResult;
use parquet::file::metadata::{FileMetaData, ParquetMetaData, RowGroupMetaData};
use parquet::schema::types::{SchemaDescriptor, Type as SchemaType};

use super::file::reader_error;
use super::pages::{DataPage, DictionaryPage};
use super::schema::Leaf;
use crate::types::{DataType, Error, Result, TimeUnit};

/// Some pages of a chunk, being decoded.
pub(super) struct Run {
    reader: ParquetRecordBatchReader,
    rows_left: usize,
}

impl Run {
    /// Decodes `pages` into arrays of `batch_len` rows.
    pub(super) fn start(
        leaf: &Leaf,
        dictionary: Option<&DictionaryPage>,
        pages: Vec<DataPage>,
        batch_len: usize,
    ) -> Result<Run> {
        let rows_left = pages.iter().map(|page| page.row_count).sum();
        let pages = dictionary
            .map(DictionaryPage::to_crate)
            .into_iter()
            .chain(pages.into_iter().map(DataPage::into_crate))
            .collect();
        let reader = reader(leaf, pages, rows_left, batch_len);
        Ok(Run { reader: reader.map_err(|error| reader_error(&error))?, rows_left })
    }

    /// The next array; `None` when all rows of the pages have been given.
    pub(super) fn next(&mut self) -> Result<Option<ArrayRef>> {
        if self.rows_left == 0 {
            return Ok(None);
        }
        let short = || Error::corrupt("a page has fewer values than it says");
        let batch = self.reader.next().ok_or_else(short)?;
        let batch = batch.map_err(|error| Error::corrupt(strip(&error.to_string())))?;
        if batch.num_rows() == 0 || batch.num_rows() > self.rows_left {
            return Err(short());
        }
        self.rows_left -= batch.num_rows();
        Ok(Some(Arc::clone(batch.column(0))))
    }
}

/// The crate prefixes messages with its error types, twice.
fn strip(message: &str) -> String {
    let prefixes =
        ["Parquet argument error: ", "Parquet error: ", "External: ", "EOF: ", "Arrow: "];
    let mut message = message;
    while let Some(rest) = prefixes.iter().find_map(|prefix| message.strip_prefix(prefix)) {
        message = rest;
    }
    message.to_owned()
}

#[expect(clippy::result_large_err, reason = "the crate's error type")]
fn reader(
    leaf: &Leaf,
    pages: VecDeque<Page>,
    row_count: usize,
    batch_len: usize,
) -> ParquetResult<ParquetRecordBatchReader> {
    let repetition = if leaf.nullable { Repetition::OPTIONAL } else { Repetition::REQUIRED };
    let column = SchemaType::primitive_type_builder("value", leaf.physical)
        .with_repetition(repetition)
        .with_length(i32::try_from(leaf.fixed_bytes).unwrap_or(i32::MAX))
        .build()?;
    let root =
        SchemaType::group_type_builder("rows").with_fields(vec![Arc::new(column)]).build()?;
    let schema = Arc::new(SchemaDescriptor::new(Arc::new(root)));
    let hint = int96_hint(leaf);
    let levels = parquet_to_arrow_field_levels(&schema, ProjectionMask::all(), hint.as_ref())?;
    let file = FileMetaData::new(2, 0, None, None, schema, None);
    let metadata = ParquetMetaData::new(file, Vec::new());
    let chunk = PagesInMemory { pages };
    let group = OneChunk { chunk: RefCell::new(Some(chunk)), row_count, metadata };
    ParquetRecordBatchReader::try_new_with_row_groups(&levels, &group, batch_len, None)
}

/// INT96 becomes nanoseconds unless asked otherwise.
fn int96_hint(leaf: &Leaf) -> Option<Fields> {
    let microseconds = DataType::Timestamp { unit: TimeUnit::Microsecond, zoned: false };
    (leaf.physical == Type::INT96 && leaf.data_type == microseconds).then(|| {
        let hinted = ArrowType::Timestamp(ArrowUnit::Microsecond, None);
        Fields::from(vec![Field::new("value", hinted, leaf.nullable)])
    })
}

/// The crate's view of the run: a row group of one column.
struct OneChunk {
    chunk: RefCell<Option<PagesInMemory>>,
    row_count: usize,
    metadata: ParquetMetaData,
}

impl RowGroups for OneChunk {
    fn num_rows(&self) -> usize {
        self.row_count
    }

    fn column_chunks(&self, _column: usize) -> ParquetResult<Box<dyn PageIterator>> {
        Ok(Box::new(OnceChunk(self.chunk.take())))
    }

    fn row_groups(&self) -> Box<dyn Iterator<Item = &RowGroupMetaData> + '_> {
        Box::new(iter::empty())
    }

    fn metadata(&self) -> &ParquetMetaData {
        &self.metadata
    }
}

/// The one chunk, given once.
struct OnceChunk(Option<PagesInMemory>);

impl Iterator for OnceChunk {
    type Item = ParquetResult<Box<dyn PageReader>>;

    fn next(&mut self) -> Option<Self::Item> {
        let pages = self.0.take()?;
        Some(Ok(Box::new(pages)))
    }
}

impl PageIterator for OnceChunk {}

struct PagesInMemory {
    pages: VecDeque<Page>,
}

impl Iterator for PagesInMemory {
    type Item = ParquetResult<Page>;

    fn next(&mut self) -> Option<Self::Item> {
        self.pages.pop_front().map(Ok)
    }
}

impl PageReader for PagesInMemory {
    fn get_next_page(&mut self) -> ParquetResult<Option<Page>> {
        Ok(self.pages.pop_front())
    }

    fn peek_next_page(&mut self) -> ParquetResult<Option<PageMetadata>> {
        Ok(self.pages.front().map(|page| {
            let row_count = page.is_data_page().then(|| usize::try_from(page.num_values()));
            let row_count = row_count.and_then(Result::ok);
            PageMetadata {
                num_rows: row_count,
                num_levels: row_count,
                is_dict: page.is_dictionary_page(),
            }
        }))
    }

    fn skip_next_page(&mut self) -> ParquetResult<()> {
        self.pages.pop_front();
        Ok(())
    }
}
