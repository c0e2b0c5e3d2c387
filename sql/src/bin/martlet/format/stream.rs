//! Formats that are written row by row as rows come: lines, tabs, JSON lines, Markdown, HTML, INSERT.

use arrow::datatypes::{DataType, Schema};
use arrow::record_batch::RecordBatch;
use martlet::Result;
use martlet::output::{CellKind, Cells, WriteError};
use martlet::words::quoted;

use crate::view::Format;

/// Writes the rows of one result in a format of this module.
pub(super) struct RowWriter {
    format: Format,
    /// The names as the format has them: padded, escaped, quoted.
    names: Vec<String>,
    is_number: Vec<bool>,
    /// `INSERT INTO t (a, b) VALUES (`.
    insert: String,
    row_count: u64,
    cell: String,
}

impl RowWriter {
    pub(super) fn new(format: Format, schema: &Schema, insert_table: &str) -> RowWriter {
        let names: Vec<&str> = schema.fields().iter().map(|field| field.name().as_str()).collect();
        let width = names.iter().map(|name| name.chars().count()).max().unwrap_or(0);
        let names: Vec<String> = match format {
            Format::Line => names.iter().map(|name| format!("{name:>width$}")).collect(),
            Format::Jsonl => martlet::output::json_keys(schema),
            Format::Insert => names.iter().map(|name| quoted(name)).collect(),
            _ => names.iter().map(|name| escaped(format, name)).collect(),
        };
        let insert =
            format!("INSERT INTO {} ({}) VALUES (", quoted(insert_table), names.join(", "));
        let is_number = schema.fields().iter().map(|field| is_number(field.data_type())).collect();
        RowWriter { format, names, is_number, insert, row_count: 0, cell: String::new() }
    }

    /// What stands before the rows.
    pub(super) fn head(&self) -> String {
        match self.format {
            Format::Tsv => self.names.join("\t") + "\n",
            Format::Html => {
                format!("<table>\n<tr><th>{}</th></tr>\n", self.names.join("</th><th>"))
            }
            Format::Markdown => {
                let rule = |(name, is_number): (&String, &bool)| {
                    let dashes = "-".repeat(name.chars().count() + 2 - usize::from(*is_number));
                    dashes + if *is_number { ":" } else { "" }
                };
                let rules: Vec<String> = self.names.iter().zip(&self.is_number).map(rule).collect();
                format!("| {} |\n|{}|\n", self.names.join(" | "), rules.join("|"))
            }
            _ => String::new(),
        }
    }

    /// What stands behind the rows.
    pub(super) fn foot(&self) -> &'static str {
        if self.format == Format::Html { "</table>\n" } else { "" }
    }

    /// Appends the rows of `batch` to `text`.
    pub(super) fn write(
        &mut self,
        batch: &RecordBatch,
        text: &mut String,
    ) -> Result<(), WriteError> {
        let columns: Vec<Cells<'_>> =
            batch.columns().iter().map(|array| Cells::new(array)).collect::<Result<_>>()?;
        for row in 0..batch.num_rows() {
            let (first, between, last) = self.around_cells();
            text.push_str(first);
            for (index, cells) in columns.iter().enumerate() {
                if index > 0 {
                    text.push_str(between);
                }
                self.cell.clear();
                let is_null = cells.is_null(row);
                if !is_null {
                    cells.write(row, &mut self.cell);
                }
                self.push_cell(index, (!is_null).then_some(cells.kind()), text);
            }
            text.push_str(last);
            self.row_count += 1;
        }
        Ok(())
    }

    fn around_cells(&self) -> (&str, &'static str, &'static str) {
        match self.format {
            Format::Line if self.row_count > 0 => ("\n", "", ""),
            Format::Line => ("", "", ""),
            Format::Jsonl => ("{", ",", "}\n"),
            Format::Markdown => ("| ", " | ", " |\n"),
            Format::Html => ("<tr><td>", "</td><td>", "</td></tr>\n"),
            Format::Insert => (&self.insert, ", ", ");\n"),
            _ => ("", "\t", "\n"),
        }
    }

    /// Appends the cell, NULL without a kind.
    fn push_cell(&self, index: usize, kind: Option<CellKind>, text: &mut String) {
        match (self.format, kind) {
            (Format::Line, kind) => {
                text.push_str(&self.names[index]);
                text.push_str(" = ");
                text.push_str(if kind.is_none() { "NULL" } else { &self.cell });
                text.push('\n');
            }
            (Format::Jsonl, kind) => {
                text.push_str(&self.names[index]);
                match kind {
                    Some(kind) => martlet::output::push_json_value(kind, &self.cell, text),
                    None => text.push_str("null"),
                }
            }
            (Format::Tsv, None) => text.push_str("\\N"),
            (_, None) => text.push_str("NULL"),
            (Format::Insert, Some(kind)) => self.push_literal(kind, text),
            (format, Some(_)) => text.push_str(&escaped(format, &self.cell)),
        }
    }

    fn push_literal(&self, kind: CellKind, text: &mut String) {
        let is_bare = match kind {
            CellKind::Bool => true,
            CellKind::Number => !self.cell.ends_with(['N', 'y']),
            CellKind::Timestamp | CellKind::Text => false,
        };
        if is_bare {
            return text.push_str(&self.cell);
        }
        text.push('\'');
        text.push_str(&self.cell.replace('\'', "''"));
        text.push('\'');
    }
}

fn is_number(data_type: &DataType) -> bool {
    data_type.is_numeric()
}

fn escaped(format: Format, text: &str) -> String {
    match format {
        Format::Tsv => text
            .replace('\\', "\\\\")
            .replace('\t', "\\t")
            .replace('\n', "\\n")
            .replace('\r', "\\r"),
        Format::Markdown => text
            .replace('\\', "\\\\")
            .replace('|', "\\|")
            .replace('<', "&lt;")
            .replace('\t', " ")
            .replace("\r\n", "<br>")
            .replace('\n', "<br>"),
        Format::Html => text
            .replace('&', "&amp;")
            .replace('<', "&lt;")
            .replace('>', "&gt;")
            .replace('"', "&quot;"),
        _ => text.to_owned(),
    }
}
