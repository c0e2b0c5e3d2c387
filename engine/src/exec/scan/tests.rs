//! Scans of tables held in lists: every representation, small pages, deletions, old row groups.
#![expect(
    clippy::result_large_err,
    clippy::from_iter_instead_of_collect,
    reason = "proptest's error type; what is collected shows at the start"
)]

use std::ops::{Bound, ControlFlow, Range};
use std::sync::atomic::{AtomicU64, Ordering};

use arrow::array::{ArrayRef, AsArray, Int32Array, StringArray, UInt32Array};
use arrow::compute::take;
use arrow::datatypes::Int32Type;
use proptest::prelude::*;
use roaring::RoaringBitmap;

use super::view::{ChunkView, CodesView, DictionaryView, PageView};
use super::*;
use crate::catalog::FieldId;
use crate::encoding::CodeFilter;
use crate::exec::source::TopBound;
use crate::plan::{Comparison, Expr, ScanColumn};
use crate::types::{DataType, Value};
use crate::vector::{Batch, CodeIds, DistinctValues, IdOrder, Selection};

const WORDS: [&str; 6] = ["cherry", "apple", "fig", "banana", "date", "elder"];
const PAGE_LEN: u32 = 7;

/// Texts in two runs, so that ids need ranks.
#[derive(Debug)]
struct Words(StringArray, Vec<u32>);

impl DistinctValues for Words {
    fn data_type(&self) -> DataType {
        DataType::Utf8
    }

    fn id_count(&self) -> u32 {
        6
    }

    fn values(&self, ids: &[u32]) -> Result<ArrayRef> {
        Ok(take(&self.0, &UInt32Array::from(ids.to_vec()), None)?)
    }

    fn order(&self) -> Result<IdOrder<'_>> {
        Ok(IdOrder::ByRank(&self.1))
    }
}

impl DictionaryView for Words {
    fn find(&self, value: &Value) -> Result<Option<u32>> {
        let text =
            |value: &Value| if let Value::Text(t) = value { t.clone() } else { String::new() };
        Ok((0_u32..).zip(WORDS).find(|(_, word)| *word == text(value)).map(|(id, _)| id))
    }

    fn id_ranges(&self, lower: Bound<&Value>, upper: Bound<&Value>) -> Result<Vec<Range<u32>>> {
        let inside = |word: &str| {
            let word = Value::Text(word.to_owned());
            let above = match lower {
                Bound::Unbounded => true,
                Bound::Included(value) => word.order(value).is_ge(),
                Bound::Excluded(value) => word.order(value).is_gt(),
            };
            above
                && match upper {
                    Bound::Unbounded => true,
                    Bound::Included(value) => word.order(value).is_le(),
                    Bound::Excluded(value) => word.order(value).is_lt(),
                }
        };
        Ok((0_u32..).zip(WORDS).filter(|(_, w)| inside(w)).map(|(id, _)| id..id + 1).collect())
    }
}

#[derive(Debug)]
struct Codes(Vec<u32>);

impl CodeIds for Codes {
    fn ids(&self) -> &[u32] {
        &self.0
    }
}

impl CodesView for Codes {
    fn code_of(&self, id: u32) -> Option<u32> {
        (0_u32..).zip(&self.0).find(|(_, other)| **other == id).map(|(code, _)| code)
    }

    fn code_ranges(&self, id_ranges: &[Range<u32>]) -> Vec<Range<u32>> {
        (0_u32..)
            .zip(&self.0)
            .filter(|(_, id)| id_ranges.iter().any(|range| range.contains(id)))
            .map(|(code, _)| code..code + 1)
            .collect()
    }

    fn into_ids(self: Arc<Self>) -> Arc<dyn CodeIds> {
        self
    }
}

#[derive(Debug)]
struct Chunk {
    values: Vec<Value>,
    data_type: DataType,
    codes: Option<(Arc<Codes>, Vec<u32>)>,
}

fn zone(values: &[Value]) -> Zone {
    let mut valid: Vec<&Value> = values.iter().filter(|value| !value.is_null()).collect();
    valid.sort_by(|a, b| a.order(b));
    Zone {
        row_count: values.len() as u64,
        null_count: (values.len() - valid.len()) as u64,
        min: valid.first().map(|value| (*value).clone()),
        max: valid.last().map(|value| (*value).clone()),
        bounds_exact: true,
        sum: None,
    }
}

impl Chunk {
    fn rows(&self, page: usize) -> Range<usize> {
        let start = page * PAGE_LEN as usize;
        start..self.values.len().min(start + PAGE_LEN as usize)
    }
}

impl ChunkView for Chunk {
    fn zone(&self) -> Zone {
        zone(&self.values)
    }

    fn page_zone(&self, page: usize) -> Zone {
        zone(&self.values[self.rows(page)])
    }

    fn page_codes(&self, page: usize) -> Option<(u32, u32)> {
        let codes = &self.codes.as_ref()?.1[self.rows(page)];
        Some((*codes.iter().min()?, *codes.iter().max()?))
    }

    fn codes(&self) -> Result<Option<Arc<dyn CodesView>>> {
        Ok(self.codes.as_ref().map(|(codes, _)| Arc::clone(codes) as Arc<dyn CodesView>))
    }

    fn page(&self, page: usize) -> Result<Arc<dyn PageView>> {
        let rows = self.rows(page);
        Ok(Arc::new(Page {
            array: array(&self.values[rows.clone()], self.data_type),
            codes: self.codes.as_ref().map(|(_, codes)| codes[rows].to_vec()),
        }))
    }
}

fn array(values: &[Value], data_type: DataType) -> ArrayRef {
    match data_type {
        DataType::Utf8 => Arc::new(StringArray::from_iter(
            values.iter().map(|value| if let Value::Text(t) = value { Some(t) } else { None }),
        )),
        _ => Arc::new(Int32Array::from_iter(
            values
                .iter()
                .map(|v| if let Value::Int(i) = v { i32::try_from(*i).ok() } else { None }),
        )),
    }
}

#[derive(Debug)]
struct Page {
    array: ArrayRef,
    codes: Option<Vec<u32>>,
}

impl PageView for Page {
    fn bytes_len(&self) -> u64 {
        1_000
    }

    fn values(&self, rows: &Selection) -> Result<ArrayRef> {
        assert!(self.codes.is_none(), "codes are not decoded by pages");
        Ok(take(&self.array, &UInt32Array::from(rows.to_rows()), None)?)
    }

    fn codes(&self, rows: &Selection) -> Result<Vec<u32>> {
        let codes = self.codes.as_ref().expect("a page of codes");
        Ok(rows.to_rows().iter().map(|row| codes[*row as usize]).collect())
    }

    fn filter_codes(&self, filter: CodeFilter<'_>, rows: &mut [u64]) -> Result<()> {
        let codes = self.codes.as_ref().expect("a page of codes");
        let passes = |code: u32| match filter {
            CodeFilter::Ranges(ranges) => ranges.iter().any(|range| range.contains(&code)),
            CodeFilter::Table(table) => table[code as usize / 64] >> (code % 64) & 1 == 1,
        };
        for (row, code) in codes.iter().enumerate().filter(|(_, code)| !passes(**code)) {
            assert!(*code < 7, "row {row}");
            rows[row / 64] &= !(1 << (row % 64));
        }
        Ok(())
    }

    fn filter_integers(&self, ranges: &[(i128, i128)], null: bool, rows: &mut [u64]) -> Result<()> {
        for (row, value) in self.array.as_primitive::<Int32Type>().iter().enumerate() {
            let inside = |value: i32| {
                ranges.iter().any(|(low, high)| (*low..=*high).contains(&i128::from(value)))
            };
            if !value.map_or(null, inside) {
                rows[row / 64] &= !(1 << (row % 64));
            }
        }
        Ok(())
    }
}

#[derive(Debug)]
struct RowGroup {
    columns: Vec<Column>,
    rows: Vec<Vec<Value>>,
    deletions: Arc<RoaringBitmap>,
}

#[derive(Debug)]
struct Table(Vec<RowGroup>);

impl TableView for Table {
    fn field_count(&self) -> usize {
        3
    }

    fn page_len(&self) -> u32 {
        PAGE_LEN
    }

    fn row_group_count(&self) -> usize {
        self.0.len()
    }

    fn row_count(&self, row_group: usize) -> u32 {
        u32::try_from(self.0[row_group].rows.len()).expect("tests are small")
    }

    fn deletions(&self, row_group: usize) -> Result<Option<Arc<RoaringBitmap>>> {
        Ok(Some(Arc::clone(&self.0[row_group].deletions)))
    }

    fn dictionary(&self, field: FieldId) -> Result<Option<Arc<dyn DictionaryView>>> {
        let words = || Words(StringArray::from(WORDS.to_vec()), vec![2, 0, 5, 1, 3, 4]);
        Ok((field.0 == 1).then(|| Arc::new(words()) as Arc<dyn DictionaryView>))
    }

    fn chunk(&self, row_group: usize, field: FieldId) -> Result<Column> {
        Ok(self.0[row_group].columns[field.0 as usize].clone())
    }
}

#[derive(Clone, Debug)]
struct Recipe {
    rows: Vec<(Option<i32>, Option<usize>, Option<i32>)>,
    as_codes: bool,
    old: bool,
    deleted: Vec<u32>,
}

fn row_group(recipe: &Recipe) -> RowGroup {
    let word = |word: &Option<usize>| word.map_or(Value::Null, |w| Value::Text(WORDS[w].into()));
    let int = |int: Option<i32>| int.map_or(Value::Null, |int| Value::Int(int.into()));
    let rows: Vec<Vec<Value>> = recipe
        .rows
        .iter()
        .map(|(a, b, c)| vec![int(*a), word(b), if recipe.old { Value::Int(3) } else { int(*c) }])
        .collect();
    let column = |index: usize| rows.iter().map(|row| row[index].clone()).collect::<Vec<Value>>();
    let codes = recipe.as_codes.then(|| {
        // Codes of the words that occur, run by run: ids 0, 2, 4 then 1, 3, 5.
        let used = |id: &u32| recipe.rows.iter().any(|row| row.1 == Some(*id as usize));
        let ids: Vec<u32> = [1, 3, 0, 4, 5, 2].into_iter().filter(used).collect();
        let null = u32::try_from(ids.len()).expect("at most 6");
        let code =
            |id: usize| (0_u32..).zip(&ids).find(|(_, i)| **i as usize == id).expect("used").0;
        let codes = recipe.rows.iter().map(|row| row.1.map_or(null, code)).collect();
        (Arc::new(Codes(ids.clone())), codes)
    });
    let stored = |index: usize, data_type, codes| {
        Column::Stored(Arc::new(Chunk { values: column(index), data_type, codes }))
    };
    let last =
        if recipe.old { Column::Constant(Value::Int(3)) } else { stored(2, DataType::Int32, None) };
    let len = u32::try_from(rows.len()).expect("tests are small");
    RowGroup {
        columns: vec![stored(0, DataType::Int32, None), stored(1, DataType::Utf8, codes), last],
        deletions: Arc::new(recipe.deleted.iter().copied().filter(|row| *row < len).collect()),
        rows,
    }
}

fn scan_columns() -> Vec<ScanColumn> {
    let types = [DataType::Int32, DataType::Utf8, DataType::Int32];
    (0_u32..)
        .zip(types)
        .map(|(id, data_type)| ScanColumn { field: FieldId(id), name: format!("c{id}"), data_type })
        .collect()
}

fn batch_rows(batch: &Batch, types: &[DataType]) -> Result<Vec<Vec<Value>>> {
    let arrays =
        batch.columns().iter().map(crate::vector::Vector::decode).collect::<Result<Vec<_>>>()?;
    let row = |row: usize| {
        arrays
            .iter()
            .zip(types)
            .map(|(a, data_type)| Value::from_array(a, *data_type, row))
            .collect()
    };
    Ok((0..batch.len()).map(row).collect())
}

fn collect(source: &dyn Source, types: &[DataType], context: &Context) -> Result<Vec<Vec<Value>>> {
    let mut rows = Vec::new();
    for morsel in 0..source.morsel_count() {
        source.run(morsel, context, &mut |batch| {
            assert!(!batch.is_empty() && batch.len() <= context.batch_len);
            rows.extend(batch_rows(&batch, types)?);
            Ok(ControlFlow::Continue(()))
        })?;
    }
    Ok(rows)
}

fn compare(column: usize, op: Comparison, value: Value) -> Expr {
    let data_type = if column == 1 { DataType::Utf8 } else { DataType::Int32 };
    Expr::Compare {
        op,
        left: Box::new(Expr::column(column, data_type)),
        right: Box::new(Expr::literal(value, data_type)),
    }
}

fn recipes() -> impl Strategy<Value = Vec<Recipe>> {
    let row = (
        prop::option::weighted(0.9, 0_i32..9),
        prop::option::weighted(0.9, 0_usize..6),
        prop::option::weighted(0.8, 0_i32..5),
    );
    let recipe = (
        prop::collection::vec(row, 0..30),
        any::<bool>(),
        prop::bool::weighted(0.2),
        prop::collection::vec(0_u32..40, 0..6),
    );
    let recipe =
        recipe.prop_map(|(rows, as_codes, old, deleted)| Recipe { rows, as_codes, old, deleted });
    prop::collection::vec(recipe, 0..4)
}

fn filters() -> impl Strategy<Value = Vec<Expr>> {
    use Comparison::{Distinct, Equal, Greater, GreaterOrEqual, Less, LessOrEqual, NotEqual};
    let op = prop::sample::select(vec![
        Equal,
        NotEqual,
        Less,
        LessOrEqual,
        Greater,
        GreaterOrEqual,
        Distinct,
    ]);
    let word = prop::sample::select(vec!["apple", "bat", "fig", "date", "zoo", ""]);
    let on_text =
        (op.clone(), word).prop_map(|(op, word)| compare(1, op, Value::Text(word.into())));
    let on_int = (prop::sample::select(vec![0_usize, 2]), op, -1_i128..10)
        .prop_map(|(column, op, value)| compare(column, op, Value::Int(value)));
    let null = (0_usize..3).prop_map(|column| {
        let data_type = if column == 1 { DataType::Utf8 } else { DataType::Int32 };
        Expr::IsNull(Box::new(Expr::column(column, data_type)))
    });
    let list = prop::collection::vec(0_i128..9, 0..6).prop_map(|list| Expr::InList {
        input: Box::new(Expr::column(0, DataType::Int32)),
        list: list.into_iter().map(Value::Int).collect(),
    });
    let one = prop_oneof![on_text, on_int, null, list];
    let negated = one.clone().prop_map(|expr| Expr::Not(Box::new(expr)));
    prop::collection::vec(prop_oneof![3 => one, 1 => negated], 0..4)
}

fn check(recipes: &[Recipe], filter: &[Expr], batch_len: usize) -> Result<()> {
    let table = Table(recipes.iter().map(row_group).collect());
    let types = [DataType::Int32, DataType::Utf8, DataType::Int32, DataType::UInt64];
    let passes = |row: &Vec<Value>| {
        filter.iter().all(|predicate| {
            let (column, set) = ValueSet::of(predicate).expect("one column");
            set.contains(&row[column])
        })
    };
    let mut expected = Vec::new();
    for (index, row_group) in table.0.iter().enumerate() {
        for (number, row) in (0_u32..).zip(&row_group.rows) {
            if !row_group.deletions.contains(number) && passes(row) {
                let address = (index as i128) << 32 | i128::from(number);
                expected.push((row.clone(), address));
            }
        }
    }
    let context = Context { batch_len, ..Context::new() };
    let stats = Arc::new(OperatorStats::new("scan", 0));
    let columns = scan_columns();
    let scan = TableScan::open(&table, (&columns, 3), filter, &context, &stats)?;
    let rows = collect(&scan, &types[..3], &context)?;
    assert_eq!(rows, expected.iter().map(|(row, _)| row.clone()).collect::<Vec<_>>());

    let scan = scan.with_addresses(vec![1]);
    let rows = collect(&scan, &[DataType::Utf8, DataType::UInt64], &context)?;
    let mut addresses: Vec<u64> = Vec::new();
    for (row, (values, address)) in rows.iter().zip(&expected) {
        assert_eq!(row, &[values[1].clone(), Value::Int(*address)]);
        addresses.push(address.unsigned_abs().try_into().unwrap_or(u64::MAX));
    }
    let open = || TableScan::open(&table, (&columns, 3), filter, &context, &stats);
    check_bounds(&open, &expected, &context)?;
    addresses.reverse();
    let fetched = scan.fetch(&[2, 1, 0], &addresses)?;
    let fetched = batch_rows(
        &Batch::new(fetched, addresses.len()),
        &[DataType::Int32, DataType::Utf8, DataType::Int32],
    )?;
    let reversed: Vec<Vec<Value>> = expected
        .iter()
        .rev()
        .map(|(row, _)| vec![row[2].clone(), row[1].clone(), row[0].clone()])
        .collect();
    assert_eq!(fetched, reversed);
    Ok(())
}

/// Under a sort's bound a scan gives all rows that are not behind it, and perhaps others.
fn check_bounds(
    open: &dyn Fn() -> Result<TableScan>,
    expected: &[(Vec<Value>, i128)],
    context: &Context,
) -> Result<()> {
    let threshold = Arc::new(AtomicU64::new(u64::MAX));
    for (descending, nulls_first) in [(false, false), (false, true), (true, false), (true, true)] {
        let scan = open()?.with_addresses(vec![0]);
        let shared = Arc::clone(&threshold);
        scan.follow(TopBound { column: 0, descending, nulls_first, threshold: shared });
        for limit in [0_i64, 3, 8] {
            let prefix = limit.cast_unsigned() ^ (1 << 63);
            let prefix = if descending { prefix ^ u64::MAX } else { prefix };
            threshold.store(prefix, Ordering::Relaxed);
            let order = scan.morsel_order().expect("integers have a bound");
            assert_eq!(order.len(), scan.morsel_count());
            let found = collect(&scan, &[DataType::Int32, DataType::UInt64], context)?;
            let wanted = expected.iter().filter(|(row, _)| match &row[0] {
                Value::Int(value) if descending => *value >= i128::from(limit),
                Value::Int(value) => *value <= i128::from(limit),
                _ => nulls_first,
            });
            let wanted: Vec<Vec<Value>> =
                wanted.map(|(row, address)| vec![row[0].clone(), Value::Int(*address)]).collect();
            assert_eq!(found, wanted, "{limit} {descending} {nulls_first}");
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(80))]

    #[test]
    fn a_scan_gives_the_rows_that_pass_in_order(
        recipes in recipes(),
        filter in filters(),
        batch_len in prop_oneof![Just(1_usize), Just(3), Just(2_048)],
    ) {
        check(&recipes, &filter, batch_len).map_err(|error| TestCaseError::fail(error.to_string()))?;
    }
}

#[test]
fn row_groups_without_a_value_are_pruned_by_the_dictionary() -> Result<()> {
    let recipe = |word: usize| Recipe {
        rows: (0..20).map(|row| (Some(row), Some(word), None)).collect(),
        as_codes: true,
        old: false,
        deleted: Vec::new(),
    };
    let table = Table([0, 1, 2, 1].iter().map(|word| row_group(&recipe(*word))).collect());
    let context = Context::new();
    let stats = Arc::new(OperatorStats::new("scan", 0));
    let filter = [compare(1, Comparison::Equal, Value::Text("apple".into()))];
    let scan = TableScan::open(&table, (&scan_columns(), 1), &filter, &context, &stats)?;
    assert_eq!(collect(&scan, &[DataType::Int32], &context)?.len(), 40);
    let profile = stats.profile().scan.expect("a scan");
    assert_eq!((profile.row_groups_pruned, profile.row_groups_total), (2, 4));
    // The filter is proven true in the others: only the column given out is read.
    assert_eq!((profile.columns_read.len(), profile.columns_total), (1, 3));
    assert_eq!((profile.pages_read, profile.bytes_read), (6, 6_000));
    Ok(())
}

#[test]
fn pages_outside_a_range_are_not_read() -> Result<()> {
    let rows = (0..70).map(|row| (Some(row), Some(0), Some(row))).collect();
    let recipe = Recipe { rows, as_codes: false, old: false, deleted: vec![36] };
    let table = Table(vec![row_group(&recipe)]);
    let context = Context::new();
    let stats = Arc::new(OperatorStats::new("scan", 0));
    let filter = [
        compare(0, Comparison::GreaterOrEqual, Value::Int(35)),
        compare(0, Comparison::Less, Value::Int(40)),
    ];
    let scan = TableScan::open(&table, (&scan_columns(), 1), &filter, &context, &stats)?;
    assert_eq!(collect(&scan, &[DataType::Int32], &context)?.len(), 4);
    assert_eq!(stats.profile().scan.expect("a scan").pages_read, 1);
    Ok(())
}
