//! CSV after RFC 4180, in which NULL and the empty text differ.

use std::io::Write;

use arrow::datatypes::Schema;
use arrow::record_batch::RecordBatch;
use martlet_engine::catalog::files::Delimiter;

use super::{Cells, WriteError};

/// Writes batches as CSV: a header, then a line per row, each ended by a line feed.
///
/// NULL is an empty unquoted field, the empty text is `""`; a field is quoted when it holds a comma,
/// a quote, a line break or a leading or trailing space.
///
/// ```
/// use martlet::output::CsvWriter;
/// # use std::sync::Arc;
/// # use arrow::{array::StringArray, record_batch::RecordBatch};
/// # let texts = StringArray::from(vec![Some("a,b"), Some(""), None]);
/// # let batch = RecordBatch::try_from_iter([("name", Arc::new(texts) as _), ])?;
/// let mut writer = CsvWriter::new(Vec::new(), &batch.schema())?;
/// writer.write(&batch)?;
/// assert_eq!(writer.into_inner(), b"name\n\"a,b\"\n\"\"\n\n");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct CsvWriter<W> {
    target: W,
    style: CsvStyle,
    delimiter: String,
    line: String,
    cell: String,
}

/// How CSV is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CsvStyle {
    /// Between fields.
    pub delimiter: Delimiter,
    /// Around fields that need it, doubled within; ASCII.
    pub quote: u8,
    /// What stands for NULL; a text that is the same is quoted.
    pub null: String,
    /// Whether the first line names the columns.
    pub header: bool,
    /// Whether a field is quoted that a sniffer may take for a comment, another quote or a mark.
    pub careful: bool,
}

impl Default for CsvStyle {
    fn default() -> CsvStyle {
        CsvStyle {
            delimiter: Delimiter::COMMA,
            quote: b'"',
            null: String::new(),
            header: true,
            careful: false,
        }
    }
}

impl<W: Write> CsvWriter<W> {
    /// A writer that has written the header.
    ///
    /// # Errors
    /// When `target` refuses it.
    pub fn new(target: W, schema: &Schema) -> Result<CsvWriter<W>, WriteError> {
        CsvWriter::with_style(target, schema, CsvStyle::default())
    }

    /// A writer in another style, that has written the header if there is one.
    ///
    /// # Errors
    /// When `target` refuses it.
    pub fn with_style(
        target: W,
        schema: &Schema,
        style: CsvStyle,
    ) -> Result<CsvWriter<W>, WriteError> {
        let delimiter = style.delimiter.as_str().to_owned();
        let (line, cell) = (String::new(), String::new());
        let mut writer = CsvWriter { target, style, delimiter, line, cell };
        if writer.style.header {
            for (index, field) in schema.fields().iter().enumerate() {
                if index > 0 {
                    writer.line.push_str(&writer.delimiter);
                }
                push_field(field.name(), &writer.style, &mut writer.line);
            }
            writer.end_line()?;
        }
        Ok(writer)
    }

    /// Writes the rows of `batch`.
    ///
    /// # Errors
    /// When the target refuses them, or a column has no text form.
    pub fn write(&mut self, batch: &RecordBatch) -> Result<(), WriteError> {
        let columns: Vec<Cells<'_>> =
            batch.columns().iter().map(|array| Cells::new(array)).collect::<Result<_, _>>()?;
        for row in 0..batch.num_rows() {
            for (index, cells) in columns.iter().enumerate() {
                if index > 0 {
                    self.line.push_str(&self.delimiter);
                }
                if cells.is_null(row) {
                    self.line.push_str(&self.style.null);
                } else {
                    self.cell.clear();
                    cells.write(row, &mut self.cell);
                    push_field(&self.cell, &self.style, &mut self.line);
                }
            }
            self.end_line()?;
        }
        Ok(())
    }

    /// The target, all rows written to it.
    pub fn into_inner(self) -> W {
        self.target
    }

    fn end_line(&mut self) -> Result<(), WriteError> {
        self.line.push('\n');
        self.target.write_all(self.line.as_bytes())?;
        self.line.clear();
        Ok(())
    }
}

fn push_field(text: &str, style: &CsvStyle, line: &mut String) {
    let needs_quotes = text.is_empty()
        || text.starts_with(' ')
        || (style.careful && text.starts_with(['#', '\'', '\u{feff}']))
        || text.ends_with(' ')
        || text == style.null
        || text.bytes().any(|byte| {
            byte == style.delimiter.first()
                || byte == style.quote
                || matches!(byte, b'\n' | b'\r')
        })
        // A part of a delimiter may become a whole one beside the next.
        || (!style.delimiter.is_byte() && text.contains(|c| style.delimiter.as_str().contains(c)));
    if !needs_quotes {
        return line.push_str(text);
    }
    let quote = char::from(style.quote);
    line.push(quote);
    for (index, part) in text.split(quote).enumerate() {
        if index > 0 {
            line.push(quote);
            line.push(quote);
        }
        line.push_str(part);
    }
    line.push(quote);
}

#[cfg(test)]
mod tests {
    use std::error::Error;
    use std::sync::Arc;

    use arrow::array::{BooleanArray, Float64Array, Int64Array, StringArray};

    use super::*;

    #[test]
    fn null_and_the_empty_text_differ_and_quotes_are_doubled() -> Result<(), Box<dyn Error>> {
        let texts = StringArray::from(vec![
            Some("plain"),
            Some("a,b"),
            Some("say \"hi\""),
            Some("two\nlines"),
            Some(" padded"),
            Some(""),
            None,
        ]);
        let len = 7;
        let batch = RecordBatch::try_from_iter([
            ("count(*)", Arc::new(Int64Array::from_iter_values(0..len)) as _),
            ("a \"b\", c", Arc::new(texts) as _),
            ("b", Arc::new(BooleanArray::from(vec![None; 7])) as _),
            ("f", Arc::new(Float64Array::from_iter_values([0.1; 7])) as _),
        ])?;
        let mut writer = CsvWriter::new(Vec::new(), &batch.schema())?;
        writer.write(&batch.slice(0, 3))?;
        writer.write(&batch.slice(3, 4))?;
        assert_eq!(
            String::from_utf8(writer.into_inner())?,
            "count(*),\"a \"\"b\"\", c\",b,f\n\
             0,plain,,0.1\n\
             1,\"a,b\",,0.1\n\
             2,\"say \"\"hi\"\"\",,0.1\n\
             3,\"two\nlines\",,0.1\n\
             4,\" padded\",,0.1\n\
             5,\"\",,0.1\n\
             6,,,0.1\n"
        );
        Ok(())
    }
}
