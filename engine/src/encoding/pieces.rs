//! Text and bytes in pieces of about 64 KB: what text pages and dictionaries are made of.
//!
//! A piece holds some values one after the other, raw or as one LZ4 block, and is self-contained.
//! Lengths are packed, so that they cost no byte of the text; whether all of it is ASCII is known, and
//! where it is not the code points of each value are counted.
//!
//! ```text
//! piece = flags:u8 0:u8×3 value_count:u32 value_bytes:u32 stored_bytes:u32
//!         lengths [ code points ] stored pad8
//!
//! flags        1 stored is an LZ4 block, 2 every byte is ASCII, 4 code points follow, 8 the values are text
//! value_count  1 to 65,536
//! value_bytes  bytes of all values; more than 65,536 only if there is one value
//! lengths      frame of value_count lanes of 32 bits: bytes of each value
//! code points  frame likewise: code points of each value; only with flag 4
//! stored       stored_bytes bytes
//! ```

use arrow::array::{Array, ArrayRef, AsArray, BinaryArray, StringArray};
use arrow::buffer::{Buffer, OffsetBuffer, ScalarBuffer};
use arrow::datatypes::DataType as ArrowType;
use bytes::Bytes;
use std::ops::Range;
use std::sync::Arc;

use super::frame::{self, Frame};
use super::layout::{Cursor, pad, to_u32, to_usize};
use crate::types::{Error, Result};

/// Bytes of values after which a piece ends. A longer value has a piece of its own.
pub const PIECE_BYTES: usize = 65_536;

/// The most values a piece has.
pub const PIECE_LEN_MAX: usize = 65_536;

const LZ4: u8 = 1;
const ASCII: u8 = 2;
const CODE_POINTS: u8 = 4;
const TEXT: u8 = 8;

/// LZ4 is kept where it takes at most this share of the raw bytes, in hundredths.
const LZ4_PERCENT: usize = 80;

/// After a piece that LZ4 did not shrink, so many are stored raw before the next is tried.
const LZ4_RETRY: usize = 7;

/// No byte of an LZ4 block stands for more bytes than this.
const LZ4_RATIO_MAX: usize = 255;

/// A piece and how many values it has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EncodedPiece {
    /// Values.
    pub value_count: u32,
    /// What to write, from a multiple of 8 on.
    pub bytes: Vec<u8>,
}

/// Cuts `values` into pieces, in order.
///
/// # Panics
/// When `values` are not `Utf8` or `Binary`. What is under a NULL is stored as the value it has
/// there.
pub fn encode(values: &dyn Array) -> Vec<EncodedPiece> {
    Encoder::default().encode(values, false)
}

/// Cuts values that come array by array into pieces, as if they came in one.
#[derive(Debug, Default)]
pub struct Encoder {
    /// Pieces to store raw before LZ4 is tried again.
    raw_left: usize,
}

impl Encoder {
    /// The pieces of `values`. If more values follow, the last piece is left out: its values come
    /// again, in front of those.
    ///
    /// # Panics
    /// As [`encode`].
    pub fn encode(&mut self, values: &dyn Array, more_follow: bool) -> Vec<EncodedPiece> {
        let is_text = values.data_type() == &ArrowType::Utf8;
        let (offsets, bytes): (&[i32], &[u8]) = if is_text {
            let values = values.as_string::<i32>();
            (values.value_offsets(), values.value_data())
        } else {
            let values = values.as_binary::<i32>();
            (values.value_offsets(), values.value_data())
        };
        let mut pieces = Vec::new();
        let mut start = 0;
        while start + 1 < offsets.len() {
            let end = piece_end(offsets, start);
            if more_follow && end + 1 == offsets.len() {
                break;
            }
            pieces.push(self.piece(&offsets[start..=end], bytes, is_text));
            start = end;
        }
        pieces
    }
}

fn offset_at(offset: i32) -> usize {
    usize::try_from(offset).expect("Arrow offsets are not negative")
}

/// Where the piece that starts with value `start` ends.
fn piece_end(offsets: &[i32], start: usize) -> usize {
    let limit = offset_at(offsets[start]) + PIECE_BYTES;
    let most = offsets.len().min(start + PIECE_LEN_MAX + 1);
    let ends = &offsets[start + 1..most];
    start + ends.partition_point(|end| offset_at(*end) <= limit).max(1)
}

impl Encoder {
    fn piece(&mut self, offsets: &[i32], bytes: &[u8], is_text: bool) -> EncodedPiece {
        let first = offset_at(offsets[0]);
        let raw = &bytes[first..offset_at(offsets[offsets.len() - 1])];
        let lengths: Vec<u32> = offsets.windows(2).map(|pair| pair[1].abs_diff(pair[0])).collect();
        let compressed = self.compress(raw);
        let is_ascii = raw.is_ascii();
        let has_code_points = is_text && !is_ascii;
        let stored = compressed.as_deref().unwrap_or(raw);

        let mut flags = if compressed.is_some() { LZ4 } else { 0 };
        flags |= if is_ascii { ASCII } else { 0 };
        flags |= if has_code_points { CODE_POINTS } else { 0 };
        flags |= if is_text { TEXT } else { 0 };
        let mut out = Vec::with_capacity(stored.len() + lengths.len() + 128);
        out.extend_from_slice(&[flags, 0, 0, 0]);
        for len in [lengths.len(), raw.len(), stored.len()] {
            out.extend_from_slice(&to_u32(len).to_le_bytes());
        }
        frame::encode(&lengths, &mut out);
        if has_code_points {
            let value = |pair: &[i32]| &bytes[offset_at(pair[0])..offset_at(pair[1])];
            let counts: Vec<u32> =
                offsets.windows(2).map(|pair| code_points(value(pair))).collect();
            frame::encode(&counts, &mut out);
        }
        out.extend_from_slice(stored);
        pad(&mut out, 8);
        EncodedPiece { value_count: to_u32(lengths.len()), bytes: out }
    }

    /// `raw` as an LZ4 block where that gains enough.
    fn compress(&mut self, raw: &[u8]) -> Option<Vec<u8>> {
        if self.raw_left > 0 {
            self.raw_left -= 1;
            return None;
        }
        let compressed = lz4_flex::block::compress(raw);
        if compressed.len() * 100 > raw.len() * LZ4_PERCENT {
            self.raw_left = LZ4_RETRY;
            return None;
        }
        Some(compressed)
    }
}

/// Code points of UTF-8: the bytes that do not continue one.
fn code_points(text: &[u8]) -> u32 {
    to_u32(text.iter().filter(|byte| **byte & 0xC0 != 0x80).count())
}

/// A piece whose values are in memory.
#[derive(Clone, Debug)]
pub struct Piece {
    /// Where each value starts, and where the last ends.
    offsets: Vec<u32>,
    bytes: Bytes,
    code_points: Option<Vec<u32>>,
    is_ascii: bool,
    is_text: bool,
}

impl Piece {
    /// Reads a piece and decompresses it.
    ///
    /// # Errors
    /// `Corrupt` when the bytes are no piece.
    pub fn open(piece: Bytes) -> Result<Piece> {
        let mut cursor = Cursor::new(&piece);
        let flags: u8 = cursor.read()?;
        let _zero = cursor.array(3, 1)?;
        let value_count = to_usize(cursor.read::<u32>()?);
        let value_bytes = to_usize(cursor.read::<u32>()?);
        let stored_bytes = to_usize(cursor.read::<u32>()?);
        let is_huge = value_bytes > PIECE_BYTES && value_count != 1;
        if value_count == 0 || value_count > PIECE_LEN_MAX || is_huge {
            return Err(Error::corrupt(format!(
                "a piece of {value_count} values in {value_bytes} bytes"
            )));
        }
        let lengths = lanes(&mut cursor, value_count)?;
        let code_points = match flags & CODE_POINTS {
            0 => None,
            _ => Some(lanes(&mut cursor, value_count)?),
        };
        let stored = cursor.array(stored_bytes, 1)?;
        cursor.align(8);
        cursor.finish()?;
        let bytes = restore(piece.slice(stored), flags & LZ4 != 0, value_bytes)?;
        let offsets = offsets_of(&lengths, value_bytes)?;
        let is_ascii = flags & ASCII != 0;
        if is_ascii && !bytes.is_ascii() {
            return Err(Error::corrupt("a piece of ASCII holds other bytes"));
        }
        Ok(Piece { offsets, bytes, code_points, is_ascii, is_text: flags & TEXT != 0 })
    }

    /// How many values there are.
    pub fn len(&self) -> usize {
        self.offsets.len() - 1
    }

    /// Never: a piece has at least one value.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The bytes of value `index`.
    ///
    /// # Panics
    /// When there are not so many.
    pub fn value(&self, index: usize) -> &[u8] {
        &self.bytes[to_usize(self.offsets[index])..to_usize(self.offsets[index + 1])]
    }

    /// Where each value starts in [`bytes`](Self::bytes), and where the last ends.
    pub fn offsets(&self) -> &[u32] {
        &self.offsets
    }

    /// The bytes of all values, one after the other.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Bytes of each value.
    pub fn lengths(&self) -> impl ExactSizeIterator<Item = u32> + '_ {
        self.offsets.windows(2).map(|pair| pair[1] - pair[0])
    }

    /// Whether every byte is ASCII; the code points of a value are then its bytes.
    pub fn all_ascii(&self) -> bool {
        self.is_ascii
    }

    /// Code points of each value, where the piece is text that is not all ASCII.
    pub fn code_points(&self) -> Option<&[u32]> {
        self.code_points.as_deref()
    }

    /// The values as a `Utf8` or `Binary` array, as they were encoded.
    ///
    /// # Errors
    /// `Corrupt` when text is not UTF-8.
    pub fn values(&self) -> Result<ArrayRef> {
        let offset = |offset: &u32| i32::try_from(*offset).map_err(|_| too_long());
        let offsets = self.offsets.iter().map(offset).collect::<Result<Vec<_>>>()?;
        text_array(offsets, Buffer::from(self.bytes.clone()), None, self.is_text)
    }

    /// Appends values: their bytes, and where each ends.
    pub(super) fn append(
        &self,
        values: Range<usize>,
        offsets: &mut Vec<i32>,
        bytes: &mut Vec<u8>,
    ) -> Result<()> {
        let start = to_usize(self.offsets[values.start]);
        let end = to_usize(self.offsets[values.end]);
        let base = bytes.len();
        if i32::try_from(base + (end - start)).is_err() {
            return Err(too_long());
        }
        for offset in &self.offsets[values.start + 1..=values.end] {
            let end = base + (to_usize(*offset) - start);
            offsets.push(i32::try_from(end).map_err(|_| too_long())?);
        }
        bytes.extend_from_slice(&self.bytes[start..end]);
        Ok(())
    }
}

pub(super) fn too_long() -> Error {
    Error::out_of_range("the text of one batch is longer than 2 GiB")
        .with_hint("ask for fewer rows at a time")
}

fn lanes(cursor: &mut Cursor<'_>, count: usize) -> Result<Vec<u32>> {
    let frame = Frame::open::<u32>(cursor, count)?;
    let mut lanes = Vec::new();
    frame.decode(cursor.page(), 0..count, &mut lanes)?;
    Ok(lanes)
}

fn restore(stored: Bytes, is_lz4: bool, value_bytes: usize) -> Result<Bytes> {
    let is_plausible = if is_lz4 {
        value_bytes <= stored.len().saturating_mul(LZ4_RATIO_MAX)
    } else {
        value_bytes == stored.len()
    };
    if !is_plausible {
        return Err(Error::corrupt(format!(
            "{} stored bytes cannot be {value_bytes} bytes of values",
            stored.len()
        )));
    }
    if !is_lz4 {
        return Ok(stored);
    }
    let mut values = vec![0; value_bytes];
    match lz4_flex::block::decompress_into(&stored, &mut values) {
        Ok(len) if len == value_bytes => Ok(Bytes::from(values)),
        Ok(len) => Err(Error::corrupt(format!("{len} bytes of {value_bytes} came out of LZ4"))),
        Err(error) => Err(Error::corrupt(format!("a piece does not decompress: {error}"))),
    }
}

fn offsets_of(lengths: &[u32], value_bytes: usize) -> Result<Vec<u32>> {
    let mut offsets = Vec::with_capacity(lengths.len() + 1);
    let mut end = 0_u64;
    offsets.push(0);
    for len in lengths {
        end += u64::from(*len);
        offsets.push(u32::try_from(end).unwrap_or(u32::MAX));
    }
    if end != u64::try_from(value_bytes).unwrap_or(u64::MAX) {
        return Err(Error::corrupt(format!("values of {end} bytes in a piece of {value_bytes}")));
    }
    Ok(offsets)
}

/// An array of text or bytes; `offsets` ascend from 0 to the length of `bytes`.
pub(super) fn text_array(
    offsets: Vec<i32>,
    bytes: Buffer,
    nulls: Option<arrow::buffer::NullBuffer>,
    is_text: bool,
) -> Result<ArrayRef> {
    let offsets = OffsetBuffer::new(ScalarBuffer::from(offsets));
    let corrupt = |error| Error::corrupt(format!("stored text: {error}"));
    Ok(if is_text {
        Arc::new(StringArray::try_new(offsets, bytes, nulls).map_err(corrupt)?)
    } else {
        Arc::new(BinaryArray::try_new(offsets, bytes, nulls).map_err(corrupt)?)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn round_trip(values: &[&str]) -> Result<Vec<EncodedPiece>> {
        let array = StringArray::from(values.to_vec());
        let encoded = encode(&array);
        let mut found: Vec<String> = Vec::new();
        for piece in &encoded {
            let piece = Piece::open(Bytes::from(piece.bytes.clone()))?;
            let expected: Vec<_> = (0..piece.len())
                .map(|index| std::str::from_utf8(piece.value(index)).expect("text"))
                .collect();
            assert_eq!(piece.values()?.as_string::<i32>(), &StringArray::from(expected.clone()));
            let counts: Vec<u32> =
                expected.iter().map(|value| to_u32(value.chars().count())).collect();
            match piece.code_points() {
                Some(found) => assert_eq!(found, counts),
                None => assert!(piece.all_ascii()),
            }
            found.extend(expected.iter().map(ToString::to_string));
        }
        assert_eq!(found, values);
        Ok(encoded)
    }

    #[test]
    fn values_come_back_in_order() -> Result<()> {
        round_trip(&["", "a", "grüße", "", "日本"])?;
        round_trip(&[""])?;
        let long = "x".repeat(PIECE_BYTES + 1);
        assert_eq!(round_trip(&["a", &long, "b"])?.len(), 3);
        let many = vec!["abcdefgh"; 20_000];
        let pieces = round_trip(&many)?;
        assert_eq!(pieces.len(), 3);
        assert!(pieces[0].bytes.len() < 2_000, "LZ4 shrinks repeated text");
        Ok(())
    }

    #[test]
    fn a_sliced_array_is_read_where_it_starts() -> Result<()> {
        let array = StringArray::from(vec!["no", "yes", "no"]).slice(1, 1);
        let piece = Piece::open(Bytes::from(encode(&array)[0].bytes.clone()))?;
        assert_eq!(piece.value(0), b"yes");
        assert_eq!(piece.len(), 1);
        Ok(())
    }
}
