//! Rules of the house that no compiler checks.

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::{Path, PathBuf};

    /// The modules of `engine` and, for each, the others that it may use.
    const LAYERS: &[(&str, &[&str])] = &[
        ("kernel", &[]),
        ("types", &[]),
        ("context", &["types"]),
        ("catalog", &["types"]),
        ("vector", &["types", "kernel"]),
        ("encoding", &["types", "vector", "kernel"]),
        ("storage", &["types", "context", "catalog", "vector", "encoding", "kernel"]),
        ("plan", &["types", "catalog"]),
        ("export", &["types"]),
        ("ingest", &["types", "context", "catalog", "vector", "encoding", "storage", "kernel"]),
        (
            "exec",
            &[
                "types", "context", "catalog", "vector", "encoding", "storage", "plan", "ingest",
                "kernel",
            ],
        ),
    ];
    const FILE_LINES_MAX: usize = 800;

    #[test]
    fn modules_only_use_the_layers_below_them() {
        let mut errors = Vec::new();
        for (layer, allowed) in LAYERS {
            for file in rust_files(&engine().join("src").join(layer)) {
                let text = fs::read_to_string(&file).unwrap();
                for (index, line) in text.lines().enumerate() {
                    for used in line.split("crate::").skip(1) {
                        let used: String =
                            used.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
                        let known = LAYERS.iter().any(|(name, _)| *name == used);
                        if known && used != *layer && !allowed.contains(&used.as_str()) {
                            errors.push(format!(
                                "{}:{}: {layer} may not use {used}",
                                file.display(),
                                index + 1
                            ));
                        }
                    }
                }
            }
        }
        assert!(errors.is_empty(), "{}", errors.join("\n"));
    }

    #[test]
    fn every_file_says_what_it_is_for() {
        for file in all_rust_files() {
            let text = fs::read_to_string(&file).unwrap();
            assert!(text.starts_with("//! "), "{}: no module docs", file.display());
        }
    }

    #[test]
    fn no_file_is_too_long_to_read() {
        for file in all_rust_files() {
            let lines = fs::read_to_string(&file).unwrap().lines().count();
            assert!(lines <= FILE_LINES_MAX, "{}: {lines} lines", file.display());
        }
    }

    #[test]
    fn nothing_is_left_to_do_later() {
        let marks = ["TO", "FIX"]
            .map(|start| format!("{start}{}", if start == "TO" { "DO" } else { "ME" }));
        for file in all_rust_files() {
            let text = fs::read_to_string(&file).unwrap();
            for (index, line) in text.lines().enumerate() {
                for mark in &marks {
                    assert!(!line.contains(mark), "{}:{}: {mark}", file.display(), index + 1);
                }
                assert!(
                    !(line.trim_start().starts_with("matches!(") && line.ends_with(");")),
                    "{}:{}: a bare matches! asserts nothing",
                    file.display(),
                    index + 1
                );
            }
        }
    }

    fn all_rust_files() -> Vec<PathBuf> {
        let root = engine().parent().expect("the workspace").to_owned();
        let crates = ["engine", "sql", "bench"];
        let folders = ["src", "tests", "benches", "examples"];
        crates
            .iter()
            .flat_map(|name| folders.map(|folder| root.join(name).join(folder)))
            .filter(|folder| folder.is_dir())
            .flat_map(|folder| rust_files(&folder))
            .collect()
    }

    fn engine() -> &'static Path {
        Path::new(env!("CARGO_MANIFEST_DIR"))
    }

    fn rust_files(folder: &Path) -> Vec<PathBuf> {
        let mut files = Vec::new();
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                files.extend(rust_files(&path));
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                files.push(path);
            }
        }
        files
    }
}
