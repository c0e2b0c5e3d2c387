//! Local dictionaries: the distinct values of one row group, and each row's code.
//!
//! Rows come in as Arrow arrays. A value is hashed once per row unless it equals its predecessor,
//! or once per entry when the array is a dictionary itself. Codes are handed out as values are first
//! seen; at the end the values are sorted and every code is replaced by what the caller says about
//! its sorted position. Must not know pages, runs or files.

use std::hash::{BuildHasher, Hasher};
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, BinaryArray, DictionaryArray, GenericByteArray, StringArray,
};
use arrow::datatypes::{ByteArrayType, DataType as ArrowType, Int32Type};
use foldhash::fast::FixedState;
use hashbrown::HashTable;

use super::sorted::{code, index, slice_of, sort_texts};
use super::{FixedKey, KeyKind, SortedValues};
use crate::types::{DataType, Error, Result};

/// The first-seen code of NULL.
const NULL: u32 = u32::MAX;
/// An entry of a source dictionary that no row has named yet.
const UNSEEN: u32 = u32::MAX - 1;

/// Collects the rows of one row group.
#[derive(Debug)]
pub struct LocalBuilder {
    data_type: DataType,
    table: Table,
    codes: Vec<u32>,
    null_count: usize,
}

/// How many texts of how many bytes together.
#[derive(Clone, Copy, Debug, Default)]
pub struct TextRoom {
    count: usize,
    bytes: usize,
}

#[derive(Debug)]
enum Table {
    Bytes(BytesTable),
    Narrow(FixedTable<u64>),
    Wide(FixedTable<u128>),
}

impl LocalBuilder {
    /// A builder for `row_count` rows of `data_type`.
    ///
    /// # Panics
    /// When the type never has a dictionary: [`KeyKind::of`].
    pub fn new(data_type: DataType, row_count: usize) -> LocalBuilder {
        let table = match KeyKind::of(data_type).expect("the caller asks for types with keys only")
        {
            KeyKind::Bytes => Table::Bytes(BytesTable::default()),
            KeyKind::Narrow => Table::Narrow(FixedTable::default()),
            KeyKind::Wide => Table::Wide(FixedTable::default()),
        };
        LocalBuilder { data_type, table, codes: Vec::with_capacity(row_count), null_count: 0 }
    }

    /// The same with room for so many texts of so many bytes together: what grows by doubling leaves
    /// behind as much as it takes.
    #[must_use]
    pub fn with_room(mut self, texts: TextRoom) -> LocalBuilder {
        if let Table::Bytes(table) = &mut self.table {
            table.table.reserve(texts.count, |entry| spread(entry.hash));
            table.ends.reserve(texts.count);
            table.bytes.reserve(texts.bytes);
        }
        self
    }

    /// The room that another row group like this one takes, and an eighth more.
    pub fn room_taken(&self) -> TextRoom {
        let with_eighth = |len: usize| len + len / 8;
        match &self.table {
            Table::Bytes(table) => TextRoom {
                count: with_eighth(table.ends.len()),
                bytes: with_eighth(table.bytes.len()),
            },
            _ => TextRoom::default(),
        }
    }

    /// Adds rows: an array of the Arrow type of the builder's type, or a dictionary of such values
    /// with `Int32` keys.
    ///
    /// # Errors
    /// `Internal` for an array of another type.
    pub fn push(&mut self, array: &ArrayRef) -> Result<()> {
        let plain = self.data_type.to_arrow();
        match array.data_type() {
            found if *found == plain => {}
            ArrowType::Dictionary(keys, values)
                if **keys == ArrowType::Int32 && **values == plain => {}
            found => {
                return Err(Error::internal(format!(
                    "a dictionary of type {plain} was given values of type {found}"
                )));
            }
        }
        self.null_count += array.logical_null_count();
        match &mut self.table {
            Table::Bytes(table) => table.push(array, &mut self.codes),
            Table::Narrow(table) => table.push(array, self.data_type, &mut self.codes)?,
            Table::Wide(table) => table.push(array, self.data_type, &mut self.codes)?,
        }
        Ok(())
    }

    /// Rows so far.
    pub fn row_count(&self) -> usize {
        self.codes.len()
    }

    /// Rows so far that are NULL.
    pub fn null_count(&self) -> usize {
        self.null_count
    }

    /// Distinct values so far.
    pub fn distinct_count(&self) -> usize {
        match &self.table {
            Table::Bytes(table) => table.ends.len(),
            Table::Narrow(table) => table.keys.len(),
            Table::Wide(table) => table.keys.len(),
        }
    }

    /// Bytes held in memory.
    pub fn memory_bytes(&self) -> usize {
        let values = match &self.table {
            Table::Bytes(table) => table.bytes.len() + 20 * table.ends.len(),
            Table::Narrow(table) => 32 * table.keys.capacity(),
            Table::Wide(table) => 64 * table.keys.capacity(),
        };
        values + 4 * self.codes.capacity()
    }

    /// The rows' texts again, as arrays of at most `batch_len` rows: for rows that turned out not to
    /// repeat. Only text and blobs are ever read back.
    ///
    /// # Errors
    /// `Unsupported` beyond 2 GiB of text in a batch; `Internal` for other types.
    pub fn rows(&self, rows: std::ops::Range<usize>) -> Result<ArrayRef> {
        let Table::Bytes(table) = &self.table else {
            return Err(Error::internal("only texts are read back from a local dictionary"));
        };
        table.rows(&self.codes[rows], self.data_type)
    }

    /// Sorts the values.
    pub fn finish(self) -> Local {
        let (values, order) = match self.table {
            Table::Bytes(table) => table.sort(),
            Table::Narrow(table) => table.sort(SortedValues::Narrow),
            Table::Wide(table) => table.sort(SortedValues::Wide),
        };
        Local { values, order, codes: self.codes, null_count: self.null_count }
    }
}

/// The sorted distinct values of a row group, and the rows.
#[derive(Debug)]
pub struct Local {
    /// The distinct values, ascending.
    pub values: SortedValues,
    /// How many rows are NULL.
    pub null_count: usize,
    /// First-seen code by sorted position.
    order: Arc<[u32]>,
    codes: Vec<u32>,
}

impl Local {
    /// Each row's local code: `code_of_position` maps sorted positions to codes (identity when
    /// `None`), NULL is the code after the last.
    ///
    /// # Panics
    /// When `code_of_position` is not as long as the values.
    pub fn into_codes(self, code_of_position: Option<&[u32]>) -> (SortedValues, Vec<u32>) {
        let mut codes = self.codes;
        let mut code_of_seen = vec![0_u32; self.order.len() + 1];
        match code_of_position {
            None => {
                for (code, seen) in (0_u32..).zip(&*self.order) {
                    code_of_seen[index(*seen)] = code;
                }
            }
            Some(code_of_position) => {
                assert_eq!(code_of_position.len(), self.order.len());
                for (code, seen) in code_of_position.iter().zip(&*self.order) {
                    code_of_seen[index(*seen)] = *code;
                }
            }
        }
        let null = code(self.order.len());
        code_of_seen[self.order.len()] = null;
        for code in &mut codes {
            // The minimum sends NULL, the greatest code, to the entry after the last.
            *code = code_of_seen[index((*code).min(null))];
        }
        (self.values, codes)
    }

    /// The codes of up to `len` rows from the middle, as [`Local::into_codes`] would give them
    /// without a map of positions: to see how well they encode.
    pub fn sample_codes(&self, len: usize) -> Vec<u32> {
        let mut code_of_seen = vec![0_u32; self.order.len() + 1];
        for (code, seen) in (0_u32..).zip(&*self.order) {
            code_of_seen[index(*seen)] = code;
        }
        let null = code(self.order.len());
        code_of_seen[self.order.len()] = null;
        let start = self.codes.len().saturating_sub(len) / 2;
        let codes = self.codes[start..].iter().take(len);
        codes.map(|code| code_of_seen[index((*code).min(null))]).collect()
    }

    /// How many rows have the value at each sorted position.
    pub fn counts(&self) -> Vec<u32> {
        let mut seen = vec![0_u32; self.order.len() + 1];
        for code in &self.codes {
            seen[index(*code).min(self.order.len())] += 1;
        }
        self.order.iter().map(|first_seen| seen[index(*first_seen)]).collect()
    }
}

/// Distinct texts in the order first seen.
#[derive(Debug, Default)]
pub(super) struct BytesTable {
    table: HashTable<Entry>,
    bytes: Vec<u8>,
    ends: Vec<usize>,
    memo: Option<Memo>,
    state: FixedState,
}

#[derive(Debug)]
struct Entry {
    hash: u32,
    code: u32,
}

/// Codes by the keys of a source's own dictionary. The array keeps the dictionary's memory from
/// being given to another one, which would look like the same.
#[derive(Debug)]
struct Memo {
    values: ArrayRef,
    codes: Vec<u32>,
}

impl BytesTable {
    fn push(&mut self, array: &ArrayRef, codes: &mut Vec<u32>) {
        if let Some(strings) = array.as_any().downcast_ref::<StringArray>() {
            self.push_plain(strings, codes);
        } else if let Some(blobs) = array.as_any().downcast_ref::<BinaryArray>() {
            self.push_plain(blobs, codes);
        } else {
            self.push_dictionary(array.as_dictionary::<Int32Type>(), codes);
        }
    }

    fn push_plain<T>(&mut self, array: &GenericByteArray<T>, codes: &mut Vec<u32>)
    where
        T: ByteArrayType<Offset = i32>,
    {
        let mut last: Option<(&[u8], u32)> = None;
        for row in 0..array.len() {
            if array.is_null(row) {
                codes.push(NULL);
                continue;
            }
            let value: &[u8] = array.value(row).as_ref();
            let code = match last {
                Some((text, code)) if text == value => code,
                _ => self.code_of(value),
            };
            last = Some((value, code));
            codes.push(code);
        }
    }

    fn push_dictionary(&mut self, array: &DictionaryArray<Int32Type>, codes: &mut Vec<u32>) {
        let mut memo = match self.memo.take() {
            Some(memo) if same_memory(&memo.values, array.values()) => memo,
            _ => Memo {
                values: Arc::clone(array.values()),
                codes: vec![UNSEEN; array.values().len()],
            },
        };
        for key in array.keys() {
            let Some(key) = key.and_then(|key| usize::try_from(key).ok()) else {
                codes.push(NULL);
                continue;
            };
            if memo.codes[key] == UNSEEN {
                memo.codes[key] = self.code_of_entry(&memo.values, key);
            }
            codes.push(memo.codes[key]);
        }
        self.memo = Some(memo);
    }

    fn code_of_entry(&mut self, values: &ArrayRef, key: usize) -> u32 {
        if values.is_null(key) {
            return NULL;
        }
        match values.as_any().downcast_ref::<StringArray>() {
            Some(strings) => self.code_of(strings.value(key).as_bytes()),
            None => self.code_of(values.as_binary::<i32>().value(key)),
        }
    }

    /// The code of `value`, a new one if it was not seen before.
    fn code_of(&mut self, value: &[u8]) -> u32 {
        let hash = self.hash(value);
        let BytesTable { table, bytes, ends, .. } = self;
        let found = table.find(spread(hash), |entry| {
            entry.hash == hash && slice_of(bytes, ends, index(entry.code)) == value
        });
        if let Some(entry) = found {
            return entry.code;
        }
        let new = code(ends.len());
        bytes.extend_from_slice(value);
        ends.push(bytes.len());
        table.insert_unique(spread(hash), Entry { hash, code: new }, |entry| spread(entry.hash));
        new
    }

    #[expect(clippy::cast_possible_truncation, reason = "half of a hash is a hash")]
    fn hash(&self, value: &[u8]) -> u32 {
        let mut hasher = self.state.build_hasher();
        hasher.write(value);
        hasher.finish() as u32
    }

    fn rows(&self, codes: &[u32], data_type: DataType) -> Result<ArrayRef> {
        let text =
            |code: &u32| (*code != NULL).then(|| slice_of(&self.bytes, &self.ends, index(*code)));
        let total: usize = codes.iter().filter_map(text).map(<[u8]>::len).sum();
        if i32::try_from(total).is_err() {
            return Err(Error::unsupported("more than 2 GiB of text in one page"));
        }
        let blobs: BinaryArray = codes.iter().map(text).collect();
        if data_type == DataType::Binary {
            return Ok(Arc::new(blobs));
        }
        let (offsets, bytes, validity) = blobs.into_parts();
        let strings = StringArray::try_new(offsets, bytes, validity)?;
        Ok(Arc::new(strings))
    }

    fn sort(self) -> (SortedValues, Arc<[u32]>) {
        let BytesTable { bytes, ends, table, .. } = self;
        drop(table);
        let order: Arc<[u32]> =
            sort_texts(code(ends.len()), |code| slice_of(&bytes, &ends, index(code))).into();
        (SortedValues::Seen { bytes, ends, order: Arc::clone(&order) }, order)
    }
}

/// The table's hash from the half that entries keep, so that growing rehashes no text.
fn spread(hash: u32) -> u64 {
    u64::from(hash).wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

fn same_memory(a: &ArrayRef, b: &ArrayRef) -> bool {
    fn place(array: &ArrayRef) -> (usize, *const u8, *const i32) {
        if let Some(array) = array.as_any().downcast_ref::<StringArray>() {
            return (array.len(), array.values().as_ptr(), array.value_offsets().as_ptr());
        }
        let array = array.as_binary::<i32>();
        (array.len(), array.values().as_ptr(), array.value_offsets().as_ptr())
    }
    place(a) == place(b)
}

/// Distinct keys in the order first seen.
#[derive(Debug)]
struct FixedTable<K> {
    table: HashTable<(K, u32)>,
    keys: Vec<K>,
    batch: Vec<K>,
    state: FixedState,
}

impl<K> Default for FixedTable<K> {
    fn default() -> FixedTable<K> {
        FixedTable {
            table: HashTable::new(),
            keys: Vec::new(),
            batch: Vec::new(),
            state: FixedState::default(),
        }
    }
}

impl<K: FixedKey> FixedTable<K> {
    fn push(&mut self, array: &ArrayRef, data_type: DataType, codes: &mut Vec<u32>) -> Result<()> {
        let plain = crate::types::cast(array, &data_type.to_arrow())?;
        let mut batch = std::mem::take(&mut self.batch);
        batch.clear();
        K::extend_from(&mut batch, &plain, data_type);
        if let Some(nulls) = plain.nulls().filter(|nulls| nulls.null_count() > 0) {
            let rows = batch.iter().zip(nulls);
            codes.extend(rows.map(|(key, valid)| if valid { self.code_of(*key) } else { NULL }));
        } else {
            codes.extend(batch.iter().map(|key| self.code_of(*key)));
        }
        self.batch = batch;
        Ok(())
    }

    fn code_of(&mut self, key: K) -> u32 {
        let FixedTable { table, keys, state, .. } = self;
        let hash = state.hash_one(key);
        if let Some((_, code)) = table.find(hash, |entry| entry.0 == key) {
            return *code;
        }
        let new = code(keys.len());
        keys.push(key);
        table.insert_unique(hash, (key, new), |entry| state.hash_one(entry.0));
        new
    }

    fn sort(self, values: impl Fn(Vec<K>) -> SortedValues) -> (SortedValues, Arc<[u32]>) {
        let mut pairs: Vec<(K, u32)> = self.keys.into_iter().zip(0..).collect();
        pairs.sort_unstable();
        let (keys, order): (Vec<K>, Vec<u32>) = pairs.into_iter().unzip();
        (values(keys), order.into())
    }
}
