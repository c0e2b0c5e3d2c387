//! Prepared statements and their parameters.

use std::sync::Arc;

use arrow::datatypes::{Field, Schema, SchemaRef};
use martlet_engine::exec::expression::evaluate_constant;
use martlet_engine::plan::{Expr, explicit_cast};
use martlet_engine::types::{DataType, Error, Result, Value};
use sqlparser::tokenizer::TokenWithSpan;

use crate::bind::{Binder, Parameters};
use crate::catalog::SnapshotCatalog;
use crate::connection::Connection;
use crate::parse::{self, Statement as Parsed};
use crate::result::{Outcome, QueryResult};
use crate::run::Runner;
use crate::stack::{self, Deep};
use crate::zoned::zoned_schema;

/// A value for a parameter, with its type.
///
/// Anything that is a number, a text, a boolean, bytes, a [`Value`] or an option of these becomes one
/// with `into()`. A statement casts it to the type that the parameter's place asks for, so that a date
/// may be given as a text.
#[derive(Clone, Debug, PartialEq)]
pub struct Parameter {
    value: Value,
    data_type: DataType,
}

impl Parameter {
    /// A value of a type.
    pub fn new(value: Value, data_type: DataType) -> Parameter {
        Parameter { value, data_type }
    }
}

macro_rules! parameters {
    ($($from:ty => |$value:ident| $make:expr, $data_type:expr;)*) => {
        $(impl From<$from> for Parameter {
            fn from($value: $from) -> Parameter {
                Parameter::new($make, $data_type)
            }
        })*
    };
}

parameters! {
    bool => |value| Value::Bool(value), DataType::Bool;
    i8 => |value| Value::Int(value.into()), DataType::Int8;
    i16 => |value| Value::Int(value.into()), DataType::Int16;
    i32 => |value| Value::Int(value.into()), DataType::Int32;
    i64 => |value| Value::Int(value.into()), DataType::Int64;
    u8 => |value| Value::Int(value.into()), DataType::UInt8;
    u16 => |value| Value::Int(value.into()), DataType::UInt16;
    u32 => |value| Value::Int(value.into()), DataType::UInt32;
    u64 => |value| Value::Int(value.into()), DataType::UInt64;
    f32 => |value| Value::Float(value.into()), DataType::Float32;
    f64 => |value| Value::Float(value), DataType::Float64;
    &str => |value| Value::Text(value.to_owned()), DataType::Utf8;
    String => |value| Value::Text(value), DataType::Utf8;
    &[u8] => |value| Value::Bytes(value.to_vec()), DataType::Binary;
    Vec<u8> => |value| Value::Bytes(value), DataType::Binary;
}

impl From<Value> for Parameter {
    fn from(value: Value) -> Parameter {
        let data_type = match &value {
            Value::Null => DataType::Null,
            Value::Bool(_) => DataType::Bool,
            Value::Int(value) if i64::try_from(*value).is_ok() => DataType::Int64,
            Value::Int(_) => DataType::Decimal { precision: 38, scale: 0 },
            Value::Float(_) => DataType::Float64,
            Value::Text(_) => DataType::Utf8,
            Value::Bytes(_) => DataType::Binary,
            Value::Uuid(_) => DataType::Uuid,
            Value::Interval(_) => DataType::Interval,
        };
        Parameter::new(value, data_type)
    }
}

impl<T: Into<Parameter>> From<Option<T>> for Parameter {
    fn from(value: Option<T>) -> Parameter {
        value.map_or_else(|| Parameter::from(Value::Null), Into::into)
    }
}

impl From<std::time::SystemTime> for Parameter {
    /// An instant, in microseconds.
    fn from(value: std::time::SystemTime) -> Parameter {
        let since = value.duration_since(std::time::UNIX_EPOCH);
        let micros = match since {
            Ok(after) => i128::try_from(after.as_micros()).unwrap_or(i128::MAX),
            Err(before) => -i128::try_from(before.duration().as_micros()).unwrap_or(i128::MAX),
        };
        Parameter::new(Value::Int(micros), DataType::TIMESTAMPTZ)
    }
}

/// A prepared statement of a [`Connection`]. It is bound anew for each run, on the tables as they are
/// then.
#[derive(Debug)]
pub struct Statement<'c> {
    connection: &'c Connection,
    text_bytes: usize,
    tokens: Vec<TokenWithSpan>,
    parsed: Deep<Parsed>,
    parameter_types: Vec<Option<DataType>>,
    schema: SchemaRef,
}

impl<'c> Statement<'c> {
    pub(crate) fn new(connection: &'c Connection, sql: &str) -> Result<Statement<'c>> {
        stack::with_room_for(sql.len(), || {
            let parse::Script { mut statements, tokens } = parse::parse(sql)?;
            let (Some(parsed), true) = (statements.pop(), statements.is_empty()) else {
                return Err(Error::invalid("prepare takes one statement"));
            };
            let (parameter_types, schema) = examine(connection, &tokens, &parsed)?;
            let text_bytes = sql.len();
            let parsed = Deep::new(parsed, text_bytes);
            Ok(Statement { connection, text_bytes, tokens, parsed, parameter_types, schema })
        })
    }

    /// The types of the parameters, as far as their places decide them.
    pub fn parameter_types(&self) -> &[Option<DataType>] {
        &self.parameter_types
    }

    /// Names and types of the columns it gives; no columns for a statement that gives no rows.
    pub fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    /// Runs it with values for its parameters and gives its rows.
    ///
    /// # Errors
    /// As [`Connection::query`]; `Invalid` for a wrong number of values.
    pub fn query(&self, parameters: &[Parameter]) -> Result<QueryResult> {
        match self.run(parameters)? {
            Outcome::Rows(rows) => Ok(rows),
            Outcome::Done { .. } => {
                Err(Error::invalid("the statement gives no rows").with_hint("use run"))
            }
        }
    }

    /// Runs it, whatever kind it is.
    ///
    /// # Errors
    /// As [`Connection::run`]; `Invalid` for a wrong number of values.
    pub fn run(&self, parameters: &[Parameter]) -> Result<Outcome> {
        let (wanted, found) = (self.parameter_types.len(), parameters.len());
        if wanted != found {
            let message =
                format!("the statement has {wanted} parameters, {found} values are given");
            return Err(Error::invalid(message));
        }
        let context = self.connection.start();
        let mut values = Vec::with_capacity(found);
        for (parameter, wanted) in parameters.iter().zip(&self.parameter_types) {
            let Parameter { value, data_type } = parameter.clone();
            let literal = Expr::literal(value, data_type);
            values.push(match wanted {
                None => literal_parts(literal),
                Some(wanted) => {
                    let cast = explicit_cast(literal, *wanted)?;
                    (evaluate_constant(&cast, &context)?, *wanted)
                }
            });
        }
        let runner = Runner::new(self.connection, &self.tokens, values, context);
        let parsed = self.parsed.get();
        stack::with_room_for(self.text_bytes, move || runner.run(parsed))
    }
}

fn literal_parts(literal: Expr) -> (Value, DataType) {
    match literal {
        Expr::Literal { value, data_type } => (value, data_type),
        other => (Value::Null, other.data_type()),
    }
}

/// Binds the statement without values: types of its parameters, columns of its result.
fn examine(
    connection: &Connection,
    tokens: &[TokenWithSpan],
    parsed: &Parsed,
) -> Result<(Vec<Option<DataType>>, SchemaRef)> {
    let (query, loaded) = match parsed {
        Parsed::Query(query) | Parsed::Explain { query, .. } => (query, None),
        Parsed::CreateTable(parse::CreateTable {
            name,
            source: Some(parse::InsertSource::Query(query)),
            ..
        }) => (query, Some(name)),
        Parsed::Insert(insert) => match &insert.source {
            parse::InsertSource::Query(query) => (query, Some(&insert.table)),
            parse::InsertSource::Files(_) => return Ok(nothing()),
        },
        _ => return Ok(nothing()),
    };
    let mut parameters = Parameters::unknown();
    let snapshot = connection.database().snapshot()?;
    let mut catalog = SnapshotCatalog::new(snapshot, connection.named_files());
    if let Some(table) = loaded {
        catalog = catalog.for_load_of(&table.text);
    }
    let mut context = connection.database().context();
    connection.settings().apply(&mut context);
    let plan = Binder::new(&catalog, tokens, &mut parameters, context.now_us).bind(query)?;
    if !matches!(parsed, Parsed::Query(_)) {
        return Ok((parameters.types().to_vec(), nothing().1));
    }
    let fields: Vec<Field> = plan
        .output()
        .into_iter()
        .map(|column| Field::new(column.name, column.data_type.to_arrow(), true))
        .collect();
    Ok((
        parameters.types().to_vec(),
        zoned_schema(Arc::new(Schema::new(fields)), &context.time_zone),
    ))
}

fn nothing() -> (Vec<Option<DataType>>, SchemaRef) {
    (Vec::new(), Arc::new(Schema::empty()))
}
