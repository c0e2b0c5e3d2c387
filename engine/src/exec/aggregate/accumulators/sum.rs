//! `SUM` and `AVG`.
//!
//! One state serves both: the exact sum and, for AVG, how many values it has. Integers of up to 32
//! bits sum into 64 bits (2^31 values cannot overflow; then they move to 128), wider ones into 128,
//! decimals into 192, doubles as in [`exact`](crate::exec::aggregate::exact).

use std::fmt::Debug;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Decimal128Array, Float64Array, Int64Array};
use arrow::buffer::NullBuffer;
use arrow::datatypes::{
    DataType as ArrowType, Decimal128Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type,
    UInt8Type, UInt16Type, UInt32Type, UInt64Type,
};

use super::{Accumulator, Groups, Seen, same_kind, without_nulls};
use crate::exec::aggregate::exact::{FloatSums, Sum192, ratio};
use crate::exec::aggregate::pages::Pages;
use crate::exec::source::ColumnKind;
use crate::kernel::{self, Integer};
use crate::plan::AggregateFunction;
use crate::types::{DataType, Error, Result, cast};
use crate::vector::Vector;

/// The accumulator of `function`, which is `Sum` or `Avg`, over values of `kind`.
pub(super) fn sum(
    function: AggregateFunction,
    kind: &ColumnKind,
    filtered: bool,
) -> Result<Box<dyn Accumulator>> {
    let data_type = kind.data_type();
    let result = function.result_type(Some(data_type))?;
    let average = function == AggregateFunction::Avg;
    let scale = match data_type {
        DataType::Decimal { scale, .. } => scale,
        _ => 0,
    };
    let output = Output { data_type: result, average, scale };
    let seen = Seen::new(kind, filtered);
    Ok(match data_type {
        DataType::Float32 | DataType::Float64 => {
            Box::new(SumOf::new(output, seen, FloatSums::default()))
        }
        DataType::Decimal { .. } => Box::new(SumOf::new(output, seen, Decimals::default())),
        DataType::Int64 if has_32_bits(kind) => {
            Box::new(SumOf::new(output, seen, Integers::default()))
        }
        DataType::Int64 | DataType::UInt64 => {
            Box::new(SumOf::new(output, seen, WideIntegers::default()))
        }
        _ if data_type.is_integer() || data_type == DataType::Bool => {
            Box::new(SumOf::new(output, seen, Integers::default()))
        }
        _ => return Err(Error::internal(format!("no sum of {data_type}"))),
    })
}

/// Whether all values are known to be within 32 bits.
fn has_32_bits(kind: &ColumnKind) -> bool {
    let limits = i128::from(i32::MIN)..=i128::from(u32::MAX);
    matches!(kind, ColumnKind::Flat { bounds: Some((min, max)), .. }
        if limits.contains(min) && limits.contains(max))
}

/// What the sum becomes.
#[derive(Clone, Copy, Debug)]
struct Output {
    data_type: DataType,
    average: bool,
    scale: u8,
}

/// How sums of one kind of value are kept.
trait Sums: Debug + Send + Sync + 'static {
    fn resize(&mut self, group_count: usize);
    /// Adds an array without NULLs.
    fn add(&mut self, groups: Groups<'_>, values: &ArrayRef) -> Result<()>;
    fn merge(&mut self, other: &Self, from: &[u32], to: &[u32]);
    /// Sets all sums to 0.
    fn clear(&mut self);
    /// Adds to each group a sum, of `value_count` values within 32 bits for all groups.
    fn add_sums(&mut self, _sums: &[i64], _value_count: u64) -> Result<()> {
        Err(Error::internal("sums of other values"))
    }
    /// Exchanges two groups.
    fn swap(&mut self, left: usize, right: usize);
    /// The exact sum of integers and decimals; `None` for doubles.
    fn exact(&self, group: usize) -> Option<Sum192>;
    /// The sum of doubles over `divisor`; `None` beyond the largest double, and for other sums.
    fn quotient(&self, group: usize, divisor: u64) -> Option<f64>;
    fn bytes(&self) -> usize;
}

#[derive(Debug)]
struct SumOf<S> {
    output: Output,
    sums: S,
    seen: Seen,
    /// Values per group; only for AVG.
    counts: Pages<u64>,
}

impl<S: Sums> SumOf<S> {
    fn new(output: Output, seen: Seen, sums: S) -> SumOf<S> {
        SumOf { output, sums, seen, counts: Pages::default() }
    }

    fn add(&mut self, groups: Groups<'_>, argument: &Vector) -> Result<()> {
        if self.output.average {
            match groups {
                Groups::First(0) => {}
                Groups::First(len) => self.counts[0] += len as u64,
                Groups::Each(groups) => {
                    let counts = &mut self.counts[..];
                    for group in groups {
                        counts[*group as usize] += 1;
                    }
                }
            }
        }
        self.sums.add(groups, &argument.decode()?)
    }

    fn swap_with_first(&mut self, group: usize) {
        self.sums.swap(0, group);
        if self.output.average {
            self.counts.swap(0, group);
        }
    }

    /// Sums over counts, rounded once.
    fn doubles(
        &self,
        count_of: impl Fn(usize) -> u64,
        nulls: Option<NullBuffer>,
    ) -> Result<Float64Array> {
        let group_count = self.seen.group_count();
        let scale = 10_u128.pow(self.output.scale.into());
        let values = (0..group_count).map(|group| {
            if !self.seen.contains(group) {
                return Ok(0.0);
            }
            let count = count_of(group);
            match self.sums.exact(group) {
                Some(sum) => Ok(ratio(sum, count, scale)),
                None => {
                    self.sums.quotient(group, count).ok_or_else(|| out_of_range(DataType::Float64))
                }
            }
        });
        Ok(Float64Array::new(all(values)?.into(), nulls))
    }
}

impl<S: Sums> Accumulator for SumOf<S> {
    fn resize(&mut self, group_count: usize) {
        self.sums.resize(group_count);
        self.seen.resize(group_count);
        if self.output.average {
            self.counts.grow(group_count);
        }
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

    fn takes_runs(&self) -> bool {
        true
    }

    fn update_run(&mut self, group: u32, argument: &Vector) -> Result<()> {
        let all = Groups::First(argument.len());
        let taken = without_nulls(all, argument)?;
        let (groups, values) = match &taken {
            None => (all, argument),
            Some((groups, values)) => (groups.borrow(), values),
        };
        if groups.len() == 0 {
            self.seen.run(None);
            return Ok(());
        }
        self.seen.run(Some(group));
        let place = group as usize;
        // Adding to the first group is one loop over the values.
        self.swap_with_first(place);
        let added = self.add(groups, values);
        self.swap_with_first(place);
        added
    }

    fn clear(&mut self) -> bool {
        self.sums.clear();
        self.seen.clear();
        self.counts.fill(0);
        true
    }

    fn add_sums(&mut self, sums: &[i64], value_count: u64) -> Result<()> {
        self.seen.all(Groups::First(1));
        self.sums.add_sums(sums, value_count)
    }

    fn merge(&mut self, other: &dyn Accumulator, from: &[u32], to: &[u32]) -> Result<()> {
        let other: &SumOf<S> = same_kind(other)?;
        self.sums.merge(&other.sums, from, to);
        self.seen.merge(&other.seen, from, to);
        if self.output.average {
            let (counts, added) = (&mut self.counts[..], &other.counts[..]);
            for (from, to) in from.iter().zip(to) {
                counts[*to as usize] += added[*from as usize];
            }
        }
        Ok(())
    }

    fn finish(&self) -> Result<Vector> {
        let nulls = self.seen.nulls();
        let group_count = self.seen.group_count();
        let exact = |group: usize| {
            self.sums
                .exact(group)
                .and_then(Sum192::to_i128)
                .ok_or_else(|| out_of_range(self.output.data_type))
        };
        Ok(Vector::Flat(match self.output.data_type {
            DataType::Int64 => {
                let values = (0..group_count).map(|group| {
                    i64::try_from(exact(group)?).map_err(|_| out_of_range(DataType::Int64))
                });
                Arc::new(Int64Array::new(all(values)?.into(), nulls))
            }
            DataType::Decimal { precision, scale } => {
                let limit = 10_u128.pow(precision.into());
                let values = (0..group_count).map(|group| {
                    let sum = exact(group)?;
                    if sum.unsigned_abs() < limit {
                        Ok(sum)
                    } else {
                        Err(out_of_range(self.output.data_type))
                    }
                });
                let array = Decimal128Array::new(all(values)?.into(), nulls);
                Arc::new(array.with_precision_and_scale(precision, scale.cast_signed())?)
            }
            _ if self.output.average => Arc::new(self.doubles(|group| self.counts[group], nulls)?),
            _ => Arc::new(self.doubles(|_| 1, nulls)?),
        }))
    }

    fn finish_average(&self, counts: &[i64]) -> Result<Vector> {
        let averages = self.doubles(|group| counts[group].unsigned_abs(), self.seen.nulls())?;
        Ok(Vector::Flat(Arc::new(averages)))
    }

    fn kind(&self) -> ColumnKind {
        ColumnKind::flat(self.output.data_type)
    }

    fn bytes(&self) -> usize {
        self.sums.bytes() + self.seen.bytes() + self.counts.bytes()
    }
}

/// The values, in memory of their number from the start, which collecting results does not ask for.
fn all<T>(values: impl ExactSizeIterator<Item = Result<T>>) -> Result<Vec<T>> {
    let mut all = Vec::with_capacity(values.len());
    for value in values {
        all.push(value?);
    }
    Ok(all)
}

fn out_of_range(data_type: DataType) -> Error {
    Error::out_of_range(format!("the sum is out of range for {data_type}"))
        .with_hint("cast the argument to double")
}

/// Sums of integers whose values are within 32 bits, and of booleans.
#[derive(Debug, Default)]
struct Integers {
    sums: Pages<i64>,
    /// What was moved out of `sums` before it could overflow; mostly empty.
    moved: Vec<i128>,
    value_count: u64,
}

/// 2^31 values below 2^32 stay below 2^63.
const VALUES_MAX: u64 = 1 << 31;

impl Integers {
    fn move_out(&mut self) {
        self.value_count = 0;
        self.moved.resize(self.sums.len(), 0);
        for (moved, sum) in self.moved.iter_mut().zip(&mut self.sums[..]) {
            *moved += i128::from(std::mem::take(sum));
        }
    }

    fn total(&self, group: usize) -> i128 {
        self.moved.get(group).copied().unwrap_or(0) + i128::from(self.sums[group])
    }
}

fn accumulate<N: Integer>(sums: &mut [i64], groups: Groups<'_>, values: &[N]) {
    match groups {
        Groups::First(_) => sums[0] += kernel::sum_narrow(values),
        Groups::Each(groups) if sums.len() <= kernel::FEW_GROUPS => {
            kernel::add_to_few(sums, groups, values);
        }
        Groups::Each(groups) => {
            kernel::scatter(groups, values, |group, value| sums[group] += value.to_i64());
        }
    }
}

impl Sums for Integers {
    fn resize(&mut self, group_count: usize) {
        self.sums.grow(group_count);
    }

    fn add(&mut self, groups: Groups<'_>, array: &ArrayRef) -> Result<()> {
        self.value_count += groups.len() as u64;
        if self.value_count >= VALUES_MAX {
            self.move_out();
        }
        let sums = &mut self.sums[..];
        if groups.len() == 0 {
            return Ok(());
        }
        match array.data_type() {
            ArrowType::Int8 => {
                accumulate(sums, groups, array.as_primitive::<Int8Type>().values());
            }
            ArrowType::Int16 => {
                accumulate(sums, groups, array.as_primitive::<Int16Type>().values());
            }
            ArrowType::Int32 => {
                accumulate(sums, groups, array.as_primitive::<Int32Type>().values());
            }
            ArrowType::Int64 => {
                accumulate(sums, groups, array.as_primitive::<Int64Type>().values());
            }
            ArrowType::UInt8 => {
                accumulate(sums, groups, array.as_primitive::<UInt8Type>().values());
            }
            ArrowType::UInt16 => {
                accumulate(sums, groups, array.as_primitive::<UInt16Type>().values());
            }
            ArrowType::UInt32 => {
                accumulate(sums, groups, array.as_primitive::<UInt32Type>().values());
            }
            _ => {
                let integers = cast(array, &ArrowType::Int32)?;
                accumulate(sums, groups, integers.as_primitive::<Int32Type>().values());
            }
        }
        Ok(())
    }

    fn add_sums(&mut self, sums: &[i64], value_count: u64) -> Result<()> {
        self.value_count += value_count;
        if self.value_count >= VALUES_MAX {
            self.move_out();
            self.value_count = value_count;
        }
        self.sums.iter_mut().zip(sums).for_each(|(total, sum)| *total += sum);
        Ok(())
    }

    fn clear(&mut self) {
        self.sums.fill(0);
        (self.moved, self.value_count) = (Vec::new(), 0);
    }

    fn merge(&mut self, other: &Integers, from: &[u32], to: &[u32]) {
        if other.moved.is_empty() && self.value_count + other.value_count < VALUES_MAX {
            self.value_count += other.value_count;
            let (sums, added) = (&mut self.sums[..], &other.sums[..]);
            for (from, to) in from.iter().zip(to) {
                sums[*to as usize] += added[*from as usize];
            }
            return;
        }
        if self.moved.len() < self.sums.len() {
            self.move_out();
        }
        for (from, to) in from.iter().zip(to) {
            self.moved[*to as usize] += other.total(*from as usize);
        }
    }

    fn swap(&mut self, left: usize, right: usize) {
        self.sums.swap(left, right);
        if left.max(right) < self.moved.len() {
            self.moved.swap(left, right);
        }
    }

    fn exact(&self, group: usize) -> Option<Sum192> {
        let mut sum = Sum192::default();
        sum.add(self.total(group));
        Some(sum)
    }

    fn quotient(&self, _group: usize, _divisor: u64) -> Option<f64> {
        None
    }

    fn bytes(&self) -> usize {
        self.sums.bytes() + self.moved.capacity() * size_of::<i128>()
    }
}

/// Sums of 64-bit integers: 2^63 of them fit 128 bits.
#[derive(Debug, Default)]
struct WideIntegers {
    sums: Pages<i128>,
}

fn accumulate_wide<N: Integer>(sums: &mut [i128], groups: Groups<'_>, values: &[N]) {
    match groups {
        Groups::First(0) => {}
        Groups::First(_) => sums[0] += kernel::sum(values),
        Groups::Each(groups) => {
            kernel::scatter(groups, values, |group, value| sums[group] += value.to_i128());
        }
    }
}

impl Sums for WideIntegers {
    fn resize(&mut self, group_count: usize) {
        self.sums.grow(group_count);
    }

    fn add(&mut self, groups: Groups<'_>, array: &ArrayRef) -> Result<()> {
        if array.data_type() == &ArrowType::UInt64 {
            let values = array.as_primitive::<UInt64Type>().values();
            accumulate_wide(&mut self.sums, groups, values);
        } else {
            let values = array.as_primitive::<Int64Type>().values();
            accumulate_wide(&mut self.sums, groups, values);
        }
        Ok(())
    }

    fn add_sums(&mut self, sums: &[i64], _value_count: u64) -> Result<()> {
        self.sums.iter_mut().zip(sums).for_each(|(total, sum)| *total += i128::from(*sum));
        Ok(())
    }

    fn clear(&mut self) {
        self.sums.fill(0);
    }

    fn merge(&mut self, other: &WideIntegers, from: &[u32], to: &[u32]) {
        let (sums, added) = (&mut self.sums[..], &other.sums[..]);
        for (from, to) in from.iter().zip(to) {
            sums[*to as usize] += added[*from as usize];
        }
    }

    fn swap(&mut self, left: usize, right: usize) {
        self.sums.swap(left, right);
    }

    fn exact(&self, group: usize) -> Option<Sum192> {
        let mut sum = Sum192::default();
        sum.add(self.sums[group]);
        Some(sum)
    }

    fn quotient(&self, _group: usize, _divisor: u64) -> Option<f64> {
        None
    }

    fn bytes(&self) -> usize {
        self.sums.bytes()
    }
}

/// Sums of decimals: two of them may pass 128 bits.
#[derive(Debug, Default)]
struct Decimals {
    sums: Vec<Sum192>,
}

impl Sums for Decimals {
    fn resize(&mut self, group_count: usize) {
        self.sums.resize(group_count, Sum192::default());
    }

    fn add(&mut self, groups: Groups<'_>, array: &ArrayRef) -> Result<()> {
        let values = array.as_primitive::<Decimal128Type>().values();
        match groups {
            Groups::First(_) => values.iter().for_each(|value| self.sums[0].add(*value)),
            Groups::Each(groups) => {
                for (group, value) in groups.iter().zip(values) {
                    self.sums[*group as usize].add(*value);
                }
            }
        }
        Ok(())
    }

    fn clear(&mut self) {
        self.sums.fill(Sum192::default());
    }

    fn merge(&mut self, other: &Decimals, from: &[u32], to: &[u32]) {
        for (from, to) in from.iter().zip(to) {
            self.sums[*to as usize].merge(other.sums[*from as usize]);
        }
    }

    fn swap(&mut self, left: usize, right: usize) {
        self.sums.swap(left, right);
    }

    fn exact(&self, group: usize) -> Option<Sum192> {
        Some(self.sums[group])
    }

    fn quotient(&self, _group: usize, _divisor: u64) -> Option<f64> {
        None
    }

    fn bytes(&self) -> usize {
        self.sums.capacity() * size_of::<Sum192>()
    }
}

impl Sums for FloatSums {
    fn resize(&mut self, group_count: usize) {
        FloatSums::resize(self, group_count);
    }

    fn add(&mut self, groups: Groups<'_>, array: &ArrayRef) -> Result<()> {
        let array = if array.data_type() == &ArrowType::Float64 {
            Arc::clone(array)
        } else {
            cast(array, &ArrowType::Float64)?
        };
        let values = array.as_primitive::<Float64Type>().values();
        match groups {
            Groups::First(0) => {}
            Groups::First(_) => self.add_to_first(values),
            Groups::Each(groups) => FloatSums::add(self, groups, values),
        }
        Ok(())
    }

    fn clear(&mut self) {
        FloatSums::clear(self);
    }

    fn merge(&mut self, other: &FloatSums, from: &[u32], to: &[u32]) {
        FloatSums::merge(self, other, from, to);
    }

    fn swap(&mut self, left: usize, right: usize) {
        FloatSums::swap(self, left, right);
    }

    fn exact(&self, _group: usize) -> Option<Sum192> {
        None
    }

    fn quotient(&self, group: usize, divisor: u64) -> Option<f64> {
        let group = u32::try_from(group).expect("group numbers are u32");
        FloatSums::quotient(self, group, divisor)
    }

    fn bytes(&self) -> usize {
        FloatSums::bytes(self)
    }
}
