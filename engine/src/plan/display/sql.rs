//! Expressions as SQL, with no more parentheses than it takes.

use std::fmt::{self, Display, Formatter};

use crate::plan::aggregate::{Aggregate, AggregateFunction};
use crate::plan::expression::{Comparison, Expr, LikePattern};
use crate::plan::function::{DatePart, Function};
use crate::types::{DataType, Value};

/// List items printed before the rest is counted.
const ITEMS_MAX: usize = 20;
/// Characters of a text literal printed before it is cut.
const TEXT_LEN_MAX: usize = 60;

/// An expression with the names of its input's columns; see [`Expr::display`].
pub struct DisplayExpr<'a> {
    pub(super) expr: &'a Expr,
    pub(super) names: &'a [String],
}

/// An aggregate with the names of its input's columns; see [`Aggregate::display`].
pub struct DisplayAggregate<'a> {
    pub(super) aggregate: &'a Aggregate,
    pub(super) names: &'a [String],
}

/// How strongly an operator binds; what binds less is put in parentheses.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Binding {
    Or,
    And,
    Not,
    Comparison,
    Other,
    Sum,
    Product,
    Power,
    Sign,
    Operand,
}

impl Display for DisplayExpr<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let printer = Printer { names: self.names };
        printer.expr(f, self.expr, Binding::Or)
    }
}

impl Display for DisplayAggregate<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Aggregate { function, argument, second, distinct, filter } = self.aggregate;
        if let AggregateFunction::OfPairs(function) = function {
            f.write_str(function.name())?;
        }
        f.write_str(match function {
            AggregateFunction::CountRows | AggregateFunction::Count => "count(",
            AggregateFunction::Sum => "sum(",
            AggregateFunction::Avg => "avg(",
            AggregateFunction::Min => "min(",
            AggregateFunction::Max => "max(",
            AggregateFunction::VarianceSample => "var_samp(",
            AggregateFunction::VariancePopulation => "var_pop(",
            AggregateFunction::DeviationSample => "stddev_samp(",
            AggregateFunction::DeviationPopulation => "stddev_pop(",
            AggregateFunction::Quantile(quantile) if quantile.is_continuous() => "quantile_cont(",
            AggregateFunction::Quantile(_) => "quantile_disc(",
            AggregateFunction::OfPairs(_) => "(",
        })?;
        if *distinct {
            f.write_str("DISTINCT ")?;
        }
        match argument {
            Some(argument) => write!(f, "{}", argument.display(self.names))?,
            None => f.write_str("*")?,
        }
        if let Some(second) = second {
            write!(f, ", {}", second.display(self.names))?;
        }
        if let AggregateFunction::Quantile(quantile) = function {
            let direction = if quantile.is_descending() { " DESC" } else { "" };
            write!(f, "{direction}, {}", quantile.fraction())?;
        }
        f.write_str(")")?;
        match filter {
            Some(filter) => write!(f, " FILTER (WHERE {})", filter.display(self.names)),
            None => Ok(()),
        }
    }
}

/// Whether SQL reads the name without quotes.
pub(super) fn is_plain_word(name: &str) -> bool {
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    name.chars().all(is_word) && !name.starts_with(|c: char| c.is_numeric()) && !name.is_empty()
}

struct Printer<'a> {
    names: &'a [String],
}

impl Printer<'_> {
    /// Prints the expression where something of `outer` binding stands around it.
    fn expr(&self, f: &mut Formatter<'_>, expr: &Expr, outer: Binding) -> fmt::Result {
        if binding(expr) >= outer {
            return self.bare(f, expr);
        }
        f.write_str("(")?;
        self.bare(f, expr)?;
        f.write_str(")")
    }

    fn bare(&self, f: &mut Formatter<'_>, expr: &Expr) -> fmt::Result {
        match expr {
            // Output columns are named after what they compute: printed as they are, so that a
            // line above an aggregate reads `count(*) > 10`.
            Expr::Column { index, .. } => match self.names.get(*index) {
                Some(name) => f.write_str(name),
                None => write!(f, "#{index}"),
            },
            Expr::Literal { value, data_type } => literal(f, value, *data_type),
            Expr::Parameter { index, .. } => write!(f, "${}", index + 1),
            Expr::Cast { input, data_type, or_null } => {
                f.write_str(if *or_null { "TRY_CAST(" } else { "CAST(" })?;
                self.expr(f, input, Binding::Or)?;
                write!(f, " AS {data_type})")
            }
            Expr::Compare { op, left, right } => {
                self.infix(f, (left, right), comparison(*op), Binding::Other)
            }
            Expr::And(terms) if terms.is_empty() => f.write_str("true"),
            Expr::Or(terms) if terms.is_empty() => f.write_str("false"),
            Expr::And(terms) => self.list(f, terms, " AND ", Binding::Not),
            Expr::Or(terms) => self.list(f, terms, " OR ", Binding::And),
            Expr::Not(input) => self.negation(f, input),
            Expr::IsNull(input) => self.postfix(f, input, " IS NULL"),
            Expr::InList { input, list } => self.in_list(f, input, list, " IN ("),
            Expr::Like { input, pattern } => self.like(f, input, pattern, ""),
            Expr::Case { branches, otherwise, .. } => {
                f.write_str("CASE")?;
                for (predicate, result) in branches {
                    f.write_str(" WHEN ")?;
                    self.expr(f, predicate, Binding::Or)?;
                    f.write_str(" THEN ")?;
                    self.expr(f, result, Binding::Or)?;
                }
                if let Some(otherwise) = otherwise {
                    f.write_str(" ELSE ")?;
                    self.expr(f, otherwise, Binding::Or)?;
                }
                f.write_str(" END")
            }
            Expr::Call { function, arguments, .. } => self.call(f, *function, arguments),
        }
    }

    /// The negations that SQL has words for.
    fn negation(&self, f: &mut Formatter<'_>, input: &Expr) -> fmt::Result {
        match input {
            Expr::IsNull(input) => self.postfix(f, input, " IS NOT NULL"),
            Expr::InList { input, list } => self.in_list(f, input, list, " NOT IN ("),
            Expr::Like { input, pattern } => self.like(f, input, pattern, "NOT "),
            other => {
                f.write_str("NOT ")?;
                self.expr(f, other, Binding::Comparison)
            }
        }
    }

    fn postfix(&self, f: &mut Formatter<'_>, input: &Expr, operator: &str) -> fmt::Result {
        self.expr(f, input, Binding::Other)?;
        f.write_str(operator)
    }

    fn in_list(
        &self,
        f: &mut Formatter<'_>,
        input: &Expr,
        list: &[Value],
        operator: &str,
    ) -> fmt::Result {
        self.postfix(f, input, operator)?;
        for (index, value) in list.iter().take(ITEMS_MAX).enumerate() {
            if index > 0 {
                f.write_str(", ")?;
            }
            literal(f, value, input.data_type())?;
        }
        if list.len() > ITEMS_MAX {
            write!(f, ", … {} more", list.len() - ITEMS_MAX)?;
        }
        f.write_str(")")
    }

    fn like(
        &self,
        f: &mut Formatter<'_>,
        input: &Expr,
        pattern: &LikePattern,
        negation: &str,
    ) -> fmt::Result {
        self.expr(f, input, Binding::Other)?;
        let operator = if pattern.case_insensitive { "ILIKE" } else { "LIKE" };
        write!(f, " {negation}{operator} ")?;
        text_literal(f, &pattern.pattern)?;
        match pattern.escape {
            Some('\\') => Ok(()),
            Some(escape) => write!(f, " ESCAPE '{escape}'"),
            None => f.write_str(" ESCAPE ''"),
        }
    }

    fn call(&self, f: &mut Formatter<'_>, function: Function, arguments: &[Expr]) -> fmt::Result {
        if let (Some((operator, binding)), [left, right]) = (infix(function), arguments) {
            return self.infix(f, (left, right), operator, binding);
        }
        match (function, arguments) {
            (Function::Negate, [input]) => {
                f.write_str("-")?;
                self.expr(f, input, Binding::Sign)
            }
            (Function::Extract(part), [input]) => {
                write!(f, "extract({} FROM ", part_name(part))?;
                self.expr(f, input, Binding::Or)?;
                f.write_str(")")
            }
            (Function::DateTrunc(part) | Function::DateDiff(part), _) => {
                let name = if arguments.len() == 1 { "date_trunc" } else { "date_diff" };
                write!(f, "{name}('{}', ", part_name(part))?;
                self.list(f, arguments, ", ", Binding::Or)?;
                f.write_str(")")
            }
            _ => {
                write!(f, "{}(", name(function))?;
                self.list(f, arguments, ", ", Binding::Or)?;
                f.write_str(")")
            }
        }
    }

    /// The right side binds one step more: `a - (b - c)`.
    fn infix(
        &self,
        f: &mut Formatter<'_>,
        (left, right): (&Expr, &Expr),
        operator: &str,
        own: Binding,
    ) -> fmt::Result {
        self.expr(f, left, own)?;
        write!(f, " {operator} ")?;
        self.expr(f, right, stronger(own))
    }

    fn list(
        &self,
        f: &mut Formatter<'_>,
        exprs: &[Expr],
        separator: &str,
        outer: Binding,
    ) -> fmt::Result {
        for (index, expr) in exprs.iter().enumerate() {
            if index > 0 {
                f.write_str(separator)?;
            }
            self.expr(f, expr, outer)?;
        }
        Ok(())
    }
}

fn stronger(binding: Binding) -> Binding {
    match binding {
        Binding::Or => Binding::And,
        Binding::And => Binding::Not,
        Binding::Not | Binding::Comparison => Binding::Other,
        Binding::Other => Binding::Sum,
        Binding::Sum => Binding::Product,
        Binding::Product => Binding::Power,
        Binding::Power => Binding::Sign,
        Binding::Sign | Binding::Operand => Binding::Operand,
    }
}

fn binding(expr: &Expr) -> Binding {
    match expr {
        Expr::Or(terms) if terms.len() > 1 => Binding::Or,
        Expr::And(terms) if terms.len() > 1 => Binding::And,
        Expr::Not(input)
            if !matches!(**input, Expr::IsNull(_) | Expr::InList { .. } | Expr::Like { .. }) =>
        {
            Binding::Not
        }
        Expr::Not(_)
        | Expr::Compare { .. }
        | Expr::IsNull(_)
        | Expr::InList { .. }
        | Expr::Like { .. } => Binding::Comparison,
        Expr::Call { function: Function::Negate, .. } => Binding::Sign,
        Expr::Call { function, .. } => infix(*function).map_or(Binding::Operand, |(_, own)| own),
        Expr::Literal { value: Value::Int(value), .. } if *value < 0 => Binding::Sign,
        _ => Binding::Operand,
    }
}

fn infix(function: Function) -> Option<(&'static str, Binding)> {
    Some(match function {
        Function::Add | Function::AddInterval | Function::AddDays => ("+", Binding::Sum),
        Function::Subtract | Function::SubtractInterval | Function::DateDifference => {
            ("-", Binding::Sum)
        }
        Function::Multiply => ("*", Binding::Product),
        Function::Divide => ("/", Binding::Product),
        Function::Modulo => ("%", Binding::Product),
        Function::Power => ("^", Binding::Power),
        Function::Concat => ("||", Binding::Other),
        Function::BitAnd => ("&", Binding::Other),
        Function::BitOr => ("|", Binding::Other),
        Function::ShiftLeft => ("<<", Binding::Other),
        Function::ShiftRight => (">>", Binding::Other),
        _ => return None,
    })
}

fn comparison(op: Comparison) -> &'static str {
    match op {
        Comparison::Equal => "=",
        Comparison::NotEqual => "<>",
        Comparison::Less => "<",
        Comparison::LessOrEqual => "<=",
        Comparison::Greater => ">",
        Comparison::GreaterOrEqual => ">=",
        Comparison::Distinct => "IS DISTINCT FROM",
        Comparison::NotDistinct => "IS NOT DISTINCT FROM",
    }
}

/// The name that SQL calls the function by.
fn name(function: Function) -> String {
    match function {
        Function::BitXor => "xor".into(),
        Function::Truncate => "trunc".into(),
        Function::NullIf => "nullif".into(),
        Function::ConcatSkipNulls => "concat".into(),
        Function::ConcatWithSeparator => "concat_ws".into(),
        Function::ByteLength => "octet_length".into(),
        Function::TrimStart => "ltrim".into(),
        Function::TrimEnd => "rtrim".into(),
        Function::Position => "strpos".into(),
        Function::PadStart => "lpad".into(),
        Function::PadEnd => "rpad".into(),
        Function::FormatTime => "strftime".into(),
        Function::AtTimeZone => "timezone".into(),
        Function::FromEpochMs => "epoch_ms".into(),
        other => other.to_string(),
    }
}

fn part_name(part: DatePart) -> &'static str {
    match part {
        DatePart::Microsecond => "microsecond",
        DatePart::Millisecond => "millisecond",
        DatePart::Second => "second",
        DatePart::Minute => "minute",
        DatePart::Hour => "hour",
        DatePart::Day => "day",
        DatePart::Week => "week",
        DatePart::Month => "month",
        DatePart::Quarter => "quarter",
        DatePart::Year => "year",
        DatePart::Decade => "decade",
        DatePart::Century => "century",
        DatePart::Millennium => "millennium",
        DatePart::DayOfWeek => "dow",
        DatePart::IsoDayOfWeek => "isodow",
        DatePart::DayOfYear => "doy",
        DatePart::IsoYear => "isoyear",
        DatePart::Epoch => "epoch",
    }
}

fn literal(f: &mut Formatter<'_>, value: &Value, data_type: DataType) -> fmt::Result {
    let text = match value {
        Value::Text(text) => return text_literal(f, text),
        value => value.to_text(data_type),
    };
    match (value, data_type) {
        (Value::Null | Value::Bool(_), _) => f.write_str(&text),
        (Value::Int(_) | Value::Float(_), _) if data_type.is_numeric() => f.write_str(&text),
        _ => write!(f, "{} '{text}'", data_type.to_string().to_uppercase()),
    }
}

fn text_literal(f: &mut Formatter<'_>, text: &str) -> fmt::Result {
    let cut = text.char_indices().nth(TEXT_LEN_MAX).map(|(end, _)| end);
    let shown = text[..cut.unwrap_or(text.len())].replace('\'', "''");
    write!(f, "'{shown}{}'", if cut.is_some() { "…" } else { "" })
}
