//! `COMMENT ON`.

use martlet_engine::catalog::Table;
use martlet_engine::storage::CommentTarget;
use martlet_engine::types::Result;

use super::Runner;
use super::insert::column_position;
use crate::bind::unknown_table;
use crate::parse::Comment;
use crate::result::Outcome;

impl Runner<'_> {
    /// Says something about a table or a column.
    pub(super) fn comment(&self, comment: &Comment) -> Result<Outcome> {
        let Comment { table: name, column, text } = comment;
        let transaction = self.database().begin()?;
        let snapshot = transaction.snapshot();
        let table = snapshot
            .table(&name.text)?
            .ok_or_else(|| unknown_table(&name.text, &snapshot.table_names(), name.position))?;
        let target = match column {
            None => CommentTarget::Table,
            Some(column) => CommentTarget::Field(table.field(column_position(&table, column)?).id),
        };
        transaction.set_comment(table.id(), target, text.as_deref())?;
        drop(table);
        self.database().commit(transaction)?;
        Ok(Outcome::Done { row_count: None })
    }
}
