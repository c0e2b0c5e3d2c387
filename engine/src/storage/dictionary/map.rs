//! Code maps: from the local codes of a row group to the ids of its column's dictionary.
//!
//! Local codes come in *segments*, one per run of the dictionary when the row group was written, in
//! which both values and ids ascend. That stays true when runs are merged into a new generation: ids
//! change, their order within a segment does not. Must not know files.

use std::ops::Range;

use bytes::Bytes;

use super::ids;
use super::sorted::{code, index};
use crate::types::{Error, Result};

/// The most segments of a map.
const SEGMENTS_MAX: usize = super::RUNS_MAX + 1;

/// The ids of a row group's local codes. NULL has the code after the last, and no id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CodeMap {
    ids: Vec<u32>,
    /// Where each segment starts; the first at 0, none empty.
    starts: Vec<u32>,
}

impl CodeMap {
    /// A map with the given ids by code, whose segments start at `starts`.
    ///
    /// # Panics
    /// When a segment is empty or its ids do not ascend.
    pub fn new(ids: Vec<u32>, starts: Vec<u32>) -> CodeMap {
        let map = CodeMap { ids, starts };
        if let Err(error) = map.check() {
            panic!("{error}");
        }
        map
    }

    fn check(&self) -> Result<()> {
        let len = u32::try_from(self.ids.len())
            .map_err(|_| Error::corrupt("a code map has more than 2^32 codes"))?;
        let starts_fit = self.starts.first().copied().unwrap_or(0) == 0
            && self.starts.is_sorted_by(|a, b| a < b)
            && self.starts.last().is_none_or(|last| *last < len)
            && self.starts.is_empty() == self.ids.is_empty()
            && self.starts.len() <= SEGMENTS_MAX;
        if !starts_fit {
            return Err(Error::corrupt("the segments of a code map do not fit its codes"));
        }
        let ascend = self.segments().all(|segment| self.ids[segment].is_sorted_by(|a, b| a < b));
        if !ascend {
            return Err(Error::corrupt("the ids of a code map do not ascend in a segment"));
        }
        Ok(())
    }

    /// The ids by local code.
    pub fn ids(&self) -> &[u32] {
        &self.ids
    }

    /// Where each segment of codes starts.
    pub fn segment_starts(&self) -> &[u32] {
        &self.starts
    }

    /// The segments as ranges of codes.
    pub fn segments(&self) -> impl Iterator<Item = Range<usize>> + '_ {
        self.starts.iter().enumerate().map(|(segment, start)| {
            let end = self.starts.get(segment + 1).map_or(self.ids.len(), |end| index(*end));
            index(*start)..end
        })
    }

    /// The local code of `id`, if a row of the row group had that value when it was written.
    pub fn code_of(&self, id: u32) -> Option<u32> {
        self.segments().find_map(|segment| {
            let at = segment.start + self.ids[segment].binary_search(&id).ok()?;
            Some(code(at))
        })
    }

    /// The local codes whose ids lie in one of `id_ranges`: ascending, disjoint, none empty.
    pub fn code_ranges(&self, id_ranges: &[Range<u32>]) -> Vec<Range<u32>> {
        let mut found: Vec<Range<u32>> = Vec::new();
        for segment in self.segments() {
            let ids = &self.ids[segment.clone()];
            let at = |id: u32| code(segment.start + ids.partition_point(|other| *other < id));
            found.extend(id_ranges.iter().map(|range| at(range.start)..at(range.end)));
        }
        found.retain(|range| !range.is_empty());
        found.sort_unstable_by_key(|range| range.start);
        let mut merged: Vec<Range<u32>> = Vec::with_capacity(found.len());
        for range in found {
            match merged.last_mut() {
                Some(last) if last.end >= range.start => last.end = last.end.max(range.end),
                _ => merged.push(range),
            }
        }
        merged
    }

    /// The same map after ids changed: `new_ids[old id]`.
    ///
    /// # Errors
    /// `Corrupt` when an id is outside `new_ids` or the order of the ids changes.
    pub fn translate(&self, new_ids: &[u32]) -> Result<CodeMap> {
        let ids: Option<Vec<u32>> =
            self.ids.iter().map(|id| new_ids.get(index(*id)).copied()).collect();
        let ids =
            ids.ok_or_else(|| Error::corrupt("a code map names an id beyond its dictionary"))?;
        let map = CodeMap { ids, starts: self.starts.clone() };
        map.check()?;
        Ok(map)
    }

    /// The stored form.
    pub fn to_bytes(&self) -> Result<Vec<u8>> {
        let mut bytes = Vec::new();
        let segment_count = code(self.starts.len());
        bytes.extend_from_slice(&segment_count.to_le_bytes());
        for start in &self.starts {
            bytes.extend_from_slice(&start.to_le_bytes());
        }
        ids::encode(&self.ids, &mut bytes)?;
        Ok(bytes)
    }

    /// Reads the stored form.
    ///
    /// # Errors
    /// `Corrupt`.
    pub fn from_bytes(bytes: Bytes) -> Result<CodeMap> {
        let segment_count = index(ids::u32_at(&bytes, 0)?);
        if segment_count > SEGMENTS_MAX {
            return Err(Error::corrupt(format!("a code map has {segment_count} segments")));
        }
        let starts: Result<Vec<u32>> =
            (0..segment_count).map(|segment| ids::u32_at(&bytes, 4 + 4 * segment)).collect();
        let starts = starts?;
        let ids = ids::decode(&bytes.slice(4 + 4 * segment_count..))?;
        let map = CodeMap { ids, starts };
        map.check()?;
        Ok(map)
    }

    /// Bytes held in memory.
    pub fn memory_bytes(&self) -> usize {
        4 * (self.ids.len() + self.starts.len())
    }
}
