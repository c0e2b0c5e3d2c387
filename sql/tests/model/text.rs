//! Text functions, over characters.

use martlet::plan::{Function, LikePattern};
use martlet::{Error, Result, Value};
use regex::{Captures, Regex, RegexBuilder};

use crate::letters;
use crate::number::whole;
use crate::plan::Cell;

/// The function's value; no argument is NULL.
pub(crate) fn call(function: Function, values: &[Value]) -> Cell {
    use Function as F;
    let text = |place: usize| text_of(&values[place]);
    let count = |place: usize| whole(&values[place]);
    let chars = |place: usize| text(place).chars();
    Ok(match function {
        F::Concat => match (&values[0], &values[1]) {
            (Value::Bytes(left), Value::Bytes(right)) => {
                Value::Bytes([left.as_slice(), right].concat())
            }
            _ => Value::Text(format!("{}{}", text(0), text(1))),
        },
        F::Length => int(chars(0).count()),
        F::ByteLength => match &values[0] {
            Value::Bytes(bytes) => int(bytes.len()),
            _ => int(text(0).len()),
        },
        F::BitLength | F::Translate | F::Levenshtein | F::Md5 => letters::call(function, values),
        F::Lower => Value::Text(chars(0).map(lower).collect()),
        F::Upper => Value::Text(chars(0).map(upper).collect()),
        F::Initcap => {
            let words = text(0).split_inclusive(|c: char| !c.is_alphanumeric());
            let capitalised = words.flat_map(|word| {
                let first = word.chars().take(1).map(upper);
                first.chain(word.chars().skip(1).map(lower)).collect::<Vec<char>>()
            });
            Value::Text(capitalised.collect())
        }
        F::Substring => substring(text(0), count(1), values.get(2).map(whole))?,
        F::Left | F::Right => Value::Text(end_of(function, text(0), count(1))),
        F::TrimStart => Value::Text(text(0).trim_start_matches(|c| text(1).contains(c)).to_owned()),
        F::TrimEnd => Value::Text(text(0).trim_end_matches(|c| text(1).contains(c)).to_owned()),
        F::Trim => Value::Text(text(0).trim_matches(|c| text(1).contains(c)).to_owned()),
        F::Replace if text(1).is_empty() => values[0].clone(),
        F::Replace => Value::Text(text(0).replace(text(1), text(2))),
        F::Position => match text(0).find(text(1)) {
            Some(at) => int(text(0)[..at].chars().count() + 1),
            None => Value::Int(0),
        },
        F::StartsWith => Value::Bool(text(0).starts_with(text(1))),
        F::EndsWith => Value::Bool(text(0).ends_with(text(1))),
        F::Contains => Value::Bool(text(0).contains(text(1))),
        F::Reverse => Value::Text(chars(0).rev().collect()),
        F::Repeat => Value::Text(text(0).repeat(usize::try_from(count(1).max(0)).unwrap_or(0))),
        F::PadStart | F::PadEnd => Value::Text(pad(function, text(0), count(1), text(2))),
        F::SplitPart => split_part(text(0), text(1), count(2))?,
        F::RegexpMatches => {
            Value::Bool(regex(text(1), values.get(2).map_or("", text_of))?.is_match(text(0)))
        }
        F::RegexpExtract => regexp_extract(text(0), text(1), count(2))?,
        F::RegexpReplace => regexp_replace(text(0), text(1), text(2), text(3))?,
        F::Chr => {
            let code = u32::try_from(count(0)).ok().filter(|code| *code > 0);
            let character = code.and_then(char::from_u32);
            let refused = || Error::out_of_range(format!("chr({})", count(0)));
            Value::Text(character.ok_or_else(refused)?.to_string())
        }
        F::Ascii => Value::Int(chars(0).next().map_or(0, |c| i128::from(u32::from(c)))),
        other => return Err(Error::unsupported(format!("the function {other}"))),
    })
}

pub(crate) fn text_of(value: &Value) -> &str {
    match value {
        Value::Text(text) => text,
        other => panic!("{other:?} is no text"),
    }
}

pub(crate) fn int(value: usize) -> Value {
    Value::Int(i128::try_from(value).expect("128 bits"))
}

/// `concat`, or `concat_ws`, whose first argument stands between the others.
pub(crate) fn concat_skip_nulls(function: Function, mut values: Vec<Value>) -> Value {
    let separator = match function {
        Function::ConcatWithSeparator => values.remove(0),
        _ => Value::Text(String::new()),
    };
    let Value::Text(separator) = separator else {
        return Value::Null;
    };
    let parts: Vec<&str> = values.iter().filter(|v| !v.is_null()).map(text_of).collect();
    Value::Text(parts.join(&separator))
}

/// Simple case mapping: a character whose mapping is several stays.
fn lower(c: char) -> char {
    match c.to_lowercase().collect::<Vec<char>>()[..] {
        [lower] => lower,
        _ if c == 'İ' => 'i',
        _ => c,
    }
}

fn upper(c: char) -> char {
    match c.to_uppercase().collect::<Vec<char>>()[..] {
        [upper] => upper,
        _ => c,
    }
}

/// Characters from `start` on, counted from 1, and before `start + count`.
fn substring(text: &str, start: i128, count: Option<i128>) -> Cell {
    if count.is_some_and(|count| count < 0) {
        return Err(Error::out_of_range("substring takes no negative length"));
    }
    let end = count.map_or(i128::MAX, |count| start + count);
    let inside = (1..).zip(text.chars()).filter(|(place, _)| (start..end).contains(place));
    Ok(Value::Text(inside.map(|(_, c)| c).collect()))
}

/// `left` and `right`; a negative count leaves that many out at the other end.
fn end_of(function: Function, text: &str, count: i128) -> String {
    let len = i128::try_from(text.chars().count()).expect("128 bits");
    let kept = if count < 0 { (len + count).max(0) } else { count.min(len) };
    let kept = usize::try_from(kept).expect("at most the length");
    let skipped = match function {
        Function::Left => 0,
        _ => text.chars().count() - kept,
    };
    text.chars().skip(skipped).take(kept).collect()
}

/// Filled up or cut to `length` characters.
fn pad(function: Function, text: &str, length: i128, fill: &str) -> String {
    let length = usize::try_from(length).unwrap_or(0);
    let kept: String = text.chars().take(length).collect();
    let missing = length - kept.chars().count();
    let filling: String = fill.chars().cycle().take(missing).collect();
    match function {
        Function::PadStart => filling + &kept,
        _ => kept + &filling,
    }
}

fn split_part(text: &str, separator: &str, place: i128) -> Cell {
    let parts: Vec<&str> =
        if separator.is_empty() { vec![text] } else { text.split(separator).collect() };
    let count = i128::try_from(parts.len()).expect("128 bits");
    let place = match place {
        0 => return Err(Error::out_of_range("split_part counts from 1")),
        1.. => place - 1,
        _ => count + place,
    };
    let part = usize::try_from(place).ok().and_then(|place| parts.get(place));
    Ok(Value::Text(part.copied().unwrap_or_default().to_owned()))
}

/// Whether the whole text is like the pattern.
pub(crate) fn is_like(text: &str, pattern: &LikePattern) -> bool {
    let fold = |c: char| if pattern.case_insensitive { lower(c) } else { c };
    let mut tokens = Vec::new();
    let mut rest = pattern.pattern.chars();
    while let Some(c) = rest.next() {
        tokens.push(match c {
            c if Some(c) == pattern.escape => match rest.next() {
                Some(escaped) => Token::Char(fold(escaped)),
                None => return false,
            },
            '%' => Token::Any,
            '_' => Token::One,
            c => Token::Char(fold(c)),
        });
    }
    // Which beginnings of the pattern match the beginning of the text read so far.
    let mut matched = vec![false; tokens.len() + 1];
    matched[0] = true;
    for (place, token) in tokens.iter().enumerate() {
        matched[place + 1] = matched[place] && *token == Token::Any;
    }
    for c in text.chars().map(fold) {
        let before = matched.clone();
        matched[0] = false;
        for (place, token) in tokens.iter().enumerate() {
            matched[place + 1] = match token {
                Token::Any => before[place + 1] || matched[place],
                Token::One => before[place],
                Token::Char(wanted) => before[place] && *wanted == c,
            };
        }
    }
    matched[tokens.len()]
}

#[derive(Clone, Copy, PartialEq)]
enum Token {
    Char(char),
    One,
    Any,
}

/// PostgreSQL's flags: `.` matches a line's end, and `^` and `$` the text's ends, unless `n` or `m`.
fn regex(pattern: &str, flags: &str) -> Result<Regex> {
    let mut builder = RegexBuilder::new(pattern);
    builder.dot_matches_new_line(true);
    for flag in flags.chars() {
        match flag {
            'i' => builder.case_insensitive(true),
            'c' => builder.case_insensitive(false),
            'x' => builder.ignore_whitespace(true),
            's' => builder.dot_matches_new_line(true).multi_line(false),
            'n' | 'm' => builder.dot_matches_new_line(false).multi_line(true),
            _ => return Err(Error::invalid_text(format!("the flag {flag}"))),
        };
    }
    builder.build().map_err(|error| Error::invalid_text(error.to_string()))
}

fn regexp_extract(text: &str, pattern: &str, group: i128) -> Cell {
    let regex = regex(pattern, "")?;
    let group = usize::try_from(group).ok().filter(|group| *group < regex.captures_len());
    let group = group.ok_or_else(|| Error::out_of_range("there is no such group"))?;
    let found = regex.captures(text).and_then(|captures| captures.get(group));
    Ok(Value::Text(found.map_or(String::new(), |found| found.as_str().to_owned())))
}

fn regexp_replace(text: &str, pattern: &str, replacement: &str, flags: &str) -> Cell {
    let regex = regex(pattern, &flags.replace('g', ""))?;
    let expand = |captures: &Captures<'_>| expanded(replacement, captures);
    let count = usize::from(!flags.contains('g'));
    Ok(Value::Text(regex.replacen(text, count, expand).into_owned()))
}

/// The replacement with `\1` … `\9` and `\&` filled in; `\\` is a backslash, as is any other.
fn expanded(replacement: &str, captures: &Captures<'_>) -> String {
    let mut out = String::new();
    let mut rest = replacement.chars().peekable();
    while let Some(c) = rest.next() {
        let group = match (c, rest.peek()) {
            ('\\', Some('&')) => Some(0),
            ('\\', Some(digit @ '1'..='9')) => digit.to_digit(10),
            _ => None,
        };
        if let Some(group) = group {
            rest.next();
            let group = captures.get(usize::try_from(group).expect("a digit"));
            out.push_str(group.map_or("", |found| found.as_str()));
            continue;
        }
        if c == '\\' && rest.peek() == Some(&'\\') {
            rest.next();
        }
        out.push(c);
    }
    out
}
