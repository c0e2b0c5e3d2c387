//! `martlet demo`: builds a realistic orders mart, offline and always the same, and walks through
//! queries on it.
//!
//! The mart is wide on purpose (over 500 columns): the queries touch a handful and cost as if there
//! were no others.

mod build;
mod column;
mod order;
mod schema;
mod tour;
mod words;

use std::io::{self, BufWriter, Write};
use std::path::Path;
use std::time::Instant;

use martlet::Database;
use martlet::output::format_count;

use self::tour::TOUR;
use crate::cli::DemoArgs;
use crate::footer::duration;
use crate::session::{Failure, Session};
use crate::target::Target;
use crate::view::{Format, View};

/// Builds the mart unless it is there, then asks the queries of the tour.
pub(crate) fn run(args: &DemoArgs) -> Result<(), Failure> {
    let start = Instant::now();
    let database = open_or_build(args)?;
    let mut output = BufWriter::new(io::stdout().lock());
    for (index, stop) in TOUR.iter().enumerate() {
        writeln!(output, "\n{}. {}\n", index + 1, stop.says)?;
        for line in stop.sql.lines() {
            writeln!(output, "    {line}")?;
        }
        writeln!(output)?;
        let view = View::new(Format::Table, args.limits.max_rows);
        let view = View { turns_wide_rows: false, ..view };
        let target = Target::new(&mut output, false);
        Session::new(database.connect(), view, target).run(stop.sql)?;
    }
    writeln!(output, "\nThat took {} in all. Explore further with:\n", duration(start.elapsed()))?;
    let program = std::env::args().next().unwrap_or_else(|| "martlet".to_owned());
    writeln!(output, "    {program} {}\n", args.directory.display())?;
    output.flush()?;
    Ok(())
}

fn open_or_build(args: &DemoArgs) -> Result<Database, Failure> {
    let directory = &args.directory;
    let columns = schema::columns();
    if directory.exists() {
        let database = open_existing(args, columns.len())?;
        eprintln!("The demo mart in {} is there already.", directory.display());
        return Ok(database);
    }
    let (rows, width) = (format_count(order::ORDER_COUNT), columns.len());
    eprintln!("Building {}: {rows} orders of {width} columns.", directory.display());
    let start = Instant::now();
    build::build(directory, columns, crate::options(&args.limits))?;
    let size = martlet::output::format_byte_size(directory_bytes(directory)?);
    eprintln!("Built in {}, {size} on disk.", duration(start.elapsed()));
    Ok(Database::open_read_only_with(directory, crate::options(&args.limits))?)
}

/// The database, if it is a finished demo mart.
fn open_existing(args: &DemoArgs, column_count: usize) -> Result<Database, Failure> {
    let refusal = |why: &str| {
        let name = args.directory.display();
        Failure::Other(format!("{name} is there and {why}: name another directory, or remove it"))
    };
    let database = Database::open_read_only_with(&args.directory, crate::options(&args.limits))
        .map_err(|error| refusal(&format!("is no database ({})", error.message())))?;
    match build::measure(&database) {
        Ok((rows, columns)) if rows == order::ORDER_COUNT && columns == column_count => {
            Ok(database)
        }
        _ => Err(refusal("is not the demo mart of this version")),
    }
}

fn directory_bytes(directory: &Path) -> Result<u64, Failure> {
    let mut bytes = 0;
    for entry in std::fs::read_dir(directory)? {
        let entry = entry?;
        let metadata = entry.metadata()?;
        bytes += if metadata.is_dir() { directory_bytes(&entry.path())? } else { metadata.len() };
    }
    Ok(bytes)
}
