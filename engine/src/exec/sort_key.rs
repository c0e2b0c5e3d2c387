//! Sort keys as bytes that compare as SQL orders the rows, and as short prefixes that rule rows out.
//!
//! Keys are encoded by Arrow's row format. A dictionary column enters by the rank of its value, so
//! that no text is read to compare texts. Must not know what is sorted.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, UInt32Array};
use arrow::compute::SortOptions;
use arrow::datatypes::{
    DataType as ArrowType, Decimal128Type, Float64Type, Int64Type, UInt32Type, UInt64Type,
};
use arrow::row::{RowConverter, Rows, SortField};

use super::aggregate::canonical_floats;
use super::program::Program;
use super::source::ColumnKind;
use crate::context::Context;
use crate::kernel;
use crate::plan::{Expr, SortKey};
use crate::types::{DataType, Result, Value, cast};
use crate::vector::{Batch, DictionaryVector, IdOrder, Vector};

/// Prefixes of values lie between those of NULLs; several values may share these two.
const FIRST_OF_VALUES: u64 = 1;
const LAST_OF_VALUES: u64 = u64::MAX - 1;

/// Sort keys made ready for batches of one source.
#[derive(Debug)]
pub(crate) struct KeyProgram {
    program: Program,
    options: Vec<SortOptions>,
    converter: RowConverter,
    said: Said,
}

/// What a prefix says of a whole key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Said {
    /// Which may come first.
    Order,
    /// And where it is neither the first nor the last prefix of a value, which keys are equal.
    Equality,
    /// All keys are equal.
    Everything,
}

impl KeyProgram {
    /// Makes `keys` ready.
    ///
    /// # Errors
    /// When a key's type has no order.
    pub(crate) fn new(keys: &[SortKey], inputs: &[ColumnKind]) -> Result<KeyProgram> {
        // Without keys all rows are equal; the row format knows no rows without columns.
        let equal = SortKey {
            expr: Expr::literal(Value::Bool(true), DataType::Bool),
            descending: false,
            nulls_first: false,
        };
        let is_empty = keys.is_empty();
        let keys = if is_empty { std::slice::from_ref(&equal) } else { keys };
        let exprs: Vec<Expr> = keys.iter().map(|key| key.expr.clone()).collect();
        let program = Program::new(&exprs, inputs, false);
        let options: Vec<SortOptions> = keys
            .iter()
            .map(|key| SortOptions { descending: key.descending, nulls_first: key.nulls_first })
            .collect();
        let fields = program
            .kinds()
            .iter()
            .zip(&options)
            .map(|(kind, options)| {
                let by_rank = matches!(kind, ColumnKind::Dictionary { identity, .. }
                    if !matches!(identity.values().order(), Ok(IdOrder::Unknown) | Err(_)));
                let arrow = if by_rank { ArrowType::UInt32 } else { kind.data_type().to_arrow() };
                SortField::new_with_options(arrow, *options)
            })
            .collect();
        let said = match program.kinds() {
            _ if is_empty => Said::Everything,
            [kind] if has_whole_prefix(kind) => Said::Equality,
            _ => Said::Order,
        };
        Ok(KeyProgram { program, options, converter: RowConverter::new(fields)?, said })
    }

    /// Whether rows with this prefix have equal keys.
    pub(crate) fn is_whole(&self, prefix: u64) -> bool {
        match self.said {
            Said::Order => false,
            Said::Equality => !matches!(prefix, FIRST_OF_VALUES | LAST_OF_VALUES),
            Said::Everything => true,
        }
    }

    /// The largest prefix of a row that may sort before one with the prefix `of` that came earlier.
    pub(crate) fn last_prefix_before(&self, of: u64) -> u64 {
        if self.is_whole(of) { of.saturating_sub(1) } else { of }
    }

    /// The key columns of a batch.
    ///
    /// # Errors
    /// Those of the key expressions.
    pub(crate) fn columns(&self, batch: &Batch, context: &Context) -> Result<Vec<Vector>> {
        self.program.run(batch, context)
    }

    /// Key columns as rows of bytes.
    ///
    /// # Errors
    /// When ranks or values cannot be read.
    pub(crate) fn encode(&self, columns: &[Vector]) -> Result<Rows> {
        let arrays = columns.iter().map(comparable).collect::<Result<Vec<_>>>()?;
        Ok(self.converter.convert_columns(&arrays)?)
    }

    /// The keys of `rows` as bytes, where the prefixes of some of them do not say all.
    ///
    /// # Errors
    /// When ranks or values cannot be read.
    pub(crate) fn rest(
        &self,
        columns: &[Vector],
        prefixes: &[u64],
        rows: &[u32],
    ) -> Result<Option<Rows>> {
        let prefix = |row: &u32| prefixes.get(*row as usize).copied().unwrap_or(0);
        if rows.iter().all(|row| self.is_whole(prefix(row))) {
            return Ok(None);
        }
        let columns = columns.iter().map(|column| column.take(rows)).collect::<Result<Vec<_>>>()?;
        self.encode(&columns).map(Some)
    }

    /// For each row a number that never decreases from a row to one that sorts behind it.
    ///
    /// # Errors
    /// When ranks or values cannot be read.
    pub(crate) fn prefixes(&self, columns: &[Vector]) -> Result<Vec<u64>> {
        let Some(first) = columns.first() else { return Ok(Vec::new()) };
        let array = match first {
            Vector::Dictionary(vector) => ranks(vector)?,
            // Prefixes of doubles are those of canonical ones.
            other => other.decode()?,
        };
        let options = self.options[0];
        let mut prefixes = ascending_prefixes(&array)?;
        let flip = if options.descending { u64::MAX } else { 0 };
        kernel::flip_and_clamp(&mut prefixes, flip, (FIRST_OF_VALUES, LAST_OF_VALUES));
        if let Some(nulls) = array.logical_nulls().filter(|nulls| nulls.null_count() > 0) {
            let null = if options.nulls_first { 0 } else { u64::MAX };
            for (row, prefix) in prefixes.iter_mut().enumerate() {
                if nulls.is_null(row) {
                    *prefix = null;
                }
            }
        }
        Ok(prefixes)
    }
}

/// Whether values with equal prefixes are equal, except where prefixes are cut off at both ends.
fn has_whole_prefix(kind: &ColumnKind) -> bool {
    if let ColumnKind::Dictionary { identity, .. } = kind
        && matches!(identity.values().order(), Ok(IdOrder::ById | IdOrder::ByRank(_)))
    {
        return true;
    }
    match kind.data_type() {
        DataType::Date | DataType::Timestamp { .. } => true,
        other => other.is_integer() || other.is_float(),
    }
}

/// An array that orders as the vector's values do.
fn comparable(vector: &Vector) -> Result<ArrayRef> {
    match vector {
        Vector::Dictionary(vector) => ranks(vector),
        other => Ok(canonical_floats(other.decode()?)),
    }
}

fn ranks(vector: &DictionaryVector) -> Result<ArrayRef> {
    let values = vector.book().values();
    let order = values.order()?;
    if matches!(order, IdOrder::Unknown) {
        return Ok(canonical_floats(vector.decode()?));
    }
    let mut ids = Vec::with_capacity(vector.codes().len());
    vector.append_ids(u32::MAX, &mut ids);
    let null = if vector.book().ids().is_some() { u32::MAX } else { vector.book().null_code() };
    let valid = ids.iter().map(|id| *id != null && *id != u32::MAX);
    let nulls = valid.collect::<arrow::buffer::NullBuffer>();
    if let IdOrder::ByRank(ranks) = order {
        for id in &mut ids {
            *id = ranks.get(*id as usize).copied().unwrap_or(0);
        }
    }
    let nulls = Some(nulls).filter(|nulls| nulls.null_count() > 0);
    Ok(Arc::new(UInt32Array::new(ids.into(), nulls)))
}

fn ascending_prefixes(array: &ArrayRef) -> Result<Vec<u64>> {
    let signed = |value: i64| value.cast_unsigned() ^ (1 << 63);
    Ok(match array.data_type() {
        ArrowType::UInt32 => {
            array.as_primitive::<UInt32Type>().values().iter().map(|v| u64::from(*v)).collect()
        }
        ArrowType::UInt64 => array.as_primitive::<UInt64Type>().values().to_vec(),
        ArrowType::Float32 | ArrowType::Float64 => {
            let doubles = cast(array, &ArrowType::Float64)?;
            let values = doubles.as_primitive::<Float64Type>().values();
            let mut prefixes = vec![0; values.len()];
            kernel::float_orders(values, &mut prefixes);
            prefixes
        }
        ArrowType::Decimal128(..) => {
            let clamp = |value: i128| {
                i64::try_from(value).unwrap_or(if value < 0 { i64::MIN } else { i64::MAX })
            };
            let values = array.as_primitive::<Decimal128Type>().values();
            values.iter().map(|value| signed(clamp(*value))).collect()
        }
        ArrowType::Utf8 => {
            let texts = array.as_string::<i32>();
            (0..texts.len()).map(|row| leading_bytes(texts.value(row).as_bytes())).collect()
        }
        other
            if other.is_integer()
                || matches!(other, ArrowType::Date32 | ArrowType::Timestamp(..)) =>
        {
            integers(array)?
        }
        _ => vec![0; array.len()],
    })
}

fn integers(array: &ArrayRef) -> Result<Vec<u64>> {
    let integers = cast(array, &ArrowType::Int64)?;
    let values = integers.as_primitive::<Int64Type>().values();
    Ok(values.iter().map(|value| value.cast_unsigned() ^ (1 << 63)).collect())
}

/// The first eight bytes, as a number that orders as they do.
fn leading_bytes(text: &[u8]) -> u64 {
    let mut prefix = 0;
    for index in 0..8 {
        prefix = prefix << 8 | u64::from(text.get(index).copied().unwrap_or(0));
    }
    prefix
}
