//! The columns that an expression may name: one relation, of which only what is named is read.

use std::sync::Arc;

use hashbrown::HashMap;
use martlet_engine::catalog::{Field, NameMatch, Table};
use martlet_engine::ingest::GivenTypes;
use martlet_engine::plan::{Expr, LogicalPlan, OutputColumn, Scan, ScanColumn, Source};
use martlet_engine::types::{DataType, Error, Result};

use super::{function_names, place};
use crate::suggest;

/// Where a scope's columns come from.
#[derive(Debug)]
pub(super) enum Relation {
    /// No FROM: one row without columns.
    Nothing,
    /// A table or file. Its scan starts empty and grows by the columns that are named.
    Table(TableRelation),
    /// A subquery; its columns are there already.
    Derived { plan: LogicalPlan, columns: Vec<OutputColumn> },
}

/// A table or file being read.
#[derive(Debug)]
pub(super) struct TableRelation {
    table: Arc<dyn Table>,
    source: Source,
    columns: Vec<ScanColumn>,
    /// Types that are given, by position in the schema: values are cast to them.
    types: HashMap<usize, DataType>,
    /// Those of `columns`.
    given: Vec<Option<DataType>>,
    /// Position in the schema → index in `columns`.
    by_position: HashMap<usize, usize>,
    /// What each name that was looked up already is.
    by_name: HashMap<String, usize>,
}

impl TableRelation {
    pub(super) fn new(table: Arc<dyn Table>, source: Source) -> TableRelation {
        TableRelation {
            table,
            source,
            columns: Vec::new(),
            types: HashMap::new(),
            given: Vec::new(),
            by_position: HashMap::new(),
            by_name: HashMap::new(),
        }
    }

    /// The same, with the values of some columns cast.
    pub(super) fn with_types(mut self, types: &GivenTypes) -> Result<TableRelation> {
        self.types = types.by_position.iter().copied().enumerate().collect();
        if types.by_position.len() > self.table.field_count() {
            let (given, columns) = (types.by_position.len(), self.table.field_count());
            return Err(Error::invalid(format!("{given} types for {columns} columns")));
        }
        for (name, data_type) in &types.by_name {
            match self.table.find(name) {
                NameMatch::Found(position) => self.types.insert(position, *data_type),
                NameMatch::Missing => {
                    return Err(Error::unknown_name(format!(
                        "there is no column \"{name}\" to give a type"
                    )));
                }
                NameMatch::Ambiguous(names) => return Err(ambiguous(name, names)),
            };
        }
        Ok(self)
    }

    /// The plan that gives the columns named.
    fn into_plan(self) -> LogicalPlan {
        let cast = |(index, (column, given)): (usize, (&ScanColumn, &Option<DataType>))| {
            let expr = Expr::column(index, column.data_type);
            match given {
                None => expr,
                Some(data_type) => expr.cast_to(*data_type),
            }
        };
        let is_cast = self.given.iter().any(Option::is_some);
        let exprs: Vec<Expr> = self.columns.iter().zip(&self.given).enumerate().map(cast).collect();
        let names = self.columns.iter().map(|column| column.name.clone()).collect();
        let scan = LogicalPlan::Scan(Scan {
            source: self.source,
            output_count: self.columns.len(),
            columns: self.columns,
            filter: Vec::new(),
        });
        if is_cast { LogicalPlan::Project { input: Box::new(scan), exprs, names } } else { scan }
    }

    fn add(&mut self, position: usize) -> Result<usize> {
        if let Some(index) = self.by_position.get(&position) {
            return Ok(*index);
        }
        let field = self.table.field(position);
        if field.data_type == DataType::Null {
            // A file's column that cannot be read: asking for its statistics says why.
            self.table.statistics(field.id)?;
            return Err(Error::unsupported(format!(
                "the column \"{}\" cannot be read",
                field.name
            )));
        }
        let index = self.columns.len();
        self.by_position.insert(position, index);
        self.given.push(self.types.get(&position).copied());
        let Field { id, name, data_type, nullable: _ } = field;
        self.columns.push(ScanColumn { field: id, name, data_type });
        Ok(index)
    }
}

/// A relation with the name it goes by and the filters on it.
#[derive(Debug)]
pub(super) struct Scope {
    relation: Relation,
    /// The alias, or else the table's name.
    name: Option<String>,
    filters: Vec<Expr>,
    /// Where each column was named, in order, for errors found later.
    references: Vec<(usize, usize)>,
}

/// A column found.
pub(super) struct Found {
    pub(super) index: usize,
    pub(super) data_type: DataType,
}

impl Scope {
    pub(super) fn new(relation: Relation, name: Option<String>) -> Scope {
        Scope { relation, name, filters: Vec::new(), references: Vec::new() }
    }

    /// The same relation under another name.
    pub(super) fn renamed(mut self, name: String) -> Scope {
        self.name = Some(name);
        self
    }

    /// The same relation without a name of its own.
    pub(super) fn anonymous(mut self) -> Scope {
        self.name = None;
        self
    }

    /// The same relation with its first columns renamed.
    pub(super) fn with_column_names(mut self, names: Vec<String>) -> Result<Scope> {
        let width = self.names().len();
        if names.len() > width {
            let count = names.len();
            return Err(Error::invalid(format!("{count} column names for {width} columns")));
        }
        let name = self.name.take();
        let order: Vec<Expr> =
            (0..width).map(|position| self.column_at(position)).collect::<Result<_>>()?;
        let old_names = self.names();
        let plan = LogicalPlan::Project {
            input: Box::new(self.into_plan()),
            exprs: order,
            names: names.iter().cloned().chain(old_names.into_iter().skip(names.len())).collect(),
        };
        let columns = plan.output();
        Ok(Scope::new(Relation::Derived { plan, columns }, name))
    }

    /// Keeps only the rows for which `predicate` is true.
    pub(super) fn filter(&mut self, predicate: Expr) {
        match predicate {
            Expr::And(terms) => self.filters.extend(terms),
            other => self.filters.push(other),
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        matches!(self.relation, Relation::Nothing)
    }

    /// Whether columns may be named with `qualifier.` before them.
    pub(super) fn answers_to(&self, qualifier: &str) -> bool {
        self.name.as_deref().is_some_and(|name| name.eq_ignore_ascii_case(qualifier))
    }

    /// The name it goes by.
    pub(super) fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    /// Finds a column by name: exactly, else by the only one that differs in case.
    pub(super) fn find(&mut self, name: &str, position: Option<usize>) -> Result<Option<Found>> {
        let index = match &mut self.relation {
            Relation::Nothing => None,
            Relation::Derived { columns, .. } => find_output(columns, name)?,
            Relation::Table(relation) => match relation.by_name.get(name) {
                Some(index) => Some(*index),
                None => match relation.table.find(name) {
                    NameMatch::Missing => None,
                    NameMatch::Ambiguous(names) => return Err(ambiguous(name, names)),
                    NameMatch::Found(position) => {
                        let index = relation.add(position)?;
                        relation.by_name.insert(name.to_owned(), index);
                        Some(index)
                    }
                },
            },
        };
        let Some(index) = index else { return Ok(None) };
        if let Some(position) = position {
            self.references.push((index, position));
        }
        Ok(Some(Found { index, data_type: self.data_type(index) }))
    }

    /// The column at `position` of [`Scope::names`]; from here on it is read.
    pub(super) fn column_at(&mut self, position: usize) -> Result<Expr> {
        let index = match &mut self.relation {
            Relation::Nothing | Relation::Derived { .. } => position,
            Relation::Table(relation) => relation.add(position)?,
        };
        Ok(Expr::column(index, self.data_type(index)))
    }

    /// The names of all columns, without reading them.
    pub(super) fn names(&self) -> Vec<String> {
        match &self.relation {
            Relation::Nothing => Vec::new(),
            Relation::Derived { columns, .. } => {
                columns.iter().map(|column| column.name.clone()).collect()
            }
            Relation::Table(relation) => (0..relation.table.field_count())
                .map(|position| relation.table.field(position).name)
                .collect(),
        }
    }

    /// The type of the column `index`.
    pub(super) fn data_type(&self, index: usize) -> DataType {
        match &self.relation {
            Relation::Nothing => DataType::Null,
            Relation::Derived { columns, .. } => columns[index].data_type,
            Relation::Table(relation) => {
                relation.given[index].unwrap_or(relation.columns[index].data_type)
            }
        }
    }

    /// The name of the column `index`.
    pub(super) fn column_name(&self, index: usize) -> &str {
        match &self.relation {
            Relation::Nothing => "",
            Relation::Derived { columns, .. } => &columns[index].name,
            Relation::Table(relation) => &relation.columns[index].name,
        }
    }

    /// Where the column `index` was named last.
    pub(super) fn last_reference(&self, index: usize) -> Option<usize> {
        let found = self.references.iter().rev().find(|(column, _)| *column == index);
        found.map(|(_, position)| *position)
    }

    /// There is no such column: an error with what may have been meant.
    pub(super) fn unknown_column(&self, name: &str, position: Option<usize>) -> Error {
        let message = format!("there is no column \"{name}\"");
        let error = if self.is_empty() {
            Error::unknown_name(format!("{message}: the query has no FROM"))
        } else {
            let names = self.names();
            let near = suggest::nearest_names(name, names.iter().map(String::as_str));
            let place = self.name.as_ref().map_or(String::new(), |name| format!(" in {name}"));
            let count = names.len();
            let error = Error::unknown_name(format!("{message}{place}, which has {count} columns"));
            let is_function = function_names().iter().any(|known| known.eq_ignore_ascii_case(name));
            match near.is_empty() {
                _ if is_function => error.with_hint(format!(
                    "{name} is a function, {name}(…); a text stands in single quotes"
                )),
                true => error,
                false => error.with_suggestions(near),
            }
        };
        place(error, position)
    }

    /// The plan that gives the rows.
    pub(super) fn into_plan(self) -> LogicalPlan {
        let plan = match self.relation {
            Relation::Nothing => {
                LogicalPlan::Values { columns: Vec::new(), rows: vec![Vec::new()] }
            }
            Relation::Derived { plan, .. } => plan,
            Relation::Table(relation) => relation.into_plan(),
        };
        let mut filters = self.filters;
        match filters.len() {
            0 => plan,
            1 => LogicalPlan::Filter { input: Box::new(plan), predicate: filters.remove(0) },
            _ => LogicalPlan::Filter { input: Box::new(plan), predicate: Expr::And(filters) },
        }
    }
}

fn find_output(columns: &[OutputColumn], name: &str) -> Result<Option<usize>> {
    let matching = |same: &dyn Fn(&str) -> bool| -> Vec<usize> {
        (0..columns.len()).filter(|index| same(&columns[*index].name)).collect()
    };
    let exact = matching(&|other| other == name);
    let lowered = name.to_lowercase();
    let found =
        if exact.is_empty() { matching(&|other| other.to_lowercase() == lowered) } else { exact };
    match found[..] {
        [] => Ok(None),
        [index] => Ok(Some(index)),
        _ => Err(ambiguous(name, found.iter().map(|at| columns[*at].name.clone()).collect())),
    }
}

fn ambiguous(name: &str, mut names: Vec<String>) -> Error {
    names.dedup();
    Error::unknown_name(format!("the column name \"{name}\" is ambiguous"))
        .with_suggestions(names.iter().map(|name| format!("\"{name}\"")).collect())
}

/// There is no such table.
pub(crate) fn unknown_table(name: &str, names: &[String], position: usize) -> Error {
    let mut near = suggest::nearest_names(name, names.iter().map(String::as_str));
    let error = Error::unknown_name(format!("there is no table \"{name}\"")).at(position);
    if name.contains('.') || name.contains('/') {
        return error.with_hint(format!("a file is named in quotes: FROM '{name}'"));
    }
    if near.is_empty() {
        near = names.iter().take(3).cloned().collect();
    }
    if near.is_empty() {
        return error.with_hint("the database has no tables: CREATE TABLE t FROM 'file.parquet'");
    }
    error.with_suggestions(near)
}
