//! A comparison with peers that are not there, and with one that a small script plays.

use std::fs;
use std::path::Path;
use std::process::Command;

use super::*;
use crate::suite::figures::QueryFigures;

fn options(folder: &Path) -> CompareOptions {
    CompareOptions {
        suite: Suite::Groupby,
        rows: 1_000,
        seed: 1,
        run_count: 2,
        queries: vec!["1".into(), "4".into()],
        peers: vec!["duckdb".into(), "polars".into()],
        folder: folder.join("data"),
        peers_folder: folder.to_owned(),
        python: None,
        engine: martlet::Options::default().with_worker_count(1),
    }
}

#[test]
fn the_peers_that_are_there_run_and_the_others_are_named() -> Result<()> {
    let folder = tempfile::tempdir()?;
    // Played by a shell, so that the test needs no Python: it loads, fails each query and ends.
    let runner = "[ \"$1\" = duckdb ] || exit 1\n\
                  echo '{\"engine\": \"duckdb\", \"version\": \"7\"}'\n\
                  read line; echo '{\"seconds\": 0.5, \"bytes\": 9}'\n\
                  while read line; do echo '{\"error\": \"no such function\"}'; done\n";
    fs::write(folder.path().join("runner.py"), runner)?;
    let options = CompareOptions { python: Some("sh".into()), ..options(folder.path()) };
    let mart = mart(&options)?;
    let mut lines = Vec::new();
    let (running, absent) = start_peers(&options, &mart, &mut |line| lines.push(line.to_owned()));
    assert_eq!(lines, ["duckdb 7 is loaded", "polars is absent: polars has ended"]);
    assert_eq!(absent, [("polars".to_owned(), "polars has ended".to_owned())]);
    let [mut duckdb] = <[Running; 1]>::try_from(running).map_err(|_| "one peer runs")?;
    assert_eq!((duckdb.figures.load_s, duckdb.figures.bytes), (0.5, 9));
    let error = duckdb.peer.run(&duckdb.queries[0]).expect_err("it fails each query");
    assert_eq!(error.to_string(), "no such function");
    drop(duckdb);
    assert!(!options.folder.join("peer-duckdb").exists(), "its files go with it");
    Ok(())
}

#[test]
fn without_a_runner_every_peer_is_absent() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let options = options(folder.path());
    let (running, absent) = start_peers(&options, &mart(&options)?, &mut |_| ());
    assert!(running.is_empty());
    let names: Vec<&str> = absent.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["duckdb", "polars"]);
    assert!(absent.iter().all(|(_, reason)| reason.contains("runner.py")), "{absent:?}");
    assert!(ask_oracle(&options, &mut |_| ()).is_err());
    Ok(())
}

#[test]
fn a_peer_with_another_answer_is_marked() -> Result<()> {
    let query = &Suite::Groupby.queries()?[0];
    let answer = |rows| Answer { rows, hash: "0".into(), about: vec![] };
    let mut round = Round::new(query, 0);
    round.theirs = vec![QueryFigures::new(query); 2];
    round.ours.answer = Some(answer(3));
    round.theirs[0].answer = Some(answer(3));
    round.theirs[1].answer = Some(answer(4));
    let expected = [Expected { rows: 1, seed: 1, query: query.name.clone(), answer: answer(3) }];
    let (ours, theirs) = round.checked(&[], &expected);
    let checks: Vec<Check> = theirs.iter().map(|figures| figures.check).collect();
    assert_eq!((ours.check, checks), (Check::Right, vec![Check::Right, Check::Wrong]));
    Ok(())
}

/// The real runner is Python that at least compiles, where there is a Python.
#[test]
fn the_runner_is_valid_python() {
    let runner = Path::new(env!("CARGO_MANIFEST_DIR")).join("peers/runner.py");
    let program = "import ast, sys; ast.parse(open(sys.argv[1]).read())";
    if let Ok(output) = Command::new("python3").args(["-c", program]).arg(runner).output() {
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
}

fn mart(options: &CompareOptions) -> Result<SuiteMart> {
    SuiteMart::generate(options.suite, options.rows, options.seed, &options.folder)
}

#[test]
fn each_engine_comes_after_each_other_equally_often() {
    for (count, run_count) in [(1, 1), (2, 2), (3, 6), (5, 10), (6, 6)] {
        let mut after = vec![vec![0; count]; count];
        for run in 0..run_count {
            let order = order_of(count, run);
            let mut sorted = order.clone();
            sorted.sort_unstable();
            assert_eq!(sorted, (0..count).collect::<Vec<_>>());
            for pair in order.windows(2) {
                after[pair[0]][pair[1]] += 1;
            }
        }
        let times = run_count / count;
        for (before, row) in after.iter().enumerate() {
            for (behind, found) in row.iter().enumerate() {
                assert_eq!(*found, if before == behind { 0 } else { times }, "{count} engines");
            }
        }
    }
}
