//! Encodes one column of one row group: plain pages, or codes of a dictionary.
//!
//! Text becomes codes when it has fewer than 0.6 distinct values per row. Other types are encoded
//! plain first; where a sample says that values repeat, they are gathered in a local dictionary as
//! well, and codes win if codes, map and values together take less than 0.75 of the plain pages. What
//! was measured decides, not the sample. Must not know sources or files.

use arrow::array::{Array, ArrayRef};

use super::queue::ArrayQueue;
use crate::context::{Context, Reservation};
use crate::encoding::{self, EncodedPage, ZoneMap};
use crate::storage::EncodedChunk;
use crate::storage::dictionary::{
    FixedKey, Growth, KeyKind, Local, LocalBuilder, SortedValues, TextRoom,
};
use crate::types::{DataType, Result, Value};

/// Encodes the row groups of one column, one after the other.
pub(super) struct ChunkEncoder<'a> {
    pub(super) data_type: DataType,
    pub(super) page_len: usize,
    pub(super) context: &'a Context,
    /// Asks whether another worker has failed.
    pub(super) check: &'a (dyn Fn() -> Result<()> + Sync),
    /// Bytes of a local dictionary of text beyond which the row group is written plain: a dictionary
    /// this size gains little and has to be held in memory whole.
    pub(super) local_bytes_max: usize,
    /// What the texts of the last row group took.
    pub(super) room: TextRoom,
    /// What the column holds in memory.
    pub(super) memory: Reservation,
}

/// Values in the sample that decides whether to try a dictionary.
const SAMPLE_LEN: usize = 2_048;

impl ChunkEncoder<'_> {
    /// Takes the next `row_count` rows from `queue`; codes go through `growth`.
    pub(super) fn encode(
        &mut self,
        queue: &mut ArrayQueue<'_>,
        growth: &mut Growth<'_>,
        row_count: usize,
    ) -> Result<EncodedChunk> {
        match KeyKind::of(self.data_type) {
            Some(KeyKind::Bytes) => self.encode_text(queue, growth, row_count),
            Some(KeyKind::Narrow | KeyKind::Wide) => self.encode_fixed(queue, growth, row_count),
            None => self.encode_plain(queue, row_count),
        }
    }

    fn encode_plain(
        &mut self,
        queue: &mut ArrayQueue<'_>,
        row_count: usize,
    ) -> Result<EncodedChunk> {
        let mut pages = PlainPages::default();
        for len in page_lens(row_count, self.page_len) {
            let page = queue.exactly(len)?;
            pages.push(&page, self.data_type)?;
            self.advance(len, pages.bytes)?;
        }
        Ok(pages.into_chunk())
    }

    fn encode_text(
        &mut self,
        queue: &mut ArrayQueue<'_>,
        growth: &mut Growth<'_>,
        row_count: usize,
    ) -> Result<EncodedChunk> {
        let mut builder = LocalBuilder::new(self.data_type, row_count).with_room(self.room);
        while builder.row_count() < row_count {
            let rows = queue.some(self.page_len.min(row_count - builder.row_count()))?;
            builder.push(&rows)?;
            self.advance(rows.len(), builder.memory_bytes() + growth.memory_bytes())?;
            if builder.memory_bytes() > self.local_bytes_max {
                return self.encode_long_text(queue, builder, row_count);
            }
        }
        self.room = builder.room_taken();
        let distinct = builder.distinct_count();
        // A row group of NULLs is a constant, and needs no dictionary.
        if distinct > 0 && distinct * 10 < row_count * 6 && growth.has_room(distinct) {
            let local = builder.finish();
            let zone_map = zone_of_texts(&local, row_count, self.data_type)?;
            return self.encode_codes(local, growth, zone_map);
        }
        let mut pages = PlainPages::default();
        let mut start = 0;
        for len in page_lens(row_count, self.page_len) {
            self.look()?;
            pages.push(&builder.rows(start..start + len)?, self.data_type)?;
            start += len;
        }
        Ok(pages.into_chunk())
    }

    /// The rows gathered so far and the rest, plain: their texts are too long for a dictionary.
    fn encode_long_text(
        &mut self,
        queue: &mut ArrayQueue<'_>,
        builder: LocalBuilder,
        row_count: usize,
    ) -> Result<EncodedChunk> {
        let mut builder = Some(builder);
        let mut pages = PlainPages::default();
        let mut start = 0;
        for len in page_lens(row_count, self.page_len) {
            let gathered = builder.as_ref().map_or(0, LocalBuilder::row_count);
            let mut parts = Vec::new();
            if let Some(builder) = &builder
                && start < gathered
            {
                parts.push(builder.rows(start..gathered.min(start + len))?);
            }
            if start + len >= gathered {
                builder = None;
            }
            let missing = len - parts.first().map_or(0, Array::len);
            if missing > 0 {
                parts.push(queue.exactly(missing)?);
            }
            let parts: Vec<&dyn Array> = parts.iter().map(|part| &**part).collect();
            pages.push(&arrow::compute::concat(&parts)?, self.data_type)?;
            let held = builder.as_ref().map_or(0, LocalBuilder::memory_bytes);
            self.advance(missing, pages.bytes + held)?;
            start += len;
        }
        Ok(pages.into_chunk())
    }

    fn encode_fixed(
        &mut self,
        queue: &mut ArrayQueue<'_>,
        growth: &mut Growth<'_>,
        row_count: usize,
    ) -> Result<EncodedChunk> {
        let mut pages = PlainPages::default();
        let mut arrays = Vec::new();
        for len in page_lens(row_count, self.page_len) {
            let page = queue.exactly(len)?;
            pages.push(&page, self.data_type)?;
            arrays.push(page);
            let held = row_count * self.value_bytes() + pages.bytes + growth.memory_bytes();
            self.advance(len, held)?;
        }
        if !self.dictionary_promises(&arrays, row_count, pages.bytes) {
            return Ok(pages.into_chunk());
        }
        let mut builder = LocalBuilder::new(self.data_type, row_count);
        for array in arrays {
            self.look()?;
            builder.push(&array)?;
            let distinct = builder.distinct_count();
            let least = self.dictionary_bytes(distinct, row_count, pages.bytes);
            if least >= limit(pages.bytes) || !growth.has_room(distinct) {
                return Ok(pages.into_chunk());
            }
        }
        self.encode_fixed_codes(builder, growth, pages)
    }

    /// Codes, if they turn out small enough.
    fn encode_fixed_codes(
        &mut self,
        builder: LocalBuilder,
        growth: &mut Growth<'_>,
        pages: PlainPages,
    ) -> Result<EncodedChunk> {
        let row_count = builder.row_count();
        let distinct = builder.distinct_count();
        let held = builder.memory_bytes() + pages.bytes + growth.memory_bytes();
        self.memory.resize(held)?;
        let local = builder.finish();
        let sample = local.sample_codes(self.page_len);
        let coded = encoding::encode_codes(&sample).bytes.len();
        let bytes = coded * row_count / sample.len().max(1)
            + self.values_bytes(distinct, row_count, pages.bytes);
        if distinct == 0 || bytes >= limit(pages.bytes) {
            return Ok(pages.into_chunk());
        }
        let zone_map = pages.zone_map();
        drop(pages);
        self.encode_codes(local, growth, zone_map)
    }

    fn encode_codes(
        &mut self,
        local: Local,
        growth: &mut Growth<'_>,
        zone_map: ZoneMap,
    ) -> Result<EncodedChunk> {
        let (code_count, codes) = growth.add(local, &self.context.cancel)?;
        let mut pages = Vec::with_capacity(codes.len().div_ceil(self.page_len));
        for codes in codes.chunks(self.page_len) {
            self.look()?;
            pages.push((encoding::encode_codes(codes), zone_of_codes(codes, code_count)));
        }
        Ok(EncodedChunk { pages, codes: Some(code_count), zone_map })
    }

    /// Whether a sample of the rows lets a dictionary look small enough to try.
    fn dictionary_promises(
        &self,
        arrays: &[ArrayRef],
        row_count: usize,
        plain_bytes: usize,
    ) -> bool {
        // At half a byte per row there is nothing left to win.
        if plain_bytes * 2 <= row_count {
            return false;
        }
        let (sampled, distinct) = match KeyKind::of(self.data_type) {
            Some(KeyKind::Wide) => sample::<u128>(arrays, self.data_type, row_count),
            _ => sample::<u64>(arrays, self.data_type, row_count),
        };
        // If d of s drawn values are distinct, pairs of rows are equal with a chance of about
        // 2 (s - d) / s²: as if there were s² / 2 (s - d) values.
        let expected = sampled * sampled / (2 * (sampled - distinct) + 1);
        let expected = expected.clamp(distinct, row_count);
        self.dictionary_bytes(expected, row_count, plain_bytes) < limit(plain_bytes)
    }

    /// What codes and values take at least. Codes are counted by their width unless plain pages
    /// squeeze out more than their own, by runs or one dominant value: codes would as well.
    fn dictionary_bytes(&self, distinct: usize, row_count: usize, plain_bytes: usize) -> usize {
        let width = usize::try_from((distinct + 1).ilog2() + 1).unwrap_or(32);
        let codes = (row_count * width / 8).min(plain_bytes / 2);
        codes + self.values_bytes(distinct, row_count, plain_bytes)
    }

    /// What the values of a dictionary take: as much per value as plain pages do per row, and a byte
    /// for the code map.
    fn values_bytes(&self, distinct: usize, row_count: usize, plain_bytes: usize) -> usize {
        let per_value = plain_bytes.div_ceil(row_count.max(1)).min(self.value_bytes());
        distinct * (per_value + 1)
    }

    fn value_bytes(&self) -> usize {
        self.data_type.to_arrow().primitive_width().unwrap_or(16)
    }

    /// Counts rows done and bytes held; stops when asked to.
    fn advance(&mut self, row_count: usize, held_bytes: usize) -> Result<()> {
        self.memory.resize(held_bytes)?;
        self.context.progress.advance(u64::try_from(row_count).unwrap_or(u64::MAX));
        self.look()
    }

    fn look(&self) -> Result<()> {
        self.context.cancel.check()?;
        (self.check)()
    }
}

/// What a dictionary must stay below.
fn limit(plain_bytes: usize) -> usize {
    plain_bytes / 4 * 3
}

/// The lengths of the pages of `row_count` rows.
fn page_lens(row_count: usize, page_len: usize) -> impl Iterator<Item = usize> {
    (0..row_count).step_by(page_len).map(move |start| page_len.min(row_count - start))
}

/// How many rows were sampled, evenly over all, and how many distinct values they have.
fn sample<K: FixedKey>(
    arrays: &[ArrayRef],
    data_type: DataType,
    row_count: usize,
) -> (usize, usize) {
    let mut keys: Vec<K> = Vec::with_capacity(SAMPLE_LEN);
    let stretch = SAMPLE_LEN.div_ceil(64).min(row_count);
    let stretches = SAMPLE_LEN.div_ceil(stretch.max(1)).min(row_count.div_ceil(stretch.max(1)));
    let mut starts = (0..stretches).map(|at| at * row_count / stretches.max(1)).peekable();
    let mut first = 0;
    for array in arrays {
        while let Some(start) = starts.next_if(|start| *start < first + array.len()) {
            let start = start - first;
            let len = stretch.min(array.len() - start);
            K::extend_from(&mut keys, &array.slice(start, len), data_type);
        }
        first += array.len();
    }
    let sampled = keys.len();
    keys.sort_unstable();
    keys.dedup();
    (sampled, keys.len())
}

/// Plain pages of a chunk, and their bytes together.
#[derive(Default)]
struct PlainPages {
    pages: Vec<(EncodedPage, ZoneMap)>,
    bytes: usize,
}

impl PlainPages {
    fn push(&mut self, array: &ArrayRef, data_type: DataType) -> Result<()> {
        let page = encoding::encode(array, data_type)?;
        self.bytes += page.bytes.len();
        self.pages.push((page, ZoneMap::of(array, data_type)));
        Ok(())
    }

    fn zone_map(&self) -> ZoneMap {
        let mut maps = self.pages.iter().map(|(_, zone_map)| zone_map);
        let mut all = maps.next().expect("a row group has a row, hence a page").clone();
        for zone_map in maps {
            all.merge(zone_map);
        }
        all
    }

    fn into_chunk(self) -> EncodedChunk {
        let zone_map = self.zone_map();
        EncodedChunk { pages: self.pages, codes: None, zone_map }
    }
}

/// The zone map of a chunk of texts from its least and greatest.
fn zone_of_texts(local: &Local, row_count: usize, data_type: DataType) -> Result<ZoneMap> {
    let values: &SortedValues = &local.values;
    let count = |rows: usize| u64::try_from(rows).unwrap_or(u64::MAX);
    let bounds = values.select(&[0, last(values.len())]).to_array(0..2, data_type)?;
    let mut zone_map = ZoneMap::of(&bounds, data_type);
    zone_map.row_count = count(row_count);
    zone_map.null_count = count(local.null_count);
    zone_map.constant &= local.null_count == 0 || local.null_count == row_count;
    Ok(zone_map)
}

fn last(len: usize) -> u32 {
    u32::try_from(len - 1).expect("a row group has fewer than 2^32 rows")
}

/// The zone map of a page of codes, in code space; NULL is `code_count`.
fn zone_of_codes(codes: &[u32], code_count: u32) -> ZoneMap {
    let mut range: Option<(u32, u32)> = None;
    let mut null_count = 0_u64;
    for code in codes {
        if *code == code_count {
            null_count += 1;
            continue;
        }
        let (min, max) = range.unwrap_or((*code, *code));
        range = Some((min.min(*code), max.max(*code)));
    }
    let row_count = u64::try_from(codes.len()).unwrap_or(u64::MAX);
    let int = |code: u32| Value::Int(code.into());
    ZoneMap {
        row_count,
        null_count,
        min: range.map(|(min, _)| int(min)),
        max: range.map(|(_, max)| int(max)),
        bounds_exact: true,
        sum: None,
        constant: null_count == row_count
            || (null_count == 0 && range.is_some_and(|(min, max)| min == max)),
        floats: None,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{AsArray, Int64Array, StringArray};
    use bytes::Bytes;

    use super::*;
    use crate::catalog::NewField;
    use crate::encoding::{Page, PageKind};
    use crate::storage::dictionary::{Change, Dictionary, MergePolicy, Run};

    const PAGE_LEN: usize = 1_000;

    /// Encodes `array` as one row group, then reads it back.
    fn round_trip(array: &ArrayRef, local_bytes_max: usize) -> Result<(EncodedChunk, ArrayRef)> {
        let data_type = DataType::from_arrow(array.data_type())?;
        let field = NewField { name: "a".into(), data_type, nullable: true };
        let context = Context::new();
        let mut encoder = ChunkEncoder {
            data_type,
            page_len: PAGE_LEN,
            context: &context,
            check: &|| Ok(()),
            local_bytes_max,
            room: TextRoom::default(),
            memory: context.memory.reservation("a test"),
        };
        let parts = (0..array.len()).step_by(317);
        let parts = parts.map(|start| Ok(array.slice(start, 317.min(array.len() - start))));
        let mut queue = ArrayQueue::new(Box::new(parts), &field);
        let mut growth = Growth::new(data_type, None);
        let chunk = encoder.encode(&mut queue, &mut growth, array.len())?;
        queue.finish()?;
        let grown = growth.finish(&MergePolicy::default(), &context.cancel)?;
        let mut values = None;
        if let Change::Run(run) = grown.change {
            let run = Run::from_encoded(data_type, run)?;
            values = Some(Dictionary::new(data_type, vec![run])?.values(grown.maps[0].ids())?);
        }
        let found = decode(&chunk, data_type, values)?;
        Ok((chunk, found))
    }

    fn decode(
        chunk: &EncodedChunk,
        data_type: DataType,
        values: Option<ArrayRef>,
    ) -> Result<ArrayRef> {
        let kind =
            if chunk.codes.is_some() { PageKind::Codes } else { PageKind::Values(data_type) };
        let mut pages: Vec<ArrayRef> = Vec::new();
        for (page, zone_map) in &chunk.pages {
            let row_count = usize::try_from(zone_map.row_count).unwrap_or(0);
            let page = Page::open(Bytes::from(page.bytes.clone()), page.encoding, kind, row_count)?;
            let Some(values) = &values else {
                pages.push(page.decode(0..row_count)?);
                continue;
            };
            let mut codes = Vec::new();
            page.decode_codes(0..row_count, &mut codes)?;
            let codes =
                codes.into_iter().map(|code| Some(code).filter(|c| Some(*c) != chunk.codes));
            let codes: arrow::array::UInt32Array = codes.collect();
            pages.push(arrow::compute::take(values, &codes, None)?);
        }
        let pages: Vec<&dyn Array> = pages.iter().map(|page| &**page).collect();
        Ok(arrow::compute::concat(&pages)?)
    }

    fn texts(distinct: usize) -> ArrayRef {
        let text = |row: usize| {
            (!row.is_multiple_of(11)).then(|| format!("text {:05}", row * 7 % distinct))
        };
        Arc::new((0..4_500).map(text).collect::<StringArray>())
    }

    #[test]
    fn texts_get_codes_where_they_repeat() -> Result<()> {
        for (distinct, codes) in [(1, true), (100, true), (2_000, true), (4_500, false)] {
            let array = texts(distinct);
            let (chunk, found) = round_trip(&array, usize::MAX)?;
            assert_eq!(chunk.codes.is_some(), codes, "{distinct} distinct");
            assert_eq!(&found, &array);
            assert_eq!((chunk.zone_map.row_count, chunk.zone_map.null_count), (4_500, 410));
            let min = array.as_string::<i32>().iter().flatten().min().map(str::to_owned);
            assert_eq!(chunk.zone_map.min, min.map(Value::Text));
            assert!(!chunk.zone_map.constant);
        }
        Ok(())
    }

    #[test]
    fn nulls_alone_are_plain() -> Result<()> {
        let array: ArrayRef = Arc::new(StringArray::new_null(2_500));
        let (chunk, found) = round_trip(&array, usize::MAX)?;
        assert_eq!((chunk.codes, &found), (None, &array));
        assert!(chunk.zone_map.constant);
        Ok(())
    }

    #[test]
    fn texts_too_long_for_a_dictionary_are_plain_from_wherever_that_is_seen() -> Result<()> {
        let array = texts(1_500);
        for local_bytes_max in [0, 30_000, 45_000, 55_000] {
            let (chunk, found) = round_trip(&array, local_bytes_max)?;
            assert!(chunk.codes.is_none());
            assert_eq!(&found, &array);
        }
        Ok(())
    }

    #[test]
    fn numbers_get_codes_where_that_is_smaller() -> Result<()> {
        let spread = |row: i64, distinct: i64| (row * 7_919 % distinct) * 1_000_003_000_017;
        for (distinct, codes) in [(50, true), (4_500, false)] {
            let rows = (0..4_500).map(|row| (row % 13 != 0).then(|| spread(row, distinct)));
            let array: ArrayRef = Arc::new(rows.collect::<Int64Array>());
            let (chunk, found) = round_trip(&array, usize::MAX)?;
            assert_eq!(chunk.codes.is_some(), codes, "{distinct} distinct");
            assert_eq!(&found, &array);
            assert_eq!(chunk.zone_map, {
                let mut whole = ZoneMap::of(&array, DataType::Int64);
                whole.constant = false;
                whole
            });
        }
        // A small range packs as well as codes would.
        let array: ArrayRef = Arc::new((0..4_500).map(|row| row * 31 % 60).collect::<Int64Array>());
        assert!(round_trip(&array, usize::MAX)?.0.codes.is_none());
        Ok(())
    }

    #[test]
    fn zone_maps_of_codes_are_in_code_space() {
        let zone_map = zone_of_codes(&[3, 9, 5, 9], 9);
        assert_eq!((zone_map.min, zone_map.max), (Some(Value::Int(3)), Some(Value::Int(5))));
        assert_eq!((zone_map.row_count, zone_map.null_count, zone_map.constant), (4, 2, false));
        assert!(zone_of_codes(&[4, 4], 9).constant);
        assert!(zone_of_codes(&[9, 9], 9).constant);
        assert!(!zone_of_codes(&[4, 9], 9).constant);
    }
}
