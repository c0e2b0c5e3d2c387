//! Byte sizes and counts as people write and read them.

use martlet_engine::types::{Error, Result};

const UNITS: [(&str, u32, u64); 9] = [
    ("kib", 1, 1_024),
    ("mib", 2, 1_024),
    ("gib", 3, 1_024),
    ("tib", 4, 1_024),
    ("kb", 1, 1_000),
    ("mb", 2, 1_000),
    ("gb", 3, 1_000),
    ("tb", 4, 1_000),
    ("b", 0, 1_000),
];

/// Reads `512MiB`, `1.5 GB`, `2000000`: units of 1,000 (`kB`) or 1,024 (`KiB`), in any case.
///
/// # Errors
/// `InvalidText` for anything else, nothing and less than one byte included.
///
/// ```
/// assert_eq!(martlet::output::parse_byte_size("1.5 KiB")?, 1_536);
/// # Ok::<(), martlet::Error>(())
/// ```
pub fn parse_byte_size(text: &str) -> Result<usize> {
    let invalid = || {
        Error::invalid_text(format!("\"{text}\" is no size"))
            .with_hint("write it as 500MB, 1.5GiB or a number of bytes")
    };
    let lower = text.trim().to_ascii_lowercase();
    let (number, unit_bytes) = UNITS
        .iter()
        .find_map(|(unit, power, base)| Some((lower.strip_suffix(unit)?, base.pow(*power))))
        .unwrap_or((&lower, 1));
    let number = number.trim_end();
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || !digits(whole) || !digits(fraction) || fraction.len() > 6 {
        return Err(invalid());
    }
    let millionths: u128 = format!("{whole}{fraction:0<6}").parse().map_err(|_| invalid())?;
    let bytes = millionths.checked_mul(unit_bytes.into()).ok_or_else(invalid)? / 1_000_000;
    usize::try_from(bytes).ok().filter(|bytes| *bytes > 0).ok_or_else(invalid)
}

/// Writes `bytes` with three digits: `195 MB`, `1.23 GB`, `17 B`.
pub fn format_byte_size(bytes: u64) -> String {
    let units = ["B", "kB", "MB", "GB", "TB", "PB", "EB"];
    let (mut unit_idx, mut unit_bytes) = (0, 1_u64);
    while bytes / unit_bytes >= 1_000 {
        unit_idx += 1;
        unit_bytes *= 1_000;
    }
    let hundredths = u128::from(bytes) * 100 / u128::from(unit_bytes);
    let (whole, rest) = (hundredths / 100, hundredths % 100);
    let unit = units[unit_idx];
    match whole {
        _ if unit_idx == 0 => format!("{bytes} B"),
        0..10 => format!("{whole}.{rest:02} {unit}"),
        10..100 => format!("{whole}.{} {unit}", rest / 10),
        _ => format!("{whole} {unit}"),
    }
}

/// Digits in groups of three: `1,234,567`.
///
/// ```
/// assert_eq!(martlet::output::format_count(1_234_567), "1,234,567");
/// ```
pub fn format_count(count: u64) -> String {
    let digits = count.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read_in_any_unit_and_nonsense_is_refused() -> Result<()> {
        for (text, bytes) in [
            ("1", 1),
            ("2b", 2),
            ("500MB", 500_000_000),
            ("1.5 GiB", 1_610_612_736),
            (" 4gb ", 4_000_000_000),
            ("0.5kib", 512),
        ] {
            assert_eq!(parse_byte_size(text)?, bytes, "{text}");
        }
        for text in ["", "0", "MB", "-1MB", "1e9", "5 parsecs", "99999999999TB", "1.2.3MB", "é"] {
            assert!(parse_byte_size(text).is_err(), "{text}");
        }
        Ok(())
    }

    #[test]
    fn sizes_are_written_with_three_digits() {
        for (bytes, text) in [
            (0, "0 B"),
            (999, "999 B"),
            (1_234, "1.23 kB"),
            (45_678_901, "45.6 MB"),
            (195_559_151, "195 MB"),
            (u64::MAX, "18.4 EB"),
        ] {
            assert_eq!(format_byte_size(bytes), text);
        }
    }

    #[test]
    fn counts_are_grouped_by_thousands() {
        let texts = [0, 999, 1_000, 1_234_567].map(format_count);
        assert_eq!(texts, ["0", "999", "1,000", "1,234,567"]);
    }
}
