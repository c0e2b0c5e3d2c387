//! From Arrow arrays to encoded pages: which body a logical type has.
//!
//! ```text
//! integers, date, time, timestamp   lanes of their width (`fixed`)
//! float32, float64                  lanes of 32 and 64 bits that hold their bits; or ALP
//! decimal                           base:i128, then lanes of 64 bits: value − base, wrapping;
//!                                   constant and raw pages hold values of 16 bytes instead
//! uuid                              constant and raw, values of 16 bytes
//! bool                              bits: one a row, low bit first, ⌈rows / 64⌉ × 8 bytes (bitmap); or lanes of 8 bits, 0 or 1
//! utf8, binary                      `text`
//! dictionary codes                  lanes of 32 bits
//! ```

use arrow::array::{Array, AsArray, PrimitiveArray};
use arrow::buffer::NullBuffer;
use arrow::datatypes::{
    ArrowPrimitiveType, Date32Type, Decimal128Type, Float32Type, Float64Type, Int8Type, Int16Type,
    Int32Type, Int64Type, Time32MillisecondType, Time32SecondType, Time64MicrosecondType,
    Time64NanosecondType, TimestampMicrosecondType, TimestampMillisecondType,
    TimestampNanosecondType, TimestampSecondType, UInt8Type, UInt16Type, UInt32Type, UInt64Type,
};

use super::alp::{Digits, Float};
use super::integers::{self, Choice, Sizes};
use super::{EncodedPage, Encoding, PAGE_LEN_MAX, fixed, text, validity};
use crate::kernel::Integer;
use crate::types::{DataType, Error, Result, TimeUnit, match_integer_type};

/// Encodes a page in the encoding that suits it best.
///
/// `array` has 1 to 65,536 rows and the type `data_type.to_arrow()`.
///
/// # Errors
/// `Internal` when it has another type or length, `Unsupported` for types that no column has.
pub fn encode(array: &dyn Array, data_type: DataType) -> Result<EncodedPage> {
    encode_choice(array, data_type, Choice::Any)?
        .ok_or_else(|| Error::internal(format!("no encoding holds a page of {data_type}")))
}

/// Encodes a page in one encoding whatever it costs; `None` when that does not hold its values.
///
/// For tests and measurements of single encodings.
///
/// # Errors
/// As [`encode`].
pub fn encode_as(
    array: &dyn Array,
    data_type: DataType,
    encoding: Encoding,
) -> Result<Option<EncodedPage>> {
    encode_choice(array, data_type, Choice::Only(encoding))
}

/// Encodes a page of dictionary codes.
///
/// # Panics
/// When there are none or more than 65,536.
pub fn encode_codes(codes: &[u32]) -> EncodedPage {
    assert!(
        (1..=PAGE_LEN_MAX).contains(&codes.len()),
        "a page has 1 to 65,536 codes, not {}",
        codes.len()
    );
    let mut bytes = Vec::new();
    validity::write(None, codes.len(), &mut bytes);
    let encoding = integers::encode(codes, None, Choice::Any, &mut bytes)
        .expect("a frame of reference holds any integers");
    EncodedPage { encoding, bytes }
}

fn encode_choice(
    array: &dyn Array,
    data_type: DataType,
    choice: Choice,
) -> Result<Option<EncodedPage>> {
    if array.data_type() != &data_type.to_arrow() || array.is_empty() || array.len() > PAGE_LEN_MAX
    {
        return Err(Error::internal(format!(
            "a page of {data_type} cannot be {} rows of {}",
            array.len(),
            array.data_type()
        )));
    }
    let nulls = array.nulls();
    let mut bytes = Vec::new();
    validity::write(nulls, array.len(), &mut bytes);
    let encoding = if array.null_count() == array.len() {
        matches!(choice, Choice::Any | Choice::Only(Encoding::Constant)).then(|| {
            // Any value will do under NULL; 16 zeros are one of every type.
            bytes.extend_from_slice(&[0; 16]);
            Encoding::Constant
        })
    } else {
        encode_body(array, data_type, choice, &mut bytes)?
    };
    Ok(encoding.map(|encoding| EncodedPage { encoding, bytes }))
}

fn encode_body(
    array: &dyn Array,
    data_type: DataType,
    choice: Choice,
    out: &mut Vec<u8>,
) -> Result<Option<Encoding>> {
    let nulls = array.nulls();
    macro_rules! integers {
        ($arrow:ty) => {
            integers::encode(native::<$arrow>(array), nulls, choice, out)
        };
    }
    Ok(match data_type {
        DataType::Bool => encode_bools(array, choice, out),
        DataType::Float32 => encode_floats::<Float32Type>(array, choice, out),
        DataType::Float64 => encode_floats::<Float64Type>(array, choice, out),
        DataType::Decimal { .. } => {
            encode_decimals(native::<Decimal128Type>(array), nulls, choice, out)
        }
        DataType::Uuid => {
            let values = array.as_fixed_size_binary();
            encode_wide(&values.values()[..16 * array.len()], nulls, choice, out)
        }
        DataType::Utf8 | DataType::Binary => encode_text(array, choice, out),
        _ => match_integer_type!(data_type, integers, {
            return Err(Error::unsupported(format!("columns of type {data_type} are not stored")));
        }),
    })
}

fn native<T: ArrowPrimitiveType>(array: &dyn Array) -> &[T::Native] {
    array.as_primitive::<T>().values()
}

fn encode_bools(array: &dyn Array, choice: Choice, out: &mut Vec<u8>) -> Option<Encoding> {
    let bits = array.as_boolean().values();
    let lanes = || -> Vec<u8> { bits.iter().map(u8::from).collect() };
    match choice {
        Choice::Only(Encoding::Bitmap) => {}
        Choice::Only(_) => return integers::encode(&lanes(), array.nulls(), choice, out),
        Choice::Any => {
            let lanes = lanes();
            let start = out.len();
            let encoding = integers::encode(&lanes, array.nulls(), choice, out);
            let is_smaller = out.len() - start < array.len() / 16;
            if encoding == Some(Encoding::Constant) || is_smaller {
                return encoding;
            }
            out.truncate(start);
        }
    }
    out.extend_from_slice(bytemuck::cast_slice(&validity::words(bits)));
    Some(Encoding::Bitmap)
}

/// The lane that holds a float's bits.
type Bits<F> = <<F as Float>::Digits as Integer>::Lane;

fn encode_floats<T>(array: &dyn Array, choice: Choice, out: &mut Vec<u8>) -> Option<Encoding>
where
    T: ArrowPrimitiveType<Native: Float>,
{
    let array: &PrimitiveArray<T> = array.as_primitive();
    let values: &[T::Native] = array.values();
    let bits: &[Bits<T::Native>] = bytemuck::cast_slice(values);
    let is_alp = match choice {
        Choice::Any => true,
        Choice::Only(encoding) => encoding == Encoding::Alp,
    };
    let nulls = array.nulls().filter(|nulls| nulls.null_count() > 0);
    let filled: Vec<T::Native>;
    let values = match nulls {
        Some(nulls) => {
            filled = fill_null_floats(values, nulls);
            &filled
        }
        None => values,
    };
    if !is_alp {
        return integers::encode(bits, nulls, choice, out);
    }
    let digits = Digits::of(values);
    if choice == Choice::Only(Encoding::Alp) {
        let digits = digits?;
        digits.write(values, &digits.plan(), out);
        return Some(Encoding::Alp);
    }
    let bits_bytes = match nulls {
        Some(nulls) if integers::are_mostly_null(nulls) => {
            size_of::<T::Native>() * (values.len() - nulls.null_count())
        }
        _ => Sizes::of(bytemuck::cast_slice::<_, Bits<T::Native>>(values)).best().1,
    };
    if let Some(digits) = digits.filter(Digits::is_promising) {
        let plan = digits.plan();
        let bytes = plan.encoded_bytes() + digits.exception_bytes();
        if bytes * 100 < bits_bytes * 95 {
            digits.write(values, &plan, out);
            return Some(Encoding::Alp);
        }
    }
    integers::encode(bits, nulls, choice, out)
}

/// A copy of `values` whose NULL slots hold the valid value before them, or the first.
fn fill_null_floats<F: Float>(values: &[F], nulls: &NullBuffer) -> Vec<F> {
    let mut last = nulls.valid_indices().next().map_or_else(F::zeroed, |row| values[row]);
    let filled = values.iter().enumerate().map(|(row, value)| {
        if nulls.is_valid(row) {
            last = *value;
        }
        last
    });
    filled.collect()
}

fn encode_decimals(
    values: &[i128],
    nulls: Option<&NullBuffer>,
    choice: Choice,
    out: &mut Vec<u8>,
) -> Option<Encoding> {
    let is_valid = |row: usize| nulls.is_none_or(|nulls| nulls.is_valid(row));
    let valid = || values.iter().enumerate().filter(|(row, _)| is_valid(*row));
    let (mut min, mut max) = (i128::MAX, i128::MIN);
    for (_, value) in valid() {
        (min, max) = (min.min(*value), max.max(*value));
    }
    let is_wide = u64::try_from(max.wrapping_sub(min)).is_err();
    let is_wide_choice =
        matches!(choice, Choice::Only(Encoding::Constant | Encoding::Raw)) || min == max;
    if is_wide || is_wide_choice {
        return encode_wide(bytemuck::cast_slice(values), nulls, choice, out);
    }
    let offset = |value: &i128| u64::try_from(value.wrapping_sub(min)).unwrap_or(0);
    let offsets: Vec<u64> = values.iter().map(offset).collect();
    let start = out.len();
    out.extend_from_slice(&min.to_le_bytes());
    let encoding = integers::encode(&offsets, nulls, choice, out)?;
    if encoding != Encoding::Raw {
        return Some(encoding);
    }
    out.truncate(start);
    // Raw pages have values of 16 bytes; a frame of full width is half of that.
    out.extend_from_slice(&min.to_le_bytes());
    integers::encode(&offsets, nulls, Choice::Only(Encoding::FrameOfReference), out)
}

/// Values of 16 bytes: constant or raw.
fn encode_wide(
    values: &[u8],
    nulls: Option<&NullBuffer>,
    choice: Choice,
    out: &mut Vec<u8>,
) -> Option<Encoding> {
    let (values, _) = values.as_chunks::<16>();
    let is_valid = |row: usize| nulls.is_none_or(|nulls| nulls.is_valid(row));
    let mut valid = values.iter().enumerate().filter(|(row, _)| is_valid(*row));
    let (_, first) = valid.next()?;
    let is_constant = valid.all(|(_, value)| value == first);
    let encoding = match choice {
        Choice::Any if is_constant => Encoding::Constant,
        Choice::Any => Encoding::Raw,
        Choice::Only(encoding) => encoding,
    };
    match encoding {
        Encoding::Constant if is_constant => fixed::write_constant(first, out),
        Encoding::Raw => fixed::write_raw(values.as_flattened(), out),
        _ => return None,
    }
    Some(encoding)
}

fn encode_text(array: &dyn Array, choice: Choice, out: &mut Vec<u8>) -> Option<Encoding> {
    match choice {
        Choice::Any => {
            if let Some(value) = text::constant(array) {
                text::write_constant(value, out);
                return Some(Encoding::Constant);
            }
            text::write(array, out);
            Some(Encoding::Text)
        }
        Choice::Only(Encoding::Text) => {
            text::write(array, out);
            Some(Encoding::Text)
        }
        Choice::Only(Encoding::Constant) => {
            text::write_constant(text::constant(array)?, out);
            Some(Encoding::Constant)
        }
        Choice::Only(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{ArrayRef, Int32Array};

    use super::*;

    #[test]
    fn a_page_of_another_type_is_refused() {
        let array: ArrayRef = Arc::new(Int32Array::from(vec![1]));
        assert!(encode(&array, DataType::Int64).is_err());
        assert!(encode(&array.slice(0, 0), DataType::Int32).is_err());
    }
}
