//! The rows of one page that are left: a bit each while filters work, positions when they are given
//! out.

use roaring::RoaringBitmap;

use super::table::len_u32;
use crate::kernel;
use crate::vector::Selection;

/// Words whose bits are listed at once.
const WORDS_AT_ONCE: usize = 16;

/// Which rows of a page are left.
#[derive(Clone, Debug)]
pub(crate) struct PageRows {
    words: Vec<u64>,
    row_count: u32,
}

impl PageRows {
    /// All rows of a page of `row_count` rows.
    pub(crate) fn all(row_count: u32) -> PageRows {
        let mut words = vec![u64::MAX; row_count.div_ceil(64) as usize];
        if let (Some(last), true) = (words.last_mut(), !row_count.is_multiple_of(64)) {
            *last = u64::MAX >> (64 - row_count % 64);
        }
        PageRows { words, row_count }
    }

    /// Drops the rows that are deleted; the first row of the page is row `first_row` of the row group.
    pub(crate) fn delete(&mut self, deletions: &RoaringBitmap, first_row: u32) {
        for row in deletions.range(first_row..first_row.saturating_add(self.row_count)) {
            let row = row - first_row;
            self.words[(row / 64) as usize] &= !(1 << (row % 64));
        }
    }

    /// Bit `r % 64` of word `r / 64` is that of row `r`.
    pub(crate) fn words_mut(&mut self) -> &mut [u64] {
        &mut self.words
    }

    /// How many are left.
    pub(crate) fn count(&self) -> u32 {
        len_u32(kernel::count_bits(&self.words))
    }

    /// Whether none is left.
    pub(crate) fn is_empty(&self) -> bool {
        self.words.iter().all(|word| *word == 0)
    }

    /// Gives them out in order.
    pub(crate) fn pieces(&self) -> Pieces<'_> {
        let left = self.count();
        Pieces { rows: self, is_whole: left == self.row_count, next: 0, left }
    }
}

/// Gives the rows of a page out piece by piece.
#[derive(Debug)]
pub(crate) struct Pieces<'a> {
    rows: &'a PageRows,
    /// Whether no row is missing.
    is_whole: bool,
    /// No row below is left to give.
    next: u32,
    left: u32,
}

impl Pieces<'_> {
    /// The next `len_max` rows, or what is left; `None` when that is nothing.
    pub(crate) fn next(&mut self, len_max: usize) -> Option<Selection> {
        let len = u32::try_from(len_max).unwrap_or(u32::MAX).min(self.left);
        if len == 0 {
            return None;
        }
        self.left -= len;
        let start = self.next;
        if self.is_whole {
            self.next += len;
            return Some(Selection::All(start..self.next));
        }
        let words = &self.rows.words;
        let mut word_idx = (start / 64) as usize;
        let mut rows = Vec::with_capacity(len as usize + 64 * WORDS_AT_ONCE);
        let first = words[word_idx] & (u64::MAX << (start % 64));
        kernel::push_positions(&[first], len_u32(word_idx) * 64, &mut rows);
        word_idx += 1;
        while rows.len() < len as usize {
            let end = words.len().min(word_idx + WORDS_AT_ONCE);
            kernel::push_positions(&words[word_idx..end], len_u32(word_idx) * 64, &mut rows);
            word_idx = end;
        }
        rows.truncate(len as usize);
        let (first, last) = (rows[0], rows[rows.len() - 1]);
        self.next = last + 1;
        // Rows without a gap are cheaper to decode than to take.
        Some(if last - first == len - 1 {
            Selection::All(first..last + 1)
        } else {
            Selection::Rows(rows)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_are_the_rows_in_order() {
        for (row_count, step) in [(1, 2), (64, 3), (130, 1), (130, 2), (1_000, 7), (65_536, 200)] {
            let mut rows = PageRows::all(row_count);
            let deleted: RoaringBitmap = (5..5 + row_count).filter(|row| row % step == 1).collect();
            rows.delete(&deleted, 5);
            let expected: Vec<u32> = (0..row_count).filter(|row| (row + 5) % step != 1).collect();
            assert_eq!(rows.count(), len_u32(expected.len()));
            for len in [1, 3, 64, 2_048] {
                let mut found = Vec::new();
                let mut pieces = rows.pieces();
                while let Some(piece) = pieces.next(len) {
                    assert!(piece.len() == len || found.len() + piece.len() == expected.len());
                    found.extend(piece.to_rows());
                }
                assert_eq!(found, expected, "{row_count} rows, every {step}th deleted, by {len}");
            }
        }
    }
}
