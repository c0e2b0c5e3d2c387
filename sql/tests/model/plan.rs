//! The naive executor: one function per operator, row by row, everything in memory.
//!
//! It runs the plan that the binder made, before any rule. An error is a value like any other until
//! the answer needs it: see [`compare`](crate::compare).

use std::cell::{self, RefCell};
use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

use martlet::plan::{Expr, LogicalPlan, Scan, SortKey, Source};
use martlet::{Connection, Error, Result, Value};

use crate::aggregate::canonical;
use crate::answer::{self, Row, bits};
use crate::time::Zone;
use crate::window::keeps_no_number;

/// A value, or the error that computing it raised.
pub(crate) type Cell = Result<Value>;

/// What the model says a query gives.
pub(crate) struct Expected {
    pub(crate) rows: Vec<Row>,
    pub(crate) order: Order,
}

/// How much of the rows' order the query settles.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Order {
    /// All of it.
    Settled,
    /// None, or not where sort keys tie.
    Open,
    /// A LIMIT took some of rows in open order: only their number is settled.
    CountOnly,
    /// Something was computed from such rows, or from digits that a double has no place for.
    Nothing,
}

impl Order {
    /// Whether it is open which rows there are.
    pub(crate) fn depends_on_chance(self) -> bool {
        matches!(self, Order::CountOnly | Order::Nothing)
    }
}

/// A row on its way.
#[derive(Clone)]
pub(crate) struct LazyRow {
    pub(crate) cells: Vec<Cell>,
    /// The error of the predicate that should have said whether the row is there.
    pub(crate) doubt: Option<Error>,
}

/// Rows on their way.
pub(crate) struct Relation {
    pub(crate) rows: Vec<LazyRow>,
    pub(crate) order: Order,
}

/// A table: its columns' names, and its rows.
struct Table {
    names: Vec<String>,
    rows: Vec<Row>,
}

/// Runs plans over tables that it holds.
pub(crate) struct Model {
    tables: BTreeMap<String, Table>,
    pub(crate) zone: Zone,
    /// SQLSTATEs of the errors met so far, needed or not.
    raised: RefCell<BTreeSet<&'static str>>,
    /// A statistic met products of doubles that are too small for all of their digits.
    has_lost_digits: cell::Cell<bool>,
}

impl Model {
    /// A model in a session's time zone, without tables.
    pub(crate) fn new(zone: &str) -> Model {
        let zone = Zone::named(zone);
        let (raised, has_lost_digits) = (RefCell::default(), cell::Cell::default());
        Model { tables: BTreeMap::new(), zone, raised, has_lost_digits }
    }

    /// Adds a table. A table keeps one zero, and one NaN, of those that SQL calls equal.
    pub(crate) fn insert_table(&mut self, name: &str, names: Vec<String>, rows: Vec<Row>) {
        let stored = |row: Row| row.into_iter().map(canonical).collect();
        let rows = rows.into_iter().map(stored).collect();
        self.tables.insert(name.to_owned(), Table { names, rows });
    }

    /// Copies the tables and files of `plan` from a database.
    pub(crate) fn read_tables(
        &mut self,
        connection: &Connection,
        plan: &LogicalPlan,
    ) -> Result<()> {
        if let LogicalPlan::Scan(scan) = plan {
            let parts: Vec<String> = match &scan.source {
                Source::Table { name, .. } => vec![quoted(name, '"')],
                Source::Parquet { paths, binary_as_string } => {
                    let paths: Vec<String> = paths.iter().map(|path| quoted(path, '\'')).collect();
                    let paths = paths.join(", ");
                    vec![format!("read_parquet([{paths}], binary_as_string => {binary_as_string})")]
                }
                Source::Files(set) => vec![quoted(&set.files[0].path, '\'')],
            };
            let schema = connection.query(&format!("FROM {}", parts[0]))?.schema();
            let names: Vec<String> = schema.fields().iter().map(|f| f.name().clone()).collect();
            let columns: Vec<String> = names.iter().map(|name| quoted(name, '"')).collect();
            let mut rows = Vec::new();
            for part in parts {
                let sql = format!("SELECT {} FROM {part}", columns.join(", "));
                rows.extend(answer::ask(connection, &sql)?.rows);
            }
            self.insert_table(&source_name(&scan.source), names, rows);
        }
        plan.input().map_or(Ok(()), |input| self.read_tables(connection, input))
    }

    /// The plan's answer.
    pub(crate) fn run(&self, plan: &LogicalPlan) -> Result<Expected> {
        let Relation { rows, order } = self.relation(plan)?;
        let order = if self.has_lost_digits.get() { Order::Nothing } else { order };
        if order.depends_on_chance() {
            return Ok(Expected { rows: vec![Row::new(); rows.len()], order });
        }
        let settled = |row: LazyRow| match row.doubt {
            Some(error) => Err(error),
            None => row.cells.into_iter().collect(),
        };
        Ok(Expected { rows: rows.into_iter().map(settled).collect::<Result<_>>()?, order })
    }

    /// SQLSTATEs of the errors met, needed or not.
    pub(crate) fn raised(&self) -> BTreeSet<&'static str> {
        self.raised.borrow().clone()
    }

    /// Notes an error.
    pub(crate) fn note(&self, error: &Error) {
        self.raised.borrow_mut().insert(error.kind().sqlstate());
    }

    /// Notes that the last digits of an answer are nobody's: a double has none below 2^-1074, where
    /// products of small ones have theirs. The engine's statistics are exact but for these.
    pub(crate) fn note_lost_digits(&self) {
        self.has_lost_digits.set(true);
    }

    fn relation(&self, plan: &LogicalPlan) -> Result<Relation> {
        let input = plan.input().map(|input| self.relation(input)).transpose()?;
        let Some(Relation { rows, order }) = input else {
            return match plan {
                LogicalPlan::Scan(scan) => self.scan(scan),
                LogicalPlan::Values { rows, .. } => Ok(self.values(rows)),
                other => Err(Error::internal(format!("no input: {other}"))),
            };
        };
        let keeps_count = matches!(plan, LogicalPlan::Project { .. } | LogicalPlan::Limit { .. });
        if order == Order::Nothing || (order == Order::CountOnly && !keeps_count) {
            return Ok(Relation { rows: Vec::new(), order: Order::Nothing });
        }
        Ok(match plan {
            LogicalPlan::Scan(_) | LogicalPlan::Values { .. } => Relation { rows, order },
            LogicalPlan::Filter { input, predicate } if keeps_no_number(input, predicate) => {
                Relation { rows: Vec::new(), order: Order::Settled }
            }
            LogicalPlan::Filter { predicate, .. } => {
                Relation { rows: self.filter(rows, predicate), order }
            }
            LogicalPlan::Project { exprs, .. } => {
                let project = |row: LazyRow| {
                    let cells = exprs.iter().map(|expr| self.eval(expr, &row.cells)).collect();
                    LazyRow { cells, doubt: row.doubt }
                };
                Relation { rows: rows.into_iter().map(project).collect(), order }
            }
            LogicalPlan::Aggregate { keys, aggregates, .. } => {
                let order = if keys.is_empty() { Order::Settled } else { Order::Open };
                Relation { rows: self.aggregate(&rows, keys, aggregates), order }
            }
            LogicalPlan::Window { window, .. } => self.window(rows, order, window),
            LogicalPlan::Sort { keys, .. } => self.sort(rows, order, keys),
            LogicalPlan::Limit { offset, limit, .. } => cut(rows, order, *offset, *limit),
        })
    }

    fn scan(&self, scan: &Scan) -> Result<Relation> {
        let name = source_name(&scan.source);
        let table = self.tables.get(&name).ok_or_else(|| Error::internal("no such table"))?;
        let place = |name: &String| table.names.iter().position(|other| other == name);
        let places: Option<Vec<usize>> =
            scan.columns.iter().map(|column| place(&column.name)).collect();
        let places = places.ok_or_else(|| Error::internal("no such column"))?;
        let row = |row: &Row| {
            let cells = places.iter().map(|place| Ok(row[*place].clone())).collect();
            LazyRow { cells, doubt: None }
        };
        let mut rows: Vec<LazyRow> = table.rows.iter().map(row).collect();
        for conjunct in &scan.filter {
            rows = self.filter(rows, conjunct);
        }
        for row in &mut rows {
            row.cells.truncate(scan.output_count);
        }
        Ok(Relation { rows, order: Order::Settled })
    }

    fn values(&self, rows: &[Vec<Expr>]) -> Relation {
        let row = |row: &Vec<Expr>| {
            let cells = row.iter().map(|expr| self.eval(expr, &[])).collect();
            LazyRow { cells, doubt: None }
        };
        Relation { rows: rows.iter().map(row).collect(), order: Order::Settled }
    }

    /// The rows for which the predicate is true, or may be.
    fn filter(&self, rows: Vec<LazyRow>, predicate: &Expr) -> Vec<LazyRow> {
        let keep = |mut row: LazyRow| match self.is(predicate, true, &row.cells) {
            Ok(true) => Some(row),
            Ok(false) => None,
            Err(error) => {
                row.doubt = row.doubt.or(Some(error));
                Some(row)
            }
        };
        rows.into_iter().filter_map(keep).collect()
    }

    /// Ties stay in the input's order. Where a key fails, the order is open.
    fn sort(&self, rows: Vec<LazyRow>, order: Order, keys: &[SortKey]) -> Relation {
        let key_of = |row: &LazyRow| {
            let cells: Vec<Cell> =
                keys.iter().map(|key| self.eval(&key.expr, &row.cells)).collect();
            cells.into_iter().collect::<Result<Row>>()
        };
        let Ok(row_keys) = rows.iter().map(key_of).collect::<Result<Vec<Row>>>() else {
            return Relation { rows, order: Order::Open };
        };
        let mut rows: Vec<(Row, LazyRow)> = row_keys.into_iter().zip(rows).collect();
        rows.sort_by(|(left, _), (right, _)| sort_order(keys, left, right));
        let is_tie = |pair: &[(Row, LazyRow)]| {
            sort_order(keys, &pair[0].0, &pair[1].0) == Ordering::Equal
                && !is_same(&pair[0].1, &pair[1].1)
        };
        let is_open = order == Order::Open && rows.windows(2).any(is_tie);
        let order = if is_open { Order::Open } else { Order::Settled };
        Relation { rows: rows.into_iter().map(|(_, row)| row).collect(), order }
    }
}

/// A name or text as SQL writes it.
pub(crate) fn quoted(text: &str, quote: char) -> String {
    let doubled = text.replace(quote, &format!("{quote}{quote}"));
    format!("{quote}{doubled}{quote}")
}

fn source_name(source: &Source) -> String {
    match source {
        Source::Table { name, .. } => name.clone(),
        Source::Parquet { paths, binary_as_string } => {
            format!("{} {binary_as_string}", paths.join(" "))
        }
        Source::Files(set) => set.files[0].path.clone(),
    }
}

/// Whether nobody can tell two rows apart. A cell that failed may be of either row.
pub(crate) fn is_same(left: &LazyRow, right: &LazyRow) -> bool {
    let shown = |row: &LazyRow| {
        row.cells.iter().cloned().collect::<Result<Row>>().ok().map(|row| bits(&row))
    };
    shown(left).is_some_and(|left| shown(right) == Some(left))
}

pub(crate) fn sort_order(keys: &[SortKey], left: &Row, right: &Row) -> Ordering {
    let one = |((key, left), right): ((&SortKey, &Value), &Value)| match (
        left.is_null(),
        right.is_null(),
    ) {
        (true, true) => Ordering::Equal,
        (true, false) if key.nulls_first => Ordering::Less,
        (true, false) => Ordering::Greater,
        (false, true) if key.nulls_first => Ordering::Greater,
        (false, true) => Ordering::Less,
        (false, false) if key.descending => right.order(left),
        (false, false) => left.order(right),
    };
    let orders = keys.iter().zip(left).zip(right).map(one);
    orders.fold(Ordering::Equal, Ordering::then)
}

fn cut(rows: Vec<LazyRow>, order: Order, offset: u64, limit: Option<u64>) -> Relation {
    let row_count = rows.len();
    let skipped = usize::try_from(offset).unwrap_or(usize::MAX);
    let taken = limit.map_or(usize::MAX, |limit| usize::try_from(limit).unwrap_or(usize::MAX));
    // Rows that may not be there make the place of all others doubtful.
    let in_doubt = rows.iter().any(|row| row.doubt.is_some());
    let rows: Vec<LazyRow> = rows.into_iter().skip(skipped).take(taken).collect();
    let order = match order {
        _ if in_doubt => Order::Nothing,
        Order::Open if rows.len() < row_count && !rows.is_empty() => Order::CountOnly,
        order => order,
    };
    Relation { rows, order }
}
