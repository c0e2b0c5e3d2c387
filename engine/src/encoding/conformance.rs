//! One suite that every encoding passes, for every type that it holds. The naive twin of a page is
//! the array that went in.
#![expect(clippy::result_large_err, reason = "proptest's error type")]

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, BinaryArray, BooleanArray, Decimal128Array, FixedSizeBinaryArray,
    Float32Array, Float64Array, StringArray, new_null_array,
};
use arrow::compute::{cast, concat, take};
use arrow::datatypes::DataType as ArrowType;
use bytes::Bytes;
use proptest::prelude::*;

use super::*;
use crate::types::{DataType, TimeUnit, Value};

const TYPES: [DataType; 22] = [
    DataType::Bool,
    DataType::Int8,
    DataType::Int16,
    DataType::Int32,
    DataType::Int64,
    DataType::UInt8,
    DataType::UInt16,
    DataType::UInt32,
    DataType::UInt64,
    DataType::Float32,
    DataType::Float64,
    DataType::Decimal { precision: 9, scale: 2 },
    DataType::Decimal { precision: 38, scale: 10 },
    DataType::Date,
    DataType::Time(TimeUnit::Second),
    DataType::Time(TimeUnit::Nanosecond),
    DataType::TIMESTAMP,
    DataType::Timestamp { unit: TimeUnit::Nanosecond, zoned: true },
    DataType::Timestamp { unit: TimeUnit::Second, zoned: false },
    DataType::Utf8,
    DataType::Binary,
    DataType::Uuid,
];

/// What the values of a test array look like.
#[derive(Clone, Copy, Debug)]
enum Shape {
    Same,
    Ascending,
    Runs,
    Sparse,
    Outliers,
    Random,
    Extremes,
}

const SHAPES: [Shape; 7] = [
    Shape::Same,
    Shape::Ascending,
    Shape::Runs,
    Shape::Sparse,
    Shape::Outliers,
    Shape::Random,
    Shape::Extremes,
];

/// The bits that row `row` of a shape is made of.
fn seed(shape: Shape, row: u64) -> u64 {
    let random =
        row.wrapping_mul(0x9E37_79B9_7F4A_7C15).rotate_left(23).wrapping_mul(0xD6E8_FEB8_6659_FD93);
    match shape {
        Shape::Same => 77,
        Shape::Ascending => 1_000 + row * 3 + random % 3,
        Shape::Runs => row / 100 * 7,
        Shape::Sparse => {
            if random.is_multiple_of(37) {
                random
            } else {
                5
            }
        }
        Shape::Outliers => {
            if random.is_multiple_of(99) {
                random
            } else {
                random % 50
            }
        }
        Shape::Random => random,
        Shape::Extremes => {
            [0, u64::MAX, 1 << 63, (1 << 63) - 1, random][usize::try_from(row % 5).unwrap()]
        }
    }
}

#[expect(clippy::too_many_lines, reason = "one arm per type")]
fn array(data_type: DataType, shape: Shape, len: usize, null_percent: u64) -> ArrayRef {
    let rows = 0..u64::try_from(len).unwrap();
    let seeds = rows.map(move |row| {
        let is_null = seed(Shape::Random, row + 7) % 100 < null_percent;
        (!is_null).then(|| seed(shape, row))
    });
    let int = |seeds: &mut dyn Iterator<Item = Option<u64>>, bits: u32| -> ArrayRef {
        let values: Vec<Option<i64>> = seeds
            .map(|seed| seed.map(|seed| (seed << (64 - bits)).cast_signed() >> (64 - bits)))
            .collect();
        Arc::new(arrow::array::Int64Array::from(values))
    };
    let uint = |seeds: &mut dyn Iterator<Item = Option<u64>>, bits: u32| -> ArrayRef {
        let values: Vec<Option<u64>> =
            seeds.map(|seed| seed.map(|seed| seed & (u64::MAX >> (64 - bits)))).collect();
        Arc::new(arrow::array::UInt64Array::from(values))
    };
    let mut seeds = seeds;
    let arrow_type = data_type.to_arrow();
    let convert = |array: ArrayRef| {
        let width = array.data_type().primitive_width();
        if width == arrow_type.primitive_width() {
            let data =
                array.to_data().into_builder().data_type(arrow_type.clone()).build().unwrap();
            return arrow::array::make_array(data);
        }
        let narrow = match arrow_type.primitive_width() {
            Some(4) => cast(&array, &ArrowType::Int32).unwrap(),
            _ => return cast(&array, &arrow_type).unwrap(),
        };
        if narrow.data_type() == &arrow_type {
            return narrow;
        }
        let data = narrow.to_data().into_builder().data_type(arrow_type.clone()).build().unwrap();
        arrow::array::make_array(data)
    };
    match data_type {
        DataType::Bool => {
            Arc::new(seeds.map(|seed| seed.map(|seed| seed & 1 == 1)).collect::<BooleanArray>())
        }
        DataType::Int8 => convert(int(&mut seeds, 8)),
        DataType::Int16 => convert(int(&mut seeds, 16)),
        DataType::Int32 | DataType::Date | DataType::Time(TimeUnit::Second) => {
            convert(int(&mut seeds, 32))
        }
        DataType::Int64 | DataType::Time(_) | DataType::Timestamp { .. } => {
            convert(int(&mut seeds, 64))
        }
        DataType::UInt8 => cast(&uint(&mut seeds, 8), &arrow_type).unwrap(),
        DataType::UInt16 => cast(&uint(&mut seeds, 16), &arrow_type).unwrap(),
        DataType::UInt32 => cast(&uint(&mut seeds, 32), &arrow_type).unwrap(),
        DataType::UInt64 => uint(&mut seeds, 64),
        DataType::Float64 => {
            let float = |seed: u64| match shape {
                Shape::Random | Shape::Extremes => f64::from_bits(seed),
                _ => f64::from(u32::try_from(seed & 0xFFFF).unwrap()) / 100.0,
            };
            Arc::new(seeds.map(|seed| seed.map(float)).collect::<Float64Array>())
        }
        DataType::Float32 => {
            let float = |seed: u64| match shape {
                Shape::Random | Shape::Extremes => {
                    f32::from_bits(u32::try_from(seed >> 32).unwrap())
                }
                _ => f32::from(u16::try_from(seed & 0xFFFF).unwrap()) / 8.0,
            };
            Arc::new(seeds.map(|seed| seed.map(float)).collect::<Float32Array>())
        }
        DataType::Decimal { precision, scale } => {
            let digits = |seed: u64| {
                let value = i128::from(seed.cast_signed());
                if precision < 38 {
                    value % 1_000_000_000
                } else if matches!(shape, Shape::Extremes) {
                    value * 1_000_000_007
                } else {
                    value
                }
            };
            let array: Decimal128Array = seeds.map(|seed| seed.map(digits)).collect();
            Arc::new(array.with_precision_and_scale(precision, scale.cast_signed()).unwrap())
        }
        DataType::Utf8 => Arc::new(seeds.map(|seed| seed.map(text)).collect::<StringArray>()),
        DataType::Binary => {
            let bytes =
                |seed: u64| seed.to_le_bytes()[..usize::try_from(seed % 9).unwrap()].to_vec();
            Arc::new(seeds.map(|seed| seed.map(bytes)).collect::<BinaryArray>())
        }
        DataType::Uuid => {
            let bytes = seeds.map(|seed| seed.map(|seed| u128::from(seed).to_le_bytes()));
            Arc::new(FixedSizeBinaryArray::try_from_sparse_iter_with_size(bytes, 16).unwrap())
        }
        _ => unreachable!("{data_type} is not in TYPES"),
    }
}

fn text(seed: u64) -> String {
    match seed % 5 {
        0 => String::new(),
        1 => format!("straße {seed}"),
        _ => format!("{:x}", seed >> 3),
    }
}

/// Bit equality: NaNs and zeros keep their bits.
fn assert_same(found: &dyn Array, expected: &dyn Array, what: &str) {
    assert_eq!(found.data_type(), expected.data_type(), "{what}");
    assert_eq!(
        found.nulls().map_or(0, arrow::buffer::NullBuffer::null_count),
        expected.null_count(),
        "{what}"
    );
    let bits = |array: &dyn Array| match array.data_type() {
        ArrowType::Float64 => {
            let array: &Float64Array = arrow::array::AsArray::as_primitive(array);
            Arc::new(array.unary::<_, arrow::datatypes::UInt64Type>(f64::to_bits)) as ArrayRef
        }
        ArrowType::Float32 => {
            let array: &Float32Array = arrow::array::AsArray::as_primitive(array);
            Arc::new(array.unary::<_, arrow::datatypes::UInt32Type>(f32::to_bits)) as ArrayRef
        }
        _ => array.slice(0, array.len()),
    };
    assert!(bits(found) == bits(expected), "{what}: {found:?} is not {expected:?}");
}

/// Decodes a page in all ways and compares with the array it was made of.
fn check(page: &EncodedPage, array: &ArrayRef, data_type: DataType, what: &str) -> Result<()> {
    let len = array.len();
    let page = Page::open(
        Bytes::from(page.bytes.clone()),
        page.encoding,
        PageKind::Values(data_type),
        len,
    )?;
    assert_eq!(page.row_count(), len);
    assert_same(&page.decode(0..len)?, array, what);
    for (start, end) in [(0, len / 2), (len / 3, len), (len - 1, len), (len / 2, len / 2)] {
        let expected = array.slice(start, end - start);
        assert_same(&page.decode(start..end)?, &expected, &format!("{what}, {start} to {end}"));
    }
    assert!(page.decode(0..len + 1).is_err());
    for step in [1, 7, 300, 5_000] {
        let rows: Vec<u32> = (0..layout::to_u32(len)).skip(3).step_by(step).collect();
        let expected = take(array, &arrow::array::UInt32Array::from(rows.clone()), None)?;
        assert_same(&page.take(&rows)?, &expected, &format!("{what}, every {step}th"));
    }
    if data_type.is_integer() || data_type.is_temporal() {
        check_integer_filters(&page, array, data_type, what)?;
    }
    Ok(())
}

/// The bits of every row but each seventh, so that words with and without rows occur.
fn some_rows(len: usize) -> Vec<u64> {
    let mut rows = filter::all_rows(len);
    for row in (0..len).filter(|row| row % 7 == 3 || (100..1_400).contains(row) && row % 90 > 0) {
        rows[row / 64] &= !(1 << (row % 64));
    }
    rows
}

/// Compares what a filter leaves with one value at a time.
fn assert_filtered(
    before: &[u64],
    found: &[u64],
    len: usize,
    passes: impl Fn(usize) -> bool,
    what: &str,
) {
    for row in 0..len {
        let bit = |words: &[u64]| words[row / 64] >> (row % 64) & 1 == 1;
        assert_eq!(bit(found), bit(before) && passes(row), "{what}, row {row}");
    }
    let beyond =
        found.last().map_or(0, |word| word.checked_shr(layout::to_u32(len % 64)).unwrap_or(0));
    assert!(len.is_multiple_of(64) || beyond == 0, "{what}: bits beyond the last row");
}

fn check_integer_filters(
    page: &Page,
    array: &ArrayRef,
    data_type: DataType,
    what: &str,
) -> Result<()> {
    let len = array.len();
    let values: Vec<Option<i128>> = (0..len)
        .map(|row| match Value::from_array(array, data_type, row) {
            Value::Null => None,
            Value::Int(value) => Some(value),
            other => panic!("{other:?} is no integer"),
        })
        .collect();
    let mut known: Vec<i128> = values.iter().flatten().copied().collect();
    known.sort_unstable();
    let quantile = |part: usize| known.get(known.len() * part / 10).copied().unwrap_or(0);
    let (low, middle, high) = (quantile(2), quantile(5), quantile(8));
    let first = known.first().copied().unwrap_or(0);
    let filters: [&[(i128, i128)]; 7] = [
        &[],
        &[(low, high)],
        &[(middle, middle)],
        &[(i128::MIN / 4, middle - 1), (middle + 1, i128::MAX / 4)],
        &[(first + 1, i128::MAX / 4)],
        &[(low, low), (middle, middle), (high, high)],
        &[(i128::MIN / 4, first)],
    ];
    for (ranges, null) in filters.iter().flat_map(|ranges| [(*ranges, false), (*ranges, true)]) {
        for before in [filter::all_rows(len), some_rows(len)] {
            let mut rows = before.clone();
            page.filter_integers(ranges, null, &mut rows)?;
            let inside =
                |value: i128| ranges.iter().any(|range| range.0 <= value && value <= range.1);
            let passes = |row: usize| values[row].map_or(null, inside);
            assert_filtered(&before, &rows, len, passes, &format!("{what} in {ranges:?}"));
        }
    }
    Ok(())
}

fn check_code_filters(page: &Page, codes: &[u32]) -> Result<()> {
    let mut sorted = codes.to_vec();
    sorted.sort_unstable();
    let (low, high) = (sorted[sorted.len() / 5], sorted[sorted.len() * 4 / 5]);
    let filters = [
        vec![(low, high)],
        vec![(low, low + 1), (high, u32::MAX)],
        vec![(0, 1)],
        vec![(0, u32::MAX)],
    ];
    for ranges in filters {
        let ranges: Vec<_> = ranges.into_iter().map(|(start, end)| start..end).collect();
        let before = some_rows(codes.len());
        let mut rows = before.clone();
        page.filter_codes(CodeFilter::Ranges(&ranges), &mut rows)?;
        let passes = |row: usize| ranges.iter().any(|range| range.contains(&codes[row]));
        assert_filtered(&before, &rows, codes.len(), passes, &format!("codes in {ranges:?}"));
    }
    let max = sorted[sorted.len() - 1];
    if max > 1 << 20 {
        return Ok(());
    }
    let is_listed = |code: u32| code % 3 == 1;
    let mut table = vec![0_u64; usize::try_from(max / 64).unwrap() + 1];
    for code in (0..=max).filter(|code| is_listed(*code)) {
        table[usize::try_from(code / 64).unwrap()] |= 1 << (code % 64);
    }
    let before = some_rows(codes.len());
    let mut rows = before.clone();
    page.filter_codes(CodeFilter::Table(&table), &mut rows)?;
    assert_filtered(&before, &rows, codes.len(), |row| is_listed(codes[row]), "listed codes");
    Ok(())
}

fn every_encoding_round_trips(data_type: DataType, lengths: &[usize]) -> Result<()> {
    for (shape, len, null_percent) in SHAPES
        .iter()
        .flat_map(|shape| lengths.iter().map(move |len| (*shape, *len)))
        .flat_map(|(shape, len)| [0, 3, 30, 97].map(|percent| (shape, len, percent)))
    {
        let array = array(data_type, shape, len, null_percent);
        let what = format!("{data_type} {shape:?} {len} rows {null_percent}% NULL");
        let best = encode(&array, data_type)?;
        check(&best, &array, data_type, &format!("{what} as {:?}", best.encoding))?;
        for encoding in Encoding::ALL {
            if let Some(page) = encode_as(&array, data_type, encoding)? {
                assert_eq!(page.encoding, encoding);
                check(&page, &array, data_type, &format!("{what} as {encoding:?}"))?;
            }
        }
    }
    Ok(())
}

macro_rules! round_trips {
    ($($name:ident: $data_type:expr,)*) => {$(
        #[test]
        fn $name() -> Result<()> {
            every_encoding_round_trips($data_type, &[1, 2, 63, 1_023, 1_024, 1_025, 2_500])
        }
    )*};
}

round_trips! {
    bools_round_trip: DataType::Bool,
    int8_round_trips: DataType::Int8,
    int16_round_trips: DataType::Int16,
    int32_round_trips: DataType::Int32,
    int64_round_trips: DataType::Int64,
    uint8_round_trips: DataType::UInt8,
    uint16_round_trips: DataType::UInt16,
    uint32_round_trips: DataType::UInt32,
    uint64_round_trips: DataType::UInt64,
    float32_round_trips: DataType::Float32,
    float64_round_trips: DataType::Float64,
    short_decimals_round_trip: DataType::Decimal { precision: 9, scale: 2 },
    long_decimals_round_trip: DataType::Decimal { precision: 38, scale: 10 },
    dates_round_trip: DataType::Date,
    times_round_trip: DataType::Time(TimeUnit::Second),
    long_times_round_trip: DataType::Time(TimeUnit::Nanosecond),
    timestamps_round_trip: DataType::TIMESTAMP,
    instants_round_trip: DataType::Timestamp { unit: TimeUnit::Nanosecond, zoned: true },
    text_round_trips: DataType::Utf8,
    bytes_round_trip: DataType::Binary,
    uuids_round_trip: DataType::Uuid,
}

#[test]
fn a_full_page_round_trips() -> Result<()> {
    for data_type in TYPES {
        for shape in [Shape::Ascending, Shape::Sparse, Shape::Random] {
            let array = array(data_type, shape, PAGE_LEN_MAX, 1);
            let page = encode(&array, data_type)?;
            check(&page, &array, data_type, &format!("{data_type} {shape:?}"))?;
        }
    }
    Ok(())
}

#[test]
fn pages_of_nulls_round_trip() -> Result<()> {
    for data_type in TYPES {
        for len in [1, 1_024, 1_500] {
            let array = new_null_array(&data_type.to_arrow(), len);
            let page = encode(&array, data_type)?;
            assert_eq!(page.encoding, Encoding::Constant);
            assert!(page.bytes.len() <= 24);
            check(&page, &array, data_type, &format!("{len} NULLs of {data_type}"))?;
        }
    }
    Ok(())
}

#[test]
fn sliced_arrays_encode_as_their_slice() -> Result<()> {
    for data_type in TYPES {
        let array = array(data_type, Shape::Random, 1_500, 10).slice(37, 1_100);
        let page = encode(&array, data_type)?;
        check(&page, &array, data_type, &format!("a slice of {data_type}"))?;
    }
    Ok(())
}

#[test]
fn codes_round_trip() -> Result<()> {
    for shape in SHAPES {
        for len in [1, 1_000, 1_024, 5_000] {
            let codes: Vec<u32> = (0..len)
                .map(|row| u32::try_from(seed(shape, row) & 0xFFFF_FFFF).unwrap())
                .collect();
            let page = encode_codes(&codes);
            let page =
                Page::open(Bytes::from(page.bytes), page.encoding, PageKind::Codes, codes.len())?;
            let mut found = vec![1];
            page.decode_codes(0..codes.len(), &mut found)?;
            assert_eq!(found[1..], codes);
            found.clear();
            let rows: Vec<u32> = (0..layout::to_u32(codes.len())).step_by(3).collect();
            page.take_codes(&rows, &mut found)?;
            assert_eq!(found, codes.iter().step_by(3).copied().collect::<Vec<_>>());
            assert!(page.decode(0..1).is_err());
            check_code_filters(&page, &codes)?;
        }
    }
    Ok(())
}

#[test]
fn a_code_beyond_the_table_is_refused() -> Result<()> {
    for shape in [Shape::Same, Shape::Outliers, Shape::Runs] {
        let codes: Vec<u32> =
            (0..2_000).map(|row| 64 + u32::try_from(seed(shape, row) % 1_000).unwrap()).collect();
        let page = encode_codes(&codes);
        let page =
            Page::open(Bytes::from(page.bytes), page.encoding, PageKind::Codes, codes.len())?;
        let mut rows = filter::all_rows(codes.len());
        assert!(page.filter_codes(CodeFilter::Table(&[u64::MAX]), &mut rows).is_err());
        assert!(page.filter_codes(CodeFilter::Table(&[u64::MAX; 20]), &mut rows).is_ok());
    }
    Ok(())
}

#[test]
fn shapes_get_the_encodings_made_for_them() -> Result<()> {
    let expected = [
        (DataType::Int64, Shape::Same, Encoding::Constant),
        (DataType::Int64, Shape::Ascending, Encoding::Delta),
        (DataType::Int64, Shape::Runs, Encoding::RunLength),
        (DataType::Int64, Shape::Sparse, Encoding::Sparse),
        (DataType::Int64, Shape::Outliers, Encoding::FrameOfReference),
        (DataType::Int64, Shape::Random, Encoding::Raw),
        (DataType::Float64, Shape::Outliers, Encoding::Alp),
        (DataType::Float32, Shape::Outliers, Encoding::Alp),
        (DataType::Float64, Shape::Random, Encoding::Raw),
        (DataType::Decimal { precision: 9, scale: 2 }, Shape::Ascending, Encoding::Delta),
        (DataType::Bool, Shape::Random, Encoding::Bitmap),
        (DataType::Utf8, Shape::Random, Encoding::Text),
    ];
    for (data_type, shape, encoding) in expected {
        let page = encode(&array(data_type, shape, 20_000, 0), data_type)?;
        assert_eq!(page.encoding, encoding, "{data_type} {shape:?}: {} bytes", page.bytes.len());
    }
    Ok(())
}

#[test]
fn outliers_do_not_widen_their_block() -> Result<()> {
    let array = array(DataType::Int64, Shape::Outliers, 65_536, 0);
    let page = encode(&array, DataType::Int64)?;
    assert!(
        page.bytes.len() < 65_536 * 8 / 8,
        "6 bits and 1 % of exceptions: {}",
        page.bytes.len()
    );
    Ok(())
}

#[test]
fn mostly_null_pages_store_only_what_is_there() -> Result<()> {
    for data_type in [DataType::Int32, DataType::Float64, DataType::TIMESTAMP] {
        let array = array(data_type, Shape::Random, 65_536, 97);
        let page = encode(&array, data_type)?;
        assert_eq!(page.encoding, Encoding::Sparse);
        assert!(page.bytes.len() < 65_536 / 32 * 11, "{data_type}: {}", page.bytes.len());
    }
    Ok(())
}

/// Reads everything that a damaged page may let through.
fn read_all(bytes: &[u8], encoding: Encoding, kind: PageKind, len: usize) {
    let Ok(page) = Page::open(Bytes::copy_from_slice(bytes), encoding, kind, len) else { return };
    let rows: Vec<u32> = (0..layout::to_u32(len)).step_by(11).collect();
    match kind {
        PageKind::Values(_) => {
            let _whole = page.decode(0..len);
            let _part = page.decode(len / 3..len / 2);
            let _taken = page.take(&rows);
            let _filtered = page.filter_integers(&[(0, 1_000)], true, &mut some_rows(len));
        }
        PageKind::Codes => {
            let mut codes = Vec::new();
            let _whole = page.decode_codes(0..len, &mut codes);
            let _taken = page.take_codes(&rows, &mut codes);
            let _filtered =
                page.filter_codes(CodeFilter::Ranges(&[3..9, 500..600]), &mut some_rows(len));
            let _listed = page.filter_codes(CodeFilter::Table(&[7; 9]), &mut some_rows(len));
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn damaged_pages_are_refused_or_read_without_a_panic(
        type_idx in 0..TYPES.len(),
        shape_idx in 0..SHAPES.len(),
        null_percent in prop::sample::select(vec![0_u64, 5, 60]),
        flips in prop::collection::vec((any::<prop::sample::Index>(), 0..8), 1..4),
        cut in any::<prop::sample::Index>(),
    ) {
        let (data_type, shape) = (TYPES[type_idx], SHAPES[shape_idx]);
        let array = array(data_type, shape, 1_300, null_percent);
        let kind = PageKind::Values(data_type);
        for encoding in Encoding::ALL {
            let Some(page) = encode_as(&array, data_type, encoding).unwrap() else { continue };
            read_all(&page.bytes[..cut.index(page.bytes.len())], encoding, kind, 1_300);
            for within in [page.bytes.len(), page.bytes.len().min(64), page.bytes.len().min(300)] {
                let mut damaged = page.bytes.clone();
                for (place, bit) in &flips {
                    damaged[place.index(within)] ^= 1_u8 << bit;
                }
                read_all(&damaged, encoding, kind, 1_300);
                read_all(&damaged, encoding, kind, 1_299);
                read_all(&page.bytes, encoding, PageKind::Codes, 1_300);
            }
            for other in Encoding::ALL {
                read_all(&page.bytes, other, kind, 1_300);
            }
        }
    }

    #[test]
    fn arbitrary_bytes_are_no_page(
        bytes in prop::collection::vec(any::<u8>(), 0..300),
        type_idx in 0..TYPES.len(),
        len in 1..3_000_usize,
    ) {
        for encoding in Encoding::ALL {
            read_all(&bytes, encoding, PageKind::Values(TYPES[type_idx]), len);
        }
    }
}

#[test]
fn pages_join_to_their_column() -> Result<()> {
    let column = array(DataType::Int32, Shape::Outliers, 3_000, 5);
    let mut parts = Vec::new();
    for start in (0..3_000).step_by(700) {
        let part = column.slice(start, 700.min(3_000 - start));
        let page = encode(&part, DataType::Int32)?;
        let kind = PageKind::Values(DataType::Int32);
        let page = Page::open(Bytes::from(page.bytes), page.encoding, kind, part.len())?;
        parts.push(page.decode(0..part.len())?);
    }
    let parts: Vec<&dyn Array> = parts.iter().map(AsRef::as_ref).collect();
    assert_same(&concat(&parts)?, &column, "pages of 700 rows");
    Ok(())
}
