//! What is said of the columns that a plan gives: comments of tables and of files.

use martlet_engine::catalog::files::FileComments;
use martlet_engine::catalog::{FieldId, TableId};
use martlet_engine::plan::{Expr, LogicalPlan, Source};
use martlet_engine::storage::{CommentTarget, Comments, Snapshot, Transaction};
use martlet_engine::types::Result;

use crate::files;

/// What is said of rows and of their columns, by position.
#[derive(Debug, Default)]
pub(super) struct Descriptions {
    pub(super) table: Option<String>,
    pub(super) columns: Vec<Option<String>>,
}

/// What there is to ask about a source.
enum Known {
    Table(Comments),
    File(FileComments),
}

impl Descriptions {
    /// Of the columns that `plan` gives as it found them in files, and of those in tables of `snapshot`.
    pub(super) fn of(plan: &LogicalPlan, snapshot: Option<&Snapshot>) -> Result<Descriptions> {
        let origins = origins(plan);
        let mut known: Vec<(&Source, Known)> = Vec::new();
        let mut columns = Vec::with_capacity(origins.len());
        for origin in &origins {
            let Some(Origin { source, field, name }) = origin else {
                columns.push(None);
                continue;
            };
            if !known.iter().any(|(other, _)| std::ptr::eq(*other, *source)) {
                known.push((source, ask(source, snapshot)?));
            }
            let found = known.iter().find(|(other, _)| std::ptr::eq(*other, *source));
            columns.push(match found.map(|(_, known)| known) {
                Some(Known::Table(comments)) => comments.fields.get(field).cloned(),
                Some(Known::File(comments)) => comments.column(name).map(str::to_owned),
                None => None,
            });
        }
        // Rows of all one table are about what it is about.
        let table = match &known[..] {
            [(_, Known::Table(comments))] => comments.table.clone(),
            [(_, Known::File(comments))] => comments.table.clone(),
            _ => None,
        };
        Ok(Descriptions { table, columns })
    }

    /// Says the same of a new table with these columns.
    pub(super) fn set(
        &self,
        transaction: &Transaction,
        table: TableId,
        fields: &[FieldId],
    ) -> Result<()> {
        if self.table.is_some() {
            transaction.set_comment(table, CommentTarget::Table, self.table.as_deref())?;
        }
        for (field, comment) in fields.iter().zip(&self.columns) {
            if comment.is_some() {
                let target = CommentTarget::Field(*field);
                transaction.set_comment(table, target, comment.as_deref())?;
            }
        }
        Ok(())
    }
}

fn ask(source: &Source, snapshot: Option<&Snapshot>) -> Result<Known> {
    Ok(match source {
        Source::Table { name, .. } => {
            let table = snapshot.map_or(Ok(None), |snapshot| snapshot.table(name))?;
            Known::Table(table.map_or_else(|| Ok(Comments::default()), |table| table.comments())?)
        }
        Source::Parquet { paths, binary_as_string } => {
            let first = paths.get(..1).unwrap_or_default();
            Known::File(files::open_parquet(first, *binary_as_string)?.comments())
        }
        Source::Files(set) => Known::File(set.comments.clone()),
    })
}

/// Where a column comes from as it is.
#[derive(Clone)]
struct Origin<'p> {
    source: &'p Source,
    field: FieldId,
    name: &'p str,
}

/// For each column of the plan, where it comes from, if nothing was done to it.
fn origins(plan: &LogicalPlan) -> Vec<Option<Origin<'_>>> {
    match plan {
        LogicalPlan::Scan(scan) => {
            let columns = scan.columns.iter().take(scan.output_count).map(|column| {
                Some(Origin { source: &scan.source, field: column.field, name: &column.name })
            });
            columns.collect()
        }
        LogicalPlan::Project { input, exprs, .. } => {
            let below = origins(input);
            let of = |expr: &Expr| match expr {
                Expr::Column { index, .. } => below.get(*index).cloned().flatten(),
                _ => None,
            };
            exprs.iter().map(of).collect()
        }
        LogicalPlan::Filter { input, .. }
        | LogicalPlan::Sort { input, .. }
        | LogicalPlan::Limit { input, .. } => origins(input),
        LogicalPlan::Values { .. } | LogicalPlan::Aggregate { .. } | LogicalPlan::Window { .. } => {
            vec![None; plan.output().len()]
        }
    }
}
