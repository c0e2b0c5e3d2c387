//! Every pair of types beside arrow's own cast.

use arrow::array::{
    BooleanArray, Date64Array, DictionaryArray, DurationSecondArray, FixedSizeBinaryArray,
    Float64Array, Int32Array, LargeBinaryArray, LargeStringArray, NullArray, StringArray,
    StringViewArray, UInt64Array,
};
use arrow::compute::{can_cast_types, cast as arrows};
use arrow::datatypes::{Int32Type, IntervalUnit, TimeUnit as Unit};

use super::*;

const UNITS: [Unit; 4] = [Unit::Second, Unit::Millisecond, Unit::Microsecond, Unit::Nanosecond];

fn whole_numbers() -> Vec<ArrowType> {
    use ArrowType::{Int8, Int16, Int32, Int64, UInt8, UInt16, UInt32, UInt64};
    vec![Int8, Int16, Int32, Int64, UInt8, UInt16, UInt32, UInt64]
}

fn decimals() -> Vec<ArrowType> {
    [(38, 0), (38, 20), (20, 2), (10, 2), (9, 4), (5, 5), (3, 0)]
        .map(|(precision, scale)| ArrowType::Decimal128(precision, scale))
        .to_vec()
}

fn times() -> Vec<ArrowType> {
    let mut types = vec![ArrowType::Date32, ArrowType::Date64];
    types.extend(UNITS.map(|unit| ArrowType::Timestamp(unit, None)));
    types.extend(UNITS.map(|unit| ArrowType::Timestamp(unit, Some("+00:00".into()))));
    types.extend([ArrowType::Time32(Unit::Second), ArrowType::Time32(Unit::Millisecond)]);
    types.extend([ArrowType::Time64(Unit::Microsecond), ArrowType::Time64(Unit::Nanosecond)]);
    types
}

/// Every third is NULL; bounds of the integers, and numbers between.
fn edges() -> Int64Array {
    let mut values: Vec<i64> = (0..63).flat_map(|bits| [1 << bits, -(1 << bits)]).collect();
    values.extend((0..63).map(|bits| (1 << bits) - 1));
    values.extend([0, i64::MAX, i64::MIN, 86_399, 86_400, -86_401, 49, 50, 51, -50, 99_999]);
    let rows = values.iter().enumerate();
    rows.map(|(row, value)| (row % 3 != 2).then_some(*value)).collect()
}

fn fractions() -> Float64Array {
    let whole = edges();
    #[expect(clippy::cast_precision_loss, reason = "any double will do")]
    let near = whole.iter().map(|value| value.map(|value| value as f64 + 0.5));
    let odd = [0.005, -0.005, 2.675, 1e19, -1e19, 1e300, 1e-300, f64::NAN, f64::INFINITY, -0.0];
    near.chain(odd.map(Some)).collect()
}

fn same(array: &dyn Array, to: &ArrowType) -> Result<()> {
    if array.data_type() == to || !can_cast_types(array.data_type(), to) {
        return Ok(());
    }
    let ours = cast(array, to)?;
    assert_eq!(&ours, &arrows(array, to)?, "{} to {to}", array.data_type());
    assert_eq!(cast_all(array, to).is_ok(), ours.null_count() == array.logical_null_count());
    Ok(())
}

#[test]
fn numbers_are_cast_as_arrow_casts_them() -> Result<()> {
    let (whole, fractions) = (edges(), fractions());
    let mut sources: Vec<ArrayRef> = vec![shared(fractions.clone()), shared(whole.slice(5, 90))];
    for data_type in whole_numbers() {
        sources.push(arrows(&whole, &data_type)?);
    }
    sources.push(Arc::new(UInt64Array::from(vec![Some(u64::MAX), None, Some(1 << 63), Some(5)])));
    sources.push(Arc::new(BooleanArray::from(vec![Some(true), None, Some(false)])));
    for data_type in decimals() {
        sources.push(arrows(&whole, &data_type)?);
        sources.push(arrows(&fractions, &data_type)?);
    }
    let more = [
        ArrowType::Decimal32(9, 2),
        ArrowType::Decimal64(18, 3),
        ArrowType::Decimal256(38, 2),
        ArrowType::Float16,
        ArrowType::Float32,
    ];
    for data_type in more {
        sources.push(arrows(&fractions, &data_type)?);
    }
    let mut targets = whole_numbers();
    targets.extend([ArrowType::Float32, ArrowType::Float64, ArrowType::Boolean]);
    targets.extend(decimals());
    for source in &sources {
        for target in &targets {
            same(source, target)?;
        }
    }
    Ok(())
}

#[test]
fn times_are_cast_as_arrow_casts_them() -> Result<()> {
    let whole = edges();
    let mut sources: Vec<ArrayRef> = vec![
        Arc::new(DurationSecondArray::from(vec![Some(-5), None, Some(i64::MAX)])),
        Arc::new(Date64Array::from(vec![Some(86_400_000), None, Some(-1), Some(1)])),
        Arc::new(whole.clone()),
        arrows(&whole, &ArrowType::Int32)?,
    ];
    for data_type in times() {
        // Of times that are none of a day, arrow keeps some bits.
        let of_a_day = |value: i64| (0..86_400).contains(&value).then_some(value);
        let values = match data_type {
            ArrowType::Time32(_) | ArrowType::Time64(_) => whole.unary_opt(of_a_day),
            _ => whole.clone(),
        };
        let narrow = arrows(&values, &ArrowType::Int32)?;
        let (short, long) = (arrows(&narrow, &data_type), arrows(&values, &data_type));
        sources.push(short.or(long)?);
    }
    let mut targets = times();
    targets.extend([ArrowType::Int32, ArrowType::Int64]);
    for source in &sources {
        for target in &targets {
            // A time of day is none of a day, nor a number an hour; arrow gives its own answers.
            if different(source.data_type(), target) {
                continue;
            }
            same(source, target)?;
        }
    }
    Ok(())
}

#[test]
fn days_that_a_timestamp_does_not_hold_become_null() -> Result<()> {
    let days = cast(&Int32Array::from(vec![1, -1, i32::MAX]), &ArrowType::Date32)?;
    for (unit, per_day, is_lost) in [
        (Unit::Second, 86_400, false),
        (Unit::Microsecond, 86_400_000_000, true),
        (Unit::Nanosecond, 86_400_000_000_000, true),
    ] {
        let ticks = cast(&days, &ArrowType::Timestamp(unit, Some("UTC".into())))?;
        let ticks = cast(&ticks, &ArrowType::Int64)?;
        let ticks: &Int64Array = ticks.as_primitive();
        assert_eq!(
            (ticks.value(0), ticks.value(1), ticks.is_null(2)),
            (per_day, -per_day, is_lost)
        );
    }
    Ok(())
}

/// Pairs that SQL casts by itself.
fn different(from: &ArrowType, to: &ArrowType) -> bool {
    use ArrowType::{Date32, Date64, Int32, Int64, Time32, Time64, Timestamp};
    // The day before 1970 is not 1970-01-01, as arrow has it for Date64.
    let cuts = matches!((from, to), (Date64, Date32));
    // Arrow multiplies unchecked, and its calendar ends after 262,000 years.
    let ends = matches!(
        (from, to),
        (Date32 | Date64, Timestamp(..)) | (Timestamp(_, None), Timestamp(_, Some(_)))
    );
    let is_other = matches!(
        (from, to),
        (Timestamp(..) | Date64 | Date32, Time32(_) | Time64(_))
            | (Int32, Date64 | Timestamp(..) | Time64(_))
            | (Int64, Time32(_))
    );
    cuts || ends || is_other
}

#[test]
fn texts_and_bytes_lose_their_layout_only() -> Result<()> {
    let long = LargeStringArray::from(vec![Some("ab"), None, Some(""), Some("häuser")]);
    same(&long, &ArrowType::Utf8)?;
    same(&long.slice(1, 3), &ArrowType::Utf8)?;
    let views = StringViewArray::from_iter([Some("a text of more than twelve bytes"), None]);
    same(&views, &ArrowType::Utf8)?;
    let bytes = LargeBinaryArray::from(vec![Some(&b"\xff"[..]), None, Some(b"")]);
    same(&bytes.slice(1, 2), &ArrowType::Binary)?;
    same(&arrows(&bytes, &ArrowType::BinaryView)?, &ArrowType::Binary)?;
    same(&StringArray::from(vec![Some("a"), None]), &ArrowType::Binary)?;
    let fixed = FixedSizeBinaryArray::try_from_iter([[1, 2], [3, 4]].iter())?;
    same(&fixed, &ArrowType::Binary)
}

#[test]
fn dictionaries_runs_and_nulls_become_plain() -> Result<()> {
    let keys = Int32Array::from(vec![Some(1), None, Some(0), Some(2)]);
    let values = StringArray::from(vec![Some("a"), Some("b"), None]);
    let dictionary = DictionaryArray::<Int32Type>::new(keys.clone(), Arc::new(values));
    same(&dictionary, &ArrowType::Utf8)?;
    same(&dictionary.slice(1, 2), &ArrowType::Utf8)?;
    let numbers = DictionaryArray::new(keys, Arc::new(Int32Array::from(vec![300, 5, 7])));
    assert_eq!(cast(&numbers, &ArrowType::Int8)?.null_count(), 2);
    let ends = Int32Array::from(vec![2, 3, 7]);
    let runs = RunArray::try_new(&ends, &StringArray::from(vec![Some("x"), None, Some("y")]))?;
    same(&runs, &ArrowType::Utf8)?;
    let part = runs.slice(1, 4);
    let expected = StringArray::from(vec![Some("x"), None, Some("y"), Some("y")]);
    assert_eq!(cast(&part, &ArrowType::Utf8)?.as_string::<i32>(), &expected);
    same(&NullArray::new(3), &ArrowType::Date32)
}

#[test]
fn what_does_not_fit_is_told() {
    let message = |array: &dyn Array, to| cast_all(array, &to).unwrap_err().message().to_owned();
    let numbers = Int64Array::from(vec![Some(1), None, Some(300)]);
    assert_eq!(message(&numbers, ArrowType::Int8), "300 does not fit");
    let doubles = Float64Array::from(vec![1.0, 1e30]);
    assert_eq!(message(&doubles, ArrowType::Int64), "1e+30 does not fit");
    let texts = StringArray::from(vec!["a"]);
    assert!(message(&texts, ArrowType::Int64).contains("cannot be read"));
    let interval = ArrowType::Interval(IntervalUnit::MonthDayNano);
    assert!(cast(&numbers, &interval).is_err());
}
