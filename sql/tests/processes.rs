//! Several processes on one database, through the library: readers keep their answers while a writer
//! appends, merges, deletes and vacuums; scans travel as bytes; locks end with their process.
//!
//! The other process is this test binary again, running [`child`] with a role in its environment.
#![expect(clippy::tests_outside_test_module, reason = "an integration test is one")]
#![expect(clippy::print_stdout, reason = "the processes talk through it")]

mod mart;

use std::error::Error;
use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use martlet::{Database, ErrorKind, FileAccess, ScanRequest};
use martlet_engine::storage::{MappedBackend, Store};

type TestResult = Result<(), Box<dyn Error>>;

const ROLE: &str = "MARTLET_TEST_ROLE";
const PLACE: &str = "MARTLET_TEST_PLACE";

/// Another process, killed when the test ends.
struct Other {
    process: Child,
    output: BufReader<ChildStdout>,
}

impl Other {
    /// Starts a process in `role` and waits until it is ready.
    fn start(role: &str, place: &Path) -> Result<Other, Box<dyn Error>> {
        let program = std::env::current_exe()?;
        Other::spawn(Command::new(program), role, place)
    }

    fn spawn(mut command: Command, role: &str, place: &Path) -> Result<Other, Box<dyn Error>> {
        let mut process = command
            .args(["--exact", "child", "--nocapture"])
            .env(ROLE, role)
            .env(PLACE, place)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let output = BufReader::new(process.stdout.take().expect("it is piped"));
        let mut other = Other { process, output };
        other.wait_for("ready")?;
        Ok(other)
    }

    /// What the other process says after `word`.
    fn wait_for(&mut self, word: &str) -> Result<String, Box<dyn Error>> {
        loop {
            let mut line = String::new();
            if self.output.read_line(&mut line)? == 0 {
                return Err(format!("the other process ended before it said {word:?}").into());
            }
            if let Some(said) = line.split(word).nth(1) {
                return Ok(said.trim().to_owned());
            }
        }
    }

    fn go_on(&mut self) -> TestResult {
        Ok(self.process.stdin.as_mut().expect("it is piped").write_all(b"go on\n")?)
    }

    fn finish(mut self) -> TestResult {
        self.wait_for("done")?;
        assert!(self.process.wait()?.success());
        Ok(())
    }

    fn kill(mut self) -> TestResult {
        self.process.kill()?;
        self.process.wait()?;
        Ok(())
    }
}

impl Drop for Other {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ended = self.process.kill();
    }
}

fn pause() -> TestResult {
    std::io::stdin().read_line(&mut String::new())?;
    Ok(())
}

/// What two processes compare instead of long answers.
fn digest(answers: &str) -> String {
    let mut hasher = DefaultHasher::new();
    answers.hash(&mut hasher);
    format!("{:016x}", hasher.finish())
}

#[test]
fn child() -> TestResult {
    let (Ok(role), Ok(place)) = (std::env::var(ROLE), std::env::var(PLACE)) else { return Ok(()) };
    let place = Path::new(&place);
    match role.as_str() {
        "mapped reader" => read_on(place, FileAccess::Mapped)?,
        "positional reader" => read_on(place, FileAccess::Positional)?,
        "holder" => {
            let reader = Database::open_read_only_with(place, mart::options())?;
            let _rows = reader.connect().query("SELECT * FROM t")?;
            println!("ready");
            pause()?;
        }
        "writer" => {
            let store = Store::open(Arc::new(MappedBackend::open(place)?))?;
            let _transaction = store.begin()?;
            println!("ready");
            pause()?;
        }
        "scanner" => scan(place)?,
        "loader" => load(place)?,
        other => panic!("no role {other}"),
    }
    println!("done");
    Ok(())
}

/// Asks the same things over and over until it is told to stop, then what is new.
fn read_on(place: &Path, access: FileAccess) -> TestResult {
    let mut options = mart::options();
    options.file_access = access;
    options.batch_len = 16;
    let database = Database::open_read_only_with(place, options)?;
    let number = database.snapshot_number()?;
    let before = mart::answers(&database)?;
    let streamed = "SELECT * FROM t";
    let whole = mart::answer(&database.connect(), streamed)?;
    let mut rows = database.connect().query(streamed)?;
    let mut text = mart::rows_as_text(&rows.next().expect("there are rows")?)?;

    println!("ready");
    let stop = AtomicBool::new(false);
    let rounds = thread::scope(|scope| -> Result<usize, Box<dyn Error>> {
        scope.spawn(|| {
            pause().expect("standard input can be read");
            stop.store(true, Ordering::Release);
        });
        let mut rounds = 0;
        while !stop.load(Ordering::Acquire) || rounds < 2 {
            assert!(mart::answers(&database)? == before, "an answer changed in round {rounds}");
            rounds += 1;
        }
        Ok(rounds)
    })?;
    // A result that was begun before goes on where it was, and a fresh connection sees no news.
    for batch in rows {
        text.push_str(&mart::rows_as_text(&batch?)?);
    }
    assert!(whole == format!("{streamed}\n{text}"), "a streamed result changed");
    assert_eq!(database.snapshot_number()?, number);
    println!("rounds {rounds}");

    assert!(database.refresh()? > number);
    println!("news {}", digest(&mart::answers(&database)?));
    Ok(())
}

fn check_reader(role: &str) -> TestResult {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("sales.mart");
    mart::create(&path)?;
    let mut other = Other::start(role, &path)?;
    let connection = Database::open_with(&path, mart::options())?.connect();
    for round in 0..6 {
        let start = 560 + round * 60;
        mart::append(&connection, start..start + 60)?;
        connection.execute("INSERT INTO u SELECT id, note FROM t WHERE id % 19 = 0")?;
        mart::delete(&path, 5 + usize::try_from(round)?)?;
        connection.execute("VACUUM")?;
        mart::merge(&path)?;
        connection.execute("VACUUM")?;
    }
    other.go_on()?;
    assert!(other.wait_for("rounds")?.parse::<usize>()? >= 2);
    let news = digest(&mart::answers(connection.database())?);
    assert_eq!(other.wait_for("news")?, news);
    other.finish()
}

#[test]
fn a_mapped_reader_keeps_its_answers_while_others_write() -> TestResult {
    check_reader("mapped reader")
}

#[test]
fn a_positional_reader_keeps_its_answers_while_others_write() -> TestResult {
    check_reader("positional reader")
}

fn file_count(path: &Path) -> Result<usize, Box<dyn Error>> {
    Ok(fs::read_dir(path)?.count())
}

#[test]
fn the_files_of_a_killed_reader_are_vacuumed() -> TestResult {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("sales.mart");
    mart::create(&path)?;
    let other = Other::start("holder", &path)?;
    let connection = Database::open_with(&path, mart::options())?.connect();
    connection.execute("DROP TABLE t; VACUUM")?;
    let pinned = file_count(&path)?;
    connection.execute("VACUUM")?;
    assert_eq!(file_count(&path)?, pinned);
    other.kill()?;
    connection.execute("VACUUM")?;
    assert!(file_count(&path)? + 5 < pinned, "columns, dictionaries and deletions went");
    assert!(connection.query("SELECT * FROM u").is_ok());
    Ok(())
}

#[test]
fn a_second_writer_is_told_that_the_database_is_locked() -> TestResult {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("sales.mart");
    mart::create(&path)?;
    let other = Other::start("writer", &path)?;
    let connection = Database::open_with(&path, mart::options())?.connect();
    for sql in ["INSERT INTO u VALUES (1, 'x')", "DROP TABLE u", "VACUUM", "CREATE TABLE v (x int)"]
    {
        let error = connection.execute(sql).expect_err("somebody else writes");
        assert_eq!(error.kind(), ErrorKind::Locked, "{sql}: {error}");
        assert!(error.message().contains("locked by another process"), "{error}");
        assert!(error.message().contains("sales.mart"), "{error}");
    }
    assert!(mart::answers(connection.database())?.lines().count() > 100, "readers go on");
    other.kill()?;
    connection.execute("INSERT INTO u VALUES (1, 'x')")?;
    Ok(())
}

/// Runs the scan whose bytes are in the file at `place`.
fn scan(place: &Path) -> TestResult {
    let request = ScanRequest::from_bytes(&fs::read(place)?)?;
    let database = Database::open_read_only_with(&request.database, mart::options())?;
    println!("ready");
    let mut text = String::new();
    for batch in database.scan(&request)? {
        text.push_str(&mart::rows_as_text(&batch?)?);
    }
    println!("rows {} {}", text.lines().count(), digest(&text));
    Ok(())
}

#[test]
fn a_scan_gives_another_process_the_same_rows() -> TestResult {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("sales.mart");
    mart::create(&path)?;
    let connection = Database::open_read_only_with(&path, mart::options())?.connect();
    for sql in [
        "SELECT * FROM t",
        "SELECT name, id FROM t WHERE name >= 'name 3' AND price > 1.5",
        "SELECT late, note FROM t WHERE name LIKE '%7%' OR amount < 100.5",
        "SELECT id, key FROM t WHERE day BETWEEN DATE '2026-02-01' AND DATE '2026-06-30' \
         AND at < TIMESTAMP '2026-01-01 12:00:00' AND name IN ('name 1', 'name 4', 'nobody')",
        "SELECT id FROM t WHERE name IS NULL AND flag",
    ] {
        let request = connection.scan_request(sql)?;
        let expected = mart::answer(&connection, sql)?;
        let expected = expected.split_once('\n').expect("the query comes first").1;
        let file = folder.path().join("scan");
        fs::write(&file, request.to_bytes()?)?;
        let mut other = Other::start("scanner", &file)?;
        let said = other.wait_for("rows")?;
        assert_eq!(said, format!("{} {}", expected.lines().count(), digest(expected)), "{sql}");
        other.finish()?;
        // In parts, as several processes would share the work.
        let mut rows = 0;
        for row_group in 0..3 {
            let part = ScanRequest { row_groups: Some(vec![row_group]), ..request.clone() };
            fs::write(&file, part.to_bytes()?)?;
            let mut other = Other::start("scanner", &file)?;
            let said = other.wait_for("rows")?;
            rows += said.split(' ').next().unwrap_or_default().parse::<usize>()?;
            other.finish()?;
        }
        assert_eq!(rows, expected.lines().count(), "{sql}");
        for wrong in [vec![3], vec![0, 0]] {
            let wrong = ScanRequest { row_groups: Some(wrong), ..request.clone() };
            let error = connection.database().scan(&wrong)?.collect_batches().expect_err(sql);
            assert_eq!(error.kind(), ErrorKind::Invalid, "{error}");
        }
    }
    // A database that was made by the same steps is another one.
    let other = folder.path().join("other.mart");
    mart::create(&other)?;
    let other = Database::open_read_only(&other)?;
    let request = connection.scan_request("SELECT id FROM t")?;
    assert_eq!(other.snapshot_number()?, request.snapshot);
    let error = other.scan(&request).expect_err("it is of another database");
    assert!(error.message().contains("another database"), "{error}");
    Ok(())
}

/// Many row groups, each a file, written and read with few descriptors.
fn load(place: &Path) -> TestResult {
    println!("ready");
    let connection = Database::open_with(place, mart::options())?.connect();
    connection.execute("CREATE TABLE w (id bigint, name text)")?;
    let rows: Vec<String> = (0..40_000).map(|id| format!("({id}, 'name {}')", id % 77)).collect();
    connection.execute(&format!("INSERT INTO w VALUES {}", rows.join(", ")))?;
    let sql = "SELECT count(*), sum(id), count(DISTINCT name) FROM w WHERE id >= 0";
    println!("answer {}", mart::answer(&connection, sql)?.replace(['\n', '\t'], " "));
    Ok(())
}

#[cfg(unix)]
#[test]
fn more_row_groups_than_descriptors_are_loaded_and_read() -> TestResult {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("sales.mart");
    let mut shell = Command::new("sh");
    shell.args(["-c", "ulimit -n 100 && exec \"$0\" \"$@\""]).arg(std::env::current_exe()?);
    let mut other = Other::spawn(shell, "loader", &path)?;
    let answer = other.wait_for("answer")?;
    assert!(answer.ends_with("40000 799980000 77"), "{answer}");
    other.finish()
}
