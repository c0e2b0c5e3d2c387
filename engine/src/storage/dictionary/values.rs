//! The dictionary of a column: at most eight sorted runs with disjoint values.
//!
//! The id of a value is its run's base plus its position. With one run, the order of ids is the
//! order of values; with more, the ranks say. An append adds a run that holds just its new values and,
//! for each, how many older values are less; ranks follow from these without reading any value.
//! Must not know rows.

use std::ops::{Bound, Range};
use std::sync::{Arc, OnceLock};

use arrow::array::ArrayRef;

use super::merge::{RunCursor, SortedCursor, Translation, merge};
use super::run::{Chunk, RunSearch};
use super::sorted::{code, index};
use super::{
    EncodedRun, FixedKey, Key, KeyKind, Probe, RUNS_MAX, Run, RunWriter, SortedValues, SpoolBeyond,
};
use super::{bytes_array, kind_of};
use crate::context::CancelToken;
use crate::types::{DataType, Error, Result, Value};

/// The distinct values of one column, in one generation.
#[derive(Debug)]
pub struct Dictionary {
    data_type: DataType,
    runs: Vec<Run>,
    bases: Vec<u32>,
    len: u32,
    /// Id of the first value of every chunk, over all runs.
    chunk_starts: Vec<u32>,
    ranks: OnceLock<Vec<u32>>,
}

/// Neighbouring values of a dictionary.
#[derive(Clone, Debug)]
pub struct DictionaryChunk {
    /// The id of the first; the others follow.
    pub first_id: u32,
    data_type: DataType,
    chunk: Arc<Chunk>,
}

impl DictionaryChunk {
    /// How many values it has.
    pub fn len(&self) -> usize {
        self.chunk.len()
    }

    /// Whether it has none; never so.
    pub fn is_empty(&self) -> bool {
        self.chunk.is_empty()
    }

    /// The piece of a text or blob dictionary: contiguous bytes for a substring search.
    pub fn piece(&self) -> Option<&crate::encoding::pieces::Piece> {
        self.chunk.piece()
    }

    /// The values as an array.
    ///
    /// # Errors
    /// `Corrupt`.
    pub fn values(&self) -> Result<ArrayRef> {
        self.chunk.values(self.data_type)
    }
}

/// What a dictionary knows of a value that is to be added.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Located {
    /// It is there, in this run, with this id.
    Known {
        /// The run.
        run: usize,
        /// The id.
        id: u32,
    },
    /// It is not there.
    New {
        /// How many values are less.
        insertion_rank: u32,
    },
}

impl Dictionary {
    /// A dictionary of `runs`, in the order of their bases.
    ///
    /// # Errors
    /// `Corrupt` for no run, more than eight, or 2^32 values.
    pub fn new(data_type: DataType, runs: Vec<Run>) -> Result<Dictionary> {
        if runs.is_empty() || runs.len() > RUNS_MAX {
            return Err(Error::corrupt(format!("a dictionary has {} runs", runs.len())));
        }
        let mut bases = Vec::with_capacity(runs.len());
        let mut chunk_starts = Vec::new();
        let mut len = 0_u32;
        for run in &runs {
            bases.push(len);
            let end = len.checked_add(run.len());
            let end = end.ok_or_else(|| Error::corrupt("a dictionary has 2^32 values"))?;
            chunk_starts.extend((0..run.chunk_count()).map(|chunk| len + run.chunk_start(chunk)));
            len = end;
        }
        Ok(Dictionary { data_type, runs, bases, len, chunk_starts, ranks: OnceLock::new() })
    }

    /// The type of its values.
    pub fn data_type(&self) -> DataType {
        self.data_type
    }

    /// How many values it has; ids are less than that.
    pub fn len(&self) -> u32 {
        self.len
    }

    /// Whether it has none.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// How many runs it has.
    pub fn run_count(&self) -> usize {
        self.runs.len()
    }

    /// How many values each run has.
    pub fn run_lens(&self) -> Vec<u32> {
        self.runs.iter().map(Run::len).collect()
    }

    /// How many chunks its values lie in.
    pub fn chunk_count(&self) -> usize {
        self.chunk_starts.len()
    }

    /// Chunk `chunk_idx`; ids ascend from chunk to chunk without gaps. For a search in all values,
    /// which may take chunks in parallel.
    ///
    /// # Errors
    /// `Corrupt` or as reading the file.
    ///
    /// # Panics
    /// When there is no such chunk.
    pub fn chunk(&self, chunk_idx: usize) -> Result<DictionaryChunk> {
        let first_id = self.chunk_starts[chunk_idx];
        let run_idx = self.bases.partition_point(|base| *base <= first_id) - 1;
        // An empty run has the base of the next one, which owns the chunk.
        let chunks_before: usize = self.runs[..run_idx].iter().map(Run::chunk_count).sum();
        let chunk = self.runs[run_idx].chunk(chunk_idx - chunks_before)?;
        Ok(DictionaryChunk { first_id, data_type: self.data_type, chunk })
    }

    /// Calls `visit` for every chunk in the order of ids.
    ///
    /// # Errors
    /// As [`Dictionary::chunk`] and `visit`.
    pub fn for_each_piece(
        &self,
        mut visit: impl FnMut(&DictionaryChunk) -> Result<()>,
    ) -> Result<()> {
        (0..self.chunk_count()).try_for_each(|chunk_idx| visit(&self.chunk(chunk_idx)?))
    }

    /// The values with these ids, in this order; opens the chunks that hold them only.
    ///
    /// # Errors
    /// `Corrupt` for an id beyond the dictionary; as [`Dictionary::chunk`].
    pub fn values(&self, ids: &[u32]) -> Result<ArrayRef> {
        let mut open = OpenChunks::new(self);
        match kind_of(self.data_type) {
            KeyKind::Bytes => {
                let mut bytes = Vec::new();
                let mut ends = Vec::with_capacity(ids.len());
                for id in ids {
                    if let (Key::Bytes(value), _) = open.key(*id)? {
                        bytes.extend_from_slice(value);
                    }
                    ends.push(bytes.len());
                }
                bytes_array(bytes, &ends, self.data_type)
            }
            KeyKind::Narrow => u64::to_array(&open.narrow_keys(ids)?, self.data_type),
            KeyKind::Wide => {
                let keys: Result<Vec<u128>> = ids.iter().map(|id| open.wide_key(*id)).collect();
                u128::to_array(&keys?, self.data_type)
            }
        }
    }

    /// How many bytes the texts or blobs with these ids have.
    ///
    /// # Errors
    /// As [`Dictionary::values`].
    pub fn byte_lengths(&self, ids: &[u32]) -> Result<Vec<u32>> {
        let mut open = OpenChunks::new(self);
        ids.iter()
            .map(|id| match open.key(*id)?.0 {
                Key::Bytes(value) => u32::try_from(value.len())
                    .map_err(|_| Error::corrupt("a text has more than 2^32 bytes")),
                Key::Int(_) => Err(Error::internal("only texts and blobs have a length")),
            })
            .collect()
    }

    /// The id of `value`, if it is there.
    ///
    /// # Errors
    /// `Internal` when `value` is NULL or of another type; as [`Dictionary::chunk`].
    pub fn find(&self, value: &Value) -> Result<Option<u32>> {
        let Probe::At(key) = Probe::new(value, self.data_type)? else {
            return Ok(None);
        };
        for (run, base) in self.runs.iter().zip(&self.bases) {
            let (position, found) = run.search(key)?;
            if found {
                return Ok(Some(base + position));
            }
        }
        Ok(None)
    }

    /// The ids of the values between two bounds: one range per run, some may be empty.
    ///
    /// # Errors
    /// As [`Dictionary::find`].
    pub fn id_ranges(&self, lower: Bound<&Value>, upper: Bound<&Value>) -> Result<Vec<Range<u32>>> {
        let mut ranges = Vec::with_capacity(self.runs.len());
        for (run, base) in self.runs.iter().zip(&self.bases) {
            let start = match lower {
                Bound::Unbounded => 0,
                Bound::Included(value) => self.position(run, value, false)?,
                Bound::Excluded(value) => self.position(run, value, true)?,
            };
            let end = match upper {
                Bound::Unbounded => run.len(),
                Bound::Included(value) => self.position(run, value, true)?,
                Bound::Excluded(value) => self.position(run, value, false)?,
            };
            ranges.push(base + start..base + end.max(start));
        }
        Ok(ranges)
    }

    /// How many values of `run` are less than `value`, or not greater with `or_equal`.
    fn position(&self, run: &Run, value: &Value, or_equal: bool) -> Result<u32> {
        match Probe::new(value, self.data_type)? {
            Probe::Below => Ok(0),
            Probe::Above => Ok(run.len()),
            Probe::At(key) => {
                let (position, found) = run.search(key)?;
                Ok(position + u32::from(found && or_equal))
            }
        }
    }

    /// The rank of each id among all values; `None` with one run, where a rank is the id itself.
    ///
    /// # Errors
    /// `Corrupt` or as reading the file.
    pub fn ranks(&self) -> Result<Option<&[u32]>> {
        if self.runs.len() == 1 {
            return Ok(None);
        }
        if self.ranks.get().is_none() {
            let insertion_ranks: Result<Vec<Vec<u32>>> =
                self.runs.iter().skip(1).map(Run::insertion_ranks).collect();
            let ranks = ranks_of(self.runs[0].len(), &insertion_ranks?)?;
            if ranks.len() != index(self.len) {
                return Err(Error::corrupt("the insertion ranks do not fit the dictionary"));
            }
            // Another thread may have been quicker, with the same ranks.
            let _computed_twice = self.ranks.set(ranks);
        }
        Ok(self.ranks.get().map(Vec::as_slice))
    }

    /// The rank of `id` among all values.
    ///
    /// # Errors
    /// As [`Dictionary::ranks`]; `Corrupt` for an id beyond the dictionary.
    pub fn rank(&self, id: u32) -> Result<u32> {
        match self.ranks()? {
            None => Ok(id),
            Some(ranks) => ranks.get(index(id)).copied().ok_or_else(|| self.no_such_id(id)),
        }
    }

    fn no_such_id(&self, id: u32) -> Error {
        Error::corrupt(format!("id {id} is beyond a dictionary of {} values", self.len))
    }

    /// Where each of `values` is or belongs. Reads the chunks that could hold one of them only.
    ///
    /// # Errors
    /// `Cancelled`; as [`Dictionary::chunk`].
    pub fn locate(&self, values: &SortedValues, cancel: &CancelToken) -> Result<Vec<Located>> {
        let mut searches: Vec<RunSearch<'_>> = self.runs.iter().map(RunSearch::new).collect();
        let mut located = Vec::with_capacity(values.len());
        for value_idx in 0..values.len() {
            if value_idx % 4_096 == 0 {
                cancel.check()?;
            }
            located.push(self.locate_one(&mut searches, values.key(value_idx))?);
        }
        Ok(located)
    }

    fn locate_one(&self, searches: &mut [RunSearch<'_>], key: Key<'_>) -> Result<Located> {
        let mut insertion_rank = 0;
        for (run, search) in searches.iter_mut().enumerate() {
            let (position, found) = search.next(key)?;
            if found {
                return Ok(Located::Known { run, id: self.bases[run] + position });
            }
            insertion_rank += position;
        }
        Ok(Located::New { insertion_rank })
    }

    /// All values in one run, whose sections go to `spool`, and the new id of every old one. `tail` is
    /// a run that is not part of the dictionary yet.
    ///
    /// # Errors
    /// `Cancelled`; as [`Dictionary::chunk`].
    pub fn merged(
        &self,
        tail: Option<&Run>,
        spool: Option<SpoolBeyond<'_>>,
        cancel: &CancelToken,
    ) -> Result<(EncodedRun, Vec<u32>)> {
        let runs: Vec<&Run> = self.runs.iter().chain(tail).collect();
        let lens: Vec<u32> = runs.iter().map(|run| run.len()).collect();
        let total = lens.iter().try_fold(0_u32, |total, len| total.checked_add(*len));
        if total.is_none() {
            return Err(Error::unsupported("a dictionary of more than 2^32 values"));
        }
        let mut sources: Vec<Box<dyn SortedCursor + '_>> = Vec::with_capacity(runs.len());
        for run in runs {
            sources.push(Box::new(RunCursor::new(run)?));
        }
        let mut writer = RunWriter::new(self.data_type, spool);
        let mut translation = Translation::new(&lens);
        merge(&mut sources, &mut writer, cancel, |run, id| translation.place(run, id))?;
        Ok((writer.finish(&[])?, translation.into_ids()))
    }

    /// Bytes held in memory.
    pub fn memory_bytes(&self) -> usize {
        let ranks = self.ranks.get().map_or(0, |ranks| 4 * ranks.len());
        ranks + self.runs.iter().map(Run::cached_bytes).sum::<usize>()
    }
}

/// The chunks that a list of ids needed so far.
struct OpenChunks<'a> {
    dictionary: &'a Dictionary,
    chunks: hashbrown::HashMap<usize, DictionaryChunk>,
    /// The chunk last used, and its ids.
    last: Option<(usize, Range<u32>)>,
}

impl<'a> OpenChunks<'a> {
    fn new(dictionary: &'a Dictionary) -> OpenChunks<'a> {
        OpenChunks { dictionary, chunks: hashbrown::HashMap::new(), last: None }
    }

    /// The value of `id`, and where it is.
    fn key(&mut self, id: u32) -> Result<(Key<'_>, usize)> {
        let hit = self.last.as_ref().is_some_and(|(_, ids)| ids.contains(&id));
        if !hit {
            self.open(id)?;
        }
        let Some((chunk_idx, ids)) = &self.last else {
            return Err(Error::internal("a chunk was opened and is gone"));
        };
        let at = index(id - ids.start);
        Ok((self.chunks[chunk_idx].chunk.key(at), at))
    }

    fn open(&mut self, id: u32) -> Result<()> {
        let dictionary = self.dictionary;
        if id >= dictionary.len {
            return Err(dictionary.no_such_id(id));
        }
        let chunk_idx = dictionary.chunk_starts.partition_point(|start| *start <= id) - 1;
        let chunk = match self.chunks.entry(chunk_idx) {
            hashbrown::hash_map::Entry::Occupied(entry) => entry.into_mut(),
            hashbrown::hash_map::Entry::Vacant(entry) => entry.insert(dictionary.chunk(chunk_idx)?),
        };
        let len = code(chunk.len());
        self.last = Some((chunk_idx, chunk.first_id..chunk.first_id + len));
        Ok(())
    }

    /// The values of `ids`; those of a chunk that follow each other cost no search.
    fn narrow_keys(&mut self, ids: &[u32]) -> Result<Vec<u64>> {
        let mut keys = Vec::with_capacity(ids.len());
        let mut rest = ids;
        while let Some(first) = rest.first() {
            self.open(*first)?;
            let Some((chunk_idx, chunk_ids)) = &self.last else {
                return Err(Error::internal("a chunk was opened and is gone"));
            };
            let Chunk::Narrow(chunk) = &*self.chunks[chunk_idx].chunk else {
                return Err(Error::internal("a chunk holds keys of another kind"));
            };
            let count = rest.iter().take_while(|id| chunk_ids.contains(id)).count();
            keys.extend(rest[..count].iter().map(|id| chunk[index(id - chunk_ids.start)]));
            rest = &rest[count..];
        }
        Ok(keys)
    }

    fn wide_key(&mut self, id: u32) -> Result<u128> {
        match self.key(id)?.0 {
            Key::Int(key) => Ok(key),
            Key::Bytes(_) => Err(Error::internal("a chunk holds keys of another kind")),
        }
    }
}

/// The rank of each id: `insertion_ranks[r][i]` values of the runs up to `r` are less than value `i`
/// of run `r + 1`.
fn ranks_of(first_len: u32, insertion_ranks: &[Vec<u32>]) -> Result<Vec<u32>> {
    let mut order: Vec<u32> = (0..first_len).collect();
    for ranks in insertion_ranks {
        let ids = code(order.len())..;
        let mut wider = Vec::with_capacity(order.len() + ranks.len());
        let mut taken = 0;
        for (id, rank) in ids.zip(ranks) {
            let older = order.get(taken..index(*rank));
            wider.extend_from_slice(older.ok_or_else(|| {
                Error::corrupt("an insertion rank is beyond the dictionary or out of order")
            })?);
            taken = index(*rank);
            wider.push(id);
        }
        wider.extend_from_slice(&order[taken..]);
        order = wider;
    }
    let mut ranks = vec![0; order.len()];
    for (rank, id) in (0..).zip(order) {
        ranks[index(id)] = rank;
    }
    Ok(ranks)
}
