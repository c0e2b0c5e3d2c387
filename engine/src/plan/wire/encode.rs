//! Writing a scan.

use super::codes::{self, kind};
use super::{DEPTH_MAX, ScanRequest};
use crate::plan::{Expr, Function, Scan, Source};
use crate::types::{DataType, Error, Result, Value};

/// Collects the bytes.
#[derive(Debug, Default)]
pub(super) struct Writer {
    bytes: Vec<u8>,
    depth: usize,
}

impl Writer {
    pub(super) fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }

    pub(super) fn raw(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    pub(super) fn request(&mut self, request: &ScanRequest) -> Result<()> {
        let ScanRequest { database, identity, snapshot, row_groups, scan } = request;
        self.text(database);
        self.raw(identity);
        self.unsigned(u128::from(*snapshot));
        match row_groups {
            None => self.raw(&[0]),
            Some(row_groups) => {
                self.raw(&[1]);
                self.count(row_groups.len());
                for index in row_groups {
                    self.unsigned(u128::from(*index));
                }
            }
        }
        self.scan(scan)
    }

    fn scan(&mut self, scan: &Scan) -> Result<()> {
        let Scan { source, columns, filter, output_count } = scan;
        match source {
            Source::Table { id, name } => {
                self.raw(&[0]);
                self.unsigned(u128::from(id.0));
                self.text(name);
            }
            Source::Parquet { paths, binary_as_string } => {
                self.raw(&[if *binary_as_string { 2 } else { 1 }]);
                self.count(paths.len());
                for path in paths {
                    self.text(path);
                }
            }
            Source::Files(set) => {
                let path = set.files.first().map_or("a file", |file| &file.path);
                return Err(Error::unsupported(format!(
                    "a scan of {path} cannot be sent elsewhere"
                ))
                .with_hint("load the file into a table, or write it as Parquet"));
            }
        }
        self.count(columns.len());
        for column in columns {
            self.unsigned(u128::from(column.field.0));
            self.text(&column.name);
            self.data_type(column.data_type)?;
        }
        self.count(*output_count);
        self.exprs(filter)
    }

    fn unsigned(&mut self, mut value: u128) {
        while value >= 0x80 {
            let low = u8::try_from(value & 0x7f).expect("seven bits fit a byte");
            self.bytes.push(low | 0x80);
            value >>= 7;
        }
        self.bytes.push(u8::try_from(value).expect("the rest is below 0x80"));
    }

    fn signed(&mut self, value: i128) {
        self.unsigned(((value << 1) ^ (value >> 127)).cast_unsigned());
    }

    fn count(&mut self, count: usize) {
        self.unsigned(u128::try_from(count).expect("usize is at most 64 bits"));
    }

    fn text(&mut self, text: &str) {
        self.count(text.len());
        self.raw(text.as_bytes());
    }

    fn data_type(&mut self, data_type: DataType) -> Result<()> {
        let plain = codes::PLAIN_TYPES.iter().find(|(_, other)| *other == data_type);
        if let Some((code, _)) = plain {
            self.raw(&[*code]);
            return Ok(());
        }
        let unit = |unit| codes::unit_code(unit).ok_or_else(|| unknown(&data_type));
        match data_type {
            DataType::Decimal { precision, scale } => {
                self.raw(&[kind::TYPE_DECIMAL, precision, scale]);
            }
            DataType::Time(of) => self.raw(&[kind::TYPE_TIME, unit(of)?]),
            DataType::Timestamp { unit: of, zoned: false } => {
                self.raw(&[kind::TYPE_TIMESTAMP, unit(of)?]);
            }
            DataType::Timestamp { unit: of, zoned: true } => {
                self.raw(&[kind::TYPE_TIMESTAMP_ZONED, unit(of)?]);
            }
            other => return Err(unknown(&other)),
        }
        Ok(())
    }

    fn value(&mut self, value: &Value) {
        match value {
            Value::Null => self.raw(&[kind::VALUE_NULL]),
            Value::Bool(false) => self.raw(&[kind::VALUE_FALSE]),
            Value::Bool(true) => self.raw(&[kind::VALUE_TRUE]),
            Value::Int(value) => {
                self.raw(&[kind::VALUE_INT]);
                self.signed(*value);
            }
            Value::Float(value) => {
                self.raw(&[kind::VALUE_FLOAT]);
                self.raw(&value.to_bits().to_le_bytes());
            }
            Value::Text(text) => {
                self.raw(&[kind::VALUE_TEXT]);
                self.text(text);
            }
            Value::Bytes(bytes) => {
                self.raw(&[kind::VALUE_BYTES]);
                self.count(bytes.len());
                self.raw(bytes);
            }
            Value::Uuid(bytes) => {
                self.raw(&[kind::VALUE_UUID]);
                self.raw(bytes);
            }
            Value::Interval(interval) => {
                self.raw(&[kind::VALUE_INTERVAL]);
                self.signed(i128::from(interval.months));
                self.signed(i128::from(interval.days));
                self.signed(i128::from(interval.nanoseconds));
            }
        }
    }

    fn exprs(&mut self, exprs: &[Expr]) -> Result<()> {
        self.count(exprs.len());
        exprs.iter().try_for_each(|expr| self.expr(expr))
    }

    fn expr(&mut self, expr: &Expr) -> Result<()> {
        if self.depth >= DEPTH_MAX {
            return Err(Error::unsupported("a filter this deep cannot be sent elsewhere"));
        }
        self.depth += 1;
        let written = self.node(expr);
        self.depth -= 1;
        written
    }

    #[expect(clippy::too_many_lines, reason = "one arm per kind of expression")]
    fn node(&mut self, expr: &Expr) -> Result<()> {
        match expr {
            Expr::Column { index, data_type } => {
                self.raw(&[kind::EXPR_COLUMN]);
                self.count(*index);
                self.data_type(*data_type)
            }
            Expr::Literal { value, data_type } => {
                self.raw(&[kind::EXPR_LITERAL]);
                self.data_type(*data_type)?;
                self.value(value);
                Ok(())
            }
            Expr::Parameter { index, .. } => {
                Err(Error::invalid(format!("parameter {} has no value", index + 1)))
            }
            Expr::Cast { input, data_type, or_null } => {
                self.raw(&[if *or_null { kind::EXPR_TRY_CAST } else { kind::EXPR_CAST }]);
                self.data_type(*data_type)?;
                self.expr(input)
            }
            Expr::Compare { op, left, right } => {
                let code = codes::comparison_code(*op).ok_or_else(|| unknown(op))?;
                self.raw(&[kind::EXPR_COMPARE, code]);
                self.expr(left)?;
                self.expr(right)
            }
            Expr::And(terms) => {
                self.raw(&[kind::EXPR_AND]);
                self.exprs(terms)
            }
            Expr::Or(terms) => {
                self.raw(&[kind::EXPR_OR]);
                self.exprs(terms)
            }
            Expr::Not(input) => {
                self.raw(&[kind::EXPR_NOT]);
                self.expr(input)
            }
            Expr::IsNull(input) => {
                self.raw(&[kind::EXPR_IS_NULL]);
                self.expr(input)
            }
            Expr::InList { input, list } => {
                self.raw(&[kind::EXPR_IN_LIST]);
                self.expr(input)?;
                self.count(list.len());
                for value in list {
                    self.value(value);
                }
                Ok(())
            }
            Expr::Like { input, pattern } => {
                self.raw(&[kind::EXPR_LIKE, u8::from(pattern.case_insensitive)]);
                self.text(&pattern.pattern);
                self.text(&pattern.escape.map(String::from).unwrap_or_default());
                self.expr(input)
            }
            Expr::Case { branches, otherwise, data_type } => {
                self.raw(&[kind::EXPR_CASE, u8::from(otherwise.is_some())]);
                self.data_type(*data_type)?;
                self.count(branches.len());
                for (predicate, result) in branches {
                    self.expr(predicate)?;
                    self.expr(result)?;
                }
                otherwise.as_deref().map_or(Ok(()), |otherwise| self.expr(otherwise))
            }
            Expr::Call { function, arguments, data_type } => {
                self.raw(&[kind::EXPR_CALL]);
                self.function(*function)?;
                self.data_type(*data_type)?;
                self.exprs(arguments)
            }
        }
    }

    fn function(&mut self, function: Function) -> Result<()> {
        let with_part = match function {
            Function::Extract(part) => Some((codes::EXTRACT, part)),
            Function::DateTrunc(part) => Some((codes::DATE_TRUNC, part)),
            Function::DateDiff(part) => Some((codes::DATE_DIFF, part)),
            _ => None,
        };
        let bytes = match with_part {
            Some((code, part)) => vec![code, codes::part_code(part).ok_or_else(|| unknown(&part))?],
            None => vec![codes::function_code(function).ok_or_else(|| unknown(&function))?],
        };
        self.raw(&bytes);
        Ok(())
    }
}

fn unknown(what: &impl std::fmt::Debug) -> Error {
    Error::unsupported(format!("{what:?} cannot be sent elsewhere yet"))
}
