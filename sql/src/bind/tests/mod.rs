//! The binder over tables that exist only as a list of names.

mod errors;
mod plans;
mod tables;

use martlet_engine::plan::LogicalPlan;
use martlet_engine::types::{Error, Result};

use self::tables::Tables;
use super::{Binder, Parameters};
use crate::parse::{Statement, parse};

/// Binds `sql`, which has to be one query.
fn bind(sql: &str) -> Result<LogicalPlan> {
    bind_over(&Tables::default(), sql)
}

fn bind_over(tables: &Tables, sql: &str) -> Result<LogicalPlan> {
    let script = parse(sql)?;
    let [Statement::Query(query)] = &script.statements[..] else {
        return Err(Error::internal("the test takes one query"));
    };
    let mut parameters = Parameters::unknown();
    Binder::new(tables, &script.tokens, &mut parameters, 0).bind(query)
}
