//! `MIN` and `MAX` of everything that compares as an integer: numbers, dates, floats by an
//! order-keeping integer, dictionary values by rank. Other types are in [`text`](super::text).

use std::fmt::Debug;
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, ArrowNativeTypeOp, AsArray, Float64Array, Int64Array, PrimitiveArray,
};
use arrow::datatypes::{
    ArrowPrimitiveType, DataType as ArrowType, Decimal128Type, Float64Type, Int8Type, Int16Type,
    Int32Type, Int64Type, UInt8Type, UInt16Type, UInt32Type, UInt64Type,
};

use super::text::TextExtreme;
use super::{Accumulator, Groups, Seen, same_kind, without_nulls};
use crate::exec::source::ColumnKind;
use crate::kernel;
use crate::types::{DataType, Error, Result, canonical_float, cast};
use crate::vector::{CodeBook, DictionaryVector, IdOrder, Vector};

/// The accumulator of MAX (`max`) or MIN.
pub(super) fn extreme(
    max: bool,
    kind: &ColumnKind,
    filtered: bool,
) -> Result<Box<dyn Accumulator>> {
    if let ColumnKind::Dictionary { identity, .. } = kind
        && !matches!(identity.values().order()?, IdOrder::Unknown)
    {
        return Ok(if max {
            Box::new(IdExtreme::<true>::new(Arc::clone(identity)))
        } else {
            Box::new(IdExtreme::<false>::new(Arc::clone(identity)))
        });
    }
    Ok(if max { by_type::<true>(kind, filtered) } else { by_type::<false>(kind, filtered) })
}

fn by_type<const MAX: bool>(kind: &ColumnKind, filtered: bool) -> Box<dyn Accumulator> {
    let data_type = kind.data_type();
    macro_rules! extreme {
        ($arrow:ty) => {
            Box::new(Extreme::<$arrow, MAX>::new(data_type, Seen::new(kind, filtered)))
        };
    }
    match data_type.to_arrow() {
        ArrowType::Int8 => extreme!(Int8Type),
        ArrowType::Int16 => extreme!(Int16Type),
        ArrowType::Int32 | ArrowType::Date32 | ArrowType::Time32(_) => extreme!(Int32Type),
        ArrowType::UInt8 => extreme!(UInt8Type),
        ArrowType::UInt16 => extreme!(UInt16Type),
        ArrowType::UInt32 => extreme!(UInt32Type),
        ArrowType::UInt64 => extreme!(UInt64Type),
        ArrowType::Decimal128(..) => extreme!(Decimal128Type),
        ArrowType::Int64
        | ArrowType::Time64(_)
        | ArrowType::Timestamp(..)
        | ArrowType::Float32
        | ArrowType::Float64 => extreme!(Int64Type),
        _ => Box::new(TextExtreme::<MAX>::new(data_type)),
    }
}

/// Extremes of values whose Arrow native type is that of `T`.
#[derive(Debug)]
struct Extreme<T: ArrowPrimitiveType + Debug, const MAX: bool> {
    data_type: DataType,
    best: Vec<T::Native>,
    seen: Seen,
}

impl<T: ArrowPrimitiveType + Debug, const MAX: bool> Extreme<T, MAX>
where
    T::Native: Ord,
{
    fn new(data_type: DataType, seen: Seen) -> Extreme<T, MAX> {
        Extreme { data_type, best: Vec::new(), seen }
    }

    fn worst() -> T::Native {
        if MAX { T::Native::MIN_TOTAL_ORDER } else { T::Native::MAX_TOTAL_ORDER }
    }

    fn add(&mut self, groups: Groups<'_>, argument: &Vector) -> Result<()> {
        let array = physical::<T>(&argument.decode()?)?;
        let values = array.values();
        match groups {
            Groups::First(0) => {}
            Groups::First(_) => {
                let best = values.iter().copied().fold(self.best[0], better::<_, MAX>);
                self.best[0] = best;
            }
            Groups::Each(groups) => {
                let best = &mut self.best[..];
                kernel::scatter(groups, values, |group, value| {
                    best[group] = better::<_, MAX>(best[group], value);
                });
            }
        }
        Ok(())
    }
}

#[inline]
fn better<T: Ord, const MAX: bool>(left: T, right: T) -> T {
    if MAX { left.max(right) } else { left.min(right) }
}

/// The array with its values as the native type of `T`; floats become order-keeping integers.
fn physical<T: ArrowPrimitiveType>(array: &ArrayRef) -> Result<PrimitiveArray<T>> {
    let wrong = || Error::internal(format!("MIN or MAX met a {} array", array.data_type()));
    if matches!(array.data_type(), ArrowType::Float32 | ArrowType::Float64) {
        let doubles = cast(array, &ArrowType::Float64)?;
        let keys = doubles.as_primitive::<Float64Type>().unary::<_, Int64Type>(float_key);
        let keys: ArrayRef = Arc::new(keys);
        return keys.as_primitive_opt::<T>().cloned().ok_or_else(wrong);
    }
    let data = array.to_data().into_builder().data_type(T::DATA_TYPE).build()?;
    Ok(PrimitiveArray::<T>::from(data))
}

/// An integer that orders as the double does: NaN greatest, one key for both zeros.
pub(super) fn float_key(value: f64) -> i64 {
    let bits = canonical_float(value).to_bits().cast_signed();
    bits ^ ((bits >> 63).cast_unsigned() >> 1).cast_signed()
}

pub(super) fn from_float_key(key: i64) -> f64 {
    f64::from_bits((key ^ ((key >> 63).cast_unsigned() >> 1).cast_signed()).cast_unsigned())
}

impl<T: ArrowPrimitiveType + Debug, const MAX: bool> Accumulator for Extreme<T, MAX>
where
    T::Native: Ord,
{
    fn resize(&mut self, group_count: usize) {
        self.best.resize(group_count, Self::worst());
        self.seen.resize(group_count);
    }

    fn resize_ahead(&mut self, group_count: usize) {
        self.seen.resize_ahead(group_count);
        self.resize(group_count);
    }

    fn update(&mut self, groups: Groups<'_>, argument: &Vector) -> Result<()> {
        match without_nulls(groups, argument)? {
            None => {
                self.seen.all(groups);
                self.add(groups, argument)
            }
            Some((groups, argument)) => {
                self.seen.some(groups.borrow());
                self.add(groups.borrow(), &argument)
            }
        }
    }

    fn clear(&mut self) -> bool {
        self.best.fill(Self::worst());
        self.seen.clear();
        true
    }

    fn merge(&mut self, other: &dyn Accumulator, from: &[u32], to: &[u32]) -> Result<()> {
        let other: &Extreme<T, MAX> = same_kind(other)?;
        for (from, to) in from.iter().zip(to) {
            let best = &mut self.best[*to as usize];
            *best = better::<_, MAX>(*best, other.best[*from as usize]);
        }
        self.seen.merge(&other.seen, from, to);
        Ok(())
    }

    fn finish(&self) -> Result<Vector> {
        let nulls = self.seen.nulls();
        let target = self.data_type.to_arrow();
        let array = PrimitiveArray::<T>::new(self.best.clone().into(), nulls);
        Ok(Vector::Flat(if self.data_type.is_float() {
            let array: ArrayRef = Arc::new(array);
            let keys: &Int64Array = array.as_primitive();
            let doubles: Float64Array = keys.unary(from_float_key);
            cast(&doubles, &target)?
        } else {
            arrow::array::make_array(array.to_data().into_builder().data_type(target).build()?)
        }))
    }

    fn kind(&self) -> ColumnKind {
        ColumnKind::flat(self.data_type)
    }

    fn bytes(&self) -> usize {
        self.best.capacity() * size_of::<T::Native>() + self.seen.bytes()
    }
}

/// Extremes of dictionary values: ids compared by rank, decoded only at the end.
#[derive(Debug)]
struct IdExtreme<const MAX: bool> {
    identity: Arc<CodeBook>,
    best: Vec<u32>,
}

impl<const MAX: bool> IdExtreme<MAX> {
    fn new(identity: Arc<CodeBook>) -> IdExtreme<MAX> {
        IdExtreme { identity, best: Vec::new() }
    }

    /// Compares by `rank`; the NULL id stands for no value yet.
    fn add(&mut self, groups: &[u32], ids: &[u32], rank: impl Fn(u32) -> u32) {
        let none = self.identity.null_code();
        for (group, id) in groups.iter().zip(ids) {
            let best = &mut self.best[*group as usize];
            if *id == none || *best == *id {
                continue;
            }
            let improves = *best == none
                || if MAX { rank(*id) > rank(*best) } else { rank(*id) < rank(*best) };
            if improves {
                *best = *id;
            }
        }
    }

    fn add_ordered(&mut self, groups: &[u32], ids: &[u32]) -> Result<()> {
        let identity = Arc::clone(&self.identity);
        match identity.values().order()? {
            IdOrder::ById => self.add(groups, ids, |id| id),
            IdOrder::ByRank(ranks) => self.add(groups, ids, |id| ranks[id as usize]),
            IdOrder::Unknown => return Err(Error::internal("ids without order have no extreme")),
        }
        Ok(())
    }
}

impl<const MAX: bool> Accumulator for IdExtreme<MAX> {
    fn resize(&mut self, group_count: usize) {
        self.best.resize(group_count, self.identity.null_code());
    }

    fn update(&mut self, groups: Groups<'_>, argument: &Vector) -> Result<()> {
        let Vector::Dictionary(vector) = argument else {
            return Err(Error::internal("an aggregate's argument lost its dictionary"));
        };
        let mut ids = Vec::with_capacity(vector.codes().len());
        vector.append_ids(self.identity.null_code(), &mut ids);
        match groups {
            Groups::First(len) => self.add_ordered(&vec![0; len], &ids),
            Groups::Each(groups) => self.add_ordered(groups, &ids),
        }
    }

    fn clear(&mut self) -> bool {
        self.best.fill(self.identity.null_code());
        true
    }

    fn merge(&mut self, other: &dyn Accumulator, from: &[u32], to: &[u32]) -> Result<()> {
        let other: &IdExtreme<MAX> = same_kind(other)?;
        let ids: Vec<u32> = from.iter().map(|group| other.best[*group as usize]).collect();
        self.add_ordered(to, &ids)
    }

    fn finish(&self) -> Result<Vector> {
        let vector = DictionaryVector::new(self.best.clone(), Arc::clone(&self.identity));
        Ok(Vector::Dictionary(vector))
    }

    fn kind(&self) -> ColumnKind {
        ColumnKind::Dictionary { identity: Arc::clone(&self.identity), by_id: false }
    }

    fn bytes(&self) -> usize {
        self.best.capacity() * size_of::<u32>()
    }
}
