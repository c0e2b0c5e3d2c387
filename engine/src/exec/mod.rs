//! Execution: physical plans to batches of results.
//!
//! A plan becomes a pipeline of sources and sinks. A *source* gives batches morsel by morsel;
//! streaming operators (filter, project) wrap a source; *sinks* (aggregate, sort, top-n) take what
//! all workers bring and become the source of the next pipeline. Representation is known ahead:
//! dictionary columns stay codes through filters, keys and sorts, and values are decoded for the rows
//! that reach the result.
//!
//! The module chooses only among what the plan allows, and must not know SQL.

mod aggregate;
mod build;
mod by_integer;
mod choice;
pub mod expression;
mod file_scan;
mod gather;
mod interner;
mod late;
mod map;
mod metadata;
mod per_value;
mod piecewise;
mod pool;
mod profile;
mod program;
mod scan;
mod sort;
mod sort_key;
mod source;
mod stream;
#[cfg(test)]
mod tests;
mod top_n;
mod window;
mod winners;

pub use self::pool::WorkerPool;
pub use self::profile::{OperatorProfile, Profile, ScanProfile};
pub use self::stream::BatchStream;

use std::sync::Arc;

use self::build::{Builder, output};
use crate::context::Context;
use crate::plan::PhysicalPlan;
use crate::plan::wire::ScanRequest;
use crate::storage::Snapshot;
use crate::types::{Error, Result};

/// Executes `plan` over `snapshot`; nothing runs before the stream is read.
///
/// # Errors
/// When the plan's types do not fit; everything else comes out of the stream.
pub fn execute(
    plan: &PhysicalPlan,
    snapshot: Arc<Snapshot>,
    pool: Arc<WorkerPool>,
    context: Context,
) -> Result<BatchStream> {
    let columns = output(plan)?;
    Ok(BatchStream::new(plan, &columns, Builder::new(snapshot, pool, context)))
}

/// Executes the scan of `request`, its row groups only, over `snapshot`, which has to be the one that
/// it was planned on.
///
/// # Errors
/// As [`execute`]; `Invalid` for another database or snapshot. A row group that the table does not have comes out
/// of the stream.
pub fn execute_scan(
    request: &ScanRequest,
    snapshot: Arc<Snapshot>,
    pool: Arc<WorkerPool>,
    context: Context,
) -> Result<BatchStream> {
    if snapshot.database_identity() != request.identity {
        let place = snapshot.store().location();
        return Err(Error::invalid(format!("the scan is of another database than {place}")));
    }
    if snapshot.number() != request.snapshot {
        let (wanted, found) = (request.snapshot, snapshot.number());
        return Err(Error::invalid(format!(
            "the scan is of snapshot {wanted}, but this handle reads snapshot {found}"
        ))
        .with_hint("open the database read-only while that snapshot is the newest"));
    }
    let plan = PhysicalPlan::Scan(request.scan.clone());
    let columns = output(&plan)?;
    let builder = Builder::new(snapshot, pool, context);
    let builder = builder.with_row_groups(request.row_groups.clone());
    Ok(BatchStream::new(&plan, &columns, builder))
}
