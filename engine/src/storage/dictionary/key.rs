//! Values of fixed width as unsigned integers whose order is the order of the values.
//!
//! Dictionaries hash, sort, search and merge keys; only keys of text and blobs are bytes. A signed
//! integer `v` of up to 64 bits is `v + 2^63`, a float the usual flip of its bits as a double, a
//! decimal `v + 2^127`, a uuid its 16 bytes read big-endian. Both zeros have one key, so have all
//! NaNs, which are greatest.

use std::hash::Hash;
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, BinaryArray, Decimal128Array, FixedSizeBinaryArray, Float32Array,
    Float64Array, PrimitiveArray, StringArray,
};
use arrow::buffer::{Buffer, OffsetBuffer, ScalarBuffer};
use arrow::datatypes::{
    ArrowPrimitiveType, Date32Type, Decimal128Type, Float32Type, Float64Type, Int8Type, Int16Type,
    Int32Type, Int64Type, Time32MillisecondType, Time32SecondType, Time64MicrosecondType,
    Time64NanosecondType, TimestampMicrosecondType, TimestampMillisecondType,
    TimestampNanosecondType, TimestampSecondType, UInt8Type, UInt16Type, UInt32Type, UInt64Type,
};

use crate::types::{DataType, Error, Result, TimeUnit, Value, canonical_float, match_integer_type};

/// How the values of a type are keyed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyKind {
    /// Text and blobs: by their bytes.
    Bytes,
    /// Integers up to 64 bits, dates, times, timestamps and floats.
    Narrow,
    /// Decimals and uuids.
    Wide,
}

impl KeyKind {
    /// How values of `data_type` are keyed; `None` for types that never have a dictionary.
    pub fn of(data_type: DataType) -> Option<KeyKind> {
        match data_type {
            DataType::Null | DataType::Bool | DataType::Interval => None,
            DataType::Utf8 | DataType::Binary => Some(KeyKind::Bytes),
            DataType::Decimal { .. } | DataType::Uuid => Some(KeyKind::Wide),
            _ => Some(KeyKind::Narrow),
        }
    }
}

/// One value of a dictionary, ordered as SQL orders its values.
///
/// Keys of one dictionary are of one variant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Key<'a> {
    /// A text or blob.
    Bytes(&'a [u8]),
    /// Any other value.
    Int(u128),
}

/// The keys that hold fixed-width values in memory: `u64` or `u128`.
pub trait FixedKey: Copy + Ord + Hash + Into<u128> + Send + Sync + 'static {
    /// Appends the keys of `array`, of the Arrow type of `data_type`; a NULL's key means nothing.
    ///
    /// # Panics
    /// When the type's keys are not of this width.
    fn extend_from(target: &mut Vec<Self>, array: &dyn Array, data_type: DataType);

    /// The values of `keys` as an array.
    ///
    /// # Errors
    /// `Corrupt` when a key is of no value of that type.
    fn to_array(keys: &[Self], data_type: DataType) -> Result<ArrayRef>;
}

const SIGN_64: u64 = 1 << 63;
const SIGN_128: u128 = 1 << 127;

impl FixedKey for u64 {
    fn extend_from(target: &mut Vec<u64>, array: &dyn Array, data_type: DataType) {
        macro_rules! integers {
            ($arrow:ty) => {
                target.extend(array.as_primitive::<$arrow>().values().iter().map(|v| v.to_key()))
            };
        }
        match data_type {
            DataType::Float32 => {
                let values = array.as_primitive::<Float32Type>().values();
                target.extend(values.iter().map(|v| float_key(f64::from(*v))));
            }
            DataType::Float64 => {
                let values = array.as_primitive::<Float64Type>().values();
                target.extend(values.iter().map(|v| float_key(*v)));
            }
            _ => match_integer_type!(data_type, integers, unreachable_type(data_type)),
        }
    }

    fn to_array(keys: &[u64], data_type: DataType) -> Result<ArrayRef> {
        macro_rules! integers {
            ($arrow:ty) => {
                integer_array::<$arrow>(keys, data_type)
            };
        }
        match data_type {
            #[expect(clippy::cast_possible_truncation, reason = "the key was made from an f32")]
            DataType::Float32 => Ok(Arc::new(Float32Array::from_iter_values(
                keys.iter().map(|key| key_float(*key) as f32),
            ))),
            DataType::Float64 => {
                Ok(Arc::new(Float64Array::from_iter_values(keys.iter().map(|key| key_float(*key)))))
            }
            _ => match_integer_type!(data_type, integers, unreachable_type(data_type)),
        }
    }
}

impl FixedKey for u128 {
    fn extend_from(target: &mut Vec<u128>, array: &dyn Array, data_type: DataType) {
        if data_type == DataType::Uuid {
            let values = array.as_fixed_size_binary();
            target.extend((0..values.len()).map(|row| uuid_key(values.value(row))));
        } else {
            let values = array.as_primitive::<Decimal128Type>().values();
            target.extend(values.iter().map(|v| v.cast_unsigned() ^ SIGN_128));
        }
    }

    fn to_array(keys: &[u128], data_type: DataType) -> Result<ArrayRef> {
        if let DataType::Decimal { precision, scale } = data_type {
            let values = keys.iter().map(|key| (key ^ SIGN_128).cast_signed());
            let array = Decimal128Array::from_iter_values(values);
            return Ok(Arc::new(array.with_precision_and_scale(precision, scale.cast_signed())?));
        }
        let bytes: Vec<u8> =
            keys.iter().flat_map(|key| (0..16).rev().map(|at| byte_of(*key, at))).collect();
        Ok(Arc::new(FixedSizeBinaryArray::try_new(16, Buffer::from_vec(bytes), None)?))
    }
}

#[expect(clippy::cast_possible_truncation, reason = "the shift leaves the byte asked for lowest")]
fn byte_of(key: u128, at: u32) -> u8 {
    (key >> (8 * at)) as u8
}

fn uuid_key(bytes: &[u8]) -> u128 {
    bytes.iter().fold(0, |key, byte| key << 8 | u128::from(*byte))
}

/// The key of a float.
fn float_key(value: f64) -> u64 {
    let bits = canonical_float(value).to_bits();
    if bits & SIGN_64 != 0 { !bits } else { bits | SIGN_64 }
}

/// The float of a key.
fn key_float(key: u64) -> f64 {
    f64::from_bits(if key & SIGN_64 != 0 { key & !SIGN_64 } else { !key })
}

trait OrderKey: Sized {
    fn to_key(self) -> u64;
    fn from_key(key: u64) -> Option<Self>;
}

macro_rules! signed_order_key {
    ($($native:ty),*) => {$(
        impl OrderKey for $native {
            fn to_key(self) -> u64 {
                i64::from(self).cast_unsigned() ^ SIGN_64
            }
            fn from_key(key: u64) -> Option<$native> {
                <$native>::try_from((key ^ SIGN_64).cast_signed()).ok()
            }
        }
    )*};
}
signed_order_key!(i8, i16, i32, i64);

macro_rules! unsigned_order_key {
    ($($native:ty),*) => {$(
        impl OrderKey for $native {
            fn to_key(self) -> u64 {
                u64::from(self)
            }
            fn from_key(key: u64) -> Option<$native> {
                <$native>::try_from(key).ok()
            }
        }
    )*};
}
unsigned_order_key!(u8, u16, u32, u64);

fn integer_array<T>(keys: &[u64], data_type: DataType) -> Result<ArrayRef>
where
    T: ArrowPrimitiveType,
    T::Native: OrderKey,
{
    let natives: Option<Vec<T::Native>> =
        keys.iter().map(|key| T::Native::from_key(*key)).collect();
    let natives = natives.ok_or_else(|| {
        Error::corrupt(format!("a dictionary of type {data_type} holds a value outside its range"))
    })?;
    let array = PrimitiveArray::<T>::new(ScalarBuffer::from(natives), None);
    Ok(Arc::new(array.with_data_type(data_type.to_arrow())))
}

fn unreachable_type(data_type: DataType) -> ! {
    unreachable!("KeyKind::of says that {data_type} is not keyed by u64")
}

/// The values of byte keys as an array of text or blobs.
///
/// `ends[i]` is where value `i` ends in `bytes`.
///
/// # Errors
/// `Corrupt` when the bytes are no UTF-8 and `data_type` is `Utf8`; `Unsupported` beyond 2 GiB.
pub fn bytes_array(bytes: Vec<u8>, ends: &[usize], data_type: DataType) -> Result<ArrayRef> {
    let offsets: Result<Vec<i32>, _> =
        std::iter::once(&0).chain(ends).map(|end| i32::try_from(*end)).collect();
    let offsets = offsets
        .map_err(|_| Error::unsupported("more than 2 GiB of text in one page are not supported"))?;
    let offsets = OffsetBuffer::new(ScalarBuffer::from(offsets));
    let bytes = Buffer::from_vec(bytes);
    if data_type == DataType::Utf8 {
        let array = StringArray::try_new(offsets, bytes, None)
            .map_err(|error| Error::corrupt(format!("a text is no UTF-8: {error}")))?;
        return Ok(Arc::new(array));
    }
    Ok(Arc::new(BinaryArray::try_new(offsets, bytes, None)?))
}

/// Where a value of SQL stands among the keys of a type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Probe<'a> {
    /// It has this key.
    At(Key<'a>),
    /// It is less than every value of the type.
    Below,
    /// It is greater than every value of the type.
    Above,
}

impl<'a> Probe<'a> {
    /// Where `value` stands among the values of `data_type`.
    ///
    /// # Errors
    /// `Internal` when it is NULL or of another type.
    pub fn new(value: &'a Value, data_type: DataType) -> Result<Probe<'a>> {
        match (value, data_type) {
            (Value::Text(text), DataType::Utf8) => Ok(Probe::At(Key::Bytes(text.as_bytes()))),
            (Value::Bytes(bytes), DataType::Binary) => Ok(Probe::At(Key::Bytes(bytes))),
            (Value::Uuid(bytes), DataType::Uuid) => Ok(Probe::At(Key::Int(uuid_key(bytes)))),
            (Value::Int(value), DataType::Decimal { .. }) => {
                Ok(Probe::At(Key::Int(value.cast_unsigned() ^ SIGN_128)))
            }
            (Value::Float(value), DataType::Float32 | DataType::Float64) => {
                Ok(Probe::At(Key::Int(float_key(*value).into())))
            }
            (Value::Int(value), _) if KeyKind::of(data_type) == Some(KeyKind::Narrow) => {
                Ok(narrow_probe(*value, data_type))
            }
            _ => Err(Error::internal(format!(
                "{value:?} was looked up in a dictionary of type {data_type}"
            ))),
        }
    }
}

fn narrow_probe(value: i128, data_type: DataType) -> Probe<'static> {
    let shift = if data_type.is_unsigned_integer() { 0 } else { i128::from(SIGN_64) };
    match u64::try_from(value.saturating_add(shift)) {
        Ok(key) => Probe::At(Key::Int(key.into())),
        Err(_) if value < 0 => Probe::Below,
        Err(_) => Probe::Above,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys_of<K: FixedKey>(values: &[Value], data_type: DataType) -> Result<Vec<K>> {
        let mut keys = Vec::new();
        for value in values {
            K::extend_from(&mut keys, &value.to_array(data_type, 1)?, data_type);
        }
        Ok(keys)
    }

    fn check<K: FixedKey + std::fmt::Debug>(values: &[Value], data_type: DataType) -> Result<()> {
        let keys = keys_of::<K>(values, data_type)?;
        assert!(keys.is_sorted(), "{data_type}: {keys:?}");
        let array = K::to_array(&keys, data_type)?;
        assert_eq!(array.data_type(), &data_type.to_arrow());
        for (row, value) in values.iter().enumerate() {
            assert_eq!(&Value::from_array(&array, data_type, row), value, "{data_type}");
            assert_eq!(Probe::new(value, data_type)?, Probe::At(Key::Int(keys[row].into())));
        }
        Ok(())
    }

    #[test]
    fn keys_have_the_order_of_values_and_give_them_back() -> Result<()> {
        let ints = |values: &[i128]| values.iter().map(|v| Value::Int(*v)).collect::<Vec<_>>();
        let zoned = DataType::Timestamp { unit: TimeUnit::Nanosecond, zoned: true };
        for data_type in [DataType::Int64, DataType::TIMESTAMP, zoned] {
            check::<u64>(&ints(&[i64::MIN.into(), -1, 0, 1, i64::MAX.into()]), data_type)?;
        }
        check::<u64>(&ints(&[-128, -1, 0, 127]), DataType::Int8)?;
        check::<u64>(&ints(&[0, 1, u64::MAX.into()]), DataType::UInt64)?;
        check::<u64>(&ints(&[-1, 0, 19_000]), DataType::Date)?;
        check::<u64>(&ints(&[0, 86_399]), DataType::Time(TimeUnit::Second))?;
        let floats =
            [f64::NEG_INFINITY, -1.5, -0.25, 0.0, 0.25, f64::INFINITY, f64::NAN].map(Value::Float);
        check::<u64>(&floats, DataType::Float64)?;
        check::<u64>(&floats, DataType::Float32)?;
        check::<u128>(
            &ints(&[-(10_i128.pow(37)), -1, 0, 5, 10_i128.pow(37)]),
            DataType::Decimal { precision: 38, scale: 2 },
        )?;
        let uuids = [[0; 16], [1; 16], [255; 16]].map(Value::Uuid);
        check::<u128>(&uuids, DataType::Uuid)
    }

    #[test]
    fn values_outside_a_types_range_have_no_key() -> Result<()> {
        assert_eq!(Probe::new(&Value::Int(-1), DataType::UInt8)?, Probe::Below);
        assert_eq!(Probe::new(&Value::Int(i128::MAX), DataType::Int64)?, Probe::Above);
        assert_eq!(Probe::new(&Value::Int(i128::MIN), DataType::Int64)?, Probe::Below);
        assert!(Probe::new(&Value::Null, DataType::Int64).is_err());
        Ok(())
    }

    #[test]
    fn zeros_share_a_key_and_so_do_nans() {
        assert_eq!(float_key(0.0), float_key(-0.0));
        assert_eq!(float_key(f64::NAN), float_key(-f64::NAN));
    }

    #[test]
    fn a_key_outside_its_type_is_corrupt() {
        assert!(u64::to_array(&[u64::MAX], DataType::Int8).is_err());
        assert!(bytes_array(vec![0xff], &[1], DataType::Utf8).is_err());
    }
}
