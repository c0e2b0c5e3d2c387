//! A session: runs SQL and commands, and shows what comes of them.

use std::fmt;
use std::io::{self, Write};
use std::time::{Duration, Instant};

use arrow::array::AsArray;
use arrow::record_batch::RecordBatch;
use martlet::output::WriteError;
use martlet::{Connection, Database, Error, Outcome, QueryResult, render_error};

use crate::bar::with_bar;
use crate::command;
use crate::footer::{ReadCounts, duration, footer};
use crate::format::{hold, is_held, overview, write_held, write_rows};
use crate::interrupt::Interrupt;
use crate::last::{self, Keeper, LastResult};
use crate::script::{self, Piece};
use crate::sql_text::tokens;
use crate::target::Target;
use crate::view::{Format, Style, View};

/// Why a session, or a statement of it, ends early.
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

impl From<WriteError> for Failure {
    fn from(error: WriteError) -> Failure {
        match error {
            WriteError::Result(error) => error.into(),
            WriteError::Io(error) => error.into(),
        }
    }
}

/// Whether the session goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Next {
    /// With the next piece.
    Go,
    /// No further: somebody asked to quit.
    Quit,
}

/// A connection with somewhere to print to.
pub(crate) struct Session<'w> {
    pub(crate) connection: Connection,
    pub(crate) view: View,
    pub(crate) target: Target<'w>,
    pub(crate) last: LastResult,
    pub(crate) interrupt: Interrupt,
    /// How many files are being read, one from within the other.
    pub(crate) file_depth: usize,
}

impl<'w> Session<'w> {
    pub(crate) fn new(connection: Connection, view: View, target: Target<'w>) -> Session<'w> {
        Session {
            connection,
            view,
            target,
            last: LastResult::default(),
            interrupt: Interrupt::default(),
            file_depth: 0,
        }
    }

    pub(crate) fn database(&self) -> &Database {
        self.connection.database()
    }

    /// How the next result is shown: in a file without colours, and as its name says unless another
    /// format for programs was set.
    pub(crate) fn next_view(&self) -> View {
        let mut view = self.view.clone();
        if let Some(path) = self.target.path() {
            view.style = Style::PLAIN;
            let told = Format::of_ending(path).filter(|_| view.format.is_for_people());
            view.format = told.unwrap_or(view.format);
        }
        view
    }

    /// Runs the statements and commands of `text` in order, up to the first that fails.
    pub(crate) fn run(&mut self, text: &str) -> Result<Next, Failure> {
        let script = script::split(text);
        let rest = script.rest.map(Piece::Statement);
        for piece in script.pieces.into_iter().chain(rest) {
            match piece {
                Piece::Command(range) => {
                    if command::run(self, &text[range])? == Next::Quit {
                        return Ok(Next::Quit);
                    }
                }
                Piece::Statement(range) => {
                    self.statement(&text[range.clone()]).map_err(|error| match error {
                        // The caret stands in the whole text: its line numbers are what an editor shows.
                        WriteError::Result(error) => Failure::Sql(match error.position() {
                            Some(position) => render_error(text, &error.at(range.start + position)),
                            None => render_error(text, &error),
                        }),
                        other @ WriteError::Io(_) => other.into(),
                    })?;
                }
            }
        }
        Ok(Next::Go)
    }

    fn statement(&mut self, sql: &str) -> Result<(), WriteError> {
        let start = Instant::now();
        let view = &self.next_view();
        let file = self.target.path().map(|path| path.display().to_string());
        let Session { connection, target, last, interrupt, .. } = self;
        if last::is_read_by(sql) {
            last.name_in(connection)?;
        }
        let connection = &*connection;
        let handle = connection.statement_handle();
        let shown = interrupt.during(&handle, || {
            let outcome = with_bar(&handle, || first_rows(connection, sql))?;
            Ok::<_, WriteError>(match outcome {
                First::Done { row_count } => {
                    Shown::Done { row_count, rejected: handle.work().rejected }
                }
                First::Rows { mut result, first } => {
                    let schema = result.schema();
                    let mut keeper = Keeper::new(result.schema());
                    let batches = first.map(Ok).into_iter().chain(&mut result);
                    let batches = batches.inspect(|batch| {
                        if let Ok(batch) = batch {
                            keeper.take(batch);
                        }
                    });
                    let row_count = if is_held(view.format) {
                        let held = with_bar(&handle, || hold(view, batches))?;
                        let overview = overview_of(sql, &keeper);
                        target.result(|target| match overview {
                            None => write_held(target, view, &schema, &held),
                            Some(overview) => write_overview(target, view, overview),
                        })?;
                        held.row_count
                    } else {
                        target.result(|target| write_rows(target, view, &schema, batches))?
                    };
                    let rejected = handle.work().rejected;
                    let read = ReadCounts { rejected, ..read_counts(&result) };
                    Shown::Rows { row_count, read, keeper }
                }
            })
        })?;
        self.note(shown, start.elapsed(), file)
    }

    /// The line under a result.
    fn note(
        &mut self,
        shown: Shown,
        elapsed: Duration,
        file: Option<String>,
    ) -> Result<(), WriteError> {
        let time = self.view.tells_time.then_some(elapsed);
        let text = match shown {
            Shown::Rows { row_count, read, keeper } => {
                self.last.set(keeper);
                let text = footer(row_count, time, read);
                match file {
                    Some(file) => format!("{text} to {file}"),
                    None => text,
                }
            }
            Shown::Done { row_count: Some(count), rejected } => {
                footer(count, time, ReadCounts { rejected, ..ReadCounts::default() })
            }
            Shown::Done { row_count: None, .. } => match time {
                Some(time) => format!("(done, {})", duration(time)),
                None => "(done)".to_owned(),
            },
        };
        if self.view.format.is_for_people() {
            self.target.note(&self.view.style.dim(&text))?;
        }
        Ok(())
    }

    /// Shows rows that a command made.
    pub(crate) fn show(&mut self, batch: &RecordBatch) -> Result<(), Failure> {
        let view = self.next_view();
        let schema = batch.schema();
        self.target.result(|target| {
            write_rows(target, &view, &schema, std::iter::once(Ok(batch.clone())))
        })?;
        Ok(())
    }

    /// Shows a text that a command made.
    pub(crate) fn say(&mut self, text: &str) -> Result<(), Failure> {
        self.target.result(|target| {
            target.write_all(text.as_bytes())?;
            if !text.ends_with('\n') {
                target.write_all(b"\n")?;
            }
            Ok::<(), io::Error>(())
        })?;
        Ok(())
    }
}

/// From so many columns on, DESCRIBE shows groups of them.
const COLUMNS_MAX: usize = 60;

/// The groups of columns that `DESCRIBE table` found, if they are many.
fn overview_of(sql: &str, keeper: &Keeper) -> Option<RecordBatch> {
    let tokens = tokens(sql);
    let is_description = match &tokens[..] {
        [verb, _name] => verb.is_word(sql, "DESCRIBE") || verb.is_word(sql, "DESC"),
        _ => false,
    };
    let kept = keeper.kept().filter(|_| is_description)?;
    let texts = |index: usize| {
        let arrays = kept.batches.iter().map(move |batch| batch.column(index).as_string::<i32>());
        arrays.flat_map(|array| array.iter().map(Option::unwrap_or_default))
    };
    let columns: Vec<(&str, &str)> = texts(0).zip(texts(1)).collect();
    if columns.len() <= COLUMNS_MAX {
        return None;
    }
    overview(&columns)
}

fn write_overview(
    target: &mut dyn Write,
    view: &View,
    overview: RecordBatch,
) -> Result<(), WriteError> {
    let schema = overview.schema();
    let view = View { rows_max: usize::MAX, ..view.clone() };
    write_rows(target, &view, &schema, std::iter::once(Ok(overview)))?;
    let hint = "One by one: .cols TABLE PATTERN, or SELECT * FROM _ WHERE column_name LIKE '…'";
    writeln!(target, "{}", view.style.dim(hint))?;
    Ok(())
}

/// What a statement gave first.
enum First {
    Rows { result: QueryResult, first: Option<RecordBatch> },
    Done { row_count: Option<u64> },
}

/// What was shown of a statement.
enum Shown {
    Rows { row_count: u64, read: ReadCounts, keeper: Keeper },
    Done { row_count: Option<u64>, rejected: u64 },
}

/// Runs the statement up to its first rows: an aggregation's work is done then.
fn first_rows(connection: &Connection, sql: &str) -> martlet::Result<First> {
    Ok(match connection.run(sql)? {
        Outcome::Rows(mut result) => {
            let first = result.next().transpose()?;
            First::Rows { result, first }
        }
        Outcome::Done { row_count } => First::Done { row_count },
        _ => First::Done { row_count: None },
    })
}

fn read_counts(result: &QueryResult) -> ReadCounts {
    let read = result.profile().scan_total();
    ReadCounts {
        columns: read.columns_read.len() as u64,
        columns_all: read.columns_total,
        pages: read.pages_read,
        pages_all: read.pages_total,
        rejected: 0,
    }
}
