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
    fn a_result_without_columns_is_shown_and_not_written() -> Result {
        let folder = tempfile::tempdir()?;
        let (file, target) = (path(folder.path(), "a.json"), path(folder.path(), "b.parquet"));
        for (text, rows) in [("[]", "(0 rows"), ("{}\n{}\n", "(2 rows")] {
            std::fs::write(&file, text)?;
            for format in ["table", "box", "vertical", "line", "json", "csv", "markdown", "html"] {
                let output = run(&["--format", format, "-c", &format!("FROM '{file}'")])?;
                let shown = stdout(&output)?;
                assert!(format != "table" || shown.contains(rows), "{text}: {shown}");
            }
            let output = run(&["-c", &format!("COPY (FROM '{file}') TO '{target}'")])?;
            let error = String::from_utf8(output.stderr)?;
            assert!(error.contains("there are no columns to write"), "{error}");
        }
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
        let columns = columns.join(", ");
        let two_rows = format!("SELECT {columns} FROM (VALUES (1), (2)) t");
        let output = run_with_input(&[], &two_rows)?;
        let text = stdout(&output)?;
        assert!(text.lines().all(|line| line.chars().count() <= 120), "{text}");
        assert!(text.contains("of 4,000 columns are not shown"), "{text}");
        // One row is turned.
        let output = run_with_input(&[], &format!("SELECT {columns}"))?;
        let text = stdout(&output)?;
        assert!(text.lines().all(|line| line.chars().count() <= 120), "{text}");
        assert!(text.contains("\n c3999 │ 3999\n"), "{text}");
        Ok(())
    }

    /// What `commands`, lines of a script, print about a small mart.
    fn scripted(commands: &str) -> Result<(String, String)> {
        let folder = tempfile::tempdir()?;
        let database = path(folder.path(), "x.mart");
        let make = "CREATE TABLE sales (id bigint NOT NULL, region text, amount decimal(8,2));
                    INSERT INTO sales VALUES (1, 'north', 1.5), (2, 'south', 20000), (3, 'north', NULL);
                    COMMENT ON TABLE sales IS 'one row per sale';
                    COMMENT ON COLUMN sales.amount IS 'what was paid'";
        assert!(run(&[&database, "-c", make])?.status.success());
        let script = commands.replace("$DIR", &folder.path().display().to_string());
        let output = run_with_input(&[&database], &format!(".timer off\n{script}"))?;
        Ok((String::from_utf8(output.stdout)?, String::from_utf8(output.stderr)?))
    }

    #[test]
    fn commands_tell_what_there_is() -> Result {
        let (text, error) = scripted(
            ".mode tsv\n.tables\n\\dt x*\n.cols amou\n.cols sales *id\n.find NORTH\n.find paid\n.grain sales\n",
        )?;
        assert_eq!(error, "");
        for line in [
            "sales\t3\t3\t",
            "No table's name matches.",
            "sales\tamount\tdecimal(8,2)\twhat was paid",
            "sales\tid\tbigint",
            "value\tsales\tregion\tnorth (2)",
            "column comment\tsales\tamount\twhat was paid",
            "id\t1\t3",
        ] {
            assert!(text.lines().any(|found| found.starts_with(line)), "{line}\n{text}");
        }
        let (text, error) =
            scripted(".schema sales\n.databases\n.size\n.settings\n.help\n\\? chart\n")?;
        assert_eq!(error, "");
        assert!(text.starts_with("CREATE TABLE sales (\n    id     bigint NOT NULL,\n"), "{text}");
        assert!(text.contains("COMMENT ON COLUMN sales.amount IS 'what was paid';"), "{text}");
        for words in ["read and write", "per row", "SET timezone", ".grain TABLE", "hist"] {
            assert!(text.contains(words), "{words}\n{text}");
        }
        Ok(())
    }

    #[test]
    fn the_schema_that_is_shown_makes_the_same_table() -> Result {
        let (text, error) =
            scripted(".once $DIR/s.sql\n.schema\n.open\n.read $DIR/s.sql\n.schema")?;
        assert_eq!(error, "");
        assert!(
            text.contains("CREATE TABLE sales (") && text.contains("COMMENT ON TABLE"),
            "{text}"
        );
        Ok(())
    }

    #[test]
    fn the_last_result_is_read_shown_and_drawn_again() -> Result {
        let (text, error) = scripted(
            "SELECT region, sum(amount) AS total FROM sales GROUP BY ALL ORDER BY ALL;\n\
             SELECT max(total) AS most FROM _;\n.mode csv\n.last\n\
             SELECT region, amount FROM sales;\n.chart bar\n",
        )?;
        assert_eq!(error, "");
        assert!(text.contains(" region │     total\n"), "{text}");
        assert!(text.contains(" south  │ 20,000.00\n"), "{text}");
        assert!(text.contains("most\n20000.00\n"), "{text}");
        assert!(text.contains(" south 20,000 ██"), "{text}");
        Ok(())
    }

    #[test]
    fn results_go_to_files_when_asked() -> Result {
        let (text, error) = scripted(
            ".mode csv\n.once $DIR/a.csv\nSELECT 1 AS a;\nSELECT 2 AS b;\n.output $DIR/b.csv\n\
             SELECT 3 AS c; SELECT 4 AS d;\n.output\nSELECT 5 AS e;\n\
             .mode line\nSELECT 6 AS f;\n.read $DIR/a.csv\n",
        )?;
        assert!(text.starts_with("b\n2\ne\n5\nf = 6\n(1 row)\n"), "{text}");
        // What was written is no SQL.
        assert!(error.contains("expected a statement, found a"), "{error}");
        Ok(())
    }

    #[test]
    fn what_is_misspelt_is_met_with_what_was_meant() -> Result {
        for (command, meant) in [
            (".tabels", "did you mean: .tables"),
            (".mode jsn", "did you mean: json"),
            (".help chrat", "did you mean: .chart"),
            (".schema slaes", "did you mean: sales"),
            ("\\d slaes", "did you mean: sales"),
            (".width wide", "a number from 20 to 100,000"),
            (".timer maybe", "not on or off"),
            (".last", "no last result"),
            ("SELECT * FROM _;", "no last result"),
            (".chart pie", "there are bar, line and hist"),
            (".tables a b", "unexpected argument"),
            (".read /nowhere.sql", "cannot read /nowhere.sql"),
            (".open $DIR/nothing --readonly", "there is no database"),
            (".once /nowhere/x", "cannot write to /nowhere/x"),
        ] {
            let (_, error) = scripted(command)?;
            assert!(error.starts_with("error") && error.contains(meant), "{command}: {error}");
            assert!(error.lines().count() <= 8, "{error}");
        }
        Ok(())
    }

    #[test]
    fn quit_ends_a_script_and_a_file_that_reads_itself_is_refused() -> Result {
        let (text, error) = scripted("SELECT 1 AS a;\n.quit\nSELECT nope;")?;
        assert!(text.contains(" a\n") && error.is_empty(), "{text}{error}");
        let (_, error) =
            scripted(".mode insert me\n.once $DIR/i.sql\nSELECT 1 AS a;\n.read $DIR/i.sql")?;
        assert!(error.contains("there is no table \"me\""), "{error}");
        Ok(())
    }

    #[test]
    fn a_wide_table_is_described_by_prefix() -> Result {
        let names: Vec<String> = (0..4_001).map(|at| format!("measure_{at:04} double")).collect();
        let sql =
            format!("CREATE TABLE w (id bigint, {});\n.timer off\nDESCRIBE w;", names.join(", "));
        let output = run_with_input(&[], &sql)?;
        let text = stdout(&output)?;
        assert!(text.contains(" measure_* │  4001 │ double │ 0000, 0001, 0002, 0003, …"), "{text}");
        assert!(text.contains("(4,002 rows)"), "{text}");
        let csv = run_with_input(&["-m", "csv"], &sql)?;
        assert_eq!(stdout(&csv)?.lines().count(), 4_003);
        Ok(())
    }

    #[test]
    fn completions_and_the_man_page_are_written() -> Result {
        for shell in ["bash", "zsh", "fish", "powershell"] {
            assert!(stdout(&run(&["completions", shell])?)?.contains("memory-limit"), "{shell}");
        }
        let page = run(&["man"])?;
        for part in [".TH martlet", "readonly", ".grain", "MARTLET_HISTORY", "martlet demo"] {
            assert!(stdout(&page)?.contains(part), "{part}");
        }
        Ok(())
    }

    #[test]
    fn the_last_result_goes_into_the_open_database_and_into_files() -> Result {
        let folder = tempfile::tempdir()?;
        let (mart, file) = (path(folder.path(), "m.mart"), path(folder.path(), "x.csv"));
        let script = format!(
            "SELECT * FROM (VALUES (1, 'x'), (2, NULL)) v(a, b);
             CREATE TABLE kept AS SELECT a, b FROM _ WHERE a < 2;
             INSERT INTO kept SELECT a + 1, b FROM kept;
             FROM kept;
             .once {file}
             .last
             SELECT count(*) AS n, max(a) AS top FROM _;"
        );
        let output = run_with_input(&[&mart, "-m", "csv"], &script)?;
        assert_eq!(stdout(&output)?, "a,b\n1,x\n2,\na,b\n1,x\n2,x\nn,top\n2,2\n");
        assert_eq!(std::fs::read_to_string(&file)?, "a,b\n1,x\n2,x\n");
        // In a format for people, the file's ending tells the format.
        let file = path(folder.path(), "x.jsonl");
        run(&[&mart, "-c", &format!(".once {file}"), "-c", "FROM kept"])?;
        assert_eq!(
            std::fs::read_to_string(&file)?,
            "{\"a\":1,\"b\":\"x\"}\n{\"a\":2,\"b\":\"x\"}\n"
        );
        Ok(())
    }

    #[test]
    fn errors_of_values_point_at_what_failed() -> Result {
        let script = "CREATE TABLE t (a int, b text); INSERT INTO t VALUES (7, 'seven'), (0, 'x');";
        for (sql, column, words) in [
            ("SELECT 1 + 10 / a FROM t", 14, "division by zero"),
            ("SELECT b::int FROM t", 8, "invalid input syntax for type integer"),
            ("SELECT a * 2000000000 FROM t", 9, "out of range"),
            ("INSERT INTO t VALUES (1, 'one'), ('two', 'x')", 34, "invalid input syntax"),
        ] {
            let output = run(&["-c", script, "-c", sql])?;
            let text = String::from_utf8(output.stderr)?;
            let caret = text.lines().find_map(|line| line.find('^'));
            assert_eq!(caret, Some("1 | ".len() + column), "{text}");
            assert!(text.contains(words), "{text}");
        }
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
