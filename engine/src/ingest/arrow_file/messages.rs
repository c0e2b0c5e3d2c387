//! Where the messages of an Arrow IPC file or stream are.
//!
//! A file's footer, and a stream's messages one after the other, say where dictionaries and batches
//! lie; each claim is checked against the length of the file before memory is taken for it, and what a
//! compressed buffer says to become before it is decompressed. Must not know tables.

use std::fs::File;

use arrow::buffer::Buffer;
use arrow::datatypes::SchemaRef;
use arrow_ipc::reader::FileDecoder;
use arrow_ipc::{Block, Message, MessageHeader, MetadataVersion};

use crate::ingest::guard::guarded;
use crate::ingest::positional::read_some_at;
use crate::types::{Error, Result};

/// Bytes that the buffers of a batch may come to, decompressed.
const BATCH_BYTES_MAX: u64 = 768 << 20;
/// Bytes of a schema or of a message's description.
const HEADER_BYTES_MAX: usize = 64 << 20;
const MAGIC: &[u8; 6] = b"ARROW1";
/// What files of other formats begin with.
const MAGIC_FEATHER_1: &[u8; 4] = b"FEA1";
const MAGIC_PARQUET: &[u8; 4] = b"PAR1";
const WRITE_AGAIN: &str = "read it with pyarrow and write it again with a current one";
const CONTINUATION: [u8; 4] = [0xff; 4];

/// A file's messages.
#[derive(Debug)]
pub(super) struct Messages {
    path: String,
    file: File,
    len: u64,
    pub(super) schema: SchemaRef,
    is_stream: bool,
    dictionaries: Vec<Place>,
    batches: Vec<Place>,
}

/// Where a message is.
#[derive(Clone, Copy, Debug)]
struct Place {
    offset: u64,
    header_len: usize,
    body_len: usize,
}

impl Messages {
    /// Finds the messages of a file or stream.
    ///
    /// # Errors
    /// `Io`, `Corrupt`.
    pub(super) fn open(path: &str) -> Result<Messages> {
        let file = File::open(path).map_err(|error| Error::from_io("open", path, &error))?;
        let metadata = file.metadata().map_err(|error| Error::from_io("read", path, &error))?;
        let len = metadata.len();
        let mut messages = Messages {
            path: path.to_owned(),
            file,
            len,
            schema: SchemaRef::new(arrow::datatypes::Schema::empty()),
            is_stream: false,
            dictionaries: Vec::new(),
            batches: Vec::new(),
        };
        let head = messages.read(0, 8.min(length(len)))?;
        refuse_others(&head).map_err(|error| error.context(path))?;
        messages.is_stream = !head.starts_with(MAGIC);
        let found = guarded(|| {
            if messages.is_stream { messages.read_stream() } else { messages.read_footer() }
        });
        found.map_err(|error| error.context(path))?;
        Ok(messages)
    }

    pub(super) fn batch_count(&self) -> usize {
        self.batches.len()
    }

    /// Bytes of the message of the batch at `index`.
    pub(super) fn batch_bytes(&self, index: usize) -> usize {
        self.batches[index].header_len.saturating_add(self.batches[index].body_len)
    }

    /// The batch at `index`, of all its columns or those of `projection`.
    ///
    /// # Errors
    /// `Io`, `Corrupt`.
    pub(super) fn batch(
        &self,
        index: usize,
        projection: &[usize],
    ) -> Result<Option<arrow::array::RecordBatch>> {
        let place = self.batches[index];
        let read = || {
            let schema = SchemaRef::clone(&self.schema);
            let (block, bytes, version) = self.message(place)?;
            let mut decoder =
                FileDecoder::new(schema, version).with_projection(projection.to_vec());
            let needs_dictionary =
                |column: &usize| has_dictionary(self.schema.field(*column).data_type());
            if projection.iter().any(needs_dictionary) {
                for dictionary in &self.dictionaries {
                    // In a stream a later dictionary is for later batches.
                    if dictionary.offset < place.offset || !self.is_stream {
                        let (block, bytes, _) = self.message(*dictionary)?;
                        decoder.read_dictionary(&block, &bytes).map_err(damaged)?;
                    }
                }
            }
            decoder.read_record_batch(&block, &bytes).map_err(damaged)
        };
        guarded(read).map_err(|error| error.context(&self.path))
    }

    /// A message and the version of its format, which old files tell otherwise in their footer.
    fn message(&self, place: Place) -> Result<(Block, Buffer, MetadataVersion)> {
        let bytes = self.read(place.offset, place.header_len + place.body_len)?;
        let version = check_buffers(&bytes, place.header_len)?;
        let block = Block::new(
            i64::try_from(place.offset).unwrap_or(0),
            i32::try_from(place.header_len).map_err(|_| beyond())?,
            i64::try_from(place.body_len).map_err(|_| beyond())?,
        );
        Ok((block, Buffer::from_vec(bytes), version))
    }

    fn read_footer(&mut self) -> Result<()> {
        let tail_offset = self.len.checked_sub(10).ok_or_else(beyond)?;
        let tail = self.read(tail_offset, 10)?;
        if &tail[4..] != MAGIC {
            return Err(Error::corrupt("the file has no footer: it was cut off"));
        }
        let footer_len = u64::from(u32::from_le_bytes([tail[0], tail[1], tail[2], tail[3]]));
        let offset = tail_offset.checked_sub(footer_len).ok_or_else(beyond)?;
        let bytes = self.read(offset, bounded(footer_len)?)?;
        let footer = arrow_ipc::root_as_footer(&bytes)
            .map_err(|error| Error::corrupt(format!("the footer is damaged: {error}")))?;
        let schema = footer.schema().ok_or_else(|| Error::corrupt("the footer has no schema"))?;
        self.schema = SchemaRef::new(arrow_ipc::convert::fb_to_schema(schema));
        let place = |block: &Block| {
            Ok(Place {
                offset: u64::try_from(block.offset()).map_err(|_| beyond())?,
                header_len: usize::try_from(block.metaDataLength()).map_err(|_| beyond())?,
                body_len: usize::try_from(block.bodyLength()).map_err(|_| beyond())?,
            })
        };
        let places = |blocks: Vec<Block>| blocks.iter().map(place).collect::<Result<Vec<Place>>>();
        let listed =
            footer.dictionaries().map_or_else(Vec::new, |blocks| blocks.iter().copied().collect());
        self.dictionaries = places(listed)?;
        let listed =
            footer.recordBatches().map_or_else(Vec::new, |blocks| blocks.iter().copied().collect());
        self.batches = places(listed)?;
        let all = self.dictionaries.iter().chain(&self.batches);
        all.copied().try_for_each(|place| self.check(place))
    }

    fn read_stream(&mut self) -> Result<()> {
        let mut offset = 0;
        let mut has_schema = false;
        while offset < self.len {
            let head = self.read(offset, 8.min(length(self.len - offset)))?;
            let (prefix_len, len_bytes) = if head.len() == 8 && head[..4] == CONTINUATION {
                (8, &head[4..8])
            } else if head.len() >= 4 {
                (4, &head[..4])
            } else {
                return Err(Error::corrupt("it is neither an Arrow file nor an Arrow stream"));
            };
            let header_len =
                u32::from_le_bytes([len_bytes[0], len_bytes[1], len_bytes[2], len_bytes[3]]);
            if header_len == 0 {
                break;
            }
            let header = self.read(offset + prefix_len, bounded(u64::from(header_len))?)?;
            let message = arrow_ipc::root_as_message(&header).map_err(|_| {
                Error::corrupt("it is neither an Arrow file nor an Arrow stream, or is damaged")
            })?;
            let place = Place {
                offset,
                header_len: length(prefix_len + u64::from(header_len)),
                body_len: usize::try_from(message.bodyLength()).map_err(|_| beyond())?,
            };
            self.check(place)?;
            match message.header_type() {
                MessageHeader::Schema if !has_schema => {
                    let schema = message.header_as_schema().ok_or_else(beyond)?;
                    self.schema = SchemaRef::new(arrow_ipc::convert::fb_to_schema(schema));
                    has_schema = true;
                }
                MessageHeader::DictionaryBatch => self.dictionaries.push(place),
                MessageHeader::RecordBatch => self.batches.push(place),
                other => return Err(Error::corrupt(format!("a message of kind {other:?}"))),
            }
            offset += wide(place.header_len) + wide(place.body_len);
        }
        if has_schema { Ok(()) } else { Err(Error::corrupt("the stream has no schema")) }
    }

    /// That a message is inside the file.
    fn check(&self, place: Place) -> Result<()> {
        let len = wide(place.header_len).saturating_add(wide(place.body_len));
        let end = place.offset.checked_add(len).ok_or_else(beyond)?;
        if end > self.len {
            return Err(beyond());
        }
        if len > BATCH_BYTES_MAX { Err(too_long(len)) } else { Ok(()) }
    }

    fn read(&self, offset: u64, len: usize) -> Result<Vec<u8>> {
        if offset.saturating_add(wide(len)) > self.len {
            return Err(beyond());
        }
        let mut bytes = vec![0; len];
        let read = read_some_at(&self.file, &mut bytes, offset)
            .map_err(|error| Error::from_io("read", &self.path, &error))?;
        if read < len { Err(beyond()) } else { Ok(bytes) }
    }
}

/// Names formats that are taken for Arrow's.
fn refuse_others(head: &[u8]) -> Result<()> {
    if head.starts_with(MAGIC_FEATHER_1) {
        return Err(Error::unsupported("it is a file of Feather V1, which is not read").with_hint(
            "read it with pyarrow.feather.read_table and write it again with write_feather",
        ));
    }
    if head.starts_with(MAGIC_PARQUET) {
        return Err(Error::corrupt("it is a Parquet file").with_hint("FROM read_parquet('…')"));
    }
    Ok(())
}

/// That the version of a message is known and what compressed buffers claim to become fits in memory;
/// gives the version.
fn check_buffers(bytes: &[u8], header_len: usize) -> Result<MetadataVersion> {
    let start = if bytes.starts_with(&CONTINUATION) { 8 } else { 4 };
    let header = bytes.get(start..header_len).ok_or_else(beyond)?;
    let message: Message<'_> = arrow_ipc::root_as_message(header)
        .map_err(|error| Error::corrupt(format!("a message is damaged: {error}")))?;
    let version = message.version();
    if !(MetadataVersion::V4..=MetadataVersion::V5).contains(&version) {
        return Err(Error::unsupported(format!(
            "Arrow metadata {version:?}, of before Arrow 0.8, is not read"
        ))
        .with_hint(WRITE_AGAIN));
    }
    let batch = message
        .header_as_record_batch()
        .or_else(|| message.header_as_dictionary_batch().and_then(|batch| batch.data()));
    let Some(batch) = batch.filter(|batch| batch.compression().is_some()) else {
        return Ok(version);
    };
    let mut total = 0_u64;
    for buffer in batch.buffers().into_iter().flatten() {
        let offset = usize::try_from(buffer.offset()).map_err(|_| beyond())?;
        let at = header_len.checked_add(offset).ok_or_else(beyond)?;
        let Some(prefix) = bytes.get(at..).and_then(|rest| rest.first_chunk::<8>()) else {
            continue;
        };
        if buffer.length() >= 8 {
            let claimed = i64::from_le_bytes(*prefix);
            total = total.saturating_add(u64::try_from(claimed).unwrap_or(0));
        }
    }
    if total > BATCH_BYTES_MAX {
        return Err(too_long(total));
    }
    Ok(version)
}

fn has_dictionary(data_type: &arrow::datatypes::DataType) -> bool {
    use arrow::datatypes::DataType;
    match data_type {
        DataType::Dictionary(..) => true,
        DataType::RunEndEncoded(_, values) => has_dictionary(values.data_type()),
        other => other.is_nested(),
    }
}

fn damaged(error: arrow::error::ArrowError) -> Error {
    Error::corrupt(format!("it is damaged: {error}"))
}

fn too_long(bytes: u64) -> Error {
    Error::unsupported(format!(
        "a batch of {bytes} bytes, of which at most {BATCH_BYTES_MAX} are read at once"
    ))
    .with_hint("write it in smaller batches: max_chunksize of pyarrow's write_table")
}

fn beyond() -> Error {
    Error::corrupt("a message reaches beyond the end of the file")
}

fn bounded(len: u64) -> Result<usize> {
    usize::try_from(len).ok().filter(|len| *len <= HEADER_BYTES_MAX).ok_or_else(beyond)
}

fn length(len: u64) -> usize {
    usize::try_from(len).unwrap_or(usize::MAX)
}

fn wide(len: usize) -> u64 {
    u64::try_from(len).unwrap_or(u64::MAX)
}
