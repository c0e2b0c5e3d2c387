//! What a scan asks of a stored table: zones, codes, pages.
//!
//! The scan is written against these traits; [`stored`](super::stored) implements them for storage,
//! tests for lists in memory. Must not know predicates.

use std::fmt::Debug;
use std::ops::{Bound, Range};
use std::sync::Arc;

use arrow::array::ArrayRef;
use roaring::RoaringBitmap;

use crate::catalog::FieldId;
use crate::encoding::CodeFilter;
use crate::exec::profile::ScanProfile;
use crate::types::{Result, Value};
use crate::vector::{CodeIds, DistinctValues, Selection};

/// What statistics prove about a chunk or page. Unknown is `None`.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Zone {
    /// Rows.
    pub(crate) row_count: u64,
    /// NULLs among them.
    pub(crate) null_count: u64,
    /// A lower bound of the values.
    pub(crate) min: Option<Value>,
    /// An upper bound of the values.
    pub(crate) max: Option<Value>,
    /// Whether both bounds occur.
    pub(crate) bounds_exact: bool,
    /// The exact sum of integers and decimals.
    pub(crate) sum: Option<i128>,
}

/// A table of one snapshot.
pub(crate) trait TableView: Debug + Send + Sync {
    /// Columns of the table.
    fn field_count(&self) -> usize;

    /// Rows of a page; the last of a row group may be short.
    fn page_len(&self) -> u32;

    /// Row groups.
    fn row_group_count(&self) -> usize;

    /// Rows of a row group as written, deleted ones included.
    fn row_count(&self, row_group: usize) -> u32;

    /// The deleted rows of a row group, by number.
    ///
    /// # Errors
    /// When they cannot be read.
    fn deletions(&self, row_group: usize) -> Result<Option<Arc<RoaringBitmap>>>;

    /// The dictionary of a column, where some row group has codes.
    ///
    /// # Errors
    /// When it cannot be read.
    fn dictionary(&self, field: FieldId) -> Result<Option<Arc<dyn DictionaryView>>>;

    /// A column of a row group.
    ///
    /// # Errors
    /// When it cannot be read.
    fn chunk(&self, row_group: usize, field: FieldId) -> Result<Column>;
}

/// The counters of a scan that names `column_count` columns and has read nothing.
pub(crate) fn unread(view: &dyn TableView, column_count: usize) -> ScanProfile {
    let page_len = view.page_len().max(1);
    let row_groups = 0..view.row_group_count();
    let pages: u64 =
        row_groups.map(|index| u64::from(view.row_count(index).div_ceil(page_len))).sum();
    ScanProfile {
        columns_total: view.field_count() as u64,
        pages_total: pages * column_count as u64,
        row_groups_total: view.row_group_count() as u64,
        ..ScanProfile::default()
    }
}

/// The values of a column over all row groups.
pub(crate) trait DictionaryView: DistinctValues {
    /// The id of a value that is not NULL.
    ///
    /// # Errors
    /// When it cannot be read.
    fn find(&self, value: &Value) -> Result<Option<u32>>;

    /// The ids of the values between two bounds.
    ///
    /// # Errors
    /// When it cannot be read.
    fn id_ranges(&self, lower: Bound<&Value>, upper: Bound<&Value>) -> Result<Vec<Range<u32>>>;
}

/// A column of a row group.
#[derive(Clone, Debug)]
pub(crate) enum Column {
    /// Written with the row group.
    Stored(Arc<dyn ChunkView>),
    /// The row group is older than the column: every row has this value.
    Constant(Value),
}

/// The map from a row group's codes to ids.
pub(crate) trait CodesView: CodeIds {
    /// The code of `id`, if it occurs.
    fn code_of(&self, id: u32) -> Option<u32>;

    /// The codes whose ids are in one of `id_ranges`: ascending and disjoint.
    fn code_ranges(&self, id_ranges: &[Range<u32>]) -> Vec<Range<u32>>;

    /// The same map as a book's ids.
    fn into_ids(self: Arc<Self>) -> Arc<dyn CodeIds>;
}

/// A stored column chunk.
pub(crate) trait ChunkView: Debug + Send + Sync {
    /// Its statistics.
    fn zone(&self) -> Zone;

    /// The statistics of a page, in values; for a page of codes only counts need be known.
    fn page_zone(&self, page: usize) -> Zone;

    /// The least and greatest code of a page, NULL's included; `None` when unknown.
    fn page_codes(&self, page: usize) -> Option<(u32, u32)>;

    /// The map of its codes; `None` when pages hold values.
    ///
    /// # Errors
    /// When it cannot be read.
    fn codes(&self) -> Result<Option<Arc<dyn CodesView>>>;

    /// A page.
    ///
    /// # Errors
    /// When it cannot be read.
    fn page(&self, page: usize) -> Result<Arc<dyn PageView>>;
}

/// A page, which holds values or codes.
pub(crate) trait PageView: Debug + Send + Sync {
    /// Encoded bytes.
    fn bytes_len(&self) -> u64;

    /// The values of the selected rows.
    ///
    /// # Errors
    /// `Corrupt`.
    fn values(&self, rows: &Selection) -> Result<ArrayRef>;

    /// The codes of the selected rows.
    ///
    /// # Errors
    /// `Corrupt`.
    fn codes(&self, rows: &Selection) -> Result<Vec<u32>>;

    /// Clears the bits of `rows`, one for each row of the page, whose code does not pass.
    ///
    /// # Errors
    /// `Corrupt`.
    fn filter_codes(&self, filter: CodeFilter<'_>, rows: &mut [u64]) -> Result<()>;

    /// Clears the bits of `rows` whose integer is in none of the closed `ranges`; NULL passes as told.
    ///
    /// # Errors
    /// `Corrupt`.
    fn filter_integers(&self, ranges: &[(i128, i128)], null: bool, rows: &mut [u64]) -> Result<()>;
}
