//! Values of options: texts, numbers, flags, and lists and structures of them.

use martlet_engine::catalog::files::Delimiter;
use martlet_engine::types::{DataType, Error, Result};
use sqlparser::ast::{Array, DictionaryField, Expr, UnaryOperator, Value};

use super::file_format::type_named;
use super::place;
use super::refuse::position_of;
use crate::suggest;

/// The value of an option.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum OptionValue {
    Text(String),
    Number(String),
    Bool(bool),
    List(Vec<OptionValue>),
    Fields(Vec<(String, OptionValue)>),
}

impl OptionValue {
    /// The value that `expr` spells out.
    pub(crate) fn of(expr: &Expr) -> Result<OptionValue> {
        let refused = || {
            let error =
                Error::unsupported("an option takes a text, a number, true or false, or a list");
            place(error, position_of(expr))
        };
        Ok(match expr {
            Expr::Value(value) => match &value.value {
                Value::SingleQuotedString(text)
                | Value::EscapedStringLiteral(text)
                | Value::UnicodeStringLiteral(text) => OptionValue::Text(text.clone()),
                Value::Number(number, _) => OptionValue::Number(number.clone()),
                Value::Boolean(flag) => OptionValue::Bool(*flag),
                _ => return Err(refused()),
            },
            Expr::UnaryOp { op: UnaryOperator::Minus, expr } => match OptionValue::of(expr)? {
                OptionValue::Number(number) => OptionValue::Number(format!("-{number}")),
                _ => return Err(refused()),
            },
            Expr::Array(Array { elem, named: _ }) => {
                OptionValue::List(elem.iter().map(OptionValue::of).collect::<Result<_>>()?)
            }
            Expr::Nested(inner) => OptionValue::of(inner)?,
            Expr::Tuple(items) => {
                OptionValue::List(items.iter().map(OptionValue::of).collect::<Result<_>>()?)
            }
            Expr::Dictionary(fields) => {
                let field = |DictionaryField { key, value }: &DictionaryField| {
                    Ok((key.value.clone(), OptionValue::of(value)?))
                };
                OptionValue::Fields(fields.iter().map(field).collect::<Result<_>>()?)
            }
            // COPY … (FORMAT csv): a word is a text.
            Expr::Identifier(word) => OptionValue::Text(word.value.clone()),
            _ => return Err(refused()),
        })
    }

    pub(crate) fn boolean(&self, option: &str) -> Result<bool> {
        match self {
            OptionValue::Bool(flag) => Ok(*flag),
            OptionValue::Text(text) => match text.to_ascii_lowercase().as_str() {
                "true" | "on" => Ok(true),
                "false" | "off" => Ok(false),
                _ => Err(Error::type_mismatch(format!("{option} is true or false"))),
            },
            _ => Err(Error::type_mismatch(format!("{option} is true or false"))),
        }
    }

    pub(crate) fn text(&self, option: &str) -> Result<String> {
        match self {
            OptionValue::Text(text) => Ok(text.clone()),
            _ => Err(Error::type_mismatch(format!("{option} is a text in quotes"))),
        }
    }

    /// A text, or a list of texts.
    pub(crate) fn texts(&self, option: &str) -> Result<Vec<String>> {
        match self {
            OptionValue::List(items) => items.iter().map(|item| item.text(option)).collect(),
            other => Ok(vec![other.text(option)?]),
        }
    }

    pub(crate) fn count(&self, option: &str) -> Result<u64> {
        match self {
            OptionValue::Number(number) => number.parse().ok(),
            _ => None,
        }
        .ok_or_else(|| Error::type_mismatch(format!("{option} is a whole number from 0 on")))
    }

    /// One ASCII character; `None` for the empty text.
    pub(crate) fn byte(&self, option: &str) -> Result<Option<u8>> {
        let text = self.text(option)?;
        let text = match text.as_str() {
            "\\t" => "\t",
            other => other,
        };
        match text.as_bytes() {
            [] => Ok(None),
            [byte] if byte.is_ascii() && !matches!(byte, b'\n' | b'\r') => Ok(Some(*byte)),
            _ => Err(Error::unsupported(format!("{option} => '{text}' is not supported"))
                .with_hint("it is one ASCII character, or '\\t' for a tab")),
        }
    }

    /// What stands between fields.
    pub(crate) fn delimiter(&self, option: &str) -> Result<Delimiter> {
        let text = self.text(option)?.replace("\\t", "\t");
        Delimiter::new(&text).ok_or_else(|| {
            Error::unsupported(format!("{option} => '{text}' is not supported"))
                .with_hint("it has one to four bytes in one line: ';', '||', or '\\t' for a tab")
        })
    }

    /// One of several words.
    pub(crate) fn choice<T: Copy>(&self, option: &str, choices: &[(&str, T)]) -> Result<T> {
        let word = self.text(option)?;
        let found = choices.iter().find(|(name, _)| name.eq_ignore_ascii_case(&word));
        found.map(|(_, choice)| *choice).ok_or_else(|| {
            let names: Vec<&str> = choices.iter().map(|(name, _)| *name).collect();
            Error::unsupported(format!("{option} => '{word}' is not supported"))
                .with_suggestions(suggest::nearest(&word, names.iter().copied()))
                .with_hint(format!("it is one of {}", names.join(", ")))
        })
    }

    /// A list of types.
    pub(crate) fn types(&self, option: &str) -> Result<Vec<DataType>> {
        self.texts(option)?.iter().map(|name| type_named(name)).collect()
    }

    /// Types by the names of columns.
    pub(crate) fn types_by_name(&self, option: &str) -> Result<Vec<(String, DataType)>> {
        let OptionValue::Fields(fields) = self else {
            return Err(Error::type_mismatch(format!(
                "{option} is a structure of names and types"
            ))
            .with_hint(format!("write {option} => {{'id': 'bigint', 'day': 'date'}}")));
        };
        let field = |(name, value): &(String, OptionValue)| {
            Ok((name.clone(), type_named(&value.text(option)?)?))
        };
        fields.iter().map(field).collect()
    }
}
