//! Statements over files whose types were inferred from a sample.
//!
//! A value beyond the sample may not fit. Nothing has been promised while a result's first batches
//! wait in memory or a load is not committed: the statement then looks at all values and starts over
//! with types that fit them all. So a statement fails or succeeds, and gives the same types, whatever
//! the sample was.

use std::collections::VecDeque;
use std::sync::Arc;

use martlet_engine::catalog::NewField;
use martlet_engine::catalog::files::FileSet;
use martlet_engine::context::Context;
use martlet_engine::ingest::Appender;
use martlet_engine::plan::{LogicalPlan, PhysicalPlan, Scan, Source};
use martlet_engine::storage::Snapshot;
use martlet_engine::types::{Error, ErrorKind, Result};
use martlet_engine::vector::batch_bytes;

use super::Runner;
use super::load::fields_of;
use crate::catalog::SnapshotCatalog;
use crate::result::QueryResult;

/// Bytes of a result that wait in memory before the rest of the files is looked at.
const AHEAD_BYTES_MAX: usize = 32 << 20;
/// Rows of a batch that is loaded: reading by column pays off with long ones.
const LOAD_BATCH_LEN: usize = 16_384;

impl Runner<'_> {
    /// Runs the plan that `plan` makes, whose files `catalog` has opened.
    pub(super) fn run_over_files(
        &self,
        catalog: &SnapshotCatalog,
        snapshot: &Arc<Snapshot>,
        plan: impl Fn() -> Result<PhysicalPlan>,
    ) -> Result<QueryResult> {
        let first = match plan() {
            // A name that a sample does not have may come later.
            Err(error) if error.kind() == ErrorKind::UnknownName && catalog.is_sampled() => {
                if !catalog.settle(|_| Vec::new(), &self.context)? {
                    return Err(error);
                }
                plan()?
            }
            first => first?,
        };
        if !catalog.is_sampled() {
            return self.execute(&first, Arc::clone(snapshot));
        }
        let mut result = self.execute(&first, Arc::clone(snapshot))?;
        let mut ahead = VecDeque::new();
        let mut bytes = 0;
        let is_over = loop {
            match result.next() {
                None => break Ok(true),
                Some(Ok(batch)) => {
                    bytes += batch_bytes(&batch);
                    ahead.push_back(batch);
                    if bytes > AHEAD_BYTES_MAX {
                        break Ok(false);
                    }
                }
                Some(Err(error)) => break Err(error),
            }
        };
        match is_over {
            Ok(true) => return Ok(result.with_ahead(ahead)),
            Err(error) if !may_be_a_type(&error) => return Err(error),
            _ => {}
        }
        let changed = catalog.settle(|set| columns_read(&first, set), &self.context)?;
        match is_over {
            // As it was: the rest follows what waits.
            Ok(_) if !changed => Ok(result.with_ahead(ahead)),
            Err(error) if !changed => Err(error),
            _ => {
                self.context.progress.forget_rejected();
                self.execute(&plan()?, Arc::clone(snapshot))
            }
        }
    }

    /// The rows of the plan that `plan` makes, in the appender that `make` makes for its columns; and
    /// these.
    pub(super) fn collect_rows(
        &self,
        catalog: &SnapshotCatalog,
        snapshot: &Arc<Snapshot>,
        plan: impl Fn() -> Result<LogicalPlan>,
        make: impl Fn(&[NewField], Context) -> Result<Appender>,
    ) -> Result<(Vec<NewField>, Appender)> {
        let first = plan()?;
        let sampled = catalog.is_sampled().then(|| first.clone());
        match (self.collect_once(first, snapshot, &make), sampled) {
            (Err(error), Some(first)) if may_be_a_type(&error) => {
                let read = self.optimized(first);
                if !catalog.settle(|set| columns_read(&read, set), &self.context)? {
                    return Err(error);
                }
                self.context.progress.forget_rejected();
                self.collect_once(plan()?, snapshot, &make)
            }
            (outcome, _) => outcome,
        }
    }

    fn collect_once(
        &self,
        plan: LogicalPlan,
        snapshot: &Arc<Snapshot>,
        make: &impl Fn(&[NewField], Context) -> Result<Appender>,
    ) -> Result<(Vec<NewField>, Appender)> {
        let fields = fields_of(&plan);
        let mut context = self.context.clone();
        context.batch_len = context.batch_len.max(LOAD_BATCH_LEN);
        let mut appender = make(&fields, context)?;
        let plan = self.optimized(plan);
        for batch in self.execute_for_load(&plan, snapshot)? {
            appender.append(&batch?)?;
        }
        Ok((fields, appender))
    }
}

/// Whether the error may be that of a value which does not fit an inferred type.
fn may_be_a_type(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::InvalidText | ErrorKind::OutOfRange)
}

/// The columns of `set` that the plan reads.
fn columns_read(plan: &PhysicalPlan, set: &Arc<FileSet>) -> Vec<usize> {
    let mut columns: Vec<usize> = Vec::new();
    let mut plans = vec![plan];
    while let Some(plan) = plans.pop() {
        match plan {
            PhysicalPlan::Scan(Scan { source: Source::Files(read), columns: named, .. }) => {
                if Arc::ptr_eq(read, set) {
                    let positions = named.iter().filter_map(|c| usize::try_from(c.field.0).ok());
                    columns.extend(positions);
                }
            }
            PhysicalPlan::Scan(_) | PhysicalPlan::Values { .. } => {}
            PhysicalPlan::Filter { input, .. }
            | PhysicalPlan::Project { input, .. }
            | PhysicalPlan::Aggregate { input, .. }
            | PhysicalPlan::Window { input, .. }
            | PhysicalPlan::Sort { input, .. }
            | PhysicalPlan::TopN { input, .. }
            | PhysicalPlan::Limit { input, .. } => plans.push(input),
        }
    }
    columns.sort_unstable();
    columns.dedup();
    columns
}
