//! Which columns the demo mart has: groups of one prefix, as such marts grow them.

mod order;
mod party;
mod touch;

use super::column::{Column, Kind};
use super::order::{Entity, Order};
use super::words::{CATEGORIES, MARKETING_CHANNELS};

/// Columns that share a prefix, a source of noise and a reason to be NULL.
struct Group {
    prefix: &'static str,
    entity: Entity,
    null_share: f64,
    applies: fn(&Order) -> bool,
    columns: &'static [(&'static str, Kind)],
}

/// All columns, in order.
pub(super) fn columns() -> Vec<Column> {
    let mut columns = Vec::new();
    for group in order::GROUPS {
        add(&mut columns, group);
    }
    add_categories(&mut columns);
    for group in party::GROUPS {
        add(&mut columns, group);
    }
    add_months(&mut columns);
    add_channels(&mut columns);
    for group in touch::GROUPS {
        add(&mut columns, group);
    }
    columns
}

fn add(columns: &mut Vec<Column>, group: &Group) {
    for (name, kind) in group.columns {
        columns.push(Column {
            name: format!("{}{name}", group.prefix),
            kind: *kind,
            entity: group.entity,
            null_share: group.null_share,
            applies: group.applies,
        });
    }
}

fn always(_: &Order) -> bool {
    true
}

fn push(columns: &mut Vec<Column>, name: String, kind: Kind, entity: Entity, null_share: f64) {
    columns.push(Column { name, kind, entity, null_share, applies: always });
}

/// A pivot: what a data team does when the tool in front of the mart cannot filter.
fn add_categories(columns: &mut Vec<Column>) {
    for (index, category) in CATEGORIES.iter().enumerate() {
        let quantity = format!("item_category_{category}_quantity");
        push(columns, quantity, Kind::CategoryQuantity(index), Entity::Order, 0.0);
        let amount = format!("item_category_{category}_amount");
        push(columns, amount, Kind::CategoryAmount(index), Entity::Order, 0.0);
    }
}

/// The customer's last twelve months.
fn add_months(columns: &mut Vec<Column>) {
    for month in 1..=12 {
        let orders = format!("customer_month_{month:02}_orders");
        push(columns, orders, Kind::Count(6), Entity::Customer, 0.0);
        let revenue = format!("customer_month_{month:02}_revenue");
        push(columns, revenue, Kind::Amount(40_000), Entity::Customer, 0.35);
    }
}

/// What each marketing channel saw of the customer before the order.
fn add_channels(columns: &mut Vec<Column>) {
    for channel in MARKETING_CHANNELS {
        let kinds = [
            ("impressions", Kind::Count(60), 0.0),
            ("clicks", Kind::Count(8), 0.0),
            ("cost_amount", Kind::Amount(400), 0.6),
            ("first_touch_on", Kind::Days(-60, -20), 0.7),
            ("last_touch_on", Kind::Days(-20, 0), 0.7),
            ("share", Kind::Score, 0.7),
        ];
        for (name, kind, null_share) in kinds {
            push(columns, format!("marketing_{channel}_{name}"), kind, Entity::Order, null_share);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::super::order::ORDER_COUNT;
    use super::*;

    #[test]
    fn the_mart_is_wide_and_no_name_comes_twice() {
        let columns = columns();
        let names: BTreeSet<&str> = columns.iter().map(|column| column.name.as_str()).collect();
        assert_eq!(names.len(), columns.len());
        assert!(columns.len() >= 400, "{}", columns.len());
        assert!(names.iter().all(|name| {
            name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
        }));
    }

    #[test]
    fn every_column_makes_arrays_of_its_type_and_length() {
        let orders: Vec<Order> =
            (0..600).map(|row| Order::at(row * (ORDER_COUNT / 600), ORDER_COUNT)).collect();
        for column in columns() {
            let array = column.array(&orders, 100..600);
            assert_eq!(array.len(), 500, "{}", column.name);
            assert_eq!(*array.data_type(), column.data_type(), "{}", column.name);
            let nulls = array.null_count();
            assert!(nulls < 500, "{} is NULL throughout", column.name);
            assert!(nulls == 0 || column.name != "order_id");
            assert_eq!(&column.array(&orders, 300..600), &array.slice(200, 300), "{}", column.name);
        }
    }
}
