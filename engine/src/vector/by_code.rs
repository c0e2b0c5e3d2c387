//! Values by code: one array that rows read by their codes.
//!
//! Integers that are near each other are kept as distances from the least one: an array of a quarter of
//! the bytes is more often in the cache. Must not know what codes stand for.

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, UInt32Array, make_array};
use arrow::buffer::{BooleanBuffer, Buffer, NullBuffer};
use arrow::compute::take;
use arrow::datatypes::{ArrowNativeType, DataType as ArrowType};

use crate::kernel::{self, Integer, Lane};
use crate::types::{Error, Result};

/// Values by code, NULL's last.
#[derive(Debug)]
pub(crate) enum ByCode {
    Plain {
        all: ArrayRef,
        /// Without NULL's, if none of them is NULL: what reads it has no NULL to look for.
        valid: Option<ArrayRef>,
    },
    Narrow(Narrow),
}

/// Integers as distances from `base`.
#[derive(Debug)]
pub(crate) struct Narrow {
    data_type: ArrowType,
    base: i64,
    distances: Distances,
    /// Whether NULL's, the last, is NULL, as no other is.
    null_is_null: bool,
}

#[derive(Debug)]
enum Distances {
    Bytes(Vec<u8>),
    Words(Vec<u16>),
    Doubles(Vec<u32>),
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
        if values.logical_null_count() > 0 {
            return Ok(ByCode::Plain { all, valid: None });
        }
        if let Some(narrow) = Narrow::new(&all) {
            return Ok(ByCode::Narrow(narrow));
        }
        let data = values.to_data().into_builder().nulls(None).build()?;
        Ok(ByCode::Plain { all, valid: Some(make_array(data)) })
    }

    /// The values of all codes, NULL's last, where they are booleans.
    pub(crate) fn booleans(&self) -> Option<&BooleanArray> {
        match self {
            ByCode::Plain { all, .. } => all.as_boolean_opt(),
            ByCode::Narrow(_) => None,
        }
    }

    /// The values of `codes`, in their order.
    ///
    /// # Errors
    /// When Arrow cannot put them together (text beyond 2 GiB).
    pub(crate) fn read(&self, codes: &[u32]) -> Result<ArrayRef> {
        let (all, valid) = match self {
            ByCode::Plain { all, valid } => (all, valid),
            ByCode::Narrow(narrow) => return narrow.read(codes),
        };
        let is_valid = |array: &&ArrayRef| (kernel::max(codes) as usize) < array.len();
        let Some(valid) = valid.as_ref().filter(is_valid) else {
            return taken(all, codes);
        };
        match valid.data_type().primitive_width() {
            Some(1) => gathered::<u8>(valid, codes),
            Some(2) => gathered::<u16>(valid, codes),
            Some(4) => gathered::<u32>(valid, codes),
            Some(8) => gathered::<u64>(valid, codes),
            _ => taken(valid, codes),
        }
    }

    /// The values by other codes: `codes` are the present ones in their order, NULL's last.
    ///
    /// # Errors
    /// As for [`read`](Self::read).
    pub(crate) fn reordered(&self, codes: &[u32]) -> Result<ByCode> {
        match self {
            ByCode::Plain { .. } => ByCode::new(self.read(codes)?),
            ByCode::Narrow(narrow) => Ok(ByCode::Narrow(narrow.reordered(codes))),
        }
    }
}

impl Narrow {
    /// `None` when that does not halve the bytes.
    fn new(all: &ArrayRef) -> Option<Narrow> {
        let data_type = all.data_type();
        if !data_type.is_integer() && !data_type.is_temporal() {
            return None;
        }
        match data_type.primitive_width() {
            Some(4) => Narrow::of::<i32>(all),
            Some(8) => Narrow::of::<i64>(all),
            _ => None,
        }
    }

    fn of<N: Integer>(all: &ArrayRef) -> Option<Narrow> {
        let data = all.to_data();
        let numbers: &[N] = bytemuck::try_cast_slice(&data.buffers()[0]).ok()?;
        let numbers = &numbers[data.offset()..data.offset() + data.len()];
        let null_is_null = all.is_null(all.len() - 1);
        let valid = &numbers[..numbers.len() - usize::from(null_is_null)];
        if valid.is_empty() {
            return None;
        }
        let (min, max) = kernel::min_max(valid);
        let limit = u32::try_from(max.to_i128() - min.to_i128()).ok()?;
        let mut distances = vec![0; numbers.len()];
        kernel::distances(numbers, min.to_i128(), &mut distances);
        if null_is_null {
            *distances.last_mut()? = 0;
        }
        let distances = if limit <= u8::MAX.into() {
            Distances::Bytes(distances.into_iter().map(|far| far.to_le_bytes()[0]).collect())
        } else if limit <= u16::MAX.into() {
            let low = |far: u32| u16::from_le_bytes([far.to_le_bytes()[0], far.to_le_bytes()[1]]);
            Distances::Words(distances.into_iter().map(low).collect())
        } else if size_of::<N>() == 8 {
            Distances::Doubles(distances)
        } else {
            return None;
        };
        let base = min.to_i64();
        Some(Narrow { data_type: all.data_type().clone(), base, distances, null_is_null })
    }

    fn len(&self) -> usize {
        match &self.distances {
            Distances::Bytes(distances) => distances.len(),
            Distances::Words(distances) => distances.len(),
            Distances::Doubles(distances) => distances.len(),
        }
    }

    fn read(&self, codes: &[u32]) -> Result<ArrayRef> {
        let null_code = self.len() - 1;
        let has_null = self.null_is_null && kernel::max(codes) as usize >= null_code;
        let nulls = (has_null && !codes.is_empty()).then(|| {
            let is_valid = |row: usize| (codes[row] as usize) < null_code;
            NullBuffer::new(BooleanBuffer::collect_bool(codes.len(), is_valid))
        });
        let buffer = if self.data_type.primitive_width() == Some(4) {
            self.gathered::<u32>(codes)
        } else {
            self.gathered::<u64>(codes)
        };
        let builder = arrow::array::ArrayData::builder(self.data_type.clone());
        let builder = builder.len(codes.len()).nulls(nulls).add_buffer(buffer);
        Ok(make_array(builder.build()?))
    }

    fn gathered<L: Lane + ArrowNativeType>(&self, codes: &[u32]) -> Buffer {
        let base = L::from_u64(self.base.cast_unsigned());
        let mut target = vec![L::default(); codes.len()];
        match &self.distances {
            Distances::Bytes(distances) => kernel::gather(distances, base, codes, &mut target),
            Distances::Words(distances) => kernel::gather(distances, base, codes, &mut target),
            Distances::Doubles(distances) => kernel::gather(distances, base, codes, &mut target),
        }
        Buffer::from_vec(target)
    }

    fn reordered(&self, codes: &[u32]) -> Narrow {
        let distances = match &self.distances {
            Distances::Bytes(distances) => Distances::Bytes(chosen(distances, codes)),
            Distances::Words(distances) => Distances::Words(chosen(distances, codes)),
            Distances::Doubles(distances) => Distances::Doubles(chosen(distances, codes)),
        };
        Narrow { data_type: self.data_type.clone(), distances, ..*self }
    }
}

fn chosen<L: Lane>(lanes: &[L], codes: &[u32]) -> Vec<L> {
    let mut target = vec![L::default(); codes.len()];
    kernel::gather(lanes, L::default(), codes, &mut target);
    target
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
        kernel::gather(lanes, L::default(), codes, &mut target);
    }
    let buffer = Buffer::from_vec(target);
    let data = data.into_builder().offset(0).len(codes.len()).buffers(vec![buffer]).build()?;
    Ok(make_array(data))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{
        Date32Array, Decimal128Array, Float64Array, Int8Array, Int16Array, Int32Array, Int64Array,
        StringArray, TimestampMicrosecondArray, UInt64Array,
    };

    use super::*;

    #[test]
    fn codes_read_what_taking_one_by_one_gives() -> Result<()> {
        let columns: [ArrayRef; 15] = [
            Arc::new(Int8Array::from(vec![Some(-3), Some(7), None])),
            Arc::new(Int16Array::from(vec![Some(300), Some(-1), None])),
            Arc::new(Int32Array::from(vec![i32::MIN, i32::MAX, 0])),
            Arc::new(Int32Array::from(vec![Some(i32::MIN), Some(i32::MIN + 65_535), None])),
            Arc::new(Int64Array::from(vec![Some(-3), Some(252), None])),
            Arc::new(Int64Array::from(vec![i64::MAX - 1, i64::MAX, i64::MAX - 70_000])),
            Arc::new(Int64Array::from(vec![Some(i64::MIN), Some(i64::MAX), None])),
            Arc::new(UInt64Array::from(vec![Some(u64::MAX), Some(u64::MAX - 256), None])),
            Arc::new(TimestampMicrosecondArray::from(vec![Some(1), Some(1 << 31), None])),
            Arc::new(Date32Array::from(vec![Some(9), Some(8), None])),
            Arc::new(Float64Array::from(vec![Some(-0.0), Some(f64::NAN), None])),
            Arc::new(Float64Array::from(vec![None, Some(2.5), None])),
            Arc::new(Decimal128Array::from(vec![Some(1 << 70), Some(0), None])),
            Arc::new(BooleanArray::from(vec![Some(true), Some(false), None])),
            Arc::new(StringArray::from(vec![Some(""), Some("é"), None])),
        ];
        let mut narrow_count = 0;
        for column in columns {
            // A slice starts anywhere in its buffers.
            let twice = arrow::compute::concat(&[column.as_ref(), column.as_ref()])?;
            let by_code = ByCode::new(twice.slice(3, 3))?;
            narrow_count += usize::from(matches!(by_code, ByCode::Narrow(_)));
            for codes in [&[][..], &[1, 0, 0, 1], &[0, 2, 1], &[2, 2]] {
                let expected = taken(&column, codes)?;
                assert_eq!(&by_code.read(codes)?, &expected, "{codes:?} of {column:?}");
            }
            let others = by_code.reordered(&[1, 1, 0, 2])?;
            let expected = taken(&column, &[2, 0, 1])?;
            assert_eq!(&others.read(&[3, 2, 1])?, &expected, "{column:?}");
        }
        assert_eq!(narrow_count, 6);
        let only_null: ArrayRef = Arc::new(Int8Array::from(vec![None::<i8>]));
        assert_eq!(ByCode::new(only_null)?.read(&[0, 0])?.null_count(), 2);
        Ok(())
    }
}
