//! What the engine answers, as values.

use martlet::arrow::array::RecordBatch;
use martlet::output::Cells;
use martlet::{Connection, DataType, Error, Result, Value};

/// The values of one row.
pub(crate) type Row = Vec<Value>;

/// The rows of a query, in the order in which they came.
pub(crate) struct Answer {
    pub(crate) rows: Vec<Row>,
    pub(crate) batches: Vec<RecordBatch>,
}

impl Answer {
    /// The rows as the `.slt` files write them.
    pub(crate) fn shown(&self) -> Vec<String> {
        self.batches.iter().flat_map(shown_rows).collect()
    }
}

fn shown_rows(batch: &RecordBatch) -> Vec<String> {
    let cells = |column| Cells::new(column).expect("a result's type");
    let columns: Vec<Cells<'_>> = batch.columns().iter().map(|column| cells(column)).collect();
    let shown = |cells: &Cells<'_>, row| {
        let mut text = String::new();
        if cells.is_null(row) {
            return "NULL".to_owned();
        }
        cells.write(row, &mut text);
        if text.is_empty() { "(empty)".to_owned() } else { text }
    };
    let line = |row| {
        let cells: Vec<String> = columns.iter().map(|cells| shown(cells, row)).collect();
        cells.join("\t")
    };
    (0..batch.num_rows()).map(line).collect()
}

/// Runs a query.
pub(crate) fn ask(connection: &Connection, sql: &str) -> Result<Answer> {
    let result = connection.query(sql)?;
    let types: Vec<DataType> = result
        .schema()
        .fields()
        .iter()
        .map(|field| DataType::of_result(field.data_type()))
        .collect::<Result<_>>()?;
    let (mut rows, mut batches) = (Vec::new(), Vec::new());
    let schema = result.schema();
    for batch in result {
        let batch = batch?;
        for (field, column) in schema.fields().iter().zip(batch.columns()) {
            if field.data_type() != column.data_type() {
                let (promised, found) = (field.data_type(), column.data_type());
                return Err(Error::internal(format!("{promised} is promised, {found} given")));
            }
        }
        rows.extend(rows_of(&batch, &types));
        batches.push(batch);
    }
    Ok(Answer { rows, batches })
}

/// A batch by rows.
fn rows_of(batch: &RecordBatch, types: &[DataType]) -> Vec<Row> {
    let row = |row| {
        let columns = batch.columns().iter().zip(types);
        columns.map(|(column, data_type)| Value::from_array(column, *data_type, row)).collect()
    };
    (0..batch.num_rows()).map(row).collect()
}

/// A row as a text that differs where a bit differs, except that all NaNs are one.
pub(crate) fn bits(row: &Row) -> String {
    format!("{row:?}")
}
