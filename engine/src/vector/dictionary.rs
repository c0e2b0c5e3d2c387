//! Vectors of codes: rows hold small integers, a code book says which distinct value each stands for.
//!
//! Two spaces of integers. A *code* is local to one book (a row group); an *id* is table-wide. A book
//! maps the first to the second; equal values have equal ids, so that grouping, joining and comparing
//! need no value. Values come last, for the rows that reach the result.
//! Must not know where books and values are stored.

use std::fmt::Debug;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};

use arrow::array::{ArrayRef, UInt32Array, new_null_array};
use arrow::buffer::ScalarBuffer;
use arrow::compute::take;

use super::ByCode;
use crate::types::{DataType, Error, Result, Value};

/// How ids compare.
#[derive(Clone, Copy, Debug)]
pub enum IdOrder<'a> {
    /// In the order of their values.
    ById,
    /// By the rank of each id, which is in the order of the values.
    ByRank(&'a [u32]),
    /// Nothing but equality is known.
    Unknown,
}

/// The distinct values of a column, by id. Ids start at 0 without gaps; equal values have one id.
pub trait DistinctValues: Debug + Send + Sync {
    /// Type of the values.
    fn data_type(&self) -> DataType;

    /// How many ids there are now.
    fn id_count(&self) -> u32;

    /// Whether ids may still be added.
    fn is_growing(&self) -> bool {
        false
    }

    /// The values of `ids`, which ascend without repetition.
    ///
    /// # Errors
    /// When they cannot be read.
    fn values(&self, ids: &[u32]) -> Result<ArrayRef>;

    /// How ids compare.
    ///
    /// # Errors
    /// When the ranks cannot be read.
    fn order(&self) -> Result<IdOrder<'_>>;

    /// The id of a value that is not NULL.
    fn find_id(&self, _value: &Value) -> IdOf {
        IdOf::Unknown
    }

    /// How many pieces texts lie in, in the order of ids; 0 where nothing lies in pieces.
    fn piece_count(&self) -> usize {
        0
    }

    /// Shows piece `piece_idx` to `visit`.
    ///
    /// # Errors
    /// When it cannot be read; those of `visit`; `Internal` when there is none.
    fn with_piece(
        &self,
        piece_idx: usize,
        _visit: &mut dyn FnMut(TextPiece<'_>) -> Result<()>,
    ) -> Result<()> {
        Err(Error::internal(format!("there is no piece {piece_idx} of distinct values")))
    }
}

/// What is known of a value's id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IdOf {
    /// It has this one.
    Id(u32),
    /// It is no value of the list.
    Absent,
    /// Nothing.
    Unknown,
}

/// Neighbouring texts of a list of distinct values, where they lie in memory.
#[derive(Clone, Copy, Debug)]
pub struct TextPiece<'a> {
    /// The id of the first; the others follow without a gap.
    pub first_id: u32,
    /// Where each starts in `bytes`, and where the last ends; the first starts at 0.
    pub offsets: &'a [u32],
    /// All texts, one after the other. Not checked to be UTF-8.
    pub bytes: &'a [u8],
    /// Whether every byte is ASCII.
    pub is_ascii: bool,
}

impl TextPiece<'_> {
    /// How many texts there are.
    pub fn len(&self) -> usize {
        self.offsets.len() - 1
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The bytes of text `index`.
    pub fn value(&self, index: usize) -> &[u8] {
        &self.bytes[self.offsets[index] as usize..self.offsets[index + 1] as usize]
    }
}

/// Texts that may be kept at hand.
const TEXTS_MAX: usize = 1 << 18;

/// What the codes of a vector stand for.
#[derive(Debug)]
pub struct CodeBook {
    values: Arc<dyn DistinctValues>,
    map: Map,
    null_code: u32,
    /// Whether a row may have the NULL code.
    has_null: bool,
    /// How many rows were decoded so far.
    decoded_count: AtomicUsize,
    /// The values of all codes, once so many rows were decoded that they pay.
    all: OnceLock<ByCode>,
}

/// A shared list of ids by code.
pub trait CodeIds: Debug + Send + Sync {
    /// The id of each code.
    fn ids(&self) -> &[u32];
}

impl CodeIds for Vec<u32> {
    fn ids(&self) -> &[u32] {
        self
    }
}

#[derive(Clone, Debug)]
enum Map {
    Identity,
    Ids(Arc<dyn CodeIds>),
}

impl CodeBook {
    /// A book of local codes; the code after the last is NULL.
    pub fn mapped(values: Arc<dyn DistinctValues>, ids: Arc<dyn CodeIds>) -> CodeBook {
        let null_code =
            u32::try_from(ids.ids().len()).expect("a row group has fewer than 2^32 rows");
        CodeBook::new(values, Map::Ids(ids), null_code)
    }

    /// The book in which each id is its own code. NULL is the code after the last id, or the largest
    /// u32 while ids may be added.
    pub fn identity(values: Arc<dyn DistinctValues>) -> CodeBook {
        let null_code = if values.is_growing() { u32::MAX } else { values.id_count() };
        CodeBook::new(values, Map::Identity, null_code)
    }

    fn new(values: Arc<dyn DistinctValues>, map: Map, null_code: u32) -> CodeBook {
        let (decoded_count, all) = (AtomicUsize::new(0), OnceLock::new());
        CodeBook { values, map, null_code, has_null: true, decoded_count, all }
    }

    /// The same book, of which no row has the NULL code.
    #[must_use]
    pub fn without_null(mut self) -> CodeBook {
        self.has_null = false;
        self
    }

    /// Whether a row may have the NULL code.
    pub fn has_null(&self) -> bool {
        self.has_null
    }

    /// The code that stands for NULL; every other code is below.
    pub fn null_code(&self) -> u32 {
        self.null_code
    }

    /// How many codes stand for values, as far as known now.
    pub fn code_count(&self) -> u32 {
        match &self.map {
            Map::Identity => self.values.id_count(),
            Map::Ids(_) => self.null_code,
        }
    }

    /// The distinct values behind.
    pub fn values(&self) -> &Arc<dyn DistinctValues> {
        &self.values
    }

    /// The id of each code; `None` when each code is its own id.
    pub fn ids(&self) -> Option<&[u32]> {
        match &self.map {
            Map::Identity => None,
            Map::Ids(ids) => Some(ids.ids()),
        }
    }

    /// Type of the values.
    pub fn data_type(&self) -> DataType {
        self.values.data_type()
    }

    /// The values of any codes, NULL included, in their order.
    ///
    /// # Errors
    /// When they cannot be read.
    pub fn decode(&self, codes: &[u32]) -> Result<ArrayRef> {
        match self.all(codes.len())? {
            Some(all) => all.read(codes),
            None => self.look_up(codes),
        }
    }

    /// The values of all codes, where it pays to have them at hand: numbers once an eighth as many rows
    /// were decoded as there are codes, few texts once as many.
    fn all(&self, row_count: usize) -> Result<Option<&ByCode>> {
        let code_count = self.null_code as usize;
        let is_number = self.data_type().to_arrow().primitive_width().is_some();
        if self.values.is_growing() || !is_number && code_count > TEXTS_MAX {
            return Ok(None);
        }
        if let Some(all) = self.all.get() {
            return Ok(Some(all));
        }
        let decoded_count = self.decoded_count.fetch_add(row_count, Ordering::Relaxed) + row_count;
        if decoded_count < if is_number { code_count / 8 } else { code_count } {
            return Ok(None);
        }
        let codes: Vec<u32> = (0..=self.null_code).collect();
        let all = ByCode::new(self.look_up(&codes)?)?;
        // Another worker may have been quicker, with the same values.
        Ok(Some(self.all.get_or_init(|| all)))
    }

    fn look_up(&self, codes: &[u32]) -> Result<ArrayRef> {
        let null_code = self.null_code;
        let mut distinct: Vec<u32> = match self.ids() {
            None => codes.iter().copied().filter(|code| *code != null_code).collect(),
            Some(ids) => codes
                .iter()
                .filter(|code| **code != null_code)
                .map(|code| ids[*code as usize])
                .collect(),
        };
        let valid_count = distinct.len();
        if valid_count == 0 {
            return Ok(new_null_array(&self.data_type().to_arrow(), codes.len()));
        }
        let ascends = distinct.is_sorted_by(|a, b| a < b);
        if !ascends {
            distinct.sort_unstable();
            distinct.dedup();
        }
        let values = self.values.values(&distinct)?;
        if ascends && valid_count == codes.len() {
            return Ok(values);
        }
        let mut valid = 0_u32..;
        let mut position = |code: u32| {
            if ascends {
                // Values are in the order of the codes, NULL left out.
                return valid.next().expect("fewer than 2^32 codes");
            }
            let id = self.ids().map_or(code, |ids| ids[code as usize]);
            let found = distinct.binary_search(&id).expect("every id was collected above");
            u32::try_from(found).expect("fewer than 2^32 ids")
        };
        let positions: UInt32Array =
            codes.iter().map(|code| (*code != null_code).then(|| position(*code))).collect();
        Ok(take(values.as_ref(), &positions, None)?)
    }
}

/// A vector of codes.
#[derive(Clone, Debug)]
pub struct DictionaryVector {
    codes: ScalarBuffer<u32>,
    book: Arc<CodeBook>,
}

impl DictionaryVector {
    /// Codes, each at most the book's NULL code.
    pub fn new(codes: impl Into<ScalarBuffer<u32>>, book: Arc<CodeBook>) -> DictionaryVector {
        DictionaryVector { codes: codes.into(), book }
    }

    /// The codes.
    pub fn codes(&self) -> &[u32] {
        &self.codes
    }

    /// The codes, shared.
    pub fn shared_codes(&self) -> ScalarBuffer<u32> {
        self.codes.clone()
    }

    /// What they stand for.
    pub fn book(&self) -> &Arc<CodeBook> {
        &self.book
    }

    /// The values.
    ///
    /// # Errors
    /// When they cannot be read.
    pub fn decode(&self) -> Result<ArrayRef> {
        self.book.decode(&self.codes)
    }

    /// `len` codes from `offset`, shared.
    #[must_use]
    pub fn slice(&self, offset: usize, len: usize) -> DictionaryVector {
        DictionaryVector::new(self.codes.slice(offset, len), Arc::clone(&self.book))
    }

    /// The codes at `rows`.
    #[must_use]
    pub fn take(&self, rows: &[u32]) -> DictionaryVector {
        let codes: Vec<u32> = rows.iter().map(|row| self.codes[*row as usize]).collect();
        DictionaryVector::new(codes, Arc::clone(&self.book))
    }

    /// Appends the id of each row to `target`; NULL becomes `null_id`.
    pub fn append_ids(&self, null_id: u32, target: &mut Vec<u32>) {
        let null_code = self.book.null_code;
        match self.book.ids() {
            None if null_code == null_id => target.extend_from_slice(&self.codes),
            None => target.extend(
                self.codes.iter().map(|code| if *code == null_code { null_id } else { *code }),
            ),
            Some(ids) => target.extend(
                self.codes.iter().map(|code| ids.get(*code as usize).copied().unwrap_or(null_id)),
            ),
        }
    }

    /// The same values in the identity book of their distinct values, which callers share.
    #[must_use]
    pub fn in_book(&self, identity: &Arc<CodeBook>) -> DictionaryVector {
        if self.book.ids().is_none() {
            return self.clone();
        }
        let mut ids = Vec::with_capacity(self.codes.len());
        self.append_ids(identity.null_code(), &mut ids);
        DictionaryVector::new(ids, Arc::clone(identity))
    }

    /// Bytes of the codes.
    pub fn bytes(&self) -> usize {
        self.codes.len() * size_of::<u32>()
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use arrow::array::{Array, AsArray, StringArray};

    use super::*;

    /// Distinct texts held in memory, ids in the order given.
    #[derive(Debug)]
    pub(crate) struct Texts(pub(crate) StringArray, pub(crate) Option<Vec<u32>>);

    impl DistinctValues for Texts {
        fn data_type(&self) -> DataType {
            DataType::Utf8
        }

        fn id_count(&self) -> u32 {
            u32::try_from(self.0.len()).expect("a test is small")
        }

        fn values(&self, ids: &[u32]) -> Result<ArrayRef> {
            assert!(ids.is_sorted_by(|a, b| a < b), "ids ascend");
            Ok(take(&self.0, &UInt32Array::from(ids.to_vec()), None)?)
        }

        fn order(&self) -> Result<IdOrder<'_>> {
            Ok(self.1.as_deref().map_or(IdOrder::ById, IdOrder::ByRank))
        }

        fn find_id(&self, value: &Value) -> IdOf {
            let Value::Text(text) = value else { return IdOf::Unknown };
            let found = self.0.iter().position(|other| other == Some(text));
            found.map_or(IdOf::Absent, |id| IdOf::Id(u32::try_from(id).expect("a test is small")))
        }
    }

    #[test]
    fn codes_decode_through_their_map_in_any_order() -> Result<()> {
        let values = Arc::new(Texts(StringArray::from(vec!["a", "b", "c", "d"]), None));
        let book = Arc::new(CodeBook::mapped(values, Arc::new(vec![3_u32, 1])));
        let vector = DictionaryVector::new(vec![1, 2, 0, 0, 1], Arc::clone(&book));
        let decoded = vector.decode()?;
        let texts: Vec<_> = decoded.as_string::<i32>().iter().collect();
        assert_eq!(texts, [Some("b"), None, Some("d"), Some("d"), Some("b")]);
        let identity = Arc::new(CodeBook::identity(Arc::clone(book.values())));
        let again = vector.in_book(&identity);
        assert_eq!(again.codes(), [1, 4, 3, 3, 1]);
        assert_eq!(&again.decode()?, &decoded);
        Ok(())
    }
}
