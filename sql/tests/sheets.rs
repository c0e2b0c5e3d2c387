//! Workbooks of other programs, as tables.
#![cfg(feature = "excel")]
#![expect(
    clippy::tests_outside_test_module,
    clippy::unwrap_used,
    reason = "an integration test is one"
)]

mod csv_rows;

use std::fs;

use martlet::{Connection, ErrorKind};

use self::csv_rows::{TestResult, connection};

/// The rows of a query as CSV; `$` stands for the folder of workbooks.
fn rows(connection: &Connection, sql: &str) -> martlet::Result<String> {
    csv_rows::rows(connection, &sql.replace('$', "../testdata/sheets"))
}

#[track_caller]
fn fails(sql: &str, kind: ErrorKind, message: &str, help: &str) {
    let error = rows(&connection(), sql).unwrap_err();
    let helps = format!("{:?} {:?}", error.hint(), error.suggestions());
    assert_eq!(error.kind(), kind, "{sql}: {error}");
    assert!(error.message().contains(message), "{sql}: {error}");
    assert!(helps.contains(help), "{sql}: {helps}");
}

#[test]
fn columns_have_the_types_of_all_their_cells() -> TestResult {
    let connection = connection();
    assert_eq!(
        rows(&connection, "DESCRIBE '$/types.xlsx'")?,
        "column_name,column_type,null,comment\nwhole,bigint,YES,\nnumber,double,YES,\n\
         flag,boolean,YES,\nday,date,YES,\nmoment,timestamp,YES,\nclock,time,YES,\n\
         hours,text,YES,\ntext,text,YES,\ncode,text,YES,\nmixed,text,YES,\nempty,text,YES,\n\
         column11,text,YES,\n"
    );
    assert_eq!(
        rows(&connection, "SELECT whole, number, flag, day, moment, clock FROM '$/types.xlsx'")?,
        "whole,number,flag,day,moment,clock\n\
         1,1.5,true,2026-01-02,2026-01-02 12:34:56.789,06:00:00\n\
         -9007199254740992,1e+300,false,1900-01-01,2026-01-03 00:00:00,18:00:00\n\
         ,2,,9999-12-31,,00:00:00\n\
         3,-0.1,true,,2026-01-02 12:34:56.789,\n"
    );
    assert_eq!(
        rows(&connection, "SELECT hours, text, code, mixed, empty, column11 FROM '$/types.xlsx'")?,
        "hours,text,code,mixed,empty,column11\n36:00:00,x,00123,7,,a\n\
         12:00:00,\"ä\n\"\"b\"\"\",1e5,seven,,\n,\" \",,TRUE,,\n48:00:00,x,7,0.3,,b\n"
    );
    let sql = "SELECT count(*) AS n, sum(whole) AS s FROM '$/types.xlsx' WHERE flag";
    assert_eq!(rows(&connection, sql)?, "n,s\n2,4\n");
    Ok(())
}

#[test]
fn types_that_are_given_are_those_that_are_read() -> TestResult {
    let connection = connection();
    assert_eq!(
        rows(
            &connection,
            "SELECT * EXCLUDE (text, empty, column11) FROM read_excel('$/types.xlsx', types => \
             {'whole': 'text', 'flag': 'text', 'day': 'timestamp', \
              'code': 'double', 'mixed': 'text'}) WHERE whole = '1'"
        )?,
        "whole,number,flag,day,moment,clock,hours,code,mixed\n\
         1,1.5,TRUE,2026-01-02 00:00:00,2026-01-02 12:34:56.789,06:00:00,36:00:00,123,7\n"
    );
    assert_eq!(
        rows(
            &connection,
            "SELECT whole, flag FROM read_xlsx('$/types.xlsx', all_varchar => true)"
        )?,
        "whole,flag\n1,TRUE\n-9007199254740992,FALSE\n,\n3,TRUE\n"
    );
    fails(
        "FROM read_excel('$/types.xlsx', types => {'mixed': 'bigint'})",
        ErrorKind::InvalidText,
        "types.xlsx, sheet \"Types\", cell J3, column \"mixed\": \"seven\" is no bigint",
        "ignore_errors",
    );
    let sql = "SELECT mixed FROM read_excel('$/types.xlsx', types => {'mixed': 'decimal(4,1)'}, \
               ignore_errors => true)";
    assert_eq!(rows(&connection, sql)?, "mixed\n7.0\n\n\n0.3\n");
    Ok(())
}

#[test]
fn sheets_and_parts_of_them_are_tables() -> TestResult {
    let connection = connection();
    let sales = "region,amount\nnorth,10\nsouth,20\n,\neast,30\n";
    assert_eq!(rows(&connection, "FROM '$/sheets.xlsx'")?, sales);
    assert_eq!(rows(&connection, "FROM read_excel('$/sheets.xlsx', sheet => 'sales')")?, sales);
    for (options, expected) in [
        ("stop_at_empty => true", "region,amount\nnorth,10\nsouth,20\n"),
        ("header => false", "column0,column1\nregion,amount\nnorth,10\nsouth,20\n,\neast,30\n"),
        ("range => 'A2:A4', header => false, names => ['place']", "place\nnorth\nsouth\n"),
        ("range => 'B1:C2'", "amount,column1\n10,\n"),
        ("sheet => 'Report 2026', range => 'B3:D5'", "id,2025,2026\n1,10,11.5\n2,20,21\n"),
        (
            "sheet => 'Report 2026', range => 'B3:', stop_at_empty => true",
            "id,2025,2026\n1,10,11.5\n2,20,21\n",
        ),
        ("sheet => 'Plain'", "column0,column1\n1,a\n2,b\n"),
        ("sheet => 'Plain', header => true", "1,a\n2,b\n"),
        ("sheet => 'Errors', ignore_errors => true", "n,ratio\n1,0.5\n2,\n3,\n"),
    ] {
        let sql = format!("FROM read_excel('$/sheets.xlsx', {options})");
        assert_eq!(rows(&connection, &sql)?, expected, "{options}");
    }
    let sql = "SELECT sum(n) AS n FROM read_excel('$/sheets.xlsx', sheet => 'Errors')";
    assert_eq!(rows(&connection, sql)?, "n\n6\n");
    Ok(())
}

#[test]
fn other_formats_of_workbooks_are_read() -> TestResult {
    let connection = connection();
    for (file, expected) in [
        ("mac.xlsx", "day,moment\n2026-01-02,2026-01-02 12:34:56.789\n"),
        (
            "old.xls",
            "n,x,day,flag,note\n1,0.5,2026-01-03,true,a\n2,1.5,2026-01-04,false,ä\n\
             70000,-1,2026-01-05,true,\n",
        ),
        ("binary.xlsb", "n,x,flag\n7,1.5,true\n-1,none,\n"),
        (
            "open.ods",
            "n,day,moment,clock,hours,flag,note\n\
             1,2026-01-02,2026-01-02 12:34:56,06:30:00,30:00:00,true,a  b\n\
             2.5,,,,,,twice\n2.5,,,,,,twice\n",
        ),
    ] {
        assert_eq!(rows(&connection, &format!("FROM '$/{file}'"))?, expected, "{file}");
    }
    let sql = "FROM read_excel('$/old.xls', sheet => 'Other')";
    assert_eq!(rows(&connection, sql)?, "below\n");
    Ok(())
}

#[test]
fn workbooks_fill_tables_and_several_are_one() -> TestResult {
    let connection = connection();
    connection.execute("CREATE TABLE t FROM '../testdata/sheets/old.xls'")?;
    assert_eq!(
        rows(&connection, "SELECT sum(n) AS n, max(day) AS d FROM t")?,
        "n,d\n70003,2026-01-05\n"
    );
    // Values are read as the table's types, also from a column that holds nothing.
    connection
        .execute("CREATE TABLE s (whole text, code double, empty date, number decimal(9,2))")?;
    connection.execute(
        "INSERT INTO s SELECT whole::text, code::double, empty::date, number FROM \
         '../testdata/sheets/types.xlsx' WHERE whole = 3 AND code <> ''",
    )?;
    connection.execute("CREATE TABLE c (region varchar(10), amount decimal(9,2), note date)")?;
    connection.execute("INSERT INTO c FROM '../testdata/sheets/sheets.xlsx'")?;
    connection.execute(
        "COPY c (region, amount) FROM '../testdata/sheets/sheets.xlsx' (FORMAT excel, STOP_AT_EMPTY)",
    )?;
    assert_eq!(
        rows(&connection, "SELECT sum(amount) AS a, count(*) AS n FROM c")?,
        "a,n\n90.00,6\n"
    );
    let sql = "SELECT filename, count(*) AS n, max(day) AS d FROM read_excel(['$/mac.xlsx', \
               '$/old.xls'], union_by_name => true, filename => true) GROUP BY ALL ORDER BY 1";
    assert_eq!(
        rows(&connection, sql)?,
        "filename,n,d\n../testdata/sheets/mac.xlsx,1,2026-01-02\n\
         ../testdata/sheets/old.xls,3,2026-01-05\n"
    );
    fails(
        "FROM read_excel(['$/mac.xlsx', '$/old.xls'])",
        ErrorKind::Invalid,
        "old.xls has a column \"n\"",
        "union_by_name",
    );
    Ok(())
}

#[test]
fn what_cannot_be_read_is_told() {
    for (sql, kind, message, help) in [
        (
            "FROM read_excel('$/sheets.xlsx', sheet => 'Sals')",
            ErrorKind::UnknownName,
            "sheets.xlsx has no sheet \"Sals\"",
            "\\\"Sales\\\", \\\"Report 2026\\\", \\\"Errors\\\", \\\"Empty\\\", \\\"Plain\\\"\") [\"Sales\"]",
        ),
        (
            "FROM read_excel('$/sheets.xlsx', sheet => 'Errors')",
            ErrorKind::InvalidText,
            "sheets.xlsx, sheet \"Errors\", cell B3, column \"ratio\": the error #DIV/0!",
            "ignore_errors => true",
        ),
        (
            "FROM read_excel('$/sheets.xlsx', range => '3A')",
            ErrorKind::Invalid,
            "\"3A\"",
            "A3:F100",
        ),
        ("FROM read_excel('$/sheets.xlsx', shet => 'a')", ErrorKind::Unsupported, "shet", "sheet"),
        ("FROM '$/long.xlsx'", ErrorKind::Unsupported, "sheet1.xml has 600 MiB", "CSV"),
        ("FROM '$/locked.xlsx'", ErrorKind::Unsupported, "protected by a password", "without"),
        (
            "FROM read_excel('$/make.py')",
            ErrorKind::Corrupt,
            "make.py: it is no workbook",
            "read_csv",
        ),
        ("FROM '$/none.xlsx'", ErrorKind::Io, "there is no file", ""),
        (
            "FROM read_excel('$/sheets.xlsx', sheet => 'Empty')",
            ErrorKind::Invalid,
            "\"Empty\" has no cells",
            "",
        ),
    ] {
        fails(sql, kind, message, help);
    }
}

#[test]
fn damaged_workbooks_are_errors_or_read() -> TestResult {
    let folder = tempfile::tempdir()?;
    let connection = connection();
    for file in ["sheets.xlsx", "binary.xlsb", "old.xls", "open.ods", "locked.xlsx"] {
        let bytes = fs::read(format!("../testdata/sheets/{file}"))?;
        let path = folder.path().join(file);
        let sql = format!("FROM '{}'", path.display());
        for part in 1..8 {
            fs::write(&path, &bytes[..bytes.len() * part / 8])?;
            assert!(rows(&connection, &sql).is_err(), "{file}, {part} of 8 parts");
        }
        for at in (0..bytes.len()).step_by(bytes.len() / 150) {
            let mut damaged = bytes.clone();
            damaged[at] ^= 1 << (at % 8);
            damaged[(at * 7) % bytes.len()] = 0xff;
            fs::write(&path, &damaged)?;
            // Whatever it is, it ends.
            if let Err(error) = rows(&connection, &sql) {
                assert!(error.message().contains(file), "{file} at {at}: {error}");
            }
        }
    }
    Ok(())
}
