//! Expressions of one dictionary column, evaluated once per distinct value.
//!
//! `LIKE`, `length`, `regexp_replace`, `date_trunc` … of a dictionary column depend on the code alone.
//! The results for all codes of a row group are computed once, in pieces that workers share out, and
//! rows read them through their code. That pays as soon as an eighth as many rows have passed as there
//! are codes, since values cost less in their order than one by one; until then the distinct codes of
//! each batch are evaluated. Where some distinct value raises
//! an error, only rows that survive may raise it: such a book falls back to the batches for good.
//! Must not know scans or aggregates.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use arrow::array::{Array, ArrayRef, AsArray, UInt32Array};
use arrow::compute::{concat, take};
use hashbrown::HashMap;

use super::expression::evaluate;
use super::interner::Interner;
use super::source::ColumnKind;
use crate::context::Context;
use crate::plan::Expr;
use crate::types::{DataType, Error, Result};
use crate::vector::{CodeBook, DictionaryVector, DistinctValues, Vector};

/// Codes evaluated at once.
const PIECE_LEN: usize = 16_384;
/// Codes for which it never pays to wait.
const SMALL: u64 = 1_024;

/// An expression of one dictionary column.
#[derive(Debug)]
pub(crate) struct PerValue {
    /// Over column 0.
    expr: Expr,
    /// Whether results are kept per id of the table, not per code of each book.
    by_id: bool,
    interner: Option<Arc<CodeBook>>,
    interned: Option<Arc<Interner>>,
    memos: Mutex<HashMap<usize, Arc<Memo>>>,
}

/// Results for the codes of one book.
#[derive(Debug)]
struct Memo {
    book: Arc<CodeBook>,
    code_count: u32,
    row_count: AtomicU64,
    next: AtomicUsize,
    pieces: Vec<OnceLock<Option<ArrayRef>>>,
    whole: OnceLock<Option<Whole>>,
}

#[derive(Debug)]
enum Whole {
    /// By code; the last is NULL's.
    Array(ArrayRef),
    /// Interned ids by code.
    Ids(Vec<u32>),
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
        PerValue { expr, by_id, interner, interned, memos: Mutex::default() }
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
        let memo = self.memo(vector.book());
        let len = vector.codes().len() as u64;
        let seen = memo.row_count.fetch_add(len, Ordering::Relaxed) + len;
        let worth_it = seen >= u64::from(memo.code_count) / 8 || u64::from(memo.code_count) < SMALL;
        if worth_it && let Some(whole) = memo.whole(self, context) {
            return self.read(vector, &memo, whole);
        }
        self.evaluate_batch(vector, context)
    }

    fn memo(&self, book: &Arc<CodeBook>) -> Arc<Memo> {
        let key = if self.by_id {
            Arc::as_ptr(book.values()).cast::<u8>().addr()
        } else {
            Arc::as_ptr(book).addr()
        };
        let mut memos = self.memos.lock().unwrap_or_else(PoisonError::into_inner);
        let memo = memos.entry(key).or_insert_with(|| {
            let book = if self.by_id {
                Arc::new(CodeBook::identity(Arc::clone(book.values())))
            } else {
                Arc::clone(book)
            };
            Arc::new(Memo::new(book))
        });
        Arc::clone(memo)
    }

    fn read(&self, vector: &DictionaryVector, memo: &Memo, whole: &Whole) -> Result<Vector> {
        let mut ids = Vec::new();
        let codes = if self.by_id {
            vector.append_ids(memo.code_count, &mut ids);
            &ids
        } else {
            vector.codes()
        };
        Ok(match (whole, &self.interner) {
            (Whole::Ids(ids), Some(identity)) => {
                let codes: Vec<u32> = codes.iter().map(|code| ids[*code as usize]).collect();
                Vector::Dictionary(DictionaryVector::new(codes, Arc::clone(identity)))
            }
            (Whole::Array(array), _) => {
                let positions = UInt32Array::from(codes.to_vec());
                Vector::Flat(take(array.as_ref(), &positions, None)?)
            }
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

impl Memo {
    fn new(book: Arc<CodeBook>) -> Memo {
        // While ids may be added, there is no whole.
        let code_count = if book.null_code() == u32::MAX { u32::MAX } else { book.code_count() };
        let piece_count =
            if code_count == u32::MAX { 0 } else { (code_count as usize + 1).div_ceil(PIECE_LEN) };
        Memo {
            book,
            code_count,
            row_count: AtomicU64::new(0),
            next: AtomicUsize::new(0),
            pieces: (0..piece_count).map(|_| OnceLock::new()).collect(),
            whole: OnceLock::new(),
        }
    }

    /// The results for all codes; workers that ask at the same time share the work. `None` when some
    /// code has no result.
    fn whole(&self, per_value: &PerValue, context: &Context) -> Option<&Whole> {
        if self.pieces.is_empty() {
            return None;
        }
        if let Some(whole) = self.whole.get() {
            return whole.as_ref();
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
            self.put_together(&pieces?, per_value).ok()
        };
        self.whole.get_or_init(put_together).as_ref()
    }

    fn piece(&self, index: usize, per_value: &PerValue, context: &Context) -> Option<&ArrayRef> {
        let compute = || {
            let start = u32::try_from(index * PIECE_LEN).ok()?;
            let end = u32::try_from((index + 1) * PIECE_LEN).ok()?.min(self.code_count + 1);
            let codes: Vec<u32> = (start..end).collect();
            let values = self.book.decode(&codes).ok()?;
            context.cancel.check().ok()?;
            evaluate(&per_value.expr, &[values], codes.len(), context).ok()
        };
        self.pieces[index].get_or_init(compute).as_ref()
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
        Ok(Whole::Array(concat(&arrays)?))
    }
}

/// Which rows of a boolean vector are true; NULL is not.
pub(crate) fn true_rows(vector: &Vector) -> Result<Vec<u32>> {
    let array = vector.decode()?;
    let Some(values) = array.as_boolean_opt() else {
        return Err(Error::internal("a predicate gave no booleans"));
    };
    let bits = match values.nulls() {
        Some(nulls) => values.values() & nulls.inner(),
        None => values.values().clone(),
    };
    Ok(bits.set_indices().map(|row| u32::try_from(row).expect("batches are short")).collect())
}
