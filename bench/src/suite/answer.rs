//! Answers in a form that does not depend on the engine: a row count, a hash of what is exact, and a
//! sum per column that engines round differently.
//!
//! Two engines say the same thing in different types: 3 may be an integer, a decimal or a double, a day
//! a date or a timestamp. So a cell is hashed by its value: whole numbers as integers, others as the
//! nearest double, dates and timestamps as microseconds since 1970. Rows are added up by their hashes,
//! so that their order does not count; the order that a query asks for is a second hash, over the
//! ordering columns in sequence.
//!
//! A rounded average cannot be hashed: wherever the line between two roundings lies, some of 100,000
//! averages that differ in their last bit fall on different sides. Such a column is summed instead, each
//! value with a weight between 1 and 2 that its row's hash decides (so that exchanged values show), and
//! two sums are the same up to a tolerance.
//!
//! Where a LIMIT falls among ties, rows that tie with the last one count by their key alone; an OFFSET
//! does the same to those that tie with the first.

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Decimal128Type, Float64Type, Int64Type, TimeUnit, UInt64Type};
use arrow::record_batch::RecordBatch;
use serde::{Deserialize, Serialize};

use super::query::{Cut, Facts};
use crate::random::{Random, mix};
use crate::{Result, context};

/// How far sums of rounded values may be apart, relative to the larger: Martlet's from the oracle's.
pub(crate) const TOLERANCE: f64 = 1e-9;
/// The same for a peer's, some of which round averages to six decimals.
pub(crate) const PEER_TOLERANCE: f64 = 1e-6;
const NULL: u64 = 0x6E75_6C6C;
const NOT_NULL: u64 = 0x7661_6C75;

/// What an answer says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Answer {
    pub(crate) rows: u64,
    /// Of all exact cells and of the order, 16 hexadecimal digits.
    pub(crate) hash: String,
    /// A weighted sum per rounded column.
    pub(crate) about: Vec<f64>,
}

impl Answer {
    /// Whether both say the same, up to the rounding of columns that are rounded.
    pub(crate) fn agrees_with(&self, other: &Answer, tolerance: f64) -> bool {
        let near = |(a, b): (&f64, &f64)| {
            // Both infinite or both NaN: nothing to subtract.
            a.to_bits() == b.to_bits() || (a - b).abs() <= tolerance * a.abs().max(b.abs())
        };
        self.rows == other.rows
            && self.hash == other.hash
            && self.about.len() == other.about.len()
            && self.about.iter().zip(&other.about).all(near)
    }

    /// What `batches` say, as far as it is determined.
    pub(crate) fn of(batches: &[RecordBatch], facts: &Facts) -> Result<Answer> {
        let rows = batches.iter().map(|batch| batch.num_rows() as u64).sum();
        let mut sums = Sums { about: vec![0.0; facts.about.len()], ..Sums::default() };
        if !facts.any {
            let filled = || batches.iter().filter(|batch| batch.num_rows() > 0);
            let end = |batch: Option<&RecordBatch>, row: fn(usize) -> usize| match batch {
                Some(batch) => row_key(&batch.slice(row(batch.num_rows()), 1), facts).map(Some),
                None => Ok(None),
            };
            let first = end(filled().next(), |_| 0)?;
            let last = end(filled().next_back(), |len| len - 1)?;
            let cut = match facts.cut {
                Cut::None => [None, None],
                Cut::After => [last, None],
                Cut::Both => [last, first],
            };
            for batch in filled() {
                sums.add(batch, facts, cut)?;
            }
        }
        let hash = format!("{:016x}", mix(sums.rows ^ mix(sums.sequence)));
        Ok(Answer { rows, hash, about: sums.about })
    }
}

/// What is added up over the rows.
#[derive(Debug, Default)]
struct Sums {
    rows: u64,
    sequence: u64,
    about: Vec<f64>,
}

impl Sums {
    fn add(&mut self, batch: &RecordBatch, facts: &Facts, cut: [Option<u64>; 2]) -> Result<()> {
        check_columns(batch, facts)?;
        let keys = keys(batch, facts)?;
        if !facts.order.is_empty() {
            for key in &keys {
                self.sequence = mix(self.sequence ^ key).wrapping_add(1);
            }
        }
        let is_determined: Vec<bool> = keys.iter().map(|key| !cut.contains(&Some(*key))).collect();
        let row_hashes = row_hashes(batch, facts)?;
        for (hash, _) in row_hashes.iter().zip(&is_determined).filter(|(_, kept)| **kept) {
            self.rows = self.rows.wrapping_add(mix(*hash));
        }
        for (sum, column) in self.about.iter_mut().zip(&facts.about) {
            let values = cast_to(batch.column(*column), &DataType::Float64)?;
            let values = values.as_primitive::<Float64Type>();
            for (row, hash) in row_hashes.iter().enumerate() {
                if is_determined[row] && values.is_valid(row) && !values.value(row).is_nan() {
                    *sum += values.value(row) * (1.0 + Random::stream(*hash, 0, 0).unit());
                }
            }
        }
        Ok(())
    }
}

fn check_columns(batch: &RecordBatch, facts: &Facts) -> Result<()> {
    match facts.order.iter().chain(&facts.about).find(|column| **column >= batch.num_columns()) {
        Some(column) => {
            Err(format!("no column {} among {}", column + 1, batch.num_columns()).into())
        }
        None => Ok(()),
    }
}

/// The key of the one row of `batch`.
fn row_key(batch: &RecordBatch, facts: &Facts) -> Result<u64> {
    check_columns(batch, facts)?;
    Ok(keys(batch, facts)?[0])
}

/// A hash of the ordering columns, per row.
fn keys(batch: &RecordBatch, facts: &Facts) -> Result<Vec<u64>> {
    let mut keys = vec![0; batch.num_rows()];
    for column in &facts.order {
        combine(&mut keys, &cell_hashes(batch.column(*column))?);
    }
    Ok(keys)
}

/// A hash of all exact columns, and of which rounded ones are NULL, per row.
fn row_hashes(batch: &RecordBatch, facts: &Facts) -> Result<Vec<u64>> {
    let mut hashes = vec![0; batch.num_rows()];
    for (column, array) in batch.columns().iter().enumerate() {
        if facts.about.contains(&column) {
            combine(&mut hashes, &null_hashes(array)?);
        } else {
            combine(&mut hashes, &cell_hashes(array)?);
        }
    }
    Ok(hashes)
}

fn combine(hashes: &mut [u64], cells: &[u64]) {
    for (hash, cell) in hashes.iter_mut().zip(cells) {
        *hash = mix(hash.rotate_left(5) ^ cell);
    }
}

/// NULL and NaN count as the same: engines answer one or the other where there is nothing to average.
fn null_hashes(array: &ArrayRef) -> Result<Vec<u64>> {
    let values = cast_to(array, &DataType::Float64)?;
    let values = values.as_primitive::<Float64Type>();
    let is_null = |value: Option<f64>| value.is_none_or(f64::is_nan);
    Ok(values.iter().map(|value| if is_null(value) { NULL } else { NOT_NULL }).collect())
}

/// A hash per cell by value, whatever the type that holds it.
fn cell_hashes(array: &ArrayRef) -> Result<Vec<u64>> {
    let array = if let DataType::Dictionary(_, values) = array.data_type() {
        &cast_to(array, values)?
    } else {
        array
    };
    let data_type = array.data_type();
    Ok(match data_type {
        DataType::Null => vec![NULL; array.len()],
        DataType::UInt64 => {
            let cells = array.as_primitive::<UInt64Type>().iter();
            cells.map(|cell| cell.map_or(NULL, |x| integer_hash(i128::from(x)))).collect()
        }
        DataType::Boolean => {
            hashes::<Int64Type>(array, &DataType::Int64, |x| integer_hash(x.into()))?
        }
        _ if data_type.is_integer() => {
            hashes::<Int64Type>(array, &DataType::Int64, |x| integer_hash(x.into()))?
        }
        _ if data_type.is_floating() => {
            hashes::<Float64Type>(array, &DataType::Float64, number_hash)?
        }
        DataType::Decimal128(_, scale) => {
            let scale = *scale;
            hashes::<Decimal128Type>(array, data_type, |x| decimal_hash(x, scale))?
        }
        DataType::Decimal32(_, scale)
        | DataType::Decimal64(_, scale)
        | DataType::Decimal256(_, scale) => {
            let (wide, scale) = (DataType::Decimal128(38, *scale), *scale);
            hashes::<Decimal128Type>(array, &wide, |x| decimal_hash(x, scale))?
        }
        DataType::Date32 | DataType::Date64 | DataType::Timestamp(..) => {
            let micros = cast_to(array, &DataType::Timestamp(TimeUnit::Microsecond, None))?;
            hashes::<Int64Type>(&micros, &DataType::Int64, |x| mix(x.cast_unsigned() ^ 0xDA7E))?
        }
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => {
            let texts = cast_to(array, &DataType::LargeUtf8)?;
            let texts = texts.as_string::<i64>();
            texts.iter().map(|text| text.map_or(NULL, |text| bytes_hash(text.as_bytes()))).collect()
        }
        DataType::Binary | DataType::LargeBinary | DataType::BinaryView => {
            let values = cast_to(array, &DataType::LargeBinary)?;
            values.as_binary::<i64>().iter().map(|cell| cell.map_or(NULL, bytes_hash)).collect()
        }
        other => return Err(format!("an answer of type {other} cannot be compared").into()),
    })
}

fn hashes<T: arrow::array::ArrowPrimitiveType>(
    array: &ArrayRef,
    data_type: &DataType,
    hash: impl Fn(T::Native) -> u64,
) -> Result<Vec<u64>> {
    let array = cast_to(array, data_type)?;
    Ok(array.as_primitive::<T>().iter().map(|cell| cell.map_or(NULL, &hash)).collect())
}

fn cast_to(array: &ArrayRef, data_type: &DataType) -> Result<ArrayRef> {
    if array.data_type() == data_type {
        return Ok(ArrayRef::clone(array));
    }
    cast(array, data_type).map_err(context(format!("a column of type {}", array.data_type())))
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the two halves")]
fn integer_hash(value: i128) -> u64 {
    mix(mix(value as u64) ^ ((value >> 64) as u64))
}

/// Whole numbers as the integer that another engine may answer, others by their bits.
#[expect(clippy::cast_possible_truncation, reason = "a whole number below 2^53")]
fn number_hash(value: f64) -> u64 {
    if value.fract() == 0.0 && value.abs() < 9e15 {
        integer_hash(i128::from(value as i64))
    } else {
        mix(value.to_bits() ^ 0xF10A)
    }
}

/// Decimals of no fraction as integers, others as the nearest double.
#[expect(clippy::cast_precision_loss, reason = "as a double is what it becomes")]
fn decimal_hash(value: i128, scale: i8) -> u64 {
    let unit = 10_i128.pow(u32::from(scale.max(0).unsigned_abs()));
    if value % unit == 0 {
        integer_hash(value / unit)
    } else {
        number_hash(value as f64 / unit as f64)
    }
}

/// FNV-1a.
fn bytes_hash(bytes: &[u8]) -> u64 {
    let step = |hash: u64, byte: &u8| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01B3);
    mix(bytes.iter().fold(0xCBF2_9CE4_8422_2325, step))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{
        BooleanArray, Date32Array, Decimal128Array, Float64Array, Int16Array, Int64Array,
        StringArray, StringViewArray, TimestampMicrosecondArray, TimestampSecondArray,
    };

    use super::*;

    fn batch(columns: Vec<ArrayRef>) -> RecordBatch {
        let columns = columns.into_iter().enumerate();
        RecordBatch::try_from_iter(columns.map(|(index, array)| (format!("c{index}"), array)))
            .expect("equal lengths")
    }

    fn ints(values: &[i64]) -> ArrayRef {
        Arc::new(Int64Array::from(values.to_vec()))
    }

    fn doubles(values: &[f64]) -> ArrayRef {
        Arc::new(Float64Array::from(values.to_vec()))
    }

    fn answer(columns: Vec<ArrayRef>, facts: &Facts) -> Answer {
        Answer::of(&[batch(columns)], facts).expect("comparable columns")
    }

    #[test]
    fn types_do_not_matter_but_values_do() -> Result<()> {
        let same: [&[ArrayRef]; 4] = [
            &[
                ints(&[3, 4]),
                doubles(&[3.0, 4.0]),
                Arc::new(Int16Array::from(vec![3, 4])),
                Arc::new(Decimal128Array::from(vec![300, 400]).with_precision_and_scale(9, 2)?),
            ],
            &[
                doubles(&[0.5, -1.25]),
                Arc::new(Decimal128Array::from(vec![500, -1250]).with_precision_and_scale(9, 3)?),
            ],
            &[
                Arc::new(Date32Array::from(vec![1, 2])),
                Arc::new(TimestampSecondArray::from(vec![86_400, 172_800])),
                Arc::new(TimestampMicrosecondArray::from(vec![86_400_000_000, 172_800_000_000])),
            ],
            &[
                Arc::new(StringArray::from(vec![Some("a"), None])),
                Arc::new(StringViewArray::from(vec![Some("a"), None])),
            ],
        ];
        let mut seen = Vec::new();
        for kinds in same {
            let hashes: Vec<Vec<u64>> = kinds.iter().map(cell_hashes).collect::<Result<_>>()?;
            assert!(hashes.iter().all(|other| *other == hashes[0]), "{kinds:?}");
            seen.extend(hashes[0].clone());
        }
        assert_eq!(cell_hashes(&(Arc::new(BooleanArray::from(vec![true])) as _))?.len(), 1);
        seen.sort_unstable();
        seen.dedup();
        assert_eq!(seen.len(), 8, "all values differ");
        Ok(())
    }

    #[test]
    fn rows_count_without_their_order_unless_the_query_orders_them() {
        let facts = Facts::default();
        let forward = answer(vec![ints(&[1, 2]), ints(&[5, 6])], &facts);
        let backward = answer(vec![ints(&[2, 1]), ints(&[6, 5])], &facts);
        let exchanged = answer(vec![ints(&[1, 2]), ints(&[6, 5])], &facts);
        assert_eq!(forward, backward);
        assert!(!forward.agrees_with(&exchanged, TOLERANCE));
        let ordered = Facts { order: vec![0], ..Facts::default() };
        let forward = answer(vec![ints(&[1, 2])], &ordered);
        assert!(!forward.agrees_with(&answer(vec![ints(&[2, 1])], &ordered), TOLERANCE));
    }

    #[test]
    fn batches_do_not_matter() -> Result<()> {
        let all = batch(vec![ints(&[1, 2, 3]), doubles(&[0.5, 0.25, 0.125])]);
        let facts = Facts { order: vec![0], about: vec![1], ..Facts::default() };
        let parts = [all.slice(0, 1), all.slice(1, 0), all.slice(1, 2)];
        assert!(Answer::of(&parts, &facts)?.agrees_with(&Answer::of(&[all], &facts)?, TOLERANCE));
        Ok(())
    }

    #[test]
    fn ties_at_a_cut_count_by_their_key() {
        let facts = Facts { order: vec![1], cut: Cut::After, ..Facts::default() };
        let one = answer(vec![ints(&[1, 2, 3]), ints(&[9, 7, 7])], &facts);
        let other = answer(vec![ints(&[1, 5, 2]), ints(&[9, 7, 7])], &facts);
        assert!(one.agrees_with(&other, TOLERANCE));
        let first = answer(vec![ints(&[4, 2, 3]), ints(&[9, 7, 7])], &facts);
        assert!(!one.agrees_with(&first, TOLERANCE), "the first row is determined");
        let key = answer(vec![ints(&[1, 2, 3]), ints(&[9, 7, 6])], &facts);
        assert!(!one.agrees_with(&key, TOLERANCE), "keys are determined");
        let both = Facts { cut: Cut::Both, ..facts };
        let one = answer(vec![ints(&[1, 2, 3]), ints(&[9, 8, 7])], &both);
        assert!(
            one.agrees_with(&answer(vec![ints(&[4, 2, 5]), ints(&[9, 8, 7])], &both), TOLERANCE)
        );
        assert!(
            !one.agrees_with(&answer(vec![ints(&[1, 4, 3]), ints(&[9, 8, 7])], &both), TOLERANCE)
        );
    }

    #[test]
    fn rounded_columns_agree_up_to_the_tolerance() {
        let facts = Facts { about: vec![1], ..Facts::default() };
        let with = |values: &[f64]| answer(vec![ints(&[1, 2]), doubles(values)], &facts);
        let one = with(&[0.1, 0.3]);
        assert!(one.agrees_with(&with(&[0.1, 0.1 + 0.2]), TOLERANCE));
        assert!(!one.agrees_with(&with(&[0.1, 0.300_001]), TOLERANCE));
        assert!(!one.agrees_with(&with(&[0.3, 0.1]), TOLERANCE), "exchanged");
        let null: ArrayRef = Arc::new(Float64Array::from(vec![Some(0.4), None]));
        assert!(!one.agrees_with(&answer(vec![ints(&[1, 2]), null], &facts), TOLERANCE));
    }

    #[test]
    fn of_any_rows_only_the_number_counts() {
        let facts = Facts { any: true, ..Facts::default() };
        assert_eq!(answer(vec![ints(&[1, 2])], &facts), answer(vec![ints(&[3, 4])], &facts));
        assert_ne!(answer(vec![ints(&[1, 2])], &facts), answer(vec![ints(&[3])], &facts));
    }

    #[test]
    fn a_column_that_is_not_there_is_an_error() {
        let facts = Facts { order: vec![1], ..Facts::default() };
        assert!(Answer::of(&[batch(vec![ints(&[1])])], &facts).is_err());
    }
}
