//! Window functions: rows are numbered inside their partition.
//!
//! Partitions are found as groups are. [`number`] keeps all rows, orders each partition and adds the
//! numbers to the rows; [`top`] keeps the first rows of each partition only, while they come in. Both
//! give the rows in the order of the input, so that the answer is the same on any number of workers.
//! The module must not know SQL.

mod bounds;
mod kept;
mod number;
#[cfg(test)]
mod tests;
mod top;

use super::aggregate::GroupTable;
use super::pool::WorkerPool;
use super::profile::OperatorStats;
use super::program::Program;
use super::sort_key::KeyProgram;
use super::source::{ColumnKind, MemorySource, Source};
use crate::context::Context;
use crate::plan::{Window, WindowFunction};
use crate::types::{DataType, Error, Result};

/// A window made ready for batches of one source.
#[derive(Debug)]
struct Plan<'a> {
    window: &'a Window,
    input: &'a [ColumnKind],
    partition: Program,
    order: KeyProgram,
}

impl<'a> Plan<'a> {
    fn new(window: &'a Window, input: &'a [ColumnKind]) -> Result<Plan<'a>> {
        let partition = Program::new(&window.partition, input, true);
        let order = KeyProgram::new(&window.order, input)?;
        Ok(Plan { window, input, partition, order })
    }

    fn table(&self) -> Result<GroupTable> {
        GroupTable::new(self.partition.kinds(), true)
    }

    /// How the columns are represented: those of the input, then the numbers.
    fn kinds(&self) -> Vec<ColumnKind> {
        let number = ColumnKind::Flat { data_type: DataType::Int64, nullable: false, bounds: None };
        let numbers = self.window.functions.iter().map(|_| number.clone());
        self.input.iter().cloned().chain(numbers).collect()
    }
}

/// The numbers of the rows of one partition, told which rows tie as they come in order.
#[derive(Clone, Copy, Debug, Default)]
struct Numbers {
    row_number: i64,
    rank: i64,
    dense_rank: i64,
}

impl Numbers {
    /// Goes to the next row.
    fn advance(&mut self, ties_with_the_last: bool) {
        self.row_number += 1;
        if !ties_with_the_last {
            self.rank = self.row_number;
            self.dense_rank += 1;
        }
    }

    fn of(&self, function: WindowFunction) -> i64 {
        match function {
            WindowFunction::RowNumber => self.row_number,
            WindowFunction::Rank => self.rank,
            WindowFunction::DenseRank => self.dense_rank,
        }
    }
}

/// The input's columns and a number for each function, of all rows or of the first of each partition.
///
/// # Errors
/// Those of the input and the keys; `OutOfMemory`.
pub(crate) fn window(
    input: &dyn Source,
    window: &Window,
    (pool, context): (&WorkerPool, &Context),
    stats: &OperatorStats,
) -> Result<MemorySource> {
    let plan = Plan::new(window, input.kinds())?;
    match window.limit {
        None => number::number(input, &plan, (pool, context), stats),
        Some(limit) => {
            let limit = usize::try_from(limit).unwrap_or(usize::MAX);
            top::top(input, (&plan, limit), (pool, context), stats)
        }
    }
}

fn too_many() -> Error {
    Error::unsupported("a window over more than 2^32 batches or rows of one is not supported")
}
