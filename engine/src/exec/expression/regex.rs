//! `regexp_replace`, `regexp_matches`, `regexp_extract`.
//!
//! Patterns are those of the regex crate: linear time, no back-references, leftmost-first
//! alternation (PostgreSQL takes the longest). As in PostgreSQL, `.` matches a line end and `^` and
//! `$` only the ends of the text, unless flags say otherwise. A pattern is compiled once per batch.

use std::sync::Arc;

use arrow::array::BooleanArray;
use arrow::datatypes::Int64Type;
use hashbrown::HashMap;
use regex::{CaptureLocations, Regex, RegexBuilder};

use super::anchored::{Anchored, Groups};
use super::operand::{Operand, Texts, build_texts, check_text_len, computed_len};
use crate::context::Context;
use crate::types::{Error, Result};

/// Different patterns kept compiled at once, for patterns that come from a column.
const PATTERNS_MAX: usize = 64;

/// A compiled pattern and where it last matched.
struct Pattern {
    regex: Regex,
    is_global: bool,
    locations: CaptureLocations,
    /// The same pattern, where it is a simple one.
    anchored: Option<Anchored>,
}

impl Pattern {
    fn new(pattern: &str, flags: &str, takes_global: bool) -> Result<Pattern> {
        let mut builder = RegexBuilder::new(pattern);
        builder.dot_matches_new_line(true);
        let mut is_global = false;
        for flag in flags.chars() {
            match flag {
                'g' if takes_global => is_global = true,
                'i' => _ = builder.case_insensitive(true),
                'c' => _ = builder.case_insensitive(false),
                'x' => _ = builder.ignore_whitespace(true),
                's' => _ = builder.dot_matches_new_line(true).multi_line(false),
                'n' | 'm' => _ = builder.dot_matches_new_line(false).multi_line(true),
                _ => {
                    return Err(Error::invalid_text(format!(
                        "regular expressions have no flag \"{flag}\" here"
                    ))
                    .with_hint(
                        "the flags are g (all matches, in regexp_replace), i, c, n, s and x",
                    ));
                }
            }
        }
        let regex = builder.build().map_err(|error| {
            let reason = error.to_string();
            let reason = reason.lines().last().unwrap_or_default().trim_start_matches("error: ");
            Error::invalid_text(format!("invalid regular expression {pattern:?}: {reason}"))
        })?;
        let locations = regex.capture_locations();
        let anchored = if flags.is_empty() { Anchored::new(pattern) } else { None };
        Ok(Pattern { regex, is_global, locations, anchored })
    }
}

/// The patterns of a batch, compiled when first met.
struct Patterns {
    by_text: HashMap<(String, String), Pattern>,
    takes_global: bool,
}

impl Patterns {
    fn new(takes_global: bool) -> Patterns {
        Patterns { by_text: HashMap::new(), takes_global }
    }

    fn get(&mut self, pattern: &str, flags: &str) -> Result<&mut Pattern> {
        if self.by_text.len() >= PATTERNS_MAX {
            self.by_text.clear();
        }
        let key = (pattern.to_owned(), flags.to_owned());
        match self.by_text.entry(key) {
            hashbrown::hash_map::Entry::Occupied(entry) => Ok(entry.into_mut()),
            hashbrown::hash_map::Entry::Vacant(entry) => {
                Ok(entry.insert(Pattern::new(pattern, flags, self.takes_global)?))
            }
        }
    }
}

/// The pattern of each row: compiled once when it is the same for all.
struct PatternColumn<'a> {
    patterns: Texts<'a>,
    flags: Option<Texts<'a>>,
    constant: Option<Pattern>,
    varying: Patterns,
}

impl<'a> PatternColumn<'a> {
    fn new(
        patterns: Texts<'a>,
        flags: Option<Texts<'a>>,
        takes_global: bool,
    ) -> Result<PatternColumn<'a>> {
        let constant_flags = flags.as_ref().map_or(Some(""), Texts::constant);
        let constant = match (patterns.constant(), constant_flags) {
            (Some(pattern), Some(flags)) => Some(Pattern::new(pattern, flags, takes_global)?),
            _ => None,
        };
        Ok(PatternColumn { patterns, flags, constant, varying: Patterns::new(takes_global) })
    }

    /// `None` when the row's pattern or flags are NULL.
    fn get(&mut self, row: usize) -> Result<Option<&mut Pattern>> {
        if self.constant.is_some() {
            return Ok(self.constant.as_mut());
        }
        let flags = match &self.flags {
            None => Some(""),
            Some(flags) => flags.get(row),
        };
        match (self.patterns.get(row), flags) {
            (Some(pattern), Some(flags)) => self.varying.get(pattern, flags).map(Some),
            _ => Ok(None),
        }
    }
}

/// A piece of a replacement text.
enum Piece<'a> {
    Text(&'a str),
    Group(usize),
}

/// Reads `\1`…`\9`, `\&` (the whole match) and `\\`; any other backslash is itself.
fn pieces(replacement: &str) -> Vec<Piece<'_>> {
    let mut pieces = Vec::new();
    let mut rest = replacement;
    while let Some(at) = rest.find('\\') {
        pieces.push(Piece::Text(&rest[..at]));
        let after = &rest[at + 1..];
        let (piece, taken) = match after.bytes().next() {
            Some(digit @ b'1'..=b'9') => (Piece::Group(usize::from(digit - b'0')), 1),
            Some(b'&') => (Piece::Group(0), 1),
            Some(b'\\') => (Piece::Text("\\"), 1),
            _ => (Piece::Text("\\"), 0),
        };
        pieces.push(piece);
        rest = &after[taken..];
    }
    pieces.push(Piece::Text(rest));
    pieces
}

/// `regexp_replace(a, pattern, replacement, flags)`
pub(super) fn replace(inputs: &[Operand], context: &Context) -> Result<Operand> {
    let (texts, replacements) = (inputs[0].texts(), inputs[2].texts());
    let mut patterns = PatternColumn::new(inputs[1].texts(), Some(inputs[3].texts()), true)?;
    let constant = replacements.constant().map(pieces);
    build_texts(inputs, context, |row, out| {
        let (Some(text), Some(replacement)) = (texts.get(row), replacements.get(row)) else {
            return Ok(false);
        };
        let Some(pattern) = patterns.get(row)? else {
            return Ok(false);
        };
        match &constant {
            Some(pieces) => replace_one(text, pattern, pieces, out)?,
            None => replace_one(text, pattern, &pieces(replacement), out)?,
        }
        Ok(true)
    })
}

fn replace_one(
    text: &str,
    pattern: &mut Pattern,
    pieces: &[Piece<'_>],
    out: &mut String,
) -> Result<()> {
    if let Some(anchored) = &pattern.anchored {
        return replace_anchored(text, anchored, pieces, out);
    }
    let Pattern { regex, is_global, locations, .. } = pattern;
    let (mut copied, mut from) = (0, 0);
    while from <= text.len() {
        let Some(found) = regex.captures_read_at(locations, text, from) else {
            break;
        };
        out.push_str(&text[copied..found.start()]);
        for piece in pieces {
            match piece {
                Piece::Text(piece) => out.push_str(piece),
                Piece::Group(group) => {
                    out.push_str(
                        locations.get(*group).map_or("", |(start, end)| &text[start..end]),
                    );
                }
            }
        }
        check_text_len("regexp_replace", Some(out.len()))?;
        copied = found.end();
        from = if found.is_empty() { next_char(text, copied) } else { copied };
        if !*is_global {
            break;
        }
    }
    out.push_str(&text[copied..]);
    Ok(())
}

/// A pattern that is tied to the start of the text matches at most once.
fn replace_anchored(
    text: &str,
    pattern: &Anchored,
    pieces: &[Piece<'_>],
    out: &mut String,
) -> Result<()> {
    let mut groups = Groups::default();
    if !pattern.captures(text, &mut groups) {
        out.push_str(text);
        return Ok(());
    }
    for piece in pieces {
        match piece {
            Piece::Text(piece) => out.push_str(piece),
            Piece::Group(group) => {
                let (start, end) = groups.get(*group).copied().unwrap_or_default();
                out.push_str(&text[start..end]);
            }
        }
    }
    out.push_str(&text[groups[0].1..]);
    check_text_len("regexp_replace", Some(out.len()))
}

/// After an empty match the search goes on one character later; past the end it stops.
fn next_char(text: &str, at: usize) -> usize {
    at + text[at..].chars().next().map_or(1, char::len_utf8)
}

/// `regexp_matches(a, pattern, flags)`
pub(super) fn matches(inputs: &[Operand]) -> Result<Operand> {
    let texts = inputs[0].texts();
    let flags = inputs.get(2).map(Operand::texts);
    let mut patterns = PatternColumn::new(inputs[1].texts(), flags, false)?;
    let found: Result<BooleanArray> = (0..computed_len(inputs))
        .map(|row| {
            let Some(text) = texts.get(row) else {
                return Ok(None);
            };
            Ok(patterns.get(row)?.map(|pattern| pattern.regex.is_match(text)))
        })
        .collect();
    Ok(Operand::computed(Arc::new(found?), inputs))
}

/// `regexp_extract(a, pattern, group)`
pub(super) fn extract(inputs: &[Operand], context: &Context) -> Result<Operand> {
    let (texts, groups) = (inputs[0].texts(), inputs[2].numbers::<Int64Type>());
    let mut patterns = PatternColumn::new(inputs[1].texts(), None, false)?;
    build_texts(inputs, context, |row, out| {
        let (Some(text), Some(group)) = (texts.get(row), groups.get(row)) else {
            return Ok(false);
        };
        let Some(Pattern { regex, locations, .. }) = patterns.get(row)? else {
            return Ok(false);
        };
        let group = usize::try_from(group).ok().filter(|group| *group < regex.captures_len());
        let group = group.ok_or_else(|| {
            Error::out_of_range(format!("{:?} has no such group", regex.as_str()))
        })?;
        if regex.captures_read(locations, text).is_some() {
            out.push_str(locations.get(group).map_or("", |(start, end)| &text[start..end]));
        }
        Ok(true)
    })
}
