//! Tables without rows.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use martlet_engine::catalog::{ColumnStatistics, Field, FieldId, NameMatch, Table, TableId};
use martlet_engine::plan::Source;
use martlet_engine::types::{DataType, Error, Result, TimeUnit};

use crate::bind::{Catalog, FileNames, Files};

/// A table that counts how many of its fields were asked for.
#[derive(Debug)]
pub(super) struct EmptyTable {
    name: String,
    fields: Vec<Field>,
    pub(super) touched_count: AtomicUsize,
}

impl EmptyTable {
    pub(super) fn new(name: &str, columns: &[(&str, DataType)]) -> EmptyTable {
        let fields = (0_u32..)
            .zip(columns)
            .map(|(id, (name, data_type))| Field {
                id: FieldId(id),
                name: (*name).to_owned(),
                data_type: *data_type,
                nullable: true,
            })
            .collect();
        EmptyTable { name: name.to_owned(), fields, touched_count: AtomicUsize::new(0) }
    }
}

impl Table for EmptyTable {
    fn id(&self) -> TableId {
        TableId(1)
    }

    fn name(&self) -> &str {
        &self.name
    }

    fn row_count(&self) -> u64 {
        0
    }

    fn field_count(&self) -> usize {
        self.fields.len()
    }

    fn field(&self, position: usize) -> Field {
        self.touched_count.fetch_add(1, Ordering::Relaxed);
        self.fields[position].clone()
    }

    fn find(&self, name: &str) -> NameMatch {
        if let Some(position) = self.fields.iter().position(|field| field.name == name) {
            return NameMatch::Found(position);
        }
        let same = |field: &&Field| field.name.eq_ignore_ascii_case(name);
        let names: Vec<String> =
            self.fields.iter().filter(same).map(|field| field.name.clone()).collect();
        match names.len() {
            0 => NameMatch::Missing,
            1 => NameMatch::Found(self.fields.iter().position(|f| f.name == names[0]).unwrap()),
            _ => NameMatch::Ambiguous(names),
        }
    }

    fn statistics(&self, _field: FieldId) -> Result<ColumnStatistics> {
        Ok(ColumnStatistics::default())
    }
}

/// `t`, `hits` and a wide mart.
#[derive(Debug)]
pub(super) struct Tables(Vec<Arc<EmptyTable>>);

impl Tables {
    pub(super) fn get(&self, name: &str) -> &EmptyTable {
        self.0.iter().find(|table| table.name == name).expect("the test named a table")
    }
}

impl Default for Tables {
    fn default() -> Tables {
        let timestamp = DataType::Timestamp { unit: TimeUnit::Microsecond, zoned: false };
        let t = [
            ("a", DataType::Int32),
            ("b", DataType::Int64),
            ("s", DataType::Utf8),
            ("d", DataType::Date),
            ("ts", timestamp),
            ("x", DataType::Float64),
            ("p", DataType::Decimal { precision: 10, scale: 2 }),
            ("ok", DataType::Bool),
            ("Case", DataType::Int32),
            ("case_", DataType::Int32),
            ("Twin", DataType::Int32),
            ("twin", DataType::Int32),
        ];
        let hits: Vec<(&str, DataType)> =
            include_str!("../../../tests/queries/hits_schema.txt").lines().map(field).collect();
        let names: Vec<String> = (0..4001).map(|i| format!("measure_{i:04}")).collect();
        let wide: Vec<(&str, DataType)> =
            names.iter().map(|name| (name.as_str(), DataType::Float64)).collect();
        Tables(vec![
            Arc::new(EmptyTable::new("t", &t)),
            Arc::new(EmptyTable::new("hits", &hits)),
            Arc::new(EmptyTable::new("wide", &wide)),
        ])
    }
}

fn field(line: &'static str) -> (&'static str, DataType) {
    let (name, data_type) = line.split_once(' ').expect("the schema has two words a line");
    let data_type = match data_type {
        "smallint" => DataType::Int16,
        "integer" => DataType::Int32,
        "bigint" => DataType::Int64,
        "date" => DataType::Date,
        "timestamp" => DataType::TIMESTAMP,
        _ => DataType::Utf8,
    };
    (name, data_type)
}

impl Catalog for Tables {
    fn table(&self, name: &str) -> Result<Option<Arc<dyn Table>>> {
        let found = self.0.iter().find(|table| table.name.eq_ignore_ascii_case(name));
        Ok(found.map(|table| Arc::clone(table) as Arc<dyn Table>))
    }

    fn table_names(&self) -> Vec<String> {
        self.0.iter().map(|table| table.name.clone()).collect()
    }

    fn files(&self, names: &FileNames) -> Result<Files> {
        let pattern = &names.patterns[0];
        if !pattern.ends_with(".parquet") {
            return Err(Error::unsupported(format!("the file {pattern} is not Parquet")));
        }
        let columns = [("k", DataType::Int64), ("v", DataType::Utf8)];
        let table = Arc::new(EmptyTable::new(pattern, &columns));
        let source = Source::Parquet { paths: vec![pattern.to_owned()], binary_as_string: false };
        Ok(Files { source, table })
    }
}
