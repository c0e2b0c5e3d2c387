//! Instants of a result carry the session's time zone, in which whoever shows them does.
//!
//! The engine's are all of the zone UTC. The values are the same instants in any zone.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use arrow::datatypes::{
    DataType, Field, Schema, SchemaRef, TimeUnit, TimestampMicrosecondType,
    TimestampMillisecondType, TimestampNanosecondType, TimestampSecondType,
};
use martlet_engine::types::{Error, Result};

/// `schema` with its instants in `zone`.
pub(crate) fn zoned_schema(schema: SchemaRef, zone: &Arc<str>) -> SchemaRef {
    let is_of_other_zone = |field: &Arc<Field>| match field.data_type() {
        DataType::Timestamp(_, Some(other)) => other != zone,
        _ => false,
    };
    if !schema.fields().iter().any(is_of_other_zone) {
        return schema;
    }
    let zoned = |field: &Arc<Field>| match field.data_type() {
        DataType::Timestamp(unit, Some(_)) => {
            let data_type = DataType::Timestamp(*unit, Some(Arc::clone(zone)));
            Arc::new(field.as_ref().clone().with_data_type(data_type))
        }
        _ => Arc::clone(field),
    };
    let fields: Vec<_> = schema.fields().iter().map(zoned).collect();
    Arc::new(Schema::new_with_metadata(fields, schema.metadata().clone()))
}

/// `batch` as `schema`, which [`zoned_schema`] made of its own.
pub(crate) fn zoned_batch(batch: RecordBatch, schema: &SchemaRef) -> Result<RecordBatch> {
    if Arc::ptr_eq(batch.schema_ref(), schema) {
        return Ok(batch);
    }
    let columns = batch.columns().iter().zip(schema.fields());
    let columns = columns.map(|(array, field)| zoned_array(array, field.data_type())).collect();
    RecordBatch::try_new(Arc::clone(schema), columns)
        .map_err(|error| Error::internal(error.to_string()))
}

fn zoned_array(array: &ArrayRef, data_type: &DataType) -> ArrayRef {
    macro_rules! with_zone {
        ($arrow:ty) => {
            Arc::new(array.as_primitive::<$arrow>().clone().with_data_type(data_type.clone()))
        };
    }
    if array.data_type() == data_type {
        return Arc::clone(array);
    }
    match data_type {
        DataType::Timestamp(TimeUnit::Second, _) => with_zone!(TimestampSecondType),
        DataType::Timestamp(TimeUnit::Millisecond, _) => with_zone!(TimestampMillisecondType),
        DataType::Timestamp(TimeUnit::Microsecond, _) => with_zone!(TimestampMicrosecondType),
        DataType::Timestamp(TimeUnit::Nanosecond, _) => with_zone!(TimestampNanosecondType),
        _ => Arc::clone(array),
    }
}
