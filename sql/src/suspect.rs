//! Where in a query a value may have failed that nobody knew before it ran.
//!
//! Execution knows values, not SQL: that something was divided by zero, not where. What a query has
//! one of, a division, a cast, a multiplication, must have been it; with several of them the error
//! stays without a place.

use martlet_engine::types::{Error, ErrorKind};
use sqlparser::tokenizer::{Token, TokenWithSpan};

use crate::parse::is_operand;
use crate::parse::position::start_of;

/// The operators, functions and casts of one query.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Suspects(Vec<(Suspect, usize)>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Suspect {
    /// `+`, `-`, `*`, `/` or `%` between operands.
    Operator(char),
    /// A word before a parenthesis, in lower case.
    Function(String),
    /// `CAST(`, `::` or `date '…'`.
    Cast,
    /// A column in `types => {…}` whose values are cast as a Parquet or Arrow file is read.
    Typed,
}

impl Suspects {
    /// Those among the tokens of a text; none when it has several statements.
    pub(crate) fn of(tokens: &[TokenWithSpan]) -> Suspects {
        let mut found = Vec::new();
        // Text files have errors of their own, which name the line.
        let mut reads_typed = false;
        for (at, token) in tokens.iter().enumerate() {
            let (before, after) = (at.checked_sub(1).map(|at| &tokens[at]), tokens.get(at + 1));
            let is_called = after.is_some_and(|after| after.token == Token::LParen);
            let between = |operator: char| {
                before.is_some_and(is_operand).then_some(Suspect::Operator(operator))
            };
            let suspect = match &token.token {
                Token::SemiColon if after.is_some_and(|after| after.token != Token::EOF) => {
                    return Suspects::default();
                }
                Token::Word(word) if reads_typed && word.value.eq_ignore_ascii_case("types") => {
                    found.extend(typed(&tokens[at + 1..]));
                    None
                }
                Token::Plus => between('+'),
                Token::Minus => between('-'),
                Token::Mul => between('*'),
                Token::Div => between('/'),
                Token::Mod => between('%'),
                Token::DoubleColon => Some(Suspect::Cast),
                Token::Word(word) if is_called && word.quote_style.is_none() => {
                    match word.value.to_lowercase() {
                        name if name == "cast" => Some(Suspect::Cast),
                        name => {
                            if let Some(format) = name.strip_prefix("read_") {
                                reads_typed = matches!(format, "parquet" | "arrow");
                            }
                            Some(Suspect::Function(name))
                        }
                    }
                }
                _ => None,
            };
            found.extend(suspect.zip(start_of(token.span)));
        }
        Suspects(found)
    }

    /// The error where it happened, if that is certain, with what to do about it.
    pub(crate) fn place(&self, error: Error) -> Error {
        if error.position().is_some() {
            return error;
        }
        let message = error.message();
        let (place, hint) = match error.kind() {
            ErrorKind::DivisionByZero => {
                let divides = |suspect: &Suspect| match suspect {
                    Suspect::Operator(operator) => matches!(operator, '/' | '%'),
                    Suspect::Function(name) => matches!(name.as_str(), "mod" | "div" | "fmod"),
                    Suspect::Cast | Suspect::Typed => false,
                };
                (self.only(divides), "x / nullif(y, 0) is NULL where y is 0")
            }
            ErrorKind::InvalidText if message.starts_with("invalid input syntax") => {
                let casts = |suspect: &Suspect| matches!(suspect, Suspect::Cast | Suspect::Typed);
                let place = self.only(casts);
                if place.is_some_and(|place| self.0.contains(&(Suspect::Typed, place))) {
                    (place, "types => {'column': 'text'} reads it as text")
                } else {
                    (place, "TRY_CAST(… AS type) is NULL where a text is no such value")
                }
            }
            ErrorKind::OutOfRange if message.contains(" out of range: ") => {
                (self.overflown(message), "cast an operand to a wider type, decimal or double")
            }
            _ => return error,
        };
        let Some(place) = place else { return error };
        let error = error.at(place);
        if error.hint().is_some() { error } else { error.with_hint(hint) }
    }

    /// What the message of an overflow names.
    fn overflown(&self, message: &str) -> Option<usize> {
        let (_, shown) = message.split_once(" out of range: ")?;
        let names = |suspect: &Suspect| match suspect {
            Suspect::Operator(operator) => shown.contains(&format!(" {operator} ")),
            Suspect::Function(name) => shown.starts_with(&format!("{name}(")),
            Suspect::Cast | Suspect::Typed => false,
        };
        self.only(names)
    }

    /// The place of the only one that is so.
    fn only(&self, is_so: impl Fn(&Suspect) -> bool) -> Option<usize> {
        let mut places = self.0.iter().filter(|(suspect, _)| is_so(suspect));
        let (_, place) = places.next()?;
        places.next().is_none().then_some(*place)
    }
}

/// The columns of an option's value `=> {'a': 'int', 'b': 'date'}`, which `tokens` begin with; not those
/// that become text, which anything can.
fn typed(tokens: &[TokenWithSpan]) -> Vec<(Suspect, usize)> {
    let [arrow, brace, entries @ ..] = tokens else { return Vec::new() };
    if (&arrow.token, &brace.token) != (&Token::RArrow, &Token::LBrace) {
        return Vec::new();
    }
    let is_text = |token: &Token| match token {
        Token::SingleQuotedString(name) => {
            ["text", "varchar", "string"].iter().any(|text| name.eq_ignore_ascii_case(text))
        }
        _ => false,
    };
    let end = entries.iter().position(|token| token.token == Token::RBrace);
    let columns = entries[..end.unwrap_or(entries.len())]
        .windows(3)
        .filter(|entry| entry[1].token == Token::Colon && !is_text(&entry[2].token));
    columns.filter_map(|entry| Some((Suspect::Typed, start_of(entry[0].span)?))).collect()
}

#[cfg(test)]
mod tests {
    use martlet_engine::types::Result;

    use super::*;

    /// Where `error` is placed in `sql`.
    fn placed(sql: &str, error: Error) -> Result<Option<usize>> {
        Ok(Suspects::of(&crate::parse::parse(sql)?.tokens).place(error).position())
    }

    #[test]
    fn the_only_one_that_can_have_failed_has() -> Result<()> {
        let zero = Error::division_by_zero;
        assert_eq!(placed("SELECT a + b / c FROM t", zero())?, Some(13));
        assert_eq!(placed("SELECT a / b, c % d FROM t", zero())?, None);
        assert_eq!(placed("SELECT a / b, mod(c, d) FROM t", zero())?, None);
        assert_eq!(placed("SELECT a / b; SELECT 1", zero())?, None);
        let large = || Error::out_of_range("bigint out of range: 7 * 1000");
        assert_eq!(placed("SELECT count(*), sum(x * -1000), * FROM t", large())?, Some(23));
        assert_eq!(placed("SELECT x + 1 FROM t", large())?, None);
        let text = || Error::invalid_text("invalid input syntax for type integer: \"x\"");
        assert_eq!(placed("SELECT a::int FROM t;", text())?, Some(8));
        assert_eq!(placed("SELECT CAST(a AS int) FROM t", text())?, Some(7));
        assert_eq!(placed("SELECT TRY_CAST(a AS int), b::int FROM t", text())?, Some(28));
        assert_eq!(placed("SELECT a::int, b::int FROM t", text())?, None);
        let typed = "FROM read_parquet('x', types => {'b': 'text', 'a': 'int'})";
        assert_eq!(placed(typed, text())?, Some(46));
        let typed = "FROM read_parquet('x', types => {'a': 'int', 'b': 'date'})";
        assert_eq!(placed(typed, text())?, None);
        let typed = "FROM read_csv('x', types => {'a': 'int'})";
        assert_eq!(placed(typed, text())?, None);
        Ok(())
    }

    #[test]
    fn what_has_a_place_or_another_cause_stays() -> Result<()> {
        assert_eq!(placed("SELECT 1 / 0", Error::division_by_zero().at(3))?, Some(3));
        let file = Error::invalid_text("x.csv: line 2: invalid input syntax for type integer");
        assert_eq!(placed("SELECT a::int FROM 'x.csv'", file)?, None);
        assert_eq!(placed("SELECT 1 / 0", Error::cancelled())?, None);
        Ok(())
    }
}
