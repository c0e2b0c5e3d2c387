//! Reads Parquet files as an import and as a scan would, compares the two, and writes what came out
//! as an Arrow file: for comparison with other readers, and for timing.
//!
//! `parquet_dump FILE [OUT.arrow]`: one line with what was found; exit status 1 on an error.

use std::fs::File;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Instant;

use arrow::array::{Array, ArrayRef, RecordBatch};
use arrow::compute::{cast, concat};
use arrow::datatypes::Schema;
use arrow::ipc::writer::FileWriter;
use martlet_engine::arrow;
use martlet_engine::ingest::ColumnSource;
use martlet_engine::ingest::parquet::{ParquetFiles, ParquetOptions};

type Failure = Box<dyn std::error::Error>;

#[expect(clippy::print_stdout, clippy::print_stderr, reason = "a command line program")]
fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let outcome = match arguments.as_slice() {
        [file] => dump(file, None),
        [file, out] => dump(file, Some(out)),
        _ => Err("usage: parquet_dump FILE [OUT.arrow]".into()),
    };
    match outcome {
        Ok(line) => {
            println!("{line}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn dump(file: &str, out: Option<&str>) -> Result<String, Failure> {
    let options = ParquetOptions { skip_unsupported: true, ..ParquetOptions::default() };
    let start = Instant::now();
    let files = ParquetFiles::open(&[file.to_owned()], options)?;
    let import = files.import()?;
    let skipped: Vec<String> = import
        .skipped()
        .iter()
        .map(|column| format!("{} is {}", column.name, column.reason))
        .collect();
    let opened = start.elapsed();

    let start = Instant::now();
    let mut columns: Vec<Vec<ArrayRef>> = Vec::new();
    for index in 0..import.fields().len() {
        let mut arrays: Vec<ArrayRef> = Vec::new();
        for array in import.column(index, 65_536)? {
            let array = array?;
            if out.is_some() {
                arrays.push(array);
            }
        }
        columns.push(arrays);
    }
    let imported = start.elapsed();

    let supported: Vec<usize> =
        (0..files.fields().len()).filter(|column| files.unsupported(*column).is_none()).collect();
    let row_groups: Vec<usize> = (0..files.row_groups().len()).collect();
    let start = Instant::now();
    let mut batches = files.read(&row_groups, &supported, 8_192)?;
    let schema = Arc::clone(batches.schema());
    let mut rows = 0;
    let mut kept: Vec<RecordBatch> = Vec::new();
    for batch in &mut batches {
        let batch = batch?;
        rows += batch.num_rows();
        if out.is_some() {
            kept.push(batch);
        }
    }
    let scanned = start.elapsed();

    if let Some(out) = out {
        let batch = arrow::compute::concat_batches(&schema, &kept)?;
        compare(&columns, &batch, &schema)?;
        let mut writer = FileWriter::try_new(File::create(out)?, &schema)?;
        writer.write(&batch)?;
        writer.finish()?;
    }
    Ok(format!(
        "rows {rows} columns {} skipped {skipped:?} open {opened:.1?} import {imported:.1?} scan {scanned:.1?}",
        supported.len(),
    ))
}

fn compare(columns: &[Vec<ArrayRef>], batch: &RecordBatch, schema: &Schema) -> Result<(), Failure> {
    for (index, arrays) in columns.iter().enumerate() {
        let field = schema.field(index);
        let plain = arrays
            .iter()
            .map(|array| cast(array, field.data_type()).map_err(Failure::from))
            .collect::<Result<Vec<ArrayRef>, Failure>>()?;
        let plain: Vec<&dyn Array> = plain.iter().map(|array| &**array).collect();
        let whole = if plain.is_empty() {
            arrow::array::new_empty_array(field.data_type())
        } else {
            concat(&plain)?
        };
        if whole.to_data() != batch.column(index).to_data() {
            return Err(format!("column {} is not the same twice", field.name()).into());
        }
    }
    Ok(())
}
