//! Exports into more folders than are written at once.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use martlet_engine::types::Result;

use crate::{Connection, Database, Options, Value};

const ROW_COUNT: usize = 20_000;
const KEY_COUNT: usize = 11;

/// A table of rows with keys in turn.
fn connection(source: &Path) -> Result<Connection> {
    let rows = (0..ROW_COUNT).map(|row| format!("{},{row}\n", row % KEY_COUNT));
    fs::write(source, format!("k,n\n{}", rows.collect::<String>())).unwrap();
    let options = Options { batch_len: 100, ..Options::default().with_worker_count(2) };
    let connection = Database::open_in_memory_with(options)?.connect();
    connection.execute(&format!("CREATE TABLE t FROM '{}'", source.display()))?;
    Ok(connection)
}

#[test]
fn rows_that_come_again_go_to_further_files_of_their_folder() -> Result<()> {
    let folder = tempfile::tempdir().unwrap();
    let connection = connection(&folder.path().join("source.csv"))?;
    for format in ["csv", "parquet"] {
        let root = folder.path().join(format);
        let shown = root.display();
        let sql = format!("COPY t TO '{shown}' (FORMAT {format}, PARTITION_BY k)");
        assert_eq!(connection.execute(&sql)?, ROW_COUNT.try_into().unwrap());
        let mut file_counts = BTreeMap::new();
        for key in 0..KEY_COUNT {
            let files = fs::read_dir(root.join(format!("k={key}"))).unwrap().count();
            file_counts.insert(key, files);
            // In the order of the table, file by file.
            let mut last = -1;
            for file in 0..files {
                let sql = format!(
                    "SELECT min(n) * 1000000 + max(n) FROM '{shown}/k={key}/data_{file}.{format}'"
                );
                let Value::Int(bounds) = connection.query_value(&sql)? else { panic!("{sql}") };
                assert!(bounds / 1_000_000 > last, "{format} {key} {file}");
                last = bounds % 1_000_000;
            }
        }
        assert!(file_counts.values().any(|count| *count > 1), "{file_counts:?}");
        assert!(file_counts.values().all(|count| *count < 40), "{file_counts:?}");
        let sums = "SELECT sum(n * n) FROM";
        assert_eq!(
            connection.query_value(&format!("{sums} '{shown}/*/*.{format}'"))?,
            connection.query_value(&format!("{sums} t"))?
        );
    }
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 3);
    Ok(())
}
