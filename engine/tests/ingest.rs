//! Loads, appends, merges and reopens tables, and compares every column with what went in.
#![expect(clippy::unwrap_used, reason = "a test says what failed by panicking")]
#![expect(clippy::tests_outside_test_module, reason = "the whole file is a test")]

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, RecordBatch};
use martlet_engine::arrow;
use martlet_engine::catalog::{NewField, Table, TableId};
use martlet_engine::context::{Context, MemoryBudget};
use martlet_engine::ingest::{
    Appender, ColumnArrays, ColumnSource, LoadOptions, OrderKey, load, merge_dictionaries,
};
use martlet_engine::storage::{
    Backend, MappedBackend, MemoryBackend, PositionalBackend, StorageOptions, Store, TableSnapshot,
};
use martlet_engine::types::{DataType, ErrorKind, Result, TimeUnit, Value};
use roaring::RoaringBitmap;

/// Rows that differ by type and position, repeatable.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: u64) -> u64 {
        // Marsaglia's xorshift64.
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % bound
    }
}

fn types() -> Vec<DataType> {
    let zoned = DataType::Timestamp { unit: TimeUnit::Millisecond, zoned: true };
    vec![
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
        DataType::Decimal { precision: 30, scale: 4 },
        DataType::Date,
        DataType::Time(TimeUnit::Second),
        DataType::Time(TimeUnit::Nanosecond),
        DataType::TIMESTAMP,
        zoned,
        DataType::Utf8,
        DataType::Binary,
        DataType::Uuid,
    ]
}

/// One column per type that repeats its values, and one that hardly does.
fn fields() -> Vec<NewField> {
    let mut fields = Vec::new();
    for data_type in types() {
        for kind in ["few", "many"] {
            let name = format!("{kind} {data_type}");
            fields.push(NewField { name, data_type, nullable: true });
        }
    }
    fields.push(NewField { name: "row".into(), data_type: DataType::Int64, nullable: false });
    fields
}

/// Columns of few values drift: later rows bring new ones.
fn value(random: &mut Random, field: &NewField, row: usize) -> Value {
    let drift = u64::try_from(row / 100).unwrap();
    let few = field.name.starts_with("few");
    let number =
        if few { (drift + random.below(9)) * 1_000_000_007 } else { random.below(u64::MAX) };
    if random.below(7) == 0 {
        return Value::Null;
    }
    let float = f64::from(i32::try_from(number % 1_000_000).unwrap()) / 8.0;
    let int = |bound: u64| Value::Int(i128::from(number % bound));
    let mut bytes = [0; 16];
    bytes[..8].copy_from_slice(&number.to_le_bytes());
    match field.data_type {
        DataType::Bool => Value::Bool(number % 2 == 0),
        DataType::Int8 => Value::Int(i128::from(number % 256) - 128),
        DataType::UInt8 => int(256),
        DataType::Int16 => Value::Int(i128::from(number % 65_536) - 32_768),
        DataType::UInt16 => int(65_536),
        DataType::Int32 | DataType::Date => Value::Int(i128::from(number % (1 << 32)) - (1 << 31)),
        DataType::UInt32 => int(1 << 32),
        DataType::Time(TimeUnit::Second) => int(86_400),
        DataType::Time(_) => int(86_400_000_000_000),
        DataType::UInt64 => Value::Int(i128::from(number)),
        DataType::Float32 | DataType::Float64 => Value::Float(match number % 50 {
            0 => -0.0,
            1 => f64::NAN,
            2 => f64::NEG_INFINITY,
            _ => float,
        }),
        DataType::Decimal { .. } => Value::Int(i128::from(number) * -1_000_003),
        DataType::Utf8 if number % 5 == 0 => Value::Text(String::new()),
        DataType::Utf8 => Value::Text(format!("Größe {number}")),
        DataType::Binary => Value::Bytes(number.to_le_bytes()[..3].to_vec()),
        DataType::Uuid => Value::Uuid(bytes),
        _ => Value::Int(i128::from(number.cast_signed())),
    }
}

/// A table as a naive engine keeps it: rows of values.
type Rows = Vec<Vec<Value>>;

fn rows(random: &mut Random, fields: &[NewField], count: usize, first: usize) -> Rows {
    (first..first + count)
        .map(|row| {
            let (last, others) = fields.split_last().unwrap();
            assert_eq!(last.name, "row");
            let mut values: Vec<Value> =
                others.iter().map(|field| value(random, field, row)).collect();
            values.push(Value::Int(i128::try_from(row).unwrap()));
            values
        })
        .collect()
}

fn array(rows: &[Vec<Value>], column: usize, data_type: DataType) -> Result<ArrayRef> {
    let values: Result<Vec<ArrayRef>> =
        rows.iter().map(|row| row[column].to_array(data_type, 1)).collect();
    let values = values?;
    let values: Vec<&dyn Array> = values.iter().map(|array| &**array).collect();
    Ok(arrow::compute::concat(&values)?)
}

fn batch(rows: &[Vec<Value>], fields: &[NewField]) -> Result<RecordBatch> {
    let mut columns = Vec::new();
    for (column, field) in fields.iter().enumerate() {
        columns.push((&field.name, array(rows, column, field.data_type)?, field.nullable));
    }
    Ok(RecordBatch::try_from_iter_with_nullable(columns)?)
}

/// A source whose arrays end in odd places.
struct Source {
    fields: Vec<NewField>,
    columns: Vec<ArrayRef>,
    knows_its_rows: bool,
}

impl Source {
    fn new(rows: &[Vec<Value>], fields: &[NewField], knows_its_rows: bool) -> Result<Source> {
        let columns: Result<Vec<ArrayRef>> = fields
            .iter()
            .enumerate()
            .map(|(column, field)| array(rows, column, field.data_type))
            .collect();
        Ok(Source { fields: fields.to_vec(), columns: columns?, knows_its_rows })
    }
}

impl ColumnSource for Source {
    fn fields(&self) -> &[NewField] {
        &self.fields
    }

    fn row_count(&self) -> Option<u64> {
        self.knows_its_rows.then(|| u64::try_from(self.columns[0].len()).unwrap())
    }

    fn column(&self, index: usize, batch_len: usize) -> Result<ColumnArrays<'_>> {
        let column = Arc::clone(&self.columns[index]);
        let len = batch_len.min(37 + index);
        Ok(Box::new(
            (0..column.len())
                .step_by(len)
                .map(move |start| Ok(column.slice(start, len.min(column.len() - start)))),
        ))
    }
}

/// Every live row of a table, read the slow way.
fn read(table: &TableSnapshot) -> Result<Rows> {
    let mut rows = Vec::new();
    for row_group_idx in 0..table.row_group_count() {
        let deletions = table.deletions(row_group_idx)?;
        let row_count = table.row_group(row_group_idx).row_count;
        let mut columns = Vec::new();
        for position in 0..table.field_count() {
            columns.push(read_chunk(table, row_group_idx, position)?);
        }
        for row in 0..row_count {
            if !deletions.as_ref().is_some_and(|deletions| deletions.contains(row)) {
                let row = usize::try_from(row).unwrap();
                rows.push(columns.iter().map(|column| column[row].clone()).collect());
            }
        }
    }
    Ok(rows)
}

fn read_chunk(table: &TableSnapshot, row_group_idx: usize, position: usize) -> Result<Vec<Value>> {
    let field = table.field(position);
    let chunk = table.chunk(row_group_idx, field.id)?;
    let mut values = Vec::new();
    for page_idx in 0..chunk.page_count() {
        let page = chunk.page(page_idx)?;
        let rows = 0..page.row_count();
        if !chunk.is_codes() {
            let page = page.decode(rows.clone())?;
            values.extend(rows.map(|row| Value::from_array(&page, field.data_type, row)));
            continue;
        }
        let mut codes = Vec::new();
        page.decode_codes(rows, &mut codes)?;
        let dictionary = table.dictionary(field.id)?.expect("codes have a dictionary");
        let map = table.code_map(row_group_idx, field.id)?;
        assert_eq!(map.ids().len(), usize::try_from(chunk.code_count()).unwrap());
        let distinct = dictionary.values(map.ids())?;
        for code in codes {
            let code = usize::try_from(code).unwrap();
            values.push(if code < distinct.len() {
                Value::from_array(&distinct, field.data_type, code)
            } else {
                Value::Null
            });
        }
    }
    Ok(values)
}

fn check(store: &Arc<Store>, expected: &Rows) -> Result<()> {
    let table = store.snapshot()?.table("t")?.expect("the table is there");
    assert_eq!(table.row_count(), u64::try_from(expected.len()).unwrap());
    let found = read(&table)?;
    for (position, row) in found.iter().enumerate() {
        for (column, value) in row.iter().enumerate() {
            let field = table.field(column);
            assert_eq!(value, &expected[position][column], "row {position}, column {}", field.name);
        }
    }
    assert_eq!(found.len(), expected.len());
    Ok(())
}

fn small() -> StorageOptions {
    StorageOptions { row_group_len: 256, page_len: 64 }
}

fn threaded() -> Context {
    Context { worker_count: 3, ..Context::new() }
}

fn create(store: &Arc<Store>, fields: &[NewField]) -> Result<TableId> {
    let transaction = store.begin()?;
    let table = transaction.create_table("t", fields, &[])?;
    transaction.commit()?;
    Ok(table)
}

fn append(
    store: &Arc<Store>,
    table: TableId,
    source: &Source,
    options: &LoadOptions,
) -> Result<u64> {
    let transaction = store.begin()?;
    let report = load(&transaction, table, source, options, &threaded())?;
    transaction.commit()?;
    Ok(report.folded_row_count)
}

fn run_counts(store: &Arc<Store>) -> Result<Vec<usize>> {
    let table = store.snapshot()?.table("t")?.expect("the table is there");
    let mut counts = Vec::new();
    for position in 0..table.field_count() {
        let dictionary = table.dictionary(table.field(position).id)?;
        counts.push(dictionary.map_or(0, |dictionary| dictionary.run_count()));
    }
    Ok(counts)
}

/// Loads, appends, deletes, merges and reopens over one backend.
fn live_a_life(backend: &dyn Fn(bool) -> Result<Arc<dyn Backend>>, seed: u64) -> Result<()> {
    let mut random = Random(seed);
    let fields = fields();
    let mut store = Store::create(backend(true)?, small())?;
    let table = create(&store, &fields)?;
    let lazy = LoadOptions {
        merge_policy: martlet_engine::storage::dictionary::MergePolicy {
            tail_percent_max: u32::MAX,
            ..Default::default()
        },
        ..LoadOptions::default()
    };
    let mut expected = Rows::new();
    for (step, count) in [600, 300, 130, 1, 700].into_iter().enumerate() {
        let new = rows(&mut random, &fields, count, expected.len());
        let options = if step < 3 { &lazy } else { &LoadOptions::default() };
        append(&store, table, &Source::new(&new, &fields, step % 2 == 0)?, options)?;
        expected.extend(new);
        check(&store, &expected)?;
        if step == 1 {
            assert!(run_counts(&store)?.contains(&2), "an append adds a run");
            delete_every_seventh(&store, table, &mut expected)?;
            check(&store, &expected)?;
        }
        drop(store);
        store = Store::open(backend(false)?)?;
        check(&store, &expected)?;
    }
    let transaction = store.begin()?;
    merge_dictionaries(&transaction, table, None, &threaded())?;
    transaction.commit()?;
    assert!(run_counts(&store)?.iter().all(|runs| *runs <= 1));
    assert!(run_counts(&store)?.iter().filter(|runs| **runs == 1).count() > 5);
    check(&store, &expected)?;
    drop(store);
    check(&Store::open(backend(false)?)?, &expected)
}

fn delete_every_seventh(store: &Arc<Store>, table: TableId, expected: &mut Rows) -> Result<()> {
    let snapshot = store.snapshot()?.table_by_id(table)?.expect("the table is there");
    let transaction = store.begin()?;
    let mut row_number = 0_usize;
    let mut kept = Rows::new();
    for row_group_idx in 0..snapshot.row_group_count() {
        let mut deleted = RoaringBitmap::new();
        for row in 0..snapshot.row_group(row_group_idx).row_count {
            if row % 7 == 3 {
                deleted.insert(row);
            } else {
                kept.push(expected[row_number].clone());
            }
            row_number += 1;
        }
        transaction.delete_rows(table, row_group_idx, &deleted)?;
    }
    transaction.commit()?;
    *expected = kept;
    Ok(())
}

#[test]
fn a_table_survives_its_life_in_memory() -> Result<()> {
    for seed in 1..4 {
        let backend: Arc<dyn Backend> = Arc::new(MemoryBackend::new());
        live_a_life(&|_| Ok(Arc::clone(&backend)), seed)?;
    }
    Ok(())
}

#[test]
fn a_table_survives_its_life_in_mapped_files() -> Result<()> {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("t.mart");
    live_a_life(
        &|new| {
            let open = if new { MappedBackend::create } else { MappedBackend::open };
            Ok(Arc::new(open(&path)?))
        },
        11,
    )
}

#[test]
fn a_table_survives_its_life_in_files_read_by_position() -> Result<()> {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("t.mart");
    live_a_life(
        &|new| {
            let open = if new { PositionalBackend::create } else { PositionalBackend::open };
            Ok(Arc::new(open(&path)?))
        },
        12,
    )
}

#[test]
fn short_row_groups_are_folded_and_deleted_rows_stay_behind() -> Result<()> {
    let mut random = Random(5);
    let fields = fields();
    let store = Store::create(Arc::new(MemoryBackend::new()), small())?;
    let table = create(&store, &fields)?;
    let mut expected = rows(&mut random, &fields, 20, 0);
    append(&store, table, &Source::new(&expected, &fields, true)?, &LoadOptions::default())?;
    delete_every_seventh(&store, table, &mut expected)?;
    let new = rows(&mut random, &fields, 10, 20);
    let folded = append(&store, table, &Source::new(&new, &fields, true)?, &LoadOptions::default());
    assert_eq!(folded?, 17);
    expected.extend(new);
    check(&store, &expected)?;
    let snapshot = store.snapshot()?.table("t")?.expect("the table is there");
    assert_eq!((snapshot.row_group_count(), snapshot.row_group(0).deleted_count), (1, 0));
    Ok(())
}

#[test]
fn an_ordered_load_is_sorted_by_its_keys_and_stable() -> Result<()> {
    let mut random = Random(9);
    let fields = fields();
    let position = |name: &str| fields.iter().position(|field| field.name == name).unwrap();
    let text = position("few text");
    let date = position("few date");
    for (keys, seed) in [(vec![text], 1), (vec![text, date], 2), (vec![date, text], 3)] {
        random.0 += seed;
        let store = Store::create(Arc::new(MemoryBackend::new()), small())?;
        let table = create(&store, &fields)?;
        let mut expected = rows(&mut random, &fields, 700, 0);
        let key = |column| OrderKey { column, descending: column == date, nulls_first: false };
        let options = LoadOptions {
            order_by: keys.iter().map(|column| key(*column)).collect(),
            ..LoadOptions::default()
        };
        append(&store, table, &Source::new(&expected, &fields, true)?, &options)?;
        expected.sort_by(|a, b| {
            let orders = keys.iter().map(|column| {
                let (a, b) = (&a[*column], &b[*column]);
                // NULL is last in either direction.
                if *column == date && !a.is_null() && !b.is_null() {
                    b.order(a)
                } else {
                    a.order(b)
                }
            });
            orders.fold(std::cmp::Ordering::Equal, std::cmp::Ordering::then)
        });
        check(&store, &expected)?;
    }
    Ok(())
}

#[test]
fn an_appender_that_spools_loads_the_same_rows() -> Result<()> {
    let mut random = Random(21);
    let fields = fields();
    for buffer_bytes_max in [0, 20_000, usize::MAX] {
        let store = Store::create(Arc::new(MemoryBackend::new()), small())?;
        let options = LoadOptions {
            buffer_bytes_max: Some(buffer_bytes_max),
            pending_bytes_max: Some(100),
            ..LoadOptions::default()
        };
        let mut expected = Rows::new();
        let mut appender = Appender::new(fields.clone(), options.clone(), threaded());
        for count in [100, 1, 300] {
            let new = rows(&mut random, &fields, count, expected.len());
            appender.append(&batch(&new, &fields)?)?;
            expected.extend(new);
        }
        assert_eq!(appender.row_count(), 401);
        assert!(store.snapshot()?.table("t")?.is_none());
        appender.create_table(&store, "t")?;
        check(&store, &expected)?;
        let snapshot = store.snapshot()?.table("t")?.expect("the table is there");
        let mut appender = Appender::for_table(&*snapshot, options, threaded());
        let new = rows(&mut random, &fields, 90, expected.len());
        appender.append(&batch(&new, &fields)?)?;
        check(&store, &expected)?;
        appender.commit(&store, "T")?;
        expected.extend(new);
        check(&store, &expected)?;
    }
    Ok(())
}

#[test]
fn a_load_that_fails_leaves_the_table_as_it_was() -> Result<()> {
    let mut random = Random(33);
    let fields = fields();
    let store = Store::create(Arc::new(MemoryBackend::new()), small())?;
    let table = create(&store, &fields)?;
    let expected = rows(&mut random, &fields, 300, 0);
    append(&store, table, &Source::new(&expected, &fields, true)?, &LoadOptions::default())?;

    let mut with_null = rows(&mut random, &fields, 300, 300);
    with_null[299].pop();
    with_null[299].push(Value::Null);
    let source = Source::new(&with_null, &fields, true)?;
    let error = append(&store, table, &source, &LoadOptions::default()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid);
    assert!(error.message().contains("\"row\""), "{error}");

    let mut uneven = Source::new(&rows(&mut random, &fields, 300, 300), &fields, true)?;
    uneven.columns[3] = uneven.columns[3].slice(0, 299);
    let error = append(&store, table, &uneven, &LoadOptions::default()).unwrap_err();
    assert!(error.message().contains(&fields[3].name), "{error}");

    let transaction = store.begin()?;
    let source = Source::new(&rows(&mut random, &fields, 300, 300), &fields, true)?;
    let cancelled = threaded();
    cancelled.cancel.cancel();
    let error = load(&transaction, table, &source, &LoadOptions::default(), &cancelled);
    assert_eq!(error.unwrap_err().kind(), ErrorKind::Cancelled);
    drop(transaction);

    let transaction = store.begin()?;
    let poor = Context { memory: MemoryBudget::new(1_000), ..threaded() };
    let error = load(&transaction, table, &source, &LoadOptions::default(), &poor);
    assert_eq!(error.unwrap_err().kind(), ErrorKind::OutOfMemory);
    assert_eq!(poor.memory.used_bytes(), 0);
    drop(transaction);
    check(&store, &expected)
}

#[test]
fn what_many_appends_leave_is_about_as_large_as_one_load() -> Result<()> {
    let mut random = Random(35);
    let options = StorageOptions { row_group_len: 1_024, page_len: 256 };
    let field =
        |name: &str| NewField { name: name.into(), data_type: DataType::Utf8, nullable: true };
    // Column n gets new values in the first n appends only: its run stays in the file of the last.
    let fields: Vec<NewField> = (0..12).map(|n| field(&format!("c{n}"))).collect();
    let mut next_row = |step: usize| -> Vec<Value> {
        let column = |n: usize| {
            let known = u64::try_from(40 * (1 + step.min(n))).unwrap();
            let bits = (1 + random.below(known)).wrapping_mul(0x9E37_79B9_7F4A_7C15);
            Value::Text(format!("{bits:x} {:x} {:x}", bits.rotate_left(7), !bits))
        };
        (0..12).map(column).collect()
    };
    let backend: Arc<dyn Backend> = Arc::new(MemoryBackend::new());
    let store = Store::create(Arc::clone(&backend), options)?;
    let table = create(&store, &fields)?;
    let mut expected = Rows::new();
    for step in 0..12 {
        let new: Rows = (0..500).map(|_| next_row(step)).collect();
        append(&store, table, &Source::new(&new, &fields, true)?, &LoadOptions::default())?;
        expected.extend(new);
        check(&store, &expected)?;
        if step % 3 == 0 {
            store.vacuum()?;
            check(&store, &expected)?;
            check(&Store::open(Arc::clone(&backend))?, &expected)?;
        }
    }
    let appended = store.snapshot()?.table("t")?.expect("it is there").bytes_on_disk()?;
    let other = Store::create(Arc::new(MemoryBackend::new()), options)?;
    let table = create(&other, &fields)?;
    append(&other, table, &Source::new(&expected, &fields, true)?, &LoadOptions::default())?;
    let loaded = other.snapshot()?.table("t")?.expect("it is there").bytes_on_disk()?;
    assert!(appended * 10 < loaded * 14, "{appended} bytes against {loaded}");
    Ok(())
}

#[test]
fn what_one_transaction_cannot_do_together_is_refused() -> Result<()> {
    let mut random = Random(34);
    let fields = fields();
    let store = Store::create(Arc::new(MemoryBackend::new()), small())?;
    let table = create(&store, &fields)?;
    let expected = rows(&mut random, &fields, 300, 0);
    append(&store, table, &Source::new(&expected, &fields, true)?, &LoadOptions::default())?;
    let more = Source::new(&rows(&mut random, &fields, 100, 300), &fields, true)?;
    let load_more = |transaction: &martlet_engine::storage::Transaction| {
        load(transaction, table, &more, &LoadOptions::default(), &threaded())
    };

    // The second load would not know the values that the first one brought.
    let transaction = store.begin()?;
    load_more(&transaction)?;
    assert_eq!(load_more(&transaction).unwrap_err().kind(), ErrorKind::Invalid);
    let merged = merge_dictionaries(&transaction, table, None, &threaded());
    assert_eq!(merged.unwrap_err().kind(), ErrorKind::Invalid);
    drop(transaction);

    // The load folds the short row group, deleted rows and all.
    let transaction = store.begin()?;
    transaction.delete_rows(table, 1, &[0, 5].into_iter().collect())?;
    load_more(&transaction)?;
    assert_eq!(transaction.commit().unwrap_err().kind(), ErrorKind::Invalid);
    check(&store, &expected)?;
    store.begin()?;
    Ok(())
}

#[test]
fn progress_counts_every_row_of_every_column() -> Result<()> {
    let mut random = Random(34);
    let fields = fields();
    let store = Store::create(Arc::new(MemoryBackend::new()), small())?;
    let table = create(&store, &fields)?;
    let source = Source::new(&rows(&mut random, &fields, 300, 0), &fields, true)?;
    let transaction = store.begin()?;
    let context = threaded();
    load(&transaction, table, &source, &LoadOptions::default(), &context)?;
    let expected = u64::try_from(300 * fields.len()).unwrap();
    assert_eq!(context.progress.get(), (expected, expected));
    Ok(())
}

#[test]
fn columns_of_other_types_or_numbers_are_refused() -> Result<()> {
    let mut random = Random(35);
    let fields = fields();
    let store = Store::create(Arc::new(MemoryBackend::new()), small())?;
    let table = create(&store, &fields)?;
    let rows = rows(&mut random, &fields, 3, 0);
    let mut source = Source::new(&rows, &fields, true)?;
    source.fields.pop();
    let error = append(&store, table, &source, &LoadOptions::default()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Type);
    let mut source = Source::new(&rows, &fields, true)?;
    source.fields.swap(0, 2);
    let error = append(&store, table, &source, &LoadOptions::default()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Type);
    assert!(error.message().contains(&fields[0].name), "{error}");
    Ok(())
}
