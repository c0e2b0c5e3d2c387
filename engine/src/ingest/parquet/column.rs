//! One column of the table, row group by row group, as arrays of our type.

use std::collections::VecDeque;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, new_null_array};
use parquet::basic::Type;

use super::convert::{BadValue, cast, convert};
use super::decode::Run;
use super::keys::{KeyBatch, KeyPage, dictionary_values};
use super::pages::{Budget, DataPage, PageStream};
use super::schema::Leaf;
use super::table::Table;
use crate::ingest::guard::guarded;
use crate::types::{DataType, Error, Result};

/// The arrays of one column, over the row groups asked for.
pub(super) struct ColumnReader {
    table: Arc<Table>,
    column: usize,
    row_groups: VecDeque<usize>,
    current: Option<Part>,
    settings: Settings,
}

/// How a column is to be read.
#[derive(Clone, Copy, Debug)]
pub(super) struct Settings {
    /// The longest array, in rows.
    pub(super) batch_len: usize,
    /// Whether dictionary-encoded text may come as dictionary arrays.
    pub(super) dictionaries: bool,
    /// Memory.
    pub(super) budget: Budget,
}

/// A column in one row group.
enum Part {
    /// The file does not have the column: that many NULLs are left.
    Missing(u64),
    Chunk(Box<ChunkReader>),
}

impl ColumnReader {
    /// Reads `column`, which is supported, of `row_groups`.
    pub(super) fn new(
        table: &Arc<Table>,
        column: usize,
        row_groups: impl IntoIterator<Item = usize>,
        settings: Settings,
    ) -> ColumnReader {
        ColumnReader {
            table: Arc::clone(table),
            column,
            row_groups: row_groups.into_iter().collect(),
            current: None,
            settings,
        }
    }

    fn step(&mut self) -> Result<Option<ArrayRef>> {
        let data_type = self.data_type();
        loop {
            let Some(row_group) = self.row_groups.front().copied() else { return Ok(None) };
            let part = match self.current.take() {
                Some(part) => part,
                None => self.open(row_group)?,
            };
            let part = self.current.insert(part);
            if let Some(array) = part.next(self.settings.batch_len, data_type)? {
                return Ok(Some(array));
            }
            self.current = None;
            self.row_groups.pop_front();
        }
    }

    fn data_type(&self) -> DataType {
        self.table.fields[self.column].data_type
    }

    fn open(&self, row_group: usize) -> Result<Part> {
        let place = &self.table.row_groups[row_group];
        let file = &self.table.files[place.file];
        let Some(leaf) = self.table.leaf(place.file, self.column)? else {
            return Ok(Part::Missing(place.row_count));
        };
        let stream = PageStream::open(file, *leaf, place.index, self.settings.budget)?;
        Ok(Part::Chunk(Box::new(ChunkReader::new(*leaf, stream, self.settings))))
    }

    /// Where the reader is, for errors.
    fn place(&self) -> String {
        let row_group = self.row_groups.front().copied().unwrap_or(0);
        let place = &self.table.row_groups[row_group];
        format!(
            "{}: column {:?}, row group {}",
            self.table.files[place.file].path, self.table.fields[self.column].name, place.index
        )
    }
}

impl Iterator for ColumnReader {
    type Item = Result<ArrayRef>;

    fn next(&mut self) -> Option<Self::Item> {
        let outcome = guarded(|| self.step());
        outcome
            .map_err(|error| {
                let error = error.context(self.place());
                // What a panic left behind must not be used.
                self.current = None;
                self.row_groups.clear();
                error
            })
            .transpose()
    }
}

impl Part {
    fn next(&mut self, batch_len: usize, data_type: DataType) -> Result<Option<ArrayRef>> {
        match self {
            Part::Missing(0) => Ok(None),
            Part::Missing(rows_left) => {
                let row_count = usize::try_from(*rows_left).unwrap_or(usize::MAX).min(batch_len);
                *rows_left -= u64::try_from(row_count).unwrap_or(*rows_left);
                Ok(Some(new_null_array(&data_type.to_arrow(), row_count)))
            }
            Part::Chunk(chunk) => chunk.next(data_type),
        }
    }
}

/// Decodes a column chunk.
struct ChunkReader {
    leaf: Leaf,
    stream: PageStream,
    settings: Settings,
    /// A page that was read too early.
    pending: Option<DataPage>,
    run: Option<Run>,
    keys: Option<KeyPage>,
    /// The dictionary's values, once needed.
    values: Option<ArrayRef>,
    /// Rows given.
    row_count: usize,
}

impl ChunkReader {
    fn new(leaf: Leaf, stream: PageStream, settings: Settings) -> ChunkReader {
        ChunkReader {
            leaf,
            stream,
            settings,
            pending: None,
            run: None,
            keys: None,
            values: None,
            row_count: 0,
        }
    }

    fn next(&mut self, data_type: DataType) -> Result<Option<ArrayRef>> {
        let Some(array) = self.decode()? else { return Ok(None) };
        let start = self.row_count;
        self.row_count += array.len();
        let bad = |bad: BadValue| {
            Error::corrupt(format!("the value in row {} {}", start + bad.row, bad.what))
        };
        if matches!(array.data_type(), arrow::datatypes::DataType::Dictionary(..)) {
            return Ok(Some(array));
        }
        let array = match self.leaf.data_type {
            // Keys that were materialised are text already.
            DataType::Utf8 if array.data_type() == &DataType::Utf8.to_arrow() => array,
            own => convert(array, self.leaf.physical, own).map_err(bad)?,
        };
        cast(&array, data_type).map(Some).map_err(bad)
    }

    fn decode(&mut self) -> Result<Option<ArrayRef>> {
        loop {
            if let Some(run) = &mut self.run {
                if let Some(array) = run.next()? {
                    return Ok(Some(array));
                }
                self.run = None;
            }
            if self.keys.as_ref().is_some_and(|page| page.rows_left() > 0) {
                return self.key_array().map(Some);
            }
            let Some(page) = self.next_page()? else { return Ok(None) };
            if self.has_keys(&page) {
                self.keys = Some(KeyPage::open(&page, &self.leaf)?);
            } else {
                self.run = Some(self.start_run(page)?);
            }
        }
    }

    /// Whether the page is read here, as keys.
    fn has_keys(&self, page: &DataPage) -> bool {
        self.leaf.physical == Type::BYTE_ARRAY
            && matches!(self.leaf.data_type, DataType::Utf8 | DataType::Binary)
            && page.is_dictionary_encoded()
    }

    fn next_page(&mut self) -> Result<Option<DataPage>> {
        match self.pending.take() {
            Some(page) => Ok(Some(page)),
            None => self.stream.next_page(),
        }
    }

    fn key_array(&mut self) -> Result<ArrayRef> {
        let page = self.stream.dictionary().expect("PageStream refuses keys without a dictionary");
        let values = match &self.values {
            Some(values) => Arc::clone(values),
            None => dictionary_values(page, self.leaf.data_type)?,
        };
        let limit = if self.settings.dictionaries {
            self.settings.batch_len
        } else {
            self.limit(page.sizes.longest)
        };
        self.values = Some(Arc::clone(&values));
        let at_hand = self.keys.as_ref().map_or(0, KeyPage::rows_left);
        let mut batch = KeyBatch::new(limit.min(at_hand).min(1 << 16));
        while batch.len() < limit {
            match &mut self.keys {
                Some(keys) if keys.rows_left() > 0 => {
                    keys.read(limit - batch.len(), &mut batch)?;
                    continue;
                }
                _ => {}
            }
            match self.next_page()? {
                Some(page) if self.has_keys(&page) => {
                    self.keys = Some(KeyPage::open(&page, &self.leaf)?);
                }
                other => {
                    self.pending = other;
                    break;
                }
            }
        }
        batch.finish(&values, self.settings.dictionaries)
    }

    /// Gathers pages from `first` on for the Parquet crate to decode in one go.
    fn start_run(&mut self, first: DataPage) -> Result<Run> {
        let (mut weight_bytes, mut longest) = (0, 0);
        let mut keyed = false;
        let mut pages = Vec::new();
        let mut next = Some(first);
        while let Some(page) = next.take() {
            weight_bytes += page.weight_bytes();
            longest = longest.max(page.sizes.longest);
            keyed |= page.is_dictionary_encoded();
            pages.push(page);
            if weight_bytes >= self.settings.budget.run_bytes {
                break;
            }
            match self.next_page()? {
                Some(page) if !self.has_keys(&page) => next = Some(page),
                other => self.pending = other,
            }
        }
        let dictionary = self.stream.dictionary().filter(|_| keyed);
        let value_bytes = match self.leaf.physical {
            Type::FIXED_LEN_BYTE_ARRAY => self.leaf.fixed_bytes,
            // Each value is in the run once, unless it is in the dictionary.
            Type::BYTE_ARRAY if weight_bytes <= self.settings.budget.batch_bytes => {
                dictionary.map_or(0, |page| page.sizes.longest)
            }
            Type::BYTE_ARRAY => dictionary.map_or(longest, |page| page.sizes.longest.max(longest)),
            _ => 16,
        };
        let row_count = pages.iter().map(|page| page.row_count).sum();
        let batch_len = self.limit(value_bytes).min(row_count);
        Run::start(&self.leaf, dictionary, pages, batch_len)
    }

    /// How many rows of values that long may be in an array.
    fn limit(&self, value_bytes: usize) -> usize {
        let rows = self.settings.budget.batch_bytes / value_bytes.max(1);
        self.settings.batch_len.min(rows).max(1)
    }
}
