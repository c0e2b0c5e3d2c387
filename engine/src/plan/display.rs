//! Plans as `EXPLAIN` prints them: one operator a line, its input below it and further right.

mod sql;

use std::fmt::{self, Display, Formatter};

pub use self::sql::{DisplayAggregate, DisplayExpr};

use super::aggregate::Aggregate;
use super::expression::Expr;
use super::logical::{LogicalPlan, OutputColumn, Scan, SortKey, Source};
use super::physical::{PhysicalPlan, Rung};
use super::window::Window;

/// Columns, expressions or values that one line lists before it counts the rest.
const LISTED_MAX: usize = 12;

impl Expr {
    /// Prints as SQL over an input whose columns have these names.
    pub fn display<'a>(&'a self, names: &'a [String]) -> DisplayExpr<'a> {
        DisplayExpr { expr: self, names }
    }
}

impl Aggregate {
    /// Prints as SQL over an input whose columns have these names.
    pub fn display<'a>(&'a self, names: &'a [String]) -> DisplayAggregate<'a> {
        DisplayAggregate { aggregate: self, names }
    }
}

impl Display for LogicalPlan {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        Node::Logical(self).write(f, 0)
    }
}

impl Display for PhysicalPlan {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        Node::Physical(self).write(f, 0)
    }
}

impl PhysicalPlan {
    /// The operator's own line of `EXPLAIN`, without its input.
    pub fn summary(&self) -> String {
        Line(Node::Physical(self)).to_string()
    }
}

/// An operator of either plan.
#[derive(Clone, Copy)]
enum Node<'a> {
    Logical(&'a LogicalPlan),
    Physical(&'a PhysicalPlan),
}

struct Line<'a>(Node<'a>);

impl Display for Line<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        self.0.write_line(f)
    }
}

impl<'a> Node<'a> {
    fn write(self, f: &mut Formatter<'_>, depth: usize) -> fmt::Result {
        write!(f, "{:width$}", "", width = depth * 2)?;
        self.write_line(f)?;
        writeln!(f)?;
        match self.input() {
            Some(input) => input.write(f, depth + 1),
            None => Ok(()),
        }
    }

    fn input(self) -> Option<Node<'a>> {
        match self {
            Node::Logical(plan) => plan.input().map(Node::Logical),
            Node::Physical(plan) => plan.input().map(Node::Physical),
        }
    }

    fn output(self) -> Vec<OutputColumn> {
        match self {
            Node::Logical(plan) => plan.output(),
            Node::Physical(plan) => plan.output(),
        }
    }

    fn write_line(self, f: &mut Formatter<'_>) -> fmt::Result {
        let names: Vec<String> = match self.input() {
            Some(input) => input.output().into_iter().map(|column| column.name).collect(),
            None => Vec::new(),
        };
        match self {
            Node::Logical(plan) => write_logical(f, plan, &names),
            Node::Physical(plan) => write_physical(f, plan, &names),
        }
    }
}

fn write_logical(f: &mut Formatter<'_>, plan: &LogicalPlan, names: &[String]) -> fmt::Result {
    match plan {
        LogicalPlan::Scan(scan) => write_scan(f, scan),
        LogicalPlan::Values { columns, rows } => write_values(f, columns, rows.len()),
        LogicalPlan::Filter { predicate, .. } => write!(f, "Filter: {}", predicate.display(names)),
        LogicalPlan::Project { exprs, names: outputs, .. } => {
            f.write_str("Project: ")?;
            write_named(f, exprs.iter().map(|expr| expr.display(names)), outputs)
        }
        LogicalPlan::Aggregate { keys, aggregates, names: outputs, .. } => {
            f.write_str("Aggregate: ")?;
            write_groups(f, (keys, aggregates), names, outputs)
        }
        LogicalPlan::Window { window, .. } => write_window(f, window, names),
        LogicalPlan::Sort { keys, .. } => {
            f.write_str("Sort: ")?;
            write_keys(f, keys, names)
        }
        LogicalPlan::Limit { offset, limit, .. } => write_limit(f, "Limit: ", *offset, *limit),
    }
}

fn write_physical(f: &mut Formatter<'_>, plan: &PhysicalPlan, names: &[String]) -> fmt::Result {
    match plan {
        PhysicalPlan::Scan(scan) => write_scan(f, scan),
        PhysicalPlan::Values { columns, rows } => write_values(f, columns, rows.len()),
        PhysicalPlan::Filter { predicate, .. } => {
            write!(f, "Filter: {}", predicate.display(names))
        }
        PhysicalPlan::Project { exprs, names: outputs, .. } => {
            f.write_str("Project: ")?;
            write_named(f, exprs.iter().map(|expr| expr.display(names)), outputs)
        }
        PhysicalPlan::Aggregate { keys, aggregates, names: outputs, rungs, .. } => {
            f.write_str("Aggregate by ")?;
            write_list(f, rungs, " or ")?;
            f.write_str(": ")?;
            write_groups(f, (keys, aggregates), names, outputs)
        }
        PhysicalPlan::Window { window, .. } => write_window(f, window, names),
        PhysicalPlan::Sort { keys, .. } => {
            f.write_str("Sort: ")?;
            write_keys(f, keys, names)
        }
        PhysicalPlan::TopN { keys, offset, limit, .. } => {
            write_limit(f, "Top-n: ", *offset, Some(*limit))?;
            f.write_str(" by ")?;
            write_keys(f, keys, names)
        }
        PhysicalPlan::Limit { offset, limit, .. } => write_limit(f, "Limit: ", *offset, *limit),
    }
}

impl Display for Rung {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Rung::Metadata => "metadata",
            Rung::Single => "single",
            Rung::Dense => "dense",
            Rung::Hash => "hash",
        })
    }
}

fn write_scan(f: &mut Formatter<'_>, scan: &Scan) -> fmt::Result {
    match &scan.source {
        Source::Table { name, .. } => write!(f, "Scan {name}: ")?,
        Source::Parquet { paths, binary_as_string } => {
            f.write_str("Scan ")?;
            write_list(f, paths.iter().map(|path| format!("'{path}'")), ", ")?;
            f.write_str(if *binary_as_string { " (binary as text): " } else { ": " })?;
        }
        Source::Files(set) => {
            f.write_str("Scan ")?;
            write_list(f, set.files.iter().map(|file| format!("'{}'", file.path)), ", ")?;
            f.write_str(": ")?;
        }
    }
    let (output, filtered) = scan.columns.split_at(scan.output_count);
    match output.len() {
        0 => f.write_str("no columns")?,
        1 => f.write_str("1 column [")?,
        count => write!(f, "{count} columns [")?,
    }
    if !output.is_empty() {
        write_list(f, output.iter().map(|column| &column.name), ", ")?;
        f.write_str("]")?;
    }
    if !filtered.is_empty() {
        write!(f, " and {} to filter [", filtered.len())?;
        write_list(f, filtered.iter().map(|column| &column.name), ", ")?;
        f.write_str("]")?;
    }
    if scan.filter.is_empty() {
        return Ok(());
    }
    let names: Vec<String> = scan.columns.iter().map(|column| column.name.clone()).collect();
    let all = Expr::And(scan.filter.clone());
    let predicate = if let [single] = scan.filter.as_slice() { single } else { &all };
    write!(f, ", filter {}", predicate.display(&names))
}

fn write_values(f: &mut Formatter<'_>, columns: &[OutputColumn], row_count: usize) -> fmt::Result {
    let rows = if row_count == 1 { "row" } else { "rows" };
    write!(f, "Values: {row_count} {rows}")?;
    if !columns.is_empty() {
        f.write_str(" of [")?;
        write_list(f, columns.iter().map(|column| &column.name), ", ")?;
        f.write_str("]")?;
    }
    Ok(())
}

fn write_groups(
    f: &mut Formatter<'_>,
    (keys, aggregates): (&[Expr], &[Aggregate]),
    names: &[String],
    outputs: &[String],
) -> fmt::Result {
    let (key_names, aggregate_names) = outputs.split_at(keys.len());
    if !keys.is_empty() {
        f.write_str(if keys.len() == 1 { "key " } else { "keys " })?;
        write_named(f, keys.iter().map(|key| key.display(names)), key_names)?;
        if !aggregates.is_empty() {
            f.write_str("; ")?;
        }
    }
    write_named(f, aggregates.iter().map(|aggregate| aggregate.display(names)), aggregate_names)
}

fn write_keys(f: &mut Formatter<'_>, keys: &[SortKey], names: &[String]) -> fmt::Result {
    write_list(f, keys.iter().map(|key| DisplayKey { key, names }), ", ")
}

fn write_window(f: &mut Formatter<'_>, window: &Window, names: &[String]) -> fmt::Result {
    let Window { partition, order, functions, names: outputs, limit } = window;
    match limit {
        None => f.write_str("Window:")?,
        Some(1) => f.write_str("Top-n per partition: 1 row")?,
        Some(limit) => write!(f, "Top-n per partition: {limit} rows")?,
    }
    if !order.is_empty() {
        f.write_str(" by ")?;
        write_keys(f, order, names)?;
    }
    if !partition.is_empty() {
        f.write_str(if order.is_empty() { " partition by " } else { ", partition by " })?;
        write_list(f, partition.iter().map(|expr| expr.display(names)), ", ")?;
    }
    if functions.is_empty() {
        return Ok(());
    }
    let is_alone = limit.is_none() && order.is_empty() && partition.is_empty();
    f.write_str(if is_alone { " " } else { "; " })?;
    let calls = functions.iter().map(|function| format!("{}()", function.name()));
    write_named(f, calls, outputs)
}

struct DisplayKey<'a> {
    key: &'a SortKey,
    names: &'a [String],
}

impl Display for DisplayKey<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let SortKey { expr, descending, nulls_first } = self.key;
        write!(f, "{}", expr.display(self.names))?;
        if *descending {
            f.write_str(" DESC")?;
        }
        if nulls_first != descending {
            f.write_str(if *nulls_first { " NULLS FIRST" } else { " NULLS LAST" })?;
        }
        Ok(())
    }
}

fn write_limit(
    f: &mut Formatter<'_>,
    operator: &str,
    offset: u64,
    limit: Option<u64>,
) -> fmt::Result {
    f.write_str(operator)?;
    match limit {
        Some(1) => f.write_str("1 row")?,
        Some(limit) => write!(f, "{limit} rows")?,
        None => f.write_str("all rows")?,
    }
    if offset > 0 { write!(f, " after {offset}") } else { Ok(()) }
}

/// Expressions with the names of their outputs, where those say something else.
fn write_named<D: Display>(
    f: &mut Formatter<'_>,
    items: impl Iterator<Item = D>,
    outputs: &[String],
) -> fmt::Result {
    let named = items.zip(outputs).map(|(item, name)| {
        let shown = item.to_string();
        // A name that is no word was made from the expression that the query wrote.
        let is_alias = shown != *name && sql::is_plain_word(name);
        if is_alias { format!("{shown} AS {name}") } else { shown }
    });
    write_list(f, named, ", ")
}

/// The first items, and how many there are beyond them.
fn write_list<D: Display>(
    f: &mut Formatter<'_>,
    items: impl IntoIterator<Item = D>,
    separator: &str,
) -> fmt::Result {
    let mut rest_count = 0;
    for (index, item) in items.into_iter().enumerate() {
        if index >= LISTED_MAX {
            rest_count += 1;
            continue;
        }
        if index > 0 {
            f.write_str(separator)?;
        }
        write!(f, "{item}")?;
    }
    if rest_count > 0 { write!(f, "{separator}… {rest_count} more") } else { Ok(()) }
}

#[cfg(test)]
mod tests;
