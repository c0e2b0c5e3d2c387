//! What a Parquet column is in our types, or why it cannot be read.
//!
//! Only the schema is looked at here, never a page.

use parquet::basic::{ConvertedType, LogicalType, Repetition, TimeUnit as ParquetUnit, Type};
use parquet::schema::types::{SchemaDescriptor, Type as SchemaType};

use crate::types::{DataType, TimeUnit};

/// The longest `FIXED_LEN_BYTE_ARRAY` that is read, in bytes.
const FIXED_BYTES_MAX: i32 = 1 << 24;

/// A top-level field of one file.
#[derive(Clone, Debug)]
pub(super) struct FileColumn {
    /// Name.
    pub(super) name: String,
    /// How to read it, or why it cannot be read: a phrase that follows "is" or "has".
    pub(super) leaf: Result<Leaf, String>,
}

/// A column that can be read: one value per row.
#[derive(Clone, Copy, Debug)]
pub(super) struct Leaf {
    /// Position among the file's leaves, which is that of its chunk in a row group.
    pub(super) index: usize,
    /// How values are stored.
    pub(super) physical: Type,
    /// Bytes of a `FIXED_LEN_BYTE_ARRAY`, else 0.
    pub(super) fixed_bytes: usize,
    /// Whether there are definition levels, so that values may be NULL.
    pub(super) nullable: bool,
    /// Our type.
    pub(super) data_type: DataType,
    /// Whether the writer had no type for it: there are only NULLs.
    pub(super) untyped: bool,
}

/// The top-level fields of a file, in order.
pub(super) fn file_columns(schema: &SchemaDescriptor, binary_as_string: bool) -> Vec<FileColumn> {
    let mut leaf_count = 0;
    let mut columns = Vec::new();
    for field in schema.root_schema().get_fields() {
        let index = leaf_count;
        leaf_count += count_leaves(field);
        let name = field.name().to_owned();
        columns.push(FileColumn { name, leaf: leaf(field, index, binary_as_string) });
    }
    columns
}

fn count_leaves(field: &SchemaType) -> usize {
    match field {
        SchemaType::PrimitiveType { .. } => 1,
        SchemaType::GroupType { fields, .. } => {
            fields.iter().map(|field| count_leaves(field)).sum()
        }
    }
}

fn leaf(field: &SchemaType, index: usize, binary_as_string: bool) -> Result<Leaf, String> {
    let info = field.get_basic_info();
    let SchemaType::PrimitiveType { physical_type, type_length, scale, precision, .. } = field
    else {
        return Err(nested_kind(field).to_owned());
    };
    let repetition = if info.has_repetition() { info.repetition() } else { Repetition::REQUIRED };
    if repetition == Repetition::REPEATED {
        return Err("a nested column (list)".to_owned());
    }
    let fixed_bytes = match physical_type {
        Type::FIXED_LEN_BYTE_ARRAY if !(1..=FIXED_BYTES_MAX).contains(type_length) => {
            return Err(format!("a fixed-length column of {type_length} bytes"));
        }
        Type::FIXED_LEN_BYTE_ARRAY => usize::try_from(*type_length).unwrap_or(0),
        _ => 0,
    };
    let annotation = Annotation {
        logical: info.logical_type_ref(),
        converted: info.converted_type(),
        precision: *precision,
        scale: *scale,
    };
    let data_type = match physical_type {
        Type::BOOLEAN => Ok(DataType::Bool),
        Type::INT32 => annotation.int32(),
        Type::INT64 => annotation.int64(),
        // The unit is settled by the values: see `int96`.
        Type::INT96 => Ok(DataType::Timestamp { unit: TimeUnit::Nanosecond, zoned: false }),
        Type::FLOAT => Ok(DataType::Float32),
        Type::DOUBLE => Ok(DataType::Float64),
        Type::BYTE_ARRAY => annotation.bytes(binary_as_string),
        Type::FIXED_LEN_BYTE_ARRAY => annotation.fixed(fixed_bytes),
    }?;
    Ok(Leaf {
        index,
        physical: *physical_type,
        fixed_bytes,
        nullable: repetition == Repetition::OPTIONAL,
        data_type,
        untyped: matches!(annotation.logical, Some(LogicalType::Unknown)),
    })
}

fn nested_kind(field: &SchemaType) -> &'static str {
    let info = field.get_basic_info();
    match (info.logical_type_ref(), info.converted_type()) {
        (Some(LogicalType::List), _) | (_, ConvertedType::LIST) => "a nested column (list)",
        (Some(LogicalType::Map), _) | (_, ConvertedType::MAP | ConvertedType::MAP_KEY_VALUE) => {
            "a nested column (map)"
        }
        (Some(LogicalType::Variant(_)), _) => "a nested column (variant)",
        _ if info.has_repetition() && info.repetition() == Repetition::REPEATED => {
            "a nested column (list of structs)"
        }
        _ => "a nested column (struct)",
    }
}

/// What a schema says about a column beyond its physical type.
struct Annotation<'a> {
    logical: Option<&'a LogicalType>,
    converted: ConvertedType,
    precision: i32,
    scale: i32,
}

impl Annotation<'_> {
    fn int32(&self) -> Result<DataType, String> {
        match (self.logical, self.converted) {
            (Some(LogicalType::Integer(int)), _) if int.bit_width <= 32 => {
                Ok(integer(int.bit_width, int.is_signed))
            }
            (Some(LogicalType::Date), _) | (None, ConvertedType::DATE) => Ok(DataType::Date),
            (Some(LogicalType::Time(time)), _) if time.unit == ParquetUnit::MILLIS => {
                Ok(DataType::Time(TimeUnit::Millisecond))
            }
            (None, ConvertedType::TIME_MILLIS) => Ok(DataType::Time(TimeUnit::Millisecond)),
            (None, ConvertedType::INT_8) => Ok(DataType::Int8),
            (None, ConvertedType::INT_16) => Ok(DataType::Int16),
            (None, ConvertedType::UINT_8) => Ok(DataType::UInt8),
            (None, ConvertedType::UINT_16) => Ok(DataType::UInt16),
            (None, ConvertedType::UINT_32) => Ok(DataType::UInt32),
            (None, ConvertedType::NONE | ConvertedType::INT_32) => Ok(DataType::Int32),
            _ if self.is_plain() => Ok(DataType::Int32),
            _ => self.decimal_or_refusal("INT32"),
        }
    }

    fn int64(&self) -> Result<DataType, String> {
        match (self.logical, self.converted) {
            (Some(LogicalType::Integer(int)), _) => Ok(integer(int.bit_width, int.is_signed)),
            (Some(LogicalType::Time(time)), _) => Ok(DataType::Time(unit(time.unit))),
            (Some(LogicalType::Timestamp(timestamp)), _) => Ok(DataType::Timestamp {
                unit: unit(timestamp.unit),
                zoned: timestamp.is_adjusted_to_u_t_c,
            }),
            (None, ConvertedType::TIME_MICROS) => Ok(DataType::Time(TimeUnit::Microsecond)),
            // Writers used the old annotations for local times as well: DuckDB and pyarrow read
            // them without zone, and so do we.
            (None, ConvertedType::TIMESTAMP_MILLIS) => {
                Ok(DataType::Timestamp { unit: TimeUnit::Millisecond, zoned: false })
            }
            (None, ConvertedType::TIMESTAMP_MICROS) => Ok(DataType::TIMESTAMP),
            (None, ConvertedType::UINT_64) => Ok(DataType::UInt64),
            (None, ConvertedType::NONE | ConvertedType::INT_64) => Ok(DataType::Int64),
            _ if self.is_plain() => Ok(DataType::Int64),
            _ => self.decimal_or_refusal("INT64"),
        }
    }

    fn bytes(&self, binary_as_string: bool) -> Result<DataType, String> {
        let unannotated = if binary_as_string { DataType::Utf8 } else { DataType::Binary };
        match (self.logical, self.converted) {
            (Some(LogicalType::String | LogicalType::Enum | LogicalType::Json), _)
            | (None, ConvertedType::UTF8 | ConvertedType::ENUM | ConvertedType::JSON) => {
                Ok(DataType::Utf8)
            }
            (Some(LogicalType::Bson | LogicalType::Geometry(_) | LogicalType::Geography(_)), _)
            | (None, ConvertedType::BSON) => Ok(DataType::Binary),
            (None, ConvertedType::NONE) => Ok(unannotated),
            _ if self.is_plain() => Ok(unannotated),
            _ => self.decimal_or_refusal("BYTE_ARRAY"),
        }
    }

    fn fixed(&self, fixed_bytes: usize) -> Result<DataType, String> {
        match (self.logical, self.converted) {
            (Some(LogicalType::Uuid), _) if fixed_bytes == 16 => Ok(DataType::Uuid),
            (Some(LogicalType::Float16), _) if fixed_bytes == 2 => Ok(DataType::Float32),
            (Some(LogicalType::String), _) | (None, ConvertedType::UTF8) => Ok(DataType::Utf8),
            (None, ConvertedType::INTERVAL) => Err("an interval column".to_owned()),
            (None, ConvertedType::NONE) => Ok(DataType::Binary),
            _ if self.is_plain() => Ok(DataType::Binary),
            _ => self.decimal_or_refusal("FIXED_LEN_BYTE_ARRAY"),
        }
    }

    /// Whether the annotation changes nothing: a null column's, or one that is newer than the
    /// reader.
    fn is_plain(&self) -> bool {
        matches!(self.logical, Some(LogicalType::Unknown | LogicalType::_Unknown { .. }))
    }

    fn decimal_or_refusal(&self, physical: &str) -> Result<DataType, String> {
        let (precision, scale) = match (self.logical, self.converted) {
            (Some(LogicalType::Decimal(decimal)), _) => (decimal.precision, decimal.scale),
            (None, ConvertedType::DECIMAL) => (self.precision, self.scale.max(0)),
            (Some(logical), _) => return Err(format!("{physical} annotated as {logical:?}")),
            (None, converted) => return Err(format!("{physical} annotated as {converted}")),
        };
        match (u8::try_from(precision), u8::try_from(scale)) {
            (Ok(precision @ 1..=38), Ok(scale)) if scale <= precision => {
                Ok(DataType::Decimal { precision, scale })
            }
            _ => Err(format!("decimal({precision},{scale}); at most 38 digits are supported")),
        }
    }
}

fn integer(bits: i8, signed: bool) -> DataType {
    match (bits, signed) {
        (8, true) => DataType::Int8,
        (16, true) => DataType::Int16,
        (32, true) => DataType::Int32,
        (8, false) => DataType::UInt8,
        (16, false) => DataType::UInt16,
        (32, false) => DataType::UInt32,
        (_, true) => DataType::Int64,
        (_, false) => DataType::UInt64,
    }
}

fn unit(unit: ParquetUnit) -> TimeUnit {
    match unit {
        ParquetUnit::MILLIS => TimeUnit::Millisecond,
        ParquetUnit::MICROS => TimeUnit::Microsecond,
        ParquetUnit::NANOS => TimeUnit::Nanosecond,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use parquet::schema::parser::parse_message_type;

    use super::*;

    fn types(message: &str) -> Vec<String> {
        let schema = SchemaDescriptor::new(Arc::new(parse_message_type(message).unwrap()));
        let columns = file_columns(&schema, false);
        let described = columns.iter().map(|column| match &column.leaf {
            Ok(leaf) => format!("{} {}", leaf.index, leaf.data_type),
            Err(reason) => reason.clone(),
        });
        described.collect()
    }

    #[test]
    fn every_physical_type_has_ours_and_nested_ones_keep_the_leaves_in_step() {
        let message = "message m {
            required boolean a; optional int32 b; optional int32 c (UINT_8); optional int64 d;
            optional int96 e; optional float f; optional double g; optional binary h;
            optional binary i (UTF8); optional fixed_len_byte_array(5) j;
            optional group k { optional int32 x; optional int32 y; } repeated int32 l;
            optional int64 m (TIMESTAMP_MILLIS); optional int64 n (TIMESTAMP(NANOS,true));
            optional binary o (DECIMAL(38,3)); optional binary p (DECIMAL(40,3));
            optional fixed_len_byte_array(12) q (INTERVAL);
            optional fixed_len_byte_array(16) r (UUID);
            optional fixed_len_byte_array(2) s (FLOAT16); optional binary t (JSON);
            optional int32 u (DATE); optional int32 v (TIME(MILLIS,true)); optional int64 w (INTEGER(64,false));
        }";
        let expected = [
            "0 boolean",
            "1 integer",
            "2 utinyint",
            "3 bigint",
            "4 timestamp(9)",
            "5 real",
            "6 double",
            "7 blob",
            "8 text",
            "9 blob",
            "a nested column (struct)",
            "a nested column (list)",
            "13 timestamp(3)",
            "14 timestamptz(9)",
            "15 decimal(38,3)",
            "decimal(40,3); at most 38 digits are supported",
            "an interval column",
            "18 uuid",
            "19 real",
            "20 text",
            "21 date",
            "22 time(3)",
            "23 ubigint",
        ];
        assert_eq!(types(message), expected);
    }
}
