//! Wide tables: what is asked for is what it costs.

use std::sync::Arc;

use super::*;
use crate::catalog::NameMatch;
use crate::storage::MemoryBackend;

#[test]
fn every_column_of_a_wide_table_is_found_and_read() -> Result<()> {
    const WIDTH: i64 = 1_500;
    let backend: Arc<dyn Backend> = Arc::new(MemoryBackend::new());
    let store = Store::create(Arc::clone(&backend), OPTIONS)?;
    let transaction = store.begin()?;
    let fields: Vec<NewField> =
        (0..WIDTH).map(|n| field(&format!("Column {n}"), DataType::Int64, false)).collect();
    let id = transaction.create_table("wide", &fields, &[])?;
    let writer = transaction.writer(id)?;
    for row_group in 0..2 {
        let new = writer.add_row_group(5)?;
        for (n, field) in (0..).zip(writer.fields()) {
            let values: Vec<i64> = (0..5).map(|row| n * 100 + row_group * 10 + row).collect();
            let array: ArrayRef = Arc::new(Int64Array::from(values));
            writer.write_chunk(&new, field.id, &values_chunk(&array, DataType::Int64, 4)?)?;
        }
    }
    transaction.commit()?;
    let t = table(&*Store::open(backend)?.snapshot()?, "wide")?;
    for n in 0..WIDTH {
        let NameMatch::Found(position) = t.find(&format!("column {n}")) else {
            panic!("column {n} is not found");
        };
        let field = t.field(position);
        assert_eq!(field.name, format!("Column {n}"));
        let expected: Vec<Value> = (0..2)
            .flat_map(|group| (0..5).map(move |row| n * 100 + group * 10 + row))
            .map(|value| Value::Int(value.into()))
            .collect();
        assert_eq!(column(&t, field.id)?, expected);
    }
    Ok(())
}
