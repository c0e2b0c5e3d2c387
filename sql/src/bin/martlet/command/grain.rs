//! `.grain TABLE`: which columns, or small combinations, identify a row.
//!
//! Exact: a combination is named when it has as many distinct values as the table has rows, and no
//! NULL. A sample refuses most combinations before the whole table is asked.

use martlet::output::format_count;
use martlet::words::quoted;
use martlet::{ColumnInfo, Connection, DataType, Error, Result, Value};

use super::catalog::{counts, rows_of, texts};
use super::usage;
use crate::bar::{Steps, with_steps};
use crate::session::{Failure, Next, Session};

/// Columns that are combined: those with the most distinct values.
const COMBINED_MAX: usize = 24;
/// Keys that are named.
const KEYS_MAX: usize = 10;
/// Combinations tried at most.
const TRIALS_MAX: usize = 2_000;
/// Rows of the sample.
const SAMPLE_ROWS: u64 = 20_000;

struct Grain<'a> {
    connection: &'a Connection,
    table: String,
    row_count: u64,
    was_stopped: &'a dyn Fn() -> bool,
    steps: &'a Steps,
}

pub(super) fn run(session: &mut Session<'_>, arguments: &[String]) -> Result<Next, Failure> {
    let (table, size_max) = match arguments {
        [table] => (table, 2),
        [table, size] => {
            let size = size.parse().ok().filter(|size| (1..=3).contains(size));
            (table, size.ok_or_else(|| usage("grain"))?)
        }
        _ => return Err(usage("grain")),
    };
    let columns = session.database().columns(table)?;
    let tables = session.database().tables()?;
    let row_count =
        tables.iter().find(|info| info.name.eq_ignore_ascii_case(table)).map_or(0, |t| t.row_count);
    if row_count == 0 {
        session.say("The table has no rows: anything would be a key.")?;
        return Ok(Next::Go);
    }
    let handle = session.connection.statement_handle();
    let was_stopped = || session.interrupt.was_pressed();
    let steps = Steps::default();
    let grain = Grain {
        connection: &session.connection,
        steps: &steps,
        table: quoted(table),
        row_count,
        was_stopped: &was_stopped,
    };
    let keys = session
        .interrupt
        .during(&handle, || with_steps(&steps, || grain.keys(&columns, size_max)))?;
    if keys.is_empty() {
        let rows = format_count(row_count);
        session.say(&format!("No {} identifies each of the {rows} rows.", what(size_max)))?;
        return Ok(Next::Go);
    }
    let batch = rows_of(vec![
        ("key", texts(keys.iter().map(|key| key.join(", ")))),
        ("columns", counts(keys.iter().map(|key| key.len() as u64))),
        ("rows", counts(keys.iter().map(|_| row_count))),
    ])?;
    session.show(&batch)?;
    Ok(Next::Go)
}

fn what(size_max: usize) -> &'static str {
    match size_max {
        1 => "column",
        2 => "column or pair of columns",
        _ => "column, pair or triple of columns",
    }
}

impl Grain<'_> {
    /// The keys of the smallest size that has any.
    fn keys(&self, columns: &[ColumnInfo], size_max: usize) -> Result<Vec<Vec<String>>> {
        let mut candidates = Vec::new();
        let mut keys = Vec::new();
        self.steps.begin(columns.len());
        for column in columns {
            self.steps.advance();
            if matches!(column.data_type, DataType::Float32 | DataType::Float64) {
                continue;
            }
            let name = quoted(&column.name);
            let [filled, distinct] =
                self.counts([&format!("count({name})"), &format!("count(DISTINCT {name})")], "")?;
            if filled < self.row_count || distinct < 2 {
                continue;
            }
            if distinct == self.row_count {
                keys.push(vec![column.name.clone()]);
            } else {
                candidates.push((distinct, column.name.clone()));
            }
        }
        candidates.sort_by_key(|(distinct, _)| std::cmp::Reverse(*distinct));
        candidates.truncate(COMBINED_MAX);
        let mut size = 2;
        while keys.is_empty() && size <= size_max {
            keys = self.combinations(&candidates, size)?;
            size += 1;
        }
        keys.truncate(KEYS_MAX);
        Ok(keys)
    }

    fn combinations(&self, columns: &[(u64, String)], size: usize) -> Result<Vec<Vec<String>>> {
        let mut keys = Vec::new();
        let trials = subsets(columns.len(), size);
        self.steps.begin(trials.len().min(TRIALS_MAX));
        for chosen in trials.into_iter().take(TRIALS_MAX) {
            self.steps.advance();
            let product = chosen.iter().map(|at| u128::from(columns[*at].0)).product::<u128>();
            if product < u128::from(self.row_count) {
                continue;
            }
            let names: Vec<String> = chosen.iter().map(|at| columns[*at].1.clone()).collect();
            if self.is_key(&names)? {
                keys.push(names);
                if keys.len() == KEYS_MAX {
                    break;
                }
            }
        }
        Ok(keys)
    }

    fn is_key(&self, names: &[String]) -> Result<bool> {
        let list = names.iter().map(|name| quoted(name)).collect::<Vec<_>>().join(", ");
        let asked = ["count(*)", &format!("count(DISTINCT ({list}))")];
        if self.row_count > SAMPLE_ROWS {
            let [rows, distinct] = self.counts(asked, &format!(" LIMIT {SAMPLE_ROWS}"))?;
            if distinct < rows {
                return Ok(false);
            }
        }
        let [rows, distinct] = self.counts(asked, "")?;
        Ok(distinct == rows)
    }

    /// Two aggregates of the table, or of what `limit` leaves of it.
    fn counts(&self, asked: [&str; 2], limit: &str) -> Result<[u64; 2]> {
        if (self.was_stopped)() {
            return Err(Error::cancelled());
        }
        let [first, second] = asked;
        let source = if limit.is_empty() {
            self.table.clone()
        } else {
            format!("(SELECT * FROM {}{limit}) s", self.table)
        };
        let rows = self.connection.query(&format!("SELECT {first}, {second} FROM {source}"))?;
        let mut found = [0, 0];
        for batch in rows {
            let batch = batch?;
            for (index, count) in found.iter_mut().enumerate() {
                if let Value::Int(value) =
                    Value::from_array(batch.column(index), DataType::Int64, 0)
                {
                    *count = u64::try_from(value).unwrap_or(0);
                }
            }
        }
        Ok(found)
    }
}

/// All subsets of `size` of the numbers below `count`, those of small numbers first.
fn subsets(count: usize, size: usize) -> Vec<Vec<usize>> {
    if size == 0 {
        return vec![Vec::new()];
    }
    let mut all = Vec::new();
    for last in size - 1..count {
        for mut subset in subsets(last, size - 1) {
            subset.push(last);
            all.push(subset);
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use martlet::Database;

    use super::*;

    fn keys(rows: &str, size_max: usize) -> Result<Vec<Vec<String>>> {
        let connection = Database::open_in_memory()?.connect();
        connection.execute("CREATE TABLE t (a int, b int, c text, d double)")?;
        let row_count = connection.execute(&format!("INSERT INTO t VALUES {rows}"))?;
        let columns = connection.database().columns("t")?;
        let grain = Grain {
            connection: &connection,
            table: "t".to_owned(),
            row_count,
            was_stopped: &|| false,
            steps: &Steps::default(),
        };
        grain.keys(&columns, size_max)
    }

    #[test]
    fn a_column_without_repetition_and_null_is_a_key() -> Result<()> {
        assert_eq!(keys("(1, 1, 'x', 1), (2, 1, 'y', 2)", 2)?, [["a"], ["c"]]);
        assert_eq!(keys("(1, 1, NULL, 1), (2, 1, 'y', 2)", 2)?, [["a"]]);
        Ok(())
    }

    #[test]
    fn without_one_pairs_and_triples_are_tried() -> Result<()> {
        let rows = "(1, 1, 'x', 1), (1, 2, 'x', 2), (2, 1, 'x', 3), (2, 2, 'x', 4)";
        assert_eq!(keys(rows, 2)?, [["a", "b"]]);
        assert!(keys(rows, 1)?.is_empty());
        let rows =
            "(1,1,'x',1),(1,2,'x',1),(2,1,'x',1),(2,2,'x',1),(1,1,'y',1),(1,2,'y',1),(2,1,'y',1)";
        assert!(keys(rows, 2)?.is_empty());
        assert_eq!(keys(rows, 3)?, [["a", "b", "c"]]);
        Ok(())
    }

    #[test]
    fn subsets_are_all_and_once() {
        assert_eq!(subsets(4, 2).len(), 6);
        assert_eq!(subsets(3, 3), [[0, 1, 2]]);
        assert!(subsets(2, 3).is_empty());
    }
}
