//! Which encoding a page of integers gets. Must not know logical types.
//!
//! The choice is by computed size; nothing is encoded twice. One pass gives each block's range and
//! width and the page's frame of reference exactly ([`frame::Plan`]); the number of runs and of rows
//! with a dominant value are counted; differences are tried on a few blocks. What decodes slower than
//! a frame of reference must be smaller by the handicaps below.

use std::borrow::Cow;

use arrow::buffer::NullBuffer;

use super::layout::to_usize;
use super::{BLOCK_LEN, Encoding, delta, fixed, frame, run_length, sparse, validity};
use crate::kernel::{self, Integer, Lane};

/// Hundredths of the frame's bytes that another encoding may take at most.
const RUN_LENGTH_PERCENT: usize = 50;
const SPARSE_PERCENT: usize = 80;
const DELTA_PERCENT: usize = 75;

/// The share of NULL rows from which only the valid ones are stored.
const SPARSE_NULL_PERCENT: usize = 40;

/// Values among which a dominant one is looked for.
const SAMPLE_LEN: usize = 128;

/// Which encodings [`encode`] may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Choice {
    /// The best.
    Any,
    /// One, whatever it costs.
    Only(Encoding),
}

/// Appends the body of `values`, of which at least one is valid; `None` when the encoding asked for
/// does not hold them.
pub(super) fn encode<N: Integer>(
    values: &[N],
    nulls: Option<&NullBuffer>,
    choice: Choice,
    out: &mut Vec<u8>,
) -> Option<Encoding> {
    let nulls = nulls.filter(|nulls| nulls.null_count() > 0);
    let may_be_sparse = matches!(choice, Choice::Any | Choice::Only(Encoding::Sparse));
    if let Some(nulls) = nulls.filter(|nulls| may_be_sparse && are_mostly_null(nulls)) {
        let valid: Vec<N> = nulls.valid_indices().map(|row| values[row]).collect();
        let (min, max) = kernel::min_max(&valid);
        if min == max && choice == Choice::Any {
            fixed::write_constant(bytemuck::bytes_of(&min), out);
            return Some(Encoding::Constant);
        }
        sparse::encode_valid(&valid, out);
        return Some(Encoding::Sparse);
    }
    let values = match nulls {
        Some(nulls) => Cow::Owned(fill_nulls(values, nulls)),
        None => Cow::Borrowed(values),
    };
    match choice {
        Choice::Any => Some(encode_best(&values, out)),
        Choice::Only(encoding) => encode_as(&values, encoding, out).then_some(encoding),
    }
}

/// Whether only the valid rows are worth storing.
pub(super) fn are_mostly_null(nulls: &NullBuffer) -> bool {
    nulls.null_count() * 100 >= nulls.len() * SPARSE_NULL_PERCENT
}

/// A copy of `values` whose NULL slots hold the least valid value of their block, or what the block
/// before holds there.
fn fill_nulls<N: Integer>(values: &[N], nulls: &NullBuffer) -> Vec<N> {
    let words = validity::words(nulls.inner());
    let first = nulls.valid_indices().next().map_or_else(N::default, |row| values[row]);
    let mut base = first;
    let mut filled = values.to_vec();
    for (block, words) in filled.chunks_mut(BLOCK_LEN).zip(words.chunks(BLOCK_LEN / 64)) {
        if let Some(word) = words.iter().position(|word| *word != 0) {
            base = block[word * 64 + to_usize(words[word].trailing_zeros())];
            let lanes: &mut [N::Lane] = bytemuck::cast_slice_mut(block);
            kernel::select_valid(lanes, words, base.to_lane());
            (base, _) = kernel::min_max(block);
        }
        let lanes: &mut [N::Lane] = bytemuck::cast_slice_mut(block);
        kernel::select_valid(lanes, words, base.to_lane());
    }
    filled
}

/// Sizes of a page in the encodings that it may get.
pub(super) struct Sizes<N: Integer> {
    pub(super) frame: frame::Plan<N>,
    raw: usize,
    run_length: usize,
    sparse: usize,
    dominant: Option<N>,
}

impl<N: Integer> Sizes<N> {
    pub(super) fn of(values: &[N]) -> Sizes<N> {
        let lanes: &[N::Lane] = bytemuck::cast_slice(values);
        let frame = frame::Plan::of(values);
        let width = frame.range_width();
        let run_count = kernel::count_changes(lanes) + 1;
        let dominant = dominant(values);
        let sparse = dominant.map_or(usize::MAX / 100, |dominant| {
            let count = values.len() - kernel::count_equal(lanes, dominant.to_lane());
            sparse::encoded_bytes(values.len(), count, width)
        });
        Sizes {
            frame,
            raw: size_of_val(values),
            run_length: run_length::encoded_bytes(run_count, width),
            sparse,
            dominant,
        }
    }

    /// The best encoding but for delta, and its bytes.
    pub(super) fn best(&self) -> (Encoding, usize) {
        if self.frame.min == self.frame.max {
            return (Encoding::Constant, N::Lane::BYTES);
        }
        let frame_bytes = self.frame.encoded_bytes();
        let candidates = [
            (Encoding::RunLength, self.run_length, RUN_LENGTH_PERCENT),
            (Encoding::Sparse, self.sparse, SPARSE_PERCENT),
            // A little more is well spent on what need not be decoded.
            (Encoding::Raw, self.raw, 103),
        ];
        candidates
            .into_iter()
            .filter(|(_, bytes, percent)| bytes * 100 < frame_bytes * percent)
            .min_by_key(|(_, bytes, percent)| bytes * 100 / percent)
            .map_or((Encoding::FrameOfReference, frame_bytes), |(encoding, bytes, _)| {
                (encoding, bytes)
            })
    }

    /// Appends `values` in an encoding that [`best`](Self::best) gave.
    pub(super) fn write(&self, values: &[N], encoding: Encoding, out: &mut Vec<u8>) {
        match (encoding, self.dominant) {
            (Encoding::FrameOfReference, _) => frame::write(values, &self.frame, out),
            (Encoding::Sparse, Some(dominant)) => sparse::encode(values, dominant, out),
            _ => {
                let is_written = encode_as(values, encoding, out);
                debug_assert!(is_written, "the best encoding holds the values");
            }
        }
    }
}

fn encode_best<N: Integer>(values: &[N], out: &mut Vec<u8>) -> Encoding {
    let sizes = Sizes::of(values);
    let (encoding, bytes) = sizes.best();
    let width = sizes.frame.range_width();
    // Differences of narrow values save nothing worth their sums.
    if encoding != Encoding::Constant && width > 8 && values.len() > BLOCK_LEN / 8 {
        let delta_bytes = delta::estimated_bytes(values, width);
        if delta_bytes * 100 < bytes * DELTA_PERCENT {
            delta::encode(values, out);
            return Encoding::Delta;
        }
    }
    sizes.write(values, encoding, out);
    encoding
}

/// Appends `values` in that encoding; `false` when it does not hold them.
fn encode_as<N: Integer>(values: &[N], encoding: Encoding, out: &mut Vec<u8>) -> bool {
    match encoding {
        Encoding::Constant => {
            let (min, max) = kernel::min_max(values);
            if min != max {
                return false;
            }
            fixed::write_constant(bytemuck::bytes_of(&min), out);
        }
        Encoding::RunLength => run_length::encode(values, out),
        Encoding::FrameOfReference => frame::encode(values, out),
        Encoding::Delta => delta::encode(values, out),
        Encoding::Sparse => {
            sparse::encode(values, dominant(values).unwrap_or(values[0]), out);
        }
        Encoding::Raw => fixed::write_raw(bytemuck::cast_slice(values), out),
        Encoding::Alp | Encoding::Bitmap | Encoding::Text => return false,
    }
    true
}

/// The value that more than half of a sample have (Boyer and Moore's majority vote).
fn dominant<N: Integer>(values: &[N]) -> Option<N> {
    let sample = || values.iter().step_by(values.len().div_ceil(SAMPLE_LEN));
    let mut candidate = *values.first()?;
    let mut votes = 0_u32;
    for value in sample() {
        if *value == candidate {
            votes += 1;
        } else if votes == 0 {
            (candidate, votes) = (*value, 1);
        } else {
            votes -= 1;
        }
    }
    let count = sample().filter(|value| **value == candidate).count();
    (count * 2 > sample().count()).then_some(candidate)
}
