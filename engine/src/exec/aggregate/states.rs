//! The states of the aggregates, for the groups of a table, of a row group or of a range of ids.
//!
//! Each aggregate's state is an accumulator; some are fed through [`Words`] that they share. Rows of
//! clustered keys are handed over by run. Must not know how groups are found.

use super::Work;
use super::accumulators::{Accumulator, Groups, OwnedGroups};
use super::words::Words;
use crate::exec::per_value::true_rows;
use crate::kernel;
use crate::types::{DataType, Result, Value};
use crate::vector::Vector;

/// Rows of a run below which it does not pay to know of it.
const RUN_LEN_MIN: usize = if cfg!(test) { 4 } else { 64 };
/// Rows after which unclustered keys are found out.
const RUN_LOOK_LEN: usize = if cfg!(test) { 8 } else { 512 };

/// Which of the states.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Which {
    /// All of them.
    All,
    /// Those that merge cheaply.
    Cheap,
    /// The others.
    Costly,
}

impl Which {
    fn holds(self, state: &dyn Accumulator) -> bool {
        match self {
            Which::All => true,
            Which::Cheap => state.merges_cheaply(),
            Which::Costly => !state.merges_cheaply(),
        }
    }
}

/// The states of all aggregates.
#[derive(Debug)]
pub(super) struct States {
    each: Vec<Box<dyn Accumulator>>,
    /// Sums on their way to some of them.
    words: Option<Words>,
}

impl States {
    pub(super) fn new(each: Vec<Box<dyn Accumulator>>, words: Option<Words>) -> States {
        States { each, words }
    }

    /// The states, which are settled.
    pub(super) fn each(&self) -> &[Box<dyn Accumulator>] {
        debug_assert!(self.words.as_ref().is_none_or(Words::is_empty), "states are settled");
        &self.each
    }

    /// Whether all states merge cheaply.
    pub(super) fn are_cheap(&self) -> bool {
        self.each.iter().all(|state| state.merges_cheaply())
    }

    /// Makes room for groups up to `group_count`, which have rows by the end of the next batch.
    ///
    /// # Errors
    /// `Internal` when words hold what is no sum.
    pub(super) fn resize(&mut self, group_count: usize) -> Result<()> {
        self.each.iter_mut().for_each(|state| state.resize(group_count));
        self.words.as_mut().map_or(Ok(()), |words| words.resize(group_count, &mut self.each))
    }

    /// Makes room for groups up to `group_count`, which may have no row yet, in some of the states.
    ///
    /// # Errors
    /// `Internal` when words hold what is no sum.
    pub(super) fn resize_ahead(&mut self, group_count: usize, which: Which) -> Result<()> {
        let states = self.each.iter_mut().filter(|state| which.holds(state.as_ref()));
        states.for_each(|state| state.resize_ahead(group_count));
        self.words.as_mut().map_or(Ok(()), |words| words.resize(group_count, &mut self.each))
    }

    /// Hands some of the states their arguments for the rows of `groups`.
    ///
    /// # Errors
    /// When values cannot be read.
    pub(super) fn feed(
        &mut self,
        work: &Work,
        which: Which,
        groups: Groups<'_>,
        inputs: &[Vector],
    ) -> Result<()> {
        let runs = runs_of(groups);
        let mut words = self.words.as_mut().filter(|words| words.is_on());
        words = words.filter(|_| which != Which::Costly && runs.is_none());
        if let (Some(words), Groups::Each(groups)) = (&mut words, groups) {
            words.add(groups, inputs, &mut self.each)?;
        }
        for (index, state) in self.each.iter_mut().enumerate() {
            let is_fed = words.as_ref().is_some_and(|words| words.holds(index));
            if is_fed || !which.holds(state.as_ref()) {
                continue;
            }
            let takes_runs = state.takes_runs() && work.states[index].takes_runs();
            match runs.as_ref().filter(|_| takes_runs) {
                None => feed(work, index, state.as_mut(), groups, inputs)?,
                Some(runs) => {
                    let argument = work.states[index].argument.map(|input| &inputs[input]);
                    feed_runs(state.as_mut(), runs, argument)?;
                }
            }
        }
        Ok(())
    }

    /// Takes over the groups `from` of `other`, which is settled, as the groups `to`, in some of the
    /// states.
    ///
    /// # Errors
    /// `Internal` when the states are of other aggregates.
    pub(super) fn merge(
        &mut self,
        other: &States,
        which: Which,
        from: &[u32],
        to: &[u32],
    ) -> Result<()> {
        let states = self.each.iter_mut().zip(other.each());
        for (here, there) in states.filter(|(here, _)| which.holds(here.as_ref())) {
            here.merge(there.as_ref(), from, to)?;
        }
        Ok(())
    }

    /// Makes ready for being merged into others.
    ///
    /// # Errors
    /// `Internal` when words hold what is no sum.
    pub(super) fn settle(&mut self) -> Result<()> {
        if let Some(words) = &mut self.words {
            words.empty_into(&mut self.each)?;
        }
        self.each.iter_mut().for_each(|state| state.settle());
        Ok(())
    }

    /// Makes ready for being merged some groups at a time.
    ///
    /// # Errors
    /// As for [`settle`](Self::settle).
    pub(super) fn sort_by_group(&mut self) -> Result<()> {
        self.settle()?;
        self.each.iter_mut().for_each(|state| state.sort_by_group());
        Ok(())
    }

    /// Makes ready for the results.
    ///
    /// # Errors
    /// As for [`settle`](Self::settle).
    pub(super) fn complete(&mut self) -> Result<()> {
        self.settle()?;
        self.each.iter_mut().for_each(|state| state.complete());
        Ok(())
    }

    /// Forgets all rows of settled states, and keeps the memory of some of them; `false` for what has to
    /// be made anew instead.
    pub(super) fn clear(&mut self, which: Which) -> bool {
        self.each.iter_mut().all(|state| !which.holds(state.as_ref()) || state.clear())
    }

    /// Whether [`settle`](Self::settle) has nothing left to do.
    pub(super) fn is_settled(&self) -> bool {
        self.words.as_ref().is_none_or(Words::is_empty)
            && self.each.iter().all(|state| state.is_settled())
    }

    /// Bytes held.
    pub(super) fn bytes(&self) -> usize {
        let words = self.words.as_ref().map_or(0, Words::bytes);
        words + self.each.iter().map(|state| state.bytes()).sum::<usize>()
    }
}

/// The runs of equal groups: group and length; `None` unless keys are clustered.
fn runs_of(groups: Groups<'_>) -> Option<Vec<(u32, usize)>> {
    let Groups::Each(groups) = groups else { return None };
    let mut last = *groups.first()?;
    let mut changes_left = groups.len() / RUN_LEN_MIN;
    let mut runs: Vec<(u32, usize)> = Vec::new();
    let mut len = 0;
    for part in groups.chunks(RUN_LOOK_LEN) {
        let changes = usize::from(part[0] != last) + kernel::count_changes(part);
        if changes == 0 {
            len += part.len();
            continue;
        }
        changes_left = changes_left.checked_sub(changes)?;
        for run in part.chunk_by(|left, right| left == right) {
            if run[0] != last {
                runs.push((last, len));
                (last, len) = (run[0], 0);
            }
            len += run.len();
        }
    }
    runs.push((last, len));
    Some(runs)
}

fn feed_runs(
    accumulator: &mut dyn Accumulator,
    runs: &[(u32, usize)],
    argument: Option<&Vector>,
) -> Result<()> {
    let mut start = 0;
    for (group, len) in runs {
        match argument {
            None => accumulator.update_run(*group, &no_argument(*len))?,
            Some(argument) => accumulator.update_run(*group, &argument.slice(start, *len))?,
        }
        start += len;
    }
    Ok(())
}

/// What an aggregate without an argument is given.
fn no_argument(len: usize) -> Vector {
    Vector::Constant { value: Value::Null, data_type: DataType::Null, len }
}

/// Hands aggregate `index` its argument for the rows of `groups`, without those its filter leaves out.
fn feed(
    work: &Work,
    index: usize,
    accumulator: &mut dyn Accumulator,
    groups: Groups<'_>,
    inputs: &[Vector],
) -> Result<()> {
    let planned = &work.states[index];
    let no_argument = no_argument(groups.len());
    let argument = planned.argument.map_or(&no_argument, |index| &inputs[index]);
    let second = planned.second.map(|index| &inputs[index]);
    let mut update = |groups: Groups<'_>, argument: &Vector, second: Option<&Vector>| match second {
        None => accumulator.update(groups, argument),
        Some(second) => accumulator.update_pairs(groups, argument, second),
    };
    let Some(filter) = planned.filter else { return update(groups, argument, second) };
    let rows = true_rows(&inputs[filter])?;
    let groups: OwnedGroups = groups.take(&rows);
    let second = second.map(|second| second.take(&rows)).transpose()?;
    update(groups.borrow(), &argument.take(&rows)?, second.as_ref())
}
