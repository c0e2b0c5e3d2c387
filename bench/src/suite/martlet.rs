//! Martlet as the harness asks it: in this process, one database open.

use std::path::Path;
use std::time::Instant;

use martlet::arrow::record_batch::RecordBatch;
use martlet::{Connection, Database, Options};

use super::answer::Answer;
use super::query::Query;
use crate::{Result, context};

/// One run of a query.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Run {
    /// From handing over the text to having the last row.
    pub(crate) seconds: f64,
    pub(crate) answer: Answer,
    /// Encoded bytes of the pages read, if the engine says.
    pub(crate) bytes_read: Option<u64>,
}

/// An open database.
pub(crate) struct Martlet {
    connection: Connection,
}

impl Martlet {
    /// Opens the database for reading.
    pub(crate) fn open(database: &Path, options: Options) -> Result<Martlet> {
        let what = || format!("cannot open {}", database.display());
        let database = Database::open_read_only_with(database, options).map_err(context(what()))?;
        Ok(Martlet { connection: database.connect() })
    }

    /// Runs a query; its answer is looked at after the clock has stopped.
    pub(crate) fn run(&self, query: &Query) -> Result<Run> {
        let start = Instant::now();
        let mut result = self.connection.query(&query.text)?;
        let batches: Vec<RecordBatch> = result.by_ref().collect::<martlet::Result<_>>()?;
        let seconds = start.elapsed().as_secs_f64();
        let bytes_read = Some(result.profile().scan_total().bytes_read);
        Ok(Run { seconds, answer: Answer::of(&batches, &query.facts)?, bytes_read })
    }
}
