//! `COUNT`, `SUM` and `AVG` of distinct values: a set of (group, value) pairs beside an inner
//! accumulator that sees each pair once, at the end.
//!
//! Values become integers: dictionary values their ids, integers of a narrow column their distance
//! from its least, which serves as an id, other fixed-width values their bits, everything else a
//! number from a table of byte strings. Without groups, ids are bits of a bitmap. Otherwise pairs are
//! appended to parts chosen by the *value*, and a part is freed of repetitions when it has doubled:
//! the set that this takes stays in the cache, and parts merge in parallel whatever the groups are.
//! Ids are parted by range, so that the first group of each id stands in an array, and only an id in
//! several groups costs a look-up by hash. Inside a row group, the first group that had a code is
//! remembered by code, so that most repetitions are never appended.

use std::sync::{Arc, OnceLock};

use arrow::array::{Array, ArrayRef, AsArray, UInt64Array};
use arrow::datatypes::{DataType as ArrowType, Float64Type, Int64Type, UInt64Type};
use arrow::row::{RowConverter, SortField};
use rayon::prelude::*;

use super::{Accumulator, Groups, accumulator, same_kind, without_nulls};
use crate::exec::aggregate::groups::{ByteTable, canonical_floats};
use crate::exec::source::ColumnKind;
use crate::kernel;
use crate::plan::AggregateFunction;
use crate::types::{DataType, Error, Result, canonical_float, cast};
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
        ColumnKind::Flat { bounds, .. } => match Values::flat(data_type, *bounds)? {
            values @ Values::Bits(_) => {
                Box::new(Distinct::<u128>::new(function, kind, values, inner))
            }
            values => Box::new(Distinct::<u64>::new(function, kind, values, inner)),
        },
    })
}

/// How values become integers, and back.
#[derive(Debug)]
enum Values {
    Ids(Arc<CodeBook>),
    /// By their distance from `min`, which is below `count`; the Arrow type of the array.
    Distances {
        min: i128,
        count: u32,
        arrow: ArrowType,
    },
    /// Fixed width of up to 64 bits; the Arrow type of the array.
    Bits(ArrowType),
    Bytes {
        converter: RowConverter,
        table: ByteTable,
    },
}

impl Values {
    fn flat(data_type: DataType, bounds: Option<(i128, i128)>) -> Result<Values> {
        let arrow = data_type.to_arrow();
        if let Some((min, max)) = bounds
            && (data_type.is_integer() || data_type.is_temporal())
            && let Ok(count) = u32::try_from(max.saturating_sub(min).saturating_add(1))
            && count <= DISTANCES_MAX
        {
            return Ok(Values::Distances { min, count, arrow });
        }
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
            Values::Distances { min, count, .. } => {
                let min = low_bits(*min);
                let mut values = to_bits(&argument.decode()?)?;
                for value in &mut values {
                    *value = value.wrapping_sub(min);
                }
                if kernel::max(&values) >= u64::from(*count) && !values.is_empty() {
                    return Err(Error::corrupt("a column has values outside of its statistics"));
                }
                Ok(values)
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
            Values::Distances { min, arrow, .. } => {
                let min = low_bits(*min);
                let values: Vec<u64> = values.iter().map(|value| value.wrapping_add(min)).collect();
                Vector::Flat(from_bits(&values, arrow)?)
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

    /// How many ids there are, where values are those.
    fn id_count(&self) -> Option<u32> {
        match self {
            Values::Ids(book) => Some(book.null_code()).filter(|count| *count < u32::MAX),
            Values::Distances { count, .. } => Some(*count),
            Values::Bits(_) | Values::Bytes { .. } => None,
        }
    }

    fn bytes(&self) -> usize {
        match self {
            Values::Bytes { table, .. } => table.memory_bytes(),
            _ => 0,
        }
    }
}

fn low_bits(value: i128) -> u64 {
    let bytes = value.to_le_bytes();
    u64::from_le_bytes(std::array::from_fn(|index| bytes[index]))
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
    let integers = cast(array, &ArrowType::Int64)?;
    let values = integers.as_primitive::<Int64Type>().values();
    Ok(values.iter().map(|value| value.cast_unsigned()).collect())
}

fn from_bits(values: &[u64], arrow: &ArrowType) -> Result<ArrayRef> {
    let bits = UInt64Array::from(values.to_vec());
    if matches!(arrow, ArrowType::Float32 | ArrowType::Float64) {
        return cast(&bits.unary::<_, Float64Type>(f64::from_bits), arrow);
    }
    if arrow == &ArrowType::UInt64 {
        return Ok(Arc::new(bits));
    }
    cast(&bits.unary::<_, Int64Type>(u64::cast_signed), arrow)
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

/// Integers of a column that has so few serve as ids: a bit for each takes 8 MiB.
const DISTANCES_MAX: u32 = 1 << 26;
/// Parts of the pairs.
const PARTS: usize = 64;
/// Pairs that a part may have before it is first freed of repetitions.
const PART_LEN_MIN: usize = if cfg!(test) { 32 } else { 512 };
/// Pairs up to which another accumulator's are merged on one thread.
const SERIAL_MERGE_MAX: usize = 65_536;
const MIX: u64 = 0x9E37_79B9_7F4A_7C15;

#[inline]
#[expect(clippy::cast_possible_truncation, reason = "folding a product of 128 bits into 64")]
fn hash_of(value: u64) -> u64 {
    let product = u128::from(value ^ 0x2D35_8DCC_AA6C_78A5) * u128::from(MIX);
    (product >> 64) as u64 ^ product as u64
}

/// Where a pair goes in a table of 2^(64 - shift) slots; other bits than its part's decide.
#[inline]
fn place_of<P: Pair>(pair: P, shift: u32) -> usize {
    let group = u64::from(pair.group()).wrapping_mul(0xC2B2_AE3D_27D4_EB4F);
    let both = hash_of(pair.value()).wrapping_add(group);
    usize::try_from(both.wrapping_mul(MIX) >> shift).expect("fewer bits than a usize has")
}

/// How values are shared out among the parts.
#[derive(Clone, Copy, Debug)]
enum Parting {
    /// Values are ids: so many, a power of two, to a part.
    Ranges {
        len: u64,
    },
    Hash,
}

impl Parting {
    fn of(values: &Values) -> Parting {
        match values.id_count() {
            Some(count) => {
                let len = u64::from(count).div_ceil(PARTS as u64).next_power_of_two();
                Parting::Ranges { len }
            }
            None => Parting::Hash,
        }
    }

    #[inline]
    fn part(self, value: u64) -> usize {
        let part = match self {
            Parting::Ranges { len } => value >> len.trailing_zeros(),
            Parting::Hash => hash_of(value) >> 58,
        };
        usize::try_from(part).expect("fewer than 64")
    }
}

/// What finding repetitions takes, kept from part to part.
#[derive(Debug)]
struct Finder<P> {
    table: Table<P>,
    /// Of each id of the part, the first group that had it.
    firsts: Vec<u32>,
}

impl<P: Pair> Finder<P> {
    fn new() -> Finder<P> {
        let table = Table { slots: Vec::new(), len: 0, len_expected: 0 };
        Finder { table, firsts: Vec::new() }
    }

    /// Keeps the first of equal pairs. Pairs that need a look-up go to a table of linear probing that
    /// is at most half full.
    fn remove_repetitions(&mut self, pairs: &mut Vec<P>, parting: Parting) {
        let Finder { table, firsts } = self;
        table.clear(pairs.len());
        let Parting::Ranges { len } = parting else {
            pairs.retain(|pair| table.insert(*pair));
            return;
        };
        let first_of_part = pairs.first().map_or(0, |pair| pair.value() & !(len - 1));
        firsts.clear();
        firsts.resize(usize::try_from(len).expect("fewer than ids"), FirstGroups::NONE);
        pairs.retain(|pair| {
            let place = usize::try_from(pair.value() - first_of_part).expect("fewer than ids");
            let first = &mut firsts[place];
            if *first == FirstGroups::NONE {
                *first = pair.group();
                return true;
            }
            *first != pair.group() && table.insert(*pair)
        });
    }

    fn bytes(&self) -> usize {
        self.table.slots.capacity() * size_of::<P>() + self.firsts.capacity() * size_of::<u32>()
    }
}

/// A set of pairs.
#[derive(Debug)]
struct Table<P> {
    slots: Vec<P>,
    len: usize,
    /// Pairs that it is made for, once there is one.
    len_expected: usize,
}

impl<P: Pair> Table<P> {
    /// Empties it, for so many pairs.
    fn clear(&mut self, len_expected: usize) {
        self.slots.clear();
        (self.len, self.len_expected) = (0, len_expected);
    }

    /// Adds `pair`; false when it is there.
    #[inline]
    fn insert(&mut self, pair: P) -> bool {
        if self.len * 2 >= self.slots.len() {
            self.grow_to((self.len * 2).max(self.len_expected));
        }
        let is_new = self.place(pair);
        self.len += usize::from(is_new);
        is_new
    }

    fn place(&mut self, pair: P) -> bool {
        let last = self.slots.len() - 1;
        let mut position = place_of(pair, u64::BITS - self.slots.len().trailing_zeros());
        loop {
            let slot = &mut self.slots[position & last];
            if *slot == pair {
                return false;
            }
            if *slot == P::NONE {
                *slot = pair;
                return true;
            }
            position += 1;
        }
    }

    /// Makes room for `len` pairs.
    fn grow_to(&mut self, len: usize) {
        let slot_count = (len * 2).next_power_of_two().max(2);
        if self.slots.is_empty() {
            self.slots.resize(slot_count, P::NONE);
            return;
        }
        let old = std::mem::replace(&mut self.slots, vec![P::NONE; slot_count]);
        for pair in old.into_iter().filter(|pair| *pair != P::NONE) {
            self.place(pair);
        }
    }
}

/// Pairs, of which the first `unique_len` are different from each other.
#[derive(Debug)]
struct Part<P> {
    pairs: Vec<P>,
    unique_len: usize,
    /// Hardly any of the last pairs was a repetition.
    has_few: bool,
}

impl<P: Pair> Part<P> {
    fn new() -> Part<P> {
        Part { pairs: Vec::new(), unique_len: 0, has_few: false }
    }

    #[inline]
    fn push(&mut self, pair: P, parting: Parting, finder: &mut Finder<P>) {
        if self.pairs.len() == self.pairs.capacity() {
            self.make_room(parting, finder);
        }
        self.pairs.push(pair);
    }

    #[cold]
    fn make_room(&mut self, parting: Parting, finder: &mut Finder<P>) {
        // An array of first groups costs as much as reading so many pairs.
        let worth_it = match parting {
            Parting::Ranges { len } => self.pairs.len() as u64 >= len,
            Parting::Hash => true,
        };
        if worth_it && !self.has_few {
            let (unique_len, len) = (self.unique_len, self.pairs.len());
            self.shrink(parting, finder);
            self.has_few = (self.unique_len - unique_len) * 8 > (len - unique_len) * 7;
        }
        self.pairs.reserve_exact(self.pairs.len().max(PART_LEN_MIN));
    }

    fn shrink(&mut self, parting: Parting, finder: &mut Finder<P>) {
        if self.unique_len < self.pairs.len() {
            finder.remove_repetitions(&mut self.pairs, parting);
            self.unique_len = self.pairs.len();
        }
    }
}

/// For each code of a book, the first group that had it.
#[derive(Debug, Default)]
struct FirstGroups {
    book: Option<Arc<CodeBook>>,
    groups: Vec<u32>,
}

impl FirstGroups {
    /// No group is ever numbered so.
    const NONE: u32 = u32::MAX;

    fn follow(&mut self, book: &Arc<CodeBook>) {
        if !self.book.as_ref().is_some_and(|present| Arc::ptr_eq(present, book)) {
            self.book = Some(Arc::clone(book));
            self.groups.clear();
            self.groups.resize(book.null_code() as usize, FirstGroups::NONE);
        }
    }
}

/// The values of each group, groups ascending.
#[derive(Debug)]
struct ByGroup {
    starts: Vec<usize>,
    values: Vec<u64>,
}

/// The set of pairs of one aggregate, and what is to see them.
#[derive(Debug)]
struct Distinct<P> {
    function: AggregateFunction,
    argument: ColumnKind,
    values: Values,
    parting: Parting,
    first: FirstGroups,
    parts: Vec<Part<P>>,
    finder: Finder<P>,
    /// Instead of pairs while there is one group and values are ids: one bit per id.
    bitmap: Vec<u64>,
    group_count: usize,
    by_group: OnceLock<ByGroup>,
    inner: Box<dyn Accumulator>,
}

impl<P: Pair> Distinct<P> {
    fn new(
        function: AggregateFunction,
        argument: &ColumnKind,
        values: Values,
        inner: Box<dyn Accumulator>,
    ) -> Distinct<P> {
        Distinct {
            function,
            argument: argument.clone(),
            parting: Parting::of(&values),
            values,
            first: FirstGroups::default(),
            parts: (0..PARTS).map(|_| Part::new()).collect(),
            finder: Finder::new(),
            bitmap: Vec::new(),
            group_count: 0,
            by_group: OnceLock::new(),
            inner,
        }
    }

    #[inline]
    fn insert(&mut self, group: u32, value: u64) {
        let part = &mut self.parts[self.parting.part(value)];
        part.push(P::new(group, value), self.parting, &mut self.finder);
    }

    fn add(&mut self, groups: Groups<'_>, argument: &Vector) -> Result<()> {
        if let (Values::Ids(_), Vector::Dictionary(vector), Groups::Each(groups)) =
            (&self.values, argument, groups)
            && vector.book().ids().is_some()
        {
            self.add_firsts(groups, vector);
            return Ok(());
        }
        let values = self.values.encode(argument)?;
        match groups {
            Groups::First(_) if let Some(count) = self.values.id_count() => {
                self.add_bits(&values, count);
            }
            Groups::First(_) => values.into_iter().for_each(|value| self.insert(0, value)),
            Groups::Each(groups) => {
                for (group, value) in groups.iter().zip(values) {
                    self.insert(*group, value);
                }
            }
        }
        Ok(())
    }

    fn add_bits(&mut self, ids: &[u64], count: u32) {
        if self.bitmap.is_empty() {
            self.bitmap = vec![0; (count as usize).div_ceil(64)];
        }
        for id in ids {
            self.bitmap[(narrow(*id) / 64) as usize] |= 1 << (id % 64);
        }
    }

    /// Appends what is not known to be there: a code that another group had first may repeat.
    fn add_firsts(&mut self, groups: &[u32], vector: &DictionaryVector) {
        let ids = vector.book().ids().expect("asked by the caller");
        let parting = self.parting;
        self.first.follow(vector.book());
        for (group, code) in groups.iter().zip(vector.codes()) {
            let first = &mut self.first.groups[*code as usize];
            if *first == *group {
                continue;
            }
            if *first == FirstGroups::NONE {
                *first = *group;
            }
            let value = u64::from(ids[*code as usize]);
            let part = &mut self.parts[parting.part(value)];
            part.push(P::new(*group, value), parting, &mut self.finder);
        }
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

    fn pair_count(&self) -> usize {
        self.parts.iter().map(|part| part.pairs.len()).sum()
    }

    fn counts(&self) -> Vec<i64> {
        let mut counts = vec![0_i64; self.group_count];
        for part in &self.parts {
            part.pairs.iter().for_each(|pair| counts[pair.group() as usize] += 1);
        }
        let bits: u32 = self.bitmap.iter().map(|word| word.count_ones()).sum();
        if let Some(first) = counts.first_mut() {
            *first += i64::from(bits);
        }
        counts
    }

    /// The pairs by group, by a counting sort, for mergers that take some groups each.
    fn by_group(&self) -> &ByGroup {
        self.by_group.get_or_init(|| {
            let pairs = || self.parts.iter().flat_map(|part| part.pairs.iter().copied());
            let mut starts = vec![0_usize; self.group_count + 1];
            pairs().for_each(|pair| starts[pair.group() as usize + 1] += 1);
            for group in 0..self.group_count {
                starts[group + 1] += starts[group];
            }
            let mut next = starts.clone();
            let mut values = vec![0_u64; self.pair_count()];
            for pair in pairs() {
                let place = &mut next[pair.group() as usize];
                values[*place] = pair.value();
                *place += 1;
            }
            ByGroup { starts, values }
        })
    }

    fn merge_all(&mut self, other: &Distinct<P>, from: &[u32], to: &[u32]) {
        let mut remap = vec![0_u32; other.group_count];
        for (from, to) in from.iter().zip(to) {
            remap[*from as usize] = *to;
        }
        let merge = |(here, there): (&mut Part<P>, &Part<P>)| {
            let renamed = |pair: &P| P::new(remap[pair.group() as usize], pair.value());
            here.pairs.extend(there.pairs.iter().map(renamed));
        };
        if other.pair_count() <= SERIAL_MERGE_MAX {
            self.parts.iter_mut().zip(&other.parts).for_each(merge);
        } else {
            self.parts.par_iter_mut().zip(&other.parts).for_each(merge);
        }
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

    fn is_settled(&self) -> bool {
        self.by_group.get().is_none()
    }

    fn settle(&mut self) {
        self.by_group = OnceLock::new();
        self.finder = Finder::new();
    }

    fn sort_by_group(&mut self) {
        self.by_group();
    }

    fn complete(&mut self) {
        let parting = self.parting;
        if self.pair_count() <= SERIAL_MERGE_MAX {
            let finder = &mut self.finder;
            self.parts.iter_mut().for_each(|part| part.shrink(parting, finder));
        } else {
            let shrink = |finder: &mut Finder<P>, part: &mut Part<P>| part.shrink(parting, finder);
            self.parts.par_iter_mut().for_each_init(Finder::new, shrink);
        }
    }

    fn merge(&mut self, other: &dyn Accumulator, from: &[u32], to: &[u32]) -> Result<()> {
        let other: &Distinct<P> = same_kind(other)?;
        if self.bitmap.is_empty() {
            self.bitmap.clone_from(&other.bitmap);
        } else {
            self.bitmap.iter_mut().zip(&other.bitmap).for_each(|(word, more)| *word |= more);
        }
        let translation = self.values.translation(&other.values);
        if translation.is_none() && from.len() == other.group_count {
            self.merge_all(other, from, to);
            return Ok(());
        }
        let by_group = other.by_group();
        for (from, to) in from.iter().zip(to) {
            let from = *from as usize;
            for value in &by_group.values[by_group.starts[from]..by_group.starts[from + 1]] {
                let value = match &translation {
                    Some(translation) => translation[narrow(*value) as usize].into(),
                    None => *value,
                };
                self.insert(*to, value);
            }
        }
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
                part.pairs.iter().map(|pair| (pair.group(), pair.value())).unzip();
            inner.update(Groups::Each(&groups), &self.values.decode(&values)?)?;
        }
        inner.finish()
    }

    fn kind(&self) -> ColumnKind {
        self.inner.kind()
    }

    fn bytes(&self) -> usize {
        let pairs: usize = self.parts.iter().map(|part| part.pairs.capacity()).sum();
        let by_group =
            self.by_group.get().map_or(0, |by| (by.starts.capacity() + by.values.capacity()) * 8);
        pairs * size_of::<P>()
            + self.finder.bytes()
            + self.first.groups.capacity() * size_of::<u32>()
            + self.bitmap.capacity() * 8
            + self.values.bytes()
            + by_group
    }

    fn merges_cheaply(&self) -> bool {
        false
    }
}
