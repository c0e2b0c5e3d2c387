//! `INSERT INTO`.

use std::sync::Arc;

use martlet_engine::catalog::files::{DateOrder, FileSet, ForeignFile, Layout, Origin, ReadAs};
use martlet_engine::catalog::{Field, NameMatch, NewField, Table};
use martlet_engine::context::Context;
use martlet_engine::ingest::rows::settle;
use martlet_engine::ingest::{Appender, ColumnSource, LoadOptions, load};
use martlet_engine::plan::{Expr, LogicalPlan, assignment_cast};
use martlet_engine::storage::{TableSnapshot, Transaction};
use martlet_engine::types::{DataType, Error, Result, Value};
use sqlparser::ast::{Query, SelectItem, SetExpr};

use super::Runner;
use super::load::{ByName, find, whole_scan};
use crate::bind::{file_names, place, position_of, unknown_table};
use crate::files::OpenFiles;
use crate::parse::{Insert, InsertSource, Name, NamedFiles};
use crate::result::Outcome;
use crate::suggest;

impl Runner<'_> {
    /// Appends the rows of a source to a table.
    pub(super) fn insert(&self, insert: &Insert) -> Result<Outcome> {
        let Insert { table: name, columns, source } = insert;
        self.append(name, columns, |transaction, table, targets| match source {
            InsertSource::Query(query) => {
                self.insert_query(transaction, table, targets, query, name)
            }
            InsertSource::Files(named) => self
                .insert_files(transaction, table, targets, (named, Matching::ByName))
                .map_err(|error| place(error, Some(named.position))),
        })
    }

    /// Appends what `insert` puts into a transaction, all or nothing. It is given the table and the
    /// positions of the columns named, and gives the number of rows.
    pub(super) fn append(
        &self,
        name: &Name,
        columns: &[Name],
        insert: impl FnOnce(&Transaction, &Arc<TableSnapshot>, &[usize]) -> Result<u64>,
    ) -> Result<Outcome> {
        let transaction = self.database().begin()?;
        let snapshot = transaction.snapshot();
        let table = snapshot
            .table(&name.text)
            .map_err(|error| place(error, Some(name.position)))?
            .ok_or_else(|| unknown_table(&name.text, &snapshot.table_names(), name.position))?;
        let targets = target_positions(&table, columns)?;
        let row_count = insert(&transaction, &table, &targets)?;
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
        let catalog = self.catalog_for_load(transaction, table.name());
        let fields: Vec<Field> = targets.iter().map(|target| table.field(*target)).collect();
        let plan = || {
            let plan = self.bind_with(&catalog, query)?;
            let (wanted, found) = (targets.len(), plan.output().len());
            if wanted != found {
                let message =
                    format!("INSERT has {wanted} columns, but its rows have {found} values");
                let hint = format!("name the columns: INSERT INTO {} (…) …", name.text);
                return Err(Error::invalid(message).with_hint(hint).at(name.position));
            }
            let plan = assigned(plan, &fields, &|row, column| value_position(query, row, column))
                .map_err(|error| place(error, Some(name.position)))?;
            Ok(spread(plan, table, targets))
        };
        let make = |_: &[NewField], context: Context| {
            Ok(Appender::for_table(&**table, LoadOptions::default(), context))
        };
        let (_, appender) = self.collect_rows(&catalog, transaction.snapshot(), plan, make)?;
        let report = appender.load(transaction, table.id())?;
        self.load_rejects(transaction, &catalog)?;
        Ok(report.row_count)
    }

    /// Columns are matched by name: what the file lacks is NULL, what the table lacks is an error.
    pub(super) fn insert_files(
        &self,
        transaction: &Transaction,
        table: &Arc<TableSnapshot>,
        targets: &[usize],
        (named, matching): (&NamedFiles, Matching),
    ) -> Result<u64> {
        let fields: Vec<NewField> =
            (0..table.field_count()).map(|position| new_field(table.field(position))).collect();
        let catalog = self.catalog_for_load(transaction, table.name());
        let open = catalog.open(&file_names(named)?)?;
        let files = match &open {
            OpenFiles::Parquet { files, .. } => files.clone(),
            OpenFiles::Rows(set) => {
                // What Parquet calls a column is its name, however the files are read.
                let is_parquet = |file: &ForeignFile| matches!(file.layout, Layout::Parquet { .. });
                let named = set.files.iter().any(is_parquet);
                let matching = if named { Matching::ByName } else { matching };
                let targets = match_columns(set, &fields, targets, matching)?;
                let set = self.read_as_table(set, &fields, &targets)?;
                let plan = whole_scan(&OpenFiles::Rows(Arc::new(set)))?;
                let row_count = self.load_cast(transaction, table, plan, &targets)?;
                self.load_rejects(transaction, &catalog)?;
                return Ok(row_count);
            }
        };
        let source = ByName::new(files, fields, targets)?;
        // Whole columns are loaded where no value has to be cast.
        if let Some(targets) = source.cast_targets() {
            return self.load_cast(transaction, table, whole_scan(&open)?, &targets);
        }
        let options = LoadOptions::default();
        let source: &dyn ColumnSource = &source;
        Ok(load(transaction, table.id(), source, &options, &self.context)?.row_count)
    }

    /// The files with values read as the table's types, where these can be given.
    fn read_as_table(
        &self,
        set: &Arc<FileSet>,
        fields: &[NewField],
        targets: &[usize],
    ) -> Result<FileSet> {
        let keeps: Vec<usize> = (0..set.columns.len())
            .filter(|column| keeps_reading(&set.columns[*column].origin, &fields[targets[*column]]))
            .collect();
        let mut set = if keeps.is_empty() || !set.is_sampled {
            FileSet::clone(set)
        } else {
            settle(set, &keeps, &self.context)?
        };
        for (index, column) in set.columns.iter_mut().enumerate() {
            if let Origin::Cells(reading) = &mut column.origin
                && !keeps.contains(&index)
            {
                let target = fields[targets[index]].data_type;
                *reading = match target {
                    DataType::Utf8 => ReadAs::Text,
                    target => ReadAs::Cast(target),
                };
                column.data_type = target;
            }
        }
        set.is_sampled = false;
        Ok(set)
    }

    /// Loads the rows of a plan whose columns go to the fields at `targets`.
    fn load_cast(
        &self,
        transaction: &Transaction,
        table: &Arc<TableSnapshot>,
        plan: LogicalPlan,
        targets: &[usize],
    ) -> Result<u64> {
        let wanted: Vec<Field> = targets.iter().map(|target| table.field(*target)).collect();
        let plan = spread(assigned(plan, &wanted, &|_, _| None)?, table, targets);
        let plan = self.optimized(plan);
        let mut appender =
            Appender::for_table(&**table, LoadOptions::default(), self.context.clone());
        for batch in self.execute_for_load(&plan, transaction.snapshot())? {
            appender.append(&batch?)?;
        }
        Ok(appender.load(transaction, table.id())?.row_count)
    }
}

/// How columns of files find those of a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Matching {
    /// By name.
    ByName,
    /// By name if the table has all of them, otherwise by position, as PostgreSQL's COPY does.
    ByNameOrPosition,
}

/// For each column of the files, the table's that it goes to.
fn match_columns(
    set: &FileSet,
    fields: &[NewField],
    targets: &[usize],
    matching: Matching,
) -> Result<Vec<usize>> {
    let found: Vec<Option<usize>> =
        set.columns.iter().map(|column| find(fields, targets, &column.name)).collect();
    let all: Option<Vec<usize>> = found.iter().copied().collect();
    if let Some(all) = all {
        let mut sorted = all.clone();
        sorted.sort_unstable();
        sorted.dedup();
        if sorted.len() == all.len() {
            return Ok(all);
        }
    }
    let path = set.files.first().map_or("", |file| file.path.as_str());
    if matching == Matching::ByNameOrPosition {
        if set.columns.len() == targets.len() {
            return Ok(targets.to_vec());
        }
        return Err(Error::invalid(format!(
            "{path} has {} columns, the table has {} to fill",
            set.columns.len(),
            targets.len()
        ))
        .with_hint("name the columns that the file has: COPY t (a, b) FROM …"));
    }
    let stranger = found.iter().position(Option::is_none).unwrap_or(0);
    let name = &set.columns[stranger].name;
    Err(Error::invalid(format!(
        "{path} has a column \"{name}\" that is not in the table, or twice"
    ))
    .with_hint("name the columns: INSERT INTO t SELECT a, b FROM 'file'"))
}

/// Whether values are read as the sniffer found them, and then cast: dates that are not in ISO order
/// and numbers with commas, which a cast from text does not read, or as what the column is anyway.
fn keeps_reading(origin: &Origin, field: &NewField) -> bool {
    let Origin::Cells(reading) = origin else { return false };
    let is_day = matches!(field.data_type, DataType::Date | DataType::Timestamp { .. });
    match reading {
        ReadAs::Date(order) | ReadAs::Timestamp(order) => *order != DateOrder::Ymd && is_day,
        ReadAs::FloatComma => field.data_type.is_numeric(),
        reading => reading.is_given(),
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

/// Where the value of a row and a column stands in the text of what is inserted.
fn value_position(query: &Query, row: usize, column: usize) -> Option<usize> {
    let expr = match &*query.body {
        SetExpr::Values(values) => values.rows.get(row)?.content.get(column)?,
        SetExpr::Select(select) => match select.projection.get(column)? {
            SelectItem::UnnamedExpr(expr) | SelectItem::ExprWithAlias { expr, .. } => expr,
            _ => return None,
        },
        _ => return None,
    };
    position_of(expr)
}

/// The plan with its columns cast to the types of `fields`; literals are read as those types.
/// `position` tells where the value of a row and a column stands.
fn assigned(
    plan: LogicalPlan,
    fields: &[Field],
    position: &dyn Fn(usize, usize) -> Option<usize>,
) -> Result<LogicalPlan> {
    let cast_at = |(row, column): (usize, usize), expr: Expr, field: &Field| {
        assign(expr, field.data_type).map_err(|error| {
            let error = error.context(format!("column \"{}\"", field.name));
            place(error, position(row, column))
        })
    };
    let cast = |column: usize, expr: Expr, field: &Field| cast_at((0, column), expr, field);
    match plan {
        LogicalPlan::Values { mut columns, rows } => {
            let rows = rows
                .into_iter()
                .enumerate()
                .map(|(row, exprs)| {
                    let cells = exprs.into_iter().zip(fields).enumerate();
                    cells.map(|(column, (e, field))| cast_at((row, column), e, field)).collect()
                })
                .collect::<Result<_>>()?;
            for (column, field) in columns.iter_mut().zip(fields) {
                column.data_type = field.data_type;
            }
            Ok(LogicalPlan::Values { columns, rows })
        }
        LogicalPlan::Project { input, exprs, names } => {
            let cells = exprs.into_iter().zip(fields).enumerate();
            let exprs = cells.map(|(column, (expr, field))| cast(column, expr, field));
            Ok(LogicalPlan::Project { input, exprs: exprs.collect::<Result<_>>()?, names })
        }
        other => {
            let columns = other.output();
            let exprs = columns
                .iter()
                .zip(fields)
                .enumerate()
                .map(|(index, (column, field))| {
                    cast(index, Expr::column(index, column.data_type), field)
                })
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
