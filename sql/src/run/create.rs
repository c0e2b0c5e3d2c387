//! `CREATE TABLE` and `DROP TABLE`.

use martlet_engine::catalog::{FieldId, NewField, TableId};
use martlet_engine::ingest::parquet::ParquetImport;
use martlet_engine::ingest::{Appender, ColumnSource, LoadOptions, OrderKey, load};
use martlet_engine::plan::{Expr, LogicalPlan};
use martlet_engine::storage::Transaction;
use martlet_engine::types::{DataType, Error, Result};
use sqlparser::ast::{self, OrderByExpr, OrderByOptions, OrderBySort};

use super::Runner;
use super::descriptions::Descriptions;
use super::load::{FileColumns, fields_of, whole_scan};
use crate::bind::{bind_data_type, file_names, place, unknown_table};
use crate::catalog::SnapshotCatalog;
use crate::files::OpenFiles;
use crate::parse::position::start_of;
use crate::parse::{ColumnDefinition, CreateTable, InsertSource, Name, NamedFiles};
use crate::result::Outcome;
use crate::suggest;

impl Runner<'_> {
    /// Creates a table, empty or with the rows of a source.
    pub(super) fn create_table(&self, create: &CreateTable) -> Result<Outcome> {
        let CreateTable { name, or_replace, if_not_exists, columns, order_by, source } = create;
        let transaction = self.database().begin()?;
        let existing = transaction.snapshot().table(&name.text);
        let existing = existing.map_err(|error| place(error, Some(name.position)))?;
        let replaces = match existing {
            Some(_) if *if_not_exists => return Ok(Outcome::Done { row_count: None }),
            Some(table) if *or_replace => {
                Some(martlet_engine::catalog::Table::name(&*table).to_owned())
            }
            Some(_) => {
                let message = format!("the table \"{}\" exists already", name.text);
                return Err(Error::already_exists(message)
                    .with_hint("write CREATE OR REPLACE TABLE, or CREATE TABLE IF NOT EXISTS")
                    .at(name.position));
            }
            None => None,
        };
        let new = NewTable { name, replaces: replaces.as_deref(), order_by };
        let row_count = match source {
            None => {
                new.create(&transaction, &defined_fields(columns)?)?;
                None
            }
            Some(InsertSource::Files(named)) => {
                let rows = self.create_from_files(&transaction, &new, named);
                Some(rows.map_err(|error| place(error, Some(named.position)))?)
            }
            Some(InsertSource::Query(query)) => {
                let catalog = self.catalog_for_load(&transaction, &name.text);
                let plan = || Ok(without_untyped(self.bind_with(&catalog, query)?));
                Some(match FileColumns::of(&plan()?) {
                    Some(columns) => {
                        let descriptions = Descriptions::of(&plan()?, None)?;
                        let source = columns.import()?;
                        self.load_columns(&transaction, &new, &source, &descriptions)?
                    }
                    None => self.create_from_plan(&transaction, &new, &catalog, plan)?,
                })
            }
        };
        self.database().commit(transaction)?;
        Ok(Outcome::Done { row_count })
    }

    /// All columns of the files: one by one, without rows in between, if they are read by column.
    fn create_from_files(
        &self,
        transaction: &Transaction,
        new: &NewTable<'_>,
        named: &NamedFiles,
    ) -> Result<u64> {
        let names = file_names(named)?;
        let catalog = self.catalog_for_load(transaction, &new.name.text);
        match catalog.open(&names)? {
            OpenFiles::Parquet { files, .. } => {
                let comments = files.comments();
                let comment =
                    |field: &NewField| comments.column(&field.name).map(ToOwned::to_owned);
                let columns = files.fields().iter().map(comment).collect();
                let descriptions = Descriptions { table: comments.table.clone(), columns };
                self.load_columns(transaction, new, &files.import()?, &descriptions)
            }
            OpenFiles::Rows(_) => {
                let plan = || whole_scan(&catalog.open(&names)?);
                self.create_from_plan(transaction, new, &catalog, plan)
            }
        }
    }

    fn load_columns(
        &self,
        transaction: &Transaction,
        new: &NewTable<'_>,
        source: &ParquetImport,
        descriptions: &Descriptions,
    ) -> Result<u64> {
        let options = new.load_options(source.fields())?;
        let table = new.create(transaction, source.fields())?;
        describe(transaction, table, descriptions)?;
        Ok(load(transaction, table, source, &options, &self.context)?.row_count)
    }

    fn create_from_plan(
        &self,
        transaction: &Transaction,
        new: &NewTable<'_>,
        catalog: &SnapshotCatalog,
        plan: impl Fn() -> Result<LogicalPlan>,
    ) -> Result<u64> {
        // What cannot be created is refused before all rows are read.
        let first = plan()?;
        let descriptions = Descriptions::of(&first, None)?;
        new.load_options(&fields_of(&first))?;
        drop(first);
        let (fields, appender) =
            self.collect_rows(catalog, transaction.snapshot(), plan, |fields, context| {
                Ok(Appender::new(fields.to_vec(), new.load_options(fields)?, context))
            })?;
        let table = new.create(transaction, &fields)?;
        describe(transaction, table, &descriptions)?;
        let report = appender.load(transaction, table)?;
        self.load_rejects(transaction, catalog)?;
        Ok(report.row_count)
    }

    /// Drops a table.
    pub(super) fn drop_table(&self, name: &Name, if_exists: bool) -> Result<Outcome> {
        let transaction = self.database().begin()?;
        let snapshot = transaction.snapshot();
        let found = snapshot.table(&name.text);
        if found.map_err(|error| place(error, Some(name.position)))?.is_none() {
            if if_exists {
                return Ok(Outcome::Done { row_count: None });
            }
            return Err(unknown_table(&name.text, &snapshot.table_names(), name.position));
        }
        transaction.drop_table(&name.text)?;
        self.database().commit(transaction)?;
        Ok(Outcome::Done { row_count: None })
    }
}

/// Says of a new table what its source says of itself.
fn describe(transaction: &Transaction, table: TableId, said: &Descriptions) -> Result<()> {
    let fields: Vec<FieldId> =
        transaction.writer(table)?.fields().iter().map(|field| field.id).collect();
    said.set(transaction, table, &fields)
}

/// A table about to be created.
struct NewTable<'n> {
    name: &'n Name,
    /// The table that makes room for it.
    replaces: Option<&'n str>,
    order_by: &'n [OrderByExpr],
}

impl NewTable<'_> {
    fn create(&self, transaction: &Transaction, fields: &[NewField]) -> Result<TableId> {
        if let Some(old) = self.replaces {
            transaction.drop_table(old)?;
        }
        transaction
            .create_table(&self.name.text, fields, &[])
            .map_err(|error| place(error, Some(self.name.position)))
    }

    fn load_options(&self, fields: &[NewField]) -> Result<LoadOptions> {
        let order_by =
            self.order_by.iter().map(|key| order_key(key, fields)).collect::<Result<Vec<_>>>()?;
        Ok(LoadOptions { order_by, ..LoadOptions::default() })
    }
}

fn order_key(key: &OrderByExpr, fields: &[NewField]) -> Result<OrderKey> {
    let OrderByExpr { expr, options, with_fill } = key;
    let OrderByOptions { sort, nulls_first } = options;
    let refused = || {
        Error::unsupported("the ORDER BY of a table takes names of its columns")
            .with_hint("compute the expression in the SELECT and order by its alias")
    };
    let ast::Expr::Identifier(ident) = expr else { return Err(refused()) };
    let position = start_of(ident.span);
    let descending = match sort {
        None | Some(OrderBySort::Asc) => false,
        Some(OrderBySort::Desc) => true,
        Some(OrderBySort::Using(_)) => return Err(place(refused(), position)),
    };
    if with_fill.is_some() {
        return Err(place(refused(), position));
    }
    let name = &ident.value;
    let exact = fields.iter().position(|field| field.name == *name);
    let column = exact.or_else(|| {
        fields.iter().position(|field| field.name.to_lowercase() == name.to_lowercase())
    });
    let column = column.ok_or_else(|| {
        let names = fields.iter().map(|field| field.name.as_str());
        let error = Error::unknown_name(format!("there is no column \"{name}\" to order by"))
            .with_suggestions(suggest::nearest(name, names));
        place(error, position)
    })?;
    Ok(OrderKey { column, descending, nulls_first: nulls_first.unwrap_or(descending) })
}

fn defined_fields(columns: &[ColumnDefinition]) -> Result<Vec<NewField>> {
    columns
        .iter()
        .map(|ColumnDefinition { name, data_type, type_position, nullable }| {
            let bound = bind_data_type(data_type, Some(*type_position))?;
            if bound == DataType::Interval {
                return Err(Error::unsupported("a column of type interval is not supported")
                    .at(*type_position));
            }
            Ok(NewField { name: name.text.clone(), data_type: bound, nullable: *nullable })
        })
        .collect()
}

/// Columns of bare NULLs become text: no stored column is without a type.
pub(super) fn without_untyped(plan: LogicalPlan) -> LogicalPlan {
    let columns = plan.output();
    if columns.iter().all(|column| column.data_type != DataType::Null) {
        return plan;
    }
    let exprs = columns.iter().enumerate().map(|(index, column)| {
        let expr = Expr::column(index, column.data_type);
        if column.data_type == DataType::Null { expr.cast_to(DataType::Utf8) } else { expr }
    });
    let exprs = exprs.collect();
    let names = columns.iter().map(|column| column.name.clone()).collect();
    LogicalPlan::Project { input: Box::new(plan), exprs, names }
}
