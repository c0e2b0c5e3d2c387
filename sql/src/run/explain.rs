//! `EXPLAIN` and `EXPLAIN ANALYZE`: a plan, and what it did, as lines of text.

use martlet_engine::types::{DataType, Result, Value};
use sqlparser::ast::Query;

use super::Runner;
use crate::result::Outcome;

impl Runner<'_> {
    /// The physical plan; with `analyze` the query is run and what each operator did is told.
    pub(super) fn explain(&self, query: &Query, analyze: bool) -> Result<Outcome> {
        let snapshot = self.database().snapshot()?;
        let text = if analyze {
            let mut result = self.query(query, &snapshot)?;
            for batch in &mut result {
                batch?;
            }
            result.profile().to_string()
        } else {
            self.plan(query, &snapshot)?.to_string()
        };
        let lines = text.lines().map(|line| vec![Value::Text(line.to_owned())]).collect();
        self.rows(&[("plan", DataType::Utf8)], lines)
    }
}
