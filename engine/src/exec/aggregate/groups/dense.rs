//! The dense rung: a row's group by one look-up with its local codes.
//!
//! Inside a row group a combination of dictionary codes is a small number; an array translates it to
//! the worker's group. Only the first row of a combination asks the hash table behind; no string and
//! mostly no hash is touched. The array is started again when a key's code book changes, which is
//! once per row group. Must not know accumulators.

use std::sync::Arc;

use super::packed::Layout;
use crate::kernel;
use crate::types::Result;
use crate::vector::{CodeBook, Vector};

/// Combinations beyond which the array (4 bytes each) would leave the cache.
const DOMAIN_MAX: usize = 1 << 20;
const UNKNOWN: u32 = u32::MAX;

/// Translates local codes of key columns to groups.
#[derive(Debug)]
pub(crate) struct Dense {
    layout: Layout,
    /// The code books that `translation` is for.
    books: Vec<Option<Arc<CodeBook>>>,
    translation: Vec<u32>,
    local: Vec<u32>,
}

impl Dense {
    /// A translation for keys with this layout.
    pub(crate) fn new(layout: Layout) -> Dense {
        Dense { layout, books: Vec::new(), translation: Vec::new(), local: Vec::new() }
    }

    /// Bytes held.
    pub(crate) fn bytes(&self) -> usize {
        (self.translation.capacity() + self.local.capacity()) * size_of::<u32>()
    }

    /// Appends the group of each row to `groups`, asking `find` for combinations not met yet in this
    /// row group. Gives false, having done nothing, when there are too many combinations.
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
        self.follow_books(keys, domain);
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
        let rows: Vec<u32> = (0_u32..)
            .zip(groups.iter())
            .filter_map(|(row, group)| (*group == UNKNOWN).then_some(row))
            .collect();
        let keys = keys_given.iter().map(|key| key.take(&rows)).collect::<Result<Vec<_>>>()?;
        let mut found = Vec::with_capacity(rows.len());
        find(&keys, rows.len(), &mut found)?;
        let local = match keys_given {
            [Vector::Dictionary(key)] => key.codes(),
            _ => &self.local,
        };
        for (row, group) in rows.iter().zip(found) {
            groups[*row as usize] = group;
            self.translation[local[*row as usize] as usize] = group;
        }
        Ok(())
    }

    fn follow_books(&mut self, keys: &[Vector], domain: usize) {
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
            self.translation.clear();
            self.translation.resize(domain, UNKNOWN);
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
