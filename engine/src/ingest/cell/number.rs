//! Numbers in text, strictly: what a sniffer may take for a number without losing anything.
//!
//! A leading zero, a plus sign or a group separator makes a text, as in postal codes and phone
//! numbers. Blanks around are allowed by the caller.

/// An integer as written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Whole {
    /// It fits 64 bits.
    Small(i64),
    /// It has at most 38 digits.
    Large(i128),
}

/// Reads `-?(0|[1-9][0-9]*)` of at most 38 digits.
#[inline]
pub(super) fn whole(text: &[u8]) -> Option<Whole> {
    if let Some(small) = small(text) {
        return Some(Whole::Small(small));
    }
    let (negative, digits) = sign(text);
    if digits.is_empty() || digits.len() > 38 || (digits[0] == b'0' && digits.len() > 1) {
        return None;
    }
    let mut value = 0_i128;
    for byte in digits {
        value = value * 10 + i128::from(digit(*byte)?);
    }
    let value = if negative { -value } else { value };
    Some(i64::try_from(value).map_or(Whole::Large(value), Whole::Small))
}

/// The same for at most 18 digits.
#[inline]
pub(super) fn small(text: &[u8]) -> Option<i64> {
    let (negative, digits) = sign(text);
    if digits.is_empty() || digits.len() > 18 || (digits[0] == b'0' && digits.len() > 1) {
        return None;
    }
    let mut value = 0_i64;
    for byte in digits {
        value = value * 10 + i64::from(digit(*byte)?);
    }
    Some(if negative { -value } else { value })
}

/// Room for the digits of a number.
pub(super) type Digits = [u8; 64];

/// The text of a number without the `mark` between groups of its digits, `1,234,567.8` as
/// `1234567.8`: one to three digits, then groups of three, or of two but for the last as in India.
/// `None` when something else is between marks.
pub(super) fn ungrouped<'a>(text: &'a [u8], mark: u8, room: &'a mut Digits) -> Option<&'a [u8]> {
    if memchr::memchr(mark, text).is_none() {
        return Some(text);
    }
    let (_, unsigned) = sign(text);
    let len = unsigned.iter().take_while(|byte| byte.is_ascii_digit() || **byte == mark).count();
    let (whole, rest) = unsigned.split_at(len);
    let mut groups = whole.split(|byte| *byte == mark);
    let first = groups.next()?.len();
    let last = groups.next_back()?.len();
    let fits = (1..=3).contains(&first) && last == 3 && groups.all(|g| matches!(g.len(), 2 | 3));
    if !fits || memchr::memchr(mark, rest).is_some() {
        return None;
    }
    let mut count = 0;
    for byte in text.iter().filter(|byte| **byte != mark) {
        *room.get_mut(count)? = *byte;
        count += 1;
    }
    Some(&room[..count])
}

/// Powers of ten that a double holds exactly.
const POWERS: [f64; 23] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16,
    1e17, 1e18, 1e19, 1e20, 1e21, 1e22,
];

/// Reads a number with `point`, or `NaN`, `inf`, `-Infinity` in any case. Nothing that a double does
/// not hold at all, and no integer of more than 38 digits, whose digits somebody may want.
///
/// Up to 15 digits and powers up to 22 are exact in one operation (Clinger's fast path); the rest is
/// left to the standard library.
#[inline]
pub(super) fn float(text: &[u8], point: u8) -> Option<f64> {
    let (negative, rest) = sign(text);
    let mut mantissa = 0_u64;
    let mut digit_count = 0_usize;
    let mut at = 0;
    while let Some(value) = rest.get(at).copied().and_then(digit) {
        mantissa = mantissa.wrapping_mul(10).wrapping_add(u64::from(value));
        at += 1;
    }
    digit_count += at;
    if at > 1 && rest[0] == b'0' {
        return None;
    }
    let mut scale = 0;
    let has_point = rest.get(at) == Some(&point);
    if has_point {
        let first = at + 1;
        at = first;
        while let Some(value) = rest.get(at).copied().and_then(digit) {
            mantissa = mantissa.wrapping_mul(10).wrapping_add(u64::from(value));
            at += 1;
        }
        scale = at - first;
        digit_count += scale;
    }
    if digit_count == 0 {
        return special(rest, negative);
    }
    let has_exponent = matches!(rest.get(at), Some(b'e' | b'E'));
    if at < rest.len() && !has_exponent {
        return None;
    }
    if !has_exponent && digit_count <= 15 && scale < POWERS.len() {
        #[expect(clippy::cast_precision_loss, reason = "15 digits are exact")]
        let value = mantissa as f64 / POWERS[scale];
        return Some(if negative { -value } else { value });
    }
    if !has_point && !has_exponent && digit_count > 38 {
        return None;
    }
    slow(text, point)
}

#[cold]
fn slow(text: &[u8], point: u8) -> Option<f64> {
    let text = std::str::from_utf8(text).ok()?;
    let value: f64 = if point == b'.' {
        text.parse().ok()?
    } else {
        text.replace(char::from(point), ".").parse().ok()?
    };
    value.is_finite().then_some(value)
}

fn special(text: &[u8], negative: bool) -> Option<f64> {
    if text.eq_ignore_ascii_case(b"nan") && !negative {
        return Some(f64::NAN);
    }
    let infinite = text.eq_ignore_ascii_case(b"inf") || text.eq_ignore_ascii_case(b"infinity");
    infinite.then_some(if negative { f64::NEG_INFINITY } else { f64::INFINITY })
}

/// `true`, `t`, `yes` and their opposites, in any case; `y` and `n` are codes as often as not.
#[inline]
pub(super) fn boolean(text: &[u8]) -> Option<bool> {
    if text.len() > 5 {
        return None;
    }
    let is = |word: &str| text.eq_ignore_ascii_case(word.as_bytes());
    if is("true") || is("t") || is("yes") {
        return Some(true);
    }
    (is("false") || is("f") || is("no")).then_some(false)
}

#[inline]
fn sign(text: &[u8]) -> (bool, &[u8]) {
    match text.split_first() {
        Some((b'-', rest)) => (true, rest),
        _ => (false, text),
    }
}

#[inline]
pub(super) fn digit(byte: u8) -> Option<u8> {
    let value = byte.wrapping_sub(b'0');
    (value < 10).then_some(value)
}

#[cfg(test)]
#[expect(clippy::result_large_err, reason = "proptest's error type")]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_is_no_plain_integer_is_none() {
        for (text, expected) in [
            ("0", Some(Whole::Small(0))),
            ("-5", Some(Whole::Small(-5))),
            ("9223372036854775807", Some(Whole::Small(i64::MAX))),
            ("-9223372036854775808", Some(Whole::Small(i64::MIN))),
            ("9223372036854775808", Some(Whole::Large(1 << 63))),
            ("007", None),
            ("+5", None),
            ("", None),
            ("-", None),
            ("1_000", None),
            ("1.0", None),
            ("100000000000000000000000000000000000000", None),
        ] {
            assert_eq!(whole(text.as_bytes()), expected, "{text}");
        }
    }

    #[test]
    fn marks_stand_between_groups_of_digits() {
        for (text, mark, expected) in [
            ("1,234", b',', Some("1234")),
            ("-12,345,678.5", b',', Some("-12345678.5")),
            ("12,34,567", b',', Some("1234567")),
            ("1.234,5", b'.', Some("1234,5")),
            ("1'000", b'\'', Some("1000")),
            ("12.5", b',', Some("12.5")),
            ("1,5", b',', None),
            ("1,23,4", b',', None),
            ("1234,567", b',', None),
            (",123", b',', None),
            ("1,234.567,8", b',', None),
            ("31.01.2024", b'.', None),
        ] {
            let found = ungrouped(text.as_bytes(), mark, &mut [0; 64]).map(<[u8]>::to_vec);
            assert_eq!(found, expected.map(|text| text.as_bytes().to_vec()), "{text}");
        }
        assert_eq!(ungrouped(&[b'1', b',', b'2'].repeat(40), b',', &mut [0; 64]), None);
    }

    #[test]
    fn floats_are_read_in_full_or_not_at_all() {
        for (text, expected) in [
            (".5", Some(0.5)),
            ("5.", Some(5.0)),
            ("-1e3", Some(-1000.0)),
            ("1E-2", Some(0.01)),
            ("-inf", Some(f64::NEG_INFINITY)),
            ("1e400", None),
            ("1e", None),
            (".", None),
            ("-", None),
            ("1.2.3", None),
            ("00.5", None),
            ("1,5", None),
            ("", None),
        ] {
            assert_eq!(float(text.as_bytes(), b'.'), expected, "{text}");
        }
        assert_eq!(float(b"-1234,5", b','), Some(-1234.5));
        assert!(float(b"NaN", b'.').is_some_and(f64::is_nan));
        assert_eq!(float(&[b'9'; 39], b'.'), None);
    }

    proptest! {
        #[test]
        fn floats_are_those_of_the_standard_library(bits: u64, digits in 0_usize..20) {
            let value = f64::from_bits(bits);
            prop_assume!(value.is_finite());
            for text in [format!("{value}"), format!("{value:e}"), format!("{value:.digits$}")] {
                let expected: f64 = text.parse().unwrap();
                if let Some(found) = float(text.as_bytes(), b'.') {
                    prop_assert_eq!(found.to_bits(), expected.to_bits(), "{}", text);
                } else {
                    prop_assert!(!text.contains(['.', 'e']) && text.len() > 38, "{}", text);
                }
            }
        }
    }
}
