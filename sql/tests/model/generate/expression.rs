//! Random expressions as SQL, by the kind of their values.

use martlet::{DataType, Value};

use super::Random;
use super::table::value;
use crate::plan::quoted;

/// A column that expressions may name.
pub(super) type Column = (String, DataType);

const PARTS: [&str; 18] = [
    "microsecond",
    "millisecond",
    "second",
    "minute",
    "hour",
    "day",
    "week",
    "month",
    "quarter",
    "year",
    "decade",
    "century",
    "millennium",
    "dow",
    "isodow",
    "doy",
    "isoyear",
    "epoch",
];
const INTERVALS: [&str; 7] =
    ["1 month", "-1 month", "13 months", "1 day", "36 hours", "1.5 seconds", "1 year -2 days"];
const TYPES: [&str; 16] = [
    "tinyint",
    "smallint",
    "integer",
    "bigint",
    "utinyint",
    "ubigint",
    "real",
    "double",
    "decimal(5,2)",
    "decimal(18,3)",
    "decimal(38,10)",
    "text",
    "date",
    "timestamp",
    "boolean",
    "timestamp(0)",
];

/// Writes expressions over some columns.
pub(super) struct Expressions<'a> {
    pub(super) random: &'a mut Random,
    pub(super) columns: &'a [Column],
}

impl Expressions<'_> {
    /// A literal that has the type without a cast of the column beside it.
    fn literal(&mut self, data_type: DataType) -> String {
        if self.random.chance(4) {
            return "NULL".to_owned();
        }
        let value = value(self.random, data_type);
        match (&value, data_type) {
            (Value::Text(text), _) => quoted(text, '\''),
            (Value::Bool(value), _) => value.to_string(),
            (Value::Int(number), _) if data_type.is_integer() && self.random.chance(70) => {
                if *number < 0 {
                    format!("({number})")
                } else {
                    number.to_string()
                }
            }
            _ => format!("CAST({} AS {data_type})", quoted(&value.to_text(data_type), '\'')),
        }
    }

    /// A column that `accept` takes.
    fn column(&mut self, accept: impl Fn(DataType) -> bool) -> Option<Column> {
        let fitting: Vec<&Column> =
            self.columns.iter().filter(|(_, data_type)| accept(*data_type)).collect();
        if fitting.is_empty() {
            return None;
        }
        Some(fitting[self.random.index(fitting.len())].clone())
    }

    /// Any expression.
    pub(super) fn any(&mut self, depth: u64) -> String {
        if depth == 0 || self.random.chance(35) {
            return self.column(|_| true).map_or_else(|| "1".to_owned(), |(name, _)| name);
        }
        match self.random.below(8) {
            0..=2 => self.number(depth),
            3 | 4 => self.text(depth),
            5 => self.moment(depth),
            6 => self.predicate(depth),
            _ => self.choice(depth),
        }
    }

    /// CASE and its kin, over operands of one kind.
    fn choice(&mut self, depth: u64) -> String {
        let kind = self.random.below(3);
        let one = |this: &mut Self| match kind {
            0 => this.number(depth - 1),
            1 => this.text(depth - 1),
            _ => this.moment(depth - 1),
        };
        let (a, b) = (one(self), one(self));
        match self.random.below(6) {
            0 => format!("coalesce({a}, {b})"),
            1 => format!("nullif({a}, {b})"),
            2 => format!("greatest({a}, {b})"),
            3 => format!("least({a}, {b})"),
            4 => format!("CASE WHEN {} THEN {a} ELSE {b} END", self.predicate(depth - 1)),
            _ => {
                let (first, second) = (self.predicate(depth - 1), self.predicate(depth - 1));
                format!("CASE WHEN {first} THEN {a} WHEN {second} THEN {b} END")
            }
        }
    }

    pub(super) fn number(&mut self, depth: u64) -> String {
        if depth == 0 || self.random.chance(30) {
            let column = self.column(DataType::is_numeric);
            return match column {
                Some((name, _)) if self.random.chance(75) => name,
                _ => self
                    .random
                    .pick(&["0", "1", "2", "-1", "7", "0.5", "100", "1e0", "1.25"])
                    .to_owned(),
            };
        }
        let depth = depth - 1;
        match self.random.below(20) {
            0..=6 => {
                let op = self.random.pick(&["+", "-", "*", "/", "%", "+", "-"]);
                format!("({} {op} {})", self.number(depth), self.number(depth))
            }
            7 => format!("(- {})", self.number(depth)),
            8 | 9 => {
                let name = self.random.pick(&["abs", "sign", "round", "floor", "ceil", "trunc"]);
                format!("{name}({})", self.number(depth))
            }
            10 => {
                let digits = i64::try_from(self.random.below(7)).expect("small") - 3;
                let name = self.random.pick(&["round", "trunc"]);
                format!("{name}({}, {digits})", self.number(depth))
            }
            11 => {
                let name = self.random.pick(&["length", "strlen", "ascii"]);
                format!("{name}({})", self.text(depth))
            }
            12 => format!("strpos({}, {})", self.text(depth), self.text(0)),
            13 => format!("extract({} FROM {})", PARTS[self.random.index(18)], self.moment(depth)),
            14 => {
                let part = PARTS[self.random.index(13)];
                format!("date_diff('{part}', {}, {})", self.moment(depth), self.moment(depth))
            }
            15 => {
                let op = self.random.pick(&["&", "|", "<<", ">>"]);
                format!("({} {op} {})", self.number(depth), self.random.below(9))
            }
            16 => format!("TRY_CAST({} AS {})", self.any(depth), TYPES[self.random.index(11)]),
            17 => format!("CAST({} AS {})", self.number(depth), TYPES[self.random.index(11)]),
            18 => format!("CASE WHEN {} THEN {} END", self.predicate(depth), self.number(depth)),
            _ => {
                let name = self.random.pick(&["sqrt", "exp", "ln", "log10"]);
                format!("{name}(abs({}) + 1)", self.number(depth))
            }
        }
    }

    pub(super) fn text(&mut self, depth: u64) -> String {
        if depth == 0 || self.random.chance(30) {
            let column = self.column(|data_type| data_type == DataType::Utf8);
            return match column {
                Some((name, _)) if self.random.chance(80) => name,
                _ => self.literal(DataType::Utf8),
            };
        }
        let depth = depth - 1;
        let a = self.text(depth);
        let count = i64::try_from(self.random.below(9)).expect("small") - 3;
        match self.random.below(16) {
            0 => format!("({a} || {})", self.text(depth)),
            1 => format!("concat({a}, {}, 'x')", self.any(depth)),
            2 => format!("{}({a})", self.random.pick(&["upper", "lower", "reverse"])),
            3 => format!("substring({a}, {count}, {})", self.random.below(5)),
            4 => format!("substr({a}, {count})"),
            5 => format!("{}({a}, {count})", self.random.pick(&["left", "right"])),
            6 => format!("{}({a})", self.random.pick(&["trim", "ltrim", "rtrim"])),
            7 => format!("replace({a}, {}, 'é')", self.text(0)),
            8 => format!("{}({a}, {count}, 'xy')", self.random.pick(&["lpad", "rpad"])),
            9 => format!("split_part({a}, ' ', {})", self.random.pick(&["1", "2", "-1"])),
            10 => format!("translate(regexp_replace({a}, '(.)b', '<\\1\\&>', 'g'), 'abé', 'é')"),
            11 => format!("md5(regexp_extract({a}, '[a-z]+'))"),
            12 | 13 => format!("CAST({} AS text)", self.any(depth)),
            14 => format!("concat_ws('-', {a}, {})", self.text(depth)),
            _ => format!("repeat({a}, {count})"),
        }
    }

    /// A date or timestamp.
    pub(super) fn moment(&mut self, depth: u64) -> String {
        let is_moment =
            |data_type| matches!(data_type, DataType::Date | DataType::Timestamp { .. });
        if depth == 0 || self.random.chance(40) {
            let column = self.column(is_moment);
            return match column {
                Some((name, _)) if self.random.chance(85) => name,
                _ => {
                    let data_type = [DataType::Date, DataType::TIMESTAMP][self.random.index(2)];
                    self.literal(data_type)
                }
            };
        }
        let depth = depth - 1;
        let a = self.moment(depth);
        let interval = INTERVALS[self.random.index(INTERVALS.len())];
        match self.random.below(7) {
            0 | 1 => format!("date_trunc('{}', {a})", PARTS[self.random.index(13)]),
            2 => format!("({a} + INTERVAL '{interval}')"),
            3 => format!("({a} - INTERVAL '{interval}')"),
            4 => {
                format!("CAST({a} AS {})", self.random.pick(&["date", "timestamp", "timestamp(0)"]))
            }
            5 => {
                let zone = self.random.pick(&["UTC", "Europe/Berlin", "America/New_York"]);
                format!("({a} AT TIME ZONE '{zone}')")
            }
            _ => format!("greatest({a}, {})", self.moment(depth)),
        }
    }

    pub(super) fn predicate(&mut self, depth: u64) -> String {
        if depth > 0 && self.random.chance(45) {
            let depth = depth - 1;
            let (a, b) = (self.predicate(depth), self.predicate(depth));
            return match self.random.below(6) {
                0 | 1 => format!("({a} AND {b})"),
                2 | 3 => format!("({a} OR {b})"),
                4 => format!("(NOT {a})"),
                _ => {
                    format!("({a}) IS {}", self.random.pick(&["TRUE", "NOT TRUE", "NULL", "FALSE"]))
                }
            };
        }
        let Some((name, data_type)) = self.column(|_| true) else {
            return "true".to_owned();
        };
        let op = self.random.pick(&[
            "=",
            "<>",
            "<",
            "<=",
            ">",
            ">=",
            "IS DISTINCT FROM",
            "IS NOT DISTINCT FROM",
        ]);
        match self.random.below(12) {
            0..=2 => format!("{name} {op} {}", self.literal(data_type)),
            3 => format!("{name} IS {}", self.random.pick(&["NULL", "NOT NULL"])),
            4 | 5 => {
                let count = 1 + self.random.below(6);
                let list: Vec<String> = (0..count).map(|_| self.literal(data_type)).collect();
                format!("{name} {} ({})", self.random.pick(&["IN", "NOT IN"]), list.join(", "))
            }
            6 => {
                let (low, high) = (self.literal(data_type), self.literal(data_type));
                format!("{name} {} {low} AND {high}", self.random.pick(&["BETWEEN", "NOT BETWEEN"]))
            }
            7 => match self.column(|other| other == data_type) {
                Some((other, _)) => format!("{name} {op} {other}"),
                None => format!("{name} IS NULL"),
            },
            8 | 9 => self.text_predicate(depth),
            10 => format!("{} {op} {}", self.number(depth), self.number(0)),
            _ => format!("{} {op} {}", self.moment(depth), self.moment(0)),
        }
    }

    fn text_predicate(&mut self, depth: u64) -> String {
        let text = self.text(depth.min(1));
        let pattern = self.random.pick(&[
            "a%",
            "%b",
            "%a%",
            "_",
            "%",
            "",
            "prefix %",
            "pre%x _",
            "%é%",
            "a\\%b",
            "%long%long%",
            "__",
            "%_b",
            "ä%",
        ]);
        match self.random.below(8) {
            0..=2 => format!("{text} LIKE '{pattern}'"),
            3 => format!("{text} NOT LIKE '{pattern}'"),
            4 => format!("{text} ILIKE '{pattern}'"),
            5 => format!("{text} LIKE 'a#%%' ESCAPE '#'"),
            6 => {
                let name = self.random.pick(&["starts_with", "ends_with", "contains"]);
                format!("{name}({text}, {})", self.text(0))
            }
            _ => format!("regexp_matches({text}, '^[a-z]+.?$')"),
        }
    }
}
