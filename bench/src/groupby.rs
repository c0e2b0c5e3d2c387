//! The mart of the h2o/db-benchmark group-by questions (`G1_1e7_1e2_0_0` by default): six keys and
//! three measures, all uniform, no NULL, in no order.
//!
//! `id1`, `id2` are texts and `id4`, `id5` integers of `k` values each; `id3` (text) and `id6` (integer)
//! have a value per `k` rows. `v1` is 1 … 5, `v2` 1 … 15, `v3` a double in [0, 100) of six decimals.

use std::fmt::Write;
use std::ops::Range;
use std::sync::Arc;

use arrow::array::{ArrayRef, Float64Array, Int32Array, StringBuilder};

use crate::Result;
use crate::mart_file::{Mart, Sink};
use crate::random::{Random, to_f64};

const FAMILY: u64 = 40;

/// The mart.
#[derive(Debug)]
pub(crate) struct Groupby {
    pub(crate) seed: u64,
    pub(crate) row_count: u64,
    /// Values of the narrow keys, and rows per value of the wide ones.
    pub(crate) k: u64,
}

impl Mart for Groupby {
    fn row_count(&self) -> u64 {
        self.row_count
    }

    fn write_columns(&self, rows: Range<u64>, sink: &mut Sink) -> Result<()> {
        let narrow = self.k.max(1);
        let wide = (self.row_count / narrow).max(1);
        sink("id1", self.texts(1, &rows, narrow, 3))?;
        sink("id2", self.texts(2, &rows, narrow, 3))?;
        sink("id3", self.texts(3, &rows, wide, 10))?;
        sink("id4", self.integers(4, &rows, narrow)?)?;
        sink("id5", self.integers(5, &rows, narrow)?)?;
        sink("id6", self.integers(6, &rows, wide)?)?;
        sink("v1", self.integers(7, &rows, 5)?)?;
        sink("v2", self.integers(8, &rows, 15)?)?;
        let mut random = self.random(9, &rows);
        let millionths = rows.map(|_| to_f64(random.below(100_000_000)) / 1e6);
        sink("v3", Arc::new(Float64Array::from_iter_values(millionths)))
    }
}

impl Groupby {
    fn random(&self, column: u64, rows: &Range<u64>) -> Random {
        Random::stream(self.seed, FAMILY + column, rows.start)
    }

    /// `id` and a number in `1..=bound` of at least `digits` digits.
    fn texts(&self, column: u64, rows: &Range<u64>, bound: u64, digits: usize) -> ArrayRef {
        let mut random = self.random(column, rows);
        let mut builder = StringBuilder::new();
        for _ in rows.clone() {
            let _infallible = write!(builder, "id{:0digits$}", 1 + random.below(bound));
            builder.append_value("");
        }
        Arc::new(builder.finish())
    }

    /// Uniform in `1..=bound`.
    fn integers(&self, column: u64, rows: &Range<u64>, bound: u64) -> Result<ArrayRef> {
        let mut random = self.random(column, rows);
        let bound = u64::from(i32::try_from(bound)?.unsigned_abs());
        let value = |_| i32::try_from(1 + random.below(bound)).expect("at most the bound");
        Ok(Arc::new(Int32Array::from_iter_values(rows.clone().map(value))))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use arrow::array::AsArray;
    use arrow::datatypes::{Float64Type, Int32Type};

    use super::*;

    #[test]
    fn keys_have_as_many_values_as_the_benchmark_asks() -> Result<()> {
        let mart = Groupby { seed: 1, row_count: 20_000, k: 20 };
        let mut names = Vec::new();
        mart.write_columns(0..20_000, &mut |name, array| {
            names.push(name.to_owned());
            let texts = || array.as_string::<i32>().iter().flatten().collect::<BTreeSet<_>>();
            let ints =
                || array.as_primitive::<Int32Type>().values().iter().collect::<BTreeSet<_>>();
            match name {
                "id1" | "id2" => {
                    assert_eq!((texts().len(), texts().first()), (20, Some(&"id001")));
                    assert_eq!(texts().last(), Some(&"id020"));
                }
                "id3" => {
                    // 1,000 values over 20,000 draws: each is there with all but certainty.
                    assert!((995..=1_000).contains(&texts().len()), "{}", texts().len());
                    assert!(texts().first().is_some_and(|id| id.len() == 12));
                }
                "id4" | "id5" => assert_eq!(ints().len(), 20),
                "id6" => assert!((995..=1_000).contains(&ints().len()), "{}", ints().len()),
                "v1" => assert_eq!((ints().first(), ints().last()), (Some(&&1), Some(&&5))),
                "v2" => assert_eq!((ints().first(), ints().last()), (Some(&&1), Some(&&15))),
                _ => {
                    let values = array.as_primitive::<Float64Type>().values();
                    assert!(values.iter().all(|value| (0.0..100.0).contains(value)));
                }
            }
            Ok(())
        })?;
        assert_eq!(names, ["id1", "id2", "id3", "id4", "id5", "id6", "v1", "v2", "v3"]);
        Ok(())
    }
}
