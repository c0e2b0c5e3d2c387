//! The worked examples of FORMAT.md: tiny pages, byte for byte. A change here is a change of format.

use std::fmt::Write;
use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray, Float64Array, Int16Array, StringArray};

use super::*;
use crate::types::DataType;

/// Hex digits, 16 bytes a line with their offset; lines of zeros are left out.
fn hex(bytes: &[u8]) -> String {
    let mut text = String::new();
    for (line_idx, line) in bytes.chunks(16).enumerate() {
        if line_idx > 0 && line.iter().all(|byte| *byte == 0) {
            continue;
        }
        write!(text, "{:04x} ", line_idx * 16).unwrap();
        for byte in line {
            write!(text, " {byte:02x}").unwrap();
        }
        text.push('\n');
    }
    writeln!(text, "{:04x}  end", bytes.len()).unwrap();
    text
}

fn check(name: &str, expected: &str) -> Result<()> {
    let ints = |values: &[Option<i16>]| -> (ArrayRef, DataType) {
        (Arc::new(Int16Array::from(values.to_vec())), DataType::Int16)
    };
    let few = ints(&[Some(100), Some(103), None, Some(101)]);
    let runs = ints(&[Some(-5), Some(-5), Some(-5), Some(9), Some(9)]);
    let (encoding, (array, data_type)) = match name {
        "constant" => (Encoding::Constant, ints(&[Some(7), None, Some(7)])),
        "run_length" => (Encoding::RunLength, runs),
        "frame" => (Encoding::FrameOfReference, few),
        "delta" => (Encoding::Delta, ints(&[Some(100), Some(110), Some(121)])),
        "sparse" => (Encoding::Sparse, ints(&[Some(1), Some(1), Some(300), Some(1)])),
        "raw" => (Encoding::Raw, ints(&[Some(1), Some(-2)])),
        "alp" => (
            Encoding::Alp,
            (
                Arc::new(Float64Array::from(vec![1.25, 99.5, f64::INFINITY])) as ArrayRef,
                DataType::Float64,
            ),
        ),
        "bitmap" => (
            Encoding::Bitmap,
            (Arc::new(BooleanArray::from(vec![true, false, true])) as ArrayRef, DataType::Bool),
        ),
        _ => (
            Encoding::Text,
            (Arc::new(StringArray::from(vec!["ab", "", "cé"])) as ArrayRef, DataType::Utf8),
        ),
    };
    let page = encode_as(&array, data_type, encoding)?.expect("the encoding holds the values");
    let found = hex(&page.bytes);
    assert!(found == expected, "{name}:\n{found}");
    Ok(())
}

#[test]
fn constant_example() -> Result<()> {
    check(
        "constant",
        "\
0000  02 00 00 00 01 00 00 00 05 00 00 00 00 00 00 00
0010  07 00 00 00 00 00 00 00
0018  end
",
    )
}

#[test]
fn run_length_example() -> Result<()> {
    check(
        "run_length",
        "\
0000  00 00 00 00 00 00 00 00 02 00 00 00 00 00 00 00
0010  02 00 04 00 00 00 00 00 01 01 00 00 01 00 00 00
0020  fb ff 00 00 00 00 00 00 00 01 00 00 00 00 00 00
0040  01 00 0e 00 00 00 00 00
0048  end
",
    )
}

#[test]
fn frame_example() -> Result<()> {
    check(
        "frame",
        "\
0000  02 00 00 00 01 00 00 00 0b 00 00 00 00 00 00 00
0010  01 00 00 00 00 00 00 00 64 00 00 00 00 00 00 00
0020  02 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00
0040  00 03 00 01 00 00 00 00 00 00 00 00 00 00 00 00
00c0  end
",
    )
}

#[test]
fn delta_example() -> Result<()> {
    check(
        "delta",
        "\
0000  00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00
0010  64 00 00 00 00 00 00 00 01 00 00 00 00 00 00 00
0020  0a 00 00 00 00 00 00 00 01 00 00 00 00 00 00 00
0040  00 00 01 00 00 00 00 00 00 00 00 00 00 00 00 00
00c0  end
",
    )
}

#[test]
fn sparse_example() -> Result<()> {
    check(
        "sparse",
        "\
0000  00 00 00 00 00 00 00 00 00 00 00 00 01 00 00 00
0010  01 00 00 00 00 00 00 00 02 00 00 00 00 00 00 00
0020  00 00 00 00 00 00 00 00 2c 01 00 00 00 00 00 00
0040  end
",
    )
}

#[test]
fn raw_example() -> Result<()> {
    check(
        "raw",
        "\
0000  00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00
0040  01 00 fe ff 00 00 00 00
0048  end
",
    )
}

#[test]
fn alp_example() -> Result<()> {
    check(
        "alp",
        "\
0000  00 00 00 00 00 00 00 00 02 00 00 00 01 00 00 00
0010  02 00 00 00 00 00 00 00 00 00 00 00 00 00 f0 7f
0020  02 02 00 00 02 00 00 00 7d 00 00 00 00 00 00 00
0030  00 02 00 00 00 00 00 00 00 00 00 00 00 00 00 00
0040  01 00 02 00 61 26 61 26
0048  end
",
    )
}

#[test]
fn bitmap_example() -> Result<()> {
    check(
        "bitmap",
        "\
0000  00 00 00 00 00 00 00 00 05 00 00 00 00 00 00 00
0010  end
",
    )
}

#[test]
fn text_example() -> Result<()> {
    check(
        "text",
        "\
0000  00 00 00 00 00 00 00 00 01 00 00 00 00 00 00 00
0010  03 00 00 00 88 01 00 00 00 00 00 00 00 00 00 00
0040  0c 00 00 00 03 00 00 00 05 00 00 00 05 00 00 00
0050  01 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00
0060  02 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00
0080  02 00 03 00 00 00 00 00 00 00 00 00 00 00 00 00
0100  01 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00
0110  02 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00
0140  02 00 02 00 00 00 00 00 00 00 00 00 00 00 00 00
01c0  61 62 63 c3 a9 00 00 00
01c8  end
",
    )
}
