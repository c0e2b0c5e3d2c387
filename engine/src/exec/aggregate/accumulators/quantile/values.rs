//! Values as integers of 64 bits that order as SQL orders them, and back.
//!
//! Dictionary values are their ranks, so that no text is compared. Values without such an integer are
//! numbered as they come, and ranked once per distinct value at the end. Must not know groups.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, UInt64Array};
use arrow::datatypes::{DataType as ArrowType, Decimal128Type, Float64Type, Int64Type, UInt64Type};
use arrow::row::{RowConverter, SortField};

use super::super::extreme::{float_key, from_float_key};
use crate::exec::aggregate::groups::ByteTable;
use crate::exec::source::ColumnKind;
use crate::types::{DataType, Error, Result, cast};
use crate::vector::{CodeBook, DictionaryVector, IdOrder, Vector};

const SIGN: u64 = 1 << 63;
/// Decimals of more digits do not fit 64 bits.
const DECIMAL_DIGITS_MAX: u8 = 18;

/// How the values of one argument become keys.
#[derive(Debug)]
pub(super) enum Values {
    /// By the rank of their id.
    Ranks(Arc<CodeBook>),
    /// By their bits.
    Bits(DataType),
    /// By a number, which says nothing of their order.
    Numbers { data_type: DataType, converter: RowConverter, table: ByteTable },
}

impl Values {
    /// For arguments of `kind`.
    pub(super) fn new(kind: &ColumnKind) -> Result<Values> {
        if let ColumnKind::Dictionary { identity, .. } = kind
            && !matches!(identity.values().order()?, IdOrder::Unknown)
        {
            return Ok(Values::Ranks(Arc::clone(identity)));
        }
        let data_type = kind.data_type();
        let is_short = match data_type {
            DataType::Decimal { precision, .. } => precision <= DECIMAL_DIGITS_MAX,
            DataType::Bool | DataType::Date | DataType::Time(_) | DataType::Timestamp { .. } => {
                true
            }
            other => other.is_integer() || other.is_float(),
        };
        if is_short {
            return Ok(Values::Bits(data_type));
        }
        let converter = RowConverter::new(vec![SortField::new(data_type.to_arrow())])?;
        Ok(Values::Numbers { data_type, converter, table: ByteTable::new() })
    }

    /// The keys of an argument without NULLs.
    pub(super) fn encode(&mut self, argument: &Vector) -> Result<Vec<u64>> {
        match self {
            Values::Ranks(book) => {
                let Vector::Dictionary(vector) = argument else {
                    return Err(Error::internal("an aggregate's argument lost its dictionary"));
                };
                let mut ids = Vec::with_capacity(vector.codes().len());
                vector.append_ids(book.null_code(), &mut ids);
                let order = book.values().order()?;
                Ok(ids
                    .into_iter()
                    .map(|id| match order {
                        IdOrder::ByRank(ranks) => ranks[id as usize].into(),
                        IdOrder::ById | IdOrder::Unknown => id.into(),
                    })
                    .collect())
            }
            Values::Bits(data_type) => keys_of(&argument.decode()?, *data_type),
            Values::Numbers { converter, table, .. } => {
                let rows = converter.convert_columns(&[argument.decode()?])?;
                Ok(rows.iter().map(|row| u64::from(table.insert(row.as_ref()))).collect())
            }
        }
    }

    /// The values with these keys; NULL without one.
    pub(super) fn decode(&self, keys: &[Option<u64>]) -> Result<Vector> {
        match self {
            Values::Ranks(book) => {
                let ids: Option<Vec<u32>> = match book.values().order()? {
                    IdOrder::ByRank(ranks) => Some(inverse(ranks)),
                    IdOrder::ById | IdOrder::Unknown => None,
                };
                let code = |key: &Option<u64>| match (key, &ids) {
                    (None, _) => book.null_code(),
                    (Some(rank), None) => narrow(*rank),
                    (Some(rank), Some(ids)) => ids[narrow(*rank) as usize],
                };
                let codes: Vec<u32> = keys.iter().map(code).collect();
                Ok(Vector::Dictionary(DictionaryVector::new(codes, Arc::clone(book))))
            }
            Values::Bits(data_type) => Ok(Vector::Flat(array_of(keys, *data_type)?)),
            Values::Numbers { data_type, converter, table } => {
                let parser = converter.parser();
                let valid = keys.iter().flatten();
                let rows = valid.map(|number| parser.parse(table.get(narrow(*number))));
                let values = &converter.convert_rows(rows)?[0];
                let mut next = 0_u32;
                let places: Vec<Option<u32>> = keys
                    .iter()
                    .map(|key| {
                        key.map(|_| {
                            next += 1;
                            next - 1
                        })
                    })
                    .collect();
                let places = arrow::array::UInt32Array::from(places);
                let array = arrow::compute::take(values.as_ref(), &places, None)?;
                debug_assert_eq!(array.data_type(), &data_type.to_arrow(), "rows keep their type");
                Ok(Vector::Flat(array))
            }
        }
    }

    /// How results are represented.
    pub(super) fn kind(&self) -> ColumnKind {
        match self {
            Values::Ranks(book) => {
                ColumnKind::Dictionary { identity: Arc::clone(book), by_id: false }
            }
            Values::Bits(data_type) | Values::Numbers { data_type, .. } => {
                ColumnKind::flat(*data_type)
            }
        }
    }

    /// The ranks of numbers; `None` where keys order as they are.
    pub(super) fn ranks(&self) -> Option<NumberRanks> {
        let Values::Numbers { table, .. } = self else { return None };
        let len = u32::try_from(table.len()).expect("numbers are u32");
        let mut numbers: Vec<u32> = (0..len).collect();
        numbers.sort_unstable_by(|a, b| table.get(*a).cmp(table.get(*b)));
        Some(NumberRanks { ranks: inverse(&numbers), numbers })
    }

    /// From keys of `other` to keys here; `None` when they are the same.
    pub(super) fn translation<'t>(&'t mut self, other: &'t Values) -> Option<Translation<'t>> {
        match (self, other) {
            (Values::Numbers { table: here, .. }, Values::Numbers { table: there, .. }) => {
                Some(Translation { known: vec![None; there.len()], here, there })
            }
            _ => None,
        }
    }

    /// Bytes held.
    pub(super) fn bytes(&self) -> usize {
        match self {
            Values::Numbers { table, .. } => table.memory_bytes(),
            Values::Ranks(_) | Values::Bits(_) => 0,
        }
    }
}

/// Ranks of numbered values, and back.
#[derive(Debug)]
pub(super) struct NumberRanks {
    ranks: Vec<u32>,
    numbers: Vec<u32>,
}

impl NumberRanks {
    pub(super) fn rank(&self, number: u64) -> u64 {
        self.ranks[narrow(number) as usize].into()
    }

    pub(super) fn number(&self, rank: u64) -> u64 {
        self.numbers[narrow(rank) as usize].into()
    }
}

/// From numbers of one table to those of another, which gets what it lacks.
#[derive(Debug)]
pub(super) struct Translation<'t> {
    known: Vec<Option<u32>>,
    here: &'t mut ByteTable,
    there: &'t ByteTable,
}

impl Translation<'_> {
    pub(super) fn of(&mut self, number: u64) -> u64 {
        let number = narrow(number);
        let known = &mut self.known[number as usize];
        (*known.get_or_insert_with(|| self.here.insert(self.there.get(number)))).into()
    }
}

/// The key of a double.
pub(super) fn key_of_float(value: f64) -> u64 {
    float_key(value).cast_unsigned() ^ SIGN
}

/// The double with this key.
pub(super) fn float_of(key: u64) -> f64 {
    from_float_key((key ^ SIGN).cast_signed())
}

/// The place of each number in `permutation`.
fn inverse(permutation: &[u32]) -> Vec<u32> {
    let mut inverse = vec![0; permutation.len()];
    for (place, number) in (0_u32..).zip(permutation) {
        inverse[*number as usize] = place;
    }
    inverse
}

fn narrow(key: u64) -> u32 {
    u32::try_from(key).expect("ids and numbers have 32 bits")
}

fn keys_of(array: &ArrayRef, data_type: DataType) -> Result<Vec<u64>> {
    if data_type.is_float() {
        let doubles = cast(array, &ArrowType::Float64)?;
        let values = doubles.as_primitive::<Float64Type>().values();
        return Ok(values.iter().map(|value| key_of_float(*value)).collect());
    }
    let signed = |value: i64| value.cast_unsigned() ^ SIGN;
    match array.data_type() {
        ArrowType::UInt64 => Ok(array.as_primitive::<UInt64Type>().values().to_vec()),
        ArrowType::Decimal128(..) => {
            let values = array.as_primitive::<Decimal128Type>().values();
            let too_long = || Error::internal("a decimal has more digits than its type");
            values
                .iter()
                .map(|value| i64::try_from(*value).map(signed).map_err(|_| too_long()))
                .collect()
        }
        _ => {
            let integers = cast(array, &ArrowType::Int64)?;
            let values = integers.as_primitive::<Int64Type>().values();
            Ok(values.iter().map(|value| signed(*value)).collect())
        }
    }
}

fn array_of(keys: &[Option<u64>], data_type: DataType) -> Result<ArrayRef> {
    let keys: UInt64Array = keys.iter().copied().collect();
    let arrow = data_type.to_arrow();
    if data_type.is_float() {
        return cast(&keys.unary::<_, Float64Type>(float_of), &arrow);
    }
    let signed = |key: u64| (key ^ SIGN).cast_signed();
    Ok(match &arrow {
        ArrowType::UInt64 => Arc::new(keys),
        ArrowType::Decimal128(..) => {
            let values = keys.unary::<_, Decimal128Type>(|key| signed(key).into());
            Arc::new(values.with_data_type(arrow))
        }
        _ => cast(&keys.unary::<_, Int64Type>(signed), &arrow)?,
    })
}
