//! What the rows of the hits mart draw from: sites, pages, titles, phrases, visitors.
//!
//! Small vocabularies are tables; everything whose number grows with the rows (pages, titles,
//! phrases, visitors) is a function from index to item, so that memory does not.

use std::fmt::Write;

use crate::random::{Random, floor, mix, to_f64, to_usize};

const CYRILLIC: &str = "абвгдежзийклмнопрстуфхцчшщыьэюя";
const LATIN: &str = "abcdefghijklmnopqrstuvwxyz";
const WIDTHS: [i16; 15] =
    [0, 1024, 1280, 1366, 1440, 1600, 1680, 1920, 1087, 1368, 1638, 1996, 768, 320, 2560];

/// The visitor that ClickBench's point look-up asks for.
pub(super) const KNOWN_USER: i64 = 435_090_932_899_640_449;
/// The page that two of its queries ask for.
pub(super) const KNOWN_URL_HASH: i64 = 2_868_770_270_353_813_622;

/// Families of random streams; a number per use, so that no two uses are correlated.
mod family {
    pub(super) const WORDS: u64 = 1;
    pub(super) const PAGE: u64 = 2;
    pub(super) const TITLE: u64 = 3;
    pub(super) const PHRASE: u64 = 4;
    pub(super) const USER: u64 = 5;
    pub(super) const COUNTERS: u64 = 6;
}

/// All pools of one mart.
#[derive(Debug)]
pub(super) struct Pools {
    seed: u64,
    hosts: Vec<String>,
    paths: Vec<String>,
    vocabulary: Vec<String>,
    /// Phone models; the first is empty.
    pub(super) models: Vec<String>,
    /// Values of Params; the first is empty.
    pub(super) params: Vec<String>,
    /// Values of the tag columns; the first is empty.
    pub(super) tags: Vec<String>,
    /// Distinct pages.
    pub(super) page_count: u64,
    /// Distinct titles.
    pub(super) title_count: u64,
    /// Distinct search phrases, the empty one not counted.
    pub(super) phrase_count: u64,
    /// Distinct visitors.
    pub(super) user_count: u64,
    /// The visitor who is [`KNOWN_USER`].
    pub(super) known_user: u64,
}

/// What is the same in all rows of a visitor.
#[derive(Clone, Copy, Debug)]
pub(super) struct User {
    pub(super) id: i64,
    pub(super) region: i32,
    pub(super) ip: i32,
    pub(super) os: i16,
    pub(super) agent: i16,
    pub(super) width: i16,
    /// 0 for none.
    pub(super) phone: u64,
}

impl Pools {
    pub(super) fn new(seed: u64, row_count: u64) -> Pools {
        let share = |share: f64, least: u64| floor(to_f64(row_count) * share).max(least);
        let words = |index, count, alphabet, lengths| words(seed, index, count, alphabet, lengths);
        let endings = [".ru", ".com", ".net", ".org", ".ua"];
        let mut random = Random::stream(seed, family::WORDS, 0);
        let mut hosts: Vec<String> = words(1, 6_000, LATIN, (4, 14))
            .into_iter()
            .map(|name| name + random.pick::<&str>(&endings))
            .collect();
        for (rank, name) in [(3, "www.google.ru"), (40, "google.com.ua"), (7, "yandex.ru")] {
            name.clone_into(&mut hosts[rank]);
        }
        let mut vocabulary = words(3, 30_000, CYRILLIC, (3, 11));
        vocabulary.extend(words(4, 8_000, LATIN, (3, 11)));
        let models = words(5, 165, LATIN, (3, 8)).into_iter().enumerate();
        let params = words(6, 3_000, LATIN, (5, 30)).into_iter();
        Pools {
            seed,
            hosts,
            paths: words(2, 20_000, LATIN, (3, 11)),
            vocabulary,
            models: with_empty(models.map(|(index, name)| capitalised(&name) + &index.to_string())),
            params: with_empty(params.map(|name| format!("{{{name}:1}}"))),
            tags: with_empty(words(7, 900, LATIN, (3, 16)).into_iter()),
            page_count: share(0.24, 1_000),
            title_count: share(0.1, 500),
            phrase_count: share(0.09, 500),
            user_count: share(0.2, 100),
            known_user: 0,
        }
    }

    /// The address of a page, appended to `target`.
    pub(super) fn write_url(&self, page: u64, target: &mut String) {
        let mut random = Random::stream(self.seed, family::PAGE, page);
        let host = &self.hosts[to_usize(random.zipf(self.hosts.len() as u64, 0.8))];
        let a = random.pick(&self.paths);
        let b = random.pick(&self.paths);
        let id = random.below(1_000_000_000);
        let scheme = if id.is_multiple_of(5) { "https://" } else { "http://" };
        let written = match random.unit() {
            kind if kind < 0.25 => write!(target, "{scheme}{host}/{a}/{b}/"),
            kind if kind < 0.6 => write!(target, "{scheme}{host}/{a}/{b}-{id}.html"),
            kind if kind < 0.9 => {
                let c = id % 977;
                write!(target, "{scheme}www.{host}/{a}.php?id={id}&{b}={c}&from={a}")
            }
            kind if kind < 0.9004 => write!(target, "{scheme}{host}/{a}?utm_source=google&q={b}"),
            _ => write!(target, "{scheme}{host}/{a}/{b}/?page={}#{a}", id % 50),
        };
        written.expect("a String takes whatever is written");
    }

    /// The hash of a page's address.
    pub(super) fn url_hash(page: u64) -> i64 {
        if page == 2 { KNOWN_URL_HASH } else { mix(page * 7 + 11).cast_signed() }
    }

    /// The title of a page, appended to `target`.
    pub(super) fn write_title(&self, page: u64, target: &mut String) {
        let title = page % self.title_count;
        self.write_words(Random::stream(self.seed, family::TITLE, title), (3, 12), target);
        if title.is_multiple_of(701) {
            target.push_str(" — Google");
        }
    }

    /// A search phrase, appended to `target`.
    pub(super) fn write_phrase(&self, phrase: u64, target: &mut String) {
        self.write_words(Random::stream(self.seed, family::PHRASE, phrase), (1, 6), target);
    }

    fn write_words(&self, mut random: Random, (low, high): (u64, u64), target: &mut String) {
        let count = low + random.below(high - low);
        for index in 0..count {
            if index > 0 {
                target.push(' ');
            }
            let word = random.zipf(self.vocabulary.len() as u64, 0.5);
            target.push_str(&self.vocabulary[to_usize(word)]);
        }
    }

    /// A visitor.
    pub(super) fn user(&self, user: u64) -> User {
        let mut random = Random::stream(self.seed, family::USER, user);
        let narrow = |x: u64| i16::try_from(x).expect("a rank below 100");
        User {
            id: if user == self.known_user { KNOWN_USER } else { mix(user + 1).cast_signed() },
            region: 1 + i32::try_from(random.zipf(9_040, 0.7)).expect("a rank below 9,040"),
            ip: u32::try_from(random.bits() >> 32).expect("32 bits").cast_signed(),
            os: narrow(random.zipf(90, 0.98)),
            agent: narrow(random.zipf(80, 0.98)),
            width: WIDTHS[to_usize(random.zipf(WIDTHS.len() as u64, 0.5))],
            phone: if random.chance(0.056) { 1 + random.zipf(165, 0.9) } else { 0 },
        }
    }

    /// The counters (sites) in ascending order and the order in which Zipf's law prefers them.
    pub(super) fn counters(&self) -> (Vec<i32>, Vec<usize>) {
        let mut random = Random::stream(self.seed, family::COUNTERS, 0);
        let draw = |_| i32::try_from(1 + random.below(299_999)).expect("below 300,000");
        let mut counters: Vec<i32> = (0..6_505).map(draw).chain([super::KNOWN_COUNTER]).collect();
        counters.sort_unstable();
        counters.dedup();
        let mut order: Vec<usize> = (0..counters.len()).collect();
        for last in (1..order.len()).rev() {
            order.swap(last, to_usize(random.below(last as u64 + 1)));
        }
        (counters, order)
    }
}

fn words(
    seed: u64,
    index: u64,
    count: usize,
    alphabet: &str,
    (low, high): (u64, u64),
) -> Vec<String> {
    let letters: Vec<char> = alphabet.chars().collect();
    let mut random = Random::stream(seed, family::WORDS, index);
    let mut word = || {
        let len = low + random.below(high - low);
        (0..len).map(|_| *random.pick(&letters)).collect()
    };
    (0..count).map(|_| word()).collect()
}

fn with_empty(words: impl Iterator<Item = String>) -> Vec<String> {
    std::iter::once(String::new()).chain(words).collect()
}

fn capitalised(word: &str) -> String {
    let (first, rest) = word.split_at(1);
    first.to_ascii_uppercase() + rest
}
