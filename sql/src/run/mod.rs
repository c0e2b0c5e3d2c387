//! Runs statements.

mod comment;
mod copy;
mod create;
mod describe;
mod descriptions;
mod explain;
mod export;
mod file_rows;
mod insert;
mod load;
mod rejects;
mod summarize;

use std::sync::Arc;

use martlet_engine::context::Context;
use martlet_engine::exec::expression::evaluate_constant;
use martlet_engine::exec::{BatchStream, execute};
use martlet_engine::plan::wire::ScanRequest;
use martlet_engine::plan::{
    Expr, LogicalPlan, OutputColumn, PhysicalPlan, Scan, optimize, physical,
};
use martlet_engine::storage::{Snapshot, Transaction};
use martlet_engine::types::{DataType, Error, Result, Value};
use sqlparser::ast::Query;
use sqlparser::tokenizer::TokenWithSpan;

use crate::bind::{Binder, Parameters};
use crate::catalog::SnapshotCatalog;
use crate::connection::Connection;
use crate::database::Database;
use crate::parse::{Copy, DescribeTarget, Statement};
use crate::result::{Outcome, QueryResult};
use crate::suspect::Suspects;

/// Runs one statement.
pub(crate) struct Runner<'r> {
    connection: &'r Connection,
    tokens: &'r [TokenWithSpan],
    parameters: Vec<(Value, DataType)>,
    context: Context,
}

impl<'r> Runner<'r> {
    /// A runner with the text's tokens, the parameters' values and the statement's context.
    pub(crate) fn new(
        connection: &'r Connection,
        tokens: &'r [TokenWithSpan],
        parameters: Vec<(Value, DataType)>,
        context: Context,
    ) -> Runner<'r> {
        Runner { connection, tokens, parameters, context }
    }

    /// Runs `statement`.
    pub(crate) fn run(&self, statement: &Statement) -> Result<Outcome> {
        self.run_unplaced(statement).map_err(|error| Suspects::of(self.tokens).place(error))
    }

    fn run_unplaced(&self, statement: &Statement) -> Result<Outcome> {
        match statement {
            Statement::Query(query) => {
                let snapshot = self.database().snapshot()?;
                self.query(query, &snapshot).map(Outcome::Rows)
            }
            Statement::Explain { analyze, query } => self.explain(query, *analyze),
            Statement::CreateTable(create) => self.create_table(create),
            Statement::Insert(insert) => self.insert(insert),
            Statement::Copy(Copy::From { table, columns, files }) => {
                self.copy_from(table, columns, files)
            }
            Statement::Copy(Copy::To { rows, files }) => self.copy_to(rows, files),
            Statement::DropTable { name, if_exists } => self.drop_table(name, *if_exists),
            Statement::Describe(target) => self.describe(target),
            Statement::Summarize(target) => self.summarize(target),
            Statement::Comment(comment) => self.comment(comment),
            Statement::ShowTables => self.show_tables(),
            Statement::Vacuum => {
                self.database().store_to_write()?.vacuum()?;
                Ok(Outcome::Done { row_count: None })
            }
            Statement::Set { name, value } => {
                self.connection.settings().set(name, value)?;
                Ok(Outcome::Done { row_count: None })
            }
        }
    }

    /// The one scan that `query` is.
    pub(crate) fn scan_request(&self, query: &Query) -> Result<ScanRequest> {
        let path = self
            .database()
            .path()
            .ok_or_else(|| Error::invalid("a database in memory cannot be read elsewhere"))?;
        // Wherever the other process runs.
        let path = std::path::absolute(path)
            .map_err(|error| Error::from_io("find", &path.display().to_string(), &error))?;
        let path = path.into_os_string().into_string().map_err(|path| {
            Error::unsupported(format!("a scan of {}, which is not UTF-8", path.display()))
        })?;
        let snapshot = self.database().snapshot()?;
        let scan = match self.plan(query, &snapshot)? {
            PhysicalPlan::Scan(scan) => scan,
            PhysicalPlan::Project { input, exprs, names } if is_columns(&exprs) => match *input {
                PhysicalPlan::Scan(scan) if gives(&scan, &names) => scan,
                _ => return Err(more_than_a_scan()),
            },
            _ => return Err(more_than_a_scan()),
        };
        Ok(ScanRequest {
            database: path,
            identity: snapshot.database_identity(),
            snapshot: snapshot.number(),
            row_groups: None,
            scan,
        })
    }

    /// The query's plan on the newest snapshot, before the rules.
    pub(crate) fn logical_plan(&self, query: &Query) -> Result<LogicalPlan> {
        self.bind(query, &self.database().snapshot()?)
    }

    /// What statements on `snapshot` may name.
    fn catalog(&self, snapshot: &Arc<Snapshot>) -> SnapshotCatalog {
        SnapshotCatalog::new(Arc::clone(snapshot), self.connection.named_files())
    }

    /// What a statement that loads `table` may name; the rows that it leaves out may get a table, too.
    fn catalog_for_load(&self, transaction: &Transaction, table: &str) -> SnapshotCatalog {
        self.catalog(transaction.snapshot()).for_load_of(table)
    }

    /// The file that the name of `target` stands for.
    fn named_file(&self, target: &DescribeTarget) -> Option<DescribeTarget> {
        let DescribeTarget::Table(name) = target else { return None };
        let path = self.connection.named_files().remove(&name.text)?;
        Some(DescribeTarget::Files { paths: vec![path], position: name.position })
    }

    fn database(&self) -> &Database {
        self.connection.database()
    }

    fn query(&self, query: &Query, snapshot: &Arc<Snapshot>) -> Result<QueryResult> {
        let catalog = self.catalog(snapshot);
        let plan = || Ok(self.optimized(self.bind_with(&catalog, query)?));
        self.run_over_files(&catalog, snapshot, plan)
    }

    /// The query's plan before the rules.
    fn bind(&self, query: &Query, snapshot: &Arc<Snapshot>) -> Result<LogicalPlan> {
        self.bind_with(&self.catalog(snapshot), query)
    }

    fn bind_with(&self, catalog: &SnapshotCatalog, query: &Query) -> Result<LogicalPlan> {
        let mut parameters = Parameters::given(self.parameters.clone());
        Binder::new(catalog, self.tokens, &mut parameters, self.context.now_us).bind(query)
    }

    fn plan(&self, query: &Query, snapshot: &Arc<Snapshot>) -> Result<PhysicalPlan> {
        Ok(self.optimized(self.bind(query, snapshot)?))
    }

    fn optimized(&self, plan: LogicalPlan) -> PhysicalPlan {
        let fold = |expr: &Expr| evaluate_constant(expr, &self.context);
        physical(optimize(plan, &fold))
    }

    fn execute(&self, plan: &PhysicalPlan, snapshot: Arc<Snapshot>) -> Result<QueryResult> {
        let pool = Arc::clone(self.database().pool());
        let stream = execute(plan, snapshot, pool, self.context.clone())?;
        Ok(QueryResult::new(stream, &self.context).with_suspects(Suspects::of(self.tokens)))
    }

    /// The rows of a query that feeds a load; the load tells how far the statement is, not they.
    fn execute_for_load(
        &self,
        plan: &PhysicalPlan,
        snapshot: &Arc<Snapshot>,
    ) -> Result<BatchStream> {
        let progress = Arc::new(self.context.progress.of_input());
        let context = Context { progress, ..self.context.clone() };
        execute(plan, Arc::clone(snapshot), Arc::clone(self.database().pool()), context)
    }

    /// Rows that were made here, as a result.
    fn rows(&self, columns: &[(&str, DataType)], rows: Vec<Vec<Value>>) -> Result<Outcome> {
        let outputs = columns
            .iter()
            .map(|(name, data_type)| OutputColumn {
                name: (*name).to_owned(),
                data_type: *data_type,
            })
            .collect();
        let typed = |row: Vec<Value>| {
            let values = row.into_iter().zip(columns);
            values.map(|(value, (_, data_type))| Expr::literal(value, *data_type)).collect()
        };
        let rows = rows.into_iter().map(typed).collect();
        let plan = PhysicalPlan::Values { columns: outputs, rows };
        self.execute(&plan, self.database().snapshot()?).map(Outcome::Rows)
    }
}

/// Whether the expressions are the input's columns, in order.
fn is_columns(exprs: &[Expr]) -> bool {
    exprs
        .iter()
        .enumerate()
        .all(|(place, expr)| matches!(expr, Expr::Column { index, .. } if *index == place))
}

/// Whether the scan gives columns of these names.
fn gives(scan: &Scan, names: &[String]) -> bool {
    let columns = scan.columns.iter().take(scan.output_count);
    columns.map(|column| &column.name).eq(names)
}

fn more_than_a_scan() -> Error {
    Error::unsupported("only SELECT columns FROM table WHERE … can be sent elsewhere")
        .with_hint("aggregate the rows that come back")
}
