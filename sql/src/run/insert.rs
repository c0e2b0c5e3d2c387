//! `INSERT INTO`.

use std::sync::Arc;

use martlet_engine::catalog::{Field, NameMatch, NewField, Table};
use martlet_engine::ingest::{Appender, ColumnSource, LoadOptions, load};
use martlet_engine::plan::{Expr, LogicalPlan, assignment_cast};
use martlet_engine::storage::{TableSnapshot, Transaction};
use martlet_engine::types::{DataType, Error, Result, Value};
use sqlparser::ast::Query;

use super::Runner;
use super::load::ByName;
use crate::bind::{place, unknown_table};
use crate::files;
use crate::parse::{Insert, InsertSource, Name};
use crate::result::Outcome;
use crate::suggest;

impl Runner<'_> {
    /// Appends the rows of a source to a table.
    pub(super) fn insert(&self, insert: &Insert) -> Result<Outcome> {
        let Insert { table: name, columns, source } = insert;
        let transaction = self.database().begin()?;
        let snapshot = transaction.snapshot();
        let table = snapshot
            .table(&name.text)
            .map_err(|error| place(error, Some(name.position)))?
            .ok_or_else(|| unknown_table(&name.text, &snapshot.table_names(), name.position))?;
        let targets = target_positions(&table, columns)?;
        let row_count = match source {
            InsertSource::Query(query) => {
                self.insert_query(&transaction, &table, &targets, query, name)?
            }
            InsertSource::Files { paths, position } => self
                .insert_files(&transaction, &table, &targets, paths)
                .map_err(|error| place(error, Some(*position)))?,
        };
        drop(table);
        self.database().commit(transaction)?;
        Ok(Outcome::Done { row_count: Some(row_count) })
    }

    fn insert_query(
        &self,
        transaction: &Transaction,
        table: &Arc<TableSnapshot>,
        targets: &[usize],
        query: &Query,
        name: &Name,
    ) -> Result<u64> {
        let plan = self.bind(query, transaction.snapshot())?;
        let (wanted, found) = (targets.len(), plan.output().len());
        if wanted != found {
            let message = format!("INSERT has {wanted} columns, but its rows have {found} values");
            let hint = format!("name the columns: INSERT INTO {} (…) …", name.text);
            return Err(Error::invalid(message).with_hint(hint).at(name.position));
        }
        let fields: Vec<Field> = targets.iter().map(|target| table.field(*target)).collect();
        let plan = assigned(plan, &fields).map_err(|error| place(error, Some(name.position)))?;
        let plan = spread(plan, table, targets);
        let plan = self.optimized(plan);
        let mut appender =
            Appender::for_table(&**table, LoadOptions::default(), self.context.clone());
        for batch in self.execute_for_load(&plan, transaction.snapshot())? {
            appender.append(&batch?)?;
        }
        let report = appender.load(transaction, table.id())?;
        Ok(report.row_count)
    }

    /// Columns are matched by name: what the file lacks is NULL, what the table lacks is an error.
    fn insert_files(
        &self,
        transaction: &Transaction,
        table: &Arc<TableSnapshot>,
        targets: &[usize],
        paths: &[String],
    ) -> Result<u64> {
        let files = files::open_all(paths, false)?;
        let fields: Vec<NewField> =
            (0..table.field_count()).map(|position| new_field(table.field(position))).collect();
        let source = ByName::new(files, fields, targets)?;
        let options = LoadOptions::default();
        let source: &dyn ColumnSource = &source;
        Ok(load(transaction, table.id(), source, &options, &self.context)?.row_count)
    }
}

fn new_field(field: Field) -> NewField {
    let Field { id: _, name, data_type, nullable } = field;
    NewField { name, data_type, nullable }
}

/// The positions in the table of the columns that an INSERT names; all when it names none.
fn target_positions(table: &TableSnapshot, columns: &[Name]) -> Result<Vec<usize>> {
    if columns.is_empty() {
        return Ok((0..table.field_count()).collect());
    }
    let mut targets = Vec::with_capacity(columns.len());
    for name in columns {
        let position = column_position(table, name)?;
        if targets.contains(&position) {
            let message = format!("the column \"{}\" is named twice", name.text);
            return Err(Error::invalid(message).at(name.position));
        }
        targets.push(position);
    }
    Ok(targets)
}

/// The position of the column that `name` names.
pub(super) fn column_position(table: &TableSnapshot, name: &Name) -> Result<usize> {
    let unknown = |message: String| Error::unknown_name(message).at(name.position);
    match table.find(&name.text) {
        NameMatch::Found(position) => Ok(position),
        NameMatch::Ambiguous(names) => {
            let message = format!("the column name \"{}\" is ambiguous", name.text);
            Err(unknown(message).with_suggestions(names))
        }
        NameMatch::Missing => {
            let names: Vec<String> =
                (0..table.field_count()).map(|position| table.field(position).name).collect();
            let near = suggest::nearest(&name.text, names.iter().map(String::as_str));
            let message = format!("there is no column \"{}\" in {}", name.text, table.name());
            Err(unknown(message).with_suggestions(near))
        }
    }
}

/// The plan with its columns cast to the types of `fields`; literals are read as those types.
fn assigned(plan: LogicalPlan, fields: &[Field]) -> Result<LogicalPlan> {
    let cast = |expr: Expr, field: &Field| {
        assign(expr, field.data_type)
            .map_err(|error| error.context(format!("column \"{}\"", field.name)))
    };
    match plan {
        LogicalPlan::Values { mut columns, rows } => {
            let rows = rows
                .into_iter()
                .map(|row| row.into_iter().zip(fields).map(|(e, field)| cast(e, field)).collect())
                .collect::<Result<_>>()?;
            for (column, field) in columns.iter_mut().zip(fields) {
                column.data_type = field.data_type;
            }
            Ok(LogicalPlan::Values { columns, rows })
        }
        LogicalPlan::Project { input, exprs, names } => {
            let exprs = exprs.into_iter().zip(fields).map(|(expr, field)| cast(expr, field));
            Ok(LogicalPlan::Project { input, exprs: exprs.collect::<Result<_>>()?, names })
        }
        other => {
            let columns = other.output();
            let exprs = columns
                .iter()
                .zip(fields)
                .enumerate()
                .map(|(index, (column, field))| cast(Expr::column(index, column.data_type), field))
                .collect::<Result<_>>()?;
            let names = columns.into_iter().map(|column| column.name).collect();
            Ok(LogicalPlan::Project { input: Box::new(other), exprs, names })
        }
    }
}

fn assign(expr: Expr, to: DataType) -> Result<Expr> {
    match expr {
        Expr::Literal { value: Value::Null, .. } => Ok(Expr::literal(Value::Null, to)),
        other => assignment_cast(other, to),
    }
}

/// The plan's columns at their places in the table, NULL elsewhere.
fn spread(plan: LogicalPlan, table: &TableSnapshot, targets: &[usize]) -> LogicalPlan {
    let width = table.field_count();
    if targets.iter().copied().eq(0..width) {
        return plan;
    }
    let mut exprs = Vec::with_capacity(width);
    let mut names = Vec::with_capacity(width);
    for position in 0..width {
        let field = table.field(position);
        let given = targets.iter().position(|target| *target == position);
        exprs.push(match given {
            Some(index) => Expr::column(index, field.data_type),
            None => Expr::literal(Value::Null, field.data_type),
        });
        names.push(field.name);
    }
    LogicalPlan::Project { input: Box::new(plan), exprs, names }
}
