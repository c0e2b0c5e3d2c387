//! Runs one kernel so often over a page of 65,536 rows, for counting its instructions.
//!
//! `kernel` lists the names, `kernel NAME TIMES` runs one. `martlet-bench instructions` counts the
//! instructions of few and of many runs; the difference is the kernel's alone.
#![expect(clippy::print_stdout, reason = "an example prints")]

use std::error::Error;
use std::hint::black_box;
use std::sync::Arc;

use bytes::Bytes;
use martlet_engine::arrow::array::{ArrayRef, Float64Array, Int64Array, StringArray};
use martlet_engine::encoding::{
    CodeFilter, EncodedPage, Encoding, Page, PageKind, ZoneMap, encode, encode_codes,
};
use martlet_engine::types::{DataType, Result};

const ROWS: u32 = 65_536;
const LEN: usize = 65_536;

/// A kernel with its page.
type Kernel = Box<dyn Fn() -> Result<()>>;

fn main() -> std::result::Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let kernels = kernels()?;
    let Some(name) = arguments.next() else {
        for (name, _) in kernels {
            println!("{name}");
        }
        return Ok(());
    };
    let times: u32 = arguments.next().ok_or("how many times?")?.parse()?;
    let kernel = kernels.iter().find(|(kernel, _)| *kernel == name);
    let (_, run) = kernel.ok_or_else(|| format!("no kernel {name}"))?;
    for _ in 0..times {
        run()?;
    }
    Ok(())
}

fn kernels() -> Result<Vec<(&'static str, Kernel)>> {
    let mut kernels = Vec::new();
    for (names, encoding, array) in columns() {
        let data_type = DataType::from_arrow(array.data_type()).expect("a type of ours");
        let page = encode(&array, data_type)?;
        assert_eq!(page.encoding, encoding, "{}", names.0);
        let page = open(page, PageKind::Values(data_type))?;
        let source = Arc::clone(&array);
        kernels.push((names.0, decode(page.clone())));
        kernels.push((names.1, take(page)));
        kernels.push((names.2, statistics(source, data_type)));
    }
    let integers: ArrayRef = Arc::new(integers(|row| (random(row) % 1_000_000).cast_signed()));
    let page = open(encode(&integers, DataType::Int64)?, PageKind::Values(DataType::Int64))?;
    kernels.push((
        "filter/integers",
        Box::new(move || {
            let mut rows = vec![u64::MAX; LEN / 64];
            page.filter_integers(&[(100_000, 300_000)], false, &mut rows)?;
            black_box(rows);
            Ok(())
        }),
    ));
    let codes: Vec<u32> = (0..ROWS).map(|row| low_u32(random(row) >> 51)).collect();
    let page = open(encode_codes(&codes), PageKind::Codes)?;
    kernels.push(("decode/codes", decode_codes(page.clone())));
    kernels.push(("filter/codes_by_range", filter_codes(page.clone(), true)));
    kernels.push(("filter/codes_by_table", filter_codes(page, false)));
    Ok(kernels)
}

/// Names of decoding, taking and statistics; the encoding that suits; the values.
type Column = ((&'static str, &'static str, &'static str), Encoding, ArrayRef);

fn columns() -> Vec<Column> {
    let prices = (0..ROWS).map(|row| f64::from(low_u32(random(row) >> 48)) / 100.0);
    let texts = (0..ROWS).map(|row| format!("https://example.org/{:x}?q={row}", random(row) >> 30));
    vec![
        (
            ("decode/frame", "take/frame", "zone_map/frame"),
            Encoding::FrameOfReference,
            Arc::new(integers(|row| (random(row) % 1_000_000).cast_signed())),
        ),
        (
            ("decode/delta", "take/delta", "zone_map/delta"),
            Encoding::Delta,
            Arc::new(integers(|row| i64::from(row) * 1_000 + (random(row) % 1_000).cast_signed())),
        ),
        (
            ("decode/run_length", "take/run_length", "zone_map/run_length"),
            Encoding::RunLength,
            Arc::new(integers(|row| i64::from(row) / 100 * 7)),
        ),
        (
            ("decode/alp", "take/alp", "zone_map/alp"),
            Encoding::Alp,
            Arc::new(Float64Array::from_iter_values(prices)),
        ),
        (
            ("decode/text", "take/text", "zone_map/text"),
            Encoding::Text,
            Arc::new(StringArray::from_iter_values(texts)),
        ),
    ]
}

fn decode(page: Page) -> Kernel {
    Box::new(move || {
        black_box(page.decode(0..LEN)?);
        Ok(())
    })
}

/// Every hundredth row; the count is per row of the page all the same.
fn take(page: Page) -> Kernel {
    let rows: Vec<u32> = (0..ROWS).step_by(100).collect();
    Box::new(move || {
        black_box(page.take(&rows)?);
        Ok(())
    })
}

fn statistics(array: ArrayRef, data_type: DataType) -> Kernel {
    Box::new(move || {
        black_box(ZoneMap::of(&array, data_type));
        Ok(())
    })
}

fn decode_codes(page: Page) -> Kernel {
    Box::new(move || {
        let mut codes = Vec::with_capacity(LEN);
        page.decode_codes(0..LEN, &mut codes)?;
        black_box(codes);
        Ok(())
    })
}

/// A quarter of the codes, as a range or as every fourth.
fn filter_codes(page: Page, as_range: bool) -> Kernel {
    let table = vec![0x1111_1111_1111_1111_u64; 8_192 / 64];
    let range = 1_000..3_048;
    Box::new(move || {
        let mut rows = vec![u64::MAX; LEN / 64];
        let ranges = [range.clone()];
        let filter = if as_range { CodeFilter::Ranges(&ranges) } else { CodeFilter::Table(&table) };
        page.filter_codes(filter, &mut rows)?;
        black_box(rows);
        Ok(())
    })
}

fn open(page: EncodedPage, kind: PageKind) -> Result<Page> {
    Page::open(Bytes::from(page.bytes), page.encoding, kind, LEN)
}

fn integers(value: impl Fn(u32) -> i64) -> Int64Array {
    Int64Array::from_iter_values((0..ROWS).map(value))
}

fn random(row: u32) -> u64 {
    let mixed = u64::from(row + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    (mixed ^ mixed >> 29).wrapping_mul(0xBF58_476D_1CE4_E5B9).rotate_left(31)
}

fn low_u32(value: u64) -> u32 {
    u32::try_from(value & u64::from(u32::MAX)).expect("masked")
}
