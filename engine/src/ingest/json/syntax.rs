//! JSON by RFC 8259: where a value ends, and whether it is one.
//!
//! Nothing is decoded: a value is its bytes. `NaN`, `Infinity` and `-Infinity`, which many programs
//! write, are taken for numbers. Nesting is counted, not followed, so that no depth overflows a stack.

use memchr::memchr2;

use crate::ingest::cell::{Cell, hex};

/// Levels of arrays and objects.
const DEPTH_MAX: usize = 1_000;

/// What is wrong, and where.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::ingest) struct Fault {
    pub(in crate::ingest) at: usize,
    pub(in crate::ingest) what: &'static str,
}

/// The fault of a string without an end.
const OPEN_STRING: &str = "a string is never closed";
/// Bytes of the longest word, `-Infinity`, and of a pair of escapes.
const WORD_BYTES_MAX: usize = 12;

impl Fault {
    /// Whether more bytes might have made it none, for one found in `len` bytes.
    pub(in crate::ingest) fn may_be_a_cut(&self, len: usize) -> bool {
        self.what == OPEN_STRING || self.at.saturating_add(WORD_BYTES_MAX) >= len
    }
}

fn fault<T>(at: usize, what: &'static str) -> Result<T, Fault> {
    Err(Fault { at, what })
}

/// The first byte from `at` on that is no white space, or the end.
#[inline]
pub(in crate::ingest) fn skip_blanks(bytes: &[u8], mut at: usize) -> usize {
    while let Some(b' ' | b'\n' | b'\r' | b'\t') = bytes.get(at) {
        at += 1;
    }
    at
}

/// The value that begins at `at`, and where it ends. `null` is a missing cell.
pub(in crate::ingest) fn value(bytes: &[u8], at: usize) -> Result<(Cell, usize), Fault> {
    match bytes.get(at) {
        Some(b'"') => string(bytes, at),
        Some(b'{' | b'[') => {
            let end = nested(bytes, at)?;
            Ok((Cell::plain(at, end), end))
        }
        Some(b'n') => literal(bytes, at, b"null").map(|end| (Cell::NULL, end)),
        _ => {
            let end = scalar(bytes, at)?;
            Ok((Cell::plain(at, end), end))
        }
    }
}

/// The string whose quote is at `at`.
#[inline]
pub(in crate::ingest) fn string(bytes: &[u8], at: usize) -> Result<(Cell, usize), Fault> {
    let start = at + 1;
    let mut from = start;
    let mut escaped = false;
    loop {
        let Some(found) = memchr2(b'"', b'\\', &bytes[from..]).map(|len| from + len) else {
            return fault(at, OPEN_STRING);
        };
        if let Some(control) = bytes[from..found].iter().position(|byte| *byte < b' ') {
            return fault(from + control, "a control character in a string");
        }
        if bytes[found] == b'"' {
            return Ok((Cell::quoted(start, found, escaped), found + 1));
        }
        escaped = true;
        from = escape(bytes, found)?;
    }
}

/// Where the escape at `at` ends.
fn escape(bytes: &[u8], at: usize) -> Result<usize, Fault> {
    match bytes.get(at + 1) {
        Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => Ok(at + 2),
        Some(b'u') => {
            let code = |at: usize| match bytes.get(at..at + 4) {
                Some(digits) if digits.iter().all(u8::is_ascii_hexdigit) => Ok(hex(digits)),
                _ => fault(at, "\\u without four hexadecimal digits"),
            };
            match code(at + 2)? {
                0xd800..=0xdbff if bytes.get(at + 6..at + 8) == Some(b"\\u") => {
                    match code(at + 8)? {
                        0xdc00..=0xdfff => Ok(at + 12),
                        _ => fault(at, "half of a surrogate pair"),
                    }
                }
                0xd800..=0xdfff => fault(at, "half of a surrogate pair"),
                _ => Ok(at + 6),
            }
        }
        _ => fault(at, "an unknown escape"),
    }
}

fn literal(bytes: &[u8], at: usize, word: &'static [u8]) -> Result<usize, Fault> {
    if bytes[at..].starts_with(word) {
        return Ok(at + word.len());
    }
    fault(at, "a word that is no value")
}

/// A number, `true` or `false`.
fn scalar(bytes: &[u8], at: usize) -> Result<usize, Fault> {
    match bytes.get(at) {
        Some(b't') => literal(bytes, at, b"true"),
        Some(b'f') => literal(bytes, at, b"false"),
        Some(b'n') => literal(bytes, at, b"null"),
        Some(b'N') => literal(bytes, at, b"NaN"),
        Some(b'I') => literal(bytes, at, b"Infinity"),
        Some(b'-') if bytes.get(at + 1) == Some(&b'I') => literal(bytes, at, b"-Infinity"),
        Some(b'-' | b'0'..=b'9') => number(bytes, at),
        Some(_) => fault(at, "no value where there should be one"),
        None => fault(at, "the end where there should be a value"),
    }
}

#[inline]
fn number(bytes: &[u8], at: usize) -> Result<usize, Fault> {
    let digits = |from: usize| {
        let mut end = from;
        while bytes.get(end).is_some_and(u8::is_ascii_digit) {
            end += 1;
        }
        end
    };
    let start = at + usize::from(bytes[at] == b'-');
    let mut end = digits(start);
    if end == start || (bytes[start] == b'0' && end > start + 1) {
        return fault(at, "a malformed number");
    }
    if bytes.get(end) == Some(&b'.') {
        let fraction = end + 1;
        end = digits(fraction);
        if end == fraction {
            return fault(at, "a malformed number");
        }
    }
    if let Some(b'e' | b'E') = bytes.get(end) {
        let exponent = end + 1 + usize::from(matches!(bytes.get(end + 1), Some(b'+' | b'-')));
        end = digits(exponent);
        if end == exponent {
            return fault(at, "a malformed number");
        }
    }
    Ok(end)
}

/// What may come next inside an array or object.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Next {
    /// A value, or the end of an array that has none.
    First,
    Value,
    /// A key, or the end of an object that has none.
    FirstKey,
    Key,
    /// A comma or the end.
    Comma,
}

/// Where the array or object at `at` ends.
fn nested(bytes: &[u8], at: usize) -> Result<usize, Fault> {
    // Whether each open level is an object.
    let mut open: Vec<bool> = Vec::new();
    let mut at = at;
    let mut next = Next::Value;
    loop {
        at = skip_blanks(bytes, at);
        let Some(byte) = bytes.get(at).copied() else {
            return fault(at, "an array or object is never closed");
        };
        let in_object = open.last() == Some(&true);
        match (byte, next) {
            (b'{' | b'[', Next::Value | Next::First) => {
                if open.len() >= DEPTH_MAX {
                    return fault(at, "more than 1,000 levels");
                }
                open.push(byte == b'{');
                next = if byte == b'{' { Next::FirstKey } else { Next::First };
                at += 1;
            }
            (b'}', Next::FirstKey | Next::Comma) if in_object => {
                open.pop();
                at += 1;
                next = Next::Comma;
            }
            (b']', Next::First | Next::Comma) if !in_object => {
                open.pop();
                at += 1;
                next = Next::Comma;
            }
            (b',', Next::Comma) => {
                at += 1;
                next = if in_object { Next::Key } else { Next::Value };
            }
            (b'"', Next::FirstKey | Next::Key) => {
                at = skip_blanks(bytes, string(bytes, at)?.1);
                if bytes.get(at) != Some(&b':') {
                    return fault(at, "no ':' behind a key");
                }
                at += 1;
                next = Next::Value;
            }
            (_, Next::Value | Next::First) => {
                at = if byte == b'"' { string(bytes, at)?.1 } else { scalar(bytes, at)? };
                next = Next::Comma;
            }
            (_, Next::FirstKey | Next::Key) => {
                return fault(at, "no key where there should be one");
            }
            (_, Next::Comma) => return fault(at, "no comma and no end where there should be one"),
        }
        if open.is_empty() {
            return Ok(at);
        }
    }
}

#[cfg(test)]
#[expect(clippy::result_large_err, reason = "proptest's error type")]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn whole(text: &str) -> bool {
        let start = skip_blanks(text.as_bytes(), 0);
        match value(text.as_bytes(), start) {
            Ok((_, end)) => skip_blanks(text.as_bytes(), end) == text.len(),
            Err(_) => false,
        }
    }

    #[test]
    fn values_are_those_of_the_standard() {
        for text in [
            "null",
            "true",
            " -0.5e+10 ",
            "\"a\\u00e9\\\"\"",
            "[]",
            "{}",
            "[1,[2,{\"a\":[]}],\"x\"]",
            "{\"a\" : 1 , \"b\" : {\"c\":null}}",
            "NaN",
            "-Infinity",
            "\"\\ud83d\\ude00\"",
        ] {
            assert!(whole(text), "{text}");
        }
        for text in [
            "",
            "nul",
            "01",
            "1.",
            "+1",
            "'a'",
            "\"a",
            "\"\n\"",
            "\"\\x\"",
            "\"\\u12\"",
            "[1,]",
            "[,1]",
            "{\"a\":1,}",
            "{a:1}",
            "{\"a\" 1}",
            "[1 2]",
            "[}",
            "{\"a\":1]",
            "\"\\ud83d\"",
            "1 2",
            "[",
        ] {
            assert!(!whole(text), "{text}");
        }
        assert!(whole(&format!("{}{}", "[".repeat(1_000), "]".repeat(1_000))));
        assert!(!whole(&"[".repeat(100_000)));
    }

    proptest! {
        #[test]
        fn nothing_panics(text in "[\\[\\]{}\":,\\\\u0-9a-f\\-.enrtl \n]{0,40}") {
            whole(&text);
        }
    }
}
