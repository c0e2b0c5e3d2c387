//! The columns of a wide table by the words that their names begin with.

use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, StringArray};
use arrow::record_batch::RecordBatch;

/// Larger groups are divided by another word.
const GROUP_MAX: usize = 24;
/// Words of a prefix, at most.
const WORDS_MAX: usize = 3;
/// Names shown of a group, without what they begin with.
const NAMES_MAX: usize = 4;
/// Types named of a group.
const TYPES_MAX: usize = 3;

/// A column: its name and its type.
type Column<'a> = (&'a str, &'a str);

/// A row for each group of columns that share their first words, in order.
pub(crate) fn overview(columns: &[Column<'_>]) -> Option<RecordBatch> {
    let groups = grouped(columns, 1);
    let count = |group: &Group<'_>| i64::try_from(group.columns.len()).unwrap_or(i64::MAX);
    RecordBatch::try_from_iter([
        ("columns", texts(groups.iter().map(Group::title))),
        ("count", Arc::new(Int64Array::from_iter_values(groups.iter().map(count))) as ArrayRef),
        ("types", texts(groups.iter().map(Group::types))),
        ("followed by", texts(groups.iter().map(Group::names))),
    ])
    .ok()
}

fn texts(values: impl Iterator<Item = String>) -> ArrayRef {
    Arc::new(StringArray::from_iter_values(values))
}

/// Columns whose names begin alike.
struct Group<'a> {
    prefix: &'a str,
    columns: Vec<Column<'a>>,
}

impl Group<'_> {
    fn title(&self) -> String {
        match self.columns[..] {
            [(name, _)] => name.to_owned(),
            _ => format!("{}*", self.prefix),
        }
    }

    /// `double 40, text 3`.
    fn types(&self) -> String {
        let mut counts: Vec<(&str, usize)> = Vec::new();
        for (_, data_type) in &self.columns {
            match counts.iter_mut().find(|(known, _)| known == data_type) {
                Some((_, count)) => *count += 1,
                None => counts.push((data_type, 1)),
            }
        }
        counts.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        if let [(only, _)] = counts[..] {
            return only.to_owned();
        }
        let rest = if counts.len() > TYPES_MAX { ", …" } else { "" };
        let named = counts.iter().take(TYPES_MAX).map(|(name, count)| format!("{name} {count}"));
        named.collect::<Vec<_>>().join(", ") + rest
    }

    fn names(&self) -> String {
        if self.columns.len() == 1 {
            return String::new();
        }
        let rest = if self.columns.len() > NAMES_MAX { ", …" } else { "" };
        let rests = self.columns.iter().map(|(name, _)| &name[self.prefix.len()..]);
        let names = rests.filter(|rest| !rest.is_empty()).take(NAMES_MAX);
        names.collect::<Vec<_>>().join(", ") + rest
    }
}

/// The columns by their first `word_count` words; groups that are too large by one word more.
fn grouped<'a>(columns: &[Column<'a>], word_count: usize) -> Vec<Group<'a>> {
    let mut groups: Vec<Group<'a>> = Vec::new();
    for column in columns {
        let prefix = prefix(column.0, word_count);
        match groups.iter_mut().find(|group| group.prefix == prefix) {
            Some(group) => group.columns.push(*column),
            None => groups.push(Group { prefix, columns: vec![*column] }),
        }
    }
    if word_count == WORDS_MAX {
        return groups;
    }
    let mut divided = Vec::new();
    for group in groups {
        if group.columns.len() <= GROUP_MAX {
            divided.push(group);
            continue;
        }
        let parts = grouped(&group.columns, word_count + 1);
        // Numbers behind a word tell nothing apart.
        if parts.len() * 3 <= group.columns.len() {
            divided.extend(parts);
        } else {
            divided.push(group);
        }
    }
    divided
}

/// The first words of a name with what ends them: `order_` of `order_date`, `Order` of `OrderDate`.
fn prefix(name: &str, word_count: usize) -> &str {
    let mut words = 0;
    let mut before: Option<char> = None;
    for (at, c) in name.char_indices() {
        let is_border = before.is_some_and(|before| {
            before == '_'
                || (c.is_uppercase() && before.is_lowercase())
                || (c.is_ascii_digit() && before.is_alphabetic())
        });
        words += usize::from(is_border);
        if words == word_count {
            return &name[..at];
        }
        before = Some(c);
    }
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prefix_ends_at_a_border_of_words() {
        assert_eq!(prefix("order_net_amount", 1), "order_");
        assert_eq!(prefix("order_net_amount", 2), "order_net_");
        assert_eq!(prefix("OrderDate", 1), "Order");
        assert_eq!(prefix("m17", 1), "m");
        assert_eq!(prefix("region", 1), "region");
    }

    #[test]
    fn every_column_is_in_one_group() {
        let names: Vec<String> = (0..4_001)
            .map(|at| match at % 4 {
                0 => format!("measure_{at:04}"),
                1 => format!("order_{}_amount_{at}", ["net", "gross", "tax"][at % 3]),
                2 => format!("Param{at}"),
                _ => format!("only{at}x"),
            })
            .collect();
        let columns: Vec<Column<'_>> = names.iter().map(|name| (name.as_str(), "double")).collect();
        let groups = grouped(&columns, 1);
        assert_eq!(groups.iter().map(|group| group.columns.len()).sum::<usize>(), 4_001);
        let titles: Vec<String> = groups.iter().map(Group::title).collect();
        for title in ["measure_*", "order_net_amount_*", "Param*", "only*"] {
            assert!(titles.contains(&title.to_owned()), "{titles:?}");
        }
        assert!(groups.len() < 20, "{titles:?}");
    }
}
