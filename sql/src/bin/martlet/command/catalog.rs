//! What there is: `.tables`, `.schema`, `.cols`, `.size`, `.databases`, `.open`, `\d TABLE`.

use std::fmt::Write;
use std::path::Path;
use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, StringArray};
use arrow::record_batch::RecordBatch;
use martlet::output::format_byte_size;
use martlet::words::quoted;
use martlet::{Database, TableInfo};

use super::{matches, nothing_more, usage};
use crate::last::LastResult;
use crate::session::{Failure, Next, Session};

pub(super) fn tables(session: &mut Session<'_>, arguments: &[String]) -> Result<Next, Failure> {
    nothing_more(arguments, 1)?;
    let pattern = arguments.first().map_or("", String::as_str);
    let mut tables = session.database().tables()?;
    let is_empty = tables.is_empty();
    tables.retain(|table| matches(&table.name, pattern));
    if tables.is_empty() {
        session.say(if is_empty { NO_TABLES } else { "No table's name matches." })?;
        return Ok(Next::Go);
    }
    let batch = rows_of(vec![
        ("table", texts(tables.iter().map(|table| table.name.clone()))),
        ("rows", counts(tables.iter().map(|table| table.row_count))),
        ("columns", counts(tables.iter().map(|table| table.column_count as u64))),
        ("size", texts(tables.iter().map(|table| format_byte_size(table.bytes)))),
        ("comment", comments(tables.iter().map(|table| table.comment.clone()))),
    ])?;
    session.show(&batch)?;
    Ok(Next::Go)
}

const NO_TABLES: &str =
    "The database has no tables yet. Make one: CREATE TABLE name FROM 'file.parquet';";

/// `\d TABLE`.
pub(super) fn describe(session: &mut Session<'_>, arguments: &[String]) -> Result<Next, Failure> {
    nothing_more(arguments, 1)?;
    let sql = format!("DESCRIBE {}", quoted(&arguments[0]));
    session.run(&sql)
}

pub(super) fn schema(session: &mut Session<'_>, arguments: &[String]) -> Result<Next, Failure> {
    nothing_more(arguments, 1)?;
    let names: Vec<String> = match arguments.first() {
        Some(name) => vec![name.clone()],
        None => session.database().tables()?.into_iter().map(|table| table.name).collect(),
    };
    if names.is_empty() {
        session.say(NO_TABLES)?;
    }
    let mut text = String::new();
    for name in names {
        push_create_table(session.database(), &name, &mut text)?;
    }
    if !text.is_empty() {
        session.say(&text)?;
    }
    Ok(Next::Go)
}

fn push_create_table(database: &Database, name: &str, text: &mut String) -> Result<(), Failure> {
    let columns = database.columns(name)?;
    let tables = database.tables()?;
    // In the case it was created with.
    let name = tables
        .iter()
        .find(|table| table.name == name)
        .or_else(|| tables.iter().find(|table| table.name.eq_ignore_ascii_case(name)))
        .map_or(name, |table| table.name.as_str());
    let width =
        columns.iter().map(|column| quoted(&column.name).chars().count()).max().unwrap_or(0);
    append(text, format_args!("CREATE TABLE {} (\n", quoted(name)));
    for (index, column) in columns.iter().enumerate() {
        let null = if column.nullable { "" } else { " NOT NULL" };
        let comma = if index + 1 < columns.len() { "," } else { "" };
        let column_name = quoted(&column.name);
        append(text, format_args!("    {column_name:width$} {}{null}{comma}\n", column.data_type));
    }
    text.push_str(");\n");
    let literal = |text: &str| format!("'{}'", text.replace('\'', "''"));
    let table = tables.iter().find(|table| table.name == name);
    if let Some(comment) = table.and_then(|table| table.comment.as_ref()) {
        let comment = literal(comment);
        append(text, format_args!("COMMENT ON TABLE {} IS {comment};\n", quoted(name)));
    }
    for column in &columns {
        let Some(comment) = &column.comment else { continue };
        let (column, comment) = (quoted(&column.name), literal(comment));
        let table = quoted(name);
        append(text, format_args!("COMMENT ON COLUMN {table}.{column} IS {comment};\n"));
    }
    Ok(())
}

pub(super) fn columns(session: &mut Session<'_>, arguments: &[String]) -> Result<Next, Failure> {
    let (table, pattern) = match arguments {
        [pattern] => (None, pattern),
        [table, pattern] => (Some(table), pattern),
        _ => return Err(usage("cols")),
    };
    let tables = match table {
        Some(table) => vec![table.clone()],
        None => session.database().tables()?.into_iter().map(|table| table.name).collect(),
    };
    let mut found = Vec::new();
    for table in &tables {
        for column in session.database().columns(table)? {
            if matches(&column.name, pattern) {
                found.push((table.clone(), column));
            }
        }
    }
    if found.is_empty() {
        session.say("No column's name matches.")?;
        return Ok(Next::Go);
    }
    let batch = rows_of(vec![
        ("table", texts(found.iter().map(|(table, _)| table.clone()))),
        ("column", texts(found.iter().map(|(_, column)| column.name.clone()))),
        ("type", texts(found.iter().map(|(_, column)| column.data_type.to_string()))),
        ("comment", comments(found.iter().map(|(_, column)| column.comment.clone()))),
    ])?;
    session.show(&batch)?;
    Ok(Next::Go)
}

pub(super) fn size(session: &mut Session<'_>, arguments: &[String]) -> Result<Next, Failure> {
    nothing_more(arguments, 1)?;
    let mut tables = session.database().tables()?;
    if let Some(name) = arguments.first() {
        // Says so when there is none.
        session.database().columns(name)?;
        tables.retain(|table| table.name.eq_ignore_ascii_case(name));
    } else {
        tables.sort_by_key(|table| std::cmp::Reverse(table.bytes));
    }
    if tables.is_empty() {
        session.say(NO_TABLES)?;
        return Ok(Next::Go);
    }
    let per = |table: &TableInfo, count: u64| {
        let bytes = table.bytes.checked_div(count);
        bytes.map_or_else(|| "–".to_owned(), format_byte_size)
    };
    let batch = rows_of(vec![
        ("table", texts(tables.iter().map(|table| table.name.clone()))),
        ("size", texts(tables.iter().map(|table| format_byte_size(table.bytes)))),
        ("bytes", counts(tables.iter().map(|table| table.bytes))),
        ("per row", texts(tables.iter().map(|table| per(table, table.row_count)))),
        ("per column", texts(tables.iter().map(|table| per(table, table.column_count as u64)))),
    ])?;
    session.show(&batch)?;
    Ok(Next::Go)
}

pub(super) fn databases(session: &mut Session<'_>, arguments: &[String]) -> Result<Next, Failure> {
    nothing_more(arguments, 0)?;
    let database = session.database();
    let path =
        database.path().map_or_else(|| "in memory".into(), |path| path.display().to_string());
    let access = if database.is_read_only() { "read-only" } else { "read and write" };
    let tables = database.tables()?;
    let bytes = tables.iter().map(|table| table.bytes).sum();
    let batch = rows_of(vec![
        ("database", texts([path])),
        ("access", texts([access.to_owned()])),
        ("snapshot", counts([database.snapshot_number()?])),
        ("tables", counts([tables.len() as u64])),
        ("size", texts([format_byte_size(bytes)])),
    ])?;
    session.show(&batch)?;
    Ok(Next::Go)
}

pub(super) fn open(session: &mut Session<'_>, arguments: &[String]) -> Result<Next, Failure> {
    let is_read_only = |word: &&String| word.as_str() == "--readonly";
    let paths: Vec<&String> = arguments.iter().filter(|word| !is_read_only(word)).collect();
    let readonly = paths.len() < arguments.len();
    let options = session.database().options().clone();
    let is_new = matches!(paths[..], [path] if is_new(Path::new(path)));
    let database = match paths[..] {
        [] if readonly => return Err(usage("open")),
        [] => Database::open_in_memory_with(options)?,
        [path] if readonly => Database::open_read_only_with(path, options)?,
        [path] => Database::open_with(path, options)?,
        _ => return Err(usage("open")),
    };
    session.connection = database.connect();
    session.last = LastResult::default();
    let text = format!("Opened {}.", place_of(session.database(), is_new));
    if session.view.format.is_for_people() {
        session.target.note(&session.view.style.dim(&text))?;
    }
    Ok(Next::Go)
}

/// Whether opening the path makes a database.
pub(crate) fn is_new(path: &Path) -> bool {
    path.read_dir().map_or(true, |mut entries| entries.next().is_none())
}

/// Where a database is and what may be done with it, as a phrase.
pub(crate) fn place_of(database: &Database, is_new: bool) -> String {
    match (database.path(), database.is_read_only()) {
        (None, _) => "a database in memory".to_owned(),
        (Some(path), _) if is_new => format!("{}, a new database", path.display()),
        (Some(path), false) => path.display().to_string(),
        (Some(path), true) => format!("{}, read-only", path.display()),
    }
}

/// A batch of these columns, those without any value left out.
pub(super) fn rows_of(mut columns: Vec<(&str, ArrayRef)>) -> Result<RecordBatch, Failure> {
    columns.retain(|(_, array)| array.null_count() < array.len());
    let columns = columns.into_iter().map(|(name, array)| (name, array, true));
    RecordBatch::try_from_iter_with_nullable(columns)
        .map_err(|error| Failure::Other(error.to_string()))
}

/// A column of texts.
pub(super) fn texts(values: impl IntoIterator<Item = String>) -> ArrayRef {
    Arc::new(StringArray::from_iter_values(values))
}

/// A column of what is said about things; left out where nothing is said.
fn comments(values: impl Iterator<Item = Option<String>>) -> ArrayRef {
    Arc::new(values.collect::<StringArray>())
}

/// A column of counts.
pub(super) fn counts(values: impl IntoIterator<Item = u64>) -> ArrayRef {
    let values = values.into_iter().map(|count| i64::try_from(count).unwrap_or(i64::MAX));
    Arc::new(Int64Array::from_iter_values(values))
}

fn append(text: &mut String, arguments: std::fmt::Arguments<'_>) {
    text.write_fmt(arguments).expect("writing to a String does not fail");
}
