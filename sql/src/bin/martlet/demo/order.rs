//! The orders of the demo mart: what their columns depend on together, each a function of its row.
//!
//! Rows ascend by date, as orders come in; the shop grows over its three years. The same row is the
//! same order in every run.

use super::words::{CATEGORIES, PLACES, Place};

pub(super) const ORDER_COUNT: u64 = 500_000;
const CUSTOMER_COUNT: u64 = 60_000;
const PRODUCT_COUNT: u64 = 8_000;
const STORE_COUNT: u64 = 240;
const CAMPAIGN_COUNT: u64 = 120;
/// 2022-01-01 in days since 1970.
pub(super) const FIRST_DAY: i32 = 18_993;
const DAY_COUNT: f64 = 1_096.0;

/// One order of one item.
#[derive(Clone, Copy, Debug)]
pub(super) struct Order {
    pub(super) id: u64,
    pub(super) customer: u64,
    pub(super) product: u64,
    pub(super) store: u64,
    pub(super) campaign: u64,
    /// Days since 1970.
    pub(super) day: i32,
    /// Seconds since 1970.
    pub(super) second: i64,
    pub(super) quantity: i64,
    /// In cents, as all amounts.
    pub(super) unit_price: i64,
    pub(super) discount_percent: i64,
    pub(super) delivery_days: i32,
    pub(super) status: Status,
}

/// Where an order stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Status {
    Open,
    Shipped,
    Delivered,
    Returned,
    Cancelled,
}

/// What a column's noise depends on: two orders of one customer have the same customer's name.
#[derive(Clone, Copy, Debug)]
pub(super) enum Entity {
    Order,
    Customer,
    Product,
    Store,
    Campaign,
}

impl Order {
    /// The order in row `row` of `row_count`.
    pub(super) fn at(row: u64, row_count: u64) -> Order {
        let noise = |use_idx: u64| Noise::of(use_idx, row);
        let through = to_f64(row) / to_f64(row_count);
        let day_idx = i32::try_from(floor(DAY_COUNT * through.powf(0.8))).unwrap_or(i32::MAX);
        let day = FIRST_DAY + day_idx;
        let product = noise(2).skewed(PRODUCT_COUNT);
        let list_price = 299 + signed(Noise::of(3, product).cubed(60_000));
        let discounts = [0, 0, 0, 0, 0, 5, 10, 10, 15, 20, 30];
        // Days between an order and its delivery, and how many days the mart looks back from.
        let delivery_days = 1 + i32::try_from(noise(6).cubed(12)).unwrap_or(1);
        let age_days = FIRST_DAY + 1_095 - day;
        let status = match noise(7).unit() {
            chance if chance < 0.035 => Status::Cancelled,
            _ if age_days < 1 => Status::Open,
            _ if age_days < delivery_days => Status::Shipped,
            chance if chance < 0.105 => Status::Returned,
            _ => Status::Delivered,
        };
        // Most orders come in the evening.
        let second_of_day =
            signed(floor(86_400.0 * (1.0 - noise(5).unit().powi(2) * 0.9)) % 86_400);
        Order {
            id: 1_000_001 + row,
            customer: noise(1).skewed(CUSTOMER_COUNT),
            product,
            store: noise(8).skewed(STORE_COUNT),
            campaign: noise(9).skewed(CAMPAIGN_COUNT),
            day,
            second: i64::from(day) * 86_400 + second_of_day,
            quantity: 1 + signed(noise(10).cubed(9)),
            unit_price: list_price,
            discount_percent: *noise(11).pick(&discounts),
            delivery_days,
            status,
        }
    }

    /// The number that `entity`'s columns depend on.
    pub(super) fn key(&self, entity: Entity) -> u64 {
        match entity {
            Entity::Order => self.id,
            Entity::Customer => self.customer,
            Entity::Product => self.product,
            Entity::Store => self.store,
            Entity::Campaign => self.campaign,
        }
    }

    pub(super) fn place(&self) -> &'static Place {
        Noise::of(4, self.customer).pick_skewed(PLACES)
    }

    pub(super) fn category(&self) -> &'static str {
        Noise::of(12, self.product).pick_skewed::<&str>(CATEGORIES)
    }

    pub(super) fn gross(&self) -> i64 {
        self.unit_price * self.quantity
    }

    pub(super) fn discount(&self) -> i64 {
        self.gross() * self.discount_percent / 100
    }

    pub(super) fn net(&self) -> i64 {
        self.gross() - self.discount()
    }

    pub(super) fn tax(&self) -> i64 {
        self.net() * self.place().tax_percent / 100
    }

    /// Free from 50.00 on.
    pub(super) fn shipping(&self) -> i64 {
        if self.net() >= 5_000 { 0 } else { 495 }
    }

    pub(super) fn total(&self) -> i64 {
        self.net() + self.tax() + self.shipping()
    }

    pub(super) fn cost(&self) -> i64 {
        self.gross() * (45 + signed(Noise::of(13, self.product).below(30))) / 100
    }

    pub(super) fn margin(&self) -> i64 {
        self.net() - self.cost()
    }

    pub(super) fn is_cancelled(&self) -> bool {
        self.status == Status::Cancelled
    }

    pub(super) fn is_returned(&self) -> bool {
        self.status == Status::Returned
    }

    pub(super) fn is_shipped(&self) -> bool {
        !matches!(self.status, Status::Open | Status::Cancelled)
    }

    pub(super) fn is_delivered(&self) -> bool {
        matches!(self.status, Status::Delivered | Status::Returned)
    }
}

/// A random number that is always the same for the same use and key.
#[derive(Clone, Copy, Debug)]
pub(super) struct Noise(u64);

impl Noise {
    /// The number of `key` for the use `use_idx` (a column, mostly).
    pub(super) fn of(use_idx: u64, key: u64) -> Noise {
        let x =
            use_idx.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ key.wrapping_mul(0xD6E8_FEB8_6659_FD93);
        let x = (x ^ (x >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let x = (x ^ (x >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        Noise(x ^ (x >> 31))
    }

    /// Another number, not correlated with this one.
    pub(super) fn next(self) -> Noise {
        Noise::of(self.0, 1)
    }

    /// Uniform in [0, 1).
    #[expect(clippy::cast_precision_loss, reason = "53 bits fit a double exactly")]
    pub(super) fn unit(self) -> f64 {
        (self.0 >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// Uniform in `0..bound`.
    pub(super) fn below(self, bound: u64) -> u64 {
        u64::try_from((u128::from(self.0) * u128::from(bound)) >> 64).expect("below a u64")
    }

    /// In `0..bound`, small numbers much more often.
    pub(super) fn cubed(self, bound: u64) -> u64 {
        floor(self.unit().powi(3) * to_f64(bound))
    }

    /// In `0..bound`, small numbers more often.
    pub(super) fn skewed(self, bound: u64) -> u64 {
        floor(self.unit().powi(2) * to_f64(bound))
    }

    /// One of `items`, uniformly.
    pub(super) fn pick<T>(self, items: &[T]) -> &T {
        &items[index(self.below(items.len() as u64))]
    }

    /// One of `items`, the first ones more often.
    pub(super) fn pick_skewed<T>(self, items: &[T]) -> &T {
        &items[index(self.skewed(items.len() as u64))]
    }
}

/// An index below the length of a slice.
pub(super) fn index(x: u64) -> usize {
    usize::try_from(x).expect("an index into a slice")
}

/// A number far below 2^63.
pub(super) fn signed(x: u64) -> i64 {
    x.cast_signed()
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "saturates")]
fn floor(x: f64) -> u64 {
    x as u64
}

#[expect(clippy::cast_precision_loss, reason = "counts here stay far below 2^53")]
fn to_f64(x: u64) -> f64 {
    x as f64
}
