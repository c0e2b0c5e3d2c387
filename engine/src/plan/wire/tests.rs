//! Round trips, and bytes that are no scan.

use proptest::prelude::*;

use super::{MAGIC, ScanRequest, VERSION, checksum, codes};
use crate::catalog::{FieldId, TableId};
use crate::plan::{
    Comparison, DatePart, Expr, Function, LikePattern, Scan, ScanColumn, Source, compare, resolve,
};
use crate::types::{DataType, Interval, Result, TimeUnit, Value};

const TYPES: [DataType; 8] = [
    DataType::Int64,
    DataType::Utf8,
    DataType::Bool,
    DataType::Decimal { precision: 38, scale: 7 },
    DataType::Time(TimeUnit::Nanosecond),
    DataType::Timestamp { unit: TimeUnit::Second, zoned: false },
    DataType::Timestamp { unit: TimeUnit::Millisecond, zoned: true },
    DataType::Date,
];

fn request(filter: Vec<Expr>) -> ScanRequest {
    let columns: Vec<ScanColumn> = (0..)
        .zip(TYPES)
        .map(|(index, data_type)| ScanColumn {
            field: FieldId(index * 1000),
            name: format!("célula {index}"),
            data_type,
        })
        .collect();
    ScanRequest {
        database: "/data/sales.mart".into(),
        identity: [7; 16],
        snapshot: u64::MAX,
        row_groups: Some(vec![0, 7, u32::MAX]),
        scan: Scan {
            source: Source::Table { id: TableId(3), name: "orders".into() },
            output_count: columns.len() - 1,
            columns,
            filter,
        },
    }
}

fn column(index: usize) -> Expr {
    Expr::column(index, TYPES[index])
}

fn filters() -> Result<Vec<Expr>> {
    let int = |value| Expr::literal(Value::Int(value), DataType::Int64);
    let text = |value: &str| Expr::literal(Value::Text(value.into()), DataType::Utf8);
    let like = |escape, case_insensitive| Expr::Like {
        input: Box::new(column(1)),
        pattern: LikePattern { pattern: "%ä_".into(), escape, case_insensitive },
    };
    let month = resolve(Function::Extract(DatePart::Month), vec![column(7)])?;
    let step = Interval { months: -1, days: 2, nanoseconds: i64::MIN };
    let later = Expr::Call {
        function: Function::AddInterval,
        arguments: vec![column(5), Expr::literal(Value::Interval(step), DataType::Interval)],
        data_type: TYPES[5],
    };
    let case = Expr::Case {
        branches: vec![(like(None, true), int(1)), (column(2), int(i128::from(i64::MIN)))],
        otherwise: Some(Box::new(column(0))),
        data_type: DataType::Int64,
    };
    Ok(vec![
        column(2),
        compare(Comparison::Equal, month, int(3))?,
        compare(Comparison::Distinct, later, Expr::literal(Value::Null, TYPES[5]))?,
        compare(Comparison::GreaterOrEqual, case, int(0))?,
        Expr::And(vec![
            like(Some('\\'), false),
            Expr::Not(Box::new(Expr::IsNull(Box::new(column(3))))),
        ]),
        Expr::Or(Vec::new()),
        Expr::InList {
            input: Box::new(column(1)),
            list: vec![Value::Text(String::new()), Value::Null, Value::Text("x\0y".into())],
        },
        Expr::InList { input: Box::new(column(3)), list: vec![Value::Int(-(10_i128.pow(37)))] },
        compare(Comparison::Less, resolve(Function::Lower, vec![column(1)])?, text("b"))?,
        Expr::Cast { input: Box::new(text("true")), data_type: DataType::Bool, or_null: true },
        compare(
            Comparison::NotEqual,
            Expr::literal(Value::Float(-0.0), DataType::Float64),
            Expr::literal(Value::Float(f64::NAN), DataType::Float64),
        )?,
    ])
}

#[test]
fn a_scan_survives_its_bytes() -> Result<()> {
    let request = request(filters()?);
    assert_eq!(ScanRequest::from_bytes(&request.to_bytes()?)?, request);
    let parquet = ScanRequest {
        row_groups: None,
        scan: Scan {
            source: Source::Parquet {
                paths: vec!["a.parquet".into(), "b.parquet".into()],
                binary_as_string: true,
            },
            columns: Vec::new(),
            filter: Vec::new(),
            output_count: 0,
        },
        ..request
    };
    assert_eq!(ScanRequest::from_bytes(&parquet.to_bytes()?)?, parquet);
    Ok(())
}

#[test]
fn every_function_has_a_number_of_its_own() {
    let functions: Vec<Function> = (0..=u8::MAX).filter_map(codes::function).collect();
    for function in &functions {
        let code = codes::function_code(*function).expect("it was decoded");
        assert_eq!(codes::function(code), Some(*function));
    }
    assert_eq!(functions.len(), 69);
}

#[test]
fn cut_and_flipped_bytes_are_corrupt() -> Result<()> {
    let bytes = request(filters()?).to_bytes()?;
    for len in 0..bytes.len() {
        assert!(ScanRequest::from_bytes(&bytes[..len]).is_err(), "cut to {len}");
    }
    for bit in 0..bytes.len() * 8 {
        let mut flipped = bytes.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        assert!(ScanRequest::from_bytes(&flipped).is_err(), "bit {bit}");
    }
    Ok(())
}

/// Behind a right checksum, so that the reader itself has to notice.
fn sealed(body: &[u8]) -> Vec<u8> {
    let mut bytes = [&MAGIC[..], &[VERSION], body].concat();
    let checksum = checksum(&bytes);
    bytes.extend_from_slice(&checksum.to_le_bytes());
    bytes
}

#[test]
fn flipped_bytes_with_a_right_checksum_are_corrupt_or_another_scan() -> Result<()> {
    let bytes = request(filters()?).to_bytes()?;
    let body = &bytes[5..bytes.len() - 8];
    for index in 0..body.len() {
        for value in [0, 1, 0x7f, 0x80, 0xff, body[index] ^ 1] {
            let mut changed = body.to_vec();
            changed[index] = value;
            if let Ok(request) = ScanRequest::from_bytes(&sealed(&changed)) {
                assert_eq!(ScanRequest::from_bytes(&request.to_bytes()?)?, request);
            }
        }
    }
    Ok(())
}

#[test]
fn a_filter_that_is_too_deep_is_refused_on_both_sides() -> Result<()> {
    let mut deep = column(2);
    for _ in 0..super::DEPTH_MAX {
        deep = Expr::Not(Box::new(deep));
    }
    assert!(request(vec![deep]).to_bytes().is_err());
    let shallow = request(vec![column(2)]).to_bytes()?;
    let end = shallow.len() - 8;
    // The filter is the last expression: its kind, index and type.
    let column_bytes = &shallow[end - 3..end];
    let deep = vec![codes::kind::EXPR_NOT; 100_000];
    let body = [&shallow[5..end - 3], &deep, column_bytes].concat();
    assert!(ScanRequest::from_bytes(&sealed(&body)).is_err());
    Ok(())
}

proptest! {
    #[test]
    #[expect(clippy::result_large_err, reason = "proptest's error")]
    fn arbitrary_bytes_are_never_a_panic(body in proptest::collection::vec(any::<u8>(), 0..200)) {
        // With a right checksum the bytes are read: a panic is what fails here.
        let _read = ScanRequest::from_bytes(&sealed(&body));
        prop_assert!(ScanRequest::from_bytes(&body).is_err());
    }
}
