//! A mart of any number of columns, for measuring what width costs.
//!
//! Columns come in eights of different kinds, so that every width has the same mix; names tell the
//! kind and the position (`amount_00000`, `measure_00001`, …).

use std::fmt::Write;
use std::ops::Range;
use std::sync::Arc;

use arrow::array::{
    ArrayRef, BooleanArray, Date32Array, Float64Array, Int32Array, Int64Array, StringBuilder,
};

use crate::Result;
use crate::mart_file::{Mart, Sink};
use crate::random::{Random, to_f64};

const KINDS: [&str; 8] =
    ["amount", "measure", "category", "is", "date", "number", "code", "optional"];
/// 2023-01-01 in days since 1970.
const FIRST_DAY: i32 = 19_358;

/// The mart.
#[derive(Debug)]
pub(crate) struct Wide {
    pub(crate) seed: u64,
    pub(crate) row_count: u64,
    pub(crate) column_count: u64,
}

/// The name of the column at `column_idx`.
pub(crate) fn column_name(column_idx: u64) -> String {
    let kind = KINDS.iter().cycle().nth(kind_idx(column_idx)).expect("a cycle has no end");
    format!("{kind}_{column_idx:05}")
}

fn kind_idx(column_idx: u64) -> usize {
    usize::try_from(column_idx % KINDS.len() as u64).expect("below 8")
}

impl Mart for Wide {
    fn row_count(&self) -> u64 {
        self.row_count
    }

    fn write_columns(&self, rows: Range<u64>, sink: &mut Sink) -> Result<()> {
        for column_idx in 0..self.column_count {
            let array = self.column(column_idx, rows.clone());
            sink(&column_name(column_idx), array)?;
        }
        Ok(())
    }
}

impl Wide {
    fn column(&self, column_idx: u64, rows: Range<u64>) -> ArrayRef {
        let random = &mut Random::stream(self.seed, column_idx, rows.start);
        let int32 = |x: u64| i32::try_from(x).expect("bounds fit int32");
        match KINDS[kind_idx(column_idx)] {
            "amount" => {
                let values = rows.map(|_| int32(random.below(50_000)));
                Arc::new(Int32Array::from_iter_values(values))
            }
            "measure" => {
                let values = rows.map(|_| to_f64(random.below(1_000_000)) / 100.0);
                Arc::new(Float64Array::from_iter_values(values))
            }
            "category" => texts(rows, |text| {
                let _infallible = write!(text, "category {}", random.zipf(20, 0.7));
            }),
            "is" => Arc::new(rows.map(|_| Some(random.chance(0.1))).collect::<BooleanArray>()),
            "date" => {
                let day = |row: u64| FIRST_DAY + int32(row * 365 / self.row_count.max(1));
                Arc::new(Date32Array::from_iter_values(rows.map(day)))
            }
            "number" => {
                let values = rows.map(|_| random.bits().cast_signed());
                Arc::new(Int64Array::from_iter_values(values))
            }
            "code" => texts(rows, |text| {
                let _infallible = write!(text, "C-{:04}", random.below(1_000));
            }),
            _ => {
                let value = |_| random.chance(0.05).then(|| int32(random.below(1_000)));
                Arc::new(rows.map(value).collect::<Int32Array>())
            }
        }
    }
}

fn texts(rows: Range<u64>, mut write: impl FnMut(&mut String)) -> ArrayRef {
    let mut builder = StringBuilder::new();
    let mut text = String::new();
    for _ in rows {
        text.clear();
        write(&mut text);
        builder.append_value(&text);
    }
    Arc::new(builder.finish())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_column_has_its_name_and_all_rows() -> Result<()> {
        let mart = Wide { seed: 1, row_count: 100, column_count: 19 };
        let mut names = Vec::new();
        mart.write_columns(10..60, &mut |name, array| {
            assert_eq!(array.len(), 50);
            names.push(name.to_owned());
            Ok(())
        })?;
        assert_eq!(names.len(), 19);
        assert_eq!((names[0].as_str(), names[18].as_str()), ("amount_00000", "category_00018"));
        Ok(())
    }
}
