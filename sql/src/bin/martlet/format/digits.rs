//! Digits of large numbers in groups of three, so that they can be read.
//!
//! By column: if one number has five digits or more before the point, all are grouped. Columns that
//! name things rather than count them (`order_id`, `year`, `zip_code`) keep their digits.

/// From this many digits on, numbers are grouped.
const DIGITS_MIN: usize = 5;
/// Beyond so many digits a number is a name, too.
const DIGITS_MAX: usize = 18;
/// Last words of the names of columns whose numbers are names.
const NAMING_WORDS: [&str; 8] = ["id", "ids", "key", "code", "year", "number", "no", "hash"];

/// Groups the digits of `cells`, numbers of the column `name`, if they are large.
pub(crate) fn group(name: &str, cells: &mut [String]) {
    let longest = cells.iter().map(|cell| whole_digits(cell).len()).max().unwrap_or(0);
    if !(DIGITS_MIN..=DIGITS_MAX).contains(&longest) || names_things(name) {
        return;
    }
    for cell in cells {
        let digits = whole_digits(cell);
        if digits.len() > 3 {
            let start = usize::from(cell.starts_with('-'));
            let end = start + digits.len();
            *cell = format!("{}{}{}", &cell[..start], grouped(digits), &cell[end..]);
        }
    }
}

/// The digits before the point of what is a plain number; none for `1e20`, `NaN` and `NULL`.
fn whole_digits(cell: &str) -> &str {
    let digits = cell.strip_prefix('-').unwrap_or(cell);
    let end = digits.find(|c: char| !c.is_ascii_digit()).unwrap_or(digits.len());
    let is_plain = digits[end..].chars().all(|c| c == '.' || c.is_ascii_digit());
    if is_plain { &digits[..end] } else { "" }
}

fn grouped(digits: &str) -> String {
    let mut text = String::with_capacity(digits.len() * 4 / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

fn names_things(name: &str) -> bool {
    let start = name
        .char_indices()
        .rev()
        .find(|(at, c)| {
            let before = name[..*at].chars().next_back();
            let begins_camel = c.is_uppercase() && before.is_some_and(char::is_lowercase);
            begins_camel || before.is_none_or(|before| !before.is_alphanumeric())
        })
        .map_or(0, |(at, _)| at);
    NAMING_WORDS.iter().any(|word| name[start..].eq_ignore_ascii_case(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(name: &str, cells: &[&str]) -> Vec<String> {
        let mut cells: Vec<String> = cells.iter().map(|cell| (*cell).to_owned()).collect();
        group(name, &mut cells);
        cells
    }

    #[test]
    fn large_numbers_are_grouped_by_column() {
        assert_eq!(shown("n", &["9999", "2026"]), ["9999", "2026"]);
        assert_eq!(shown("n", &["-12345.5", "1234", "12"]), ["-12,345.5", "1,234", "12"]);
        assert_eq!(shown("sum(n)", &["1234567890"]), ["1,234,567,890"]);
        assert_eq!(
            shown("x", &["1e20", "NaN", "NULL", "100000"]),
            ["1e20", "NaN", "NULL", "100,000"]
        );
    }

    #[test]
    fn numbers_that_are_names_keep_their_digits() {
        for name in ["id", "UserID", "order_id", "customerKey", "zip_code", "fiscal year"] {
            assert_eq!(shown(name, &["1234567"]), ["1234567"], "{name}");
        }
        for name in ["paid", "count(DISTINCT id)", "monkey", "valid"] {
            assert_eq!(shown(name, &["1234567"]), ["1,234,567"], "{name}");
        }
        assert_eq!(shown("n", &["1234567890123456789"]), ["1234567890123456789"]);
    }
}
