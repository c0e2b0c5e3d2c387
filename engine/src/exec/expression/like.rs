//! LIKE and ILIKE.
//!
//! A pattern is cut at its `%` into pieces that have to occur in order. Without `_` that is substring
//! search; with it, a match by characters. The `_` of LIKE is one character, not one byte. ILIKE folds
//! both sides by simple case folding first.

use std::sync::Arc;

use arrow::array::{Array, AsArray, BooleanArray};
use arrow::buffer::BooleanBuffer;
use memchr::memmem;

use super::operand::Operand;
use super::text::push_lower;
use crate::plan::LikePattern;
use crate::vector::TextPiece;

/// A LIKE pattern made ready for many texts.
#[derive(Clone, Debug)]
pub struct LikeMatcher {
    shape: Shape,
    case_insensitive: bool,
}

#[derive(Clone, Debug)]
enum Shape {
    /// No wildcard.
    Equal(String),
    /// Pieces without `_`, between `%`.
    Pieces { start: String, inner: Vec<memmem::Finder<'static>>, end: String },
    /// Anything with `_`.
    Tokens(Vec<Token>),
    /// The pattern ends in its escape character: matches nothing.
    Never,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Token {
    Char(char),
    AnyChar,
    AnyText,
}

impl LikeMatcher {
    /// Reads the pattern.
    pub fn new(pattern: &LikePattern) -> LikeMatcher {
        let folded = if pattern.case_insensitive {
            folded(&pattern.pattern)
        } else {
            pattern.pattern.clone()
        };
        LikeMatcher {
            shape: Shape::new(&folded, pattern.escape),
            case_insensitive: pattern.case_insensitive,
        }
    }

    /// Whether the whole text matches.
    pub fn matches(&self, text: &str) -> bool {
        if self.case_insensitive {
            return self.shape.matches(&folded(text));
        }
        self.shape.matches(text)
    }

    /// Calls `found` with the position of each text of a piece that matches, in order; `None` when the
    /// piece is not UTF-8. `%needle%` costs one substring search over all texts at once.
    pub fn matches_in(&self, piece: TextPiece<'_>, mut found: impl FnMut(usize)) -> Option<()> {
        match &self.shape {
            Shape::Never => {}
            Shape::Pieces { start, inner, end } if !self.case_insensitive => {
                let (start, end) = (start.as_bytes(), end.as_bytes());
                if let ([first, rest @ ..], true) = (&inner[..], start.is_empty() && end.is_empty())
                {
                    search(piece, first, rest, found);
                    return Some(());
                }
                for index in 0..piece.len() {
                    let text = piece.value(index).strip_prefix(start);
                    let text = text.and_then(|text| text.strip_suffix(end));
                    if text.is_some_and(|text| contains_in_order(text, inner)) {
                        found(index);
                    }
                }
            }
            _ => {
                std::str::from_utf8(piece.bytes).ok()?;
                for index in 0..piece.len() {
                    let text = std::str::from_utf8(piece.value(index)).ok()?;
                    if self.matches(text) {
                        found(index);
                    }
                }
            }
        }
        Some(())
    }

    /// The text that a match has to contain and that suffices: the pattern is `%needle%`, without
    /// case folding. Then a substring search over many values at once replaces `matches`.
    pub fn needle(&self) -> Option<&[u8]> {
        match &self.shape {
            Shape::Pieces { start, inner, end }
                if start.is_empty() && end.is_empty() && !self.case_insensitive =>
            {
                match inner.as_slice() {
                    [needle] => Some(needle.needle()),
                    _ => None,
                }
            }
            _ => None,
        }
    }

    /// A prefix that every match has, byte for byte; empty when there is none.
    pub fn prefix(&self) -> &str {
        match &self.shape {
            Shape::Equal(text) | Shape::Pieces { start: text, .. } if !self.case_insensitive => {
                text
            }
            _ => "",
        }
    }
}

impl Shape {
    fn new(pattern: &str, escape: Option<char>) -> Shape {
        let Some(tokens) = tokens(pattern, escape) else {
            return Shape::Never;
        };
        if tokens.contains(&Token::AnyChar) {
            return Shape::Tokens(tokens);
        }
        let mut pieces: Vec<String> = tokens
            .split(|token| *token == Token::AnyText)
            .map(|piece| {
                piece
                    .iter()
                    .filter_map(|token| match token {
                        Token::Char(c) => Some(*c),
                        Token::AnyChar | Token::AnyText => None,
                    })
                    .collect()
            })
            .collect();
        let end = pieces.pop().unwrap_or_default();
        if pieces.is_empty() {
            return Shape::Equal(end);
        }
        let start = pieces.remove(0);
        let inner = pieces
            .iter()
            .filter(|piece| !piece.is_empty())
            .map(|piece| memmem::Finder::new(piece).into_owned())
            .collect();
        Shape::Pieces { start, inner, end }
    }

    fn matches(&self, text: &str) -> bool {
        match self {
            Shape::Equal(expected) => text == expected,
            Shape::Pieces { start, inner, end } => {
                let rest = text.strip_prefix(start.as_str());
                let rest = rest.and_then(|rest| rest.strip_suffix(end.as_str()));
                rest.is_some_and(|rest| contains_in_order(rest.as_bytes(), inner))
            }
            Shape::Tokens(tokens) => matches_tokens(text, tokens),
            Shape::Never => false,
        }
    }
}

/// `None` when the pattern ends in its escape character.
fn tokens(pattern: &str, escape: Option<char>) -> Option<Vec<Token>> {
    let mut tokens = Vec::new();
    let mut chars = pattern.chars();
    while let Some(c) = chars.next() {
        tokens.push(match c {
            _ if Some(c) == escape => Token::Char(chars.next()?),
            '%' => Token::AnyText,
            '_' => Token::AnyChar,
            _ => Token::Char(c),
        });
    }
    Some(tokens)
}

/// Each piece is taken at its first place after the one before, which never spoils a later match.
fn contains_in_order(text: &[u8], pieces: &[memmem::Finder<'static>]) -> bool {
    let mut rest = text;
    for piece in pieces {
        match piece.find(rest) {
            Some(at) => rest = &rest[at + piece.needle().len()..],
            None => return false,
        }
    }
    true
}

/// Finds `first` in all texts at once; a hit that is in one text, followed there by `rest`, counts.
fn search(
    piece: TextPiece<'_>,
    first: &memmem::Finder<'static>,
    rest: &[memmem::Finder<'static>],
    mut found: impl FnMut(usize),
) {
    let needle_len = first.needle().len();
    let (mut index, mut from) = (0, 0);
    while let Some(at) = first.find(&piece.bytes[from..]) {
        let hit = from + at;
        let is_before = |end: &u32| *end as usize <= hit;
        // The text that holds the hit: mostly not far from the last.
        let ends = &piece.offsets[index + 1..];
        let mut near = 1;
        while ends.get(near).is_some_and(is_before) {
            near *= 2;
        }
        index += ends[..ends.len().min(near + 1)].partition_point(is_before);
        let Some(end) = piece.offsets.get(index + 1).map(|end| *end as usize) else {
            return;
        };
        let after = hit + needle_len;
        if after > end {
            // It reaches into the next text.
            from = hit + 1;
        } else if contains_in_order(&piece.bytes[after..end], rest) {
            found(index);
            (index, from) = (index + 1, end);
        } else {
            // What is missing behind the first hit is missing behind any later one.
            (index, from) = (index + 1, end);
        }
        if index + 1 >= piece.offsets.len() {
            return;
        }
    }
}

/// Greedy matching that goes back to the last `%` only: linear in practice, quadratic at worst.
fn matches_tokens(text: &str, tokens: &[Token]) -> bool {
    let mut rest = text.chars();
    let mut at = 0;
    let mut restart: Option<(usize, std::str::Chars<'_>)> = None;
    loop {
        if tokens.get(at) == Some(&Token::AnyText) {
            at += 1;
            restart = Some((at, rest.clone()));
            continue;
        }
        let mut ahead = rest.clone();
        let next = ahead.next();
        match (next, tokens.get(at)) {
            (None, None) => return true,
            (Some(_), Some(Token::AnyChar)) => (rest, at) = (ahead, at + 1),
            (Some(found), Some(Token::Char(expected))) if found == *expected => {
                (rest, at) = (ahead, at + 1);
            }
            _ => {
                let Some((after, from)) = &mut restart else {
                    return false;
                };
                if from.next().is_none() {
                    return false;
                }
                (at, rest) = (*after, from.clone());
            }
        }
    }
}

fn folded(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    push_lower(text, &mut out);
    out
}

pub(super) fn like(input: &Operand, pattern: &LikePattern) -> Operand {
    let matcher = LikeMatcher::new(pattern);
    let array = input.array().as_string::<i32>();
    let matches = BooleanBuffer::collect_bool(array.len(), |row| {
        array.is_valid(row) && matcher.matches(array.value(row))
    });
    input.with_array(Arc::new(BooleanArray::new(matches, array.nulls().cloned())))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(text: &str, pattern: &str, escape: Option<char>, case_insensitive: bool) -> bool {
        let pattern = LikePattern { pattern: pattern.into(), escape, case_insensitive };
        LikeMatcher::new(&pattern).matches(text)
    }

    #[test]
    fn patterns_match_as_in_postgres() {
        // PostgreSQL 15 gave every answer.
        for (text, pattern, expected) in [
            ("abc", "abc", true),
            ("abc", "a%", true),
            ("abc", "%c", true),
            ("abc", "%b%", true),
            ("abc", "%bc%d", false),
            ("abab", "%ab%ab", true),
            ("aba", "%ab%ba", false),
            ("aa", "a%a", true),
            ("a", "a%a", false),
            ("é", "_", true),
            ("日本", "__", true),
            ("👍", "_", true),
            ("a\nb", "a%b", true),
            ("a\nb", "a_b", true),
            ("a%b", "a\\%b", true),
            ("axb", "a\\%b", false),
            ("a\\b", "a\\\\b", true),
            ("a", "a\\", false),
            ("ABC", "abc", false),
            ("", "", true),
            ("", "%", true),
            ("", "_", false),
            ("abcde", "a%_e", true),
            ("aXbXc", "%_b_%", true),
            ("mississippi", "m%iss_p%", true),
            ("mississippi", "m%iss_x%", false),
        ] {
            assert_eq!(matches(text, pattern, Some('\\'), false), expected, "{text} {pattern}");
        }
    }

    #[test]
    fn the_escape_can_be_another_character_or_none() {
        assert!(matches("a%b", "a#%b", Some('#'), false));
        assert!(!matches("axb", "a#%b", Some('#'), false));
        assert!(matches("a\\xb", "a\\%b", None, false));
        assert!(!matches("a%b", "a\\%b", None, false));
    }

    #[test]
    fn case_folding_is_one_character_for_one() {
        assert!(matches("ÄÖ", "äö", Some('\\'), true));
        assert!(!matches("ß", "SS", Some('\\'), true));
        assert!(matches("STRAßE", "stra_e", Some('\\'), true));
    }

    #[test]
    fn a_substring_pattern_gives_its_needle() {
        let matcher = |pattern: &str| {
            LikeMatcher::new(&LikePattern {
                pattern: pattern.into(),
                escape: Some('\\'),
                case_insensitive: false,
            })
        };
        assert_eq!(matcher("%google%").needle(), Some("google".as_bytes()));
        assert_eq!(matcher("%a%b%").needle(), None);
        assert_eq!(matcher("google%").needle(), None);
        assert_eq!(matcher("google%x").prefix(), "google");
    }

    #[test]
    fn a_piece_is_searched_as_its_texts_are() {
        let texts = words(&['a', 'b', 'é'], 4);
        let bytes: Vec<u8> = texts.iter().flat_map(|text| text.bytes()).collect();
        let mut offsets = vec![0];
        for text in &texts {
            offsets.push(offsets[offsets.len() - 1] + u32::try_from(text.len()).unwrap());
        }
        let piece = TextPiece { first_id: 0, offsets: &offsets, bytes: &bytes, is_ascii: false };
        for pattern in words(&['a', 'b', 'é', '%', '_'], 4) {
            for case_insensitive in [false, true] {
                let pattern =
                    LikePattern { pattern: pattern.clone(), escape: Some('b'), case_insensitive };
                let matcher = LikeMatcher::new(&pattern);
                let naive: Vec<usize> =
                    (0..texts.len()).filter(|index| matcher.matches(&texts[*index])).collect();
                let mut found = Vec::new();
                matcher.matches_in(piece, |index| found.push(index)).expect("UTF-8");
                assert_eq!(found, naive, "{pattern:?}");
            }
        }
    }

    #[test]
    fn pieces_and_tokens_agree() {
        let texts = words(&['a', 'b'], 5);
        for pattern in words(&['a', 'b', '%'], 4) {
            let tokens = tokens(&pattern, None).unwrap();
            for text in &texts {
                let by_pieces = matches(text, &pattern, None, false);
                assert_eq!(by_pieces, matches_tokens(text, &tokens), "{text} {pattern}");
            }
        }
    }

    /// Every word over `letters` of up to `len_max` letters.
    fn words(letters: &[char], len_max: usize) -> Vec<String> {
        let mut words = vec![String::new()];
        let mut start = 0;
        for _ in 0..len_max {
            let end = words.len();
            for index in start..end {
                let longer = letters.iter().map(|letter| format!("{}{letter}", words[index]));
                let longer: Vec<String> = longer.collect();
                words.extend(longer);
            }
            start = end;
        }
        words
    }
}
