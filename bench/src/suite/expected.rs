//! What the oracle answered: a line per size, seed and query.
//!
//! ```text
//! rows  seed  query  answer rows  hash  weighted sums of rounded columns
//! ```

use std::fmt::Write;

use super::Suite;
use super::answer::Answer;
use crate::{Result, context};

/// One line of an answers file.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Expected {
    pub(crate) rows: u64,
    pub(crate) seed: u64,
    /// The query's name.
    pub(crate) query: String,
    pub(crate) answer: Answer,
}

/// What the oracle answered to `suite` over a mart of that size and seed; none where it was not asked.
pub(crate) fn of(suite: Suite, rows: u64, seed: u64) -> Result<Vec<Expected>> {
    let mut lines = parse(suite.answers())?;
    lines.retain(|line| (line.rows, line.seed) == (rows, seed));
    Ok(lines)
}

/// The answer to the query of that name.
pub(crate) fn to<'a>(expected: &'a [Expected], query: &str) -> Option<&'a Answer> {
    expected.iter().find(|line| line.query == query).map(|line| &line.answer)
}

fn parse(text: &str) -> Result<Vec<Expected>> {
    let lines = text.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines.map(|line| parse_line(line).map_err(context(format!("in answers: {line}")))).collect()
}

fn parse_line(line: &str) -> Result<Expected> {
    let mut words = line.split_whitespace();
    let mut word = || words.next().ok_or("a word is missing");
    let (rows, seed) = (word()?.parse()?, word()?.parse()?);
    let query = word()?.to_owned();
    let (answer_rows, hash) = (word()?.parse()?, word()?.to_owned());
    let about = words.map(str::parse).collect::<std::result::Result<_, _>>()?;
    Ok(Expected { rows, seed, query, answer: Answer { rows: answer_rows, hash, about } })
}

/// The lines as they stand in a file.
pub(crate) fn to_text(lines: &[Expected]) -> String {
    let mut text = String::new();
    for Expected { rows, seed, query, answer } in lines {
        let _infallible = write!(text, "{rows}\t{seed}\t{query}\t{}\t{}", answer.rows, answer.hash);
        for sum in &answer.about {
            let _infallible = write!(text, "\t{sum:e}");
        }
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_read_as_they_were_written() -> Result<()> {
        let answer = Answer { rows: 3, hash: "00ff".into(), about: vec![1.5e20, -0.1] };
        let line = Expected { rows: 10, seed: 2, query: "1.1".into(), answer };
        let text = to_text(std::slice::from_ref(&line));
        assert_eq!(text, "10\t2\t1.1\t3\t00ff\t1.5e20\t-1e-1\n");
        assert_eq!(parse(&format!("# comment\n\n{text}"))?, [line]);
        assert!(parse("10 2 1.1").is_err());
        Ok(())
    }
}
