//! The dense rung: a row's group by one look-up with its local codes.
//!
//! Inside a row group a combination of dictionary codes is a small number; an array translates it to
//! the worker's group. Only the first row of a combination asks the hash table behind; no string and
//! mostly no hash is touched, and no row is looked at once all combinations are known. The array is
//! started again when a key's code book changes, which is once per row group, and not before there are
//! rows enough for it. Must not know accumulators.

use std::sync::Arc;

use super::packed::Layout;
use crate::kernel;
use crate::types::Result;
use crate::vector::{CodeBook, Vector};

/// Combinations beyond which the array (4 bytes each) would leave the cache.
const DOMAIN_MAX: usize = 1 << 20;
/// Combinations for each row met so far beyond which starting the array costs more than hashing them.
const DOMAIN_PER_ROW_MAX: usize = 16;
const UNKNOWN: u32 = u32::MAX;
/// What an unknown combination is between its first row and being found.
const PENDING: u32 = u32::MAX - 1;

/// Translates local codes of key columns to groups.
#[derive(Debug)]
pub(crate) struct Dense {
    layout: Layout,
    /// The code books that `translation` is for.
    books: Vec<Option<Arc<CodeBook>>>,
    /// Rows met with these.
    row_count: usize,
    translation: Vec<u32>,
    /// Entries of `translation` that are not known yet.
    unknown_count: usize,
    local: Vec<u32>,
}

impl Dense {
    /// A translation for keys with this layout.
    pub(crate) fn new(layout: Layout) -> Dense {
        Dense {
            layout,
            books: Vec::new(),
            row_count: 0,
            translation: Vec::new(),
            unknown_count: 0,
            local: Vec::new(),
        }
    }

    /// Bytes held.
    pub(crate) fn bytes(&self) -> usize {
        (self.translation.capacity() + self.local.capacity()) * size_of::<u32>()
    }

    /// Numbers the rows by their combination of local codes, asking `find` for the groups of those not
    /// met yet in this row group. Gives false, having done nothing, when there are too many
    /// combinations for the rows.
    pub(crate) fn find(
        &mut self,
        keys: &[Vector],
        len: usize,
        find: impl FnOnce(&[Vector], usize, &mut Vec<u32>) -> Result<()>,
    ) -> Result<bool> {
        let domain = usize::try_from(self.layout.local_domain(keys)).unwrap_or(usize::MAX);
        if domain > DOMAIN_MAX {
            return Ok(false);
        }
        if !self.is_for(keys) {
            self.books = books(keys).map(|book| book.map(Arc::clone)).collect();
            self.row_count = 0;
            self.translation.clear();
        }
        self.row_count += len;
        if self.translation.is_empty() {
            if domain > self.row_count.saturating_mul(DOMAIN_PER_ROW_MAX) {
                return Ok(false);
            }
            self.translation.resize(domain, UNKNOWN);
            self.unknown_count = domain;
        }
        if !matches!(keys, [Vector::Dictionary(_)]) {
            self.local.clear();
            self.local.resize(len, 0);
            self.layout.pack_local(keys, &mut self.local)?;
        }
        self.learn(keys, find)?;
        Ok(true)
    }

    /// The number of each row of the batch that [`find`](Self::find) was given last.
    pub(crate) fn codes<'a>(&'a self, keys: &'a [Vector]) -> &'a [u32] {
        match keys {
            [Vector::Dictionary(key)] => key.codes(),
            _ => &self.local,
        }
    }

    /// How many numbers there are in this row group, and how many rows were met in it.
    pub(crate) fn code_and_row_counts(&self) -> (usize, usize) {
        (self.translation.len(), self.row_count)
    }

    /// Puts the group of each number in `codes` into `groups`; all are known.
    pub(crate) fn translate(&self, codes: &[u32], groups: &mut Vec<u32>) {
        groups.clear();
        groups.resize(codes.len(), UNKNOWN);
        kernel::gather(&self.translation, 0, codes, groups);
    }

    /// The numbers that are known, and their groups.
    pub(crate) fn known(&self) -> (Vec<u32>, Vec<u32>) {
        let known = (0_u32..).zip(&self.translation).filter(|(_, group)| **group != UNKNOWN);
        known.unzip()
    }

    /// Asks for the groups of combinations that are not known yet.
    fn learn(
        &mut self,
        keys: &[Vector],
        find: impl FnOnce(&[Vector], usize, &mut Vec<u32>) -> Result<()>,
    ) -> Result<()> {
        if self.unknown_count == 0 {
            return Ok(());
        }
        let local = match keys {
            [Vector::Dictionary(key)] => key.codes(),
            _ => &self.local,
        };
        // Each combination once, by its first row.
        let mut rows: Vec<u32> = Vec::new();
        for (row, local) in (0_u32..).zip(local) {
            let group = &mut self.translation[*local as usize];
            if *group == UNKNOWN {
                *group = PENDING;
                rows.push(row);
            }
        }
        if rows.is_empty() {
            return Ok(());
        }
        self.unknown_count -= rows.len();
        let keys = keys.iter().map(|key| key.take(&rows)).collect::<Result<Vec<_>>>()?;
        let mut found = Vec::with_capacity(rows.len());
        find(&keys, rows.len(), &mut found)?;
        for (row, group) in rows.iter().zip(found) {
            self.translation[local[*row as usize] as usize] = group;
        }
        Ok(())
    }

    /// Whether the numbers are still those of the row group of `keys`.
    pub(crate) fn is_for(&self, keys: &[Vector]) -> bool {
        let same =
            |(known, book): (&Option<Arc<CodeBook>>, Option<&Arc<CodeBook>>)| match (known, book) {
                (Some(known), Some(book)) => Arc::ptr_eq(known, book),
                (None, None) => true,
                _ => false,
            };
        self.books.len() == keys.len() && self.books.iter().zip(books(keys)).all(same)
    }
}

/// The code book of each key that has one.
fn books(keys: &[Vector]) -> impl Iterator<Item = Option<&Arc<CodeBook>>> {
    keys.iter().map(|key| match key {
        Vector::Dictionary(vector) => Some(vector.book()),
        _ => None,
    })
}
