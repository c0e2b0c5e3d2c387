//! Zone maps as bytes.
//!
//! ```text
//! zone   = flags:u16 row_count:u64 null_count:u64 [ min max ] [ sum:i128 ] [ floats ]
//! min    = kind:u8 payload      kind 1 bool: u8; 2 integer: i128; 3 float: f64 bits; 4 text and
//! max    = kind:u8 payload        5 bytes: length:u8 bytes; 6 uuid: 16 bytes; 0 unknown: nothing
//! floats = exponent_min:i16 exponent_max:i16 lowest_bit:i16 specials:u8
//!
//! flags     1 bounds follow, 2 bounds are exact, 4 a sum follows, 8 constant, 16 floats follow
//! specials  1 a NaN, 2 +infinity, 4 -infinity
//! ```

use super::super::layout::Cursor;
use super::{BOUND_BYTES_MAX, FloatRange, ZoneMap};
use crate::types::{Error, Result, Value};

const BOUNDS: u16 = 1;
const EXACT: u16 = 2;
const SUM: u16 = 4;
const CONSTANT: u16 = 8;
const FLOATS: u16 = 16;
const ALL_FLAGS: u16 = BOUNDS | EXACT | SUM | CONSTANT | FLOATS;

impl ZoneMap {
    /// Appends the statistics.
    pub fn to_bytes(&self, out: &mut Vec<u8>) {
        let has_bounds = self.min.is_some() || self.max.is_some();
        let flags = [
            (has_bounds, BOUNDS),
            (self.bounds_exact, EXACT),
            (self.sum.is_some(), SUM),
            (self.constant, CONSTANT),
            (self.floats.is_some(), FLOATS),
        ];
        let flags = flags.iter().filter(|(is_set, _)| *is_set).fold(0, |bits, (_, bit)| bits | bit);
        out.extend_from_slice(&flags.to_le_bytes());
        out.extend_from_slice(&self.row_count.to_le_bytes());
        out.extend_from_slice(&self.null_count.to_le_bytes());
        if has_bounds {
            write_bound(self.min.as_ref(), out);
            write_bound(self.max.as_ref(), out);
        }
        if let Some(sum) = self.sum {
            out.extend_from_slice(&sum.to_le_bytes());
        }
        if let Some(floats) = self.floats {
            for exponent in [floats.exponent_min, floats.exponent_max, floats.lowest_bit] {
                out.extend_from_slice(&exponent.to_le_bytes());
            }
            let specials = [floats.has_nan, floats.has_infinity, floats.has_negative_infinity];
            out.push(specials.iter().rev().fold(0, |bits, is_set| bits << 1 | u8::from(*is_set)));
        }
    }

    /// Reads statistics from the front of `bytes`, and gives how many bytes they were.
    ///
    /// # Errors
    /// `Corrupt` when they are not whole.
    pub fn from_bytes(bytes: &[u8]) -> Result<(ZoneMap, usize)> {
        let mut cursor = Cursor::new(bytes);
        let flags: u16 = cursor.read()?;
        let row_count = cursor.read()?;
        let null_count = cursor.read()?;
        if null_count > row_count || flags & !ALL_FLAGS != 0 {
            return Err(Error::corrupt(format!(
                "statistics of {null_count} NULLs in {row_count} rows with flags {flags}"
            )));
        }
        let has = |flag| flags & flag != 0;
        let (min, max) = if has(BOUNDS) {
            (read_bound(&mut cursor)?, read_bound(&mut cursor)?)
        } else {
            (None, None)
        };
        let sum = if has(SUM) { Some(cursor.read()?) } else { None };
        let floats = if has(FLOATS) { Some(read_floats(&mut cursor)?) } else { None };
        let zone = ZoneMap {
            row_count,
            null_count,
            min,
            max,
            bounds_exact: has(EXACT),
            sum,
            constant: has(CONSTANT),
            floats,
        };
        Ok((zone, cursor.position()))
    }
}

fn write_bound(bound: Option<&Value>, out: &mut Vec<u8>) {
    let mut text = |kind, bytes: &[u8]| {
        let len = u8::try_from(bytes.len()).expect("bounds are cut at 32 bytes");
        out.extend_from_slice(&[kind, len]);
        out.extend_from_slice(bytes);
    };
    match bound {
        Some(Value::Text(value)) => text(4, value.as_bytes()),
        Some(Value::Bytes(value)) => text(5, value),
        Some(Value::Bool(value)) => out.extend_from_slice(&[1, u8::from(*value)]),
        Some(Value::Int(value)) => {
            out.push(2);
            out.extend_from_slice(&value.to_le_bytes());
        }
        Some(Value::Float(value)) => {
            out.push(3);
            out.extend_from_slice(&value.to_bits().to_le_bytes());
        }
        Some(Value::Uuid(value)) => {
            out.push(6);
            out.extend_from_slice(value);
        }
        Some(Value::Null | Value::Interval(_)) | None => out.push(0),
    }
}

fn read_bound(cursor: &mut Cursor<'_>) -> Result<Option<Value>> {
    let kind: u8 = cursor.read()?;
    Ok(Some(match kind {
        0 => return Ok(None),
        1 => Value::Bool(cursor.read::<u8>()? == 1),
        2 => Value::Int(cursor.read()?),
        3 => Value::Float(f64::from_bits(cursor.read()?)),
        4 | 5 => {
            let len: u8 = cursor.read()?;
            let place = cursor.array(usize::from(len), 1)?;
            let bytes = cursor.page()[place].to_vec();
            if usize::from(len) > BOUND_BYTES_MAX {
                return Err(Error::corrupt(format!("a bound of {len} bytes")));
            }
            if kind == 4 {
                let text = String::from_utf8(bytes);
                Value::Text(text.map_err(|_| Error::corrupt("a bound that is no text"))?)
            } else {
                Value::Bytes(bytes)
            }
        }
        6 => Value::Uuid(cursor.read()?),
        _ => return Err(Error::corrupt(format!("no bound has the kind {kind}"))),
    }))
}

fn read_floats(cursor: &mut Cursor<'_>) -> Result<FloatRange> {
    let (exponent_min, exponent_max) = (cursor.read()?, cursor.read()?);
    let lowest_bit = cursor.read()?;
    let specials: u8 = cursor.read()?;
    Ok(FloatRange {
        exponent_min,
        exponent_max,
        lowest_bit,
        has_nan: specials & 1 != 0,
        has_infinity: specials & 2 != 0,
        has_negative_infinity: specials & 4 != 0,
    })
}
