//! Aggregations that take one pass, or two: the first for which groups are wanted, the second for
//! their rows ([`winners`]).

use std::ops::ControlFlow;
use std::sync::Arc;

use super::{Builder, Measured, OperatorStats, Place, name};
use crate::context::Context;
use crate::exec::aggregate::{Grouping, aggregate};
use crate::exec::program::Program;
use crate::exec::scan;
use crate::exec::source::Source;
use crate::exec::top_n::top_n;
use crate::exec::winners::{self, Grouped};
use crate::plan::{self, Expr, PhysicalPlan, Rung};
use crate::types::{Error, Result, Value};
use crate::vector::Vector;

impl Builder {
    pub(super) fn grouped(
        &self,
        plan: &PhysicalPlan,
        count: Option<usize>,
        (stats, below): (&Arc<OperatorStats>, &Place),
    ) -> Result<Arc<dyn Source>> {
        let PhysicalPlan::Aggregate { input, keys, aggregates, rungs, .. } = plan else {
            return Err(Error::internal("no aggregation"));
        };
        if rungs.contains(&Rung::Metadata)
            && keys.is_empty()
            && let Some(answer) = self.statistics_answer(input, aggregates, stats)?
        {
            return Ok(Arc::new(answer));
        }
        if let Some(grouped) = count.and_then(|count| Grouped::of(plan, count))
            && let Some(count) = count
            && let Some(groups) = self.first_groups(grouped, count, (stats, below))?
        {
            return Ok(groups);
        }
        let input = self.build(input, below)?;
        let what = Grouping { keys, aggregates, rungs };
        aggregate(input.as_ref(), what, &self.pool, &self.context, stats)
    }

    /// The first `count` groups that come, if they come soon.
    fn first_groups(
        &self,
        grouped: Grouped<'_>,
        count: usize,
        (stats, below): (&Arc<OperatorStats>, &Place),
    ) -> Result<Option<Arc<dyn Source>>> {
        let first_rows = self.peek(grouped.scan)?;
        let keys = Program::new(grouped.keys, first_rows.kinds(), false);
        let context = Context { progress: Arc::default(), ..self.context.clone() };
        let first = winners::first_groups(first_rows.as_ref(), &keys, count, &context)?;
        let Some(first) = first else { return Ok(None) };
        stats.note("groups fixed early", count as u64);
        self.groups_of(grouped, &first, (stats, below)).map(Some)
    }

    /// A scan to look at, which counts neither for the profile nor for the progress.
    fn peek(&self, what: &plan::Scan) -> Result<Arc<dyn Source>> {
        let context = Context { progress: Arc::default(), ..self.context.clone() };
        let stats = Arc::new(OperatorStats::new("", 0));
        scan::open(what, self.row_groups.as_deref(), &self.snapshot, &context, &stats)
    }

    /// The groups whose keys are `winners`, in their order.
    fn groups_of(
        &self,
        grouped: Grouped<'_>,
        winners: &[Vector],
        (stats, below): (&Arc<OperatorStats>, &Place),
    ) -> Result<Arc<dyn Source>> {
        let scan = PhysicalPlan::Scan(grouped.scan_of(winners)?);
        let input = self.build(&scan, below)?;
        let Grouped { keys, aggregates, rungs, .. } = grouped;
        let what = Grouping { keys, aggregates, rungs };
        let groups = aggregate(input.as_ref(), what, &self.pool, &self.context, stats)?;
        Ok(Arc::new(winners::pick(groups.as_ref(), winners, &self.context)?))
    }

    /// The first groups in the order of `keys`; aggregates that the order does not need are computed
    /// for those only. `None` where there is nothing to gain.
    pub(super) fn late_aggregates(
        &self,
        input: &PhysicalPlan,
        keys: &[plan::SortKey],
        range: (usize, usize),
        (stats, below): (&Arc<OperatorStats>, &Place),
    ) -> Result<Option<Arc<dyn Source>>> {
        let Some(grouped) = Grouped::of(input, range.0.saturating_add(range.1)) else {
            return Ok(None);
        };
        let Some(needed) = grouped.needed_for(keys) else { return Ok(None) };
        // A second pass tests the rows again.
        if !needed.scan.filter.iter().all(scan::is_tested_by_value) {
            return Ok(None);
        }
        let name = name(input);
        let first_rows = self.peek(&needed.scan)?;
        let group_keys = Program::new(&needed.keys, first_rows.kinds(), true);
        if !winners::has_many_groups(group_keys.kinds(), grouped.aggregates, &self.context) {
            return Ok(None);
        }
        let first_stats = self.stats(&format!("{name}, for the order"), below);
        let first_below = Place { depth: below.depth + 1, reader: Some(Arc::clone(&first_stats)) };
        let scan = self.build(&PhysicalPlan::Scan(needed.scan), &first_below)?;
        let what =
            Grouping { keys: &needed.keys, aggregates: &needed.aggregates, rungs: grouped.rungs };
        let (pool, context) = (self.pool.as_ref(), &self.context);
        let groups = aggregate(scan.as_ref(), what, pool, context, &first_stats)?;
        let groups = Measured::new(groups, first_stats, below.reader.clone());
        let best = top_n(&groups, &needed.sort_keys, range, (pool, context), stats)?;
        let no_rows = |key: &Expr| Ok(Vector::Flat(Value::Null.to_array(key.data_type(), 0)?));
        let mut winners = grouped.keys.iter().map(no_rows).collect::<Result<Vec<_>>>()?;
        for morsel in 0..best.morsel_count() {
            best.run(
                morsel,
                &Context { batch_len: usize::MAX, ..context.clone() },
                &mut |batch| {
                    winners = batch.columns()[..grouped.keys.len()].to_vec();
                    Ok(ControlFlow::Continue(()))
                },
            )?;
        }
        let second_stats = self.stats(&format!("{name}, of the first"), below);
        let second_below =
            Place { depth: below.depth + 1, reader: Some(Arc::clone(&second_stats)) };
        self.groups_of(grouped, &winners, (&second_stats, &second_below)).map(Some)
    }
}
