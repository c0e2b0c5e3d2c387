//! ALP: floats that are decimal fractions, as integers (Afroozeh, Kuffó and Boncz, SIGMOD 2024).
//!
//! A double v is stored as the integer i = round(v × 10ᵉ × 10⁻ᶠ) where i × 10ᶠ × 10⁻ᵉ gives v's very
//! bits back; e and f are one pair per page. A float is stored with f = 0 and computed in double
//! precision: i = round(v × 10ᵉ), v = float(i × 10⁻ᵉ). All other values (NaNs, infinities, -0.0, more
//! digits than fit) are exceptions, stored as they are.
//!
//! ```text
//! body = e:u8 f:u8 0:u8×2 count:u32 positions pad8 values pad8 frame
//!
//! e, f       0 to 18, f at most e; factors are the doubles nearest to 10ᵉ and 10⁻ᵉ
//! count      exceptions
//! positions  u16 for each exception: its row
//! values     T / 8 bytes each: the exception's bits
//! frame      the integers (`frame`), lanes of 64 bits for doubles and of 32 bits for floats
//! ```

use std::ops::Range;

use super::frame::{self, Frame};
use super::layout::{Cursor, Positions, item, pad, push_positions, to_u16, to_u32, to_usize};
use crate::kernel::{self, Decimals, Integer, Lane};
use crate::types::{Error, Result};

/// Values that are tried with each pair of exponents.
const SAMPLE_LEN: usize = 64;

/// A page is no ALP page when more than one value in this many is an exception.
const EXCEPTION_SHARE: usize = 8;

/// A float type and the integers that ALP makes of it.
pub(super) trait Float: bytemuck::Pod {
    type Digits: Integer;

    fn digits(values: &[Self], decimals: Decimals, digits: &mut [Self::Digits]);
    fn values(digits: &[Self::Digits], decimals: Decimals, values: &mut [Self]);
    fn bits(self) -> <Self::Digits as Integer>::Lane;
    /// The pairs of exponents worth a try.
    fn candidates() -> Vec<Decimals>;
}

impl Float for f64 {
    type Digits = i64;

    fn digits(values: &[f64], decimals: Decimals, digits: &mut [i64]) {
        kernel::digits_of_f64(values, decimals, digits);
    }
    fn values(digits: &[i64], decimals: Decimals, values: &mut [f64]) {
        kernel::f64_of_digits(digits, decimals, values);
    }
    fn bits(self) -> u64 {
        self.to_bits()
    }
    fn candidates() -> Vec<Decimals> {
        let pairs = (0..=Decimals::MAX).flat_map(|e| (0..=e).map(move |f| (e, f)));
        pairs.filter_map(|(e, f)| Decimals::new(e, f)).collect()
    }
}

impl Float for f32 {
    type Digits = i32;

    fn digits(values: &[f32], decimals: Decimals, digits: &mut [i32]) {
        kernel::digits_of_f32(values, decimals, digits);
    }
    fn values(digits: &[i32], decimals: Decimals, values: &mut [f32]) {
        kernel::f32_of_digits(digits, decimals, values);
    }
    fn bits(self) -> u32 {
        self.to_bits()
    }
    fn candidates() -> Vec<Decimals> {
        (0..=10).filter_map(|e| Decimals::new(e, 0)).collect()
    }
}

/// The values of a page as integers.
pub(super) struct Digits<F: Float> {
    decimals: Decimals,
    integers: Vec<F::Digits>,
    /// Rows whose value the integer does not give back.
    exceptions: Vec<u16>,
}

impl<F: Float> Digits<F> {
    /// The integers of `values`, with the exponents that serve a sample of them best.
    pub(super) fn of(values: &[F]) -> Option<Digits<F>> {
        let decimals = best_decimals(values)?;
        Some(Digits::with(values, decimals))
    }

    fn with(values: &[F], decimals: Decimals) -> Digits<F> {
        let mut integers = vec![F::Digits::default(); values.len()];
        F::digits(values, decimals, &mut integers);
        let mut back = vec![F::zeroed(); values.len()];
        F::values(&integers, decimals, &mut back);
        let differs = |row: &usize| values[*row].bits() != back[*row].bits();
        let exceptions: Vec<u16> = (0..values.len()).filter(differs).map(to_u16).collect();
        // An exception's slot holds a value that is there, so that it widens no block.
        let mut is_exception = exceptions.iter().copied().peekable();
        let mut fill = integers
            .iter()
            .zip(0_u16..)
            .find(|(_, row)| exceptions.binary_search(row).is_err())
            .map_or_else(F::Digits::default, |(integer, _)| *integer);
        for (integer, row) in integers.iter_mut().zip(0_u16..=u16::MAX) {
            if is_exception.next_if_eq(&row).is_some() {
                *integer = fill;
            } else {
                fill = *integer;
            }
        }
        Digits { decimals, integers, exceptions }
    }

    /// Whether so few values are exceptions that the page is worth considering.
    pub(super) fn is_promising(&self) -> bool {
        self.exceptions.len() * EXCEPTION_SHARE <= self.integers.len()
    }

    /// How many bytes the page takes beside its frame.
    pub(super) fn exception_bytes(&self) -> usize {
        16 + self.exceptions.len() * (2 + size_of::<F>())
    }

    /// The layout of the integers.
    pub(super) fn plan(&self) -> frame::Plan<F::Digits> {
        frame::Plan::of(&self.integers)
    }

    /// Appends the page.
    pub(super) fn write(&self, values: &[F], plan: &frame::Plan<F::Digits>, out: &mut Vec<u8>) {
        out.extend_from_slice(&[self.decimals.exponent(), self.decimals.factor(), 0, 0]);
        out.extend_from_slice(&to_u32(self.exceptions.len()).to_le_bytes());
        push_positions(out, &self.exceptions);
        pad(out, 8);
        for row in &self.exceptions {
            out.extend_from_slice(bytemuck::bytes_of(&values[usize::from(*row)]));
        }
        pad(out, 8);
        frame::write(&self.integers, plan, out);
    }
}

/// The pair of exponents with the least bits for a sample of `values`; `None` when no pair gives
/// half of the sample back.
fn best_decimals<F: Float>(values: &[F]) -> Option<Decimals> {
    let step = values.len().div_ceil(SAMPLE_LEN);
    let sample: Vec<F> = values.iter().step_by(step).copied().collect();
    let mut digits = vec![F::Digits::default(); sample.len()];
    let mut back = vec![F::zeroed(); sample.len()];
    let mut best: Option<(usize, Decimals)> = None;
    for decimals in F::candidates() {
        F::digits(&sample, decimals, &mut digits);
        F::values(&digits, decimals, &mut back);
        let exact = |index: &usize| sample[*index].bits() == back[*index].bits();
        let kept: Vec<F::Digits> =
            (0..sample.len()).filter(exact).map(|index| digits[index]).collect();
        if kept.is_empty() || kept.len() * 2 < sample.len() {
            continue;
        }
        let (min, max) = kernel::min_max(&kept);
        let width = to_usize(max.to_lane().wrapping_sub(min.to_lane()).width());
        let exception_bits = 16 + 8 * size_of::<F>();
        let bits = width * sample.len() + (sample.len() - kept.len()) * exception_bits;
        if best.is_none_or(|(best_bits, _)| bits < best_bits) {
            best = Some((bits, decimals));
        }
    }
    best.map(|(_, decimals)| decimals)
}

/// The integers and exceptions of a page.
#[derive(Clone, Debug)]
pub(super) struct Alp {
    decimals: Decimals,
    exceptions: Positions,
    values: usize,
    digits: Frame,
}

impl Alp {
    pub(super) fn open<L: Lane>(cursor: &mut Cursor<'_>, row_count: usize) -> Result<Alp> {
        let (exponent, factor): (u8, u8) = (cursor.read()?, cursor.read()?);
        let _zero = cursor.array(2, 1)?;
        let count = to_usize(cursor.read::<u32>()?);
        let decimals = Decimals::new(exponent, factor).ok_or_else(|| {
            Error::corrupt(format!("an ALP page with exponents {exponent} and {factor}"))
        })?;
        if count > row_count || L::BYTES < 4 {
            return Err(Error::corrupt(format!("{count} exceptions in {row_count} floats")));
        }
        let exceptions = Positions::open(cursor, count)?;
        cursor.align(8);
        let values = cursor.array(count, L::BYTES)?.start;
        cursor.align(8);
        let digits = Frame::open::<L>(cursor, row_count)?;
        Ok(Alp { decimals, exceptions, values, digits })
    }

    /// Turns integers into floats, in place.
    fn restore<L: Lane>(&self, lanes: &mut [L]) {
        if L::BYTES == 8 {
            kernel::f64_in_place(bytemuck::cast_slice_mut(lanes), self.decimals);
        } else {
            kernel::f32_in_place(bytemuck::cast_slice_mut(lanes), self.decimals);
        }
    }

    pub(super) fn decode<L: Lane>(
        &self,
        page: &[u8],
        rows: Range<usize>,
        target: &mut Vec<L>,
    ) -> Result<()> {
        let start = target.len();
        self.digits.decode(page, rows.clone(), target)?;
        let target = &mut target[start..];
        self.restore(target);
        for exception in self.exceptions.within(page, &rows) {
            let place = self.exceptions.get(page, exception).wrapping_sub(rows.start);
            let Some(value) = target.get_mut(place) else {
                return Err(Error::corrupt("the exceptions of an ALP page do not ascend"));
            };
            *value = item(page, self.values, exception);
        }
        Ok(())
    }

    pub(super) fn take<L: Lane>(
        &self,
        page: &[u8],
        rows: &[u32],
        target: &mut Vec<L>,
    ) -> Result<()> {
        let start = target.len();
        self.digits.take(page, rows, target)?;
        let target = &mut target[start..];
        self.restore(target);
        for (value, row) in target.iter_mut().zip(rows) {
            let row = to_usize(*row);
            let exception = self.exceptions.rank(page, row);
            if exception < self.exceptions.count && self.exceptions.get(page, exception) == row {
                *value = item(page, self.values, exception);
            }
        }
        Ok(())
    }
}
