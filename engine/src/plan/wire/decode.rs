//! Reading a scan. No byte is trusted: every length is checked against what is left, every column
//! index against the columns.

use super::codes::{self, kind};
use super::{DEPTH_MAX, ScanRequest};
use crate::catalog::{FieldId, TableId};
use crate::plan::{Expr, Function, LikePattern, Scan, ScanColumn, Source};
use crate::types::{DataType, Error, Interval, Result, Value};

/// Reads from the front of a slice.
#[derive(Debug)]
pub(super) struct Reader<'a> {
    rest: &'a [u8],
    columns: Vec<DataType>,
    depth: usize,
}

fn corrupt(what: &str) -> Error {
    Error::corrupt(format!("the scan's bytes hold {what}"))
}

impl<'a> Reader<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Reader<'a> {
        Reader { rest: bytes, columns: Vec::new(), depth: 0 }
    }

    /// Nothing may be left.
    pub(super) fn end(&self) -> Result<()> {
        if self.rest.is_empty() { Ok(()) } else { Err(corrupt("more than a scan")) }
    }

    pub(super) fn request(&mut self) -> Result<ScanRequest> {
        let database = self.text()?;
        let mut identity = [0; 16];
        for byte in &mut identity {
            *byte = self.byte()?;
        }
        let snapshot = self.number()?;
        let row_groups = match self.byte()? {
            0 => None,
            1 => Some(self.list(Reader::number)?),
            _ => return Err(corrupt("no list of row groups")),
        };
        Ok(ScanRequest { database, identity, snapshot, row_groups, scan: self.scan()? })
    }

    fn scan(&mut self) -> Result<Scan> {
        let source = match self.byte()? {
            0 => Source::Table { id: TableId(self.number()?), name: self.text()? },
            kind @ (1 | 2) => {
                Source::Parquet { paths: self.list(Reader::text)?, binary_as_string: kind == 2 }
            }
            _ => return Err(corrupt("an unknown source")),
        };
        let columns = self.list(|reader| {
            let field = FieldId(reader.number()?);
            Ok(ScanColumn { field, name: reader.text()?, data_type: reader.data_type()? })
        })?;
        self.columns = columns.iter().map(|column| column.data_type).collect();
        let output_count: usize = self.number()?;
        if output_count > columns.len() {
            return Err(corrupt("more output columns than columns"));
        }
        let filter = self.exprs()?;
        if filter.iter().any(|conjunct| conjunct.data_type() != DataType::Bool) {
            return Err(corrupt("a filter that is not boolean"));
        }
        Ok(Scan { source, columns, filter, output_count })
    }

    fn take(&mut self, len: usize) -> Result<&'a [u8]> {
        let (taken, rest) = self.rest.split_at_checked(len).ok_or_else(|| corrupt("too little"))?;
        self.rest = rest;
        Ok(taken)
    }

    fn byte(&mut self) -> Result<u8> {
        Ok(self.take(1)?[0])
    }

    fn array<const LEN: usize>(&mut self) -> Result<[u8; LEN]> {
        Ok(self.take(LEN)?.try_into().expect("take gives as many bytes as it was asked for"))
    }

    fn unsigned(&mut self) -> Result<u128> {
        let mut value = 0_u128;
        for shift in (0..128).step_by(7) {
            let byte = self.byte()?;
            let low = u128::from(byte & 0x7f);
            let placed = low << shift;
            if placed >> shift != low {
                return Err(corrupt("a number that is too large"));
            }
            value |= placed;
            if byte < 0x80 {
                return Ok(value);
            }
        }
        Err(corrupt("a number that is too long"))
    }

    fn number<T: TryFrom<u128>>(&mut self) -> Result<T> {
        T::try_from(self.unsigned()?).map_err(|_| corrupt("a number that is too large"))
    }

    fn signed(&mut self) -> Result<i128> {
        let value = self.unsigned()?;
        Ok((value >> 1).cast_signed() ^ -(value & 1).cast_signed())
    }

    fn small<T: TryFrom<i128>>(&mut self) -> Result<T> {
        T::try_from(self.signed()?).map_err(|_| corrupt("a number that is too large"))
    }

    /// A count and as many items; each takes a byte at least, so that memory stays in proportion.
    fn list<T>(&mut self, mut item: impl FnMut(&mut Self) -> Result<T>) -> Result<Vec<T>> {
        let count: usize = self.number()?;
        if count > self.rest.len() {
            return Err(corrupt("a list that is longer than they are"));
        }
        (0..count).map(|_| item(self)).collect()
    }

    fn text(&mut self) -> Result<String> {
        let len = self.number()?;
        let bytes = self.take(len)?.to_vec();
        String::from_utf8(bytes).map_err(|_| corrupt("a text that is not UTF-8"))
    }

    fn flag(&mut self) -> Result<bool> {
        match self.byte()? {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(corrupt("a flag that is neither 0 nor 1")),
        }
    }

    fn data_type(&mut self) -> Result<DataType> {
        let code = self.byte()?;
        let plain = codes::PLAIN_TYPES.iter().find(|(other, _)| *other == code);
        if let Some((_, data_type)) = plain {
            return Ok(*data_type);
        }
        if code == kind::TYPE_DECIMAL {
            let [precision, scale] = self.array()?;
            if !(1..=38).contains(&precision) || scale > precision {
                return Err(corrupt("a decimal type out of bounds"));
            }
            return Ok(DataType::Decimal { precision, scale });
        }
        let unit = codes::unit(self.byte()?).ok_or_else(|| corrupt("an unknown time unit"))?;
        match code {
            kind::TYPE_TIME => Ok(DataType::Time(unit)),
            kind::TYPE_TIMESTAMP => Ok(DataType::Timestamp { unit, zoned: false }),
            kind::TYPE_TIMESTAMP_ZONED => Ok(DataType::Timestamp { unit, zoned: true }),
            _ => Err(corrupt("an unknown type")),
        }
    }

    fn value(&mut self) -> Result<Value> {
        Ok(match self.byte()? {
            kind::VALUE_NULL => Value::Null,
            kind::VALUE_FALSE => Value::Bool(false),
            kind::VALUE_TRUE => Value::Bool(true),
            kind::VALUE_INT => Value::Int(self.signed()?),
            kind::VALUE_FLOAT => Value::Float(f64::from_bits(u64::from_le_bytes(self.array()?))),
            kind::VALUE_TEXT => Value::Text(self.text()?),
            kind::VALUE_BYTES => {
                let len = self.number()?;
                Value::Bytes(self.take(len)?.to_vec())
            }
            kind::VALUE_UUID => Value::Uuid(self.array()?),
            kind::VALUE_INTERVAL => Value::Interval(Interval {
                months: self.small()?,
                days: self.small()?,
                nanoseconds: self.small()?,
            }),
            _ => return Err(corrupt("an unknown kind of value")),
        })
    }

    /// A value that is of `data_type`: its array can be made.
    fn value_of(&mut self, data_type: DataType) -> Result<Value> {
        let value = self.value()?;
        value
            .to_array(data_type, 1)
            .map_err(|_| corrupt("a value of another type than it says"))?;
        Ok(value)
    }

    fn exprs(&mut self) -> Result<Vec<Expr>> {
        self.list(Reader::expr)
    }

    fn boxed(&mut self) -> Result<Box<Expr>> {
        self.expr().map(Box::new)
    }

    fn expr(&mut self) -> Result<Expr> {
        if self.depth >= DEPTH_MAX {
            return Err(corrupt("an expression that is too deep"));
        }
        self.depth += 1;
        let read = self.node();
        self.depth -= 1;
        read
    }

    fn node(&mut self) -> Result<Expr> {
        Ok(match self.byte()? {
            kind::EXPR_COLUMN => {
                let index: usize = self.number()?;
                let data_type = self.data_type()?;
                if self.columns.get(index) != Some(&data_type) {
                    return Err(corrupt("a column that the scan does not have"));
                }
                Expr::Column { index, data_type }
            }
            kind::EXPR_LITERAL => {
                let data_type = self.data_type()?;
                Expr::Literal { value: self.value_of(data_type)?, data_type }
            }
            code @ (kind::EXPR_CAST | kind::EXPR_TRY_CAST) => {
                let data_type = self.data_type()?;
                let or_null = code == kind::EXPR_TRY_CAST;
                Expr::Cast { input: self.boxed()?, data_type, or_null }
            }
            kind::EXPR_COMPARE => {
                let op = codes::comparison(self.byte()?)
                    .ok_or_else(|| corrupt("an unknown comparison"))?;
                let (left, right) = (self.boxed()?, self.boxed()?);
                if left.data_type() != right.data_type() {
                    return Err(corrupt("a comparison of two types"));
                }
                Expr::Compare { op, left, right }
            }
            kind::EXPR_AND => Expr::And(self.predicates()?),
            kind::EXPR_OR => Expr::Or(self.predicates()?),
            kind::EXPR_NOT => Expr::Not(Box::new(self.predicate()?)),
            kind::EXPR_IS_NULL => Expr::IsNull(self.boxed()?),
            kind::EXPR_IN_LIST => {
                let input = self.boxed()?;
                let data_type = input.data_type();
                Expr::InList { input, list: self.list(|reader| reader.value_of(data_type))? }
            }
            kind::EXPR_LIKE => self.like()?,
            kind::EXPR_CASE => self.case()?,
            kind::EXPR_CALL => {
                let function = self.function()?;
                let data_type = self.data_type()?;
                Expr::Call { function, arguments: self.exprs()?, data_type }
            }
            _ => return Err(corrupt("an unknown kind of expression")),
        })
    }

    fn predicate(&mut self) -> Result<Expr> {
        let expr = self.expr()?;
        if expr.data_type() == DataType::Bool { Ok(expr) } else { Err(corrupt("no predicate")) }
    }

    fn predicates(&mut self) -> Result<Vec<Expr>> {
        self.list(Reader::predicate)
    }

    fn like(&mut self) -> Result<Expr> {
        let case_insensitive = self.flag()?;
        let pattern = self.text()?;
        let escape = self.text()?;
        let mut escapes = escape.chars();
        let escape = escapes.next();
        if escapes.next().is_some() {
            return Err(corrupt("an escape of several characters"));
        }
        let input = self.boxed()?;
        if input.data_type() != DataType::Utf8 {
            return Err(corrupt("a LIKE over something that is no text"));
        }
        Ok(Expr::Like { input, pattern: LikePattern { pattern, escape, case_insensitive } })
    }

    fn case(&mut self) -> Result<Expr> {
        let has_otherwise = self.flag()?;
        let data_type = self.data_type()?;
        let result = |reader: &mut Self| {
            let result = reader.expr()?;
            if result.data_type() == data_type {
                Ok(result)
            } else {
                Err(corrupt("a CASE of two types"))
            }
        };
        let branches = self.list(|reader| Ok((reader.predicate()?, result(reader)?)))?;
        let otherwise = if has_otherwise { Some(Box::new(result(self)?)) } else { None };
        Ok(Expr::Case { branches, otherwise, data_type })
    }

    /// A function; that its arguments fit it is for [`resolve`](crate::plan::resolve) to say, which
    /// the caller's expression was built with. What evaluates it checks again.
    fn function(&mut self) -> Result<Function> {
        let code = self.byte()?;
        if let Some(function) = codes::function(code) {
            return Ok(function);
        }
        let part = codes::part(self.byte()?).ok_or_else(|| corrupt("an unknown date part"))?;
        match code {
            codes::EXTRACT => Ok(Function::Extract(part)),
            codes::DATE_TRUNC => Ok(Function::DateTrunc(part)),
            codes::DATE_DIFF => Ok(Function::DateDiff(part)),
            _ => Err(corrupt("an unknown function")),
        }
    }
}
