//! The binder: names become columns, types are checked, clauses become plan operators.
//!
//! sqlparser's trees are destructured without `..` wherever a clause could hide: every clause is
//! planned or refused by name. Costs grow with the columns that are named, not with those that exist.
//! Must not know storage: tables reach it through [`Catalog`].

mod aggregate;
mod data_type;
mod export_format;
mod expression;
mod file_format;
mod file_function;
mod from;
mod function_names;
mod functions;
mod group;
mod interval;
mod literal;
mod operator;
mod option_value;
mod order;
mod parameters;
mod predicate;
mod quantile;
mod refuse;
mod row_value;
mod scope;
mod select;
mod select_list;
mod special;
mod values;
mod window;

pub(crate) use self::data_type::bind_data_type;
use self::data_type::text_length;
pub(crate) use self::export_format::{ExportFormat, ExportOptions, export_options};
pub(crate) use self::file_format::{FileFormat, SheetFormat, file_names};
pub(crate) use self::function_names::names as function_names;
pub(crate) use self::parameters::Parameters;
pub(crate) use self::refuse::position_of;
pub(crate) use self::scope::unknown_table;

use std::sync::Arc;

use martlet_engine::catalog::Table;
use martlet_engine::plan::{LogicalPlan, Source};
use martlet_engine::types::{Error, Result};
use sqlparser::ast::Query;
use sqlparser::tokenizer::TokenWithSpan;

use self::from::CommonTable;

/// Files as a statement names them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct FileNames {
    /// Paths and patterns; at least one.
    pub(crate) patterns: Vec<String>,
    /// How they are read.
    pub(crate) format: FileFormat,
}

/// Files as a table.
#[derive(Debug)]
pub(crate) struct Files {
    /// What a plan says of them, globs resolved.
    pub(crate) source: Source,
    /// Their columns; a field's id is its position.
    pub(crate) table: Arc<dyn Table>,
}

/// What a statement may name.
pub(crate) trait Catalog {
    /// A table by name; `Err` when the name is ambiguous.
    fn table(&self, name: &str) -> Result<Option<Arc<dyn Table>>>;

    /// All tables, for suggestions.
    fn table_names(&self) -> Vec<String>;

    /// The file that goes by a name.
    fn named_file(&self, _name: &str) -> Option<FileNames> {
        None
    }

    /// The files that a query names.
    fn files(&self, names: &FileNames) -> Result<Files>;
}

/// Binds the queries of one statement.
pub(crate) struct Binder<'a> {
    catalog: &'a dyn Catalog,
    tokens: &'a [TokenWithSpan],
    parameters: &'a mut Parameters,
    /// Common table expressions in scope, innermost last.
    common_tables: Vec<CommonTable<'a>>,
    /// What `now()` says, in microseconds since 1970.
    now_us: i64,
    /// How deep the expression being bound is.
    depth: usize,
}

impl<'a> Binder<'a> {
    /// A binder for a statement with these tokens.
    pub(crate) fn new(
        catalog: &'a dyn Catalog,
        tokens: &'a [TokenWithSpan],
        parameters: &'a mut Parameters,
        now_us: i64,
    ) -> Binder<'a> {
        Binder { catalog, tokens, parameters, common_tables: Vec::new(), now_us, depth: 0 }
    }

    /// Binds a whole query.
    pub(crate) fn bind(mut self, query: &'a Query) -> Result<LogicalPlan> {
        let mut plan = self.bind_query(query)?;
        self.parameters.settle(&mut plan);
        Ok(plan)
    }
}

/// `error` at `position` unless it knows better.
pub(crate) fn place(error: Error, position: Option<usize>) -> Error {
    match (error.position(), position) {
        (None, Some(position)) => error.at(position),
        _ => error,
    }
}

#[cfg(test)]
mod tests;
