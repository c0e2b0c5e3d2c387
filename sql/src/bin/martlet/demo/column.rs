//! The kinds of columns that the demo mart has, and the arrays that they make.

use std::fmt::Write;
use std::ops::Range;
use std::sync::Arc;

use arrow::array::{
    ArrayRef, BooleanArray, Date32Array, Decimal128Array, DictionaryArray, Float64Array,
    Int32Array, Int64Array, StringArray, StringBuilder, TimestampMicrosecondArray,
};
use arrow::datatypes::{DataType, TimeUnit};

use super::order::{Entity, Noise, Order, index, signed};
use super::words::{
    ADJECTIVES, BRANDS, CATEGORIES, COLOURS, FIRST_NAMES, LAST_NAMES, MATERIALS, STREETS,
};

/// Digits of the mart's amounts.
const AMOUNT_PRECISION: u8 = 12;

/// One column.
#[derive(Clone, Debug)]
pub(super) struct Column {
    pub(super) name: String,
    pub(super) kind: Kind,
    /// What its noise depends on.
    pub(super) entity: Entity,
    /// The share of NULLs among the rows that `applies` lets through.
    pub(super) null_share: f64,
    /// Rows for which it is NULL otherwise.
    pub(super) applies: fn(&Order) -> bool,
}

/// What the values of a column are.
#[derive(Clone, Copy, Debug)]
pub(super) enum Kind {
    /// True for a share.
    Flag(f64),
    /// One of these, the first ones more often.
    Choice(&'static [&'static str]),
    /// An integer from the first to the second, uniformly.
    Number(i32, i32),
    /// An integer below, mostly small.
    Count(u64),
    /// Cents below, mostly small.
    Amount(u64),
    /// A double between, with two decimals.
    Measure(f64, f64),
    /// A double in [0, 1) with four decimals.
    Score,
    /// A date so many days after the order's, from the first to the second.
    Days(i32, i32),
    /// A time so many minutes after the order's, from the first to the second.
    Minutes(i64, i64),
    /// The prefix and one of so many numbers.
    Code(&'static str, u64),
    /// A text made from noise.
    Words(Words),
    /// From the order itself.
    OrderInt(fn(&Order) -> i64),
    /// From the order itself, as a small integer.
    OrderSmall(fn(&Order) -> i32),
    /// From the order itself, in cents.
    OrderAmount(fn(&Order) -> i64),
    /// From the order itself, in days since 1970.
    OrderDate(fn(&Order) -> i32),
    /// From the order itself, in seconds since 1970.
    OrderTime(fn(&Order) -> i64),
    /// From the order itself.
    OrderFlag(fn(&Order) -> bool),
    /// From the order itself.
    OrderDouble(fn(&Order) -> f64),
    /// From the order itself.
    OrderText(fn(&Order, &mut String)),
    /// The order's net amount if its item is in the category of this number, else NULL.
    CategoryAmount(usize),
    /// The order's quantity if its item is in the category of this number, else 0.
    CategoryQuantity(usize),
}

/// Texts with a shape.
#[derive(Clone, Copy, Debug)]
pub(super) enum Words {
    FirstName,
    LastName,
    FullName,
    Email,
    Phone,
    Address,
    ProductName,
    Hexadecimal,
}

impl Column {
    /// The Arrow type of its arrays: a choice is a dictionary, so that each value is hashed once.
    pub(super) fn data_type(&self) -> DataType {
        match self.kind {
            Kind::Flag(_) | Kind::OrderFlag(_) => DataType::Boolean,
            Kind::Number(..) | Kind::Count(_) | Kind::OrderSmall(_) | Kind::CategoryQuantity(_) => {
                DataType::Int32
            }
            Kind::OrderInt(_) => DataType::Int64,
            Kind::Amount(_) | Kind::OrderAmount(_) | Kind::CategoryAmount(_) => {
                DataType::Decimal128(AMOUNT_PRECISION, 2)
            }
            Kind::Measure(..) | Kind::Score | Kind::OrderDouble(_) => DataType::Float64,
            Kind::Days(..) | Kind::OrderDate(_) => DataType::Date32,
            Kind::Minutes(..) | Kind::OrderTime(_) => {
                DataType::Timestamp(TimeUnit::Microsecond, None)
            }
            Kind::Choice(_) => {
                DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8))
            }
            Kind::Code(..) | Kind::Words(_) | Kind::OrderText(_) => DataType::Utf8,
        }
    }

    /// The values for `orders[rows]`.
    pub(super) fn array(&self, orders: &[Order], rows: Range<usize>) -> ArrayRef {
        let use_idx = name_hash(&self.name);
        let cells = orders[rows].iter().map(|order| {
            let noise = Noise::of(use_idx, order.key(self.entity));
            let is_null = !(self.applies)(order)
                || (self.null_share > 0.0 && noise.next().unit() < self.null_share);
            (!is_null).then_some((order, noise))
        });
        match self.kind {
            Kind::Flag(share) => booleans(cells, |_, noise| noise.unit() < share),
            Kind::OrderFlag(value) => booleans(cells, |order, _| value(order)),
            Kind::Number(low, high) => integers(cells, |_, noise| {
                let span = (i64::from(high) - i64::from(low) + 1).unsigned_abs();
                low + narrow(signed(noise.below(span)))
            }),
            Kind::Count(bound) => integers(cells, |_, noise| narrow(signed(noise.cubed(bound)))),
            Kind::OrderSmall(value) => integers(cells, |order, _| value(order)),
            Kind::CategoryQuantity(category_idx) => integers(cells, |order, _| {
                if order.category() == CATEGORIES[category_idx] {
                    narrow(order.quantity)
                } else {
                    0
                }
            }),
            Kind::OrderInt(value) => {
                let values = cells.map(|cell| Some(value(cell?.0)));
                Arc::new(values.collect::<Int64Array>())
            }
            Kind::Amount(bound) => {
                amounts(cells.map(|cell| Some(100 + signed(cell?.1.cubed(bound)))))
            }
            Kind::OrderAmount(value) => amounts(cells.map(|cell| Some(value(cell?.0)))),
            Kind::CategoryAmount(category_idx) => amounts(cells.map(|cell| {
                let (order, _) = cell?;
                (order.category() == CATEGORIES[category_idx]).then(|| order.net())
            })),
            Kind::Measure(low, high) => doubles(cells, |_, noise| {
                ((low + (high - low) * noise.unit()) * 100.0).round() / 100.0
            }),
            Kind::Score => doubles(cells, |_, noise| (noise.unit() * 1e4).floor() / 1e4),
            Kind::OrderDouble(value) => doubles(cells, |order, _| value(order)),
            Kind::Days(low, high) => dates(cells, |order, noise| {
                order.day + low + narrow(signed(noise.below((high - low).unsigned_abs().into())))
            }),
            Kind::OrderDate(value) => dates(cells, |order, _| value(order)),
            Kind::Minutes(low, high) => times(cells, |order, noise| {
                order.second + 60 * (low + signed(noise.below((high - low).unsigned_abs())))
            }),
            Kind::OrderTime(value) => times(cells, |order, _| value(order)),
            Kind::Choice(choices) => {
                let key = |noise: Noise| i32::try_from(noise.skewed(choices.len() as u64));
                let keys = cells.map(|cell| cell.and_then(|(_, noise)| key(noise).ok()));
                let values = Arc::new(StringArray::from(choices.to_vec()));
                Arc::new(DictionaryArray::new(keys.collect::<Int32Array>(), values))
            }
            Kind::Code(prefix, count) => texts(cells, |_, noise, text| {
                let _infallible = write!(text, "{prefix}{:06}", noise.below(count));
            }),
            Kind::Words(words) => texts(cells, |_, noise, text| words.write(noise, text)),
            Kind::OrderText(write) => texts(cells, |order, _, text| write(order, text)),
        }
    }
}

impl Words {
    fn write(self, noise: Noise, text: &mut String) {
        let other = noise.next();
        let first = noise.pick(FIRST_NAMES);
        let last = other.pick(LAST_NAMES);
        let _infallible = match self {
            Words::FirstName => write!(text, "{first}"),
            Words::LastName => write!(text, "{last}"),
            Words::FullName => write!(text, "{first} {last}"),
            Words::Email => {
                let host =
                    noise.pick(&["example.com", "example.org", "mail.example", "example.net"]);
                write!(text, "user{}@{host}", other.below(90_000))
            }
            Words::Phone => write!(text, "+49 555 {:07}", noise.below(10_000_000)),
            Words::Address => {
                write!(text, "{} {}", noise.pick(STREETS), 1 + other.below(180))
            }
            Words::ProductName => {
                let (adjective, colour) = (noise.pick(ADJECTIVES), other.pick(COLOURS));
                let (brand, material) = (other.next().pick(BRANDS), noise.next().pick(MATERIALS));
                write!(text, "{brand} {adjective}, {material}, {colour}")
            }
            Words::Hexadecimal => write!(text, "{:012x}", noise.below(1 << 48)),
        };
    }
}

type Cell<'a> = Option<(&'a Order, Noise)>;

fn booleans<'a>(
    cells: impl Iterator<Item = Cell<'a>>,
    value: impl Fn(&Order, Noise) -> bool,
) -> ArrayRef {
    Arc::new(
        cells.map(|cell| cell.map(|(order, noise)| value(order, noise))).collect::<BooleanArray>(),
    )
}

fn integers<'a>(
    cells: impl Iterator<Item = Cell<'a>>,
    value: impl Fn(&Order, Noise) -> i32,
) -> ArrayRef {
    Arc::new(
        cells.map(|cell| cell.map(|(order, noise)| value(order, noise))).collect::<Int32Array>(),
    )
}

fn doubles<'a>(
    cells: impl Iterator<Item = Cell<'a>>,
    value: impl Fn(&Order, Noise) -> f64,
) -> ArrayRef {
    Arc::new(
        cells.map(|cell| cell.map(|(order, noise)| value(order, noise))).collect::<Float64Array>(),
    )
}

fn dates<'a>(
    cells: impl Iterator<Item = Cell<'a>>,
    value: impl Fn(&Order, Noise) -> i32,
) -> ArrayRef {
    Arc::new(
        cells.map(|cell| cell.map(|(order, noise)| value(order, noise))).collect::<Date32Array>(),
    )
}

fn times<'a>(
    cells: impl Iterator<Item = Cell<'a>>,
    seconds: impl Fn(&Order, Noise) -> i64,
) -> ArrayRef {
    let microseconds =
        cells.map(|cell| cell.map(|(order, noise)| seconds(order, noise) * 1_000_000));
    Arc::new(microseconds.collect::<TimestampMicrosecondArray>())
}

fn amounts(cents: impl Iterator<Item = Option<i64>>) -> ArrayRef {
    let values: Decimal128Array = cents.map(|cents| cents.map(i128::from)).collect();
    let values = values.with_precision_and_scale(AMOUNT_PRECISION, 2);
    Arc::new(values.expect("12 digits, 2 of them after the point"))
}

fn texts<'a>(
    cells: impl Iterator<Item = Cell<'a>>,
    write: impl Fn(&Order, Noise, &mut String),
) -> ArrayRef {
    let mut builder = StringBuilder::new();
    let mut text = String::new();
    for cell in cells {
        match cell {
            Some((order, noise)) => {
                text.clear();
                write(order, noise, &mut text);
                builder.append_value(&text);
            }
            None => builder.append_null(),
        }
    }
    Arc::new(builder.finish())
}

fn narrow(x: i64) -> i32 {
    i32::try_from(x).expect("the demo's numbers are small")
}

/// FNV-1a: a column's noise is its own whatever stands before it.
fn name_hash(name: &str) -> u64 {
    name.bytes().fold(0xCBF2_9CE4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01B3)
    })
}

/// A choice by a number that is not noise.
pub(super) fn choose(choices: &'static [&'static str], number: u64) -> &'static str {
    choices[index(number % choices.len() as u64)]
}
