//! A line per value: for rows that are wider than the line.

use std::fmt::Write;

use arrow::datatypes::Schema;
use arrow::record_batch::RecordBatch;
use martlet::Result;
use martlet::output::{CellKind, Cells, format_count};
use unicode_width::UnicodeWidthStr;

use super::cell::fitted;
use super::digits;
use super::table::{NULL, TableOptions};

/// Names are cut here.
const NAME_WIDTH_MAX: usize = 60;
/// A value has at least so many columns, however long the names are.
const VALUE_WIDTH_MIN: usize = 20;

/// The rows of `batches`, which are the first of a result of `row_count`.
pub(super) fn render(
    schema: &Schema,
    batches: &[RecordBatch],
    row_count: u64,
    options: TableOptions,
) -> Result<String> {
    let names: Vec<String> =
        schema.fields().iter().map(|field| fitted(field.name(), NAME_WIDTH_MAX)).collect();
    let name_width = names.iter().map(|name| name.width()).max().unwrap_or(0);
    let value_width = options.width.saturating_sub(name_width + 4).max(VALUE_WIDTH_MIN);
    let mut text = String::new();
    let mut shown = 0;
    for batch in batches {
        let columns: Vec<Cells<'_>> =
            batch.columns().iter().map(|array| Cells::new(array)).collect::<Result<_>>()?;
        for row in 0..batch.num_rows().min(options.rows_max - shown) {
            shown += 1;
            let title = format!("── row {} ──", format_count(shown as u64));
            append(&mut text, format_args!("{}\n", options.style.dim(&title)));
            for (index, cells) in columns.iter().enumerate() {
                let value = value(cells, row, (schema.field(index).name(), value_width), options);
                let padding = " ".repeat(name_width - names[index].width());
                let (name, bar) = (options.style.bold(&names[index]), options.style.dim("│"));
                append(&mut text, format_args!(" {name}{padding} {bar} {value}\n"));
            }
        }
    }
    let more = row_count - shown as u64;
    if more > 0 {
        let more = format_count(more);
        append(
            &mut text,
            format_args!("… {more} more rows: add LIMIT, or show more with .rows N\n"),
        );
    }
    Ok(text)
}

fn value(
    cells: &Cells<'_>,
    row: usize,
    (name, width_max): (&str, usize),
    options: TableOptions,
) -> String {
    if cells.is_null(row) {
        return options.style.dim(NULL);
    }
    let mut value = String::new();
    cells.write(row, &mut value);
    if cells.kind() == CellKind::Number && options.groups_digits {
        digits::group(name, std::slice::from_mut(&mut value));
    }
    fitted(&value, width_max)
}

fn append(text: &mut String, arguments: std::fmt::Arguments<'_>) {
    text.write_fmt(arguments).expect("writing to a String does not fail");
}
