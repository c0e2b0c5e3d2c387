//! Storage as the scan sees it.

use std::ops::{Bound, Range};
use std::sync::{Arc, OnceLock};

use arrow::array::ArrayRef;
use bytes::Bytes;
use roaring::RoaringBitmap;

use super::view::{ChunkView, CodesView, Column, DictionaryView, PageView, TableView, Zone};
use crate::catalog::{FieldId, Table};
use crate::encoding::{CodeFilter, Page, ZoneMap};
use crate::kernel;
use crate::storage::dictionary::{CodeMap, Dictionary};
use crate::storage::{Chunk, TableSnapshot};
use crate::types::{DataType, Error, Result, Value};
use crate::vector::{CodeIds, DistinctValues, IdOf, IdOrder, Selection, TextPiece};

/// A table of a snapshot.
#[derive(Debug)]
pub(crate) struct StoredTable(pub(crate) Arc<TableSnapshot>);

impl TableView for StoredTable {
    fn field_count(&self) -> usize {
        self.0.field_count()
    }

    fn page_len(&self) -> u32 {
        self.0.page_len()
    }

    fn row_group_count(&self) -> usize {
        self.0.row_group_count()
    }

    fn row_count(&self, row_group: usize) -> u32 {
        self.0.row_group(row_group).row_count
    }

    fn deletions(&self, row_group: usize) -> Result<Option<Arc<RoaringBitmap>>> {
        self.0.deletions(row_group)
    }

    fn dictionary(&self, field: FieldId) -> Result<Option<Arc<dyn DictionaryView>>> {
        let dictionary = self.0.dictionary(field)?;
        Ok(dictionary.map(|dictionary| Arc::new(StoredDictionary(dictionary)) as _))
    }

    fn chunk(&self, row_group: usize, field: FieldId) -> Result<Column> {
        let chunk = self.0.chunk(row_group, field)?;
        let codes = if chunk.is_codes() {
            Some(Arc::new(StoredCodes(self.0.code_map(row_group, field)?)))
        } else if let Some(value) = constant(chunk.zone_map()) {
            return Ok(Column::Constant(value));
        } else {
            None
        };
        Ok(Column::Stored(Arc::new(StoredChunk { chunk, section: OnceLock::new(), codes })))
    }
}

/// The value of a chunk in which every row has it.
fn constant(zone_map: &ZoneMap) -> Option<Value> {
    if zone_map.row_count > 0 && zone_map.null_count == zone_map.row_count {
        return Some(Value::Null);
    }
    let same = zone_map.constant && zone_map.bounds_exact && zone_map.null_count == 0;
    same.then(|| zone_map.min.clone()).flatten()
}

fn zone(zone_map: &ZoneMap) -> Zone {
    Zone {
        row_count: zone_map.row_count,
        null_count: zone_map.null_count,
        min: zone_map.min.clone(),
        max: zone_map.max.clone(),
        bounds_exact: zone_map.bounds_exact,
        sum: zone_map.sum,
    }
}

#[derive(Debug)]
struct StoredDictionary(Arc<Dictionary>);

impl DistinctValues for StoredDictionary {
    fn data_type(&self) -> DataType {
        self.0.data_type()
    }

    fn id_count(&self) -> u32 {
        self.0.len()
    }

    fn values(&self, ids: &[u32]) -> Result<ArrayRef> {
        self.0.values(ids)
    }

    fn order(&self) -> Result<IdOrder<'_>> {
        Ok(self.0.ranks()?.map_or(IdOrder::ById, IdOrder::ByRank))
    }

    fn find_id(&self, value: &Value) -> IdOf {
        match self.0.find(value) {
            Ok(found) => found.map_or(IdOf::Absent, IdOf::Id),
            Err(_) => IdOf::Unknown,
        }
    }

    fn piece_count(&self) -> usize {
        if self.0.data_type() == DataType::Utf8 { self.0.chunk_count() } else { 0 }
    }

    fn with_piece(
        &self,
        piece_idx: usize,
        visit: &mut dyn FnMut(TextPiece<'_>) -> Result<()>,
    ) -> Result<()> {
        let chunk = self.0.chunk(piece_idx)?;
        let Some(piece) = chunk.piece() else {
            return Err(Error::corrupt("a dictionary of texts has a chunk of numbers"));
        };
        visit(TextPiece {
            first_id: chunk.first_id,
            offsets: piece.offsets(),
            bytes: piece.bytes(),
            is_ascii: piece.all_ascii(),
        })
    }
}

impl DictionaryView for StoredDictionary {
    fn find(&self, value: &Value) -> Result<Option<u32>> {
        self.0.find(value)
    }

    fn id_ranges(&self, lower: Bound<&Value>, upper: Bound<&Value>) -> Result<Vec<Range<u32>>> {
        self.0.id_ranges(lower, upper)
    }
}

#[derive(Debug)]
struct StoredCodes(Arc<CodeMap>);

impl CodeIds for StoredCodes {
    fn ids(&self) -> &[u32] {
        self.0.ids()
    }
}

impl CodesView for StoredCodes {
    fn code_of(&self, id: u32) -> Option<u32> {
        self.0.code_of(id)
    }

    fn code_ranges(&self, id_ranges: &[Range<u32>]) -> Vec<Range<u32>> {
        self.0.code_ranges(id_ranges)
    }

    fn into_ids(self: Arc<Self>) -> Arc<dyn CodeIds> {
        self
    }
}

#[derive(Debug)]
struct StoredChunk {
    chunk: Arc<Chunk>,
    section: OnceLock<Option<Bytes>>,
    codes: Option<Arc<StoredCodes>>,
}

impl ChunkView for StoredChunk {
    fn zone(&self) -> Zone {
        zone(self.chunk.zone_map())
    }

    fn page_zone(&self, page: usize) -> Zone {
        let zone_map = self.chunk.page_zone_map(page);
        let mut zone = zone(zone_map);
        if self.codes.is_some() {
            // Bounds of a page of codes are codes.
            (zone.min, zone.max) = (None, None);
        }
        zone
    }

    fn page_codes(&self, page: usize) -> Option<(u32, u32)> {
        let codes = self.codes.as_ref()?;
        let zone_map = self.chunk.page_zone_map(page);
        let null_code = u32::try_from(codes.ids().len()).ok()?;
        let code = |bound: &Option<Value>| match bound {
            Some(Value::Int(code)) => u32::try_from(*code).ok(),
            _ => None,
        };
        match (code(&zone_map.min), code(&zone_map.max)) {
            _ if zone_map.null_count >= zone_map.row_count => Some((null_code, null_code)),
            (Some(min), Some(_)) if zone_map.null_count > 0 => Some((min, null_code)),
            (Some(min), Some(max)) => Some((min, max)),
            _ => None,
        }
    }

    fn codes(&self) -> Result<Option<Arc<dyn CodesView>>> {
        Ok(self.codes.as_ref().map(|codes| Arc::clone(codes) as _))
    }

    fn page(&self, page: usize) -> Result<Arc<dyn PageView>> {
        // NULL's code is the one behind the last.
        let has_null = self.chunk.zone_map().null_count > 0;
        let id_count = self.codes.as_ref().map_or(0, |codes| codes.ids().len());
        let code_count = id_count + usize::from(has_null);
        let section = self.section.get_or_init(|| self.chunk.section());
        let page = self.chunk.page_in(section.as_ref(), page)?;
        Ok(Arc::new(StoredPage { page, code_count }))
    }
}

#[derive(Debug)]
struct StoredPage {
    page: Page,
    code_count: usize,
}

impl PageView for StoredPage {
    fn bytes_len(&self) -> u64 {
        self.page.bytes_len() as u64
    }

    fn values(&self, rows: &Selection) -> Result<ArrayRef> {
        match rows {
            Selection::All(range) => self.page.decode(range.start as usize..range.end as usize),
            Selection::Rows(rows) => self.page.take(rows),
        }
    }

    fn codes(&self, rows: &Selection) -> Result<Vec<u32>> {
        let mut codes = Vec::with_capacity(rows.len());
        match rows {
            Selection::All(range) => {
                self.page.decode_codes(range.start as usize..range.end as usize, &mut codes)?;
            }
            Selection::Rows(rows) => self.page.take_codes(rows, &mut codes)?,
        }
        // Everything behind indexes arrays by code.
        let max = kernel::max(&codes);
        if max as usize >= self.code_count && !codes.is_empty() {
            return Err(Error::corrupt(format!("a page has code {max} of {}", self.code_count)));
        }
        Ok(codes)
    }

    fn filter_codes(&self, filter: CodeFilter<'_>, rows: &mut [u64]) -> Result<()> {
        self.page.filter_codes(filter, rows)
    }

    fn filter_integers(&self, ranges: &[(i128, i128)], null: bool, rows: &mut [u64]) -> Result<()> {
        self.page.filter_integers(ranges, null, rows)
    }
}
