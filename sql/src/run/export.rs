//! `COPY … TO`: a result into one file, or into a folder per value of some columns.

mod folders;
#[cfg(test)]
mod tests;
mod writer;

use std::path::Path;
use std::sync::Arc;

use arrow::datatypes::{FieldRef, Schema, SchemaRef};
use martlet_engine::catalog::files::FileComments;
use martlet_engine::storage::Snapshot;
use martlet_engine::types::{Error, Result};
use sqlparser::ast::Query;

use self::folders::write_folders;
use self::writer::Writer;
use super::Runner;
use super::descriptions::Descriptions;
use crate::bind::{ExportFormat, export_options, place, unknown_table};
use crate::catalog::SnapshotCatalog;
use crate::parse::{CopiedRows, NamedFiles};
use crate::result::{Outcome, QueryResult};

impl Runner<'_> {
    /// Writes a table or a query's rows.
    pub(super) fn copy_to(&self, rows: &CopiedRows, files: &NamedFiles) -> Result<Outcome> {
        let options = export_options(files)?;
        let path = files.paths.first().map_or("", String::as_str);
        let (result, descriptions) = self.copied_rows(rows)?;
        let schema = described(&result.schema(), descriptions);
        if schema.fields().is_empty() {
            let error = Error::invalid("there are no columns to write");
            return Err(place(error, Some(files.position)));
        }
        let written = if options.partition_by.is_empty() {
            one_file(result, &schema, Path::new(path), &options.format)
        } else {
            write_folders(result, &schema, Path::new(path), &options, &self.context)
        };
        let row_count = written.map_err(|error| place(error, Some(files.position)))?;
        Ok(Outcome::Done { row_count: Some(row_count) })
    }

    fn copied_rows(&self, rows: &CopiedRows) -> Result<(QueryResult, Descriptions)> {
        let snapshot = self.database().snapshot()?;
        let (name, columns) = match rows {
            CopiedRows::Query(query) => {
                let catalog = self.catalog(&snapshot);
                let descriptions = self.descriptions(&catalog, query, &snapshot)?;
                let plan = || Ok(self.optimized(self.bind_with(&catalog, query)?));
                let result = self.run_over_files(&catalog, &snapshot, plan)?;
                return Ok((result, descriptions));
            }
            CopiedRows::Table { name, columns } => (name, columns),
        };
        let is_file = self.connection.named_files().contains_key(&name.text);
        if !is_file && snapshot.table(&name.text)?.is_none() {
            return Err(unknown_table(&name.text, &snapshot.table_names(), name.position));
        }
        let quoted = |name: &str| format!("\"{}\"", name.replace('"', "\"\""));
        let list: Vec<String> = columns.iter().map(|column| quoted(&column.text)).collect();
        let list = if list.is_empty() { "*".to_owned() } else { list.join(", ") };
        let sql = format!("SELECT {list} FROM {}", quoted(&name.text));
        let script = crate::parse::parse(&sql)?;
        let Some(crate::parse::Statement::Query(query)) = script.statements.first() else {
            return Err(Error::internal("a table is no query"));
        };
        let runner = Runner::new(self.connection, &script.tokens, Vec::new(), self.context.clone());
        let catalog = self.catalog(&snapshot);
        let plan = || {
            let bound = runner.bind_with(&catalog, query);
            Ok(runner.optimized(bound.map_err(|error| at_column(error, columns))?))
        };
        let result = runner.run_over_files(&catalog, &snapshot, plan)?;
        Ok((result, runner.descriptions(&catalog, query, &snapshot)?))
    }

    /// What is said of the columns of a query.
    fn descriptions(
        &self,
        catalog: &SnapshotCatalog,
        query: &Query,
        snapshot: &Arc<Snapshot>,
    ) -> Result<Descriptions> {
        match self.bind_with(catalog, query) {
            Ok(plan) => Descriptions::of(&plan, Some(snapshot)),
            // Whoever runs it tells what is wrong.
            Err(_) => Ok(Descriptions::default()),
        }
    }
}

/// The schema with what is said of its columns.
fn described(schema: &SchemaRef, descriptions: Descriptions) -> SchemaRef {
    let Descriptions { table, columns } = descriptions;
    if table.is_none() && columns.iter().all(Option::is_none) {
        return Arc::clone(schema);
    }
    let mut comments = columns.into_iter();
    let fields = schema.fields().iter().map(|field| {
        let mut metadata = field.metadata().clone();
        metadata.extend(comments.next().flatten().map(|text| (FileComments::KEY.to_owned(), text)));
        Arc::new(field.as_ref().clone().with_metadata(metadata))
    });
    let fields: Vec<FieldRef> = fields.collect();
    let mut metadata = schema.metadata().clone();
    metadata.extend(table.map(|text| (FileComments::KEY.to_owned(), text)));
    Arc::new(Schema::new_with_metadata(fields, metadata))
}

/// An error of the query that we wrote, at the column that the user wrote.
fn at_column(error: Error, columns: &[crate::parse::Name]) -> Error {
    let named = columns.iter().find(|column| error.message().contains(&column.text));
    match named {
        Some(column) => error.at(column.position),
        None => error,
    }
}

/// Writes all rows to the file at `path`; gives how many.
fn one_file(
    result: QueryResult,
    schema: &SchemaRef,
    path: &Path,
    format: &ExportFormat,
) -> Result<u64> {
    let mut writer = Writer::new(path, schema, format)?;
    let mut row_count = 0;
    for batch in result {
        let batch = batch?;
        row_count += u64::try_from(batch.num_rows()).unwrap_or(u64::MAX);
        writer.write(&batch)?;
    }
    writer.finish()?;
    Ok(row_count)
}
