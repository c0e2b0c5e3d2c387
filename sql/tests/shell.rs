//! The binary `martlet` from outside: arguments, files, standard input, formats, exit status.

#[cfg(test)]
mod tests {
    use std::error::Error;
    use std::io::{Read, Write};
    use std::path::Path;
    use std::process::{Command, Output, Stdio};

    type Result<T = ()> = std::result::Result<T, Box<dyn Error>>;

    fn martlet(arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_martlet"));
        command.args(arguments).stdin(Stdio::null());
        command
    }

    fn run(arguments: &[&str]) -> Result<Output> {
        Ok(martlet(arguments).output()?)
    }

    fn run_with_input(arguments: &[&str], input: &str) -> Result<Output> {
        let mut command = martlet(arguments);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn()?;
        child.stdin.take().ok_or("no stdin")?.write_all(input.as_bytes())?;
        Ok(child.wait_with_output()?)
    }

    fn stdout(output: &Output) -> Result<&str> {
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        assert!(output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
        Ok(std::str::from_utf8(&output.stdout)?)
    }

    fn path(folder: &Path, name: &str) -> String {
        folder.join(name).display().to_string()
    }

    #[test]
    fn a_query_is_answered_as_a_table_with_a_footer() -> Result {
        let output = run(&["-c", "SELECT 1 AS one, 'x' AS text, NULL AS nothing"])?;
        let lines: Vec<&str> = stdout(&output)?.lines().collect();
        assert_eq!(
            lines[..3],
            [" one │ text │ nothing", "─────┼──────┼─────────", "   1 │ x    │ NULL",]
        );
        assert!(lines[3].starts_with("(1 row, ") && lines[3].ends_with(" ms)"), "{}", lines[3]);
        Ok(())
    }

    #[test]
    fn csv_and_json_are_pure() -> Result {
        let sql = "SELECT 1 AS one, '' AS empty, NULL AS nothing, true AS yes";
        let csv = run(&["--format", "csv", "-c", sql])?;
        assert_eq!(stdout(&csv)?, "one,empty,nothing,yes\n1,\"\",,true\n");
        let json = run(&["--format", "json", "-c", sql])?;
        assert_eq!(
            stdout(&json)?,
            "[\n{\"one\":1,\"empty\":\"\",\"nothing\":null,\"yes\":true}\n]\n"
        );
        Ok(())
    }

    #[test]
    fn standard_input_and_files_hold_several_statements() -> Result {
        let sql = "SELECT 1 AS a; -- one; two\nSELECT ';' AS b";
        let output = run_with_input(&["--format", "csv"], sql)?;
        assert_eq!(stdout(&output)?, "a\n1\nb\n;\n");
        let folder = tempfile::tempdir()?;
        let file = path(folder.path(), "q.sql");
        std::fs::write(&file, sql)?;
        let output = run(&["--format", "csv", "-c", "SELECT 0 AS z", "-f", &file])?;
        assert_eq!(stdout(&output)?, "z\n0\na\n1\nb\n;\n");
        Ok(())
    }

    #[test]
    fn a_database_keeps_its_tables_and_readonly_keeps_them_from_changing() -> Result {
        let folder = tempfile::tempdir()?;
        let database = path(folder.path(), "x.mart");
        let make = "CREATE TABLE t (n bigint, s text); INSERT INTO t VALUES (1, 'a'), (2, NULL)";
        assert!(run(&[&database, "-c", make])?.status.success());
        let ask = ["--format", "csv", &database, "--readonly", "-c"];
        let output = run(&[&ask[..], &["SELECT * FROM t ORDER BY n"]].concat())?;
        assert_eq!(stdout(&output)?, "n,s\n1,a\n2,\n");
        let output = run(&[&ask[..], &["INSERT INTO t VALUES (3, 'c')"]].concat())?;
        assert_eq!(output.status.code(), Some(1));
        Ok(())
    }

    #[test]
    fn a_footer_tells_how_little_was_read() -> Result {
        let folder = tempfile::tempdir()?;
        let database = path(folder.path(), "x.mart");
        let make = "CREATE TABLE t (n bigint, s text); INSERT INTO t VALUES (1, 'a'), (2, NULL)";
        assert!(run(&[&database, "-c", make])?.status.success());
        for (sql, read) in [
            ("SELECT n FROM t", "read 1 of 2 columns, 1 of 1 pages)"),
            ("SELECT sum(n) FROM t", "read 0 of 2 columns, 0 of 1 pages)"),
        ] {
            let output = run(&[&database, "-c", sql])?;
            let footer = stdout(&output)?.lines().last().ok_or("no footer")?;
            assert!(footer.ends_with(read), "{footer}");
        }
        Ok(())
    }

    #[test]
    fn an_error_goes_to_standard_error_with_a_caret_and_status_1() -> Result {
        let sql = "SELECT 1 AS fine;\nSELECT 2,\n  nope;\nSELECT 3";
        let output = run_with_input(&["--format", "csv"], sql)?;
        assert_eq!(output.status.code(), Some(1));
        assert_eq!(std::str::from_utf8(&output.stdout)?, "fine\n1\n");
        let error = std::str::from_utf8(&output.stderr)?;
        assert!(error.starts_with("error[42703]: "), "{error}");
        assert!(error.contains("\n3 |   nope;\n  |   ^\n"), "{error}");
        Ok(())
    }

    #[test]
    fn what_cannot_be_opened_is_named() -> Result {
        let folder = tempfile::tempdir()?;
        let file = path(folder.path(), "file");
        std::fs::write(&file, "no database")?;
        for arguments in [
            vec!["-f", "/nowhere/q.sql"],
            vec!["/nowhere/x.mart", "--readonly", "-c", "SELECT 1"],
            vec![file.as_str(), "-c", "SELECT 1"],
        ] {
            let output = run(&arguments)?;
            assert_eq!(output.status.code(), Some(1), "{arguments:?}");
            let error = std::str::from_utf8(&output.stderr)?;
            assert!(error.starts_with("error"), "{error}");
            assert!(error.contains("/nowhere/") || error.contains(&file), "{error}");
        }
        Ok(())
    }

    #[test]
    fn a_reader_that_stops_reading_is_no_error() -> Result {
        let ones = "(VALUES (1), (2), (3), (4), (5), (6), (7), (8), (9), (10))";
        let sql = format!("SELECT 1 FROM {ones};").repeat(4_000);
        let mut command = martlet(&["--format", "csv"]);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn()?;
        let mut input = child.stdin.take().ok_or("no stdin")?;
        let writer = std::thread::spawn(move || {
            // It may be gone before it has read everything.
            let _ignored = input.write_all(sql.as_bytes());
        });
        let mut first = [0; 4];
        let mut output = child.stdout.take().ok_or("no stdout")?;
        output.read_exact(&mut first)?;
        drop(output);
        let status = child.wait()?;
        writer.join().map_err(|_| "the writer panicked")?;
        let mut error = String::new();
        child.stderr.take().ok_or("no stderr")?.read_to_string(&mut error)?;
        assert_eq!((status.code(), error.as_str()), (Some(0), ""));
        Ok(())
    }

    #[test]
    fn a_table_of_4_000_columns_stays_narrow() -> Result {
        let columns: Vec<String> = (0..4_000).map(|index| format!("{index} AS c{index}")).collect();
        let output = run_with_input(&[], &format!("SELECT {}", columns.join(", ")))?;
        let text = stdout(&output)?;
        assert!(text.lines().all(|line| line.chars().count() <= 120), "{text}");
        assert!(text.contains("of 4,000 columns are not shown"), "{text}");
        Ok(())
    }

    #[test]
    fn demo_refuses_a_directory_that_is_something_else() -> Result {
        let folder = tempfile::tempdir()?;
        let directory = path(folder.path(), "mine");
        std::fs::create_dir(&directory)?;
        std::fs::write(folder.path().join("mine/precious"), "x")?;
        let output = run(&["demo", &directory])?;
        assert_eq!(output.status.code(), Some(1));
        assert!(String::from_utf8_lossy(&output.stderr).contains("name another directory"));
        assert!(folder.path().join("mine/precious").exists());
        Ok(())
    }
}
