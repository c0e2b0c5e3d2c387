//! Dictionaries against their naive twins: sorted sets and plain vectors.

#![expect(clippy::result_large_err, reason = "proptest's own error type")]

use std::collections::BTreeSet;
use std::ops::Bound;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, DictionaryArray, Int32Array, StringArray};
use arrow::datatypes::Int32Type;
use bytes::Bytes;
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

use super::*;
use crate::context::CancelToken;
use crate::types::{DataType, Result, Value};

/// A column as a naive engine keeps it, beside its dictionary, codes and maps.
struct Column {
    data_type: DataType,
    policy: MergePolicy,
    dictionary: Option<Arc<Dictionary>>,
    runs: Vec<EncodedRun>,
    row_groups: Vec<(Vec<Value>, Vec<u32>, CodeMap)>,
}

#[derive(Debug)]
struct MemorySpool;

impl SectionSpool for MemorySpool {
    fn store(&self, section: &[u8]) -> Result<Arc<dyn SpooledSection>> {
        Ok(Arc::new(Spooled(section.to_vec())))
    }
}

#[derive(Debug)]
struct Spooled(Vec<u8>);

impl SpooledSection for Spooled {
    fn read(&self) -> Result<Bytes> {
        Ok(self.0.clone().into())
    }
}

impl Column {
    fn new(data_type: DataType, policy: MergePolicy) -> Column {
        Column { data_type, policy, dictionary: None, runs: Vec::new(), row_groups: Vec::new() }
    }

    /// Appends row groups in one load.
    fn load(&mut self, row_groups: &[Vec<Value>]) -> Result<()> {
        let cancel = CancelToken::default();
        let mut growth =
            Growth::new(self.data_type, self.dictionary.clone()).with_spool(&MemorySpool, 40);
        let mut all_codes = Vec::new();
        for rows in row_groups {
            let mut builder = LocalBuilder::new(self.data_type, rows.len());
            for rows in rows.chunks(3) {
                builder.push(&array_of(rows, self.data_type))?;
            }
            let local = builder.finish();
            let counted: u32 = local.counts().iter().sum();
            assert_eq!(index(counted) + local.null_count, rows.len());
            all_codes.push(growth.add(local, &cancel)?);
        }
        let grown = growth.finish(&self.policy, &cancel)?;
        match grown.change {
            Change::None => {}
            Change::Run(run) => self.runs.push(run),
            Change::Generation { run, new_ids } => {
                self.runs = vec![run];
                for (_, _, map) in &mut self.row_groups {
                    *map = map.translate(&new_ids)?;
                }
            }
        }
        for ((rows, (code_count, codes)), map) in row_groups.iter().zip(all_codes).zip(grown.maps) {
            assert_eq!(map.ids().len(), index(code_count));
            let stored = CodeMap::from_bytes(map.to_bytes()?.into())?;
            assert_eq!(stored, map);
            self.row_groups.push((rows.clone(), codes, stored));
        }
        self.reopen()
    }

    fn reopen(&mut self) -> Result<()> {
        let runs: Result<Vec<Run>> =
            self.runs.iter().map(|run| Run::from_encoded(self.data_type, run.clone())).collect();
        self.dictionary = if self.runs.is_empty() {
            None
        } else {
            Some(Arc::new(Dictionary::new(self.data_type, runs?)?))
        };
        Ok(())
    }

    fn merge_on_demand(&mut self) -> Result<()> {
        let Some(dictionary) = &self.dictionary else { return Ok(()) };
        let (run, new_ids) = dictionary.merged(None, None, &CancelToken::default())?;
        self.runs = vec![run];
        for (_, _, map) in &mut self.row_groups {
            *map = map.translate(&new_ids)?;
        }
        self.reopen()
    }

    /// Everything that the dictionary can be asked, asked.
    fn check(&self) -> Result<()> {
        let mut distinct: Vec<Value> = Vec::new();
        for (rows, _, _) in &self.row_groups {
            distinct.extend(rows.iter().filter(|value| !value.is_null()).cloned());
        }
        distinct.sort_by(Value::order);
        distinct.dedup();
        let Some(dictionary) = &self.dictionary else {
            assert!(distinct.is_empty());
            return Ok(());
        };
        assert_eq!(index(dictionary.len()), distinct.len());
        self.check_ranks(dictionary, &distinct)?;
        for (rows, codes, map) in &self.row_groups {
            check_row_group(dictionary, rows, codes, map, self.data_type)?;
        }
        self.check_ranges(dictionary, &distinct)
    }

    fn check_ranks(&self, dictionary: &Dictionary, distinct: &[Value]) -> Result<()> {
        let ids: Vec<u32> = (0..dictionary.len()).collect();
        let values = dictionary.values(&ids)?;
        assert_eq!(values.data_type(), &self.data_type.to_arrow());
        for id in ids {
            let value = Value::from_array(&values, self.data_type, index(id));
            let rank = index(dictionary.rank(id)?);
            assert_eq!(distinct[rank], value);
            assert_eq!(dictionary.find(&value)?, Some(id));
        }
        assert_eq!(dictionary.ranks()?.is_none(), dictionary.run_count() == 1);
        let mut next_id = 0;
        dictionary.for_each_piece(|chunk| {
            assert_eq!(chunk.first_id, next_id);
            next_id += u32::try_from(chunk.len()).unwrap();
            assert_eq!(chunk.values()?.len(), chunk.len());
            Ok(())
        })?;
        assert_eq!(next_id, dictionary.len());
        Ok(())
    }

    fn check_ranges(&self, dictionary: &Dictionary, distinct: &[Value]) -> Result<()> {
        let step = (distinct.len() / 7).max(1);
        for lower in distinct.iter().step_by(step) {
            for upper in distinct.iter().rev().step_by(step) {
                let ranges =
                    dictionary.id_ranges(Bound::Excluded(lower), Bound::Included(upper))?;
                assert_eq!(ranges.len(), dictionary.run_count());
                let expected = distinct
                    .iter()
                    .filter(|value| value.order(lower).is_gt() && value.order(upper).is_le());
                let found: usize = ranges.iter().map(|range| index(range.end - range.start)).sum();
                assert_eq!(found, expected.count());
                for (rows, codes, map) in &self.row_groups {
                    let ranges = map.code_ranges(&ranges);
                    for (value, code) in rows.iter().zip(codes) {
                        let inside = ranges.iter().any(|range| range.contains(code));
                        let expected = !value.is_null()
                            && value.order(lower).is_gt()
                            && value.order(upper).is_le();
                        assert_eq!(inside, expected);
                    }
                }
            }
        }
        Ok(())
    }
}

fn check_row_group(
    dictionary: &Dictionary,
    rows: &[Value],
    codes: &[u32],
    map: &CodeMap,
    data_type: DataType,
) -> Result<()> {
    assert_eq!(rows.len(), codes.len());
    let values = dictionary.values(map.ids())?;
    for (value, code) in rows.iter().zip(codes) {
        if value.is_null() {
            assert_eq!(index(*code), map.ids().len());
            continue;
        }
        assert_eq!(&Value::from_array(&values, data_type, index(*code)), value);
        assert_eq!(map.code_of(map.ids()[index(*code)]), Some(*code));
    }
    Ok(())
}

fn index(code: u32) -> usize {
    usize::try_from(code).unwrap()
}

fn array_of(rows: &[Value], data_type: DataType) -> ArrayRef {
    let arrays: Vec<ArrayRef> =
        rows.iter().map(|value| value.to_array(data_type, 1).unwrap()).collect();
    let arrays: Vec<&dyn Array> = arrays.iter().map(|array| &**array).collect();
    arrow::compute::concat(&arrays).unwrap()
}

fn texts() -> impl Strategy<Value = Value> {
    option::weighted(
        0.9,
        prop_oneof![
            "[ab]{0,3}",
            "https://[a-c]{0,2}",
            ".{0,8}",
            Just("x".repeat(40) + "y"),
            Just("x".repeat(41))
        ],
    )
    .prop_map(|text| text.map_or(Value::Null, Value::Text))
}

fn numbers() -> impl Strategy<Value = Value> {
    option::weighted(0.9, prop_oneof![-20_i128..20, any::<i32>().prop_map(i128::from)])
        .prop_map(|number| number.map_or(Value::Null, Value::Int))
}

fn floats() -> impl Strategy<Value = Value> {
    option::weighted(
        0.9,
        prop_oneof![Just(-0.0), Just(0.0), Just(f64::NAN), Just(-f64::NAN), -2.0..2.0],
    )
    .prop_map(|number| number.map_or(Value::Null, Value::Float))
}

type Loads = Vec<Vec<Vec<Value>>>;

fn loads(value: impl Strategy<Value = Value>) -> impl Strategy<Value = Loads> {
    vec(vec(vec(value, 1..20), 1..4), 1..12)
}

fn check_loads(loads: &Loads, data_type: DataType, policy: MergePolicy) -> Result<()> {
    let mut column = Column::new(data_type, policy);
    for row_groups in loads {
        column.load(row_groups)?;
        column.check()?;
    }
    column.merge_on_demand()?;
    assert!(column.dictionary.as_ref().is_none_or(|dictionary| dictionary.run_count() == 1));
    column.check()
}

/// Appends keep their runs until there are eight.
const LAZY: MergePolicy = MergePolicy { runs_max: RUNS_MAX, tail_percent_max: u32::MAX };

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn texts_survive_appends_and_merges(loads in loads(texts())) {
        check_loads(&loads, DataType::Utf8, LAZY).unwrap();
        check_loads(&loads, DataType::Utf8, MergePolicy::default()).unwrap();
    }

    #[test]
    fn numbers_survive_appends_and_merges(loads in loads(numbers())) {
        check_loads(&loads, DataType::Int32, LAZY).unwrap();
        check_loads(&loads, DataType::Decimal { precision: 20, scale: 3 }, LAZY).unwrap();
    }

    #[test]
    fn floats_survive_appends_and_merges(loads in loads(floats())) {
        check_loads(&loads, DataType::Float64, LAZY).unwrap();
    }
}

fn counted(count: u32, data_type: DataType) -> Vec<Value> {
    (0..count)
        .map(|number| match data_type {
            // Odd multiples of an odd number pass every value of 32 bits once.
            DataType::Utf8 => Value::Text(format!("{:08x}", number.wrapping_mul(0x9e37_79b1))),
            _ => Value::Int(i128::from(number.wrapping_mul(0x9e37_79b1))),
        })
        .collect()
}

#[test]
fn counts_around_the_widths_of_codes_are_no_edge() -> Result<()> {
    for data_type in [DataType::Utf8, DataType::Int64] {
        for count in [1, 255, 256, 257] {
            let mut column = Column::new(data_type, LAZY);
            column.load(&[counted(count, data_type)])?;
            column.load(&[counted(count + 2, data_type)])?;
            column.check()?;
        }
        for count in [65_535, 65_536, 65_537] {
            let mut builder = LocalBuilder::new(data_type, 0);
            let mut rows = Vec::new();
            for value in counted(count, data_type).chunks(8_192) {
                rows.push(bulk_array(value, data_type)?);
                builder.push(&rows[rows.len() - 1])?;
            }
            let cancel = CancelToken::default();
            let mut growth = Growth::new(data_type, None);
            let (code_count, codes) = growth.add(builder.finish(), &cancel)?;
            let grown = growth.finish(&LAZY, &cancel)?;
            let Change::Run(run) = grown.change else { panic!("a first load adds a run") };
            let dictionary = Dictionary::new(data_type, vec![Run::from_encoded(data_type, run)?])?;
            assert_eq!((code_count, dictionary.len()), (count, count));
            let map = CodeMap::from_bytes(grown.maps[0].to_bytes()?.into())?;
            let ids: Vec<u32> = codes.iter().map(|code| map.ids()[index(*code)]).collect();
            let arrays: Vec<&dyn Array> = rows.iter().map(|array| &**array).collect();
            assert_eq!(&dictionary.values(&ids)?, &arrow::compute::concat(&arrays)?);
        }
    }
    Ok(())
}

fn bulk_array(values: &[Value], data_type: DataType) -> Result<ArrayRef> {
    let text = |value: &Value| match value {
        Value::Text(text) => text.clone(),
        Value::Int(number) => number.to_string(),
        other => panic!("{other:?}"),
    };
    let texts: ArrayRef = Arc::new(StringArray::from_iter_values(values.iter().map(text)));
    Ok(arrow::compute::cast(&texts, &data_type.to_arrow())?)
}

#[test]
fn the_empty_text_is_not_null() -> Result<()> {
    let rows = [Some(""), None, Some("a"), Some(""), None]
        .map(|text| text.map_or(Value::Null, |text| Value::Text(text.into())));
    let mut column = Column::new(DataType::Utf8, LAZY);
    column.load(&[rows.to_vec()])?;
    column.check()?;
    assert_eq!(column.row_groups[0].1, [0, 2, 1, 0, 2]);
    Ok(())
}

#[test]
fn a_row_group_of_nulls_has_an_empty_map() -> Result<()> {
    let mut column = Column::new(DataType::Utf8, LAZY);
    column.load(&[vec![Value::Null; 5]])?;
    assert!(column.dictionary.is_none());
    assert_eq!(column.row_groups[0].1, [0; 5]);
    column.load(&[vec![Value::Text("a".into()), Value::Null]])?;
    column.load(&[vec![Value::Null; 2]])?;
    column.check()
}

#[test]
fn values_of_one_type_each_survive() -> Result<()> {
    let zoned = DataType::Timestamp { unit: crate::types::TimeUnit::Nanosecond, zoned: true };
    let cases = [
        (DataType::Binary, vec![Value::Bytes(vec![255, 0]), Value::Bytes(vec![]), Value::Null]),
        (DataType::Uuid, vec![Value::Uuid([9; 16]), Value::Uuid([1; 16]), Value::Null]),
        (DataType::Date, vec![Value::Int(-3), Value::Int(19_000)]),
        (zoned, vec![Value::Int(-3), Value::Int(19_000), Value::Null]),
        (DataType::UInt64, vec![Value::Int(u64::MAX.into()), Value::Int(0)]),
        (DataType::Float32, vec![Value::Float(1.5), Value::Float(f64::NAN), Value::Float(-0.0)]),
    ];
    for (data_type, rows) in cases {
        check_loads(&vec![vec![rows.clone()], vec![rows]], data_type, LAZY)?;
    }
    Ok(())
}

#[test]
fn rows_of_a_source_dictionary_get_the_codes_of_their_values() -> Result<()> {
    let values: ArrayRef =
        Arc::new(StringArray::from(vec![Some("b"), None, Some("a"), Some("unused"), Some("b")]));
    let keys = |keys: Vec<Option<i32>>| -> Result<ArrayRef> {
        Ok(Arc::new(DictionaryArray::<Int32Type>::try_new(
            Int32Array::from(keys),
            Arc::clone(&values),
        )?))
    };
    let mut builder = LocalBuilder::new(DataType::Utf8, 8);
    builder.push(&keys(vec![Some(0), Some(1), None])?)?;
    builder.push(&keys(vec![Some(4), Some(2)])?)?;
    builder.push(&(Arc::new(StringArray::from(vec!["a", "c"])) as ArrayRef))?;
    assert_eq!(builder.null_count(), 2);
    let (sorted, codes) = builder.finish().into_codes(None);
    assert_eq!(codes, [1, 3, 3, 1, 0, 0, 2]);
    assert_eq!(sorted.len(), 3);
    Ok(())
}

#[test]
fn texts_that_do_not_repeat_are_read_back() -> Result<()> {
    let rows: ArrayRef = Arc::new(StringArray::from(vec![Some("x"), None, Some(""), Some("yy")]));
    let mut builder = LocalBuilder::new(DataType::Utf8, 4);
    builder.push(&rows)?;
    assert_eq!(&builder.rows(1..4)?, &rows.slice(1, 3));
    Ok(())
}

#[test]
fn a_search_between_long_shared_prefixes_opens_what_decides() -> Result<()> {
    // Values of 30 KB that differ in their last bytes only: two to a piece, all prefixes equal.
    let texts: BTreeSet<String> =
        (0..40).map(|number| format!("{}{number:03}", "p".repeat(30_000))).collect();
    let mut writer = RunWriter::new(DataType::Utf8, None);
    for text in &texts {
        writer.push(Key::Bytes(text.as_bytes()))?;
    }
    let run = Run::from_encoded(DataType::Utf8, writer.finish(&[])?)?;
    assert!(run.chunk_count() > 10);
    for (position, text) in (0..).zip(&texts) {
        assert_eq!(run.search(Key::Bytes(text.as_bytes()))?, (position, true));
        let after = format!("{text}!");
        assert_eq!(run.search(Key::Bytes(after.as_bytes()))?, (position + 1, false));
    }
    assert_eq!(run.search(Key::Bytes(b""))?, (0, false));
    assert_eq!(run.search(Key::Bytes(b"q"))?, (40, false));
    Ok(())
}

#[test]
fn damaged_directories_and_maps_are_refused() -> Result<()> {
    let mut column = Column::new(DataType::Utf8, LAZY);
    column.load(&[counted(50, DataType::Utf8)])?;
    let run = &column.runs[0];
    let directory = run.sections[0].bytes()?;
    for cut in 0..directory.len() {
        let mut sections = run.sections.clone();
        sections[0] = Section::Memory(directory.slice(..cut));
        let damaged = EncodedRun { value_count: run.value_count, sections };
        let opened = Run::from_encoded(DataType::Utf8, damaged);
        assert!(opened.is_err() || cut >= 28, "cut at {cut}");
    }
    let map = column.row_groups[0].2.to_bytes()?;
    for cut in 0..map.len() {
        assert!(CodeMap::from_bytes(map[..cut].to_vec().into()).is_err(), "cut at {cut}");
    }
    assert!(Run::from_encoded(DataType::Int64, run.clone()).is_err());
    assert!(Run::from_encoded(DataType::Bool, run.clone()).is_err());
    Ok(())
}

#[test]
fn runs_merge_when_they_are_many_or_long() {
    let policy = MergePolicy::default();
    assert!(!policy.merges(&[100, 10]));
    assert!(policy.merges(&[100, 10, 1]));
    assert!(!policy.merges(&[1_000; 1]));
    assert!(!policy.merges(&[1_000, 1, 1, 1, 1, 1, 1, 1]));
    assert!(policy.merges(&[1_000, 1, 1, 1, 1, 1, 1, 1, 1]));
}
