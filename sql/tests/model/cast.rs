//! CAST. Text is read and written by `types::text`, which has its own tests.

use martlet::{DataType, Error, Interval, Result, TimeUnit, Value};
use martlet_engine::types::text::{ZoneName, parse_timestamp, write_zoned_timestamp};
use num_bigint::BigInt;

use crate::exact::{half_away, nearest_double, power_of_ten};
use crate::number::{fit, integer, whole};
use crate::plan::Cell;
use crate::time::{SECONDS_PER_DAY, Zone};

/// `value`, of type `from`, as a value of type `to`.
pub(crate) fn cast(value: &Value, from: DataType, to: DataType, zone: Zone) -> Cell {
    match (value, from, to) {
        (Value::Null, _, _) => Ok(Value::Null),
        _ if from == to => Ok(value.clone()),
        (_, _, DataType::Utf8) => Ok(Value::Text(written(value, from, zone))),
        (Value::Text(text), _, _) => read(text, to, zone),
        (Value::Bool(value), _, _) => Ok(Value::Int(i128::from(*value))),
        (Value::Int(value), _, DataType::Bool) => Ok(Value::Bool(*value != 0)),
        (Value::Float(value), _, _) => from_float(*value, from, to),
        (Value::Int(_), _, _) if from.is_numeric() => from_exact(value, from, to),
        (Value::Uuid(bytes), _, _) => Ok(Value::Bytes(bytes.to_vec())),
        (Value::Bytes(bytes), _, _) => match <[u8; 16]>::try_from(bytes.as_slice()) {
            Ok(bytes) => Ok(Value::Uuid(bytes)),
            Err(_) => Err(out_of_range(value, from, to)),
        },
        (Value::Interval(interval), _, DataType::Time(unit)) => {
            let per_day = SECONDS_PER_DAY * 1_000_000_000;
            let clock = i128::from(interval.nanoseconds).rem_euclid(per_day);
            Ok(Value::Int(clock / nanoseconds_per(unit)))
        }
        (_, DataType::Time(unit), DataType::Interval) => {
            let nanoseconds = i64::try_from(whole(value) * nanoseconds_per(unit));
            let nanoseconds = nanoseconds.map_err(|_| out_of_range(value, from, to))?;
            Ok(Value::Interval(Interval { months: 0, days: 0, nanoseconds }))
        }
        _ => temporal(value, from, to, zone),
    }
}

fn out_of_range(value: &Value, from: DataType, to: DataType) -> Error {
    Error::out_of_range(format!("{} does not fit {to}", value.to_text(from)))
}

fn written(value: &Value, from: DataType, zone: Zone) -> String {
    let DataType::Timestamp { unit, zoned: true } = from else {
        return value.to_text(from);
    };
    let ticks = i64::try_from(whole(value)).expect("64 bits");
    let offset = zone.offset_at(ticks.div_euclid(unit.per_second()));
    let mut text = String::new();
    write_zoned_timestamp(ticks, unit, offset, &mut text);
    text
}

fn read(text: &str, to: DataType, session: Zone) -> Cell {
    let DataType::Timestamp { unit, zoned: true } = to else {
        return Value::parse(text, to);
    };
    let parsed = parse_timestamp(text)?;
    let offset = match parsed.zone {
        Some(ZoneName::Offset(seconds)) => seconds,
        Some(ZoneName::Named(name)) => Zone::parse(name)?.offset_of_local(parsed.seconds),
        None => session.offset_of_local(parsed.seconds),
    };
    let ticks = parsed.units(unit, offset);
    let ticks = ticks.ok_or_else(|| Error::out_of_range(format!("{text} does not fit {to}")))?;
    Ok(Value::Int(ticks.into()))
}

/// Doubles round half to even; to a decimal, a double keeps 15 digits and a single 6.
fn from_float(value: f64, from: DataType, to: DataType) -> Cell {
    let refused = || out_of_range(&Value::Float(value), from, to);
    match to {
        DataType::Float64 => Ok(Value::Float(value)),
        DataType::Float32 => to_single(value).map(Value::Float).ok_or_else(refused),
        DataType::Decimal { .. } => {
            let digits = match from {
                DataType::Float32 => format!("{value:.5e}"),
                _ => format!("{value:.14e}"),
            };
            Value::parse(&digits, to).map_err(|_| refused())
        }
        _ => {
            let rounded = value.round_ties_even();
            if !rounded.is_finite() || rounded.abs() > 1e30 {
                return Err(refused());
            }
            let digits = format!("{rounded:.0}");
            let exact: BigInt = digits.parse().expect("a whole number");
            fit(exact, to)
        }
    }
}

/// A double as a single, one rounding; `None` when it becomes infinite or zero and was not.
#[expect(clippy::cast_possible_truncation, reason = "rounding to a single is what is asked for")]
fn to_single(value: f64) -> Option<f64> {
    let single = f64::from(value as f32);
    let is_lost = (single.is_infinite() && value.is_finite()) || (single == 0.0 && value != 0.0);
    (!is_lost).then_some(single)
}

/// An integer or decimal as another number; decimals round half away from zero.
fn from_exact(value: &Value, from: DataType, to: DataType) -> Cell {
    let (digits, scale) = (integer(value), scale_of(from));
    match to {
        DataType::Float64 => Ok(Value::Float(nearest_double(&digits, &power_of_ten(scale)))),
        DataType::Float32 => {
            let single: f32 = value.to_text(from).parse().expect("a number's text");
            Ok(Value::Float(single.into()))
        }
        _ => {
            let scaled = digits * power_of_ten(scale_of(to));
            fit(half_away(&scaled, &power_of_ten(scale)), to)
                .map_err(|_| out_of_range(value, from, to))
        }
    }
}

fn scale_of(data_type: DataType) -> u32 {
    match data_type {
        DataType::Decimal { scale, .. } => scale.into(),
        _ => 0,
    }
}

fn nanoseconds_per(unit: TimeUnit) -> i128 {
    1_000_000_000 / i128::from(unit.per_second())
}

/// Dates, times and timestamps, through nanoseconds on the local clock or since 1970.
fn temporal(value: &Value, from: DataType, to: DataType, zone: Zone) -> Cell {
    let refused = || out_of_range(value, from, to);
    let per_day = SECONDS_PER_DAY * 1_000_000_000;
    let (nanoseconds, zoned) = match from {
        DataType::Date => (whole(value) * per_day, false),
        DataType::Time(unit) => (whole(value) * nanoseconds_per(unit), false),
        DataType::Timestamp { unit, zoned } => (whole(value) * nanoseconds_per(unit), zoned),
        _ => return Err(Error::unsupported(format!("{from} to {to}"))),
    };
    let wants_zoned = matches!(to, DataType::Timestamp { zoned: true, .. });
    let nanoseconds = match (zoned, wants_zoned) {
        (true, false) => nanoseconds + offset(zone.offset_at(seconds_of(nanoseconds))),
        (false, true) => nanoseconds - offset(zone.offset_of_local(seconds_of(nanoseconds))),
        _ => nanoseconds,
    };
    let ticks = match to {
        DataType::Date => nanoseconds.div_euclid(per_day),
        DataType::Time(unit) => {
            let clock = match from {
                DataType::Time(_) => nanoseconds,
                _ => nanoseconds.rem_euclid(per_day),
            };
            let unit = nanoseconds_per(unit);
            (clock + unit / 2).div_euclid(unit)
        }
        DataType::Timestamp { unit, .. } => from_2000(nanoseconds, nanoseconds_per(unit)),
        _ => return Err(Error::unsupported(format!("{from} to {to}"))),
    };
    fit(BigInt::from(ticks), to).map_err(|_| refused())
}

fn offset(seconds: i32) -> i128 {
    i128::from(seconds) * 1_000_000_000
}

fn seconds_of(nanoseconds: i128) -> i64 {
    i64::try_from(nanoseconds.div_euclid(1_000_000_000)).unwrap_or(i64::MAX)
}

/// Nanoseconds in a coarser unit, rounded half away from 2000-01-01 as PostgreSQL does.
fn from_2000(nanoseconds: i128, unit: i128) -> i128 {
    const START: i128 = 946_684_800_000_000_000;
    let rounded = half_away(&BigInt::from(nanoseconds - START), &BigInt::from(unit));
    START / unit + i128::try_from(rounded).expect("it was smaller")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_decimal_rounds_half_away_from_zero() -> Result<()> {
        let (from, to) = (DataType::Decimal { precision: 4, scale: 2 }, DataType::Int32);
        assert_eq!(cast(&Value::Int(-250), from, to, Zone::named("UTC"))?, Value::Int(-3));
        Ok(())
    }
}
