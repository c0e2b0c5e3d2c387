//! Streaming operators: filter and project, wrapped around a source; and the wrapper that counts.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::per_value::true_rows;
use super::profile::OperatorStats;
use super::program::Program;
use super::source::{ColumnKind, Sink, Source, TopBound};
use crate::context::Context;
use crate::plan::Expr;
use crate::types::Result;
use crate::vector::Batch;

/// Keeps the rows for which a predicate is true.
#[derive(Debug)]
pub(crate) struct FilterSource {
    input: Arc<dyn Source>,
    predicate: Program,
}

impl FilterSource {
    /// Filters `input`.
    pub(crate) fn new(input: Arc<dyn Source>, predicate: &Expr) -> FilterSource {
        let predicate = Program::new(std::slice::from_ref(predicate), input.kinds(), false);
        FilterSource { input, predicate }
    }
}

impl Source for FilterSource {
    fn kinds(&self) -> &[ColumnKind] {
        self.input.kinds()
    }

    fn morsel_count(&self) -> usize {
        self.input.morsel_count()
    }

    fn run(&self, morsel: usize, context: &Context, sink: &mut Sink<'_>) -> Result<()> {
        self.input.run(morsel, context, &mut |batch| {
            let verdict = self.predicate.run(&batch, context)?;
            let rows = true_rows(&verdict[0])?;
            if rows.is_empty() {
                Ok(ControlFlow::Continue(()))
            } else if rows.len() == batch.len() {
                sink(batch)
            } else {
                sink(batch.take(&rows)?)
            }
        })
    }

    fn follow(&self, bound: TopBound) {
        self.input.follow(bound);
    }

    fn is_repeatable(&self) -> bool {
        self.input.is_repeatable()
    }

    fn rows_passed(&self) -> Option<(u64, u64)> {
        self.input.rows_passed()
    }

    fn morsel_order(&self) -> Option<Vec<usize>> {
        self.input.morsel_order()
    }
}

/// Computes expressions.
#[derive(Debug)]
pub(crate) struct ProjectSource {
    input: Arc<dyn Source>,
    program: Program,
}

impl ProjectSource {
    /// Computes `exprs` over `input`.
    pub(crate) fn new(input: Arc<dyn Source>, exprs: &[Expr]) -> ProjectSource {
        let program = Program::new(exprs, input.kinds(), false);
        ProjectSource { input, program }
    }
}

impl Source for ProjectSource {
    fn kinds(&self) -> &[ColumnKind] {
        self.program.kinds()
    }

    fn morsel_count(&self) -> usize {
        self.input.morsel_count()
    }

    fn run(&self, morsel: usize, context: &Context, sink: &mut Sink<'_>) -> Result<()> {
        self.input.run(morsel, context, &mut |batch| {
            let columns = self.program.run(&batch, context)?;
            sink(Batch::new(columns, batch.len()))
        })
    }

    fn follow(&self, bound: TopBound) {
        if let Some(column) = self.program.column(bound.column) {
            self.input.follow(TopBound { column, ..bound });
        }
    }

    fn is_repeatable(&self) -> bool {
        self.input.is_repeatable()
    }

    fn rows_passed(&self) -> Option<(u64, u64)> {
        self.input.rows_passed()
    }

    fn morsel_order(&self) -> Option<Vec<usize>> {
        self.input.morsel_order()
    }
}

/// Counts the rows and the time of the source inside.
#[derive(Debug)]
pub(crate) struct Measured {
    source: Arc<dyn Source>,
    stats: Arc<OperatorStats>,
    /// The operator behind, whose input this is.
    reader: Option<Arc<OperatorStats>>,
}

impl Measured {
    /// Counts for `stats`, and as the input of `reader`.
    pub(crate) fn new(
        source: Arc<dyn Source>,
        stats: Arc<OperatorStats>,
        reader: Option<Arc<OperatorStats>>,
    ) -> Measured {
        Measured { source, stats, reader }
    }
}

impl Source for Measured {
    fn kinds(&self) -> &[ColumnKind] {
        self.source.kinds()
    }

    fn morsel_count(&self) -> usize {
        self.source.morsel_count()
    }

    fn run(&self, morsel: usize, context: &Context, sink: &mut Sink<'_>) -> Result<()> {
        let start = Instant::now();
        let mut behind = Duration::ZERO;
        let result = self.source.run(morsel, context, &mut |batch| {
            let handed_over = Instant::now();
            self.stats.add_rows_out(batch.len());
            if let Some(reader) = &self.reader {
                reader.add_rows_in(batch.len());
            }
            let flow = sink(batch);
            behind += handed_over.elapsed();
            flow
        });
        self.stats.add_time(start.elapsed().saturating_sub(behind));
        result
    }

    fn follow(&self, bound: TopBound) {
        self.source.follow(bound);
    }

    fn is_repeatable(&self) -> bool {
        self.source.is_repeatable()
    }

    fn rows_passed(&self) -> Option<(u64, u64)> {
        self.source.rows_passed()
    }

    fn morsel_order(&self) -> Option<Vec<usize>> {
        self.source.morsel_order()
    }
}
