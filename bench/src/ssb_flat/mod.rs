//! The star schema benchmark flattened: a row per line of an order with its customer, supplier and
//! part beside it (`lineorder_flat`, 38 columns).
//!
//! Keys, prices and dates are those of the benchmark's own generator in kind: an order has one to
//! seven lines (28 lines per seven orders here, so that any rows can be made by themselves), dates
//! fall from 1992-01-01 to 1998-08-02 in no order, a price follows from its part, revenue from price,
//! quantity and discount. Two things differ, so that no query of the suite is without rows, from
//! 100,000 rows on: nations and cities have unequal shares, and one line in twelve is bought in the
//! customer's own city.
//!
//! Customers, suppliers and parts grow with the rows as in the benchmark (30,000, 2,000 and 200,000
//! per 6 M rows), but not below 3,000, 500 and 20,000.

mod people;

use std::fmt::Write;
use std::ops::Range;
use std::sync::Arc;

use arrow::array::{ArrayRef, Date32Array, Int16Array, Int32Array, StringBuilder};

use self::people::{Part, Party, People};
use crate::Result;
use crate::mart_file::{Mart, Sink};
use crate::random::{Random, to_usize};

/// 1992-01-01 in days since 1970.
const FIRST_DAY: i32 = 8_035;
/// Days up to 1998-08-02.
const DAYS: u64 = 2_406;
/// Lines of seven orders, which have one to seven lines each.
const BLOCK_LINES: u64 = 28;
const BLOCK_ORDERS: u64 = 7;
const PRIORITIES: [&str; 5] = ["1-URGENT", "2-HIGH", "3-MEDIUM", "4-NOT SPECI", "5-LOW"];
const SHIP_MODES: [&str; 7] = ["REG AIR", "AIR", "RAIL", "SHIP", "TRUCK", "MAIL", "FOB"];

/// Families of random streams, a number per use.
mod family {
    pub(super) const BLOCK: u64 = 60;
    pub(super) const ORDER: u64 = 61;
    pub(super) const LINE: u64 = 62;
    pub(super) const CUSTOMER: u64 = 63;
    pub(super) const SUPPLIER: u64 = 64;
    pub(super) const PART: u64 = 65;
}

/// The mart: what all its rows share.
#[derive(Debug)]
pub(crate) struct SsbFlat {
    seed: u64,
    row_count: u64,
    people: People,
}

/// One line of an order, with all that depends on it.
#[derive(Clone, Copy, Debug)]
struct Line {
    order_key: i32,
    number: i16,
    order: Order,
    part_key: u64,
    supplier_key: u64,
    quantity: i16,
    discount: i16,
    tax: i16,
    extended_price: i32,
    commit_day: i32,
    ship_mode: &'static str,
}

/// What the lines of an order have in common.
#[derive(Clone, Copy, Debug)]
struct Order {
    customer_key: u64,
    day: i32,
    priority: &'static str,
    /// Of all its lines, discount and tax counted, in cents.
    total_price: i32,
}

/// An order's place: its number in the mart and how many lines it has.
#[derive(Clone, Copy, Debug)]
struct Place {
    order_idx: u64,
    line_count: u64,
}

impl SsbFlat {
    pub(crate) fn new(seed: u64, row_count: u64) -> SsbFlat {
        SsbFlat { seed, row_count, people: People::new(seed, row_count) }
    }

    /// The lines `rows` of the mart.
    fn lines(&self, rows: &Range<u64>) -> Result<Vec<Line>> {
        let mut lines = Vec::with_capacity(to_usize(rows.end - rows.start));
        if rows.is_empty() {
            return Ok(lines);
        }
        for block_idx in rows.start / BLOCK_LINES..rows.end.div_ceil(BLOCK_LINES) {
            let mut row = block_idx * BLOCK_LINES;
            for place in self.orders(block_idx) {
                let order_rows = row..row + place.line_count;
                row = order_rows.end;
                if order_rows.end <= rows.start || order_rows.start >= rows.end {
                    continue;
                }
                let order = self.order(place)?;
                for line_row in order_rows.clone().filter(|row| rows.contains(row)) {
                    lines.push(self.line(place.order_idx, line_row - order_rows.start, order)?);
                }
            }
        }
        Ok(lines)
    }

    /// Seven orders with one to seven lines, in an order of their own.
    fn orders(&self, block_idx: u64) -> [Place; 7] {
        let mut random = Random::stream(self.seed, family::BLOCK, block_idx);
        let mut line_counts = [1, 2, 3, 4, 5, 6, 7];
        for last in (1..line_counts.len()).rev() {
            line_counts.swap(last, to_usize(random.below(last as u64 + 1)));
        }
        let mut order_idx = block_idx * BLOCK_ORDERS;
        line_counts.map(|line_count| {
            let place = Place { order_idx, line_count };
            order_idx += 1;
            place
        })
    }

    fn order(&self, place: Place) -> Result<Order> {
        let mut random = Random::stream(self.seed, family::ORDER, place.order_idx);
        let mut order = Order {
            customer_key: random.below(self.people.customers),
            day: FIRST_DAY + i32::try_from(random.below(DAYS))?,
            priority: random.pick::<&str>(&PRIORITIES),
            total_price: 0,
        };
        for line_idx in 0..place.line_count {
            let line = self.line(place.order_idx, line_idx, order)?;
            let discounted = i64::from(line.extended_price) * i64::from(100 - line.discount) / 100;
            let price = discounted * i64::from(100 + line.tax) / 100;
            order.total_price += i32::try_from(price)?;
        }
        Ok(order)
    }

    fn line(&self, order_idx: u64, line_idx: u64, order: Order) -> Result<Line> {
        let stream = order_idx * (BLOCK_ORDERS + 1) + line_idx;
        let mut random = Random::stream(self.seed, family::LINE, stream);
        let part_key = random.below(self.people.parts);
        let quantity = i16::try_from(1 + random.below(50))?;
        Ok(Line {
            order_key: i32::try_from(order_idx + 1)?,
            number: i16::try_from(line_idx + 1)?,
            order,
            part_key,
            supplier_key: self.people.supplier_for(order.customer_key, &mut random),
            quantity,
            discount: i16::try_from(random.below(11))?,
            tax: i16::try_from(random.below(9))?,
            extended_price: i32::from(quantity) * Part::price(part_key),
            commit_day: order.day + 30 + i32::try_from(random.below(61))?,
            ship_mode: random.pick::<&str>(&SHIP_MODES),
        })
    }
}

impl Mart for SsbFlat {
    fn row_count(&self) -> u64 {
        self.row_count
    }

    fn write_columns(&self, rows: Range<u64>, sink: &mut Sink) -> Result<()> {
        let lines = self.lines(&rows)?;
        let mut columns = Columns { lines: &lines, sink };
        columns.order()?;
        columns.line()?;
        let customers = lines.iter().map(|line| self.people.customer(line.order.customer_key));
        columns.party("C", &customers.collect::<Vec<_>>(), true)?;
        let suppliers = lines.iter().map(|line| self.people.supplier(line.supplier_key));
        columns.party("S", &suppliers.collect::<Vec<_>>(), false)?;
        let parts = lines.iter().map(|line| Part::new(self.seed, line.part_key));
        columns.part(&parts.collect::<Vec<_>>())
    }
}

/// Hands the columns of some lines to a sink.
struct Columns<'a, 'sink> {
    lines: &'a [Line],
    sink: &'a mut Sink<'sink>,
}

impl Columns<'_, '_> {
    fn order(&mut self) -> Result<()> {
        self.int("LO_ORDERKEY", |line| line.order_key)?;
        self.small("LO_LINENUMBER", |line| line.number)?;
        self.key("LO_CUSTKEY", |line| line.order.customer_key)?;
        self.key("LO_PARTKEY", |line| line.part_key)?;
        self.key("LO_SUPPKEY", |line| line.supplier_key)?;
        self.date("LO_ORDERDATE", |line| line.order.day)?;
        self.text("LO_ORDERPRIORITY", |line| line.order.priority)?;
        self.small("LO_SHIPPRIORITY", |_| 0)
    }

    fn line(&mut self) -> Result<()> {
        let revenue = |line: &Line| {
            let cents = i64::from(line.extended_price) * i64::from(100 - line.discount) / 100;
            i32::try_from(cents).expect("not more than the price")
        };
        self.small("LO_QUANTITY", |line| line.quantity)?;
        self.int("LO_EXTENDEDPRICE", |line| line.extended_price)?;
        self.int("LO_ORDTOTALPRICE", |line| line.order.total_price)?;
        self.small("LO_DISCOUNT", |line| line.discount)?;
        self.int("LO_REVENUE", revenue)?;
        self.int("LO_SUPPLYCOST", |line| Part::price(line.part_key) * 6 / 10)?;
        self.small("LO_TAX", |line| line.tax)?;
        self.date("LO_COMMITDATE", |line| line.commit_day)?;
        self.text("LO_SHIPMODE", |line| line.ship_mode)
    }

    fn party(&mut self, prefix: &str, parties: &[Party], is_customer: bool) -> Result<()> {
        let mut column = |name: &str, write: fn(&Party, &mut String)| {
            let array = texts(parties, write);
            (self.sink)(&format!("{prefix}_{name}"), array)
        };
        column("NAME", Party::write_name)?;
        column("ADDRESS", Party::write_address)?;
        column("CITY", Party::write_city)?;
        column("NATION", |party, text| text.push_str(party.nation()))?;
        column("REGION", |party, text| text.push_str(party.region()))?;
        column("PHONE", Party::write_phone)?;
        if is_customer {
            column("MKTSEGMENT", |party, text| text.push_str(party.segment()))?;
        }
        Ok(())
    }

    fn part(&mut self, parts: &[Part]) -> Result<()> {
        let mut column = |name: &str, write: fn(&Part, &mut String)| {
            let array = texts(parts, write);
            (self.sink)(name, array)
        };
        column("P_NAME", |part, text| {
            let _infallible = write!(text, "{} {}", part.second_color, part.color);
        })?;
        column("P_MFGR", Part::write_manufacturer)?;
        column("P_CATEGORY", Part::write_category)?;
        column("P_BRAND", Part::write_brand)?;
        column("P_COLOR", |part, text| text.push_str(part.color))?;
        column("P_TYPE", Part::write_type)?;
        let sizes = Int16Array::from_iter_values(parts.iter().map(|part| part.size));
        (self.sink)("P_SIZE", Arc::new(sizes))?;
        (self.sink)("P_CONTAINER", texts(parts, Part::write_container))
    }

    fn int(&mut self, name: &str, value: impl Fn(&Line) -> i32) -> Result<()> {
        let array = Int32Array::from_iter_values(self.lines.iter().map(value));
        (self.sink)(name, Arc::new(array))
    }

    /// Keys count from 1.
    fn key(&mut self, name: &str, index: impl Fn(&Line) -> u64) -> Result<()> {
        self.int(name, |line| i32::try_from(index(line) + 1).expect("People::new checks it"))
    }

    fn small(&mut self, name: &str, value: impl Fn(&Line) -> i16) -> Result<()> {
        let array = Int16Array::from_iter_values(self.lines.iter().map(value));
        (self.sink)(name, Arc::new(array))
    }

    fn date(&mut self, name: &str, day: impl Fn(&Line) -> i32) -> Result<()> {
        let array = Date32Array::from_iter_values(self.lines.iter().map(day));
        (self.sink)(name, Arc::new(array))
    }

    fn text(&mut self, name: &str, value: impl Fn(&Line) -> &'static str) -> Result<()> {
        let array = texts(self.lines, |line, text| text.push_str(value(line)));
        (self.sink)(name, array)
    }
}

fn texts<T>(items: &[T], write: impl Fn(&T, &mut String)) -> ArrayRef {
    let mut builder = StringBuilder::new();
    let mut text = String::new();
    for item in items {
        text.clear();
        write(item, &mut text);
        builder.append_value(&text);
    }
    Arc::new(builder.finish())
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROWS: u64 = 10_000;

    #[test]
    fn any_rows_are_the_same_made_alone_or_with_others() -> Result<()> {
        let mart = SsbFlat::new(3, ROWS);
        let all = mart.lines(&(0..ROWS))?;
        assert_eq!(all.len() as u64, ROWS);
        for rows in [0..1, 5..40, 27..29, 9_990..ROWS, 50..50] {
            let some = mart.lines(&rows)?;
            let expected = &all[to_usize(rows.start)..to_usize(rows.end)];
            assert_eq!(format!("{some:?}"), format!("{expected:?}"), "{rows:?}");
        }
        Ok(())
    }

    #[test]
    fn an_order_has_one_day_and_consecutive_lines() -> Result<()> {
        let lines = SsbFlat::new(1, ROWS).lines(&(0..ROWS))?;
        for pair in lines.windows(2) {
            let (line, next) = (&pair[0], &pair[1]);
            if line.order_key == next.order_key {
                assert_eq!(line.number + 1, next.number);
                assert_eq!(line.order.day, next.order.day);
            } else {
                assert_eq!((line.order_key + 1, next.number), (next.order_key, 1));
            }
            assert!((1..=50).contains(&line.quantity) && (0..=10).contains(&line.discount));
        }
        Ok(())
    }

    #[test]
    fn columns_have_their_names_and_all_rows() -> Result<()> {
        let mut names = Vec::new();
        SsbFlat::new(1, ROWS).write_columns(100..150, &mut |name, array| {
            assert_eq!(array.len(), 50, "{name}");
            names.push(name.to_owned());
            Ok(())
        })?;
        assert_eq!(names.len(), 38);
        assert_eq!((names[0].as_str(), names[37].as_str()), ("LO_ORDERKEY", "P_CONTAINER"));
        Ok(())
    }
}
