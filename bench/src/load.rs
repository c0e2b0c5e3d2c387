//! `martlet-bench load`: Parquet files into a table, timed.

use std::path::{Path, PathBuf};
use std::time::Instant;

use martlet::{Database, Options};
use serde::{Deserialize, Serialize};

use crate::{Result, context, host};

/// What loading a database cost; kept beside it for `run`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct LoadRecord {
    /// Seconds of all loads, files synced.
    pub(crate) load_s: f64,
    /// Bytes of the database's files.
    pub(crate) bytes: u64,
    /// The most memory resident while loading, in units of 1,024 bytes.
    pub(crate) peak_kb: u64,
    /// The most anonymous memory while loading, in units of 1,024 bytes.
    #[serde(default)]
    pub(crate) anonymous_peak_kb: u64,
}

/// Loads `files` as one load into `table`, which is made unless it is there.
pub(crate) fn load(
    path: &Path,
    table: &str,
    files: &[String],
    options: Options,
) -> Result<LoadRecord> {
    let database = Database::open_with(path, options)
        .map_err(context(format!("cannot open {}", path.display())))?;
    let connection = database.connect();
    let files: Vec<String> = files.iter().map(|file| quoted(file, '\'')).collect();
    let (name, files) = (quoted(table, '"'), format!("({})", files.join(", ")));
    let statement = if has_table(&database, &name) {
        format!("INSERT INTO {name} FROM {files}")
    } else {
        format!("CREATE TABLE {name} FROM {files}")
    };
    let peak = host::AnonymousPeak::start();
    let start = Instant::now();
    let loaded = connection.execute(&statement);
    let load_s = read_record(path).load_s + start.elapsed().as_secs_f64();
    let anonymous_peak_kb = peak.stop();
    loaded.map_err(context(format!("cannot load {table}")))?;
    drop(connection);
    drop(database);
    let record = LoadRecord {
        load_s,
        bytes: host::directory_bytes(path)?,
        peak_kb: host::peak_kb(),
        anonymous_peak_kb,
    };
    let file = record_file(path);
    std::fs::write(&file, serde_json::to_string_pretty(&record)?)
        .map_err(context(format!("cannot write {}", file.display())))?;
    Ok(record)
}

/// What loading the database at `path` cost; nothing if `load` did not make it.
pub(crate) fn read_record(path: &Path) -> LoadRecord {
    let text = std::fs::read_to_string(record_file(path)).unwrap_or_default();
    serde_json::from_str(&text).unwrap_or_default()
}

fn has_table(database: &Database, quoted_name: &str) -> bool {
    database.connect().query(&format!("DESCRIBE {quoted_name}")).is_ok()
}

/// Beside the database and not in it, where it would count.
pub(crate) fn record_file(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".load.json");
    name.into()
}

fn quoted(text: &str, quote: char) -> String {
    let doubled = format!("{quote}{quote}");
    format!("{quote}{}{quote}", text.replace(quote, &doubled))
}
