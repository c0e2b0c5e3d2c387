//! Quantiles: the value at a place in the order of a group's values, found without sorting them.
//!
//! Values become integers of 64 bits that order as they do ([`values`]), kept beside their group and put
//! in the order of groups by counting ([`pairs`]); the place is found by selection ([`select`]). Nothing
//! is kept per group but where it starts.
//! Must not know how groups are found.

mod pairs;
mod select;
mod values;

use self::pairs::Pairs;
use self::select::select;
use self::values::{Values, float_of, key_of_float};
use super::{Accumulator, Groups, same_kind, without_nulls};
use crate::exec::source::ColumnKind;
use crate::plan::Quantile as Place;
use crate::types::Result;
use crate::vector::Vector;

/// The quantile of every group.
#[derive(Debug)]
pub(super) struct Quantile {
    place: Place,
    values: Values,
    pairs: Pairs,
    group_count: usize,
}

impl Quantile {
    /// The quantile at `place` of arguments of `kind`; of doubles, when it is between two values.
    pub(super) fn new(place: Place, kind: &ColumnKind) -> Result<Quantile> {
        // Between two values there may be one that no dictionary has.
        let values = if place.is_continuous() {
            Values::new(&ColumnKind::flat(kind.data_type()))?
        } else {
            Values::new(kind)?
        };
        Ok(Quantile { place, values, pairs: Pairs::default(), group_count: 0 })
    }

    fn add(&mut self, groups: Groups<'_>, argument: &Vector) -> Result<()> {
        let keys = self.values.encode(argument)?;
        self.pairs.add(groups, &keys, self.group_count);
        Ok(())
    }
}

/// The quantile at `place` of the values with these keys; `None` without any.
fn quantile(place: Place, keys: &[&[u64]], scratch: &mut Vec<u64>) -> Option<u64> {
    let len = keys.iter().map(|piece| piece.len()).sum();
    if len == 0 {
        return None;
    }
    if !place.is_continuous() {
        return Some(select(keys, place.index(len), scratch).0);
    }
    let (low, high, share) = place.between(len);
    let (first, second) = select(keys, low.min(high), scratch);
    let second = if low == high { first } else { second };
    let (from, to) = if low <= high { (first, second) } else { (second, first) };
    Some(key_of_float(Place::interpolate(float_of(from), float_of(to), share)))
}

impl Accumulator for Quantile {
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
        self.pairs.is_settled()
    }

    fn settle(&mut self) {
        self.pairs.settle(self.group_count);
    }

    fn merge(&mut self, other: &dyn Accumulator, from: &[u32], to: &[u32]) -> Result<()> {
        let other: &Quantile = same_kind(other)?;
        match self.values.translation(&other.values) {
            None => self.pairs.absorb(&other.pairs, (from, to), self.group_count),
            Some(mut translation) => {
                for (from, to) in from.iter().zip(to) {
                    for keys in other.pairs.of(*from) {
                        let keys = keys.iter().map(|key| translation.of(*key));
                        self.pairs.extend(*to, keys, self.group_count);
                    }
                }
            }
        }
        Ok(())
    }

    fn finish(&self) -> Result<Vector> {
        let place = self.place;
        let results = match self.values.ranks() {
            None => {
                self.pairs.map(self.group_count, |keys, scratch| quantile(place, keys, scratch))
            }
            Some(ranks) => self.pairs.map(self.group_count, |numbers, scratch| {
                let rank = |number: &u64| ranks.rank(*number);
                let keys: Vec<u64> = numbers.iter().copied().flatten().map(rank).collect();
                quantile(place, &[&keys], scratch).map(|rank| ranks.number(rank))
            }),
        };
        self.values.decode(&results)
    }

    fn kind(&self) -> ColumnKind {
        self.values.kind()
    }

    fn bytes(&self) -> usize {
        self.pairs.bytes() + self.values.bytes()
    }

    fn merges_cheaply(&self) -> bool {
        false
    }
}
