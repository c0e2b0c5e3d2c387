//! Run-length encoding: runs of equal values.
//!
//! ```text
//! body = run_count:u32 0:u32 ends pad8 frame
//!
//! ends   u16 for each run: its last row
//! frame  the values of the runs (`frame`)
//! ```

use std::ops::Range;

use super::filter::{LaneTest, all_rows, clear_range, for_each_clear_stretch};
use super::frame::{self, Frame};
use super::layout::{Cursor, Positions, pad, push_positions, to_u16, to_u32, to_usize};
use crate::kernel::{Integer, Lane};
use crate::types::{Error, Result};

/// About how many bytes `run_count` runs of values of `width` bits take.
pub(super) fn encoded_bytes(run_count: usize, width: u32) -> usize {
    32 + run_count * (16 + to_usize(width)) / 8
}

/// Appends the runs of `values`.
pub(super) fn encode<N: Integer>(values: &[N], out: &mut Vec<u8>) {
    let (mut ends, mut heads): (Vec<u16>, Vec<N>) = (Vec::new(), Vec::new());
    let mut row = 0;
    for run in values.chunk_by(|a, b| a == b) {
        row += run.len();
        ends.push(to_u16(row - 1));
        heads.push(run[0]);
    }
    out.extend_from_slice(&to_u32(ends.len()).to_le_bytes());
    out.extend_from_slice(&[0; 4]);
    push_positions(out, &ends);
    pad(out, 8);
    frame::encode(&heads, out);
}

/// The runs of a page.
#[derive(Clone, Debug)]
pub(super) struct Runs {
    ends: Positions,
    values: Frame,
}

impl Runs {
    pub(super) fn open<L: Lane>(cursor: &mut Cursor<'_>, row_count: usize) -> Result<Runs> {
        let run_count = to_usize(cursor.read::<u32>()?);
        let _zero = cursor.array(4, 1)?;
        if run_count == 0 || run_count > row_count {
            return Err(Error::corrupt(format!("{run_count} runs in {row_count} rows")));
        }
        let ends = Positions::open(cursor, run_count)?;
        cursor.align(8);
        Ok(Runs { ends, values: Frame::open::<L>(cursor, run_count)? })
    }

    pub(super) fn decode<L: Lane>(
        &self,
        page: &[u8],
        rows: Range<usize>,
        target: &mut Vec<L>,
    ) -> Result<()> {
        let runs = self.runs(page, rows.start, rows.end - 1)?;
        let mut heads = Vec::new();
        self.values.decode::<L>(page, runs.clone(), &mut heads)?;
        let target_end = target.len() + rows.len();
        let mut start = rows.start;
        for (run, head) in runs.zip(heads) {
            let end = rows.end.min(self.ends.get(page, run) + 1);
            target.resize(target.len() + end.saturating_sub(start), head);
            start = start.max(end);
        }
        if target.len() != target_end {
            return Err(not_ascending());
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
        let runs = self.runs(page, to_usize(*first), to_usize(*last))?;
        let mut heads = Vec::new();
        self.values.decode::<L>(page, runs.clone(), &mut heads)?;
        let mut run = runs.start;
        for row in rows {
            while run + 1 < runs.end && self.ends.get(page, run) < to_usize(*row) {
                run += 1;
            }
            target.push(heads[run - runs.start]);
        }
        Ok(())
    }

    /// Clears the bits of `rows`, those of the whole page, whose run does not pass.
    pub(super) fn filter<L: Lane>(
        &self,
        page: &[u8],
        test: &LaneTest<'_, L>,
        rows: &mut [u64],
    ) -> Result<()> {
        let mut heads = all_rows(self.ends.count);
        self.values.filter(page, test, &mut heads)?;
        // Runs are short where a column is nearly sorted: neighbours that fail are cleared together.
        for_each_clear_stretch(&heads, self.ends.count, |runs| {
            let start = if runs.start == 0 { 0 } else { self.ends.get(page, runs.start - 1) + 1 };
            let end = self.ends.get(page, runs.end - 1) + 1;
            if start >= end || end > rows.len() * 64 {
                return Err(not_ascending());
            }
            clear_range(rows, start..end);
            Ok(())
        })
    }

    /// The runs that hold rows `first` to `last`.
    fn runs(&self, page: &[u8], first: usize, last: usize) -> Result<Range<usize>> {
        let runs = self.ends.rank(page, first)..self.ends.rank(page, last) + 1;
        if runs.start >= runs.end || runs.end > self.ends.count {
            return Err(not_ascending());
        }
        Ok(runs)
    }
}

fn not_ascending() -> Error {
    Error::corrupt("the ends of the runs do not ascend to the last row")
}
