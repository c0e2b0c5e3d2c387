//! `read_parquet('file', binary_as_string => true)`, as `DuckDB` writes it.

use martlet_engine::types::{Error, Result};
use sqlparser::ast::{
    Array, BinaryOperator, Expr, FunctionArg, FunctionArgExpr, Ident, ObjectName,
    TableFunctionArgs, Value,
};

use super::refuse::{name_position, position_of, unsupported};
use super::scope::Scope;
use super::{Binder, FileNames, place};
use crate::parse::position::start_of;

impl FileNames {
    /// One path or pattern, with nothing said about it.
    pub(super) fn of(pattern: &str) -> FileNames {
        FileNames { patterns: vec![pattern.to_owned()], binary_as_string: false }
    }
}

impl<'a> Binder<'a> {
    /// Binds a function in FROM.
    pub(super) fn bind_table_function(
        &mut self,
        name: &'a ObjectName,
        args: &'a TableFunctionArgs,
    ) -> Result<Scope> {
        let position = name_position(name);
        let TableFunctionArgs { args, settings } = args;
        let is_parquet = ["read_parquet", "parquet_scan"]
            .iter()
            .any(|known| name.to_string().eq_ignore_ascii_case(known));
        if !is_parquet || settings.is_some() {
            return Err(unsupported(&format!("the table function {name}"), position)
                .with_hint("a Parquet file is read with FROM 'file.parquet'"));
        }
        let mut names = FileNames { patterns: Vec::new(), binary_as_string: false };
        let mut patterns_at = position;
        for (place_in_list, arg) in args.iter().enumerate() {
            match arg {
                FunctionArg::Unnamed(FunctionArgExpr::Expr(expr)) if place_in_list == 0 => {
                    patterns_at = position_of(expr).or(position);
                    names.patterns = patterns(expr).ok_or_else(|| misused(patterns_at))?;
                }
                FunctionArg::Named { name, arg: FunctionArgExpr::Expr(value), operator: _ }
                | FunctionArg::ExprNamed {
                    name: Expr::Identifier(name),
                    arg: FunctionArgExpr::Expr(value),
                    operator: _,
                } => set(&mut names, name, value)?,
                // `name = value` is parsed as a comparison.
                FunctionArg::Unnamed(FunctionArgExpr::Expr(Expr::BinaryOp {
                    left,
                    op: BinaryOperator::Eq,
                    right,
                })) => match &**left {
                    Expr::Identifier(name) => set(&mut names, name, right)?,
                    _ => return Err(misused(position)),
                },
                _ => return Err(misused(position)),
            }
        }
        if names.patterns.is_empty() {
            return Err(misused(patterns_at));
        }
        self.bind_files(&names, patterns_at)
    }
}

/// The texts of `'file'` and `['file', 'file']`.
fn patterns(expr: &Expr) -> Option<Vec<String>> {
    let text = |expr: &Expr| match expr {
        Expr::Value(value) => match &value.value {
            Value::SingleQuotedString(text) => Some(text.clone()),
            _ => None,
        },
        _ => None,
    };
    match expr {
        Expr::Array(Array { elem, named: _ }) => elem.iter().map(text).collect(),
        other => Some(vec![text(other)?]),
    }
}

fn set(names: &mut FileNames, name: &Ident, value: &Expr) -> Result<()> {
    let position = start_of(name.span);
    if !name.value.eq_ignore_ascii_case("binary_as_string") {
        return Err(unsupported(&format!("the option {} of read_parquet", name.value), position)
            .with_hint("there is binary_as_string => true"));
    }
    let literal = match value {
        Expr::Value(value) => &value.value,
        _ => &Value::Null,
    };
    let Value::Boolean(flag) = literal else {
        let error = Error::type_mismatch("binary_as_string is true or false");
        return Err(place(error, position_of(value).or(position)));
    };
    names.binary_as_string = *flag;
    Ok(())
}

fn misused(position: Option<usize>) -> Error {
    unsupported("what read_parquet is given here", position).with_hint(
        "write read_parquet('data/*.parquet') or read_parquet(['a.parquet', 'b.parquet'])",
    )
}
