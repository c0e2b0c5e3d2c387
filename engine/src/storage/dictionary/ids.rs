//! Lists of ids and ranks in bytes: pages of `u32`, encoded as columns are.
//!
//! `u32` count, `u32` page count; per page `u32` encoding, `u32` byte length; then the pages. Must
//! not know what the numbers mean.

use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, UInt32Array};
use arrow::datatypes::UInt32Type;
use bytes::Bytes;

use super::sorted::index;
use crate::encoding::{self, Encoding, Page, PageKind};
use crate::types::{DataType, Error, Result};

/// Numbers in a page.
const PAGE_LEN: usize = 65_536;

/// Appends the stored form of `numbers`.
pub(super) fn encode(numbers: &[u32], bytes: &mut Vec<u8>) -> Result<()> {
    let mut pages = Vec::new();
    for numbers in numbers.chunks(PAGE_LEN) {
        let array: ArrayRef = Arc::new(UInt32Array::from(numbers.to_vec()));
        pages.push(encoding::encode(&array, DataType::UInt32)?);
    }
    let mut put = |number: usize| {
        let number = u32::try_from(number)
            .map_err(|_| Error::unsupported("a list of more than 2^32 numbers is not supported"))?;
        bytes.extend_from_slice(&number.to_le_bytes());
        Ok::<(), Error>(())
    };
    put(numbers.len())?;
    put(pages.len())?;
    for page in &pages {
        put(usize::from(page.encoding.id()))?;
        put(page.bytes.len())?;
    }
    for page in pages {
        bytes.extend_from_slice(&page.bytes);
    }
    Ok(())
}

/// Reads what [`encode`] wrote.
pub(super) fn decode(bytes: &Bytes) -> Result<Vec<u32>> {
    let count = index(u32_at(bytes, 0)?);
    let page_count = index(u32_at(bytes, 4)?);
    if page_count != count.div_ceil(PAGE_LEN) {
        return Err(Error::corrupt(format!("{count} numbers lie in {page_count} pages")));
    }
    let mut numbers = Vec::new();
    let mut start = 8 + 8 * page_count;
    for page_idx in 0..page_count {
        let encoding = encoding_of(u32_at(bytes, 8 + 8 * page_idx)?)?;
        let len = index(u32_at(bytes, 12 + 8 * page_idx)?);
        let page = slice(bytes, start, len)?;
        start += len;
        let row_count = PAGE_LEN.min(count - page_idx * PAGE_LEN);
        let page = Page::open(page, encoding, PageKind::Values(DataType::UInt32), row_count)?;
        let array = page.decode(0..row_count)?;
        numbers.extend_from_slice(array.as_primitive::<UInt32Type>().values());
    }
    if start != bytes.len() {
        return Err(Error::corrupt("bytes follow a list of numbers"));
    }
    Ok(numbers)
}

/// The encoding with the number `id`.
pub(super) fn encoding_of(id: u32) -> Result<Encoding> {
    let id =
        u8::try_from(id).map_err(|_| Error::corrupt(format!("no encoding has the number {id}")))?;
    Encoding::from_id(id)
}

/// The little-endian `u32` at byte `offset`.
pub(super) fn u32_at(bytes: &Bytes, offset: usize) -> Result<u32> {
    let four = bytes.get(offset..).and_then(|rest| rest.first_chunk::<4>());
    let four = four.ok_or_else(|| {
        Error::corrupt(format!("a number at byte {offset} of {} is cut off", bytes.len()))
    })?;
    Ok(u32::from_le_bytes(*four))
}

/// `len` bytes from byte `start`.
pub(super) fn slice(bytes: &Bytes, start: usize, len: usize) -> Result<Bytes> {
    match start.checked_add(len) {
        Some(end) if end <= bytes.len() => Ok(bytes.slice(start..end)),
        _ => Err(Error::corrupt(format!(
            "{len} bytes at byte {start} of {} are cut off",
            bytes.len()
        ))),
    }
}
