//! Group keys packed into one integer, and the table that numbers them.
//!
//! Every part of a key is a small integer: the id of a dictionary value, the distance of an integer
//! from the column's minimum, the bits of a float made canonical. Parts are put side by side in 64 or
//! 128 bits; strings are never hashed. The table is linear probing, at most half full. Must not know
//! accumulators.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, PrimitiveArray};
use arrow::datatypes::{
    ArrowPrimitiveType, Date32Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type,
    Int64Type, Time32MillisecondType, Time32SecondType, Time64MicrosecondType,
    Time64NanosecondType, TimestampMicrosecondType, TimestampMillisecondType,
    TimestampNanosecondType, TimestampSecondType, UInt8Type, UInt16Type, UInt32Type, UInt64Type,
};

use crate::exec::aggregate::pages::Pages;
use crate::exec::source::ColumnKind;
use crate::kernel::{self, Integer, Lane};
use crate::types::{DataType, Error, Result, TimeUnit, Value, canonical_float, match_integer_type};
use crate::vector::{CodeBook, DictionaryVector, Vector};

/// An integer that holds a packed key.
pub(crate) trait PackedKey:
    bytemuck::Pod + Default + Eq + Send + Sync + std::fmt::Debug + 'static
{
    /// This key with `part` put at `shift`.
    fn with(self, part: u128, shift: u32) -> Self;
    /// `bits` bits from `shift`.
    fn part(self, shift: u32, bits: u32) -> u128;
    /// A hash whose top bits are good.
    fn hash(self) -> u64;
}

const MIX: u64 = 0x9E37_79B9_7F4A_7C15;

#[expect(clippy::cast_possible_truncation, reason = "folding a product of 128 bits into 64")]
fn fold(value: u64, factor: u64) -> u64 {
    let product = u128::from(value) * u128::from(factor);
    (product >> 64) as u64 ^ product as u64
}

#[expect(clippy::cast_possible_truncation, reason = "the key holds the bits that it is given")]
impl PackedKey for u64 {
    #[inline]
    fn with(self, part: u128, shift: u32) -> u64 {
        self | (part as u64) << shift
    }

    fn part(self, shift: u32, bits: u32) -> u128 {
        u128::from(self).part(shift, bits)
    }

    #[inline]
    fn hash(self) -> u64 {
        fold(self ^ 0x2D35_8DCC_AA6C_78A5, MIX)
    }
}

#[expect(clippy::cast_possible_truncation, reason = "both halves are hashed")]
impl PackedKey for u128 {
    #[inline]
    fn with(self, part: u128, shift: u32) -> u128 {
        self | part << shift
    }

    fn part(self, shift: u32, bits: u32) -> u128 {
        (self >> shift) & if bits >= 128 { u128::MAX } else { (1 << bits) - 1 }
    }

    #[inline]
    fn hash(self) -> u64 {
        fold((self as u64) ^ 0x2D35_8DCC_AA6C_78A5, MIX)
            .wrapping_add(fold((self >> 64) as u64 ^ 0x8BB8_4B93_962E_ACC9, 0xC2B2_AE3D_27D4_EB4F))
    }
}

/// One key column's place in the packed key.
#[derive(Clone, Debug)]
struct Part {
    shift: u32,
    bits: u32,
    /// The part that stands for NULL, where NULL may occur.
    null: Option<u128>,
    /// How many parts there are; for ids, of the whole table.
    domain: u128,
    kind: PartKind,
}

#[derive(Clone, Debug)]
enum PartKind {
    Ids(Arc<CodeBook>),
    /// An integer as its distance from the minimum.
    Int {
        data_type: DataType,
        min: i128,
    },
    Bool,
    Float(DataType),
}

/// Bits of packed keys that number groups by themselves: arrays of a million groups.
const DIRECT_BITS_MAX: u32 = 20;

/// Packed keys that number groups by themselves: ids.
#[derive(Clone, Copy, Debug)]
pub(crate) struct DirectKey {
    dictionary: Option<usize>,
    last_id: u32,
    key_count: u128,
}

impl DirectKey {
    /// The position of the only key column that is not constant, where that is a dictionary; its ids
    /// are the groups, and NULL's is the last.
    pub(crate) fn dictionary(&self) -> Option<usize> {
        self.dictionary
    }

    /// The largest id.
    pub(crate) fn last_id(&self) -> u32 {
        self.last_id
    }

    /// How many different keys there may be.
    pub(crate) fn key_count(&self) -> u128 {
        self.key_count
    }
}

/// How keys are packed.
#[derive(Clone, Debug)]
pub(crate) struct Layout {
    parts: Vec<Part>,
    bits: u32,
}

impl Layout {
    /// The layout for key columns of these kinds; `None` when 128 bits do not hold them.
    pub(crate) fn new(kinds: &[ColumnKind]) -> Option<Layout> {
        let mut layout = Layout { parts: Vec::new(), bits: 0 };
        for kind in kinds {
            let mut part = Part::new(kind, layout.bits)?;
            layout.bits += part.bits;
            // A part without bits, of a constant column, may stand behind the key's last bit.
            part.shift = if part.bits == 0 { 0 } else { part.shift };
            layout.parts.push(part);
        }
        (layout.bits <= u128::BITS).then_some(layout)
    }

    /// Bits of a key.
    pub(crate) fn bits(&self) -> u32 {
        self.bits
    }

    /// Appends the packed keys of a batch to `target`.
    pub(crate) fn pack<K: PackedKey>(
        &self,
        keys: &[Vector],
        len: usize,
        target: &mut Vec<K>,
    ) -> Result<()> {
        let start = target.len();
        target.resize(start + len, K::default());
        for (part, vector) in self.parts.iter().zip(keys) {
            part.pack(vector, &mut target[start..])?;
        }
        Ok(())
    }

    /// How packed keys are group numbers by themselves, if they are: one dictionary column whose ids
    /// are all known, or few enough bits.
    pub(crate) fn direct_key(&self) -> Option<DirectKey> {
        let mut parts = self.parts.iter().enumerate().filter(|(_, part)| part.bits > 0);
        let (column, part) = parts.next()?;
        let domains = self.parts.iter().map(|part| part.domain);
        let key_count = domains.fold(1, u128::saturating_mul);
        let (dictionary, last_id) = match &part.kind {
            PartKind::Ids(book) if parts.next().is_none() && book.null_code() < u32::MAX => {
                (Some(column), book.null_code())
            }
            _ if self.bits <= DIRECT_BITS_MAX => (None, (1 << self.bits) - 1),
            _ => return None,
        };
        Some(DirectKey { dictionary, last_id, key_count })
    }

    /// How many combinations of keys the row group of these vectors may have.
    pub(crate) fn local_domain(&self, keys: &[Vector]) -> u128 {
        self.parts
            .iter()
            .zip(keys)
            .map(|(part, vector)| part.local_domain(vector))
            .fold(1, u128::saturating_mul)
    }

    /// Numbers the combinations of keys inside their row group: below
    /// [`local_domain`](Self::local_domain), which fits 32 bits.
    pub(crate) fn pack_local(&self, keys: &[Vector], target: &mut [u32]) -> Result<()> {
        let mut stride = 1_u32;
        for (part, vector) in self.parts.iter().zip(keys) {
            part.add_local(vector, stride, target)?;
            let domain = u32::try_from(part.local_domain(vector)).unwrap_or(u32::MAX);
            stride = stride.saturating_mul(domain);
        }
        Ok(())
    }

    /// The key columns of packed keys.
    pub(crate) fn unpack<K: PackedKey>(&self, keys: &[K]) -> Result<Vec<Vector>> {
        self.parts.iter().map(|part| part.unpack(keys)).collect()
    }
}

/// The low bits of a number that the integer type holds.
fn lane_of<N: Integer>(value: i128) -> N::Lane {
    let bytes = value.to_le_bytes();
    N::Lane::from_u64(u64::from_le_bytes(std::array::from_fn(|index| bytes[index])))
}

impl Part {
    fn new(kind: &ColumnKind, shift: u32) -> Option<Part> {
        let (last, null, kind) = match kind {
            ColumnKind::Dictionary { identity, .. } => {
                let null = u128::from(identity.null_code());
                (null, Some(null), PartKind::Ids(Arc::clone(identity)))
            }
            ColumnKind::Flat { data_type, nullable, bounds } => {
                let (span, kind) = span(*data_type, *bounds)?;
                let null = nullable.then_some(span + 1);
                (null.unwrap_or(span), null, kind)
            }
        };
        let (bits, domain) = (bit_len(last), last + 1);
        Some(Part { shift, bits, null, domain, kind })
    }

    fn pack<K: PackedKey>(&self, vector: &Vector, target: &mut [K]) -> Result<()> {
        let shift = self.shift;
        match (&self.kind, vector) {
            (PartKind::Ids(book), Vector::Dictionary(vector)) => {
                self.pack_ids(vector, book.null_code(), target);
                Ok(())
            }
            _ => self.for_each(vector, |row, part| target[row] = target[row].with(part, shift)),
        }
    }

    /// Calls `then(row, part)` for every row of a column that has no dictionary.
    fn for_each(&self, vector: &Vector, mut then: impl FnMut(usize, u128)) -> Result<()> {
        let array = vector.decode()?;
        match &self.kind {
            PartKind::Ids(_) => return Err(Error::internal("a key column lost its dictionary")),
            PartKind::Int { data_type, min } => {
                macro_rules! integers {
                    ($arrow:ty) => {{
                        let values = array.as_primitive::<$arrow>().values();
                        let min = lane_of::<<$arrow as ArrowPrimitiveType>::Native>(*min);
                        let part = |row: usize| values[row].to_lane().wrapping_sub(min).to_u64();
                        self.visit(&array, |row| u128::from(part(row)), &mut then);
                    }};
                }
                match_integer_type!(data_type, integers, ());
            }
            PartKind::Bool => {
                let values = array.as_boolean();
                self.visit(&array, |row| u128::from(values.value(row)), &mut then);
            }
            PartKind::Float(DataType::Float32) => {
                let values = array.as_primitive::<Float32Type>().values();
                self.visit(&array, |row| float_bits(f64::from(values[row])), &mut then);
            }
            PartKind::Float(_) => {
                let values = array.as_primitive::<Float64Type>().values();
                self.visit(&array, |row| float_bits(values[row]), &mut then);
            }
        }
        Ok(())
    }

    #[inline]
    fn visit(
        &self,
        array: &ArrayRef,
        part: impl Fn(usize) -> u128,
        then: &mut impl FnMut(usize, u128),
    ) {
        match (array.nulls().filter(|nulls| nulls.null_count() > 0), self.null) {
            (Some(nulls), Some(null)) => {
                for row in 0..array.len() {
                    then(row, if nulls.is_valid(row) { part(row) } else { null });
                }
            }
            _ => {
                for row in 0..array.len() {
                    then(row, part(row));
                }
            }
        }
    }

    /// How many different parts the rows of `vector` may have in this row group.
    fn local_domain(&self, vector: &Vector) -> u128 {
        match (&self.kind, vector) {
            (PartKind::Ids(_), Vector::Dictionary(vector)) => {
                u128::from(vector.book().null_code()) + u128::from(vector.book().has_null())
            }
            _ => self.domain,
        }
    }

    /// Adds the row group's own number of each row's part, times `stride`, to `target`.
    #[expect(clippy::cast_possible_truncation, reason = "the product of the domains fits 32 bits")]
    fn add_local(&self, vector: &Vector, stride: u32, target: &mut [u32]) -> Result<()> {
        match (&self.kind, vector) {
            (PartKind::Ids(_), Vector::Dictionary(vector)) => {
                for (index, code) in target.iter_mut().zip(vector.codes()) {
                    *index += code * stride;
                }
                Ok(())
            }
            (PartKind::Int { data_type, min }, Vector::Flat(array)) if array.null_count() == 0 => {
                macro_rules! integers {
                    ($arrow:ty) => {{
                        let values = array.as_primitive::<$arrow>().values();
                        let min = lane_of::<<$arrow as ArrowPrimitiveType>::Native>(*min);
                        kernel::add_multiples(values, min, stride, target);
                    }};
                }
                match_integer_type!(data_type, integers, ());
                Ok(())
            }
            _ => self.for_each(vector, |row, part| target[row] += part as u32 * stride),
        }
    }

    fn pack_ids<K: PackedKey>(&self, vector: &DictionaryVector, null_id: u32, target: &mut [K]) {
        let shift = self.shift;
        let codes = vector.codes();
        match vector.book().ids() {
            None => {
                for (key, code) in target.iter_mut().zip(codes) {
                    *key = key.with(u128::from(*code), shift);
                }
            }
            Some(ids) => {
                for (key, code) in target.iter_mut().zip(codes) {
                    let id = ids.get(*code as usize).copied().unwrap_or(null_id);
                    *key = key.with(u128::from(id), shift);
                }
            }
        }
    }

    fn unpack<K: PackedKey>(&self, keys: &[K]) -> Result<Vector> {
        let parts = || keys.iter().map(|key| key.part(self.shift, self.bits));
        let valid = |part: u128| Some(part) != self.null;
        Ok(match &self.kind {
            PartKind::Ids(book) => {
                let codes: Vec<u32> =
                    parts().map(|part| u32::try_from(part).expect("ids have 32 bits")).collect();
                Vector::Dictionary(DictionaryVector::new(codes, Arc::clone(book)))
            }
            PartKind::Int { data_type, min } => {
                macro_rules! integers {
                    ($arrow:ty) => {{
                        let values =
                            parts().map(|part| valid(part).then(|| native::<$arrow>(*min, part)));
                        let array: PrimitiveArray<$arrow> = values.collect();
                        let array = array.with_data_type(data_type.to_arrow());
                        Vector::Flat(Arc::new(array) as ArrayRef)
                    }};
                }
                match_integer_type!(
                    data_type,
                    integers,
                    Vector::Flat(Value::Null.to_array(*data_type, keys.len())?)
                )
            }
            PartKind::Bool => {
                let array: BooleanArray =
                    parts().map(|part| valid(part).then_some(part == 1)).collect();
                Vector::Flat(Arc::new(array))
            }
            PartKind::Float(data_type) => {
                let values = parts().map(|part| valid(part).then(|| from_float_bits(part)));
                let array: PrimitiveArray<Float64Type> = values.collect();
                Vector::Flat(crate::types::cast(&array, &data_type.to_arrow())?)
            }
        })
    }
}

fn native<T: ArrowPrimitiveType>(min: i128, part: u128) -> T::Native
where
    T::Native: TryFrom<i128>,
{
    T::Native::try_from(min + part.cast_signed())
        .ok()
        .expect("a part is a value's distance from min")
}

/// The largest part of a type's values.
fn span(data_type: DataType, bounds: Option<(i128, i128)>) -> Option<(u128, PartKind)> {
    let limits = match data_type {
        DataType::Bool => return Some((1, PartKind::Bool)),
        DataType::Float32 | DataType::Float64 => {
            return Some((u64::MAX.into(), PartKind::Float(data_type)));
        }
        DataType::UInt8 => (0, u8::MAX.into()),
        DataType::UInt16 => (0, u16::MAX.into()),
        DataType::UInt32 => (0, u32::MAX.into()),
        DataType::UInt64 => (0, u64::MAX.into()),
        DataType::Int8 => (i8::MIN.into(), i8::MAX.into()),
        DataType::Int16 => (i16::MIN.into(), i16::MAX.into()),
        DataType::Int32
        | DataType::Date
        | DataType::Time(TimeUnit::Second | TimeUnit::Millisecond) => {
            (i32::MIN.into(), i32::MAX.into())
        }
        DataType::Int64 | DataType::Time(_) | DataType::Timestamp { .. } => {
            (i64::MIN.into(), i64::MAX.into())
        }
        _ => return None,
    };
    let (min, max): (i128, i128) = bounds.unwrap_or(limits);
    Some(((max - min).cast_unsigned(), PartKind::Int { data_type, min }))
}

fn bit_len(value: u128) -> u32 {
    u128::BITS - value.leading_zeros()
}

fn float_bits(value: f64) -> u128 {
    canonical_float(value).to_bits().into()
}

#[expect(clippy::cast_possible_truncation, reason = "64 bits were put in")]
fn from_float_bits(part: u128) -> f64 {
    f64::from_bits(part as u64)
}

/// No slot that is taken is zero: its low half is the group's number plus one.
const EMPTY: u64 = 0;
const SLOTS_MIN: usize = 64;

/// The memory of a table's slots.
pub(crate) type Slots = Pages<u64>;

/// Numbers distinct packed keys from 0 in the order of their first appearance.
///
/// A slot holds half of the key's hash above its group's number plus one; the keys stand apart, by
/// group. So a slot is eight bytes whatever the key's width, a table of a million groups stays near
/// the cache, a new key mostly finds its slot without reading another key, and growing reads no key
/// at all.
#[derive(Debug)]
pub(crate) struct PackedTable<K> {
    slots: Slots,
    keys: Vec<K>,
    /// 64 - log2 of the slot count.
    shift: u32,
}

impl<K: PackedKey> PackedTable<K> {
    /// An empty table with room for `count` keys, in the slots `spare` if they are of that length.
    pub(crate) fn with_capacity(count: usize, spare: Option<Slots>) -> PackedTable<K> {
        let len = (count * 2).next_power_of_two().max(SLOTS_MIN);
        let shift = 64 - len.trailing_zeros();
        let slots = match spare {
            Some(mut slots) if slots.len() == len => {
                slots.fill(EMPTY);
                slots
            }
            _ => Pages::zeroed(len),
        };
        PackedTable { slots, keys: Vec::with_capacity(count), shift }
    }

    /// The slots, for another table.
    pub(crate) fn into_slots(self) -> Slots {
        self.slots
    }

    /// The distinct keys by group.
    pub(crate) fn keys(&self) -> &[K] {
        &self.keys
    }

    /// Bytes held.
    pub(crate) fn bytes(&self) -> usize {
        self.slots.bytes() + self.keys.capacity() * size_of::<K>()
    }

    /// Appends the group of each key to `groups`.
    pub(crate) fn find(&mut self, keys: &[K], groups: &mut Vec<u32>) {
        self.reserve(keys.len());
        let shift = self.shift;
        let (slots, known) = (&mut self.slots[..], &mut self.keys);
        groups.extend(keys.iter().map(|key| insert(slots, known, *key, shift)));
    }

    /// The group of one key.
    pub(crate) fn find_one(&mut self, key: K) -> u32 {
        self.reserve(1);
        insert(&mut self.slots, &mut self.keys, key, self.shift)
    }

    /// Makes room for `additional` keys, so that no more than half of the slots are taken.
    fn reserve(&mut self, additional: usize) {
        if (self.keys.len() + additional) * 2 <= self.slots.len() {
            return;
        }
        let len = ((self.keys.len() + additional) * 3).next_power_of_two();
        self.shift = 64 - len.trailing_zeros();
        let old = std::mem::replace(&mut self.slots, Pages::zeroed(len));
        let slots = &mut self.slots[..];
        for slot in old.iter().copied().filter(|slot| *slot != EMPTY) {
            let mut position = place(slot, self.shift);
            while slots[position & (len - 1)] != EMPTY {
                position += 1;
            }
            slots[position & (len - 1)] = slot;
        }
    }
}

/// The group of `key`; there must be room for one more.
#[inline]
fn insert<K: PackedKey>(slots: &mut [u64], keys: &mut Vec<K>, key: K, shift: u32) -> u32 {
    let last = slots.len() - 1;
    let hash = key.hash();
    let tag = hash & TAG;
    let mut position = place(hash, shift);
    loop {
        let slot = &mut slots[position & last];
        if *slot == EMPTY {
            let group = u32::try_from(keys.len()).expect("fewer than 2^32 groups");
            *slot = tag | (u64::from(group) + 1);
            keys.push(key);
            return group;
        }
        let group = group_of(*slot);
        if *slot & TAG == tag && keys[group as usize] == key {
            return group;
        }
        position += 1;
    }
}

/// The half of a hash that a slot keeps, which also places it.
const TAG: u64 = 0xffff_ffff_0000_0000;

#[expect(clippy::cast_possible_truncation, reason = "at most 32 bits are left: 2^32 slots suffice")]
fn place(hash: u64, shift: u32) -> usize {
    (hash >> shift) as usize
}

#[expect(clippy::cast_possible_truncation, reason = "the low half is what is asked for")]
fn group_of(slot: u64) -> u32 {
    (slot as u32).wrapping_sub(1)
}
