//! What is offered where, best first; and how fast.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::*;

/// Two tables; `wide` has so many columns.
struct Fixed {
    wide: Arc<Vec<Name>>,
}

impl Fixed {
    fn new(column_count: usize) -> Fixed {
        let words = ["net", "gross", "tax", "item", "order", "customer", "shipping", "return"];
        let name = |index: usize| {
            let (first, second) = (words[index % 8], words[index / 8 % 8]);
            Name::new(format!("{first}_{second}_amount_{index:05}"), "double")
        };
        Fixed { wide: Arc::new((0..column_count).map(name).collect()) }
    }
}

impl Lookup for Fixed {
    fn tables(&mut self) -> Arc<Vec<Name>> {
        Arc::new(vec![Name::new("orders", "10 rows, 4 columns"), Name::new("Wide Table", "")])
    }

    fn columns(&mut self, table: &str) -> Arc<Vec<Name>> {
        match table {
            "orders" => Arc::new(
                ["order_id", "region", "WatchID", "where"]
                    .map(|name| Name::new(name, "text"))
                    .into(),
            ),
            "Wide Table" => Arc::clone(&self.wide),
            _ => Arc::new(Vec::new()),
        }
    }

    fn file_columns(&mut self, path: &str) -> Arc<Vec<Name>> {
        Arc::new(vec![Name::new(format!("column_of_{}", path.len()), path)])
    }

    fn files(&mut self, folder: &str) -> Vec<Name> {
        let names: &[&str] = if folder == "data/" { &["a.parquet", ".hidden"] } else { &["data/"] };
        names.iter().map(|name| Name::new(*name, "")).collect()
    }
}

/// What is offered at the `|` of `text`.
fn offered(text: &str) -> Vec<String> {
    let at = text.find('|').expect("a cursor");
    let text = text.replace('|', "");
    let found = complete(&text, at, &mut Fixed::new(20));
    assert!(text.is_char_boundary(found.start));
    found.candidates.into_iter().map(|candidate| candidate.value).collect()
}

fn first(text: &str) -> String {
    offered(text).into_iter().next().unwrap_or_default()
}

#[test]
fn tables_follow_from_and_what_else_names_one() {
    for text in [
        "SELECT * FROM o|",
        "select 1 from O|",
        "DESCRIBE or|",
        "INSERT INTO o|",
        "SELECT 1; FROM o|",
    ] {
        assert_eq!(offered(text), ["orders"], "{text}");
    }
    assert_eq!(offered("FROM |"), ["orders", "\"Wide Table\"", "_"]);
    assert_eq!(offered("FROM \"wi|"), ["\"Wide Table\""]);
}

#[test]
fn columns_are_those_of_the_table_wherever_it_is_named() {
    assert_eq!(first("SELECT reg| FROM orders"), "region");
    assert_eq!(first("SELECT count(*) FROM orders WHERE reg|"), "region");
    assert_eq!(first("SELECT o.reg| FROM orders AS o"), "region");
    assert_eq!(first("SELECT o.reg| FROM orders o WHERE x"), "region");
    assert!(offered("SELECT x.reg| FROM orders o").is_empty());
    assert_eq!(first("SELECT tax_| FROM \"Wide Table\""), "tax_net_amount_00002");
    assert_eq!(first("SELECT colu| FROM 'x.parquet'"), "column_of_9");
    assert!(offered("SELECT tax_| FROM orders").iter().all(|name| !name.contains("amount")));
    // Without a FROM, those of all tables.
    assert_eq!(first("SELECT regi|"), "region");
}

#[test]
fn beginnings_come_before_words_and_words_before_letters() {
    assert_eq!(first("SELECT id| FROM orders"), "order_id");
    let found = offered("SELECT tax| FROM \"Wide Table\"");
    assert!(found[0].starts_with("tax_"), "{found:?}");
    let word = found.iter().position(|name| name.contains("_tax_")).expect("a word");
    assert!(word > 0 && found[..word].iter().all(|name| name.starts_with("tax")), "{found:?}");
    assert_eq!(first("SELECT id| FROM orders"), "order_id");
    assert_eq!(offered("SELECT id| FROM orders")[1], "WatchID");
    assert_eq!(first("SELECT rgn| FROM orders"), "region");
    assert!(offered("SELECT zzz| FROM orders").is_empty());
}

#[test]
fn names_are_quoted_when_sql_needs_it() {
    assert!(offered("SELECT whe| FROM orders").contains(&"\"where\"".to_owned()));
    assert_eq!(first("SELECT * FROM wide|"), "\"Wide Table\"");
}

#[test]
fn keywords_follow_operands_in_the_case_that_was_typed() {
    assert_eq!(first("SELECT * FROM orders WH|"), "WHERE");
    assert_eq!(first("select * from orders wh|"), "where");
    assert_eq!(first("select region, count(*) from orders gr|"), "group by");
    assert_eq!(first("SEL|"), "SELECT");
    assert_eq!(offered("select * from orders where region is n|"), ["null", "not null"]);
    assert_eq!(offered("SELECT * FROM orders ORDER |"), ["BY"]);
    assert_eq!(first("SELECT date_tr|"), "date_trunc(");
}

#[test]
fn settings_files_and_commands_have_their_places() {
    assert_eq!(offered("SET th|"), ["threads = "]);
    assert_eq!(offered("FROM 'da|"), ["data/"]);
    assert_eq!(offered("FROM 'data/|"), ["a.parquet"]);
    assert_eq!(offered("FROM 'data/.|"), [".hidden"]);
    assert_eq!(first(".ta|"), ".tables");
    assert_eq!(offered(".schema or|"), ["orders"]);
    assert_eq!(first(".mode js|"), "json");
    assert_eq!(offered(".cols orders reg|"), ["region"]);
    assert_eq!(offered(".read data/a|"), ["a.parquet"]);
    assert_eq!(offered("SELECT 1;\n.help sch|")[0], "schema");
    assert!(offered("-- FROM o|").is_empty());
}

#[test]
fn nothing_that_is_typed_does_harm() {
    let text = "SELECT \"a b\", 'ö' FROM orders -- x\nWHERE extract(year FROM d) = .5; .mode";
    for at in (0..=text.len()).filter(|at| text.is_char_boundary(*at)) {
        complete(&text[..at], at, &mut Fixed::new(3));
        complete(text, at, &mut Fixed::new(3));
    }
}

#[test]
fn sixteen_thousand_columns_are_ranked_in_an_instant() {
    let mut lookup = Fixed::new(16_000);
    for typed in ["", "a", "am", "ship", "rtax", "order_net_amount_001"] {
        let text = format!("SELECT {typed} FROM \"Wide Table\"");
        let best = (0..5)
            .map(|_| {
                let start = Instant::now();
                let found = complete(&text, "SELECT ".len() + typed.len(), &mut lookup);
                assert!(!found.candidates.is_empty());
                start.elapsed()
            })
            .min()
            .unwrap_or_default();
        // Ten milliseconds in a release build; tests run with less optimisation and in company.
        let limit = if cfg!(debug_assertions) { 40 } else { 10 };
        assert!(best < Duration::from_millis(limit), "{typed}: {best:?}");
    }
}
