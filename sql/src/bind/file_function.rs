//! `read_csv('file', delim => ';')` and its kin, as `DuckDB` writes them.

use martlet_engine::types::{Error, Result};
use sqlparser::ast::{
    Array, BinaryOperator, Expr, FunctionArg, FunctionArgExpr, Ident, ObjectName,
    TableFunctionArgs, Value,
};

use super::file_format::FileFormat;
use super::refuse::{name_position, position_of, unsupported};
use super::scope::Scope;
use super::{Binder, FileNames};
use crate::suggest;

/// The functions, and what each reads.
const FUNCTIONS: [(&str, &str); 11] = [
    ("read_arrow", "arrow"),
    ("read_excel", "excel"),
    ("read_xlsx", "excel"),
    ("read_parquet", "parquet"),
    ("parquet_scan", "parquet"),
    ("read_csv", "csv"),
    ("read_csv_auto", "csv"),
    ("read_json", "json"),
    ("read_json_auto", "json"),
    ("read_ndjson", "jsonl"),
    ("read_ndjson_auto", "jsonl"),
];

impl FileNames {
    /// One path or pattern, with nothing said about it.
    pub(crate) fn of(pattern: &str) -> FileNames {
        FileNames { patterns: vec![pattern.to_owned()], format: FileFormat::Detect }
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
        let called = name.to_string();
        let known = FUNCTIONS.iter().find(|(known, _)| called.eq_ignore_ascii_case(known));
        let format = known.and_then(|(_, format)| FileFormat::named(format));
        let Some(mut format) = format.filter(|_| settings.is_none()) else {
            let functions = FUNCTIONS.iter().map(|(name, _)| *name);
            let is_series = ["range", "generate_series", "unnest"]
                .iter()
                .any(|series| called.eq_ignore_ascii_case(series));
            let hint = if is_series {
                "rows are written out with FROM (VALUES (1), (2), (3)) t(n)"
            } else {
                "a file is read with FROM 'file.csv', or with read_csv, read_parquet, …"
            };
            return Err(unsupported(&format!("the table function {name}"), position)
                .with_suggestions(suggest::nearest(&called, functions))
                .with_hint(hint));
        };
        let misused = |position| misused(&called, position);
        let mut paths = Vec::new();
        let mut paths_at = position;
        for (place_in_list, arg) in args.iter().enumerate() {
            match arg {
                FunctionArg::Unnamed(FunctionArgExpr::Expr(expr)) if place_in_list == 0 => {
                    paths_at = position_of(expr).or(position);
                    paths = patterns(expr).ok_or_else(|| misused(paths_at))?;
                }
                FunctionArg::Named { name, arg: FunctionArgExpr::Expr(value), operator: _ }
                | FunctionArg::ExprNamed {
                    name: Expr::Identifier(name),
                    arg: FunctionArgExpr::Expr(value),
                    operator: _,
                } => set(&mut format, name, value, &called)?,
                // `name = value` is parsed as a comparison.
                FunctionArg::Unnamed(FunctionArgExpr::Expr(Expr::BinaryOp {
                    left,
                    op: BinaryOperator::Eq,
                    right,
                })) => match &**left {
                    Expr::Identifier(name) => set(&mut format, name, right, &called)?,
                    _ => return Err(misused(position)),
                },
                _ => return Err(misused(position)),
            }
        }
        if paths.is_empty() {
            return Err(misused(paths_at));
        }
        self.bind_files(&FileNames { patterns: paths, format }, paths_at)
    }
}

fn set(format: &mut FileFormat, name: &Ident, value: &Expr, function: &str) -> Result<()> {
    format.set(name, Some(value), &format!("of {function}"))
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

fn misused(function: &str, position: Option<usize>) -> Error {
    unsupported(&format!("what {function} is given here"), position).with_hint(format!(
        "write {function}('data/*') or {function}(['a', 'b']), options behind: name => value"
    ))
}
