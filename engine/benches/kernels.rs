//! What packing, unpacking and each encoding cost, through the public encoding API.
//!
//! `cargo bench -p martlet-engine --bench kernels` reports values per second; a value of T bits at
//! n values per second is n × T / 8 bytes per second of decoded data.

use std::hint::black_box;
use std::sync::Arc;

use arrow::array::{ArrayRef, Float64Array, Int64Array, PrimitiveArray, StringArray};
use arrow::datatypes::{ArrowPrimitiveType, UInt8Type, UInt16Type, UInt32Type, UInt64Type};
use bytes::Bytes;
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use martlet_engine::arrow;
use martlet_engine::encoding::{
    CodeFilter, EncodedPage, Encoding, Page, PageKind, ZoneMap, encode, encode_as, encode_codes,
};
use martlet_engine::types::DataType;

const ROWS: u32 = 65_536;

fn random(row: u32) -> u64 {
    let mixed = u64::from(row + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    (mixed ^ mixed >> 29).wrapping_mul(0xBF58_476D_1CE4_E5B9).rotate_left(31)
}

fn open(page: EncodedPage, kind: PageKind) -> Page {
    Page::open(Bytes::from(page.bytes), page.encoding, kind, 65_536).expect("what was encoded")
}

/// Pages of `width` bits in lanes of `T`, decoded whole.
fn unpack_lanes<T>(criterion: &mut Criterion, data_type: DataType, widths: &[u32])
where
    T: ArrowPrimitiveType<Native: TryFrom<u64, Error: std::fmt::Debug>>,
{
    let mut group = criterion.benchmark_group(format!("unpack/{data_type}"));
    group.throughput(Throughput::Elements(u64::from(ROWS)));
    for &width in widths {
        let value = |row| {
            let value = random(row) & (u64::MAX >> (64 - width));
            T::Native::try_from(value).expect("masked to the width")
        };
        let array = PrimitiveArray::<T>::from_iter_values((0..ROWS).map(value));
        let page = encode_as(&array, data_type, Encoding::FrameOfReference);
        let page = page.expect("a valid array").expect("integers have a frame");
        let page = open(page, PageKind::Values(data_type));
        group.bench_function(BenchmarkId::from_parameter(width), |bencher| {
            bencher.iter(|| {
                for start in (0..65_536).step_by(2_048) {
                    black_box(page.decode(start..start + 2_048).expect("what was encoded"));
                }
            });
        });
    }
}

fn unpack(criterion: &mut Criterion) {
    unpack_lanes::<UInt8Type>(criterion, DataType::UInt8, &[1, 3, 8]);
    unpack_lanes::<UInt16Type>(criterion, DataType::UInt16, &[1, 7, 11, 16]);
    unpack_lanes::<UInt32Type>(criterion, DataType::UInt32, &[1, 7, 13, 25, 32]);
    unpack_lanes::<UInt64Type>(criterion, DataType::UInt64, &[1, 7, 13, 25, 47, 64]);
}

/// Pages that suit each encoding.
fn samples() -> Vec<(&'static str, Encoding, DataType, ArrayRef)> {
    let int = |value: &dyn Fn(u32) -> u64| -> ArrayRef {
        Arc::new(Int64Array::from_iter_values((0..ROWS).map(|row| value(row).cast_signed())))
    };
    let constant = int(&|_| 7);
    let runs = int(&|row| u64::from(row) / 100 * 7);
    let frame = int(&|row| random(row) % 1_000_000);
    let outliers = int(&|row| if row % 97 == 0 { random(row) } else { random(row) % 1_000 });
    let ascending = int(&|row| u64::from(row) * 1_000 + random(row) % 1_000);
    let sparse = int(&|row| if row % 29 == 0 { random(row) % 100_000 } else { 0 });
    let mostly_null: ArrayRef = Arc::new(
        (0..ROWS)
            .map(|row| row.is_multiple_of(29).then(|| (random(row) % 100_000).cast_signed()))
            .collect::<Int64Array>(),
    );
    let half_null: ArrayRef = Arc::new(
        (0..ROWS)
            .map(|row| (random(row) & 3 != 0).then(|| (random(row) >> 44).cast_signed()))
            .collect::<Int64Array>(),
    );
    let raw = int(&random);
    let prices: ArrayRef = Arc::new(Float64Array::from_iter_values(
        (0..ROWS).map(|row| f64::from(u16::try_from(random(row) >> 48).unwrap_or(0)) / 100.0),
    ));
    let text: ArrayRef = Arc::new(StringArray::from_iter_values(
        (0..ROWS).map(|row| format!("https://example.org/{:x}?q={row}", random(row) >> 30)),
    ));
    vec![
        ("constant", Encoding::Constant, DataType::Int64, constant),
        ("run_length", Encoding::RunLength, DataType::Int64, runs),
        ("frame", Encoding::FrameOfReference, DataType::Int64, frame),
        ("frame_with_exceptions", Encoding::FrameOfReference, DataType::Int64, outliers),
        ("delta", Encoding::Delta, DataType::Int64, ascending),
        ("sparse", Encoding::Sparse, DataType::Int64, sparse),
        ("sparse_null", Encoding::Sparse, DataType::Int64, mostly_null),
        ("frame_with_null", Encoding::FrameOfReference, DataType::Int64, half_null),
        ("raw", Encoding::Raw, DataType::Int64, raw),
        ("alp", Encoding::Alp, DataType::Float64, prices),
        ("text", Encoding::Text, DataType::Utf8, text),
    ]
}

fn encodings(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("encode");
    group.throughput(Throughput::Elements(u64::from(ROWS)));
    for (name, encoding, data_type, array) in samples() {
        let page = encode(&array, data_type).expect("a valid array");
        assert_eq!(page.encoding, encoding, "{name}");
        group.bench_function(name, |bencher| {
            bencher.iter(|| black_box(encode(&array, data_type).expect("a valid array")));
        });
    }
    let codes: Vec<u32> =
        (0..ROWS).map(|row| u32::try_from(random(row) >> 50).unwrap_or(0)).collect();
    group.bench_function("codes", |bencher| bencher.iter(|| black_box(encode_codes(&codes))));
    group.finish();

    let mut group = criterion.benchmark_group("decode");
    group.throughput(Throughput::Elements(u64::from(ROWS)));
    for (name, _, data_type, array) in samples() {
        let page = encode(&array, data_type).expect("a valid array");
        let page = open(page, PageKind::Values(data_type));
        group.bench_function(name, |bencher| {
            bencher.iter(|| black_box(page.decode(0..65_536).expect("what was encoded")));
        });
    }
    let page = open(encode_codes(&codes), PageKind::Codes);
    let mut target = Vec::new();
    group.bench_function("codes", |bencher| {
        bencher.iter(|| {
            target.clear();
            page.decode_codes(0..65_536, &mut target).expect("what was encoded");
            black_box(&target);
        });
    });
    group.finish();

    let mut group = criterion.benchmark_group("take_one_in_100");
    group.throughput(Throughput::Elements(656));
    let rows: Vec<u32> = (0..ROWS).step_by(100).collect();
    for (name, _, data_type, array) in samples() {
        let page = encode(&array, data_type).expect("a valid array");
        let page = open(page, PageKind::Values(data_type));
        group.bench_function(name, |bencher| {
            bencher.iter(|| black_box(page.take(&rows).expect("what was encoded")));
        });
    }
    group.finish();

    let mut group = criterion.benchmark_group("zone_map");
    group.throughput(Throughput::Elements(u64::from(ROWS)));
    for (name, _, data_type, array) in samples() {
        group.bench_function(name, |bencher| {
            bencher.iter(|| black_box(ZoneMap::of(&array, data_type)));
        });
    }
    group.finish();
}

/// Tests of whole pages into bits.
fn filters(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("filter");
    group.throughput(Throughput::Elements(u64::from(ROWS)));
    for (name, encoding, data_type, array) in samples() {
        if matches!(encoding, Encoding::Alp | Encoding::Text) {
            continue;
        }
        let page = encode(&array, data_type).expect("a valid array");
        let page = open(page, PageKind::Values(data_type));
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                let mut rows = vec![u64::MAX; 1_024];
                page.filter_integers(&[(10, 500)], false, &mut rows).expect("what was encoded");
                black_box(rows)
            });
        });
    }
    let codes: Vec<u32> =
        (0..ROWS).map(|row| u32::try_from(random(row) >> 50).unwrap_or(0)).collect();
    let page = open(encode_codes(&codes), PageKind::Codes);
    let table = vec![0x5555_5555_0F0F_FF00; 256];
    group.bench_function("listed_codes", |bencher| {
        bencher.iter(|| {
            let mut rows = vec![u64::MAX; 1_024];
            page.filter_codes(CodeFilter::Table(&table), &mut rows).expect("what was encoded");
            black_box(rows)
        });
    });
    group.finish();
}

criterion_group!(benches, unpack, encodings, filters);
criterion_main!(benches);
