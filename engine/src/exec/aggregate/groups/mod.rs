//! Group tables: from the key values of a row to a dense group number.
//!
//! One table per worker; tables are merged by taking over the other's keys. The rungs, cheapest
//! first: single (no key), dense (local codes index an array), packed (small integers side by side,
//! hashed), bytes (everything else). Must not know accumulators.

mod bytes;
mod dense;
mod packed;
#[cfg(test)]
mod tests;

pub(crate) use self::bytes::{ByteTable, KeyEncoder, canonical_floats};

pub(crate) use self::dense::Dense;
use self::packed::PackedTable;
pub(crate) use self::packed::{DirectKey, Layout, PackedKey, Slots};
use crate::exec::source::ColumnKind;
use crate::types::{Error, Result};
use crate::vector::Vector;

/// Numbers the distinct keys of the rows it is shown.
#[derive(Debug)]
pub(crate) struct GroupTable {
    table: Table,
    dense: Option<Dense>,
    dense_row_count: u64,
    hashed_row_count: u64,
}

#[derive(Debug)]
enum Table {
    Single,
    Narrow(Packed<u64>),
    Wide(Packed<u128>),
    Bytes { encoder: KeyEncoder, table: ByteTable },
}

#[derive(Debug)]
struct Packed<K> {
    layout: Layout,
    table: PackedTable<K>,
    buffer: Vec<K>,
}

impl<K: PackedKey> Packed<K> {
    fn new(layout: Layout, capacity: usize, spare: Option<Slots>) -> Packed<K> {
        Packed { layout, table: PackedTable::with_capacity(capacity, spare), buffer: Vec::new() }
    }

    fn find(&mut self, keys: &[Vector], len: usize, groups: &mut Vec<u32>) -> Result<()> {
        self.buffer.clear();
        self.layout.pack(keys, len, &mut self.buffer)?;
        self.table.find(&self.buffer, groups);
        Ok(())
    }

    fn absorb(&mut self, other: &Packed<K>, from: &[u32]) -> Vec<u32> {
        let keys = other.table.keys();
        from.iter().map(|group| self.table.find_one(keys[*group as usize])).collect()
    }

    fn bytes(&self) -> usize {
        self.table.bytes() + self.buffer.capacity() * size_of::<K>()
    }
}

impl Table {
    fn find(&mut self, keys: &[Vector], len: usize, groups: &mut Vec<u32>) -> Result<()> {
        match self {
            Table::Single => groups.resize(groups.len() + len, 0),
            Table::Narrow(packed) => packed.find(keys, len, groups)?,
            Table::Wide(packed) => packed.find(keys, len, groups)?,
            Table::Bytes { encoder, table } => {
                let rows = encoder.encode(keys)?;
                groups.extend(rows.iter().map(|row| table.insert(row.as_ref())));
            }
        }
        Ok(())
    }
}

/// Packed keys of rows.
#[derive(Clone, Copy, Debug)]
pub(crate) enum KeySlice<'a> {
    /// Of up to 64 bits.
    Narrow(&'a [u64]),
    /// Of up to 128.
    Wide(&'a [u128]),
}

impl GroupTable {
    /// An empty table for keys of these kinds; without keys it has one group from the start.
    /// With `dense`, local codes are translated by an array where that applies.
    pub(crate) fn new(kinds: &[ColumnKind], dense: bool) -> Result<GroupTable> {
        GroupTable::with_capacity(kinds, dense, (0, None))
    }

    /// An empty table with room for `capacity` groups of packed keys, in the slots of another table
    /// where they fit.
    pub(crate) fn with_capacity(
        kinds: &[ColumnKind],
        dense: bool,
        (capacity, spare): (usize, Option<Slots>),
    ) -> Result<GroupTable> {
        let layout = Layout::new(kinds);
        let dense = layout.clone().filter(|_| dense && !kinds.is_empty()).map(Dense::new);
        let table = match layout {
            _ if kinds.is_empty() => Table::Single,
            Some(layout) if layout.bits() <= u64::BITS => {
                Table::Narrow(Packed::new(layout, capacity, spare))
            }
            Some(layout) if layout.bits() <= u128::BITS => {
                Table::Wide(Packed::new(layout, capacity, spare))
            }
            _ => Table::Bytes { encoder: KeyEncoder::new(kinds)?, table: ByteTable::new() },
        };
        Ok(GroupTable { table, dense, dense_row_count: 0, hashed_row_count: 0 })
    }

    /// Whether there are no keys.
    pub(crate) fn is_single(&self) -> bool {
        matches!(self.table, Table::Single)
    }

    /// The slots of packed keys, for another table.
    pub(crate) fn into_slots(self) -> Option<Slots> {
        match self.table {
            Table::Narrow(packed) => Some(packed.table.into_slots()),
            Table::Wide(packed) => Some(packed.table.into_slots()),
            Table::Single | Table::Bytes { .. } => None,
        }
    }

    /// How many groups there are.
    pub(crate) fn len(&self) -> usize {
        match &self.table {
            Table::Single => 1,
            Table::Narrow(packed) => packed.table.keys().len(),
            Table::Wide(packed) => packed.table.keys().len(),
            Table::Bytes { table, .. } => table.len(),
        }
    }

    /// Puts the group of each of `len` rows into `groups`.
    pub(crate) fn find(
        &mut self,
        keys: &[Vector],
        len: usize,
        groups: &mut Vec<u32>,
    ) -> Result<()> {
        if let Some(dense) = self.find_by_code(keys, len)? {
            dense.translate(dense.codes(keys), groups);
            return Ok(());
        }
        self.find_by_hash(keys, len, groups)
    }

    /// Numbers `len` rows by their local codes, where that applies: every group has a number, and the
    /// group of every number is known.
    pub(crate) fn find_by_code(&mut self, keys: &[Vector], len: usize) -> Result<Option<&Dense>> {
        let table = &mut self.table;
        let Some(dense) = &mut self.dense else { return Ok(None) };
        if !dense.find(keys, len, |keys, len, groups| table.find(keys, len, groups))? {
            return Ok(None);
        }
        self.dense_row_count += len as u64;
        Ok(Some(dense))
    }

    /// Puts the group of each of `len` rows into `groups`, by hash.
    pub(crate) fn find_by_hash(
        &mut self,
        keys: &[Vector],
        len: usize,
        groups: &mut Vec<u32>,
    ) -> Result<()> {
        groups.clear();
        self.hashed_row_count += len as u64;
        self.table.find(keys, len, groups)
    }

    /// The numbers by local codes, for the row group that was met last.
    pub(crate) fn dense(&self) -> Option<&Dense> {
        self.dense.as_ref()
    }

    /// Puts the group of each packed key into `groups`.
    ///
    /// # Errors
    /// `Internal` when the table is for other keys.
    pub(crate) fn find_packed(&mut self, keys: KeySlice<'_>, groups: &mut Vec<u32>) -> Result<()> {
        groups.clear();
        match (&mut self.table, keys) {
            (Table::Narrow(packed), KeySlice::Narrow(keys)) => packed.table.find(keys, groups),
            (Table::Wide(packed), KeySlice::Wide(keys)) => packed.table.find(keys, groups),
            _ => return Err(Error::internal("packed keys of another width")),
        }
        self.hashed_row_count += groups.len() as u64;
        Ok(())
    }

    /// The id of each group, where the keys are a [`DirectKey`].
    ///
    /// # Panics
    /// When they are not.
    pub(crate) fn ids(&self) -> Vec<u32> {
        let Table::Narrow(packed) = &self.table else { panic!("ids are packed in 64 bits") };
        let id = |key: &u64| u32::try_from(*key).expect("an id has 32 bits");
        packed.table.keys().iter().map(id).collect()
    }

    /// The packed key of a group, where keys are packed.
    pub(crate) fn packed_key(&self, group: u32) -> Option<u128> {
        match &self.table {
            Table::Narrow(packed) => Some(packed.table.keys()[group as usize].into()),
            Table::Wide(packed) => Some(packed.table.keys()[group as usize]),
            Table::Single | Table::Bytes { .. } => None,
        }
    }

    /// How many rows found their group by local codes, and how many by hash.
    pub(crate) fn row_counts(&self) -> (u64, u64) {
        (self.dense_row_count, self.hashed_row_count)
    }

    /// The key columns of all groups.
    pub(crate) fn keys(&self) -> Result<Vec<Vector>> {
        match &self.table {
            Table::Single => Ok(Vec::new()),
            Table::Narrow(packed) => packed.layout.unpack(packed.table.keys()),
            Table::Wide(packed) => packed.layout.unpack(packed.table.keys()),
            Table::Bytes { encoder, table } => {
                encoder.decode((0..table.len()).map(|group| table.get(number(group))))
            }
        }
    }

    /// The groups of each of `count` partitions; equal keys are in equal partitions in every table.
    pub(crate) fn partitions(&self, count: usize) -> Vec<Vec<u32>> {
        let mut partitions = vec![Vec::with_capacity(self.len() / count + 1); count];
        let mut put = |group: usize, hash: u64| {
            let partition = partition_of(hash, count);
            partitions[partition].push(number(group));
        };
        match &self.table {
            Table::Single => put(0, 0),
            Table::Narrow(packed) => {
                for (group, key) in packed.table.keys().iter().enumerate() {
                    put(group, key.hash());
                }
            }
            Table::Wide(packed) => {
                for (group, key) in packed.table.keys().iter().enumerate() {
                    put(group, key.hash());
                }
            }
            Table::Bytes { table, .. } => {
                for group in 0..table.len() {
                    put(group, table.hash(table.get(number(group))));
                }
            }
        }
        partitions
    }

    /// Takes over the keys of `other`'s groups `from`; gives their groups here.
    ///
    /// # Panics
    /// When `other` was made for other keys.
    pub(crate) fn absorb(&mut self, other: &GroupTable, from: &[u32]) -> Vec<u32> {
        match (&mut self.table, &other.table) {
            (Table::Single, Table::Single) => vec![0; from.len()],
            (Table::Narrow(here), Table::Narrow(there)) => here.absorb(there, from),
            (Table::Wide(here), Table::Wide(there)) => here.absorb(there, from),
            (Table::Bytes { table: here, .. }, Table::Bytes { table: there, .. }) => {
                from.iter().map(|group| here.insert(there.get(*group))).collect()
            }
            _ => panic!("the tables of one aggregation are of one kind"),
        }
    }

    /// Bytes held.
    pub(crate) fn bytes(&self) -> usize {
        let table = match &self.table {
            Table::Single => 0,
            Table::Narrow(packed) => packed.bytes(),
            Table::Wide(packed) => packed.bytes(),
            Table::Bytes { table, .. } => table.memory_bytes(),
        };
        table + self.dense.as_ref().map_or(0, Dense::bytes)
    }
}

fn number(group: usize) -> u32 {
    u32::try_from(group).expect("group numbers are u32")
}

/// All groups of a table.
pub(crate) fn all_groups(table: &GroupTable) -> Vec<u32> {
    (0..number(table.len())).collect()
}

/// Partitions by the middle bits of the hash: the top ones place a key inside its table.
pub(crate) fn partition_of(hash: u64, count: usize) -> usize {
    usize::try_from((hash & 0xffff_ffff) % count as u64).expect("below count")
}
