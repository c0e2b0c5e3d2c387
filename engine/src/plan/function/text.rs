//! Types of the text functions.

use super::{Function, call, integer_argument, text_argument};
use crate::plan::Expr;
use crate::plan::coercion::explicit_cast;
use crate::types::{DataType, Error, Result, Value};

/// What an argument has to be.
#[derive(Clone, Copy)]
enum Kind {
    Text,
    Integer,
}
use Kind::{Integer, Text};

pub(super) fn resolve(function: Function, arguments: Vec<Expr>) -> Result<Expr> {
    use Function as F;
    let int64 = DataType::Int64;
    match function {
        F::Concat => concat(arguments),
        F::ConcatSkipNulls | F::ConcatWithSeparator => {
            let arguments: Result<_> = arguments
                .into_iter()
                .map(|argument| explicit_cast(argument, DataType::Utf8))
                .collect();
            Ok(call(function, arguments?, DataType::Utf8))
        }
        F::Length | F::ByteLength if arguments[0].data_type() == DataType::Binary => {
            Ok(call(F::ByteLength, arguments, int64))
        }
        F::BitLength | F::Md5 if arguments[0].data_type() == DataType::Binary => {
            let data_type = if function == F::Md5 { DataType::Utf8 } else { int64 };
            Ok(call(function, arguments, data_type))
        }
        F::Length | F::ByteLength | F::BitLength | F::Ascii => {
            typed(function, arguments, &[Text], int64)
        }
        F::Position | F::Levenshtein => typed(function, arguments, &[Text, Text], int64),
        F::StartsWith | F::EndsWith | F::Contains => {
            typed(function, arguments, &[Text, Text], DataType::Bool)
        }
        F::Chr => typed(function, arguments, &[Integer], DataType::Utf8),
        F::Substring => typed(function, arguments, &[Text, Integer, Integer], DataType::Utf8),
        F::Left | F::Right | F::Repeat => {
            typed(function, arguments, &[Text, Integer], DataType::Utf8)
        }
        F::TrimStart | F::TrimEnd | F::Trim => {
            typed(function, with_default(arguments, 2, " "), &[Text, Text], DataType::Utf8)
        }
        F::PadStart | F::PadEnd => {
            let arguments = with_default(arguments, 3, " ");
            typed(function, arguments, &[Text, Integer, Text], DataType::Utf8)
        }
        F::SplitPart => typed(function, arguments, &[Text, Text, Integer], DataType::Utf8),
        F::RegexpReplace => {
            typed(function, with_default(arguments, 4, ""), &[Text; 4], DataType::Utf8)
        }
        F::RegexpMatches => {
            typed(function, with_default(arguments, 3, ""), &[Text; 3], DataType::Bool)
        }
        F::RegexpExtract => {
            let mut arguments = arguments;
            if arguments.len() == 2 {
                arguments.push(Expr::literal(Value::Int(0), int64));
            }
            typed(function, arguments, &[Text, Text, Integer], DataType::Utf8)
        }
        F::Lower | F::Upper | F::Initcap | F::Reverse | F::Md5 => {
            typed(function, arguments, &[Text], DataType::Utf8)
        }
        F::Replace | F::Translate => typed(function, arguments, &[Text; 3], DataType::Utf8),
        other => Err(Error::internal(format!("{other} is no text function"))),
    }
}

fn typed(
    function: Function,
    arguments: Vec<Expr>,
    kinds: &[Kind],
    data_type: DataType,
) -> Result<Expr> {
    let arguments: Result<_> = arguments
        .into_iter()
        .zip(kinds)
        .map(|(argument, kind)| match kind {
            Text => text_argument(function, argument),
            Integer => integer_argument(function, argument),
        })
        .collect();
    Ok(call(function, arguments?, data_type))
}

/// Adds the last argument when it was left out.
fn with_default(mut arguments: Vec<Expr>, count: usize, default: &str) -> Vec<Expr> {
    if arguments.len() < count {
        arguments.push(Expr::literal(Value::Text(default.to_owned()), DataType::Utf8));
    }
    arguments
}

/// `a || b`: text with anything, or bytes with bytes.
fn concat(arguments: Vec<Expr>) -> Result<Expr> {
    let types: Vec<DataType> = arguments.iter().map(Expr::data_type).collect();
    if types.contains(&DataType::Binary) {
        let arguments: Result<_> = arguments.into_iter().map(binary_argument).collect();
        return Ok(call(Function::Concat, arguments?, DataType::Binary));
    }
    let has_text = types.iter().any(|found| matches!(found, DataType::Utf8 | DataType::Null));
    if !has_text {
        return Err(Error::type_mismatch(format!("cannot concat {} and {}", types[0], types[1]))
            .with_hint("cast one side to text"));
    }
    let arguments: Result<_> =
        arguments.into_iter().map(|argument| explicit_cast(argument, DataType::Utf8)).collect();
    Ok(call(Function::Concat, arguments?, DataType::Utf8))
}

fn binary_argument(argument: Expr) -> Result<Expr> {
    super::typed_argument(Function::Concat, argument, DataType::Binary, "bytes beside bytes")
}
