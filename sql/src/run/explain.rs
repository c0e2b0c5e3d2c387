//! `EXPLAIN` and `EXPLAIN ANALYZE`: a plan, and what it did, as lines of text.

use std::time::Duration;

use martlet_engine::exec::{OperatorProfile, Profile};
use martlet_engine::types::{DataType, Result, Value};
use sqlparser::ast::Query;

use super::Runner;
use crate::result::Outcome;

impl Runner<'_> {
    /// The physical plan; with `analyze` the query is run and what each operator did is told.
    pub(super) fn explain(&self, query: &Query, analyze: bool) -> Result<Outcome> {
        let snapshot = self.database().snapshot()?;
        let plan = self.plan(query, &snapshot)?;
        let text = if analyze {
            let mut result = self.execute(&plan, snapshot)?;
            let mut row_count = 0;
            for batch in &mut result {
                row_count += batch?.num_rows();
            }
            analyzed(&result.profile(), row_count)
        } else {
            plan.to_string()
        };
        let lines = text.lines().map(|line| vec![Value::Text(line.to_owned())]).collect();
        self.rows(&[("plan", DataType::Utf8)], lines)
    }
}

fn analyzed(profile: &Profile, row_count: usize) -> String {
    let mut lines: Vec<String> = profile.operators.iter().flat_map(operator_lines).collect();
    lines.push(format!(
        "{row_count} rows in {}, at most {} reserved",
        duration(profile.elapsed),
        size(profile.bytes_peak)
    ));
    lines.join("\n")
}

fn operator_lines(operator: &OperatorProfile) -> Vec<String> {
    let OperatorProfile { name, depth, rows_in, rows_out, time, bytes, notes, scan } = operator;
    let indent = "  ".repeat(*depth);
    let mut lines = vec![format!(
        "{indent}{name}: {rows_in} rows in, {rows_out} out, {}, {}",
        duration(*time),
        size(*bytes)
    )];
    if let Some(scan) = scan {
        lines.push(format!(
            "{indent}  read {} of {} columns, {} of {} pages; {} of {} row groups pruned",
            scan.columns_read,
            scan.columns_total,
            scan.pages_read,
            scan.pages_total,
            scan.row_groups_pruned,
            scan.row_groups_total
        ));
    }
    lines.extend(notes.iter().map(|(what, count)| format!("{indent}  {what}: {count}")));
    lines
}

fn duration(time: Duration) -> String {
    format!("{:.3} ms", time.as_secs_f64() * 1e3)
}

fn size(bytes: usize) -> String {
    const UNITS: [(&str, usize); 3] = [("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)];
    match UNITS.iter().find(|(_, unit)| bytes >= *unit) {
        None => format!("{bytes} B"),
        Some((name, unit)) => {
            let tenths = bytes / (unit / 10);
            format!("{}.{} {name}", tenths / 10, tenths % 10)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_have_one_digit_after_the_point() {
        assert_eq!([0, 1023, 1536, 10 << 20].map(size), ["0 B", "1023 B", "1.5 KiB", "10.0 MiB"]);
    }
}
