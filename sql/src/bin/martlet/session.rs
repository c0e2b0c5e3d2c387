//! Runs SQL on a connection and prints what comes of it.

use std::fmt;
use std::io::{self, Write};
use std::time::Instant;

use martlet::output::WriteError;
use martlet::{Connection, Error, Outcome, QueryResult, render_error};

use crate::bar::with_bar;
use crate::footer::{ReadCounts, duration, footer};
use crate::printer::Printer;
use crate::script;

/// Why a session ends early.
#[derive(Debug)]
pub(crate) enum Failure {
    /// A statement failed; this is what to tell, lines and all.
    Sql(String),
    /// Something around the SQL failed.
    Other(String),
    /// Standard input or output failed.
    Io(io::Error),
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Failure::Sql(text) => f.write_str(text),
            Failure::Other(text) => writeln!(f, "error: {text}"),
            Failure::Io(error) => writeln!(f, "error: {error}"),
        }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Failure {
        Failure::Sql(render_error("", &error))
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Failure {
        Failure::Io(error)
    }
}

/// A connection with somewhere to print to.
pub(crate) struct Session<W> {
    connection: Connection,
    printer: Printer<W>,
}

impl<W: Write> Session<W> {
    pub(crate) fn new(connection: Connection, printer: Printer<W>) -> Session<W> {
        Session { connection, printer }
    }

    /// Runs the statements of `sql` in order, up to the first that fails.
    pub(crate) fn run(&mut self, sql: &str) -> Result<(), Failure> {
        let script = script::split(sql);
        for range in script.statements.into_iter().chain(script.rest) {
            self.statement(&sql[range.clone()]).map_err(|error| match error {
                WriteError::Io(error) => Failure::Io(error),
                // The caret stands in the whole text: its line numbers are what an editor shows.
                WriteError::Result(error) => Failure::Sql(match error.position() {
                    Some(position) => render_error(sql, &error.at(range.start + position)),
                    None => render_error(sql, &error),
                }),
            })?;
        }
        Ok(())
    }

    fn statement(&mut self, sql: &str) -> Result<(), WriteError> {
        let start = Instant::now();
        let handle = self.connection.statement_handle();
        match with_bar(&handle, || self.connection.run(sql))? {
            Outcome::Rows(result) => self.rows(result, start),
            Outcome::Done { row_count: Some(count) } => {
                self.printer.note(&footer(count, start.elapsed(), ReadCounts::default()))
            }
            _ => self.printer.note(&format!("(done, {})", duration(start.elapsed()))),
        }
    }

    fn rows(&mut self, mut result: QueryResult, start: Instant) -> Result<(), WriteError> {
        let schema = result.schema();
        let row_count = self.printer.rows(&schema, &mut result)?;
        let read = result.profile().scan_total();
        let counts = ReadCounts {
            columns: read.columns_read,
            columns_all: read.columns_total,
            pages: read.pages_read,
            pages_all: read.pages_total,
        };
        self.printer.note(&footer(row_count, start.elapsed(), counts))
    }
}
