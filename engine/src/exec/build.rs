//! From a physical plan to sources: streaming operators are wrapped around their input, blocking ones
//! run when they are built and leave their result in memory.

mod grouped;

use std::ops::ControlFlow;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::expression::evaluate;
use super::late::{self, LateTopN};
use super::map::{FilterSource, Measured, ProjectSource};
use super::metadata;
use super::pool::WorkerPool;
use super::profile::{OperatorStats, Profile};
use super::scan::{open_table, table_view, unread};
use super::sort::sort;
use super::source::{ColumnKind, MemorySource, Source};
use super::top_n::top_n;
use super::window::window;
use crate::context::Context;
use crate::plan;
use crate::plan::{Aggregate, Expr, OutputColumn, PhysicalPlan, Scan};
use crate::storage::Snapshot;
use crate::types::{DataType, Result};
use crate::vector::{Batch, Vector};

/// Builds the sources of one query and keeps its counters.
#[derive(Debug)]
pub(crate) struct Builder {
    snapshot: Arc<Snapshot>,
    pool: Arc<WorkerPool>,
    context: Context,
    /// The positions of the row groups that a scan at the root reads; all when `None`.
    row_groups: Option<Vec<u32>>,
    operators: Mutex<Vec<Arc<OperatorStats>>>,
}

/// The root's source, and the limit that its reader applies.
#[derive(Debug)]
pub(crate) struct Built {
    pub(crate) source: Arc<dyn Source>,
    pub(crate) offset: u64,
    pub(crate) limit: Option<u64>,
}

/// Where an operator stands in the plan.
#[derive(Clone, Debug)]
struct Place {
    depth: usize,
    reader: Option<Arc<OperatorStats>>,
}

impl Builder {
    pub(crate) fn new(snapshot: Arc<Snapshot>, pool: Arc<WorkerPool>, context: Context) -> Builder {
        Builder { snapshot, pool, context, row_groups: None, operators: Mutex::default() }
    }

    /// Reads only these row groups of the one scan that the plan is.
    pub(crate) fn with_row_groups(self, row_groups: Option<Vec<u32>>) -> Builder {
        Builder { row_groups, ..self }
    }

    pub(crate) fn context(&self) -> &Context {
        &self.context
    }

    pub(crate) fn pool(&self) -> &Arc<WorkerPool> {
        &self.pool
    }

    /// A copy of the counters.
    pub(crate) fn profile(&self, elapsed: Duration) -> Profile {
        let operators = self.operators.lock().unwrap_or_else(PoisonError::into_inner);
        Profile {
            operators: operators.iter().map(|stats| stats.profile()).collect(),
            elapsed,
            bytes_peak: self.context.memory.peak_bytes(),
        }
    }

    /// Builds the whole plan; a limit at its root is left to the reader.
    ///
    /// # Errors
    /// Those of blocking operators.
    pub(crate) fn build_root(&self, plan: &PhysicalPlan) -> Result<Built> {
        let root = Place { depth: 0, reader: None };
        if let PhysicalPlan::Limit { input, offset, limit } = plan {
            let stats = self.stats("Limit", &root);
            let place = Place { depth: 1, reader: Some(stats) };
            let count = limit.map(|limit| clamp(limit.saturating_add(*offset)));
            let source = self.build_first(input, count, &place)?;
            return Ok(Built { source, offset: *offset, limit: *limit });
        }
        Ok(Built { source: self.build(plan, &root)?, offset: 0, limit: None })
    }

    fn stats(&self, name: &str, place: &Place) -> Arc<OperatorStats> {
        let stats = OperatorStats::new(name, place.depth).telling(&self.context.progress);
        let stats = Arc::new(stats);
        let mut operators = self.operators.lock().unwrap_or_else(PoisonError::into_inner);
        operators.push(Arc::clone(&stats));
        stats
    }

    fn build(&self, plan: &PhysicalPlan, place: &Place) -> Result<Arc<dyn Source>> {
        self.build_first(plan, None, place)
    }

    /// Builds `plan`, of whose rows only any `count` are asked for, if that is given.
    fn build_first(
        &self,
        plan: &PhysicalPlan,
        count: Option<usize>,
        place: &Place,
    ) -> Result<Arc<dyn Source>> {
        let name = name(plan);
        let stats = self.stats(&name, place);
        let below = Place { depth: place.depth + 1, reader: Some(Arc::clone(&stats)) };
        let (pool, context) = (self.pool.as_ref(), &self.context);
        let source: Arc<dyn Source> = match plan {
            PhysicalPlan::Scan(scan) => self.scan(scan, &stats)?,
            PhysicalPlan::Values { columns, rows } => Arc::new(self.values(columns, rows)?),
            PhysicalPlan::Filter { input, predicate } => {
                Arc::new(FilterSource::new(self.build(input, &below)?, predicate))
            }
            PhysicalPlan::Project { input, exprs, .. } => {
                Arc::new(ProjectSource::new(self.build_first(input, count, &below)?, exprs))
            }
            PhysicalPlan::Aggregate { .. } => self.grouped(plan, count, (&stats, &below))?,
            PhysicalPlan::Window { input, window: what } => {
                let input = self.build(input, &below)?;
                Arc::new(window(input.as_ref(), what, (pool, context), &stats)?)
            }
            PhysicalPlan::Sort { input, keys } => {
                let input = self.build(input, &below)?;
                Arc::new(sort(input.as_ref(), keys, pool, context, &stats)?)
            }
            PhysicalPlan::TopN { input, keys, offset, limit } => {
                let range = (clamp(*offset), clamp(*limit));
                if let Some(split) = late::split(input, keys, range) {
                    self.late_top_n(&split, range, (&stats, &below))?
                } else if let Some(source) =
                    self.late_aggregates(input, keys, range, (&stats, &below))?
                {
                    source
                } else {
                    let input = self.build(input, &below)?;
                    Arc::new(top_n(input.as_ref(), keys, range, (pool, context), &stats)?)
                }
            }
            PhysicalPlan::Limit { input, offset, limit } => {
                let input = self.build(input, &below)?;
                Arc::new(self.limited(input.as_ref(), *offset, *limit)?)
            }
        };
        Ok(Arc::new(Measured::new(source, stats, place.reader.clone())))
    }

    fn statistics_answer(
        &self,
        input: &PhysicalPlan,
        aggregates: &[Aggregate],
        stats: &OperatorStats,
    ) -> Result<Option<MemorySource>> {
        let PhysicalPlan::Scan(scan) = input else { return Ok(None) };
        let plan::Source::Table { id, name } = &scan.source else { return Ok(None) };
        if !scan.filter.is_empty() {
            return Ok(None);
        }
        let view = table_view(&self.snapshot, *id, name)?;
        let answer =
            stats.time(|| metadata::answer(view.as_ref(), &scan.columns, aggregates, stats))?;
        if answer.is_some() {
            stats.scan(|profile| *profile = unread(view.as_ref(), scan.columns.len()));
        }
        Ok(answer)
    }

    /// Sorts keys and row addresses; reads the other columns of the winners only.
    fn late_top_n(
        &self,
        split: &LateTopN<'_>,
        range: (usize, usize),
        (stats, below): (&OperatorStats, &Place),
    ) -> Result<Arc<dyn Source>> {
        let scan_stats = self.stats(&name(&PhysicalPlan::Scan(split.scan.clone())), below);
        let scan = open_table(split.scan, None, &self.snapshot, &self.context, &scan_stats)?;
        let scan = Arc::new(scan.with_addresses(split.key_columns.clone()));
        let source: Arc<dyn Source> = Arc::clone(&scan) as _;
        let measured = Measured::new(source, scan_stats, below.reader.clone());
        let workers = (self.pool.as_ref(), &self.context);
        let winners = top_n(&measured, &split.keys, range, workers, stats)?;
        let result = stats.time(|| split.fetch(&scan, &winners, &self.context))?;
        Ok(match split.exprs {
            Some(exprs) => Arc::new(ProjectSource::new(Arc::new(result), exprs)),
            None => Arc::new(result),
        })
    }

    fn scan(&self, scan: &Scan, stats: &Arc<OperatorStats>) -> Result<Arc<dyn Source>> {
        super::scan::open(scan, self.row_groups.as_deref(), &self.snapshot, &self.context, stats)
    }

    fn values(&self, columns: &[OutputColumn], rows: &[Vec<Expr>]) -> Result<MemorySource> {
        let kinds: Vec<ColumnKind> =
            columns.iter().map(|column| ColumnKind::flat(column.data_type)).collect();
        let mut batches = Vec::with_capacity(rows.len());
        for row in rows {
            let columns = row
                .iter()
                .map(|expr| Ok(Vector::Flat(evaluate(expr, &[], 1, &self.context)?)))
                .collect::<Result<Vec<_>>>()?;
            batches.push(Batch::new(columns, 1));
        }
        let picks: Vec<(u32, u32)> =
            (0..u32::try_from(rows.len()).unwrap_or(u32::MAX)).map(|batch| (batch, 0)).collect();
        let batch = super::gather::gather(&batches, &picks, &kinds)?;
        let mut memory = self.context.memory.reservation("VALUES");
        memory.resize(batch.bytes())?;
        Ok(MemorySource::new(kinds, vec![vec![batch]], vec![memory]))
    }

    /// A limit inside the plan: its rows are collected, morsel after morsel, until there are enough.
    fn limited(&self, input: &dyn Source, offset: u64, limit: Option<u64>) -> Result<MemorySource> {
        let mut memory = self.context.memory.reservation("LIMIT");
        let mut batches: Vec<Batch> = Vec::new();
        let (mut skip, mut remaining) = (offset, limit.unwrap_or(u64::MAX));
        for morsel in 0..input.morsel_count() {
            if remaining == 0 {
                break;
            }
            input.run(morsel, &self.context, &mut |batch| {
                self.context.cancel.check()?;
                let len = batch.len() as u64;
                let skipped = skip.min(len);
                let given = (len - skipped).min(remaining);
                skip -= skipped;
                remaining -= given;
                if given > 0 {
                    let batch = batch.slice(clamp(skipped), clamp(given));
                    memory.grow(batch.bytes())?;
                    batches.push(batch);
                }
                Ok(if remaining == 0 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) })
            })?;
        }
        Ok(MemorySource::new(input.kinds().to_vec(), vec![batches], vec![memory]))
    }
}

fn clamp(count: u64) -> usize {
    usize::try_from(count).unwrap_or(usize::MAX)
}

fn name(plan: &PhysicalPlan) -> String {
    match plan {
        PhysicalPlan::Scan(scan) => match &scan.source {
            plan::Source::Table { name, .. } => format!("Scan {name}"),
            plan::Source::Parquet { paths, .. } => format!("Scan {}", paths.join(", ")),
            plan::Source::Files(set) => {
                let paths: Vec<&str> = set.files.iter().map(|file| file.path.as_str()).collect();
                format!("Scan {}", paths.join(", "))
            }
        },
        PhysicalPlan::Values { rows, .. } => format!("Values ({} rows)", rows.len()),
        PhysicalPlan::Filter { .. } => "Filter".into(),
        PhysicalPlan::Project { .. } => "Project".into(),
        PhysicalPlan::Aggregate { keys, aggregates, .. } => {
            format!("Aggregate ({} keys, {} aggregates)", keys.len(), aggregates.len())
        }
        PhysicalPlan::Window { window, .. } => match window.limit {
            None => "Window".into(),
            Some(limit) => format!("TopN per partition (limit {limit})"),
        },
        PhysicalPlan::Sort { .. } => "Sort".into(),
        PhysicalPlan::TopN { offset, limit, .. } => {
            format!("TopN (offset {offset}, limit {limit})")
        }
        PhysicalPlan::Limit { .. } => "Limit".into(),
    }
}

/// Name and type of each output column.
pub(crate) fn output(plan: &PhysicalPlan) -> Result<Vec<OutputColumn>> {
    let named = |name: &String, data_type| OutputColumn { name: name.clone(), data_type };
    Ok(match plan {
        PhysicalPlan::Scan(scan) => scan.output(),
        PhysicalPlan::Values { columns, .. } => columns.clone(),
        PhysicalPlan::Filter { input, .. }
        | PhysicalPlan::Sort { input, .. }
        | PhysicalPlan::TopN { input, .. }
        | PhysicalPlan::Limit { input, .. } => output(input)?,
        PhysicalPlan::Window { input, window } => {
            let numbers = window.names.iter().map(|name| named(name, DataType::Int64));
            output(input)?.into_iter().chain(numbers).collect()
        }
        PhysicalPlan::Project { exprs, names, .. } => {
            exprs.iter().zip(names).map(|(expr, name)| named(name, expr.data_type())).collect()
        }
        PhysicalPlan::Aggregate { keys, aggregates, names, .. } => {
            let mut types: Vec<_> = keys.iter().map(Expr::data_type).collect();
            for aggregate in aggregates {
                types.push(aggregate.data_type()?);
            }
            names.iter().zip(types).map(|(name, data_type)| named(name, data_type)).collect()
        }
    })
}
