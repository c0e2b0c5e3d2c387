//! Plain pages of text or bytes.
//!
//! ```text
//! constant  length:u32 bytes pad8       one value for all rows
//! text      piece_count:u32 0:u32 row_ends piece_ends pad64 pieces
//!
//! row_ends    u32 for each piece: the rows in it and before it
//! piece_ends  u32 for each piece: where it ends, from the start of the first
//! pieces      see [`pieces`](super::pieces); a NULL row has an empty value
//! ```

use std::ops::Range;

use arrow::array::{Array, ArrayRef, AsArray, BinaryArray, StringArray};
use arrow::buffer::{Buffer, NullBuffer, OffsetBuffer};
use arrow::datatypes::DataType as ArrowType;
use bytes::Bytes;

use super::layout::{Cursor, item, pad, to_u32, to_usize};
use super::pieces::{self, Piece, text_array, too_long};
use crate::types::{Error, Result};

/// Appends the body of a text page; NULL rows are stored as empty values.
pub(super) fn write(array: &dyn Array, out: &mut Vec<u8>) {
    let pieces = match array.nulls().filter(|nulls| nulls.null_count() > 0) {
        Some(nulls) => pieces::encode(&without_null_bytes(array, nulls)),
        None => pieces::encode(array),
    };
    out.extend_from_slice(&to_u32(pieces.len()).to_le_bytes());
    out.extend_from_slice(&[0; 4]);
    let mut rows = 0;
    for piece in &pieces {
        rows += piece.value_count;
        out.extend_from_slice(&rows.to_le_bytes());
    }
    let mut end = 0;
    for piece in &pieces {
        end += piece.bytes.len();
        out.extend_from_slice(&to_u32(end).to_le_bytes());
    }
    pad(out, 64);
    for piece in &pieces {
        out.extend_from_slice(&piece.bytes);
    }
}

/// The same values, where NULL rows hold no bytes.
fn without_null_bytes(array: &dyn Array, nulls: &NullBuffer) -> ArrayRef {
    let is_text = array.data_type() == &ArrowType::Utf8;
    let value = |row: usize| -> &[u8] {
        if nulls.is_null(row) {
            &[]
        } else if is_text {
            array.as_string::<i32>().value(row).as_bytes()
        } else {
            array.as_binary::<i32>().value(row)
        }
    };
    let lengths = (0..array.len()).map(|row| value(row).len());
    let offsets = OffsetBuffer::<i32>::from_lengths(lengths);
    let mut bytes = Vec::new();
    for row in nulls.valid_indices() {
        bytes.extend_from_slice(value(row));
    }
    if is_text {
        std::sync::Arc::new(StringArray::new(offsets, Buffer::from_vec(bytes), None))
    } else {
        std::sync::Arc::new(BinaryArray::new(offsets, Buffer::from_vec(bytes), None))
    }
}

/// The one value of all valid rows, if there is one.
pub(super) fn constant(array: &dyn Array) -> Option<&[u8]> {
    let is_text = array.data_type() == &ArrowType::Utf8;
    let value = |row: usize| -> &[u8] {
        if is_text {
            array.as_string::<i32>().value(row).as_bytes()
        } else {
            array.as_binary::<i32>().value(row)
        }
    };
    let mut rows = (0..array.len()).filter(|row| array.is_valid(*row));
    let first = value(rows.next()?);
    rows.all(|row| value(row) == first).then_some(first)
}

/// Appends the body of a constant page.
pub(super) fn write_constant(value: &[u8], out: &mut Vec<u8>) {
    out.extend_from_slice(&to_u32(value.len()).to_le_bytes());
    out.extend_from_slice(value);
    pad(out, 8);
}

/// The body of a page of text.
#[derive(Clone, Debug)]
pub(super) enum Text {
    /// Where the value is.
    Constant(Range<usize>),
    Pieces(Pieces),
}

#[derive(Clone, Debug)]
pub(super) struct Pieces {
    row_ends: Vec<usize>,
    /// Where each piece is in the page.
    places: Vec<Range<usize>>,
}

impl Text {
    pub(super) fn open_constant(cursor: &mut Cursor<'_>) -> Result<Text> {
        let len = to_usize(cursor.read::<u32>()?);
        let place = cursor.array(len, 1)?;
        cursor.align(8);
        Ok(Text::Constant(place))
    }

    pub(super) fn open_pieces(cursor: &mut Cursor<'_>, row_count: usize) -> Result<Text> {
        let piece_count = to_usize(cursor.read::<u32>()?);
        let _zero = cursor.array(4, 1)?;
        if piece_count == 0 || piece_count > row_count {
            return Err(Error::corrupt(format!("{piece_count} pieces for {row_count} rows")));
        }
        let page = cursor.page();
        let rows = cursor.array(piece_count, 4)?.start;
        let ends = cursor.array(piece_count, 4)?.start;
        cursor.align(64);
        let u32_at = |start, index| to_usize(item::<u32>(page, start, index));
        let row_ends: Vec<usize> = (0..piece_count).map(|piece| u32_at(rows, piece)).collect();
        if !row_ends.is_sorted_by(|a, b| a < b) || row_ends.last() != Some(&row_count) {
            return Err(Error::corrupt("the pieces do not cover the rows of their page"));
        }
        let mut places = Vec::with_capacity(piece_count);
        let mut start = 0;
        for piece in 0..piece_count {
            let end = u32_at(ends, piece);
            let len = end
                .checked_sub(start)
                .ok_or_else(|| Error::corrupt(format!("piece {piece} ends before it starts")))?;
            places.push(cursor.array(len, 1)?);
            start = end;
        }
        Ok(Text::Pieces(Pieces { row_ends, places }))
    }

    pub(super) fn decode(
        &self,
        page: &Bytes,
        rows: Range<usize>,
        nulls: Option<NullBuffer>,
        is_text: bool,
    ) -> Result<ArrayRef> {
        match self {
            Text::Constant(value) => repeat(&page[value.clone()], rows.len(), nulls, is_text),
            Text::Pieces(pieces) => pieces.decode(page, rows, nulls, is_text),
        }
    }

    pub(super) fn take(
        &self,
        page: &Bytes,
        rows: &[u32],
        nulls: Option<NullBuffer>,
        is_text: bool,
    ) -> Result<ArrayRef> {
        match self {
            Text::Constant(value) => repeat(&page[value.clone()], rows.len(), nulls, is_text),
            Text::Pieces(pieces) => pieces.take(page, rows, nulls, is_text),
        }
    }
}

fn repeat(
    value: &[u8],
    count: usize,
    nulls: Option<NullBuffer>,
    is_text: bool,
) -> Result<ArrayRef> {
    let len = i32::try_from(value.len()).map_err(|_| too_long())?;
    let offset = |row| i32::try_from(row).ok().and_then(|row| len.checked_mul(row));
    let offsets = (0..=count).map(offset).collect::<Option<Vec<_>>>().ok_or_else(too_long)?;
    text_array(offsets, Buffer::from_vec(value.repeat(count)), nulls, is_text)
}

impl Pieces {
    fn piece(&self, page: &Bytes, piece_idx: usize) -> Result<Piece> {
        let piece = Piece::open(page.slice(self.places[piece_idx].clone()))?;
        if piece.len() != self.rows(piece_idx).len() {
            return Err(Error::corrupt(format!("piece {piece_idx} has not as many values")));
        }
        Ok(piece)
    }

    fn rows(&self, piece_idx: usize) -> Range<usize> {
        let start = if piece_idx == 0 { 0 } else { self.row_ends[piece_idx - 1] };
        start..self.row_ends[piece_idx]
    }

    /// The piece that holds `row`.
    fn of_row(&self, row: usize) -> usize {
        self.row_ends.partition_point(|end| *end <= row)
    }

    fn decode(
        &self,
        page: &Bytes,
        rows: Range<usize>,
        nulls: Option<NullBuffer>,
        is_text: bool,
    ) -> Result<ArrayRef> {
        let mut offsets = Vec::with_capacity(rows.len() + 1);
        offsets.push(0);
        let mut bytes = Vec::new();
        let mut start = rows.start;
        while start < rows.end {
            let piece_idx = self.of_row(start);
            let within = self.rows(piece_idx);
            let end = rows.end.min(within.end);
            let piece = self.piece(page, piece_idx)?;
            piece.append(start - within.start..end - within.start, &mut offsets, &mut bytes)?;
            start = end;
        }
        text_array(offsets, Buffer::from_vec(bytes), nulls, is_text)
    }

    fn take(
        &self,
        page: &Bytes,
        rows: &[u32],
        nulls: Option<NullBuffer>,
        is_text: bool,
    ) -> Result<ArrayRef> {
        let mut offsets = Vec::with_capacity(rows.len() + 1);
        offsets.push(0);
        let mut bytes = Vec::new();
        let piece_of = |row: u32| self.of_row(to_usize(row));
        for rows in rows.chunk_by(|a, b| piece_of(*a) == piece_of(*b)) {
            let piece_idx = piece_of(rows[0]);
            let first = self.rows(piece_idx).start;
            let piece = self.piece(page, piece_idx)?;
            for row in rows {
                let index = to_usize(*row) - first;
                piece.append(index..index + 1, &mut offsets, &mut bytes)?;
            }
        }
        text_array(offsets, Buffer::from_vec(bytes), nulls, is_text)
    }
}
