//! Results as aligned tables for people.
//!
//! A table of several columns never grows wider than its line: long cells are cut, and columns are
//! left out in the middle, with a note. Only the columns that are shown are formatted, so that a result of 4,000
//! columns costs no more than one of ten.

use std::fmt::Write;

use arrow::datatypes::Schema;
use arrow::record_batch::RecordBatch;
use martlet::Result;
use martlet::output::{CellKind, Cells, format_count};
use unicode_width::UnicodeWidthStr;

use super::cell::fitted;
use super::digits;
use crate::view::{Style, View};

/// A cell is at least this wide before it is cut.
const CELL_WIDTH_MIN: usize = 40;
/// The only cell of a line, a line of a plan for one, is cut here: beside it nothing gets out of line.
const LONE_CELL_WIDTH_MAX: usize = 2_000;
/// By how much wider cuts are tried where there is room.
const WIDTH_STEP: usize = 4;
/// Narrower cuts of texts and names, tried before columns are left out.
const NARROW_WIDTHS: [usize; 3] = [30, 22, 16];
/// ` │ ` between columns.
const GAP_WIDTH: usize = 3;
pub(super) const NULL: &str = "NULL";

/// How a table is drawn.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TableOptions {
    /// Columns of the terminal.
    pub(crate) width: usize,
    /// Rows shown at most.
    pub(crate) rows_max: usize,
    /// Whether a frame goes around it.
    pub(crate) has_frame: bool,
    /// Whether the digits of large numbers stand in groups.
    pub(crate) groups_digits: bool,
    /// Its colours.
    pub(crate) style: Style,
}

impl TableOptions {
    /// As `view` says.
    pub(crate) fn of(view: &View, has_frame: bool) -> TableOptions {
        TableOptions {
            width: view.line_width(),
            rows_max: view.rows_max,
            has_frame,
            groups_digits: view.groups_digits,
            style: view.style,
        }
    }

    /// What the columns, each with its gap, may take: the line begins with a blank and the last gap is
    /// one dash of the rule, or a frame stands at both ends.
    fn columns_width(&self) -> usize {
        if self.has_frame { self.width.saturating_sub(1) } else { self.width + 1 }
    }
}

/// Whether all columns fit the line, no name or text cut shorter than usual.
pub(crate) fn fits(
    schema: &Schema,
    batches: &[RecordBatch],
    options: TableOptions,
) -> Result<bool> {
    let source = Source { schema, batches, options };
    Ok(all_columns(&source, options.columns_width(), source.cell_width_max())?.is_some())
}

/// The table of `batches`, which are the first rows of a result of `row_count`.
pub(crate) fn render(
    schema: &Schema,
    batches: &[RecordBatch],
    row_count: u64,
    options: TableOptions,
) -> Result<String> {
    let column_count = schema.fields().len();
    if column_count == 0 {
        return Ok(" no columns\n".to_owned());
    }
    let source = Source { schema, batches, options };
    let (left, right) = choose_columns(&source)?;
    let hidden_count = column_count - left.len() - right.len();

    let mut text = String::new();
    let elided = (hidden_count > 0).then(|| Column::elided(shown_rows(batches, options)));
    let columns: Vec<&Column> =
        left.iter().chain(elided.iter()).chain(right.iter().rev()).collect();
    let drawing = Drawing { columns: &columns, options };
    if options.has_frame {
        drawing.push_rule(&mut text, ["┌─", "─┬─", "─┐"]);
    }
    drawing.push_line(&mut text, |column| (&column.name, Emphasis::Bold));
    drawing.push_rule(
        &mut text,
        if options.has_frame {
            ["├─", "─┼─", "─┤"]
        } else {
            ["─", "─┼─", "─"]
        },
    );
    for row in 0..shown_rows(batches, options) {
        drawing.push_line(&mut text, |column| {
            let emphasis = if column.nulls[row] { Emphasis::Dim } else { Emphasis::None };
            (&column.cells[row], emphasis)
        });
    }
    if options.has_frame {
        drawing.push_rule(&mut text, ["└─", "─┴─", "─┘"]);
    }
    push_notes(&mut text, hidden_count, column_count, row_count, shown_rows(batches, options));
    Ok(text)
}

/// What a column is made from.
struct Source<'a> {
    schema: &'a Schema,
    batches: &'a [RecordBatch],
    options: TableOptions,
}

/// A column as it is shown.
struct Column {
    name: String,
    cells: Vec<String>,
    nulls: Vec<bool>,
    width: usize,
    is_right_aligned: bool,
}

impl Column {
    /// Stands for the columns that are not shown.
    fn elided(row_count: usize) -> Column {
        let dots = || "…".to_owned();
        Column {
            name: dots(),
            cells: vec![dots(); row_count],
            nulls: vec![true; row_count],
            width: 1,
            is_right_aligned: false,
        }
    }
}

impl Source<'_> {
    /// What a cell may take before it is cut.
    fn cell_width_max(&self) -> usize {
        let column_count = self.schema.fields().len();
        if column_count == 1 {
            return LONE_CELL_WIDTH_MAX;
        }
        let fair_width = (self.options.width / column_count.max(1)).saturating_sub(GAP_WIDTH);
        fair_width.max(CELL_WIDTH_MIN.min(self.options.width.saturating_sub(2)))
    }

    /// A column; its name, and its cells if they are texts, are cut at `text_width_max`.
    fn column(&self, column_idx: usize, text_width_max: usize) -> Result<Column> {
        let mut width_max = self.cell_width_max();
        let mut cells = Vec::new();
        let mut nulls = Vec::new();
        let mut is_right_aligned = false;
        let mut text = String::new();
        for batch in self.batches {
            let column = Cells::new(batch.column(column_idx))?;
            is_right_aligned = column.kind() == CellKind::Number;
            if column.kind() == CellKind::Text {
                width_max = text_width_max;
            }
            for row in 0..batch.num_rows().min(self.options.rows_max - cells.len()) {
                text.clear();
                nulls.push(column.is_null(row));
                if column.is_null(row) {
                    text.push_str(NULL);
                } else {
                    column.write(row, &mut text);
                }
                cells.push(fitted(&text, width_max));
            }
        }
        if is_right_aligned && self.options.groups_digits {
            digits::group(self.schema.field(column_idx).name(), &mut cells);
        }
        let widest = cells.iter().map(|cell| cell.width()).max().unwrap_or(0);
        let name = fitted(self.schema.field(column_idx).name(), text_width_max.max(widest));
        let width = widest.max(name.width());
        Ok(Column { name, cells, nulls, width, is_right_aligned })
    }
}

fn shown_rows(batches: &[RecordBatch], options: TableOptions) -> usize {
    batches.iter().map(RecordBatch::num_rows).sum::<usize>().min(options.rows_max)
}

/// The first columns in order and the last ones from the end: all, or alternately as many as fit
/// beside an ellipsis.
fn choose_columns(source: &Source<'_>) -> Result<(Vec<Column>, Vec<Column>)> {
    let line_width = source.options.columns_width();
    let usual = source.cell_width_max();
    let wide = (usual + 1..=line_width).rev().step_by(WIDTH_STEP);
    for text_width_max in wide.chain([usual]).chain(NARROW_WIDTHS) {
        if let Some(columns) = all_columns(source, line_width, text_width_max)? {
            return Ok((columns, Vec::new()));
        }
    }
    let column_count = source.schema.fields().len();
    let (mut left, mut right) = (Vec::new(), Vec::new());
    let mut width_left = line_width.saturating_sub(1 + GAP_WIDTH);
    for taken in 0..column_count {
        let from_left = taken % 2 == 0;
        let column_idx = if from_left { left.len() } else { column_count - 1 - right.len() };
        let column = source.column(column_idx, source.cell_width_max())?;
        if taken > 0 && column.width + GAP_WIDTH > width_left {
            break;
        }
        width_left = width_left.saturating_sub(column.width + GAP_WIDTH);
        if from_left { left.push(column) } else { right.push(column) }
    }
    Ok((left, right))
}

/// All columns, if they fit.
fn all_columns(
    source: &Source<'_>,
    line_width: usize,
    text_width_max: usize,
) -> Result<Option<Vec<Column>>> {
    let mut columns = Vec::new();
    let mut width_left = line_width;
    for column_idx in 0..source.schema.fields().len() {
        let column = source.column(column_idx, text_width_max)?;
        match width_left.checked_sub(column.width + GAP_WIDTH) {
            Some(width) => width_left = width,
            None if column_idx == 0 => width_left = 0,
            None => return Ok(None),
        }
        columns.push(column);
    }
    Ok(Some(columns))
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Emphasis {
    None,
    Bold,
    Dim,
}

/// Columns about to be drawn.
struct Drawing<'a> {
    columns: &'a [&'a Column],
    options: TableOptions,
}

impl Drawing<'_> {
    fn push_line<'c>(
        &'c self,
        text: &mut String,
        cell: impl Fn(&'c Column) -> (&'c str, Emphasis),
    ) {
        let style = self.options.style;
        let gap = format!(" {} ", style.dim("│"));
        for (index, column) in self.columns.iter().enumerate() {
            let (cell, emphasis) = cell(column);
            match index {
                0 if self.options.has_frame => text.push_str(gap.trim_start()),
                0 => text.push(' '),
                _ => text.push_str(&gap),
            }
            let padding = column.width.saturating_sub(cell.width());
            let is_last = index + 1 == self.columns.len() && !self.options.has_frame;
            if column.is_right_aligned {
                text.extend(std::iter::repeat_n(' ', padding));
            }
            text.push_str(&match emphasis {
                Emphasis::None => cell.to_owned(),
                Emphasis::Bold => style.bold(cell),
                Emphasis::Dim => style.dim(cell),
            });
            if !column.is_right_aligned && !is_last {
                text.extend(std::iter::repeat_n(' ', padding));
            }
        }
        if self.options.has_frame {
            text.push_str(gap.trim_end());
        }
        text.push('\n');
    }

    fn push_rule(&self, text: &mut String, [first, between, last]: [&str; 3]) {
        let mut rule = String::new();
        for (index, column) in self.columns.iter().enumerate() {
            rule.push_str(if index == 0 { first } else { between });
            rule.extend(std::iter::repeat_n('─', column.width));
        }
        rule.push_str(last);
        text.push_str(&self.options.style.dim(&rule));
        text.push('\n');
    }
}

fn push_notes(
    text: &mut String,
    hidden_count: usize,
    column_count: usize,
    row_count: u64,
    shown_row_count: usize,
) {
    if hidden_count > 0 {
        let (hidden, all) = (format_count(hidden_count as u64), format_count(column_count as u64));
        append(
            text,
            format_args!(
                "… {hidden} of {all} columns are not shown: name the ones you want, or try .mode vertical\n"
            ),
        );
    }
    let more = row_count - shown_row_count as u64;
    if more > 0 {
        let more = format_count(more);
        append(text, format_args!("… {more} more rows: add LIMIT, or show more with .rows N\n"));
    }
}

fn append(text: &mut String, arguments: std::fmt::Arguments<'_>) {
    text.write_fmt(arguments).expect("writing to a String does not fail");
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{ArrayRef, Float64Array, Int64Array, StringArray};

    use super::*;

    fn batch(columns: Vec<(&str, ArrayRef)>) -> RecordBatch {
        RecordBatch::try_from_iter_with_nullable(
            columns.into_iter().map(|(name, array)| (name, array, true)),
        )
        .expect("columns of equal length")
    }

    fn rendered(batch: &RecordBatch, width: usize, rows_max: usize) -> Result<String> {
        let options = TableOptions {
            width,
            rows_max,
            has_frame: false,
            groups_digits: true,
            style: Style::PLAIN,
        };
        let rows = batch.num_rows() as u64;
        render(&batch.schema(), std::slice::from_ref(batch), rows, options)
    }

    fn texts(values: &[Option<&str>]) -> ArrayRef {
        Arc::new(StringArray::from(values.to_vec()))
    }

    #[test]
    fn numbers_stand_right_texts_left_and_null_is_not_empty() -> Result<()> {
        let batch = batch(vec![
            ("city", texts(&[Some("Köln"), Some("北京"), Some(""), None])),
            ("count(*)", Arc::new(Int64Array::from(vec![Some(12_345), Some(7), None, Some(0)]))),
            ("avg", Arc::new(Float64Array::from(vec![0.5, 10.25, -1.0, 0.0]))),
        ]);
        assert_eq!(
            rendered(&batch, 80, 100)?,
            " city │ count(*) │   avg\n\
             ──────┼──────────┼───────\n \
              Köln │   12,345 │   0.5\n \
              北京 │        7 │ 10.25\n      \
                   │     NULL │    -1\n \
              NULL │        0 │     0\n"
        );
        Ok(())
    }

    #[test]
    fn long_cells_are_cut_and_commands_to_the_terminal_are_not_passed_on() -> Result<()> {
        let long = "x".repeat(100_000);
        let one = Arc::new(Int64Array::from(vec![1, 2, 3])) as ArrayRef;
        let batch = batch(vec![
            (
                "a",
                texts(&[
                    Some(&long),
                    Some("two\nlines\tand \u{1b}[31mred"),
                    Some("北".repeat(50).as_str()),
                ]),
            ),
            ("b", one),
        ]);
        let text = rendered(&batch, 60, 100)?;
        assert!(text.contains(&format!("{}… │ 1", "x".repeat(52))), "{text}");
        assert!(text.contains("two↵lines and \u{fffd}[31mred"), "{text}");
        assert!(text.contains(&format!("{}…", "北".repeat(26))), "{text}");
        assert!(text.lines().all(|line| line.width() <= 60), "{text}");
        Ok(())
    }

    #[test]
    fn long_names_are_cut_before_columns_are_left_out() -> Result<()> {
        let days = Arc::new(Int64Array::from(vec![1])) as ArrayRef;
        let long = "x".repeat(60);
        let columns = vec![(long.as_str(), Arc::clone(&days)), ("b", Arc::clone(&days))];
        let batch = batch([columns, vec![("c", texts(&[Some(&long)]))]].concat());
        let text = rendered(&batch, 60, 100)?;
        assert!(text.starts_with(&format!(" {}… │ b │ c", "x".repeat(21))), "{text}");
        assert!(text.lines().all(|line| line.width() <= 60), "{text}");
        Ok(())
    }

    #[test]
    fn a_lone_column_may_fill_the_line() -> Result<()> {
        let batch = batch(vec![("plan", texts(&[Some(&"x".repeat(90))]))]);
        assert!(rendered(&batch, 100, 100)?.contains(&"x".repeat(90)));
        Ok(())
    }

    #[test]
    fn four_thousand_columns_fit_every_width() -> Result<()> {
        let names: Vec<String> = (0..4_000).map(|index| format!("column_{index}")).collect();
        let values = Arc::new(Int64Array::from(vec![1, 2])) as ArrayRef;
        let batch = batch(names.iter().map(|name| (name.as_str(), Arc::clone(&values))).collect());
        for width in [30, 80, 120, 1_000] {
            let text = rendered(&batch, width, 100)?;
            let table: Vec<&str> = text.lines().take(4).collect();
            assert!(table.iter().all(|line| line.width() <= width), "{text}");
            assert!(table[0].starts_with(" column_0 │"), "{text}");
            assert!(text.contains("columns are not shown"), "{text}");
        }
        let text = rendered(&batch, 80, 100)?;
        assert!(text.lines().next().is_some_and(|line| line.ends_with("column_3999")), "{text}");
        assert!(text.contains("… 3,994 of 4,000 columns"), "{text}");
        Ok(())
    }

    #[test]
    fn all_columns_are_shown_when_they_just_fit() -> Result<()> {
        let values = Arc::new(Int64Array::from(vec![1])) as ArrayRef;
        let names = ["aaaa", "bbbb", "cccc"];
        let batch = batch(names.map(|name| (name, Arc::clone(&values))).to_vec());
        // " aaaa │ bbbb │ cccc" has 19 columns, and its rule 20.
        assert!(rendered(&batch, 20, 10)?.starts_with(" aaaa │ bbbb │ cccc\n"));
        assert!(rendered(&batch, 19, 10)?.starts_with(" aaaa │ … │ cccc\n"));
        Ok(())
    }

    #[test]
    fn a_frame_closes_every_line_and_stays_in_the_width() -> Result<()> {
        let batch = batch(vec![
            ("city", texts(&[Some("Köln"), None])),
            ("n", Arc::new(Int64Array::from(vec![1, 20]))),
        ]);
        let options = |width, style| TableOptions {
            width,
            rows_max: 9,
            has_frame: true,
            groups_digits: true,
            style,
        };
        let of = |options| render(&batch.schema(), std::slice::from_ref(&batch), 2, options);
        assert_eq!(
            of(options(80, Style::PLAIN))?,
            "┌──────┬────┐\n│ city │  n │\n├──────┼────┤\n│ Köln │  1 │\n│ NULL │ 20 │\n└──────┴────┘\n"
        );
        assert!(fits(&batch.schema(), std::slice::from_ref(&batch), options(13, Style::PLAIN))?);
        assert!(!fits(&batch.schema(), std::slice::from_ref(&batch), options(12, Style::PLAIN))?);
        Ok(())
    }

    #[test]
    fn rows_beyond_the_limit_are_counted_not_shown() -> Result<()> {
        let batch = batch(vec![("n", Arc::new(Int64Array::from_iter_values(0..5_000)))]);
        let text = rendered(&batch, 80, 3)?;
        assert_eq!(text.lines().count(), 6);
        assert!(text.ends_with("… 4,997 more rows: add LIMIT, or show more with .rows N\n"));
        Ok(())
    }

    #[test]
    fn no_rows_and_no_columns_are_tables_too() -> Result<()> {
        let empty = batch(vec![("n", Arc::new(Int64Array::from(Vec::<i64>::new())))]);
        assert_eq!(rendered(&empty, 80, 10)?, " n\n───\n");
        Ok(())
    }
}
