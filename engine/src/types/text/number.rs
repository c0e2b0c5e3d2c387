//! Numbers, booleans, bytes and identifiers read from text.

use super::{invalid, out_of_range};
use crate::types::{DataType, Result};

/// Reads an integer of `data_type`: blanks around it, a sign, digits.
///
/// # Errors
/// `InvalidText` or `OutOfRange`.
pub fn parse_integer(text: &str, data_type: DataType) -> Result<i128> {
    let trimmed = text.trim_ascii();
    let digits = trimmed.strip_prefix(['+', '-']).unwrap_or(trimmed);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(invalid(text, data_type));
    }
    let value: i128 = trimmed.parse().map_err(|_| out_of_range(text, data_type))?;
    let (min, max) = integer_range(data_type);
    if value < min || value > max {
        return Err(out_of_range(text, data_type));
    }
    Ok(value)
}

/// The smallest and largest value of an integer type.
fn integer_range(data_type: DataType) -> (i128, i128) {
    match data_type {
        DataType::Int8 => (i8::MIN.into(), i8::MAX.into()),
        DataType::Int16 => (i16::MIN.into(), i16::MAX.into()),
        DataType::Int32 => (i32::MIN.into(), i32::MAX.into()),
        DataType::UInt8 => (0, u8::MAX.into()),
        DataType::UInt16 => (0, u16::MAX.into()),
        DataType::UInt32 => (0, u32::MAX.into()),
        DataType::UInt64 => (0, u64::MAX.into()),
        _ => (i64::MIN.into(), i64::MAX.into()),
    }
}

/// Reads a decimal as digits at `scale`, rounding half away from zero.
///
/// # Errors
/// `InvalidText`, or `OutOfRange` when it has more than `precision` digits.
pub fn parse_decimal(text: &str, precision: u8, scale: u8) -> Result<i128> {
    let data_type = DataType::Decimal { precision, scale };
    let (negative, digits, exponent) =
        decimal_digits(text.trim_ascii()).ok_or_else(|| invalid(text, data_type))?;
    let shift = exponent.saturating_add(i64::from(scale));
    let kept = i64::try_from(digits.len()).unwrap_or(i64::MAX).saturating_add(shift);
    let Ok(kept) = usize::try_from(kept) else {
        return Ok(0);
    };
    if digits.is_empty() {
        return Ok(0);
    }
    if kept > 38 {
        return Err(out_of_range(text, data_type));
    }
    let mut value = 0_i128;
    for place in 0..kept {
        value = value * 10 + i128::from(digits.get(place).copied().unwrap_or(0));
    }
    if digits.get(kept).is_some_and(|digit| *digit >= 5) {
        value += 1;
    }
    if value >= 10_i128.pow(u32::from(precision)) {
        return Err(out_of_range(text, data_type));
    }
    Ok(if negative { -value } else { value })
}

/// Sign, digits without leading zeros, and the power of ten of the last digit.
fn decimal_digits(text: &str) -> Option<(bool, Vec<u8>, i64)> {
    let (negative, rest) = match text.as_bytes().first()? {
        b'-' => (true, &text[1..]),
        b'+' => (false, &text[1..]),
        _ => (false, text),
    };
    let (mantissa, mut exponent) = match rest.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, exponent_of(exponent)?),
        None => (rest, 0),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    if whole.is_empty() && fraction.is_empty() {
        return None;
    }
    let mut digits = Vec::with_capacity(whole.len() + fraction.len());
    for byte in whole.bytes().chain(fraction.bytes()) {
        if !byte.is_ascii_digit() {
            return None;
        }
        if !digits.is_empty() || byte != b'0' {
            digits.push(byte - b'0');
        }
    }
    exponent -= i64::try_from(fraction.len()).ok()?;
    Some((negative, digits, exponent))
}

/// A written exponent; one beyond a million is as good as a million.
fn exponent_of(text: &str) -> Option<i64> {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let magnitude = digits.parse().unwrap_or(1_000_000).min(1_000_000);
    Some(if text.starts_with('-') { -magnitude } else { magnitude })
}

/// Reads a double.
///
/// # Errors
/// `InvalidText`, or `OutOfRange` for a finite text that is infinite or zero as a double.
pub fn parse_float64(text: &str) -> Result<f64> {
    let trimmed = text.trim_ascii();
    let value: f64 = trimmed.parse().map_err(|_| invalid(text, DataType::Float64))?;
    if lost(trimmed, value) {
        return Err(out_of_range(text, DataType::Float64));
    }
    Ok(value)
}

/// Reads a single.
///
/// # Errors
/// As [`parse_float64`].
pub fn parse_float32(text: &str) -> Result<f32> {
    let trimmed = text.trim_ascii();
    let value: f32 = trimmed.parse().map_err(|_| invalid(text, DataType::Float32))?;
    if lost(trimmed, f64::from(value)) {
        return Err(out_of_range(text, DataType::Float32));
    }
    Ok(value)
}

/// Whether a text with digits became infinite, or one with digits other than 0 became zero.
fn lost(text: &str, value: f64) -> bool {
    let mantissa = text.split(['e', 'E']).next().unwrap_or_default();
    let non_zero = mantissa.bytes().any(|byte| matches!(byte, b'1'..=b'9'));
    non_zero && (value.is_infinite() || value == 0.0)
}

/// Reads a boolean: an abbreviation of true, false, yes or no, `on`, `off`, `1`, `0`.
///
/// # Errors
/// `InvalidText`.
pub fn parse_bool(text: &str) -> Result<bool> {
    let lower = text.trim_ascii().to_ascii_lowercase();
    let begins = |word: &str| !lower.is_empty() && word.starts_with(lower.as_str());
    match lower.as_str() {
        "1" | "on" => Ok(true),
        "0" | "of" | "off" => Ok(false),
        _ if begins("true") || begins("yes") => Ok(true),
        _ if begins("false") || begins("no") => Ok(false),
        _ => Err(invalid(text, DataType::Bool)),
    }
}

/// Reads bytes: `\x` and hexadecimal digits, or plain text with `\\` and `\ooo` escapes.
///
/// # Errors
/// `InvalidText`.
pub fn parse_bytes(text: &str) -> Result<Vec<u8>> {
    let wrong = || invalid(text, DataType::Binary);
    if let Some(hex) = text.strip_prefix("\\x") {
        let digits: Vec<u8> = hex.bytes().filter(|byte| !byte.is_ascii_whitespace()).collect();
        return digits
            .chunks(2)
            .map(|pair| match pair {
                [high, low] => Some(hex_digit(*high)? << 4 | hex_digit(*low)?),
                _ => None,
            })
            .collect::<Option<_>>()
            .ok_or_else(wrong);
    }
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((byte, after)) = rest.split_first() {
        (bytes, rest) = match (byte, after) {
            (b'\\', [b'\\', after @ ..]) => (pushed(bytes, b'\\'), after),
            (b'\\', [a @ b'0'..=b'3', b @ b'0'..=b'7', c @ b'0'..=b'7', after @ ..]) => {
                (pushed(bytes, (a - b'0') << 6 | (b - b'0') << 3 | (c - b'0')), after)
            }
            (b'\\', _) => return Err(wrong()),
            _ => (pushed(bytes, *byte), after),
        };
    }
    Ok(bytes)
}

fn pushed(mut bytes: Vec<u8>, byte: u8) -> Vec<u8> {
    bytes.push(byte);
    bytes
}

/// Reads a UUID: 32 hexadecimal digits, hyphens between groups of four, braces around.
///
/// # Errors
/// `InvalidText`.
pub fn parse_uuid(text: &str) -> Result<[u8; 16]> {
    let wrong = || invalid(text, DataType::Uuid);
    let trimmed = text.trim_ascii();
    let inner =
        trimmed.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')).unwrap_or(trimmed);
    let mut value = [0; 16];
    let mut digit_count = 0;
    let mut after_digit = false;
    for byte in inner.bytes() {
        if byte == b'-' && after_digit && digit_count % 4 == 0 && digit_count < 32 {
            after_digit = false;
            continue;
        }
        let digit = hex_digit(byte).filter(|_| digit_count < 32).ok_or_else(wrong)?;
        value[digit_count / 2] = value[digit_count / 2] << 4 | digit;
        digit_count += 1;
        after_digit = true;
    }
    if digit_count == 32 && after_digit { Ok(value) } else { Err(wrong()) }
}

fn hex_digit(byte: u8) -> Option<u8> {
    match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        b'A'..=b'F' => Some(byte - b'A' + 10),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_have_a_sign_digits_and_blanks_around() -> Result<()> {
        assert_eq!(parse_integer(" 42 ", DataType::Int32)?, 42);
        assert_eq!(parse_integer("-128", DataType::Int8)?, -128);
        assert_eq!(parse_integer("+7", DataType::UInt8)?, 7);
        for text in ["", " ", "1e3", "1.0", "+-1", "0x10", "1 2", "-"] {
            let error = parse_integer(text, DataType::Int32).unwrap_err();
            assert!(error.message().contains(&format!("integer: \"{text}\"")), "{error}");
        }
        for text in ["128", "-129", "99999999999999999999999999999999999999999999"] {
            let error = parse_integer(text, DataType::Int8).unwrap_err();
            assert!(error.message().contains("out of range for type tinyint"), "{error}");
        }
        Ok(())
    }

    #[test]
    fn decimals_round_half_away_from_zero() -> Result<()> {
        for (text, precision, scale, expected) in [
            ("1.005", 10, 2, 101),
            ("-1.005", 10, 2, -101),
            ("1e3", 10, 2, 100_000),
            ("15e-3", 10, 2, 2),
            (".5", 3, 0, 1),
            ("5.", 3, 0, 5),
            (" 0000000.04 ", 3, 1, 0),
            ("0e999999999999", 3, 1, 0),
            ("1e-999999999999", 3, 1, 0),
            ("99999999999999999999999999999999999999", 38, 0, 10_i128.pow(38) - 1),
        ] {
            assert_eq!(parse_decimal(text, precision, scale)?, expected, "{text}");
        }
        for text in ["99.995", "1e40", "1e999999999999", "100"] {
            assert!(parse_decimal(text, 4, 2).is_err(), "{text}");
        }
        for text in ["", ".", "1.2.3", "1e", "NaN", "- 1", "e5"] {
            assert!(parse_decimal(text, 4, 2).is_err(), "{text}");
        }
        Ok(())
    }

    #[test]
    fn floats_that_do_not_fit_are_errors() -> Result<()> {
        assert_eq!(parse_float64(" 1.5e3 ")?.to_bits(), 1500.0_f64.to_bits());
        assert!(parse_float64("nan")?.is_nan());
        assert!(parse_float64("-Infinity")?.is_infinite());
        assert!(parse_float32("1e39").is_err());
        for text in ["1e400", "1e-400", "", "1,5", "0x1", "1_000"] {
            assert!(parse_float64(text).is_err(), "{text}");
        }
        assert_eq!(parse_float64("0e400")?.to_bits(), 0);
        Ok(())
    }

    #[test]
    fn booleans_may_be_abbreviated() -> Result<()> {
        for text in ["t", "TRUE", " yes", "y", "on", "1", "tr"] {
            assert!(parse_bool(text)?, "{text}");
        }
        for text in ["f", "False", "no", "n", "off", "of", "0"] {
            assert!(!parse_bool(text)?, "{text}");
        }
        for text in ["", "o", "2", "truee"] {
            assert!(parse_bool(text).is_err(), "{text}");
        }
        Ok(())
    }

    #[test]
    fn bytes_and_uuids_read_what_they_write() -> Result<()> {
        assert_eq!(parse_bytes("\\x00fF")?, [0, 255]);
        assert_eq!(parse_bytes("a\\\\\\001")?, [b'a', b'\\', 1]);
        assert!(parse_bytes("\\x0").is_err());
        assert!(parse_bytes("\\9").is_err());
        let uuid = parse_uuid("A0EEBC99-9c0b-4ef8-bb6d-6bb9bd380a11")?;
        assert_eq!(uuid[..4], [0xa0, 0xee, 0xbc, 0x99]);
        assert_eq!(parse_uuid("{a0eebc999c0b4ef8bb6d6bb9bd380a11}")?, uuid);
        for text in [
            "",
            "a0eebc99",
            "a0eebc999c0b4ef8bb6d6bb9bd380a1-1",
            "-a0eebc999c0b4ef8bb6d6bb9bd380a11",
        ] {
            assert!(parse_uuid(text).is_err(), "{text}");
        }
        Ok(())
    }
}
