//! Loads in the order of some of their columns.
//!
//! Each sort column becomes one unsigned number per row whose order is the order asked for. The
//! numbers of all sort columns and the row's own are packed into one integer where they fit, and the
//! integers are sorted; the row numbers that come out are the permutation, which every column then
//! follows. The sort is stable. Must not know files or storage.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, DictionaryArray, Int32Array, UInt32Array};
use arrow::buffer::{NullBuffer, ScalarBuffer};
use arrow::datatypes::Int32Type;

use super::queue::ArrayQueue;
use super::{ColumnArrays, ColumnSource};
use crate::catalog::NewField;
use crate::context::{Context, Reservation};
use crate::storage::dictionary::{FixedKey, KeyKind, LocalBuilder};
use crate::types::{DataType, Error, Result};

/// One column of an `ORDER BY`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OrderKey {
    /// The column's position.
    pub column: usize,
    /// Greatest first.
    pub descending: bool,
    /// NULLs before all values.
    pub nulls_first: bool,
}

/// A source whose rows come in the order of some columns.
pub(super) struct Ordered<'a> {
    source: &'a dyn ColumnSource,
    context: &'a Context,
    rows: Arc<[u32]>,
    _memory: Reservation,
}

impl<'a> Ordered<'a> {
    /// Reads the columns of `keys` and sorts.
    ///
    /// # Errors
    /// `Unsupported` from 2^32 rows on; `OutOfMemory`; as the source.
    pub(super) fn new(
        source: &'a dyn ColumnSource,
        keys: &[OrderKey],
        row_count: usize,
        context: &'a Context,
    ) -> Result<Ordered<'a>> {
        if u32::try_from(row_count).is_err() {
            return Err(Error::unsupported("ordering a load of 2^32 rows or more")
                .with_hint("load it in several parts"));
        }
        let mut memory = context.memory.reservation("ordering a load");
        let mut columns = Vec::with_capacity(keys.len());
        for key in keys {
            // The numbers of the columns, and the integers that are sorted at the end.
            memory.grow(row_count * 24)?;
            columns.push(numbers(source, key, row_count, context)?);
        }
        let rows = sort(&columns, row_count);
        drop(columns);
        memory.resize(rows.len() * 4)?;
        Ok(Ordered { source, context, rows: rows.into(), _memory: memory })
    }
}

impl ColumnSource for Ordered<'_> {
    fn fields(&self) -> &[NewField] {
        self.source.fields()
    }

    fn row_count(&self) -> Option<u64> {
        u64::try_from(self.rows.len()).ok()
    }

    fn column_bytes(&self, index: usize) -> u64 {
        self.source.column_bytes(index)
    }

    fn column(&self, index: usize, batch_len: usize) -> Result<ColumnArrays<'_>> {
        let field = &self.source.fields()[index];
        let mut memory = self.context.memory.reservation("ordering a column");
        let mut queue = ArrayQueue::new(self.source.column(index, batch_len)?, field);
        let all: ArrayRef = if KeyKind::of(field.data_type) == Some(KeyKind::Bytes) {
            interned(&mut queue, field.data_type, self.rows.len(), (&mut memory, self.context))?
        } else {
            let width = field.data_type.to_arrow().primitive_width().unwrap_or(16);
            memory.resize(2 * width * self.rows.len())?;
            queue.exactly(self.rows.len())?
        };
        queue.finish()?;
        let rows = Arc::clone(&self.rows);
        let mut start = 0;
        Ok(Box::new(std::iter::from_fn(move || {
            let _held = &memory;
            let batch = rows.get(start..rows.len().min(start + batch_len))?;
            start += batch.len();
            (!batch.is_empty()).then(|| take(&all, batch))
        })))
    }
}

fn take(all: &ArrayRef, rows: &[u32]) -> Result<ArrayRef> {
    let rows = UInt32Array::from(rows.to_vec());
    if let Some(dictionary) = all.as_dictionary_opt::<Int32Type>() {
        // The keys alone: arrow's own kernel would do, but may touch the values.
        let keys = arrow::compute::take(dictionary.keys(), &rows, None)?;
        let keys = keys.as_primitive::<Int32Type>().clone();
        let values = Arc::clone(dictionary.values());
        return Ok(Arc::new(DictionaryArray::<Int32Type>::try_new(keys, values)?));
    }
    Ok(arrow::compute::take(all, &rows, None)?)
}

/// All rows of a column of text or blobs as one dictionary: distinct values are held once.
fn interned(
    queue: &mut ArrayQueue<'_>,
    data_type: DataType,
    row_count: usize,
    (memory, context): (&mut Reservation, &Context),
) -> Result<ArrayRef> {
    /// Rows between two looks at the cancel token.
    const BATCH_LEN: usize = 65_536;
    let mut builder = LocalBuilder::new(data_type, row_count);
    while builder.row_count() < row_count {
        context.cancel.check()?;
        builder.push(&queue.some(BATCH_LEN.min(row_count - builder.row_count()))?)?;
        memory.resize(2 * builder.memory_bytes())?;
    }
    let has_nulls = builder.null_count() > 0;
    let (values, codes) = builder.finish().into_codes(None);
    let values = values.to_array(0..values.len(), data_type)?;
    let null = u32::try_from(values.len()).unwrap_or(u32::MAX);
    let validity =
        has_nulls.then(|| codes.iter().map(|code| *code != null).collect::<NullBuffer>());
    let keys: Result<Vec<i32>, _> = codes
        .into_iter()
        .map(|code| i32::try_from(if has_nulls && code == null { 0 } else { code }))
        .collect();
    let keys = keys.map_err(|_| Error::unsupported("ordering 2^31 distinct texts"))?;
    let keys = Int32Array::new(ScalarBuffer::from(keys), validity);
    Ok(Arc::new(DictionaryArray::<Int32Type>::try_new(keys, values)?))
}

/// A sort column: one number per row, and how many bits they have.
struct Numbers {
    numbers: Vec<u128>,
    bits: u32,
}

fn numbers(
    source: &dyn ColumnSource,
    key: &OrderKey,
    row_count: usize,
    context: &Context,
) -> Result<Numbers> {
    let field = source.fields().get(key.column).ok_or_else(|| {
        Error::internal(format!("a load is ordered by column {}, which it has not", key.column))
    })?;
    let data_type = field.data_type;
    let mut queue = ArrayQueue::new(source.column(key.column, 65_536)?, field);
    let mut memory = context.memory.reservation("ordering a load");
    let (mut numbers, validity) = match KeyKind::of(data_type) {
        Some(KeyKind::Bytes) => {
            let all = interned(&mut queue, data_type, row_count, (&mut memory, context))?;
            let keys = all.as_dictionary::<Int32Type>().keys();
            // Sorted local codes have the order of their texts.
            let numbers = keys.values().iter().map(|key| u128::from(key.unsigned_abs())).collect();
            (numbers, keys.nulls().cloned())
        }
        kind => fixed_numbers(&queue.exactly(row_count)?, data_type, kind),
    };
    let valid = |row: usize| validity.as_ref().is_none_or(|validity| validity.is_valid(row));
    let values = || numbers.iter().enumerate().filter(|(row, _)| valid(*row)).map(|(_, n)| *n);
    let (min, max) = (values().min().unwrap_or(0), values().max().unwrap_or(0));
    // 0 is NULL first, range + 2 is NULL last, the values lie between: unless all 128 bits differ,
    // which no type of ours can do (decimals end at 38 digits), except uuids.
    let range = max - min;
    let shift = u128::from(validity.is_some() && range < u128::MAX - 1);
    let last = range.saturating_add(2 * shift);
    for (row, number) in numbers.iter_mut().enumerate() {
        *number = match valid(row) {
            false if key.nulls_first => 0,
            false => last,
            true if key.descending => max - *number + shift,
            true => *number - min + shift,
        };
    }
    Ok(Numbers { numbers, bits: 128 - last.leading_zeros() })
}

fn fixed_numbers(
    array: &ArrayRef,
    data_type: DataType,
    kind: Option<KeyKind>,
) -> (Vec<u128>, Option<NullBuffer>) {
    let numbers = match kind {
        Some(KeyKind::Wide) => {
            let mut keys: Vec<u128> = Vec::with_capacity(array.len());
            u128::extend_from(&mut keys, array, data_type);
            keys
        }
        Some(_) => {
            let mut keys: Vec<u64> = Vec::with_capacity(array.len());
            u64::extend_from(&mut keys, array, data_type);
            keys.into_iter().map(u128::from).collect()
        }
        None => array.as_boolean().values().iter().map(u128::from).collect(),
    };
    (numbers, array.nulls().filter(|nulls| nulls.null_count() > 0).cloned())
}

/// The rows in order.
fn sort(columns: &[Numbers], row_count: usize) -> Vec<u32> {
    let rows = 0..u32::try_from(row_count).expect("the caller checks the row count");
    let row_bits = u32::BITS - rows.end.leading_zeros();
    let bits = columns.iter().map(|column| column.bits).sum::<u32>() + row_bits;
    let pack = |row: u32, index: usize| {
        let packed = columns
            .iter()
            .fold(0, |packed, column| shifted(packed, column.bits) | column.numbers[index]);
        shifted(packed, row_bits) | u128::from(row)
    };
    let low_bits = |packed: u128| {
        let row = packed & ((1 << row_bits) - 1);
        u32::try_from(row).expect("rows have at most 32 bits")
    };
    if bits <= 64 {
        let narrow = |packed: u128| u64::try_from(packed).expect("64 bits were counted");
        let mut packed: Vec<u64> =
            rows.enumerate().map(|(index, row)| narrow(pack(row, index))).collect();
        packed.sort_unstable();
        return packed.into_iter().map(|packed| low_bits(packed.into())).collect();
    }
    if bits <= 128 {
        let mut packed: Vec<u128> = rows.enumerate().map(|(index, row)| pack(row, index)).collect();
        packed.sort_unstable();
        return packed.into_iter().map(low_bits).collect();
    }
    let mut sorted: Vec<(usize, u32)> = rows.enumerate().collect();
    sorted.sort_by(|(a, _), (b, _)| {
        let of = |index: usize| columns.iter().map(move |column| column.numbers[index]);
        of(*a).cmp(of(*b))
    });
    sorted.into_iter().map(|(_, row)| row).collect()
}

fn shifted(packed: u128, bits: u32) -> u128 {
    packed.checked_shl(bits).unwrap_or(0)
}
