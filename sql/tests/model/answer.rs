//! What the engine answers, as values.

use martlet::arrow::array::RecordBatch;
use martlet::{Connection, DataType, Error, Result, Value};

/// The values of one row.
pub(crate) type Row = Vec<Value>;

/// The rows of a query, in the order in which they came.
pub(crate) struct Answer {
    pub(crate) types: Vec<DataType>,
    pub(crate) rows: Vec<Row>,
}

impl Answer {
    /// The rows as the `.slt` files write them.
    pub(crate) fn shown(&self) -> Vec<String> {
        let cell = |value: &Value, data_type: &DataType| match value {
            Value::Null => "NULL".to_owned(),
            value => match value.to_text(*data_type) {
                text if text.is_empty() => "(empty)".to_owned(),
                text => text,
            },
        };
        let line = |row: &Row| {
            let cells: Vec<String> = row
                .iter()
                .zip(&self.types)
                .map(|(value, data_type)| cell(value, data_type))
                .collect();
            cells.join("\t")
        };
        self.rows.iter().map(line).collect()
    }
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
    let mut rows = Vec::new();
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
    }
    Ok(Answer { types, rows })
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
