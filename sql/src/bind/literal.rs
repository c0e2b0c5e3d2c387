//! Literals and parameters.

use martlet_engine::plan::{Expr, explicit_cast, integer_literal};
use martlet_engine::types::{DataType, Error, Result, Value};
use sqlparser::ast::{self, TypedString, ValueWithSpan};

use super::refuse::unsupported;
use super::{Binder, bind_data_type, place};
use crate::parse::position::start_of;

impl Binder<'_> {
    /// Binds a literal or a parameter.
    pub(super) fn bind_value(&mut self, value: &ValueWithSpan) -> Result<Expr> {
        use ast::Value as Ast;
        let position = start_of(value.span);
        let bound = match &value.value {
            Ast::Number(text, _) => number(text),
            Ast::SingleQuotedString(text)
            | Ast::EscapedStringLiteral(text)
            | Ast::UnicodeStringLiteral(text) => Ok(text_literal(text)),
            Ast::DollarQuotedString(text) => Ok(text_literal(&text.value)),
            Ast::Boolean(value) => Ok(Expr::literal(Value::Bool(*value), DataType::Bool)),
            Ast::Null => Ok(Expr::literal(Value::Null, DataType::Null)),
            Ast::Placeholder(text) => self.parameters.bind(text, position),
            Ast::HexStringLiteral(_) => {
                Err(unsupported("a hexadecimal literal", None).with_hint("write '\\xFF'::blob"))
            }
            Ast::TripleSingleQuotedString(_)
            | Ast::TripleDoubleQuotedString(_)
            | Ast::SingleQuotedByteStringLiteral(_)
            | Ast::DoubleQuotedByteStringLiteral(_)
            | Ast::TripleSingleQuotedByteStringLiteral(_)
            | Ast::TripleDoubleQuotedByteStringLiteral(_)
            | Ast::SingleQuotedRawStringLiteral(_)
            | Ast::DoubleQuotedRawStringLiteral(_)
            | Ast::TripleSingleQuotedRawStringLiteral(_)
            | Ast::TripleDoubleQuotedRawStringLiteral(_)
            | Ast::NationalStringLiteral(_)
            | Ast::QuoteDelimitedStringLiteral(_)
            | Ast::NationalQuoteDelimitedStringLiteral(_)
            | Ast::DoubleQuotedString(_) => Err(unsupported("this kind of text literal", None)
                .with_hint("texts are written 'like this'")),
        };
        bound.map_err(|error| place(error, position))
    }

    /// `date '2024-01-31'` and the like.
    pub(super) fn bind_typed_string(&mut self, typed: &TypedString) -> Result<Expr> {
        let TypedString { data_type, value, uses_odbc_syntax: _ } = typed;
        let position = start_of(value.span);
        let to = bind_data_type(data_type, position)?;
        let literal = self.bind_value(value)?;
        explicit_cast(literal, to).map_err(|error| place(error, position))
    }
}

/// A text as an expression.
pub(super) fn text_literal(text: &str) -> Expr {
    Expr::literal(Value::Text(text.to_owned()), DataType::Utf8)
}

/// A number as written: an integer, a decimal of its digits, or with an exponent a double.
pub(super) fn number(text: &str) -> Result<Expr> {
    let digits: String = text.chars().filter(|c| *c != '_').collect();
    let out_of_range = || Error::out_of_range(format!("the number {digits} is out of range"));
    if digits.contains(['e', 'E']) {
        let value: f64 = digits.parse().map_err(|_| out_of_range())?;
        if value.is_infinite() {
            return Err(out_of_range());
        }
        return Ok(Expr::literal(Value::Float(value), DataType::Float64));
    }
    let Some((whole, fraction)) = digits.split_once('.') else {
        let value: i128 = digits.parse().map_err(|_| out_of_range())?;
        return integer_literal(value);
    };
    let joined = format!("{whole}{fraction}");
    let unsigned = joined.trim_start_matches('-').trim_start_matches('0');
    let scale = u8::try_from(fraction.len()).unwrap_or(u8::MAX);
    let precision = u8::try_from(unsigned.len()).unwrap_or(u8::MAX).max(scale).max(1);
    if precision > 38 {
        // More digits than a decimal holds: the nearest double, as with an exponent.
        let value: f64 = digits.parse().map_err(|_| out_of_range())?;
        return Ok(Expr::literal(Value::Float(value), DataType::Float64));
    }
    let value: i128 =
        if unsigned.is_empty() { 0 } else { joined.parse().map_err(|_| out_of_range())? };
    Ok(Expr::literal(Value::Int(value), DataType::Decimal { precision, scale }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_has_the_type_of_its_digits() -> Result<()> {
        let decimal = |precision, scale| DataType::Decimal { precision, scale };
        let cases = [
            ("7", Value::Int(7), DataType::Int32),
            ("-2147483648", Value::Int(-2147483648), DataType::Int32),
            ("2147483648", Value::Int(2147483648), DataType::Int64),
            ("9223372036854775808", Value::Int(9223372036854775808), decimal(19, 0)),
            ("1.50", Value::Int(150), decimal(3, 2)),
            (".5", Value::Int(5), decimal(1, 1)),
            ("5.", Value::Int(5), decimal(1, 0)),
            ("0.0", Value::Int(0), decimal(1, 1)),
            ("1e3", Value::Float(1000.0), DataType::Float64),
            ("1_000", Value::Int(1000), DataType::Int32),
        ];
        for (text, value, data_type) in cases {
            assert_eq!(number(text)?, Expr::literal(value, data_type), "{text}");
        }
        assert!(number("1e400").is_err());
        assert!(number(&"9".repeat(39)).is_err());
        Ok(())
    }
}
