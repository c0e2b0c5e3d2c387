//! Damaged databases, asked through the library: an error that names the file, or the right answer.
#![expect(clippy::tests_outside_test_module, reason = "an integration test is one")]

mod mart;

use std::collections::BTreeMap;
use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};

use martlet::{Database, ErrorKind, FileAccess};

const FOREIGN: &str = "another database's file";

type TestResult = Result<(), Box<dyn Error>>;

/// A database that is damaged again and again.
struct Patient {
    _folder: tempfile::TempDir,
    path: PathBuf,
    files: BTreeMap<String, Vec<u8>>,
    expected: String,
}

impl Patient {
    fn new() -> Result<Patient, Box<dyn Error>> {
        let folder = tempfile::tempdir()?;
        let path = folder.path().join("sales.mart");
        mart::create(&path)?;
        let expected = mart::answers(&Database::open_read_only(&path)?)?;
        let mut patient = Patient { _folder: folder, path, files: BTreeMap::new(), expected };
        for entry in fs::read_dir(&patient.path)? {
            let entry = entry?;
            let name = entry.file_name().into_string().expect("our names are ASCII");
            patient.files.insert(name, fs::read(entry.path())?);
        }
        patient.files.remove("lock");
        Ok(patient)
    }

    /// Asks with other `bytes`, or none, in place of a file; whether the damage was found.
    fn ask(&self, name: &str, bytes: Option<&[u8]>, what: &str) -> Result<bool, Box<dyn Error>> {
        let place = self.path.join(name);
        match bytes {
            Some(bytes) => fs::write(&place, bytes)?,
            None => fs::remove_file(&place)?,
        }
        let mut found = false;
        for access in [FileAccess::Mapped, FileAccess::Positional] {
            let mut options = mart::options();
            options.file_access = access;
            let answered = Database::open_read_only_with(&self.path, options)
                .and_then(|database| mart::answers(&database));
            found = self.is_found(answered, name, what);
        }
        fs::write(&place, &self.files[name])?;
        Ok(found)
    }

    fn is_found(&self, answered: martlet::Result<String>, name: &str, what: &str) -> bool {
        match answered {
            Ok(answers) => {
                assert!(answers == self.expected, "{what} of {name} changed an answer");
                false
            }
            Err(error) => {
                let kinds = [ErrorKind::Corrupt, ErrorKind::Unsupported];
                assert!(kinds.contains(&error.kind()), "{what} of {name}: {error:?}");
                let place = self.path.display().to_string();
                // A sound manifest of another database names files that ours has by accident.
                let culprit = if what == FOREIGN { &place } else { name };
                assert!(
                    error.message().contains(culprit),
                    "{what} of {name} is blamed on: {error}"
                );
                true
            }
        }
    }
}

#[test]
fn a_flipped_byte_anywhere_is_found_or_does_not_matter() -> TestResult {
    let patient = Patient::new()?;
    let (mut flipped, mut found) = (0, 0);
    for (name, bytes) in &patient.files {
        // A prime, so that all places in records are hit.
        for place in (0..bytes.len()).step_by(997.min(bytes.len() / 16).max(1)) {
            let mut damaged = bytes.clone();
            damaged[place] ^= 1 << (place % 8);
            found += usize::from(patient.ask(name, Some(&damaged), &format!("byte {place}"))?);
            flipped += 1;
        }
    }
    // Some lie between the sections.
    assert!(found * 2 > flipped, "{found} of {flipped} were found");
    Ok(())
}

#[test]
fn a_file_that_was_cut_emptied_or_lost_is_found() -> TestResult {
    let patient = Patient::new()?;
    for (name, bytes) in &patient.files {
        for eighth in 0..8 {
            let len = bytes.len() * eighth / 8;
            assert!(patient.ask(name, Some(&bytes[..len]), &format!("a cut at {len}"))?);
        }
        assert!(patient.ask(name, Some(&bytes[..bytes.len() - 1]), "the loss of a byte")?);
        if !name.starts_with("manifest") {
            assert!(patient.ask(name, None, "the loss")?);
        }
    }
    Ok(())
}

#[test]
fn a_file_in_the_place_of_another_is_found() -> TestResult {
    let patient = Patient::new()?;
    let other = Patient::new()?;
    for name in patient.files.keys() {
        for (other_name, bytes) in &patient.files {
            if name != other_name {
                assert!(patient.ask(name, Some(bytes), &format!("{other_name} in place"))?);
            }
        }
        // The other database was made by the same steps, its files have the same names.
        assert!(patient.ask(name, Some(&other.files[name]), FOREIGN)?);
        let half = patient.files[name].len() / 2 / 64 * 64;
        let mut spliced = other.files[name].clone();
        spliced.resize(patient.files[name].len(), 0);
        spliced[half..].copy_from_slice(&patient.files[name][half..]);
        assert!(patient.ask(name, Some(&spliced), "half of another database's file")?);
    }
    Ok(())
}

/// Every file is cut to `len` bytes while a handle has it open, has answered from it, and goes on.
fn cut_while_open(path: &Path, len: u64, access: FileAccess) -> TestResult {
    let mut options = mart::options();
    options.file_access = access;
    let database = Database::open_read_only_with(path, options)?;
    let connection = database.connect();
    let sqls = [
        "SELECT count(DISTINCT name), max(name) FROM w",
        "SELECT id FROM w WHERE name LIKE '%77%' ORDER BY id",
        "SELECT name, sum(x) FROM w GROUP BY name ORDER BY name DESC LIMIT 5",
        "SELECT sum(x), min(name) FROM w WHERE name > 'a long name, number 500'",
    ];
    let before: Vec<String> =
        sqls.iter().map(|sql| mart::answer(&connection, sql)).collect::<martlet::Result<_>>()?;
    for entry in fs::read_dir(path)? {
        let file = fs::OpenOptions::new().write(true).open(entry?.path())?;
        file.set_len(file.metadata()?.len().min(len))?;
    }
    let mut failed = 0;
    for (sql, before) in sqls.iter().zip(before) {
        match mart::answer(&connection, sql) {
            Ok(after) => assert_eq!(after, before),
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::Corrupt, "{error}");
                assert!(error.message().contains("bytes long"), "{error}");
                failed += 1;
            }
        }
    }
    assert!(failed > 0 || len > 4_096, "something of it was to be read again");
    Ok(())
}

#[test]
fn a_file_cut_under_an_open_handle_is_an_error_and_no_signal() -> TestResult {
    for access in [FileAccess::Mapped, FileAccess::Positional] {
        for len in [0, 130, 4_096, 70_000] {
            let folder = tempfile::tempdir()?;
            let path = folder.path().join("sales.mart");
            let connection = Database::create_with(&path, martlet::Options::default())?.connect();
            connection.execute("CREATE TABLE w (id bigint, name text, x double)")?;
            let rows: Vec<String> = (0..6_000)
                .map(|id| format!("({id}, 'a long name, number {}', {id}.25)", id * 7_919 % 3_001))
                .collect();
            connection.execute(&format!("INSERT INTO w VALUES {}", rows.join(", ")))?;
            cut_while_open(&path, len, access)?;
        }
    }
    Ok(())
}
