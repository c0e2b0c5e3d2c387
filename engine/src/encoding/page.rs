//! Reading an encoded page: all of it, a range of rows, or single rows.

use std::ops::Range;
use std::sync::Arc;

use arrow::array::{ArrayData, ArrayRef, BooleanArray, make_array};
use arrow::buffer::{BooleanBuffer, Buffer, NullBuffer};
use bytes::Bytes;

use super::filter::{CodeFilter, LaneTest};
use super::fixed::{Fixed, match_lane};
use super::layout::{Cursor, to_usize};
use super::text::Text;
use super::validity::Validity;
use super::{Encoding, PAGE_LEN_MAX};
use crate::kernel::Lane;
use crate::types::{DataType, Error, Result, TimeUnit};

/// What the values of a page are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PageKind {
    /// Values of that type.
    Values(DataType),
    /// Codes of a dictionary.
    Codes,
}

/// A page that was opened: its directory is read and checked against its length.
///
/// Cheap to clone; the bytes are shared.
#[derive(Clone, Debug)]
pub struct Page {
    bytes: Bytes,
    kind: PageKind,
    row_count: usize,
    validity: Validity,
    body: Body,
}

#[derive(Clone, Debug)]
enum Body {
    /// Lanes of so many bytes.
    Lanes(usize, Fixed),
    /// Lanes of 8 bytes, and what to add to each.
    Decimals(i128, Fixed),
    /// One value of 16 bytes for all rows.
    WideConstant([u8; 16]),
    /// Where the values of 16 bytes are.
    Wide(Range<usize>),
    Bits(BooleanBuffer),
    /// Text, or bytes.
    Text {
        text: Text,
        is_text: bool,
    },
}

impl Page {
    /// Reads the directory of a page.
    ///
    /// # Errors
    /// `Corrupt` when the bytes are no page of that encoding, kind and length.
    pub fn open(
        bytes: Bytes,
        encoding: Encoding,
        kind: PageKind,
        row_count: usize,
    ) -> Result<Page> {
        if row_count == 0 || row_count > PAGE_LEN_MAX {
            return Err(Error::corrupt(format!("a page of {row_count} rows")));
        }
        let mut cursor = Cursor::new(&bytes);
        let validity = Validity::open(&mut cursor, &bytes, row_count)?;
        let mut opener = Opener { cursor, page: &bytes, encoding, validity: &validity, row_count };
        let body = match kind {
            PageKind::Codes => opener.lanes(4)?,
            PageKind::Values(data_type) => opener.body(data_type)?,
        };
        opener.cursor.finish()?;
        Ok(Page { bytes: bytes.clone(), kind, row_count, validity, body })
    }

    /// Encoded bytes.
    pub fn bytes_len(&self) -> usize {
        self.bytes.len()
    }

    /// Rows.
    pub fn row_count(&self) -> usize {
        self.row_count
    }

    /// The values of a range of rows, as an array of the page's type.
    ///
    /// # Errors
    /// `Internal` when the page has no such rows or holds codes, `Corrupt` when it is damaged.
    pub fn decode(&self, rows: Range<usize>) -> Result<ArrayRef> {
        self.check_rows(rows.start, rows.end)?;
        let nulls = self.validity.slice(&self.bytes, &rows);
        if rows.is_empty() {
            return Ok(arrow::array::new_empty_array(&self.data_type()?.to_arrow()));
        }
        let page = &*self.bytes;
        match &self.body {
            Body::Lanes(lane_bytes, fixed) => match_lane!(*lane_bytes, L => {
                if let Some(values) = self.borrow_raw::<L>(fixed, &rows) {
                    return self.fixed_array(values, rows.len(), nulls);
                }
                let len = rows.len();
                let mut values: Vec<L> = Vec::new();
                fixed.decode(page, rows, &mut values)?;
                self.lane_array(Buffer::from_vec(values), len, nulls)
            }),
            Body::Decimals(base, fixed) => {
                let mut offsets: Vec<u64> = Vec::new();
                fixed.decode(page, rows, &mut offsets)?;
                self.decimal_array(*base, &offsets, nulls)
            }
            Body::WideConstant(value) => {
                self.fixed_array(Buffer::from_vec(value.repeat(rows.len())), rows.len(), nulls)
            }
            Body::Wide(place) => {
                let place = place.start + 16 * rows.start..place.start + 16 * rows.end;
                self.fixed_array(aligned::<i128>(self.bytes.slice(place)), rows.len(), nulls)
            }
            Body::Bits(bits) => {
                let bits = bits.slice(rows.start, rows.len());
                Ok(Arc::new(BooleanArray::new(bits, nulls)))
            }
            Body::Text { text, is_text } => text.decode(&self.bytes, rows, nulls, *is_text),
        }
    }

    /// The values of ascending `rows`; decodes only the blocks they are in.
    ///
    /// # Errors
    /// As [`decode`](Self::decode).
    pub fn take(&self, rows: &[u32]) -> Result<ArrayRef> {
        self.check_ascending(rows)?;
        if rows.is_empty() {
            return self.decode(0..0);
        }
        let nulls = self.validity.take(&self.bytes, rows);
        let page = &*self.bytes;
        match &self.body {
            Body::Lanes(lane_bytes, fixed) => match_lane!(*lane_bytes, L => {
                let mut values: Vec<L> = Vec::with_capacity(rows.len());
                fixed.take(page, rows, &mut values)?;
                self.lane_array(Buffer::from_vec(values), rows.len(), nulls)
            }),
            Body::Decimals(base, fixed) => {
                let mut offsets: Vec<u64> = Vec::with_capacity(rows.len());
                fixed.take(page, rows, &mut offsets)?;
                self.decimal_array(*base, &offsets, nulls)
            }
            Body::WideConstant(value) => {
                self.fixed_array(Buffer::from_vec(value.repeat(rows.len())), rows.len(), nulls)
            }
            Body::Wide(place) => {
                let value = |row: &u32| &page[place.start + 16 * to_usize(*row)..][..16];
                let values: Vec<u8> = rows.iter().flat_map(value).copied().collect();
                self.fixed_array(aligned::<i128>(Bytes::from(values)), rows.len(), nulls)
            }
            Body::Bits(bits) => {
                let taken = rows.iter().map(|row| bits.value(to_usize(*row))).collect();
                Ok(Arc::new(BooleanArray::new(taken, nulls)))
            }
            Body::Text { text, is_text } => text.take(&self.bytes, rows, nulls, *is_text),
        }
    }

    /// Appends the codes of a range of rows.
    ///
    /// # Errors
    /// `Internal` when the page has no such rows or holds values, `Corrupt` when it is damaged.
    pub fn decode_codes(&self, rows: Range<usize>, target: &mut Vec<u32>) -> Result<()> {
        self.check_rows(rows.start, rows.end)?;
        let codes = self.codes()?;
        if rows.is_empty() {
            return Ok(());
        }
        codes.decode(&self.bytes, rows, target)
    }

    /// Appends the codes of ascending `rows`; decodes only the blocks they are in.
    ///
    /// # Errors
    /// As [`decode_codes`](Self::decode_codes).
    pub fn take_codes(&self, rows: &[u32], target: &mut Vec<u32>) -> Result<()> {
        self.check_ascending(rows)?;
        self.codes()?.take(&self.bytes, rows, target)
    }

    /// Clears the bits of `rows` whose code does not pass: bit `r % 64` of word `r / 64` is that of
    /// row `r`, and those beyond the last row are not set.
    ///
    /// # Errors
    /// `Internal` when `rows` has another length or the page holds values, `Corrupt` when it is damaged.
    pub fn filter_codes(&self, filter: CodeFilter<'_>, rows: &mut [u64]) -> Result<()> {
        self.check_bits(rows)?;
        let test = LaneTest::<u32>::codes(filter);
        self.codes()?.filter(&self.bytes, self.row_count, &test, rows)
    }

    /// Clears the bits of `rows`, as in [`filter_codes`](Self::filter_codes), whose integer is in none
    /// of the closed ranges; NULL passes as told.
    ///
    /// # Errors
    /// `Internal` when `rows` has another length or the page holds no integers, `Corrupt` when it is
    /// damaged.
    pub fn filter_integers(
        &self,
        ranges: &[(i128, i128)],
        null: bool,
        rows: &mut [u64],
    ) -> Result<()> {
        self.check_bits(rows)?;
        let data_type = self.data_type()?;
        let Body::Lanes(lane_bytes, fixed) = &self.body else {
            return Err(Error::internal(format!("values of type {data_type} are no integers")));
        };
        let limits = limits(data_type, *lane_bytes);
        let filter = |rows: &mut [u64]| {
            match_lane!(*lane_bytes, L => {
                let test = LaneTest::<L>::integers(ranges, limits);
                fixed.filter(&self.bytes, self.row_count, &test, rows)
            })
        };
        if self.validity.is_none_null() {
            return filter(rows);
        }
        let mut valid = vec![0; rows.len()];
        self.validity.set_valid(&self.bytes, &mut valid);
        let nulls: Vec<u64> = if null {
            rows.iter().zip(&valid).map(|(row, valid)| row & !valid).collect()
        } else {
            Vec::new()
        };
        rows.iter_mut().zip(valid).for_each(|(row, valid)| *row &= valid);
        filter(rows)?;
        rows.iter_mut().zip(nulls).for_each(|(row, null)| *row |= null);
        Ok(())
    }

    fn check_bits(&self, rows: &[u64]) -> Result<()> {
        if rows.len() == self.row_count.div_ceil(64) {
            return Ok(());
        }
        Err(Error::internal(format!("{} words for {} rows", rows.len(), self.row_count)))
    }

    fn codes(&self) -> Result<&Fixed> {
        match (&self.kind, &self.body) {
            (PageKind::Codes, Body::Lanes(_, codes)) => Ok(codes),
            _ => Err(Error::internal("a page of values has no codes")),
        }
    }

    fn data_type(&self) -> Result<DataType> {
        match self.kind {
            PageKind::Values(data_type) => Ok(data_type),
            PageKind::Codes => Err(Error::internal("a page of codes has no values")),
        }
    }

    fn check_rows(&self, start: usize, end: usize) -> Result<()> {
        if start <= end && end <= self.row_count {
            return Ok(());
        }
        Err(Error::internal(format!("rows {start} to {end} of a page of {}", self.row_count)))
    }

    fn check_ascending(&self, rows: &[u32]) -> Result<()> {
        debug_assert!(rows.is_sorted(), "rows to take ascend");
        let (Some(first), Some(last)) = (rows.first(), rows.last()) else { return Ok(()) };
        if first > last {
            return Err(Error::internal("rows to take do not ascend"));
        }
        self.check_rows(to_usize(*first), to_usize(*last) + 1)
    }

    /// The values where they are in the page, if they are stored as they are in memory.
    fn borrow_raw<L: Lane>(&self, fixed: &Fixed, rows: &Range<usize>) -> Option<Buffer> {
        let Fixed::Raw(place) = fixed else { return None };
        if self.kind == PageKind::Values(DataType::Bool) {
            return None;
        }
        let place = place.start + rows.start * L::BYTES..place.start + rows.end * L::BYTES;
        let bytes = self.bytes.slice(place);
        bytemuck::try_cast_slice::<u8, L>(&bytes).is_ok().then(|| Buffer::from(bytes.clone()))
    }

    fn lane_array(
        &self,
        values: Buffer,
        len: usize,
        nulls: Option<NullBuffer>,
    ) -> Result<ArrayRef> {
        if self.data_type()? == DataType::Bool {
            let bits = BooleanBuffer::collect_bool(len, |row| values[row] & 1 == 1);
            return Ok(Arc::new(BooleanArray::new(bits, nulls)));
        }
        self.fixed_array(values, len, nulls)
    }

    fn decimal_array(
        &self,
        base: i128,
        offsets: &[u64],
        nulls: Option<NullBuffer>,
    ) -> Result<ArrayRef> {
        let value = |offset: &u64| base.wrapping_add(i128::from(*offset));
        let values: Vec<i128> = offsets.iter().map(value).collect();
        self.fixed_array(Buffer::from_vec(values), offsets.len(), nulls)
    }

    fn fixed_array(
        &self,
        values: Buffer,
        len: usize,
        nulls: Option<NullBuffer>,
    ) -> Result<ArrayRef> {
        let data = ArrayData::builder(self.data_type()?.to_arrow())
            .len(len)
            .add_buffer(values)
            .nulls(nulls)
            .build()
            .map_err(|error| Error::corrupt(format!("stored values: {error}")))?;
        Ok(make_array(data))
    }
}

/// `bytes` as a buffer of `T`: in place where they are aligned, else a copy.
fn aligned<T: bytemuck::Pod + arrow::datatypes::ArrowNativeType>(bytes: Bytes) -> Buffer {
    if bytemuck::try_cast_slice::<u8, T>(&bytes).is_ok() {
        return Buffer::from(bytes);
    }
    Buffer::from_vec(bytemuck::pod_collect_to_vec::<u8, T>(&bytes))
}

/// What opening a body needs.
struct Opener<'a> {
    cursor: Cursor<'a>,
    page: &'a Bytes,
    encoding: Encoding,
    validity: &'a Validity,
    row_count: usize,
}

impl Opener<'_> {
    fn body(&mut self, data_type: DataType) -> Result<Body> {
        if self.validity.is_all_null() {
            return self.all_null(data_type);
        }
        match data_type {
            DataType::Bool if self.encoding == Encoding::Bitmap => {
                let place = self.cursor.array(self.row_count.div_ceil(64), 8)?;
                let bits = Buffer::from(self.page.slice(place));
                Ok(Body::Bits(BooleanBuffer::new(bits, 0, self.row_count)))
            }
            DataType::Decimal { .. } | DataType::Uuid => self.wide(data_type),
            DataType::Utf8 | DataType::Binary => {
                let text = match self.encoding {
                    Encoding::Constant => Text::open_constant(&mut self.cursor)?,
                    Encoding::Text => Text::open_pieces(&mut self.cursor, self.row_count)?,
                    _ => return Err(self.wrong(data_type)),
                };
                Ok(Body::Text { text, is_text: data_type == DataType::Utf8 })
            }
            _ => match lane_bytes(data_type) {
                Some(_) if self.encoding == Encoding::Alp && !data_type.is_float() => {
                    Err(self.wrong(data_type))
                }
                Some(bytes) => self.lanes(bytes),
                None => Err(self.wrong(data_type)),
            },
        }
    }

    fn wrong(&self, data_type: DataType) -> Error {
        Error::corrupt(format!("{:?} holds no values of type {data_type}", self.encoding))
    }

    /// Sixteen zeros stand for the value that no row has.
    fn all_null(&mut self, data_type: DataType) -> Result<Body> {
        let zeros = self.cursor.array(16, 1)?;
        if self.encoding != Encoding::Constant {
            return Err(self.wrong(data_type));
        }
        Ok(match data_type {
            DataType::Utf8 | DataType::Binary => Body::Text {
                text: Text::Constant(zeros.start..zeros.start),
                is_text: data_type == DataType::Utf8,
            },
            DataType::Decimal { .. } | DataType::Uuid => Body::WideConstant([0; 16]),
            _ => {
                let bytes = lane_bytes(data_type).ok_or_else(|| self.wrong(data_type))?;
                Body::Lanes(bytes, Fixed::Constant(0))
            }
        })
    }

    fn lanes(&mut self, lane_bytes: usize) -> Result<Body> {
        Ok(Body::Lanes(lane_bytes, match_lane!(lane_bytes, L => self.fixed::<L>()?)))
    }

    fn fixed<L: Lane>(&mut self) -> Result<Fixed> {
        Fixed::open::<L>(&mut self.cursor, self.page, self.encoding, self.validity, self.row_count)
    }

    fn wide(&mut self, data_type: DataType) -> Result<Body> {
        match self.encoding {
            Encoding::Constant => {
                let value = self.cursor.read()?;
                self.cursor.align(8);
                Ok(Body::WideConstant(value))
            }
            Encoding::Raw => {
                self.cursor.align(64);
                Ok(Body::Wide(self.cursor.array(self.row_count, 16)?))
            }
            Encoding::RunLength
            | Encoding::FrameOfReference
            | Encoding::Delta
            | Encoding::Sparse
                if data_type != DataType::Uuid =>
            {
                let base = self.cursor.read()?;
                Ok(Body::Decimals(base, self.fixed::<u64>()?))
            }
            _ => Err(self.wrong(data_type)),
        }
    }
}

/// The least and the greatest integer of a type with lanes of so many bytes.
fn limits(data_type: DataType, lane_bytes: usize) -> (i128, i128) {
    let is_unsigned = matches!(
        data_type,
        DataType::UInt8 | DataType::UInt16 | DataType::UInt32 | DataType::UInt64
    );
    let range = 1_i128 << (8 * lane_bytes);
    if is_unsigned { (0, range - 1) } else { (-range / 2, range / 2 - 1) }
}

/// Bytes of a value of that type where they are a lane's.
fn lane_bytes(data_type: DataType) -> Option<usize> {
    Some(match data_type {
        DataType::Bool | DataType::Int8 | DataType::UInt8 => 1,
        DataType::Int16 | DataType::UInt16 => 2,
        DataType::Int32
        | DataType::UInt32
        | DataType::Float32
        | DataType::Date
        | DataType::Time(TimeUnit::Second | TimeUnit::Millisecond) => 4,
        DataType::Int64
        | DataType::UInt64
        | DataType::Float64
        | DataType::Time(_)
        | DataType::Timestamp { .. } => 8,
        _ => return None,
    })
}
