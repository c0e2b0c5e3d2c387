//! Grows a column's dictionary by the row groups of one load.
//!
//! Each row group's values are looked up in the dictionary as it was, which decides the row group's
//! codes at once: known values come first, by run, new ones last. At the end the new values of all
//! row groups are merged into one run, and, when runs have become too many or too long, all runs into
//! a new generation. Must not know rows, files or transactions.

use std::sync::Arc;

use super::merge::{RunCursor, SortedCursor, ValuesCursor, merge};
use super::sorted::{code, index};
use super::{
    CodeMap, Dictionary, EncodedRun, Local, Located, RUNS_MAX, Run, RunWriter, SectionSpool,
    SortedValues, SpoolBeyond,
};
use crate::context::CancelToken;
use crate::types::{DataType, Error, Result};

/// The share (one of so many) of the bytes that may wait in memory which a merged run may take.
const RUN_BYTES_SHARE: usize = 8;

/// When the runs of a dictionary are merged into a new generation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MergePolicy {
    /// Merge when there are more runs than this (at most eight).
    pub runs_max: usize,
    /// Merge when the runs after the first have more values than this share of the first, in
    /// hundredths.
    pub tail_percent_max: u32,
}

impl Default for MergePolicy {
    fn default() -> MergePolicy {
        MergePolicy { runs_max: RUNS_MAX, tail_percent_max: 10 }
    }
}

impl MergePolicy {
    /// Whether runs of these lengths are to be merged.
    pub fn merges(&self, run_lens: &[u32]) -> bool {
        let Some((base, tails)) = run_lens.split_first() else {
            return false;
        };
        let tails: u64 = tails.iter().map(|len| u64::from(*len)).sum();
        run_lens.len() > self.runs_max.min(RUNS_MAX)
            || tails * 100 > u64::from(*base) * u64::from(self.tail_percent_max)
    }
}

/// What a load does to a dictionary.
#[derive(Debug)]
pub enum Change {
    /// Nothing: all values were there.
    None,
    /// It gains a run.
    Run(EncodedRun),
    /// It is replaced by a single run.
    Generation {
        /// That run.
        run: EncodedRun,
        /// New ids by old id: for the maps of the row groups that were there before.
        new_ids: Vec<u32>,
    },
}

/// The outcome of a load.
#[derive(Debug)]
pub struct Grown {
    /// The map of every row group, in the order they were added.
    pub maps: Vec<CodeMap>,
    /// What becomes of the dictionary.
    pub change: Change,
}

/// A load in progress.
#[derive(Debug)]
pub struct Growth<'a> {
    data_type: DataType,
    existing: Option<Arc<Dictionary>>,
    spool: Option<&'a dyn SectionSpool>,
    pending_bytes_max: usize,
    row_groups: Vec<RowGroupValues>,
}

/// The values of one row group.
#[derive(Debug)]
struct RowGroupValues {
    known_ids: Vec<u32>,
    /// Where the codes of each run start, the new values' included.
    starts: Vec<u32>,
    new: Pending,
    /// For each new value, how many values of the existing runs are less; empty without any.
    insertion_ranks: Vec<u32>,
}

#[derive(Debug)]
enum Pending {
    Memory(SortedValues),
    Spooled(Run),
}

impl<'a> Growth<'a> {
    /// Starts to grow `existing`, of values of `data_type`.
    pub fn new(data_type: DataType, existing: Option<Arc<Dictionary>>) -> Growth<'a> {
        Growth {
            data_type,
            existing,
            spool: None,
            pending_bytes_max: usize::MAX,
            row_groups: Vec::new(),
        }
    }

    /// Keeps new values in `spool` while more than `pending_bytes_max` of them wait, and the merged
    /// run's sections beyond an eighth of that.
    #[must_use]
    pub fn with_spool(
        mut self,
        spool: &'a dyn SectionSpool,
        pending_bytes_max: usize,
    ) -> Growth<'a> {
        self.spool = Some(spool);
        self.pending_bytes_max = pending_bytes_max;
        self
    }

    /// Whether another row group of `distinct_count` values may be added.
    pub fn has_room(&self, distinct_count: usize) -> bool {
        let pending: usize = self.row_groups.iter().map(RowGroupValues::new_count).sum();
        let existing = self.existing.as_ref().map_or(0, |dictionary| u64::from(dictionary.len()));
        let total = u64::try_from(pending.saturating_add(distinct_count)).unwrap_or(u64::MAX);
        existing.saturating_add(total) < u64::from(u32::MAX)
    }

    /// Adds a row group and returns its code count and each row's code.
    ///
    /// # Errors
    /// `Cancelled`; as reading the existing dictionary and spooling.
    pub fn add(&mut self, local: Local, cancel: &CancelToken) -> Result<(u32, Vec<u32>)> {
        let count = code(local.values.len());
        let (row_group, codes) = match &self.existing {
            None => {
                let (values, codes) = local.into_codes(None);
                let starts = if count == 0 { Vec::new() } else { vec![0] };
                let new = Pending::Memory(values);
                let insertion_ranks = Vec::new();
                let known_ids = Vec::new();
                (RowGroupValues { known_ids, starts, new, insertion_ranks }, codes)
            }
            Some(existing) => split_known(existing, local, cancel)?,
        };
        self.row_groups.push(row_group);
        self.spool_pending()?;
        Ok((count, codes))
    }

    /// Bytes of values and ids that wait in memory.
    pub fn memory_bytes(&self) -> usize {
        self.row_groups.iter().map(RowGroupValues::memory_bytes).sum()
    }

    fn spool_pending(&mut self) -> Result<()> {
        let Some(spool) = self.spool else { return Ok(()) };
        let waiting: usize = self.row_groups.iter().map(|group| group.new.memory_bytes()).sum();
        if waiting <= self.pending_bytes_max {
            return Ok(());
        }
        for row_group in &mut self.row_groups {
            if let Pending::Memory(values) = &row_group.new {
                let spool = Some(SpoolBeyond { spool, memory_bytes_max: 0 });
                let mut writer = RunWriter::new(self.data_type, spool);
                for value_idx in 0..values.len() {
                    writer.push(values.key(value_idx))?;
                }
                let run = Run::from_encoded(self.data_type, writer.finish(&[])?)?;
                row_group.new = Pending::Spooled(run);
            }
        }
        Ok(())
    }

    /// Merges what is new, by `policy` with what was there.
    ///
    /// # Errors
    /// `Cancelled`; as reading and encoding.
    pub fn finish(self, policy: &MergePolicy, cancel: &CancelToken) -> Result<Grown> {
        if self.row_groups.iter().all(|row_group| row_group.new_count() == 0) {
            return Ok(Grown { maps: self.known_maps(), change: Change::None });
        }
        let base = self.existing.as_ref().map_or(0, |dictionary| dictionary.len());
        let spool = self.spool_for_run();
        let (run, positions) = self.merge_new(cancel)?;
        let mut maps = Vec::with_capacity(self.row_groups.len());
        for (row_group, positions) in self.row_groups.into_iter().zip(positions) {
            let mut ids = row_group.known_ids;
            ids.extend(positions.into_iter().map(|position| base + position));
            maps.push(CodeMap::new(ids, row_group.starts));
        }
        let Some(existing) = self.existing else {
            return Ok(Grown { maps, change: Change::Run(run) });
        };
        let mut lens = existing.run_lens();
        lens.push(run.value_count);
        if !policy.merges(&lens) {
            return Ok(Grown { maps, change: Change::Run(run) });
        }
        let tail = Run::from_encoded(self.data_type, run)?;
        let (run, new_ids) = existing.merged(Some(&tail), spool, cancel)?;
        let maps: Result<Vec<CodeMap>> = maps.iter().map(|map| map.translate(&new_ids)).collect();
        Ok(Grown { maps: maps?, change: Change::Generation { run, new_ids } })
    }

    fn spool_for_run(&self) -> Option<SpoolBeyond<'a>> {
        let memory_bytes_max = self.pending_bytes_max / RUN_BYTES_SHARE;
        self.spool.map(|spool| SpoolBeyond { spool, memory_bytes_max })
    }

    /// The maps when nothing is new.
    fn known_maps(self) -> Vec<CodeMap> {
        let row_groups = self.row_groups.into_iter();
        row_groups.map(|row_group| CodeMap::new(row_group.known_ids, row_group.starts)).collect()
    }

    /// The run of all new values, and where those of each row group are in it.
    fn merge_new(&self, cancel: &CancelToken) -> Result<(EncodedRun, Vec<Vec<u32>>)> {
        let mut sources: Vec<Box<dyn SortedCursor + '_>> =
            Vec::with_capacity(self.row_groups.len());
        for row_group in &self.row_groups {
            sources.push(match &row_group.new {
                Pending::Memory(values) => Box::new(ValuesCursor::new(values)),
                Pending::Spooled(run) => Box::new(RunCursor::new(run)?),
            });
        }
        let mut writer = RunWriter::new(self.data_type, self.spool_for_run());
        let mut positions: Vec<Vec<u32>> = self
            .row_groups
            .iter()
            .map(|row_group| Vec::with_capacity(row_group.new_count()))
            .collect();
        let mut ranks = Vec::new();
        let mut last = None;
        merge(&mut sources, &mut writer, cancel, |source, position| {
            let value_idx = positions[source].len();
            positions[source].push(position);
            if last != Some(position)
                && let Some(rank) = self.row_groups[source].insertion_ranks.get(value_idx)
            {
                ranks.push(*rank);
            }
            last = Some(position);
        })?;
        Ok((writer.finish(&ranks)?, positions))
    }
}

impl RowGroupValues {
    fn new_count(&self) -> usize {
        match &self.new {
            Pending::Memory(values) => values.len(),
            Pending::Spooled(run) => index(run.len()),
        }
    }

    fn memory_bytes(&self) -> usize {
        4 * (self.known_ids.len() + self.insertion_ranks.len()) + self.new.memory_bytes()
    }
}

impl Pending {
    fn memory_bytes(&self) -> usize {
        match self {
            Pending::Memory(values) => values.memory_bytes(),
            Pending::Spooled(_) => 0,
        }
    }
}

/// Splits a row group's values into what `existing` has and what is new.
fn split_known(
    existing: &Dictionary,
    local: Local,
    cancel: &CancelToken,
) -> Result<(RowGroupValues, Vec<u32>)> {
    let located = existing.locate(&local.values, cancel)?;
    let mut by_run: Vec<Vec<(u32, u32)>> = vec![Vec::new(); existing.run_count()];
    let mut new_positions = Vec::new();
    let mut insertion_ranks = Vec::new();
    for (position, located) in (0_u32..).zip(&located) {
        match located {
            Located::Known { run, id } => by_run[*run].push((position, *id)),
            Located::New { insertion_rank } => {
                new_positions.push(position);
                insertion_ranks.push(*insertion_rank);
            }
        }
    }
    let mut code_of_position = vec![0_u32; located.len()];
    let mut known_ids = Vec::new();
    let mut starts = Vec::new();
    let mut next_code = 0_u32;
    for run in by_run.iter().filter(|run| !run.is_empty()) {
        starts.push(next_code);
        for (position, id) in run {
            code_of_position[index(*position)] = next_code;
            known_ids.push(*id);
            next_code += 1;
        }
    }
    if !new_positions.is_empty() {
        starts.push(next_code);
        for position in &new_positions {
            code_of_position[index(*position)] = next_code;
            next_code += 1;
        }
    }
    let (values, codes) = local.into_codes(Some(&code_of_position));
    let new = Pending::Memory(values.select(&new_positions));
    Ok((RowGroupValues { known_ids, starts, new, insertion_ranks }, codes))
}

impl Run {
    /// Opens a run that was just encoded.
    ///
    /// # Errors
    /// As [`Run::open`].
    pub fn from_encoded(data_type: DataType, run: EncodedRun) -> Result<Run> {
        let opened = Run::open(data_type, Arc::new(run.sections))?;
        if opened.len() != run.value_count {
            return Err(Error::internal("a run was written with another number of values"));
        }
        Ok(opened)
    }
}
