//! The naive executor: one function per operator, row by row, everything in memory.
//!
//! It runs the plan that the binder made, before any rule. An error is a value like any other until
//! the answer needs it: see [`compare`](crate::compare).

use std::cell::RefCell;
use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

use martlet::plan::{Expr, LogicalPlan, Scan, SortKey, Source};
use martlet::{Connection, Error, Result, Value};

use crate::answer::{self, Row, bits};
use crate::time::Zone;

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
    /// Something was computed from such rows.
    Nothing,
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
}

impl Model {
    /// A model in a session's time zone, without tables.
    pub(crate) fn new(zone: &str) -> Model {
        let zone = Zone::named(zone);
        Model { tables: BTreeMap::new(), zone, raised: RefCell::default() }
    }

    /// Adds a table.
    pub(crate) fn insert_table(&mut self, name: &str, names: Vec<String>, rows: Vec<Row>) {
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
        let relation = self.relation(plan)?;
        let settled = |row: LazyRow| match row.doubt {
            Some(error) => Err(error),
            None => row.cells.into_iter().collect(),
        };
        let rows = relation.rows.into_iter().map(settled).collect::<Result<_>>()?;
        Ok(Expected { rows, order: relation.order })
    }

    /// SQLSTATEs of the errors met, needed or not.
    pub(crate) fn raised(&self) -> BTreeSet<&'static str> {
        self.raised.borrow().clone()
    }

    /// Notes an error.
    pub(crate) fn note(&self, error: &Error) {
        self.raised.borrow_mut().insert(error.kind().sqlstate());
    }

    fn relation(&self, plan: &LogicalPlan) -> Result<Relation> {
        match plan {
            LogicalPlan::Scan(scan) => self.scan(scan),
            LogicalPlan::Values { rows, .. } => Ok(self.values(rows)),
            LogicalPlan::Filter { input, predicate } => {
                let relation = self.relation(input)?;
                let rows = self.filter(relation.rows, predicate);
                Ok(Relation { rows, order: computed(relation.order) })
            }
            LogicalPlan::Project { input, exprs, .. } => {
                let Relation { rows, order } = self.relation(input)?;
                let project = |row: LazyRow| {
                    let cells = exprs.iter().map(|expr| self.eval(expr, &row.cells)).collect();
                    LazyRow { cells, doubt: row.doubt }
                };
                Ok(Relation { rows: rows.into_iter().map(project).collect(), order })
            }
            LogicalPlan::Aggregate { input, keys, aggregates, .. } => {
                let relation = self.relation(input)?;
                let rows = self.aggregate(&relation.rows, keys, aggregates)?;
                let order = match computed(relation.order) {
                    Order::Nothing => Order::Nothing,
                    _ if keys.is_empty() => Order::Settled,
                    _ => Order::Open,
                };
                Ok(Relation { rows, order })
            }
            LogicalPlan::Sort { input, keys } => self.sort(self.relation(input)?, keys),
            LogicalPlan::Limit { input, offset, limit } => {
                Ok(cut(self.relation(input)?, *offset, *limit))
            }
        }
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
        let keep = |mut row: LazyRow| match self.eval(predicate, &row.cells) {
            Ok(Value::Bool(true)) => Some(row),
            Ok(_) => None,
            Err(error) => {
                row.doubt = row.doubt.or(Some(error));
                Some(row)
            }
        };
        rows.into_iter().filter_map(keep).collect()
    }

    fn sort(&self, relation: Relation, keys: &[SortKey]) -> Result<Relation> {
        let with_keys = |row: LazyRow| {
            let keys = keys.iter().map(|key| self.eval(&key.expr, &row.cells));
            Ok((keys.collect::<Result<Row>>()?, row))
        };
        let mut rows: Vec<(Row, LazyRow)> =
            relation.rows.into_iter().map(with_keys).collect::<Result<_>>()?;
        rows.sort_by(|(left, _), (right, _)| sort_order(keys, left, right));
        let is_tie = |pair: &[(Row, LazyRow)]| {
            sort_order(keys, &pair[0].0, &pair[1].0) == Ordering::Equal
                && shown(&pair[0].1) != shown(&pair[1].1)
        };
        let order = match computed(relation.order) {
            Order::Open if !rows.windows(2).any(is_tie) => Order::Settled,
            order => order,
        };
        Ok(Relation { rows: rows.into_iter().map(|(_, row)| row).collect(), order })
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
    }
}

/// What is settled of rows computed from rows of which `input` is.
fn computed(input: Order) -> Order {
    match input {
        Order::CountOnly => Order::Nothing,
        order => order,
    }
}

fn shown(row: &LazyRow) -> Option<String> {
    row.cells.iter().cloned().collect::<Result<Row>>().ok().map(|row| bits(&row))
}

fn sort_order(keys: &[SortKey], left: &Row, right: &Row) -> Ordering {
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

fn cut(relation: Relation, offset: u64, limit: Option<u64>) -> Relation {
    let row_count = relation.rows.len();
    let skipped = usize::try_from(offset).unwrap_or(usize::MAX);
    let taken = limit.map_or(usize::MAX, |limit| usize::try_from(limit).unwrap_or(usize::MAX));
    let rows: Vec<LazyRow> = relation.rows.into_iter().skip(skipped).take(taken).collect();
    let order = match relation.order {
        Order::Open if rows.len() < row_count && !rows.is_empty() => Order::CountOnly,
        order => order,
    };
    Relation { rows, order }
}
