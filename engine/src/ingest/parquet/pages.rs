//! The pages of one column chunk, one after the other: read, checked, decompressed.
//!
//! Everything that a page header claims is checked before memory is taken for it, and the rows of
//! all pages must be those of the row group. Must not know how values are decoded.

use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use parquet::basic::{Compression, Encoding};
use parquet::column::page::Page;

use super::compression::decompress;
use super::file::SourceFile;
use super::schema::Leaf;
use super::thrift::{PageHeader, PageKind, ThriftError};
use super::values::{ValueSizes, data_sizes, dictionary_sizes};
use crate::types::{Error, Result};

/// The longest page header: it may carry statistics with long values.
const HEADER_BYTES_MAX: usize = 16 << 20;
/// How many bytes a page header is looked for in at first.
const HEADER_BYTES_GUESS: usize = 256;

/// How much memory the reading of one column may take.
#[derive(Clone, Copy, Debug)]
pub(super) struct Budget {
    /// Compressed bytes read at once, where a page is not longer.
    pub(super) window_bytes: usize,
    /// Decompressed bytes of pages decoded in one go, where a page is not longer.
    pub(super) run_bytes: usize,
    /// Bytes of one array, where a value is not longer.
    pub(super) batch_bytes: usize,
    /// The longest decompressed page.
    pub(super) page_bytes_max: usize,
}

/// The distinct values of a chunk, plainly encoded.
#[derive(Clone, Debug)]
pub(super) struct DictionaryPage {
    /// Values.
    pub(super) bytes: Bytes,
    /// How many.
    pub(super) value_count: usize,
    /// Their decoded sizes.
    pub(super) sizes: ValueSizes,
}

impl DictionaryPage {
    /// As the Parquet crate has it.
    pub(super) fn to_crate(&self) -> Page {
        Page::DictionaryPage {
            buf: self.bytes.clone(),
            num_values: narrow(self.value_count),
            encoding: Encoding::PLAIN,
            is_sorted: false,
        }
    }
}

/// A decompressed page of at least one row.
#[derive(Clone, Debug)]
pub(super) struct DataPage {
    /// Definition levels, where there are any, and values.
    bytes: Bytes,
    /// Rows, NULLs included.
    pub(super) row_count: usize,
    /// Encoding of the values.
    pub(super) encoding: Encoding,
    /// How the levels are encoded, and where.
    level_encoding: Encoding,
    levels: Range<usize>,
    values_start: usize,
    /// NULLs; `None` in a page of the first version.
    null_count: Option<usize>,
    /// Decoded sizes of the values.
    pub(super) sizes: ValueSizes,
}

impl DataPage {
    /// Whether the values are indices into the chunk's dictionary.
    pub(super) fn is_dictionary_encoded(&self) -> bool {
        matches!(self.encoding, Encoding::RLE_DICTIONARY | Encoding::PLAIN_DICTIONARY)
    }

    /// The values, without levels.
    pub(super) fn values(&self) -> Bytes {
        self.bytes.slice(self.values_start..)
    }

    /// The definition levels, without their length, and whether they are hybrid-encoded (else
    /// bit-packed, in the old way).
    pub(super) fn levels(&self) -> (Bytes, bool) {
        (self.bytes.slice(self.levels.clone()), self.level_encoding == Encoding::RLE)
    }

    /// Decompressed bytes, decoded values included.
    pub(super) fn weight_bytes(&self) -> usize {
        self.bytes.len().max(self.sizes.total)
    }

    /// As the Parquet crate has it.
    pub(super) fn into_crate(self) -> Page {
        match self.null_count {
            None => Page::DataPage {
                buf: self.bytes,
                num_values: narrow(self.row_count),
                encoding: self.encoding,
                def_level_encoding: self.level_encoding,
                rep_level_encoding: Encoding::RLE,
                statistics: None,
            },
            Some(null_count) => Page::DataPageV2 {
                def_levels_byte_len: narrow(self.levels.len()),
                buf: self.bytes,
                num_values: narrow(self.row_count),
                encoding: self.encoding,
                num_nulls: narrow(null_count),
                num_rows: narrow(self.row_count),
                rep_levels_byte_len: narrow(self.levels.start),
                is_compressed: false,
                statistics: None,
            },
        }
    }
}

fn narrow(count: usize) -> u32 {
    u32::try_from(count).expect("page headers have 31-bit counts")
}

/// Reads the pages of a chunk in order.
#[derive(Debug)]
pub(super) struct PageStream {
    file: Arc<SourceFile>,
    leaf: Leaf,
    codec: Compression,
    budget: Budget,
    /// The next header.
    position: u64,
    end: u64,
    /// Bytes read ahead, and where they start.
    window: (u64, Bytes),
    rows_left: u64,
    dictionary: Option<DictionaryPage>,
    started: bool,
}

impl PageStream {
    /// The pages of `leaf` in a row group.
    ///
    /// # Errors
    /// When the chunk is not within the file or its rows are not the row group's.
    pub(super) fn open(
        file: &Arc<SourceFile>,
        leaf: Leaf,
        row_group: usize,
        budget: Budget,
    ) -> Result<PageStream> {
        let group = file.metadata.row_group(row_group);
        let chunk = group.columns().get(leaf.index).ok_or_else(|| {
            Error::corrupt(format!("the row group has only {} columns", group.num_columns()))
        })?;
        if chunk.num_values() != group.num_rows() {
            return Err(Error::corrupt(format!(
                "it has {} values, but the row group has {} rows",
                chunk.num_values(),
                group.num_rows()
            )));
        }
        let rows_left = file.row_group_row_count(row_group);
        let (position, end) = if rows_left == 0 { (0, 0) } else { file.chunk_range(chunk)? };
        Ok(PageStream {
            file: Arc::clone(file),
            leaf,
            codec: chunk.compression(),
            budget,
            position,
            end,
            window: (position, Bytes::new()),
            rows_left,
            dictionary: None,
            started: false,
        })
    }

    /// The chunk's dictionary, if one has been passed.
    pub(super) fn dictionary(&self) -> Option<&DictionaryPage> {
        self.dictionary.as_ref()
    }

    /// The next data page that has rows; `None` when all rows of the row group have been given.
    pub(super) fn next_page(&mut self) -> Result<Option<DataPage>> {
        while self.rows_left > 0 {
            let header = self.next_header()?;
            let body_start = self.position + to_u64(header.header_bytes);
            let body_end = body_start + to_u64(header.compressed_bytes);
            if body_end > self.file.last_page_end(self.end) {
                return Err(self.corrupt("is longer than what is left of its column"));
            }
            if header.uncompressed_bytes > self.budget.page_bytes_max {
                return Err(Error::unsupported(format!(
                    "a page of {} bytes is longer than the limit of {}",
                    header.uncompressed_bytes, self.budget.page_bytes_max
                ))
                .with_hint("raise the limit, or write the file with smaller pages"));
            }
            let body = match header.kind {
                PageKind::Other => Bytes::new(),
                _ => self.bytes(body_start, header.compressed_bytes)?,
            };
            let page = self.page(&header, &body)?;
            self.position = body_end;
            if let Some(page) = page {
                self.rows_left -= to_u64(page.row_count);
                return Ok(Some(page));
            }
        }
        Ok(None)
    }

    /// Takes the page that `body` holds; gives it if it is a data page with rows.
    fn page(&mut self, header: &PageHeader, body: &Bytes) -> Result<Option<DataPage>> {
        if header.kind == PageKind::Other {
            return Ok(None);
        }
        if let Some(crc) = header.crc
            && crc != crc32fast::hash(body)
        {
            return Err(self.corrupt("does not match its checksum"));
        }
        if header.kind == PageKind::Dictionary {
            self.set_dictionary(header, body)?;
            return Ok(None);
        }
        self.started = true;
        if to_u64(header.value_count) > self.rows_left {
            return Err(self.corrupt("has more rows than are left in its row group"));
        }
        if header.value_count == 0 {
            return Ok(None);
        }
        self.data_page(header, body).map(Some)
    }

    fn set_dictionary(&mut self, header: &PageHeader, body: &Bytes) -> Result<()> {
        if self.started || self.dictionary.is_some() {
            return Err(self.corrupt("is a dictionary behind other pages"));
        }
        let plain = matches!(
            header.encoding,
            Encoding::PLAIN | Encoding::PLAIN_DICTIONARY | Encoding::RLE_DICTIONARY
        );
        if !plain {
            return Err(self.corrupt(&format!("is a dictionary encoded as {}", header.encoding)));
        }
        let bytes = self.decompressed(body, header.uncompressed_bytes)?;
        let sizes = dictionary_sizes(&self.leaf, header.value_count, &bytes)
            .map_err(|error| self.corrupt(&format!("is {error}")))?;
        self.dictionary = Some(DictionaryPage { bytes, value_count: header.value_count, sizes });
        Ok(())
    }

    fn data_page(&self, header: &PageHeader, body: &Bytes) -> Result<DataPage> {
        let (bytes, levels, values_start) = match header.kind {
            PageKind::DataV2 => self.second_version(header, body)?,
            _ => self.first_version(header, body)?,
        };
        let mut page = DataPage {
            bytes,
            row_count: header.value_count,
            encoding: header.encoding,
            level_encoding: header.level_encoding,
            levels,
            values_start,
            null_count: None,
            sizes: ValueSizes::default(),
        };
        if header.kind == PageKind::DataV2 {
            if header.null_count > header.value_count {
                return Err(self.corrupt("has more NULLs than rows"));
            }
            page.level_encoding = Encoding::RLE;
            page.null_count = Some(header.null_count);
        }
        if page.is_dictionary_encoded() && self.dictionary.is_none() {
            return Err(self.corrupt("needs a dictionary, and there is none"));
        }
        page.sizes = data_sizes(&self.leaf, page.encoding, page.row_count, &page.values())
            .map_err(Error::corrupt)?;
        if page.sizes.longest > self.budget.page_bytes_max {
            return Err(self.corrupt(&format!("has a value of {} bytes", page.sizes.longest)));
        }
        Ok(page)
    }

    /// Levels and values are compressed together; hybrid levels begin with their length.
    fn first_version(
        &self,
        header: &PageHeader,
        body: &Bytes,
    ) -> Result<(Bytes, Range<usize>, usize)> {
        let bytes = self.decompressed(body, header.uncompressed_bytes)?;
        if !self.leaf.nullable {
            return Ok((bytes, 0..0, 0));
        }
        #[expect(deprecated, reason = "old files have bit-packed levels")]
        let levels = match header.level_encoding {
            Encoding::RLE => bytes.first_chunk::<4>().and_then(|length| {
                let length = usize::try_from(u32::from_le_bytes(*length)).ok()?;
                Some(4..length.checked_add(4)?)
            }),
            Encoding::BIT_PACKED => Some(0..header.value_count.div_ceil(8)),
            other => return Err(self.corrupt(&format!("has levels encoded as {other}"))),
        };
        match levels {
            Some(levels) if levels.end <= bytes.len() => {
                let values_start = levels.end;
                Ok((bytes, levels, values_start))
            }
            _ => Err(self.corrupt("ends within its levels")),
        }
    }

    /// Uncompressed levels come first, of the lengths that the header says.
    fn second_version(
        &self,
        header: &PageHeader,
        body: &Bytes,
    ) -> Result<(Bytes, Range<usize>, usize)> {
        // A column of one value per row has no repetition levels; some writers give it some, and
        // give definition levels to required columns: they say nothing.
        let levels = header.repetition_bytes
            ..header.repetition_bytes.saturating_add(header.definition_bytes);
        let levels_bytes = levels.end;
        if levels_bytes > body.len() || levels_bytes > header.uncompressed_bytes {
            return Err(self.corrupt("ends within its levels"));
        }
        let values_bytes = header.uncompressed_bytes - levels_bytes;
        let bytes = if !header.compressed || self.codec == Compression::UNCOMPRESSED {
            body.clone()
        } else if body.len() == levels_bytes {
            // Some writers compress nothing to nothing.
            body.clone()
        } else {
            let values = self.decompressed(&body.slice(levels_bytes..), values_bytes)?;
            let mut bytes = Vec::with_capacity(header.uncompressed_bytes);
            bytes.extend_from_slice(&body[..levels_bytes]);
            bytes.extend_from_slice(&values);
            Bytes::from(bytes)
        };
        Ok((bytes, levels, levels_bytes))
    }

    fn decompressed(&self, body: &Bytes, target_bytes: usize) -> Result<Bytes> {
        if self.codec == Compression::UNCOMPRESSED {
            return Ok(body.clone());
        }
        if self.codec == Compression::LZO {
            return Err(Error::unsupported("LZO compression is not supported"));
        }
        decompress(self.codec, body, target_bytes).map(Bytes::from).map_err(Error::corrupt)
    }

    fn next_header(&mut self) -> Result<PageHeader> {
        let left = usize::try_from(self.end.saturating_sub(self.position)).unwrap_or(usize::MAX);
        if left == 0 {
            return Err(Error::corrupt(format!("its pages end {} rows too early", self.rows_left)));
        }
        let mut guess = HEADER_BYTES_GUESS;
        loop {
            let bytes = self.bytes(self.position, guess.min(left))?;
            match PageHeader::parse(&bytes) {
                Ok(header) => return Ok(header),
                Err(ThriftError::Truncated) if guess < left && guess < HEADER_BYTES_MAX => {
                    guess *= 8;
                }
                Err(ThriftError::Truncated) => return Err(self.corrupt("has no whole header")),
                Err(ThriftError::Malformed(what)) => {
                    return Err(self.corrupt(&format!("has {what}")));
                }
            }
        }
    }

    /// `length` bytes from `position`, all of which the file has.
    fn bytes(&mut self, position: u64, length: usize) -> Result<Bytes> {
        let (window_start, window) = &self.window;
        let offset = position.checked_sub(*window_start).and_then(|gap| usize::try_from(gap).ok());
        if let Some(offset) = offset
            && let Some(end) = offset.checked_add(length)
            && end <= window.len()
        {
            return Ok(window.slice(offset..end));
        }
        let left = usize::try_from(self.end.saturating_sub(position)).unwrap_or(usize::MAX);
        let ahead = self.budget.window_bytes.min(left);
        let window = self.file.read(position, length.max(ahead))?;
        self.window = (position, window.clone());
        Ok(window.slice(..length))
    }

    fn corrupt(&self, what: &str) -> Error {
        Error::corrupt(format!("the page at byte {} {what}", self.position))
    }
}

fn to_u64(count: usize) -> u64 {
    u64::try_from(count).expect("usize has at most 64 bits")
}
