//! Sparse encoding: one dominant value, and the rows that have another.
//!
//! ```text
//! body = kind:u8 0:u8×3 count:u32 dominant:u64 [ positions | bits ] pad8 [ frame ]
//!
//! kind       0 positions: ascending u16 rows; 1 bits: one a row, ⌈rows / 64⌉ × 8 bytes; 2 the valid
//!            rows of the page, which the validity names already: nothing follows
//! count      how many rows have a value of their own
//! dominant   T bits zero-extended
//! frame      the values of those rows (`frame`); only if count > 0
//! ```

use std::ops::Range;

use arrow::buffer::{BooleanBuffer, Buffer, NullBuffer};
use bytes::Bytes;

use super::filter::{LaneTest, all_rows, for_each_clear};
use super::frame::{self, Frame};
use super::layout::{Cursor, Positions, pad, push_positions, to_u16, to_u32, to_usize};
use super::validity::{self, Validity};
use crate::kernel::{self, Integer, Lane};
use crate::types::{Error, Result};

const POSITIONS: u8 = 0;
const BITS: u8 = 1;
const VALID_ROWS: u8 = 2;

/// About how many bytes `count` values of `width` bits take among `row_count` rows.
pub(super) fn encoded_bytes(row_count: usize, count: usize, width: u32) -> usize {
    64 + (2 * count).min(row_count / 8) + count * to_usize(width) / 8
}

/// Appends the rows of `values` that are not `dominant`.
pub(super) fn encode<N: Integer>(values: &[N], dominant: N, out: &mut Vec<u8>) {
    let is_other = BooleanBuffer::collect_bool(values.len(), |row| values[row] != dominant);
    let rows: Vec<u16> = is_other.set_indices().map(to_u16).collect();
    let others: Vec<N> = rows.iter().map(|row| values[usize::from(*row)]).collect();
    if 2 * rows.len() <= values.len().div_ceil(64) * 8 {
        write_header(POSITIONS, rows.len(), dominant, out);
        push_positions(out, &rows);
    } else {
        write_header(BITS, rows.len(), dominant, out);
        out.extend_from_slice(bytemuck::cast_slice(&validity::words(&is_other)));
    }
    pad(out, 8);
    if !others.is_empty() {
        frame::encode(&others, out);
    }
}

/// Appends the values of a page's valid rows, given in `valid`.
pub(super) fn encode_valid<N: Integer>(valid: &[N], out: &mut Vec<u8>) {
    write_header(VALID_ROWS, valid.len(), N::default(), out);
    if !valid.is_empty() {
        frame::encode(valid, out);
    }
}

fn write_header<N: Integer>(kind: u8, count: usize, dominant: N, out: &mut Vec<u8>) {
    out.extend_from_slice(&[kind, 0, 0, 0]);
    out.extend_from_slice(&to_u32(count).to_le_bytes());
    out.extend_from_slice(&dominant.to_lane().to_u64().to_le_bytes());
}

/// The exceptions of a page.
#[derive(Clone, Debug)]
pub(super) struct Sparse {
    rows: Validity,
    dominant: u64,
    values: Option<Frame>,
}

impl Sparse {
    pub(super) fn open<L: Lane>(
        cursor: &mut Cursor<'_>,
        page: &Bytes,
        validity: &Validity,
        row_count: usize,
    ) -> Result<Sparse> {
        let kind: u8 = cursor.read()?;
        let _zero = cursor.array(3, 1)?;
        let count = to_usize(cursor.read::<u32>()?);
        let dominant = cursor.read()?;
        if count > row_count {
            return Err(Error::corrupt(format!("{count} exceptions in {row_count} rows")));
        }
        // Rows with a value of their own are held as if they were the valid ones.
        let rows = match kind {
            POSITIONS => Validity::ValidRows(Positions::open(cursor, count)?),
            BITS => {
                let place = cursor.array(row_count.div_ceil(64), 8)?;
                let bits = Buffer::from(page.slice(place));
                Validity::Bits(BooleanBuffer::new(bits, 0, row_count))
            }
            VALID_ROWS => validity.clone(),
            _ => return Err(Error::corrupt(format!("no sparse page has the kind {kind}"))),
        };
        cursor.align(8);
        if rows.valid_rank(page, row_count) != count {
            return Err(Error::corrupt(format!("a sparse page has not {count} rows of its own")));
        }
        let values = if count > 0 { Some(Frame::open::<L>(cursor, count)?) } else { None };
        Ok(Sparse { rows, dominant, values })
    }

    pub(super) fn decode<L: Lane>(
        &self,
        page: &[u8],
        rows: Range<usize>,
        target: &mut Vec<L>,
    ) -> Result<()> {
        let start = target.len();
        target.resize(start + rows.len(), L::from_u64(self.dominant));
        let ordinals = self.rows.valid_rank(page, rows.start)..self.rows.valid_rank(page, rows.end);
        let Some(frame) = self.values.as_ref().filter(|_| !ordinals.is_empty()) else {
            return Ok(());
        };
        let mut values = Vec::new();
        frame.decode::<L>(page, ordinals, &mut values)?;
        let target = &mut target[start..];
        let Some(nulls) = self.rows.slice(page, &rows) else {
            target.copy_from_slice(&values);
            return Ok(());
        };
        for (row, value) in nulls.valid_indices().zip(values) {
            target[row] = value;
        }
        Ok(())
    }

    /// Clears the bits of `rows`, those of the whole page, whose value does not pass.
    pub(super) fn filter<L: Lane>(
        &self,
        page: &[u8],
        test: &LaneTest<'_, L>,
        rows: &mut [u64],
    ) -> Result<()> {
        let others_count = self.values.as_ref().map_or(0, Frame::len);
        let mut others = all_rows(others_count);
        if let Some(frame) = &self.values {
            frame.filter(page, test, &mut others)?;
        }
        let mut own = vec![0; rows.len()];
        self.rows.set_valid(page, &mut own);
        // Which rows pass if the dominant value is asked for: all but some of those with their own;
        // else: some of those with their own.
        let keeps_dominant = test.passes(L::from_u64(self.dominant))?;
        let mut failing = vec![0_u64; if others_count == 0 { 0 } else { rows.len() }];
        if kernel::count_bits(&others) < others_count {
            mark_failing(&own, &others, others_count, &mut failing)?;
        }
        let failing = failing.into_iter().chain(std::iter::repeat(0));
        for ((row, own), failing) in rows.iter_mut().zip(own).zip(failing) {
            *row &= (own | if keeps_dominant { u64::MAX } else { 0 }) & !failing;
        }
        Ok(())
    }

    pub(super) fn take<L: Lane>(
        &self,
        page: &[u8],
        rows: &[u32],
        target: &mut Vec<L>,
    ) -> Result<()> {
        let (Some(first), Some(last)) = (rows.first(), rows.last()) else { return Ok(()) };
        let dominant = L::from_u64(self.dominant);
        let span = to_usize(*first)..to_usize(*last) + 1;
        let own = self.rows.slice(page, &span);
        let Some(frame) = &self.values else {
            target.resize(target.len() + rows.len(), dominant);
            return Ok(());
        };
        let first_ordinal = self.rows.valid_rank(page, span.start);
        // A filter may have left just those with a value of their own: the values lie in a row.
        let not_own = own.as_ref().map_or(0, NullBuffer::null_count);
        let own_count = span.len() - not_own;
        let is_own =
            |row: &u32| own.as_ref().is_none_or(|own| own.is_valid(to_usize(*row) - span.start));
        let is_strict = || rows.is_sorted_by(|left, right| left < right);
        let ordinals = first_ordinal..first_ordinal + own_count;
        // The positions of a damaged page may say anything.
        let fits = own_count == rows.len() && ordinals.end <= frame.len();
        if fits && rows.iter().all(is_own) && is_strict() {
            return frame.decode(page, ordinals, target);
        }
        // The rows asked for that have a value of their own, and its ordinal.
        let mut wanted = Vec::new();
        let mut ranks = Ranks::new(own.as_ref().map(NullBuffer::inner), first_ordinal);
        for (index, row) in rows.iter().enumerate() {
            if let Some(ordinal) = ranks.of(to_usize(*row) - span.start) {
                wanted.push((index, to_u32(ordinal)));
            }
        }
        let ordinals: Vec<u32> = wanted.iter().map(|(_, ordinal)| *ordinal).collect();
        let mut values = Vec::new();
        frame.take::<L>(page, &ordinals, &mut values)?;
        let start = target.len();
        target.resize(start + rows.len(), dominant);
        for ((index, _), value) in wanted.into_iter().zip(values) {
            target[start + index] = value;
        }
        Ok(())
    }
}

/// Marks in `failing` the rows of `own` whose ordinal has no bit in `others`.
fn mark_failing(
    own: &[u64],
    others: &[u64],
    others_count: usize,
    failing: &mut [u64],
) -> Result<()> {
    // The ordinal of the first row of the word under way.
    let (mut word_idx, mut first) = (0, 0);
    for_each_clear(others, others_count, |ordinal| {
        while let Some(word) = own.get(word_idx) {
            let count = to_usize(word.count_ones());
            if ordinal < first + count {
                break;
            }
            (word_idx, first) = (word_idx + 1, first + count);
        }
        let Some(word) = own.get(word_idx) else {
            return Err(Error::corrupt("a sparse page has fewer rows of its own than it says"));
        };
        failing[word_idx] |= 1 << nth_bit(*word, ordinal - first);
        Ok(())
    })
}

/// The position of the set bit before which there are `rank` others.
fn nth_bit(mut word: u64, rank: usize) -> u32 {
    for _ in 0..rank {
        word &= word.wrapping_sub(1);
    }
    word.trailing_zeros() % 64
}

/// Ordinals of ascending places among the set bits.
struct Ranks<'a> {
    bits: Option<&'a BooleanBuffer>,
    words: Vec<u64>,
    word_idx: usize,
    /// Set bits before that word.
    before: usize,
}

impl<'a> Ranks<'a> {
    /// `first` is the ordinal of the first set bit; without bits all are set.
    fn new(bits: Option<&'a BooleanBuffer>, first: usize) -> Ranks<'a> {
        let words = bits.map(validity::words).unwrap_or_default();
        Ranks { bits, words, word_idx: 0, before: first }
    }

    /// The ordinal of `place` if its bit is set; no place is below the one before.
    fn of(&mut self, place: usize) -> Option<usize> {
        if self.bits.is_none() {
            return Some(self.before + place);
        }
        while self.word_idx < place / 64 {
            self.before += to_usize(self.words[self.word_idx].count_ones());
            self.word_idx += 1;
        }
        let bit = 1_u64 << (place % 64);
        let word = self.words[self.word_idx];
        (word & bit != 0).then(|| self.before + to_usize((word & (bit - 1)).count_ones()))
    }
}
