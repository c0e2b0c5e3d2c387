//! Parquet files of other writers: the committed ones, damaged ones, and any folder of them.
//!
//! `MARTLET_PARQUET_CORPUS=DIR cargo test --test parquet_files` also reads every file below `DIR`:
//! each must be read or refused, and a load must give what a scan gives.
//! `MARTLET_MUTATIONS=N` damages each committed file, and each small one of the corpus, in N ways.

#[cfg(test)]
mod tests {
    use std::fs;
    use std::ops::Bound;
    use std::path::{Path, PathBuf};

    use martlet_engine::arrow::array::{Array, ArrayRef};
    use martlet_engine::arrow::compute::cast;
    use martlet_engine::catalog::NewField;
    use martlet_engine::ingest::ColumnSource;
    use martlet_engine::ingest::parquet::{ColumnBounds, ParquetFiles, ParquetOptions};
    use martlet_engine::types::{DataType, ErrorKind, Result, TimeUnit, Value};

    fn testdata() -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../testdata/parquet")
    }

    fn path(name: &str) -> String {
        testdata().join(format!("{name}.parquet")).to_str().unwrap().to_owned()
    }

    fn open(name: &str) -> Result<ParquetFiles> {
        ParquetFiles::open(&[path(name)], ParquetOptions::default())
    }

    /// As `testdata/parquet/make.py` renders a value.
    fn render(value: &Value) -> String {
        let hex = |bytes: &[u8]| {
            let digits: Vec<String> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
            format!("x{}", digits.concat())
        };
        match value {
            Value::Null => "NULL".to_owned(),
            Value::Bool(value) => value.to_string(),
            Value::Int(value) => value.to_string(),
            Value::Float(value) if value.is_nan() => "NaN".to_owned(),
            Value::Float(value) => format!("{:016x}", value.to_bits()),
            Value::Text(value) => hex(value.as_bytes()),
            Value::Bytes(value) => hex(value),
            Value::Uuid(value) => hex(value),
            Value::Interval(value) => format!("{value:?}"),
        }
    }

    fn render_array(array: &ArrayRef, data_type: DataType, target: &mut Vec<String>) -> Result<()> {
        let plain = cast(array, &data_type.to_arrow())?;
        target
            .extend((0..plain.len()).map(|row| render(&Value::from_array(&plain, data_type, row))));
        Ok(())
    }

    fn lines(fields: &[NewField], columns: &[Vec<String>]) -> String {
        let lines: Vec<String> = fields
            .iter()
            .zip(columns)
            .map(|(field, values)| format!("{}: {}\n", field.name, values.join(", ")))
            .collect();
        lines.concat()
    }

    /// The rows as a load reads them.
    fn loaded(source: &dyn ColumnSource, batch_len: usize) -> Result<String> {
        let mut columns = Vec::new();
        for (index, field) in source.fields().iter().enumerate() {
            let mut values = Vec::new();
            for array in source.column(index, batch_len)? {
                let array = array?;
                assert!((1..=batch_len).contains(&array.len()));
                render_array(&array, field.data_type, &mut values)?;
            }
            assert_eq!(source.row_count(), u64::try_from(values.len()).ok());
            columns.push(values);
        }
        Ok(lines(source.fields(), &columns))
    }

    /// The rows as a scan reads them.
    fn scanned(files: &ParquetFiles, batch_len: usize) -> Result<String> {
        let supported: Vec<usize> = (0..files.fields().len())
            .filter(|column| files.unsupported(*column).is_none())
            .collect();
        let fields: Vec<NewField> =
            supported.iter().map(|column| files.fields()[*column].clone()).collect();
        let row_groups: Vec<usize> = (0..files.row_groups().len()).collect();
        let mut columns = vec![Vec::new(); supported.len()];
        let mut row_count = 0;
        for batch in files.read(&row_groups, &supported, batch_len)? {
            let batch = batch?;
            row_count += batch.num_rows();
            for (index, field) in fields.iter().enumerate() {
                let array = batch.column(index);
                assert_eq!(array.data_type(), &field.data_type.to_arrow());
                render_array(array, field.data_type, &mut columns[index])?;
            }
        }
        assert_eq!(u64::try_from(row_count).ok(), Some(files.row_count()));
        Ok(lines(&fields, &columns))
    }

    fn expected(name: &str) -> String {
        fs::read_to_string(testdata().join(format!("{name}.txt"))).unwrap()
    }

    fn check(name: &str, expected: &str) -> Result<()> {
        let files = open(name)?;
        for batch_len in [1, 3, 1_000] {
            assert_eq!(loaded(&files, batch_len)?, expected, "{name} loaded by {batch_len}");
            assert_eq!(scanned(&files, batch_len)?, expected, "{name} scanned by {batch_len}");
        }
        Ok(())
    }

    #[test]
    fn every_type_reads_alike_in_every_encoding_codec_and_page_version() -> Result<()> {
        let variants = [
            "types_snappy",
            "types_delta_gzip_v2",
            "types_row_groups_brotli",
            "types_small_pages_lz4",
            #[cfg(feature = "zstd")]
            "types_dictionary_zstd_v2",
        ];
        for name in variants {
            check(name, &expected("types"))?;
        }
        Ok(())
    }

    #[test]
    fn files_of_other_writers_read_as_pyarrow_reads_them() -> Result<()> {
        for name in ["polars", "pandas", "statistics", "no_rows", "int96", "int96_far", "duckdb"] {
            if cfg!(feature = "zstd") || !["polars", "duckdb"].contains(&name) {
                check(name, &expected(name))?;
            }
        }
        Ok(())
    }

    #[test]
    fn types_are_told_by_their_sql_names() -> Result<()> {
        let files = open("types_snappy")?;
        let types: Vec<String> =
            files.fields().iter().map(|field| field.data_type.to_string()).collect();
        let expected = "boolean tinyint smallint integer bigint utinyint usmallint uinteger ubigint \
            real real double decimal(9,2) decimal(18,0) decimal(38,10) date time(3) time time(9) \
            timestamp(3) timestamp timestamp(9) timestamptz text blob blob uuid";
        assert_eq!(types.join(" "), expected);
        Ok(())
    }

    #[test]
    fn old_timestamps_take_the_unit_that_holds_them() -> Result<()> {
        let unit = |unit| DataType::Timestamp { unit, zoned: false };
        assert_eq!(open("int96")?.fields()[0].data_type, unit(TimeUnit::Nanosecond));
        assert_eq!(open("int96_far")?.fields()[0].data_type, unit(TimeUnit::Microsecond));
        Ok(())
    }

    #[test]
    fn a_column_that_cannot_be_read_hinders_only_those_who_name_it() -> Result<()> {
        for (name, columns, reason) in [
            ("nested", vec![0, 3], "column \"list\" is a nested column (list)"),
            ("decimal_60", vec![1], "column \"d\" is decimal(60,2)"),
            ("interval", vec![1], "column \"i\" is an interval column"),
        ] {
            let files = open(name)?;
            let batches: Vec<_> = files.read(&[0], &columns, 10)?.collect::<Result<_>>()?;
            assert_eq!(batches[0].num_columns(), columns.len());
            let refused = files.import().unwrap_err();
            assert_eq!(refused.kind(), ErrorKind::Unsupported);
            assert!(refused.message().contains(reason), "{refused}");
            assert!(refused.hint().is_some_and(|hint| hint.contains("SELECT")));
            let all: Vec<usize> = (0..files.fields().len()).collect();
            assert!(files.read(&[0], &all, 10).is_err());
            assert_eq!(files.import_columns(&columns)?.fields().len(), columns.len());
        }
        let options = ParquetOptions { skip_unsupported: true, ..ParquetOptions::default() };
        let import = ParquetFiles::open(&[path("nested")], options)?.import()?;
        let skipped: Vec<&str> = import.skipped().iter().map(|column| &*column.name).collect();
        assert_eq!(skipped, ["list", "struct"]);
        assert_eq!(loaded(&import, 2)?, "a: 1, 2, 3\nb: x70, x71, NULL\n");
        Ok(())
    }

    #[test]
    fn several_files_are_one_table_with_the_columns_of_the_first() -> Result<()> {
        let expected = "a: 1, 2, 3\nb: x78, x79, NULL\n\
            c: 3fe0000000000000, 3ff8000000000000, 4004000000000000\n";
        let files = ParquetFiles::open(&[path("several_[12]")], ParquetOptions::default())?;
        assert_eq!(files.paths().count(), 2);
        assert_eq!(loaded(&files, 10)?, expected);
        assert_eq!(scanned(&files, 10)?, expected);
        assert_eq!(
            files.prune(&[bounds(1, Value::Text("a".into()), Value::Text("z".into()))]),
            [0]
        );
        for (other, kind, column) in [
            ("several_type", ErrorKind::Type, "\"a\""),
            ("several_extra", ErrorKind::Invalid, "\"z\""),
        ] {
            let paths = [path("several_1"), path(other)];
            let error = ParquetFiles::open(&paths, ParquetOptions::default()).unwrap_err();
            assert_eq!(error.kind(), kind);
            assert!(error.message().contains(column) && error.message().contains(other), "{error}");
        }
        Ok(())
    }

    fn bounds(column: usize, lower: Value, upper: Value) -> ColumnBounds {
        ColumnBounds { column, lower: Bound::Included(lower), upper: Bound::Included(upper) }
    }

    #[test]
    fn row_groups_are_pruned_by_sound_statistics_only() -> Result<()> {
        let files = open("statistics")?;
        let int = Value::Int;
        let text = |value: &str| Value::Text(value.to_owned());
        let cases = [
            // The third row group is all NULL.
            (bounds(0, int(-5), int(1_000)), vec![0, 1]),
            (bounds(0, int(50), int(99)), vec![]),
            (bounds(0, int(9), int(100)), vec![0, 1]),
            // Unsigned: the greatest values come first.
            (bounds(1, int(4_294_967_290), int(4_294_967_295)), vec![0]),
            // No upper bound of floats is believed: there may be NaNs.
            (bounds(2, Value::Float(1e9), Value::Float(2e9)), vec![0, 1, 2]),
            (bounds(2, Value::Float(-2.0), Value::Float(-1.0)), vec![]),
            (bounds(3, text("key015"), text("key015x")), vec![1]),
            (bounds(4, int(25_000), int(25_000)), vec![2]),
            (bounds(5, int(0), int(100)), vec![0]),
            // Bounds of another type prove nothing.
            (bounds(0, text("a"), text("b")), vec![0, 1]),
        ];
        for (bounds, expected) in cases {
            assert_eq!(files.prune(std::slice::from_ref(&bounds)), expected, "{bounds:?}");
        }
        let read: usize = files
            .read(&[1], &[], 4)?
            .map(|batch| batch.map(|batch| batch.num_rows()))
            .sum::<Result<usize>>()?;
        assert_eq!(read, 10, "rows can be counted without a column");
        assert_eq!(open("types_row_groups_brotli")?.statistics(0, 3).min, None);
        Ok(())
    }

    #[test]
    fn unannotated_bytes_are_text_when_asked() -> Result<()> {
        let options = ParquetOptions { binary_as_string: true, ..ParquetOptions::default() };
        let files = ParquetFiles::open(&[path("types_snappy")], options)?;
        let column = 24;
        assert_eq!(files.fields()[column].data_type, DataType::Utf8);
        let last = ColumnSource::column(&files, column, 10)?.last();
        let error = last.and_then(Result::err).map(|error| error.to_string()).unwrap_or_default();
        assert!(
            error.ends_with("column \"blob\", row group 0: the value in row 1 is no valid UTF-8")
        );
        Ok(())
    }

    #[test]
    fn pages_beyond_the_limit_are_refused() -> Result<()> {
        let options = ParquetOptions { page_bytes_max: 30, ..ParquetOptions::default() };
        let files = ParquetFiles::open(&[path("types_snappy")], options)?;
        assert_eq!(ColumnSource::column(&files, 0, 10)?.count(), 1, "seven booleans are short");
        let last = ColumnSource::column(&files, 4, 10)?.last();
        let error = last.and_then(Result::err).map(|error| error.to_string()).unwrap_or_default();
        assert!(error.contains("is longer than the limit of 30 (raise the limit"), "{error}");
        Ok(())
    }

    #[test]
    fn what_is_no_file_or_no_parquet_is_said_so() {
        let readme = testdata().join("README.md").to_str().unwrap().to_owned();
        let folder = testdata().to_str().unwrap().to_owned();
        for (path, complaint) in [
            (readme, "is not a Parquet file: it neither begins nor ends with PAR1"),
            (folder, "is a directory"),
            (path("absent"), "there is no file"),
            (path("absent*"), "no file matches"),
            (path("no_columns"), "has no columns"),
        ] {
            let error = ParquetFiles::open(&[path], ParquetOptions::default()).unwrap_err();
            assert!(error.message().contains(complaint), "{error}");
        }
        assert!(ParquetFiles::open(&[], ParquetOptions::default()).is_err());
    }

    /// Reads what can be read of a file in both ways; gives an error's text.
    fn read_all(path: &Path) -> Result<(), String> {
        let options = ParquetOptions { skip_unsupported: true, ..ParquetOptions::default() };
        let read = || -> Result<(String, String)> {
            let files = ParquetFiles::open(&[path.to_str().unwrap().to_owned()], options)?;
            Ok((loaded(&files.import()?, 1_000)?, scanned(&files, 100)?))
        };
        match read() {
            Ok((loaded, scanned)) => {
                assert_eq!(loaded, scanned, "{}", path.display());
                Ok(())
            }
            Err(error) => {
                assert!(error.message().contains(path.to_str().unwrap()), "{error} names no file");
                assert_ne!(error.kind(), ErrorKind::Internal, "{error}");
                Err(error.to_string())
            }
        }
    }

    /// A small generator of repeatable numbers (splitmix64).
    struct Random(u64);

    impl Random {
        fn below(&mut self, limit: usize) -> usize {
            self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mut mixed = self.0;
            mixed = (mixed ^ mixed >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
            usize::try_from(mixed >> 33).unwrap() % limit
        }
    }

    fn damage(bytes: &mut Vec<u8>, random: &mut Random) {
        match random.below(4) {
            0 => bytes.truncate(random.below(bytes.len())),
            1 => {
                let start = random.below(bytes.len());
                let end = (start + random.below(40)).min(bytes.len());
                bytes.drain(start..end);
            }
            _ => {
                for _ in 0..=random.below(4) {
                    let place = random.below(bytes.len());
                    bytes[place] ^= 1 << random.below(8);
                }
            }
        }
    }

    #[test]
    fn damaged_files_are_read_or_refused_and_nothing_panics() {
        let mutations =
            std::env::var("MARTLET_MUTATIONS").ok().and_then(|count| count.parse().ok());
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("damaged.parquet");
        let mut random = Random(7);
        let mut sources = [
            "types_small_pages_lz4",
            "types_delta_gzip_v2",
            "types_dictionary_zstd_v2",
            "types_snappy",
            "duckdb",
            "int96",
            "nested",
        ]
        .map(|name| PathBuf::from(path(name)))
        .to_vec();
        sources.extend(corpus().unwrap_or_default());
        for source in sources {
            let bytes = fs::read(source).unwrap();
            if bytes.is_empty() || bytes.len() > 50_000 {
                continue;
            }
            for _ in 0..mutations.unwrap_or(25) {
                let mut damaged = bytes.clone();
                damage(&mut damaged, &mut random);
                fs::write(&target, &damaged).unwrap();
                // What is read may differ from what was written: only checksums would tell.
                drop(read_all(&target));
            }
        }
    }

    /// The files below the folder that `MARTLET_PARQUET_CORPUS` names.
    fn corpus() -> Option<Vec<PathBuf>> {
        let mut folders = vec![PathBuf::from(std::env::var_os("MARTLET_PARQUET_CORPUS")?)];
        let mut files = Vec::new();
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(&folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() { folders.push(path) } else { files.push(path) }
            }
        }
        files.sort();
        assert!(!files.is_empty(), "the corpus is empty");
        Some(files)
    }

    #[test]
    fn every_file_of_the_corpus_is_read_or_refused() {
        let refusals: Vec<String> =
            corpus().unwrap_or_default().iter().filter_map(|path| read_all(path).err()).collect();
        println!("{}\n{} refused", refusals.join("\n"), refusals.len());
    }
}
