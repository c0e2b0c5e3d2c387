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
    fn widths_are_measured_side_by_side() -> Result {
        let folder = tempfile::tempdir()?;
        let output = bench(folder.path(), "width --columns 8,40")?;
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
