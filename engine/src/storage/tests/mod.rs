//! What the tests of whole databases share: one small mart, and everything that it says as text.
#![expect(clippy::unwrap_in_result, reason = "a test stops at the first surprise")]

mod comments;
mod commits;
mod corruption;
mod dictionaries;
mod faults;
mod processes;
mod width;

use std::fmt::Write;
use std::sync::Arc;

use arrow::array::{ArrayRef, Float64Array, Int64Array, StringArray, UInt32Array};
use arrow::compute::take;

use super::backend::Backend;
use super::dictionary::{Change, Growth, LocalBuilder, MergePolicy};
use super::{
    EncodedChunk, MappedBackend, MemoryBackend, PositionalBackend, Snapshot, StorageOptions, Store,
    TableSnapshot, TableWriter, Transaction,
};
use crate::catalog::{FieldId, NewField, Table, TableId};
use crate::context::CancelToken;
use crate::encoding::{ZoneMap, encode, encode_codes};
use crate::types::{DataType, Result, Value};

const OPTIONS: StorageOptions = StorageOptions { row_group_len: 10, page_len: 4 };
const ID: FieldId = FieldId(0);
const NAME: FieldId = FieldId(1);
const SCORE: FieldId = FieldId(2);

/// Runs `check` on an empty backend of each kind.
fn on_each_backend(check: impl Fn(Arc<dyn Backend>) -> Result<()>) -> Result<()> {
    check(Arc::new(MemoryBackend::new()))?;
    let folder = tempfile::tempdir().unwrap();
    check(Arc::new(MappedBackend::create(&folder.path().join("mapped.mart"))?))?;
    check(Arc::new(PositionalBackend::create(&folder.path().join("positional.mart"))?))
}

fn field(name: &str, data_type: DataType, nullable: bool) -> NewField {
    NewField { name: name.into(), data_type, nullable }
}

/// Creates the mart: an id, a name from a dictionary, a score with NULLs.
fn create(transaction: &Transaction, name: &str) -> Result<TableId> {
    let fields = [
        field("id", DataType::Int64, false),
        field("Name", DataType::Utf8, true),
        field("score", DataType::Float64, true),
    ];
    transaction.create_table(name, &fields, &[("made by".into(), "tests".into())])
}

fn name_of(id: i64) -> String {
    format!("name {}", id / 2 * 7 % 23)
}

fn score_of(id: i64) -> Option<f64> {
    (id % 3 > 0).then(|| f64::from(i32::try_from(id).expect("tests use small ids")) / 8.0)
}

/// A chunk of plain values in pages of the database's length.
fn values_chunk(array: &ArrayRef, data_type: DataType, page_len: usize) -> Result<EncodedChunk> {
    let mut pages = Vec::new();
    for start in (0..array.len()).step_by(page_len) {
        let page = array.slice(start, page_len.min(array.len() - start));
        pages.push((encode(&page, data_type)?, ZoneMap::of(&page, data_type)));
    }
    Ok(EncodedChunk { pages, codes: None, zone_map: ZoneMap::of(array, data_type) })
}

fn codes_chunk(codes: &[u32], code_count: u32, values: &ArrayRef) -> EncodedChunk {
    let page = |codes: &[u32]| {
        let zone_map = ZoneMap::of(&UInt32Array::from(codes.to_vec()), DataType::UInt32);
        (encode_codes(codes), zone_map)
    };
    EncodedChunk {
        pages: codes.chunks(OPTIONS.page_len as usize).map(page).collect(),
        codes: Some(code_count),
        zone_map: ZoneMap::of(values, DataType::Utf8),
    }
}

/// Appends rows with these ids; the dictionary merges its runs when it has more than `runs_max`.
fn append(
    transaction: &Transaction,
    table: TableId,
    ids: std::ops::Range<i64>,
    runs_max: usize,
) -> Result<()> {
    let writer = transaction.writer(table)?;
    let dictionary = writer.snapshot().map_or(Ok(None), |table| table.dictionary(NAME))?;
    let mut growth = Growth::new(DataType::Utf8, dictionary);
    let mut row_groups = Vec::new();
    let ids: Vec<i64> = ids.collect();
    for ids in ids.chunks(OPTIONS.row_group_len as usize) {
        let row_group = writer.add_row_group(u32::try_from(ids.len()).expect("few rows"))?;
        row_groups.push(row_group);
        let page_len = OPTIONS.page_len as usize;
        let id_array: ArrayRef = Arc::new(Int64Array::from(ids.to_vec()));
        let scores: ArrayRef =
            Arc::new(ids.iter().map(|id| score_of(*id)).collect::<Float64Array>());
        let names: ArrayRef =
            Arc::new(StringArray::from_iter_values(ids.iter().map(|id| name_of(*id))));
        writer.write_chunk(
            &row_group,
            SCORE,
            &values_chunk(&scores, DataType::Float64, page_len)?,
        )?;
        writer.write_chunk(&row_group, ID, &values_chunk(&id_array, DataType::Int64, page_len)?)?;
        let mut local = LocalBuilder::new(DataType::Utf8, ids.len());
        local.push(&names)?;
        let code_count = u32::try_from(local.distinct_count()).expect("few names");
        let (_, codes) = growth.add(local.finish(), &CancelToken::default())?;
        writer.write_chunk(&row_group, NAME, &codes_chunk(&codes, code_count, &names))?;
    }
    let policy = MergePolicy { runs_max, tail_percent_max: 1_000 };
    let grown = growth.finish(&policy, &CancelToken::default())?;
    write_change(&writer, &grown.change)?;
    for (row_group, map) in row_groups.iter().zip(&grown.maps) {
        writer.write_code_map(row_group.id(), NAME, map)?;
    }
    Ok(())
}

fn write_change(writer: &TableWriter, change: &Change) -> Result<()> {
    match change {
        Change::None => Ok(()),
        Change::Run(run) => writer.append_run(NAME, run),
        Change::Generation { run, new_ids } => {
            writer.replace_runs(NAME, run, true)?;
            let table = writer.snapshot().expect("there was a dictionary");
            for row_group_idx in 0..table.row_group_count() {
                let map = table.code_map(row_group_idx, NAME)?.translate(new_ids)?;
                writer.write_code_map(table.row_group(row_group_idx).id, NAME, &map)?;
            }
            Ok(())
        }
    }
}

/// A database with the mart `t`: 13 rows in one load, 4 in another, two of them deleted.
fn small_mart(backend: Arc<dyn Backend>) -> Result<Arc<Store>> {
    let store = Store::create(backend, OPTIONS)?;
    let transaction = store.begin()?;
    let table = create(&transaction, "t")?;
    append(&transaction, table, 0..13, 8)?;
    transaction.commit()?;
    let transaction = store.begin()?;
    append(&transaction, table, 13..17, 8)?;
    transaction.delete_rows(table, 0, &[2, 5].into_iter().collect())?;
    transaction.commit()?;
    Ok(store)
}

fn table(snapshot: &Snapshot, name: &str) -> Result<Arc<TableSnapshot>> {
    Ok(snapshot.table(name)?.expect("the table is there"))
}

/// The values of a column, deleted rows included.
fn column(table: &TableSnapshot, field: FieldId) -> Result<Vec<Value>> {
    let data_type = table.data_type(field)?;
    let mut values = Vec::new();
    for row_group_idx in 0..table.row_group_count() {
        let chunk = table.chunk(row_group_idx, field)?;
        for page_idx in 0..chunk.page_count() {
            let page = chunk.page(page_idx)?;
            let array = if chunk.is_codes() {
                let mut codes = Vec::new();
                page.decode_codes(0..page.row_count(), &mut codes)?;
                let dictionary = table.dictionary(field)?.expect("codes have a dictionary");
                let map = table.code_map(row_group_idx, field)?;
                take(&dictionary.values(map.ids())?, &UInt32Array::from(codes), None)?
            } else {
                page.decode(0..page.row_count())?
            };
            values.extend((0..array.len()).map(|row| Value::from_array(&array, data_type, row)));
        }
    }
    Ok(values)
}

fn ids(table: &TableSnapshot) -> Result<Vec<i64>> {
    let values = column(table, ID)?;
    Ok(values
        .into_iter()
        .map(|value| match value {
            Value::Int(id) => i64::try_from(id).expect("ids are small"),
            other => panic!("{other:?} is no id"),
        })
        .collect())
}

/// Everything that a snapshot says, as text.
fn digest(snapshot: &Snapshot) -> Result<String> {
    let mut text = String::new();
    for name in snapshot.table_names() {
        let table = table(snapshot, &name)?;
        writeln!(text, "{name} {} rows {:?}", table.row_count(), table.metadata()?).unwrap();
        for row_group_idx in 0..table.row_group_count() {
            let deletions = table.deletions(row_group_idx)?;
            writeln!(text, "{:?} {deletions:?}", table.row_group(row_group_idx)).unwrap();
        }
        for position in 0..table.field_count() {
            let field = table.field(position);
            writeln!(text, "{field:?} {:?}", table.statistics(field.id)?).unwrap();
            writeln!(text, "{:?}", column(&table, field.id)?).unwrap();
            for row_group_idx in 0..table.row_group_count() {
                let chunk = table.chunk(row_group_idx, field.id)?;
                let zones = (0..chunk.page_count()).map(|page| chunk.page_zone_map(page));
                let zones: Vec<_> = zones.chain([chunk.zone_map()]).collect();
                writeln!(text, "{zones:?}").unwrap();
            }
        }
    }
    Ok(text)
}

/// What a process that opens `backend` now reads.
fn digest_of(backend: Arc<dyn Backend>) -> Result<String> {
    digest(&*Store::open(backend)?.snapshot()?)
}
