//! Random queries.

use martlet::{Connection, DataType};

use super::Random;
use super::expression::{Column, Expressions};

/// Writes queries over the table `t` of a database, which says what the types of a subquery are.
pub(crate) struct Queries<'a> {
    pub(crate) random: &'a mut Random,
    pub(crate) connection: &'a Connection,
    pub(crate) columns: &'a [Column],
}

impl Queries<'_> {
    /// A query that the binder takes, most of the time.
    pub(crate) fn query(&mut self, depth: u64) -> String {
        let (from, columns) = self.source(depth);
        let filter = if self.random.chance(60) {
            format!(" WHERE {}", self.expressions(&columns).predicate(2))
        } else {
            String::new()
        };
        if self.random.chance(55) {
            self.grouped(&from, &filter, &columns)
        } else {
            self.plain(&from, &filter, &columns)
        }
    }

    fn expressions<'e>(&'e mut self, columns: &'e [Column]) -> Expressions<'e> {
        Expressions { random: self.random, columns }
    }

    /// `t`, or a subquery with its columns.
    fn source(&mut self, depth: u64) -> (String, Vec<Column>) {
        if depth > 0 && self.random.chance(30) {
            let inner = self.query(depth - 1);
            if let Ok(plan) = self.connection.logical_plan(&inner) {
                let output = plan.output();
                let names: Vec<String> =
                    (0..output.len()).map(|index| format!("s{index}")).collect();
                let from = format!("({inner}) AS s({})", names.join(", "));
                let types = output.into_iter().map(|column| column.data_type);
                let columns = names.into_iter().zip(types);
                return (from, columns.filter(|(_, t)| *t != DataType::Null).collect());
            }
        }
        ("t".to_owned(), self.columns.to_vec())
    }

    fn plain(&mut self, from: &str, filter: &str, columns: &[Column]) -> String {
        let count = 1 + self.random.index(4);
        let items: Vec<String> = if self.random.chance(15) {
            vec!["*".to_owned()]
        } else {
            (0..count).map(|_| self.expressions(columns).any(2)).collect()
        };
        if items[0] != "*" && self.random.chance(15) {
            return self.windowed(items, from, filter, columns);
        }
        let distinct = if self.random.chance(20) { "DISTINCT " } else { "" };
        let width = if items[0] == "*" { columns.len() } else { items.len() };
        let end = self.end(width.max(1));
        format!("SELECT {distinct}{} FROM {from}{filter}{end}", items.join(", "))
    }

    /// Items beside a number in a partition, often filtered by it.
    fn windowed(
        &mut self,
        mut items: Vec<String>,
        from: &str,
        filter: &str,
        columns: &[Column],
    ) -> String {
        let name = self.random.pick(&["row_number", "row_number", "rank", "dense_rank"]);
        let partitions: Vec<String> =
            (0..self.random.below(3)).map(|_| self.window_key(columns)).collect();
        let keys: Vec<String> = (0..self.random.below(3))
            .map(|_| {
                let direction = self.random.pick(&["", " ASC", " DESC"]);
                let nulls = self.random.pick(&["", "", " NULLS FIRST", " NULLS LAST"]);
                format!("{}{direction}{nulls}", self.window_key(columns))
            })
            .collect();
        let clause = |words: &str, list: &[String]| match list {
            [] => String::new(),
            list => format!("{words} {} ", list.join(", ")),
        };
        let window = format!(
            "{name}() OVER ({}{})",
            clause("PARTITION BY", &partitions),
            clause("ORDER BY", &keys)
        );
        items.push(format!("{window} AS place"));
        let bound = self.random.below(4);
        let qualify = match self.random.below(6) {
            0 => String::new(),
            1 => format!(" QUALIFY {window} = {bound}"),
            2 => format!(" QUALIFY place BETWEEN 2 AND {bound}"),
            3 => {
                format!(" QUALIFY place <= {bound} AND {}", self.expressions(columns).predicate(1))
            }
            _ => format!(" QUALIFY place <= {bound}"),
        };
        if self.random.chance(20) {
            items.pop();
            if !qualify.contains(&window) {
                items.push(window);
                let qualify = qualify.replace("place", &items[items.len() - 1]);
                return format!("SELECT {} FROM {from}{filter}{qualify}", items.join(", "));
            }
        }
        let end = self.end(items.len());
        format!("SELECT {} FROM {from}{filter}{qualify}{end}", items.join(", "))
    }

    fn window_key(&mut self, columns: &[Column]) -> String {
        let depth = u64::from(self.random.chance(20));
        self.expressions(columns).any(depth)
    }

    fn grouped(&mut self, from: &str, filter: &str, columns: &[Column]) -> String {
        let key_count = [0, 1, 1, 1, 2, 2, 3, 5][self.random.index(8)];
        let keys: Vec<String> = (0..key_count)
            .map(|_| {
                let depth = if self.random.chance(70) { 0 } else { 2 };
                self.expressions(columns).any(depth)
            })
            .collect();
        let aggregate_count = self.random.index(4) + usize::from(keys.is_empty());
        let aggregates: Vec<String> =
            (0..aggregate_count).map(|_| self.aggregate(columns)).collect();
        let mut items = [keys.clone(), aggregates].concat();
        if self.random.chance(8) {
            let direction = self.random.pick(&["", " DESC"]);
            let name = self.random.pick(&["rank", "dense_rank"]);
            items.push(format!("{name}() OVER (ORDER BY count(*){direction})"));
        }
        let places: Vec<String> = (1..=keys.len()).map(|place| place.to_string()).collect();
        let group = if places.is_empty() {
            String::new()
        } else {
            format!(" GROUP BY {}", places.join(", "))
        };
        let having = match self.random.below(10) {
            0 => " HAVING count(*) > 1".to_owned(),
            1 => format!(" HAVING {} IS NOT NULL", self.aggregate(columns)),
            _ => String::new(),
        };
        let end = self.end(items.len());
        format!("SELECT {} FROM {from}{filter}{group}{having}{end}", items.join(", "))
    }

    fn aggregate(&mut self, columns: &[Column]) -> String {
        let depth = if self.random.chance(60) { 0 } else { 2 };
        let distinct = if self.random.chance(20) { "DISTINCT " } else { "" };
        let call = match self.random.below(12) {
            0 => "count(*)".to_owned(),
            1 | 2 => {
                let name = self.random.pick(&["count", "min", "max"]);
                format!("{name}({distinct}{})", self.expressions(columns).any(depth))
            }
            3 | 4 => {
                let name = self.random.pick(&["min", "max"]);
                format!("{name}({distinct}{})", self.expressions(columns).any(depth))
            }
            5 | 6 => self.quantile(columns, depth),
            7 => self.of_pairs(columns, depth),
            _ => {
                let name =
                    self.random.pick(&["sum", "avg", "sum", "avg", "var_samp", "stddev_pop"]);
                format!("{name}({distinct}{})", self.expressions(columns).number(depth))
            }
        };
        if self.random.chance(15) {
            format!("{call} FILTER (WHERE {})", self.expressions(columns).predicate(1))
        } else {
            call
        }
    }

    fn of_pairs(&mut self, columns: &[Column], depth: u64) -> String {
        let name = self.random.pick(&[
            "corr",
            "covar_pop",
            "covar_samp",
            "regr_r2",
            "regr_slope",
            "regr_intercept",
            "regr_count",
            "regr_avgx",
            "regr_avgy",
            "regr_sxx",
            "regr_syy",
            "regr_sxy",
        ]);
        let mut expressions = self.expressions(columns);
        let (y, x) = (expressions.number(depth), expressions.number(depth));
        format!("{name}({y}, {x})")
    }

    fn quantile(&mut self, columns: &[Column], depth: u64) -> String {
        let fraction = self.random.pick(&["0", "0.1", "0.25", "0.5", "0.7", "0.99", "1"]);
        let (any, number) = {
            let mut expressions = self.expressions(columns);
            (expressions.any(depth), expressions.number(depth))
        };
        match self.random.below(5) {
            0 => format!("median({number})"),
            1 => format!("quantile_cont({number}, {fraction})"),
            2 => format!("quantile_disc({any}, {fraction})"),
            3 => format!("percentile_cont({fraction}) WITHIN GROUP (ORDER BY {number} DESC)"),
            _ => format!("percentile_disc({fraction}) WITHIN GROUP (ORDER BY {any} DESC)"),
        }
    }

    /// ORDER BY and LIMIT.
    fn end(&mut self, width: usize) -> String {
        let mut end = String::new();
        if self.random.chance(60) {
            let key_count = if self.random.chance(70) { width } else { 1 };
            let start = self.random.index(width);
            let keys: Vec<String> = (0..key_count)
                .map(|key| {
                    let place = (start + key) % width + 1;
                    let direction = self.random.pick(&["", " ASC", " DESC"]);
                    let nulls = self.random.pick(&["", "", " NULLS FIRST", " NULLS LAST"]);
                    format!("{place}{direction}{nulls}")
                })
                .collect();
            end = format!(" ORDER BY {}", keys.join(", "));
        }
        if self.random.chance(30) {
            end = format!("{end} LIMIT {}", self.random.below(12));
            if self.random.chance(30) {
                end = format!("{end} OFFSET {}", self.random.below(5));
            }
        }
        end
    }
}
