//! Expressions of one dictionary column, evaluated once per distinct value.
//!
//! `LIKE`, `length`, `regexp_replace`, `date_trunc` … of a dictionary column depend on the code alone.
//! The results for all codes of a row group are computed once, in pieces that workers share out, and
//! rows read them through their code. That pays as soon as an eighth as many rows have passed as there
//! are codes, since values cost less in their order than one by one; until then the distinct codes of
//! each batch are evaluated. Where row groups share most of their values, or a kernel takes the pieces
//! of the dictionary as they lie, results are computed once per id of the table. Where some distinct value raises
//! an error, only rows that survive may raise it: such a book falls back to the batches for good.
//! Must not know scans or aggregates.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, UInt32Array};
use arrow::buffer::{BooleanBuffer, ScalarBuffer};
use arrow::compute::{concat, take};
use hashbrown::HashMap;

use super::expression::evaluate;
use super::interner::Interner;
use super::piecewise::{PieceKernel, texts_of};
use super::source::ColumnKind;
use crate::context::Context;
use crate::plan::Expr;
use crate::types::{DataType, Error, Result};
use crate::vector::{ByCode, CodeBook, DictionaryVector, DistinctValues, Vector};

/// Codes evaluated at once.
const PIECE_LEN: usize = 16_384;
/// Codes for which it never pays to wait.
const SMALL: u64 = 1_024;

/// With a kernel for pieces, results for all values cost less than those for so small a share of rows
/// would, value by value.
const PIECEWISE_SHARE: u64 = 128;
/// Pieces of a dictionary taken at once.
const PIECES: usize = 8;

/// An expression of one dictionary column.
#[derive(Debug)]
pub(crate) struct PerValue {
    /// Over column 0.
    expr: Expr,
    /// Whether results are kept per id of the table, not per code of each book.
    by_id: bool,
    kernel: Option<PieceKernel>,
    interner: Option<Arc<CodeBook>>,
    interned: Option<Arc<Interner>>,
    memos: Mutex<HashMap<usize, Arc<Memo>>>,
    books: Mutex<HashMap<usize, Arc<BookMemo>>>,
    row_count: AtomicU64,
}

/// Results for the codes of one book, of all ids or of a row group.
#[derive(Debug)]
struct Memo {
    book: Arc<CodeBook>,
    code_count: u32,
    /// Whether pieces are those of the dictionary, not of the codes.
    piecewise: bool,
    next: AtomicUsize,
    pieces: Vec<OnceLock<Option<ArrayRef>>>,
    whole: OnceLock<Option<Arc<Whole>>>,
}

/// Results for the codes of a row group's book.
#[derive(Debug)]
struct BookMemo {
    book: Arc<CodeBook>,
    row_count: AtomicU64,
    whole: OnceLock<Option<Arc<Whole>>>,
    passing: OnceLock<Option<Arc<Vec<u64>>>>,
}

#[derive(Debug)]
enum Whole {
    Array(ByCode),
    /// Interned ids by code.
    Ids(Vec<u32>),
}

/// Where results are found.
#[derive(Debug)]
enum Found {
    ByCode(Arc<Whole>),
    ById(Arc<Whole>, u32),
    Nowhere,
}

impl PerValue {
    /// Evaluates `expr`, whose only column is 0, over a column of `kind`. With `intern`, text results
    /// become codes again, so that they can be grouped by number.
    pub(crate) fn new(expr: Expr, by_id: bool, intern: bool) -> PerValue {
        let data_type = expr.data_type();
        let text = matches!(data_type, DataType::Utf8 | DataType::Binary);
        let interned = (intern && text).then(|| Arc::new(Interner::new(data_type)));
        let interner = interned.clone().map(|interner| {
            let values: Arc<dyn DistinctValues> = interner;
            Arc::new(CodeBook::identity(values))
        });
        PerValue {
            kernel: PieceKernel::of(&expr),
            expr,
            by_id,
            interner,
            interned,
            memos: Mutex::default(),
            books: Mutex::default(),
            row_count: AtomicU64::new(0),
        }
    }

    /// How results are represented.
    pub(crate) fn kind(&self) -> ColumnKind {
        match &self.interner {
            Some(identity) => {
                ColumnKind::Dictionary { identity: Arc::clone(identity), by_id: false }
            }
            None => ColumnKind::flat(self.expr.data_type()),
        }
    }

    /// The results for the rows of `vector`.
    ///
    /// # Errors
    /// Those of the expression, for values that occur in `vector`.
    pub(crate) fn evaluate(&self, vector: &DictionaryVector, context: &Context) -> Result<Vector> {
        match self.find(&self.book_memo(vector.book()), vector.codes().len(), context) {
            Found::ByCode(whole) => self.read(vector.shared_codes(), &whole),
            Found::ById(whole, null_id) => {
                let mut ids = Vec::with_capacity(vector.codes().len());
                vector.append_ids(null_id, &mut ids);
                self.read(ids.into(), &whole)
            }
            Found::Nowhere => self.evaluate_batch(vector, context),
        }
    }

    /// A bit for each code of `book` for which a predicate is true, if that is worth it for
    /// `row_count` more rows and no value raises an error.
    pub(crate) fn passing(
        &self,
        book: &Arc<CodeBook>,
        row_count: usize,
        context: &Context,
    ) -> Option<Arc<Vec<u64>>> {
        let memo = self.book_memo(book);
        match self.find(&memo, row_count, context) {
            Found::ByCode(whole) => memo.passing.get_or_init(|| passing(&whole)).clone(),
            Found::ById(..) | Found::Nowhere => None,
        }
    }

    fn book_memo(&self, book: &Arc<CodeBook>) -> Arc<BookMemo> {
        let mut books = self.books.lock().unwrap_or_else(PoisonError::into_inner);
        let memo = books.entry(Arc::as_ptr(book).addr()).or_insert_with(|| {
            let (whole, passing) = (OnceLock::new(), OnceLock::new());
            Arc::new(BookMemo {
                book: Arc::clone(book),
                row_count: AtomicU64::new(0),
                whole,
                passing,
            })
        });
        Arc::clone(memo)
    }

    /// The results, if they are there or now worth computing, for `len` more rows of a book.
    fn find(&self, memo: &BookMemo, len: usize, context: &Context) -> Found {
        let len = len as u64;
        let seen = memo.row_count.fetch_add(len, Ordering::Relaxed) + len;
        let seen_of_all = self.row_count.fetch_add(len, Ordering::Relaxed) + len;
        if let Some(whole) = memo.whole.get() {
            return whole.clone().map_or(Found::Nowhere, Found::ByCode);
        }
        let book = &memo.book;
        // While ids may be added, there is no whole.
        if book.null_code() == u32::MAX || book.values().is_growing() {
            return Found::Nowhere;
        }
        let (code_count, id_count) =
            (u64::from(book.code_count()), u64::from(book.values().id_count()));
        let share = if self.kernel.is_some() { PIECEWISE_SHARE } else { 8 };
        let all_pay = seen_of_all >= id_count / share || id_count < SMALL;
        if (self.by_id || self.kernel.is_some()) && all_pay {
            let Some(whole) = self.memo(&identity_of(book)).whole(self, context) else {
                return Found::Nowhere;
            };
            if seen < code_count / 16 && code_count >= SMALL {
                let null_id = book.values().id_count();
                return Found::ById(whole, null_id);
            }
            let by_code = memo.whole.get_or_init(|| by_code(book, &whole).ok().map(Arc::new));
            return by_code.clone().map_or(Found::Nowhere, Found::ByCode);
        }
        let codes_pay = seen >= code_count / 8 || code_count < SMALL;
        // A kernel waits for the rows that make all values pay: those of a row group have no pieces.
        if self.by_id || self.kernel.is_some() || !codes_pay {
            return Found::Nowhere;
        }
        // Not inside `get_or_init`: workers that ask at the same time share the work.
        let whole = self.memo(book).whole(self, context);
        let whole = memo.whole.get_or_init(|| whole);
        whole.clone().map_or(Found::Nowhere, Found::ByCode)
    }

    /// The shared results of a book; a list of ids has one memo, whoever asks.
    fn memo(&self, book: &Arc<CodeBook>) -> Arc<Memo> {
        let key = if book.ids().is_none() {
            Arc::as_ptr(book.values()).cast::<u8>().addr()
        } else {
            Arc::as_ptr(book).addr()
        };
        let mut memos = self.memos.lock().unwrap_or_else(PoisonError::into_inner);
        let memo = memos.entry(key).or_insert_with(|| Arc::new(Memo::new(Arc::clone(book))));
        Arc::clone(memo)
    }

    fn read(&self, codes: ScalarBuffer<u32>, whole: &Whole) -> Result<Vector> {
        Ok(match (whole, &self.interner) {
            (Whole::Ids(ids), Some(identity)) => {
                let codes: Vec<u32> = codes.iter().map(|code| ids[*code as usize]).collect();
                Vector::Dictionary(DictionaryVector::new(codes, Arc::clone(identity)))
            }
            (Whole::Array(array), _) => Vector::Flat(array.read(&codes)?),
            (Whole::Ids(_), None) => return Err(Error::internal("interned without an interner")),
        })
    }

    /// Evaluates once per distinct code of the batch.
    fn evaluate_batch(&self, vector: &DictionaryVector, context: &Context) -> Result<Vector> {
        let mut distinct = vector.codes().to_vec();
        distinct.sort_unstable();
        distinct.dedup();
        let values = vector.book().decode(&distinct)?;
        let results = evaluate(&self.expr, &[values], distinct.len(), context)?;
        let position = |code: &u32| {
            let found = distinct.binary_search(code).expect("every code was collected above");
            u32::try_from(found).expect("batches are short")
        };
        if let (Some(identity), Some(interner)) = (&self.interner, &self.interned) {
            let ids = interner.intern(&results, identity.null_code())?;
            let codes: Vec<u32> =
                vector.codes().iter().map(|code| ids[position(code) as usize]).collect();
            return Ok(Vector::Dictionary(DictionaryVector::new(codes, Arc::clone(identity))));
        }
        let positions: UInt32Array = vector.codes().iter().map(position).collect();
        Ok(Vector::Flat(take(results.as_ref(), &positions, None)?))
    }
}

/// The book of all ids behind `book`.
fn identity_of(book: &Arc<CodeBook>) -> Arc<CodeBook> {
    match book.ids() {
        None => Arc::clone(book),
        Some(_) => Arc::new(CodeBook::identity(Arc::clone(book.values()))),
    }
}

/// Results by id as results by the codes of `book`.
fn by_code(book: &CodeBook, whole: &Whole) -> Result<Whole> {
    let null_id = book.values().id_count();
    let mut ids = match book.ids() {
        Some(ids) => ids.to_vec(),
        None => (0..null_id).collect(),
    };
    ids.push(null_id);
    Ok(match whole {
        Whole::Array(results) => Whole::Array(results.reordered(&ids)?),
        Whole::Ids(interned) => {
            Whole::Ids(ids.into_iter().map(|id| interned[id as usize]).collect())
        }
    })
}

/// A bit for each code whose result is true.
fn passing(whole: &Whole) -> Option<Arc<Vec<u64>>> {
    let Whole::Array(results) = whole else { return None };
    let bits = true_bits(results.booleans()?);
    let chunks = bits.bit_chunks();
    Some(Arc::new(chunks.iter_padded().collect()))
}

impl Memo {
    fn new(book: Arc<CodeBook>) -> Memo {
        let code_count = book.code_count();
        let text_pieces = book.values().piece_count();
        let piecewise = book.ids().is_none() && text_pieces > 0;
        let piece_count = if piecewise {
            text_pieces.div_ceil(PIECES) + 1
        } else {
            (code_count as usize + 1).div_ceil(PIECE_LEN)
        };
        Memo {
            book,
            code_count,
            piecewise,
            next: AtomicUsize::new(0),
            pieces: (0..piece_count).map(|_| OnceLock::new()).collect(),
            whole: OnceLock::new(),
        }
    }

    /// The results for all codes; workers that ask at the same time share the work. `None` when some
    /// code has no result.
    fn whole(&self, per_value: &PerValue, context: &Context) -> Option<Arc<Whole>> {
        if let Some(whole) = self.whole.get() {
            return whole.clone();
        }
        loop {
            let index = self.next.fetch_add(1, Ordering::Relaxed);
            if index >= self.pieces.len() {
                break;
            }
            self.piece(index, per_value, context);
        }
        let put_together = || {
            let pieces: Option<Vec<&ArrayRef>> =
                (0..self.pieces.len()).map(|index| self.piece(index, per_value, context)).collect();
            self.put_together(&pieces?, per_value).ok().map(Arc::new)
        };
        self.whole.get_or_init(put_together).clone()
    }

    fn piece(&self, index: usize, per_value: &PerValue, context: &Context) -> Option<&ArrayRef> {
        let compute = || {
            context.cancel.check().ok()?;
            if self.piecewise && index + 1 < self.pieces.len() {
                return self.text_pieces(index, per_value, context).ok();
            }
            let codes: Vec<u32> = if self.piecewise {
                vec![self.code_count]
            } else {
                let start = u32::try_from(index * PIECE_LEN).ok()?;
                let end = u32::try_from((index + 1) * PIECE_LEN).ok()?.min(self.code_count + 1);
                (start..end).collect()
            };
            let values = self.book.decode(&codes).ok()?;
            evaluate(&per_value.expr, &[values], codes.len(), context).ok()
        };
        self.pieces[index].get_or_init(compute).as_ref()
    }

    /// The results for some neighbouring pieces of the dictionary.
    fn text_pieces(
        &self,
        index: usize,
        per_value: &PerValue,
        context: &Context,
    ) -> Result<ArrayRef> {
        let values = self.book.values();
        let mut arrays = Vec::with_capacity(PIECES);
        for piece_idx in index * PIECES..values.piece_count().min((index + 1) * PIECES) {
            values.with_piece(piece_idx, &mut |piece| {
                arrays.push(match &per_value.kernel {
                    Some(kernel) => kernel.run(piece)?,
                    None => evaluate(&per_value.expr, &[texts_of(piece)?], piece.len(), context)?,
                });
                Ok(())
            })?;
        }
        let arrays: Vec<&dyn Array> = arrays.iter().map(AsRef::as_ref).collect();
        Ok(concat(&arrays)?)
    }

    fn put_together(&self, pieces: &[&ArrayRef], per_value: &PerValue) -> Result<Whole> {
        if let (Some(identity), Some(interner)) = (&per_value.interner, &per_value.interned) {
            let mut ids = Vec::with_capacity(self.code_count as usize + 1);
            for piece in pieces {
                ids.extend(interner.intern(piece, identity.null_code())?);
            }
            return Ok(Whole::Ids(ids));
        }
        let arrays: Vec<&dyn Array> = pieces.iter().map(AsRef::as_ref).collect();
        ByCode::new(concat(&arrays)?).map(Whole::Array)
    }
}

/// Which rows of a boolean vector are true; NULL is not.
pub(crate) fn true_rows(vector: &Vector) -> Result<Vec<u32>> {
    let array = vector.decode()?;
    let Some(values) = array.as_boolean_opt() else {
        return Err(Error::internal("a predicate gave no booleans"));
    };
    let bits = true_bits(values);
    Ok(bits.set_indices().map(|row| u32::try_from(row).expect("batches are short")).collect())
}

fn true_bits(values: &BooleanArray) -> BooleanBuffer {
    match values.nulls() {
        Some(nulls) => values.values() & nulls.inner(),
        None => values.values().clone(),
    }
}
