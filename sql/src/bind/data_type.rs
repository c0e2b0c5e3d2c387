//! SQL's names of types.

use martlet_engine::types::{DataType, Error, Result, TimeUnit};
use sqlparser::ast::{self, CharacterLength, ExactNumberInfo, TimezoneInfo};

use super::refuse::unsupported;

/// The type that a SQL type name stands for.
pub(crate) fn bind_data_type(
    data_type: &ast::DataType,
    position: Option<usize>,
) -> Result<DataType> {
    use ast::DataType as Ast;
    Ok(match data_type {
        Ast::Bool | Ast::Boolean => DataType::Bool,
        Ast::TinyInt(_) => DataType::Int8,
        Ast::SmallInt(_) | Ast::Int2(_) | Ast::Int16 => DataType::Int16,
        Ast::Int(_) | Ast::Integer(_) | Ast::Int4(_) | Ast::Int32 => DataType::Int32,
        Ast::BigInt(_) | Ast::Int8(_) | Ast::Int64 => DataType::Int64,
        Ast::UTinyInt | Ast::UInt8 => DataType::UInt8,
        Ast::USmallInt | Ast::UInt16 => DataType::UInt16,
        Ast::UInt32 => DataType::UInt32,
        Ast::UBigInt | Ast::UInt64 => DataType::UInt64,
        Ast::Real | Ast::Float4 | Ast::Float32 => DataType::Float32,
        Ast::Float(ExactNumberInfo::Precision(bits)) if *bits <= 24 => DataType::Float32,
        Ast::Double(_) | Ast::DoublePrecision | Ast::Float8 | Ast::Float64 | Ast::Float(_) => {
            DataType::Float64
        }
        Ast::Decimal(info) | Ast::Numeric(info) | Ast::Dec(info) => decimal(info, position)?,
        Ast::Date => DataType::Date,
        Ast::Time(precision, TimezoneInfo::None | TimezoneInfo::WithoutTimeZone) => {
            DataType::Time(unit(*precision, position)?)
        }
        Ast::Datetime(precision) | Ast::TimestampNtz(precision) => {
            DataType::Timestamp { unit: unit(*precision, position)?, zoned: false }
        }
        Ast::Timestamp(precision, zone) => {
            let zoned = matches!(zone, TimezoneInfo::WithTimeZone | TimezoneInfo::Tz);
            DataType::Timestamp { unit: unit(*precision, position)?, zoned }
        }
        Ast::Text
        | Ast::String(_)
        | Ast::Varchar(_)
        | Ast::CharacterVarying(_)
        | Ast::CharVarying(_)
        | Ast::Nvarchar(_)
        | Ast::Clob(_) => DataType::Utf8,
        Ast::Bytea | Ast::Blob(_) | Ast::Binary(None) | Ast::Varbinary(None) => DataType::Binary,
        Ast::Uuid => DataType::Uuid,
        Ast::Interval { fields: None, precision: None } => DataType::Interval,
        Ast::Custom(name, modifiers) if modifiers.is_empty() => return custom(name, position),
        Ast::Char(_) | Ast::Character(_) => {
            return Err(unsupported("char(n)", position).with_hint("write text"));
        }
        Ast::HugeInt | Ast::Int128 => {
            return Err(unsupported("hugeint", position).with_hint("write decimal(38,0)"));
        }
        other => return Err(unsupported(&format!("the type {other}"), position)),
    })
}

/// `DuckDB`'s names that sqlparser does not know.
fn custom(name: &ast::ObjectName, position: Option<usize>) -> Result<DataType> {
    let text = name.to_string().to_lowercase();
    Ok(match text.trim_matches('"') {
        "uinteger" => DataType::UInt32,
        "usmallint" => DataType::UInt16,
        "utinyint" => DataType::UInt8,
        "ubigint" => DataType::UInt64,
        "timestamp_s" => timestamp(TimeUnit::Second),
        "timestamp_ms" => timestamp(TimeUnit::Millisecond),
        "timestamp_us" => timestamp(TimeUnit::Microsecond),
        "timestamp_ns" => timestamp(TimeUnit::Nanosecond),
        "hugeint" => {
            return Err(unsupported("hugeint", position).with_hint("write decimal(38,0)"));
        }
        other => {
            const NAMES: [&str; 17] = [
                "boolean",
                "tinyint",
                "smallint",
                "integer",
                "bigint",
                "ubigint",
                "real",
                "double",
                "decimal",
                "numeric",
                "date",
                "time",
                "timestamp",
                "timestamptz",
                "text",
                "blob",
                "uuid",
            ];
            let error = Error::unknown_name(format!("there is no type \"{other}\""))
                .with_suggestions(crate::suggest::nearest(other, NAMES.into_iter()));
            return Err(super::place(error, position));
        }
    })
}

fn timestamp(unit: TimeUnit) -> DataType {
    DataType::Timestamp { unit, zoned: false }
}

fn decimal(info: &ExactNumberInfo, position: Option<usize>) -> Result<DataType> {
    let (precision, scale) = match info {
        // DuckDB's default; PostgreSQL's numeric has no bound, which we do not have.
        ExactNumberInfo::None => (18, 3),
        ExactNumberInfo::Precision(precision) => (*precision, 0),
        ExactNumberInfo::PrecisionAndScale(precision, scale) => (*precision, *scale),
    };
    match (u8::try_from(precision), u8::try_from(scale)) {
        (Ok(precision @ 1..=38), Ok(scale)) if scale <= precision => {
            Ok(DataType::Decimal { precision, scale })
        }
        _ => Err(unsupported(&format!("decimal({precision},{scale})"), position)
            .with_hint("1 to 38 digits, of which 0 to all stand after the point")),
    }
}

/// How many characters a cast to `varchar(n)` keeps. Columns keep all, as in `DuckDB`.
pub(super) fn text_length(data_type: &ast::DataType) -> Option<u64> {
    use ast::DataType as Ast;
    match data_type {
        Ast::Varchar(Some(length))
        | Ast::CharacterVarying(Some(length))
        | Ast::CharVarying(Some(length))
        | Ast::Nvarchar(Some(length)) => match length {
            CharacterLength::IntegerLength { length, unit: _ } => Some(*length),
            CharacterLength::Max => None,
        },
        _ => None,
    }
}

fn unit(precision: Option<u64>, position: Option<usize>) -> Result<TimeUnit> {
    match precision {
        None | Some(6) => Ok(TimeUnit::Microsecond),
        Some(0) => Ok(TimeUnit::Second),
        Some(3) => Ok(TimeUnit::Millisecond),
        Some(9) => Ok(TimeUnit::Nanosecond),
        Some(other) => Err(unsupported(&format!("a precision of {other}"), position)
            .with_hint("0, 3, 6 or 9 digits of a second")),
    }
}
