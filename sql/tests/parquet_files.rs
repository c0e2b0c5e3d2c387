//! Several Parquet files as one table: their columns by name, their common types, their paths and
//! folders.
#![expect(
    clippy::tests_outside_test_module,
    clippy::unwrap_used,
    reason = "an integration test is one"
)]

mod csv_rows;

use std::error::Error;
use std::fs;
use std::path::Path;

use martlet::{Connection, ErrorKind};
use tempfile::TempDir;

use self::csv_rows::{TestResult, connection, rows};

/// The names and types of what a query gives.
fn types(connection: &Connection, sql: &str) -> martlet::Result<String> {
    let described = rows(connection, &format!("DESCRIBE {sql}"))?;
    let column = |line: &str| line.split(",YES").next().unwrap_or("").replace('"', "");
    Ok(described.lines().skip(1).map(column).collect::<Vec<_>>().join("; "))
}

/// A folder with Parquet files, each of what a query gives.
fn folder(connection: &Connection, files: &[(&str, &str)]) -> Result<TempDir, Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    for (name, query) in files {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap())?;
        connection.execute(&format!("COPY ({query}) TO '{}' (FORMAT parquet)", shown(&path)))?;
    }
    Ok(folder)
}

fn shown(path: &Path) -> String {
    path.to_str().unwrap().replace('\'', "''")
}

#[test]
fn columns_of_all_files_are_found_by_name() -> TestResult {
    let connection = connection();
    let files = [
        ("a.parquet", "SELECT 1 AS id, 'x' AS t"),
        ("b.parquet", "SELECT 2.5::double AS more, 2 AS ID"),
        ("c.parquet", "SELECT 'z' AS t, 3 AS id"),
    ];
    let folder = folder(&connection, &files)?;
    let root = shown(folder.path());
    let refused = connection.query(&format!("FROM '{root}/*.parquet'")).unwrap_err();
    assert!(refused.message().contains("b.parquet has a column \"more\""), "{refused}");
    assert!(refused.message().contains("a.parquet does not have"), "{refused}");
    assert!(refused.hint().is_some_and(|hint| hint.contains("union_by_name => true")));

    let all = format!("read_parquet('{root}/*.parquet', union_by_name => true)");
    let sql = format!("SELECT * FROM {all} ORDER BY id");
    assert_eq!(rows(&connection, &sql)?, "id,t,more\n1,x,\n2,,2.5\n3,z,\n");
    assert_eq!(rows(&connection, &format!("SELECT count(*) AS n FROM {all}"))?, "n\n3\n");
    let sql = format!("SELECT more, id FROM {all} WHERE t IS NULL OR id > 2 ORDER BY id");
    assert_eq!(rows(&connection, &sql)?, "more,id\n2.5,2\n,3\n");
    // A column that a later file lacks needs no option.
    let sql = format!("FROM read_parquet(['{root}/a.parquet', '{root}/c.parquet']) ORDER BY id");
    assert_eq!(rows(&connection, &sql)?, "id,t\n1,x\n3,z\n");
    Ok(())
}

#[test]
fn types_that_differ_in_width_meet() -> TestResult {
    let connection = connection();
    let files = [
        (
            "a.parquet",
            "SELECT 1::integer AS i, 1.5::real AS f, 12.34::decimal(9, 2) AS d, \
             TIMESTAMP '2024-01-01 00:00:00'::timestamp(3) AS t, NULL::integer AS n, 7::utinyint AS u",
        ),
        (
            "b.parquet",
            "SELECT 'text' AS n, TIMESTAMP '2024-01-02 00:00:00.123456' AS t, \
             1.2345::decimal(12, 4) AS d, 2.25::double AS f, 5000000000::bigint AS i, -8::tinyint AS u",
        ),
    ];
    let folder = folder(&connection, &files)?;
    let root = shown(folder.path());
    let all = format!("SELECT i, f, d, t, n, u FROM '{root}/*.parquet'");
    assert_eq!(
        types(&connection, &all)?,
        "i,bigint; f,double; d,decimal(12,4); t,timestamp; n,text; u,smallint"
    );
    let expected = "i,f,d,t,n,u\n1,1.5,12.3400,2024-01-01 00:00:00,,7\n\
                    5000000000,2.25,1.2345,2024-01-02 00:00:00.123456,text,-8\n";
    assert_eq!(rows(&connection, &format!("{all} ORDER BY i"))?, expected);
    // In the other order, too.
    let all = format!("FROM read_parquet(['{root}/b.parquet', '{root}/a.parquet'])");
    assert_eq!(rows(&connection, &format!("SELECT i, f, d, t, n, u {all} ORDER BY i"))?, expected);

    connection.execute(&format!("CREATE TABLE t AS SELECT * {all}"))?;
    assert_eq!(rows(&connection, "SELECT i, f, d, t, n, u FROM t ORDER BY i")?, expected);
    connection.execute(&format!("COPY t FROM '{root}/*.parquet'"))?;
    connection.execute(&format!("INSERT INTO t FROM '{root}/*.parquet'"))?;
    let sql = "SELECT count(*) AS n, sum(i) AS i, count(n) AS t FROM t";
    assert_eq!(rows(&connection, sql)?, "n,i,t\n6,15000000003,3\n");
    Ok(())
}

#[test]
fn types_that_do_not_meet_are_refused_with_file_and_column() -> TestResult {
    let connection = connection();
    let files = [
        ("a.parquet", "SELECT 1 AS id"),
        ("b.parquet", "SELECT 'x' AS id"),
        ("c.parquet", "SELECT 9e30::decimal(38, 0) AS d"),
        ("d.parquet", "SELECT 1::decimal(20, 10) AS d"),
    ];
    let folder = folder(&connection, &files)?;
    let root = shown(folder.path());
    let error = connection.query(&format!("FROM '{root}/[ab].parquet'")).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Type);
    assert!(error.message().contains("b.parquet: column \"id\" is of type text"), "{error}");
    let error = rows(&connection, &format!("FROM '{root}/[cd].parquet'")).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::OutOfRange);
    assert!(error.message().contains("c.parquet: column \"d\""), "{error}");
    // What is nested is refused where it is asked for, and only there.
    let nested = "read_parquet('../testdata/parquet/nested.parquet', filename => 'path')";
    let error = connection.query(&format!("SELECT list FROM {nested}")).unwrap_err();
    assert!(error.message().contains("column \"list\" is a nested column (list)"), "{error}");
    let sql = format!("SELECT DISTINCT path FROM {nested}");
    assert_eq!(rows(&connection, &sql)?, "path\n../testdata/parquet/nested.parquet\n");
    Ok(())
}

#[test]
fn folders_and_paths_are_columns() -> TestResult {
    let connection = connection();
    let files = [
        ("year=2023/day=2023-05-06/k=a%2Fb/x.parquet", "SELECT 1 AS id"),
        ("year=2024/day=2024-05-06/k=__HIVE_DEFAULT_PARTITION__/x.parquet", "SELECT 2 AS id"),
    ];
    let folder = folder(&connection, &files)?;
    let root = shown(folder.path());
    let all = format!("'{root}/**/*.parquet'");
    let expected = "id,bigint; year,bigint; day,date; k,text";
    let found = types(&connection, &format!("SELECT id::bigint AS id, year, day, k FROM {all}"))?;
    assert_eq!(found, expected);
    let expected = "id,year,day,k\n1,2023,2023-05-06,a/b\n2,2024,2024-05-06,\n";
    assert_eq!(rows(&connection, &format!("FROM {all} ORDER BY id"))?, expected);
    let sql = format!("SELECT sum(id) AS id FROM {all} WHERE year = 2024");
    assert_eq!(rows(&connection, &sql)?, "id\n2\n");
    for (options, expected) in [
        ("hive_partitioning => false", "id\n1\n"),
        ("hive_partitioning => true", "id,year,day,k\n1,2023,2023-05-06,a/b\n"),
        ("hive_partitioning => false, filename => false", "id\n1\n"),
    ] {
        let sql = format!("FROM read_parquet({all}, {options}) ORDER BY id LIMIT 1");
        assert_eq!(rows(&connection, &sql)?, expected, "{options}");
    }
    let path = format!("{}/x.parquet", "year=2023/day=2023-05-06/k=a%2Fb");
    let sql = format!(
        "SELECT * EXCLUDE (year, day, k) FROM read_parquet({all}, filename => true) \
         WHERE ends_with(filename, '{path}')"
    );
    assert_eq!(rows(&connection, &sql)?, format!("id,filename\n1,{root}/{path}\n"));

    connection.execute(&format!("CREATE TABLE t FROM {all}"))?;
    connection.execute(&format!("COPY t FROM {all}"))?;
    assert_eq!(rows(&connection, "SELECT sum(year) AS y FROM t")?, "y\n8094\n");
    // Arrow files have folders, too.
    let arrow = folder.path().join("arrow");
    connection.execute(&format!(
        "COPY (SELECT id, year FROM t WHERE k IS NULL) TO '{}' (FORMAT arrow, PARTITION_BY (year))",
        shown(&arrow)
    ))?;
    let sql = format!("SELECT id, year FROM '{}/*/*.arrow'", shown(&arrow));
    assert_eq!(rows(&connection, &sql)?, "id,year\n2,2024\n2,2024\n");
    Ok(())
}

#[test]
fn files_of_one_schema_are_still_read_by_column() -> TestResult {
    let connection = connection();
    let files = [
        ("a.parquet", "SELECT 1 AS id, 'x' AS t"),
        ("b.parquet", "SELECT 'y' AS t, 2 AS id"),
        ("c.parquet", "SELECT 3::utinyint AS id, 'z' AS t"),
    ];
    let folder = folder(&connection, &files)?;
    let root = shown(folder.path());
    let row_groups = |files: &str| -> martlet::Result<bool> {
        let sql = format!("EXPLAIN ANALYZE SELECT id FROM {files} WHERE id = 2");
        Ok(rows(&connection, &sql)?.contains("of 2 row groups"))
    };
    assert!(row_groups(&format!("read_parquet('{root}/[ab].parquet', union_by_name => true)"))?);
    assert!(!row_groups(&format!("'{root}/*.parquet'"))?);
    let sql = format!("SELECT * FROM '{root}/*.parquet' ORDER BY id");
    assert_eq!(rows(&connection, &sql)?, "id,t\n1,x\n2,y\n3,z\n");
    Ok(())
}
