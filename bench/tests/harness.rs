//! The binary `martlet-bench` from outside: a mart is generated, loaded and asked.

#[cfg(test)]
mod tests {
    use std::error::Error;
    use std::fs;
    use std::path::Path;
    use std::process::{Command, Output};

    use serde_json::Value;

    type Result<T = ()> = std::result::Result<T, Box<dyn Error>>;

    fn bench(folder: &Path, line: &str) -> Result<Output> {
        let mut command = Command::new(env!("CARGO_BIN_EXE_martlet-bench"));
        Ok(command.args(line.split(' ')).current_dir(folder).output()?)
    }

    fn succeed(folder: &Path, line: &str) -> Result {
        let output = bench(folder, line)?;
        assert!(output.status.success(), "{line}: {}", String::from_utf8_lossy(&output.stderr));
        Ok(())
    }

    #[test]
    fn a_mart_is_generated_loaded_appended_to_and_asked() -> Result {
        let folder = tempfile::tempdir()?;
        let folder = folder.path();
        succeed(folder, "generate hits --rows 3000 --row-group 1000 --out a.parquet")?;
        succeed(folder, "load --db d.mart --table hits --parquet a.parquet a.parquet")?;
        succeed(folder, "load --db d.mart --table hits --parquet a.parquet --threads 1")?;
        let queries = "-- how many\nSELECT COUNT(*) AS n, MIN(EventDate) AS d FROM hits;\n\n\
                       SELECT nothing FROM hits\n\
                       SELECT CounterID, NULL AS x, '' AS e, 0.1::double AS f, COUNT(*) = 0 AS b \
                       FROM hits GROUP BY CounterID ORDER BY 1 LIMIT 2\n";
        fs::write(folder.join("q.sql"), queries)?;
        let run = "run --db d.mart --queries q.sql --runs 2 --json out.json --results answers";
        succeed(folder, run)?;

        let report: Value = serde_json::from_str(&fs::read_to_string(folder.join("out.json"))?)?;
        assert_eq!(report["engine"], "martlet");
        assert!(report["load_s"].as_f64() > Some(0.0) && report["bytes"].as_u64() > Some(0));
        let [count, failed, groups] = &report["queries"].as_array().ok_or("no queries")?[..] else {
            return Err("not three queries".into());
        };
        assert_eq!(
            (&count["q"], &count["rows"], &count["error"]),
            (&0.into(), &1.into(), &Value::Null)
        );
        assert_eq!(count["s"].as_array().map(Vec::len), Some(2));
        assert!(failed["error"].as_str().is_some_and(|error| error.contains("nothing")));
        assert_eq!(failed["s"].as_array().map(Vec::len), Some(0));
        assert_eq!(groups["rows"], 2);

        assert_eq!(fs::read_to_string(folder.join("answers/0.csv"))?, "n,d\n9000,2013-07-01\n");
        assert!(!folder.join("answers/1.csv").exists());
        let groups = fs::read_to_string(folder.join("answers/2.csv"))?;
        let lines: Vec<&str> = groups.lines().collect();
        assert_eq!((lines[0], lines.len()), ("CounterID,x,e,f,b", 3));
        assert!(lines[1].ends_with(",,\"\",0.1,false"), "{}", lines[1]);
        Ok(())
    }

    #[test]
    fn suites_are_answered_as_the_oracle_did() -> Result {
        let folder = tempfile::tempdir()?;
        for (suite, rows) in
            [("hits", 100_000), ("ssb-flat", 100_000), ("groupby", 100_000), ("wide", 2_000)]
        {
            let line = format!("suite {suite} --rows {rows} --runs 1 --data d --json {suite}.json");
            let output = bench(folder.path(), &line)?;
            let report = fs::read_to_string(folder.path().join(format!("{suite}.json")))?;
            let report: Value = serde_json::from_str(&report)?;
            let queries = report["queries"].as_array().ok_or("no queries")?;
            for query in queries {
                assert_eq!(query["check"], "right", "{suite}: {query}");
                assert_eq!(query["seconds"].as_array().map(Vec::len), Some(1), "{suite}: {query}");
            }
            assert!(output.status.success(), "{suite}");
            assert!(report["load"]["bytes"].as_u64() > Some(0), "{suite}");
        }
        Ok(())
    }

    #[test]
    fn a_cold_run_is_another_process() -> Result {
        let folder = tempfile::tempdir()?;
        let line = "suite ssb-flat --rows 1000 --runs 1 --cold --queries 1.1,4.1 --data d --json x";
        succeed(folder.path(), line)?;
        let report: Value = serde_json::from_str(&fs::read_to_string(folder.path().join("x"))?)?;
        let queries = report["queries"].as_array().ok_or("no queries")?;
        assert_eq!(queries.len(), 2);
        for query in queries {
            let cold = &query["cold"];
            assert!(cold["answer_s"].as_f64() > cold["open_s"].as_f64(), "{query}");
            assert_eq!(query["check"], "unchecked", "the oracle was not asked at this size");
        }
        Ok(())
    }

    #[test]
    fn sizes_are_measured_side_by_side() -> Result {
        let folder = tempfile::tempdir()?;
        let line = "suite scale --sizes 1000,10000 --runs 1 --queries 1,7 --data d";
        let output = bench(folder.path(), line)?;
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let text = String::from_utf8(output.stdout)?;
        assert!(
            text.contains("| query | 1,000 rows | 10,000 rows | growth from 1,000 rows |"),
            "{text}"
        );
        assert_eq!(text.lines().filter(|line| line.starts_with("| 1 |")).count(), 1, "{text}");
        Ok(())
    }

    #[test]
    fn a_comparison_without_peers_says_so() -> Result {
        let folder = tempfile::tempdir()?;
        let line = "compare --suite groupby --rows 1000 --runs 1 --queries 1 --data d --peers none \
                    --out report";
        let output = bench(folder.path(), line)?;
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let read = |name: &str| fs::read_to_string(folder.path().join(name));
        let markdown = read("report.md")?;
        assert!(markdown.contains("**hyper is absent**: no none/runner.py"), "{markdown}");
        assert!(markdown.contains("No peer ran: nothing was compared."), "{markdown}");
        assert_eq!(String::from_utf8(output.stdout)?, markdown);
        let report: Value = serde_json::from_str(&read("report.json")?)?;
        assert_eq!(report["absent"].as_array().map(Vec::len), Some(5));
        assert!(report["bandwidth"]["one_thread"].as_f64() > Some(0.0));
        assert!(read("report.svg")?.starts_with("<svg "));
        Ok(())
    }

    #[test]
    fn widths_are_measured_side_by_side() -> Result {
        let folder = tempfile::tempdir()?;
        let output = bench(folder.path(), "suite width --columns 8,40")?;
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let table = String::from_utf8(output.stdout)?;
        let rows: Vec<&str> = table.lines().skip(2).collect();
        assert!(rows[0].starts_with("| 8 |") && rows[1].starts_with("| 40 |"), "{table}");
        Ok(())
    }

    #[test]
    fn what_is_missing_is_named() -> Result {
        let folder = tempfile::tempdir()?;
        for (line, name) in [
            ("load --db d.mart --table t --parquet none.parquet", "none.parquet"),
            ("run --db none.mart --queries none.sql --json out.json", "none.sql"),
            ("generate hits --rows 10 --out none/a.parquet", "none/a.parquet"),
        ] {
            let output = bench(folder.path(), line)?;
            assert_eq!(output.status.code(), Some(1), "{line}");
            let error = String::from_utf8(output.stderr)?;
            assert!(error.contains("error: ") && error.contains(name), "{error}");
        }
        Ok(())
    }
}
