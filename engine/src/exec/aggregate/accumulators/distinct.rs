//! `COUNT`, `SUM` and `AVG` of distinct values: a set of (group, value) pairs beside an inner
//! accumulator that sees each pair once, at the end.
//!
//! Values become integers: dictionary values their ids, fixed-width values their bits, everything else
//! a number from a table of byte strings. Without groups, ids are bits of a bitmap. Pairs live in 16
//! tables chosen by a hash of the *value*, so that sets merge in parallel whatever their groups are.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, UInt64Array};
use arrow::compute::cast;
use arrow::datatypes::{
    DataType as ArrowType, Float64Type, Int64Type, TimeUnit as ArrowUnit, UInt64Type,
};
use arrow::row::{RowConverter, SortField};
use rayon::prelude::*;

use super::{Accumulator, Groups, accumulator, same_kind, without_nulls};
use crate::exec::aggregate::groups::{ByteTable, canonical_floats};
use crate::exec::source::ColumnKind;
use crate::plan::AggregateFunction;
use crate::types::{DataType, Error, Result, canonical_float};
use crate::vector::{CodeBook, DictionaryVector, Vector};

/// The accumulator of `function` over distinct values of `kind`.
pub(super) fn distinct(
    function: AggregateFunction,
    kind: &ColumnKind,
) -> Result<Box<dyn Accumulator>> {
    let inner = accumulator(function, false, true, kind)?;
    let data_type = kind.data_type();
    Ok(match kind {
        ColumnKind::Dictionary { identity, .. } => {
            let values = Values::Ids(Arc::clone(identity));
            Box::new(Distinct::<u64>::new(function, kind, values, inner))
        }
        ColumnKind::Flat { .. } => match Values::flat(data_type)? {
            values @ Values::Bytes { .. } => {
                Box::new(Distinct::<u64>::new(function, kind, values, inner))
            }
            values => Box::new(Distinct::<u128>::new(function, kind, values, inner)),
        },
    })
}

/// How values become integers, and back.
#[derive(Debug)]
enum Values {
    Ids(Arc<CodeBook>),
    /// Fixed width of up to 64 bits; the Arrow type of the array.
    Bits(ArrowType),
    Bytes {
        converter: RowConverter,
        table: ByteTable,
    },
}

impl Values {
    fn flat(data_type: DataType) -> Result<Values> {
        let arrow = data_type.to_arrow();
        Ok(match data_type {
            DataType::Bool | DataType::Date | DataType::Time(_) | DataType::Timestamp { .. } => {
                Values::Bits(arrow)
            }
            _ if data_type.is_integer() || data_type.is_float() => Values::Bits(arrow),
            _ => {
                let converter = RowConverter::new(vec![SortField::new(arrow)])?;
                Values::Bytes { converter, table: ByteTable::new() }
            }
        })
    }

    /// The integers of an argument without NULLs.
    fn encode(&mut self, argument: &Vector) -> Result<Vec<u64>> {
        match self {
            Values::Ids(book) => {
                let Vector::Dictionary(vector) = argument else {
                    return Err(Error::internal("an aggregate's argument lost its dictionary"));
                };
                let mut ids = Vec::with_capacity(vector.codes().len());
                vector.append_ids(book.null_code(), &mut ids);
                Ok(ids.into_iter().map(u64::from).collect())
            }
            Values::Bits(_) => to_bits(&argument.decode()?),
            Values::Bytes { converter, table } => {
                let rows = converter.convert_columns(&[canonical_floats(argument.decode()?)])?;
                Ok(rows.iter().map(|row| u64::from(table.insert(row.as_ref()))).collect())
            }
        }
    }

    fn decode(&self, values: &[u64]) -> Result<Vector> {
        Ok(match self {
            Values::Ids(book) => {
                let codes: Vec<u32> = values.iter().map(|value| narrow(*value)).collect();
                Vector::Dictionary(DictionaryVector::new(codes, Arc::clone(book)))
            }
            Values::Bits(arrow) => Vector::Flat(from_bits(values, arrow)?),
            Values::Bytes { converter, table } => {
                let parser = converter.parser();
                let rows = values.iter().map(|value| parser.parse(table.get(narrow(*value))));
                Vector::Flat(Arc::clone(&converter.convert_rows(rows)?[0]))
            }
        })
    }

    /// The numbers here of the byte strings of `other`, by their number there; `None` when integers
    /// mean the same in both.
    fn translation(&mut self, other: &Values) -> Option<Vec<u32>> {
        match (self, other) {
            (Values::Bytes { table, .. }, Values::Bytes { table: other, .. }) => {
                let len = u32::try_from(other.len()).expect("numbers are u32");
                Some((0..len).map(|number| table.insert(other.get(number))).collect())
            }
            _ => None,
        }
    }

    fn bytes(&self) -> usize {
        match self {
            Values::Bytes { table, .. } => table.memory_bytes(),
            _ => 0,
        }
    }
}

fn narrow(value: u64) -> u32 {
    u32::try_from(value).expect("ids have 32 bits")
}

fn to_bits(array: &ArrayRef) -> Result<Vec<u64>> {
    if matches!(array.data_type(), ArrowType::Float32 | ArrowType::Float64) {
        let doubles = cast(array, &ArrowType::Float64)?;
        let values = doubles.as_primitive::<Float64Type>().values();
        return Ok(values.iter().map(|value| canonical_float(*value).to_bits()).collect());
    }
    if array.data_type() == &ArrowType::UInt64 {
        return Ok(array.as_primitive::<UInt64Type>().values().to_vec());
    }
    let integers = match array.data_type() {
        ArrowType::Date32 | ArrowType::Time32(_) => {
            cast(&cast(array, &ArrowType::Int32)?, &ArrowType::Int64)?
        }
        _ => cast(array, &ArrowType::Int64)?,
    };
    let values = integers.as_primitive::<Int64Type>().values();
    Ok(values.iter().map(|value| value.cast_unsigned()).collect())
}

fn from_bits(values: &[u64], arrow: &ArrowType) -> Result<ArrayRef> {
    let bits = UInt64Array::from(values.to_vec());
    if matches!(arrow, ArrowType::Float32 | ArrowType::Float64) {
        return Ok(cast(&bits.unary::<_, Float64Type>(f64::from_bits), arrow)?);
    }
    if arrow == &ArrowType::UInt64 {
        return Ok(Arc::new(bits));
    }
    let integers: ArrayRef = Arc::new(bits.unary::<_, Int64Type>(u64::cast_signed));
    Ok(match arrow {
        ArrowType::Date32 | ArrowType::Time32(ArrowUnit::Second | ArrowUnit::Millisecond) => {
            cast(&cast(&integers, &ArrowType::Int32)?, arrow)?
        }
        _ => cast(&integers, arrow)?,
    })
}

/// A (group, value) pair in one integer. All ones is no pair.
trait Pair: Copy + Eq + Send + Sync + std::fmt::Debug + 'static {
    const NONE: Self;
    fn new(group: u32, value: u64) -> Self;
    fn group(self) -> u32;
    fn value(self) -> u64;
}

impl Pair for u64 {
    const NONE: u64 = u64::MAX;

    fn new(group: u32, value: u64) -> u64 {
        u64::from(group) << 32 | value
    }

    fn group(self) -> u32 {
        narrow(self >> 32)
    }

    fn value(self) -> u64 {
        self & 0xffff_ffff
    }
}

#[expect(clippy::cast_possible_truncation, reason = "each half is taken out of its place")]
impl Pair for u128 {
    const NONE: u128 = u128::MAX;

    fn new(group: u32, value: u64) -> u128 {
        u128::from(group) << 64 | u128::from(value)
    }

    fn group(self) -> u32 {
        (self >> 64) as u32
    }

    fn value(self) -> u64 {
        self as u64
    }
}

const PARTS: usize = 16;
const MIX: u64 = 0x9E37_79B9_7F4A_7C15;

/// Top bits choose the part (by value alone), the next the slot (by both).
#[inline]
#[expect(clippy::cast_possible_truncation, reason = "folding a product of 128 bits into 64")]
fn hashes(group: u32, value: u64) -> (usize, u64) {
    let product = u128::from(value ^ 0x2D35_8DCC_AA6C_78A5) * u128::from(MIX);
    let by_value = (product >> 64) as u64 ^ product as u64;
    let both = by_value.wrapping_add(u64::from(group).wrapping_mul(0xC2B2_AE3D_27D4_EB4F));
    ((by_value >> 60) as usize, both.wrapping_mul(MIX))
}

/// A set of pairs: linear probing, at most half full.
#[derive(Debug)]
struct PairSet<P> {
    slots: Vec<P>,
    len: usize,
    shift: u32,
}

impl<P: Pair> PairSet<P> {
    fn new() -> PairSet<P> {
        PairSet { slots: vec![P::NONE; 16], len: 0, shift: 64 - 4 }
    }

    #[inline]
    fn insert(&mut self, pair: P, hash: u64) {
        if self.len * 2 >= self.slots.len() {
            self.grow();
        }
        self.len += usize::from(self.place(pair, hash));
    }

    #[inline]
    #[expect(
        clippy::cast_possible_truncation,
        reason = "the shift leaves fewer bits than usize has"
    )]
    fn place(&mut self, pair: P, hash: u64) -> bool {
        let last = self.slots.len() - 1;
        let mut position = (hash >> self.shift) as usize;
        loop {
            let slot = &mut self.slots[position & last];
            if *slot == P::NONE {
                *slot = pair;
                return true;
            }
            if *slot == pair {
                return false;
            }
            position += 1;
        }
    }

    fn grow(&mut self) {
        let len = self.slots.len() * 4;
        self.shift = 64 - len.trailing_zeros();
        let old = std::mem::replace(&mut self.slots, vec![P::NONE; len]);
        for pair in old {
            if pair != P::NONE {
                self.place(pair, hashes(pair.group(), pair.value()).1);
            }
        }
    }

    fn pairs(&self) -> impl Iterator<Item = P> {
        self.slots.iter().copied().filter(|pair| *pair != P::NONE)
    }
}

/// The set of pairs of one aggregate, and what is to see them.
#[derive(Debug)]
struct Distinct<P> {
    function: AggregateFunction,
    argument: ColumnKind,
    values: Values,
    parts: Vec<PairSet<P>>,
    /// Instead of pairs while there is one group and values are ids: one bit per id.
    bitmap: Vec<u64>,
    group_count: usize,
    inner: Box<dyn Accumulator>,
}

impl<P: Pair> Distinct<P> {
    fn new(
        function: AggregateFunction,
        argument: &ColumnKind,
        values: Values,
        inner: Box<dyn Accumulator>,
    ) -> Distinct<P> {
        let bitmap_len = match &values {
            Values::Ids(book) if !book.values().is_growing() => {
                (book.null_code() as usize).div_ceil(64)
            }
            _ => 0,
        };
        Distinct {
            function,
            argument: argument.clone(),
            values,
            parts: (0..PARTS).map(|_| PairSet::new()).collect(),
            bitmap: vec![0; bitmap_len],
            group_count: 0,
            inner,
        }
    }

    fn insert(&mut self, group: u32, value: u64) {
        let (part, hash) = hashes(group, value);
        self.parts[part].insert(P::new(group, value), hash);
    }

    fn add(&mut self, groups: Groups<'_>, argument: &Vector) -> Result<()> {
        if let (Groups::First(_), Values::Ids(book), Vector::Dictionary(vector)) =
            (groups, &self.values, argument)
            && !self.bitmap.is_empty()
        {
            let mut ids = Vec::with_capacity(vector.codes().len());
            vector.append_ids(book.null_code(), &mut ids);
            for id in ids {
                self.bitmap[(id / 64) as usize] |= 1 << (id % 64);
            }
            return Ok(());
        }
        let values = self.values.encode(argument)?;
        match groups {
            Groups::First(_) => values.into_iter().for_each(|value| self.insert(0, value)),
            Groups::Each(groups) => {
                for (group, value) in groups.iter().zip(values) {
                    self.insert(*group, value);
                }
            }
        }
        Ok(())
    }

    /// Values of the bitmap, which are all of group 0.
    fn bitmap_values(&self) -> Vec<u64> {
        let mut values = Vec::new();
        for (index, word) in self.bitmap.iter().enumerate() {
            let mut rest = *word;
            while rest != 0 {
                values.push(index as u64 * 64 + u64::from(rest.trailing_zeros()));
                rest &= rest - 1;
            }
        }
        values
    }

    fn counts(&self) -> Vec<i64> {
        let mut counts = vec![0_i64; self.group_count];
        for part in &self.parts {
            part.pairs().for_each(|pair| counts[pair.group() as usize] += 1);
        }
        let bits: u32 = self.bitmap.iter().map(|word| word.count_ones()).sum();
        if let Some(first) = counts.first_mut() {
            *first += i64::from(bits);
        }
        counts
    }
}

impl<P: Pair> Accumulator for Distinct<P> {
    fn resize(&mut self, group_count: usize) {
        self.group_count = group_count;
    }

    fn update(&mut self, groups: Groups<'_>, argument: &Vector) -> Result<()> {
        match without_nulls(groups, argument)? {
            None => self.add(groups, argument),
            Some((groups, argument)) => self.add(groups.borrow(), &argument),
        }
    }

    fn merge(&mut self, other: &dyn Accumulator, from: &[u32], to: &[u32]) -> Result<()> {
        let other: &Distinct<P> = same_kind(other)?;
        for (word, more) in self.bitmap.iter_mut().zip(&other.bitmap) {
            *word |= more;
        }
        let mut remap = vec![u32::MAX; other.group_count];
        for (from, to) in from.iter().zip(to) {
            remap[*from as usize] = *to;
        }
        if let Some(translation) = self.values.translation(&other.values) {
            for pair in other.parts.iter().flat_map(PairSet::pairs) {
                let group = remap[pair.group() as usize];
                if group != u32::MAX {
                    let value = translation[narrow(pair.value()) as usize];
                    self.insert(group, value.into());
                }
            }
            return Ok(());
        }
        self.parts.par_iter_mut().zip(&other.parts).for_each(|(here, there)| {
            for pair in there.pairs() {
                let group = remap[pair.group() as usize];
                if group != u32::MAX {
                    let hash = hashes(group, pair.value()).1;
                    here.insert(P::new(group, pair.value()), hash);
                }
            }
        });
        Ok(())
    }

    fn finish(&self) -> Result<Vector> {
        if self.function == AggregateFunction::Count {
            return Ok(Vector::Flat(Arc::new(arrow::array::Int64Array::from(self.counts()))));
        }
        let mut inner = accumulator(self.function, false, true, &self.argument)?;
        inner.resize(self.group_count);
        let bits = self.bitmap_values();
        inner.update(Groups::First(bits.len()), &self.values.decode(&bits)?)?;
        for part in &self.parts {
            let (groups, values): (Vec<u32>, Vec<u64>) =
                part.pairs().map(|pair| (pair.group(), pair.value())).unzip();
            inner.update(Groups::Each(&groups), &self.values.decode(&values)?)?;
        }
        inner.finish()
    }

    fn kind(&self) -> ColumnKind {
        self.inner.kind()
    }

    fn bytes(&self) -> usize {
        let pairs: usize = self.parts.iter().map(|part| part.slots.capacity()).sum();
        pairs * size_of::<P>() + self.bitmap.capacity() * 8 + self.values.bytes()
    }
}
