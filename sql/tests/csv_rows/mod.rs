//! What queries give, as CSV text: for tests of files.

use std::error::Error;

use martlet::output::CsvWriter;
use martlet::{Connection, Database, Options};

pub(crate) type TestResult = Result<(), Box<dyn Error>>;

/// A connection to a database in memory with two workers.
pub(crate) fn connection() -> Connection {
    let options = Options::default().with_worker_count(2);
    Database::open_in_memory_with(options).unwrap().connect()
}

/// The rows of a query as CSV, after its header.
pub(crate) fn rows(connection: &Connection, sql: &str) -> martlet::Result<String> {
    let result = connection.query(sql)?;
    let mut csv = CsvWriter::new(Vec::new(), &result.schema()).unwrap();
    for batch in result {
        csv.write(&batch?).unwrap();
    }
    Ok(String::from_utf8(csv.into_inner()).unwrap())
}
