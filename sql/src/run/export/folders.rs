//! Rows into a folder per value of some columns, all of which appear at once.
//!
//! Each folder that is written has a file open, so only some are at a time. Rows of the others wait in
//! memory; when these are many or the last, the open files are finished and others begun. A folder to
//! which rows come again later gets another file.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::{RecordBatch, UInt32Array};
use arrow::datatypes::{Schema, SchemaRef};
use hashbrown::HashMap;
use martlet_engine::context::{Context, Reservation};
use martlet_engine::export::TargetFolder;
use martlet_engine::types::{Error, Result};
use martlet_engine::vector::batch_bytes;

use super::writer::Writer;
use crate::bind::ExportOptions;
use crate::output::Cells;
use crate::result::QueryResult;
use crate::suggest;

/// Folders that are written at once. Tests make it small.
const FOLDERS_MAX: usize = if cfg!(test) { 4 } else { 512 };
/// Bytes of rows that wait, at most, and the memory limit divided by the share.
const WAITING_BYTES_MAX: usize = if cfg!(test) { 16 << 10 } else { 256 << 20 };
const WAITING_SHARE: usize = 8;

/// Writes the rows to `root/name=value/…/data_0.…`; gives how many.
pub(super) fn write_folders(
    result: QueryResult,
    schema: &SchemaRef,
    root: &Path,
    options: &ExportOptions,
    context: &Context,
) -> Result<u64> {
    let mut folders = Folders::new(schema, root, options)?;
    let mut waiting = Waiting::new(context);
    let mut row_count = 0;
    for batch in result {
        let batch = batch?;
        row_count += u64::try_from(batch.num_rows()).unwrap_or(u64::MAX);
        if let Some(rest) = folders.write(&batch)? {
            waiting.push(rest)?;
        }
        if waiting.bytes > waiting.bytes_max {
            folders.write_waiting(waiting.take(), context)?;
        }
    }
    folders.write_waiting(waiting.take(), context)?;
    folders.finish()?;
    Ok(row_count)
}

/// Rows of folders that are not written yet.
struct Waiting {
    batches: Vec<RecordBatch>,
    bytes: usize,
    bytes_max: usize,
    memory: Reservation,
}

impl Waiting {
    fn new(context: &Context) -> Waiting {
        Waiting {
            batches: Vec::new(),
            bytes: 0,
            bytes_max: WAITING_BYTES_MAX.min(context.memory.limit_bytes() / WAITING_SHARE),
            memory: context.memory.reservation("folders beyond those written at once"),
        }
    }

    fn push(&mut self, batch: RecordBatch) -> Result<()> {
        self.bytes += batch_bytes(&batch);
        self.memory.resize(self.bytes)?;
        self.batches.push(batch);
        Ok(())
    }

    fn take(&mut self) -> Vec<RecordBatch> {
        self.bytes = 0;
        std::mem::take(&mut self.batches)
    }
}

/// Folders that are being written.
struct Folders<'a> {
    options: &'a ExportOptions,
    schema: SchemaRef,
    /// Positions of the columns that folders are named by, and of the others.
    keys: Vec<usize>,
    others: Vec<usize>,
    inner: SchemaRef,
    writers: HashMap<PathBuf, Writer>,
    /// Files begun, by folder.
    file_counts: HashMap<PathBuf, u32>,
    /// Dropped behind the writers of its files.
    target: TargetFolder,
}

impl<'a> Folders<'a> {
    fn new(schema: &SchemaRef, root: &Path, options: &'a ExportOptions) -> Result<Folders<'a>> {
        let keys = key_columns(schema, &options.partition_by)?;
        let others: Vec<usize> =
            (0..schema.fields().len()).filter(|column| !keys.contains(column)).collect();
        if others.is_empty() {
            return Err(Error::invalid("PARTITION_BY leaves no column to write"));
        }
        let inner = Arc::new(schema.project(&others)?);
        Ok(Folders {
            options,
            schema: Arc::clone(schema),
            keys,
            others,
            inner,
            writers: HashMap::new(),
            file_counts: HashMap::new(),
            target: TargetFolder::create(root, options.existing)?,
        })
    }

    /// Writes what belongs in the folders that are open or can be; gives the other rows.
    fn write(&mut self, batch: &RecordBatch) -> Result<Option<RecordBatch>> {
        let mut rest: Vec<u32> = Vec::new();
        for (folder, rows) in rows_by_folder(batch, &self.schema, &self.keys)? {
            if !self.writers.contains_key(&folder) {
                if self.writers.len() >= FOLDERS_MAX {
                    rest.extend(rows.values());
                    continue;
                }
                let writer = self.begin(&folder)?;
                self.writers.insert(folder.clone(), writer);
            }
            let part = arrow::compute::take_record_batch(&batch.project(&self.others)?, &rows)?;
            if let Some(writer) = self.writers.get_mut(&folder) {
                writer.write(&part)?;
            }
        }
        if rest.is_empty() {
            return Ok(None);
        }
        rest.sort_unstable();
        Ok(Some(arrow::compute::take_record_batch(batch, &UInt32Array::from(rest))?))
    }

    /// The next file of a folder.
    fn begin(&mut self, folder: &Path) -> Result<Writer> {
        let path = self.target.subfolder(folder)?;
        let count = self.file_counts.entry_ref(folder).or_insert(0);
        let file = path.join(self.options.format.file_name(*count));
        *count += 1;
        Writer::new(&file, &self.inner, &self.options.format)
    }

    /// Finishes what is open and writes what waits, as many folders as can be at a time.
    fn write_waiting(&mut self, mut waiting: Vec<RecordBatch>, context: &Context) -> Result<()> {
        while !waiting.is_empty() {
            self.finish_files()?;
            let mut rest = Vec::new();
            for batch in waiting {
                context.cancel.check()?;
                rest.extend(self.write(&batch)?);
            }
            waiting = rest;
        }
        Ok(())
    }

    fn finish_files(&mut self) -> Result<()> {
        self.writers.drain().try_for_each(|(_, writer)| writer.finish())
    }

    /// Lets the folders appear.
    fn finish(mut self) -> Result<()> {
        self.finish_files()?;
        self.target.finish()
    }
}

fn key_columns(schema: &Schema, names: &[String]) -> Result<Vec<usize>> {
    let find = |name: &String| {
        let fields = schema.fields();
        let exact = fields.iter().position(|field| field.name() == name);
        let folded =
            || fields.iter().position(|field| field.name().to_lowercase() == name.to_lowercase());
        exact.or_else(folded).ok_or_else(|| {
            let known = fields.iter().map(|field| field.name().as_str());
            Error::unknown_name(format!("there is no column \"{name}\" to partition by"))
                .with_suggestions(suggest::nearest(name, known))
        })
    };
    names.iter().map(find).collect()
}

/// The rows of a batch by the folder that they belong in, folders in the order of their first rows.
fn rows_by_folder(
    batch: &RecordBatch,
    schema: &Schema,
    keys: &[usize],
) -> Result<Vec<(PathBuf, UInt32Array)>> {
    let cells: Vec<(&str, Cells<'_>)> = keys
        .iter()
        .map(|key| Ok((schema.field(*key).name().as_str(), Cells::new(batch.column(*key))?)))
        .collect::<Result<_>>()?;
    let mut order: Vec<(PathBuf, Vec<u32>)> = Vec::new();
    let mut known: HashMap<PathBuf, usize> = HashMap::new();
    for row in 0..batch.num_rows() {
        let mut folder = PathBuf::new();
        for (name, cells) in &cells {
            let value = if cells.is_null(row) {
                "__HIVE_DEFAULT_PARTITION__".to_owned()
            } else {
                let mut text = String::new();
                cells.write(row, &mut text);
                quoted(&text)
            };
            folder.push(format!("{}={value}", quoted(name)));
        }
        let next = order.len();
        let index = *known.entry(folder.clone()).or_insert(next);
        if index == next {
            order.push((folder, Vec::new()));
        }
        order[index].1.push(u32::try_from(row).expect("batches have fewer than 2^32 rows"));
    }
    Ok(order.into_iter().map(|(folder, rows)| (folder, UInt32Array::from(rows))).collect())
}

/// A text as part of a path, as Hive writes it: what is not plain is `%` and two digits.
fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'0'..=b'9' | b'a'..=b'z' | b'A'..=b'Z' | b'-' | b'_' | b' ' => {
                out.push(char::from(byte));
            }
            b'.' if text.len() > 2 => out.push('.'),
            other => {
                let hex = |digit: u8| char::from(b"0123456789ABCDEF"[usize::from(digit)]);
                out.extend(['%', hex(other >> 4), hex(other & 15)]);
            }
        }
    }
    out
}
