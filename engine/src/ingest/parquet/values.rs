//! What the values of a page may grow to, checked before anything decodes them.
//!
//! The Parquet crate reserves memory for as many values as a dictionary page or a delta stream
//! claims to have, and prefix-compressed text can blow up a small page to any size. Here such
//! claims are checked against the bytes, and the decoded size becomes known.

use parquet::basic::{Encoding, Type};

use super::schema::Leaf;

/// How many lengths are decoded at once: those of one page of delta-encoded text.
const LENGTHS_MAX: usize = 1 << 24;

/// Decoded sizes of a page's values, in bytes. For fixed-width values both are 0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct ValueSizes {
    /// All values.
    pub(super) total: usize,
    /// The longest value.
    pub(super) longest: usize,
}

/// Checks a dictionary page of `count` plainly encoded values.
///
/// # Errors
/// One phrase that says what is wrong.
pub(super) fn dictionary_sizes(
    leaf: &Leaf,
    count: usize,
    bytes: &[u8],
) -> Result<ValueSizes, String> {
    let width = match leaf.physical {
        Type::BYTE_ARRAY => return plain_sizes(bytes, count),
        Type::BOOLEAN => return Err("a dictionary of booleans".to_owned()),
        Type::INT32 | Type::FLOAT => 4,
        Type::INT64 | Type::DOUBLE => 8,
        Type::INT96 => 12,
        Type::FIXED_LEN_BYTE_ARRAY => leaf.fixed_bytes,
    };
    match count.checked_mul(width) {
        Some(needed) if needed <= bytes.len() => Ok(ValueSizes::default()),
        _ => Err(format!("a dictionary of {count} values in {} bytes", bytes.len())),
    }
}

fn plain_sizes(bytes: &[u8], count: usize) -> Result<ValueSizes, String> {
    let mut sizes = ValueSizes::default();
    for value in PlainValues::new(bytes).take(count) {
        let value = value?;
        sizes.total += value.len();
        sizes.longest = sizes.longest.max(value.len());
    }
    let needed = count.checked_mul(4).and_then(|lengths| lengths.checked_add(sizes.total));
    match needed {
        Some(needed) if needed <= bytes.len() => Ok(sizes),
        _ => Err(format!("a dictionary of {count} values in {} bytes", bytes.len())),
    }
}

/// Plainly encoded `BYTE_ARRAY`s: each a length in four bytes, then itself.
pub(super) struct PlainValues<'a>(&'a [u8]);

impl<'a> PlainValues<'a> {
    /// The values in `bytes`.
    pub(super) fn new(bytes: &'a [u8]) -> PlainValues<'a> {
        PlainValues(bytes)
    }
}

impl<'a> Iterator for PlainValues<'a> {
    type Item = Result<&'a [u8], String>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.0.is_empty() {
            return None;
        }
        let value = self.0.split_first_chunk::<4>().and_then(|(length, rest)| {
            rest.split_at_checked(usize::try_from(u32::from_le_bytes(*length)).ok()?)
        });
        let Some((value, rest)) = value else {
            self.0 = &[];
            return Some(Err("a value is longer than its page".to_owned()));
        };
        self.0 = rest;
        Some(Ok(value))
    }
}

/// Checks a data page of `row_count` rows whose values, behind the levels, are `bytes`.
///
/// # Errors
/// One phrase that says what is wrong.
pub(super) fn data_sizes(
    leaf: &Leaf,
    encoding: Encoding,
    row_count: usize,
    bytes: &[u8],
) -> Result<ValueSizes, String> {
    let page = ValueSizes { total: bytes.len(), longest: bytes.len() };
    match (encoding, leaf.physical) {
        (Encoding::DELTA_BINARY_PACKED, _) => {
            // A page whose values are all NULL may have no stream at all.
            if !bytes.is_empty() {
                Delta::open(bytes, row_count)?;
            }
            Ok(ValueSizes::default())
        }
        (Encoding::DELTA_LENGTH_BYTE_ARRAY, _) => {
            if !bytes.is_empty() {
                Delta::open(bytes, row_count.min(LENGTHS_MAX))?;
            }
            Ok(page)
        }
        (Encoding::DELTA_BYTE_ARRAY, _) if bytes.is_empty() => Ok(page),
        (Encoding::DELTA_BYTE_ARRAY, _) => prefixed_sizes(row_count, bytes),
        (_, Type::BYTE_ARRAY) => Ok(page),
        _ => Ok(ValueSizes::default()),
    }
}

/// Text whose values share a prefix with the one before: prefix lengths, then suffix lengths, then
/// suffixes.
fn prefixed_sizes(row_count: usize, bytes: &[u8]) -> Result<ValueSizes, String> {
    let row_count = row_count.min(LENGTHS_MAX);
    let mut prefixes = Vec::new();
    let suffixes_at = Delta::open(bytes, row_count)?.decode(&mut prefixes)?;
    let mut suffixes = Vec::new();
    Delta::open(&bytes[suffixes_at..], row_count)?.decode(&mut suffixes)?;
    if prefixes.len() != suffixes.len() {
        return Err("a page has more prefixes than suffixes, or fewer".to_owned());
    }
    let mut sizes = ValueSizes::default();
    let mut previous = 0;
    for (prefix, suffix) in prefixes.into_iter().zip(suffixes) {
        let length = |value: i64| usize::try_from(value).ok().filter(|length| *length <= 1 << 31);
        let (Some(prefix), Some(suffix)) = (length(prefix), length(suffix)) else {
            return Err("a page has a value of impossible length".to_owned());
        };
        if prefix > previous || suffix > bytes.len() {
            return Err("a page has a value with a longer prefix than there is".to_owned());
        }
        previous = prefix + suffix;
        sizes.total = sizes.total.saturating_add(previous);
        sizes.longest = sizes.longest.max(previous);
    }
    Ok(sizes)
}

/// A `DELTA_BINARY_PACKED` stream: blocks of miniblocks of bit-packed differences.
struct Delta<'a> {
    bytes: &'a [u8],
    position: usize,
    miniblock_count: usize,
    miniblock_len: usize,
    value_count: usize,
    first: i64,
}

impl<'a> Delta<'a> {
    /// Parses the stream's header, which must not claim more than `value_count_max` values.
    fn open(bytes: &'a [u8], value_count_max: usize) -> Result<Delta<'a>, String> {
        let mut delta = Delta {
            bytes,
            position: 0,
            miniblock_count: 0,
            miniblock_len: 0,
            value_count: 0,
            first: 0,
        };
        let block_len = delta.count()?;
        delta.miniblock_count = delta.count()?;
        delta.value_count = delta.count()?;
        delta.first = delta.signed()?;
        // The format asks for multiples of 128 and 32; the limit is far above what is written.
        let regular = (1..=block_len).contains(&delta.miniblock_count)
            && block_len <= 1 << 20
            && block_len.is_multiple_of(128)
            && block_len.is_multiple_of(delta.miniblock_count)
            && (block_len / delta.miniblock_count).is_multiple_of(32);
        if !regular {
            return Err(format!(
                "a page has delta blocks of {block_len} values in {} parts",
                delta.miniblock_count
            ));
        }
        if delta.value_count > value_count_max {
            return Err(format!(
                "a page of {value_count_max} rows has {} delta values",
                delta.value_count
            ));
        }
        delta.miniblock_len = block_len / delta.miniblock_count;
        Ok(delta)
    }

    /// Appends all values to `target`; gives the position behind the stream.
    fn decode(mut self, target: &mut Vec<i64>) -> Result<usize, String> {
        if self.value_count == 0 {
            return Ok(self.position);
        }
        let mut value = self.first;
        target.push(value);
        let mut left = self.value_count - 1;
        while left > 0 {
            let least = self.signed()?;
            let widths = self.take(self.miniblock_count)?;
            for width_bits in widths {
                if left == 0 {
                    break;
                }
                let width_bits = usize::from(*width_bits);
                if width_bits > 64 {
                    return Err(format!("a page has differences of {width_bits} bits"));
                }
                let packed = self.take(width_bits * self.miniblock_len / 8)?;
                for index in 0..self.miniblock_len.min(left) {
                    let difference = unpack_one(packed, index * width_bits, width_bits);
                    value = value.wrapping_add(least).wrapping_add(difference.cast_signed());
                    target.push(value);
                }
                left -= self.miniblock_len.min(left);
            }
        }
        Ok(self.position)
    }

    fn take(&mut self, count: usize) -> Result<&'a [u8], String> {
        let taken = self.bytes[self.position..].get(..count).ok_or("a delta stream is cut off")?;
        self.position += count;
        Ok(taken)
    }

    fn variable(&mut self) -> Result<u64, String> {
        let mut value = 0_u64;
        for shift in (0..64).step_by(7) {
            let byte = self.take(1)?[0];
            value |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Ok(value);
            }
        }
        Err("a delta stream has an integer of more than 64 bits".to_owned())
    }

    fn count(&mut self) -> Result<usize, String> {
        usize::try_from(self.variable()?).map_err(|error| error.to_string())
    }

    fn signed(&mut self) -> Result<i64, String> {
        let value = self.variable()?;
        Ok((value >> 1).cast_signed() ^ -(value & 1).cast_signed())
    }
}

fn unpack_one(bytes: &[u8], first_bit: usize, width_bits: usize) -> u64 {
    (0..width_bits).fold(0, |value, bit| {
        let place = first_bit + bit;
        value | u64::from(bytes[place / 8] >> (place % 8) & 1) << bit
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One block of 128 values in 4 miniblocks: values 7, 5, 3, 1, 2, 3, 4, 5, from the format's
    /// own description of the encoding.
    const EXAMPLE: [u8; 19] =
        [128, 1, 4, 8, 14, 3, 2, 0, 0, 0, 0b1100_0000, 0b0011_1111, 0, 0, 0, 0, 0, 0, 99];

    #[test]
    fn the_formats_own_example_decodes_and_its_end_is_found() -> Result<(), String> {
        let mut values = Vec::new();
        let end = Delta::open(&EXAMPLE, 8)?.decode(&mut values)?;
        assert_eq!(values, [7, 5, 3, 1, 2, 3, 4, 5]);
        assert_eq!(EXAMPLE[end], 99);
        assert!(Delta::open(&EXAMPLE, 7).is_err());
        for length in 0..end {
            let cut = Delta::open(&EXAMPLE[..length], 8);
            assert!(cut.and_then(|delta| delta.decode(&mut Vec::new())).is_err(), "{length}");
        }
        Ok(())
    }

    #[test]
    fn a_dictionary_must_hold_what_it_claims() {
        let text = b"\x02\0\0\0ab\x05\0\0\0hello";
        assert_eq!(plain_sizes(text, 2), Ok(ValueSizes { total: 7, longest: 5 }));
        assert!(plain_sizes(text, 3).is_err());
        assert!(plain_sizes(&text[..10], 2).is_err());
        assert!(plain_sizes(b"\xff\xff\xff\xffa", 1).is_err());
    }

    #[test]
    fn shared_prefixes_are_added_up() {
        // Prefixes 0, 3; suffixes 3, 1: "abc", "abcd".
        let two =
            |first: u8, difference: u8| vec![128, 1, 4, 2, first * 2, difference * 2, 0, 0, 0, 0];
        let mut bytes = two(0, 3);
        bytes.extend([128, 1, 4, 2, 6, 3, 0, 0, 0, 0]);
        bytes.extend(b"abcd");
        assert_eq!(prefixed_sizes(2, &bytes), Ok(ValueSizes { total: 7, longest: 4 }));
        let mut wild = two(0, 60);
        wild.extend([128, 1, 4, 2, 6, 3, 0, 0, 0, 0]);
        assert!(prefixed_sizes(2, &wild).is_err());
    }
}
