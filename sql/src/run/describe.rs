//! `DESCRIBE` and `SHOW TABLES`.

use martlet_engine::catalog::Table;
use martlet_engine::types::{DataType, Result, Value};

use super::Runner;
use crate::bind::{FileNames, place, unknown_table};
use crate::files;
use crate::parse::DescribeTarget;
use crate::result::Outcome;

impl Runner<'_> {
    /// One row per column: name, type, whether it may be NULL, what is said about it.
    pub(super) fn describe(&self, target: &DescribeTarget) -> Result<Outcome> {
        let snapshot = self.database().snapshot()?;
        let file = self.named_file(target);
        let rows = match file.as_ref().unwrap_or(target) {
            DescribeTarget::Query(query) => {
                let plan = self.bind(query, &snapshot)?;
                let columns = plan.output().into_iter();
                columns.map(|column| row(column.name, column.data_type, true, None)).collect()
            }
            DescribeTarget::Files { paths, position } => {
                let names = FileNames::of(paths.first().map_or("", String::as_str));
                let opened = files::open(&names).map_err(|error| place(error, Some(*position)))?;
                let describe = |(index, field): (usize, &martlet_engine::catalog::NewField)| {
                    let unsupported = opened.unsupported(index).map(str::to_owned);
                    match unsupported {
                        None => row(field.name.clone(), field.data_type, field.nullable, None),
                        Some(reason) => {
                            let name = Value::Text(field.name.clone());
                            vec![name, Value::Text(reason), Value::Null, Value::Null]
                        }
                    }
                };
                opened.fields().iter().enumerate().map(describe).collect()
            }
            DescribeTarget::Table(name) => {
                let table = snapshot.table(&name.text)?.ok_or_else(|| {
                    unknown_table(&name.text, &snapshot.table_names(), name.position)
                })?;
                let mut comments = table.comments()?;
                (0..table.field_count())
                    .map(|position| {
                        let field = table.field(position);
                        let comment = comments.fields.remove(&field.id);
                        row(field.name, field.data_type, field.nullable, comment)
                    })
                    .collect()
            }
        };
        let text = DataType::Utf8;
        let columns =
            [("column_name", text), ("column_type", text), ("null", text), ("comment", text)];
        self.rows(&columns, rows)
    }

    /// One row per table: name, rows, columns, what is said about it.
    pub(super) fn show_tables(&self) -> Result<Outcome> {
        let snapshot = self.database().snapshot()?;
        let mut names = snapshot.table_names();
        names.sort();
        let mut rows = Vec::with_capacity(names.len());
        for name in names {
            let Some(table) = snapshot.table(&name)? else { continue };
            let column_count = i128::try_from(table.field_count()).unwrap_or(i128::MAX);
            rows.push(vec![
                Value::Text(name),
                Value::Int(i128::from(table.row_count())),
                Value::Int(column_count),
                table.comments()?.table.map_or(Value::Null, Value::Text),
            ]);
        }
        let columns = [
            ("name", DataType::Utf8),
            ("row_count", DataType::Int64),
            ("column_count", DataType::Int64),
            ("comment", DataType::Utf8),
        ];
        self.rows(&columns, rows)
    }
}

fn row(name: String, data_type: DataType, nullable: bool, comment: Option<String>) -> Vec<Value> {
    let null = if nullable { "YES" } else { "NO" };
    vec![
        Value::Text(name),
        Value::Text(data_type.to_string()),
        Value::Text(null.to_owned()),
        comment.map_or(Value::Null, Value::Text),
    ]
}
