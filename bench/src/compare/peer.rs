//! A peer engine: a Python process that `bench/peers/runner.py` describes, asked a line at a time.

use std::fs::File;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use arrow::ipc::reader::FileReader;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::host::AnonymousPeak;
use crate::suite::answer::Answer;
use crate::suite::martlet::Run;
use crate::suite::query::Query;
use crate::{Result, context};

/// Where Python and the runner are.
#[derive(Clone, Debug)]
pub(crate) struct Python {
    pub(crate) program: PathBuf,
    pub(crate) runner: PathBuf,
}

/// A running peer.
#[derive(Debug)]
pub(crate) struct Peer {
    pub(crate) name: String,
    pub(crate) version: String,
    process: Child,
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
    answer_file: PathBuf,
}

/// What loading cost a peer.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PeerLoad {
    pub(crate) seconds: f64,
    pub(crate) bytes: u64,
    pub(crate) anonymous_peak_kb: u64,
}

/// A line of the runner's.
#[derive(Debug, Deserialize)]
struct Reply {
    error: Option<String>,
    version: Option<String>,
    seconds: Option<f64>,
    bytes: Option<u64>,
}

impl Peer {
    /// Starts the engine `name`, which may write into `folder`.
    pub(crate) fn start(
        python: &Python,
        name: &str,
        threads: usize,
        folder: &Path,
    ) -> Result<Peer> {
        std::fs::create_dir_all(folder)
            .map_err(context(format!("cannot create {}", folder.display())))?;
        let mut process = Command::new(&python.program)
            .arg(&python.runner)
            .args([name, &threads.to_string()])
            .arg(folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .map_err(context(format!("cannot start {}", python.program.display())))?;
        let input = process.stdin.take();
        let output = BufReader::new(process.stdout.take().expect("it is piped"));
        let mut peer = Peer {
            name: name.to_owned(),
            version: String::new(),
            process,
            input,
            output,
            answer_file: folder.join("answer.arrow"),
        };
        peer.version = peer.reply()?.version.unwrap_or_default();
        Ok(peer)
    }

    /// Loads a Parquet file as a table.
    pub(crate) fn load(&mut self, table: &str, parquet: &Path) -> Result<PeerLoad> {
        let parquet = std::path::absolute(parquet)?;
        let peak = AnonymousPeak::start_of(self.process.id());
        let reply = self.ask(&json!({ "do": "load", "table": table, "parquet": parquet }));
        let anonymous_peak_kb = peak.stop();
        let reply = reply?;
        let seconds = reply.seconds.ok_or("no time of the load")?;
        Ok(PeerLoad { seconds, bytes: reply.bytes.unwrap_or(0), anonymous_peak_kb })
    }

    /// Runs a query; its answer comes through a file, after the clock has stopped.
    pub(crate) fn run(&mut self, query: &Query) -> Result<Run> {
        let reply =
            self.ask(&json!({ "do": "run", "query": query.text, "answer": self.answer_file }))?;
        let seconds = reply.seconds.ok_or("no time of the run")?;
        let what = || format!("the answer of {}", self.name);
        let file = File::open(&self.answer_file).map_err(context(what()))?;
        let reader = FileReader::try_new(file, None).map_err(context(what()))?;
        let batches: Vec<_> =
            reader.collect::<std::result::Result<_, _>>().map_err(context(what()))?;
        std::fs::remove_file(&self.answer_file).map_err(context(what()))?;
        Ok(Run { seconds, answer: Answer::of(&batches, &query.facts)?, bytes_read: None })
    }

    /// The number of its process.
    pub(crate) fn process(&self) -> u32 {
        self.process.id()
    }

    fn ask(&mut self, command: &Value) -> Result<Reply> {
        let ended = || format!("{} has ended", self.name);
        let input = self.input.as_mut().ok_or_else(ended)?;
        writeln!(input, "{command}").map_err(context(ended()))?;
        self.reply()
    }

    fn reply(&mut self) -> Result<Reply> {
        let mut line = String::new();
        self.output.read_line(&mut line)?;
        if line.is_empty() {
            return Err(format!("{} has ended", self.name).into());
        }
        let reply: Reply = serde_json::from_str(&line).map_err(context(format!(
            "{} answered {}",
            self.name,
            line.trim()
        )))?;
        match reply.error {
            Some(error) => Err(error.into()),
            None => Ok(reply),
        }
    }
}

impl Drop for Peer {
    /// The end of its input is the end of the process.
    fn drop(&mut self) {
        drop(self.input.take());
        let _status = self.process.wait();
    }
}
