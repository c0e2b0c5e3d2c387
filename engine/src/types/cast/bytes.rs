//! Between the layouts of text and of bytes: long offsets, views, values of one length.

use arrow::array::{Array, ArrayRef, AsArray, BinaryArray, GenericByteArray, StringArray};
use arrow::buffer::{Buffer, OffsetBuffer};
use arrow::datatypes::{ByteArrayType, DataType as ArrowType};

use super::{no_cast, shared};
use crate::types::{Error, Result};

pub(super) fn is_bytes(data_type: &ArrowType) -> bool {
    is_text(data_type)
        || matches!(
            data_type,
            ArrowType::Binary
                | ArrowType::LargeBinary
                | ArrowType::BinaryView
                | ArrowType::FixedSizeBinary(_)
        )
}

fn is_text(data_type: &ArrowType) -> bool {
    matches!(data_type, ArrowType::Utf8 | ArrowType::LargeUtf8 | ArrowType::Utf8View)
}

/// To text or bytes with offsets of 32 bits; text from bytes is not among it.
pub(super) fn cast(array: &dyn Array, to: &ArrowType) -> Result<ArrayRef> {
    match (array.data_type(), to) {
        (ArrowType::LargeUtf8, ArrowType::Utf8) => {
            let (offsets, values, nulls) = with_short_offsets(array.as_string::<i64>())?;
            // The bytes were checked when they were read, but safe code can only check them again.
            Ok(shared(StringArray::try_new(offsets, values, nulls)?))
        }
        (ArrowType::Utf8View, ArrowType::Utf8) => {
            Ok(shared(array.as_string_view().iter().collect::<StringArray>()))
        }
        (ArrowType::Utf8, ArrowType::Binary) => {
            let (offsets, values, nulls) = array.as_string::<i32>().clone().into_parts();
            Ok(shared(BinaryArray::try_new(offsets, values, nulls)?))
        }
        (ArrowType::LargeBinary, ArrowType::Binary) => {
            let (offsets, values, nulls) = with_short_offsets(array.as_binary::<i64>())?;
            Ok(shared(BinaryArray::try_new(offsets, values, nulls)?))
        }
        (ArrowType::BinaryView, ArrowType::Binary) => {
            Ok(shared(array.as_binary_view().iter().collect::<BinaryArray>()))
        }
        (ArrowType::FixedSizeBinary(_), ArrowType::Binary) => {
            Ok(shared(array.as_fixed_size_binary().iter().collect::<BinaryArray>()))
        }
        (from, to) => Err(no_cast(from, to)),
    }
}

type Parts = (OffsetBuffer<i32>, Buffer, Option<arrow::buffer::NullBuffer>);

/// The bytes that the array uses, counted from their first.
fn with_short_offsets<T: ByteArrayType<Offset = i64>>(
    array: &GenericByteArray<T>,
) -> Result<Parts> {
    let offsets = array.value_offsets();
    let (first, last) = (offsets[0], offsets[offsets.len() - 1]);
    let short = |offset: &i64| i32::try_from(offset - first);
    let offsets = offsets.iter().map(short).collect::<std::result::Result<Vec<i32>, _>>();
    let offsets = offsets.map_err(|_| {
        Error::unsupported("more than 2 GiB of text or bytes in one array are not supported")
    })?;
    let position = |offset: i64| usize::try_from(offset).unwrap_or(0);
    let values = array.values().slice_with_length(position(first), position(last - first));
    Ok((OffsetBuffer::new(offsets.into()), values, array.nulls().cloned()))
}
