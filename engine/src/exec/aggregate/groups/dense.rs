//! The dense rung: a row's group by one look-up with its local codes.
//!
//! Inside a row group a combination of dictionary codes is a small number; an array translates it to
//! the worker's group. Only the first row of a combination asks the hash table behind; no string and
//! mostly no hash is touched. The array is started again when a key's code book changes, which is
//! once per row group, and not before there are rows enough for it. Must not know accumulators.

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
            local: Vec::new(),
        }
    }

    /// Bytes held.
    pub(crate) fn bytes(&self) -> usize {
        (self.translation.capacity() + self.local.capacity()) * size_of::<u32>()
    }

    /// Appends the group of each row to `groups`, asking `find` for combinations not met yet in this
    /// row group. Gives false, having done nothing, when there are too many combinations for the rows.
    pub(crate) fn find(
        &mut self,
        keys: &[Vector],
        len: usize,
        groups: &mut Vec<u32>,
        find: impl FnOnce(&[Vector], usize, &mut Vec<u32>) -> Result<()>,
    ) -> Result<bool> {
        let domain = usize::try_from(self.layout.local_domain(keys)).unwrap_or(usize::MAX);
        if domain > DOMAIN_MAX {
            return Ok(false);
        }
        self.follow_books(keys);
        self.row_count += len;
        if self.translation.is_empty() {
            if domain > self.row_count.saturating_mul(DOMAIN_PER_ROW_MAX) {
                return Ok(false);
            }
            self.translation.resize(domain, UNKNOWN);
        }
        let unknown = if let [Vector::Dictionary(key)] = keys {
            translate(&self.translation, key.codes(), groups)
        } else {
            self.local.clear();
            self.local.resize(len, 0);
            self.layout.pack_local(keys, &mut self.local)?;
            translate(&self.translation, &self.local, groups)
        };
        if unknown {
            self.learn(keys, groups, find)?;
        }
        Ok(true)
    }

    fn learn(
        &mut self,
        keys_given: &[Vector],
        groups: &mut [u32],
        find: impl FnOnce(&[Vector], usize, &mut Vec<u32>) -> Result<()>,
    ) -> Result<()> {
        let local = match keys_given {
            [Vector::Dictionary(key)] => key.codes(),
            _ => &self.local,
        };
        // Each combination once, by its first row: where keys are clustered, a whole batch has one.
        let mut rows: Vec<u32> = Vec::new();
        for (row, local) in (0_u32..).zip(local) {
            let group = &mut self.translation[*local as usize];
            if *group == UNKNOWN {
                *group = PENDING;
                rows.push(row);
            }
        }
        let keys = keys_given.iter().map(|key| key.take(&rows)).collect::<Result<Vec<_>>>()?;
        let mut found = Vec::with_capacity(rows.len());
        find(&keys, rows.len(), &mut found)?;
        for (row, group) in rows.iter().zip(found) {
            self.translation[local[*row as usize] as usize] = group;
        }
        kernel::gather(&self.translation, local, groups);
        Ok(())
    }

    fn follow_books(&mut self, keys: &[Vector]) {
        let same = self.books.len() == keys.len()
            && self.books.iter().zip(keys).all(|(book, key)| match (book, key) {
                (Some(book), Vector::Dictionary(vector)) => Arc::ptr_eq(book, vector.book()),
                (None, key) => !matches!(key, Vector::Dictionary(_)),
                _ => false,
            });
        if !same {
            self.books = keys
                .iter()
                .map(|key| match key {
                    Vector::Dictionary(vector) => Some(Arc::clone(vector.book())),
                    _ => None,
                })
                .collect();
            self.row_count = 0;
            self.translation.clear();
        }
    }
}

/// Appends the group of each local code; gives whether some are not known yet.
fn translate(translation: &[u32], local: &[u32], groups: &mut Vec<u32>) -> bool {
    let start = groups.len();
    groups.resize(start + local.len(), UNKNOWN);
    kernel::gather(translation, local, &mut groups[start..]);
    kernel::max(&groups[start..]) == UNKNOWN
}
