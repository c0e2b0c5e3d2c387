//! Appends Arrow record batches to a mart in a temporary folder and asks it a question.
//!
//! ```sh
//! cargo run --release -p martlet --example sensors
//! ```
#![expect(clippy::print_stderr, reason = "an example shows what it gets")]

use std::error::Error;
use std::sync::Arc;

use martlet::Database;
use martlet::arrow::array::{ArrayRef, Float64Array, Int32Array, RecordBatch, StringArray};
use martlet::output::CsvWriter;

fn main() -> Result<(), Box<dyn Error>> {
    let folder = std::env::temp_dir().join(format!("sensors-{}.mart", std::process::id()));
    let connection = Database::create(&folder)?.connect();
    connection.execute("CREATE TABLE readings (room text, minute int, celsius double)")?;

    let mut appender = connection.appender("readings")?;
    for hour in 0..24 {
        appender.append(&readings(hour)?)?;
    }
    appender.commit()?;

    let sql =
        "SELECT room, count(*) AS readings, round(avg(celsius), 2) AS mean, max(celsius) AS peak
               FROM readings WHERE minute BETWEEN ? AND ? GROUP BY room ORDER BY mean DESC";
    let mut rows = connection.query_with(sql, &[480.into(), 1_080.into()])?;
    let mut csv = CsvWriter::new(std::io::stdout(), &rows.schema())?;
    for batch in &mut rows {
        csv.write(&batch?)?;
    }
    eprintln!("{}", rows.profile().scan_total());

    drop(connection);
    std::fs::remove_dir_all(&folder)?;
    Ok(())
}

/// The readings of one hour: every minute in each of three rooms.
fn readings(hour: i32) -> Result<RecordBatch, Box<dyn Error>> {
    let (mut rooms, mut minutes, mut celsius) = (Vec::new(), Vec::new(), Vec::new());
    for minute in hour * 60..(hour + 1) * 60 {
        for (room, base) in [("attic", 27.5), ("cellar", 11.0), ("kitchen", 21.5)] {
            rooms.push(room);
            minutes.push(minute);
            celsius.push(base + f64::from(minute % 7) / 10.0);
        }
    }
    let columns: [(&str, ArrayRef); 3] = [
        ("room", Arc::new(StringArray::from(rooms))),
        ("minute", Arc::new(Int32Array::from(minutes))),
        ("celsius", Arc::new(Float64Array::from(celsius))),
    ];
    Ok(RecordBatch::try_from_iter(columns)?)
}
