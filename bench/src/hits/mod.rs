//! The 105-column web-analytics mart `hits`, the schema of ClickBench, at any number of rows.
//!
//! A stand-in for the public 100 M row file with its published shape: clustered by `CounterID`
//! (whose pages and visitors are mostly its own), 0.7 % of the rows on counter 62, about 18 %
//! distinct visitors and pages with a Zipf tail, 87 % empty `SearchPhrase`, 94 % empty
//! `MobilePhoneModel`, 0.6 % non-zero `AdvEngineID`, half-Cyrillic text, and the constants that the
//! queries' point look-ups ask for.
//!
//! The same seed and row count give the same file. Row groups are made and encoded independently,
//! one column at a time: memory depends on the row-group length and the threads, not on the rows.
//!
//! Held against the reference generator (Python, another random stream; schema and Parquet types
//! equal) at 1 M rows and seed 1:
//!
//! | | reference | here |
//! |---|---|---|
//! | snappy Parquet, bytes | 195,559,151 | 195,895,018 |
//! | distinct `UserID` / `URL` / `Title` | 160,008 / 193,158 / 96,962 | 159,918 / 192,953 / 97,655 |
//! | distinct `SearchPhrase` / `RegionID` / `CounterID` | 51,726 / 9,032 / 6,425 | 51,596 / 9,037 / 6,434 |
//! | mean bytes of `URL` / `Title` / `Referer` | 52.3 / 91.4 / 42.0 | 53.0 / 92.5 / 42.6 |
//! | rows with `google` in `URL` / `Google` in `Title` | 24,343 / 6,115 | 23,350 / 5,934 |
//! | rows on counter 62 | 7,429 | 7,536 |
//! | share with a search phrase / phone model / advert | 13.2 / 5.5 / 0.63 % | 13.2 / 5.3 / 0.63 % |
//! | rows of the most frequent `UserID` / `URL` / `RegionID` | 12,261 / 4,721 / 51,480 | 11,991 / 4,674 / 56,172 |
//!
//! All other columns agree within 10 % in mean and 15 % in distinct values (hashes and addresses,
//! whose means are noise around 0, apart), and the 43 queries of the suite give as many rows here as
//! there, or more. 1 M rows take 3.7 s of processor time in a release build.

mod columns;
mod pools;
mod rows;

use std::ops::Range;

use self::pools::Pools;
use self::rows::{Layout, Rows};
use crate::Result;
use crate::mart_file::{Mart, Sink};

/// The counter that seven of the ClickBench queries ask for.
const KNOWN_COUNTER: i32 = 62;

/// The mart: what all its row groups share.
#[derive(Debug)]
pub(crate) struct Hits {
    seed: u64,
    row_count: u64,
    pools: Pools,
    layout: Layout,
}

impl Hits {
    pub(crate) fn new(seed: u64, row_count: u64) -> Hits {
        let mut pools = Pools::new(seed, row_count);
        let layout = Layout::new(seed, row_count, &pools);
        pools.known_user = layout.frequent_user(&pools);
        Hits { seed, row_count, pools, layout }
    }
}

impl Mart for Hits {
    fn row_count(&self) -> u64 {
        self.row_count
    }

    fn write_columns(&self, rows: Range<u64>, sink: &mut Sink) -> Result<()> {
        let rows = Rows::new(self.seed, &self.pools, &self.layout, rows);
        columns::write(self.seed, &self.pools, &rows, sink)
    }
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::path::PathBuf;
    use std::sync::Arc;

    use arrow::array::{Array, AsArray};
    use arrow::compute::concat_batches;
    use arrow::datatypes::{Int16Type, Int32Type, Int64Type};
    use arrow::record_batch::RecordBatch;
    use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

    use super::*;
    use crate::mart_file::{FileOptions, write_file};
    use crate::random::to_f64;

    const ROW_COUNT: u64 = 20_000;

    fn options(file: PathBuf) -> FileOptions {
        FileOptions { row_group_len: 3_000, thread_count: 2, file }
    }

    fn generate(seed: u64, options: &FileOptions) -> Result<()> {
        write_file(&Hits::new(seed, ROW_COUNT), options, |_| ())
    }

    fn read(options: &FileOptions) -> Result<RecordBatch> {
        let builder = ParquetRecordBatchReaderBuilder::try_new(File::open(&options.file)?)?;
        let groups = builder.metadata().num_row_groups();
        assert_eq!(groups as u64, ROW_COUNT.div_ceil(options.row_group_len));
        let schema = Arc::clone(builder.schema());
        let batches = builder.build()?.collect::<std::result::Result<Vec<_>, _>>()?;
        Ok(concat_batches(&schema, &batches)?)
    }

    #[test]
    fn the_same_seed_gives_the_same_file_on_any_number_of_threads() -> Result<()> {
        let folder = tempfile::tempdir()?;
        let one = FileOptions { thread_count: 1, ..options(folder.path().join("1.parquet")) };
        let three = FileOptions { thread_count: 3, ..options(folder.path().join("3.parquet")) };
        let other = options(folder.path().join("other.parquet"));
        for (seed, options) in [(1, &one), (1, &three), (2, &other)] {
            generate(seed, options)?;
        }
        assert_eq!(std::fs::read(&one.file)?, std::fs::read(&three.file)?);
        assert_ne!(std::fs::read(&one.file)?, std::fs::read(&other.file)?);
        Ok(())
    }

    #[test]
    fn shares_are_those_of_the_reference() -> Result<()> {
        let folder = tempfile::tempdir()?;
        let options = options(folder.path().join("hits.parquet"));
        generate(1, &options)?;
        let mart = read(&options)?;
        assert_eq!((mart.num_rows(), mart.num_columns()), (20_000, 105));
        let share = |keeps: &dyn Fn(usize) -> bool| {
            let count = (0..mart.num_rows()).filter(|row| keeps(*row)).count();
            to_f64(count as u64) / to_f64(mart.num_rows() as u64)
        };
        let text = |name: &str| mart[name].as_string::<i32>().clone();
        let small = |name: &str| mart[name].as_primitive::<Int16Type>().clone();
        let near = |value: f64, wanted: f64| {
            assert!((value / wanted - 1.0).abs() < 0.25, "{value} instead of {wanted}");
        };
        let (phrases, models) = (text("SearchPhrase"), text("MobilePhoneModel"));
        near(share(&|row| !phrases.value(row).is_empty()), 0.132);
        near(share(&|row| !models.value(row).is_empty()), 0.056);
        let adv = small("AdvEngineID");
        near(share(&|row| adv.value(row) != 0), 0.0063);
        let counters = mart["CounterID"].as_primitive::<Int32Type>();
        near(share(&|row| counters.value(row) == KNOWN_COUNTER), 0.0074);
        assert!(counters.values().is_sorted(), "clustered by counter");
        assert!(mart.columns().iter().all(|column| column.null_count() == 0));
        let users = mart["UserID"].as_primitive::<Int64Type>();
        assert!(users.values().contains(&435_090_932_899_640_449), "a query asks for them");
        let referers = text("Referer");
        let hashes = mart["RefererHash"].as_primitive::<Int64Type>();
        for row in 0..mart.num_rows() {
            let empty = hashes.value(row) == 3_594_120_000_172_545_465;
            assert_eq!(referers.value(row).is_empty(), empty);
        }
        Ok(())
    }
}
