//! Rows that a load left out, into the table that its files' `rejects_table` names.

use std::sync::Arc;

use martlet_engine::context::{Context, Progress};
use martlet_engine::ingest::rows::{REJECT_COLUMNS, rejected_rows};
use martlet_engine::ingest::{Appender, LoadOptions, OrderKey};
use martlet_engine::storage::Transaction;
use martlet_engine::types::Result;

use super::Runner;
use super::load::whole_scan;
use crate::catalog::SnapshotCatalog;
use crate::files::OpenFiles;
use crate::rejects::{RejectsTable, reject_fields};

impl Runner<'_> {
    /// Puts what the files of `catalog` left out into its table, which is created if it is not there.
    /// The other rows are in the transaction already: its commit makes both visible.
    pub(super) fn load_rejects(
        &self,
        transaction: &Transaction,
        catalog: &SnapshotCatalog,
    ) -> Result<()> {
        let rejects = catalog.rejects();
        let Some(rejects) = rejects.as_ref() else { return Ok(()) };
        self.load_rejects_into(transaction, rejects).map_err(|error| {
            let name = rejects.name();
            error.context(format!(
                "nothing is loaded, since rejected rows do not get into \"{name}\""
            ))
        })
    }

    fn load_rejects_into(&self, transaction: &Transaction, rejects: &RejectsTable) -> Result<()> {
        let table = match transaction.find(rejects.name())? {
            Some(table) => table,
            None => transaction.create_table(rejects.name(), &reject_fields(), &[])?,
        };
        let set = Arc::new(rejected_rows(rejects.way()));
        let plan = self.optimized(whole_scan(&OpenFiles::Rows(set))?);
        // Not what the statement is waited for.
        let context = Context { progress: Arc::new(Progress::default()), ..self.context.clone() };
        let options = LoadOptions { order_by: by_place(), ..LoadOptions::default() };
        let mut appender = Appender::new(reject_fields(), options, context);
        for batch in self.execute_for_load(&plan, transaction.snapshot())? {
            appender.append(&batch?)?;
        }
        appender.load(transaction, table)?;
        Ok(())
    }
}

/// By file and place in it: workers leave rows out in no order.
fn by_place() -> Vec<OrderKey> {
    let is_place = |name: &str| matches!(name, "file" | "byte_offset");
    let columns = REJECT_COLUMNS.iter().enumerate().filter(|(_, (name, _))| is_place(name));
    columns.map(|(column, _)| OrderKey { column, descending: false, nulls_first: false }).collect()
}
