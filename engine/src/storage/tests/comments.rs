//! Comments through commits, loads, drops and reopening.

use super::*;
use crate::storage::CommentTarget;

fn comment_and_reopen(backend: Arc<dyn Backend>) -> Result<()> {
    let store = Store::create(Arc::clone(&backend), OPTIONS)?;
    let transaction = store.begin()?;
    let id = create(&transaction, "t")?;
    transaction.set_comment(id, CommentTarget::Table, Some("one row per ö"))?;
    transaction.set_comment(id, CommentTarget::Field(NAME), Some("what it is called"))?;
    transaction.set_comment(id, CommentTarget::Field(SCORE), Some("0 to 1"))?;
    transaction.commit()?;
    let transaction = store.begin()?;
    append(&transaction, id, 0..5, 8)?;
    transaction.set_comment(id, CommentTarget::Field(NAME), Some("its name"))?;
    transaction.drop_field(id, SCORE)?;
    transaction.commit()?;
    let reopened = Store::open(backend)?;
    let t = table(&*reopened.snapshot()?, "t")?;
    let comments = t.comments()?;
    assert_eq!(comments.table.as_deref(), Some("one row per ö"));
    assert_eq!(comments.fields.len(), 1);
    assert_eq!(comments.fields[&NAME], "its name");
    // Other metadata is kept.
    assert!(t.metadata()?.contains(&("made by".into(), "tests".into())));
    let transaction = reopened.begin()?;
    transaction.set_comment(id, CommentTarget::Table, None)?;
    let snapshot = transaction.commit()?;
    assert_eq!(table(&snapshot, "t")?.comments()?.table, None);
    Ok(())
}

#[test]
fn comments_survive_loads_and_reopening_and_go_with_their_columns() -> Result<()> {
    on_each_backend(comment_and_reopen)
}

#[test]
fn a_comment_has_a_limit_and_a_table() -> Result<()> {
    let store = Store::create(Arc::new(MemoryBackend::new()), OPTIONS)?;
    let transaction = store.begin()?;
    let id = create(&transaction, "t")?;
    let long = "x".repeat(70_000);
    assert!(transaction.set_comment(id, CommentTarget::Table, Some(&long)).is_err());
    assert!(transaction.set_comment(TableId(9), CommentTarget::Table, Some("x")).is_err());
    Ok(())
}
