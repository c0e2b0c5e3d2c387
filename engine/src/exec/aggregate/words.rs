//! Sums of several small integers, and the number of rows, side by side in one word a group.
//!
//! Adding to a group is a read, an addition and a write somewhere in memory, whatever is added. Where
//! the bounds of arguments are known and narrow, their distances from a base are put side by side,
//! each with room for the sum of so many rows, and are added at once:
//!
//! ```text
//! word   0 | rows | … | distance of y | distance of x      each of its width + r bits, for 2^r rows
//! ```
//!
//! Before any of them could overflow, and when states are settled, the words are emptied into the
//! accumulators. So every sum stays exact. Must not know how groups are found.

use arrow::array::{ArrayRef, AsArray};
use arrow::datatypes::{
    Int8Type, Int16Type, Int32Type, Int64Type, UInt8Type, UInt16Type, UInt32Type, UInt64Type,
};

use super::accumulators::Accumulator;
use super::work::State;
use crate::exec::source::ColumnKind;
use crate::kernel;
use crate::plan::AggregateFunction;
use crate::types::{DataType, Result};
use crate::vector::Vector;

/// Bits of a word that are used: its sums stay positive.
const WORD_BITS: u32 = 62;
/// 2 to this many rows are added to a word before it is emptied, at least and at most.
const ROW_BITS: std::ops::RangeInclusive<u32> = 14..=24;
/// Rows for each group, for which emptying its word pays.
const ROWS_PER_GROUP: usize = 2;
/// Rows whose words are made at once.
const PIECE_LEN: usize = 1_024;

/// Which states share words, and how.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Layout {
    fields: Vec<Field>,
    /// The state that counts rows, if it has its place in the words.
    count: Option<usize>,
    /// Where the rows are counted, if they are: bases need that too.
    count_shift: Option<u32>,
    row_bits: u32,
}

/// A sum in a word.
#[derive(Clone, Debug, PartialEq)]
struct Field {
    state: usize,
    input: usize,
    data_type: DataType,
    base: i64,
    shift: u32,
    width: u32,
}

impl Field {
    /// The place of a state that is a sum of integers within 32 bits, of which none is NULL.
    fn new(state: usize, planned: &State, inputs: &[ColumnKind]) -> Option<Field> {
        let input = planned.argument?;
        let ColumnKind::Flat { data_type, nullable: false, bounds: Some((min, max)) } =
            inputs[input]
        else {
            return None;
        };
        if planned.function != AggregateFunction::Sum
            || !planned.is_plain()
            || !data_type.is_integer()
        {
            return None;
        }
        let limits = i64::from(i32::MIN)..=i64::from(u32::MAX);
        let (min, max) = (i64::try_from(min).ok()?, i64::try_from(max).ok()?);
        if !limits.contains(&min) || !limits.contains(&max) {
            return None;
        }
        // Without a base rows need not be counted.
        let base = if min >= 0 && bit_len(max) == bit_len(max - min) { 0 } else { min };
        Some(Field { state, input, data_type, base, shift: 0, width: bit_len(max - base) })
    }
}

fn bit_len(value: i64) -> u32 {
    u64::BITS - value.leading_zeros()
}

impl Layout {
    /// The words that some of `states` share; `None` when no two can.
    pub(super) fn new(states: &[State], inputs: &[ColumnKind]) -> Option<Layout> {
        let mut fields: Vec<Field> = (0..)
            .zip(states)
            .filter_map(|(index, state)| Field::new(index, state, inputs))
            .collect();
        // Narrow ones first, so that many have room.
        fields.sort_by_key(|field| field.width);
        let count = states.iter().position(|state| *state == State::ROW_COUNT);
        let is_counted =
            |fields: &[Field]| count.is_some() || fields.iter().any(|field| field.base != 0);
        let row_bits = |fields: &[Field]| {
            let places = fields.len() + usize::from(is_counted(fields));
            let widths: u32 = fields.iter().map(|field| field.width).sum();
            WORD_BITS.checked_sub(widths)?.checked_div(u32::try_from(places).ok()?)
        };
        while row_bits(&fields).is_none_or(|bits| bits < *ROW_BITS.start()) {
            fields.pop()?;
        }
        if fields.len() + usize::from(count.is_some()) < 2 {
            return None;
        }
        let row_bits = row_bits(&fields)?.min(*ROW_BITS.end());
        let is_counted = is_counted(&fields);
        let mut shift = 0;
        for field in &mut fields {
            field.shift = shift;
            shift += field.width + row_bits;
        }
        Some(Layout { fields, count, count_shift: is_counted.then_some(shift), row_bits })
    }

    /// Whether a state has its place in the words.
    fn holds(&self, state: usize) -> bool {
        self.count == Some(state) || self.fields.iter().any(|field| field.state == state)
    }
}

/// The words of all groups.
#[derive(Debug)]
pub(super) struct Words {
    layout: Layout,
    /// By group.
    sums: Vec<i64>,
    /// Rows in them.
    row_count: usize,
    /// What the words are emptied through: rows, and sums of a field.
    room: [Vec<i64>; 2],
    /// Too many groups would have to be emptied too often.
    is_off: bool,
}

impl Words {
    /// No group yet.
    pub(super) fn new(layout: Layout) -> Words {
        Words { layout, sums: Vec::new(), row_count: 0, room: Default::default(), is_off: false }
    }

    /// Whether the groups are few enough for words.
    pub(super) fn is_on(&self) -> bool {
        !self.is_off
    }

    /// Whether a state is fed through the words, while they are on.
    pub(super) fn holds(&self, state: usize) -> bool {
        self.layout.holds(state)
    }

    /// Whether the words are empty.
    pub(super) fn is_empty(&self) -> bool {
        self.row_count == 0
    }

    /// Bytes held.
    pub(super) fn bytes(&self) -> usize {
        let room = self.room.iter().map(Vec::capacity).sum::<usize>();
        (self.sums.capacity() + room) * size_of::<i64>()
    }

    /// Rows that the words have room for.
    fn rows_max(&self) -> usize {
        (1 << self.layout.row_bits) - 1
    }

    /// Makes room for groups up to `group_count`, or gives up when they are too many.
    ///
    /// # Errors
    /// `Internal` when a state is no sum.
    pub(super) fn resize(
        &mut self,
        group_count: usize,
        states: &mut [Box<dyn Accumulator>],
    ) -> Result<()> {
        if !self.is_off && group_count > self.rows_max() / ROWS_PER_GROUP {
            self.empty_into(states)?;
            (self.sums, self.room) = Default::default();
            self.is_off = true;
        }
        if !self.is_off && self.sums.len() < group_count {
            self.sums.resize(group_count, 0);
        }
        Ok(())
    }

    /// Takes the rows of `groups`.
    ///
    /// # Errors
    /// `Internal` when an input or a state is not what was planned.
    pub(super) fn add(
        &mut self,
        groups: &[u32],
        inputs: &[Vector],
        states: &mut [Box<dyn Accumulator>],
    ) -> Result<()> {
        let fields = &self.layout.fields;
        let arrays: Vec<ArrayRef> =
            fields.iter().map(|field| inputs[field.input].decode()).collect::<Result<_>>()?;
        let mut room = [0; PIECE_LEN];
        for (start, groups) in (0..).step_by(PIECE_LEN).zip(groups.chunks(PIECE_LEN)) {
            if self.row_count + groups.len() > self.rows_max() {
                self.empty_into(states)?;
            }
            self.row_count += groups.len();
            let row_words = &mut room[..groups.len()];
            let mut begin = Some(self.layout.count_shift.map_or(0, |shift| 1 << shift));
            for (field, array) in self.layout.fields.iter().zip(&arrays) {
                put(field, array, (start, begin.take()), row_words);
            }
            if self.sums.len() <= kernel::FEW_GROUPS {
                kernel::add_to_few(&mut self.sums, groups, row_words);
                continue;
            }
            let sums = &mut self.sums[..];
            kernel::scatter(groups, row_words, |group, word| sums[group] += word);
        }
        Ok(())
    }

    /// Adds what is in the words to the states that they stand for.
    ///
    /// # Errors
    /// `Internal` when a state is no sum.
    pub(super) fn empty_into(&mut self, states: &mut [Box<dyn Accumulator>]) -> Result<()> {
        let row_count = std::mem::take(&mut self.row_count);
        if row_count == 0 {
            return Ok(());
        }
        let layout = &self.layout;
        let [counts, sums] = &mut self.room;
        counts.clear();
        if let Some(shift) = layout.count_shift {
            counts.extend(self.sums.iter().map(|word| word >> shift));
        }
        for field in &layout.fields {
            let mask = (1 << (field.width + layout.row_bits)) - 1;
            sums.clear();
            sums.extend(self.sums.iter().map(|word| word >> field.shift & mask));
            if field.base != 0 {
                let counted = sums.iter_mut().zip(&*counts);
                counted.for_each(|(sum, count)| *sum += field.base * count);
            }
            states[field.state].add_sums(sums, row_count as u64)?;
        }
        if let Some(state) = layout.count {
            states[state].add_sums(counts, row_count as u64)?;
        }
        self.sums.fill(0);
        Ok(())
    }
}

/// Puts a field of the rows from `start` on into their words; the first field begins them.
fn put(field: &Field, array: &ArrayRef, (start, begin): (usize, Option<i64>), words: &mut [i64]) {
    macro_rules! integers {
        ($arrow:ty) => {{
            let values = &array.as_primitive::<$arrow>().values()[start..start + words.len()];
            match begin {
                Some(begin) => kernel::put_shifted(values, field.base, field.shift, begin, words),
                None => kernel::add_shifted(values, field.base, field.shift, words),
            }
        }};
    }
    match field.data_type {
        DataType::Int8 => integers!(Int8Type),
        DataType::Int16 => integers!(Int16Type),
        DataType::Int32 => integers!(Int32Type),
        DataType::Int64 => integers!(Int64Type),
        DataType::UInt8 => integers!(UInt8Type),
        DataType::UInt16 => integers!(UInt16Type),
        DataType::UInt32 => integers!(UInt32Type),
        DataType::UInt64 => integers!(UInt64Type),
        _ => unreachable!("Field::new takes integers only"),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{Int8Array, Int32Array, Int64Array};

    use super::super::accumulators::accumulator;
    use super::*;

    fn kind(data_type: DataType, bounds: (i128, i128)) -> ColumnKind {
        ColumnKind::Flat { data_type, nullable: false, bounds: Some(bounds) }
    }

    fn sum(input: usize) -> State {
        State::of(AggregateFunction::Sum, Some(input))
    }

    #[test]
    fn narrow_sums_and_the_count_share_a_word() {
        let kinds = [
            kind(DataType::Int64, (0, 1 << 31)),
            kind(DataType::Int8, (-5, 2)),
            kind(DataType::Int8, (100, 101)),
        ];
        let states = [sum(0), sum(1), State::ROW_COUNT, sum(2)];
        let layout = Layout::new(&states, &kinds).expect("they are narrow");
        let held: Vec<usize> = (0..4).filter(|state| layout.holds(*state)).collect();
        assert_eq!(held, [1, 2, 3], "33 bits leave no room");
        assert_eq!(Layout::new(&states[..1], &kinds), None, "one alone needs no word");
        let nullable = [ColumnKind::flat(DataType::Int8)];
        assert_eq!(Layout::new(&[sum(0), State::ROW_COUNT], &nullable), None);
    }

    #[test]
    fn sums_of_words_are_those_of_the_rows() -> Result<()> {
        let kinds = [kind(DataType::Int8, (-100, 27)), kind(DataType::Int32, (0, 5_000))];
        let states = [sum(0), sum(1), State::ROW_COUNT];
        let layout = Layout::new(&states, &kinds).expect("they are narrow");
        assert!((0..3).all(|state| layout.holds(state)));
        let mut accumulators = vec![
            accumulator(AggregateFunction::Sum, false, false, &kinds[0])?,
            accumulator(AggregateFunction::Sum, false, false, &kinds[1])?,
            accumulator(
                AggregateFunction::CountRows,
                false,
                false,
                &ColumnKind::flat(DataType::Null),
            )?,
        ];
        let mut words = Words::new(layout);
        let group_count = 11;
        for state in &mut accumulators {
            state.resize(group_count);
        }
        words.resize(group_count, &mut accumulators)?;
        let mut expected = vec![(0_i64, 0_i64, 0_i64); group_count];
        // More rows than a word has room for, of the largest values.
        for batch in 0..60_i64 {
            let rows = 0..1_500_i64;
            let small = |row: i64| if row % 3 == 0 { 27 } else { -100 };
            let large = |row: i64| 5_000 - row % 2;
            let group = |row: i64| usize::try_from((row * row + batch) % 11).unwrap();
            for row in rows.clone() {
                let sums = &mut expected[group(row)];
                *sums = (sums.0 + small(row), sums.1 + large(row), sums.2 + 1);
            }
            let groups: Vec<u32> =
                rows.clone().map(|row| u32::try_from(group(row)).unwrap()).collect();
            let smalls: Int8Array =
                rows.clone().map(|row| Some(i8::try_from(small(row)).unwrap())).collect();
            let larges: Int32Array =
                rows.map(|row| Some(i32::try_from(large(row)).unwrap())).collect();
            let inputs = [Vector::Flat(Arc::new(smalls)), Vector::Flat(Arc::new(larges))];
            words.add(&groups, &inputs, &mut accumulators)?;
        }
        words.empty_into(&mut accumulators)?;
        for (index, accumulator) in accumulators.iter().enumerate() {
            let found = accumulator.finish()?.decode()?;
            let sums = expected.iter().map(|sums| Some([sums.0, sums.1, sums.2][index]));
            assert_eq!(found.as_primitive::<Int64Type>(), &sums.collect::<Int64Array>());
        }
        Ok(())
    }

    #[test]
    fn too_many_groups_go_without_words() -> Result<()> {
        let kinds = [kind(DataType::Int8, (0, 1))];
        let layout = Layout::new(&[sum(0), State::ROW_COUNT], &kinds).expect("they are narrow");
        let mut words = Words::new(layout);
        words.resize(1_000, &mut [])?;
        assert!(words.is_on() && words.holds(0) && words.holds(1) && !words.holds(2));
        words.resize(1 << 24, &mut [])?;
        assert!(!words.is_on() && words.bytes() == 0);
        Ok(())
    }
}
