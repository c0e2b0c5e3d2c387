//! Results as text: tables for people here, streams for programs in `stream` and in the library.
//!
//! Knows batches and a view; where the text goes is the caller's affair.

mod cell;
mod digits;
mod overview;
mod stream;
pub(crate) mod table;
mod vertical;

pub(crate) use self::cell::fitted;
pub(crate) use self::digits::group as group_digits;
pub(crate) use self::overview::overview;

use std::io::Write;

use arrow::datatypes::Schema;
use arrow::record_batch::RecordBatch;
use martlet::Result;
use martlet::output::{CsvWriter, JsonWriter, WriteError};

use self::stream::RowWriter;
use self::table::TableOptions;
use crate::view::{Format, View};

/// Writes a result as it comes; gives how many rows it had.
pub(crate) fn write_rows(
    target: &mut dyn Write,
    view: &View,
    schema: &Schema,
    mut batches: impl Iterator<Item = Result<RecordBatch>>,
) -> Result<u64, WriteError> {
    // Most queries that fail do so before their first rows: then nothing is written.
    let first = batches.next().transpose()?;
    let batches = first.map(Ok).into_iter().chain(batches);
    let row_count = match view.format {
        format if is_held(format) => {
            let held = hold(view, batches)?;
            write_held(target, view, schema, &held)?;
            held.row_count
        }
        Format::Csv => {
            let mut writer = CsvWriter::new(&mut *target, schema)?;
            each(batches, |batch| writer.write(batch))?
        }
        Format::Json => {
            let mut writer = JsonWriter::new(&mut *target, schema)?;
            let row_count = each(batches, |batch| writer.write(batch))?;
            writer.finish()?;
            row_count
        }
        format => {
            let mut writer = RowWriter::new(format, schema, &view.insert_table);
            let mut text = writer.head();
            let row_count = each(batches, |batch| {
                writer.write(batch, &mut text)?;
                target.write_all(text.as_bytes())?;
                text.clear();
                Ok(())
            })?;
            text += writer.foot();
            target.write_all(text.as_bytes())?;
            row_count
        }
    };
    target.flush()?;
    Ok(row_count)
}

/// Whether a result in `format` is held back until all of it is known: a table is as wide as its
/// widest cell.
pub(crate) fn is_held(format: Format) -> bool {
    matches!(format, Format::Table | Format::Box | Format::Vertical)
}

/// The first rows of a result and how many there are.
pub(crate) struct Held {
    batches: Vec<RecordBatch>,
    /// Rows of the whole result.
    pub(crate) row_count: u64,
}

/// Holds the rows to show back and counts the others.
pub(crate) fn hold(
    view: &View,
    batches: impl Iterator<Item = Result<RecordBatch>>,
) -> Result<Held, WriteError> {
    let mut held = Vec::new();
    let mut held_row_count = 0;
    let row_count = each(batches, |batch| {
        if held_row_count < view.rows_max {
            held_row_count += batch.num_rows();
            held.push(batch.clone());
        }
        Ok(())
    })?;
    Ok(Held { batches: held, row_count })
}

/// Writes what was held back.
pub(crate) fn write_held(
    target: &mut dyn Write,
    view: &View,
    schema: &Schema,
    held: &Held,
) -> Result<(), WriteError> {
    let Held { batches, row_count } = held;
    let options = TableOptions::of(view, view.format == Format::Box);
    let is_vertical = view.format == Format::Vertical
        || view.turns_wide_rows
            && *row_count == 1
            && schema.fields().len() > 1
            && !table::fits(schema, batches, options)?;
    let text = if is_vertical {
        vertical::render(schema, batches, *row_count, options)?
    } else {
        table::render(schema, batches, *row_count, options)?
    };
    target.write_all(text.as_bytes())?;
    Ok(())
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

    use arrow::array::{ArrayRef, Float64Array, Int64Array, StringArray};
    use clap::ValueEnum;
    use martlet::Error;

    use super::*;
    use crate::view::Style;

    fn view(format: Format, rows_max: usize) -> View {
        View { width: Some(80), style: Style::PLAIN, ..View::new(format, rows_max) }
    }

    fn batch(values: Vec<i64>) -> RecordBatch {
        RecordBatch::try_from_iter([("n", Arc::new(Int64Array::from(values)) as _)])
            .expect("one column")
    }

    fn written(view: &View, batches: Vec<RecordBatch>) -> (String, u64) {
        let mut text = Vec::new();
        let schema = batches[0].schema();
        let row_count = write_rows(&mut text, view, &schema, batches.into_iter().map(Ok))
            .expect("a Vec takes all");
        (String::from_utf8(text).expect("text"), row_count)
    }

    fn numbers(format: Format, rows_max: usize) -> (String, u64) {
        written(&view(format, rows_max), vec![batch(vec![1, 2]), batch(vec![3]), batch(vec![4])])
    }

    #[test]
    fn every_format_writes_all_batches_and_counts_their_rows() {
        let frame = "┌───┐\n│ n │\n├───┤\n│ 1 │\n│ 2 │\n│ 3 │\n│ 4 │\n└───┘\n";
        let html = "<table>\n<tr><th>n</th></tr>\n<tr><td>1</td></tr>\n<tr><td>2</td></tr>\n\
                    <tr><td>3</td></tr>\n<tr><td>4</td></tr>\n</table>\n";
        let cases = [
            (Format::Table, " n\n───\n 1\n 2\n 3\n 4\n"),
            (Format::Box, frame),
            (Format::Line, "n = 1\n\nn = 2\n\nn = 3\n\nn = 4\n"),
            (Format::Csv, "n\n1\n2\n3\n4\n"),
            (Format::Tsv, "n\n1\n2\n3\n4\n"),
            (Format::Json, "[\n{\"n\":1},\n{\"n\":2},\n{\"n\":3},\n{\"n\":4}\n]\n"),
            (Format::Jsonl, "{\"n\":1}\n{\"n\":2}\n{\"n\":3}\n{\"n\":4}\n"),
            (Format::Markdown, "| n |\n|--:|\n| 1 |\n| 2 |\n| 3 |\n| 4 |\n"),
            (Format::Html, html),
            (
                Format::Insert,
                "INSERT INTO t (n) VALUES (1);\nINSERT INTO t (n) VALUES (2);\n\
                 INSERT INTO t (n) VALUES (3);\nINSERT INTO t (n) VALUES (4);\n",
            ),
        ];
        for (format, expected) in cases {
            assert_eq!(numbers(format, 100), (expected.to_owned(), 4), "{format:?}");
        }
        let (text, row_count) = numbers(Format::Vertical, 2);
        assert_eq!(row_count, 4);
        assert_eq!(
            text,
            "── row 1 ──\n n │ 1\n── row 2 ──\n n │ 2\n… 2 more rows: add LIMIT, or show more with .rows N\n"
        );
    }

    #[test]
    fn what_a_format_uses_itself_is_escaped_and_null_is_not_empty() {
        let texts = StringArray::from(vec![Some("a|b\tc\\\n<d> 'e'"), Some(""), None]);
        let numbers = Float64Array::from(vec![Some(1.5), Some(f64::NAN), None]);
        let columns: [(&str, ArrayRef); 2] = [("a b", Arc::new(texts)), ("x", Arc::new(numbers))];
        let batch = RecordBatch::try_from_iter_with_nullable(
            columns.into_iter().map(|(name, array)| (name, array, true)),
        )
        .expect("two columns");
        let of = |format| written(&view(format, 9), vec![batch.clone()]).0;
        assert_eq!(of(Format::Tsv), "a b\tx\na|b\\tc\\\\\\n<d> 'e'\t1.5\n\tNaN\n\\N\t\\N\n");
        assert_eq!(
            of(Format::Markdown),
            "| a b | x |\n|-----|--:|\n| a\\|b c\\\\<br>&lt;d> 'e' | 1.5 |\n|  | NaN |\n| NULL | NULL |\n"
        );
        assert!(of(Format::Html).contains("<td>a|b\tc\\\n&lt;d&gt; 'e'</td>"));
        assert_eq!(
            of(Format::Insert),
            "INSERT INTO t (\"a b\", x) VALUES ('a|b\tc\\\n<d> ''e''', 1.5);\n\
             INSERT INTO t (\"a b\", x) VALUES ('', 'NaN');\n\
             INSERT INTO t (\"a b\", x) VALUES (NULL, NULL);\n"
        );
        assert_eq!(of(Format::Jsonl).lines().nth(1), Some("{\"a b\":\"\",\"x\":null}"));
    }

    #[test]
    fn one_row_that_does_not_fit_is_turned() {
        let values = Arc::new(Int64Array::from(vec![1])) as ArrayRef;
        let names: Vec<String> = (0..40).map(|index| format!("column_{index}")).collect();
        let one = RecordBatch::try_from_iter(
            names.iter().map(|name| (name.as_str(), Arc::clone(&values))),
        )
        .expect("columns of equal length");
        let (text, _) = written(&view(Format::Table, 9), vec![one.clone()]);
        assert!(text.contains(" column_39 │ 1\n"), "{text}");
        let flat = View { turns_wide_rows: false, ..view(Format::Table, 9) };
        assert!(written(&flat, vec![one]).0.contains("of 40 columns are not shown"));
    }

    #[test]
    fn an_error_in_the_midst_is_passed_on() {
        for format in Format::value_variants() {
            let batches = [Ok(batch(vec![1])), Err(Error::division_by_zero())];
            let schema = batch(vec![]).schema();
            let outcome =
                write_rows(&mut Vec::new(), &view(*format, 9), &schema, batches.into_iter());
            assert!(matches!(outcome, Err(WriteError::Result(_))), "{format:?}");
        }
    }

    #[test]
    fn an_error_before_the_first_rows_leaves_nothing_written() {
        for format in Format::value_variants() {
            let mut target = Vec::new();
            let schema = batch(vec![]).schema();
            let failed = std::iter::once(Err(Error::division_by_zero()));
            let outcome = write_rows(&mut target, &view(*format, 9), &schema, failed);
            assert!(matches!(outcome, Err(WriteError::Result(_))));
            assert!(target.is_empty(), "{format:?}");
        }
    }
}
