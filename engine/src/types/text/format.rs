//! Values written as text.

use std::fmt::Write;

use super::super::calendar::{SECONDS_PER_DAY, civil_from_days};
use super::super::{Interval, TimeUnit};

/// Decimal digits that a double always keeps; larger exponents are written in scientific form.
const DOUBLE_DIGITS: i32 = 15;
/// The same of a single.
const SINGLE_DIGITS: i32 = 6;

/// Shortest text that reads back as the same double: `1`, `0.1`, `1e+20`, `NaN`, `-Infinity`.
pub fn write_float64(value: f64, out: &mut String) {
    write_float(value, &format!("{value:e}"), DOUBLE_DIGITS, out);
}

/// Shortest text that reads back as the same single.
pub fn write_float32(value: f32, out: &mut String) {
    write_float(f64::from(value), &format!("{value:e}"), SINGLE_DIGITS, out);
}

/// Lays out Rust's shortest digits as PostgreSQL does: scientific below 1e-4 and from `10^limit` on.
fn write_float(value: f64, shortest: &str, limit: i32, out: &mut String) {
    if value.is_nan() {
        return out.push_str("NaN");
    }
    if value.is_infinite() {
        return out.push_str(if value > 0.0 { "Infinity" } else { "-Infinity" });
    }
    let (mantissa, exponent) = shortest.split_once('e').expect("{:e} writes an exponent");
    let exponent: i32 = exponent.parse().expect("{:e} writes a whole exponent");
    let (sign, mantissa) = mantissa.strip_prefix('-').map_or(("", mantissa), |rest| ("-", rest));
    out.push_str(sign);
    if exponent < -4 || exponent >= limit {
        let sign = if exponent < 0 { '-' } else { '+' };
        return append(out, format_args!("{mantissa}e{sign}{:02}", exponent.abs()));
    }
    let digits: String = mantissa.chars().filter(|c| *c != '.').collect();
    match usize::try_from(exponent) {
        Err(_) => {
            out.push_str("0.");
            (1..exponent.unsigned_abs()).for_each(|_| out.push('0'));
            out.push_str(&digits);
        }
        Ok(exponent) if digits.len() <= exponent + 1 => {
            out.push_str(&digits);
            (digits.len()..=exponent).for_each(|_| out.push('0'));
        }
        Ok(exponent) => {
            append(out, format_args!("{}.{}", &digits[..=exponent], &digits[exponent + 1..]));
        }
    }
}

/// A decimal's digits with its point: `-0.05`.
pub fn write_decimal(value: i128, scale: u8, out: &mut String) {
    if value < 0 {
        out.push('-');
    }
    let digits = value.unsigned_abs();
    if scale == 0 {
        return append(out, format_args!("{digits}"));
    }
    match 10_u128.checked_pow(u32::from(scale)) {
        Some(unit) => append(
            out,
            format_args!("{}.{:0width$}", digits / unit, digits % unit, width = usize::from(scale)),
        ),
        None => append(out, format_args!("0.{digits:0width$}", width = usize::from(scale))),
    }
}

/// `2013-07-01`; years before 1 as `0044-03-15 BC`.
pub fn write_date(days: i64, out: &mut String) {
    let before_christ = write_date_part(days, out);
    if before_christ {
        out.push_str(" BC");
    }
}

/// `12:34:56.5`
pub fn write_time(value: i64, unit: TimeUnit, out: &mut String) {
    let per_second = unit.per_second();
    write_clock(value.div_euclid(per_second), value.rem_euclid(per_second), unit, out);
}

/// `2013-07-01 12:34:56.5`
pub fn write_timestamp(value: i64, unit: TimeUnit, out: &mut String) {
    write_offset_timestamp(value, unit, None, out);
}

/// `2013-07-01 14:34:56+02`: an instant, shown `offset_seconds` east of UTC.
pub fn write_zoned_timestamp(value: i64, unit: TimeUnit, offset_seconds: i32, out: &mut String) {
    write_offset_timestamp(value, unit, Some(offset_seconds), out);
}

fn write_offset_timestamp(value: i64, unit: TimeUnit, offset: Option<i32>, out: &mut String) {
    let per_second = unit.per_second();
    let seconds =
        value.div_euclid(per_second).saturating_add(i64::from(offset.unwrap_or_default()));
    let before_christ = write_date_part(seconds.div_euclid(SECONDS_PER_DAY), out);
    out.push(' ');
    write_clock(seconds.rem_euclid(SECONDS_PER_DAY), value.rem_euclid(per_second), unit, out);
    if let Some(offset) = offset {
        write_offset(offset, out);
    }
    if before_christ {
        out.push_str(" BC");
    }
}

/// `4a1b…` in the usual five groups.
pub fn write_uuid(value: &[u8; 16], out: &mut String) {
    for (index, byte) in value.iter().enumerate() {
        if matches!(index, 4 | 6 | 8 | 10) {
            out.push('-');
        }
        append(out, format_args!("{byte:02x}"));
    }
}

/// `\x00ff`
pub fn write_bytes(value: &[u8], out: &mut String) {
    out.push_str("\\x");
    for byte in value {
        append(out, format_args!("{byte:02x}"));
    }
}

/// `1 year 2 mons -3 days 04:05:06.5`
pub fn write_interval(value: Interval, out: &mut String) {
    let start = out.len();
    // A positive part after a negative one has its sign written.
    let mut after_negative = false;
    for (count, one, many) in [
        (value.months / 12, "year", "years"),
        (value.months % 12, "mon", "mons"),
        (value.days, "day", "days"),
    ] {
        if count != 0 {
            let space = if out.len() > start { " " } else { "" };
            let sign = if after_negative && count > 0 { "+" } else { "" };
            let unit = if count == 1 { one } else { many };
            append(out, format_args!("{space}{sign}{count} {unit}"));
            after_negative = count < 0;
        }
    }
    if value.nanoseconds != 0 || out.len() == start {
        if out.len() > start {
            out.push(' ');
        }
        if value.nanoseconds < 0 {
            out.push('-');
        } else if after_negative {
            out.push('+');
        }
        let nanoseconds = value.nanoseconds.unsigned_abs().cast_signed();
        // i64::MIN has no positive twin; its clock is off by less than its own resolution.
        let nanoseconds = if nanoseconds < 0 { i64::MAX } else { nanoseconds };
        write_time(nanoseconds, TimeUnit::Nanosecond, out);
    }
}

/// Writes year, month and day; gives whether the year is before 1.
fn write_date_part(days: i64, out: &mut String) -> bool {
    let date = civil_from_days(days);
    let before_christ = date.year <= 0;
    let year = if before_christ { 1 - date.year } else { date.year };
    append(out, format_args!("{year:04}-{:02}-{:02}", date.month, date.day));
    before_christ
}

fn write_clock(seconds: i64, fraction: i64, unit: TimeUnit, out: &mut String) {
    append(out, format_args!("{:02}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60));
    if fraction == 0 {
        return;
    }
    let width = match unit {
        TimeUnit::Second => return,
        TimeUnit::Millisecond => 3,
        TimeUnit::Microsecond => 6,
        TimeUnit::Nanosecond => 9,
    };
    append(out, format_args!(".{fraction:0width$}"));
    out.truncate(out.trim_end_matches('0').len());
}

fn write_offset(offset_seconds: i32, out: &mut String) {
    let sign = if offset_seconds < 0 { '-' } else { '+' };
    let seconds = offset_seconds.unsigned_abs();
    append(out, format_args!("{sign}{:02}", seconds / 3600));
    if !seconds.is_multiple_of(3600) {
        append(out, format_args!(":{:02}", seconds / 60 % 60));
    }
    if !seconds.is_multiple_of(60) {
        append(out, format_args!(":{:02}", seconds % 60));
    }
}

fn append(out: &mut String, arguments: std::fmt::Arguments<'_>) {
    out.write_fmt(arguments).expect("writing to a string never fails");
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(write: impl Fn(&mut String)) -> String {
        let mut out = String::new();
        write(&mut out);
        out
    }

    #[test]
    fn floats_are_written_as_postgres_does() {
        for (value, expected) in [
            (1.0, "1"),
            (-0.0, "-0"),
            (0.1, "0.1"),
            (1e20, "1e+20"),
            (1e14, "100000000000000"),
            (1e15, "1e+15"),
            (123456.789, "123456.789"),
            (0.0001, "0.0001"),
            (0.00001, "1e-05"),
            (-1.5e-7, "-1.5e-07"),
            (1e300, "1e+300"),
            (123456789012345680.0, "1.2345678901234568e+17"),
            (f64::NAN, "NaN"),
            (f64::NEG_INFINITY, "-Infinity"),
            (5e-324, "5e-324"),
        ] {
            assert_eq!(written(|out| write_float64(value, out)), expected);
        }
        for (value, expected) in [(1e6, "1e+06"), (100000.0, "100000"), (0.1, "0.1"), (1.5, "1.5")]
        {
            assert_eq!(written(|out| write_float32(value, out)), expected);
        }
    }

    #[test]
    fn decimals_keep_their_scale() {
        for (value, scale, expected) in [
            (5, 2, "0.05"),
            (-5, 2, "-0.05"),
            (12345, 2, "123.45"),
            (0, 3, "0.000"),
            (7, 0, "7"),
            (1, 38, "0.00000000000000000000000000000000000001"),
        ] {
            assert_eq!(written(|out| write_decimal(value, scale, out)), expected);
        }
    }

    #[test]
    fn dates_and_times_drop_what_is_zero() {
        use TimeUnit::{Microsecond, Nanosecond, Second};
        assert_eq!(written(|out| write_date(-719_163, out)), "0001-12-31 BC");
        assert_eq!(
            written(|out| write_timestamp(1372682096500000, Microsecond, out)),
            "2013-07-01 12:34:56.5"
        );
        assert_eq!(
            written(|out| write_timestamp(-1, Nanosecond, out)),
            "1969-12-31 23:59:59.999999999"
        );
        assert_eq!(
            written(|out| write_zoned_timestamp(0, Second, 19800, out)),
            "1970-01-01 05:30:00+05:30"
        );
        assert_eq!(
            written(|out| write_zoned_timestamp(0, Second, -18000, out)),
            "1969-12-31 19:00:00-05"
        );
        let interval = Interval { months: 14, days: -3, nanoseconds: 14706500000000 };
        assert_eq!(
            written(|out| write_interval(interval, out)),
            "1 year 2 mons -3 days +04:05:06.5"
        );
        assert_eq!(written(|out| write_interval(Interval::default(), out)), "00:00:00");
    }
}
