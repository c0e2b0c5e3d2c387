//! JSON: an array of one object per row, written as the rows come.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::io::Write;

use arrow::datatypes::Schema;
use arrow::record_batch::RecordBatch;
use martlet_engine::types::Result;

use super::{CellKind, Cells, WriteError};

/// Writes batches as a JSON array of objects, one line each.
///
/// Numbers of any size and precision are JSON numbers, infinities and NaN are null, timestamps are
/// ISO 8601 (`2013-07-01T12:34:56`, an instant with a `Z` or its offset). A name that comes again gets a number,
/// since an object has a name once.
///
/// ```
/// use martlet::output::JsonWriter;
/// # use std::sync::Arc;
/// # use arrow::{array::StringArray, record_batch::RecordBatch};
/// # let texts = StringArray::from(vec![Some("a"), None]);
/// # let batch = RecordBatch::try_from_iter([("name", Arc::new(texts) as _), ])?;
/// let mut writer = JsonWriter::new(Vec::new(), &batch.schema())?;
/// writer.write(&batch)?;
/// assert_eq!(writer.finish()?, b"[\n{\"name\":\"a\"},\n{\"name\":null}\n]\n");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct JsonWriter<W> {
    target: W,
    style: JsonStyle,
    /// Each column's name with quotes and colon.
    keys: Vec<String>,
    row_count: u64,
    line: String,
    cell: String,
}

/// How JSON is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct JsonStyle {
    /// An object per line, without an array around them.
    pub lines: bool,
    /// Infinities and NaN as texts instead of null, as PostgreSQL writes them.
    pub special_as_text: bool,
}

impl<W: Write> JsonWriter<W> {
    /// A writer that has opened the array.
    ///
    /// # Errors
    /// When `target` refuses it.
    pub fn new(target: W, schema: &Schema) -> Result<JsonWriter<W>, WriteError> {
        JsonWriter::with_style(target, schema, JsonStyle::default())
    }

    /// A writer in another style.
    ///
    /// # Errors
    /// When `target` refuses its beginning.
    pub fn with_style(
        mut target: W,
        schema: &Schema,
        style: JsonStyle,
    ) -> Result<JsonWriter<W>, WriteError> {
        if !style.lines {
            target.write_all(b"[")?;
        }
        let (line, cell) = (String::new(), String::new());
        Ok(JsonWriter { target, style, keys: json_keys(schema), row_count: 0, line, cell })
    }

    /// Writes the rows of `batch`.
    ///
    /// # Errors
    /// When the target refuses them, or a column has no text form.
    pub fn write(&mut self, batch: &RecordBatch) -> Result<(), WriteError> {
        let columns: Vec<Cells<'_>> =
            batch.columns().iter().map(|array| Cells::new(array)).collect::<Result<_>>()?;
        for row in 0..batch.num_rows() {
            self.line.clear();
            self.line.push_str(match (self.style.lines, self.row_count) {
                (true, _) => "{",
                (false, 0) => "\n{",
                (false, _) => ",\n{",
            });
            self.row_count += 1;
            for (index, (key, cells)) in self.keys.iter().zip(&columns).enumerate() {
                if index > 0 {
                    self.line.push(',');
                }
                self.line.push_str(key);
                if cells.is_null(row) {
                    self.line.push_str("null");
                    continue;
                }
                self.cell.clear();
                cells.write(row, &mut self.cell);
                let is_special =
                    cells.kind() == CellKind::Number && self.cell.ends_with(['N', 'y']);
                if self.style.special_as_text && is_special {
                    push_string(&self.cell, &mut self.line);
                } else {
                    push_json_value(cells.kind(), &self.cell, &mut self.line);
                }
            }
            self.line.push_str(if self.style.lines { "}\n" } else { "}" });
            self.target.write_all(self.line.as_bytes())?;
        }
        Ok(())
    }

    /// Closes the array and gives the target back.
    ///
    /// # Errors
    /// When the target refuses it.
    pub fn finish(mut self) -> Result<W, WriteError> {
        if !self.style.lines {
            self.target.write_all(b"\n]\n")?;
        }
        Ok(self.target)
    }
}

/// Each column's name as a key of a JSON object, with quotes and colon; a name that comes again gets a
/// number.
pub fn json_keys(schema: &Schema) -> Vec<String> {
    let mut seen = BTreeSet::new();
    let mut keys = Vec::with_capacity(schema.fields().len());
    for field in schema.fields() {
        let mut name = field.name().clone();
        let mut count = 1;
        while !seen.insert(name.clone()) {
            count += 1;
            name = format!("{}_{count}", field.name());
        }
        let mut key = String::new();
        push_string(&name, &mut key);
        key.push(':');
        keys.push(key);
    }
    keys
}

/// Appends `text`, a cell of `kind` that is not NULL, as a JSON value.
pub fn push_json_value(kind: CellKind, text: &str, line: &mut String) {
    match kind {
        // NaN and Infinity.
        CellKind::Number if text.ends_with(['N', 'y']) => line.push_str("null"),
        CellKind::Bool | CellKind::Number => line.push_str(text),
        CellKind::Timestamp => {
            let (date, clock) = text.split_once(' ').unwrap_or((text, ""));
            let (time, offset) = clock.split_at(clock.find(['+', '-']).unwrap_or(clock.len()));
            let offset = match offset {
                "+00" => "Z",
                other => other,
            };
            // ISO 8601 and its readers want the minutes of an offset.
            let minutes = if offset.len() == 3 { ":00" } else { "" };
            push_string(&format!("{date}T{time}{offset}{minutes}"), line);
        }
        CellKind::Text => push_string(text, line),
    }
}

fn push_string(text: &str, line: &mut String) {
    line.push('"');
    let mut written = 0;
    for (at, byte) in text.bytes().enumerate() {
        if byte >= b' ' && byte != b'"' && byte != b'\\' {
            continue;
        }
        line.push_str(&text[written..at]);
        written = at + 1;
        match byte {
            b'"' => line.push_str("\\\""),
            b'\\' => line.push_str("\\\\"),
            b'\n' => line.push_str("\\n"),
            b'\r' => line.push_str("\\r"),
            b'\t' => line.push_str("\\t"),
            _ => write!(line, "\\u{byte:04x}").expect("writing to a String does not fail"),
        }
    }
    line.push_str(&text[written..]);
    line.push('"');
}

#[cfg(test)]
mod tests {
    use std::error::Error;
    use std::sync::Arc;

    use arrow::array::{
        ArrayRef, BooleanArray, Decimal128Array, Float64Array, Int64Array, StringArray,
        TimestampMicrosecondArray,
    };

    use super::*;

    fn written(columns: Vec<(&str, ArrayRef)>) -> Result<String, Box<dyn Error>> {
        let batch = RecordBatch::try_from_iter(columns)?;
        let mut writer = JsonWriter::new(Vec::new(), &batch.schema())?;
        writer.write(&batch)?;
        Ok(String::from_utf8(writer.finish()?)?)
    }

    #[test]
    fn numbers_keep_all_their_digits_and_are_null_when_json_has_none() -> Result<(), Box<dyn Error>>
    {
        let decimals = Decimal128Array::from(vec![-5, 12_345]).with_precision_and_scale(38, 2)?;
        let text = written(vec![
            ("i", Arc::new(Int64Array::from(vec![i64::MIN, i64::MAX])) as _),
            ("d", Arc::new(decimals) as _),
            ("f", Arc::new(Float64Array::from(vec![1e300, f64::NAN])) as _),
            ("g", Arc::new(Float64Array::from(vec![f64::INFINITY, f64::NEG_INFINITY])) as _),
            ("b", Arc::new(BooleanArray::from(vec![Some(true), None])) as _),
        ])?;
        assert_eq!(
            text,
            "[\n{\"i\":-9223372036854775808,\"d\":-0.05,\"f\":1e+300,\"g\":null,\"b\":true},\n\
             {\"i\":9223372036854775807,\"d\":123.45,\"f\":null,\"g\":null,\"b\":null}\n]\n"
        );
        Ok(())
    }

    #[test]
    fn texts_are_escaped_and_timestamps_are_iso() -> Result<(), Box<dyn Error>> {
        let time = TimestampMicrosecondArray::from(vec![1_372_682_096_500_000]);
        let text = written(vec![
            ("n\"", Arc::new(StringArray::from(vec!["é \"q\" \\ \n\t\u{1}"])) as _),
            ("t", Arc::new(time.clone()) as _),
            ("z", Arc::new(time.clone().with_timezone("UTC")) as _),
            ("b", Arc::new(time.clone().with_timezone("Europe/Berlin")) as _),
            ("k", Arc::new(time.with_timezone("-03:30")) as _),
        ])?;
        assert_eq!(
            text,
            "[\n{\"n\\\"\":\"é \\\"q\\\" \\\\ \\n\\t\\u0001\",\"t\":\"2013-07-01T12:34:56.5\",\
             \"z\":\"2013-07-01T12:34:56.5Z\",\"b\":\"2013-07-01T14:34:56.5+02:00\",\
             \"k\":\"2013-07-01T09:04:56.5-03:30\"}\n]\n"
        );
        Ok(())
    }

    #[test]
    fn a_repeated_name_gets_a_number_and_no_rows_are_an_empty_array() -> Result<(), Box<dyn Error>>
    {
        let one = || Arc::new(Int64Array::from(vec![1])) as ArrayRef;
        let schema = |name: &str| {
            arrow::datatypes::Field::new(name, arrow::datatypes::DataType::Int64, true)
        };
        let schema = Arc::new(Schema::new(vec![schema("a"), schema("a"), schema("a_2")]));
        let batch = RecordBatch::try_new(Arc::clone(&schema), vec![one(), one(), one()])?;
        let mut writer = JsonWriter::new(Vec::new(), &schema)?;
        writer.write(&batch)?;
        assert_eq!(writer.finish()?, b"[\n{\"a\":1,\"a_2\":1,\"a_2_2\":1}\n]\n");
        assert_eq!(JsonWriter::new(Vec::new(), &schema)?.finish()?, b"[\n]\n");
        Ok(())
    }
}
