//! `docs/tutorial.md`, run: each block of SQL or shell is run in order, and prints what stands below it.
//!
//! To accept what is printed, run with `MARTLET_ACCEPT=1` and read the difference.
#![expect(clippy::tests_outside_test_module, reason = "an integration test is one")]

use std::error::Error;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

type Result<T = ()> = std::result::Result<T, Box<dyn Error>>;

/// Columns of a line in the tutorial.
const WIDTH: &str = ".width 118";

/// A fenced block or the text between two.
enum Part {
    Prose(String),
    Block { language: String, text: String },
}

fn parts(document: &str) -> Vec<Part> {
    let mut parts = Vec::new();
    let mut prose = String::new();
    let mut block: Option<(String, String)> = None;
    for line in document.lines() {
        match (block.take(), line.strip_prefix("```")) {
            (None, Some(language)) => {
                parts.push(Part::Prose(std::mem::take(&mut prose)));
                block = Some((language.to_owned(), String::new()));
            }
            (None, None) => prose = prose + line + "\n",
            (Some((language, text)), Some(_)) => parts.push(Part::Block { language, text }),
            (Some((language, text)), None) => block = Some((language, format!("{text}{line}\n"))),
        }
    }
    parts.push(Part::Prose(prose));
    parts
}

/// Standard output, then standard error.
fn printed(command: &mut Command) -> Result<String> {
    let output = command.env("NO_COLOR", "1").env("LC_ALL", "C.UTF-8").stdin(Stdio::null());
    let output = output.output()?;
    let text = String::from_utf8(output.stdout)? + std::str::from_utf8(&output.stderr)?;
    let lines = text.lines().flat_map(|line| [line.trim_end(), "\n"]);
    Ok(lines.collect())
}

fn run(language: &str, text: &str, folder: &Path) -> Result<String> {
    let martlet = Path::new(env!("CARGO_BIN_EXE_martlet"));
    if language == "sql" {
        let mut command = Command::new(martlet);
        command.current_dir(folder).args([
            "demo.mart",
            "-c",
            ".timer off",
            "-c",
            WIDTH,
            "-c",
            text,
        ]);
        return printed(&mut command);
    }
    let binaries = martlet.parent().ok_or("the binary is in a folder")?;
    let path = format!("{}:{}", binaries.display(), std::env::var("PATH")?);
    printed(Command::new("sh").current_dir(folder).env("PATH", path).args(["-c", text]))
}

#[test]
fn every_block_prints_what_stands_below_it() -> Result {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/tutorial.md");
    let document = fs::read_to_string(&path)?;
    let folder = tempfile::tempdir()?;
    let mut fresh = String::new();
    let mut last = String::new();
    let mut count = 0;
    for part in parts(&document) {
        match part {
            Part::Prose(text) => fresh += &text,
            Part::Block { language, text } => {
                let text = if language == "text" {
                    count += 1;
                    last.clone()
                } else {
                    last = run(&language, &text, folder.path())?;
                    text
                };
                for piece in ["```", &language, "\n", &text, "```\n"] {
                    fresh += piece;
                }
            }
        }
    }
    if std::env::var_os("MARTLET_ACCEPT").is_some() {
        fs::write(&path, &fresh)?;
    }
    assert!(count > 10, "{count} blocks");
    for (expected, found) in document.lines().zip(fresh.lines()) {
        assert_eq!(expected, found, "docs/tutorial.md");
    }
    assert_eq!(document.lines().count(), fresh.lines().count());
    Ok(())
}
