//! Predicates of one column as sets of values: `=`, `<>`, `<`, `IN`, `BETWEEN`, `IS NULL` and what AND,
//! OR and NOT make of them.
//!
//! A set is what statistics can be asked about: whether a zone lies outside it (prune), inside it (no
//! need to look at rows) or neither. Unknown never prunes. Must not know representations.

use std::cmp::Ordering;
use std::ops::Bound;

use super::view::Zone;
use crate::plan::{Comparison, DatePart, Expr, Function};
use crate::types::calendar::{SECONDS_PER_DAY, days_from_civil};
use crate::types::{DataType, Value};

/// An interval of values in SQL's order.
pub(crate) type ValueRange = (Bound<Value>, Bound<Value>);

/// The values for which a predicate is true.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ValueSet {
    /// Ascending and disjoint, none empty.
    pub(crate) ranges: Vec<ValueRange>,
    /// Whether it is true for NULL.
    pub(crate) null: bool,
}

/// What a zone proves about its rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// No row passes.
    None,
    /// Every row passes.
    All,
    /// Rows have to be looked at.
    Some,
}

impl ValueSet {
    /// The column of `predicate` and the values for which it is true, where it is of that kind.
    pub(crate) fn of(predicate: &Expr) -> Option<(usize, ValueSet)> {
        match predicate {
            Expr::Compare { op, left, right } => comparison(*op, left, right),
            Expr::InList { input, list } if year_of(input).is_some() => {
                let years = list.iter().filter(|value| !value.is_null());
                let sets = years.map(|year| year_set(Comparison::Equal, input, year));
                let mut all = ValueSet { ranges: Vec::new(), null: false };
                for set in sets {
                    all = all.union(&set?.1);
                }
                Some((year_of(input)?.0, all))
            }
            Expr::InList { input, list } => {
                let (column, data_type) = column(input)?;
                let values: Vec<&Value> = list.iter().filter(|value| !value.is_null()).collect();
                fits(data_type, &values).then(|| (column, ValueSet::points(&values)))
            }
            Expr::IsNull(input) => {
                let (column, _) = column(input)?;
                Some((column, ValueSet { ranges: Vec::new(), null: true }))
            }
            Expr::Not(input) => negated(input),
            Expr::And(terms) => combined(terms, ValueSet::intersect),
            Expr::Or(terms) => combined(terms, ValueSet::union),
            Expr::Column { index, data_type: DataType::Bool } => {
                Some((*index, ValueSet::points(&[&Value::Bool(true)])))
            }
            _ => None,
        }
    }

    fn points(values: &[&Value]) -> ValueSet {
        let ranges = values
            .iter()
            .map(|value| (Bound::Included((*value).clone()), Bound::Included((*value).clone())))
            .collect();
        ValueSet { ranges, null: false }.normal()
    }

    fn range(lower: Bound<Value>, upper: Bound<Value>) -> ValueSet {
        ValueSet { ranges: vec![(lower, upper)], null: false }
    }

    /// Every value outside `self`, but not NULL: what NOT makes of a set without NULL.
    fn complement(&self) -> ValueSet {
        let mut ranges = Vec::new();
        let mut lower = Bound::Unbounded;
        for (start, end) in &self.ranges {
            match start {
                Bound::Unbounded => {}
                Bound::Included(value) => {
                    ranges.push((lower.clone(), Bound::Excluded(value.clone())));
                }
                Bound::Excluded(value) => {
                    ranges.push((lower.clone(), Bound::Included(value.clone())));
                }
            }
            lower = match end {
                Bound::Unbounded => return ValueSet { ranges, null: false }.normal(),
                Bound::Included(value) => Bound::Excluded(value.clone()),
                Bound::Excluded(value) => Bound::Included(value.clone()),
            };
        }
        ranges.push((lower, Bound::Unbounded));
        ValueSet { ranges, null: false }.normal()
    }

    /// Values in both.
    pub(crate) fn intersect(&self, other: &ValueSet) -> ValueSet {
        let mut ranges = Vec::new();
        for (lower, upper) in &self.ranges {
            for (other_lower, other_upper) in &other.ranges {
                let lower =
                    if lower_order(lower, other_lower).is_lt() { other_lower } else { lower };
                let upper =
                    if upper_order(upper, other_upper).is_gt() { other_upper } else { upper };
                ranges.push((lower.clone(), upper.clone()));
            }
        }
        ValueSet { ranges, null: self.null && other.null }.normal()
    }

    fn union(&self, other: &ValueSet) -> ValueSet {
        let ranges = self.ranges.iter().chain(&other.ranges).cloned().collect();
        ValueSet { ranges, null: self.null || other.null }.normal()
    }

    /// Sorted, without empty ranges, overlapping ones joined.
    fn normal(mut self) -> ValueSet {
        self.ranges.retain(|(lower, upper)| !is_empty(lower, upper));
        self.ranges.sort_by(|a, b| lower_order(&a.0, &b.0));
        let mut joined: Vec<ValueRange> = Vec::with_capacity(self.ranges.len());
        for (lower, upper) in self.ranges {
            match joined.last_mut() {
                Some((_, last)) if !is_empty(&lower, last) => {
                    if upper_order(last, &upper).is_lt() {
                        *last = upper;
                    }
                }
                _ => joined.push((lower, upper)),
            }
        }
        ValueSet { ranges: joined, null: self.null }
    }

    /// Whether a value is in the set.
    pub(crate) fn contains(&self, value: &Value) -> bool {
        if value.is_null() {
            return self.null;
        }
        self.ranges.iter().any(|range| contains(range, value))
    }

    /// What `zone` proves about its rows.
    pub(crate) fn verdict(&self, zone: &Zone) -> Verdict {
        let some_null = zone.null_count > 0;
        if zone.null_count >= zone.row_count {
            return if self.null { Verdict::All } else { Verdict::None };
        }
        let may_match = self.ranges.iter().any(|(lower, upper)| {
            let below = zone.max.as_ref().is_none_or(|max| !above(lower, max));
            let above = zone.min.as_ref().is_none_or(|min| !below_all(upper, min));
            below && above
        });
        let null_matches = self.null && some_null;
        if !may_match && !null_matches {
            return Verdict::None;
        }
        let all_match = match (&zone.min, &zone.max) {
            (Some(min), Some(max)) => {
                self.ranges.iter().any(|range| contains(range, min) && contains(range, max))
            }
            _ => false,
        };
        if all_match && (self.null || !some_null) { Verdict::All } else { Verdict::Some }
    }

    /// The ranges as closed intervals of integers; `None` when a bound is no integer.
    pub(crate) fn integer_ranges(&self) -> Option<Vec<(i128, i128)>> {
        self.ranges
            .iter()
            .map(|(lower, upper)| {
                let lower = match lower {
                    Bound::Unbounded => i128::MIN,
                    Bound::Included(Value::Int(value)) => *value,
                    Bound::Excluded(Value::Int(value)) => value.saturating_add(1),
                    _ => return None,
                };
                let upper = match upper {
                    Bound::Unbounded => i128::MAX,
                    Bound::Included(Value::Int(value)) => *value,
                    Bound::Excluded(Value::Int(value)) => value.saturating_sub(1),
                    _ => return None,
                };
                Some((lower, upper))
            })
            .filter(|range| range.is_none_or(|(lower, upper)| lower <= upper))
            .collect()
    }
}

/// Whether every value of a range with this lower bound is above `max`.
fn above(lower: &Bound<Value>, max: &Value) -> bool {
    match lower {
        Bound::Unbounded => false,
        Bound::Included(value) => value.order(max).is_gt(),
        Bound::Excluded(value) => value.order(max).is_ge(),
    }
}

/// Whether every value of a range with this upper bound is below `min`.
fn below_all(upper: &Bound<Value>, min: &Value) -> bool {
    match upper {
        Bound::Unbounded => false,
        Bound::Included(value) => value.order(min).is_lt(),
        Bound::Excluded(value) => value.order(min).is_le(),
    }
}

fn contains((lower, upper): &ValueRange, value: &Value) -> bool {
    !above(lower, value) && !below_all(upper, value)
}

fn is_empty(lower: &Bound<Value>, upper: &Bound<Value>) -> bool {
    match (lower, upper) {
        (Bound::Unbounded, _) | (_, Bound::Unbounded) => false,
        (Bound::Included(lower), Bound::Included(upper)) => lower.order(upper).is_gt(),
        (
            Bound::Included(lower) | Bound::Excluded(lower),
            Bound::Included(upper) | Bound::Excluded(upper),
        ) => lower.order(upper).is_ge(),
    }
}

fn lower_order(a: &Bound<Value>, b: &Bound<Value>) -> Ordering {
    match (a, b) {
        (Bound::Unbounded, Bound::Unbounded) => Ordering::Equal,
        (Bound::Unbounded, _) => Ordering::Less,
        (_, Bound::Unbounded) => Ordering::Greater,
        (
            Bound::Included(left) | Bound::Excluded(left),
            Bound::Included(right) | Bound::Excluded(right),
        ) => left.order(right).then(is_excluded(a).cmp(&is_excluded(b))),
    }
}

fn upper_order(a: &Bound<Value>, b: &Bound<Value>) -> Ordering {
    match (a, b) {
        (Bound::Unbounded, Bound::Unbounded) => Ordering::Equal,
        (Bound::Unbounded, _) => Ordering::Greater,
        (_, Bound::Unbounded) => Ordering::Less,
        (
            Bound::Included(left) | Bound::Excluded(left),
            Bound::Included(right) | Bound::Excluded(right),
        ) => left.order(right).then(is_excluded(b).cmp(&is_excluded(a))),
    }
}

fn is_excluded(bound: &Bound<Value>) -> bool {
    matches!(bound, Bound::Excluded(_))
}

/// The column under casts that keep every integer's value.
fn column(expr: &Expr) -> Option<(usize, DataType)> {
    match expr {
        Expr::Column { index, data_type } => Some((*index, *data_type)),
        Expr::Cast { input, data_type, .. } => {
            let (index, from) = column(input)?;
            widens(from, *data_type).then_some((index, from))
        }
        _ => None,
    }
}

fn widens(from: DataType, to: DataType) -> bool {
    let range = |data_type: DataType| -> Option<(i128, i128)> {
        Some(match data_type {
            DataType::Int8 => (i8::MIN.into(), i8::MAX.into()),
            DataType::Int16 => (i16::MIN.into(), i16::MAX.into()),
            DataType::Int32 => (i32::MIN.into(), i32::MAX.into()),
            DataType::Int64 => (i64::MIN.into(), i64::MAX.into()),
            DataType::UInt8 => (0, u8::MAX.into()),
            DataType::UInt16 => (0, u16::MAX.into()),
            DataType::UInt32 => (0, u32::MAX.into()),
            DataType::UInt64 => (0, u64::MAX.into()),
            _ => return None,
        })
    };
    match (range(from), range(to)) {
        (Some((from_min, from_max)), Some((to_min, to_max))) => {
            to_min <= from_min && from_max <= to_max
        }
        _ => false,
    }
}

/// Whether the values are of the variant that columns of `data_type` have.
fn fits(data_type: DataType, values: &[&Value]) -> bool {
    values.iter().all(|value| match value {
        Value::Bool(_) => data_type == DataType::Bool,
        Value::Int(_) => {
            data_type.is_integer()
                || data_type.is_temporal()
                || matches!(data_type, DataType::Decimal { .. })
        }
        Value::Float(_) => data_type.is_float(),
        Value::Text(_) => data_type == DataType::Utf8,
        Value::Bytes(_) => data_type == DataType::Binary,
        Value::Uuid(_) => data_type == DataType::Uuid,
        Value::Null | Value::Interval(_) => false,
    })
}

fn comparison(op: Comparison, left: &Expr, right: &Expr) -> Option<(usize, ValueSet)> {
    match (left, right) {
        (Expr::Call { .. }, Expr::Literal { value, .. }) => return year_set(op, left, value),
        (Expr::Literal { value, .. }, Expr::Call { .. }) => {
            return year_set(mirrored(op), right, value);
        }
        _ => {}
    }
    let (column, data_type, value, op) = match (column(left), left, right, column(right)) {
        (Some((column, data_type)), _, Expr::Literal { value, .. }, _) => {
            (column, data_type, value, op)
        }
        (_, Expr::Literal { value, .. }, _, Some((column, data_type))) => {
            (column, data_type, value, mirrored(op))
        }
        _ => return None,
    };
    if value.is_null() {
        let set = match op {
            Comparison::NotDistinct => ValueSet { ranges: Vec::new(), null: true },
            Comparison::Distinct => ValueSet::range(Bound::Unbounded, Bound::Unbounded),
            _ => ValueSet { ranges: Vec::new(), null: false },
        };
        return Some((column, set));
    }
    if !fits(data_type, &[value]) {
        return None;
    }
    let included = || Bound::Included(value.clone());
    let excluded = || Bound::Excluded(value.clone());
    let point = || ValueSet::points(&[value]);
    let set = match op {
        Comparison::Equal | Comparison::NotDistinct => point(),
        Comparison::NotEqual => point().complement(),
        Comparison::Distinct => ValueSet { null: true, ..point().complement() },
        Comparison::Less => ValueSet::range(Bound::Unbounded, excluded()),
        Comparison::LessOrEqual => ValueSet::range(Bound::Unbounded, included()),
        Comparison::Greater => ValueSet::range(excluded(), Bound::Unbounded),
        Comparison::GreaterOrEqual => ValueSet::range(included(), Bound::Unbounded),
    };
    Some((column, set))
}

/// The column whose year an expression is, and how many of its ticks make a day.
fn year_of(expr: &Expr) -> Option<(usize, i128)> {
    let Expr::Call { function: Function::Extract(DatePart::Year), arguments, .. } = expr else {
        return None;
    };
    match arguments[..] {
        [Expr::Column { index, data_type: DataType::Date }] => Some((index, 1)),
        [Expr::Column { index, data_type: DataType::Timestamp { unit, zoned: false } }] => {
            Some((index, i128::from(SECONDS_PER_DAY) * i128::from(unit.per_second())))
        }
        _ => None,
    }
}

/// The days for which `year op value` is true, where `year` is the year of a column.
fn year_set(op: Comparison, year: &Expr, value: &Value) -> Option<(usize, ValueSet)> {
    let (column, per_day) = year_of(year)?;
    let Value::Int(year) = value else { return None };
    // Before year 1 years are counted otherwise, and there is no year 0.
    let year = i64::try_from(*year).ok().filter(|year| (2..=9_999).contains(year))?;
    let start = |year| Value::Int(i128::from(days_from_civil(year, 1, 1)) * per_day);
    let (first, next) = (start(year), start(year + 1));
    let whole = ValueSet::range(Bound::Included(first.clone()), Bound::Excluded(next.clone()));
    let set = match op {
        Comparison::Equal | Comparison::NotDistinct => whole,
        Comparison::NotEqual => whole.complement(),
        Comparison::Distinct => ValueSet { null: true, ..whole.complement() },
        Comparison::Less => ValueSet::range(Bound::Unbounded, Bound::Excluded(first)),
        Comparison::LessOrEqual => ValueSet::range(Bound::Unbounded, Bound::Excluded(next)),
        Comparison::Greater => ValueSet::range(Bound::Included(next), Bound::Unbounded),
        Comparison::GreaterOrEqual => ValueSet::range(Bound::Included(first), Bound::Unbounded),
    };
    Some((column, set))
}

fn mirrored(op: Comparison) -> Comparison {
    match op {
        Comparison::Less => Comparison::Greater,
        Comparison::LessOrEqual => Comparison::GreaterOrEqual,
        Comparison::Greater => Comparison::Less,
        Comparison::GreaterOrEqual => Comparison::LessOrEqual,
        other => other,
    }
}

/// NOT of a predicate: true where that is false, which NULL mostly makes it not.
fn negated(input: &Expr) -> Option<(usize, ValueSet)> {
    match input {
        Expr::IsNull(input) => {
            let (column, _) = column(input)?;
            Some((column, ValueSet::range(Bound::Unbounded, Bound::Unbounded)))
        }
        // `NULL IN ()` is false, not NULL.
        Expr::InList { input, list } if list.is_empty() => {
            let (column, _) = column(input)?;
            let everything = ValueSet::range(Bound::Unbounded, Bound::Unbounded);
            Some((column, ValueSet { null: true, ..everything }))
        }
        Expr::InList { list, .. } if list.iter().any(Value::is_null) => {
            let (column, _) = ValueSet::of(input)?;
            Some((column, ValueSet { ranges: Vec::new(), null: false }))
        }
        Expr::InList { .. } | Expr::Column { .. } => {
            let (column, set) = ValueSet::of(input)?;
            Some((column, set.complement()))
        }
        Expr::Compare { op, left, right } => {
            let opposite = match op {
                Comparison::Equal => Comparison::NotEqual,
                Comparison::NotEqual => Comparison::Equal,
                Comparison::Less => Comparison::GreaterOrEqual,
                Comparison::LessOrEqual => Comparison::Greater,
                Comparison::Greater => Comparison::LessOrEqual,
                Comparison::GreaterOrEqual => Comparison::Less,
                Comparison::Distinct => Comparison::NotDistinct,
                Comparison::NotDistinct => Comparison::Distinct,
            };
            comparison(opposite, left, right)
        }
        _ => None,
    }
}

fn combined(
    terms: &[Expr],
    combine: impl Fn(&ValueSet, &ValueSet) -> ValueSet,
) -> Option<(usize, ValueSet)> {
    let mut sets = terms.iter().map(ValueSet::of);
    let (column, mut all) = sets.next()??;
    for next in sets {
        let (other, set) = next?;
        if other != column {
            return None;
        }
        all = combine(&all, &set);
    }
    Some((column, all))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn compare(op: Comparison, value: Value) -> Expr {
        Expr::Compare {
            op,
            left: Box::new(Expr::column(0, DataType::Int32)),
            right: Box::new(Expr::literal(value, DataType::Int32)),
        }
    }

    fn zone(min: i128, max: i128, null_count: u64) -> Zone {
        Zone {
            row_count: 10,
            null_count,
            min: Some(Value::Int(min)),
            max: Some(Value::Int(max)),
            ..Zone::default()
        }
    }

    fn predicates() -> Vec<Expr> {
        use Comparison::{
            Distinct, Equal, Greater, GreaterOrEqual, Less, LessOrEqual, NotDistinct, NotEqual,
        };
        let ops =
            [Equal, NotEqual, Less, LessOrEqual, Greater, GreaterOrEqual, Distinct, NotDistinct];
        let mut all: Vec<Expr> = Vec::new();
        for value in [Value::Int(2), Value::Int(5), Value::Null] {
            all.extend(ops.map(|op| compare(op, value.clone())));
        }
        let column = || Box::new(Expr::column(0, DataType::Int32));
        all.push(Expr::IsNull(column()));
        for list in [vec![], vec![Value::Int(1), Value::Int(4)], vec![Value::Int(3), Value::Null]] {
            all.push(Expr::InList { input: column(), list });
        }
        let negated: Vec<Expr> = all.iter().map(|e| Expr::Not(Box::new(e.clone()))).collect();
        all.extend(negated);
        let pairs: Vec<Expr> = all
            .iter()
            .zip(all.iter().skip(3))
            .flat_map(|(a, b)| {
                [Expr::And(vec![a.clone(), b.clone()]), Expr::Or(vec![a.clone(), b.clone()])]
            })
            .collect();
        all.extend(pairs);
        all
    }

    /// Three-valued logic, spelt out.
    fn truth(expr: &Expr, value: &Value) -> Option<bool> {
        match expr {
            Expr::Compare { op, right, .. } => {
                let Expr::Literal { value: literal, .. } = right.as_ref() else { return None };
                let order = value.order(literal);
                match op {
                    Comparison::Distinct => return Some(order.is_ne()),
                    Comparison::NotDistinct => return Some(order.is_eq()),
                    _ if value.is_null() || literal.is_null() => return None,
                    _ => {}
                }
                Some(match op {
                    Comparison::Equal => order.is_eq(),
                    Comparison::NotEqual => order.is_ne(),
                    Comparison::Less => order.is_lt(),
                    Comparison::LessOrEqual => order.is_le(),
                    Comparison::Greater => order.is_gt(),
                    _ => order.is_ge(),
                })
            }
            Expr::IsNull(_) => Some(value.is_null()),
            Expr::InList { list, .. } => {
                if list.is_empty() {
                    return Some(false);
                }
                if value.is_null() {
                    return None;
                }
                if list.contains(value) {
                    return Some(true);
                }
                (!list.iter().any(Value::is_null)).then_some(false)
            }
            Expr::Not(input) => truth(input, value).map(|truth| !truth),
            Expr::And(terms) => {
                let all: Vec<_> = terms.iter().map(|term| truth(term, value)).collect();
                if all.contains(&Some(false)) {
                    return Some(false);
                }
                (!all.contains(&None)).then_some(true)
            }
            Expr::Or(terms) => {
                let all: Vec<_> = terms.iter().map(|term| truth(term, value)).collect();
                if all.contains(&Some(true)) {
                    return Some(true);
                }
                (!all.contains(&None)).then_some(false)
            }
            _ => None,
        }
    }

    #[test]
    fn a_set_holds_the_values_for_which_the_predicate_is_true() {
        let values: Vec<Value> = (0..8).map(Value::Int).chain([Value::Null]).collect();
        for predicate in predicates() {
            let (_, set) = ValueSet::of(&predicate).expect("all of one column");
            for value in &values {
                let expected = truth(&predicate, value) == Some(true);
                assert_eq!(set.contains(value), expected, "{predicate:?} of {value:?}");
            }
            let ranges = set.integer_ranges().expect("all bounds are integers");
            for value in 0..8 {
                let inside = ranges.iter().any(|(low, high)| *low <= value && value <= *high);
                assert_eq!(inside, set.contains(&Value::Int(value)), "{predicate:?}");
            }
        }
    }

    #[test]
    fn a_zone_is_pruned_only_when_no_row_can_match() {
        for predicate in predicates() {
            let (_, set) = ValueSet::of(&predicate).expect("all of one column");
            for min in 0..8 {
                for max in min..8 {
                    for null_count in [0, 3, 10] {
                        let zone = zone(min, max, null_count);
                        let mut rows: Vec<Value> = Vec::new();
                        if null_count < 10 {
                            rows.extend((min..=max).map(Value::Int));
                        }
                        if null_count > 0 {
                            rows.push(Value::Null);
                        }
                        let any = rows.iter().any(|row| set.contains(row));
                        let all = rows.iter().all(|row| set.contains(row));
                        match set.verdict(&zone) {
                            Verdict::None => assert!(!any, "{predicate:?} {zone:?}"),
                            Verdict::All => assert!(all, "{predicate:?} {zone:?}"),
                            Verdict::Some => {}
                        }
                    }
                }
            }
            let unknown = Zone { row_count: 10, ..Zone::default() };
            assert!(set.ranges.is_empty() || set.verdict(&unknown) == Verdict::Some);
        }
    }

    #[test]
    fn the_year_of_a_day_is_compared_as_the_day() {
        use crate::types::TimeUnit;
        let timestamp = DataType::Timestamp { unit: TimeUnit::Millisecond, zoned: false };
        for (data_type, per_day) in [(DataType::Date, 1), (timestamp, 86_400_000)] {
            let year_of = |data_type| Expr::Call {
                function: Function::Extract(DatePart::Year),
                arguments: vec![Expr::column(3, data_type)],
                data_type: DataType::Int64,
            };
            for op in [
                Comparison::Equal,
                Comparison::NotEqual,
                Comparison::Less,
                Comparison::LessOrEqual,
                Comparison::Greater,
                Comparison::GreaterOrEqual,
                Comparison::Distinct,
                Comparison::NotDistinct,
            ] {
                for turned in [false, true] {
                    let literal = Expr::literal(Value::Int(2_000), DataType::Int64);
                    let (left, right) = if turned {
                        (literal, year_of(data_type))
                    } else {
                        (year_of(data_type), literal)
                    };
                    let compare =
                        Expr::Compare { op, left: Box::new(left), right: Box::new(right) };
                    let (column, set) = ValueSet::of(&compare).expect("a range of days");
                    assert_eq!(column, 3);
                    // The last and first days of 1999, 2000 and 2001, counted from 1970.
                    for (day, year) in
                        [(10_956, 1999), (10_957, 2000), (11_322, 2000), (11_323, 2001)]
                    {
                        let order = if turned { 2_000.cmp(&year) } else { year.cmp(&2_000) };
                        let expected = match op {
                            Comparison::Equal | Comparison::NotDistinct => order.is_eq(),
                            Comparison::NotEqual | Comparison::Distinct => order.is_ne(),
                            Comparison::Less => order.is_lt(),
                            Comparison::LessOrEqual => order.is_le(),
                            Comparison::Greater => order.is_gt(),
                            Comparison::GreaterOrEqual => order.is_ge(),
                        };
                        let tick = Value::Int(day * per_day);
                        assert_eq!(set.contains(&tick), expected, "{op:?} {year} {turned}");
                    }
                    assert_eq!(set.contains(&Value::Null), op == Comparison::Distinct);
                }
            }
        }
    }
}
