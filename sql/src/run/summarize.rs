//! `SUMMARIZE`: a row of statistics for each column of a table, a file or a query.
//!
//! The statistics are asked for in SQL, some columns at a time, so that memory does not grow with the
//! width of the table. What would then be run or read several times, a wide query or text file, is
//! first written to a table of a database among the temporary files.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use hashbrown::HashSet;
use martlet_engine::catalog::{NewField, Table};
use martlet_engine::context::Context;
use martlet_engine::ingest::{Appender, LoadOptions};
use martlet_engine::types::{DataType, Error, Result, Value};

use super::Runner;
use super::create::without_untyped;
use crate::bind::{FileNames, place, unknown_table};
use crate::connection::Connection;
use crate::database::Database;
use crate::files::OpenFiles;
use crate::options::Options;
use crate::parse::{self, DescribeTarget, Statement};
use crate::result::Outcome;

/// Columns that are asked about at once.
const COLUMNS_AT_ONCE: usize = 16;

/// The table of rows that would be read several times.
const SCRATCH_TABLE: &str = "summarized";

/// What is asked of each column: the name in the result, its type there.
const STATISTICS: [(&str, DataType); 9] = [
    ("null_count", DataType::Int64),
    ("distinct_count", DataType::Int64),
    ("min", DataType::Utf8),
    ("max", DataType::Utf8),
    ("avg", DataType::Float64),
    ("std", DataType::Float64),
    ("q25", DataType::Utf8),
    ("q50", DataType::Utf8),
    ("q75", DataType::Utf8),
];

impl Runner<'_> {
    /// One row per column: nulls, distinct values, bounds; of numbers average, deviation and quartiles.
    pub(super) fn summarize(&self, target: &DescribeTarget) -> Result<Outcome> {
        let (source, fields) = self.summarized(target)?;
        let scratch = match &source {
            Source::Rows(sql) if is_worth_a_table(&fields) => {
                Some(self.table_of(sql, &fields).map_err(Error::nowhere)?)
            }
            _ => None,
        };
        let (connection, source) = match (&scratch, source) {
            (Some(scratch), _) => (&scratch.connection, SCRATCH_TABLE.to_owned()),
            (None, Source::Table(source) | Source::Rows(source)) => (self.connection, source),
        };
        let mut rows = Vec::with_capacity(fields.len());
        let chunks = fields.chunks(COLUMNS_AT_ONCE);
        self.context.progress.set_units_per_row(u64::MAX);
        self.context.progress.expect(chunks.len() as u64);
        for fields in chunks {
            let asked: Vec<String> =
                fields.iter().flat_map(|field| statistics(&field.name, field.data_type)).collect();
            let sql = format!("SELECT {} FROM {source}", asked.join(", "));
            // What the summary asks has no place in what the user wrote.
            let values = self.single_row(connection, &sql).map_err(Error::nowhere)?;
            let mut values = values.into_iter();
            for field in fields {
                let mut row =
                    vec![Value::Text(field.name.clone()), Value::Text(field.data_type.to_string())];
                row.extend(values.by_ref().take(STATISTICS.len()).map(rounded));
                rows.push(row);
            }
            self.context.progress.advance(1);
        }
        let text = DataType::Utf8;
        let columns: Vec<(&str, DataType)> =
            [("column_name", text), ("column_type", text)].into_iter().chain(STATISTICS).collect();
        self.rows(&columns, rows)
    }

    /// What stands behind FROM, and its columns.
    fn summarized(&self, target: &DescribeTarget) -> Result<(Source, Vec<NewField>)> {
        let snapshot = self.database().snapshot()?;
        let file = self.named_file(target);
        match file.as_ref().unwrap_or(target) {
            DescribeTarget::Table(name) => {
                let table = snapshot.table(&name.text)?.ok_or_else(|| {
                    unknown_table(&name.text, &snapshot.table_names(), name.position)
                })?;
                let fields = (0..table.field_count()).map(|position| {
                    let field = table.field(position);
                    field_of(field.name, field.data_type)
                });
                Ok((Source::Table(quoted(Table::name(&*table))), fields.collect()))
            }
            DescribeTarget::Files { paths, position } => {
                let names = FileNames::of(paths.first().map_or("", String::as_str));
                let catalog = self.catalog(&snapshot);
                let opened = || catalog.open(&names).map_err(|error| place(error, Some(*position)));
                if let OpenFiles::Rows(_) = opened()? {
                    // What is asked of a column depends on its type.
                    catalog.settle(|set| (0..set.columns.len()).collect(), &self.context)?;
                }
                let opened = opened()?;
                let path = names.patterns[0].replace('\'', "''");
                let fields = opened.fields().into_iter().enumerate();
                let readable = fields.filter(|(index, _)| opened.unsupported(*index).is_none());
                let source = match opened {
                    OpenFiles::Parquet { .. } => Source::Table(format!("'{path}'")),
                    OpenFiles::Rows(_) => Source::Rows(format!("'{path}'")),
                };
                Ok((source, readable.map(|(_, field)| field).collect()))
            }
            DescribeTarget::Query(query) => {
                let plan = self.bind(query, &snapshot)?;
                let columns = plan.output().into_iter();
                let fields: Vec<NewField> =
                    columns.map(|column| field_of(column.name, column.data_type)).collect();
                if let Some(name) = named_twice(&fields) {
                    let message = format!("two columns are called \"{name}\"");
                    return Err(Error::invalid(message).with_hint("rename one with AS"));
                }
                Ok((Source::Rows(format!("({query}) AS summarized")), fields))
            }
        }
    }

    /// A table with these columns of the rows behind FROM.
    fn table_of(&self, source: &str, fields: &[NewField]) -> Result<Scratch> {
        let names: Vec<String> = fields.iter().map(|field| quoted(&field.name)).collect();
        let parse::Script { statements, tokens } =
            parse::parse(&format!("SELECT {} FROM {source}", names.join(", ")))?;
        let [Statement::Query(query)] = &statements[..] else {
            return Err(Error::internal("a summary is of one query"));
        };
        let runner = Runner::new(self.connection, &tokens, self.parameters.clone(), self.part());
        let scratch = Scratch::new(self.database().options())?;
        let transaction = scratch.connection.database().begin()?;
        let snapshot = self.database().snapshot()?;
        let catalog = self.catalog(&snapshot);
        let plan = || Ok(without_untyped(runner.bind_with(&catalog, query)?));
        let make = |fields: &[NewField], context: Context| {
            Ok(Appender::new(fields.to_vec(), LoadOptions::default(), context))
        };
        let (fields, appender) = runner.collect_rows(&catalog, &snapshot, plan, make)?;
        let table = transaction.create_table(SCRATCH_TABLE, &fields, &[])?;
        appender.load(&transaction, table)?;
        scratch.connection.database().commit(transaction)?;
        Ok(scratch)
    }

    /// A context for one of the summary's queries: how far it is the summary itself tells.
    fn part(&self) -> Context {
        let progress = Arc::new(self.context.progress.of_input());
        Context { progress, ..self.context.clone() }
    }

    /// The one row of a query.
    fn single_row(&self, connection: &Connection, sql: &str) -> Result<Vec<Value>> {
        let parse::Script { statements, tokens } = parse::parse(sql)?;
        let [statement] = &statements[..] else {
            return Err(Error::internal("a summary is one query"));
        };
        let runner = Runner::new(connection, &tokens, self.parameters.clone(), self.part());
        let Outcome::Rows(rows) = runner.run(statement)? else {
            return Err(Error::internal("a summary has rows"));
        };
        let mut values = Vec::new();
        for batch in rows {
            let batch = batch?;
            if batch.num_rows() > 0 {
                for (array, field) in batch.columns().iter().zip(batch.schema().fields()) {
                    let data_type = DataType::of_result(field.data_type())?;
                    values.push(Value::from_array(array, data_type, 0));
                }
            }
        }
        Ok(values)
    }
}

/// What stands behind FROM.
enum Source {
    /// What is read by column.
    Table(String),
    /// What gives all its rows whichever columns are asked for.
    Rows(String),
}

/// Whether rows of these columns are better written to a table first: when they would be read several
/// times, and a table can have them.
fn is_worth_a_table(fields: &[NewField]) -> bool {
    let mut seen = HashSet::new();
    fields.len() > COLUMNS_AT_ONCE
        && fields.iter().all(|field| {
            field.data_type != DataType::Interval && seen.insert(field.name.to_lowercase())
        })
}

/// A database among the temporary files, gone when it is dropped.
struct Scratch {
    connection: Connection,
    folder: PathBuf,
}

impl Scratch {
    fn new(options: &Options) -> Result<Scratch> {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("martlet-{}-{number}.summary", std::process::id());
        let folder = std::env::temp_dir().join(name);
        let database = Database::create_with(&folder, options.clone())?;
        Ok(Scratch { connection: database.connect(), folder })
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // What cannot be removed now the system clears one day.
        let _removed = std::fs::remove_dir_all(&self.folder);
    }
}

fn named_twice(fields: &[NewField]) -> Option<&str> {
    let mut seen = HashSet::new();
    fields.iter().map(|field| field.name.as_str()).find(|name| !seen.insert(*name))
}

fn field_of(name: String, data_type: DataType) -> NewField {
    NewField { name, data_type, nullable: true }
}

/// The expressions for a column, in the order of [`STATISTICS`].
fn statistics(name: &str, data_type: DataType) -> Vec<String> {
    let name = quoted(name);
    let null = "NULL".to_owned();
    let if_number = |sql: String| if data_type.is_numeric() { sql } else { null.clone() };
    // Bytes and booleans order, but their bounds tell nothing; intervals and NULLs have none.
    let is_ordered = !matches!(data_type, DataType::Null | DataType::Interval | DataType::Binary);
    let if_ordered = |sql: String| if is_ordered { sql } else { null.clone() };
    let quartile = |share: &str| if_number(format!("quantile_cont({name}, {share})::text"));
    vec![
        format!("count(*) - count({name})"),
        if_ordered(format!("count(DISTINCT {name})")),
        if_ordered(format!("min({name})::text")),
        if_ordered(format!("max({name})::text")),
        if_number(format!("avg({name})::double")),
        if_number(format!("stddev({name})::double")),
        quartile("0.25"),
        quartile("0.5"),
        quartile("0.75"),
    ]
}

/// Averages and deviations with six digits: a summary is read, not reckoned with.
fn rounded(value: Value) -> Value {
    match value {
        Value::Float(number) if number.is_finite() => {
            Value::Float(format!("{number:.5e}").parse().unwrap_or(number))
        }
        other => other,
    }
}

fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}
