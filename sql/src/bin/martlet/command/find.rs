//! `.find TEXT`: where a text occurs, in names and in the values of small dictionaries.

use martlet::output::format_count;
use martlet::words::quoted;
use martlet::{Connection, DataType, Value};

use super::catalog::{rows_of, texts};
use super::usage;
use crate::bar::{Steps, with_steps};
use crate::session::{Failure, Next, Session};

/// Text columns with more distinct values are not looked into.
const DISTINCT_MAX: u64 = 10_000;
/// Values named for one column.
const VALUES_MAX: usize = 3;

/// Columns named that were not looked into.
const UNSEEN_MAX: usize = 3;

/// What a search found.
#[derive(Default)]
struct Found {
    hits: Vec<Hit>,
    /// Columns whose values are too many.
    unseen: Vec<String>,
}

/// Where a text was found.
struct Hit {
    place: String,
    table: String,
    column: String,
    what: String,
}

pub(super) fn run(session: &mut Session<'_>, arguments: &[String]) -> Result<Next, Failure> {
    let text = arguments.join(" ");
    if text.is_empty() {
        return Err(usage("find"));
    }
    let handle = session.connection.statement_handle();
    let connection = &session.connection;
    let steps = Steps::default();
    let found = session.interrupt.during(&handle, || {
        with_steps(&steps, || find(connection, &text, &steps, || session.interrupt.was_pressed()))
    })?;
    let Found { hits, unseen } = found;
    let unseen = (!unseen.is_empty()).then(|| not_searched(&unseen));
    if hits.is_empty() {
        let unseen = unseen.map_or_else(String::new, |unseen| format!("\n{unseen}"));
        session.say(&format!("{text:?} is in no name, description or value.{unseen}"))?;
        return Ok(Next::Go);
    }
    let batch = rows_of(vec![
        ("found in", texts(hits.iter().map(|hit| hit.place.clone()))),
        ("table", texts(hits.iter().map(|hit| hit.table.clone()))),
        ("column", texts(hits.iter().map(|hit| hit.column.clone()))),
        ("what", texts(hits.iter().map(|hit| hit.what.clone()))),
    ])?;
    session.show(&batch)?;
    if let Some(unseen) = unseen.filter(|_| session.view.format.is_for_people()) {
        session.target.note(&session.view.style.dim(&unseen))?;
    }
    Ok(Next::Go)
}

/// `Not searched, with more than 10,000 values: hits.URL, hits.Title and 3 more columns.`
fn not_searched(columns: &[String]) -> String {
    let named = columns.iter().take(UNSEEN_MAX).cloned().collect::<Vec<_>>().join(", ");
    let more = match columns.len().saturating_sub(UNSEEN_MAX) {
        0 => String::new(),
        1 => " and 1 more column".to_owned(),
        more => format!(" and {} more columns", format_count(more as u64)),
    };
    format!("Not searched, with more than {} values: {named}{more}.", format_count(DISTINCT_MAX))
}

/// Names first, then values.
fn find(
    connection: &Connection,
    text: &str,
    steps: &Steps,
    was_stopped: impl Fn() -> bool,
) -> martlet::Result<Found> {
    let database = connection.database();
    let lowered = text.to_lowercase();
    let holds = |name: &str| name.to_lowercase().contains(&lowered);
    let (mut named, mut valued, mut unseen) = (Vec::new(), Vec::new(), Vec::new());
    let tables = database.tables()?;
    steps.begin(tables.iter().map(|table| table.column_count).sum());
    for table in tables {
        let hit = |place: &str, column: &str, what: String| Hit {
            place: place.to_owned(),
            table: table.name.clone(),
            column: column.to_owned(),
            what,
        };
        if holds(&table.name) {
            let what = format!("{} rows", format_count(table.row_count));
            named.push(hit("table name", "", what));
        }
        if let Some(comment) = table.comment.as_deref().filter(|comment| holds(comment)) {
            named.push(hit("table comment", "", comment.to_owned()));
        }
        let distinct_counts = database.distinct_counts(&table.name)?;
        for (column, distinct_count) in database.columns(&table.name)?.iter().zip(distinct_counts) {
            steps.advance();
            if was_stopped() {
                return Err(martlet::Error::cancelled());
            }
            if holds(&column.name) {
                named.push(hit("column name", &column.name, column.data_type.to_string()));
            }
            if let Some(comment) = column.comment.as_deref().filter(|comment| holds(comment)) {
                named.push(hit("column comment", &column.name, comment.to_owned()));
            }
            let is_small = distinct_count.unwrap_or(table.row_count) <= DISTINCT_MAX;
            if column.data_type == DataType::Utf8 && !is_small {
                unseen.push(format!("{}.{}", table.name, column.name));
            } else if column.data_type == DataType::Utf8 {
                let found = values(connection, (&table.name, &column.name), &lowered)?;
                if !found.is_empty() {
                    valued.push(hit("value", &column.name, found));
                }
            }
        }
    }
    named.append(&mut valued);
    Ok(Found { hits: named, unseen })
}

/// The most frequent values of a column that hold the text, with their rows.
fn values(
    connection: &Connection,
    (table, column): (&str, &str),
    lowered: &str,
) -> martlet::Result<String> {
    let (name, text) = (quoted(column), lowered.replace('\'', "''"));
    let sql = format!(
        "SELECT {name} AS v, count(*) AS n FROM {} WHERE contains(lower({name}), '{text}')
         GROUP BY v ORDER BY n DESC, v LIMIT {}",
        quoted(table),
        VALUES_MAX + 1
    );
    let mut found = Vec::new();
    for batch in connection.query(&sql)? {
        let batch = batch?;
        for row in 0..batch.num_rows() {
            let value = Value::from_array(batch.column(0), DataType::Utf8, row);
            let count = Value::from_array(batch.column(1), DataType::Int64, row);
            let (Value::Text(value), Value::Int(count)) = (value, count) else { continue };
            let count = format_count(u64::try_from(count).unwrap_or(0));
            found.push(format!("{} ({count})", crate::format::fitted(&value, 40)));
        }
    }
    if found.len() > VALUES_MAX {
        "…".clone_into(&mut found[VALUES_MAX]);
    }
    Ok(found.join(", "))
}
