//! Sources: what gives batches, morsel by morsel.
//!
//! A pipeline is a source with streaming operators wrapped around it; a sink drives it from several
//! workers. A source knows before the first row how each column is represented, so that sinks choose
//! their loops once. Must not know the sinks.

use std::fmt::Debug;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use crate::context::{Context, Reservation};
use crate::types::{DataType, Result};
use crate::vector::{Batch, CodeBook, Vector};

/// How a column is represented in every batch of a source.
#[derive(Clone, Debug)]
pub(crate) enum ColumnKind {
    /// Arrays or constants.
    Flat {
        /// Type.
        data_type: DataType,
        /// Whether NULL may occur.
        nullable: bool,
        /// Bounds of the values as integers, where known.
        bounds: Option<(i128, i128)>,
    },
    /// Codes, whose books all have these distinct values.
    Dictionary {
        /// The book of ids, which every user of the column shares.
        identity: Arc<CodeBook>,
        /// Whether evaluating once per id beats once per code of each book.
        by_id: bool,
    },
}

impl ColumnKind {
    /// Values of which nothing is known.
    pub(crate) fn flat(data_type: DataType) -> ColumnKind {
        ColumnKind::Flat { data_type, nullable: true, bounds: None }
    }

    /// Type of the values.
    pub(crate) fn data_type(&self) -> DataType {
        match self {
            ColumnKind::Flat { data_type, .. } => *data_type,
            ColumnKind::Dictionary { identity, .. } => identity.data_type(),
        }
    }
}

/// What a bounded sort tells its input while it runs: rows that are not worth giving any more.
#[derive(Clone, Debug)]
pub(crate) struct TopBound {
    /// The first key, as a column of the input.
    pub(crate) column: usize,
    pub(crate) descending: bool,
    pub(crate) nulls_first: bool,
    /// Rows whose first key has a larger prefix (see [`KeyProgram`](super::sort_key::KeyProgram)) are
    /// not wanted. Only ever falls.
    pub(crate) threshold: Arc<AtomicU64>,
}

/// What takes a batch; breaking ends the morsel.
pub(crate) type Sink<'a> = dyn FnMut(Batch) -> Result<ControlFlow<()>> + 'a;

/// Gives batches. Morsels may run at once on several workers; the rows of morsel n come before those
/// of n + 1, and inside a morsel in order.
pub(crate) trait Source: Debug + Send + Sync {
    /// How each column is represented.
    fn kinds(&self) -> &[ColumnKind];

    /// How many morsels there are.
    fn morsel_count(&self) -> usize;

    /// Hands the non-empty batches of a morsel to `sink`, each of at most `context.batch_len` rows.
    ///
    /// # Errors
    /// Its own, or the sink's.
    fn run(&self, morsel: usize, context: &Context, sink: &mut Sink<'_>) -> Result<()>;

    /// Whether it gives the same rows as often as it is run, for about the same cost.
    fn is_repeatable(&self) -> bool {
        false
    }

    /// Allows the source to leave out rows that are behind `bound`, from now on.
    fn follow(&self, _bound: TopBound) {}

    /// How many of its rows it has gone through, left out or given, and how many there are, if it counts
    /// them.
    fn rows_passed(&self) -> Option<(u64, u64)> {
        None
    }

    /// The order in which morsels are best taken; that of their numbers if `None`.
    fn morsel_order(&self) -> Option<Vec<usize>> {
        None
    }
}

/// Batches held in memory, by morsel.
#[derive(Debug)]
pub(crate) struct MemorySource {
    kinds: Vec<ColumnKind>,
    morsels: Vec<Vec<Batch>>,
    _memory: Vec<Reservation>,
}

impl MemorySource {
    /// A source of `morsels`, which `memory` accounts for.
    pub(crate) fn new(
        kinds: Vec<ColumnKind>,
        morsels: Vec<Vec<Batch>>,
        memory: Vec<Reservation>,
    ) -> MemorySource {
        MemorySource { kinds, morsels, _memory: memory }
    }
}

impl Source for MemorySource {
    fn kinds(&self) -> &[ColumnKind] {
        &self.kinds
    }

    fn morsel_count(&self) -> usize {
        self.morsels.len()
    }

    fn is_repeatable(&self) -> bool {
        true
    }

    fn run(&self, morsel: usize, context: &Context, sink: &mut Sink<'_>) -> Result<()> {
        for batch in &self.morsels[morsel] {
            let mut offset = 0;
            while offset < batch.len() {
                let len = context.batch_len.max(1).min(batch.len() - offset);
                if sink(batch.slice(offset, len))?.is_break() {
                    return Ok(());
                }
                offset += len;
            }
        }
        Ok(())
    }
}

/// The vector with local codes translated to ids, for keeping rows of several row groups together.
pub(crate) fn to_ids(vector: Vector, kind: &ColumnKind) -> Result<Vector> {
    Ok(match (vector, kind) {
        (Vector::Dictionary(vector), ColumnKind::Dictionary { identity, .. }) => {
            Vector::Dictionary(vector.in_book(identity))
        }
        (vector @ Vector::Constant { .. }, _) => Vector::Flat(vector.decode()?),
        (vector, _) => vector,
    })
}

/// A batch whose dictionary columns are in ids and whose constants are spelt out.
pub(crate) fn batch_to_ids(batch: Batch, kinds: &[ColumnKind]) -> Result<Batch> {
    let len = batch.len();
    let columns = batch
        .into_columns()
        .into_iter()
        .zip(kinds)
        .map(|(vector, kind)| to_ids(vector, kind))
        .collect::<Result<_>>()?;
    Ok(Batch::new(columns, len))
}
