//! Writes results to standard output in the format that was asked for.

use std::io::Write;

use arrow::datatypes::Schema;
use arrow::record_batch::RecordBatch;
use clap::ValueEnum;
use martlet::Result;
use martlet::output::{CsvWriter, JsonWriter, WriteError};

use crate::table::{self, TableOptions};

/// How results are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// Aligned, for people, with a footer
    #[default]
    Table,
    /// RFC 4180 with a header; NULL is empty, the empty text is ""
    Csv,
    /// An array of objects
    Json,
}

/// Where results go, and how.
#[derive(Debug)]
pub(crate) struct Printer<W> {
    target: W,
    format: Format,
    table: TableOptions,
}

impl<W: Write> Printer<W> {
    pub(crate) fn new(target: W, format: Format, table: TableOptions) -> Printer<W> {
        Printer { target, format, table }
    }

    /// Writes a result as it comes; gives how many rows it had.
    pub(crate) fn rows(
        &mut self,
        schema: &Schema,
        mut batches: impl Iterator<Item = Result<RecordBatch>>,
    ) -> Result<u64, WriteError> {
        // Most queries that fail do so before their first rows: then nothing is written.
        let first = batches.next().transpose()?;
        let batches = first.map(Ok).into_iter().chain(batches);
        let row_count = match self.format {
            Format::Table => self.table(schema, batches)?,
            Format::Csv => {
                let mut writer = CsvWriter::new(&mut self.target, schema)?;
                each(batches, |batch| writer.write(batch))?
            }
            Format::Json => {
                let mut writer = JsonWriter::new(&mut self.target, schema)?;
                let row_count = each(batches, |batch| writer.write(batch))?;
                writer.finish()?;
                row_count
            }
        };
        self.target.flush()?;
        Ok(row_count)
    }

    /// Writes a line that is for people only.
    pub(crate) fn note(&mut self, text: &str) -> Result<(), WriteError> {
        if self.format == Format::Table {
            writeln!(self.target, "{text}")?;
            self.target.flush()?;
        }
        Ok(())
    }

    /// A table is as wide as its widest cell: the rows to show are held back, the others counted.
    fn table(
        &mut self,
        schema: &Schema,
        batches: impl Iterator<Item = Result<RecordBatch>>,
    ) -> Result<u64, WriteError> {
        let mut shown = Vec::new();
        let mut shown_row_count = 0;
        let row_count = each(batches, |batch| {
            if shown_row_count < self.table.rows_max {
                shown_row_count += batch.num_rows();
                shown.push(batch.clone());
            }
            Ok(())
        })?;
        let text = table::render(schema, &shown, row_count, self.table)?;
        self.target.write_all(text.as_bytes())?;
        Ok(row_count)
    }
}

/// Hands each batch on; gives how many rows they had.
fn each(
    batches: impl Iterator<Item = Result<RecordBatch>>,
    mut take: impl FnMut(&RecordBatch) -> Result<(), WriteError>,
) -> Result<u64, WriteError> {
    let mut row_count = 0;
    for batch in batches {
        let batch = batch?;
        row_count += batch.num_rows() as u64;
        take(&batch)?;
    }
    Ok(row_count)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::Int64Array;
    use martlet::Error;

    use super::*;

    fn batch(values: Vec<i64>) -> RecordBatch {
        RecordBatch::try_from_iter([("n", Arc::new(Int64Array::from(values)) as _)])
            .expect("one column")
    }

    fn printed(format: Format, rows_max: usize) -> (String, u64) {
        let mut text = Vec::new();
        let mut printer = Printer::new(&mut text, format, TableOptions { width: 80, rows_max });
        let batches = [batch(vec![1, 2]), batch(vec![3]), batch(vec![4])];
        let schema = batches[0].schema();
        let row_count =
            printer.rows(&schema, batches.into_iter().map(Ok)).expect("a Vec takes all");
        printer.note("(note)").expect("a Vec takes all");
        (String::from_utf8(text).expect("text"), row_count)
    }

    #[test]
    fn every_format_writes_all_batches_and_counts_their_rows() {
        let table = " n\n───\n 1\n 2\n 3\n 4\n(note)\n";
        assert_eq!(printed(Format::Table, 100), (table.to_owned(), 4));
        assert_eq!(printed(Format::Csv, 1), ("n\n1\n2\n3\n4\n".to_owned(), 4));
        let json = "[\n{\"n\":1},\n{\"n\":2},\n{\"n\":3},\n{\"n\":4}\n]\n";
        assert_eq!(printed(Format::Json, 1), (json.to_owned(), 4));
    }

    #[test]
    fn a_table_counts_the_rows_that_it_does_not_show() {
        let (text, row_count) = printed(Format::Table, 3);
        assert_eq!(row_count, 4);
        assert!(text.contains(" 3\n… 1 more rows"), "{text}");
    }

    #[test]
    fn an_error_in_the_midst_is_passed_on() {
        for format in [Format::Table, Format::Csv, Format::Json] {
            let options = TableOptions { width: 80, rows_max: 9 };
            let mut printer = Printer::new(Vec::new(), format, options);
            let batches = [Ok(batch(vec![1])), Err(Error::division_by_zero())];
            let schema = batch(vec![]).schema();
            let outcome = printer.rows(&schema, batches.into_iter());
            assert!(matches!(outcome, Err(WriteError::Result(_))));
        }
    }

    #[test]
    fn an_error_before_the_first_rows_leaves_nothing_written() {
        for format in [Format::Table, Format::Csv, Format::Json] {
            let options = TableOptions { width: 80, rows_max: 9 };
            let mut printer = Printer::new(Vec::new(), format, options);
            let schema = batch(vec![]).schema();
            let failed = std::iter::once(Err(Error::division_by_zero()));
            assert!(matches!(printer.rows(&schema, failed), Err(WriteError::Result(_))));
            assert!(printer.target.is_empty(), "{format:?}");
        }
    }
}
