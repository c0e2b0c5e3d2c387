//! Descriptions of tables and columns, kept in the key/value metadata of the table manifest.
//!
//! The key `comment` has the table's, `comment.17` that of the field with the id 17. A field's comment
//! goes with the field.

use hashbrown::HashMap;

use super::table::TableSnapshot;
use super::transaction::Transaction;
use crate::catalog::{FieldId, TableId};
use crate::types::{Error, Result};

/// The key of a table's comment; those of its fields begin with it and a dot.
const KEY: &str = "comment";
/// Bytes of a comment, at most.
const BYTES_MAX: usize = 64 << 10;

/// The comments of one table and its fields.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Comments {
    /// The table's.
    pub table: Option<String>,
    /// Those of its fields.
    pub fields: HashMap<FieldId, String>,
}

/// What a comment is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CommentTarget {
    /// The table itself.
    Table,
    /// One of its fields.
    Field(FieldId),
}

impl CommentTarget {
    /// The key that its comment has in the metadata.
    pub(super) fn key(self) -> String {
        match self {
            CommentTarget::Table => KEY.to_owned(),
            CommentTarget::Field(field) => format!("{KEY}.{}", field.0),
        }
    }
}

impl TableSnapshot {
    /// The comments of the table and its fields.
    ///
    /// # Errors
    /// `Corrupt`.
    pub fn comments(&self) -> Result<Comments> {
        let mut comments = Comments::default();
        for (key, text) in self.metadata()? {
            if key == KEY {
                comments.table = Some(text);
            } else if let Some(id) = key.strip_prefix("comment.").and_then(|id| id.parse().ok()) {
                comments.fields.insert(FieldId(id), text);
            }
        }
        Ok(comments)
    }
}

impl Transaction {
    /// Sets the comment on a table or one of its fields; `None` removes it.
    ///
    /// # Errors
    /// `UnknownName` when there is no such table, `Invalid` for a comment of more than 64 KiB.
    pub fn set_comment(
        &self,
        table: TableId,
        target: CommentTarget,
        comment: Option<&str>,
    ) -> Result<()> {
        if comment.is_some_and(|text| text.len() > BYTES_MAX) {
            return Err(Error::invalid("a comment has at most 64 KiB"));
        }
        self.set_metadata(table, &target.key(), comment)
    }
}
