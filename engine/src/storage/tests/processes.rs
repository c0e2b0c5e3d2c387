//! Two processes on one database: locks that die with their holder, snapshots that stay.
//!
//! The other process is this test binary again, running [`child`] with a role in its environment.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use super::*;
use crate::types::ErrorKind;

const ROLE: &str = "MARTLET_TEST_ROLE";
const PLACE: &str = "MARTLET_TEST_PLACE";
const READY: &str = "child is ready";

/// Another process, killed when the test ends.
struct Other {
    process: Child,
    output: BufReader<std::process::ChildStdout>,
}

impl Other {
    /// Starts a process in `role` and waits until it is ready.
    fn start(role: &str, place: &Path) -> Other {
        let mut process = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "storage::tests::processes::child", "--nocapture"])
            .env(ROLE, role)
            .env(PLACE, place)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut output = BufReader::new(process.stdout.take().unwrap());
        wait_for(&mut output, READY);
        Other { process, output }
    }

    /// Lets it finish its role.
    fn finish(mut self) {
        self.process.stdin.take().unwrap().write_all(b"go on\n").unwrap();
        wait_for(&mut self.output, "child is done");
        assert!(self.process.wait().unwrap().success());
    }

    fn kill(mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}

impl Drop for Other {
    fn drop(&mut self) {
        drop(self.process.kill());
    }
}

fn wait_for(output: &mut impl BufRead, line: &str) {
    let mut read = String::new();
    while !read.contains(line) {
        read.clear();
        assert!(output.read_line(&mut read).unwrap() > 0, "the child ended before {line:?}");
    }
}

/// In the other process: says that it is ready and waits for a line.
fn pause() {
    println!("{READY}");
    std::io::stdin().read_line(&mut String::new()).unwrap();
}

#[test]
fn child() -> Result<()> {
    let (Ok(role), Ok(place)) = (std::env::var(ROLE), std::env::var(PLACE)) else { return Ok(()) };
    let store = Store::open(Arc::new(MappedBackend::open(Path::new(&place))?))?;
    match role.as_str() {
        "reader" => {
            let snapshot = store.snapshot()?;
            let before = digest(&snapshot)?;
            pause();
            assert_eq!(digest(&snapshot)?, before);
            assert!(store.snapshot()?.number() > snapshot.number() + 1);
        }
        "writer" => {
            let transaction = store.begin()?;
            let id = transaction.find("t")?.expect("it is there");
            append(&transaction, id, 17..30, 1)?;
            pause();
            transaction.commit()?;
        }
        other => panic!("no role {other}"),
    }
    println!("child is done");
    Ok(())
}

fn mart(place: &Path) -> Result<Arc<Store>> {
    small_mart(Arc::new(PositionalBackend::create(place)?))
}

#[test]
fn a_writer_elsewhere_excludes_writers_here() -> Result<()> {
    let folder = tempfile::tempdir().unwrap();
    let store = mart(folder.path())?;
    let before = digest(&*store.snapshot()?)?;
    let other = Other::start("writer", folder.path());
    assert_eq!(store.begin().unwrap_err().kind(), ErrorKind::Locked);
    assert_eq!(store.vacuum().unwrap_err().kind(), ErrorKind::Locked);
    assert_eq!(digest(&*store.snapshot()?)?, before, "nothing is visible before the commit");
    other.finish();
    let t = table(&*store.snapshot()?, "t")?;
    assert_eq!(ids(&t)?, (0..30).collect::<Vec<_>>());
    store.begin()?;
    Ok(())
}

#[test]
fn a_killed_writer_leaves_no_lock_and_no_trace() -> Result<()> {
    let folder = tempfile::tempdir().unwrap();
    let store = mart(folder.path())?;
    store.vacuum()?;
    let file_count = || std::fs::read_dir(folder.path()).unwrap().count();
    let (before, count) = (digest(&*store.snapshot()?)?, file_count());
    Other::start("writer", folder.path()).kill();
    assert_eq!(digest(&*store.snapshot()?)?, before);
    assert!(file_count() > count, "the killed writer left files");
    // Its files are in nobody's way, and a vacuum takes them.
    let transaction = store.begin()?;
    let id = transaction.find("t")?.expect("it is there");
    append(&transaction, id, 17..19, 1)?;
    let t = table(&*transaction.commit()?, "t")?;
    assert_eq!(ids(&t)?, (0..19).collect::<Vec<_>>());
    let with_leftovers = file_count();
    assert!(store.vacuum()?.file_count > 2);
    assert!(file_count() < with_leftovers);
    assert_eq!(ids(&*table(&*store.snapshot()?, "t")?)?.len(), 19);
    Ok(())
}

#[test]
fn a_reader_elsewhere_keeps_its_snapshot() -> Result<()> {
    let folder = tempfile::tempdir().unwrap();
    let store = mart(folder.path())?;
    let other = Other::start("reader", folder.path());
    for round in 0..3 {
        let transaction = store.begin()?;
        let id = transaction.find("t")?.expect("it is there");
        append(&transaction, id, 17 + round..18 + round, 1)?;
        transaction.delete_rows(id, 0, &[0].into_iter().collect())?;
        transaction.commit()?;
        assert_eq!(store.vacuum()?.pinned_count, 1);
    }
    let transaction = store.begin()?;
    transaction.drop_table("t")?;
    transaction.commit()?;
    assert_eq!(store.vacuum()?.pinned_count, 1);
    other.finish();
    assert_eq!(store.vacuum()?.pinned_count, 0);
    Ok(())
}

#[test]
fn a_killed_reader_pins_nothing() -> Result<()> {
    let folder = tempfile::tempdir().unwrap();
    let store = mart(folder.path())?;
    let other = Other::start("reader", folder.path());
    let transaction = store.begin()?;
    transaction.drop_table("t")?;
    transaction.commit()?;
    assert_eq!(store.vacuum()?.pinned_count, 1);
    other.kill();
    assert_eq!(store.vacuum()?.pinned_count, 0);
    Ok(())
}
