//! Values by code: one array that rows read by their codes.
//!
//! Must not know what codes stand for.

use arrow::array::{Array, ArrayRef, UInt32Array, make_array};
use arrow::buffer::Buffer;
use arrow::compute::take;
use arrow::datatypes::ArrowNativeType;

use crate::kernel::{self, Lane};
use crate::types::{Error, Result};

/// Values by code, NULL's last.
#[derive(Debug)]
pub(crate) struct ByCode {
    all: ArrayRef,
    /// Without NULL's, if none of them is NULL: what reads it has no NULL to look for.
    valid: Option<ArrayRef>,
}

impl ByCode {
    /// Of the values of all codes, NULL's last.
    ///
    /// # Errors
    /// `Internal` for no code at all.
    pub(crate) fn new(all: ArrayRef) -> Result<ByCode> {
        let null_code =
            all.len().checked_sub(1).ok_or_else(|| Error::internal("no code at all"))?;
        let values = all.slice(0, null_code);
        let valid = if values.logical_null_count() > 0 {
            None
        } else {
            let data = values.to_data().into_builder().nulls(None).build()?;
            Some(make_array(data))
        };
        Ok(ByCode { all, valid })
    }

    /// The values of all codes, NULL's last.
    pub(crate) fn all(&self) -> &ArrayRef {
        &self.all
    }

    /// The values of `codes`, in their order.
    ///
    /// # Errors
    /// When Arrow cannot put them together (text beyond 2 GiB).
    pub(crate) fn read(&self, codes: &[u32]) -> Result<ArrayRef> {
        let is_valid = |array: &&ArrayRef| (kernel::max(codes) as usize) < array.len();
        let Some(valid) = self.valid.as_ref().filter(is_valid) else {
            return taken(&self.all, codes);
        };
        match valid.data_type().primitive_width() {
            Some(1) => gathered::<u8>(valid, codes),
            Some(2) => gathered::<u16>(valid, codes),
            Some(4) => gathered::<u32>(valid, codes),
            Some(8) => gathered::<u64>(valid, codes),
            _ => taken(valid, codes),
        }
    }
}

fn taken(values: &ArrayRef, codes: &[u32]) -> Result<ArrayRef> {
    Ok(take(values.as_ref(), &UInt32Array::from(codes.to_vec()), None)?)
}

/// [`taken`] from values of fixed width without NULL.
fn gathered<L: Lane + ArrowNativeType>(values: &ArrayRef, codes: &[u32]) -> Result<ArrayRef> {
    let data = values.to_data();
    let Ok(lanes) = bytemuck::try_cast_slice::<u8, L>(&data.buffers()[0]) else {
        return taken(values, codes);
    };
    let lanes = &lanes[data.offset()..data.offset() + data.len()];
    let mut target = vec![L::default(); codes.len()];
    if !lanes.is_empty() {
        kernel::gather(lanes, codes, &mut target);
    }
    let buffer = Buffer::from_vec(target);
    let data = data.into_builder().offset(0).len(codes.len()).buffers(vec![buffer]).build()?;
    Ok(make_array(data))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{
        BooleanArray, Date32Array, Decimal128Array, Float64Array, Int8Array, Int16Array,
        StringArray,
    };

    use super::*;

    #[test]
    fn codes_read_what_taking_one_by_one_gives() -> Result<()> {
        let columns: [ArrayRef; 8] = [
            Arc::new(Int8Array::from(vec![Some(-3), Some(7), None])),
            Arc::new(Int16Array::from(vec![Some(300), Some(-1), None])),
            Arc::new(Date32Array::from(vec![Some(9), Some(8), None])),
            Arc::new(Float64Array::from(vec![Some(-0.0), Some(f64::NAN), None])),
            Arc::new(Float64Array::from(vec![None, Some(2.5), None])),
            Arc::new(Decimal128Array::from(vec![Some(1 << 70), Some(0), None])),
            Arc::new(BooleanArray::from(vec![Some(true), Some(false), None])),
            Arc::new(StringArray::from(vec![Some(""), Some("é"), None])),
        ];
        for column in columns {
            // A slice starts anywhere in its buffers.
            let twice = arrow::compute::concat(&[column.as_ref(), column.as_ref()])?;
            let by_code = ByCode::new(twice.slice(3, 3))?;
            for codes in [&[][..], &[1, 0, 0, 1], &[0, 2, 1], &[2, 2]] {
                let expected = taken(&column, codes)?;
                assert_eq!(&by_code.read(codes)?, &expected, "{codes:?} of {column:?}");
            }
        }
        let only_null: ArrayRef = Arc::new(Int8Array::from(vec![None::<i8>]));
        assert_eq!(ByCode::new(only_null)?.read(&[0, 0])?.null_count(), 2);
        Ok(())
    }
}
