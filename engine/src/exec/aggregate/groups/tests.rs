//! Group tables against a list of keys.
#![expect(
    clippy::result_large_err,
    clippy::from_iter_instead_of_collect,
    reason = "proptest's error type; what is collected shows at the start"
)]

use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray, Float64Array, Int64Array, StringArray};
use proptest::prelude::*;

use super::*;
use crate::types::{DataType, Value};
use crate::vector::{CodeBook, DictionaryVector, Texts};

/// Five key columns of every kind over the same rows; `None` is NULL.
fn columns(rows: &[(Option<i64>, Option<u32>)]) -> Vec<(ColumnKind, Vector)> {
    let values: Arc<dyn crate::vector::DistinctValues> =
        Arc::new(Texts(StringArray::from(vec!["a", "b", "c", "d", "e", "f"]), None));
    let identity = Arc::new(CodeBook::identity(Arc::clone(&values)));
    // Local codes run backwards through the ids.
    let book = Arc::new(CodeBook::mapped(values, Arc::new(vec![5_u32, 4, 3, 2, 1, 0])));
    let codes: Vec<u32> = rows.iter().map(|row| row.1.unwrap_or(6)).collect();
    let ints: ArrayRef = Arc::new(Int64Array::from_iter(rows.iter().map(|row| row.0)));
    let floats = Float64Array::from_iter(rows.iter().map(|row| {
        row.0.map(|value| {
            if value == 0 {
                -0.0
            } else if value == 1 {
                -f64::NAN
            } else {
                0.5
            }
        })
    }));
    let texts = StringArray::from_iter(rows.iter().map(|row| row.0.map(|value| value.to_string())));
    let flags = BooleanArray::from_iter(rows.iter().map(|row| row.0.map(|value| value > 1)));
    let bounded =
        ColumnKind::Flat { data_type: DataType::Int64, nullable: true, bounds: Some((-3, 3)) };
    vec![
        (
            ColumnKind::Dictionary { identity, by_id: false },
            Vector::Dictionary(DictionaryVector::new(codes, book)),
        ),
        (bounded, Vector::Flat(Arc::clone(&ints))),
        (ColumnKind::flat(DataType::Int64), Vector::Flat(ints)),
        (ColumnKind::flat(DataType::Float64), Vector::Flat(Arc::new(floats))),
        (ColumnKind::flat(DataType::Utf8), Vector::Flat(Arc::new(texts))),
        (ColumnKind::flat(DataType::Bool), Vector::Flat(Arc::new(flags))),
    ]
}

fn row_values(vectors: &[Vector], kinds: &[ColumnKind], row: usize) -> Result<Vec<Value>> {
    vectors
        .iter()
        .zip(kinds)
        .map(|(vector, kind)| Ok(Value::from_array(&vector.decode()?, kind.data_type(), row)))
        .collect()
}

fn check(rows: &[(Option<i64>, Option<u32>)], chosen: &[usize], batch_len: usize) -> Result<()> {
    let all = columns(rows);
    let kinds: Vec<ColumnKind> = chosen.iter().map(|index| all[*index].0.clone()).collect();
    let vectors: Vec<Vector> = chosen.iter().map(|index| all[*index].1.clone()).collect();
    let mut tables = [GroupTable::new(&kinds, true)?, GroupTable::new(&kinds, false)?];
    let mut expected: Vec<Vec<Value>> = Vec::new();
    for (index, start) in (0..rows.len()).step_by(batch_len).enumerate() {
        let len = batch_len.min(rows.len() - start);
        let keys: Vec<Vector> = vectors.iter().map(|vector| vector.slice(start, len)).collect();
        let mut groups = Vec::new();
        tables[index % 2].find(&keys, len, &mut groups)?;
        let known = tables[index % 2].keys()?;
        for (row, group) in groups.iter().enumerate() {
            let values = row_values(&keys, &kinds, row)?;
            assert_eq!(row_values(&known, &kinds, *group as usize)?, values);
            if !expected.contains(&values) {
                expected.push(values);
            }
        }
    }
    let mut merged = GroupTable::with_capacity(&kinds, false, (3, None))?;
    for partition in 0..3 {
        for table in &tables {
            let from = &table.partitions(3)[partition];
            let to = merged.absorb(table, from);
            let (here, there) = (merged.keys()?, table.keys()?);
            for (from, to) in from.iter().zip(to) {
                assert_eq!(
                    row_values(&there, &kinds, *from as usize)?,
                    row_values(&here, &kinds, to as usize)?
                );
            }
        }
    }
    assert_eq!(merged.len(), if chosen.is_empty() { 1 } else { expected.len() });
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn every_table_gives_equal_keys_one_group(
        rows in prop::collection::vec((prop::option::of(-3_i64..4), prop::option::of(0_u32..6)), 0..60),
        chosen in prop::sample::subsequence(vec![0_usize, 1, 2, 3, 4, 5], 0..5),
        batch_len in 1_usize..20,
    ) {
        check(&rows, &chosen, batch_len).map_err(|error| TestCaseError::fail(error.to_string()))?;
    }
}
