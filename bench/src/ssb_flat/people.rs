//! The dimensions of the star schema benchmark: customers, suppliers and parts, each a function of its
//! key.

use std::fmt::Write;

use super::family;
use crate::random::{Random, floor, mix, to_f64, to_usize};

/// Nations, their region and their share of customers and suppliers in percent.
const NATIONS: [(&str, &str, u64); 25] = [
    ("ALGERIA", "AFRICA", 3),
    ("ETHIOPIA", "AFRICA", 3),
    ("KENYA", "AFRICA", 3),
    ("MOROCCO", "AFRICA", 3),
    ("MOZAMBIQUE", "AFRICA", 2),
    ("ARGENTINA", "AMERICA", 4),
    ("BRAZIL", "AMERICA", 5),
    ("CANADA", "AMERICA", 4),
    ("PERU", "AMERICA", 2),
    ("UNITED STATES", "AMERICA", 9),
    ("CHINA", "ASIA", 8),
    ("INDIA", "ASIA", 7),
    ("INDONESIA", "ASIA", 4),
    ("JAPAN", "ASIA", 5),
    ("VIETNAM", "ASIA", 3),
    ("FRANCE", "EUROPE", 5),
    ("GERMANY", "EUROPE", 6),
    ("ROMANIA", "EUROPE", 2),
    ("RUSSIA", "EUROPE", 4),
    ("UNITED KINGDOM", "EUROPE", 8),
    ("EGYPT", "MIDDLE EAST", 3),
    ("IRAN", "MIDDLE EAST", 2),
    ("IRAQ", "MIDDLE EAST", 2),
    ("JORDAN", "MIDDLE EAST", 1),
    ("SAUDI ARABIA", "MIDDLE EAST", 2),
];
/// A nation has ten cities, with these shares in percent.
const CITY_SHARES: [u64; 10] = [8, 25, 7, 7, 7, 20, 7, 7, 6, 6];
const OWN_CITY: f64 = 1.0 / 12.0;
const SEGMENTS: [&str; 5] = ["AUTOMOBILE", "BUILDING", "FURNITURE", "HOUSEHOLD", "MACHINERY"];
const COLORS: [&str; 24] = [
    "almond",
    "azure",
    "beige",
    "black",
    "blue",
    "brown",
    "chocolate",
    "coral",
    "cream",
    "cyan",
    "forest",
    "green",
    "grey",
    "ivory",
    "khaki",
    "lime",
    "maroon",
    "navy",
    "olive",
    "pink",
    "red",
    "salmon",
    "tan",
    "violet",
];
const TYPES: [[&str; 5]; 3] = [
    ["STANDARD", "SMALL", "MEDIUM", "LARGE", "PROMO"],
    ["ANODIZED", "BURNISHED", "PLATED", "POLISHED", "BRUSHED"],
    ["TIN", "NICKEL", "BRASS", "STEEL", "COPPER"],
];
const CONTAINERS: [[&str; 5]; 2] =
    [["SM", "MED", "JUMBO", "WRAP", "LG"], ["BOX", "BAG", "JAR", "PKG", "DRUM"]];
const ADDRESS_LETTERS: &[u8; 32] = b"abcdefghijkmnopqrstuvwxyzABCDE, ";

/// How many there are of each, and who supplies where.
#[derive(Debug)]
pub(super) struct People {
    seed: u64,
    pub(super) customers: u64,
    suppliers: u64,
    pub(super) parts: u64,
    /// The suppliers of each city.
    local_suppliers: Vec<Vec<u64>>,
}

/// A customer or supplier.
#[derive(Clone, Copy, Debug)]
pub(super) struct Party {
    key: u64,
    title: &'static str,
    nation_idx: usize,
    /// 0 … 9, within the nation.
    city: u64,
    bits: u64,
}

impl People {
    pub(super) fn new(seed: u64, row_count: u64) -> People {
        let scale = to_f64(row_count) / 6e6;
        let suppliers = floor(scale * 2_000.0).max(500);
        let mut people = People {
            seed,
            customers: floor(scale * 30_000.0).max(3_000),
            suppliers,
            // 200,000 x (1 + log2 of the scale) as in the benchmark, and fewer below its smallest.
            parts: floor(200_000.0 * if scale > 1.0 { 1.0 + scale.log2() } else { scale })
                .max(20_000),
            local_suppliers: vec![Vec::new(); NATIONS.len() * CITY_SHARES.len()],
        };
        for key in 0..suppliers {
            let city_idx = people.supplier(key).city_idx();
            people.local_suppliers[city_idx].push(key);
        }
        people
    }

    pub(super) fn customer(&self, key: u64) -> Party {
        Party::new(Random::stream(self.seed, family::CUSTOMER, key), key, "Customer")
    }

    pub(super) fn supplier(&self, key: u64) -> Party {
        Party::new(Random::stream(self.seed, family::SUPPLIER, key), key, "Supplier")
    }

    /// A supplier of the customer's own city now and then, else any.
    pub(super) fn supplier_for(&self, customer_key: u64, random: &mut Random) -> u64 {
        let is_local = random.chance(OWN_CITY);
        let any = random.below(self.suppliers);
        if !is_local {
            return any;
        }
        let local = &self.local_suppliers[self.customer(customer_key).city_idx()];
        if local.is_empty() { any } else { *random.pick(local) }
    }
}

impl Party {
    fn new(mut random: Random, key: u64, title: &'static str) -> Party {
        let nation_idx = weighted(&mut random, NATIONS.iter().map(|(_, _, share)| *share));
        let city = weighted(&mut random, CITY_SHARES.iter().copied()) as u64;
        Party { key, title, nation_idx, city, bits: random.bits() }
    }

    fn city_idx(&self) -> usize {
        self.nation_idx * CITY_SHARES.len() + to_usize(self.city)
    }

    pub(super) fn nation(&self) -> &'static str {
        NATIONS[self.nation_idx].0
    }

    pub(super) fn region(&self) -> &'static str {
        NATIONS[self.nation_idx].1
    }

    pub(super) fn segment(&self) -> &'static str {
        SEGMENTS[to_usize(self.bits % 5)]
    }

    pub(super) fn write_name(&self, text: &mut String) {
        let _infallible = write!(text, "{}#{:09}", self.title, self.key + 1);
    }

    /// The first nine letters of the nation, padded, and the city's digit.
    pub(super) fn write_city(&self, text: &mut String) {
        let _infallible = write!(text, "{:<9.9}{}", self.nation(), self.city);
    }

    pub(super) fn write_phone(&self, text: &mut String) {
        let digits = |shift: u32, bound: u64| (self.bits >> shift) % bound;
        let (a, b, c) = (digits(8, 900) + 100, digits(24, 900) + 100, digits(40, 9_000) + 1_000);
        let _infallible = write!(text, "{}-{a}-{b}-{c}", self.nation_idx + 10);
    }

    /// 10 … 25 letters.
    pub(super) fn write_address(&self, text: &mut String) {
        let mut bits = mix(self.bits);
        for letter_idx in 0..10 + self.bits % 16 {
            if letter_idx == 12 {
                bits = mix(self.bits ^ 1);
            }
            text.push(char::from(ADDRESS_LETTERS[to_usize(bits & 31)]));
            bits >>= 5;
        }
    }
}

/// A part; its manufacturer, category and brand nest.
#[derive(Clone, Copy, Debug)]
pub(super) struct Part {
    manufacturer: u64,
    category: u64,
    brand: u64,
    pub(super) color: &'static str,
    pub(super) second_color: &'static str,
    pub(super) size: i16,
    bits: u64,
}

impl Part {
    pub(super) fn new(seed: u64, key: u64) -> Part {
        let mut random = Random::stream(seed, family::PART, key);
        Part {
            manufacturer: 1 + random.below(5),
            category: 1 + random.below(5),
            brand: 1 + random.below(40),
            color: random.pick::<&str>(&COLORS),
            second_color: random.pick::<&str>(&COLORS),
            size: i16::try_from(1 + random.below(50)).expect("at most 50"),
            bits: random.bits(),
        }
    }

    /// In cents, as the benchmark has it.
    pub(super) fn price(key: u64) -> i32 {
        let key = key + 1;
        let cents = 90_000 + (key / 10) % 20_001 + 100 * (key % 1_000);
        i32::try_from(cents).expect("below 210,000")
    }

    pub(super) fn write_manufacturer(&self, text: &mut String) {
        let _infallible = write!(text, "MFGR#{}", self.manufacturer);
    }

    pub(super) fn write_category(&self, text: &mut String) {
        let _infallible = write!(text, "MFGR#{}{}", self.manufacturer, self.category);
    }

    pub(super) fn write_brand(&self, text: &mut String) {
        let (manufacturer, category) = (self.manufacturer, self.category);
        let _infallible = write!(text, "MFGR#{manufacturer}{category}{}", self.brand);
    }

    pub(super) fn write_type(&self, text: &mut String) {
        self.write_words(&TYPES, text);
    }

    pub(super) fn write_container(&self, text: &mut String) {
        self.write_words(&CONTAINERS, text);
    }

    fn write_words(&self, lists: &[[&str; 5]], text: &mut String) {
        let mut bits = self.bits;
        for (list_idx, words) in lists.iter().enumerate() {
            if list_idx > 0 {
                text.push(' ');
            }
            text.push_str(words[to_usize(bits % 5)]);
            bits /= 5;
        }
    }
}

/// An index drawn by shares in percent.
fn weighted(random: &mut Random, shares: impl Iterator<Item = u64>) -> usize {
    let mut at = random.below(100);
    for (index, share) in shares.enumerate() {
        if at < share {
            return index;
        }
        at -= share;
    }
    unreachable!("shares add up to 100: the_shares_add_up")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shares_add_up() {
        assert_eq!(NATIONS.iter().map(|(_, _, share)| share).sum::<u64>(), 100);
        assert_eq!(CITY_SHARES.iter().sum::<u64>(), 100);
    }

    #[test]
    fn names_have_the_forms_that_the_queries_ask_for() {
        let party = Party { key: 41, title: "Supplier", nation_idx: 19, city: 5, bits: 7 };
        let write = |write: fn(&Party, &mut String)| {
            let mut text = String::new();
            write(&party, &mut text);
            text
        };
        assert_eq!(write(Party::write_name), "Supplier#000000042");
        assert_eq!(write(Party::write_city), "UNITED KI5");
        assert_eq!(write(Party::write_phone), "29-100-100-1000");
        assert_eq!((party.nation(), party.region()), ("UNITED KINGDOM", "EUROPE"));
        assert!((10..=25).contains(&write(Party::write_address).len()));
        let peru = Party { nation_idx: 8, ..party };
        let mut city = String::new();
        peru.write_city(&mut city);
        assert_eq!(city, "PERU     5");
    }

    #[test]
    fn a_brand_starts_with_its_category() {
        for key in 0..1_000 {
            let part = Part::new(1, key);
            let (mut category, mut brand) = (String::new(), String::new());
            part.write_category(&mut category);
            part.write_brand(&mut brand);
            assert!(brand.starts_with(&category) && (7..=9).contains(&brand.len()), "{brand}");
        }
    }
}
