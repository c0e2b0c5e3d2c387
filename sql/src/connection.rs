//! Connections: where SQL is run.

use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use martlet_engine::catalog::TableId;
use martlet_engine::context::Context;
use martlet_engine::ingest::merge_dictionaries;
use martlet_engine::plan::{LogicalPlan, wire::ScanRequest};
use martlet_engine::storage::Transaction;
use martlet_engine::types::{DataType, Error, Result, Value};
use sqlparser::tokenizer::TokenWithSpan;

use crate::appender::Appender;
use crate::bind::unknown_table;
use crate::database::Database;
use crate::parse::{self, Statement as Parsed};
use crate::prepared::{Parameter, Statement};
use crate::result::{Outcome, QueryResult, Running, StatementHandle};
use crate::run::Runner;
use crate::settings::Settings;
use crate::stack::{self, Deep};

/// Runs SQL on a [`Database`]. Settings (`SET timezone = …`) are a connection's own.
///
/// Each statement is a transaction: it happens whole or not at all. After an error the connection is
/// as usable as before. A connection may be shared between threads, each statement on its own.
///
/// ```
/// let connection = martlet::Database::open_in_memory()?.connect();
/// connection.execute(
///     "CREATE TABLE orders (day date, region text, amount decimal(10,2));
///      INSERT INTO orders VALUES ('2026-01-31', 'north', 19.99), ('2026-02-01', 'south', 5)",
/// )?;
/// let batches = connection
///     .query("SELECT month(day), sum(amount) FROM orders GROUP BY ALL ORDER BY ALL")?
///     .collect_batches()?;
/// assert_eq!(batches[0].num_rows(), 2);
/// # Ok::<(), martlet::Error>(())
/// ```
pub struct Connection {
    database: Database,
    settings: Mutex<Settings>,
    current: Arc<Mutex<Running>>,
    named_files: Mutex<NamedFiles>,
}

/// Names that stand for files, with their paths.
pub(crate) type NamedFiles = BTreeMap<String, String>;

impl Connection {
    pub(crate) fn new(database: Database) -> Connection {
        Connection {
            database,
            settings: Mutex::new(Settings::default()),
            current: Arc::new(Mutex::new(Running::default())),
            named_files: Mutex::default(),
        }
    }

    /// The database.
    pub fn database(&self) -> &Database {
        &self.database
    }

    /// Lets `name` stand for a file in this connection's statements: FROM `name` reads it. With
    /// `None`, no longer. A table of that name is hidden.
    ///
    /// ```
    /// let connection = martlet::Database::open_in_memory()?.connect();
    /// # let path = std::env::temp_dir().join(format!("martlet-named-{}.csv", std::process::id()));
    /// # std::fs::write(&path, "n\n1\n2\n").expect("a file");
    /// connection.name_file("numbers", path.to_str());
    /// connection.execute("CREATE TABLE doubled AS SELECT 2 * n AS n FROM numbers")?;
    /// assert_eq!(connection.query_value("SELECT sum(n) FROM doubled")?, martlet::Value::Int(6));
    /// # std::fs::remove_file(&path).expect("the file");
    /// # Ok::<(), martlet::Error>(())
    /// ```
    pub fn name_file(&self, name: &str, path: Option<&str>) {
        let mut files = self.named_files.lock().unwrap_or_else(PoisonError::into_inner);
        match path {
            Some(path) => files.insert(name.to_owned(), path.to_owned()),
            None => files.remove(name),
        };
    }

    /// Runs one statement that gives rows.
    ///
    /// # Errors
    /// Whatever is wrong with the statement; `Invalid` when it gives no rows or is not one.
    pub fn query(&self, sql: &str) -> Result<QueryResult> {
        match self.run(sql)? {
            Outcome::Rows(rows) => Ok(rows),
            Outcome::Done { .. } => {
                Err(Error::invalid("the statement gives no rows").with_hint("use execute"))
            }
        }
    }

    /// Runs the statements of `sql` in order, reading and dropping their rows, and gives the number
    /// of rows that the last one wrote, or else gave.
    ///
    /// # Errors
    /// The first statement's that fails; those before it have happened. A statement that does not
    /// parse fails before any is run.
    pub fn execute(&self, sql: &str) -> Result<u64> {
        let mut last = 0;
        for outcome in self.run_all(sql)? {
            last = match outcome? {
                Outcome::Done { row_count } => row_count.unwrap_or(0),
                Outcome::Rows(rows) => {
                    let mut count = 0;
                    for batch in rows {
                        count += u64::try_from(batch?.num_rows()).unwrap_or(u64::MAX);
                    }
                    count
                }
            };
        }
        Ok(last)
    }

    /// Runs one statement of any kind.
    ///
    /// # Errors
    /// As [`Connection::query`].
    pub fn run(&self, sql: &str) -> Result<Outcome> {
        let mut outcomes = self.run_all(sql)?;
        match outcomes.len() {
            0 => Err(Error::syntax("there is no statement").at(0)),
            1 => outcomes.next().unwrap_or_else(|| Err(Error::internal("a statement is lost"))),
            _ => Err(Error::invalid("there are several statements where one was expected")
                .with_hint("use execute or run_all")),
        }
    }

    /// Parses `sql` and runs its statements one by one as the iterator is asked for them.
    ///
    /// ```
    /// let connection = martlet::Database::open_in_memory()?.connect();
    /// let outcomes: Vec<_> = connection.run_all("CREATE TABLE t (a int); SELECT 1")?.collect();
    /// assert_eq!(outcomes.len(), 2);
    /// # Ok::<(), martlet::Error>(())
    /// ```
    ///
    /// # Errors
    /// `Syntax` when any statement does not parse.
    pub fn run_all(&self, sql: &str) -> Result<Outcomes<'_>> {
        let script = stack::with_room_for(sql.len(), || parse::parse(sql))?;
        let parse::Script { statements, tokens } = script;
        let statements = Deep::new(statements.into(), sql.len());
        Ok(Outcomes { connection: self, text_bytes: sql.len(), tokens, statements })
    }

    /// The value in the first column of the first row; NULL when there is no row.
    ///
    /// ```
    /// use martlet::Value;
    /// let connection = martlet::Database::open_in_memory()?.connect();
    /// assert_eq!(connection.query_value("SELECT 6 * 7")?, Value::Int(42));
    /// # Ok::<(), martlet::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`Connection::query`].
    pub fn query_value(&self, sql: &str) -> Result<Value> {
        let rows = self.query(sql)?;
        let schema = rows.schema();
        let data_type = match schema.fields().first() {
            Some(field) => DataType::of_result(field.data_type())?,
            None => return Ok(Value::Null),
        };
        for batch in rows {
            let batch = batch?;
            if batch.num_rows() > 0 {
                return Ok(Value::from_array(batch.column(0), data_type, 0));
            }
        }
        Ok(Value::Null)
    }

    /// Prepares one statement with parameters `?` or `$1`, `$2`, ….
    ///
    /// ```
    /// let connection = martlet::Database::open_in_memory()?.connect();
    /// connection.execute("CREATE TABLE t AS SELECT * FROM (VALUES (1, 'a'), (2, 'b')) v(n, s)")?;
    /// let statement = connection.prepare("SELECT s FROM t WHERE n = ? AND s LIKE ?")?;
    /// assert_eq!(statement.query(&[2.into(), "b%".into()])?.collect_batches()?[0].num_rows(), 1);
    /// # Ok::<(), martlet::Error>(())
    /// ```
    ///
    /// # Errors
    /// Whatever is wrong with the statement.
    pub fn prepare(&self, sql: &str) -> Result<Statement<'_>> {
        Statement::new(self, sql)
    }

    /// Runs one statement with parameters.
    ///
    /// # Errors
    /// As [`Connection::prepare`] and [`Statement::run`].
    pub fn query_with(&self, sql: &str, parameters: &[Parameter]) -> Result<QueryResult> {
        self.prepare(sql)?.query(parameters)
    }

    /// Appends Arrow batches to a table; see [`Appender`].
    ///
    /// # Errors
    /// `UnknownName` without such a table, `Locked` while somebody else writes.
    pub fn appender(&self, table: &str) -> Result<Appender> {
        Appender::new(self.database(), table, self.start())
    }

    /// Deletes rows of a table by their positions in `SELECT * FROM table`, counted from 0, and gives
    /// how many there were.
    ///
    /// ```
    /// let connection = martlet::Database::open_in_memory()?.connect();
    /// connection.execute("CREATE TABLE t AS SELECT * FROM (VALUES (10), (20), (30)) v(n)")?;
    /// assert_eq!(connection.delete_rows("t", &[0, 2])?, 2);
    /// assert_eq!(connection.query_value("SELECT sum(n) FROM t")?, martlet::Value::Int(20));
    /// # Ok::<(), martlet::Error>(())
    /// ```
    ///
    /// # Errors
    /// `UnknownName` without such a table, `Invalid` when it has fewer rows, `Locked` while somebody
    /// else writes, `Io`.
    pub fn delete_rows(&self, table: &str, positions: &[u64]) -> Result<u64> {
        let transaction = self.database.begin()?;
        let id = written_table(&transaction, table)?;
        let deleted = transaction.delete_visible_rows(id, positions)?;
        self.database.commit(transaction)?;
        Ok(deleted)
    }

    /// Merges what several appends left of each dictionary of a table into one, and gives how many
    /// dictionaries that changed. Loads do it by themselves when it pays; results do not change.
    ///
    /// # Errors
    /// `UnknownName` without such a table, `Locked` while somebody else writes, `OutOfMemory`, `Io`.
    pub fn merge_dictionaries(&self, table: &str) -> Result<usize> {
        let context = self.start();
        let transaction = self.database.begin()?;
        let id = written_table(&transaction, table)?;
        let merged = merge_dictionaries(&transaction, id, None, &context)?;
        self.database.commit(transaction)?;
        Ok(merged)
    }

    /// What the query `sql` asks for, with names and types settled, before any rule has changed it.
    ///
    /// ```
    /// let connection = martlet::Database::open_in_memory()?.connect();
    /// let plan = connection.logical_plan("SELECT 1 AS one")?;
    /// assert_eq!(plan.output()[0].name, "one");
    /// # Ok::<(), martlet::Error>(())
    /// ```
    ///
    /// # Errors
    /// Whatever is wrong with the query; `Invalid` when it is another statement.
    pub fn logical_plan(&self, sql: &str) -> Result<LogicalPlan> {
        let context = self.start();
        stack::with_room_for(sql.len(), || {
            let parse::Script { statements, tokens } = parse::parse(sql)?;
            let [Parsed::Query(query)] = &statements[..] else {
                return Err(Error::invalid("only one query has a plan"));
            };
            Runner::new(self, &tokens, Vec::new(), context).logical_plan(query)
        })
    }

    /// The scan that `sql`, a SELECT of columns of one table with a WHERE at most, boils down to: to
    /// be sent elsewhere as bytes and run there with [`Database::scan`].
    ///
    /// The request is of the snapshot that this handle reads now; as long as a read-only handle on it
    /// is open, commits and vacuum leave its files alone.
    ///
    /// ```no_run
    /// # fn send(_: Vec<u8>) {}
    /// let connection = martlet::Database::open_read_only("sales.mart")?.connect();
    /// let mut request = connection.scan_request("SELECT region, amount FROM orders WHERE amount > 10")?;
    /// request.row_groups = Some(vec![0, 1]);
    /// send(request.to_bytes()?);
    /// # Ok::<(), martlet::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`Connection::query`]; `Unsupported` when it is more than a scan, `Invalid` for a database in
    /// memory.
    pub fn scan_request(&self, sql: &str) -> Result<ScanRequest> {
        let context = self.start();
        stack::with_room_for(sql.len(), || {
            let parse::Script { statements, tokens } = parse::parse(sql)?;
            let [Parsed::Query(query)] = &statements[..] else {
                return Err(Error::invalid("a scan is one SELECT"));
            };
            Runner::new(self, &tokens, Vec::new(), context).scan_request(query)
        })
    }

    /// Stops this connection's statements from another thread, or asks how far they are.
    pub fn statement_handle(&self) -> StatementHandle {
        StatementHandle::of_connection(Arc::clone(&self.current))
    }

    /// The settings with their values, in the order of [`crate::words::settings`].
    ///
    /// ```
    /// let connection = martlet::Database::open_in_memory()?.connect();
    /// connection.execute("SET timezone = 'Europe/Berlin'")?;
    /// assert_eq!(connection.setting_values()[0], ("timezone", "Europe/Berlin".to_owned()));
    /// # Ok::<(), martlet::Error>(())
    /// ```
    pub fn setting_values(&self) -> Vec<(&'static str, String)> {
        let values = self.settings().values(self.database.options());
        Settings::DESCRIPTIONS.iter().map(|(name, _)| *name).zip(values).collect()
    }

    /// A context for a statement that starts now.
    pub(crate) fn start(&self) -> Context {
        let mut context = self.database.context();
        self.settings().apply(&mut context);
        *self.current.lock().unwrap_or_else(PoisonError::into_inner) = Running::of(&context);
        context
    }

    pub(crate) fn named_files(&self) -> NamedFiles {
        self.named_files.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn settings(&self) -> MutexGuard<'_, Settings> {
        self.settings.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The table of that name, to be changed by `transaction`.
fn written_table(transaction: &Transaction, name: &str) -> Result<TableId> {
    let found = transaction.find(name)?;
    found.ok_or_else(|| unknown_table(name, &transaction.snapshot().table_names(), 0))
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection").field("database", &self.database).finish_non_exhaustive()
    }
}

/// The outcomes of several statements, each run when it is asked for.
#[derive(Debug)]
pub struct Outcomes<'c> {
    connection: &'c Connection,
    text_bytes: usize,
    tokens: Vec<TokenWithSpan>,
    statements: Deep<VecDeque<Parsed>>,
}

impl Iterator for Outcomes<'_> {
    type Item = Result<Outcome>;

    fn next(&mut self) -> Option<Result<Outcome>> {
        let statement = self.statements.get_mut().pop_front()?;
        let context = self.connection.start();
        let runner = Runner::new(self.connection, &self.tokens, Vec::new(), context);
        Some(stack::with_room_for(self.text_bytes, move || runner.run(&statement)))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let len = self.statements.get().len();
        (len, Some(len))
    }
}

impl ExactSizeIterator for Outcomes<'_> {}
