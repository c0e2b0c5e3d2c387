//! What is aggregated, made ready for the input's representation.
//!
//! Aggregates share what they have in common: `SUM(x)`, `AVG(x)` and `COUNT(*)` of an `x` that is never
//! NULL are two states, the sum and the number of rows. Must not know how groups are found.

use std::sync::OnceLock;

use super::Grouping;
use super::accumulators::{Accumulator, accumulator_of};
use super::groups::{DirectKey, GroupTable, Layout, Slots};
use super::states::States;
use super::words::{self, Words};
use super::worker::Partial;
use crate::context::Context;
use crate::exec::program::Program;
use crate::exec::source::{ColumnKind, Source};
use crate::plan::{Aggregate, AggregateFunction, Expr, Rung};
use crate::types::{DataType, Error, Result};
use crate::vector::Vector;

/// Bytes that the arrays by id of one worker may take, at 16 a group and state.
const BY_ID_BYTES_MAX: usize = 256 << 20;
/// Ids for each row that is to be expected, up to which arrays by id pay, which are cleared, walked and
/// merged whole.
const IDS_PER_ROW: u64 = 2;
/// Ids whose arrays are too small to ask.
const IDS_MIN: u64 = if cfg!(test) { 1 } else { 1 << 18 };

/// Keys, inputs and states of an aggregation.
#[derive(Debug)]
pub(super) struct Work {
    dense: bool,
    pub(super) keys: Program,
    /// How keys are packed, if they can be.
    pub(super) layout: Option<Layout>,
    /// The arguments, then the filters.
    pub(super) inputs: Program,
    pub(super) states: Vec<State>,
    words: Option<words::Layout>,
    results: Vec<Finish>,
    /// Whether arrays by id pay, once a worker has asked: all workers do alike.
    ids_pay: OnceLock<bool>,
}

/// What is kept for every group.
#[derive(Debug, PartialEq)]
pub(super) struct State {
    pub(super) function: AggregateFunction,
    distinct: bool,
    /// Position among the inputs.
    pub(super) argument: Option<usize>,
    pub(super) second: Option<usize>,
    pub(super) filter: Option<usize>,
}

/// How a result comes from the states.
#[derive(Clone, Copy, Debug)]
enum Finish {
    Of(usize),
    Average { sum: usize, count: usize },
}

impl State {
    /// How many rows a group has.
    pub(super) const ROW_COUNT: State = State::of(AggregateFunction::CountRows, None);

    /// The state of a function over all values of an input.
    pub(super) const fn of(function: AggregateFunction, argument: Option<usize>) -> State {
        State { function, distinct: false, argument, second: None, filter: None }
    }

    /// Whether it is of all values of at most one input.
    pub(super) fn is_plain(&self) -> bool {
        !self.distinct && self.takes_runs()
    }

    /// Whether rows of one group can be handed over without a list of groups.
    pub(super) fn takes_runs(&self) -> bool {
        self.filter.is_none() && self.second.is_none()
    }
}

impl Work {
    pub(super) fn new(what: &Grouping<'_>, input: &[ColumnKind]) -> Work {
        let mut exprs: Vec<Expr> = Vec::new();
        let mut position = |expr: &Expr| {
            exprs.iter().position(|other| other == expr).unwrap_or_else(|| {
                exprs.push(expr.clone());
                exprs.len() - 1
            })
        };
        let planned: Vec<State> = what
            .aggregates
            .iter()
            .map(|aggregate: &Aggregate| State {
                function: aggregate.function,
                distinct: aggregate.distinct,
                argument: aggregate.argument.as_ref().map(&mut position),
                second: aggregate.second.as_ref().map(&mut position),
                filter: aggregate.filter.as_ref().map(&mut position),
            })
            .collect();
        let keys = Program::new(what.keys, input, true);
        let inputs = Program::new(&exprs, input, false);
        let mut states = Vec::with_capacity(planned.len());
        let results =
            planned.into_iter().map(|state| share(state, inputs.kinds(), &mut states)).collect();
        let words =
            (!what.keys.is_empty()).then(|| words::Layout::new(&states, inputs.kinds())).flatten();
        Work {
            dense: what.rungs.contains(&Rung::Dense),
            layout: Layout::new(keys.kinds()),
            keys,
            inputs,
            states,
            words,
            results,
            ids_pay: OnceLock::new(),
        }
    }

    /// The states of no group yet.
    ///
    /// # Errors
    /// As for the accumulators.
    pub(super) fn states(&self) -> Result<States> {
        Ok(States::new(self.accumulators()?, self.words.clone().map(Words::new)))
    }

    fn accumulators(&self) -> Result<Vec<Box<dyn Accumulator>>> {
        self.states
            .iter()
            .map(|state| {
                let no_argument = ColumnKind::flat(DataType::Null);
                let kind = state.argument.map_or(&no_argument, |i| &self.inputs.kinds()[i]);
                let second = state.second.map(|i| &self.inputs.kinds()[i]);
                accumulator_of(
                    (state.function, state.distinct, state.filter.is_some()),
                    kind,
                    second,
                )
            })
            .collect()
    }

    /// How the results of the aggregates are represented.
    ///
    /// # Errors
    /// As for the accumulators.
    pub(super) fn result_kinds(&self) -> Result<Vec<ColumnKind>> {
        let accumulators = self.accumulators()?;
        let kind = |finish: &Finish| match finish {
            Finish::Of(state) => accumulators[*state].kind(),
            Finish::Average { .. } => ColumnKind::flat(DataType::Float64),
        };
        Ok(self.results.iter().map(kind).collect())
    }

    /// The results of the aggregates, a row a group, from their complete states.
    ///
    /// # Errors
    /// `OutOfRange` when a sum does not fit its type.
    pub(super) fn results(&self, states: &[Box<dyn Accumulator>]) -> Result<Vec<Vector>> {
        let result = |finish: &Finish| match *finish {
            Finish::Of(state) => states[state].finish(),
            Finish::Average { sum, count } => {
                let counts = states[count].row_counts();
                let counts = counts.ok_or_else(|| Error::internal("no state counts the rows"))?;
                states[sum].finish_average(counts)
            }
        };
        self.results.iter().map(result).collect()
    }

    pub(super) fn partial(&self, context: &Context) -> Result<Partial> {
        let table = GroupTable::new(self.keys.kinds(), self.dense)?;
        Partial::new(table, self.states()?, context.memory.reservation("grouping"))
    }

    /// A table for the keys of one partition, of which there are about so many, in spare slots.
    pub(super) fn partition(
        &self,
        capacity: (usize, Option<Slots>),
        context: &Context,
    ) -> Result<Partial> {
        let table = GroupTable::with_capacity(self.keys.kinds(), false, capacity)?;
        Partial::new(table, self.states()?, context.memory.reservation("grouping"))
    }

    /// How packed keys are best made the groups, once a worker of `worker_count` has `row_count` rows, if
    /// so.
    pub(super) fn paying_key(
        &self,
        input: &dyn Source,
        (row_count, worker_count): (u64, usize),
    ) -> Option<DirectKey> {
        let key = self.direct_key()?;
        let pays = || {
            let id_count = u64::from(key.last_id());
            let Some((passed, all)) = input.rows_passed().filter(|_| id_count >= IDS_MIN) else {
                return true;
            };
            let found = u128::from(row_count) * worker_count as u128;
            let expected = found * u128::from(all) / u128::from(passed.max(1));
            u128::from(id_count) <= expected * u128::from(IDS_PER_ROW)
        };
        self.ids_pay.get_or_init(pays).then_some(key)
    }

    /// How packed keys can be the groups, if they can.
    pub(super) fn direct_key(&self) -> Option<DirectKey> {
        let key = self.layout.as_ref().filter(|_| self.dense)?.direct_key()?;
        let group_bytes = 16 * self.states.len().max(1);
        ((key.last_id() as usize).saturating_mul(group_bytes) <= BY_ID_BYTES_MAX).then_some(key)
    }

    /// The groups of rows whose packed keys are ids.
    pub(super) fn ids_of_keys(&self, keys: &[Vector], len: usize) -> Result<Vec<u32>> {
        let layout = self.layout.as_ref().expect("a key that is an id has a layout");
        if let [Vector::Flat(_)] = keys {
            // Its number in a row group is that of the table.
            let mut ids = vec![0; len];
            layout.pack_local(keys, &mut ids)?;
            return Ok(ids);
        }
        let mut packed: Vec<u64> = Vec::with_capacity(len);
        layout.pack(keys, len, &mut packed)?;
        Ok(packed.into_iter().map(|key| u32::try_from(key).expect("few bits")).collect())
    }

    /// The key columns of groups that are ids.
    pub(super) fn keys_of_ids(&self, ids: &[u32]) -> Result<Vec<Vector>> {
        let keys: Vec<u64> = ids.iter().map(|id| u64::from(*id)).collect();
        let layout = self.layout.as_ref().expect("a key that is an id has a layout");
        layout.unpack(&keys)
    }
}

/// Puts what an aggregate needs among the states, where it may be already.
fn share(mut state: State, inputs: &[ColumnKind], states: &mut Vec<State>) -> Finish {
    let mut place = |state: State| {
        states.iter().position(|other| *other == state).unwrap_or_else(|| {
            states.push(state);
            states.len() - 1
        })
    };
    let never_null = state
        .argument
        .is_some_and(|input| matches!(inputs[input], ColumnKind::Flat { nullable: false, .. }));
    let by_rows = never_null && !state.distinct && state.filter.is_none();
    match state.function {
        AggregateFunction::Count if by_rows => Finish::Of(place(State::ROW_COUNT)),
        AggregateFunction::Avg if by_rows => {
            state.function = AggregateFunction::Sum;
            Finish::Average { sum: place(state), count: place(State::ROW_COUNT) }
        }
        _ => Finish::Of(place(state)),
    }
}
